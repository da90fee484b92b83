"""Nothing typed at the desk stays in a browser: a POST is answered with 303, and what its page says lies in a row.

What is typed here are markers; who presses is each of the staff, and somebody at the door.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from reporting.app import create_app
from reporting.sessions.page_rows import CannotKeep, PageRows
from reporting.storage.database import writing
from reporting.teams import accounts, members
from reporting.teams.accounts import Invitation
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR
from reporting.web import limits
from reporting.web.requests import HEADERS
from tests.copies import Filling
from tests.hostile import endpoint_of
from tests.pages.test_people_and_keys import an_address
from tests.people import Place
from tests.phone import PRESSED, FormOnPage, Phone
from tests.trips import opens_invitation, opens_newest_case, proves, signs_in

MARK, WORD = "zarzamora 4417 ñandú", "zarzamora"
DESK = {"casework", "assisted_report", "letters", "staff", "auth", "directory", "figures", "desk_answers"}
HERS = {"directory.flag"}  # pressed on a page of a reporter; the answer has no page
# what is not offered before somebody else did something; of the door other tests below
NEEDS_MORE = {
    "auth.accept",
    "directory.second",
    "directory.sign",
    "auth.sign_out",
    "staff.vouch",
    "casework.enter_restore",
    "figures.publish",
}
TYPED_INTO = {"text", "textarea", "password"}


def with_staff_and_a_report(place: Place) -> None:
    place.hires("carmen", COORDINATOR)
    place.hires("ana", ADVOCATE)
    place.receives(narrative="lo que cuenta", contact={"channel": "call", "number": "999"})
    with writing(place.engine) as db:
        invited = Invitation("zarela", (ADVOCATE,))
        accounts.invite(db, place.actor(db, "carmen"), invited, place.settings.pepper, place.clock())


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_staff_and_a_report


def presses(desk: Phone, path: str, fields: dict[str, list[str]], **marks: dict[str, str]) -> TestResponse:
    """The answer to the POST itself, not the page it leads to."""
    return desk.client.post(path, data=fields, headers=marks.get("headers", PRESSED), buffered=True)


def posts(app: Flask) -> Iterator[tuple[str, str]]:
    """Endpoint and address of everything that can be posted at the desk."""
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule.endpoint.split(".")[0] in DESK and rule.endpoint not in HERS:
            yield rule.endpoint, an_address(rule.rule, 1).replace("<token>", "0" * 32)


def desks(app: Flask, place: Place) -> dict[str, Phone]:
    """Everybody who works here, signed in."""
    return {name: signs_in(app, place, worker) for name, worker in place.workers.items()}


def pages_of(app: Flask, desk: Phone, case: str) -> Iterator[str]:
    """Every page of the desk that somebody can open without having typed anything."""
    more = [
        case,
        f"{case}/respuestas/0",
        f"{case}/respuestas/4",
        f"{case}/planes/seguridad",
        f"{case}/planes/caso",
        f"{case}/peligro",
        "/es/equipo/directorio/servicio/cem-regular-pucallpa-25",
        "/es/equipo/directorio/llamadas/PE25/cem-regular-pucallpa-25",
        "/es/equipo/cifras/preparar?period=2025",
    ]
    plain = [
        rule.rule.replace("<lang>", "es")
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.arguments == {"lang"} and "/equipo" in rule.rule
    ]
    for path in (*plain, *more):
        desk.opens(path)
        if "/equipo" in desk.path and desk.answer is not None and desk.answer.mimetype == "text/html":
            yield path


def filled(form: FormOnPage, button: tuple[str, str]) -> dict[str, list[str]]:
    """A form as somebody sends it who types the marker wherever something can be typed."""
    typed = {name: [MARK] for name, kind in form.kinds.items() if kind in TYPED_INTO}
    chosen = {name: offered[-1:] for name, offered in form.offered.items() if name not in form.values}
    return form.values | chosen | typed | ({button[0]: [button[1]]} if button[0] else {})


def is_kept_nowhere(answer: TestResponse) -> bool:
    """Whether a browser leaves the request out of its history, and is led to no address that tells what was typed."""
    return answer.status_code == 303 and MARK not in answer.text and WORD not in answer.headers["Location"]


# ── the law ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_whatever_is_posted_at_the_desk_lies_under_its_address(app: Flask) -> None:
    assert all(path.startswith("/es/equipo") for _, path in posts(app))
    assert len(list(posts(app))) > 15


def test_nonsense_posted_to_any_address_of_the_desk_is_answered_with_303(app: Flask, place: Place) -> None:
    everybody = desks(app, place) | {"nobody": Phone(app, cookies=True)}
    for name, desk in everybody.items():
        cookie = desk.client.get_cookie("t")
        for endpoint, path in posts(app):
            if endpoint == "auth.sign_out":
                continue
            for fields in ({}, {"f": [MARK], "go": [MARK], "t": [MARK], "text": [MARK], "words": [MARK]}):
                answer = presses(desk, path, fields)
                assert is_kept_nowhere(answer), (name, endpoint, answer.status_code)
        assert desk.client.get_cookie("t") == cookie or name == "nobody"


def test_every_form_of_the_desk_sent_by_those_who_see_it_is_answered_with_303(app: Flask, place: Place) -> None:
    everybody = desks(app, place)
    case = opens_newest_case(everybody["rosa"])
    seen = set[tuple[str, str, str]]()
    for name, desk in everybody.items():
        for path in list(pages_of(app, desk, case)):
            desk.opens(path)
            for form in desk.forms:
                for button in form.buttons or [("", "")]:
                    kind = (form.action, *button)
                    if form.method != "post" or "salir" in form.action or kind in seen or button == ("go", "end"):
                        continue
                    seen.add(kind)
                    answer = presses(desk, form.action, filled(form, button))
                    assert is_kept_nowhere(answer), (name, path, button, answer.status_code)
                    shown = desk.walks(answer.headers["Location"])
                    assert desk.status != 200, (path, button)
                    assert shown
    pressed = {endpoint_of(app, action, "POST") for action, _, _ in seen}
    assert {endpoint for endpoint, _ in posts(app)} - pressed == NEEDS_MORE, "nobody presses it"


def test_no_page_of_the_desk_is_one_that_a_browser_keeps(app: Flask, place: Place) -> None:
    everybody = desks(app, place)
    case = opens_newest_case(everybody["rosa"])
    for desk in everybody.values():
        for path in pages_of(app, desk, case):
            assert desk.status != 200, path
            assert desk.answer is not None
            assert desk.answer.headers["Cache-Control"] == HEADERS["Cache-Control"] == "no-store", path


def test_no_form_of_the_desk_lets_a_browser_remember_what_is_typed(app: Flask, place: Place) -> None:
    everybody = desks(app, place)
    case = opens_newest_case(everybody["rosa"])
    for desk in everybody.values():
        for path in pages_of(app, desk, case):
            for opened in desk.text.split("<form ")[1:]:
                assert 'autocomplete="off"' in opened.split(">")[0], (path, opened[:80])
            for form in desk.forms:
                assert form.action, (path, "a page with a random name is no address to post to")
                if form.method != "post":
                    assert not TYPED_INTO & set(form.kinds.values()), (path, "typed words would stand in an address")


def test_what_is_too_large_or_fails_is_told_by_a_page_of_its_own(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    case = opens_newest_case(desk)
    large = presses(desk, case, {"text": [MARK * 20_000]})
    assert is_kept_nowhere(large)
    desk.walks(large.headers["Location"])
    assert desk.status == 413
    assert is_kept_nowhere(presses(desk, "/es/equipo/nada", {"text": [MARK]}))
    elsewhere = presses(desk, case, {"text": [MARK]}, headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403


def test_where_no_row_can_be_written_the_page_is_the_answer(
    app: Flask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise CannotKeep

    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    monkeypatch.setattr(PageRows, "write", full)
    desk.presses("close", reason=MARK)
    assert desk.status == 422
    assert MARK in desk.words
    desk.opens("/es/equipo/voz")
    desk.presses("to-1")
    desk.presses("next", safety=["S_WEAPON"])
    assert (desk.status, desk.path) == (203, "/es/equipo/voz")
    desk.presses("back")
    assert "S_WEAPON" in desk.form("next").values["safety"]


# ── whose page it is, and how long ──────────────────────────────────────────────────────────────────────────


def a_page_of_hers(desk: Phone) -> str:
    """The address of a page that repeats what was typed."""
    opens_newest_case(desk)
    desk.presses("close", reason=MARK)
    assert (desk.status, MARK in desk.words) == (422, True)
    return desk.path


def test_a_page_is_for_the_session_that_posted_and_for_nobody_else(app: Flask, place: Place) -> None:
    rosa = signs_in(app, place, place.workers["rosa"])
    address = a_page_of_hers(rosa)
    others = [signs_in(app, place, place.workers["rosa"]), signs_in(app, place, place.workers["carmen"]), Phone(app)]
    for other in others:
        assert MARK not in other.walks(address)
        assert other.path != address
    assert MARK in rosa.walks(address)


def test_a_page_is_shown_for_a_quarter_of_an_hour(app: Flask, place: Place) -> None:
    rosa = signs_in(app, place, place.workers["rosa"])
    address = a_page_of_hers(rosa)
    for _ in range(2):
        place.clock.on(minutes=7)
        assert MARK in rosa.walks(address)
    place.clock.on(minutes=2)
    assert MARK not in rosa.walks(address)
    assert rosa.path == "/es/equipo/casos"


def rows_of(app: Flask) -> tuple[list[bytes], bytes]:
    """What is sealed in the rows, and the whole file they lie in."""
    path = app.extensions["amparo"].rows.shelf.path
    with sqlite3.connect(path) as db:
        return [row[0] for row in db.execute("SELECT sealed FROM page_row")], path.read_bytes()


@pytest.mark.parametrize("ends", ["signs out", "her password is changed elsewhere", "she is dismissed"])
def test_nothing_of_a_session_is_left_in_the_rows_when_it_ends(app: Flask, place: Place, ends: str) -> None:
    rosa = signs_in(app, place, place.workers["rosa"])
    address = a_page_of_hers(rosa)
    rosa.opens("/es/equipo/voz")
    rosa.presses("next")
    rows, whole = rows_of(app)
    assert len(rows) >= 2
    assert all(row in whole for row in rows)
    if ends == "signs out":
        rosa.opens("/es/equipo/casos")
        rosa._send(next(form for form in rosa.forms if form.action.endswith("/salir")), {}, {})  # noqa: SLF001
    elif ends == "she is dismissed":
        carmen = signs_in(app, place, place.workers["carmen"])
        carmen.opens("/es/equipo/personas")
        path = f"/es/equipo/personas/{place.workers['rosa'].id}"
        form = next(form for form in carmen.forms if form.action == path)
        proof = {name: [typed] for name, typed in proves(place, "carmen").items()}
        carmen._send(form, {"go": ["dismiss"]} | proof, {})  # noqa: SLF001
    else:
        other = signs_in(app, place, place.workers["rosa"])
        other.opens("/es/equipo/yo")
        other.presses("end")
    left, whole = rows_of(app)
    assert not set(rows) & set(left)
    assert not [row for row in rows if row[:64] in whole]
    assert MARK not in rosa.walks(address)


# ── the door ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_sign_in_leaves_neither_password_nor_digits_anywhere(app: Flask, place: Place) -> None:
    desk, rosa = Phone(app, cookies=True), place.workers["rosa"]
    digits = members.totp_code(rosa.totp, place.clock())
    desk.opens("/es/equipo")
    answer = presses(desk, "/es/equipo", {"name": ["rosa"], "password": [MARK], "code": [digits]})
    assert is_kept_nowhere(answer)
    page = desk.walks(answer.headers["Location"])
    assert desk.status == 422
    assert MARK not in page
    assert digits not in page
    row = app.extensions["amparo"].rows.read(desk.path.split("/")[-1], place.clock())
    assert "rosa" in str(row)
    assert MARK not in str(row)
    assert digits not in str(row)


def test_too_many_tries_at_the_door_are_told_by_a_page_that_keeps_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.PASSWORDS, 1)
    app = create_app(place.settings, place.clock)
    desk = Phone(app, cookies=True)
    typed = {"name": ["rosa"], "password": [MARK], "code": ["000000"]}
    answers = [presses(desk, "/es/equipo", typed) for _ in range(3)]
    assert all(is_kept_nowhere(one) for one in answers)
    before = rows_of(app)[0]
    desk.walks(presses(desk, "/es/equipo", typed).headers["Location"])
    assert (desk.status, desk.path) == (429, "/es/equipo/espera")
    assert rows_of(app)[0] == before


def test_the_secrets_of_an_invitation_are_shown_to_one_browser_for_some_minutes(app: Flask, place: Place) -> None:
    with writing(place.engine) as db:
        token = accounts.invite(
            db, place.actor(db, "rosa"), Invitation("nueva", (CASE_WORKER,)), place.settings.pepper, place.clock()
        )
    desk = Phone(app, cookies=True)
    opens_invitation(desk, token)
    address, drawn = desk.path, desk.text.split('class="c-words">')[1].split("<")[0]
    assert drawn not in Phone(app, cookies=True).walks(address)
    assert drawn in desk.walks(address)
    place.clock.on(minutes=6)
    assert drawn not in desk.walks(address)


# ── the telephone ───────────────────────────────────────────────────────────────────────────────────────────


def goes_to_the_words(desk: Phone) -> None:
    while "narrative" not in desk.form("next").kinds:
        desk.presses("next")


def test_back_in_what_is_told_by_telephone_shows_the_page_with_the_newest_answers(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/voz")
    desk.presses("to-1")
    first = desk.path
    desk.presses("next", safety=["S_WEAPON"])
    goes_to_the_words(desk)
    at_words = desk.path
    desk.presses("next", narrative=MARK)
    desk.walks(at_words)
    assert desk.form("next").values["narrative"][0].strip() == MARK
    desk.walks(first)
    assert desk.form("next").values["safety"] == ["S_WEAPON"]
    desk.presses("check", safety=None)
    assert MARK in desk.words
    desk.walks(first)
    assert "safety" not in desk.form("next").values, "what was taken back comes back"


def test_a_wrong_answer_told_by_telephone_comes_back_with_what_was_typed(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/voz")
    while "number" not in desk.form("next").kinds:
        desk.presses("next")
    desk.presses("next", number="muchas")
    assert desk.status == 422
    assert desk.form("next").values["number"] == ["muchas"]


def test_a_lost_row_is_no_lost_telephone_call(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/voz")
    desk.presses("to-1")
    desk.presses("next", safety=["S_WEAPON"])
    app.extensions["amparo"].rows.forget_all()
    desk.presses("back")
    assert desk.form("next").values["safety"] == ["S_WEAPON"]


def test_after_sending_no_page_of_the_call_shows_it_and_it_is_never_sent_twice(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/voz")
    first, before = desk.path, place.cases()
    goes_to_the_words(desk)
    desk.presses("next", narrative=MARK)
    check = desk.path
    desk.presses("send")
    sent, again, words = desk.path, desk.last, desk.receipt()[0]
    assert again is not None
    for address in (check, first):
        assert MARK not in desk.walks(address)
        assert desk.path == "/es/equipo/casos"
    desk.walks(sent)
    assert desk.receipt()[0] == words
    desk.repeats(*again)
    assert place.cases() == before + 1
    place.clock.on(minutes=6)
    assert words[0] not in desk.walks(sent).split("<main")[1]
