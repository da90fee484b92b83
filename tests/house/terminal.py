"""What the terminal can say: every message id of commands, of what is raised to them, and of click itself.

python -m tests.house.terminal     what has no Spanish yet, as entries for translations/es/LC_MESSAGES/terminal.po
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import click
import polib

from referrals.directory import gaps
from reporting.cli.base import main
from reporting.cli.language import CLICK, IN_CAPITALS, PLACEHOLDERS, USAGE, paragraphs
from reporting.figures import rehearsal, tables
from reporting.teams import log_report, power, team_log
from reporting.vocabulary.tally import TALLY_CODES
from reporting.web.languages import CATALOGUES, TERMINAL
from tests.house.figures import ROOT

CLI = ROOT / "reporting" / "cli"
SPANISH = CATALOGUES / "es" / "LC_MESSAGES" / f"{TERMINAL}.po"
# functions whose words are message ids; N_ marks those of the pages, which the terminal can say too
MARKS = {"T_", "said", "echo", "progress", "translated", "ask", "Refusal"}
CLICKS = {"_", "ngettext"}
ADDED = ("required",)  # click translates it under a variable
WORDS = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b")  # two words; codes stand alone


def commands(group: click.Group = main, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it; the program itself first."""
    yield name, group
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        path = f"{name} {word}".strip()
        yield from commands(command, path) if isinstance(command, click.Group) else [(path, command)]


def help_texts(command: click.Command) -> Iterator[str]:
    """Every text of one help, as message ids; lines of codes and commands are none."""
    texts = [command.help or "", command.epilog or ""]
    for line in chain.from_iterable(chain.from_iterable(map(paragraphs, filter(None, texts)))):
        if SENTENCE.search(line):
            yield line
    yield from (text for option in command.params if (text := getattr(option, "help", None)))


def _words(node: ast.AST, marks: set[str]) -> Iterator[ast.expr]:
    """What stands in the calls of marks; of a choice, both."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in marks:
            waiting = list(call.args)
            while waiting:
                word = waiting.pop()
                if isinstance(word, ast.IfExp):
                    waiting += [word.body, word.orelse]
                else:
                    yield word


def _ids(text: str, marks: set[str]) -> Iterator[str]:
    for word in _words(ast.parse(text), marks):
        if isinstance(word, ast.Constant) and isinstance(word.value, str) and WORDS.search(word.value):
            yield word.value


@cache
def refused() -> set[str]:
    """Names of the errors that commands tell as they are."""
    return {
        getattr(kind, "attr", getattr(kind, "id", ""))
        for path in code()
        if path.is_relative_to(CLI)
        for handler in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None
        if any(isinstance(call, ast.Call) and getattr(call.func, "id", "") == "refusal" for call in ast.walk(handler))
        for kind in (handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type])
    }


def filled_in_too_early(path: Path) -> Iterator[int]:
    """Lines in which words are filled in before they can be translated, or are no message id where they are raised."""
    tree = ast.parse(path.read_text("utf-8"))
    for word in _words(tree, MARKS):
        if isinstance(word, ast.JoinedStr) and any(
            isinstance(part, ast.Constant) and WORDS.search(str(part.value)) for part in word.values
        ):
            yield word.lineno
    for node in ast.walk(tree):
        call = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in refused():
            yield from (word.lineno for word in call.args if isinstance(word, ast.Constant | ast.JoinedStr | ast.BinOp))


# what is no sentence of the terminal though it reads like one; every other file says what it says through the catalogue
ELSEWHERE = {
    "referrals/directory/importing/build_rows.py": "notes of a service, in Spanish, written into its row",
    "referrals/needs/rules.py": "for who edits rules.toml: the program does not start",
    "reporting/cases/derived.py": "told by SECURITY.md",
    "reporting/cli/language.py": "the id of what click says",
    "reporting/deploy/through_trip.py": "what the invented report says, in Spanish",
    "reporting/figures/files.py": "published files, whose columns are English too",
    "reporting/figures/rehearsal.py": "help, which is translated where it is shown",
    "reporting/web/access/auth.py": "for who writes a page: a route without its place",
    "reporting/web/access/traits.py": "for who writes a page: the application does not start",
    "reporting/web/forms.py": "ids of what WTForms says",
    "reporting/web/limits.py": "for who writes a page: the application does not start",
}
LONGER = re.compile(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b")  # three words: also a part of a sentence
WHOLE = re.compile(r"\s*[A-Z`%].*[.!?:]\s*\Z", re.DOTALL)
SAID = MARKS | {"N_", "_", "agrees", "option", "command", "group", "argument", "under_seal", "as_hash", "in_the_clear"}
LOGGED = {"debug", "info", "warning", "error", "exception", "critical"}


def past_the_catalogue(path: Path) -> Iterator[int]:
    """Lines with a sentence that nothing marks: whole ones, and any that is filled in by an f-string."""
    tree = ast.parse(path.read_text("utf-8"))
    marked = {id(part) for node in ast.walk(tree) if _is_marked(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and id(node) not in marked:
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            if LONGER.search("".join(parts)):
                yield node.lineno
            marked |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in marked:
            text = str(node.value)
            yield from [node.lineno] if LONGER.search(text) and WHOLE.match(text) else []


def _is_marked(node: ast.AST) -> bool:
    """A call that translates, a line for the log, an error of Python's own, an assertion, a sign."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return name in SAID | LOGGED or name.endswith("Error")
    is_sign = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Assert) or is_sign


