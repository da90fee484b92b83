"""Her pages: telling what happened, coming back, finding help without telling.

They speak HTTP and nothing else. Everything she typed travels in one sealed field and appears only in answers to
POST; no cookie, no redirect, no secret in an address. A repeated request is always safe.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from wtforms import BooleanField, RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from referrals import directory
from reporting import casebook, duty, her_case, misread, questionnaire, receipts, screening, sessions, teamlog
from reporting.casebook import Report
from reporting.frontdoor import (
    OpenForm,
    hidden,
    house,
    note_failure,
    render_template,
    say,
    speak,
    ticket_field,
    today,
    types_a_code,
)
from reporting.incidents import MINOR_AGES, N_, Incident, tally_block
from reporting.questionnaire import LAST, PAGES
from reporting.receipts import Receipt, Unreadable
from reporting.sessions import LEFT, NOTED, SENT, Ticket
from reporting.stays import BOX, CASE, Arrival, Stay, arrive, stay_of
from reporting.teamlog import STATISTICS, CannotOpen, NotYet, Team

pages = Blueprint("reporter", __name__)

CHECK = "check"  # the step of a draft besides the numbers of its pages
DRAFT = {"a", "r", "n"}  # what is in a draft; what is written down by voice, or can be sent again, is sealed alike


# ── the start and the way out ───────────────────────────────────────────────────────────────────────────────

OVER = N_("That page is no longer valid. You can start again.")
SENT_ALREADY = N_("It was sent already. You can come back with your code.")


@pages.get("/")
@pages.get("/<lang>/")
def start() -> ResponseReturnValue:
    """Three doors, the box for a code, the way to the page about this phone."""
    return _start_page()


def _start_page(sentence: str = "", code: int = 200) -> ResponseReturnValue:
    """The page that anybody may look at: it shows nothing of the trip that led here."""
    g.trip = None
    has_keys = _has_keys()
    is_open = has_keys and bool(house().lines())
    with house().reading() as db:
        silent = is_open and duty.read(db).is_silent(today().date())
    box = _box() if has_keys else ""
    page = render_template("reporter/start.html", sentence=sentence, is_open=is_open, silent=silent, box=box)
    return make_response(page, code)


def _has_keys() -> bool:
    with house().reading() as db:
        try:
            return bool(teamlog.teams_or_none(db, house().pin))
        except teamlog.BrokenChain:
            return False


@pages.get("/<lang>/antes")
def before() -> ResponseReturnValue:
    """What to know before the first question: the way out, what stays on the phone, what is kept."""
    return render_template("reporter/before.html")


@pages.get("/<lang>/cuidados")
def safety() -> ResponseReturnValue:
    """What this page can and cannot do for somebody whose phone is looked at."""
    return render_template("reporter/safety.html")


@pages.route("/salir", methods=["GET", "POST"])
def leave() -> ResponseReturnValue:
    """One touch and gone. On pages that answered a POST the trip is noted as over, so that it cannot be repeated."""
    trips = sessions.trips_in(request.form.get("trip", ""))
    if trips:
        _end(trips)
    answer = make_response(render_template("reporter/leave.html"))
    answer.headers["Refresh"] = f"0;url={url_for('reporter.away')}"
    return answer


def _end(trips: tuple[str, ...]) -> None:
    """Note that they are over. Where nothing can be noted she is taken away all the same."""
    try:
        with house().writing(hurry=True) as db:
            for trip in trips:
                sessions.end_trip(db, trip, LEFT, house().clock())
    except SQLAlchemyError as trouble:
        note_failure(trouble)


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
    return render_template("reporter/now.html", offers=directory.national_lines(her_case.held(), house().clock()))


# ── tickets ─────────────────────────────────────────────────────────────────────────────────────────────────


def _box() -> str:
    """The ticket of a receipt box or of a search for help: a repeat of what is asked with it can be refused."""
    return ticket_field("visit", g.trip or sessions.new_trip(), BOX, {})


# ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/<lang>/contar")
def tell() -> ResponseReturnValue:
    """The first page of a new trip."""
    with house().reading() as db:
        house().teams(db)  # closed doors say so before she writes a word
    if not house().lines():
        raise NotYet  # where no line of this country is known, nobody is asked to tell of danger
    return _ask(0, sessions.new_trip(), {"a": {}, "r": None, "n": [], "b": int(house().clock())})


@pages.post("/<lang>/contar")
def told() -> ResponseReturnValue:
    """Every further step: one sealed field in, the next page out. What a repeat may show is decided here."""
    came = arrive("draft")
    if came is None or not came.ticket.state.keys() >= DRAFT:
        return _start_page(say(OVER), 410)
    go, at_check = request.form.get("go", "next"), came.ticket.step == CHECK
    answers: tuple[tuple[bool, Callable[[Ticket], ResponseReturnValue]], ...] = (
        (came.ended == LEFT, _left),
        (at_check and go == "send", _send),
        (at_check and go in AFTER_SENDING and came.ended == SENT and came.shown, AFTER_SENDING.get(go, _turn)),
        (came.ended is not None, _sent_already),
        (not came.shown or "unseen" in came.ticket.state, _stale),
        (types_a_code() and not at_check, _open_on_the_way),
        (True, _turn),
    )
    return next(answer for holds, answer in answers if holds)(came.ticket)


def _left(_ticket: Ticket) -> ResponseReturnValue:
    return _start_page()


def _sent_already(_ticket: Ticket) -> ResponseReturnValue:
    return _start_page(say(SENT_ALREADY))


def _turn(ticket: Ticket) -> ResponseReturnValue:
    """From one page of questions to another. Answers are kept even where they are not right yet."""
    go = request.form.get("go", "next")
    if go.startswith("lang-"):
        speak(go[5:])
    state, form = _with_typed(ticket)
    if go == "police" and ticket.step.isdecimal():
        return _ask(int(ticket.step), ticket.trip, state | {"p": True}, urgent=state["n"])
    if form is not None and form.errors and go in {"next", "check"}:
        return _ask(int(ticket.step), ticket.trip, state, form=form, code=422)
    return _go_to(_target(ticket.step, go, state["a"]), ticket.trip, state)


def _with_typed(ticket: Ticket) -> tuple[dict[str, Any], OpenForm | None]:
    """The state with what was typed on this page, and the page's checked form where it has one."""
    state = dict(ticket.state)
    if not ticket.step.isdecimal():
        state["a"] = dict(state["a"]) | (
            {"consents": sorted(_consents(state["a"]))} if request.form.get("letters") else {}
        )
        return state, None
    number = int(ticket.step)
    form = _form(number, state["a"], request.form)
    form.validate()
    state["a"] = questionnaire.merged(number, state["a"], _right_answers(form))
    return state, form


