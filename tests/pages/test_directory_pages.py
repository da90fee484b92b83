"""The directory on pages: who may do what, her flag, a file from a browser, the rules in both languages."""

from __future__ import annotations

import html
import io
import re
import tempfile

import pytest
from flask import Flask
from sqlalchemy import inspect, select

from referrals.directory import curation, rows
from referrals.directory.importing import readers
from referrals.directory.models import FlagRow
from referrals.matching import read_back
from referrals.needs import rulebook, rules
from reporting.storage.database import Base, reading
from tests.copies import Filling, with_known_coordinator
from tests.people import Place
from tests.phone import Phone
from tests.trips import say, signs_in
from tests.work.test_importing import MANY, SHIPPED, WILD

SERVICE = "/es/equipo/directorio/servicio/cem-regular-pucallpa-25"


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_known_coordinator


@pytest.fixture
def carmen(app: Flask, place: Place) -> Phone:
    return signs_in(app, place, place.workers["carmen"])


@pytest.fixture
def rosa(app: Flask, place: Place) -> Phone:
    return signs_in(app, place, place.workers["rosa"])


# ── a service ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_case_worker_confirms_in_one_click_and_cannot_change(rosa: Phone) -> None:
    rosa.opens(SERVICE)
    assert "/cambiar" not in rosa.text
    rosa.presses("confirm")
    assert say("Written down: still true today.") in rosa.words
    assert say("confirmed: still true") in rosa.words
    rosa.repeats(SERVICE + "/cambiar", {"name": ["x"], "why": ["y"]})
    assert rosa.status in {403, 404}


def test_a_coordinator_changes_a_cell_with_a_reason_and_not_without(carmen: Phone) -> None:
    carmen.opens(SERVICE)
    carmen.presses("edit", phone="061 123456")
    assert carmen.status == 422
    assert "061 123456" in carmen.text, "what she typed is kept"
    carmen.presses("edit", phone="061 123456", why="me lo dijo la municipalidad")
    assert say("Changed.") in carmen.words
    assert "me lo dijo la municipalidad" in carmen.words


def test_what_was_understood_of_hours_and_telephone_is_read_back(carmen: Phone) -> None:
    carmen.opens(SERVICE)
    hours, phone = (
        "L-V 8 a.m. a 4 p.m.; domingos y feriados cerrado",
        "(061) 575-555 anexo 12 / solo WhatsApp 961000000",
    )
    carmen.presses("edit", hours=hours, is_24h="", phone=phone, why="x", service_type="VIOLENCE_CENTRE")
    assert hours in carmen.words
    assert phone in carmen.words
    assert "De lunes a viernes: 08:00-16:00. Feriados: cerrado." in " ".join(carmen.words.split())
    assert "Se marca: +5161575555, luego el anexo 12." in carmen.words
    assert "Solo para mensajes: +51961000000." in carmen.words
    carmen.presses("edit", hours="según turno", phone="ACTUALIZAR", why="x", service_type="VIOLENCE_CENTRE")
    assert say(read_back.HOURS_UNKNOWN) in carmen.words
    assert say(read_back.NO_NUMBER_UNDERSTOOD) in carmen.words


def test_a_shelter_s_address_is_refused_on_the_page_in_words(carmen: Phone, place: Place) -> None:
    carmen.opens(SERVICE)
    carmen.presses("edit", service_type="SHELTER", address="Jirón Secreto 1", why="x")
    assert carmen.status == 422
    assert say("A shelter's address is never stored: leave it out.") in carmen.words
    assert b"Secreto" not in (place.settings.instance / "amparo.db").read_bytes()


def test_two_who_change_the_same_service_are_told(carmen: Phone, rosa: Phone) -> None:
    carmen.opens(SERVICE)
    rosa.opens(SERVICE)
    rosa.presses("confirm")
    carmen.presses("edit", hours="nunca", why="x")
    assert carmen.status == 409
    assert say("Somebody else changed this meanwhile. Look at it as it is now, then do it again.") in carmen.words


def test_calls_are_written_down_one_after_another(rosa: Phone) -> None:
    rosa.opens("/es/equipo/directorio/llamadas/PE25")
    first = re.search(r'href="(/es/equipo/directorio/llamadas/PE25/[^"]+)"', rosa.text)
    assert first
    rosa.opens(first.group(1))
    seen = [rosa.path]
    for button, typed in (("learned", {"hours": "L-V 9:00-13:00", "minors": "yes"}), ("nobody", {}), ("skip", {})):
        rosa.presses(button, **typed)
        seen.append(rosa.path)
    assert len(set(seen)) == 4
    rosa.opens(first.group(1).replace("llamadas/PE25", "servicio"))
    assert "L-V 9:00-13:00" in rosa.words


