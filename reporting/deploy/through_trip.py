"""What `amparo check --through` sends through the front door: a marked report, a letter, the code of an invitation.

The report says in its first words that it is a test, has no consent, so that it is counted nowhere, and is erased
again, also when something fails on the way: its receipt is known before it is sent. The code of the
invitation opens nothing.
"""

from __future__ import annotations

import http.client
import re
import secrets
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Engine

from reporting.cases import store
from reporting.config import Settings
from reporting.crypto import receipts
from reporting.crypto.receipts import Receipt
from reporting.i18n import T_, said
from reporting.operations.trial_phone import PATIENCE, NoTrial, Phone
from reporting.sessions import day_seeds, tickets
from reporting.storage.database import checkpoint, looking, reading, writing
from reporting.teams.team_log import CannotOpen
from reporting.vocabulary.answers import route
from reporting.vocabulary.lengths import SHORT
from reporting.vocabulary.questions import LONGEST_TEXT

TEST = "PRUEBA de la instalación (amparo check --through). No es de nadie: se borra sola."
SHORT_NAME = 15  # signs: what is longer in a path is the name of a page
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True, slots=True)
class Marks:
    """Words that stand nowhere else: what is sent with each of them, and what is looked for afterwards."""

    words: str = field(default_factory=lambda: _mark("palabras"))
    letter: str = field(default_factory=lambda: _mark("carta"))
    code: str = field(default_factory=lambda: _mark("codigo"))
    link: str = field(default_factory=lambda: _mark("enlace"))
    browser: str = field(default_factory=lambda: _mark("navegador"))
    page: str = field(default_factory=lambda: _mark("pagina"))


def _mark(kind: str) -> str:
    return f"z{kind}{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Door:
    """The front door, by its address. Raises `NoTrial` for an address that is none."""

    host: str
    port: int
    stranger: str = "otra.invalid"  # a name that is not ours

    def line(self) -> http.client.HTTPSConnection:
        """A TLS connection, whose certificate has to be right."""
        return http.client.HTTPSConnection(self.host, self.port, timeout=PATIENCE, context=ssl.create_default_context())

    @property
    def authority(self) -> str:
        """As it stands in an address."""
        return self.host if self.port == http.client.HTTPS_PORT else f"{self.host}:{self.port}"


def door_of(address: str) -> Door:
    """The front door behind an address. Raises `NoTrial` for one without https."""
    url = urlsplit(address)
    if url.scheme != "https" or not url.hostname:
        words = T_("%(address)s is no https address: type it as people do, such as https://hoja.example.")
        raise NoTrial(said(words, address=address))
    return Door(url.hostname, url.port or http.client.HTTPS_PORT)


class Walker(Phone):
    """A phone that remembers where it was: names of pages must stand in no log either."""

    def __init__(self, door: Door, marks: Marks) -> None:
        referer = f"https://{door.authority}/{marks.page}"
        super().__init__(0, door.line, **{"User-Agent": marks.browser, "Referer": referer})
        self.walked: list[str] = []

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        status, onward = super()._ask(method, path, body)
        self.walked += [part for part in onward.split("/") if len(part) > SHORT_NAME]
        return status, onward


@dataclass
class Trip:
    """What was sent, as far as it came. `receipt` is known before the report is there, so that it can be erased."""

    walked: list[str] = field(default_factory=list)
    receipt: Receipt | None = None
    erased: bool = False
    compressed: bool = False
    while_sending: bool | None = None  # her words lay in a file while the rest was on the way; None: nobody looked


def walk(door: Door, marks: Marks, settings: Settings, engine: Engine, lies: Callable[[], bool]) -> Trip:
    """Tell, come back, write, erase. Raises `NoTrial` where the door does not let it pass; it is erased anyway."""
    trip, phone = Trip(), Walker(door, marks)
    try:
        _tells(phone, marks, trip, lambda: _receipt_in(phone.page, settings, engine))
        _knocks(door, marks, trip, lies)
        _comes_back(phone, trip, marks)
    finally:
        trip.walked = phone.walked
        with suppress(NoTrial):
            _erases(Walker(door, marks), trip)
        _erase_here(settings, engine, trip)
    return trip


