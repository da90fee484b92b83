"""What waits for a second person in the directory: who may agree or stop it, and under whose signature.

The rule what waits lies in `referrals.directory.curation`, where every change passes. Each act is handed somebody whose
password and six digits were right in this very transaction. Knows no page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from referrals.casework.signed_directory import KEEPERS, may_sign
from referrals.directory import curation
from referrals.directory.curation import Waiting
from reporting.clock import HOUR
from reporting.i18n import said
from reporting.teams import accounts, audit, heads, log_report, power, team_log
from reporting.teams.keyring import Keys
from reporting.teams.members import Actor
from reporting.teams.power import NoSecondPerson, NothingWaits
from reporting.teams.readers import Pending
from reporting.teams.team_log import Pin

TERMINAL = 0  # the member number of a file that was brought in at the terminal
CHANGE = "change of a service"


@dataclass(frozen=True, slots=True)
class Open:
    """A change that waits, for the page. `known`: the one who is named asked for it; `may`: whoever looks can agree."""

    change: Waiting
    known: bool
    may: bool


def waiting(db: Session, pin: Pin, keys: Keys, now: float) -> dict[str, Open]:
    """Service -> what waits for it, as somebody who is signed in may see it."""
    return {
        service: Open(change, known := _was_asked(db, pin, change), known and _is_second(db, pin, keys, change, now))
        for service, change in curation.waiting(db).items()
    }


def _was_asked(db: Session, pin: Pin, change: Waiting) -> bool:
    """Whether the one who is named signed it. Of a file at the terminal nobody did, and two have to agree to it."""
    if change.member == TERMINAL:
        return True
    keys = accounts.keys_that_sign(db, team_log.teams_or_none(db, pin)).get(change.member, frozenset())
    return any(log_report.is_of(key, change.signature, change.message) for key in keys)


def _is_second(db: Session, pin: Pin, by: Keys | Actor, change: Waiting, now: float) -> bool:
    """Whether somebody is a second person to the one who asked, as for what is done to a colleague."""
    if change.member == TERMINAL:
        return may_sign(db, pin, by)
    item = Pending(change.member, CHANGE, change.member, int(now) // HOUR, needs_second=True, number=0)
    verified = team_log.teams_or_none(db, pin)
    return may_sign(db, pin, by) and power.counts_as_second(db, verified, by, item, now)


def agree(db: Session, pin: Pin, by: Actor, service: str, stamp: str, now: float, today: date) -> bool:
    """A second person agrees, and stands for the row as it is then. False where it waits for one more: a file's change.

    `stamp`: `stamp_of` what was looked at. Raises `NothingWaits`, `NoSecondPerson`, and what `curation.agree` does.
    """
    change = curation.waiting(db).get(service)
    if change is None or stamp_of(change) != stamp or not _was_asked(db, pin, change):
        raise NothingWaits
    if by.signer is None or not _is_second(db, pin, by, change, now):
        raise NoSecondPerson
    if change.member == TERMINAL:
        curation.ask_again(db, change, by.name, by.signer)
    else:
        curation.agree(db, change, by.name, today, by.signer)
    _note(db, "agreed" if change.member else "asked", by, change)
    return change.member != TERMINAL


def stop(db: Session, by: Actor, service: str) -> None:
    """Anybody who looks after the directory stops what waits: the service stays as it is. Raises `NothingWaits`."""
    change = curation.waiting(db).get(service)
    if change is None or not KEEPERS & set(by.roles):
        raise NothingWaits
    curation.stop(db, service)
    _note(db, "stopped", by, change)


def stamp_of(change: Waiting) -> str:
    """A short hash of exactly this change: who agrees hands it back, so that nobody agrees to what was not shown."""
    return hashlib.sha256(change.message + change.who.encode() + change.signature).hexdigest()[:16]


def _note(db: Session, done: str, by: Actor, change: Waiting) -> None:
    audit.note(db, f"{done}: {CHANGE}", change.member, by.signer, service=change.service, change=stamp_of(change))
    heads.see_audit(db, by.member, by.private)


def problems(db: Session, pin: Pin) -> Iterator[str]:
    """For whoever keeps the machine: what waits and nobody known asked for."""
    for service, change in curation.waiting(db).items():
        if not _was_asked(db, pin, change):
            yield said(
                "A change of %(service)s waits in the name of %(name)s, and no key of that account signed it: it is "
                "not carried out. Find out who wrote to the database.",
                service=service,
                name=change.who,
            )
