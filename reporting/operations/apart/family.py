"""Processes that live as long as the first one: whoever dies is replaced, and none outlives it.

Knows nothing of what they do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable


def keep(tasks: Iterable[Callable[[], None]]) -> None:
    """Run each task in a process of its own, for ever. Stopped with SIGTERM, or by an exception, it stops them."""
    listening, alive = os.pipe()
    children = {_hire(task, listening, alive): task for task in tasks}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            gone, _ = os.wait()
            task = children.pop(gone, None)
            if task is not None:
                children[_hire(task, listening, alive)] = task
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)


def _hire(task: Callable[[], None], listening: int, alive: int) -> int:
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.close(alive)
    threading.Thread(target=_leave_with, args=(listening,), daemon=True).start()
    task()
    os._exit(0)


def _leave_with(listening: int) -> None:
    """The pipe is never written to: it ends when the first process does, however it does."""
    os.read(listening, 1)
    os._exit(0)
