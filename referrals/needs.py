"""What a person may need, how soon, and what must not be done: rules as rows of data, read once.

The rows lie in data/rules.toml and data/must-nots.toml, each with its source in data/sources.toml. The room
is handed an incident as it is at the moment of looking and knows no case, no directory and no clock. A missing answer
never lowers an urgency; an unknown time is at least as long ago as it was told.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Final, Protocol

from reporting.incidents import (
    ADULT_AGES,
    MINOR_AGES,
    N_,
    VOCABULARY,
    Incident,
    gbvims_core,
)

URGENCIES: Final = ("NOW", "H24", "H72", "H120", "SOON", "READY")  # the most urgent first
URGENCY_LABELS: Final = {
    "NOW": N_("Now"),
    "H24": N_("Within 24 hours"),
    "H72": N_("Within 3 days"),
    "H120": N_("Within 5 days"),
    "SOON": N_("In the next two weeks"),
    "READY": N_("When you want"),
}

NEEDS: Final = {
    "N_EMERG_MED": N_("Emergency care"),
    "N_CRISIS_MH": N_("Help when you think of ending your life"),
    "N_MISSING": N_("The search for somebody missing"),
    "N_CHILD_PROT": N_("Protection for people under 18"),
    "N_PEP": N_("Medicine that can prevent HIV (PEP)"),
    "N_EC": N_("Emergency contraception"),
    "N_STI": N_("Tests and treatment for infections from sex"),
    "N_HEPB": N_("Hepatitis B vaccine"),
    "N_WOUND": N_("Care for wounds, and tetanus"),
    "N_MED_CHECK": N_("A health check"),
    "N_PREG": N_("Pregnancy test, options and care"),
    "N_TRAFFICKING": N_("Help to get out of forced work"),
    "N_SAFETY_PLAN": N_("A plan to be safer"),
    "N_SHELTER": N_("A safe place to stay"),
    "N_FORENSIC": N_("Medico-legal exam, if you choose it"),
    "N_LEGAL_STATE": N_("Legal help against an authority"),
    "N_PROTECTION": N_("Protection measures from a family court"),
    "N_REPORT_ROUTE": N_("Company to choose where to report"),
    "N_LEGAL_INFO": N_("Legal advice"),
    "N_PFA": N_("Somebody who listens and supports"),
    "N_COUNSEL": N_("Counselling"),
    "N_DIGITAL": N_("Digital safety"),
    "N_PEER": N_("Companions and their organisations"),
    "N_DOCS": N_("Help with papers"),
    "N_ECON": N_("Economic support"),
    "N_SERVICE_COMPLAINT": N_("A complaint about a service"),
}  # the order is also the order of needs of one urgency: care and safety before an exam

MUST_NOTS: Final = {
    "MN_POLICE": N_("No police and no line run by the police, unless she asks for it in words"),
    "MN_CEM_COMISARIA": N_("No emergency centre that sits inside a police station"),
    "MN_SAME_STATION": N_("Not at the station or unit of the agent who did it"),
    "MN_AUTO_REPORT": N_("Report or send nothing without her consent"),
    "MN_REQUIRE_REPORT": N_("Never make care depend on a complaint"),
    "MN_DELAY_CARE": N_("Do not delay care for an exam or for papers"),
    "MN_REQUIRE_ID": N_("Never make help depend on an identity document"),
    "MN_MIGRATION_AUTH": N_("No contact with the migration office, and no advice to get papers first"),
    "MN_OUT": N_("Never reveal sex work, gender identity or HIV to anybody"),
    "MN_DEADNAME": N_("Use the name and gender she chose; no service known to be hostile to trans people"),
    "MN_ASSUME_BODY": N_("Do not guess from identity what her body can do; use her answer"),
    "MN_MEDIATION": N_("No conciliation and no joint meeting with the aggressor"),
    "MN_PEP_PROMISE": N_("Do not promise PEP after 72 hours"),
    "MN_EC_PROMISE": N_("Do not promise emergency contraception after 120 hours"),
    "MN_CONTACT_BACK": N_("No call, no message, no e-mail to her"),
    "MN_PROMISE_SECRECY": N_("Do not promise absolute secrecy to a person under 18; explain the limits first"),
    "MN_NOTIFY_FAMILY": N_("Do not tell parents, guardian or partner"),
    "MN_RESCUE": N_("Do not treat an adult who works by choice as trafficked; no rescue operation"),
    "MN_CREATE_REFERRAL": N_("Do not create or send a referral"),
}
UNIVERSAL: Final = frozenset({"MN_AUTO_REPORT", "MN_REQUIRE_REPORT", "MN_MEDIATION", "MN_OUT"})  # hold even unlisted


@dataclass(frozen=True, slots=True)
class Need:
    """One need: how soon, which rules say so, and the hours until its medical window closes."""

    code: str
    urgency: str
    rules: tuple[str, ...]
    information_only: bool = False
    hours_left: float | None = None  # None: no window, or an unknown time


@dataclass(frozen=True, slots=True)
class Assessment:
    """What follows from an incident. Needs come the most urgent first."""

    gbvims: str
    create_referral: bool
    needs: tuple[Need, ...]
    must_not: frozenset[str]


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────

Facts = set[str]
_EMPTY: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Condition:
    """All of these, at least one of those, none of the others, and a time in the window."""

    all: frozenset[str] = _EMPTY
    any: frozenset[str] = _EMPTY
    none: frozenset[str] = _EMPTY
    after: float = -1.0  # hours
    until: float = float("inf")  # hours; the limit itself is inside
    signs_after: float = -1.0  # the same, since she told how she is right now
    signs_until: float = float("inf")

    def holds(self, facts: Facts, hour: float, signs_ago: float) -> bool:
        """Whether the row applies so many hours after the act, and so many after she told how she is right now."""
        return (
            self.all <= facts
            and (not self.any or not self.any.isdisjoint(facts))
            and self.none.isdisjoint(facts)
            and self.after < hour <= self.until
            and self.signs_after < signs_ago <= self.signs_until
        )


@dataclass(frozen=True, slots=True)
class Fact:
    """A row that makes a fact from facts. Rows of one id are ways to the same fact."""

    id: str
    condition: Condition
    why: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of rules.toml."""

    id: str
    need: str
    urgency: str
    condition: Condition
    closes: float | None  # hours after which the medical window is over
    says: str
    why: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MustNot:
    """A row of must-nots.toml."""

    id: str
    condition: Condition
    why: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordOnly:
    """What happens when only a record is wanted."""

    id: str
    when: str
    keeps: frozenset[str]
    says: str
    why: str
    sources: tuple[str, ...]


