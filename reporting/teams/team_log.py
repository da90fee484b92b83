"""The team log: what is believed of each team, and only that. Public keys, never a private one.

Every team key stands in an append-only log, each entry signed with the key of the epoch before; the first
fingerprint and the entry of the newest epoch are pinned outside the database. Who can write rows cannot make
them believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen as CannotOpen
from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.storage.files import rewrite_json
from reporting.storage.ledger import Ledger
from reporting.storage.models import LogRow, MemberRow, TeamRow

CASEWORK, STATISTICS = "casework", "statistics"
CASE_WORKER, ADVOCATE, COORDINATOR = "case_worker", "advocate", "coordinator"
ROLES = (CASE_WORKER, ADVOCATE, COORDINATOR)
ROLE_NAMES = {CASE_WORKER: N_("Case worker"), ADVOCATE: N_("Advocate"), COORDINATOR: N_("Coordinator")}
KINDS = {CASE_WORKER: CASEWORK, ADVOCATE: STATISTICS}  # role -> kind of team it reads


class BrokenChain(AmparoError):
    """The team's keys are not vouched for: a row was changed, cut out or put back. Nothing is sealed to them."""


class KeysNotMade(AmparoError):
    """No case worker has made the keys yet."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """The public part of one epoch, as the log vouches for it."""

    number: int
    sealing: bytes
    signing: bytes
    recovery: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A member's word, as the log holds it: the audit up to this entry has this chain hash, on this day."""

    number: int
    chain: bytes
    day: date


@dataclass(frozen=True, slots=True)
class Team:
    """A team whose log verified from its first entry to its last."""

    id: int
    kind: str
    name: str
    epochs: tuple[Epoch, ...]
    members: Mapping[int, bytes]  # member id -> digest of the public key that was let in
    vouched: Mapping[int, bytes]  # team id -> fingerprint of another team that a member of this one vouched for
    founding: bool  # the first team of its kind
    hashes: tuple[bytes, ...] = field(repr=False)  # of every entry
    epoch_hashes: tuple[bytes, ...] = field(repr=False)  # hash of the entry that made each epoch
    checkpoints: tuple[Checkpoint, ...] = ()  # of the audit, oldest first

    @property
    def newest(self) -> Epoch:
        """The epoch that new cases are sealed to."""
        return self.epochs[-1]

    @property
    def fingerprint(self) -> bytes:
        """The hash of the first entry: whose team this is, for ever."""
        return self.hashes[0]


WAITING = "waits"  # in the file of the pin: teams that are being committed just now
LISTS = "lists"  # there too: how new the list of what each team has taken is; a matter of `list_numbers`
ROWS = "rows"  # there too: that the rows of the directory are signed here
Pinned = tuple[bytes, int, bytes]  # fingerprint of the first entry, highest epoch, hash of the entry that made it


