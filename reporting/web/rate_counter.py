"""Where requests are counted while there is no Redis: a table in the memory of this process.

The library's own table starts a thread for nearly every request, to sweep; that cost more than the page it
counted for. This one sweeps as it goes, and holds so many names and no more, however many senders a flood
comes from. Knows names that change every hour, never an address.
"""

from __future__ import annotations

import heapq
import threading
import time
from typing import Any

from limits.storage.base import Storage

HERE = "amparo-memory"
MOST = 65_536  # names, some 15 MB; beyond it half are let go. Each new name thus costs the same, on the whole


def place_of(url: str) -> str:
    """The address of the counter, as the library wants it."""
    return f"{HERE}://" if url.startswith("memory:") else url


def patience(url: str) -> dict[str, Any]:
    """What else the library is told of it: nobody waits long for a counter on another host."""
    return {"socket_timeout": 1, "socket_connect_timeout": 1} if url.startswith("redis") else {}


class InMemoryCounter(Storage):
    """Name -> (count, when it ends, in seconds since 1970)."""

    STORAGE_SCHEME = [HERE]  # noqa: RUF012 -- the library's own shape

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: object) -> None:  # noqa: FBT001, FBT002
        super().__init__(uri, wrap_exceptions)
        self._counts: dict[str, tuple[int, float]] = {}
        self._one_at_a_time = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors of a counter that is away: none, as it lies in this process."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count so many more; a window begins with its first request."""
        now = time.time()
        with self._one_at_a_time:
            count, ends = self._counts.get(key, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + expiry
                self._make_room(now)
            self._counts[key] = count + amount, ends
            return count + amount

    def _make_room(self, now: float) -> None:
        """Drop what is over, and keep the highest counts of the rest: nobody is forgotten for asking too much."""
        if len(self._counts) < MOST:
            return
        alive = (entry for entry in self._counts.items() if entry[1][1] > now)
        self._counts = dict(heapq.nlargest(MOST // 2, alive, key=lambda entry: entry[1]))

    def get(self, key: str) -> int:
        """How many in the window that runs."""
        count, ends = self._counts.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the window ends; now, where none runs."""
        now = time.time()
        return max(now, self._counts.get(key, (0, now))[1])

    def check(self) -> bool:
        """Whether the counter can be reached: always."""
        return True

    def reset(self) -> int:
        """Forget everybody."""
        with self._one_at_a_time:
            count = len(self._counts)
            self._counts.clear()
            return count

    def clear(self, key: str) -> None:
        """Forget one."""
        with self._one_at_a_time:
            self._counts.pop(key, None)