class BadRule(ValueError):
    """A row that names something nobody knows. Said at the start, not in the middle of a case."""


_CONDITION_KEYS: Final = frozenset({"all", "any", "none", "after", "until", "signs_after", "signs_until"})
_ANSWERS: Final = {  # field -> what a missing answer is read as
    "identity": "",
    "age": "",
    "docs": "",
    "extortion_act": "unknown",
    "contact": "unknown",
    "victim_state": "unknown",
    "hurt_too": "unknown",
    "condom": "unknown",
    "pregnant_possible": "unsure",
    "police_safe": "unsure",
}
_TIMELESS: Final = frozenset({"ongoing", "migrant:yes", "migrant:no", "migrant:unknown"})


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("referrals").joinpath("data", name).read_text("utf-8"))


def _condition(row: Mapping[str, Any], known: set[str]) -> Condition:
    told = {key: row[key] for key in _CONDITION_KEYS & row.keys()}
    for key in {"all", "any", "none"} & told.keys():
        told[key] = frozenset(told[key])
        if not told[key] <= known:
            raise BadRule(f"{row['id']}: unknown {', '.join(sorted(told[key] - known))}")
    return Condition(**told)


def _first_facts() -> set[str]:
    """Everything an answer can turn into."""
    several = {code for field in ("violence", "perpetrator", "flags", "wants") for code in VOCABULARY[field]}
    single = {f"{field}:{code}" for field in _ANSWERS for code in VOCABULARY[field]}
    return several | single | _TIMELESS


def _checked(row: Mapping[str, Any], allowed: Iterable[str]) -> None:
    strange = row.keys() - _CONDITION_KEYS - {"id", "why", "sources"} - set(allowed)
    if strange or not row["sources"] or not set(row["sources"]) <= SOURCES.keys():
        raise BadRule(f"{row['id']}: unknown key or source {sorted(strange)}")


