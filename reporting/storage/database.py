"""The database: one engine, one way to open a transaction, the same on SQLite and PostgreSQL.

Knows nothing of what is kept. SQLite runs with a write-ahead log, full sync (a receipt is only shown after the
report is on disk) and secure deletion (erased bytes are overwritten).
"""

from __future__ import annotations

import importlib
import io
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Connection, Engine, FromClause, Integer, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from reporting.storage.rewriting import clear_twins
from reporting.storage.turns import in_turn

PATIENCE = 15_000  # milliseconds that a writer waits for another: a workshop of thirty sends at once
LITTLE_PATIENCE = 1_000  # for notes, and for leaving: she is not kept waiting because of them
# Each with its reason.
SQLITE_PRAGMAS = (
    "journal_mode=WAL",  # readers never wait for the writer
    "synchronous=FULL",  # what was acknowledged survives a power cut
    "secure_delete=ON",  # what was erased is overwritten, not only unlinked
    "foreign_keys=ON",
    "temp_store=MEMORY",  # no sorting residue in temporary files
    f"busy_timeout={PATIENCE}",
)
POOL = 8  # connections kept open; the last one to close empties the log, which is slow, so none is closed
MIGRATIONS = Path(__file__).parent / "migrations"
Line = Session | Connection  # for a question that needs no more than asking

# on SQLite the rowid itself, so rows lie in no order of arrival
Random63 = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Every table of both packages.

    `kept`: how long its rows are. A period of retention.toml, perhaps with more words behind a colon; or several.
    """

    kept: ClassVar[str | tuple[str, ...]]


def open_database(url: str, zone: str = "UTC") -> Engine:
    """The engine for an SQLAlchemy URL. Parameters never reach a log or an error text.

    `zone`: the clock of the place, for whoever counts in whole days (`zone_of`).
    """
    said = {"zone": zone}
    if url.startswith("sqlite"):
        kept_open = {} if ":memory:" in url else {"pool_size": POOL, "max_overflow": -1}
        engine = create_engine(url, hide_parameters=True, execution_options=said, **kept_open)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, hide_parameters=True, execution_options=said, pool_pre_ping=True)


def zone_of(db: Session) -> str:
    """The clock of the place, by its name, as the database was opened."""
    return str(db.get_bind().get_execution_options().get("zone") or "UTC")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, not guessed by the driver
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    options = connection.get_execution_options()
    if options.get("writes"):  # connections are used again: each writer says anew for what it waits
        _directly(connection, f"PRAGMA synchronous={'NORMAL' if options.get('jots') else 'FULL'}")
        _directly(connection, f"PRAGMA busy_timeout={LITTLE_PATIENCE if options.get('hurries') else PATIENCE}")
    _directly(connection, "BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _directly(connection: Any, order: str) -> None:
    """To the driver, past the layers that would only carry two words; its errors are named as theirs are."""
    try:
        connection.connection.dbapi_connection.execute(order)
    except sqlite3.Error as error:
        raise OperationalError(order, None, error, hide_parameters=True) from error


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session for looking: all that is asked in it is as it was at one moment. Nothing is written."""
    with Session(_reader(engine), expire_on_commit=False) as session:
        yield session
        session.rollback()


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """Like `reading` without a session: what is asked with every page is asked twice as fast."""
    with engine.connect() as line:
        yield line


