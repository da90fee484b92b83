"""What somebody of the staff typed is there after her session ended, for her alone; nothing is done before she looks.

The law goes over every form of the desk: who fills it in signs in again, and reads in its box what she wrote.
"""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from referrals.pages.before_sending import SPOKEN
from referrals.pages.case_actions import ACTS
from reporting.storage.database import writing
from reporting.storage.models import MemberRow
from reporting.teams import members, staff_sessions
from reporting.vocabulary.questions import CONSENTS
from reporting.web.access.held import WAITS
from reporting.web.forms import HELD, HELD_UNWRITTEN
from tests.copies import Filling
from tests.pages.test_desk_pages import (
    MARK,
    TYPED_INTO,
    desks,
    filled,
    is_kept_nowhere,
    pages_of,
    presses,
    with_staff_and_a_report,
)
from tests.pages.test_people_and_keys import with_a_password_of_before
from tests.people import Place, Worker
from tests.phone import FormOnPage, Phone
from tests.trips import opens_newest_case, say, signs_in

AN_HOUR = 61  # minutes, after which what waits is gone
SECRET = {"password", "code", "first", "second", "old", "new"}  # typed, and never held


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_staff_and_a_report


def signs_in_here(place: Place, desk: Phone, worker: Worker) -> str:
    """On the sign-in page that is shown, whatever else it holds."""
    place.clock.on(minutes=1)
    digits = members.totp_code(worker.totp, place.clock())
    return desk.sends("password", name=worker.name, password=worker.password, code=digits)


def ends_her_session(place: Place, worker: Worker) -> None:
    with writing(place.engine) as db:
        staff_sessions.end_all(db, worker.id)


def typed_in(form: FormOnPage) -> set[str]:
    return {name for name, kind in form.kinds.items() if kind in TYPED_INTO - {"password"} and name not in SECRET}


# ── the law ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_typed_into_any_form_of_the_desk_is_there_after_signing_in_again(app: Flask, place: Place) -> None:
    everybody = desks(app, place)
    case = opens_newest_case(everybody["rosa"])
    seen = set[tuple[str, frozenset[str]]]()
    for name, desk in everybody.items():
        for path in pages_of(app, desk, case):
            for form in desk.forms:
                kind = (form.action, frozenset(typed_in(form)))
                if "f" not in form.kinds or not typed_in(form) or kind in seen:
                    continue
                seen.add(kind)
                button = next(iter(form.buttons), ("", ""))
                again = Phone(app, cookies=True, address="127.0.0.1")
                answer = presses(again, form.action, filled(form, button))  # its session is gone from this browser
                assert is_kept_nowhere(answer), (name, path)
                again.walks(answer.headers["Location"])
                assert say(WAITS) in again.words, (name, form.action)
                assert MARK not in again.text
                signs_in_here(place, again, place.workers[name])
                assert say(HELD) in again.words, (name, form.action, button, again.words[:300])
                shown = [text for form in again.forms for values in form.values.values() for text in values]
                count = sum(value.strip().startswith(MARK[:5]) for value in shown)
                assert count >= len(typed_in(form)), (name, path, form.action, button, typed_in(form))
    assert len(seen) > 15


# ── who, once, and how long ─────────────────────────────────────────────────────────────────────────────────


def presses_too_late(app: Flask, place: Place) -> Phone:
    """Rosa wrote a note for longer than a quarter of an hour."""
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    place.clock.on(minutes=17)
    desk.presses("note", text=MARK)
    assert say(WAITS) in desk.words
    return desk


def notes(desk: Phone, case: str) -> int:
    desk.opens(case)
    return desk.text.count('<article class="c-letter case-internal">')


def test_a_note_is_kept_once_and_only_when_she_has_looked(app: Flask, place: Place) -> None:
    desk = presses_too_late(app, place)
    assert desk.last is not None
    case = desk.last[0]
    signs_in_here(place, desk, place.workers["rosa"])
    assert desk.form("note").values["text"][0].strip() == MARK
    page = desk.path
    assert notes(desk, case) == 0
    desk.walks(page)
    desk.presses("note")
    assert notes(desk, case) == 1
    desk.repeats(*desk.last)
    assert notes(desk, case) == 1


