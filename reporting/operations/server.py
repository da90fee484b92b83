"""The web server: a few processes on one socket, each answering one request at a time.

Why this one: DECISIONS.md, "Speed". No log of requests, no temporary file for what she sends, no picture of
the memory on the disk when something crashes. Is handed the application.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import select
import socket
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import waitress.server
from waitress import wasyncore
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.proxy_headers import proxy_headers_middleware
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest

from reporting.config import Settings
from reporting.operations.apart import family
from reporting.operations.apart.desk import Answer, Desk
from reporting.operations.apart.lobby import LOOK_AGAIN, WAITING, Lobby
from reporting.operations.apart.turns import Turns
from reporting.web.access.audience import lies_at_the_desk
from reporting.web.access.large_files import room_for
from reporting.web.errors import short_page
from reporting.web.limits import LARGEST_BODY, is_costly, network_of, sender_in
from reporting.web.logging import discreet

try:
    import resource
except ImportError:  # not on Windows, which has no core files either
    resource = None  # type: ignore[assignment]
IN_MEMORY = 8 * 1024 * 1024  # bytes; above our largest body, so nothing is ever buffered on disk
LARGEST_HEAD = 16 * 1024  # bytes of a request before its body
LARGEST_READ = 16 * 1024 * 1024  # bytes of a body that are read, and not kept, so that the answer can be a page of ours
LARGEST_CHUNK_LINE = 512  # bytes of what stands between the pieces of a body sent in pieces
NEVER_IN_A_HEAD = re.compile(rb"[^\t\r\n\x20-\x7e\x80-\xff]")
_look = wasyncore.poll2 if hasattr(select, "poll") else wasyncore.poll  # Windows has only the older one
BELIEVED_OF_A_PROXY = {"x-forwarded-for", "x-forwarded-proto"}
DESK = 2  # processes for the pages of the desk: while one searches, the other answers
COLLECT_AFTER = 10_000  # things made and not yet gone; at 700, as it comes, looking takes a tenth of the time
HEAD_WITHIN = 20  # seconds for the head of a request, or for its first byte on a new line
IDLE = 60  # seconds that a line may be open between two requests
LEAST_RATE = 500  # bytes a second of a body, after the first twenty seconds: a tenth of a bad line
LONGEST_NAME = 107  # bytes of the line in which a server in front names the sender, with its end (PROXY protocol, 2.1)
MakeApp = Callable[[Settings], Any]


def default_workers() -> int:
    """One process for each processor, four at most: a small server has other things to do too."""
    return min(os.cpu_count() or 1, 4) if hasattr(os, "fork") else 1


def serve(make_app: MakeApp, settings: Settings, host: str, port: int, workers: int = 1, desk: int = 0) -> None:
    """Serve until stopped. A process that dies is replaced, and none outlives this one.

    `workers`: processes that answer reporters, and read every request. `desk`: processes to which they hand the pages
    of the desk; with none, and where processes cannot be forked, they answer those too.
    """
    no_core_files()
    door = socket.create_server((host, port), backlog=WAITING, reuse_port=False)
    settings = settings.with_changes(workers=workers)
    app = make_app(settings)  # before the workers: they share what is read once, and a new one is there at once
    gc.collect()
    gc.freeze()  # what is there from the beginning need not be looked through again and again
    gc.set_threshold(COLLECT_AFTER)
    if not hasattr(os, "fork") or (workers, desk) == (1, 0):
        _work(app, settings, door)
        return
    way = Desk.open(desk) if desk else None
    tasks = [partial(_work, app, settings, door, way)] * workers
    if way is not None:
        tasks += [partial(_work_at_the_desk, app, settings, door, way)] * desk
    family.keep(tasks)


def _work(app: Any, settings: Settings, door: socket.socket, desk: Desk | None = None) -> None:
    logging.getLogger("waitress").addFilter(discreet)
    lines: dict[int, Any] = {}
    turns, lobby = Turns(desk), Lobby()
    listen(app, settings, door, lines, turns, lobby)
    while lines:
        look(lines, turns, lobby, time.monotonic())


def _work_at_the_desk(app: Any, settings: Settings, door: socket.socket, desk: Desk) -> None:
    logging.getLogger("waitress").addFilter(discreet)
    door.close()
    desk.work(_behind_a_proxy(app, settings))


def _behind_a_proxy(app: Any, settings: Settings) -> Any:
    """The application as it is called where a server in front says who sends; nobody else is believed."""
    return proxy_headers_middleware(
        app,
        trusted_proxy=settings.trusted_proxy or None,
        trusted_proxy_headers=BELIEVED_OF_A_PROXY,
        clear_untrusted=True,
    )


def look(lines: dict[int, Any], turns: Turns, lobby: Lobby, now: float, patience: float = LOOK_AGAIN) -> None:
    """One round: read what came, answer whoever is there whole, close what was waited for too long."""
    _look(0 if turns.wait else patience, lines)
    turns.take()
    lobby.tidy(now)


def listen(
    app: Any, settings: Settings, door: socket.socket, lines: dict[int, Any], turns: Turns, lobby: Lobby
) -> None:
    """Take connections of this socket; each is a line among these."""
    server = waitress.server.create_server(
        _behind_a_proxy(app, settings),
        map=lines,
        _dispatcher=turns,
        sockets=[door],
        ident=None,
        inbuf_overflow=IN_MEMORY,
        outbuf_overflow=IN_MEMORY,
        max_request_header_size=LARGEST_HEAD,
        max_request_body_size=LARGEST_READ,
        connection_limit=WAITING,
        clear_untrusted_proxy_headers=False,  # the application does it, so that the desk does it too
    )
    server.adj.trusted_proxy = settings.trusted_proxy
    server.channel_class, server.refusal = _Line, partial(short_page, app)
    server.adj.room_for = partial(room_for, app)
    server.adj.named_in_front = settings.proxy_protocol
    server.adj.is_costly = partial(is_costly, app)
    server.lobby = lobby
    server.pull_trigger = _nobody_to_wake


def _nobody_to_wake() -> None:
    """The loop that would be woken is the one that answers."""


class _Body(OverflowableBuffer):  # type: ignore[misc]
    """What she sends, as far as it may be kept; of the rest only how much it was, and our page says that in words."""

    dropped, room = 0, LARGEST_BODY

    def append(self, piece: bytes) -> None:
        room = self.room + 1 - super().__len__()
        super().append(piece[: max(0, room)])
        self.dropped += max(0, len(piece) - room)

    def __len__(self) -> int:
        length: int = super().__len__()
        return length + self.dropped


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """A request as it comes in. What the library reads slowly, or stumbles over, is refused before it does."""

    def parse_header(self, header_plus: bytes) -> None:
        if NEVER_IN_A_HEAD.search(header_plus):  # the library's own look at it takes time by the square of its length
            raise ParsingError("")
        if _is_chunked_twice(header_plus):  # a server in front may read it otherwise than we do
            raise ParsingError("")
        try:
            super().parse_header(header_plus)
        except ValueError:  # an address like "http://[", a length of 5,000 digits
            raise ParsingError("") from None
        if self.body_rcv is not None:
            self.body_rcv.buf = _Body(IN_MEMORY)
            self.body_rcv.buf.room = self._room()

    def _room(self) -> int:
        """Only who sends much is looked at: whether this page takes it, from this session."""
        if not self.chunked and self.content_length <= LARGEST_BODY:
            return LARGEST_BODY
        room: int = self.adj.room_for(self.command, self.path, self.headers.get("COOKIE", ""))
        return room

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.chunked and len(self.body_rcv.control_line) + len(self.body_rcv.trailer) > LARGEST_CHUNK_LINE:
            self.error, self.completed = BadRequest(""), True
        return consumed


def _is_chunked_twice(head: bytes) -> bool:
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    codings = [value for name, _, value in lines if name.strip() == b"transfer-encoding"]
    return len(codings) > 1 or any(value.count(b"chunked") > 1 for value in codings)


class _Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to what is no request: a short page, which names neither the server nor what was sent."""

    def execute(self) -> None:
        self.status, self.response_headers, page = self.channel.server.refusal(self.request.error.code)
        self.set_close_on_finish()
        self.content_length = len(page)
        self.write(page)


