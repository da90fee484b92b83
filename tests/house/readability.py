"""How easy her pages are to read in Spanish: python -m tests.house.readability.

The scale is INFLESZ (Szigriszt-Pazos, cut by Barrio-Cantalejo and others in 2008): 206.835 - 62.3 x syllables a word -
words a sentence; from 55 on it is normal, from 65 on quite easy. Counted, not tried with people. Names of places and of
services, and what she typed, are not in it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.lengths import ALL_PAGES
from reporting.vocabulary.questions import FLAG_QUESTIONS, WHEN
from reporting.web import languages
from tests.house.figures import ROOT

# parts of pages that are hers; the others are the team's
PARTS: Final = (
    *("appointment", "cards", "code_box", "fields", "her_needs", "how_was_it", "lines", "offers", "readers"),
    *("safety_plan", "told", "tonight", "who_reads"),
)
# files of reviewed words that stand on her pages
DATA: Final = ("after-the-window", "child-policy", "her-case", "need-texts", "tonight")
SAID: Final = re.compile(r'(?:_|ngettext)\(\s*"((?:[^"\\]|\\.)*)"(?:,\s*"((?:[^"\\]|\\.)*)")?')
VOWELS, STRONG = "aeiouáéíóúü", "aeoáéíóú"
FILLED: Final = re.compile(r"%\(\w+\)s")
SENTENCES: Final = re.compile(r"[.:;!?\n]+")


@dataclass(frozen=True, slots=True)
class Ease:
    """Of a text: the scale, how many words it has, the words of its longest sentence."""

    scale: float
    words: int
    longest: int


def syllables(word: str) -> int:
    """Syllables of a Spanish word: two strong vowels, or one with an accent on the weak one, are two."""
    plain = re.sub(r"y$", "i", re.sub(r"([qg])u(?=[eiéí])", r"\1", word.lower()))
    count, before = 0, ""
    for letter in plain:
        if letter in VOWELS and (before not in VOWELS or not before or (before in STRONG and letter in STRONG)):
            count += 1
        before = letter
    return max(count, 1)


def ease(text: str) -> Ease:
    """How easy a text is."""
    sentences = [len(found) for part in SENTENCES.split(text) if (found := _words(part))]
    words = _words(text)
    a_word, a_sentence = sum(map(syllables, words)) / len(words), len(words) / len(sentences)
    return Ease(206.835 - 62.3 * a_word - a_sentence, len(words), max(sentences))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", text)


def pages() -> Iterator[tuple[str, str]]:
    """(name, all its words) of each page of hers, of each page of questions, of each file of reviewed words."""
    say = languages.load(("es",))["es"].gettext
    for path in (
        *sorted((ROOT / "templates" / "reporter").glob("*.html")),
        *(ROOT / "templates" / "guide" / f"{name}.html" for name in ("safe", "workshop", "on_paper", "install")),
        *(ROOT / "templates" / "parts" / f"{part}.html" for part in PARTS),
    ):
        yield path.stem, "\n".join(say(found[1]) for found in SAID.finditer(path.read_text("utf-8")))
    for number, page in enumerate(ALL_PAGES):
        yield f"questions {number}", "\n".join(say(message) for message in _asked(page) if message)
    for name in DATA:
        told = tomllib.loads((ROOT / "referrals" / "data" / f"{name}.toml").read_text("utf-8"))
        yield name, "\n".join(_spanish(told))


def _asked(page: Any) -> Iterator[str]:
    yield page.title
    for question in page.questions:
        yield from (question.legend, question.hint)
        for part in question.parts:
            yield from (part.label, *_labels(part.choices))


def _labels(choices: Any) -> Iterator[str]:
    if not isinstance(choices, str):
        yield from choices.values()
    elif choices in FLAG_QUESTIONS:
        beginning = FLAG_QUESTIONS[choices]
        yield from (label for code, label in VOCABULARY["flags"].items() if code.startswith(beginning))
    elif choices == "when":
        yield from (label for _, label in WHEN.values())
    else:
        yield from VOCABULARY.get(choices, {}).values()


def _spanish(told: Any, name: str = "") -> Iterator[str]:
    if isinstance(told, dict):
        for key, part in told.items():
            yield from _spanish(part, key) if key != "en" else ()
    elif isinstance(told, list):
        for part in told:
            yield from _spanish(part, name)
    elif name in {"es", "title", "paragraphs"}:
        yield str(told)


def measured() -> dict[str, Ease]:
    """Each page that has words, without what is filled in."""
    return {name: ease(FILLED.sub("x", text)) for name, text in pages() if _words(text)}


if __name__ == "__main__":
    for page, how in sorted(measured().items(), key=lambda row: row[1].scale):
        print(f"{how.scale:6.1f}  {how.words:4} words, longest sentence {how.longest:2}  {page}")  # noqa: T201 -- a table
