"""Her pages: telling what happened, coming back, finding help without telling.

They speak HTTP and nothing else. Everything she typed travels in one sealed field and appears only in answers to
POST; no cookie, no redirect, no secret in an address. A repeated request is always safe.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from referrals import directory
from reporting import casebook, keyring, questionnaire, receipts, sessions
from reporting.casebook import Case, Report, Visit
from reporting.frontdoor import OpenForm, hidden, house, say, speak
from reporting.incidents import N_, VOCABULARY, Incident, tally_block
from reporting.keyring import CASEWORK, STATISTICS, CannotOpen, Team
from reporting.questionnaire import PAGES
from reporting.receipts import Receipt, Unreadable
from reporting.sessions import DRAFT_SHOWN, LEFT, SENT, Ticket

pages = Blueprint("reporter", __name__)

CHECK, LAST = "check", len(PAGES) - 1


# ── the start and the way out ───────────────────────────────────────────────────────────────────────────────


@pages.get("/")
@pages.get("/<lang>/")
def start() -> ResponseReturnValue:
    """Three doors, the box for a code, the lines that answer now."""
    return _start_page()


def _start_page(sentence: str = "", code: int = 200) -> ResponseReturnValue:
    page = render_template("reporter/start.html", form=CodeForm(formdata=None), sentence=sentence, is_open=_is_open())
    return make_response(page, code)


def _is_open() -> bool:
    with house().reading() as db:
        try:
            return bool(house().teams(db))
        except (keyring.NotYet, keyring.BrokenChain):
            return False


@pages.route("/salir", methods=["GET", "POST"])
def leave() -> ResponseReturnValue:
    """One touch and gone. On pages that answered a POST the trip is noted as over, so that it cannot be repeated."""
    trip = request.form.get("trip", "")[:64]
    if trip:
        with house().writing() as db:
            sessions.end_trip(db, trip, LEFT, house().clock())
    answer = make_response(render_template("reporter/leave.html"))
    answer.headers["Refresh"] = f"0;url={url_for('reporter.away')}"
    return answer


@pages.get("/fuera")
def away() -> ResponseReturnValue:
    """The second hop: empty the cache, then on to a page that anybody might look at."""
    answer = redirect(house().settings.exit_url, 303)
    answer.headers["Clear-Site-Data"] = '"cache"'
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@pages.get("/<lang>/ahora")
def now() -> ResponseReturnValue:
    """I need help now: the lines that answer, and two ways on."""
    return render_template("reporter/now.html", offers=directory.national_lines(_shelf()))


# ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/<lang>/contar")
def tell() -> ResponseReturnValue:
    """The first page of a new trip."""
    with house().reading() as db:
        house().teams(db)  # closed doors say so before she writes a word
    return _ask(0, sessions.new_trip(), {"a": {}, "r": None, "n": []})


@pages.post("/<lang>/contar")
def told() -> ResponseReturnValue:
    """Every further step: one sealed field in, the next page out."""
    ticket = _ticket("draft")
    if ticket is None:
        return _start_page(say(N_("That page is no longer valid. You can start again.")), 410)
    g.trip = ticket.trip
    go = request.form.get("go", "next")
    if go.startswith("lang-"):
        return _turn(ticket, go)
    if go in {"send", "noted"} and ticket.step == CHECK:
        return _send(ticket) if go == "send" else _noted(ticket)
    if house().clock() > ticket.issued + DRAFT_SHOWN:
        return _stale(ticket)
    return _turn(ticket, go)


def _ticket(purpose: str) -> Ticket | None:
    """The ticket of this request; None when it is forged, foreign, expired or its trip was left."""
    made = house()
    with made.reading() as db:
        try:
            ticket = sessions.read_ticket(
                db, made.settings.server_secret, purpose, request.form.get("t", ""), made.clock()
            )
        except CannotOpen:
            return None
        return None if sessions.how_ended(db, ticket.trip) == LEFT else ticket


def _turn(ticket: Ticket, go: str) -> ResponseReturnValue:
    """From one page of questions to another. Answers are kept even where they are not right yet."""
    state = dict(ticket.state)
    if go.startswith("lang-"):
        speak(go[5:])
    if ticket.step.isdigit():
        number = int(ticket.step)
        form = _form(number, state["a"], request.form)
        right = form.validate()
        state["a"] = questionnaire.merged(number, state["a"], _right_answers(form))
        if go in {"next", "check"} and not right:
            return _ask(number, ticket.trip, state, form=form, code=422)
    return _go_to(_target(ticket.step, go), ticket.trip, state)


def _right_answers(form: OpenForm) -> dict[str, Any]:
    return {name: value for name, value in questionnaire.answers_in(form).items() if name not in form.errors}


def _target(step: str, go: str) -> str:
    here = int(step) if step.isdigit() else LAST
    if go.startswith("lang-"):
        return step
    if go.startswith("to-") and go[3:].isdigit() and int(go[3:]) <= LAST:
        return go[3:]
    if go == "back":
        return str(max(0, here - (step != CHECK)))
    return CHECK if go == "check" or here == LAST else str(here + 1)


def _go_to(step: str, trip: str, state: dict[str, Any]) -> ResponseReturnValue:
    urgent = directory.urgent_needs(questionnaire.incident_of(state["a"]))
    fresh = [need for need in urgent if need not in state["n"]]
    if fresh and step.isdigit():
        state["n"] = [*state["n"], *fresh]
        return _ask(int(step), trip, state, urgent=fresh)
    return _check(trip, state) if step == CHECK else _ask(int(step), trip, state)


def _ask(
    number: int,
    trip: str,
    state: dict[str, Any],
    *,
    form: OpenForm | None = None,
    urgent: list[str] | None = None,
    code: int = 200,
) -> ResponseReturnValue:
    """A page of questions, led by help where the answers so far call for it."""
    answers = state["a"]
    g.trip = trip if request.method == "POST" else None
    g.may_shrink = number < LAST  # the last page holds what she typed
    incident = questionnaire.incident_of(answers)
    page = render_template(
        "reporter/questions.html",
        number=number,
        of=len(PAGES),
        page=PAGES[number],
        questions=questionnaire.questions_of(number, answers),
        form=form or _form(number, answers),
        ticket=_field("draft", trip, str(number), state),
        from_check=state["r"] is not None,
        help=_help(incident, only=urgent) if urgent else None,
        child=directory.child_policy(g.lang) if urgent and "N_CHILD_PROT" in urgent else None,
    )
    return make_response(page, code)


def _form(number: int, answers: Mapping[str, Any], typed: Any = None) -> OpenForm:
    return questionnaire.form_of(number, answers, _elsewhere(answers), say, typed)


def _elsewhere(answers: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Choices that only the directory knows: her provinces, the other departments, places that may have refused her."""
    incident = questionnaire.incident_of(answers)
    shelf = _shelf()
    return {
        "department": directory.other_departments(shelf),
        "province": directory.provinces(shelf, incident.department or ""),
        "refused": directory.could_have_refused(shelf, incident.department or ""),
    }


