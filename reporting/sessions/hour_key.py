"""A key that the processes of a server hold for one hour, in memory only: by it a sender is known again in that hour.

It is never written anywhere and never derived from what is. With the hour it is overwritten, and from then on nothing
says whose a number made with it was: not the disk, not the server's secret, not a list of every address there is. Knows
no sender and no case.
"""

from __future__ import annotations

import mmap
import os
from typing import Final

from reporting.clock import HOUR
from reporting.crypto import sealing

HOUR_BYTES: Final = 8


class HourKey:
    """The key of the hour. Made before the workers are forked, so that they share it, as one memory that has no file.

    Two workers that begin an hour in the same moment may each draw one, and the later stays: who sent in between counts
    as one sender more. No lock is worth that.
    """

    def __init__(self) -> None:
        self._held = mmap.mmap(-1, HOUR_BYTES + sealing.KEY)

    def of(self, hour: int) -> bytes:
        """The key of an hour (since 1970), drawn when it is first asked for. The one of the hour before is gone."""
        named = hour.to_bytes(HOUR_BYTES, "big")
        if self._held[:HOUR_BYTES] != named:
            self._held[HOUR_BYTES:] = os.urandom(sealing.KEY)
            self._held[:HOUR_BYTES] = named
        return self._held[HOUR_BYTES:]

    def of_sender(self, sender: str, now: float) -> bytes:
        """A key that only this sender has in the hour of `now` (seconds since 1970)."""
        return sealing.derive(self.of(int(now) // HOUR), "sender in an hour", sender.encode("utf-8", "replace"))
