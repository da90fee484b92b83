"""A line to a server as a browser keeps one, and a whole trip over it, up to the receipt. Knows no measure."""

from __future__ import annotations

import re
import socket
import urllib.parse
from collections.abc import Sequence
from http import HTTPStatus

from reporting.vocabulary.answers import route
from reporting.vocabulary.lengths import LONG, SHORT

TICKET = re.compile(rb'name="t" value="([^"]+)"')
FORM, CHUNK = "application/x-www-form-urlencoded", 65_536
HEAD_ENDS, LENGTH = b"\r\n\r\n", re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)
LOCATION = re.compile(rb"\r\nLocation: (\S+)", re.IGNORECASE)
COOKIE = re.compile(rb"\r\nSet-Cookie: ([^;\r]+)", re.IGNORECASE)
WALKING = "Sec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\n"
RECEIPT = b'class="c-words"'
TOLD = {"age": "A25_34", "region": "PIURA", "place": "PIURA", "violence": "RAPE", "narrative": "Fue de noche."}
BEGINS = {SHORT: "begin", LONG: "all"}  # length -> the button before its first question
PATIENCE = 30  # seconds until a server that does not answer is a failure
PAGES = {HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION}
Fields = Sequence[tuple[str, str]]


class Line:
    """A line to the server that is kept open; the little of HTTP that is needed, so that measuring costs little."""

    def __init__(self, port: int, patience: float = PATIENCE) -> None:
        self._port, self._patience, self.leads = port, patience, ""  # where the last answer leads
        self._cookie = ""
        self._socket: socket.socket | None = None

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """(status, body) of an answer. `OSError` or `ValueError` where there is none."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=self._patience)
        kind = f"{WALKING}Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n" if body else WALKING
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._cookie}{kind}\r\n"
        self._socket.sendall(head.encode() + body)
        answer = b""
        while HEAD_ENDS not in answer:
            answer += self._more(self._socket)
        came, _, page = answer.partition(HEAD_ENDS)
        length = LENGTH.search(came)
        if length is None:
            raise ValueError("no length")
        while len(page) < int(length[1]):
            page += self._more(self._socket)
        leads, cookie = LOCATION.search(came), COOKIE.search(came)
        self.leads = leads[1].decode() if leads else ""
        self._cookie = f"Cookie: {cookie[1].decode()}\r\n" if cookie else self._cookie
        return int(came[9:12]), page

    def page(self, path: str, fields: Fields | None = None) -> bytes:
        """The page at an address, or to which a form leads that is sent there. `ValueError` where there is none."""
        body = urllib.parse.urlencode(fields).encode() if fields else b""
        status, page = self.ask("POST" if fields else "GET", path, body)
        if status == HTTPStatus.SEE_OTHER:
            status, page = self.ask("GET", self.leads)
        if status not in PAGES:
            raise ValueError(str(status))
        return page

    def _more(self, open_line: socket.socket) -> bytes:
        came = open_line.recv(CHUNK)
        if not came:
            raise ConnectionError
        return came

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def whole_trip(line: Line, length: str = SHORT) -> list[tuple[int, int]]:
    """One whole trip. Returns (bytes sent, bytes received) of each request; anything odd is a `ValueError`."""
    sizes, page = list[tuple[int, int]](), b""
    pages = route(TOLD | {"violence": [TOLD["violence"]], "length": length})
    for go in (BEGINS[length], *["next"] * len(pages), "send"):
        ticket = TICKET.search(page)
        if ticket is None and sizes:
            raise ValueError("no ticket")
        fields = {"go": go} | ({"t": ticket[1].decode()} | TOLD if ticket else {})
        page = line.page("/es/contar", [*fields.items()])
        sizes.append((len(urllib.parse.urlencode(fields)), len(page)))
    if RECEIPT not in page:
        raise ValueError("no receipt")
    return sizes
