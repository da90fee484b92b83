"""A sheet for a doctor, made of what she ticks: which questions there are, and what stands on it.

The words are reviewed data. Nothing of it is kept, here or anywhere; no name is asked for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from referrals.directory.reviewed_data import DATA
from reporting.vocabulary.incident import Incident

# (hours at most, what she would tick), in order; beyond the last one it was later
SINCE: Final = ((24, "since_24"), (72, "since_72"), (120, "since_120"))
LATER, UNKNOWN, TOLD = "since_later", "since_unknown", "since_told"
FEWEST: Final = 2  # hours that are said as a number; below it is "less than 24"
PREGNANCY: Final = {
    "yes": "pregnancy_yes",
    "no": "pregnancy_no",
    "unsure": "pregnancy_unsure",
    "pregnant": "pregnancy_now",
}


@dataclass(frozen=True, slots=True)
class Option:
    """Something to tick: in her words by language, and as the doctor reads it."""

    code: str
    words: Mapping[str, str]
    sheet: str
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """A question about the sheet. `many`: several may be ticked."""

    name: str
    words: Mapping[str, str]
    heading: str
    many: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class DoctorSheet:
    """A sheet as it is read: headings with what was ticked under each; and whether a clinician has signed the words."""

    words: Mapping[str, str]
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    signed: bool


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads((DATA / "doctor-sheet.toml").read_text(encoding="utf-8"))


def rows() -> tuple[Mapping[str, Any], ...]:
    """The questions as they are written, with their sources."""
    return tuple(_data()["group"])


@cache
def groups() -> tuple[Group, ...]:
    """The questions, in the order of the sheet."""
    return tuple(
        Group(
            row["name"],
            {"es": row["es"], "en": row["en"]},
            row["sheet"],
            row.get("many", False),
            tuple(
                Option(
                    option["code"],
                    {"es": option["es"], "en": option["en"]},
                    option["sheet"],
                    frozenset(option.get("needs", ())),
                )
                for option in row["option"]
            ),
        )
        for row in rows()
    )


def groups_with(hours: int | None) -> tuple[Group, ...]:
    """The questions with so many whole hours as an answer; without that answer where they are not known."""
    return tuple(
        replace(group, options=tuple(_with(option, hours) for option in group.options if hours or option.code != TOLD))
        for group in groups()
    )


def _with(option: Option, hours: int | None) -> Option:
    if option.code != TOLD:
        return option
    words = {language: text.format(hours=hours) for language, text in option.words.items()}
    return replace(option, words=words, sheet=option.sheet.format(hours=hours))


def sheet_of(ticked: Collection[str], hours: int | None = None) -> DoctorSheet:
    """The sheet with what she ticked, in the order of the questions, and nothing else."""
    parts = (
        (group.heading, tuple(option.sheet for option in group.options if option.code in ticked))
        for group in groups_with(hours)
    )
    return DoctorSheet(_data()["words"], tuple(part for part in parts if part[1]), is_signed())


def is_signed() -> bool:
    """Whether a clinician has signed the words of the sheet."""
    return bool(_data()["reviewer"])


def beforehand(incident: Incident, needs: Iterable[str]) -> frozenset[str]:
    """What is ticked for her when the sheet is made in her visit, from what she told; never anything about work."""
    held = set(needs)
    asked_for = {option.code for group in groups() for option in group.options if option.needs & held}
    pregnancy = PREGNANCY.get(incident.pregnant_possible or "")
    return frozenset({*asked_for, _since(incident), *([pregnancy] if pregnancy else [])})


def exact_hours(incident: Incident) -> int | None:
    """Whole hours since it happened, where she told them exactly; None where she told a range or nothing."""
    earliest, latest = incident.hours or (0.0, 1.0)
    return int(earliest) if earliest == latest and earliest >= FEWEST else None


def _since(incident: Incident) -> str:
    """The hours that she told exactly; else the band, if both ends lie in one."""
    if exact_hours(incident):
        return TOLD
    bands = {_band(hours) for hours in incident.hours or ()}
    return bands.pop() if len(bands) == 1 else UNKNOWN


def _band(hours: float) -> str:
    return next((code for limit, code in SINCE if hours <= limit), LATER)
