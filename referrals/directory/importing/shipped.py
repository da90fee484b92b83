"""What comes with the program: places and services of Peru, brought in when an installation is made.

Services are read and stored as any file of ours is; nobody brought them in, so they have no history.
"""

from __future__ import annotations

import csv
import io

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory.home import home, shipped_services
from referrals.directory.importing.report import ImportReport
from referrals.directory.importing.run import bring_in
from referrals.directory.match_table import changed
from referrals.directory.models import PlaceRow
from referrals.directory.reviewed_data import DATA
from reporting.vocabulary.countries import FIRST_HOME


def load_shipped(db: Session) -> ImportReport:
    """Bring in the places and services of Peru as shipped; what came of each row. A second time changes nothing."""
    load_places(db, (DATA / "places-pe.csv").read_text(encoding="utf-8"))
    return bring_in(db, shipped_services().encode(), by=None)


def load_country(db: Session) -> None:
    """What is shipped for the country of this directory: all of Peru for Peru; for any other its code, and no line."""
    country = home(db).country
    if country == FIRST_HOME:
        load_shipped(db)
    else:
        load_places(db, f"code,parent,level,name\n{country},,country,{country}\n")


def load_places(db: Session, text: str) -> int:
    """Bring in a tree of places from CSV: code, parent, level, name. Returns how many are new; known ones stay.

    `KeyError` when one of these columns is missing.
    """
    known = set(db.scalars(select(PlaceRow.code)))
    fresh = [row for row in csv.DictReader(io.StringIO(text)) if row["code"] not in known]
    db.add_all(PlaceRow(code=row["code"], parent=row["parent"], level=row["level"], name=row["name"]) for row in fresh)
    db.flush()
    if fresh:
        changed(db, ())
    return len(fresh)
