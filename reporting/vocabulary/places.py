"""The country: departments, regions of the programme, and words that hold in the first home alone.

Data alone. Peru is the first home: its papers, offices and insurance stand in message ids and their translations,
because there they must be exact; elsewhere a page says the same without the name. Provinces, districts and places of
other countries are data of the directory (data/places-pe.csv), whose departments a test compares with these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reporting.i18n import N_

FIRST_HOME: Final = "PE"
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
# The capital of each region of the programme, as people say where they are, and the rest of the region: the code of the
# capital's province, or of the region. INEI names the capitals. Lima, where most other people of the country live.
WHERE: Final = {
    "PE2501": "Pucallpa",
    "UCAYALI": N_("Elsewhere in Ucayali"),
    "PE0401": N_("Arequipa, the city"),
    "AREQUIPA": N_("Elsewhere in Arequipa"),
    "PE2001": N_("Piura, the city"),
    "PIURA": N_("Elsewhere in Piura"),
    "PE1201": "Huancayo",
    "JUNIN": N_("Elsewhere in Junín"),
    "PE1501": "Lima",
}
# Provinces of those regions whose capital has another name (INEI): people know them by that city.
KNOWN_BY: Final = {
    "PE0404": "Aplao",
    "PE0405": "Chivay",
    "PE0406": "Chuquibamba",
    "PE0407": "Mollendo",
    "PE0408": "Cotahuasi",
    "PE1203": "La Merced",
    "PE1208": "La Oroya",
    "PE2004": "Chulucanas",
    "PE2501": "Pucallpa",
    "PE2503": "Aguaytía",
    "PE2504": "Puerto Esperanza",
}


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


# message id of Peru -> what is said in another country
ELSEWHERE: Final[Mapping[str, str]] = {
    "DNI (Peruvian identity card)": N_("Identity card of this country"),
    "The ombudsman (Defensoría del Pueblo)": N_("The ombudsman"),
    "Municipal security or inspectors": N_("Guards or inspectors of the municipality"),
    "Municipal security": N_("Guards of the municipality"),
    "Police, serenazgo or another authority did it": N_("Police or another authority did it"),
    "Centre for women after violence (CEM)": N_("Centre for women after violence"),
    "Centre for women (CEM) inside a police station": N_("Centre for women inside a police station"),
    "Team that comes in danger (SAU)": N_("Team that comes in danger"),
    "Centre for HIV and infections (CERITS, UAMP, TAR)": N_("Centre for HIV and infections"),
    "Defensoría del Pueblo": N_("The ombudsman"),
    "Fiscalía": N_("Prosecutor"),
    "Forensic medicine (IML)": N_("Forensic medicine"),
    "For girls, boys and adolescents (UPE, DEMUNA)": N_("For girls, boys and adolescents"),
    "It asks for an identity card.": N_("It asks for an identity document."),
    "No identity card is needed, says the source.": N_("No identity document is needed, says the source."),
    "Attends without an identity card": N_("Attends without an identity document"),
    "Do they attend people without an identity card?": N_("Do they attend people without an identity document?"),
    "It is free with SIS insurance.": N_("It is free with public insurance."),
    "Departments (INEI, two digits)": N_("Departments (two digits of the tree of places)"),
    "No department is named: two digits of INEI, such as 25, separated by semicolons.": N_(
        "No department is named: two digits of the tree of places, such as 25, separated by semicolons."
    ),
}


def words_of(country: str) -> Mapping[str, str]:
    """Message id -> the one that is said instead in this country."""
    return {} if country == FIRST_HOME else ELSEWHERE
