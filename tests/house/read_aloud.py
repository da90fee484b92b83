"""How long the intake by telephone is when it is read aloud: python -m tests.house.read_aloud [language].

Counted, not tried with people: questions and words of what the case worker says, minutes at 150 words a minute. What
she answers is not in it. Beside it stand her own pages read as they stand, which was the way before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from reporting.vocabulary import answers, intake
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.questions import FLAG_QUESTIONS, WHEN, Question
from reporting.web import languages

A_MINUTE: Final = 150  # words that somebody reads aloud in a minute
# who tells what most people at the desk tell: beaten and raped last night, agrees to everything
TOLD: Final[dict[str, Any]] = {
    "about": "SELF",
    "region": "UCAYALI",
    "violence": ["RAPE", "PHYSICAL_ASSAULT"],
    "perpetrator": ["CLIENT"],
    "when": "H24",
    "docs": "DNI",
}
YES_TO_ALL: Final = dict.fromkeys(intake.CONSENTS, "yes")


@dataclass(frozen=True, slots=True)
class Length:
    """What is read aloud to somebody."""

    questions: int
    words: int

    @property
    def minutes(self) -> float:
        return self.words / A_MINUTE


def _words(texts: Iterable[str], language: str) -> int:
    catalogue = languages.load(("es", "en"))[language]
    return sum(len(languages.say(catalogue, text).split()) for text in texts if text)


def _options(question: Question) -> Iterable[str]:
    for part in question.parts:
        yield part.label
        if not isinstance(part.choices, str):
            yield from part.choices.values()
        elif part.choices in FLAG_QUESTIONS:
            beginning = FLAG_QUESTIONS[part.choices]
            yield from (label for code, label in VOCABULARY["flags"].items() if code.startswith(beginning))
        elif part.choices == "when":
            yield from (label for _, label in WHEN.values())
        else:
            yield from VOCABULARY.get(part.choices, {}).values()


def her_own_pages(language: str, told: dict[str, Any] = TOLD) -> Length:
    """Her own pages, as they stand: each question with its hint and all that can be marked."""
    told = told | {"wants": ["W_CONTACT_BACK"]}
    asked = [question for page in answers.route(told) for question in answers.questions_of(page, told)]
    texts = [text for question in asked for text in (question.legend, question.hint, *_options(question))]
    return Length(len(asked), _words(texts, language))


def the_intake(language: str, told: dict[str, Any] = TOLD, *, folded: bool = False) -> Length:
    """The intake: what is said to her; with `folded` also what is asked only if she wants to tell more."""
    told = told | YES_TO_ALL
    said = [
        spoken for page in intake.route(told) for spoken in intake.spoken_on(page, told) if folded or not spoken.folded
    ]
    labels = [part.label for spoken in said if len(spoken.question.parts) > 1 for part in spoken.question.parts]
    return Length(len(said), _words([*(spoken.says for spoken in said), *labels], language))


def lines(language: str) -> Iterable[str]:
    """A table to look at."""
    rows = (
        ("her own pages read as they stand", her_own_pages(language)),
        ("the intake", the_intake(language)),
        ("the intake, and she wants to tell more", the_intake(language, folded=True)),
        ("the intake, nothing happened to her body", the_intake(language, TOLD | {"violence": ["EXTORTION"]})),
    )
    for name, length in rows:
        yield f"{name}: {length.questions} questions, {length.words} words, {length.minutes:.1f} minutes"
    yield f"computed at {A_MINUTE} words a minute, without her answers; not tried with people"


if __name__ == "__main__":
    print("\n".join(lines(sys.argv[1] if len(sys.argv) > 1 else "es")))  # noqa: T201 -- it is what it is for
