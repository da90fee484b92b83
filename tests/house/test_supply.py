"""What is fetched and what is handed on: pinned with hashes, with a reason and a licence, built alike by everybody."""

from __future__ import annotations

import importlib.metadata
import io
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import start
from tests.house import release
from tests.house.figures import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
SHIPPED = ("postgresql", "redis")  # extras that installations use; the others are for who works on it
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)([^\\\n]*)\\$", re.MULTILINE)
LOCKS = (start.RUN, start.HOSTS, start.TEST, ".ci/audit.txt")

# licence -> why it can be handed on with a program under the AGPL, version 3 or later
COMPATIBLE = {
    "MIT": "asks for its notice alone",
    "MIT-0": "asks for nothing",
    "BSD-2-Clause": "asks for its notice alone",
    "BSD-3-Clause": "asks for its notice, and not to use its authors' names",
    "BSD": "of two or three clauses",
    "PSF-2.0": "of Python, which is compatible by its own word since 2.1",
    "Apache-2.0": "compatible with version 3 of the GPL and AGPL, not with 2",
    "ZPL-2.1": "of Zope, compatible since 2.0",
    "LGPL-3.0-only": "adds permissions to version 3 of the GPL, which section 13 of the AGPL lets be joined",
    "MPL-2.0": "its section 3.3 names the AGPL as a secondary licence",
}
# how old packages say the same
WORDS = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "BSD 2-Clause License": "BSD-2-Clause",
    "Apache Software License": "Apache-2.0",
    "Zope Public License": "ZPL-2.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
# read in the package itself: it is for another system or Python, or its metadata does not say
READ_BY_HAND = {
    "async-timeout": "Apache-2.0",
    "axe-playwright-python": "MIT",
    "colorama": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
}


def locked(name: str) -> dict[str, tuple[str, str]]:
    """Package -> its version and where it is needed."""
    return {found[1]: (found[2], found[3].strip()) for found in PINNED.finditer((ROOT / name).read_text("utf-8"))}


def names_of(lines: Iterable[str]) -> set[str]:
    return {Requirement(line).name.lower().replace("_", "-") for line in lines}


def everything_that(names: set[str], extras: dict[str, set[str]]) -> set[str]:
    """These packages and whatever they bring along here."""
    known: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        known.add(name)
        for line in importlib.metadata.requires(name) or []:
            wanted = Requirement(line)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in extras.get(name, {""})):
                waiting |= names_of([line]) - known
    return known


def needed_by(*groups: list[str]) -> set[str]:
    wanted = [Requirement(line) for group in groups for line in group]
    return everything_that(
        {one.name.lower() for one in wanted}, {one.name.lower(): one.extras for one in wanted if one.extras}
    )


# ── what is fetched ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_one_version_with_its_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    entries = text.replace("\\\n", "").splitlines()
    assert len(entries) == len(locked(lock)) > 20
    assert not [line for line in entries if not re.fullmatch(r"\S+==[^#]+?( +--hash=sha256:[0-9a-f]{64})+", line)]


def test_whatever_runs_is_in_the_lock_with_all_that_it_brings_along() -> None:
    runs = [PROJECT["dependencies"], EXTRAS["build"]]
    assert needed_by(*runs) <= locked(start.RUN).keys()
    assert needed_by(*runs, *(EXTRAS[name] for name in SHIPPED)) <= locked(start.HOSTS).keys()
    tests = [line for line in EXTRAS["dev"] if not line.startswith("amparo[")]
    assert needed_by(*runs, *(EXTRAS[name] for name in SHIPPED), tests) <= locked(start.TEST).keys()
    assert EXTRAS.keys() == {*SHIPPED, "dev", "build"}


def test_the_larger_locks_hold_the_smaller_ones_in_the_same_versions() -> None:
    assert locked(start.RUN).items() <= locked(start.HOSTS).items() <= locked(start.TEST).items()


def test_tests_run_with_the_versions_of_the_lock() -> None:
    have = {name: importlib.metadata.version(name) for name in needed_by(PROJECT["dependencies"])}
    assert have == {name: locked(start.RUN)[name][0] for name in have}


FETCHES = re.compile(r"pip\"? install\b|^ *pip\(", re.MULTILINE)


@pytest.mark.parametrize(
    "file", ["start.py", "reporting/deploy/Containerfile.in", ".ci/run", ".ci/audit", ".ci/pythons"]
)
def test_nothing_is_fetched_without_a_hash_or_built_while_it_is_installed(file: str) -> None:
    text = (ROOT / file).read_text("utf-8").replace("\\\n", "")
    calls = [text[found.start() : found.start() + 420] for found in FETCHES.finditer(text)]
    assert calls or file == ".ci/run"
    for call in calls:
        told = call.replace('"', "").replace(",", "").partition("\n    )" if "pip(" in call else "\n")[0]
        assert "--no-deps --no-build-isolation" in told or "--require-hashes --only-binary :all:" in told, told


