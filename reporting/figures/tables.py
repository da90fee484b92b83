"""Tables of a release: how reports are divided, and the true counts of tallies over them.

Pure. From the tables follows how much one report can change (K) and so how much noise is added. True counts
leave it only to be given noise. Knows no key, no case and no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Final

from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.vocabulary.places import HOME, REGIONS, CountryPlaces
from reporting.vocabulary.tally import (
    TALLY_BYTE,
    TALLY_CODES,
    TALLY_FORMAT,
    TALLY_SIZE,
    department_in_tally,
    newest_form,
)

Below = Callable[[int], int]  # a whole number from 0, below the one given: `secrets.randbelow`
Noise = Callable[[Fraction], int]  # one draw at a scale
Cell = tuple[int, ...]  # numbers of codes, one for each dimension
HIDDEN_BELOW: Final = 10  # a published figure below this is shown as «fewer than 10»
SURE: Final = 0.95  # the share of figures that lie within their bounds
DEFAULT_EPSILON: Final = Fraction(1)
LARGEST_EPSILON: Final = Fraction(2)  # above it an observer who knows all other reports learns too much


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to divide the reports: every code of a tally's field falls into exactly one group."""

    name: str
    label: str
    field: str
    groups: Mapping[str, tuple[str, ...]]  # group -> codes
    rest: str = ""  # the group that takes every other code; empty: the last

    @property
    def codes(self) -> tuple[str, ...]:
        """All groups, always the same ones."""
        return tuple(self.groups)

    def translation(self) -> bytes:
        """For each possible byte of the field, the number of its group."""
        known = MONTH_CODES if self.field == "month" else TALLY_CODES[self.field]
        number = {code: place for place, codes in enumerate(self.groups.values()) for code in codes}
        rest = self.codes.index(self.rest) if self.rest else len(self.groups) - 1
        return bytes(number.get(known[byte], rest) if byte < len(known) else rest for byte in range(256))


MONTH_CODES: Final = ("", *(f"M{month:02}" for month in range(1, 13)))


def _alone(*codes: str) -> dict[str, tuple[str, ...]]:
    return {code: (code,) for code in codes}


def _departments(places: CountryPlaces) -> Dimension:
    """Every department of a country. What the list does not have, as of a country before it, is another region."""
    listed = {code: (department_in_tally(code),) for code in places.departments}
    groups = {**listed, "OTHER": ("OTHER",), "NOT_SAID": ("NOT_SAID",)}
    return Dimension("department", N_("Department"), "department", groups, rest="OTHER")


