"""Backup and restore, killed with SIGKILL at one statement or another: none or the one, and the next try works."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, select

from reporting.operations import backups
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow, RecordRow
from tests.copies import Copies, on_engine, with_readers_of_figures
from tests.people import Place
from tests.work.test_maintenance import quiet
from tests.work.test_release_crashes import killed_at
from tests.work.test_statistics import receives

CASES = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, copies: Copies, tmp_path: Path) -> Iterator[Place]:
    with on_engine(request.param, copies, tmp_path / "instance", with_three_cases) as made:
        yield made


def with_three_cases(place: Place) -> None:
    with_readers_of_figures(place)
    receives(place, times=CASES)


def kept(place: Place) -> tuple[int, int]:
    """How many cases there are, and how many records of them."""
    with reading(place.engine) as db:
        return tuple(db.scalar(select(func.count()).select_from(row)) or 0 for row in (CaseRow, RecordRow))  # type: ignore[return-value]


def test_a_backup_that_is_killed_leaves_none_or_a_whole_one_and_the_next_is_taken(place: Place, tmp_path: Path) -> None:
    file, instance, address = tmp_path / "copy", place.settings.instance, place.settings.database_url

    def backs_up(engine: Engine) -> None:
        backups.back_up(engine, instance, file, place.clock(), quiet)

    place.engine.dispose()
    for step in (*range(0, 40, 7), None):
        killed = step is not None and killed_at(step, backs_up, address)
        if not killed and step is None:
            backs_up(place.engine)
        if file.exists():
            key = backups.month_key(instance, place.clock())[1]
            with file.open("rb") as copy:
                cases = sum(line.get("t") == CaseRow.__tablename__ for line in backups.rows_of(copy, key))
            assert cases == CASES
            file.unlink()
        else:
            assert killed
    assert not list(tmp_path.glob("*.new"))


def test_a_restore_that_is_killed_brings_none_back_or_all_and_the_next_brings_the_rest(
    place: Place, tmp_path: Path
) -> None:
    file, instance, pepper = tmp_path / "copy", place.settings.instance, place.settings.pepper
    backups.back_up(place.engine, instance, file, place.clock(), quiet)
    there = kept(place)
    with writing(place.engine) as db:
        db.execute(delete(RecordRow))
        db.execute(delete(CaseRow))

    def restores(engine: Engine) -> None:
        backups.restore(engine, place.pin, instance, file, pepper, place.clock(), quiet)

    for step in count(0, 3):
        place.engine.dispose()
        was_stopped = killed_at(step, restores, place.settings.database_url)
        assert kept(place) in {(0, 0), there}
        if kept(place) == there:
            break
        assert was_stopped
    restores(place.engine)
    assert kept(place) == there
