"""For all tests: how Hypothesis searches, that AMPARO_REQUIRE is spelt right, and what many tests stand on.

A file that needs more in its installation has a `filling` of its own; `place` is then copied from one filled so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import settings

from reporting.app import create_app
from reporting.figures import work_apart
from reporting.web.context import installation_of
from tests import worked_out_once
from tests.copies import Copies, Filling, copies_in, nothing_more
from tests.in_a_browser import Site, a_site
from tests.needs_of_tests import demanded, requires
from tests.people import Place

# No deadline: a stretched password takes its time on a busy machine. In CI the same examples every time, so
# that a change is not refused for an older weakness; at home new ones each time.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)


def pytest_configure() -> None:
    """A misspelt AMPARO_REQUIRE stops everything at once; what always comes out the same is worked out once.

    The terminal speaks English, whatever the locale of whoever runs the tests.
    """
    os.environ["LC_ALL"] = "C.UTF-8"
    demanded()
    worked_out_once.remember()


@pytest.hookimpl(optionalhook=True)  # without xdist nobody asks
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: some tests wait for a server, a browser or a deadline."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    """Installations that are made once in this process."""
    with copies_in(tmp_path_factory.mktemp("made-once")) as made:
        yield made


@pytest.fixture(scope="session")
def filling() -> Filling:
    """What is done in an installation before it is copied."""
    return nothing_more


@pytest.fixture
def place(copies: Copies, filling: Filling, tmp_path: Path) -> Place:
    """An installation with the directory of Peru and rosa, a case worker with keys, in a folder of its own."""
    return copies.copy(tmp_path / "instance", filling)


@pytest.fixture
def app(place: Place) -> Flask:
    """The application of `place`, by its clock."""
    app = create_app(place.settings, place.clock)
    installation_of(app).apart = work_apart.run  # to its end before the page is answered
    return app


@pytest.fixture(scope="module")
def player() -> Iterator[Any]:
    """Plays Chromium."""
    requires("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playing:
        yield playing


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Our pages and a plain site, running for a browser."""
    with a_site(tmp_path_factory.mktemp("site")) as running:
        yield running
