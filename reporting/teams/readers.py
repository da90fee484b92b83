"""Readers: who can open what comes to a team, who is about to be shut out, and what is said where few are left.

Counts only whom the team log vouches for and whose account still opens. Gives nobody a key and takes none away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reporting.crypto import sealing
from reporting.i18n import N_, said
from reporting.storage.models import MemberRow, PendingRow
from reporting.teams import audit, team_log
from reporting.teams.team_log import CASEWORK, KeysNotMade, Team

FEW = 2  # with so many, or fewer, one of them is taken out only by two people or with both sheets
_MEMBER = MemberRow.__table__.c
_OPEN = select(*_MEMBER["id", "name", "public_key"]).where(func.length(_MEMBER.private) > 0).order_by(_MEMBER.name)


class NobodyReads(KeysNotMade):
    """There are keys, and nobody is left whose account opens what would be sealed to them: no report is taken."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What is to be done to an account and waits: asked for by whom, in which hour since 1970, by which audit entry."""

    member: int
    act: str
    by: int
    hour: int
    needs_second: bool  # a day alone does not do: a second person has to agree, or both sheets
    number: int


def pending(db: Session) -> dict[int, Pending]:
    """Account -> what waits to be done to it, as the audit says. What stands in no audit entry does not wait."""
    waiting: dict[int, Pending] = {}
    for row in db.scalars(select(PendingRow)):
        entry = audit.entry_at(db, row.number)
        content = audit.act_of(entry) if entry else {}
        try:
            hour, second = int(content["hour"]), bool(content["second"])
            item = Pending(row.member, str(content["act"]), int(content["by"]), hour, second, row.number)
        except (KeyError, TypeError, ValueError):
            continue
        if content["member"] == row.member:
            waiting[row.member] = item
    return waiting


def shut_out(db: Session) -> frozenset[int]:
    """Accounts whose sign-in is closed while it waits what becomes of their keys."""
    return frozenset(member for member, item in pending(db).items() if not item.needs_second)


def readers_of(db: Session, verified: Iterable[Team]) -> dict[int, dict[int, str]]:
    """Team -> number and name of everybody who can open what comes to it."""
    shut = shut_out(db)
    rows = [row for row in db.execute(_OPEN) if row.id not in shut]
    return {
        team.id: {row.id: row.name for row in rows if team.members.get(row.id) == sealing.digest(row.public_key)}
        for team in verified
    }


def offered(db: Session, verified: tuple[Team, ...]) -> tuple[Team, ...]:
    """The casework teams to which a report may go: trusted, and somebody there can read it."""
    trusted = team_log.trusted(verified)
    reading = readers_of(db, trusted)
    return tuple(team for team in trusted if reading[team.id])


def few(
    db: Session, verified: Iterable[Team], only: Iterable[int] | None = None
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The casework teams with one reader or none: the name of each, and the names of those who are left.

    `only`: the teams that are asked about; all where none are named.
    """
    asked_about = None if only is None else set(only)
    teams = [team for team in verified if team.kind == CASEWORK and (asked_about is None or team.id in asked_about)]
    reading: Mapping[int, Mapping[int, str]] = readers_of(db, teams)
    return tuple((team.name, tuple(reading[team.id].values())) for team in teams if len(reading[team.id]) < FEW)


def problems(db: Session, verified: Iterable[Team]) -> list[str]:
    """For whoever keeps the machine: each team with one reader or none, in a sentence that says what to do."""
    return [_problem(team, names) for team, names in few(db, verified)]


def _problem(team: str, names: tuple[str, ...]) -> str:
    if names:
        return said(ONE, name=names[0], team=team)
    return said(NONE, team=team)


ONE = N_(
    "Only %(name)s can read the reports of %(team)s: let in a second case worker, so that no bad day of one person "
    "shuts the door."
)
NONE = N_(
    "Nobody can read the reports of %(team)s: no report goes to it. Invite a case worker; both recovery sheets let "
    "that person in."
)
