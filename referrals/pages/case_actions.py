"""What the buttons of the case page do: one table from a button to an act, done in one transaction.

Each act carries the version it was made from; what is not done comes back as a message. Renders no page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import g

from referrals.casework import referral
from referrals.casework.follow_up import letters
from referrals.casework.pressing import pressing_in, write_down
from referrals.directory import curation, snapshot
from referrals.pages.act_forms import (
    ActForm,
    AppointmentForm,
    AppointmentOffForm,
    AttemptForm,
    CloseForm,
    ConsentForm,
    HandOverForm,
    LabelsForm,
    LetterToHerForm,
    LinkForm,
    MarkForm,
    NeedForm,
    NextStepForm,
    OwnerForm,
    OwnStepForm,
    PassOnForm,
    ProposalForm,
    ProtectionForm,
    ReachForm,
    ReadForm,
    ReasonForm,
    RiskForm,
    StepForm,
    UnmarkForm,
    WordsForm,
)
from referrals.pages.before_sending import version_in
from referrals.pages.case_forms import REFUSED, called, counters, help_of, outcome, owner, service, why_refused
from referrals.pages.follow_up import acts as next_acts
from reporting import clock
from reporting.cases import actions, desk, records
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile
from reporting.cases.follow_up import acts as follow_up
from reporting.cases.records import NoConsent
from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.teams.readers import offered
from reporting.teams.team_log import CannotOpen
from reporting.vocabulary import questions
from reporting.web.context import installation, local_hour
from reporting.web.forms import number_in

CHOOSE = N_("Choose what to do.")
UNFINISHED = N_("Something is still missing where the letter says ____. Write it there, or take that sentence out.")


class Unfinished(AmparoError):
    """Something has to be written or chosen first: each as a message id, all at once."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        self.sentences = sentences
        super().__init__(*sentences)


def refusal(case: int, go: str, form: ActForm) -> tuple[tuple[str, ...], int] | None:
    """Do it, in one transaction; or why it was not done, as messages, with the status of the answer."""
    site = installation()
    act = ACTS.get(go, NO_ACT)
    try:
        with site.writing() as db:
            seen = version_in(form.v.data) if act.word else None
            with desk.at_desk(db, g.keys, case, site.clock(), act.word, seen=seen, counters=counters(db)) as case_file:
                _must_be_whole(form)  # only here: who sees an older version hears of that first
                act.does(case_file, form)
                write_down(case_file, site.clock())
                actions.record_gaps(case_file, help_of(snapshot.snapshot_of(site.reading), case_file).gaps)
            act.afterwards(db, case, form)
    except Unfinished as unfinished:
        return unfinished.sentences, 422
    except NoConsent:
        return (N_("She did not say yes to letters."),), 422
    except (*REFUSED, CannotOpen) as problem:
        sentence, code = why_refused(problem)
        return (sentence,), code
    return None


def _must_be_whole(form: ActForm) -> None:
    if lacking := form.lacking():
        raise Unfinished(lacking)


def _nothing(_case_file: CaseFile, _form: ActForm) -> None:
    raise NotAllowed(CHOOSE)


def _nothing_more(_db: Any, _case: int, _form: ActForm) -> None:
    return


def _letter(case_file: CaseFile, form: LetterToHerForm | CloseForm) -> None:
    if "C_LETTERS" not in case_file.consents:
        raise NoConsent
    if letters.is_unfinished(form.text.data):
        raise NotAllowed(UNFINISHED)
    text = {
        "from": records.FROM_TEAM,
        "hour": int(installation().clock()) // clock.HOUR,
        "text": form.text.data,
        "by": g.keys.member,
    }
    case_file.add("letter", text)
    case_file.summary = replace(case_file.summary, answered=True)


def _answer(case_file: CaseFile, form: LetterToHerForm) -> None:
    """A letter, and whoever writes it takes the case where nobody has it."""
    _letter(case_file, form)
    if not case_file.summary.owner:
        actions.assign(case_file, g.keys.member, g.keys.member, installation().clock())


def _note(case_file: CaseFile, form: WordsForm) -> None:
    actions.note(case_file, g.keys.member, form.text.data, installation().clock())


def _assign(case_file: CaseFile, form: OwnerForm) -> None:
    """Whose it is; with a note, which whoever gets it has to read."""
    to, me, now = owner(form.owner.data), g.keys.member, installation().clock()
    actions.assign(case_file, me, to, now)
    if form.text.data and to == me:
        actions.note(case_file, me, form.text.data, now)
    elif form.text.data:
        follow_up.pass_on(case_file, me, form.text.data, to, now)


