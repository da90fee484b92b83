"""Rows of somebody else's file, kind by kind: the right value, or a sentence that says what was not understood."""

from __future__ import annotations

import json
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from referrals.directory import snapshot
from referrals.directory.importing import readers, run
from referrals.directory.importing.duplicates import MOST, possible_duplicates
from referrals.directory.importing.report import (
    HAS_ENDED,
    HOURS_NOT_UNDERSTOOD,
    MENDED,
    NO_DOOR,
    NO_LIST,
    NO_NUMBER,
    NO_PHONE_COLUMN,
    NO_SERVICES,
    NUMBER_OF_ORGANISATION,
    OTHER_PLACES,
    PLACES_DIFFER,
    READ_OTHERWISE,
    SCHEDULE_NOTE,
    UNKNOWN_PROVINCE,
    UNKNOWN_STATUS,
    ImportHints,
    ImportReport,
)
from referrals.directory.models import ServiceRow
from referrals.directory.reviewed_data import table
from referrals.directory.rows import COLUMNS, cells_of, coverage_of
from reporting.storage.database import reading, writing
from tests.needs_of_tests import requires

TODAY = date(2026, 11, 24)
HEALTH = ImportHints("f", "HEALTH_PRIMARY", "25")


def brings(
    engine: Engine, raw: bytes | str | list[Any] | dict[str, Any], hints: ImportHints | None = None
) -> ImportReport:
    if isinstance(raw, list | dict):
        raw = json.dumps(raw)
    with writing(engine) as db:
        return run.import_file(db, raw.encode() if isinstance(raw, str) else raw, "carmen", TODAY, hints=hints)


def fresh(engine: Engine, report: ImportReport) -> list[dict[str, str]]:
    """The cells of what was stored, in the order of the file."""
    with reading(engine) as db:
        return [cells_of(db.get_one(ServiceRow, service)) for service in report.services]


def remarks(report: ImportReport) -> dict[int, set[str]]:
    by_line: dict[int, set[str]] = {}
    for remark in (*report.problems, *report.remarks):
        by_line.setdefault(remark.line, set()).add(remark.said.message)
    return by_line


# ── status ──────────────────────────────────────────────────────────────────────────────────────────────────

CLOSED = (
    "Inactivo", "INACTIVA", "BAJA", "BAJA DEFINITIVA", "Baja temporal", "Cerrado", "CERRADA", "Cerrado temporalmente",
    "Clausurado", "Suspendido", "Inoperativo", "No funciona", "DESACTIVADO", "CIERRE DEFINITIVO", "CIERRE TEMPORAL",
    "Ya no existe", "No operativo", "temporarily closed", "defunct", "Fuera de servicio",
)  # fmt: skip


@pytest.mark.parametrize("word", CLOSED)
@pytest.mark.parametrize("column", ["Estado", "Situación actual", "Condición"])
def test_what_is_closed_does_not_come_in_whatever_the_form_of_the_word_and_its_column(
    engine: Engine, word: str, column: str
) -> None:
    raw = f"Nombre,Status,Teléfono,{column}\nPosta Uno,ACTIVO,061200001,{word}\n"
    report = brings(engine, raw, HEALTH)
    assert [problem.said.message for problem in report.problems] == [HAS_ENDED]


@pytest.mark.parametrize("word", ["ACTIVO", "Operativa", "En funcionamiento", "vigente", "active", "", "ACTUALIZAR"])
def test_what_is_open_comes_in_without_a_remark(engine: Engine, word: str) -> None:
    report = brings(engine, f"Nombre,Teléfono,Estado\nPosta Uno,061200001,{word}\n", HEALTH)
    assert (report.stored, report.remarks) == (1, [])


def test_a_status_that_nobody_knows_is_a_remark(engine: Engine) -> None:
    report = brings(engine, "Nombre,Teléfono,Estado\nPosta Uno,061200001,ALQUILADO\n", HEALTH)
    assert (report.stored, remarks(report)) == (1, {2: {UNKNOWN_STATUS}})


