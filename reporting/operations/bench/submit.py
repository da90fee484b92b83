"""How many reports a second: whole trips against a server of our own, and the floor below which none goes.

The floor serves the same bytes over the same server with only the cryptography, one durable commit and a bare
answer. Both run one after the other on the same machine, because only their ratio means anything elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reporting.cases import store, submission
from reporting.config import ROOT, SECRET, Settings, make_secrets, read_settings
from reporting.crypto import receipts
from reporting.i18n import T_, said
from reporting.operations import demo, server
from reporting.operations.bench.client import PATIENCE, TOLD, Line, whole_trip
from reporting.operations.bench.running import largest, processor, running
from reporting.sessions import day_seeds, tickets
from reporting.sessions.page_rows import open_rows
from reporting.storage.database import open_database, reading, upgrade_tables, writing
from reporting.teams import team_log
from reporting.teams.team_log import CASEWORK, STATISTICS, Pin
from reporting.vocabulary.lengths import LONG

Say = Callable[[str], None]


@dataclass
class Taken:
    """What the clients saw: seconds of each trip, errors, the bytes of one trip for the floor."""

    trips: list[float] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0


# ── the clients ─────────────────────────────────────────────────────────────────────────────────────────────


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
        with running(settings, command) as (process, port, cold):
            sizes = whole_trip(Line(port))
            say(said("%(workers)s workers, %(steps)s steps a trip", workers=workers, steps=len(sizes)))
            rows = [_measure(process, port, whole_trip, many, seconds, runs, say) for many in at_once]
            every_theme = [_measure(process, port, _long, many, seconds, 1, say) for many in at_once]
        open_rows(settings, open_database(settings.database_url)).destroy()
        floors = _floors(settings, sizes, workers, [row["at_once"] for row in rows], seconds, runs, say)
    for row, floor, long in zip(rows, floors, every_theme, strict=True):
        row |= {
            "long_trips_per_s": long["trips_per_s"],
            "long_cpu_ms_per_trip": long["cpu_ms_per_trip"],
            "cold_start_s": round(cold, 2),
            "packages": _packages(),
            "workers": workers,
            "limit_trips_per_s": floor["trips_per_s"],
            "ratio_to_limit": round(row["trips_per_s"] / max(floor["trips_per_s"], 0.001), 2),
        }
    return rows


def _long(line: Line) -> object:
    """The same report, told through every theme."""
    return whole_trip(line, LONG)


def _packages() -> int:
    """How many packages the lock file of a checkout names; 0 where there is none."""
    lock = ROOT / "requirements.txt"
    return len(re.findall(r"^[a-z0-9].*==", lock.read_text("utf-8"), re.MULTILINE)) if lock.exists() else 0


def limit(workers: int, at_once: Iterable[int], seconds: float, runs: int, say: Say) -> list[dict[str, Any]]:
    """The measures of the floor alone, a row for each number of people at once."""
    with tempfile.TemporaryDirectory(prefix="amparo-bench-") as folder:
        settings = _furnished(Path(folder), say)
        with running(settings, ["serve", "--workers", "1"]) as (_, port, _cold):
            sizes = whole_trip(Line(port))
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
    with running(settings, command) as (process, port, _):
        say(T_("the floor"))
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
        before = processor(process.pid)
        taken = _load(port, trip, at_once, seconds)
        spent, done = processor(process.pid) - before, sorted(taken.trips) or [0.0]
        rows.append(
            {
                "trips_per_s": round(len(taken.trips) / taken.seconds, 1),
                "p50_ms": round(done[len(done) // 2] * 1000, 1),
                "p99_ms": round(done[int(len(done) * 0.99)] * 1000, 1),
                "errors": taken.errors,
                "cpu_ms_per_trip": round(spent * 1000 / max(len(taken.trips), 1), 1),
                "rss_mb": round(largest(process.pid), 1),
            }
        )
        say(said("%(count)s at once, run %(run)s: %(figures)s", count=at_once, run=run + 1, figures=rows[-1]))
    middle = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    return {"at_once": at_once, "runs": runs} | middle | {"errors": sum(row["errors"] for row in rows)}
