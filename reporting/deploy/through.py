"""The front door, tried from outside: `amparo check --through`. Each proof is a row of a table, with what to do.

What is sent stands in `through_trip`, what a server leaves behind in `leftovers`. Nothing of others is printed: of
a log only whether it grew by a line that names a sender, a browser or a path.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, select

from reporting.config import Settings
from reporting.crypto.receipts import Receipt
from reporting.deploy import leftovers
from reporting.deploy.deployment import HTTP
from reporting.deploy.through_trip import Door, Marks, Trip, door_of, walk
from reporting.i18n import N_, T_, said
from reporting.operations.apart.lobby import SHARE
from reporting.operations.seal_search import spellings
from reporting.operations.server import HEAD_WITHIN, LARGEST_READ
from reporting.operations.trial_phone import NoTrial
from reporting.storage.database import Base, reading
from reporting.storage.findings import Finding
from reporting.web.requests import HEADERS

GRACE = 5  # seconds a line may stay open beyond its time
SHORT = 3.0  # seconds for an answer that comes at once, or not at all
NOT_HERS = {"place"}  # long, and read from a file that is shipped


@dataclass
class Seen:
    """What was found when the marks had been sent."""

    trip: Trip = field(default_factory=Trip)
    marks: Marks = field(default_factory=Marks)
    grown: Mapping[Path, bytes] = field(default_factory=dict)
    journal: bytes | None = None
    used: tuple[str, ...] = ()
    lies: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # columns and files of the installation in which a mark stands readable
    unreadable: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    version: bool = False
    own_page: bool = False
    plain: bool | None = None
    stranger: bool = False
    slow: bool = False
    unlimited: bool = False
    missing: tuple[str, ...] = ()

    def logged(self, *words: str) -> bool:
        """Whether one of these words came into a log or the journal."""
        needles = [needle for word in words if word for needle in spellings(word)]
        texts = [*self.grown.values(), self.journal or b""]
        return any(needle in text for needle in needles for text in texts)


@dataclass(frozen=True, slots=True)
class _Row:
    """How a fault is seen, what is said when it is not there, and what to do when it is."""

    bad: Callable[[Seen], bool | None]
    good: str
    do: str  # with PRINTED behind it where that is all there is to do
    is_printed: bool = False


PRINTED = N_("`amparo deploy nginx` prints a file that does not; print it, put it in place, and destroy the old logs.")
ROWS: Mapping[str, _Row] = {
    "words in logs": _Row(
        lambda seen: seen.logged(seen.marks.words, seen.marks.letter, *_spelt(seen.trip.receipt)),
        N_("No word of a report or a letter, and no receipt, stands in a log."),
        N_("A log holds words of a report, or its receipt."),
        is_printed=True,
    ),
    "address in logs": _Row(
        lambda seen: seen.logged(*seen.addresses),
        N_("No log names who sent."),
        N_("A log names the address of whoever sends."),
        is_printed=True,
    ),
    "browser in logs": _Row(
        lambda seen: seen.logged(seen.marks.browser),
        N_("No log names a browser."),
        N_("A log names the browser of whoever sends."),
        is_printed=True,
    ),
    "path in logs": _Row(
        lambda seen: seen.logged(*seen.trip.walked),
        N_("No log names a page that somebody was on."),
        N_("A log names the pages that somebody was on, each with its second."),
        is_printed=True,
    ),
    "page before in logs": _Row(
        lambda seen: seen.logged(seen.marks.page),
        N_("No log names the page that somebody came from."),
        N_("A log names the page that somebody came from."),
        is_printed=True,
    ),
    "invitation in logs": _Row(
        lambda seen: seen.logged(seen.marks.link, seen.marks.code),
        N_("No log holds the code of an invitation."),
        N_("A log holds the code of an invitation: whoever reads it first becomes a member."),
        is_printed=True,
    ),
    "requests in errors": _Row(
        lambda seen: any(_names_a_client(text, seen.addresses) for text in seen.grown.values()),
        N_("No log of errors names who sent."),
        N_("The log of errors names address and path of whoever sent too much, or came while it failed."),
        is_printed=True,
    ),
    "used for temporary files": _Row(
        lambda seen: bool(seen.used),
        N_("Nothing was put into a temporary file, not even for a moment."),
        N_(
            "What somebody sends is put into temporary files, and what was in them stays on the disk: turn "
            "that off (proxy_request_buffering off, proxy_max_temp_file_size 0)."
        ),
        is_printed=True,
    ),
    "words in temporary files": _Row(
        lambda seen: bool(seen.lies) or seen.trip.while_sending,
        N_("No word of a report lay in a file while it was sent, or afterwards."),
        N_("Words of a report lay readable in a file while they were sent."),
        is_printed=True,
    ),
    "kept here": _Row(
        lambda seen: bool(seen.kept),
        N_("No word of a report and no code of an invitation lies readable in the database or its folder."),
        N_("Words of a report lie readable in the database or its folder. Do not take reports with this version."),
    ),
    "erased": _Row(
        lambda seen: not seen.trip.erased,
        N_("The report of this check is erased again."),
        N_("The report of this check could not be erased: on the desk it begins with PRUEBA. Mark it as no report."),
    ),
    "compressed": _Row(
        lambda seen: seen.trip.compressed,
        N_("No page with anything of hers is compressed."),
        N_("The server in front compresses her pages: their length can tell what is in them. Turn it off (gzip off)."),
    ),
    "headers": _Row(
        lambda seen: bool(seen.missing),
        N_("Every header that protects a page comes through, once."),
        N_(
            "Headers that protect a page are lost or doubled on the way, or Strict-Transport-Security is not "
            "there: do not set or take away headers in front."
        ),
    ),
    "version": _Row(
        lambda seen: seen.version,
        N_("The server in front does not tell its version."),
        N_("The server in front tells its version to whoever looks for a hole in it: server_tokens off."),
    ),
    "pages of its own": _Row(
        lambda seen: seen.own_page,
        N_("What the server in front answers by itself is a page of ours."),
        N_("What the server in front answers by itself is a page of its own, without the headers of ours."),
        is_printed=True,
    ),
    "plain http": _Row(
        lambda seen: seen.plain,
        N_("Plain http leads to the beginning and nowhere else."),
        N_("Pages come over plain http too, or it repeats the path: let it lead to the start page by https alone."),
    ),
    "another name": _Row(
        lambda seen: seen.stranger,
        N_("Whoever asks for another name gets nothing."),
        N_("Whoever asks for another name gets these pages too, and learns what is served here: give them none."),
    ),
    "slow heads": _Row(
        lambda seen: seen.slow,
        N_("A line whose request does not come within %(seconds)s seconds falls."),
        N_("Lines that send nothing stay open longer than %(seconds)s seconds, so few can hold all: set deadlines."),
    ),
    "many lines": _Row(
        lambda seen: seen.unlimited,
        N_("One sender holds no more than %(lines)s lines."),
        N_("One sender may hold more than %(lines)s lines, and so all: limit the connections of one sender."),
    ),
}
UNSEEN = N_("This could not be looked at from here.")
UNREAD = N_("%(logs)s logs cannot be read by this user, so nothing is proved of them: run this as root.")
NOT_THROUGH = N_("The front door does not let a report pass, so nothing is proved. Try it by hand, then look again.")


def run(
    address: str, settings: Settings, engine: Engine, folders: Sequence[Path] = (), plain_port: int = HTTP
) -> tuple[tuple[Finding, ...], str]:
    """Every proof, by one trip through the front door; and why there was none, in English. Takes half a minute."""
    try:
        seen = _look(door_of(address), settings, engine, folders, plain_port)
    except NoTrial as why:
        return (Finding("trial", holds=False, words=(NOT_THROUGH,)),), str(why)
    return tuple(findings_of(seen)), ""


def findings_of(seen: Seen) -> Iterator[Finding]:
    """What was found, each proof as a line."""
    parts = {"seconds": HEAD_WITHIN, "lines": SHARE}
    for code, row in ROWS.items():
        bad = row.bad(seen)
        words = (row.do, *((PRINTED,) if row.is_printed else ())) if bad else (UNSEEN if bad is None else row.good,)
        yield Finding(code, None if bad is None else not bad, words, parts)
    if seen.unreadable:
        yield Finding("read", holds=False, words=(UNREAD,), parts={"logs": len(seen.unreadable)})


def _look(door: Door, settings: Settings, engine: Engine, more: Sequence[Path], plain_port: int) -> Seen:
    seen, began = Seen(addresses=_our_addresses(door)), time.time()
    memory = Path(settings.memory_folder or "/dev/shm")  # noqa: S108 -- where the printed files put such folders
    folders = leftovers.watched(more, memory)
    before = leftovers.look(folders)
    hers = (seen.marks.words, seen.marks.letter)
    slow = threading.Thread(target=_waits, args=(door, seen))
    slow.start()
    try:
        _what_it_answers(door, seen, plain_port)
        seen.trip = walk(door, seen.marks, settings, engine, lambda: _comes_to_lie(folders, hers, began))
        _many(door, seen)
    finally:
        slow.join()
    seen.grown, seen.used = leftovers.grown(folders, before), leftovers.used(folders, before)
    seen.journal = leftovers.journal(time.time() - began)
    seen.lies = leftovers.lies([folder for folder in folders if folder not in _logs()], hers, began)
    seen.unreadable = leftovers.unreadable([folder for folder in folders if folder not in _logs()])
    seen.kept = tuple(_kept(settings, engine, (*hers, seen.marks.code, seen.marks.browser)))
    return seen


def _comes_to_lie(folders: Sequence[Path], words: Sequence[str], since: float) -> bool:
    """Whether words lie in a file, within three seconds: a server in front may be slow to write them there."""
    end = time.monotonic() + 3
    while not (files := leftovers.lies(folders, words, since)) and time.monotonic() < end:
        time.sleep(0.05)
    return bool(files)


def _logs() -> frozenset[Path]:
    return frozenset(map(Path, leftovers.LOGS))


def _our_addresses(door: Door) -> tuple[str, ...]:
    """Under which address the front sees us. Raises `NoTrial` where nobody answers."""
    try:
        with socket.create_connection((door.host, door.port), SHORT) as line:
            return (str(line.getsockname()[0]),)
    except OSError as why:
        words = T_("nobody answers at %(address)s (%(why)s).")
        raise NoTrial(said(words, address=door.authority, why=type(why).__name__)) from why


def _what_it_answers(door: Door, seen: Seen, plain_port: int) -> None:
    """What can be seen of the front without sending anything of hers."""
    status, headers, _ = _asks(door, "GET", f"/es/?{seen.marks.page}", seen)
    seen.missing = tuple(
        name for name in (*HEADERS, "Strict-Transport-Security") if len(headers.get_all(name) or ()) != 1
    )
    seen.version = any(sign.isdigit() for sign in headers["Server"] or "")
    status, headers, page = _asks(door, "POST", "/es/contar", seen, LARGEST_READ + 1)
    large, _, words = _asks(door, "POST", "/es/contar", seen, 2 * 1024 * 1024)
    alone = status != http.HTTPStatus.SEE_OTHER and headers["Content-Security-Policy"] is None
    seen.own_page = alone or (large == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE and b"nginx" in words + page)
    seen.plain = _is_plain(door, plain_port, seen.marks.page)
    seen.stranger = _serves_strangers(door)


def _asks(
    door: Door, method: str, path: str, seen: Seen, length: int = 0
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """An answer; where a length is given, as much is promised, and none of it sent."""
    line = door.line()
    try:
        line.putrequest(method, path)
        line.putheader("User-Agent", seen.marks.browser)
        if length:
            line.putheader("Content-Length", str(length))
        line.endheaders()
        if length and line.sock is not None:
            line.sock.settimeout(SHORT)
        answer = line.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException):
        return 303, http.client.HTTPMessage(), b""  # it waits for the rest: then it is the pages that answer
    finally:
        line.close()


def _is_plain(door: Door, port: int, mark: str) -> bool | None:
    """Whether plain http gives a page, or repeats a path; None where nobody is there."""
    line = http.client.HTTPConnection(door.host, port, timeout=SHORT)
    try:
        line.request("GET", f"/es/antes?{mark}", headers={"Host": door.host})
        answer = line.getresponse()
        return answer.status == http.HTTPStatus.OK or mark in (answer.headers["Location"] or "")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        line.close()


def _serves_strangers(door: Door) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is the name that is wrong
    try:
        with (
            socket.create_connection((door.host, door.port), SHORT) as line,
            context.wrap_socket(line, server_hostname=door.stranger) as inner,
        ):
            inner.sendall(f"GET /es/antes HTTP/1.1\r\nHost: {door.stranger}\r\nConnection: close\r\n\r\n".encode())
            return inner.recv(15).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _waits(door: Door, seen: Seen) -> None:
    """Half a head, and then nothing."""
    line = door.line()
    with contextlib.suppress(OSError):
        line.connect()
        line.sock.settimeout(HEAD_WITHIN + GRACE)
        line.sock.sendall(b"GET /es/antes HTTP/1.1\r\nHost: ")
        try:
            line.sock.recv(1)
        except TimeoutError:
            seen.slow = True
    line.close()


def _many(door: Door, seen: Seen) -> None:
    """More lines than a share, each with a body that does not come."""
    lines, refused = [door.line() for _ in range(SHARE + 8)], 0
    with contextlib.suppress(OSError, http.client.HTTPException):
        for line in lines:
            line.putrequest("POST", "/es/contar")
            line.putheader("Content-Length", "1000")
            line.endheaders()
    for line in lines[SHARE:]:
        with contextlib.suppress(OSError, http.client.HTTPException, AttributeError):
            line.sock.settimeout(0.2)
            refused += bool(line.sock.recv(1))
    seen.unlimited = not refused and all(line.sock for line in lines)
    for line in lines:
        line.close()


def _names_a_client(text: bytes, addresses: Sequence[str]) -> bool:
    """As nginx and Caddy write of a request that failed."""
    ways = (b"client: %s", b'"remote_ip":"%s"')
    errors = (b"[error]", b"[crit]", b"[warn]", b"[info]", b'"level":"error"')
    lines = [line for line in text.splitlines() if any(sign in line for sign in errors)]
    return any(way % address.encode() in line for line in lines for way in ways for address in addresses)


def _spelt(receipt: Receipt | None) -> tuple[str, ...]:
    if receipt is None:
        return ()
    return tuple(between.join(receipt.digits()) for between in ("", " ", "-", "+"))


def _kept(settings: Settings, engine: Engine, words: Sequence[str]) -> Iterator[str]:
    """Files of the installation, and columns, in which a mark stands."""
    needles = spellings(*words)
    for path in sorted(settings.instance.rglob("*")):
        with contextlib.suppress(OSError):
            if path.is_file() and any(needle in path.read_bytes() for needle in needles):
                yield str(path)
    with reading(engine) as db:
        for table in Base.metadata.sorted_tables:
            if table.name in NOT_HERS:
                continue
            for row in db.execute(select(table)).mappings():
                yield from (f"{table.name}.{name}" for name, value in row.items() if _holds(value, needles))


def _holds(value: object, needles: Sequence[bytes]) -> bool:
    raw = value if isinstance(value, bytes) else str(value).encode()
    return any(needle in raw for needle in needles)
