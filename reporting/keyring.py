"""Who can read: members, teams, the signed log that vouches for their keys, epochs, recovery.

Keys are believed only with a chain: every team key stands in an append-only log, each entry signed with the key
of the epoch before, its first fingerprint and highest epoch pinned outside the database. A coordinator can write
rows; she cannot make them believed. Knows nothing of cases and nothing of the web.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update
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
SPOKEN = 6  # words a newcomer says and a member types: 66 bits of her key, account and request
SPARES = 8  # spare codes, each good once in place of the six digits
SPARE_DIGITS = 8
USED = b"\xff" * 4
SHEET_WORDS = 12  # words on each of the two sheets; both together give the recovery key


class BrokenChain(Exception):
    """The team's keys are not vouched for: a row was changed, cut out or put back. Nothing is sealed to them."""


class NotHer(Exception):
    """The words that were typed are not those of the key that lies there. Nobody is let in."""


class NotYet(Exception):
    """No case worker has made the keys yet."""


# ── what a team's keys are ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class EpochKeys:
    """The private part of one epoch: opens what was sealed to the team, signs its log, keeps its vault."""

    sealing: bytes = field(repr=False)  # 96
    signing: bytes = field(repr=False)  # 32
    vault: bytes = field(repr=False)  # 32

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
    made: tuple[bytes, ...] = field(repr=False)  # hash of the entry that made each epoch

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
    private: bytes = field(repr=False)
    epochs: Mapping[int, Mapping[int, EpochKeys]] = field(repr=False)  # team -> epoch number -> private part

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
    """A small file outside the database: what is believed of each team. It never goes down, and no team slips in.

    Team -> fingerprint of its first entry, highest epoch, hash of the entry that made that epoch.
    """

    path: Path

    def read(self) -> dict[int, tuple[bytes, int, bytes]]:
        """Empty before the first keys are made."""
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            return {
                int(team): (bytes.fromhex(first), int(epoch), bytes.fromhex(made))
                for team, (first, epoch, made) in told.items()
            }
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):
            raise BrokenChain from None

    def begin(self, made: Iterable[Team]) -> None:
        """Pin the teams that were made in this very request; once, and from what it holds, not from the database."""
        if self.read():
            raise BrokenChain
        self._write({team.id: (team.fingerprint, team.newest.number, team.made[-1]) for team in made})

    def vouches_for(self, team: Team) -> bool:
        """Whether a verified team is the pinned one, and not older or forked."""
        first, epoch, made = self.read().get(team.id, (b"", 0, b""))
        return first == team.fingerprint and 0 < epoch <= team.newest.number and made == team.made[epoch - 1]

    def raise_to(self, found: Iterable[Team]) -> None:
        """Remember the newest epochs of teams that are pinned already."""
        pinned = self.read()
        for team in found:
            if not self.vouches_for(team):
                raise BrokenChain
            pinned[team.id] = (team.fingerprint, team.newest.number, team.made[-1])
        if pinned != self.read():
            self._write(pinned)

    def _write(self, pinned: Mapping[int, tuple[bytes, int, bytes]]) -> None:
        fresh = self.path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(
                {str(team): [first.hex(), epoch, made.hex()] for team, (first, epoch, made) in pinned.items()}, file
            )
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
    if {team.id for team in found} != set(pinned) or not all(map(pin.vouches_for, found)):
        raise BrokenChain
    return found


def teams_or_none(db: Session, pin: Pin) -> tuple[Team, ...]:
    """The same, and nothing before the first keys are made."""
    try:
        return teams(db, pin)
    except NotYet:
        return ()


@dataclass(frozen=True, slots=True)
class Status:
    """A team for the terminal: whose keys, how new, who reads, whether an epoch is due."""

    name: str
    kind: str
    fingerprint: str
    epoch: int
    readers: tuple[str, ...]
    due: bool


def status(db: Session, pin: Pin) -> tuple[Status, ...]:
    """Every team, verified."""
    rows = db.scalars(select(MemberRow).order_by(MemberRow.name)).all()
    return tuple(
        Status(
            team.name,
            team.kind,
            team.fingerprint.hex()[:32],
            team.newest.number,
            tuple(row.name for row in rows if is_in(team, row)),
            db.get_one(TeamRow, team.id).due,
        )
        for team in teams(db, pin)
    )


