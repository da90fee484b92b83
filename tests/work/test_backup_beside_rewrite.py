"""A backup that begins at any moment of a rewrite: whole, or refused with the name of the task.

The moments are those of each transaction of the rewrite: before each of its orders that has a name, and before its
commit, while it holds what it holds. What is committed is looked at in the moments of the next.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, text

from reporting.clock import DAY
from reporting.errors import Busy
from reporting.operations import backups, retention
from reporting.storage import database, rewriting
from reporting.storage.database import Base, open_database, writing
from reporting.storage.locks import lock_holder
from reporting.storage.models import CaseRow
from reporting.teams.team_log import Pin
from tests.needs_of_tests import a_schema
from tests.people import NOON
from tests.work.test_maintenance import quiet
from tests.work.test_release_crashes import killed_at, stride
from tests.work.test_rewriting import comes, everything

log = logging.getLogger("tests")
CASES, FEW = 7, 3
NOW = NOON - 30 * DAY  # when no case is over
_WAITS = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = :ours"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database with some cases that nobody opens, which are written anew a few at a time."""
    monkeypatch.setattr(rewriting, "ROWS", FEW)
    monkeypatch.setattr(retention, "RENUMBERED", FEW)
    monkeypatch.setattr(database, "MOMENT", 1)  # nobody waits until the log can be emptied
    if request.param == "sqlite":
        yield _filled(f"sqlite:///{tmp_path}/amparo.db")
        return
    with a_schema() as schema:
        yield _filled(schema)


def _filled(address: str) -> str:
    engine = open_database(address)
    Base.metadata.create_all(engine)
    with writing(engine) as db:
        db.execute(text("INSERT INTO team (id, kind, name, due) VALUES (1, 'casework', 'x', false)"))
    for _ in range(CASES):
        comes(engine, 700)
    engine.dispose()
    return address


@dataclass
class Backups:
    """Of one installation, taken one after the other from lines of their own."""

    address: str
    folder: Path
    came: list[Path | Busy | Exception] = field(default_factory=list)
    holders: set[str] = field(default_factory=set)
    waited: int = 0

    def __post_init__(self) -> None:
        self.engine = open_database(self.address)
        self.rows = everything(self.engine)
        (self.folder / backups.LAST).write_text(f'{{"cases": {CASES}}}', encoding="utf-8")

    def begins(self) -> None:
        """It is over when this returns, or it waits for what the rewrite holds at this moment."""
        self.ends()
        self.holders.add(lock_holder(self.engine, self.folder))
        self._thread = threading.Thread(target=self._backs_up, args=[self.folder / f"copy-{len(self.came)}"])
        self._thread.start()
        while self._thread.is_alive() and not self._waits():
            self._thread.join(0.002)
        self.waited += self._thread.is_alive()

    def ends(self) -> None:
        """The one that was begun last."""
        if hasattr(self, "_thread"):
            self._thread.join()

    def _waits(self) -> bool:
        if self.engine.dialect.name == "sqlite":
            return False
        with self.engine.connect() as line:
            return bool(line.execute(text(_WAITS), {"ours": self.engine.url.database}).scalar())

    def _backs_up(self, file: Path) -> None:
        try:
            backups.back_up(self.engine, self.folder, file, NOW, quiet)
            self.came.append(file)
        except Exception as refusal:  # noqa: BLE001 -- whatever came is looked at by the test
            self.came.append(refusal)

    def assert_whole(self, file: Path) -> None:
        key, rows = backups.month_key(self.folder, NOW)[1], dict[str, list[Any]]()
        with file.open("rb") as opened:
            head, *lines = backups.rows_of(opened, key)
        for name, row in map(backups.row_in, lines):
            columns = Base.metadata.tables[name].columns.keys()
            rows.setdefault(name, []).append(tuple(row[column] for column in columns))
        assert len(rows[CaseRow.__tablename__]) == CASES
        for name in head["tables"]:
            assert sorted(rows.get(name, [])) == self.rows.get(name, []), name


