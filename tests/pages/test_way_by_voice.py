"""How to reach her, told by voice: written into the case like a way of her own, and as hers to take back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from referrals.needs.codes import MUST_NOTS
from reporting.cases import actions, store
from reporting.cases.actions import HERSELF
from reporting.sessions import day_seeds
from reporting.storage.database import writing
from tests.pages.test_casework import RAPE, at_the_desk, comes_back, only_case
from tests.people import Place
from tests.phone import Phone
from tests.trips import opens_newest_case, say

SAID = {
    "channel": "CALL",
    "number_to_call": "999 111 222",
    "safe_hours": "de 3 a 5",
    "if_other": "que es la botica",
    "code_word": "mandarina",
    "text": "Hoy, por teléfono.",
}
NO_CALL = MUST_NOTS["MN_CONTACT_BACK"]


def writes_it_down(desk: Phone, **otherwise: str) -> None:
    desk.presses("reach", **(SAID | otherwise))
    assert desk.status == 203, desk.words[:300]


def test_it_stands_behind_the_same_click_with_who_wrote_it_down_and_her_page_says_so(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE)
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    assert say(NO_CALL) in rosa.words
    writes_it_down(rosa)
    assert "999 111 222" not in rosa.words, "folded"
    assert say(NO_CALL) not in rosa.words, "she allows it now"
    rosa.presses("contact")
    shown = [SAID[name] for name in SAID if name not in {"channel", "text"}]
    assert [words for words in shown if words not in rosa.words] == []
    assert say("Written down by %(name)s as it was told by voice.", name="rosa") in rosa.words
    assert say("The team wrote down how to reach you, as you told them.") in comes_back(app, receipt).words
    case = only_case(place, place.signs_in("rosa"))
    assert "C_CONTACT" in case.consents
    assert [note.text for note in case.notes] == [SAID["text"]]


def test_she_takes_it_back_and_it_is_gone_and_nobody_may_call(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE)
    rosa = at_the_desk(app, place)
    address = opens_newest_case(rosa)
    writes_it_down(rosa)
    comes_back(app, receipt).presses("deny-C_CONTACT")
    rosa.opens(address)
    assert "contact" not in [value for form in rosa.forms for _, value in form.buttons]
    assert say(NO_CALL) in rosa.words
    assert not only_case(place, place.signs_in("rosa")).has_contact


def test_it_takes_the_place_of_the_way_before_and_goes_thirty_days_after_closing(app: Flask, place: Place) -> None:
    place.receives(RAPE, contact={"number_to_call": "987 000 111"}, consents=frozenset({"C_CONTACT"}))
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    assert say("There is a way already. This one takes its place, and that one is erased.") in rosa.words
    writes_it_down(rosa)
    rosa.presses("contact")
    assert "987 000 111" not in rosa.words
    rosa.opens(rosa.forms[-1].action)
    rosa.presses("close", outcome="REACHED", reason="Está bien.")
    place.clock.on(days=31)
    with writing(place.engine) as db:
        day_seeds.open_day(db, place.clock())
    at_the_desk(app, place).opens("/es/equipo/casos")
    assert not only_case(place, place.signs_in("rosa")).has_contact


def test_without_a_number_or_how_she_said_it_nothing_is_kept_and_what_was_typed_stays(app: Flask, place: Place) -> None:
    place.receives(RAPE)
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    rosa.presses("reach", **(SAID | {"number_to_call": "", "text": " "}))
    assert rosa.status == 422
    assert say("Write the number, or the name there.") in rosa.words
    assert say("Write when and how she said it.") in rosa.words
    assert 'value="mandarina"' in rosa.text
    assert not only_case(place, place.signs_in("rosa")).has_contact


@pytest.mark.parametrize("herself", [False, True])
def test_told_for_another_person_it_leads_to_whoever_told_it_until_she_herself_said_yes(
    app: Flask, place: Place, *, herself: bool
) -> None:
    receipt = place.receives(replace(RAPE, about="OTHER"))
    if herself:
        with writing(place.engine) as db, store.on_visit(db, place.comes_back(receipt), place.clock()) as case_file:
            actions.allow(case_file, HERSELF, yes=True)
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    writes_it_down(rosa)
    assert (say(NO_CALL) in rosa.words) is not herself
    rosa.presses("contact")
    assert (say("How to reach whoever told it") in rosa.words) is not herself


def test_a_way_of_hers_that_is_written_anew_by_her_is_not_said_to_be_written_by_the_team(
    app: Flask, place: Place
) -> None:
    receipt = place.receives(RAPE)
    rosa = at_the_desk(app, place)
    address = opens_newest_case(rosa)
    writes_it_down(rosa)
    her = comes_back(app, receipt)
    her.presses("ask-reach")
    her.presses("reach", number_to_call="955 444 333", channel="SMS")
    rosa.opens(address)
    rosa.presses("contact")
    assert "955 444 333" in rosa.words
    assert say("Written down by %(name)s as it was told by voice.", name="rosa") not in rosa.words
