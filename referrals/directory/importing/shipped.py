"""The rows that come with the program, read into the directory at the start and after an upgrade."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory.home import home, shipped_services
from referrals.directory.match_table import AT_ONCE, Tell, changed, untold
from referrals.directory.models import PlaceRow, ServiceRow
from referrals.directory.reviewed_data import DATA
from referrals.directory.rows import COLUMNS, MAY_LACK, faults, store, store_new
from reporting.vocabulary.countries import FIRST_HOME


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: rows stored (new or changed), rows left as they were, problems with their line."""

    stored: int
    unchanged: int
    problems: tuple[tuple[int, str], ...]


def load_shipped(db: Session) -> Imported:
    """Places and services of Peru as shipped. A second time changes nothing."""
    load_places(db, (DATA / "places-pe.csv").read_text(encoding="utf-8"))
    return import_services(db, shipped_services())


def load_country(db: Session) -> None:
    """What is shipped for the country of this directory: all of Peru for Peru; for any other its code, and no line."""
    country = home(db).country
    if country == FIRST_HOME:
        load_shipped(db)
    else:
        load_places(db, f"code,parent,level,name\n{country},,country,{country}\n")


def load_places(db: Session, text: str) -> int:
    """A tree of places from CSV: code, parent, level, name. Returns how many are new."""
    known = set(db.scalars(select(PlaceRow.code)))
    fresh = [row for row in csv.DictReader(io.StringIO(text)) if row["code"] not in known]
    db.add_all(PlaceRow(code=row["code"], parent=row["parent"], level=row["level"], name=row["name"]) for row in fresh)
    db.flush()
    if fresh:
        changed(db, ())
    return len(fresh)


def import_services(db: Session, text: str, *, dry_run: bool = False, tell: Tell = untold) -> Imported:
    """Services from CSV, comma or semicolon: all rows or, where one is bad, none. Problems come with their line.

    The file is gone through twice, so that a large one never lies in memory as rows.
    """
    places = {row.code: row.name for row in db.scalars(select(PlaceRow))}
    count, problems = _checked(text, places, home(db).country)
    if problems or dry_run:
        return Imported(0, 0, tuple(problems))
    known, stored, fresh = set(db.scalars(select(ServiceRow.id))), list[str](), list[Mapping[str, str]]()
    for number, (_, row) in enumerate(_rows(text), start=1):
        if row["id"] not in known:
            fresh.append(row)
            stored.append(row["id"])
        elif store(db, row, places):
            stored.append(row["id"])
        if len(fresh) == AT_ONCE or number == count:
            store_new(db, fresh, places)
            fresh.clear()
            tell("stored", number, count)
    if stored:
        changed(db, stored, tell)
    return Imported(len(stored), count - len(stored), ())


def _checked(text: str, places: Mapping[str, str], country: str) -> tuple[int, list[tuple[int, str]]]:
    """How many rows there are, and what is wrong with them."""
    missing = [column for column in COLUMNS if column not in {*(_table(text).fieldnames or ()), *MAY_LACK}]
    if missing:
        return 0, [(1, f"Columns are missing: {', '.join(missing)}.")]
    problems, seen, count = list[tuple[int, str]](), set[str](), 0
    for line, row in _rows(text):
        found = [*faults(row, places, country), *(["This id stands twice."] if row["id"] in seen else [])]
        problems += [(line, fault) for fault in found]
        seen.add(row["id"])
        count += 1
    return count, problems


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells) of each row."""
    reader = _table(text)
    for told in reader:
        yield reader.line_num, {column: (told.get(column) or "").strip() for column in COLUMNS}


def _table(text: str) -> csv.DictReader[str]:
    cleaned = text.removeprefix("\ufeff")
    header = cleaned.split("\n", 1)[0]
    return csv.DictReader(io.StringIO(cleaned), delimiter=";" if header.count(";") > header.count(",") else ",")