def test_what_is_too_long_for_a_cell_is_not_cut_in_silence_but_comes_back(carmen: Phone) -> None:
    carmen.opens(SERVICE)
    before = carmen.text.count('<li class="c-card">')
    carmen.presses("edit", notes="ñ" * (rows.LONGEST + 1), why="me lo dijeron", service_type=None)
    assert carmen.status == 422
    assert say("This is too long.") in carmen.words
    assert carmen.form("edit").values["notes"] == ["ñ" * (rows.LONGEST + 1)]
    assert carmen.form("edit").values["why"] == ["me lo dijeron"]
    carmen.presses("edit", notes="a\r\n" * (rows.LONGEST // 2 - 1) + "zz", service_type=None)
    assert carmen.status == 203, "an end of a line counts once, as a browser counts it"
    assert carmen.text.count('<li class="c-card">') == before + 1


def test_an_answer_of_a_call_that_nobody_offered_is_not_stored_and_the_rest_comes_back(rosa: Phone) -> None:
    rosa.opens("/es/equipo/directorio/llamadas/PE25")
    first = re.search(r'href="(/es/equipo/directorio/llamadas/PE25/[^"]+)"', rosa.text)
    assert first
    rosa.opens(first.group(1))
    for typed in ({"minors": "zz"}, {"hours": "0" * (rows.LONGEST + 1)}):
        rosa.presses("learned", **({"hours": "L-V 8-13"} | typed))
        assert rosa.status == 422
        assert rosa.form("learned").values["hours"] == [typed.get("hours", "L-V 8-13")]
    rosa.presses("learned", minors="only")
    rosa.opens(first.group(1).replace("llamadas/PE25", "servicio"))
    assert "zz" not in rosa.words


def test_words_to_look_for_that_are_too_long_come_back_and_find_nothing(rosa: Phone) -> None:
    rosa.opens("/es/equipo/directorio")
    listed = rosa.text.count('<li class="c-card">')
    rosa.sends("q", q=f"  {'x' * 81}  ")
    assert rosa.status == 422
    assert say("This is too long.") in rosa.words
    assert rosa.form(holding="q").values["q"] == ["x" * 81]
    assert rosa.text.count('<li class="c-card">') == listed
    rosa.sends("q", q="x" * 80)
    assert (rosa.status, rosa.text.count('<li class="c-card">')) == (203, 0)


# ── a file ──────────────────────────────────────────────────────────────────────────────────────────────────


def uploads(desk: Phone, raw: bytes, go: str) -> str:
    desk.opens("/es/equipo/directorio/traer")
    token = re.search(r'name="f"[^>]*value="([^"]+)"', desk.text)
    assert token
    form = {"f": token.group(1), "kind": "", "region": "", "go": go, "file": (io.BytesIO(raw), "lista.csv")}
    return desk._read(desk.client.post("/es/equipo/directorio/traer", data=form, buffered=True))  # noqa: SLF001


def test_a_file_is_looked_at_first_and_touches_no_disk(carmen: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file(*_args: object, **_parts: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_file)
    uploads(carmen, WILD + b"\n" * 200_000, "look")
    assert say("Only looked at: nothing was changed.") in carmen.words
    assert say("The name is blank.") in carmen.words
    carmen.opens("/es/equipo/directorio")
    carmen.sends("q", q="pucallpa")
    assert "Rural de Pucallpa" not in carmen.words
    uploads(carmen, WILD, "store")
    carmen.opens("/es/equipo/directorio")
    carmen.sends("q", q="pucallpa")
    assert "Rural de Pucallpa" in carmen.words


def test_a_list_that_is_cut_on_the_page_says_by_how_many(carmen: Phone) -> None:
    rows = "".join(f"Posta {number};100\n" for number in range(502))
    uploads(carmen, f"nombre;fono\n{rows}".encode(), "look")
    assert say("The list is cut: %(number)s more are not shown. The terminal shows all.", number="2") in carmen.words


@pytest.mark.parametrize("raw", [b"", b"\0\0", b"a,b\n1,2\n", b"[[[[", b"%PDF-1.4"])
def test_what_is_no_list_of_services_is_answered_in_words(carmen: Phone, raw: bytes) -> None:
    uploads(carmen, raw, "store")
    assert carmen.status == 422


def test_a_file_that_is_too_large_for_a_page_is_refused(carmen: Phone) -> None:
    uploads(carmen, b"nombre\n" * 800_000, "store")
    assert carmen.status == 413


def test_the_download_brought_in_again_changes_nothing(carmen: Phone) -> None:
    raw = carmen.client.get("/es/equipo/directorio/archivo").data
    uploads(carmen, raw, "store")
    assert f"{MANY} siguen igual" in carmen.words
    assert readers.read(SHIPPED)[0]


# ── her flag ────────────────────────────────────────────────────────────────────────────────────────────────


def flags(phone: Phone, what: str, page: str = "/es/ahora", **headers: str) -> int:
    """She presses what stands beside a service; the status of the answer. `page` empty: on the page she is on."""
    if page:
        phone.opens(page)
    form = next(form for form in phone.forms if form.id == "flag")
    data = {name: values[0] for name, values in form.values.items()} | {"flag": what}
    answer = phone.client.post(form.action, data=data, headers=headers, buffered=True)
    assert (answer.data == b"", answer.headers.getlist("Set-Cookie")) == (answer.status_code == 204, [])
    return answer.status_code


def counted_flags(place: Place) -> list[tuple[str, str, int]]:
    with reading(place.engine) as db:
        return [(row.service, row.kind, row.count) for row in db.scalars(select(FlagRow).order_by(FlagRow.kind))]


def test_one_press_on_her_page_flags_a_service_and_she_stays(app: Flask, place: Place) -> None:
    phone = Phone(app)
    assert flags(phone, "dead.samu106") == 204
    form = next(form for form in phone.forms if form.id == "flag")
    assert ("flag", "dead.samu106") in form.buttons
    assert form.values.keys() == {"t"}, "nothing of her goes along but a ticket"
    assert counted_flags(place) == [("samu106", "dead", 1)]


def test_a_flag_counts_once_a_trip_and_for_each_thing_that_is_wrong(app: Flask, place: Place) -> None:
    phone = Phone(app)
    assert [flags(phone, "dead.samu106"), *(flags(phone, "dead.samu106", page="") for _ in range(9))] == [204] * 10
    assert flags(phone, "unsafe.samu106", page="") == 204
    assert counted_flags(place) == [("samu106", "dead", 1), ("samu106", "unsafe", 1)]
    assert flags(Phone(app), "dead.samu106") == 204
    assert counted_flags(place)[0] == ("samu106", "dead", 2)


def test_a_flag_without_a_ticket_of_a_page_of_ours_counts_nothing(app: Flask, place: Place) -> None:
    client, other = Phone(app).client, Phone(app)
    other.opens("/es/volver")
    box = next(form for form in other.forms if "code" in form.kinds).values["t"][0]
    for ticket in ("", "x", box):
        answer = client.post("/es/aviso", data={"flag": "dead.samu106", "t": ticket}, buffered=True)
        assert answer.status_code == 410, ticket
    assert counted_flags(place) == []


def test_a_flag_leaves_nothing_but_its_count_and_a_mark_that_tells_nothing(app: Flask, place: Place) -> None:
    def counted() -> dict[str, int]:
        with place.engine.connect() as connection:
            names = inspect(connection).get_table_names()
            return {
                name: len(connection.execute(select(Base.metadata.tables[name])).all())
                for name in names
                if name in Base.metadata.tables
            }

    Phone(app).opens("/es/ahora")
    before = counted()
    assert flags(Phone(app), "unsafe.linea100") == 204
    assert {name for name, rows in counted().items() if rows != before[name]} == {"service_flag", "trip_mark"}


def test_a_flag_from_another_site_or_for_nothing_is_refused(app: Flask) -> None:
    phone = Phone(app)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (
        phone.client.post("/es/aviso", data={"flag": "dead.linea100"}, headers=foreign, buffered=True).status_code
        == 403
    )
    for flag in ("dead.nobody", "x.linea100", "", "dead"):
        assert flags(phone, flag) == 404


def test_the_team_sees_what_was_flagged_and_that_it_is_due(app: Flask, rosa: Phone) -> None:
    assert flags(Phone(app), "unsafe.linea100") == 204
    rosa.opens("/es/equipo/directorio")
    assert "Quienes reportan avisaron de 1." in rosa.words
    rosa.opens("/es/equipo/directorio/servicio/linea100")
    assert say(curation.FLAGS["unsafe"]) in rosa.words


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────


def every_row() -> tuple[rulebook.Row, ...]:
    return (*rulebook.definitions(), *rulebook.rules(), *rulebook.must_nots())


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_definition_rule_and_must_not_is_on_the_page_in_words(app: Flask, language: str) -> None:
    phone = Phone(app)
    phone.opens(f"/{language}/reglas")
    shown = set(re.findall(r'<section class="c-card paper-rule" id="([^"]+)"', phone.text))
    assert {f"R{number:02d}" for number in range(1, 36)} <= {row.split(".")[0] for row in shown}
    assert {row.id for row in (*rules.FACTS, *rules.RULES, *rules.MUST_NOT_ROWS, rules.RECORD_ONLY)} == {
        row.split(".")[0] for row in shown
    }
    for row in every_row():
        part = phone.text.split(f'id="{row.id}"')[1].split("</section>")[0]
        assert row.why[language].replace("'", "&#39;") in part
        assert row.says[language].replace("'", "&#39;") in part
        assert row.version in part
        assert all(source["id"] in part for source in row.sources)
        for limit in (row.after, row.until, row.signs_after, row.signs_until, row.closes):
            assert limit is None or str(int(limit)) in part
        for code in (*row.all, *row.any, *row.none):
            assert language != "es" or all(say(word) in html.unescape(part) for word in code if word)


def test_every_row_has_spanish_words_of_its_own() -> None:
    for row in every_row():
        assert row.why["es"] != row.why["en"]
        assert not row.says["en"] or row.says["es"] != row.says["en"]


def test_as_shipped_nobody_has_signed_and_the_page_says_so(app: Flask) -> None:
    rows = every_row()
    assert {row.state for row in rows} == {rulebook.UNSIGNED}
    phone = Phone(app)
    phone.opens("/es/reglas")
    assert phone.words.count(say("Nobody has signed this.")) == len(rows)


def test_a_signature_holds_for_the_version_it_names_and_no_other() -> None:
    version = next(row.version for row in rulebook.rules("") if row.id == "R04")
    head = ",".join(rulebook.SIGNATURE_COLUMNS)

    def state(signed: str) -> str:
        return next(row.state for row in rulebook.rules(f"{head}\n{signed}\n") if row.id == "R04")

    assert state(f"R04,{version},Ana Pérez,médica,2026-11-24") == rulebook.SIGNED
    assert state("R04,000000000000,Ana Pérez,médica,2026-11-24") == rulebook.OUTDATED
    assert state(f"R05.1,{version},Ana Pérez,médica,2026-11-24") == rulebook.UNSIGNED


def test_the_version_of_a_row_changes_with_anything_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    before = {row.id: row.version for row in rulebook.rules("")}
    changes = (
        {"closes": 71.0},
        {"urgency": "SOON"},
        {"says": "x"},
        {"why": "x"},
        {"sources": ("P",)},
        {"condition": rules.Condition(until=71)},
    )
    for change in changes:
        changed = tuple(dataclasses.replace(row, **change) if row.id == "R04" else row for row in rules.RULES)
        with monkeypatch.context() as patch:
            patch.setattr(rules, "RULES", changed)
            after = {row.id: row.version for row in rulebook.rules("")}
        assert {row for row in before if before[row] != after[row]} == {"R04"}, change


def test_the_rules_are_linked_from_staff_pages_and_from_no_page_of_hers(app: Flask, rosa: Phone) -> None:
    rosa.opens("/es/equipo/directorio")
    assert 'href="/es/reglas"' in rosa.text
    for path in ("/es/", "/es/ahora", "/es/ayuda", "/es/contar", "/es/volver", "/es/antes"):
        phone = Phone(app)
        phone.opens(path)
        assert "reglas" not in phone.text


def test_a_printed_sheet_left_lying_about_does_not_tell_for_whom_the_list_is(rosa: Phone) -> None:
    rosa.opens("/es/equipo/directorio/llamadas/PE25")
    hidden = r'(?s)<(div|p|details|header|section)\b[^>]*class="[^"]*\b(o-unprinted|o-bar|o-actions)\b[^"]*".*?</\1>'
    sheet = re.sub(hidden, "", rosa.text)
    assert "CEM Regular Pucallpa" in sheet
    for word in ("sexual", "trans ", "violencia"):
        assert word not in sheet.lower().split("<main")[1], word
