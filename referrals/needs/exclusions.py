"""Why a service may not be offered to somebody. The one place where that is decided.

Pure. Knows a service by the few answers that matter here, and no directory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from referrals.needs.rules import ROWS
from reporting.i18n import N_
from reporting.vocabulary.codes import ADULT_AGES, MINOR_AGES
from reporting.vocabulary.incident import Incident


class OfferedService(Protocol):
    """What decides whether a service may be offered. Three-valued answers are yes, no or unknown."""

    @property
    def service_id(self) -> str: ...
    @property
    def service_type(self) -> str: ...
    @property
    def police(self) -> str: ...  # run by police or inside a station
    @property
    def accepts_no_id(self) -> str: ...
    @property
    def trans_friendly(self) -> str: ...
    @property
    def minors(self) -> str: ...  # yes, no, only or unknown
    @property
    def coverage_national(self) -> bool: ...


POLICE_TYPES: Final = frozenset({"POLICE", "POLICE_OVERSIGHT", "VIOLENCE_CENTRE_POLICE"})
CHILD_TYPES_TO_KNOW: Final = frozenset(ROWS["offers"]["ask_first_for_minors"])  # types not open by nature to children
LIFTED_IN_WORDS: Final = frozenset({"MN_POLICE", "MN_CEM_COMISARIA"})
# why a service is hidden besides the must-nots: it refused her, or it is for people of another age
REFUSED, ADULT_ONLY, MINOR = "REFUSED", "ADULT_ONLY", "MINOR"
HIDDEN_BECAUSE: Final = {
    REFUSED: N_("She said that this service refused or hurt her"),
    ADULT_ONLY: N_("Not known to be open to people under 18"),
    MINOR: N_("Only for people under 18"),
}


def _of_police(service: OfferedService) -> bool:
    return service.service_type in POLICE_TYPES or service.police == "yes"


def _not_surely_civil(service: OfferedService) -> bool:
    return service.service_type in POLICE_TYPES or service.police != "no"


# must-not -> the services it hides. Known bad is hidden; under the first two, good must be known.
HIDES: Final[dict[str, Callable[[OfferedService], bool]]] = {
    "MN_POLICE": _not_surely_civil,
    "MN_CEM_COMISARIA": _not_surely_civil,
    "MN_SAME_STATION": lambda service: _of_police(service) and not service.coverage_national,
    "MN_REQUIRE_ID": lambda service: service.accepts_no_id == "no",
    "MN_MIGRATION_AUTH": lambda service: service.service_type == "DOCUMENTS",
    "MN_DEADNAME": lambda service: service.trans_friendly == "no",
}
# the same for her age, in the order in which a reason is given
BARS: Final[dict[str, Callable[[OfferedService], bool]]] = HIDES | {
    ADULT_ONLY: lambda service: not _open_to_children(service),
    MINOR: lambda service: service.minors == "only",
}


def forbidden(
    service: OfferedService, must_not: frozenset[str], incident: Incident, *, police_shown: bool = False
) -> str | None:
    """Why this service may not be offered to her, or None. The one place where that is decided."""
    if service.service_id in incident.refused_by:
        return REFUSED
    return reason_in(bars_of(service) & bars_for(must_not, incident, police_shown=police_shown))


def bars_of(service: OfferedService) -> int:
    """What could bar this service from somebody: a bit for each of BARS. Worked out once a service."""
    return sum(1 << place for place, bars in enumerate(BARS.values()) if bars(service))


def bars_for(must_not: frozenset[str], incident: Incident, *, police_shown: bool = False) -> int:
    """What holds for her, in the same bits. Worked out once a question."""
    standing = set(_lifted(must_not, incident) if police_shown else must_not)
    if incident.age in MINOR_AGES:
        standing.add(ADULT_ONLY)
    elif incident.age in ADULT_AGES:
        standing.add(MINOR)
    return sum(1 << place for place, code in enumerate(BARS) if code in standing)


def reason_in(bits: int) -> str | None:
    """The first reason among these bits."""
    return _REASONS[(bits & -bits).bit_length() - 1] if bits else None


_REASONS: Final = tuple(BARS)


def _lifted(must_not: frozenset[str], incident: Incident) -> frozenset[str]:
    """She wants to see the police too. If it was a police agent who hurt her, then not the station next door."""
    same_station = {"MN_SAME_STATION"} if "POLICE" in incident.perpetrator else set()
    return must_not - LIFTED_IN_WORDS | same_station


def _open_to_children(service: OfferedService) -> bool:
    if service.service_type in CHILD_TYPES_TO_KNOW:
        return service.minors in {"yes", "only"}
    return service.minors != "no"
