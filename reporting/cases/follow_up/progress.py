"""How far a case has come, as what is next in it is worked out from: of a case that lies open, and of one that travels.

Knows no day and no step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from reporting.cases.follow_up.plan_versions import OpenedRecord, next_review, versions_in
from reporting.cases.records import Case, HandOverNote, Referral
from reporting.cases.summary import SummaryContent


@dataclass(frozen=True, slots=True)
class CaseProgress:
    """What of a case says what is next in it; hours count since 1970. `entries` are what people set, in order."""

    state: str
    marked: bool
    waits: bool
    heard: int  # hour of her last word
    read: int  # hour in which somebody read it
    writes: bool  # she allows letters
    owner: int
    letters: tuple[tuple[str, int], ...]  # (who wrote, hour)
    referrals: tuple[Referral, ...]
    history: tuple[Mapping[str, Any], ...]
    entries: tuple[Mapping[str, Any], ...]
    review: date | None = None  # on which a plan is to be looked at again
    closes: int = 0  # hour in which its nearest window closes; 0 without one
    danger: bool = False


class OpenedCase(Protocol):
    """What is needed of a case that lies open."""

    def all_of(self, kind: str) -> Sequence[OpenedRecord]: ...
    @property
    def summary(self) -> SummaryContent: ...
    @property
    def work_record(self) -> dict[str, Any]: ...
    @property
    def consents(self) -> frozenset[str]: ...


def progress_of_file(opened: OpenedCase) -> CaseProgress:
    """How far a case has come that lies open."""
    summary, work_record = opened.summary, opened.work_record
    return CaseProgress(
        state=summary.state,
        marked=bool(summary.marks),
        waits=bool(summary.heard_at) and not summary.answered,
        heard=summary.heard_at or 0,
        read=work_record.get("read", summary.hour),
        writes="C_LETTERS" in opened.consents,
        owner=summary.owner or 0,
        letters=tuple((letter.content["from"], letter.content["hour"]) for letter in opened.all_of("letter")),
        referrals=tuple(Referral.from_content(record.number, record.content) for record in opened.all_of("referral")),
        history=tuple(work_record.get("history", ())),
        entries=tuple(work_record.get("steps", ())),
        review=next_review(*versions_in(opened.all_of).values()),
        **_presses(work_record),
    )


def progress_of(case: Case) -> CaseProgress:
    """How far a case has come that travels as a record."""
    work_record = case.work_record
    return CaseProgress(
        state=case.state,
        marked=bool(case.marks),
        waits=case.waits,
        heard=case.last_word,
        read=work_record.get("read", case.hour),
        writes="C_LETTERS" in case.consents,
        owner=case.owner,
        letters=tuple((letter.sender, letter.hour) for letter in case.letters),
        referrals=case.referrals,
        history=tuple(work_record.get("history", ())),
        entries=tuple(work_record.get("steps", ())),
        review=case.next_review,
        **_presses(work_record),
    )


def presses(opened: OpenedCase, *, closes: int, danger: bool) -> None:
    """Who knows the rules writes down what presses: the hour in which the nearest window closes (0: none); danger."""
    now = {"closes": closes, "danger": danger}
    if now != opened.work_record.get("presses", {"closes": 0, "danger": False}):
        opened.work_record["presses"] = now


def _presses(work_record: Mapping[str, Any]) -> dict[str, Any]:
    pressing: dict[str, Any] = work_record.get("presses", {})
    return pressing


def unread_notes(opened: OpenedCase) -> tuple[HandOverNote, ...]:
    """The hand-over notes that nobody has read, the oldest first."""
    waiting = (note for note in opened.all_of("note") if "to" in note.content and "read" not in note.content)
    return tuple(
        HandOverNote(note.number, note.content["by"], note.content["hour"], note.content["text"], note.content["to"])
        for note in waiting
    )
