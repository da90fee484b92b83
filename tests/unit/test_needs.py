"""What a person may need, how soon, and what must not be done."""

import math
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from referrals.needs.assessment import assess, refused_care, sentences
from referrals.needs.codes import MUST_NOTS, URGENCIES, URGENCY_LABELS
from referrals.needs.exclusions import CHILD_TYPES_TO_KNOW, HIDDEN_BECAUSE, HIDES, POLICE_TYPES, forbidden
from referrals.needs.rules import FACTS, LIMITS, MUST_NOT_ROWS, RECORD_ONLY, RULES, SOURCES
from reporting.vocabulary.incident import Incident, incident_from_answers
from reporting.vocabulary.needs import NEEDS
from tests.unit.test_incidents import INCIDENTS

LATE = 10_000.0  # hours; past every window


def told(
    violence: str = "",
    perpetrator: str = "",
    hours: object = 5,
    flags: str = "",
    wants: str = "",
    **answers: object,
) -> Incident:
    """An incident in few words. An adult, nothing ongoing, no pregnancy possible, unless said otherwise."""
    careful = {"age": "A25_34", "ongoing": False, "pregnant_possible": "no", "police_safe": "unsure"}
    lists = {
        "violence": violence.split(),
        "perpetrator": perpetrator.split(),
        "flags": flags.split(),
        "wants": wants.split(),
    }
    return incident_from_answers({**careful, **lists, "hours_ago": hours, **answers})


def urgencies(incident: Incident) -> dict[str, str]:
    return {need.code: need.urgency for need in assess(incident).needs}


def rank(urgency: str | None) -> int:
    return len(URGENCIES) if urgency is None else URGENCIES.index(urgency)


def rules_of(incident: Incident) -> set[str]:
    return {rule for need in assess(incident).needs for rule in need.rules}


# ── the decision table: typical cases ───────────────────────────────────────────────────────────────────────

WOMAN: dict[str, Any] = {"identity": "CIS_WOMAN", "pregnant_possible": "yes", "condom": "no"}
TRANS: dict[str, Any] = {"identity": "TRANS_WOMAN", "pregnant_possible": "no", "condom": "no"}
BODY = {"N_STI": "H72", "N_HEPB": "H72", "N_FORENSIC": "H24"}

