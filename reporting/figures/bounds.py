"""Published figures with their bounds: how far the noise reaches, and what is too small to be shown.

Pure. Works on noisy counts only and so costs no privacy; knows no tally.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from reporting.figures.consistency import row_length
from reporting.figures.tables import HIDDEN_BELOW, SURE, Counts, Design, Table, published


def reach(scale: Fraction, sure: float = SURE) -> int:
    """The smallest number of reports that a single draw stays within, as often as `sure` (a share) says."""
    ratio = math.exp(-1 / scale)
    outside, bound = 2 * ratio / (1 + ratio), 0
    while outside > 1 - sure:
        outside, bound = outside * ratio, bound + 1
    return bound


def variance(scale: Fraction) -> float:
    """The variance of a single draw of noise, in reports squared."""
    ratio = math.exp(-1 / scale)
    return 2 * ratio / (1 - ratio) ** 2


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure. `count` is None where it is hidden; the truth lies from `low` to `high`, mostly."""

    cell: tuple[str, ...]
    count: int | None
    low: int
    high: int

    @property
    def status(self) -> str:
        """Empty, or why there is no count."""
        return "" if self.count is not None else "<10"


def figures(design: Design, agreed: Counts, epsilon: Fraction) -> dict[str, tuple[Figure, ...]]:
    """What is printed: every key, a bound on each side, nothing below ten."""
    bounds = {table.name: bound(design, table, epsilon) for table in published(design)}
    return {
        table.name: tuple(
            _figure(table.codes_of(cell), agreed[table.name][cell], bounds[table.name]) for cell in table.cells
        )
        for table in published(design)
    }


def _figure(cell: tuple[str, ...], number: int, within: int) -> Figure:
    if number < HIDDEN_BELOW:
        return Figure(cell, None, 0, HIDDEN_BELOW - 1 + within)
    return Figure(cell, number, max(0, number - within), number + within)


def bound(design: Design, table: Table, epsilon: Fraction) -> int:
    """How far the noise reaches, 95 times in 100: as drawn for a single cell, as the draws add up for a sum."""
    scale = design.scale(epsilon)
    if table in design.leaves:
        return reach(scale)
    added = 1 / sum(
        1 / row_length(leaf, design) for leaf in design.leaves
    )  # draws in the weighted mean that is the hub
    hubs = len(design.hub.cells)
    if table == design.hub:
        draws = added
    elif not table.dimensions:
        draws = added * hubs
    else:
        draws = hubs  # one noisy cell of each row
    return max(reach(scale), math.ceil(NORMAL * math.sqrt(draws * variance(scale))))


NORMAL: Final = 1.96  # standard deviations that hold 95 of 100
