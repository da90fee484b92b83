"""The web server: who is slow keeps nobody waiting, what comes together is answered in order."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.people import a_furnished_place
from tests.server import PATIENCE, Server, running

GET = b"GET /es/antes HTTP/1.1\r\nHost: %s\r\n\r\n"
ALREADY_THERE = 40  # people who began to send and did not end


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    place = a_furnished_place(tmp_path)
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
    assert [part[:3] for part in came.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"404", b"200"]
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
