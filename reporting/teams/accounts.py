"""Accounts: invitations that open once, the first keys, resets, leaving, slowed sign-ins, the check.

Makes no key that reads a case except in the hands of a case worker. Knows nothing of the web.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reporting.crypto import receipts, sealing
from reporting.crypto.sealing import SealContext
from reporting.errors import AmparoError
from reporting.i18n import N_, said
from reporting.storage.models import InvitationRow, TryRow
from reporting.teams import audit, heads, keyring, log_report, members, readers, reading_hours, team_log
from reporting.teams.keyring import RecoverySheets
from reporting.teams.members import Account, Actor, Locked, NewMember
from reporting.teams.team_log import CASE_WORKER, CASEWORK, COORDINATOR, STATISTICS, CannotOpen, Pin, Team

SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another; twenty of them are 99 bits
INVITATION_LIFE = 7 * 24 * 3600  # seconds
INVITED = SealContext("invitation", 0, 0, "invited", 1)
MARK = 8  # bytes of the hash of its code by which the audit knows an invitation
NAME = r"[a-zñ0-9._-]{2,40}"  # what somebody may be called here; the sign-in page makes letters small


class StillWaits(AmparoError):
    """The reset waits for a second member, or for a day to pass: until then the invitation opens nothing."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation, good once: for whom, and with which roles.

    `teams`: whom the invited will read with (none: the founding teams). `new_team`: the first of a team of that name.
    """

    name: str
    roles: tuple[str, ...]
    teams: tuple[int, ...] = ()
    new_team: str = ""


def invite(db: Session, by: Actor, invitation: Invitation, pepper: bytes, now: float) -> str:
    """An act of power: a one-time token for somebody's browser. An older one for the same name is void.

    `CannotOpen` where whoever acts is neither coordinator nor case worker, and there is somebody who could be asked.
    """
    if not {COORDINATOR, CASE_WORKER} & set(by.roles) and by != members.nobody_yet(db):
        raise CannotOpen
    mark = _name_mark(pepper, invitation.name)
    db.execute(delete(InvitationRow).where(InvitationRow.name_mark == mark))
    token = _store(db, invitation, now, name_mark=mark)
    roles = list(invitation.roles)
    audit.note(db, "invited", by.member, by.signer, invitation=_audit_mark(token), roles=roles)
    if by.private:
        heads.see_audit(db, by.member, by.private)
    return token


def _name_mark(pepper: bytes, name: str) -> bytes:
    return hmac.digest(pepper, f"invited {name}".encode(), "sha256")


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that nobody has used. Whom it is for is sealed under its code, of which only she knows.

    `mark`: by what it is chosen. `by`: the account that made it, 0 where nobody did yet. `member`: whose account was
    reset, 0 for somebody new. `roles` are none where they were not noted. Times in seconds since 1970.
    """

    mark: str
    by: int
    member: int
    roles: tuple[str, ...]
    since: int
    until: int


def open_invitations(db: Session, now: float) -> tuple[OpenInvitation, ...]:
    """Every invitation that still opens, the newest first."""
    noted = {
        content.get("invitation"): content
        for _, _, content in audit.in_the_clear(audit.entries(db))
        if content.get("act") == "invited"
    }
    rows = db.scalars(select(InvitationRow).where(InvitationRow.expires >= int(now)))
    listed = [(row, _mark_of(row.token_hash)) for row in rows]
    invitations = [
        OpenInvitation(
            mark,
            int(noted.get(mark, {}).get("by", 0)),
            row.member,
            tuple(noted.get(mark, {}).get("roles", ())),
            row.expires - INVITATION_LIFE,
            row.expires,
        )
        for row, mark in listed
    ]
    return tuple(sorted(invitations, key=lambda invitation: invitation.since, reverse=True))


def take_back(db: Session, by: Actor, mark: str, name: str, pepper: bytes) -> None:
    """An act of power: an invitation opens nothing any more. With a name, only if it is for that name.

    `CannotOpen` where whoever acts is neither coordinator nor case worker, or there is no such invitation.
    """
    rows = db.scalars(select(InvitationRow)).all()
    row = next((row for row in rows if _mark_of(row.token_hash) == mark), None)
    if row is None or not {COORDINATOR, CASE_WORKER} & set(by.roles):
        raise CannotOpen
    if name and not hmac.compare_digest(row.name_mark, _name_mark(pepper, name)):
        raise CannotOpen
    db.delete(row)
    audit.note(db, "invitation taken back", by.member, by.signer, invitation=mark)
    heads.see_audit(db, by.member, by.private)


