"""Coming back with a receipt: the box for the code, the way into her case, erasing it.

The same work and the same sentence whether a code is wrong, erased or expired. What is done in her case is a
matter of `my_case`.
"""

from __future__ import annotations

from flask import g, make_response
from flask.typing import ResponseReturnValue

from reporting.cases import store
from reporting.cases.store import StretchedReceipt
from reporting.crypto import receipt_wording, receipts
from reporting.crypto.receipts import Receipt, Unreadable
from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.pages import my_case
from reporting.pages.start import blueprint, box_ticket, over
from reporting.sessions import replays, tickets
from reporting.sessions.replays import LEFT, NOTED
from reporting.teams.team_log import CannotOpen
from reporting.web import post_redirect_get
from reporting.web.access.tickets import ticket_in, typed_ticket
from reporting.web.access.traits import compressible, limited, may_be_sent_again, takes, waits_its_turn
from reporting.web.access.visits import CASE, VISIT, CaseSession, case_session_of, go_on
from reporting.web.context import installation, once, render_template, say
from reporting.web.forms import OpenForm, SecretField, button
from reporting.web.limits import CODES, TURNING
from reporting.web.post_redirect_get import TicketCheck, Trail, check_ticket

NOTHING_OPENS = N_(
    "Nothing opens with that code. Look at it once more: seven words or seven groups of numbers."
    " What was erased does not open either."
)


class CodeForm(OpenForm):
    """The box for a code. It opens a case: it is read, and never handed to a page."""

    code = SecretField(default="")


class WrongCode(AmparoError):
    """What was typed opens nothing. `sentence` says what to do, in her language."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__()


def typed_code() -> str:
    """The code as it was typed, here or beside a page of questions; empty where nothing was."""
    return CodeForm().code.data or ""


@blueprint.get("/<lang>/volver")
@compressible
def back() -> ResponseReturnValue:
    """The box for a code on a page of its own."""
    return _code_page(Trail("visit", "", {}), "code", None)


def looks_up(purpose: str) -> bool:
    """Whether a code would be looked up for this request: behind a ticket that holds, and written as codes are."""
    if ticket_in(typed_ticket(), purpose) is None:
        return False
    reading = receipts.read(typed_code()[:400], g.lang)
    return not isinstance(reading, Unreadable) or receipt_wording.sentence(reading) is None


def brings_a_code() -> bool:
    """A code for the box; in her case nothing is looked up."""
    return once("brings_a_code", lambda: _is_at_the_box() and looks_up("visit"))


def _is_at_the_box() -> bool:
    ticket = ticket_in(typed_ticket(), "visit")
    return ticket is not None and ticket.step != CASE


def brings_none() -> bool:
    """Whatever else she does here."""
    return not brings_a_code()


@blueprint.post("/<lang>/volver")
@limited(TURNING, when=brings_none)
@limited(CODES, when=brings_a_code)
@waits_its_turn
@takes(CodeForm, my_case.LetterForm, my_case.ContactForm, OpenForm)
@may_be_sent_again
def come_back() -> ResponseReturnValue:
    """With a code: open her case. In her case: what she does there."""
    came = check_ticket("visit")
    if came is None or came.ended == LEFT:
        return over(came)
    if came.ticket.step == CASE:
        return _visit(came)
    try:
        return open_with_code(typed_code(), came.ticket.trip)
    except WrongCode as problem:
        return _to_the_box(came, problem.sentence)


def _to_the_box(came: TicketCheck, sentence: str) -> ResponseReturnValue:
    trail = post_redirect_get.follow(came, VISIT)
    trail.state = {}
    return post_redirect_get.answer(trail, "code", sentence=sentence, code=422)


@post_redirect_get.shows("visit/code")
def _code_page(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    if ended == LEFT or (trail.trip and trail.age > post_redirect_get.SHOWN):
        return post_redirect_get.start_page()
    page = render_template("reporter/code.html", sentence=trail.about(step).get("sentence", ""), box=box_ticket())
    return make_response(page, trail.status(step))


def open_with_code(typed: str, trip: str) -> ResponseReturnValue:
    """Her case, with what she typed. The same work and the same sentence whether it is wrong, erased or expired."""
    reading = receipts.read(typed[:400], g.lang)
    problem = receipt_wording.sentence(reading) if isinstance(reading, Unreadable) else None
    if problem is not None:
        raise WrongCode(say(problem[0], **problem[1]))
    stretched = store.stretch(() if isinstance(reading, Unreadable) else reading, installation().settings.pepper)
    try:
        return _enter(_begin_stay(stretched, trip))
    except CannotOpen:
        raise WrongCode(_nothing_opens(typed)) from None


def open_with_receipt(receipt: Receipt, step: str) -> ResponseReturnValue:
    """A step of her case, from the page that shows the receipt of it; that page is over then."""
    stretched = store.stretched(receipt, installation().settings.pepper)
    return _enter(_begin_stay((stretched,), tickets.new_trip()), step)


def _nothing_opens(typed: str) -> str:
    """The same for every code that opens nothing, but for what can be seen in the typing itself."""
    short = receipts.filled_up(typed[:400])
    return say(receipt_wording.FILLED_UP, count=short) if short else say(NOTHING_OPENS)


def _begin_stay(stretched: tuple[StretchedReceipt, ...], trip: str) -> CaseSession:
    """Open with a receipt. From now on the trip that sent it never shows the receipt again."""
    site = installation()
    with site.writing() as db:
        visit, sent_by = store.come_back(db, stretched)
        replays.end_trip(db, site.settings.server_secret, sent_by, NOTED, site.clock())
    site.rows.erase([sent_by])
    return CaseSession(visit, trip, sent_by, int(site.clock()) + tickets.TICKET_LIFE["visit"])


def _enter(stay: CaseSession, step: str = "show") -> ResponseReturnValue:
    """A redirect to her case, under a random name."""
    return post_redirect_get.answer(Trail(VISIT, stay.trip, stay.to_state(), stay.expires), step)


def _visit(came: TicketCheck) -> ResponseReturnValue:
    """What she does in her case; once it is erased there is nothing to go back to."""
    stay, go = case_session_of(came), button("show")
    try:
        return _erase(stay) if go == "erase" else go_on(came, my_case.act(stay, go))
    except CannotOpen:
        return _to_the_box(came, say(NOTHING_OPENS))


def _erase(stay: CaseSession) -> ResponseReturnValue:
    site = installation()
    with site.writing() as db:
        store.erase(db, stay.visit, site.settings.pepper, site.clock())
        for trip in (stay.trip, stay.sent_by):
            replays.end_trip(db, site.settings.server_secret, trip, LEFT, site.clock())
    site.rows.erase([stay.trip, stay.sent_by])
    site.checkpoint()
    return post_redirect_get.home(
        say(N_("It is erased here now, and from every copy in at most 60 days. Nobody can find your words again."))
    )
