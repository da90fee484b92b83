"""Words of a file of reviewed data that nobody of the field has signed: a page that shows some says so, once."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from referrals.casework.follow_up import letters
from referrals.directory.reviewed_data import DATA
from referrals.help import at_the_door, doctor_sheet, plan_fields, texts, tonight
from reporting.vocabulary.incident import Incident
from tests.pages.test_casework import comes_back
from tests.people import Place
from tests.phone import Phone
from tests.trips import UNSIGNED, opens_newest_case, say, sends, signs_in, starts_telling, tells

TOLD = {"violence": ["RAPE"], "condom": "no", "perpetrator": ["PARTNER"], "number": 20, "region": "UCAYALI"}
# file with a place for a signature -> a page that shows words of it. The rules have a page that says it row by row.
SHOWN = {
    "after-the-window.toml": "past",
    "at-the-desk.toml": "every door",
    "child-policy.toml": "a child",
    "doctor-sheet.toml": "sheet",
    "her-case.toml": "closed",
    "letters.toml": "letters",
    "need-texts.toml": "case",
    "plans.toml": "safety plan",
    "tonight.toml": "plan",
}


def every_door(app: Flask, _place: Place) -> Phone:
    her = starts_telling(app)
    tells(her, lambda form: {name: value for name, value in TOLD.items() if name in form.kinds})
    sends(her)
    her.presses("more")
    return her


def opens(address: str) -> Any:
    def shown(app: Flask, _place: Place) -> Phone:
        phone = Phone(app)
        phone.opens(address)
        return phone

    return shown


def found(app: Flask, _place: Place) -> Phone:
    phone = Phone(app)
    phone.opens("/es/ayuda")
    phone.sends("words", needs=["N_PEP"], region="PE25")
    return phone


def a_child(app: Flask, _place: Place) -> Phone:
    phone = starts_telling(app)
    phone.presses("next", age="A14_17")
    return phone


def of_hers(app: Flask, place: Place) -> Phone:
    return comes_back(app, place.receives(HERS))


def past(app: Flask, place: Place) -> Phone:
    return comes_back(app, place.receives(replace(HERS, hours=(200.0, 200.0))))


def closed(app: Flask, place: Place) -> Phone:
    receipt = place.receives(Incident())
    rosa = signs_in(app, place, place.workers["rosa"])
    rosa.opens("/es/equipo/casos")
    opens_newest_case(rosa)
    rosa.presses("close", outcome="RECORD_ONLY", reason="Ya está.")
    return comes_back(app, receipt)


def at_the_desk(app: Flask, place: Place) -> Phone:
    place.receives(HERS)
    rosa = signs_in(app, place, place.workers["rosa"])
    rosa.opens("/es/equipo/casos")
    opens_newest_case(rosa)
    return rosa


def filling_a_plan(app: Flask, place: Place) -> Phone:
    rosa = at_the_desk(app, place)
    rosa.opens(f"{rosa.path}/planes/seguridad")
    return rosa


def among_letters(app: Flask, place: Place) -> Phone:
    rosa = signs_in(app, place, place.workers["rosa"])
    rosa.opens("/es/equipo/cartas")
    return rosa


HERS = Incident(
    violence=frozenset({"RAPE"}), perpetrator=frozenset({"PARTNER"}), condom="no", department="PE25", hours=(5.0, 5.0)
)
PAGES = {
    "every door": every_door,
    "plan": opens("/es/noche"),
    "sheet": opens("/es/hoja"),
    "found": found,
    "a child": a_child,
    "case": of_hers,
    "past": past,
    "closed": closed,
    "desk": at_the_desk,
    "safety plan": filling_a_plan,
    "letters": among_letters,
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_unsigned_words_says_so_once(app: Flask, place: Place, page: str) -> None:
    assert PAGES[page](app, place).words.count(say(UNSIGNED)) == 1


@pytest.mark.parametrize("page", ["/es/", "/es/ahora", "/es/volver", "/es/ayuda"])
def test_a_page_without_them_does_not(app: Flask, page: str) -> None:
    assert say(UNSIGNED) not in opens(page)(app, None).words


def test_every_file_with_a_place_for_a_signature_is_shown_on_a_page_that_is_tried() -> None:
    waiting = {path.name for path in DATA.glob("*.toml") if "\nreviewer" in path.read_text("utf-8")}
    assert waiting == SHOWN.keys()
    assert set(SHOWN.values()) <= PAGES.keys()


@pytest.mark.parametrize("page", PAGES)
def test_where_somebody_has_signed_all_of_them_nothing_is_said(
    app: Flask, place: Place, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are read as they would be with a name in them; nothing else is put in the place of ours."""
    readers = (at_the_door.desk_rows, tonight.plan_rows, texts.need_words, texts.need_texts, texts._child_policy)  # noqa: SLF001 -- their caches
    monkeypatch.setattr(tomllib, "loads", signed(tomllib.loads))
    readers += (plan_fields.plan_data, texts.her_case_texts, texts._after_the_window)  # noqa: SLF001 -- as above
    readers += (letters._data, letters.shipped)  # noqa: SLF001 -- as above
    caches = (*readers, doctor_sheet._data, doctor_sheet.groups)  # noqa: SLF001 -- as above
    for cached in caches:
        cached.cache_clear()
    try:
        assert say(UNSIGNED) not in PAGES[page](app, place).words
    finally:
        monkeypatch.undo()
        for cached in caches:
            cached.cache_clear()


def signed(read: Any) -> Any:
    """The same, with a name wherever a file waits for one."""
    return lambda written: read(written.replace('\nreviewer = ""', '\nreviewer = "Dra. P., 2026-11-28"'))
