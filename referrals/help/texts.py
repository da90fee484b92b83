"""What is said about a need beside its offers: what she should know, what it is called in her words, the child policy.

Reads reviewed data of referrals/data. Knows no service.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from referrals.directory.reviewed_data import DATA
from referrals.help.right_person import is_for_another
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.places import FIRST_HOME
from reporting.vocabulary.relevance import of_a_companion

Words = Mapping[str, str]  # language -> text


@cache
def need_words() -> Mapping[str, Mapping[str, Any]]:
    """Need -> what it is called in her words, by language, and the `words` that people use for it."""
    return tomllib.loads((DATA / "need-words.toml").read_text(encoding="utf-8"))


@cache
def need_names(*, of_another: bool = False) -> Mapping[str, Words]:
    """Need -> what it is called in her words, by language; `of_another`: as it is said for another person."""
    return {need: row.get("another", row) if of_another else row for need, row in need_words().items()}


@cache
def need_texts(country: str = FIRST_HOME) -> Mapping[str, Mapping[str, Any]]:
    """What she should know about a need, in her language, with its sources. The law of another country is left out."""
    texts = tomllib.loads((DATA / "need-texts.toml").read_text(encoding="utf-8"))
    return {need: text for need, text in texts.items() if text.get("country", country) == country}


def about_need(code: str, incident: Incident, country: str = FIRST_HOME) -> Mapping[str, Any]:
    """What she should know about a need, in every language; nothing where there is no text.

    Where a companion was killed or is missing, or it is for another person, a need may have words of its own for that.
    """
    texts, state = need_texts(country).get(code, {}), "killed" if incident.victim_state == "killed" else "missing"
    named = (state, "companion") if of_a_companion(incident) else ("another",) if is_for_another(incident) else ()
    own: Mapping[str, Any] | None = next((texts[name] for name in named if name in texts), None)
    return own or (texts if "es" in texts else {})


IN_THE_FIRST_DAYS = ("N_PEP", "N_EC")  # needs of which a few hours decide, whatever was told


@dataclass(frozen=True, slots=True)
class FirstDays:
    """What only helps in the first days, in her language; said where nothing is known of what happened."""

    sentences: tuple[str, ...]
    signed: bool


def first_days(language: str, country: str = FIRST_HOME) -> FirstDays:
    """The texts of the needs with the shortest windows."""
    texts = [need_texts(country)[need] for need in IN_THE_FIRST_DAYS if need in need_texts(country)]
    sentences = tuple(text.get(language) or text["es"] for text in texts)
    return FirstDays(sentences, all(text["reviewer"] for text in texts))


@cache
def _after_the_window() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((DATA / "after-the-window.toml").read_text(encoding="utf-8"))


def after_the_window(code: str) -> tuple[str, ...]:
    """The needs that still help when the time for this one is past, in order; none where nobody wrote any down."""
    return tuple(_after_the_window().get(code, {}).get("helps", ()))


@cache
def her_case_texts() -> Mapping[str, Any]:
    """What her page says of a closed case (`closed`, `outcome`) and of how a referral ended (`ended`), by language."""
    return tomllib.loads((DATA / "her-case.toml").read_text(encoding="utf-8"))


def case_texts_signed() -> bool:
    """Whether somebody has signed all that her page says of her case and of what still helps."""
    return bool(her_case_texts()["reviewer"]) and all(row["reviewer"] for row in _after_the_window().values())


@cache
def _child_policy() -> Mapping[str, Any]:
    return tomllib.loads((DATA / "child-policy.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class ChildPolicy:
    """What somebody under 18 is told before she writes. `signed`: whether a lawyer has."""

    title: str
    paragraphs: tuple[str, ...]
    signed: bool


def child_policy(language: str, country: str = FIRST_HOME) -> ChildPolicy:
    """What somebody under 18 is told before she writes, with the lines of her country, and whether it is signed."""
    policy = _child_policy()
    known = language if language in policy else "es"
    words, lines = policy[known], policy.get(country, {}).get(known, {}).get("paragraphs", ())
    return ChildPolicy(words["title"], (*words["paragraphs"], *lines), bool(policy["reviewer"]))
