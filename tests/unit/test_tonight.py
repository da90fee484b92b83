"""Plans for tonight: short, each line with a source, and never a line against a must-not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.help import tonight
from referrals.help.at_the_door import NO_SOURCES
from referrals.help.tonight import SITUATIONS, every_plan, plans_for
from referrals.needs.assessment import assess
from referrals.needs.codes import MUST_NOTS
from referrals.needs.rules import SOURCES
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Incident
from tests.unit.test_matching import peru

# must-not -> what a line may not say where it holds. Read from the words, not from what the row says of itself.
SAYS_AGAINST = {
    "MN_POLICE": r"(?:anda|ve|acude|llama|denuncia) [^.]*(?:polic|comisar|\b105\b|\b111\b|\b1818\b)",
    "MN_CEM_COMISARIA": r"\bCEM\b",
    "MN_SAME_STATION": r"comisar",
    "MN_REQUIRE_ID": r"\bDNI\b|documento",
    "MN_MIGRATION_AUTH": r"migraciones",
    "MN_OUT": r"trabajo sexual|cuenta (?:en qué|lo que) trabajas|tu VIH",
    "MN_NOTIFY_FAMILY": r"famil|mam[aá]|pap[aá]|tus padres|tu pareja",
    "MN_MEDIATION": r"concili|arregl|conversa con (?:él|quien)|habla con (?:él|quien)",
    "MN_PROMISE_SECRECY": r"nadie (?:lo )?sabrá|en secreto",
    "MN_RESCUE": r"rescat|operativo",
    "MN_REQUIRE_REPORT": r"tienes que denunciar|debes denunciar",
    "MN_AUTO_REPORT": r"avisaremos|denunciaremos",
    "MN_CONTACT_BACK": r"te llamaremos|te escribiremos",
    "MN_CREATE_REFERRAL": r"te derivamos|te enviamos",
    "MN_DELAY_CARE": r"antes de (?:curarte|atenderte)|no te (?:bañes|laves)",
    "MN_PEP_PROMISE": r"\bPEP\b|VIH",
    "MN_EC_PROMISE": r"pastilla|anticoncep",
    "MN_DEADNAME": r"nombre del DNI",
    "MN_ASSUME_BODY": r"embarazo|regla",
}


def codes(name: str, most: int = 3) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(sorted(VOCABULARY[name])), max_size=most)


def code(name: str) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(sorted(VOCABULARY[name]))


incidents = st.builds(
    Incident,
    violence=codes("violence"),
    perpetrator=codes("perpetrator"),
    flags=codes("flags", 4),
    wants=codes("wants"),
    age=code("age"),
    identity=code("identity"),
    docs=code("docs"),
    police_safe=code("police_safe"),
    venue=code("venue"),
    migrant=st.none() | st.booleans(),
    ongoing=st.none() | st.booleans(),
    hours=st.none() | st.floats(0, 2000).map(lambda hours: (hours, hours)),
)


@settings(max_examples=500)
@given(incidents)
def test_no_line_of_any_plan_breaks_a_must_not(incident: Incident) -> None:
    held = assess(incident).must_not
    rows = {row["id"]: row for row in tonight.plan_rows()}
    for plan in plans_for(peru(), incident):
        assert 0 < len(plan.lines) <= tonight.MOST
        for line in plan.lines:
            assert not held & set(rows[line.id].get("breaks", ()))
            for must_not in held & SAYS_AGAINST.keys():
                assert not re.search(SAYS_AGAINST[must_not], line.texts["es"], re.IGNORECASE), (must_not, line.id)


def test_every_must_not_has_words_to_look_for() -> None:
    assert SAYS_AGAINST.keys() == MUST_NOTS.keys()


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_plan_has_eight_to_ten_lines_each_with_a_source_that_was_seen(situation: str) -> None:
    plan = next(plan for plan in every_plan(peru()) if plan.situation == situation)
    assert 8 <= len(plan.lines) <= tonight.MOST
    for line in plan.lines:
        assert set(line.sources) - NO_SOURCES
        assert all("seen" in SOURCES[source] for source in line.sources)


def test_a_situation_is_read_from_what_she_told_and_from_nothing_else() -> None:
    assert plans_for(peru(), Incident()) == ()
    her = Incident(perpetrator=frozenset({"PARTNER"}), flags=frozenset({"S_CHILDREN"}))
    assert [plan.situation for plan in plans_for(peru(), her)] == ["partner", "children"]


def test_papers_are_named_only_to_who_has_them() -> None:
    her = Incident(perpetrator=frozenset({"PARTNER"}), docs="DNI")
    for docs, named in (("DNI", True), ("NONE", False), ("MISMATCH", False)):
        lines = {line.id for plan in plans_for(peru(), replace(her, docs=docs)) for line in plan.lines}
        assert ("documents" in lines) is named


def test_a_number_is_that_of_the_directory_and_its_line_goes_where_it_refused_her() -> None:
    her = Incident(perpetrator=frozenset({"POLICE"}))
    texts = {line.id: line.texts["es"] for plan in plans_for(peru(), her) for line in plan.lines}
    assert peru().service("defensoria").phone in texts["ombudsman"]
    refused = replace(her, refused_by=frozenset({"defensoria"}))
    assert "ombudsman" not in {line.id for plan in plans_for(peru(), refused) for line in plan.lines}


def test_the_law_of_peru_is_no_line_of_another_country() -> None:
    elsewhere = replace(peru(), cards=replace(peru().cards, country="KE"))
    words = " ".join(line.texts["es"] for plan in every_plan(elsewhere) for line in plan.lines)
    assert words
    assert not re.search(r"fiscal|Defensor|celda|\d", words)
