"""The codes, the incident that travels, and what is refused."""

import json
from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.vocabulary.codes import (
    ADULT_AGES,
    IDENTITY_GROUP,
    MINOR_AGES,
    STATE_AGENTS,
    VOCABULARY,
)
from reporting.vocabulary.gbvims import FORCE, GBVIMS, gbvims_core
from reporting.vocabulary.incident import BadIncident, Incident, answers_from_incident, incident_from_answers
from reporting.vocabulary.needs import NEEDS, NUMBER_IN_TALLY
from reporting.vocabulary.places import REGIONS
from reporting.vocabulary.tally import (
    TALLY_BYTE,
    TALLY_CODES,
    TALLY_SIZE,
    VOID_TALLY,
    block_of_codes,
    tally_block,
    tally_from_block,
)


def one_of(field: str) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(sorted(VOCABULARY[field]))


def some_of(field: str) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(sorted(VOCABULARY[field])), max_size=5)


MOMENTS = st.floats(0, 2000) | st.sampled_from([0.0, 48.0, 72.0, 96.0, 120.0, 168.0, 240.0, 336.0, 720.0])
TIMES = st.tuples(MOMENTS, MOMENTS).map(lambda pair: (min(pair), max(pair)))
HOURS = st.none() | TIMES
YES_NO_PASS = st.none() | st.booleans()
INCIDENTS = st.builds(
    Incident,
    **{field: one_of(field) for field in VOCABULARY.keys() - {"violence", "perpetrator", "flags", "wants", "reason"}},
    **{field: some_of(field) for field in ("violence", "perpetrator", "flags", "wants", "reason")},
    department=st.none() | st.sampled_from(["PE25", "PE04", "PE15"]),
    province=st.none() | st.sampled_from(["PE2501", "PE0401"]),
    hours=HOURS,
    told_twice=st.none() | st.tuples(TIMES, TIMES),
    ongoing=YES_NO_PASS,
    migrant=YES_NO_PASS,
    refused_by=st.frozensets(st.sampled_from(["linea100", "upe_junin", "cem-1.a"]), max_size=2),
)


@given(INCIDENTS)
def test_every_incident_comes_back_from_its_answers_even_through_json(incident: Incident) -> None:
    answers = answers_from_incident(incident)
    assert incident_from_answers(answers) == incident
    assert incident_from_answers(json.loads(json.dumps(answers))) == incident


@given(INCIDENTS)
def test_nothing_that_was_passed_over_is_written_down(incident: Incident) -> None:
    assert all(value not in (None, [], "") for value in answers_from_incident(incident).values())


def test_everything_can_be_passed_over() -> None:
    assert incident_from_answers({}) == Incident()
    assert incident_from_answers(dict.fromkeys(["violence", "age", "hours_ago", "language", "ongoing"])) == Incident()


def test_an_incident_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Incident().age = "U14"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("told", "hours"), [(5, (5, 5)), (0, (0, 0)), (2.5, (2.5, 2.5)), ([24, 72], (24, 72)), (None, None)]
)
def test_hours_are_a_number_or_two_or_unknown(told: object, hours: object) -> None:
    assert incident_from_answers({"hours_ago": told}).hours == hours


BAD_ANSWERS = [
    ("violence", "RAPE"),
    ("violence", ["RAEP"]),
    ("violence", [1]),
    ("violence", [["RAPE"]]),
    ("violence", {"RAPE": True}),
    ("violence", 3),
    ("flags", ["RAPE"]),
    ("age", "A18"),
    ("age", ["U14"]),
    ("age", 17),
    ("condom", True),
    ("ongoing", "yes"),
    ("ongoing", 1),
    ("migrant", "no"),
    ("hours_ago", -1),
    ("hours_ago", True),
    ("hours_ago", "5"),
    ("hours_ago", float("nan")),
    ("hours_ago", float("inf")),
    ("hours_ago", 10**400),
    ("hours_ago", [5]),
    ("hours_ago", [5, 4]),
    ("hours_ago", [5, None]),
    ("hours_ago", [1, 2, 3]),
    ("told_twice", [1]),
    ("told_twice", 5),
    ("told_twice", [[1, 2], [4, 3]]),
    ("told_twice", [[1, 2], None]),
    ("hours_ago", []),
    ("department", "Ucayali"),
    ("department", "PE2501"),
    ("province", "PE25"),
    ("province", 2501),
    ("refused_by", "linea100"),
    ("refused_by", ["the health centre in my street"]),
    ("refused_by", [""]),
]


