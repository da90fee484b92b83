"""Error pages: a neutral sentence, the lines that answer now, and what was typed sealed to be sent again.

Shows nothing of why something failed and logs nothing that somebody typed.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, g, make_response, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException

from reporting import clock
from reporting.i18n import N_
from reporting.sessions import tickets
from reporting.teams.readers import NobodyReads
from reporting.teams.team_log import BrokenChain, CannotOpen
from reporting.web import languages
from reporting.web.access.audience import HERS, is_at_the_desk, is_for
from reporting.web.access.auth import cookie_name, home_of, resume
from reporting.web.access.tickets import hidden, sealed_ticket, seeds, ticket_in
from reporting.web.access.traits import here
from reporting.web.context import installation, installation_of, render_template
from reporting.web.forms import StaffForm
from reporting.web.logging import log, note_failure
from reporting.web.requests import HEADERS, choose_language

AGAIN = "again"  # the field, and the step, of a request that can be sent once more
MAY_PASS = {429, 500, 503}  # trouble after which the very same request may go through
ERRORS = {
    400: N_("We could not understand that. Go back and try once more."),
    403: N_("That came from another page, so we did not accept it."),
    404: N_("There is nothing at this address."),
    405: N_("There is nothing at this address."),
    413: N_("That is too much at once. Send a shorter text."),
    429: N_("Many people are here right now. Wait one minute and try again. Nothing is lost."),
    500: N_("Something failed on our side. Nothing of yours was shown to anybody."),
    503: N_("This page is not open yet."),
}


NOBODY = N_(
    "Right now nobody of the team could read what you tell, so you cannot send it here. Everything else is open."
)


NO_SENDER = N_(
    "This page is not set up yet: the web server in front of it does not say who sends. Whoever looks after it finds "
    "out what to do with: amparo check"
)
NO_ROOM = N_(
    "The disk here is nearly full, so long texts have to wait. Nothing is lost: send it again later. If you cannot "
    "wait, go back and send it short now; short ones always pass, and you can add the rest with your code."
)


def unpack() -> None:
    """«Send again»: what she had typed comes back sealed in one field, as if she had typed it once more."""
    packed = request.form.get(AGAIN) if request.method == "POST" and here().again else None
    if not packed:
        return
    ticket = ticket_in(packed, "draft")
    if ticket is not None and ticket.step == AGAIN and ticket.state["path"] == request.path:
        request.form = ImmutableMultiDict(ticket.state["form"])


def http_error(error: HTTPException) -> ResponseReturnValue:
    """The error page of its status; a redirect is answered as it is."""
    if error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    return error_page(error.code or 500)


def closed(error: Exception) -> ResponseReturnValue:
    """No keys yet, keys nobody vouches for, or nobody who reads: no report is taken, in one neutral sentence."""
    if isinstance(error, BrokenChain):
        log.error("The team log does not hold: reporter pages are closed. Run `amparo check`.")
    return error_page(503, NOBODY if isinstance(error, NobodyReads) else "")


def no_sender(_error: Exception) -> ResponseReturnValue:
    """Who sends is not said by the server in front: in plain words, and once in the log."""
    _note_no_sender()
    return error_page(503, NO_SENDER)


@functools.cache
def _note_no_sender() -> None:
    log.error(
        "The web server at TRUSTED_PROXY does not say who sends (X-Forwarded-For), so every page is refused. "
        "`amparo deploy nginx` and `amparo deploy caddy` print how it is told."
    )


def no_room(_error: Exception) -> ResponseReturnValue:
    """What is long has to wait until somebody has made room."""
    return error_page(503, NO_ROOM)


def any_error(error: Exception) -> ResponseReturnValue:
    """The page of status 500. Kind and place of the error are logged, its message is not."""
    note_failure(error)
    return error_page(500)


def error_page(code: int, sentence: str = "", *, anew: str = "") -> ResponseReturnValue:
    """A neutral page in her language with the way back and the lines that answer now. What she typed is not lost.

    `anew`: the address at which what is gone is begun once more, at the desk.
    """
    if "lang" not in g:
        choose_language()
    known = code if code in ERRORS else 400
    g.trouble = True
    sentence = sentence or _sentence(known)
    walked = _on_the_way(code, sentence)
    if walked is not None:
        return walked
    packed = _packed() if code in MAY_PASS else ""
    if code == HTTPStatus.TOO_MANY_REQUESTS and not packed and "keys" not in g:
        return make_response(_too_many(), code, {"Retry-After": "60"})
    return make_response(_error_page(sentence, packed, anew), code)


def _sentence(code: int) -> str:
    """What is said of an error; of too large a file, what the page says that takes it."""
    too_large: str = g.get("too_large", "") if code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else ""
    return too_large or ERRORS[code]


def _on_the_way(code: int, sentence: str) -> ResponseReturnValue | None:
    """The page of trouble under the name of her trip; None where there is none."""
    if not is_for(HERS):
        return None
    try:
        return installation().on_the_way(code, sentence)
    except (CannotOpen, SQLAlchemyError, HTTPException):
        return None


def trouble_page(trouble: Mapping[str, Any]) -> str:
    """The page of an error that happened on the way, where it can be sent once more with one button."""
    again = trouble.get(AGAIN)
    packed = hidden(AGAIN, sealed_ticket("draft", g.trip or tickets.new_trip(), AGAIN, again)) if again else ""
    return render_template("errors/error.html", sentence=trouble["sentence"], again=packed, to=again and again["path"])


def _error_page(sentence: str, packed: Markup | str = "", anew: str = "") -> str:
    shown = {"sentence": sentence, "again": packed, "anew": anew}
    if "keys" in g:
        return render_template("errors/desk.html", **shown, out=StaffForm(formdata=None), home=home_of(g.keys))
    return render_template("errors/desk.html" if is_at_the_desk() else "errors/error.html", **shown)


def _too_many() -> str:
    """The page for a flood, kept for a minute: it costs less than what was asked for. Nobody's words are in it."""
    site, place = installation(), (g.lang, request.endpoint or "", request.method == "GET")
    minute = int(site.clock()) // clock.MINUTE
    if site.refused.get(place, (0, ""))[0] != minute:
        site.refused[place] = minute, _error_page(ERRORS[429])
    return site.refused[place][1]


def short_page(app: Flask, code: int) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and page for what the web server itself refuses: there is no request, so no language either."""
    site, known = installation_of(app), code if code in ERRORS else 400
    lang, catalogue = next(iter(site.catalogues.items()))
    page = (
        site.tongues[lang]
        .get_template("parts/short.html")
        .render(
            lang=lang, direction=languages.LANGUAGES[lang].direction, sentence=languages.say(catalogue, ERRORS[known])
        )
    )
    headers = [("Content-Type", "text/html; charset=utf-8"), *HEADERS.items()]
    return f"{known} {HTTPStatus(known).phrase}", headers, page.encode()


def _packed() -> Markup | str:
    """Everything she sent, sealed into one field. Nothing where no page of ours sent it, or it cannot be sealed."""
    if request.method != "POST" or not here().again or not request.form:
        return ""
    site, state = installation(), {"path": request.path, "form": request.form.to_dict(flat=False)}
    try:
        g.trip = tickets.trip_of(seeds(), site.settings.server_secret, request.form.get("t", ""), site.clock())
        if g.trip is None and "keys" not in g and not (request.cookies.get(cookie_name()) and resume()):
            return ""
        text = sealed_ticket("draft", g.trip or tickets.new_trip(), AGAIN, state)
    except (CannotOpen, SQLAlchemyError):
        return ""
    return hidden(AGAIN, text)
