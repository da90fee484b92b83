"""An instance folder of a former version is upgraded and opens: every case, for her and for her team.

The folders in tests/former were made by the program of the commit they are named after, through its own doors: `init`,
`serve`, pages. With each lies what its people kept on paper (`told.json`). All of it is invented.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sqlite3
import zipfile
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from referrals.directory.models import ServiceRow
from referrals.directory.reviewed_data import table
from reporting.cases import derived, store
from reporting.cases import desk as cases_desk
from reporting.cases.seal_contexts import tally_context
from reporting.cli.base import main
from reporting.config import read_settings
from reporting.crypto import receipts, sealing
from reporting.crypto.sealing import CannotOpen
from reporting.figures import freezing, periods, release_ledger, releases, tables, tallies
from reporting.operations import backups, restoring, retention
from reporting.storage.database import open_database, reading, writing
from reporting.storage.models import CaseRow
from reporting.storage.release_models import ReleaseRow
from reporting.teams import team_log
from reporting.teams.keyring import Keys, RecoverySheets
from reporting.teams.team_log import STATISTICS, Team
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.tally import block_of_codes
from tests.opening import read
from tests.people import ANOTHER, Clock, Place, Worker
from tests.phone import Phone
from tests.trips import say, signs_in

FORMER = sorted((Path(__file__).parent.parent / "former").glob("*.zip"))
A_DAY = 24 * 3600


class Former:
    """A folder of a former version, unpacked, with what its people know."""

    def __init__(self, packed: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with zipfile.ZipFile(packed) as file:
            file.extractall(into)
        self.told: dict[str, Any] = json.loads((into / "told.json").read_text("utf-8"))
        self.folder = into / "instance"
        monkeypatch.setenv("AMPARO_INSTANCE", str(self.folder))
        monkeypatch.setenv("BASE_URL", "http://localhost")

    @property
    def database(self) -> Path:
        return self.folder / "amparo.db"

    def upgrades(self) -> Place:
        """As whoever keeps it does."""
        done = CliRunner().invoke(main, ["upgrade"])
        assert done.exit_code == 0, done.output
        settings = read_settings({"AMPARO_INSTANCE": str(self.folder), "BASE_URL": "http://localhost"})
        member = self.told["member"]
        place = Place(settings, open_database(settings.database_url), Clock(self.told["now"] + A_DAY))
        place.workers[member["name"]] = Worker(member["name"], member["password"], bytes.fromhex(member["totp"]), 0)
        place.sheets = RecoverySheets(*(tuple(sheet) for sheet in self.told["sheets"]))
        return place


@pytest.fixture(params=FORMER, ids=lambda path: path.stem)
def former(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Former:
    return Former(request.param, tmp_path, monkeypatch)


@pytest.fixture
def place(former: Former) -> Place:
    return former.upgrades()


def member_of(place: Place) -> Worker:
    return next(iter(place.workers.values()))


def arrives(app: Flask, place: Place) -> Phone:
    """The member of before signs in; the password of then can be guessed, so it is changed first."""
    worker = member_of(place)
    desk = signs_in(app, place, worker)
    assert desk.path == "/es/equipo/yo"
    desk.presses("password", old=worker.password, new=ANOTHER)
    assert say("Your password is changed. Your other sessions are closed.") in desk.words
    place.workers[worker.name] = replace(worker, password=ANOTHER)
    return desk


def test_its_directory_is_brought_to_this_version_and_the_placeholders_are_gone(place: Place) -> None:
    shipped = {row["id"] for row in table("services-pe.csv")}
    with reading(place.engine) as db:
        services = set(db.scalars(select(ServiceRow.id)))
        assert services == shipped
        assert db.get_one(ServiceRow, "goyeneche").phone


def test_there_is_a_folder_of_a_former_version_with_a_queue_that_was_worked_out(former: Former) -> None:
    assert len(former.told["cases"]) >= 10
    with closing(sqlite3.connect(former.database)) as db:
        ((size,),) = db.execute("SELECT max(length(sealed)) FROM queue_sheet").fetchall()
        ((version,),) = db.execute("SELECT version_num FROM alembic_version").fetchall()
    assert size > 4000, "it is filled"
    assert version == "0010"


def test_every_receipt_opens_its_case_with_her_words(former: Former, place: Place) -> None:
    for kept in former.told["cases"]:
        readings = receipts.read(kept["receipt"], "es")
        assert isinstance(readings, tuple)
        with reading(place.engine) as db:
            visit, _ = store.come_back(db, store.stretch(readings, place.settings.pepper))
            assert store.open_visit(db, visit).narrative == kept["words"]


def test_she_comes_back_through_the_page_and_writes(former: Former, app: Flask) -> None:
    phone = Phone(app)
    phone.opens("/es/volver")
    phone.sends("code", code=former.told["cases"][0]["receipt"])
    assert former.told["cases"][0]["words"][:30] in phone.words
    phone.presses("write", text="Sigo aquí.")
    assert say("Your letter is with the team.") in phone.words


def test_the_queue_shows_every_case_and_each_opens_at_the_desk(former: Former, place: Place, app: Flask) -> None:
    desk = arrives(app, place)
    read_there = []
    for _ in range(2):  # the second time from what the first worked out
        desk.opens("/es/equipo/casos?folder=all")
        links = set(re.findall(r'href="(/es/equipo/caso/\d+)"', desk.text))
        assert len(links) == len(former.told["cases"]) == place.cases()
    for link in sorted(links):
        desk.opens(link)
        assert desk.status == 203, desk.words[:200]
        read_there += [kept["words"] for kept in former.told["cases"] if kept["words"] in desk.words]
    assert sorted(read_there) == sorted(kept["words"] for kept in former.told["cases"])
    desk.opens("/es/equipo/registro")
    assert desk.status == 203
    with reading(place.engine) as db:
        assert {act.case for act in cases_desk.acts(db, place.signs_in(member_of(place).name), {})} & ids_in(links)


def ids_in(links: set[str]) -> set[int]:
    return {int(link.rpartition("/")[2]) for link in links}


def test_what_the_team_did_before_is_still_there(place: Place, app: Flask) -> None:
    desk = arrives(app, place)
    desk.opens("/es/equipo/casos?folder=all")
    pages = []
    for link in sorted(set(re.findall(r'href="(/es/equipo/caso/\d+)"', desk.text))):
        desk.opens(link)
        pages.append((link, desk.text))
    for words in ("Nota de antes.", "Te leímos.", "Solo quería que conste.", "Es un aviso."):
        assert sum(words in text for _, text in pages) == 1, words
    linked = [link for link, _ in pages if any(link in text for other, text in pages if other != link)]
    assert linked, "cases that named each other by number do so by name now"
    with reading(place.engine) as db:
        keys = place.signs_in(member_of(place).name)
        cards, _ = cases_desk.queue(db, keys)
    for card in cards:
        with writing(place.engine) as db:
            links = cases_desk.open_case(db, keys, card.case, place.clock()).work_record.get("links", [])
            assert not [one for one in links if isinstance(one, int)]


def test_who_was_erased_before_the_upgrade_stays_erased_and_leaves_the_queue(former: Former, place: Place) -> None:
    gone, keys = former.told["erased"], place.signs_in(member_of(place).name)
    readings = receipts.read(gone["receipt"], "es")
    assert isinstance(readings, tuple)
    with reading(place.engine) as db, pytest.raises(CannotOpen):
        store.come_back(db, store.stretch(readings, place.settings.pepper))
    with reading(place.engine) as db:
        for table in derived.tables():
            assert not db.execute(table.select()).all(), "what was worked out before is worked out anew"
        cards, broken = cases_desk.queue(db, keys)
    assert not broken
    for card in cards:
        with writing(place.engine) as db:
            told = cases_desk.open_case(db, keys, card.case, place.clock()).work_record
        assert str(gone["case"]).encode() not in b"".join(read(json.dumps(dict(told)).encode())), "a link to her"


def test_a_sheet_of_before_is_overwritten_and_lies_in_no_file(former: Former) -> None:
    with closing(sqlite3.connect(former.database)) as db:
        ((sealed,),) = db.execute("SELECT sealed FROM queue_sheet ORDER BY length(sealed) DESC LIMIT 1").fetchall()
    some = [sealed[at : at + 32] for at in range(100, len(sealed) - 32, 500)]

    def seen() -> int:
        return sum(
            any(piece in path.read_bytes() for path in former.folder.rglob("*") if path.is_file()) for piece in some
        )

    assert seen() > len(some) // 2, "the search sees it"
    former.upgrades().engine.dispose()
    assert seen() == 0


def test_it_is_swept_backed_up_and_put_back(former: Former, place: Place) -> None:
    retention.sweep(place.engine, place.pin, former.folder, place.clock(), lambda _: None)
    target = former.folder.parent / "backup"
    backups.back_up(place.engine, former.folder, target, place.clock(), lambda _: None)
    place.engine.dispose()
    for path in former.folder.glob("amparo.db*"):
        path.unlink()
    again = former.upgrades()
    restoring.restore(
        again.engine, again.pin, former.folder, target, again.settings.pepper, again.clock(), lambda _: None
    )
    assert again.cases() == len(former.told["cases"])
    keys = again.signs_in(member_of(again).name)
    with reading(again.engine) as db:
        cards, broken = cases_desk.queue(db, keys)
    assert (len(cards), len(broken)) == (len(former.told["cases"]), 0)


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────


def silent(_scale: Fraction) -> int:
    """No noise, so that a test can see what was counted."""
    return 0


def test_tallies_that_were_sealed_before_are_counted_together_with_those_of_now(former: Former, place: Place) -> None:
    keys = place.signs_in(member_of(place).name)
    consents, answers = frozenset({"C_STATS", "C_LETTERS"}), tables.design(0, ("answered",))
    for _ in range(11):
        place.receives(Incident(perpetrator=frozenset({"CLIENT"})), consents=consents)
    with reading(place.engine) as db:
        team = tallies.statistics_team(db, place.pin, keys)
        ready = tallies.openers(team, keys)
        sealed = db.execute(select(CaseRow.id, CaseRow.tally)).all()
    blocks = [sealing_of(row.tally, row.id, team, keys) for row in sealed]
    assert {block[0] for block in blocks} == {2, 3}, "those of before and those of now"
    before = sum(block[0] == 2 for block in blocks)
    assert before >= 10
    opened = [tallies.open_tally(row.tally, row.id, team, ready) for row in sealed]
    by_answer = {cell: n for cell, n in tables.count(answers, opened)["answered"].items() if n}
    names = tables.DIMENSIONS["answered"].codes
    assert {names[cell[0]]: n for cell, n in by_answer.items()} == {"NEVER": 11, "NOT_KNOWN": before}
    name = str(datetime.fromtimestamp(former.told["now"], UTC).year)
    place.clock.now = periods.period(name).ends + 61 * A_DAY
    release = freezing.freeze(place.engine, place.pin, keys, periods.period(name), place.clock())
    releases.compile_release(place.engine, place.pin, keys, release, silent)
    with reading(place.engine) as db:
        assert releases.find(db, name, unpublished=True).total == before + 11


def sealing_of(sealed: bytes, case: int, team: Team, keys: Keys) -> bytes:
    """The very bytes under the seal of a tally, whatever their format."""
    held = keys.epochs[team.id]
    for epoch in held:
        with suppress(CannotOpen):
            return sealing.open_with(held[epoch].sealing, tally_context(case, team.id, epoch), sealed)
    raise CannotOpen


RELEASE = FORMER[0].parent / "release-1dd5b01.bin"  # as commit 1dd5b01 built it, of invented tallies, tier 1


def test_a_release_of_the_first_format_is_shown_byte_by_byte_and_beside_one_of_now(place: Place, app: Flask) -> None:
    body = RELEASE.read_bytes()
    with writing(place.engine) as db:
        team = team_log.team_of_kind(team_log.teams(db, place.pin), STATISTICS).id
        row = ReleaseRow(period="2024", state=releases.PUBLISHED, team=team, epoch=1, compiled_by=0, body=body)
        row.sha256 = hashlib.sha256(body).digest()
        db.add(row)
        db.flush()
        blocks = [block_of_codes(2025, 1, {"perpetrator": "CLIENT"})] * 300
        releases.publish_fictional(db, periods.period("2025"), blocks, silent, team)
        assert releases.expected(db, periods.period("2026")) == 300
    with zipfile.ZipFile(io.BytesIO(body)) as box:
        files = {name: box.read(name) for name in box.namelist()}
    assert json.loads(files["release.json"])["format"] == 1
    client = app.test_client()
    for line in files["SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(client.get(f"/cifras/2024/{name}").data).hexdigest() == digest
    phone = Phone(app)
    for language in ("es", "en"):
        phone.opens(f"/{language}/cifras/2024")
        assert phone.status == 200
        assert "Ucayali" in phone.words
        phone.opens(f"/{language}/cifras")
        assert phone.status == 200
        assert {"2024", "2025"} <= set(re.findall(r"/cifras/(\d{4})", phone.text))


def test_the_ledger_of_releases_keeps_and_puts_back_one_of_the_first_format(place: Place) -> None:
    body = RELEASE.read_bytes()
    place.pin.ledger.keep("2024", body)
    place.pin.ledger.note_published("2024", body)
    with writing(place.engine) as db:
        assert release_ledger.follow(db, place.pin.ledger) == ("2024",)
        assert release_ledger.problems(db, place.pin) == []
        assert releases.find(db, "2024").about["epsilon"] == "1"
        with pytest.raises(release_ledger.ReleaseRefused):
            release_ledger.must_be_new(place.pin.ledger, periods.period("2024"))
