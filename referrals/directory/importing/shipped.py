"""What comes with the program: places and services of Peru, brought in when an installation is made or upgraded.

Services are read and stored as any file of ours is; nobody brought them in, so they have no history. What a team has
confirmed or changed is never overwritten by what a later version ships: the difference is told instead.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from referrals.directory.believed import signed_services
from referrals.directory.curation import IMPORTED, NOBODY
from referrals.directory.home import home, shipped_services
from referrals.directory.importing.build import Difference, read_table, write_table
from referrals.directory.importing.known import KnownServices
from referrals.directory.importing.report import ImportReport
from referrals.directory.importing.run import bring_in
from referrals.directory.match_table import changed
from referrals.directory.models import (
    CoverageRow,
    DirectoryRow,
    FlagRow,
    ForeignRow,
    HistoryRow,
    MatchRow,
    PlaceRow,
    ServiceRow,
    SignatureRow,
    WaitingRow,
)
from referrals.directory.reviewed_data import DATA, made_with, retired
from referrals.directory.rows import COLUMNS, tidy
from reporting.i18n import T_, Sentence, said
from reporting.vocabulary.places import FIRST_HOME

WORKED_OUT_OF_ONE = (
    MatchRow,
    CoverageRow,
    FlagRow,
    ForeignRow,
    HistoryRow,
    SignatureRow,
    WaitingRow,
)  # go with their service


YOURS = T_("%(service)s: %(column)s is %(ours)s here and %(theirs)s in this version. Yours was kept: compare by hand.")
YOURS_STAYS = T_("%(service)s is no longer shipped; your team has looked at it, so it stays.")
DONE = T_(
    "The directory: %(new)s services are new, %(changed)s changed, %(out)s were taken out; %(others)s of your team's "
    "say something else."
)


@dataclass(slots=True)
class UpgradeReport:
    """What a newer version brought: ids by what was done, and what the team's own word was kept against."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[Difference] = field(default_factory=list)  # the team confirmed or changed it; shipped says otherwise
    kept_retired: list[str] = field(default_factory=list)  # no longer shipped; the team confirmed or changed it

    def in_words(self) -> list[Sentence]:
        """For the terminal: a line for each difference that somebody has to compare by hand, then the counts."""
        lines = [
            said(YOURS, service=service, column=column, ours=repr(ours), theirs=repr(theirs))
            for service, column, ours, theirs in self.kept
        ]
        lines += [said(YOURS_STAYS, service=service) for service in self.kept_retired]
        counts = {"new": len(self.added), "changed": len(self.changed), "out": len(self.removed)}
        return [*lines, said(DONE, others=len({line[0] for line in self.kept}), **counts)]


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


def bring_up_to_date(db: Session) -> UpgradeReport:
    """Bring an installation's services to what this version ships; what came of each.

    New rows come in, rows that nobody touched change, retired rows that nobody touched go. A row that somebody
    confirmed or signed keeps every cell, one that somebody changed keeps the cells that were changed. Nothing is done
    in another country, or in a directory that has nothing yet.
    """
    report = UpgradeReport()
    known = KnownServices.of(db)
    if home(db).country != FIRST_HOME or not known.rows:
        return report
    load_places(db, (DATA / "places-pe.csv").read_text(encoding="utf-8"))
    touched = _touched(db, known)
    rows = [{column: tidy(row.get(column, "")) for column in COLUMNS} for row in read_table(shipped_services())]
    fresh = [_with_theirs(row, known, touched, report) for row in rows]
    done = bring_in(db, write_table(fresh, COLUMNS).encode(), by=None)
    report.added = [service for service in done.services if service not in known.rows]
    report.changed = [service for service in done.services if service in known.rows]
    _retire(db, known, touched, report)
    row = db.get(DirectoryRow, 1)
    if report.removed or row is None or row.made_with != made_with():
        changed(db, ())  # and listings are worked out anew where the rules of this version are not those of the last
    return report


def _touched(db: Session, known: KnownServices) -> Mapping[str, frozenset[str]]:
    """Service -> its columns that a person of the team confirmed or changed."""
    confirmed = {service for service, cells in known.rows.items() if cells["verified_on"]}
    touched = {service: set(COLUMNS) for service in confirmed | signed_services(db)}
    for line in db.scalars(select(HistoryRow).where(HistoryRow.act != NOBODY)):
        columns = set(json.loads(line.changes))
        whole = line.act == IMPORTED and not columns  # a file of theirs brought it
        touched.setdefault(line.service, set()).update(COLUMNS if whole else columns)
    return {service: frozenset(columns) for service, columns in touched.items()}


def _with_theirs(
    row: Mapping[str, str], known: KnownServices, touched: Mapping[str, frozenset[str]], report: UpgradeReport
) -> dict[str, str]:
    """A shipped row, with the cells that are the team's as they stand here; the differences are told."""
    here, theirs = known.rows.get(row["id"]), touched.get(row["id"], frozenset())
    if here is None:
        return dict(row)
    kept = [column for column in COLUMNS if column in theirs and here[column] != row[column]]
    report.kept += [(row["id"], column, here[column], row[column]) for column in kept if column != "verified_on"]
    return dict(row) | {column: here[column] for column in kept}


def _retire(db: Session, known: KnownServices, touched: Mapping[str, frozenset[str]], report: UpgradeReport) -> None:
    for service in retired():
        if service in known.rows:
            (report.kept_retired if service in touched else report.removed).append(service)
    for worked_out in WORKED_OUT_OF_ONE:
        db.execute(delete(worked_out).where(worked_out.service.in_(report.removed)))
    db.execute(delete(ServiceRow).where(ServiceRow.id.in_(report.removed)))


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
