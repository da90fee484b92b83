"""Promises of the right person: what is told for another is asked, shown and printed of that person."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from reporting.vocabulary import answers, lengths, person, questions
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.person import OF_ANOTHER, OF_WHO_TELLS
from reporting.web import languages

SPANISH = languages.load(("es",))["es"]
# words that point at who speaks or at who is spoken to
ENGLISH_POINTERS = re.compile(r"\b(I|me|my|mine|myself|you|your|yours|yourself)\b", re.IGNORECASE)
SPANISH_POINTERS = re.compile(
    r"\b(yo|me|mi|mis|mí|mío|mía|conmigo|te|tu|tus|ti|tuyo|tuya|contigo|eres|tienes|estás|vienes|quieres|estoy|tengo|"
    r"puedo|soy|pienso|hazte)\b",
    re.IGNORECASE,
)


def _asked() -> Iterator[str]:
    for labels in VOCABULARY.values():
        yield from labels.values()
    for page in lengths.ALL_PAGES:
        yield page.title
        for question in page.questions:
            yield from (question.legend, question.hint, question.short, *(group.title for group in question.groups))
            for part in question.parts:
                yield part.label
                yield from part.choices.values() if not isinstance(part.choices, str) else ()
    yield from (label for _, label in questions.WHEN.values())
    yield from (doubt.sentence for doubt in answers.DOUBTS)


ASKED = tuple(dict.fromkeys(message for message in _asked() if message))


@pytest.mark.parametrize("message", [m for m in ASKED if ENGLISH_POINTERS.search(m)])
def test_whatever_says_i_or_you_says_of_whom_it_is(message: str) -> None:
    assert (message in OF_ANOTHER) is not (message in OF_WHO_TELLS)


@pytest.mark.parametrize("message", [m for m in ASKED if m not in OF_ANOTHER and m not in OF_WHO_TELLS])
def test_whatever_has_no_words_for_another_points_at_nobody_in_spanish_either(message: str) -> None:
    assert not SPANISH_POINTERS.search(SPANISH.gettext(message))


@pytest.mark.parametrize("message", sorted(OF_ANOTHER.values()))
def test_words_for_another_person_never_point_at_who_tells(message: str) -> None:
    to_the_teller = {"That somebody gets in touch with who tells this"} | {
        OF_ANOTHER[asked] for asked in ("How can the team reach you safely?", "Only if you want.")
    }
    says = re.compile(r"\byou (know|do not know|told us|marked)\b", re.IGNORECASE)
    of_the_teller = {m for m in OF_ANOTHER.values() if says.search(m)}
    if message not in to_the_teller | of_the_teller:
        assert not ENGLISH_POINTERS.search(message)
        assert not SPANISH_POINTERS.search(SPANISH.gettext(message))


def test_every_row_is_of_something_that_is_asked() -> None:
    assert OF_ANOTHER.keys() <= set(ASKED)
    assert set(ASKED) >= OF_WHO_TELLS
    assert len(set(OF_ANOTHER.values())) == len(OF_ANOTHER)


def test_what_is_told_for_oneself_stays_as_it_is() -> None:
    for message in ASKED:
        assert person.worded(message, "SELF") == person.worded(message, None) == message
        assert person.worded(message, "OTHER") == OF_ANOTHER.get(message, message)


@pytest.mark.parametrize("about", ["SELF", "OTHER"])
@pytest.mark.parametrize("page", lengths.ALL_PAGES, ids=lambda page: str(page.title))
def test_no_answer_is_headed_by_the_words_that_head_its_page(page: questions.Page, about: str) -> None:
    title = SPANISH.gettext(person.worded(page.title, about))
    assert title not in {SPANISH.gettext(person.worded(question.short, about)) for question in page.questions}


@pytest.mark.parametrize("message", sorted({q.short for page in lengths.ALL_PAGES for q in page.questions if q.short}))
def test_a_short_name_of_what_was_asked_says_of_her_nothing_in_the_third_person(message: str) -> None:
    assert not re.search(r"\b(la|le|lo) \w+(ó|aron|ieron)\b|quien lo cuenta", SPANISH.gettext(message))
