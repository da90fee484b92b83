"""Attacks on the directory: who sends a woman elsewhere, or takes the help away that she would have been shown."""

from __future__ import annotations

from flask import Flask

from referrals.directory.snapshot import DirectorySnapshot, snapshot_of
from referrals.help import ASKED, help_with, national_lines
from reporting.app import create_app
from reporting.storage.database import reading
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
