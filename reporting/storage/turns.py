"""Whoever writes to SQLite waits in a row, and nobody who writes again and again passes by who waits.

SQLite gives its one lock to whoever asks at the right moment, and the others ask again up to a tenth of a second later:
beside two members who labelled fifty cases at once a report waited six seconds. So there are two locks on files beside
the database: who holds the first is the next, who holds the second writes. Whoever writes again comes behind the next.
They die with their process. PostgreSQL has no such lock, and there nothing of this happens. Knows nothing of what is
written.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from reporting.storage.files import lock_file

NEXT, WRITES = "-next", "-writes"  # behind the name of the database
ASK_AGAIN: Final = 0.002  # seconds


@contextmanager
def in_turn(engine: Engine, patience: int) -> Iterator[None]:
    """Hold the right to write. `OperationalError`, as SQLite has it, where it does not come in so many milliseconds.

    Where the files cannot be had, or locked, everybody writes as SQLite lets them.
    """
    database = engine.url.database
    if engine.dialect.name != "sqlite" or not database or database == ":memory:":
        yield
        return
    until = time.monotonic() + patience / 1000
    with ExitStack() as turn:
        with ExitStack() as row:
            _take(row, Path(database + NEXT), until)
            _take(turn, Path(database + WRITES), until)
        yield


def _take(stack: ExitStack, path: Path, until: float) -> None:
    """Hold the lock on a file until the stack is closed."""
    with suppress(OSError):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        stack.callback(os.close, file)  # which lets go of the lock
        while not lock_file(file, wait=False):
            if time.monotonic() > until:
                locked = sqlite3.OperationalError("database is locked")
                raise OperationalError("BEGIN IMMEDIATE", None, locked, hide_parameters=True)
            time.sleep(ASK_AGAIN)
