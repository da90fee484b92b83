"""How a receipt is spelt aloud: for each of its words the letters that are needed, each with a word that begins so.

Pure but for its data file. Keeps nothing.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache

from referrals.directory.reviewed_data import DATA
from reporting.crypto.receipts import ENOUGH


@cache
def _alphabets() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((DATA / "spelling.toml").read_text(encoding="utf-8"))


def spelt(word: str, language: str) -> tuple[tuple[str, str], ...]:
    """(letter, a word that begins with it) for the first four letters; the word is blank where none is written down."""
    alphabet = _alphabets().get(language, {})
    return tuple((letter, alphabet.get(letter, "")) for letter in _letters(word)[:ENOUGH])


def _letters(word: str) -> str:
    """Small letters without accents; ñ stays what it is."""
    kept = unicodedata.normalize("NFD", word.lower()).replace("n\u0303", "ñ")
    return "".join(sign for sign in kept if not unicodedata.combining(sign))
