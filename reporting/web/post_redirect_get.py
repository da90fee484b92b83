"""Pages that follow what she sends: a POST is answered with 303, and the page fetched from a random address.

So Back, forward and reload show the page with her newest answers, and a browser writes nothing typed to its disk. A
page of a name is shown only to who walks there; it is over with the exit, or some minutes after her last step. Where
a browser does not say where a request comes from, or no row can be written, the page itself is the answer, as before
there were names. Knows no page: those that show one say so in `SHOWS`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import ImmutableMultiDict

from reporting.clock import MINUTE
from reporting.sessions import replays, tickets
from reporting.sessions.page_rows import CannotKeep, new_name
from reporting.sessions.replays import LEFT, NOTED
from reporting.sessions.tickets import Ticket
from reporting.web.access.audience import ANYBODY, Pages
from reporting.web.access.tickets import seeds, ticket_in, typed_ticket
from reporting.web.access.traits import START, limited, url_of
from reporting.web.context import SEEN, installation
from reporting.web.errors import AGAIN, MAY_PASS
from reporting.web.limits import TURNING, WALKING
from reporting.web.logging import note_failure

blueprint = Pages("trail", __name__, ANYBODY, limit=TURNING)
# Over https WebKit tells of Back, forward and reload only that they come from nowhere else; its pages are known by what
# it does not send with a form. Tried in WebKitGTK 2.50 over https, not on an iPhone.
WEBKIT_WALKS = True
SHOWN = 15 * MINUTE  # seconds after her last step that its page is shown
RECEIPT_SHOWN = 5 * MINUTE  # the same for a receipt
OF_THE_WALK = {"w", "c"}  # in a ticket: the name of its trail, and its steps
AFTER_ALL = frozenset({400, 413, *MAY_PASS})  # trouble that is told on a page of her trip


@dataclass(slots=True)
class Trail:
    """The pages of one name: where she has been, her last step, what its page shows. Times in seconds since 1970."""

    kind: str
    trip: str
    state: dict[str, Any]
    expires: int | None = None  # of a stay in a case: fifteen minutes after it began
    name: str = field(default_factory=new_name)
    tags: str = field(default_factory=lambda: os.urandom(16).hex())  # steps are named by it: an address tells none
    been: list[str] = field(default_factory=list)
    step: str = ""
    count: int = 0  # steps by POST; of a row and a ticket the higher one holds what she said last
    posted: int = 0
    said: dict[str, Any] = field(default_factory=dict)  # about the last step: a sentence, a status, what was typed
    webkit: bool = False

    def to_row(self) -> dict[str, Any]:
        """All but its name, which is kept nowhere."""
        return {part: getattr(self, part) for part in self.__slots__ if part != "name"}

    def about(self, step: str) -> Mapping[str, Any]:
        """What was said about a step; nothing about any but the last."""
        return self.said if step == self.step else {}

    def status(self, step: str) -> int:
        """The status of a step's page."""
        return int(self.about(step).get("code", SEEN))

    def typed(self, step: str) -> ImmutableMultiDict[str, str] | None:
        """What she typed there and has to set right."""
        fields = self.about(step).get("typed")
        return None if fields is None else ImmutableMultiDict(fields)

    def tag(self, step: str) -> str:
        """How a step is spelt in an address."""
        return hmac.digest(bytes.fromhex(self.tags), step.encode(), hashlib.sha256).hex()[:8]

    @property
    def age(self) -> float:
        """Seconds since her last step."""
        return installation().clock() - self.posted


Show = Callable[[Trail, str, str | None], ResponseReturnValue]  # (trail, step, how the trip has ended)
SHOWS: dict[str, Show] = {}  # kind of trail, kind/verb or /verb of a step -> what shows it


def shows(*kinds: str) -> Callable[[Show], Show]:
    """Say that a function shows the steps of these kinds."""

    def noted(show: Show) -> Show:
        SHOWS.update(dict.fromkeys(kinds, show))
        return show

    return noted


