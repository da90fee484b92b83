"""A case is opened once for a look and once for a letter, by her and at the desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from reporting.cases import case_file, desk, store
from tests.people import Place
from tests.phone import Phone
from tests.trips import opens_newest_case, signs_in

YES_TO_LETTERS = frozenset({"C_LETTERS"})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The numbers of the cases that were opened since it was last emptied; they open as ever."""
    numbers: list[int] = []

    def open_and_count(db: object, row: object, key: bytes) -> case_file.CaseFile:
        numbers.append(row.id)  # type: ignore[attr-defined]
        return case_file.open_case_file(db, row, key)  # type: ignore[arg-type]

    for module in (desk, store):
        monkeypatch.setattr(module, "open_case_file", open_and_count)
    return numbers


def test_a_look_and_a_letter_of_the_team_open_the_case_once_each(app: Flask, place: Place, opened: list[int]) -> None:
    place.receives(narrative="Me siguen.", consents=YES_TO_LETTERS)
    rosa = signs_in(app, place, place.workers["rosa"])
    rosa.opens("/es/equipo/casos")
    opened.clear()
    opens_newest_case(rosa)
    assert len(opened) == 1
    opened.clear()
    rosa.presses("letter", text="Te leímos.")
    assert "Te leímos." in rosa.words
    assert len(opened) == 2  # the letter, and the page that shows it


def test_a_look_and_a_letter_of_hers_open_the_case_once_each(app: Flask, place: Place, opened: list[int]) -> None:
    receipt = place.receives(narrative="Me siguen.", consents=YES_TO_LETTERS)
    phone = Phone(app)
    phone.opens("/es/volver")
    phone.sends("code", code=" ".join(receipt.digits()))
    assert len(opened) == 1
    opened.clear()
    phone.presses("write", text="Sigo acá.")
    assert "Sigo acá." in phone.words
    assert len(opened) == 2  # the letter, and the page that shows it
    opened.clear()
    phone.presses("write", text="Sigo acá.")
    assert phone.words.count("Sigo acá.") == 1
    assert len(opened) == 2
