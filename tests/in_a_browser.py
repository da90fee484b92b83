"""How she walks through our pages in any real browser, and the site she walks in: ours, and a page elsewhere.

What is typed and ticked here are markers: words and codes that stand nowhere else. Knows how pages look, not how a
browser is driven.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, request

from reporting.app import create_app
from reporting.teams import members
from tests import disk
from tests.browsers import Window, until
from tests.people import Clock, Place, a_furnished_place
from tests.phone import forms_on
from tests.server import free_port, in_this_process
from tests.tls import over_tls

WORDS, LETTER, HALF = "zarzamora 4417 ñandú", "carta de cardo 8890", "pluma a medias 3321"
TICKED = {"safety": "S_WEAPON", "danger": "D_STRANGLED", "violence": "PHYSICAL_ASSAULT", "consents": "C_LETTERS"}
NEED = "N_SAFETY_PLAN"  # what she looks for without telling
TYPED = [WORDS, LETTER, HALF, NEED, *TICKED.values()]
BEGIN = "main button[name=go][value=all]"  # every theme: each page of questions is walked
NEXT, LEAVE = "main .o-actions button[name=go][value=next]", ".o-bar .c-leave"
LONGEST_WALK = 20  # pages

PLAIN = '<!doctype html><html lang=en><link rel=icon href="data:,"><title>Plain</title>'


def a_plain_site() -> Flask:
    """A site that does only the usual. And the page anybody may look at."""
    app = Flask("plain")

    @app.get("/away")
    def away() -> str:
        return f"{PLAIN}<h1>Sunny</h1>"

    @app.get("/ask")
    def ask() -> str:
        return f"{PLAIN}<form method=post action=/answer><textarea name=text></textarea><button>Go</button></form>"

    @app.post("/answer")
    def answer() -> tuple[str, dict[str, str]]:
        return kept()

    @app.get("/kept")
    def kept() -> tuple[str, dict[str, str]]:
        return f"{PLAIN}<p>{WORDS}</p>", {"Cache-Control": "no-store"}

    @app.get("/link")
    def link() -> str:
        return f"{PLAIN}<a id=there href='{request.args['to']}'>There</a>"

    return app


@dataclass(frozen=True)
class Answer:
    """What a site was asked, and what it said."""

    method: str
    path: str
    status: int
    text: str

    @property
    def title(self) -> str:
        return self.text.partition("<title>")[2].partition("</title>")[0]


class Asked:
    """Stands before a site and notes every page that it is asked for; style sheets, scripts and icons are none."""

    def __init__(self, app: Any) -> None:
        self.wsgi, self.answers = app.wsgi_app, list[Answer]()
        app.wsgi_app = self

    def __call__(self, environ: Any, start: Any) -> list[bytes]:
        told: list[Any] = []
        body = b"".join(self.wsgi(environ, lambda *said: told.append(said)))
        status, headers = told[-1][:2]
        start(*told[-1])
        if not environ["PATH_INFO"].endswith((".css", ".js", ".ico")):
            text = gzip.decompress(body) if ("Content-Encoding", "gzip") in headers else body
            note = environ["REQUEST_METHOD"], environ["PATH_INFO"], int(status[:3]), text.decode()
            self.answers.append(Answer(*note))
        return [body]

    def since(self, number: int) -> list[str]:
        """What was asked after so many answers: method and path."""
        return [f"{one.method} {one.path}" for one in self.answers[number:]]


@dataclass
class Site:
    """Our pages and a plain site, with a clock that tests move. `inner` leads to ours without TLS."""

    address: str
    inner: str
    elsewhere: str
    clock: Clock
    place: Place
    asked: Asked
    asked_elsewhere: Asked


@contextmanager
def a_site(folder: Path, *, secure: bool = False) -> Iterator[Site]:
    """Both sites, running; ours over https where that is wanted."""
    place, plain, port = a_furnished_place(folder / "instance"), a_plain_site(), free_port()
    asked_elsewhere, told = Asked(plain), {"base_url": f"https://127.0.0.1:{port}"} if secure else {}
    with ExitStack() as kept:
        elsewhere = kept.enter_context(in_this_process(plain))
        ours = create_app(place.settings.with_changes(exit_url=f"{elsewhere}/away", **told), place.clock)
        asked, address = Asked(ours), kept.enter_context(in_this_process(ours))
        if secure:
            kept.enter_context(over_tls(folder, port, address))
        yield Site(told.get("base_url", address), address, elsewhere, place.clock, place, asked, asked_elsewhere)


@dataclass
class Her:
    """Somebody in front of a browser."""

    window: Window
    site: Site
    words: list[str] = field(default_factory=list)
    digits: list[str] = field(default_factory=list)

    # ── telling ─────────────────────────────────────────────────────────────────────────────────────────────

    def begins(self) -> None:
        self.window.goes_to(f"{self.site.address}/es/antes")
        self.window.presses(BEGIN)

    def marks(self, **answers: str) -> None:
        for name, value in answers.items():
            choice = f"input[name={name}][value={value}]"
            self._unfolds(choice)
            self.window.ticks(choice)

    def _unfolds(self, hidden: str) -> None:
        """Open the fold that hides it, if there is one."""
        if self.window.has(folded := f"details:not([open]):has({hidden})>summary"):
            self.window.unfolds(folded)

    def goes_on(self) -> None:
        self.window.presses(NEXT)

    def goes_on_to(self, name: str) -> None:
        """To the page that asks this, or has this button."""
        for _ in range(LONGEST_WALK):
            if any(name in form.kinds or ("go", name) in form.buttons for form in self.forms()):
                return
            self.goes_on()
        raise AssertionError(f"no page with {name}")

    def answers(self, name: str) -> list[str]:
        """What stands in a field of the page, as the server sent it."""
        return [value for form in self.forms() for value in form.values.get(name, [])]

    def forms(self) -> Any:
        return forms_on(self.window.reads())

    def tells(self) -> None:
        """Everything that is searched for, up to the last page of questions."""
        self.begins()
        self.marks(safety=TICKED["safety"], danger=TICKED["danger"])
        self.goes_on()
        self.goes_on_to("violence")
        self.marks(violence=TICKED["violence"])
        self.goes_on_to("narrative")

    def tells_in_words(self) -> None:
        """To the page where all is read through before it is sent."""
        self.tells()
        self.marks(consents=TICKED["consents"])
        self.window.fills("textarea[name=narrative]", WORDS)
        self.goes_on()
        assert WORDS in self.window.reads()

    def sends(self) -> None:
        self.tells_in_words()
        self.window.presses("button[value=send]")
        self.reads_her_code()

    def reads_her_code(self) -> None:
        text = self.window.reads()
        self.words, self.digits = (
            re.findall(r"<span>(.*?)</span>", re.search(rf'<p class="c-{part}">(.*?)</p>', text, re.DOTALL)[1])  # type: ignore[index]
            for part in ("words", "digits")
        )
        assert (len(self.words), len(self.digits)) == (7, 7)

    # ── coming back, leaving ────────────────────────────────────────────────────────────────────────────────

    def comes_back(self, code: str = "") -> None:
        """By the box on the page of its own."""
        self.window.goes_to(f"{self.site.address}/es/volver")
        self.window.fills("#f-code", code or " ".join(self.words))
        self.window.presses("form.c-box button, form:has(#f-code) button")

    def writes(self, text: str) -> None:
        self._unfolds("textarea[name=text]")
        self.window.fills("textarea[name=text]", text)
        self.window.presses("button[value=write]")

    def leaves(self) -> None:
        self.window.presses(LEAVE)
        until(lambda: self.window.here().endswith("/away"), "the page that anybody may look at")

    def looks_for_help(self, need: str) -> None:
        self.window.goes_to(f"{self.site.address}/es/ayuda")
        self.window.ticks(f"input[name=needs][value={need}]")
        self.window.presses("button[form=look]")  # the one below what she ticked: the other lies under the bar

    # ── what somebody else sees ─────────────────────────────────────────────────────────────────────────────

    def markers(self) -> list[str]:
        return [*TYPED, *disk.of_a_receipt(self.words, self.digits)]


def is_written(window: Window) -> None:
    """Wait until the browser has put the page she is on into its list of open tabs: it does so seconds later."""
    here = window.here()
    until(lambda: any("ession" in line for line in disk.found(window.folder, [here])), f"{here} is in the session file")


def signs_in(window: Window, site: Site) -> None:
    """Rosa of the casework team, first with a slip of the finger."""
    rosa = site.place.workers["rosa"]
    window.goes_to(f"{site.address}/es/equipo")
    for password in (rosa.password + " mal", rosa.password):
        site.clock.on(minutes=1)
        window.fills("input[name=name]", rosa.name)
        window.fills("input[name=password]", password)
        window.fills("input[name=code]", members.totp_code(rosa.totp, site.clock()))
        window.presses("form:has(input[name=password]) button")
    assert "/equipo/" in window.here()
