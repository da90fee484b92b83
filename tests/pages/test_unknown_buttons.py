"""A button that no page of ours has, or none at all, does nothing: no act is what is left when nothing else fits."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR
from tests.copies import Filling
from tests.hostile import endpoint_of
from tests.pages.test_casework import RAPE, YES_TO_LETTERS, a_service, comes_back
from tests.pages.test_desk_pages import pages_of
from tests.people import Place
from tests.phone import FormOnPage, Phone
from tests.server import ROOT
from tests.trips import opens_newest_case, say, signs_in, starts_telling, tells

UNKNOWN = "zz-not-a-button"
PRESSES: tuple[list[str], ...] = ([UNKNOWN], [], [""], ["allow"], ["handover-zz"])
# what looking at pages writes: that somebody is there, what was opened, what is quicker the next time
LOOKING = {"staff_session", "audit", "queue_sheet", "course_sheet", "taken", "trip_mark", "duty", "sign_in_try"}
# the addresses that ask which button was pressed; every other one is there for a single act
ASK_WHICH = {
    "casework.act",
    "casework.bulk",
    "directory.add",
    "directory.bring",
    "directory.called",
    "consent.answer",
    "her_needs.speak_of",
    "how_was_it.tap",
    "letters.change",
    "reporter.begin_anew",
    "reporter.come_back",
    "reporter.take_step",
    "staff.change_me",
    "staff.help_or_dismiss",
    "staff.with_colleague",
    "assisted_report.take_step",
    "take_along.keep",
}


def with_staff(place: Place) -> None:
    place.hires("carmen", COORDINATOR)
    place.hires("ana", ADVOCATE)
    place.hires("milagros", CASE_WORKER)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_staff


def everything(place: Place) -> dict[str, Counter[tuple[object, ...]]]:
    """What is kept, but for the traces of looking: how often each row stands in a table."""
    with place.engine.connect() as line:
        names = line.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        return {
            name: Counter(map(tuple, line.execute(text(f"SELECT {_columns(line, name)} FROM {name}"))))  # noqa: S608 -- its own names
            for name in names
            if name not in LOOKING
        }


def _columns(line: Connection, table: str) -> str:
    """All but how far somebody has seen the audit, which goes on with every look at a case."""
    names = [row[1] for row in line.execute(text(f"PRAGMA table_info({table})")).all()]
    return ", ".join(f'"{name}"' for name in names if (table, name) != ("member", "remembered"))


def sessions(place: Place) -> int:
    """How many people are signed in, in how many browsers."""
    with place.engine.connect() as line:
        return int(line.execute(text("SELECT count(*) FROM staff_session")).scalar_one())


def with_buttons(desk: Phone) -> Iterator[FormOnPage]:
    """The forms of a page that say which button was pressed."""
    for form in desk.forms:
        if form.method == "post" and ("go" in form.kinds or any(name == "go" for name, _ in form.buttons)):
            yield form


def filled(form: FormOnPage) -> dict[str, list[str]]:
    """Everything typed and chosen that an act could want."""
    typed = {name: ["una palabra"] for name, kind in form.kinds.items() if kind in {"text", "textarea", "password"}}
    chosen = {name: offered[-1:] for name, offered in form.offered.items() if name not in form.values}
    files = {name for name, kind in form.kinds.items() if kind == "file"}
    told = form.values | chosen | {name: said for name, said in typed.items() if not form.values.get(name, [""])[0]}
    return {name: said for name, said in told.items() if name != "go" and name not in files}


def test_at_the_desk_a_button_that_is_none_changes_nothing(app: Flask, place: Place) -> None:
    place.receives(RAPE, narrative="una", consents=YES_TO_LETTERS, contact={"channel": "call", "number_to_call": "9"})
    everybody = {name: signs_in(app, place, place.workers[name]) for name in ("rosa", "milagros", "carmen", "ana")}
    case = opens_newest_case(everybody["rosa"])
    found: set[str] = set()
    for name, desk in everybody.items():
        pages = list(pages_of(app, desk, case))
        before, there = everything(place), sessions(place)
        for path in pages:
            desk.opens(path)
            for form in list(with_buttons(desk)):
                endpoint = endpoint_of(app, form.action, "POST")
                if endpoint not in ASK_WHICH:  # an address of its own for one act: there is nothing to choose
                    continue
                found.add(endpoint)
                for go in PRESSES:
                    desk.repeats(form.action, filled(form) | ({"go": go} if go else {}))
                    assert desk.status < 500
                    assert sessions(place) == there, (name, form.action, go)
                assert everything(place) == before, (name, form.action)  # costs most: looked through once a form
    hers = ("reporter.", "consent.", "her_needs.", "how_was_it.", "take_along.")
    assert found >= {one for one in ASK_WHICH if not one.startswith(hers)}


def test_in_her_case_a_button_that_is_none_changes_nothing(app: Flask, place: Place) -> None:
    receipt = place.receives(
        replace(RAPE, perpetrator=frozenset({"PARTNER"})), narrative="una", consents=YES_TO_LETTERS
    )
    rosa = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(rosa)
    rosa.presses("propose", service=a_service(app, place, "N_PEP"), need="N_PEP", fields=["violence"])
    assert say("Proposed; waits for her answer") in rosa.words
    her = comes_back(app, receipt)
    before = everything(place)
    for go in (*PRESSES, ["deny"], ["deny-zz"], ["erase-zz"], ["save-99"]):
        her.repeats("/es/volver", her.form(holding="text").values | {"text": ["x"]} | ({"go": go} if go else {}))
        assert her.status < 500
        assert everything(place) == before, go
    needs = her.form("have-N_PEP")
    for go in (*PRESSES, ["have"], ["have-zz"], ["still-N_PEP"], ["met-N_PEP"]):
        her.repeats(needs.action, needs.values | ({"go": go} if go else {}))
        assert her.status < 500
        assert everything(place) == before, go
    plan = her.form("keep-plan")
    for go in PRESSES:
        her.repeats(plan.action, plan.values | {"shown": ["y"]} | ({"go": go} if go else {}))
        assert everything(place) == before, go
    look = next(form for form in her.forms if form.action.endswith("/propuesta"))
    her.repeats(look.action, look.values | {name: [value] for name, value in look.buttons})
    proposal = her.form("no")
    for go in PRESSES:
        her.repeats(proposal.action, proposal.values | ({"go": go} if go else {}))
        assert her.form("no").action == proposal.action, "the page again"
        assert everything(place) == before, go
    her.presses("no")
    assert everything(place) != before, "the real one does"


def test_a_face_that_is_none_says_nothing_of_how_it_was(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE, narrative="una", consents=YES_TO_LETTERS)
    rosa = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(rosa)
    rosa.presses("close", outcome="REACHED")
    her = comes_back(app, receipt)
    before, faces = everything(place), her.form("face-GOOD")
    for go in (*PRESSES, ["face"], ["face-"], ["face-zz"]):
        her.repeats(faces.action, faces.values | ({"go": go} if go else {}))
        assert her.status < 500
        assert everything(place) == before, go


def test_another_team_is_told_neither_yes_nor_no_by_a_button_that_is_none(app: Flask, place: Place) -> None:
    place.hires("luz", CASE_WORKER, new_team="Otro equipo")
    place.vouches(place.signs_in("rosa"), "Otro equipo")
    receipt = place.receives(RAPE, narrative="una", consents=YES_TO_LETTERS)
    rosa = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(rosa)
    team = rosa.form("ask-hand-over").offered["team"][-1]
    rosa.presses("ask-hand-over", team=team, reason="Están más cerca.")
    her = comes_back(app, receipt)
    before = everything(place)
    asked = her.form("handover-yes")
    for go in (*PRESSES, ["handover-"], ["handover"]):
        her.repeats(asked.action, asked.values | ({"go": go} if go else {}))
        assert everything(place) == before, go


def test_while_she_tells_a_button_that_is_none_shows_the_page_again(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next")
    title = phone.title, phone.form("next").kinds.keys()
    for go in (UNKNOWN, "send", "to-99", "to-٣", "to-" + "9" * 5000, "noted"):
        phone.repeats("/es/contar", phone.form("next").values | {"go": [go]})
        assert (phone.title, phone.form("next").kinds.keys()) == title, go
    tells(phone, lambda _form: {})
    for go in PRESSES:
        phone.repeats("/es/contar", phone.form("send").values | ({"go": go} if go else {}))
        assert phone.form("send")
    assert place.cases() == 0
    phone.presses("send")
    assert place.cases() == 1


def test_on_the_way_out_a_button_that_is_none_ends_no_trip(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    form = phone.form("next")
    trip = next(one for one in phone.forms if "trip" in one.kinds).values["trip"]
    other = Phone(app)
    other.opens("/es/")
    for go in PRESSES:
        other.repeats("/es/inicio", {"trip": trip} | ({"go": go} if go else {}))
        assert other.path == "/es/"
    phone.repeats("/es/contar", form.values | {"go": ["next"]})
    assert phone.form("next"), "she goes on"


def test_these_are_all_the_pages_that_ask_which_button_was_pressed(app: Flask) -> None:
    rooms = [*(ROOT / "reporting" / "pages").rglob("*.py"), *(ROOT / "referrals" / "pages").rglob("*.py")]
    asking = {
        path.stem
        for path in rooms
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "button"
    }
    pressed = {app.view_functions[endpoint].__module__.rpartition(".")[2] for endpoint in ASK_WHICH}
    helpers = {"submit", "my_case"}  # what `report` and `come_back` hand on to
    harmless = {"watch"}  # takes no other word than two
    assert asking == pressed | helpers | harmless