def _right_answers(form: OpenForm) -> dict[str, Any]:
    return {name: value for name, value in questionnaire.answers_in(form).items() if name not in form.errors}


def _target(step: str, go: str, answers: Mapping[str, Any]) -> str:
    here = int(step) if step.isdecimal() else LAST
    if go.startswith("lang-"):
        return step
    if go.startswith("to-") and go[3:].isdecimal() and int(go[3:]) < len(PAGES):
        return go[3:]
    if go == "back":
        return str(LAST if step == CHECK else questionnaire.page_before(here, answers))
    after = None if go == "check" else questionnaire.page_after(here, answers)
    return CHECK if after is None else str(after)


def _go_to(step: str, trip: str, state: dict[str, Any]) -> ResponseReturnValue:
    known = questionnaire.so_far(state["a"], int(step)) if step.isdecimal() else questionnaire.incident_of(state["a"])
    urgent = directory.urgent_needs(known)
    fresh = [need for need in urgent if need not in state["n"]]
    if fresh and step.isdecimal():
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
    sentence: str = "",
    code: int = 200,
) -> ResponseReturnValue:
    """A page of questions, led by help where the answers so far call for it."""
    answers = state["a"]
    g.trip = trip if request.method == "POST" else None
    g.may_shrink = not (form or questionnaire.has_words(answers))
    incident = questionnaire.so_far(answers, number)
    step, of = questionnaire.step_of(number, answers)
    page = render_template(
        "reporter/questions.html",
        number=number,
        step=step,
        of=of,
        page=PAGES[number],
        asked=questionnaire.fieldsets(number, form := form or _form(number, answers)),
        form=form,
        sentence=sentence,
        ticket=ticket_field("draft", trip, str(number), state),
        help=_help(incident, only=urgent, police_shown=state.get("p", False)) if urgent else None,
        child=directory.child_policy(g.lang, house().settings.country) if urgent and "N_CHILD_PROT" in urgent else None,
    )
    return make_response(page, code)


def _form(number: int, answers: Mapping[str, Any], typed: Any = None) -> OpenForm:
    return questionnaire.form_of(number, answers, _elsewhere(answers), typed)


def _elsewhere(answers: Mapping[str, Any]) -> questionnaire.Elsewhere:
    return her_case.directory_choices(questionnaire.incident_of(answers).department)


