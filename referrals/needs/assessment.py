"""What follows from an incident: needs, how soon each, and what must not be done.

A missing answer never lowers an urgency. Is handed an incident; knows no case, no directory and no clock.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace

from referrals.needs.codes import Assessment, Need
from referrals.needs.rules import (
    ANSWERS,
    CLOSES,
    FACTS,
    LIMITS,
    MUST_NOT_ROWS,
    ORDER,
    RANK,
    RECORD_ONLY,
    RULES,
    Facts,
    Rule,
)
from reporting.vocabulary.gbvims import gbvims_core
from reporting.vocabulary.incident import Incident


def facts_of(incident: Incident) -> Facts:
    """Answers as facts, with the careful reading of what was passed over, and the facts made from them."""
    facts = {*incident.violence, *incident.perpetrator, *incident.flags, *incident.wants}
    for field, careful in ANSWERS.items():
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
    needs.sort(key=lambda need: (RANK[need.urgency], ORDER[need.code]))
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
        if rule.need not in urgency or RANK[rule.urgency] < RANK[urgency[rule.need]]:
            urgency[rule.need] = rule.urgency
        rules.setdefault(rule.need, {})[rule.id] = None
    return [
        Need(code, urgency[code], tuple(rules[code]), hours_left=_hours_left(code, rules[code], hours))
        for code in urgency
    ]


def _hours_left(code: str, rules: Iterable[str], hours: tuple[float, float] | None) -> float | None:
    closes = _closes(code, rules)
    return None if hours is None or closes is None else max(0.0, closes - hours[1])


def _closes(code: str, rules: Iterable[str]) -> float | None:
    """Hours after the act at which the window of a need closes, by the strictest of these rules; None without one."""
    return min((CLOSES[rule, code] for rule in rules if (rule, code) in CLOSES), default=None)


def window_runs(need: Need) -> bool:
    """Whether it runs out: a medical window that may be open, or help that is needed at once."""
    return need.urgency == "NOW" or _closes(need.code, need.rules) is not None


def surely_over(need: Need, incident: Incident) -> float | None:
    """Hours until its window is over even if it happened as late as it may have; None where it has no window."""
    closes = _closes(need.code, need.rules)
    return None if closes is None else closes - incident.at_least_ago


def past_windows(before: Incident, needed: Container[str]) -> tuple[str, ...]:
    """The needs with a window that was open `before`, when she told it, and that are not `needed` any more."""
    return tuple(need.code for need in assess(before).needs if window_runs(need) and need.code not in needed)


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
