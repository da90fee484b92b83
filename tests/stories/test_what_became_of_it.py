"""A met need is asked for no more, by anybody; her page says how things ended, and time that runs is said as it is."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from flask import Flask

from referrals.directory import snapshot
from referrals.help.answers import NeedHelp, help_for
from referrals.help.texts import her_case_texts
from referrals.matching.records import Offer
from reporting.cases import desk
from reporting.cases.records import Case
from reporting.storage.database import reading, writing
from reporting.vocabulary.needs import NEEDS
from tests.copies import Filling, with_a_colleague
from tests.pages.test_casework import RAPE as TO_THE_DOCTOR
from tests.pages.test_casework import a_service, at_the_desk, comes_back, decides, steps
from tests.people import Place
from tests.phone import Phone
from tests.trips import in_her_words, opens_newest_case, say

RAPE = replace(TO_THE_DOCTOR, wants=frozenset(), pregnant_possible="yes")
BEATEN = replace(RAPE, violence=frozenset({"PHYSICAL_ASSAULT"}), wants=frozenset({"W_LEGAL"}), condom=None)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def cards(her: Phone) -> str:
    """What her page offers, without what is behind its folds for what she has already."""
    return her.text.split(say("I have some of this already"))[0].split(say("Help as of now"))[1]


def the_case(place: Place, name: str = "rosa") -> Case:
    keys = place.signs_in(name)
    with writing(place.engine) as db:
        return desk.open_case(db, keys, desk.queue(db, keys)[0][0].case, place.clock())


def settles(rosa: Phone, case: str, need: str, state: str) -> None:
    """A case worker says how a need stands."""
    rosa.opens(case)
    form = next(form for form in rosa.forms if form.values.get("need") == [need] and ("step", state) in form.buttons)
    rosa.repeats(case, form.values | {"step": [state]})
    assert rosa.status == 203, rosa.words[:300]


def test_she_says_that_she_has_it_and_nobody_shouts_at_her_or_at_the_team_any_more(app: Flask, place: Place) -> None:
    receipt, rosa = place.receives(RAPE, "fue anoche"), at_the_desk(app, place)
    opens_newest_case(rosa)
    case = rosa.path
    assert say(NEEDS["N_PEP"]) in rosa.words.split(say("Letters and notes"))[0]
    her = comes_back(app, receipt)
    assert in_her_words("N_PEP") in html.unescape(cards(her))
    her.presses("have-N_PEP")
    assert say("Noted. The team looks no further for it.") in her.words
    assert in_her_words("N_PEP") not in html.unescape(cards(her))
    rosa.opens("/es/equipo/casos")
    assert say(NEEDS["N_PEP"]) not in rosa.words, "the queue asks for it no more"
    rosa.opens(case)
    assert say(NEEDS["N_PEP"]) not in rosa.words.split(say("Letters and notes"))[0]
    assert f"{say(NEEDS['N_PEP'])} · {say('She has it from elsewhere')}" in rosa.words
    assert not re.search(r'value="N_PEP ', rosa.text), "nor is a service proposed for it"
    her = comes_back(app, receipt)
    her.presses("still-N_PEP")
    assert in_her_words("N_PEP") in html.unescape(cards(her))
    rosa.opens(case)
    assert say(NEEDS["N_PEP"]) in rosa.words.split(say("Letters and notes"))[0]


def test_a_case_worker_may_take_it_off_the_desk_but_no_running_window_off_her_page(app: Flask, place: Place) -> None:
    receipt, rosa = place.receives(replace(RAPE, wants=frozenset({"W_LEGAL"})), "fue anoche"), at_the_desk(app, place)
    opens_newest_case(rosa)
    case = rosa.path
    for need in ("N_PEP", "N_LEGAL_INFO"):
        settles(rosa, case, need, "met_elsewhere")
        assert say(NEEDS[need]) not in rosa.words.split(say("Letters and notes"))[0]
    her = comes_back(app, receipt)
    assert in_her_words("N_PEP") in html.unescape(cards(her)), "its window still runs: only she says that she has it"
    assert in_her_words("N_LEGAL_INFO") not in html.unescape(cards(her))
    assert say("the team noted that it is settled.") in her.words
    settles(rosa, case, "N_PEP", "open")
    assert say(NEEDS["N_PEP"]) in rosa.words.split(say("Letters and notes"))[0]


def proposes(rosa: Phone, service: str, need: str) -> None:
    rosa.presses("propose", door=f"{need} {service}", fields=["violence"])
    assert say("Proposed; waits for her answer") in rosa.words


def test_a_running_window_stands_on_her_consent_page_which_does_not_say_that_she_has_time(
    app: Flask, place: Place
) -> None:
    receipt, rosa = place.receives(RAPE, "fue anoche"), at_the_desk(app, place)
    opens_newest_case(rosa)
    proposes(rosa, a_service(app, place, "N_PEP"), "N_PEP")
    her = comes_back(app, receipt)
    words = decides(her, "no")
    assert "66 horas" in words
    assert say("You can change your mind later.") in words
    assert "No tienes que decidir hoy" not in words
    rosa.opens(rosa.path)
    proposes(rosa, a_service(app, place, "N_PFA"), "N_PFA")
    words = decides(comes_back(app, receipt), "no")
    assert "No tienes que decidir hoy" in words, "for what waits, she may"


def test_a_need_is_met_when_she_was_attended_and_her_page_says_how_each_referral_ended(
    app: Flask, place: Place
) -> None:
    receipt, rosa, words = place.receives(RAPE, "fue anoche"), at_the_desk(app, place), her_case_texts()["ended"]
    opens_newest_case(rosa)
    case = rosa.path
    proposes(rosa, a_service(app, place, "N_PEP"), "N_PEP")
    decides(comes_back(app, receipt), "yes")
    for step in ("send", "reach"):
        steps(rosa, case, step)
    rosa.opens(case)
    proposes(rosa, a_service(app, place, "N_STI"), "N_STI")
    her = comes_back(app, receipt)
    assert words["reached"]["es"] in her.words
    assert in_her_words("N_PEP") not in html.unescape(cards(her)), "a reached move takes a running window off her page"
    decides(her, "no")
    her = comes_back(app, receipt)
    assert words["declined"]["es"] in her.words
    assert say(NEEDS["N_PEP"]) not in rosa.opens("/es/equipo/casos")


def test_a_service_that_refused_her_is_offered_to_her_no_more(app: Flask, place: Place) -> None:
    receipt, rosa = place.receives(RAPE, "fue anoche"), at_the_desk(app, place)
    opens_newest_case(rosa)
    case, offer = rosa.path, offers_now(place, "N_PEP")[0]
    proposes(rosa, offer.service_id, "N_PEP")
    decides(comes_back(app, receipt), "yes")
    for step in ("send", "refuse-unknown"):
        assert offer.name in html.unescape(cards(comes_back(app, receipt)))
        steps(rosa, case, step)
    assert offer.name not in html.unescape(cards(comes_back(app, receipt)))
    assert offer.service_id not in {one.service_id for one in offers_now(place, "N_PEP")}


def test_a_refusal_is_written_down_with_its_reason_or_with_one_touch_as_not_known(app: Flask, place: Place) -> None:
    receipt, rosa = place.receives(RAPE, "fue anoche"), at_the_desk(app, place)
    opens_newest_case(rosa)
    case, offers = rosa.path, offers_now(place, "N_PEP")[:2]
    for offer, pressed, because in zip(offers, ("refuse", "refuse-unknown"), ("PAPERS", ""), strict=True):
        rosa.opens(case)
        proposes(rosa, offer.service_id, "N_PEP")
        decides(comes_back(app, receipt), "yes")
        steps(rosa, case, "send")
        rosa.opens(case)
        form = [one for one in rosa.forms if ("step", "refuse") in one.buttons][-1]
        rosa.repeats(case, form.values | {"step": ["refuse"], "text": ["no la recibieron"]})
        assert rosa.status == 422
        assert say("Choose why it refused, or press that it is not known.") in rosa.words
        assert "no la recibieron" in rosa.text, "what was typed is there"
        assert the_case(place).referrals[-1].state == "sent", "nothing was written down"
        form = [one for one in rosa.forms if ("step", "refuse") in one.buttons][-1]
        rosa.repeats(case, form.values | {"step": [pressed], "because": [because]})
        kept = the_case(place).referrals[-1]
        last = kept.moves[-1]
        assert (kept.state, last["move"], last.get("because", "")) == ("refused", "refuse", because)


def offers_now(place: Place, need: str) -> list[Offer]:
    """What her case is offered for a need, the best first."""
    shelf = snapshot.snapshot_of(lambda: reading(place.engine))
    incident = the_case(place).incident_at(place.clock())
    found = help_for(shelf, incident, place.clock(), languages=("es",))
    return list(next(one for one in found.needs if one.need.code == need).offers)


def test_closing_is_told_to_her_and_a_letter_only_goes_where_she_said_yes_to_letters(app: Flask, place: Place) -> None:
    rosa, texts, receipts = at_the_desk(app, place), her_case_texts(), []
    for consents in (frozenset({"C_LETTERS"}), frozenset[str]()):
        receipts.append(place.receives(BEATEN, consents=consents))
        opens_newest_case(rosa)
        letter = {"text": "Estamos aquí cuando quieras."} if "c-text" in rosa.text else {}
        rosa.presses("close", outcome="REFUSED", reason="No la recibieron.", **letter)
        assert say("Closed:") in rosa.words
    for receipt, letter_came in zip(receipts, (True, False), strict=True):
        her = comes_back(app, receipt)
        assert texts["outcome"]["REFUSED"]["es"] in her.words
        assert texts["closed"]["es"] in her.words
        assert ("Estamos aquí cuando quieras." in her.words) is letter_came
        assert "No la recibieron." not in her.words, "why it was closed is for the team"


def test_the_page_says_how_long_she_has_been_silent_and_who_looked_last(app: Flask, place: Place) -> None:
    place.receives(BEATEN, "fue ayer")
    milagros = at_the_desk(app, place, "milagros")
    opens_newest_case(milagros)
    assert say("Nobody else has looked.") in milagros.words
    place.clock.on(days=3)
    rosa = at_the_desk(app, place)
    rosa.opens("/es/equipo/casos")
    assert "milagros miró: hace 3 días" in rosa.words, "the line says it too"
    rosa.opens(milagros.path)
    assert "Ella habló por última vez hace 3 días." in rosa.words
    assert say("Last looked at by %(name)s, %(when)s.", name="milagros", when="15 de enero de 2027") in rosa.words


def test_a_look_of_a_colleague_spoils_no_page_and_an_act_of_hers_does(app: Flask, place: Place) -> None:
    place.receives(BEATEN, "fue ayer")
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    opens_newest_case(rosa)
    milagros.opens(rosa.path)
    rosa.presses("label", labels="a")
    assert rosa.status == 203, "she only looked"
    milagros.presses("label", labels="b")
    assert milagros.status == 409


def test_what_is_urgent_her_newest_words_and_the_answer_box_come_before_everything_else(
    app: Flask, place: Place
) -> None:
    receipt, rosa = place.receives(RAPE, "fue anoche"), at_the_desk(app, place)
    opens_newest_case(rosa)
    page = rosa.text
    order = [
        "quedan 66 h",
        say("Nobody has it yet."),
        "fue anoche",
        'id="f-text"',
        "o-jumps",
        'id="told"',
        'id="help"',
    ]
    places = [page.index(mark) for mark in order]
    assert places == sorted(places)
    comes_back(app, receipt).presses("write", text="¿Puedo ir con una amiga? " * 40)
    rosa.opens(rosa.path)
    before_the_box = rosa.text.split('id="f-text"')[0]
    assert "¿Puedo ir con una amiga?" in before_the_box
    assert "<details" in before_the_box.split('id="happened"')[1], "a long letter is folded, and can be read there"


def test_an_answer_takes_the_case_where_nobody_has_it(app: Flask, place: Place) -> None:
    place.receives(BEATEN, "fue ayer")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    rosa.presses("answer", text="Aquí estamos.")
    assert say("%(name)s has it.", name="rosa") in rosa.words
    assert the_case(place).letters[-1].text == "Aquí estamos."


def test_when_the_window_is_past_her_page_says_so_and_what_still_helps(app: Flask, place: Place) -> None:
    receipt, rosa = place.receives(RAPE, "fue anoche"), at_the_desk(app, place)
    place.clock.on(days=3)
    her = comes_back(app, receipt)
    assert say("The time is past for: %(need)s.", need=in_her_words("N_PEP")) in her.words
    assert f"{say('What still helps:')} {in_her_words('N_STI')}" in her.words
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    assert f"{say(NEEDS['N_PEP'])} · {say('Its time is past')}" in rosa.words


def test_services_to_propose_stand_by_need_the_one_in_reach_first_with_why(app: Flask, place: Place) -> None:
    place.receives(RAPE, "fue anoche")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    doors = re.search(r'<select id="p-door".*?</select>', rosa.text, re.DOTALL)
    assert doors
    groups = [html.unescape(label) for label in re.findall(r'<optgroup label="([^"]+)"', doors[0])]
    needs = [need.need.code for need in help_for_case(place)]
    in_order = [say(NEEDS[code]) for code in needs]
    assert [label.split(" · ")[0] for label in groups] == [name for name in in_order if name in " ".join(groups)]
    assert len(groups) >= 4
    assert "quedan 66 h" in groups[0]
    first = re.search(r'<option value="N_PEP ([^"]+)"[^>]*>([^<]+)', doors[0])
    assert first
    assert first[1] == a_service(app, place, "N_PEP"), "the one that her page shows first"
    assert " · " in first[2], "and why"


def help_for_case(place: Place) -> list[NeedHelp]:
    case, shelf = the_case(place), snapshot.snapshot_of(lambda: reading(place.engine))
    found = help_for(shelf, case.incident_at(place.clock()), place.clock(), languages=("es",))
    return [need for need in found.needs if need.offers]
