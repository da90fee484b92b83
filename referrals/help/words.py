"""Words that people use for what they need, read against a table: a word stands for a need or it does not.

Nothing is ranked and nothing is kept. Spelling is forgiven where it costs nothing: accents, capitals, a final s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from referrals.help.texts import need_words
from reporting.i18n import without_accents
from reporting.vocabulary.needs import NEEDS

LONGEST: Final = 200  # letters that are read


def needs_in(text: str) -> tuple[str, ...]:
    """The needs that the words of a text stand for, in the order of care; none where nothing is understood.

    The longest phrase of the table that stands there goes first: "prueba de embarazo" is no "prueba".
    """
    words, table, needs = _words(text[:LONGEST]), _table(), set[str]()
    longest = max(map(len, table))
    while words:
        length = next((size for size in range(min(longest, len(words)), 0, -1) if words[:size] in table), 1)
        needs |= set(table.get(words[:length], ()))
        words = words[length:]
    return tuple(need for need in NEEDS if need in needs)


@cache
def _table() -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """Phrase, word by word as it is compared -> its needs."""
    by_phrase: dict[tuple[str, ...], list[str]] = {}
    for need, about in need_words().items():
        for phrase in about["words"]:
            by_phrase.setdefault(_words(phrase), []).append(need)
    return {phrase: tuple(needs) for phrase, needs in by_phrase.items()}


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.removesuffix("s") for word in re.findall(r"[a-z]+", without_accents(text.lower())))
