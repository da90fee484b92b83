"""Whatever is typed, forged or bent gets a sentence and a 4xx: never a 500, nothing of it in the log."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.test import Client

from reporting.app import create_app
from reporting.storage.database import reading
from reporting.storage.models import MarkRow
from reporting.web import limits
from tests.copies import Copies, with_coordinator
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.trips import passing_over_everything, proves, say, sends, signs_in, starts_telling, tells

MARKER = "zzmarkerzz"


@pytest.fixture(scope="module")
def place(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return copies.copy(tmp_path_factory.mktemp("odd") / "instance", with_coordinator)


@pytest.fixture(scope="module")
def app(place: Place) -> Flask:
    return create_app(place.settings, place.clock)


BENT = [
    lambda t: t + "!!!!",
    lambda t: t.replace("d", "d0", 1),
    lambda t: t.replace("d", "d ", 1),
    lambda t: t + "=",
    lambda t: " " + t,
    lambda t: t.swapcase(),
    lambda t: t[:-3],
    lambda _: "",
    lambda _: "d1.",
    lambda _: "x" * 30_000,
    lambda t: "d99999999999999999999." + t.split(".")[1],
    lambda t: "d٣." + t.split(".")[1],
]


@pytest.mark.parametrize("bend", BENT, ids=range(len(BENT)))
def test_a_ticket_spelt_in_any_other_way_is_no_ticket(app: Flask, bend: object) -> None:
    phone = starts_telling(app)
    form = phone.form("next")
    phone.repeats(form.action, form.values | {"t": [bend(form.values["t"][0])], "go": ["next"]})  # type: ignore[operator]
    assert phone.status == 410


def test_the_last_sign_of_a_ticket_bent_to_the_same_bytes_is_known_again(tmp_path: Path) -> None:
    place = a_furnished_place(tmp_path)
    phone = starts_telling(create_app(place.settings, place.clock))
    tells(phone, lambda form: {"narrative": MARKER} if "narrative" in form.kinds else {})
    assert phone.last is not None
    address, values = phone.last
    place.clock.on(minutes=16)
    ticket = values["t"][0]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for sign in alphabet:
        phone.repeats(address, values | {"t": [ticket[:-1] + sign]})
        assert MARKER not in phone.text


@pytest.mark.parametrize(
    "go", ["to-²", "to-99", "to--1", "to-", "lang-xx", "lang-", "police", "more", "noted", "", "\0"]
)
def test_a_button_nobody_offered_is_harmless(app: Flask, go: str) -> None:
    phone = starts_telling(app)
    form = phone.form("next")
    phone.repeats(form.action, form.values | {"go": [go]})
    assert phone.status < 500


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("/es/volver", {"Origin": "http://["}),
        ("/es/volver", {"Origin": "\\\\"}),
        ("/xx/contar", {}),
        ("/es/equipo/caso/9223372036854775808", {}),
        ("/es/equipo/invitacion/%00", {}),
        ("/es/%ff%fe", {}),
    ],
)
def test_an_odd_address_or_header_is_refused(app: Flask, address: str, headers: dict[str, str]) -> None:
    phone = Phone(app)
    for method in ("GET", "POST"):
        answer = phone.client.open(address, method=method, headers=headers, data={} if method == "POST" else None)
        assert answer.status_code < 500


def test_odd_names_and_tokens_at_the_staff_door(app: Flask, place: Place) -> None:
    desk = Phone(app, cookies=True)
    desk.opens("/es/equipo")
    for name in ("\0", "ñ" * 40, "rosa\n", "%s%s"):
        desk.repeats("/es/equipo", {"name": [name], "password": ["x"], "code": ["٣٣٣٣٣٣"]})
        assert desk.status in {422, 429}
    carmen = signs_in(app, place, place.workers["carmen"])
    carmen.opens("/es/equipo/personas")
    token = carmen.form(holding="role").values["f"]
    for form in ({"f": ["ñ"]}, {"f": token, "name": ["rosa\n"], "role": ["advocate"]}, {"f": token, "role": ["x"]}):
        carmen.repeats("/es/equipo/personas", form)
        assert carmen.status in {403, 422}
    for number in (10**30, 2**31, 7):
        proof = {name: [typed] for name, typed in proves(place, "carmen").items()}
        carmen.repeats(f"/es/equipo/personas/{number}", {"f": token, "go": ["dismiss"]} | proof)
        assert carmen.status == 404


TEXT = st.text(st.characters(codec=None), max_size=60)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "t",
                "go",
                "code",
                "again",
                "trip",
                "text",
                "needs",
                "region",
                "first",
                "when",
                "number",
                "violence",
                "letters",
            ]
        ),
        st.lists(TEXT, max_size=3),
    ),
    st.sampled_from(["/es/contar", "/es/volver", "/es/ayuda", "/salir", "/es/equipo"]),
)
def test_whatever_is_sent_without_a_ticket_gets_a_page(app: Flask, values: dict[str, list[str]], address: str) -> None:
    phone = Phone(app)
    phone.repeats(
        address, {name: [text.encode("utf-8", "replace").decode() for text in texts] for name, texts in values.items()}
    )
    assert phone.status < 500


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 40), TEXT), max_size=6), st.integers(0, 6))
def test_whatever_is_typed_into_a_page_gets_a_page(app: Flask, typed: list[tuple[int, str]], page: int) -> None:
    phone = starts_telling(app)
    for _ in range(page):
        phone.presses("next")
    form = phone.form("next")
    names = sorted(name for name in form.kinds if name != "t")
    odd = {names[place % len(names)]: [text.encode("utf-8", "replace").decode()] for place, text in typed}
    phone.repeats(form.action, form.values | odd | {"go": ["next"]})
    assert phone.status in {203, 422}


def test_when_the_database_is_away_the_log_names_neither_path_nor_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from reporting.storage import database

    place = a_furnished_place(tmp_path)
    app = create_app(place.settings, place.clock)
    phone = starts_telling(app)
    tells(phone, passing_over_everything)

    def away(*_: object, **__: object) -> None:
        raise OperationalError(MARKER, {}, Exception(MARKER))

    with monkeypatch.context() as broken:
        broken.setattr(database.Session, "execute", away)
        broken.setattr(database.Session, "scalars", away)
        broken.setattr(database.Session, "get", away)
        phone.presses("send")
        assert phone.status == 500
        assert say("Something failed on our side. Nothing of yours was shown to anybody.") in phone.words
        Phone(app).repeats("/es/equipo/invitacion", {"code": [MARKER]})
    assert caplog.records
    assert MARKER not in caplog.text
    again = starts_telling(app)
    tells(again, passing_over_everything)
    sends(again)
    logging.getLogger("amparo").setLevel(logging.INFO)


def test_the_exit_keeps_no_mark_of_what_is_no_trip(tmp_path: Path) -> None:
    place = a_furnished_place(tmp_path)
    phone = Phone(create_app(place.settings, place.clock))
    for trip in ("", "x" * 32, "a" * 31, MARKER, " ".join([MARKER] * 9)):
        phone.repeats("/salir", {"trip": [trip]})
        assert phone.status == 200
    with reading(place.engine) as db:
        assert not db.scalars(select(MarkRow)).all()


def as_parts(values: dict[str, list[str]], disposition: str) -> tuple[bytes, str]:
    """A form as a browser would send it with files, each field with something odd beside its name."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"{disposition}\r\n\r\n{one}\r\n'
        for name, told in values.items()
        for one in told
    ]
    return ("".join(parts) + "--x--\r\n").encode(), "multipart/form-data; boundary=x"


