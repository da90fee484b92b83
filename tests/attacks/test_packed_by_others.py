"""A packed file that somebody else made, with words that open it: it writes nothing but what an installation packs.

And a backup, by somebody who has the key of its month.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, inspect, select, text

from reporting.cli.base import main
from reporting.crypto import receipts, sealing
from reporting.operations import backups, restoring
from reporting.operations.whole import snapshots, upgrading
from reporting.storage.database import open_database, reading, writing
from reporting.storage.models import CaseRow, RecordRow
from tests.copies import Copies, nothing_more
from tests.people import Place
from tests.work.test_keeping import backs_up, restores
from tests.work.test_whole import WORDS, packs

KEY = sealing.derive(receipts.plain(" ".join(WORDS)).encode(), "packed installation")
OURS = base64.b64encode(b"x").decode()
Lines = list[Any]
Forge = Callable[[str, str, Any], tuple[int, str]]
Bend = Callable[[Lines], Lines]


@pytest.fixture
def place(copies: Copies, tmp_path: Path) -> Iterator[Place]:
    made = copies.copy(tmp_path / "instance", nothing_more)
    yield made
    made.engine.dispose()


@pytest.fixture
def bent(place: Place, tmp_path: Path) -> Callable[[Bend], tuple[int, str]]:
    """Change the lines of a packed file and seal it again; what unpacking it says."""
    packs(place, tmp_path / "packed")
    with (tmp_path / "packed").open("rb") as file:
        lines: Lines = list(backups.rows_of(file, KEY))

    def unpacks(bend: Bend) -> tuple[int, str]:
        with (tmp_path / "forged").open("wb") as file:
            backups.write_lines(file, "2026-11", KEY, bend(lines))
        told = {"AMPARO_INSTANCE": str(tmp_path / "deep" / "there"), "BASE_URL": "http://localhost"}
        words = ["move", "unpack", str(tmp_path / "forged"), "--words", " ".join(WORDS)]
        done = CliRunner(env=told).invoke(main, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return unpacks


@pytest.fixture
def forge(bent: Callable[[Bend], tuple[int, str]]) -> Forge:
    """Put one word into the head, into a part of it, or into what it says of the tables."""
    return lambda part, name, word: bent(lambda lines: _with_word(lines, part, name, word))


def _with_word(lines: Lines, part: str, name: str, word: Any) -> Lines:
    (lines[0][part] if part else lines[1])[name] = word
    return lines


def lie(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "name", ["../evil", "releases/../../evil", "/", "sitecustomize.py", "releases/a/b", "releases//a", "", "."]
)
def test_no_file_is_unpacked_but_those_that_travel(forge: Forge, tmp_path: Path, name: str) -> None:
    before, name = lie(tmp_path), str(tmp_path / "evil") if name == "/" else name
    code, output = forge("files", name, OURS)
    assert code == 1
    assert repr(name) in output
    assert lie(tmp_path) - before == {tmp_path / "forged"}


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "DATABASE_URL", "SITE_NAME=x\nPATH"])
def test_no_setting_is_unpacked_but_those_of_ours(forge: Forge, tmp_path: Path, name: str) -> None:
    before = lie(tmp_path)
    assert forge("settings", name, "x")[0] == 1
    assert lie(tmp_path) - before == {tmp_path / "forged"}


@pytest.mark.parametrize("version", ["0999", None, "base", "head"])
def test_tables_that_this_program_cannot_make_are_refused_in_words(forge: Forge, tmp_path: Path, version: Any) -> None:
    code, output = forge("", "version", version)
    assert code == 1
    assert "which this program does not know" in " ".join(output.split())
    assert not (tmp_path / "deep" / "there" / "secrets.toml").exists()


def test_a_former_program_begins_no_upgrade_of_newer_tables(place: Place) -> None:
    with writing(place.engine) as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    before = snapshots.fingerprints(place.engine)
    told = {"AMPARO_INSTANCE": str(place.settings.instance), "BASE_URL": "http://localhost"}
    done = CliRunner(env=told).invoke(main, ["upgrade"])
    assert isinstance(done.exception, SystemExit), done.exception
    assert "which this program does not know" in " ".join(done.output.split())
    assert not upgrading.is_unfinished(place.settings.instance)
    assert json.dumps(snapshots.fingerprints(place.engine)) == json.dumps(before)


# ── what no program of ours writes, and opens all the same ──────────────────────────────────────────────────


def in_a_file(name: str, content: str) -> Bend:
    return lambda lines: [lines[0] | {"files": lines[0]["files"] | {name: content}}, *lines[1:]]


def row(change: Callable[[dict[str, Any]], Any]) -> Bend:
    """One more row: one that is there, changed."""
    return lambda lines: [*lines, change({"t": lines[2]["t"], "r": dict(lines[2]["r"])})]


def every_cell(value: Any) -> Bend:
    return row(lambda line: line | {"r": dict.fromkeys(line["r"], value)})


BENT: dict[str, Bend] = {
    "no line": lambda _lines: [],
    "no object": lambda lines: [[1], *lines[1:]],
    "no settings": lambda lines: [{"files": lines[0]["files"]}, *lines[1:]],
    "a setting that is no text": lambda lines: [lines[0] | {"settings": {"SITE_NAME": 5}}, *lines[1:]],
    "files without content": lambda lines: [lines[0] | {"files": ["secrets.toml"]}, *lines[1:]],
    "a file that is no base64": in_a_file("secrets.toml", "a"),
    "secrets that are none": in_a_file("secrets.toml", OURS),
    "a ledger that is none": in_a_file("releases.json", OURS),
    "a ledger of nothing": in_a_file("releases.json", base64.b64encode(b"[1]").decode()),
    "no head of the tables": lambda lines: [lines[0], *lines[2:]],
    "nothing but the files": lambda lines: lines[:1],
    "tables that are none": lambda lines: [lines[0], lines[1] | {"tables": 3}, *lines[2:]],
    "a row that is none": row(lambda _line: [1]),
    "an unknown table": row(lambda line: line | {"t": "nobody"}),
    "a table that never travels": row(lambda _line: {"t": "alembic_version", "r": {"version_num": "0001"}}),
    "cells in a list": row(lambda line: line | {"r": [1]}),
    "an unknown column": row(lambda line: line | {"r": line["r"] | {"unknown": 1}}),
    "a row that is there": row(lambda line: line),
    "cells that are no base64": every_cell({"b": "a"}),
    "cells that are no day": every_cell({"d": "a"}),
    "empty cells": every_cell(None),
    "numbers that no table takes": every_cell(2**80),
    "letters that are none": every_cell("\ud800"),
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_what_no_program_of_ours_wrote_is_refused_in_a_sentence_and_nothing_is_changed(
    bent: Callable[[Bend], tuple[int, str]], tmp_path: Path, bend: Bend
) -> None:
    code, output = bent(bend)
    assert code == 1
    said = " ".join(output.split())
    assert "trust nothing of it. Take another copy" in said or "do not open this file" in said
    there = tmp_path / "deep" / "there"
    assert {path.name for path in lie(there)} <= {"amparo.db", "maintenance.lock"}
    database = there / "amparo.db"
    assert not database.exists() or not inspect(open_database(f"sqlite:///{database}")).get_table_names()


def test_where_the_settings_do_not_hold_the_folder_is_as_it_was(place: Place, tmp_path: Path) -> None:
    packs(place, tmp_path / "packed")
    told = {"AMPARO_INSTANCE": str(tmp_path / "there"), "BASE_URL": "ftp://nowhere"}
    done = CliRunner(env=told).invoke(main, ["move", "unpack", str(tmp_path / "packed"), "--words", " ".join(WORDS)])
    assert isinstance(done.exception, SystemExit), done.exception
    assert "BASE_URL" in done.output
    assert not lie(tmp_path / "there")


def test_a_mark_that_cannot_be_read_or_a_ledger_that_is_broken_here_ends_in_no_trace(
    place: Place, tmp_path: Path
) -> None:
    packs(place, tmp_path / "packed")
    told = {"AMPARO_INSTANCE": str(place.settings.instance), "BASE_URL": "http://localhost"}
    words = ["move", "unpack", str(tmp_path / "packed"), "--words", " ".join(WORDS)]
    mark, ledger = (place.settings.instance / name for name in ("packed.json", "releases.json"))
    whole = ledger.read_bytes()
    mark.write_bytes(b"{")
    ledger.write_bytes(b"{")
    done = CliRunner(env=told).invoke(main, words)
    assert isinstance(done.exception, SystemExit), done.exception
    assert "Put releases.json" in " ".join(done.output.split())
    ledger.write_bytes(whole)
    assert CliRunner(env=told).invoke(main, words).exit_code == 0


# ── the same of a backup, by somebody who has the key of the month ──────────────────────────────────────────────


def cut_at_its_end(lines: list[dict[str, Any]], raw: bytes, key: bytes) -> bytes:
    return raw[:-600]


def with_a_last_row(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., bytes]:
    """Sealed by somebody who has the key of the month, with one more row: a record that is there, changed."""

    def spoilt(lines: list[dict[str, Any]], _raw: bytes, key: bytes) -> bytes:
        record = next(line for line in reversed(lines) if line.get("t") == RecordRow.__tablename__)
        file = io.BytesIO()
        backups.write_lines(file, "2026-11", key, [*lines, change(record)])
        return file.getvalue()

    return spoilt


@pytest.mark.parametrize(
    "spoilt",
    [
        cut_at_its_end,
        with_a_last_row(lambda row: row | {"t": "nobody"}),
        with_a_last_row(lambda row: row | {"t": "staff_session"}),
        with_a_last_row(lambda row: row | {"r": row["r"] | {"unknown": 1}}),
        with_a_last_row(lambda row: row | {"r": row["r"] | {"body": "text"}}),
        with_a_last_row(lambda row: row | {"r": row["r"] | {"body": {"b": "a"}}}),
        with_a_last_row(lambda row: row | {"r": [1]}),
        with_a_last_row(lambda _row: {}),
    ],
)
def test_a_backup_that_is_bad_at_its_end_brings_nothing_of_what_comes_before(
    place: Place, monkeypatch: pytest.MonkeyPatch, spoilt: Callable[..., bytes]
) -> None:
    monkeypatch.setattr(restoring, "SLICE", 1)
    monkeypatch.setattr(backups, "CASES", 1)
    monkeypatch.setattr(backups, "CHUNK", 8192)
    for _ in range(4):
        place.receives()
    taken = backs_up(place)
    key = backups.month_key(place.settings.instance, place.clock())[1]
    with taken.open("rb") as file:
        lines = list(backups.rows_of(file, key))
    taken.write_bytes(spoilt(lines, taken.read_bytes(), key))
    with writing(place.engine) as db:
        db.execute(delete(RecordRow))
        db.execute(delete(CaseRow))
    with pytest.raises(backups.BackupRefused):
        restores(place, taken)
    with reading(place.engine) as db:
        assert not db.scalars(select(CaseRow)).all()
