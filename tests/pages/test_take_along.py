"""The sheet for a doctor: what she ticks and nothing else, no name, no word about work unasked, and kept nowhere."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from referrals.help import doctor_sheet
from referrals.needs.rules import SOURCES
from reporting.app import create_app
from reporting.sessions import page_rows
from reporting.vocabulary.incident import Incident
from tests import disk
from tests.copies import Copies, nothing_more, on_engine
from tests.opening import values
from tests.people import Place
from tests.phone import Phone
from tests.trips import sends, starts_telling, tells

# twelve situations: what she ticks
TWELVE: dict[str, set[str]] = {
    "a condom broke this morning": {"since_24", "asks_pep", "asks_ec", "body_contact", "pregnancy_yes"},
    "two nights ago": {"since_72", "asks_pep", "asks_ec", "asks_sti", "pregnancy_unsure"},
    "four days ago": {"since_120", "asks_ec", "asks_sti", "asks_hepb", "pregnancy_yes"},
    "a month ago": {"since_later", "asks_pregnancy", "asks_sti"},
    "does not know when": {"since_unknown", "asks_check", "body_unconscious"},
    "strangled": {"since_24", "asks_check", "body_strangled", "please_with"},
    "hit on the head": {"since_24", "asks_check", "body_head"},
    "a wound": {"since_24", "asks_wound", "body_wound", "allergy_penicillin"},
    "a trans woman": {"since_72", "asks_pep", "please_name", "pregnancy_no"},
    "pregnant": {"since_24", "asks_check", "pregnancy_now", "body_pain", "allergy_other"},
    "wants to talk": {"asks_support", "please_alone"},
    "tells her work": {"since_24", "asks_pep", "allergy_none", "please_ask", "please_treat_first", "work_told"},
}
WORK = re.compile(r"trabajo sexual|trabajadora sexual|sex work|prostitu|meretriz|client", re.IGNORECASE)


def fields(ticked: set[str]) -> dict[str, list[str] | str]:
    """The same as fields of the form."""
    answers: dict[str, list[str] | str] = {}
    for group in doctor_sheet.groups():
        codes = [option.code for option in group.options if option.code in ticked]
        if codes:
            answers[group.name] = codes if group.many else codes[0]
    return answers


def makes(app: Flask, ticked: set[str], language: str = "es") -> Phone:
    phone = Phone(app)
    phone.opens(f"/{language}/hoja")
    phone.presses("make-sheet", **fields(ticked))
    return phone


def article(phone: Phone) -> str:
    return phone.text.partition("<article")[2].partition("</article>")[0]


@pytest.mark.parametrize("situation", TWELVE)
def test_the_sheet_says_what_she_ticked_and_nothing_else(app: Flask, situation: str) -> None:
    ticked = TWELVE[situation]
    phone = makes(app, ticked)
    assert phone.status == 203, phone.words[:300]
    options = [option for group in doctor_sheet.groups() for option in group.options]
    lines = re.findall(r"<li>(.*?)</li>", article(phone))
    assert sorted(lines) == sorted(option.sheet for option in options if option.code in ticked)
    assert bool(WORK.search(article(phone))) == ("work_told" in ticked)
    assert "Sin firmar: ningún profesional de la salud" in article(phone)


def test_the_sheet_is_in_spanish_whatever_language_she_reads(app: Flask) -> None:
    assert article(makes(app, TWELVE["strangled"], "en")) == article(makes(app, TWELVE["strangled"]))


def test_no_word_about_work_stands_anywhere_in_the_data_but_where_she_ticks_it() -> None:
    everything = doctor_sheet.sheet_of({option.code for group in doctor_sheet.groups() for option in group.options})
    told = {text for _, texts in everything.parts for text in texts if WORK.search(text)}
    assert told == {"que ejerce el trabajo sexual"}
    assert not [text for text in everything.words.values() if WORK.search(text)]


def test_every_question_of_the_sheet_names_a_source_that_was_seen() -> None:
    for row in doctor_sheet.rows():
        assert row["sources"], row["name"]
        assert all("seen" in SOURCES[source] for source in row["sources"]), row["name"]


def test_nothing_ticked_is_answered_with_a_clear_sentence(app: Flask) -> None:
    phone = makes(app, set())
    assert phone.status == 422
    assert "Marca al menos una cosa." in phone.words
    strange = Phone(app)
    strange.opens("/es/hoja")
    form = strange.form("make-sheet")
    strange.repeats(form.action, form.values | {"go": ["make-sheet"], "since": ["nonsense"], "asks": ["nonsense"]})
    assert strange.status == 422


def test_in_her_visit_it_is_ticked_as_she_told_and_never_about_work(app: Flask) -> None:
    answers = {"violence": ["RAPE"], "condom": "no", "pregnant_possible": "yes", "number": 50, "unit": "hours"}
    her = starts_telling(app)
    tells(her, lambda form: {name: value for name, value in answers.items() if name in form.kinds})
    code = sends(her)
    phone = Phone(app)
    phone.opens("/es/volver")
    phone.sends("code", code=code)
    phone.presses("ask-sheet")
    assert phone.status == 203, phone.words[:300]
    ticked = {value for values in phone.form("make-sheet").values.values() for value in values}
    assert {"since_told", "asks_pep", "asks_ec", "pregnancy_yes"} <= ticked
    assert "work_told" not in ticked
    phone.presses("make-sheet")
    assert "profilaxis posexposición al VIH (PEP)" in article(phone)
    assert "<li>hace 50 horas</li>" in article(phone)
    phone.presses("show")
    assert "Bienvenida" in phone.words or phone.status == 203


def test_hours_are_a_number_where_she_told_one_else_the_band_that_holds_both_ends() -> None:
    said = {
        hours: doctor_sheet.beforehand(Incident(hours=hours), ()) for hours in ((1.0, 20.0), (20.0, 30.0), (90.0, 90.0))
    }
    assert said[1.0, 20.0] == {"since_24"}
    assert said[20.0, 30.0] == {"since_unknown"}
    assert said[90.0, 90.0] == {"since_told"}
    assert doctor_sheet.beforehand(Incident(), ()) == {"since_unknown"}
    exact = {
        hours: doctor_sheet.exact_hours(Incident(hours=hours)) for hours in (None, (0.5, 0.5), (50.9, 50.9), (2, 3))
    }
    assert exact == {None: None, (0.5, 0.5): None, (50.9, 50.9): 50, (2, 3): None}


@pytest.fixture(params=["sqlite", "postgresql"])
def on_each(request: pytest.FixtureRequest, copies: Copies, tmp_path: Path) -> Iterator[Place]:
    """An installation with rosa, on each database."""
    with on_engine(request.param, copies, tmp_path / "each", nothing_more) as made:
        yield made


def in_the_database(place: Place, marks: list[str]) -> list[str]:
    """The marks that lie in a row, or in a file of PostgreSQL: tables, logs, temporary ones."""
    rows = [where for where, raw in values(place.engine) if any(mark.encode() in raw for mark in marks)]
    if place.engine.dialect.name == "sqlite":
        return rows  # its files lie in the instance folder
    with place.engine.connect() as line:
        folder = Path(str(line.execute(text("SHOW data_directory")).scalar_one()))
    if not os.access(folder, os.R_OK):  # of another user or machine: the rows stand for it
        return rows
    there = [path for path in folder.rglob("*") if path.is_file()]
    assert any("pg_wal" in path.parts for path in there)
    return rows + [str(path) for path in there if holds(path, marks)]


def holds(path: Path, marks: list[str]) -> bool:
    with suppress(FileNotFoundError):  # a server at work makes files and takes them away
        raw = path.read_bytes()
        return any(mark.encode() in raw for mark in marks)
    return False


def test_what_she_ticked_lies_nowhere_while_she_looks_at_it_and_after(
    on_each: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place, app = on_each, create_app(on_each.settings, on_each.clock)
    before = set(Path(tempfile.gettempdir()).iterdir())
    with caplog.at_level(logging.DEBUG):
        phone = makes(app, TWELVE["tells her work"])
        marks = [*TWELVE["tells her work"], "que ejerce el trabajo sexual", "profilaxis posexposición"]
        folders = [place.settings.instance, Path(place.settings.memory_folder or page_rows.MEMORY)]
        looked_at = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        assert looked_at
        assert not [line for folder in folders for line in disk.found(folder, marks)]
        assert not in_the_database(place, marks)
        phone.repeats("/salir", {"trip": [trip_of(phone)]})
        assert not [line for folder in folders for line in disk.found(folder, marks)]
        assert not in_the_database(place, marks)
    new = set(Path(tempfile.gettempdir()).iterdir()) - before
    assert not [path for path in new if path.is_file() and any(mark.encode() in path.read_bytes() for mark in marks)]
    assert not [mark for mark in marks if mark in caplog.text]


def trip_of(phone: Phone) -> str:
    return phone.form(holding="trip").values["trip"][0]
