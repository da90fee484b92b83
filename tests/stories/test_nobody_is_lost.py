"""At the desk nobody is lost: what she says wakes a case, and no place in the order can be left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from referrals.casework import queue, views
from reporting.cases import actions, desk, store, summary
from reporting.cases.summary import CLOSED, OPEN, Summary, SummaryContent
from reporting.crypto.receipts import Receipt
from reporting.storage.database import reading, writing
from reporting.teams.keyring import Keys
from reporting.vocabulary.incident import Incident, answers_from_incident
from reporting.vocabulary.need_states import AGREED
from reporting.vocabulary.needs import NEEDS
from tests.copies import Filling, with_a_colleague
from tests.people import Place

TOLD = Incident(violence=frozenset({"RAPE"}), hours=(5.0, 5.0), condom="no", age="A25_34", region="UCAYALI")
HOUR = 500_000  # the hour (since 1970) at which the order is looked at


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def the_case(place: Place, keys: Keys) -> Summary:
    with reading(place.engine) as db:
        (only,), broken = desk.queue(db, keys)
    assert not broken
    return only


def closes(place: Place, keys: Keys, owner: str = "rosa") -> None:
    case, member = the_case(place, keys).case, place.workers[owner].id
    with writing(place.engine) as db:
        desk.open_case(db, keys, case, place.clock())
    with writing(place.engine) as db, desk.at_desk(db, keys, case, place.clock(), "changed") as case_file:
        actions.assign(case_file, member, member, place.clock())
        actions.close(case_file, member, "RECORD_ONLY", "ya está", place.clock())
    place.clock.on(days=3)


def writes(place: Place, receipt: Receipt, text: str = "me volvió a buscar") -> None:
    visit = place.comes_back(receipt)
    with writing(place.engine) as db:
        store.write_as_reporter(db, visit, text, place.clock())


# ── what she says wakes a case ──────────────────────────────────────────────────────────────────────────────


def test_a_letter_to_a_closed_case_opens_it_and_puts_it_among_those_who_wait(place: Place) -> None:
    rosa, receipt = place.signs_in("rosa"), place.receives(TOLD, "fue anoche")
    place.clock.on(days=30)  # no window is open any more
    closes(place, rosa)
    assert the_case(place, rosa).state == CLOSED
    writes(place, receipt)
    woken = the_case(place, rosa)
    assert (woken.state, woken.unread, woken.answered, woken.waits) == (OPEN, True, False, True)
    assert queue.line_of(woken, place.clock()).why == "wrote"
    cache = queue.worked_out([woken], place.clock())
    assert [rank.case for rank in views.chosen(cache, views.View(), rosa.member, place.clock())] == [woken.case]
    with writing(place.engine) as db:
        case = desk.open_case(db, rosa, woken.case, place.clock())
    assert (case.work_record["history"][-1]["act"], case.work_record["history"][-1]["by"]) == ("reopened", 0)
    assert "outcome" not in case.work_record, "it has not ended"


def test_it_is_nobodys_until_its_owner_looks_whoever_else_looked(place: Place) -> None:
    rosa, milagros, receipt = place.signs_in("rosa"), place.signs_in("milagros"), place.receives(TOLD, "fue anoche")
    closes(place, rosa)
    writes(place, receipt)
    case = the_case(place, rosa).case
    with writing(place.engine) as db:
        desk.open_case(db, milagros, case, place.clock())
    assert not the_case(place, rosa).is_taken
    with writing(place.engine) as db:
        desk.open_case(db, rosa, case, place.clock())
    assert the_case(place, rosa).is_taken
    assert the_case(place, rosa).waits, "a look is no answer"


def test_answered_is_true_only_while_the_newest_word_is_the_teams(place: Place) -> None:
    rosa, receipt = place.signs_in("rosa"), place.receives(TOLD, "fue anoche")
    case = the_case(place, rosa).case
    with writing(place.engine) as db:
        desk.write_as_team(db, rosa, case, "aquí estamos", place.clock())
    assert the_case(place, rosa).answered
    writes(place, receipt)
    assert not the_case(place, rosa).answered
    with writing(place.engine) as db:
        desk.write_as_team(db, rosa, case, "te leímos", place.clock())
    assert the_case(place, rosa).answered
    assert not the_case(place, rosa).waits


@pytest.mark.parametrize(("code", "wakes"), [("C_STATS", True), ("C_LETTERS", False)])
def test_a_new_yes_wakes_a_case_and_a_yes_taken_back_does_not(place: Place, code: str, *, wakes: bool) -> None:
    rosa, receipt = place.signs_in("rosa"), place.receives(TOLD, "fue anoche")
    closes(place, rosa)
    visit = place.comes_back(receipt)
    with writing(place.engine) as db, store.on_visit(db, visit, place.clock()) as case_file:
        actions.allow(case_file, code, yes=wakes)
    assert (the_case(place, rosa).state == OPEN) is wakes


def test_the_same_letter_sent_twice_by_a_bad_line_wakes_nobody_twice(place: Place) -> None:
    rosa, receipt = place.signs_in("rosa"), place.receives(TOLD, "fue anoche")
    writes(place, receipt)
    closes(place, rosa)
    writes(place, receipt)
    assert the_case(place, rosa).state == CLOSED


# ── the order ───────────────────────────────────────────────────────────────────────────────────────────────


def a_card(number: int, incident: Incident, told: int = HOUR, **more: Any) -> Summary:
    """A case as the queue knows it; `told`: the hour in which all of it was told."""
    content = SummaryContent(answers_from_incident(incident), told, told, OPEN, unread=True, answered=False, owner=0)
    return Summary(number, 1, str(number), replace(content, **more))


QUIET = Incident(violence=frozenset({"THREATS"}), age="A25_34", region="UCAYALI")
IN_DANGER = replace(QUIET, flags=frozenset({"D_BLEEDING"}))
ENDING_HER_LIFE = replace(QUIET, flags=frozenset({"D_SUICIDE"}))
NEAR_HER = replace(QUIET, flags=frozenset({"S_PERP_NEAR"}))
TWO_HOURS_LEFT = replace(TOLD, hours=(70.0, 70.0))
TAKEN = {"owner": 7, "unread": False}  # "I take it" was pressed, and nothing else was done
IN_HAND = TAKEN | {"wrote_at": HOUR - 85}
JUST_ANSWERED = TAKEN | {"wrote_at": HOUR, "answered": True}


def order(*cards: Summary) -> list[int]:
    cache = queue.worked_out(reversed(cards), HOUR * 3600)
    return [rank.case for rank in queue.in_order(cache.ranks.values())]


def test_signs_of_danger_of_last_week_hide_no_window_of_two_hours() -> None:
    old = [a_card(number, IN_DANGER, HOUR - 24 * 7) for number in range(1, 45)]
    assert order(*old, a_card(99, TWO_HOURS_LEFT))[0] == 99


def test_each_place_in_the_order_comes_before_the_next() -> None:
    cards = [
        a_card(1, IN_DANGER, HOUR - 2),
        a_card(2, NEAR_HER, HOUR - 3),
        a_card(3, TWO_HOURS_LEFT),
        a_card(4, replace(TOLD, hours=(30.0, 30.0))),
        a_card(5, QUIET, HOUR - 90, heard_at=HOUR - 80, **IN_HAND),
        a_card(6, QUIET, HOUR - 90, heard_at=HOUR - 5, **IN_HAND),
        a_card(7, QUIET, HOUR - 400),
        a_card(8, QUIET, state=summary.NEW),
        a_card(9, replace(TOLD, hours=(30.0, 30.0)), **JUST_ANSWERED),
    ]
    assert order(*cards) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [queue.line_of(card, HOUR * 3600).why for card in cards] == [
        "danger",
        "danger",
        "window",
        "window",
        "wrote",
        "wrote",
        "open",
        "open",
        "taken",
    ]


def why(card: Summary) -> str:
    return queue.line_of(card, HOUR * 3600).why


def test_danger_that_nobody_answered_stays_in_sight_however_long_ago_it_was_told() -> None:
    told = HOUR - 57  # for what she needs, such signs are old
    assert why(a_card(1, IN_DANGER, told, state=summary.NEW)) == "silent"
    assert why(a_card(1, IN_DANGER, told, **TAKEN | {"wrote_at": told + 1, "answered": True})) == "taken"
    assert why(a_card(1, IN_DANGER, told, needs={"N_EMERG_MED": "reached"}, **TAKEN)) == "open", "she was attended"


def test_a_window_that_is_nobodys_stays_on_top_after_somebody_spoke_to_her_until_a_service_is_on_its_way() -> None:
    spoken = {"wrote_at": HOUR, "answered": True}
    assert why(a_card(1, TWO_HOURS_LEFT, **spoken)) == "window", "a service that refused her leaves it open"
    on_its_way = dict.fromkeys(NEEDS, AGREED)
    assert why(a_card(1, TWO_HOURS_LEFT, needs=on_its_way, **spoken)) != "window"
    assert why(a_card(1, TWO_HOURS_LEFT, **spoken | TAKEN)) != "window"


@pytest.mark.parametrize("waits", [{"heard_at": HOUR - 3}, {"to_send": True, "heard_at": HOUR - 3}, {"due_at": HOUR}])
def test_among_those_who_wait_what_presses_goes_before_what_waits_longer(waits: dict[str, Any]) -> None:
    answered = {"wrote_at": HOUR - 4, "answered": "heard_at" not in waits or "to_send" in waits} | TAKEN
    longer = {name: hour - 40 if name != "to_send" else hour for name, hour in waits.items()}
    cards = (a_card(1, TOLD, HOUR - 5, **answered | waits), a_card(2, QUIET, HOUR - 90, **answered | longer))
    assert why(cards[0]) == why(cards[1])
    assert order(*cards) == [1, 2]


# place -> two cases of which the first must not stand behind the second, and would without that place
LOST_WITHOUT: dict[str, tuple[Summary, Summary]] = {
    "danger": (a_card(1, NEAR_HER, HOUR - 1), a_card(2, TWO_HOURS_LEFT)),
    "window": (a_card(1, TWO_HOURS_LEFT, **TAKEN), a_card(2, QUIET, heard_at=HOUR - 70)),
    "silent": (a_card(1, ENDING_HER_LIFE, HOUR - 72, **TAKEN), a_card(2, QUIET, heard_at=HOUR - 70)),
    "wrote": (a_card(1, QUIET, HOUR - 90, heard_at=HOUR - 80, **IN_HAND), a_card(2, QUIET, state=summary.NEW)),
    "send": (a_card(1, QUIET, HOUR - 90, to_send=True, answered=True, **IN_HAND), a_card(2, QUIET, heard_at=HOUR - 9)),
    "due": (a_card(1, QUIET, HOUR - 90, due_at=HOUR - 2, **IN_HAND), a_card(2, QUIET, state=summary.NEW)),
    "open": (a_card(2, QUIET, **TAKEN), a_card(1, TWO_HOURS_LEFT, **JUST_ANSWERED)),
}


def test_every_place_but_the_last_has_a_case_that_would_be_lost_without_it() -> None:
    assert set(LOST_WITHOUT) == set(queue.PLACES) - {"taken"}


@pytest.mark.parametrize("place_name", LOST_WITHOUT)
def test_without_its_place_a_case_would_stand_behind(place_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = LOST_WITHOUT[place_name]
    assert order(first, second) == [first.case, second.case]
    fewer = {name: row for name, row in queue.PLACES.items() if name != place_name}
    monkeypatch.setattr(queue, "PLACES", fewer)
    assert order(first, second) == [second.case, first.case]
