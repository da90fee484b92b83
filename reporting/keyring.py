"""Who can read: members, teams, the signed log that vouches for their keys, epochs, recovery.

Keys are believed only with a chain: every team key stands in an append-only log, each entry signed with the key
of the epoch before, its first fingerprint and highest epoch pinned outside the database. A coordinator can write
rows; she cannot make them believed. Knows nothing of cases and nothing of the web.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from reporting import audit, receipts, sealing
from reporting.models import GrantRow, LogRow, MemberRow, TeamRow
from reporting.sealing import CannotOpen as CannotOpen  # the rooms above catch it here
from reporting.sealing import KeyPair, Place

CASEWORK, STATISTICS = "casework", "statistics"
CASE_WORKER, ADVOCATE, COORDINATOR = "case_worker", "advocate", "coordinator"
ROLES = (CASE_WORKER, ADVOCATE, COORDINATOR)
KINDS = {CASE_WORKER: CASEWORK, ADVOCATE: STATISTICS}  # role -> kind of team it reads
RECOVERY = 0  # the member number of the recovery sheets
SHEET_WORDS = 12  # words on each of the two sheets; both together give the recovery key


class BrokenChain(Exception):
    """The team's keys are not vouched for: a row was changed, cut out or put back. Nothing is sealed to them."""


class NotYet(Exception):
    """No case worker has made the keys yet."""


# ── what a team's keys are ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class EpochKeys:
    """The private part of one epoch: opens what was sealed to the team, signs its log, keeps its vault."""

    sealing: bytes  # 96
    signing: bytes  # 32
    vault: bytes  # 32

    def to_bytes(self) -> bytes:
        """160 bytes."""
        return self.sealing + self.signing + self.vault

    @classmethod
    def from_bytes(cls, raw: bytes) -> EpochKeys:
        """Refuses any other length."""
        if len(raw) != sealing.PRIVATE + 2 * sealing.KEY:
            raise CannotOpen
        return cls(raw[:96], raw[96:128], raw[128:])


@dataclass(frozen=True, slots=True)
class Epoch:
    """The public part of one epoch, as the log vouches for it."""

    number: int
    sealing: bytes
    signing: bytes
    recovery: bytes


@dataclass(frozen=True, slots=True)
class Team:
    """A team whose log verified from its first entry to its last."""

    id: int
    kind: str
    name: str
    epochs: tuple[Epoch, ...]
    members: Mapping[int, bytes]  # member id -> digest of the public key that was let in
    fingerprint: bytes
    length: int
    head: bytes
    hashes: tuple[bytes, ...] = field(repr=False)

    @property
    def newest(self) -> Epoch:
        """The epoch that new cases are sealed to."""
        return self.epochs[-1]


@dataclass(frozen=True, slots=True)
class Keys:
    """What a member holds while she is signed in."""

    member: int
    name: str
    roles: tuple[str, ...]
    private: bytes
    epochs: Mapping[int, Mapping[int, EpochKeys]]  # team -> epoch number -> private part

    def of(self, team: int, epoch: int) -> EpochKeys:
        """Her key of a team's epoch, or `CannotOpen` where she has none."""
        try:
            return self.epochs[team][epoch]
        except KeyError:
            raise CannotOpen from None

    def to_bytes(self) -> bytes:
        """For the sealed session row."""
        held = {str(t): {str(n): k.to_bytes().hex() for n, k in e.items()} for t, e in self.epochs.items()}
        told = {
            "member": self.member,
            "name": self.name,
            "roles": self.roles,
            "private": self.private.hex(),
            "epochs": held,
        }
        return json.dumps(told).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Keys:
        """The inverse of `to_bytes`."""
        told = json.loads(raw)
        held = {
            int(team): {int(number): EpochKeys.from_bytes(bytes.fromhex(key)) for number, key in epochs.items()}
            for team, epochs in told["epochs"].items()
        }
        return cls(told["member"], told["name"], tuple(told["roles"]), bytes.fromhex(told["private"]), held)


