"""All rows as they lie, in whatever version their tables are, and the way back to exactly that.

Asks the database which tables there are, because the models of this version may not fit those of before. What lives
for hours only, and what was worked out of cases, is in no copy: people sign in again, and it is worked out anew.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, select

from reporting.cases import derived
from reporting.i18n import T_, said
from reporting.operations import backups, restoring
from reporting.operations.backups import BackupRefused
from reporting.storage.database import checkpoint, known_versions, tables_as_of, version_of
from reporting.storage.rewriting import clear_twins

VERSION = "alembic_version"
LEFT_OUT = backups.SHORT_LIVED | {VERSION}
ROWS = 500  # that are put in with one order
HASHES = 2**256  # as many as there are of one length: sums of them begin anew there
NEWER = T_(
    "The tables are of version %(version)s, which this program does not know: it is older than they are. Nothing was "
    "changed. Take the program that made them."
)
Say = Callable[[str], None]
Line = dict[str, Any]
Prints = dict[str, list[Any]]  # table -> how many rows, and what they say together


def lines(connection: Connection, say: Say) -> Iterator[Line]:
    """A head, then every row that is carried. The connection must see all tables at one moment."""
    kept = _kept(connection)
    yield {"version": version_of(connection), "tables": [part.name for part in kept]}
    for part in kept:
        say(said("table %(table)s ...", table=part.name))
        for row in connection.execution_options(yield_per=ROWS).execute(select(part)).mappings():
            yield backups.line_of(part.name, row)


class _Sums:
    """What rows say together, as they pass: counted, never held."""

    def __init__(self) -> None:
        self._counts, self._sums = Counter[str](), Counter[str]()

    def pass_on(self, rows: Iterable[Line]) -> Iterator[Line]:
        for row in rows:
            digest = hashlib.sha256(json.dumps(row["r"], sort_keys=True).encode()).digest()
            self._counts[row["t"]] += 1
            self._sums[row["t"]] = (self._sums[row["t"]] + int.from_bytes(digest, "big")) % HASHES
            yield row

    def of(self, tables: Iterable[str]) -> Prints:
        return {name: [self._counts[name], f"{self._sums[name]:x}"] for name in sorted(tables)}


def fingerprints(engine: Engine) -> Prints:
    """How many rows each table has, and a number that is another when any of them is. In whatever order they lie."""
    with backups.one_look(engine) as connection:
        return _fingerprints(connection)


def _fingerprints(connection: Connection) -> Prints:
    sums, copied = _Sums(), lines(connection, lambda _text: None)
    head = next(copied)
    deque(sums.pass_on(copied), maxlen=0)
    return sums.of(head["tables"])


def put_back(engine: Engine, copied: Iterator[Line], say: Say) -> Prints:
    """Exactly the tables and rows of a copy, in the place of what is there: all of it, or nothing is changed.

    Returns what the copy said. `BackupRefused` when what lies there afterwards says something else, and before
    anything is touched for tables that this program cannot make.
    """
    head, sums = next(copied, {}), _Sums()
    if not {"version", "tables"} <= head.keys():
        raise BackupRefused(backups.BENT)
    version = str(head["version"])
    if version not in known_versions():
        raise BackupRefused(said(NEWER, version=version))
    clear_twins(engine)
    with engine.execution_options(writes=True).begin() as connection:
        _reflected(connection).drop_all(connection)
        say(said("tables of version %(version)s ...", version=version))
        tables_as_of(connection, version)
        tables = [part.name for part in _kept(connection)]
        if head["tables"] != tables:
            raise BackupRefused(backups.BENT)
        _fill(connection, sums.pass_on(_rows(copied, tables)), say)
        copied_said = sums.of(tables)
        if _fingerprints(connection) != copied_said:
            raise BackupRefused(T_("What was put back is not what was copied: nothing was changed."))
    checkpoint(engine)
    return copied_said


def _rows(lines: Iterable[Line], tables: Sequence[str]) -> Iterator[Line]:
    """Each line as a row of one of these tables; `BackupRefused` for one that is none."""
    for line in lines:
        if line.get("t") not in tables or not isinstance(line.get("r"), dict):
            raise BackupRefused(backups.BENT)
        yield line


def _kept(connection: Connection) -> list[Table]:
    """The tables that are carried, who is pointed at before who points; with the types that the database names."""
    left_out = LEFT_OUT | {part.name for part in derived.tables()}
    return [part for part in _reflected(connection).sorted_tables if part.name not in left_out]


def _reflected(connection: Connection) -> MetaData:
    there = MetaData()
    there.reflect(connection)
    return there


def _fill(connection: Connection, rows: Iterator[Line], say: Say) -> None:
    there = _reflected(connection)
    for part in reversed(there.sorted_tables):  # a migration may have put in rows of its own
        if part.name != VERSION:
            connection.execute(part.delete())
    for name, group in groupby(map(backups.row_in, rows), key=lambda row: row[0]):
        say(said("table %(table)s ...", table=name))
        _insert(connection, there.tables[name], (row for _, row in group))
    restoring.move_counters_on(connection, there.sorted_tables)


def _insert(connection: Connection, part: Table, rows: Iterator[Mapping[str, Any]]) -> None:
    while some := list(islice(rows, ROWS)):
        restoring.put_in(connection, part, some)
