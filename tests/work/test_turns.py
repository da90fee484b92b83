"""Who writes to SQLite again and again comes behind whoever waits."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from reporting.storage.database import open_database, writing
from reporting.storage.files import lock_file
from reporting.storage.turns import NEXT, WRITES, in_turn
from tests.work.test_durability import wait_for


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path}/turns.db")
    with engine.begin() as line:
        line.execute(text("CREATE TABLE written (who TEXT)"))
    return engine


def writes(engine: Engine, who: str) -> None:
    with writing(engine) as db:
        db.execute(text("INSERT INTO written VALUES (:who)"), {"who": who})


def is_held(engine: Engine, lock: str) -> bool:
    file = os.open(f"{engine.url.database}{lock}", os.O_RDWR | os.O_CREAT)
    try:
        return not lock_file(file, wait=False)
    finally:
        os.close(file)


def test_who_has_written_and_writes_again_comes_behind_who_waits(engine: Engine) -> None:
    for turn in range(5):
        waits = threading.Thread(target=writes, args=(engine, f"who waits {turn}"))
        with writing(engine) as db:
            db.execute(text("INSERT INTO written VALUES ('who is first')"))
            waits.start()
            wait_for(lambda: is_held(engine, NEXT))
        writes(engine, "who writes again")
        waits.join()
    with engine.connect() as line:
        order = line.execute(text("SELECT who FROM written")).scalars().all()
    assert order == [who for turn in range(5) for who in ("who is first", f"who waits {turn}", "who writes again")]


def test_who_waits_too_long_is_told_as_sqlite_tells_it_and_nobody_is_kept_by_that(engine: Engine) -> None:
    with in_turn(engine, 0), pytest.raises(OperationalError, match="database is locked"), in_turn(engine, 0):
        pass
    assert not is_held(engine, NEXT)
    assert not is_held(engine, WRITES)
    writes(engine, "the next")


def test_where_no_file_can_lie_beside_the_database_it_is_written_as_ever(engine: Engine) -> None:
    for lock in (NEXT, WRITES):
        Path(f"{engine.url.database}{lock}").mkdir()
    writes(engine, "somebody")
    with engine.connect() as line:
        assert line.execute(text("SELECT who FROM written")).scalars().all() == ["somebody"]
