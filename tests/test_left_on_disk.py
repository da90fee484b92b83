"""Somebody copies the phone's disk: a browser's whole folder is searched for what she typed, ticked and was shown.

First what must be found, or the rest would prove nothing: Chromium keeps the body of a POST that was answered with a
page. Chromium is searched with scripts off and on, Firefox with scripts on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import disk
from tests.browsers import Chromium, Firefox, Window, held, until
from tests.needs_of_tests import requires
from tests.walking import HALF, LETTER, TYPED, WORDS, Her, Site, a_site, signs_in

Opened = Callable[..., Window]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("disk")) as made:
        yield made


@pytest.fixture(scope="module")
def player() -> Iterator[Any]:
    requires("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as one:
        yield one


def _chromium(player: Any, folder: Path, **how: bool) -> Window:
    return Chromium(player, folder, **how)


@pytest.fixture(params=["Chromium, scripts off", "Chromium, scripts on", "Firefox"])
def window(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Window]:
    if request.param == "Firefox":
        requires("firefox")
        opened: Window = Firefox(tmp_path / "profile", scripts=True)
    else:
        opened = Chromium(
            request.getfixturevalue("player"), tmp_path / "profile", scripts=request.param.endswith("on")
        )
    with held(opened):
        yield opened


def is_written(window: Window) -> None:
    """Wait until the browser has put the page she is on into its list of open tabs: it does so seconds later."""
    here = window.here()
    until(lambda: any("ession" in line for line in disk.found(window.folder, [here])), f"{here} is in the session file")


# ── what a trip leaves ──────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_that_does_only_the_usual_leaves_what_was_typed(
    player: Any, site: Site, tmp_path: Path
) -> None:
    with held(Chromium(player, tmp_path / "profile")) as window:
        window.goes_to(f"{site.elsewhere}/ask")
        window.fills("textarea", LETTER)
        window.presses("button")
        is_written(window)
        window.goes_to(f"{site.elsewhere}/away")
        window.close()
        assert [line for line in disk.found(window.folder, [LETTER]) if "Sessions/Session_" in line]


def killed_in_the_middle(her: Her) -> None:
    her.tells()
    her.window.fills("textarea[name=narrative]", HALF)
    is_written(her.window)
    her.window.kill()


def sent_and_visited(her: Her) -> None:
    her.sends()
    her.window.presses("button[value=noted]")
    her.comes_back("palabra que nadie conoce")
    her.comes_back()
    her.writes(LETTER)
    assert LETTER in her.window.reads()
    is_written(her.window)
    her.leaves()
    her.window.close()


def killed_with_the_receipt_before_her(her: Her) -> None:
    her.sends()
    is_written(her.window)
    her.window.kill()


def left_by_the_exit(her: Her) -> None:
    her.tells_in_words()
    is_written(her.window)
    her.leaves()
    her.window.close()


def looked_for_help(her: Her) -> None:
    her.looks_for_help("N_FORENSIC")
    is_written(her.window)
    her.window.close()


@pytest.mark.parametrize(
    "does",
    [killed_in_the_middle, sent_and_visited, killed_with_the_receipt_before_her, left_by_the_exit, looked_for_help],
    ids=lambda does: does.__name__,
)
def test_nothing_of_hers_lies_in_the_folder_of_her_browser(
    window: Window, site: Site, does: Callable[[Her], None]
) -> None:
    her = Her(window, site)
    does(her)
    assert disk.found(window.folder, [*her.markers(), "N_FORENSIC"]) == []


def told_by_telephone(her: Her) -> None:
    """A case worker writes down what somebody tells her, signs out and closes the browser."""
    signs_in(her.window, her.site)
    her.window.goes_to(f"{her.site.address}/es/equipo/voz")
    her.marks(safety="S_WEAPON", danger="D_STRANGLED")
    her.goes_on_to("violence")
    her.marks(violence="PHYSICAL_ASSAULT")
    her.goes_on_to("narrative")
    her.window.fills("textarea[name=narrative]", WORDS)
    her.goes_on()
    her.window.presses("button[value=send]")
    her.reads_her_code()
    is_written(her.window)
    her.window.presses("header form button, form[action$='/salir'] button")
    her.window.close()


def test_nothing_of_what_was_told_by_telephone_lies_in_the_browser_of_the_desk(window: Window, site: Site) -> None:
    her = Her(window, site)
    told_by_telephone(her)
    assert disk.found(window.folder, [*her.markers(), site.place.workers["rosa"].password]) == []


# ── what it cannot keep from leaving ────────────────────────────────────────────────────────────────────────


def test_where_the_line_was_cut_what_was_sent_last_lies_in_the_list_of_tabs_and_nowhere_else(
    player: Any, site: Site, tmp_path: Path
) -> None:
    with held(Chromium(player, tmp_path / "profile")) as window:
        her = Her(window, site)
        her.tells()
        window.fills("textarea[name=narrative]", WORDS)
        window.offline(cut=True)
        her.goes_on()
        until(lambda: disk.found(window.folder, [WORDS]), "the browser's own page is in the session file", 10)
        window.kill()
        seen = disk.found(window.folder, TYPED)
        assert {line.split(" (")[0] for line in seen} == {f"{WORDS}: Default/Sessions/Session_*"}