Wanted = dict[str, str | None]
TYPICAL: dict[str, tuple[Incident, Wanted, str]] = {
    "rape, up to 72 h": (
        told("RAPE", "CLIENT", 72, wants="W_HEALTH", **WOMAN),
        {"N_PEP": "NOW", "N_EC": "H24", **BODY, "N_PFA": "H24", "N_COUNSEL": "READY"},
        "R04 R05 R07 R08 R10 R15 R16",
    ),
    "rape, 72 to 96 h": (
        told("RAPE", "CLIENT", 80, wants="W_HEALTH", **WOMAN),
        {"N_EC": "H24", **BODY, "N_PFA": "H24", "N_PEP": None},
        "R05 R07 R08 R10",
    ),
    "rape, 96 to 120 h": (
        told("RAPE", "CLIENT", 110, wants="W_HEALTH", **WOMAN),
        {"N_EC": "NOW", **BODY, "N_PFA": "H24", "N_PEP": None},
        "R05",
    ),
    "rape, 120 to 168 h": (
        told("RAPE", "CLIENT", 150, **WOMAN),
        {**BODY, "N_PREG": "SOON", "N_PFA": "H24", "N_EC": None, "N_PEP": None},
        "R06 R07 R08 R10",
    ),
    "rape, more than 336 h, within 30 days": (
        told("RAPE", "CLIENT", 500, **WOMAN),
        {
            "N_MED_CHECK": "SOON",
            "N_STI": "SOON",
            "N_PFA": "H24",
            "N_PREG": "SOON",
            "N_HEPB": None,
            "N_FORENSIC": None,
        },
        "R06 R07 R12",
    ),
    "rape, more than 30 days": (
        told("RAPE", "CLIENT", 2000, condom="no"),
        {"N_MED_CHECK": "SOON", "N_STI": "SOON", "N_COUNSEL": "READY", "N_PFA": None, "N_PREG": None},
        "R07 R12",
    ),
    "stealthing, trans woman": (
        told("STEALTHING", "CLIENT", 20, wants="W_HEALTH", **TRANS),
        {"N_PEP": "NOW", **BODY, "N_PFA": "SOON", "N_EC": None},
        "R04 R07 R08",
    ),
    "stealthing, trans woman who says that pregnancy is possible": (
        told("STEALTHING", "CLIENT", 20, **TRANS | {"pregnant_possible": "yes"}),
        {"N_EC": "H24"},
        "R05",
    ),
    "beating with danger signs": (
        told("PHYSICAL_ASSAULT", "CLIENT", None, "D_BLEEDING"),
        {"N_EMERG_MED": "NOW", "N_PFA": "H24"},
        "R01",
    ),
    "strangled by a partner": (
        told("PHYSICAL_ASSAULT", "PARTNER", 30, "D_STRANGLED"),
        {"N_EMERG_MED": "NOW", "N_SAFETY_PLAN": "SOON", "N_PROTECTION": "H24", "N_PFA": "H24"},
        "R02 R25",
    ),
    "quota and death threat": (
        told("EXTORTION THREATS", "CRIMINAL_GROUP", 40, "S_DEATH_THREAT S_KNOWS_HOME", "W_SHELTER W_LEGAL"),
        {"N_SAFETY_PLAN": "H24", "N_PFA": "H24", "N_SHELTER": "H24", "N_LEGAL_INFO": "SOON"},
        "R18 R20",
    ),
    "bribe and condoms taken by police, record only": (
        told("EXTORTION CONDOM_CONFISCATION", "POLICE", 20, wants="W_RECORD_ONLY"),
        {"N_SAFETY_PLAN": "SOON", "N_LEGAL_STATE": "READY", "N_PFA": "READY"},
        "R19 R24 R34",
    ),
    "detained now": (
        told("ARBITRARY_DETENTION", "POLICE", 0, wants="W_LEGAL", ongoing=True),
        {"N_LEGAL_STATE": "NOW", "N_PFA": "SOON"},
        "R22",
    ),
    "rape in a patrol car": (
        told("RAPE", "POLICE", 30, wants="W_HEALTH", venue="VEHICLE", **TRANS),
        {"N_PEP": "NOW", **BODY, "N_LEGAL_STATE": "H24", "N_PFA": "H24"},
        "R04 R23",
    ),
    "not paid": (
        told("NONPAYMENT", "CLIENT", 30, wants="W_MONEY"),
        {"N_PFA": "SOON", "N_ECON": "SOON"},
        "R15 R32",
    ),
    "forced and locked in, no papers": (
        told(
            "FORCED_SEX_WORK CONFINEMENT",
            "THIRD_PARTY",
            3,
            "S_LOCKED",
            "W_SHELTER",
            docs="NONE",
            migrant=True,
            ongoing=True,
            pregnant_possible="unsure",
        ),
        {
            "N_TRAFFICKING": "NOW",
            "N_SAFETY_PLAN": "NOW",
            "N_SHELTER": "H24",
            "N_DOCS": "SOON",
            "N_PEP": "NOW",
            "N_EC": "H24",
            "N_STI": "H72",
        },
        "R17 R27 R30",
    ),
    "rape of a minor": (
        told("RAPE", "CLIENT", 10, age="A14_17", **WOMAN),
        {"N_CHILD_PROT": "NOW", "N_PEP": "NOW", "N_EC": "H24", **BODY, "N_PEER": None},
        "R28",
    ),
    "outing that goes on": (
        told("OUTING", "CLIENT", 24, wants="W_DIGITAL", ongoing=True),
        {"N_DIGITAL": "H24", "N_SAFETY_PLAN": "SOON", "N_PFA": "SOON"},
        "R31",
    ),
    "refused PEP at a clinic": (
        told("RAPE SERVICE_DENIAL", "UNKNOWN PROVIDER", 30, wants="W_HEALTH", **TRANS),
        {"N_PEP": "NOW", "N_SERVICE_COMPLAINT": "READY"},
        "R04 R33",
    ),
    "refused PEP, wants to complain": (
        told("RAPE SERVICE_DENIAL", "PROVIDER", 30, wants="W_LEGAL", **TRANS),
        {"N_PEP": "NOW", "N_SERVICE_COMPLAINT": "SOON"},
        "R04 R33",
    ),
    "suicide thoughts": (
        told("PSYCH_ABUSE", "FAMILY", 100, "D_SUICIDE"),
        {"N_CRISIS_MH": "NOW", "N_PFA": "H24", "N_EMERG_MED": None},
        "R14",
    ),
    "beating, a head blow with signs, now": (
        told("PHYSICAL_ASSAULT", "CLIENT", 2160, "D_HEAD_SIGNS"),
        {"N_EMERG_MED": "NOW", "N_PFA": None},
        "R01",
    ),
    "beating, trouble breathing now": (
        told("PHYSICAL_ASSAULT", "CLIENT", 600, "D_BREATHING"),
        {"N_EMERG_MED": "NOW", "N_PFA": "H24"},
        "R01",
    ),
    "beating, a stab that is closed": (
        told("PHYSICAL_ASSAULT", "CLIENT", 2160, "D_STAB_GUN", "W_PSYCH"),
        {"N_MED_CHECK": "SOON", "N_COUNSEL": "SOON", "N_EMERG_MED": None, "N_PFA": None},
        "R01 R16",
    ),
    "stealthing, no answer about pregnancy": (
        told("STEALTHING", "CLIENT", 20, wants="W_HEALTH", **TRANS | {"pregnant_possible": None}),
        {"N_PEP": "NOW", "N_EC": "H24", **BODY, "N_PFA": "SOON"},
        "R04 R05 R07 R08",
    ),
    "stealthing, and a condom was answered": (
        told("STEALTHING", "CLIENT", 9, wants="W_HEALTH", **WOMAN | {"condom": "yes"}),
        {"N_PEP": "NOW", "N_EC": "H24", **BODY},
        "R04 R05 R07 R08 R10",
    ),
    "sex demanded by an agent, it happened, with a condom": (
        told(
            "SEXUAL_EXTORTION",
            "SERENAZGO",
            20,
            wants="W_NOT_SURE",
            extortion_act="yes",
            condom="yes",
            police_safe="no",
            identity="TRANS_WOMAN",
        ),
        {
            "N_MED_CHECK": "H24",
            "N_STI": "H72",
            "N_FORENSIC": "H24",
            "N_LEGAL_STATE": "H24",
            "N_PFA": "H24",
            "N_PEP": None,
            "N_HEPB": None,
        },
        "R12b R23",
    ),
    "touched, no contact, record only": (
        told("SEXUAL_ASSAULT", "CLIENT", 3, wants="W_RECORD_ONLY", contact="no"),
        {"N_FORENSIC": "H24", "N_MED_CHECK": None, "N_PEP": None, "N_PFA": "READY"},
        "R10 R34",
    ),
    "touched, nothing answered about contact": (
        told("SEXUAL_ASSAULT", "CLIENT", 3),
        {"N_MED_CHECK": "H24", "N_FORENSIC": "H24", "N_PEP": None},
        "R12c",
    ),
    "drugged and robbed, no memory": (
        told("ROBBERY", "CLIENT", 20, "D_DRUGGED", "W_HEALTH"),
        {"N_EMERG_MED": "NOW", "N_MED_CHECK": "H24", "N_FORENSIC": "H24", "N_PEP": None},
        "R01 R11b R12d",
    ),
    "a companion is missing": (
        told("KILLING_DISAPPEARANCE", "POLICE", 30, wants="W_LEGAL", victim_state="missing", police_safe="no"),
        {
            "N_MISSING": "NOW",
            "N_LEGAL_STATE": "H24",
            "N_SAFETY_PLAN": "H24",
            "N_LEGAL_INFO": None,
            "N_PFA": "H24",
            **dict.fromkeys(sorted(RECORD_ONLY.keeps - {"N_MISSING", "N_SAFETY_PLAN"})),
        },
        "R35",
    ),
    "a bite that bled": (
        told("PHYSICAL_ASSAULT", "CLIENT", 20, "I_BITE"),
        {"N_WOUND": "H24", "N_HEPB": "H72", "N_MED_CHECK": "H24", "N_PEP": None},
        "R09b",
    ),
    **{
        f"a sexual act with somebody under 18: {act}": (
            told(act, "CLIENT", 10, age="A14_17", **WOMAN),
            {"N_CHILD_PROT": "NOW"},
            "R28",
        )
        for act in ("RAPE", "STEALTHING", "SEXUAL_ASSAULT", "SEXUAL_EXTORTION")
    },
}


