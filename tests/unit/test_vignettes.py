"""Sixteen written cases, exact; and reading files of cases."""

import json
from pathlib import Path

import pytest

from referrals.directory.vignettes import BadFile, Expected, assess_file, differences, explained, report
from referrals.needs.assessment import assess
from reporting.vocabulary.incident import Incident

VIGNETTES = Path(__file__).parent.parent.parent / "referrals" / "data" / "vignettes.yaml"
CASES = assess_file(VIGNETTES.read_text("utf-8"), ".yaml")


def test_there_are_sixteen_cases_and_each_says_what_is_expected() -> None:
    assert len(CASES) == 16
    assert all(expected and expected["needs"] for _, _, expected in CASES)


@pytest.mark.parametrize("case", CASES, ids=[name for name, _, _ in CASES])
def test_a_written_case_is_assessed_as_expected(case: tuple[str, Incident, Expected]) -> None:
    _, incident, expected = case
    assert differences(assess(incident), expected) == []


def test_the_same_cases_can_be_written_as_json() -> None:
    rows = [{"id": "a", "answers": {"violence": ["RAPE"], "hours_ago": [1, 30]}}]
    for told in (rows, {"vignettes": rows, "schema_version": 1}):
        [(name, incident, expected)] = assess_file(json.dumps(told), ".JSON")
        assert (name, incident.hours, expected) == ("a", (1, 30), None)


def test_yaml_may_say_yes_and_no_without_quotes() -> None:
    text = "- answers: {police_safe: no, condom: yes, pregnant_possible: no, ongoing: yes, migrant: no}"
    [(name, incident, _)] = assess_file(text, ".yml")
    assert (name, incident.police_safe, incident.condom, incident.pregnant_possible) == (
        "1",
        "no",
        "yes",
        "no",
    )
    assert (incident.ongoing, incident.migrant) == (True, False)


BAD_FILES = [
    ("{", ".json", "line 1"),
    ("[" * 100_000, ".json", "JSON"),
    ("a: [", ".yaml", "line"),
    ("!!python/object:os.system x", ".yaml", "YAML"),
    ("[]", ".txt", ".yaml"),
    ("3", ".json", "list"),
    ("{}", ".json", "vignettes"),
    ("[3]", ".json", "Case 1"),
    ('[{"answers": []}]', ".json", "answers"),
    ('[{"answers": {}}, {"answers": {"age": "SECRET WORDS"}}]', ".json", "Case 2: age"),
    ('[{"answers": {}, "expected": []}]', ".json", "expected"),
    ('[{"answers": {}, "expected": {"needs": ["N_PEP"]}}]', ".json", "expected"),
]


@pytest.mark.parametrize(("text", "suffix", "hint"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_a_file_that_cannot_be_read_says_where_and_repeats_nothing(text: str, suffix: str, hint: str) -> None:
    with pytest.raises(BadFile) as refusal:
        assess_file(text, suffix)
    assert hint in str(refusal.value)
    assert "SECRET" not in str(refusal.value)


def test_every_way_of_differing_is_said() -> None:
    _, incident, _ = CASES[0]
    wrong = {
        "gbvims": "G2_SEXUAL_ASSAULT",
        "create_referral": False,
        "needs": [
            {"need": "N_PEP", "urgency": "H24"},
            {"need": "N_SHELTER", "urgency": "NOW"},
            {"need": "N_EC", "urgency": "NOW", "accept": ["H24"]},
        ],
        "optional": ["N_STI"],
        "must_not": ["MN_RESCUE", "MN_OUT", "MN_POLICE"],
    }
    said = differences(assess(incident), wrong)
    told = {sentence.split(":")[0] for sentence in said}
    assert told == {
        "gbvims",
        "create_referral",
        "N_PEP",
        "N_SHELTER",
        "N_HEPB",
        "N_FORENSIC",
        "N_PFA",
        "MN_RESCUE",
        "MN_CEM_COMISARIA",
        "MN_CONTACT_BACK",
        "MN_DELAY_CARE",
    }
    assert "N_EC" not in told
    assert "MN_OUT" not in told


def test_a_report_is_the_same_every_time_and_ready_for_json() -> None:
    for name, incident, _ in CASES:
        told = report(name, assess(incident))
        assert json.dumps(told) == json.dumps(report(name, assess(incident)))
        assert set(told) == {"id", "gbvims", "create_referral", "needs", "must_not"}


def test_an_assessment_can_be_read_by_people() -> None:
    for _, incident, _ in CASES:
        assessment = assess(incident)
        text = explained(incident, assessment)
        assert all(need.code in text for need in assessment.needs)
        assert all(code in text for code in assessment.must_not)
    assert "Solo" in explained(CASES[1][1], assess(CASES[1][1]), lambda _: "Solo")
