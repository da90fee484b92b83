"""Attacks on the directory: who sends a woman elsewhere, or takes the help away that she would have been shown."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Executable, delete, update

from referrals.directory.models import CoverageRow, DirectoryRow, ServiceRow
from referrals.directory.snapshot import IN_MEMORY, DirectorySnapshot, shipped_lines, snapshot_of
from referrals.help import ASKED, help_with, national_lines
from reporting.app import create_app
from reporting.storage.database import reading, writing
from tests.pages.test_directory_pages import flags
from tests.people import Place
from tests.phone import Phone

MANY = 1_000
SEEN = tuple[tuple[object, ...], ...]


def directory(place: Place) -> DirectorySnapshot:
    """What pages are shown, as a process sees it that has just begun."""
    create_app(place.settings, place.clock)
    return snapshot_of(lambda: reading(place.engine))


def shown(held: DirectorySnapshot, now: float) -> SEEN:
    """Everything offered for every need in every region, with each number and sentence, and the box of lines."""
    regions = [None, *(code for code in held.parents if len(code) == len("PE25"))]
    helps = [help_with(held, ASKED, region, now, languages=("es",)) for region in regions]
    return (*(need.offers for each in helps for need in each.needs), national_lines(held, now))


def test_a_thousand_anonymous_flags_change_nothing_that_is_offered(app: Flask, place: Place) -> None:
    before = directory(place)
    seen = shown(before, place.clock())
    named = sorted({offer.service_id for offers in seen for offer in offers})
    for number in range(MANY):
        kind = ("dead", "unsafe")[number % 2]
        assert flags(Phone(app), f"{kind}.{named[number % len(named)]}") == 204
    after = directory(place)
    assert after.version == before.version, "not even a reading anew can be caused by it"
    assert shown(after, place.clock()) == seen


# ── the national lines ──────────────────────────────────────────────────────────────────────────────────────


def by_hand(place: Place, statement: Executable) -> None:
    """Somebody who can write the database does, and every process reads it anew."""
    with writing(place.engine) as db:
        db.execute(statement)
        db.execute(update(DirectoryRow).values(number=DirectoryRow.number + 1))


LINES = ("samu106", "linea100", "linea113", "bomberos116", "defensoria", "linea1810")
GONE: tuple[tuple[str, Executable], ...] = (
    ("deleted", delete(ServiceRow).where(ServiceRow.id.in_(LINES))),
    ("all deleted", delete(ServiceRow)),
    ("without a number", update(ServiceRow).values(phone="")),
    ("seen by nobody", update(ServiceRow).values(source="")),
    ("of no place", delete(CoverageRow)),
    ("of another country", update(CoverageRow).where(CoverageRow.service.in_(LINES)).values(place="PE25")),
)


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("done", [done for _, done in GONE], ids=[name for name, _ in GONE])
def test_pages_never_show_less_than_the_national_lines(place: Place, done: Executable, in_memory: bool) -> None:
    by_hand(place, done)
    held = snapshot_of(lambda: reading(place.engine), IN_MEMORY if in_memory else -1)
    assert {line: held.cards.by_id[line].tel for line in LINES} == {
        line: shipped_lines("PE")[line].tel for line in LINES
    }
    assert [offer.service_id for offer in national_lines(held, place.clock())] == ["samu106", "linea100", "linea113"]
    for region in ("PE25", None):
        found = help_with(held, ASKED, region, place.clock(), languages=("es",))
        assert [need.need.code for need in found.needs if not any(offer.tel for offer in need.offers)] == []
    emergency = help_with(held, ["N_EMERG_MED"], "PE25", place.clock(), languages=("es",)).needs[0]
    assert "samu106" in {offer.service_id for offer in emergency.offers}
