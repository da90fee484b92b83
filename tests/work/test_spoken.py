"""Whoever keeps a machine in Spanish reads no sentence in English, and a program that reads JSON sees no difference."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from referrals.directory.reviewed_data import DATA
from reporting.cli.base import main
from tests.house import terminal
from tests.house.terminal import LONGER
from tests.people import a_furnished_place

LANGUAGES = {"en": "C.UTF-8", "es": "es_PE.UTF-8"}
# in the order of a life: each as it is typed, and what is typed when it asks
A_LIFE: tuple[tuple[str, str], ...] = (
    ("serve --port x", ""),
    ("init", ""),
    ("check --no-residue", ""),
    ("staff invite maria case_worker", ""),
    ("keys status", ""),
    ("keys log", ""),
    ("staff list", ""),
    ("directory worklist --province 25", ""),
    ("directory understand hours quién", ""),
    ("directory understand phone 106", ""),
    ("assess {vignettes} --explain", ""),
    ("assess {here}/wrong.yaml --check", ""),
    ("places {here}/services.csv", ""),
    ("demo --no-serve --practice --folder {here}/demo", ""),
    ("directory due", ""),
    ("directory gaps", ""),
    ("directory import {here}/services.csv", ""),
    ("directory import {here}/services.csv --dry-run", ""),
    ("directory build", ""),
    ("directory build --dry-run --into {here}/built.csv --centres {here}/services.csv", ""),
    ("sweep", ""),
    ("sweep --rewrite", ""),
    ("backup {here}/first", ""),
    ("check --backup {here}/first", ""),
    ("restore {here}/first", ""),
    ("restore {here}/services.csv", ""),
    ("upgrade", ""),
    ("upgrade --back", ""),
    ("upgrade --back", ""),
    ("notify", ""),
    ("lock", ""),
    ("deploy container", ""),
    ("deploy tor", ""),
    ("move list", ""),
    ("move stay", ""),
    ("move unpack {here}/first", "uno dos"),
    ("move pack {here}/packed", ""),
    ("move pack {here}/packed", ""),
    ("serve", ""),
    ("move stay", ""),
    ("destroy", "otro nombre"),
    ("destroy", "Hoja"),
    ("check --no-residue", ""),
)
VIGNETTES = DATA / "vignettes.yaml"
SERVICES = "id,name\nx,Inventado\nx,Inventado\n"


def lived(folder: Path, told: Mapping[str, str], code: str) -> list[Result]:
    """What each command of a life said, in an installation that is the same in every language."""
    told = {**told, "AMPARO_INSTANCE": str(folder / "instance"), "LC_ALL": LANGUAGES[code]}
    (folder / "services.csv").write_text(SERVICES, "utf-8")
    expected = {"gbvims": "G0_NON_GBV", "needs": [], "must_not": ["MN_PRESS"]}
    wrong = [known | {"expected": expected} for known in yaml.safe_load(VIGNETTES.read_text("utf-8"))["vignettes"]]
    (folder / "wrong.yaml").write_text(yaml.safe_dump(wrong), "utf-8")
    runner = CliRunner(env=told)
    here = {"here": folder, "vignettes": VIGNETTES}
    return [
        runner.invoke(main, words.format(**here).split(), input=typed, prog_name="amparo") for words, typed in A_LIFE
    ]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Result]]:
    folder = tmp_path_factory.mktemp("spoken")
    place = a_furnished_place(folder / "en" / "instance", MEMORY_FOLDER=str(folder))
    place.engine.dispose()
    shutil.copytree(folder / "en", folder / "es")
    return {code: lived(folder / code, {"MEMORY_FOLDER": str(folder)}, code) for code in LANGUAGES}


@pytest.mark.parametrize("at", range(len(A_LIFE)), ids=[words for words, _ in A_LIFE])
def test_no_command_says_a_word_in_english_to_who_speaks_spanish(said: dict[str, list[Result]], at: int) -> None:
    english, spanish = said["en"][at], said["es"][at]
    assert english.exit_code == spanish.exit_code
    for told in (english, spanish):
        assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    lines = {line.strip() for line in english.output.splitlines() if LONGER.search(line)}
    same = lines & {line.strip() for line in spanish.output.splitlines()}
    assert not [line for line in same if not is_file_text(A_LIFE[at][0])]
    assert spanish.output.strip()
    if not is_data(A_LIFE[at][0]):
        assert terminal.english_in(TABLE.sub(" ", spanish.output)) == []


TABLE = re.compile(r"^tabla \w+ \.\.\.$", re.MULTILINE)  # what it is called in the database


def is_data(words: str) -> bool:
    """Whether names of services, of files or drawn words are most of what a command prints."""
    return words.startswith(("directory due", "demo", "move list")) or is_file_text(words)


def is_file_text(words: str) -> bool:
    """Whether a command prints a file, which is for the machine."""
    return words.startswith("deploy container")


@pytest.mark.parametrize("words", ["check --no-residue --json", "directory due --json", "move list --json"])
def test_json_says_the_same_in_every_language(words: str, tmp_path: Path) -> None:
    place = a_furnished_place(tmp_path / "instance")
    told = {"AMPARO_INSTANCE": str(place.settings.instance)}
    english, spanish = (
        CliRunner(env=told | {"LC_ALL": locale}).invoke(main, words.split()) for locale in LANGUAGES.values()
    )
    assert english.stdout == spanish.stdout
    assert json.loads(english.stdout)
