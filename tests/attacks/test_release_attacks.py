"""Figures read by somebody who wants to know: was she counted, and what is certain of any true count? Nothing is."""

from __future__ import annotations

import importlib
import json
import math
import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.figures import bounds as figures_bounds
from reporting.figures import consistency, noise, tables
from reporting.figures.bounds import Figure
from reporting.figures.tables import HIDDEN_BELOW, Cell, Counts, Design
from reporting.vocabulary.tally import TALLY_BYTE, TALLY_CODES
from tests.needs_of_tests import requires
from tests.unit.test_disclosure import BLOCKS, DESIGNS, ONE, drawn_by, tallies
from tests.work.test_release_files import HEADER, LINE, rehearses

# ── was she counted? ────────────────────────────────────────────────────────────────────────────────────────


def log_chance(made: Design, noisy: Counts, counts: Counts, epsilon: Fraction) -> Fraction:
    """Of these noisy counts, given the true ones; up to a constant that hangs on the design alone."""
    distance = sum(abs(noisy[name][cell] - number) for name, cells in counts.items() for cell, number in cells.items())
    return -distance / made.scale(epsilon)


@settings(max_examples=60)
@given(DESIGNS, st.lists(BLOCKS, max_size=12), BLOCKS, st.integers(0, 2**32), st.sampled_from([ONE, Fraction(2)]))
def test_whatever_was_drawn_says_no_more_about_one_report_than_the_budget(
    made: Design, blocks: list[bytes], one: bytes, seed: int, epsilon: Fraction
) -> None:
    """Every table at once, to somebody who knows all other reports; what is published is worked out of these alone."""
    without, with_it = tables.count(made, blocks), tables.count(made, [*blocks, one])
    noisy = noise.add_noise(made, with_it, epsilon, drawn_by(seed))
    said = log_chance(made, noisy, with_it, epsilon) - log_chance(made, noisy, without, epsilon)
    assert abs(said) <= epsilon


def tail(hits: int, tries: int, chance: float) -> float:
    """How likely so many hits or more are."""
    ways = math.lgamma(tries + 1)
    return sum(
        math.exp(
            ways
            - math.lgamma(n + 1)
            - math.lgamma(tries - n + 1)
            + n * math.log(chance)
            + (tries - n) * math.log1p(-chance)
        )
        for n in range(hits, tries + 1)
    )


def at_least(hits: int, tries: int, doubt: float) -> float:
    """The smallest chance that so many hits leave open, but for `doubt` (Clopper and Pearson 1934)."""
    low, high = 1e-9, 1 - 1e-9
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if tail(hits, tries, middle) > doubt else (middle, high)
    return low


def proved(inside: int, outside: int, tries: int, doubt: float = 5e-7) -> float:
    """The least epsilon under which a sign is seen so often with her, and so often without her."""
    return math.log(at_least(inside, tries, doubt) / (1 - at_least(tries - outside, tries, doubt)))


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    assert at_least(0, 10, 0.025) < 1e-6
    assert at_least(5, 10, 0.025) == pytest.approx(0.18709, abs=1e-4)
    assert at_least(10, 10, 0.025) == pytest.approx(0.69150, abs=1e-4)


def above(counts: Counts, cells: list[tuple[str, Cell]], without: Counts) -> bool:
    """The strongest sign: every cell she would be in lies above what the others make."""
    return all(counts[name][cell] > without[name][cell] for name, cell in cells)


ANSWERED = ("answered",)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(tables.TIERS)), st.booleans()), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), BLOCKS), max_size=10),
    st.tuples(st.integers(0, 3), BLOCKS),
    st.integers(0, 2**32),
)
def test_all_releases_together_say_no_more_about_one_report_than_the_budget(
    years: list[tuple[int, bool]], others: list[tuple[int, bytes]], hers: tuple[int, bytes], seed: int
) -> None:
    """Some with the table of answers, some without: K is that of each release, and each report is in one of them."""
    draw, said = drawn_by(seed), Fraction(0)
    for year, (tier, further) in enumerate(years):
        made = tables.design(tier, ANSWERED if further else ())
        assert made.scale(ONE) == len(made.leaves) == len(tables.design(tier).leaves) + further
        rest = [block for of, block in others if of == year]
        without, with_it = tables.count(made, rest), tables.count(made, [*rest, hers[1]] if hers[0] == year else rest)
        noisy = noise.add_noise(made, with_it, ONE, draw)
        said += log_chance(made, noisy, with_it, ONE) - log_chance(made, noisy, without, ONE)
    assert abs(said) <= ONE


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(tables.TIERS)),
    st.lists(BLOCKS, max_size=8),
    BLOCKS,
    st.sampled_from(tables.DIMENSIONS["answered"].codes),
    st.integers(0, 2**32),
)
def test_when_she_was_answered_moves_the_odds_by_two_tables_shares_and_no_more(
    tier: int, others: list[bytes], hers: bytes, other_time: str, seed: int
) -> None:
    """Whoever knows everything else of her report: the byte lies in one of the K tables, there it leaves and enters."""
    made, place = tables.design(tier, ANSWERED), TALLY_BYTE["answered"]
    changed = hers[:place] + bytes([TALLY_CODES["answered"].index(other_time)]) + hers[place + 1 :]
    one_way, other = (tables.count(made, [*others, block]) for block in (hers, changed))
    noisy = noise.add_noise(made, one_way, ONE, drawn_by(seed))
    said = log_chance(made, noisy, one_way, ONE) - log_chance(made, noisy, other, ONE)
    assert abs(said) <= 2 * ONE / made.sensitivity
    without = tables.design(tier)
    assert tables.count(without, [hers]) == tables.count(without, [changed]), "off, the byte is nowhere"