# ── letters ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_bad_byte_spoils_its_own_row_alone(engine: Engine) -> None:
    rows = [f"Centro de Salud Peñón {n},JUNÍN,Huancayo,06420000{n},Jr. Unión {n}" for n in range(1, 6)]
    raw = "\n".join(["Nombre,Departamento,Provincia,Teléfono,Dirección", *rows]).encode()
    raw += "\nPosta Muñoz,UCAYALI,Coronel Portillo,061200021,Jr. Uno\n".encode("cp1252")
    report = brings(engine, raw)
    stored = fresh(engine, report)
    assert [row["name"] for row in stored[:2]] == ["Centro de Salud Peñón 1", "Centro de Salud Peñón 2"]
    assert stored[-1]["name"] == "Posta Muñoz"
    assert all(row["phone"] for row in stored)
    assert {line for line, said in remarks(report).items() if READ_OTHERWISE in said} == {7}


def test_a_file_all_in_the_code_page_of_windows_is_no_remark(engine: Engine) -> None:
    report = brings(engine, "Nombre;Teléfono\nPosta Muñoz;061200021\n".encode("cp1252"), HEALTH)
    assert fresh(engine, report)[0]["name"] == "Posta Muñoz"
    assert report.remarks == []


@pytest.mark.parametrize("times", [1, 2])
def test_letters_that_were_stored_twice_are_mended(engine: Engine, times: int) -> None:
    name = "Posta Peñón “Unión” ÁÉÍÓÚÑ Nº 1"
    spoilt = name
    for _ in range(times):
        spoilt = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in spoilt.encode())
    report = brings(engine, f"Nombre,Teléfono\n{spoilt},061200021\nCAFÉ\u00a0SÃO Ñ°,061200022\n", HEALTH)
    assert [row["name"] for row in fresh(engine, report)] == [name, "CAFÉ SÃO Ñ°"]
    assert remarks(report) == {2: {MENDED}}


def test_our_own_file_with_letters_stored_twice_changes_nothing(engine: Engine) -> None:
    with reading(engine) as db:
        text = readers.as_csv(db)
    spoilt = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())
    rows = len(table("services-pe.csv"))
    assert (brings(engine, text).unchanged, brings(engine, spoilt).unchanged) == (rows, rows)


# ── type ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "name", "expected", "police"),
    [
        ("", "CEM COMISARÍA SAN JUAN", "VIOLENCE_CENTRE_POLICE", "yes"),
        ("", "CENTRO EMERGENCIA MUJER COMISARIA TACNA", "VIOLENCE_CENTRE_POLICE", "yes"),
        ("", "CEM PUCALLPA", "VIOLENCE_CENTRE", "unknown"),
        ("", "COMISARÍA DE FAMILIA EJEMPLO", "POLICE", "yes"),
        ("PUESTOS DE SALUD O POSTAS DE SALUD", "LA NOVIA", "HEALTH_PRIMARY", "no"),
        ("CENTROS DE SALUD O CENTROS MEDICOS", "C.S SANTIAGO", "HEALTH_PRIMARY", "no"),
        ("POLICLINICOS", "EJEMPLO", "HEALTH_PRIMARY", "no"),
        ("HOSPITALES O CLINICAS DE ATENCION GENERAL", "EJEMPLO", "HEALTH_EMERGENCY", "no"),
        ("PUESTOS DE SALUD O POSTAS DE SALUD", "POSTA MEDICA DE SALUD PNP - EJEMPLO", "HEALTH_PRIMARY", "yes"),
        ("CENTROS DE SALUD CON CAMAS DE INTERNAMIENTO", "CENTRO DE SALUD MENTAL EJEMPLO", "MENTAL_HEALTH", "no"),
        ("COMISARIAS", "EJEMPLO", "POLICE", "yes"),
        ("", "Clínica jurídica de una universidad", "LEGAL_NGO", "no"),
    ],
)
def test_a_class_goes_before_a_name_and_plurals_are_known(
    engine: Engine, kind: str, name: str, expected: str, police: str
) -> None:
    raw = f"Nombre;Clasificación;Departamento;Teléfono\n{name};{kind};Ucayali;061200001\n"
    stored = fresh(engine, brings(engine, raw))[0]
    assert (stored["service_type"], stored["police_inside_or_run"]) == (expected, police)


@pytest.mark.parametrize("hints", [None, HEALTH])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("CENTRO ODONTOLOGICO", "CLINICA DENTAL EJEMPLO"),
        ("CENTROS OPTICOS", "OPTICA EJEMPLO"),
        ("", "Clínica Dental Sonrisa"),
        ("POLICLINICOS", "Laboratorio clínico Ejemplo"),
    ],
)
def test_a_dental_clinic_is_no_door_even_where_somebody_says_that_the_file_is_of_health(
    engine: Engine, kind: str, name: str, hints: ImportHints | None
) -> None:
    raw = f"Nombre;Clasificación;Departamento;Teléfono\n{name};{kind};Ucayali;061200001\n"
    assert [problem.said.message for problem in brings(engine, raw, hints).problems] == [NO_DOOR]


