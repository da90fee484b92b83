"""A day with 302 cases, drawn by a seed: the window that closes first is seen first, and no view hides one silently."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest
from flask import Flask

from referrals.casework import queue
from referrals.pages.queue_bulk import FILTERS
from reporting.app import create_app
from reporting.cases import desk as casebook
from reporting.storage.database import reading
from tests.copies import Copies, on_engine, with_a_colleague
from tests.people import Place
from tests.phone import Phone
from tests.stories import day_of_cases
from tests.stories.day_of_cases import Day, Drawn
from tests.trips import say, signs_in

SEEDS: Final = range(1, 1 + int(os.environ.get("AMPARO_DAYS", "1")))
Shows = Callable[[Drawn], bool]


@dataclass
class Desk:
    """Rosa before her queue, and what really lies there."""

    rosa: Phone
    day: Day


@pytest.fixture(scope="module", params=[(engine, seed) for engine in ("sqlite", "postgresql") for seed in SEEDS])
def desk(request: pytest.FixtureRequest, copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    engine, seed = request.param
    folder = tmp_path_factory.mktemp("day") / "instance"
    with on_engine(engine, copies, folder, with_a_colleague) as place:
        day = day_of_cases.filed(place, seed)
        yield Desk(signs_in(create_app(place.settings, place.clock), place, place.workers["rosa"]), day)
        place.engine.dispose()


def lines(page: Phone) -> list[int]:
    """The cases of a page, in their order."""
    return [int(case) for case in re.findall(r'<h2><a href="/es/equipo/caso/(\d+)">', page.text)]


def hidden(page: Phone) -> int:
    """How many windows the page says that it does not show; 0 where it says nothing."""
    said = re.search(r"(\d+) con plazo fuera de esta vista", page.words)
    return int(said[1]) if said else 0


def test_the_window_that_closes_first_stands_in_the_first_three_lines(desk: Desk) -> None:
    desk.rosa.opens("/es/equipo/casos")
    assert desk.day.first in lines(desk.rosa)[:3]


def test_each_tab_holds_what_was_drawn(desk: Desk) -> None:
    desk.rosa.opens("/es/equipo/casos")
    held = ", ".join(f"{tab} {desk.day.count(tab, 'rosa')}" for tab in queue.TABS)
    print(f"{desk.day.count('open', 'rosa')} of {len(desk.day.cases)} cases: {held}")  # noqa: T201 -- a figure to read
    tabs = {tab: f"{say(queue.FOLDERS[tab][0])} ({desk.day.count(tab, 'rosa')})" for tab in queue.TABS}
    assert {tab: said for tab, said in tabs.items() if said not in desk.rosa.words} == {}


@pytest.mark.parametrize("tab", queue.TABS)
def test_a_tab_says_how_many_windows_it_hides_and_nothing_where_it_hides_none(desk: Desk, tab: str) -> None:
    desk.rosa.opens(f"/es/equipo/casos?folder={tab}")
    assert hidden(desk.rosa) == desk.day.windows_without(lambda one: one.lies_in(tab, "rosa"))


# what is chosen on the page, and whom it shows
CHOSEN: Final[dict[str, tuple[dict[str, str], Shows]]] = {
    "a department": ({"department": "PE25"}, lambda one: one.incident.department == "PE25"),
    "under 18": ({"minor": "1"}, lambda one: one.minor),
    "the language of every window": ({"language": "es"}, lambda one: one.language == "es"),
    "another language": ({"language": "qu"}, lambda one: one.language == "qu"),
    "who is silent for three days": ({"silence": "hers-3"}, lambda one: one.spoke >= 72),
    "what is rosa's": ({"owner": "mine"}, lambda one: one.owner == "rosa"),
    "nothing": ({}, lambda _: True),
}
NO_WINDOW_NEEDS: Final = {"need": "N_EMERG_MED"}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_filter_shows_what_was_drawn_and_says_how_many_windows_it_hides(desk: Desk, name: str) -> None:
    chosen, shows = CHOSEN[name]
    desk.rosa.opens("/es/equipo/casos?folder=open")
    desk.rosa.presses("view", **chosen)
    assert f"{desk.day.count('open', 'rosa', shows)} casos." in desk.rosa.words
    assert hidden(desk.rosa) == desk.day.windows_without(shows)


def test_a_need_that_no_window_has_first_hides_them_all_and_says_so(desk: Desk) -> None:
    desk.rosa.opens("/es/equipo/casos?folder=open")
    desk.rosa.presses("view", **NO_WINDOW_NEEDS)
    assert hidden(desk.rosa) == desk.day.windows_without(lambda _: False)


def test_every_filter_of_the_page_is_tried() -> None:
    tried = {name for chosen, _ in CHOSEN.values() for name in chosen} | {*NO_WINDOW_NEEDS}
    assert tried >= {*FILTERS}


def test_to_take_the_first_window_and_answer_it_takes_three_taps(place: Place, app: Flask) -> None:
    place.receives(replace(day_of_cases.RAPE, hours=(70.0, 70.0)), "fue anoche")
    rosa = signs_in(app, place, place.workers["rosa"])
    rosa.opens("/es/equipo/casos")
    (case,) = lines(rosa)
    rosa.walks(f"/es/equipo/caso/{case}")  # the first tap: her line
    box = rosa.form("answer")
    assert box.kinds["text"] == "textarea"  # the second: a box that no fold hides
    assert "<details" not in rosa.text.split('id="happened"')[1].split('id="f-text"')[0]
    rosa.presses("answer", text="Te leímos.")  # the third
    with reading(place.engine) as db:
        (card,), _ = casebook.queue(db, place.signs_in("rosa"))
    assert (card.owner, card.answered) == (place.workers["rosa"].id, True)