class NameTaken(AmparoError):
    """Somebody has this name, or is invited with it."""


def rename(db: Session, by: Actor, member: int, name: str, pepper: bytes) -> None:
    """An act of power: another name for signing in. Keys, grants and the audit know accounts by number alone.

    Everybody may change the own name; a coordinator that of an account which cannot sign in. Raises `CannotOpen` for
    whoever may not, `NameTaken`.
    """
    account = members.account(db, member)
    if by.member != member and (COORDINATOR not in by.roles or account.open):
        raise CannotOpen
    invited = db.scalars(select(InvitationRow).where(InvitationRow.name_mark == _name_mark(pepper, name))).first()
    if invited is not None or any(other.name == name for other in members.accounts(db)):
        raise NameTaken
    forget_invitations(db, member)  # one after a reset says the old name
    members.store_name(db, member, name)
    audit.note(db, "name changed", member, by.signer)
    heads.see_audit(db, by.member, by.private)


def invite_again(db: Session, account: Account, now: float) -> str:
    """Part of an act of power, never one by itself: the token of an invitation for an account that was reset."""
    forget_invitations(db, account.id)
    return _store(db, Invitation(account.name, account.roles, account.teams), now, member=account.id)


def forget_invitations(db: Session, member: int) -> None:
    """Invitations after a reset of this account open nothing any more."""
    db.execute(delete(InvitationRow).where(InvitationRow.member == member))


def _store(db: Session, invitation: Invitation, now: float, name_mark: bytes = b"", member: int = 0) -> str:
    """What it says is sealed under its token, of which only the hash is kept: a copy does not tell who is awaited."""
    db.execute(delete(InvitationRow).where(InvitationRow.expires < int(now)))
    token = "-".join("".join(secrets.choice(SIGNS) for _ in range(4)) for _ in range(5))
    sealed = sealing.seal(_invitation_key(token), INVITED, json.dumps(asdict(invitation)).encode())
    expires = int(now) + INVITATION_LIFE
    db.add(InvitationRow(token_hash=_hash(token), name_mark=name_mark, member=member, sealed=sealed, expires=expires))
    db.flush()
    return token


def read_invitation(db: Session, token: str, now: float) -> Invitation:
    """Whom an invitation is for; `CannotOpen` when it is unknown, used or expired."""
    row = db.get(InvitationRow, _hash(token))
    if row is None or now > row.expires:
        raise CannotOpen
    content = json.loads(sealing.open_sealed(_invitation_key(token), INVITED, row.sealed))
    return Invitation(content["name"], tuple(content["roles"]), tuple(content["teams"]), content["new_team"])


def draw_sheets(below: Callable[[int], int], language: str) -> RecoverySheets:
    """Two recovery sheets of twelve words; both are needed."""
    first, second = (receipts.draw_words(keyring.SHEET_WORDS, below, language) for _ in range(2))
    return RecoverySheets(first, second)


def accept(
    db: Session, pin: Pin, token: str, new: NewMember, now: float, recovery: bytes | None, team_name: str
) -> tuple[Team, ...]:
    """Turn an invitation into a member. The first case worker also makes the first keys, here and nowhere else.

    The first of a new team makes that team's.

    `recovery` is the public key of the sheets the first one was shown; None for everybody after. Returns the teams
    that were made, for `Pin.begin` after the commit. `CannotOpen` when the invitation is unknown, used or expired, or
    is for somebody else; `StillWaits` when the account it replaces still has its key.
    """
    invitation = read_invitation(db, token, now)
    if (invitation.roles, invitation.name, invitation.teams) != (new.roles, new.name, new.teams):
        raise CannotOpen
    if new.id in readers.pending(db):
        raise StillWaits
    db.execute(delete(InvitationRow).where(InvitationRow.token_hash == _hash(token)))
    members.store_member(db, new, _audit_mark(token))
    if recovery is None or CASE_WORKER not in new.roles:
        return ()
    if invitation.new_team:
        return (keyring.new_team(db, pin, new.signer, invitation.new_team, recovery, now),)
    reading_hours.note_opened(
        db, datetime.fromtimestamp(now, UTC).date()
    )  # from here on the days of silence are counted
    names = {CASEWORK: team_name, STATISTICS: f"{team_name} ·"}
    return keyring.first_keys(db, pin, new.signer, names, recovery, now)


