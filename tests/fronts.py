"""Real servers in front of a real one, started from printed files as they are; and what they leave behind."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from reporting.cli.base import main
from reporting.operations.trial_phone import Phone
from tests.people import Place, a_furnished_place
from tests.server import PATIENCE, Server, free_port, start
from tests.tls import certificate

LONG_AGO = 1_000_000_000  # a time that no folder of a test has by itself
# kind -> what stands on its command line before and after the file
STARTS = {"nginx": (["-c"], ["-g", "daemon off;"]), "caddy": (["run", "--adapter", "caddyfile", "--config"], [])}
BROWSER = "Mozilla/5.0 (marca-de-su-navegador)"


@dataclass
class Front:
    """An installation, the program that serves it, and a server before it."""

    root: Path
    place: Place
    inner: Server
    process: subprocess.Popen[bytes]
    port: int
    plain_port: int
    temporary: tuple[Path, ...] = ()

    def line(self) -> http.client.HTTPConnection:
        """A TLS connection to the server in front."""
        context = ssl.create_default_context(cafile=str(self.root / "certificate.pem"))
        return http.client.HTTPSConnection("localhost", self.port, timeout=PATIENCE, context=context)

    def phone(self) -> Phone:
        """A browser that comes through the front."""
        return Phone(0, self.line, **{"User-Agent": BROWSER})

    def raw(self, sent: bytes, port: int | None = None) -> bytes:
        """What comes back to bytes that are sent as they are, without TLS."""
        with socket.create_connection(("127.0.0.1", port or self.port), PATIENCE) as line:
            line.sendall(sent)
            with contextlib.suppress(ConnectionResetError):
                return b"".join(iter(lambda: line.recv(65_536), b""))
        return b""

    def written(self) -> bytes:
        """All that the server in front has written, wherever it may write."""
        return b"".join(path.read_bytes() for path in sorted((self.root / "logs").rglob("*")) if path.is_file())

    def used(self) -> list[str]:
        """The folders for temporary files in which anything was ever made, even for a moment."""
        return [path.name for path in self.temporary if path.stat().st_mtime != LONG_AGO]


def settings_of(root: Path, port: int, **more: str) -> dict[str, str]:
    """The settings of an installation behind a server in front on this machine."""
    return {
        "AMPARO_INSTANCE": str(root / "instance"),
        "BASE_URL": f"https://localhost:{port}",
        "TRUSTED_PROXY": "127.0.0.1",
        "MEMORY_FOLDER": str(root / "memory"),
    } | more


def printed(told: dict[str, str], *words: str) -> str:
    """What `amparo deploy` prints, byte for byte."""
    done = CliRunner(env=told).invoke(main, ["deploy", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@contextlib.contextmanager
def a_front(root: Path, program: str, kind: str = "nginx", configuration: str = "") -> Iterator[Front]:
    """Nginx from the printed file, or from another text; the words << >> of that are this installation's."""
    port, plain, inner_port = free_port(), free_port(), free_port()
    told = settings_of(root, port)
    for name in ("logs", "memory", "run"):
        (root / name).mkdir()
    place = a_furnished_place(root / "instance", **told)
    place.clock.now = time.time()
    certificate(root)
    pem = str(root / "certificate.pem")
    us = "root" if os.getuid() == 0 else str(os.getuid())
    options = ["--port", str(inner_port), "--certificate", pem, "--key", pem, "--plain-port", str(plain)]
    options += ["--run", str(root / "run"), "--front-user", us] if kind == "nginx" else []
    text = configuration or printed(told, kind, *options)
    for name, value in (
        ("port", port),
        ("plain", plain),
        ("inner", inner_port),
        ("root", root),
        ("pem", pem),
        ("user", us),
    ):
        text = text.replace(f"<<{name}>>", str(value)) if configuration else text
    (root / "front.conf").write_text(text, "utf-8")
    inner = start(root / "instance", inner_port, **told)
    with (root / "logs" / "stderr").open("wb") as out:
        command = [program, *STARTS[kind][0], str(root / "front.conf"), *STARTS[kind][1]]
        around = os.environ | {"HOME": str(root), "XDG_DATA_HOME": str(root), "XDG_CONFIG_HOME": str(root)}
        process = subprocess.Popen(command, stdout=out, stderr=out, env=around)  # noqa: S603 -- as its unit starts it
    front = Front(root, place, inner, process, port, plain)
    try:
        _wait(front)
        front.temporary = tuple(path for path in (root / "memory").glob("amparo-front-*") if path.is_dir())
        for path in front.temporary:
            os.utime(path, (LONG_AGO, LONG_AGO))
        yield front
    finally:
        process.terminate()
        process.wait()
        inner.kill()


def _wait(front: Front) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", front.port), 1):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            front.process.wait(0.05)
            break
    raise AssertionError(front.written().decode())
