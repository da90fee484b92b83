"""An upgrade, its way back and a move, killed with SIGKILL at one statement or another: the next try ends well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, func, select, update

from referrals.directory.models import ServiceRow
from reporting.cases import actions, store
from reporting.cases.records import Visit
from reporting.cli.base import main
from reporting.operations import retention
from reporting.operations.whole import packing, snapshots, upgrading
from reporting.operations.whole.packing import CannotMove
from reporting.operations.whole.upgrading import UpgradeRefused
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow
from reporting.teams.team_log import COORDINATOR
from tests.copies import Copies, on_engine
from tests.people import Place
from tests.work.test_release_crashes import killed_at, stride
from tests.work.test_whole import WORDS, Folder, open_again, packs, quiet, with_three_cases


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, copies: Copies, tmp_path: Path) -> Iterator[Place]:
    with on_engine(request.param, copies, tmp_path / "instance", with_three_cases) as made:
        yield made


def upgrade(place: Place) -> Callable[[Engine], object]:
    """One that changes rows in two steps, as migrations do: half of it is of no version."""

    def runs(engine: Engine) -> object:
        def change() -> None:
            for half in ("first", "second"):
                with writing(engine) as db:
                    db.execute(update(ServiceRow).values(name=half))

        return upgrading.run(engine, place.settings.instance, place.clock(), quiet, change, list)

    return runs


def goes_back(place: Place) -> Callable[[Engine], object]:
    return lambda engine: upgrading.take_back(engine, place.settings.instance, place.clock(), quiet)


def test_an_upgrade_that_is_killed_and_made_again_still_goes_back_to_the_version_of_before(place: Place) -> None:
    before, address = snapshots.fingerprints(place.engine), place.settings.database_url
    for step in count(0, stride(230)):
        place.engine.dispose()
        was_stopped = killed_at(step, upgrade(place), address)
        if was_stopped:
            upgrade(place)(place.engine)
        goes_back(place)(place.engine)
        assert snapshots.fingerprints(place.engine) == before, step
        if not was_stopped:
            break
    assert step > 0


def test_a_way_back_that_is_killed_is_gone_again_to_its_end(place: Place) -> None:
    before, address = snapshots.fingerprints(place.engine), place.settings.database_url
    for step in count(0, stride(230)):
        upgrade(place)(place.engine)
        place.engine.dispose()
        if not killed_at(step, goes_back(place), address):
            break
        if upgrading.noted_in(place.settings.instance) is not None:
            goes_back(place)(place.engine)
        assert snapshots.fingerprints(place.engine) == before, step
    assert snapshots.fingerprints(place.engine) == before


def killed_midway(place: Place) -> None:
    upgrading.copy(place.engine, place.settings.instance, place.clock(), quiet)
    with writing(place.engine) as db:
        db.execute(update(ServiceRow).values(name="half"))


def test_nobody_is_served_by_half_an_upgrade_and_the_night_keeps_its_copy(place: Place) -> None:
    told = {"AMPARO_INSTANCE": str(place.settings.instance), "DATABASE_URL": place.settings.database_url}
    killed_midway(place)
    served = CliRunner(env=told).invoke(main, ["serve"])
    assert served.exit_code == 1
    assert "amparo upgrade --back" in served.output
    retention.sweep(place.engine, place.pin, place.settings.instance, place.clock(), quiet)
    assert upgrading.is_unfinished(place.settings.instance)
    goes_back(place)(place.engine)
    assert not upgrading.is_unfinished(place.settings.instance)


def erases(place: Place, visit: Visit) -> None:
    with writing(place.engine) as db:
        store.erase(db, visit, place.settings.pepper, place.clock())


def takes_a_yes_back(place: Place, visit: Visit) -> None:
    """A case that stands there already changes; no row comes and none goes."""
    with writing(place.engine) as db, store.on_visit(db, visit, place.clock()) as case_file:
        actions.allow(case_file, "C_LETTERS", yes=False)


MEANWHILE: dict[str, Callable[[Place, Visit], object]] = {
    "told": lambda place, _visit: place.receives(narrative="dicho mientras tanto"),
    "erased": erases,
    "taken back": takes_a_yes_back,
    "hired": lambda place, _visit: place.hires("nueva", COORDINATOR),
}


@pytest.mark.parametrize("since", MEANWHILE)
def test_whatever_was_told_or_erased_beside_half_an_upgrade_stays_so_and_the_upgrade_goes_on(
    place: Place, since: str
) -> None:
    receipt = place.receives()
    killed_midway(place)
    MEANWHILE[since](place, place.comes_back(receipt))
    there = snapshots.fingerprints(place.engine)
    with pytest.raises(UpgradeRefused, match="told or done here"):
        goes_back(place)(place.engine)
    assert snapshots.fingerprints(place.engine) == there
    upgrade(place)(place.engine)
    now = snapshots.fingerprints(place.engine)
    services = ServiceRow.__tablename__
    assert now[services] != there[services], "the upgrade came to its end"
    assert {name: rows for name, rows in now.items() if name != services} == {
        name: rows for name, rows in there.items() if name != services
    }
    assert not upgrading.is_unfinished(place.settings.instance), "the service may start again"
    goes_back(place)(place.engine)
    assert snapshots.fingerprints(place.engine) == there, "nothing was told since it came to its end"


def test_what_is_told_while_an_upgrade_fails_is_not_lost(place: Place) -> None:
    def fails() -> None:
        place.receives(narrative="dicho mientras tanto")
        raise ZeroDivisionError("a migration of tomorrow")

    with pytest.raises(UpgradeRefused, match="told or done here"):
        upgrading.run(place.engine, place.settings.instance, place.clock(), quiet, fails, list)
    with reading(place.engine) as db:
        assert db.scalar(select(func.count()).select_from(CaseRow)) == 4


def test_an_unpacking_that_is_killed_serves_nobody_and_is_done_again(place: Place, tmp_path: Path) -> None:
    before = snapshots.fingerprints(place.engine)
    packs(place, tmp_path / "packed")
    for step in count(0, stride(230)):
        there = Folder(tmp_path / f"there{step}")

        def unpacks(_engine: Engine, there: Folder = there) -> None:
            packing.unpack(tmp_path / "packed", " ".join(WORDS), there.instance, lambda: _engine, quiet)

        there.instance.mkdir()
        address = f"sqlite:///{there.instance / 'amparo.db'}"
        if not killed_at(step, unpacks, address):
            break
        assert packing.is_half(there.instance)
        served = CliRunner(env=there.settings).invoke(main, ["serve"])
        assert "move unpack" in served.output
        assert CliRunner(env=there.settings).invoke(main, ["move", "stay"]).exit_code == 1
        packing.unpack(tmp_path / "packed", " ".join(WORDS), there.instance, there.open, quiet)
        assert snapshots.fingerprints(there.open()) == before
        assert not packing.is_packed(there.instance)


def test_half_an_unpacking_is_never_finished_over_a_database_that_holds_others(place: Place, tmp_path: Path) -> None:
    if not place.settings.database_url.startswith("postgresql"):
        pytest.skip("a file in the folder is of the folder")
    packs(place, tmp_path / "packed")
    there = tmp_path / "there"
    there.mkdir()
    (there / packing.MARK).write_text(json.dumps({packing.HALF: True, packing.OVER: False}), "ascii")
    with pytest.raises(CannotMove, match="tables in this database"):
        packing.unpack(tmp_path / "packed", " ".join(WORDS), there, lambda: open_again(place), quiet)
