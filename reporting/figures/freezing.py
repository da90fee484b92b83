"""The freeze: the tallies of a period leave the case rows, in batches, while people go on working.

Nothing that is written on the way ties a tally to a case: the months are closed, every tally is read, the archive is
written in one random order, and only then are the tallies of the cases sealed anew, a few at a time. Whatever stops
it, the next try goes on where it was. Counts nothing and knows nothing of the web.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reporting.cases.case_file import SEALED_TALLY_SIZE, random63, seal_tally
from reporting.clock import DAY
from reporting.crypto import sealing
from reporting.figures import release_ledger
from reporting.figures.periods import FREEZE_DAYS, Period
from reporting.figures.release_ledger import FREEZING, FROZEN, OVERLAPS, ReleaseRefused
from reporting.figures.tallies import Openers, archive_context, month_of, open_tally, openers, statistics_team
from reporting.i18n import N_
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow
from reporting.storage.release_models import ArchiveRow, ReleaseMonthRow, ReleaseRow
from reporting.teams import audit, heads
from reporting.teams.keyring import Keys
from reporting.teams.team_log import Pin, Team
from reporting.vocabulary.tally import VOID_TALLY

_shuffle = random.SystemRandom().shuffle
BATCH = 200  # cases that one transaction writes: a tenth of a second at most
NOT_ARCHIVED = -1  # of `ReleaseRow.reached`, before the archive is whole; then the number of the last case that is done
Say = Callable[[int, int], None]  # how many steps are done, of how many
TOO_EARLY = N_("The period is frozen 60 days after its end. Until then outcomes and corrections are still counted.")


def may_begin(db: Session, pin: Pin, keys: Keys, chosen: Period, now: float) -> Team:
    """The team that counts. `ReleaseRefused` when it is too early, or a month of the period belongs to another release.

    `CannotOpen` for who does not read in that team.
    """
    if now < chosen.ends + FREEZE_DAYS * DAY:
        raise ReleaseRefused(TOO_EARLY)
    release_ledger.must_be_new(pin.ledger, chosen)
    team = statistics_team(db, pin, keys)
    waits = select(ReleaseRow.id).where(ReleaseRow.period == chosen.name, ReleaseRow.state == FREEZING)
    others = select(ReleaseMonthRow.month).where(
        ReleaseMonthRow.month.in_(chosen.months), ReleaseMonthRow.release.not_in(waits)
    )
    if db.scalars(others).first() is not None:
        raise ReleaseRefused(OVERLAPS)
    return team


def freeze(
    engine: Engine, pin: Pin, keys: Keys, chosen: Period, now: float, say: Say | None = None, batch: int = BATCH
) -> int:
    """The period's tallies leave the case rows. Returns the release's number. Only under the lock of maintenance.

    Every case row gets a tally sealed anew, void where it left; the archive gets a row for every case, void where it
    does not belong. So neither a copy of before, nor one taken on the way, nor one of after shows who is counted, or
    how many are. A freeze that was stopped goes on. Raises what `may_begin` raises.
    """
    with writing(engine) as db:
        release, reached = _begin(db, pin, keys, chosen, now)
    work = _Freeze(engine, pin, keys, chosen, release, batch, say or _quiet)
    if reached == NOT_ARCHIVED:
        work.archive()
        reached = 0
    work.cut(reached)
    with writing(engine) as db:
        db.execute(update(ReleaseRow).where(ReleaseRow.id == release).values(state=FROZEN, reached=0))
        audit.note(db, f"figures frozen {chosen.name}", keys.member, keys.signer)
        heads.see_audit(db, keys.member, keys.private)
    return release


def _quiet(_done: int, _of: int) -> None:
    """Nobody waits for it."""


def _begin(db: Session, pin: Pin, keys: Keys, chosen: Period, now: float) -> tuple[int, int]:
    """Number and stage of the release: from this moment on, what changes in its months comes too late."""
    team = may_begin(db, pin, keys, chosen, now)
    before = db.scalars(select(ReleaseRow).where(ReleaseRow.period == chosen.name)).first()
    if before is not None:
        return before.id, before.reached
    row = ReleaseRow(
        period=chosen.name,
        state=FREEZING,
        team=team.id,
        epoch=team.newest.number,
        compiled_by=keys.member,
        reached=NOT_ARCHIVED,
    )
    try:
        db.add(row)
        db.flush()
        db.add_all(ReleaseMonthRow(month=month, release=row.id) for month in chosen.months)
        db.flush()
    except IntegrityError:
        raise ReleaseRefused(OVERLAPS) from None
    return row.id, NOT_ARCHIVED


@dataclass(frozen=True, slots=True)
class _Freeze:
    """One freeze that is going on."""

    engine: Engine
    pin: Pin
    keys: Keys
    chosen: Period
    release: int
    batch: int
    say: Say

    def archive(self) -> None:
        """Read every tally; write the archive, in one random order of all."""
        with reading(self.engine) as db:
            team = statistics_team(db, self.pin, self.keys)
            cases = _count(db)
        ready, blocks = openers(team, self.keys), list[bytes]()
        for rows in self._cases(0):
            opened = (open_tally(tally, case, team, ready) for case, tally in rows)
            blocks += (block if month_of(block) in self.chosen.months else VOID_TALLY for block in opened)
            self.say(len(blocks), 3 * cases)
        _shuffle(blocks)
        self._forget_archive()
        for start in range(0, len(blocks), self.batch):
            rows_of_archive = [self._archived(block, team) for block in blocks[start : start + self.batch]]
            with writing(self.engine) as db:
                db.execute(insert(ArchiveRow), rows_of_archive)
            self.say(cases + start, 3 * cases)
        with writing(self.engine) as db:
            db.execute(update(ReleaseRow).where(ReleaseRow.id == self.release).values(reached=0))

    def _forget_archive(self) -> None:
        """What a try that was stopped has written."""
        mine = select(ArchiveRow.id).where(ArchiveRow.release == self.release).limit(self.batch)
        while True:
            with writing(self.engine) as db:
                numbers = db.scalars(mine).all()
                db.execute(delete(ArchiveRow).where(ArchiveRow.id.in_(numbers)))
            if not numbers:
                return

    def _archived(self, block: bytes, team: Team) -> Mapping[str, object]:
        number, epoch = random63(), team.newest
        place = archive_context(number, self.release, epoch.number)
        sealed = sealing.seal_to(epoch.sealing, place, block, SEALED_TALLY_SIZE)
        return {"id": number, "release": self.release, "sealed": sealed}

    def cut(self, reached: int) -> None:
        """Seal the tally of every case anew, void where its month is frozen, from this case number on."""
        with reading(self.engine) as db:
            team = statistics_team(db, self.pin, self.keys)
            frozen = frozenset(db.scalars(select(ReleaseMonthRow.month)))
            cases, done = _count(db), _count(db, reached)
        ready = openers(team, self.keys)
        for rows in self._cases(reached):
            self._cut_some(rows, team, ready, frozen)
            done += len(rows)
            self.say(2 * cases + done, 3 * cases)

    def _cut_some(self, rows: Sequence[tuple[int, bytes]], team: Team, ready: Openers, frozen: frozenset[int]) -> None:
        """What changed between the look and the writing is looked at once more."""
        last, left = rows[-1][0], rows
        while left:
            sealed = {case: _sealed_anew(case, tally, team, ready, frozen) for case, tally in left}
            with writing(self.engine) as db:
                db.connection().execute(
                    _CHANGE, [{"case": case, "before": tally, "after": sealed[case]} for case, tally in left]
                )
                there = db.execute(select(CaseRow.id, CaseRow.tally).where(CaseRow.id.in_(list(sealed)))).all()
                left = [(case, tally) for case, tally in there if tally != sealed[case]]
                if not left:
                    db.execute(update(ReleaseRow).where(ReleaseRow.id == self.release).values(reached=last))

    def _cases(self, reached: int) -> Iterator[Sequence[tuple[int, bytes]]]:
        """Number and tally of every case above a number, in slices; each is a look of its own."""
        while True:
            look = select(CaseRow.id, CaseRow.tally).where(CaseRow.id > reached).order_by(CaseRow.id).limit(self.batch)
            with reading(self.engine) as db:
                rows = [(case, tally) for case, tally in db.execute(look)]
            if not rows:
                return
            yield rows
            reached = rows[-1][0]


_TABLE = CaseRow.__table__
_CHANGE = (
    update(CaseRow.__table__)  # type: ignore[arg-type]
    .where(and_(_TABLE.c.id == bindparam("case"), _TABLE.c.tally == bindparam("before")))
    .values(tally=bindparam("after"))
)


def _sealed_anew(case: int, tally: bytes, team: Team, ready: Openers, frozen: frozenset[int]) -> bytes:
    """A month that was frozen is closed: what is there now was corrected too late, and counts nowhere."""
    block = open_tally(tally, case, team, ready)
    return seal_tally(VOID_TALLY if month_of(block) in frozen else block, case, team)


def _count(db: Session, up_to: int | None = None) -> int:
    """How many cases there are; up to a number, of those up to it."""
    count = select(func.count()).select_from(CaseRow)
    return db.scalar(count if up_to is None else count.where(CaseRow.id <= up_to)) or 0


def progress(db: Session, release: int) -> float:
    """How much of a freeze that is going on is done: from 0 to 1."""
    row = db.get(ReleaseRow, release)
    cases = _count(db) or 1
    if row is None or row.state != FREEZING:
        return 1.0
    if row.reached == NOT_ARCHIVED:
        written = db.scalar(select(func.count()).select_from(ArchiveRow).where(ArchiveRow.release == release)) or 0
        return min(1.0, (cases + written) / (3 * cases)) if written else 0.0
    return min(1.0, (2 * cases + _count(db, row.reached)) / (3 * cases))
