"""To which row, team and epoch each seal about a case is bound. A changed word here opens no old case.

Pure. Knows neither keys nor rows.
"""

from __future__ import annotations

from reporting.crypto.sealing import SealContext


def front_key_context(case: int, team: int, epoch: int) -> SealContext:
    """Where the case key sealed to a team belongs, as a report arrives or is handed over."""
    return SealContext("case_file", case, team, "front key", epoch)


def vault_key_context(case: int, team: int, epoch: int) -> SealContext:
    """Where the case key under a team's vault key belongs, once the case was seen in the queue."""
    return SealContext("case_file", case, team, "vault key", epoch)


def receipt_key_context(case: int) -> SealContext:
    """Where the case key under the key of her receipt belongs."""
    return SealContext("case_file", case, 0, "receipt key", 1)


def audit_context(team: int, epoch: int, number: int) -> SealContext:
    """Where an act on a case belongs: its team, its epoch, its number in the chain."""
    return SealContext("audit", team, number, "act", epoch)


def taken_context(team: int, part: int, number: int) -> SealContext:
    """Where a part of the list of what a team has taken belongs: its team, its place, how often it was written."""
    return SealContext("taken", team, part, "list", number)


def sheet_context(team: int, part: int, epoch: int) -> SealContext:
    """Where a part of the sealed cache of a team's queue belongs."""
    return SealContext("queue_sheet", team, part, "sheet", epoch)


def course_context(team: int, part: int, epoch: int) -> SealContext:
    """Where a part of what is counted of how a team's cases went belongs."""
    return SealContext("course_sheet", team, part, "sheet", epoch)


def letters_context(team: int, epoch: int, number: int) -> SealContext:
    """Where the letters that a team wrote beforehand belong: their team, its epoch, how often they were written."""
    return SealContext("team_letters", team, epoch, "letters", number)


def tally_context(case: int, team: int, epoch: int) -> SealContext:
    """Bound to its case: who copied one tally into a thousand rows would read it out of the published figures."""
    return SealContext("tally", case, team, "tally", epoch)


def record_context(case: int, record: int, kind: str, version: int) -> SealContext:
    """Where a record belongs: its case, its number, its kind, its version."""
    return SealContext("record", case, record, kind, version)
