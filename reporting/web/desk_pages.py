"""Pages of the desk that follow a POST: it is answered with 303, and the page is fetched from a random name.

A browser writes the body of every POST in its history to its disk, in the clear; one that was answered with 303 is
not among them. What a page has to say, and what was typed and must be set right, lies sealed in a row that opens with
the name and this browser's session only; the case itself is opened anew by the GET. Where no row can be written the
page itself is the answer. Knows no page.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Response, current_app, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from wtforms import PasswordField

from reporting.clock import MINUTE
from reporting.sessions.page_rows import COUNTED, CannotKeep, new_name
from reporting.teams import staff_sessions
from reporting.web.access.audience import DESK, DOOR, Pages, is_for, lies_at_the_desk
from reporting.web.access.auth import cookie_name, home_of, put_cookie, resume
from reporting.web.access.traits import SIGN_IN, url_of
from reporting.web.context import SEEN, installation
from reporting.web.errors import error_page
from reporting.web.forms import is_shown_once_more, typed_here
from reporting.web.limits import TURNING

blueprint = Pages("desk_answers", __name__, DESK, limit=TURNING)
SHOWN, SECRET_SHOWN = 15 * MINUTE, 5 * MINUTE  # seconds after the POST
FORM = "of form"
Page = Callable[..., ResponseReturnValue]
PAGES: dict[str, Page] = {}


def init_app(app: Flask) -> None:
    """Init: let every answer of the desk pass through this module."""
    app.after_request(_by_get_too)


def by_get(shown: int = SHOWN, *, bound: bool = True) -> Callable[[Page], Page]:
    """Say that a function draws a page that a POST may lead to: then the POST only says with what it is drawn.

    Its arguments are plain words and numbers, or a form with what was typed. What is not `bound` to this browser holds
    nothing that opens.
    """

    def noted(page: Page) -> Page:
        name = f"{page.__module__}.{page.__name__}"
        PAGES[name] = page

        @functools.wraps(page)
        def led(*args: Any, **parts: Any) -> ResponseReturnValue:
            if request.method != "POST":
                return page(*args, **parts)
            contents = {
                "page": name,
                "args": [_spelt(argument) for argument in args],
                "parts": {part: _spelt(value) for part, value in parts.items()},
                "query": request.args.to_dict(flat=False),
            }
            answer = _led(contents, shown, bound=bound)
            if answer is None and "otherwise" in g:
                return redirect(g.otherwise, 303)
            return answer or page(*args, **parts)

        return led

    return noted


def drawn(page: str, code: int = 200) -> ResponseReturnValue:
    """A page that is drawn already, with nothing of a case."""
    contents = {"drawn": page, "code": code}
    return (_led(contents) if request.method == "POST" else None) or make_response(page, code)


def keep(contents: dict[str, Any], name: str = "", shown: int = SHOWN, *, bound: bool = True) -> str:
    """Put down what the page of a name shows, for this session; `CannotKeep` where not. Returns the name."""
    site, token, name = installation(), _token() if bound else "", name or new_name()
    at_the_desk = bound and "keys" in g  # what is not bound may be of another member than the one who is signed in
    contents |= {"until": int(site.clock()) + shown, "desk": at_the_desk, "notice": g.get("notice", "")}
    size = COUNTED if at_the_desk else 1  # a flood at the door pushes out nothing of who is signed in
    site.rows.write(name, staff_sessions.name_of(token), "desk", contents, size, site.clock(), token.encode())
    if at_the_desk and not _is_alive(token):  # signed out meanwhile, in another tab
        site.rows.erase([staff_sessions.name_of(token)])
        raise _SignedOut(url_of(SIGN_IN))
    return name


def taken(name: str) -> dict[str, Any] | None:
    """What was put down under this name; None where it is over, or of another session."""
    site = installation()
    tokens = (_token(), "") if "token" in g or cookie_name() in request.cookies else ("",)
    contents = next((row for token in tokens if (row := site.rows.read(name, site.clock(), token.encode()))), None)
    if contents is None or site.clock() > contents["until"]:
        return None
    g.notice = contents.get("notice", "")
    return contents


def done(sentence: str, place: str, otherwise: str) -> None:
    """Say in sight, on the page that follows, what was done (a message id); it opens at this place, not at its top.

    `otherwise`: the address to go to where no page can be put down.
    """
    g.notice, g.at, g.otherwise = sentence, place or None, otherwise


def page_after(endpoint: str, sentence: str, place: str, **parts: Any) -> ResponseReturnValue:
    """The page of another endpoint, with what was done (a message id) said in sight; it opens at this place."""
    done(sentence, place, url_for(endpoint, lang=g.lang, **parts))
    page = cast("Page", current_app.view_functions[endpoint])
    return page(**parts)


class _SignedOut(RequestRedirect):
    """The redirect to the sign-in page: nothing more is shown to this session."""

    code = 303


@contextmanager
def ending(member: int, but: str = "") -> Iterator[Session]:
    """A transaction that ends the sessions of a member; what their pages showed goes with them."""
    site = installation()
    with site.writing() as db:
        gone = staff_sessions.names(db, member, but)
        yield db
    site.rows.erase(gone)


def forget() -> None:
    """Erase what the pages of this session were to show."""
    installation().rows.erase([staff_sessions.name_of(_token())])


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/<lang>/equipo/p/<name>")
def page(name: str) -> ResponseReturnValue:
    """What a POST led to. Over or foreign: the desk, or the sign-in."""
    contents = taken(name)
    keys = resume() if contents is None or contents["desk"] else None
    if contents is None or (contents["desk"] and keys is None):
        return redirect(url_for(home_of(keys), lang=g.lang) if keys else url_of(SIGN_IN), 303)
    if "drawn" in contents:
        return make_response(contents["drawn"], contents["code"])
    request.args = ImmutableMultiDict(contents["query"])
    return PAGES[contents["page"]](
        *map(_read, contents["args"]), **{part: _read(spelt) for part, spelt in contents["parts"].items()}
    )


@blueprint.get("/<lang>/equipo/espera")
def wait() -> ResponseReturnValue:
    """The page for too many requests; nothing has to be kept for it."""
    return error_page(429)


def _led(contents: dict[str, Any], shown: int = SHOWN, *, bound: bool = True) -> Response | None:
    """The redirect to the page; None where the page has to be the answer itself."""
    try:
        name = keep(contents, shown=shown, bound=bound)
    except (CannotKeep, SQLAlchemyError):
        return None
    except _SignedOut as over:  # an answer and no error: this may be the handler of one already
        return make_response(over.get_response(request.environ))
    address = url_for("desk_answers.page", lang=g.lang, name=name, _anchor=g.get("at"))
    answer = make_response(redirect(address, 303))
    is_known = not bound or "token" in g or request.cookies.get(cookie_name())
    return answer if is_known else put_cookie(answer, _token())


def _token() -> str:
    """Whom a page is for: the session, or whoever stands at the door with this browser."""
    if "token" in g:
        return str(g.token)
    if "at_the_door" not in g:
        g.at_the_door = request.cookies.get(cookie_name(), "") or os.urandom(32).hex()
    return str(g.at_the_door)


def _is_alive(token: str) -> bool:
    with installation().reading() as db:
        return staff_sessions.is_there(db, token)


# ── what a page is drawn with ───────────────────────────────────────────────────────────────────────────────


def _spelt(value: Any) -> Any:
    """A form as what was typed into it and what is wrong there; everything else as it is."""
    if not isinstance(value, FlaskForm):
        return value
    typed = typed_here(*(part.name for part in value if isinstance(part, PasswordField)))
    errors = {name: [str(error) for error in wrong] for name, wrong in value.errors.items()}
    return {FORM: _called(type(value)), "typed": typed, "errors": errors}


def _read(value: Any) -> Any:
    if not isinstance(value, dict) or FORM not in value:
        return value
    form = _forms()[value[FORM]](formdata=ImmutableMultiDict(value["typed"]))
    for name, wrong in value["errors"].items():
        form[name].errors = wrong
    return form


def _called(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@functools.cache
def _forms() -> dict[str, Callable[..., Any]]:
    forms, left = dict[str, Callable[..., Any]](), [FlaskForm]
    while left:
        kind = left.pop()
        forms[_called(kind)] = kind
        left += kind.__subclasses__()
    return forms


# ── every answer ────────────────────────────────────────────────────────────────────────────────────────────


def _by_get_too(answer: Response) -> Response:
    """A page of the desk is nobody's to keep, and no trouble is told in an answer to a POST."""
    if not lies_at_the_desk(request.path):
        return answer
    shown_once_more = is_shown_once_more() and answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    if (answer.status_code == HTTPStatus.OK or shown_once_more) and answer.mimetype == "text/html":
        answer.status_code = SEEN
    told_at_once = request.method != "POST" or "foreign" in g or "trouble" not in g
    return answer if told_at_once else _trouble(answer)


def _trouble(answer: Response) -> Response:
    try:
        known = "keys" in g or resume() is not None
    except SQLAlchemyError:
        return answer
    if not known and answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return make_response(redirect(url_for("desk_answers.wait", lang=g.lang), 303))
    if not known and not is_for(DOOR):
        return answer
    with suppress(HTTPException):
        return _led({"drawn": answer.get_data(as_text=True), "code": answer.status_code}, bound=known) or answer
    return answer