def test_who_began_with_the_packages_for_several_hosts_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "PLACE", tmp_path)
    assert start.command_of(["amparo", "serve"])[0] == start.RUN
    lock, command = start.command_of(["hosts", "serve"])
    assert (lock, command[1:]) == (start.HOSTS, ["serve"])
    start.stamp_of(start.HOSTS).touch()
    assert start.command_of(["amparo", "serve"])[0] == start.HOSTS
    assert start.command_of(["test"])[0] == start.TEST


# ── with a reason and a licence ─────────────────────────────────────────────────────────────────────────────


def test_every_package_that_an_installation_uses_has_its_reason_written_down() -> None:
    reasons = (ROOT / "DECISIONS.md").read_text("utf-8").lower()
    used = names_of([*PROJECT["dependencies"], *(line for name in SHIPPED for line in EXTRAS[name])])
    assert not {name for name in used if f"| `{name}` |" not in reasons}


def licence(name: str) -> str:
    """The licence as an SPDX expression, from what the installed package says."""
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    about = importlib.metadata.metadata(name)
    old = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    told = about.get("License-Expression") or " AND ".join(WORDS.get(line, line) for line in old)
    return told or WORDS.get(about.get("License") or "", about.get("License") or "")


def may_be_joined(expression: str) -> bool:
    """Whether of each part one choice is compatible."""
    parts = (re.sub(r"[()]", "", part).split(" OR ") for part in expression.split(" AND "))
    return all(any(choice.strip() in COMPATIBLE for choice in part) for part in parts)


@pytest.mark.parametrize("name", locked(start.TEST))
def test_the_licence_of_every_package_is_known_and_goes_with_ours(name: str) -> None:
    assert may_be_joined(licence(name)), licence(name) or "it does not say"


@pytest.mark.parametrize("expression", ["", "GPL-2.0-only", "MIT AND SSPL-1.0", "LicenseRef-Proprietary", "BSD AND ()"])
def test_a_licence_that_nobody_has_looked_at_is_refused(expression: str) -> None:
    assert not may_be_joined(expression)


# ── what is handed on ───────────────────────────────────────────────────────────────────────────────────────


def as_somebody_else_builds_it(folder: Path, zone: str, umask: int) -> dict[str, bytes]:
    shell = os.environ | {"TZ": zone, "PYTHONHASHSEED": str(umask), "SOURCE_DATE_EPOCH": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.house.release", str(folder)]
    subprocess.run(command, cwd=ROOT, env=shell, umask=umask, check=True, capture_output=True)  # noqa: S603
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    pytest.importorskip("setuptools")
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, check=False, capture_output=True).returncode:  # noqa: S607
        pytest.skip("a release is built from a commit, and this is no checkout of git")
    return as_somebody_else_builds_it(tmp_path_factory.mktemp("here"), "America/Lima", 0o022)


def test_two_builds_of_a_commit_are_the_same_byte_for_byte(built: dict[str, bytes], tmp_path: Path) -> None:
    again = as_somebody_else_builds_it(tmp_path / "a folder elsewhere", "Asia/Tokyo", 0o077)
    assert [name.rpartition("-")[2] for name in sorted(built)] == [
        release.SUMS,
        "any.whl",
        f"{PROJECT['version']}.tar.gz",
    ]
    assert again == built


def test_no_time_is_in_a_release_but_that_of_its_commit(built: dict[str, bytes]) -> None:
    when = int(release.git("log", "-1", "--format=%ct", "HEAD"))
    for name, data in built.items():
        if name.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                assert len({entry.date_time for entry in packed.infolist()}) == 1
        elif name.endswith(".gz"):
            assert int.from_bytes(data[4:8], "little") == when
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                assert {(entry.mtime, entry.uid, entry.gid, entry.uname) for entry in archive} == {(when, 0, 0, "")}


def test_the_archive_makes_the_wheel_that_is_beside_it(built: dict[str, bytes], tmp_path: Path) -> None:
    archive = next(data for name, data in built.items() if name.endswith(".gz"))
    release.unpack(archive, tmp_path / "source")
    (tree,) = (tmp_path / "source").iterdir()
    when = int(release.git("log", "-1", "--format=%ct", "HEAD"))
    wheel = release.wheel_of(tree, tmp_path / "out", when)
    assert wheel.read_bytes() == built[wheel.name]
