"""Day seeds: random bytes of a day without which no ticket and no session of that day opens.

A seed dies, so no saved page and no restored copy outlives it. How long each lives stands here. Knows neither
what a ticket holds nor who signed in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reporting.clock import DAY, HOUR, MINUTE
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen
from reporting.storage.database import Line as Line
from reporting.storage.database import add_once
from reporting.storage.models import MarkRow, SeedRow, SessionRow

# purpose -> seconds a day's seed outlives its day's start. A seed made at 0:00 must serve a ticket of 23:59.
SEED_LIFE = {"visit": 26 * HOUR, "draft": (24 + 48) * HOUR, "staff": (24 + 8) * HOUR}
STAFF_IDLE, STAFF_LIFE = 15 * MINUTE, 8 * HOUR
Seeds = Mapping[tuple[int, str], bytes]  # (day, purpose) -> seed


def seeds(db: Line) -> Seeds:
    """Every seed that still lies there; a request reads them once."""
    return {(day, purpose): seed for day, purpose, seed in db.execute(_ALL_SEEDS)}


_ALL_SEEDS = select(*SeedRow.__table__.c["day", "purpose", "seed"])


def seed_of(known: Seeds, day: int, purpose: str, now: float) -> bytes:
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
    db.execute(delete(SessionRow).where((SessionRow.day + 1) * DAY + STAFF_LIFE < int(now)))


def forget_all(db: Session) -> None:
    """Every seed and every session goes: no ticket, draft, receipt page or cookie made until now opens anything."""
    db.execute(delete(SeedRow))
    db.execute(delete(SessionRow))


def sender_mark(server_secret: bytes, address: str, now: float) -> str:
    """Under what somebody's requests are counted: the key changes every hour and is never stored."""
    hour_key = sealing.derive(server_secret, "limits", (int(now) // HOUR).to_bytes(8, "big"))
    return sealing.derive(hour_key, "sender", address.encode("utf-8", "replace"), 12).hex()
