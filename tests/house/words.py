"""GLOSSARY.md: the words of the project, and how they are looked for in its code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.house.figures import ROOT, modules

PAPER = ROOT / "GLOSSARY.md"
LINE = re.compile(r"^\* (\*\*.+?): ", re.MULTILINE)
NAMED = (ast.Name, ast.arg, ast.Attribute, ast.FunctionDef, ast.ClassDef, ast.keyword)


def words() -> list[str]:
    """Every word of the glossary, in its order."""
    return [word for line in LINE.findall(PAPER.read_text("utf-8")) for word in re.findall(r"\*\*(.+?)\*\*", line)]


def is_used(word: str) -> bool:
    """Whether the code says it, in a name or in a docstring."""
    return bool(re.search(rf"\b{re.escape(word)}s?\b", said()))


@cache
def said() -> str:
    """Every name and docstring of the code, in small letters, with the words of a name apart."""
    return "\n".join(part for module in modules() for node in ast.walk(module.tree) for part in _parts(node)).lower()


def _parts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        yield " ".join((ast.get_docstring(node) or "").split())
    for name in (
        (getattr(node, part, None) for part in ("id", "arg", "attr", "name")) if isinstance(node, NAMED) else ()
    ):
        if isinstance(name, str):
            yield re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)
