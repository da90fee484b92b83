"""Danger, and a window that runs out, stay on top until somebody writes to her: a look or a name is no answer."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask

from reporting.cases import actions, store
from reporting.cases.follow_up.next_steps import OF_CASE, StepRow
from reporting.cases.records import alias
from reporting.storage.database import writing
from reporting.vocabulary.incident import Incident
from reporting.web import languages
from tests.copies import Filling, with_a_colleague
from tests.pages.test_casework import RAPE, at_the_desk
from tests.people import Place
from tests.phone import Phone
from tests.trips import say

QUEUE = "/es/equipo/casos"
QUIET = replace(RAPE, violence=frozenset({"THREATS"}), hours=(400.0, 400.0), condom=None)
STRANGLED = replace(QUIET, hours=(5.0, 5.0), flags=frozenset({"D_STRANGLED"}))
ENDING_HER_LIFE = replace(QUIET, flags=frozenset({"D_SUICIDE"}))
THIRTEEN_LEFT = replace(RAPE, hours=(59.0, 59.0))  # of the 72 hours of the pills against HIV
FORTY_EIGHT_LEFT = replace(RAPE, hours=(24.0, 24.0))
CONTACT = {"channel": "CALL", "number_to_call": "987 111 222", "safe_hours": "de 3 a 5"}
PEP = "Medicine that can prevent HIV (PEP)"
NOBODY_WROTE = "Rosa lo lleva; nadie le ha escrito"


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def tells(place: Place, incident: Incident, **more: object) -> int:
    return place.comes_back(place.receives(incident, "así fue", **more)).case


def lines(desk: Phone, tab: str = "today") -> list[tuple[str, str]]:
    """(short name, why it stands there) of each line of a tab, from the top."""
    desk.opens(f"{QUEUE}?folder={tab}")
    found = re.findall(
        r'<h2><a href="[^"]*">(.*?)</a>\s*<strong class="queue-mark[^"]*">(.*?)</strong>', desk.text, re.DOTALL
    )
    return [(name, " ".join(why.split())) for name, why in found]


def first(desk: Phone, tab: str = "today") -> tuple[str, str]:
    return lines(desk, tab)[0]


def takes(desk: Phone, case: int) -> None:
    desk.opens(f"/es/equipo/caso/{case}")
    desk.presses("assign")
    assert desk.status == 203


def the_day(page: Phone) -> str:
    """When the step that is next is to be done, as the top of the case says it."""
    return page.words.split(say("What is next"), 1)[1][:200]


# ── what stays on top ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("incident", "days", "why"), [(STRANGLED, 0, "Danger now"), (ENDING_HER_LIFE, 3, "hace 3 días")]
)
def test_danger_that_somebody_took_stays_on_top_until_she_is_written_to(
    app: Flask, place: Place, incident: Incident, days: int, why: str
) -> None:
    case = tells(place, incident)
    place.clock.on(days=days)
    others = [tells(place, QUIET) for _ in range(3)]
    rosa = at_the_desk(app, place)
    takes(rosa, case)
    for tab in ("today", "mine", "open"):
        name, said = first(rosa, tab)
        assert name == alias(case), tab
        assert NOBODY_WROTE.lower() in said.lower(), said
        assert (say(why) if days == 0 else why) in said, said
    rosa.opens(f"/es/equipo/caso/{case}")
    rosa.presses("letter", text="Estamos contigo.")
    assert alias(case) not in [name for name, _ in lines(rosa)], "it is in hand"
    assert lines(rosa, "open")[-1][0] == alias(case)
    assert len(others) == 3


def test_a_window_that_somebody_took_stays_above_what_has_none_until_she_is_written_to(
    app: Flask, place: Place
) -> None:
    case, _other = tells(place, THIRTEEN_LEFT), tells(place, QUIET)
    rosa = at_the_desk(app, place)
    takes(rosa, case)
    assert first(rosa)[0] == first(rosa, "mine")[0] == alias(case)
    assert "nadie le ha escrito" in first(rosa)[1]


@pytest.mark.parametrize("incident", [STRANGLED, THIRTEEN_LEFT, QUIET])
def test_a_look_changes_neither_order_nor_label_but_says_who_looked(
    app: Flask, place: Place, incident: Incident
) -> None:
    case, _other, _another = tells(place, incident), tells(place, QUIET), tells(place, QUIET)
    rosa = at_the_desk(app, place)
    before, all_before = lines(rosa), lines(rosa, "open")
    milagros = at_the_desk(app, place, "milagros")
    milagros.opens(f"/es/equipo/caso/{case}")
    rosa = at_the_desk(app, place)
    assert (lines(rosa), lines(rosa, "open")) == (before, all_before)
    rosa.opens(QUEUE)
    assert "Milagros miró" in rosa.words or "milagros miró" in rosa.words
    place.clock.on(days=2)  # a look sets no day either
    rosa = at_the_desk(app, place)
    others = [name for name, _ in all_before]
    assert [name for name, _ in lines(rosa, "open")] == others


def test_a_try_to_reach_her_holds_for_the_day_and_that_she_answered_holds(app: Flask, place: Place) -> None:
    case = tells(place, STRANGLED, contact=CONTACT, consents=frozenset({"C_LETTERS", "C_CONTACT"}))
    rosa = at_the_desk(app, place)
    takes(rosa, case)
    rosa.opens(f"/es/equipo/caso/{case}")
    form = next(form for form in rosa.forms if ("step", "nobody") in form.buttons)
    rosa.repeats(form.action, form.values | {"step": ["nobody"]})
    assert "nadie le ha escrito" not in dict(lines(rosa))[alias(case)], "somebody tried today"
    place.clock.on(days=1)
    rosa = at_the_desk(app, place)
    assert first(rosa)[0] == alias(case)
    assert "nadie le ha escrito" in first(rosa)[1], "it was yesterday"
    rosa.opens(f"/es/equipo/caso/{case}")
    form = next(form for form in rosa.forms if ("step", "she") in form.buttons)
    rosa.repeats(form.action, form.values | {"step": ["she"]})
    place.clock.on(days=1)
    rosa = at_the_desk(app, place)
    assert "nadie le ha escrito" not in dict(lines(rosa, "open"))[alias(case)]


def test_danger_that_she_tells_again_after_a_letter_is_on_top_again(app: Flask, place: Place) -> None:
    receipt = place.receives(STRANGLED, "me ahorcó")
    case = place.comes_back(receipt).case
    rosa = at_the_desk(app, place)
    rosa.opens(f"/es/equipo/caso/{case}")
    rosa.presses("answer", text="Estamos contigo.")
    place.clock.on(days=3)
    tells(place, QUIET)
    rosa = at_the_desk(app, place)
    assert alias(case) != first(rosa)[0]
    with writing(place.engine) as db, store.on_visit(db, place.comes_back(receipt), place.clock()) as case_file:
        actions.correct(case_file, 0, case_file.incident_at(place.clock()), "", place.clock(), signs=True)
    rosa = at_the_desk(app, place)
    assert first(rosa)[0] == alias(case)
    assert say("Danger now") in first(rosa)[1]


def test_to_take_a_quiet_case_is_no_work_yet_but_a_day_that_somebody_set_is(app: Flask, place: Place) -> None:
    case = tells(place, QUIET)
    rosa = at_the_desk(app, place)
    takes(rosa, case)
    assert first(rosa) == (alias(case), NOBODY_WROTE.replace("Rosa", first(rosa)[1].split(" ")[0]))
    rosa.opens(f"/es/equipo/caso/{case}")
    form = next(form for form in rosa.forms if ("step", "days7") in form.buttons)
    rosa.repeats(form.action, form.values | {"step": ["days7"]})
    assert lines(rosa) == []
    place.clock.on(days=7)
    rosa = at_the_desk(app, place)
    assert first(rosa)[0] == alias(case)


def test_who_left_no_way_to_be_reached_is_in_hand_once_somebody_has_her_case(app: Flask, place: Place) -> None:
    case = tells(place, ENDING_HER_LIFE, consents=frozenset())
    rosa = at_the_desk(app, place)
    assert first(rosa)[0] == alias(case)
    takes(rosa, case)
    assert lines(rosa) == []


@pytest.mark.parametrize("somebody", ["nobody has it", "a colleague took it", "it was answered"])
def test_a_window_that_closed_before_anybody_wrote_to_her_is_named_in_its_line_until_somebody_does(
    app: Flask, place: Place, somebody: str
) -> None:
    case = tells(place, THIRTEEN_LEFT)
    rosa, missed = at_the_desk(app, place), say("Ran out before anybody wrote to her: %(need)s", need=say(PEP))
    if somebody == "a colleague took it":
        takes(rosa, case)
    if somebody == "it was answered":
        rosa.opens(f"/es/equipo/caso/{case}")
        rosa.presses("answer", text="Te leímos.")
    assert missed not in rosa.opens(f"{QUEUE}?folder=open")
    place.clock.on(hours=14)
    rosa = at_the_desk(app, place)
    rosa.opens(f"{QUEUE}?folder=open")
    assert (missed in rosa.words) is (somebody != "it was answered")
    rosa.opens(f"/es/equipo/caso/{case}")
    rosa.presses("answer" if somebody == "nobody has it" else "letter", text="Perdón por la espera.")
    rosa.opens(f"{QUEUE}?folder=open")
    assert missed not in rosa.words


# ── what is next ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("incident", "today"), [(STRANGLED, True), (THIRTEEN_LEFT, True), (QUIET, False)])
def test_the_first_letter_is_a_matter_of_today_where_there_is_danger_or_a_window_runs_out(
    app: Flask, place: Place, incident: Incident, *, today: bool
) -> None:
    case, row = tells(place, incident), OF_CASE["unanswered"]
    assert isinstance(row, StepRow)
    rosa = at_the_desk(app, place)
    rosa.opens(f"/es/equipo/caso/{case}")
    step = the_day(rosa)
    assert say(row.name) in step
    assert (say("today") in step.split(say(row.name))[1][:20]) is today


def test_after_a_letter_somebody_looks_again_before_the_window_ends(app: Flask, place: Place) -> None:
    case = tells(place, FORTY_EIGHT_LEFT)
    rosa = at_the_desk(app, place)
    rosa.opens(f"/es/equipo/caso/{case}")
    rosa.presses("answer", text="Te leímos.")
    tomorrow = today(place) + timedelta(days=1)
    rosa.opens(f"/es/equipo/caso/{case}")
    assert f" · {tomorrow.day} " in the_day(rosa)
    place.clock.on(days=1)
    rosa = at_the_desk(app, place)
    assert first(rosa)[0] == alias(case)
    assert say("Due today") in first(rosa)[1]


def today(place: Place) -> date:
    return languages.local(place.clock(), place.settings.time_zone).date()