def test_a_file_or_json_in_the_place_of_a_word_is_refused(app: Flask, place: Place) -> None:
    carmen = signs_in(app, place, place.workers["carmen"])
    carmen.opens("/es/equipo/personas")
    form = carmen.form(holding="role")
    told = form.values | {"name": ["nueva"], "role": ["advocate"]}
    for body, kind in (
        as_parts(told, '; filename="a.txt"'),
        as_parts(told, "; filename*=utf-8''%ff"),
        (json.dumps({name: values[0] for name, values in told.items()}).encode(), "application/json"),
        (b"[1]", "application/json"),
        (b'{"f": {"a": [1]}}', "application/json"),
    ):
        carmen._read(carmen.client.post("/es/equipo/personas", data=body, content_type=kind))  # noqa: SLF001
        assert carmen.status == 403, body
    token = form.values["f"][0]
    for told in ({"f": token, "file": "no file"}, {"f": token, "file": (io.BytesIO(b""), "")}, {"f": token}):
        answer = carmen.client.post("/es/equipo/directorio/traer", data=told, content_type="multipart/form-data")
        assert "<h1" in carmen._read(answer)  # noqa: SLF001
        assert carmen.status < 500


def test_a_sealed_field_of_another_kind_is_no_draft(app: Flask, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a case worker writes down, and what can be sent again, are sealed with the same key as a draft."""
    rosa = signs_in(app, place, place.workers["rosa"])
    rosa.opens("/es/equipo/voz")
    by_voice = rosa.form("next").values["t"]
    phone = starts_telling(app)
    monkeypatch.setitem(limits.A_MINUTE, limits.TURNING, 1)
    full = Phone(create_app(place.settings, place.clock))
    full.repeats("/es/contar", {"t": [""]})
    full.repeats("/es/contar", phone.form("next").values | {"go": ["next"]})
    assert full.status == 429
    to_send_again = full.form(holding="again").values["again"]
    before = place.cases()
    for ticket in (by_voice, to_send_again):
        for go in ("next", "check", "send", "code", "noted", "lang-en"):
            phone.repeats("/es/contar", {"t": ticket, "go": [go], "code": ["abaco"]})
            assert phone.status == 410, go
    assert place.cases() == before


@pytest.mark.parametrize("address", ["/en/nothing", "/en/contar/x", "/en/%ed%a0%80"])
def test_an_address_that_leads_nowhere_is_answered_in_its_language(app: Flask, address: str) -> None:
    phone = Phone(app)
    phone.opens(address)
    assert phone.status == 404
    assert '<html lang="en"' in phone.text
    phone.opens(address.replace("/en/", "/qu/"))
    assert '<html lang="es"' in phone.text


def test_who_refuses_compression_gets_none(app: Flask) -> None:
    for wanted, packed in (("gzip", "gzip"), ("gzip;q=0", None), ("gzip;q=0.0, *", None), ("", None)):
        answer = Phone(app).client.get("/es/antes", headers={"Accept-Encoding": wanted})
        assert answer.headers.get("Content-Encoding") == packed, wanted


# ── what bent requests found ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["evil.example", "localhost"])
def test_a_redirect_leads_to_no_host_that_somebody_names_and_says_nothing(app: Flask, host: str) -> None:
    answer = Client(app).get("/en", headers={"Host": host})
    assert (answer.status_code, answer.headers["Location"], answer.data) == (308, "/en/", b"")
    assert Client(app).get(f"/{MARKER}").status_code == 404


@pytest.mark.parametrize("host", ["a" * 4000, "x" * 64 + ".pe"])
def test_a_host_that_is_no_host_gets_a_page(app: Flask, host: str) -> None:
    for path in ("/es/", "/en/contar"):
        answer = Client(app).post(path, environ_overrides={"HTTP_HOST": host})
        assert answer.status_code < 500
        assert "<main" in answer.text


def test_two_slashes_are_another_address(app: Flask) -> None:
    for path in ("/es//contar", "//evil.example", "//evil.example/"):
        assert Client(app).get("/", environ_overrides={"PATH_INFO": path}).status_code == 404


def test_bytes_behind_the_question_mark_that_are_no_text_are_refused(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    for client, path in ((desk.client, "/es/equipo/casos"), (Client(app), "/es/")):
        answer = client.get(path, environ_overrides={"QUERY_STRING": "folder=\xff\xfe"})
        assert answer.status_code == 400
        assert "<main" in answer.text


@pytest.mark.parametrize("blank", [" ", "\u2003", "\t\n"])
def test_an_answer_of_blanks_is_no_answer(app: Flask, place: Place, blank: str) -> None:
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    phone.presses("to-1")
    form = phone.form("check")
    phone.repeats(form.action, form.values | {"region": [blank], "venue": [blank], "go": ["check"]})
    code = sends(phone)
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/casos?folder=all")
    assert desk.text.count('<li class="c-card') == place.cases(), "and the case is no broken one"
    back = Phone(app)
    back.opens("/es/volver")
    back.sends("code", code=code)
    back.presses("right-4")
    form = back.form(holding="police_safe")
    (button,) = [value for _, value in form.buttons if value.startswith("save-")]
    back.repeats(form.action, form.values | {"police_safe": [blank], "go": [button]})
    assert back.status == 203


def test_a_page_that_does_not_say_which_version_it_showed_changes_nothing(app: Flask, place: Place) -> None:
    place.receives()
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/casos")
    case = desk.text.split('<h2><a href="')[1].split('"')[0]
    desk.opens(f"{case}/respuestas/3")
    form = desk.form(holding="v")
    desk.repeats(form.action or desk.path, form.values | {"v": ["uno"], "reason": ["Lo dijo ella."]})
    assert desk.status == 409