@contextmanager
def at_every_moment(engine: Engine, does: Callable[[], None], every: int = 1) -> Iterator[list[str]]:
    """Of whatever this engine writes; or at every so-many-th."""
    moments = list[str]()

    def one_more(order: str) -> None:
        moments.append(order)
        if len(moments) % every == 0:
            does()

    def orders(_line: Connection, _cursor: object, statement: str, *_: object) -> None:
        one_more(statement)

    def commits(_line: Connection) -> None:
        one_more("COMMIT")

    listeners: dict[str, Callable[..., None]] = {"before_cursor_execute": orders, "commit": commits}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    yield moments
    for name, listener in listeners.items():
        event.remove(engine, name, listener)


def test_a_backup_that_begins_at_any_moment_of_a_rewrite_is_refused_with_the_name_of_who_works(
    address: str, tmp_path: Path
) -> None:
    engine, taken = open_database(address), Backups(address, tmp_path)
    with at_every_moment(engine, taken.begins) as moments:
        retention.sweep(engine, Pin(tmp_path / "team.pin"), tmp_path, NOW, quiet, rewrite=True)
    inside = [refusal for refusal in taken.came if isinstance(refusal, Busy)]
    assert {refusal.task for refusal in inside} == {"sweep"}
    outside = len(taken.came) - len(inside)  # before the lock is held, and after
    assert outside <= 4, [moment for moment, came in zip(moments, taken.came, strict=True) if came not in inside]
    for whole in taken.came:
        if whole not in inside:
            taken.assert_whole(whole)
    log.info("%s: %s backups refused by name, %s whole", engine.dialect.name, len(inside), outside)
    assert "sweep" in taken.holders
    assert taken.holders <= {"sweep", ""}
    assert len(list(tmp_path.glob("copy-*"))) == outside
    assert lock_holder(engine, tmp_path) == ""
    engine.dispose()


def test_a_backup_that_begins_at_any_moment_of_a_rewrite_which_holds_no_lock_is_whole(
    address: str, tmp_path: Path
) -> None:
    """Nothing but the lock keeps them apart, and a lock can be lost with its line."""
    engine, taken = open_database(address), Backups(address, tmp_path)
    every = stride(3)
    with at_every_moment(engine, taken.begins, every) as moments:
        retention.rewrite_tables(engine)
    taken.ends()
    log.info("%s: %s backups, each begun at another moment of a rewrite", engine.dialect.name, len(taken.came))
    assert len(taken.came) == len(moments) // every > CASES
    for whole in taken.came:
        assert isinstance(whole, Path), whole
        taken.assert_whole(whole)
    assert everything(engine) == taken.rows
    assert engine.dialect.name == "sqlite" or taken.waited, "some waited for a table that was just written in order"
    engine.dispose()


def test_a_backup_that_finds_no_case_where_the_last_one_held_some_is_refused_while_tables_are_written_anew(
    address: str, tmp_path: Path
) -> None:
    engine, taken = open_database(address), Backups(address, tmp_path)
    with writing(engine) as db:
        for table in ("record", "case_file"):
            db.execute(text(f"DELETE FROM {table}"))  # noqa: S608 -- our own names
        assert not db.scalars(select(CaseRow)).all()
    with at_every_moment(engine, taken.begins, every=stride(20)):
        retention.rewrite_tables(engine)
    taken.ends()
    assert {str(refusal) for refusal in taken.came} == {backups.NO_CASES}
    assert not list(tmp_path.glob("copy-*"))
    engine.dispose()


def test_a_rewrite_that_is_killed_at_any_step_loses_nothing_and_a_backup_is_whole_then(
    address: str, tmp_path: Path
) -> None:
    taken = Backups(address, tmp_path)
    for step in count(0, stride(23)):
        taken.engine.dispose()
        was_stopped = killed_at(step, retention.rewrite_tables, address)
        assert everything(taken.engine) == taken.rows
        taken.begins()
        taken.ends()
        if not was_stopped:
            break
    log.info("%s: a rewrite killed at one of every %s among %s steps", taken.engine.dialect.name, stride(23), step)
    for whole in taken.came:
        assert isinstance(whole, Path), whole
        taken.assert_whole(whole)
    taken.engine.dispose()
