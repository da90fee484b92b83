"""The terminal speaks Spanish where the locale does: every help, sentence and refusal, and click's own words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import polib
import pytest
from click.testing import CliRunner

from reporting.cli import language
from reporting.cli.base import main
from reporting.cli.language import Command, Group
from tests.house import terminal
from tests.house.figures import ROOT

COMMANDS = dict(terminal.commands())
SPANISH = {"LC_ALL": "es_PE.UTF-8"}


def catalogue() -> dict[str, polib.POEntry]:
    return {entry.msgid: entry for entry in polib.pofile(str(terminal.SPANISH))}


def test_everything_that_the_terminal_says_has_spanish() -> None:
    assert not sorted(terminal.asked_for() - catalogue().keys()), "see: python -m tests.house.terminal"
    assert not [name for name, entry in catalogue().items() if not entry.translated() or entry.fuzzy]


def test_the_catalogue_of_the_terminal_holds_nothing_that_nobody_says() -> None:
    assert not sorted(catalogue().keys() - terminal.asked_for())


def test_the_spanish_of_the_terminal_fills_in_the_same_parts() -> None:
    parts = re.compile(r"%\(\w+\)s|\{\w+(?:!r)?\}")
    differ = [
        name for name, entry in catalogue().items() if set(parts.findall(entry.msgstr)) != set(parts.findall(name))
    ]
    assert not differ


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_holds_a_sentence_in_english_where_the_locale_is_spanish(name: str) -> None:
    told = CliRunner(env=SPANISH).invoke(main, [*name.split(), "--help"])
    assert told.exit_code == 0
    shown = " ".join(told.output.split())
    english = {id_ for id_, entry in catalogue().items() if entry.msgstr != id_ and terminal.SENTENCE.search(id_)}
    assert "Uso: " in shown
    assert not [id_ for id_ in english if " ".join(id_.split()) in shown]
    for part in terminal.help_texts(COMMANDS[name]):
        assert " ".join(catalogue()[part].msgstr.split()).replace("- ", "-") in shown.replace("- ", "-")


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_holds_a_word_in_english_where_the_locale_is_spanish(name: str) -> None:
    told = CliRunner(env=SPANISH).invoke(main, [*name.split(), "--help"], prog_name="amparo")
    assert terminal.english_in(told.output) == []


@pytest.mark.parametrize(
    ("said", "english"),
    [
        ("--port INTEGER  Puerto", ["integer"]),
        ("rosa (advocate) y carmen (coordinator)", ["advocate", "coordinator"]),
        ("necesidad  verified  missing", ["missing", "verified"]),
        ("Corre `amparo directory import FILE` y --new-team; mira https://hoja.example/new y N_PEP", []),
    ],
)
def test_a_word_in_english_is_seen(said: str, english: list[str]) -> None:
    assert terminal.english_in(said) == english


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_one_whose_help_is_translated(name: str) -> None:
    assert isinstance(COMMANDS[name], Command)
    assert isinstance(COMMANDS[name], Group) is isinstance(COMMANDS[name], click.Group)


# ── which language ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("locale", "code"),
    [
        ({"LANG": "es_PE.UTF-8"}, "es"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "es"}, "es"),
        ({"LANG": "es_PE.UTF-8", "LC_MESSAGES": "es_PE", "LC_ALL": "C"}, "en"),
        ({"LANG": "es_PE.UTF-8", "LC_ALL": ""}, "es"),
        ({"LANG": "qu_PE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_locale_decides_in_the_order_of_every_other_program(locale: dict[str, str], code: str) -> None:
    assert language.of_locale(locale) == code


def test_an_option_says_the_language_whatever_the_locale_is() -> None:
    assert CliRunner().invoke(main, ["--lang", "es", "staff", "--help"]).output.startswith("Uso: ")
    assert CliRunner(env=SPANISH).invoke(main, ["--lang", "en", "staff", "--help"]).output.startswith("Usage: ")


def test_what_one_call_spoke_does_not_stay_for_the_next() -> None:
    assert CliRunner(env=SPANISH).invoke(main, ["code", "1"]).output.startswith("Error: Eso no es")
    assert CliRunner(env={"LC_ALL": "C"}).invoke(main, ["code", "1"]).output.startswith("Error: That is no")


# ── what is raised, and what machines read ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nonsense"], "No existe el comando 'nonsense'."),
        (["staff", "invite"], "Falta el argumento 'NOMBRE'."),
        (["staff", "invite", "A B", "advocate"], "'NOMBRE' no vale: letras minúsculas y números"),
        (["serve", "--port", "x"], "'x' no vale como número entero."),
        (["release", "freeze", "2026-Q9"], "Un período es un año (2026)"),
        (["keys", "status"], "No hay ninguna instalación en"),
    ],
)
def test_a_refusal_is_said_in_spanish(words: list[str], says: str, tmp_path: Path) -> None:
    told = CliRunner(env=SPANISH | {"AMPARO_INSTANCE": str(tmp_path / "none")}).invoke(main, words)
    assert told.exit_code != 0
    assert says in told.output


def test_json_is_the_same_in_every_language() -> None:
    asked = ["directory", "understand", "hours", "L-V 8 a.m. a 4 p.m.", "quién sabe", "--json"]
    english, spanish = (CliRunner(env=env).invoke(main, asked) for env in ({"LC_ALL": "C"}, SPANISH))
    assert english.exit_code == 0
    assert english.stdout == spanish.stdout


# ── nothing can be said past the catalogue ──────────────────────────────────────────────────────────────────

COMMAND_FILES = [path for path in terminal.code() if path.is_relative_to(terminal.CLI) and path.name != "language.py"]
PAST_IT = {"echo", "secho", "prompt", "confirm", "ClickException", "UsageError", "progressbar"}


def test_a_command_speaks_through_what_translates() -> None:
    past = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in COMMAND_FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in PAST_IT and getattr(node.value, "id", "") == "click"
    ]
    assert not past, "say it with reporting.cli.language"


def test_no_sentence_stands_anywhere_without_the_mark_by_which_it_is_translated() -> None:
    """Whoever keeps a machine reads what any part of the code says: at the terminal, or on the page of `check`."""
    past = {
        path.relative_to(ROOT).as_posix(): list(terminal.past_the_catalogue(path))
        for path in terminal.code()
        if not {"migrations", "vocabulary"} & set(path.parts)  # what she is asked, held against its own catalogue
    }
    assert not {name: lines for name, lines in past.items() if lines and name not in terminal.ELSEWHERE}, (
        "mark it with T_, N_ or said, or say in ELSEWHERE why it is none"
    )
    assert not [name for name in terminal.ELSEWHERE if not past[name]], "no longer so"


@pytest.mark.parametrize(
    ("line", "is_past"),
    [
        ('yield "The disk is full now."', True),
        ('yield f"the disk of {folder} is full"', True),
        ('print("The disk is full now.")', True),
        ('raise Refused(f"Nothing was changed in {folder}.")', True),
        ('yield T_("The disk is full now.")', False),
        ('yield said("The disk of %(folder)s is full.", folder=folder)', False),
        ('raise ValueError("the disk was never looked at")', False),
        ('log.warning("The disk is full now.")', False),
        ('"""The disk is full now."""', False),
        ('yield f"{name}: {count}"', False),
    ],
)
def test_what_is_past_the_catalogue_is_seen(line: str, is_past: bool, tmp_path: Path) -> None:
    (tmp_path / "said.py").write_text(line, "utf-8")
    assert bool(list(terminal.past_the_catalogue(tmp_path / "said.py"))) is is_past


def test_a_sentence_for_the_terminal_is_a_message_id_with_parts() -> None:
    early = [
        f"{path.relative_to(ROOT)}:{line}" for path in terminal.code() for line in terminal.filled_in_too_early(path)
    ]
    assert not early, "words have named parts: said('%(count)s are new.', count=count)"
