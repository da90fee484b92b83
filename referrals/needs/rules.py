"""The rows that decide, read once: facts, need rules with their windows, must-nots.

They lie in data/rules.toml and data/must-nots.toml, each with its source in data/sources.toml. A row that
names something nobody knows stops the start. Knows no incident, no case and no clock.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from referrals.needs.codes import MUST_NOTS, URGENCIES
from reporting.errors import AmparoError
from reporting.vocabulary.codes import MAY_BE_NOT_ASKED, NOT_ASKED, VOCABULARY
from reporting.vocabulary.needs import NEEDS

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


class BadRule(AmparoError, ValueError):
    """A row that names something nobody knows. Said at the start, not in the middle of a case."""


_CONDITION_KEYS: Final = frozenset({"all", "any", "none", "after", "until", "signs_after", "signs_until"})
ANSWERS: Final = {  # field -> what a missing answer is read as
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
    parts = {key: row[key] for key in _CONDITION_KEYS & row.keys()}
    for key in {"all", "any", "none"} & parts.keys():
        parts[key] = frozenset(parts[key])
        if not parts[key] <= known:
            raise BadRule(f"{row['id']}: unknown {', '.join(sorted(parts[key] - known))}")
    return Condition(**parts)


def _first_facts() -> set[str]:
    """Everything an answer can turn into."""
    several = {code for field in ("violence", "perpetrator", "flags", "wants") for code in VOCABULARY[field]}
    single = {f"{field}:{code}" for field in ANSWERS for code in VOCABULARY[field]}
    silent = {f"{field}:{NOT_ASKED}" for field in MAY_BE_NOT_ASKED}
    return several | single | silent | _TIMELESS


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
ROWS: Final = _data("rules.toml")
_KNOWN: Final = _first_facts()
FACTS: Final = tuple(_read_facts(ROWS["fact"], _KNOWN))
RULES: Final = tuple(_read_rules(ROWS["rule"], _KNOWN))
RECORD_ONLY: Final = _read_record_only(ROWS["record_only"])
MUST_NOT_ROWS: Final = tuple(_read_must_nots(_data("must-nots.toml")["must_not"], _KNOWN | {RECORD_ONLY.id}))


def _limits(*names: str) -> tuple[float, ...]:
    """The hours at which something changes, in order."""
    bounds = {getattr(rule.condition, name) for rule in RULES for name in names}
    return tuple(sorted(bound for bound in bounds if 0 <= bound < float("inf")))


LIMITS: Final = _limits("after", "until")  # hours since the act
SIGN_LIMITS: Final = _limits("signs_after", "signs_until")  # hours since she told how she is right now
CLOSES: Final = {(rule.id, rule.need): rule.closes for rule in RULES if rule.closes is not None}
RANK: Final = {urgency: rank for rank, urgency in enumerate(URGENCIES)}
ORDER: Final = {code: order for order, code in enumerate(NEEDS)}
EDITION: Final = 2  # of how rows are read: it goes up where the same rows come to mean something else
# the same for the same rules, whichever process asks: made from what was read, never from a set
STAMP: Final = hashlib.sha256(json.dumps([EDITION, ROWS, URGENCIES, list(NEEDS)]).encode()).hexdigest()[:16]
