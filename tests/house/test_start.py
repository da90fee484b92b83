"""The start script: what is typed becomes one command."""

from __future__ import annotations

from pathlib import Path

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
