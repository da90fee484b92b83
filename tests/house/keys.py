"""The keys in one drawing: python -m tests.house.keys draws them from reporting/crypto/keys.toml.

Also reads out of the code to what it binds its seals and for what it derives keys, so that none can be left out.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.house.figures import ROOT, modules

TABLE = ROOT / "reporting" / "crypto" / "keys.toml"
SEALING = "reporting.crypto.sealing"  # defines both, and uses neither
NAMES, HOWS, PLACES = 62, 10, 28  # width of the first three columns


@dataclass(frozen=True, slots=True)
class Step:
    """From one key to another, or to what is read with it."""

    to: str
    how: str
    where: str = ""
    bound: str = ""
    purpose: str = ""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text("utf-8"))


def held() -> dict[str, str]:
    """What a person or a file holds -> which."""
    return {row["key"]: row["by"] for row in _table()["held"]}


def steps() -> list[tuple[str, Step]]:
    """(key, step from it), in the order of the table."""
    return [
        (row["from"], Step(**{name: told for name, told in row.items() if name != "from"})) for row in _table()["step"]
    ]


def drawing() -> str:
    """All keys as a block of text, each way from what somebody holds."""
    seen: set[str] = set()
    lines = [f"{'':{NAMES}}{'how':{HOWS}}{'where it lies':{PLACES}}bound to"]
    for key, by in held().items():
        lines += ["", f"{key} ({by})", *_below(key, "", seen)]
    return "\n".join(["```text", *lines, "```"])


def _below(key: str, indent: str, seen: set[str]) -> Iterator[str]:
    """The steps from a key; what was drawn above is not drawn again."""
    mine = [step for source, step in steps() if source == key]
    for number, step in enumerate(mine, 1):
        is_last, again = number == len(mine), step.to in seen
        leads_on = any(source == step.to for source, _ in steps())
        name = f"{indent}{'└─' if is_last else '├─'} {step.to}" + (", as above" if again and leads_on else "")
        yield f"{name:{NAMES}}{step.how:{HOWS}}{step.where:{PLACES}}{step.bound}".rstrip()
        if leads_on and not again:
            seen.add(step.to)
            yield from _below(step.to, indent + ("   " if is_last else "│  "), seen)


# ── what the code does ──────────────────────────────────────────────────────────────────────────────────────


def bound_in_code() -> set[str]:
    """`table: kind` of every `SealContext` that the code makes; `*` for a kind that is worked out."""
    return {
        f"{table}: {kind}"
        for call in _calls("SealContext")
        for table in _texts(call.args[0])
        for kind in _texts(call.args[3])
    }


def purposes_in_code() -> set[str]:
    """Every purpose for which the code derives a key; `*` for a part that is worked out."""
    return {purpose for call in _calls("derive") for purpose in _texts(call.args[1])}


def _calls(name: str) -> Iterator[ast.Call]:
    for module in modules():
        for node in ast.walk(module.tree) if module.name != SEALING else ():
            if isinstance(node, ast.Call) and name in {getattr(node.func, "id", ""), getattr(node.func, "attr", "")}:
                yield node


def _texts(node: ast.expr) -> tuple[str, ...]:
    """What an argument can be."""
    if isinstance(node, ast.IfExp):
        return (*_texts(node.body), *_texts(node.orelse))
    if isinstance(node, ast.JoinedStr):
        return ("".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values),)
    return (node.value,) if isinstance(node, ast.Constant) else ("*",)


if __name__ == "__main__":
    print(drawing())  # noqa: T201 -- this is what it is for
