"""Rows of pages: what a page with a random name shows, sealed, for as long as somebody may walk back to it.

They lie where a cut of power ends them, never in the database's own file and never in a backup: on SQLite in a file
in memory of their own, on PostgreSQL in tables that keep no log. The name opens its row and is kept nowhere; in the
clear stand only the hour or quarter of an hour that the row belongs to, its size and how many pages it has, seven at
most. A lost row is never a lost report: the form still carries its ticket. Knows neither pages nor cases.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    RowMapping,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from reporting import sealing
from reporting.config import Settings
from reporting.sealing import CannotOpen, Place

HOUR, QUARTER = 3600, 900
# purpose -> (seconds of a seed's time, how many such times it lives). A row opens no longer than its seed lives.
LIVES = {"draft": (HOUR, 3), "case": (QUARTER, 2), "desk": (QUARTER, 2)}
# What is sealed has one of two lengths (bytes), a little below a page of the file. So many rows of each at most,
# 64 MiB together: a flood pushes out the rows with the fewest pages, and never the way back for everybody.
SIZES = (8 * 1024 - 128, 32 * 1024 - 512)
MOST = {False: 6144, True: 512}  # is it a large one -> how many
COUNTED = 7  # pages; whoever went on further is not told apart
OVERHEAD = 35  # bytes that a seal and its length take
NAME = 16  # random bytes of a name
PRAGMAS = ("page_size=8192", "journal_mode=TRUNCATE", "synchronous=OFF", "secure_delete=ON", "temp_store=MEMORY",
           "busy_timeout=1000")  # fmt: skip
MEMORY = Path("/dev/shm")  # noqa: S108 -- a folder of our own in it, under a name that nobody can guess

SHELF = MetaData()
_SEEDS = Table(
    "page_seed", SHELF,
    Column("purpose", String(10), primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("seed", LargeBinary, nullable=False),
)  # fmt: skip
_ROWS = Table(
    "page_row", SHELF,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("owner", LargeBinary, nullable=False),
    Column("purpose", String(10), nullable=False),
    Column("period", Integer, nullable=False),
    Column("large", Boolean, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_page_row_order", "large", "pages", "period"),
    Index("ix_page_row_owner", "owner"),
)  # fmt: skip
_R, _S = _ROWS.c, _SEEDS.c


class CannotKeep(Exception):
    """There is no room for this row, or nowhere to put it. The page itself has to be the answer."""


def new_name() -> str:
    """A random name of pages, 128 bits in 22 letters."""
    return base64.urlsafe_b64encode(os.urandom(NAME)).decode().rstrip("=")


def open_rows(settings: Settings, engine: Engine) -> PageRows:
    """The rows of one installation; their tables are made where they are missing, as after every cut of power."""
    if engine.dialect.name == "postgresql":
        return PageRows(engine, settings.server_secret)
    with suppress(OSError):  # where the folder cannot be had, every page is the answer itself
        path = _folder(settings) / "rows.db"
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        own = create_engine(f"sqlite:///{path}", hide_parameters=True, pool_size=8, max_overflow=-1)
        event.listen(own, "connect", _prepare)
        event.listen(own, "begin", _begin)
        made = PageRows(own, settings.server_secret)
        own.dispose()  # no line to the file goes along into the workers
        return made
    return PageRows(None, settings.server_secret)


def _folder(settings: Settings) -> Path:
    """A folder of our own, closed to others. Its name comes from the secret, so that nobody is there before us."""
    place = Path(settings.memory_folder) if settings.memory_folder else MEMORY
    if not place.is_dir():
        place = settings.instance
    known = sealing.derive(settings.server_secret, "folder of rows", str(settings.instance.resolve()).encode(), 8)
    folder = place / f"amparo-{known.hex()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    told = folder.lstat()
    if folder.is_symlink() or (hasattr(os, "getuid") and told.st_uid != os.getuid()):
        raise PermissionError
    return folder


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class PageRows:
    """The rows of one installation. Several processes share them."""

    def __init__(self, engine: Engine | None, server_secret: bytes) -> None:
        self.engine, self._secret = engine, server_secret
        self._writer = engine.execution_options(writes=True) if engine else None
        if engine is not None:
            with suppress(SQLAlchemyError), engine.begin() as db:
                _make_tables(db)

    def write(self, name: str, owner: str, purpose: str, told: Mapping[str, Any], pages: int, now: float,
              bound: bytes = b"") -> None:  # fmt: skip
        """Put down what the pages of a name show from now on; it replaces what they showed. `CannotKeep` where not.

        `owner` finds the row again for erasing it; `bound` (a session's token) is needed to open it again.
        """
        if self._writer is None:
            raise CannotKeep
        data = zlib.compress(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode(), 1)
        size = next((size for size in SIZES if len(data) + OVERHEAD <= size), None)
        if size is None:
            raise CannotKeep
        try:
            with self._writer.begin() as db:
                seed, period = _seed_of_now(db, purpose, now)
                row = {"id": _id(name), "owner": self._owner(seed, owner), "purpose": purpose, "period": period,
                       "large": size != SIZES[0], "pages": min(pages, COUNTED)}  # fmt: skip
                row["sealed"] = sealing.wrap(self._key(name, purpose, seed, bound), _place(row), _filled(data, size))
                _make_room(db, row)
                db.execute(_upsert(db.dialect.name), row)
        except SQLAlchemyError as trouble:
            raise CannotKeep from trouble

    def read(self, name: str, now: float, bound: bytes = b"") -> dict[str, Any] | None:
        """What was put down last; None where the name is unknown or cut, its row or seed is over, or it is bound."""
        try:
            key = _id(name)
            if self.engine is None:
                return None
            with self.engine.connect() as db:
                row = db.execute(_ONE, {"one": key}).mappings().first()
            if row is None or _is_over(row["purpose"], row["period"], now):
                return None
            opened = sealing.unwrap(self._key(name, row["purpose"], row["seed"], bound), _place(row), row["sealed"])
            told: dict[str, Any] = json.loads(zlib.decompress(opened[4 : 4 + int.from_bytes(opened[:4], "big")]))
        except (CannotOpen, ValueError, SQLAlchemyError):
            return None
        return told

    def erase(self, owners: Iterable[str]) -> None:
        """The rows of these owners go at once. Where nothing can be written they go with their seed."""
        if self._writer is None:
            return
        with suppress(SQLAlchemyError), self._writer.begin() as db:
            known = [row.seed for row in db.execute(select(_S.seed))]
            db.execute(_ERASE, {"gone": [self._owner(seed, owner) for seed in known for owner in owners]})

    def forget_all(self) -> None:
        """Every row and every seed go: no page that was open until now is shown to anybody."""
        if self._writer is not None:
            with self._writer.begin() as db:
                db.execute(delete(_ROWS))
                db.execute(delete(_SEEDS))

    def destroy(self) -> None:
        """Every row, every seed and their place."""
        if self.engine is None:
            return
        SHELF.drop_all(self.engine)
        self.engine.dispose()
        if self.engine.dialect.name == "sqlite" and self.engine.url.database:
            folder = Path(self.engine.url.database).parent
            for path in folder.glob("rows.db*"):
                path.unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()

    def _key(self, name: str, purpose: str, seed: bytes, bound: bytes) -> bytes:
        return sealing.derive(_raw(name) + self._secret + seed + bound, f"page row {purpose}")

    def _owner(self, seed: bytes, owner: str) -> bytes:
        return sealing.derive(self._secret + seed, "owner of a page row", owner.encode("utf-8", "replace"), 16)


# ── names and lengths ───────────────────────────────────────────────────────────────────────────────────────


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


def _place(row: Mapping[str, Any] | RowMapping) -> Place:
    return Place("page_row", row["id"], row["period"], row["purpose"], 1)


# ── seeds and room ──────────────────────────────────────────────────────────────────────────────────────────


def _is_over(purpose: str, period: int, now: float) -> bool:
    length, lives = LIVES[purpose]
    return now >= (period + lives) * length


def _seed_of_now(db: Connection, purpose: str, now: float) -> tuple[bytes, int]:
    """The seed of this time, made where it is missing. What is over goes first, rows and seeds."""
    period = int(now) // LIVES[purpose][0]
    known = {(row.purpose, row.period): row.seed for row in db.execute(_ALL_SEEDS)}
    for gone in [one for one in known if _is_over(*one, now)]:
        told = {"kind": gone[0], "time": gone[1]}
        db.execute(_SWEEP_ROWS, told)
        db.execute(_SWEEP_SEEDS, told)
    if (purpose, period) not in known:
        db.execute(_insert(_SEEDS, db.dialect.name).on_conflict_do_nothing(),
                   {"purpose": purpose, "period": period, "seed": os.urandom(32)})  # fmt: skip
        known = {(row.purpose, row.period): row.seed for row in db.execute(_ALL_SEEDS)}
    return known[purpose, period], period


def _make_room(db: Connection, row: Mapping[str, Any]) -> None:
    """Where it is full, the row with the fewest pages goes, and of those the oldest; never the one that is written."""
    large = row["large"]
    if (db.scalar(_COUNT, {"big": large}) or 0) < MOST[large]:
        return
    if db.scalar(_IS_THERE, {"one": row["id"], "big": large}) is None:
        weakest = db.scalar(_WEAKEST, {"big": large, "one": row["id"]})
        db.execute(_DROP, {"one": weakest})


_ALL_SEEDS = select(_SEEDS)
_ONE = select(_ROWS, _S.seed).join(_SEEDS, (_S.purpose == _R.purpose) & (_S.period == _R.period)).where(
    _R.id == bindparam("one"))  # fmt: skip
_SWEEP_ROWS = delete(_ROWS).where(_R.purpose == bindparam("kind"), _R.period == bindparam("time"))
_SWEEP_SEEDS = delete(_SEEDS).where(_S.purpose == bindparam("kind"), _S.period == bindparam("time"))
_ERASE = delete(_ROWS).where(_R.owner.in_(bindparam("gone", expanding=True)))
_COUNT = select(func.count()).where(_R.large == bindparam("big"))
_IS_THERE = select(_R.id).where(_R.id == bindparam("one"), _R.large == bindparam("big"))
_WEAKEST = (select(_R.id).where(_R.large == bindparam("big"), _R.id != bindparam("one"))
            .order_by(_R.pages, _R.period).limit(1))  # fmt: skip
_DROP = delete(_ROWS).where(_R.id == bindparam("one"))


@cache
def _upsert(dialect: str) -> Any:
    put = _insert(_ROWS, dialect)
    return put.on_conflict_do_update(
        index_elements=["id"], set_={one.name: put.excluded[one.name] for one in _ROWS.c if one.name != "id"}
    )


def _insert(table: Table, dialect: str) -> Any:
    return importlib.import_module(f"sqlalchemy.dialects.{dialect}").insert(table)


def _make_tables(db: Connection) -> None:
    """On PostgreSQL without a log: what was in them is in no archive of it, and a crash empties them."""
    if inspect(db).has_table(_ROWS.name):
        return
    SHELF.create_all(db)
    for table in SHELF.sorted_tables if db.dialect.name == "postgresql" else ():
        db.execute(text(f"ALTER TABLE {table.name} SET UNLOGGED"))