@pytest.mark.parametrize(("field", "value"), BAD_ANSWERS)
def test_unknown_codes_and_wrong_kinds_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(BadIncident) as refusal:
        incident_from_answers({field: value})
    assert refusal.value.field == {"hours_ago": "hours"}.get(field, field)
    assert refusal.value.sentence.endswith(".")


@pytest.mark.parametrize("name", ["hours", "narrative", "name", "Violence", "", "my name is " * 20])
def test_an_unknown_question_is_refused(name: str) -> None:
    with pytest.raises(BadIncident):
        incident_from_answers({name: "x"})


def test_a_refusal_never_repeats_what_was_written() -> None:
    written = "a long story about a street and a name"
    for answers in (
        {"violence": [written]},
        {"age": written},
        {written: 1},
        {"refused_by": [written]},
        {"region": written},
    ):
        with pytest.raises(BadIncident) as refusal:
            incident_from_answers(answers)
        assert written not in str(refusal.value)


def test_one_question_is_not_answered_twice() -> None:
    assert incident_from_answers({"lang": "qu"}).lang == incident_from_answers({"language": "qu"}).lang == "qu"
    with pytest.raises(BadIncident):
        incident_from_answers({"lang": "qu", "language": "es"})


def test_time_moves_on_and_an_unknown_time_stays_unknown() -> None:
    assert Incident(hours=(5, 8)).later(10).hours == (15, 18)
    assert Incident(hours=(5, 8)).later(-6).hours == (0, 2)
    assert Incident().later(10).hours is None


@given(INCIDENTS, st.floats(0, 2000), st.floats(0, 2000))
def test_how_long_ago_it_was_told_adds_up_and_is_no_answer(incident: Incident, first: float, then: float) -> None:
    later = incident.later(first).later(then)
    assert later.told_ago == later.signs_ago == first + then
    assert answers_from_incident(incident).keys() == answers_from_incident(later).keys()
    for name in ("told_ago", "signs_ago"):
        assert getattr(incident_from_answers(answers_from_incident(later)), name) == 0
        with pytest.raises(BadIncident):
            incident_from_answers({name: then})


def test_every_list_of_codes_has_a_field_and_every_label_a_text() -> None:
    assert VOCABULARY.keys() <= {field.name for field in fields(Incident)}
    assert all(label.strip() for labels in VOCABULARY.values() for label in labels.values())


def test_the_groups_are_made_of_known_codes() -> None:
    assert VOCABULARY["perpetrator"].keys() > STATE_AGENTS
    assert VOCABULARY["flags"].keys() > FORCE
    assert VOCABULARY["age"].keys() - {"PREFER_NOT"} == MINOR_AGES | ADULT_AGES
    assert IDENTITY_GROUP.keys() == VOCABULARY["identity"].keys()
    assert REGIONS.keys() == VOCABULARY["region"].keys() - {"OTHER", "PREFER_NOT"}


CORES = [
    ("RAPE", "", "G1_RAPE"),
    ("STEALTHING", "", "G1_RAPE"),
    ("RAPE PHYSICAL_ASSAULT EXTORTION", "", "G1_RAPE"),
    ("SEXUAL_ASSAULT PHYSICAL_ASSAULT", "", "G2_SEXUAL_ASSAULT"),
    ("SEXUAL_EXTORTION SEXUAL_ASSAULT", "", "G2_SEXUAL_ASSAULT"),
    ("SEXUAL_EXTORTION", "", "G6_PSYCHOLOGICAL"),
    ("PHYSICAL_ASSAULT ROBBERY", "", "G3_PHYSICAL_ASSAULT"),
    ("ATTEMPTED_KILLING", "", "G3_PHYSICAL_ASSAULT"),
    ("KILLING_DISAPPEARANCE EXTORTION", "", "G3_PHYSICAL_ASSAULT"),
    ("ROBBERY", "", "G5_DENIAL"),
    ("ROBBERY", "S_WEAPON", "G3_PHYSICAL_ASSAULT"),
    ("ROBBERY", "S_KNOWS_HOME D_BLEEDING", "G5_DENIAL"),
    ("ROBBERY", "D_DRUGGED", "G3_PHYSICAL_ASSAULT"),
    ("CONFINEMENT", "", "G6_PSYCHOLOGICAL"),
    ("CONFINEMENT", "I_BRUISES", "G3_PHYSICAL_ASSAULT"),
    ("ARBITRARY_DETENTION", "", "G6_PSYCHOLOGICAL"),
    ("ARBITRARY_DETENTION", "D_FRACTURE", "G3_PHYSICAL_ASSAULT"),
    ("THREATS", "S_WEAPON", "G6_PSYCHOLOGICAL"),
    ("FORCED_MARRIAGE EXTORTION", "", "G4_FORCED_MARRIAGE"),
    ("EXTORTION THREATS", "", "G5_DENIAL"),
    ("CONDOM_CONFISCATION", "", "G5_DENIAL"),
    ("NONPAYMENT", "", "G5_DENIAL"),
    ("ECONOMIC_ABUSE", "", "G5_DENIAL"),
    ("SERVICE_DENIAL", "", "G5_DENIAL"),
    ("FORCED_HEALTH_EXAM", "", "G5_DENIAL"),
    ("FORCED_SEX_WORK CONFINEMENT", "", "G5_DENIAL"),
    ("STALKING", "", "G6_PSYCHOLOGICAL"),
    ("OUTING", "", "G6_PSYCHOLOGICAL"),
    ("PSYCH_ABUSE HATE_VIOLENCE", "", "G6_PSYCHOLOGICAL"),
    ("HATE_VIOLENCE", "", "G0_NON_GBV"),
    ("", "D_BLEEDING", "G0_NON_GBV"),
    ("ROBBERY", "I_BITE", "G3_PHYSICAL_ASSAULT"),
    ("FORCED_SEX_WORK THREATS", "", "G5_DENIAL"),
    ("FORCED_SEX_WORK PHYSICAL_ASSAULT", "", "G3_PHYSICAL_ASSAULT"),
    ("SEXUAL_EXTORTION EXTORTION", "", "G5_DENIAL"),
    ("KILLING_DISAPPEARANCE RAPE", "", "G1_RAPE"),
]


