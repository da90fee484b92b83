"""A tally opened: by the keys of who reads in the team that counts. What does not open counts for nobody.

Nothing else opens one. Writes nothing and counts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy.orm import Session

from reporting.cases.seal_contexts import tally_context
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.teams import team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import STATISTICS, Pin, Team
from reporting.vocabulary.tally import FIRST_YEAR, VOID_TALLY, newest_form

Openers = Mapping[int, sealing.Opener]  # epoch -> its key, made ready once for many tallies


def statistics_team(db: Session, pin: Pin, keys: Keys) -> Team:
    """The statistics team, if the holder of the keys reads in it; else `CannotOpen`."""
    team = team_log.team_of_kind(team_log.teams(db, pin), STATISTICS)
    keys.of(team.id, team.newest.number)
    return team


def openers(team: Team, keys: Keys) -> Openers:
    """The keys of the epochs an advocate holds, the newest first."""
    held = keys.epochs.get(team.id, {})
    numbers = [epoch.number for epoch in reversed(team.epochs) if epoch.number in held]
    return {number: sealing.Opener(held[number].sealing) for number in numbers}


def archive_context(number: int, release: int, epoch: int) -> SealContext:
    """Bound to its row, so that none can be copied until it shows in the figures."""
    return SealContext("tally_archive", number, release, "tally", epoch)


def open_tally(sealed: bytes, case: int, team: Team, ready: Openers) -> bytes:
    """The tally of a case; void where it does not open."""
    return _opened(sealed, ready, partial(tally_context, case, team.id))


def open_archived(sealed: bytes, number: int, release: int, ready: Openers) -> bytes:
    """A tally of the archive; void where it does not open."""
    return _opened(sealed, ready, partial(archive_context, number, release))


def _opened(sealed: bytes, ready: Openers, place: Callable[[int], SealContext]) -> bytes:
    """A tally under whichever epoch sealed it. One that does not open, or that nobody here wrote, is void."""
    for epoch, opener in ready.items():
        try:
            return newest_form(opener.open(place(epoch), sealed))
        except CannotOpen:
            continue
        except ValueError:
            break
    return VOID_TALLY


def month_of(block: bytes) -> int:
    """The month of a tally since year 0; -1 for a void one."""
    return (FIRST_YEAR + block[1]) * 12 + block[2] - 1 if block != VOID_TALLY else -1
