"""What was last worked out of a team's queue, sealed in parts; a part goes with any of its cases.

Knows neither the order of the queue nor the web.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reporting.cases import derived
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.storage.models import CaseRow, SheetRow
from reporting.teams.keyring import Keys


def read_sheets(db: Session, keys: Keys, team: int) -> dict[int, bytes]:
    """What was last worked out about a team's queue, by part; a part that does not open is left out."""
    opened = {}
    for part, epoch, sealed in db.execute(_SHEETS.where(SheetRow.team == team)):
        try:
            opened[part] = sealing.open_sealed(keys.of(team, epoch).vault, _sheet_place(team, part, epoch), sealed)
        except CannotOpen:
            continue  # it is worked out anew
    return opened


_SHEETS = select(SheetRow.part, SheetRow.epoch, SheetRow.sealed)
Work = Callable[[frozenset[int]], Mapping[int, bytes]]  # the cases a team has -> what is to be kept, by part


def write_sheets(db: Session, keys: Keys, team: int, work: Work) -> None:
    """Keep what was worked out about a team's queue, sealed under its newest vault key that the member holds.

    `work` is told which cases the team has at this moment, so that nothing is kept of one that went meanwhile; an
    empty part goes. Its transaction should do nothing else.
    """
    derived.hold_still(db)
    contents = work(frozenset(db.scalars(select(CaseRow.id).where(CaseRow.team == team))))
    epoch = max(keys.epochs[team])
    db.execute(delete(SheetRow).where(SheetRow.team == team, SheetRow.part.in_(list(contents))))
    vault = keys.of(team, epoch).vault
    for part, content in contents.items():
        if content:
            sealed = sealing.seal(vault, _sheet_place(team, part, epoch), content)
            db.add(SheetRow(team=team, part=part, epoch=epoch, sealed=sealed))
    db.flush()


def _sheet_place(team: int, part: int, epoch: int) -> SealContext:
    """Where the sealed cache of a team's queue belongs."""
    return SealContext("queue_sheet", team, part, "sheet", epoch)
