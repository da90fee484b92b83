"""Her pages: telling what happened, coming back, finding help without telling.

They speak HTTP and nothing else. What she types comes in by POST, in one sealed field besides, and is answered with the
way to a page under a random name (`walking`); no cookie, no secret in an address. A repeated request is always safe.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from referrals import directory
from reporting import (
    casebook,
    duty,
    her_case,
    questionnaire,
    receipts,
    screening,
    sessions,
    teamlog,
    walking,
)
from reporting.casebook import Report
from reporting.frontdoor import (
    SEEN,
    OpenForm,
    house,
    render_template,
    say,
    speak,
    ticket_field,
    today,
    trouble_page,
    types_a_code,
)
from reporting.her_draft import CHECK, DOORS, SENT_ALREADY, SENT_PAGE, STALE, form_of, help_of
from reporting.incidents import N_, VOCABULARY, tally_block
from reporting.questionnaire import PAGES
from reporting.receipts import Receipt, Unreadable
from reporting.sessions import LEFT, NOTED, SENT
from reporting.stays import BOX, CASE, VISIT, Stay, go_on, stay_of
from reporting.teamlog import STATISTICS, CannotOpen, Team
from reporting.walking import Arrival, Trail, arrive

pages = Blueprint("reporter", __name__)

LAST = len(PAGES) - 1  # the last page of questions
DRAFT = {"a", "r", "n"}  # what is in a draft; what is written down by voice, or can be sent again, is sealed alike


# ── the start and the way out ───────────────────────────────────────────────────────────────────────────────

OVER = N_("That page is no longer valid. You can start again.")


@pages.get("/")
@pages.get("/<lang>/")
def start() -> ResponseReturnValue:
    """Three doors, the box for a code, the way to the page about this phone."""
    return walking.start_page()


@walking.shows("note")
def _start_page(trail: Trail, step: str, _ended: str | None) -> ResponseReturnValue:
    """The page that anybody may look at: it shows nothing of the trip that led here."""
    sentence = trail.about(step).get("sentence", "") if trail.age <= walking.SHOWN or not trail.posted else ""
    is_open = _is_open()
    with house().reading() as db:
        silent = is_open and duty.read(db).is_silent(today().date())
    box = _box() if is_open else ""
    page = render_template("reporter/start.html", sentence=sentence, is_open=is_open, silent=silent, box=box)
    return make_response(page, trail.status(step))


@walking.shows("/again")
def _try_again(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """What did not go through, on a page of its own: with one button it is sent once more."""
    if ended == LEFT or trail.age > walking.SHOWN:
        return walking.start_page()
    return make_response(trouble_page(trail.about(step)), trail.status(step))


def _is_open() -> bool:
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
        walking.end(trips, LEFT)
    answer = make_response(render_template("reporter/leave.html"))
    answer.headers["Refresh"] = f"0;url={url_for('reporter.away')}"
    return answer


WAYS = {"start": "reporter.start", "help": "reporter.ask_for_help"}  # from a page of a trip to one of none


@pages.post("/<lang>/inicio")
def begin_anew() -> ResponseReturnValue:
    """To the start, or to look for help: this trip is over, so that the next person in this window finds nothing."""
    walking.end(sessions.trips_in(request.form.get("trip", "")), NOTED)
    return redirect(url_for(WAYS.get(request.form.get("go", ""), WAYS["start"]), lang=g.lang), 303)


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
    """What to know before the first question: no address begins a trip, only the button there does."""
    with house().reading() as db:
        house().teams(db)  # closed doors say so before she writes a word
    return make_response(render_template("reporter/before.html"), SEEN)


@pages.post("/<lang>/contar")
def told() -> ResponseReturnValue:
    """Every step of a trip: one sealed field in, the way to the next page out. What a repeat may do is decided here."""
    go = request.form.get("go", "next")
    if go == "begin" and not request.form.get("t"):
        return _begin()
    came = arrive("draft")
    if came is None or not came.ticket.state.keys() >= DRAFT:
        return walking.home(say(OVER), 410)
    at_check = came.ticket.step == CHECK
    answers: tuple[tuple[bool, Callable[[Arrival], ResponseReturnValue]], ...] = (
        (came.ended == LEFT, _left),
        (at_check and go == "send", _send),
        (at_check and go in AFTER_SENDING and came.ended == SENT and _was_sent_now(came), AFTER_SENDING.get(go, _turn)),
        (came.ended is not None, _sent_already),
        (not came.shown or "unseen" in came.ticket.state, _wait),
        (types_a_code() and not at_check, _open_on_the_way),
        (True, _turn),
    )
    return next(answer for holds, answer in answers if holds)(came)


def _begin() -> ResponseReturnValue:
    """A new trip, under a name of its own. The receipt is drawn here and travels sealed until it is needed."""
    with house().reading() as db:
        house().teams(db)
    state = {"a": {}, "r": _new_receipt(), "n": [], "b": int(house().clock())}
    return walking.answer(Trail("draft", sessions.new_trip(), state), "0")


def _new_receipt() -> list[int]:
    return list(receipts.draw(secrets.randbelow).numbers)


def _left(_came: Arrival) -> ResponseReturnValue:
    return walking.home()


def _sent_already(_came: Arrival) -> ResponseReturnValue:
    return walking.home(say(SENT_ALREADY))


def _turn(came: Arrival) -> ResponseReturnValue:
    """From one page of questions to another. Answers are kept even where they are not right yet."""
    go, step = request.form.get("go", "next"), came.ticket.step
    if go.startswith("lang-"):
        speak(go[5:])
    trail, wrong = _with_typed(came)
    if go == "police" and step.isdecimal():
        trail.state |= {"p": True, "u": trail.state.get("u", {}) | {step: trail.state["n"]}}
        return walking.answer(trail, step)
    if wrong and go in {"next", "check"}:
        return walking.answer(trail, step, code=422, typed=walking.typed_here())
    return _go_to(_target(step, go), trail)


def _with_typed(came: Arrival) -> tuple[Trail, bool]:
    """The trail with what was typed on this page, and whether something there is not right yet."""
    trail, step = walking.follow(came, "draft"), came.ticket.step
    state = trail.state
    state["r"] = state["r"] or _new_receipt()
    if not step.isdecimal():
        state["a"] = state["a"] | ({"consents": sorted(_consents(state["a"]))} if request.form.get("letters") else {})
        return trail, False
    form = form_of(int(step), state["a"], request.form)
    form.validate()
    state["a"] = questionnaire.merged(int(step), state["a"], _right_answers(form))
    return trail, bool(form.errors)


def _right_answers(form: OpenForm) -> dict[str, Any]:
    return {name: value for name, value in questionnaire.answers_in(form).items() if name not in form.errors}


def _target(step: str, go: str) -> str:
    here = int(step) if step.isdecimal() else LAST
    if go.startswith("lang-"):
        return step
    if go.startswith("to-") and go[3:].isdecimal() and int(go[3:]) <= LAST:
        return go[3:]
    if go == "back":
        return str(max(0, here - (step != CHECK)))
    return CHECK if go == "check" or here == LAST else str(here + 1)


def _go_to(step: str, trail: Trail) -> ResponseReturnValue:
    """Off to a page; help that has just become urgent leads it, and is kept for whoever walks back to it."""
    state = trail.state
    urgent = directory.urgent_needs(questionnaire.incident_of(state["a"]))
    fresh = [need for need in urgent if need not in state["n"]] if step.isdecimal() else []
    shown = {page: needs for page, needs in state.get("u", {}).items() if page != step}
    state |= {"n": [*state["n"], *fresh], "u": shown | ({step: fresh} if fresh else {})}
    if step == CHECK:
        state["a"] = questionnaire.that_matter(state["a"])
    return walking.answer(trail, step)


def _open_on_the_way(came: Arrival) -> ResponseReturnValue:
    """She had a code all along. Where it is not right, the page with her answers comes back.

    The key "Enter" presses the page's first button, so a right code counts there too; a wrong one does not stop her.
    """
    try:
        return _open(request.form.get("code", ""), came.ticket.trip)
    except WrongCode as problem:
        if request.form.get("go") != "code":
            return _turn(came)
        trail, _ = _with_typed(came)
        return walking.answer(
            trail, came.ticket.step, sentence=problem.sentence, code=422, typed=walking.typed_here()
        )


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────


def _teams() -> tuple[Team | None, Team]:
    """The team that she picked, or the only one there is; none where she has to pick. And who counts."""
    with house().reading() as db:
        found = house().teams(db)
    known, picked = teamlog.trusted(found), request.form.get("team", "")
    chosen = known if len(known) == 1 else [team for team in known if str(team.id) == picked]
    return chosen[0] if chosen else None, teamlog.team_of_kind(found, STATISTICS)


PICK = N_("Choose who shall read it.")


def _let_her_pick(came: Arrival) -> ResponseReturnValue:
    """Nothing goes to a team that she did not choose. Her answers are kept."""
    if _is_unseen(came):
        return _wait(came, sentence=say(PICK), code=422)
    trail, _ = _with_typed(came)
    return walking.answer(trail, CHECK, sentence=say(PICK), code=422)


def _wait(came: Arrival, **said: Any) -> ResponseReturnValue:
    """An old draft is kept with what was typed last, and not shown; it can still be sent."""
    trail, _ = _with_typed(came)
    trail.state["unseen"] = True
    trail.expires = came.ticket.expires
    return walking.answer(trail, STALE, **said)


def _send(came: Arrival) -> ResponseReturnValue:
    """File the report once, however often the request comes; the receipt is shown only after it is durable."""
    made, moment = house(), house().clock()
    readers, counters = _teams()
    if readers is None:
        if came.ended is None:
            return _let_her_pick(came)
        readers = counters  # a repeat files nothing: it only shows the receipt again
    trail, _ = _with_typed(came)
    report = _report(came, trail, moment)
    found = help_of(report.incident, police_shown="p" in trail.state)
    gap = next(iter(found.gaps), "NONE")
    tally = tally_block(report.incident, report.hour, counted="C_STATS" in report.consents, gap=gap)
    receipt, secret = Receipt(tuple(trail.state["r"])), made.settings.server_secret
    sealed = casebook.seal_report(report, receipt, readers, counters, tally, made.settings.pepper, moment)
    ended: str | None = SENT
    shown = True
    with made.writing() as db:
        if sessions.end_trip(db, secret, trail.trip, SENT, moment):  # one trip, one case, whichever page it is from
            casebook.file_report(db, sealed)
            trail.state |= {"team": readers.name, "first": int(moment)}
        else:
            ended = sessions.how_ended(db, secret, trail.trip)
            shown = ended == SENT and casebook.may_show_again(db, sealed, moment)
    if not shown:
        return walking.home() if ended == LEFT else walking.home(say(SENT_ALREADY))
    trail.state |= {"sent": int(moment)} | ({"unseen": True} if report.unseen else {})
    return walking.answer(trail, SENT_PAGE)


def _report(came: Arrival, trail: Trail, moment: float) -> Report:
    answers = trail.state["a"]
    contact = questionnaire.contact_of(answers)
    consents = _consents(answers) | ({"C_CONTACT"} if contact else frozenset())
    return Report(
        incident=questionnaire.incident_of(answers),
        narrative=answers.get("narrative", ""),
        contact=contact,
        consents=consents,
        language=g.lang,
        trip=trail.trip,
        hour=int(moment) // casebook.HOUR,
        unseen=_is_unseen(came),
        signs=screening.signs_of(answers.get("narrative", ""), _seconds(trail, moment)),
    )


def _seconds(trail: Trail, moment: float) -> float | None:
    """From the first page to now."""
    begun = trail.state.get("b")
    return None if begun is None else moment - begun


def _consents(answers: Mapping[str, Any]) -> frozenset[str]:
    """What she marked on the last page of questions or beside the button that sends."""
    beside_the_button = {"C_LETTERS"} if request.form.get("letters") else frozenset[str]()
    return frozenset(answers.get("consents", ())) | beside_the_button


def _is_unseen(came: Arrival) -> bool:
    """Too old to be shown when it was sent, or kept from being shown before."""
    return "unseen" in came.ticket.state or house().clock() > came.ticket.issued + sessions.DRAFT_SHOWN


def _was_sent_now(came: Arrival) -> bool:
    """So lately that what was sent may be shown once more. Where it is not known when, the ticket tells."""
    first = came.ticket.state.get("first")
    return came.shown if first is None else house().clock() <= first + sessions.SHOWN_AGAIN


def _more(came: Arrival) -> ResponseReturnValue:
    """To every door for every need."""
    trail, _ = _with_typed(came)
    trail.state |= {"p": True} if request.form.get("go") == "police" else {}
    return walking.answer(trail, DOORS)


def _noted(came: Arrival) -> ResponseReturnValue:
    """'I have written it down': a repeated request now says only that it was sent. The two words are optional."""
    typed = receipts.plain(request.form.get("first", "")[:100]).split()
    words = receipts.plain(" ".join(Receipt(tuple(came.ticket.state["r"])).words(g.lang))).split()
    if typed and [word[:4] for word in typed[:2]] != [word[:4] for word in words[:2]]:
        trail, _ = _with_typed(came)
        trail.state["sent"] = int(house().clock())
        wrong = say(N_("Those are not the first two words. Look at your paper once more."))
        return walking.answer(trail, SENT_PAGE, sentence=wrong, code=422)
    made, trip = house(), came.ticket.trip
    with made.writing() as db:
        sessions.end_trip(db, made.settings.server_secret, trip, NOTED, made.clock())
    made.rows.erase([trip])
    return walking.home(say(N_("Good. Your code is the only way back. Keep it where nobody looks.")))


# what can be pressed on the page with the receipt
AFTER_SENDING: dict[str, Callable[[Arrival], ResponseReturnValue]] = {"noted": _noted, "more": _more, "police": _more}


# ── help ────────────────────────────────────────────────────────────────────────────────────────────────────


class HelpForm(OpenForm):
    """Where, and what for. Nothing of it is stored."""

    region = RadioField(validators=[Optional()])
    needs = SelectMultipleField()
    police_shown = BooleanField()

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.region.choices = [SelectChoice(code, say(label)) for code, label in VOCABULARY["region"].items()]
        self.needs.choices = [SelectChoice(code, say(label)) for code, label in directory.needs_to_ask().items()]


@pages.get("/<lang>/ayuda")
def ask_for_help() -> ResponseReturnValue:
    """Help without a report: where, and what for."""
    return _help_page(HelpForm(formdata=None))


@pages.post("/<lang>/ayuda")
def find_help() -> ResponseReturnValue:
    """The same matching as for a report, nothing stored. The ticket lets a repeat be refused."""
    came = arrive("visit")
    if came is None or came.ended == LEFT:
        return _over(came)
    return walking.answer(walking.follow(came, "help"), "help", typed=walking.typed_here())


@walking.shows("help")
def found_help(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """What was found for what she needs, as long as she has not left."""
    if ended == LEFT or trail.age > walking.SHOWN:
        return walking.start_page()
    form = HelpForm(formdata=trail.typed(step))
    if not form.validate() or not form.needs.data:
        return _help_page(form, nothing=True, code=422)
    department = questionnaire.HOME_DEPARTMENTS.get(form.region.data or "")
    now, police_shown = house().clock(), form.police_shown.data
    found = directory.help_with(
        her_case.held(), form.needs.data, department, now, languages=(g.lang,), police_shown=police_shown
    )
    return _help_page(form, found=found)


def _help_page(form: HelpForm, *, found: directory.Help | None = None, nothing: bool = False,
               code: int = SEEN) -> ResponseReturnValue:  # fmt: skip
    g.may_shrink = True
    page = render_template("reporter/find_help.html", form=form, found=found, nothing=nothing, box=_box())
    return make_response(page, code)


def _over(came: Arrival | None) -> ResponseReturnValue:
    """The neutral page for what cannot be repeated: without a word where she left, with one where time ran out."""
    return walking.home() if came else walking.home(say(OVER), 410)


# ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────


class WrongCode(Exception):
    """What was typed opens nothing. `sentence` says what to do, in her language."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__()