# ── identity ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", ["00002806", "2806", "2806.0"])
def test_a_health_establishment_keeps_the_code_of_its_register(engine: Engine, code: str) -> None:
    report = brings(engine, f"COD_IPRESS;NOMBRE;TELEFONO\n{code};LA NOVIA;900000001\n", HEALTH)
    assert report.services == ["renipress-00002806"]
    assert report.remarks == []


def test_a_new_telephone_is_no_new_service(engine: Engine) -> None:
    first = brings(engine, "nombre;teléfono\nUna posta;061200001\n", HEALTH)
    second = brings(engine, "nombre;teléfono\nUna posta;061200002\n", HEALTH)
    assert first.services == second.services
    assert fresh(engine, second)[0]["phone"] == "061200002"


def test_a_row_that_came_in_under_another_id_keeps_it(engine: Engine) -> None:
    raw = "nombre;teléfono\nUna posta;061200001\n"
    service = brings(engine, raw, HEALTH).services[0]
    with writing(engine) as db:  # as an earlier version named it
        db.connection().exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in ("service_history", "service", "service_coverage", "service_foreign"):
            column = "id" if table == "service" else "service"
            db.connection().exec_driver_sql(f"UPDATE {table} SET {column} = 'former' WHERE {column} = '{service}'")  # noqa: S608
    assert (brings(engine, raw, HEALTH).unchanged, brings(engine, raw, HEALTH).stored) == (1, 0)


# ── places ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cells", "department", "province"),
    [
        ({"ubigeo": "40101"}, "04", "Arequipa"),
        ({"ubigeo": "40101.0"}, "04", "Arequipa"),
        ({"ubigeo": "401"}, "04", "Arequipa"),
        ({"ubigeo": "4"}, "04", ""),
        ({"ubigeo": "170303", "departamento": "MADRE DE DIOS", "provincia": "TAHUAMANU"}, "17", "Tahuamanu"),
    ],
)
def test_a_code_that_a_spreadsheet_shortened_is_read(
    engine: Engine, cells: dict[str, str], department: str, province: str
) -> None:
    raw = ";".join(["nombre", "tipo", "fono", *cells]) + "\n" + ";".join(["Posta", "posta", "100", *cells.values()])
    stored = fresh(engine, brings(engine, raw))[0]
    assert (stored["regions_inei"], stored["province"]) == (department, province)


def test_names_go_before_a_code_of_another_numbering(engine: Engine) -> None:
    report = brings(engine, "nombre;fono;ubigeo;departamento;provincia\nPosta;100;140101;LIMA;LIMA\n", HEALTH)
    assert fresh(engine, report)[0]["regions_inei"] == "15"
    assert remarks(report) == {2: {PLACES_DIFFER}}


def test_a_province_that_is_not_understood_is_a_remark_and_not_the_whole_department(engine: Engine) -> None:
    report = brings(engine, "nombre;fono;departamento;provincia\nPosta;100;AREQUIPA;La Joya\n", HEALTH)
    stored = fresh(engine, report)[0]
    assert remarks(report) == {2: {UNKNOWN_PROVINCE}}
    assert (stored["coverage"], stored["regions_inei"], stored["province"]) == ("unknown", "04", "La Joya")
    card = snapshot.snapshot_of(partial(reading, engine)).service(report.services[0])
    assert not card.coverage, "it is offered nowhere"
    with reading(engine) as db:
        again = readers.as_csv(db)
    assert brings(engine, again).unchanged == len(table("services-pe.csv")) + 1


def test_the_coverage_of_our_own_rows_stays_what_it_was(engine: Engine) -> None:
    names = snapshot.snapshot_of(partial(reading, engine)).cards.place_names
    row = dict.fromkeys(COLUMNS, "") | {"coverage": "province", "regions_inei": "20", "province": "8 provincias"}
    assert coverage_of(row, names, "PE") == {"PE20"}
    assert coverage_of(row | {"coverage": "unknown"}, names, "PE") == {"PE20"}, "it belongs to its country"