@pytest.mark.parametrize("case", TYPICAL)
def test_a_typical_case_gets_its_needs(case: str) -> None:
    incident, wanted, rules = TYPICAL[case]
    found = urgencies(incident)
    assert {code: found.get(code) for code in wanted} == wanted
    assert set(rules.split()) <= rules_of(incident)


# ── windows ─────────────────────────────────────────────────────────────────────────────────────────────────

RAPE = told("RAPE", "CLIENT", condom="no", pregnant_possible="yes")
STRANGLED = told("PHYSICAL_ASSAULT", "CLIENT", flags="D_STRANGLED")
# incident, need, hour -> urgency (None: no such need)
WINDOWS: list[tuple[Incident, str, dict[float | None, str | None]]] = [
    (RAPE, "N_PEP", {0: "NOW", 72: "NOW", 72.01: None, None: "NOW"}),
    (RAPE, "N_EC", {0: "H24", 96: "H24", 96.01: "NOW", 120: "NOW", 120.01: None, None: "H24"}),
    (RAPE, "N_PREG", {0: None, 120: None, 120.01: "SOON", None: None}),
    (RAPE, "N_STI", {336: "H72", 336.01: "SOON", None: "H72"}),
    (RAPE, "N_HEPB", {336: "H72", 336.01: None, None: "H72"}),
    (RAPE, "N_FORENSIC", {168: "H24", 168.01: None, None: "H24"}),
    (RAPE, "N_MED_CHECK", {168: None, 168.01: "SOON", None: None}),
    (RAPE, "N_PFA", {720: "H24", 720.01: None, None: "H24"}),
    (told("THREATS"), "N_PFA", {720: "SOON", 720.01: None, None: "SOON"}),
    (told("THREATS"), "N_COUNSEL", {720: None, 720.01: "READY", None: None}),
    (told(flags="I_HEAD_BLOW"), "N_MED_CHECK", {48: "H24", 48.01: "SOON", None: "H24"}),
    (told(flags="I_WOUND"), "N_WOUND", {72: "H24", 72.01: "SOON", None: "H24"}),
    (told(flags="I_GENITAL"), "N_WOUND", {72: "H24", 72.01: "SOON", None: "H24"}),
    (STRANGLED, "N_EMERG_MED", {72: "NOW", 72.01: "H24", 336: "H24", 336.01: None, None: "NOW"}),
    (STRANGLED, "N_MED_CHECK", {336: None, 336.01: "SOON", None: None}),
    (
        told("ROBBERY", flags="I_BRUISES", wants="W_LEGAL"),
        "N_FORENSIC",
        {240: "H72", 240.01: None, None: "H72"},
    ),
    (told("RAPE", "POLICE"), "N_LEGAL_STATE", {720: "H24", 720.01: "READY", None: "H24"}),
    (told("RAPE", wants="W_REPORT"), "N_REPORT_ROUTE", {168: "H24", 168.01: "SOON", None: "H24"}),
    (told(flags="D_BURN"), "N_EMERG_MED", {72: "NOW", 72.01: None, None: "NOW"}),
    (told(flags="D_BURN"), "N_MED_CHECK", {72: None, 72.01: "H24", 336: "H24", 336.01: "SOON", None: None}),
    (told(flags="D_BURN", ongoing=True), "N_EMERG_MED", {LATE: "NOW", None: "NOW"}),
    (told(flags="D_STRANGLED D_UNCONSCIOUS"), "N_EMERG_MED", {72.01: "NOW", 336: "NOW", 336.01: None, None: "NOW"}),
    (told(flags="D_STRANGLED D_UNCONSCIOUS"), "N_MED_CHECK", {336.01: "H24", LATE: "H24"}),
    (told("RAPE", condom="yes"), "N_MED_CHECK", {168: "H24", 168.01: "SOON", None: "H24"}),
    (told("RAPE", condom="yes"), "N_STI", {168: "H72", 168.01: "SOON", None: "H72"}),
    (told("SEXUAL_ASSAULT"), "N_MED_CHECK", {168: "H24", 168.01: "SOON", None: "H24"}),
    (told("ROBBERY", flags="D_DRUGGED"), "N_MED_CHECK", {168: "H24", 336: "H24", 336.01: "SOON", None: "H24"}),
    (told("ROBBERY", flags="D_DRUGGED"), "N_FORENSIC", {120: "H24", 120.01: None, None: "H24"}),
    (told(flags="I_BITE"), "N_WOUND", {168: "H24", 168.01: "SOON", None: "H24"}),
    (told(flags="I_BITE"), "N_HEPB", {336: "H72", 336.01: None, None: "H72"}),
    (told(flags="I_BITE"), "N_MED_CHECK", {72: "H24", 72.01: None, None: "H24"}),
]


