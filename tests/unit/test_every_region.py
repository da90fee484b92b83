"""Twelve situations in each region, from whatever she says of the police: a way to reach help, and never the police.

And where it lies: the nearer one goes first, and a page says how far, in a straight line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from referrals.help.answers import Help, help_for
from referrals.matching.distance import Seat, kilometres, step
from referrals.matching.offers import NEVER_REPLACED
from referrals.matching.records import Seeker
from referrals.needs.codes import Need
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.places import DEPARTMENTS
from tests.unit.test_matching import NOON, a_card, offers, only, peru, seeker

SITUATIONS = {
    "raped five hours ago": Incident(violence=frozenset({"RAPE"}), condom="no", hours=(5.0, 5.0)),
    "bleeds": Incident(violence=frozenset({"PHYSICAL_ASSAULT"}), flags=frozenset({"D_BLEEDING"}), hours=(1.0, 1.0)),
    "beaten, has wounds": Incident(violence=frozenset({"PHYSICAL_ASSAULT"}), flags=frozenset({"I_WOUND"})),
    "thinks of ending her life": Incident(violence=frozenset({"PSYCH_ABUSE"}), flags=frozenset({"D_SUICIDE"})),
    "her partner knows where she sleeps": Incident(
        violence=frozenset({"THREATS"}),
        perpetrator=frozenset({"PARTNER"}),
        flags=frozenset({"S_NO_SAFE_PLACE", "S_KNOWS_HOME"}),
        wants=frozenset({"W_SHELTER"}),
    ),
    "pays to be left alone": Incident(violence=frozenset({"EXTORTION"}), perpetrator=frozenset({"CRIMINAL_GROUP"})),
    "the police took money": Incident(violence=frozenset({"EXTORTION"}), perpetrator=frozenset({"POLICE"})),
    "wants a lawyer and to report": Incident(
        violence=frozenset({"PHYSICAL_ASSAULT"}), wants=frozenset({"W_LEGAL", "W_REPORT"})
    ),
    "wants to talk": Incident(violence=frozenset({"PSYCH_ABUSE"}), wants=frozenset({"W_PSYCH", "W_PEER"})),
    "is fifteen": Incident(violence=frozenset({"SEXUAL_ASSAULT"}), age="A14_17"),
    "is trans, without papers": Incident(
        violence=frozenset({"SERVICE_DENIAL"}), identity="TRANS_WOMAN", docs="NONE", migrant=True
    ),
    "is made to work": Incident(violence=frozenset({"FORCED_SEX_WORK", "CONFINEMENT"})),
}
POLICE_SAFE = ("yes", "unsure", "no")
MUST_BE_CIVIL = {"MN_POLICE", "MN_CEM_COMISARIA"}


def told(department: str) -> Iterator[tuple[str, Incident, Help]]:
    for name, incident in SITUATIONS.items():
        for safe in POLICE_SAFE:
            here = replace(incident, department=department, police_safe=safe)
            yield f"{name}, police {safe}", here, help_for(peru(), here, NOON.timestamp(), languages=("es",))


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_every_need_has_an_offer_that_can_be_reached_and_no_other_is_shown(department: str) -> None:
    for name, _, found in told(department):
        assert found.needs, name
        for need in found.needs:
            assert need.offers or need.need.code in NEVER_REPLACED, (name, need.need.code)
            for offer in need.offers:
                assert offer.tel or offer.address, (name, need.need.code, offer.service_id)


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_who_must_not_meet_the_police_is_never_sent_where_they_may_be(department: str) -> None:
    held = 0
    for name, _, found in told(department):
        if not found.must_not & MUST_BE_CIVIL:
            continue
        held += 1
        for offer in (offer for need in found.needs for offer in need.offers):
            assert peru().service(offer.service_id).police == "no", (name, offer.service_id)
            assert offer.tel not in {"tel:105", "tel:111", "tel:1818"}
    assert held >= 2 * len(SITUATIONS)


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_an_emergency_has_the_address_of_a_hospital_first(department: str) -> None:
    here = replace(SITUATIONS["bleeds"], department=department, police_safe="no")
    need = help_for(peru(), here, NOON.timestamp(), languages=("es",)).needs[0]
    hospital = peru().service(need.offers[0].service_id)
    assert (need.need.code, hospital.service_type, bool(hospital.site)) == ("N_EMERG_MED", "HEALTH_EMERGENCY", True)
    assert need.offers[0].address or department == "PE19", "of one hospital the register has no address"


def test_one_national_line_is_no_answer_to_everything_any_more() -> None:
    """Where something near serves a need, a line that she sees already for another need does not stand first again."""
    for department in DEPARTMENTS:
        for name, _, found in told(department):
            seen: set[str] = set()
            for need in found.needs:
                if not need.offers:
                    continue
                first, near = need.offers[0], [offer for offer in need.offers if not is_national(offer.service_id)]
                if need.need.urgency != "NOW" and near and is_national(first.service_id):
                    assert first.service_id not in seen, (department, name, need.need.code)
                seen |= {offer.service_id for offer in need.open}


def is_national(service: str) -> bool:
    return peru().service(service).coverage_national


# ── how far ─────────────────────────────────────────────────────────────────────────────────────────────────

SULLANA, TALARA, PIURA = "PE2006", "PE2007", "PE2001"


def test_kilometres_are_those_of_a_map() -> None:
    lima, arequipa = Seat("Lima", -12.05, -77.04), Seat("Arequipa", -16.40, -71.54)
    assert kilometres(lima, arequipa) == pytest.approx(765, rel=0.01)
    assert kilometres(lima, lima) == 0
    assert [step(km) for km in (None, 0, 15, 16, 60, 61, 150, 151)] == [3, 0, 0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("urgency", ["NOW", "SOON"])
def test_the_nearer_of_two_in_other_provinces_goes_first_and_says_how_far(urgency: str) -> None:
    far = a_card("a_far", site=TALARA, coverage=frozenset({"PE20"}))
    near = a_card("z_near", site=SULLANA, coverage=frozenset({"PE20"}))
    who = seeker(Incident(department="PE20", province=PIURA))
    found, _ = offers(Need("N_PEP", urgency, ()), who, only(far, near))
    assert [offer.service_id for offer in found] == ["z_near", "a_far"]
    where = [reason for reason in found[0].reasons if "straight line" in reason.message]
    assert dict(where[0].parts)["place"] == "Sullana"
    assert 25 < int(str(dict(where[0].parts)["km"])) < 45


def test_one_in_her_province_goes_before_a_nearer_one_beyond_its_border() -> None:
    inside = a_card("z_inside", site="PE200101", coverage=frozenset({"PE20"}))
    beyond = a_card("a_beyond", site="PE200601", coverage=frozenset({"PE20"}))
    who = seeker(Incident(department="PE20", province=PIURA))
    assert [offer.service_id for offer in offers(Need("N_PEP", "NOW", ()), who, only(beyond, inside))[0]] == [
        "z_inside",
        "a_beyond",
    ]


def test_who_names_no_province_is_told_where_it_is_and_not_how_far() -> None:
    card = a_card("one", site="PE200601", coverage=frozenset({"PE20"}))
    found, _ = offers(Need("N_PEP", "NOW", ()), seeker(Incident(department="PE20")), only(card))
    said = [reason.message for reason in found[0].reasons]
    assert "It is in %(place)s." in said
    assert not [message for message in said if "straight line" in message]


def test_as_near_a_public_hospital_goes_before_one_for_the_insured_which_says_whom_it_is_for() -> None:
    public = a_card("z_public", site="PE200101", coverage=frozenset({"PE20"}))
    insured = a_card("a_insured", site="PE200101", coverage=frozenset({"PE20"}), insured=True)
    who = seeker(Incident(department="PE20", province=PIURA))
    found, _ = offers(Need("N_PEP", "NOW", ()), who, only(insured, public))
    assert [offer.service_id for offer in found] == ["z_public", "a_insured"]
    shipped = next(card for card in peru().cards.by_id.values() if card.insured)
    line = Seeker(Incident(department="PE" + shipped.site[2:4]), frozenset(), ("PE" + shipped.site[2:4],), ("es",))
    offer = offers(Need("N_EMERG_MED", "NOW", ()), line, only(shipped))[0][0]
    assert [warning for warning in offer.warnings if "EsSalud" in warning.message and "everybody" in warning.message]
