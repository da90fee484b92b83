"""Files of services: whatever is in them, no crash, no row lost, nothing in halves, nothing changed the second time."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from referrals.directory import curation, reviewed_data, snapshot
from referrals.directory.importing import readers, run
from referrals.directory.importing.report import (
    BAD_CELLS,
    BLANK_NAME,
    CHANGED_SINCE,
    HAS_ENDED,
    HOURS_NOT_UNDERSTOOD,
    NEW_ID,
    NO_NUMBER,
    NO_ORGANISATION,
    NO_PLACE,
    NO_TYPE,
    SAME_ID,
    SHELTER_ADDRESS,
    SWAPPED,
    TOO_LARGE,
    TWICE,
    ImportHints,
    ImportReport,
)
from referrals.directory.models import ForeignRow, HistoryRow, ServiceRow
from referrals.directory.rows import cells_of
from referrals.matching.listings import is_listed
from reporting import i18n
from reporting.storage.database import reading, writing
from tests.needs_of_tests import requires

TODAY = date(2026, 11, 24)
SHIPPED = (reviewed_data.DATA / "services-pe.csv").read_bytes()
MANY = len(list(csv.DictReader(io.StringIO(SHIPPED.decode()))))
# every fault of real files at once: swapped points, doubled rows, blank names, letters for a number, ids that are
# none, a missing organisation, hours without days, places and types that do not exist, a shelter with an address
WILD = """Código;Nombre;Tipo;Departamento;Provincia;Teléfono;Horario;Latitud;Longitud;Organización;Dirección
1;Hospital Rural de Pucallpa;hospital;Ucayali;Coronel Portillo;061 575209;8-16;-74,53;-8,38;DIRESA;Jirón A 1
1;Hospital Rural de Pucallpa;hospital;Ucayali;Coronel Portillo;061 575209;8-16;-74,53;-8,38;DIRESA;Jirón A 1
1;Otra cosa;hospital;Ucayali;;;;;;;
;;;;;;;;;;
3;  ;posta;Ucayali;;;;;;;
4;Posta Ñaña;centro de salud;Narnia;;;;;;;
5;Posta Ñaña;centro de salud;Ucayali;Padre Abad;llamar a Ñaña;Lun a Vie 8-14;-9,03;-75,5;;
6;Hogar de refugio Luz;;Ucayali;;061 999999;;-8,4;-74,5;;Jirón Secreto 7
7;Cosa;;Ucayali;;99;;;;;
8;Hospital de Manantay;hospital;Ucayali;;061 575209;;40,1;40,1;x;;de más
9;=HYPERLINK("x");posta;Ucayali;;;;;;;
""".encode("cp1252")


def brings(engine: Engine, raw: bytes, hints: ImportHints | None = None, *, dry_run: bool = False) -> ImportReport:
    with writing(engine) as db:
        return run.import_file(db, raw, "carmen", TODAY, hints=hints, dry_run=dry_run)


def services(engine: Engine) -> int:
    with reading(engine) as db:
        return db.scalar(select(func.count()).select_from(ServiceRow)) or 0


def download(engine: Engine) -> str:
    with reading(engine) as db:
        return readers.as_csv(db)


def cells(engine: Engine, part: str) -> dict[str, str]:
    """The cells of the one service whose name or id holds this."""
    with reading(engine) as db:
        rows = [cells_of(row) for row in db.scalars(select(ServiceRow))]
    return next(row for row in rows if part in row["name"] or part == row["id"])


def foreign(engine: Engine, service: str) -> dict[str, str]:
    with reading(engine) as db:
        told: dict[str, str] = json.loads(db.get_one(ForeignRow, service).told)
    return told


def said(report: ImportReport) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for one in (*report.problems, *report.remarks):
        found.setdefault(one.line, set()).add(one.said.message)
    return found


# ── our own file ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_shipped_file_and_the_download_change_nothing(engine: Engine) -> None:
    for raw in (SHIPPED, download(engine).encode(), b"\xef\xbb\xbf" + download(engine).encode()):
        report = brings(engine, raw)
        assert (report.rows, report.stored, report.unchanged, report.problems) == (MANY, 0, MANY, [])


def test_the_download_has_the_columns_of_the_shipped_file_and_the_same_cells(engine: Engine) -> None:
    def read(text: str) -> dict[str, dict[str, str]]:
        return {
            row["id"]: {name: readers.unguarded(cell) for name, cell in row.items()}
            for row in csv.DictReader(io.StringIO(text))
        }

    assert read(download(engine)) == read(SHIPPED.decode())
    assert download(engine).split("\n")[0] == SHIPPED.decode().split("\n")[0].strip()


SPOILT = ("linea100", "chat100", "linea113", "defensoria")
CELLS = st.tuples(
    st.text(max_size=60), st.sampled_from(["+51 1 203 3333", "=1+1", "@x", "-5", "'=1", "''+1"])
)  # notes, phone


@given(cells=st.tuples(*[CELLS] * len(SPOILT)))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_cell_is_safe_in_a_spreadsheet_and_comes_back_as_it_was(
    engine: Engine, cells: tuple[tuple[str, str], ...]
) -> None:
    for service, (notes, phone) in zip(SPOILT, cells, strict=True):
        with writing(engine) as db:
            found = curation.entry(db, service, TODAY)
            assert found is not None
            curation.edit(db, service, {"notes": notes, "phone": phone}, "carmen", "why", TODAY, found.stamp)
    text = download(engine)
    assert not [cell for row in csv.reader(io.StringIO(text)) for cell in row if cell[:1] in set("=+-@\t\r")]
    assert brings(engine, text.encode()).unchanged == MANY


def test_one_bad_row_holds_the_whole_of_our_file_back_and_every_row_is_accounted_for(engine: Engine) -> None:
    report = brings(engine, SHIPPED.replace(b",SHELTER,", b",CASTLE,").replace(b"linea100,", b"linea100b,"))
    assert (report.rows, report.stored, report.listed) == (MANY, 0, MANY)
    assert services(engine) == MANY


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16"])
def test_our_file_is_read_as_spreadsheets_write_it(engine: Engine, separator: str, code: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(csv.reader(io.StringIO(SHIPPED.decode())))
    assert brings(engine, out.getvalue().encode(code)).unchanged == MANY


# ── a file of somebody else ─────────────────────────────────────────────────────────────────────────────────


def test_of_a_wild_file_every_row_is_stored_or_listed_with_its_line_and_a_reason(engine: Engine) -> None:
    report = brings(engine, WILD)
    assert report.rows == 10, "a line of empty cells is no row"
    assert report.rows == report.stored + report.unchanged + report.listed
    assert report.stored == services(engine) - MANY == 4
    told = said(report)
    assert told[3] == {TWICE}
    assert told[4] == {SAME_ID}
    assert told[6] == {BLANK_NAME}
    assert told[7] == {NO_PLACE}
    assert told[8] >= {NO_NUMBER, NO_ORGANISATION}
    assert HOURS_NOT_UNDERSTOOD not in told[8]
    assert told[2] >= {SWAPPED, HOURS_NOT_UNDERSTOOD, NEW_ID}
    assert SHELTER_ADDRESS in told[9]
    assert told[10] == {NO_TYPE}
    assert told[11] == {BAD_CELLS}


def test_a_second_time_changes_nothing(engine: Engine) -> None:
    first = brings(engine, WILD)
    before = snapshot.snapshot_of(partial(reading, engine)).version
    again = brings(engine, WILD)
    assert (again.stored, again.unchanged, again.listed) == (0, first.stored, first.listed)
    assert snapshot.snapshot_of(partial(reading, engine)).version == before


def test_a_dry_run_says_the_same_and_changes_nothing(engine: Engine) -> None:
    looked = brings(engine, WILD, dry_run=True)
    assert services(engine) == MANY
    done = brings(engine, WILD)
    assert run.as_json(looked) == run.as_json(done)


def test_a_swapped_point_is_kept_the_right_way_round(engine: Engine) -> None:
    brings(engine, WILD)
    told = foreign(engine, cells(engine, "Rural de Pucallpa")["id"])
    assert (told["_lat"], told["_lon"]) == ("-8.38", "-74.53")


def test_of_a_shelter_nothing_is_kept_that_could_say_where_it_is(engine: Engine) -> None:
    brings(engine, WILD)
    row = cells(engine, "refugio Luz")
    assert row["service_type"] == "SHELTER"
    with reading(engine) as db:
        history = db.scalars(select(HistoryRow.changes)).all()
    kept = [row["address"], json.dumps(foreign(engine, row["id"])), *history]
    assert not [one for one in kept if "Secreto" in one or "8.4" in one or "8,4" in one]


def test_what_a_foreign_file_brings_is_no_door_until_somebody_confirms_it(engine: Engine) -> None:
    brings(engine, WILD)
    held = snapshot.snapshot_of(partial(reading, engine))
    fresh = [card for card in held.cards.by_id.values() if "Rural de Pucallpa" in card.name or "Ñaña" in card.name]
    assert fresh
    assert not [card for card in fresh if is_listed(card) or card.tel]


def test_a_foreign_file_never_overwrites_what_the_team_confirmed(engine: Engine) -> None:
    brings(engine, WILD)
    with writing(engine) as db:
        service = cells(engine, "Rural de Pucallpa")["id"]
        found = curation.entry(db, service, TODAY)
        assert found is not None
        curation.confirm(db, service, "rosa", TODAY, found.stamp)
    report = brings(engine, WILD.replace(b"061 575209", b"061 000000"))
    assert CHANGED_SINCE in said(report)[2]
    assert cells(engine, service)["phone"] == "061 575209"


def test_likely_duplicates_are_shown_and_never_merged(engine: Engine) -> None:
    twins = """id,nombre,tipo,departamento,telefono
