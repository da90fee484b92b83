"""Opening hours: what is read of what people write, and whether it is open, against somebody else's reader."""

from __future__ import annotations

import csv
import random
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening_hours import OpeningHours

from referrals.directory import reviewed_data
from referrals.matching import hours
from referrals.matching.hours import (
    ALL_WEEK,
    ALWAYS,
    QUARTERS_PER_DAY,
    SLOTS,
    Hours,
    ahead,
    open_until,
    packed,
    state,
    unpacked,
)
from referrals.matching.hours_text import read
from referrals.matching.hours_written import as_table, written
from tests.needs_of_tests import requires

LIMA = ZoneInfo("America/Lima")
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=LIMA)
ZONES = ("America/Lima", "America/New_York", "Europe/Madrid", "Asia/Kathmandu", "Australia/Lord_Howe")

# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

MEANS = {
    "Mo-Fr 08:00-16:00": "Mo-Fr 08:00-16:00",
    "L-V 8:00-16:00": "Mo-Fr 08:00-16:00",
    "lunes a viernes 8:00-16:00": "Mo-Fr 08:00-16:00",
    "lunes a viernes de 8 a.m. a 4 p.m.": "Mo-Fr 08:00-16:00",
    "De lunes a viernes: 08:00 - 16:15 hrs.": "Mo-Fr 08:00-16:15",
    "L a V de 8:30 a 4:30 pm": "Mo-Fr 08:30-16:30",
    "Lun-Vie 9 a 1 pm y 3 a 6 pm; sábados 9am-1pm": "Mo-Fr 09:00-13:00,15:00-18:00; Sa 09:00-13:00",
    "L-V 8:00 am - 12 m": "Mo-Fr 08:00-12:00",
    "L-V 8:00-13:00, 15:30-17:00": "Mo-Fr 08:00-13:00,15:30-17:00",
    "L-Do 20:00-06:00": "Mo-Su 20:00-06:00",
    "lunes, miércoles y viernes de 8:00 a 12:00": "Mo 08:00-12:00; We 08:00-12:00; Fr 08:00-12:00",
    "todos los días de 7 a.m. a 7 p.m.": "Mo-Su 07:00-19:00",
    "lunes a sábado 8:00 a 20:00 horas, excepto feriados": "Mo-Sa 08:00-20:00; PH off",
    "feriados cerrado; L-V 8-16": "Mo-Fr 08:00-16:00; PH off",
    "Mo-Fr 08:00-16:00; PH off": "Mo-Fr 08:00-16:00; PH off",
    "Mo-Fr 08:00-16:00, Sa 09:00-13:00": "Mo-Fr 08:00-16:00; Sa 09:00-13:00",
    "Mo-Su 09:00-18:00; Su 10:00-12:00": "Mo-Sa 09:00-18:00; Su 10:00-12:00",
    "Mo-Fr 08:00-12:00; Sa off": "Mo-Fr 08:00-12:00",
    "L-V 8:00-16:00; 2026-12-24 cerrado": "Mo-Fr 08:00-16:00; 2026 Dec 24 off",
    "24/7": "24/7",
    "24 horas, 7 días": "24/7",
    "24 horas, 365 días": "24/7",
    "Mo-Su 00:00-24:00": "24/7",
    "Mo-Fr 08:00-08:00": "Mo-Fr 08:00-08:00",  # closes when it opens: a whole day
    "Sa 9:00-13:00": "Sa 09:00-13:00",
    "Mo-Fr 08:10-16:50": "Mo-Fr 08:15-16:45",  # a quarter that is open in part counts as closed
    "X 8:00-12:00": "We 08:00-12:00",
}
NOT_UNDERSTOOD = (
    "",
    "según agenda",
    "8:00-16:00",
    "L-V 8 a 5",
    "M 8:00-12:00",
    "Mo[1] 08:00-12:00",
    'Mo-Fr 08:00-12:00 "cita"',
    "week 1-53/2 Mo 08:00-12:00",
    "sunrise-sunset",
    "L-V 8:00-13:00; L-V 15:00-17:00",
    "Mo-Fr 25:00-26:00",
    "L-V 8:60-9:00",
    "Mo-Fr 08:00-16:00; SH off",
    'Mo-Fr 08:00-16:00 || "a veces"',
    "lunes",
    "L-V mañana",
    "llamar antes",
    "Jan-Mar Mo 8:00-9:00",
    "L-V 8:00",
    "Mo-Fr 08:00-16:00 open",
    "solo lunes 8:00-12:00 y a veces martes",
    "2026-12-24 cerrado",
    "L-V 0:00-0:00",
)


