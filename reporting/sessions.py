"""Short-lived things: day seeds, a reporter's tickets and ended trips, a staff member's session.

A ticket is the whole state of a reporter's trip, sealed into one hidden field: nothing of it stays here. Its key
needs the day's seed, which dies, so no saved page and no restored copy outlives it. Staff keys lie in their
session row under a key that only the cookie gives. Knows neither cases nor questions.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from reporting import sealing
from reporting.database import Line as Line
from reporting.database import add_once
from reporting.keyring import Keys
from reporting.models import MarkRow, SeedRow, SessionRow
from reporting.sealing import CannotOpen, Place

HOUR, MINUTE = 3600, 60
DAY = 24 * HOUR

# purpose -> seconds a day's seed outlives its day's start. A seed made at 0:00 must serve a ticket of 23:59.
SEED_LIFE = {"visit": 26 * HOUR, "draft": (24 + 48) * HOUR, "staff": (24 + 8) * HOUR}
# purpose -> seconds a ticket is good for
TICKET_LIFE = {"visit": 15 * MINUTE, "draft": 48 * HOUR}
DRAFT_SHOWN = 2 * HOUR  # a draft is shown so long; afterwards it can only be sent unseen
SHOWN_AGAIN = 15 * MINUTE  # a page asked for a second time is shown so long after the first
STAFF_IDLE, STAFF_LIFE = 15 * MINUTE, 8 * HOUR
TICKET_STEP = 256  # bytes; a ticket's length tells little more than which page it is from
SPELLING = re.compile(r"([vd])(0|[1-9][0-9]{0,6})\.((?:[A-Za-z0-9_-]{4})+(?:[A-Za-z0-9_-]{2,3})?)", re.ASCII)
SENT, NOTED, LEFT = "sent", "noted", "left"  # how far a trip has ended; it never goes back
ENDINGS = (SENT, NOTED, LEFT)


# ── day seeds ───────────────────────────────────────────────────────────────────────────────────────────────


Seeds = Mapping[tuple[int, str], bytes]  # (day, purpose) -> seed


def seeds(db: Line) -> Seeds:
    """Every seed that still lies there; a request reads them once."""
    return {(day, purpose): seed for day, purpose, seed in db.execute(_ALL_SEEDS)}


_ALL_SEEDS = select(*SeedRow.__table__.c["day", "purpose", "seed"])


def _seed(known: Seeds, day: int, purpose: str, now: float) -> bytes:
    """The seed of a day, or `CannotOpen` when it has died."""
    seed = known.get((day, purpose))
    if seed is None or now > day * DAY + SEED_LIFE[purpose]:
        raise CannotOpen
    return seed


def open_day(db: Session, now: float) -> None:
    """Make today's seeds where they are missing and forget the dead ones. Call it in a write transaction."""
    today = int(now) // DAY
    for purpose, life in SEED_LIFE.items():
        db.execute(delete(SeedRow).where(SeedRow.purpose == purpose, SeedRow.day * DAY + life < int(now)))
        # where another worker was first, its seed is as good
        add_once(db, SeedRow.__table__, {"day": today, "purpose": purpose, "seed": os.urandom(32)})
    db.execute(delete(MarkRow).where(MarkRow.forget_after < today))
    db.execute(delete(SessionRow).where(SessionRow.started + STAFF_LIFE < int(now)))


def forget_all(db: Session) -> None:
    """Every seed and every session goes: no ticket, draft, receipt page or cookie made until now opens anything."""
    db.execute(delete(SeedRow))
    db.execute(delete(SessionRow))


