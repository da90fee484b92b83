"""Promises of the page after sending: light, the same length whatever the receipt is, and nothing she typed in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from reporting.crypto import receipts
from reporting.crypto.receipts import LISTS, Receipt
from reporting.vocabulary.answers import without_words
from reporting.vocabulary.questions import LINE, LONGEST_TEXT, PAGES, TEXT
from tests.phone import Phone
from tests.trips import at_random, from_vignette, say, sends, starts_telling, tells

DATA = Path(__file__).resolve().parents[2] / "referrals" / "data"
VIGNETTES = {told["id"]: told for told in yaml.safe_load((DATA / "vignettes.yaml").read_text("utf-8"))["vignettes"]}
MOST = 6000  # bytes as sent: a page with a receipt is never compressed


def sent(app: Flask, fill: Any, language: str = "es") -> Phone:
    phone = starts_telling(app, language)
    tells(phone, fill)
    sends(phone)
    return phone


@pytest.mark.parametrize("vignette", VIGNETTES)
def test_the_page_after_sending_is_light_however_much_she_wrote(app: Flask, vignette: str) -> None:
    story = "Fue de noche, ñandú. " * (LONGEST_TEXT // 21)
    page = sent(app, from_vignette(VIGNETTES[vignette]["answers"], story))
    assert len(page.text.encode()) <= MOST


@pytest.mark.parametrize("seed", range(8))
def test_it_is_light_whatever_she_answers(app: Flask, seed: int) -> None:
    assert len(sent(app, at_random(seed)).text.encode()) <= MOST


@pytest.mark.parametrize("language", sorted(LISTS))
def test_two_pages_that_differ_by_the_receipt_alone_are_equally_long(app: Flask, language: str) -> None:
    fill = from_vignette(next(iter(VIGNETTES.values()))["answers"], "Fue de noche.")
    pages = [sent(app, fill, language) for _ in range(4)]
    assert len({page.receipt()[1][0] for page in pages}) > 1
    assert len({len(page.text.encode()) for page in pages}) == 1


@given(st.tuples(*[st.integers(0, 2047)] * 7).map(Receipt), st.sampled_from(sorted(LISTS)))
def test_words_and_their_padding_are_equally_long_for_every_receipt(receipt: Receipt, language: str) -> None:
    first = Receipt((0,) * 7)
    assert len((" ".join(receipt.words(language)) + receipt.padding(language)).encode()) == len(
        (" ".join(first.words(language)) + first.padding(language)).encode()
    )
    assert receipts.of_digits("".join(receipt.digits())) == receipt
    assert len("".join(receipt.digits())) == 28


def test_no_text_she_typed_travels_on_after_sending() -> None:
    texts = {
        part.name
        for page in PAGES
        for question in page.questions
        for part in question.parts
        if part.kind in {LINE, TEXT}
    }
    answers = dict.fromkeys(texts, "fue de noche") | {"number": 5, "unit": "hours", "age": "A25_34"}
    assert without_words(answers) == {"number": 5, "unit": "hours", "age": "A25_34"}


def test_who_asked_to_be_reached_does_not_read_that_nobody_writes_to_her(app: Flask) -> None:
    pages = [sent(app, at_random(seed)).words for seed in range(16)]
    asked = [
        words for words in pages if say("You asked us to reach you. We use only what you wrote for that.") in words
    ]
    nobody = say("Nobody writes to you. If you want it later, come back with your code and allow it.")
    without_letters = say("No letters come here. If you want them later, come back with your code and allow it.")
    may_write = say("She can write to you here. Come back with your code to read it.")
    assert asked
    assert not [words for words in asked if nobody in words]
    assert all((without_letters in words) is (may_write not in words) for words in asked)
