"""Releases: how what was frozen is built, once, and published. What leaves the cases, and when: `freezing`.

A release is built once, with its entry in the ledger, and published by somebody else where there is somebody. True
counts live inside one call: shown to nobody, kept nowhere, never logged. Knows nothing of the web.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen
from reporting.figures import files as figures_files
from reporting.figures import freezing, release_ledger, tables
from reporting.figures.files import archive, build
from reporting.figures.noise import add_noise
from reporting.figures.periods import Period, period
from reporting.figures.release_ledger import COMPILED, FREEZING, FROZEN, NO_LEDGER, OVERLAPS, PUBLISHED, ReleaseRefused
from reporting.figures.tables import Noise
from reporting.figures.tallies import open_archived, openers, statistics_team
from reporting.i18n import N_
from reporting.storage.database import reading, writing
from reporting.storage.models import MemberRow
from reporting.storage.release_models import ArchiveRow, ReleaseMonthRow, ReleaseRow
from reporting.teams import audit, heads, team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import ADVOCATE, Pin, Team
from reporting.vocabulary.places import HOME, CountryPlaces


@dataclass(frozen=True, slots=True)
class Choice:
    """What people decide about a release before it is built. None of it can come from the reports: they are sealed."""

    further: tuple[str, ...] = ()  # tables of `tables.FURTHER`
    epsilon: Fraction = tables.DEFAULT_EPSILON
    total_only: bool = False


USUAL = Choice()
EPSILONS = (tables.DEFAULT_EPSILON, tables.LARGEST_EPSILON)  # the second is a board's decision


def design_of(db: Session, chosen: Period, choice: Choice, places: CountryPlaces = HOME) -> tables.Design:
    """The tables of a release, by the departments of `places`. `ValueError` for a choice that nobody has."""
    if choice.epsilon not in EPSILONS:
        raise ValueError("A report has no such budget.")
    tier = tables.TOTAL_ONLY if choice.total_only else tables.tier_of(expected(db, chosen))
    return tables.design(tier, choice.further, places=places)


def expected(db: Session, chosen: Period) -> int | None:
    """How many reports the last release makes one expect in a period of this length; None before the first release."""
    for newest in published(db)[:1]:
        return (newest.total or 0) * len(chosen.months) // len(period(newest.period).months)
    return None


def may_compile(db: Session, pin: Pin, keys: Keys, chosen: Period, now: float) -> None:
    """Whether a period may be frozen and compiled, or go on being so: returns where it may.

    `ReleaseRefused` and `CannotOpen` as `freezing.may_begin` says, and where it was compiled already.
    """
    row = db.scalars(select(ReleaseRow).where(ReleaseRow.period == chosen.name)).first()
    if row is None or row.state == FREEZING:
        freezing.may_begin(db, pin, keys, chosen, now)
    elif row.state != FROZEN:
        raise ReleaseRefused(OVERLAPS)
    statistics_team(db, pin, keys)
    release_ledger.must_be_new(pin.ledger, chosen)


def compile_release(
    engine: Engine,
    pin: Pin,
    keys: Keys,
    release: int,
    noise: Noise,
    choice: Choice = USUAL,
    *,
    places: CountryPlaces = HOME,
    fictional: bool = False,
) -> None:
    """Open the archive, count, add noise; then the bytes go into the ledger, and in one short transaction to the row.

    Only under the lock of maintenance. Whatever stops it after the noise was drawn, the next try takes the bytes of the
    ledger. `ReleaseRefused` when the release has bytes already, or the ledger is missing or knows it as published.
    """
    with reading(engine) as db:
        name = _frozen(db, release).period
        release_ledger.must_be_new(pin.ledger, period(name))
        body = release_ledger.built_before(pin.ledger, name)
        if body is None:
            design = design_of(db, period(name), choice, places)
            body = _built(db, pin, keys, release, design, choice.epsilon, noise, fictional=fictional)
    pin.ledger.keep(name, body)  # also where a power cut came between the bytes and their entry
    with writing(engine) as db:
        row = _frozen(db, release)
        row.body, row.sha256, row.state, row.compiled_by = body, sealing.digest(body), COMPILED, keys.member
        audit.note(db, f"figures compiled {name} {row.sha256.hex()}", keys.member, keys.signer)
        heads.see_audit(db, keys.member, keys.private)


def _frozen(db: Session, release: int) -> ReleaseRow:
    row = db.get(ReleaseRow, release)
    if row is None or row.state != FROZEN:
        raise ReleaseRefused(OVERLAPS)
    return row


def _built(
    db: Session,
    pin: Pin,
    keys: Keys,
    release: int,
    design: tables.Design,
    epsilon: Fraction,
    noise: Noise,
    *,
    fictional: bool,
) -> bytes:
    team, name = statistics_team(db, pin, keys), _frozen(db, release).period
    ready = openers(team, keys)
    rows = select(ArchiveRow.id, ArchiveRow.sealed).where(ArchiveRow.release == release)
    looked = db.execute(rows.execution_options(yield_per=AT_ONCE))
    blocks = (open_archived(row.sealed, row.id, release, ready) for row in looked)
    return body_of(name, design, epsilon, blocks, noise, fictional=fictional)


PERCENT = 100
AT_ONCE = 500  # sealed tallies that are fetched together


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
    team = statistics_team(db, pin, keys)
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


@dataclass(frozen=True, slots=True)
class Listed:
    """A release as its team sees it in the list."""

    id: int
    period: str
    state: str
    compiled_by: int
    sha256: str
    done: float = 1.0  # of the freeze

    @property
    def percent(self) -> int:
        """How much of the freeze is done, in whole hundredths."""
        return int(PERCENT * self.done)


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
    return tuple(
        Listed(
            row.id,
            row.period,
            row.state,
            row.compiled_by,
            row.sha256.hex(),
            freezing.progress(db, row.id) if row.state == FREEZING else 1.0,
        )
        for row in rows
    )


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