def _open_on_the_way(ticket: Ticket) -> ResponseReturnValue:
    """She had a code all along. Where it is not right, the page with her answers comes back.

    The key "Enter" presses the page's first button, so a right code counts there too; a wrong one does not stop her.
    """
    try:
        return _open(request.form.get("code", ""), ticket.trip)
    except WrongCode as problem:
        if request.form.get("go") != "code":
            return _turn(ticket)
        state, form = _with_typed(ticket)
        return _ask(int(ticket.step), ticket.trip, state, form=form, sentence=problem.sentence, code=422)


# ── checking and sending ────────────────────────────────────────────────────────────────────────────────────


def _check(trip: str, state: dict[str, Any], sentence: str = "") -> ResponseReturnValue:
    """Everything she said, who will read it, and the button. The receipt is drawn here and travels in the ticket."""
    state["a"] = questionnaire.that_matter(state["a"])
    state["r"] = state["r"] or _new_receipt()
    page = render_template(
        "reporter/check.html",
        pages=questionnaire.told(state["a"], _elsewhere(state["a"])),
        unclear=questionnaire.unclear(state["a"]),
        readers=_readers(),
        sentence=sentence,
        ask_letters="C_LETTERS" not in state["a"].get("consents", ()),
        minor=state["a"].get("age") in MINOR_AGES,
        ticket=ticket_field("draft", trip, CHECK, state),
    )
    g.may_shrink = not questionnaire.has_words(state["a"])
    return make_response(page, 422 if sentence else 200)


def _new_receipt() -> list[int]:
    return list(receipts.draw(secrets.randbelow).numbers)


def _readers() -> list[tuple[int, str]]:
    """The teams she can choose between: (number, name)."""
    with house().reading() as db:
        return [(team.id, team.name) for team in teamlog.trusted(house().teams(db))]


def _teams() -> tuple[Team | None, Team]:
    """The team that she picked, or the only one there is; none where she has to pick. And who counts."""
    with house().reading() as db:
        found = house().teams(db)
    known, picked = teamlog.trusted(found), request.form.get("team", "")
    chosen = known if len(known) == 1 else [team for team in known if str(team.id) == picked]
    return chosen[0] if chosen else None, teamlog.team_of_kind(found, STATISTICS)


PICK = N_("Choose who shall read it.")


def _let_her_pick(ticket: Ticket) -> ResponseReturnValue:
    """Nothing goes to a team that she did not choose. Her answers are kept."""
    if _is_unseen(ticket):
        return _stale(ticket, say(PICK))
    state, _ = _with_typed(ticket)
    return _check(ticket.trip, state, say(PICK))


def _send(ticket: Ticket) -> ResponseReturnValue:
    """File the report once, however often the request comes; the receipt is shown only after it is durable."""
    made, moment = house(), house().clock()
    readers, counters = _teams()
    if readers is None:
        with made.reading() as db:
            sent_before = sessions.how_ended(db, ticket.trip) is not None
        if not sent_before:
            return _let_her_pick(ticket)
        readers = counters  # a repeat files nothing: it only shows the receipt again
    report = _report(ticket, moment)
    found = _help(report.incident, police_shown=_police_shown(ticket))
    gap = next(iter(found.gaps), "NONE")
    tally = tally_block(report.incident, report.hour, counted="C_STATS" in report.consents, gap=gap)
    receipt = Receipt(tuple(ticket.state["r"]))
    sealed = casebook.seal_report(report, receipt, readers, counters, tally, made.settings.pepper, moment)
    ended: str | None = SENT
    shown, reader = True, None
    with made.writing() as db:
        if sessions.end_trip(db, ticket.trip, SENT, moment):  # one trip, one case, whichever page it is sent from
            casebook.file_report(db, sealed)
            reader = readers.name
        else:
            ended = sessions.how_ended(db, ticket.trip)
            shown = ended == SENT and casebook.may_show_again(db, sealed, moment)
    if ended == LEFT:
        return _start_page()
    return _sent(ticket, reader=reader, found=found) if shown else _start_page(say(SENT_ALREADY))


def _report(ticket: Ticket, moment: float) -> Report:
    answers = ticket.state["a"]
    contact = questionnaire.contact_of(answers)
    consents = _consents(answers) | ({"C_CONTACT"} if contact else frozenset())
    return Report(
        incident=questionnaire.incident_of(answers),
        narrative=answers.get("narrative", ""),
        contact=contact,
        consents=consents,
        language=g.lang,
        trip=ticket.trip,
        hour=int(moment) // casebook.HOUR,
        unseen=_is_unseen(ticket),
        signs=screening.signs_of(answers.get("narrative", ""), _seconds(ticket, moment)),
    )


