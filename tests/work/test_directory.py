"""The directory: what is shipped comes in whole and unchanged, and what a page asks for comes out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from referrals.directory import reviewed_data, snapshot
from referrals.directory.card import INSURED
from referrals.directory.importing import run, shipped
from referrals.directory.importing.report import HELD_BACK, ImportReport
from referrals.directory.models import CoverageRow, HistoryRow, ServiceRow
from referrals.directory.rows import COLUMNS
from referrals.help import answers as referrals_help
from referrals.help import texts
from referrals.help.answers import help_for, help_with, national_lines
from referrals.matching.offers import NEVER_REPLACED
from reporting.storage.database import reading, writing
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS

SHIPPED = (reviewed_data.DATA / "services-pe.csv").read_text(encoding="utf-8")
ROWS = list(csv.DictReader(io.StringIO(SHIPPED)))
Reading = Callable[[], AbstractContextManager[Session]]

NOON = 1795539600.0  # 2026-11-24, twelve o'clock in Lima


@pytest.fixture
def look(engine: Engine) -> Reading:
    return partial(reading, engine)


def coverage(db: Session, service: str) -> set[str]:
    return set(db.scalars(select(CoverageRow.place).where(CoverageRow.service == service)))


def as_csv(rows: list[dict[str, str]], delimiter: str = ",", columns: tuple[str, ...] = COLUMNS) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter=delimiter, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def a_row(**told: str) -> dict[str, str]:
    """A good row, changed as told."""
    plain = dict.fromkeys(COLUMNS, "")
    good = {
        "id": "casa_abierta",
        "name": "Casa Abierta",
        "service_type": "LEGAL_NGO",
        "sector": "ngo",
        "coverage": "region",
        "regions_inei": "20",
        "status": "seen",
        "source": "a leaflet",
    }
    return plain | good | told


def brings(db: Session, text: str, *, dry_run: bool = False) -> ImportReport:
    return run.bring_in(db, text.encode(), by=None, dry_run=dry_run)


# ── what is shipped ───────────────────────────────────────────────────────────────────────────────────────


def test_all_rows_come_in_and_every_cell_is_as_it_was(look: Reading) -> None:
    assert len(ROWS) > 900
    with look() as db:
        stored = db.scalars(select(ServiceRow)).all()
        kept = {row.id: {column: getattr(row, column) for column in COLUMNS} for row in stored}
    assert kept.keys() == {row["id"] for row in ROWS}
    for row in ROWS:
        assert kept[row["id"]] == row


def test_no_number_is_shown_that_the_file_does_not_hold(look: Reading) -> None:
    typed = {row["phone"] for row in ROWS}
    for card in snapshot.snapshot_of(look).cards.by_id.values():
        assert not card.phone or any(card.phone in phone for phone in typed)
        digits = card.tel.removeprefix("tel:")
        own = digits.removeprefix("+51").removeprefix("1")  # without the codes of the country and of Lima
        assert not digits or any(own in re.sub(r"\D", "", phone) for phone in typed)


def test_a_second_load_changes_nothing(engine: Engine, look: Reading) -> None:
    before = snapshot.snapshot_of(look).version
    with writing(engine) as db:
        again = shipped.load_shipped(db)
    assert (again.stored, again.unchanged, again.problems) == (0, len(ROWS), [])
    assert snapshot.snapshot_of(look).version == before


def test_nobody_has_done_anything_to_a_service_that_came_with_the_program(look: Reading) -> None:
    with look() as db:
        assert db.scalars(select(HistoryRow)).all() == []


def test_national_wins_over_a_list_of_regions(look: Reading) -> None:
    with look() as db:
        assert coverage(db, "linea100") == {"PE"}
        assert coverage(db, "alegra") == {"PE"}


def test_every_service_serves_some_place(look: Reading) -> None:
    with look() as db:
        assert all(coverage(db, row["id"]) for row in ROWS)


@pytest.mark.parametrize(
    ("service", "places"),
    [
        ("alegra_satipo", {"PE1206"}),
        ("upe_lima", {"PE1501"}),
        ("upe_lima_norte_callao", {"PE0701", "PE1501"}),
        ("cem-regular-huancayo-12", {"PE12"}),
        ("cerits_sanjose_piura", {"PE20"}),  # "Piura?" is no exact name
    ],
)
def test_a_province_counts_only_when_it_is_named_exactly(look: Reading, service: str, places: set[str]) -> None:
    with look() as db:
        assert coverage(db, service) == places


def test_no_shelter_has_an_address_a_place_where_it_stands_or_a_number_of_its_own(look: Reading) -> None:
    with look() as db:
        shelters = db.scalars(select(ServiceRow).where(ServiceRow.service_type == "SHELTER")).all()
        assert len(shelters) == 32
        assert {(row.address, row.site, row.phone) for row in shelters} == {("", "", "")}
    held = snapshot.snapshot_of(look)
    assert {held.service(row["id"]).through for row in ROWS if row["id"].startswith("hrt-")} == {"linea100"}


def test_a_note_stays_beside_the_number_and_out_of_the_link(look: Reading) -> None:
    card = snapshot.snapshot_of(look).service("iessdeh")
    assert (card.phone, card.phone_note, card.tel) == ("+51 1 203 3333", "impreso en 2009", "tel:+5112033333")


@pytest.mark.parametrize(
    ("service", "tel"),
    [
        ("linea100", "tel:100"),
        ("linea1810", "tel:1810"),
        ("defensoria", "tel:080015170"),
        ("chat100", ""),
        ("fono_alegra", ""),  # its number stands in the name only, unconfirmed
    ],
)
def test_a_link_to_call_is_what_was_typed(look: Reading, service: str, tel: str) -> None:
    assert snapshot.snapshot_of(look).service(service).tel == tel


def test_an_answer_with_a_note_is_read_and_an_empty_one_is_unknown(look: Reading) -> None:
    held = snapshot.snapshot_of(look)
    assert held.service("alegra").accepts_no_id == "no"  # "no (página pide DNI y mayoría de edad)"
    assert held.service("fiscalia").accepts_no_id == "yes"
    assert held.service("linea1810").minors == "only"
    assert held.service("sau-arequipa-04").is_24h == "unknown"


def test_police_is_never_blank_and_unknown_only_where_a_name_and_an_address_disagree() -> None:
    unknown = {row["id"] for row in ROWS if row["police_inside_or_run"] not in {"yes", "no"}}
    assert unknown == {
        "cem-regular-corongo-02",  # second floor of the police station
        "cem-regular-pangoa-12",  # between the police station and the market
        "cem-regular-tacna-23",  # "Comisaria de Familia"
        "cem-centro-de-salud-santa-julia-20",  # neither "Regular" nor a police station in its name
    }
    assert all(row["police_inside_or_run"] for row in ROWS)


def test_a_centre_with_a_police_station_in_its_name_is_of_the_type_that_lies_in_one() -> None:
    named = {row["id"] for row in ROWS if re.search(r"comisar|pnp", row["name"].casefold()) and "CEM" in row["name"]}
    assert len(named) > 180
    for row in ROWS:
        inside = row["service_type"] == "VIOLENCE_CENTRE_POLICE"
        assert inside == (row["id"] in named), row["id"]
        assert not inside or row["police_inside_or_run"] == "yes"


def test_every_shipped_row_names_its_source_and_when_and_nothing_is_said_to_be_verified() -> None:
    for row in ROWS:
        assert row["source"] or row["status"] == "unverified", row["id"]
        assert not row["source"] or row["source_date"] or row["status"] == "unverified", row["id"]
        assert row["verified_on"] == ""


def test_no_placeholder_is_shipped() -> None:
    assert not [row["id"] for row in ROWS if re.search(r"por identificar|: \d+ regulares", row["name"])]
    assert not {row["id"] for row in ROWS} & {row["service"] for row in read_table("retired-services.csv")}


def test_each_place_where_a_service_stands_is_in_the_tree_and_has_a_seat() -> None:
    names = {row["code"]: row["name"] for row in read_table("places-pe.csv")}
    seats = reviewed_data.seats("PE")
    assert len(seats) == len(names) - 1, "all but the country itself"
    for row in ROWS:
        if row["site"]:
            assert row["site"][:2] in row["regions_inei"], row["id"]
            assert names["PE" + row["site"][:4]] == row["province"], row["id"]
            assert "PE" + row["site"] in seats, row["id"]


# ── the data beside it ────────────────────────────────────────────────────────────────────────────────────


def test_tables_name_only_services_types_and_needs_that_exist() -> None:
    ids, types = {row["id"] for row in ROWS}, reviewed_data.service_types()
    assert {row["service_type"] for row in ROWS} <= types.keys()
    for kind in types.values():
        assert set(kind["needs"]) <= NEEDS.keys()
        assert set(kind.get("sure", ())) <= set(kind["needs"])
        assert kind.get("through", "linea100") in ids
        assert kind.get("police", "no") in {"yes", "no"}
        for said in ("sure", "through", "police"):
            basis = "basis" if said == "through" else f"{said}_basis"
            assert bool(kind.get(said)) == bool(kind.get(basis)), kind
    for row in read_table("service-needs.csv"):
        assert row["service"] in ids
        assert row["need"] in NEEDS
        assert row["answer"] in {"yes", "no", "unknown"}
        assert row["basis"]
    for row in read_table("service-warnings.csv"):
        assert row["service"] in ids | types.keys() | {INSURED}
        assert row["line"] in {"", *ids}
        assert row["basis"]


def test_every_need_but_companions_has_a_national_line_that_is_not_the_police_s() -> None:
    by_id = {row["id"]: row for row in ROWS}
    lines = {row["need"]: row["lines"].split(";") for row in read_table("fallback-lines.csv") if row["country"] == "PE"}
    assert lines.keys() == (NEEDS.keys() - NEVER_REPLACED) | {"BOX", "LAST"}
    for line in {line for several in lines.values() for line in several}:
        assert by_id[line]["coverage"] == "national"
        assert by_id[line]["phone"]
        assert by_id[line]["police_inside_or_run"] == "no"


def read_table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((reviewed_data.DATA / name).read_text(encoding="utf-8"))))


# ── a file of somebody's ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_commas_semicolons_and_a_byte_order_mark_are_read(engine: Engine, delimiter: str, mark: str) -> None:
    with writing(engine) as db:
        done = brings(db, mark + as_csv([a_row()], delimiter))
        assert (done.stored, done.problems) == (1, [])
        assert coverage(db, "casa_abierta") == {"PE20"}


@pytest.mark.parametrize(
    "told",
    [
        {"id": ""},
        {"id": "two words"},
        {"name": ""},
        {"service_type": "CASTLE"},
        {"coverage": "planet"},
        {"regions_inei": ""},
        {"regions_inei": "99"},
        {"verified_on": "yesterday"},
        {"service_type": "SHELTER", "address": "Jirón Secreto 1"},
    ],
)
def test_a_bad_row_is_named_by_its_line_and_nothing_comes_in(engine: Engine, told: dict[str, str]) -> None:
    text = as_csv([a_row(id="good"), a_row(**told)])
    with writing(engine) as db:
        done = brings(db, text)
        assert done.stored == 0
        assert {problem.line for problem in done.problems if problem.said.message != HELD_BACK} == {3}
        assert db.get(ServiceRow, "good") is None


def test_a_line_is_that_of_the_file_even_after_a_cell_of_two_lines(engine: Engine) -> None:
    text = as_csv([a_row(name=""), a_row(id="good", notes="one\ntwo"), a_row(id="other", name="")])
    with reading(engine) as db:
        problems = brings(db, text).problems
    assert [problem.line for problem in problems if problem.said.message != HELD_BACK] == [2, 5]


def test_an_id_that_stands_twice_is_a_problem(engine: Engine) -> None:
    with reading(engine) as db:
        assert brings(db, as_csv([a_row(), a_row()])).problems


def test_trying_an_import_leaves_everything_as_it_was(engine: Engine, look: Reading) -> None:
    before = snapshot.snapshot_of(look).version
    with writing(engine) as db:
        assert brings(db, as_csv([a_row()]), dry_run=True).problems == []
        assert db.get(ServiceRow, "casa_abierta") is None
    assert snapshot.snapshot_of(look).version == before


def test_a_changed_row_reaches_the_pages_at_once(engine: Engine, look: Reading) -> None:
    assert snapshot.snapshot_of(look).service("chat100").phone == ""
    row = next(row for row in ROWS if row["id"] == "chat100")
    with writing(engine) as db:
        brings(db, as_csv([row | {"name": "Chat 100, renovado"}]))
    assert snapshot.snapshot_of(look).service("chat100").name == "Chat 100, renovado"


def test_a_row_that_moves_leaves_its_old_place(engine: Engine) -> None:
    with writing(engine) as db:
        brings(db, as_csv([a_row()]))
        brings(db, as_csv([a_row(regions_inei="04")]))
        assert coverage(db, "casa_abierta") == {"PE04"}


# ── the doors of the pages ────────────────────────────────────────────────────────────────────────────────


def test_the_copy_in_memory_is_kept_until_something_changes(look: Reading) -> None:
    assert snapshot.snapshot_of(look) is snapshot.snapshot_of(look)


def test_the_lines_of_the_box_are_national_free_of_police_and_can_be_called(look: Reading) -> None:
    held = snapshot.snapshot_of(look)
    lines = national_lines(held, NOON)
    assert lines
    for line in lines:
        card = held.service(line.service_id)
        assert line.tel
        assert card.police == "no"
        assert card.coverage_national


def test_provinces_are_those_of_the_department(look: Reading) -> None:
    held = snapshot.snapshot_of(look)
    assert referrals_help.provinces(held, "PE25") == {
        "PE2502": "Atalaya",
        "PE2501": "Coronel Portillo (Pucallpa)",
        "PE2503": "Padre Abad (Aguaytía)",
        "PE2504": "Purús (Puerto Esperanza)",
    }
    assert referrals_help.provinces(held, "") == {}


def test_a_station_may_be_named_as_having_refused_and_is_then_never_offered(look: Reading) -> None:
    held = snapshot.snapshot_of(look)
    assert "cem-comisaria-yarinacocha-25" in referrals_help.could_have_refused(held, "PE25")
    refused = "cem-regular-pucallpa-25"
    incident = Incident(department="PE25", wants=frozenset({"W_LEGAL"}), refused_by=frozenset({refused}))
    found = help_for(held, incident, NOON, languages=("es",))
    offered = {offer.service_id for need in found.needs for offer in need.offers}
    assert refused not in offered
    assert found.hidden["REFUSED"] == 1


def test_who_was_refused_by_a_row_that_stood_for_many_is_sent_to_none_of_them(look: Reading) -> None:
    held = snapshot.snapshot_of(look)
    incident = Incident(department="PE25", wants=frozenset({"W_LEGAL"}), refused_by=frozenset({"cem_ucayali"}))
    found = help_for(held, incident, NOON, languages=("es",))
    types = {held.service(offer.service_id).service_type for need in found.needs for offer in need.offers}
    assert "VIOLENCE_CENTRE" not in types
    assert found.hidden["REFUSED"] >= 4
    may_be_proposed = {service for service, _ in referrals_help.services_for(held, incident)}
    assert not {service for service in may_be_proposed if service.startswith("cem-regular-")}


def test_places_that_may_have_refused_her_are_those_of_her_region_those_of_her_province_first(look: Reading) -> None:
    held = snapshot.snapshot_of(look)
    services = list(referrals_help.could_have_refused(held, "PE20", "PE2006"))
    sites = [held.service(service).site[:6] for service in services]
    assert sites[0] == "PE2006"
    assert "PE2006" not in sites[sites.count("PE2006") :]
    assert services
    assert {site[:4] for site in sites if site} == {"PE20"}


def test_hidden_places_are_counted_once_however_many_needs_they_serve(look: Reading) -> None:
    held = snapshot.snapshot_of(look)
    incident = Incident(department="PE25", police_safe="no", wants=frozenset({"W_LEGAL", "W_REPORT", "W_SHELTER"}))
    found = help_for(held, incident, NOON, languages=("es",))
    assert 0 < found.hidden_for_police <= sum(card.police == "yes" for card in held.cards.by_id.values())
    shown = help_for(held, incident, NOON, languages=("es",), police_shown=True)
    assert shown.hidden_for_police == 0


def test_help_without_a_report_is_careful_about_the_police(look: Reading) -> None:
    held = snapshot.snapshot_of(look)
    careful = help_with(held, ["N_REPORT_ROUTE"], "PE20", NOON, languages=("es",))
    offered = {offer.service_id for need in careful.needs for offer in need.offers}
    assert not {card for card in offered if held.service(card).police == "yes"}
    assert careful.hidden_for_police


def test_while_she_is_still_telling_only_what_cannot_wait_is_shown(look: Reading) -> None:
    incident = Incident(department="PE20", violence=frozenset({"RAPE"}), condom="no", hours=(5.0, 5.0))
    found = help_for(snapshot.snapshot_of(look), incident, NOON, languages=("es",), only=["N_PEP"])
    assert [need.need.code for need in found.needs] == ["N_PEP"]


def test_names_of_places_and_services_are_found_by_code(look: Reading) -> None:
    names = referrals_help.names(snapshot.snapshot_of(look))
    assert names["PE2501"] == "Coronel Portillo"
    assert names["samu106"].startswith("SAMU 106")


def test_a_child_is_told_first_in_her_language_or_in_spanish() -> None:
    assert texts.child_policy("qu") == texts.child_policy("es") != texts.child_policy("en")
