"""SQLite's tables written anew in the order of their keys, a few rows at a time, so that who writes does not wait.

Where a row lies in the file tells when it came. So each table gets a twin that triggers keep alike; rows are copied in
the order of their keys, random ones, then the trees behind both names change places, and what was the table is emptied
and overwritten. Whatever is erased goes from both, also where a rewrite was killed. Knows nothing of what rows say.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import SystemRandom
from typing import Any, Final

from sqlalchemy import Connection, Engine

from reporting.errors import AmparoError
from reporting.i18n import T_, said
from reporting.storage.turns import in_turn

ROWS: Final = 200  # that are written in one transaction at most
BYTES: Final = 2 * 1024 * 1024  # or as soon as they are that long together
PATIENCE: Final = 60_000  # milliseconds until its turn
TWIN: Final = "_anew"
_EVENTS: Final = ("insert", "update", "delete")
_Row = tuple[int, Sequence[Any]]  # the length of a row, and its key


class NotTheSame(AmparoError):
    """A twin has not as many rows as its table: nothing was exchanged."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, by what its rows are ordered, and how their length is counted."""

    name: str
    keys: tuple[str, ...]
    length: str

    @property
    def twin(self) -> str:
        return self.name + TWIN

    def columns(self, way: str = "") -> str:
        return ", ".join(f'"{key}"{way}' for key in self.keys)

    def key(self, prefix: str = "") -> str:
        return "(" + ", ".join(f'{prefix}"{key}"' for key in self.keys) + ")"

    def value(self) -> str:
        return "(" + ", ".join("?" * len(self.keys)) + ")"

    def last_of_twin(self) -> str:
        return f'SELECT {self.columns()} FROM "{self.twin}" ORDER BY {self.columns(" DESC")} LIMIT 1'


def write_anew(engine: Engine) -> int:
    """Every table of SQLite's file in a new place, in the order of its keys. Returns how many.

    A twin that was left by one that was killed goes first. `NotTheSame` where something is wrong: the table stays.
    """
    with _a_line(engine) as line:
        _clear(line)
        names = _names(line)
        for name in names:
            table = _table(line, name)
            _begin(line, table)
            while not _copy_some(line, table):
                pass
            _empty(line, table)
    return len(names)


