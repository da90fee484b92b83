"""The disclosure room: sixteen-byte tallies in, figures out in which nobody can be found. Pure; nothing is kept.

What is counted stands in tables; from them follows how much one report can change (K) and so how much noise is added.
The noise is discrete Laplace, exact, in whole numbers; who draws it is handed in. The rest only works on noisy counts
and costs no privacy. Sources: Dwork and others 2006 (the mechanism); Canonne, Kamath and Steinke 2020 (the sampler).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import Final

from reporting.incidents import N_, TALLY_BYTE, TALLY_CODES, TALLY_FORMAT, TALLY_SIZE, newest_form

Below = Callable[[int], int]  # a whole number from 0, below the one given: `secrets.randbelow`
Noise = Callable[[Fraction], int]  # one draw at a scale
Cell = tuple[int, ...]  # numbers of codes, one for each dimension

HIDDEN_BELOW: Final = 10  # a published figure below this is shown as «fewer than 10»
SURE: Final = 0.95  # the share of figures that lie within their bounds
DEFAULT_EPSILON: Final = Fraction(1)
LARGEST_EPSILON: Final = Fraction(2)  # above it an observer who knows all other reports learns too much

# ── what is counted ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to divide the reports: every code of a tally's field falls into exactly one group."""

    name: str
    label: str
    field: str
    groups: Mapping[str, tuple[str, ...]]  # group -> codes; the last group takes every other code

    @property
    def codes(self) -> tuple[str, ...]:
        """All groups, always the same ones."""
        return tuple(self.groups)

    def translation(self) -> bytes:
        """For each possible byte of the field, the number of its group."""
        known = MONTH_CODES if self.field == "month" else TALLY_CODES[self.field]
        number = {code: place for place, codes in enumerate(self.groups.values()) for code in codes}
        last = len(self.groups) - 1
        return bytes(number.get(known[byte], last) if byte < len(known) else last for byte in range(256))


MONTH_CODES: Final = ("", *(f"M{month:02}" for month in range(1, 13)))
REGIONS: Final = {"UCAYALI": ("PE25",), "AREQUIPA": ("PE04",), "PIURA": ("PE20",), "JUNIN": ("PE12",)}
_DEPARTMENTS: Final = TALLY_CODES["department"]


def _alone(*codes: str) -> dict[str, tuple[str, ...]]:
    return {code: (code,) for code in codes}


