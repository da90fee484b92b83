"""Rows of pages: what a page with a random name shows, sealed, for as long as somebody may walk back to it.

They lie where a cut of power ends them, never in the database's own file and never in a backup: on SQLite in a file
in memory of their own, on PostgreSQL in tables that keep no log. The name opens its row and is kept nowhere; in the
clear stand only the hour or quarter of an hour that the row belongs to, its size and how many pages it has, seven at
most. A lost row is never a lost report: the form still carries its ticket. Knows neither pages nor cases.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import shutil
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from reporting.clock import HOUR, QUARTER
from reporting.config import Settings
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.errors import AmparoError
from reporting.i18n import T_, said

# purpose -> (seconds of a seed's time, how many such times it lives). A row opens no longer than its seed lives.
LIVES = {"draft": (HOUR, 3), "case": (QUARTER, 2), "desk": (QUARTER, 2)}
# What is sealed has one of two lengths (bytes), a little below a page of the file. So many rows of each at most,
# 64 MiB together: a flood pushes out the rows with the fewest pages, and never the way back for everybody.
SIZES = (8 * 1024 - 128, 32 * 1024 - 512)
MOST = {0: 5500, 1: 400}  # is it a large one -> how many
ROOM = 64 * 2**20  # bytes of all of them together
COUNTED = 7  # pages; whoever went on further is not told apart
OVERHEAD = 35  # bytes that a seal and its length take
NAME = 16  # random bytes of a name
PRAGMAS = (
    "page_size=8192",
    "journal_mode=TRUNCATE",
    "synchronous=OFF",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "busy_timeout=1000",
)
NO_LINKS = getattr(os, "O_NOFOLLOW", 0)  # Windows has no such flag
MEMORY = Path("/dev/shm")  # noqa: S108 -- a folder of our own in it, under a name that nobody can guess
# Plain statements on a plain line, the same for both: a row is written and read with every page that is turned, and
# the layers of the library took longer than the disk.
TABLES = (
    (
        "CREATE {kind} TABLE IF NOT EXISTS page_seed (purpose VARCHAR(10) NOT NULL, period INTEGER NOT NULL, "
        "seed {bytes} NOT NULL, PRIMARY KEY (purpose, period))"
    ),
    (
        "CREATE {kind} TABLE IF NOT EXISTS page_row (id {number} PRIMARY KEY, owner {bytes} NOT NULL, "
        "purpose VARCHAR(10) NOT NULL, period INTEGER NOT NULL, large INTEGER NOT NULL, pages INTEGER NOT NULL, "
        "sealed {bytes} NOT NULL)"
    ),
    "CREATE INDEX IF NOT EXISTS ix_page_row_order ON page_row (large, pages, period)",
    "CREATE INDEX IF NOT EXISTS ix_page_row_owner ON page_row (owner)",
    "CREATE INDEX IF NOT EXISTS ix_page_row_period ON page_row (purpose, period)",
)
KINDS = {
    "sqlite": {"kind": "", "bytes": "BLOB", "number": "INTEGER"},
    "postgresql": {"kind": "UNLOGGED", "bytes": "BYTEA", "number": "BIGINT"},  # in no archive, empty after a crash
}
ONE = (
    "SELECT r.id, r.purpose, r.period, r.sealed, s.seed FROM page_row r "
    "JOIN page_seed s ON s.purpose = r.purpose AND s.period = r.period WHERE r.id = :id"
)
SEEDS = "SELECT purpose, period, seed FROM page_seed"
NEW_SEED = "INSERT INTO page_seed VALUES (:purpose, :period, :seed) ON CONFLICT DO NOTHING"
PUT = (
    "INSERT INTO page_row (id, owner, purpose, period, large, pages, sealed) "
    "VALUES (:id, :owner, :purpose, :period, :large, :pages, :sealed) ON CONFLICT (id) DO UPDATE SET "
    "owner = excluded.owner, purpose = excluded.purpose, period = excluded.period, large = excluded.large, "
    "pages = excluded.pages, sealed = excluded.sealed"
)
SWEEP = (
    "DELETE FROM page_row WHERE purpose = :purpose AND period = :period",
    "DELETE FROM page_seed WHERE purpose = :purpose AND period = :period",
)
COUNT = "SELECT count(*) FROM page_row WHERE large = :large"
WEAKEST = (
    "DELETE FROM page_row WHERE id = (SELECT id FROM page_row WHERE large = :large "
    "ORDER BY pages, period LIMIT 1) AND NOT EXISTS (SELECT 1 FROM page_row WHERE id = :id AND large = :large)"
)
ERASE = "DELETE FROM page_row WHERE owner = :owner"
EVERYTHING = ("DELETE FROM page_row", "DELETE FROM page_seed")
GONE = ("DROP TABLE IF EXISTS page_row", "DROP TABLE IF EXISTS page_seed")


class CannotKeep(AmparoError):
    """There is no room for this row, or nowhere to put it. The page itself has to be the answer."""


def new_name() -> str:
    """A random name of pages, 128 bits in 22 letters."""
    return base64.urlsafe_b64encode(os.urandom(NAME)).decode().rstrip("=")


def open_rows(settings: Settings, engine: Engine) -> PageRows:
    """The rows of one installation; their tables are made where they are missing, as after every cut of power."""
    if engine.dialect.name == "postgresql":
        return PageRows(_Server(engine), settings.server_secret)
    with suppress(OSError):  # where the folder cannot be had, every page is the answer itself
        path = _folder(settings) / "rows.db"
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | NO_LINKS, 0o600))
        return PageRows(_File(path), settings.server_secret)
    return PageRows(None, settings.server_secret)


def in_memory(settings: Settings) -> Path:
    """The folder that a cut of power empties; on some systems there is none under this name."""
    return Path(settings.memory_folder) if settings.memory_folder else MEMORY


def problems(settings: Settings) -> tuple[str, ...]:
    """Why the rows may not be where a cut of power ends them, or have no room, each with what to do."""
    place = in_memory(settings)
    if settings.database_url.startswith("postgresql"):
        return ()
    if not place.is_dir():
        none = T_("There is no folder %(place)s: pages of trips lie beside the database. Set MEMORY_FOLDER.")
        return (said(none, place=place),)
    room = shutil.disk_usage(place).total
    few = T_("%(place)s has %(room)s MB, and pages of trips may need 64: give it more, or set MEMORY_FOLDER.")
    return () if room >= ROOM else (said(few, place=place, room=room // 2**20),)


def _folder(settings: Settings) -> Path:
    """A folder of our own, closed to others. Its name comes from the secret, so that nobody is there before us."""
    place = in_memory(settings)
    if not place.is_dir():
        place = settings.instance
    known = sealing.derive(settings.server_secret, "folder of rows", str(settings.instance.resolve()).encode(), 8)
    folder = place / f"amparo-{known.hex()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if folder.is_symlink() or (hasattr(os, "getuid") and os.getuid() not in {0, status.st_uid}):
        raise PermissionError  # the root of this machine may lock and destroy what another user serves
    return folder


class _File:
    """A file in memory; each thread of each process has a line of its own."""

    dialect, error = "sqlite", sqlite3.Error

    def __init__(self, path: Path) -> None:
        self.path, self._own = path, threading.local()

    def _line(self) -> sqlite3.Connection:
        if getattr(self._own, "process", None) != os.getpid():
            line = sqlite3.connect(self.path, isolation_level=None)
            for pragma in PRAGMAS:
                line.execute(f"PRAGMA {pragma}")
            self._own.line, self._own.process = line, os.getpid()
        known: sqlite3.Connection = self._own.line
        return known

    @contextmanager
    def looking(self) -> Iterator[Any]:
        yield self._line()

    @contextmanager
    def turn(self) -> Iterator[Any]:
        """One write transaction."""
        line = self._line()
        line.execute("BEGIN IMMEDIATE")
        try:
            yield line
            line.execute("COMMIT")
        except BaseException:
            line.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """No line to it goes along into other processes."""
        if hasattr(self._own, "line"):
            self._own.line.close()
        self._own.process = None

    def remove(self) -> None:
        """The file and its folder go."""
        self.close()
        for path in self.path.parent.glob("rows.db*"):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.parent.rmdir()


class _Server:
    """Tables of a database server, on the lines that everything else uses too."""

    dialect = "postgresql"

    def __init__(self, engine: Engine) -> None:
        self._engine, self.error = engine, engine.dialect.import_dbapi().Error

    @contextmanager
    def looking(self) -> Iterator[Any]:
        with self.turn() as line:
            yield line

    @contextmanager
    def turn(self) -> Iterator[Any]:
        """One write transaction; it goes back where it is not finished."""
        line = self._engine.raw_connection()
        try:
            yield line.cursor()
            line.commit()
        finally:
            line.close()

    def close(self) -> None:
        """Its lines are the engine's own matter."""

    def remove(self) -> None:
        """The tables go."""
        with self.turn() as line:
            for statement in GONE:
                line.execute(statement)


