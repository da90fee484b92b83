"""A name says what it holds: words that fit everything name nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.figures import modules

# They stood for hundreds of different things; whoever needs a name looks what is in it.
EMPTY = frozenset({"told", "one", "found", "asked", "made", "thing", "stuff", "jotting", "hurry", "wings", "hang"})
COLUMNS = {  # names of stored columns stay, and with them what asks for them
    ("referrals.directory.curation", "told"),
    ("referrals.directory.models", "told"),
    ("reporting.sessions.replays", "told"),
    ("reporting.storage.models", "told"),
}


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg) or (isinstance(node, ast.keyword) and node.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def test_no_variable_parameter_or_function_is_called_by_a_word_that_fits_everything() -> None:
    assert {(module.name, name) for module in modules() for name in names(module.tree) if name in EMPTY} == COLUMNS