@pytest.mark.parametrize("told", MEANS)
def test_what_people_write_is_read(told: str) -> None:
    assert written(read(told)) == MEANS[told]


@pytest.mark.parametrize("told", NOT_UNDERSTOOD)
def test_what_is_not_understood_whole_is_unknown(told: str) -> None:
    assert read(told).own is None


TABLE = Path(__file__).parents[1] / "golden" / "hours.tsv"  # what each text means, written down from reading it
NOBODY_KNOWS = "?"  # from the text alone
AT_LEAST_READ = 0.6  # of the texts of the table


def table_of_texts() -> dict[str, str]:
    rows = (line.split("\t") for line in TABLE.read_text("utf-8").splitlines()[1:])
    return {text: means for means, text in rows}


def test_of_250_texts_none_is_read_wrongly_and_most_are_read() -> None:
    readings = {text: written(read(text)) or NOBODY_KNOWS for text in table_of_texts()}
    wrong = {
        text: (readings[text], means)
        for text, means in table_of_texts().items()
        if readings[text] not in {means, NOBODY_KNOWS}
    }
    assert not wrong
    assert len(readings) >= 250
    assert sum(reading != NOBODY_KNOWS for reading in readings.values()) >= AT_LEAST_READ * len(readings)


def test_the_table_holds_every_text_of_hours_of_the_real_files() -> None:
    folder = Path(requires("directory files"))
    texts = {line for line in (folder / "inputs" / "hours-wrong.txt").read_text("utf-8").splitlines() if line}
    for file in folder.glob("pe*.csv"):
        rows = csv.DictReader(file.read_text("utf-8-sig").splitlines())
        texts |= {row["hours"].strip() for row in rows if row.get("hours")}
    assert texts - table_of_texts().keys() == set()


@pytest.mark.parametrize("text", list(table_of_texts()))
def test_what_is_understood_is_read_back_as_a_table_of_days(text: str) -> None:
    """A table of days says the same as the week that is worked with."""
    hours_read = read(text)
    table = as_table(hours_read)
    assert table["known"] == (hours_read.own is not None)
    if not table["known"]:
        assert (table["week"], table["holidays"]) == ({}, "unknown")
        return
    days = {"mo": "Mo", "tu": "Tu", "we": "We", "th": "Th", "fr": "Fr", "sa": "Sa", "su": "Su"}
    parts = [
        f"{code} {','.join(f'{begins}-{ends}' for begins, ends in table['week'][key])}"
        for key, code in days.items()
        if table["week"][key]
    ]
    again = read("; ".join(parts))
    assert (again.own, again.over) == (hours_read.own, hours_read.over)


def test_holidays_are_read_back_as_closed_their_own_hours_or_unknown() -> None:
    assert as_table(read("L-V 8-16; feriados cerrado"))["holidays"] == []
    assert as_table(read("L-V 8-16; feriados 8-12"))["holidays"] == [["08:00", "12:00"]]
    assert as_table(read("L-V 8-16 y feriados"))["holidays"] == [["08:00", "16:00"]]
    assert as_table(read("24 horas"))["holidays"] == [["00:00", "24:00"]]
    assert as_table(read("L-V 8-16"))["holidays"] == "unknown"
    assert as_table(read("L-V 8-16, S 8-12, también feriados"))["holidays"] == "unknown"  # whose hours?


def test_hours_of_a_public_holiday_take_the_place_of_the_day() -> None:
    week, holidays = read("L-V 8:00-16:00; feriados 9:00-12:00"), frozenset({date(2026, 11, 24), date(2026, 11, 28)})
    assert unpacked(packed(week)) == week
    assert state(week, datetime(2026, 11, 24, 10, tzinfo=LIMA), holidays) == "open"
    assert state(week, datetime(2026, 11, 24, 13, tzinfo=LIMA), holidays) == "closed"
    assert state(week, datetime(2026, 11, 28, 10, tzinfo=LIMA), holidays) == "open"  # a Saturday
    assert state(week, datetime(2026, 11, 25, 13, tzinfo=LIMA), holidays) == "open"
    found = open_until(week, datetime(2026, 11, 24, 10, tzinfo=LIMA), holidays)
    assert found is not None
    assert found.hour == 12


def test_what_contradicts_itself_is_unknown() -> None:
    assert read("L-V 8:00-16:00", "yes").own is None
    assert read("24 horas", "no").own is None
    assert read("", "yes") == ALWAYS == read("24 horas (los CEM en comisaría)", "yes")


