"""Before and after each request: its language, its origin, the seed of the day, security headers.

Knows neither forms nor cases, and not who is signed in.
"""

from __future__ import annotations

import gzip
from io import BytesIO
from typing import IO, Final
from urllib.parse import urlsplit

from flask import Request, Response, abort, current_app, g, redirect, request
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import RequestRedirect

from reporting import clock
from reporting.errors import AmparoError
from reporting.sessions import day_seeds
from reporting.web.access.audience import ASSETS, is_at_the_desk, is_for
from reporting.web.access.traits import SIGN_IN, START, here, url_of
from reporting.web.context import installation
from reporting.web.logging import note_failure

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # 'no-referrer' would also blank the Origin that guards our forms
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",  # no page of another site can draw on one of ours, and time it
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000"  # what Strict-Transport-Security says: https alone, for a year
FOR_SEEKERS = {"X-Robots-Tag": "noindex"}  # only what a search machine could fetch
MOST_FIELDS = 1000  # of one form
SHRINKS = {"text/html", "text/css", "text/javascript"}


class InMemory(Request):
    """A request whose files never touch the disk: a temporary file could outlive what must not be stored."""

    def _get_file_stream(self, *_told: object, **_more: object) -> IO[bytes]:
        return BytesIO()


def choose_language() -> None:
    """Set language and catalogue of the request by its address; an unknown one is 404."""
    offered = installation().catalogues
    language = (request.view_args or {}).pop("lang", None)
    if language is None:  # an address that leads nowhere, too, is answered in the language it begins with
        language = next((code for code in offered if request.path.startswith(f"/{code}/")), None)
    if language is not None and language not in offered:
        abort(404)
    g.lang = language or next(iter(offered))
    g.catalogue = offered[g.lang]
    g.trip = None


def speak(code: str) -> None:
    """Answer in another language than the address says."""
    if code in installation().catalogues:
        g.lang, g.catalogue = code, installation().catalogues[code]


def read_address() -> ResponseReturnValue | None:
    """What an address can hold besides an address: no host, a forgotten slash, bytes that are no text.

    A redirect of the library's would lead to whatever host the request named, with a sentence in no language of ours.
    """
    if request_ctx.url_adapter is None:  # the host is no host; our page of refusal needs some to name addresses
        request_ctx.url_adapter = current_app.url_map.bind("localhost")
        abort(400)
    try:
        request.args  # noqa: B018 -- it is read when it is first asked for
    except UnicodeDecodeError:
        request.args = ImmutableMultiDict()
        abort(400)
    problem = request.routing_exception
    if not isinstance(problem, RequestRedirect):
        return None
    if request.path.split("/")[1] not in installation().catalogues:
        abort(404)
    return redirect(urlsplit(problem.new_url).path, 308)


def refuse_strangers() -> None:
    """A form of ours is only accepted from a page of ours. Old browsers send neither header and are let through."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign_site = site is not None and site not in {"same-origin", "none"}
    foreign_origin = site is None and origin not in {None, "null"} and _host_of(origin or "") != request.host
    if foreign_site or foreign_origin:
        g.foreign = True  # nothing that was typed here
        abort(403)


class NoSender(AmparoError):
    """The server in front does not say who sends: everybody would count as one, and one flood would shut out all."""


def refuse_the_unnamed() -> None:
    """Where a server in front is trusted to say who sends, it has to. Raises `NoSender` where it does not."""
    trusted = installation().settings.trusted_proxy
    if trusted and request.remote_addr == trusted and "HTTP_X_FORWARDED_FOR" not in request.environ:
        raise NoSender


def count_fields() -> None:
    """A form of ours has some hundred fields at most; one of 120,000 would take a second to be taken apart."""
    if request.mimetype == "application/x-www-form-urlencoded" and request.get_data().count(b"&") >= MOST_FIELDS:
        abort(413)


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def keep_hosts_apart() -> ResponseReturnValue | None:
    """Figures, and the pages of the staff, on hosts of their own only, where there are any; and nothing else there."""
    settings, host = installation().settings, request.host.rsplit(":", 1)[0].lower()
    if is_for(ASSETS):
        return None
    if settings.figures_hosts and (host in settings.figures_hosts) is not here().public_figures:
        abort(404)
    if settings.staff_hosts and host in settings.staff_hosts and START in here().landmarks:
        return redirect(url_of(SIGN_IN), 303)  # whoever types the name alone
    if settings.staff_hosts and not here().public_figures and (host in settings.staff_hosts) is not is_at_the_desk():
        abort(404)
    return None


# What a browser says of itself whose pages come through its maker's servers: dev.opera.com/articles/opera-mini-request-
# headers, help.puffin.com/developer, and Amazon's "Silk tips for site owners". Others do not say it.
RELAYED: Final = ("Opera Mini/", "Puffin/", "Silk-Accelerated=true")
RELAYS: Final = "x-operamini-"  # how the headers begin that Opera's servers add


def is_relayed() -> bool:
    """Whether this request comes through the servers of the browser's maker, as far as it tells. Kept nowhere."""
    agent = request.user_agent.string
    return any(name in agent for name in RELAYED) or any(name.lower().startswith(RELAYS) for name, _ in request.headers)


def open_day() -> None:
    """Make the seeds of today, at the first request of a day. A database that fails is only logged."""
    site = installation()
    today = int(site.clock()) // clock.DAY
    if site.opened_day == today:
        return
    try:
        with site.writing(short_wait=True) as db:
            day_seeds.open_day(db, site.clock())
        site.checkpoint()  # yesterday's seeds go from the write-ahead log too
        site.opened_day = today
    except SQLAlchemyError as trouble:  # yesterday's seeds go on for a while; the next request tries again
        note_failure(trouble)


def put_headers(response: Response) -> Response:
    """The response with security headers; a GET page is marked as not to be indexed."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.location:
        response.set_data(b"")  # the library's sentence is in no language of ours, and nobody is shown it
    if request.method == "GET":
        response.headers.update(FOR_SEEKERS)
    if installation().settings.secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    return response


def shrink(response: Response) -> Response:
    """Compress what holds nothing of hers. A compressed length can tell about secrets beside what somebody typed."""
    public = request.method == "GET" and here().compressible
    wanted = request.accept_encodings["gzip"] > 0
    if wanted and (public or g.get("may_shrink")) and response.mimetype in SHRINKS:
        response.set_data(gzip.compress(response.get_data(), 9, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