def _field(purpose: str, trip: str, step: str, state: Mapping[str, Any], expires: int | None = None) -> str:
    made = house()
    with made.reading() as db:
        sealed = sessions.write_ticket(
            db, made.settings.server_secret, purpose, trip, step, state, made.clock(), expires
        )
    return hidden("t", sealed)


# ── checking and sending ────────────────────────────────────────────────────────────────────────────────────


def _check(trip: str, state: dict[str, Any], code: int = 200) -> ResponseReturnValue:
    """Everything she said, who will read it, and the button. The receipt is drawn here and travels in the ticket."""
    state["a"] = questionnaire.that_matter(state["a"])
    state["r"] = state["r"] or list(receipts.draw(secrets.randbelow).numbers)
    readers, _ = _teams()
    page = render_template(
        "reporter/check.html",
        told=list(questionnaire.told(state["a"], _elsewhere(state["a"]), say)),
        reader=readers.name,
        ticket=_field("draft", trip, CHECK, state),
    )
    g.trip = trip
    return make_response(page, code)


def _teams() -> tuple[Team, Team]:
    with house().reading() as db:
        found = house().teams(db)
    return keyring.team_of_kind(found, CASEWORK), keyring.team_of_kind(found, STATISTICS)


def _send(ticket: Ticket) -> ResponseReturnValue:
    """File the report once, however often the request comes; the receipt is shown only after it is durable."""
    made, moment = house(), house().clock()
    readers, counters = _teams()
    report = _report(ticket, moment)
    receipt = Receipt(tuple(ticket.state["r"]))
    tally = tally_block(report.incident, report.hour, counted="C_STATS" in report.consents)
    sealed = casebook.seal_report(report, receipt, readers, counters, tally, made.settings.pepper, moment)
    with made.writing() as db:
        ended = sessions.how_ended(db, ticket.trip)
        show_again = casebook.find_sent(db, sealed, moment) if ended is None else False
        if show_again is None:
            casebook.file_report(db, sealed)
    if ended == LEFT:
        return _start_page()
    if show_again is False:
        return _start_page(say(N_("It was sent already. You can come back with your code.")))
    return _sent(ticket, receipt, report)


