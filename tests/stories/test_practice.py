"""A practice is played to its end, well and badly, on a clock that is moved; then it says what waited too long.

The people are those of the practice: they sign in with the digits that its page shows, and use the real pages.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from referrals.directory import snapshot
from reporting.app import create_app
from reporting.cases import desk
from reporting.cases.junk import LINKS, QUICK
from reporting.cases.records import alias
from reporting.cli.demo import answers
from reporting.cli.language import speaking, translated
from reporting.clock import HOUR
from reporting.config import SECRET, make_secrets
from reporting.operations import practice as practising
from reporting.operations.how_it_went import how_it_went
from reporting.operations.practice import Came, Practice, PracticeClock
from reporting.operations.practice_pages import application
from reporting.storage.database import reading, upgrade_tables, writing
from reporting.vocabulary.needs import NEEDS
from tests.needs_of_tests import a_schema, requires
from tests.people import Clock, opened
from tests.phone import Phone
from tests.trips import say

QUEUE, CASE, PAGE = "/es/equipo/casos", "/es/equipo/caso", "/es/practica"


class Team:
    """The people of a practice, each with a browser of her own, and whoever leads it."""

    def __init__(self, practice: Practice, machine: Clock) -> None:
        self.practice, self.machine = practice, machine
        self.app: Flask = application(practice.settings, practice)
        self.leader = Phone(self.app)
        self.desks: dict[str, Phone] = {}

    def signs_in(self, name: str) -> Phone:
        """With the password that the terminal printed and the digits of the page."""
        self.leader.opens(PAGE)
        digits = re.search(rf"{name}: (\d{{6}})", self.leader.words)
        assert digits, self.leader.words
        password = next(one["password"] for one in self.practice.accounts if one["name"] == name)
        desk = self.desks[name] = Phone(self.app, cookies=True, address="127.0.0.1")
        desk.opens("/es/equipo")
        desk.sends("password", name=name, password=password, code=digits[1])
        assert desk.path.startswith(QUEUE), desk.words[:300]
        return desk

    def the_next_comes(self) -> Came:
        self.leader.opens(PAGE)
        self.leader.presses("next")
        return self.practice.came[-1]

    def time_passes(self, button: str) -> None:
        self.leader.opens(PAGE)
        self.leader.presses(button)

    def opens(self, name: str, came: Came) -> Phone:
        desk = self.desks[name]
        desk.opens(QUEUE)
        desk.opens(f"{CASE}/{came.case}")
        assert desk.status == 203, desk.words[:300]
        return desk

    def answers(self, name: str, came: Came, text: str = "Te leímos. Aquí estamos.") -> None:
        self.opens(name, came).presses("letter", text=text)

    def marks(self, name: str, came: Came, mark: str) -> None:
        self.opens(name, came).presses("mark", mark=mark, reason="Se ve al leerlo.")

    def reads_how_it_went(self) -> str:
        self.leader.opens(PAGE)
        return self.leader.words


def begins(folder: Path, **elsewhere: str) -> Practice:
    """A practice that has just begun: people, keys and directory."""
    make_secrets(folder, bytes(range(2 * SECRET)))
    settings, engine = opened(folder, PRACTICE="1", TEAM_NAME="Equipo de práctica", **elsewhere)
    upgrade_tables(engine)
    return practising.begin(settings, engine, PracticeClock(Clock()), lambda _text: None)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Practice:
    """One to be copied, so that it is made once."""
    practice = begins(tmp_path_factory.mktemp("begun") / "practice")
    practice.engine.dispose()  # the last line that closes brings everything into the one file
    return practice


@pytest.fixture(params=["one file", "several hosts"])
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Team]:
    """A team in front of an empty queue, and a machine whose clock stands still until a test moves it."""
    machine, folder = Clock(), tmp_path / "practice"
    if request.param == "several hosts":
        with a_schema() as address:
            practice = begins(folder, DATABASE_URL=address, RATELIMIT_STORAGE_URI=requires("redis"))
            yield Team(replace(practice, clock=PracticeClock(machine)), machine)
            practice.engine.dispose()
        return
    begun = request.getfixturevalue("begun")
    shutil.copytree(begun.settings.instance, folder)
    settings, engine = opened(folder, PRACTICE="1", TEAM_NAME="Equipo de práctica")
    own = {"settings": settings, "engine": engine, "clock": PracticeClock(machine), "came": [], "_seen": {}}
    yield Team(replace(begun, **own), machine)
    engine.dispose()


def test_a_team_that_answers_in_time_hears_that_nothing_waited(team: Team) -> None:
    team.signs_in("rosa")
    team.signs_in("milagros")
    team.answers("rosa", team.the_next_comes(), "Todavía puedes. Ve hoy a emergencia del hospital.")
    team.marks("milagros", team.the_next_comes(), "junk")
    team.answers("rosa", team.the_next_comes())
    team.answers("milagros", team.the_next_comes(), "Te leímos. ¿Estás en un lugar seguro?")
    team.marks("rosa", team.the_next_comes(), "threat_to_team")
    unread = team.the_next_comes()
    story = team.reads_how_it_went()
    assert say("Practice is not over yet. This is how it stands.") in story
    assert say("Told for a companion") not in story, "what it is whoever practises reads in the case"
    team.answers("milagros", unread)
    team.time_passes("three-hours")
    story = team.reads_how_it_went()
    assert [came.coming.what for came in team.practice.came] == list(practising.KINDS)
    assert say("Practice is not over yet. This is how it stands.") not in story
    assert say("Nothing waited too long.") in story
    assert say("Nothing was offered against what must not be done.") in story
    assert story.count("rosa lo abrió a las ") == story.count("milagros lo abrió a las ") == 3
    assert story.count("La primera respuesta: a las ") == 4
    assert story.count("Se marcó a las ") == 2


def test_a_team_that_begins_with_what_can_wait_hears_what_waited_too_long(team: Team) -> None:
    team.signs_in("rosa")
    hours_left, junk = team.the_next_comes(), team.the_next_comes()
    team.opens("rosa", junk)
    others = [team.the_next_comes() for _ in range(4)]
    team.time_passes("three-hours")
    story = team.reads_how_it_went()
    late, junk_name = (
        f"{alias(came.case)} («{say(practising.KINDS[came.coming.what])}»)" for came in (hours_left, junk)
    )
    assert f"{late} esperaba, y antes se abrió {junk_name}, que es menos urgente." in story
    assert re.search(
        rf"{re.escape(late)}: el plazo para esto se acabó a las \d\d:\d\d .*?: {re.escape(say(NEEDS['N_PEP']))}", story
    )
    assert f"{junk_name}: nadie lo marcó." in story
    assert f"{late}: nadie lo abrió." in story
    assert story.count(": nadie lo abrió.") == 1 + len(others)
    tomorrow = r"Hasta las \d\d:\d\d \(\d\d/\d\d\) hay tiempo para esto: "
    assert re.search(tomorrow, story), "what runs out on another day says on which"
    assert say("Nothing waited too long.") not in story


def test_what_was_proposed_against_a_must_not_is_named(team: Team) -> None:
    team.signs_in("rosa")
    practice, came = team.practice, team.the_next_comes()
    police = next(
        card
        for card in snapshot.snapshot_of(lambda: reading(practice.engine)).cards.by_id.values()
        if card.police == "yes"
    )
    team.opens("rosa", came).presses("propose", service=police.service_id, need="N_LEGAL_STATE", fields=[])
    assert not practice.opened(came).referrals, "the desk itself lets nobody propose it"
    with (
        writing(practice.engine) as db,
        desk.at_desk(db, practice.keys, came.case, practice.clock(), "referral") as file,
    ):
        move = {"move": "propose", "by": practice.keys.member, "hour": int(practice.clock()) // HOUR}
        content = {"service": police.service_id, "need": "N_LEGAL_STATE", "fields": [], "state": "proposed"}
        file.add("referral", content | {"moves": [move]})
    assert police.name in " ".join(how_it_went(practice).against)


def test_cases_come_by_the_clock_of_the_practice_through_the_code_that_real_reports_pass(team: Team) -> None:
    rosa = team.signs_in("rosa")
    rosa.opens(QUEUE)
    assert not team.practice.came
    team.machine.on(minutes=5)
    rosa.opens(QUEUE)
    assert [came.coming.what for came in team.practice.came] == ["hours-left", "junk"], "nobody pressed anything"
    with reading(team.practice.engine) as db:
        summaries, broken = desk.queue(db, team.practice.keys)
    signs = {summary.case: summary.content.signs for summary in summaries}
    assert signs[team.practice.came[1].case] == (QUICK, LINKS)
    assert not broken


def test_who_is_at_the_desk_stays_there_when_the_clock_is_moved_and_loses_no_word(team: Team) -> None:
    rosa, came = team.signs_in("rosa"), team.the_next_comes()
    team.opens("rosa", came)
    team.time_passes("three-hours")
    team.time_passes("three-hours")
    team.time_passes("three-hours")
    team.time_passes("hour")
    rosa.presses("letter", text="lo escribí mientras movían el reloj")
    assert "lo escribí mientras movían el reloj" in rosa.words
    assert came.answered is not None
    team.machine.on(minutes=16)
    rosa.opens(QUEUE)
    assert rosa.path == "/es/equipo", "who is really idle is signed out as everywhere"


def test_every_page_of_a_practice_says_that_it_is_one_and_leads_to_its_clock(team: Team) -> None:
    rosa = team.signs_in("rosa")
    for phone, address in ((team.leader, "/es/"), (team.leader, "/es/contar"), (team.leader, PAGE), (rosa, QUEUE)):
        phone.opens(address)
        assert say("PRACTICE: nothing of this reaches anybody.") in phone.words
        assert f'href="{PAGE}"' in phone.text


@pytest.mark.parametrize("practice", ["", "1"])
def test_a_real_installation_has_no_page_that_moves_a_clock(team: Team, tmp_path: Path, practice: str) -> None:
    make_secrets(tmp_path / "real", bytes(range(2 * SECRET)))
    settings, engine = opened(tmp_path / "real", PRACTICE=practice)
    upgrade_tables(engine)
    phone = Phone(create_app(settings, team.machine))
    phone.opens(PAGE)
    assert phone.status == 404
    phone.repeats(PAGE, {"go": ["hour"]})
    assert phone.status == 404
    engine.dispose()


def in_the_terminal(practice: Practice, typed: str, language: str = "es") -> str:
    with speaking(language):
        return "\n".join(map(translated, answers(practice, typed)))


def test_whoever_leads_moves_the_clock_from_the_terminal_too(team: Team) -> None:
    practice = team.practice
    assert "El reloj de la práctica marca las 07:01." in in_the_terminal(practice, "\n")
    assert len(practice.came) == 1
    assert "07:11" in in_the_terminal(practice, "+10m\n")
    assert "The clock of practice says 09:11." in in_the_terminal(practice, " +2H \n", "en")
    assert len(practice.bring()) == 5, "all that came in these hours is there at once"
    digits = dict(practice.digits())["rosa"]
    assert f"rosa  {digits}" in in_the_terminal(practice, "d\n")
    assert "nadie lo abrió" in in_the_terminal(practice, "h\n")
    assert "nobody opened it" in in_the_terminal(practice, "h\n", "en")
    assert "Presiona Enter" in in_the_terminal(practice, "quit\n")
    assert "09:11" in in_the_terminal(practice, "+0m"), "what was not understood moved nothing"
