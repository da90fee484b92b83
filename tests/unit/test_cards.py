"""Cards: one for each door, three in sight, one doubt each; what is true of most is said once above."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from functools import cache

import pytest

from referrals.directory.home import shipped_services
from referrals.help import at_the_door, doubts
from referrals.help.answers import gaps_for, help_for, help_with
from referrals.help.at_the_door import EMERGENCY, WALK_IN
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


def test_what_is_counted_as_a_gap_is_what_she_is_shown_no_service_for() -> None:
    """In the whole directory, and in one of which hardly anything is left."""
    found = set()
    for bare in (False, True):
        held = peru()
        if bare:
            few = {service: card for place, (service, card) in enumerate(held.cards.by_id.items()) if not place % 9}
            kept = few | {line: held.cards.by_id[line] for line in held.cards.lines}
            held = replace(held, cards=replace(held.cards, by_id=kept))
        for department in DEPARTMENTS:
            for incident in SITUATIONS.values():
                there = replace(incident, department=department)
                shown = help_for(held, there, NOON.timestamp(), languages=("es",)).gaps
                assert gaps_for(held, there, NOON.timestamp(), languages=("es",)) == list(shown)
                found.update(shown)
    assert len(found) > 3


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
    assert said_on_cards <= known | set(UNCALLED.values())


UNCALLED = wording.WITHOUT_A_CALL
WARNED = {
    "ASKS_FOR_ID",
    "MAY_CHANGE",
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


OFFICES = re.compile(r"\b(MINSA|MIMP|MINJUSDH|Mininter|DIRESA|AOE)\b|según nota")


def test_a_name_that_she_reads_names_no_office_behind_it_explains_the_cem_and_has_its_accents() -> None:
    shipped = {row["name"] for row in csv.DictReader(io.StringIO(shipped_services()))}
    assert wording.PLAIN_NAMES.keys() <= shipped, "each stands for a name that is there"
    for name in shipped:
        shown = wording.plain(name)
        assert not OFFICES.search(shown), shown
        assert "CEM" not in shown or "Centro Emergencia Mujer (CEM)" in shown, shown
        assert wording.accented(shown) == shown
    assert wording.plain("CEM Regular Satipo") == "Centro Emergencia Mujer (CEM) Satipo"
    assert wording.accented("Jr. Jose Galvez, Calleria") == "Jr. José Galvez, Callería"
    assert wording.plain("Casa de Rosa (MINSA)") == "Casa de Rosa (MINSA)", "what the team wrote stays"


def test_a_place_whose_number_nobody_knows_never_says_call_first_and_its_doubts_weigh_the_same() -> None:
    """In every need, hour and answer that the directory is asked for."""
    bare = seen = 0
    for shown in everywhere():
        for offer in (offer for need in shown.help.needs for offer in need.offers):
            told = (*offer.reasons, *offer.warnings, offer.verified, *([offer.is_open] if offer.is_open else []))
            calls = [one.message for one in told if "call first" in one.message or one.message in UNCALLED]
            bare += not (offer.tel or offer.phone)
            seen += sum(one.message in UNCALLED.values() for one in told)
            assert (offer.tel or offer.phone) or not calls, (offer.name, calls)
    assert bare > 20
    assert seen > 20
    for message, other in UNCALLED.items():
        assert "call" not in other
        assert doubts._WEIGHT.get(message) == doubts._WEIGHT.get(other)  # noqa: SLF001 -- one doubt, said in two ways


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


# ── a door to walk into ─────────────────────────────────────────────────────────────────────────────────────

WOUNDED = Incident(
    department="PE25",
    province="PE2501",
    violence=frozenset({"PHYSICAL_ASSAULT"}),
    flags=frozenset({"I_WOUND"}),
    hours=(10.0, 10.0),
    wants=frozenset({"W_HEALTH"}),
)


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_medicine_pill_and_wound_lead_to_an_emergency_with_an_address_before_any_line(department: str) -> None:
    for incident in (RAPED, WOUNDED):
        for safe in POLICE_SAFE:
            here = replace(incident, department=department, province=None, police_safe=safe)
            for need in help_for(peru(), here, NOON.timestamp(), languages=("es",)).needs:
                if need.need.code in WALK_IN:
                    door = need.offers[0]
                    assert (door.kind, bool(door.address), door.national) == ("HEALTH_EMERGENCY", True, False)
                    assert need.offers[1].national, "then the line"


def test_of_two_emergencies_the_nearer_is_named_and_how_far_as_the_crow_flies() -> None:
    near = a_card("z_near", service_type="HEALTH_EMERGENCY", address="Jirón 1", site="PE2006", coverage=IN_PIURA)
    far = a_card("a_far", service_type="HEALTH_EMERGENCY", address="Jirón 2", site="PE2007", coverage=IN_PIURA)
    silent = a_card("a_silent", service_type="HEALTH_EMERGENCY", site="PE2001", coverage=IN_PIURA)
    clinic = a_card("a_clinic", address="Jirón 3", site="PE2001", coverage=IN_PIURA)
    directory = replace(peru(), cards=only(far, near, silent, clinic))
    card = cards_of(help_for(directory, RAPED, NOON.timestamp(), languages=("es",))).today[0]
    assert card.offer.service_id == "z_near"
    assert card.offer.where
    assert "straight line" in card.offer.where.message


def test_an_emergency_that_refused_her_or_that_the_police_run_is_not_the_door() -> None:
    first = help_for(peru(), RAPED, NOON.timestamp(), languages=("es",)).needs[0].offers[0].service_id
    refused = replace(RAPED, refused_by=frozenset({first}))
    assert first not in {
        offer.service_id
        for need in help_for(peru(), refused, NOON.timestamp(), languages=("es",)).needs
        for offer in need.offers
    }
    theirs = a_card("theirs", service_type="HEALTH_EMERGENCY", address="Jirón 1", site="PE2001", police="yes")
    directory = replace(peru(), cards=only(replace(theirs, coverage=IN_PIURA)))
    assert not cards_of(help_for(directory, RAPED, NOON.timestamp(), languages=("es",))).today


def test_the_card_of_an_emergency_says_what_to_say_and_what_they_may_not_ask() -> None:
    card = cards_for(replace(RAPED, pregnant_possible="yes")).today[0]
    said_there = {line.texts["es"]: line.kind for line in card.at_the_desk}
    assert list(said_there.values()) == ["say", "say", "right", "right", "right"]
    words = " ".join(said_there)
    assert "PEP" in words
    assert "anticoncepción" in words
    assert "DNI" in words
    assert "denuncia" in words
    others = [one for shown in everywhere() for one in (*shown.today, *shown.later) if one.offer.kind != EMERGENCY]
    assert not [one for one in others if one.at_the_desk]


def test_a_sentence_for_the_desk_without_a_source_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [dict(row) for row in at_the_door.desk_rows()]
    assert all(set(row["sources"]) - at_the_door.NO_SOURCES for row in rows)
    bare = [{**row, "sources": ["P", "U"] if number % 2 else []} for number, row in enumerate(rows)]
    monkeypatch.setattr(at_the_door, "desk_rows", lambda: tuple(bare))
    assert at_the_door.sentences(WALK_IN) == ()


def test_the_law_of_one_country_is_said_at_no_desk_of_another() -> None:
    here = {line.texts["es"] for line in at_the_door.sentences(WALK_IN, "PE")}
    elsewhere = {line.texts["es"] for line in at_the_door.sentences(WALK_IN, "KE")}
    assert elsewhere < here
    assert not [text for text in elsewhere if "DNI" in text]


IN_PIURA = frozenset({"PE20"})


def test_a_number_of_another_line_is_said_to_be_one_in_sight_and_once() -> None:
    led = [card for shown in everywhere() for card in (*shown.today, *shown.later) if card.offer.led_by]
    assert led
    for card in led:
        assert card.offer.led_by in card.offer.reasons
        assert card.offer.led_by not in card.reasons
    own = [card for shown in everywhere() for card in shown.today if not card.offer.led_by and card.offer.tel]
    assert own
