"""Lists of others become rows of ours: once, with their source, and never over what somebody has confirmed.

The lists here are invented and small. Codes of places are those of INEI.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from referrals.directory.importing.build import BuildReport, build, read_table, write_table
from referrals.directory.importing.plain_words import address_in_words, ordinary_case, telephones
from referrals.directory.rows import COLUMNS, police_of
from reporting.cli.base import main

CENTRES = """kind,ubigeo,name,address,phone,lat,lon
CEM,250101,Cem Regular Inventado,Jr. De La Luz S/N 2Do Piso,900000001,-8.4,-74.5
CEM,250101,Cem Comisaría Inventada,Av. Uno 1,900 000 002 / 900000003,-8.4,-74.5
CEM,250301,Cem Regular Pangal,Jr. Dos S/N Entre La Comisaria Y El Mercado,900000004,,
SAR,250102,Rio Inventado,Plaza S/N,9000000051,,
SAU,250101,SAU Inventado,Jr. Tres 3,900000006,,
HRT,250105,Casa Acogida Temporal Inventada,Jirón Secreto 7,900000007,-8.3,-74.6
SAR,250199,Distrito Nuevo,Plaza S/N,900000008,,
CEM,990101,Cem Regular De Ninguna Parte,Jr. Cuatro 4,900000009,,
"""
HOSPITALS = """renipress,name,institution,category,ubigeo,department,province,district,address,phone,hours,lon,lat
90000001,INVENTADO DE CALLERIA,MINSA,II-1,250101,@,JIRÓN JR. LA PAZ N° 1 JR. LA PAZ N° 1 ~,61000001,24 HORAS,,
90000002,HOSPITAL II INVENTADO,ESSALUD,II-2,250101,@,AV. DOS S/N,ACTUALIZAR,8:00 - 19:00 / EMERG,,
""".replace("@", "UCAYALI,CORONEL PORTILLO,CALLERIA").replace("~", "CALLERIA CORONEL PORTILLO UCAYALI")
OTHERS = """kind,name,ubigeo,ubigeo_from,department,province,district,address,phone,hours,source,source_date,doubt
UPE,UPE Inventada,,,Ucayali,,,Jr. Cinco 5,,,a list of ours,2026-05-22,Call before publishing. Nobody knows.
ALEGRA,ALEGRA Inventado,,,Ucayali,Padre Abad,,Jr. Seis 6,061 000006,24 horas,a paper,2024 (note),
"""


def lists(centres: str = CENTRES) -> dict[str, list[dict[str, str]]]:
    return {"centres": read_table(centres), "hospitals": read_table(HOSPITALS), "others": read_table(OTHERS)}


def built(centres: str = CENTRES) -> tuple[dict[str, dict[str, str]], BuildReport]:
    rows, report = build([], lists(centres), ())
    return {row["id"]: row for row in rows}, report


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_row_is_built_or_left_out_with_a_reason() -> None:
    rows, report = built()
    assert sorted(rows) == [
        "alegra-inventado-25",
        "cem-comisaria-inventada-25",
        "cem-regular-inventado-25",
        "cem-regular-pangal-25",
        "hrt-casa-acogida-temporal-inventada-25",
        "renipress-90000001",
        "renipress-90000002",
        "sar-distrito-nuevo-25",
        "sar-rio-inventado-25",
        "sau-inventado-25",
        "upe_inventada",
    ]
    assert report.added == sorted(rows)
    assert [(row.name, bool(row.why)) for row in report.left_out] == [("Cem Regular De Ninguna Parte", True)]


@pytest.mark.parametrize(
    ("service", "told"),
    [
        ("cem-regular-inventado-25", {"service_type": "VIOLENCE_CENTRE", "police_inside_or_run": "no"}),
        ("cem-comisaria-inventada-25", {"service_type": "VIOLENCE_CENTRE_POLICE", "police_inside_or_run": "yes"}),
        ("cem-regular-pangal-25", {"service_type": "VIOLENCE_CENTRE", "police_inside_or_run": "unknown"}),
        ("sar-rio-inventado-25", {"service_type": "VIOLENCE_CENTRE", "police_inside_or_run": "no"}),
        ("sau-inventado-25", {"service_type": "URGENT_TEAM", "police_inside_or_run": "no"}),
        ("renipress-90000001", {"service_type": "HEALTH_EMERGENCY", "police_inside_or_run": "no"}),
        ("upe_inventada", {"minors": "only", "police_inside_or_run": "no"}),
        ("cem-regular-inventado-25", {"name": "CEM Regular Inventado", "address": "Jr. de la Luz S/N 2do Piso"}),
        ("cem-regular-inventado-25", {"site": "250101", "province": "Coronel Portillo", "regions_inei": "25"}),
        ("cem-regular-inventado-25", {"source_date": "2026", "verified_on": "", "coverage": "region"}),
        ("cem-comisaria-inventada-25", {"phone": "900000002 (también 900000003)"}),
        ("renipress-90000001", {"name": "Hospital Inventado de Callería", "address": "Jr. La Paz N° 1"}),
        ("renipress-90000001", {"phone": "061-000001", "hours": "24 horas", "is_24h": "yes", "cost": ""}),
        (
            "renipress-90000002",
            {"name": "Hospital II Inventado (EsSalud)", "cost": "insured", "organisation": "EsSalud"},
        ),
        ("renipress-90000002", {"phone": "", "hours": "", "is_24h": "unknown"}),
        ("upe_inventada", {"site": "", "regions_inei": "25", "source": "a list of ours", "source_date": "2026-05"}),
        ("alegra-inventado-25", {"site": "2503", "is_24h": "yes", "source_date": "2024"}),
        ("sar-distrito-nuevo-25", {"site": "2501"}),
    ],
)
def test_a_row_says_what_its_list_says(service: str, told: Mapping[str, str]) -> None:
    row = built()[0][service]
    assert {column: row[column] for column in told} == told


def test_a_doubt_reaches_the_notes_of_its_row() -> None:
    rows, _ = built()
    assert "9000000051" in rows["sar-rio-inventado-25"]["notes"], "a number with a digit too many is told, not dialled"
    assert rows["sar-rio-inventado-25"]["phone"] == ""
    assert "250199" in rows["sar-distrito-nuevo-25"]["notes"]
    assert "8:00 - 19:00 / EMERG" in rows["renipress-90000002"]["notes"]
    assert rows["upe_inventada"]["notes"] == "Llamar antes de confiar en ello. Nobody knows."


def test_of_a_shelter_nothing_comes_in_that_could_say_where_it_is_or_be_dialled_there() -> None:
    row = built()[0]["hrt-casa-acogida-temporal-inventada-25"]
    assert (row["service_type"], row["address_public"]) == ("SHELTER", "no (reservada)")
    assert not {"Secreto", "900000007", "250105", "-8.3"} & set(" ".join(row.values()).split())
    assert (row["address"], row["site"], row["phone"], row["province"]) == ("", "", "", "")


# ── again, and a newer list ─────────────────────────────────────────────────────────────────────────────────


def test_a_second_time_changes_nothing() -> None:
    rows, _ = build([], lists(), ())
    again, report = build(rows, lists(), ())
    assert again == rows
    assert (report.added, report.changed, report.gone, report.unchanged) == ([], [], [], len(rows))


def confirmed(rows: list[dict[str, str]], *services: str) -> list[dict[str, str]]:
    assert {row["id"] for row in rows} >= set(services)
    return [row | ({"verified_on": "2026-11-20"} if row["id"] in services else {}) for row in rows]


def test_a_newer_list_changes_what_it_changed_and_nothing_that_somebody_confirmed() -> None:
    rows, _ = build([], lists(), ())
    rows = confirmed(rows, "cem-regular-inventado-25", "sar-rio-inventado-25", "cem-regular-pangal-25")
    newer = "\n".join(
        line.replace("900000001", "911111111").replace("900000006", "966666666")
        for line in CENTRES.splitlines()
        if "Rio Inventado" not in line and "Comisaría Inventada" not in line
    )
    newer += "\nCEM,250201,Cem Regular Nuevo,Jr. Siete 7,900000010,,\n"
    after, report = build(rows, lists(newer), ())
    assert report.added == ["cem-regular-nuevo-25"]
    assert report.changed == [("sau-inventado-25", "phone", "900000006", "966666666")]
    assert report.kept == [("cem-regular-inventado-25", "phone", "900000001", "911111111")]
    assert report.gone == ["cem-comisaria-inventada-25"]
    assert report.kept_gone == ["sar-rio-inventado-25"]
    by_id = {row["id"]: row for row in after}
    assert by_id["cem-regular-inventado-25"]["phone"] == "900000001"
    assert by_id["sar-rio-inventado-25"] in rows
    assert by_id["cem-regular-pangal-25"] in rows
    assert by_id["renipress-90000001"] in rows, "a list that was not handed in takes nothing away"


def test_a_retired_row_goes_unless_somebody_confirmed_it_and_a_row_of_ours_stays() -> None:
    blank = dict.fromkeys(COLUMNS, "")
    ours = [blank | {"id": name} for name in ("old", "old_confirmed", "own")]
    after, report = build(confirmed(ours, "old_confirmed"), {}, ("old", "old_confirmed"))
    assert [row["id"] for row in after] == ["old_confirmed", "own"]
    assert (report.gone, report.kept_gone) == (["old"], ["old_confirmed"])


def test_the_command_writes_the_file_once_and_remembers_what_is_gone(tmp_path: Path) -> None:
    into, centres = tmp_path / "services.csv", tmp_path / "centres.csv"
    centres.write_text(CENTRES, "utf-8")
    command = ["directory", "build", "--into", str(into), "--centres", str(centres), "--json"]
    first = json.loads(CliRunner().invoke(main, command).stdout)
    assert len(first["added"]) == 7
    written = into.read_text("utf-8")
    again = json.loads(CliRunner().invoke(main, command).stdout)
    assert (again["added"], again["changed"], again["unchanged"]) == ([], [], 7)
    assert into.read_text("utf-8") == written
    centres.write_text("\n".join(line for line in CENTRES.splitlines() if "SAU" not in line), "utf-8")
    assert json.loads(CliRunner().invoke(main, [*command, "--dry-run"]).stdout)["gone"] == ["sau-inventado-25"]
    assert into.read_text("utf-8") == written, "a dry run only says"
    CliRunner().invoke(main, command)
    assert "sau-inventado-25" in (tmp_path / "retired-services.csv").read_text("utf-8")
    assert CliRunner().invoke(main, ["directory", "build"]).exit_code == 1


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", CENTRES.replace("ubigeo", "place"), CENTRES.partition("\n")[0]])
def test_a_list_without_its_columns_or_rows_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    into, centres = tmp_path / "services.csv", tmp_path / "centres.csv"
    centres.write_text(text, "utf-8")
    refused = CliRunner().invoke(main, ["directory", "build", "--into", str(into), "--centres", str(centres)])
    assert (refused.exit_code, into.exists()) == (1, False)
    assert "centres.csv has no row, or lacks: " in refused.output


def test_a_kind_that_nobody_has_decided_is_left_out_with_that_reason() -> None:
    _, report = built(CENTRES.replace("SAU,", "XYZ,"))
    assert ("SAU Inventado", "no kind XYZ in build-pe.toml") in [(row.name, row.why) for row in report.left_out]


def test_what_is_written_is_read_back_as_it_was() -> None:
    rows, _ = build([], lists(), ())
    assert read_table(write_table(rows, COLUMNS)) == rows


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("HOSPITAL DE APOYO LA MERCED", "Hospital de Apoyo La Merced"),
        ("Cem Comisaría Pamplona Ii", "CEM Comisaría Pamplona II"),
        ("PARQUE DE LAS LEYENDAS S/N", "Parque de las Leyendas S/N"),
        ("MZ E LOTE 61A", "Mz E Lote 61A"),
        ("CSMC WIÑAY (AMANECER)", "CSMC Wiñay (Amanecer)"),
        ("Sí, da Vida (prueba gratuita todo el año)", "Sí, da Vida (prueba gratuita todo el año)"),
        ("", ""),
    ],
)
def test_capitals_are_written_in_ordinary_case(printed: str, read: str) -> None:
    assert ordinary_case(printed) == read
    assert ordinary_case(read) == read


def test_the_name_of_a_place_keeps_the_accents_that_the_tree_has() -> None:
    assert ordinary_case("HOSPITAL DE PURUS", {"purus": "Purús"}) == "Hospital de Purús"


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("AVENIDA AV. GRAU S/N NÚMERO S/N DISTRITO ICA PROVINCIA ICA DEPARTAMENTO ICA", "Av. Grau S/N"),
        ("CALLE CALLE UNO N° 7 CALLE UNO N° 7 ICA ICA ICA", "Calle Uno N° 7"),
        ("JIRÓN BOLIVAR S/N S/N JR. BOLIVAR S/N ICA ICA ICA", "Jr. Bolivar S/N"),
        ("JR. ICA N° 5", "Jr. Ica N° 5"),
        ("AV. UNO S/N (REF. AL COSTADO DE LA", "Av. Uno S/N"),
    ],
)
def test_an_address_that_is_printed_twice_stands_once(printed: str, read: str) -> None:
    assert address_in_words(printed, ("ICA", "ICA", "ICA")) == read


@pytest.mark.parametrize(
    ("printed", "department", "numbers", "bad"),
    [
        ("51-951711221", "21", ["951711221"], []),
        ("43394428", "02", ["043-394428"], []),
        ("551099", "06", ["076-551099"], []),
        ("5580186", "15", ["01-5580186"], []),
        ("(51) 1-6138282", "15", ["01-6138282"], []),
        ("(51)065-252746", "16", ["065-252746"], []),
        ("072 - 592024", "24", ["072-592024"], []),
        ("7439889 anexo 4391", "15", ["01-7439889 (anexo 4391)"], []),
        ("932862476 // 932975612", "07", ["932862476", "932975612"], []),
        ("940217257 - 940929533", "25", ["940217257", "940929533"], []),
        ("TEL: 044-446254", "13", ["044-446254"], []),
        ("066325197", "08", ["066-325197"], []),
        ("04353090", "02", [], ["04353090"]),
        ("9329499263", "01", [], ["9329499263"]),
        ("RADIO: 6286", "06", [], ["RADIO: 6286"]),
        ("ACTUALIZAR", "22", [], []),
        ("", "15", [], []),
    ],
)
def test_a_number_is_one_that_can_be_dialled_from_anywhere_or_is_told_as_printed(
    printed: str, department: str, numbers: list[str], bad: list[str]
) -> None:
    assert telephones(printed, department) == (numbers, bad)


@pytest.mark.parametrize(
    ("name", "address", "kind", "police"),
    [
        ("Hospital Uno", "", "HEALTH_EMERGENCY", "no"),
        ("Hospital Nacional PNP Uno", "", "HEALTH_EMERGENCY", "yes"),
        ("Posta Uno", "Frente a la comisaría", "HEALTH_PRIMARY", "unknown"),
        ("Policlínico Uno", "Policlínico Municipal", "HEALTH_PRIMARY", "no"),
        ("Comisaría Uno", "", "POLICE", "yes"),
        ("CEM Uno", "", "VIOLENCE_CENTRE", "unknown"),
        ("Línea Uno", "", "CRISIS_LINE", "unknown"),
    ],
)
def test_whether_the_police_are_inside_is_never_blank(name: str, address: str, kind: str, police: str) -> None:
    assert police_of({"name": name, "address": address, "service_type": kind}) == police
