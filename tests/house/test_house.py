"""Promises of the house itself: signs of modules, layers, words in every language, nothing left lying about."""

from __future__ import annotations

import ast
import csv
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import polib
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from babel.messages.frontend import CommandLineInterface

from reporting.config import SETTINGS
from reporting.storage.database import Base, open_database, upgrade_tables
from reporting.web import languages
from reporting.web.languages import CATALOGUES, LANGUAGES

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("reporting", "referrals")
MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTRACTS = {contract["name"].split(":")[0]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
WITH_HTTP = {
    "__main__",
    "app",
    "cli",
    "deploy",
    "operations",
    "pages",
    "web",
}  # modules and packages that may know HTTP


def name_of(module: Path) -> str:
    return ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


# ── modules ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_module_opens_with_a_short_sign(module: Path) -> None:
    sign = ast.get_docstring(ast.parse(module.read_text("utf-8")))
    assert sign
    assert len(sign.splitlines()) <= 7


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_what_needs_no_http_is_kept_from_it(module: Path) -> None:
    kept_from_it = CONTRACTS["Below the web nobody has heard of HTTP"]["source_modules"]
    parts = name_of(module).split(".")
    if len(parts) > 1:
        assert (".".join(parts[:2]) in kept_from_it) is not (parts[1] in WITH_HTTP)


def test_the_migrations_make_exactly_the_tables_of_the_models(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/amparo.db")
    upgrade_tables(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


# ── templates ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_template_is_used(template: Path) -> None:
    name = template.relative_to(ROOT / "templates").as_posix()
    readers = [path.read_text("utf-8") for path in (*MODULES, *TEMPLATES) if path != template]
    assert any(f'"{name}"' in text for text in readers)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_uses_whatever_it_imports(template: Path) -> None:
    text = template.read_text("utf-8")
    for names in re.findall(r"{% from \"[^\"]+\" import ([^%]+?)(?: with context)? %}", text):
        for name in names.split(","):
            assert text.count(f"{name.strip()}(") >= 1, name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_asks_for_anything_that_the_content_policy_forbids(template: Path) -> None:
    assert not re.search(
        r"<script(?! src=\"{{)|<style|\sstyle=|\son[a-z]+=|target=|https?://", template.read_text("utf-8")
    )


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def asked_for() -> dict[str, polib.POEntry]:
    """Every message of code and templates."""
    extracted = Path(CATALOGUES) / ".messages.pot"
    try:
        command = ["pybabel", "--quiet", "extract", "-F", "pyproject.toml", "-k", "N_", "--no-location"]
        CommandLineInterface().run([*command, "-o", str(extracted), "."])
        return {entry.msgid: entry for entry in polib.pofile(str(extracted))}
    finally:
        extracted.unlink(missing_ok=True)


def offered() -> list[str]:
    return [code for code, language in LANGUAGES.items() if language.signed and code != "en"]  # English is the ids


@pytest.mark.parametrize("code", offered())
def test_every_message_has_its_words_in_every_language_offered(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    catalogue = {entry.msgid: entry for entry in polib.pofile(str(CATALOGUES / code / "LC_MESSAGES" / "messages.po"))}
    assert catalogue.keys() == asked_for().keys(), "missing or no longer used"
    assert not [name for name, entry in catalogue.items() if not entry.translated() or entry.fuzzy]


@pytest.mark.parametrize("code", offered())
def test_a_translation_fills_in_the_same_parts_and_no_other(code: str) -> None:
    for entry in polib.pofile(str(CATALOGUES / code / "LC_MESSAGES" / "messages.po")):
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            assert parts_in(text) == parts_in(entry.msgid_plural or entry.msgid), entry.msgid
            assert "<" not in text, entry.msgid


def numbers_to_call() -> re.Pattern[str]:
    """Every number of the shipped directory, however it is broken up, as a word of its own or a link."""
    with (ROOT / "referrals/data/services-pe.csv").open(encoding="utf-8", newline="") as file:
        cells = [row[column].split("(")[0].strip() for row in csv.DictReader(file) for column in ("phone", "whatsapp")]
    known = {re.sub(r"[^0-9]", "", cell) for cell in cells if cell}
    return re.compile(
        rf"(?<![\w.])(?:{'|'.join(r'[ -]?'.join(number) for number in sorted(known))})(?![\w%]| cases| casos)|tel:\d"
    )


def test_no_message_translation_or_template_holds_a_number_to_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    numbers = numbers_to_call()
    texts = {text for entry in asked_for().values() for text in (entry.msgid, entry.msgid_plural)}
    for code in offered():
        for entry in polib.pofile(str(CATALOGUES / code / "LC_MESSAGES" / "messages.po")):
            texts |= {entry.msgstr, *entry.msgstr_plural.values()}
    texts |= {path.read_text("utf-8") for path in (ROOT / "templates").rglob("*.html")}
    found = {text[max(0, match.start() - 40) : match.end() + 20] for text in texts for match in numbers.finditer(text)}
    assert not found


def parts_in(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def test_a_language_that_nobody_signed_stays_off() -> None:
    assert set(languages.load(tuple(LANGUAGES))) == {code for code, language in LANGUAGES.items() if language.signed}


# ── papers ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_setting_is_explained_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert not [name for name in SETTINGS if f"`{name}`" not in readme]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = "python3 start.py test"
    assert command in (ROOT / "README.md").read_text("utf-8")
    assert command in (ROOT / ".ci" / "run").read_text("utf-8")
