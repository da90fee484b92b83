"""What a page may say of itself stands at its route; nothing below a page knows its name."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from reporting import app as application
from reporting.web.access.traits import Routes, read_routes
from reporting.web.setup import LANDMARKS
from tests.house.figures import Module, imports_of, modules

ABOVE = ("reporting.pages", "referrals.pages", "reporting.app", "reporting.operations", "reporting.cli")
WEB = "reporting.web"
FORM = re.compile(r"\b(\w+Form)\(\)")


@pytest.fixture(scope="module")
def app() -> Flask:
    """Every page, without an installation behind it."""
    app = Flask("pages", static_folder=None)
    for blueprint in application._blueprints():  # noqa: SLF001 -- the application's own way to them
        app.register_blueprint(blueprint)
    return app


@pytest.fixture(scope="module")
def routes(app: Flask) -> Routes:
    return read_routes(app, LANDMARKS)


def strings(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def below() -> list[Module]:
    return [module for module in modules() if not module.name.startswith(ABOVE)]


def test_no_module_below_the_pages_names_a_page_not_even_as_a_string(app: Flask) -> None:
    homes = {endpoint: view.__module__ for endpoint, view in app.view_functions.items()}
    named = {
        (module.name, text)
        for module in below()
        for text in strings(module)
        if homes.get(text, module.name) != module.name
    }
    assert not named


def test_no_module_of_the_web_names_a_blueprint_of_the_pages(app: Flask) -> None:
    theirs = {name for name, found in app.blueprints.items() if not found.import_name.startswith(WEB)}
    named = {
        (module.name, text)
        for module in below()
        if module.name.startswith(WEB)
        for text in strings(module)
        if text.partition(".")[0] in theirs and " " not in text
    }
    assert len(theirs) > 5
    assert not named


def test_every_page_of_the_real_application_says_what_it_has_to(app: Flask, routes: Routes) -> None:
    assert routes.traits.keys() == app.view_functions.keys()
    assert routes.landmarks.keys() == set(LANDMARKS)


def test_a_page_takes_every_form_that_it_makes(app: Flask, routes: Routes) -> None:
    for endpoint, view in app.view_functions.items():
        source, traits = inspect.getsource(inspect.unwrap(view)), routes.traits[endpoint]
        if traits.forms:
            known = {getattr(form, "__name__", form) for form in traits.forms}
            assert set(FORM.findall(source)) <= known, f"{endpoint} makes a form that it does not take"


def test_nothing_moves_a_clock_but_a_practice_which_only_its_own_command_makes(app: Flask) -> None:
    assert "practice" not in app.blueprints
    assert not [rule for rule in app.url_map.iter_rules() if "practica" in rule.rule]
    practice = {
        "reporting.operations.practice",
        "reporting.operations.practice_pages",
        "reporting.operations.how_it_went",
    }
    known = {module.name for module in modules()}
    assert practice <= known
    for name in practice:
        assert {module.name for module in modules() if name in imports_of(module, known)} <= {
            *practice,
            "reporting.cli.demo",
        }
    asked = {module.name for module in modules() if "staff_sessions.go_on" in ast.unparse(module.tree)}
    assert asked == {"reporting.operations.practice"}
