"""What the pages of a case worker say of a case: one word for one idea, and nothing that is not so."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from referrals.pages.before_sending import ANYWAY, DO_ANYWAY, SPOKEN, TAKE, TAKEN, TOUCHED, TOUCHED_ONLY
from reporting.cases.records import alias
from reporting.vocabulary.questions import LONGEST_TEXT
from reporting.web import languages
from reporting.web.forms import HELD, LONGER
from tests.copies import Filling, with_a_colleague
from tests.pages.test_casework import RAPE, at_the_desk, only_case
from tests.pages.test_nothing_typed_is_lost import signs_in_here
from tests.people import Place
from tests.phone import Phone
from tests.trips import opens_newest_case, say

QUEUE = "/es/equipo/casos"
PERHAPS = replace(RAPE, hours=(20.0, 200.0))  # each of its windows may be past, and may be open
WHAT_I_WROTE = "What you wrote"


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def two_at_one_case(app: Flask, place: Place) -> tuple[Phone, Phone, str]:
    """Rosa and milagros both have the only case open, as it is now."""
    place.receives(RAPE, "fue anoche")
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    case = opens_newest_case(rosa)
    for desk in (rosa, milagros):
        desk.opens(case)
    return rosa, milagros, case


def why(desk: Phone) -> str:
    """Why the first case of the list stands there."""
    desk.opens(QUEUE)
    marked = re.search(r'<strong class="queue-mark[^"]*">(.*?)</strong>', desk.text, re.DOTALL)
    assert marked
    return " ".join(marked[1].split())


def before(desk: Phone) -> str:
    """The part of a page in which an act is shown before it is sent."""
    found = re.search(r'<section class="c-note" aria-labelledby="before">.*?</section>', desk.text, re.DOTALL)
    assert found, desk.words[:400]
    return html.unescape(re.sub(r"\s+", " ", found[0]))


# ── one word for one idea ───────────────────────────────────────────────────────────────────────────────────


def test_her_window_and_the_day_of_a_step_have_one_word_each_on_the_list_and_on_her_case(
    app: Flask, place: Place
) -> None:
    place.receives(RAPE, "fue anoche")
    rosa = at_the_desk(app, place)
    case = opens_newest_case(rosa)
    rosa.presses("answer", text="Te leímos.")
    today = languages.local(place.clock(), place.settings.time_zone).date()
    rosa.presses("plan-step", text="llamar al hospital", day=f"{today + timedelta(days=1):%d/%m/%Y}")
    place.clock.on(days=2)
    rosa = at_the_desk(app, place)
    assert why(rosa) == "Tocaba hace 1 día · quedan 18 h"
    rosa.opens(case)
    top = rosa.words.split(say("Letters and notes"))[0]
    assert "quedan 18 h" in top
    assert "tocaba hace 1 día" in top
    rosa.opens("/es/equipo/guia")
    assert "vence" not in rosa.words


def test_a_window_that_may_be_past_is_said_alike_on_the_list_and_on_her_case(app: Flask, place: Place) -> None:
    place.receives(PERHAPS, "no sé cuándo fue")
    rosa, perhaps = at_the_desk(app, place), say("perhaps there is still time")
    assert why(rosa) == perhaps.capitalize()
    opens_newest_case(rosa)
    assert perhaps in rosa.words.split(say("Letters and notes"))[0]


def test_nothing_says_that_a_person_of_the_team_has_not_written_where_she_has_not(app: Flask, place: Place) -> None:
    place.receives(RAPE, "fue anoche")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    rosa.presses("letter", text="Te leímos.")
    assert "Si ella no responde: ver qué más le serviría" in rosa.words


def test_days_of_silence_are_those_of_the_calendar_of_the_place(app: Flask, place: Place) -> None:
    zone = place.settings.time_zone
    place.clock.on(hours=4 - languages.local(place.clock(), zone).hour)
    place.receives(RAPE, "fue anoche")
    place.clock.on(hours=19)
    rosa = at_the_desk(app, place)
    case = opens_newest_case(rosa)
    assert say("Her last word was today.") in rosa.words
    place.clock.on(hours=2)
    rosa = at_the_desk(app, place)
    rosa.opens(case)
    assert "Ella habló por última vez hace 1 día." in rosa.words, "it is half past one of the day after"


# ── two at one case ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", ["answer", "close"])
def test_an_answer_to_a_case_that_somebody_else_took_or_closed_is_a_letter_and_is_called_one(
    app: Flask, place: Place, first: str
) -> None:
    rosa, milagros, _ = two_at_one_case(app, place)
    typed = {"text": "Ya te leí."} if first == "answer" else {"outcome": "REACHED"}
    milagros.presses(first, **typed)
    rosa.presses("answer", text="Aquí estamos.")
    assert rosa.status == 409
    assert say(SPOKEN["letter"][0]) in before(rosa)
    assert say(SPOKEN["answer"][0]) not in rosa.words
    rosa.presses("letter")
    assert say(SPOKEN["letter"][1]) in rosa.words
    assert say(SPOKEN["answer"][1]) not in rosa.words
    owner = place.workers["milagros"].id if first == "answer" else 0
    assert only_case(place, place.signs_in("rosa")).owner == owner


def test_who_takes_a_case_that_a_colleague_took_is_asked_about_that_and_nothing_else(app: Flask, place: Place) -> None:
    rosa, milagros, _ = two_at_one_case(app, place)
    milagros.presses("assign")
    assert say(TAKEN) in milagros.words
    rosa.presses("assign")
    assert rosa.status == 409
    shown = before(rosa)
    assert say("%(who)s has it now. Do you take it?", who="milagros") in shown
    assert f'value="assign">{say(TAKE)}</button>' in shown
    for other in (WHAT_I_WROTE, ANYWAY, TOUCHED, SPOKEN["assign"][0]):
        assert say(other) not in shown
    rosa.presses("assign")
    assert say(TAKEN) in rosa.words
    assert only_case(place, place.signs_in("rosa")).owner == place.workers["rosa"].id


def test_who_gives_a_case_to_a_colleague_does_not_read_that_she_has_it_herself(app: Flask, place: Place) -> None:
    rosa, _, case = two_at_one_case(app, place)
    form = rosa.form(holding="owner")
    rosa.repeats(case, form.values | {"go": ["assign"], "owner": [str(place.workers["milagros"].id)]})
    assert say(SPOKEN["assign"][1]) in rosa.words
    assert say(TAKEN) not in rosa.words


def test_where_nothing_was_typed_there_is_no_box_for_it_and_nothing_is_called_sent(app: Flask, place: Place) -> None:
    rosa, milagros, _ = two_at_one_case(app, place)
    milagros.presses("note", text="ya la llamé")
    rosa.presses("close", outcome="REACHED")
    assert rosa.status == 409
    shown = before(rosa)
    assert say(TOUCHED_ONLY) in shown
    assert f">{say(DO_ANYWAY)}</button>" in shown
    for other in (WHAT_I_WROTE, ANYWAY, TOUCHED):
        assert say(other) not in shown
    rosa.presses("close")
    assert only_case(place, place.signs_in("rosa")).state == "closed"


@pytest.mark.parametrize("go", ["answer", "note"])
def test_a_letter_or_note_that_waits_to_be_sent_has_one_box_and_one_button(app: Flask, place: Place, go: str) -> None:
    place.receives(RAPE, "fue anoche")
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    place.clock.on(minutes=17)
    desk.presses(go, text="Aquí estamos.")
    signs_in_here(place, desk, place.workers["rosa"])
    assert say(HELD) in desk.words
    assert desk.text.count(f'name="go" value="{go}"') == 1
    desk.presses(go)
    desk.opens(case)
    assert desk.text.count(f'name="go" value="{"letter" if go == "answer" else go}"') == 1, "afterwards there is a box"


# ── what is asked for, and what is said when it is done ─────────────────────────────────────────────────────


def test_the_only_mark_is_named_by_the_button_that_takes_it_back_and_several_are_chosen_from(
    app: Flask, place: Place
) -> None:
    place.receives(RAPE, "fue anoche")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    assert 'value="unmark"' not in rosa.text, "there is none"
    rosa.presses("mark", mark="junk", reason="es publicidad")
    assert "Quitar la marca: Basura" in rosa.words
    assert rosa.form("unmark").values["mark"] == ["junk"]
    rosa.presses("mark", mark="threat_to_team", reason="nos nombra")
    assert "Quitar la marca: " not in rosa.words
    rosa.presses("unmark", mark="", reason="")
    assert all(say(sentence) in rosa.words for sentence in ("Choose a mark.", "Write why."))
    rosa.presses("unmark", mark="junk", reason="no lo es")
    assert f"Quitar la marca: {say('A threat against the team')}" in rosa.words
    rosa.presses("unmark", reason="tampoco")
    assert only_case(place, place.signs_in("rosa")).marks == ()


def test_the_doubt_of_one_person_is_taken_back_as_a_mark_is(app: Flask, place: Place) -> None:
    place.receives(RAPE, "fue anoche")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    rosa.presses("mark", mark="not_a_report", because="UNTRUE", reason="no cuadra")
    rosa.presses("unmark", reason="sí cuadra")
    assert say("A colleague doubts that it happened as it is told. A second person decides.") not in rosa.words


def test_an_empty_letter_is_asked_for_as_a_letter_and_one_too_long_is_told_its_length(app: Flask, place: Place) -> None:
    place.receives(RAPE, "fue anoche")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    for go in ("letter", "answer"):
        rosa.presses(go, text=" ")
        assert say("Write the letter.") in rosa.words
    rosa.presses("letter", text="a" * (LONGEST_TEXT + 7))
    assert rosa.status == 422
    assert say(LONGER, length=LONGEST_TEXT + 7, longest=LONGEST_TEXT) in rosa.words


def test_the_first_plan_is_kept_beside_none_and_no_page_of_plans_names_a_setting(app: Flask, place: Place) -> None:
    place.receives(RAPE, "fue anoche")
    rosa = at_the_desk(app, place)
    case = opens_newest_case(rosa)
    beside = say("The plan is kept. The one before stays beside it.")
    for words in ("viene de noche", "viene también de día"):
        rosa.opens(f"{case}/planes/seguridad")
        rosa.sends("review", danger=words)
        assert say("The plan is kept.") in rosa.words
        assert (beside in rosa.words) == (words != "viene de noche")
        assert "PLAN_REVIEW" not in rosa.words


def test_a_silence_that_an_address_makes_up_is_no_filter_and_is_not_named(app: Flask, place: Place) -> None:
    place.receives(RAPE, "fue anoche")
    rosa = at_the_desk(app, place)
    rosa.opens(f"{QUEUE}?silence=zz")
    assert "zz" not in rosa.words
    assert alias(only_case(place, place.signs_in("rosa")).id) in rosa.words
