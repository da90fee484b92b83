"""Told by voice: a case worker writes down what somebody tells her by telephone or at the door.

The same questions, the permissions read aloud, a receipt for her. What is typed travels in one sealed field, as on
her own pages, and nothing is kept before it is sent. They speak HTTP and nothing else.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from referrals import directory
from reporting import casebook, casework, her_case, questionnaire, receipts, sessions, teamlog
from reporting.casebook import Report
from reporting.frontdoor import (
    House,
    StaffForm,
    error_page,
    house,
    refresh_keys,
    render_template,
    signed_in,
    ticket_field,
    ticket_in,
)
from reporting.incidents import MINOR_AGES, N_, Incident, tally_block
from reporting.keyring import Keys
from reporting.questionnaire import PAGES
from reporting.receipts import Receipt
from reporting.sessions import SENT, Ticket
from reporting.teamlog import CASE_WORKER, STATISTICS, CannotOpen, Team

pages = Blueprint("voice", __name__)

CHECK = "voice-check"
OVER = N_("That page is no longer valid. What was typed on it is gone; begin again.")


@pages.get("/<lang>/equipo/voz")
@signed_in(CASE_WORKER)
def begin() -> ResponseReturnValue:
    """What to say before the first question, and the first page."""
    return _ask(0, sessions.new_trip(), {})


@pages.post("/<lang>/equipo/voz")
@signed_in(CASE_WORKER)
def told() -> ResponseReturnValue:
    """Every further step: one sealed field in, the next page out."""
    StaffForm().is_ours()
    ticket = _ticket()
    if ticket is None:
        return error_page(410, OVER)
    answers, go = dict(ticket.state["a"]), request.form.get("go", "next")
    if ticket.step == CHECK:
        back = {"send": None, "back": len(PAGES) - 1}.get(go, int(go[3:]) if go[3:] in _NUMBERS else len(PAGES) - 1)
        return _send(ticket, answers) if back is None else _ask(back, ticket.trip, answers)
    number = int(ticket.step)
    form = questionnaire.form_of(number, answers, _choices(answers), request.form)
    right = form.validate()
    answers = questionnaire.merged(number, answers, _right_answers(form))
    if go == "back":
        return _ask(max(0, number - 1), ticket.trip, answers)
    if not right:
        return _ask(number, ticket.trip, answers, form, 422)
    if go == "check" or number == len(PAGES) - 1:
        return _check(ticket.trip, answers)
    return _ask(number + 1, ticket.trip, answers)


_NUMBERS = frozenset(str(number) for number in range(len(PAGES)))


def _right_answers(form: Any) -> dict[str, Any]:
    return {name: value for name, value in questionnaire.answers_in(form).items() if name not in form.errors}


def _ticket() -> Ticket | None:
    ticket = ticket_in(request.form.get("t", ""), "draft")
    return ticket if ticket and ticket.state.get("voice") == g.keys.member else None


def _field(trip: str, step: str, answers: dict[str, Any]) -> str:
    return ticket_field("draft", trip, step, {"a": answers, "voice": g.keys.member})


def _choices(answers: dict[str, Any]) -> questionnaire.Elsewhere:
    return her_case.directory_choices(questionnaire.incident_of(answers).department)


def _ask(number: int, trip: str, answers: dict[str, Any], form: Any = None, code: int = 200) -> ResponseReturnValue:
    incident = questionnaire.incident_of(answers)
    urgent = directory.urgent_needs(incident)
    shelf = her_case.held()
    page = render_template(
        "casework/voice.html",
        number=number,
        of=len(PAGES),
        page=PAGES[number],
        questions=questionnaire.questions_of(number, answers),
        form=form or questionnaire.form_of(number, answers, _choices(answers)),
        help=_help(shelf, incident, g.lang, only=urgent) if urgent else None,
        child=directory.child_policy(g.lang) if incident.age in MINOR_AGES else None,
        ticket=_field(trip, str(number), answers),
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


def _check(trip: str, answers: dict[str, Any]) -> ResponseReturnValue:
    answers = questionnaire.that_matter(answers)
    with house().reading() as db:
        team = _hers(house(), db, refresh_keys())
    return render_template(
        "casework/voice_check.html",
        pages=questionnaire.told(answers, _choices(answers)),
        reader=team.name,
        other=answers.get("about") == "OTHER",
        ticket=_field(trip, CHECK, answers),
        out=StaffForm(formdata=None),
    )


def _hers(made: House, db: Any, keys: Keys) -> Team:
    """The casework team she reads with; the case goes there."""
    for team in teamlog.trusted(made.teams(db)):
        if team.newest.number in keys.epochs.get(team.id, {}):
            return team
    raise CannotOpen


def _send(ticket: Ticket, answers: dict[str, Any]) -> ResponseReturnValue:
    """File it once; she is its owner. The receipt is read aloud, and shown only now."""
    made, keys, moment = house(), refresh_keys(), house().clock()
    try:
        with made.reading() as db:
            readers, counters = _hers(made, db, keys), teamlog.team_of_kind(made.teams(db), STATISTICS)
    except CannotOpen:
        return error_page(403, N_("Your team has not let you in yet."))
    contact = questionnaire.contact_of(answers)
    consents = frozenset(answers.get("consents", ())) | ({"C_CONTACT"} if contact else frozenset())
    incident = questionnaire.incident_of(answers)
    report = Report(incident, answers.get("narrative", ""), contact, consents, answers.get("lang") or g.lang,
                    ticket.trip, int(moment) // casebook.HOUR, voice=keys.member)  # fmt: skip
    receipt = receipts.draw(secrets.randbelow)
    found = _help(her_case.held(), incident, report.language)
    gap = next(iter(found.gaps), "NONE")
    tally = tally_block(incident, report.hour, counted="C_STATS" in consents, gap=gap)
    sealed = casebook.seal_report(report, receipt, readers, counters, tally, made.settings.pepper, moment)
    with made.writing() as db:
        if not sessions.end_trip(db, made.settings.server_secret, ticket.trip, SENT, moment):
            return redirect(url_for("casework.queue", lang=g.lang, owner="mine", sort="newest"), 303)
        casebook.file_report(db, sealed)
        with casebook.at_desk(db, keys, sealed.case["id"], moment, "voice") as folder:
            folder.card |= {"u": False, "s": casebook.OPEN}
            folder.desk |= {"read": int(moment) // casebook.HOUR}
            casework.assign(folder, keys.member, keys.member, moment)
    return _sent(sealed.case["id"], report, receipt)


def _help(shelf: directory.Shelf, incident: Incident, language: str, only: list[str] | None = None) -> directory.Help:
    return directory.help_for(shelf, incident, house().clock(), languages=(language,), only=only)


def _sent(case: int, report: Report, receipt: Receipt) -> ResponseReturnValue:
    shelf = her_case.held()
    return render_template(
        "casework/voice_sent.html",
        case=case,
        alias=casebook.alias(case),
        words=receipt.words(report.language),
        digits=receipt.digits(),
        help=_help(shelf, report.incident, report.language),
        out=StaffForm(formdata=None),
    )
