"""A work list of calls: which local services are due or unknown in part, whom to call, what to ask.

Is handed a session and the day. Has never heard of a case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory.curation import NOBODY
from referrals.directory.due import Due, due
from referrals.directory.keeping.questions import OpenCell, unknown_of
from referrals.directory.models import HistoryRow, ServiceRow
from referrals.directory.rows import cells_of
from referrals.directory.snapshot import DirectorySnapshot
from referrals.matching.listings import ServiceCard


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a work list: whom to call, what to ask, who tried before."""

    row: Mapping[str, str]
    unknown: tuple[OpenCell, ...]
    due: Due
    tried: tuple[str, ...]  # days on which nobody answered
    gaps: bool  # nobody has seen it: not shown to reporters until somebody confirms it


def worklist(db: Session, held: DirectorySnapshot, place: str, today: date) -> tuple[Task, ...]:
    """What a local team can find out in an afternoon: local services that are due or unknown in part.

    First those with a number, because they can be called; among them those that are asked for most urgently.
    """
    cards = {card.service_id for card in held.cards.by_id.values() if _is_local(card, place)}
    tried: dict[str, list[str]] = {}
    for row in db.scalars(select(HistoryRow).where(HistoryRow.act == NOBODY).order_by(HistoryRow.id)):
        tried.setdefault(row.service, []).append(row.day)
    rows = {row.id: cells_of(row) for row in db.scalars(select(ServiceRow)) if row.id in cards}
    states = {state.service: state for state in due(db, today) if state.service in rows}
    tasks = [
        Task(cells, unknown_of(cells), states[service], tuple(tried.get(service, ())), not cells["source"])
        for service, cells in rows.items()
    ]
    return tuple(sorted((task for task in tasks if task.unknown or task.due.over), key=_easiest))


def _easiest(task: Task) -> tuple[bool, int, str]:
    return not task.row["phone"], task.due.every, task.row["id"]


def _is_local(card: ServiceCard, place: str) -> bool:
    if card.site:
        return card.site.startswith(place)
    return any(
        code.startswith(place) or (len(code) == len("PE25") and place.startswith(code)) for code in card.coverage
    )
