"""How many reports a second: whole trips against a server of our own, and the floor below which none goes.

The floor serves the same bytes over the same server with only the cryptography, one durable commit and a bare
answer. Both run one after the other on the same machine, because only their ratio means anything elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from reporting.cases import store, submission
from reporting.config import ROOT, SECRET, Settings, make_secrets, read_settings
from reporting.crypto import receipts
from reporting.operations import demo, server
from reporting.sessions import day_seeds, tickets
from reporting.sessions.page_rows import open_rows
from reporting.storage.database import open_database, reading, upgrade_tables, writing
from reporting.teams import team_log
from reporting.teams.team_log import CASEWORK, STATISTICS, Pin
from reporting.vocabulary.answers import route

TICKET = re.compile(rb'name="t" value="([^"]+)"')
FORM, CHUNK = "application/x-www-form-urlencoded", 65_536
HEAD_ENDS, LENGTH = b"\r\n\r\n", re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)
LOCATION = re.compile(rb"\r\nLocation: (\S+)", re.IGNORECASE)
WALKING = "Sec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\n"
RECEIPT = b'class="c-words"'
TOLD = {"age": "A25_34", "region": "PIURA", "violence": "RAPE", "narrative": "Fue de noche."}
STEPS = ["begin", *["next"] * len(route(TOLD | {"violence": [TOLD["violence"]]})), "send"]
PATIENCE = 30  # seconds until a server that does not answer is a failure
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
Say = Callable[[str], None]


@dataclass
class Taken:
    """What the clients saw: seconds of each trip, errors, the bytes of one trip for the floor."""

    trips: list[float] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0


# ── the client ──────────────────────────────────────────────────────────────────────────────────────────────


class Line:
    """A line to the server that is kept open; the little of HTTP that is needed, so that measuring costs little."""

    def __init__(self, port: int) -> None:
        self._port, self.leads = port, ""  # where the last answer leads
        self._socket: socket.socket | None = None

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """(status, body) of an answer. `OSError` or `ValueError` where there is none."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        kind = f"{WALKING}Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n" if body else WALKING
        self._socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}\r\n".encode() + body)
        answer = b""
        while HEAD_ENDS not in answer:
            answer += self._more(self._socket)
        head, _, page = answer.partition(HEAD_ENDS)
        length = LENGTH.search(head)
        if length is None:
            raise ValueError("no length")
        while len(page) < int(length[1]):
            page += self._more(self._socket)
        leads = LOCATION.search(head)
        self.leads = leads[1].decode() if leads else ""
        return int(head[9:12]), page

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


def _trip(line: Line) -> list[tuple[int, int]]:
    """One whole trip. Returns (bytes sent, bytes received) of each request; anything odd is an error."""
    sizes, page = list[tuple[int, int]](), b""
    for go in STEPS:
        ticket = TICKET.search(page)
        if ticket is None and sizes:
            raise ValueError("no ticket")
        fields = {"go": go} | ({"t": ticket[1].decode()} | TOLD if ticket else {})
        body = urllib.parse.urlencode(fields).encode()
        page = _step(line, body)
        sizes.append((len(body), len(page)))
    if RECEIPT not in page:
        raise ValueError("no receipt")
    return sizes


def _step(line: Line, body: bytes) -> bytes:
    """What she presses, and the page that it leads to."""
    status, page = line.ask("POST", "/es/contar", body)
    if status == HTTPStatus.SEE_OTHER:
        status, page = line.ask("GET", line.leads)
    if status not in {HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION}:
        raise ValueError(str(status))
    return page


