"""Accounts: the first coordinator, invitations that open once, and the first case worker's ceremony.

Makes no key that reads a case except in the hands of a case worker. Knows nothing of the web.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

from reporting import audit, keyring, receipts, sessions
from reporting.keyring import CASE_WORKER, CASEWORK, STATISTICS, CannotOpen, NewMember, Pin, Sheets
from reporting.models import InvitationRow, MemberRow, TryRow

INVITATION_LIFE = 7 * 24 * 3600  # seconds
PASSWORD_WORDS = 6  # 66 bits
OWN_PASSWORD_LENGTH = 16  # signs, for those who choose their own


@dataclass(frozen=True, slots=True)
class Invitation:
    """A door that opens once: for whom, and with which roles."""

    name: str
    roles: tuple[str, ...]


def invite(db: Session, name: str, roles: tuple[str, ...], now: float) -> str:
    """A one-time token for somebody's browser. Only its hash is kept."""
    token = os.urandom(20).hex()
    row = InvitationRow(token_hash=_hash(token), name=name, roles=",".join(roles), expires=int(now) + INVITATION_LIFE)
    db.add(row)
    db.flush()
    keyring.note(db, "invited", 0)
    return token


def read_invitation(db: Session, token: str, now: float) -> Invitation:
    """Whom an invitation is for; `CannotOpen` when it is unknown, used or expired."""
    row = db.get(InvitationRow, _hash(token))
    if row is None or now > row.expires:
        raise CannotOpen
    return Invitation(row.name, tuple(row.roles.split(",")))


def suggest_password(below: Callable[[int], int], language: str) -> str:
    """Six words she can write down and type on a phone."""
    return " ".join(receipts.plain(word).strip() for word in receipts.draw_words(PASSWORD_WORDS, below, language))


def tidy_password(typed: str) -> str:
    """Passwords are compared without accents, case and extra spaces, as a phone's keyboard likes to change them."""
    return " ".join(receipts.plain(typed).split()) or typed


def draw_sheets(below: Callable[[int], int], language: str) -> Sheets:
    """Two recovery sheets of twelve words; both are needed."""
    first, second = (receipts.draw_words(keyring.SHEET_WORDS, below, language) for _ in range(2))
    return Sheets(first, second)


def accept(db: Session, pin: Pin, token: str, new: NewMember, now: float, recovery: bytes | None,
           team_name: str) -> MemberRow:  # fmt: skip
    """Turn an invitation into a member. The first case worker also makes the first keys, here and nowhere else.

    `recovery` is the public key of the sheets she was shown; None for everybody after her.
    """
    invitation = read_invitation(db, token, now)
    if invitation.roles != new.roles or invitation.name != new.name:
        raise CannotOpen
    db.execute(delete(InvitationRow).where(InvitationRow.token_hash == _hash(token)))
    row = keyring.store_member(db, new)
    if recovery is not None and CASE_WORKER in new.roles:
        names = {CASEWORK: team_name, STATISTICS: f"{team_name} ·"}
        keyring.first_keys(db, pin, row, names, recovery)
    return row


# ── who goes ────────────────────────────────────────────────────────────────────────────────────────────────


def reset(db: Session, member: int, now: float) -> str:
    """A coordinator's help for a forgotten password: the old key is forgotten, a new invitation is printed.

    It gives no key to anybody: whoever accepts it must be let in again, by her voice.
    """
    account = keyring.account(db, member)
    keyring.shut(db, member, "reset")
    sessions.end_all(db, member)
    return invite(db, account.name, account.roles, now)


def dismiss(db: Session, member: int) -> None:
    """She leaves: her sessions end at once, her password opens nothing, an epoch is due in every team."""
    keyring.shut(db, member, "dismissed")
    sessions.end_all(db, member)


# ── slow and steady at the door ─────────────────────────────────────────────────────────────────────────────

FREE_TRIES = 5  # wrong sign-ins for one name before it slows down
FREE_FOR_ALL = 60  # the same for all names together
LONGEST_WAIT = 60  # seconds: nobody is locked out for good, and a guesser gets 1,440 tries a day
EVERYBODY = b"everybody"


def wait_before(db: Session, pepper: bytes, name: str, now: float) -> int:
    """Seconds until this name may be tried again; 0 when it may be now. Names nobody has are slowed alike."""
    rows = (db.get(TryRow, _who(pepper, who)) for who in (name.encode("utf-8", "replace"), EVERYBODY))
    return max((row.not_before - int(now) for row in rows if row is not None and row.not_before > now), default=0)


def note_failure(db: Session, pepper: bytes, name: str, now: float) -> None:
    """One wrong sign-in more; twice the wait each time, for one name and, later and shorter, for all."""
    for who, free, longest in (
        (name.encode("utf-8", "replace"), FREE_TRIES, LONGEST_WAIT),
        (EVERYBODY, FREE_FOR_ALL, 4),
    ):
        row = db.get(TryRow, _who(pepper, who))
        if row is None:
            row = TryRow(who=_who(pepper, who), failed=0, not_before=int(now))
            db.add(row)
        row.failed = 1 if now > row.not_before + 3600 else row.failed + 1  # an hour of quiet forgives
        over = row.failed - free
        row.not_before = int(now) + (min(longest, 2 ** min(over, 6)) if over >= 0 else 0)
    db.flush()


def note_success(db: Session, pepper: bytes, name: str) -> None:
    """She is in: her name starts anew."""
    db.execute(delete(TryRow).where(TryRow.who == _who(pepper, name.encode("utf-8", "replace"))))


def _who(pepper: bytes, who: bytes) -> bytes:
    return hmac.digest(pepper, b"sign-in " + who, "sha256")


def keys_are_made(db: Session, pin: Pin) -> bool:
    """Whether a case worker has made the first keys."""
    try:
        return bool(keyring.teams(db, pin))
    except keyring.NotYet:
        return False


def _hash(token: str) -> bytes:
    return hashlib.sha256(b"invitation " + token.encode("utf-8", "replace")).digest()


def count_acts(db: Session) -> int:
    """How many acts the audit holds."""
    return audit.head(db)[0]


def problems(db: Session, pin: Pin) -> list[str]:
    """What is wrong or risky with keys, people and audit, each in a sentence that says what to do."""
    found: list[str] = []
    try:
        teams = keyring.teams(db, pin)
        inside = [one for one in keyring.members(db, teams) if CASE_WORKER in one.roles and one.inside]
        if len(inside) == 1:
            found.append(f"Only {inside[0].name} can read reports: let in a second case worker, so that no bad day of "
                         "one person shuts the door.")  # fmt: skip
    except keyring.NotYet:
        found.append("No case worker has made the keys yet: reporter pages are closed. Give her the invitation.")
    except keyring.BrokenChain:
        found.append("The team log does not hold: a row was changed or an old copy was put back. Reporter pages are "
                     "closed. Do not make new keys; find out who wrote to the database.")  # fmt: skip
    both = {keyring.COORDINATOR, CASE_WORKER}
    readers = (one.name for one in keyring.members(db) if both <= set(one.roles) and one.open)
    found += [f"{name} is coordinator and case worker: she can read cases. Better two people." for name in readers]
    number = audit.first_break(audit.entries(db))
    if number is not None:
        found.append(f"The audit breaks at entry {number}: it was changed or cut out.")
    return found
