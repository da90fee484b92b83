"""A release that is killed with SIGKILL, before every statement, at the commit, after it and anywhere between.

What is there then is what was there before, or the one release; and the one is never made a second time.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from reporting.figures.freezing import freeze
from reporting.figures.periods import period
from reporting.figures.release_ledger import ReleaseRefused
from reporting.figures.releases import compile_release, listed, publish
from reporting.storage.database import open_database, reading, writing
from reporting.storage.models import AuditRow, CaseRow
from reporting.storage.release_models import ArchiveRow, ReleaseMonthRow, ReleaseRow
from reporting.teams.keyring import Keys
from tests.copies import Copies, on_engine, with_readers_of_figures
from tests.people import Place
from tests.work.test_statistics import late_enough, receives, silent

log = logging.getLogger("tests")
Work = Callable[[Engine], object]
Seen = tuple[Any, ...]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, copies: Copies, tmp_path: Path) -> Iterator[Place]:
    with on_engine(request.param, copies, tmp_path / "instance", with_a_period_that_is_over) as made:
        yield made


def with_a_period_that_is_over(place: Place) -> None:
    with_readers_of_figures(place)
    place.clock.now = period("2026").ends - 86_400 * 10
    receives(place, times=4)
    receives(place, counted=False, times=2)
    receives(place, at=period("2026").ends + 5)  # of the next period
    late_enough(place)


def acts(place: Place, ana: Keys, luz: Keys) -> tuple[tuple[str, Work], ...]:
    """What makes a release, in order, and what it is called afterwards."""

    def number(db: Session) -> int:  # numbers of releases that never were are not given again
        return listed(db)[0].id

    def freezes(engine: Engine) -> None:
        freeze(engine, place.pin, ana, period("2026"), place.clock(), batch=3)

    def compiles(engine: Engine) -> None:
        with reading(engine) as db:
            release = number(db)
        compile_release(engine, place.pin, ana, release, silent)

    def publishes(engine: Engine) -> None:
        with writing(engine) as db:
            publish(db, place.pin, luz, number(db))

    return ("frozen", freezes), ("compiled", compiles), ("published", publishes)


def seen(place: Place) -> Seen:
    """Everything that a release touches."""
    with reading(place.engine) as db:
        releases = [(row.state, row.sha256) for row in db.scalars(select(ReleaseRow))]
        archive = sorted(db.scalars(select(ArchiveRow.id)))
        months = sorted(db.scalars(select(ReleaseMonthRow.month)))
        tallies = {row.id: row.tally for row in db.scalars(select(CaseRow))}
        return releases, archive, months, tallies, db.scalar(select(func.count()).select_from(AuditRow))


def stride(sampled: int) -> int:
    """How many steps lie between two that are tried: so many in a plain run, one with AMPARO_KILLS=200."""
    return 1 if int(os.environ.get("AMPARO_KILLS", "4")) >= 200 else sampled


def in_a_process(work: Callable[[], object]) -> int:
    """Its number. It ends without a word to anybody, as a process that is killed does."""
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    return child


def was_killed(child: int) -> bool:
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "it failed by itself"
    return False


def killed_at(step: int, work: Work, url: str) -> bool:
    """Do the work in a process that dies before its step-th statement, where the commit and what follows count too."""

    def dying() -> None:
        engine, done = open_database(url), count()

        def one_more(*_: object) -> None:
            if next(done) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(engine, "before_cursor_execute", one_more)
        event.listen(engine, "commit", one_more)
        work(engine)
        one_more()

    return was_killed(in_a_process(dying))


def killed_after(seconds: float, work: Work, url: str) -> bool:
    child = in_a_process(lambda: work(open_database(url)))
    killer = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
    killer.start()
    try:
        return was_killed(child)
    finally:
        killer.cancel()
        killer.join()


def test_a_crash_at_any_step_leaves_none_or_the_one(place: Place) -> None:
    for state, work in acts(place, place.signs_in("ana"), place.signs_in("luz")):
        before = after = seen(place)
        for step in count():
            was_stopped = killed_at(step, work, place.settings.database_url)
            after = seen(place)
            assert_nothing_is_tied(after)
            if [at for at, _ in after[0]] == [state]:
                break
            assert was_stopped, "it is done to its end, or it was killed"
        log.info("a release to be %s: killed at each of %s steps", state, step)
        assert step > 3
        assert len(after[1]) == (0 if state == "published" else 7), "a row of the archive for every case"
        assert after[2] == list(period("2026").months)
        assert after[4] == before[4] + 1, "one entry in the audit"
        assert_never_again(place, work)


def assert_nothing_is_tied(there: Seen) -> None:
    """What a copy taken at this moment holds: no tally of the archive lies beside a case, in the same bytes or not."""
    _, archive, _, tallies, _ = there
    assert not set(archive) & set(tallies)
    assert len(archive) <= len(tallies)


def assert_never_again(place: Place, work: Work) -> None:
    there = seen(place)
    with pytest.raises(ReleaseRefused):
        work(place.engine)
    assert seen(place) == there


def test_a_kill_at_any_moment_leaves_none_or_the_one(place: Place) -> None:
    """Also inside a statement and inside the commit, where no step can be counted."""
    chance, wait = random.Random(9), 0.002  # noqa: S311 -- when to kill
    for state, work in acts(place, place.signs_in("ana"), place.signs_in("luz")):
        wait = 0.002
        while [at for at, _ in seen(place)[0]] != [state]:
            killed_after(chance.random() * wait, work, place.settings.database_url)
            wait *= 1.5
        assert_never_again(place, work)