@pages.get("/<lang>/volver")
def back() -> ResponseReturnValue:
    """The box for a code on a page of its own."""
    return _code_page(Trail("visit", "", {}), "code", None)


@pages.post("/<lang>/volver")
def come_back() -> ResponseReturnValue:
    """With a code: open her case. In her case: what she does there."""
    came = arrive("visit")
    if came is None or came.ended == LEFT:
        return _over(came)
    if came.ticket.step == CASE:
        return _visit(came)
    try:
        return _open(request.form.get("code", ""), came.ticket.trip)
    except WrongCode as problem:
        return _to_the_box(came, problem.sentence)


def _to_the_box(came: Arrival, sentence: str) -> ResponseReturnValue:
    trail = walking.follow(came, VISIT)
    trail.state = {}
    return walking.answer(trail, "code", sentence=sentence, code=422)


@walking.shows("visit/code")
def _code_page(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    if ended == LEFT or (trail.trip and trail.age > walking.SHOWN):
        return walking.start_page()
    page = render_template("reporter/code.html", sentence=trail.about(step).get("sentence", ""), box=_box())
    return make_response(page, trail.status(step))


def _open(typed: str, trip: str) -> ResponseReturnValue:
    """Her case, with what she typed. The same work and the same sentence whether it is wrong, erased or expired."""
    reading = receipts.read(typed[:400], g.lang)
    if isinstance(reading, Unreadable) and reading.nearest:
        raise WrongCode(say(N_("We do not know the word «%(wrong)s». Did you mean «%(nearest)s»?"),
                            wrong=reading.wrong[:20], nearest=reading.nearest))  # fmt: skip
    stretched = casebook.stretch(() if isinstance(reading, Unreadable) else reading, house().settings.pepper)
    try:
        return _enter(_begin_stay(stretched, trip))
    except CannotOpen:
        raise WrongCode(say(her_case.NOTHING_OPENS)) from None


def _begin_stay(stretched: tuple[tuple[bytes, bytes], ...], trip: str) -> Stay:
    """Open with a receipt. From now on the trip that sent it never shows the receipt again."""
    made = house()
    with made.writing() as db:
        visit, sent_by = casebook.come_back(db, stretched)
        sessions.end_trip(db, made.settings.server_secret, sent_by, NOTED, made.clock())
    made.rows.erase([sent_by])
    return Stay(visit, trip, sent_by, int(made.clock()) + sessions.TICKET_LIFE["visit"])


def _enter(stay: Stay) -> ResponseReturnValue:
    """Off to her case, under a name of its own."""
    return walking.answer(Trail(VISIT, stay.trip, stay.to_state(), stay.expires), "show")


def _visit(came: Arrival) -> ResponseReturnValue:
    """What she does in her case; once it is erased there is nothing to go back to."""
    stay, go = stay_of(came), request.form.get("go", "show")
    try:
        return _erase(stay) if go == "erase" else go_on(came, her_case.act(stay, go))
    except CannotOpen:
        return _to_the_box(came, say(her_case.NOTHING_OPENS))


def _erase(stay: Stay) -> ResponseReturnValue:
    made = house()
    with made.writing() as db:
        casebook.erase(db, stay.visit, made.settings.pepper, made.clock())
        for trip in (stay.trip, stay.sent_by):
            sessions.end_trip(db, made.settings.server_secret, trip, LEFT, made.clock())
    made.rows.erase([stay.trip, stay.sent_by])
    made.emptied()
    return walking.home(say(N_("It is erased here now, and from every copy in at most 60 days. "
                               "Nobody can find your words again.")))  # fmt: skip
