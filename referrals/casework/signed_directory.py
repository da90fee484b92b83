"""The directory under the team's signatures: whose count, the first signing, what nobody stands for, in words.

Decides nothing about a row: which one is believed is told by `referrals.directory.believed`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from operator import attrgetter

from sqlalchemy.orm import Session

from referrals.directory import believed, curation
from referrals.directory.believed import Judge, Unbelieved
from referrals.directory.home import Vouched, WhoSigns
from referrals.directory.keeping.guarded import is_guarded
from referrals.directory.match_table import changed
from reporting.errors import AmparoError
from reporting.i18n import T_, said
from reporting.teams import accounts, audit, heads, log_report, members, team_log
from reporting.teams.heads import SHEETS
from reporting.teams.keyring import Keys
from reporting.teams.members import Actor
from reporting.teams.team_log import CASE_WORKER, COORDINATOR, BrokenChain, Pin

KEEPERS = frozenset({CASE_WORKER, COORDINATOR})  # who looks after the directory
NAMED = 20  # services that `check` names one by one


def who_signs(pin: Pin) -> WhoSigns:
    """For `snapshot.settle`: whose signatures count in an installation. Under a broken log nobody's do."""

    def look(db: Session) -> Vouched | None:
        try:
            verified = team_log.teams_or_none(db, pin)
        except BrokenChain:
            return Vouched({}, log_report.is_of)
        if not verified:
            return None
        begun = pin.rows_are_signed() or believed.is_any_signed(db)
        keys = accounts.keys_that_sign(db, verified, vouched=True)
        return Vouched({member: keys[member] for member in keys if member != SHEETS}, log_report.is_of, begun)

    return look


def may_sign(db: Session, pin: Pin, by: Keys | Actor) -> bool:
    """Whether the signature of somebody counts: a case worker or coordinator whose key a team log names."""
    own = members.signing_pair(by.private).public
    verified = team_log.teams_or_none(db, pin)
    return bool(KEEPERS & set(by.roles)) and log_report.is_vouched(db, verified, by.member, own)


def begin(db: Session, pin: Pin, keys: Keys) -> int | None:
    """The first who signs in and may, after rows came to be signed, signs what is there. How many; None where not.

    `Pin.note_rows_signed` follows when that is committed.
    """
    if pin.rows_are_signed() or not may_sign(db, pin, keys):
        return None
    if believed.is_any_signed(db):  # begun elsewhere: this machine has only not noted it yet
        return 0
    services = believed.sign_what_is_there(db, keys.signer)
    audit.note(db, "directory signed", keys.member, keys.signer, rows=len(services))
    heads.see_audit(db, keys.member, keys.private)
    changed(db, ())
    return len(services)


def unbelieved(db: Session) -> tuple[Unbelieved, ...]:
    """Every service that nobody stands for, or that is gone."""
    return tuple(Judge(db).unbelieved(db))


def problems(db: Session) -> list[str]:
    """For whoever keeps the machine: what is not believed, each in a sentence that says what is offered instead."""
    named = sorted(unbelieved(db), key=attrgetter("shipped"))  # what is offered to nobody first
    more = len(named) - NAMED
    words = T_("%(count)s services more are signed by nobody: the page of the directory lists them.")
    return [*map(_problem, named[:NAMED]), *([said(words, count=more)] if more > 0 else [])]


def _problem(item: Unbelieved) -> str:
    if item.gone:
        return said(GONE, service=item.service)
    columns = f" ({', '.join(item.differs)})" if item.differs else ""
    return said(NOT_AS_SIGNED if item.shipped else NOT_AS_SIGNED_NOR_SHIPPED, service=item.service, columns=columns)


GONE = T_("The service %(service)s is gone from the database: the shipped one is offered. Who wrote to it?")
NOT_AS_SIGNED = T_(
    "The service %(service)s is not as somebody of the team signed it%(columns)s: the shipped one is offered. If a "
    "file was brought in at the terminal, a case worker signs it on the page of the directory; if not, who wrote to it?"
)
NOT_AS_SIGNED_NOR_SHIPPED = T_(
    "The service %(service)s is not as somebody of the team signed it%(columns)s: it is offered to nobody. If a file "
    "was brought in at the terminal, a case worker signs it on the page of the directory; if not, who wrote to it?"
)


class NotVouched(AmparoError):
    """The key of whoever signs is named by no team log: a signature of it would not count."""


class NotAsSeen(AmparoError):
    """What was looked at and is to be signed is another now."""


def seen_of(items: Iterable[Unbelieved]) -> str:
    """A short hash of exactly these rows: who signs hands it back, so that nobody signs what was not looked at."""
    return hashlib.sha256(
        b"".join(item.service.encode() + believed.digest_of(item.cells) for item in items)
    ).hexdigest()[:16]


def sign_seen(db: Session, by: Actor, pin: Pin, items: Sequence[Unbelieved], seen: str, today: date) -> None:
    """Somebody has looked at rows that came in at the terminal, or were changed, and stands for them as they are.

    For what could send many people elsewhere it takes a second person too. Raises `NotVouched`, `NotAsSeen`.
    """
    if seen_of(items) != seen:
        raise NotAsSeen
    if by.signer is None or not may_sign(db, pin, by):
        raise NotVouched
    services = [item.service for item in items]
    alone = [item.service for item in items if not is_guarded(item.cells)]
    believed.sign(db, alone, by.signer)
    for service in set(services) - set(alone) - curation.waiting(db).keys():
        curation.ask_for_row(db, service, by.name, today, by.signer)
    audit.note(db, "services signed", by.member, by.signer, services=services)
    heads.see_audit(db, by.member, by.private)
    changed(db, services)
