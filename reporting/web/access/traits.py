"""Traits of a page, said where its route is: how often, for whom, which forms, whether it may be sent once more.

The set-up reads them once at start, and a route that leaves one out does not start. Nothing below a page knows its
name: a page that others have to lead to says which landmark it is, and whoever leads there asks for the landmark.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Flask, current_app, g, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField

from reporting.errors import AmparoError

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
START, SIGN_IN = "start", "sign-in"  # landmarks: the page that anybody may look at, and the way in to the desk
NO_FORM = "no form"  # a POST that brings nothing but its address
HARMLESS = {"GET", "HEAD", "OPTIONS"}  # methods that bring no form
ROUTES = "amparo.routes"
Limits = dict[str, Callable[[], bool] | None]  # an allowance of `limits` -> when a request counts so; None is always


class BadRoute(AmparoError):
    """A route leaves out a trait, or says what cannot be; which one, and what, stands in the message."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a route says of itself, and its blueprint for it."""

    audience: str = ""
    limits: Limits = field(default_factory=dict)
    forms: tuple[Any, ...] = ()
    again: bool = False
    compressible: bool = False
    public_figures: bool = False
    slow: bool = False
    room: tuple[int, str] = (0, "")  # bytes of a file that it takes, and what is said of a larger one
    landmarks: tuple[str, ...] = ()


@dataclass(slots=True)
class Routes:
    """The traits of every endpoint, and which endpoint is which landmark."""

    traits: dict[str, Traits] = field(default_factory=dict)
    landmarks: dict[str, str] = field(default_factory=dict)
    slow: re.Pattern[str] = re.compile(r"(?!)")  # the addresses of those that wait their turn


NOTHING = Traits()  # of an address that leads nowhere


# ── what a route can say ────────────────────────────────────────────────────────────────────────────────────


def limited(allowance: str, when: Callable[[], bool] | None = None) -> Callable[[View], View]:
    """Say that requests count as this instead of what the blueprint says; several stand one above the other."""
    return lambda view: _says(view, limits=_said(view).get("limits", {}) | {allowance: when})


def takes(*forms: Any) -> Callable[[View], View]:
    """Say which forms a POST brings: their classes, or `NO_FORM`."""
    return lambda view: _says(view, forms=forms)


def is_the(landmark: str) -> Callable[[View], View]:
    """Say that this is where everybody is led who asks for the landmark."""
    return lambda view: _says(view, landmarks=(*_said(view).get("landmarks", ()), landmark))


def may_be_sent_again(view: View) -> View:
    """Say that what was typed may be sealed into a page, to be sent once more: no passwords, no words that open."""
    return _says(view, again=True)


def compressible(view: View) -> View:
    """Say that what a GET answers holds nothing of anybody's, so that its length can tell nothing."""
    return _says(view, compressible=True)


def waits_its_turn(view: View) -> View:
    """Say that a POST may stretch a password or a code, and so holds a processor for long: others are answered first.

    The web server knows it by its address, before the application does.
    """
    return _says(view, slow=True)


def public_figures(view: View) -> View:
    """Say that this is read by everybody: where the figures have a host of their own, there and nowhere else."""
    return _says(view, public_figures=True)


def takes_a_file(size: int, otherwise: str) -> Callable[[View], View]:
    """Say that its form takes a file of so many bytes, from who may use the page; `otherwise` of a larger one."""
    return lambda view: _says(view, room=(size, otherwise))


def _said(view: Callable[..., Any]) -> dict[str, Any]:
    said: dict[str, Any] = getattr(view, "traits", {})
    return said


def _says(view: View, **traits: Any) -> View:
    view.traits = _said(view) | traits  # type: ignore[attr-defined]
    return view


# ── asked during a request ──────────────────────────────────────────────────────────────────────────────────


def routes_of(app: Flask) -> Routes:
    """The traits of every route of an application."""
    routes: Routes = app.extensions[ROUTES]
    return routes


