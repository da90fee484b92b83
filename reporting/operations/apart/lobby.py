"""Every open line: who keeps the server waiting is let go, and nobody holds so many that others find none.

Knows neither what is asked on a line nor how it is read: the line says whose it is and whether it is waited for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

WAITING = 1024  # connections that may wait while others are answered: slow, never dropped
LOOK_AGAIN = 1.0  # seconds without anything new, after which lines that nobody uses are closed
SHARE = WAITING // 8  # lines of one sender: who has more loses the oldest that waits for something


class Lobby:
    """Every open line, and for how long each has kept us waiting. Nobody holds so many that others find none.

    A line waits for its sender from its beginning, and from each answer, until the next request is there whole. A line
    of a server in front is nobody's between two requests, and in each it is of whom that server names.
    """

    def __init__(self, most: int = WAITING - 8, share: int = SHARE) -> None:
        self.most, self.share = most, share
        self._lines: dict[Any, None] = {}  # whoever is waited for longest comes first
        self._of: Counter[str] = Counter()
        self._looked = 0.0

    def __len__(self) -> int:
        return len(self._lines)

    def came(self, line: Any) -> None:
        """A new line; where its sender has too many, or there are too many, the oldest that waits falls."""
        sender = line.sender
        self._lines[line] = None
        self._of[sender] += 1
        self._share_out(sender, line)
        if len(self._lines) > self.most:
            self._drop(iter(self._lines), line)

    def is_of(self, line: Any, sender: str) -> None:
        """From now on it is another's; nobody's is the empty one. With whom has too many, as with a new line."""
        if line in self._lines and line.sender != sender:
            self._one_less(line.sender)
            line.sender = sender
            self._of[sender] += 1
            self._share_out(sender, line)

    def waits_anew(self, line: Any) -> None:
        """It is waited for from now on."""
        if line in self._lines:
            del self._lines[line]
            self._lines[line] = None

    def went(self, line: Any) -> None:
        """It is closed."""
        if line in self._lines:
            del self._lines[line]
            self._one_less(line.sender)

    def _one_less(self, sender: str) -> None:
        self._of[sender] -= 1
        if not self._of[sender]:
            del self._of[sender]

    def tidy(self, now: float) -> None:
        """Close what was waited for too long, once a second. `now`: seconds of a clock that only goes on."""
        if now - self._looked >= LOOK_AGAIN:
            self._looked = now
            for line in [line for line in self._lines if line.is_late(now)]:
                line.handle_close()

    def _share_out(self, sender: str, new: Any) -> None:
        if sender and self._of[sender] > self.share:
            self._drop((other for other in self._lines if other.sender == sender), new)

    def _drop(self, lines: Iterator[Any], new: Any) -> None:
        """Let one of these fall, and never the new one: somebody behind the address of a flood would never get in.

        The oldest that waits for its sender; where none does, the oldest request that waits for its turn.
        """
        others = [line for line in lines if line is not new]
        waits = next((line for line in others if line.keeps_waiting), None)
        oldest = waits or next((line for line in others if line.requests), None)
        if oldest is not None:
            oldest.handle_close()