class PageRows:
    """The rows of one installation. Several processes share them."""

    def __init__(self, shelf: _File | _Server | None, server_secret: bytes) -> None:
        self.shelf, self._secret = shelf, server_secret
        if shelf is not None:
            with suppress(shelf.error), shelf.turn() as line:
                for table in TABLES:
                    line.execute(table.format(**KINDS[shelf.dialect]))
            shelf.close()

    def write(
        self,
        name: str,
        owner: str,
        purpose: str,
        content: Mapping[str, Any],
        pages: int,
        now: float,
        bound: bytes = b"",
    ) -> None:
        """Put down what the pages of a name show from now on; it replaces what they showed. `CannotKeep` where not.

        `owner` finds the row again for erasing it; `bound` (a session's token) is needed to open it again.
        """
        data = zlib.compress(
            json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"), 1
        )
        size = next((size for size in SIZES if len(data) + OVERHEAD <= size), None)
        if self.shelf is None or size is None:
            raise CannotKeep
        try:
            with self.shelf.turn() as line:
                seed, period = _seed_of_now(line, self.shelf.dialect, purpose, now)
                row = {
                    "id": _id(name),
                    "owner": self._owner(seed, owner),
                    "purpose": purpose,
                    "period": period,
                    "large": SIZES.index(size),
                    "pages": min(pages, COUNTED),
                }
                row["sealed"] = sealing.wrap(self._key(name, purpose, seed, bound), _place(row), _filled(data, size))
                if _do(line, self.shelf.dialect, COUNT, row).fetchone()[0] >= MOST[SIZES.index(size)]:
                    _do(line, self.shelf.dialect, WEAKEST, row)
                _do(line, self.shelf.dialect, PUT, row)
        except self.shelf.error as trouble:
            raise CannotKeep from trouble

    def read(self, name: str, now: float, bound: bytes = b"") -> dict[str, Any] | None:
        """What was put down last; None where the name is unknown or cut, its row or seed is over, or it is bound."""
        if self.shelf is None:
            return None
        try:
            with self.shelf.looking() as line:
                stored = _do(line, self.shelf.dialect, ONE, {"id": _id(name)}).fetchone()
            if stored is None or _is_over(stored[1], stored[2], now):
                return None
            row = dict(zip(("id", "purpose", "period", "sealed", "seed"), stored, strict=True))
            opened = sealing.unwrap(self._key(name, row["purpose"], row["seed"], bound), _place(row), row["sealed"])
            content: dict[str, Any] = json.loads(zlib.decompress(opened[4 : 4 + int.from_bytes(opened[:4], "big")]))
        except (CannotOpen, ValueError, self.shelf.error):
            return None
        return content

    def erase(self, owners: Iterable[str]) -> None:
        """The rows of these owners go at once. Where nothing can be written they go with their seed."""
        if self.shelf is None:
            return
        with suppress(self.shelf.error), self.shelf.turn() as line:
            known = [seed for _, _, seed in _do(line, self.shelf.dialect, SEEDS, {}).fetchall()]
            for owner in owners:
                for seed in known:
                    _do(line, self.shelf.dialect, ERASE, {"owner": self._owner(seed, owner)})

    def sweep(self, now: float) -> None:
        """What is over goes; otherwise it goes with the next step that anybody takes."""
        if self.shelf is not None:
            with suppress(self.shelf.error), self.shelf.turn() as line:
                _sweep(line, self.shelf.dialect, _seeds(line, self.shelf.dialect), now)

    def forget_all(self) -> None:
        """Every row and every seed go: no page that was open until now is shown to anybody."""
        if self.shelf is not None:
            with self.shelf.turn() as line:
                for statement in EVERYTHING:
                    line.execute(statement)

    def destroy(self) -> None:
        """Every row, every seed and their place."""
        if self.shelf is not None:
            self.forget_all()
            self.shelf.remove()

    def _key(self, name: str, purpose: str, seed: bytes, bound: bytes) -> bytes:
        return sealing.derive(_raw(name) + self._secret + seed + bound, f"page row {purpose}")

    def _owner(self, seed: bytes, owner: str) -> bytes:
        return sealing.derive(self._secret + seed, "owner of a page row", owner.encode("utf-8", "replace"), 16)