# ── arriving ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TicketCheck:
    """A request with its ticket: how far its trip has ended, whether its page may be shown, the trail it belongs to."""

    ticket: Ticket
    ended: str | None
    shown: bool
    row: Trail | None
    count: int  # steps that the ticket knows of


def check_ticket(purpose: str) -> TicketCheck | None:
    """None when the ticket is forged, foreign or expired. Names the trip for the way out."""
    came, site = _arrival(purpose), installation()
    if came is None or came.row is not None or purpose != "draft":
        return came
    try:  # no row knows when this ticket was used
        with site.writing_relaxed() as db:
            ended, young = replays.use(db, seeds(db), site.settings.server_secret, came.ticket, site.clock())
    except SQLAlchemyError as trouble:  # the disk is full, or somebody holds the database: she goes on unnoted
        note_failure(trouble)
        return came
    return replace(came, ended=ended, shown=young)


def _arrival(purpose: str) -> TicketCheck | None:
    site = installation()
    with site.looking() as db:
        ticket = ticket_in(typed_ticket(), purpose, db)
        if ticket is None:
            return None
        g.trip = ticket.trip
        ended, young = replays.look(db, seeds(db), site.settings.server_secret, ticket, site.clock())
    row, count = _row_of(ticket), int(ticket.state.get("c", 0))
    state = {name: part for name, part in ticket.state.items() if name not in OF_THE_WALK}
    g.repeated = row is not None and row.count > count  # from another tab, or what was answered before
    late = row is not None and g.repeated and row.age > SHOWN
    newest = row.state if row is not None and g.repeated and row.kind == purpose else state
    return TicketCheck(replace(ticket, state=newest), ended, young and not late, row, count)


def _row_of(ticket: Ticket) -> Trail | None:
    row = opened(str(ticket.state.get("w", ""))) if can_walk() else None
    return row if row is not None and row.trip == ticket.trip else None


def opened(name: str) -> Trail | None:
    """The trail of a name, if its row is there."""
    row = installation().rows.read(name, installation().clock()) if name else None
    return None if row is None else Trail(**row, name=name)


def can_walk() -> bool:
    """Whether this form comes from a page of ours and its browser says so, now and when she walks back."""
    from_here = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return from_here and (WEBKIT_WALKS or not _is_webkit())


def _is_webkit() -> bool:
    return "Sec-Fetch-User" not in request.headers


# ── answering ───────────────────────────────────────────────────────────────────────────────────────────────


def follow(came: TicketCheck, kind: str, expires: int | None = None) -> Trail:
    """The trail that a request goes on with: its row's, with what she said last; a new one where there is none."""
    state, row = dict(came.ticket.state), came.row
    count = max(row.count if row else 0, came.count)
    if row is None or row.kind != kind:
        return Trail(kind, came.ticket.trip, state, expires, count=count)
    row.state, row.count = state, count
    return row


def answer(trail: Trail, step: str, **said: Any) -> ResponseReturnValue:
    """Off to a step of the trail; where that cannot be, its page at once. `said` is told there."""
    site = installation()
    trail.step, trail.said, trail.count = step, said, trail.count + 1
    trail.posted = trail.posted if g.get("repeated") and trail.posted else int(site.clock())
    trail.webkit = _is_webkit()
    if step not in trail.been:
        trail.been.append(step)
    if can_walk():
        try:
            purpose = "draft" if trail.kind == "draft" and "sent" not in trail.state else "case"
            site.rows.write(trail.name, trail.trip, purpose, trail.to_row(), len(trail.been), site.clock())
        except CannotKeep:
            return show(trail, step, how_ended(trail.trip))
        if how_ended(trail.trip) == LEFT:  # she left meanwhile, in another tab
            site.rows.erase([trail.trip])
            return home()
        return redirect(url_for("trail.page", lang=g.lang, name=trail.name, step=trail.tag(step)), 303)
    return show(trail, step, how_ended(trail.trip))


