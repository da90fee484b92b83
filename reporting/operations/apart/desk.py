"""Pages of the desk in processes of their own: whatever is worked out there, no reporter waits for it.

The loop that reads requests hands one of the desk over whole, as the application would be called with it, and goes on;
when the answer is there, it sends it. A request travels on a pair of sockets of its own, of which one end is passed to
the next process that is free: so one that dies takes its own request along and no other, and lines that a server in
front keeps open go on carrying everybody's requests. Why not threads: DECISIONS.md, "Speed and floods". Knows no page.
"""

from __future__ import annotations

import contextlib
import io
import json
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waitress import wasyncore

SIZES = struct.Struct("!IQ")  # how long the head is that follows, and the body behind it
PIECE = 256 * 1024  # bytes that are read or written at once
FIRST_TO_GO = 500  # of 1000: where memory runs out, the system ends a process of the desk before one of reporters
SAME_FOR_ALL: dict[str, Any] = {
    "wsgi.version": (1, 0),
    "wsgi.multithread": False,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page of the desk answered."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


WhenDone = Callable[[Answer | None], None]


@dataclass(frozen=True, slots=True)
class Desk:
    """The way to the processes of the desk, made before any process is: what is passed in here, one of them takes."""

    processes: int
    entrance: socket.socket
    exit: socket.socket

    @classmethod
    def open(cls, processes: int) -> Desk:
        """For so many processes."""
        entrance, way_out = socket.socketpair()
        entrance.settimeout(0)
        return cls(processes, entrance, way_out)

    def hand_over(self, environ: dict[str, Any], lines: dict[int, Any], when_done: WhenDone) -> bool:
        """Hand over a request. False where the way is full just now.

        `when_done` is called by the loop of these lines with the answer; with None where the process died meanwhile.
        """
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self.entrance, [b"."], [theirs.fileno()])
        except BlockingIOError:
            ours.close()
            return False
        finally:
            theirs.close()
        _Errand(ours, _packed(_texts_of(environ), environ["wsgi.input"].read()), lines, when_done)
        return True

    def work(self, app: Wsgi) -> None:
        """Answer requests of the desk, one at a time, for ever."""
        with contextlib.suppress(OSError):  # only Linux has it
            Path("/proc/self/oom_score_adj").write_text(str(FIRST_TO_GO), encoding="ascii")
        while True:
            _, passed, _, _ = socket.recv_fds(self.exit, 1, 1)
            if passed:
                with socket.socket(fileno=passed[0]) as line:
                    _answer(app, line)


class _Errand(wasyncore.dispatcher):  # type: ignore[misc]
    """A request on its way to the desk and back, beside the lines to browsers."""

    def __init__(self, ours: socket.socket, request: bytes, lines: dict[int, Any], when_done: WhenDone) -> None:
        self._left, self._came, self._when_done = memoryview(request), bytearray(), when_done
        super().__init__(ours, map=lines)
        self.connected = True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return bool(self._left)

    def handle_write(self) -> None:
        self._left = self._left[self.send(self._left[:PIECE]) :]

    def handle_read(self) -> None:
        self._came += self.recv(PIECE)  # at the end of it, `handle_close` is called

    def handle_close(self) -> None:
        self.close()
        when_done, self._when_done = self._when_done, _nobody_waits
        when_done(_unpacked(bytes(self._came)))

    def handle_error(self) -> None:
        self.handle_close()


def _nobody_waits(_answer: Answer | None) -> None:
    """It was told."""


def _texts_of(environ: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if isinstance(value, str)}


def _packed(head: object, body: bytes) -> bytes:
    encoded = json.dumps(head).encode()
    return SIZES.pack(len(encoded), len(body)) + encoded + body


def _unpacked(came: bytes) -> Answer | None:
    """The answer; None where it is not there whole."""
    if len(came) < SIZES.size:
        return None
    head, body = SIZES.unpack_from(came)
    if len(came) != SIZES.size + head + body:
        return None
    content = json.loads(came[SIZES.size : SIZES.size + head])
    headers = tuple((name, value) for name, value in content["headers"])
    return Answer(content["status"], headers, came[SIZES.size + head :])


def _answer(app: Wsgi, line: socket.socket) -> None:
    """One request. What comes after the answer, as an application may ask for, is done when it is on its way."""
    with line.makefile("rb") as came:
        head, body = SIZES.unpack(came.read(SIZES.size).ljust(SIZES.size, b"\0"))
        encoded, sent = came.read(head), came.read(body)
    if len(encoded) != head or len(sent) != body or not head:
        return  # who handed it over is gone
    environ = SAME_FOR_ALL | json.loads(encoded) | {"wsgi.input": io.BytesIO(sent), "wsgi.errors": sys.stderr}
    answered: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], _trouble: Any = None) -> Callable[[bytes], object]:
        answered.update(status=status, headers=headers)
        return lambda _piece: None

    pages = app(environ, start_response)
    try:
        packed = _packed(answered, b"".join(pages))
        with contextlib.suppress(OSError):  # whoever asked is gone
            line.sendall(packed)
            line.shutdown(socket.SHUT_RDWR)
    finally:
        getattr(pages, "close", lambda: None)()