@pytest.mark.parametrize(("incident", "need", "at"), WINDOWS, ids=lambda part: part if isinstance(part, str) else "")
def test_a_limit_is_inside_its_window_and_just_after_is_not(
    incident: Incident, need: str, at: dict[float | None, str | None]
) -> None:
    found = {hour: urgencies(_at(incident, hour)).get(need) for hour in at}
    assert found == at


def _at(incident: Incident, hour: float | None) -> Incident:
    return replace(incident, hours=None if hour is None else (hour, hour))


LEFT = [("N_PEP", 72), ("N_EC", 120), ("N_FORENSIC", 168), ("N_HEPB", 336)]


@pytest.mark.parametrize(("code", "closes"), LEFT)
def test_the_hours_left_count_from_the_latest_moment_it_may_have_been(code: str, closes: float) -> None:
    def left(hours: tuple[float, float] | None) -> float | None:
        return next(need.hours_left for need in assess(replace(RAPE, hours=hours)).needs if need.code == code)

    assert left((5, 5)) == closes - 5
    assert left((closes, closes)) == 0
    assert left((5, 30)) == closes - 30
    assert left((5, LATE)) == 0
    assert left(None) is None


def test_a_need_without_a_medical_window_has_no_hours_left() -> None:
    windowed = {code for code, _ in LEFT}
    assert {need.code for need in assess(RAPE).needs if need.hours_left is not None} == windowed
    certificate = assess(told("ROBBERY", flags="I_BRUISES", wants="W_LEGAL")).needs
    assert [need.hours_left for need in certificate if need.code == "N_FORENSIC"] == [None]


# ── single rules ────────────────────────────────────────────────────────────────────────────────────────────

SINGLE: list[tuple[str, Incident, str, str | None]] = [
    (
        "trouble breathing is an emergency as long as it is there, whenever she was choked",
        told(flags="D_STRANGLED D_BREATHING", hours=LATE),
        "N_EMERG_MED",
        "NOW",
    ),
    ("a condom the whole time means no exposure", told("RAPE", condom="yes"), "N_PEP", None),
    ("an unknown condom counts as none", told("RAPE", condom="unknown"), "N_PEP", "NOW"),
    ("an unasked condom counts as none", told("RAPE"), "N_PEP", "NOW"),
    ("an unasked pregnancy counts as unsure", told("RAPE", pregnant_possible=None), "N_EC", "H24"),
    ("a pregnancy needs care at any time", told("THREATS", pregnant_possible="pregnant"), "N_PREG", "SOON"),
    (
        "a pregnancy needs no emergency contraception",
        told("RAPE", pregnant_possible="pregnant"),
        "N_EC",
        None,
    ),
    ("touching is not exposure", told("SEXUAL_ASSAULT"), "N_PEP", None),
    ("touching may be examined", told("SEXUAL_ASSAULT"), "N_FORENSIC", "H24"),
    ("a danger sign includes the wound", told(flags="I_WOUND D_BLEEDING"), "N_WOUND", None),
    ("no certificate without a wish to report", told("ROBBERY", flags="I_BRUISES"), "N_FORENSIC", None),
    (
        "suicide thoughts are no injury",
        told("ROBBERY", flags="D_SUICIDE", wants="W_LEGAL"),
        "N_FORENSIC",
        None,
    ),
    (
        "care wanted, bruises",
        told("PHYSICAL_ASSAULT", flags="I_BRUISES I_WOUND", wants="W_HEALTH"),
        "N_MED_CHECK",
        "SOON",
    ),
    ("care wanted, brought by something else", told("RAPE", wants="W_HEALTH"), "N_MED_CHECK", None),
    (
        "care wanted, only an exam follows",
        told("SEXUAL_ASSAULT", wants="W_HEALTH", contact="no"),
        "N_MED_CHECK",
        "SOON",
    ),
    ("care wanted, nothing else brings it", told("THREATS", wants="W_HEALTH"), "N_MED_CHECK", "SOON"),
    ("counselling wanted", told("RAPE", wants="W_PSYCH"), "N_COUNSEL", "SOON"),
    ("counselling after something severe", told("CONFINEMENT"), "N_COUNSEL", "READY"),
    ("aggressor near", told(flags="S_PERP_NEAR"), "N_SAFETY_PLAN", "NOW"),
    ("a weapon", told(flags="S_WEAPON"), "N_SAFETY_PLAN", "H24"),
    ("it may go on when nothing was said", told("NONPAYMENT", ongoing=None), "N_SAFETY_PLAN", "SOON"),
    ("it does not go on", told("NONPAYMENT"), "N_SAFETY_PLAN", None),
    ("nowhere safe", told(flags="S_NO_SAFE_PLACE"), "N_SHELTER", "NOW"),
    ("legal advice about a client", told("THREATS", "CLIENT", wants="W_REPORT"), "N_LEGAL_INFO", "SOON"),
    (
        "legal advice about an agent is another",
        told("THREATS", "POLICE", wants="W_REPORT"),
        "N_LEGAL_INFO",
        None,
    ),
    (
        "detained, and nobody said that it ended",
        told("ARBITRARY_DETENTION", "SERENAZGO", ongoing=None),
        "N_LEGAL_STATE",
        "NOW",
    ),
    ("detained, over", told("ARBITRARY_DETENTION", "SERENAZGO"), "N_LEGAL_STATE", "READY"),
    ("an agent, and it goes on", told("EXTORTION", "POLICE", ongoing=True), "N_LEGAL_STATE", "SOON"),
    (
        "an agent and a threat to her safety",
        told("EXTORTION", "OTHER_STATE", flags="S_KNOWS_HOME"),
        "N_LEGAL_STATE",
        "H24",
    ),
    ("a weapon in a partner's hand", told("THREATS", "PARTNER", flags="S_WEAPON"), "N_PROTECTION", "H24"),
    ("a family that goes on", told("PSYCH_ABUSE", "FAMILY", ongoing=True), "N_PROTECTION", "SOON"),
    ("a family, over and without blows", told("PSYCH_ABUSE", "FAMILY"), "N_PROTECTION", None),
    ("a client needs no protection measure", told("THREATS", "CLIENT"), "N_PROTECTION", None),
    ("a wish to report robbery", told("ROBBERY", wants="W_REPORT_POLICE"), "N_REPORT_ROUTE", "SOON"),
    ("forced, the door open", told("FORCED_SEX_WORK"), "N_TRAFFICKING", "H24"),
    ("a child under 14", told("NONPAYMENT", age="U14"), "N_CHILD_PROT", "NOW"),
    ("a child, not in danger now", told("NONPAYMENT", age="A14_17"), "N_CHILD_PROT", "H24"),
    ("an unsaid age is no child", told("NONPAYMENT", age=None), "N_CHILD_PROT", None),
    ("an adult sees companions", told("NONPAYMENT"), "N_PEER", "READY"),
    ("an unsaid age sees companions", told("NONPAYMENT", age="PREFER_NOT"), "N_PEER", "READY"),
    ("an adult wants companions", told("NONPAYMENT", wants="W_PEER"), "N_PEER", "SOON"),
    ("a child is not sent to companions", told("NONPAYMENT", age="A14_17", wants="W_PEER"), "N_PEER", None),
    ("no papers", told("NONPAYMENT", docs="NONE"), "N_DOCS", "SOON"),
    ("papers with another name", told("NONPAYMENT", docs="MISMATCH"), "N_DOCS", None),
    ("outing that ended", told("OUTING"), "N_DIGITAL", "SOON"),
    ("stalking", told("STALKING", ongoing=True), "N_DIGITAL", "SOON"),
    ("a companion killed", told("KILLING_DISAPPEARANCE", "CLIENT"), "N_SAFETY_PLAN", "H24"),
    ("a companion killed, law", told("KILLING_DISAPPEARANCE", "CLIENT"), "N_LEGAL_INFO", "SOON"),
    ("a companion killed by an agent", told("KILLING_DISAPPEARANCE", "POLICE"), "N_LEGAL_STATE", "H24"),
    ("a companion killed by an agent, advice", told("KILLING_DISAPPEARANCE", "POLICE"), "N_LEGAL_INFO", None),
    ("a companion killed, nobody's body is guessed", told("KILLING_DISAPPEARANCE", "CLIENT"), "N_PEP", None),
]