def _read_facts(rows: Iterable[Mapping[str, Any]], known: set[str]) -> Iterator[Fact]:
    for row in rows:
        _checked(row, ())
        yield Fact(row["id"], _condition(row, known), row["why"], tuple(row["sources"]))
        known.add(row["id"])


def _read_rules(rows: Iterable[Mapping[str, Any]], known: set[str]) -> Iterator[Rule]:
    for row in rows:
        _checked(row, ("need", "urgency", "says", "closes"))
        if row["need"] not in NEEDS or row["urgency"] not in URGENCIES:
            raise BadRule(f"{row['id']}: unknown need or urgency")
        known |= {row["need"], row["id"]}
        condition, sources = _condition(row, known), tuple(row["sources"])
        yield Rule(
            row["id"],
            row["need"],
            row["urgency"],
            condition,
            row.get("closes"),
            row["says"],
            row["why"],
            sources,
        )


def _read_must_nots(rows: Iterable[Mapping[str, Any]], known: set[str]) -> Iterator[MustNot]:
    for row in rows:
        _checked(row, ())
        if row["id"] not in MUST_NOTS:
            raise BadRule(f"{row['id']}: unknown must-not")
        yield MustNot(row["id"], _condition(row, known), row["why"], tuple(row["sources"]))


def _read_record_only(row: Mapping[str, Any]) -> RecordOnly:
    _checked(row, ("when", "keeps", "says"))
    if not set(row["keeps"]) <= NEEDS.keys():
        raise BadRule(f"{row['id']}: unknown need")
    return RecordOnly(row["id"], row["when"], frozenset(row["keeps"]), row["says"], row["why"], tuple(row["sources"]))


SOURCES: Final[dict[str, dict[str, Any]]] = _data("sources.toml")
_ROWS: Final = _data("rules.toml")
_KNOWN: Final = _first_facts()
FACTS: Final = tuple(_read_facts(_ROWS["fact"], _KNOWN))
RULES: Final = tuple(_read_rules(_ROWS["rule"], _KNOWN))
RECORD_ONLY: Final = _read_record_only(_ROWS["record_only"])
MUST_NOT_ROWS: Final = tuple(_read_must_nots(_data("must-nots.toml")["must_not"], _KNOWN | {RECORD_ONLY.id}))


def _limits(*names: str) -> tuple[float, ...]:
    """The hours at which something changes, in order."""
    bounds = {getattr(rule.condition, name) for rule in RULES for name in names}
    return tuple(sorted(bound for bound in bounds if 0 <= bound < float("inf")))


LIMITS: Final = _limits("after", "until")  # hours since the act
SIGN_LIMITS: Final = _limits("signs_after", "signs_until")  # hours since she told how she is right now
_CLOSES: Final = {(rule.id, rule.need): rule.closes for rule in RULES if rule.closes is not None}
_RANK: Final = {urgency: rank for rank, urgency in enumerate(URGENCIES)}
_ORDER: Final = {code: order for order, code in enumerate(NEEDS)}
EDITION: Final = 2  # of how rows are read: it goes up where the same rows come to mean something else
# the same for the same rules, whichever process asks: made from what was read, never from a set
STAMP: Final = hashlib.sha256(json.dumps([EDITION, _ROWS, URGENCIES, list(NEEDS)]).encode()).hexdigest()[:16]

# ── the assessment ──────────────────────────────────────────────────────────────────────────────────────────


def facts_of(incident: Incident) -> Facts:
    """Answers as facts, with the careful reading of what was passed over, and the facts made from them."""
    facts = {*incident.violence, *incident.perpetrator, *incident.flags, *incident.wants}
    for field, careful in _ANSWERS.items():
        facts.add(f"{field}:{getattr(incident, field) or careful}")
    if incident.ongoing is not False:
        facts.add("ongoing")
    facts.add("migrant:unknown" if incident.migrant is None else f"migrant:{'yes' if incident.migrant else 'no'}")
    for fact in FACTS:
        if fact.condition.holds(facts, 0.0, 0.0):
            facts.add(fact.id)
    return facts


def refused_care(incident: Incident) -> bool:
    """A service refused or hurt her: health needs with a window go to a different provider."""
    return "refused_care" in facts_of(incident)


