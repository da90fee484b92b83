"""Backup and restore, killed with SIGKILL at one statement or another: none or the one, and the next try works."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, RowMapping, Table, delete, event, func, select

from reporting.cases import derived
from reporting.operations import backups, restoring
from reporting.operations.backups import BackupRefused
from reporting.storage.database import Base, reading, writing
from reporting.storage.models import CaseRow, RecordRow, TeamRow
from tests.copies import Copies, on_engine, with_readers_of_figures
from tests.people import Place
from tests.work.test_maintenance import loses_everything, quiet
from tests.work.test_release_crashes import killed_at, stride
from tests.work.test_statistics import receives

log = logging.getLogger("tests")
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

    for step in count(0, stride(7)):
        place.engine.dispose()
        was_stopped = killed_at(step, backs_up, address)
        assert file.exists() or was_stopped
        if file.exists():
            key = backups.month_key(instance, place.clock())[1]
            with file.open("rb") as copy:
                cases = sum(line.get("t") == CaseRow.__tablename__ for line in backups.rows_of(copy, key))
            assert cases == CASES
            file.unlink()
        if not was_stopped:
            break
    log.info("a backup: killed at one of every %s among %s steps", stride(7), step)
    assert not list(tmp_path.glob("*.new"))


def loses_its_cases(place: Place) -> None:
    with writing(place.engine) as db:
        db.execute(delete(RecordRow))
        db.execute(delete(CaseRow))


def restores_from(place: Place, file: Path) -> Callable[[Engine], object]:
    instance, pepper = place.settings.instance, place.settings.pepper
    return lambda engine: restoring.restore(engine, place.pin, instance, file, pepper, place.clock(), quiet)


def test_a_restore_beside_people_that_is_killed_brings_each_case_whole_or_not_and_the_next_brings_the_rest(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "SLICE", 2)
    file = tmp_path / "copy"
    backups.back_up(place.engine, place.settings.instance, file, place.clock(), quiet)
    there, seen = kept(place), set[tuple[int, int]]()
    records = there[1] // CASES
    loses_its_cases(place)
    restores = restores_from(place, file)
    for step in count(0, stride(3)):
        place.engine.dispose()
        was_stopped = killed_at(step, restores, place.settings.database_url)
        seen.add(kept(place))
        if not was_stopped:
            break
        loses_its_cases(place) if step % 2 else None  # else the next finds what was brought
    log.info("a restore beside people: killed at one of every %s among %s steps", stride(3), step)
    assert seen <= {(cases, cases * records) for cases in (0, 2, 3)}
    assert len(seen) > 1
    restores(place.engine)
    assert kept(place) == there


def test_a_restore_into_empty_tables_that_is_killed_opens_nothing_until_all_is_there(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "SLICE", 2)
    file = tmp_path / "copy"
    backups.back_up(place.engine, place.settings.instance, file, place.clock(), quiet)
    there, restores = kept(place), restores_from(place, file)
    loses_everything(place)
    partly = 0
    for step in count(0, stride(7)):
        place.engine.dispose()
        was_stopped = killed_at(step, restores, place.settings.database_url)
        with reading(place.engine) as db:
            is_open = db.scalars(select(TeamRow)).first() is not None
        if is_open:
            assert kept(place) == there
            break
        assert was_stopped
        partly += kept(place) not in {(0, 0), there}
    log.info("a restore into empty tables: killed at one of every %s among %s steps", stride(7), step)
    assert partly, "it was killed while some were there"
    place.signs_in("rosa")


def test_a_backup_of_before_comes_back_table_by_table(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_tables(
        connection: Connection, kept: Sequence[Table], counts: dict[str, int], _say: object
    ) -> Iterator[tuple[Table, RowMapping]]:
        for table in kept:
            rows = connection.execute(select(table)).mappings().all()
            counts[table.name] = len(rows)
            yield from ((table, row) for row in rows)

    file = tmp_path / "copy"
    with monkeypatch.context() as before:
        before.setattr(backups, "_rows", by_tables)
        backups.back_up(place.engine, place.settings.instance, file, place.clock(), quiet)
    there = kept(place)
    for loses in (loses_its_cases, loses_everything):
        loses(place)
        restores_from(place, file)(place.engine)
        assert kept(place) == there


def test_no_transaction_of_a_restore_brings_many_cases(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert restoring.SLICE <= 200
    monkeypatch.setattr(restoring, "SLICE", 2)
    monkeypatch.setattr(backups, "CASES", 4)
    receives(place, times=6)
    there, brought, file = kept(place), [0], tmp_path / "copy"
    backups.back_up(place.engine, place.settings.instance, file, place.clock(), quiet)
    loses_its_cases(place)

    def one_more(_line: object, _cursor: object, statement: str, several: object, *_: object) -> None:
        if statement.startswith("INSERT INTO case_file"):
            brought[-1] += len(several) if isinstance(several, list) else 1

    event.listen(place.engine, "before_cursor_execute", one_more)
    event.listen(place.engine, "commit", lambda _line: brought.append(0))
    restores_from(place, file)(place.engine)
    assert sum(brought) == there[0]
    assert max(brought) == 2
    assert kept(place) == there


def test_a_restore_that_is_refused_changes_nothing(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "copy"
    backups.back_up(place.engine, place.settings.instance, file, place.clock(), quiet)
    with writing(place.engine) as db:
        for table in reversed(Base.metadata.sorted_tables):
            if table not in derived.tables_of_cases():
                db.execute(table.delete())
    there = kept(place)
    place.pin.path.rename(tmp_path / "apart")
    with pytest.raises(BackupRefused):
        restores_from(place, file)(place.engine)
    assert kept(place) == there
