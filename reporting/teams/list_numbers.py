"""How new the list of what a team has taken must at least be: it stands in the pin and in each member's record.

The list itself, and what is in it, is a matter of `cases`. A number never goes down.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from reporting.i18n import T_, said
from reporting.storage.files import rewrite_json
from reporting.storage.models import LIST_HEAD, MemberRow, TakenRow, TeamRow
from reporting.teams import heads
from reporting.teams.keyring import Keys
from reporting.teams.team_log import LISTS, BrokenChain, Pin

ListNumber = tuple[int, int]  # epoch of the key that the list is sealed with, how often it was written
NO_LIST: ListNumber = (0, 0)


def pinned(pin: Pin) -> dict[int, ListNumber]:
    """Team -> the newest list that the pin knows. `BrokenChain` where its file is not to be read."""
    try:
        return _numbers_in(json.loads(pin.path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        raise BrokenChain from None


def pin_lists(pin: Pin, newest: Mapping[int, ListNumber]) -> None:
    """Pin lists that are committed; the file is written only where one is newer."""
    if risen(pinned(pin), newest):
        rewrite_json(pin.path, lambda content: content | {LISTS: _in_words(_numbers_in(content), newest)})


def seen(db: Session, keys: Keys) -> dict[int, ListNumber]:
    """Team -> the newest list that a member saw. `CannotOpen` when the member's record was changed."""
    row = db.get(MemberRow, keys.member)
    return _numbers_in(heads.recall(keys.private, row)) if row else {}


def remember(db: Session, keys: Keys, newest: Mapping[int, ListNumber]) -> None:
    """A member remembers lists that were seen just now."""
    row = db.get_one(MemberRow, keys.member, with_for_update=True, populate_existing=True)
    remembered: dict[str, Any] = heads.recall(keys.private, row)
    if risen(_numbers_in(remembered), newest):
        remembered[LISTS] = _in_words(_numbers_in(remembered), newest)
        row.remembered = heads.remember(keys.private, keys.member, remembered)
        db.flush()


def risen(before: Mapping[int, ListNumber], newest: Mapping[int, ListNumber]) -> dict[int, ListNumber]:
    """Those of the newest that are newer than before."""
    return {team: number for team, number in newest.items() if number > before.get(team, NO_LIST)}


def _numbers_in(content: Mapping[str, Any]) -> dict[int, ListNumber]:
    return {int(team): (int(epoch), int(number)) for team, (epoch, number) in content.get(LISTS, {}).items()}


def _in_words(before: Mapping[int, ListNumber], newest: Mapping[int, ListNumber]) -> dict[str, ListNumber]:
    return {str(team): number for team, number in ({**before, **risen(before, newest)}).items()}


MISSING = T_(
    "The list of the cases that %(team)s knows is missing: nobody of that team opens a case before a member has "
    "entered on the page of cases that a backup was put back. If none was, the database was changed."
)
OLDER = T_(
    "The list of the cases that %(team)s knows is older than it was: nobody of that team opens a case before a member "
    "has entered on the page of cases that a backup was put back. If none was, the database was changed."
)


def problems(db: Session, pin: Pin) -> tuple[str, ...]:
    """For the terminal, without a key: the lists that are missing, or older than the pin knows them."""
    heads = db.scalars(select(TakenRow).where(TakenRow.part == LIST_HEAD))
    there = {row.team: (row.epoch, row.number) for row in heads}
    names = {row.id: row.name for row in db.scalars(select(TeamRow))}
    return tuple(
        said(OLDER if team in there else MISSING, team=names.get(team) or said("team %(number)s", number=team))
        for team, number in sorted(pinned(pin).items())
        if there.get(team, NO_LIST) < number
    )
