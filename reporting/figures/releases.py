"""Releases: what leaves the cases, when, and how it is published. The only module that opens a tally.

Sixty days after a period's end its tallies leave the case rows (the freeze); then the release is built once,
in one transaction with its entry in the ledger, and published by somebody else where there is somebody. True
counts live inside one call: shown to nobody, kept nowhere, never logged. Knows nothing of the web.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reporting.cases.case_file import SEALED_TALLY_SIZE, random63, seal_tally
from reporting.cases.seal_contexts import tally_context
from reporting.clock import DAY
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.figures import files as figures_files
from reporting.figures import release_ledger, tables
from reporting.figures.files import archive, build
from reporting.figures.noise import add_noise
from reporting.figures.periods import FREEZE_DAYS, Period, period
from reporting.figures.release_ledger import COMPILED, FROZEN, NO_LEDGER, OVERLAPS, PUBLISHED, ReleaseRefused
from reporting.figures.tables import Noise
from reporting.i18n import N_
from reporting.storage.models import ArchiveRow, CaseRow, MemberRow, ReleaseMonthRow, ReleaseRow
from reporting.teams import audit, heads, team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import ADVOCATE, STATISTICS, Pin, Team
from reporting.vocabulary.tally import FIRST_YEAR, VOID_TALLY, newest_form

_shuffle = random.SystemRandom().shuffle


def _archive_place(number: int, release: int, epoch: int) -> SealContext:
    """Bound to its row, so that none can be copied until it shows in the figures."""
    return SealContext("tally_archive", number, release, "tally", epoch)


def freeze(db: Session, pin: Pin, keys: Keys, chosen: Period, now: float) -> int:
    """The period's tallies leave the case rows, in one transaction and in random order. Returns the release's number.

    Every case row gets a tally sealed anew, void where it left; the archive gets a row for every case, void where it
    does not belong. So neither a copy of before nor one of after shows who is counted, or how many are.
    `ReleaseRefused` when it is too early or a month of the period was frozen before.
    """
    if now < chosen.ends + FREEZE_DAYS * DAY:
        raise ReleaseRefused(TOO_EARLY)
    release_ledger.must_be_new(pin.ledger, chosen)
    team = _team(db, pin, keys)
    row = ReleaseRow(period=chosen.name, state=FROZEN, team=team.id, epoch=team.newest.number, compiled_by=keys.member)
    try:
        db.add(row)
        db.flush()
        db.add_all(ReleaseMonthRow(month=month, release=row.id) for month in chosen.months)
        db.flush()
    except IntegrityError:
        raise ReleaseRefused(OVERLAPS) from None
    frozen = set(db.scalars(select(ReleaseMonthRow.month)))
    archived, ready = [], openers(team, keys)
    for case in db.scalars(select(CaseRow).with_for_update()):
        block = open_tally(case.tally, case.id, team, ready)
        month = _month(block)
        archived.append(block if month in chosen.months else VOID_TALLY)
        # a month that was frozen is closed: what is there now was corrected too late, and counts nowhere
        case.tally = seal_tally(VOID_TALLY if month in frozen else block, case.id, team)
    _shuffle(archived)
    db.add_all(_archived(block, row.id, team) for block in archived)
    audit.note(db, f"figures frozen {chosen.name}", keys.member, keys.signer)
    heads.see_audit(db, keys.member, keys.private)
    db.flush()
    return row.id


TOO_EARLY = N_("The period is frozen 60 days after its end. Until then outcomes and corrections are still counted.")


def _archived(block: bytes, release: int, team: Team) -> ArchiveRow:
    number, epoch = random63(), team.newest
    place = _archive_place(number, release, epoch.number)
    return ArchiveRow(
        id=number, release=release, sealed=sealing.seal_to(epoch.sealing, place, block, SEALED_TALLY_SIZE)
    )


Openers = Mapping[int, sealing.Opener]  # epoch -> its key, made ready once for many tallies


def openers(team: Team, keys: Keys) -> Openers:
    """The keys of the epochs an advocate holds, the newest first."""
    held = keys.epochs.get(team.id, {})
    numbers = [epoch.number for epoch in reversed(team.epochs) if epoch.number in held]
    return {number: sealing.Opener(held[number].sealing) for number in numbers}


def open_tally(sealed: bytes, case: int, team: Team, ready: Openers) -> bytes:
    """The tally of a case; void where it does not open."""
    return _opened(sealed, ready, partial(tally_context, case, team.id))


def _opened(sealed: bytes, ready: Openers, place: Callable[[int], SealContext]) -> bytes:
    """A tally under whichever epoch sealed it. One that does not open, or that nobody here wrote, is void."""
    for epoch, opener in ready.items():
        try:
            return newest_form(opener.open(place(epoch), sealed))
        except CannotOpen:
            continue
        except ValueError:
            break
    return VOID_TALLY


def _month(block: bytes) -> int:
    return (FIRST_YEAR + block[1]) * 12 + block[2] - 1 if block != VOID_TALLY else -1


@dataclass(frozen=True, slots=True)
class Choice:
    """What people decide about a release before it is built. None of it can come from the reports: they are sealed."""

    further: tuple[str, ...] = ()  # tables of `tables.FURTHER`
    epsilon: Fraction = tables.DEFAULT_EPSILON
    total_only: bool = False


USUAL = Choice()
EPSILONS = (tables.DEFAULT_EPSILON, tables.LARGEST_EPSILON)  # the second is a board's decision


def design_of(db: Session, chosen: Period, choice: Choice) -> tables.Design:
    """The tables of a release. `ValueError` for a choice that nobody has."""
    if choice.epsilon not in EPSILONS:
        raise ValueError("A report has no such budget.")
    tier = tables.TOTAL_ONLY if choice.total_only else tables.tier_of(expected(db, chosen))
    return tables.design(tier, choice.further)


def expected(db: Session, chosen: Period) -> int | None:
    """How many reports the last release makes one expect in a period of this length; None before the first release."""
    for newest in published(db)[:1]:
        return (newest.total or 0) * len(chosen.months) // len(period(newest.period).months)
    return None


def compile_release(
    db: Session, pin: Pin, keys: Keys, release: int, noise: Noise, choice: Choice = USUAL, *, fictional: bool = False
) -> None:
    """Open the archive, count, add noise, store the bytes: in the caller's one transaction, after the ledger has them.

    Whatever stops it after the noise was drawn, the next try takes the bytes of the ledger. `ReleaseRefused` when the
    release has bytes already, or the ledger is missing or has the period as published.
    """
    row = db.get(ReleaseRow, release, with_for_update=True)
    if row is None or row.state != FROZEN:
        raise ReleaseRefused(OVERLAPS)
    release_ledger.must_be_new(pin.ledger, period(row.period))
    body = release_ledger.built_before(pin.ledger, row.period)
    if body is None:
        team = _team(db, pin, keys)
        design, ready = design_of(db, period(row.period), choice), openers(team, keys)
        blocks = (
            _opened(row.sealed, ready, partial(_archive_place, row.id, release))
            for row in db.execute(select(ArchiveRow.id, ArchiveRow.sealed).where(ArchiveRow.release == release))
        )
        body = body_of(row.period, design, choice.epsilon, blocks, noise, fictional=fictional)
    pin.ledger.keep(row.period, body)  # also where a power cut came between the bytes and their entry
    row.body, row.sha256, row.state, row.compiled_by = body, sealing.digest(body), COMPILED, keys.member
    audit.note(db, f"figures compiled {row.period} {row.sha256.hex()}", keys.member, keys.signer)
    heads.see_audit(db, keys.member, keys.private)
    db.flush()


def body_of(
    name: str, design: tables.Design, epsilon: Fraction, blocks: Iterable[bytes], noise: Noise, *, fictional: bool
) -> bytes:
    """From opened tallies to the bytes of a release. The true counts end here."""
    noisy = add_noise(design, tables.count(design, blocks), epsilon, noise)
    built = build(name, design, epsilon, noisy, fictional=fictional)
    return archive(figures_files.files(built))


def publish(db: Session, pin: Pin, keys: Keys, release: int) -> None:
    """A second advocate publishes; the one who compiled it only where there is no other. The archive is erased.

    `ReleaseRefused` when nothing is compiled, its months are not its own, or another advocate has to publish it;
    `CannotOpen` when its bytes are not those that were compiled. Checkpoint afterwards.
    """
    row = db.get(ReleaseRow, release, with_for_update=True)
    team = _team(db, pin, keys)
    if row is None or row.state != COMPILED:
        raise ReleaseRefused(NOTHING_TO_PUBLISH)
    ledger = db.scalars(select(ReleaseMonthRow.month).where(ReleaseMonthRow.release == release))
    if set(ledger) != set(period(row.period).months):  # a month of it belongs to another release, or to none
        raise ReleaseRefused(OVERLAPS)
    if row.compiled_by == keys.member and others(db, team, keys):
        raise ReleaseRefused(ANOTHER)
    if sealing.digest(row.body) != row.sha256:
        raise CannotOpen
    if release_ledger.built_before(pin.ledger, row.period) != row.body:
        raise ReleaseRefused(NO_LEDGER)
    pin.ledger.note_published(row.period, row.body)
    row.state, row.published_by = PUBLISHED, keys.member
    db.execute(delete(ArchiveRow).where(ArchiveRow.release == release))
    audit.note(db, f"figures published {row.period} {row.sha256.hex()}", keys.member, keys.signer)
    heads.see_audit(db, keys.member, keys.private)
    db.flush()


NOTHING_TO_PUBLISH = N_("There is nothing here to publish.")
ANOTHER = N_("Somebody else looks at it and publishes it: there are two of you.")


def others(db: Session, team: Team, keys: Keys) -> bool:
    """Whether another advocate reads in the team."""
    rows = db.scalars(select(MemberRow)).all()
    return any(row.id != keys.member and ADVOCATE in row.roles.split(",") and team_log.is_in(team, row) for row in rows)


def _team(db: Session, pin: Pin, keys: Keys) -> Team:
    """The statistics team, if the holder of the keys reads in it; else `CannotOpen`."""
    team = team_log.team_of_kind(team_log.teams(db, pin), STATISTICS)
    keys.of(team.id, team.newest.number)
    return team


@dataclass(frozen=True, slots=True)
class Listed:
    """A release as its team sees it in the list."""

    id: int
    period: str
    state: str
    compiled_by: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Published:
    """A release as everybody may read it."""

    period: str
    sha256: str
    files: dict[str, bytes] = field(repr=False)
    about: dict[str, Any] = field(repr=False)
    tables: dict[str, list[dict[str, Any]]] = field(repr=False)

    @property
    def total(self) -> int | None:
        """The published total; None where it is below ten."""
        total: int | None = self.tables["total"][0]["count"]
        return total

    @property
    def fictional(self) -> bool:
        """Whether it was made for practice."""
        return "fictional" in self.about


def listed(db: Session) -> tuple[Listed, ...]:
    """Every release, the newest period first."""
    rows = db.scalars(select(ReleaseRow).order_by(ReleaseRow.period.desc()))
    return tuple(Listed(row.id, row.period, row.state, row.compiled_by, row.sha256.hex()) for row in rows)


def published(db: Session) -> tuple[Published, ...]:
    """What everybody may read, the newest period first. Bytes that were changed are left out."""
    rows = db.scalars(select(ReleaseRow).where(ReleaseRow.state == PUBLISHED).order_by(ReleaseRow.period.desc()))
    return tuple(_read(row) for row in rows if sealing.digest(row.body) == row.sha256)


def find(db: Session, name: str, *, unpublished: bool = False) -> Published:
    """One release by the name of its period. `CannotOpen` where there is none, or its bytes were changed."""
    row = db.scalars(select(ReleaseRow).where(ReleaseRow.period == name)).first()
    if row is None or row.state not in ({COMPILED, PUBLISHED} if unpublished else {PUBLISHED}):
        raise CannotOpen
    return _read(row)


def _read(row: ReleaseRow) -> Published:
    if sealing.digest(row.body) != row.sha256:
        raise CannotOpen
    files = figures_files.unpacked(row.body)
    about, figures = figures_files.from_files(files)
    return Published(row.period, row.sha256.hex(), files, about, figures["tables"])


def publish_fictional(db: Session, chosen: Period, blocks: Iterable[bytes], noise: Noise, team: int) -> None:
    """A release of invented tallies, for the demo; the page and every file say that it is fictional."""
    design = tables.design(FICTIONAL_TIER)
    body = body_of(chosen.name, design, tables.DEFAULT_EPSILON, blocks, noise, fictional=True)
    row = ReleaseRow(
        period=chosen.name, state=PUBLISHED, team=team, epoch=1, compiled_by=0, body=body, sha256=sealing.digest(body)
    )
    db.add(row)
    db.flush()
    db.add_all(ReleaseMonthRow(month=month, release=row.id) for month in chosen.months)
    db.flush()


FICTIONAL_TIER = 2