def log_in_words(db: Session, pin: Pin) -> tuple[str, ...]:
    """Every entry of every verified log, a line each: team, number, act, epoch or member, hash."""
    names = {row.id: row.name for row in db.scalars(select(MemberRow))}
    lines = []
    for team in teams(db, pin):
        for row in db.scalars(select(LogRow).where(LogRow.team == team.id).order_by(LogRow.number)):
            told = json.loads(row.body)
            what = (
                f"epoch {told['epoch']}" if told["act"] == "epoch" else names.get(told["member"], str(told["member"]))
            )
            lines.append(
                f"{team.name}  {row.number:4}  {told['act']:7} {what:20} {sealing.digest(row.body).hex()[:16]}"
            )
    return tuple(lines)


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
    made: list[bytes] = []
    for number, entry in enumerate(db.scalars(select(LogRow).where(LogRow.team == row.id).order_by(LogRow.number)), 1):
        told = _read_entry(entry, number, row, hashes[-1] if hashes else b"")
        signer = epochs[-1].signing if epochs else _first_signer(told)
        if not sealing.is_signed(signer, entry.signature, entry.body):
            raise BrokenChain
        _ACTS[told["act"]](told, epochs, members)
        hashes.append(sealing.digest(entry.body))
        made += [hashes[-1]] if told["act"] == "epoch" else []
    if not epochs:
        raise BrokenChain
    return Team(
        row.id,
        row.kind,
        row.name,
        tuple(epochs),
        members,
        hashes[0],
        len(hashes),
        hashes[-1],
        tuple(hashes),
        tuple(made),
    )


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


def _note_removal(told: Mapping[str, str], _epochs: list[Epoch], members: dict[int, bytes]) -> None:
    members.pop(int(told["member"]), None)


_ACTS = {"epoch": _note_epoch, "grant": _note_grant, "remove": _note_removal}


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


def first_keys(db: Session, pin: Pin, member: MemberRow, names: Mapping[str, str], recovery: bytes) -> tuple[Team, ...]:
    """Epoch 1 of the casework and the statistics team, granted to the first case worker and to the sheets.

    Refused when anything of a team is there already: the first keys are made once. Give what comes back to
    `Pin.begin` once it is committed.
    """
    made = []
    if pin.read() or db.scalars(select(TeamRow)).first():
        raise BrokenChain
    for kind in (CASEWORK, STATISTICS):
        team = TeamRow(kind=kind, name=names[kind], due=False)
        db.add(team)
        db.flush()
        keys, signing_public, pair = _new_epoch()
        told = {"act": "epoch", "epoch": 1, "kind": kind, "name": team.name, "sealing": pair.public.hex(),
                "signing": signing_public.hex(), "recovery": recovery.hex()}  # fmt: skip
        _write_entry(db, team.id, keys.signing, told)
        _grant(db, team.id, 1, keys, RECOVERY, recovery)
        let_in(db, team.id, {1: keys}, member.id, member.public_key)
        made.append(_verified(db, team))
    note(db, "first keys made", member.id)
    return tuple(made)


def _new_epoch() -> tuple[EpochKeys, bytes, KeyPair]:
    pair, signing = sealing.new_key_pair(), sealing.new_signing_pair()
    return EpochKeys(pair.private, signing.private, sealing.new_key()), signing.public, pair


def let_in(db: Session, team: int, held: Mapping[int, EpochKeys], member: int, public: bytes) -> None:
    """Seal every epoch held to one more member and say so in the log, signed with the newest."""
    newest = max(held)
    told = {"act": "grant", "epoch": newest, "member": member, "public": sealing.digest(public).hex()}
    _write_entry(db, team, held[newest].signing, told)
    for epoch, keys in held.items():
        _grant(db, team, epoch, keys, member, public)
    note(db, "let in", member)


def _grant(db: Session, team: int, epoch: int, keys: EpochKeys, member: int, public: bytes) -> None:
    db.execute(delete(GrantRow).where(GrantRow.team == team, GrantRow.epoch == epoch, GrantRow.member == member))
    sealed = sealing.seal_to(public, _grant_place(team, epoch, member), keys.to_bytes())
    db.add(GrantRow(team=team, epoch=epoch, member=member, sealed=sealed))
    db.flush()


def _grant_place(team: int, epoch: int, member: int) -> Place:
    return Place("team_grant", team, member, "epoch", epoch)


# ── who comes, who goes ─────────────────────────────────────────────────────────────────────────────────────


def spoken_words(keys: Keys, language: str) -> tuple[str, ...]:
    """The six words a newcomer says, out of the key in her own hands: what lies in the database cannot change them.

    Nothing that somebody else can choose goes in, so that no second key can be searched for that gives the same.
    """
    numbers = _spoken(sealing.new_key_pair(keys.private).public, keys.member, keys.roles)
    return tuple(receipts.words_of(language)[number] for number in numbers)


