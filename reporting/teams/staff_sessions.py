"""Staff sessions: the team keys of who is signed in, under a key that only the cookie gives.

That key needs the seed of the day, which dies. Knows neither cases nor cookies nor passwords.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reporting.clock import DAY
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.sessions.day_seeds import STAFF_IDLE, STAFF_LIFE, seed_of, seeds
from reporting.storage.models import SessionRow
from reporting.teams.keyring import Keys


def begin(db: Session, keys: Keys, now: float) -> str:
    """Start a session and return its token, for the cookie. Only its hash is kept."""
    token, day = os.urandom(32), int(now) // DAY
    number = _session_id(token)
    sealed = sealing.seal(_session_key(db, token, day, now), _keys_place(number), keys.to_bytes())
    db.add(SessionRow(id=number, member=keys.member, day=day, times=_seal_times(keys, number, now, now), sealed=sealed))
    db.flush()
    return token.hex()


def resume(db: Session, token: str, now: float) -> Keys:
    """The keys of a running session; `CannotOpen` when it is unknown, idle for 15 minutes or 8 hours old."""
    raw = raw_token(token)
    row = db.get(SessionRow, _session_id(raw))
    if row is None:
        raise CannotOpen
    key = _session_key(db, raw, row.day, now)
    keys = Keys.from_bytes(sealing.open_sealed(key, _keys_place(row.id), row.sealed))
    if not _is_alive(*_times_of(keys, row), now):
        raise CannotOpen
    return keys


def touch(db: Session, token: str, keys: Keys, now: float) -> None:
    """Note that a session was used at `now`, in seconds since 1970. Nothing happens where it has ended."""
    row = db.get(SessionRow, _session_id(raw_token(token)))
    if row is not None:
        row.times = _seal_times(keys, row.id, _times_of(keys, row)[0], now)


def go_on(db: Session, token: str, before: float, now: float) -> None:
    """A session that was alive `before` is as old `now` as it was then: for practice, where somebody moves the clock.

    Raises `CannotOpen` where it was not alive.
    """
    keys, raw = resume(db, token, before), raw_token(token)
    row = db.get_one(SessionRow, _session_id(raw))
    started, seen = (moment + now - before for moment in _times_of(keys, row))
    row.day, row.times = int(now) // DAY, _seal_times(keys, row.id, started, seen)
    refresh(db, token, keys, now)


def refresh(db: Session, token: str, keys: Keys, now: float) -> None:
    """Put newly won keys into a running session."""
    raw = raw_token(token)
    row = db.get_one(SessionRow, _session_id(raw))
    row.sealed = sealing.seal(_session_key(db, raw, row.day, now), _keys_place(row.id), keys.to_bytes())


def end(db: Session, token: str) -> None:
    """Sign out: the row and with it the keys are gone."""
    db.execute(delete(SessionRow).where(SessionRow.id == _session_id(raw_token(token))))


def end_all(db: Session, member: int, but: str = "") -> int:
    """End every session of a member, but perhaps the one in use. Returns how many."""
    kept = _session_id(raw_token(but)) if but else b""
    rows = db.scalars(select(SessionRow).where(SessionRow.member == member, SessionRow.id != kept)).all()
    for row in rows:
        db.delete(row)
    db.flush()
    return len(rows)


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One running session, as its owner sees it: when it began and was last used (seconds), whether it is this one."""

    started: int
    seen: int
    this: bool


def session_infos(db: Session, token: str, keys: Keys, now: float) -> tuple[SessionInfo, ...]:
    """The running sessions of the member with these keys, the newest first."""
    this = _session_id(raw_token(token))
    rows = db.scalars(select(SessionRow).where(SessionRow.member == keys.member))
    infos = [SessionInfo(*_times_of(keys, row), row.id == this) for row in rows]
    alive = (info for info in infos if _is_alive(info.started, info.seen, now))
    return tuple(sorted(alive, key=lambda info: info.started, reverse=True))


def names(db: Session, member: int, but: str = "") -> tuple[str, ...]:
    """The names of a member's sessions, but perhaps of the one in use."""
    kept = name_of(but) if but else ""
    rows = db.scalars(select(SessionRow.id).where(SessionRow.member == member))
    return tuple(row.hex() for row in rows if row.hex() != kept)


def name_of(token: str) -> str:
    """By what a session is known: it opens nothing. Of whatever else stands in a cookie, none."""
    try:
        return _session_id(raw_token(token)).hex()
    except CannotOpen:
        return ""


def is_there(db: Session, token: str) -> bool:
    """Whether nobody has ended it."""
    return db.get(SessionRow, _session_id(raw_token(token))) is not None


def form_token(token: str) -> str:
    """The value that staff forms carry against requests forged elsewhere; bound to the session."""
    return sealing.derive(raw_token(token), "form token").hex()


def raw_token(token: str) -> bytes:
    """The bytes of a token; `CannotOpen` where it is none."""
    try:
        return bytes.fromhex(token)
    except ValueError:
        raise CannotOpen from None


def _session_id(token: bytes) -> bytes:
    """Under what a session is stored: a digest, from which nobody makes the token again."""
    return sealing.digest(b"session " + token)


def _session_key(db: Session, token: bytes, day: int, now: float) -> bytes:
    return sealing.derive(token + seed_of(seeds(db), day, "staff", now), "session keys")


def _keys_place(number: bytes) -> SealContext:
    return SealContext("staff_session", int.from_bytes(number[:7], "big"), 0, "keys", 1)


# When a session began and was last used lies sealed to its member: a copy of the disk tells nobody's working hours.


def _seal_times(keys: Keys, number: bytes, started: float, seen: float) -> bytes:
    times = int(started).to_bytes(8, "big") + int(seen).to_bytes(8, "big")
    return sealing.seal(_times_key(keys), _times_place(number), times)


def _times_of(keys: Keys, row: SessionRow) -> tuple[int, int]:
    """When it began and when it was last used, in seconds since 1970."""
    times = sealing.open_sealed(_times_key(keys), _times_place(row.id), row.times)
    return int.from_bytes(times[:8], "big"), int.from_bytes(times[8:], "big")


def _times_place(number: bytes) -> SealContext:
    return SealContext("staff_session", int.from_bytes(number[:7], "big"), 0, "times", 1)


def _times_key(keys: Keys) -> bytes:
    return sealing.derive(keys.private, "session times")


def _is_alive(started: int, seen: int, now: float) -> bool:
    return now <= min(seen + STAFF_IDLE, started + STAFF_LIFE)
