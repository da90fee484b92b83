"""A look at how cases went: what was worked out before, held against what lies there; only what changed is opened.

A few hundred cases at most are opened at one look, in transactions that only read; what is left waits for the next.
What was worked out is kept sealed in parts and goes with each of its cases. Knows no figure and nothing of the web.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from referrals.casework.follow_up.course import COURSE_STAMP, Course, course_of
from reporting.cases import desk, queue_cache
from reporting.cases.derived import part_of
from reporting.cases.follow_up.days import working_days
from reporting.cases.queue_cache import COURSES
from reporting.teams.keyring import Keys

AT_ONCE: Final = 200  # cases that are opened in one transaction
AT_A_LOOK: Final = 600  # cases that are opened at one look
Opens = Callable[[], AbstractContextManager[Session]]
_HEAD: Final = json.dumps({"rules": COURSE_STAMP}).encode()


@dataclass(frozen=True, slots=True)
class CourseLook:
    """What is known of how the cases of a member's teams went. `team` of each case."""

    courses: Mapping[int, Course]
    team: Mapping[int, int]
    changed: frozenset[int]  # worked out at this look
    gone: frozenset[int]  # of which something lay there, and that are not there as it says
    unopened: int  # that did not open at this look
    left: int  # that wait for the next look

    def of(self, teams: Collection[int]) -> list[Course]:
        """The courses of cases that these teams have."""
        return [course for case, course in self.courses.items() if self.team[case] in teams]


def look(reading: Opens, keys: Keys, seen_first: Callable[[], None]) -> CourseLook:
    """How the cases of a member's teams went. `seen_first` is called once before any case is opened."""
    with reading() as db:
        there = queue_cache.listed(db, keys)
        before = _kept(db, keys)
    team = {case: its for case, its, _, _ in there.rows}
    courses = {
        case: before[case, its]
        for case, its, _, version in there.rows
        if (case, its) in before and before[case, its].version == version
    }
    waiting = sorted(team.keys() - courses.keys(), key=lambda case: (part_of(case), case))
    if waiting:
        seen_first()
    fresh = _worked_out(reading, keys, waiting[:AT_A_LOOK])
    gone = {case for case, its in before if team.get(case) != its}
    tried = len(waiting[:AT_A_LOOK])
    # where nothing opens any more, nothing will at the next look
    left = len(waiting) - tried if fresh else 0
    return CourseLook(courses | fresh, team, frozenset(fresh), frozenset(gone), tried - len(fresh), left)


def _worked_out(reading: Opens, keys: Keys, cases: Collection[int]) -> dict[int, Course]:
    """The courses of those of these cases that open, a few in each transaction: between them others write."""
    listed, fresh = list(cases), dict[int, Course]()
    for at in range(0, len(listed), AT_ONCE):
        with reading() as db:
            days = working_days(db)
            fresh |= {case.id: course_of(case, days) for case in desk.opened(db, keys, listed[at : at + AT_ONCE])}
    return fresh


def _kept(db: Session, keys: Keys) -> dict[tuple[int, int], Course]:
    """What was last worked out: (case, team) -> its course."""
    return {
        (course.case, team): course
        for team in keys.epochs
        for part in queue_cache.read_sheets(db, keys, team, COURSES).values()
        for course in _from_bytes(part)
    }


def _from_bytes(part: bytes) -> list[Course]:
    """The courses in a part; none where they were worked out by other rules."""
    head, *lines = part.split(b"\n")
    return [Course.from_json(line) for line in lines] if head == _HEAD else []


def keep(writing: Opens, keys: Keys, seen: CourseLook) -> None:
    """Keep what was worked out, so that the next look is quick; each team in a short transaction of its own."""
    for team in keys.epochs:
        here = {case: course for case, course in seen.courses.items() if seen.team[case] == team}
        parts = {part_of(case) for case in seen.changed & here.keys()} | set(map(part_of, seen.gone))
        if parts:
            lines = {case: course.to_json() for case, course in here.items() if part_of(case) in parts}
            with writing() as db:
                queue_cache.write_sheets(
                    db,
                    keys,
                    team,
                    lambda there, parts=parts, lines=lines: _in_parts(parts, lines, there),  # type: ignore[misc]
                    COURSES,
                )


def _in_parts(parts: Iterable[int], lines: Mapping[int, bytes], there: Collection[int]) -> dict[int, bytes]:
    """These parts, ready to be kept, of the cases that are there; empty where there are none."""
    listed: dict[int, list[bytes]] = {part: [] for part in parts}
    for case, line in lines.items():
        if case in there:
            listed[part_of(case)].append(line)
    return {part: b"\n".join((_HEAD, *some)) if some else b"" for part, some in listed.items()}