def _spoken(public: bytes, member: int, roles: Iterable[str]) -> tuple[int, ...]:
    told = sealing.digest(b"spoken" + sealing.digest(public) + member.to_bytes(8, "big") + ",".join(roles).encode())
    number = int.from_bytes(told[:16], "big")
    return tuple(number >> 11 * place & 2047 for place in range(SPOKEN))


def let_in_by_words(db: Session, pin: Pin, keys: Keys, member: int, typed: str) -> None:
    """A member lets a newcomer in: the seal goes only to the key that gives the words she heard. Else `NotHer`."""
    row = db.get_one(MemberRow, member)
    expected = _spoken(row.public_key, row.id, row.roles.split(","))
    if not row.private or expected not in receipts.read_numbers(typed, SPOKEN):
        raise NotHer
    for team in teams(db, pin):
        if reads(team, row.roles.split(",")) and team.newest.number in keys.epochs.get(team.id, {}):
            let_in(db, team.id, keys.epochs[team.id], row.id, row.public_key)
    _see(db, pin, keys)


def _see(db: Session, pin: Pin, keys: Keys) -> None:
    """She remembers what she just wrote: if it is cut out again, her next sign-in says so."""
    heads = _heads(db, teams(db, pin))
    db.get_one(MemberRow, keys.member).remembered = _remember(keys.private, keys.member, heads)
    db.flush()


def reads(team: Team, roles: Iterable[str]) -> bool:
    """Whether people with these roles belong into a team."""
    return any(KINDS.get(role) == team.kind for role in roles)


def is_in(team: Team, row: MemberRow) -> bool:
    """Whether the log vouches for the key that lies there, and the account still opens."""
    return bool(row.private) and team.members.get(row.id) == sealing.digest(row.public_key)


def settle(db: Session, pin: Pin, keys: Keys) -> tuple[Keys, tuple[str, ...]]:
    """What a member does for her teams when she signs in: note who is gone, make the epoch that is due.

    Returns her keys with the new epochs, and the names of those who are not in any more.
    """
    gone: set[str] = set()
    for team in teams_or_none(db, pin):
        held = keys.epochs.get(team.id, {})
        row = db.get_one(TeamRow, team.id)
        rows = {one.id: one for one in db.scalars(select(MemberRow))}
        missing = [member for member in team.members if member not in rows or not is_in(team, rows[member])]
        if team.newest.number not in held or not (missing or row.due):
            continue
        for member in missing:
            _write_entry(db, team.id, held[team.newest.number].signing, {"act": "remove", "member": member})
            gone.add(rows[member].name if member in rows else "?")
        keys = _rotate(db, _verified(db, row), keys)
        row.due = False
        _see(db, pin, keys)
    return keys, tuple(sorted(gone))


def _rotate(db: Session, team: Team, keys: Keys) -> Keys:
    """A new epoch, signed with the one before, for everybody the log vouches for and for the sheets. Nobody else."""
    fresh, signing_public, pair = _new_epoch()
    number, recovery = team.newest.number + 1, team.newest.recovery
    told = {"act": "epoch", "epoch": number, "sealing": pair.public.hex(), "signing": signing_public.hex(),
            "recovery": recovery.hex()}  # fmt: skip
    _write_entry(db, team.id, keys.of(team.id, team.newest.number).signing, told)
    _grant(db, team.id, number, fresh, RECOVERY, recovery)
    for row in db.scalars(select(MemberRow)).all():
        if is_in(team, row):
            _grant(db, team.id, number, fresh, row.id, row.public_key)
    note(db, "new epoch", keys.member)
    epochs = {**keys.epochs, team.id: {**keys.epochs[team.id], number: fresh}}
    return replace(keys, epochs=epochs)


def shut(db: Session, member: int, act: str) -> None:
    """Her wrapped key is forgotten: neither her password nor a new one opens it. An epoch is due in each team."""
    row = db.get_one(MemberRow, member)
    row.private, row.version, row.last_counter = b"", row.version + 1, 0
    db.execute(update(TeamRow).values(due=True))
    db.flush()
    note(db, act, member)