@pytest.mark.parametrize(("incident", "need", "urgency"), [row[1:] for row in SINGLE], ids=[row[0] for row in SINGLE])
def test_one_rule_says_one_thing(incident: Incident, need: str, urgency: str | None) -> None:
    assert urgencies(incident).get(need) == urgency


def test_a_killing_does_not_silence_the_other_rules() -> None:
    assert urgencies(told("KILLING_DISAPPEARANCE RAPE", "CLIENT", hurt_too="yes"))["N_PEP"] == "NOW"
    assert urgencies(told("KILLING_DISAPPEARANCE THREATS", "CLIENT", flags="S_LOCKED"))["N_SAFETY_PLAN"] == "NOW"


def test_an_empty_report_still_finds_somebody_who_listens() -> None:
    assert urgencies(Incident()) == {"N_PFA": "SOON", "N_SAFETY_PLAN": "SOON", "N_PEER": "READY"}


def test_who_was_refused_goes_to_another_provider() -> None:
    assert refused_care(told("RAPE SERVICE_DENIAL"))
    assert refused_care(told("FORCED_HEALTH_EXAM"))
    assert not refused_care(told("RAPE"))


# ── only a record ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wants", "only"),
    [
        ("W_RECORD_ONLY", True),
        ("W_RECORD_ONLY W_INFO", True),
        ("W_RECORD_ONLY W_PEER", False),
        ("W_INFO", False),
        ("", False),
    ],
)
def test_a_record_alone_creates_no_referral(wants: str, only: bool) -> None:
    assessment = assess(told("RAPE", "PARTNER", wants=wants))
    assert assessment.create_referral is not only
    assert ("MN_CREATE_REFERRAL" in assessment.must_not) is only
    assert {need.information_only for need in assessment.needs} == {only}


def test_a_record_alone_keeps_what_cannot_wait_and_lets_the_rest_wait() -> None:
    asked = {need.code: need for need in assess(told("RAPE OUTING", "PARTNER", flags="S_LOCKED", ongoing=True)).needs}
    recorded = {
        need.code: need
        for need in assess(told("RAPE OUTING", "PARTNER", flags="S_LOCKED", ongoing=True, wants="W_RECORD_ONLY")).needs
    }
    assert asked.keys() == recorded.keys()
    for code, need in recorded.items():
        kept = code in RECORD_ONLY.keeps or asked[code].urgency == "NOW"
        assert need.urgency == (asked[code].urgency if kept else "READY")
        lowered = need.urgency != asked[code].urgency
        assert need.rules == (*asked[code].rules, "R34") if lowered else need.rules == asked[code].rules


