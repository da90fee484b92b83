"""How long reporters wait while the desk works: a page, and a whole sending, worst and median, beside each work.

A server as in production, with processes for the desk, over an invented installation. Two clients do nothing but
measure: one turns a page of hers again and again, the other sends whole reports. First nobody is at the desk, then each
work is done beside them. Only the ratio to the idle row of the same run means anything on another machine.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, func, select, text

from reporting.config import Settings
from reporting.i18n import T_, said
from reporting.operations.bench import invented, running
from reporting.operations.bench.client import Line, whole_trip
from reporting.operations.bench.desk_works import BACKUP, WORKS, Member, Served, Work, WorkFailed
from reporting.sessions.page_rows import open_rows
from reporting.storage.database import reading
from reporting.storage.models import CaseRow

PAGE_EVERY, SENDING_EVERY = 0.05, 0.2  # seconds between the end of one measure and the beginning of the next
DAYS = 250  # so that the last quarter that may be frozen is among them
AHEAD = (0, 30)  # seconds: the digits with which two members sign in, each are good once
PAGE = "/es/"
PATIENCE = 600  # seconds for a page of the desk: the first look at very many cases works out each of them
WARMING = 8  # people at once, who reach every process
MEGABYTE = 1024 * 1024  # bytes
Say = Callable[[str], None]


@dataclass(slots=True)
class Waits:
    """Seconds that one client waited, each time; and what went wrong, first of all."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    first_error: str = ""

    @property
    def worst(self) -> float:
        """The longest; what failed counts until it failed."""
        return round(max(self.seconds, default=0.0), 3)

    @property
    def median(self) -> float:
        """In the middle."""
        return round(statistics.median(self.seconds or [0.0]), 4)

    def take(self, act: Callable[[], object]) -> None:
        """Do it once, and note how long it took."""
        began = time.monotonic()
        try:
            act()
        except (ValueError, OSError, WorkFailed) as trouble:
            self.errors += 1
            self.first_error = self.first_error or f"{type(trouble).__name__} {trouble}"
        self.seconds.append(time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured beside one work: seconds; load of the machine in the last minute, at the end of it."""

    beside: str
    seconds: float
    load: float
    page_median_s: float
    page_worst_s: float
    sending_median_s: float
    sending_worst_s: float
    pages: int
    sendings: int
    errors: int
    first_error: str
    done: int  # how often the desk did it
    work_median_s: float
    work_worst_s: float
    work_error: str
    desk_cpu_s: float  # of the processes that answer the desk, each time; what runs apart is not in it


def _line(row: Row) -> str:
    trouble = f"{row.errors} errors: {row.first_error}" if row.errors else ""
    numbers = (row.page_median_s, row.page_worst_s, row.sending_median_s, row.sending_worst_s, row.work_median_s)
    columns = "".join(f"{number:10.3f}" for number in numbers)
    return f"{row.beside:10}{columns}{row.done:7}{row.load:7}  {trouble} {row.work_error}".rstrip()


HEAD = f"{'beside':10}{'page':>10}{'worst':>10}{'sending':>10}{'worst':>10}{'desk':>10}{'times':>7}{'load':>7}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A whole run. Sizes in MB; of a process, the most it ever held."""

    cases: int
    database: str
    processors: int
    rows: tuple[Row, ...]
    reporters_rss_mb: float
    desk_rss_mb: float
    database_mb: float
    backup_mb: float


def measure(
    settings: Settings, engine: Engine, cases: int, seconds: float, only: Collection[str], say: Say
) -> Measured:
    """Fill an empty installation, serve it, and measure beside each of these works, at least so long beside each."""
    totp = invented.furnish(settings, engine)
    served = Served(settings, engine, invented.her_keys(settings, engine, totp))
    invented.fill(settings, served.keys, cases, days=DAYS)
    return measure_filled(served, totp, seconds, only, say)


def measure_filled(served: Served, totp: bytes, seconds: float, only: Collection[str], say: Say) -> Measured:
    """The same with an installation that is filled already."""
    with reading(served.engine) as db:
        cases = db.scalar(select(func.count()).select_from(CaseRow)) or 0
    size, copied, rows = 0.0, 0.0, list[Row]()
    try:
        with running.running(served.settings, ["serve"]) as (process, port, _):
            _warm(port)
            bench = _Bench(served, process.pid, port, seconds, _signed_in(port, totp))
            for row in bench.rows([name for name in WORKS if not only or name in only], say):
                rows.append(row)
                if row.beside in {"idle", "backup"}:
                    size, copied = _size(served.engine), _size_of(served.settings.instance / BACKUP)
            reporters, desk = (round(max(map(running.most, its)), 1) for its in running.apart(process.pid))
    finally:
        open_rows(served.settings, served.engine).destroy()
    name, processors = served.engine.dialect.name, os.cpu_count() or 1
    return Measured(cases, name, processors, tuple(rows), reporters, desk, size, copied)


NOBODY_THERE = T_("nobody is at the desk")
SIZES = T_(
    "%(cases)s cases in %(database)s, %(processors)s processors. The largest process for reporters took "
    "%(reporters_rss_mb)s MB, for the desk %(desk_rss_mb)s MB; the database takes %(database_mb)s MB, its backup "
    "%(backup_mb)s MB."
)


def in_words(measured: Measured) -> list[str]:
    """A table for the terminal: medians and the worst, in seconds."""
    sizes = {part.name: getattr(measured, part.name) for part in fields(measured) if part.name != "rows"}
    return [HEAD, *map(_line, measured.rows), said(SIZES, **sizes)]


def _warm(port: int) -> None:
    """Each process has made each page once."""
    lines = [Line(port) for _ in range(WARMING)]
    _at_once([partial(whole_trip, line) for line in lines])
    for line in lines:
        line.page(PAGE)
        line.close()


def _signed_in(port: int, totp: bytes) -> tuple[Member, ...]:
    """Two members; their first look at the queue works out every case."""
    members = tuple(Member(Line(port, PATIENCE)) for _ in AHEAD)
    for member, ahead in zip(members, AHEAD, strict=True):
        member.sign_in(totp, time.time() + ahead)
    return members


def _size(engine: Engine) -> float:
    """Megabytes of the database, without the log before it."""
    if engine.dialect.name != "postgresql":
        return _size_of(Path(str(engine.url.database)))
    with engine.connect() as line:
        size = int(line.execute(text("SELECT pg_database_size(current_database())")).scalar() or 0)
    return round(size / MEGABYTE, 1)


def _size_of(path: Path) -> float:
    return round(path.stat().st_size / MEGABYTE, 1) if path.exists() else 0.0


@dataclass(frozen=True, slots=True)
class _Bench:
    """Who measures, and beside what."""

    served: Served
    server: int  # process
    port: int
    seconds: float
    members: tuple[Member, ...]

    def rows(self, names: Collection[str], say: Say) -> Iterator[Row]:
        """The row of nobody at the desk, then those of these works."""
        for name in ("idle", *names):
            work = WORKS.get(name)
            if work is not None:
                work.prepare(self.served)
            say(said("beside %(work)s: %(what)s", work=name, what=said(NOBODY_THERE if work is None else work.says)))
            yield self._row(name, work)

    def _row(self, name: str, work: Work | None) -> Row:
        done, (_, desk) = Waits(), running.apart(self.server)
        spent, began = sum(map(running.processor_of, desk)), time.monotonic()
        with self._measuring() as (page, sending):
            self._work(work, done, began + self.seconds)
        spent = sum(map(running.processor_of, desk)) - spent
        return Row(
            beside=name,
            seconds=round(time.monotonic() - began, 1),
            load=round(os.getloadavg()[0], 1),
            page_median_s=page.median,
            page_worst_s=page.worst,
            sending_median_s=sending.median,
            sending_worst_s=sending.worst,
            pages=len(page.seconds),
            sendings=len(sending.seconds),
            errors=page.errors + sending.errors,
            first_error=page.first_error or sending.first_error,
            done=len(done.seconds),
            work_median_s=done.median,
            work_worst_s=done.worst,
            work_error=done.first_error,
            desk_cpu_s=round(spent / max(len(done.seconds), 1), 3),
        )

    def _work(self, work: Work | None, done: Waits, until: float) -> None:
        """A command once, pages by both members until then, and nothing until then where there is no work."""
        if work is not None and work.command is not None:
            done.take(partial(work.command, self.served))
        elif work is not None and work.page is not None:
            _at_once([partial(_again, partial(work.page, member), done, until) for member in self.members])
        time.sleep(max(0.0, until - time.monotonic()))

    @contextmanager
    def _measuring(self) -> Iterator[tuple[Waits, Waits]]:
        """Two clients of reporters, as long as this lasts."""
        page, sending, over = Waits(), Waits(), threading.Event()
        clients = [
            threading.Thread(target=_until_over, args=(act, Line(self.port), waits, pause, over))
            for act, waits, pause in ((_turn, page, PAGE_EVERY), (whole_trip, sending, SENDING_EVERY))
        ]
        for client in clients:
            client.start()
        try:
            yield page, sending
        finally:
            over.set()
            for client in clients:
                client.join()


def _turn(line: Line) -> None:
    line.page(PAGE)


def _until_over(act: Callable[[Line], object], line: Line, waits: Waits, pause: float, over: threading.Event) -> None:
    while not over.wait(pause):
        errors = waits.errors
        waits.take(partial(act, line))
        if waits.errors > errors:
            line.close()
    line.close()


def _again(act: Callable[[], object], done: Waits, until: float) -> None:
    while time.monotonic() < until:
        done.take(act)


def _at_once(acts: Iterable[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
