"""The pages in a real Chromium, with scripts off: what travels, what it weighs, what it looks like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import server
from tests.browsers import headless
from tests.needs_of_tests import requires
from tests.people import a_furnished_place
from tests.server import Server

FIRST_PAGE, WHOLE_TRIP = 6_000, 40_000  # bytes on the wire, uncompressed by us; goals, not limits
SCREENSHOTS = os.environ.get("AMPARO_SCREENSHOTS", "")  # a folder to keep pictures in


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    import time

    place = a_furnished_place(tmp_path_factory.mktemp("pages") / "instance")
    place.clock.now = time.time()
    with server.running(place.settings.instance) as started:
        yield started


@pytest.fixture
def window() -> Iterator[Any]:
    requires("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = headless(player)
        context = browser.new_context(viewport={"width": 360, "height": 640}, java_script_enabled=False, locale="es-PE")
        yield context
        browser.close()


class Wire:
    """Counts what really arrives, headers and all."""

    def __init__(self, context: Any, page: Any) -> None:
        self.bytes, self.requests = 0, []
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda told: self._add(told["encodedDataLength"]))
        session.on("Network.requestWillBeSent", lambda told: self.requests.append(told["request"]["url"]))

    def _add(self, size: float) -> None:
        self.bytes += int(size)


def picture(page: Any, name: str) -> None:
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png", full_page=True)


def test_the_first_page_is_light_and_asks_nobody_else(window: Any, running: Server, record_property: Any) -> None:
    page = window.new_page()
    wire = Wire(window, page)
    page.goto(f"{running.address}/es/", wait_until="networkidle")
    record_property("first page bytes", wire.bytes)
    print(f"first page: {wire.bytes} bytes in {len(wire.requests)} requests")  # noqa: T201 -- a figure to read
    assert all(url.startswith(running.address) for url in wire.requests)
    assert len(wire.requests) <= 3
    assert wire.bytes <= FIRST_PAGE * 1.5
    picture(page, "00-start")


def test_a_whole_trip_in_a_browser_without_script_or_cookie(window: Any, running: Server) -> None:
    page = window.new_page()
    wire = Wire(window, page)
    page.goto(f"{running.address}/es/", wait_until="networkidle")
    page.get_by_role("link", name="Contar lo que pasó").click()
    picture(page, "00-before")
    page.get_by_role("button", name="Me pasó a mí").click()
    picture(page, "01-page")
    choose(page, "in_danger", "no")
    page.get_by_text("Sexo sin permiso").click()
    choose(page, "violence", "RAPE")
    choose(page, "age", "A25_34")
    go_on(page, "02-page-with-help")
    choose(page, "when", "H24")
    choose(page, "place", "PE2501")
    choose(page, "perpetrator", "CLIENT")
    choose(page, "condom", "no")
    go_on(page, "03-page")
    choose(page, "pregnant_possible", "yes")
    choose(page, "wants", "W_HEALTH")
    page.fill("textarea[name=narrative]", "Fue en la noche.")
    go_on(page, "08-check")
    page.get_by_role("button", name="Enviar").click()
    picture(page, "09-sent")
    assert page.locator(".c-words span").count() == 7
    print(f"start to receipt: {wire.bytes} bytes in {len(wire.requests)} requests")  # noqa: T201 -- a figure to read
    assert wire.bytes <= WHOLE_TRIP * 2
    assert window.cookies() == []
    words = " ".join(page.locator(".c-words span").all_inner_texts())
    page.get_by_role("button", name="Ya la anoté", exact=True).click()
    picture(page, "10-noted")
    page.fill("#f-code", words)
    page.get_by_role("button", name="Abrir").click()
    picture(page, "11-case")
    assert "Qué bueno que volviste" in page.inner_text("h1")
    page.get_by_role("button", name="Borrar todo").click()
    picture(page, "12-erase")


def choose(page: Any, name: str, value: str) -> None:
    page.check(f"input[name={name}][value='{value}']")


def go_on(page: Any, name: str) -> None:
    page.get_by_role("button", name="Seguir", exact=True).click()
    picture(page, name)
