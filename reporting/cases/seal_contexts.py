"""To which row, team and epoch each seal about a case is bound. A changed word here opens no old case.

Pure. Knows neither keys nor rows.
"""

from __future__ import annotations

from reporting.crypto.sealing import Place


def front_place(case: int, team: int, epoch: int) -> Place:
    """Where the case key sealed to a team belongs, as a report arrives or is handed over."""
    return Place("case_file", case, team, "front key", epoch)


def vault_place(case: int, team: int, epoch: int) -> Place:
    """Where the case key under a team's vault key belongs, once the case was seen in the queue."""
    return Place("case_file", case, team, "vault key", epoch)


def receipt_place(case: int) -> Place:
    """Where the case key under the key of her receipt belongs."""
    return Place("case_file", case, 0, "receipt key", 1)


def audit_place(team: int, epoch: int, number: int) -> Place:
    """Where an act on a case belongs: its team, its epoch, its number in the chain."""
    return Place("audit", team, number, "act", epoch)


def tally_place(case: int, team: int, epoch: int) -> Place:
    """Bound to its case: who copied one tally into a thousand rows would read it out of the published figures."""
    return Place("tally", case, team, "tally", epoch)


def record_place(case: int, record: int, kind: str, version: int) -> Place:
    """Where a paper belongs."""
    return Place("record", case, record, kind, version)