@pytest.mark.parametrize("go", ["assign", "note", "close"])
def test_nobody_is_told_that_she_wrote_what_she_only_pressed(app: Flask, place: Place, go: str) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    place.clock.on(minutes=17)
    desk.presses(go)
    signs_in_here(place, desk, place.workers["rosa"])
    assert say(HELD_UNWRITTEN) in desk.words
    assert say(HELD) not in desk.words
    assert f'name="go" value="{go}"' in desk.text, "it can be sent from here"


def test_another_member_who_signs_in_there_gets_nothing_of_it(app: Flask, place: Place) -> None:
    desk = presses_too_late(app, place)
    waits = desk.form(holding="password").values["h"][0]
    signs_in_here(place, desk, place.workers["carmen"])
    assert MARK not in desk.text
    assert say(HELD) not in desk.words
    assert desk.path == "/es/equipo/personas"
    desk.opens("/es/equipo")
    assert "h" not in desk.form(holding="password").kinds
    assert waits not in desk.text


def test_what_is_sent_from_a_page_of_hers_while_a_colleague_is_signed_in_there_waits_for_her(
    app: Flask, place: Place
) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    form = desk.form("note")
    ends_her_session(place, place.workers["rosa"])
    desk.opens("/es/equipo")
    signs_in_here(place, desk, place.workers["carmen"])
    desk.repeats(form.action, form.values | {"text": [MARK], "go": ["note"]})
    assert desk.status < 500
    assert say(WAITS) in desk.words
    assert MARK not in desk.text
    signs_in_here(place, desk, place.workers["rosa"])
    assert say(HELD) in desk.words
    assert desk.form("note").values["text"][0].strip() == MARK


def test_what_waits_is_sealed_and_is_over_after_an_hour(app: Flask, place: Place) -> None:
    desk = presses_too_late(app, place)
    assert MARK not in desk.text
    place.clock.on(minutes=AN_HOUR)
    signs_in_here(place, desk, place.workers["rosa"])
    assert MARK not in desk.text
    assert desk.path == "/es/equipo/casos"


def test_a_wrong_password_loses_nothing(app: Flask, place: Place) -> None:
    desk = presses_too_late(app, place)
    desk.sends("password", name="rosa", password="no es esta", code="000000")
    assert desk.status == 422
    signs_in_here(place, desk, place.workers["rosa"])
    assert MARK in desk.words


def test_news_of_the_team_are_told_first_and_lead_on_to_what_she_wrote(app: Flask, place: Place) -> None:
    desk = presses_too_late(app, place)
    with writing(place.engine) as db:
        db.execute(update(MemberRow).where(MemberRow.name == "carmen").values(teams="1"))
    signs_in_here(place, desk, place.workers["rosa"])
    assert say("Something changed in your team") in desk.words
    assert MARK not in desk.text
    address = desk.text.split(say("Go on with what you wrote"))[0].rpartition('href="')[2].split('"')[0]
    assert MARK in desk.walks(address)
    assert say(HELD) in desk.words


WEAK, STRONG = "aaaaaaaaaaaaaaaa", "pizarra acequia remolino golondrina jarabe"
CHANGED_FIRST = "Nothing is lost: you see it as soon as the password is changed."


def test_who_must_change_her_password_first_gets_what_she_wrote_after_it(app: Flask, place: Place) -> None:
    desk = presses_too_late(app, place)
    with_a_password_of_before(place, "rosa", WEAK)
    signs_in_here(place, desk, place.workers["rosa"])
    assert say(CHANGED_FIRST) in desk.words
    assert MARK not in desk.text
    desk.presses("password", old="no es esta", new=STRONG)
    desk.presses("password", old=WEAK, new=WEAK)
    assert (desk.status, MARK in desk.text) == (422, False)
    desk.presses("password", old=WEAK, new=STRONG)
    assert say(HELD) in desk.words
    assert desk.form("note").values["text"][0].strip() == MARK
    desk.presses("note")
    assert desk.text.count(MARK) == 1