def assess(incident: Incident) -> Assessment:
    """Needs and must-nots of an incident. A range of hours is looked at wherever something changes in it."""
    facts, fired = facts_of(incident), []
    for hour in _moments(incident):
        fired += _fired(facts.copy(), hour, incident.signs_ago)
    needs = _merged(fired, incident.hours)
    facts.update(rule.need for rule in fired)
    facts.update(rule.id for rule in fired)
    record_only = RECORD_ONLY.when in facts
    if record_only:
        needs = [_lowered(need) for need in needs]
        facts.add(RECORD_ONLY.id)
    needs.sort(key=lambda need: (_RANK[need.urgency], _ORDER[need.code]))
    earliest = incident.hours[0] if incident.hours else incident.told_ago
    must_not = frozenset(row.id for row in MUST_NOT_ROWS if row.condition.holds(facts, earliest, incident.signs_ago))
    return Assessment(gbvims_core(incident), not record_only, tuple(needs), must_not)


def _moments(incident: Incident) -> list[float]:
    """The hours to look at. Nothing changes between two limits; a limit belongs to what lies before it.

    An unknown time is at least as long ago as it was told. Every window that may be open at that hour is the most
    urgent one that may still be open: to look at that hour alone is enough.
    """
    if incident.hours is None:
        return [incident.told_ago]
    earliest, latest = incident.hours
    if earliest == latest:
        return [latest]
    return [*(limit for limit in LIMITS if earliest <= limit < latest), latest]


def _fired(facts: Facts, hour: float, signs_ago: float) -> list[Rule]:
    """The rules that apply at one moment, in order. What fires becomes a fact for the rows below."""
    fired: list[Rule] = []
    done: set[tuple[str, str]] = set()
    for rule in RULES:
        if rule.condition.holds(facts, hour, signs_ago) and (rule.id, rule.need) not in done:
            done.add((rule.id, rule.need))
            fired.append(rule)
            facts.add(rule.need)
            facts.add(rule.id)
    return fired


def _merged(fired: Iterable[Rule], hours: tuple[float, float] | None) -> list[Need]:
    """One need for each code: the most urgent wins, and every rule that gave it is named."""
    urgency: dict[str, str] = {}
    rules: dict[str, dict[str, None]] = {}
    for rule in fired:
        if rule.need not in urgency or _RANK[rule.urgency] < _RANK[urgency[rule.need]]:
            urgency[rule.need] = rule.urgency
        rules.setdefault(rule.need, {})[rule.id] = None
    return [
        Need(code, urgency[code], tuple(rules[code]), hours_left=_hours_left(code, rules[code], hours))
        for code in urgency
    ]


def _hours_left(code: str, rules: Iterable[str], hours: tuple[float, float] | None) -> float | None:
    closes = [_CLOSES[rule, code] for rule in rules if (rule, code) in _CLOSES]
    if hours is None or not closes:
        return None
    return max(0.0, min(closes) - hours[1])


def _lowered(need: Need) -> Need:
    """Only a record is wanted: what can wait, waits, and everything is information."""
    if need.urgency in {"NOW", "READY"} or need.code in RECORD_ONLY.keeps:
        return replace(need, information_only=True)
    return replace(need, urgency="READY", rules=(*need.rules, RECORD_ONLY.id), information_only=True)


def sentences(need: Need, incident: Incident) -> tuple[str, ...]:
    """What a case worker reads about a need: the words of the rows that gave it."""
    facts = facts_of(incident)
    fired = {rule for hour in _moments(incident) for rule in _fired(facts.copy(), hour, incident.signs_ago)}
    return tuple(rule.says for rule in RULES if rule.need == need.code and rule in fired)


# ── what an offer may not be ────────────────────────────────────────────────────────────────────────────────


class OfferedService(Protocol):
    """What the room needs to know of a service. Three-valued answers are yes, no or unknown."""

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
CHILD_TYPES_TO_KNOW: Final = frozenset(_ROWS["offers"]["ask_first_for_minors"])  # types not open by nature to children
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


def forbidden(service: OfferedService, must_not: frozenset[str], incident: Incident, *,
              police_shown: bool = False) -> str | None:  # fmt: skip
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