def _seconds(ticket: Ticket, moment: float) -> float | None:
    """From the first page to now."""
    begun = ticket.state.get("b")
    return None if begun is None else moment - begun


def _consents(answers: Mapping[str, Any]) -> frozenset[str]:
    """What she marked on the last page of questions or beside the button that sends."""
    beside_the_button = {"C_LETTERS"} if request.form.get("letters") else frozenset[str]()
    return frozenset(answers.get("consents", ())) | beside_the_button


def _sent(ticket: Ticket, sentence: str = "", reader: str | None = None, found: directory.Help | None = None
          ) -> ResponseReturnValue:  # fmt: skip
    """The receipt, what happens next, the soonest door for each need. What was sent unseen tells nothing of itself."""
    answers, receipt = ticket.state["a"], Receipt(tuple(ticket.state["r"]))
    page = render_template(
        "reporter/sent.html",
        words=receipt.words(g.lang),
        digits=receipt.digits(),
        sentence=sentence,
        may_write="C_LETTERS" in _consents(answers),
        may_contact=bool(questionnaire.contact_of(answers)),
        minor=answers.get("age") in MINOR_AGES,
        help=None if _is_unseen(ticket) else found or _help_of(ticket),
        team=_only_reader() if reader is None else reader,
        ticket=_repeated_ticket(),
    )
    return make_response(page, 422 if sentence else 200)


def _only_reader() -> str:
    """Who reads it, where there is one team; on a page that is shown again nothing is picked anew."""
    readers = _readers()
    return readers[0][1] if len(readers) == 1 else ""


def _is_unseen(ticket: Ticket) -> bool:
    """Too old to be shown when it was sent, or kept from being shown before."""
    return "unseen" in ticket.state or house().clock() > ticket.issued + sessions.DRAFT_SHOWN


def _more(ticket: Ticket) -> ResponseReturnValue:
    """Every door for every need, on a page of its own without the receipt."""
    if _is_unseen(ticket):
        return _start_page(say(SENT_ALREADY))
    g.may_shrink = True
    found = _help_of(ticket)
    letters = "C_LETTERS" in _consents(ticket.state["a"])
    page = render_template("reporter/doors.html", help=found, letters=letters, ticket=_repeated_ticket())
    return make_response(page)


def _help_of(ticket: Ticket) -> directory.Help:
    return _help(questionnaire.incident_of(ticket.state["a"]), police_shown=_police_shown(ticket))


def _police_shown(ticket: Ticket) -> bool:
    """She pressed the button that counts as asking in words, here or on an earlier page."""
    return request.form.get("go") == "police" or "p" in ticket.state


def _repeated_ticket() -> str:
    return hidden("t", request.form.get("t", ""))


def _noted(ticket: Ticket) -> ResponseReturnValue:
    """'I have written it down': a repeated request now says only that it was sent. The two words are optional."""
    typed = receipts.plain(request.form.get("first", "")[:100]).split()
    words = receipts.plain(" ".join(Receipt(tuple(ticket.state["r"])).words(g.lang))).split()
    if typed and [word[:4] for word in typed[:2]] != [word[:4] for word in words[:2]]:
        return _sent(ticket, say(N_("Those are not the first two words. Look at your paper once more.")))
    with house().writing() as db:
        sessions.end_trip(db, ticket.trip, NOTED, house().clock())
    return _start_page(say(N_("Good. Your code is the only way back. Keep it where nobody looks.")))


# what can be pressed on the page with the receipt
AFTER_SENDING: dict[str, Callable[[Ticket], ResponseReturnValue]] = {"noted": _noted, "more": _more, "police": _more}


def _stale(ticket: Ticket, sentence: str = "") -> ResponseReturnValue:
    """An old draft is not shown any more, because the phone may be in other hands; it can still be sent."""
    state, _ = _with_typed(ticket)
    state |= {"r": state["r"] or _new_receipt(), "unseen": True}
    page = render_template(
        "reporter/stale.html", readers=_readers(), sentence=sentence,
        ticket=ticket_field("draft", ticket.trip, CHECK, state, ticket.expires),
    )  # fmt: skip
    return make_response(page, 422 if sentence else 200)


# ── help ────────────────────────────────────────────────────────────────────────────────────────────────────


def _help(incident: Incident, only: list[str] | None = None, *, police_shown: bool = False) -> directory.Help:
    """Needs and offers for an incident as of now; `only` some of the needs while she is still telling."""
    now = house().clock()
    return directory.help_for(her_case.held(), incident, now, languages=(g.lang,), only=only, police_shown=police_shown)


class HelpForm(OpenForm):
    """Where, and what for. Nothing of it is stored."""

    region = RadioField(validators=[Optional()])
    needs = SelectMultipleField()
    police_shown = BooleanField()


