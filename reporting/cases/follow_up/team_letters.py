"""The letters that a team wrote beforehand, sealed under its vault key: one row a team, written anew as a whole.

There is nothing of a case in them; yet what a desk says to many tells much about it. Whoever opens a case of the team
may write, change and take out. Knows neither the letters that are shipped nor the web.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reporting.cases.case_file import as_json, from_json
from reporting.cases.records import EditConflict
from reporting.cases.seal_contexts import letters_context
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen
from reporting.errors import AmparoError
from reporting.storage.database import add_once
from reporting.storage.models import LettersRow
from reporting.teams.keyring import Keys

AT_MOST: Final = 60  # letters of a team: more than that nobody finds her way in


class TooManyLetters(AmparoError):
    """The team has as many letters as a list can hold."""


@dataclass(frozen=True, slots=True)
class TeamLetter:
    """A letter that a team wrote. `instead_of`: the shipped letter in whose place it stands, if it does.

    `by` and `hour` (since 1970) say who wrote it last; `version` how often it was written, 0: never yet.
    """

    titles: Mapping[str, str]  # language -> how it is called
    texts: Mapping[str, str]  # language -> what it says
    code: str = ""  # given when it is kept first
    instead_of: str = ""
    by: int = 0
    hour: int = 0
    version: int = 0


def letters_of(db: Session, keys: Keys, team: int) -> tuple[TeamLetter, ...]:
    """The letters of a team in the order in which they were first written. `CannotOpen` where their seal is broken."""
    row = db.get(LettersRow, team)
    return _opened(keys, row) if row is not None else ()


def _opened(keys: Keys, row: LettersRow) -> tuple[TeamLetter, ...]:
    place = letters_context(row.team, row.epoch, row.number)
    content = from_json(sealing.open_sealed(keys.of(row.team, row.epoch).vault, place, row.sealed))
    return tuple(TeamLetter(**letter) for letter in content["letters"])


def keep(db: Session, keys: Keys, team: int, letter: TeamLetter, hour: int) -> str:
    """Keep a new letter, or a known one as it is now. Returns its code.

    `letter.version` is the one that its page was made from: `EditConflict` where somebody changed it or took it out
    since. Raises `TooManyLetters`.
    """
    letters = {known.code: known for known in _locked(db, keys, team)}
    code = letter.code or secrets.token_hex(6)
    if (letters[code].version if code in letters else 0) != letter.version:
        raise EditConflict
    if letter.instead_of and any(
        known.instead_of == letter.instead_of and known.code != code for known in letters.values()
    ):
        raise EditConflict  # somebody else put one in the same place meanwhile
    letters[code] = replace(letter, code=code, by=keys.member, hour=hour, version=letter.version + 1)
    if len(letters) > AT_MOST:
        raise TooManyLetters
    _write(db, keys, team, letters.values())
    return code


def take_out(db: Session, keys: Keys, team: int, code: str, version: int) -> None:
    """Take a letter out. `EditConflict` where somebody changed it since its page was made."""
    letters = _locked(db, keys, team)
    if any(known.code == code and known.version != version for known in letters):
        raise EditConflict
    _write(db, keys, team, (known for known in letters if known.code != code))


def _locked(db: Session, keys: Keys, team: int) -> tuple[TeamLetter, ...]:
    """The letters, held until this transaction ends; none where their seal is broken: then they begin anew.

    `CannotOpen` for a member who does not hold the keys that they are sealed to.
    """
    epoch = max(keys.epochs[team])
    first = {"team": team, "epoch": epoch, "number": 0, "sealed": _sealed(keys, team, epoch, 0, ())}
    add_once(db, LettersRow.__table__, first)
    row = db.execute(select(LettersRow).where(LettersRow.team == team).with_for_update()).scalar_one()
    keys.of(team, row.epoch)  # who never held these keys writes over nothing
    try:
        return _opened(keys, row)
    except CannotOpen:
        return ()


def _write(db: Session, keys: Keys, team: int, letters: Iterable[TeamLetter]) -> None:
    """Seal them to the newest keys that the member holds."""
    epoch, number = max(keys.epochs[team]), db.get_one(LettersRow, team).number + 1
    sealed = _sealed(keys, team, epoch, number, letters)
    db.execute(update(LettersRow).where(LettersRow.team == team).values(epoch=epoch, number=number, sealed=sealed))


def _sealed(keys: Keys, team: int, epoch: int, number: int, letters: Iterable[TeamLetter]) -> bytes:
    content = as_json({"letters": [asdict(letter) for letter in letters]})
    return sealing.seal(keys.of(team, epoch).vault, letters_context(team, epoch, number), content)
