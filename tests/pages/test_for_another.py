"""Who told for another person reads of that person afterwards: needs, doors, desks, and what can be done."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from flask import Flask

from referrals.help import doubts, right_person, texts
from referrals.help.at_the_door import desk_rows
from referrals.matching import wording
from reporting.cases import actions
from reporting.vocabulary.incident import Incident
from tests.journeys import NINE
from tests.pages.test_casework import comes_back
from tests.people import Place
from tests.phone import Phone
from tests.tellings import answers_of, given
from tests.trips import begins, on_the_check_page, say, sends
from tests.unit.test_person import ENGLISH_POINTERS, SPANISH_POINTERS

TO_HER = re.compile(
    rf"{SPANISH_POINTERS.pattern}|\b(tú|anda|decides|puedes|vas)\b|(?!parte)\w+(arte|erte|irte)\b", re.IGNORECASE
)
HELP = re.compile(r'<div class="c-offer">.*?</section>|<li class="c-offer">.*?</li>', re.DOTALL)
CALLS = re.compile(r"Puedes preguntar[^.]*\.")  # whoever calls: that may be who tells
FLAG = re.compile(r'<details class="c-flag">.*?</details>', re.DOTALL)
ALONE = [who for who in NINE if "KILLING_DISAPPEARANCE" not in NINE[who]["violence"]]


def told_for_her(app: Flask, who: str) -> Phone:
    """Told with the button "it happened to another person", and sent."""
    phone, told = Phone(app), answers_of(who)
    begins(phone, way="other")
    while not on_the_check_page(phone):
        phone.presses("next", **given(phone.form("next"), told))
    sends(phone)
    return phone


def said_of_doors(page: str) -> list[str]:
    """What cards say, without tags and without what is pressed when a number is dead."""
    cards = (FLAG.sub("", found[0]) for found in HELP.finditer(page))
    return [CALLS.sub("", re.sub(r"<[^>]+>|\s+", " ", card)) for card in cards]


@pytest.mark.parametrize("who", ALONE)
def test_after_telling_for_another_no_door_speaks_to_who_told(app: Flask, who: str) -> None:
    phone = told_for_her(app, who)
    assert say("Help for this person, the soonest first") in phone.words
    after_sending = said_of_doors(phone.text)
    phone.presses("more")
    doors = said_of_doors(phone.text)
    assert after_sending
    assert doors
    assert not [card for card in (*after_sending, *doors) if TO_HER.search(card)]


def test_where_a_companion_is_gone_the_help_is_for_who_tells(app: Flask) -> None:
    phone = told_for_her(app, "a companion disappeared")
    assert texts.need_names()["N_PFA"]["es"] in phone.words
    assert say("Help for this person, the soonest first") not in phone.words


@pytest.mark.parametrize("need", texts.need_names())
def test_the_name_of_a_need_for_another_points_at_nobody_who_reads(need: str) -> None:
    named = texts.need_names(of_another=True)[need]
    assert not TO_HER.search(named["es"])
    assert not ENGLISH_POINTERS.search(named["en"])


@pytest.mark.parametrize("need", [need for need in texts.need_texts("PE") if need != "N_MISSING"])
def test_what_to_know_of_a_need_for_another_points_at_nobody_who_reads(need: str) -> None:
    said = texts.about_need(need, Incident(about="OTHER"), "PE")
    assert not said or not (TO_HER.search(said["es"]) or ENGLISH_POINTERS.search(said["en"]))


@pytest.mark.parametrize("row", desk_rows(), ids=lambda row: str(row["id"]))
def test_what_is_said_at_a_desk_for_another_is_said_of_that_person(row: dict[str, dict[str, str]]) -> None:
    assert not TO_HER.search(row["another"]["es"])
    assert not re.search(r"\b(I|me|my|your)\b", row["another"]["en"])


def test_every_sentence_about_a_door_that_says_you_has_words_for_another_or_speaks_to_who_calls() -> None:
    trees = [ast.parse(Path(module.__file__ or "").read_text("utf-8")) for module in (wording, doubts)]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    said = {ast.literal_eval(node.args[0]) for node in calls if getattr(node.func, "id", "") == "N_"}
    to_who_calls = re.compile(
        r"before you tell|you can ask|when you arrive|call first if you can|you reach it by calling", re.IGNORECASE
    )
    you = {sentence for sentence in said if ENGLISH_POINTERS.search(to_who_calls.sub("", sentence))}
    assert you <= right_person.OF_ANOTHER.keys()
    assert said >= right_person.OF_ANOTHER.keys()
    for sentence in right_person.OF_ANOTHER.values():
        assert not TO_HER.search(say(sentence).replace("llama antes", ""))


def on_her_page(app: Flask, place: Place, *, herself: bool) -> str:
    raped = Incident(
        about="OTHER", violence=frozenset({"RAPE"}), condom="no", department="PE20", province="PE2001", hours=(20, 20)
    )
    receipt = place.receives(raped)
    her = comes_back(app, receipt)
    if herself:
        her.presses(f"allow-{actions.HERSELF}")
    return her.words


def test_a_page_with_the_code_of_who_told_speaks_of_the_other_until_she_herself_has_come(
    app: Flask, place: Place
) -> None:
    named, hers = texts.need_names(of_another=True)["N_FORENSIC"]["es"], texts.need_names()["N_FORENSIC"]["es"]
    before, after = on_her_page(app, place, herself=False), on_her_page(app, place, herself=True)
    for page, spoken, other in ((before, named, hers), (after, hers, named)):
        assert spoken in page
        assert other not in page
    assert say("This person has it") in before
    assert say("I have it") in after
    assert "Esto es sobre mí" not in before + after
