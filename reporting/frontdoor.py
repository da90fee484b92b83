"""The front door: what every request passes. Language, origin, limits, headers, who is signed in, error pages.

Nothing here is about reports or cases. No address is kept: requests are counted under a key that changes every
hour and is never stored. Errors are logged as a kind and a place in the code, never with what somebody typed.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import hmac
import logging
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    request,
    template_rendered,
    url_for,
)
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_wtf import FlaskForm
from jinja2 import Template
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from wtforms.csrf.core import CSRF
from wtforms.validators import ValidationError

from reporting import counting, duty, keyring, languages, sessions, teamlog, templating
from reporting.config import Settings
from reporting.countries import FIRST_HOME
from reporting.incidents import N_
from reporting.keyring import Keys
from reporting.page_rows import PageRows
from reporting.questions import HAS_DEPARTMENTS
from reporting.sessions import Line, Seeds, Ticket
from reporting.teamlog import ADVOCATE, CASE_WORKER, COORDINATOR, BrokenChain, CannotOpen, NotYet, Pin, Team

log = logging.getLogger("amparo")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # 'no-referrer' would also blank the Origin that guards our forms
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FOR_SEEKERS = {"X-Robots-Tag": "noindex"}  # only what a search machine could fetch
SHRINKS = {"text/html", "text/css", "text/javascript"}
SEEN = 203  # the status of a page that is typed into or shows something of hers: no browser keeps it for Back
LARGEST_BODY = 256 * 1024  # bytes; the longest honest page is far below
# What one sender may do in a minute. Everybody behind one address (a workshop, every onion user) is one sender, so
# that none of these may be reached by honest people while somebody floods beside them: turning pages has room for 400
# requests a second, and sending, the one thing that must never fail, has more than this machine can do. Receipts: ten
# guesses a second, 36,000 an hour, against 2^77. What is too much gets its page again, sealed, to send once more.
PAGES_A_MINUTE, SENDING_A_MINUTE = 24_000, 120_000
CODES = "reporter.come_back"  # where a code is typed; it can be typed while telling, too, and counts alike
NARROW_DOORS = {CODES: 600, "door.let_sign_in": 120}
WALK = "walk.page"  # the address of every page under a name: each step leads there, also when it was one too many
WALKS = 3  # so many of them for each page that may be turned
SENDS = "reporter.told"  # the address that takes pages and, with the button "send", the report itself

AGAIN = "again"  # the field, and the step, of a request that can be sent once more
MAY_PASS = {429, 500, 503}  # trouble after which the very same request may go through
HOMES = {CASE_WORKER: "casework.queue", COORDINATOR: "staff.people", ADVOCATE: "staff.home"}
AT_THE_DOOR = {"door", "staff", "casework", "voice", "kept"}  # pages of the desk, also for who is not signed in
WALKED = {"reporter", "her_referral"}  # whose errors are told on a page of her trip
NEVER_PACKED = {"door", "staff", None}  # what is typed there is passwords and words that open

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


@dataclass
class House:
    """What pages are handed: the settings, transactions, the clock, the words. Made once by the app."""

    settings: Settings
    reading: Callable[[], AbstractContextManager[Session]]
    looking: Callable[[], AbstractContextManager[Line]]  # the same without a session, for what every page asks
    writing: Callable[..., AbstractContextManager[Session]]
    jotting: Callable[[], AbstractContextManager[Line]]  # for notes that a power cut may take
    emptied: Callable[[], bool]  # after an erasure: leave no erased byte in the write-ahead log
    clock: Callable[[], float]
    catalogues: dict[str, languages.Catalogue]
    pin: Pin
    rows: PageRows  # what the pages of a name show
    on_the_way: Callable[[int, str], ResponseReturnValue | None]  # the page of an error, as a step of her trip
    tongues: dict[str, templating.Tongue] = field(default_factory=dict)  # the templates of each language
    refused: dict[tuple[str, str, bool], tuple[int, str]] = field(default_factory=dict)  # pages for too many requests
    wings: dict[str, Any] = field(default_factory=dict)  # what another wing keeps here for its own pages
    opened_day: int = -1

    def lines(self) -> tuple[Any, ...]:
        """The lines that answer in the whole country, as offers. None where nobody has told one of this country."""
        return tuple(self.wings["lines"]()) if "lines" in self.wings else ()

    def teams(self, db: Session) -> tuple[Team, ...]:
        """Every team, verified."""
        return teamlog.teams(db, self.pin)


def house() -> House:
    """The house of this request."""
    made: House = current_app.extensions["amparo"]
    return made


# ── set-up ──────────────────────────────────────────────────────────────────────────────────────────────────


def hang(app: Flask, made: House) -> Limiter:
    """Hang the front door: everything that each request passes, in order."""
    app.extensions["amparo"] = made
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY, MAX_FORM_PARTS=200)
    app.url_map.merge_slashes = False  # two slashes are another address, not a redirect that repeats what was sent
    autonyms = languages.autonyms(made.catalogues)
    made.tongues = templating.tongues(app, made.catalogues, say=say, tongues=lambda: autonyms)
    app.before_request(_choose_language)
    app.before_request(_read_address)
    app.before_request(_refuse_strangers)
    app.before_request(_open_day)
    app.before_request(_unpack)
    app.before_request(_name_places)
    app.teardown_request(_forget_places)
    app.after_request(_put_headers)
    app.after_request(_shrink)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NotYet, _closed)
    app.register_error_handler(BrokenChain, _closed)
    app.register_error_handler(Exception, _any_error)
    app.context_processor(_for_every_page)
    app.logger.addFilter(discreet)
    return Limiter(
        key_func=sender,
        app=app,
        default_limits=[a_minute(PAGES_A_MINUTE, made.settings)],
        default_limits_exempt_when=_is_sending,
        storage_uri=counting.place_of(made.settings.limits_url),
        storage_options=counting.patience(made.settings.limits_url),
        headers_enabled=False,
        in_memory_fallback_enabled=True,  # when Redis is away each process counts for itself, and pages go on
    )


def a_minute(count: int, settings: Settings) -> str:
    """An allowance as the counter wants it. Without Redis each worker counts alone, so each allows its share."""
    shared = not settings.limits_url.startswith("memory:")
    return f"{count if shared else max(1, count // settings.workers)} per minute"


def _is_sending() -> bool:
    """The final sending, which has an allowance of its own."""
    return request.method == "POST" and request.endpoint == SENDS and request.form.get("go") == "send"


def types_a_code() -> bool:
    """Whether a code would be looked up for this request."""
    if request.endpoint != SENDS:
        return request.method == "POST"
    go, code = request.form.get("go", "next"), request.form.get("code", "")
    return request.method == "POST" and (go == "code" or (go == "next" and bool(code.strip())))


def sender() -> str:
    """A name for whoever sends this request, without keeping who it is: its key dies with the hour."""
    made = house()
    return sessions.sender_mark(made.settings.server_secret, request.remote_addr or "", made.clock())


# ── before ──────────────────────────────────────────────────────────────────────────────────────────────────


def _choose_language() -> None:
    offered = house().catalogues
    asked = (request.view_args or {}).pop("lang", None)
    if asked is None:  # an address that leads nowhere, too, is answered in the language it begins with
        asked = next((code for code in offered if request.path.startswith(f"/{code}/")), None)
    if asked is not None and asked not in offered:
        abort(404)
    g.lang = asked or next(iter(offered))
    g.catalogue = offered[g.lang]
    g.trip = None


def speak(code: str) -> None:
    """Answer in another language than the address says."""
    if code in house().catalogues:
        g.lang, g.catalogue = code, house().catalogues[code]


def _read_address() -> ResponseReturnValue | None:
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
    found = request.routing_exception
    if not isinstance(found, RequestRedirect):
        return None
    if request.path.split("/")[1] not in house().catalogues:
        abort(404)
    return redirect(urlsplit(found.new_url).path, 308)


def _refuse_strangers() -> None:
    """A form of ours is only accepted from a page of ours. Old browsers send neither header and are let through."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign_site = site is not None and site not in {"same-origin", "none"}
    foreign_origin = site is None and origin not in {None, "null"} and _host_of(origin or "") != request.host
    if foreign_site or foreign_origin:
        g.foreign = True  # nothing that was typed here
        abort(403)


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _open_day() -> None:
    made = house()
    today = int(made.clock()) // sessions.DAY
    if made.opened_day == today:
        return
    try:
        with made.writing(hurry=True) as db:
            sessions.open_day(db, made.clock())
        made.emptied()  # yesterday's seeds go from the write-ahead log too
        made.opened_day = today
    except SQLAlchemyError as trouble:  # yesterday's seeds go on for a while; the next request tries again
        note_failure(trouble)


