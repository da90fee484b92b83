"""Whole trips, with the real parts: she tells, the team reads, letters go both ways, everything can be erased."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from sqlalchemy import select

from referrals.directory import snapshot
from referrals.directory.importing import shipped
from referrals.help.answers import help_for, names
from referrals.help.cards import cards_of
from referrals.help.texts import child_policy
from referrals.matching.offers import NEVER_REPLACED
from referrals.needs.assessment import assess
from referrals.needs.exclusions import forbidden
from reporting.app import create_app
from reporting.pages.start import OVER
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow, LogRow
from reporting.teams import members
from reporting.teams.accounts import Invitation
from reporting.teams.team_log import CASE_WORKER
from reporting.vocabulary import questions, wording
from reporting.vocabulary.answers import incident_of, that_matter
from reporting.vocabulary.incident import Incident
from tests.copies import Filling, with_coordinator
from tests.people import Place, a_new_place
from tests.phone import Phone
from tests.trips import (
    UNSIGNED,
    at_random,
    from_vignette,
    in_her_words,
    opens_invitation,
    opens_newest_case,
    passing_over_everything,
    say,
    sends,
    signs_in,
    starts_telling,
    tells,
)

SHIPPED = Path(__file__).resolve().parent.parent.parent / "referrals" / "data"
VIGNETTES = yaml.safe_load((SHIPPED / "vignettes.yaml").read_text(encoding="utf-8"))["vignettes"]


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_coordinator


# ── she tells, the team reads ───────────────────────────────────────────────────────────────────────────────


def shown_facts(entered: dict[str, Any]) -> dict[str, list[str]]:
    """What a case worker should read, worked out from what was entered on the pages."""
    answers = {name: value for name, value in entered.items() if value not in ("", [], questions.PASSED_OVER)}
    incident = incident_of(that_matter(answers))
    return {name: list(words) for name, words in wording.facts_of(incident, NAMES, say)}


NAMES: dict[str, str] = {}
EACH = int(os.environ.get("AMPARO_TOLD", "8"))  # tellings that are drawn, in each group


@pytest.mark.parametrize("vignette", VIGNETTES, ids=lambda vignette: vignette["id"])
def test_a_vignette_told_on_the_pages_is_read_as_it_was_told(
    app: Flask, place: Place, vignette: dict[str, Any]
) -> None:
    check_one_report(app, place, from_vignette(vignette["answers"], vignette["story_es"]), vignette)


@pytest.mark.parametrize("group", range(10))
def test_whatever_is_told_or_passed_over_is_read_as_it_was_told(app: Flask, place: Place, group: int) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    for seed in range(EACH):
        check_one_report(app, place, at_random(group * 1000 + seed), desk=desk)


def check_one_report(
    app: Flask, place: Place, fill: Any, vignette: dict[str, Any] | None = None, desk: Phone | None = None
) -> None:
    NAMES.update(names(snapshot.snapshot_of(lambda: reading(place.engine))))
    phone = starts_telling(app)
    entered = tells(phone, fill)
    code = sends(phone)
    assert phone.cookies_set == []
    soonest = phone.words
    phone.presses("more")
    every_door = phone.words
    desk = desk or signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    facts = desk.facts()
    expected = shown_facts(entered)
    assert {name: facts.get(name) for name in expected} == expected
    if entered.get("narrative"):
        assert " ".join(entered["narrative"].split()) in desk.words
    incident = incident_of(that_matter({k: v for k, v in entered.items() if v not in ("", [], "-")}))
    check_offers(place, soonest, every_door, incident)
    phone.opens("/es/volver")
    phone.sends("code", code=code)
    assert phone.status == 203, phone.words[:300]
    assert {name: phone.facts().get(name) for name in expected} == expected
    assert phone.cookies_set == []
    if vignette is not None:
        assert {need["need"] for need in vignette["expected"]["needs"]} <= {
            need.code for need in assess(incident).needs
        }


def check_offers(place: Place, soonest: str, every_door: str, incident: Incident) -> None:
    """No need without an offer or the honest sentence; the first cards at once; nothing that a must-not hides."""
    shelf = snapshot.snapshot_of(lambda: reading(place.engine))
    found = help_for(shelf, incident, place.clock(), languages=("es",))
    assert [one.need.code for one in found.needs] == [need.code for need in assess(incident).needs]
    assert all(" ".join(card.offer.name.split()) in soonest for card in cards_of(found).today)
    for one in found.needs:
        assert one.offers or one.need.code in NEVER_REPLACED, one.need.code
        assert one.words["es"] in soonest
        for offer in one.offers:
            service = shelf.service(offer.service_id)
            assert forbidden(service, assess(incident).must_not, incident) is None, (
                one.need.code,
                service,
            )
            assert " ".join(offer.name.split()) in every_door


def test_nothing_has_to_be_answered(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    sends(phone)
    assert place.cases() == 1


# ── help comes first ────────────────────────────────────────────────────────────────────────────────────────


def test_danger_brings_help_before_the_next_question(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next", danger=["D_BLEEDING"])
    assert phone.words.index(in_her_words("N_EMERG_MED")) < phone.words.index(say("When was the last time?"))
    assert "tel:106" in phone.text


@pytest.mark.parametrize("age", ["U14", "A14_17"])
def test_a_child_is_told_the_limits_of_secrecy_before_she_writes(app: Flask, age: str) -> None:
    phone = starts_telling(app)
    phone.presses("next", age=age)
    policy = child_policy("es")
    assert not policy.signed
    assert all(
        " ".join(sentence.split()) in phone.words for sentence in (policy.title, *policy.paragraphs, say(UNSIGNED))
    )
    assert "tel:1810" in phone.text


@pytest.mark.parametrize("age", ["A14_17", "A25_34"])
def test_what_is_promised_about_authorities_fits_her_age(app: Flask, age: str) -> None:
    phone = starts_telling(app)
    phone.presses("next", age=age)
    phone.presses("check")
    for promise in (
        "Nothing goes to any authority unless you say yes.",
        "Nothing is sent to anybody else without your yes.",
    ):
        assert (say("If somebody else had to know, the team tells you first.") in phone.words) is (age == "A14_17")
        assert (say(promise) in phone.words) is (age != "A14_17")
        if any(("go", "send") in form.buttons for form in phone.forms):
            phone.presses("send")


def test_a_medicine_with_a_window_is_shown_before_the_next_question(app: Flask) -> None:
    phone = starts_telling(app)
    answers = {"when": "H24", "violence": ["RAPE"], "condom": "no", "pregnant_possible": "yes"}
    for _ in range(3):
        phone.presses("next", **{name: answers[name] for name in answers if name in phone.form("next").kinds})
    page = phone.words[: phone.words.index(say("Page %(number)s", number=4))]
    assert in_her_words("N_PEP") in page
    assert in_her_words("N_EC") in page


def test_places_of_the_police_come_with_one_button_on_the_way_and_stay(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next", safety=["S_PERP_NEAR"])
    assert "tel:105" not in phone.text
    phone.presses("police", region="PIURA")
    assert "tel:105" in phone.text
    assert phone.form("next").values["region"] == ["PIURA"]
    phone.presses("check")
    phone.presses("send")
    phone.presses("more")
    assert "tel:105" in phone.text


def test_who_wants_only_a_record_is_told_that_nothing_else_is_needed(app: Flask) -> None:
    phone = starts_telling(app)
    tells(phone, at_random_with(wants=["W_RECORD_ONLY"], perpetrator=["POLICE"]))
    sends(phone)
    assert "No tienes que hacer nada más" in phone.words
    assert "<details open>" not in phone.text


def test_letters_can_be_allowed_beside_the_button_that_sends(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next")
    phone.presses("check")
    phone.presses("send", letters=["y"])
    assert say("She can write to you here. Come back with your code to read it.") in phone.words
    phone.presses("noted", first="abeja abeja")
    assert say("She can write to you here. Come back with your code to read it.") in phone.words
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    desk.presses("letter", text="Te leímos.")
    assert "Te leímos." in desk.words


def test_her_paper_can_be_tested_by_its_numbers_or_its_words(app: Flask) -> None:
    for right in (0, 1):
        phone = starts_telling(app)
        tells(phone, passing_over_everything)
        sends(phone)
        begins = " ".join(phone.receipt()[right][:2])
        phone.presses("noted", first=begins[::-1])
        assert say("The code does not begin like that. Look at your paper once more.") in phone.words
        phone.presses("noted", first=begins)
        assert say("Good. Your code is the only way back. Keep it where nobody looks.") in phone.words


def test_who_allowed_no_letters_is_told_before_she_writes_one(app: Flask) -> None:
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    back = comes_back(app, sends(phone))
    assert "no puede responderte aquí" in back.words


def test_help_without_a_report_stores_nothing(app: Flask, place: Place) -> None:
    phone = Phone(app)
    phone.opens("/es/ayuda")
    phone.sends("needs", region="PE20", needs=["N_PEP"])
    assert phone.status == 203
    assert "PEP" in phone.words
    assert place.cases() == 0
    assert phone.cookies_set == []


def test_police_numbers_are_shown_only_when_asked_for(app: Flask) -> None:
    for shown in (False, True):
        phone = Phone(app)
        phone.opens("/es/ayuda")
        phone.sends("needs", needs=["N_REPORT_ROUTE"], police_shown=["y"] if shown else None)
        assert ("tel:105" in phone.text or "tel:1818" in phone.text) is shown


# ── answers are kept, mistakes get a sentence ───────────────────────────────────────────────────────────────


def test_going_back_and_forth_loses_nothing(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next", age="A25_34", safety=["S_WEAPON"])
    phone.presses("back", region="PIURA")
    assert phone.form("next").values["age"] == ["A25_34"]
    phone.presses("next")
    assert phone.form("next").values["region"] == ["PIURA"]


@pytest.mark.parametrize("number", ["0", "5"])
def test_what_one_person_answered_is_never_on_the_page_of_another(app: Flask, number: str) -> None:
    hers = starts_telling(app)
    hers.presses("next")
    hers.presses("back", number=number, venue="STREET", region="PIURA")
    hers.presses("next")
    theirs = starts_telling(app)
    theirs.presses("next")
    assert hers.form("next").values["number"] == [number]
    assert theirs.form("next").values["number"] == [""]
    assert not {"venue", "region"} & {name for name, told in theirs.form("next").values.items() if any(told)}


def test_a_wrong_number_gets_a_sentence_and_the_rest_is_kept(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next")
    phone.presses("next", number="muchas", region="PIURA")
    assert phone.status == 422
    assert say("Write only a number, for example 5, or leave it empty.") in phone.words
    assert phone.form("next").values["region"] == ["PIURA"]


def test_the_check_page_leads_back_to_one_answer_and_returns(app: Flask) -> None:
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    phone.presses("to-1")
    phone.presses("check", region="JUNIN")
    phone.form("send")
    assert "Junín" in phone.words


def test_an_answer_that_no_longer_matters_is_not_sent(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    tells(phone, at_random_with(violence=["RAPE"], condom="no"))
    phone.presses("to-2")
    phone.presses("check", violence=["THREATS"])
    assert say("Condom") not in phone.words
    sends(phone)


def at_random_with(**chosen: Any) -> Any:
    return lambda form: {name: value for name, value in chosen.items() if name in form.kinds}


def test_the_language_can_be_changed_in_the_middle(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next", age="A25_34")
    phone.presses("lang-en", region="PIURA")
    assert "Which region are you in?" in phone.words
    assert phone.form("next").values["region"] == ["PIURA"]
    phone.presses("next")
    assert "What happened?" in phone.words


# ── sending once ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def sent(app: Flask) -> Phone:
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    sends(phone)
    return phone


def again(phone: Phone) -> str:
    assert phone.last is not None
    return phone.repeats(*phone.last)


def test_the_same_last_request_shows_the_same_words_and_makes_one_case(sent: Phone, place: Place) -> None:
    words = sent.receipt()
    again(sent)
    assert sent.receipt() == words
    assert place.cases() == 1


def test_after_sixteen_minutes_the_words_are_not_shown_again(sent: Phone, place: Place) -> None:
    words, _ = sent.receipt()
    place.clock.on(minutes=16)
    again(sent)
    assert " ".join(words) not in sent.words
    assert "Ya se envió" in sent.words
    assert place.cases() == 1


def test_after_i_have_written_it_down_the_words_are_not_shown_again(sent: Phone, place: Place) -> None:
    (words, _), last = sent.receipt(), sent.last
    sent.presses("noted")
    assert last is not None
    sent.repeats(*last)
    assert words[0] not in sent.words or words[1] not in sent.words
    assert "Ya se envió" in sent.words


def test_after_she_came_back_once_the_words_are_not_shown_again(sent: Phone, app: Flask) -> None:
    (words, _), last = sent.receipt(), sent.last
    comes_back(app, " ".join(words))
    assert last is not None
    sent.repeats(*last)
    assert "Ya se envió" in sent.words


def test_after_erasing_a_repeated_request_revives_nothing(sent: Phone, app: Flask, place: Place) -> None:
    (words, _), last = sent.receipt(), sent.last
    back = comes_back(app, " ".join(words))
    back.presses("ask-erase")
    back.presses("erase")
    assert place.cases() == 0
    assert last is not None
    sent.repeats(*last)
    assert place.cases() == 0


def test_after_leaving_a_repeated_request_shows_only_the_start(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next", safety=["S_WEAPON"])
    last = phone.last
    trip = phone.form(holding="trip").values["trip"]
    phone.repeats("/salir", {"trip": trip})
    assert phone.answer is not None
    assert phone.answer.headers["Refresh"] == "0;url=/fuera"
    assert last is not None
    phone.repeats(*last)
    assert "S_WEAPON" not in phone.text
    assert say("We are with you.") in phone.words


def test_a_draft_is_not_shown_after_two_hours_but_can_still_be_sent(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next", age="A50P")
    last = phone.last
    place.clock.on(hours=3)
    assert last is not None
    phone.presses("next", venue="HOTEL")
    assert "HOTEL" not in phone.text
    sends(phone)
    assert place.cases() == 1


def test_a_ticket_of_three_days_ago_opens_nothing(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next", age="A50P")
    place.clock.on(days=3.1)
    phone.presses("next")
    assert phone.status == 410
    assert place.cases() == 0


# ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────


def comes_back(app: Flask, code: str) -> Phone:
    phone = Phone(app)
    phone.opens("/es/")
    phone.sends("code", code=code)
    return phone


def test_letters_go_both_ways_behind_the_code(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    tells(phone, at_random_with(consents=["C_LETTERS"]))
    code = sends(phone)
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    desk.presses("letter", text="Te leímos. Puedes ir hoy.")
    back = comes_back(app, code)
    assert "Te leímos. Puedes ir hoy." in back.words
    back.presses("write", text="Gracias, ya fui.")
    again(back)
    opens_newest_case(desk)
    assert say("What was written: %(num)s", num=2) in desk.words, "a letter sent twice is kept once"


def test_a_visit_closes_after_fifteen_minutes(app: Flask, place: Place, sent: Phone) -> None:
    back = comes_back(app, " ".join(sent.receipt()[0]))
    place.clock.on(minutes=16)
    back.presses("write", text="hola")
    assert back.status == 410
    assert say(OVER) in back.words


def test_a_wrong_an_erased_and_an_unreadable_code_look_the_same(app: Flask, sent: Phone) -> None:
    code = " ".join(sent.receipt()[0])
    back = comes_back(app, code)
    back.presses("ask-erase")
    back.presses("erase")
    pages = [comes_back(app, typed) for typed in (code, "ábaco " * 7, "0001 " * 7, "9999 " * 7)]
    assert {phone.status for phone in pages} == {422}
    assert len({phone.words for phone in pages}) == 1


def test_a_typo_in_the_code_is_answered_with_the_nearest_word(app: Flask) -> None:
    assert "abierto" in comes_back(app, "avierto " + "ábaco " * 6).words


# ── doors that are closed ───────────────────────────────────────────────────────────────────────────────────


def test_before_the_keys_are_made_the_doors_say_that_they_are_not_open(tmp_path: Path) -> None:
    made = a_new_place(tmp_path / "new")
    with writing(made.engine) as db:
        shipped.load_shipped(db)
    phone = Phone(create_app(made.settings, made.clock))
    for address in ("/es/", "/es/contar"):
        phone.opens(address)
        assert say("This page is not open yet.") in phone.words
    assert "tel:100" in phone.text


def test_a_changed_team_key_closes_the_reporter_doors_with_a_sentence(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    with writing(place.engine) as db:
        entry = db.scalars(select(LogRow)).first()
        assert entry is not None
        entry.body = entry.body.replace(b'"epoch": 1', b'"epoch": 2')
    phone.presses("send")
    assert phone.status == 503
    assert say("This page is not open yet.") in phone.words
    assert place.cases() == 0


# ── the first case worker ───────────────────────────────────────────────────────────────────────────────────


def test_the_first_case_worker_makes_the_keys_in_her_browser(tmp_path: Path) -> None:
    from reporting.teams import accounts

    made = a_new_place(tmp_path / "new")
    with writing(made.engine) as db:
        shipped.load_shipped(db)
        token = accounts.invite(
            db, members.nobody_yet(db), Invitation("rosa", (CASE_WORKER,)), made.settings.pepper, made.clock()
        )
    app = create_app(made.settings, made.clock)
    desk = Phone(app, cookies=True)
    opens_invitation(desk, token)
    password, totp = shown_secrets(desk)
    code = members.totp_code(totp, made.clock())
    desk.sends("password", password=password, code=code)
    assert desk.status == 422, "the sheets must be written first"
    desk.sends("password", password=password, code=code, written=["y"])
    made.clock.on(minutes=1)
    desk.sends("password", name="rosa", password=password, code=members.totp_code(totp, made.clock()))
    assert say("There are no cases here.") in desk.words
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    sends(phone)
    opens_newest_case(desk)
    opens_invitation(desk, token)
    assert desk.status == 404, "an invitation opens once"


def shown_secrets(desk: Phone) -> tuple[str, bytes]:

    blocks = desk.text.split('<div class="c-code"')[1:]
    password = blocks[0].split('<p class="c-words">')[1].split("<")[0].strip()
    letters = "".join(piece.split("</span>")[0] for piece in blocks[1].split("<span>")[1:])
    return password, members.totp_bytes(letters)


def test_after_the_queue_was_seen_new_case_keys_lie_in_the_vault(app: Flask, place: Place, sent: Phone) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/casos")
    with reading(place.engine) as db:
        front, vault = db.execute(select(CaseRow.front_key, CaseRow.vault_key)).one()
    assert vault
    assert not front
    opens_newest_case(desk)


def test_a_coordinator_finds_no_case_anywhere(app: Flask, place: Place, sent: Phone) -> None:
    desk = signs_in(app, place, place.workers["carmen"])
    with reading(place.engine) as db:
        case = db.scalars(select(CaseRow.id)).one()
    for address in ("/es/equipo/casos", f"/es/equipo/caso/{case}", "/es/equipo/registro"):
        desk.opens(address)
        assert desk.status == 404


@pytest.mark.parametrize(
    ("part", "wrong"), [("name", "nadie"), ("password", "otra contraseña larga"), ("code", "000000")]
)
def test_whatever_is_wrong_at_sign_in_looks_the_same(app: Flask, place: Place, part: str, wrong: str) -> None:
    from reporting.pages.staff import sign_in

    worker = place.workers["rosa"]
    desk = Phone(app, cookies=True)
    desk.opens("/es/equipo")
    right = {
        "name": "rosa",
        "password": worker.password,
        "code": members.totp_code(worker.totp, place.clock()),
    }
    desk.sends("password", **(right | {part: wrong}))
    assert desk.status == 422
    assert say(sign_in.NO) in desk.words
    assert not desk.cookies_set


def test_a_session_ends_after_fifteen_idle_minutes(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    place.clock.on(minutes=14)
    desk.opens("/es/equipo/casos")
    assert say("Cases") in desk.words
    place.clock.on(minutes=16)
    desk.opens("/es/equipo/casos")
    assert say("Sign in") in desk.words


def test_a_forged_staff_form_is_refused(app: Flask, place: Place, sent: Phone) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    link = opens_newest_case(desk)
    desk.repeats(link, {"text": ["hola"], "f": ["forged"]})
    assert desk.status == 403


def test_a_form_from_another_site_is_refused(app: Flask) -> None:
    phone = Phone(app)
    answer = phone.client.post("/es/volver", data={"code": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    answer = phone.client.post("/es/volver", data={"code": "x"}, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403


def test_every_answer_is_kept_by_nobody(app: Flask, sent: Phone) -> None:
    phone = Phone(app)
    for address in (
        "/es/",
        "/en/",
        "/es/contar",
        "/es/ahora",
        "/es/ayuda",
        "/es/volver",
        "/salir",
        "/nothing",
    ):
        answer = phone.client.get(address)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Set-Cookie" not in answer.headers
    assert set(itertools.chain(sent.cookies_set, phone.cookies_set)) == set()