def clear_twins(engine: Engine) -> None:
    """What a rewrite that was killed left behind goes. Call it before tables are changed or dropped."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as line:
        has_any = any(name.endswith(TWIN) for name in _names(line))
    if has_any:
        with _a_line(engine) as line:
            _clear(line)


@contextmanager
def _a_line(engine: Engine) -> Iterator[Connection]:
    """A connection of its own: rows that are copied refer to what is there, nobody has to look again."""
    with engine.connect().execution_options(writes=True) as line:
        line.detach()  # closed afterwards, with what is set here
        _driver(line).execute("PRAGMA foreign_keys=OFF")
        yield line


@contextmanager
def _short(line: Connection) -> Iterator[Callable[..., Sequence[Any]]]:
    """One short transaction; then as long a pause, in which others find the way free."""
    with in_turn(line.engine, PATIENCE), line.begin():
        began = time.monotonic()
        yield lambda order, *values: _driver(line).execute(order, values).fetchall()
    time.sleep(time.monotonic() - began)


def _driver(line: Connection) -> Any:
    return line.connection.dbapi_connection


def _quoted(name: str) -> str:
    return f'"{name}"'


def _names(line: Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
    return sorted(name for (name,) in _driver(line).execute(query) if not name.startswith("sqlite_"))


def _clear(line: Connection) -> None:
    for name in _names(line):
        if name.endswith(TWIN):
            _empty(line, _table(line, name.removesuffix(TWIN)))


def _table(line: Connection, name: str) -> _Table:
    columns = _driver(line).execute(f'PRAGMA table_info("{name}")').fetchall()
    keys = [column for _, column, *_, place in sorted(columns, key=lambda row: row[5]) if place]
    long = [f'coalesce(length("{column}"), 0)' for _, column, kind, *_ in columns if kind == "BLOB"]
    return _Table(name, tuple(keys), " + ".join(long) or "0")


def _all_rows(line: Connection, table: _Table) -> list[_Row]:
    query = f'SELECT {table.length}, {table.columns()} FROM "{table.twin}"'
    return [(long, tuple(key)) for long, *key in _driver(line).execute(query)]


def _batches(rows: Iterable[_Row]) -> Iterator[list[Sequence[Any]]]:
    """Keys of rows that go with one transaction: not many, and not long; but one at least."""
    batch, length = list[Sequence[Any]](), 0
    for long, key in rows:
        if batch and (len(batch) == ROWS or length + long > BYTES):
            yield batch
            batch, length = [], 0
        batch.append(key)
        length += long
    if batch:
        yield batch


def _begin(line: Connection, table: _Table) -> None:
    """The twin, with the indexes and constraints of its table, and the triggers that keep it alike."""
    named = re.compile(rf'(?<=\s)"?{table.name}"?(?=[\s(])')
    with _short(line) as run:
        query = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC"
        for kind, name, sql in run(query, table.name):
            if kind == "table":
                run(named.sub(_quoted(table.twin), sql, count=1))
            elif kind == "index":
                own = re.sub(rf'(?<=\s)"?{name}"?(?=\s)', _quoted(name + TWIN), sql, count=1)
                head, on, rest = own.partition(" ON ")
                run(head + on + named.sub(_quoted(table.twin), " " + rest, count=1))
        for order in _triggers(table):
            run(order)


def _triggers(table: _Table) -> Iterator[str]:
    """What is copied stays like the table; what comes behind it is copied when its turn comes."""
    goes = f'DELETE FROM "{table.twin}" WHERE {table.key()} = {table.key("OLD.")};'
    is_copied = f"{table.key('NEW.')} <= ({table.last_of_twin()})"
    comes = f'INSERT INTO "{table.twin}" SELECT * FROM "{table.name}" WHERE {table.key()} = {table.key("NEW.")}'
    for event, does in zip(
        _EVENTS, (f"{comes} AND {is_copied};", f"{goes} {comes} AND {is_copied};", goes), strict=True
    ):
        yield f'CREATE TRIGGER "{table.twin}_{event}" AFTER {event} ON "{table.name}" BEGIN {does} END'


def _copy_some(line: Connection, table: _Table) -> bool:
    """The next rows go to the twin. Whether there were none left, and the two have changed places."""
    with _short(line) as run:
        after = next(iter(run(table.last_of_twin())), ())
        behind = f" AND {table.key()} > {table.value()}" if after else ""
        query = (
            f'SELECT {table.length}, {table.columns()} FROM "{table.name}" WHERE 1{behind} ORDER BY {table.columns()}'
        )
        rows = ((long, key) for long, *key in run(f"{query} LIMIT {ROWS}", *after))
        for batch in _batches(rows):
            come = f'INSERT INTO "{table.twin}" SELECT * FROM "{table.name}" WHERE {table.key()} <= {table.value()}'
            run(f"{come}{behind} ORDER BY {table.columns()}", *batch[-1], *after)
            return False
        _change_places(run, table)
    _driver(line).execute("PRAGMA writable_schema=RESET")  # and read anew which tree is whose
    return True


def _change_places(run: Callable[..., Sequence[Any]], table: _Table) -> None:
    """Of a table and its twin, and of their indexes: the first pages of their trees, which is all that names know."""
    counts = {name: run(f'SELECT count(*) FROM "{name}"')[0][0] for name in (table.name, table.twin)}
    if counts[table.name] != counts[table.twin]:
        words = T_("The copy of %(table)s has not as many rows as the table. Nothing was changed.")
        raise NotTheSame(said(words, table=table.name))
    query = "SELECT name, rootpage FROM sqlite_master WHERE tbl_name = ? AND type IN ('table', 'index')"
    ours, theirs = dict(run(query, table.name)), dict(run(query, table.twin))
    auto = f"sqlite_autoindex_{table.name}_"
    twin_of = {
        name: name.replace(auto, f"sqlite_autoindex_{table.twin}_") if name.startswith(auto) else name + TWIN
        for name in ours
    }
    if {*twin_of.values()} != {*theirs}:
        words = T_("The copy of %(table)s has not the same indexes. Nothing was changed.")
        raise NotTheSame(said(words, table=table.name))
    run("PRAGMA writable_schema=ON")
    for name, twin in twin_of.items():
        for which, root in ((name, theirs[twin]), (twin, ours[name])):
            run("UPDATE sqlite_master SET rootpage = ? WHERE name = ? AND rootpage > 0", root, which)
    run(f"PRAGMA schema_version={run('PRAGMA schema_version')[0][0] + 1}")  # so that everybody reads it anew


def _empty(line: Connection, table: _Table) -> None:
    """The twin goes, some rows at a time: what a page held is overwritten when it is given back.

    In an order drawn anew: SQLite lists free pages as they come, so else that list would tell where each row had lain.
    """
    gone = f'DELETE FROM "{table.twin}" WHERE {table.key()} = {table.value()}'
    while not _is_dropped(line, table):
        rows = _all_rows(line, table)
        SystemRandom().shuffle(rows)
        for batch in _batches(rows):
            with _short(line):
                _driver(line).executemany(gone, batch)


def _is_dropped(line: Connection, table: _Table) -> bool:
    """An empty twin goes, with its triggers; one in which something is stays."""
    with _short(line) as run:
        if run(table.last_of_twin()):
            return False
        for event in _EVENTS:
            run(f'DROP TRIGGER IF EXISTS "{table.twin}_{event}"')
        run(f'DROP TABLE "{table.twin}"')
    return True
