"""A guide on paper: as few sheets as it needs, nothing on it that can only be pressed, no heading left behind."""

from __future__ import annotations

from typing import Any, Final

import pytest
from flask import Flask

from reporting.teams.team_log import ADVOCATE
from tests.browsers import headless
from tests.copies import Filling, with_coordinator
from tests.people import Place
from tests.server import in_this_process
from tests.trips import signs_in

# guide -> (who prints it, how many sheets of A4 it takes at most)
GUIDES: Final[dict[str, tuple[str, int]]] = {
    "/es/guia": ("", 1),
    "/es/guia/taller": ("", 1),
    "/es/guia/papel": ("", 1),
    "/es/guia/instalar": ("", 2),
    "/es/equipo/guia": ("rosa", 9),
    "/es/equipo/guia/coordinacion": ("carmen", 2),
    "/es/equipo/guia/cifras": ("ana", 1),
    "/es/equipo/guia/emergencia": ("rosa", 1),
}
SEEN = (
    """() => [...document.querySelectorAll('main *')].filter(e => e.checkVisibility({contentVisibilityAuto: true}))"""
)
PRESSED = SEEN + ".filter(e => e.matches('button, nav, .c-alone')).map(e => e.textContent)"
LEFT_BEHIND = (
    SEEN + ".filter(e => e.matches('h1, h2, h3, summary') && getComputedStyle(e).breakAfter != 'avoid').length"
)
CUT = SEEN + ".filter(e => e.matches('tr, li, figure') && getComputedStyle(e).breakInside != 'avoid').length"
# Paper is white: a colour behind words is not printed, so words have to be dark.
PALE = (
    SEEN
    + """.filter(e => [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim()))
    .filter(e => Math.max(...getComputedStyle(e).color.match(/\\d+/g).slice(0, 3).map(Number)) > 140)
    .map(e => e.textContent)"""
)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_coordinator


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_guide_on_paper_has_few_sheets_and_nothing_that_can_only_be_pressed(
    app: Flask, place: Place, player: Any
) -> None:
    place.hires("ana", ADVOCATE)
    browser = headless(player)
    with in_this_process(app) as address:
        for guide, (who, sheets) in GUIDES.items():
            context = browser.new_context(java_script_enabled=False)
            context.add_cookies([*signed_in(app, place, who, address)])
            page = context.new_page()
            page.goto(address + guide)
            page.emulate_media(media="print")
            assert page.title()
            assert page.evaluate(PRESSED) == [], guide
            assert page.evaluate(LEFT_BEHIND) == 0, guide
            assert page.evaluate(CUT) == 0, guide
            assert page.evaluate(PALE) == [], guide
            assert page.pdf(format="A4").count(b"/Type /Page\n") <= sheets, guide
            context.close()
        browser.close()


def signed_in(app: Flask, place: Place, who: str, address: str) -> list[dict[str, str]]:
    """The cookies of a member at this address; none of nobody."""
    cookie = signs_in(app, place, place.workers[who]).client.get_cookie("t") if who else None
    return [{"name": "t", "value": cookie.value, "url": address}] if cookie else []
