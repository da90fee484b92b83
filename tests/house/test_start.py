"""The start script: what is typed becomes one command."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import start


def test_quick_runs_what_is_pure_and_what_the_house_promises_and_takes_options_too() -> None:
    lock, command = start.command_of(["test", "--quick", "-x"])
    assert (lock, Path(command[0]).name) == (start.TEST, "pytest")
    assert command[1:] == ["tests/unit", "tests/house", "-x"]
    assert all((start.ROOT / folder).is_dir() for folder in command[1:3])


def test_without_it_every_test_runs() -> None:
    assert start.command_of(["test"])[1][1:] == []


def test_the_help_names_every_act_and_the_quick_way() -> None:
    shown = start.help_text()
    assert all(word in shown for word in (*start.ACTS, start.QUICK))


def test_every_sentence_is_said_in_spanish_where_the_locale_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "es_PE.UTF-8")
    english = [
        line for purpose in (start.HELP, *(act[-1] for act in start.ACTS.values())) for line in purpose.split("\n")
    ]
    shown = start.help_text()
    assert not [line for line in english if line and "{" not in line and line in shown]
    source = ast.parse(Path(start.__file__).read_text("utf-8"))
    calls = [node for node in ast.walk(source) if isinstance(node, ast.Call)]
    asked = {"say", "words_of", "run", "pip"}
    first = [call.args[0] for call in calls if getattr(call.func, "id", "") in asked and call.args]
    said = {word.value for word in first if isinstance(word, ast.Constant) and isinstance(word.value, str)}
    assert said | {start.HELP, *(act[-1] for act in start.ACTS.values())} == start.SPANISH.keys()
