"""The order of offers against a second one, written from the text of the rule alone: every service, no index, no haste.

AMPARO_MATCHES sets how many questions are drawn (2,000 were run by hand; a few hundred each time).
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.directory import match_table, reviewed_data, snapshot
from referrals.directory.card import cards_of
from referrals.directory.importing import shipped
from referrals.directory.match_table import StoredListings, stored_listings
from referrals.directory.models import ServiceRow
from referrals.directory.rows import COLUMNS, store_new
from referrals.matching import hours, offers, order, records
from referrals.matching.hours import Hours
from referrals.matching.listings import Index, ServiceCard
from referrals.matching.offers import best_listings
from referrals.matching.order import Search
from referrals.matching.records import Cards, Seeker
from referrals.needs import exclusions
from referrals.needs.assessment import assess
from referrals.needs.codes import URGENCIES, Need
from referrals.needs.exclusions import BARS, HIDES
from reporting.operations.bench import invented_services
from reporting.storage.database import Base, open_database, reading, writing
from reporting.vocabulary.codes import IDENTITY_GROUP, VOCABULARY
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS
from tests.unit.test_matching import a_card

MANY = int(os.environ.get("AMPARO_MATCHES", "250"))
MONDAY = datetime(2026, 11, 23, 5, tzinfo=UTC)
SERVICES = 900


@cache
def shelves() -> tuple[Cards, Cards]:
    """The same invented services twice: found in memory, and found in the table of doors."""
    engine = open_database("sqlite:///:memory:")
    Base.metadata.create_all(engine)
    with writing(engine) as db:
        shipped.load_shipped(db)
        provinces = ["PE2501", "PE2502", "PE0401", "PE2001", "PE1201"]
        made = invented_services.services(SERVICES, sorted(reviewed_data.service_types()), provinces, seed=5)
        rows = [dict.fromkeys(COLUMNS, "") | dict(cells) for cells, _ in made]
        store_new(db, rows, dict.fromkeys(provinces, "") | {code[:4]: "" for code in provinces})
        match_table.changed(db, [row["id"] for row in rows])
    held = snapshot.snapshot_of(partial(reading, engine)).cards
    return held, replace(held, stored=StoredListings(partial(reading, engine)))


def drawn(chance: Random) -> tuple[Need, Seeker, datetime]:
    """Somebody, somewhere, at some hour, with a need."""

    def one(field: str) -> Any:
        return chance.choice([None, *VOCABULARY[field]])

    province = chance.choice([None, "PE2501", "PE0401", "PE2001", "PE1203"])
    department = province[:4] if province else chance.choice([None, "PE25", "PE15"])
    incident = Incident(
        province=province,
        department=department,
        identity=one("identity"),
        age=one("age"),
        docs=one("docs"),
        police_safe=chance.choice([None, "yes", "no", "unsure"]),
        migrant=chance.choice([None, True, False]),
        perpetrator=frozenset(chance.sample(sorted(VOCABULARY["perpetrator"]), chance.randrange(3))),
        refused_by=frozenset(chance.sample(["linea113", "linea100", "invented-5-7"], chance.randrange(3))),
        wants=frozenset(chance.sample(sorted(VOCABULARY["wants"]), chance.randrange(3))),
    )
    places = tuple(code for code in (province, department) if code)
    who = Seeker(
        incident, assess(incident).must_not, places, chance.choice([("es",), ("qu", "es"), ()]), chance.random() < 0.2
    )
    need = Need(
        chance.choice(sorted(NEEDS)),
        chance.choice(URGENCIES),
        (),
        hours_left=chance.choice([None, None, 2.0, 9.5, 30.0, 71.0]),
    )
    return need, who, MONDAY + timedelta(minutes=chance.randrange(7 * 24 * 60))


# ── the second order ────────────────────────────────────────────────────────────────────────────────────────


def quarter_by_quarter(week: Hours, now: datetime, holidays: Any, quarters: int) -> list[str]:
    return [hours.state(week, now + timedelta(minutes=15 * step), holidays) for step in range(quarters)]


def in_time(card: ServiceCard, now: datetime, cards: Cards, travel: int, left: int) -> int:
    """0 open and still open when she is there; 1 opens before the window less the way; 2 nobody knows; 3 not before."""
    begun = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    states = quarter_by_quarter(card.week, begun, cards.holidays, max(left, travel) + 1)
    if states[0] == "open" and states[travel] == "open":
        return 0
    if card.week.own is None:
        return 2
    still_the_same = states[0] == "open"
    for step, state in enumerate(states[: max(left - travel, -1) + 1]):
        still_the_same = still_the_same and state == "open"
        if state == "open" and not still_the_same:
            return 1
        if step == 0 and travel == 0 and state == "open":
            return 1
    return 2 if "unknown" in states[: max(left - travel, -1) + 1] else 3


def by_brute_force(need: Need, who: Seeker, cards: Cards, now: datetime) -> list[str]:
    """Ids in order, as the rule says it."""
    urgent, today = need.urgency in {"NOW", "H24", "H72", "H120"}, now.date()
    whole = {"NOW": 48, "H24": 96, "H72": 288, "H120": 480}.get(need.urgency, 96)
    left = whole if need.hours_left is None or not urgent else int(need.hours_left * 4)
    lines = []
    for card in cards.by_id.values():
        band = order.near_band(card, who.places)
        barred = exclusions.forbidden(card, who.must_not, who.incident, police_shown=who.police_shown)
        if not card.source or need.code not in card.needs or band is None or barred:
            continue
        way = {1: 4, 2: 12, 3: 0}[band] if urgent else 0
        age = (today - date.fromisoformat(card.verified_on)).days if card.verified_on else 10**6
        fresh = 0 if age <= 90 else 1 if age <= 180 else 2 if age <= 365 else 3
        line = cards.by_id.get(card.through)
        leads = (
            line is not None
            and line.tel
            and not exclusions.forbidden(line, who.must_not, who.incident, police_shown=who.police_shown)
        )
        reached = 0 if card.tel or card.address else 1 if leads and line is not card else 2
        if reached == 2:
            continue
        km = apart(cards, who.places, card.site) if band != 3 else 0
        step = 3 if km is None else len([limit for limit in (15, 60, 150) if km > limit])
        metres = round(1000 * (km or 0))
        trans = IDENTITY_GROUP.get(who.incident.identity or "") == "TRANS"
        wishes = [
            (trans, card.trans_friendly),
            (True, card.sw_friendly),
            (who.incident.docs in {"NONE", "MISMATCH"}, card.accepts_no_id),
        ]
        missing = sum(holds and answer != "yes" for holds, answer in wishes)
        tongue = 2 if not card.languages else 0 if card.languages & set(who.languages) else 1
        reach = in_time(card, now, cards, way, left)
        sure = card.needs[need.code] != "yes"
        rule = (
            (reach, sure, reached, missing, tongue, band, step, card.insured, fresh, metres, card.service_id)
            if urgent
            else (sure, reached, missing, tongue, band, step, card.insured, fresh, reach, metres, card.service_id)
        )
        lines.append((rule, card))
    listed = sorted(lines, key=lambda one: one[0])
    return [card.service_id for card in _not_three_of_one([card for _, card in listed])]


def apart(cards: Cards, places: Sequence[str], site: str) -> float | None:
    """Kilometres on a ball of 6,371 km from the seat of the first place to that of the site."""
    if not places or places[0] not in cards.seats or site not in cards.seats:
        return None
    _, north, east = cards.seats[places[0]]
    _, there_north, there_east = cards.seats[site]
    wide = math.cos(math.radians((north + there_north) / 2)) * (east - there_east)
    return 2 * math.pi * 6371 / 360 * math.hypot(north - there_north, wide)


def _not_three_of_one(in_order: Sequence[ServiceCard]) -> list[ServiceCard]:
    first: list[ServiceCard] = []
    rest = list(in_order)
    while rest and len(first) < 5:
        fits = [
            card
            for card in rest
            if not card.organisation or [one.organisation for one in first].count(card.organisation) < 2
        ]
        if not fits:
            break
        first.append(fits[0])
        rest.remove(fits[0])
    return [*first, *rest]


def asked_of(cards: Cards, need: Need, who: Seeker, now: datetime) -> list[str]:
    search = Search(who, cards, now)
    return [listing.service for listing, _ in best_listings(need, search, search.near([need])[need.code])[0]]


def test_index_and_table_answer_as_a_look_at_every_service_does() -> None:
    chance, (memory, stored) = Random(17), shelves()  # noqa: S311 -- nothing secret is drawn
    answered = 0
    for _ in range(MANY):
        need, who, now = drawn(chance)
        expected = by_brute_force(need, who, memory, now)[:3]
        assert asked_of(memory, need, who, now)[:3] == expected, (need, who, now)
        assert asked_of(stored, need, who, now) == asked_of(memory, need, who, now), (need, who, now)
        answered += bool(expected)
    assert answered > MANY // 4


def test_no_must_not_is_broken_and_nobody_is_left_without_an_offer_but_for_a_companion() -> None:
    chance, (memory, _) = Random(23), shelves()  # noqa: S311 -- nothing secret is drawn
    for _ in range(MANY * 4):
        need, who, now = drawn(chance)
        found, _hidden = offers.offers(need, who, memory, now)
        assert found or need.code in offers.NEVER_REPLACED, (need, who, now)
        for offer in found:
            card = memory.by_id[offer.service_id]
            assert exclusions.forbidden(card, who.must_not, who.incident, police_shown=who.police_shown) is None
            standing = set() if who.police_shown else who.must_not & set(HIDES)
            assert not [code for code in standing if BARS[code](card)], (offer.service_id, who)


# ── laws ────────────────────────────────────────────────────────────────────────────────────────────────────

BETTER = {
    "answer": {"needs": {"N_PEP": "yes"}},
    "trans": {"trans_friendly": "yes"},
    "sex work": {"sw_friendly": "yes"},
    "papers": {"accepts_no_id": "yes"},
    "tongue": {"languages": frozenset({"es"})},
    "near": {"coverage": frozenset({"PE2001"})},
    "fresh": {"verified_on": "2026-11-20"},
    "open": {"hours": "24/7", "is_24h": "yes"},
}
WHO = Incident(department="PE20", province="PE2001", identity="TRANS_WOMAN", docs="NONE")


def cards_drawn(chance: Random, count: int) -> list[ServiceCard]:
    return [
        a_card(
            f"s{number}",
            needs={"N_PEP": chance.choice(["yes", "unknown"])},
            hours=chance.choice(invented_services.WEEKS),
            is_24h="unknown",
            trans_friendly=chance.choice(["yes", "unknown"]),
            sw_friendly=chance.choice(["yes", "no", "unknown"]),
            accepts_no_id=chance.choice(["yes", "unknown"]),
            languages=chance.choice([frozenset(), frozenset({"qu"}), frozenset({"es"})]),
            coverage=frozenset({chance.choice(["PE2001", "PE20"])}),
            verified_on=chance.choice(invented_services.DAYS),
        )
        for number in range(count)
    ]


def in_order(cards: Sequence[ServiceCard], urgency: str, now: datetime) -> list[str]:
    held = replace(shelves()[0], by_id={card.service_id: card for card in cards})
    who = Seeker(WHO, assess(WHO).must_not, ("PE2001", "PE20"), ("es",))
    search = Search(who, held, now)
    need = Need("N_PEP", urgency, ())
    ranked, _ = search.ranked(need, search.near([need])["N_PEP"])
    return [door.service for _, door, _, _ in sorted(ranked)]


moments = st.integers(0, 7 * 24 * 60 - 1).map(lambda minutes: MONDAY + timedelta(minutes=minutes))


@given(st.randoms(use_true_random=False), st.sampled_from(URGENCIES), moments, st.sampled_from(sorted(BETTER)))
def test_getting_better_in_one_thing_never_puts_a_service_lower(
    chance: Random, urgency: str, now: datetime, what: str
) -> None:
    cards = cards_drawn(chance, 8)
    changed = chance.choice(cards)
    before = in_order(cards, urgency, now).index(changed.service_id)
    better = [replace(card, **BETTER[what]) if card is changed else card for card in cards]
    assert in_order(better, urgency, now).index(changed.service_id) <= before


@given(st.randoms(use_true_random=False), st.sampled_from(URGENCIES), moments)
def test_shuffling_and_strangers_change_nothing(chance: Random, urgency: str, now: datetime) -> None:
    cards = cards_drawn(chance, 8)
    shuffled = chance.sample(cards, len(cards))
    stranger = a_card("a-stranger", needs={"N_EC": "yes"})
    assert in_order([*shuffled, stranger], urgency, now) == in_order(cards, urgency, now)


def test_the_table_follows_every_change_in_the_same_transaction() -> None:
    engine = open_database("sqlite:///:memory:")
    Base.metadata.create_all(engine)
    with writing(engine) as db:
        shipped.load_shipped(db)
        row = db.get_one(ServiceRow, "linea113")
        row.phone = ""
        match_table.changed(db, ["linea113"])
        fresh = Index(cards_of(db))
        for need in sorted(NEEDS):
            assert sorted(stored_listings(db, [need], ["PE"])[need]) == sorted(fresh.near([need], ["PE"])[need])


@pytest.mark.parametrize("urgency", URGENCIES)
def test_every_element_of_the_order_is_one_of_the_table(urgency: str) -> None:
    names = order.ORDERS[urgency in records.URGENT]
    assert sorted(names) == sorted(order.Elements._fields)
