"""Members: an account, its private key under a password, the six digits, the spare codes.

Knows no team key: what a member holds of the teams is the keyring's matter. The same work and the same error
whatever is wrong. Stretching a password takes about 0.15 s and is done outside any transaction.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import quote

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reporting.crypto import sealing
from reporting.crypto.sealing import KeyPair, SealContext
from reporting.errors import AmparoError
from reporting.storage.models import GrantRow, MemberRow, TeamRow
from reporting.teams import audit, heads, passwords, readers, team_log
from reporting.teams.audit import Signer
from reporting.teams.team_log import CannotOpen, Team

SPARES = 8  # spare codes, each good once in place of the six digits
SPARE_DIGITS = 8
USED = b"\xff" * 4


class WeakPassword(AmparoError):
    """Whoever has the disk could guess it."""


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member as made in the request of that member's browser, before anything is stored."""

    id: int
    name: str
    roles: tuple[str, ...]
    public: bytes
    salt: bytes
    private: bytes
    remembered: bytes
    version: int
    signing: bytes  # the public half of the key that signs what the member does
    opened: bytes = field(repr=False)  # the private key as it is under no password
    teams: tuple[int, ...] = ()

    @property
    def signer(self) -> Signer:
        """What signs for the new member."""
        return signer_of(self.id, self.opened)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a member's password opens: the private key, the secret of the app, the spare codes."""

    private: bytes = field(repr=False)
    totp: bytes = field(repr=False)
    spares: tuple[bytes, ...] = field(repr=False)

    def to_bytes(self) -> bytes:
        """96 + 20 bytes, and four for each spare code."""
        return self.private + self.totp + b"".join(self.spares)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Secrets:
        """The secrets that `to_bytes` gave."""
        private, totp, rest = raw[: sealing.PRIVATE], raw[sealing.PRIVATE :][:20], raw[sealing.PRIVATE + 20 :]
        return cls(private, totp, tuple(rest[start : start + 4] for start in range(0, len(rest), 4)))

    def without(self, spare: bytes) -> Secrets:
        """The same with one spare code used up."""
        return replace(self, spares=tuple(USED if code == spare else code for code in self.spares))


def new_spares(below: Callable[[int], int]) -> tuple[str, ...]:
    """Eight spare codes of eight digits, for the day the phone is gone. They stand in for the app only."""
    return tuple(f"{below(10**SPARE_DIGITS):0{SPARE_DIGITS}d}" for _ in range(SPARES))


def new_member(
    name: str,
    roles: tuple[str, ...],
    password: str,
    totp_secret: bytes,
    pepper: bytes,
    spares: tuple[str, ...] = (),
    again: Account | None = None,
    teams: tuple[int, ...] = (),
) -> NewMember:
    """A member's keys, the private one under the password. Takes about 0.15 s; call it outside a transaction.

    `again`: an account that was reset and keeps its number. Raises `WeakPassword`.
    """
    if passwords.is_weak(password, name):
        raise WeakPassword
    number = again.id if again else int.from_bytes(os.urandom(4), "big") >> 1 or 1
    version = again.version + 1 if again else 1
    pair, salt = sealing.new_key_pair(), os.urandom(16)
    wrapping = sealing.stretch_password(password, salt, pepper)
    secrets = Secrets(pair.private, totp_secret, tuple(_spare_bytes(spare) for spare in spares))
    private = sealing.seal(wrapping, _private_place(number, version), secrets.to_bytes())
    remembered, signing = heads.remember(pair.private, number, {}), signing_pair(pair.private).public
    return NewMember(number, name, roles, pair.public, salt, private, remembered, version, signing, pair.private, teams)


def signing_pair(private: bytes) -> KeyPair:
    """The Ed25519 pair that signs what a member does, out of the member's private key."""
    return sealing.new_signing_pair(sealing.derive(private, "signs acts"))


def signer_of(member: int, private: bytes) -> Signer:
    """What signs for a member who is signed in, or whose password and digits were right."""
    return Signer(member, partial(sealing.sign, signing_pair(private).private))


def _spare_bytes(spare: str) -> bytes:
    return int(spare).to_bytes(4, "big")


def store_member(db: Session, new: NewMember, invitation: str = "") -> MemberRow:
    """Store a new member, or the new key of one who was reset; `CannotOpen` when the account has a key.

    `invitation`: the mark of the invitation that was accepted, as the audit has it.
    """
    row = db.get(MemberRow, new.id)
    if row is None:
        row = MemberRow(id=new.id, name=new.name, roles=",".join(new.roles))
        db.add(row)
    elif row.private:
        raise CannotOpen
    row.public_key, row.salt, row.private = new.public, new.salt, new.private
    row.remembered, row.version, row.used_digits, row.signing_key = new.remembered, new.version, b"", new.signing
    row.teams = ",".join(str(team) for team in new.teams)
    db.flush()
    audit.note(db, audit.MADE, new.id, new.signer, key=new.signing.hex(), invitation=invitation)
    return row


