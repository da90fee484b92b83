"""Tables that a new question, need or rule has to be entered in: what is left out of one of them fails here."""

from __future__ import annotations

import tomllib
from dataclasses import fields

from referrals.needs import rulebook, rules
from reporting.config import ROOT
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.wording import FACTS

# fields of an incident that no row of its own shows
SHOWN_WITH_HOURS = {"told_twice"}
KNOWN_AT_THE_MOMENT_OF_LOOKING = {"told_ago", "signs_ago"}


def codes_in_rules() -> set[str]:
    """Every fact, code and answer that a row of the rules or of the must-nots names."""
    rows = (*rules.FACTS, *rules.RULES, *rules.MUST_NOT_ROWS)
    return set().union(*(row.condition.all | row.condition.any | row.condition.none for row in rows))


def test_whatever_an_incident_holds_is_shown_to_who_reads_it() -> None:
    held = {field.name for field in fields(Incident)}
    assert held - SHOWN_WITH_HOURS - KNOWN_AT_THE_MOMENT_OF_LOOKING == FACTS.keys()


def test_every_answer_that_a_rule_names_has_its_words_and_a_reading_of_silence() -> None:
    named = {code.partition(":")[0] for code in codes_in_rules() - rulebook.FACTS.keys() if ":" in code}
    assert named <= rules.ANSWERS.keys()
    assert rulebook.FIELDS.keys() == rules.ANSWERS.keys()


def test_every_fact_that_is_made_has_its_words_on_the_page_of_rules() -> None:
    assert {row.id for row in rules.FACTS} <= rulebook.FACTS.keys()
    printed = [*rulebook.definitions(), *rulebook.rules(), *rulebook.must_nots()]
    assert not [row.id for row in printed if not row.title and row.id != rules.RECORD_ONLY.id]


def test_every_need_is_served_by_some_type_of_service_and_no_type_serves_what_is_no_need() -> None:
    types = tomllib.loads((ROOT / "referrals/data/service-types.toml").read_text("utf-8"))
    assert {need for row in types.values() for need in row["needs"]} == NEEDS.keys()
