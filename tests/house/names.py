"""Names between backticks on pages for maintainers, and whether they are there: paths, commands, modules, words.

A path counts wherever it lies, so that moving a folder breaks no page; a name counts while the code has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click

from reporting.cli.base import main
from tests.house.figures import ROOT

PAPERS = ("README.md", "CONTRIBUTING.md", "GLOSSARY.md", "SECURITY.md")
PRINTED = re.compile(r"<!-- printed: .*?<!-- end of [^>]*-->", re.DOTALL)
BLOCK = re.compile(r"^    (?!\s)(.+?)(?:\s{2,}#.*)?$|`([^`\n]+)`", re.MULTILINE)
OURS = ("reporting", "referrals", "templates", "translations", "tests", ".ci", ".github")
TEXTS = {".py", ".html", ".toml", ".csv", ".yml", ".yaml", ".css", ".js"}
OF_OTHERS = {
    "app.config",
    "SECRET_KEY",
    "session",
    "flash",
    "flask",
    "flask run",
    "flask.render_template",
    "pre-commit",
}
"""What is named because it is not here, or belongs to a tool that is not installed with the rest."""


def mentioned(paper: str) -> set[str]:
    """What stands between backticks or is a command on a line of its own, in what is written by hand."""
    text = PRINTED.sub("", (ROOT / paper).read_text("utf-8"))
    return {line or span for line, span in BLOCK.findall(text)}


def unknown(paper: str) -> list[str]:
    """What the page mentions and is not there."""
    return sorted(one for one in mentioned(paper) if one not in OF_OTHERS and not _is_there(one))


def _is_there(told: str) -> bool:
    first, *rest = told.split()
    if first == "amparo":
        return _is_command(rest)
    if re.fullmatch(r"AMPARO_[A-Z]+=\w+", told):
        return _is_asked_for(told.partition("=")[0])
    if told.startswith("python -m "):
        return _is_module(rest[1])
    if (
        told.startswith(("/", "http", "[")) or rest
    ):  # an address, or a line for another program or with a part to fill in
        return not told.startswith("python3 start.py amparo ") or _is_command(rest[2:])
    if "/" in told or Path(told).suffix in TEXTS | {".md"}:
        return _is_path(told) or told in code()
    return bool(re.search(rf"(?<!\w){re.escape(told.removesuffix('()'))}(?!\w)", code())) or _is_test(told)


def _is_path(told: str) -> bool:
    if told.startswith(OURS):
        return (ROOT / told).exists() or bool(
            told.startswith("tests/") and list((ROOT / "tests").rglob(Path(told).name))
        )
    return (ROOT / told).exists() or any(list((ROOT / folder).rglob(told.strip("/"))) for folder in OURS)


def _is_test(told: str) -> bool:
    return told.startswith("test_") and bool(list((ROOT / "tests").rglob(f"{told}.py")))


def _is_asked_for(setting: str) -> bool:
    """Whether a test looks for this setting of a run."""
    return any(setting in path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))


def _is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    moved = list((ROOT / "tests").rglob(f"{path.name}.py")) if name.startswith("tests.test_") else []
    return path.with_suffix(".py").exists() or (path / "__main__.py").exists() or bool(moved)


def _is_command(words: list[str]) -> bool:
    """Words of a command line up to its first option or part to fill in."""
    command: click.Command | None = main
    for word in words:
        if not isinstance(command, click.Group) or not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        command = command.get_command(click.Context(command), word)
    return command is not None


@cache
def code() -> str:
    """Everything that is no test, as one text."""
    return "\n".join(_texts())


def _texts() -> Iterator[str]:
    yield from ((ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "start.py", ".ci/run", ".gitignore"))
    for folder in OURS:
        for path in (ROOT / folder).rglob("*") if folder != "tests" else ():
            if path.suffix in TEXTS:
                yield path.read_text("utf-8")
