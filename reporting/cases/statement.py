"""Her statement on paper, in a prosecutor's order: facts, who, harm, proof, before, what she wants.

Only what she told. What she may want to add and we never keep (names, plates, her document) are empty lines
for her hand. No site name, no mark of ours. Sources of the order: Ley 30364 and DS 004-2019-MIMP, DS
012-2019-MIMP (protocol of the joint work of police, prosecutor and CEM); to be looked at by a lawyer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from reporting.cases.records import Case
from reporting.i18n import N_
from reporting.vocabulary import wording
from reporting.vocabulary.incident import Hours, Incident

Say = Callable[..., str]
# what was asked more closely about an act, in the order in which it is read
CLOSER: Final = ("victim_state", "hurt_too", "extortion_act", "contact")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what she told under it, and how many lines are left for her hand."""

    title: str
    words: tuple[str, ...]
    lines: int = 0
    hint: str = ""


def sections(case: Case, names: Mapping[str, str], say: Say, when: Callable[[int], str]) -> list[Section]:
    """The statement. `when` puts an hour (since 1970) into words, on the clock of the place."""
    incident = case.incident

    def words_of(field: str) -> tuple[str, ...]:
        return tuple(wording.words_of_fact(field, getattr(incident, field), names, say))

    closer = (f"{say(wording.FACTS[field])}: {word}" for field in CLOSER for word in words_of(field))
    own = tuple(text for text in (case.narrative, *(addition.text for addition in case.additions)) if text)
    statement = (
        Section(N_("1. What happened"), (*words_of("violence"), *closer, *own), 0 if own else 8),
        Section(N_("2. When"), _when(incident, case.told_at, say, when), 1, N_("Day and hour, if you know them")),
        Section(N_("3. Where"), (*words_of("venue"), *_place(incident, names)), 2, N_("Street, building, reference")),
        Section(N_("4. Who did it"), words_of("perpetrator"), 4, N_("Name or nickname, marks, uniform, number plate")),
        Section(N_("5. Injuries and care"), _harm(incident, names, say), 3, N_("Where you were attended, and when")),
        Section(N_("6. Who saw it, and what proves it"), (), 4, N_("Witnesses, messages, photos, clothes, cameras")),
        Section(N_("7. What happened before"), words_of("ongoing"), 3),
        Section(N_("8. To whom you told it"), words_of("reported"), 1),
        Section(N_("9. What you ask for"), (), 3, N_("For example: that it is investigated, protection measures")),
    )
    return [
        Section(say(section.title), section.words, section.lines, say(section.hint) if section.hint else "")
        for section in statement
    ]


# for her hand; we never ask for it and never keep it
BY_HAND: Final = (N_("Name"), N_("Document number, if you want to give it"), N_("Place and day"), N_("Signature"))


def _when(incident: Incident, told_at: int, say: Say, when: Callable[[int], str]) -> tuple[str, ...]:
    if incident.hours is None:
        return (say(N_("I do not remember exactly.")),)
    times = incident.told_twice or (incident.hours,)
    return tuple(_one_time(hours, told_at, say, when) for hours in times)


def _one_time(hours: Hours, told_at: int, say: Say, when: Callable[[int], str]) -> str:
    soonest, latest = (when(int(told_at - ago)) for ago in hours)
    if soonest == latest:
        return say(N_("Around %(when)s."), when=soonest)
    return say(N_("Between %(earlier)s and %(later)s."), earlier=latest, later=soonest)


def _place(incident: Incident, names: Mapping[str, str]) -> tuple[str, ...]:
    place = incident.province or incident.department
    return (names.get(place, place),) if place else ()


def _harm(incident: Incident, names: Mapping[str, str], say: Say) -> tuple[str, ...]:
    hurt = frozenset(flag for flag in incident.flags if flag.startswith(("D_", "I_")))
    return tuple(wording.words_of_fact("flags", hurt, names, say))
