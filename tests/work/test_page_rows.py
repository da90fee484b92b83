"""Promises about rows of pages: one length, no time in the clear, gone with the exit, dead with their seed, bounded."""

from __future__ import annotations

import itertools
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reporting.app import create_app
from reporting.operations.backups import back_up
from reporting.sessions import day_seeds, page_rows, replays, tickets
from reporting.sessions.page_rows import LIVES, CannotKeep, PageRows, new_name, open_rows
from reporting.storage.database import open_database, reading, writing
from reporting.storage.models import MarkRow
from tests.needs_of_tests import a_schema
from tests.people import NOON, Place
from tests.trips import begins, sends, starts_telling

TRIP, WORDS = "a" * 32, "palabra-marcada"


@pytest.fixture(params=["file", "PostgreSQL"])
def rows(request: pytest.FixtureRequest, place: Place) -> Any:
    if request.param == "file":
        yield open_rows(place.settings, place.engine)
        return
    with a_schema() as address:
        engine = open_database(address)
        yield open_rows(place.settings, engine)
        engine.dispose()


def everything(rows: PageRows, table: str = "page_row") -> list[tuple[Any, ...]]:
    assert rows.shelf is not None
    with rows.shelf.looking() as line:
        return [tuple(row) for row in line.execute(f"SELECT * FROM {table}").fetchall()]  # noqa: S608 -- our own


def file_of(rows: PageRows) -> Path:
    assert isinstance(rows.shelf, page_rows._File)  # noqa: SLF001 -- the test looks at the very file
    return rows.shelf.path


def test_what_is_written_opens_with_its_name_and_what_it_is_bound_to(rows: PageRows) -> None:
    name = new_name()
    rows.write(name, TRIP, "desk", {"text": WORDS}, 1, NOON, bound=b"session")
    assert rows.read(name, NOON, b"session") == {"text": WORDS}
    assert rows.read(name, NOON) is None
    assert rows.read(name, NOON, b"another") is None
    for wrong in (new_name(), name[:-1], f"{name}A", "", "ñ"):
        assert rows.read(wrong, NOON, b"session") is None


