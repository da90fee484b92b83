"""What the machine below an installation tells of itself: its clock. No network is asked, so little can be known.

Windows of hours, six digits, keys of a month and every period of the sweep hang on the clock.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reporting.clock import HOUR
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


def clock_is_set() -> bool | None:
    """Whether the system says that a time service keeps its clock; None where it says nothing."""
    if TIMESYNC.exists():
        return True
    with suppress(OSError, AttributeError, TypeError):  # no Linux, or a unit that may not ask
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX))
        return None if state < 0 else bool(state != NOT_SET)
    return None


def clock_problems(instance: Path, now: float, is_set: bool | None) -> Iterator[str]:  # noqa: FBT001 -- looked up once
    """What is wrong with the clock, each in a sentence that says what to do."""
    newest = max((path.stat().st_mtime for path in instance.iterdir()), default=now)
    if newest > now + HOUR:
        yield said(BEHIND, hours=int((newest - now) // HOUR), folder=instance)
    if is_set is False:
        yield NOBODY_KEEPS_IT
