"""The one way in for a report, whoever wrote it down: her own pages, the telephone intake, the demo, the benches.

What follows from her answers stands here once: that a way to reach her is a yes to being reached, what junk looks like,
what is counted. First it is sealed, without a database; then it is filed, inside a transaction of the caller. Knows
neither members nor needs: which needs had no service is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from sqlalchemy.orm import Session

from reporting.cases import junk, store
from reporting.cases.records import NewReport, consents_with
from reporting.cases.store import SealedReport, StretchedReceipt
from reporting.clock import HOUR
from reporting.crypto.receipts import Receipt
from reporting.sessions import replays
from reporting.teams.team_log import Team
from reporting.vocabulary.answers import consents_in, contact_of, incident_of
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.tally import answered_of, tally_block


class Outcome(Enum):
    """What became of a report that was handed in."""

    FILED = "filed"
    REPEATED = "repeated"  # filed a moment ago with this very receipt, which may be shown again
    SENT_BEFORE = "sent before"  # filed by another request; nothing is shown
    LEFT = "left"  # she has left the trip; nothing is filed


def from_answers(
    answers: Mapping[str, Any],
    *,
    language: str,
    trip: str,
    now: float,
    unseen: bool = False,
    voice: int = 0,
    seconds: float | None = None,
    sender: bytes | None = None,
) -> NewReport:
    """The report that answers to the questions make.

    `now` is in seconds since 1970, `seconds` is from the first page to now, None where that is not known; `sender` is a
    key that only this sender has and that dies with the hour, None where she sends nothing herself. Raises
    `BadIncident` for answers that fit no question.
    """
    narrative = answers.get("narrative", "")
    signs = () if voice else junk.signs_of(narrative, seconds)
    return new_report(
        incident_of(answers),
        narrative,
        contact=contact_of(answers),
        consents=consents_in(answers),
        language=language,
        trip=trip,
        hour=int(now) // HOUR,
        unseen=unseen,
        voice=voice,
        signs=signs,
        group=None if sender is None else junk.group_of(sender, narrative, signs),
    )


def new_report(
    incident: Incident,
    narrative: str,
    *,
    consents: frozenset[str],
    language: str,
    trip: str,
    hour: int,
    contact: Mapping[str, str] | None = None,
    unseen: bool = False,
    voice: int = 0,
    signs: tuple[str, ...] = (),
    group: int | None = None,
) -> NewReport:
    """The report of an incident. Who leaves a way to be reached allows that it is used."""
    return NewReport(
        incident=incident,
        narrative=narrative,
        contact=contact or {},
        consents=consents_with(contact or {}, consents),
        language=language,
        trip=trip,
        hour=hour,
        unseen=unseen,
        voice=voice,
        signs=signs,
        group=group,
    )


def prepare(
    report: NewReport,
    receipt: Receipt | StretchedReceipt,
    readers: Team,
    statistics_team: Team,
    pepper: bytes,
    now: float,
    *,
    gaps: Sequence[str] = (),
) -> SealedReport:
    """Seal a report to its readers and its tally to the statistics team; needs no database.

    `gaps` are the needs that no service was found for, the most urgent first. A receipt that is not stretched yet
    takes about 10 ms.
    """
    stretched = receipt if isinstance(receipt, StretchedReceipt) else store.stretched(receipt, pepper)
    return store.seal_report(report, stretched, readers, statistics_team, _tally(report, gaps), now)


def _tally(report: NewReport, gaps: Sequence[str]) -> bytes:
    """The 16 bytes that are counted of it."""
    counted, letters = "C_STATS" in report.consents, "C_LETTERS" in report.consents
    answered = answered_of(report.hour, None, letters=letters, voice=bool(report.voice))
    return tally_block(report.incident, report.hour, counted=counted, gap=next(iter(gaps), "NONE"), answered=answered)


def file(db: Session, sealed: SealedReport, server_secret: bytes, now: float) -> Outcome:
    """Store a report once, however often its request comes: one trip, one case, whichever page it is from."""
    if replays.end_trip(db, server_secret, sealed.trip, replays.SENT, now):
        store.file_report(db, sealed)
        return Outcome.FILED
    ended = replays.how_ended(db, server_secret, sealed.trip)
    if ended == replays.LEFT:
        return Outcome.LEFT
    is_this = ended == replays.SENT and store.may_show_again(db, sealed, now)
    return Outcome.REPEATED if is_this else Outcome.SENT_BEFORE


def file_invented(db: Session, sealed: SealedReport) -> None:
    """Store a report that no request can bring again: of the demo and the benches."""
    store.file_report(db, sealed)
