"""How long a trip takes on a slow line: `python -m tests.slow_line`. Bytes and seconds, step by step, in Chromium.

50 kbit/s and 400 ms there and back, made by the browser itself. A figure to read, not a test.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.browsers import headless
from tests.in_a_browser import BEGIN, NEXT, a_site

BITS, WAIT = 50_000, 400  # a second; milliseconds


class Wire:
    """What travels, headers and all, as the browser counts it."""

    def __init__(self, tools: Any) -> None:
        self.up = self.down = self.requests = 0
        tools.send("Network.enable")
        speed = BITS / 8
        tools.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": WAIT,
                "downloadThroughput": speed,
                "uploadThroughput": speed,
            },
        )
        tools.on("Network.loadingFinished", lambda told: self._add(told["encodedDataLength"]))
        tools.on("Network.requestWillBeSent", self._sent)
        tools.on("Network.requestWillBeSentExtraInfo", self._heads)

    def _add(self, size: float) -> None:
        self.down += int(size)
        self.requests += size > 0  # what the browser had kept costs nothing

    def _sent(self, told: Any) -> None:
        self.up += len(told["request"].get("postData", ""))
        if "redirectResponse" in told:
            self._add(told["redirectResponse"]["encodedDataLength"])

    def _heads(self, told: Any) -> None:
        self.up += sum(len(name) + len(value) + 4 for name, value in told["headers"].items())


def timed(name: str, wire: Wire, does: Any) -> tuple[str, int, int, int, float]:
    """One step: its name, requests, bytes up and down, seconds until the page stands."""
    before, start = (wire.requests, wire.up, wire.down), time.monotonic()
    does()
    took = time.monotonic() - start
    return name, wire.requests - before[0], wire.up - before[1], wire.down - before[2], took


def trip(page: Any, address: str, wire: Wire) -> list[tuple[str, int, int, int, float]]:
    """From the page before the first question to the receipt, passing over most questions."""

    def pressed(where: str) -> Any:
        def does() -> None:
            with page.expect_navigation(wait_until="load", timeout=60_000):
                page.locator(where).first.click()

        return does

    rows = [
        timed("before", wire, lambda: page.goto(f"{address}/es/antes", timeout=60_000)),
        timed("begin", wire, pressed(BEGIN)),
    ]
    rows += [timed(f"page {number}", wire, pressed(NEXT)) for number in range(1, 8)]
    return [*rows, timed("send", wire, pressed("button[value=send]"))]


def main() -> None:
    """Print a table."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, a_site(Path(folder)) as site, sync_playwright() as player:
        browser = headless(player)
        page = browser.new_context(java_script_enabled=False, locale="es-PE").new_page()
        wire = Wire(page.context.new_cdp_session(page))
        rows = trip(page, site.address, wire)
        with suppress(Exception):
            browser.close()
    totals = ("all", *map(sum, list(zip(*rows, strict=True))[1:]))
    lines = [f"{name:<10}{asked:>10}{up:>10}{down:>10}{took:>10.2f}" for name, asked, up, down, took in [*rows, totals]]
    head = f"{'step':<10}{'requests':>10}{'up':>10}{'down':>10}{'seconds':>10}"
    print("\n".join([f"{BITS // 1000} kbit/s, {WAIT} ms", head, *lines]))  # noqa: T201 -- figures to read


if __name__ == "__main__":
    main()
