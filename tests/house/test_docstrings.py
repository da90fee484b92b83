"""Whoever calls a function learns from its docstring what it refuses, without reading its body."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from tests.house.figures import Module, modules

ELSEWHERE = frozenset({"pages", "web", "cli", "operations", "migrations"})
"""Packages that no other code calls by name: pages and commands, what serves them, and what is run by hand."""
NAMED = re.compile(r"`(?:\w+\.)?([A-Z][a-z]+[A-Za-z]*)[`.(]")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def promised() -> list[Module]:
    """The modules whose functions are there for others to call."""
    return [module for module in modules() if not ELSEWHERE & set(module.name.split("."))]


def public_functions(body: list[ast.stmt], owner: str) -> Iterator[tuple[str, Function]]:
    """(dotted name, function) of every public function and every public method of a public class."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, f"{owner}.{node.name}")
        elif isinstance(node, Function) and (not node.name.startswith("_") or node.name.endswith("__")):
            yield f"{owner}.{node.name}", node


def raised(node: ast.AST) -> Iterator[str]:
    """Names of the errors that a body raises itself; the functions inside it answer for themselves."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise):
            error = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            if isinstance(error, ast.Name | ast.Attribute):
                yield error.id if isinstance(error, ast.Name) else error.attr
        if not isinstance(child, Function | ast.Lambda | ast.ClassDef):
            yield from raised(child)


def silent(found: list[Module]) -> list[str]:
    """`function: Error` for each error that a function raises and its docstring does not name."""
    return [
        f"{name}: {error}"
        for module in found
        for name, function in public_functions(module.tree.body, module.name)
        for error in sorted(set(raised(function)))
        if error[:1].isupper() and not re.search(rf"\b{error}\b", ast.get_docstring(function) or "")
    ]


def docstrings(found: list[Module]) -> Iterator[tuple[str, str]]:
    """(module, docstring) of every module, class and function."""
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Module | ast.ClassDef | Function):
                yield module.name, ast.get_docstring(node) or ""


def classes(found: list[Module]) -> set[str]:
    """The names of classes that the modules define, import or take out of an imported module."""
    nodes = [node for module in found for node in ast.walk(module.tree)]
    taken = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return {node.name for node in nodes if isinstance(node, ast.ClassDef | ast.alias)} | taken | set(dir(builtins))


def test_every_error_that_a_public_function_raises_stands_in_its_docstring() -> None:
    assert silent(promised()) == []


def test_a_class_that_a_docstring_names_is_there_under_that_name() -> None:
    found = modules()
    known = classes(found)
    told = {(name, one) for name, text in docstrings(found) for one in NAMED.findall(text)}
    assert sorted((name, one) for name, one in told if one not in known) == []
