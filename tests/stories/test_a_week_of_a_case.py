"""A week of a case by a moved clock: what is due when, what each person sees, and how one shift hands over."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from reporting.cases import desk
from reporting.cases.follow_up.acts import RESULTS
from reporting.cases.follow_up.days import working_days
from reporting.cases.follow_up.next_steps import OF_CASE, OF_REFERRAL, StepRow
from reporting.cases.summary import Summary
from reporting.crypto.receipts import Receipt
from reporting.storage.database import reading, writing
from reporting.teams import reading_hours
from reporting.vocabulary.questions import CHANNELS
from reporting.web import languages
from reporting.web.forms import DAY_IS_WRITTEN
from tests.copies import Filling, with_a_colleague
from tests.pages.test_casework import RAPE, a_service, at_the_desk, comes_back, decides, steps
from tests.people import Place
from tests.phone import FormOnPage, Phone
from tests.trips import opens_newest_case, say

QUIET = replace(RAPE, violence=frozenset({"THREATS"}), hours=(400.0, 400.0), condom=None, wants=frozenset({"W_LEGAL"}))
CONTACT = {"channel": "CALL", "number_to_call": "987 111 222", "safe_hours": "de 3 a 5"}
QUEUE = "/es/equipo/casos"


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def the_step(name: str) -> str:
    row = OF_REFERRAL.get(name) or OF_CASE[name]
    assert isinstance(row, StepRow)
    return say(row.name)


def why(desk_phone: Phone) -> str:
    """Why the only case of the first tab stands there; empty where the tab is empty."""
    desk_phone.opens(QUEUE)
    marked = re.search(r'<strong class="queue-mark[^"]*">(.*?)</strong>', desk_phone.text, re.DOTALL)
    return " ".join(marked.group(1).split()) if marked else ""


def summary_of(place: Place) -> Summary:
    keys = place.signs_in("rosa")
    with reading(place.engine) as db:
        (only,), _ = desk.queue(db, keys)
    return only


def the_form(desk_phone: Phone, name: str, value: str) -> FormOnPage:
    return next(form for form in desk_phone.forms if (name, value) in form.buttons)


def taps(desk_phone: Phone, name: str, value: str, **typed: str) -> None:
    """One press of a button of the page that is open."""
    form = the_form(desk_phone, name, value)
    desk_phone.repeats(form.action, form.values | {name: [value]} | {field: [text] for field, text in typed.items()})
    assert desk_phone.status == 203, desk_phone.words[:400]


def in_days(place: Place, number: int) -> str:
    """A day from today on as people write it."""
    today = languages.local(place.clock(), place.settings.time_zone).date()
    return f"{today + timedelta(days=number):%d/%m/%Y}"


def test_a_week_of_a_case(app: Flask, place: Place) -> None:
    receipt, rosa = place.receives(QUIET, "me amenaza", consents=frozenset({"C_LETTERS"})), at_the_desk(app, place)
    case = _it_is_read_and_a_service_proposed(app, place, rosa)
    place.clock.on(days=2)
    rosa = at_the_desk(app, place)
    assert why(rosa) == say("Due today"), "she has not answered"
    place.clock.on(days=1)
    rosa = at_the_desk(app, place)
    assert why(rosa) == "Tocaba hace 1 día"
    _she_says_yes_and_it_is_sent(app, place, rosa, receipt, case)
    _the_shift_ends(rosa, at_the_desk(app, place, "milagros"), case)
    assert why(rosa) == ""
    place.clock.on(days=3)
    rosa = at_the_desk(app, place)
    assert why(rosa) == say("Due today"), "the day after the appointment somebody asks how it was"
    assert say("Your appointments") not in comes_back(app, receipt).words, "it is past"
    _it_ends_and_she_writes_again(app, place, rosa, receipt, case)


def _it_is_read_and_a_service_proposed(app: Flask, place: Place, rosa: Phone) -> str:
    assert why(rosa) == say("Nobody has it yet")
    opens_newest_case(rosa)
    case = rosa.path
    rosa.presses("assign")
    rosa.opens(case)
    assert the_step("unanswered") in rosa.words, "nobody has written to her"
    rosa.presses("letter", text="aquí estamos")
    rosa.opens(case)
    assert the_step("answered") in rosa.words
    rosa.presses("propose", door=f"N_LEGAL_INFO {a_service(app, place, 'N_LEGAL_INFO', QUIET)}", fields=["violence"])
    rosa.opens(case)
    assert the_step("proposed") in rosa.words
    assert why(rosa) == "", "nothing is to be done today"
    return case


def _she_says_yes_and_it_is_sent(app: Flask, place: Place, rosa: Phone, receipt: Receipt, case: str) -> None:
    her = comes_back(app, receipt)
    assert say("What is next") not in her.words, "steps of the team are not hers to see"
    decides(her, "yes")
    assert summary_of(place).due_at, "her yes itself made the next step"
    rosa.opens(case)
    assert the_step("consented") in rosa.words
    assert the_step("proposed") not in rosa.words.split(say("Plan another step"))[0]
    for move in ("send", "accept"):
        steps(rosa, case, move)
        rosa.opens(case)
        assert the_step({"send": "sent", "accept": "accepted"}[move]) in rosa.words
    taps(rosa, "go", "appoint", day=in_days(place, 2), time="9.30", place="Jr. Ucayali, piso 2", word="mandarina")
    rosa.opens(case)
    assert "09:30" in rosa.words
    rosa.presses("letter", text="ya tienes tu cita")
    her = comes_back(app, receipt)
    assert say("Your appointments") in her.words
    assert "09:30" in her.words
    assert "Palabra en la puerta: mandarina" in her.words


def _the_shift_ends(rosa: Phone, milagros: Phone, case: str) -> None:
    """Milagros reads before she begins; Rosa is not told her own words."""
    rosa.opens(case)
    taps(rosa, "go", "pass-on", text="no la llames: el celular lo tiene él", owner="0")
    rosa.opens(QUEUE)
    assert say("Read this before you begin") not in rosa.words
    milagros.opens(QUEUE)
    assert say("Read this before you begin") in milagros.words
    assert "no la llames" not in milagros.words, "the queue opens no case"
    leads_to = re.search(rf'href="{re.escape(case)}#([a-z-]+)"', milagros.text)
    assert leads_to, "the list leads to the case"
    milagros.opens(case)
    assert "no la llames" in milagros.text.split(f'id="{leads_to[1]}"')[1].split("</div>")[0], "to the words themselves"
    taps(milagros, "go", "has-read")
    milagros.opens(QUEUE)
    assert say("Read this before you begin") not in milagros.words


def _it_ends_and_she_writes_again(app: Flask, place: Place, rosa: Phone, receipt: Receipt, case: str) -> None:
    steps(rosa, case, "reach")
    rosa.opens(case)
    assert the_step("reached") in rosa.words
    taps(rosa, "step", "days7")
    assert why(rosa) == "", "one tap: in a week"
    rosa.opens(case)
    taps(rosa, "step", "done")
    rosa.opens(case)
    assert say("Nothing is planned.") in rosa.words
    rosa.opens(f"{QUEUE}?folder=mine")
    assert say("Nothing is planned") in rosa.words
    rosa.opens(case)
    taps(rosa, "go", "close", outcome="REACHED", reason="la atendieron")
    assert not summary_of(place).due_at, "a closed case has no next step"
    comes_back(app, receipt).presses("write", text="gracias, pero volvió")
    assert summary_of(place).due_at
    rosa.opens(case)
    assert the_step("waits") in rosa.words


def test_whoever_gets_a_case_with_a_note_has_to_read_it_and_nobody_else(app: Flask, place: Place) -> None:
    place.receives(QUIET, "me amenaza")
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    opens_newest_case(rosa)
    case = rosa.path
    to = str(place.workers["milagros"].id)
    form = next(form for form in rosa.forms if ("go", "assign") in form.buttons and "text" in form.kinds)
    rosa.repeats(form.action, form.values | {"go": ["assign"], "owner": [to], "text": ["escríbele tú"]})
    assert rosa.status == 203, rosa.words[:300]
    rosa.opens(QUEUE)
    assert say("Read this before you begin") not in rosa.words
    rosa.opens(case)
    assert "escríbele tú" in rosa.words
    assert not [form for form in rosa.forms if ("go", "has-read") in form.buttons], "it is not for her to read"
    assert say("Read this before you begin") in milagros.opens(QUEUE)
    milagros.opens(case)
    taps(milagros, "go", "has-read")
    assert say("Read this before you begin") not in milagros.opens(QUEUE)


def test_a_try_to_reach_her_is_two_taps_and_keeps_nothing_of_her_number(app: Flask, place: Place) -> None:
    receipt = place.receives(QUIET, "me amenaza", contact=CONTACT, consents=frozenset({"C_LETTERS", "C_CONTACT"}))
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    case = rosa.path
    rosa.presses("contact")  # the first: her number, which is in the record of acts
    taps(rosa, "step", "nobody")  # the second
    rosa.opens(case)
    assert f"{say(CHANNELS['CALL'])}: {say(RESULTS['nobody'])}" in rosa.words
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        opened = desk.open_case(db, keys, int(case.rsplit("/", 1)[1]), place.clock())
    (attempt,) = opened.work_record["attempts"]
    assert attempt.keys() == {"by", "hour", "channel", "result"}
    assert attempt["channel"] == "CALL"
    assert "987" not in str(opened.work_record)
    assert say(RESULTS["nobody"]) not in comes_back(app, receipt).words


def test_nobody_is_reached_who_does_not_allow_it(app: Flask, place: Place) -> None:
    place.receives(QUIET, "me amenaza")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    case, form = rosa.path, the_form(rosa, "go", "note")
    assert say("I tried to reach her") not in rosa.words
    rosa.repeats(case, form.values | {"go": ["attempt"], "channel": ["CALL"], "step": ["nobody"]})
    assert rosa.status == 422
    assert say("She gave no way to reach her, or took it back.") in rosa.words


def test_a_step_that_a_colleague_changed_meanwhile_is_not_changed_unseen(app: Flask, place: Place) -> None:
    place.receives(QUIET, "me amenaza")
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    opens_newest_case(rosa)
    case = rosa.path
    milagros.opens(case)
    rosa.opens(case)
    taps(rosa, "step", "days3")
    form = the_form(milagros, "step", "done")
    milagros.repeats(case, form.values | {"step": ["done"]})
    assert milagros.status == 409
    assert the_step("unanswered") in milagros.words.split(say("Do it anyway"))[0], "what happened since is said"


def sent_to_a_service(app: Flask, place: Place) -> tuple[Phone, str, Receipt]:
    """Rosa on the page of a case whose referral went out with her yes; its address; her receipt."""
    receipt = place.receives(QUIET, "me amenaza")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    case = rosa.path
    rosa.presses("propose", door=f"N_LEGAL_INFO {a_service(app, place, 'N_LEGAL_INFO', QUIET)}", fields=["violence"])
    decides(comes_back(app, receipt), "yes")
    steps(rosa, case, "send")
    rosa.opens(case)
    return rosa, case, receipt


def test_what_was_typed_for_an_appointment_comes_back_with_what_is_wrong(app: Flask, place: Place) -> None:
    rosa, case, _receipt = sent_to_a_service(app, place)
    form = the_form(rosa, "go", "appoint")
    typed = {
        "day": ["pronto, en dos días"],
        "time": ["9"],
        "place": ["piso 2"],
        "ask_for": ["Nelly"],
        "word": ["limón"],
    }
    rosa.repeats(case, form.values | typed | {"go": ["appoint"]})
    assert rosa.status == 422
    assert say(DAY_IS_WRITTEN) in rosa.words
    assert all(f'value="{value[0]}"' in rosa.text for value in typed.values())


def test_the_sheet_for_the_service_and_her_own_page_say_the_same_appointment(app: Flask, place: Place) -> None:
    rosa, case, receipt = sent_to_a_service(app, place)
    taps(rosa, "go", "appoint", day=in_days(place, 3), time="14", place="piso 2", ask_for="Nelly", word="limón")
    rosa.opens(case)
    sheet = re.search(r'href="([^"]+/hoja/\d+)"', rosa.text)
    assert sheet
    for words in (rosa.opens(sheet.group(1)) and rosa.words, comes_back(app, receipt).words):
        assert all(part in words for part in ("14:00", "piso 2", "Nelly", "limón"))
    rosa.opens(case)
    rosa.presses("fill-appointment")
    assert ", 14:00" in the_form(rosa, "go", "letter").values["text"][0], "a letter of the team names it"
    rosa.opens(case)
    taps(rosa, "go", "unappoint")
    assert say("Your appointments") not in comes_back(app, receipt).words


def test_a_day_on_which_nobody_reads_is_passed_over_as_the_team_set_its_hours(app: Flask, place: Place) -> None:
    today = languages.local(place.clock(), place.settings.time_zone).date()
    tomorrow = today + timedelta(days=1)
    with writing(place.engine) as db:
        reading_hours.write(db, place.workers["rosa"].signer, dict.fromkeys(range(7), (9, 17)), (tomorrow,))
    place.receives(QUIET, "me amenaza")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    with reading(place.engine) as db:
        days = working_days(db)
    assert days.zone == place.settings.time_zone
    assert summary_of(place).due_at == days.begins(today + timedelta(days=2))
