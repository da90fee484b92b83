"""Tickets: the whole state of a reporter's trip, sealed into one hidden field. Nothing of it stays here.

The key needs the seed of the day and the server's secret. Knows no database, no case and no question.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reporting.clock import DAY, HOUR, MINUTE
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.sessions.day_seeds import Seeds, seed_of

# purpose -> seconds a ticket is good for
TICKET_LIFE = {"visit": 15 * MINUTE, "draft": 48 * HOUR}
TICKET_STEP = 256  # bytes; a ticket's length tells little more than which page it is from
SPELLING = re.compile(r"([vd])(0|[1-9][0-9]{0,6})\.((?:[A-Za-z0-9_-]{4})+(?:[A-Za-z0-9_-]{2,3})?)", re.ASCII)


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
    known: Seeds,
    server_secret: bytes,
    purpose: str,
    trip: str,
    step: str,
    state: Mapping[str, Any],
    now: float,
    expires: int | None = None,
) -> str:
    """Seal a trip's state into one field. A visit keeps the expiry it began with."""
    today = int(now) // DAY
    day = max((day for day, kind in known if kind == purpose and day <= today), default=today)  # the newest there is
    until = int(now) + TICKET_LIFE[purpose] if expires is None else expires
    content = {"trip": trip, "step": step, "issued": int(now), "expires": until, "state": dict(state)}
    raw = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
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
    content = json.loads(sealing.unwrap(key, _ticket_place(purpose, day), sealed))
    if now > content["expires"]:
        raise CannotOpen
    return Ticket(
        purpose, content["trip"], content["step"], content["issued"], content["expires"], content["state"], sealed
    )


def trip_of(known: Seeds, server_secret: bytes, text: str, now: float) -> str | None:
    """The trip of a ticket of either kind, for the way out; None where it is no ticket of ours."""
    for purpose in TICKET_LIFE:
        try:
            return read_ticket(known, server_secret, purpose, text, now).trip
        except CannotOpen:
            continue
    return None


def _ticket_key(known: Seeds, server_secret: bytes, purpose: str, day: int, now: float) -> bytes:
    return sealing.derive(server_secret + seed_of(known, day, purpose, now), f"ticket {purpose}")


def _ticket_place(purpose: str, day: int) -> SealContext:
    return SealContext("ticket", day, 0, purpose, 1)