# name -> dimension. The groups are a public list; which of them are rare this year never changes it.
DIMENSIONS: Final = {
    dimension.name: dimension
    for dimension in (
        Dimension(
            "perpetrator",
            N_("Who did it (the main one)"),
            "perpetrator",
            {
                "CLIENT": ("CLIENT",),
                "POLICE": ("POLICE",),
                "SERENAZGO": ("SERENAZGO",),
                "OTHER_STATE": ("OTHER_STATE",),
                "THIRD_PARTY": ("THIRD_PARTY",),
                "CRIMINAL_GROUP": ("CRIMINAL_GROUP",),
                "PARTNER_FAMILY": ("PARTNER", "FAMILY"),
                "PROVIDER": ("PROVIDER",),
                "OTHER": ("LANDLORD", "COWORKER", "NEIGHBOUR_PUBLIC", "OTHER"),
                "UNKNOWN": ("UNKNOWN", "NOT_SAID"),
            },
        ),
        Dimension(
            "type",
            N_("Main type of violence"),
            "violence",
            {
                "KILLING": ("KILLING_DISAPPEARANCE", "ATTEMPTED_KILLING"),
                "RAPE": ("RAPE", "STEALTHING"),
                "OTHER_SEXUAL": ("SEXUAL_ASSAULT", "SEXUAL_EXTORTION"),
                "PHYSICAL_ASSAULT": ("PHYSICAL_ASSAULT",),
                "CONFINEMENT": ("CONFINEMENT", "FORCED_SEX_WORK", "FORCED_MARRIAGE"),
                "EXTORTION": ("EXTORTION",),
                "DETENTION": ("ARBITRARY_DETENTION",),
                "CONDOMS": ("CONDOM_CONFISCATION",),
                "MONEY": ("ROBBERY", "NONPAYMENT", "ECONOMIC_ABUSE"),
                "THREATS": ("THREATS", "STALKING"),
                "OUTING": ("OUTING",),
                "DENIAL": ("SERVICE_DENIAL", "FORCED_HEALTH_EXAM"),
                "PSYCH": ("PSYCH_ABUSE", "HATE_VIOLENCE"),
                "NOT_SAID": ("NOT_SAID",),
            },
        ),
        Dimension(
            "region",
            N_("Region"),
            "department",
            {region: (department,) for region, department in REGIONS.items()}
            | {
                "OTHER": (*(code for code in HOME.departments if code not in REGIONS.values()), "OTHER"),
                "NOT_SAID": ("NOT_SAID",),
            },
            rest="OTHER",
        ),
        _departments(HOME),
        Dimension(
            "quarter",
            N_("Quarter in which the report came"),
            "month",
            {f"Q{quarter + 1}": MONTH_CODES[3 * quarter + 1 : 3 * quarter + 4] for quarter in range(4)},
        ),
        Dimension("month", N_("Month in which the report came"), "month", _alone(*MONTH_CODES[1:])),
        Dimension("gender", N_("Gender"), "identity", _alone("CIS_W", "TRANS", "CIS_M", "OTHER", "NA")),
        Dimension("outcome", N_("Outcome as known"), "outcome", _alone(*TALLY_CODES["outcome"])),
        Dimension("age", N_("Age"), "age", _alone("U18", "A18_24", "A25P", "NOT_SAID")),
        Dimension("venue", N_("Kind of place"), "venue", _alone(*TALLY_CODES["venue"][1:], "NOT_SAID")),
        Dimension(
            "reported",
            N_("Reported to an authority, or why not"),
            "reported",
            _alone(*TALLY_CODES["reported"][1:], "NOT_SAID"),
        ),
        Dimension("papers", N_("Papers"), "papers", _alone("WITHOUT", "WITH", "NOT_SAID")),
        Dimension("in_time", N_("Reached in time"), "in_time", _alone("WITHIN_72", "WITHIN_120", "LATER", "NOT_KNOWN")),
        Dimension("gap", N_("The need that waited longest"), "gap", _alone(*TALLY_CODES["gap"])),
        Dimension(
            "answered",
            N_("Time to the team's first letter"),
            "answered",
            _alone("WITHIN_24", "WITHIN_72", "WITHIN_7D", "LATER", "NEVER", "NOT_AWAITED", "NOT_KNOWN"),
        ),
    )
}
# each one more table, and more noise for all: none is in a release unless a board's budget includes it
FURTHER: Final = ("age", "venue", "reported", "papers", "in_time", "gap", "answered")


@dataclass(frozen=True, slots=True)
class Table:
    """Reports by hub and one more dimension. Each report lies in exactly one cell."""

    divided_by: tuple[Dimension, ...]
    most: int = 1  # cells that one report can change by one

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of its dimensions."""
        return tuple(dimension.name for dimension in self.divided_by)

    @property
    def name(self) -> str:
        """The name of its file."""
        return "-".join(self.dimensions) or "total"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell, also those that nobody is in."""
        cells: tuple[Cell, ...] = ((),)
        for dimension in self.divided_by:
            cells = tuple((*cell, code) for cell in cells for code in range(len(dimension.groups)))
        return cells

    def codes_of(self, cell: Cell) -> tuple[str, ...]:
        """The cell's codes in words of the tables above."""
        return tuple(dimension.codes[code] for dimension, code in zip(self.divided_by, cell, strict=True))


@dataclass(frozen=True, slots=True)
class Design:
    """A star: a hub (by a dimension, or by nothing: the total alone), and tables that each divide the hub further."""

    tier: int
    hub: Table
    leaves: tuple[Table, ...]
    places: CountryPlaces = HOME  # whose departments the reports are divided by

    @property
    def sensitivity(self) -> int:
        """K: how much one report can change all raw counts together. Derived, never typed."""
        return sum(table.most for table in self.leaves)

    def scale(self, epsilon: Fraction) -> Fraction:
        """The scale of the noise."""
        return self.sensitivity / epsilon


