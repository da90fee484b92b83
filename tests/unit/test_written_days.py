"""Days as people write them: in either language, with or without a year; what is none is refused and never guessed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from reporting.web.languages import LANGUAGES, day, day_read, short_day

SUNDAY = date(2026, 11, 29)
DAYS = st.dates(date(2000, 1, 1), date(2098, 12, 31))
LOCALES = sorted({language.formats for language in LANGUAGES.values()})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30 de noviembre", date(2026, 11, 30)),
        ("30 nov", date(2026, 11, 30)),
        ("30/11", date(2026, 11, 30)),
        ("lunes 30 de noviembre", date(2026, 11, 30)),
        ("4 set", date(2027, 9, 4)),
        ("4 de septiembre", date(2027, 9, 4)),
        ("28/11", date(2027, 11, 28)),
        ("28-7-27", date(2027, 7, 28)),
        ("2027-07-28", date(2027, 7, 28)),
        ("29/02", date(2028, 2, 29)),
        ("Nov 30", date(2026, 11, 30)),
        ("30th of November", date(2026, 11, 30)),
        ("March 3, 2027", date(2027, 3, 3)),
        ("hoy", SUNDAY),
        ("Mañana", date(2026, 11, 30)),
        ("pasado mañana", date(2026, 12, 1)),
        ("tomorrow", date(2026, 11, 30)),
        ("el lunes", date(2026, 11, 30)),
        ("next Monday", date(2026, 11, 30)),
        ("el domingo que viene", date(2026, 12, 6)),
    ],
)
def test_a_day_is_read_as_people_write_it_and_means_the_next_one(written: str, meant: date) -> None:
    assert day_read(written, SUNDAY) == meant


@pytest.mark.parametrize(
    ("written", "meant"), [("28/11", 28), ("28 de noviembre", 28), ("ayer", 28), ("el viernes", 27)]
)
def test_the_day_of_something_past_is_the_last_one(written: str, meant: int) -> None:
    assert day_read(written, SUNDAY, past=True) == date(2026, 11, meant)


@pytest.mark.parametrize(
    "written",
    ["", " ", "pronto", "31/02", "13/13", "30", "ma", "lunes 5 de diciembre", "30 de xyz", "2027-02-30", "0/0"],
)
def test_what_is_no_day_or_two_different_ones_is_none(written: str) -> None:
    assert day_read(written, SUNDAY) is None


@given(DAYS, DAYS, st.sampled_from(sorted(LANGUAGES)))
def test_a_day_that_a_page_shows_can_be_typed_as_it_stands(when: date, today: date, code: str) -> None:
    for written in (day(code, when), f"{when:%d/%m/%Y}", when.isoformat(), day(code, when).upper()):
        assert day_read(written, today) == when, written


@given(DAYS, st.integers(0, 364), st.sampled_from(LOCALES))
def test_a_day_without_its_year_is_the_next_one_in_either_language(today: date, ahead: int, locale: str) -> None:
    when = today + timedelta(days=ahead)
    code = next(code for code, language in LANGUAGES.items() if language.formats == locale)
    ways = (short_day(code, when), f"{when.day}/{when.month}", format_date(when, "EEEE d MMMM", locale=locale))
    assert {day_read(way, today) for way in ways} == {when}, ways


@given(text=st.text(), today=DAYS, past=st.booleans())
def test_nothing_that_is_typed_breaks_it(text: str, today: date, *, past: bool) -> None:
    found = day_read(text, today, past=past)
    assert found is None or isinstance(found, date)
