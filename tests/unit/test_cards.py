"""Cards: one for each door, three in sight, one doubt each; what is true of most is said once above."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from referrals.help import doubts
from referrals.help.answers import help_for, help_with
from referrals.help.cards import IN_SIGHT, HelpCards, cards_of
from referrals.help.texts import need_words
from referrals.matching import wording
from referrals.matching.records import Offer
from referrals.needs.codes import Need
from reporting.i18n import said
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.places import DEPARTMENTS
from tests.unit.test_every_region import POLICE_SAFE, SITUATIONS
from tests.unit.test_matching import NOON, a_card, offers, only, peru, seeker

RAPED = Incident(
    department="PE20",
    province="PE2001",
    violence=frozenset({"RAPE"}),
    condom="no",
    hours=(50.0, 50.0),
    docs="NONE",
    migrant=True,
    police_safe="no",
    wants=frozenset({"W_HEALTH", "W_PEER"}),
)


def cards_for(incident: Incident) -> HelpCards:
    return cards_of(help_for(peru(), incident, NOON.timestamp(), languages=("es",)))


@cache
def everywhere() -> tuple[HelpCards, ...]:
    """What is offered in twelve situations in each region, from whatever she says of the police."""
    return tuple(
        cards_for(replace(incident, department=department, police_safe=safe))
        for department in DEPARTMENTS
        for incident in SITUATIONS.values()
        for safe in POLICE_SAFE
    )


def test_a_door_has_one_card_with_everything_that_it_serves_and_no_need_is_lost() -> None:
    for shown in everywhere():
        cards = (*shown.today, *shown.later)
        doors = [card.offer.service_id for card in cards]
        assert len(doors) == len(set(doors))
        needs = [need.need.code for card in cards for need in card.needs] + [one.need.code for one in shown.nothing]
        assert sorted(needs) == sorted(need.need.code for need in shown.help.needs)


def test_three_cards_are_in_sight_and_they_are_those_of_her_first_needs() -> None:
    for shown in everywhere():
        assert len(shown.today) <= IN_SIGHT
        assert not shown.later or len(shown.today) == IN_SIGHT
        order = [need.need.code for need in shown.help.needs]
        firsts = [order.index(card.first.need.code) for card in (*shown.today, *shown.later)]
        assert firsts == sorted(firsts)


def test_what_presses_behind_the_fold_is_named_on_it() -> None:
    folded = [need for shown in everywhere() for card in shown.later for need in card.needs]
    assert [need for need in folded if need.need.urgency in {"NOW", "H24"}], "nothing pressing was ever folded"
    for shown in everywhere():
        named = {need.need.code for need in (*shown.pressing, *shown.unhurried)}
        assert named == {need.need.code for card in shown.later for need in card.needs}


def test_a_card_has_one_line_of_doubt_and_it_is_the_most_harmful_that_is_known() -> None:
    weights = {message: weight for weight, message in enumerate(doubts.HARM)}
    doubted = 0
    for shown in everywhere():
        for card in (*shown.today, *shown.later):
            own = [weights[warning.message] for warning in card.offer.warnings if warning.message in weights]
            if own and card.doubt:
                doubted += 1
                assert weights[card.doubt.message] <= min(own)
            assert len(card.doubts) == len({doubt.message for doubt in card.doubts})
    assert doubted


def test_every_warning_is_weighed_or_said_of_all() -> None:
    named = {value for name, value in vars(wording).items() if name in WARNED}
    known = named | set(wording.WARNINGS.values()) | set(wording.WITHOUT_NUMBER.values())
    assert known == set(doubts.HARM) | set(doubts.OF_ALL)
    said_on_cards = {
        one.message
        for shown in everywhere()
        for need in shown.help.needs
        for offer in need.offers
        for one in offer.warnings
    }
    assert said_on_cards <= known


WARNED = {
    "ASKS_FOR_ID",
    "DOUBTED",
    "DUTY",
    "MINORS_UNKNOWN",
    "NOT_SURE",
    "PAPERS_UNKNOWN",
    "POLICE_INSIDE",
    "POLICE_UNKNOWN",
    "TRANS_UNKNOWN",
}


def test_what_is_said_of_all_stands_once_above_and_on_no_card() -> None:
    shown = cards_for(replace(RAPED, identity="TRANS_WOMAN"))
    above = [sentence.message for sentence in shown.of_all]
    about = (wording.DUTY, wording.PAPERS_UNKNOWN, wording.TRANS_UNKNOWN)
    assert above == [doubts.UNVERIFIED, *(doubts.OF_ALL[one] for one in about)]
    on_cards = {doubt.message for card in (*shown.today, *shown.later) for doubt in card.doubts}
    assert not on_cards & doubts.OF_ALL.keys()


def test_where_all_is_verified_nothing_is_said_about_it() -> None:
    found = offers(Need("N_PEP", "NOW", ()), seeker(Incident(department="PE20")), only(a_card()))[0]
    assert doubts.of_all(found) == ()
    assert doubts.of_all([replace(found[0], verified=said(wording.NEVER_CHECKED))]) == (said(doubts.UNVERIFIED),)


@pytest.mark.parametrize(
    ("police", "sentence"), [("yes", wording.POLICE_INSIDE), ("unknown", wording.POLICE_UNKNOWN), ("no", None)]
)
def test_the_police_are_said_to_be_there_only_where_that_is_known(police: str, sentence: str | None) -> None:
    who = seeker(Incident(department="PE20", police_safe="yes"))
    offer = offers(Need("N_PEP", "NOW", ()), who, only(a_card(police=police)))[0][0]
    about = {wording.POLICE_INSIDE, wording.POLICE_UNKNOWN} & {warning.message for warning in offer.warnings}
    assert about == ({sentence} if sentence else set())


def test_places_that_are_hidden_in_doubt_are_counted_apart_from_those_of_the_police() -> None:
    cards = only(
        a_card("known", police="yes"), a_card("unclear", police="unknown"), a_card("unclear2", police="unknown")
    )
    directory = replace(peru(), cards=cards)
    hidden = help_with(directory, ["N_PEP"], "PE20", NOON.timestamp(), languages=("es",))
    assert (hidden.hidden_for_police, hidden.hidden_in_doubt) == (1, 2)


def test_no_line_of_the_state_stands_in_for_a_companion() -> None:
    shown = cards_for(RAPED)
    assert [need.need.code for need in shown.nothing] == ["N_PEER"]
    assert "N_PEER" in shown.help.gaps
    with_number = replace(peru().service("miluska"), phone="064 123456", tel="tel:064123456")
    directory = replace(peru(), cards=replace(peru().cards, by_id={**peru().cards.by_id, "miluska": with_number}))
    found = cards_of(help_for(directory, RAPED, NOON.timestamp(), languages=("es",)))
    assert not found.nothing
    peer = next(card for card in (*found.today, *found.later) if card.offer.service_id == "miluska")
    assert [need.need.code for need in peer.needs] == ["N_PEER"]


def test_a_line_that_stands_in_says_for_what_nothing_near_is_known_and_only_where_she_said_her_place() -> None:
    wants = frozenset({"W_DIGITAL", "W_MONEY"})
    here = cards_for(Incident(department="PE25", wants=wants))
    line = next(card for card in (*here.today, *here.later) if card.only_line)
    assert {"N_DIGITAL", "N_ECON"} <= {need.need.code for need in line.only_line}
    nowhere = cards_for(Incident(wants=wants))
    assert not [card for card in (*nowhere.today, *nowhere.later) if card.only_line]


def test_every_need_has_words_of_hers_in_both_languages() -> None:
    assert need_words().keys() == NEEDS.keys()
    for need, words in need_words().items():
        for language in ("es", "en"):
            assert words[language] == words[language].strip(". "), need


def test_an_offer_says_where_it_is_and_how_far_in_one_line_of_its_own() -> None:
    near: Offer = next(card.offer for card in cards_for(RAPED).today if card.offer.where)
    assert near.where in near.reasons
