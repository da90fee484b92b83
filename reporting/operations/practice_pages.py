"""The page of a practice, for whoever leads it: its clock, who signs in with which digits, and how it went.

It is no page of an installation: only `application` adds it, and `create_app` finds no blueprint in this package.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from reporting.app import create_app
from reporting.clock import HOUR, MINUTE
from reporting.config import Settings
from reporting.operations.how_it_went import how_it_went
from reporting.operations.practice import Practice
from reporting.web.access.audience import ANYBODY, Pages
from reporting.web.access.auth import cookie_name
from reporting.web.access.traits import takes
from reporting.web.context import render_template
from reporting.web.forms import OpenForm, button
from reporting.web.limits import TURNING

blueprint = Pages("practice", __name__, ANYBODY, limit=TURNING)
MOVES: Final = {"minutes": 10 * MINUTE, "hour": HOUR, "three-hours": 3 * HOUR}  # button -> seconds
NAME: Final = "amparo.practice"


class MoveForm(OpenForm):
    """Which way the clock is moved; all of it is in the button."""


def application(settings: Settings, practice: Practice) -> Flask:
    """The application of a practice: the real one by another clock, and one page more."""
    app = create_app(settings, practice.clock, [blueprint])
    app.extensions[NAME] = practice
    app.before_request(_catch_up)
    app.after_request(_note)
    app.context_processor(_for_every_page)
    return app


def _here() -> Practice:
    practice: Practice = current_app.extensions[NAME]
    return practice


def _catch_up() -> None:
    """What has to be there by now is, before any page is made; and nobody is signed out by a clock that was moved."""
    _here().bring()
    _here().go_on(request.cookies.get(cookie_name(), ""))


def _note(response: Response) -> Response:
    if "keys" in g:
        _here().look()
    return response


def _for_every_page() -> dict[str, Any]:
    return {"practice_time": _here().time}


@blueprint.get("/<lang>/practica")
def page() -> ResponseReturnValue:
    """The clock and its buttons, how many have come, the digits of each person, how it went so far."""
    practice = _here()
    return render_template(
        "practice/page.html",
        digits=practice.digits(),
        came=len(practice.came),
        left=len(practice.waiting),
        went=how_it_went(practice),
    )


@blueprint.post("/<lang>/practica")
@takes(MoveForm)
def move() -> ResponseReturnValue:
    """The clock goes on: to the next that comes, or by so much."""
    practice, pressed = _here(), button()
    if MoveForm().validate_on_submit():
        if pressed == "next":
            practice.bring_next()
        practice.clock.on(MOVES.get(pressed, 0))
    return redirect(url_for("practice.page", lang=g.lang), 303)
