"""What the buttons of the case page do: one table from a button to an act, done in one transaction.

Each act carries the version it was made from; what is not done comes back as a message. Renders no page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import g

from referrals.casework import referral
from referrals.directory import curation, snapshot
from referrals.pages.case_forms import MEANWHILE, ActForm, counters, help_of, needed, outcome, owner, service
from reporting import clock
from reporting.cases import actions, desk, records
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import NOT_A_REPORT, CaseFile
from reporting.cases.records import EditConflict, NoConsent
from reporting.crypto import receipts
from reporting.i18n import N_
from reporting.teams import team_log
from reporting.teams.team_log import CannotOpen
from reporting.web.context import installation, local_hour
from reporting.web.forms import BadFormValue, number_in

CHOOSE = N_("Choose what to do.")


def refusal(case: int, go: str, form: ActForm) -> tuple[str, int] | None:
    """Do it, in one transaction; or why it was not done, as a message, with the status of the answer."""
    site = installation()
    known, does, needs_version = ACTS.get(go, ("", _nothing, False))
    try:
        with site.writing() as db:
            seen = number_in(form.v.data) if needs_version else None
            with desk.at_desk(db, g.keys, case, site.clock(), known, seen=seen, counters=counters(db)) as case_file:
                does(case_file, form)
                actions.record_gaps(case_file, help_of(snapshot.snapshot_of(site.reading), case_file).gaps)
            AFTERWARDS.get(go, _nothing_more)(db, case, form)
    except NoConsent:
        return N_("She did not say yes to letters."), 422
    except NotAllowed as why:
        return why.sentence, 422
    except (EditConflict, CannotOpen, BadFormValue):  # or the page did not say which version of the case it showed
        return MEANWHILE, 409
    return None


def _nothing(_folder: CaseFile, _form: ActForm) -> None:
    raise NotAllowed(CHOOSE)


def _nothing_more(_db: Any, _case: int, _form: ActForm) -> None:
    return


def _letter(case_file: CaseFile, form: ActForm) -> None:
    if "C_LETTERS" not in case_file.consents:
        raise NoConsent
    text = {
        "from": records.FROM_TEAM,
        "hour": int(installation().clock()) // clock.HOUR,
        "text": needed(form.text.data),
    }
    case_file.add("letter", text)
    case_file.summary = replace(case_file.summary, answered=True)


def _note(case_file: CaseFile, form: ActForm) -> None:
    actions.note(case_file, g.keys.member, needed(form.text.data), installation().clock())


def _assign(case_file: CaseFile, form: ActForm) -> None:
    actions.assign(case_file, g.keys.member, owner(form.owner.data), installation().clock())


def _label(case_file: CaseFile, form: ActForm) -> None:
    actions.label(case_file, (form.labels.data or "").split(","))


def _risk(case_file: CaseFile, form: ActForm) -> None:
    actions.warn_of(case_file, (form.text.data or "").strip())


def _close(case_file: CaseFile, form: ActForm) -> None:
    actions.close(
        case_file, g.keys.member, outcome(form.outcome.data), needed(form.reason.data), installation().clock()
    )


def _reopen(case_file: CaseFile, form: ActForm) -> None:
    actions.reopen(case_file, g.keys.member, needed(form.reason.data), installation().clock())


def _mark(case_file: CaseFile, form: ActForm) -> None:
    if form.mark.data not in actions.MARKS:
        raise NotAllowed(N_("Choose a mark."))
    because = form.because.data if form.because.data in actions.NOT_A_REPORT_BECAUSE else ""
    if form.mark.data == NOT_A_REPORT and not because:
        raise NotAllowed(N_("Say why it is not a report."))
    reason = needed(form.reason.data)
    actions.mark(case_file, g.keys.member, form.mark.data, because or "", reason, installation().clock())


def _unmark(case_file: CaseFile, form: ActForm) -> None:
    actions.unmark(case_file, g.keys.member, form.mark.data or "", needed(form.reason.data), installation().clock())


def _link(case_file: CaseFile, form: ActForm) -> None:
    with installation().reading() as db:
        other = desk.name_of(db, g.keys, _called(form.alias.data))
    actions.link(case_file, g.keys.member, other, installation().clock())


def _called(name: str | None) -> int:
    """The one case of that short name."""
    wanted = receipts.plain(name or "").replace(" ", "")
    with installation().reading() as db:
        cases = desk.cases_of(db, g.keys)
    found = [case for case in cases if receipts.plain(records.alias(case)).replace(" ", "") == wanted]
    if len(found) != 1:
        raise NotAllowed(N_("No case has this short name."))
    return found[0]


def _link_back(db: Any, case: int, form: ActForm) -> None:
    """The other case names this one too."""
    other, this = _called(form.alias.data), desk.name_of(db, g.keys, case)
    with desk.at_desk(db, g.keys, other, installation().clock(), "changed") as case_file:
        actions.link(case_file, g.keys.member, this, installation().clock())


def _ask_hand_over(case_file: CaseFile, form: ActForm) -> None:
    site = installation()
    with site.reading() as db:
        known = [team.id for team in team_log.trusted(site.teams(db))]
    team = number_in(form.team.data or "0")
    if team not in known:
        raise NotAllowed(N_("Choose a team."))
    actions.ask_hand_over(case_file, g.keys.member, team, needed(form.reason.data), site.clock())


def _said_yes_to_team(case_file: CaseFile, form: ActForm) -> None:  # noqa: ARG001 -- every act is handed its form
    actions.answer_hand_over(case_file, yes=True)


def _hand_over(db: Any, case: int, _form: ActForm) -> None:
    site = installation()
    opened = desk.open_case(db, g.keys, case, site.clock())
    readers = next(team for team in site.teams(db) if team.id == opened.work_record["handover"]["team"])
    desk.hand_over(db, g.keys, case, readers, site.clock())


def _allow(case_file: CaseFile, form: ActForm) -> None:
    """What she said by voice about what she allows."""
    if form.step.data not in {"yes", "no"}:
        raise NotAllowed(CHOOSE)
    actions.allow(case_file, form.consent.data or "", yes=form.step.data == "yes")
    actions.note(case_file, g.keys.member, needed(form.text.data), installation().clock())


def _propose(case_file: CaseFile, form: ActForm) -> None:
    fields = ("need", *(field for field in referral.FIELDS if field != "need" and field in (form.fields.data or ())))
    referral.propose(
        case_file, g.keys.member, service(form.service.data), form.need.data or "", fields, installation().clock()
    )


def _protect(case_file: CaseFile, form: ActForm) -> None:
    fields = ("need", *(field for field in referral.FIELDS if field != "need" and field in (form.fields.data or ())))
    referral.protect_child(
        case_file,
        g.keys.member,
        service(form.service.data),
        form.need.data or "",
        fields,
        (form.reason.data or "").strip(),
        installation().clock(),
    )


def _step(case_file: CaseFile, form: ActForm) -> None:
    """A move of a referral; hers are written down as said by voice."""
    number, step, moment, me = number_in(form.number.data), form.step.data or "", installation().clock(), g.keys.member
    if step == "agree":
        referral.agree(case_file, number, moment, voice=me)
    elif step in {"decline", "revoke"}:
        referral.say_no(case_file, number, moment, voice=me)
    elif step == "send":
        proposed = case_file.record(number, "referral").content
        referral.send(case_file, number, me, service(proposed["service"]), moment)
    else:
        referral.move(case_file, number, step, me, moment, (form.text.data or "").strip())


def _flag_who_refused(db: Any, case: int, form: ActForm) -> None:
    """A service that refused is due to be looked at. Only the week is kept, nothing of the case."""
    if form.step.data == "refuse":
        opened = desk.open_case(db, g.keys, case, installation().clock())
        service = next(one.service for one in opened.referrals if str(one.id) == form.number.data)
        curation.flag(db, service, "refused", local_hour(int(installation().clock()) // clock.HOUR).date())


Does = Callable[[CaseFile, ActForm], None]
# what is pressed -> the word in the audit, what it does, whether the page must be of the newest version
ACTS: dict[str, tuple[str, Does, bool]] = {
    "letter": ("letter", _letter, False),
    "note": ("changed", _note, False),
    "assign": ("changed", _assign, True),
    "label": ("changed", _label, True),
    "risk": ("changed", _risk, True),
    "close": ("changed", _close, True),
    "reopen": ("changed", _reopen, True),
    "mark": ("changed", _mark, True),
    "unmark": ("changed", _unmark, True),
    "link": ("changed", _link, True),
    "ask-hand-over": ("changed", _ask_hand_over, True),
    "handed": ("changed", _said_yes_to_team, True),
    "allow": ("changed", _allow, True),
    "propose": ("referral", _propose, True),
    "protect": ("referral", _protect, True),
    "step": ("referral", _step, True),
}
# what follows in the same transaction, outside of the case file
AFTERWARDS: dict[str, Callable[[Any, int, ActForm], None]] = {
    "link": _link_back,
    "handed": _hand_over,
    "step": _flag_who_refused,
}
