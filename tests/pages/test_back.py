"""Promises about Back inside a trip: it goes back, shows her newest answers, and to nobody else anything."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from flask import Flask

from reporting.sessions import page_rows
from reporting.sessions.page_rows import CannotKeep
from reporting.vocabulary.codes import VOCABULARY
from reporting.web.context import installation_of
from tests.people import Place
from tests.phone import PRESSED, WALKED, Phone
from tests.trips import begins, opens_newest_case, say, sends, signs_in, starts_telling, tells

TYPED = "palabra-marcada"
WAITED, SENT = "This page waited a long time", "It was sent already. You can come back with your code."


def told_to_the_check_page(app: Flask) -> tuple[Phone, list[str]]:
    """She tells; with the addresses that lie in her history."""
    phone = starts_telling(app)
    been = [phone.path]
    for _ in range(7):
        phone.presses("next", **({"narrative": TYPED} if "narrative" in phone.form("next").kinds else {}))
        been.append(phone.path)
    return phone, been


def is_start(phone: Phone) -> bool:
    return say("We are with you.") in phone.words and TYPED not in phone.text


def leaves(phone: Phone) -> None:
    phone.repeats("/salir", phone.form(holding="trip").values)


def rows_of(app: Flask) -> page_rows.PageRows:
    return installation_of(app).rows


def stored(app: Flask) -> list[tuple[Any, ...]]:
    shelf = rows_of(app).shelf
    assert shelf is not None
    with shelf.looking() as line:
        return [tuple(row) for row in line.execute("SELECT * FROM page_row").fetchall()]


# ── going back ──────────────────────────────────────────────────────────────────────────────────────────────


def test_back_forward_and_reload_show_the_page_with_her_newest_answers(app: Flask) -> None:
    phone = starts_telling(app)
    first = phone.path
    phone.presses("next", age="A25_34")
    second = phone.path
    phone.presses("next", region="PIURA")
    phone.walks(first)
    assert phone.form("next").values["age"] == ["A25_34"]
    phone.walks(second)
    assert phone.form("next").values["region"] == ["PIURA"]
    phone.walks(first)
    phone.presses("next", age="A50P")
    assert phone.path == second, "a step has one address"
    assert phone.form("next").values["region"] == ["PIURA"], "what came later is kept"


def test_an_answer_and_a_consent_taken_back_after_back_stay_taken_back(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    been = [phone.path]
    for _ in range(7):
        kinds = phone.form("next").kinds
        answers = {"violence": ["RAPE"], "consents": ["C_LETTERS", "C_STATS"]}
        phone.presses("next", **{name: told for name, told in answers.items() if name in kinds})
        been.append(phone.path)
    phone.walks(been[2])
    assert phone.form("next").values["violence"] == ["RAPE"]
    phone.presses("next", violence=["THREATS"])
    phone.walks(been[6])
    phone.presses("next", consents=None)
    sends(phone)
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    assert desk.facts()[say("What happened")] == [say(VOCABULARY["violence"]["THREATS"])]
    assert say("She can write to you here. Come back with your code to read it.") not in phone.words


def test_two_tabs_share_a_trip_and_the_last_word_on_each_page_wins(app: Flask) -> None:
    one = starts_telling(app)
    other = Phone(app)
    other.walks(one.path)
    one.presses("next", age="A25_34")
    one.presses("next", region="PIURA")
    other.presses("next", age="A50P")
    assert other.form("next").values["region"] == ["PIURA"]
    other.presses("back")
    assert other.form("next").values["age"] == ["A50P"]


def test_a_double_click_is_one_step(app: Flask, place: Place) -> None:
    phone, _ = told_to_the_check_page(app)
    last = phone.last
    assert last is not None
    phone.repeats(*last)
    assert TYPED in phone.words
    phone.presses("send")
    words = phone.receipt()
    again = phone.last
    assert again is not None
    phone.repeats(*again)
    assert phone.receipt() == words
    assert place.cases() == 1


def test_help_that_led_a_page_still_leads_it_after_back(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next", danger=["D_BLEEDING"])
    second = phone.path
    phone.presses("next")
    phone.walks(second)
    assert "tel:106" in phone.text


def test_wrong_input_is_answered_with_303_and_the_page_shows_the_error_and_the_text(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next")
    form = phone.form("next")
    sent = form.values | {"go": ["next"], "number": ["muchas"], "region": ["PIURA"]}
    answer = phone.client.post(form.action, data=sent, headers=PRESSED)
    assert (answer.status_code, answer.get_data()) == (303, b"")
    phone.walks(answer.headers["Location"])
    assert say("Write only a number, for example 5, or leave it empty.") in phone.words
    assert phone.form("next").values["number"] == ["muchas"]
    assert phone.form("next").values["region"] == ["PIURA"]


def test_what_is_too_large_is_said_on_a_page_and_nothing_is_lost(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next", age="A25_34")
    before = phone.path
    phone.repeats("/es/contar", phone.form("next").values | {"go": ["next"], "number": ["x" * 300_000]})
    assert phone.status == 413
    assert phone.path.startswith("/es/p/")
    phone.walks(before)
    phone.presses("back")
    assert phone.form("next").values["age"] == ["A25_34"]


# ── who may look ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "none", "Referer": "http://localhost/es/"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_only_whoever_walks_there_sees_a_page(app: Flask, told: dict[str, str]) -> None:
    phone, been = told_to_the_check_page(app)
    for address in been:
        stranger = Phone(app)
        stranger.answer = stranger.client.get(address, headers=told)
        assert is_start(stranger)
        phone.walks(address)
        assert not is_start(phone)


def test_webkit_sees_its_pages_again(app: Flask) -> None:
    phone = Phone(app)
    begun = phone.client.post("/es/contar", data={"go": "begin"}, headers=WALKED)  # it says no user pressed it
    address, back = begun.headers["Location"], {"Sec-Fetch-Site": "none", "Referer": "http://localhost/es/antes"}
    phone.answer = phone.client.get(address, headers=back)
    assert phone.form("next")
    for typed in ({"Sec-Fetch-Site": "none"}, back | {"Referer": "https://elsewhere.example/"}):
        phone.answer = phone.client.get(address, headers=typed)
        assert is_start(phone)


def test_a_browser_that_does_not_say_enough_gets_the_page_itself(app: Flask) -> None:
    answer = Phone(app).client.post("/es/contar", data={"go": "begin"})
    assert answer.status_code == 203
    assert b'value="next"' in answer.get_data()
    assert stored(app) == []


def test_an_address_makes_no_trip_and_two_that_begin_share_nothing(app: Flask) -> None:
    first, second = Phone(app), Phone(app)
    first.opens("/es/contar")
    assert not [form for form in first.forms if "t" in form.kinds]
    begins(first)
    begins(second)
    assert first.path != second.path
    first.presses("next", age="A50P")
    second.presses("next")
    second.presses("back")
    assert not second.form("next").values.get("age")


def test_unknown_cut_and_foreign_addresses_are_the_same_page_and_looking_writes_nothing(app: Flask) -> None:
    phone, been = told_to_the_check_page(app)
    _, lang, p, name, step = been[-1].split("/")
    other = starts_telling(app).path.split("/")[3]
    before, pages = stored(app), set()
    for wrong in (
        f"{page_rows.new_name()}/{step}",
        f"{name[:-1]}/{step}",
        f"{name}x/{step}",
        f"{other}/{step}",
        f"{name}/0",
        f"{name}/9",
        f"{name}/{step[:-1]}",
        f"{name}/ñ",
    ):
        phone.walks(f"/{lang}/{p}/{wrong}")
        assert is_start(phone), wrong
        pages.add((phone.status, phone.words))
    for address in been:
        phone.walks(address)
    assert len(pages) == 1
    assert stored(app) == before


def test_every_page_of_hers_has_the_one_title_and_none_is_kept_by_a_browser(app: Flask) -> None:
    phone, _ = told_to_the_check_page(app)
    looked = [phone.text]
    code = sends(phone)
    looked.append(phone.text)
    phone.presses("more")
    looked.append(phone.text)
    back = Phone(app)
    for door in ("/es/", "/es/volver", "/es/ayuda", "/es/contar"):
        back.opens(door)
        assert back.status == 203, door
        looked.append(back.text)
    back.opens("/es/volver")
    back.sends("code", code=code)
    for button in ("ask-more", "show", "proof", "show", "ask-reach", "show", "ask-erase"):
        looked.append(back.text)
        assert back.status == 203
        assert 'translate="no"' in back.text.split(">")[1]
        back.presses(button)
    assert {re.findall("<title>(.*?)</title>", page)[0] for page in looked} == {"Inicio"}
    assert all('rel="icon" href="data:,"' in page for page in looked)


# ── how long ────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_fifteen_minutes_an_address_shows_no_answer_and_the_draft_can_still_be_sent(
    app: Flask, place: Place
) -> None:
    phone, been = told_to_the_check_page(app)
    place.clock.on(minutes=14)
    phone.walks(been[0])
    assert phone.form("next"), "looking is allowed"
    place.clock.on(minutes=2)
    for address in been:
        phone.walks(address)
        assert say(WAITED) in phone.words, "and does not prolong it"
        assert TYPED not in phone.text
    sends(phone)
    assert place.cases() == 1
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    assert TYPED in desk.words


def test_after_two_hours_an_address_is_the_start_page(app: Flask, place: Place) -> None:
    phone, been = told_to_the_check_page(app)
    place.clock.on(hours=2, minutes=1)
    for address in been:
        phone.walks(address)
        assert is_start(phone)


def test_a_name_on_which_nothing_was_said_lives_fifteen_minutes(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    place.clock.on(minutes=16)
    phone.walks(phone.path)
    assert is_start(phone)


def test_after_sending_no_address_shows_an_answer_and_the_receipt_is_there_for_five_minutes(
    app: Flask, place: Place
) -> None:
    phone, been = told_to_the_check_page(app)
    sends(phone)
    words, receipt = phone.receipt()[0], phone.path
    place.clock.on(minutes=4)
    for address in been:
        phone.walks(address)
        assert say(SENT) in phone.words
        assert TYPED not in phone.text
    phone.walks(receipt)
    assert phone.receipt()[0] == words
    place.clock.on(minutes=2)
    phone.walks(receipt)
    assert say(SENT) in phone.words
    assert f"<span>{words[0]}</span>" not in phone.text
    assert place.cases() == 1


def test_after_it_was_noted_every_address_is_the_start_page(app: Flask) -> None:
    phone, been = told_to_the_check_page(app)
    sends(phone)
    receipt = phone.path
    phone.presses("noted")
    for address in (*been, receipt):
        phone.walks(address)
        assert is_start(phone)


def test_a_case_is_closed_after_fifteen_minutes_whatever_is_looked_at(app: Flask, place: Place) -> None:
    phone, _ = told_to_the_check_page(app)
    code = sends(phone)
    back = Phone(app)
    back.opens("/es/volver")
    back.sends("code", code=code)
    opened = back.path
    place.clock.on(minutes=14)
    back.walks(opened)
    assert TYPED in back.words
    place.clock.on(minutes=2)
    back.walks(opened)
    assert is_start(back)


# ── the exit ────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_the_exit_every_address_is_the_start_page_and_no_row_is_left(app: Flask) -> None:
    phone, been = told_to_the_check_page(app)
    sends(phone)
    been.append(phone.path)
    leaves(phone)
    assert stored(app) == []
    for address in been:
        phone.walks(address)
        assert is_start(phone)


def test_an_exit_between_two_looks_of_a_step_leaves_no_row(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    phone, _ = told_to_the_check_page(app)
    trip, rows = phone.form(holding="trip").values, rows_of(app)
    write = rows.write

    def she_leaves_first(*told: Any, **more: Any) -> None:
        monkeypatch.setattr(rows, "write", write)
        Phone(app).repeats("/salir", trip)  # in another tab, after this step has looked
        write(*told, **more)

    monkeypatch.setattr(rows, "write", she_leaves_first)
    phone.presses("back")
    assert is_start(phone)
    assert stored(app) == []


def test_two_trips_in_one_window_and_the_exit_shows_neither(app: Flask) -> None:
    """Ana tells, goes to the start; Bea tells in the same window, and leaves."""
    phone, anas = told_to_the_check_page(app)
    assert '<a class="c-site"' not in phone.text, "no plain link leads out of a trip"
    phone.presses("start")
    assert is_start(phone)
    begins(phone)
    phone.presses("next", age="A50P")
    leaves(phone)
    for address in anas:
        phone.walks(address)
        assert is_start(phone)


def test_a_workshop_of_five_on_one_phone_sees_nothing_of_each_other(app: Flask, place: Place) -> None:
    phone, been = Phone(app), []
    for number in range(5):
        begins(phone)
        words = f"{TYPED}-{number}"
        tells(phone, lambda form, words=words: {"narrative": words} if "narrative" in form.kinds else {})
        been.append(phone.path)
        sends(phone)
        been.append(phone.path)
        phone.presses("start")
        for address in been:
            phone.walks(address)
            assert is_start(phone)
    assert place.cases() == 5


# ── when a row is not there ─────────────────────────────────────────────────────────────────────────────────


def unwritable(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_told: Any, **_more: Any) -> None:
        raise CannotKeep

    monkeypatch.setattr(rows_of(app), "write", fails)


def test_a_fall_back_in_the_middle_of_a_trip_loses_no_step(app: Flask) -> None:
    phone = starts_telling(app)
    with pytest.MonkeyPatch.context() as patch:
        phone.presses("next", age="A25_34")
        unwritable(app, patch)
        phone.presses("next", region="PIURA")
        assert phone.path == "/es/contar", "the page itself is the answer"
        assert phone.status == 203
    phone.presses("back")
    assert phone.path.startswith("/es/p/")
    assert phone.form("next").values["region"] == ["PIURA"]
    phone.presses("back")
    assert phone.form("next").values["age"] == ["A25_34"]


def test_a_lost_row_is_never_a_lost_report(app: Flask, place: Place) -> None:
    phone, been = told_to_the_check_page(app)
    rows_of(app).forget_all()
    phone.presses("back")
    assert TYPED in phone.text
    phone.presses("check")
    sends(phone)
    assert place.cases() == 1
    phone.walks(been[0])
    assert is_start(phone)


def test_a_draft_that_a_former_version_handed_out_goes_on(app: Flask, place: Place) -> None:
    from reporting.sessions import day_seeds, tickets
    from reporting.storage.database import reading

    with reading(place.engine) as db:
        known = day_seeds.seeds(db)
    state = {"a": {"age": "A25_34"}, "r": None, "n": [], "b": int(place.clock())}
    trip, secret = tickets.new_trip(), place.settings.server_secret
    ticket = tickets.write_ticket(known, secret, "draft", trip, "1", state, place.clock())
    phone = Phone(app)
    phone.repeats("/es/contar", {"t": [ticket], "go": ["back"], "region": ["PIURA"]})
    assert phone.path.startswith("/es/p/")
    assert phone.form("next").values["age"] == ["A25_34"]
    phone.presses("next")
    assert phone.form("next").values["region"] == ["PIURA"]
    phone.presses("check")
    sends(phone)


def test_a_name_stands_in_no_log(app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    from reporting.pages import draft

    caplog.set_level(logging.DEBUG)
    phone, been = told_to_the_check_page(app)
    with monkeypatch.context() as broken:
        broken.setattr(draft, "_check_page", lambda *_: 1 / 0)
        phone.walks(been[-1])
        assert phone.status == 500
    name = been[0].split("/")[3]
    assert "ZeroDivisionError" in caplog.text
    assert name not in caplog.text
    assert TYPED not in caplog.text
