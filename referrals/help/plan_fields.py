"""What a safety plan and a case plan ask: the fields of each, with the question that is read aloud and an example.

Reviewed data of referrals/data. Knows no case and nothing of what was filled in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from referrals.directory.reviewed_data import DATA


@dataclass(frozen=True, slots=True)
class PlanField:
    """Something that a plan asks. `name` is how its words are kept; `words`: language -> label, prompt and example."""

    name: str
    words: Mapping[str, Mapping[str, str]]
    sources: tuple[str, ...]

    def label(self, language: str) -> str:
        """The heading of its words in a plan, in the language nearest to this one."""
        return self._in(language)["label"]

    def prompt(self, language: str) -> str:
        """The question that is read aloud."""
        return self._in(language)["prompt"]

    def example(self, language: str) -> str:
        """A sentence as she might say it."""
        return self._in(language)["example"]

    def _in(self, language: str) -> Mapping[str, str]:
        return self.words.get(language, self.words["es"])


@cache
def plan_data() -> Mapping[str, Any]:
    """The file plans.toml as it is written."""
    return tomllib.loads((DATA / "plans.toml").read_text(encoding="utf-8"))


@cache
def plan_fields(kind: str) -> tuple[PlanField, ...]:
    """The fields of a plan of this kind, in the order in which they are read aloud."""
    return tuple(
        PlanField(row["name"], {language: row[language] for language in ("es", "en")}, tuple(row["sources"]))
        for row in plan_data()[kind]["field"]
    )


def plans_signed() -> bool:
    """Whether somebody of the field has signed what the plans ask."""
    return bool(plan_data()["reviewer"])