def _load(port: int, trip: Callable[[Line], object], at_once: int, seconds: float) -> Taken:
    """So many people at once, one trip after the other, until the time is up."""
    taken, begin = Taken(), time.monotonic()

    def person() -> None:
        line = Line(port)
        while time.monotonic() < begin + seconds:
            start = time.monotonic()
            try:
                trip(line)
                taken.trips.append(time.monotonic() - start)
            except (ValueError, OSError):
                taken.errors += 1
                line.close()
        line.close()

    people = [threading.Thread(target=person) for _ in range(at_once)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    taken.seconds = time.monotonic() - begin
    return taken


# ── the servers ─────────────────────────────────────────────────────────────────────────────────────────────


def submit(workers: int, at_once: Iterable[int], seconds: float, runs: int, say: Say) -> list[dict[str, Any]]:
    """Whole trips of all requests up to the receipt, and the ratio to the floor. Medians of the runs."""
    with tempfile.TemporaryDirectory(prefix="amparo-bench-") as folder:
        settings = _furnished(Path(folder), say)
        command = ["serve", "--workers", str(workers)]
        with _running(settings, command) as (process, port, cold):
            sizes = _trip(Line(port))
            say(f"{workers} workers, {len(sizes)} steps a trip")
            rows = [_measure(process, port, _trip, many, seconds, runs, say) for many in at_once]
        open_rows(settings, open_database(settings.database_url)).destroy()
        floors = _floors(settings, sizes, workers, [row["at_once"] for row in rows], seconds, runs, say)
    for row, floor in zip(rows, floors, strict=True):
        row |= {
            "cold_start_s": round(cold, 2),
            "packages": _packages(),
            "workers": workers,
            "limit_trips_per_s": floor["trips_per_s"],
            "ratio_to_limit": round(row["trips_per_s"] / max(floor["trips_per_s"], 0.001), 2),
        }
    return rows


def _packages() -> int:
    """How many packages the lock file of a checkout names; 0 where there is none."""
    lock = ROOT / "requirements.txt"
    return len(re.findall(r"^[a-z0-9].*==", lock.read_text("utf-8"), re.MULTILINE)) if lock.exists() else 0


def limit(workers: int, at_once: Iterable[int], seconds: float, runs: int, say: Say) -> list[dict[str, Any]]:
    """The measures of the floor alone, a row for each number of people at once."""
    with tempfile.TemporaryDirectory(prefix="amparo-bench-") as folder:
        settings = _furnished(Path(folder), say)
        with _running(settings, ["serve", "--workers", "1"]) as (_, port, _cold):
            sizes = _trip(Line(port))
        open_rows(settings, open_database(settings.database_url)).destroy()
        return _floors(settings, sizes, workers, at_once, seconds, runs, say)


def _floors(
    settings: Settings,
    sizes: list[tuple[int, int]],
    workers: int,
    at_once: Iterable[int],
    seconds: float,
    runs: int,
    say: Say,
) -> list[dict[str, Any]]:
    def trip(line: Line) -> None:
        for number, (sent, _) in enumerate(sizes):
            line.ask("POST", f"/{number}", bytes(sent))

    command = ["bench", "floor", "--workers", str(workers), "--sizes", json.dumps(sizes)]
    with _running(settings, command) as (process, port, _):
        say("the floor")
        return [_measure(process, port, trip, many, seconds, runs, say) for many in at_once]


def serve_floor(settings: Settings, port: int, workers: int, sizes: list[tuple[int, int]]) -> None:
    """Serve only what cannot be left out: open and seal a ticket, at the end stretch, seal, commit durably."""
    server.serve(lambda chosen: _floor(chosen, sizes), settings, "127.0.0.1", port, workers)


def _floor(settings: Settings, sizes: list[tuple[int, int]]) -> Callable[..., list[bytes]]:
    engine, now = open_database(settings.database_url), time.time()
    with reading(engine) as db:
        teams = team_log.teams(db, Pin(settings.pin_file))
        known, trip = day_seeds.seeds(db), tickets.new_trip()
        ticket = tickets.write_ticket(known, settings.server_secret, "draft", trip, "1", {"a": TOLD}, now)
    engine.dispose()  # no line to the database goes along into the workers
    readers, counters = (team_log.team_of_kind(teams, kind) for kind in (CASEWORK, STATISTICS))
    report = submission.from_answers({"narrative": TOLD["narrative"]}, language="es", trip=tickets.new_trip(), now=now)
    file, local = settings.instance / "floor.db", threading.local()

    def commit(sealed: store.SealedReport) -> None:
        if not hasattr(local, "line"):
            local.line = sqlite3.connect(file, isolation_level=None, timeout=PATIENCE)
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                local.line.execute(f"PRAGMA {pragma}")
            local.line.execute("CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, body BLOB)")
        body = b"".join(part for part in sealed.case.values() if isinstance(part, bytes))
        body += b"".join(record for _, record in sealed.records)
        local.line.execute("INSERT INTO kept VALUES (?, ?)", (sealed.case["id"], body))

    def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        number = int(environ["PATH_INFO"][1:])
        environ["wsgi.input"].read()
        if number:
            with reading(engine) as db:
                known = day_seeds.seeds(db)
                tickets.read_ticket(known, settings.server_secret, "draft", ticket, now)
                tickets.write_ticket(known, settings.server_secret, "draft", report.trip, "1", {"a": TOLD}, now)
        if number == len(sizes) - 1:
            receipt = receipts.draw(secrets.randbelow)
            commit(submission.prepare(report, receipt, readers, counters, settings.pepper, now))
        start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(sizes[number][1]))])
        return [bytes(sizes[number][1])]

    return answer


