"""Lists of others into our file of services: what is new, what a newer list changed, what nobody may overwrite.

Knows no database. A row that somebody confirmed keeps every cell and stays even when its list has it no more; what the
list says otherwise is told, cell by cell. Run twice it changes nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from referrals.directory.importing.build_rows import (
    NEEDED,
    PREFIXES,
    BuiltList,
    LeftOut,
    build_list,
    decisions,
    lines_of,
)
from referrals.directory.rows import COLUMNS
from reporting.errors import AmparoError
from reporting.i18n import T_, Sentence, said

RETIRED_COLUMNS: Final = ("service", "became", "why")
GONE: Final = "ya no está en la lista de la que vino"
Difference = tuple[str, str, str, str]  # service, column, what stands there, what the list says


CHANGED = T_("changed: %(service)s %(column)s: %(old)s -> %(new)s")
KEPT = T_("confirmed, so kept: %(service)s %(column)s: %(old)s; list: %(new)s")
KEPT_GONE = T_("confirmed, so kept though its list has it no more: %(service)s")
COUNTS = T_(
    "%(added)s added, %(changed)s changed, %(unchanged)s as before, %(gone)s gone, %(kept)s confirmed and kept as they "
    "are, %(left_out)s left out."
)


class BadList(AmparoError, ValueError):
    """A list without rows, or without a column that its rows are read from."""

    def __init__(self, file: str, missing: Iterable[str]) -> None:
        super().__init__(said("%(file)s has no row, or lacks: %(columns)s.", file=file, columns=", ".join(missing)))


@dataclass(slots=True)
class BuildReport:
    """What came of the lists: ids of rows by what was done, differences that were not written, rows left out."""

    added: list[str] = field(default_factory=list)
    changed: list[Difference] = field(default_factory=list)
    unchanged: int = 0
    kept: list[Difference] = field(default_factory=list)  # confirmed: the list says otherwise
    gone: list[str] = field(default_factory=list)
    kept_gone: list[str] = field(default_factory=list)  # confirmed: the list has it no more
    left_out: list[LeftOut] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Counts and lists, for a program."""
        return {
            "added": self.added,
            "changed": [list(difference) for difference in self.changed],
            "unchanged": self.unchanged,
            "kept": [list(difference) for difference in self.kept],
            "gone": self.gone,
            "kept_gone": self.kept_gone,
            "left_out": [[row.name, row.why] for row in self.left_out],
        }

    def in_words(self) -> list[Sentence]:
        """The same for the terminal: a line for each row that a person has to look at, then the counts."""
        lines = [said("left out: %(row)s: %(why)s", row=row.name, why=row.why) for row in self.left_out]
        for words, differences in ((CHANGED, self.changed), (KEPT, self.kept)):
            lines += [
                said(words, service=service, column=column, old=repr(old), new=repr(new))
                for service, column, old, new in differences
            ]
        lines += [said("gone: %(service)s", service=service) for service in self.gone]
        lines += [said(KEPT_GONE, service=service) for service in self.kept_gone]
        counts = said(
            COUNTS,
            added=len(self.added),
            changed=len({difference[0] for difference in self.changed}),
            unchanged=self.unchanged,
            gone=len(self.gone),
            kept=len({difference[0] for difference in self.kept}) + len(self.kept_gone),
            left_out=len(self.left_out),
        )
        return [*lines, counts]


def read_table(text: str) -> list[dict[str, str]]:
    """The rows of a CSV file, every cell trimmed; with or without the mark that spreadsheets write."""
    return [dict(row) for row in lines_of(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))]


def build(
    rows: Sequence[Mapping[str, str]], lists: Mapping[str, Sequence[Mapping[str, str]]], retired: Iterable[str]
) -> tuple[list[dict[str, str]], BuildReport]:
    """Our rows with these lists in them, and what came of each. `lists`: name of the list -> its rows.

    `retired`: ids that stand in our file no more, unless somebody has confirmed them.
    """
    report = BuildReport()
    built = {name: build_list(name, lines) for name, lines in lists.items()}
    fresh = {service: row for each in built.values() for service, row in each.rows.items()}
    for each in built.values():
        report.left_out += each.left_out
    lost = _no_longer_listed(rows, built) | (set(retired) - fresh.keys())
    after = [_kept(row, fresh.pop(row["id"], None), lost, report) for row in rows]
    report.added = sorted(fresh)
    return [*(row for row in after if row is not None), *(fresh[service] for service in report.added)], report


def _no_longer_listed(rows: Iterable[Mapping[str, str]], built: Mapping[str, BuiltList]) -> set[str]:
    complete = [name for name in built if decisions()["lists"][name]["complete"]]
    prefixes = tuple(prefix for name in complete for prefix in PREFIXES[name])
    there = {service for name in complete for service in built[name].rows}
    return {row["id"] for row in rows if row["id"].startswith(prefixes)} - there


def _kept(
    row: Mapping[str, str], fresh: Mapping[str, str] | None, lost: set[str], report: BuildReport
) -> dict[str, str] | None:
    """A row of ours as it stays: as the list says now, as it was, or not at all."""
    before = {column: row.get(column) or "" for column in COLUMNS}
    if row["id"] in lost:
        (report.kept_gone if row["verified_on"] else report.gone).append(row["id"])
        return before if row["verified_on"] else None
    if fresh is None:
        return before
    differences = [
        (row["id"], column, before[column], fresh[column]) for column in COLUMNS if before[column] != fresh[column]
    ]
    if row["verified_on"]:
        report.kept += [difference for difference in differences if difference[1] != "verified_on"]
        return before
    report.changed += differences
    report.unchanged += not differences
    return dict(fresh)


def write_table(rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> str:
    """Rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def missing_columns(name: str, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The columns that a list lacks, in order; all of them where it has no row."""
    return sorted(NEEDED[name] - (rows[0].keys() if rows else set()))


def build_files(into: Path, lists: Mapping[str, Path], *, dry_run: bool) -> BuildReport:
    """Build lists that lie in files into the file `into`, and write beside it which ids are retired by it.

    `BadList` when one of them lacks a column, or is no table: then nothing is written.
    """
    beside = into.with_name("retired-services.csv")
    retired = read_table(beside.read_text("utf-8")) if beside.exists() else []
    rows = read_table(into.read_text("utf-8")) if into.exists() else []
    tables = {name: read_table(path.read_text("utf-8", "replace")) for name, path in lists.items()}
    for name, lines in tables.items():
        if missing := missing_columns(name, lines):
            raise BadList(lists[name].name, missing)
    after, report = build(rows, tables, [row["service"] for row in retired])
    if not dry_run:
        known = {row["service"] for row in retired}
        retired += [{"service": service, "became": "", "why": GONE} for service in report.gone if service not in known]
        retired = [row for row in retired if row["service"] not in report.added]
        into.write_text(write_table(after, COLUMNS), encoding="utf-8")
        beside.write_text(write_table(retired, RETIRED_COLUMNS), encoding="utf-8")
    return report
