"""Figures of the code: python -m tests.house.figures [FOLDER], the root of a checkout, this one by default.

Read from the source alone, so that any two versions can be compared: modules, packages, lines, functions, imports.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("reporting", "referrals")
NOT_OURS = "versions"  # the migrations are written once and never changed


@dataclass(frozen=True, slots=True)
class Module:
    """A module: its dotted name, its lines, its tree."""

    name: str
    lines: int
    tree: ast.Module

    def functions(self) -> Iterator[tuple[str, int]]:
        """(name, lines) of every function and method."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{self.name}.{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1

    @property
    def sign(self) -> str:
        """Its docstring."""
        return ast.get_docstring(self.tree) or ""

    def public(self) -> Iterator[str]:
        """The public classes and functions that it defines."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                yield node.name


def modules(root: Path = ROOT) -> list[Module]:
    """Every module of the two packages, by name."""
    found = []
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        if NOT_OURS not in path.parts and path.name != "env.py":
            text, name = path.read_text("utf-8"), ".".join(path.relative_to(root).with_suffix("").parts)
            found.append(Module(name.removesuffix(".__init__"), text.count("\n"), ast.parse(text)))
    return found


def imports_of(module: Module, known: set[str]) -> set[str]:
    """The modules of ours that it imports."""
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    inside = {name for name in found & known if name != module.name}
    return {name for name in inside if not any(other.startswith(f"{name}.") for other in inside)}


def folders(found: list[Module]) -> Counter[str]:
    """Package -> how many modules lie in it, without its sign."""
    names = {module.name for module in found}
    packages = {name for name in names if any(other.startswith(f"{name}.") for other in names)} | set(PACKAGES)
    return Counter(module.name.rpartition(".")[0] for module in found if module.name not in packages)


def contract_lines(root: Path = ROOT) -> int:
    """Lines of the import contract, without comments and blanks."""
    text = (root / "pyproject.toml").read_text("utf-8")
    return sum(
        bool(line.strip()) and not line.startswith("#") for line in text.split("[tool.importlinter]")[1].splitlines()
    )


def figures(root: Path = ROOT) -> dict[str, Any]:
    """Every figure by its name; lines are lines of the file."""
    found = modules(root)
    names = {module.name for module in found}
    taken = {module.name: imports_of(module, names) for module in found}
    functions = sorted((pair for module in found for pair in module.functions()), key=lambda pair: -pair[1])
    fan_in = Counter(name for imports in taken.values() for name in imports)
    fan_out = Counter({name: len(imports) for name, imports in taken.items()})
    longest = max(found, key=lambda module: module.lines)
    return {
        "modules": len(found),
        "packages": len(folders(found)),
        "most modules in a folder": folders(found).most_common(1)[0],
        "lines of a module, median": median(module.lines for module in found),
        "longest module": (longest.name, longest.lines),
        "modules over 400 lines": sum(module.lines > 400 for module in found),
        "lines of a function, median": median(lines for _, lines in functions),
        "longest function": functions[0],
        "highest fan-in": fan_in.most_common(3),
        "highest fan-out": fan_out.most_common(3),
        "lines of the contract": contract_lines(root),
        "layers": len(layers(root)),
        "public names with two meanings": sorted(twice(found)),
    }


def layers(root: Path = ROOT) -> list[str]:
    """The layers of the contract, the highest first."""
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    return next(list(contract["layers"]) for contract in contracts if contract["type"] == "layers")


def twice(found: list[Module]) -> set[str]:
    """Public classes that two modules define under one name."""
    count = Counter(
        node.name
        for module in found
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    return {name for name, times in count.items() if times > 1}


if __name__ == "__main__":
    for name, value in figures(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT).items():
        print(f"{name}: {value}")  # noqa: T201 -- this is what it is for
