"""Repeated requests: how a trip has ended, and whether its page may still be shown.

Of a trip only a hash is kept, for some days; when a ticket was first used is sealed under the ticket itself.
Knows neither what was told nor which case came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from reporting.clock import DAY, HOUR, MINUTE
from reporting.crypto import sealing
from reporting.crypto.sealing import SealContext
from reporting.sessions.day_seeds import SEED_LIFE, Seeds, open_day, seeds
from reporting.sessions.tickets import Ticket
from reporting.storage.database import Line, add_once
from reporting.storage.models import MarkRow

DRAFT_SHOWN = 2 * HOUR  # a draft is shown so long; afterwards it can only be sent unseen
SHOWN_AGAIN = 15 * MINUTE  # a page asked for a second time is shown so long after the first
SENT, NOTED, LEFT = "sent", "noted", "left"  # how far a trip has ended; it never goes back
ENDINGS = (SENT, NOTED, LEFT)


def end_trip(db: Session, server_secret: bytes, trip: str, how: str, now: float) -> bool:
    """Note that a trip has ended: every repeat of its requests now gets a neutral page. It is never taken back.

    True when nothing had ended it before.
    """
    known = seeds(db)
    if not _marking(known):
        open_day(db, now)
        known = seeds(db)
    before = found_mark(db, known, server_secret, trip)
    if before is None:
        mark = _marks_of(known, server_secret, TRIP, trip.encode("utf-8", "replace"))[0]
        if _mark(db, mark.name, mark.seal(_spelt(how, now)), now):
            return True
        before = mark, how.encode()
    mark, ended = before
    row = db.get_one(MarkRow, mark.name, with_for_update=True)
    if ENDINGS.index(how) > ENDINGS.index(_how(ended)):
        row.told = mark.seal(_spelt(how, now))
        db.flush()
    return False


def _spelt(how: str, now: float) -> bytes:
    """How a trip has ended; of one that was sent, in which minute since 1970."""
    minute = (int(now) // MINUTE).to_bytes(TOLD - len(SENT), "big") if how == SENT else b""
    return (how.encode() + minute).ljust(TOLD)


def _how(told: bytes) -> str:
    return next(how for how in ENDINGS if told.startswith(how.encode()))


def was_sent_now(db: Line, server_secret: bytes, trip: str, now: float) -> bool:
    """Whether a trip has ended by sending, so lately that what was sent may be shown once more."""
    noted = found_mark(db, seeds(db), server_secret, trip)
    if noted is None or _how(noted[1]) != SENT:
        return False
    minute = noted[1][len(SENT) :]
    return bool(minute.strip()) and now < (int.from_bytes(minute, "big") + 1) * MINUTE + SHOWN_AGAIN


def how_ended(db: Line, server_secret: bytes, trip: str, known: Seeds | None = None) -> str | None:
    """How a trip has ended: SENT, NOTED, LEFT, or None while it lasts."""
    noted = found_mark(db, seeds(db) if known is None else known, server_secret, trip)
    return _how(noted[1]) if noted else None


def look(db: Line, known: Seeds, server_secret: bytes, ticket: Ticket, now: float) -> tuple[str | None, bool]:
    """The same as `use` where nothing can be noted, or need be: how its trip has ended, whether its page may be shown.

    A draft is then shown for two hours, however often.
    """
    is_young = ticket.purpose != "draft" or now <= ticket.issued + DRAFT_SHOWN
    return how_ended(db, server_secret, ticket.trip, known), is_young


def use(db: Line, known: Seeds, server_secret: bytes, ticket: Ticket, now: float) -> tuple[str | None, bool]:
    """A draft's ticket is used: how its trip has ended, and whether its page may be shown.

    It may while it is young, and this is its first use or that was a moment ago. A browser's "resend" repeats a
    request that was answered before; whoever presses it later may be somebody else.
    """
    marks = _marks_of(known, server_secret, USED, ticket.sealed)
    noted = read_mark(db, marks)
    if noted:
        first = int.from_bytes(noted[1], "big")
    else:
        first = int(now)
        _mark(db, marks[0].name, marks[0].seal(first.to_bytes(TOLD, "big")), now)
    young = now <= min(first + SHOWN_AGAIN, ticket.issued + DRAFT_SHOWN)
    return how_ended(db, server_secret, ticket.trip, known), young


def is_first(db: Session, known: Seeds, server_secret: bytes, trip: str, what: str, now: float) -> bool:
    """Note that this was done on a trip; whether it was the first time. Nobody can tell from the note what or when."""
    marks = _marks_of(known, server_secret, ONCE, f"{trip} {what}".encode("utf-8", "replace"))
    return read_mark(db, marks) is None and _mark(db, marks[0].name, marks[0].seal(bytes(TOLD)), now)


# What is known again lies under a name that only the server's secret and a seed give, and what is told of it is
# sealed: with the seed both say nothing to anybody, even to somebody who knows the trip.
TRIP, USED, ONCE = "trip", "ticket", "once"
TOGETHER = 8  # days whose marks go on one day
TOLD = 8  # bytes of what is told, whatever it is
MARKING = "draft"  # the purpose of the seeds: they live as long as any ticket of a trip


@dataclass(frozen=True, slots=True)
class _Mark:
    """The name of a mark under one seed, and the key of what it tells."""

    name: bytes
    key: bytes

    def seal(self, content: bytes) -> bytes:
        return sealing.wrap(self.key, _MARK_PLACE, content) if self.key else content.rstrip()

    def open(self, sealed: bytes) -> bytes:
        return sealing.unwrap(self.key, _MARK_PLACE, sealed) if self.key else sealed


_MARK_PLACE = SealContext("trip_mark", 0, 0, "told", 1)


def _former(trip: str) -> _Mark:
    """As versions up to 2026 noted it, in the clear: for four days after an upgrade such a note still counts."""
    return _Mark(sealing.digest(b"trip " + trip.encode("utf-8", "replace")), b"")


def _marking(known: Seeds) -> list[bytes]:
    """The seeds of marks, the newest first."""
    return [known[day] for day in sorted((seed for seed in known if seed[1] == MARKING), reverse=True)]


def _marks_of(known: Seeds, server_secret: bytes, kind: str, what: bytes) -> list[_Mark]:
    both = [sealing.derive(server_secret + seed, f"mark {kind}", what, 64) for seed in _marking(known)]
    return [_Mark(derived[:32], derived[32:]) for derived in both]


def found_mark(db: Line, known: Seeds, server_secret: bytes, trip: str) -> tuple[_Mark, bytes] | None:
    """The mark of a trip and what it tells; None while it goes on."""
    marks = _marks_of(known, server_secret, TRIP, trip.encode("utf-8", "replace"))
    return read_mark(db, [*marks, _former(trip)])


def read_mark(db: Line, marks: list[_Mark]) -> tuple[_Mark, bytes] | None:
    """The first of these marks that is there, opened."""
    wanted = {f"mark_{place}": mark.name for place, mark in enumerate(marks)}
    rows = {row.mark: row.told for row in db.execute(_some_marks(len(marks)), wanted)}
    return next(((mark, mark.open(rows[mark.name])) for mark in marks if mark.name in rows), None)


_MARKS = MarkRow.__table__.c


@cache
def _some_marks(count: int) -> Select[tuple[bytes, bytes]]:
    """The question for so many marks, written once: a list of any length is written anew at each request."""
    return select(_MARKS.mark, _MARKS.told).where(or_(*(_MARKS.mark == bindparam(f"mark_{n}") for n in range(count))))


def _mark(db: Line, mark: bytes, content: bytes, now: float) -> bool:
    """Whether it was new: the same request may come twice at once."""
    last_ticket_day = (int(now) + SEED_LIFE["draft"]) // DAY
    row = {"mark": mark, "told": content, "forget_after": (last_ticket_day // TOGETHER + 1) * TOGETHER}
    return add_once(db, MarkRow.__table__, row)