def test_every_shipped_text_of_hours_is_read() -> None:
    rows = csv.DictReader((Path(reviewed_data.DATA) / "services-pe.csv").read_text("utf-8").splitlines())
    told = {(row["hours"], row["is_24h"]) for row in rows if row["hours"]}
    assert not [one for one in told if read(*one).own is None]


@given(st.text(max_size=400))
def test_no_text_is_too_strange(told: str) -> None:
    assert read(told).own is None or 0 <= (read(told).mask or 0) <= ALL_WEEK


# ── laws ────────────────────────────────────────────────────────────────────────────────────────────────────

MINUTES = st.integers(0, 95).map(lambda quarter: quarter * 15)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """OpenStreetMap text: days in a row, one or two spans, perhaps over midnight, a day off, a dated day."""
    parts, day = [], 0
    while day < 7:
        last = draw(st.integers(day, 6))
        if draw(st.booleans()):
            first, second, third, fourth = sorted(draw(st.sets(MINUTES, min_size=4, max_size=4)))
            night = f",{_at(fourth)}-{_at(first)}" if fourth >= 720 else ""
            late = draw(st.sampled_from(["", night]))
            parts.append(f"{_days(day, last)} {_at(second)}-{_at(third)}{late}")
        day = last + 1
    if not parts:
        parts = ["Mo 08:00-12:00"]
    parts += draw(st.sampled_from([[], ["PH off"], ["PH 09:00-12:00"], ["todo el año"]]))
    if draw(st.booleans()):
        parts.append("2026 Nov 25 off")
    return "; ".join(parts)


def _at(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _days(first: int, last: int) -> str:
    codes = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
    return codes[first] if first == last else f"{codes[first]}-{codes[last]}"


@given(texts())
def test_what_is_written_is_read_the_same(told: str) -> None:
    found = read(told)
    assert found.own is not None, told
    assert read(written(found)) == found
    assert unpacked(packed(found)) == found


@given(texts(), st.integers(0, 8 * QUARTERS_PER_DAY - 1))
def test_looking_ahead_says_what_looking_then_would_say(told: str, quarter: int) -> None:
    found, moment = read(told), TUESDAY + timedelta(minutes=15 * quarter)
    week = ahead(found, moment)
    then = random.Random(quarter).randrange(SLOTS)  # noqa: S311 -- nothing secret is drawn
    assert state(found, moment + timedelta(minutes=15 * then)) == ("open" if week.open >> then & 1 else "closed")
    closes = open_until(found, moment)
    if closes is not None:
        assert state(found, closes) == "closed"
        assert state(found, closes - timedelta(minutes=1)) == "open"


# ── against another reader ──────────────────────────────────────────────────────────────────────────────────

WEEKS = (
    "Mo-Fr 08:00-16:00",
    "Mo-Su 20:00-06:00",
    "Mo-Fr 08:00-13:00,15:30-17:00; Sa 09:00-13:00",
    "Sa-Su 22:00-02:00",
    "24/7",
    "Mo-Fr 00:00-24:00",
    "Mo-Fr 08:00-16:00; 2026 Nov 24 off",
    "Fr 18:00-24:00; Sa 00:00-04:00",
    "Mo-Su 09:00-18:00; We off",
    "Mo-Fr 08:00-08:00",
    "Mo-Fr 08:00-16:00; 2026 Nov 28 10:00-12:00",
)


@pytest.mark.parametrize("week", WEEKS)
def test_every_quarter_of_a_week_is_what_another_reader_says(week: str) -> None:
    theirs, ours = OpeningHours(week), read(week)
    monday = datetime(2026, 11, 23)  # noqa: DTZ001 -- the other reader wants a wall clock without a zone
    for quarter in range(SLOTS):
        wall = monday + timedelta(minutes=15 * quarter)
        expected = "open" if theirs.is_open(wall) else "closed"
        assert state(ours, wall.replace(tzinfo=LIMA)) == expected, wall


def test_beside_a_day_off_nothing_is_open_that_another_reader_calls_closed() -> None:
    week = "Mo-Su 20:00-06:00; 2026 Nov 25 off"
    theirs, ours = OpeningHours(week), read(week)
    monday = datetime(2026, 11, 23)  # noqa: DTZ001 -- as above
    walls = [monday + timedelta(minutes=15 * quarter) for quarter in range(SLOTS)]
    differ = [wall for wall in walls if (state(ours, wall.replace(tzinfo=LIMA)) == "open") != theirs.is_open(wall)]
    assert {wall.date() for wall in differ} == {date(2026, 11, 26)}  # the night of the day off: there they say open
    assert all(state(ours, wall.replace(tzinfo=LIMA)) == "closed" for wall in differ)


CHANGES = {  # zone -> nights on which its clock is changed, or an ordinary one
    "America/Lima": (date(2026, 7, 1),),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Europe/Madrid": (date(2026, 3, 29), date(2026, 10, 25)),
    "Asia/Kathmandu": (date(2026, 1, 1),),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("week", ["Mo-Fr 08:00-16:00", "Mo-Su 20:00-06:00", "Sa-Su 22:00-02:30", "Su 02:00-03:00"])
def test_every_hour_around_a_changed_clock_is_what_another_reader_says(zone: str, week: str) -> None:
    theirs, ours = OpeningHours(week), read(week, zone=zone)
    for night in CHANGES[zone]:
        begins = datetime(night.year, night.month, night.day, tzinfo=UTC) - timedelta(hours=36)
        for quarter in range(4 * 84):
            moment = begins + timedelta(minutes=15 * quarter)
            wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            expected = "open" if theirs.is_open(wall) else "closed"
            assert state(ours, moment) == expected, (zone, moment)


# ── what went wrong elsewhere ───────────────────────────────────────────────────────────────────────────────


def at(told: str, wall: str, zone: str = "America/Lima") -> str:
    return state(read(told, zone=zone), datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)))


