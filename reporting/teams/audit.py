"""The audit: a chain of acts in which nothing can be cut out or slipped in unnoticed.

Each act names who did it and is signed by that person, for its place in the chain. Knows no keys and no sealing: the
signer is handed in, and what concerns a case arrives sealed. Nothing that a reporter does is written here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from reporting.storage.models import AuditRow

START = bytes(32)
OPEN_TO_ALL = 0  # the team number of acts on accounts and keys
MADE = "account made"  # the act by which an account says which key it signs with
Fits = Callable[[bytes, bytes, bytes], bool]  # public key, signature, message -> whether they belong together


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One link: number from 1, team (0: in the clear), epoch of the vault key, body, chain hash."""

    number: int
    team: int
    epoch: int
    body: bytes
    chain: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who acts: the number of the account (0: both recovery sheets), and what signs for that person."""

    member: int
    sign: Callable[[bytes], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """An act that nobody known answers for: its number, who is named, and whether a signature is there at all."""

    number: int
    by: int
    signed: bool


def lock(db: Session) -> None:
    """Nobody else adds an act until this transaction ends; on SQLite nobody else writes anyway."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE"))


def head(db: Session) -> tuple[int, bytes]:
    """Number and chain hash of the newest entry. Inside a write transaction nobody else can add one meanwhile."""
    lock(db)
    newest = db.scalars(select(AuditRow).order_by(AuditRow.number.desc()).limit(1)).first()
    return (newest.number, newest.chain) if newest else (0, START)


def append(db: Session, body: bytes, team: int = OPEN_TO_ALL, epoch: int = 0) -> int:
    """Add an act and return its number, one more than `head` said."""
    number, before = head(db)
    chain = _link(before, number + 1, team, epoch, body)
    db.add(AuditRow(number=number + 1, team=team, epoch=epoch, body=body, chain=chain))
    db.flush()
    return number + 1


def note(db: Session, act: str, member: int, by: Signer | None, **more: object) -> int:
    """An act on accounts or keys, in the clear: what was done to whom, and by whom. Returns its number.

    Nobody signs only before there is anybody: what stands there unsigned after an act that is signed, `unsigned` names.
    """
    content = {"act": act, "member": member, **more}
    return append(db, json.dumps(signed(db, by, content) if by else content, sort_keys=True).encode())


def signed(
    db: Session, by: Signer, content: Mapping[str, Any], team: int = OPEN_TO_ALL, epoch: int = 0
) -> dict[str, Any]:
    """What an act says, with who did it and the signature, for the next place in the chain and no other."""
    number, before = head(db)
    content = {**content, "by": by.member}
    return content | {"signature": by.sign(_message(before, number + 1, team, epoch, content)).hex()}


def is_signed(
    content: Mapping[str, Any], entry: AuditEntry, before: bytes, keys: Collection[bytes], fits: Fits
) -> bool:
    """Whether one of these public keys signed what an act says, at the place where it stands after `before`."""
    try:
        signature = bytes.fromhex(content["signature"])
    except (KeyError, TypeError, ValueError):
        return False
    plain = {name: value for name, value in content.items() if name != "signature"}
    message = _message(before, entry.number, entry.team, entry.epoch, plain)
    return any(fits(key, signature, message) for key in keys)


def _message(before: bytes, number: int, team: int, epoch: int, content: Mapping[str, Any]) -> bytes:
    header = b"".join(value.to_bytes(8, "big") for value in (number, team, epoch))
    return b"act" + before + header + json.dumps(content, sort_keys=True).encode()


def act_of(entry: AuditEntry) -> dict[str, Any]:
    """What an act on accounts or keys says; nothing of one that is sealed, swept or no act."""
    try:
        content = json.loads(entry.body) if entry.team == OPEN_TO_ALL else None
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def in_the_clear(links: tuple[AuditEntry, ...]) -> Iterator[tuple[bytes, AuditEntry, dict[str, Any]]]:
    """Each act on accounts and keys, with the chain hash of what stands before it."""
    before = START
    for link in links:
        if link.team == OPEN_TO_ALL and link.body:
            yield before, link, act_of(link)
        before = link.chain


def own_keys(links: tuple[AuditEntry, ...], fits: Fits) -> dict[int, frozenset[bytes]]:
    """Account -> keys with which it signed that it was made. Nobody has vouched for them by that."""
    keys: dict[int, frozenset[bytes]] = {}
    for before, link, content in in_the_clear(links):
        key = _key_in(content)
        if key and is_signed(content, link, before, [key], fits):
            keys[content["by"]] = keys.get(content["by"], frozenset()) | {key}
    return keys


def _key_in(content: Mapping[str, Any]) -> bytes:
    try:
        own = content["act"] == MADE and content["member"] == content["by"]
        return bytes.fromhex(content["key"]) if own else b""
    except (KeyError, TypeError, ValueError):
        return b""


def unsigned(links: tuple[AuditEntry, ...], keys: Mapping[int, Collection[bytes]], fits: Fits) -> tuple[Unsigned, ...]:
    """The acts on accounts and keys whose signature is of nobody that they name, or is not there.

    `keys`: account -> its public keys. What stands before the first act that is signed is of a time before signing.
    """
    bad, begun = [], False
    for before, link, content in in_the_clear(links):
        by, has_signature = content.get("by"), "signature" in content
        holds = isinstance(by, int) and is_signed(content, link, before, keys.get(by, ()), fits)
        begun = begun or has_signature
        if not holds and (begun or not content):
            bad.append(Unsigned(link.number, by if isinstance(by, int) else 0, has_signature))
    return tuple(bad)


def entries(db: Session, newest_first: int = 0) -> tuple[AuditEntry, ...]:
    """All entries in order, or only the newest so many. The first may be empty: what was before it is swept."""
    query = select(AuditRow).order_by(AuditRow.number.desc() if newest_first else AuditRow.number)
    rows = db.scalars(query.limit(newest_first) if newest_first else query)
    return tuple(AuditEntry(row.number, row.team, row.epoch, row.body, row.chain) for row in rows)


def entry_at(db: Session, number: int) -> AuditEntry | None:
    """One entry; None where it is gone."""
    row = db.get(AuditRow, number)
    return AuditEntry(row.number, row.team, row.epoch, row.body, row.chain) if row else None


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
