"""A hundred thousand bent requests: each gets words and a 4xx, never a 500; nothing of it is kept, shown or logged.

The suite sends a share, always the same; AMPARO_HOSTILE says how many. By hand, with a table of what was reached:
python -m tests.test_hostile 80000 20000 [seed] (in the process; over real lines)
"""

# ruff: noqa: E501 -- tables of odd things are read across
from __future__ import annotations

import contextlib
import io
import logging
import os
import random
import re
import socket
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import unquote_to_bytes

import pytest
from flask import Flask
from werkzeug.test import run_wsgi_app

from reporting.app import create_app
from reporting.storage.database import writing
from reporting.teams import accounts, staff_sessions
from reporting.teams.accounts import Invitation
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR
from reporting.web import limits
from tests import server
from tests.hostile import MARK, Gathered, Hostile, Shot, as_text, gather, judge
from tests.pages.test_casework import RAPE, a_service
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.trips import signs_in, starts_telling

SHARE = int(os.environ.get("AMPARO_HOSTILE", "400"))
A_WHILE = 500  # seconds: gathering what can be asked moves the clock on by less
SEED, ROUND = 8, 100  # after a round everything is put back: what was erased, dismissed or used up
REACHED = {200, 203, 204, 206, 409, 410, 422}  # what only a room behind the door answers
FILES = {"directory.bring", "directory.edit", "directory.confirm", "directory.called", "directory.flag"}


# ── the house that is attacked ──────────────────────────────────────────────────────────────────────────────


@dataclass
class House:
    """A house with everything in it, and the way back to how it was."""

    place: Place
    app: Flask
    found: Gathered = field(init=False)

    def __post_init__(self) -> None:
        case = self.place.receives(RAPE, MARK.upper())
        self.place.receives()
        rosa = signs_in(self.app, self.place, self.place.workers["rosa"])
        rosa.opens("/es/equipo/casos")
        rosa.opens(rosa.text.split('class="c-card queue-unread"')[1].split('href="', 1)[1].split('"', 1)[0])
        rosa.presses("propose", service=a_service(self.app, self.place, "N_PEP"), need="N_PEP", fields=["violence"])
        with writing(self.place.engine) as db:
            token = accounts.invite(
                db,
                self.place.actor(db, "rosa"),
                Invitation("nueva", (CASE_WORKER,)),
                self.place.settings.pepper,
                self.place.clock(),
            )
        self.words = " ".join(case.words("es"))
        self._keep()
        self.found = gather(self.app, self.place, self.restore)
        self._gathers_what_can_be_sent_again()
        self._gathers_her_case()
        begins = Phone(self.app, cookies=True)
        begins.opens("/es/equipo/invitacion")
        begins.sends("code", code=token)
        proofs = {"password": ["una que es bastante larga"], "code": ["000000"]} | begins.form(holding="t").values
        self.found.takes("", "POST", "/es/equipo/invitacion", {"code": [token]})
        self.found.takes("", "POST", "/es/equipo/invitacion/empezar", proofs)
        door = {"name": ["rosa"], "password": ["x"], "code": ["000000"]}
        self.found.takes("", "POST", "/es/equipo", door)
        self._gathers_cases()
        for name in ("carmen", "ana"):
            self._sits(name, signs_in(self.app, self.place, self.place.workers[name]))
        self._keep()

    def _keep(self) -> None:
        self.now = self.place.clock.now
        self.files = {path: path.read_bytes() for path in (self.place.settings.pin_file,) if path.exists()}
        self.kept = sqlite3.connect(":memory:")
        with contextlib.closing(sqlite3.connect(self._database)) as live:
            live.backup(self.kept)

    def _sits(self, name: str, desk: Phone) -> None:
        """From now on her requests are those of this sitting, with the word that its forms carry."""
        cookie = desk.client.get_cookie("t")
        assert cookie
        old, new = staff_sessions.form_token(self.found.cookies[name]), staff_sessions.form_token(cookie.value)
        self.found.cookies[name] = cookie.value
        for kept in self.found.requests.values():
            kept[:] = [
                replace(
                    one, fields=tuple((field, new if value.startswith(old) else value) for field, value in one.fields)
                )
                for one in kept
            ]

    def _gathers_what_can_be_sent_again(self) -> None:
        """The sealed field of a request that was refused because of too many."""
        with mock.patch.dict(limits.A_MINUTE, {limits.TURNING: 3}):
            phone = starts_telling(create_app(self.place.settings, self.place.clock))
            for _ in range(4):
                phone.presses("next") if phone.status == 203 else None
            self.found.reads("", phone.path, phone.text)

    def _gathers_her_case(self) -> None:
        """What is asked in a case that is still there; those of the walk went when everything was put back."""
        self._forget("reporter.come_back", "consent.look", "consent.answer", "her_needs.speak_of")
        phone = Phone(self.app)
        phone.opens("/es/volver")
        phone.sends("code", code=self.words)
        assert phone.status == 203
        ahead = self.found.reads("", phone.path, phone.text)
        for good in ahead:
            told = dict(good.fields).get("go", "")
            if good.method == "POST" and told not in {"erase", "send", "start", "help"} and "salir" not in good.path:
                values: dict[str, list[str]] = {}
                for name, value in good.fields:
                    values.setdefault(name, []).append(value)
                self.found.reads("", good.path, phone.repeats(good.path, values))
        self.restore()

    def _gathers_cases(self) -> None:
        """What the page of a case offers now."""
        self._forget("casework.act", "casework.set_right", "casework.case_page", "casework.printed")
        desk = signs_in(self.app, self.place, self.place.workers["rosa"])
        desk.opens("/es/equipo/casos")
        self.found.reads("rosa", desk.path, desk.text)
        for case in sorted(set(re.findall(r"/es/equipo/caso/\d+", desk.text))):
            for page in (case, f"{case}/respuestas/0", f"{case}/respuestas/3", f"{case}/relato"):
                self.found.takes("rosa", "GET", page, {})
                desk.opens(page)
                self.found.reads("rosa", page, desk.text)
        self._sits("rosa", desk)

    def _forget(self, *endpoints: str) -> None:
        for endpoint in endpoints:
            self.found.requests.pop((endpoint, "POST"), None)
            self.found.requests.pop((endpoint, "GET"), None)
            self.found.seen = {kind for kind in self.found.seen if endpoint not in kind}

    @property
    def _database(self) -> Path:
        return self.place.settings.instance / "amparo.db"

    def restore(self) -> None:
        with contextlib.closing(sqlite3.connect(self._database, timeout=30)) as live:
            live.execute("PRAGMA synchronous=OFF")
            self.kept.backup(live)
        for path, told in self.files.items():
            path.write_bytes(told)
        self.place.clock.now = self.now