def _furnished(folder: Path, say: Say) -> Settings:
    make_secrets(folder, os.urandom(2 * SECRET))
    settings = read_settings({"AMPARO_INSTANCE": str(folder), "PRACTICE": "1", "LANGUAGES": "es,en"})
    engine = open_database(settings.database_url)
    upgrade_tables(engine)
    demo.seed_demo(settings, engine, time.time(), say)
    with writing(engine) as db:
        day_seeds.open_day(db, time.time())
    return settings


@contextmanager
def _running(settings: Settings, command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    """A server in processes of its own; how long it took until it answered."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    environment = os.environ | {"AMPARO_INSTANCE": str(settings.instance), "PRACTICE": "0", "LANGUAGES": "es,en"}
    environment["TRUSTED_PROXY"] = ""  # nobody stands in front here
    begin = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-m", "reporting", *command, "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > begin + PATIENCE:
                raise TimeoutError("the server does not answer")
            time.sleep(0.01)
        yield process, port, time.monotonic() - begin
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    line = Line(port)
    try:
        line.ask("GET", "/0")
    except OSError:
        return False
    finally:
        line.close()
    return True


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────


def _measure(
    process: subprocess.Popen[bytes],
    port: int,
    trip: Callable[[Line], object],
    at_once: int,
    seconds: float,
    runs: int,
    say: Say,
) -> dict[str, Any]:
    rows = []
    _load(port, trip, at_once, min(seconds, 1))  # warm
    for run in range(runs):
        before = _cpu(process.pid)
        taken = _load(port, trip, at_once, seconds)
        spent, done = _cpu(process.pid) - before, sorted(taken.trips) or [0.0]
        rows.append(
            {
                "trips_per_s": round(len(taken.trips) / taken.seconds, 1),
                "p50_ms": round(done[len(done) // 2] * 1000, 1),
                "p99_ms": round(done[int(len(done) * 0.99)] * 1000, 1),
                "errors": taken.errors,
                "cpu_ms_per_trip": round(spent * 1000 / max(len(taken.trips), 1), 1),
                "rss_mb": round(_memory(process.pid), 1),
            }
        )
        say(f"{at_once} at once, run {run + 1}: {rows[-1]}")
    middle = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    return {"at_once": at_once, "runs": runs} | middle | {"errors": sum(row["errors"] for row in rows)}


def _family(pid: int) -> list[int]:
    """The process and its children, as Linux tells; elsewhere only itself."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *map(int, listed.read_text("ascii").split())] if listed.exists() else [pid]


def _cpu(pid: int) -> float:
    """Seconds of processor time of all workers."""
    spent = 0.0
    for process in _family(pid):
        path = Path(f"/proc/{process}/stat")
        if path.exists():
            fields = path.read_text("ascii").rpartition(")")[2].split()
            spent += (int(fields[11]) + int(fields[12])) / TICKS
    return spent


def _memory(pid: int) -> float:
    """Megabytes of the largest worker."""
    sizes = [0]
    for process in _family(pid):
        path = Path(f"/proc/{process}/status")
        if path.exists():
            sizes += [int(kb) for kb in re.findall(r"VmRSS:\s+(\d+)", path.read_text("ascii"))]
    return max(sizes) / 1024