def _do(line: Any, dialect: str, statement: str, parts: Mapping[str, Any]) -> Any:
    return line.execute(_spelt(statement, dialect), parts)


@cache
def _spelt(statement: str, dialect: str) -> str:
    """With its parts named as the driver wants them."""
    return statement if dialect == "sqlite" else re.sub(r":(\w+)", r"%(\1)s", statement)


def _raw(name: str) -> bytes:
    """The bytes of a name; `ValueError` where it is none of ours."""
    try:
        raw = base64.b64decode(name + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise ValueError from wrong
    if len(raw) != NAME:
        raise ValueError
    return raw


def _id(name: str) -> int:
    """Random-looking, so that rows lie in no order of arrival."""
    return int.from_bytes(sealing.digest(b"page " + _raw(name))[:8], "big") >> 1


def _filled(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(4, "big") + data + bytes(size - OVERHEAD - len(data))


def _place(row: Mapping[str, Any]) -> SealContext:
    return SealContext("page_row", row["id"], row["period"], row["purpose"], 1)


def _is_over(purpose: str, period: int, now: float) -> bool:
    length, lives = LIVES[purpose]
    return now >= (period + lives) * length


def _seed_of_now(line: Any, dialect: str, purpose: str, now: float) -> tuple[bytes, int]:
    """The seed of this time, made where it is missing. What is over goes first, rows and seeds."""
    period = int(now) // LIVES[purpose][0]
    known = _seeds(line, dialect)
    _sweep(line, dialect, known, now)
    if (purpose, period) not in known:
        _do(line, dialect, NEW_SEED, {"purpose": purpose, "period": period, "seed": os.urandom(32)})
        known = _seeds(line, dialect)
    return known[purpose, period], period


def _sweep(line: Any, dialect: str, known: Iterable[tuple[str, int]], now: float) -> None:
    for purpose, period in (seed for seed in known if _is_over(*seed, now)):
        for statement in SWEEP:
            _do(line, dialect, statement, {"purpose": purpose, "period": period})


def _seeds(line: Any, dialect: str) -> dict[tuple[str, int], bytes]:
    return {(purpose, period): seed for purpose, period, seed in _do(line, dialect, SEEDS, {}).fetchall()}