def _name_places() -> None:
    """In another country than the first home the regions of the vocabulary are not asked."""
    made = house()
    is_home = made.settings.country == FIRST_HOME
    HAS_DEPARTMENTS.set(None if is_home else lambda: bool(made.wings["departments"]()))


def _forget_places(_error: BaseException | None) -> None:
    HAS_DEPARTMENTS.set(None)


def _unpack() -> None:
    """«Send again»: what she had typed comes back sealed in one field, as if she had typed it once more."""
    packed = request.form.get(AGAIN) if request.method == "POST" and request.blueprint not in NEVER_PACKED else None
    if not packed:
        return
    ticket = ticket_in(packed, "draft")
    if ticket is not None and ticket.step == AGAIN and ticket.state["path"] == request.path:
        request.form = ImmutableMultiDict(ticket.state["form"])


# ── after ───────────────────────────────────────────────────────────────────────────────────────────────────


def _put_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.location:
        response.set_data(b"")  # the library's sentence is in no language of ours, and nobody is shown it
    if request.method == "GET":
        response.headers.update(FOR_SEEKERS)
    if house().settings.secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _shrink(response: Response) -> Response:
    """Compress what holds nothing of hers. A compressed length can tell about secrets beside what somebody typed."""
    public = request.method == "GET" and request.blueprint in {"reporter", "files"}
    wanted = request.accept_encodings["gzip"] > 0
    if wanted and (public or g.get("may_shrink")) and response.mimetype in SHRINKS:
        response.set_data(gzip.compress(response.get_data(), 9, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    return error_page(error.code or 500)


def _closed(error: Exception) -> ResponseReturnValue:
    """No keys yet, or keys nobody vouches for: no report is taken, in one neutral sentence."""
    if isinstance(error, BrokenChain):
        log.error("The team log does not hold: reporter pages are closed. Run `amparo check`.")
    return error_page(503)


def _any_error(error: Exception) -> ResponseReturnValue:
    note_failure(error)
    return error_page(500)


def note_failure(error: Exception) -> None:
    """Into the log, without what anybody typed."""
    log.error(what_failed(error))


def what_failed(error: BaseException) -> str:
    """Kind and place in the code; the message is left out, it may hold what she typed."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-4:]))
    return f"{type(error).__name__} at {places}"


def discreet(record: logging.LogRecord) -> bool:
    """A filter for the web server's own log, which likes to name paths and messages: only what failed goes through."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return False
    record.msg, record.args, record.exc_info, record.exc_text = what_failed(error), (), None, None
    return True


def home_of(keys: Keys) -> str:
    """The first page of somebody who signed in."""
    return next(page for role, page in HOMES.items() if role in keys.roles)


def error_page(code: int, sentence: str = "") -> ResponseReturnValue:
    """A neutral page in her language with the way back and the lines that answer now. What she typed is not lost."""
    if "lang" not in g:
        _choose_language()
    known = code if code in ERRORS else 400
    g.trouble = True
    walked = _on_the_way(code, sentence or ERRORS[known])
    if walked is not None:
        return walked
    packed = _packed() if code in MAY_PASS else ""
    if code == HTTPStatus.TOO_MANY_REQUESTS and not packed and "keys" not in g:
        return make_response(_too_many(), code, {"Retry-After": "60"})
    return make_response(_error_page(sentence or ERRORS[known], packed), code)


def _on_the_way(code: int, sentence: str) -> ResponseReturnValue | None:
    if request.blueprint not in WALKED:
        return None
    try:
        return house().on_the_way(code, sentence)
    except (CannotOpen, SQLAlchemyError, HTTPException):
        return None


def trouble_page(told: Mapping[str, Any]) -> str:
    """The page of an error that happened on the way, where it can be sent once more with one button."""
    again = told.get(AGAIN)
    packed = hidden(AGAIN, sealed_ticket("draft", g.trip or sessions.new_trip(), AGAIN, again)) if again else ""
    return render_template("errors/error.html", sentence=told["sentence"], again=packed, to=again and again["path"])


def _error_page(sentence: str, packed: Markup | str = "") -> str:
    shown = {"sentence": sentence, "again": packed}
    if "keys" in g:
        return render_template("errors/desk.html", **shown, out=StaffForm(formdata=None), home=home_of(g.keys))
    return render_template("errors/desk.html" if request.blueprint in AT_THE_DOOR else "errors/error.html", **shown)


def _too_many() -> str:
    """The page for a flood, kept for a minute: it costs less than what was asked for. Nobody's words are in it."""
    made, place = house(), (g.lang, request.endpoint or "", request.method == "GET")
    minute = int(made.clock()) // sessions.MINUTE
    if made.refused.get(place, (0, ""))[0] != minute:
        made.refused[place] = minute, _error_page(ERRORS[429])
    return made.refused[place][1]


def short_page(app: Flask, code: int) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and page for what the web server itself refuses: there is no request, so no language either."""
    made, known = house_of(app), code if code in ERRORS else 400
    lang, catalogue = next(iter(made.catalogues.items()))
    page = made.tongues[lang].get_template("parts/short.html").render(
        lang=lang, direction=languages.LANGUAGES[lang].direction, sentence=languages.say(catalogue, ERRORS[known])
    )  # fmt: skip
    headers = [("Content-Type", "text/html; charset=utf-8"), *HEADERS.items()]
    return f"{known} {HTTPStatus(known).phrase}", headers, page.encode()


def _packed() -> Markup | str:
    """Everything she sent, sealed into one field. Nothing where no page of ours sent it, or it cannot be sealed."""
    if request.method != "POST" or request.blueprint in NEVER_PACKED or not request.form:
        return ""
    made, state = house(), {"path": request.path, "form": request.form.to_dict(flat=False)}
    try:
        g.trip = sessions.trip_of(seeds(), made.settings.server_secret, request.form.get("t", ""), made.clock())
        if g.trip is None and "keys" not in g and not (request.cookies.get(cookie_name()) and resume()):
            return ""
        text = sealed_ticket("draft", g.trip or sessions.new_trip(), AGAIN, state)
    except (CannotOpen, SQLAlchemyError):
        return ""
    return hidden(AGAIN, text)


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


def render_template(name: str, /, **told: Any) -> str:
    """A page in the language of this request; whoever listens is told, as of every page of Flask's."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 -- as Flask does it
    app.update_template_context(told)
    shown = template(name)
    page = shown.render(told)
    template_rendered.send(app, template=shown, context=told)
    return page


def template(name: str) -> Template:
    """A template in the language of this request."""
    return house().tongues[g.lang].get_template(name)


def local_hour(hour: int) -> datetime:
    """Hours since 1970 on the clock of the place."""
    return languages.local(hour * 3600, house().settings.time_zone)


def say(message: str, **parts: object) -> str:
    """A message in the language of this request."""
    return languages.say(g.catalogue, message, **parts)


def today() -> datetime:
    """Now, on the clock of the place."""
    return languages.local(house().clock(), house().settings.time_zone)


def reading_hours() -> str:
    """When somebody reads, in one sentence; or that nobody can say."""
    with house().reading() as db:
        known = duty.read(db)
    following = known.next_reading(today())
    if following is None:
        return say(N_("A person reads it. We cannot say on which day."))
    days = languages.weekdays(g.lang, sorted(known.hours))
    if following <= today():
        return say(N_("Somebody reads on these days: %(days)s. Also now."), days=days)
    told = languages.hour(g.lang, following)
    return say(N_("Somebody reads on these days: %(days)s. The next time: %(when)s."), days=days, when=told)


def _for_every_page() -> dict[str, Any]:
    made = house()
    return {
        "lang": g.lang,
        "direction": languages.LANGUAGES[g.lang].direction,
        "site_name": made.settings.site_name,
        "practice": made.settings.practice,
        "trip": g.get("trip"),
        "day": lambda when: languages.day(g.lang, when),
        "day_of": lambda hour: languages.day(g.lang, local_hour(hour).date()),
        "here": request.endpoint,
        "version": _version,
        "keys": g.get("keys"),
        "emergency": _lines,
        "reading_hours": reading_hours,
    }


def _lines() -> tuple[Any, ...]:
    """The lines that answer now; those that are shipped where even the directory cannot be read."""
    made = house()
    try:
        return made.lines()
    except SQLAlchemyError:
        return tuple(made.wings["shipped lines"]()) if "shipped lines" in made.wings else ()


@functools.cache
def _version(name: str) -> str:
    """The address of a file carries its own hash, so that a browser can keep it for good."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:8]


# ── staff ───────────────────────────────────────────────────────────────────────────────────────────────────


def cookie_name() -> str:
    """The prefix makes browsers refuse a cookie that is not Secure or not ours."""
    return "__Host-t" if house().settings.secure else "t"


def signed_in(
    *roles: str,
) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    """Only for people with one of these roles; everybody else is led to the sign-in page or told there is nothing."""

    def guard(page: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        @functools.wraps(page)
        def guarded(*args: object, **parts: object) -> ResponseReturnValue:
            keys = resume()
            if keys is None:
                return redirect(url_for("door.sign_in", lang=g.lang), 303)
            if not set(roles) & set(keys.roles):
                abort(404)
            return page(*args, **parts)

        guarded.roles = roles  # type: ignore[attr-defined]
        return guarded

    return guard


def resume() -> Keys | None:
    """The keys of the session that this request belongs to; it is still in use. None where there is none."""
    token = request.cookies.get(cookie_name(), "")
    made = house()
    try:
        with made.writing() as db:
            g.keys = sessions.resume(db, token, made.clock())
            sessions.touch(db, token, made.clock())
    except CannotOpen:
        return None
    g.token = token
    keys: Keys = g.keys
    return keys


def refresh_keys() -> Keys:
    """Her keys as they are now: a colleague may have let her in or made a new epoch since she signed in."""
    made = house()
    keys: Keys = g.keys
    with made.reading() as db:
        held = keyring.held_by(db, keys.private, keys.member, made.teams(db))
    if held != keys.epochs:
        g.keys = keys = replace(keys, epochs=held)
        with made.writing() as db:
            sessions.refresh(db, g.token, keys, made.clock())
    return keys


def put_cookie(response: Response, token: str) -> Response:
    """The session cookie: this browser session only, out of reach of scripts and other sites."""
    response.set_cookie(
        cookie_name(), token, secure=house().settings.secure, httponly=True, samesite="Strict", path="/"
    )
    return response


def take_cookie(response: Response) -> Response:
    """Sign out in the browser too."""
    response.delete_cookie(cookie_name(), path="/", secure=house().settings.secure, httponly=True, samesite="Strict")
    response.headers["Clear-Site-Data"] = '"cache", "cookies"'
    return response


class _SessionBound(CSRF):  # type: ignore[misc]
    """A form token derived from the session's own secret; there is nothing to store."""

    def generate_csrf_token(self, csrf_token_field: Any) -> str:  # noqa: ARG002 -- fixed by WTForms
        return sessions.form_token(g.token)

    def validate_csrf_token(self, form: Any, field: Any) -> None:  # noqa: ARG002 -- fixed by WTForms
        if not hmac.compare_digest(str(field.data or "").encode("utf-8", "replace"), field.current_token.encode()):
            raise ValidationError


# what the forms' library says -> what we say. Nothing of what was typed is repeated.
PLAIN = {
    "This field is required.": N_("Fill this in."),
    "Not a valid choice.": N_("Choose from the list."),
    "'%(value)s' is not a valid choice for this field.": N_("Choose from the list."),
    "Invalid Choice: could not coerce.": N_("Choose from the list."),
    "Choices cannot be None.": N_("Choose from the list."),
}
TOO_LONG = N_("This is too long.")  # the one sentence of that library that counts


class _InHerWords:
    """The library's own complaints, in the language of the request."""

    def gettext(self, text: str) -> str:
        return say(PLAIN.get(text, text))

    def ngettext(self, _one: str, _many: str, _count: int) -> str:
        return say(TOO_LONG)


class _Meta(FlaskForm.Meta):  # type: ignore[misc]
    files: frozenset[str] = frozenset()  # the fields of a form that take a file; nothing else there is one

    def wrap_formdata(self, form: Any, formdata: Any) -> Any:
        """What was typed. A file or JSON in the place of a word is nothing that a page of ours sends."""
        if formdata is None or hasattr(formdata, "getlist"):
            return super().wrap_formdata(form, formdata)
        words = [pair for pair in request.form.items(multi=True) if pair[0] not in self.files]
        files = [pair for pair in request.files.items(multi=True) if pair[0] in self.files]
        return ImmutableMultiDict([*words, *files]) if form.is_submitted() else None

    def get_translations(self, _form: Any) -> _InHerWords:
        return _InHerWords()


class StaffForm(FlaskForm):  # type: ignore[misc]
    """Every form of a signed-in person."""

    class Meta(_Meta):
        csrf = True
        csrf_class = _SessionBound
        csrf_field_name = "f"

    def is_ours(self) -> bool:
        """Valid, and sent from a page of this session; a forged one is answered with 403."""
        if self.is_submitted() and not self.validate():
            if self.errors.get("f"):
                abort(403)
            return False
        return bool(self.is_submitted())


class OpenForm(FlaskForm):  # type: ignore[misc]
    """A form of somebody who is nobody to us: guarded by origin and ticket, not by a session."""

    class Meta(_Meta):
        csrf = False


def hidden(name: str, value: str) -> Markup:
    """A hidden field."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(name, value)


def ticket_field(purpose: str, trip: str, step: str, state: Mapping[str, Any], expires: int | None = None) -> Markup:
    """A trip's state, sealed into the one hidden field of a form; it is as old as the last step of its trail."""
    trail = g.get("trail")
    if trail is None:
        return hidden("t", sealed_ticket(purpose, trip, step, state, expires))
    walked = dict(state) | {"w": trail.name, "c": trail.count}
    return hidden("t", sealed_ticket(purpose, trip, step, walked, expires, trail.posted))


def sealed_ticket(purpose: str, trip: str, step: str, state: Mapping[str, Any], expires: int | None = None,
                  issued: float | None = None) -> str:  # fmt: skip
    """A trip's state, sealed."""
    made = house()
    secret, now = made.settings.server_secret, made.clock() if issued is None else issued
    return sessions.write_ticket(seeds(), secret, purpose, trip, step, state, now, expires)


def ticket_in(text: str, purpose: str, db: Line | None = None) -> Ticket | None:
    """The ticket behind a field; none where it is forged, foreign, of another purpose or expired."""
    made = house()
    try:
        return sessions.read_ticket(seeds(db), made.settings.server_secret, purpose, text, made.clock())
    except CannotOpen:
        return None


def seeds(db: Line | None = None) -> Seeds:
    """The seeds that open and seal tickets, read once in a request; from a session that is open anyway, if one is."""
    return once("seeds", lambda: _read_seeds() if db is None else sessions.seeds(db))


def _read_seeds() -> Seeds:
    with house().looking() as db:
        return sessions.seeds(db)


T = TypeVar("T")


def once(name: str, work_out: Callable[[], T]) -> T:
    """What stays the same during a request is worked out once in it."""
    if name not in g:
        setattr(g, name, work_out())
    found: T = getattr(g, name)
    return found


# ── the three files we serve ─────────────────────────────────────────────────────────────────────────────────

pages = Blueprint("files", __name__)
STATIC = Path(__file__).parent / "static"


@pages.get("/s-<version>.css")
def style(version: str) -> Response:
    """The style sheet, under an address that changes with it."""
    return _kept_file("style.css", "text/css", version)


@pages.get("/j-<version>.js")
def script(version: str) -> Response:
    """The small optional script: it only makes leaving quicker."""
    return _kept_file("leave.js", "text/javascript", version)


def _kept_file(name: str, mimetype: str, version: str) -> Response:
    answer = make_response((STATIC / name).read_bytes())
    kept = version == _version(name)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-store"
    answer.mimetype = mimetype
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"  # nobody else learns whether it is in the cache
    return answer


def limit_narrow_doors(app: Flask, limiter: Limiter) -> None:
    """Codes and passwords get allowances of their own, apart from turning pages; so does sending, the largest."""
    settings, rooms = house_of(app).settings, app.view_functions
    doors = [(endpoint, endpoint) for endpoint in NARROW_DOORS] + [(SENDS, CODES)]
    for endpoint, door in doors:
        limit = limiter.shared_limit(
            a_minute(NARROW_DOORS[door], settings),
            scope=door,
            exempt_when=lambda: not types_a_code(),
            override_defaults=endpoint != SENDS,
        )
        rooms[endpoint] = limit(rooms[endpoint])  # type: ignore[assignment]
    sending = limiter.limit(
        a_minute(SENDING_A_MINUTE, settings), exempt_when=lambda: not _is_sending(), override_defaults=False
    )
    rooms[SENDS] = sending(rooms[SENDS])  # type: ignore[assignment]
    walks = a_minute(WALKS * PAGES_A_MINUTE, settings)
    rooms[WALK] = limiter.limit(walks, override_defaults=True)(rooms[WALK])  # type: ignore[assignment]


def house_of(app: Flask) -> House:
    """The house of an app, outside any request."""
    made: House = app.extensions["amparo"]
    return made