def test_our_own_file_saved_by_a_spreadsheet_changes_nothing(engine: Engine) -> None:
    with reading(engine) as db:
        text = readers.as_csv(db)
    shortened = text.replace(",04,", ",4,")
    assert shortened != text
    assert brings(engine, shortened.encode("cp1252", "replace").replace(b"\n", b"\r\n")).problems == []


# ── numbers, hours, cells that hold nothing ─────────────────────────────────────────────────────────────────


def test_what_only_says_that_nothing_is_known_is_nothing(engine: Engine) -> None:
    raw = "nombre;teléfono;horario;dirección\nPosta;NO TIENE;ACTUALIZAR;---\nOtra;000-000;por definir;S/N\n"
    report = brings(engine, raw, HEALTH)
    assert [(row["phone"], row["hours"], row["address"]) for row in fresh(engine, report)] == [("", "", "")] * 2
    assert report.remarks == []
    assert brings(engine, "nombre;teléfono\nACTUALIZAR;100\n", HEALTH).listed == 1


@pytest.mark.parametrize(
    ("hours", "phone", "said"),
    [
        ("Lunes a viernes 8:00-14:00", "061-575555 / 961000000", set()),
        ("7:00 - 19:00", "061-575555", {HOURS_NOT_UNDERSTOOD}),
        ("24 HORAS", "RADIO: 6286", {NO_NUMBER}),
        ("lunes a ver", "llamar a Ñaña", {HOURS_NOT_UNDERSTOOD, NO_NUMBER}),
    ],
)
def test_there_is_a_remark_exactly_where_a_text_was_not_understood(
    engine: Engine, hours: str, phone: str, said: set[str]
) -> None:
    report = brings(engine, f"nombre;teléfono;horario\nPosta;{phone};{hours}\n", HEALTH)
    assert remarks(report).get(2, set()) == said
    stored = fresh(engine, report)[0]
    assert (stored["hours"], stored["phone"]) == (hours, phone), "as written"


def test_telephones_of_several_columns_stand_side_by_side_and_the_number_of_a_row_is_none(engine: Engine) -> None:
    report = brings(engine, "number;nombre;Teléfono fijo;Celular\n123;Posta;061-575555;961000000\n", HEALTH)
    assert fresh(engine, report)[0]["phone"] == "061-575555 / 961000000"


def test_a_file_without_a_column_of_telephones_says_so(engine: Engine) -> None:
    assert remarks(brings(engine, "nombre\nPosta\n", HEALTH)) == {0: {NO_PHONE_COLUMN}}


def test_hours_that_hold_the_separator_are_put_together_again(engine: Engine) -> None:
    hours = "Lunes a viernes de 8:00 a.m. a 4:15 p.m.; domingos y feriados cerrado"
    report = brings(engine, f"nombre;fono;horario\nPosta;100;{hours}\nOtra;100;8-16;de más\n", HEALTH)
    assert [row["hours"] for row in fresh(engine, report)] == [hours]
    assert report.listed == 1


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("raw", ["{}", '{"a": 1}', "[]", '{"contents": []}', '{"contents": {"name": 1}}'])
def test_json_that_is_no_list_of_services_says_so(engine: Engine, raw: str) -> None:
    assert [problem.said.message for problem in brings(engine, raw).problems] == [NO_LIST]


def test_a_list_of_pairs_that_is_cut_says_by_how_many() -> None:
    rows = [
        dict.fromkeys(COLUMNS, "") | {"id": f"s{n}", "name": f"Centro de Salud Peñón {n:02d}", "regions_inei": "25"}
        for n in range(30)
    ]
    pairs, more = possible_duplicates({}, rows)
    assert len(pairs) == MOST
    assert more == 30 * 29 // 2 - MOST
    report = ImportReport(likely_twice=pairs, more_likely_twice=more)
    assert f"and {more} more pairs" in "\n".join(run.in_words(report, dry_run=False))
    assert run.as_json(report)["more_likely_twice"] == more


# ── the open standard ───────────────────────────────────────────────────────────────────────────────────────

SERVICE = {"id": "33333333-3333-4333-8333-333333333333", "name": "Consejería Ejemplo", "status": "active"}