def test_rows_have_one_of_two_lengths_and_tell_no_time(rows: PageRows) -> None:
    for number, text in enumerate(("", WORDS, "x" * 3000)):
        rows.write(new_name(), TRIP, "draft", {"text": text}, number, NOON + 1234)
    rows.write(new_name(), TRIP, "draft", {"text": "".join(chr(200 + n * 7 % 5000) for n in range(7000))}, 3, NOON)
    found = everything(rows)
    assert {len(bytes(row[-1])) for row in found} == set(page_rows.SIZES)
    numbers = {number for row in found for number in row[2:6] if isinstance(number, int)}
    assert numbers <= {int(NOON) // 3600, 0, 1, 2, 3}
    assert not [row for row in found if WORDS.encode() in bytes(row[-1])]


def test_the_nightly_sweep_takes_what_is_over_and_the_check_names_a_place_without_room(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = open_rows(place.settings, place.engine)
    rows.write(new_name(), TRIP, "case", {}, 1, NOON)
    rows.sweep(NOON + 900)
    assert len(everything(rows)) == 1
    rows.sweep(NOON + 1800)
    assert everything(rows) == []
    assert page_rows.problems(place.settings) == ()
    monkeypatch.setattr(page_rows, "ROOM", 2**62)
    assert "give it more" in page_rows.problems(place.settings)[0]
    nowhere = place.settings.with_changes(memory_folder=str(place.settings.instance / "nowhere"))
    assert "MEMORY_FOLDER" in page_rows.problems(nowhere)[0]


def test_what_is_too_long_for_a_row_is_not_cut(rows: PageRows) -> None:
    with pytest.raises(CannotKeep):
        rows.write(new_name(), TRIP, "draft", {"text": "".join(map(chr, range(1000, 40_000)))}, 1, NOON)


@pytest.mark.parametrize("purpose", LIVES)
def test_a_row_dies_with_the_seed_of_its_time_and_the_next_one_sweeps_it(rows: PageRows, purpose: str) -> None:
    length, lives = LIVES[purpose]
    name, begin = new_name(), NOON - NOON % length + length - 1  # the last second of a time
    rows.write(name, TRIP, purpose, {}, 1, begin)
    assert rows.read(name, begin + (lives - 1) * length) == {}
    assert rows.read(name, begin + 1 + (lives - 1) * length) is None
    rows.write(new_name(), TRIP, purpose, {}, 1, begin + lives * length)
    assert len(everything(rows)) == len(everything(rows, "page_seed")) == 1
    assert length * lives <= (3 * 3600 if purpose == "draft" else 1800)


def test_an_erased_row_is_gone_from_the_file_at_once(place: Place) -> None:
    rows = open_rows(place.settings, place.engine)
    name = new_name()
    rows.write(name, TRIP, "draft", {"text": WORDS}, 1, NOON)
    sealed = bytes(everything(rows)[0][-1])
    files = list(file_of(rows).parent.iterdir())
    assert any(sealed[100:164] in path.read_bytes() for path in files)
    rows.write(name, TRIP, "draft", {"text": "other"}, 1, NOON)
    assert not any(sealed[100:164] in path.read_bytes() for path in files), "what is replaced, too"
    sealed = bytes(everything(rows)[0][-1])
    rows.erase([TRIP])
    assert everything(rows) == []
    assert not any(sealed[100:164] in path.read_bytes() for path in files)


def test_the_rows_are_closed_to_others_and_in_no_backup(place: Place, tmp_path: Path) -> None:
    app = create_app(place.settings, place.clock)
    phone = starts_telling(app)
    phone.presses("next")
    path = file_of(app.extensions["amparo"].rows)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    said: list[str] = []
    back_up(place.engine, place.settings.instance, tmp_path / "backup", place.clock(), said.append)
    assert said
    assert not [line for line in said if "page_" in line]


def test_another_program_shares_the_rows_and_lock_forgets_them(place: Place) -> None:
    one, other = open_rows(place.settings, place.engine), open_rows(place.settings, place.engine)
    name = new_name()
    one.write(name, TRIP, "draft", {}, 1, NOON)
    assert other.read(name, NOON) == {}
    other.forget_all()
    assert one.read(name, NOON) is None
    one.write(name, TRIP, "draft", {}, 1, NOON)
    one.destroy()
    assert not file_of(one).parent.exists()


def test_a_flood_pushes_out_the_rows_with_the_fewest_pages_and_never_a_trip_that_went_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_rows, "MOST", {0: 20, 1: 5})
    app = create_app(place.settings, place.clock)
    phone = starts_telling(app)
    phone.presses("next", age="A25_34")
    first = phone.path
    for _ in range(100):
        begins(phone_of_a_flood := type(phone)(app))
        assert phone_of_a_flood.path.startswith("/es/p/"), "and the fall-back stays off"
    assert len(everything(app.extensions["amparo"].rows)) <= 20
    phone.walks(first)
    phone.presses("back")
    assert phone.form("next").values["age"] == ["A25_34"]


def test_all_rows_together_stay_below_64_mib_and_large_ones_below_a_quarter_of_it(place: Place) -> None:
    rows = open_rows(place.settings, place.engine)
    grown, large = [file_of(rows).stat().st_size], "".join(chr(200 + n * 7 % 5000) for n in range(7000))
    for text in ("", large):
        for _ in range(100):
            rows.write(new_name(), TRIP, "draft", {"text": text}, 1, NOON)
        grown.append(file_of(rows).stat().st_size)
    each = [(after - before) / 100 for before, after in itertools.pairwise(grown)]
    assert {row[4] for row in everything(rows)} == {0, 1}
    assert page_rows.MOST[0] * each[0] + page_rows.MOST[1] * each[1] <= 64 * 2**20
    assert page_rows.MOST[1] * each[1] <= 16 * 2**20


# ── what a seized copy tells, with her phone beside it ──────────────────────────────────────────────────────


def test_nothing_tells_that_this_phone_sent(place: Place) -> None:
    app = create_app(place.settings, place.clock)
    phone = starts_telling(app)
    history = [phone.path]
    for _ in range(7):
        phone.presses("next")
        history.append(phone.path)
    trip = phone.form(holding="trip").values["trip"][0]
    sends(phone)
    history.append(phone.path)
    names = {address.split("/")[3] for address in history}
    steps = [address.split("/")[4] for address in history]
    assert len(names) == 1
    assert len({len(step) for step in steps}) == 1, "no step is told from another"
    assert trip not in "".join(history)
    with writing(place.engine) as db:
        replays.end_trip(db, place.settings.server_secret, tickets.new_trip(), "left", place.clock())
    with reading(place.engine) as db:
        marks = db.execute(select(MarkRow.mark, MarkRow.told)).all()
        assert replays.how_ended(db, place.settings.server_secret, trip) == "sent"
        assert replays.how_ended(db, b"x" * 32, trip) is None, "the secret is needed"
        without_seed = replays.how_ended(db, place.settings.server_secret, trip, {})
    assert without_seed is None, "and the seed, which dies"
    assert len({len(told) for _, told in marks}) == 1
    assert not [told for _, told in marks if b"sent" in told or b"left" in told]
    unkeyed = {day_seeds.sealing.digest(kind + one.encode()) for kind in (b"trip ", b"page ") for one in (trip, *names)}
    assert not unkeyed & {mark for mark, _ in marks}
