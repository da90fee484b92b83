"""Her statement on paper, in a prosecutor's order: facts, who, harm, proof, before, what she wants.

Only what she told. What she may want to add and we never keep (names, plates, her document) are empty lines
for her hand. No site name, no mark of ours. Sources of the order: Ley 30364 and DS 004-2019-MIMP, DS
012-2019-MIMP (protocol of the joint work of police, prosecutor and CEM); to be looked at by a lawyer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from reporting.cases.records import Case
from reporting.i18n import N_
from reporting.vocabulary import wording
from reporting.vocabulary.incident import Hours, Incident
from reporting.vocabulary.person import OTHER, speaking
from reporting.vocabulary.questions import WHEN

Say = Callable[..., str]
# what was asked more closely about an act, in the order in which it is read
CLOSER: Final = ("victim_state", "hurt_too", "extortion_act", "contact")
RATHER_NOT: Final = "PREFER_NOT"  # nothing is put on paper for what she would rather not say
HERS_ALONE: Final = "D_SUICIDE"  # a danger in which she asked for help; no fact of a complaint
LONG_AGO: Final = WHEN["LONG"][0]  # "more than a month ago" has no beginning that she said
BY_HERSELF: Final = N_("It is told by the person to whom it happened.")
BY_ANOTHER: Final = N_("It is told by another person than the one to whom it happened.")
IN_WRITING: Final = N_("Told in writing on %(when)s.")
BY_VOICE: Final = N_("Told by voice on %(when)s; a case worker wrote it down.")
ADDED: Final = N_("Added on %(when)s: %(text)s")
RIGHT_BY_HER: Final = N_("Answers set right on %(when)s.")
RIGHT_BY_TEAM: Final = N_("Answers set right by a case worker on %(when)s.")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what she told under it, and how many lines are left for her hand."""

    title: str
    words: tuple[str, ...]
    lines: int = 0
    hint: str = ""


def sections(case: Case, names: Mapping[str, str], say: Say, when: Callable[[int], str]) -> list[Section]:
    """The statement. `when` puts an hour (since 1970) into words with its year, on the clock of the place.

    Under each heading stands only what was asked about just that. The region she was asked for is the one in which she
    was when she told it, so it is no place of the facts.
    """
    incident = case.incident
    speaks = speaking(say, incident.about)

    def words_of(field: str) -> tuple[str, ...]:
        value = getattr(incident, field)
        left = value - {RATHER_NOT} if isinstance(value, frozenset) else None if value == RATHER_NOT else value
        return tuple(wording.words_of_fact(field, left, names, speaks))

    closer = (f"{say(wording.FACTS[field])}: {word}" for field in CLOSER for word in words_of(field))
    own = tuple(_own_words(case, say, when))
    times = _when(incident, case.told_at, say, when)
    goes_on = (say(N_("It still goes on, or happens again and again.")),) if incident.ongoing else ()
    statement = (
        Section(N_("1. What happened"), (*words_of("violence"), *closer, *own), 0 if own else 8),
        Section(N_("2. When"), (*times, *goes_on), 1, N_("Day and hour, if known")),
        Section(N_("3. Where"), words_of("venue"), 2, N_("Street, building, reference")),
        Section(N_("4. Who did it"), words_of("perpetrator"), 4, N_("Name or nickname, marks, uniform, number plate")),
        Section(N_("5. Injuries and care"), _harm(case, names, speaks, when), 3, N_("Where attended, and when")),
        Section(N_("6. Who saw it, and what proves it"), (), 4, N_("Witnesses, messages, photos, clothes, cameras")),
        Section(N_("7. What happened before"), (), 3),
        Section(N_("8. To whom it was told"), words_of("reported"), 1),
        Section(N_("9. What is asked for"), (), 3, N_("For example: that it is investigated, protection measures")),
        Section(N_("10. Who tells this, and when it was told"), tuple(_who_and_when(case, say, when))),
    )
    return [
        Section(say(section.title), section.words, section.lines, say(section.hint) if section.hint else "")
        for section in statement
    ]


# for her hand; we never ask for it and never keep it
BY_HAND: Final = (N_("Name"), N_("Document number, if you want to give it"), N_("Place and day"), N_("Signature"))


def _own_words(case: Case, say: Say, when: Callable[[int], str]) -> Iterator[str]:
    """Her words; what she told later with the hour in which she told it."""
    if case.narrative:
        yield case.narrative
    for addition in case.additions:
        yield say(ADDED, when=when(addition.hour), text=addition.text)


def _when(incident: Incident, told_at: int, say: Say, when: Callable[[int], str]) -> tuple[str, ...]:
    """The times she told; nothing where she passed over it or does not remember, which is not told apart."""
    times = incident.told_twice or ((incident.hours,) if incident.hours else ())
    return tuple(_one_time(hours, told_at, say, when) for hours in times)


def _one_time(hours: Hours, told_at: int, say: Say, when: Callable[[int], str]) -> str:
    if hours == LONG_AGO:
        return say(N_("More than a month before %(when)s."), when=when(told_at))
    soonest, latest = (when(int(told_at - ago)) for ago in hours)
    if soonest == latest:
        return say(N_("Around %(when)s."), when=soonest)
    return say(N_("Between %(earlier)s and %(later)s."), earlier=latest, later=soonest)


def _harm(case: Case, names: Mapping[str, str], speaks: Say, when: Callable[[int], str]) -> tuple[str, ...]:
    """Injuries; then what her body showed in the hour in which she told it, which is what was asked."""

    def words_of(beginning: str) -> tuple[str, ...]:
        return tuple(wording.words_of_fact("flags", _flags(case.incident, beginning), names, speaks))

    signs = words_of("D_")
    then = (speaks(N_("On %(when)s:"), when=when(_signs_told(case))),) if signs else ()
    return (*words_of("I_"), *then, *signs)


def _flags(incident: Incident, beginning: str) -> frozenset[str]:
    return frozenset(flag for flag in incident.flags if flag.startswith(beginning) and flag != HERS_ALONE)


def _signs_told(case: Case) -> int:
    """The hour in which the signs were told as they stand; setting right what stands beside them tells none anew."""
    answers = [(case.hour, case.first), *((item.hour, item.incident) for item in case.corrections)]
    hour = case.hour
    for (_, before), (later, after) in pairwise(answers):
        hour = hour if _flags(before, "D_") == _flags(after, "D_") else later
    return hour


def _who_and_when(case: Case, say: Say, when: Callable[[int], str]) -> Iterator[str]:
    """Who tells, the hour in which it was told, and each hour in which an answer was set right, and by whom."""
    yield say(BY_ANOTHER if case.incident.about == OTHER else BY_HERSELF)
    yield say(BY_VOICE if case.voice else IN_WRITING, when=when(case.hour))
    for correction in case.corrections:
        yield say(RIGHT_BY_TEAM if correction.by else RIGHT_BY_HER, when=when(correction.hour))
