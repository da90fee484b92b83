"""No reporter waits for the desk: its pages are answered by processes of their own, behind one address."""

from __future__ import annotations

import io
import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waitress import wasyncore

from reporting.app import create_app
from reporting.operations.apart.desk import Answer, Desk
from reporting.operations.server import DESK
from reporting.web.access.audience import DESK as FOR_THE_DESK
from reporting.web.access.audience import DOOR, Pages, lies_at_the_desk
from reporting.web.context import installation_of
from reporting.web.limits import LARGEST_BODY
from tests.copies import Copies, nothing_more, on_engine
from tests.people import Place, a_furnished_place
from tests.server import Server, running
from tests.work.test_durability import wait_for
from tests.work.test_serving import a_form, a_line, answers, host

DESK_PAGE, HERS = b"GET /es/equipo HTTP/1.1\r\nHost: %s\r\n\r\n", b"GET /es/antes HTTP/1.1\r\nHost: %s\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not Path("/proc/self/oom_score_adj").exists():
        pytest.skip("only Linux tells which processes belong to a server")
    place = a_furnished_place(tmp_path_factory.mktemp("separation"))
    with running(place.settings.instance) as server:
        wait_for(lambda: len(server.at_the_desk()) == DESK)
        yield server


def asks(server: Server, *requests: bytes) -> socket.socket:
    line = a_line(server)
    line.sendall(b"".join(request % host(server) for request in requests))
    return line


def to_the_desk(server: Server, sign: signal.Signals) -> None:
    for process in server.at_the_desk():
        os.kill(process, sign)


def test_while_the_desk_stands_still_reporters_are_answered_and_the_desk_is_when_it_goes_on(server: Server) -> None:
    to_the_desk(server, signal.SIGSTOP)
    try:
        waiting = [asks(server, DESK_PAGE) for _ in range(DESK * 3)]
        for _ in range(5):
            with asks(server, HERS) as line:
                assert answers(line, 1).startswith(b"HTTP/1.1 200")
    finally:
        to_the_desk(server, signal.SIGCONT)
    for line in waiting:
        assert answers(line, 1).startswith(b"HTTP/1.1 203")
        line.close()


def test_what_waits_for_a_process_of_the_desk_that_dies_is_answered_by_the_next(server: Server) -> None:
    to_the_desk(server, signal.SIGSTOP)
    waiting = [asks(server, DESK_PAGE) for _ in range(DESK)]
    with asks(server, HERS) as line:
        answers(line, 1)  # those before it were read by then
    before = server.at_the_desk()
    to_the_desk(server, signal.SIGKILL)
    for line in waiting:
        assert answers(line, 1).startswith(b"HTTP/1.1 203")
        line.close()
    wait_for(lambda: len(set(server.at_the_desk()) - set(before)) == DESK)


def test_on_one_line_pages_of_both_come_in_the_order_in_which_they_were_asked_for(server: Server) -> None:
    with asks(server, HERS, DESK_PAGE, HERS, DESK_PAGE.replace(b"/es/", b"/en/")) as line:
        came = answers(line, 4)
    assert [part[:3] for part in came.split(b"HTTP/1.1 ")[1:]] == [b"200", b"203", b"200", b"203"]
    assert [part.split(b'"')[0] for part in came.split(b'<html lang="')[1:]] == [b"es", b"es", b"es", b"en"]


def test_too_much_for_the_desk_is_told_by_its_own_page(server: Server) -> None:
    line = a_line(server)
    line.sendall(a_form(server, 1024 * 1024, b"/en/equipo") + b"name=" + b"x" * (1024 * 1024 - 5))
    sent_on = line.recv(65_536)
    assert sent_on.startswith(b"HTTP/1.1 303")
    address = sent_on.partition(b"Location: ")[2].partition(b"\r\n")[0]
    line.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (address, host(server)))
    assert answers(line, 1).startswith(b"HTTP/1.1 413")
    line.close()


def test_every_page_for_who_works_here_lies_where_it_is_handed_to_the_desk(place: Place) -> None:
    app = create_app(place.settings)
    for rule in app.url_map.iter_rules():
        pages = app.blueprints.get(rule.endpoint.partition(".")[0])
        if isinstance(pages, Pages) and pages.audience in {FOR_THE_DESK, DOOR}:
            assert lies_at_the_desk(rule.rule.replace("<lang>", "es")), rule.rule


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_an_application_that_is_made_holds_no_line_to_its_database_that_others_would_inherit(
    name: str, copies: Copies, tmp_path: Path
) -> None:
    with on_engine(name, copies, tmp_path / "instance", nothing_more) as place:
        engine = installation_of(create_app(place.settings)).reading.args[0]  # type: ignore[attr-defined]
        assert engine.pool.checkedin() == 0


# ── one request, without a server ───────────────────────────────────────────────────────────────────────────


Start = Callable[[str, list[tuple[str, str]]], object]


def of_a_process(app: Callable[[dict[str, Any], Start], Iterable[bytes]], body: bytes = b"") -> Answer | None:
    """What a process with this application answers to a request with this body."""
    desk, lines, came = Desk.open(1), dict[int, Any](), list[Answer | None]()
    child = os.fork()
    if child == 0:
        desk.work(app)
    try:
        assert desk.hand_over({"PATH_INFO": "/es/equipo", "wsgi.input": io.BytesIO(body)}, lines, came.append)
        while lines:
            wasyncore.poll2(20, lines)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return came[0]


def test_what_is_sent_and_what_is_answered_arrives_whole_however_long_it_is() -> None:
    def says_it_back(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [("X-Path", environ["PATH_INFO"])])
        return [environ["wsgi.input"].read(), b"!"]

    for length in (0, 1, LARGEST_BODY, 5 * 1024 * 1024):
        answer = of_a_process(says_it_back, b"x" * length)
        assert answer is not None
        assert (answer.status, answer.headers) == ("200 OK", (("X-Path", "/es/equipo"),))
        assert answer.body == b"x" * length + b"!"


def test_a_process_that_dies_over_a_request_is_told_to_who_asked() -> None:
    def dies(_environ: dict[str, Any], _start: Start) -> Iterable[bytes]:
        os.kill(os.getpid(), signal.SIGKILL)
        return []

    assert of_a_process(dies) is None


def test_what_is_done_after_an_answer_keeps_nobody_waiting() -> None:
    class Pages(list[bytes]):
        def close(self) -> None:
            signal.pause()

    def goes_on(_environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return Pages([b"the page"])

    answer = of_a_process(goes_on)
    assert answer is not None
    assert answer.body == b"the page"