# name -> dimension. The groups are a public list; which of them are rare this year never changes it.
DIMENSIONS: Final = {one.name: one for one in (
    Dimension("perpetrator", N_("Who did it (the main one)"), "perpetrator", {
        "CLIENT": ("CLIENT",), "POLICE": ("POLICE",), "SERENAZGO": ("SERENAZGO",), "OTHER_STATE": ("OTHER_STATE",),
        "THIRD_PARTY": ("THIRD_PARTY",), "CRIMINAL_GROUP": ("CRIMINAL_GROUP",),
        "PARTNER_FAMILY": ("PARTNER", "FAMILY"), "PROVIDER": ("PROVIDER",),
        "OTHER": ("LANDLORD", "COWORKER", "NEIGHBOUR_PUBLIC", "OTHER"), "UNKNOWN": ("UNKNOWN", "NOT_SAID")}),
    Dimension("type", N_("Main type of violence"), "violence", {
        "KILLING": ("KILLING_DISAPPEARANCE", "ATTEMPTED_KILLING"), "RAPE": ("RAPE", "STEALTHING"),
        "OTHER_SEXUAL": ("SEXUAL_ASSAULT", "SEXUAL_EXTORTION"), "PHYSICAL_ASSAULT": ("PHYSICAL_ASSAULT",),
        "CONFINEMENT": ("CONFINEMENT", "FORCED_SEX_WORK", "FORCED_MARRIAGE"), "EXTORTION": ("EXTORTION",),
        "DETENTION": ("ARBITRARY_DETENTION",), "CONDOMS": ("CONDOM_CONFISCATION",),
        "MONEY": ("ROBBERY", "NONPAYMENT", "ECONOMIC_ABUSE"), "THREATS": ("THREATS", "STALKING"),
        "OUTING": ("OUTING",), "DENIAL": ("SERVICE_DENIAL", "FORCED_HEALTH_EXAM"),
        "PSYCH": ("PSYCH_ABUSE", "HATE_VIOLENCE"), "NOT_SAID": ("NOT_SAID",)}),
    Dimension("region", N_("Region"), "department", {**REGIONS, "OTHER": (), "NOT_SAID": ("NOT_SAID",)} | {
        "OTHER": tuple(code for code in _DEPARTMENTS if code not in {"PE25", "PE04", "PE20", "PE12", "NOT_SAID"})}),
    Dimension("department", N_("Department"), "department", _alone(*_DEPARTMENTS[1:], "NOT_SAID")),
    Dimension("quarter", N_("Quarter in which the report came"), "month", {
        f"Q{quarter + 1}": MONTH_CODES[3 * quarter + 1 : 3 * quarter + 4] for quarter in range(4)}),
    Dimension("month", N_("Month in which the report came"), "month", _alone(*MONTH_CODES[1:])),
    Dimension("gender", N_("Gender"), "identity", _alone("CIS_W", "TRANS", "CIS_M", "OTHER", "NA")),
    Dimension("outcome", N_("Outcome as known"), "outcome", _alone(*TALLY_CODES["outcome"])),
    Dimension("age", N_("Age"), "age", _alone("U18", "A18_24", "A25P", "NOT_SAID")),
    Dimension("venue", N_("Kind of place"), "venue", _alone(*TALLY_CODES["venue"][1:], "NOT_SAID")),
    Dimension("reported", N_("Reported to an authority, or why not"), "reported",
              _alone(*TALLY_CODES["reported"][1:], "NOT_SAID")),
    Dimension("papers", N_("Papers"), "papers", _alone("WITHOUT", "WITH", "NOT_SAID")),
    Dimension("in_time", N_("Reached in time"), "in_time", _alone("WITHIN_72", "WITHIN_120", "LATER", "NOT_KNOWN")),
    Dimension("gap", N_("The need that waited longest"), "gap", _alone(*TALLY_CODES["gap"])),
)}  # fmt: skip
FURTHER: Final = ("age", "venue", "reported", "papers", "in_time", "gap")  # each one more table, and more noise for all


@dataclass(frozen=True, slots=True)
class Table:
    """Reports by hub and one more dimension. Each report lies in exactly one cell."""

    dimensions: tuple[str, ...]
    most: int = 1  # cells that one report can change by one

    @property
    def name(self) -> str:
        """The name of its file."""
        return "-".join(self.dimensions) or "total"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell, also those that nobody is in."""
        cells: tuple[Cell, ...] = ((),)
        for name in self.dimensions:
            cells = tuple((*cell, code) for cell in cells for code in range(len(DIMENSIONS[name].groups)))
        return cells

    def codes_of(self, cell: Cell) -> tuple[str, ...]:
        """The cell's codes in words of the tables above."""
        return tuple(DIMENSIONS[name].codes[code] for name, code in zip(self.dimensions, cell, strict=True))


@dataclass(frozen=True, slots=True)
class Design:
    """A star: a hub (a dimension, or nothing: the total alone), and tables that each divide the hub further."""

    tier: int
    hub: tuple[str, ...]
    leaves: tuple[Table, ...]

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


def design(tier: int, further: Sequence[str] = (), *, departments: bool = False) -> Design:
    """The tables of a tier. Each table of `further` adds its share to K."""
    if unknown := set(further) - set(FURTHER):
        raise ValueError(f"No table can be made of {', '.join(sorted(unknown))}.")
    _, hub, names = TIERS[tier]
    named = ["department" if departments and name == "region" else name for name in (*names, *further)]
    return Design(tier, hub, tuple(Table((*hub, name) if name else hub) for name in named))


