"""An assisted report: a case worker writes down what somebody tells by telephone or in person.

The questions in the order in which they are read aloud (`intake`), the permissions first, a receipt for her. What is
typed travels in one sealed field, as on her own pages, and nothing is kept before it is sent. Speaks HTTP and nothing
else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict

from referrals.casework.follow_up.spelling import spelt
from referrals.directory import snapshot
from referrals.help.answers import Help, help_for, urgent_needs
from referrals.help.texts import child_policy
from referrals.pages.follow_up import spoken_forms
from reporting import clock
from reporting.cases import actions, desk, records, submission, summary
from reporting.cases.submission import Outcome
from reporting.crypto import receipts
from reporting.i18n import N_
from reporting.pages import directory_lookups
from reporting.sessions import replays, tickets
from reporting.sessions.page_rows import CannotKeep
from reporting.sessions.tickets import Ticket
from reporting.teams import team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER, STATISTICS, CannotOpen, Team
from reporting.vocabulary import intake as aloud
from reporting.vocabulary import questions
from reporting.vocabulary.answers import answers_of, incident_of
from reporting.vocabulary.codes import MINOR_AGES
from reporting.vocabulary.incident import Incident
from reporting.web import desk_pages, question_forms
from reporting.web.access.audience import DESK, Pages
from reporting.web.access.auth import refresh_keys, signed_in
from reporting.web.access.tickets import seeds, ticket_field, ticket_in, typed_ticket
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.context import Installation, installation, render_template
from reporting.web.desk_pages import SECRET_SHOWN, SHOWN
from reporting.web.errors import error_page
from reporting.web.forms import OpenForm, StaffForm, button, parts_of, typed_answers, typed_here
from reporting.web.limits import TURNING

blueprint = Pages("assisted_report", __name__, DESK, limit=TURNING)
CHECK, DONE = "check", "sent"
CHECKS = {CHECK, "voice-check"}  # and as a page spelt it that was made before steps had addresses
NOT_IN = N_("Your team has not let you in yet.")
OVER = N_("That page is no longer valid. What was typed on it is gone; begin again.")


@dataclass(slots=True)
class Intake:
    """What was told so far, under the name of its pages. A name typed into no address and kept nowhere."""

    trip: str
    answers: dict[str, Any]
    count: int = 0  # steps by POST; of a row and a ticket the higher one holds what was said last
    wrong: dict[str, Any] = field(default_factory=dict)  # the step that has to be set right, and what was typed there
    sent: dict[str, Any] = field(default_factory=dict)  # what is shown once it was filed
    helped: list[str] = field(default_factory=list)  # the needs for which help stood above the page before this one
    name: str = ""

    def to_row(self) -> dict[str, Any]:
        """All but its name."""
        return {part: getattr(self, part) for part in self.__slots__ if part != "name"}


@blueprint.get("/<lang>/equipo/voz")
@signed_in(CASE_WORKER)
def begin() -> ResponseReturnValue:
    """Off to what to say before the first question, and the first page."""
    if not installation().lines():
        return error_page(503)
    return _lead(Intake(tickets.new_trip(), {}), "0")


@blueprint.get("/<lang>/equipo/voz/<name>/<step>")
@signed_in(CASE_WORKER)
def page(name: str, step: str) -> ResponseReturnValue:
    """A step, as what was told stands now. After sending there is only the receipt, for some minutes."""
    row = desk_pages.taken(name)
    if row is None or not (step in STEPS or step == DONE):
        return _over()
    intake = Intake(**{part: row[part] for part in row.keys() & set(Intake.__slots__)}, name=name)
    if step == DONE and intake.sent:
        return _sent(intake)
    return _to_own_cases() if _is_over(intake.trip) else _shown(intake, step)


@blueprint.post("/<lang>/equipo/voz")
@takes(StaffForm, OpenForm)
@may_be_sent_again
@signed_in(CASE_WORKER)
def take_step() -> ResponseReturnValue:
    """Every further step: one sealed field in, off to the next page."""
    is_sent = StaffForm().is_ours()
    ticket = _ticket()
    if ticket is None:
        return _over()
    if _is_over(ticket.trip):
        return _to_own_cases()
    intake = _intake(ticket)
    go = button("next") if is_sent else ""  # the session had ended: the same page with what was written there
    if ticket.step in CHECKS:
        return _send(intake) if go == "send" else _lead(intake, _from_check(go))
    return _told(intake, ticket.step, go)


def _told(intake: Intake, step: str, go: str) -> ResponseReturnValue:
    """A page of questions came: what is right is taken over, and the button leads on."""
    if step not in _NUMBERS:  # of before the questions stood in this order: they begin anew, with all that was told
        return _lead(intake, "0")
    number = int(step)
    intake.helped = urgent_needs(aloud.so_far(intake.answers, number))
    form = spoken_forms.form_of(number, intake.answers, _choices(intake.answers), typed_answers())
    right = form.validate()
    intake.answers = aloud.merged(number, intake.answers, _right_answers(form))
    if go == "back":
        return _lead(intake, str(aloud.page_before(number, intake.answers)))
    if not right:
        intake.wrong = {"step": step, "typed": typed_here()}
        return _lead(intake, step)
    return _lead(intake, _from_page(go, number, intake.answers))


def _from_page(go: str, number: int, answers: dict[str, Any]) -> str:
    """Where a button of a page of questions leads, forwards; an unknown one shows it again."""
    verb, named = parts_of(go)
    if verb == "to" and named in _NUMBERS:
        return named
    if go not in {"next", "check"}:
        return str(number)
    after = None if go == "check" else aloud.page_after(number, answers)
    return CHECK if after is None else str(after)


def _from_check(go: str) -> str:
    """Where a button of the last page leads, but for the one that sends; an unknown one shows it again."""
    if go == "back":
        return str(aloud.LAST)
    verb, named = parts_of(go)
    return named if verb == "to" and named in _NUMBERS else CHECK


_NUMBERS = frozenset(str(number) for number in range(len(aloud.SPOKEN)))
STEPS = _NUMBERS | {CHECK}


def _lead(intake: Intake, step: str) -> ResponseReturnValue:
    """Off to a step; where nothing can be put down, its page at once."""
    intake.count += 1
    try:
        intake.name = desk_pages.keep(intake.to_row(), intake.name, SECRET_SHOWN if step == DONE else SHOWN)
    except CannotKeep:
        return _sent(intake) if step == DONE else _shown(intake, step)
    return redirect(url_for("assisted_report.page", lang=g.lang, name=intake.name, step=step), 303)


def _intake(ticket: Ticket) -> Intake:
    """Of what the page carries and what was put down, the later one whole."""
    state, name = ticket.state, str(ticket.state.get("w", ""))
    known, row = Intake(ticket.trip, dict(state["a"]), state.get("c", 0)), desk_pages.taken(name) if name else None
    if row is not None and row["trip"] == ticket.trip:
        known.name = name
        if row["count"] > known.count:
            known.count, known.answers = row["count"], row["answers"]
    return known


def _is_over(trip: str) -> bool:
    site = installation()
    with site.reading() as db:
        return replays.how_ended(db, site.settings.server_secret, trip, seeds(db)) is not None


def _over() -> ResponseReturnValue:
    """What was told is gone, and the way to begin anew with whoever is still there."""
    return error_page(410, OVER, anew=url_for("assisted_report.begin", lang=g.lang))


def _to_own_cases() -> ResponseReturnValue:
    return redirect(url_for("casework.queue", lang=g.lang, owner="mine", sort="newest"), 303)


def _right_answers(form: Any) -> dict[str, Any]:
    return {name: value for name, value in question_forms.answers_in(form).items() if name not in form.errors}


def _ticket() -> Ticket | None:
    ticket = ticket_in(typed_ticket(), "draft")
    return ticket if ticket and ticket.state.get("voice") == g.keys.member else None


def _field(intake: Intake, step: str) -> str:
    state = {"a": intake.answers, "voice": g.keys.member, "w": intake.name, "c": intake.count}
    return ticket_field("draft", intake.trip, step, state)


def _choices(answers: dict[str, Any]) -> questions.Elsewhere:
    return directory_lookups.directory_choices(incident_of(aloud.plain(answers)))


def _shown(intake: Intake, step: str) -> ResponseReturnValue:
    return _check(intake) if step == CHECK else _ask(intake, int(step))


def _ask(intake: Intake, number: int) -> ResponseReturnValue:
    answers = intake.answers
    incident, is_wrong = aloud.so_far(answers, number), intake.wrong.get("step") == str(number)
    urgent = urgent_needs(incident)
    directory = directory_lookups.snapshot()
    form = _form(intake, number, is_wrong=is_wrong)
    page = render_template(
        "casework/voice.html",
        number=number,
        step=aloud.step_of(number, answers),
        title=spoken_forms.title_of(number, answers),
        spoken=spoken_forms.spoken_in(number, answers),
        in_danger=aloud.IN_DANGER,
        form=form,
        help=_help(directory, incident, g.lang, only=urgent) if urgent else None,
        new_help=not set(urgent) <= set(intake.helped),
        child=child_policy(g.lang, installation().settings.country) if incident.age in MINOR_AGES else None,
        ticket=_field(intake, str(number)),
        out=StaffForm(formdata=None),
    )
    return make_response(page, 422 if is_wrong else 200)


def _form(intake: Intake, number: int, *, is_wrong: bool) -> Any:
    """The questions with what was said; or as typed, with what has to be set right."""
    typed = ImmutableMultiDict(intake.wrong["typed"]) if is_wrong else None
    form = spoken_forms.form_of(number, intake.answers, _choices(intake.answers), typed)
    if is_wrong:
        form.validate()
    return form


def _check(intake: Intake) -> ResponseReturnValue:
    intake.answers = answers = aloud.that_matter(intake.answers)
    try:
        with installation().reading() as db:
            team = _own_team(installation(), db, refresh_keys())
    except CannotOpen:
        return error_page(403, NOT_IN)
    return render_template(
        "casework/voice_check.html",
        pages=spoken_forms.answers_in_words(answers, _choices(answers)),
        unclear=spoken_forms.unclear(answers),
        reader=team.name,
        other=answers.get("about") == "OTHER",
        ticket=_field(intake, CHECK),
        out=StaffForm(formdata=None),
    )


def _own_team(site: Installation, db: Any, keys: Keys) -> Team:
    """The casework team that the case worker reads with; the case goes there."""
    for team in team_log.trusted(site.teams(db)):
        if team.newest.number in keys.epochs.get(team.id, {}):
            return team
    raise CannotOpen


def _send(intake: Intake) -> ResponseReturnValue:
    """File it once; the case worker is its owner. The receipt is read aloud, and shown only now."""
    site, keys, moment = installation(), refresh_keys(), installation().clock()
    answers = aloud.plain(aloud.that_matter(intake.answers))
    try:
        with site.reading() as db:
            readers, statistics_team = _own_team(site, db, keys), team_log.team_of_kind(site.teams(db), STATISTICS)
    except CannotOpen:
        return error_page(403, NOT_IN)
    language = answers.get("lang") or g.lang
    report = submission.from_answers(answers, language=language, trip=intake.trip, now=moment, voice=keys.member)
    receipt, settings = receipts.draw(secrets.randbelow), site.settings
    gaps = _help(directory_lookups.snapshot(), report.incident, language).gaps
    sealed = submission.prepare(report, receipt, readers, statistics_team, settings.pepper, moment, gaps=gaps)
    with site.writing() as db:
        if submission.file(db, sealed, settings.server_secret, moment) is not Outcome.FILED:
            return _to_own_cases()
        with desk.at_desk(db, keys, sealed.case["id"], moment, "voice") as case_file:
            case_file.summary = replace(case_file.summary, unread=False, state=summary.OPEN)
            case_file.work_record |= {"read": int(moment) // clock.HOUR}
            actions.assign(case_file, keys.member, keys.member, moment)
    intake.answers, intake.wrong = answers_of(report.incident), {}
    intake.sent = {
        "case": sealed.case["id"],
        "language": report.language,
        "digits": receipt.digits(),
        "words": receipt.words(report.language),
    }
    return _lead(intake, DONE)


def _help(
    directory: snapshot.DirectorySnapshot, incident: Incident, language: str, only: list[str] | None = None
) -> Help:
    return help_for(directory, incident, installation().clock(), languages=(language,), only=only)


def _sent(intake: Intake) -> ResponseReturnValue:
    case, language = intake.sent["case"], intake.sent["language"]
    return render_template(
        "casework/voice_sent.html",
        case=case,
        alias=records.alias(case),
        words=[(word, spelt(word, language)) for word in intake.sent["words"]],
        digits=intake.sent["digits"],
        help=_help(directory_lookups.snapshot(), incident_of(intake.answers), language),
        out=StaffForm(formdata=None),
    )
