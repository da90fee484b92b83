"""Noisy counts made whole numbers from 0 up that agree in every margin.

Pure. Works on noisy counts only and so costs no privacy; knows no tally.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from reporting.figures.tables import TOTAL, Cell, Counts, Design, Table, published


def agree(design: Design, noisy: Counts) -> Counts:
    """Whole numbers from 0 that agree in every margin: first the hub, then each row of each table below it.

    Works on noisy counts only, so it costs no privacy. Gives every table of the design, the hub, and the margins.
    """
    depth = len(design.hub.dimensions)
    sums = [(_row_sums(table, noisy[table.name], depth), row_length(table, design)) for table in design.leaves]
    weight = sum(1 / length for _, length in sums)
    best = [sum(rows[cell] / length for rows, length in sums) / weight for cell in design.hub.cells]
    hub = dict(zip(design.hub.cells, _whole([max(0.0, each) for each in best]), strict=True))
    agreed = {table.name: _fitted(table, noisy[table.name], hub, depth) for table in design.leaves}
    for table in (TOTAL, design.hub):
        agreed.setdefault(table.name, _margin(hub, range(len(table.dimensions))))
    for table in design.leaves:
        if depth and len(table.dimensions) > depth:
            agreed[table.dimensions[-1]] = _margin(agreed[table.name], [len(table.dimensions) - 1])
    return {table.name: {cell: agreed[table.name][cell] for cell in table.cells} for table in published(design)}


def row_length(table: Table, design: Design) -> int:
    """How many cells of a table lie below one cell of the hub."""
    return math.prod(len(dimension.groups) for dimension in table.divided_by[len(design.hub.divided_by) :])


def _row_sums(table: Table, cells: Mapping[Cell, int], depth: int) -> dict[Cell, int]:
    return _margin({cell: cells[cell] for cell in table.cells}, range(depth))


def _margin(cells: Mapping[Cell, int], kept: Iterable[int]) -> dict[Cell, int]:
    places, sums = tuple(kept), Counter[Cell]()
    for cell, number in cells.items():
        sums[tuple(cell[place] for place in places)] += number
    return dict(sums)


def _fitted(table: Table, noisy: Mapping[Cell, int], hub: Mapping[Cell, int], depth: int) -> dict[Cell, int]:
    rows: dict[Cell, list[Cell]] = {}
    for cell in table.cells:
        rows.setdefault(cell[:depth], []).append(cell)
    fitted: dict[Cell, int] = {}
    for row, cells in rows.items():
        fitted.update(zip(cells, _whole(_onto(hub[row], [noisy[cell] for cell in cells]), hub[row]), strict=True))
    return fitted


def _onto(total: int, values: Sequence[float]) -> list[float]:
    """The nearest numbers from 0 up that sum to `total` (Euclidean projection on a simplex)."""
    if not total:
        return [0.0] * len(values)
    taken, shift = 0.0, 0.0
    for place, value in enumerate(sorted(values, reverse=True), 1):
        taken += value
        if value - (taken - total) / place > 0:
            shift = (taken - total) / place
    return [max(0.0, value - shift) for value in values]


def _whole(values: Sequence[float], total: int | None = None) -> list[int]:
    """Rounded so that the sum is kept: the largest remainders are rounded up."""
    wanted = round(sum(values)) if total is None else total
    floors = [math.floor(value) for value in values]
    left = wanted - sum(floors)
    order = sorted(range(len(values)), key=lambda place: (floors[place] - values[place], place))
    for place in order[: max(0, left)]:
        floors[place] += 1
    return floors
