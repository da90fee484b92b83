"""The keyring: the private keys of the teams, and to whom they are given.

They are made in a case worker's hands and sealed to members one by one: let in by six spoken words, left out
by a new epoch, brought back by two sheets. A coordinator has none and can give none. Knows nothing of cases or
the web.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reporting.crypto import receipts, sealing
from reporting.crypto.sealing import KeyPair, SealContext
from reporting.errors import AmparoError
from reporting.storage.models import GrantRow, MemberRow, TeamRow
from reporting.teams import audit, heads, members, team_log
from reporting.teams.audit import Signer
from reporting.teams.members import Actor, Unlocked
from reporting.teams.team_log import CASEWORK, STATISTICS, BrokenChain, CannotOpen, Pin, Team

RECOVERY = heads.SHEETS
SHEET_WORDS = 12  # words on each of the two sheets; both together give the recovery key
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

    @property
    def signer(self) -> Signer:
        """What signs for this member."""
        return members.signer_of(self.member, self.private)

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


def first_keys(
    db: Session, pin: Pin, signer: Signer, names: Mapping[str, str], recovery: bytes, now: float
) -> tuple[Team, ...]:
    """Epoch 1 of the casework and the statistics team, granted to the first case worker and to the sheets.

    `BrokenChain` when anything of a team is there already: the first keys are made once. Give what comes back to
    `Pin.begin` once it is committed.
    """
    if pin.read() or db.scalars(select(TeamRow)).first():
        raise BrokenChain
    new_teams = tuple(_make_team(db, kind, names[kind], signer, recovery, now) for kind in (CASEWORK, STATISTICS))
    audit.note(db, "first keys made", signer.member, signer)
    return new_teams


def new_team(db: Session, pin: Pin, signer: Signer, name: str, recovery: bytes, now: float) -> Team:
    """Epoch 1 of another casework team, in the hands of its first case worker. Give it to `Pin.add` after the commit.

    No case is sealed to it before a member of a trusted team vouches for it.
    """
    team_log.teams(db, pin)
    team = _make_team(db, CASEWORK, name, signer, recovery, now)
    db.get_one(MemberRow, signer.member).teams = str(team.id)
    audit.note(db, "new team begun", signer.member, signer)
    return team


def _make_team(db: Session, kind: str, name: str, signer: Signer, recovery: bytes, now: float) -> Team:
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
    let_in(db, team.id, {1: keys}, signer.member, members.public_key(db, signer.member), signer, now)
    return team_log.verified(db, team)


def words_of_team(team: Team, language: str) -> tuple[str, ...]:
    """The six words that somebody of a new team says, out of the first entry of its log."""
    return tuple(receipts.words_of(language)[number] for number in _spoken_team(team))


def _spoken_team(team: Team) -> tuple[int, ...]:
    return _six(sealing.digest(b"spoken team" + team.fingerprint))


def vouch(db: Session, pin: Pin, by: Actor, keys: Keys, other: int, typed: str) -> None:
    """A member of a trusted team vouches for a new one whose words were heard; `WrongWords` when they are others.

    `CannotOpen` when the proof is somebody else's.
    """
    _belong_together(by, keys)
    verified = team_log.teams(db, pin)
    hers = [team for team in team_log.trusted(verified) if team.newest.number in keys.epochs.get(team.id, {})]
    fresh = [team for team in verified if team.id == other and team not in team_log.trusted(verified, team.kind)]
    if not hers or not fresh or _spoken_team(fresh[0]) not in receipts.read_numbers(typed, SPOKEN):
        raise WrongWords
    entry = {"act": "vouch", "vouched": other, "fingerprint": fresh[0].fingerprint.hex()}
    team_log.write_entry(db, hers[0].id, keys.of(hers[0].id, hers[0].newest.number).signing, entry)
    audit.note(db, "vouched for a team", keys.member, keys.signer)
    heads.see(db, pin, keys.member, keys.private)


def _belong_together(by: Actor, keys: Keys) -> None:
    if by.member != keys.member:
        raise CannotOpen


def _new_epoch() -> tuple[EpochKeys, bytes, KeyPair]:
    pair, signing = sealing.new_key_pair(), sealing.new_signing_pair()
    return EpochKeys(pair.private, signing.private, sealing.new_key()), signing.public, pair


def let_in(
    db: Session, team: int, held: Mapping[int, EpochKeys], member: int, public: bytes, by: Signer, now: float
) -> None:
    """Seal every epoch held to one more member and say so in the log, signed with the newest.

    With it the log names the key that signs for that member, who let the member in, and the day.
    """
    newest, key = max(held), db.get_one(MemberRow, member).signing_key or b""
    entry = {"act": "grant", "epoch": newest, "member": member, "public": sealing.digest(public).hex()}
    team_log.write_entry(db, team, held[newest].signing, entry | _vouched_by(key, by, now))
    for epoch, keys in held.items():
        _grant(db, team, epoch, keys, member, public)
    audit.note(db, "let in", member, by)


def _vouched_by(key: bytes, by: Signer, now: float) -> dict[str, str | int]:
    day = datetime.fromtimestamp(now, UTC).date().isoformat()
    return {"signing": key.hex(), "by": by.member, "day": day} if key else {}


def vouch_for_signer(
    db: Session, team: int, held: Mapping[int, EpochKeys], member: int, by: Signer, now: float
) -> None:
    """Say in a team's log with which key somebody signs who is in no team, or was let in before keys signed."""
    newest, key = max(held), db.get_one(MemberRow, member).signing_key or b""
    entry = {"act": team_log.SIGNER, "epoch": newest, "member": member, **_vouched_by(key, by, now)}
    team_log.write_entry(db, team, held[newest].signing, entry)


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
    public = sealing.new_key_pair(keys.private).public, members.signing_pair(keys.private).public
    numbers = _spoken(public, keys.member, keys.roles, keys.meant)
    return tuple(receipts.words_of(language)[number] for number in numbers)


