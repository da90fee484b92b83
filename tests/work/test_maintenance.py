"""What goes over all cases: one at a time, by name; a backup is whole or refused; a release is built once for ever."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from reporting.crypto import sealing
from reporting.errors import Busy
from reporting.figures import release_ledger, releases
from reporting.figures.periods import period
from reporting.figures.release_ledger import ReleaseRefused
from reporting.operations import backups, restoring, retention
from reporting.operations.backups import BackupRefused
from reporting.storage.database import (
    PATIENCE,
    Base,
    checkpoint,
    checkpoint_soon,
    open_database,
    reading,
    writing,
)
from reporting.storage.ledger import FILE, FOLDER
from reporting.storage.locks import lock_holder, maintenance_lock
from reporting.storage.models import CaseRow, RecordRow
from reporting.storage.release_models import ArchiveRow, ReleaseMonthRow, ReleaseRow
from tests.copies import Copies, on_engine, with_readers_of_figures
from tests.needs_of_tests import a_schema
from tests.people import Place
from tests.work.test_statistics import compiles, counted, freezes, late_enough, publishes, receives, silent


def before_the_end_of_2026(place: Place) -> None:
    with_readers_of_figures(place)
    place.clock.now = period("2026").ends - 86_400 * 10
    receives(place, times=12)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, copies: Copies, tmp_path: Path) -> Iterator[Place]:
    with on_engine(request.param, copies, tmp_path / "instance", before_the_end_of_2026) as made:
        yield made


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


def backs_up(place: Place, file: Path, *, may_be_empty: bool = False) -> dict[str, object]:
    instance, now = place.settings.instance, place.clock()
    return backups.back_up(place.engine, instance, file, now, quiet, may_be_empty=may_be_empty)


def restores(place: Place, file: Path) -> None:
    instance, pepper = place.settings.instance, place.settings.pepper
    restoring.restore(place.engine, place.pin, instance, file, pepper, place.clock(), quiet)


def loses_everything(place: Place) -> None:
    """The database is empty, as on a new machine; secrets, pin and ledger were copied apart."""
    with writing(place.engine) as db:
        for table in reversed(Base.metadata.sorted_tables):
            db.execute(table.delete())


# ── one at a time ───────────────────────────────────────────────────────────────────────────────────────────


def test_while_one_task_goes_over_all_cases_another_is_refused_by_name(place: Place, tmp_path: Path) -> None:
    instance, now = place.settings.instance, place.clock()
    assert lock_holder(place.engine, instance) == ""
    with maintenance_lock(place.engine, instance, "sweep"):
        assert lock_holder(place.engine, instance) == "sweep"
        with pytest.raises(Busy, match="'sweep'"):
            backs_up(place, tmp_path / "copy")
        with pytest.raises(Busy, match="'sweep'"):
            retention.sweep(place.engine, place.pin, instance, now, quiet)
    assert lock_holder(place.engine, instance) == ""
    assert not (tmp_path / "copy").exists()
    backs_up(place, tmp_path / "copy")


def test_a_task_that_was_killed_stands_in_nobodys_way(place: Place) -> None:
    instance, (hears, tells) = place.settings.instance, os.pipe()
    address = place.settings.database_url
    place.engine.dispose()
    child = os.fork()
    if child == 0:
        with maintenance_lock(open_database(address), instance, "freeze"):
            os.write(tells, b"x")
            signal.pause()
    os.read(hears, 1)
    assert lock_holder(place.engine, instance) == "freeze"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with_patience = range(10_000)  # PostgreSQL notices a moment later that its line is cut
    assert any(lock_holder(place.engine, instance) == "" for _ in with_patience)


# ── backups ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_looks_while_the_tables_are_written_anew_goes_on_seeing_every_case() -> None:
    with a_schema() as address:
        engine = open_database(address)
        Base.metadata.create_all(engine)
        with writing(engine) as db:
            db.execute(Base.metadata.tables["team"].insert(), {"id": 1, "kind": "casework", "name": "x"})
            db.execute(CaseRow.__table__.insert(), [a_row(number) for number in range(1, 1201)])
        look = engine.execution_options(isolation_level="REPEATABLE READ")
        count = select(func.count()).select_from(CaseRow)
        with look.connect() as before, before.begin():
            before.execute(select(1)).scalar()
            before.execute(select(func.count()).select_from(ReleaseRow)).scalar()  # the look begins here
            retention.rewrite_tables(engine)
            assert before.execute(count).scalar() == 1200
        with reading(engine) as db:
            assert db.scalars(select(CaseRow.id)).all() == sorted(range(1, 1201))
        engine.dispose()


def a_row(number: int) -> dict[str, object]:
    """A case as its table wants it, with bytes that nobody opens."""
    table = CaseRow.__table__
    row: dict[str, object] = {"id": number, "tag": number.to_bytes(32, "big"), "team": 1}
    for column in table.columns:
        if column.name not in row and not column.nullable:
            kind = column.type.python_type
            row[column.name] = {bytes: b"x" * 32, int: 1, date: date(2027, 1, 1)}[kind]
    return row


def test_a_backup_without_a_case_is_refused_where_the_last_one_held_some(place: Place, tmp_path: Path) -> None:
    backs_up(place, tmp_path / "first")
    with writing(place.engine) as db:
        db.execute(delete(RecordRow))
        db.execute(delete(CaseRow))
    with pytest.raises(BackupRefused, match="--no-cases"):
        backs_up(place, tmp_path / "second")
    assert not (tmp_path / "second").exists()
    assert (tmp_path / "first").exists()
    backs_up(place, tmp_path / "second", may_be_empty=True)
    backs_up(place, tmp_path / "third")  # it was said once: the last one holds none now


def test_no_piece_of_a_backup_is_filled_up_to_twice_its_size(place: Place, tmp_path: Path) -> None:
    receives(place, times=500)
    backs_up(place, tmp_path / "copy")
    raw, sizes, at = (tmp_path / "copy").read_bytes(), [], len(backups.SIGN) + 7 + 16
    while at < len(raw):
        sizes.append(int.from_bytes(raw[at : at + 4], "big"))
        at += 4 + sizes[-1]
    assert len(sizes) > 2
    assert max(sizes) <= backups.CHUNK + 100
    assert sum(size > backups.CHUNK // 2 for size in sizes[:-1]) == len(sizes) - 1


# ── looks ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_looks_sees_everything_as_it_was_at_one_moment(place: Place) -> None:
    """A case is a row and its records: of two moments together they open nothing."""
    count = select(func.count()).select_from(CaseRow)
    with reading(place.engine) as db:
        before = db.scalar(count)
        receives(place)
        assert db.scalar(count) == before
    with reading(place.engine) as db:
        assert db.scalar(count) == (before or 0) + 1


def test_emptying_the_log_waits_for_no_reader_while_others_want_to_write(copies: Copies, tmp_path: Path) -> None:
    place = copies.copy(tmp_path / "instance", before_the_end_of_2026)
    with reading(place.engine) as db:
        db.scalars(select(CaseRow.id)).all()
        receives(place)
        began = time.monotonic()
        assert not checkpoint(place.engine, tries=2)
        checkpoint_soon(place.engine)
        receives(place)
        assert time.monotonic() - began < PATIENCE / 1000, "who emptied it kept the others waiting"
    assert checkpoint(place.engine)
    log = place.settings.instance / "amparo.db-wal"
    assert not log.exists() or not log.stat().st_size


# ── a release is built once ─────────────────────────────────────────────────────────────────────────────────


def test_a_period_that_was_published_is_never_built_again_from_an_older_copy(place: Place, tmp_path: Path) -> None:
    late_enough(place)
    ana, luz = place.signs_in("ana"), place.signs_in("luz")
    number = freezes(place, ana)
    backs_up(place, tmp_path / "copy")
    compiles(place, ana, number, lambda _scale: 3)
    publishes(place, luz, number)
    before = published_bytes(place)
    loses_everything(place)
    restores(place, tmp_path / "copy")
    assert published_bytes(place) == before
    with reading(place.engine) as db:
        assert db.scalars(select(ArchiveRow)).all() == []
    ana, luz = place.signs_in("ana"), place.signs_in("luz")
    with pytest.raises(ReleaseRefused, match="published before"):
        freezes(place, ana)
    with pytest.raises(ReleaseRefused, match="never built twice"):
        compiles(place, ana, number)
    with pytest.raises(ReleaseRefused, match="nothing here to publish"):
        publishes(place, luz, number)


def published_bytes(place: Place) -> list[tuple[str, bytes]]:
    with reading(place.engine) as db:
        rows = db.scalars(select(ReleaseRow).where(ReleaseRow.state == releases.PUBLISHED))
        return [(row.period, row.body) for row in rows]


def test_a_database_put_back_by_hand_gets_no_fresh_noise_and_the_upgrade_mends_it(place: Place) -> None:
    late_enough(place)
    ana, luz = place.signs_in("ana"), place.signs_in("luz")
    number = freezes(place, ana)
    compiles(place, ana, number, lambda _scale: 3)
    publishes(place, luz, number)
    before = published_bytes(place)
    with writing(place.engine) as db:
        row = db.get_one(ReleaseRow, number)
        row.state, row.body, row.sha256 = releases.FROZEN, b"", b""
    with pytest.raises(ReleaseRefused, match="published before"):
        compiles(place, ana, number)
    with writing(place.engine) as db:
        assert release_ledger.follow(db, place.pin.ledger) == ("2026",)
    assert published_bytes(place) == before
    with writing(place.engine) as db:
        db.execute(delete(ReleaseMonthRow))
        db.execute(delete(ReleaseRow))
        assert release_ledger.follow(db, place.pin.ledger) == ("2026",)
        assert release_ledger.follow(db, place.pin.ledger) == ()
    assert published_bytes(place) == before


def test_when_the_noise_was_drawn_and_nothing_stored_the_next_try_takes_the_same_bytes(place: Place) -> None:
    late_enough(place)
    ana = place.signs_in("ana")
    number = freezes(place, ana)
    compiles(place, ana, number, lambda _scale: 5)
    with writing(place.engine) as db:
        row = db.get_one(ReleaseRow, number)
        row.state, row.body, row.sha256 = releases.FROZEN, b"", b""  # as if it had been stopped before it was stored
    compiles(place, ana, number, silent)
    noisy = counted(place)
    assert noisy is not None
    assert noisy != 12


def test_bytes_whose_entry_was_cut_off_get_it_with_the_next_try(place: Place) -> None:
    late_enough(place)
    ana = place.signs_in("ana")
    number = freezes(place, ana)
    place.pin.ledger.keep("2026", b"what was finished")
    (place.settings.instance / FILE).write_text("{}", encoding="utf-8")
    compiles(place, ana, number)
    assert [(entry.period, entry.state) for entry in place.pin.ledger.entries()] == [("2026", "built")]
    assert place.pin.ledger.body("2026") == b"what was finished"


def test_without_its_ledger_an_installation_builds_and_publishes_nothing(place: Place, tmp_path: Path) -> None:
    late_enough(place)
    ana, luz = place.signs_in("ana"), place.signs_in("luz")
    number = freezes(place, ana)
    compiles(place, ana, number)
    apart = tmp_path / "apart"
    (place.settings.instance / FILE).rename(apart)
    with reading(place.engine) as db:
        assert release_ledger.problems(db, place.pin) == [release_ledger.NO_LEDGER]
    with pytest.raises(ReleaseRefused, match="ledger"):
        publishes(place, luz, number)
    with pytest.raises(ReleaseRefused, match="ledger"):
        freezes(place, ana, "2025")
    apart.rename(place.settings.instance / FILE)
    with reading(place.engine) as db:
        assert release_ledger.problems(db, place.pin) == []
    publishes(place, luz, number)


def test_bytes_that_are_not_those_of_the_ledger_are_not_published_and_are_named(place: Place) -> None:
    late_enough(place)
    ana, luz = place.signs_in("ana"), place.signs_in("luz")
    number = freezes(place, ana)
    compiles(place, ana, number)
    with writing(place.engine) as db:
        row = db.get_one(ReleaseRow, number)
        row.body += b"x"
        row.sha256 = sealing.digest(row.body)
    with pytest.raises(ReleaseRefused, match="ledger"):
        publishes(place, luz, number)
    with writing(place.engine) as db:
        db.get_one(ReleaseRow, number).state = releases.PUBLISHED
    with reading(place.engine) as db:
        assert "2026" in release_ledger.problems(db, place.pin)[0]
    (place.settings.instance / FOLDER / "2026.zip").write_bytes(b"other")
    with reading(place.engine) as db:
        assert release_ledger.problems(db, place.pin) == [release_ledger.NO_LEDGER]


def test_an_installation_from_before_the_ledger_begins_it_with_what_it_published(place: Place) -> None:
    late_enough(place)
    ana, luz = place.signs_in("ana"), place.signs_in("luz")
    number = freezes(place, ana)
    compiles(place, ana, number)
    publishes(place, luz, number)
    entries = place.pin.ledger.entries()
    place.pin.ledger.destroy()
    assert not place.pin.ledger.is_here
    with reading(place.engine) as db:
        release_ledger.begin(db, place.pin.ledger)
        assert release_ledger.problems(db, place.pin) == []
    assert place.pin.ledger.entries() == entries