def recover(db: Session, pin: Pin, sheets: Sheets, member: int) -> None:
    """Both sheets let an account in that nobody is left to let in.

    `CannotOpen` when they are not the sheets, or she cannot sign in, or no team is hers.
    """
    pair, row = sheets.key_pair(), db.get_one(MemberRow, member)
    found = teams(db, pin)
    if not row.private or not any(reads(team, row.roles.split(",")) for team in found):
        raise CannotOpen
    for team in found:
        held = {
            grant.epoch: EpochKeys.from_bytes(
                sealing.open_with(pair.private, _grant_place(team.id, grant.epoch, RECOVERY), grant.sealed)
            )
            for grant in db.scalars(select(GrantRow).where(GrantRow.team == team.id, GrantRow.member == RECOVERY))
        }
        if team.newest.number not in held:
            raise CannotOpen
        if reads(team, row.roles.split(",")):
            let_in(db, team.id, held, row.id, row.public_key)
    note(db, "recovered with the sheets", member)


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
    version: int


@dataclass(frozen=True, slots=True)
class Secrets:
    """What her password opens: her private key, the secret of her app, her spare codes."""

    private: bytes = field(repr=False)
    totp: bytes = field(repr=False)
    spares: tuple[bytes, ...] = field(repr=False)

    def to_bytes(self) -> bytes:
        """96 + 20 bytes, and four for each spare code."""
        return self.private + self.totp + b"".join(self.spares)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Secrets:
        """The inverse of `to_bytes`."""
        private, totp, rest = raw[: sealing.PRIVATE], raw[sealing.PRIVATE :][:20], raw[sealing.PRIVATE + 20 :]
        return cls(private, totp, tuple(rest[start : start + 4] for start in range(0, len(rest), 4)))

    def without(self, spare: bytes) -> Secrets:
        """The same with one spare code used up."""
        return replace(self, spares=tuple(USED if one == spare else one for one in self.spares))


def new_spares(below: Callable[[int], int]) -> tuple[str, ...]:
    """Eight spare codes of eight digits, for the day her phone is gone. They stand in for the app only."""
    return tuple(f"{below(10**SPARE_DIGITS):0{SPARE_DIGITS}d}" for _ in range(SPARES))


def new_member(name: str, roles: tuple[str, ...], password: str, totp_secret: bytes, pepper: bytes,
               spares: tuple[str, ...] = (), again: MemberRow | Account | None = None) -> NewMember:  # fmt: skip
    """Her keys, the private ones under her password. Takes about 0.15 s; call it outside a transaction.

    `again`: an account that was reset and keeps its number.
    """
    number = again.id if again else int.from_bytes(os.urandom(4), "big") >> 1 or 1
    version = again.version + 1 if again else 1
    pair, salt = sealing.new_key_pair(), os.urandom(16)
    wrapping = sealing.stretch_password(password, salt, pepper)
    secrets = Secrets(pair.private, totp_secret, tuple(_spare_bytes(spare) for spare in spares))
    private = sealing.seal(wrapping, _private_place(number, version), secrets.to_bytes())
    return NewMember(number, name, roles, pair.public, salt, private,
                     _remember(pair.private, number, {}), version)  # fmt: skip


def _spare_bytes(spare: str) -> bytes:
    return int(spare).to_bytes(4, "big")


def store_member(db: Session, new: NewMember) -> MemberRow:
    """Put a new member on the shelf, or the new key of one who was reset."""
    row = db.get(MemberRow, new.id)
    if row is None:
        row = MemberRow(id=new.id, name=new.name, roles=",".join(new.roles))
        db.add(row)
    elif row.private:
        raise CannotOpen
    row.public_key, row.salt, row.private = new.public, new.salt, new.private
    row.remembered, row.version, row.last_counter = new.remembered, new.version, 0
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
    private: bytes = field(repr=False)
    counter: int
    resealed: bytes | None = None  # a spare code was used up


def unlock(found: Locked | None, password: str, code: str, at: float, pepper: bytes) -> Unlocked:
    """Open her private key with password and second factor; the same work and the same error whatever is wrong."""
    wrapping = sealing.stretch_password(password, found.salt if found else bytes(16), pepper)
    if found is None:
        raise CannotOpen
    secrets, digits = _open_secrets(found, wrapping), "".join(code.split())
    counter = sealing.totp_counter(secrets.totp, digits, at, found.last_counter)
    if counter is not None:
        return Unlocked(found, secrets.private, counter)
    if re.fullmatch(rf"[0-9]{{{SPARE_DIGITS}}}", digits) and _spare_bytes(digits) in secrets.spares:
        left = secrets.without(_spare_bytes(digits)).to_bytes()
        resealed = sealing.seal(wrapping, _private_place(found.id, found.version + 1), left)
        return Unlocked(found, secrets.private, found.last_counter + 1, resealed)
    raise CannotOpen