# ── the pin ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Pin:
    """A small file outside the database: per team the first fingerprint and the highest epoch. It never goes down."""

    path: Path

    def read(self) -> dict[int, tuple[bytes, int]]:
        """Team -> (fingerprint, highest epoch). Empty before the first keys are made."""
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            return {int(team): (bytes.fromhex(first), int(epoch)) for team, (first, epoch) in told.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):
            raise BrokenChain from None

    def raise_to(self, team: Team) -> None:
        """Remember a team's newest epoch. A team once pinned keeps its first fingerprint."""
        pinned = self.read()
        first, epoch = pinned.get(team.id, (team.fingerprint, 0))
        if first != team.fingerprint or epoch > team.newest.number:
            raise BrokenChain
        if epoch < team.newest.number:
            pinned[team.id] = (first, team.newest.number)
            self._write(pinned)

    def _write(self, pinned: dict[int, tuple[bytes, int]]) -> None:
        fresh = self.path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({str(team): [first.hex(), epoch] for team, (first, epoch) in pinned.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


# ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────


def teams(db: Session, pin: Pin) -> tuple[Team, ...]:
    """Every team, verified from the first entry and held against the pin. Raises `NotYet` or `BrokenChain`."""
    rows = db.scalars(select(TeamRow).order_by(TeamRow.id)).all()
    pinned = pin.read()
    if not rows and not pinned:
        raise NotYet
    found = tuple(_verified(db, row) for row in rows)
    if {team.id for team in found} != set(pinned):
        raise BrokenChain
    for team in found:
        first, epoch = pinned[team.id]
        if first != team.fingerprint or team.newest.number < epoch:
            raise BrokenChain
    return found


def team_of_kind(found: tuple[Team, ...], kind: str) -> Team:
    """The first team of a kind."""
    for team in found:
        if team.kind == kind:
            return team
    raise NotYet


def _verified(db: Session, row: TeamRow) -> Team:
    """Walk the log: each entry names the one before it and is signed with the key then in force."""
    epochs: list[Epoch] = []
    members: dict[int, bytes] = {}
    hashes: list[bytes] = []
    for number, entry in enumerate(db.scalars(select(LogRow).where(LogRow.team == row.id).order_by(LogRow.number)), 1):
        told = _read_entry(entry, number, row, hashes[-1] if hashes else b"")
        signer = epochs[-1].signing if epochs else _first_signer(told)
        if not sealing.is_signed(signer, entry.signature, entry.body):
            raise BrokenChain
        _ACTS[told["act"]](told, epochs, members)
        hashes.append(sealing.digest(entry.body))
    if not epochs:
        raise BrokenChain
    return Team(row.id, row.kind, row.name, tuple(epochs), members, hashes[0], len(hashes), hashes[-1], tuple(hashes))


def _read_entry(entry: LogRow, number: int, row: TeamRow, before: bytes) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(entry.body)
        fits = (told["team"], told["number"], told["before"]) == (
            row.id,
            number,
            before.hex(),
        ) and entry.number == number
        named = number > 1 or (told["act"], told["kind"], told["name"]) == ("epoch", row.kind, row.name)
    except (ValueError, KeyError, TypeError):
        raise BrokenChain from None
    if not (fits and named and told["act"] in _ACTS):
        raise BrokenChain
    return told


def _first_signer(told: Mapping[str, str]) -> bytes:
    return bytes.fromhex(told["signing"])


def _note_epoch(told: Mapping[str, str], epochs: list[Epoch], _members: dict[int, bytes]) -> None:
    public = (bytes.fromhex(told[part]) for part in ("sealing", "signing", "recovery"))
    if int(told["epoch"]) != len(epochs) + 1:
        raise BrokenChain
    epochs.append(Epoch(int(told["epoch"]), *public))


def _note_grant(told: Mapping[str, str], _epochs: list[Epoch], members: dict[int, bytes]) -> None:
    members[int(told["member"])] = bytes.fromhex(told["public"])


_ACTS = {"epoch": _note_epoch, "grant": _note_grant}


def _write_entry(db: Session, team: int, signing: bytes, told: Mapping[str, object]) -> None:
    newest = db.scalars(select(LogRow).where(LogRow.team == team).order_by(LogRow.number.desc()).limit(1)).first()
    number = newest.number + 1 if newest else 1
    before = sealing.digest(newest.body).hex() if newest else ""
    body = json.dumps({"team": team, "number": number, "before": before, **told}, sort_keys=True).encode()
    db.add(LogRow(team=team, number=number, body=body, signature=sealing.sign(signing, body)))
    db.flush()


# ── making and sharing keys ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Sheets:
    """The two recovery sheets, shown once, on paper, kept by two people in two places."""

    first: tuple[str, ...]
    second: tuple[str, ...]

    def key_pair(self) -> KeyPair:
        """Both sheets together give the recovery key; one alone gives nothing."""
        words = " ".join(receipts.plain(word).strip() for word in (*self.first, *self.second))
        return sealing.new_key_pair(sealing.derive(words.encode(), "recovery sheets", length=sealing.PRIVATE))


def first_keys(db: Session, pin: Pin, member: MemberRow, names: Mapping[str, str], recovery: bytes) -> None:
    """Epoch 1 of the casework and the statistics team, granted to the first case worker and to the sheets.

    Refused when anything of a team is there already: the first keys are made once.
    """
    if pin.read() or db.scalars(select(TeamRow)).first():
        raise BrokenChain
    for kind in (CASEWORK, STATISTICS):
        team = TeamRow(kind=kind, name=names[kind])
        db.add(team)
        db.flush()
        keys, signing_public, pair = _new_epoch()
        told = {"act": "epoch", "epoch": 1, "kind": kind, "name": team.name, "sealing": pair.public.hex(),
                "signing": signing_public.hex(), "recovery": recovery.hex()}  # fmt: skip
        _write_entry(db, team.id, keys.signing, told)
        _grant(db, team.id, 1, keys, RECOVERY, recovery)
        let_in(db, team.id, 1, keys, member.id, member.public_key)
    note(db, "first keys made", member.id)


def pin_teams(db: Session, pin: Pin) -> None:
    """Pin what stands in the database, once, right after the first keys were committed."""
    if not pin.read():
        for row in db.scalars(select(TeamRow)):
            pin.raise_to(_verified(db, row))


def _new_epoch() -> tuple[EpochKeys, bytes, KeyPair]:
    pair, signing = sealing.new_key_pair(), sealing.new_signing_pair()
    return EpochKeys(pair.private, signing.private, sealing.new_key()), signing.public, pair


def let_in(db: Session, team: int, epoch: int, keys: EpochKeys, member: int, public: bytes) -> None:
    """Seal an epoch to one more member and say so in the log, signed by somebody who holds it."""
    told = {"act": "grant", "epoch": epoch, "member": member, "public": sealing.digest(public).hex()}
    _write_entry(db, team, keys.signing, told)
    _grant(db, team, epoch, keys, member, public)
    note(db, "let in", member)


def _grant(db: Session, team: int, epoch: int, keys: EpochKeys, member: int, public: bytes) -> None:
    sealed = sealing.seal_to(public, _grant_place(team, epoch, member), keys.to_bytes())
    db.add(GrantRow(team=team, epoch=epoch, member=member, sealed=sealed))


def _grant_place(team: int, epoch: int, member: int) -> Place:
    return Place("team_grant", team, member, "epoch", epoch)


# ── members ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member made in her own browser's request, before anything is stored."""

    id: int
    name: str
    roles: tuple[str, ...]
    public: bytes
    salt: bytes
    private: bytes
    remembered: bytes


def new_member(name: str, roles: tuple[str, ...], password: str, totp_secret: bytes, pepper: bytes) -> NewMember:
    """Her keys, the private ones under her password. Takes about 0.15 s; call it outside a transaction."""
    number = int.from_bytes(os.urandom(4), "big") >> 1 or 1
    pair, salt = sealing.new_key_pair(), os.urandom(16)
    wrapping = sealing.stretch_password(password, salt, pepper)
    private = sealing.seal(wrapping, _private_place(number, 1), pair.private + totp_secret)
    return NewMember(number, name, roles, pair.public, salt, private, _remember(pair.private, number, {}))


def store_member(db: Session, new: NewMember) -> MemberRow:
    """Put a new member on the shelf."""
    row = MemberRow(id=new.id, name=new.name, roles=",".join(new.roles), public_key=new.public, salt=new.salt,
                    private=new.private, remembered=new.remembered, version=1, last_counter=0)  # fmt: skip
    db.add(row)
    db.flush()
    note(db, "account made", new.id)
    return row


@dataclass(frozen=True, slots=True)
class Locked:
    """A member's row as it lies on the shelf, still shut."""

    id: int
    name: str
    roles: tuple[str, ...]
    salt: bytes
    private: bytes
    remembered: bytes
    version: int
    last_counter: int


def find_member(db: Session, name: str) -> Locked | None:
    """By the name she signs in with."""
    row = db.scalars(select(MemberRow).where(MemberRow.name == name)).first()
    if row is None:
        return None
    return Locked(row.id, row.name, tuple(row.roles.split(",")), row.salt, row.private, row.remembered, row.version,
                  row.last_counter)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A member whose password and six digits were right. Her team keys are fetched with `take_keys`."""

    locked: Locked
    private: bytes
    counter: int


def unlock(found: Locked | None, password: str, code: str, at: float, pepper: bytes) -> Unlocked:
    """Open her private key with password and second factor; the same work and the same error whatever is wrong."""
    wrapping = sealing.stretch_password(password, found.salt if found else bytes(16), pepper)
    if found is None:
        raise CannotOpen
    secret = sealing.open_sealed(wrapping, _private_place(found.id, found.version), found.private)
    private, totp_secret = secret[: sealing.PRIVATE], secret[sealing.PRIVATE :]
    counter = sealing.totp_counter(totp_secret, code.strip().replace(" ", ""), at, found.last_counter)
    if counter is None:
        raise CannotOpen
    return Unlocked(found, private, counter)


def take_keys(db: Session, pin: Pin, who: Unlocked) -> Keys:
    """Her keys of every team, after holding what she remembers against what stands there now.

    Raises `BrokenChain` when an entry she has seen is gone, `CannotOpen` when her code was used meanwhile.
    """
    row = db.get_one(MemberRow, who.locked.id)
    if row.last_counter >= who.counter or row.private != who.locked.private:
        raise CannotOpen
    remembered = _recall(who.private, row)
    try:
        found = teams(db, pin)
    except NotYet:
        found = ()
    _hold_against(db, remembered, found)
    row.last_counter = who.counter
    row.remembered = _remember(who.private, row.id, _heads(db, found))
    return Keys(row.id, row.name, tuple(row.roles.split(",")), who.private, _grants(db, who, found))


def _grants(db: Session, who: Unlocked, found: tuple[Team, ...]) -> dict[int, dict[int, EpochKeys]]:
    held: dict[int, dict[int, EpochKeys]] = {team.id: {} for team in found}
    for row in db.scalars(select(GrantRow).where(GrantRow.member == who.locked.id)):
        raw = sealing.open_with(who.private, _grant_place(row.team, row.epoch, row.member), row.sealed)
        held[row.team][row.epoch] = EpochKeys.from_bytes(raw)
    return {team: epochs for team, epochs in held.items() if epochs}


def _heads(db: Session, found: tuple[Team, ...]) -> dict[str, list[int | str]]:
    number, chain = audit.head(db)
    heads: dict[str, list[int | str]] = {str(team.id): [team.length, team.head.hex()] for team in found}
    return heads | {"audit": [number, chain.hex()]}


def _hold_against(db: Session, remembered: Mapping[str, list[int | str]], found: tuple[Team, ...]) -> None:
    hashes = {str(team.id): team.hashes for team in found}
    for name, (number, seen) in remembered.items():
        if name == "audit":
            now = audit.chain_at(db, int(number))
        else:
            now = dict(enumerate(hashes.get(name, ()), 1)).get(int(number), b"")
        if now.hex() != seen:
            raise BrokenChain


def _remember(private: bytes, member: int, heads: Mapping[str, list[int | str]]) -> bytes:
    key = sealing.derive(private, "remembered heads")
    return sealing.seal(key, Place("member", member, 0, "remembered", 1), json.dumps(heads).encode())


def _recall(private: bytes, row: MemberRow) -> dict[str, list[int | str]]:
    key = sealing.derive(private, "remembered heads")
    heads: dict[str, list[int | str]] = json.loads(
        sealing.open_sealed(key, Place("member", row.id, 0, "remembered", 1), row.remembered)
    )
    return heads


def _private_place(member: int, version: int) -> Place:
    return Place("member", member, 0, "private", version)


def note(db: Session, act: str, member: int) -> None:
    """An act on accounts or keys, in the clear."""
    audit.append(db, json.dumps({"act": act, "member": member}).encode())


def new_totp_secret() -> bytes:
    """For a new member's authenticator app: 20 bytes."""
    return sealing.new_totp_secret()


def totp_code(secret: bytes, at: float) -> str:
    """The six digits her app shows at that time."""
    return sealing.totp_code(secret, at)


def is_totp_right(secret: bytes, code: str, at: float) -> bool:
    """Whether her app is set up: one step early or late forgiven."""
    return sealing.totp_counter(secret, code.strip().replace(" ", ""), at, 0) is not None


@dataclass(frozen=True, slots=True)
class Account:
    """What everybody of the staff may know of a colleague."""

    id: int
    name: str
    roles: tuple[str, ...]


def members(db: Session) -> tuple[Account, ...]:
    """Every account."""
    rows = db.scalars(select(MemberRow).order_by(MemberRow.name))
    return tuple(Account(row.id, row.name, tuple(row.roles.split(","))) for row in rows)


def totp_text(secret: bytes) -> str:
    """The secret as authenticator apps want it typed (base32)."""
    return base64.b32encode(secret).decode()


def public_key(db: Session, member: int) -> bytes:
    """A member's public key as it lies on the shelf; whoever lets her in must know that it is hers."""
    return db.get_one(MemberRow, member).public_key


def totp_bytes(text: str) -> bytes:
    """The inverse of `totp_text`; spaces and small letters are forgiven. Raises ValueError."""
    return base64.b32decode(text.replace(" ", "").upper())
