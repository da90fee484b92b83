"""Each trait of a route does what it says, and a route that leaves one out does not start."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Blueprint, Flask, abort
from wtforms import Form, PasswordField

from reporting import app as application
from reporting.app import create_app
from reporting.web import limits
from reporting.web.access.audience import HERS, Pages
from reporting.web.access.traits import (
    NO_FORM,
    SIGN_IN,
    START,
    BadRoute,
    compressible,
    endpoint_of,
    is_the,
    limited,
    may_be_sent_again,
    public_figures,
    read_routes,
    takes,
    url_of,
    waits_its_turn,
)
from reporting.web.limits import CODES, TURNING
from tests.people import Place
from tests.phone import PRESSED, Phone, forms_on
from tests.trips import say

Trait = Callable[[Any], Any]
WITH_GZIP = {"Accept-Encoding": "gzip"}


class PasswordAsked(Form):  # type: ignore[misc]
    password = PasswordField()


def pages(audience: str = HERS, limit: str = TURNING) -> Pages:
    return Pages("trial", __name__, audience, limit=limit)


def with_route(blueprint: Blueprint, method: str, *traits: Trait, name: str = "page") -> Blueprint:
    def view(**_parts: str) -> str:
        return "<p>a page</p>"

    view.__name__ = view.__qualname__ = name  # a limit belongs to a function's name
    for trait in traits:
        view = trait(view)
    blueprint.add_url_rule(f"/<lang>/trial/{name}", name, view, methods=[method])
    return blueprint


def reads(blueprint: Blueprint, landmarks: Sequence[str] = ()) -> None:
    app = Flask("trial", static_folder=None)
    app.register_blueprint(blueprint)
    read_routes(app, landmarks)


# ── what does not start ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("blueprint", "method", "traits", "sentence"),
    [
        (Blueprint("trial", __name__), "GET", (), "for whom"),
        (pages(audience=""), "GET", (), "for whom"),
        (pages(limit=""), "GET", (), "has no limit"),
        (pages(), "POST", (), "with which form"),
        (pages(), "DELETE", (), "with which form"),
        (pages(), "GET", (takes(NO_FORM),), "takes no POST"),
        (pages(), "POST", (takes(NO_FORM, PasswordAsked),), "no form and one"),
        (pages(), "GET", (may_be_sent_again,), "takes no POST"),
        (pages(), "POST", (takes(PasswordAsked), may_be_sent_again), "asks for a password"),
        (pages(), "POST", (takes(NO_FORM), compressible), "answers no GET"),
        (pages(), "GET", (waits_its_turn,), "takes no POST"),
    ],
)
def test_a_route_that_leaves_a_trait_out_is_named_and_nothing_starts(
    blueprint: Blueprint, method: str, traits: Sequence[Trait], sentence: str
) -> None:
    with pytest.raises(BadRoute, match=rf"The route trial\.page .*{sentence}"):
        reads(with_route(blueprint, method, *traits))


def test_a_landmark_is_one_page_and_there() -> None:
    with pytest.raises(BadRoute, match="No route says that it is: start"):
        reads(with_route(pages(), "GET"), [START])
    twice = with_route(with_route(pages(), "GET", is_the(START)), "GET", is_the(START), name="other")
    with pytest.raises(BadRoute, match=r"Both .*start"):
        reads(twice, [START])


def test_a_route_that_says_everything_starts() -> None:
    reads(with_route(pages(), "POST", takes(NO_FORM), may_be_sent_again, limited(CODES)))
    reads(with_route(pages(limit=""), "GET", limited(CODES), compressible, public_figures, is_the(START)), [START])


# ── in the application ──────────────────────────────────────────────────────────────────────────────────────


def app_with(monkeypatch: pytest.MonkeyPatch, place: Place, blueprint: Blueprint) -> Flask:
    ours = list(application._blueprints())  # noqa: SLF001 -- one more beside the application's own
    monkeypatch.setattr(application, "_blueprints", lambda: [*ours, blueprint])
    return create_app(place.settings, place.clock)


def test_the_application_does_not_start_with_a_route_that_is_not_limited(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    with pytest.raises(BadRoute, match=r"trial\.page has no limit"):
        app_with(monkeypatch, place, with_route(pages(limit=""), "GET"))


def test_the_application_does_not_start_with_a_limit_that_nobody_has_set(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    with pytest.raises(BadRoute, match="'thinking'"):
        app_with(monkeypatch, place, with_route(pages(), "GET", limited("thinking")))


def test_routes_that_count_as_the_same_share_one_count_apart_from_the_rest(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    monkeypatch.setitem(limits.A_MINUTE, CODES, 2)
    blueprint = with_route(pages(), "GET", name="plain")
    for name in ("one", "two"):
        with_route(blueprint, "GET", limited(CODES), name=name)
    with_route(blueprint, "GET", limited(TURNING), limited(CODES, when=lambda: False), name="never")
    client = app_with(monkeypatch, place, blueprint).test_client()
    statuses = [client.get(f"/es/trial/{name}").status_code for name in ("one", "two", "one", "two")]
    assert statuses == [200, 200, 429, 429]
    assert [client.get(f"/es/trial/{name}").status_code for name in ("plain", "never") * 3] == [200] * 6


def test_only_what_is_compressible_is_compressed(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    blueprint = with_route(with_route(pages(), "GET", compressible), "GET", name="plain")
    client = app_with(monkeypatch, place, blueprint).test_client()
    packed = {
        path: client.get(path, headers=WITH_GZIP).headers.get("Content-Encoding")
        for path in ("/es/trial/page", "/es/trial/plain", "/es/", "/es/cifras", "/es/equipo", "/es/reglas")
    }
    assert [path for path, how in packed.items() if how == "gzip"] == ["/es/trial/page", "/es/", "/es/cifras"]
    assert client.get("/es/").headers.get("Content-Encoding") is None
    assert client.post("/salir", headers=WITH_GZIP).headers.get("Content-Encoding") is None


def test_only_what_may_be_sent_again_is_sealed_into_the_page_of_trouble(
    monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    blueprint = pages()
    for name, traits in (("again", (may_be_sent_again,)), ("once", ())):
        with_route(blueprint, "POST", takes(NO_FORM), *traits, name=name)
    app = app_with(monkeypatch, place, blueprint)
    for name in ("again", "once"):
        app.view_functions[f"trial.{name}"] = lambda **_parts: abort(503)
    client = app.test_client()
    box = next(form for form in forms_on(client.get("/es/").text) if "t" in form.values)
    sealed = []
    for name in ("again", "once"):
        answer = client.post(f"/es/trial/{name}", data={"t": box.values["t"]})
        assert answer.status_code == 503
        sealed += [name for form in forms_on(answer.text) if "again" in form.values]
    assert sealed == ["again"]


def test_public_figures_are_on_their_host_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    place.settings = place.settings.with_changes(figures_host="figures.example")
    blueprint = with_route(with_route(pages(), "GET", public_figures), "GET", name="plain")
    client = app_with(monkeypatch, place, blueprint).test_client()
    statuses = [
        client.get(f"/es/trial/{name}", headers={"Host": host}).status_code
        for host in ("figures.example", "localhost")
        for name in ("page", "plain")
    ]
    assert statuses == [200, 404, 404, 200]


def test_a_landmark_is_found_by_what_it_is(place: Place) -> None:
    app = create_app(place.settings, place.clock)
    with app.test_request_context("/es/"):
        app.preprocess_request()
        assert (url_of(START), url_of(SIGN_IN)) == ("/es/", "/es/equipo")
        assert app.view_functions[endpoint_of(SIGN_IN)].__name__ == "sign_in"
    phone = Phone(app)
    phone.opens("/es/equipo/casos")
    assert say("Password") in phone.words, "whoever is not signed in is led to the sign-in"
    led = app.test_client().post("/es/contar", data={"go": "back"}, headers=PRESSED)
    assert re.search(r"/es/p/", led.headers["Location"]), "an old page leads to the start, under a name"
