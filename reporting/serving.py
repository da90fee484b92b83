"""The web server: a few processes on one socket, each answering one request at a time.

Why this one: DECISIONS.md, "Speed". No log of requests, no temporary file for what she sends, no picture of the
memory on the disk when something crashes.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import waitress.server
from waitress import wasyncore

from reporting.config import Settings
from reporting.frontdoor import discreet

try:
    import resource
except ImportError:  # not on Windows, which has no core files either
    resource = None  # type: ignore[assignment]

IN_MEMORY = 4 * 1024 * 1024  # bytes; above our largest body, so nothing is ever buffered on disk
WAITING = 1024  # connections that may wait while others are answered: slow, never dropped
_look = wasyncore.poll2 if hasattr(select, "poll") else wasyncore.poll  # Windows has only the older one
BEHIND_A_PROXY = {"trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"}, "trusted_proxy_count": 1}
COLLECT_AFTER = 10_000  # things made and not yet gone; at 700, as it comes, looking takes a tenth of the time
LOOK_AGAIN = 1.0  # seconds without anything new, after which lines that nobody uses are closed

MakeApp = Callable[[Settings], Any]


def default_workers() -> int:
    """One process for each processor, four at most: a small server has other things to do too."""
    return min(os.cpu_count() or 1, 4) if hasattr(os, "fork") else 1


def serve(make_app: MakeApp, settings: Settings, host: str, port: int, workers: int = 1) -> None:
    """Serve until stopped. With several workers a dead one is replaced, and none outlives this process."""
    no_core_files()
    door = socket.create_server((host, port), backlog=WAITING, reuse_port=False)
    told = settings.with_changes(workers=workers)
    app = make_app(told)  # before the workers: they share what is read once, and a new one is there at once
    gc.collect()
    gc.freeze()  # what is there from the beginning need not be looked through again and again
    gc.set_threshold(COLLECT_AFTER)
    if workers == 1:
        _work(app, told, door)
        return
    listening, alive = os.pipe()
    children = {_hire(app, told, door, listening, alive) for _ in range(workers)}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            gone, _ = os.wait()
            children.discard(gone)
            children.add(_hire(app, told, door, listening, alive))
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)


def _hire(app: Any, settings: Settings, door: socket.socket, listening: int, alive: int) -> int:
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.close(alive)
    threading.Thread(target=_leave_with, args=(listening,), daemon=True).start()
    _work(app, settings, door)
    os._exit(0)


def _leave_with(listening: int) -> None:
    """The pipe is never written to: it ends when the first process does, however it does."""
    os.read(listening, 1)
    os._exit(0)


def _work(app: Any, settings: Settings, door: socket.socket) -> None:
    logging.getLogger("waitress").addFilter(discreet)
    proxy = BEHIND_A_PROXY | {"trusted_proxy": settings.trusted_proxy} if settings.trusted_proxy else {}
    lines: dict[int, Any] = {}
    turns = _Turns()
    server = waitress.server.create_server(
        app,
        map=lines,
        _dispatcher=turns,
        sockets=[door],
        ident=None,
        inbuf_overflow=IN_MEMORY,
        outbuf_overflow=IN_MEMORY,
        max_request_body_size=1024 * 1024,
        connection_limit=WAITING,
        clear_untrusted_proxy_headers=True,
        **proxy,
    )
    server.pull_trigger = _nobody_to_wake
    while lines:
        _look(LOOK_AGAIN, lines)
        turns.take()


class _Turns:
    """Requests that are there whole, answered by the loop that read them.

    Slow senders are waited for together, and no thread is woken for an answer: a fifth of the processor time, measured.
    """

    def __init__(self) -> None:
        self._waiting: deque[Any] = deque()

    def add_task(self, request: Any) -> None:
        self._waiting.append(request)

    def take(self) -> None:
        """Answer whoever waits now; a second request on the same line stands behind them."""
        while self._waiting:
            self._waiting.popleft().service()


def _nobody_to_wake() -> None:
    """The loop that would be woken is the one that answers."""


def no_core_files() -> None:
    """A crash leaves no picture of the memory: it would hold what people type."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
