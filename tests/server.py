"""A real server in a process of its own, for tests that kill it, cut its line or look at it with a browser."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import waitress.server

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30  # seconds until a server that does not answer is a failure


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A running `amparo serve` and its log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """As a power cut would: no goodbye."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def processes(self) -> list[int]:
        """Every process that answers, as Linux tells."""
        told = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(one) for one in told.read_text("ascii").split()]

    def at_the_desk(self) -> list[int]:
        """Those of them that answer the pages of the desk."""
        return [one for one in self.processes() if Path(f"/proc/{one}/oom_score_adj").read_text("ascii") == "500\n"]

    def workers(self) -> list[int]:
        """Those that read requests and answer reporters."""
        return [one for one in self.processes() if one not in self.at_the_desk()]


def start_demo(*more: str, log: Path) -> Server:
    """A demo that is served, once it answers; its people and reports are made before."""
    port = free_port()
    words = [sys.executable, "-m", "reporting", "demo", "--port", str(port), *more]
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 -- our own command
            words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    server = Server(process, port, log)
    _wait(server)
    return server


def start(instance: Path, port: int | None = None, workers: int = 1, **environment: str) -> Server:
    """Start a server on an installation and wait until it answers."""
    port = port or free_port()
    log = instance.parent / f"{instance.name}.log"
    told = os.environ | {"AMPARO_INSTANCE": str(instance), "BASE_URL": f"http://127.0.0.1:{port}"}
    told |= {"MEMORY_FOLDER": str(instance.parent)} | environment
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 -- our own command
            [sys.executable, "-m", "reporting", "serve", "--workers", str(workers), "--port", str(port)],
            cwd=ROOT,
            env=told,
            stdout=out,
            stderr=out,
            start_new_session=True,  # so that all of it can be killed at once
        )
    server = Server(process, port, log)
    _wait(server)
    return server


def _wait(server: Server) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if _takes_lines(server.port):
            return
        if server.process.poll() is not None:
            raise AssertionError(server.log.read_text(encoding="utf-8"))
    raise AssertionError("the server does not answer")


def _takes_lines(port: int) -> bool:
    """Whether a process that answers is there: the line alone is taken long before one has begun."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as line:
        line.settimeout(PATIENCE)
        line.sendall(b"?\r\n\r\n")  # no request, so that no page is made and no database opened
        line.recv(1)  # "400", or a goodbye
        return True
    return False


@contextlib.contextmanager
def running(instance: Path, workers: int = 1, **environment: str) -> Iterator[Server]:
    """A server for the length of a test."""
    server = start(instance, workers=workers, **environment)
    try:
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def in_this_process(app: Any) -> Iterator[str]:
    """Serve an app from a thread, so that a test can move its clock. Gives the address."""
    server = waitress.server.create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.trigger.pull_trigger(
            lambda: _closes(server)
        )  # in the thread that listens, or it listens to what is gone
        thread.join(PATIENCE)


def _closes(server: Any) -> None:
    for line in list(server.active_channels.values()):
        line.handle_close()
    server.close()
