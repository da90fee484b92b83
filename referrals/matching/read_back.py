"""What was understood of a service's hours and telephone, said back to the team that typed it.

Pure. Says nothing to a reporter: offers have words of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from referrals.matching import phones
from referrals.matching.hours import NO, OWN, YES, Hours
from referrals.matching.hours_written import clock, groups, quarters_as_times, spans
from referrals.matching.wording import WEEKDAYS
from reporting.i18n import N_, Sentence, said

HOURS_UNKNOWN = N_("The hours were not understood: to reporters they are shown as written, and as not known.")
HOLIDAYS = {
    YES: N_("On public holidays: as on any day."),
    NO: N_("On public holidays: closed."),
}
HOLIDAYS_UNKNOWN = N_("On public holidays: not known.")
NO_NUMBER_UNDERSTOOD = N_("No number that can be dialled was understood: it is shown as written, without a link.")


def of_hours(text: str, hours: Hours) -> Iterator[Sentence]:
    """The days with their times, and the public holidays; nothing where no hours are written."""
    if hours.own is None:
        if text:
            yield said(HOURS_UNKNOWN)
        return
    for days, times in groups(hours):
        parts = {"said_first": WEEKDAYS[days[0]], "times": _times(times)}
        if len(days) == 1:
            yield said(N_("%(said_first)s: %(times)s."), **parts)
        else:
            yield said(N_("%(said_first)s to %(said_last)s: %(times)s."), said_last=WEEKDAYS[days[-1]], **parts)
    if hours.on_holidays == OWN:
        yield said(N_("On public holidays: %(times)s."), times=_times(quarters_as_times(hours.holiday)))
    else:
        yield said(HOLIDAYS.get(hours.on_holidays, HOLIDAYS_UNKNOWN))
    for day, quarters in hours.exceptions:
        if quarters:
            yield said(N_("On %(day)s: %(times)s."), day=day.isoformat(), times=_times(quarters_as_times(quarters)))
        else:
            yield said(N_("On %(day)s: closed."), day=day.isoformat())


def week_table(hours: Hours) -> tuple[tuple[str, str], ...]:
    """The name of each day of the week and its times, blank where it is closed; nothing where they are not known."""
    if hours.own is None:
        return ()
    return tuple((name, _times(spans(hours, day))) for day, name in enumerate(WEEKDAYS))


def of_phone(text: str, country: str, area: str = "") -> Iterator[Sentence]:
    """What is dialled, the first the link; nothing where no telephone is written."""
    numbers = phones.read(text, country, area)
    if text and not any(phone.tel for phone in numbers):
        yield said(NO_NUMBER_UNDERSTOOD)
    for phone in numbers:
        dialled = phone.tel.removeprefix("tel:")
        if not dialled:
            yield said(N_("Only for messages: %(number)s."), number=phone.e164)
        elif phone.extension:
            yield said(
                N_("Dialled: %(number)s, then extension %(extension)s."), number=dialled, extension=phone.extension
            )
        else:
            yield said(N_("Dialled: %(number)s."), number=dialled)


def _times(times: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{clock(begins)}-{clock(ends)}" for begins, ends in times)