@pytest.mark.parametrize(("violence", "flags", "core"), CORES)
def test_the_first_question_answered_yes_gives_the_core_type(violence: str, flags: str, core: str) -> None:
    incident = Incident(violence=frozenset(violence.split()), flags=frozenset(flags.split()))
    assert gbvims_core(incident) == core
    assert core in GBVIMS


@pytest.mark.parametrize(
    ("violence", "answers", "core"),
    [
        ("SEXUAL_EXTORTION", {"extortion_act": "yes"}, "G1_RAPE"),
        ("SEXUAL_EXTORTION", {"extortion_act": "no"}, "G6_PSYCHOLOGICAL"),
        ("SEXUAL_EXTORTION", {"extortion_act": "unknown"}, "G6_PSYCHOLOGICAL"),
        ("SEXUAL_EXTORTION", {}, "G6_PSYCHOLOGICAL"),
        ("THREATS", {"extortion_act": "yes"}, "G6_PSYCHOLOGICAL"),
        ("FORCED_SEX_WORK", {"age": "A14_17"}, "G1_RAPE"),
        ("FORCED_SEX_WORK", {"age": "U14"}, "G1_RAPE"),
        ("FORCED_SEX_WORK", {"age": "A18_24"}, "G5_DENIAL"),
        ("FORCED_SEX_WORK", {"age": "PREFER_NOT"}, "G5_DENIAL"),
        ("SEXUAL_ASSAULT", {"contact": "yes"}, "G2_SEXUAL_ASSAULT"),
        ("EXTORTION", {"age": "A14_17"}, "G5_DENIAL"),
    ],
)
def test_the_core_type_counts_only_what_was_said(violence: str, answers: dict[str, str], core: str) -> None:
    assert gbvims_core(incident_from_answers({"violence": violence.split(), **answers})) == core


def test_every_act_but_the_motive_has_a_core_type() -> None:
    without = {
        act for act in VOCABULARY["violence"] if gbvims_core(Incident(violence=frozenset({act}))) == "G0_NON_GBV"
    }
    assert without == {"HATE_VIOLENCE"}


@given(INCIDENTS, st.integers(480_000, 700_000))
def test_every_tally_has_one_size_and_says_only_known_codes(incident: Incident, hour: int) -> None:
    block = tally_block(incident, hour, counted=True)
    tally = tally_from_block(block)
    assert len(block) == TALLY_SIZE
    assert tally is not None
    assert tally.gbvims == gbvims_core(incident)
    assert all(getattr(tally, field) in codes for field, codes in TALLY_CODES.items())


@given(INCIDENTS)
def test_without_consent_a_tally_says_nothing(incident: Incident) -> None:
    assert tally_block(incident, 500_000, counted=False) == VOID_TALLY
    assert len(VOID_TALLY) == TALLY_SIZE
    assert tally_from_block(VOID_TALLY) is None


