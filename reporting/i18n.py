"""The mark of a text that is translated: message ids are English and stand where they are said.

Knows no language and no catalogue.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache, reduce
from typing import Self


def N_(text: str) -> str:  # noqa: N802 - the usual name of the mark that translators' tools look for
    """Mark a text as a message id."""
    return text


def T_(text: str) -> str:  # noqa: N802 - as N_
    """Mark a text as a message id that only the terminal says."""
    return text


def without_accents(text: str) -> str:
    """A text as somebody types it who leaves out accents; ñ is n. Letters are taken apart, and only their marks go."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


class Sentence(str):
    """A text in English that remembers its message id and what went into it, to be said in another language.

    Where it is only shown, logged or written as JSON it is the English text. `str` of an error that holds one is one.
    """

    __slots__ = ("message", "parts")
    message: str
    parts: tuple[tuple[str, str], ...]

    def __new__(cls, message: str, parts: tuple[tuple[str, str], ...] = ()) -> Self:
        text = super().__new__(cls, message % dict(parts) if parts else message)
        text.message, text.parts = message, parts
        return text

    def __str__(self) -> str:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str, tuple[tuple[str, str], ...]]]:
        return type(self), (self.message, self.parts)

    def parts_in(self, say: Callable[..., str]) -> dict[str, str]:
        """The parts, ready to be filled in. `say` is there for parts that are messages or sentences themselves."""
        return {name: _part(name, value, say) for name, value in self.parts}

    def said_by(self, say: Callable[..., str]) -> str:
        """The sentence in the language of `say`, which is called with a message id and its parts."""
        return say(self.message, **self.parts_in(say))


def joined(sentences: Iterable[str], mark: str = ", ") -> Sentence:
    """Several (one at least) as one, each said in the language of the whole."""
    message = "%(before)s" + mark + "%(after)s"
    each = (text if isinstance(text, Sentence) else Sentence(text) for text in sentences)
    return reduce(lambda before, after: said(message, before=before, after=after), each)


def _part(name: str, value: str, say: Callable[..., str]) -> str:
    if isinstance(value, Sentence):
        return value.said_by(say)
    return say(value) if name.startswith("said_") else value


def said(message: str, **parts: object) -> Sentence:
    """A sentence. Whatever goes into it is kept as text."""
    return Sentence(message, tuple((name, str(value)) for name, value in parts.items())) if parts else _whole(message)


@lru_cache(maxsize=1024)
def _whole(message: str) -> Sentence:
    """A sentence without parts: one for all who say it."""
    return Sentence(message)
