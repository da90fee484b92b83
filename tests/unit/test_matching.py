"""Matching: what is hidden, in which order the rest stands, and that nobody is left without a door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from random import Random
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.directory import snapshot
from referrals.directory.importing import shipped
from referrals.directory.snapshot import DirectorySnapshot
from referrals.help.answers import help_for
from referrals.matching import offers as matching_offers
from referrals.matching.listings import ServiceCard
from referrals.matching.offers import NEVER_REPLACED, SHOWN
from referrals.matching.order import near_band
from referrals.matching.records import Cards, Offer, Seeker
from referrals.needs.assessment import assess
from referrals.needs.codes import URGENCIES, Need
from referrals.needs.exclusions import HIDES
from reporting.storage.database import Base, open_database, reading, writing
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.places import REGIONS

DEPARTMENTS = (*REGIONS.values(), "PE15", None)
AGES = ("A25_34", "A14_17", "U14", None)


@cache
def peru() -> DirectorySnapshot:
    """The shipped directory, read once."""
    engine = open_database("sqlite:///:memory:")
    Base.metadata.create_all(engine)
    with writing(engine) as db:
        shipped.load_shipped(db)
    return snapshot.snapshot_of(partial(reading, engine))


NOON = datetime(2026, 11, 24, 17, tzinfo=UTC)  # a Tuesday in Lima


Found = tuple[tuple[Offer, ...], dict[str, set[str]]]


def offers(need: Need, who: Seeker, cards: Cards, now: datetime = NOON) -> Found:
    return matching_offers.offers(need, who, cards, now)


def seeker(incident: Incident, *, police_shown: bool = False, **told: object) -> Seeker:
    places = tuple(code for code in (incident.province, incident.department) if code)
    made = Seeker(incident, assess(incident).must_not, places, ("es",), police_shown)
    return replace(made, **told)  # type: ignore[arg-type]


def offered(need: str, who: Seeker, cards: Cards | None = None, urgency: str = "NOW") -> list[str]:
    found, _ = offers(Need(need, urgency, ()), who, cards or peru().cards)
    return [offer.service_id for offer in found]


def only(*cards: ServiceCard) -> Cards:
    return replace(peru().cards, by_id={card.service_id: card for card in cards})


def a_card(name: str = "one", **told: object) -> ServiceCard:
    """A service about which everything is known and good, changed as told."""
    good = ServiceCard(
        service_id=name,
        name=name,
        service_type="HEALTH_PRIMARY",
        phone="064 123456",
        phone_note="",
        tel="tel:064123456",
        hours="",
        is_24h="yes",
        cost="free",
        languages=frozenset({"es"}),
        what_for="",
        police="no",
        trans_friendly="yes",
        sw_friendly="yes",
        minors="yes",
        accepts_no_id="yes",
        needs=MappingProxyType({"N_PEP": "yes"}),
        coverage=frozenset({"PE20"}),
        coverage_national=False,
        status="seen",
        source="a leaflet",
        source_date="2026",
        verified_on="2026-11-01",
        duty="",
        through="",
        warnings=(),
    )
    return replace(good, **told)  # type: ignore[arg-type]


# ── the gate ──────────────────────────────────────────────────────────────────────────────────────────────

WHO_HOLDS: Mapping[str, Incident] = {  # must-not -> somebody for whom it holds
    "MN_POLICE": Incident(department="PE20", police_safe="no"),
    "MN_CEM_COMISARIA": Incident(department="PE20", perpetrator=frozenset({"POLICE"})),
    "MN_SAME_STATION": Incident(
        department="PE20", perpetrator=frozenset({"POLICE"}), wants=frozenset({"W_REPORT_POLICE"})
    ),
    "MN_REQUIRE_ID": Incident(department="PE20", docs="NONE"),
    "MN_MIGRATION_AUTH": Incident(department="PE20", docs="NONE", migrant=True),
    "MN_DEADNAME": Incident(department="PE20", identity="TRANS_WOMAN"),
}


def test_every_must_not_that_hides_is_tried_here() -> None:
    assert WHO_HOLDS.keys() == HIDES.keys()
    for code, incident in WHO_HOLDS.items():
        assert code in assess(incident).must_not


@pytest.mark.parametrize("code", WHO_HOLDS)
@pytest.mark.parametrize("need", NEEDS)
def test_no_service_is_offered_against_a_must_not(code: str, need: str) -> None:
    who = seeker(WHO_HOLDS[code])
    bad = {card.service_id for card in peru().cards.by_id.values() if HIDES[code](card)}
    assert not bad & set(offered(need, who))


@pytest.mark.parametrize("need", NEEDS)
def test_no_police_number_stands_behind_a_door_either(need: str) -> None:
    found, _ = offers(Need(need, "NOW", ()), seeker(WHO_HOLDS["MN_POLICE"]), peru().cards)
    numbers = {card.tel for card in peru().cards.by_id.values() if card.police == "yes" and card.tel}
    assert not numbers & {offer.tel for offer in found}


def test_asking_for_the_police_in_words_shows_them() -> None:
    who = seeker(WHO_HOLDS["MN_POLICE"], police_shown=True)
    _, hidden = offers(Need("N_REPORT_ROUTE", "H24", ()), who, peru().cards)
    assert "MN_POLICE" not in hidden


def test_police_must_be_known_to_be_absent() -> None:
    cards = only(a_card("unclear", police="unknown"))
    assert "unclear" not in offered("N_PEP", seeker(WHO_HOLDS["MN_POLICE"]), cards)


def test_a_service_that_refused_her_is_not_offered_and_no_door_leads_through_it() -> None:
    incident = Incident(department="PE20", refused_by=frozenset({"linea113"}))
    found, hidden = offers(Need("N_PEP", "NOW", ()), seeker(incident), peru().cards)
    assert all(offer.tel != "tel:113" for offer in found)
    assert hidden.get("REFUSED", set()) <= {"linea113"}


@pytest.mark.parametrize(
    ("coverage", "place", "band"),
    [
        ({"PE2501"}, ("PE2501", "PE25"), 1),
        ({"PE25"}, ("PE2501", "PE25"), 2),
        ({"PE2501"}, ("PE25",), 2),  # she named only the department
        ({"PE2502"}, ("PE2501", "PE25"), None),
        ({"PE04"}, ("PE25",), None),
        ({"PE25"}, (), None),
    ],
)
def test_a_service_must_serve_her_place(coverage: set[str], place: tuple[str, ...], band: int | None) -> None:
    assert near_band(a_card(coverage=frozenset(coverage)), place) == band


def test_a_row_that_no_source_has_seen_is_no_door() -> None:
    assert not {"fono_alegra", "cerits_ucayali"} & {
        service for need in NEEDS for service in offered(need, seeker(Incident(department="PE25")))
    }


# ── nobody without a door ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("need", NEEDS)
@pytest.mark.parametrize("department", DEPARTMENTS)
@pytest.mark.parametrize("age", AGES)
def test_every_need_has_a_door_that_can_be_called(need: str, department: str | None, age: str | None) -> None:
    for incident in (
        Incident(department=department, age=age),
        Incident(department=department, age=age, police_safe="no", docs="NONE", identity="TRAVESTI", migrant=True),
    ):
        found, _ = offers(Need(need, "H24", ()), seeker(incident), peru().cards)
        assert any(offer.tel for offer in found) or need in NEVER_REPLACED
        assert len(found) <= SHOWN + 1


def test_where_nothing_is_near_a_national_line_says_that_it_stands_in() -> None:
    found, _ = offers(Need("N_DIGITAL", "SOON", ()), seeker(Incident(department="PE25")), peru().cards)
    assert [(offer.service_id, offer.fallback) for offer in found] == [("linea100", True)]


def test_an_empty_directory_gives_no_door_and_no_crash() -> None:
    assert offered("N_PEP", seeker(Incident()), Cards({}, {}, {})) == []


# ── the order ─────────────────────────────────────────────────────────────────────────────────────────────

TRANS = Incident(department="PE20", province="PE2001", identity="TRANS_WOMAN", docs="NONE")
WORSE: Mapping[str, Mapping[str, object]] = {  # what makes a door come later, all else equal
    "the need unknown": {"needs": MappingProxyType({"N_PEP": "unknown"})},
    "trans people unknown": {"trans_friendly": "unknown"},
    "sex workers unknown": {"sw_friendly": "unknown"},
    "papers unknown": {"accepts_no_id": "unknown"},
    "language unknown": {"languages": frozenset()},
    "farther": {"coverage": frozenset({"PE20"})},
    "in another province": {"coverage": frozenset({"PE20"}), "site": "PE2006"},
    "for people insured there": {"insured": True},
    "never verified": {"verified_on": ""},
    "hours unknown": {"is_24h": "unknown"},
}


@pytest.mark.parametrize("urgency", URGENCIES)
@pytest.mark.parametrize("worse", WORSE)
def test_the_better_known_door_stands_first(worse: str, urgency: str) -> None:
    best = a_card("z_best", coverage=frozenset({"PE2001"}))  # last by its name, so only the order puts it first
    second = replace(a_card("a_second", coverage=frozenset({"PE2001"})), **WORSE[worse])  # type: ignore[arg-type]
    found = offered("N_PEP", seeker(TRANS), only(second, best), urgency)
    assert found[:2] == ["z_best", "a_second"]


@pytest.mark.parametrize("urgency", URGENCIES)
def test_a_name_without_number_address_or_line_is_never_an_offer(urgency: str) -> None:
    nameless = a_card("a_silent", tel="", phone="", coverage=frozenset({"PE2001"}))
    called = a_card("z_called", coverage=frozenset({"PE2001"}))
    assert offered("N_PEP", seeker(TRANS), only(nameless, called), urgency) == ["z_called"]
    assert offered("N_PEP", seeker(TRANS), only(nameless), urgency) == []
    stands = replace(nameless, service_id="a_silent", address="Jirón 1")
    assert offered("N_PEP", seeker(TRANS), only(stands), urgency) == ["a_silent"]


def test_what_is_open_goes_before_what_is_near_when_time_is_short() -> None:
    far = a_card("far", coverage=frozenset({"PE"}), coverage_national=True)
    near = a_card("near", coverage=frozenset({"PE2001"}), is_24h="unknown")
    assert offered("N_PEP", seeker(TRANS), only(near, far), "NOW") == ["far", "near"]
    assert offered("N_PEP", seeker(TRANS), only(near, far), "SOON") == ["near", "far"]


@given(
    st.randoms(use_true_random=False),
    st.sampled_from(sorted(NEEDS)),
    st.sampled_from(URGENCIES),
    st.sampled_from(DEPARTMENTS),
    st.sampled_from(sorted(VOCABULARY["identity"])),
)
def test_the_order_of_the_shelf_changes_nothing(
    chance: Random, need: str, urgency: str, department: str | None, identity: str
) -> None:
    who = seeker(Incident(department=department, identity=identity, police_safe="no"))
    cards = list(peru().cards.by_id.values())
    chance.shuffle(cards)
    assert offers(Need(need, urgency, ()), who, only(*cards)) == offers(Need(need, urgency, ()), who, peru().cards)


@given(st.sampled_from(sorted(NEEDS)), st.sampled_from(DEPARTMENTS))
def test_a_service_that_does_not_serve_the_need_moves_nobody(need: str, department: str | None) -> None:
    who = seeker(Incident(department=department))
    stranger = a_card("aaa", needs=MappingProxyType({}), coverage_national=True)
    with_stranger = only(*peru().cards.by_id.values(), stranger)
    assert offered(need, who, with_stranger) == offered(need, who)


# ── what is said ──────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_not_known_is_said_and_never_hides() -> None:
    card = a_card(
        "unclear", needs=MappingProxyType({"N_PEP": "unknown"}), trans_friendly="unknown", accepts_no_id="unknown"
    )
    found, hidden = offers(Need("N_PEP", "NOW", ()), seeker(TRANS), only(card))
    assert not hidden
    said = " ".join(sentence.message for sentence in (*found[0].reasons, *found[0].warnings))
    assert said.count("We do not know") == 3


def test_linea_100_says_that_it_may_speak_with_the_police() -> None:
    for need in ("N_PFA", "N_SHELTER", "N_DIGITAL"):
        found, _ = offers(Need(need, "SOON", ()), seeker(Incident()), peru().cards)
        line = next(offer for offer in found if offer.service_id == "linea100")
        assert any("police" in warning.message for warning in line.warnings)


def test_a_public_service_says_that_its_people_may_have_to_report() -> None:
    found, _ = offers(Need("N_PEP", "NOW", ()), seeker(Incident(department="PE20")), peru().cards)
    public = [offer for offer in found if peru().service(offer.service_id).duty]
    assert public
    assert all(any("have to report" in warning.message for warning in offer.warnings) for offer in public)


def test_a_door_without_a_number_is_reached_through_the_line_that_leads_there() -> None:
    cards = only(*(peru().service(service) for service in ("tar_piura", "linea113")))
    found, _ = offers(Need("N_PEP", "NOW", ()), seeker(Incident(department="PE20")), cards)
    door = next(offer for offer in found if offer.service_id == "tar_piura")
    assert (door.phone, door.tel) == ("113", "tel:113")
    assert any(dict(reason.parts).get("number") == "113" for reason in door.reasons)


def test_nothing_is_said_to_be_verified_that_is_not() -> None:
    for need in NEEDS:
        found, _ = offers(Need(need, "H24", ()), seeker(Incident(department="PE12")), peru().cards)
        assert all(not offer.verified.parts for offer in found)  # no shipped row has a day of verification


def test_every_sentence_can_be_filled_in() -> None:
    for need in NEEDS:
        for department in DEPARTMENTS:
            found, _ = offers(Need(need, "H24", ()), seeker(replace(TRANS, department=department)), peru().cards)
            for sentence in (part for offer in found for part in (*offer.reasons, *offer.warnings, offer.verified)):
                assert "%(" not in (sentence.message % sentence.parts_in(str) if sentence.parts else sentence.message)


def test_a_door_is_told_in_full_wherever_it_is_first_seen_open() -> None:
    incident = Incident(
        department="PE25",
        violence=frozenset({"RAPE"}),
        hours=(30.0, 30.0),
        condom="no",
        wants=frozenset({"W_PSYCH", "W_SHELTER", "W_LEGAL"}),
    )
    found = help_for(peru(), incident, NOON.timestamp(), languages=("es",)).needs
    in_sight = [offer for one in found for offer in one.open]
    assert len({offer.service_id for offer in in_sight}) < len(in_sight)
    for number, offer in enumerate(in_sight):
        assert offer.again is (offer.service_id in {before.service_id for before in in_sight[:number]})


def test_a_child_sees_both_lines_for_children() -> None:
    child = Incident(department="PE25", age="A14_17")
    found = help_for(peru(), child, NOON.timestamp(), languages=("es",)).needs
    lines = next(one for one in found if one.need.code == "N_CHILD_PROT").open
    assert {offer.tel for offer in lines} == {"tel:100", "tel:1810"}


@pytest.mark.parametrize("urgency", URGENCIES)
def test_an_address_near_her_goes_before_a_line_of_the_country_and_is_no_last_resort(urgency: str) -> None:
    stands = a_card("a_silent", tel="", phone="", address="Jirón 1", coverage=frozenset({"PE2001"}))
    found, _ = offers(Need("N_PEP", urgency, ()), seeker(TRANS), only(stands, peru().service("linea113")))
    assert [(offer.service_id, offer.fallback) for offer in found] == [("a_silent", False), ("linea113", False)]
    assert found[0].address == "Jirón 1"
