"""The second edition of the rules: each of its lines, with answers missing too, and the whole against a plain reading.

AMPARO_INCIDENTS sets how many incidents are drawn (20,000 were run by hand; a share of them each time).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import islice
from random import Random
from typing import Any

import pytest

from referrals.casework.queue import RULES_STAMP
from referrals.needs.assessment import assess
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Incident
from tests.plain_rules import EDGES, KEPT, assess_plainly
from tests.unit.test_needs import TYPICAL, told, urgencies

MANY = int(os.environ.get("AMPARO_INCIDENTS", "5000"))
MEDICAL = KEPT - {"N_CRISIS_MH", "N_MISSING", "N_CHILD_PROT", "N_SAFETY_PLAN"}
NO_CARE = dict.fromkeys(sorted(MEDICAL))
EXPOSED = {"N_PEP": "NOW", "N_EC": "H24", "N_STI": "H72", "N_HEPB": "H72"}
SAFE = dict.fromkeys(EXPOSED)

# ── each line, and what becomes of it when one answer is missing ────────────────────────────────────────────


def she(violence: str = "", flags: str = "", hours: object = 5, **answers: object) -> Incident:
    """An adult who can become pregnant; nothing goes on."""
    perpetrator, wants = str(answers.pop("who", "")), str(answers.pop("wants", ""))
    return told(violence, perpetrator, hours, flags, wants, **{"pregnant_possible": "yes", **answers})


Wanted = dict[str, str | None]
# what is said, the incident, what follows, and what follows when an answer is passed over
LINES: list[tuple[str, Incident, Wanted, dict[str, Wanted]]] = [
    (
        "(a) stealthing is exposure whatever was answered",
        she("STEALTHING", condom="yes"),
        EXPOSED,
        {"condom": EXPOSED, "pregnant_possible": EXPOSED},
    ),
    (
        "(b) a condom, and nothing against it",
        she("RAPE", condom="yes"),
        SAFE | {"N_MED_CHECK": "H24", "N_STI": "H72"},
        {"condom": EXPOSED},
    ),
    *(
        (f"(b) a condom, but {flag}", she("RAPE", flag, condom="yes"), EXPOSED, {"condom": EXPOSED})
        for flag in ("I_GENITAL", "D_BLEEDING", "D_DRUGGED", "D_UNCONSCIOUS")
    ),
    (
        "(b) a condom and another wound",
        she("RAPE", "I_WOUND D_SEVERE_PAIN", condom="yes"),
        {"N_PEP": None},
        {"condom": EXPOSED},
    ),
    ("(b) forced work", she("FORCED_SEX_WORK", condom="no"), EXPOSED | {"N_FORENSIC": None}, {"condom": EXPOSED}),
    (
        "(b) sex demanded, it happened",
        she("SEXUAL_EXTORTION", extortion_act="yes", condom="no"),
        EXPOSED | {"N_PFA": "H24", "N_FORENSIC": "H24"},
        {"extortion_act": EXPOSED | {"N_PFA": "SOON"}, "condom": EXPOSED},
    ),
    (
        "(b) sex demanded, she does not know",
        she("SEXUAL_EXTORTION", extortion_act="unknown"),
        EXPOSED | {"N_PFA": "SOON"},
        {"extortion_act": EXPOSED},
    ),
    (
        "(b) sex demanded, it did not happen",
        she("SEXUAL_EXTORTION", extortion_act="no"),
        NO_CARE,
        {"extortion_act": EXPOSED | {"N_FORENSIC": "H24"}},
    ),
    (
        "(c) touched with contact",
        she("SEXUAL_ASSAULT", contact="yes", condom="yes"),
        EXPOSED,
        {"contact": SAFE | {"N_MED_CHECK": "H24"}, "condom": EXPOSED},
    ),
    *(
        (
            f"(c) touched without contact, but {flag}",
            she("SEXUAL_ASSAULT", flag, contact="no", condom="yes"),
            EXPOSED,
            {"contact": EXPOSED},
        )
        for flag in ("I_GENITAL", "D_DRUGGED", "D_UNCONSCIOUS")
    ),
    (
        "(c) bleeding alone is not contact",
        she("SEXUAL_ASSAULT", "D_BLEEDING", contact="no"),
        {"N_PEP": None},
        {"contact": {"N_PEP": None, "N_MED_CHECK": "H24"}},
    ),
    (
        "(c) touched, no contact",
        she("SEXUAL_ASSAULT", contact="no"),
        NO_CARE | {"N_FORENSIC": "H24"},
        {"contact": {"N_PEP": None, "N_MED_CHECK": "H24", "N_FORENSIC": "H24"}},
    ),
    (
        "R01 a present sign",
        she("PHYSICAL_ASSAULT", "D_SEVERE_PAIN", 2000),
        {"N_EMERG_MED": "NOW"},
        {"hours": {"N_EMERG_MED": "NOW"}},
    ),
    (
        "R01 an event sign, old",
        she("PHYSICAL_ASSAULT", "D_FRACTURE", 100),
        {"N_EMERG_MED": None, "N_MED_CHECK": "H24"},
        {"hours": {"N_EMERG_MED": "NOW"}, "ongoing": {"N_EMERG_MED": "NOW"}},
    ),
    (
        "R01 an event sign, very old",
        she("PHYSICAL_ASSAULT", "D_FRACTURE", 400),
        {"N_MED_CHECK": "SOON"},
        {"hours": {"N_EMERG_MED": "NOW"}, "ongoing": {"N_EMERG_MED": "NOW"}},
    ),
    (
        "R02 choked until she fainted",
        she("", "D_STRANGLED D_UNCONSCIOUS", 300),
        {"N_EMERG_MED": "NOW"},
        {"hours": {"N_EMERG_MED": "NOW"}},
    ),
    (
        "R02b choked",
        she("", "D_STRANGLED", 300),
        {"N_EMERG_MED": "H24", "N_MED_CHECK": None},
        {"hours": {"N_EMERG_MED": "NOW"}},
    ),
    (
        "R06 pregnant already",
        she("THREATS", pregnant_possible="pregnant"),
        {"N_PREG": "SOON"},
        {"pregnant_possible": {"N_PREG": None}},
    ),
    (
        "R06 pregnant, and a companion was killed",
        she("KILLING_DISAPPEARANCE", pregnant_possible="pregnant", victim_state="killed"),
        NO_CARE,
        {"pregnant_possible": NO_CARE},
    ),
    (
        "R09b a bite that bled",
        she("", "I_BITE", 20),
        {"N_WOUND": "H24", "N_HEPB": "H72", "N_MED_CHECK": "H24", "N_PEP": None},
        {"hours": {"N_WOUND": "H24", "N_HEPB": "H72", "N_MED_CHECK": "H24"}},
    ),
    ("R09b a bite with a danger sign", she("", "I_BITE D_BLEEDING"), {"N_WOUND": "H24", "N_EMERG_MED": "NOW"}, {}),
    (
        "R11 a bite can be certified",
        she("ROBBERY", "I_BITE", wants="W_LEGAL"),
        {"N_FORENSIC": "H72"},
        {"wants": {"N_FORENSIC": None}},
    ),
    (
        "R11 not of a companion",
        she("ROBBERY KILLING_DISAPPEARANCE", "I_BITE", wants="W_LEGAL", hurt_too="no"),
        {"N_FORENSIC": None, "N_WOUND": "H24"},
        {"hurt_too": {"N_FORENSIC": None}},
    ),
    ("R11b drugged", she("ROBBERY", "D_DRUGGED", 100), {"N_FORENSIC": "H24"}, {"hours": {"N_FORENSIC": "H24"}}),
    (
        "R12b forced work with a condom",
        she("FORCED_SEX_WORK", condom="yes"),
        SAFE | {"N_MED_CHECK": "H24", "N_STI": "H72"},
        {"condom": EXPOSED},
    ),
    (
        "R12d fainted, nothing sexual",
        she("PHYSICAL_ASSAULT", "D_UNCONSCIOUS", 150),
        {"N_MED_CHECK": "H24", "N_PEP": None},
        {"hours": {"N_MED_CHECK": "H24"}},
    ),
    ("R12d not beside forced work", she("FORCED_SEX_WORK", "D_DRUGGED", 5), EXPOSED | {"N_MED_CHECK": None}, {}),
    (
        "R13 care wanted, only an exam follows",
        she("SEXUAL_ASSAULT", contact="no", wants="W_HEALTH"),
        {"N_MED_CHECK": "SOON"},
        {"wants": {"N_MED_CHECK": None}, "contact": {"N_MED_CHECK": "H24"}},
    ),
    (
        "R23 sex demanded by an agent",
        she("SEXUAL_EXTORTION", who="POLICE", extortion_act="yes"),
        {"N_LEGAL_STATE": "H24"},
        {"extortion_act": {"N_LEGAL_STATE": "H24"}},
    ),
    (
        "R23 it did not happen",
        she("SEXUAL_EXTORTION", who="POLICE", extortion_act="no"),
        {"N_LEGAL_STATE": "READY"},
        {"extortion_act": {"N_LEGAL_STATE": "H24"}, "ongoing": {"N_LEGAL_STATE": "SOON"}},
    ),
    (
        "R28 sex demanded of a minor",
        she("SEXUAL_EXTORTION", age="A14_17", extortion_act="unknown"),
        {"N_CHILD_PROT": "NOW"},
        {"extortion_act": {"N_CHILD_PROT": "NOW"}, "age": {"N_CHILD_PROT": None}},
    ),
    (
        "R28 it did not happen",
        she("SEXUAL_EXTORTION", age="A14_17", extortion_act="no"),
        {"N_CHILD_PROT": "H24"},
        {"extortion_act": {"N_CHILD_PROT": "NOW"}},
    ),
    (
        "R35 a companion is missing",
        she("KILLING_DISAPPEARANCE", victim_state="missing"),
        {
            **NO_CARE,
            "N_MISSING": "NOW",
            "N_SAFETY_PLAN": "H24",
            "N_LEGAL_INFO": "SOON",
            "N_PFA": "H24",
            "N_COUNSEL": "READY",
        },
        {"victim_state": {"N_MISSING": "NOW"}, "hours": NO_CARE},
    ),
    (
        "R35 a companion was killed by an agent",
        she("KILLING_DISAPPEARANCE", who="POLICE", victim_state="killed"),
        NO_CARE | {"N_MISSING": None, "N_LEGAL_STATE": "H24", "N_LEGAL_INFO": None},
        {"victim_state": {"N_MISSING": "NOW"}, "perpetrator": {"N_LEGAL_STATE": None, "N_LEGAL_INFO": "SOON"}},
    ),
    (
        "R35 and R34: a missing companion keeps its urgency",
        she("KILLING_DISAPPEARANCE", wants="W_RECORD_ONLY"),
        {"N_MISSING": "NOW", "N_SAFETY_PLAN": "H24", "N_LEGAL_INFO": "READY"},
        {"wants": {"N_LEGAL_INFO": "SOON"}},
    ),
    (
        "mine: she was hurt too",
        she("KILLING_DISAPPEARANCE RAPE", hurt_too="yes", condom="no"),
        EXPOSED,
        {"hurt_too": NO_CARE},
    ),
    *(
        (
            f"mine: hurt too {answer}",
            she("KILLING_DISAPPEARANCE RAPE SEXUAL_EXTORTION STEALTHING", hurt_too=answer),
            NO_CARE | {"N_PFA": "H24"},
            {"hurt_too": NO_CARE},
        )
        for answer in ("no", "unknown")
    ),
    (
        "mine: her own signs always count",
        she("KILLING_DISAPPEARANCE", "D_BLEEDING D_SUICIDE I_BITE", hurt_too="no"),
        {"N_EMERG_MED": "NOW", "N_CRISIS_MH": "NOW", "N_HEPB": "H72"},
        {"hurt_too": {"N_EMERG_MED": "NOW"}},
    ),
    (
        "mine: her wish for care always counts",
        she("KILLING_DISAPPEARANCE RAPE", hurt_too="no", wants="W_HEALTH"),
        {"N_MED_CHECK": "SOON", "N_PEP": None},
        {"hurt_too": {"N_MED_CHECK": "SOON"}},
    ),
    (
        "mine: from R14 on every act counts",
        she("KILLING_DISAPPEARANCE FORCED_SEX_WORK THREATS", hurt_too="no", who="PARTNER"),
        NO_CARE | {"N_TRAFFICKING": "H24", "N_PROTECTION": "SOON"},
        {"hurt_too": {"N_TRAFFICKING": "H24"}},
    ),
]


def _without(incident: Incident, field: str) -> Incident:
    empty: Any = frozenset() if isinstance(getattr(incident, field), frozenset) else None
    return replace(incident, **{field: empty})


def _at_least(incident: Incident, wanted: Wanted) -> None:
    found = urgencies(incident)
    assert {need: found.get(need) for need in wanted} == wanted


@pytest.mark.parametrize(
    ("incident", "wanted", "without"), [line[1:] for line in LINES], ids=[line[0] for line in LINES]
)
def test_a_line_says_what_it_says_with_every_answer_and_without_one(
    incident: Incident, wanted: Wanted, without: dict[str, Wanted]
) -> None:
    _at_least(incident, wanted)
    for field, rest in without.items():
        _at_least(_without(incident, field), rest)


# ── time passes ─────────────────────────────────────────────────────────────────────────────────────────────

# incident, hours since she told it -> what follows then
LATER: list[tuple[Incident, dict[float, Wanted]]] = [
    (
        she("RAPE", hours=None),
        {
            0: EXPOSED,
            72: EXPOSED,
            72.5: {"N_PEP": None, "N_EC": "H24"},
            97: {"N_EC": "NOW"},
            120: {"N_EC": "NOW"},
            121: {"N_EC": None, "N_PREG": "SOON", "N_FORENSIC": "H24"},
            169: {"N_FORENSIC": None, "N_MED_CHECK": "SOON"},
            336: {"N_HEPB": "H72"},
            337: {"N_HEPB": None, "N_STI": "SOON"},
            721: {"N_PFA": None, "N_COUNSEL": "READY"},
        },
    ),
    (she("RAPE", hours=60), {0: EXPOSED, 12: EXPOSED, 13: {"N_PEP": None, "N_EC": "H24"}, 40: {"N_EC": "NOW"}}),
    (
        she("PHYSICAL_ASSAULT", "D_BLEEDING", 5),
        {
            0: {"N_EMERG_MED": "NOW", "N_MED_CHECK": None},
            48: {"N_EMERG_MED": "NOW"},
            49: {"N_EMERG_MED": None, "N_MED_CHECK": "H24"},
            5000: {"N_MED_CHECK": "H24"},
        },
    ),
    (she("PHYSICAL_ASSAULT", "D_BLEEDING", None), {48: {"N_EMERG_MED": "NOW"}, 49: {"N_EMERG_MED": None}}),
    (
        she("PHYSICAL_ASSAULT", "D_STAB_GUN", None),
        {72: {"N_EMERG_MED": "NOW"}, 73: {"N_EMERG_MED": None, "N_MED_CHECK": "H24"}, 337: {"N_MED_CHECK": "SOON"}},
    ),
    (she("PHYSICAL_ASSAULT", "D_STRANGLED", None), {72: {"N_EMERG_MED": "NOW"}, 73: {"N_EMERG_MED": "H24"}}),
    (she("KILLING_DISAPPEARANCE", hours=None), {0: {"N_MISSING": "NOW"}, 5000: {"N_MISSING": "NOW"}}),
]


@pytest.mark.parametrize(("incident", "at"), LATER)
def test_windows_and_signs_age_at_the_moment_of_looking(incident: Incident, at: dict[float, Wanted]) -> None:
    for hours, wanted in at.items():
        _at_least(incident.later(hours), wanted)


# ── the rules a second time ─────────────────────────────────────────────────────────────────────────────────


def _some(chance: Random, codes: list[str], most: int) -> frozenset[str]:
    return frozenset(chance.sample(codes, min(chance.randrange(most + 1), len(codes))))


def _maybe(chance: Random, field: str) -> str | None:
    return None if chance.random() < 0.3 else chance.choice(list(VOCABULARY[field]))


def _moment(chance: Random) -> float:
    edge = chance.choice(EDGES)
    return chance.choice([0.0, float(edge), edge + 0.01, edge - 1.0, chance.uniform(0, 400), chance.uniform(0, 2000)])


def _hours(chance: Random) -> tuple[float, float] | None:
    if chance.random() < 0.25:
        return None
    first = _moment(chance)
    if chance.random() < 0.6:
        return first, first
    second = _moment(chance)
    return min(first, second), max(first, second)


SEXUAL = ["RAPE", "STEALTHING", "SEXUAL_ASSAULT", "SEXUAL_EXTORTION", "FORCED_SEX_WORK", "KILLING_DISAPPEARANCE"]
TOGETHER = ["D_STRANGLED", "D_UNCONSCIOUS", "D_DRUGGED", "I_BITE", "I_GENITAL", "I_WOUND"]  # rules name two of them
LISTS = {"violence": 4, "perpetrator": 3, "flags": 5, "wants": 3, "reason": 0}


def incidents(seed: int) -> Iterator[Incident]:
    """Incidents without end: any answer may be missing or speak against another, some are looked at later."""
    chance = Random(seed)  # noqa: S311 - the same incidents each time
    while True:
        answers: dict[str, Any] = {field: _maybe(chance, field) for field in VOCABULARY if field not in LISTS}
        answers |= {field: _some(chance, list(VOCABULARY[field]), most) for field, most in LISTS.items()}
        if chance.random() < 0.6:
            answers["violence"] = _some(chance, SEXUAL, 2) | _some(chance, list(VOCABULARY["violence"]), 1)
        if chance.random() < 0.4:
            answers["flags"] = _some(chance, TOGETHER, 2) | _some(chance, list(VOCABULARY["flags"]), 1)
        if chance.random() < 0.2:
            answers["wants"] = frozenset({chance.choice(["W_LEGAL", "W_REPORT"])})
        elif chance.random() < 0.1:
            answers["wants"] = frozenset({"W_RECORD_ONLY"}) | _some(chance, ["W_INFO", "W_PEER"], 1)
        told_now = Incident(
            **answers,
            hours=_hours(chance),
            ongoing=chance.choice([None, True, False, False]),
            migrant=chance.choice([None, True, False]),
        )
        yield told_now.later(_moment(chance)) if chance.random() < 0.4 else told_now


def _differences(incident: Incident) -> dict[str, tuple[object, object]]:
    found, plain = assess(incident), assess_plainly(incident)
    pairs = {
        "needs": ({need.code: need.urgency for need in found.needs}, plain.needs),
        "left": (
            {need.code: need.hours_left for need in found.needs if need.hours_left is not None},
            {need: left for need, left in plain.left.items() if left is not None},
        ),
        "must_not": (set(found.must_not), plain.must_not),
        "create_referral": (found.create_referral, plain.create_referral),
        "information": ({need.information_only for need in found.needs} - {not plain.create_referral}, set()),
        "gbvims": (found.gbvims, plain.gbvims),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def test_the_rules_and_a_plain_reading_of_the_text_agree_on_everybody() -> None:
    for incident in islice(incidents(2026), MANY):
        assert not _differences(incident), incident


def test_they_agree_on_every_written_case_at_every_hour_with_any_answer_missing() -> None:
    written = [incident for incident, _, _ in TYPICAL.values()] + [line[1] for line in LINES]
    for incident in written:
        asked = [one.name for one in fields(incident) if one.compare and getattr(incident, one.name)]
        for known in (incident, *(_without(incident, field) for field in asked)):
            for hours in (0, 30, 49, 73, 100, 400):
                assert not _differences(known.later(hours)), (known, hours)


# ── one stamp for the same rules ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_stamp_of_the_rules_is_the_same_in_every_process(seed: str) -> None:
    code = "from referrals.casework.queue import RULES_STAMP; print(RULES_STAMP)"
    asked = [sys.executable, "-c", code]
    told_there = subprocess.run(asked, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True)  # noqa: S603
    assert told_there.stdout.strip() == RULES_STAMP
