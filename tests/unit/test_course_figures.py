"""The figures of courses, whatever the courses are: any order gives the same, no step grows, no hour is lost."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.casework.follow_up import how_it_goes
from referrals.casework.follow_up.course import COUNTED_WINDOWS, STEPS, Course, DueWork, ReferralCourse, WindowCourse
from referrals.casework.follow_up.how_it_goes import figures_of, span_of
from reporting.cases.follow_up.how_was_it import FACES
from reporting.clock import HOUR
from reporting.vocabulary.needs import NEEDS

LIMA = ZoneInfo("America/Lima")
codes = st.sampled_from
hours_since = st.integers(0, 3000)
windows_drawn = st.builds(
    WindowCourse,
    need=codes(COUNTED_WINDOWS),
    ends=hours_since,
    reached=hours_since,
    elsewhere=st.booleans(),
    unwanted=st.booleans(),
)
referrals_drawn = st.builds(
    ReferralCourse,
    service=codes(("a", "b", "c")),
    steps=st.integers(1, len(STEPS)),
    her_no=st.booleans(),
    refusals=st.lists(codes(("", "PAPERS", "FULL")), max_size=2).map(tuple),
    protects=st.booleans(),
)
courses_drawn = st.builds(
    Course,
    case=st.integers(0, 2**63 - 1),
    version=st.integers(1, 9),
    hour=hours_since,
    province=codes(("", "PE15", "PE1501")),
    marked=st.booleans(),
    voice=st.booleans(),
    may_write=st.booleans(),
    answered=hours_since,
    state=codes(("new", "open", "closed")),
    outcome=codes(("", "REACHED", "REFUSED")),
    owner=st.integers(0, 3),
    gaps=st.lists(codes(tuple(NEEDS)), max_size=2, unique=True).map(tuple),
    was_closed=st.booleans(),
    reopened=st.booleans(),
    reopened_by_her=st.booleans(),
    face=codes(("", *FACES)),
    windows=st.lists(windows_drawn, max_size=2).map(tuple),
    referrals=st.lists(referrals_drawn, max_size=3).map(tuple),
    work=st.lists(st.builds(DueWork, until=st.integers(1, 3000), done=hours_since), max_size=3).map(tuple),
)
some_courses = st.lists(courses_drawn, max_size=12)


@given(some_courses.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_figures_of_a_set_are_those_of_the_set_in_any_order(both: tuple[list[Course], list[Course]]) -> None:
    first, shuffled = (figures_of(some, 1000.0, str.upper) for some in both)
    assert first == shuffled
    assert how_it_goes.load(both[0]) == how_it_goes.load(both[1])


@given(some_courses)
def test_no_step_has_more_than_the_one_before_and_every_window_came_out_in_one_way(some: list[Course]) -> None:
    figures = figures_of(some, 1000.0, str.upper)
    for row in figures.cascade:
        counts = list(row.steps.values())
        assert counts == sorted(counts, reverse=True)
        assert row.her_no <= counts[0]
    for window in figures.windows:
        assert sum(window.counts.values()) == window.cases
    answers = figures.answers
    assert answers.within_day <= answers.within_three_days <= answers.within_week <= answers.answered
    assert answers.answered + answers.never + answers.unwanted == answers.cases
    assert figures.reopened_by_her <= len(some)


@given(courses_drawn)
def test_a_course_is_read_back_as_it_was_written_down(course: Course) -> None:
    assert Course.from_json(course.to_json()) == course


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("month", datetime(2027, 1, 1, tzinfo=LIMA), datetime(2027, 1, 15, 8, tzinfo=LIMA)),
        ("before", datetime(2026, 12, 1, tzinfo=LIMA), datetime(2027, 1, 1, tzinfo=LIMA)),
        ("year", datetime(2026, 2, 1, tzinfo=LIMA), datetime(2027, 1, 15, 8, tzinfo=LIMA)),
    ],
)
def test_a_period_begins_and_ends_on_the_clock_of_the_place(period: str, first: datetime, last: datetime) -> None:
    span = span_of(period, datetime(2027, 1, 15, 7, 30, tzinfo=LIMA))
    assert (span.first, span.last) == tuple(int(at.timestamp()) // HOUR for at in (first, last))
