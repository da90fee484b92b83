"""Disk full, database locked, folder read-only, clock put back: a sentence, answers kept. And a seized copy."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event

from reporting.app import create_app
from reporting.cases import store
from reporting.config import problems_on_this_machine
from reporting.storage import database, disk
from reporting.storage.database import checkpoint, reading, writing
from reporting.storage.turns import NEXT, WRITES
from reporting.teams import accounts
from reporting.teams.accounts import Invitation
from reporting.teams.team_log import ADVOCATE
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.server import ROOT
from tests.trips import opens_newest_case, say, sends, signs_in, starts_telling, tells

SORRY = "Something failed on our side. Nothing of yours was shown to anybody."
STORY = "zarzamora de prueba"
AWAITED = "milagritos"  # somebody who was invited and has not come yet


def at_the_check_page(app: Flask) -> Phone:
    phone = starts_telling(app)
    tells(phone, lambda form: {"narrative": STORY} if "narrative" in form.kinds else {})
    return phone


def fails_then_goes_through(place: Place, phone: Phone, fault: Any) -> None:
    """The page says so and carries what she typed; one button later it is there, once."""
    with fault:
        phone.presses("send")
        assert phone.status == 500
        assert say(SORRY) in phone.words
    again = phone.form(holding="again")
    phone.repeats(again.action, again.values)
    assert phone.status == 203
    words, _ = phone.receipt()
    back = Phone(phone.client.application)
    back.opens("/es/volver")
    back.sends("code", code=" ".join(words))
    assert STORY in back.words
    assert place.cases() == 1


@contextmanager
def every_connection(engine: Engine, sql: str, back: str) -> Iterator[None]:
    """A fault that SQLite itself makes, on every connection, old and new."""

    def spoil(connection: Any, *_: Any) -> None:
        connection.exec_driver_sql(sql)

    event.listen(engine, "begin", spoil, insert=True)
    try:
        yield
    finally:
        event.remove(engine, "begin", spoil)
        engine.dispose()
        with sqlite3.connect(str(engine.url.database)) as connection:
            connection.execute(back)


def engine_of(app: Flask) -> Engine:
    engine: Engine = app.extensions["amparo"].writing.args[0]
    return engine


def full(app: Flask) -> Any:
    """SQLite then says "database or disk is full", as a full disk makes it say."""
    return every_connection(engine_of(app), "PRAGMA max_page_count=1", "PRAGMA max_page_count=1073741823")


def unwritable(app: Flask) -> Any:
    return every_connection(engine_of(app), "PRAGMA query_only=ON", "PRAGMA query_only=OFF")


@contextmanager
def locked(app: Flask) -> Iterator[None]:
    """Somebody else writes, and does not end."""
    other = sqlite3.connect(str(engine_of(app).url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "PATIENCE", 10)
        patch.setattr(database, "LITTLE_PATIENCE", 1)
        yield
    other.execute("ROLLBACK")
    other.close()


every_fault = pytest.mark.parametrize("fault", [full, unwritable, locked])


@every_fault
def test_when_nothing_can_be_written_she_is_told_and_can_send_again(place: Place, fault: Any) -> None:
    app = create_app(place.settings, place.clock)
    phone = at_the_check_page(app)
    fails_then_goes_through(place, phone, fault(app))


@every_fault
def test_when_nothing_can_be_written_pages_turn_and_urgent_help_is_shown(place: Place, fault: Any) -> None:
    app = create_app(place.settings, place.clock)
    hurt = starts_telling(app)
    with fault(app):
        hurt.presses("next", danger=["D_BLEEDING"])
        assert (hurt.status, "tel:106" in hurt.text) == (203, True)
        phone = at_the_check_page(app)
        assert STORY in phone.words
        other = Phone(app)
        for page in ("/es/", "/es/ahora", "/es/ayuda", "/es/contar", "/es/cuidados"):
            other.opens(page)
            assert other.status in {200, 203}, page
    sends(phone)
    assert place.cases() == 1


@every_fault
def test_when_nothing_can_be_written_leaving_still_takes_her_away(place: Place, fault: Any) -> None:
    app = create_app(place.settings, place.clock)
    phone = at_the_check_page(app)
    with fault(app):
        left = phone.client.post("/salir", data={"trip": trip_on(phone)})
        assert (left.status_code, left.headers["Refresh"]) == (200, "0;url=/fuera")


def trip_on(phone: Phone) -> str:
    found = re.search(r'name="trip" value="([^"]+)"', phone.text)
    assert found
    return found[1]


@every_fault
def test_when_nothing_can_be_written_at_midnight_her_pages_go_on(place: Place, fault: Any) -> None:
    place.clock.now -= place.clock.now % 86_400 + 60
    app = create_app(place.settings, place.clock)
    phone = starts_telling(app)
    phone.presses("next")
    place.clock.on(minutes=2)
    with fault(app):
        phone.presses("next")
        assert phone.status == 203
    phone.presses("next")
    assert phone.status == 203, "and the day opens as soon as it can be written"


def test_a_server_whose_folder_cannot_be_written_says_so_and_does_not_start(tmp_path: Path) -> None:
    place = a_furnished_place(tmp_path / "instance")
    place.engine.dispose()
    seen = tmp_path / "mounted"
    seen.mkdir()
    mounts = (["--bind", str(place.settings.instance), str(seen)], ["-o", "remount,bind,ro", str(seen)])
    if os.geteuid() != 0 or any(mount(told) for told in mounts):
        pytest.skip("only root can mount a folder that cannot be written")
    try:
        told = os.environ | {"AMPARO_INSTANCE": str(seen)}
        command = [sys.executable, "-m", "reporting", "serve", "--port", "1"]
        ended = subprocess.run(command, env=told, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603
        assert ended.returncode == 1
        assert "may this user write" in ended.stderr
        assert "Traceback" not in ended.stderr
    finally:
        subprocess.run(["umount", "-l", str(seen)], check=True)  # noqa: S603, S607 -- our own arguments


def mount(told: list[str]) -> int:
    """0 where it worked."""
    return subprocess.run(["/usr/bin/mount", *told], check=False, capture_output=True).returncode  # noqa: S603


def test_what_a_case_worker_typed_goes_through_a_moment_later(place: Place) -> None:
    app = create_app(place.settings, place.clock)
    place.receives()
    desk = signs_in(app, place, place.workers["rosa"])
    case = opens_newest_case(desk)
    with every_connection(engine_of(app), "PRAGMA query_only=ON", "PRAGMA query_only=OFF"):
        desk.presses("note", text=STORY)
        assert (desk.status, say(SORRY) in desk.words) == (500, True)
    again = desk.form(holding="again")
    desk.repeats(again.action or case, again.values)
    desk.opens(case)
    assert STORY in desk.words


def test_an_error_at_the_desk_leads_back_to_the_desk(place: Place) -> None:
    desk = signs_in(create_app(place.settings, place.clock), place, place.workers["rosa"])
    desk.opens("/es/equipo/personas")  # for coordinators
    assert desk.status == 404
    assert '"/salir' not in desk.text
    assert 'class="c-outline" href="/es/equipo/casos"' in desk.text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 megabytes, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or mount(["-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]):
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607 -- our own arguments


def fills(folder: Path) -> Path:
    """To the last byte."""
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize))
    return ballast


def opens_with(app: Flask, code: str) -> str:
    back = Phone(app)
    back.opens("/es/volver")
    back.sends("code", code=code)
    assert back.status == 203
    return back.words


def test_a_disk_that_is_really_full_keeps_what_was_acknowledged(small_disk: Path) -> None:
    """A small disk in memory, filled to the last byte, and without a reserve."""
    place = a_furnished_place(small_disk / "instance")
    app = create_app(place.settings, place.clock)
    codes = [sends(at_the_check_page(app)) for _ in range(3)]
    phone = at_the_check_page(app)
    ballast = fills(small_disk)
    late = starts_telling(app)
    late.presses("next", safety=["S_WEAPON"])
    assert late.status == 203, "pages still turn"
    phone.presses("send")
    assert phone.status == 500
    assert say(SORRY) in phone.words
    ballast.unlink()  # somebody makes room
    again = phone.form(holding="again")
    phone.repeats(again.action, again.values)
    codes.append(" ".join(phone.receipt()[0]))
    for code in codes:
        assert opens_with(app, code)
    assert place.cases() == len(codes) > 0
    place.engine.dispose()
    engine_of(app).dispose()


def telling(app: Flask, words: str) -> Phone:
    """She has told it in these words, up to the check page."""
    phone = starts_telling(app)
    tells(phone, lambda form: {"narrative": words} if "narrative" in form.kinds else {})
    return phone


def test_on_a_full_disk_short_reports_are_taken_and_long_ones_wait_without_being_lost(small_disk: Path) -> None:
    place = a_furnished_place(small_disk / "instance")
    assert disk.lay_down(place.settings.instance)
    app = create_app(place.settings, place.clock)
    long, short = telling(app, "una larga historia " * 200), [telling(app, "Me pegó ayer.") for _ in range(12)]
    before = sends(telling(app, "Antes."))
    ballast = fills(small_disk)
    long.presses("send")
    assert (long.status, place.cases()) == (503, 1), "what is long does not take the reserve"
    codes = [sends(phone) for phone in short]
    assert "Me pegó ayer." in opens_with(app, codes[-1])
    assert disk.is_spent(place.settings.instance)
    again = long.form(holding="again")
    long.repeats(again.action, again.values)
    assert (long.status, place.cases()) == (503, 13), "nor what was given back"
    ballast.unlink()
    again = long.form(holding="again")
    long.repeats(again.action, again.values)
    assert opens_with(app, " ".join(long.receipt()[0]))
    assert not disk.is_spent(place.settings.instance), "with room there is a reserve again"
    for code in (before, *codes):
        assert opens_with(app, code)
    place.engine.dispose()
    engine_of(app).dispose()


def test_a_letter_on_a_full_disk_is_taken_too(small_disk: Path) -> None:
    place = a_furnished_place(small_disk / "instance")
    disk.lay_down(place.settings.instance)
    app = create_app(place.settings, place.clock)
    code, phone = sends(telling(app, "Antes.")), Phone(app)
    phone.opens("/es/volver")
    phone.sends("code", code=code)
    fills(small_disk)
    phone.presses("write", text="Sigo aquí.")
    assert phone.status == 203
    assert "Sigo aquí." in opens_with(app, code)
    place.engine.dispose()
    engine_of(app).dispose()


@pytest.mark.parametrize(("free", "said"), [(30, None), (19, 20), (11, 20), (9, 10), (0, 10)])
def test_who_looks_after_the_disk_is_told_at_a_fifth_and_at_a_tenth(
    tmp_path: Path, free: int, said: int | None
) -> None:
    def look(_folder: Path) -> disk.Space:
        return disk.Space(free * 2**20, 100 * 2**20)

    told = list(disk.problems(tmp_path, look))
    assert [f"Less than {said} %" in line for line in told] == ([True] if said else [])
    assert disk.warning(tmp_path, look) == (disk.WARNINGS[said] if said else "")


def test_the_desk_is_told_that_the_disk_fills_up_and_her_pages_are_not(place: Place) -> None:
    app = create_app(place.settings, place.clock)
    app.extensions["amparo"].disk_warning = lambda: disk.WARNINGS[disk.LITTLE]
    said = say(disk.WARNINGS[disk.LITTLE])
    for worker in list(place.workers.values()):
        assert said in signs_in(app, place, worker).words
    assert said not in starts_telling(app).words


def test_a_reserve_is_only_laid_down_where_there_is_room_for_it(tmp_path: Path) -> None:
    assert not disk.lay_down(tmp_path, lambda _: disk.Space(30 * 2**20, 1000 * 2**20))
    assert disk.lay_down(tmp_path, lambda _: disk.Space(300 * 2**20, 1000 * 2**20))
    assert (tmp_path / disk.NAME).stat().st_size == disk.RESERVE
    assert (tmp_path / disk.NAME).stat().st_mode & 0o077 == 0
    assert disk.give_back(tmp_path)
    assert not disk.give_back(tmp_path)
    assert next(disk.problems(tmp_path, lambda _: disk.Space(50, 100))).startswith("The disk of")


def test_a_clock_put_back_by_a_day_loses_nothing_she_sent(place: Place) -> None:
    app = create_app(place.settings, place.clock)
    code = sends(at_the_check_page(app))
    waiting = at_the_check_page(app)
    place.clock.on(days=-1)
    back = Phone(app)
    back.opens("/es/volver")
    back.sends("code", code=code)
    assert STORY in back.words
    waiting.presses("send")
    assert waiting.status < 500, "a ticket of tomorrow is no ticket, and says so"
    place.clock.on(days=1)
    waiting = at_the_check_page(app)
    sends(waiting)


# ── a seized copy ───────────────────────────────────────────────────────────────────────────────────────────

# What lies in the instance folder and its log, and nothing else. Whoever lets this list grow says so in SECURITY.md.
FILES = {"amparo.db", "amparo.db-wal", "amparo.db-shm", "secrets.toml", "team.pin", "releases.json"}
FILES |= {f"amparo.db{lock}" for lock in (NEXT, WRITES)}  # empty
IN_THE_CLEAR = {
    "case_file": {"id", "team", "epoch", "version", "delete_after"},
    "record": {"id", "case_id"},
    "trip_mark": {"forget_after"},
    "erased": {"forget_after"},
    "staff_session": {"member", "day"},
    "sign_in_try": {"failed", "not_before"},
    "invitation": {"member", "expires"},
    "member": {"id", "name", "roles", "teams", "version"},
    "pending_act": {"member", "number"},
    "team": {"id", "kind", "name", "due"},
    "team_log": {"id", "team", "number", "body"},
    "team_grant": {"id", "team", "epoch", "member"},
    "audit": {"number", "team", "epoch"},
    "day_seed": {"day", "purpose"},
    "queue_sheet": {"team", "part", "epoch"},
    "course_sheet": {"team", "part", "epoch"},
    "taken": {"team", "part", "epoch", "number"},
    "team_letters": {"team", "epoch", "number"},
    "duty": {"id", "hours", "opened"},
    "figures_release": {"id", "period", "state", "reached", "team", "epoch", "compiled_by", "published_by"},
    "figures_month": {"month", "release"},
    "tally_archive": {"id", "release"},
}
OPAQUE = {
    "tag",
    "front_key",
    "vault_key",
    "receipt_key",
    "card",
    "cover",
    "tally",
    "body",
    "mark",
    "told",
    "sealed",
    "times",
    "public_key",
    "signing_key",
    "salt",
    "private",
    "remembered",
    "used_digits",
    "name_mark",
    "chain",
    "signature",
    "seed",
    "id",
    "token_hash",
    "who",
    "sha256",
}
PUBLIC = {
    "place",
    "service",
    "service_coverage",
    "service_match",
    "service_history",
    "service_flag",
    "service_foreign",
    "service_signature",
    "service_waiting",
    "directory_version",
    "alembic_version",
}


def test_what_a_seized_copy_tells_is_this_list_and_no_more(place: Place, tmp_path: Path) -> None:
    app = create_app(place.settings, place.clock)
    code = sends(at_the_check_page(app))
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/casos")
    with writing(place.engine) as db:
        awaited = Invitation(AWAITED, (ADVOCATE,))
        accounts.invite(db, place.actor(db, "rosa"), awaited, place.settings.pepper, place.clock())
    copy = tmp_path / "seized"
    shutil.copytree(place.settings.instance, copy)
    assert {path.name for path in copy.iterdir()} <= FILES
    raw = b"".join(path.read_bytes() for path in copy.iterdir())
    for secret in (STORY, code, AWAITED, "127.0.0.77", "marker-agent", "/es/contar"):
        assert secret.encode() not in raw, secret
    with sqlite3.connect(copy / "amparo.db") as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables - PUBLIC == set(IN_THE_CLEAR)
        for table, clear in IN_THE_CLEAR.items():
            columns = {row[1]: row[2] for row in db.execute(f"PRAGMA table_info({table})")}
            told = {name for name, kind in columns.items() if not kind.startswith(("BLOB", "BINARY"))}
            assert told | (clear & set(columns)) == clear, table
            assert set(columns) - clear <= OPAQUE, table
        sizes = {len(body) for (body,) in db.execute("SELECT body FROM record")}
    assert all(size - 31 in {512, 1024, 2048} for size in sizes), "padded lengths only"


def test_after_an_erasure_the_write_ahead_log_is_empty(place: Place) -> None:
    place.receives()
    assert checkpoint(place.engine)
    log = place.settings.instance / "amparo.db-wal"
    assert not log.exists() or log.stat().st_size == 0


def test_the_check_says_what_could_leave_traces_on_this_machine(tmp_path: Path) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text("Filename\tType\tSize\n/dev/sda2 partition 1\n")
    assert any("swap" in sentence for sentence in problems_on_this_machine(swaps))
    swaps.write_text("Filename\tType\tSize\n/dev/dm-1 partition 1\n/dev/zram0 partition 1\n")
    assert any("/dev/dm-1" in sentence for sentence in problems_on_this_machine(swaps, tmp_path))
    kind = tmp_path / "dm-1" / "dm" / "uuid"
    kind.parent.mkdir(parents=True)
    kind.write_text("CRYPT-PLAIN-swap")
    assert problems_on_this_machine(swaps, tmp_path) == (), "a disk that the mapper encrypts"
    swaps.write_text("Filename\tType\tSize\n")
    assert problems_on_this_machine(swaps) == ()
    assert problems_on_this_machine(tmp_path / "nowhere") == ()


def test_reading_still_works_while_nothing_can_be_written(place: Place) -> None:
    receipt = place.receives(narrative=STORY)
    visit = place.comes_back(receipt)
    with reading(place.engine) as db:
        db.connection().exec_driver_sql("PRAGMA query_only=ON")
        assert store.open_visit(db, visit).narrative == STORY
        db.connection().exec_driver_sql("PRAGMA query_only=OFF")