TOTAL_ONLY: Final = -1
# tier -> (from how many reports, as last published; hub; what divides it)
TIERS: Final = {
    TOTAL_ONLY: (0, (), ("",)),
    0: (50, (), ("", "perpetrator", "type")),
    1: (100, (), ("", "region", "perpetrator", "type", "gender", "outcome", "quarter")),
    2: (1_000, ("perpetrator",), ("region", "quarter", "type", "gender", "outcome")),
    3: (20_000, ("perpetrator",), ("department", "month", "type", "gender", "outcome")),
}


def tier_of(published: int | None) -> int:
    """The tier for the total last published, None before the first. This period's own reports decide nothing."""
    return 0 if published is None else max(tier for tier, (least, _, _) in TIERS.items() if published >= least)


TOTAL: Final = Table(())
_OF_PLACE: Final = frozenset({"region", "department"})


def design(
    tier: int, further: Sequence[str] = (), *, departments: bool = False, places: CountryPlaces = HOME
) -> Design:
    """The tables of a tier. Each table of `further` adds its share to K; `ValueError` for one that cannot be made.

    Regions are those of the programme, in the first home. Elsewhere `places` stand in for them, all of its departments;
    where it has none, nothing is divided by place, and K is less by one.
    """
    if unknown := set(further) - set(FURTHER):
        raise ValueError(f"No table can be made of {', '.join(sorted(unknown))}.")
    _, by, names = TIERS[tier]
    known = dict(DIMENSIONS) | {"department": _departments(places)}
    if departments or places != HOME:
        known["region"] = known["department"]
    hub = Table(tuple(known[name] for name in by))
    named = [name for name in (*names, *further) if places.departments or name not in _OF_PLACE]
    leaves = (Table((*hub.divided_by, known[name])) if name else hub for name in named)
    return Design(tier, hub, tuple(leaves), places)


Counts = dict[str, dict[Cell, int]]  # table -> cell -> count, every cell, in the order of the table


class CountedTwice(AmparoError):
    """A report would change the raw counts by more than K. Nothing may be published."""


BATCH: Final = 50_000  # reports that are looked at together, so that a million need no more memory than these


def count(design: Design, blocks: Iterable[bytes]) -> Counts:
    """The true counts. They leave this package only with noise on them. Void tallies count nowhere.

    `CountedTwice` when two tables have one name.
    """
    counts = {table.name: dict.fromkeys(table.cells, 0) for table in design.leaves}
    if len(counts) != len(design.leaves):
        raise CountedTwice
    waiting = iter(blocks)
    while batch := list(islice(waiting, BATCH)):
        kept = b"".join(block if block[0] == TALLY_FORMAT else newest_form(block) for block in batch if any(block))
        for table in design.leaves:
            cells = counts[table.name]
            for cell, number in _counted(table, kept, len(kept) // TALLY_SIZE).items():
                cells[cell] += number
    return counts


def _counted(table: Table, kept: bytes, reports: int) -> dict[Cell, int]:
    """Each report falls into one cell: columns of bytes, each report's own translated to the groups, taken together."""
    columns = [_column(dimension, kept) for dimension in table.divided_by]
    cells: Counter[Cell] = Counter(zip(*columns, strict=True)) if columns else Counter({(): reports})
    # the columns are as long as the reports are many, so a sum that agrees says: one cell for each report, no more
    if cells.total() * table.most != reports or any(len(column) != reports for column in columns):
        raise CountedTwice
    return cells


def _column(dimension: Dimension, kept: bytes) -> bytes:
    return kept[TALLY_BYTE[dimension.field] :: TALLY_SIZE].translate(dimension.translation())


def published(design: Design) -> tuple[Table, ...]:
    """Every table of a release, in order: the total, the hub, one-way margins, the tables themselves."""
    ways = [Table(table.divided_by[-1:]) for table in design.leaves if design.hub != TOTAL]
    return tuple({table.name: table for table in (TOTAL, design.hub, *ways, *design.leaves)}.values())
