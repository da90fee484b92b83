"""Two members, another team and she herself at one case in the same moment: nothing is lost, doubled, or too late."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from reporting.cases import actions, desk, store
from reporting.cases.records import Visit
from reporting.storage.database import reading, writing
from reporting.storage.models import RecordRow
from reporting.teams import team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER, CannotOpen
from tests.copies import Copies, on_engine
from tests.people import Place

TIMES, PATIENCE = 6, 60  # letters of each; seconds until a thread that hangs is given up
Work = Callable[[int], object]


def with_two_teams(place: Place) -> None:
    place.hires("milagros", CASE_WORKER)
    rosa = place.signs_in("rosa")
    place.lets_in(rosa, "milagros")
    place.hires("luz", CASE_WORKER, new_team="Otras")
    place.vouches(rosa, "Otras")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, copies: Copies, tmp_path: Path) -> Iterator[Place]:
    with on_engine(request.param, copies, tmp_path / "instance", with_two_teams) as made:
        yield made


def together(*works: Work) -> list[int]:
    """Each in a thread, again and again until the case is closed to it. How often each was done."""
    gate, done, failed = threading.Barrier(len(works)), [0] * len(works), list[BaseException]()

    def does(at: int, work: Work) -> None:
        gate.wait(PATIENCE)
        try:
            for number in range(TIMES):
                work(number)
                done[at] += 1
        except CannotOpen:
            pass
        except BaseException as trouble:  # noqa: BLE001 -- a thread tells nobody else
            failed.append(trouble)

    threads = [threading.Thread(target=does, args=item, daemon=True) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert failed == []
    return done


def writes(place: Place, keys: Keys, visit: Visit) -> Work:
    def one(number: int) -> None:
        with writing(place.engine) as db:
            desk.write_as_team(db, keys, visit.case, f"{keys.name} {number}", place.clock())

    return one


def she_writes(place: Place, visit: Visit) -> Work:
    def one(number: int) -> None:
        with writing(place.engine) as db:
            store.write_as_reporter(db, visit, f"yo {number}", place.clock())

    return one


def links(place: Place, keys: Keys, one: Visit, other: Visit) -> Work:
    """As the page does it: both cases in one transaction."""

    def both(_number: int) -> None:
        with writing(place.engine) as db:
            for here, there in ((one, other), (other, one)):
                name = desk.name_of(db, keys, there.case)
                with desk.at_desk(db, keys, here.case, place.clock(), "changed") as case_file:
                    actions.link(case_file, keys.member, name, place.clock())

    return both


def once(place: Place, act: Callable[..., object], *named: object) -> Work:
    """What is done once, in the middle of what the others do."""

    def does(number: int) -> None:
        if number == 1:
            with writing(place.engine) as db:
                act(db, *named, place.clock())
        else:
            with reading(place.engine) as db:
                team_log.teams(db, place.pin)

    return does


def letters_of(place: Place, visit: Visit) -> list[str]:
    with reading(place.engine) as db:
        return [letter.text for letter in store.open_visit(db, visit).letters]


def test_no_letter_is_lost_or_doubled_and_two_who_link_the_same_cases_do_not_wait_for_each_other(place: Place) -> None:
    rosa, milagros = place.signs_in("rosa"), place.signs_in("milagros")
    one, other = (place.comes_back(place.receives()) for _ in range(2))
    work = (writes(place, rosa, one), writes(place, milagros, one), she_writes(place, one), she_writes(place, other))
    linking = (links(place, rosa, one, other), links(place, milagros, other, one))
    assert together(*work, *linking) == [TIMES] * 6
    letters = letters_of(place, one)
    assert len(letters) == len(set(letters)) == 3 * TIMES


@pytest.mark.parametrize("by_voice", [False, True])
def test_what_was_written_while_a_case_was_handed_over_lies_there_and_nothing_comes_after(
    place: Place, *, by_voice: bool
) -> None:
    rosa, milagros, luz = (place.signs_in(name) for name in ("rosa", "milagros", "luz"))
    visit = place.comes_back(place.receives())
    with reading(place.engine) as db:
        others = next(team for team in team_log.teams(db, place.pin) if team.name == "Otras")
    gives = once(place, desk.hand_over, rosa, visit.case, others)
    if not by_voice:
        gives = once(place, store.give_to_team, visit, others)
    done = together(writes(place, rosa, visit), writes(place, milagros, visit), she_writes(place, visit), gives)
    letters = letters_of(place, visit)
    assert len(letters) == len(set(letters)) == sum(done[:3])
    assert done[2] == TIMES
    with writing(place.engine) as db:
        assert len(desk.open_case(db, luz, visit.case, place.clock()).letters) == len(letters)
    for keys in (rosa, milagros):
        with writing(place.engine) as db, pytest.raises(CannotOpen):
            desk.write_as_team(db, keys, visit.case, "tarde", place.clock())


def test_nothing_is_written_to_a_case_that_she_erased_meanwhile(place: Place) -> None:
    rosa, milagros = place.signs_in("rosa"), place.signs_in("milagros")
    visit = place.comes_back(place.receives())
    erases = once(place, store.erase, visit, place.settings.pepper)
    together(writes(place, rosa, visit), writes(place, milagros, visit), she_writes(place, visit), erases)
    with reading(place.engine) as db:
        left = select(func.count()).select_from(RecordRow).where(RecordRow.case_id == visit.case)
        assert db.scalar(left) == 0