# ── how fast one may try to sign in ─────────────────────────────────────────────────────────────────────────
FREE_TRIES = 5
HERE, ANYWHERE = "name and sender", "name"
# whom wrong sign-ins slow down -> (tries before they do, longest wait in seconds). Whoever does not know the password
# slows nobody elsewhere; who does is slowed from wherever, so that guessing the six digits takes weeks.
SLOWED: dict[str, tuple[int, int]] = {HERE: (FREE_TRIES, 60), ANYWHERE: (20, 8)}


@dataclass(frozen=True, slots=True)
class Sender:
    """From where somebody tries to sign in. A browser or a session `known` as the member's waits for itself alone."""

    mark: str = field(repr=False)
    known: bool = False


def wait_before(db: Session, pepper: bytes, name: str, sender: Sender, now: float) -> int:
    """Seconds until this name may be tried again from here; 0 when it may be now. Names nobody has are slowed alike."""
    looked_at = (HERE,) if sender.known else (HERE, ANYWHERE)
    rows = (db.get(TryRow, _mark(pepper, whom, name, sender)) for whom in looked_at)
    return max((row.not_before - int(now) for row in rows if row is not None and row.not_before > now), default=0)


def note_failure(db: Session, pepper: bytes, name: str, sender: Sender, now: float, why: Exception) -> None:
    """One wrong sign-in more: twice the wait each time. Only who had the password right (`why`) makes others wait."""
    slowed = (HERE, ANYWHERE) if isinstance(why, members.WrongDigits) and not sender.known else (HERE,)
    for whom in slowed:
        mark = _mark(pepper, whom, name, sender)
        free, longest = SLOWED[whom]
        row = db.get(TryRow, mark)
        if row is None:
            row = TryRow(who=mark, failed=0, not_before=int(now))
            db.add(row)
        row.failed = 1 if now > row.not_before + 3600 else row.failed + 1  # an hour of quiet forgives
        over = row.failed - free
        row.not_before = int(now) + (min(longest, 2 ** min(over, 6)) if over >= 0 else 0)
    db.execute(delete(TryRow).where(TryRow.not_before < int(now) - 2 * 3600))  # and two hours forget
    db.flush()


def note_success(db: Session, pepper: bytes, name: str, sender: Sender) -> None:
    """Somebody signed in: from this sender the tries of the name are counted anew."""
    db.execute(delete(TryRow).where(TryRow.who == _mark(pepper, HERE, name, sender)))


def proof_of_browser(pepper: bytes, drawn: bytes, member: Locked, day: int, length: int) -> bytes:
    """What a browser keeps beside its random bytes, so that it is known as the member's that signed in on this day.

    It names nobody. Another password has another salt, and then nothing of before fits.
    """
    bound = b" ".join((day.to_bytes(4, "big"), member.salt, member.name.encode()))
    return sealing.derive(pepper + drawn, "known browser", bound, length)


def _mark(pepper: bytes, whom: str, name: str, sender: Sender) -> bytes:
    """Under which mark a try is counted; it tells neither the name nor the sender."""
    text = f"{name} {sender.mark}" if whom == HERE else name
    return hmac.digest(pepper, f"sign-in {whom} {text}".encode("utf-8", "replace"), "sha256")


def keys_are_made(db: Session, pin: Pin) -> bool:
    """Whether a case worker has made the first keys."""
    return bool(team_log.teams_or_none(db, pin))


def _plain(token: str) -> bytes:
    """However it was typed: blanks, hyphens and capital letters do not matter."""
    return re.sub(r"[\W_]", "", token.lower()).encode("utf-8", "replace")


def _hash(token: str) -> bytes:
    return hashlib.sha256(b"invitation " + _plain(token)).digest()


def _audit_mark(token: str) -> str:
    """By which the audit says that two acts are of one invitation, without a name."""
    return _mark_of(_hash(token))


def _mark_of(token_hash: bytes) -> str:
    return token_hash[:MARK].hex()


def _invitation_key(token: str) -> bytes:
    return sealing.derive(_plain(token), "invitation")


def count_acts(db: Session) -> int:
    """How many acts the audit holds."""
    return audit.head(db)[0]


def problems(db: Session, pin: Pin, sweepable: date | None = None) -> list[str]:
    """What is wrong or risky with keys, people and audit, each in a sentence that says what to do.

    `sweepable`: audit entries signed for after this day must be there.
    """
    return [*log_report.problems(db, pin), *reader_problems(db, pin), *audit_problems(db, pin, sweepable)]


