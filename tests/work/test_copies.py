"""A copied installation is as good as one made anew, and no copy knows of another."""

from __future__ import annotations

from pathlib import Path

from reporting.teams.team_log import CASE_WORKER
from tests.copies import Copies, with_coordinator
from tests.people import Place, a_furnished_place


def what_it_can(place: Place) -> tuple[object, ...]:
    """What a furnished installation is made for: a report, a second reader, her way back."""
    keys = place.signs_in("rosa")
    receipt = place.receives(narrative="lo que cuenta")
    place.hires("luz", CASE_WORKER)
    place.lets_in(keys, "luz")
    opened = place.signs_in("luz").epochs.keys()
    return place.cases(), bool(place.comes_back(receipt)), len(opened), sorted(place.workers)


def test_a_copy_can_all_that_one_made_anew_can(copies: Copies, tmp_path: Path) -> None:
    anew = a_furnished_place(tmp_path / "new" / "instance")
    assert what_it_can(copies.copy(tmp_path / "copied")) == what_it_can(anew)


def test_a_copy_knows_nothing_of_what_was_done_in_another(copies: Copies, tmp_path: Path) -> None:
    first = copies.copy(tmp_path / "first")
    first.clock.on(days=3)
    what_it_can(first)
    second = copies.copy(tmp_path / "second")
    assert second.cases() == 0
    assert second.clock() < first.clock()
    assert list(second.workers) == ["rosa"]
    assert second.settings.instance != first.settings.instance
    assert what_it_can(second)[0] == 1


def test_a_filling_is_done_once_and_is_in_every_copy(copies: Copies, tmp_path: Path) -> None:
    receipts = []

    def with_a_report(place: Place) -> None:
        receipts.append(place.receives(narrative="una vez"))

    places = [copies.copy(tmp_path / str(number), with_a_report) for number in range(2)]
    assert [place.cases() for place in places] == [1, 1]
    (receipt,) = receipts
    assert places[0].comes_back(receipt).case == places[1].comes_back(receipt).case


def test_a_filling_stays_out_of_copies_that_did_not_ask_for_it(copies: Copies, tmp_path: Path) -> None:
    assert list(copies.copy(tmp_path / "more", with_coordinator).workers) == ["rosa", "carmen"]
    assert list(copies.copy(tmp_path / "bare").workers) == ["rosa"]