def _label(case_file: CaseFile, form: LabelsForm) -> None:
    actions.label(case_file, g.keys.member, form.labels.data.split(","), installation().clock())


def _risk(case_file: CaseFile, form: RiskForm) -> None:
    actions.warn_of(case_file, g.keys.member, form.text.data, installation().clock())


TIME_IS_LEFT = N_("Hours are left for help that comes too late afterwards. Leave it open, or tick that you know it.")


def _close(case_file: CaseFile, form: CloseForm) -> None:
    time_is_left = pressing_in(case_file, installation().clock()).window
    if time_is_left and form.outcome.data != actions.REACHED and not form.knows.data:
        raise NotAllowed(TIME_IS_LEFT)
    if form.text.data:
        _letter(case_file, form)
    actions.close(case_file, g.keys.member, outcome(form.outcome.data), form.reason.data, installation().clock())


def _reopen(case_file: CaseFile, form: ReasonForm) -> None:
    actions.reopen(case_file, g.keys.member, form.reason.data, installation().clock())


def _mark(case_file: CaseFile, form: MarkForm) -> None:
    if form.mark.data not in actions.MARKS:
        raise NotAllowed(N_("Choose a mark."))
    because = form.because.data if form.because.data in actions.NOT_A_REPORT_BECAUSE else ""
    actions.mark(case_file, g.keys.member, form.mark.data, because, form.reason.data, installation().clock())


def _unmark(case_file: CaseFile, form: UnmarkForm) -> None:
    actions.unmark(case_file, g.keys.member, form.mark.data, form.reason.data, installation().clock())


def _link(case_file: CaseFile, form: LinkForm) -> None:
    with installation().reading() as db:
        other = desk.name_of(db, g.keys, _called(form.alias.data))
    actions.link(case_file, g.keys.member, other, installation().clock())


def _called(name: str | None) -> int:
    """The number of the one case with that short name. Raises `NotAllowed` when none has it, or several."""
    named = called(name)
    if len(named) != 1:
        raise NotAllowed(N_("No case has this short name."))
    return named[0]


def _link_back(db: Any, case: int, form: LinkForm) -> None:
    """Link the other case to this one too."""
    other, this = _called(form.alias.data), desk.name_of(db, g.keys, case)
    with desk.at_desk(db, g.keys, other, installation().clock(), "changed") as case_file:
        actions.link(case_file, g.keys.member, this, installation().clock())


def _ask_hand_over(case_file: CaseFile, form: HandOverForm) -> None:
    site = installation()
    with site.reading() as db:
        known = [team.id for team in offered(db, site.teams(db))]
    team = number_in(form.team.data or "0")
    if team not in known:
        raise NotAllowed(N_("Choose a team."))
    actions.ask_hand_over(case_file, g.keys.member, team, form.reason.data, site.clock())


def _said_yes_to_team(case_file: CaseFile, form: ActForm) -> None:  # noqa: ARG001 -- every act is handed its form
    actions.answer_hand_over(case_file, yes=True)


def _hand_over(db: Any, case: int, _form: ActForm) -> None:
    site = installation()
    opened = desk.open_case(db, g.keys, case, site.clock())
    to = opened.work_record["handover"]["team"]
    goes_to = next((team for team in offered(db, site.teams(db)) if team.id == to), None)
    if goes_to is None:
        raise NotAllowed(N_("Choose a team."))
    desk.hand_over(db, g.keys, case, goes_to, site.clock())


def _allow(case_file: CaseFile, form: ConsentForm) -> None:
    """What she said by voice about what she allows."""
    if form.step.data not in {"yes", "no"}:
        raise NotAllowed(CHOOSE)
    moment, member = installation().clock(), g.keys.member
    actions.allow_by(case_file, member, form.consent.data, moment, yes=form.step.data == "yes")
    actions.note(case_file, member, form.text.data, moment)


def _reach(case_file: CaseFile, form: ReachForm) -> None:
    """How to reach her, as she said it by voice."""
    channel = form.channel.data if form.channel.data in questions.CHANNELS else ""
    said = {name: channel if name == "channel" else form[name].data for name in questions.CONTACT_NAMES}
    moment, member = installation().clock(), g.keys.member
    actions.reach_by(case_file, member, {name: words for name, words in said.items() if words}, moment)
    actions.note(case_file, member, form.text.data, moment)