def furnished(folder: Path, now: float | None = None) -> House:
    place = a_furnished_place(folder)
    if now is not None:
        place.clock.now = now
    place.hires("carmen", COORDINATOR)
    place.hires("ana", ADVOCATE)
    return House(place, create_app(place.settings, place.clock))


# ── in the process ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Told:
    """What came of it: endpoint and kind of answer -> how often; what was wrong."""

    table: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reached: int = 0
    sent: int = 0
    wrong: list[str] = field(default_factory=list)

    def note(self, shot: Shot, status: int, wrong: list[str], leads_to: str = "") -> None:
        self.sent += 1
        self.reached += status in REACHED or (status == 303 and not at_the_door(leads_to))
        self.table[f"{shot.good.method:4} {shot.good.endpoint}"][
            f"{status // 100}xx" if status < 500 else str(status)
        ] += 1
        self.table["all"][str(status)] += 1
        self.wrong += [f"{one}: {status} {as_text(shot)}" for one in wrong]

    def in_words(self) -> str:
        lines = [
            f"{name:34} " + "  ".join(f"{kind} {count:6}" for kind, count in sorted(row.items()))
            for name, row in sorted(self.table.items())
        ]
        share = f"{self.sent} sent, {self.reached} ({self.reached / max(1, self.sent):.0%}) answered by a room behind the door"
        return "\n".join([*lines, share, f"{len(self.wrong)} wrong", *self.wrong[:40]]) + "\n"


def at_the_door(address: str) -> bool:
    """Sent to the page for signing in: no room was reached, and the sitting may be over."""
    return address.endswith("/equipo")


def as_a_server_hands_it_over(shot: Shot, address: str) -> dict[str, Any]:
    target, _, query = shot.target.partition(b"#")[0].partition(b"?")
    target = b"/" + target.split(b"/", 3)[-1] if target.startswith(b"http://") else target
    environ = {
        "REQUEST_METHOD": shot.method,
        "PATH_INFO": unquote_to_bytes(target).decode("latin-1"),
        "SCRIPT_NAME": "",
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": address,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(shot.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "HTTP_HOST": "localhost",
        "CONTENT_LENGTH": str(len(shot.body)),
    }
    for name, value in shot.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value.decode("latin-1")
    length = str(environ["CONTENT_LENGTH"])
    environ["CONTENT_LENGTH"] = length if length.isascii() and length.isdigit() else str(len(shot.body))
    return environ


