"""Letters from templates: those that are shipped, those that a team wrote besides, and how places are filled.

Pure but for its data file. What she told is no part of it: only what the directory and the team say can be filled in.
Knows no case, no seal and nothing of the web.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from referrals.directory.reviewed_data import DATA
from reporting.cases.follow_up.team_letters import TeamLetter
from reporting.crypto.receipts import plain

BLANK: Final = "____"  # stands where nobody knows what belongs there; no letter is sent with it
_PLACE = re.compile(r"\[([^\[\]\n]{1,60})\]")


@dataclass(frozen=True, slots=True)
class Template:
    """A letter as it is written beforehand. `own`: the team's, where it wrote it; shipped ones have an author."""

    code: str
    titles: Mapping[str, str]
    texts: Mapping[str, str]
    speaks_of: frozenset[str] = frozenset()  # states of the referral whose service is named; none: any that goes on
    author: str = ""
    signed: bool = False
    own: TeamLetter | None = None

    def language(self, wanted: Iterable[str]) -> str:
        """The first of these languages in which there is a text; else one in which there is."""
        return next((code for code in wanted if self.texts.get(code)), next(iter(self.texts)))


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads((DATA / "letters.toml").read_text(encoding="utf-8"))


@cache
def shipped() -> tuple[Template, ...]:
    """The letters of the data file, in its order."""
    return tuple(
        Template(
            row["code"],
            row["title"],
            {language: str(row[language]).strip() for language in row["title"]},
            frozenset(row.get("speaks_of", ())),
            _data()["author"],
            bool(_data()["reviewer"]),
        )
        for row in _data()["letter"]
    )


def templates(own: Sequence[TeamLetter]) -> tuple[Template, ...]:
    """What a team can choose from: the shipped letters, each where it is or as the team wrote it, then the team's."""
    instead = {letter.instead_of: letter for letter in own if letter.instead_of}
    known = {template.code for template in shipped()}
    besides = (letter for letter in own if letter.instead_of not in known)
    return (
        *(_as_written(instead[each.code], each) if each.code in instead else each for each in shipped()),
        *(_as_written(letter) for letter in besides),
    )


def _as_written(letter: TeamLetter, instead_of: Template | None = None) -> Template:
    speaks_of = instead_of.speaks_of if instead_of else frozenset[str]()
    return Template(letter.code, letter.titles, letter.texts, speaks_of, own=letter)


def place_names(language: str) -> tuple[str, ...]:
    """What the places are called in a language."""
    return tuple(f"[{row.get(language, row['es'])}]" for row in _data()["place"])


@cache
def _places() -> Mapping[str, str]:
    """Name of a place in any language, plainly written -> its code."""
    return {plain(row[language]).strip(): row["code"] for row in _data()["place"] for language in row.keys() - {"code"}}


def unknown_places(text: str) -> tuple[str, ...]:
    """What stands in square brackets in a text and is no place."""
    return tuple(match[0] for match in _PLACE.finditer(text) if plain(match[1]).strip() not in _places())


def filled(text: str, known: Mapping[str, str]) -> str:
    """The text with its places filled in: code of a place -> what belongs there; `BLANK` where that is not known."""

    def content(match: re.Match[str]) -> str:
        code = _places().get(plain(match[1]).strip())
        return match[0] if code is None else (known.get(code) or BLANK)

    return _PLACE.sub(content, text)


def is_unfinished(text: str) -> bool:
    """Whether something still has to be written into a letter."""
    return BLANK in text


def joined(typed: str, letter: str) -> str:
    """What was typed already, with the letter after it: nothing that somebody wrote goes."""
    return f"{typed.rstrip()}\n\n{letter}" if typed.strip() else letter