def test_after_midnight_is_still_open() -> None:
    assert at("Fr-Sa 20:00-03:00", "2026-11-29T02:30") == "open"  # a Sunday morning
    assert at("Fr-Sa 20:00-03:00", "2026-11-29T03:00") == "closed"


def test_a_day_and_a_night_never_close() -> None:
    for told in ("24/7", "Mo-Su 00:00-24:00", "24 horas"):
        assert open_until(read(told), TUESDAY) is None
        assert at(told, "2026-11-24T23:59") == at(told, "2026-11-25T00:00") == "open"


def test_the_clock_is_the_one_of_the_service() -> None:
    moment = datetime(2026, 11, 24, 20, tzinfo=UTC)  # three in the afternoon in Lima, nine in the evening in Madrid
    assert state(read("Mo-Fr 08:00-16:00"), moment) == "open"
    assert state(read("Mo-Fr 08:00-16:00", zone="Europe/Madrid"), moment) == "closed"


def test_a_public_holiday_is_no_promise() -> None:
    day, holidays = datetime(2026, 7, 28, 10, tzinfo=LIMA), reviewed_data.public_holidays("PE")
    assert state(read("L-V 8:00-16:00"), day, holidays) == "unknown"
    assert state(read("L-V 8:00-16:00; PH off"), day, holidays) == "closed"
    assert state(read("L-V 8:00-16:00, también feriados"), day, holidays) == "open"
    assert state(ALWAYS, day, holidays) == "open"


def test_a_holiday_takes_both_nights_that_touch_it() -> None:
    week, holidays = read("Mo-Su 20:00-06:00; PH off"), frozenset({date(2026, 11, 25)})
    assert state(week, datetime(2026, 11, 24, 21, tzinfo=LIMA), holidays) == "open"
    assert state(week, datetime(2026, 11, 25, 3, tzinfo=LIMA), holidays) == "closed"
    assert state(week, datetime(2026, 11, 25, 21, tzinfo=LIMA), holidays) == "closed"
    assert state(week, datetime(2026, 11, 26, 3, tzinfo=LIMA), holidays) == "closed"  # would be the holiday's night
    assert state(week, datetime(2026, 11, 26, 21, tzinfo=LIMA), holidays) == "open"


def test_unknown_hours_are_never_called_closed() -> None:
    assert state(Hours(None), TUESDAY) == "unknown"
    assert ahead(Hours(None), TUESDAY).unknown == ALL_WEEK


# ── holidays ────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def their_holidays() -> dict[date, str]:
    holidays = pytest.importorskip("holidays")
    return dict(holidays.country_holidays("PE", years=range(2026, 2031), language="es"))


def test_the_list_of_holidays_is_the_one_of_the_package_it_was_made_with() -> None:
    assert reviewed_data.public_holidays("PE") == frozenset(their_holidays())


def test_one_quarter_is_one_bit() -> None:
    assert hours.slot_of(datetime(2026, 11, 23, 0, 14, tzinfo=LIMA)) == 0
    assert hours.slot_of(datetime(2026, 11, 29, 23, 45, tzinfo=LIMA)) == SLOTS - 1