@dataclass(frozen=True, slots=True)
class Pin:
    """A small file outside the database: what is believed of each team. It never goes down, and no team slips in.

    Team -> fingerprint of its first entry, highest epoch, hash of the entry that made that epoch.
    """

    path: Path

    def read(self) -> dict[int, Pinned]:
        """What is believed. Empty before the first keys are made."""
        return self._content()[0]

    def _content(self) -> tuple[dict[int, Pinned], dict[int, Pinned]]:
        """(what is believed, what is waiting to be committed)."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            waiting, _, _ = content.pop(WAITING, {}), content.pop(LISTS, None), content.pop(ROWS, None)
            return _pinned_in(content), _pinned_in(waiting)
        except FileNotFoundError:
            return {}, {}
        except (ValueError, TypeError, AttributeError):
            raise BrokenChain from None

    def believed(self, there: Iterable[int]) -> dict[int, Pinned]:
        """What `read` gives, and whatever was waiting and is among `there`: the machine may have stopped in between."""
        (settled, waiting), rows = self._content(), set(there)
        return {team: pinned for team, pinned in waiting.items() if team in rows} | settled

    def expect(self, new_teams: Iterable[Team]) -> None:
        """Before teams of this very request are committed: they are believed once they are there, and not else.

        `BrokenChain` when one of them is believed already.
        """
        settled, fresh = self.read(), {team.id: _as_pinned(team) for team in new_teams}
        if settled.keys() & fresh.keys():
            raise BrokenChain
        self._write(settled, fresh)

    def begin(self, new_teams: Iterable[Team]) -> None:
        """Pin the first teams, made in this very request, from what it holds, not from the database.

        `BrokenChain` when something is pinned already.
        """
        if self.read():
            raise BrokenChain
        self._write({team.id: _as_pinned(team) for team in new_teams})
        self.ledger.begin()

    @property
    def ledger(self) -> Ledger:
        """The ledger of releases, which lies beside the pin and goes down as little."""
        return Ledger(self.path.parent)

    def add(self, new_team: Team) -> None:
        """Pin one team more, made in this very request; from what it holds, not from the database.

        `BrokenChain` when it is pinned already, or nothing is.
        """
        if new_team.id in self.read() or not self.read():
            raise BrokenChain
        self._write(self.read() | {new_team.id: _as_pinned(new_team)})

    def vouches_for(self, verified: Iterable[Team]) -> bool:
        """Whether verified teams are pinned, every one, and none of them is older or forked."""
        listed = list(verified)
        pinned = self.believed(team.id for team in listed)
        return all(_fits(team, *pinned.get(team.id, (b"", 0, b""))) for team in listed)

    def raise_to(self, verified: tuple[Team, ...]) -> None:
        """Remember the newest epochs of teams that are pinned already.

        `BrokenChain` when one of them is not pinned, older than the pin or forked from it.
        """
        if not self.vouches_for(verified):
            raise BrokenChain
        pinned, waiting = self._content()
        newest = {team.id: _as_pinned(team) for team in verified}
        if pinned | newest != pinned or waiting.keys() & newest.keys():
            self._write(pinned | newest)

    def _write(self, pinned: Mapping[int, Pinned], waiting: Mapping[int, Pinned] | None = None) -> None:
        words = _in_words(pinned) | ({WAITING: _in_words(waiting)} if waiting else {})
        rewrite_json(self.path, lambda before: words | {name: before[name] for name in (LISTS, ROWS) if name in before})

    def rows_are_signed(self) -> bool:
        """Whether the rows of the directory were signed once: then one that is not is not believed."""
        try:
            return bool(json.loads(self.path.read_text(encoding="utf-8")).get(ROWS))
        except FileNotFoundError:
            return False
        except (ValueError, AttributeError):
            return True  # what cannot be read excuses nothing

    def note_rows_signed(self) -> None:
        """Note that they are, from now on."""
        if not self.rows_are_signed():
            rewrite_json(self.path, lambda before: before | {ROWS: True})


def _as_pinned(team: Team) -> Pinned:
    return team.fingerprint, team.newest.number, team.epoch_hashes[-1]


def _in_words(pinned: Mapping[int, Pinned]) -> dict[str, Any]:
    return {str(team): [first.hex(), epoch, epoch_hash.hex()] for team, (first, epoch, epoch_hash) in pinned.items()}


def _pinned_in(written: Mapping[str, Any]) -> dict[int, Pinned]:
    return {
        int(team): (bytes.fromhex(first), int(epoch), bytes.fromhex(epoch_hash))
        for team, (first, epoch, epoch_hash) in written.items()
    }


def _fits(team: Team, first: bytes, epoch: int, epoch_hash: bytes) -> bool:
    return first == team.fingerprint and 0 < epoch <= team.newest.number and epoch_hash == team.epoch_hashes[epoch - 1]


def teams(db: Session, pin: Pin) -> tuple[Team, ...]:
    """Every team, verified from the first entry and held against the pin. Raises `KeysNotMade` or `BrokenChain`."""
    rows: dict[tuple[int, str, str], list[LogEntry]] = {}
    for team, kind, name, *entry in db.execute(_EVERY_ENTRY):
        rows.setdefault((team, kind, name), []).append(LogEntry(*entry))
    pinned = pin.believed(team for team, _, _ in rows)
    if not rows and not pinned:
        raise KeysNotMade
    first = {kind: team for team, kind, _ in reversed(rows)}
    verified = tuple(
        _verified(team, kind, name, first[kind] == team, tuple(entries)) for (team, kind, name), entries in rows.items()
    )
    if {team.id for team in verified} != set(pinned) or not pin.vouches_for(verified):
        raise BrokenChain
    return verified


def teams_or_none(db: Session, pin: Pin) -> tuple[Team, ...]:
    """Every team, verified as by `teams`; none before the first keys are made. Raises `BrokenChain`."""
    try:
        return teams(db, pin)
    except KeysNotMade:
        return ()


def team_of_kind(verified: tuple[Team, ...], kind: str) -> Team:
    """The first team of a kind; `KeysNotMade` when there is none."""
    for team in verified:
        if team.kind == kind:
            return team
    raise KeysNotMade


def trusted(verified: Iterable[Team], kind: str = CASEWORK) -> tuple[Team, ...]:
    """The teams of a kind that may be given cases: the founding one, and whatever a trusted one has vouched for.

    A coordinator can have a new team begun; that it is what it says, a member of a trusted team must have heard.
    """
    known, left = [team for team in verified if team.founding], [team for team in verified if not team.founding]
    while True:
        fresh = [team for team in left if any(voucher.vouched.get(team.id) == team.fingerprint for voucher in known)]
        if not fresh:
            return tuple(sorted((team for team in known if team.kind == kind), key=lambda team: team.id))
        known, left = [*known, *fresh], [team for team in left if team not in fresh]


def teams_in(written: str) -> tuple[int, ...]:
    """The team numbers of an account or an invitation as they lie in their row."""
    return tuple(int(part) for part in written.split(",") if part)


def reads(team: Team, roles: Iterable[str], meant: Iterable[int] = ()) -> bool:
    """Whether people with these roles, meant for these teams (none named: the founding ones), belong into a team."""
    here = team.id in tuple(meant) if tuple(meant) else team.founding
    return here and any(KINDS.get(role) == team.kind for role in roles)


def is_in(team: Team, row: MemberRow) -> bool:
    """Whether the log vouches for the key that lies there, and the account still opens."""
    return bool(row.private) and team.members.get(row.id) == sealing.digest(row.public_key)


def verified(db: Session, row: TeamRow) -> Team:
    """One team, verified from its first entry to its last."""
    entries = db.execute(select(*_ENTRY).where(_LOG.team == row.id).order_by(_LOG.number))
    first = db.scalar(select(func.min(TeamRow.id)).where(TeamRow.kind == row.kind)) == row.id
    return _verified(row.id, row.kind, row.name, first, tuple(LogEntry(*entry) for entry in entries))


class LogEntry(NamedTuple):
    """An entry as it lies in the log."""

    number: int
    body: bytes
    signature: bytes


_LOG, _TEAM = LogRow.__table__.c, TeamRow.__table__.c
_ENTRY = _LOG["number", "body", "signature"]
_EVERY_ENTRY = (  # of every team; a team without one has no number there, and is no team
    select(*_TEAM["id", "kind", "name"], *_ENTRY)
    .join_from(TeamRow.__table__, LogRow.__table__, _LOG.team == _TEAM.id, isouter=True)
    .order_by(_TEAM.id, _LOG.number)
)


@lru_cache(maxsize=64)  # the very same bytes were looked at a moment ago; anything else is walked through anew
def _verified(team: int, kind: str, name: str, founding: bool, entries: tuple[LogEntry, ...]) -> Team:  # noqa: FBT001
    """Walk the log: each entry names the one before it and is signed with the key then in force."""
    epochs: list[Epoch] = []
    members: dict[int, bytes] = {}
    vouched: dict[int, bytes] = {}
    hashes: list[bytes] = []
    epoch_hashes: list[bytes] = []
    checkpoints: list[Checkpoint] = []
    for number, entry in enumerate(entries, 1):
        content = _read_entry(entry, number, (team, kind, name), hashes[-1] if hashes else b"")
        signer = epochs[-1].signing if epochs else _first_signer(content)
        if not sealing.is_signed(signer, entry.signature, entry.body):
            raise BrokenChain
        _ACTS[content["act"]](content, epochs, vouched if content["act"] == "vouch" else members)
        hashes.append(sealing.digest(entry.body))
        epoch_hashes += [hashes[-1]] if content["act"] == "epoch" else []
        checkpoints += [_checkpoint(content)] if content["act"] == AUDIT else []
    if not epochs:
        raise BrokenChain
    return Team(
        team,
        kind,
        name,
        tuple(epochs),
        MappingProxyType(members),
        MappingProxyType(vouched),
        founding,
        tuple(hashes),
        tuple(epoch_hashes),
        tuple(checkpoints),
    )


def _read_entry(entry: LogEntry, number: int, team: tuple[int, str, str], before: bytes) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(entry.body)
        due = (team[0], number, before.hex())
        fits = (content["team"], content["number"], content["before"]) == due and entry.number == number
        named = number > 1 or (content["act"], content["kind"], content["name"]) == ("epoch", *team[1:])
    except (ValueError, KeyError, TypeError):
        raise BrokenChain from None
    if not (fits and named and content["act"] in _ACTS):
        raise BrokenChain
    return content


def _first_signer(content: Mapping[str, str]) -> bytes:
    return bytes.fromhex(content["signing"])


def _note_epoch(content: Mapping[str, str], epochs: list[Epoch], _members: dict[int, bytes]) -> None:
    public = (bytes.fromhex(content[part]) for part in ("sealing", "signing", "recovery"))
    if int(content["epoch"]) != len(epochs) + 1:
        raise BrokenChain
    epochs.append(Epoch(int(content["epoch"]), *public))


def _note_grant(content: Mapping[str, str], _epochs: list[Epoch], members: dict[int, bytes]) -> None:
    members[int(content["member"])] = bytes.fromhex(content["public"])


def _note_removal(content: Mapping[str, str], _epochs: list[Epoch], members: dict[int, bytes]) -> None:
    members.pop(int(content["member"]), None)


def _note_vouch(content: Mapping[str, str], _epochs: list[Epoch], vouched: dict[int, bytes]) -> None:
    vouched[int(content["vouched"])] = bytes.fromhex(content["fingerprint"])


def _note_nothing(_content: Mapping[str, str], _epochs: list[Epoch], _members: dict[int, bytes]) -> None:
    """A checkpoint of the audit, or with which key somebody signs, changes nobody's keys of the team."""


def _checkpoint(content: Mapping[str, Any]) -> Checkpoint:
    try:
        return Checkpoint(int(content["entry"]), bytes.fromhex(content["chain"]), date.fromisoformat(content["day"]))
    except (KeyError, ValueError, TypeError):
        raise BrokenChain from None


AUDIT, SIGNER = "audit", "signer"
_ACTS = {
    "epoch": _note_epoch,
    "grant": _note_grant,
    "remove": _note_removal,
    "vouch": _note_vouch,
    AUDIT: _note_nothing,
    SIGNER: _note_nothing,
}


def write_entry(db: Session, team: int, signing: bytes, content: Mapping[str, object]) -> None:
    """Append an entry, signed with the key of the epoch in force (of the epoch it makes, for the first)."""
    newest = db.scalars(select(LogRow).where(LogRow.team == team).order_by(LogRow.number.desc()).limit(1)).first()
    number = newest.number + 1 if newest else 1
    before = sealing.digest(newest.body).hex() if newest else ""
    body = json.dumps({"team": team, "number": number, "before": before, **content}, sort_keys=True).encode()
    db.add(LogRow(team=team, number=number, body=body, signature=sealing.sign(signing, body)))
    db.flush()
