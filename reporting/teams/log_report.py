"""The team log in words, for who looks after the keys.

Reads what `team_log` has verified; decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from reporting.crypto import sealing
from reporting.i18n import N_, T_, said
from reporting.storage.models import LogRow, MemberRow, TeamRow
from reporting.teams.heads import SHEETS
from reporting.teams.team_log import (
    AUDIT,
    CASEWORK,
    SIGNER,
    STATISTICS,
    BrokenChain,
    KeysNotMade,
    Pin,
    Team,
    is_in,
    teams,
    trusted,
)

KIND_NAMES = {CASEWORK: T_("reads cases"), STATISTICS: T_("makes figures")}
ACT_NAMES = {
    "epoch": T_("new epoch"),
    "grant": T_("let in"),
    "remove": T_("taken out"),
    "vouch": T_("vouches for team"),
    AUDIT: T_("acts recorded up to"),
    SIGNER: T_("signs with this key from now on"),
}


@dataclass(frozen=True, slots=True)
class Status:
    """A team for the terminal: whose keys, how new, who reads, whether an epoch is due."""

    name: str
    kind: str
    fingerprint: str
    epoch: int
    readers: tuple[str, ...]
    due: bool


BROKEN = N_(
    "The team log does not hold: a row was changed or an old copy was put back. Reporter pages are closed. Do not make "
    "new keys; find out who wrote to the database."
)


def problems(db: Session, pin: Pin) -> list[str]:
    """None made, a log that does not hold, a team nobody vouched for: each in a sentence that says what to do."""
    try:
        verified = teams(db, pin)
    except KeysNotMade:
        return [N_("No case worker has made the keys yet: reporter pages are closed. Give her the invitation.")]
    except BrokenChain:
        return [BROKEN]
    new = [team.name for team in verified if team.kind == CASEWORK and team not in trusted(verified)]
    words = N_("%(name)s is a new team that nobody has vouched for: reporters are not offered it.")
    return [said(words, name=name) for name in new]


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
            entry = json.loads(row.body)
            lines.append(
                said(
                    "%(team)s  %(number)s  %(said_act)s: %(what)s  (%(hash)s)",
                    team=team.name,
                    number=f"{row.number:4}",
                    said_act=ACT_NAMES[entry["act"]],
                    what=_concerns(entry, names),
                    hash=sealing.digest(row.body).hex()[:16],
                )
            )
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class Voucher:
    """That a log names a key with which somebody signs: the public key, who said so, on which day."""

    key: bytes
    by: int
    day: date


def signers(db: Session, verified: Iterable[Team]) -> dict[int, tuple[Voucher, ...]]:
    """Account -> every key with which its acts may be signed, older ones too. 0, the sheets: the teams' own keys."""
    listed: dict[int, list[Voucher]] = {}
    for team in verified:
        listed.setdefault(SHEETS, []).extend(Voucher(epoch.signing, SHEETS, date.min) for epoch in team.epochs)
        for row in db.scalars(select(LogRow).where(LogRow.team == team.id).order_by(LogRow.number)):
            entry = json.loads(row.body)
            if "signing" in entry and entry["act"] != "epoch":
                voucher = Voucher(bytes.fromhex(entry["signing"]), entry["by"], date.fromisoformat(entry["day"]))
                listed.setdefault(entry["member"], []).append(voucher)
    return {member: tuple(vouchers) for member, vouchers in listed.items()}


def is_of(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature of a message was made with the private half of this key."""
    return sealing.is_signed(key, signature, message)


def is_vouched(db: Session, verified: Iterable[Team], member: int, key: bytes) -> bool:
    """Whether a team log says that this account signs with this key."""
    return any(voucher.key == key for voucher in signers(db, verified).get(member, ()))


def _concerns(entry: Mapping[str, Any], names: Mapping[int, str]) -> str:
    if entry["act"] == "vouch":
        return str(entry["vouched"])
    if entry["act"] == AUDIT:
        return f"{entry['entry']}, {entry['day']}"
    return str(entry["epoch"]) if entry["act"] == "epoch" else names.get(entry["member"], str(entry["member"]))
