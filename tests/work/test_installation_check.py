"""`amparo check`: on an installation that stands well it finds nothing, on a bad one its fault and no other."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import delete, update

from referrals.directory import curation
from reporting.cli.base import main
from reporting.deploy import front_settings, host_looks
from reporting.deploy.machine import ETC, UNITS
from reporting.figures.release_ledger import PUBLISHED
from reporting.operations import backups, installation_check, retention
from reporting.operations.backups import BackupRefused
from reporting.operations.installation_check import ROWS, UNKNOWN, Host
from reporting.operations.leak_check import Proof
from reporting.operations.whole import trial_restore
from reporting.operations.whole.trial_restore import CannotTry
from reporting.storage import disk, findings
from reporting.storage.database import writing
from reporting.storage.models import AuditRow, LogRow, MemberRow
from reporting.storage.release_models import ReleaseRow
from reporting.teams import reading_hours
from reporting.teams.team_log import COORDINATOR
from tests.copies import Copies
from tests.good_installation import NO_SWAP, Good, calls, day_of, mounted, standing_well
from tests.people import Place
from tests.server import free_port, in_this_process
from tests.tls import over_tls
from tests.trips import say, signs_in
from tests.work.test_maintenance import backs_up, quiet

OPEN = {"services", "rules", "texts"}  # what waits for people who are not here, and is no fault
PAGE = "/es/equipo/estado"


@pytest.fixture(params=["sqlite", "postgresql"])
def good(request: pytest.FixtureRequest, copies: Copies, tmp_path: Path) -> Iterator[Good]:
    with standing_well(request.param, copies, tmp_path) as made:
        yield made


def test_of_an_installation_that_stands_well_it_invents_no_fault(good: Good) -> None:
    found = good.looks()
    assert {code: row.finding.holds for code, row in found.items()} == {
        code: None if code in OPEN else True for code in ROWS
    }
    for code in OPEN:
        assert found[code].details, "what nobody has signed is said all the same"


# ── bad ones ────────────────────────────────────────────────────────────────────────────────────────────────


def _changes_a_row(model: type, **values: object) -> Callable[[Good], None]:
    def bad(good: Good) -> None:
        with writing(good.place.engine) as db:
            db.execute(update(model).values(**values))

    return bad


def _on_the_machine(**told: object) -> Callable[[Good], None]:
    def bad(good: Good) -> None:
        good.machine = replace(good.machine, **told)

    return bad


def _days_later(
    *, backed_up: bool = True, swept: bool = True, called: bool = True, read: bool = True
) -> Callable[[Good], None]:
    """A month goes by in which one thing is left undone."""

    def bad(good: Good) -> None:
        place = good.place
        place.clock.on(days=32)
        if swept:
            retention.sweep(place.engine, place.pin, place.settings.instance, place.clock(), quiet)
        if called:
            calls(place)
        if read:
            with writing(place.engine) as db:
                reading_hours.note_opened(db, day_of(place))
        if backed_up:
            copy = place.settings.instance.parent / "later.backup"
            backs_up(place, copy)
            trial_restore.try_out(place.settings, copy, place.clock(), quiet)

    return bad


def _never_backed_up(good: Good) -> None:
    (good.place.settings.instance / backups.LAST).unlink()


def _never_tried(good: Good) -> None:
    (good.place.settings.instance / backups.LAST).unlink()
    backs_up(good.place, good.place.settings.instance.parent / "again.backup")


def _one_reader(good: Good) -> None:
    with writing(good.place.engine) as db:
        db.execute(update(MemberRow).where(MemberRow.name == "milagros").values(private=b""))


def _audit_is_cut(good: Good) -> None:
    with writing(good.place.engine) as db:
        db.execute(delete(AuditRow).where(AuditRow.number == 1))


def _log_is_changed(good: Good) -> None:
    with writing(good.place.engine) as db:
        first = db.query(LogRow).order_by(LogRow.id).first()
        assert first is not None
        first.body = first.body[:-1] + bytes([first.body[-1] ^ 1])


def _ledger_is_gone(good: Good) -> None:
    good.place.pin.ledger.destroy()


def _a_number_is_changed(good: Good) -> None:
    with writing(good.place.engine) as db:
        row = curation.ServiceRow
        db.execute(update(row).where(row.id == "linea100").values(phone="999 999 999"))


def _nobody_reads(good: Good) -> None:
    with writing(good.place.engine) as db:
        reading_hours.write(db, good.place.workers["rosa"].signer, {}, ())


def _a_file_is_open(good: Good) -> None:
    (good.place.settings.instance / "secrets.toml").chmod(0o640)


def _swaps(good: Good) -> None:
    good.machine.swaps.write_text(NO_SWAP + "/dev/sda5 partition 1 0 -2\n", encoding="ascii")


def _a_file_of_tomorrow(good: Good) -> None:
    later = good.place.clock() + 86_400
    os.utime(good.place.settings.instance / "secrets.toml", (later, later))


def _nobody_says_who_sends(good: Good) -> None:
    good.place.settings = good.place.settings.with_changes(base_url="https://hoja.example", trusted_proxy="")


def _something_stays(good: Good) -> None:
    good.proofs = (Proof("log", holds=False, says="Words stand in what the program prints."),)


def _on_a_disk(kind: str) -> Callable[[Good], None]:
    return lambda good: mounted(good, kind)


def _is_synced(good: Good) -> None:
    (good.place.settings.instance.parent / ".dropbox").touch()


def _root_wrote_there(good: Good) -> None:
    file = good.place.settings.instance / "releases.json"
    file.touch(mode=0o600)
    try:
        os.chown(file, 65_534, -1)
    except PermissionError:
        pytest.skip("only root gives files away")


def _passwords_are_open(good: Good) -> None:
    file = good.root / ETC
    file.parent.mkdir(parents=True)
    file.write_text("SMTP_URL=smtps://name:password@mail.example\n", encoding="ascii")
    file.chmod(0o644)


def _a_timer_is_off(good: Good) -> None:
    (good.root / UNITS / "timers.target.wants" / "amparo-backup.timer").unlink()


def _mail_goes_nowhere(good: Good) -> None:
    address = f"smtp://127.0.0.1:{free_port()}"
    good.place.settings = good.place.settings.with_changes(smtp_url=address, notify_to=("a@example.org",))


def _nobody_is_to_be_reminded(good: Good) -> None:
    good.place.settings = good.place.settings.with_changes(smtp_url="smtps://mail.example")


def _the_ledger_is_older(good: Good) -> None:
    with writing(good.place.engine) as db:
        db.add(ReleaseRow(period="2026-Q1", state=PUBLISHED, team=2, epoch=1, compiled_by=1, body=b"{}"))


# what was done to a good one -> what is found, and nothing else
BAD: dict[str, tuple[Callable[[Good], None], set[str]]] = {
    "no backup was ever taken": (_never_backed_up, {"backups"}),
    "no backup for a month": (_days_later(backed_up=False), {"backups", "tried"}),
    "a backup that nobody put back": (_never_tried, {"tried"}),
    "no sweep for a month": (_days_later(swept=False), {"sweep"}),
    "nobody called the lines for a month": (_days_later(called=False), {"lines"}),
    "nobody opened the queue for a month": (_days_later(read=False), {"hours"}),
    "one reader is left": (_one_reader, {"readers"}),
    "the audit is cut": (_audit_is_cut, {"audit"}),
    "the team log was changed": (_log_is_changed, {"keys"}),
    "the ledger of releases is gone": (_ledger_is_gone, {"releases"}),
    "the number of a line was changed in the database": (_a_number_is_changed, {"directory"}),
    "no reading hours": (_nobody_reads, {"hours"}),
    "a file that others may read": (_a_file_is_open, {"folder"}),
    "a disk to which memory is swapped": (_swaps, {"swap"}),
    "a disk that is nearly full": (_on_the_machine(free=lambda _: disk.Space(5, 100)), {"room"}),
    "a clock that is behind": (_a_file_of_tomorrow, {"clock"}),
    "a clock that nobody keeps": (_on_the_machine(clock_is_set=lambda: False), {"clock"}),
    "a front server that does not say who sends": (_nobody_says_who_sends, {"front"}),
    "a folder on a stick": (_on_a_disk("vfat"), {"place"}),
    "a folder on another computer": (_on_a_disk("nfs4"), {"place"}),
    "a folder in memory": (_on_a_disk("tmpfs"), {"place"}),
    "a folder that is copied away": (_is_synced, {"place"}),
    "a file of somebody else": (_root_wrote_there, {"folder"}),
    "settings that others may read": (_passwords_are_open, {"folder"}),
    "a timer that is not switched on": (_a_timer_is_off, {"units"}),
    "a mail server that does not answer": (_mail_goes_nowhere, {"mail"}),
    "a mail server and nobody to remind": (_nobody_is_to_be_reminded, {"mail"}),
    "a ledger older than the database": (_the_ledger_is_older, {"releases"}),
    "a database whose clock is an hour off": (_on_the_machine(database_ahead=lambda _: 3_600.0), {"clock"}),
    "a report that leaves something behind": (_something_stays, {"leaks"}),
}


@pytest.mark.parametrize("what", BAD)
def test_of_a_bad_one_it_finds_that_and_nothing_else(good: Good, what: str) -> None:
    does, expected = BAD[what]
    does(good)
    assert good.faults() == expected
    assert all(good.looks()[code].details for code in expected), "and says what to do"


def test_what_a_system_does_not_tell_is_neither_right_nor_wrong(good: Good, tmp_path: Path) -> None:
    good.machine = replace(good.machine, swaps=tmp_path / "nowhere", clock_is_set=lambda: None)
    found = good.looks()
    assert {code for code, row in found.items() if row.finding.holds is None} == OPEN | {"swap", "clock"}
    assert found["clock"].finding.says == UNKNOWN["clock"]


@pytest.mark.parametrize(
    ("days", "says"),
    [(-0.5, front_settings.WHY[10]), (5, "is good for 4 more days"), (60, "")],
    ids=["over", "nearly over", "good"],
)
def test_a_certificate_that_browsers_refuse_is_found_before_or_when_they_do(
    app: Flask, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: float, says: str
) -> None:
    port = free_port()
    settings = place.settings.with_changes(base_url=f"https://localhost:{port}", trusted_proxy="127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with in_this_process(app) as address, over_tls(tmp_path, port, address, days):
        problems = front_settings.problems(settings)
    assert problems is not None
    assert [says in problem for problem in problems] == [True] * bool(says)


def test_where_nobody_answers_the_server_in_front_is_not_called_good(place: Place) -> None:
    address = f"https://localhost:{free_port()}"
    assert front_settings.problems(place.settings.with_changes(base_url=address, trusted_proxy="127.0.0.1")) is None


# ── a backup is put back into nothing ───────────────────────────────────────────────────────────────────────


def test_a_trial_brings_every_row_back_and_changes_nothing_here_but_its_day(good: Good, tmp_path: Path) -> None:
    place, copy = good.place, tmp_path / "copy"
    written = backs_up(place, copy)
    before = {path.name: path.read_bytes() for path in place.settings.instance.glob("*.*") if path.suffix != ".db-shm"}
    done = trial_restore.try_out(place.settings, copy, place.clock(), quiet)
    assert (done.everything, done.rows) == (True, written["rows"])
    after = {path.name: path.read_bytes() for path in place.settings.instance.glob("*.*") if path.suffix != ".db-shm"}
    assert {name for name in before if before[name] != after[name]} <= {backups.LAST}
    assert not list(tmp_path.glob("amparo-trial-*")), "nothing is left in memory"
    known = json.loads((place.settings.instance / backups.LAST).read_text(encoding="utf-8"))
    assert set(known) == {"cases", "day", "tried"}, "where it lies is not written down"


def test_a_backup_that_was_cut_is_refused_and_does_not_count_as_tried(good: Good, tmp_path: Path) -> None:
    _never_tried(good)
    copy = tmp_path / "copy"
    backs_up(good.place, copy)
    copy.write_bytes(copy.read_bytes()[:-40])
    with pytest.raises(BackupRefused):
        trial_restore.try_out(good.place.settings, copy, good.place.clock(), quiet)
    assert good.faults() == {"tried"}


def test_where_no_backup_was_ever_taken_nobody_is_told_that_one_came_back(good: Good) -> None:
    _never_backed_up(good)
    assert good.looks()["tried"].finding.holds is None


def test_where_there_is_no_memory_it_says_so_and_writes_nothing_to_the_disk(good: Good, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    backs_up(good.place, copy)
    nowhere = good.place.settings.with_changes(memory_folder=str(tmp_path / "nowhere"))
    with pytest.raises(CannotTry, match="no folder in memory"):
        trial_restore.try_out(nowhere, copy, good.place.clock(), quiet)


# ── the terminal, and the coordinator's page ────────────────────────────────────────────────────────────────


def test_every_row_is_said_in_two_languages() -> None:
    for words in (*(row.good for row in ROWS.values()), *(row.do for row in ROWS.values()), *UNKNOWN.values()):
        assert say(words) != words


def test_the_terminal_tells_names_and_the_file_for_the_page_does_not(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AMPARO_INSTANCE", str(place.settings.instance))
    monkeypatch.setenv("MEMORY_FOLDER", str(tmp_path))
    place.engine.dispose()
    done = CliRunner().invoke(main, ["check", "--no-residue", "--json"])
    told, file = json.loads(done.stdout), place.settings.instance / findings.HERE
    assert done.exit_code == 1
    assert any("Only rosa can read" in problem for problem in told["problems"])
    assert {one["code"] for one in told["findings"]} == set(ROWS)
    assert "rosa" not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = CliRunner().invoke(main, ["backup", str(tmp_path / "copy"), "--json"])
    assert json.loads(done.stdout)["tried"] is True
    assert "came back whole" in CliRunner().invoke(main, ["check", "--backup", str(tmp_path / "copy")]).stdout


def test_the_coordinator_reads_in_spanish_what_is_to_be_done_first(app: Flask, place: Place) -> None:
    place.hires("vera", COORDINATOR)
    desk = signs_in(app, place, place.workers["vera"])
    desk.opens(PAGE)
    assert "amparo check" in desk.words, "before anybody looked: what to ask for"
    machine = Host(host_looks.AROUND)
    found = installation_check.look(place.settings, place.engine, time.time(), day_of(place), None, machine)
    look = findings.Look("localhost", day_of(place), tuple(row.finding for row in found))
    assert findings.keep(place.settings.instance, findings.HERE, look)
    desk.opens(PAGE)
    told = [say(words) for finding in look.findings for words in finding.words]
    assert [words for words in told if words not in desk.words] == []
    first, then = say(ROWS["backups"].do), say(ROWS["audit"].good)
    assert desk.words.index(say("To be done")) < desk.words.index(first) < desk.words.index(then)
    place.clock.on(days=3)
    desk = signs_in(app, place, place.workers["vera"])
    desk.opens(PAGE)
    assert say("Nobody has looked since: the tasks of the night may not run. Ask whoever looks after the server.") in (
        desk.words
    )
