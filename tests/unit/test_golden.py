"""Golden cases of matching: written by hand before the order was built, each with the line that decides it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from referrals.matching.hours import ZONE
from referrals.matching.listings import ServiceCard
from referrals.matching.offers import offers
from referrals.matching.records import Cards, Offer, Seeker
from referrals.needs.assessment import assess
from referrals.needs.codes import URGENCIES, Need
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS
from tests.unit.test_matching import a_card, peru

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / "golden" / "matching.yaml").read_text("utf-8")
)


def test_there_are_at_least_sixty_and_none_twice() -> None:
    assert len(CASES) >= 60
    assert not [name for name, count in Counter(case["id"] for case in CASES).items() if count > 1]


def test_each_names_the_line_that_decides_it() -> None:
    assert not [case["id"] for case in CASES if not re.search(r"(directory|domain|design) ", case["decides"])]


def test_each_speaks_of_needs_urgencies_and_doors_that_exist() -> None:
    for case in CASES:
        assert case["need"] in NEEDS, case["id"]
        assert case.get("urgency", "NOW") in URGENCIES, case["id"]
        assert set(case.get("offer", ())) <= set(case.get("doors", {})) or "shipped" in case, case["id"]


def _moment(case: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(case["now"]).replace(tzinfo=ZoneInfo(ZONE))


def _who(case: Mapping[str, Any]) -> Seeker:
    told = {"department": "PE20", "province": "PE2001", **case.get("who", {})}
    sets = {"violence", "perpetrator", "flags", "wants", "refused_by"}
    incident = Incident(**{name: frozenset(value) if name in sets else value for name, value in told.items()})
    places = tuple(code for code in (incident.province, incident.department) if code)
    tongues = tuple(code for code in (incident.lang, "es") if code)
    return Seeker(incident, assess(incident).must_not, places, tongues)


def _card(name: str, told: Mapping[str, Any], case: Mapping[str, Any]) -> ServiceCard:
    plain = dict(told)
    checked = (_moment(case) - timedelta(days=20)).date().isoformat()
    needs = {need: plain.pop("answer", "yes") for need in plain.pop("needs", [case["need"]])}
    sets = {"coverage", "languages"}
    given = {key: frozenset(value) if key in sets else value for key, value in plain.items()}
    card = a_card(name, needs=needs, coverage=frozenset({"PE2001"}), hours="", is_24h="unknown", verified_on=checked)
    return replace(card, **given)


def _directory(case: Mapping[str, Any]) -> Cards:
    if case.get("shipped"):
        return peru().cards
    made = {name: _card(name, told or {}, case) for name, told in case["doors"].items()}
    return replace(peru().cards, by_id=made)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_golden_case_is_answered_as_written(case: dict[str, Any]) -> None:
    need = Need(case["need"], case["urgency"], (), hours_left=case.get("hours_left"))
    found, hidden = offers(need, _who(case), _directory(case), _moment(case))
    ids = [offer.service_id for offer in found if not offer.fallback or case.get("shipped")]
    if "offer" in case:
        assert ids == case["offer"]
    if "first" in case:
        assert ids[0] == case["first"]
    assert not set(case.get("never", ())) & set(ids)
    if "hidden" in case:
        assert {reason: len(services) for reason, services in hidden.items()} == case["hidden"]
    for name, sentence in case.get("says", {}).items():
        assert sentence in _sentences(next(offer for offer in found if offer.service_id == name))


def _sentences(offer: Offer) -> list[str]:
    return [said.message for said in (*offer.reasons, *offer.warnings, offer.verified)]