@pytest.mark.parametrize(
    ("tier", "further"), [(-1, ()), (0, ()), (2, ()), (-1, ANSWERED), (0, ANSWERED), (2, ANSWERED)]
)
def test_an_observer_cannot_prove_more_than_the_budget_and_half_the_noise_is_caught(
    tier: int, further: tuple[str, ...]
) -> None:
    made, blocks, tries = tables.design(tier, further), tallies(60), 12_000
    without, with_it = tables.count(made, blocks[1:]), tables.count(made, blocks)
    cells = [(name, cell) for name in with_it for cell in with_it[name] if with_it[name][cell] != without[name][cell]]
    assert len(cells) == made.sensitivity
    counts = [{name: {cell: told[name][cell]} for name, cell in cells} for told in (with_it, without)]
    for epsilon, caught in ((ONE, False), (Fraction(2), True)):
        draw = drawn_by(11)
        seen = [
            sum(above(noise.add_noise(made, told, epsilon, draw), cells, without) for _ in range(tries))
            for told in counts
        ]
        assert (proved(seen[0], seen[1], tries) > 1) is caught


@pytest.mark.parametrize(("epsilon", "caught"), [("1", False), ("2", True)])
def test_so_it_is_in_the_files_of_a_rehearsal_with_the_table_of_answers(
    epsilon: str, caught: bool, tmp_path: Path
) -> None:
    """The strongest sign, over both tables; a false alarm has a chance of one in a million."""
    tries, signs = 2500, []
    for reports in (31, 30):
        folder = tmp_path / str(reports)
        folder.mkdir()
        more = ("--raw", "--tier", "-1", "--also", "answered", "--repeat", str(tries), "--epsilon", epsilon)
        text = HEADER.strip() + ",answered\n" + (LINE.strip() + ",WITHIN_24\n") * reports
        assert rehearses(folder, text, *more).exit_code == 0
        about = json.loads((folder / "out" / "000000" / "release.json").read_text("utf-8"))
        assert (about["sensitivity"], about["scale"]) == (2, str(Fraction(2) / Fraction(epsilon)))
        signs.append(sum(raw_total(out) > 30 and raw_answered(out) > 30 for out in (folder / "out").iterdir()))
    assert (proved(signs[0], signs[1], tries) > 1) is caught


def raw_total(out: Path) -> int:
    return int((out / "total.csv").read_text("utf-8").split()[1])


def raw_answered(out: Path) -> int:
    rows = dict(line.split(",") for line in (out / "answered.csv").read_text("utf-8").split())
    return int(rows["WITHIN_24"])


@pytest.mark.parametrize(("epsilon", "caught"), [("1", False), ("2", True)])
def test_so_it_is_in_the_files_of_a_rehearsal(epsilon: str, caught: bool, tmp_path: Path) -> None:
    """Noise of the operating system; a false alarm has a chance of one in a million, a miss of one in ten million."""
    tries, signs = 1000, []
    for reports in (31, 30):
        folder = tmp_path / str(reports)
        folder.mkdir()
        more = ("--raw", "--tier", "-1", "--repeat", str(tries), "--epsilon", epsilon)
        assert rehearses(folder, HEADER + LINE * reports, *more).exit_code == 0
        noisy = [int(path.read_text("utf-8").split()[1]) for path in sorted((folder / "out").glob("*/total.csv"))]
        assert len(noisy) == tries
        signs.append(sum(number > 30 for number in noisy))
    assert (proved(signs[0], signs[1], tries) > 1) is caught


# ── what is certain? ────────────────────────────────────────────────────────────────────────────────────────

YEARS = 5
Year = tuple[Counts, dict[str, tuple[figures_bounds.Figure, ...]]]  # what is true, and what was published


@pytest.fixture(scope="module")
def years() -> list[Year]:
    """Five years of related reports: each has a tenth of its own, the others are as the year before."""
    chance, made = random.Random(3), tables.design(2)  # noqa: S311 -- which invented reports differ
    reports, told = tallies(2000), []
    for year in range(YEARS):
        fresh = tallies(200, seed=100 + year)
        reports = [*chance.sample(reports, 1800), *fresh]
        counts = tables.count(made, reports)
        agreed = consistency.agree(made, noise.add_noise(made, counts, ONE, drawn_by(year)))
        told.append((consistency.agree(made, counts), figures_bounds.figures(made, agreed, ONE)))
    return told