# ── laws ────────────────────────────────────────────────────────────────────────────────────────────────────


@given(INCIDENTS)
def test_needs_come_the_most_urgent_first_and_once_each(incident: Incident) -> None:
    needs = assess(incident).needs
    assert [rank(need.urgency) for need in needs] == sorted(rank(need.urgency) for need in needs)
    assert len({need.code for need in needs}) == len(needs)
    assert assess(incident) == assess(incident)


def _points(lo: float, hi: float) -> list[float]:
    around = [side for limit in LIMITS for side in (limit, math.nextafter(limit, math.inf)) if lo <= side <= hi]
    return [lo, hi, (lo + hi) / 2, *around]


@settings(max_examples=150)
@given(INCIDENTS, st.floats(0, 1))
def test_a_range_is_at_least_as_urgent_as_any_hour_within(incident: Incident, share: float) -> None:
    assume(incident.hours is not None)
    assert incident.hours is not None
    lo, hi = incident.hours
    whole = urgencies(incident)
    for hour in [*_points(lo, hi), min(hi, lo + share * (hi - lo))]:
        exact = urgencies(_at(incident, hour))
        assert exact.keys() <= whole.keys()
        assert all(rank(whole[code]) <= rank(urgency) for code, urgency in exact.items())


@settings(max_examples=150)
@given(INCIDENTS)
def test_a_range_invents_nothing_that_no_hour_within_says(incident: Incident) -> None:
    assume(incident.hours is not None)
    assert incident.hours is not None
    exact = [urgencies(_at(incident, hour)) for hour in _points(*incident.hours)]
    for code, urgency in urgencies(incident).items():
        assert rank(urgency) == min(rank(found.get(code)) for found in exact)


@settings(max_examples=150)
@given(INCIDENTS, st.floats(0, 2000))
def test_an_unknown_time_is_never_less_urgent_than_a_known_one(incident: Incident, hour: float) -> None:
    """What an open window brings, an unknown time brings. N_EC stays H24, in the visit that R04 makes NOW."""
    unknown, known = urgencies(_at(incident, None)), urgencies(_at(incident, hour))
    only_late = {"N_MED_CHECK", "N_PREG", "N_COUNSEL"}  # what takes the place of a closed window
    for code, urgency in known.items():
        if code == "N_EC":
            assert code in unknown
            assert unknown["N_PEP"] == "NOW"
        elif code not in only_late:
            assert rank(unknown.get(code)) <= rank(urgency)
    assert min(map(rank, unknown.values()), default=9) <= min(map(rank, known.values()), default=9)


UNSAID: Any = None
CAREFUL: dict[str, Any] = {
    "pregnant_possible": "no",
    "condom": "yes",
    "ongoing": False,
    "extortion_act": "no",
    "victim_state": "killed",
}


@settings(max_examples=150)
@given(INCIDENTS, st.sampled_from(sorted(CAREFUL)))
def test_passing_over_a_question_never_makes_anything_less_urgent(incident: Incident, field: str) -> None:
    reassuring = urgencies(replace(incident, **{field: CAREFUL[field]}))
    passed = urgencies(replace(incident, **{field: UNSAID}))
    checks = {"N_MED_CHECK"}  # only there because nothing else brings care (R13)
    assert all(rank(passed.get(code)) <= rank(urgency) for code, urgency in reassuring.items() if code not in checks)


@given(INCIDENTS)
def test_every_need_names_its_rules_and_has_words(incident: Incident) -> None:
    for need in assess(incident).needs:
        assert need.rules
        assert sentences(need, incident)


# ── must-nots ───────────────────────────────────────────────────────────────────────────────────────────────