@dataclass(frozen=True, slots=True)
class Locked:
    """A member's row as it lies in its table, still shut."""

    id: int
    name: str
    roles: tuple[str, ...]
    salt: bytes
    private: bytes
    remembered: bytes
    version: int
    used_digits: bytes


def find_member(db: Session, name: str) -> Locked | None:
    """The row of the member who signs in with this name; None where there is none."""
    row = db.scalars(select(MemberRow).where(MemberRow.name == name)).first()
    if row is None:
        return None
    return Locked(
        row.id,
        row.name,
        tuple(row.roles.split(",")),
        row.salt,
        row.private,
        row.remembered,
        row.version,
        row.used_digits,
    )


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A member whose password and six digits were right. The team keys are fetched with `take_keys`."""

    locked: Locked
    private: bytes = field(repr=False)
    counter: int
    resealed: bytes | None = None  # a spare code was used up


class CodeUsed(CannotOpen):
    """Password and six digits are right, but these digits were used already: the next ones are to be waited for."""


class WrongDigits(CannotOpen):
    """The password is right and the digits are not: for whoever counts tries, never for who is told."""


def unlock(locked: Locked | None, password: str, code: str, at: float, pepper: bytes) -> Unlocked:
    """Open a member's private key with password and second factor.

    The same work and the same `CannotOpen` whatever is wrong (`WrongDigits` tells only who counts tries); of digits
    that were right and used, `CodeUsed`.
    """
    wrapping = sealing.stretch_password(password, locked.salt if locked else bytes(16), pepper)
    if locked is None:
        raise CannotOpen
    secrets, digits = _open_secrets(locked, wrapping), "".join(code.split())
    last = _last_counter(secrets.private, locked.id, locked.used_digits)
    counter = sealing.totp_counter(secrets.totp, digits, at, last)
    if counter is not None:
        return Unlocked(locked, secrets.private, counter)
    if re.fullmatch(rf"[0-9]{{{SPARE_DIGITS}}}", digits) and _spare_bytes(digits) in secrets.spares:
        left = secrets.without(_spare_bytes(digits)).to_bytes()
        resealed = sealing.seal(wrapping, _private_place(locked.id, locked.version + 1), left)
        return Unlocked(locked, secrets.private, last + 1, resealed)
    raise CodeUsed if sealing.totp_counter(secrets.totp, digits, at, 0) is not None else WrongDigits


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody whose password and six digits were right a moment ago, for one act in one transaction."""

    member: int
    name: str
    roles: tuple[str, ...]
    private: bytes = field(repr=False)

    @property
    def signer(self) -> Signer | None:
        """What signs for this person; nothing for nobody."""
        return signer_of(self.member, self.private) if self.private else None


def spend(db: Session, who: Unlocked) -> Actor:
    """Use up the six digits of a proof, for one act. Inside the transaction of the act: if that fails, they are unused.

    `CannotOpen` when the account was shut or its key sealed anew meanwhile, `CodeUsed` when the digits were used.
    """
    audit.lock(db)  # the audit is locked before the row, here as in every act, so that none waits for another
    row = db.get_one(MemberRow, who.locked.id, with_for_update=True)
    if not row.private or row.private != who.locked.private or row.id in readers.shut_out(db):
        raise CannotOpen
    if _last_counter(who.private, row.id, row.used_digits) >= who.counter:
        raise CodeUsed
    row.used_digits = _seal_counter(who.private, row.id, who.counter)
    if who.resealed is not None:
        row.private, row.version = who.resealed, row.version + 1
    db.flush()
    return Actor(row.id, row.name, tuple(row.roles.split(",")), who.private)


def _last_counter(private: bytes, member: int, used: bytes) -> int:
    """The half minute of the newest digits that were used; sealed, so that a copy does not tell when somebody came."""
    return int.from_bytes(sealing.open_sealed(_digits_key(private), _digits_place(member), used), "big") if used else 0


def _seal_counter(private: bytes, member: int, counter: int) -> bytes:
    return sealing.seal(_digits_key(private), _digits_place(member), counter.to_bytes(8, "big"))


def _digits_key(private: bytes) -> bytes:
    return sealing.derive(private, "used digits")


def _digits_place(member: int) -> SealContext:
    return SealContext("member", member, 0, "used digits", 1)


def nobody_yet(db: Session) -> Actor:
    """Who acts before there is an account, once: the first invitation. `CannotOpen` where there is one."""
    if db.scalars(select(MemberRow.id).limit(1)).first() is not None:
        raise CannotOpen
    return Actor(0, "", (), b"")


def _open_secrets(locked: Locked, wrapping: bytes) -> Secrets:
    return Secrets.from_bytes(sealing.open_sealed(wrapping, _private_place(locked.id, locked.version), locked.private))