def cells_of(year: Year) -> list[tuple[int, Figure]]:
    """Every cell of the tables below the hub: the truth, and what is printed."""
    truth, shown = year
    return [pair for name in shown if "-" in name for pair in zip(truth[name].values(), shown[name], strict=True)]


def test_a_figure_is_its_truth_no_more_often_than_noise_is_nothing(years: list[Year]) -> None:
    for year in years:
        told = [(truth, figure.count) for truth, figure in cells_of(year) if figure.count is not None]
        assert len(told) > 50
        assert sum(truth == count for truth, count in told) / len(told) < 0.2, "a tenth of all draws are nought"


def test_what_changed_from_one_year_to_the_next_is_less_certain_still(years: list[Year]) -> None:
    """To say that nothing changed would be right more often than the difference of two figures is."""
    right = still = asked = 0
    for before, after in pairwise(years):
        for (old, was), (new, is_now) in zip(cells_of(before), cells_of(after), strict=True):
            if was.count is not None and is_now.count is not None:
                asked += 1
                right += is_now.count - was.count == new - old
                still += new == old
    assert right / asked < min(0.15, still / asked)


def meant(made: Design, table: tables.Table) -> Iterator[list[tuple[str, Cell]]]:
    """For each cell of a table the cells of a noisy table that it is the sum of."""
    leaf = next(
        one for one in made.leaves if table in (one, tables.TOTAL, made.hub) or one.dimensions[-1:] == table.dimensions
    )
    places = [leaf.dimensions.index(name) for name in table.dimensions]
    for cell in table.cells:
        yield [(leaf.name, one) for one in leaf.cells if tuple(one[place] for place in places) == cell]


def narrowed(year: Year, *, ranges: bool) -> list[tuple[int, float, float]]:
    """All figures of a release taken together and for facts, as ranges or as counts: how far each cell is pinned down.

    True counts are not below nought and agree in their margins. Where no counts do all that, the figures give way as
    little as they must.
    """
    scipy, numpy = importlib.import_module("scipy.optimize"), importlib.import_module("numpy")
    made, (truth, shown) = tables.design(2), year
    column = {key: place for place, key in enumerate((one.name, cell) for one in made.leaves for cell in one.cells)}
    rows, limits, same = [], [], []
    for table in tables.published(made):
        for figure, cells in zip(shown[table.name], meant(made, table), strict=True):
            known = (figure.low, figure.high) if ranges else (figure.count or 0, figure.count or HIDDEN_BELOW - 1)
            row = numpy.zeros(len(column) + 1)
            row[[column[key] for key in cells]] = 1
            for sign, limit in ((-1, -known[0]), (1, known[1])):
                rows.append(sign * row)
                rows[-1][-1] = -1  # the last column: how far all figures give way
                limits.append(limit)
    first, *others = map(_rows_of, made.leaves)
    for other in others:
        for here, there in zip(first, other, strict=True):
            same.append(numpy.zeros(len(column) + 1))
            same[-1][[column[key] for key in here]] = 1
            same[-1][[column[key] for key in there]] = -1

    def least(place: int, sign: int, give: float | None) -> float:
        wanted = numpy.zeros(len(column) + 1)
        wanted[place] = sign
        bounds = [(0, None)] * len(column) + [(0, give)]
        zero = numpy.zeros(len(same))
        told = scipy.linprog(wanted, numpy.array(rows), limits, numpy.array(same), zero, bounds, method="highs")
        assert told.status == 0, told.message
        return float(told.fun)

    give = least(-1, 1, None) + 1e-6
    return [
        (truth[name][cell], least(place, 1, give), -least(place, -1, give))
        for (name, cell), place in list(column.items())[::4]
    ]


def _rows_of(leaf: tables.Table) -> list[list[tuple[str, Cell]]]:
    hubs = sorted({cell[0] for cell in leaf.cells})
    return [[(leaf.name, cell) for cell in leaf.cells if cell[0] == hub] for hub in hubs]


def test_linear_programming_over_all_figures_of_a_release_pins_no_true_count_down(years: list[Year]) -> None:
    requires("scipy")
    for year in years[:2]:
        widths = [high - low for _, low, high in narrowed(year, ranges=True)]
        assert min(widths) > HIDDEN_BELOW, "the ranges of the other figures add nothing"
        pinned = [(truth, low) for truth, low, high in narrowed(year, ranges=False) if high - low < 1]
        assert len(pinned) > 30
        assert sum(abs(truth - low) < 0.5 for truth, low in pinned) / len(pinned) < 0.25, "noise is mostly not nought"
