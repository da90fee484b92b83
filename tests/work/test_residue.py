"""What `amparo check` proves: each proof holds for the program as it is, and fails when that one thing is broken."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from reporting.cli.base import main
from reporting.operations import leak_check, seal_search
from reporting.operations.leak_check import PROOFS, Proof, run_checks
from reporting.storage import findings
from tests.people import Place

START = "\nfrom reporting.cli.base import main\nmain()"
WITH_HER_WORDS = """
from reporting.cases import store as casebook
file = casebook.seal_report
def leaky(report, *rest, **more):
    {}
    return file(report, *rest, **more)
casebook.seal_report = leaky
"""
INSTANCE = "__import__('os').environ['AMPARO_INSTANCE']"
WHO_LOOKS = """
global looks
looks = sqlite3.connect(os.environ['AMPARO_INSTANCE'] + '/amparo.db')
looks.execute('BEGIN'); looks.execute('SELECT count(*) FROM record').fetchone()
"""
"""Whoever looks at an older state keeps what comes later in the log, however often that is to be emptied."""
IN_A_TABLE = """
line = sqlite3.connect(os.environ['AMPARO_INSTANCE'] + '/amparo.db')
line.execute('CREATE TABLE slip (told TEXT)'); line.execute('INSERT INTO slip VALUES (?)', [report.narrative])
line.commit(); {}
"""


def slip(then: str, before: str = "") -> str:
    """Her words in a table that nobody seals."""
    written = "import sqlite3, os" + before + IN_A_TABLE.format(then)
    return WITH_HER_WORDS.format("\n    ".join(line for line in written.splitlines() if line))


# the proof that has to fail -> what is broken in the program that serves
BROKEN = {
    "database": slip("line.execute('PRAGMA wal_checkpoint(TRUNCATE)'); line.close()"),
    "write-ahead log": slip("line.close()", before=WHO_LOOKS),
    "folder": WITH_HER_WORDS.format(f"open({INSTANCE} + '/note', 'w').write(report.narrative)"),
    "temporary files": "from reporting.operations import server; server.IN_MEMORY = 1000",
    "log": WITH_HER_WORDS.format("print(report.narrative, flush=True)"),
    "erased": "from reporting.storage import database\n"
    "database.SQLITE_PRAGMAS = tuple(one.replace('secure_delete=ON', 'secure_delete=OFF') "
    "for one in database.SQLITE_PRAGMAS)",
    "opened": "from reporting.cases import derived; derived.forget = lambda db, cases: None",
    "emptied": "from reporting import app; app.checkpoint_soon = lambda engine: None",
    "core files": "from reporting.operations import server; server.no_core_files = lambda: None",
}


def failing(proofs: tuple[Proof, ...]) -> set[str]:
    return {proof.code for proof in proofs if proof.holds is False} - {"swap"}  # that is the machine's


@pytest.fixture(scope="module")
def as_it_is() -> tuple[Proof, ...]:
    return run_checks()


def test_nothing_stays_behind_with_the_program_as_it_is(as_it_is: tuple[Proof, ...]) -> None:
    assert failing(as_it_is) == set()
    assert [proof.code for proof in as_it_is] == list(PROOFS)


@pytest.mark.parametrize("proof", BROKEN)
def test_a_proof_fails_when_its_thing_is_broken(proof: str) -> None:
    if proof == "core files":
        resource = pytest.importorskip("resource")
        if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0 or not Path("/proc/self/limits").exists():
            pytest.skip("this machine allows no core files, or does not show it")
    found = run_checks((sys.executable, "-c", BROKEN[proof] + START))
    assert proof in failing(found), found


def test_a_marker_is_found_however_it_is_written(tmp_path: Path) -> None:
    import base64

    needles = seal_search.spellings("zarzamora-4417")
    for number, text in enumerate(("zarzamora-4417", "...zarzamora-4417...")):
        raw = text.encode()
        for spelt in (raw, text.encode("utf-16-le"), *(base64.b64encode(bytes(n) + raw + bytes(3)) for n in range(3))):
            (tmp_path / f"{number}").write_bytes(b"before" + spelt + b"after")
            assert seal_search.those_with([tmp_path / f"{number}"], needles), spelt


def test_temporary_files_that_were_there_for_a_moment_are_noticed() -> None:
    passing = WITH_HER_WORDS.format("__import__('tempfile').TemporaryFile().close()")
    assert failing(run_checks((sys.executable, "-c", passing + START))) == {"temporary files"}


def test_a_program_that_does_not_start_proves_nothing_and_says_why() -> None:
    found = run_checks((sys.executable, "-c", "raise SystemExit('no key')"))
    assert [(proof.code, proof.holds) for proof in found] == [("trial", False)]
    assert "no key" in found[0].says


@pytest.fixture
def place(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place.receives(narrative="suya")
    monkeypatch.setenv("AMPARO_INSTANCE", str(place.settings.instance))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    place.engine.dispose()
    return place


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file of an installation; an empty log that comes and goes with a connection is none."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".db-wal", ".db-shm"}]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_checking_changes_nothing_here_but_its_own_file_and_leaves_nothing_there(place: Place, tmp_path: Path) -> None:
    before = fingerprint(place.settings.instance)
    told = json.loads(CliRunner().invoke(main, ["check", "--json"]).stdout)
    assert {proof["code"] for proof in told["proofs"]} == set(PROOFS)
    after = fingerprint(place.settings.instance)
    assert after.pop(findings.HERE)
    assert after == before
    assert list((tmp_path / "temporary").iterdir()) == []
    words = CliRunner().invoke(main, ["check"]).stdout
    assert PROOFS["erased"].good in words


def test_a_proof_that_fails_is_a_problem_in_words(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leak_check.run_checks, "__defaults__", ((sys.executable, "-c", BROKEN["log"] + START),))
    told = CliRunner().invoke(main, ["check"])
    assert told.exit_code == 1
    assert PROOFS["log"].bad in told.stdout
    assert PROOFS["log"].good not in told.stdout
