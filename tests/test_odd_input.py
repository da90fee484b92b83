"""Whatever is typed, forged or bent gets a sentence and a 4xx: never a 500, nothing of it in the log."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from reporting.app import create_app
from reporting.database import reading
from reporting.models import MarkRow
from reporting.teamlog import COORDINATOR
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.trips import passing_over_everything, say, sends, signs_in, starts_telling, tells

MARKER = "zzmarkerzz"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = a_furnished_place(tmp_path_factory.mktemp("odd"))
    made.hires("carmen", COORDINATOR)
    return made


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


@pytest.mark.parametrize(("address", "headers"), [
    ("/es/volver", {"Origin": "http://["}),
    ("/es/volver", {"Origin": "\\\\"}),
    ("/xx/contar", {}),
    ("/es/equipo/caso/9223372036854775808", {}),
    ("/es/equipo/invitacion/%00", {}),
    ("/es/%ff%fe", {}),
])  # fmt: skip
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
        carmen.repeats(f"/es/equipo/personas/{number}", {"f": token, "go": ["dismiss"]})
        assert carmen.status == 404


TEXT = st.text(st.characters(codec=None), max_size=60)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["t", "go", "code", "again", "trip", "text", "needs", "region", "first", "when",
                                        "number", "violence", "letters"]), st.lists(TEXT, max_size=3)),
       st.sampled_from(["/es/contar", "/es/volver", "/es/ayuda", "/salir", "/es/equipo"]))  # fmt: skip
def test_whatever_is_sent_without_a_ticket_gets_a_page(app: Flask, values: dict[str, list[str]], address: str) -> None:
    phone = Phone(app)
    phone.repeats(address, {name: [text.encode("utf-8", "replace").decode() for text in texts]
                            for name, texts in values.items()})  # fmt: skip
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
    assert phone.status in {200, 422}


def test_when_the_database_is_away_the_log_names_neither_path_nor_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from reporting import database

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
        Phone(app).opens(f"/es/equipo/invitacion/{MARKER}")
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
