"""Noise: discrete Laplace, exact, in whole numbers, one independent draw for every cell.

Pure; who draws the random numbers is handed in. Sources: Dwork and others 2006 (the mechanism); Canonne,
Kamath and Steinke 2020 (the sampler).
"""

from __future__ import annotations

from fractions import Fraction

from reporting.figures.tables import Below, Counts, Design, Noise


def laplace(below: Below) -> Noise:
    """Draws of the discrete Laplace distribution, P(x) proportional to exp(-|x| / scale), without a rounding error."""

    def draw(scale: Fraction) -> int:
        top, bottom = scale.numerator, scale.denominator
        while True:
            rest = below(top)
            if rest and not _happens(rest, top, below):
                continue
            whole = 0
            while _happens(1, 1, below):
                whole += 1
            size = (rest + top * whole) // bottom
            if below(2):
                return size
            if size:
                return -size

    return draw


def _happens(top: int, bottom: int, below: Below) -> bool:
    """True with probability exp(-top / bottom), for a fraction from 0 to 1."""
    times = 1
    while below(bottom * times) < top:
        times += 1
    return bool(times % 2)


def add_noise(design: Design, counts: Counts, epsilon: Fraction, noise: Noise) -> Counts:
    """One independent draw on every cell of every table."""
    scale = design.scale(epsilon)
    return {name: {cell: number + noise(scale) for cell, number in cells.items()} for name, cells in counts.items()}
