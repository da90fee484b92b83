"""The same browser once more: a second and a third visit, and the tabs that come back after it was killed.

A browser knows more at the second visit than at the first; what protected a page only once is no protection.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browsers import Chromium, Firefox, Window, held, until
from tests.in_a_browser import WORDS, Her, Site, is_written
from tests.trips import say

START = say("We are with you.")


# ── left by another address ─────────────────────────────────────────────────────────────────────────────────


def test_a_page_that_does_only_the_usual_comes_back_unasked(player: Any, site: Site, tmp_path: Path) -> None:
    with held(Chromium(player, tmp_path / "profile")) as window:
        window.goes_to(f"{site.elsewhere}/kept")
        window.goes_to(f"{site.elsewhere}/away")
        before = len(site.asked_elsewhere.answers)
        assert WORDS in window.goes("back")
        assert site.asked_elsewhere.since(before) == []


def test_at_every_visit_and_after_a_restart_back_asks_for_a_page_that_was_typed_into(
    player: Any, site: Site, tmp_path: Path
) -> None:
    asked = []
    for visits in (2, 1):  # between them the browser is closed and opened again
        with held(Chromium(player, tmp_path / "profile")) as window:
            asked += [_left_by_an_address(Her(window, site)) for _ in range(visits)]
            window.close()
    for page, *others in asked:
        assert page.startswith("GET /es/p/")
        assert others == ["GET /es/volver", "GET /es/"]


def _left_by_an_address(her: Her) -> list[str]:
    """She types into a page of her trip, the box for a code and the start page. What Back asks for, of each."""
    her.begins()
    her.marks(age="A25_34")
    her.goes_on()
    her.window.fills("input[name=number]", "5")
    asked = _away_and_back(her)
    for place in ("/es/volver", "/es/"):
        her.window.goes_to(f"{her.site.address}{place}")
        her.window.fills("#f-code", WORDS)
        asked += _away_and_back(her)
    return asked


def _away_and_back(her: Her) -> list[str]:
    her.window.goes_to(f"{her.site.elsewhere}/away")
    before = len(her.site.asked.answers)
    her.window.goes("back")
    return her.site.asked.since(before)


# ── killed, and opened again ────────────────────────────────────────────────────────────────────────────────


def chromium_again(request: pytest.FixtureRequest, folder: Path) -> Window:
    return Chromium(request.getfixturevalue("player"), folder, restored=folder.exists())


def firefox_again(_request: pytest.FixtureRequest, folder: Path) -> Window:
    return Firefox(folder, scripts=True)


@pytest.mark.parametrize(("opens", "lives"), [(chromium_again, 3), (firefox_again, 2)], ids=["Chromium", "Firefox"])
def test_a_killed_browser_brings_back_her_page_while_she_is_there_and_nothing_after(
    request: pytest.FixtureRequest, site: Site, tmp_path: Path, opens: Callable[..., Window], lives: int
) -> None:
    folder, shown = tmp_path / "profile", []
    for does, later in LIVES[:lives]:
        is_first = not folder.exists()
        with held(opens(request, folder)) as window:
            shown += [] if is_first else [_what_is_there(window, site)]
            does(Her(window, site))
            is_written(window)
        site.clock.on(**later)
    with held(opens(request, folder)) as window:
        shown.append(_what_is_there(window, site))
    assert WORDS in shown[0][0], "while she is there"
    assert not [page for pages in shown[1:] for page in pages if WORDS in page]
    assert any(START in page for page in shown[1]), "after the exit"


def _what_is_there(window: Window, site: Site) -> list[str]:
    """What a browser shows that was killed and opened again: of itself, and on every way."""
    until(lambda: window.here().startswith("http"), "the tab is back")
    before = len(site.asked.answers)
    shown = [window.reads(), *(window.goes(way) for way in ("reload", "back", "reload", "back", "forward"))]
    assert any(one.startswith("GET /es/p/") for one in site.asked.since(before)), "nobody came near her page"
    return shown


def tells_and_leaves(her: Her) -> None:
    her.tells_in_words()
    her.leaves()


# what she does before the browser is killed, and how much later it is opened again
LIVES: list[tuple[Callable[[Her], None], dict[str, int]]] = [
    (Her.tells_in_words, {}),
    (tells_and_leaves, {}),
    (Her.tells_in_words, {"minutes": 16}),
]