# ── counting ────────────────────────────────────────────────────────────────────────────────────────────────

Counts = dict[str, dict[Cell, int]]  # table -> cell -> count, every cell, in the order of the table


class CountedTwice(Exception):
    """A report would change the raw counts by more than K. Nothing may be published."""


BATCH: Final = 50_000  # reports that are looked at together, so that a million need no more memory than these


def count(made: Design, blocks: Iterable[bytes]) -> Counts:
    """The true counts. They leave this room only with noise on them. Void tallies count nowhere."""
    counts = {table.name: dict.fromkeys(table.cells, 0) for table in made.leaves}
    if len(counts) != len(made.leaves):
        raise CountedTwice
    waiting = iter(blocks)
    while batch := list(islice(waiting, BATCH)):
        kept = b"".join(block if block[0] == TALLY_FORMAT else newest_form(block) for block in batch if any(block))
        for table in made.leaves:
            cells = counts[table.name]
            for cell, number in _counted(table, kept, len(kept) // TALLY_SIZE).items():
                cells[cell] += number
    return counts


def _counted(table: Table, kept: bytes, reports: int) -> dict[Cell, int]:
    """Each report falls into one cell: columns of bytes, each report's own translated to the groups, taken together."""
    columns = [_column(name, kept) for name in table.dimensions]
    found: Counter[Cell] = Counter(zip(*columns, strict=True)) if columns else Counter({(): reports})
    # the columns are as long as the reports are many, so a sum that agrees says: one cell for each report, no more
    if found.total() * table.most != reports or any(len(column) != reports for column in columns):
        raise CountedTwice
    return found


def _column(name: str, kept: bytes) -> bytes:
    dimension = DIMENSIONS[name]
    return kept[TALLY_BYTE[dimension.field] :: TALLY_SIZE].translate(_translation(name))


@cache
def _translation(name: str) -> bytes:
    return DIMENSIONS[name].translation()


# ── noise ───────────────────────────────────────────────────────────────────────────────────────────────────


def laplace(below: Below) -> Noise:
    """Draws of the discrete Laplace distribution, P(x) proportional to exp(-|x| / scale), without a rounding error."""

    def draw(scale: Fraction) -> int:
        top, bottom = scale.numerator, scale.denominator
        while True:
            rest = below(top)
            if rest and not _happens(rest, top, below):
                continue
            whole = 0
            while _happens(1, 1, below):
                whole += 1
            size = (rest + top * whole) // bottom
            if below(2):
                return size
            if size:
                return -size

    return draw


def _happens(top: int, bottom: int, below: Below) -> bool:
    """True with probability exp(-top / bottom), for a fraction from 0 to 1."""
    times = 1
    while below(bottom * times) < top:
        times += 1
    return bool(times % 2)


def add_noise(made: Design, counts: Counts, epsilon: Fraction, noise: Noise) -> Counts:
    """One independent draw on every cell of every table."""
    scale = made.scale(epsilon)
    return {name: {cell: number + noise(scale) for cell, number in cells.items()} for name, cells in counts.items()}


def reach(scale: Fraction, sure: float = SURE) -> int:
    """The smallest number that a single draw stays within, as often as `sure` says."""
    ratio = math.exp(-1 / scale)
    outside, bound = 2 * ratio / (1 + ratio), 0
    while outside > 1 - sure:
        outside, bound = outside * ratio, bound + 1
    return bound


def variance(scale: Fraction) -> float:
    """Of a single draw."""
    ratio = math.exp(-1 / scale)
    return 2 * ratio / (1 - ratio) ** 2


# ── tables that agree ───────────────────────────────────────────────────────────────────────────────────────


def agree(made: Design, noisy: Counts) -> Counts:
    """Whole numbers from 0 that agree in every margin: first the hub, then each row of each table below it.

    Works on noisy counts only, so it costs no privacy. Gives every table of the design, the hub, and the margins.
    """
    hub_table = Table(made.hub)
    sums = [(_row_sums(table, noisy[table.name], len(made.hub)), _row_length(table, made)) for table in made.leaves]
    weight = sum(1 / length for _, length in sums)
    best = [sum(rows[cell] / length for rows, length in sums) / weight for cell in hub_table.cells]
    hub = dict(zip(hub_table.cells, _whole([max(0.0, each) for each in best]), strict=True))
    agreed = {table.name: _fitted(table, noisy[table.name], hub, len(made.hub)) for table in made.leaves}
    for table in (Table(()), hub_table):
        agreed.setdefault(table.name, _margin(hub, range(len(table.dimensions))))
    for table in made.leaves:
        if made.hub and len(table.dimensions) > len(made.hub):
            agreed[table.dimensions[-1]] = _margin(agreed[table.name], [len(table.dimensions) - 1])
    return {table.name: {cell: agreed[table.name][cell] for cell in table.cells} for table in published(made)}


def published(made: Design) -> tuple[Table, ...]:
    """Every table of a release, in order: the total, the hub, one-way margins, the tables themselves."""
    ways = [Table((table.dimensions[-1],)) for table in made.leaves if made.hub]
    return tuple({table.name: table for table in (Table(()), Table(made.hub), *ways, *made.leaves)}.values())


def _row_length(table: Table, made: Design) -> int:
    return math.prod(len(DIMENSIONS[name].groups) for name in table.dimensions[len(made.hub) :])


def _row_sums(table: Table, cells: Mapping[Cell, int], depth: int) -> dict[Cell, int]:
    return _margin({cell: cells[cell] for cell in table.cells}, range(depth))


def _margin(cells: Mapping[Cell, int], kept: Iterable[int]) -> dict[Cell, int]:
    places, sums = tuple(kept), Counter[Cell]()
    for cell, number in cells.items():
        sums[tuple(cell[place] for place in places)] += number
    return dict(sums)


def _fitted(table: Table, noisy: Mapping[Cell, int], hub: Mapping[Cell, int], depth: int) -> dict[Cell, int]:
    rows: dict[Cell, list[Cell]] = {}
    for cell in table.cells:
        rows.setdefault(cell[:depth], []).append(cell)
    fitted: dict[Cell, int] = {}
    for row, cells in rows.items():
        fitted.update(zip(cells, _whole(_onto(hub[row], [noisy[cell] for cell in cells]), hub[row]), strict=True))
    return fitted


def _onto(total: int, values: Sequence[float]) -> list[float]:
    """The nearest numbers from 0 up that sum to `total` (Euclidean projection on a simplex)."""
    if not total:
        return [0.0] * len(values)
    taken, shift = 0.0, 0.0
    for place, value in enumerate(sorted(values, reverse=True), 1):
        taken += value
        if value - (taken - total) / place > 0:
            shift = (taken - total) / place
    return [max(0.0, value - shift) for value in values]


def _whole(values: Sequence[float], total: int | None = None) -> list[int]:
    """Rounded so that the sum is kept: the largest remainders are rounded up."""
    wanted = round(sum(values)) if total is None else total
    floors = [math.floor(value) for value in values]
    left = wanted - sum(floors)
    order = sorted(range(len(values)), key=lambda place: (floors[place] - values[place], place))
    for place in order[: max(0, left)]:
        floors[place] += 1
    return floors


# ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure. `count` is None where it is hidden; the truth lies from `low` to `high`, mostly."""

    cell: tuple[str, ...]
    count: int | None
    low: int
    high: int

    @property
    def status(self) -> str:
        """Empty, or why there is no count."""
        return "" if self.count is not None else "<10"


def figures(made: Design, agreed: Counts, epsilon: Fraction) -> dict[str, tuple[Figure, ...]]:
    """What is printed: every key, a bound on each side, nothing below ten."""
    bounds = {table.name: bound(made, table, epsilon) for table in published(made)}
    return {
        table.name: tuple(
            _figure(table.codes_of(cell), agreed[table.name][cell], bounds[table.name]) for cell in table.cells
        )
        for table in published(made)
    }


def _figure(cell: tuple[str, ...], number: int, within: int) -> Figure:
    if number < HIDDEN_BELOW:
        return Figure(cell, None, 0, HIDDEN_BELOW - 1 + within)
    return Figure(cell, number, max(0, number - within), number + within)


def bound(made: Design, table: Table, epsilon: Fraction) -> int:
    """How far the noise reaches, 95 times in 100: as drawn for a single cell, as the draws add up for a sum."""
    scale = made.scale(epsilon)
    if table in made.leaves:
        return reach(scale)
    added = 1 / sum(1 / _row_length(leaf, made) for leaf in made.leaves)  # draws in the weighted mean that is the hub
    hubs = math.prod(len(DIMENSIONS[name].groups) for name in made.hub)
    if table.dimensions == made.hub:
        draws = added
    elif not table.dimensions:
        draws = added * hubs
    else:
        draws = hubs  # one noisy cell of each row
    return max(reach(scale), math.ceil(NORMAL * math.sqrt(draws * variance(scale))))


NORMAL: Final = 1.96  # standard deviations that hold 95 of 100


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────

NOT_SAID: Final = N_("Not said")
# (dimension, group) -> label; a group that is not here is a department, or is called as `COMMON` says
LABELS: Final[dict[str, dict[str, str]]] = {
    "perpetrator": {
        "CLIENT": N_("Clients"), "POLICE": N_("Police"), "SERENAZGO": N_("Municipal security"),
        "OTHER_STATE": N_("Other agents of the state"), "THIRD_PARTY": N_("Pimps, owners, managers"),
        "CRIMINAL_GROUP": N_("Groups that charge quotas"), "PARTNER_FAMILY": N_("Partner or family"),
        "PROVIDER": N_("Staff of a service"), "OTHER": N_("Others"), "UNKNOWN": N_("Not known or not said")},
    "type": {
        "KILLING": N_("Killing, or an attempt"), "RAPE": N_("Rape"), "OTHER_SEXUAL": N_("Other sexual violence"),
        "PHYSICAL_ASSAULT": N_("Beating, injury"), "CONFINEMENT": N_("Locked in, or forced to work or marry"),
        "EXTORTION": N_("Quotas and bribes"), "DETENTION": N_("Arbitrary detention"),
        "CONDOMS": N_("Condoms taken"), "MONEY": N_("Robbery, not paid"), "THREATS": N_("Threats, stalking"),
        "OUTING": N_("Photos or identity published"), "DENIAL": N_("Care or complaint refused"),
        "PSYCH": N_("Insults, hate")},
    "region": {"UCAYALI": "Ucayali", "AREQUIPA": "Arequipa", "PIURA": "Piura", "JUNIN": "Junín",
               "OTHER": N_("Another region")},
    "quarter": {"Q1": N_("January to March"), "Q2": N_("April to June"), "Q3": N_("July to September"),
                "Q4": N_("October to December")},
    "gender": {"CIS_W": N_("Women"), "TRANS": N_("Trans and non-binary people"), "CIS_M": N_("Men"),
               "OTHER": N_("Another gender"), "NA": NOT_SAID},
    "outcome": {"OPEN": N_("Still open"), "REACHED": N_("Help was reached"), "NOT_REACHED": N_("Help was not reached"),
                "REFUSED": N_("The service refused"), "RECORD_ONLY": N_("Only to be recorded")},
    "department": {**{f"PE{number:02}": name for number, name in enumerate((
        "Amazonas", "Áncash", "Apurímac", "Arequipa", "Ayacucho", "Cajamarca", "Callao", "Cusco", "Huancavelica",
        "Huánuco", "Ica", "Junín", "La Libertad", "Lambayeque", "Lima", "Loreto", "Madre de Dios", "Moquegua", "Pasco",
        "Piura", "Puno", "San Martín", "Tacna", "Tumbes", "Ucayali"), 1)}, "OTHER": N_("Another region")},
    "age": {"U18": N_("Under 18"), "A18_24": N_("18 to 24"), "A25P": N_("25 or more")},
    "venue": {"PUBLIC": N_("Street or vehicle"), "WORK_ROOM": N_("Bar, brothel or hotel"),
              "PRIVATE": N_("Her own place or the client's"), "ONLINE": N_("On the internet"),
              "CAMP_PORT": N_("Camp or port"), "STATE_PLACE": N_("Police station or health centre"),
              "OTHER": N_("Another place")},
    "reported": {"TO_POLICE": N_("Yes, to the police"), "TO_ANOTHER": N_("Yes, to another authority"),
                 "NOT_FEAR": N_("No: fear of reprisal"), "NOT_DISTRUST": N_("No: distrust of the police"),
                 "NOT_BELIEVED": N_("No: she would not be believed"),
                 "NOT_KNOWN_WHERE": N_("No: she did not know where"), "NOT_PAPERS": N_("No: without papers"),
                 "NOT_SHAME": N_("No: shame"), "NOT_TIME": N_("No: no time"),
                 "NOT_NO_REASON": N_("No, without a reason told")},
    "papers": {"WITHOUT": N_("Without papers"), "WITH": N_("With papers")},
    "in_time": {"WITHIN_72": N_("Within 72 hours"), "WITHIN_120": N_("Within 120 hours"),
                "LATER": N_("Later than that"), "NOT_KNOWN": N_("Not known")},
    "month": {"M01": N_("January"), "M02": N_("February"), "M03": N_("March"), "M04": N_("April"), "M05": N_("May"),
              "M06": N_("June"), "M07": N_("July"), "M08": N_("August"), "M09": N_("September"),
              "M10": N_("October"), "M11": N_("November"), "M12": N_("December")},
    "gap": {"NONE": N_("None was left waiting"), "N_EMERG_MED": N_("Emergency care"),
             "N_CRISIS_MH": N_("Help when you think of ending your life"),
             "N_CHILD_PROT": N_("Protection for people under 18"), "N_PEP": N_("Medicine that can prevent HIV (PEP)"),
             "N_EC": N_("Emergency contraception"), "N_STI": N_("Tests and treatment for infections from sex"),
             "N_HEPB": N_("Hepatitis B vaccine"), "N_WOUND": N_("Care for wounds, and tetanus"),
             "N_MED_CHECK": N_("A health check"), "N_PREG": N_("Pregnancy test, options and care"),
             "N_TRAFFICKING": N_("Help to get out of forced work"), "N_SAFETY_PLAN": N_("A plan to be safer"),
             "N_SHELTER": N_("A safe place to stay"), "N_FORENSIC": N_("Medico-legal exam, if you choose it"),
             "N_LEGAL_STATE": N_("Legal help against an authority"),
             "N_PROTECTION": N_("Protection measures from a family court"),
             "N_REPORT_ROUTE": N_("Company to choose where to report"), "N_LEGAL_INFO": N_("Legal advice"),
             "N_PFA": N_("Somebody who listens and supports"), "N_COUNSEL": N_("Counselling"),
             "N_DIGITAL": N_("Digital safety"), "N_PEER": N_("Companions and their organisations"),
             "N_DOCS": N_("Help with papers"), "N_ECON": N_("Economic support"),
             "N_SERVICE_COMPLAINT": N_("A complaint about a service"),
             "N_MISSING": N_("The search for somebody missing")},
}  # fmt: skip


def label(dimension: str, group: str) -> str:
    """The name of a group, as a message id; its code where it has no other name."""
    return LABELS.get(dimension, {}).get(group) or (NOT_SAID if group == "NOT_SAID" else group)