def _open_secrets(found: Locked, wrapping: bytes) -> Secrets:
    return Secrets.from_bytes(sealing.open_sealed(wrapping, _private_place(found.id, found.version), found.private))


def with_new_password(found: Locked | None, old: str, new: str, pepper: bytes) -> tuple[bytes, bytes]:
    """(salt, private) under a new password; `CannotOpen` when the old one is wrong. Outside any transaction."""
    if found is None:
        raise CannotOpen
    secrets = _open_secrets(found, sealing.stretch_password(old, found.salt, pepper))
    salt = os.urandom(16)
    wrapping = sealing.stretch_password(new, salt, pepper)
    return salt, sealing.seal(wrapping, _private_place(found.id, found.version + 1), secrets.to_bytes())


def store_password(db: Session, found: Locked | None, salt: bytes, private: bytes) -> None:
    """Put the newly wrapped key on the shelf, if nobody changed it meanwhile."""
    row = db.get(MemberRow, found.id) if found else None
    if found is None or row is None or row.private != found.private:
        raise CannotOpen
    row.salt, row.private, row.version = salt, private, row.version + 1
    db.flush()
    note(db, "password changed", found.id)


def take_keys(db: Session, pin: Pin, who: Unlocked) -> Keys:
    """Her keys of every team, after holding what she remembers against what stands there now.

    Raises `BrokenChain` when an entry she has seen is gone, `CannotOpen` when her code was used meanwhile.
    """
    row = db.get_one(MemberRow, who.locked.id, with_for_update=True)
    if row.last_counter >= who.counter or row.private != who.locked.private:
        raise CannotOpen
    remembered = _recall(who.private, row)
    found = teams_or_none(db, pin)
    _hold_against(db, remembered, found)
    row.last_counter = who.counter
    if who.resealed is not None:
        row.private, row.version = who.resealed, row.version + 1
    row.remembered = _remember(who.private, row.id, _heads(db, found))
    return Keys(row.id, row.name, tuple(row.roles.split(",")), who.private, held_by(db, who.private, row.id, found))


def held_by(db: Session, private: bytes, member: int, found: tuple[Team, ...]) -> dict[int, dict[int, EpochKeys]]:
    """Every epoch that was sealed to her and that the log vouches for. A key from elsewhere is a broken chain."""
    held: dict[int, dict[int, EpochKeys]] = {}
    for team in found:
        public = {epoch.number: epoch.sealing for epoch in team.epochs}
        for row in db.scalars(select(GrantRow).where(GrantRow.team == team.id, GrantRow.member == member)):
            try:
                raw = sealing.open_with(private, _grant_place(team.id, row.epoch, member), row.sealed)
            except CannotOpen:
                continue  # sealed to a key she had before a reset
            keys = EpochKeys.from_bytes(raw)
            if sealing.new_key_pair(keys.sealing).public != public.get(row.epoch):
                raise BrokenChain
            held.setdefault(team.id, {})[row.epoch] = keys
    return held


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
    """What everybody of the staff may know of a colleague. `open`: she can sign in; `inside`: her teams let her in."""

    id: int
    name: str
    roles: tuple[str, ...]
    version: int
    open: bool
    inside: bool


def members(db: Session, found: tuple[Team, ...] = ()) -> tuple[Account, ...]:
    """Every account; with the verified teams, also whether each is let in."""
    return tuple(_account(row, found) for row in db.scalars(select(MemberRow).order_by(MemberRow.name)))


def account(db: Session, member: int, found: tuple[Team, ...] = ()) -> Account:
    """One account; `CannotOpen` where there is none."""
    row = db.get(MemberRow, member)
    if row is None:
        raise CannotOpen
    return _account(row, found)


def _account(row: MemberRow, found: tuple[Team, ...]) -> Account:
    roles = tuple(row.roles.split(","))
    hers = [team for team in found if reads(team, roles)]
    return Account(
        row.id, row.name, roles, row.version, bool(row.private), bool(hers) and all(is_in(t, row) for t in hers)
    )


def totp_text(secret: bytes) -> str:
    """The secret as authenticator apps want it typed (base32)."""
    return base64.b32encode(secret).decode()


def public_key(db: Session, member: int) -> bytes:
    """A member's public key as it lies on the shelf; whoever lets her in must know that it is hers."""
    return db.get_one(MemberRow, member).public_key


def totp_bytes(text: str) -> bytes:
    """The inverse of `totp_text`; spaces and small letters are forgiven. Raises ValueError."""
    return base64.b32decode(text.replace(" ", "").upper())
