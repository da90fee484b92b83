"""What a member remembers of the logs and of the people, sealed in a record that only that member opens.

What was seen once and is gone, or is another now, is noticed by it. Decides nothing but whether something fits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.storage.models import GrantRow, MemberRow
from reporting.teams import audit, readers, team_log
from reporting.teams.team_log import BrokenChain, Pin, Team

Heads = dict[str, list[int | str]]
AUDIT, PERSON = "audit", "person "  # under what the audit's head is remembered, and each account, with its number
SHEETS = 0  # the member number of the recovery sheets


@dataclass(frozen=True, slots=True)
class Written:
    """Something about an account that no act of ours made: somebody wrote it into the database."""

    name: str
    what: str  # "roles", "account" or "grant"


def remember(private: bytes, member: int, heads: Mapping[str, list[int | str]]) -> bytes:
    """The last heads of the logs that a member saw, sealed so that nobody else reads or changes them."""
    key = sealing.derive(private, "remembered heads")
    return sealing.seal(key, SealContext("member", member, 0, "remembered", 1), json.dumps(heads).encode())


def recall(private: bytes, row: MemberRow) -> Heads:
    """The heads that `remember` was given, by log; `CannotOpen` when they were changed."""
    key = sealing.derive(private, "remembered heads")
    heads: Heads = json.loads(
        sealing.open_sealed(key, SealContext("member", row.id, 0, "remembered", 1), row.remembered)
    )
    return heads


def see(db: Session, pin: Pin, member: int, private: bytes) -> None:
    """A member remembers what was just written: if it is cut out again, the next sign-in says so.

    `CannotOpen` for who was dismissed or reset a moment ago.
    """
    _keep(db, member, private, _logs(team_log.teams_or_none(db, pin)) | _audit(db))


def see_audit(db: Session, member: int, private: bytes) -> None:
    """A member remembers how far the audit has come. `CannotOpen` for who was dismissed or reset a moment ago."""
    _keep(db, member, private, _audit(db))


def _keep(db: Session, member: int, private: bytes, heads: Heads) -> None:
    row = db.get_one(MemberRow, member)
    if not row.private or member in readers.shut_out(db):
        raise CannotOpen  # dismissed or reset since this request began: what it wrote is taken back
    row.remembered = remember(private, member, recall(private, row) | heads)
    db.flush()


def hold_against(db: Session, private: bytes, row: MemberRow, verified: tuple[Team, ...]) -> None:
    """Hold what a member remembers of the logs against what stands there now, and remember that.

    `BrokenChain` when an entry seen before is gone, `CannotOpen` when what is remembered was changed.
    """
    remembered, hashes = recall(private, row), {str(team.id): team.hashes for team in verified}
    logs = {name: head for name, head in remembered.items() if not name.startswith(PERSON) and name != team_log.LISTS}
    for name, (number, seen) in logs.items():
        if name == AUDIT:
            now = audit.chain_at(db, int(number)) or _swept(db, int(number), bytes.fromhex(str(seen)), verified)
        else:
            now = dict(enumerate(hashes.get(name, ()), 1)).get(int(number), b"")
        if now.hex() != seen:
            raise BrokenChain
    row.remembered = remember(private, row.id, remembered | _logs(verified) | _audit(db))


def _swept(db: Session, number: int, seen: bytes, verified: tuple[Team, ...]) -> bytes:
    """A remembered audit head may be gone only below the signed checkpoint at which the audit now begins."""
    first = audit.first_number(db)
    signed = {checkpoint.number for team in verified for checkpoint in team.checkpoints}
    return seen if number < first and first in signed else b""


def _logs(verified: Iterable[Team]) -> Heads:
    return {str(team.id): [len(team.hashes), team.hashes[-1].hex()] for team in verified}


def _audit(db: Session) -> Heads:
    number, chain = audit.head(db)
    return {AUDIT: [number, chain.hex()]}


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────


def look_at_people(db: Session, member: int, private: bytes, verified: tuple[Team, ...]) -> tuple[Written, ...]:
    """What no act of ours explains since this member looked last; then it is remembered, and told once.

    Roles and teams of an account never change by an act; an account is made by somebody who signs for it; keys of the
    newest epoch lie only for those whom the team log names.
    """
    row = db.get_one(MemberRow, member)
    remembered, people = recall(private, row), {other.id: other for other in db.scalars(select(MemberRow))}
    seen = {name: value for name, value in remembered.items() if name.startswith(PERSON)}
    now: Heads = {f"{PERSON}{other.id}": [0, f"{other.roles} {other.teams}"] for other in people.values()}
    fresh = [other for other in people.values() if seen and f"{PERSON}{other.id}" not in seen]
    accepted = audit.own_keys(audit.entries(db), sealing.is_signed) if fresh else {}
    changed = [other for other in people.values() if seen.get(name := f"{PERSON}{other.id}", now[name]) != now[name]]
    written = [
        *(Written(other.name, "roles") for other in changed),
        *(Written(other.name, "account") for other in fresh if other.id not in accepted),
        *(Written(people[grant].name if grant in people else "?", "grant") for grant in _by_hand(db, verified)),
    ]
    logs = {name: value for name, value in remembered.items() if name not in seen}
    row.remembered = remember(private, member, logs | now)
    db.flush()
    return tuple(written)


def _by_hand(db: Session, verified: Iterable[Team]) -> list[int]:
    """For whom keys of a newest epoch lie though the log does not name them."""
    return [
        member
        for team in verified
        for member in db.scalars(
            select(GrantRow.member).where(GrantRow.team == team.id, GrantRow.epoch == team.newest.number)
        )
        if member != SHEETS and member not in team.members
    ]
