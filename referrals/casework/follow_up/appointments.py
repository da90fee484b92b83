"""Appointments of a referral: where, on which day, at what time, whom to ask for, and the word she says at the door.

There is one only where the service may know of her already: after it was sent. Knows neither the web nor how things are
sealed, and no move.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from reporting.cases.actions import NotAllowed, was_reached
from reporting.cases.case_file import CaseFile, Record
from reporting.cases.follow_up.next_steps import LIVE
from reporting.cases.records import Appointment, Case, Referral
from reporting.clock import HOUR
from reporting.i18n import N_

LATEST_DAYS = 366  # so far ahead an appointment is at most
_TIME: Final = re.compile(r"([01]?\d|2[0-3])(?:[:.]([0-5]\d))?")


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What was arranged with a service, as somebody wrote it. `time`: 9, 9:30 or 09.30."""

    day: date
    time: str
    place: str
    ask_for: str
    word: str


def appoint(case_file: CaseFile, number: int, by: int, arranged: Arrangement, today: date, now: float) -> None:
    """An appointment more. `NotAllowed` before the referral was sent, for a day that is past, and without a place."""
    record = case_file.record(number, "referral")
    if record.content["state"] not in LIVE:
        raise NotAllowed(N_("Send the referral first: only then they may know of her."))
    if not today <= arranged.day <= today + timedelta(days=LATEST_DAYS):
        raise NotAllowed(N_("Choose a day from today on, within a year."))
    if not arranged.place:
        raise NotAllowed(N_("Write the place."))
    arrangement: dict[str, Any] = {
        "by": by,
        "hour": int(now) // HOUR,
        "day": arranged.day.isoformat(),
        "time": written_time(arranged.time),
        "place": arranged.place,
        "ask_for": arranged.ask_for,
        "word": arranged.word,
    }
    record.content["appointments"] = [*record.content.get("appointments", ()), arrangement]


def written_time(text: str) -> str:
    """A time of the day as 09:30. `NotAllowed` for what is none."""
    read = _TIME.fullmatch(text.strip())
    if read is None:
        raise NotAllowed(N_("Write the time as 9:30."))
    return f"{int(read[1]):02d}:{read[2] or '00'}"


def take_back(case_file: CaseFile, number: int, place: int, by: int, now: float) -> None:
    """An appointment of a referral does not stand any more. `NotAllowed` where it does not."""
    record = case_file.record(number, "referral")
    listed = record.content.get("appointments", ())
    if place >= len(listed) or listed[place].get("off_hour"):
        raise NotAllowed(N_("This appointment does not stand any more."))
    _take_off(record, {place}, by, now)


def take_all_back(record: Record, by: int, now: float) -> None:
    """None of a referral stands any more, because the service does not attend her or she took her yes back."""
    listed = record.content.get("appointments", ())
    _take_off(record, {place for place, meeting in enumerate(listed) if not meeting.get("off_hour")}, by, now)


def _take_off(record: Record, places: set[int], by: int, now: float) -> None:
    if places:
        off = {"off_by": by, "off_hour": int(now) // HOUR}
        listed = enumerate(record.content["appointments"])
        record.content["appointments"] = [meeting | off if place in places else meeting for place, meeting in listed]


def standing(referral: Referral) -> tuple[Appointment, ...]:
    """The appointments of a referral that were not taken back, in the order of their days."""
    return _in_order(appointment for appointment in referral.appointments if not appointment.off)


def coming(case: Case, today: date) -> tuple[Appointment, ...]:
    """What she sees on her page: the appointments from today on, without the service and without the need."""
    hers = (referral for referral in case.referrals if referral.state in LIVE or was_reached(referral.moves))
    every = (appointment for referral in hers for appointment in standing(referral))
    return _in_order(appointment for appointment in every if appointment.day >= today)


def _in_order(listed: Iterable[Appointment]) -> tuple[Appointment, ...]:
    return tuple(sorted(listed, key=lambda appointment: (appointment.day, appointment.time)))