def test_who_waits_too_long_over_a_new_password_signs_in_again_and_loses_nothing(app: Flask, place: Place) -> None:
    desk = presses_too_late(app, place)
    with_a_password_of_before(place, "rosa", WEAK)
    signs_in_here(place, desk, place.workers["rosa"])
    ends_her_session(place, place.workers["rosa"])
    desk.presses("password", old=WEAK, new=STRONG)
    assert say(WAITS) in desk.words
    signs_in_here(place, desk, place.workers["rosa"])
    desk.presses("password", old=WEAK, new=STRONG)
    assert desk.form("note").values["text"][0].strip() == MARK


def test_what_waited_behind_a_new_password_is_shown_to_nobody_else(app: Flask, place: Place) -> None:
    desk = presses_too_late(app, place)
    with_a_password_of_before(place, "carmen", WEAK)
    signs_in_here(place, desk, place.workers["carmen"])
    assert "h" not in desk.form("password").kinds
    desk.presses("password", old=WEAK, new=STRONG)
    assert MARK not in desk.text


def test_a_form_of_an_older_session_is_shown_before_it_is_sent(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    case = opens_newest_case(desk)
    form = desk.form("note")
    ends_her_session(place, place.workers["rosa"])
    desk.opens("/es/equipo")
    signs_in_here(place, desk, place.workers["rosa"])
    desk.repeats(form.action, form.values | {"text": [MARK], "go": ["note"]})
    assert say(HELD) in desk.words
    assert desk.form("note").values["text"][0].strip() == MARK
    assert notes(desk, case) == 0


def test_a_forged_form_waits_for_nobody(app: Flask, place: Place) -> None:
    rosa, carmen = (signs_in(app, place, place.workers[name]) for name in ("rosa", "carmen"))
    case = opens_newest_case(rosa)
    word = rosa.form("note").values["f"][0]
    token, member, day, proof = word.split(".")
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://example.org"}
    typed = {"go": ["note"], "text": [MARK], "v": ["1"]}
    nobody = Phone(app, cookies=True)
    assert presses(nobody, case, typed | {"f": [word]}, headers=elsewhere).status_code == 403
    for forged in (
        "",
        token,
        f"{token}.{place.workers['carmen'].id}.{day}.{proof}",
        f"{'0' * 64}.{member}.{day}.{proof}",
    ):
        assert presses(nobody, case, typed | {"f": [forged]}).headers["Location"] == "/es/equipo"
    carmen.repeats(case, typed | {"f": ["0" * 64]})
    assert carmen.status == 404
    rosa.repeats(case, typed | {"f": ["0" * 64]})
    assert rosa.status == 403
    place.clock.on(days=2)
    assert presses(nobody, case, typed | {"f": [word]}).headers["Location"] == "/es/equipo"


def test_passwords_digits_and_sheets_are_never_held(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["carmen"])
    desk.opens("/es/equipo/personas")
    form = desk.form(holding="role")
    secret = {"password": ["una muy secreta"], "code": ["123456"], "first": ["aaa"], "second": ["bbb"]}
    again = Phone(app, cookies=True)
    again.repeats(form.action, form.values | secret | {"name": ["nueva"], "role": ["advocate"]})
    signs_in_here(place, again, place.workers["carmen"])
    shown = again.form(holding="role").values
    assert shown["name"] == ["nueva"]
    assert not any("secreta" in value or value == "123456" for values in shown.values() for value in values)


def test_what_is_told_by_telephone_goes_on_after_signing_in_again(app: Flask, place: Place) -> None:
    desk, before = signs_in(app, place, place.workers["rosa"]), place.cases()
    desk.opens("/es/equipo/voz")
    desk.presses("to-1")
    desk.presses("next", safety=["S_WEAPON"])
    while "narrative" not in desk.form("next").kinds:
        desk.presses("next")
    place.clock.on(minutes=17)
    desk.presses("next", narrative=MARK)
    signs_in_here(place, desk, place.workers["rosa"])
    assert say(HELD) in desk.words
    assert desk.form("next").values["narrative"][0].strip() == MARK
    desk.presses("next")
    place.clock.on(minutes=17)
    desk.presses("send")
    signs_in_here(place, desk, place.workers["rosa"])
    assert (MARK in desk.words, place.cases()) == (True, before)
    desk.presses("send")
    assert place.cases() == before + 1
    desk.repeats(*desk.last) if desk.last else None
    assert place.cases() == before + 1


# ── somebody else was there meanwhile ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("go", ["letter", "note", "close"])
def test_an_act_on_a_case_that_was_touched_says_who_and_what_before_it_is_sent(
    app: Flask, place: Place, go: str
) -> None:
    desk, other = (signs_in(app, place, place.workers["rosa"]) for _ in range(2))
    case = opens_newest_case(desk)
    other.opens(case)
    other.presses("note", text="ya la llamé")
    field = "reason" if go == "close" else "text"
    chosen = {"outcome": "RECORD_ONLY"} if go == "close" else {}
    desk.presses(go, **{field: MARK}, **chosen)
    assert desk.status == 409
    assert "rosa" in desk.words
    assert "ya la llamé" in desk.words
    assert desk.form(go).values[field][0].strip() == MARK
    assert desk.words.count(MARK) == 1
    before = notes(other, case)
    desk.presses(go)
    assert desk.status == 203
    assert MARK in other.opens(case)
    assert notes(other, case) == before + (go == "note")


@pytest.mark.parametrize(
    ("go", "typed", "says"),
    [
        ("label", {"labels": "hostal"}, "puso las etiquetas «hostal»"),
        ("label", {"labels": ""}, "quitó las etiquetas"),
        ("risk", {"text": "contesta él"}, "escribió un aviso «contesta él»"),
    ],
)
def test_a_touched_case_says_who_wrote_labels_or_a_warning(
    app: Flask, place: Place, go: str, typed: dict[str, str], says: str
) -> None:
    desk, other = (signs_in(app, place, place.workers["rosa"]) for _ in range(2))
    other.opens(opens_newest_case(desk))
    other.presses(go, **typed)
    desk.presses("note", text=MARK)
    assert desk.status == 409
    assert f"rosa: {says}" in desk.words


def test_a_touched_case_says_what_she_herself_allows_no_more(app: Flask, place: Place) -> None:
    desk, other = (signs_in(app, place, place.workers["rosa"]) for _ in range(2))
    other.opens(opens_newest_case(desk))
    typed = {"consent": ["C_LETTERS"], "text": ["me lo dijo"], "step": ["no"]}
    other.repeats(other.path, other.form(holding="consent").values | typed)
    desk.presses("note", text=MARK)
    assert desk.status == 409
    assert f"rosa: {say('allows it no more: %(what)s', what=say(CONSENTS['C_LETTERS']))}" in desk.words


def test_every_act_has_a_name_and_says_that_it_is_done() -> None:
    assert SPOKEN.keys() == ACTS.keys()


def test_a_look_of_a_colleague_is_in_nobodys_way(app: Flask, place: Place) -> None:
    desk, other = (signs_in(app, place, place.workers["rosa"]) for _ in range(2))
    case = opens_newest_case(desk)
    other.opens(case)
    desk.presses("note", text=MARK)
    assert desk.status == 203


def test_after_an_act_the_page_says_so_and_opens_where_the_work_is(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    form = desk.form("note")
    answer = presses(desk, form.action, form.values | {"text": [MARK], "go": ["note"]})
    assert answer.headers["Location"].endswith("#happened")
    page = desk.walks(answer.headers["Location"])
    assert f'role="status">{say("Your note is kept. Only the team sees it.")}' in page
    assert 'id="happened"' in page
