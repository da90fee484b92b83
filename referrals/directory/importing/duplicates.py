"""Services that may stand twice: the same number or place, and names alike.

Pure. Shows pairs for a person to decide; merges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher

from referrals.directory.rows import header

ALIKE = 0.87  # of the names with their words in order; below it pairs are mostly neighbours
CROWD = 60  # a number or word that more services share tells nothing
MOST = 200  # pairs that a person can look through


def possible_duplicates(
    held: Mapping[str, Mapping[str, str]], fresh: Iterable[Mapping[str, str]]
) -> tuple[list[tuple[str, str]], int]:
    """Pairs of ids that may be one service, at least one of them fresh: the same number or place, and names alike.

    And how many more there are than a person can look through.
    """
    new = {cells["id"]: cells for cells in fresh}
    every = {**held, **new}
    blocks: dict[tuple[str, ...], list[str]] = {}
    for service in sorted(every):
        for key in _blocks(every[service]):
            blocks.setdefault(key, []).append(service)
    pairs: set[tuple[str, str]] = set()
    for services in blocks.values():
        if 1 < len(services) <= CROWD:
            pairs |= {
                (first, second)
                for place, first in enumerate(services)
                for second in services[place + 1 :]
                if new.keys() & {first, second} and _alike(every[first], every[second])
            }
    return sorted(pairs)[:MOST], max(0, len(pairs) - MOST)


def _blocks(cells: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    digits = re.sub(r"\D", "", cells["phone"])
    if digits:
        yield "phone", digits
    words = sorted(_words(cells["name"]), key=len, reverse=True)[:2]
    yield from (("place", cells["regions_inei"], word) for word in words)


def _words(name: str) -> list[str]:
    return sorted(header(name).split("_"))


def _alike(cells: Mapping[str, str], others: Mapping[str, str]) -> bool:
    first, second = " ".join(_words(cells["name"])), " ".join(_words(others["name"]))
    return SequenceMatcher(None, first, second).ratio() >= ALIKE