# must-not, incidents in which it holds, incidents in which it does not
AT_STAKE: list[tuple[str, list[Incident], list[Incident]]] = [
    ("MN_AUTO_REPORT", [Incident(), told("RAPE")], []),
    (
        "MN_POLICE",
        [Incident(), told(police_safe="no"), told("THREATS", "SERENAZGO", police_safe="yes")],
        [
            told(police_safe="yes"),
            told(wants="W_REPORT_POLICE"),
            told("THREATS", "POLICE", wants="W_REPORT_POLICE"),
        ],
    ),
    (
        "MN_CEM_COMISARIA",
        [Incident(), told("THREATS", "OTHER_STATE", police_safe="yes", wants="W_REPORT")],
        [told(police_safe="yes"), told(wants="W_REPORT_POLICE")],
    ),
    (
        "MN_SAME_STATION",
        [told("THREATS", "POLICE", wants="W_REPORT_POLICE")],
        [told("THREATS", "POLICE", wants="W_REPORT"), told("THREATS", "SERENAZGO", wants="W_REPORT_POLICE")],
    ),
    (
        "MN_REQUIRE_ID",
        [told(docs="NONE"), told(docs="MISMATCH")],
        [told(docs="DNI"), told(docs="PREFER_NOT"), told()],
    ),
    (
        "MN_MIGRATION_AUTH",
        [told(docs="NONE", migrant=True), told(docs="NONE")],
        [told(docs="NONE", migrant=False), told(docs="CE", migrant=True)],
    ),
    (
        "MN_DEADNAME",
        [told(identity=code) for code in ("TRANS_WOMAN", "TRANSSEXUAL", "TRAVESTI", "TRANS_MAN", "NONBINARY")],
        [told(), told(identity="CIS_MAN"), told(identity="OTHER_SELF"), told(identity="PREFER_NOT")],
    ),
    ("MN_ASSUME_BODY", [told(identity="NONBINARY")], [told(identity="CIS_WOMAN"), told()]),
    (
        "MN_PEP_PROMISE",
        [told("RAPE", hours=72.01), told("RAPE", hours=[73, 500]), told("RAPE", hours=None).later(72.01)],
        [
            told("RAPE", hours=72),
            told("RAPE", hours=None),
            told("RAPE", hours=[72, 500]),
            told("RAPE", hours=80, condom="yes"),
            told("SEXUAL_ASSAULT", hours=80),
            told("RAPE", hours=None).later(72),
        ],
    ),
    (
        "MN_EC_PROMISE",
        [told("RAPE", hours=120.01), told("RAPE", hours=[121, 500]), told("RAPE", hours=None).later(120.01)],
        [
            told("RAPE", hours=120),
            told("RAPE", hours=None),
            told("RAPE", hours=[120, 500]),
            told("SEXUAL_ASSAULT", hours=130),
        ],
    ),
    ("MN_CONTACT_BACK", [Incident(), told(wants="W_HEALTH")], [told(wants="W_CONTACT_BACK")]),
    (
        "MN_PROMISE_SECRECY",
        [told(age="U14"), told(age="A14_17")],
        [told(age="A18_24"), told(age=None), told(age="PREFER_NOT")],
    ),
    (
        "MN_NOTIFY_FAMILY",
        [told(age="A14_17"), told("THREATS", "PARTNER"), told("THREATS", "FAMILY")],
        [told("THREATS", "CLIENT")],
    ),
    (
        "MN_OUT",
        [told("THREATS", who) for who in ("PARTNER", "FAMILY", "LANDLORD", "NEIGHBOUR_PUBLIC", "PROVIDER")]
        + [told("OUTING")],
        [told("THREATS", "CLIENT")],
    ),
    (
        "MN_RESCUE",
        [told("EXTORTION", "THIRD_PARTY"), told("EXTORTION", "THIRD_PARTY", age=None)],
        [told(act, "THIRD_PARTY") for act in ("FORCED_SEX_WORK", "FORCED_MARRIAGE", "CONFINEMENT")]
        + [told("EXTORTION", "THIRD_PARTY", age="A14_17"), told("EXTORTION", "CLIENT")],
    ),
    (
        "MN_DELAY_CARE",
        [
            told("RAPE"),
            told("SEXUAL_ASSAULT", flags="I_WOUND"),
            told("ROBBERY", flags="I_WOUND", wants="W_REPORT"),
            told("RAPE", hours=150, flags="D_BLEEDING"),
            told("THREATS", flags="D_DRUGGED"),
        ],
        [
            told("SEXUAL_ASSAULT"),
            told("ROBBERY", flags="I_WOUND"),
            told("RAPE", hours=150),
            told("ROBBERY", flags="I_BRUISES", wants="W_LEGAL"),
        ],
    ),
    (
        "MN_REQUIRE_REPORT",
        [told("RAPE"), told("SEXUAL_ASSAULT"), told("STEALTHING"), told("SEXUAL_EXTORTION")],
        [told("THREATS"), told("SEXUAL_EXTORTION", extortion_act="no"), told("RAPE KILLING_DISAPPEARANCE")],
    ),
    (
        "MN_MEDIATION",
        [told("THREATS", who) for who in ("PARTNER", "FAMILY", "THIRD_PARTY")],
        [told("THREATS", "CLIENT")],
    ),
    (
        "MN_CREATE_REFERRAL",
        [told(wants="W_RECORD_ONLY"), told(wants="W_RECORD_ONLY W_INFO")],
        [told(), told(wants="W_RECORD_ONLY W_HEALTH")],
    ),
]


@pytest.mark.parametrize(("code", "holds", "does_not"), AT_STAKE, ids=[row[0] for row in AT_STAKE])
def test_a_must_not_holds_exactly_when_it_is_at_stake(
    code: str, holds: list[Incident], does_not: list[Incident]
) -> None:
    assert all(code in assess(incident).must_not for incident in holds)
    assert not any(code in assess(incident).must_not for incident in does_not)


def test_every_must_not_is_tried_above() -> None:
    assert {row[0] for row in AT_STAKE} == MUST_NOTS.keys() == {row.id for row in MUST_NOT_ROWS}


@given(INCIDENTS, st.sampled_from(["migrant", "police_safe", "condom"]))
def test_passing_over_a_question_never_lifts_a_must_not(incident: Incident, field: str) -> None:
    safe: dict[str, Any] = {"migrant": False, "police_safe": "yes", "condom": "yes"}
    passed, answered = (assess(replace(incident, **{field: value})).must_not for value in (UNSAID, safe[field]))
    assert answered <= passed


# ── what an offer may not be ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Service:
    """A service about which everything is unknown, unless said."""

    service_id: str = "somewhere"
    service_type: str = "HEALTH_PRIMARY"
    police: str = "unknown"
    accepts_no_id: str = "unknown"
    trans_friendly: str = "unknown"
    minors: str = "unknown"
    coverage_national: bool = False


ADULT, CHILD = told(), told(age="A14_17")
CIVIL = Service(police="no")

