"""Figures in which nobody can be found: the noise is what it should be, and nothing else gives anybody away."""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.figures import bounds, consistency, labels, noise
from reporting.figures.tables import (
    DIMENSIONS,
    FURTHER,
    HIDDEN_BELOW,
    MONTH_CODES,
    TIERS,
    TOTAL,
    CountedTwice,
    Design,
    Noise,
    Table,
    count,
    design,
    published,
    tier_of,
)
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.places import HOME, CountryPlaces
from reporting.vocabulary.tally import TALLY_CODES, VOID_TALLY, block_of_codes

# whichever country the tallies are of; a department that no tree has is one more of them
CODES = TALLY_CODES | {"department": ("NOT_SAID", *HOME.departments, "OTHER", "47", "99")}
FIELDS = st.fixed_dictionaries({field: st.sampled_from(codes) for field, codes in CODES.items()})
BLOCKS = st.builds(lambda month, codes: block_of_codes(2026, month, codes), st.integers(1, 12), FIELDS)
KENYA = CountryPlaces("KE", {f"KE{number:02}": f"County {number}" for number in range(1, 48)})
DESIGNS = st.builds(
    lambda tier, further, departments, places: design(tier, further, departments=departments, places=places),
    st.sampled_from(sorted(TIERS)),
    st.lists(st.sampled_from(FURTHER), unique=True, max_size=3),
    st.booleans(),
    st.sampled_from([HOME, KENYA, CountryPlaces("KE", {})]),
)
OF_HOME = TALLY_CODES | {"department": ("NOT_SAID", *HOME.departments, "OTHER")}
ONE = Fraction(1)


def drawn_by(seed: int) -> Noise:
    return noise.laplace(random.Random(seed).randrange)  # noqa: S311 -- so that a failure can be repeated


def tallies(number: int, seed: int = 1) -> list[bytes]:
    chance = random.Random(seed)  # noqa: S311 -- fictional reports
    return [
        block_of_codes(2026, chance.randint(1, 12), {f: chance.choice(codes) for f, codes in OF_HOME.items()})
        for _ in range(number)
    ]


# ── the noise ───────────────────────────────────────────────────────────────────────────────────────────────


def share(value: int, scale: Fraction) -> float:
    ratio = math.exp(-1 / scale)
    return (1 - ratio) / (1 + ratio) * ratio ** abs(value)


@pytest.mark.parametrize("scale", [Fraction(3), Fraction(5), Fraction(7), Fraction(7, 2)])
def test_the_noise_is_discrete_laplace(scale: Fraction) -> None:
    draw, times = drawn_by(7), 20_000
    drawn = [draw(scale) for _ in range(times)]
    edge = 4 * math.ceil(scale)
    seen = Counter(max(-edge, min(edge, value)) for value in drawn)
    tail = (1 - sum(share(value, scale) for value in range(-edge + 1, edge))) / 2
    expected = {
        value: times * (tail if abs(value) == edge else share(value, scale)) for value in range(-edge, edge + 1)
    }
    chi = sum((seen[value] - wanted) ** 2 / wanted for value, wanted in expected.items())
    cells = len(expected) - 1
    assert chi < cells + 4 * math.sqrt(2 * cells)
    assert abs(sum(drawn) / times) < 4 * math.sqrt(bounds.variance(scale) / times)
    assert abs(sum(value**2 for value in drawn) / times / bounds.variance(scale) - 1) < 0.08


def test_how_far_the_noise_reaches_is_what_the_page_says() -> None:
    assert [bounds.reach(Fraction(scale)) for scale in (3, 5, 7)] == [9, 15, 21]
    for scale in (Fraction(3), Fraction(5), Fraction(7)):
        inside = sum(share(value, scale) for value in range(-bounds.reach(scale), bounds.reach(scale) + 1))
        assert inside >= 0.95 > inside - 2 * share(bounds.reach(scale), scale)


# ── how much one report can change ──────────────────────────────────────────────────────────────────────────


def test_the_sensitivity_follows_from_the_tables() -> None:
    assert [design(tier).sensitivity for tier in sorted(TIERS)] == [1, 3, 7, 5, 5]
    assert design(2, ("age", "venue")).sensitivity == 7
    assert design(2).scale(Fraction(2)) == Fraction(5, 2)


@settings(max_examples=40)
@given(DESIGNS, st.lists(BLOCKS, max_size=12), BLOCKS)
def test_one_report_changes_the_raw_tables_by_k_at_most(made: Design, blocks: list[bytes], one: bytes) -> None:
    without, with_it = count(made, blocks), count(made, [*blocks, one])
    changed = [abs(with_it[name][cell] - without[name][cell]) for name in without for cell in without[name]]
    assert sum(changed) <= made.sensitivity
    assert max(changed) <= 1


def test_a_table_that_would_count_a_report_twice_is_refused() -> None:
    by_type = (DIMENSIONS["type"],)
    for tables in ((Table(by_type), Table(by_type)), (Table(by_type, most=2),)):
        with pytest.raises(CountedTwice):
            count(Design(0, TOTAL, tables), tallies(3))


