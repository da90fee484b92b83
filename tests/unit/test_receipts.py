"""Promises of the receipts."""

import secrets

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reporting.crypto import receipts
from reporting.crypto.receipts import LISTS, Receipt, Unreadable

drawn = st.tuples(*[st.integers(0, 2047)] * 7).map(Receipt)
languages = st.sampled_from(sorted(LISTS))


@pytest.mark.parametrize("typed", ["፩" * 28, "²" * 28, "٣" * 28, "\uff11" * 28, "\ud800", "\x00" * 9, "0" * 400])
def test_strange_digits_and_signs_are_read_or_refused_and_never_fail(typed: str) -> None:
    assert receipts.read(typed, "es") is not None


@given(drawn, languages)
def test_a_receipt_is_read_again_from_its_words(receipt: Receipt, language: str) -> None:
    assert receipt in _read(" ".join(receipt.words(language)), language)


@given(drawn, languages)
def test_a_receipt_is_read_again_from_its_digits(receipt: Receipt, language: str) -> None:
    assert _read(" ".join(receipt.digits()), language) == (receipt,)
    assert _read("".join(receipt.digits()), language) == (receipt,)


@given(drawn, languages, languages)
def test_words_of_another_language_are_understood_too(receipt: Receipt, hers: str, shown: str) -> None:
    assert receipt in _read(" ".join(receipt.words(shown)), hers)


@given(drawn, languages, st.sampled_from([" ", "  ", "-", ", ", "\n", "/"]))
def test_spaces_case_accents_and_endings_are_forgiven(receipt: Receipt, language: str, between: str) -> None:
    typed = between.join(receipts.plain(word).strip()[:4].upper() for word in receipt.words(language))
    assert receipt in _read(typed, language)


@given(drawn, languages)
def test_numbers_in_front_of_words_or_groups_are_forgiven(receipt: Receipt, language: str) -> None:
    for pieces in (receipt.words(language), receipt.digits()):
        assert receipt in _read(" ".join(f"{at}. {piece}" for at, piece in enumerate(pieces, 1)), language)
        assert receipt in _read("\n".join(f"{at}) {piece}" for at, piece in enumerate(pieces, 1)), language)


@given(drawn, languages, st.lists(st.booleans(), min_size=6, max_size=6))
def test_words_written_together_are_taken_apart(receipt: Receipt, language: str, breaks: list[bool]) -> None:
    words = [receipts.plain(word) for word in receipt.words(language)]
    typed = words[0] + "".join((" " if apart else "") + word for apart, word in zip(breaks, words[1:], strict=True))
    reading = receipts.read(typed, language)
    assert isinstance(reading, Unreadable) or len(reading) <= 2 * receipts.MEANINGS
    assert receipt in reading or isinstance(reading, Unreadable) or len(reading) == receipts.MEANINGS


@given(drawn, languages)
def test_letters_that_look_like_digits_and_zeros_left_out_are_forgiven(receipt: Receipt, language: str) -> None:
    typed = " ".join(str(number) for number in receipt.numbers)
    assert _read(typed, language) == (receipt,)
    assume(set("".join(receipt.digits())) - set("01"))
    assert _read(" ".join(receipt.digits()).replace("0", "O").replace("1", "l"), language) == (receipt,)


@given(st.data())
def test_no_word_comes_twice_in_a_code(data: st.DataObject) -> None:
    drawn_numbers = data.draw(st.lists(st.integers(0, 2047), min_size=7, max_size=7))
    sure = iter([*drawn_numbers, *range(100, 2048)])
    assert len(set(receipts.draw(lambda _below: next(sure)).numbers)) == receipts.LENGTH


def test_her_own_language_is_tried_first() -> None:
    assert receipts.read(" ".join(Receipt((5,) * 7).words("en")), "en")[0] == Receipt((5,) * 7)  # type: ignore[index]


def test_a_typo_is_answered_with_the_nearest_word() -> None:
    typed = " ".join(["avierto", *Receipt((1,) * 6).words("es")])
    assert receipts.read(typed, "es") == Unreadable("avierto", "abierto")


@given(st.text(max_size=400), languages)
def test_whatever_is_typed_gets_an_answer(typed: str, language: str) -> None:
    reading = receipts.read(typed, language)
    assert isinstance(reading, (Unreadable, tuple))


@given(drawn, languages, st.integers(0, 6))
def test_six_or_eight_words_are_no_receipt(receipt: Receipt, language: str, left_out: int) -> None:
    words = list(receipt.words(language))
    assert isinstance(receipts.read(" ".join(words[:left_out] + words[left_out + 1 :]), language), Unreadable)
    assert isinstance(receipts.read(" ".join([*words, words[0]]), language), Unreadable)


@given(st.lists(st.integers(0, 9999), min_size=7, max_size=7))
def test_digits_beyond_the_list_are_no_receipt(groups: list[int]) -> None:
    assume(max(groups) > 2047)
    assert isinstance(receipts.read(" ".join(f"{group:04d}" for group in groups), "es"), Unreadable)


@pytest.mark.parametrize("language", sorted(LISTS))
def test_no_receipt_holds_a_word_that_frightens_or_tells(language: str) -> None:
    listed = {receipts.plain(word) for word in receipts.words_of(language)}
    assert receipts.UNKIND[language] <= listed, "every word on the list of unkind ones can come up"
    for _ in range(2000):
        words = receipts.draw(secrets.randbelow).words(language)
        assert not receipts.UNKIND[language] & {receipts.plain(word) for word in words}


@pytest.mark.parametrize("language", sorted(LISTS))
def test_four_letters_tell_every_word_apart(language: str) -> None:
    words = receipts.words_of(language)
    assert len(words) == receipts.SIZE == len({receipts.plain(word)[:4] for word in words})


@given(drawn, languages, languages)
def test_a_paper_is_tested_by_the_first_two_words_or_groups(receipt: Receipt, hers: str, shown: str) -> None:
    words, groups = receipt.words(shown), receipt.digits()
    short = [receipts.plain(word)[: receipts.ENOUGH].upper() for word in words[:2]]
    small = [str(number) for number in receipt.numbers[:2]]
    for right in (words, words[:2], short, ["1.", words[0], "2.", words[1]], groups, groups[:2], small):
        assert receipts.begins_so(receipt, " ".join(right), hers)
    for together in ("".join(words[:2]), "".join(groups), groups[0].replace("0", "O") + groups[1]):
        assert receipts.begins_so(receipt, together, hers)
    assume(receipt.numbers[:2] != receipt.numbers[1::-1])
    for wrong in (words[:1], words[1::-1], groups[:1], groups[1::-1], small[:1], ["casa"], ["?"], ["7"]):
        assert not receipts.begins_so(receipt, " ".join(wrong), hers)


def _read(typed: str, language: str) -> tuple[Receipt, ...]:
    reading = receipts.read(typed, language)
    assert isinstance(reading, tuple), reading
    return reading