def _report(ticket: Ticket, moment: float) -> Report:
    answers = ticket.state["a"]
    contact = questionnaire.contact_of(answers)
    consents = frozenset(answers.get("consents", ())) | ({"C_CONTACT"} if contact else frozenset())
    return Report(
        incident=questionnaire.incident_of(answers),
        narrative=answers.get("narrative", ""),
        contact=contact,
        consents=consents,
        language=g.lang,
        trip=ticket.trip,
        hour=int(moment) // casebook.HOUR,
    )


def _sent(ticket: Ticket, receipt: Receipt, report: Report) -> ResponseReturnValue:
    page = render_template(
        "reporter/sent.html",
        words=receipt.words(g.lang),
        digits=receipt.digits(),
        may_write="C_LETTERS" in report.consents,
        help=_help(report.incident),
        ticket=hidden("t", request.form.get("t", "")),
    )
    g.trip = ticket.trip
    return make_response(page)


def _noted(ticket: Ticket) -> ResponseReturnValue:
    """'I have written it down': from now on a repeated request says only that it was sent."""
    with house().writing() as db:
        sessions.end_trip(db, ticket.trip, SENT, house().clock())
    return _start_page(say(N_("Good. Your code is the only way back. Keep it where nobody looks.")))


def _stale(ticket: Ticket) -> ResponseReturnValue:
    """After two hours a draft is not shown any more, because the phone may be in other hands; it can still be sent."""
    state = dict(ticket.state)
    state["r"] = state["r"] or list(receipts.draw(secrets.randbelow).numbers)
    page = render_template("reporter/stale.html", ticket=_field("draft", ticket.trip, CHECK, state, ticket.expires))
    return make_response(page)


# ── help ────────────────────────────────────────────────────────────────────────────────────────────────────


def _shelf() -> directory.Shelf:
    return directory.shelf(house().reading)


def _help(incident: Incident, only: list[str] | None = None, *, police_shown: bool = False) -> directory.Help:
    """Needs and offers for an incident as of now; `only` some of the needs while she is still telling."""
    return directory.help_for(_shelf(), incident, languages=(g.lang,), only=only, police_shown=police_shown)


class HelpForm(OpenForm):
    """Where, and what for. Nothing of it is stored."""

    region = RadioField(validators=[Optional()])
    needs = SelectMultipleField()
    police_shown = BooleanField()


@pages.route("/<lang>/ayuda", methods=["GET", "POST"])
def find_help() -> ResponseReturnValue:
    """Help without a report: the same matching, nothing stored."""
    form = HelpForm()
    form.region.choices = [SelectChoice(code, say(label)) for code, label in VOCABULARY["region"].items()]
    form.needs.choices = [SelectChoice(code, say(label)) for code, label in directory.needs_to_ask().items()]
    g.may_shrink = True
    if request.method == "GET":
        return render_template("reporter/find_help.html", form=form, found=None)
    if not form.validate() or not form.needs.data:
        page = render_template("reporter/find_help.html", form=form, found=None, nothing=True)
        return make_response(page, 422)
    department = questionnaire.HOME_DEPARTMENTS.get(form.region.data or "")
    found = directory.help_with(
        _shelf(), form.needs.data, department, languages=(g.lang,), police_shown=form.police_shown.data
    )
    return render_template("reporter/find_help.html", form=form, found=found)


# ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────


class CodeForm(OpenForm):
    """The receipt box."""

    code = StringField(validators=[InputRequired(), Length(max=400)])


class LetterForm(OpenForm):
    """A letter to the team."""

    text = TextAreaField(validators=[InputRequired(), Length(max=questionnaire.LONGEST_TEXT)])


@pages.get("/<lang>/volver")
def back() -> ResponseReturnValue:
    """The box for a code on a page of its own."""
    return render_template("reporter/code.html", form=CodeForm(formdata=None))