def attack(house: House, count: int, seed: int) -> Told:
    """So many requests, each looked at."""
    hostile, told, filed, cases, over = Hostile(house.found, seed), Told(), set[str](), 0, False
    for number in range(count):
        if number % ROUND == 0 or over:
            house.restore()
            filed, cases, over = set(), house.place.cases(), False
        shot = hostile.draw()
        environ = as_a_server_hands_it_over(shot, f"127.{number % 200}.{number // 200 % 200}.9")
        pieces, status, headers = run_wsgi_app(house.app, environ, buffered=True)
        body = b"".join(pieces)
        wrong = judge(shot, int(status.split()[0]), headers.items(), body)
        if "/equipo/p/" in headers.get("Location", ""):
            wrong += _of_the_page(house, shot, environ, headers["Location"])
        now = house.place.cases()
        if now > cases:
            wrong += _why_a_case(shot, house.found.sealed, filed, now - cases)
        cases = now
        over = at_the_door(headers.get("Location", "")) and shot.good.who != ""
        told.note(shot, int(status.split()[0]), wrong, headers.get("Location", ""))
    return told


def _of_the_page(house: House, shot: Shot, environ: dict[str, Any], address: str) -> list[str]:
    """What is wrong with the page that the answer leads to."""
    walked = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": address,
        "QUERY_STRING": "",
        "CONTENT_LENGTH": "0",
        "wsgi.input": io.BytesIO(),
        "HTTP_SEC_FETCH_SITE": "same-origin",
    }
    pieces, status, headers = run_wsgi_app(house.app, environ | walked, buffered=True)
    led = replace(shot, method="GET", target=address.encode())
    return judge(led, int(status.split()[0]), headers.items(), b"".join(pieces))


def _why_a_case(shot: Shot, sealed: set[str], filed: set[str], count: int) -> list[str]:
    """A report is filed with a ticket that a page of ours gave out, once, and from no foreign page."""
    in_it = [ticket for ticket in sealed if ticket.encode()[:-1] in shot.body]
    wrong = [] if in_it and count == 1 else ["a case without a ticket"]
    wrong += ["a case from a foreign page"] if shot.forged else []
    wrong += ["a second case with one ticket"] if in_it and set(in_it) <= filed else []
    filed.update(in_it)
    return wrong


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return furnished(tmp_path_factory.mktemp("hostile") / "instance", time.time() - A_WHILE)


