"""Who is signed in: the session cookie, the roles a page asks for, the keys of this request.

Knows neither passwords nor cases.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from flask import Response, abort, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from reporting.teams import keyring, readers, staff_sessions, team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR, CannotOpen
from reporting.web.access import held
from reporting.web.access.traits import SIGN_IN, endpoint_of, url_of
from reporting.web.context import installation
from reporting.web.logging import note_failure

ROLES = (CASE_WORKER, COORDINATOR, ADVOCATE)  # of several the first decides where somebody arrives


def home_for(role: str) -> str:
    """The landmark where somebody with this role arrives."""
    return f"first page of a {role}"


def home_of(keys: Keys) -> str:
    """The endpoint of the first page of somebody who signed in."""
    return endpoint_of(home_for(next(role for role in ROLES if role in keys.roles)))


def cookie_name() -> str:
    """The prefix makes browsers refuse a cookie that is not Secure or not ours."""
    return "__Host-t" if installation().settings.secure else "t"


OWN_ACCOUNT = "own account"  # the landmark where a password is changed


def signed_in(
    *roles: str, before_change: bool = False
) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    """Only for people with one of these roles; everybody else is led to the sign-in page or told there is nothing.

    What somebody typed whose session has ended is not lost: `SessionOver` takes it along to the sign-in page.

    Whose password could be guessed sees only what is said to be open `before_change` of it.
    """

    def guard(page: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        @functools.wraps(page)
        def guarded(*args: object, **parts: object) -> ResponseReturnValue:
            keys = g.keys if "held" in g else resume()
            late = held.came_too_late(keys)
            if late is not None:
                return held.shown_again(late) or redirect(url_of(SIGN_IN), 303)
            if keys is None:
                return redirect(url_of(SIGN_IN), 303)
            if not set(roles) & set(keys.roles):
                abort(404)
            if keys.must_change and not before_change:
                return redirect(url_of(OWN_ACCOUNT), 303)
            return page(*args, **parts)

        guarded.roles = roles  # type: ignore[attr-defined]
        return guarded

    return guard


def resume() -> Keys | None:
    """The keys of the session that this request belongs to; it is still in use. None where there is none."""
    token = request.cookies.get(cookie_name(), "")
    try:
        g.keys = _keys_behind(token)
    except CannotOpen:
        return None
    g.token = token
    keys: Keys = g.keys
    return keys


def _keys_behind(token: str) -> Keys:
    """What a token opens. Where nothing can be noted the session goes on, so that no typed word is lost."""
    site = installation()
    try:
        with site.writing() as db:
            keys = staff_sessions.resume(db, token, site.clock())
            staff_sessions.touch(db, token, keys, site.clock())
    except SQLAlchemyError as trouble:
        note_failure(trouble)
        with site.reading() as db:
            keys = staff_sessions.resume(db, token, site.clock())
    return keys


def refresh_keys() -> Keys:
    """A member's keys as they are now: since signing in, a colleague may have let them in or made a new epoch."""
    site = installation()
    keys: Keys = g.keys
    with site.reading() as db:
        held = keyring.held_by(db, keys.private, keys.member, site.teams(db))
    if held != keys.epochs:
        g.keys = keys = replace(keys, epochs=held)
        with site.writing() as db:
            staff_sessions.refresh(db, g.token, keys, site.clock())
    return keys


def few_readers() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Casework teams of the member with one reader or none: (team, names of those left). A coordinator: of all."""
    site, keys = installation(), g.get("keys")
    if keys is None:
        return ()
    with site.reading() as db:
        teams = team_log.teams_or_none(db, site.pin)
        return readers.few(db, teams, None if COORDINATOR in keys.roles else keys.epochs)


def put_cookie(response: Response, token: str) -> Response:
    """The session cookie: this browser session only, out of reach of scripts and other sites."""
    response.set_cookie(
        cookie_name(), token, secure=installation().settings.secure, httponly=True, samesite="Strict", path="/"
    )
    return response


def take_cookie(response: Response) -> Response:
    """Sign out in the browser too."""
    response.delete_cookie(
        cookie_name(), path="/", secure=installation().settings.secure, httponly=True, samesite="Strict"
    )
    response.headers["Clear-Site-Data"] = '"cache"'  # a browser stays known (`devices`) until it is told to forget
    return response
