"""Acts of power over a colleague: taken out, reset, dismissed, sessions ended; what waits, and who stops it.

Each is handed who acts: somebody whose password and six digits were right in this very transaction. The sign-in of the
one it is done to closes at once; keys are deleted, and new ones made without them, only when a second member agrees or
a day has passed, and any member can stop it until then. Of the last two readers of a team nothing closes before a
second person agrees, or both recovery sheets are there: nobody makes herself the only reader. Knows no web.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import delete
from sqlalchemy.orm import Session

from reporting.clock import HOUR
from reporting.crypto import sealing
from reporting.errors import AmparoError
from reporting.i18n import T_
from reporting.storage.models import PendingRow
from reporting.teams import accounts, audit, heads, keyring, log_report, members, readers, staff_sessions, team_log
from reporting.teams.audit import Signer
from reporting.teams.heads import Written
from reporting.teams.keyring import Keys, RecoverySheets
from reporting.teams.members import Account, Actor, Unlocked
from reporting.teams.readers import FEW, Pending
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR, Pin, Team

TAKE_OUT, RESET, DISMISS = "take out", "reset", "dismiss"
# act -> with which roles somebody may do it
MAY: Mapping[str, frozenset[str]] = {
    TAKE_OUT: frozenset({CASE_WORKER, ADVOCATE}),
    RESET: frozenset({COORDINATOR, CASE_WORKER}),
    DISMISS: frozenset({COORDINATOR, CASE_WORKER}),
}
ACT_NAMES = {TAKE_OUT: T_("to be taken out"), RESET: T_("to get a new password"), DISMISS: T_("to be dismissed")}
DONE = {TAKE_OUT: "taken out", RESET: "reset", DISMISS: "dismissed"}
MONTH = 30  # days between two signed checkpoints of the audit
WAITS = 24  # hours until what was asked for is carried out without a second member
FRESH = 7  # days in which somebody whom you let in yourself is no second person to you


class WrongSheets(AmparoError):
    """These are not the two recovery sheets of every team in which the account is."""


class NotHers(AmparoError):
    """Whoever acts has not the role for it, is in no team for it, or would do it to the own account."""


class WaitsAlready(AmparoError):
    """Something waits to be done to this account: it is confirmed or stopped first."""


class NothingWaits(AmparoError):
    """Nothing waits to be done to this account, or nobody whose key is known asked for it."""


class NoSecondPerson(AmparoError):
    """Whoever agrees asked for it, is the one it is done to, or is nobody whom somebody else has vouched for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it: whether it was done at once, whether a day alone does, an invitation after a reset."""

    done: bool
    needs_second: bool
    token: str = ""


def ask(
    db: Session,
    pin: Pin,
    by: Actor,
    member: int,
    act: str,
    now: float,
    sheets: RecoverySheets | None = None,
) -> Asked:
    """Have a colleague taken out, reset or dismissed. Sessions and older invitations end at once.

    Done at once to an account that is in no team, or with both sheets. Raises `NotHers`, `WaitsAlready`, `WrongSheets`,
    and `CannotOpen` where there is no such account.
    """
    verified, account = team_log.teams_or_none(db, pin), members.account(db, member)
    _may(db, verified, by, account, act)
    if member in readers.pending(db):
        raise WaitsAlready
    if sheets is not None and not _fit(sheets, verified, member):
        raise WrongSheets
    staff_sessions.end_all(db, member)
    accounts.forget_invitations(db, member)
    inside = any(member in there for there in readers.readers_of(db, verified).values())
    second = inside and sheets is None and is_one_of_few(db, verified, member)
    if inside and sheets is None:
        number = audit.note(db, act, member, by.signer, hour=int(now) // HOUR, second=second)
        db.add(PendingRow(member=member, number=number))
    else:
        members.shut(db, member, DONE[act], by.signer)
    token = accounts.invite_again(db, account, now) if act == RESET else ""
    db.flush()
    heads.see(db, pin, by.member, by.private)
    return Asked(not inside or sheets is not None, second, token)


def is_one_of_few(db: Session, verified: tuple[Team, ...], member: int) -> bool:
    """Whether somebody is the last or the last but one who reads in a casework team."""
    casework = [team for team in verified if team.kind == team_log.CASEWORK]
    return any(member in there and len(there) <= FEW for there in readers.readers_of(db, casework).values())


def _may(db: Session, verified: tuple[Team, ...], by: Actor, account: Account, act: str) -> None:
    reading = readers.readers_of(db, verified)
    mine = [team for team in verified if by.member in reading[team.id]]
    together = any(team_log.reads(team, account.roles, account.teams) for team in mine)
    as_coordinator = act != TAKE_OUT and COORDINATOR in by.roles
    as_member = bool(MAY[act] & set(by.roles)) and bool(mine) and (together or act != TAKE_OUT)
    if account.id == by.member or not (as_coordinator or as_member):
        raise NotHers


def _fit(sheets: RecoverySheets, verified: tuple[Team, ...], member: int) -> bool:
    """Whether both sheets are of every casework team in which somebody is."""
    public, theirs = sheets.key_pair().public, [team for team in verified if member in team.members]
    return any(team.newest.recovery == public for team in verified) and all(
        team.newest.recovery == public for team in theirs
    )


def confirm(db: Session, pin: Pin, by: Actor, member: int, now: float, sheets: RecoverySheets | None = None) -> str:
    """A second member agrees, or whoever acts has both sheets: it is carried out now. Returns which act it was.

    Raises `NothingWaits`, `NoSecondPerson`, `WrongSheets`.
    """
    item, verified = _waiting(db, pin, member), team_log.teams_or_none(db, pin)
    if sheets is not None and not _fit(sheets, verified, member):
        raise WrongSheets
    if sheets is None and not counts_as_second(db, verified, by, item, now):
        raise NoSecondPerson
    if by.member == member:
        raise NoSecondPerson
    _carry_out(db, item, by.signer)
    heads.see(db, pin, by.member, by.private)
    return item.act


def counts_as_second(db: Session, verified: tuple[Team, ...], by: Actor | Keys, item: Pending, now: float) -> bool:
    """Whether somebody is a second person: another one, and not just let in by the one who asked."""
    if by.member in {item.by, item.member}:
        return False
    own = members.signing_pair(by.private).public
    today = datetime.fromtimestamp(now, UTC).date()
    vouchers = [voucher for voucher in log_report.signers(db, verified).get(by.member, ()) if voucher.key == own]
    return any(voucher.by != item.by or voucher.day <= today - timedelta(days=FRESH) for voucher in vouchers)


def stop(db: Session, pin: Pin, by: Actor, member: int) -> None:
    """Any member stops what waits: the account opens again as before. `NothingWaits` where nothing does."""
    item = readers.pending(db).get(member)
    if item is None:
        raise NothingWaits
    _forget(db, member)
    accounts.forget_invitations(db, member)
    audit.note(db, f"stopped: {item.act}", member, by.signer)
    heads.see(db, pin, by.member, by.private)


def end_sessions(db: Session, pin: Pin, by: Actor, member: int) -> None:
    """End every session of a colleague of the same team. `NotHers` for anybody else."""
    _may(db, team_log.teams_or_none(db, pin), by, members.account(db, member), TAKE_OUT)
    staff_sessions.end_all(db, member)
    audit.note(db, "sessions ended", member, by.signer)
    heads.see(db, pin, by.member, by.private)


def reset_with_sheets(db: Session, pin: Pin, sheets: RecoverySheets, member: int, now: float) -> str:
    """Both sheets alone reset an account, when nobody is left who could prove anything. Returns an invitation.

    `WrongSheets` when these are not the sheets, `CannotOpen` where there is no such account.
    """
    verified, account = team_log.teams_or_none(db, pin), members.account(db, member)
    if not _fit(sheets, verified, member):
        raise WrongSheets
    staff_sessions.end_all(db, member)
    _forget(db, member)
    members.shut(db, member, DONE[RESET], _signer_of_sheets(db, sheets, verified))
    return accounts.invite_again(db, account, now)


def _signer_of_sheets(db: Session, sheets: RecoverySheets, verified: tuple[Team, ...]) -> Signer:
    team = next(team for team in verified if team.newest.recovery == sheets.key_pair().public)
    held = keyring.held_with_sheets(db, sheets, team)
    return Signer(heads.SHEETS, partial(sealing.sign, held[team.newest.number].signing))


# ── what waits ──────────────────────────────────────────────────────────────────────────────────────────────


def _waiting(db: Session, pin: Pin, member: int) -> Pending:
    item = readers.pending(db).get(member)
    if item is None or not _was_asked(db, pin, item):
        raise NothingWaits
    return item


def _was_asked(db: Session, pin: Pin, item: Pending) -> bool:
    """Whether the one who is named signed what waits, and it stands where it was signed for."""
    entry = audit.entry_at(db, item.number)
    if entry is None or item.act not in DONE:
        return False
    keys = accounts.keys_that_sign(db, team_log.teams_or_none(db, pin))
    before = audit.chain_at(db, item.number - 1)
    return audit.is_signed(audit.act_of(entry), entry, before, keys.get(item.by, ()), sealing.is_signed)


def _carry_out(db: Session, item: Pending, by: Signer | None) -> None:
    _forget(db, item.member)
    members.shut(db, item.member, DONE[item.act], by)


def _forget(db: Session, member: int) -> None:
    db.execute(delete(PendingRow).where(PendingRow.member == member))
    db.flush()


def hours_left(item: Pending, now: float) -> int:
    """Hours until something is done without a second member."""
    return max(0, WAITS - (int(now) // HOUR - item.hour))


def carry_out_due(db: Session, pin: Pin, by: Signer, now: float) -> None:
    """What has waited for a day and needs no second person is done, in the name of whoever comes first after it."""
    for item in readers.pending(db).values():
        if not item.needs_second and not hours_left(item, now) and _was_asked(db, pin, item):
            _carry_out(db, item, by)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who signed in: the keys, whose keys no longer open, and what was written into the database by hand."""

    keys: Keys
    gone: tuple[str, ...]
    written: tuple[Written, ...]


