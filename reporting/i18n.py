"""The mark of a text that is translated: message ids are English and stand where they are said.

Knows no language and no catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def N_(text: str) -> str:  # noqa: N802 - the usual name of the mark that translators' tools look for
    """Mark a text as a message id."""
    return text


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message id and what goes into it."""

    message: str
    parts: tuple[tuple[str, str], ...] = ()

    def parts_in(self, say: Callable[..., str]) -> dict[str, str]:
        """The parts, ready to be filled in. `say` is there for parts that are messages themselves."""
        return {name: say(value) if name.startswith("said_") else value for name, value in self.parts}


def said(message: str, **parts: str) -> Sentence:
    """A sentence."""
    return Sentence(message, tuple(parts.items()))