def _spoken(public: tuple[bytes, bytes], member: int, roles: Iterable[str], meant: Iterable[int]) -> tuple[int, ...]:
    whom = [",".join(roles), *(str(team) for team in meant)]
    return _six(
        sealing.digest(
            b"spoken" + sealing.digest(b"".join(public)) + member.to_bytes(8, "big") + " ".join(whom).encode()
        )
    )


def _six(digest: bytes) -> tuple[int, ...]:
    number = int.from_bytes(digest[:16], "big")
    return tuple(number >> 11 * place & 2047 for place in range(SPOKEN))


def let_in_by_words(db: Session, pin: Pin, by: Actor, keys: Keys, member: int, typed: str, now: float) -> None:
    """A member lets a newcomer in: the seal goes only to the key that gives the words heard. Else `WrongWords`.

    Somebody who reads in no team gets no key: the log then says with which key that person signs. `CannotOpen` when
    the proof is somebody else's.
    """
    _belong_together(by, keys)
    row = db.get_one(MemberRow, member)
    roles, meant = row.roles.split(","), team_log.teams_in(row.teams)
    expected = _spoken((row.public_key, row.signing_key or b""), row.id, roles, meant)
    if not row.private or expected not in receipts.read_numbers(typed, SPOKEN):
        raise WrongWords
    hers = [team for team in team_log.teams(db, pin) if team.newest.number in keys.epochs.get(team.id, {})]
    for team in hers:
        if team_log.reads(team, roles, meant):
            let_in(db, team.id, keys.epochs[team.id], row.id, row.public_key, keys.signer, now)
    if hers and not set(roles) & team_log.KINDS.keys():
        vouch_for_signer(db, hers[0].id, keys.epochs[hers[0].id], row.id, keys.signer, now)
        audit.note(db, "vouched for a key", row.id, keys.signer)
    heads.see(db, pin, keys.member, keys.private)


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
        heads.see(db, pin, keys.member, keys.private)
    return keys, tuple(sorted(gone))


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
    audit.note(db, "new epoch", keys.member, keys.signer)
    epochs = {**keys.epochs, team.id: {**keys.epochs[team.id], number: fresh}}
    return replace(keys, epochs=epochs)


def recover(db: Session, pin: Pin, sheets: RecoverySheets, member: int, now: float) -> None:
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
        held = held_with_sheets(db, sheets, team)
        by = Signer(RECOVERY, partial(sealing.sign, held[team.newest.number].signing))
        let_in(db, team.id, held, row.id, row.public_key, by, now)
        audit.note(db, "recovered with the sheets", member, by)


def held_with_sheets(db: Session, sheets: RecoverySheets, team: Team) -> dict[int, EpochKeys]:
    """Every epoch of a team that both sheets open; `CannotOpen` when they are not its sheets."""
    pair = sheets.key_pair()
    rows = db.scalars(select(GrantRow).where(GrantRow.team == team.id, GrantRow.member == RECOVERY))
    held = {
        row.epoch: EpochKeys.from_bytes(
            sealing.open_with(pair.private, _grant_place(team.id, row.epoch, RECOVERY), row.sealed)
        )
        for row in rows
    }
    if team.newest.number not in held:
        raise CannotOpen
    return held


def take_keys(db: Session, pin: Pin, who: Unlocked) -> Keys:
    """A member's keys of every team, after holding what is remembered against what stands there now.

    Raises `BrokenChain` when an entry seen before is gone, `CannotOpen` when the account was shut or its key sealed
    anew meanwhile, `CodeUsed` when the digits were used.
    """
    members.spend(db, who)
    row = db.get_one(MemberRow, who.locked.id)
    verified = team_log.teams_or_none(db, pin)
    heads.hold_against(db, who.private, row, verified)
    row.signing_key = members.signing_pair(who.private).public  # made where an older version made none
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
