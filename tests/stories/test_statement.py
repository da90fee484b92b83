"""Her statement on paper says what she told, when she told it, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from referrals.directory.vignettes import assess_file
from reporting.cases import actions, desk, statement, store
from reporting.cases.records import Case
from reporting.i18n import T_
from reporting.storage.database import reading, writing
from reporting.vocabulary import wording
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.person import OTHER, speaking
from tests.people import Place
from tests.trips import say

VIGNETTES = Path(__file__).parent.parent.parent / "referrals" / "data" / "vignettes.yaml"
TOLD = [(name, incident) for name, incident, _ in assess_file(VIGNETTES.read_text("utf-8"), ".yaml")]
OWN, LATER = "fue de noche en el paradero", "también dijo que sabe dónde vivo"
DAY = r"\d{4}-\d\d-\d\d \d\d:00"
# what the paper says by itself: who told it, and when; each names its day with the year
BY_ITSELF = (statement.BY_HERSELF, statement.BY_ANOTHER, statement.IN_WRITING, statement.ADDED, T_("On %(when)s:"))
TIMES = (
    T_("More than a month before %(when)s."),
    T_("Around %(when)s."),
    T_("Between %(earlier)s and %(later)s."),
    T_("It still goes on, or happens again and again."),
)


def day_of(hour: int) -> str:
    return f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%d %H:00}"


def her_case(place: Place, incident: Incident, *, adds: bool = False) -> Case:
    receipt = place.receives(incident, OWN)
    if adds:
        place.clock.on(hours=30)
        visit = place.comes_back(receipt)
        with writing(place.engine) as db, store.on_visit(db, visit, place.clock()) as case_file:
            actions.add_words(case_file, LATER, place.clock())
    visit = place.comes_back(receipt)
    with reading(place.engine) as db:
        return store.open_visit(db, visit)


def lines_of(case: Case) -> list[str]:
    return [text for section in statement.sections(case, {}, say, day_of) for text in section.words]


def is_said_by_itself(line: str) -> bool:
    shapes = (re.sub(r"%\\\(\w+\\\)s", lambda _: DAY, re.escape(say(text))) for text in (*BY_ITSELF, *TIMES))
    return any(re.fullmatch(shape, line) for shape in shapes)


@pytest.mark.parametrize("about", ["", OTHER])
@pytest.mark.parametrize(("name", "incident"), TOLD, ids=[name for name, _ in TOLD])
def test_no_line_of_it_says_what_she_did_not_answer(place: Place, name: str, incident: Incident, about: str) -> None:
    told = replace(incident, about=about or incident.about)
    case, speaks = her_case(place, told), speaking(say, told.about)
    answers = {
        field: tuple(wording.words_of_fact(field, wording.fact_of(case.incident, field), {}, speaks))
        for field in wording.FACTS
    }
    hers = {OWN} | {word for words in answers.values() for word in words}
    hers |= {f"{say(wording.FACTS[field])}: {word}" for field, words in answers.items() for word in words}
    for line in lines_of(case):
        assert line in hers or is_said_by_itself(line), (name, line)


def test_what_she_told_later_stands_there_with_its_own_day(place: Place) -> None:
    case = her_case(place, TOLD[0][1], adds=True)
    lines = lines_of(case)
    assert OWN in lines
    assert LATER not in lines, "it was not told with the report"
    assert say(statement.ADDED, when=day_of(case.additions[0].hour), text=LATER) in lines
    assert day_of(case.additions[0].hour) != day_of(case.hour)


def test_signs_of_her_body_keep_their_day_when_what_stands_beside_them_is_set_right(place: Place) -> None:
    told = Incident(flags=frozenset({"D_STRANGLED"}), age="A18_24")
    receipt, rosa = place.receives(told), place.signs_in("rosa")
    visit, first = place.comes_back(receipt), int(place.clock()) // 3600

    def days_of_signs() -> list[str]:
        with reading(place.engine) as db:
            lines = lines_of(store.open_visit(db, visit))
        return [line for line in lines if line.endswith(":")]

    def sets_right(**changed: object) -> int:
        place.clock.on(days=3)
        with writing(place.engine) as db, desk.at_desk(db, rosa, visit.case, place.clock(), "changed") as case_file:
            now = replace(case_file.incident_at(place.clock()), **changed)  # type: ignore[arg-type]
            actions.correct(case_file, rosa.member, now, "she said so", place.clock(), signs=True)
        return int(place.clock()) // 3600

    sets_right(age="A25_34")
    assert days_of_signs() == [say(T_("On %(when)s:"), when=day_of(first))]
    later = sets_right(flags=told.flags | {"D_BLEEDING"})
    sets_right(age="A18_24")
    assert days_of_signs() == [say(T_("On %(when)s:"), when=day_of(later))]
