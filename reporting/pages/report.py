"""Telling what happened: from one page of questions to the next, led by help where it is urgent.

What she typed travels in one sealed field; no cookie, and nothing of it in an address. Each POST leads to a page of
`draft`. What a repeated request may show is decided here. Files nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue

from referrals.help.answers import urgent_needs
from reporting.i18n import N_
from reporting.pages.come_back import CodeForm, WrongCode, looks_up, open_with_code, typed_code
from reporting.pages.draft import CHECK, SENT_ALREADY, CheckForm, new_receipt, wait, with_typed
from reporting.pages.start import OVER, blueprint
from reporting.pages.submit import AFTER_SENDING, send, was_sent_now
from reporting.sessions import tickets
from reporting.sessions.replays import LEFT, NOTED, SENT
from reporting.teams.readers import NobodyReads, offered
from reporting.teams.team_log import KeysNotMade
from reporting.vocabulary.answers import (
    incident_of,
    last_page,
    page_after,
    page_before,
    says_danger_and_no_sign,
    so_far,
    that_matter,
)
from reporting.vocabulary.lengths import LONG, MESSAGE, SHORT, order_of
from reporting.vocabulary.person import OTHER, SELF
from reporting.web import post_redirect_get
from reporting.web.access.tickets import typed_ticket
from reporting.web.access.traits import compressible, limited, may_be_sent_again, takes
from reporting.web.context import SEEN, installation, render_template, say
from reporting.web.forms import OpenForm, TripsForm, button, parts_of, typed_here
from reporting.web.limits import CODES, SENDING, TURNING
from reporting.web.post_redirect_get import TicketCheck, Trail, check_ticket
from reporting.web.requests import speak

DRAFT = {"a", "r", "n"}  # what is in a draft; what is written down by voice, or can be sent again, is sealed alike
# what is pressed before the first question -> the length, and whom the report is about; of a message nobody asks
BEGINS: dict[str, dict[str, str]] = {
    "begin": {"length": SHORT, "about": SELF},
    "other": {"length": SHORT, "about": OTHER},
    "message": {"length": MESSAGE},
    "all": {"length": LONG, "about": SELF},
}
WHICH_DANGER = N_("You said yes. Mark what is true, and we show you help for it. You can also just go on.")
NO_HURRY = N_("Go on, and we show you what help there is. In danger, call.")
WAYS = {"start": "reporter.start", "help": "reporter.ask_for_help"}  # from a page of a trip to one of none


@blueprint.post("/<lang>/inicio")
@takes(TripsForm)
@may_be_sent_again
def begin_anew() -> ResponseReturnValue:
    """To the start, or to look for help: this trip is over, so that the next person in this window finds nothing."""
    go = button()
    if go not in WAYS:
        return redirect(url_for(WAYS["start"], lang=g.lang), 303)
    post_redirect_get.end(tickets.trips_in(TripsForm().trip.data or ""), NOTED)
    return redirect(url_for(WAYS[go], lang=g.lang), 303)


@blueprint.get("/<lang>/contar")
@compressible
def tell() -> ResponseReturnValue:
    """What to know before the first question: no address begins a trip, only the button there does."""
    _stop_where_closed()
    return make_response(render_template("reporter/before.html"), SEEN)


def _stop_where_closed() -> None:
    """Closed doors say so before she writes a word: no keys, no reader, no line of this country for her in danger."""
    with installation().reading() as db:
        if not offered(db, installation().teams(db)):
            raise NobodyReads
    if not installation().lines():
        raise KeysNotMade


def is_sending() -> bool:
    """The final sending, which has an allowance of its own."""
    return button() == "send"


def turns_a_page() -> bool:
    """Every other step."""
    return not is_sending()


def types_a_code() -> bool:
    """Whether a code came with this request: it can be typed while telling, too."""
    go = button("next")
    return go == "code" or (go == "next" and bool(typed_code().strip()))


def looks_up_a_code() -> bool:
    """Whether it would be looked up: that counts as in the box for codes."""
    return types_a_code() and looks_up("draft")


@blueprint.post("/<lang>/contar")
@limited(TURNING, when=turns_a_page)
@limited(SENDING, when=is_sending)
@limited(CODES, when=looks_up_a_code)
@takes(OpenForm, CodeForm, CheckForm)
@may_be_sent_again
def take_step() -> ResponseReturnValue:
    """Every step of a trip: one sealed field in, the way to the next page out. What a repeat may do is decided here."""
    go = button("next")
    if go in BEGINS and not typed_ticket():
        return _begin(BEGINS[go])
    came = check_ticket("draft")
    if came is None or not came.ticket.state.keys() >= DRAFT:
        return post_redirect_get.home(say(OVER), 410)
    at_check = came.ticket.step == CHECK
    answers: tuple[tuple[bool, Callable[[TicketCheck], ResponseReturnValue]], ...] = (
        (came.ended == LEFT, _left),
        (at_check and go == "send", send),
        (at_check and go in AFTER_SENDING and came.ended == SENT and was_sent_now(came), AFTER_SENDING.get(go, _turn)),
        (came.ended is not None, _sent_already),
        (not came.shown or "unseen" in came.ticket.state, wait),
        (types_a_code() and not at_check, _open_on_the_way),
        (True, _turn),
    )
    return next(answer for holds, answer in answers if holds)(came)


def _begin(chosen: Mapping[str, str]) -> ResponseReturnValue:
    """A new trip, under a name of its own. The receipt is drawn here and travels sealed until it is needed."""
    _stop_where_closed()
    state = {"a": dict(chosen), "r": new_receipt(), "n": [], "b": int(installation().clock())}
    return post_redirect_get.answer(Trail("draft", tickets.new_trip(), state), str(order_of(chosen)[0]))


def _left(_came: TicketCheck) -> ResponseReturnValue:
    return post_redirect_get.home()


def _sent_already(_came: TicketCheck) -> ResponseReturnValue:
    return post_redirect_get.home(say(SENT_ALREADY))


def _turn(came: TicketCheck) -> ResponseReturnValue:
    """From one page of questions to another. Answers are kept even where they are not right yet."""
    go, step = button("next"), came.ticket.step
    verb, named = parts_of(go)
    if verb == "lang":
        speak(named)
    trail, wrong = with_typed(came)
    if go == "police" and step.isdecimal():
        trail.state |= {"p": True, "u": trail.state.get("u", {}) | {step: trail.state["n"]}}
        return post_redirect_get.answer(trail, step)
    if wrong and go in {"next", "check"}:
        return post_redirect_get.answer(trail, step, code=422, typed=typed_here())
    if go == "next" and "d" not in trail.state and says_danger_and_no_sign(trail.state["a"]):
        trail.state["d"] = True  # she is asked once
        return post_redirect_get.answer(trail, step, status=say(WHICH_DANGER))
    if go == "help" and step.isdecimal() and not urgent_needs(so_far(trail.state["a"], int(step))):
        unmarked = says_danger_and_no_sign(trail.state["a"])
        return post_redirect_get.answer(trail, step, status=say(WHICH_DANGER if unmarked else NO_HURRY))
    return _go_to(_target(step, go, trail.state["a"]), trail)


def _target(step: str, go: str, answers: Mapping[str, Any]) -> str:
    here = int(step) if step.isdecimal() else last_page(answers)
    verb, named = parts_of(go)
    if verb == "lang":
        return step
    if verb == "to" and named in map(str, order_of(answers)):
        return named
    if go == "back":
        return str(here if step == CHECK else page_before(here, answers))
    if go not in {"next", "check"}:
        return step
    after = None if go == "check" else page_after(here, answers)
    return CHECK if after is None else str(after)


def _go_to(step: str, trail: Trail) -> ResponseReturnValue:
    """Off to a page; help that has just become urgent leads it, and is kept for whoever walks back to it."""
    state = trail.state
    known = so_far(state["a"], int(step)) if step.isdecimal() else incident_of(state["a"])
    urgent = urgent_needs(known)
    fresh = [need for need in urgent if need not in state["n"]] if step.isdecimal() else []
    shown = {page: needs for page, needs in state.get("u", {}).items() if page != step}
    state |= {"n": [*state["n"], *fresh], "u": shown | ({step: fresh} if fresh else {})}
    if step == CHECK:
        state["a"] = that_matter(state["a"])
    return post_redirect_get.answer(trail, step)


def _open_on_the_way(came: TicketCheck) -> ResponseReturnValue:
    """She had a code all along. Where it is not right, the page with her answers comes back.

    The key "Enter" presses the page's first button, so a right code counts there too; a wrong one does not stop her.
    """
    try:
        return open_with_code(typed_code(), came.ticket.trip)
    except WrongCode as problem:
        if button() != "code":
            return _turn(came)
        trail, _ = with_typed(came)
        return post_redirect_get.answer(
            trail, came.ticket.step, sentence=problem.sentence, code=422, typed=typed_here()
        )
