"""Promises about the phone in other hands: what a repeated request shows, and when it shows nothing any more."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from reporting.app import create_app
from reporting.storage.database import reading
from reporting.storage.models import MarkRow
from reporting.web import limits
from tests.attacks.test_phone_taken import a_case_with_a_proposal
from tests.people import Place
from tests.phone import Phone
from tests.trips import opens_newest_case, passing_over_everything, say, sends, signs_in, starts_telling, tells

TYPED = "palabra-marcada"


def leaves(phone: Phone) -> None:
    """She presses the exit of the page she is on."""
    phone.repeats("/salir", phone.form(holding="trip").values)


def again(phone: Phone, last: object) -> str:
    """Somebody presses "resend form"."""
    assert isinstance(last, tuple)
    return phone.repeats(*last)


def shows_only_the_start(phone: Phone, *never: str) -> bool:
    return say("We are with you.") in phone.words and not any(word in phone.text for word in never)


def told_to_the_check_page(app: Flask, *, old: bool = False) -> Phone:
    phone = starts_telling(app, old=old)
    tells(phone, lambda form: {"narrative": TYPED} if "narrative" in form.kinds else {})
    return phone


# ── after the exit ──────────────────────────────────────────────────────────────────────────────────────────


def test_after_the_exit_no_page_of_a_trip_can_be_had_again(app: Flask) -> None:
    phone = starts_telling(app)
    asked = []
    for _ in range(7):
        phone.presses("next", **({"narrative": TYPED} if "narrative" in phone.form("next").kinds else {}))
        asked.append(phone.last)
    phone.presses("send")
    words, _ = phone.receipt()
    asked.append(phone.last)
    phone.presses("more")
    asked.append(phone.last)
    leaves(phone)
    for last in asked:
        again(phone, last)
        assert shows_only_the_start(phone, TYPED, f"<span>{words[0]}</span>")
        assert phone.status == 203, "not even a word that there was something"


def test_after_the_exit_a_search_for_help_can_not_be_had_again(app: Flask) -> None:
    phone = Phone(app)
    phone.opens("/es/ayuda")
    phone.sends("needs", needs=["N_PEP"])
    last = phone.last
    assert "113" in phone.words
    leaves(phone)
    again(phone, last)
    assert shows_only_the_start(phone)


@pytest.mark.parametrize("door", ["/es/", "/es/volver", "/es/contar"])
def test_after_the_exit_a_typed_code_opens_nothing_again(app: Flask, door: str) -> None:
    code = sends(told_to_the_check_page(app))
    phone = Phone(app)
    phone.opens(door)
    if door == "/es/contar":
        phone.presses("begin")
        phone.presses("code", code=code)
    else:
        phone.sends("code", code=code)
    assert TYPED in phone.words
    last = phone.last
    leaves(phone)
    again(phone, last)
    assert shows_only_the_start(phone, TYPED)


# what she presses one after another on her page, with what she types
VISITS: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "adding": (("ask-more", {}), ("add", {"text": TYPED})),
    "adding nothing": (("ask-more", {}), ("add", {"text": ""})),
    "setting right": (("right-1", {}), ("save-1", {"venue": "HOTEL"})),
    "setting right with a mistake": (("right-1", {}), ("save-1", {"number": "muchas"})),
    "allowing": (("allow-C_LETTERS", {}), ("deny-C_LETTERS", {})),
    "saying how she can be reached": (("ask-reach", {}), ("reach", {"number_to_call": TYPED})),
    "a paper": (("proof", {}), ("show", {})),
    "writing": (("write", {"text": TYPED}),),
    "being about to erase": (("ask-erase", {}),),
}


@pytest.mark.parametrize("pressed", VISITS.values(), ids=VISITS.keys())
def test_after_the_exit_no_page_of_her_case_can_be_had_again(
    app: Flask, pressed: tuple[tuple[str, dict[str, str]], ...]
) -> None:
    code = sends(told_to_the_check_page(app))
    phone = Phone(app)
    phone.opens("/es/volver")
    phone.sends("code", code=code)
    asked = [phone.last]
    for button, typed in pressed:
        phone.presses(button, **typed)
        assert not shows_only_the_start(phone), "she was still there"
        asked.append(phone.last)
    leaves(phone)
    for last in asked:
        again(phone, last)
        assert shows_only_the_start(phone, TYPED)
        assert phone.status == 203


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_after_the_exit_no_proposal_and_no_answer_can_be_had_again(app: Flask, place: Place, answer: str) -> None:
    receipt = a_case_with_a_proposal(place)
    phone = Phone(app)
    phone.opens("/es/volver")
    phone.sends("code", code=" ".join(receipt.digits()))
    form = next(form for form in phone.forms if form.action.endswith("/propuesta"))
    phone.repeats(form.action, form.values | {name: [value] for name, value in form.buttons})
    assert say("They would be told only this") in phone.words
    asked = [phone.last]
    phone.presses(answer)
    asked.append(phone.last)
    leaves(phone)
    for last in asked:
        again(phone, last)
        assert shows_only_the_start(phone, say("They would be told only this"))


def test_the_exit_counts_also_after_the_code_was_noted(app: Flask) -> None:
    phone = told_to_the_check_page(app)
    check = phone.last
    sends(phone)
    trip = phone.form(holding="trip").values
    phone.presses("noted")
    phone.repeats("/salir", trip)
    again(phone, check)
    assert shows_only_the_start(phone, TYPED)


# ── without the exit ────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_asked_for_again_is_shown_for_fifteen_minutes_only(app: Flask, place: Place) -> None:
    phone = told_to_the_check_page(app)
    last = phone.last
    place.clock.on(minutes=14)
    assert TYPED in again(phone, last)
    place.clock.on(minutes=2)
    assert TYPED not in again(phone, last)
    assert say("This page waited a long time") in phone.words


def test_somebody_slow_is_not_sent_away_before_two_hours(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next", age="A50P")
    place.clock.on(minutes=110)
    phone.presses("next", venue="HOTEL")
    phone.presses("back")
    assert phone.form("next").values["venue"] == ["HOTEL"]


@pytest.mark.parametrize("button", ["next", "back", "check", "lang-en"])
def test_after_two_hours_no_button_shows_a_draft(app: Flask, place: Place, button: str) -> None:
    phone = starts_telling(app)
    phone.presses("next", age="A50P")
    phone.presses("next", venue="HOTEL")
    place.clock.on(hours=2.1)
    phone.presses(button)
    assert "HOTEL" not in phone.text
    assert say("This page waited a long time") in phone.words


def test_what_was_sent_unseen_tells_whoever_comes_back_nothing_but_letters(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next", danger=["D_BLEEDING"])
    place.clock.on(hours=3)
    phone.presses("next")
    code = sends(phone)
    assert say("Emergency care") not in phone.words
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    assert say("I am bleeding a lot") in desk.words, "the team reads it whole"
    back = Phone(app)
    back.opens("/es/")
    back.sends("code", code=code)
    assert back.status == 203
    assert say("I am bleeding a lot") not in back.words
    assert say("Emergency care") not in back.words


def test_what_is_typed_on_a_page_that_waited_too_long_is_sent_too(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    for _ in range(6):
        phone.presses("next")
    place.clock.on(hours=3)
    phone.presses("next", narrative=TYPED)
    assert TYPED not in phone.text
    sends(phone)
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    assert TYPED in desk.words


def test_sixteen_minutes_later_a_code_a_search_and_a_case_can_not_be_had_again(app: Flask, place: Place) -> None:
    code = sends(told_to_the_check_page(app))
    box, search = Phone(app), Phone(app)
    box.opens("/es/")
    box.sends("code", code=code)
    opened = box.last
    box.presses("ask-erase")
    box.presses("show")
    looked = box.last
    search.opens("/es/ayuda")
    search.sends("needs", needs=["N_PEP"])
    place.clock.on(minutes=16)
    for phone, last in ((box, opened), (box, looked), (search, search.last)):
        again(phone, last)
        assert phone.status == 410
        assert shows_only_the_start(phone, TYPED)


def test_a_copy_of_the_database_does_not_say_when_a_page_was_turned(app: Flask, place: Place) -> None:
    phone = told_to_the_check_page(app)
    with reading(place.engine) as db:
        assert not db.scalars(select(MarkRow)).all(), "where there are rows nothing is noted while she tells"
    phone = told_to_the_check_page(app, old=True)
    assert phone.last is not None
    with reading(place.engine) as db:
        told = [row.told for row in db.scalars(select(MarkRow))]
    assert len(told) == 7
    assert len({len(one) for one in told}) == 1
    assert not [one for one in told if int(place.clock()).to_bytes(8, "big")[4:] in one]


# ── after sending ───────────────────────────────────────────────────────────────────────────────────────────


def test_after_sending_the_questions_are_closed(app: Flask, place: Place) -> None:
    phone = told_to_the_check_page(app)
    check = phone.last
    sends(phone)
    again(phone, check)
    assert say("It was sent already. You can come back with your code.") in phone.words
    assert TYPED not in phone.text
    assert place.cases() == 1


def test_one_trip_makes_one_case_whichever_of_its_pages_it_is_sent_from(app: Flask, place: Place) -> None:
    phone = told_to_the_check_page(app)
    first, arrival = phone.form("send"), phone.last
    again(phone, arrival)  # a second check page, of the same trip
    words = sends(phone)
    phone.repeats(first.action, first.values | {"go": ["send"]})
    assert phone.receipt()[0] == words.split(), "it is drawn once"
    assert place.cases() == 1
    back = Phone(app)
    back.opens("/es/")
    back.sends("code", code=words)
    assert back.status == 203


def test_a_check_page_that_waited_two_hours_is_sent_unseen(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next", danger=["D_BLEEDING"])
    phone.presses("check")
    place.clock.on(hours=2.1)
    sends(phone)
    assert say("Emergency care") not in phone.words


def test_what_is_ticked_beside_the_button_survives_another_language_and_a_change(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next")
    phone.presses("check")
    phone.presses("lang-en", letters=["y"])
    phone.presses("to-1")
    phone.presses("check")
    phone.presses("lang-es")
    sends(phone)
    assert say("She can write to you here. Come back with your code to read it.") in phone.words


def test_every_door_is_on_a_page_of_its_own_and_leads_back_to_the_code(app: Flask) -> None:
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    words = sends(phone)
    phone.presses("more")
    assert words not in " ".join(phone.words.split())
    assert sends(phone) == words


def test_the_first_two_words_may_be_tested_and_need_not(app: Flask) -> None:
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    words = sends(phone).split()
    phone.presses("noted", first="abeja abeja")
    assert phone.status == 422
    assert phone.receipt()[0] == words
    phone.presses("noted", first=f" {words[0].upper()},{words[1][:4]} ")
    assert say("Good. Your code is the only way back. Keep it where nobody looks.") in phone.words


def test_a_wrong_code_on_a_question_page_keeps_the_answers(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("code", code="abeja " * 7, age="A50P")
    assert phone.status == 422
    assert phone.form("next").values["age"] == ["A50P"]
    phone.presses("next", code="abeja")
    assert phone.status == 203, "the key Enter presses the first button; a wrong code does not stop her"


# ── when it does not go through ─────────────────────────────────────────────────────────────────────────────


def test_somebody_who_was_slowed_down_sends_again_with_one_button(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.CODES, 3)
    app = create_app(place.settings, place.clock)
    code = sends(told_to_the_check_page(app))
    phone = Phone(app)
    for _ in range(9):
        phone.opens("/es/volver")
        phone.sends("code", code=code)
        if phone.status != 203:
            break
    assert phone.status == 429
    assert code not in phone.text
    other = Phone(app, address="127.0.0.78")  # the same page in a quieter moment
    other.answer = phone.answer
    other.sends("again")
    assert other.status == 203
    assert TYPED in other.words


def test_a_failure_on_our_side_keeps_what_she_typed_and_the_way_out_still_counts(
    app: Flask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reporting.cases import store

    phone = told_to_the_check_page(app)
    with monkeypatch.context() as broken:
        broken.setattr(store, "file_report", lambda *_: 1 / 0)
        phone.presses("send")
    assert phone.status == 500
    assert TYPED not in phone.text
    kept, values = phone.form(holding="again"), phone.form(holding="trip").values
    phone.repeats("/es/contar", kept.values)
    assert len(phone.receipt()[0]) == 7
    assert place.cases() == 1
    phone.repeats("/salir", values)
    phone.repeats("/es/contar", kept.values)
    assert shows_only_the_start(phone, TYPED)


def test_what_was_packed_for_one_address_is_not_unpacked_at_another(app: Flask, place: Place) -> None:
    phone = told_to_the_check_page(app)
    phone.repeats("/es/contar", {"again": ["forged"], "t": ["forged"]})
    assert phone.status == 410
