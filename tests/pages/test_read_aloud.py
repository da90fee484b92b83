"""What a tired person reads on a cheap phone: one word for one thing, whole words, capitals where they belong."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask

from referrals.help.texts import child_policy
from reporting.vocabulary.codes import VOCABULARY
from tests.pages.test_casework import RAPE, YES_TO_LETTERS, comes_back
from tests.people import Place
from tests.phone import Phone
from tests.trips import in_her_words, say, sends, starts_telling, tells

HALF_A_ROW, WHOLE_WORD = 22, 9  # signs that fit at 360 pixels beside a circle and a number
OPTION = re.compile(r'<label class="c-option">.*?</span>(.*?)</label>', re.DOTALL)
SHARED = re.compile(r'<div class="c-options c-brief">(.*?)</div>', re.DOTALL)


@pytest.mark.parametrize("about", ["SELF", "OTHER"])
def test_only_short_answers_share_a_row_and_never_one_alone(app: Flask, about: str) -> None:
    phone, shared = starts_telling(app), 0

    def looks(form: object) -> dict[str, str]:
        nonlocal shared
        del form
        for options in SHARED.findall(phone.text):
            halves = [html.unescape(label).strip() for label in OPTION.findall(options)]
            shared += len(halves)
            assert len(halves) % 2 == 0, halves
            for label in halves:
                assert len(label) <= HALF_A_ROW, label
                assert max(map(len, label.split())) <= WHOLE_WORD, label
        asked = {"about": about, "region": "JUNIN"}
        return {name: code for name, code in asked.items() if name in phone.form("next").kinds}

    tells(phone, looks)
    assert shared > 20


def test_the_name_of_a_need_keeps_its_capitals(app: Flask, place: Place) -> None:
    her = comes_back(app, place.receives(RAPE, "fue anoche", consents=YES_TO_LETTERS))
    for need in ("N_PEP", "N_HEPB"):
        name = in_her_words(need)
        assert f"<p>{name[:1].upper()}{name[1:]}</p>" in her.text


@pytest.mark.parametrize(
    "page", ["", "contar", "antes", "cuidados", "volver", "guia", "guia/taller", "guia/papel", "noche"]
)
def test_her_code_and_her_phone_have_one_name_on_every_page(app: Flask, page: str) -> None:
    phone = Phone(app)
    phone.opens(f"/es/{page}")
    for other in ("código", "teléfono"):
        assert other not in phone.words.lower()


def test_no_answer_is_written_with_a_stroke() -> None:
    asked = ("violence", "perpetrator", "identity", "docs", "venue", "wants", "reason", "reported", "flags")
    assert not [label for name in asked for label in map(say, VOCABULARY[name].values()) if "/" in label]


OF_HER: dict[str, object] = {"about": "OTHER", "violence": ["PHYSICAL_ASSAULT"], "region": "UCAYALI", "age": "A18_24"}


def told_for(app: Flask, about: str) -> tuple[Phone, str]:
    """A telling up to the page after sending, and the words of the check page."""
    phone = starts_telling(app)
    answers = OF_HER | {"about": about}
    tells(phone, lambda form: {name: value for name, value in answers.items() if name in form.kinds})
    checked = phone.words
    sends(phone)
    return phone, checked


@pytest.mark.parametrize("about", ["SELF", "OTHER"])
def test_who_tells_for_another_reads_for_whom_the_help_is_and_whose_yes_counts(app: Flask, about: str) -> None:
    phone, checked = told_for(app, about)
    told_for_her = about == "OTHER"
    for_whom = say("Help for this person, the soonest first")
    her_yes = say("Nothing goes to anybody else without the yes of that person.")
    assert (her_yes in checked) == told_for_her
    assert (her_yes in phone.words) == told_for_her
    assert (say("Nothing is sent to anybody else without your yes.") in phone.words) != told_for_her
    assert (for_whom in phone.words) == told_for_her
    phone.presses("more")
    assert (for_whom in phone.words) == told_for_her


def test_who_tells_of_a_child_reads_whom_you_means_before_the_words_for_children(app: Flask) -> None:
    phone = starts_telling(app, way="other")
    phone.presses("next", violence="CONFINEMENT", in_danger="yes", safety="S_LOCKED", age="A14_17")
    for_whom = say("This is for the person you tell about. Where it says «you», it means that person.")
    assert phone.words.count(for_whom) == 1
    assert phone.words.index(for_whom) < phone.words.index(child_policy("es", "PE").title)


def test_a_need_has_one_name_where_she_looks_for_help_and_on_the_card(app: Flask) -> None:
    phone = Phone(app)
    phone.opens("/es/ayuda")
    assert "Las medicinas que pueden frenar el VIH (PEP)" in phone.words
    assert say("Emergency contraception") not in phone.words
    phone.sends("needs", needs=["N_EC"], region="PE25")
    assert f"{in_her_words('N_EC')}." in phone.words
