"""Sixteen bytes of three formats: what was sealed once is read so for good, and each byte says one thing."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.figures.tables import DIMENSIONS, count, design
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.places import HOME, CountryPlaces, places_of
from reporting.vocabulary.tally import (
    TALLY_BYTE,
    TALLY_CODES,
    TALLY_FORMAT,
    TALLY_SIZE,
    VOID_TALLY,
    answered_of,
    block_of_codes,
    department_in_tally,
    newest_form,
    tally_block,
    tally_from_block,
)

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "tally.json").read_text("utf-8"))["tallies"]
# fields in the order of formats 1 and 2, typed once more: nobody may move them
FIRST = ("perpetrator", "violence", "identity", "age", "gbvims", "outcome")
SECOND = (*FIRST, "department", "venue", "reported", "papers", "in_time", "gap")
BEFORE = ("NOT_SAID", *HOME.departments, "OTHER")  # departments as format 2 knew them
NEVER_TOLD = {"venue": "NOT_SAID", "reported": "NOT_SAID", "papers": "NOT_SAID", "in_time": "NOT_KNOWN", "gap": "NONE"}
MONTHS = st.tuples(st.integers(2000, 2255), st.integers(1, 12))


def codes_of(fields: tuple[str, ...], departments: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    known = dict(TALLY_CODES) | {"department": departments}
    return st.fixed_dictionaries({field: st.sampled_from(known[field]) for field in fields})


def says(block: bytes) -> dict[str, Any]:
    tally = tally_from_block(block)
    assert tally is not None
    return asdict(tally)


def number(field: str, code: str) -> int:
    return TALLY_CODES[field].index(code)


@given(MONTHS, codes_of((*SECOND, "answered"), TALLY_CODES["department"]))
def test_what_the_third_format_is_given_it_says(when: tuple[int, int], codes: dict[str, str]) -> None:
    block = block_of_codes(*when, codes)
    assert len(block) == TALLY_SIZE
    assert (block[0], newest_form(block)) == (TALLY_FORMAT, block)
    assert says(block) == {"year": when[0], "month": when[1], **codes}


@given(MONTHS, codes_of(SECOND, BEFORE))
def test_what_the_second_format_was_given_it_says_still(when: tuple[int, int], codes: dict[str, str]) -> None:
    numbers = [BEFORE.index(codes[f]) if f == "department" else number(f, codes[f]) for f in SECOND]
    block = bytes([2, when[0] - 2000, when[1], *numbers, 0])
    assert says(block) == {"year": when[0], "month": when[1], **codes, "answered": "NOT_KNOWN"}
    assert newest_form(block) == block_of_codes(*when, codes)


@given(MONTHS, codes_of(FIRST, ()), st.sampled_from(["", *HOME.departments, "PE99", "KE47"]))
def test_what_the_first_format_was_given_it_says_still(
    when: tuple[int, int], codes: dict[str, str], department: str
) -> None:
    months = when[0] * 12 + when[1] - 1
    block = struct.pack(">BH4s6B3x", 1, months, department.encode(), *(number(f, codes[f]) for f in FIRST))
    place = {"": "NOT_SAID", "PE99": "OTHER", "KE47": "47"}.get(department, department)
    told = {"year": when[0], "month": when[1], **codes, "department": place, **NEVER_TOLD, "answered": "NOT_KNOWN"}
    assert says(block) == told
    assert newest_form(newest_form(block)) == newest_form(block)


@given(st.binary(min_size=16, max_size=16) | st.binary(min_size=15, max_size=15).map(lambda rest: b"\x03" + rest))
def test_any_sixteen_bytes_are_a_tally_or_refused_in_one_way(block: bytes) -> None:
    """What lies in a row may have been sealed by anybody: it must not stop a freeze."""
    try:
        newest = newest_form(block)
    except ValueError:
        return
    assert newest == VOID_TALLY or says(newest)["month"] in range(1, 13)
    assert sum(count(design(2), [newest])["perpetrator-region"].values()) == (newest != VOID_TALLY)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["block"])
def test_published_tallies_of_each_format_say_what_they_said(vector: dict[str, Any]) -> None:
    assert says(bytes.fromhex(vector["block"])) == vector["says"]


def test_there_are_published_tallies_of_each_format() -> None:
    assert {vector["block"][:2] for vector in VECTORS} == {"01", "02", "03"}


@pytest.mark.parametrize(
    "odd",
    [
        "021a01" + 12 * "00" + "01",
        "021a01" + 6 * "00" + "1b" + 6 * "00",
        "031a01" + 12 * "00" + "07",
        "041a01" + 13 * "00",
    ],
    ids=["a spare byte", "a department of format 3", "an answer that is none", "a format to come"],
)
def test_what_a_format_did_not_have_yet_is_refused_in_it(odd: str) -> None:
    with pytest.raises(ValueError, match="format"):
        newest_form(bytes.fromhex(odd))


# ── departments of whichever country ────────────────────────────────────────────────────────────────────────

KENYA = CountryPlaces("KE", {"KE30": "Baringo", "KE47": "Nairobi"})


@pytest.mark.parametrize(("code", "byte"), [("PE01", 1), ("PE25", 25), ("PE99", 26), ("KE00", 27), ("KE47", 74)])
def test_a_department_keeps_its_byte_whatever_the_tree_of_places_grows_or_loses(code: str, byte: int) -> None:
    block = tally_block(Incident(department=code), 498_815, counted=True)
    assert block[TALLY_BYTE["department"]] == byte
    assert TALLY_CODES["department"][byte] == department_in_tally(code)


def counted_by_place(blocks: list[bytes], places: CountryPlaces) -> dict[str, int]:
    made = design(3, places=places)
    table = next(table for table in made.leaves if "department" in table.dimensions)
    cells = count(made, blocks)[table.name]
    totals = dict.fromkeys(table.divided_by[1].codes, 0)
    for cell, reports in cells.items():
        totals[table.codes_of(cell)[1]] += reports
    return totals


def test_reports_fall_into_the_departments_of_the_country_and_those_of_another_into_the_rest() -> None:
    codes = ("KE47", "KE30", "KE47", "KE01", "PE25", None)
    blocks = [tally_block(Incident(department=code), 498_815, counted=True) for code in codes]
    assert counted_by_place(blocks, KENYA) == {"KE30": 1, "KE47": 2, "OTHER": 2, "NOT_SAID": 1}
    at_home = counted_by_place(blocks, HOME)
    assert {place: reports for place, reports in at_home.items() if reports} == {"PE25": 1, "OTHER": 4, "NOT_SAID": 1}
    by_region = count(design(1), blocks)["region"]
    codes_of_regions = DIMENSIONS["region"].codes
    assert {codes_of_regions[cell[0]]: n for cell, n in by_region.items() if n} == {
        "UCAYALI": 1,
        "OTHER": 4,
        "NOT_SAID": 1,
    }


def test_a_place_that_is_no_department_of_the_country_is_not_in_its_list() -> None:
    tree = {"KE47": "Nairobi", "KE01": "Mombasa", "KENA": "odd", "UG01": "Kampala", "KE4701": "Westlands"}
    assert dict(places_of("KE", tree).departments) == {"KE01": "Mombasa", "KE47": "Nairobi"}
    assert places_of("PE", tree) == HOME


# ── how soon the team answered ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hours", "code"),
    [
        (0, "WITHIN_24"),
        (24, "WITHIN_24"),
        (25, "WITHIN_72"),
        (72, "WITHIN_72"),
        (73, "WITHIN_7D"),
        (168, "WITHIN_7D"),
        (169, "LATER"),
        (9000, "LATER"),
    ],
)
def test_the_time_to_the_first_letter_is_in_whole_hours_from_her_report(hours: int, code: str) -> None:
    for letters in (True, False):  # what was written stays written when she wants no more of it
        assert answered_of(500_000, 500_000 + hours, letters=letters, voice=False) == code


def test_without_a_letter_it_is_never_where_one_was_waited_for_and_nowhere_else() -> None:
    assert answered_of(500_000, None, letters=True, voice=False) == "NEVER"
    assert answered_of(500_000, None, letters=False, voice=False) == "NOT_AWAITED"
    for first in (None, 500_001):
        assert answered_of(500_000, first, letters=True, voice=True) == "NOT_AWAITED"