@settings(max_examples=25)
@given(DESIGNS, st.lists(BLOCKS, max_size=12), st.integers(0, 5))
def test_a_void_tally_changes_nothing(made: Design, blocks: list[bytes], voids: int) -> None:
    assert count(made, blocks) == count(made, [VOID_TALLY] * voids + blocks)


def test_every_code_falls_into_exactly_one_group() -> None:
    for dimension in DIMENSIONS.values():
        known = MONTH_CODES[1:] if dimension.field == "month" else TALLY_CODES[dimension.field]
        told = [code for codes in dimension.groups.values() for code in codes]
        assert len(set(told)) == len(told), dimension.name
        left = set(known) - set(told)
        assert not left or (dimension.field, dimension.rest) == ("department", "OTHER"), dimension.name
        groups = dimension.translation()[: len(TALLY_CODES[dimension.field]) if dimension.field != "month" else 13]
        assert {dimension.codes[number] for number in groups} == set(dimension.codes), "each group has a code"


# ── what is published ───────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=30)
@given(DESIGNS, st.lists(BLOCKS, max_size=40), st.integers(0, 2**32))
def test_margins_agree_exactly_and_nothing_is_negative(made: Design, blocks: list[bytes], seed: int) -> None:
    agreed = consistency.agree(made, noise.add_noise(made, count(made, blocks), ONE, drawn_by(seed)))
    total = agreed["total"][()]
    assert list(agreed) == [table.name for table in published(made)]
    for table in published(made):
        cells = agreed[table.name]
        assert tuple(cells) == table.cells, "the same keys always, zeros too"
        assert all(isinstance(number, int) and number >= 0 for number in cells.values())
        assert sum(cells.values()) == total
        for place, name in enumerate(table.dimensions):
            if name in agreed:
                for (code,), margin in agreed[name].items():
                    assert sum(number for cell, number in cells.items() if cell[place] == code) == margin


@given(st.lists(st.floats(-50, 200), min_size=1, max_size=30), st.integers(0, 500))
def test_a_row_is_fitted_to_its_hub(values: list[float], total: int) -> None:
    fitted = consistency._whole(consistency._onto(total, values), total)  # noqa: SLF001 -- the law of the small step
    assert sum(fitted) == total
    assert min(fitted) >= 0


@given(DESIGNS, st.lists(BLOCKS, max_size=20), st.integers(0, 2**32))
@settings(max_examples=30)
def test_nothing_below_ten_is_shown_and_every_figure_has_its_bounds(
    made: Design, blocks: list[bytes], seed: int
) -> None:
    agreed = consistency.agree(made, noise.add_noise(made, count(made, blocks), ONE, drawn_by(seed)))
    for name, shown in bounds.figures(made, agreed, ONE).items():
        for figure, number in zip(shown, agreed[name].values(), strict=True):
            assert figure.count == (number if number >= HIDDEN_BELOW else None)
            assert figure.status == ("" if number >= HIDDEN_BELOW else "<10")
            assert 0 <= figure.low <= number <= figure.high


@pytest.mark.parametrize(("tier", "reports"), [(0, 80), (1, 500), (2, 2000)])
def test_the_bounds_hold_as_often_as_they_say(tier: int, reports: int) -> None:
    made, draw = design(tier), drawn_by(tier)
    counts = count(made, tallies(reports))
    truth = consistency.agree(made, counts)  # without noise the tables agree already
    held, asked = Counter[str](), Counter[str]()
    for _ in range(25):
        agreed = consistency.agree(made, noise.add_noise(made, counts, ONE, draw))
        for name, shown in bounds.figures(made, agreed, ONE).items():
            for figure, number in zip(shown, truth[name].values(), strict=True):
                asked[name] += 1
                held[name] += figure.low <= number <= figure.high
    assert {name: held[name] / asked[name] for name in asked if held[name] / asked[name] < 0.93} == {}


def test_the_tables_are_chosen_by_what_was_published_before() -> None:
    tiers = {None: 0, 0: -1, 49: -1, 50: 0, 99: 0, 100: 1, 999: 1, 1_000: 2, 19_999: 2, 20_000: 3}
    assert {number: tier_of(number) for number in tiers} == tiers


def test_the_rare_groups_are_never_crossed_with_place_or_time() -> None:
    for tier in TIERS:
        for table in published(design(tier, FURTHER)):
            assert len(table.dimensions) <= 2
            assert not (
                {"gender", "age", "papers"} & set(table.dimensions)
                and {"region", "department", "quarter", "month"} & set(table.dimensions)
            )


def test_every_group_has_a_name_that_people_read() -> None:
    codes = {
        one.name: [group for group in one.codes if labels.label(one.name, group) == group]
        for one in DIMENSIONS.values()
    }
    assert {name: found for name, found in codes.items() if found} == {}
    assert {need: labels.label("gap", need) for need in NEEDS} == NEEDS, "a need is called here as everywhere else"
