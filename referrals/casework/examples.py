"""Invented cases for the guide: the list draws them as it draws every case, so the picture cannot grow old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from referrals.casework.queue import QueueItem, line_of
from reporting.cases.summary import Summary, SummaryContent
from reporting.clock import DAY, HOUR
from reporting.i18n import N_
from reporting.vocabulary.incident import Incident, answers_from_incident

ROSA = 1  # the case worker of the examples


@dataclass(frozen=True)
class Example:
    """A case in a line of the list, and what the line says."""

    line: QueueItem
    meaning: str  # a message id


def examples(now: float) -> list[Example]:
    """A window that runs out and that nobody has taken, a letter of hers, and a case in hand; as of `now`, a time.

    No place is named: the guide is read in every country.
    """
    hour = int(now) // HOUR
    days = DAY // HOUR
    raped = Incident(violence=frozenset({"RAPE"}), hours=(20.0, 20.0), age="A25_34")
    extorted = Incident(violence=frozenset({"EXTORTION"}), hours=(90.0, 90.0), age="A25_34")
    unpaid = Incident(violence=frozenset({"NONPAYMENT"}), hours=(200.0, 200.0), age="A25_34")
    waiting = _of_rosa(
        extorted, hour - 6 * days, unread=True, answered=False, heard_at=hour - 3 * days, wrote_at=hour - 5 * days
    )
    in_hand = _of_rosa(
        unpaid, hour - 8 * days, unread=False, answered=True, wrote_at=hour - 2 * days, due_at=hour + 2 * days
    )
    return [
        _example(
            1,
            SummaryContent(answers_from_incident(raped), hour, hour, "new", unread=True, answered=False),
            N_("On top: a window runs out, and nobody has taken it. The bar at the side: nobody has read it yet."),
            now,
        ),
        _example(
            2, waiting, N_("She wrote after our last letter, and waits. The name is of whoever has the case."), now
        ),
        _example(
            3, in_hand, N_("In hand: the newest word is ours, and the next step has its day. It sinks by itself."), now
        ),
    ]


def _of_rosa(incident: Incident, told_at: int, **more: Any) -> SummaryContent:
    """An open case that Rosa has, told in this hour."""
    return SummaryContent(answers_from_incident(incident), told_at, told_at, "open", owner=ROSA, **more)


def _example(case: int, content: SummaryContent, meaning: str, now: float) -> Example:
    return Example(line_of(Summary(case, 1, "", content), now), meaning)