class _Task(WSGITask):  # type: ignore[misc]
    """The answer to a request: of the application here, or the one that came back from the desk."""

    def execute(self) -> None:
        answer, self.channel.answer = self.channel.answer, None
        if answer is None:
            super().execute()
            return
        self.complete, self.status, self.response_headers = True, answer.status, list(answer.headers)
        lengths = (value for name, value in answer.headers if name.lower() == "content-length")
        self.content_length = int(next(lengths, len(answer.body)))
        self.write(answer.body)


class _Line(HTTPChannel):  # type: ignore[misc]
    """A connection to one browser."""

    parser_class = _Parser
    error_task_class = _Refusal
    task_class = _Task
    answer: Answer | None = None  # of the desk, while it is on its way to the browser

    def __init__(self, server: Any, door: socket.socket, address: Any, *parts: Any, **named: Any) -> None:
        self.waits_since, self.read, self.is_new = time.monotonic(), 0, True
        self.named: bytes | None = b"" if server.adj.named_in_front else None  # what came of the line that names her
        from_front = bool(server.adj.trusted_proxy) and address[0] == server.adj.trusted_proxy
        self.is_shared = from_front and self.named is None  # it carries requests of many, and each says of whom
        self.sender = network_of(str(address[0])) if address and self.named is None and not from_front else ""
        super().__init__(server, door, address, *parts, **named)
        server.lobby.came(self)
        if self.named is not None and not from_front:
            self.handle_close()  # nobody else may name a sender, and here nobody comes unnamed

    @property
    def keeps_waiting(self) -> bool:
        """Whether it is its sender who has to go on: nothing is being answered, nothing waits to be read there."""
        return not self.requests and not self.total_outbufs_len

    def is_late(self, now: float) -> bool:
        """Whether it was waited for too long."""
        waited = now - self.waits_since
        if not self.keeps_waiting or waited <= HEAD_WITHIN:
            return False
        if self.request is None:
            return (self.is_new or waited > IDLE) and not self.is_shared  # the server in front closes its own
        return not self.request.headers_finished or self.read < (waited - HEAD_WITHIN) * LEAST_RATE

    def received(self, data: bytes) -> bool:
        """What came in; from the first byte of a request its sender is waited for."""
        if self.named is not None:
            data = self._after_the_name(self.named + data)
            if not data:
                return False
        if self.request is None:
            self._waits_anew()
            self.read, self.is_new = 0, False
        self.read += len(data)
        done: bool = super().received(data)
        if self.is_shared and self.request is not None and self.request.headers_finished:
            self.server.lobby.is_of(self, _named_in_front(self.request))
        return done

    def _waits_anew(self) -> None:
        self.waits_since = time.monotonic()
        self.server.lobby.waits_anew(self)

    def _after_the_name(self, came: bytes) -> bytes:
        """What follows the line that names the sender. Where that is malformed, or too long, this is over."""
        line, end, rest = came.partition(b"\r\n")
        name = sender_in(line) if end else ""
        if name is None or len(line) + 2 > LONGEST_NAME:
            self.handle_close()
        elif end:
            self.named, self.addr = None, (name, 0)
            self.server.lobby.is_of(self, network_of(name))
            return rest
        self.named = came[:LONGEST_NAME]
        return b""

    def is_costly(self) -> bool:
        """Whether the request that is there whole is one that holds the processor."""
        request = self.requests[0]
        return not request.error and self.adj.is_costly(request.command, request.path)

    def is_for_the_desk(self) -> bool:
        """Whether the request that is there whole is one for whoever works here."""
        request = self.requests[0]
        return not request.error and lies_at_the_desk(request.path)

    def goes_to(self, desk: Desk, when_back: Callable[[_Line], None]) -> bool:
        """Hand the request that is there whole to the desk. Whether there was room on the way."""

        def is_back(answer: Answer | None) -> None:
            if answer is None:
                status, headers, page = self.server.refusal(HTTPStatus.INTERNAL_SERVER_ERROR)
                answer = Answer(status, tuple(headers), page)
            self.answer = answer
            when_back(self)

        environ = self.task_class(self, self.requests[0]).get_environment()
        return desk.hand_over(environ, self.server._map, is_back)  # noqa: SLF001 -- the lines it looks after

    def asks_for(self) -> str:
        """Who sent the request that is there whole; behind the trusted proxy, whom that names last."""
        return _named_in_front(self.requests[0]) if self.is_shared else self.sender

    def service(self) -> None:
        """Answer; then the next request may come on the same line."""
        super().service()
        self._waits_anew()
        if self.is_shared:
            self.server.lobby.is_of(self, "")

    def handle_close(self) -> None:
        """It is over, whoever ended it."""
        self.server.lobby.went(self)
        super().handle_close()


def _named_in_front(request: HTTPRequestParser) -> str:
    """Whom the server in front names last in a request: it adds no more than one, and believes none."""
    return network_of(request.headers.get("X_FORWARDED_FOR", "").rpartition(",")[2].strip())


def no_core_files() -> None:
    """A crash leaves no picture of the memory: it would hold what people type."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
