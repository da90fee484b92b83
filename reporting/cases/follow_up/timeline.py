"""What happened in a case, in order: words, corrections, moves and acts, and what is new since a page was made.

Nothing of it ever goes away. Knows no way to change a case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from reporting.cases.follow_up.next_steps import ENDED
from reporting.cases.records import FROM_HER, Case

LETTER_FROM_HER, LETTER_TO_HER, NOTE = "from-her", "to-her", "internal"


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a case's timeline. `kind` decides how it looks: a letter is never to be taken for a note."""

    hour: int
    kind: str
    by: int
    text: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def timeline(case: Case) -> list[Happening]:
    """Letters, notes, additions, corrections, moves and acts, the newest last."""
    return _in_order(happening for kind in _happenings(case) for happening in kind)


def seen_of(case: Case) -> str:
    """What a page carries of the case that it shows: its version, and how much had happened of each kind."""
    return ".".join(str(number) for number in (case.version, *map(len, _happenings(case))))


def since(case: Case, seen: str) -> list[Happening]:
    """What happened in a case after a page that carries this was made, the newest last. A look is nothing."""
    before = [int(part) for part in seen.split(".")[1:] if part.isascii() and part.isdecimal()]
    kinds = _happenings(case)
    if len(before) != len(kinds):
        return []
    return _in_order(
        happening for kind, count in zip(kinds, before, strict=True) for happening in _in_order(kind)[count:]
    )


def _in_order(happenings: Iterable[Happening]) -> list[Happening]:
    return sorted(happenings, key=lambda happening: happening.hour)


def _happenings(case: Case) -> tuple[list[Happening], ...]:
    """What happened, by kind. Nothing of it ever goes away."""
    letters = [
        Happening(letter.hour, LETTER_FROM_HER if letter.sender == FROM_HER else LETTER_TO_HER, letter.by, letter.text)
        for letter in case.letters
    ]
    notes = [Happening(written.hour, NOTE, written.by, written.text) for written in case.notes]
    added = [Happening(added.hour, "added", 0, added.text) for added in case.additions]
    corrected = [
        Happening(correction.hour, "danger" if correction.signs else "corrected", correction.by, correction.reason)
        for correction in case.corrections
    ]
    moved = [
        Happening(
            step["hour"],
            "moved",
            step["by"],
            step.get("note", ""),
            {"referral": referral, "move": step["move"], "because": step.get("because", "")},
        )
        for referral in case.referrals
        for step in referral.moves
    ]
    done = [
        Happening(entry["hour"], entry["act"], entry["by"], entry.get("reason", ""), entry)
        for entry in case.work_record.get("history", ())
    ]
    needs = [Happening(entry["hour"], "need", entry["by"], "", entry) for entry in case.work_record.get("needs", ())]
    plans = [plan for versions in (case.safety_plans, case.case_plans) for plan in versions]
    filled = [Happening(plan.hour, "planned", plan.by, "", {"kind": plan.kind}) for plan in plans]
    seen = [
        Happening(plan.seen_at, "looked over", plan.seen_by, "", {"kind": plan.kind}) for plan in plans if plan.seen_by
    ]
    return (letters, notes, added, corrected, moved, done, needs, filled, seen, *_follow_up(case))


def _follow_up(case: Case) -> tuple[list[Happening], ...]:
    """Steps that people changed, tries to reach her, appointments made and taken back."""
    steps = [
        Happening(entry["hour"], f"step {entry['act']}", entry["by"], entry.get("text", ""), _with_its_day(entry))
        for entry in case.work_record.get("steps", ())
        if entry["act"] != ENDED
    ]
    attempts = [
        Happening(entry["hour"], "attempt", entry["by"], "", entry) for entry in case.work_record.get("attempts", ())
    ]
    appointed = [
        Happening(appointment.hour, "appointed", appointment.by, "", {"appointment": appointment})
        for referral in case.referrals
        for appointment in referral.appointments
    ]
    taken_back = [
        Happening(appointment.off_hour, "taken back", appointment.off_by, "", {"appointment": appointment})
        for referral in case.referrals
        for appointment in referral.appointments
        if appointment.off
    ]
    return steps, attempts, appointed, taken_back


def _with_its_day(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**entry, "on": date.fromisoformat(entry["day"])} if "day" in entry else entry