def test_bent_requests_get_words_and_leave_nothing(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    told = attack(house, SHARE, SEED)
    assert not told.wrong, told.in_words()
    assert told.reached > SHARE / 2, told.in_words()
    assert MARK not in caplog.text
    posts = {name for name, method in house.found.requests if method == "POST"}
    assert {
        "reporter.take_step",
        "reporter.come_back",
        "casework.act",
        "assisted_report.take_step",
        "consent.look",
    } <= posts


def test_a_seed_draws_the_same_requests_again(house: House) -> None:
    first, second = (Hostile(house.found, SEED) for _ in range(2))
    assert [first.draw() for _ in range(200)] == [second.draw() for _ in range(200)]


# ── over real lines ─────────────────────────────────────────────────────────────────────────────────────────


def wires(raw: bytes, chance: random.Random) -> tuple[list[bytes], bool]:
    """A request as somebody hostile puts it on a line: the pieces in order, and whether an answer is due."""
    head, _, body = raw.partition(b"\r\n\r\n")
    cut, kind = chance.randrange(1, len(raw)), chance.randrange(16)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (body[:9], body[9:]) if one)
    without = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length"))
    bent: dict[int, tuple[list[bytes], bool]] = {
        8: ([raw[:cut]], False),  # half of it
        9: ([raw[:1], raw[1:9], raw[9:cut], raw[cut:]], True),
        10: ([raw.replace(b"Connection: close\r\n", b"", 1) + raw], True),  # two at once
        11: ([without + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"], True),
        12: ([without + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"ZZ\r\n" + MARK.encode()], True),
        13: ([head + b"\r\nX: " + MARK.encode() * 3000 + b"\r\n\r\n" + body], True),
        14: ([without + b"\r\nContent-Length: %d\r\n\r\n" % (len(body) // 2) + body], True),
        15: ([head + b"\r\nX-zz:\r\n " + MARK.encode() + b"\x01\n\r\r\n\r\n" + body], True),
    }
    return bent.get(kind, ([raw], True))


def over_a_line(port: int, pieces: list[bytes], address: str, *, answer: bool) -> bytes | None:
    """What came back until the line was closed; None where we did not wait."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    line.bind((address, 0))
    line.settimeout(0.4 if not answer else 20)
    came = b""
    with contextlib.closing(line):
        try:
            line.connect(("127.0.0.1", port))
            for piece in pieces:
                line.sendall(piece)
            while answer:
                more = line.recv(65_536)
                came += more
                if not more or _is_whole(came):
                    return came
        except ConnectionError:
            return came
        except TimeoutError:
            return None  # it waits for the rest of a body that never comes
    return None


def _is_whole(came: bytes) -> bool:
    head, blank, body = came.partition(b"\r\n\r\n")
    length = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    return bool(blank) and bool(length) and len(body) >= int(length[0])


def taken_apart(came: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    head, _, body = came.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [(line.split(": ", 1)[0], line.split(": ", 1)[-1]) for line in lines]
    length = dict(pairs).get("Content-Length", "")
    return int(first.split()[1]), pairs, body[: int(length)] if length else body


@contextlib.contextmanager
def attacked(house: House, workers: int = 1) -> Iterator[server.Server]:
    """A real server on a house whose sittings and tickets are of `A_WHILE` ago."""
    house.place.clock.now = house.now = time.time()
    with server.running(house.place.settings.instance, workers=workers) as running:
        yield running


def attack_over_lines(house: House, running: server.Server, count: int, seed: int) -> Told:
    hostile, told, chance = Hostile(house.found, seed), Told(), random.Random(seed)  # noqa: S311 -- as above
    for number in range(count):
        if number % ROUND == 0:
            house.restore()
        shot = hostile.draw()
        headers = {name: value for name, value in shot.headers}  # noqa: C416 -- the last one counts
        due = int(headers.get("Content-Length", b"0")) if headers.get("Content-Length", b"0").isdigit() else 0
        waits = due > len(shot.body) or headers.get("Transfer-Encoding") == b"chunked" or "Expect" in headers
        pieces, answer = wires(shot.on_the_wire(b"127.0.0.1:%d" % running.port), chance)
        came = over_a_line(
            running.port, pieces, f"127.0.{number % 200 + 2}.{number // 200 % 200 + 1}", answer=answer and not waits
        )
        if came is None:
            told.note(shot, 100, [] if waits or not answer else ["no answer"])
        elif not came.startswith(b"HTTP/1."):
            told.note(shot, 0, ["hung up without a word"] if answer else [])
        else:
            status, pairs, body = taken_apart(came)
            told.note(shot, status, judge(shot, status, pairs, body), dict(pairs).get("Location", ""))
    return told


def memory_of(pid: int) -> int:
    """MB in memory now; of a process and its children."""
    found = 0
    for one in (str(pid), *Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()):
        found += int(Path(f"/proc/{one}/status").read_text("ascii").split("VmRSS:")[1].split()[0]) // 1024
    return found


def test_bent_requests_over_real_lines_get_words_and_leave_nothing(house: House) -> None:
    with attacked(house) as running:
        told = attack_over_lines(house, running, SHARE // 4, SEED)
        assert running.process.poll() is None
    assert not told.wrong, told.in_words()
    assert MARK.encode() not in running.log.read_bytes()
    assert b"Traceback" not in running.log.read_bytes()


if __name__ == "__main__":
    import tempfile

    inside, outside, seed = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else SEED
    heard = io.StringIO()
    logging.basicConfig(stream=heard, level=logging.DEBUG)
    with tempfile.TemporaryDirectory() as somewhere:
        if inside:
            made = furnished(Path(somewhere) / "instance")
            heard.truncate(0)
            attack(made, 800, seed + 100)
            before = memory_of(os.getpid())
            begun = time.monotonic()
            sys.stdout.write(attack(made, inside, seed).in_words())
            sys.stdout.write(f"{time.monotonic() - begun:.0f} s; memory {before} -> {memory_of(os.getpid())} MB; ")
            sys.stdout.write(f"the mark stands in the log: {MARK in heard.getvalue()}\n")
        if outside:
            made = furnished(Path(somewhere) / "lines", time.time() - A_WHILE)
            with attacked(made, workers=2) as one:
                attack_over_lines(made, one, 500, seed + 1)
                before = memory_of(one.process.pid)
                begun = time.monotonic()
                sys.stdout.write(attack_over_lines(made, one, outside, seed).in_words())
                sys.stdout.write(
                    f"{time.monotonic() - begun:.0f} s; memory {before} -> {memory_of(one.process.pid)} MB; "
                )
                sys.stdout.write(f"the mark stands in the log: {MARK.encode() in one.log.read_bytes()}\n")
                sys.stdout.write(one.log.read_text("utf-8")[:2000])
