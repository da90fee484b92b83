"""How far a service lies from somebody, as the crow flies, between the seats of two districts or provinces.

Pure. Nothing finer than a seat is known of anybody. Straight lines lie in the Andes and in the Amazon: an order takes
them in steps, and a page says that the line is straight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

KM_OF_A_DEGREE: Final = 111.195  # of latitude; a sphere is good enough below 200 km (error under half a percent)
STEPS: Final = (15, 60, 150)  # kilometres: by foot or mototaxi, within an hour, within a morning, a journey
NOT_KNOWN: Final = len(STEPS)  # a service of which only its region is known stands behind those whose place is known


class Seat(NamedTuple):
    """The town from which a district, province or department is governed. Degrees."""

    name: str
    lat: float
    lon: float


def kilometres(here: Seat, there: Seat) -> float:
    """Between two seats, in a straight line."""
    width = math.cos(math.radians((here.lat + there.lat) / 2))
    return KM_OF_A_DEGREE * math.hypot(here.lat - there.lat, (here.lon - there.lon) * width)


def between(seats: Mapping[str, Seat], place: str, site: str) -> float | None:
    """Kilometres from the seat of one place to that of another; None where either is not known."""
    here, there = seats.get(place), seats.get(site)
    return None if here is None or there is None else kilometres(here, there)


def step(km: float | None) -> int:
    """In which step of `STEPS` a distance lies, the nearest first; `NOT_KNOWN` with those beyond the last."""
    return NOT_KNOWN if km is None else sum(km > limit for limit in STEPS)