def with_new_password(locked: Locked | None, old: str, new: str, pepper: bytes) -> tuple[bytes, bytes]:
    """(salt, private) under a new password. Outside any transaction.

    Raises `CannotOpen` when the old one is wrong, `WeakPassword` when the new one is.
    """
    if locked is None:
        raise CannotOpen
    secrets = _open_secrets(locked, sealing.stretch_password(old, locked.salt, pepper))
    if passwords.is_weak(new, locked.name):
        raise WeakPassword
    salt = os.urandom(16)
    wrapping = sealing.stretch_password(new, salt, pepper)
    return salt, sealing.seal(wrapping, _private_place(locked.id, locked.version + 1), secrets.to_bytes())


def store_password(db: Session, locked: Locked | None, salt: bytes, private: bytes, by: Signer) -> None:
    """Store the newly wrapped key; `CannotOpen` when somebody changed it meanwhile."""
    row = db.get(MemberRow, locked.id) if locked else None
    if locked is None or row is None or row.private != locked.private:
        raise CannotOpen
    row.salt, row.private, row.version = salt, private, row.version + 1
    db.flush()
    audit.note(db, "password changed", locked.id, by)


def shut(db: Session, member: int, act: str, by: Signer | None) -> None:
    """A member's wrapped key is forgotten: no password opens it, old or new. An epoch is due in the member's teams."""
    row = db.get_one(MemberRow, member)
    row.private, row.version, row.used_digits = b"", row.version + 1, b""
    hers = select(GrantRow.team).where(GrantRow.member == member)
    db.execute(update(TeamRow).where(TeamRow.id.in_(hers)).values(due=True))
    db.flush()
    audit.note(db, act, member, by)


def _private_place(member: int, version: int) -> SealContext:
    return SealContext("member", member, 0, "private", version)


def new_totp_secret() -> bytes:
    """For a new member's authenticator app: 20 bytes."""
    return sealing.new_totp_secret()


def totp_code(secret: bytes, at: float) -> str:
    """The six digits that the app shows at that time (seconds since 1970)."""
    return sealing.totp_code(secret, at)


def is_totp_right(secret: bytes, code: str, at: float) -> bool:
    """Whether the app is set up: one step early or late forgiven."""
    return sealing.totp_counter(secret, code.strip().replace(" ", ""), at, 0) is not None


def totp_text(secret: bytes) -> str:
    """The secret as authenticator apps want it typed (base32)."""
    return base64.b32encode(secret).decode()


def totp_bytes(text: str) -> bytes:
    """The secret that `totp_text` gave; spaces and small letters are forgiven. `ValueError` when it is none."""
    return base64.b32decode(text.replace(" ", "").upper())


@dataclass(frozen=True, slots=True)
class Account:
    """What everybody of the staff may know of a colleague. `open`: can sign in; `inside`: let in by all its teams."""

    id: int
    name: str
    roles: tuple[str, ...]
    version: int
    open: bool
    inside: bool
    teams: tuple[int, ...] = ()
    signing: bytes = b""  # the public key with which the account says it signs; believed only where a team log says so

    @property
    def waits(self) -> bool:
        """Whether the account is for a team that has not let it in yet."""
        return not self.inside and any(role in team_log.KINDS for role in self.roles)


def accounts(db: Session, verified: tuple[Team, ...] = ()) -> tuple[Account, ...]:
    """Every account; with the verified teams, also whether each is let in."""
    return tuple(_account(row, verified) for row in db.scalars(select(MemberRow).order_by(MemberRow.name)))


def account(db: Session, member: int, verified: tuple[Team, ...] = ()) -> Account:
    """One account; `CannotOpen` where there is none."""
    row = db.get(MemberRow, member)
    if row is None:
        raise CannotOpen
    return _account(row, verified)


def _account(row: MemberRow, verified: tuple[Team, ...]) -> Account:
    roles, meant = tuple(row.roles.split(",")), team_log.teams_in(row.teams)
    hers = [team for team in verified if team_log.reads(team, roles, meant)]
    inside = bool(hers) and all(team_log.is_in(team, row) for team in hers)
    return Account(row.id, row.name, roles, row.version, bool(row.private), inside, meant, row.signing_key or b"")


def public_key(db: Session, member: int) -> bytes:
    """A member's public key as it lies in its table; whoever lets a member in must know whose it is."""
    return db.get_one(MemberRow, member).public_key


def store_name(db: Session, member: int, name: str) -> None:
    """Another name for signing in."""
    db.get_one(MemberRow, member).name = name
    db.flush()


def totp_link(site_name: str, name: str, secret: bytes) -> str:
    """What an app for six digits reads out of a picture."""
    return f"otpauth://totp/{quote(site_name)}:{name}?secret={totp_text(secret)}&issuer={quote(site_name)}"


def public_key_or_none(db: Session, member: int) -> bytes:
    """The same; no bytes where there is no such account."""
    row = db.get(MemberRow, member)
    return row.public_key if row is not None and row.private else b""
