"""The queue as it lies there: which cases there are, their summaries, and what was last worked out of them.

What was worked out is sealed in parts; a part goes with any of its cases. What is counted of how cases went lies
likewise, in a table of its own. Knows neither the order of the queue nor what is counted, and nothing of the web.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reporting.cases import derived, taken
from reporting.cases.case_file import open_summary
from reporting.cases.openers import Openers
from reporting.cases.records import CHANGED, LIST, OLDER, BrokenCase
from reporting.cases.seal_contexts import course_context, sheet_context
from reporting.cases.summary import Summary
from reporting.cases.taken import Lists
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.storage.models import CaseRow, CourseRow, SheetRow
from reporting.teams.keyring import Keys
from reporting.teams.team_log import Pin

QUEUE_COLUMNS: Final = ("id", "team", "epoch", "front_key", "vault_key", "card", "version")
AT_ONCE: Final = 500  # so many rows are asked for by number
_COLUMNS: Final = tuple(getattr(CaseRow, column) for column in QUEUE_COLUMNS)


# ── what lies there ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Listing:
    """The cases of a member's teams that the member's keys should open, as they lie there; none is opened."""

    rows: tuple[tuple[int, int, int, int], ...]  # number, team, epoch, version
    waiting: frozenset[int]  # those whose key nobody has moved to the vault


def listed(db: Session, keys: Keys) -> Listing:
    """Which cases there are; out of two indexes alone, no case is read."""
    waiting = frozenset(db.scalars(select(CaseRow.id).where(CaseRow.vault_key.is_(None))))  # of every team: few
    mine = select(CaseRow.id, CaseRow.team, CaseRow.epoch, CaseRow.version).where(CaseRow.team.in_(list(keys.epochs)))
    held = {(team, epoch) for team, epochs in keys.epochs.items() for epoch in epochs}
    there = [(case, team, epoch, version) for case, team, epoch, version in db.execute(mine).all()]
    return Listing(tuple(row for row in there if row[1:3] in held), waiting)


def seals(db: Session, keys: Keys, only: Collection[int] | None = None) -> dict[int, str]:
    """Case -> the hash over all that its summary is read from and with; of all cases, or of these."""
    return {row.id: _seal_of(row) for row in rows(db, keys, only)}


def opened(
    db: Session, keys: Keys, lists: Lists, only: Collection[int] | None = None
) -> tuple[list[Summary], list[BrokenCase]]:
    """The summaries of all cases that a member's keys should open, or of these; and those that were tampered with."""
    openers, summaries, broken = Openers(keys), list[Summary](), list[BrokenCase]()
    for row in rows(db, keys, only):
        there, content = lists[row.team], None
        try:
            key = openers.case_key(row)
            why = taken.why_not(there, row, key)
            if not why:
                content = open_summary(key, row.id, row.version, row.card)
        except CannotOpen:
            why = CHANGED if there else LIST
        if why or content is None:
            broken.append(BrokenCase(row.id, row.team, why))
        else:
            mark = there.mark(row.id) if there and there.key else b""
            summaries.append(Summary(row.id, row.team, _seal_of(row), content, row.epoch, row.version, mark))
    return summaries, broken


def looked_at_again(
    db: Session, keys: Keys, pin: Pin | None, broken: Iterable[BrokenCase]
) -> tuple[list[Summary], tuple[BrokenCase, ...]]:
    """What seems older than the list is looked at once more: a list is read before the cases, which may change."""
    first = tuple(broken)
    unlike = [case.case for case in first if case.why == OLDER]
    again, still = opened(db, keys, taken.lists(db, keys, pin), unlike) if unlike else ([], [])
    return again, (*(case for case in first if case.why != OLDER), *still)


def rows(db: Session, keys: Keys, only: Collection[int] | None = None) -> Iterator[Any]:
    """The sealed summaries and keys of all cases that a member's keys should open, or of these."""
    mine = select(*_COLUMNS).where(CaseRow.team.in_(list(keys.epochs)))
    wanted = list(only or ())
    if only is None:
        queries = [mine]
    else:
        queries = [mine.where(CaseRow.id.in_(wanted[at : at + AT_ONCE])) for at in range(0, len(wanted), AT_ONCE)]
    for query in queries:
        for row in db.execute(query.execution_options(yield_per=AT_ONCE)):
            if row.epoch in keys.epochs[row.team]:
                yield row


def _seal_of(row: Any) -> str:
    """A hash over everything that a summary is read from and with."""
    parts = (row.team, row.epoch, row.version)
    return sealing.digest(repr(parts).encode() + (row.vault_key or b"") + (row.front_key or b"") + row.card)[:16].hex()


# ── what was worked out of it ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SheetKind:
    """Where one kind of what was worked out lies: its table, and to what its seals are bound."""

    row: type[SheetRow | CourseRow]
    context: Callable[[int, int, int], SealContext]


QUEUE: Final = SheetKind(SheetRow, sheet_context)
COURSES: Final = SheetKind(CourseRow, course_context)


def read_sheets(db: Session, keys: Keys, team: int, kind: SheetKind = QUEUE) -> dict[int, bytes]:
    """What was last worked out about a team's cases, by part; a part that does not open is left out."""
    opened, row = {}, kind.row
    for part, epoch, sealed in db.execute(select(row.part, row.epoch, row.sealed).where(row.team == team)):
        try:
            opened[part] = sealing.open_sealed(keys.of(team, epoch).vault, kind.context(team, part, epoch), sealed)
        except CannotOpen:
            continue  # it is worked out anew
    return opened


Work = Callable[[frozenset[int]], Mapping[int, bytes]]  # the cases a team has -> what is to be kept, by part


def write_sheets(db: Session, keys: Keys, team: int, work: Work, kind: SheetKind = QUEUE) -> None:
    """Keep what was worked out about a team's cases, sealed under its newest vault key that the member holds.

    `work` is told which cases the team has at this moment, so that nothing is kept of one that went meanwhile; an
    empty part goes. Its transaction should do nothing else.
    """
    derived.hold_still(db)
    contents = work(frozenset(db.scalars(select(CaseRow.id).where(CaseRow.team == team))))
    epoch, row = max(keys.epochs[team]), kind.row
    db.execute(delete(row).where(row.team == team, row.part.in_(list(contents))))
    vault = keys.of(team, epoch).vault
    for part, content in contents.items():
        if content:
            sealed = sealing.seal(vault, kind.context(team, part, epoch), content)
            db.add(row(team=team, part=part, epoch=epoch, sealed=sealed))
    db.flush()
