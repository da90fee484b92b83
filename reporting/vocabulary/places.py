"""The departments of Peru, and which of them are regions of the programme; those of another country are handed in.

Data alone. Provinces, districts and places of other countries are data of the directory (data/places-pe.csv), whose
departments a test compares with these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reporting.vocabulary.countries import FIRST_HOME

# INEI code with the country in front -> name. Tallies keep the place of a department in this table.
DEPARTMENTS: Final = {
    "PE01": "Amazonas",
    "PE02": "Áncash",
    "PE03": "Apurímac",
    "PE04": "Arequipa",
    "PE05": "Ayacucho",
    "PE06": "Cajamarca",
    "PE07": "Callao",
    "PE08": "Cusco",
    "PE09": "Huancavelica",
    "PE10": "Huánuco",
    "PE11": "Ica",
    "PE12": "Junín",
    "PE13": "La Libertad",
    "PE14": "Lambayeque",
    "PE15": "Lima",
    "PE16": "Loreto",
    "PE17": "Madre de Dios",
    "PE18": "Moquegua",
    "PE19": "Pasco",
    "PE20": "Piura",
    "PE21": "Puno",
    "PE22": "San Martín",
    "PE23": "Tacna",
    "PE24": "Tumbes",
    "PE25": "Ucayali",
}
# region of the programme -> its department, in screen order; every other department is OTHER
REGIONS: Final = {"UCAYALI": "PE25", "AREQUIPA": "PE04", "PIURA": "PE20", "JUNIN": "PE12"}
REGION_NAMES: Final = {region: DEPARTMENTS[department] for region, department in REGIONS.items()}


@dataclass(frozen=True, slots=True)
class CountryPlaces:
    """The departments of one country: code -> name, by code. None where it has no tree of places."""

    country: str
    departments: Mapping[str, str]


HOME: Final = CountryPlaces(FIRST_HOME, DEPARTMENTS)


def places_of(country: str, departments: Mapping[str, str]) -> CountryPlaces:
    """The places of an installation; those of the first home stand above, whatever its tree of places says.

    A department is two letters and two digits; what has another code, or lies in another country, is left out.
    """
    known = sorted(code for code in departments if re.fullmatch(rf"{re.escape(country)}\d\d", code, re.ASCII))
    return HOME if country == FIRST_HOME else CountryPlaces(country, {code: departments[code] for code in known})
