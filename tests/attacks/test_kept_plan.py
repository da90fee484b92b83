"""A plan for tonight is kept only when she says so, for herself, and leaves nothing where she takes it out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from reporting.cases import desk
from reporting.crypto.receipts import Receipt
from reporting.storage.database import reading
from reporting.vocabulary.incident import Incident
from tests.copies import copies_in, nothing_more, on_engine
from tests.opening import Locksmith, lying
from tests.pages.test_casework import comes_back
from tests.people import Place
from tests.phone import Phone
from tests.trips import opens_newest_case, say, signs_in

HERS = Incident(perpetrator=frozenset({"PARTNER"}), flags=frozenset({"S_CHILDREN"}), docs="NONE", hours=(5.0, 5.0))
IN_IT = [b'"leave_all"', b'"way_out"']  # names of lines, one of each of her situations
KEPT, GONE = "Your plan is kept. You find it here when you come back.", "Your plan is gone. It is in your case no more."
TITLE, FOR_THE_TEAM = "The plan that you keep", "Her plan for tonight: she shows it to you"
LINE = "Si tienes que salir rápido, deja todo. Tu vida vale más que la bolsa."


@pytest.fixture
def smith(monkeypatch: pytest.MonkeyPatch) -> Locksmith:
    return Locksmith(monkeypatch)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, smith: Locksmith) -> Iterator[Place]:
    """An installation with rosa, on each database, every seal of which is noted: of a copy they would not be."""
    assert smith
    with (
        copies_in(tmp_path / "made") as copies,
        on_engine(request.param, copies, tmp_path / "instance", nothing_more) as made,
    ):
        yield made


def keeps(app: Flask, receipt: Receipt, **ticks: str) -> Phone:
    her = comes_back(app, receipt)
    her.presses("keep-plan", **ticks)
    assert say(KEPT) in her.words, her.words[:300]
    return her


def test_of_her_plan_nothing_lies_before_she_keeps_it_nor_after_she_takes_it_out(
    app: Flask, place: Place, smith: Locksmith
) -> None:
    def lies_in() -> set[str]:
        return lying(smith, place.engine, place.settings.instance, [LINE.encode()], IN_IT)

    receipt = place.receives(HERS)
    her = comes_back(app, receipt)
    assert LINE in her.words
    assert lies_in() == set(), "she only looked"
    keeps(app, receipt)
    assert {where for where in lies_in() if "." in where} >= {"record.body"}
    her = comes_back(app, receipt)
    assert say(TITLE) in her.words
    assert LINE in her.words.partition(say(TITLE))[2]
    her.presses("drop-plan")
    assert say(GONE) in her.words
    assert say(TITLE) not in her.words
    assert lies_in() == set(), "it went from the log too"


def test_it_goes_with_the_case(app: Flask, place: Place, smith: Locksmith) -> None:
    her = keeps(app, place.receives(HERS))
    her.presses("ask-erase")
    her.presses("erase")
    assert lying(smith, place.engine, place.settings.instance, [], IN_IT) == set()


def test_the_team_sees_it_only_where_she_says_so_and_is_told_nothing_where_not(app: Flask, place: Place) -> None:
    receipt = place.receives(HERS)
    rosa = signs_in(app, place, place.workers["rosa"])
    rosa.opens("/es/equipo/casos")
    opens_newest_case(rosa)
    case = rosa.path
    keeps(app, receipt)
    assert not unread(place), "nobody has to look"
    rosa.opens(case)
    assert say(FOR_THE_TEAM) not in rosa.words
    assert LINE not in rosa.words
    her = comes_back(app, receipt)
    her.presses("drop-plan")
    her.presses("keep-plan", shown="y")
    assert say("The team sees it too.") in her.words
    assert unread(place)
    rosa.opens(case)
    assert LINE in rosa.words.partition(say(FOR_THE_TEAM))[2]


def unread(place: Place) -> bool:
    with reading(place.engine) as db:
        return desk.queue(db, place.signs_in("rosa"))[0][0].unread


def test_of_what_she_keeps_only_what_still_holds_is_shown_to_her(app: Flask, place: Place) -> None:
    receipt = place.receives(Incident(perpetrator=frozenset({"PARTNER"}), docs="DNI"))
    papers = "Pon ahí también tus documentos"
    her = keeps(app, receipt)
    assert papers in her.words
    her = comes_back(app, receipt)
    page = next(
        button.partition("-")[2]
        for form in her.forms
        for name, button in form.buttons
        if button.startswith("right-") and button != "right-15" and "docs" in looked_at(app, receipt, button)
    )
    her.presses(f"right-{page}")
    her.presses(f"save-{page}", docs="NONE")
    assert say(TITLE) in her.words
    assert papers not in her.words


def looked_at(app: Flask, receipt: Receipt, button: str) -> set[str]:
    her = comes_back(app, receipt)
    her.presses(button)
    return {name for form in her.forms for name in form.kinds}


def test_who_is_not_in_her_case_keeps_nothing(app: Flask, place: Place) -> None:
    receipt = place.receives(HERS)
    stranger = Phone(app)
    stranger.opens("/es/volver")
    form = stranger.form(holding="code")
    for go in ("keep-plan", "drop-plan"):
        stranger.repeats("/es/noche", form.values | {"go": [go]})
        assert stranger.status in {203, 410}
    assert say(TITLE) not in comes_back(app, receipt).words
