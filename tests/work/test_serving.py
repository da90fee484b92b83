"""The web server: who is slow keeps nobody waiting, what comes together is answered in order, all in her words."""

from __future__ import annotations

import html
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reporting.web.errors import ERRORS
from reporting.web.limits import LARGEST_BODY
from tests.people import a_furnished_place
from tests.server import PATIENCE, Server, running
from tests.trips import say

GET = b"GET /es/antes HTTP/1.1\r\nHost: %s\r\n\r\n"
ALREADY_THERE = 40  # people who began to send and did not end


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = a_furnished_place(tmp_path_factory.mktemp("serving"))
    with running(place.settings.instance) as server:
        yield server


def a_line(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE)


def host(server: Server) -> bytes:
    return f"127.0.0.1:{server.port}".encode()


def answers(line: socket.socket, count: int) -> bytes:
    """What came back, up to the end of so many answers."""
    came = b""
    while came.count(b"</html>") < count:
        more = line.recv(65_536)
        assert more, came
        came += more
    return came


def test_who_sends_slowly_keeps_nobody_waiting(server: Server) -> None:
    slow = [a_line(server) for _ in range(ALREADY_THERE)]
    for number, line in enumerate(slow):
        head = b"POST /es/contar HTTP/1.1\r\nHost: %s\r\nContent-Length: 500\r\n\r\nt=" % host(server)
        line.sendall(head[: 20 + number * 3])
    quick = a_line(server)
    quick.sendall(GET % host(server))
    assert answers(quick, 1).startswith(b"HTTP/1.1 200")
    for line in (*slow, quick):
        line.close()


def test_who_does_not_read_the_answers_keeps_nobody_waiting(server: Server) -> None:
    deaf = a_line(server)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.settimeout(0.2)
    try:
        for _ in range(500):
            deaf.sendall(GET % host(server))
    except TimeoutError:
        pass  # she is full too: the server does not read on before its answers are taken
    quick = a_line(server)
    quick.sendall(GET % host(server))
    assert answers(quick, 1).startswith(b"HTTP/1.1 200")
    deaf.close()
    quick.close()


def test_requests_that_come_together_are_answered_in_order(server: Server) -> None:
    line = a_line(server)
    asked = [b"GET /es/antes", b"GET /en/antes", b"GET /es/nada", b"GET /es/"]
    line.sendall(b"".join(b"%s HTTP/1.1\r\nHost: %s\r\n\r\n" % (one, host(server)) for one in asked))
    came = answers(line, len(asked))
    assert [part[:3] for part in came.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"404", b"203"]
    assert [part.split(b'"')[0] for part in came.split(b'<html lang="')[1:]] == [b"es", b"en", b"es", b"es"]
    line.close()


def test_who_asks_first_whether_to_go_on_is_told_so(server: Server) -> None:
    line = a_line(server)
    body = b"go=next"
    line.sendall(
        b"POST /es/contar HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" % (host(server), len(body))
    )
    assert line.recv(100).startswith(b"HTTP/1.1 100")
    line.sendall(body)
    assert answers(line, 1).startswith(b"HTTP/1.1 410")
    line.close()


def a_form(server: Server, length: int, address: bytes = b"/en/contar") -> bytes:
    return (
        b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n\r\n" % (address, host(server), length)
    )


@pytest.mark.parametrize("length", [LARGEST_BODY + 1, 1024 * 1024, 5 * 1024 * 1024])
def test_too_much_at_once_is_told_in_her_language_however_much_it_is(server: Server, length: int) -> None:
    line = a_line(server)
    line.sendall(a_form(server, length) + b"narrative=" + b"x" * (length - 10) + GET % host(server))
    came = answers(line, 2)
    assert came.startswith(b"HTTP/1.1 413")
    assert b'<html lang="en"' in came
    assert ERRORS[413].encode() in came
    assert b"HTTP/1.1 200" in came, "the line goes on where her text ended"
    line.close()


def test_what_is_too_much_is_read_and_not_kept(server: Server) -> None:
    before = memory_of(server)
    lines = [a_line(server) for _ in range(20)]
    for line in lines:
        line.sendall(a_form(server, 8 * 1024 * 1024) + b"x" * 6 * 1024 * 1024)
    quick = a_line(server)
    quick.sendall(GET % host(server))
    answers(quick, 1)
    assert memory_of(server) - before < 40 * 1024 * 1024
    for line in (*lines, quick):
        line.close()


def memory_of(server: Server) -> int:
    """Bytes in memory now, of all its processes."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not say how much memory a process holds")
    told = [Path(f"/proc/{one}/status").read_text("ascii") for one in (server.process.pid, *server.processes())]
    return sum(int(one.split("VmRSS:")[1].split()[0]) for one in told) * 1024


NO_REQUESTS = {
    "no request at all": (b"zzmarkerzz\r\n\r\n", 400),
    "a control sign": (b"GET /es/ HTTP/1.1\r\nHost: x\r\nzzmarkerzz: \x01\r\n\r\n", 400),
    "a length that is none": (b"POST /es/ HTTP/1.1\r\nContent-Length: zzmarkerzz\r\n\r\n", 400),
    "a length that no number holds": (b"POST /es/ HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
    "an address that cannot be taken apart": (b"GET http://[zzmarkerzz HTTP/1.1\r\n\r\n", 400),
    "a coding nobody knows": (b"POST /es/ HTTP/1.1\r\nTransfer-Encoding: zzmarkerzz\r\n\r\n", 400),
    "pieces that are none": (b"POST /es/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzzmarkerzz\r\n", 400),
    "a piece that does not begin": (b"POST /es/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 9000, 400),
    "a head that does not end": (b"GET /es/ HTTP/1.1\r\nX: " + b"zzmarkerzz" * 30_000, 400),
    "more than we read": (b"POST /es/ HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
}


@pytest.mark.parametrize(("sent", "code"), NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_gets_a_short_page_that_repeats_nothing(server: Server, sent: bytes, code: int) -> None:
    line = a_line(server)
    line.sendall(sent)
    came = answers(line, 1)
    assert came.startswith((b"HTTP/1.1 %d " % code, b"HTTP/1.0 %d " % code))
    assert say(ERRORS[code]) in html.unescape(came.decode())
    assert b'<html lang="es"' in came
    assert b"no-store" in came
    assert b"zzmarkerzz" not in came
    assert b"waitress" not in came.lower()
    assert b"\r\nserver" not in came.lower()
    assert b"zzmarkerzz" not in server.log.read_bytes()
    line.close()


def test_a_head_made_to_be_read_slowly_keeps_nobody_waiting(server: Server) -> None:
    """The library alone takes more than a second for each of these, and nobody else is answered meanwhile."""
    slow, quick = [a_line(server) for _ in range(8)], a_line(server)
    begin = time.monotonic()
    for line in slow:
        line.sendall(b"GET /es/ HTTP/1.1\r\nX:" + b" " * 15_900 + b"\x01\r\n\r\n")
    quick.sendall(GET % host(server))
    for line in (*slow, quick):
        answers(line, 1)
        line.close()
    assert time.monotonic() - begin < 4