OFFERS = [
    (Service(police="no"), "MN_POLICE", ADULT, None),
    (Service(police="unknown"), "MN_POLICE", ADULT, "MN_POLICE"),
    (Service(police="yes"), "MN_CEM_COMISARIA", ADULT, "MN_CEM_COMISARIA"),
    *((Service(police="no", service_type=kind), "MN_POLICE", ADULT, "MN_POLICE") for kind in sorted(POLICE_TYPES)),
    (Service(police="yes"), "MN_SAME_STATION", ADULT, "MN_SAME_STATION"),
    (Service(service_type="POLICE"), "MN_SAME_STATION", ADULT, "MN_SAME_STATION"),
    (Service(police="yes", coverage_national=True), "MN_SAME_STATION", ADULT, None),
    (Service(), "MN_SAME_STATION", ADULT, None),
    (Service(accepts_no_id="no"), "MN_REQUIRE_ID", ADULT, "MN_REQUIRE_ID"),
    (Service(accepts_no_id="unknown"), "MN_REQUIRE_ID", ADULT, None),
    (Service(service_type="DOCUMENTS"), "MN_MIGRATION_AUTH", ADULT, "MN_MIGRATION_AUTH"),
    (Service(service_type="MIGRANT"), "MN_MIGRATION_AUTH", ADULT, None),
    (Service(trans_friendly="no"), "MN_DEADNAME", ADULT, "MN_DEADNAME"),
    (Service(trans_friendly="unknown"), "MN_DEADNAME", ADULT, None),
    (Service(police="yes", accepts_no_id="no", trans_friendly="no"), "", ADULT, None),
    (Service(minors="no"), "", CHILD, "ADULT_ONLY"),
    (Service(minors="unknown"), "", CHILD, None),
    (Service(minors="only"), "", CHILD, None),
    *((Service(service_type=kind), "", CHILD, "ADULT_ONLY") for kind in sorted(CHILD_TYPES_TO_KNOW)),
    *((Service(service_type=kind, minors="yes"), "", CHILD, None) for kind in sorted(CHILD_TYPES_TO_KNOW)),
    (Service(minors="only"), "", ADULT, "MINOR"),
    (Service(minors="no"), "", ADULT, None),
    (Service(minors="only"), "", told(age=None), None),
    (Service(minors="no"), "", told(age="PREFER_NOT"), None),
    (CIVIL, "MN_POLICE", told(refused_by=["somewhere"]), "REFUSED"),
    (CIVIL, "MN_POLICE", told(refused_by=["elsewhere"]), None),
]


@pytest.mark.parametrize(("service", "must_not", "incident", "hidden"), OFFERS)
def test_an_offer_is_hidden_for_one_reason_or_shown(
    service: Service, must_not: str, incident: Incident, hidden: str | None
) -> None:
    assert forbidden(service, frozenset(must_not.split()), incident) == hidden


def test_asking_in_words_for_police_numbers_lifts_only_the_two_about_police() -> None:
    station, everything = Service(police="yes", accepts_no_id="no"), frozenset(MUST_NOTS)
    assert (
        forbidden(Service(police="yes"), frozenset({"MN_POLICE", "MN_CEM_COMISARIA"}), ADULT, police_shown=True) is None
    )
    assert forbidden(station, everything, ADULT, police_shown=True) == "MN_SAME_STATION"
    assert forbidden(Service(minors="only"), everything - {"MN_SAME_STATION"}, ADULT, police_shown=True) == "MINOR"


def test_every_reason_to_hide_has_words() -> None:
    assert HIDES.keys() <= MUST_NOTS.keys()
    assert all(HIDDEN_BECAUSE.values())


# ── the data ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_rule_from_first_to_last_is_there_with_reason_words_and_source() -> None:
    wanted = {f"R{number:02}" for number in range(1, 36)} - {"R34"} | set("R02b R09b R11b R12b R12c R12d".split())
    assert {rule.id for rule in RULES} == wanted
    assert RECORD_ONLY.id == "R34"
    rows: list[Any] = [*FACTS, *RULES, RECORD_ONLY, *MUST_NOT_ROWS]
    for row in rows:
        assert row.why.endswith(".")
        assert set(row.sources) <= SOURCES.keys()
    assert all(rule.says.endswith(".") for rule in RULES)
    assert all(source["title"] for source in SOURCES.values())


def test_every_need_can_arise_and_every_urgency_has_words() -> None:
    assert {rule.need for rule in RULES} == NEEDS.keys()
    assert tuple(URGENCY_LABELS) == URGENCIES


def test_every_row_is_the_reason_for_something_in_a_case_above() -> None:
    cases = [incident for incident, _, _ in TYPICAL.values()] + [row[1] for row in SINGLE]
    cases += [_at(incident, hour) for incident, _, at in WINDOWS for hour in at]
    cases += [told(flags="D_BLEEDING").later(hours) for hours in (48, 49)]
    said = {sentence for incident in cases for need in assess(incident).needs for sentence in sentences(need, incident)}
    assert said == {rule.says for rule in RULES}


def test_at_an_unknown_time_only_the_open_window_speaks() -> None:
    needs = {need.code: need for need in assess(_at(STRANGLED, None)).needs}
    assert needs["N_EMERG_MED"].rules == ("R02",)
    assert "N_MED_CHECK" not in needs


ONE_REASON = [
    (told("RAPE ROBBERY", flags="I_BRUISES", wants="W_LEGAL"), "N_FORENSIC", "R10"),
    (told("ARBITRARY_DETENTION", "POLICE", ongoing=True, wants="W_LEGAL"), "N_LEGAL_STATE", "R22"),
    (told("RAPE", "POLICE"), "N_LEGAL_STATE", "R23"),
    (told("RAPE", wants="W_PSYCH"), "N_COUNSEL", "R16"),
    (told("RAPE", flags="S_LOCKED", age="U14"), "N_CHILD_PROT", "R28"),
]


@pytest.mark.parametrize(("incident", "code", "rule"), ONE_REASON)
def test_where_a_rule_says_otherwise_only_the_first_row_speaks(incident: Incident, code: str, rule: str) -> None:
    [need] = [need for need in assess(incident).needs if need.code == code]
    assert need.rules == (rule,)
    assert len(sentences(need, incident)) == 1
