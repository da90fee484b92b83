"""Told by voice: a case worker writes down what somebody tells her by telephone or at the door.

The same questions, the permissions read aloud, a receipt for her. What is typed travels in one sealed field, and lies
sealed in a row of this session as long as its pages are walked through; nothing else is kept before it is sent. They
speak HTTP and nothing else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict

from referrals import directory
from reporting import casebook, casework, desk_pages, her_case, questionnaire, receipts, sessions, teamlog
from reporting.casebook import Report
from reporting.desk_pages import SECRET_SHOWN, SHOWN
from reporting.frontdoor import (
    House,
    StaffForm,
    error_page,
    house,
    refresh_keys,
    render_template,
    seeds,
    signed_in,
    ticket_field,
    ticket_in,
)
from reporting.incidents import MINOR_AGES, N_, Incident, tally_block
from reporting.keyring import Keys
from reporting.page_rows import CannotKeep
from reporting.questionnaire import LAST, PAGES
from reporting.sessions import SENT, Ticket
from reporting.teamlog import CASE_WORKER, STATISTICS, CannotOpen, Team

pages = Blueprint("voice", __name__)

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
    name: str = ""

    def to_row(self) -> dict[str, Any]:
        """All but its name."""
        return {part: getattr(self, part) for part in self.__slots__ if part != "name"}


@pages.get("/<lang>/equipo/voz")
@signed_in(CASE_WORKER)
def begin() -> ResponseReturnValue:
    """Off to what to say before the first question, and the first page."""
    if not house().lines():
        return error_page(503)
    return _lead(Intake(sessions.new_trip(), {}), "0")


@pages.get("/<lang>/equipo/voz/<name>/<step>")
@signed_in(CASE_WORKER)
def page(name: str, step: str) -> ResponseReturnValue:
    """A step, as what was told stands now. After sending there is only the receipt, for some minutes."""
    row = desk_pages.taken(name)
    if row is None or not (step in STEPS or step == DONE):
        return error_page(410, OVER)
    intake = Intake(**{part: row[part] for part in row.keys() & set(Intake.__slots__)}, name=name)
    if step == DONE and intake.sent:
        return _sent(intake)
    return _to_hers() if _is_over(intake.trip) else _shown(intake, step)


@pages.post("/<lang>/equipo/voz")
@signed_in(CASE_WORKER)
def told() -> ResponseReturnValue:
    """Every further step: one sealed field in, off to the next page."""
    StaffForm().is_ours()
    ticket = _ticket()
    if ticket is None:
        return error_page(410, OVER)
    if _is_over(ticket.trip):
        return _to_hers()
    intake, go = _intake(ticket), request.form.get("go", "next")
    if ticket.step in CHECKS:
        return _send(intake) if go == "send" else _lead(intake, go[3:] if go[3:] in _NUMBERS else str(LAST))
    number = int(ticket.step)
    form = questionnaire.form_of(number, intake.answers, _choices(intake.answers), request.form)
    right = form.validate()
    intake.answers = questionnaire.merged(number, intake.answers, _right_answers(form))
    if go == "back":
        return _lead(intake, str(questionnaire.page_before(number, intake.answers)))
    if not right:
        intake.wrong = {"step": ticket.step, "typed": _typed()}
        return _lead(intake, ticket.step)
    after = None if go == "check" else questionnaire.page_after(number, intake.answers)
    return _lead(intake, CHECK if after is None else str(after))


_NUMBERS = frozenset(str(number) for number in range(len(PAGES)))
STEPS = _NUMBERS | {CHECK}


def _lead(intake: Intake, step: str) -> ResponseReturnValue:
    """Off to a step; where nothing can be put down, its page at once."""
    intake.count += 1
    try:
        intake.name = desk_pages.keep(intake.to_row(), intake.name, SECRET_SHOWN if step == DONE else SHOWN)
    except CannotKeep:
        return _sent(intake) if step == DONE else _shown(intake, step)
    return redirect(url_for("voice.page", lang=g.lang, name=intake.name, step=step), 303)


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
    made = house()
    with made.reading() as db:
        return sessions.how_ended(db, made.settings.server_secret, trip, seeds(db)) is not None


def _to_hers() -> ResponseReturnValue:
    return redirect(url_for("casework.queue", lang=g.lang, owner="mine", sort="newest"), 303)


def _typed() -> dict[str, list[str]]:
    return {name: said for name, said in request.form.to_dict(flat=False).items() if name not in {"f", "t", "go"}}


def _right_answers(form: Any) -> dict[str, Any]:
    return {name: value for name, value in questionnaire.answers_in(form).items() if name not in form.errors}


def _ticket() -> Ticket | None:
    ticket = ticket_in(request.form.get("t", ""), "draft")
    return ticket if ticket and ticket.state.get("voice") == g.keys.member else None


def _field(intake: Intake, step: str) -> str:
    told = {"a": intake.answers, "voice": g.keys.member, "w": intake.name, "c": intake.count}
    return ticket_field("draft", intake.trip, step, told)


def _choices(answers: dict[str, Any]) -> questionnaire.Elsewhere:
    return her_case.directory_choices(questionnaire.incident_of(answers).department)


def _shown(intake: Intake, step: str) -> ResponseReturnValue:
    return _check(intake) if step == CHECK else _ask(intake, int(step))


def _ask(intake: Intake, number: int) -> ResponseReturnValue:
    answers = intake.answers
    incident, is_wrong = questionnaire.so_far(answers, number), intake.wrong.get("step") == str(number)
    urgent = directory.urgent_needs(incident)
    shelf, (step, of) = her_case.held(), questionnaire.step_of(number, answers)
    form = _form(intake, number, is_wrong=is_wrong)
    page = render_template(
        "casework/voice.html",
        number=number,
        step=step,
        of=of,
        page=PAGES[number],
        questions=questionnaire.asked(number, form),
        form=form,
        help=_help(shelf, incident, g.lang, only=urgent) if urgent else None,
        child=directory.child_policy(g.lang, house().settings.country) if incident.age in MINOR_AGES else None,
        ticket=_field(intake, str(number)),
        out=StaffForm(formdata=None),
    )
    return make_response(page, 422 if is_wrong else 200)


def _form(intake: Intake, number: int, *, is_wrong: bool) -> Any:
    """The questions with what was said; or as typed, with what has to be set right."""
    typed = ImmutableMultiDict(intake.wrong["typed"]) if is_wrong else None
    form = questionnaire.form_of(number, intake.answers, _choices(intake.answers), typed)
    if is_wrong:
        form.validate()
    return form


def _check(intake: Intake) -> ResponseReturnValue:
    intake.answers = answers = questionnaire.that_matter(intake.answers)
    try:
        with house().reading() as db:
            team = _hers(house(), db, refresh_keys())
    except CannotOpen:
        return error_page(403, NOT_IN)
    return render_template(
        "casework/voice_check.html",
        pages=questionnaire.told(answers, _choices(answers)),
        unclear=questionnaire.unclear(answers),
        reader=team.name,
        other=answers.get("about") == "OTHER",
        ticket=_field(intake, CHECK),
        out=StaffForm(formdata=None),
    )


def _hers(made: House, db: Any, keys: Keys) -> Team:
    """The casework team she reads with; the case goes there."""
    for team in teamlog.trusted(made.teams(db)):
        if team.newest.number in keys.epochs.get(team.id, {}):
            return team
    raise CannotOpen


def _send(intake: Intake) -> ResponseReturnValue:
    """File it once; she is its owner. The receipt is read aloud, and shown only now."""
    made, keys, moment = house(), refresh_keys(), house().clock()
    answers = intake.answers = questionnaire.that_matter(intake.answers)
    try:
        with made.reading() as db:
            readers, counters = _hers(made, db, keys), teamlog.team_of_kind(made.teams(db), STATISTICS)
    except CannotOpen:
        return error_page(403, NOT_IN)
    contact = questionnaire.contact_of(answers)
    consents = frozenset(answers.get("consents", ())) | ({"C_CONTACT"} if contact else frozenset())
    incident = questionnaire.incident_of(answers)
    report = Report(incident, answers.get("narrative", ""), contact, consents, answers.get("lang") or g.lang,
                    intake.trip, int(moment) // casebook.HOUR, voice=keys.member)  # fmt: skip
    receipt = receipts.draw(secrets.randbelow)
    found = _help(her_case.held(), incident, report.language)
    gap = next(iter(found.gaps), "NONE")
    tally = tally_block(incident, report.hour, counted="C_STATS" in consents, gap=gap)
    sealed = casebook.seal_report(report, receipt, readers, counters, tally, made.settings.pepper, moment)
    with made.writing() as db:
        if not sessions.end_trip(db, made.settings.server_secret, intake.trip, SENT, moment):
            return _to_hers()
        casebook.file_report(db, sealed)
        with casebook.at_desk(db, keys, sealed.case["id"], moment, "voice") as folder:
            folder.card |= {"u": False, "s": casebook.OPEN}
            folder.desk |= {"read": int(moment) // casebook.HOUR}
            casework.assign(folder, keys.member, keys.member, moment)
    intake.answers, intake.wrong = questionnaire.answers_of(incident), {}
    intake.sent = {"case": sealed.case["id"], "language": report.language, "digits": receipt.digits(),
                   "words": receipt.words(report.language)}  # fmt: skip
    return _lead(intake, DONE)


def _help(shelf: directory.Shelf, incident: Incident, language: str, only: list[str] | None = None) -> directory.Help:
    return directory.help_for(shelf, incident, house().clock(), languages=(language,), only=only)


def _sent(intake: Intake) -> ResponseReturnValue:
    case, language = intake.sent["case"], intake.sent["language"]
    return render_template(
        "casework/voice_sent.html",
        case=case,
        alias=casebook.alias(case),
        words=intake.sent["words"],
        digits=intake.sent["digits"],
        help=_help(her_case.held(), questionnaire.incident_of(intake.answers), language),
        out=StaffForm(formdata=None),
    )
