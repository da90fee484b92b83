"""What is kept: python -m tests.house.kept lists every table and column, from the words beside the columns.

How long comes from retention.toml. The rows of pages are no table of a database: their words stand here.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import referrals.directory.models
import reporting.storage.models
import reporting.storage.release_models
from reporting.clock import DAY, HOUR
from reporting.operations import backups
from reporting.operations.retention import periods
from reporting.sessions import page_rows
from reporting.storage.database import Base
from reporting.storage.kept import HASHED, KEPT, READABLE, SEALED
from tests.house.plan import first_sentence

MODELS = (reporting.storage.models, reporting.storage.release_models, referrals.directory.models)
WIDTH = 118
TABLE = re.compile(r"CREATE \{kind\} TABLE IF NOT EXISTS (\w+) \((.*)\)", re.DOTALL)
# The rows of pages: column -> (how, what), as beside the columns of the tables.
SEED_WORDS = {
    "purpose": (READABLE, "for reporters, for a case or for the desk"),
    "period": (READABLE, "which hour or quarter of an hour"),
    "seed": (READABLE, "random bytes: what was made with them opens only while they are here"),
}
ROW_WORDS = {
    "id": (HASHED, "the name of the page"),
    "owner": (HASHED, "the trip, or the session"),
    "purpose": (READABLE, "for reporters, for a case or for the desk"),
    "period": (READABLE, "the hour or quarter of an hour in which it was last turned"),
    "large": (READABLE, "whether it has much text"),
    "pages": (READABLE, "how many, seven at most"),
    "sealed": (SEALED, "what the pages show"),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A table: what a row is, how long it is there, and of each column (how it lies, what it is)."""

    name: str
    row: str
    long: str
    columns: Mapping[str, tuple[str, str]]


def tables() -> Iterator[Kept]:
    """Every table, those of reports first, in the order of the models; then the rows of pages."""
    for model in MODELS:
        for row in vars(model).values():
            if isinstance(row, type) and issubclass(row, Base) and row is not Base:
                columns = {column.name: column.info.get(KEPT, ("", "")) for column in row.__table__.columns}
                long = _how_long(row.kept) + ("; in no backup" if row.__tablename__ in backups.left_out() else "")
                yield Kept(row.__tablename__, first_sentence(row.__doc__ or ""), long, columns)
    lives = sorted({length * times for length, times in page_rows.LIVES.values()}, reverse=True)
    long = " or ".join(_length(seconds) for seconds in lives) + "; in no backup"
    yield Kept("page_seed", "Of the rows of pages, in memory: a random seed.", long, SEED_WORDS)
    yield Kept(
        "page_row",
        "In memory: the pages of a trip, or of a session at the desk.",
        f"until the exit, at most {long}",
        ROW_WORDS,
    )


def page_columns() -> dict[str, set[str]]:
    """Table -> columns of the rows of pages, as the statements that make them say."""
    made = [found for found in map(TABLE.match, page_rows.TABLES) if found]
    return {
        found[1]: {
            part.split()[0] for part in re.sub(r"\(.*?\)|PRIMARY KEY \(.*\)", "", found[2]).split(",") if part.split()
        }
        - {"PRIMARY"}
        for found in made
    }


def _how_long(told: str | tuple[str, ...]) -> str:
    known = periods()
    if isinstance(told, tuple):
        parts = [one.partition(": ") for one in told]
        return ", ".join(
            f"{_length(known[name].seconds)} ({more or name.replace('_', ' ')})" for name, _, more in parts
        )
    name, _, more = told.partition(": ")
    return f"{_length(known[name].seconds)} {more}".strip() if name in known else told


def _length(seconds: int) -> str:
    if seconds % DAY == 0:
        return f"{seconds // DAY} days"
    return f"{seconds // HOUR} hours" if seconds % HOUR == 0 else f"{seconds // 60} minutes"


def inventory() -> str:
    """Every table as a paragraph: what a row is, how long; then its columns by how they lie."""
    parts = []
    for table in tables():
        lines = textwrap.wrap(f"**`{table.name}`** {table.row} *Kept: {table.long}.*", WIDTH, break_on_hyphens=False)
        for how in (SEALED, HASHED, READABLE):
            told = "; ".join(
                f"`{name}` {what.replace(';', ',')}" for name, (lies, what) in table.columns.items() if lies == how
            )
            if told:
                lines += textwrap.wrap(f"* {how}: {told}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(inventory() + "\n")
