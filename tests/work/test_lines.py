"""Open lines: who keeps the server waiting is let go, and nobody holds so many that others find none."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from reporting.app import create_app
from reporting.config import BadSettings
from reporting.operations import server as web_server
from reporting.operations.apart.lobby import Lobby
from reporting.operations.apart.turns import Turns
from reporting.operations.server import HEAD_WITHIN, IDLE, LEAST_RATE
from reporting.web.limits import is_costly, network_of
from tests.people import a_furnished_place

WHOLE = b"GET /es/antes HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /es/contar HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@dataclass
class Here:
    """A server in this process, which goes on only when it is told to, with a clock that can be moved."""

    app: Flask
    door: socket.socket
    lobby: Lobby
    lines: dict[int, Any] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)
    ahead: float = 0.0

    def goes_on(self, seconds: float = 0.0) -> None:
        """So many seconds later it looks again, and reads whatever is there."""
        self.ahead += seconds
        for _ in range(20):
            web_server.look(self.lines, self.turns, self.lobby, time.monotonic() + self.ahead, patience=0.01)

    def line(self, sent: bytes = b"") -> socket.socket:
        line = socket.create_connection(self.door.getsockname(), 5)
        line.sendall(sent)
        self.goes_on()
        return line


def is_closed(line: socket.socket) -> bool:
    """Whether the server has let go of it; what it answered before does not count."""
    line.setblocking(False)
    with contextlib.suppress(BlockingIOError, ConnectionResetError):
        while line.recv(65_536):
            pass
        return True
    try:
        line.recv(1)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    return True


@contextlib.contextmanager
def listening(folder: Path, **settings: str) -> Iterator[Here]:
    place = a_furnished_place(folder, **settings)
    door = socket.create_server(("127.0.0.1", 0))
    here = Here(create_app(place.settings, place.clock), door, Lobby(most=12, share=4))
    web_server.listen(here.app, place.settings, door, here.lines, here.turns, here.lobby)
    yield here
    for line in list(here.lines.values()):
        line.close()
    door.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with listening(tmp_path / "instance") as here:
        yield here


@pytest.fixture
def behind_tor(tmp_path: Path) -> Iterator[Here]:
    """As tor sends to it: each line begins with the number of its circuit."""
    with listening(tmp_path / "instance", TRUSTED_PROXY="127.0.0.1", PROXY_PROTOCOL="1") as here:
        yield here


@pytest.mark.parametrize("begun", [b"", b"G", WHOLE[:-2], WHOLE + b"GET /es"])
def test_a_head_that_is_not_there_after_twenty_seconds_is_not_waited_for(here: Here, begun: bytes) -> None:
    line = here.line(begun)
    here.goes_on(HEAD_WITHIN - 1)
    assert not is_closed(line)
    here.goes_on(2)
    assert is_closed(line)


def test_a_body_comes_at_a_least_rate_and_a_bad_line_is_fast_enough(here: Here) -> None:
    head = POST + b"Content-Length: 200000\r\n\r\n"
    slow, steady = here.line(head + b"t" * 100), here.line(head)
    for _ in range(10):
        here.goes_on(6)
        with contextlib.suppress(OSError):
            steady.sendall(b"t" * 6 * LEAST_RATE)
    here.goes_on()
    assert is_closed(slow)
    assert not is_closed(steady)


def test_between_two_requests_a_line_may_rest_for_a_minute(here: Here) -> None:
    line = here.line(WHOLE)
    here.goes_on(IDLE - 5)
    assert not is_closed(line)
    here.goes_on(10)
    assert is_closed(line)


def test_of_too_many_lines_of_one_sender_the_oldest_that_waits_falls(here: Here) -> None:
    lines = [here.line(b"POST") for _ in range(6)]
    assert [is_closed(line) for line in lines] == [True, True, False, False, False, False]
    assert len(here.lobby) == 4
    answered = here.line(WHOLE)
    assert not is_closed(answered)
    for line in (*lines, answered):
        line.close()
    here.goes_on()
    assert len(here.lobby) == 0


class Waiting:
    """A line that waits for its sender, as far as a lobby looks at it."""

    def __init__(self, lobby: Lobby, sender: str, requests: int = 0) -> None:
        self.requests = [None] * requests  # there whole, and not answered yet
        self.lobby, self.sender, self.closed = lobby, sender, False
        lobby.came(self)  # type: ignore[arg-type]

    @property
    def keeps_waiting(self) -> bool:
        return not self.requests

    def handle_close(self) -> None:
        self.closed = True
        self.lobby.went(self)  # type: ignore[arg-type]


def test_however_many_senders_there_are_the_newest_finds_a_line() -> None:
    lobby = Lobby(most=100, share=12)
    lines = [Waiting(lobby, f"10.0.0.{number % 250}") for number in range(2300)]
    assert len(lobby) == 100
    assert not lines[-1].closed
    assert [line.closed for line in lines].count(False) == 100


def test_a_flood_of_guesses_that_wait_for_their_turn_keeps_nobody_behind_its_address_out() -> None:
    lobby = Lobby(most=100, share=12)
    guesses = [Waiting(lobby, "10.0.0.1", requests=1) for _ in range(20)]
    assert [line.closed for line in guesses] == [True] * 8 + [False] * 12
    she = Waiting(lobby, "10.0.0.1")
    assert (she.closed, guesses[8].closed, len(lobby)) == (False, True, 12)


def test_a_household_of_the_newer_addresses_counts_as_one_and_a_circuit_of_an_onion_apart() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:190.1.2.3") == network_of("190.1.2.3") != network_of("190.1.2.4")
    assert network_of("fc00:dead:beef:4dad::aa:1") != network_of("fc00:dead:beef:4dad::aa:2")
    assert network_of("") == ""
    assert network_of("unix") == "unix"


def test_the_server_in_front_says_who_sends_and_how(behind_nginx: Here) -> None:
    seen: list[tuple[str, str]] = []
    behind_nginx.app.before_request(lambda: seen.append((request.remote_addr or "", request.scheme)))
    behind_nginx.line(of("10.0.0.1", WHOLE))
    assert seen == [("10.0.0.1", "https")]


@pytest.fixture
def behind_nginx(tmp_path: Path) -> Iterator[Here]:
    """As a server in front sends to it: one address, and each request says whose it is."""
    with listening(tmp_path / "instance", TRUSTED_PROXY="127.0.0.1") as here:
        yield here


def of(sender: str, begun: bytes) -> bytes:
    """A request as the server in front hands it on for this sender."""
    head, end, body = begun.partition(b"\r\n\r\n")
    said = b"\r\nX-Forwarded-For: %s\r\nX-Forwarded-Proto: https" % sender.encode()
    return head + said + end + body


LONG_BODY = POST + b"Content-Length: 200000\r\n\r\n"


def test_a_slow_sender_holds_no_line_of_the_server_in_front_and_a_bad_line_is_fast_enough(behind_nginx: Here) -> None:
    head = behind_nginx.line(of("10.0.0.1", LONG_BODY)[:-4])
    slow = behind_nginx.line(of("10.0.0.1", LONG_BODY + b"t" * 100))
    steady = behind_nginx.line(of("10.0.0.2", LONG_BODY))
    for _ in range(10):
        behind_nginx.goes_on(6)
        with contextlib.suppress(OSError):
            steady.sendall(b"t" * 6 * LEAST_RATE)
    behind_nginx.goes_on()
    assert [is_closed(line) for line in (head, slow, steady)] == [True, True, False]


def test_of_too_many_unfinished_requests_of_one_sender_behind_the_server_in_front_the_oldest_falls(
    behind_nginx: Here,
) -> None:
    other = behind_nginx.line(of("10.0.0.2", LONG_BODY))
    lines = [behind_nginx.line(of("10.0.0.1", LONG_BODY)) for _ in range(6)]
    assert [is_closed(line) for line in lines] == [True, True, False, False, False, False]
    assert not is_closed(other)
    she = behind_nginx.line(of("10.0.0.3", WHOLE))
    assert she.recv(65_536).startswith(b"HTTP/1.1 200")


def test_however_many_slow_senders_come_through_the_server_in_front_the_newest_finds_a_line(
    behind_nginx: Here,
) -> None:
    rests = behind_nginx.line(of("10.0.0.9", WHOLE))
    rests.recv(65_536)
    rests.sendall(of("10.0.0.9", LONG_BODY))  # an old line with a new request is not the oldest that is waited for
    slow = [behind_nginx.line(of(f"10.0.0.{number // 4}", LONG_BODY)) for number in range(40)]
    rests.sendall(b"t")
    assert len(behind_nginx.lobby) == 12
    assert [is_closed(line) for line in slow].count(False) == 12
    she = behind_nginx.line(of("10.0.0.77", WHOLE))
    assert she.recv(65_536).startswith(b"HTTP/1.1 200")


def test_a_line_that_the_server_in_front_keeps_is_nobodys_between_requests_and_is_not_closed(
    behind_nginx: Here,
) -> None:
    kept = [behind_nginx.line(of("10.0.0.1", WHOLE)) for _ in range(6)]
    behind_nginx.goes_on(10 * IDLE)
    assert [is_closed(line) for line in kept] == [False] * 6
    kept[0].sendall(of("10.0.0.2", WHOLE))
    behind_nginx.goes_on()
    kept[0].setblocking(True)
    assert kept[0].recv(65_536).startswith(b"HTTP/1.1 200")


def test_a_line_that_begins_anew_is_not_the_oldest_that_is_waited_for(here: Here) -> None:
    hers = here.line(WHOLE)
    slow = [here.line(b"POST") for _ in range(3)]
    hers.sendall(POST)
    here.goes_on()
    here.line(b"POST")
    assert [is_closed(line) for line in (hers, *slow)] == [False, True, False, False]


CIRCUIT = b"PROXY TCP6 fc00:dead:beef:4dad::%x:%x ::1 65535 42\r\n"


def test_behind_an_onion_each_circuit_is_a_sender_of_its_own(behind_tor: Here) -> None:
    flood = [behind_tor.line(CIRCUIT % (0, 1) + b"POST") for _ in range(6)]
    she = behind_tor.line(CIRCUIT % (0, 2) + WHOLE)
    assert [is_closed(line) for line in flood] == [True, True, False, False, False, False]
    assert she.recv(65_536).startswith(b"HTTP/1.1 200")
    she.sendall(WHOLE)  # named once, at the beginning of the line
    behind_tor.goes_on()
    assert she.recv(65_536).startswith(b"HTTP/1.1 200")


def test_the_application_counts_by_circuit_and_believes_no_header(behind_tor: Here) -> None:
    seen: list[str] = []
    app = behind_tor.app
    app.before_request(lambda: seen.append(request.remote_addr or ""))
    for number in (1, 2):
        said = WHOLE[:-2] + b"X-Forwarded-For: 10.0.0.9\r\n\r\n"
        behind_tor.line(CIRCUIT % (7, number) + said)
    assert seen == ["fc00:dead:beef:4dad::7:1", "fc00:dead:beef:4dad::7:2"]


def test_a_line_that_names_its_sender_may_come_in_pieces_and_not_for_ever(behind_tor: Here) -> None:
    line = behind_tor.line(b"PROXY TC")
    line.sendall((CIRCUIT % (0, 1))[8:] + WHOLE)
    behind_tor.goes_on()
    assert line.recv(65_536).startswith(b"HTTP/1.1 200")
    waits = behind_tor.line(b"PROXY TCP6 ")
    behind_tor.goes_on(HEAD_WITHIN + 1)
    assert is_closed(waits)


@pytest.mark.parametrize(
    "malformed",
    [
        WHOLE,
        b"PROXY UNKNOWN\r\n" + WHOLE,
        b"PROXY TCP4 fc00::1 ::1 1 2\r\n" + WHOLE,
        b"PROXY TCP6 10.0.0.1 ::1 1 2\r\n" + WHOLE,
        b"PROXY TCP6 fc00::1 ::1 1 99999\r\n" + WHOLE,
        b"PROXY TCP6 fc00::1 ::1 1 -2\r\n" + WHOLE,
        b"PROXY TCP6 fc00::1%eth0 ::1 1\r\n" + WHOLE,
        b"PROXY  TCP6 fc00::1 ::1 1 2\r\n" + WHOLE,
        b"proxy TCP6 fc00::1 ::1 1 2\r\n" + WHOLE,
        b"PROXY TCP6 \xff\xff ::1 1 2\r\n" + WHOLE,
        b"PROXY TCP6 " + b"f" * 200,
        b"\r\n\r\n\0\r\nQUIT\n" + WHOLE,  # version 2, which is not spoken here
    ],
)
def test_a_line_whose_sender_is_named_badly_is_closed_without_a_word(behind_tor: Here, malformed: bytes) -> None:
    line = behind_tor.line(malformed)
    line.settimeout(2)
    with contextlib.suppress(ConnectionResetError):
        assert line.recv(65_536) == b""
    assert len(behind_tor.lobby) == 0


def test_nobody_but_the_server_in_front_may_name_a_sender(behind_tor: Here) -> None:
    line = socket.create_connection(behind_tor.door.getsockname(), 2, source_address=("127.0.0.9", 0))
    with contextlib.suppress(OSError):
        line.sendall(CIRCUIT % (0, 1) + WHOLE)
    behind_tor.goes_on()
    assert is_closed(line)
    assert len(behind_tor.lobby) == 0


def test_without_the_setting_a_line_that_names_its_sender_is_no_request(here: Here) -> None:
    line = here.line(CIRCUIT % (0, 1) + WHOLE)
    assert line.recv(65_536).split()[1] == b"400"


def test_who_may_name_senders_has_to_be_said(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="TRUSTED_PROXY"):
        a_furnished_place(tmp_path / "instance", PROXY_PROTOCOL="1")


@pytest.mark.parametrize(
    "coding", [b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"]
)
def test_what_is_cut_in_pieces_twice_is_refused(here: Here, coding: bytes) -> None:
    line = here.line(POST + coding + b"\r\n\r\n5\r\nt=abc\r\n0\r\n\r\n")
    assert line.recv(65_536).split()[1] == b"400"


def test_a_body_of_120_000_fields_is_refused_before_it_is_taken_apart(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_apart: list[int] = []
    from werkzeug import formparser

    real = formparser.FormDataParser._parse_urlencoded  # noqa: SLF001 -- where it would be taken apart
    monkeypatch.setattr(
        formparser.FormDataParser, "_parse_urlencoded", lambda *parts: (taken_apart.append(1), real(*parts))[1]
    )
    body = b"&".join([b"a"] * 120_000)
    line = here.line(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    here.goes_on()
    assert line.recv(65_536).startswith(b"HTTP/1.1 413")
    assert not taken_apart


@dataclass
class Asks:
    """A line with a request, as far as turns look at it."""

    name: str
    order: list[str]
    costly: bool = True
    sender: str = "10.0.0.1"

    def is_costly(self) -> bool:
        return self.costly

    def asks_for(self) -> str:
        return self.sender

    def service(self) -> None:
        self.order.append(self.name)


def test_who_asks_for_a_page_is_answered_before_a_hundred_who_wait_to_sign_in() -> None:
    order: list[str] = []
    turns = Turns()
    for _ in range(100):
        turns.add_task(Asks("sign-in", order))
    for number in range(3):
        turns.add_task(Asks(f"page {number}", order, costly=False))
        turns.take()
    assert order == ["page 0", "sign-in", "page 1", "sign-in", "page 2", "sign-in"]
    while turns.wait:
        turns.take()
    assert order.count("sign-in") == 100


def test_who_waits_with_a_hundred_sign_ins_lets_everybody_else_go_first() -> None:
    order: list[str] = []
    turns = Turns()
    for _ in range(100):
        turns.add_task(Asks("flood", order))
    for number in (2, 3):
        turns.add_task(Asks(f"she {number}", order, sender=f"10.0.0.{number}"))
    while turns.wait:
        turns.take()
    assert order[:4] == ["flood", "she 2", "she 3", "flood"]
    assert len(order) == 102


def test_what_is_stretched_is_known_by_its_route(app: Flask) -> None:
    costly = {
        path
        for path in (
            "/es/equipo",
            "/en/volver",
            "/es/equipo/personas/7",
            "/es/equipo/yo",
            "/es/contar",
            "/es/ayuda",
            "/es/equipo/salir",
            "/nowhere",
            "/salir",
        )
        if is_costly(app, "POST", path)
    }
    assert costly == {"/es/equipo", "/en/volver", "/es/equipo/personas/7", "/es/equipo/yo"}
    assert not is_costly(app, "GET", "/es/equipo")
