"""The keyring: the private keys of the teams, and to whom they are given.

They are made in a case worker's hands and sealed to members one by one: let in by six spoken words, left out
by a new epoch, brought back by two sheets. A coordinator has none and can give none. Knows nothing of cases or
the web.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reporting.crypto import receipts, sealing
from reporting.crypto.sealing import KeyPair, SealContext
from reporting.errors import AmparoError
from reporting.storage.models import GrantRow, MemberRow, TeamRow
from reporting.teams import audit, members, team_log
from reporting.teams.members import CodeUsed, Unlocked
from reporting.teams.team_log import CASEWORK, STATISTICS, BrokenChain, CannotOpen, Pin, Team

RECOVERY = 0  # the member number of the recovery sheets
SHEET_WORDS = 12  # words on each of the two sheets; both together give the recovery key
MONTH = 30  # days between two signed checkpoints of the audit
SPOKEN = 6  # words a newcomer says and a member types: 66 bits of the newcomer's key, account and roles


class WrongWords(AmparoError):
    """The words that were typed are not those of the key that lies there. Nobody is let in."""


@dataclass(frozen=True, slots=True)
class EpochKeys:
    """The private part of one epoch: opens what was sealed to the team, signs its log, keeps its vault."""

    sealing: bytes = field(repr=False)  # 96
    signing: bytes = field(repr=False)  # 32
    vault: bytes = field(repr=False)  # 32

    def to_bytes(self) -> bytes:
        """The 160 bytes of the three keys."""
        return self.sealing + self.signing + self.vault

    @classmethod
    def from_bytes(cls, raw: bytes) -> EpochKeys:
        """The keys that `to_bytes` gave; `CannotOpen` for any other length."""
        if len(raw) != sealing.PRIVATE + 2 * sealing.KEY:
            raise CannotOpen
        return cls(raw[:96], raw[96:128], raw[128:])


@dataclass(frozen=True, slots=True)
class Keys:
    """What a member holds while signed in."""

    member: int
    name: str
    roles: tuple[str, ...]
    private: bytes = field(repr=False)
    epochs: Mapping[int, Mapping[int, EpochKeys]] = field(repr=False)  # team -> epoch number -> private part
    meant: tuple[int, ...] = ()  # the teams the account is for; empty: the founding ones of its roles
    must_change: bool = False  # the password could be guessed: it is changed before anything else is done

    def of(self, team: int, epoch: int) -> EpochKeys:
        """The member's key of a team's epoch, or `CannotOpen` where there is none."""
        try:
            return self.epochs[team][epoch]
        except KeyError:
            raise CannotOpen from None

    def to_bytes(self) -> bytes:
        """The bytes of all these keys, for the sealed session row."""
        held = {str(t): {str(n): k.to_bytes().hex() for n, k in e.items()} for t, e in self.epochs.items()}
        content = {
            "member": self.member,
            "name": self.name,
            "roles": self.roles,
            "private": self.private.hex(),
            "epochs": held,
            "meant": self.meant,
            "must_change": self.must_change,
        }
        return json.dumps(content).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Keys:
        """The keys that `to_bytes` gave."""
        content = json.loads(raw)
        held = {
            int(team): {int(number): EpochKeys.from_bytes(bytes.fromhex(key)) for number, key in epochs.items()}
            for team, epochs in content["epochs"].items()
        }
        private, meant = bytes.fromhex(content["private"]), tuple(content["meant"])
        roles, must_change = tuple(content["roles"]), content.get("must_change", False)
        return cls(content["member"], content["name"], roles, private, held, meant, must_change)


@dataclass(frozen=True, slots=True)
class RecoverySheets:
    """The two recovery sheets, shown once, on paper, kept by two people in two places."""

    first: tuple[str, ...]
    second: tuple[str, ...]

    def key_pair(self) -> KeyPair:
        """Both sheets together give the recovery key; one alone gives nothing."""
        words = " ".join(receipts.plain(word).strip() for word in (*self.first, *self.second))
        return sealing.new_key_pair(sealing.derive(words.encode(), "recovery sheets", length=sealing.PRIVATE))


def first_keys(db: Session, pin: Pin, member: MemberRow, names: Mapping[str, str], recovery: bytes) -> tuple[Team, ...]:
    """Epoch 1 of the casework and the statistics team, granted to the first case worker and to the sheets.

    `BrokenChain` when anything of a team is there already: the first keys are made once. Give what comes back to
    `Pin.begin` once it is committed.
    """
    if pin.read() or db.scalars(select(TeamRow)).first():
        raise BrokenChain
    new_teams = tuple(_make_team(db, kind, names[kind], member, recovery) for kind in (CASEWORK, STATISTICS))
    audit.note(db, "first keys made", member.id)
    return new_teams


def new_team(db: Session, pin: Pin, member: MemberRow, name: str, recovery: bytes) -> Team:
    """Epoch 1 of another casework team, in the hands of its first case worker. Give it to `Pin.add` after the commit.

    No case is sealed to it before a member of a trusted team vouches for it.
    """
    team_log.teams(db, pin)
    team = _make_team(db, CASEWORK, name, member, recovery)
    member.teams = str(team.id)
    audit.note(db, "new team begun", member.id)
    return team


def _make_team(db: Session, kind: str, name: str, member: MemberRow, recovery: bytes) -> Team:
    team = TeamRow(kind=kind, name=name, due=False)
    db.add(team)
    db.flush()
    keys, signing_public, pair = _new_epoch()
    entry = {
        "act": "epoch",
        "epoch": 1,
        "kind": kind,
        "name": team.name,
        "sealing": pair.public.hex(),
        "signing": signing_public.hex(),
        "recovery": recovery.hex(),
    }
    team_log.write_entry(db, team.id, keys.signing, entry)
    _grant(db, team.id, 1, keys, RECOVERY, recovery)
    let_in(db, team.id, {1: keys}, member.id, member.public_key)
    return team_log.verified(db, team)


def words_of_team(team: Team, language: str) -> tuple[str, ...]:
    """The six words that somebody of a new team says, out of the first entry of its log."""
    return tuple(receipts.words_of(language)[number] for number in _spoken_team(team))


def _spoken_team(team: Team) -> tuple[int, ...]:
    return _six(sealing.digest(b"spoken team" + team.fingerprint))


def vouch(db: Session, pin: Pin, keys: Keys, other: int, typed: str) -> None:
    """A member of a trusted team vouches for a new one whose words were heard; `WrongWords` when they are others."""
    verified = team_log.teams(db, pin)
    hers = [team for team in team_log.trusted(verified) if team.newest.number in keys.epochs.get(team.id, {})]
    fresh = [team for team in verified if team.id == other and team not in team_log.trusted(verified, team.kind)]
    if not hers or not fresh or _spoken_team(fresh[0]) not in receipts.read_numbers(typed, SPOKEN):
        raise WrongWords
    entry = {"act": "vouch", "vouched": other, "fingerprint": fresh[0].fingerprint.hex()}
    team_log.write_entry(db, hers[0].id, keys.of(hers[0].id, hers[0].newest.number).signing, entry)
    audit.note(db, "vouched for a team", keys.member)
    _see(db, pin, keys)


def _new_epoch() -> tuple[EpochKeys, bytes, KeyPair]:
    pair, signing = sealing.new_key_pair(), sealing.new_signing_pair()
    return EpochKeys(pair.private, signing.private, sealing.new_key()), signing.public, pair


def let_in(db: Session, team: int, held: Mapping[int, EpochKeys], member: int, public: bytes) -> None:
    """Seal every epoch held to one more member and say so in the log, signed with the newest."""
    newest = max(held)
    entry = {"act": "grant", "epoch": newest, "member": member, "public": sealing.digest(public).hex()}
    team_log.write_entry(db, team, held[newest].signing, entry)
    for epoch, keys in held.items():
        _grant(db, team, epoch, keys, member, public)
    audit.note(db, "let in", member)


def _grant(db: Session, team: int, epoch: int, keys: EpochKeys, member: int, public: bytes) -> None:
    db.execute(delete(GrantRow).where(GrantRow.team == team, GrantRow.epoch == epoch, GrantRow.member == member))
    sealed = sealing.seal_to(public, _grant_place(team, epoch, member), keys.to_bytes())
    db.add(GrantRow(team=team, epoch=epoch, member=member, sealed=sealed))
    db.flush()


def _grant_place(team: int, epoch: int, member: int) -> SealContext:
    return SealContext("team_grant", team, member, "epoch", epoch)


def spoken_words(keys: Keys, language: str) -> tuple[str, ...]:
    """The six words a newcomer says, out of the newcomer's own key: what lies in the database cannot change them.

    Nothing that somebody else can choose goes in, so that no second key can be searched for that gives the same.
    """
    numbers = _spoken(sealing.new_key_pair(keys.private).public, keys.member, keys.roles, keys.meant)
    return tuple(receipts.words_of(language)[number] for number in numbers)


def _spoken(public: bytes, member: int, roles: Iterable[str], meant: Iterable[int]) -> tuple[int, ...]:
    whom = [",".join(roles), *(str(team) for team in meant)]
    return _six(
        sealing.digest(b"spoken" + sealing.digest(public) + member.to_bytes(8, "big") + " ".join(whom).encode())
    )


def _six(digest: bytes) -> tuple[int, ...]:
    number = int.from_bytes(digest[:16], "big")
    return tuple(number >> 11 * place & 2047 for place in range(SPOKEN))


def let_in_by_words(db: Session, pin: Pin, keys: Keys, member: int, typed: str) -> None:
    """A member lets a newcomer in: the seal goes only to the key that gives the words heard. Else `WrongWords`."""
    row = db.get_one(MemberRow, member)
    roles, meant = row.roles.split(","), team_log.teams_in(row.teams)
    expected = _spoken(row.public_key, row.id, roles, meant)
    if not row.private or expected not in receipts.read_numbers(typed, SPOKEN):
        raise WrongWords
    for team in team_log.teams(db, pin):
        if team_log.reads(team, roles, meant) and team.newest.number in keys.epochs.get(team.id, {}):
            let_in(db, team.id, keys.epochs[team.id], row.id, row.public_key)
    _see(db, pin, keys)


def _see(db: Session, pin: Pin, keys: Keys) -> None:
    """A member remembers what was just written: if it is cut out again, the next sign-in says so."""
    row, heads = db.get_one(MemberRow, keys.member), _heads(db, team_log.teams(db, pin))
    row.remembered = members.remember(keys.private, row.id, members.recall(keys.private, row) | heads)
    db.flush()


def settle(db: Session, pin: Pin, keys: Keys) -> tuple[Keys, tuple[str, ...]]:
    """What a member does for each team when signing in: note who is gone, make the epoch that is due.

    Returns the member's keys with the new epochs, and the names of those who are not in any more.
    """
    gone: set[str] = set()
    for team in team_log.teams_or_none(db, pin):
        held = keys.epochs.get(team.id, {})
        row = db.get_one(TeamRow, team.id)
        rows = {member_row.id: member_row for member_row in db.scalars(select(MemberRow))}
        missing = [member for member in team.members if member not in rows or not team_log.is_in(team, rows[member])]
        if team.newest.number not in held or not (missing or row.due):
            continue
        for member in missing:
            team_log.write_entry(db, team.id, held[team.newest.number].signing, {"act": "remove", "member": member})
            gone.add(rows[member].name if member in rows else "?")
        keys = _rotate(db, team_log.verified(db, row), keys)
        row.due = False
        _see(db, pin, keys)
    return keys, tuple(sorted(gone))


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
    _see(db, pin, keys)
    return True


def _rotate(db: Session, team: Team, keys: Keys) -> Keys:
    """A new epoch, signed with the one before, for everybody the log vouches for and for the sheets. Nobody else."""
    fresh, signing_public, pair = _new_epoch()
    number, recovery = team.newest.number + 1, team.newest.recovery
    entry = {
        "act": "epoch",
        "epoch": number,
        "sealing": pair.public.hex(),
        "signing": signing_public.hex(),
        "recovery": recovery.hex(),
    }
    team_log.write_entry(db, team.id, keys.of(team.id, team.newest.number).signing, entry)
    _grant(db, team.id, number, fresh, RECOVERY, recovery)
    for row in db.scalars(select(MemberRow)).all():
        if team_log.is_in(team, row):
            _grant(db, team.id, number, fresh, row.id, row.public_key)
    audit.note(db, "new epoch", keys.member)
    epochs = {**keys.epochs, team.id: {**keys.epochs[team.id], number: fresh}}
    return replace(keys, epochs=epochs)


def recover(db: Session, pin: Pin, sheets: RecoverySheets, member: int) -> None:
    """Both sheets let an account in that nobody is left to let in.

    `CannotOpen` when they are not the sheets, or the account cannot sign in, or no team is meant for it.
    """
    pair, row = sheets.key_pair(), db.get_one(MemberRow, member)
    roles, meant = row.roles.split(","), team_log.teams_in(row.teams)
    hers = [team for team in team_log.teams(db, pin) if team_log.reads(team, roles, meant)]
    theirs = [team for team in hers if team.newest.recovery == pair.public]
    if not row.private or not theirs:
        raise CannotOpen
    for team in theirs:
        held = {
            grant.epoch: EpochKeys.from_bytes(
                sealing.open_with(pair.private, _grant_place(team.id, grant.epoch, RECOVERY), grant.sealed)
            )
            for grant in db.scalars(select(GrantRow).where(GrantRow.team == team.id, GrantRow.member == RECOVERY))
        }
        if team.newest.number not in held:
            raise CannotOpen
        let_in(db, team.id, held, row.id, row.public_key)
    audit.note(db, "recovered with the sheets", member)


def take_keys(db: Session, pin: Pin, who: Unlocked) -> Keys:
    """A member's keys of every team, after holding what is remembered against what stands there now.

    Raises `BrokenChain` when an entry seen before is gone, `CodeUsed` when the code was used meanwhile, `CannotOpen`
    when the private key was sealed anew meanwhile.
    """
    row = db.get_one(MemberRow, who.locked.id, with_for_update=True)
    if row.private != who.locked.private:
        raise CannotOpen
    if row.last_counter >= who.counter:
        raise CodeUsed
    remembered = members.recall(who.private, row)
    verified = team_log.teams_or_none(db, pin)
    _hold_against(db, remembered, verified)
    row.last_counter = who.counter
    if who.resealed is not None:
        row.private, row.version = who.resealed, row.version + 1
    row.remembered = members.remember(who.private, row.id, remembered | _heads(db, verified))
    held, meant = held_by(db, who.private, row.id, verified), team_log.teams_in(row.teams)
    return Keys(row.id, row.name, tuple(row.roles.split(",")), who.private, held, meant)


def held_by(db: Session, private: bytes, member: int, verified: tuple[Team, ...]) -> dict[int, dict[int, EpochKeys]]:
    """Every epoch sealed to a member that the log vouches for; `BrokenChain` when a key is from elsewhere."""
    held: dict[int, dict[int, EpochKeys]] = {}
    for team in verified:
        public = {epoch.number: epoch.sealing for epoch in team.epochs}
        for row in db.scalars(select(GrantRow).where(GrantRow.team == team.id, GrantRow.member == member)):
            try:
                raw = sealing.open_with(private, _grant_place(team.id, row.epoch, member), row.sealed)
            except CannotOpen:
                continue  # sealed to a key from before a reset
            keys = EpochKeys.from_bytes(raw)
            if sealing.new_key_pair(keys.sealing).public != public.get(row.epoch):
                raise BrokenChain
            held.setdefault(team.id, {})[row.epoch] = keys
    return held


def _heads(db: Session, verified: tuple[Team, ...]) -> dict[str, list[int | str]]:
    number, chain = audit.head(db)
    heads: dict[str, list[int | str]] = {str(team.id): [len(team.hashes), team.hashes[-1].hex()] for team in verified}
    return heads | {"audit": [number, chain.hex()]}


def _hold_against(db: Session, remembered: Mapping[str, list[int | str]], verified: tuple[Team, ...]) -> None:
    hashes = {str(team.id): team.hashes for team in verified}
    for name, (number, seen) in ((name, head) for name, head in remembered.items() if name != team_log.LISTS):
        if name == "audit":
            now = audit.chain_at(db, int(number)) or _swept(db, int(number), bytes.fromhex(str(seen)), verified)
        else:
            now = dict(enumerate(hashes.get(name, ()), 1)).get(int(number), b"")
        if now.hex() != seen:
            raise BrokenChain


def _swept(db: Session, number: int, seen: bytes, verified: tuple[Team, ...]) -> bytes:
    """A remembered audit head may be gone only below the signed checkpoint at which the audit now begins."""
    first = audit.first_number(db)
    signed = {checkpoint.number for team in verified for checkpoint in team.checkpoints}
    return seen if number < first and first in signed else b""