@pages.post("/<lang>/volver")
def come_back() -> ResponseReturnValue:
    """With a code: open her case. With a ticket: what she does there."""
    if "t" in request.form:
        return _visit()
    typed = request.form.get("code", "")[:400]
    reading = receipts.read(typed, g.lang)
    if isinstance(reading, Unreadable) and reading.nearest:
        sentence = say(N_("We do not know the word «%(wrong)s». Did you mean «%(nearest)s»?"),
                       wrong=reading.wrong[:20], nearest=reading.nearest)  # fmt: skip
        return _code_page(sentence)
    stretched = casebook.stretch(() if isinstance(reading, Unreadable) else reading, house().settings.pepper)
    try:
        visit, trip = _begin_visit(stretched)
    except CannotOpen:
        return _code_page(
            say(N_("Nothing opens with that code. Look at it once more: seven words or seven groups of numbers."))
        )
    return _show_case(visit, trip, None)


def _code_page(sentence: str) -> ResponseReturnValue:
    page = render_template("reporter/code.html", form=CodeForm(), sentence=sentence)
    return make_response(page, 422)


def _begin_visit(stretched: tuple[tuple[bytes, bytes], ...]) -> tuple[Visit, str]:
    """Open with a receipt. From now on the trip that sent it never shows the receipt again."""
    made = house()
    with made.writing() as db:
        visit, sent_by = casebook.come_back(db, stretched)
        sessions.end_trip(db, sent_by, SENT, made.clock())
    return visit, sessions.new_trip()


def _visit() -> ResponseReturnValue:
    ticket = _ticket("visit")
    if ticket is None:
        return _start_page(say(N_("That page is no longer valid. Come back with your code.")), 410)
    visit = Visit(ticket.state["case"], bytes.fromhex(ticket.state["key"]))
    g.trip = ticket.trip
    go = request.form.get("go", "show")
    if go.startswith("lang-"):
        speak(go[5:])
    try:
        return VISIT_ACTS.get(go, _look)(visit, ticket)
    except CannotOpen:
        return _code_page(
            say(N_("Nothing opens with that code. Look at it once more: seven words or seven groups of numbers."))
        )


def _look(visit: Visit, ticket: Ticket) -> ResponseReturnValue:
    return _show_case(visit, ticket.trip, ticket.expires)


def _write(visit: Visit, ticket: Ticket) -> ResponseReturnValue:
    """A letter. The same letter sent twice by a bad connection is kept once."""
    form = LetterForm()
    if not form.validate():
        return _show_case(visit, ticket.trip, ticket.expires, form=form, code=422)
    made, text = house(), form.text.data.strip()
    with made.writing() as db:
        letters = casebook.open_visit(db, visit).letters
        if not letters or (letters[-1].sender, letters[-1].text) != (casebook.FROM_HER, text):
            casebook.write_as_reporter(db, visit, text, made.clock())
    return _show_case(visit, ticket.trip, ticket.expires, sentence=say(N_("Your letter is with the team.")))


def _ask_erase(visit: Visit, ticket: Ticket) -> ResponseReturnValue:
    return render_template("reporter/erase.html", ticket=_visit_field(visit, ticket.trip, ticket.expires))


def _erase(visit: Visit, ticket: Ticket) -> ResponseReturnValue:
    made = house()
    with made.writing() as db:
        casebook.erase(db, visit)
        sessions.end_trip(db, ticket.trip, LEFT, made.clock())
    made.emptied()
    g.trip = None
    return _start_page(say(N_("It is erased here now, and from every copy in at most 60 days.")))


VISIT_ACTS = {"show": _look, "write": _write, "ask-erase": _ask_erase, "erase": _erase}


def _visit_field(visit: Visit, trip: str, expires: int | None) -> str:
    return _field("visit", trip, "case", {"case": visit.case, "key": visit.key.hex()}, expires)


def _show_case(visit: Visit, trip: str, expires: int | None, *, form: LetterForm | None = None, sentence: str = "",
               code: int = 200) -> ResponseReturnValue:  # fmt: skip
    """Her case as it stands: letters first, then help as of now, then what she said."""
    made = house()
    with made.reading() as db:
        case: Case = casebook.open_visit(db, visit)
    g.trip = trip
    page = render_template(
        "reporter/case.html",
        case=case,
        facts=questionnaire.facts_of(case.incident, directory.names(_shelf()), say),
        help=_help(case.incident_at(made.clock())),
        form=form or LetterForm(formdata=None),
        sentence=sentence,
        ticket=_visit_field(visit, trip, expires),
    )
    return make_response(page, code)
