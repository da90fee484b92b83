"""One incident in codes: the frozen record that travels, and how it is read from answers and back.

Every answer may be passed over; a code nobody knows is refused without repeating what was written. Knows no
case, no page and no file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.vocabulary.codes import MAY_BE_NOT_ASKED, NOT_ASKED, VOCABULARY

Hours = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Incident:
    """What a person told, in codes. None and the empty set mean: passed over."""

    about: str | None = None
    violence: frozenset[str] = frozenset()
    perpetrator: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    identity: str | None = None
    age: str | None = None
    venue: str | None = None
    region: str | None = None
    department: str | None = None  # place code such as PE25
    province: str | None = None  # place code such as PE2501
    lang: str | None = None
    docs: str | None = None
    extortion_act: str | None = None  # whether the sex that was demanded happened
    contact: str | None = None  # whether genitals, semen or blood touched her
    victim_state: str | None = None  # of the companion who was killed or is missing
    hurt_too: str | None = None  # whether she who tells of a companion was hurt as well
    condom: str | None = None
    pregnant_possible: str | None = None
    police_safe: str | None = None
    hours: Hours | None = None  # since the latest act: earliest and latest; None is unknown
    told_twice: tuple[Hours, Hours] | None = None  # two times that contradict each other; `hours` spans both
    ongoing: bool | None = None
    migrant: bool | None = None
    wants: frozenset[str] = frozenset()
    reported: str | None = None
    reason: frozenset[str] = frozenset()
    refused_by: frozenset[str] = frozenset()  # ids of services that refused or hurt her
    # hours since she told it, and since she told how she is right now. No answers: only the moment of looking knows
    # them, they are not written down, and two incidents that say the same are the same.
    told_ago: float = field(default=0.0, compare=False)
    signs_ago: float = field(default=0.0, compare=False)

    @property
    def at_least_ago(self) -> float:
        """Hours since it happened, if it happened as late as it may have: where no time was told, since it was told."""
        return self.told_ago if self.hours is None else self.hours[0]

    def later(self, elapsed_hours: float) -> Incident:
        """The same incident looked at later. An unknown time stays unknown, but she told it so long ago."""

        def moved(hours: float) -> float:
            return max(0.0, hours + elapsed_hours)

        def both(time: Hours) -> Hours:
            return moved(time[0]), moved(time[1])

        return replace(
            self,
            hours=self.hours and both(self.hours),
            told_twice=self.told_twice and (both(self.told_twice[0]), both(self.told_twice[1])),
            told_ago=moved(self.told_ago),
            signs_ago=moved(self.signs_ago),
        )


class BadIncident(AmparoError, ValueError):
    """Answers that cannot be read. Names the field and the kind of the value, never what was written."""

    def __init__(self, field: str, sentence: str, value: object = None) -> None:
        self.field, self.sentence = field, sentence
        super().__init__(f"{field}: {sentence} ({_kind(value)})")


UNKNOWN_FIELD = N_("There is no such question.")
TWICE = N_("This was answered twice.")
WANTS_CODE = N_("One code of the list is needed here.")
WANTS_CODES = N_("A list of known codes is needed here.")
WANTS_TRUTH = N_("Yes or no is needed here (true or false).")
WANTS_HOURS = N_("Hours are needed here: a number from 0, nothing, or two numbers, the smaller first.")
WANTS_TWO_TIMES = N_("Two times are needed here, each as hours.")
WANTS_PLACE = N_("A place code is needed here, such as PE25 or PE2501.")
WANTS_SERVICES = N_("A list of service names from the directory is needed here.")
_KINDS: Final = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a table",
}
_SERVICE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PLACES: Final = {"department": re.compile(r"[A-Z]{2}\d{2}"), "province": re.compile(r"[A-Z]{2}\d{4}")}
_MANY: Final = frozenset({"violence", "perpetrator", "flags", "wants", "reason"})
_ANSWER_NAME: Final = {"hours": "hours_ago", "lang": "language"}  # field -> its name among the answers
_FIELD_NAME: Final = {name: field for field, name in _ANSWER_NAME.items()}


def _kind(value: object) -> str:
    return "nothing" if value is None else _KINDS.get(type(value), "something else")


def _one_code(field: str, value: object) -> str:
    if value == NOT_ASKED and field in MAY_BE_NOT_ASKED:
        return NOT_ASKED
    if not isinstance(value, str) or value not in VOCABULARY[field]:
        raise BadIncident(field, WANTS_CODE, value)
    return value


def _listed(field: str, value: object, sentence: str) -> frozenset[str]:
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(code, str) for code in value):
        raise BadIncident(field, sentence, value)
    return frozenset(value)


def _codes(field: str, value: object) -> frozenset[str]:
    codes = _listed(field, value, WANTS_CODES)
    if not codes <= VOCABULARY[field].keys():
        raise BadIncident(field, WANTS_CODES, value)
    return codes


def _truth(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadIncident(field, WANTS_TRUTH, value)
    return value


def _place(field: str, value: object) -> str:
    if not isinstance(value, str) or not _PLACES[field].fullmatch(value):
        raise BadIncident(field, WANTS_PLACE, value)
    return value


def _services(field: str, value: object) -> frozenset[str]:
    services = _listed(field, value, WANTS_SERVICES)
    if not all(_SERVICE_ID.fullmatch(service) for service in services):
        raise BadIncident(field, WANTS_SERVICES, value)
    return services


def _hours(field: str, value: object) -> tuple[float, float]:
    bounds: list[Any] = list(value) if isinstance(value, list | tuple) else [value, value]
    if len(bounds) != ENDS or not all(_is_hour(bound) for bound in bounds) or bounds[0] > bounds[1]:
        raise BadIncident(field, WANTS_HOURS, value)
    return float(bounds[0]), float(bounds[1])


def _two_times(field: str, value: object) -> tuple[Hours, Hours]:
    if not isinstance(value, list | tuple) or len(value) != ENDS:
        raise BadIncident(field, WANTS_TWO_TIMES, value)
    return _hours(field, value[0]), _hours(field, value[1])


def _is_hour(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= LONGEST and math.isfinite(value)


ENDS: Final = 2  # a range has an earliest and a latest end
LONGEST: Final = 1_000_000  # hours, more than a century; keeps numbers that no clock knows out
Reader = Callable[[str, object], object]
_READERS: Final[dict[str, Reader]] = {
    **{field: (_codes if field in _MANY else _one_code) for field in VOCABULARY},
    **dict.fromkeys(_PLACES, _place),
    "hours": _hours,
    "told_twice": _two_times,
    "ongoing": _truth,
    "migrant": _truth,
    "refused_by": _services,
}


def incident_from_answers(answers: Mapping[str, object]) -> Incident:
    """Read answers (`hours_ago`: a number, null or two numbers; `language` or `lang`).

    `BadIncident` for an unknown field, one told twice, or a code that is none.
    """
    facts: dict[str, Any] = {}
    for name, value in answers.items():
        field = _FIELD_NAME.get(name, name)
        if field not in _READERS or name == "hours":
            raise BadIncident(_shown(name), UNKNOWN_FIELD, value)
        if value is None:
            continue
        if field in facts:
            raise BadIncident(field, TWICE, value)
        facts[field] = _READERS[field](field, value)
    return Incident(**facts)


def _shown(name: object) -> str:
    """A name that is shaped like a field is said back; anything else is not."""
    return name if isinstance(name, str) and re.fullmatch(r"[a-z_]{1,24}", name) else "answers"


def answers_from_incident(incident: Incident) -> dict[str, object]:
    """The answers that `incident_from_answers` reads back to the same incident. Ready for JSON."""
    values = ((part.name, getattr(incident, part.name)) for part in fields(incident) if part.compare)
    return {_ANSWER_NAME.get(name, name): _plain(value) for name, value in values if value not in (None, frozenset())}


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple) and isinstance(value[0], tuple):
        return [list(value[0]), list(value[1])]
    if isinstance(value, tuple):
        return value[0] if value[0] == value[1] else list(value)
    return value
