"""A rehearsal of a release: the very code of a release, over a CSV of codes that somebody invented.

For auditors: they see what the noise does, as often as they like. Knows no key and no case, so it cannot be
pointed at real tallies.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from reporting.errors import AmparoError
from reporting.figures import files as figures_files
from reporting.figures import tables
from reporting.figures.files import build
from reporting.figures.noise import add_noise
from reporting.figures.tables import Counts, Design, Noise
from reporting.i18n import said
from reporting.vocabulary.places import HOME, CountryPlaces, places_of
from reporting.vocabulary.tally import MONTHS, TALLY_CODES, block_of_codes, department_in_tally

YEAR = 2001  # of every invented report; a rehearsal is one closed period
REQUIRED = ("month", "department", "perpetrator", "violence", "identity", "outcome")
OPTIONAL = tuple(name for name in TALLY_CODES if name not in REQUIRED)
DIGITS = 6  # of a folder's name


class BadMicrodata(AmparoError):
    """The file cannot be read; the message says where and what to do."""


def help_in_words() -> str:
    """An example, what each tier holds, and the columns."""
    example = "\b\nA file with one report:\n  " + ",".join(REQUIRED) + "\n  3,PE25,POLICE,EXTORTION,TRANS,OPEN"
    further = (
        f"--also adds a table to any tier, and so to K: {', '.join(tables.FURTHER)}. None is in a release by itself."
    )
    tiers = ["\b\nTiers, by the total last published (real releases choose so):"]
    for tier, (least, hub, names) in tables.TIERS.items():
        each = ", ".join(name or "total" for name in names)
        tiers.append(f"  {tier:2}  >= {least:6,}  {f'{hub[0]} x ({each})' if hub else each}")
    return "\n\n".join(
        (
            example,
            "\n".join(tiers),
            further,
            "Columns of MICRODATA and their codes; those with * may be left out:",
            header_in_words(),
        )
    )


def header_in_words() -> str:
    """Every column with the codes it takes."""
    lines = ["month        1 to 12: when the report came"]
    for name in (*REQUIRED[1:], *OPTIONAL):
        codes = TALLY_CODES[name]
        allowed = DEPARTMENT_CODES if name == "department" else " ".join(codes)
        lines.append(f"{name:12} {allowed}{'' if name in REQUIRED else ' *'}")
    return "\n\n".join(lines)


DEPARTMENT_CODES = "PE01 to PE25, or the codes of --places; OTHER, NOT_SAID"


def read_places(text: str) -> CountryPlaces:
    """The departments of a tree of places, CSV with code, parent, level, name. Raises `BadMicrodata` where none is."""
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), restval=""))
    except csv.Error:
        rows = []
    named = {row["code"]: row["name"] for row in rows if row.get("level") == "department" and row.keys() >= COLUMNS}
    places = places_of(next(iter(named), "")[:2], named)
    if not places.departments:
        raise BadMicrodata(
            said("The tree of places has no department: CSV with code, parent, level, name, as for `places`.")
        )
    return places


COLUMNS = {"code", "name"}


def read_microdata(text: str, places: CountryPlaces = HOME) -> list[bytes]:
    """A tally for each line, its department one of `places`. Raises `BadMicrodata` with every problem by line."""
    table = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    try:
        names = [(name or "").strip() for name in table.fieldnames or []]
        table.fieldnames = names
        if problem := _problem_of_header(names):
            raise BadMicrodata(problem)
        rows = [(table.line_num, row) for row in table]
    except csv.Error:
        raise BadMicrodata(said("line %(line)s: this is no CSV.", line=table.line_num)) from None
    blocks, problems, numbered = [], [], _numbered(places)
    accepted = {name: TALLY_CODES[name] for name in TALLY_CODES} | {"department": tuple(numbered)}
    for line, row in rows:
        problem = _problem_of(row, accepted)
        if problem:
            problems.append(said("line %(line)s: %(problem)s", line=line, problem=problem))
        else:
            codes = {name: row[name].strip() for name in TALLY_CODES if name in row}
            codes["department"] = numbered[codes["department"]]
            blocks.append(block_of_codes(YEAR, int(row["month"]), codes))
    if problems:
        more = [said("and %(count)s more lines.", count=len(problems) - SHOWN)] if len(problems) > SHOWN else []
        raise BadMicrodata(*problems[:SHOWN], *more)
    return blocks


SHOWN = 20  # problems


def _problem_of_header(names: list[str]) -> str:
    missing, twice = [name for name in REQUIRED if name not in names], len(set(names)) != len(names)
    odd = [name for name in names if name not in {*REQUIRED, *OPTIONAL}]
    if missing:
        return said(
            "line 1: the column %(column)s is missing. Needed: %(needed)s.",
            column=missing[0],
            needed=", ".join(REQUIRED),
        )
    if twice:
        return said("line 1: a column is there twice.")
    return said("line 1: there is a column that nobody knows. See `amparo release rehearse --help`.") if odd else ""


def _numbered(places: CountryPlaces) -> dict[str, str]:
    """What a line can say of the department, and the code under which a tally keeps it."""
    return {code: code for code in ("NOT_SAID", "OTHER")} | {
        code: department_in_tally(code) for code in places.departments
    }


def _problem_of(row: Mapping[str, str], accepted: Mapping[str, Sequence[str]]) -> str:
    if "" in row:
        return said("there are more values than columns.")
    month = row["month"].strip()
    if not (month.isascii() and month.isdigit() and len(month) <= 2 and 1 <= int(month) <= MONTHS):  # noqa: PLR2004
        return said("month must be a number from 1 to 12.")
    bad = next((name for name in TALLY_CODES if name in row and row[name].strip() not in accepted[name]), "")
    return said("%(column)s must be one of its codes. See `amparo release rehearse --help`.", column=bad) if bad else ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is rehearsed: invented reports, counted once; then as many releases as wanted."""

    design: Design
    epsilon: Fraction
    counts: Counts = field(repr=False)
    raw: bool = False

    def files(self, noise: Noise) -> dict[str, bytes]:
        """One release, as files; with `raw` its noisy counts."""
        noisy = add_noise(self.design, self.counts, self.epsilon, noise)
        if self.raw:
            about = figures_files.Release("rehearsal", self.design, self.epsilon, {}, fictional=True)
            return figures_files.raw_files(self.design, noisy) | figures_files.metadata(about)
        built = build("rehearsal", self.design, self.epsilon, noisy, fictional=True)
        return figures_files.files(built)


def write(rehearsal: Rehearsal, folder: Path, repeat: int, noise: Noise) -> Iterator[int]:
    """Write one release into the folder, or each of several into one of its own; tells how many are done."""
    if not repeat:
        _write_files(folder, rehearsal.files(noise))
        yield 1
    for number in range(repeat):
        _write_files(folder / f"{number:0{DIGITS}}", rehearsal.files(noise))
        yield number + 1


def _write_files(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)