@cache
def code() -> list[Path]:
    """Every module of ours."""
    return [path for name in ("reporting", "referrals") for path in sorted((ROOT / name).rglob("*.py"))]


def asked_for() -> set[str]:
    """Every message id of the terminal."""
    ours = chain.from_iterable(_ids(path.read_text("utf-8"), MARKS) for path in code())
    theirs = chain.from_iterable(
        _ids(inspect.getsource(importlib.import_module(f"click.{name}")), CLICKS) for name in CLICK
    )
    helps = chain.from_iterable(help_texts(command) for _, command in commands())
    return {*ours, *theirs, *helps, *USAGE, *ADDED}


# ── words in English, in what was said in Spanish ───────────────────────────────────────────────────────────

CATALOGUE = CATALOGUES / "es" / "LC_MESSAGES"
WORD = re.compile(r"[^\W\d_]{3,}")
# what stays as it is in every language: options, choices, commands in backquotes, addresses, files, codes, settings
LITERAL = re.compile(r"--[a-z-]+|\{[^}]*\}|\[[a-z_|-]+\]|`[^`]*`|\S+[/@.=]\S+|\b\w+_\w+")
NAMES = {"amparo", "python"}


def _in(texts: Iterable[str]) -> set[str]:
    return {word.lower() for text in texts for word in WORD.findall(text)}


@cache
def only_english() -> frozenset[str]:
    """Words that we and click use in English and never in Spanish, but for what commands and columns are called."""
    entries = [entry for path in sorted(CATALOGUE.glob("*.po")) for entry in polib.pofile(str(path))]
    spanish = _in(entry.msgstr for entry in entries)
    english = _in(chain((entry.msgid for entry in entries), PLACEHOLDERS, codes()))
    called = _in(name for name, _ in commands())
    columns = _in(chain(TALLY_CODES, rehearsal.REQUIRED, tables.FURTHER, ("quarter", "gender")))
    return frozenset(english - spanish - called - columns - NAMES)


def codes() -> Iterator[str]:
    """Codes that a table could print where their words belong."""
    yield from (*team_log.ROLES, *log_report.KIND_NAMES, *log_report.ACT_NAMES, *power.ACT_NAMES, *gaps.STATES)


def english_in(text: str) -> list[str]:
    """Words in English in what was said in Spanish."""
    said = IN_CAPITALS.sub(lambda word: word[0] if word[0] in PLACEHOLDERS else " ", LITERAL.sub(" ", text))
    return sorted(_in([said]) & only_english())


if __name__ == "__main__":
    known = {entry.msgid for entry in polib.pofile(str(SPANISH))} if SPANISH.exists() else set()
    for missing in sorted(asked_for() - known):
        print(polib.POEntry(msgid=missing))  # noqa: T201 -- it prints
