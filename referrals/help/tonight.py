"""A plan for tonight: what she can do in her situation, line by line, each with a source and none against a must-not.

The lines are reviewed data, worked out anew whenever she looks. What she keeps is only their names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from referrals.directory.reviewed_data import DATA
from referrals.directory.snapshot import DirectorySnapshot
from referrals.help.at_the_door import is_sourced
from referrals.needs.assessment import assess
from referrals.needs.exclusions import forbidden
from reporting.i18n import N_
from reporting.vocabulary.codes import STATE_AGENTS
from reporting.vocabulary.incident import Incident

Names = Sequence[Sequence[Any]]  # of each: a situation, the names of its lines
MOST: Final = 10  # lines of one situation
# situation -> what it is called, in screen order
SITUATIONS: Final = {
    "partner": N_("Somebody at home hurts me"),
    "gang": N_("A group threatens me or makes me pay"),
    "police": N_("The police or another authority"),
    "online": N_("Photographs or threats online"),
    "children": N_("I have children with me"),
}
# situation -> whether an incident is one
_HOLDS: Final[Mapping[str, Callable[[Incident], bool]]] = {
    "partner": lambda i: bool(i.perpetrator & {"PARTNER", "FAMILY"}),
    "gang": lambda i: bool(i.perpetrator & {"CRIMINAL_GROUP", "THIRD_PARTY"}),
    "police": lambda i: bool(i.perpetrator & STATE_AGENTS),
    "online": lambda i: "OUTING" in i.violence or i.venue == "ONLINE",
    "children": lambda i: "S_CHILDREN" in i.flags,
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """Something to do tonight, in every language that it has; with where it comes from."""

    id: str
    texts: Mapping[str, str]
    sources: tuple[str, ...]
    signed: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The lines for one situation."""

    situation: str
    label: str
    lines: tuple[PlanLine, ...]

    @property
    def signed(self) -> bool:
        """Whether somebody of the field has signed every line."""
        return all(line.signed for line in self.lines)


@cache
def plan_rows() -> tuple[Mapping[str, Any], ...]:
    """The rows of tonight.toml as they are written."""
    return tuple(tomllib.loads((DATA / "tonight.toml").read_text(encoding="utf-8"))["row"])


def plans_for(snapshot: DirectorySnapshot, incident: Incident) -> tuple[Plan, ...]:
    """The plans for the situations that she told."""
    hers = [situation for situation, holds in _HOLDS.items() if holds(incident)]
    return tuple(_plan(snapshot, incident, situation) for situation in hers)


def every_plan(snapshot: DirectorySnapshot) -> tuple[Plan, ...]:
    """The plans for every situation, for somebody who told nothing: the careful must-nots hold."""
    return tuple(_plan(snapshot, Incident(), situation) for situation in SITUATIONS)


def kept_plans(snapshot: DirectorySnapshot, incident: Incident, kept: Names) -> tuple[Plan, ...]:
    """The plans that she keeps, in the words of today; a line that a must-not forbids by now is left out."""
    plans = (_plan(snapshot, incident, situation, set(names)) for situation, names in kept if situation in SITUATIONS)
    return tuple(plan for plan in plans if plan.lines)


def names_of(plans: Iterable[Plan]) -> Names:
    """What is kept of plans: each situation with the names of its lines."""
    return [[plan.situation, [line.id for line in plan.lines]] for plan in plans if plan.lines]


def _plan(snapshot: DirectorySnapshot, incident: Incident, situation: str, only: Collection[str] | None = None) -> Plan:
    must_not, country = assess(incident).must_not, snapshot.cards.country
    rows = [
        row
        for row in plan_rows()
        if situation in row["situations"]
        and row.get("country", country) == country
        and is_sourced(row)
        and not must_not & set(row.get("breaks", ()))
        and (only is None or row["id"] in only)
    ]
    lines = (_line(snapshot, incident, must_not, row) for row in rows)
    return Plan(situation, SITUATIONS[situation], tuple(line for line in lines if line)[:MOST])


def _line(
    snapshot: DirectorySnapshot, incident: Incident, must_not: frozenset[str], row: Mapping[str, Any]
) -> PlanLine | None:
    """A row with its number; None where the service that it names may not be offered, or has none."""
    number = ""
    if "line" in row:
        card = snapshot.cards.by_id.get(row["line"])
        if card is None or not card.tel or forbidden(card, must_not, incident):
            return None
        number = card.phone
    texts = {language: row[language].replace("{number}", number) for language in ("es", "en")}
    return PlanLine(row["id"], texts, tuple(row["sources"]), bool(row["reviewer"]))
