"""Promises of the box for a code: what a page says of each way of typing one that cannot be read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import Form

from reporting.app import create_app
from reporting.crypto import receipt_wording, receipts
from reporting.crypto.receipt_wording import FILLED_UP, NEAREST, NOTHING, ONE, SAID, UNKNOWN
from reporting.crypto.receipts import GROUP, GROUPS, MIXED, RUN, WORDS, Unreadable
from reporting.pages.come_back import NOTHING_OPENS, CodeForm
from reporting.web import languages
from reporting.web.forms import SecretField
from tests.people import a_furnished_place
from tests.phone import Phone

SIX_ES, SIX_EN = "gerente abeja abrir barco barrio gato", "gentle abandon ability able about above"
WHOLE_ES = "gerente abeja abrir barco barro gato"  # each as the list has it
CATALOGUES = languages.load(("es", "en"))
# what is typed -> what the page says, and what goes into it
TABLE = (
    ("", NOTHING, {}),
    ("  \n ", NOTHING, {}),
    ("...", NOTHING, {}),
    ("gerente", ONE, {}),
    ("gerentte", ONE, {}),
    ("gentle", ONE, {}),
    ("gerente abeja", SAID[WORDS], {"count": 2}),
    ("gerente abeja abrir", SAID[WORDS], {"count": 3}),
    ("gerente abeja abrir barco barrio", SAID[WORDS], {"count": 5}),
    (SIX_ES, SAID[WORDS], {"count": 6}),
    (SIX_EN, SAID[WORDS], {"count": 6}),
    (SIX_ES.upper().replace(" ", "-"), SAID[WORDS], {"count": 6}),
    (SIX_ES.replace("abrir", "avrir"), SAID[WORDS], {"count": 6}),
    (SIX_ES.replace("abrir", "xxxxx").replace("gato", "zzzz"), SAID[WORDS], {"count": 6}),
    ("gerente abeja gentle abandon barco gato", SAID[WORDS], {"count": 6}),
    (f"{SIX_ES} avierto abeja", SAID[WORDS], {"count": 8}),
    (f"{SIX_ES} {SIX_ES}", SAID[WORDS], {"count": 12}),
    (f"{SIX_ES} avierto", NEAREST, {"wrong": "avierto", "nearest": "abierto"}),
    (f"{SIX_EN} acceptt", None, {}),
    (f"{SIX_EN} abbove", NEAREST, {"wrong": "abbove", "nearest": "above"}),
    (f"{SIX_ES} niga", NEAREST, {"wrong": "niga", "nearest": "miga"}),  # and not «enigma», which holds more of it
    (f"{SIX_EN} avierto", UNKNOWN, {"wrong": "avierto"}),
    (f"{SIX_ES} xqxqxq", UNKNOWN, {"wrong": "xqxqxq"}),
    ("no me acuerdo de mi código hoy", None, {}),
    ("xqx qxq xqx qxq xqx qxq xqx", None, {}),
    ("0001", SAID[RUN], {"count": 4}),
    ("0001000200030004000500060", SAID[RUN], {"count": 25}),
    ("0001" * 8, SAID[RUN], {"count": 32}),
    ("0001 0002 0003", SAID[GROUPS], {"count": 3}),
    ("0001 0002 0003 0004 0005 0006", SAID[GROUPS], {"count": 6}),
    ("0001-0002-0003-0004-0005-0006-0007-0008", SAID[GROUPS], {"count": 8}),
    ("0001 0002 0003 004 0005 0006 0007", FILLED_UP, {"count": 4}),
    ("1 2 3 4 5 6 7", FILLED_UP, {"count": 1}),
    ("O001 O002 0003 0004 0005 0006 oo7", FILLED_UP, {"count": 7}),
    ("0001 0002 0003 0004 0005 0006 00077", SAID[GROUP], {"count": 7}),
    (f"{SIX_ES} 0007", SAID[MIXED], {}),
    ("0001 0002 0003 0004 0005 0006 gato", SAID[MIXED], {}),
    ("O001 0002 0003 0004 0005 0006 0007", None, {}),
    ("l00i 0002 0003 0004 0005 0006 0007", None, {}),
    ("1) 0001 2) 0002 3) 0003 4) 0004 5) 0005 6) 0006 7) 0007", None, {}),
    ("1. gerente 2. abeja 3. abrir 4. barco 5. barrio 6. gato 7. abierto", None, {}),
    ("1.gerente 2.abeja 3.abrir 4.barco 5.barrio 6.gato", SAID[WORDS], {"count": 6}),
    (WHOLE_ES.replace(" ", "") + "abierto", None, {}),
    (SIX_EN.replace(" ", "") + "address", None, {}),
    (f"{WHOLE_ES.replace(' ', '', 3)} abierto", None, {}),
    ("gentle abandon ability able about address", SAID[WORDS], {"count": 6}),
    ("gerentexabeja abrir barco barrio gato", SAID[WORDS], {"count": 5}),
    ("gerente 2", SAID[MIXED], {}),
    ("9999 " * 7, None, {}),
    ("0001 " * 7, None, {}),
    ("gato " * 7, None, {}),
)


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Phone:
    place = a_furnished_place(tmp_path_factory.mktemp("codes"))
    return Phone(create_app(place.settings, place.clock))


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize(("typed", "message", "parts"), TABLE)
def test_each_way_of_typing_is_answered_with_its_own_sentence(
    phone: Phone, language: str, typed: str, message: str | None, parts: dict[str, object]
) -> None:
    phone.opens(f"/{language}/volver")
    phone.sends("code", code=typed)
    expected = languages.say(CATALOGUES[language], message or NOTHING_OPENS, **parts)
    assert phone.status == 422
    assert expected in phone.words
    assert message == NEAREST or not re.search("Quisiste decir|Did you mean", phone.words)


def test_six_words_are_answered_with_how_many_they_are() -> None:
    told = receipt_wording.sentence(_unreadable(SIX_ES, "es"))
    assert told is not None
    assert languages.say(CATALOGUES["es"], told[0], **told[1]) == (
        "Escribiste 6 palabras; son 7. Mira tu papel una vez más."
    )


words = st.sampled_from([*receipts.words_of("es"), *receipts.words_of("en"), "avierto", "xqxqxq"])


@given(st.lists(words, max_size=20).filter(lambda typed: len(typed) != receipts.LENGTH), st.sampled_from(["es", "en"]))
def test_no_word_is_named_or_suggested_unless_seven_were_typed(typed: list[str], language: str) -> None:
    assert _unreadable(" ".join(typed), language) == Unreadable(fault=WORDS, count=len(typed))


@given(st.lists(words, min_size=7, max_size=7), st.sampled_from(["es", "en"]))
def test_a_suggestion_comes_from_the_list_that_most_words_belong_to(typed: list[str], language: str) -> None:
    reading = receipts.read(" ".join(typed), language)
    if isinstance(reading, Unreadable) and reading.nearest:
        belong = {name: sum(_is_known(word, name) for word in typed) for name in receipts.LISTS}
        best = [name for name in belong if belong[name] == max(belong.values())]
        judge = language if language in best else best[0]
        assert reading.nearest in receipts.words_of(judge)
        assert not _is_known(reading.wrong, judge)


def _is_known(word: str, language: str) -> bool:
    beginnings = {receipts.plain(known)[:4] for known in receipts.words_of(language)}
    return receipts.plain(word)[:4] in beginnings


def _unreadable(typed: str, language: str) -> Unreadable:
    reading = receipts.read(typed, language)
    assert isinstance(reading, Unreadable)
    return reading


def test_a_field_for_a_code_is_read_and_never_gives_it_back() -> None:
    assert CodeForm.code.field_class is SecretField
    form = type("Typed", (Form,), {"code": SecretField()})(ImmutableMultiDict({"code": "siete palabras"}))
    assert form.code.data == "siete palabras"
    assert "palabras" not in str(form.code())