def here() -> Traits:
    """The traits of the route of this request."""
    return routes_of(current_app).traits.get(request.endpoint or "", NOTHING)


def endpoint_of(landmark: str) -> str:
    """The endpoint of the page that is this landmark."""
    return routes_of(current_app).landmarks[landmark]


def url_of(landmark: str) -> str:
    """The address of the page that is this landmark, in the language of this request."""
    return url_for(endpoint_of(landmark), lang=g.lang)


# ── read at start ───────────────────────────────────────────────────────────────────────────────────────────


def prepare(app: Flask) -> None:
    """Let requests be answered before any route is read: then they have no traits."""
    app.extensions[ROUTES] = Routes()


def read_routes(app: Flask, landmarks: Iterable[str] = ()) -> Routes:
    """The traits of every route, once all are there.

    Raises `BadRoute` when a route leaves one out, or when a landmark is no page or two.
    """
    methods: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        methods.setdefault(rule.endpoint, set()).update(rule.methods or ())
    routes = Routes({endpoint: _traits_of(app, endpoint, known) for endpoint, known in methods.items()})
    routes.slow = _addresses_of(app, {endpoint for endpoint, traits in routes.traits.items() if traits.slow})
    for endpoint, traits in routes.traits.items():
        for landmark in traits.landmarks:
            if routes.landmarks.setdefault(landmark, endpoint) != endpoint:
                raise BadRoute(f"Both {routes.landmarks[landmark]} and {endpoint} say that they are: {landmark}.")
    missing = sorted(set(landmarks) - routes.landmarks.keys())
    if missing:
        raise BadRoute(f"No route says that it is: {', '.join(missing)}.")
    app.extensions[ROUTES] = routes
    return routes


def _addresses_of(app: Flask, endpoints: set[str]) -> re.Pattern[str]:
    """What fits every address of these, and few others: a part of an address that differs may be anything."""
    rules = sorted({rule.rule for rule in app.url_map.iter_rules() if rule.endpoint in endpoints})
    return re.compile("|".join(re.sub(r"<.*?>", "[^/]+", rule) for rule in rules) or r"(?!)")


def _traits_of(app: Flask, endpoint: str, methods: set[str]) -> Traits:
    blueprint = app.blueprints.get(endpoint.rpartition(".")[0])
    said: dict[str, Any] = {
        "audience": getattr(blueprint, "audience", ""),
        "limits": getattr(blueprint, "limits", {}),
    } | _said(app.view_functions[endpoint])
    traits = Traits(**said)
    for is_wrong, sentence in _faults(traits, methods):
        if is_wrong:
            raise BadRoute(f"The route {endpoint} {sentence}")
    return traits


def _faults(traits: Traits, methods: set[str]) -> Iterator[tuple[bool, str]]:
    """(whether it is so, what is wrong then)."""
    has_form = bool(methods - HARMLESS)
    yield not traits.audience, "does not say for whom it is: its blueprint has to be `Pages` with an audience."
    yield not traits.limits, "has no limit: its blueprint says one, or the route with `limited`."
    yield has_form and not traits.forms, "takes a POST and does not say with which form: `takes`."
    yield bool(traits.forms) and not has_form, "says which form it takes and takes no POST."
    yield NO_FORM in traits.forms and len(traits.forms) > 1, "takes no form and one."
    yield traits.again and not has_form, "may be sent again and takes no POST."
    yield traits.again and any(map(_asks_a_password, traits.forms)), "may be sent again and asks for a password."
    yield traits.slow and not has_form, "waits its turn and takes no POST."
    yield traits.compressible and "GET" not in methods, "is compressible and answers no GET."


def _asks_a_password(form: Any) -> bool:
    fields = (getattr(getattr(form, name), "field_class", object) for name in dir(form))
    return any(issubclass(kind, PasswordField) for kind in fields)
