"""The sites that are walked over, the browser, and what came of a walk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reporting.teams.team_log import CASE_WORKER, STATISTICS
from tests.browsers import headless
from tests.copies import rosa_vouches_for
from tests.needs_of_tests import requires
from tests.pages.every_page.walk import FLAGS, TEAM, WALKS, Seen, Sites, served, walk_over


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    requires("chromium")
    folder = tmp_path_factory.mktemp("sites")
    with served(folder / "running", PLAN_REVIEW="1") as running, served(folder / "new", PRACTICE="1") as new:
        for name, role in TEAM.items():
            running.place.hires(name, role)
        running.place.lets_in(running.place.signs_in("rosa"), "ana", STATISTICS)
        rosa_vouches_for(running.place, "carmen")
        running.place.hires("olga", CASE_WORKER, new_team="Casa Amiga")
        running.place.vouches(running.place.signs_in("rosa"), "Casa Amiga")
        running.place.hires("pita", CASE_WORKER, new_team="Otra Casa")
        yield Sites(running, new)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    requires("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        yield headless(player, FLAGS)


@pytest.fixture(scope="class")
def seen(sites: Sites, browser: Any, request: pytest.FixtureRequest) -> Seen:
    """What came of a walk through all scenes, in the look of the class."""
    return walk_over(browser, sites, WALKS[request.cls.look])
