"""Requests that are there whole, each answered in its turn: by the loop that read them, or by the desk.

Knows neither what a request asks for nor who sends it: the line says both.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from reporting.operations.apart.desk import Desk


class _Waiting:
    """Lines that wait, of each sender one in turn, so that who sends a hundred waits for himself."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[Any]] = {}  # sender -> who waits there, in the order of their turns

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, line: Any) -> None:
        """Behind all others of its sender."""
        self._lines.setdefault(line.asks_for(), deque()).append(line)

    def next(self) -> Any:
        """Whose turn it is; the next of the same sender comes behind all others."""
        sender = next(iter(self._lines))
        waiting = self._lines.pop(sender)
        line = waiting.popleft()
        if waiting:
            self._lines[sender] = waiting
        return line


class Turns:
    """Requests that are there whole, answered by the loop that read them.

    Slow senders are waited for together, and no thread is woken for an answer: a fifth of the processor time, measured.
    Where a password or a code is stretched the processor is held: those are answered one a round, after everybody else,
    and of each sender one in turn. What is asked of the desk goes there, so many at once as it has processes; who
    signs in, after who works. Without a desk it is answered here.
    """

    def __init__(self, desk: Desk | None = None) -> None:
        self._desk, self._away = desk, 0
        self._quick: deque[Any] = deque()
        self._costly, self._for_desk, self._costly_for_desk = _Waiting(), _Waiting(), _Waiting()

    def add_task(self, line: Any) -> None:
        """A request is there whole."""
        if self._desk is not None and line.is_for_the_desk():
            (self._costly_for_desk if line.is_costly() else self._for_desk).add(line)
        elif line.is_costly():
            self._costly.add(line)
        else:
            self._quick.append(line)

    @property
    def wait(self) -> bool:
        """Whether somebody is there who could be answered at once."""
        return bool(self._costly)

    def take(self) -> None:
        """Answer whoever waits now, then one of those who cost; a second request on a line stands behind them."""
        while self._quick:
            self._quick.popleft().service()
        self._hand_over()
        if self._costly:
            self._costly.next().service()

    def _hand_over(self) -> None:
        while self._desk is not None and self._away < self._desk.processes:
            waiting = self._for_desk or self._costly_for_desk
            if not waiting:
                return
            line = waiting.next()
            if not line.goes_to(self._desk, self._comes_back):
                waiting.add(line)  # the way is full: in the next round again
                return
            self._away += 1

    def _comes_back(self, line: Any) -> None:
        self._away -= 1
        self._quick.append(line)
