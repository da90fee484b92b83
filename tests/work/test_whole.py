"""An upgrade can be taken back until something is told; an installation moves whole, and comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, delete, func, select

from reporting.cases import store
from reporting.cli.base import main
from reporting.config import read_settings
from reporting.crypto import receipts
from reporting.operations import backups, retention
from reporting.operations.whole import packing, snapshots, upgrading
from reporting.operations.whole.packing import CannotMove
from reporting.operations.whole.upgrading import UpgradeRefused
from reporting.storage.database import open_database, reading, version_of, writing
from reporting.storage.disk import NAME as RESERVE
from reporting.storage.models import CaseRow, RecordRow, SeedRow
from reporting.teams import accounts, team_log
from reporting.teams.team_log import BrokenChain, Pin
from tests.copies import Copies, on_engine
from tests.people import Place, a_furnished_place
from tests.work.test_former import FORMER, Former

WORDS = receipts.words_of("es")[:12]


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


def with_three_cases(place: Place) -> None:
    for _ in range(3):
        place.receives()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, copies: Copies, tmp_path: Path) -> Iterator[Place]:
    with on_engine(request.param, copies, tmp_path / "instance", with_three_cases) as made:
        yield made


@pytest.fixture
def former(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Former:
    return Former(FORMER[0], tmp_path, monkeypatch)


def amparo(*words: str, typed: str = "", **settings: str) -> Result:
    return CliRunner(env=settings).invoke(main, [*words], input=typed)


# ── an upgrade and its way back ─────────────────────────────────────────────────────────────────────────────


def looks(folder: Path) -> tuple[str | None, snapshots.Prints]:
    """Version and rows as they lie, whatever the version."""
    engine = open_database(f"sqlite:///{folder / 'amparo.db'}")
    with engine.connect() as connection:
        version = version_of(connection)
    return version, snapshots.fingerprints(engine)


def test_an_upgrade_of_a_former_version_is_taken_back_to_the_very_rows_and_can_be_made_again(former: Former) -> None:
    before = looks(former.folder)
    assert before[0] == "0010"
    former.upgrades().engine.dispose()
    assert looks(former.folder)[0] != "0010"
    done = amparo("upgrade", "--back")
    assert done.exit_code == 0, done.output
    assert "0010" in done.output
    assert looks(former.folder) == before
    assert amparo("upgrade", "--back").exit_code == 1, "once"
    assert former.upgrades().cases() == len(former.told["cases"])


def test_an_upgrade_that_loses_a_row_or_stops_midway_is_put_back_by_itself(place: Place) -> None:
    before = snapshots.fingerprints(place.engine)

    def loses() -> None:
        with writing(place.engine) as db:
            db.execute(delete(RecordRow))

    def stops() -> None:
        loses()
        raise ZeroDivisionError("a migration of tomorrow")

    for change, why in ((loses, "rows of record are missing"), (stops, "a migration of tomorrow")):
        with pytest.raises(UpgradeRefused, match=why):
            upgrading.run(place.engine, place.settings.instance, place.clock(), quiet, change, list)
        assert snapshots.fingerprints(place.engine) == before
        assert upgrading.noted_in(place.settings.instance) is None
    with pytest.raises(UpgradeRefused, match="the first page answers 500"):
        upgrading.run(
            place.engine,
            place.settings.instance,
            place.clock(),
            quiet,
            lambda: None,
            lambda: ["the first page answers 500"],
        )


def test_an_installation_behind_a_server_in_front_is_upgraded_too(former: Former) -> None:
    done = amparo("upgrade", BASE_URL="https://hoja.example", TRUSTED_PROXY="127.0.0.1")
    assert done.exit_code == 0, done.output


def test_an_upgrade_that_was_killed_midway_is_taken_back_by_hand(place: Place) -> None:
    before = snapshots.fingerprints(place.engine)
    upgrading.copy(place.engine, place.settings.instance, place.clock(), quiet)
    with writing(place.engine) as db:
        db.execute(delete(RecordRow))
    upgrading.take_back(place.engine, place.settings.instance, place.clock(), quiet)
    assert snapshots.fingerprints(place.engine) == before


@pytest.mark.parametrize("since", ["told", "erased"])
def test_nothing_told_is_lost_and_nothing_erased_comes_back(place: Place, since: str) -> None:
    receipt = place.receives()
    upgrading.run(place.engine, place.settings.instance, place.clock(), quiet, lambda: None, list)
    if since == "told":
        place.receives()
    else:
        with writing(place.engine) as db:
            visit, _ = store.come_back(db, store.stretch([receipt], place.settings.pepper))
            store.erase(db, visit, place.settings.pepper, place.clock())
    after = snapshots.fingerprints(place.engine)
    with pytest.raises(UpgradeRefused, match="case_file"):
        upgrading.take_back(place.engine, place.settings.instance, place.clock(), quiet)
    assert snapshots.fingerprints(place.engine) == after


def test_going_back_leaves_the_ledger_of_releases_and_ends_open_pages(place: Place) -> None:
    upgrading.run(place.engine, place.settings.instance, place.clock(), quiet, lambda: None, list)
    place.pin.ledger.keep("2025", b"figures")
    kept = place.pin.ledger.entries()
    upgrading.take_back(place.engine, place.settings.instance, place.clock(), quiet)
    assert place.pin.ledger.entries() == kept
    with reading(place.engine) as db:
        assert db.scalar(select(func.count()).select_from(SeedRow)) == 0


def test_the_sweep_of_the_night_takes_the_copy_away_and_no_word_of_it_stays(place: Place) -> None:
    instance = place.settings.instance
    upgrading.run(place.engine, instance, place.clock(), quiet, lambda: None, list)
    assert (instance / upgrading.COPY).stat().st_mode & 0o077 == 0
    swept = retention.sweep(place.engine, place.pin, instance, place.clock(), quiet)
    assert swept["upgrade_copies"] == 1
    assert not (instance / upgrading.COPY).exists()
    with pytest.raises(UpgradeRefused, match="no upgrade to take back"):
        upgrading.take_back(place.engine, instance, place.clock(), quiet)


# ── another folder, another machine ─────────────────────────────────────────────────────────────────────────


@dataclass
class Folder:
    """Where an installation may lie."""

    instance: Path

    @property
    def settings(self) -> dict[str, str]:
        return {"AMPARO_INSTANCE": str(self.instance), "BASE_URL": "http://localhost"}

    def open(self) -> Engine:
        return open_database(read_settings(self.settings).database_url)


def packs(place: Place, file: Path) -> packing.Moved:
    given = {"SITE_NAME": 'La "Hoja" $1', "DATABASE_URL": "sqlite:////elsewhere", "AMPARO_INSTANCE": "/elsewhere"}
    return packing.pack(place.engine, place.settings.instance, given, file, WORDS, place.clock(), quiet)


def test_it_moves_to_another_folder_and_back_and_every_receipt_opens(place: Place, tmp_path: Path) -> None:
    receipt, there = place.receives(), Folder(tmp_path / "there")
    before = snapshots.fingerprints(place.engine)
    packs(place, tmp_path / "packed")
    packing.unpack(tmp_path / "packed", " ".join(WORDS), there.instance, there.open, quiet)
    engine = there.open()
    assert snapshots.fingerprints(engine) == before
    with reading(engine) as db:
        assert team_log.teams(db, Pin(there.instance / "team.pin"))
        assert store.come_back(db, store.stretch([receipt], place.settings.pepper))
    later = place.clock() + 86_400
    packing.pack(engine, there.instance, {}, tmp_path / "again", WORDS, later, quiet)
    packing.unpack(tmp_path / "again", " ".join(WORDS), place.settings.instance, lambda: open_again(place), quiet)
    assert snapshots.fingerprints(open_again(place)) == before
    assert not packing.is_packed(place.settings.instance)


def open_again(place: Place) -> Engine:
    return open_database(place.settings.database_url)


def test_what_must_travel_travels_and_nothing_else(place: Place, tmp_path: Path) -> None:
    instance, there = place.settings.instance, Folder(tmp_path / "there")
    backups.back_up(place.engine, instance, tmp_path / "backup", place.clock(), quiet)
    place.pin.ledger.keep("2025", b"figures")
    for name in (RESERVE, "maintenance.lock", "front-check.json", "of-somebody-else"):
        (instance / name).write_bytes(b"x")
    moved = packs(place, tmp_path / "packed")
    assert {name.partition("/")[0] for name in moved.files} == {
        "secrets.toml",
        "team.pin",
        "releases.json",
        "releases",
        "backup-keys",
        "last-backup.json",
    }
    packing.unpack(tmp_path / "packed", " ".join(WORDS), there.instance, there.open, quiet)
    lie = {path.relative_to(there.instance).as_posix() for path in there.instance.rglob("*") if path.is_file()}
    lie -= {"amparo.db", "amparo.db-wal", "amparo.db-shm", "maintenance.lock"}
    assert lie == {*moved.files, "amparo.env"}
    assert (there.instance / "amparo.env").read_text("utf-8") == 'SITE_NAME="La \\"Hoja\\" \\$1"\n'
    assert not [path for path in there.instance.rglob("*") if path.stat().st_mode & 0o077]
    with there.open().connect() as connection:
        assert connection.execute(select(func.count()).select_from(SeedRow)).scalar() == 0


def test_other_words_a_cut_file_and_a_backup_are_refused_and_leave_no_trace(place: Place, tmp_path: Path) -> None:
    packed, there = tmp_path / "packed", Folder(tmp_path / "there")
    packs(place, packed)
    with pytest.raises(CannotMove, match="do not open"):
        packing.unpack(packed, " ".join([*WORDS[1:], WORDS[0]]), there.instance, there.open, quiet)
    with pytest.raises(CannotMove, match="do not open"):
        packing.unpack(packed, "pocas palabras", there.instance, there.open, quiet)
    packed.write_bytes(packed.read_bytes()[:-40])
    with pytest.raises((CannotMove, backups.BackupRefused)):
        packing.unpack(packed, " ".join(WORDS), there.instance, there.open, quiet)
    assert not (there.instance / "secrets.toml").exists()


def test_it_is_never_unpacked_over_others_nor_over_figures_that_it_does_not_know(place: Place, tmp_path: Path) -> None:
    packs(place, tmp_path / "packed")
    other = a_furnished_place(tmp_path / "other")
    there = Folder(tmp_path / "other")
    with pytest.raises(CannotMove, match="was not packed"):
        packing.unpack(tmp_path / "packed", " ".join(WORDS), there.instance, there.open, quiet)
    with reading(other.engine) as db:
        assert accounts.keys_are_made(db, other.pin)
    place.pin.ledger.keep("2025", b"figures")
    with pytest.raises(CannotMove, match="it is older"):
        packing.unpack(tmp_path / "packed", " ".join(WORDS), place.settings.instance, lambda: open_again(place), quiet)


def test_a_packed_folder_serves_no_more_until_somebody_says_that_it_stays(place: Place, tmp_path: Path) -> None:
    told = {"AMPARO_INSTANCE": str(place.settings.instance), "BASE_URL": "http://localhost"}
    told["DATABASE_URL"] = place.settings.database_url
    done = amparo("move", "pack", str(tmp_path / "packed"), "--json", **told)
    assert done.exit_code == 0, done.output
    words = json.loads(done.stdout)["words"]
    served = amparo("serve", **told)
    assert (served.exit_code, "serves elsewhere" in served.output) == (1, True)
    assert amparo("move", "pack", str(tmp_path / "packed"), **told).exit_code == 1, "a file is never written over"
    assert amparo("move", "stay", **told).exit_code == 0
    assert amparo("move", "stay", **told).exit_code == 1
    there = Folder(tmp_path / "there").settings
    done = amparo("move", "unpack", str(tmp_path / "packed"), typed=words, **there)
    assert done.exit_code == 0, done.output
    assert "amparo setup" in done.output
    assert json.loads(amparo("move", "list", "--json", **there).stdout)["handed_over"] == list(packing.HANDED_OVER)


def test_a_pin_that_is_swapped_in_the_new_folder_is_seen(place: Place, tmp_path: Path) -> None:
    there = Folder(tmp_path / "there")
    packs(place, tmp_path / "packed")
    packing.unpack(tmp_path / "packed", " ".join(WORDS), there.instance, there.open, quiet)
    (there.instance / "team.pin").write_bytes(a_furnished_place(tmp_path / "other").pin.path.read_bytes())
    with reading(there.open()) as db, pytest.raises(BrokenChain):
        team_log.teams(db, Pin(there.instance / "team.pin"))
    assert CaseRow.__tablename__ in upgrading.STAYS


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_destroy_nothing_of_ours_is_left_in_the_folder(place: Place, tmp_path: Path) -> None:
    instance = place.settings.instance
    told = {"AMPARO_INSTANCE": str(instance), "BASE_URL": "http://localhost"}
    told["DATABASE_URL"] = place.settings.database_url
    for words in (("backup", str(tmp_path / "backup"), "--no-trial"), ("check", "--no-residue"), ("sweep",)):
        assert not isinstance(amparo(*words, **told).exception, Exception), words
    place.pin.ledger.keep("2025", b"figures")
    upgrading.run(place.engine, instance, place.clock(), quiet, lambda: None, list)
    (instance / upgrading.HALF).write_bytes(b"a machine that stopped")
    packs(place, tmp_path / "packed")
    (instance / packing.SETTINGS_FILE).write_text('SITE_NAME="Hoja"\n', "utf-8")
    place.engine.dispose()
    laid = {path.name for path in instance.iterdir()}
    assert {upgrading.COPY, upgrading.NOTE, packing.MARK, packing.SETTINGS_FILE, backups.FOLDER, RESERVE} <= laid
    done = amparo("destroy", typed="Hoja\n", **told)
    assert done.exit_code == 0, done.output
    assert [path.name for path in instance.iterdir()] == []
