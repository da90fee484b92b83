"""The tally: the sixteen bytes of codes that statistics may learn of one report.

Pure. Knows neither how a tally is sealed nor what is published of it; old formats are read for good.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from reporting.vocabulary.codes import ADULT_AGES, IDENTITY_GROUP, MINOR_AGES
from reporting.vocabulary.gbvims import gbvims_core
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NUMBER_IN_TALLY
from reporting.vocabulary.places import DEPARTMENTS, FIRST_HOME, REGIONS

_NUMBERED: Final = tuple(f"{number:02}" for number in range(100))  # departments of another country than the first home
# Order is the format: a code keeps its number for ever, new ones go to the end, and so do new fields. Where several
# codes were told, the first in this order is the main one, so that a report is counted once in each table. Agents of
# the state stand first, so that a report against one of them is always counted as one.
TALLY_CODES: Final[dict[str, tuple[str, ...]]] = {
    "perpetrator": (
        "NOT_SAID",
        "POLICE",
        "SERENAZGO",
        "OTHER_STATE",
        "CRIMINAL_GROUP",
        "THIRD_PARTY",
        "PARTNER",
        "FAMILY",
        "CLIENT",
        "PROVIDER",
        "LANDLORD",
        "COWORKER",
        "NEIGHBOUR_PUBLIC",
        "OTHER",
        "UNKNOWN",
    ),
    "violence": (
        "NOT_SAID",
        "KILLING_DISAPPEARANCE",
        "RAPE",
        "STEALTHING",
        "SEXUAL_ASSAULT",
        "SEXUAL_EXTORTION",
        "PHYSICAL_ASSAULT",
        "ATTEMPTED_KILLING",
        "CONFINEMENT",
        "FORCED_SEX_WORK",
        "FORCED_MARRIAGE",
        "EXTORTION",
        "ARBITRARY_DETENTION",
        "CONDOM_CONFISCATION",
        "ROBBERY",
        "NONPAYMENT",
        "ECONOMIC_ABUSE",
        "THREATS",
        "STALKING",
        "OUTING",
        "PSYCH_ABUSE",
        "SERVICE_DENIAL",
        "FORCED_HEALTH_EXAM",
        "HATE_VIOLENCE",
    ),
    "identity": ("NA", "CIS_W", "TRANS", "CIS_M", "OTHER"),
    "age": ("NOT_SAID", "U18", "A18_24", "A25P"),
    "gbvims": (
        "G1_RAPE",
        "G2_SEXUAL_ASSAULT",
        "G3_PHYSICAL_ASSAULT",
        "G4_FORCED_MARRIAGE",
        "G5_DENIAL",
        "G6_PSYCHOLOGICAL",
        "G0_NON_GBV",
    ),
    "outcome": ("OPEN", "REACHED", "NOT_REACHED", "REFUSED", "RECORD_ONLY"),
    # the first home's by their whole code; of another country the two digits of its tree of places, which stay whatever
    # that tree grows or loses
    "department": ("NOT_SAID", *DEPARTMENTS, "OTHER", *_NUMBERED),
    "venue": ("NOT_SAID", "PUBLIC", "WORK_ROOM", "PRIVATE", "ONLINE", "CAMP_PORT", "STATE_PLACE", "OTHER"),
    "reported": (
        "NOT_SAID",
        "TO_POLICE",
        "TO_ANOTHER",
        "NOT_FEAR",
        "NOT_DISTRUST",
        "NOT_BELIEVED",
        "NOT_KNOWN_WHERE",
        "NOT_PAPERS",
        "NOT_SHAME",
        "NOT_TIME",
        "NOT_NO_REASON",
    ),
    "papers": ("NOT_SAID", "WITH", "WITHOUT"),
    "in_time": ("NOT_KNOWN", "WITHIN_72", "WITHIN_120", "LATER"),
    "gap": ("NONE", *sorted(NUMBER_IN_TALLY, key=NUMBER_IN_TALLY.__getitem__)),
    # from her report to the team's first letter; NOT_KNOWN is what tallies of formats 1 and 2 say
    "answered": ("NOT_KNOWN", "NEVER", "WITHIN_24", "WITHIN_72", "WITHIN_7D", "LATER", "NOT_AWAITED"),
}
TALLY_SIZE: Final = 16  # bytes
TALLY_FORMAT: Final = 3
MONTHS: Final = 12
FIRST_YEAR: Final = 2000  # a year is one byte, counted from here
VOID_TALLY: Final = bytes(TALLY_SIZE)  # without consent: the same size, counts nothing
# byte 0 the format, 1 the year, 2 the month, 3 to 15 one code each in the order of TALLY_CODES; none is left to spare
TALLY_BYTE: Final = {"format": 0, "year": 1, "month": 2, **{field: 3 + n for n, field in enumerate(TALLY_CODES)}}
_OLD_TALLY: Final = struct.Struct(">BH4s6B3x")  # format 1: month since year 0, department, the first six codes
_FIRST_FORMAT, _SECOND_FORMAT = 1, 2
_KNOWN_BEFORE: Final = {"department": TALLY_CODES["department"].index("OTHER") + 1, "answered": 1}  # codes of format 2
ANSWERED_WITHIN: Final = ((24, "WITHIN_24"), (72, "WITHIN_72"), (7 * 24, "WITHIN_7D"))  # whole hours
_AGE_GROUP: Final = (
    dict.fromkeys(MINOR_AGES, "U18") | {"A18_24": "A18_24"} | dict.fromkeys(ADULT_AGES - {"A18_24"}, "A25P")
)
_VENUE_GROUP: Final = {
    "STREET": "PUBLIC",
    "VEHICLE": "PUBLIC",
    "BAR_CLUB": "WORK_ROOM",
    "BROTHEL": "WORK_ROOM",
    "HOTEL": "WORK_ROOM",
    "OWN_PLACE": "PRIVATE",
    "CLIENT_PLACE": "PRIVATE",
    "HOME": "PRIVATE",
    "ONLINE": "ONLINE",
    "CAMP_PORT": "CAMP_PORT",
    "POLICE_STATION": "STATE_PLACE",
    "HEALTH_FACILITY": "STATE_PLACE",
    "OTHER": "OTHER",
}
_WHY_NOT: Final = {  # in the order in which one of several reasons is the main one
    "FEAR_REPRISAL": "NOT_FEAR",
    "DISTRUST_POLICE": "NOT_DISTRUST",
    "NOT_BELIEVED": "NOT_BELIEVED",
    "DID_NOT_KNOW": "NOT_KNOWN_WHERE",
    "NO_PAPERS": "NOT_PAPERS",
    "SHAME": "NOT_SHAME",
    "NO_TIME": "NOT_TIME",
}
_PAPERS: Final = {"DNI": "WITH", "CE": "WITH", "MISMATCH": "WITH", "NONE": "WITHOUT"}


@dataclass(frozen=True, slots=True)
class Tally:
    """What statistics learn of one report."""

    year: int
    month: int
    perpetrator: str
    violence: str
    identity: str
    age: str
    gbvims: str
    outcome: str
    department: str
    venue: str
    reported: str
    papers: str
    in_time: str
    gap: str
    answered: str


def tally_block(
    incident: Incident,
    hour: int,
    *,
    counted: bool,
    outcome: str = "OPEN",
    in_time: str = "",
    gap: str = "NONE",
    answered: str = "NOT_KNOWN",
) -> bytes:
    """The block of a report received at this hour (since 1970). Void if she did not agree to be counted.

    `gap`: the need that no service meets for the longest. `in_time`: when the first door was reached, if that is known;
    else how soon after the act the report came, at the latest she says. `answered`: as `answered_of` says.
    """
    if not counted:
        return VOID_TALLY
    received = datetime.fromtimestamp(hour * 3600, UTC)
    codes = {
        "perpetrator": _main("perpetrator", incident.perpetrator),
        "violence": _main("violence", incident.violence),
        "identity": IDENTITY_GROUP.get(incident.identity or "", "NA"),
        "age": _AGE_GROUP.get(incident.age or "", "NOT_SAID"),
        "gbvims": gbvims_core(incident),
        "outcome": outcome,
        "department": _department(incident),
        "venue": _VENUE_GROUP.get(incident.venue or "", "NOT_SAID"),
        "reported": _reported(incident),
        "papers": _PAPERS.get(incident.docs or "", "NOT_SAID"),
        "in_time": in_time or in_time_of(incident),
        "gap": gap,
        "answered": answered,
    }
    return block_of_codes(received.year, received.month, codes)


def block_of_codes(year: int, month: int, codes: Mapping[str, str]) -> bytes:
    """The block of these codes; a field that is not named gets its first code. `ValueError` for an unknown code."""
    numbers = bytes(known.index(codes.get(field, known[0])) for field, known in TALLY_CODES.items())
    return bytes([TALLY_FORMAT, year - FIRST_YEAR, month]) + numbers + bytes(TALLY_SIZE - 3 - len(numbers))


def _main(field: str, codes: frozenset[str]) -> str:
    return next((code for code in TALLY_CODES[field] if code in codes), "NOT_SAID")


def _department(incident: Incident) -> str:
    code = incident.department or (incident.province or "")[:4] or REGIONS.get(incident.region or "", "")
    if code:
        return department_in_tally(code)
    return "OTHER" if incident.region == "OTHER" else "NOT_SAID"


def department_in_tally(code: str) -> str:
    """The code under which a tally keeps a department (PE25, KE47); OTHER where it has none."""
    kept = code if code.startswith(FIRST_HOME) else code[len(FIRST_HOME) :]
    return kept if kept in TALLY_CODES["department"] else "OTHER"


def _reported(incident: Incident) -> str:
    if incident.reported == "NOBODY":
        return next((kept for reason, kept in _WHY_NOT.items() if reason in incident.reason), "NOT_NO_REASON")
    if incident.reported in {None, "PREFER_NOT"}:
        return "NOT_SAID"
    return "TO_POLICE" if incident.reported == "POLICE" else "TO_ANOTHER"


def in_time_of(incident: Incident) -> str:
    """How soon after the act this is, at the latest she says: the code of the tally."""
    if incident.hours is None:
        return "NOT_KNOWN"
    latest = incident.hours[1]
    return next((code for limit, code in ((72, "WITHIN_72"), (120, "WITHIN_120")) if latest <= limit), "LATER")


def answered_of(received: int, first: int | None, *, letters: bool, voice: bool) -> str:
    """How soon after her report the team first wrote to her, as known now: the code of the tally.

    `received` and `first`: hours since 1970 of the report and of the team's first letter, None where it wrote none.
    `letters`: she lets the team write. Who told by voice was answered there and then, and waits for no letter.
    """
    if voice:
        return "NOT_AWAITED"
    if first is None:
        return "NEVER" if letters else "NOT_AWAITED"
    return next((code for limit, code in ANSWERED_WITHIN if first - received <= limit), "LATER")


def tally_from_block(block: bytes) -> Tally | None:
    """Read a block back; None if it is void."""
    block = newest_form(block)
    if block == VOID_TALLY:
        return None
    codes = {field: known[block[TALLY_BYTE[field]]] for field, known in TALLY_CODES.items()}
    return Tally(FIRST_YEAR + block[1], block[2], **codes)


def newest_form(block: bytes) -> bytes:
    """The same tally as the newest format has it. `ValueError` for one that nobody here wrote."""
    if block == VOID_TALLY:
        return block
    if len(block) != TALLY_SIZE:
        raise ValueError(UNKNOWN)
    if block[0] == _FIRST_FORMAT:
        return _from_first_format(block)
    limits = {field: len(codes) for field, codes in TALLY_CODES.items()}
    if block[0] == _SECOND_FORMAT:
        limits |= _KNOWN_BEFORE  # what its bytes say, they say now too
    elif block[0] != TALLY_FORMAT:
        raise ValueError(UNKNOWN)
    if not 1 <= block[2] <= MONTHS or any(block[TALLY_BYTE[field]] >= limit for field, limit in limits.items()):
        raise ValueError(UNKNOWN)
    return bytes([TALLY_FORMAT]) + block[1:]


def _from_first_format(block: bytes) -> bytes:
    _, month, department, *numbers = _OLD_TALLY.unpack(block)
    try:
        codes = {field: TALLY_CODES[field][number] for field, number in zip(TALLY_CODES, numbers, strict=False)}
        place = department.decode("ascii").rstrip("\0")
        codes["department"] = department_in_tally(place) if place else "NOT_SAID"
        return block_of_codes(month // 12, month % 12 + 1, codes)
    except (IndexError, ValueError):
        raise ValueError(UNKNOWN) from None


UNKNOWN: Final = "A tally of a format that this version does not know."
