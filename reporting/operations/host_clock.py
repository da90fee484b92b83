"""What the machine below an installation tells of itself: its clock. No network is asked, so little can be known.

Windows of hours, six digits, keys of a month and every period of the sweep hang on the clock.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from reporting.clock import HOUR, MINUTE
from reporting.i18n import T_, said

TIMESYNC = Path("/run/systemd/timesync/synchronized")  # there once systemd's own client has asked for the time
NOT_SET = 5  # TIME_ERROR of adjtimex(2): the kernel was told by nobody that its clock is right
TIMEX = 512  # bytes; its structure takes 208 on 64-bit Linux, and nothing of it is read
BEHIND = T_(
    "The clock is at least %(hours)s hours behind: files of %(folder)s are from later than now. Switch a time service "
    "on (timedatectl set-ntp true), or set the clock by hand."
)
NOBODY_KEEPS_IT = T_(
    "No time service keeps the clock of this computer: windows of hours and six digits go wrong. Switch a time service "
    "on (timedatectl set-ntp true), or set the clock by hand."
)


APART = 60  # seconds
OF_THE_DATABASE = T_(
    "The clock of the database is %(minutes)s minutes away from that of this computer: one of the two is wrong. Switch "
    "a time service on in both (timedatectl set-ntp true)."
)


def of_database(db: Session) -> float | None:
    """Seconds by which the clock of a database elsewhere is ahead of ours; None where it is on this computer."""
    if db.get_bind().dialect.name != "postgresql":
        return None
    return float(db.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0) - time.time()


def clock_is_set() -> bool | None:
    """Whether the system says that a time service keeps its clock; None where it says nothing."""
    if TIMESYNC.exists():
        return True
    with suppress(OSError, AttributeError, TypeError):  # no Linux, or a unit that may not ask
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX))
        return None if state < 0 else bool(state != NOT_SET)
    return None


def clock_problems(
    instance: Path,
    now: float,
    is_set: bool | None,  # noqa: FBT001 -- looked up once
    ahead: float | None = None,
) -> Iterator[str]:
    """What is wrong with the clock, each in a sentence that says what to do."""
    newest = max((path.stat().st_mtime for path in instance.iterdir()), default=now)
    if newest > now + HOUR:
        yield said(BEHIND, hours=int((newest - now) // HOUR), folder=instance)
    if ahead is not None and abs(ahead) > APART:
        yield said(OF_THE_DATABASE, minutes=round(abs(ahead) / MINUTE))
    if is_set is False:
        yield NOBODY_KEEPS_IT
