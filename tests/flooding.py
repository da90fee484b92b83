"""A flood from a process of its own: raw lines that are kept open, so many requests a second, until it is told to end.

Used by test_floods. By itself: python -m tests.flooding PORT RATE ADDRESS [guess]; it ends when its input ends.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
import secrets
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from reporting.crypto import receipts
from tests.server import ROOT

LINES = 64  # kept open at once
LONGEST = 300  # seconds; then it ends by itself
SOURCES = 250


@dataclass
class Flood:
    """What came of it."""

    offered: int = 0
    answered: int = 0
    seconds: float = 0.001
    statuses: dict[str, int] = field(default_factory=dict)


@contextlib.contextmanager
def beside(port: int, rate: float, address: str, *, guess: bool = False) -> Iterator[Flood]:
    """A flood for the length of a block; what came of it stands in what was handed out, afterwards."""
    told = [sys.executable, "-m", "tests.flooding", str(port), str(rate), address, *(["guess"] if guess else [])]
    pipe = subprocess.PIPE
    process = subprocess.Popen(told, cwd=ROOT, stdin=pipe, stdout=pipe)  # noqa: S603 -- our own command
    flood = Flood()
    assert process.stdout
    process.stdout.readline()  # it has begun
    try:
        yield flood
    finally:
        said, _ = process.communicate()
        flood.__dict__.update(json.loads(said))


class _Line:
    """One line; a request is on its way, or it is idle."""

    def __init__(self, port: int, address: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, 0))
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        self.came = b""

    def read(self) -> int:
        """The status, once an answer is there whole; 0 while it is not, -1 when the line is closed."""
        more = self.socket.recv(65_536)
        self.came += more
        head, blank, body = self.came.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not more:
            return -1
        if not blank or not length or len(body) < int(length[1]):
            return 0
        self.came = b""
        return int(head.split()[1])


def _request(port: int, body: str = "") -> bytes:
    first = "POST /es/volver" if body else "GET /es/contar"
    kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{first} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{kind}\r\n{body}".encode()


def _ticket(port: int, address: str) -> str:
    """The sealed field of a real page: a guess without it is not even looked at."""
    line = _Line(port, address)
    line.socket.sendall(f"GET /es/volver HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    text = b"".join(iter(lambda: line.socket.recv(65_536), b"")).decode()
    found = re.search(r'name="t" value="(.*?)"', text)
    assert found, text[:200]
    return html.unescape(found[1])


def _guess(ticket: str) -> str:
    words = " ".join(receipts.draw(secrets.randbelow).words("es"))
    return urlencode({"t": ticket, "code": words})


def flood(port: int, rate: float, address: str, *, guess: bool) -> Flood:
    """Offer so many a second; what finds no idle line is offered again as soon as there is one."""
    there = [address.format(number % SOURCES + 1) for number in range(LINES)]
    ticket = _ticket(port, there[0]) if guess else ""
    idle = deque(_Line(port, one) for one in there)
    seen, told, statuses = selectors.DefaultSelector(), Flood(), Counter[str]()
    for line in idle:
        seen.register(line.socket, selectors.EVENT_READ, line)
    seen.register(sys.stdin, selectors.EVENT_READ, None)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    begin = time.monotonic()
    over = False
    while not over and time.monotonic() - begin < LONGEST:
        due = int((time.monotonic() - begin) * rate)
        while told.offered < due and idle:
            idle.popleft().socket.sendall(_request(port, _guess(ticket) if guess else ""))
            told.offered += 1
        for key, _ in seen.select(0.5 / rate):
            status = -1 if key.data is None else key.data.read()
            over = over or status == -1
            if status > 0:
                told.answered += 1
                statuses[str(status)] += 1
                idle.append(key.data)
    told.seconds, told.statuses = time.monotonic() - begin, dict(statuses)
    return told


if __name__ == "__main__":
    found = flood(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], guess="guess" in sys.argv)
    sys.stdout.write(json.dumps(found.__dict__))
