"""What happened, in codes: the lists a person can answer from, and the frozen incident that travels.

Every answer may be passed over. The room knows no case, no file, no page and no network; words that people
read are message ids. It also says the GBVIMS core type and makes the sixteen bytes that statistics may count.
Sources: the SWIT tool (WHO and others 2013, box 2.1) for acts and contexts; GBVIMS user guide for the types;
INEI for places. Which codes there are is a decision of the project, to be reviewed with the organisations.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Final


def N_(text: str) -> str:  # noqa: N802 - the usual name of the mark that translators' tools look for
    """Mark a text as a message id."""
    return text


PREFER_NOT_LABEL: Final = N_("I would rather not say")
YES, NO, NOT_SURE, NOT_KNOWN = N_("Yes"), N_("No"), N_("I am not sure"), N_("I do not know")
YES_NO_UNKNOWN: Final = {"yes": YES, "no": NO, "unknown": NOT_KNOWN}

# field -> {code: label}, in screen order
VOCABULARY: Final[dict[str, dict[str, str]]] = {
    "about": {"SELF": N_("It is about me"), "OTHER": N_("It is about another person")},
    "violence": {
        "RAPE": N_("I was forced to have sex (there was penetration)"),
        "STEALTHING": N_("The condom was taken off or broken without my permission"),
        "SEXUAL_ASSAULT": N_("I was touched, or somebody tried to abuse me"),
        "SEXUAL_EXTORTION": N_("They asked for sex so as not to detain or fine me, or to let me work"),
        "PHYSICAL_ASSAULT": N_("I was beaten or hurt"),
        "ATTEMPTED_KILLING": N_("Somebody tried to kill me"),
        "KILLING_DISAPPEARANCE": N_("A companion was killed or has disappeared (told by another person)"),
        "CONFINEMENT": N_("I was locked in or not allowed to leave"),
        "FORCED_SEX_WORK": N_("They force me to work, do not let me stop, took my papers, or say I owe them"),
        "FORCED_MARRIAGE": N_("I was forced to marry or live with somebody"),
        "EXTORTION": N_("They charge me a quota or a bribe to work"),
        "ARBITRARY_DETENTION": N_("I was detained or taken away for no reason; a raid"),
        "CONDOM_CONFISCATION": N_("My condoms were taken or used as proof"),
        "ROBBERY": N_("I was robbed"),
        "NONPAYMENT": N_("I was not paid, or what was paid was taken back"),
        "ECONOMIC_ABUSE": N_("Somebody takes or controls my money"),
        "THREATS": N_("I was threatened"),
        "STALKING": N_("Somebody follows me, watches me, harasses me"),
        "OUTING": N_("My photo, name, work, HIV or identity was published (or they threaten to)"),
        "PSYCH_ABUSE": N_("I was insulted or humiliated"),
        "SERVICE_DENIAL": N_("I was refused care, or they would not take my complaint"),
        "FORCED_HEALTH_EXAM": N_("I was tested or examined without my permission"),
        "HATE_VIOLENCE": N_("It was out of hate (for being trans, a sex worker, a migrant, or having HIV)"),
    },
    "perpetrator": {
        "CLIENT": N_("Client"),
        "POLICE": N_("Police"),
        "SERENAZGO": N_("Municipal security or inspectors"),
        "OTHER_STATE": N_("Another authority (prosecutor, judge, soldier, migration)"),
        "THIRD_PARTY": N_("Pimp, owner or manager of the place"),
        "CRIMINAL_GROUP": N_("A group that charges quotas, a mafia"),
        "PARTNER": N_("Partner or former partner"),
        "FAMILY": N_("A family member"),
        "COWORKER": N_("Somebody I work with"),
        "NEIGHBOUR_PUBLIC": N_("Neighbours, people in the street, a hate group"),
        "PROVIDER": N_("Staff of a health or other service"),
        "LANDLORD": N_("Owner of my room or house"),
        "UNKNOWN": N_("I do not know who it was"),
        "OTHER": N_("Somebody else"),
    },
    "flags": {
        "S_PERP_NEAR": N_("The person who hurt me is here or may come back now"),
        "S_LOCKED": N_("I cannot leave the place where I am"),
        "S_DEATH_THREAT": N_("They threatened to kill me"),
        "S_WEAPON": N_("There was a weapon"),
        "S_NO_SAFE_PLACE": N_("I have nowhere safe to be tonight"),
        "S_KNOWS_HOME": N_("They know where I live"),
        "S_CHILDREN": N_("My children, or others who depend on me, are in danger"),
        "D_BLEEDING": N_("I am bleeding a lot"),
        "D_BREATHING": N_("It is hard to breathe, or my chest hurts"),
        "D_UNCONSCIOUS": N_("I fainted or lost consciousness"),
        "D_HEAD_SIGNS": N_("A blow to the head, and I vomit, am confused, sleepy or weak, had a fit,"
                           " see badly, or my head hurts terribly"),
        "D_STRANGLED": N_("I was choked or my neck was squeezed"),
        "D_STAB_GUN": N_("I was stabbed or shot"),
        "D_FRACTURE": N_("A bone may be broken, or I cannot move a part of my body"),
        "D_SEVERE_PAIN": N_("Very strong pain in my belly, hips or genitals"),
        "D_DRUGGED": N_("I was drugged or poisoned"),
        "D_BURN": N_("A burn, or acid"),
        "D_PREG_DANGER": N_("I am pregnant and I bleed, have pain, or was hit in the belly"),
        "D_SUICIDE": N_("I think of ending my life now"),
        "I_WOUND": N_("A cut or an open wound"),
        "I_BITE": N_("A bite that bled"),
        "I_GENITAL": N_("Pain or a little blood in the genitals or anus"),
        "I_HEAD_BLOW": N_("A blow to the head, without those signs"),
        "I_BRUISES": N_("Bruises"),
    },
    "identity": {
        "CIS_WOMAN": N_("Woman"),
        "TRANS_WOMAN": N_("Trans woman"),
        "TRANSSEXUAL": N_("Transsexual woman"),
        "TRAVESTI": N_("Travesti"),
        "TRANS_MAN": N_("Trans man or transmasculine person"),
        "NONBINARY": N_("Non-binary person"),
        "CIS_MAN": N_("Man"),
        "OTHER_SELF": N_("Another (as I say it)"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "age": {
        "U14": N_("Under 14"),
        "A14_17": N_("14 to 17"),
        "A18_24": N_("18 to 24"),
        "A25_34": N_("25 to 34"),
        "A35_49": N_("35 to 49"),
        "A50P": N_("50 or more"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "venue": {
        "STREET": N_("Street, park or road"),
        "BAR_CLUB": N_("Bar, canteen, night club or karaoke"),
        "BROTHEL": N_("Brothel or house of appointments"),
        "HOTEL": N_("Hostel or hotel"),
        "OWN_PLACE": N_("My own or a shared room or flat"),
        "CLIENT_PLACE": N_("The client's place"),
        "VEHICLE": N_("Car, mototaxi or patrol car"),
        "ONLINE": N_("Internet, WhatsApp or an app"),
        "CAMP_PORT": N_("Mining or logging camp, or port"),
        "POLICE_STATION": N_("Police station or cell"),
        "HEALTH_FACILITY": N_("Health centre or hospital"),
        "HOME": N_("Home of my family or partner"),
        "OTHER": N_("Another place"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "region": {
        "UCAYALI": "Ucayali",
        "AREQUIPA": "Arequipa",
        "PIURA": "Piura",
        "JUNIN": "Junín",
        "OTHER": N_("Another region"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "lang": {
        "es": N_("Spanish"),
        "en": N_("English"),
        "qu": N_("Quechua"),
        "ay": N_("Aymara"),
        "shp": N_("Shipibo-Konibo"),
        "cni": N_("Asháninka"),
    },
    "docs": {
        "DNI": N_("DNI (Peruvian identity card)"),
        "CE": N_("Foreigner's card or permit"),
        "NONE": N_("I have no papers"),
        "MISMATCH": N_("The name or sex on my papers is not mine"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "extortion_act": YES_NO_UNKNOWN,
    "contact": YES_NO_UNKNOWN,
    "victim_state": {
        "killed": N_("My companion was killed"),
        "missing": N_("My companion is missing"),
        "unknown": NOT_KNOWN,
    },
    "hurt_too": YES_NO_UNKNOWN,
    "condom": YES_NO_UNKNOWN,
    "pregnant_possible": {
        "yes": YES,
        "no": NO,
        "unsure": NOT_SURE,
        "pregnant": N_("There is a pregnancy already"),
    },
    "police_safe": {"yes": YES, "no": NO, "unsure": NOT_SURE},
    "wants": {
        "W_RECORD_ONLY": N_("Only that it is written down"),
        "W_INFO": N_("Information"),
        "W_HEALTH": N_("Health care"),
        "W_PSYCH": N_("Somebody to talk to, emotional support"),
        "W_LEGAL": N_("Legal advice"),
        "W_REPORT": N_("To report it to an authority"),
        "W_REPORT_POLICE": N_("To report it to the police"),
        "W_SHELTER": N_("A safe place to stay"),
        "W_PEER": N_("To talk with companions or their organisation"),
        "W_MONEY": N_("Help with money"),
        "W_DOCS": N_("Help with my papers"),
        "W_DIGITAL": N_("Help with photos, messages or accounts"),
        "W_CONTACT_BACK": N_("That somebody gets in touch with me"),
        "W_NOT_SURE": N_("I do not know yet"),
    },
    "reported": {
        "NOBODY": N_("Nobody"),
        "POLICE": N_("The police"),
        "PROSECUTOR": N_("The prosecutor's office"),
        "DEFENSORIA": N_("The ombudsman (Defensoría del Pueblo)"),
        "COURT": N_("A court"),
        "HEALTH": N_("Health staff"),
        "OTHER_AUTHORITY": N_("Another authority"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
    "reason": {
        "FEAR_REPRISAL": N_("I am afraid of what they may do"),
        "DISTRUST_POLICE": N_("I do not trust the police"),
        "NOT_BELIEVED": N_("They did not believe me before"),
        "DID_NOT_KNOW": N_("I did not know where to go"),
        "NO_PAPERS": N_("I have no papers"),
        "SHAME": N_("I felt ashamed"),
        "NO_TIME": N_("I had no time"),
        "PREFER_NOT": PREFER_NOT_LABEL,
    },
}  # fmt: skip

# ── groups that rules and statistics use ────────────────────────────────────────────────────────────────────

STATE_AGENTS: Final = frozenset({"POLICE", "SERENAZGO", "OTHER_STATE"})
MINOR_AGES: Final = frozenset({"U14", "A14_17"})
ADULT_AGES: Final = frozenset({"A18_24", "A25_34", "A35_49", "A50P"})
IDENTITY_GROUP: Final = {
    "CIS_WOMAN": "CIS_W",
    "TRANS_WOMAN": "TRANS",
    "TRANSSEXUAL": "TRANS",
    "TRAVESTI": "TRANS",
    "TRANS_MAN": "TRANS",
    "NONBINARY": "TRANS",
    "CIS_MAN": "CIS_M",
    "OTHER_SELF": "OTHER",
    "PREFER_NOT": "NA",
}
# INEI department code with the country in front -> region of the programme; every other department is OTHER
DEPARTMENT_REGION: Final = {"PE25": "UCAYALI", "PE04": "AREQUIPA", "PE20": "PIURA", "PE12": "JUNIN"}

# ── the incident ────────────────────────────────────────────────────────────────────────────────────────────


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


class BadIncident(ValueError):
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
    """Read answers (`hours_ago`: a number, null or two numbers; `language` or `lang`). Checks every code."""
    told: dict[str, Any] = {}
    for name, value in answers.items():
        field = _FIELD_NAME.get(name, name)
        if field not in _READERS or name == "hours":
            raise BadIncident(_shown(name), UNKNOWN_FIELD, value)
        if value is None:
            continue
        if field in told:
            raise BadIncident(field, TWICE, value)
        told[field] = _READERS[field](field, value)
    return Incident(**told)


def _shown(name: object) -> str:
    """A name that is shaped like a field is said back; anything else is not."""
    return name if isinstance(name, str) and re.fullmatch(r"[a-z_]{1,24}", name) else "answers"


def answers_from_incident(incident: Incident) -> dict[str, object]:
    """The answers that `incident_from_answers` reads back to the same incident. Ready for JSON."""
    told = ((one.name, getattr(incident, one.name)) for one in fields(incident) if one.compare)
    return {_ANSWER_NAME.get(name, name): _plain(value) for name, value in told if value not in (None, frozenset())}


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple) and isinstance(value[0], tuple):
        return [list(value[0]), list(value[1])]
    if isinstance(value, tuple):
        return value[0] if value[0] == value[1] else list(value)
    return value


# ── the GBVIMS core type ────────────────────────────────────────────────────────────────────────────────────

FORCE: Final = frozenset({"S_WEAPON", "I_WOUND", "I_BITE", "I_HEAD_BLOW", "I_BRUISES", "D_HEAD_SIGNS", "D_STRANGLED",
                          "D_STAB_GUN", "D_FRACTURE", "D_BURN", "D_DRUGGED"})  # fmt: skip
_NO_CONDITION: Final[frozenset[str]] = frozenset()

# The questions of the standard form in their fixed order; the first yes gives the type.
# Only what was said counts: whoever did not answer whether it happened is counted as threatened.
# (type, acts, flags or answers of which one is needed too)
GBVIMS_QUESTIONS: Final = (
    ("G1_RAPE", frozenset({"RAPE", "STEALTHING"}), _NO_CONDITION),
    ("G1_RAPE", frozenset({"SEXUAL_EXTORTION"}), frozenset({"extortion_act:yes"})),
    ("G1_RAPE", frozenset({"FORCED_SEX_WORK"}), frozenset({f"age:{age}" for age in MINOR_AGES})),
    ("G2_SEXUAL_ASSAULT", frozenset({"SEXUAL_ASSAULT"}), _NO_CONDITION),
    ("G3_PHYSICAL_ASSAULT", frozenset({"PHYSICAL_ASSAULT", "ATTEMPTED_KILLING", "KILLING_DISAPPEARANCE"}),
     _NO_CONDITION),
    ("G3_PHYSICAL_ASSAULT", frozenset({"ROBBERY", "CONFINEMENT", "ARBITRARY_DETENTION"}), FORCE),
    ("G4_FORCED_MARRIAGE", frozenset({"FORCED_MARRIAGE"}), _NO_CONDITION),
    ("G5_DENIAL", frozenset({"EXTORTION", "CONDOM_CONFISCATION", "ROBBERY", "NONPAYMENT", "ECONOMIC_ABUSE",
                             "SERVICE_DENIAL", "FORCED_HEALTH_EXAM", "FORCED_SEX_WORK"}), _NO_CONDITION),
    ("G6_PSYCHOLOGICAL", frozenset({"THREATS", "STALKING", "OUTING", "PSYCH_ABUSE", "CONFINEMENT",
                                    "ARBITRARY_DETENTION", "SEXUAL_EXTORTION"}), _NO_CONDITION),
)  # fmt: skip
GBVIMS: Final = {
    "G1_RAPE": N_("Rape"),
    "G2_SEXUAL_ASSAULT": N_("Sexual assault"),
    "G3_PHYSICAL_ASSAULT": N_("Physical assault"),
    "G4_FORCED_MARRIAGE": N_("Forced marriage"),
    "G5_DENIAL": N_("Denial of resources, opportunities or services"),
    "G6_PSYCHOLOGICAL": N_("Psychological or emotional abuse"),
    "G0_NON_GBV": N_("None of the six types"),
}


def gbvims_core(incident: Incident) -> str:
    """The one core type that other agencies can compare."""
    said = incident.flags | {f"extortion_act:{incident.extortion_act}", f"age:{incident.age}"}
    for core, acts, condition in GBVIMS_QUESTIONS:
        if incident.violence & acts and (not condition or said & condition):
            return core
    return "G0_NON_GBV"


# ── the tally: sixteen bytes that statistics may count ──────────────────────────────────────────────────────

# Order is the format: a code keeps its number for ever, new ones go to the end, and so do new fields. Where several
# codes were told, the first in this order is the main one, so that a report is counted once in each table. Agents of
# the state stand first, so that a report against one of them is always counted as one.
TALLY_CODES: Final[dict[str, tuple[str, ...]]] = {
    "perpetrator": ("NOT_SAID", "POLICE", "SERENAZGO", "OTHER_STATE", "CRIMINAL_GROUP", "THIRD_PARTY",
                    "PARTNER", "FAMILY", "CLIENT", "PROVIDER", "LANDLORD", "COWORKER", "NEIGHBOUR_PUBLIC",
                    "OTHER", "UNKNOWN"),
    "violence": ("NOT_SAID", "KILLING_DISAPPEARANCE", "RAPE", "STEALTHING", "SEXUAL_ASSAULT",
                 "SEXUAL_EXTORTION", "PHYSICAL_ASSAULT", "ATTEMPTED_KILLING", "CONFINEMENT",
                 "FORCED_SEX_WORK", "FORCED_MARRIAGE", "EXTORTION", "ARBITRARY_DETENTION",
                 "CONDOM_CONFISCATION", "ROBBERY", "NONPAYMENT", "ECONOMIC_ABUSE", "THREATS", "STALKING",
                 "OUTING", "PSYCH_ABUSE", "SERVICE_DENIAL", "FORCED_HEALTH_EXAM", "HATE_VIOLENCE"),
    "identity": ("NA", "CIS_W", "TRANS", "CIS_M", "OTHER"),
    "age": ("NOT_SAID", "U18", "A18_24", "A25P"),
    "gbvims": ("G1_RAPE", "G2_SEXUAL_ASSAULT", "G3_PHYSICAL_ASSAULT", "G4_FORCED_MARRIAGE", "G5_DENIAL",
               "G6_PSYCHOLOGICAL", "G0_NON_GBV"),
    "outcome": ("OPEN", "REACHED", "NOT_REACHED", "REFUSED", "RECORD_ONLY"),
    "department": ("NOT_SAID", *(f"PE{number:02}" for number in range(1, 26)), "OTHER"),
    "venue": ("NOT_SAID", "PUBLIC", "WORK_ROOM", "PRIVATE", "ONLINE", "CAMP_PORT", "STATE_PLACE", "OTHER"),
    "reported": ("NOT_SAID", "TO_POLICE", "TO_ANOTHER", "NOT_FEAR", "NOT_DISTRUST", "NOT_BELIEVED", "NOT_KNOWN_WHERE",
                 "NOT_PAPERS", "NOT_SHAME", "NOT_TIME", "NOT_NO_REASON"),
    "papers": ("NOT_SAID", "WITH", "WITHOUT"),
    "in_time": ("NOT_KNOWN", "WITHIN_72", "WITHIN_120", "LATER"),
    "gap": ("NONE", "N_EMERG_MED", "N_CRISIS_MH", "N_CHILD_PROT", "N_PEP", "N_EC", "N_STI", "N_HEPB", "N_WOUND",
            "N_MED_CHECK", "N_PREG", "N_TRAFFICKING", "N_SAFETY_PLAN", "N_SHELTER", "N_FORENSIC", "N_LEGAL_STATE",
            "N_PROTECTION", "N_REPORT_ROUTE", "N_LEGAL_INFO", "N_PFA", "N_COUNSEL", "N_DIGITAL", "N_PEER", "N_DOCS",
            "N_ECON", "N_SERVICE_COMPLAINT", "N_MISSING"),
}  # fmt: skip
TALLY_SIZE: Final = 16  # bytes
TALLY_FORMAT: Final = 2
MONTHS: Final = 12
FIRST_YEAR: Final = 2000  # a year is one byte, counted from here
VOID_TALLY: Final = bytes(TALLY_SIZE)  # without consent: the same size, counts nothing
# byte 0 the format, 1 the year, 2 the month, 3 to 14 one code each in the order of TALLY_CODES, 15 to spare
TALLY_BYTE: Final = {"format": 0, "year": 1, "month": 2, **{field: 3 + n for n, field in enumerate(TALLY_CODES)}}
_OLD_TALLY: Final = struct.Struct(">BH4s6B3x")  # format 1: month since year 0, department, the first six codes
_OLD_FORMAT: Final = 1
_REGION_DEPARTMENT: Final = {region: department for department, region in DEPARTMENT_REGION.items()}
_AGE_GROUP: Final = (
    dict.fromkeys(MINOR_AGES, "U18") | {"A18_24": "A18_24"} | dict.fromkeys(ADULT_AGES - {"A18_24"}, "A25P")
)
_VENUE_GROUP: Final = {
    "STREET": "PUBLIC", "VEHICLE": "PUBLIC", "BAR_CLUB": "WORK_ROOM", "BROTHEL": "WORK_ROOM", "HOTEL": "WORK_ROOM",
    "OWN_PLACE": "PRIVATE", "CLIENT_PLACE": "PRIVATE", "HOME": "PRIVATE", "ONLINE": "ONLINE", "CAMP_PORT": "CAMP_PORT",
    "POLICE_STATION": "STATE_PLACE", "HEALTH_FACILITY": "STATE_PLACE", "OTHER": "OTHER",
}  # fmt: skip
_WHY_NOT: Final = {  # in the order in which one of several reasons is the main one
    "FEAR_REPRISAL": "NOT_FEAR", "DISTRUST_POLICE": "NOT_DISTRUST", "NOT_BELIEVED": "NOT_BELIEVED",
    "DID_NOT_KNOW": "NOT_KNOWN_WHERE", "NO_PAPERS": "NOT_PAPERS", "SHAME": "NOT_SHAME", "NO_TIME": "NOT_TIME",
}  # fmt: skip
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


def tally_block(
    incident: Incident, hour: int, *, counted: bool, outcome: str = "OPEN", in_time: str = "", gap: str = "NONE"
) -> bytes:
    """The block of a report received at this hour (since 1970). Void if she did not agree to be counted.

    `gap`: the need that no service meets for the longest. `in_time`: when the first door was reached, if that is known;
    else how soon after the act the report came, at the latest she says.
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
    }
    return block_of_codes(received.year, received.month, codes)


