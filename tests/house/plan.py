"""The floor plan: python -m tests.house.plan. Packages from the top floor to the ground; imports only go down.

The floors are read from the contract in pyproject.toml, what each is for from the first sentence of its docstring.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.house.figures import layers, modules


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence, on one line."""
    return re.split(r"(?<=[.!?])\s", " ".join(text.split("\n\n", maxsplit=1)[0].split()), maxsplit=1)[0]


def floors() -> Iterator[tuple[str, str]]:
    """(package, what it is for), from the top down; packages inside one stand below it."""
    signs = {module.name: module.sign for module in modules()}
    names = set(signs)
    for layer in layers():
        for package in (part.strip(" ()") for part in layer.split("|")):
            inside = {name.rpartition(".")[0] for name in names if name.startswith(f"{package}.")} & names
            for name in sorted({package, *inside}):
                yield name, first_sentence(signs[name])


def plan() -> str:
    """The floor plan as a block of text."""
    rows = list(floors())
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(["```text", *(f"{name:{width}}{sentence}" for name, sentence in rows), "```"])


if __name__ == "__main__":
    print(plan())  # noqa: T201 -- this is what it is for