def _tells(phone: Phone, marks: Marks, trip: Trip, read_receipt: Callable[[], Receipt]) -> None:
    words = f"{TEST} {marks.words} {'relleno ' * LONGEST_TEXT}"[: LONGEST_TEXT - 100] + f" {marks.words}"
    phone.asks("POST", "/es/contar", go="begin")
    for _ in route({"length": SHORT}):
        phone.asks("POST", "/es/contar", go="next", narrative=words)
    trip.receipt = read_receipt()
    team = re.search(r'name="team"[^>]*value="([0-9]+)"', phone.page)
    phone.asks("POST", "/es/contar", go="send", **({"team": team[1]} if team else {}))
    if 'class="c-digits"' not in phone.page:
        raise NoTrial(T_("the report was not taken."))


def _receipt_in(page: str, settings: Settings, engine: Engine) -> Receipt:
    """The receipt that travels, sealed, in the page before it is sent; opened with the secret of this server."""
    ticket = re.search(r'name="t" value="([^"]+)"', page)
    sealed = unescape(ticket[1] if ticket else "")
    try:
        with looking(engine) as db:
            seeds = day_seeds.seeds(db)
        opened = tickets.read_ticket(seeds, settings.server_secret, "draft", sealed, time.time())
        return receipts.of_digits(opened.state["r"])
    except (CannotOpen, KeyError):
        raise NoTrial(
            T_("behind that address is another installation: run this where it lies, with its settings.")
        ) from None


def _knocks(door: Door, marks: Marks, trip: Trip, lies: Callable[[], bool]) -> None:
    """What only the front sees: an old link of an invitation, a code, a body that comes in two halves."""
    Walker(door, marks).asks_anyway("GET", f"/es/equipo/invitacion/{marks.link}")
    desk = Walker(door, marks)
    desk.asks_anyway("GET", "/es/equipo/invitacion")
    desk.asks_anyway("POST", "/es/equipo/invitacion", code=marks.code)
    body = urlencode({"t": "x", "narrative": f"{TEST} {marks.words} " * 2_000}).encode()[:200_000]
    line = door.line()
    with suppress(OSError, http.client.HTTPException):
        line.putrequest("POST", "/es/contar")
        for name, value in {**FORM, "User-Agent": marks.browser, "Content-Length": str(len(body))}.items():
            line.putheader(name, value)
        line.endheaders(body[:150_000])
        trip.while_sending = lies()
        line.send(body[150_000:])
        line.getresponse().read()
    line.close()


def _comes_back(phone: Walker, trip: Trip, marks: Marks) -> None:
    phone.asks("GET", "/es/volver")
    phone.asks("POST", "/es/volver", code=" ".join(trip.receipt.digits()) if trip.receipt else "")
    trip.compressed = bool(phone.headers["Content-Encoding"])
    phone.asks("POST", "/es/volver", go="write", text=f"{TEST} {marks.letter}")


def _erases(phone: Phone, trip: Trip) -> None:
    """As she would."""
    if trip.receipt is not None:
        phone.asks("GET", "/es/volver")
        for typed in ({"code": " ".join(trip.receipt.digits())}, {"go": "ask-erase"}, {"go": "erase"}):
            phone.asks("POST", "/es/volver", **typed)


def _erase_here(settings: Settings, engine: Engine, trip: Trip) -> None:
    """What the door did not let erase; then look whether it is gone."""
    if trip.receipt is None:
        trip.erased = True
        return
    stretched = store.stretch([trip.receipt], settings.pepper)
    with suppress(CannotOpen), writing(engine) as db:
        store.erase(db, store.come_back(db, stretched)[0], settings.pepper, time.time())
    checkpoint(engine)
    try:
        with reading(engine) as db:
            store.come_back(db, stretched)
    except CannotOpen:
        trip.erased = True
