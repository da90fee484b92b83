"""The departments of Peru, and which of them are regions of the programme.

Data alone. Provinces, districts and places of other countries are data of the directory (data/places-pe.csv), whose
departments a test compares with these.
"""

from __future__ import annotations

from typing import Final

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
