"""The audit: a chain of acts in which nothing can be cut out or slipped in unnoticed.

Knows no keys: what concerns a case arrives sealed. Nothing that a reporter does is written here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from reporting.storage.models import AuditRow

START = bytes(32)
OPEN_TO_ALL = 0  # the team number of acts on accounts and keys


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One link: number from 1, team (0: in the clear), epoch of the vault key, body, chain hash."""

    number: int
    team: int
    epoch: int
    body: bytes
    chain: bytes


def head(db: Session) -> tuple[int, bytes]:
    """Number and chain hash of the newest entry. Inside a write transaction nobody else can add one meanwhile."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE"))
    newest = db.scalars(select(AuditRow).order_by(AuditRow.number.desc()).limit(1)).first()
    return (newest.number, newest.chain) if newest else (0, START)


def append(db: Session, body: bytes, team: int = OPEN_TO_ALL, epoch: int = 0) -> int:
    """Add an act and return its number, one more than `head` said."""
    number, before = head(db)
    chain = _link(before, number + 1, team, epoch, body)
    db.add(AuditRow(number=number + 1, team=team, epoch=epoch, body=body, chain=chain))
    db.flush()
    return number + 1


def note(db: Session, act: str, member: int) -> None:
    """An act on accounts or keys, in the clear."""
    append(db, json.dumps({"act": act, "member": member}).encode())


def entries(db: Session, newest_first: int = 0) -> tuple[AuditEntry, ...]:
    """All entries in order, or only the newest so many. The first may be empty: what was before it is swept."""
    query = select(AuditRow).order_by(AuditRow.number.desc() if newest_first else AuditRow.number)
    rows = db.scalars(query.limit(newest_first) if newest_first else query)
    return tuple(AuditEntry(row.number, row.team, row.epoch, row.body, row.chain) for row in rows)


def first_number(db: Session) -> int:
    """The number of the oldest entry that is still there; 0 where there is none."""
    return db.scalar(select(func.min(AuditRow.number))) or 0


def chain_at(db: Session, number: int) -> bytes:
    """The chain hash after so many entries; empty if that entry is missing."""
    row = db.get(AuditRow, number) if number else None
    return START if number == 0 else (row.chain if row else b"")


def forget_below(db: Session, number: int) -> int:
    """Sweep up to an entry that a signed checkpoint vouches for. It stays, empty, in the place of all before it."""
    done = db.execute(delete(AuditRow).where(AuditRow.number < number))
    db.execute(update(AuditRow).where(AuditRow.number == number).values(team=OPEN_TO_ALL, epoch=0, body=b""))
    db.flush()
    return max(getattr(done, "rowcount", 0), 0)


def first_break(links: tuple[AuditEntry, ...], vouched: Mapping[int, bytes] | None = None) -> int | None:
    """The number of the first entry that does not follow from the one before, or None if the chain holds.

    `vouched`: entry number -> chain hash of signed checkpoints. Where the beginning was swept, an empty entry that
    one of them vouches for stands in its place; every later one must agree with the chain too.
    """
    signed = dict(vouched or {})
    before, expected = START, 1
    if links and links[0].number > 1 and not links[0].body and signed.get(links[0].number) == links[0].chain:
        before, expected, links = links[0].chain, links[0].number + 1, links[1:]
    for link in links:
        if signed.get(link.number, link.chain) != link.chain:
            return expected
        if link.number != expected or link.chain != _link(before, link.number, link.team, link.epoch, link.body):
            return expected
        before, expected = link.chain, expected + 1
    return None


def _link(before: bytes, number: int, team: int, epoch: int, body: bytes) -> bytes:
    header = b"".join(value.to_bytes(8, "big") for value in (number, team, epoch))
    return hashlib.sha256(before + header + body).digest()