def test_of_two_numbers_the_one_that_can_be_called_is_linked_and_none_is_lost(engine: Engine) -> None:
    phones = [
        {"number": "061 500000", "extension": 12, "type": "fax"},
        {"number": "900000011", "type": "cell", "description": "urgencias 24 h"},
    ]
    report = brings(engine, [SERVICE | {"phones": phones}], HEALTH)
    assert fresh(engine, report)[0]["phone"] == "fax 061 500000 anexo 12 / 900000011 (urgencias 24 h)"
    assert report.remarks == []


def test_a_schedule_that_is_not_of_every_week_makes_the_hours_unknown(engine: Engine) -> None:
    weekly = {"freq": "WEEKLY", "byday": "MO,TU,WE,TH,FR", "opens_at": "08:00", "closes_at": "16:00"}
    monthly = {"freq": "MONTHLY", "byday": "1SA", "opens_at": "09:00", "closes_at": "12:00"}
    ended = {"freq": "WEEKLY", "byday": "SU", "opens_at": "09:00", "closes_at": "12:00", "valid_to": "2019-12-31"}
    report = brings(engine, [SERVICE | {"schedules": [weekly], "phones": [{"number": "100"}]}], HEALTH)
    assert fresh(engine, report)[0]["hours"] == "Mo,Tu,We,Th,Fr 08:00-16:00"
    assert report.remarks == []
    for odd in (monthly, ended, weekly | {"opens_at": "13:00Z"}, weekly | {"interval": 2}):
        report = brings(engine, [SERVICE | {"schedules": [weekly, odd], "phones": [{"number": "100"}]}], HEALTH)
        assert remarks(report) == {1: {HOURS_NOT_UNDERSTOOD}}, odd
    noted = brings(engine, [SERVICE | {"schedules": [weekly | {"notes": "toca dos veces"}]}], HEALTH)
    assert SCHEDULE_NOTE in remarks(noted)[1]


def test_more_than_one_place_is_a_remark_and_the_first_has_its_address(engine: Engine) -> None:
    sites = [
        {"location": {"name": name, "addresses": [{"address_1": street, "city": city, "state_province": region}]}}
        for name, street, city, region in (
            ("Sede A", "Jr. Ejemplo 1", "Pucallpa", "Ucayali"),
            ("Sede B", "Jr. Ejemplo 2", "Arequipa", "Arequipa"),
        )
    ]
    hints = ImportHints("f", "HEALTH_PRIMARY")
    report = brings(engine, [SERVICE | {"service_at_locations": sites, "phones": [{"number": "100"}]}], hints)
    assert remarks(report) == {1: {OTHER_PLACES}}
    stored = fresh(engine, report)[0]
    assert (stored["regions_inei"], stored["address"]) == ("25", "Jr. Ejemplo 1")


def test_each_service_of_an_organisation_is_a_row(engine: Engine) -> None:
    organisation = {
        "id": "11111111-1111-4111-8111-111111111111",
        "name": "Una ONG",
        "phones": [{"number": "061 500000"}],
        "services": [{"id": f"22222222-2222-4222-8222-22222222222{n}", "name": f"Servicio {n}"} for n in (1, 2)],
    }
    report = brings(engine, {"contents": [organisation, {"name": "Otra ONG", "legal_status": "asociación"}]}, HEALTH)
    assert [row["name"] for row in fresh(engine, report)] == ["Servicio 1", "Servicio 2", "Otra ONG"]
    assert remarks(report)[1] == {NUMBER_OF_ORGANISATION}
    assert NO_SERVICES in remarks(report)[3]
    assert report.rows == report.stored == 3


# ── the files that were read wrongly ────────────────────────────────────────────────────────────────────────


def test_of_files_that_were_read_wrongly_every_row_is_accounted_for_and_comes_in_once(engine: Engine) -> None:
    folder = Path(requires("directory files")) / "inputs"
    for file in sorted([*folder.glob("*.csv"), *folder.glob("*.json")]):
        hints = HEALTH if file.suffix == ".json" else None
        report, again = brings(engine, file.read_bytes(), hints), brings(engine, file.read_bytes(), hints)
        assert report.rows == report.stored + report.unchanged + report.listed, file.name
        assert again.stored == 0, file.name
    with reading(engine) as db:
        rows = [cells_of(row) for row in db.scalars(select(ServiceRow))]
    assert not [row for row in rows if "Ã" in row["name"]]
    assert not [row for row in rows if "DENTAL" in row["name"] or "OPTICA" in row["name"]]