def test_a_tally_keeps_month_department_and_the_main_codes() -> None:
    incident = incident_from_answers(
        {
            "violence": ["THREATS", "RAPE"],
            "perpetrator": ["CLIENT", "POLICE"],
            "region": "PIURA",
            "age": "A35_49",
            "identity": "TRAVESTI",
        }
    )
    tally = tally_from_block(tally_block(incident, 498_815, counted=True))  # hours since 1970: 26 November 2026
    assert tally is not None
    assert (tally.year, tally.month, tally.department) == (2026, 11, "PE20")
    assert (tally.perpetrator, tally.violence, tally.identity, tally.age) == (
        "POLICE",
        "RAPE",
        "TRANS",
        "A25P",
    )


def test_every_code_has_a_place_in_the_tally() -> None:
    assert set(TALLY_CODES["violence"]) == VOCABULARY["violence"].keys() | {"NOT_SAID"}
    assert set(TALLY_CODES["perpetrator"]) == VOCABULARY["perpetrator"].keys() | {"NOT_SAID"}
    assert set(TALLY_CODES["identity"]) == set(IDENTITY_GROUP.values())
    assert set(TALLY_CODES["gbvims"]) == GBVIMS.keys()


def test_the_bytes_of_a_tally_never_change() -> None:
    incident = Incident(
        violence=frozenset({"HATE_VIOLENCE"}),
        perpetrator=frozenset({"UNKNOWN"}),
        department="PE25",
        venue="VEHICLE",
        reported="NOBODY",
        reason=frozenset({"SHAME", "DISTRUST_POLICE"}),
        docs="NONE",
        hours=(10, 100),
    )
    block = tally_block(incident, 498_815, counted=True, outcome="RECORD_ONLY", gap="N_SHELTER", answered="WITHIN_24")
    assert block.hex() == "031a0b" + "0e17" + "0000" + "06" + "04" + "19" + "01" + "04" + "02" + "02" + "0d" + "02"


def test_a_tally_of_the_first_format_is_still_read() -> None:
    tally = tally_from_block(bytes.fromhex("015f02504532350e170000060400" + "0000"))
    assert tally is not None
    assert (tally.year, tally.month, tally.department, tally.perpetrator) == (2026, 11, "PE25", "UNKNOWN")
    assert (tally.violence, tally.gbvims, tally.outcome) == ("HATE_VIOLENCE", "G0_NON_GBV", "RECORD_ONLY")


@pytest.mark.parametrize(
    "odd", [bytes(15), b"\x03" + bytes(15), b"\x02\x1a\x0d" + bytes(13), b"\x03\x1a\x01\xff" + bytes(12)]
)
def test_a_tally_that_nobody_here_wrote_is_refused(odd: bytes) -> None:
    with pytest.raises(ValueError, match="format"):
        tally_from_block(odd)


NUMBERED_NEEDS = (
    "NONE N_EMERG_MED N_CRISIS_MH N_CHILD_PROT N_PEP N_EC N_STI N_HEPB N_WOUND N_MED_CHECK N_PREG N_TRAFFICKING"
    " N_SAFETY_PLAN N_SHELTER N_FORENSIC N_LEGAL_STATE N_PROTECTION N_REPORT_ROUTE N_LEGAL_INFO N_PFA N_COUNSEL"
    " N_DIGITAL N_PEER N_DOCS N_ECON N_SERVICE_COMPLAINT N_MISSING"
).split()  # as stored tallies count them: a new need is appended here, and nothing else in it ever changes


def test_a_need_keeps_the_number_that_stored_tallies_know_and_a_new_one_is_appended() -> None:
    assert list(TALLY_CODES["gap"]) == NUMBERED_NEEDS
    for number, need in enumerate(NUMBERED_NEEDS):
        block = block_of_codes(2026, 11, {"gap": need})
        assert block[TALLY_BYTE["gap"]] == number
        tally = tally_from_block(block)
        assert tally is not None
        assert tally.gap == need


def test_every_need_has_a_number_of_its_own_in_the_tally() -> None:
    assert sorted(NUMBER_IN_TALLY.values()) == list(range(1, len(NEEDS) + 1)), "no number is left out or given twice"
    assert set(TALLY_CODES["gap"]) == set(NEEDS) | {"NONE"}


def test_departments_keep_the_numbers_that_stored_tallies_know() -> None:
    of_peru = ("NOT_SAID", *(f"PE{number:02}" for number in range(1, 26)), "OTHER")
    assert TALLY_CODES["department"] == (*of_peru, *(f"{number:02}" for number in range(100)))
