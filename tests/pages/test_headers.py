"""Headers of every route, and a title of the figures that tells nothing beside the pages of reporters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, request
from werkzeug.routing import Rule

from reporting.app import create_app
from reporting.web.access import devices
from reporting.web.access.audience import lies_at_the_desk
from tests.people import Place, a_furnished_place
from tests.trips import say

FIRM = {
    "Content-Security-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
}
FILLED = {"lang": "es", "version": "0", "name": "a", "step": "0", "token": "a", "place": "PE25", "service": "a"}


def addresses(app: Flask) -> Iterator[tuple[str, str, Rule]]:
    """(method, address, rule) of every route; what stands for something is filled with anything."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        parts = {
            name: FILLED.get(name, 1 if rule._converters[name].__class__.__name__ == "IntegerConverter" else "a")  # noqa: SLF001
            for name in rule.arguments
        }
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, adapter.build(rule.endpoint, parts, method=method), rule


def test_every_answer_of_every_route_carries_every_header(app: Flask) -> None:
    client, seen = app.test_client(), 0
    for method, address, rule in addresses(app):
        answer = client.open(address, method=method)
        missing = FIRM - set(answer.headers.keys())
        assert not missing, f"{method} {rule.rule} answers {answer.status_code} without {sorted(missing)}"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not [part for part in answer.headers["Permissions-Policy"].split(", ") if not part.endswith("=()")]
        seen += 1
    assert seen > 60
    nowhere = client.get("/nirgends")
    assert nowhere.status_code == 404
    assert not FIRM - set(nowhere.headers.keys())


def test_no_page_but_the_desks_sets_a_cookie_or_reads_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = devices._tokens  # noqa: SLF001 -- the one place where it is read
    monkeypatch.setattr(devices, "_tokens", lambda: (read.append(request.path), real())[1])
    client = app.test_client(use_cookies=False)
    for method, address, _ in addresses(app):
        answer = client.open(address, method=method, headers={"Cookie": f"d={'0' * 64}"})
        if not lies_at_the_desk(address):
            assert not answer.headers.getlist("Set-Cookie"), address
        for cookie in answer.headers.getlist("Set-Cookie"):
            assert cookie.startswith("t=") or "Path=/es/equipo" in cookie or "Path=/en/equipo" in cookie
    assert read
    assert not [path for path in read if not lies_at_the_desk(path)]


@pytest.mark.parametrize(("host", "tells"), [("", False), ("cifras.example", True)])
def test_the_title_of_the_figures_tells_nothing_on_the_host_of_reporters(
    tmp_path: Path, host: str, tells: bool
) -> None:
    place: Place = a_furnished_place(tmp_path / "instance", FIGURES_HOST=host)
    app = create_app(place.settings, place.clock)
    page = app.test_client().get("/es/cifras", base_url=f"http://{host or 'localhost'}").get_data(as_text=True)
    title = page.partition("<title>")[2].partition("</title>")[0]
    assert title == say("Violence against sex workers: figures" if tells else "Home")
