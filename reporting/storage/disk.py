"""The disk below an installation: how much is free, and a reserve that is given back when nothing is.

The reserve is a file that holds nothing. While it lies there, everything is written; once it is spent, only what is
short, until somebody has made room and it can be laid down anew. Where the database is a server of its own, that
server's disk is looked after there. Knows nothing of what is kept.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from reporting.errors import AmparoError
from reporting.i18n import N_, said
from reporting.storage.database import writing

LITTLE, VERY_LITTLE = 20, 10  # of a hundred parts that are free: below, somebody is told
RESERVE = 16 * 1024 * 1024  # bytes; a short report with all that goes with it takes some 20,000
MOST_OF_A_DISK = 20  # the reserve takes one part of so many at most
NAME = "reserve"  # a file of the instance folder
NO_ROOM_LEFT = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
WARNINGS = {  # below so many of a hundred -> what the team reads
    VERY_LITTLE: N_(
        "The disk is nearly full. Call whoever looks after the server today: soon long texts have to wait."
    ),
    LITTLE: N_("The disk is filling up. Tell whoever looks after the server."),
}


class NoRoom(AmparoError):
    """The disk is full and this is long: it has to wait until somebody has made room. What is short still passes."""


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a disk: those that may be written still, and all."""

    free: int
    all: int

    @property
    def share(self) -> float:
        """Of a hundred parts, those that are free."""
        return 100 * self.free / self.all if self.all else 0.0


Look = Callable[[Path], Space]


def space(folder: Path) -> Space:
    """What the system says of the disk on which a folder lies; what only its root may write counts as taken."""
    if not hasattr(os, "statvfs"):
        return Space(1, 1)
    system = os.statvfs(folder)
    free = system.f_bavail * system.f_frsize
    return Space(free, (system.f_blocks - system.f_bfree) * system.f_frsize + free)


def warning(folder: Path, look: Look = space) -> str:
    """The sentence for the team, as a message id; empty while there is room."""
    with suppress(OSError):
        share = look(folder).share
        return next((words for below, words in sorted(WARNINGS.items()) if share < below), "")
    return ""


def problems(folder: Path, look: Look = space) -> Iterator[str]:
    """The same for whoever looks after the server, with what to do."""
    now = look(folder)
    below = next((limit for limit in sorted(WARNINGS) if now.share < limit), None)
    if below is not None:
        yield said(
            "Less than %(share)s %% of the disk of %(folder)s is free (%(free)s MB). Make room there: old backups, "
            "logs, packages; or move the folder to a larger disk. A full one takes only short reports.",
            share=below,
            folder=folder,
            free=now.free // 2**20,
        )
    if is_spent(folder):
        yield said(
            "The disk of %(folder)s was full: the reserve is spent, and only short reports are taken. Make room, then "
            "run `amparo sweep`, which lays it down anew.",
            folder=folder,
        )


def is_spent(folder: Path) -> bool:
    """Whether the reserve was given back; what was never laid down is not."""
    try:
        return (folder / NAME).stat().st_size == 0
    except OSError:
        return False


def lay_down(folder: Path, look: Look = space) -> bool:
    """Put the reserve where it is missing and there is room for twice as much. Whether it lies there now."""
    path = folder / NAME
    if path.exists() and not is_spent(folder):
        return True
    with suppress(OSError):
        now = look(folder)
        size = min(RESERVE, now.all // MOST_OF_A_DISK)
        if not size or now.free < 2 * size or now.share < VERY_LITTLE:
            return False
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for start in range(0, size, 2**20):  # random, so that no disk that compresses takes it for nothing
                file.write(os.urandom(min(2**20, size - start)))
            os.fsync(file.fileno())
        fresh.replace(path)
    return path.exists() and not is_spent(folder)


def give_back(folder: Path) -> bool:
    """The reserve goes, and an empty file says that it did. Whether there was one."""
    try:
        had_any = (folder / NAME).stat().st_size > 0
        os.truncate(folder / NAME, 0)
    except OSError:
        return False
    return had_any


def is_full(trouble: Exception) -> bool:
    """Whether this is how a database says that nothing more can be written."""
    cause = trouble.orig if isinstance(trouble, DBAPIError) else trouble
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in NO_ROOM_LEFT


T = TypeVar("T")


def filing(engine: Engine, folder: Path, act: Callable[[Session], T], *, is_short: bool) -> T:
    """Do it in one write transaction; of a full disk what is short gets the reserve.

    Raises `NoRoom` for what is long, from then on until there is room for the reserve again.
    """
    if not is_short and is_spent(folder) and not lay_down(folder):
        raise NoRoom
    try:
        with writing(engine) as db:
            return act(db)
    except DBAPIError as trouble:
        if not is_full(trouble):
            raise
        if not is_short:
            raise NoRoom from None
        if not give_back(folder):
            raise
    with writing(engine) as db:
        return act(db)