def reader_problems(db: Session, pin: Pin) -> list[str]:
    """What concerns who reads: teams with one reader or none, a coordinator who reads."""
    both = {team_log.COORDINATOR, CASE_WORKER}
    double = (member.name for member in members.accounts(db) if both <= set(member.roles) and member.open)
    words = N_("%(name)s is coordinator and case worker: she can read cases. Better two people.")
    return readers.problems(db, _believed(db, pin)) + [said(words, name=name) for name in double]


def audit_problems(db: Session, pin: Pin, sweepable: date | None = None) -> list[str]:
    """What concerns the audit: cut, changed, signed by nobody it names."""
    teams = _believed(db, pin)
    return _audit_problems(db, teams, sweepable) + _unsigned(db, teams)


def _believed(db: Session, pin: Pin) -> tuple[Team, ...]:
    """The teams of a log that holds; none where it does not."""
    with suppress(team_log.KeysNotMade, team_log.BrokenChain):
        return team_log.teams(db, pin)
    return ()


def keys_that_sign(db: Session, verified: tuple[Team, ...], *, vouched: bool = False) -> dict[int, frozenset[bytes]]:
    """Account -> the public keys with which it signs; `vouched`: only those that a team log names."""
    named = {
        member: frozenset(voucher.key for voucher in vouchers)
        for member, vouchers in log_report.signers(db, verified).items()
    }
    if vouched:
        return named
    own = audit.own_keys(audit.entries(db), sealing.is_signed)
    return {member: named.get(member, frozenset()) | own.get(member, frozenset()) for member in named.keys() | own}


def _unsigned(db: Session, verified: tuple[Team, ...]) -> list[str]:
    """Acts whose signature is of nobody they name, and people whose key nobody has vouched for."""
    links, names = audit.entries(db), {member.id: member.name for member in members.accounts(db)}
    bad = audit.unsigned(links, keys_that_sign(db, verified), sealing.is_signed)
    named = audit.unsigned(links, keys_that_sign(db, verified, vouched=True), sealing.is_signed)
    strangers = {act.by for act in named if act.number not in {other.number for other in bad}}
    acting = {content["by"] for _, _, content in audit.in_the_clear(links) if _is_of_power(content)}
    unsigned = [said(OF_NOBODY, number=act.number, name=names.get(act.by) or said(N_("nobody"))) for act in bad]
    return [*unsigned, *(said(NOT_VOUCHED, name=names.get(member, "?")) for member in sorted(strangers & acting))]


OF_NOBODY = N_(
    "Entry %(number)s of the audit is signed by nobody: it names %(name)s, and no key of that account made its "
    "signature. Find out who wrote to the database."
)
NOT_VOUCHED = N_(
    "Nobody has vouched for the key with which %(name)s signs: a member hears the six words and types them on the "
    "page of colleagues."
)


def _is_of_power(content: Mapping[str, object]) -> bool:
    """Whether an act is more than that somebody came: a newcomer who waits alarms nobody."""
    return "by" in content and content.get("act") not in {audit.MADE, "password changed"}


def _audit_problems(db: Session, teams: tuple[Team, ...], sweepable: date | None) -> list[str]:
    """The audit from the checkpoint that stands at its beginning, and every checkpoint since."""
    links, signed = audit.entries(db), [checkpoint for team in teams for checkpoint in team.checkpoints]
    number = audit.first_break(links, {checkpoint.number: checkpoint.chain for checkpoint in signed})
    begin = next((checkpoint for checkpoint in signed if links and checkpoint.number == links[0].number > 1), None)
    if number == 1 and links[0].number > 1:
        return [said(CUT_AT_BEGIN, number=links[0].number)]
    if number is not None:
        return [said(BROKEN_AT, number=number)]
    if begin is not None and sweepable is not None and begin.day > sweepable:
        return [said(CUT_TOO_SOON, number=begin.number, day=begin.day)]
    last = max(signed, key=lambda checkpoint: checkpoint.number, default=None)
    if last is not None and last.number > audit.head(db)[0]:
        return [said(CUT_AT_END, number=last.number, day=last.day)]
    return []


CUT_AT_BEGIN = N_("The audit is cut: it begins at entry %(number)s, and no signed checkpoint stands there.")
BROKEN_AT = N_("The audit breaks at entry %(number)s: it was changed or cut out, or a checkpoint says otherwise.")
CUT_TOO_SOON = N_("The audit was cut at entry %(number)s, signed on %(day)s: no sweep may do that so early.")
CUT_AT_END = N_("The audit is cut at its end: entry %(number)s was signed for on %(day)s and is gone.")