def block_of_codes(year: int, month: int, codes: Mapping[str, str]) -> bytes:
    """The block of these codes; a field that is not named gets its first code. `ValueError` for an unknown code."""
    numbers = bytes(known.index(codes.get(field, known[0])) for field, known in TALLY_CODES.items())
    return bytes([TALLY_FORMAT, year - FIRST_YEAR, month]) + numbers + bytes(TALLY_SIZE - 3 - len(numbers))


def _main(field: str, told: frozenset[str]) -> str:
    return next((code for code in TALLY_CODES[field] if code in told), "NOT_SAID")


def _department(incident: Incident) -> str:
    told = incident.department or (incident.province or "")[:4] or _REGION_DEPARTMENT.get(incident.region or "", "")
    if told:
        return told if told in TALLY_CODES["department"] else "OTHER"
    return "OTHER" if incident.region == "OTHER" else "NOT_SAID"


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
    if len(block) == TALLY_SIZE and block[0] == _OLD_FORMAT:
        _, month, department, *numbers = _OLD_TALLY.unpack(block)
        place = department.decode("ascii", "replace").rstrip("\0") or "NOT_SAID"
        codes = {field: TALLY_CODES[field][number] for field, number in zip(TALLY_CODES, numbers, strict=False)}
        codes["department"] = place if place in TALLY_CODES["department"] else "OTHER"
        return block_of_codes(month // 12, month % 12 + 1, codes)
    known = len(block) == TALLY_SIZE and block[0] == TALLY_FORMAT and 1 <= block[2] <= MONTHS
    if not known or any(block[TALLY_BYTE[field]] >= len(codes) for field, codes in TALLY_CODES.items()):
        raise ValueError("A tally of a format that this version does not know.")
    return block
