"""Freeze and compile go on beside everything else: in batches, in a process of their own; keys lie nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import event, select

from reporting.app import create_app
from reporting.cli.base import main
from reporting.errors import Busy
from reporting.figures import freezing, releases, tallies, work_apart
from reporting.figures.periods import period
from reporting.figures.release_ledger import FREEZING
from reporting.figures.work_apart import Order
from reporting.sessions import day_seeds
from reporting.storage.database import reading, writing
from reporting.storage.locks import maintenance_lock
from reporting.storage.models import CaseRow
from reporting.storage.release_models import ArchiveRow, ReleaseRow
from reporting.teams.keyring import Keys
from reporting.vocabulary.tally import VOID_TALLY
from reporting.web.context import installation_of
from tests.copies import Copies, on_engine, with_readers_of_figures
from tests.pages.test_people_and_keys import enters
from tests.people import Place
from tests.trips import in_the_terminal, say
from tests.work.test_statistics import before_the_end_of_2026, counted, late_enough, receives

BATCH = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, copies: Copies, tmp_path: Path) -> Iterator[Place]:
    with on_engine(request.param, copies, tmp_path / "instance", before_the_end_of_2026) as made:
        yield made


def blocks_of(place: Place, keys: Keys, rows: set[tuple[int, bytes]], release: int) -> list[bytes]:
    with reading(place.engine) as db:
        ready = tallies.openers(tallies.statistics_team(db, place.pin, keys), keys)
    return [tallies.open_archived(sealed, number, release, ready) for number, sealed in rows]


def test_no_copy_that_is_taken_on_the_way_ties_a_tally_to_a_case(place: Place) -> None:
    """Looked at after each transaction, by somebody who has the keys: what some of the archive says is in no order."""
    days = [period("2026").ends - 30.4 * 86_400 * month - 60 for month in range(12)]
    cases = sorted(case for day in days for case in receives(place, at=day, times=3))
    late_enough(place)
    ana, looks = place.signs_in("ana"), list[set[tuple[int, bytes]]]()
    with reading(place.engine) as db:
        team = tallies.statistics_team(db, place.pin, ana)
        ready = tallies.openers(team, ana)
        own = {row.id: tallies.open_tally(row.tally, row.id, team, ready) for row in db.scalars(select(CaseRow))}

    def look(_connection: object) -> None:
        with reading(place.engine) as db:
            looks.append({(row.id, row.sealed) for row in db.scalars(select(ArchiveRow))})

    event.listen(place.engine, "commit", look)
    try:
        release = freezing.freeze(place.engine, place.pin, ana, period("2026"), place.clock(), batch=BATCH)
    finally:
        event.remove(place.engine, "commit", look)
    with reading(place.engine) as db:
        look(None)
        assert not {sealed for _, sealed in looks[-1]} & set(db.scalars(select(CaseRow.tally)))
    written = [later - before for before, later in pairwise(looks) if later - before]
    assert len(written) == len(cases) / BATCH
    in_order = [own[case] for case in cases]
    came = [block for rows in written for block in blocks_of(place, ana, rows, release)]
    assert sorted(came) == sorted(in_order)
    slices = [sorted(in_order[start : start + BATCH]) for start in range(0, len(cases), BATCH)]
    same = sum(sorted(came[start : start + BATCH]) == slices[start // BATCH] for start in range(0, len(cases), BATCH))
    assert same <= 2, "one random order of all, not of each batch"


def test_a_tally_that_she_changes_while_it_is_frozen_is_sealed_anew_and_counts_as_it_was(place: Place) -> None:
    hers, *_ = receives(place, times=12)
    late_enough(place)
    ana, done = place.signs_in("ana"), list[int]()

    def she_says_no(count: int, _of: int) -> None:
        if count == 2 * 12 and not done:  # the archive is whole
            done.append(count)
            with writing(place.engine) as db:
                row = db.get_one(CaseRow, hers)
                row.tally = tallies_sealed(place, hers, VOID_TALLY, ana)

    freezing.freeze(place.engine, place.pin, ana, period("2026"), place.clock(), she_says_no, batch=BATCH)
    releases.compile_release(place.engine, place.pin, ana, 1, lambda _scale: 0)
    assert counted(place) == 12


def tallies_sealed(place: Place, case: int, block: bytes, keys: Keys) -> bytes:
    with reading(place.engine) as db:
        team = tallies.statistics_team(db, place.pin, keys)
    return freezing.seal_tally(block, case, team)


def test_the_process_has_the_keys_through_its_pipe_and_they_lie_nowhere(place: Place, tmp_path: Path) -> None:
    receives(place, times=12)
    late_enough(place)
    ana = place.signs_in("ana")
    secret = [ana.private, *(key.sealing for epochs in ana.epochs.values() for key in epochs.values())]
    process = work_apart.start(Order(place.settings, ana, "2026", place.clock()))
    seen = [Path(f"/proc/{process.pid}/{part}") for part in ("cmdline", "environ")]
    shown = b"".join(part.read_bytes() for part in seen if part.exists())
    assert process.wait(60) == 0
    with reading(place.engine) as db:
        assert [one.state for one in releases.listed(db)] == [releases.COMPILED]
    for file in tmp_path.rglob("*"):
        shown += file.read_bytes() if file.is_file() else b""
    for key in secret:
        assert key not in shown
        assert key.hex().encode() not in shown


def test_a_second_one_is_refused_by_name_while_something_goes_over_all_cases(place: Place) -> None:
    late_enough(place)
    order = Order(place.settings, place.signs_in("ana"), "2026", place.clock())
    with maintenance_lock(place.engine, place.settings.instance, "backup"), pytest.raises(Busy, match="'backup'"):
        work_apart.run(order)


def test_the_desk_says_how_far_it_is_and_goes_on_with_what_was_stopped(place: Place) -> None:
    receives(place, times=12)
    late_enough(place)
    keys = place.signs_in("ana")

    class StoppedError(Exception):
        """As by a kill."""

    def stops(done: int, of: int) -> None:
        if done > 2 * of // 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        freezing.freeze(place.engine, place.pin, keys, period("2026"), place.clock(), stops, batch=BATCH)
    with reading(place.engine) as db:
        assert [one.state for one in releases.listed(db)] == [FREEZING]
    app = create_app(place.settings, place.clock)
    installation_of(app).apart = work_apart.run
    ana = enters(app, place, "ana")
    ana.opens("/es/equipo/cifras")
    assert (
        say("It stopped at %(percent)s %%. Compile it again: it goes on where it was.") % {"percent": 77} in ana.words
    )
    with maintenance_lock(place.engine, place.settings.instance, work_apart.TASK):
        ana.opens("/es/equipo/cifras")
        going_on = "It is being counted: %(percent)s %% is done. You can do other things meanwhile."
        assert say(going_on) % {"percent": 77} in ana.words
    ana.opens("/es/equipo/cifras/preparar?period=2026")
    ana.presses("compile")
    with reading(place.engine) as db:
        row = db.scalars(select(ReleaseRow)).one()
        assert (row.state, row.reached) == (releases.COMPILED, 0)


# ── on the terminal ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_advocate_compiles_on_the_terminal_with_password_and_digits(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = copies.copy(tmp_path / "instance")
    monkeypatch.setenv("AMPARO_INSTANCE", str(place.settings.instance))
    place.clock.now = time.time() - 3600
    with writing(place.engine) as db:
        day_seeds.open_day(db, place.clock())
    with_readers_of_figures(place)

    def types(command: str, name: str, ahead: int) -> str:
        typed = in_the_terminal(place, name, ahead)
        return CliRunner().invoke(main, ["release", command, "2025"], input=typed).output

    assert "Nothing was done" in CliRunner().invoke(main, ["release", "freeze", "2025"], input="ana\nwrong\n1\n").output
    assert "not for you to do" in types("compile", "rosa", 0), "she holds keys of the figures, and is no advocate"
    assert "2025 is frozen." in types("freeze", "ana", 0)
    assert "2025 is compiled" in types("compile", "ana", 1)
    assert "never built twice" in types("compile", "luz", 0)