def sender_mark(server_secret: bytes, address: str, now: float) -> str:
    """Under what somebody's requests are counted: the key changes every hour and is never stored."""
    hour_key = sealing.derive(server_secret, "limits", (int(now) // HOUR).to_bytes(8, "big"))
    return sealing.derive(hour_key, "sender", address.encode("utf-8", "replace"), 12).hex()


# ── tickets ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Ticket:
    """The state of one trip on one page. `issued` and `expires` are seconds since 1970."""

    purpose: str
    trip: str
    step: str
    issued: int
    expires: int
    state: Mapping[str, Any]
    sealed: bytes = field(repr=False)  # what it is known again by: its spelling can be changed, this cannot


def new_trip() -> str:
    """A random name for a trip: 128 bits."""
    return os.urandom(16).hex()


def trips_in(text: str) -> tuple[str, ...]:
    """The trips named in a field of the exit, two at most; whatever is not shaped like one of ours is left out."""
    return tuple(re.findall(r"\b[0-9a-f]{32}\b", text[:99]))[:2]


def write_ticket(
    known: Seeds, server_secret: bytes, purpose: str, trip: str, step: str, state: Mapping[str, Any], now: float,
    expires: int | None = None,
) -> str:  # fmt: skip
    """Seal a trip's state into one field. A visit keeps the expiry it began with."""
    today = int(now) // DAY
    day = max((day for day, kind in known if kind == purpose and day <= today), default=today)  # the newest there is
    until = int(now) + TICKET_LIFE[purpose] if expires is None else expires
    told = {"trip": trip, "step": step, "issued": int(now), "expires": until, "state": dict(state)}
    raw = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    filled = raw + b" " * (-len(raw) % TICKET_STEP)
    sealed = sealing.wrap(_ticket_key(known, server_secret, purpose, day, now), _ticket_place(purpose, day), filled)
    return f"{purpose[0]}{day}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def read_ticket(known: Seeds, server_secret: bytes, purpose: str, text: str, now: float) -> Ticket:
    """The ticket behind a field. `CannotOpen` if it is forged, foreign, of another purpose or expired."""
    spelt = SPELLING.fullmatch(text)
    if spelt is None or spelt[1] != purpose[0] or int(spelt[2]) > int(now) // DAY:
        raise CannotOpen
    day = int(spelt[2])
    sealed = base64.urlsafe_b64decode(spelt[3] + "=" * (-len(spelt[3]) % 4))
    key = _ticket_key(known, server_secret, purpose, day, now)
    told = json.loads(sealing.unwrap(key, _ticket_place(purpose, day), sealed))
    if now > told["expires"]:
        raise CannotOpen
    return Ticket(purpose, told["trip"], told["step"], told["issued"], told["expires"], told["state"], sealed)


def trip_of(known: Seeds, server_secret: bytes, text: str, now: float) -> str | None:
    """The trip of a ticket of either kind, for the way out; None where it is no ticket of ours."""
    for purpose in TICKET_LIFE:
        try:
            return read_ticket(known, server_secret, purpose, text, now).trip
        except CannotOpen:
            continue
    return None


def _ticket_key(known: Seeds, server_secret: bytes, purpose: str, day: int, now: float) -> bytes:
    return sealing.derive(server_secret + _seed(known, day, purpose, now), f"ticket {purpose}")


def _ticket_place(purpose: str, day: int) -> Place:
    return Place("ticket", day, 0, purpose, 1)


# ── what must be known again of a trip ──────────────────────────────────────────────────────────────────────


def end_trip(db: Session, server_secret: bytes, trip: str, how: str, now: float) -> bool:
    """Note that a trip has ended: every repeat of its requests now gets a neutral page. It is never taken back.

    True when nothing had ended it before.
    """
    known = seeds(db)
    if not _marking(known):
        open_day(db, now)
        known = seeds(db)
    before = _noted(db, known, server_secret, trip)
    if before is None:
        mark = _marks_of(known, server_secret, TRIP, trip.encode("utf-8", "replace"))[0]
        if _mark(db, mark.name, mark.seal(how.encode().ljust(TOLD)), now):
            return True
        before = mark, how
    mark, told = before
    row = db.get_one(MarkRow, mark.name, with_for_update=True)
    if ENDINGS.index(how) > ENDINGS.index(told):
        row.told = mark.seal(how.encode().ljust(TOLD))
        db.flush()
    return False


def how_ended(db: Line, server_secret: bytes, trip: str, known: Seeds | None = None) -> str | None:
    """SENT, NOTED, LEFT, or None while the trip goes on."""
    noted = _noted(db, seeds(db) if known is None else known, server_secret, trip)
    return noted[1] if noted else None


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
    found = _told(db, marks)
    if found:
        first = int.from_bytes(found[1], "big")
    else:
        first = int(now)
        _mark(db, marks[0].name, marks[0].seal(first.to_bytes(TOLD, "big")), now)
    young = now <= min(first + SHOWN_AGAIN, ticket.issued + DRAFT_SHOWN)
    return how_ended(db, server_secret, ticket.trip, known), young


# What is known again lies under a name that only the server's secret and a seed give, and what is told of it is
# sealed: with the seed both say nothing to anybody, even to somebody who knows the trip.
TRIP, USED = "trip", "ticket"
TOLD = 8  # bytes of what is told, whatever it is
MARKING = "draft"  # the purpose of the seeds: they live as long as any ticket of a trip


@dataclass(frozen=True, slots=True)
class _Mark:
    """The name of a mark under one seed, and the key of what it tells."""

    name: bytes
    key: bytes

    def seal(self, told: bytes) -> bytes:
        return sealing.wrap(self.key, _MARK_PLACE, told) if self.key else told.rstrip()

    def open(self, sealed: bytes) -> bytes:
        return sealing.unwrap(self.key, _MARK_PLACE, sealed) if self.key else sealed


_MARK_PLACE = Place("trip_mark", 0, 0, "told", 1)


def _former(trip: str) -> _Mark:
    """As versions up to 2026 noted it, in the clear: for four days after an upgrade such a note still counts."""
    return _Mark(sealing.digest(b"trip " + trip.encode("utf-8", "replace")), b"")


def _marking(known: Seeds) -> list[bytes]:
    """The seeds of marks, the newest first."""
    return [known[day] for day in sorted((one for one in known if one[1] == MARKING), reverse=True)]


def _marks_of(known: Seeds, server_secret: bytes, kind: str, what: bytes) -> list[_Mark]:
    both = [sealing.derive(server_secret + seed, f"mark {kind}", what, 64) for seed in _marking(known)]
    return [_Mark(one[:32], one[32:]) for one in both]


def _noted(db: Line, known: Seeds, server_secret: bytes, trip: str) -> tuple[_Mark, str] | None:
    marks = _marks_of(known, server_secret, TRIP, trip.encode("utf-8", "replace"))
    found = _told(db, [*marks, _former(trip)])
    return (found[0], found[1].decode().rstrip()) if found else None


def _told(db: Line, marks: list[_Mark]) -> tuple[_Mark, bytes] | None:
    rows = {name: told for name, told in db.execute(_SOME_MARKS, {"wanted": [mark.name for mark in marks]})}  # noqa: C416 -- rows are no pairs to the type checker
    return next(((mark, mark.open(rows[mark.name])) for mark in marks if mark.name in rows), None)


_MARKS = MarkRow.__table__.c
_SOME_MARKS = select(_MARKS.mark, _MARKS.told).where(_MARKS.mark.in_(bindparam("wanted", expanding=True)))


def _mark(db: Line, mark: bytes, told: bytes, now: float) -> bool:
    """Whether it was new: the same request may come twice at once."""
    last_ticket_day = (int(now) + SEED_LIFE["draft"]) // DAY
    row = {"mark": mark, "told": told, "forget_after": last_ticket_day + 1}
    return add_once(db, MarkRow.__table__, row)


# ── staff sessions ──────────────────────────────────────────────────────────────────────────────────────────


def begin(db: Session, keys: Keys, now: float) -> str:
    """Start a session and return its token, for the cookie. Only its hash is kept."""
    token, day = os.urandom(32), int(now) // DAY
    sealed = sealing.seal(_session_key(db, token, day, now), _session_place(token), keys.to_bytes())
    db.add(
        SessionRow(id=_session_id(token), member=keys.member, day=day, started=int(now), seen=int(now), sealed=sealed)
    )
    db.flush()
    return token.hex()


def resume(db: Session, token: str, now: float) -> Keys:
    """The keys of a running session; `CannotOpen` when it is unknown, idle for 15 minutes or 8 hours old."""
    raw = _raw(token)
    row = db.get(SessionRow, _session_id(raw))
    if row is None or now > row.seen + STAFF_IDLE or now > row.started + STAFF_LIFE:
        raise CannotOpen
    return Keys.from_bytes(sealing.open_sealed(_session_key(db, raw, row.day, now), _session_place(raw), row.sealed))


def touch(db: Session, token: str, now: float) -> None:
    """She is still there."""
    row = db.get(SessionRow, _session_id(_raw(token)))
    if row is not None:
        row.seen = int(now)


def refresh(db: Session, token: str, keys: Keys, now: float) -> None:
    """Put newly won keys into a running session."""
    raw = _raw(token)
    row = db.get_one(SessionRow, _session_id(raw))
    row.sealed = sealing.seal(_session_key(db, raw, row.day, now), _session_place(raw), keys.to_bytes())


def end(db: Session, token: str) -> None:
    """Sign out: the row and with it the keys are gone."""
    db.execute(delete(SessionRow).where(SessionRow.id == _session_id(_raw(token))))


def end_all(db: Session, member: int, but: str = "") -> int:
    """End every session of a member, but perhaps her own one. Returns how many."""
    kept = _session_id(_raw(but)) if but else b""
    rows = db.scalars(select(SessionRow).where(SessionRow.member == member, SessionRow.id != kept)).all()
    for row in rows:
        db.delete(row)
    db.flush()
    return len(rows)


@dataclass(frozen=True, slots=True)
class Sitting:
    """One running session, as its owner sees it: when it began and was last used (seconds), whether it is this one."""

    started: int
    seen: int
    this: bool


def sittings(db: Session, token: str, member: int, now: float) -> tuple[Sitting, ...]:
    """Her running sessions, the newest first."""
    this = _session_id(_raw(token))
    rows = db.scalars(select(SessionRow).where(SessionRow.member == member).order_by(SessionRow.started.desc()))
    alive = (row for row in rows if now <= min(row.seen + STAFF_IDLE, row.started + STAFF_LIFE))
    return tuple(Sitting(row.started, row.seen, row.id == this) for row in alive)


def names(db: Session, member: int, but: str = "") -> tuple[str, ...]:
    """The names of her sessions, but perhaps of her own one."""
    kept = name_of(but) if but else ""
    rows = db.scalars(select(SessionRow.id).where(SessionRow.member == member))
    return tuple(row.hex() for row in rows if row.hex() != kept)


def name_of(token: str) -> str:
    """By what a session is known: it opens nothing. Of whatever else stands in a cookie, none."""
    try:
        return _session_id(_raw(token)).hex()
    except CannotOpen:
        return ""


def is_there(db: Session, token: str) -> bool:
    """Whether nobody has ended it."""
    return db.get(SessionRow, _session_id(_raw(token))) is not None


def form_token(token: str) -> str:
    """The value that staff forms carry against requests forged elsewhere; bound to the session."""
    return sealing.derive(_raw(token), "form token").hex()


def _raw(token: str) -> bytes:
    try:
        return bytes.fromhex(token)
    except ValueError:
        raise CannotOpen from None


def _session_id(token: bytes) -> bytes:
    return sealing.digest(b"session " + token)


def _session_key(db: Session, token: bytes, day: int, now: float) -> bytes:
    return sealing.derive(token + _seed(seeds(db), day, "staff", now), "session keys")


def _session_place(token: bytes) -> Place:
    return Place("staff_session", int.from_bytes(_session_id(token)[:7], "big"), 0, "keys", 1)
