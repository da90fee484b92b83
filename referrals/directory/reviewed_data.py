"""Reviewed data about services: what each type serves, holidays, ways; each with its basis in referrals/data.

Reads files only. Knows no database and no single service of it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from referrals.matching import hours
from referrals.matching.distance import Seat
from referrals.matching.listings import Listing
from referrals.matching.records import NATIONAL, SAME_PROVINCE, SAME_REGION
from referrals.needs import exclusions

DATA = Path(__file__).parent.parent / "data"


@cache
def service_types() -> Mapping[str, Mapping[str, Any]]:
    """What each type serves, its duty to report, the line that leads there."""
    return tomllib.loads((DATA / "service-types.toml").read_text(encoding="utf-8"))


@cache
def table(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of a CSV file of referrals/data, each by the names of its columns."""
    return tuple(csv.DictReader(io.StringIO((DATA / name).read_text(encoding="utf-8"))))


@cache
def rows_of(name: str) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """The rows of a table by their service."""
    by_service: dict[str, list[Mapping[str, str]]] = {}
    for row in table(name):
        by_service.setdefault(row["service"], []).append(row)
    return by_service


@cache
def public_holidays(country: str) -> frozenset[date]:
    """The days on which ordinary hours are no promise."""
    return frozenset(date.fromisoformat(row["day"]) for row in table("holidays.csv") if row["country"] == country)


@cache
def retired() -> Mapping[str, str]:
    """Services that are shipped no more -> what became of them, `TYPE@department`; blank where nothing did."""
    return {row["service"]: row["became"] for row in table("retired-services.csv")}


@cache
def seats(country: str) -> Mapping[str, Seat]:
    """Code -> the town from which a place of this country is governed; none where they are not shipped."""
    names = {row["code"]: row["name"] for row in table("places-pe.csv")}
    rows = (row for row in table("seats-pe.csv") if row["code"].startswith(country) and row["code"] in names)
    return {row["code"]: Seat(names[row["code"]], float(row["lat"]), float(row["lon"])) for row in rows}


@cache
def area_codes() -> Mapping[str, str]:
    """Department -> the code before its numbers of the fixed network, as a country's plan of numbers gives it out."""
    return {row["place"]: row["code"] for row in table("area-codes.csv")}


def area_of(departments: str, country: str) -> str:
    """The code of the one department that a cell `regions_inei` names; blank where it names none, or several."""
    codes = {code.strip() for code in departments.split(";") if code.strip()}
    return area_codes().get(country + min(codes), "") if len(codes) == 1 else ""


@cache
def travel() -> Mapping[int, int]:
    """Quarters of an hour to allow for the way, by how near a service is."""
    hours_by_band = tomllib.loads((DATA / "travel.toml").read_text(encoding="utf-8"))
    bands = {SAME_PROVINCE: "province", SAME_REGION: "region", NATIONAL: "country"}
    return {band: int(hours_by_band[name] * 60 // hours.QUARTER) for band, name in bands.items()}


def unsigned_texts() -> Mapping[str, tuple[int, int]]:
    """File -> of how many texts nobody has signed that they are right, and how many there are in it to be signed."""
    reviewers = {
        path.name: [*_reviewers(tomllib.loads(path.read_text(encoding="utf-8")))] for path in DATA.glob("*.toml")
    }
    return {name: (reviewers[name].count(""), len(reviewers[name])) for name in sorted(reviewers) if reviewers[name]}


def _reviewers(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping) and "reviewer" in part:
        yield str(part["reviewer"])
    for inner in part.values() if isinstance(part, Mapping) else part if isinstance(part, list) else ():
        yield from _reviewers(inner)


@cache
def made_with() -> str:
    """A hash of everything that listings are worked out with, besides the services themselves."""
    ingredients = [
        repr(service_types()),
        repr(table("service-needs.csv")),
        repr(tuple(exclusions.BARS)),
        repr(Listing._fields),
    ]
    return hashlib.sha256("".join(ingredients).encode()).hexdigest()
