"""Derived copies: what is worked out of cases and kept, so that it need not be worked out again.

A copy lives and dies with its case, in the same transaction, and is in no backup. Which tables are copies is said in
the models, by the mark `derived` in a table's `info`; how the copies of a case are found is said here, in one table.
Every way a case goes leads through this module. Opens nothing and seals nothing; knows nothing of what is derived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Table, delete, select, text
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Delete

from reporting.storage.database import Base as Base
from reporting.storage.models import DERIVED, CaseRow, RecordRow

# A copy of many cases lies in so many parts, so that one case takes a small part along and not all that was worked out.
# Whoever changes the number empties the derived tables in a migration.
PARTS: Final = 64


@dataclass(frozen=True, slots=True)
class CopyRule:
    """In which rows of a derived table some cases may stand, and what that means in words."""

    says: str
    holding: Callable[[Table, Collection[int]], Delete]


def part_of(case: int) -> int:
    """The part in which a case stands, 0 to 63. The number is random, so parts are about as long as each other."""
    return case % PARTS


RULES: Final[Mapping[str, CopyRule]] = {
    "part": CopyRule(
        "Sealed in parts, by the number of the case: with a case goes its part, of every team; whoever looks next "
        "works it out anew.",
        lambda table, cases: delete(table).where(table.c.part.in_({part_of(case) for case in cases})),
    ),
}


def tables() -> list[Table]:
    """The tables that are derived copies, as the models say."""
    return [table for table in Base.metadata.sorted_tables if DERIVED in table.info]


def forget(db: Session, cases: Collection[int]) -> None:
    """Whatever was derived from these cases goes. Call it where a case goes or changes its readers."""
    for table in tables():
        db.execute(RULES[table.info[DERIVED]].holding(table, cases))


def let_go(db: Session, which: ColumnElement[bool]) -> int:
    """The cases that fit go, with their records and all that was derived from them. Returns how many."""
    gone = tuple(db.scalars(select(CaseRow.id).where(which)))
    if gone:
        forget(db, gone)
        db.execute(delete(RecordRow).where(RecordRow.case_id.in_(select(CaseRow.id).where(which))))
        db.execute(delete(CaseRow).where(which))
    return len(gone)


def hold_still(db: Session) -> None:
    """Until this transaction ends no case goes unnoticed: call it first, then ask which cases are there, then write.

    SQLite has one writer at a time. On PostgreSQL whoever forgets waits until this is over, and then forgets this too.
    """
    if db.get_bind().dialect.name == "postgresql":
        for table in tables():
            db.execute(text(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE'))


def tables_of_cases() -> list[Table]:
    """The table of cases and all that refer to it, parents first."""
    tables = [Base.metadata.tables[CaseRow.__tablename__]]
    for table in Base.metadata.sorted_tables:
        if any(key.column.table in tables for key in table.foreign_keys) and table not in tables:
            tables.append(table)
    return tables