def _need(case_file: CaseFile, form: NeedForm) -> None:
    actions.say_need(case_file, g.keys.member, form.need.data, form.step.data, installation().clock())


def _door(form: ProposalForm) -> tuple[str, str]:
    """(service, need) that was chosen: a service that was looked up goes before the list."""
    need, _, listed = form.door.data.partition(" ")
    return (form.service.data, form.need.data) if form.service.data else (listed, need)


def _propose(case_file: CaseFile, form: ProposalForm) -> None:
    fields = ("need", *(field for field in referral.FIELDS if field != "need" and field in (form.fields.data or ())))
    door, need = _door(form)
    referral.propose(case_file, g.keys.member, service(door), need, fields, installation().clock())


def _protect(case_file: CaseFile, form: ProtectionForm) -> None:
    fields = ("need", *(field for field in referral.FIELDS if field != "need" and field in (form.fields.data or ())))
    door, need = _door(form)
    referral.protect_child(
        case_file, g.keys.member, service(door), need, fields, form.reason.data, installation().clock()
    )


def _step(case_file: CaseFile, form: StepForm) -> None:
    """A move of a referral; hers are written down as said by voice."""
    number, step, moment, member = (
        number_in(form.number.data),
        form.move(),
        installation().clock(),
        g.keys.member,
    )
    if step == "agree":
        referral.agree(case_file, number, moment, voice=member)
    elif step in {"decline", "revoke"}:
        referral.say_no(case_file, number, moment, voice=member)
    elif step == "send":
        proposal = case_file.record(number, "referral").content
        referral.send(case_file, number, member, service(proposal["service"]), moment)
    else:
        referral.move(case_file, number, step, member, moment, form.text.data, because=form.because.data)


def _flag_who_refused(db: Any, case: int, form: StepForm) -> None:
    """A service that refused is due to be looked at. Only the week is kept, nothing of the case."""
    if form.move() == "refuse":
        opened = desk.open_case(db, g.keys, case, installation().clock())
        number = number_in(form.number.data)  # as the move was read: "07" is the same number, and other letters
        service = next(proposal.service for proposal in opened.referrals if proposal.id == number)
        curation.flag(db, service, "refused", local_hour(int(installation().clock()) // clock.HOUR).date())


@dataclass(frozen=True, slots=True)
class Act:
    """An act on a case: its word in the audit, the form it reads, what it does, what follows outside of the case."""

    word: str
    form: type[ActForm]
    does: Callable[[CaseFile, Any], None]
    afterwards: Callable[[Any, int, Any], None] = _nothing_more


# what is pressed -> the act
ACTS: dict[str, Act] = {
    "letter": Act("letter", LetterToHerForm, _letter),
    "answer": Act("letter", LetterToHerForm, _answer),
    "note": Act("changed", WordsForm, _note),
    "assign": Act("changed", OwnerForm, _assign),
    "label": Act("changed", LabelsForm, _label),
    "risk": Act("changed", RiskForm, _risk),
    "close": Act("changed", CloseForm, _close),
    "reopen": Act("changed", ReasonForm, _reopen),
    "mark": Act("changed", MarkForm, _mark),
    "unmark": Act("changed", UnmarkForm, _unmark),
    "link": Act("changed", LinkForm, _link, afterwards=_link_back),
    "ask-hand-over": Act("changed", HandOverForm, _ask_hand_over),
    "handed": Act("changed", ActForm, _said_yes_to_team, afterwards=_hand_over),
    "allow": Act("changed", ConsentForm, _allow),
    "reach": Act("changed", ReachForm, _reach),
    "need": Act("changed", NeedForm, _need),
    "propose": Act("referral", ProposalForm, _propose),
    "protect": Act("referral", ProtectionForm, _protect),
    "step": Act("referral", StepForm, _step, afterwards=_flag_who_refused),
    "next": Act("changed", NextStepForm, next_acts.change_step),
    "plan-step": Act("changed", OwnStepForm, next_acts.plan_step),
    "appoint": Act("referral", AppointmentForm, next_acts.appoint),
    "unappoint": Act("referral", AppointmentOffForm, next_acts.take_back),
    "attempt": Act("changed", AttemptForm, next_acts.tried),
    "pass-on": Act("changed", PassOnForm, next_acts.pass_on),
    "has-read": Act("changed", ReadForm, next_acts.has_read),
}
NO_ACT = Act("", ActForm, _nothing)