def arrive(db: Session, pin: Pin, who: Unlocked, now: float) -> Arrival:
    """All that happens when somebody signs in, but for the session.

    Raises `BrokenChain` when an entry seen before is gone, `CannotOpen` when the account was shut or its key sealed
    anew meanwhile, `CodeUsed` when the digits were used.
    """
    keys = keyring.take_keys(db, pin, who)
    written = heads.look_at_people(db, keys.member, keys.private, team_log.teams_or_none(db, pin))
    carry_out_due(db, pin, keys.signer, now)
    keys, gone = keyring.settle(db, pin, keys)
    _say_who_signs(db, pin, keys, now)
    vouch_for_audit(db, pin, keys, now)
    heads.see(db, pin, keys.member, keys.private)
    return Arrival(keys, gone, written)


def _say_who_signs(db: Session, pin: Pin, keys: Keys, now: float) -> None:
    """A member who was let in before keys signed says with which key from now on."""
    verified = team_log.teams_or_none(db, pin)
    mine = [team for team in verified if team.newest.number in keys.epochs.get(team.id, {})]
    own = members.signing_pair(keys.private).public
    if mine and own not in {voucher.key for voucher in log_report.signers(db, verified).get(keys.member, ())}:
        keyring.vouch_for_signer(db, mine[0].id, keys.epochs[mine[0].id], keys.member, keys.signer, now)


def vouch_for_audit(db: Session, pin: Pin, keys: Keys, now: float) -> bool:
    """Once a month, whoever signs in first signs how far the audit has come, into that member's team's log.

    What is swept later is swept only below such a word. A chain that breaks is not signed for.
    """
    today, verified = datetime.fromtimestamp(now, UTC).date(), team_log.teams_or_none(db, pin)
    signed = {checkpoint.number: checkpoint for team in verified for checkpoint in team.checkpoints}
    mine = next((team for team in verified if team.newest.number in keys.epochs.get(team.id, {})), None)
    if mine is None or any(checkpoint.day > today - timedelta(days=MONTH) for checkpoint in signed.values()):
        return False
    if (
        audit.first_break(audit.entries(db), {number: checkpoint.chain for number, checkpoint in signed.items()})
        is not None
    ):
        return False
    number, chain = audit.head(db)
    entry = {"act": team_log.AUDIT, "entry": number, "chain": chain.hex(), "day": today.isoformat()}
    team_log.write_entry(db, mine.id, keys.of(mine.id, mine.newest.number).signing, entry)
    heads.see(db, pin, keys.member, keys.private)
    return True
