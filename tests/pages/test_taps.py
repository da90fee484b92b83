"""Everyday jobs of a case worker on a phone: none takes more taps or pages than it does today.

Each begins on the first page after signing in, the list of cases, and ends when it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest

from referrals.casework import referral
from reporting.app import create_app
from reporting.cases import desk as casebook
from reporting.cases import store
from reporting.cases.records import Case, alias
from reporting.crypto.receipts import Receipt
from reporting.storage.database import writing
from reporting.teams.keyring import Keys
from reporting.vocabulary.incident import Incident
from tests.copies import Copies, with_a_colleague
from tests.people import Place
from tests.phone import Phone
from tests.stories.day_of_cases import RAPE
from tests.thumb import Thumb
from tests.trips import say, signs_in

QUEUE = "/es/equipo/casos"
WORDS = "Te leímos."


@dataclass
class Desk:
    """Rosa, signed in, and what lies there."""

    place: Place
    rosa: Phone
    keys: Keys
    old: int  # a case that came before all others

    def begins(self) -> Thumb:
        """On the list of cases."""
        self.rosa.opens(QUEUE)
        return Thumb(self.rosa)

    def gets(self) -> Receipt:
        """A new case whose window is open."""
        return self.place.receives(replace(RAPE, hours=(30.0, 30.0), department="PE15"), "fue anoche")

    def case_of(self, receipt: Receipt) -> int:
        """Its number."""
        return self.place.comes_back(receipt).case

    def opened(self, case: int) -> Case:
        """The case as it is now."""
        with writing(self.place.engine) as db:
            return casebook.open_case(db, self.keys, case, self.place.clock())


@pytest.fixture(scope="module")
def desk(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    place = copies.copy(tmp_path_factory.mktemp("taps") / "instance", with_a_colleague)
    app, old = create_app(place.settings, place.clock), place.comes_back(place.receives(RAPE)).case
    place.clock.on(hours=1)
    keys = place.signs_in("rosa")
    yield Desk(place, signs_in(app, place, place.workers["rosa"]), keys, old)
    place.engine.dispose()


def address(case: int) -> str:
    return f"/es/equipo/caso/{case}"


def takes_it_and_answers(desk: Desk) -> Thumb:
    case, thumb = desk.case_of(desk.gets()), desk.begins()
    thumb.follows(address(case))
    thumb.presses("answer", text=WORDS)
    assert desk.opened(case).owner == desk.keys.member
    return thumb


def proposes_a_service(desk: Desk) -> Thumb:
    case, thumb = desk.case_of(desk.gets()), desk.begins()
    thumb.follows(address(case))
    thumb.presses("N_", field_="door")
    (proposal,) = desk.opened(case).referrals
    assert (proposal.state, proposal.fields) == ("proposed", ("need",))
    assert f'name="door" value="{proposal.need} ' not in desk.rosa.text.split('id="p-door"')[0], (
        "it is proposed already"
    )
    return thumb


def reads_the_newest(desk: Desk) -> Thumb:
    case, thumb = desk.case_of(desk.gets()), desk.begins()
    thumb.follows(f"{QUEUE}?sort=newest")
    thumb.follows(desk.rosa.text.split('<h2><a href="')[1].split('"')[0])
    assert desk.opened(int(desk.rosa.path.split("/")[-1])).hour == desk.opened(case).hour > desk.opened(desk.old).hour
    return thumb


def finds_a_case_by_its_short_name(desk: Desk) -> Thumb:
    case, thumb = desk.case_of(desk.gets()), desk.begins()
    thumb.presses("find", name=alias(case).lower().replace("-", " "))
    assert desk.rosa.path == address(case)
    return thumb


def gives_a_case_to_a_colleague(desk: Desk) -> Thumb:
    case, thumb = desk.case_of(desk.gets()), desk.begins()
    milagros = desk.place.workers["milagros"].id
    thumb.presses(f"assign-{milagros}", cases=[str(case)])
    assert desk.opened(case).owner == milagros
    return thumb


def closes_a_case(desk: Desk) -> Thumb:
    case, thumb = desk.case_of(desk.gets()), desk.begins()
    thumb.follows(address(case))
    thumb.presses("close-REACHED")
    assert desk.opened(case).state == "closed"
    return thumb


def sets_an_answer_right(desk: Desk) -> Thumb:
    case, thumb = desk.case_of(desk.gets()), desk.begins()
    thumb.follows(address(case))
    thumb.presses("y", field_="said", age="A18_24")
    assert desk.opened(case).incident.age == "A18_24"
    assert say("The answer is set right.") in desk.rosa.words
    assert [correction.reason for correction in desk.opened(case).corrections] == ["Me lo dijo ella."]
    return thumb


def marks_three_as_junk(desk: Desk) -> Thumb:
    cases = [desk.case_of(desk.place.receives(Incident(), "compra barato")) for _ in range(3)]
    thumb = desk.begins()
    thumb.presses("junk-ads", cases=[str(case) for case in cases])
    assert all(desk.opened(case).marks for case in cases)
    return thumb


def keeps_a_note(desk: Desk) -> Thumb:
    case, thumb = desk.case_of(desk.gets()), desk.begins()
    thumb.follows(address(case))
    thumb.presses("note", text="Llamar mañana.")
    assert len(desk.opened(case).notes) == 1
    return thumb


def sees_what_waits(desk: Desk) -> Thumb:
    receipt = desk.gets()
    thumb = desk.begins()
    thumb.follows(address(desk.case_of(receipt)))
    with writing(desk.place.engine) as db:
        store.write_as_reporter(db, desk.place.comes_back(receipt), "¿siguen ahí?", desk.place.clock())
    thumb = desk.begins()
    thumb.follows(f"{QUEUE}?folder=waits")
    assert alias(desk.case_of(receipt)) in desk.rosa.words
    return thumb


def sends_what_she_agreed_to(desk: Desk) -> Thumb:
    receipt, thumb = desk.gets(), desk.begins()
    case = desk.case_of(receipt)
    thumb.follows(address(case))
    thumb.presses("N_", field_="door")
    with writing(desk.place.engine) as db, store.on_visit(db, desk.place.comes_back(receipt), 0.0) as case_file:
        referral.agree(case_file, case_file.all_of("referral")[0].number, desk.place.clock())
    thumb = desk.begins()
    thumb.follows(address(case))
    thumb.presses("send", field_="step")
    assert [proposal.state for proposal in desk.opened(case).referrals] == ["sent"]
    return thumb


def writes_down_a_call(desk: Desk) -> Thumb:
    before, thumb = desk.place.cases(), desk.begins()
    thumb.follows("/es/equipo/voz")
    thumb.presses("to-1")
    thumb.presses("check", safety=["S_WEAPON"])
    thumb.presses("send")
    assert desk.place.cases() == before + 1
    return thumb


def answers_two_one_after_the_other(desk: Desk) -> Thumb:
    first, _, thumb = desk.case_of(desk.gets()), desk.gets(), desk.begins()
    thumb.follows(address(first))
    thumb.presses("answer-next", text=WORDS)
    second = int(next(form.action for form in desk.rosa.forms if "text" in form.kinds).split("/")[-1])
    thumb.presses("letter", text=WORDS)
    assert second != first
    assert [desk.opened(case).letters[-1].text for case in (first, second)] == [WORDS, WORDS]
    return thumb


def goes_from_report_to_closing(desk: Desk) -> Thumb:
    """Answered, referred, two appointments, a safety plan, attended, closed."""
    receipt, thumb = desk.gets(), desk.begins()
    case = desk.case_of(receipt)
    thumb.follows(address(case))
    thumb.presses("answer", text=WORDS)
    thumb.presses("N_", field_="door")
    with writing(desk.place.engine) as db, store.on_visit(db, desk.place.comes_back(receipt), 0.0) as case_file:
        referral.agree(case_file, case_file.all_of("referral")[0].number, desk.place.clock())
    thumb.desk.opens(address(case))
    thumb.presses("send", field_="step")
    for time, where in (("9:30", "Jr. Ucayali, piso 2"), ("15", "Jr. Ucayali, piso 2")):
        thumb.presses("appoint", time=time, place=where)
    thumb.follows(f"{address(case)}/planes/seguridad")
    thumb.sends(danger="Viene cuando cobro.", signs="Llama muchas veces.", where="Mi prima.")
    thumb.desk.opens(address(case))
    thumb.presses("reach", field_="step")
    thumb.presses("close-REACHED")
    assert desk.opened(case).state == "closed"
    return thumb


# job -> (taps, pages) that it takes at most
JOBS: Final[dict[Callable[[Desk], Thumb], tuple[int, int]]] = {
    takes_it_and_answers: (3, 2),
    proposes_a_service: (2, 2),
    reads_the_newest: (2, 2),
    finds_a_case_by_its_short_name: (2, 1),
    gives_a_case_to_a_colleague: (2, 1),
    closes_a_case: (3, 2),
    sets_an_answer_right: (4, 2),
    marks_three_as_junk: (4, 1),
    keeps_a_note: (3, 2),
    sees_what_waits: (1, 1),
    sends_what_she_agreed_to: (2, 2),
    writes_down_a_call: (5, 4),
    answers_two_one_after_the_other: (5, 3),
    goes_from_report_to_closing: (22, 10),
}


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
def test_a_job_of_every_day_takes_no_more_taps_than_it_does_today(
    desk: Desk, job: Callable[[Desk], Thumb], record_property: Callable[[str, object], None]
) -> None:
    thumb, (taps, loads) = job(desk), JOBS[job]
    record_property("taps", thumb.taps)
    print(f"{job.__name__}: {thumb.taps} taps, {thumb.loads} pages")  # noqa: T201 -- a figure to read
    assert thumb.taps <= taps
    assert thumb.loads <= loads
