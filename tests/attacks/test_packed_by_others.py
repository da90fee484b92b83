"""A packed file that somebody else made, with words that open it: it writes nothing but what an installation packs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from reporting.cli.base import main
from reporting.crypto import receipts, sealing
from reporting.operations import backups
from reporting.operations.whole import snapshots, upgrading
from reporting.storage.database import writing
from tests.copies import Copies, nothing_more
from tests.people import Place
from tests.work.test_whole import WORDS, packs

KEY = sealing.derive(receipts.plain(" ".join(WORDS)).encode(), "packed installation")
OURS = base64.b64encode(b"x").decode()
Lines = list[dict[str, Any]]
Forge = Callable[[str, str, Any], tuple[int, str]]


@pytest.fixture
def place(copies: Copies, tmp_path: Path) -> Iterator[Place]:
    made = copies.copy(tmp_path / "instance", nothing_more)
    yield made
    made.engine.dispose()


@pytest.fixture
def forge(place: Place, tmp_path: Path) -> Forge:
    """Put a word into a packed file and seal it again; what unpacking it says."""
    packs(place, tmp_path / "packed")
    with (tmp_path / "packed").open("rb") as file:
        lines: Lines = list(backups.rows_of(file, KEY))

    def unpacks(part: str, name: str, word: Any) -> tuple[int, str]:
        (lines[0][part] if part else lines[1])[name] = word
        with (tmp_path / "forged").open("wb") as file:
            backups.write_lines(file, "2026-11", KEY, iter(lines))
        told = {"AMPARO_INSTANCE": str(tmp_path / "deep" / "there"), "BASE_URL": "http://localhost"}
        words = ["move", "unpack", str(tmp_path / "forged"), "--words", " ".join(WORDS)]
        done = CliRunner(env=told).invoke(main, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return unpacks


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
