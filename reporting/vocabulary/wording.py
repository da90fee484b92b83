"""An incident in words: each fact that was told, for whoever may read it.

Is handed the language and the names of places and services. Knows no case and no page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from reporting.i18n import N_
from reporting.vocabulary.codes import NOT_ASKED, VOCABULARY
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.person import speaking
from reporting.vocabulary.questions import WHEN, YES_NO

SILENT: Final[tuple[object, ...]] = (None, frozenset(), NOT_ASKED)  # nothing was told
# field of the incident -> its short name, in the order a case worker reads
FACTS = {
    "about": N_("About"),
    "flags": N_("Safety, danger and injuries"),
    "age": N_("Age"),
    "hours": N_("When"),
    "ongoing": N_("Still going on"),
    "region": N_("Region"),
    "department": N_("Department"),
    "province": N_("Province"),
    "venue": N_("Kind of place"),
    "violence": N_("What happened"),
    "victim_state": N_("Companion"),
    "hurt_too": N_("Hurt too"),
    "extortion_act": N_("What they asked for happened"),
    "contact": N_("Touched by genitals, semen or blood"),
    "perpetrator": N_("Who did it"),
    "refused_by": N_("Refused by"),
    "condom": N_("Condom"),
    "pregnant_possible": N_("Pregnancy"),
    "identity": N_("Identity"),
    "docs": N_("Papers"),
    "migrant": N_("From another country"),
    "police_safe": N_("Safe with police"),
    "wants": N_("Wishes"),
    "reported": N_("Told an authority"),
    "reason": N_("Why not"),
    "lang": N_("Language"),
}


def facts_of(
    incident: Incident, names: Mapping[str, str], say: Callable[..., str]
) -> list[tuple[str, tuple[str, ...]]]:
    """(short name, words) of everything that was answered. `names` gives places and services by their code.

    What was told for another person is said of that person. A region is left out where the department says it better:
    that of who ticked "Lima" is "another region".
    """
    speaks = speaking(say, incident.about)
    rows = ((field, fact_of(incident, field)) for field in FACTS)
    return [
        (say(FACTS[field]), tuple(words_of_fact(field, value, names, speaks)))
        for field, value in rows
        if value not in SILENT and not (field == "region" and incident.department)
    ]


def fact_of(incident: Incident, field: str) -> Any:
    """One field as people read it: of two times that contradict each other, both."""
    return (incident.told_twice or incident.hours) if field == "hours" else getattr(incident, field)


def words_of_fact(field: str, value: Any, names: Mapping[str, str], say: Callable[..., str]) -> Iterable[str]:
    """One field of an incident in words; nothing where nothing was told."""
    if value in SILENT:
        return
    if field == "hours":
        yield from times_in_words(value, say)
    elif isinstance(value, bool):
        yield say(YES_NO["yes" if value else "no"])
    elif isinstance(value, frozenset):
        order = list(VOCABULARY.get(field, {}))
        known = sorted(value, key=lambda code: (order.index(code) if code in order else len(order), code))
        yield from (say(VOCABULARY.get(field, {}).get(code, "")) or names.get(code, code) for code in known)
    else:
        yield say(VOCABULARY.get(field, {}).get(value, "")) or names.get(value, value)


def times_in_words(times: Any, say: Callable[..., str]) -> Iterable[str]:
    """The time that was told; or that two were, and which."""
    if not isinstance(times[0], tuple):
        yield hours_in_words(times, say)
        return
    yield say(N_("Two times were told that do not fit together. Until it is known, both count:"))
    yield from (hours_in_words(hours, say) for hours in times)


def hours_in_words(hours: tuple[float, float], say: Callable[..., str]) -> str:
    """Hours before it was told, exact or as a range."""
    ranges = {limits: label for limits, label in WHEN.values() if limits}
    if hours in ranges:
        return say(ranges[hours])
    low, high = (f"{value:.0f}" for value in hours)
    if low == high:
        return say(N_("%(hours)s hours before it was told"), hours=low)
    return say(N_("%(low)s to %(high)s hours before it was told"), low=low, high=high)
