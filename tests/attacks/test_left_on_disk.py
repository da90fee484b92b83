"""Somebody copies the phone's disk: a browser's whole folder is searched for what she typed, ticked and was shown.

First what must be found, or the rest would prove nothing: Chromium keeps the body of a POST that was answered with a
page. Chromium is searched with scripts off and on, Firefox with scripts on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import disk
from tests.browsers import Chromium, Firefox, Window, held, until
from tests.in_a_browser import HALF, LETTER, NEED, NEXT, TYPED, WORDS, Her, Site, is_written, signs_in
from tests.trips import say

WITHOUT, WITH_SCRIPTS, FIREFOX = "Chromium, scripts off", "Chromium, scripts on", "Firefox"


@pytest.fixture
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Window]]:
    """Open a browser on a folder of its own."""
    with ExitStack() as kept:

        def opened(which: str) -> Window:
            if which == FIREFOX:
                return kept.enter_context(held(Firefox(tmp_path / "profile", scripts=True)))
            player = request.getfixturevalue("player")
            return kept.enter_context(held(Chromium(player, tmp_path / "profile", scripts=which == WITH_SCRIPTS)))

        yield opened


# ── what a trip leaves ──────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_that_does_only_the_usual_leaves_what_was_typed(player: Any, site: Site, tmp_path: Path) -> None:
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


def killed_with_the_receipt_before_her(her: Her) -> None:
    her.sends()
    is_written(her.window)
    her.window.kill()


def visited(her: Her) -> None:
    her.sends()
    her.window.presses("button[value=noted]")
    her.comes_back("palabra que nadie conoce")
    her.comes_back()
    her.writes(LETTER)
    assert LETTER in her.window.reads()
    is_written(her.window)


def visited_and_closed(her: Her) -> None:
    visited(her)
    her.window.close()


def left_by_the_exit(her: Her) -> None:
    her.tells_in_words()
    is_written(her.window)
    her.leaves()
    her.window.close()


def looked_for_help(her: Her) -> None:
    her.looks_for_help(NEED)
    is_written(her.window)
    her.window.close()


def told_by_telephone(her: Her) -> None:
    """A case worker writes down what somebody tells her, and signs out."""
    signs_in(her.window, her.site)
    her.window.goes_to(f"{her.site.address}/es/equipo/voz")
    her.goes_on_to("safety")
    her.marks(safety="S_WEAPON", danger="D_STRANGLED")
    her.goes_on_to("violence")
    her.marks(violence="PHYSICAL_ASSAULT")
    her.goes_on_to("narrative")
    her.window.unfolds("details:has(textarea[name=narrative]) summary")
    her.window.fills("textarea[name=narrative]", WORDS)
    her.goes_on()
    her.window.presses("button[value=send]")
    her.reads_her_code()
    is_written(her.window)
    her.window.presses("form[action$='/equipo/salir'] button")


def told_by_telephone_and_closed(her: Her) -> None:
    told_by_telephone(her)
    her.window.close()


def one_after_the_other(her: Her) -> None:
    visited(her)
    her.leaves()
    her.looks_for_help(NEED)
    her.tells_in_words()
    her.leaves()
    told_by_telephone(her)
    killed_in_the_middle(her)


CASES = [
    *(
        (does, WITHOUT)
        for does in (
            killed_in_the_middle,
            killed_with_the_receipt_before_her,
            visited_and_closed,
            left_by_the_exit,
            looked_for_help,
            told_by_telephone_and_closed,
        )
    ),
    (one_after_the_other, WITH_SCRIPTS),
    (one_after_the_other, FIREFOX),
]


@pytest.mark.parametrize(
    ("does", "browser"),
    [pytest.param(does, browser, id=f"{does.__name__}, {browser}") for does, browser in CASES],
)
def test_nothing_of_hers_lies_in_the_folder_of_the_browser(
    opens: Callable[[str], Window], site: Site, browser: str, does: Callable[[Her], None]
) -> None:
    her = Her(opens(browser), site)
    does(her)
    seen = disk.found(her.window.folder, [*her.markers(), site.place.workers["rosa"].password])
    assert not seen, "\n".join(["found:", *seen])


# ── what it cannot keep from leaving ────────────────────────────────────────────────────────────────────────


def test_where_the_line_was_cut_what_was_sent_last_lies_in_the_list_of_tabs_alone_and_a_page_says_so(
    player: Any, site: Site, tmp_path: Path
) -> None:
    with held(Chromium(player, tmp_path / "profile")) as window:
        window.goes_to(f"{site.address}/es/cuidados")
        assert say(SAID) in window.reads()
        her = Her(window, site)
        her.tells()
        window.fills("textarea[name=narrative]", WORDS)
        window.presses_without_a_line(NEXT)
        until(lambda: disk.found(window.folder, [WORDS]), "the browser's own page is in the session file", 10)
        window.kill()
        seen = disk.found(window.folder, TYPED)
        assert {line.split(" (")[0] for line in seen} == {f"{WORDS}: Default/Sessions/Session_*"}


SAID = "If a page did not load, without signal or because of an error, your browser may keep what you had just sent."