@pages.get("/<lang>/ayuda")
def ask_for_help() -> ResponseReturnValue:
    """Help without a report: where, and what for."""
    return _help_page(_help_form())


@pages.post("/<lang>/ayuda")
def find_help() -> ResponseReturnValue:
    """The same matching as for a report, nothing stored. The ticket lets a repeat be refused."""
    came = arrive("visit")
    if came is None or came.ended == LEFT:
        return _over(came)
    form = _help_form()
    if not form.validate() or not form.needs.data:
        return _help_page(form, nothing=True, code=422)
    department = questionnaire.department_in(form.region.data)
    found = directory.help_with(
        her_case.held(),
        form.needs.data,
        department,
        house().clock(),
        languages=(g.lang,),
        police_shown=form.police_shown.data,
    )
    return _help_page(form, found=found)


def _help_form() -> HelpForm:
    form = HelpForm()
    form.region.choices = [SelectChoice(code, say(label)) for code, label in questionnaire.regions().items()]
    form.needs.choices = [SelectChoice(code, say(label)) for code, label in directory.needs_to_ask().items()]
    return form


def _help_page(form: HelpForm, *, found: directory.Help | None = None, nothing: bool = False,
               code: int = 200) -> ResponseReturnValue:  # fmt: skip
    g.may_shrink = True
    page = render_template("reporter/find_help.html", form=form, found=found, nothing=nothing, box=_box())
    return make_response(page, code)


def _over(came: Arrival | None) -> ResponseReturnValue:
    """The neutral page for what cannot be repeated: without a word where she left, with one where time ran out."""
    return _start_page() if came else _start_page(say(OVER), 410)


# ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────


class WrongCode(Exception):
    """What was typed opens nothing. `sentence` says what to do, in her language."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__()


@pages.get("/<lang>/volver")
def back() -> ResponseReturnValue:
    """The box for a code on a page of its own."""
    return _code_page()


@pages.post("/<lang>/volver")
def come_back() -> ResponseReturnValue:
    """With a code: open her case. In her case: what she does there."""
    came = arrive("visit")
    if came is None or came.ended == LEFT:
        return _over(came)
    if came.ticket.step == CASE:
        return _visit(stay_of(came.ticket))
    try:
        return _open(request.form.get("code", ""), came.ticket.trip)
    except WrongCode as problem:
        return _code_page(problem.sentence)


def _code_page(sentence: str = "") -> ResponseReturnValue:
    page = render_template("reporter/code.html", sentence=sentence, box=_box())
    return make_response(page, 422 if sentence else 200)


def _open(typed: str, trip: str) -> ResponseReturnValue:
    """Her case, with what she typed. The same work and the same sentence whether it is wrong, erased or expired."""
    reading = receipts.read(typed[:400], g.lang)
    told = misread.sentence(reading) if isinstance(reading, Unreadable) else None
    if told is not None:
        raise WrongCode(say(told[0], **told[1]))
    stretched = casebook.stretch(() if isinstance(reading, Unreadable) else reading, house().settings.pepper)
    try:
        return her_case.show(_begin_stay(stretched, trip))
    except CannotOpen:
        raise WrongCode(say(her_case.NOTHING_OPENS)) from None


def _begin_stay(stretched: tuple[tuple[bytes, bytes], ...], trip: str) -> Stay:
    """Open with a receipt. From now on the trip that sent it never shows the receipt again."""
    made = house()
    with made.writing() as db:
        visit, sent_by = casebook.come_back(db, stretched)
        sessions.end_trip(db, sent_by, NOTED, made.clock())
    return Stay(visit, trip, sent_by)


def _visit(stay: Stay) -> ResponseReturnValue:
    """What she does in her case; once it is erased there is nothing to go back to."""
    if request.form.get("go") == "erase":
        return _erase(stay)
    try:
        return her_case.act(stay, request.form.get("go", "show"))
    except CannotOpen:
        return _code_page(say(her_case.NOTHING_OPENS))


def _erase(stay: Stay) -> ResponseReturnValue:
    made = house()
    try:
        with made.writing() as db:
            casebook.erase(db, stay.visit, made.settings.pepper, made.clock())
            for trip in (stay.trip, stay.sent_by):
                sessions.end_trip(db, trip, LEFT, made.clock())
    except CannotOpen:
        return _code_page(say(her_case.NOTHING_OPENS))
    made.emptied()
    return _start_page(say(N_("It is erased here now, and from every copy in at most 60 days. "
                              "Nobody can find your words again.")))  # fmt: skip