@contextmanager
def writing(engine: Engine, *, short_wait: bool = False) -> Iterator[Session]:
    """A session in one write transaction: all of it is committed, or none.

    On SQLite the write lock is taken at the start, so two writers wait for each other instead of failing half-way;
    in a `hurry` for a moment only. They wait in a row (`turns`).
    """
    patience = LITTLE_PATIENCE if short_wait else PATIENCE
    with (
        in_turn(engine, patience),
        Session(_writer(engine, hurries=short_wait), expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@lru_cache(maxsize=64)
def _reader(engine: Engine) -> Engine:
    """PostgreSQL shows each question another moment unless it is told: a case beside a writer then opened nothing."""
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="REPEATABLE READ")


@lru_cache(maxsize=64)
def _writer(engine: Engine, **more: bool) -> Engine:
    return engine.execution_options(writes=True, **more)


@contextmanager
def writing_relaxed(engine: Engine) -> Iterator[Connection]:
    """Like `writing`, for notes that a power cut may take: nobody waits for the disk. Without a session, for speed."""
    with in_turn(engine, LITTLE_PATIENCE), _writer(engine, jots=True, hurries=True).begin() as line:
        if engine.dialect.name == "postgresql":
            line.execute(text("SET LOCAL synchronous_commit TO OFF"))
        yield line


def add_once(db: Line, table: FromClause, row: Mapping[str, Any]) -> bool:
    """Put a row in where its key is free. Whether it was: somebody else may have been first, a moment ago."""
    bound = db.get_bind() if isinstance(db, Session) else db
    done = db.execute(_insert_once(table, bound.dialect.name), row)
    return bool(done.rowcount)  # type: ignore[attr-defined, unused-ignore]


@cache
def _insert_once(table: FromClause, dialect: str) -> Any:
    insert = importlib.import_module(f"sqlalchemy.dialects.{dialect}").insert  # each with an ON CONFLICT of its own
    return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def checkpoint(engine: Engine, tries: int = 20) -> bool:
    """Empty SQLite's write-ahead log into the database, so that no erased byte stays in it. True when it worked.

    While somebody looks at an older state it cannot be emptied, and whoever waits for that keeps every writer waiting:
    so it waits for a moment, lets the others go on, and tries again.
    """
    if engine.dialect.name != "sqlite":
        return True
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={MOMENT}")
        for turn in range(tries):
            if turn:
                time.sleep(MOMENT / 1000)
            busy, log_pages, moved = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if (busy, log_pages, moved) == (0, 0, 0):
                return True
        return False
    finally:
        raw.cursor().execute(f"PRAGMA busy_timeout={PATIENCE}")  # whoever has this line next says so only to write
        raw.close()


def checkpoint_soon(engine: Engine) -> None:
    """The same for who cannot wait: at once where that is possible, else as soon as nobody looks any more.

    One thread at most tries for all who came.
    """
    if not checkpoint(engine, tries=1):
        _behind(engine, os.getpid()).try_on()


class _Behind:
    """The thread that empties the log behind the pages. Who comes when it has just ended starts it again."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._lock, self._tries, self._is_wanted = engine, threading.Lock(), False, False

    def try_on(self) -> None:
        with self._lock:
            self._is_wanted, tries_already = True, self._tries
            self._tries = True
        if not tries_already:
            threading.Thread(target=self._empty, daemon=True).start()

    def _empty(self) -> None:
        while self._goes_on():
            with suppress(sqlite3.Error):
                checkpoint(self._engine, TRIES_BEHIND)

    def _goes_on(self) -> bool:
        with self._lock:
            self._tries, self._is_wanted = self._is_wanted, False
            return self._tries


@lru_cache(maxsize=64)
def _behind(engine: Engine, _process: int) -> _Behind:
    """That of an engine in this process: a thread is not there in one that was forked."""
    return _Behind(engine)


MOMENT = 200  # milliseconds that emptying the log keeps writers waiting, and then lets them go on
TRIES_BEHIND = 3_000  # twenty minutes: longer than a backup looks


def upgrade_tables(engine: Engine) -> None:
    """Bring the tables of both packages to the form this version needs; nothing to do is fine."""
    command, config = _alembic()
    clear_twins(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    checkpoint(engine)  # what an upgrade takes away must not stay in the log


def tables_as_of(connection: Connection, version: str) -> None:
    """Make the tables as they were in a former version, where there are none. Part of a transaction of who asks."""
    command, config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def version_of(db: Line) -> str | None:
    """Which form the tables have: the number of the newest migration. None where there are no tables."""
    bound = db.connection() if isinstance(db, Session) else db
    if not inspect(bound).has_table("alembic_version"):
        return None
    version: str | None = db.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def known_versions() -> frozenset[str]:
    """The forms of the tables that this program can make: the numbers of its migrations."""
    return frozenset(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def new_migration(words: str) -> Path:
    """Write the next migration: what the models have and the migrations do not make yet. Returns the file.

    It is worked out on an empty database in memory, never on one with people in it.
    """
    command, config = _alembic()
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    engine = open_database("sqlite:///:memory:")
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            revision = command.revision(config, words, autogenerate=True, rev_id=f"{int(max(known_versions())) + 1:04}")
    finally:
        engine.dispose()
    return Path(revision.path)


def _alembic() -> tuple[Any, Any]:
    """Its commands, and where our migrations lie. It is loaded when it is needed: pages never do."""
    command, settings = (importlib.import_module(f"alembic.{part}") for part in ("command", "config"))
    config = settings.Config(stdout=io.StringIO())  # what it has to say is told by our commands
    config.set_main_option("script_location", str(MIGRATIONS))
    return command, config


def destroy(engine: Engine) -> None:
    """Drop every table of both packages; on SQLite the pages are overwritten and the log is emptied first."""
    clear_twins(engine)
    with engine.begin() as connection:
        names = inspect(connection).get_table_names()
        for table in reversed(Base.metadata.sorted_tables):
            if table.name in names:
                connection.execute(table.delete())
    checkpoint(engine)
    with engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    checkpoint(engine)
    engine.dispose()