a,Centro de Salud San Fernando,posta,Ucayali,061 575 100
b,Centro Salud San Fernándo,posta,Ucayali,061-575-100
c,Centro de Salud Nueve de Octubre,posta,Ucayali,061 575 101
"""
    report = brings(engine, twins.encode())
    assert report.stored == 3
    with reading(engine) as db:
        names = {row.id: row.name for row in db.scalars(select(ServiceRow))}
    assert [{names[one], names[other]} for one, other in report.likely_twice] == [
        {"Centro de Salud San Fernando", "Centro Salud San Fernándo"}
    ]


def test_what_the_file_does_not_say_a_person_can(engine: Engine) -> None:
    raw = b"nombre\nUno\nDos\n"
    assert brings(engine, raw).listed == 2
    assert brings(engine, raw, ImportHints("file", "HEALTH_PRIMARY", "25")).stored == 2


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ({"ubigeo": "250102"}, ("25", "Coronel Portillo")),
        ({"ubigeo": "40101"}, ("04", "Arequipa")),
        ({"departamento": "JUNÍN", "provincia": "satipo"}, ("12", "Satipo")),
        ({"provincia": "Talara"}, ("20", "Talara")),
    ],
)
def test_a_place_is_read_from_its_code_or_name(engine: Engine, told: dict[str, str], place: tuple[str, str]) -> None:
    raw = ";".join(["nombre", "tipo", *told]) + "\n" + ";".join(["Una posta", "posta", *told.values()])
    assert brings(engine, raw.encode()).stored == 1
    row = cells(engine, "Una posta")
    assert (row["regions_inei"], row["province"]) == place


# ── anything ────────────────────────────────────────────────────────────────────────────────────────────────

BITS = st.sampled_from(
    [
        b"nombre",
        b";",
        b",",
        b"\n",
        b'"',
        b"\r",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\0",
        b"{",
        b"[",
        b"]",
        b"}",
        b'{"name":',
        b"ubigeo",
        b"250101",
        b"\xf1",
        b"'=",
        b"posta",
        b"1e999",
        b"NaN",
        b"id",
        b'"\\ud800"',
        b'{"name":"x","phones":[{}],"schedules":[1]}',
        b"lat",
        b"lon",
    ]
)


@given(raw=st.one_of(st.binary(max_size=300), st.lists(BITS, max_size=40).map(b"".join)))
@example(raw=b"[" * 5000)
@example(raw=b'[{"name":"x","id":"\\ud800","organization":{"name":[]},"location":[]}]')
@example(raw=b"nombre;\xed\xb0\x80;tipo\n1;2;posta\n")
@example(raw=b'nombre\n"' + b"x" * 200_000)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_crash_it_and_no_row_is_lost(engine: Engine, raw: bytes) -> None:
    hints = ImportHints("f", "HEALTH_PRIMARY", "25")
    first, again = brings(engine, raw, hints), brings(engine, raw, hints)
    assert first.rows == first.stored + first.unchanged + first.listed
    assert again.stored == 0


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LONGEST_FILE", 10)
    assert readers.read(b"nombre\n" * 10)[1] == i18n.said(TOO_LARGE)


# ── HSDS ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_services_of_the_open_standard_come_in_with_their_ids(engine: Engine) -> None:
    folder = Path(requires("hsds"))
    read = 0
    for file in sorted(folder.rglob("service*.json")):
        if "schema" in file.parts or "compiled" in file.as_posix():
            continue
        report = brings(engine, file.read_bytes(), ImportHints(file.name, "HEALTH_PRIMARY", "25"))
        assert report.rows == report.stored + report.unchanged + report.listed, file
        read += report.rows
        assert brings(engine, file.read_bytes(), ImportHints(file.name, "HEALTH_PRIMARY", "25")).stored == 0, file
    assert read > 128


def test_a_service_of_the_open_standard_keeps_number_hours_and_place(engine: Engine) -> None:
    service = {
        "id": "ac148810-d857-441c-9679-408f346de14b",
        "name": "Clínica móvil",
        "status": "active",
        "phones": [{"number": "061 123456"}],
        "organization": {"name": "Una ONG"},
        "alert": "toca dos veces",
        "schedules": [{"byday": "MO,TU", "opens_at": "08:00", "closes_at": "14:00"}],
        "service_at_locations": [
            {"location": {"latitude": -8.38, "longitude": -74.53, "external_identifier": "250101"}}
        ],
    }
    report = brings(engine, json.dumps({"contents": [service]}).encode())
    assert (report.stored, report.problems) == (1, [])
    row, told = cells(engine, "Clínica móvil"), foreign(engine, "ac148810-d857-441c-9679-408f346de14b")
    assert (row["phone"], row["hours"], row["province"]) == ("061 123456", "Mo,Tu 08:00-14:00", "Coronel Portillo")
    assert (told["organization"], told["_lat"]) == ("Una ONG", "-8.38")
    closed = json.dumps([service | {"id": "x", "status": "defunct"}])
    assert brings(engine, closed.encode()).problems[0].said.message == HAS_ENDED
