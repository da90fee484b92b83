"""The desk on a phone of 360 x 640, in Chromium: what is urgent and its answer in two screens, ten cards in three.

A whole case in ten, the guide of the first day in eight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from referrals.needs.codes import MUST_NOTS
from referrals.pages.before_sending import SPOKEN
from reporting.app import create_app
from reporting.cases import store
from reporting.storage.database import writing
from reporting.web import assets
from tests.browsers import headless
from tests.copies import Copies, with_a_colleague
from tests.pages.test_casework import RAPE
from tests.people import Place
from tests.phone import Phone
from tests.stories import day_of_cases
from tests.trips import say, signs_in

SCREEN = 640
LONG = "Me agarró del cuello y no podía respirar. Tengo miedo de que vuelva. No sé a quién decirle. " * 3
CONTACT = {"channel": "CALL", "number_to_call": "987 111 222", "safe_hours": "de 3 a 5"}
WORST = replace(RAPE, hours=(20.0, 20.0), flags=frozenset({"D_STRANGLED", "S_PERP_NEAR"}))
HEIGHT = "document.documentElement.scrollHeight"
ROOM_ABOVE = 72  # px: what the page leaves above a heading that a link leads to
NOTICE = "Object.assign(document.createElement('p'), {className: 'c-notice', textContent: text})"
BELOW = "found => found && Math.round(found.getBoundingClientRect().bottom + scrollY)"


@pytest.fixture(scope="module")
def place(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    there = copies.copy(tmp_path_factory.mktemp("phone") / "instance", with_a_colleague)
    day_of_cases.filed(there, 2)
    yield there
    there.engine.dispose()


@pytest.fixture(scope="module")
def window() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as player:
        browser = headless(player)
        yield browser.new_context(viewport={"width": 360, "height": SCREEN}).new_page()
        browser.close()


@pytest.fixture
def rosa(place: Place) -> Phone:
    return signs_in(create_app(place.settings, place.clock), place, place.workers["rosa"])


def shows(window: Any, desk: Phone, address: str) -> Any:
    desk.opens(address)
    window.set_content(desk.text.replace("</head>", f"<style>{assets.served('style.css').decode()}</style></head>"))
    return window


def case_of(place: Place, *, wrote: bool) -> int:
    """The worst case, told just now; `wrote`: with a long letter of hers since."""
    receipt = place.receives(WORST, LONG, contact=CONTACT, consents=frozenset({"C_LETTERS", "C_CONTACT"}))
    if wrote:
        with writing(place.engine) as db:
            store.write_as_reporter(db, place.comes_back(receipt), LONG, place.clock())
    return place.comes_back(receipt).case


@pytest.mark.parametrize("wrote", [False, True])
@pytest.mark.parametrize("taken", [False, True])
def test_the_danger_its_signs_and_the_answer_lie_within_two_screens(
    place: Place, rosa: Phone, window: Any, *, taken: bool, wrote: bool
) -> None:
    case = case_of(place, wrote=wrote)
    rosa.opens(f"/es/equipo/caso/{case}")
    if taken:
        rosa.presses("assign")
    page = shows(window, rosa, f"/es/equipo/caso/{case}")
    danger = page.locator(".case-danger")
    assert danger.evaluate(BELOW) <= SCREEN
    assert "Peligro ahora · Peligro médico" in danger.inner_text()
    assert "me apretaron el cuello" in danger.inner_text()
    assert page.locator("#tried>summary").evaluate(BELOW) <= 2 * SCREEN
    buttons = page.locator(".case-to-her .o-actions:not(details *) button:not([value$=-next])")
    assert buttons.count() == (1 if taken else 2)
    assert max(buttons.nth(number).evaluate(BELOW) for number in range(buttons.count())) <= 2 * SCREEN


def test_a_whole_case_with_a_letter_of_hers_lies_within_ten_screens_and_hides_nothing_urgent(
    place: Place, rosa: Phone, window: Any
) -> None:
    page = shows(window, rosa, f"/es/equipo/caso/{case_of(place, wrote=True)}")
    assert page.evaluate(HEIGHT) <= 10 * SCREEN
    urgent = page.locator(".c-clock").filter(has_text=re.compile("Ahora|En 24 horas|quedan"))
    assert urgent.count() >= 5
    assert all(urgent.nth(number).is_visible() for number in range(urgent.count()))
    assert all(page.get_by_text(say(MUST_NOTS[code])).is_visible() for code in ("MN_POLICE", "MN_DELAY_CARE"))


def test_the_guide_is_found_through_by_looking_at_its_headings(rosa: Phone, window: Any) -> None:
    page = shows(window, rosa, "/es/equipo/guia")
    assert page.evaluate(HEIGHT) <= 8 * SCREEN
    headings = page.locator("main :is(h2,h3,h4):not([inert] *)")  # what is inert is a picture
    assert all(headings.nth(number).is_visible() for number in range(headings.count()))


@pytest.mark.parametrize("tab", ["today", "waits", "open"])
def test_ten_cards_lie_within_three_screens(rosa: Phone, window: Any, tab: str) -> None:
    page = shows(window, rosa, f"/es/equipo/casos?folder={tab}")
    assert page.locator(".queue-list>li").nth(9).evaluate(BELOW) <= 3 * SCREEN


def test_what_is_said_after_an_act_takes_two_lines_and_covers_no_heading_below_it(rosa: Phone, window: Any) -> None:
    page = shows(window, rosa, "/es/equipo/casos")
    said = [say(sentence) for _, sentence, _ in SPOKEN.values()]
    page.evaluate(f"said => document.body.prepend(...said.map(text => {NOTICE}))", said)
    heights = page.locator(".c-notice").evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert len(heights) == len(said)
    assert [text for text, height in zip(said, heights, strict=True) if height > ROOM_ABOVE] == []


def test_the_first_case_of_another_place_lies_on_the_first_screen(rosa: Phone, window: Any) -> None:
    page = shows(window, rosa, "/es/equipo/casos?folder=closed")
    assert page.locator("nav [aria-current]").inner_text().startswith(say("Closed"))
    assert page.locator(".queue-list>li h2 a").first.evaluate(BELOW) <= SCREEN


def test_what_can_be_done_with_marked_cases_is_one_tap_away_as_soon_as_one_is_marked(rosa: Phone, window: Any) -> None:
    page = shows(window, rosa, "/es/equipo/casos")
    way = page.locator(".queue-to-marked a")
    assert not way.is_visible()
    page.locator(".queue-list input[type=checkbox]").first.check()
    assert way.is_visible()
    top = way.evaluate("link => link.getBoundingClientRect().top")
    assert top < SCREEN, "on the screen, with forty cards more below"


def test_no_word_of_the_guide_is_broken_on_a_phone(rosa: Phone, window: Any) -> None:
    page = shows(window, rosa, "/es/equipo/guia")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    widths = page.evaluate("[...document.querySelectorAll('main td,main th')].map(cell => cell.clientWidth)")
    assert min(width for width in widths if width) >= 300