def home(sentence: str = "", code: int = SEEN) -> ResponseReturnValue:
    """To the page that anybody may look at, perhaps with a sentence. It belongs to no trip."""
    if sentence:
        return answer(Trail("note", "", {}), "note", sentence=sentence, code=code)
    return redirect(url_of(START), 303) if can_walk() else start_page()


def start_page(sentence: str = "") -> ResponseReturnValue:
    """The start page as the answer, where the page that was asked for may not be shown."""
    return show(Trail("note", "", {}, step="note", said={"sentence": sentence}), "note", None)


def how_ended(trip: str) -> str | None:
    """SENT, NOTED, LEFT, or None while the trip goes on."""
    site = installation()
    if not trip:
        return None
    with site.looking() as db:
        return replays.how_ended(db, site.settings.server_secret, trip, seeds(db))


def end(trips: Iterable[str], how: str) -> None:
    """Note that they are over, for good, and erase what their pages showed. Where nothing can be noted it goes on."""
    site, gone = installation(), tuple(trips)
    try:
        with site.writing(short_wait=True) as db:
            for trip in gone:
                sent = how == NOTED and replays.how_ended(db, site.settings.server_secret, trip) is None
                replays.end_trip(db, site.settings.server_secret, trip, LEFT if sent else how, site.clock())
    except SQLAlchemyError as trouble:
        note_failure(trouble)
    site.rows.erase(gone)


# ── showing ─────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/<lang>/p/<name>/<step>")
@limited(WALKING)
def page(name: str, step: str) -> ResponseReturnValue:
    """A step of a trail, to who walks there. Whatever does not hold: the same start page."""
    trail = opened(name)
    if trail is None or not _walks_here(trail):
        return start_page()
    known = next((shown for shown in trail.been if hmac.compare_digest(trail.tag(shown).encode(), step.encode())), None)
    return start_page() if known is None else show(trail, known, how_ended(trail.trip))


def _walks_here(trail: Trail) -> bool:
    """303, Back, forward, reload and a restored session tell where they come from; an address typed or sent does not.

    WebKit tells it with the address of the page before.
    """
    site = request.headers.get("Sec-Fetch-Site")
    ours = urlsplit(request.headers.get("Referer", "")).netloc == request.host
    return site == "same-origin" or (site == "none" and trail.webkit and ours)


def show(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """The page of a step, drawn by the function that shows steps of its kind."""
    g.trail, g.trip = (trail, trail.trip) if trail.trip else (None, None)
    verb = step.partition("-")[0]
    known = (f"{trail.kind}/{verb}", f"/{verb}", trail.kind)
    return next(SHOWS[key] for key in known if key in SHOWS)(trail, step, ended)


# ── when it does not go through ─────────────────────────────────────────────────────────────────────────────


def trouble_on_the_way(code: int, sentence: str) -> ResponseReturnValue | None:
    """The page of an error as a step of the trail it happened on; None where there is no trail."""
    if request.method != "POST" or code not in AFTER_ALL or not can_walk():
        return None
    trail = _trail_of_request(whole=code != 413)  # noqa: PLR2004 -- what is too large was not read
    if trail is None:
        return None
    again = {AGAIN: {"path": request.path, "form": request.form.to_dict(flat=False)}} if code in MAY_PASS else {}
    return answer(trail, "again", sentence=sentence, code=code, **again)


def _trail_of_request(*, whole: bool) -> Trail | None:
    """By its ticket; where the form could not be read, by the page that it was sent from."""
    for purpose in tickets.TICKET_LIFE if whole else ():
        came = _arrival(purpose)
        if came is not None:
            return follow(came, came.row.kind if came.row else "lost", came.ticket.expires)
    parts = urlsplit(request.headers.get("Referer", "")).path.split("/")
    return opened(parts[3]) if parts[2:3] == ["p"] and len(parts) == 5 else None  # noqa: PLR2004 -- "", lang, p, name, step
