"""SQLite's tables written anew: a few rows at a time, beside people, and afterwards nothing tells what came when."""

from __future__ import annotations

import logging
import random
import secrets
import statistics
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, event, insert, select, text, update

from reporting.cases import derived
from reporting.cases.case_file import random63
from reporting.storage import rewriting
from reporting.storage.database import Base, checkpoint, destroy, open_database, reading, upgrade_tables, writing
from reporting.storage.models import CaseRow, ErasedRow, MarkRow, RecordRow
from reporting.storage.rewriting import TWIN, clear_twins, write_anew
from tests.work.test_release_crashes import killed_at, stride

log = logging.getLogger("tests")
FEW, CASES, PAGE = 20, 90, 4096
LONG = 3000  # so that a row reaches into pages of its own


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A file with cases that nobody opens, in the order in which they came."""
    opened = open_database(f"sqlite:///{tmp_path}/amparo.db")
    Base.metadata.create_all(opened)
    with writing(opened) as db:
        db.execute(text("INSERT INTO team (id, kind, name, due) VALUES (1, 'casework', 'x', 0)"))
    for _ in range(CASES):
        comes(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rewriting.ROWS <= 200
    monkeypatch.setattr(rewriting, "ROWS", FEW)


def comes(engine: Engine, length: int = LONG) -> int:
    """A case with its records, a mark, and the remembrance of one that was erased."""
    case, day = random63(), date(2027, 1, 4)
    with writing(engine) as db:
        sealed = {name: secrets.token_bytes(900) for name in ("vault_key", "receipt_key", "card", "cover", "tally")}
        row = {"id": case, "tag": secrets.token_bytes(32), "team": 1, "epoch": 1, "version": 1, "delete_after": day}
        db.execute(insert(CaseRow), row | sealed)
        records = [{"id": random63(), "case_id": case, "body": secrets.token_bytes(size)} for size in (length, 540)]
        db.execute(insert(RecordRow), records)
        db.execute(insert(MarkRow), {"mark": secrets.token_bytes(32), "told": b"x", "forget_after": 1})
        db.execute(insert(ErasedRow), {"mark": secrets.token_bytes(32), "forget_after": day})
    return case


def everything(engine: Engine) -> dict[str, list[Any]]:
    with reading(engine) as db:
        names = [table for table in Base.metadata.sorted_tables if table.primary_key.columns]
        return {table.name: sorted(map(tuple, db.execute(select(table)))) for table in names}


def assert_sound(engine: Engine) -> None:
    with reading(engine) as db:
        assert db.scalar(text("PRAGMA integrity_check")) == "ok"
        assert not db.execute(text("PRAGMA foreign_key_check")).all()
        left = db.scalars(text("SELECT name FROM sqlite_master")).all()
        assert not [name for name in left if TWIN in name]


# ── nobody waits for long ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def touched(engine: Engine) -> Iterator[list[int]]:
    """How many rows each writing transaction touched."""
    rows, at = list[int](), dict[Connection, int]()

    def changes(connection: Connection) -> int:
        line: Any = connection.connection.dbapi_connection
        return int(line.total_changes)

    def begins(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            at[connection] = changes(connection)

    def ends(connection: Connection) -> None:
        if connection in at:
            rows.append(changes(connection) - at.pop(connection))

    event.listen(engine, "begin", begins)
    event.listen(engine, "commit", ends)
    yield rows
    event.remove(engine, "begin", begins)
    event.remove(engine, "commit", ends)


@pytest.mark.usefixtures("few")
def test_no_transaction_of_a_rewrite_touches_more_than_a_few_rows(engine: Engine, touched: list[int]) -> None:
    before = everything(engine)
    write_anew(engine)
    assert sum(touched) > 2 * sum(map(len, before.values())), "each row comes and goes"
    assert FEW <= max(touched) <= FEW + 4
    assert everything(engine) == before
    assert_sound(engine)


def test_long_rows_go_a_few_at_a_time(engine: Engine, touched: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert rewriting.BYTES <= 4 * 1024 * 1024
    monkeypatch.setattr(rewriting, "BYTES", 3 * LONG)
    with writing(engine) as db:
        db.execute(delete(MarkRow))
        db.execute(delete(ErasedRow))
    touched.clear()
    write_anew(engine)
    assert max(touched) <= 3 * LONG / 540 + 4
    assert_sound(engine)


def test_what_people_write_between_two_steps_of_a_rewrite_stands_after_it(
    engine: Engine, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, steps = random.Random(4), []  # noqa: S311 -- who does what
    seen = dict[str, list[Any]]()

    def somebody_writes(_pause: float) -> None:
        with reading(engine) as db:
            cases = list(db.scalars(select(CaseRow.id)))
        comes(engine)
        with writing(engine) as db:
            db.execute(update(CaseRow).where(CaseRow.id == chance.choice(cases)).values(version=CaseRow.version + 1))
            if len(cases) > CASES:
                derived.let_go(db, CaseRow.id == chance.choice(cases))
            last = max(cases)  # the end of what was copied
            db.execute(delete(RecordRow).where(RecordRow.case_id == last))
            db.execute(delete(CaseRow).where(CaseRow.id == last))
        steps.append(1)
        seen.update(everything(engine))

    monkeypatch.setattr("time.sleep", somebody_writes)
    write_anew(engine)
    assert len(steps) > CASES // FEW
    assert everything(engine) == seen
    assert_sound(engine)


# ── killed ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("few")
def test_a_rewrite_that_is_killed_changes_nothing_and_what_is_erased_then_goes_from_both_copies(
    engine: Engine, tmp_path: Path
) -> None:
    address, step = f"sqlite:///{tmp_path}/amparo.db", 0
    engine.dispose()
    while killed_at(step, write_anew, address):
        with writing(engine) as db:
            row = db.scalars(select(CaseRow)).first()
            assert row is not None
            bytes_of_her = [
                row.tag,
                row.card[100:164],
                *(body[100:164] for body in db.scalars(select(RecordRow.body).where(RecordRow.case_id == row.id))),
            ]
            case = row.id
        before = everything(engine)
        with writing(engine) as db:
            derived.let_go(db, CaseRow.id == case)
        assert checkpoint(engine)
        raw = (tmp_path / "amparo.db").read_bytes()
        assert not [found for found in bytes_of_her if found in raw], f"killed at {step}"
        assert len(everything(engine)["case_file"]) == len(before["case_file"]) - 1
        comes(engine)
        engine.dispose()
        step += stride(13)
    assert step > CASES
    log.info("a rewrite: killed at one of every %s among %s steps", stride(13), step)
    assert_sound(engine)


@pytest.mark.usefixtures("few")
def test_what_a_killed_rewrite_left_goes_before_tables_change_or_are_dropped(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/other.db"
    engine = open_database(address)
    upgrade_tables(engine)
    with writing(engine) as db:
        db.execute(text("INSERT INTO team (id, kind, name, due) VALUES (1, 'casework', 'x', 0)"))
    for _ in range(FEW * 2):
        comes(engine)

    def is_left() -> bool:
        with reading(engine) as db:
            return any(TWIN in name for name in db.scalars(text("SELECT name FROM sqlite_master")))

    for clears in (clear_twins, upgrade_tables, destroy):
        step = 8
        while not is_left():
            engine.dispose()
            assert killed_at(step, write_anew, address)
            step += 1
        clears(engine)
        assert not is_left()
    engine.dispose()


# ── what the file tells ─────────────────────────────────────────────────────────────────────────────────────


def page_of(raw: bytes, row: bytes) -> int:
    """In which page the end of a row lies."""
    return raw.index(row[-64:]) // PAGE + 1


def free_pages(raw: bytes) -> list[int]:
    """As SQLite lists them: trunks, each with its leaves (https://www.sqlite.org/fileformat2.html#the_freelist)."""
    pages, trunk = [], int.from_bytes(raw[32:36], "big")
    while trunk:
        words = [int.from_bytes(raw[at : at + 4], "big") for at in range((trunk - 1) * PAGE, trunk * PAGE, 4)]
        pages += [trunk, *words[2 : 2 + words[1]]]
        trunk = words[0]
    return pages


def test_after_the_rewrite_no_page_tells_in_which_order_reports_came(tmp_path: Path) -> None:
    file = tmp_path / "amparo.db"
    engine = open_database(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    with writing(engine) as db:
        db.execute(text("INSERT INTO team (id, kind, name, due) VALUES (1, 'casework', 'x', 0)"))
    came = [comes(engine, 8000) for _ in range(400)]
    assert checkpoint(engine)
    with reading(engine) as db:
        bodies = {row.case_id: row.body for row in db.scalars(select(RecordRow)) if len(row.body) > LONG}
        places = {row.case_id: row.id for row in db.scalars(select(RecordRow)) if len(row.body) > LONG}
    raw = file.read_bytes()
    before = [page_of(raw, bodies[case]) for case in came]
    assert alike(range(400), before) > 0.99, "as it is without a rewrite"
    write_anew(engine)
    assert checkpoint(engine)
    raw = file.read_bytes()
    assert abs(alike(range(400), [page_of(raw, bodies[case]) for case in came])) < 0.3
    free = {page: place for place, page in enumerate(free_pages(raw))}
    assert not [page for page in free if page not in free_trunks(raw) and any(raw[(page - 1) * PAGE : page * PAGE])]
    lay = [(free[page], places[case]) for case, page in zip(came, before, strict=True) if page in free]
    assert len(lay) > 100
    assert abs(alike(*zip(*lay, strict=True))) < 0.3, "the list of free pages tells where each row had lain"
    engine.dispose()


def free_trunks(raw: bytes) -> set[int]:
    trunks, trunk = set(), int.from_bytes(raw[32:36], "big")
    while trunk:
        trunks.add(trunk)
        trunk = int.from_bytes(raw[(trunk - 1) * PAGE : (trunk - 1) * PAGE + 4], "big")
    return trunks


def alike(one: Iterable[int], other: Iterable[int]) -> float:
    """How far two lists have the same order: 1 entirely, 0 not at all, -1 the other way round."""
    return statistics.correlation(ranks(one), ranks(other))


def ranks(numbers: Iterable[int]) -> list[int]:
    there = [*numbers]
    place = {number: rank for rank, number in enumerate(sorted(there))}
    return [place[number] for number in there]
