"""Plans that are filled in together with her: the versions of a safety plan and of a case plan, and who may see them.

A plan is filled in again and never changed: every version stays as long as the case. Knows no case file and no act.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol, Self

from reporting.vocabulary.person import OTHER

SAFETY_PLAN, CASE_PLAN = "safety_plan", "case_plan"  # kinds of record
PLANS: Final = (SAFETY_PLAN, CASE_PLAN)
SHOW_PLAN = "C_PLAN"  # her yes: her page shows the newest safety plan


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A plan as a case worker (`by`) filled it in with her, once: a safety plan or a case plan, by its `kind`.

    `hour` counts since 1970. `words`: name of a field -> what was written there. `review`: the day on which they look
    at it again. `seen_by`: the second case worker who has looked at it, and the hour; 0 where nobody has.
    """

    id: int
    kind: str
    by: int
    hour: int
    words: Mapping[str, str] = field(repr=False)
    review: date | None = None
    seen_by: int = 0
    seen_at: int = 0

    @classmethod
    def from_content(cls, number: int, kind: str, content: Mapping[str, Any]) -> Self:
        """The version that the record of this number holds."""
        review, seen = content.get("review"), content.get("seen", {})
        return cls(
            number,
            kind,
            content["by"],
            content["hour"],
            content["words"],
            date.fromisoformat(review) if review else None,
            seen.get("by", 0),
            seen.get("hour", 0),
        )


class OpenedRecord(Protocol):
    """A record of a case that lies open."""

    @property
    def number(self) -> int: ...
    @property
    def content(self) -> dict[str, Any]: ...


def versions_in(all_of: Callable[[str], Iterable[OpenedRecord]]) -> dict[str, tuple[PlanVersion, ...]]:
    """Kind of plan -> its versions, the newest last. `all_of`: the records of a kind in a case that lies open."""
    return {
        kind: tuple(PlanVersion.from_content(each.number, kind, each.content) for each in all_of(kind))
        for kind in PLANS
    }


def is_by_herself(*about: str | None) -> bool:
    """Whether a report is hers who told it, at first and as it stands. No plan is shown to who told for another."""
    return OTHER not in about


def may_show(consents: Collection[str], facts: Mapping[str, Any], about: str | None) -> bool:
    """Whether her page may show the safety plan: she said yes, and who comes back is she herself, not who told for her.

    `facts`: the record of the report; `about`: whom it is about as it stands now.
    """
    is_hers = is_by_herself(about, facts["answers"].get("about"))
    return SHOW_PLAN in consents and is_hers and not facts["unseen"]


def next_review(*plans: Sequence[PlanVersion]) -> date | None:
    """The next day on which plans of a case are to be looked at again; None where no such day is set.

    Of each plan, which is given with all its versions, the newest counts. The day may have passed: then it is overdue.
    """
    days = [versions[-1].review for versions in plans if versions]
    return min((day for day in days if day is not None), default=None)


def wait_for_second(*plans: Sequence[PlanVersion]) -> tuple[PlanVersion, ...]:
    """The newest version of each plan, where no second case worker has looked at it."""
    return tuple(versions[-1] for versions in plans if versions and not versions[-1].seen_by)
