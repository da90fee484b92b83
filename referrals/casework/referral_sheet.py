"""The one page that goes to a service: only the fields she agreed to, each in words. She sees the very same.

Knows neither the web nor who looks at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from referrals.casework.referral import FIELDS
from reporting.cases.records import Case, Referral
from reporting.i18n import N_
from reporting.vocabulary import questions, wording
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.person import speaking

Rows = list[tuple[str, tuple[str, ...]]]
# field of a sheet -> field of the incident, where they are named otherwise
OF_INCIDENT: Final = {"injuries": "flags"}
ABOUT_SAFETY: Final = "S_"  # flags about where the aggressor is and what he knows: they never leave the application


def words_of(case: Case, referral: Referral, names: Mapping[str, str], say: Callable[..., str], now: float) -> Rows:
    """(title, words) of each agreed field that there is something to say about, in the order of the table."""
    agreed = [field for field in FIELDS if field in referral.fields]
    worded = ((field, tuple(_words(field, case, referral, names, say, now))) for field in agreed)
    return [(say(FIELDS[field]), words) for field, words in worded if words]


def _words(
    field: str, case: Case, referral: Referral, names: Mapping[str, str], say: Callable[..., str], now: float
) -> list[str]:
    if field == "need":
        return [say(NEEDS[referral.need])]
    if field == "narrative":
        return [text for text in (case.narrative, *(addition.text for addition in case.additions)) if text]
    if field == "contact" and questions.WHOSE in case.contact:
        return []  # it leads to whoever told it, not to her
    if field == "contact":
        return [
            f"{say(questions.CONTACT_NAMES[name])}: {say(questions.CHANNELS.get(value, value))}"
            for name, value in case.contact.items()
            if name in questions.CONTACT_NAMES
        ]
    value = getattr(case.incident_at(now), OF_INCIDENT.get(field, field))
    if field == "hours":
        return _hours(value, say)
    if field == "injuries":
        value = frozenset(flag for flag in value if not flag.startswith(ABOUT_SAFETY))
    speaks = speaking(say, case.incident.about)
    return list(wording.words_of_fact(OF_INCIDENT.get(field, field), value, names, speaks))


def _hours(hours: tuple[float, float] | None, say: Callable[..., str]) -> list[str]:
    """How long ago, as of now: a service counts from the moment it reads."""
    if hours is None:
        return []
    low, high = (f"{value:.0f}" for value in hours)
    if low == high:
        return [say(N_("%(hours)s hours ago"), hours=low)]
    return [say(N_("%(low)s to %(high)s hours ago"), low=low, high=high)]
