"""A release is built once: what stands in the ledger beside `team.pin` holds, whatever became of the database.

Draws no noise and opens no tally. Reads the ledger and says what may be done; puts back what an older database lacks.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reporting.crypto import sealing
from reporting.errors import AmparoError
from reporting.figures.periods import Period, period
from reporting.i18n import N_, T_, said
from reporting.storage.ledger import BUILT, Entry, Ledger, NoLedger
from reporting.storage.models import TeamRow
from reporting.storage.release_models import ArchiveRow, ReleaseMonthRow, ReleaseRow
from reporting.teams.team_log import STATISTICS, BrokenChain, Pin

FREEZING, FROZEN, COMPILED, PUBLISHED = "freezing", "frozen", "compiled", "published"


class ReleaseRefused(AmparoError):
    """Nothing is done to the release; the message id says why."""


OVERLAPS = N_("This period, or one that shares a month with it, is there already. It is never built twice.")
NO_LEDGER = N_(
    "The ledger of releases is missing or does not fit: nothing is built or published. Put releases.json and the "
    "folder releases back beside team.pin, from where the secrets are kept."
)
OUT_ALREADY = N_("This period was published before. `amparo upgrade` puts those same figures back, without new noise.")


def must_be_new(ledger: Ledger, chosen: Period) -> None:
    """`ReleaseRefused` when the ledger has another release with a month of this one, or this one as published."""
    for entry in _entries(ledger):
        if entry.period == chosen.name and entry.state == PUBLISHED:
            raise ReleaseRefused(OUT_ALREADY)
        if entry.period != chosen.name and set(period(entry.period).months) & set(chosen.months):
            raise ReleaseRefused(OVERLAPS)


def _entries(ledger: Ledger) -> tuple[Entry, ...]:
    try:
        return ledger.entries()
    except NoLedger:
        raise ReleaseRefused(NO_LEDGER) from None


def built_before(ledger: Ledger, name: str) -> bytes | None:
    """The bytes that the ledger has for a period; None for none. `ReleaseRefused` when they or it are missing."""
    try:
        return ledger.body(name)
    except NoLedger:
        raise ReleaseRefused(NO_LEDGER) from None


def begin(db: Session, ledger: Ledger) -> None:
    """Of an installation from before there was a ledger: what its database has, with the bytes."""
    ledger.begin()
    for row in db.scalars(select(ReleaseRow).where(ReleaseRow.state.not_in((FREEZING, FROZEN)))):
        ledger.keep(row.period, row.body)
        if row.state == PUBLISHED:
            ledger.note_published(row.period, row.body)


def follow(db: Session, ledger: Ledger) -> tuple[str, ...]:
    """After an older database was put back: releases that the ledger has stand again as they were, byte by byte.

    Returns their periods. Their archives go, so that nothing can be counted anew. `NoLedger` where there is none.
    """
    back = []
    for entry in ledger.entries():
        row = db.scalars(select(ReleaseRow).where(ReleaseRow.period == entry.period)).first()
        if entry.state == BUILT or (row is not None and row.state == PUBLISHED):
            continue
        if row is None:
            row = _row_for(db, period(entry.period))
        row.body, row.state = ledger.body(entry.period) or b"", PUBLISHED
        row.sha256 = sealing.digest(row.body)
        db.execute(delete(ArchiveRow).where(ArchiveRow.release == row.id))
        back.append(entry.period)
    db.flush()
    return tuple(back)


def problems(db: Session, pin: Pin) -> list[str]:
    """What is wrong with the ledger, each in a sentence that says what to do."""
    try:
        entries = pin.ledger.entries() if pin.read() else ()
        bodies = {entry.period: pin.ledger.body(entry.period) for entry in entries}
    except NoLedger:
        return [NO_LEDGER]
    except BrokenChain:
        return []  # the pin does not hold, which is said elsewhere
    rows = db.scalars(select(ReleaseRow).where(ReleaseRow.state == PUBLISHED, ReleaseRow.compiled_by != 0))
    others = [row.period for row in rows if bodies.get(row.period) != row.body]
    words = T_(
        "The figures of %(period)s are published, and the ledger of releases has none or others: find out who wrote to "
        "the database."
    )
    return [said(words, period=name) for name in others]


def _row_for(db: Session, chosen: Period) -> ReleaseRow:
    team = db.scalars(select(TeamRow.id).where(TeamRow.kind == STATISTICS).order_by(TeamRow.id)).first() or 0
    row = ReleaseRow(period=chosen.name, state=FROZEN, team=team, epoch=1, compiled_by=0)
    db.add(row)
    db.flush()
    db.execute(delete(ReleaseMonthRow).where(ReleaseMonthRow.month.in_(chosen.months)))
    db.add_all(ReleaseMonthRow(month=month, release=row.id) for month in chosen.months)
    return row
