"""Passwords of the staff: drawn words by default; one's own only where its estimate is high enough.

On a stolen disk a password is all that stands before the cases: it is judged as a thief of the disk would guess it.
Knows no account. Nothing about a password's strength is stored.
"""

from __future__ import annotations

import math
import re
import threading
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from reporting.crypto import receipts

WORDS = 6  # drawn, of 2048: 66 bits
LEAST_BITS = 60  # of the estimate
OWN_LENGTH = 16  # signs, for one's own
JUDGED = 72  # signs; the estimate of a longer one is that of its beginning
# What a run of one kind of signs is worth at most, however long: (pattern, bits a sign, bits a run). A run of letters
# is thought to be a word of some list of 8,000, a run of digits a year, a date or a telephone number.
RUNS = ((r"[^\W\d_]+", math.log2(26), 13.0), (r"\d+", math.log2(10), 13.0))
_one_at_a_time = threading.Lock()  # the library keeps the words it is given in one place for all


def suggest(below: Callable[[int], int], language: str) -> str:
    """Six words to be written down and typed on a phone; such that they pass the estimate."""
    while True:
        drawn = " ".join(receipts.plain(word).strip() for word in receipts.draw_words(WORDS, below, language))
        if bits(drawn) >= LEAST_BITS:
            return drawn


def tidy(typed: str) -> str:
    """Passwords are compared without accents, case and extra spaces, as a phone's keyboard likes to change them."""
    return " ".join(receipts.plain(typed).split()) or typed


def is_weak(password: str, *known: str) -> bool:
    """Whether somebody who has the disk could guess it, knowing these words: a name, what the service is called."""
    return len(password) < OWN_LENGTH or bits(password, *known) < LEAST_BITS


def bits(password: str, *known: str) -> float:
    """The lower of two estimates of how many guesses it takes, as a power of two.

    Word by word, each with what lists, dates and keyboards know of it and never more than `RUNS` say; and the whole
    without spaces, which finds what runs through it. `known`: words that a guesser would try first. Takes some
    milliseconds.
    """
    judged = tidy(password)[:JUDGED]
    first = [part for word in known for part in (tidy(word), *tidy(word).split()) if part.strip()]
    parts = sorted(set(judged.split()))
    if not parts:
        return 0.0
    by_words = sum(min(_guesses(part, first), _by_runs(part)) for part in parts)
    return min(by_words, _guesses("".join(judged.split()), first))


def _guesses(text: str, first: list[str]) -> float:
    """As the library estimates it, with the words of this country before its own."""
    with _one_at_a_time:
        result = _library()(text, user_inputs=first, max_length=JUDGED)
    return float(result["guesses_log10"]) / math.log10(2)


@cache
def _library() -> Callable[..., Mapping[str, Any]]:
    """The library, told once what is guessed first in Peru. Its lists take memory, and few processes ever judge."""
    from zxcvbn import matching, zxcvbn  # noqa: PLC0415 -- see above

    matching.add_frequency_lists({"peru": _common()})
    judge: Callable[..., Mapping[str, Any]] = zxcvbn
    return judge


def _by_runs(password: str) -> float:
    """Each run of letters, digits or other signs once, and none above what its kind is worth."""
    return sum(
        min(a_sign * len(run), a_run)
        for pattern, a_sign, a_run in RUNS
        for run in sorted(set(re.findall(pattern, password)))
    )


def _common() -> tuple[str, ...]:
    lists = tomllib.loads(resources.files("reporting").joinpath("teams", "common-words.toml").read_text("utf-8"))
    phrases = ["".join(tidy(phrase).split()) for phrase in lists.pop("phrases").splitlines()]
    words = (receipts.plain(word) for words in lists.values() for word in words.split())
    return tuple(word for word in dict.fromkeys([*words, *phrases]) if word)
