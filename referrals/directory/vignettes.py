"""Trying the rules on written cases: reads a file of answers, says what follows, and where it differs.

For the command line and for reviewers. Fictional cases only; keeps nothing and knows no case of the
installation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from referrals.needs.assessment import sentences
from referrals.needs.codes import MUST_NOTS, UNIVERSAL, URGENCY_LABELS, Assessment, Need
from reporting.errors import AmparoError
from reporting.i18n import N_, T_, said
from reporting.vocabulary.gbvims import GBVIMS
from reporting.vocabulary.incident import BadIncident, Incident, incident_from_answers
from reporting.vocabulary.needs import NEEDS

Expected = Mapping[str, Any]
YAML_SUFFIXES: Final = frozenset({".yaml", ".yml"})
YES_NO_FIELDS: Final = (
    "extortion_act",
    "contact",
    "hurt_too",
    "condom",
    "pregnant_possible",
    "police_safe",
)  # YAML reads a bare yes or no as true or false
ALWAYS_OPTIONAL: Final = frozenset({"N_PEER", "N_COUNSEL"})  # an extra one is never over-referral


class BadFile(AmparoError, ValueError):
    """A file of cases that cannot be read. Says where, never what was written there."""


def assess_file(text: str, suffix: str) -> list[tuple[str, Incident, Expected | None]]:
    """Read cases: a list, or a table with `vignettes`; each has `answers`, perhaps `id` and `expected`.

    `BadFile` when it holds no such list.
    """
    document = _parsed(text, suffix.lower())
    rows = document.get("vignettes") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise BadFile(said("The file should hold a list of cases, or a table with a list named 'vignettes'."))
    return [_case(number, row) for number, row in enumerate(rows, 1)]


def _parsed(text: str, suffix: str) -> object:
    if suffix == ".json":
        return _parsed_json(text)
    if suffix in YAML_SUFFIXES:
        return _parsed_yaml(text)
    raise BadFile(said("The name of the file should end in .yaml, .yml or .json."))


def _parsed_json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        line = said(IN_LINE, number=problem.lineno) if isinstance(problem, json.JSONDecodeError) else ""
        raise BadFile(said("This is not readable JSON%(line)s.", line=line)) from None


def _parsed_yaml(text: str) -> object:
    try:
        import yaml  # noqa: PLC0415 - only this command needs it
    except ImportError:
        raise BadFile(said("Reading YAML needs the package PyYAML. Install it, or write the file as JSON.")) from None
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        line = said(IN_LINE, number=mark.line + 1) if mark else ""
        raise BadFile(said("This is not readable YAML%(line)s.", line=line)) from None


def _case(number: int, row: object) -> tuple[str, Incident, Expected | None]:
    if not isinstance(row, dict) or not isinstance(row.get("answers"), dict):
        raise BadFile(said("Case %(number)s has no table named 'answers'.", number=number))
    name, expected = str(row.get("id", number)), row.get("expected")
    if expected is not None and not _readable(expected):
        raise BadFile(
            said(
                "Case %(number)s: 'expected' should be a table, and its needs a list of need and urgency.",
                number=number,
            )
        )
    try:
        return name, incident_from_answers(_with_words(row["answers"])), expected
    except BadIncident as problem:
        raise BadFile(said("Case %(number)s: %(problem)s", number=number, problem=problem)) from None


def _readable(expected: object) -> bool:
    if not isinstance(expected, dict):
        return False
    needs = expected.get("needs", [])
    return isinstance(needs, list) and all(isinstance(row, dict) and {"need", "urgency"} <= row.keys() for row in needs)


def _with_words(answers: Mapping[str, object]) -> dict[str, object]:
    words = {True: "yes", False: "no"}
    return {
        name: words[value] if name in YES_NO_FIELDS and isinstance(value, bool) else value
        for name, value in answers.items()
    }


# ── what follows ────────────────────────────────────────────────────────────────────────────────────────────


def report(name: str, assessment: Assessment) -> dict[str, object]:
    """An assessment for machines."""
    return {
        "id": name,
        "gbvims": assessment.gbvims,
        "create_referral": assessment.create_referral,
        "needs": [{"need": need.code, "urgency": need.urgency, "rules": list(need.rules)} for need in assessment.needs],
        "must_not": sorted(assessment.must_not),
    }


IN_LINE = T_(" (line %(number)s)")
EXPECTED = T_("%(name)s: expected %(wanted)s, found %(actual)s")


def differences(assessment: Assessment, expected: Expected) -> list[str]:
    """Where an assessment is not what was expected, a sentence each. An empty list is agreement."""
    return [
        *_core_differences(assessment, expected),
        *_need_differences(assessment, expected),
        *_must_not_differences(assessment, expected),
    ]


def _core_differences(assessment: Assessment, expected: Expected) -> Iterator[str]:
    for name, actual in (("gbvims", assessment.gbvims), ("create_referral", assessment.create_referral)):
        if name in expected and expected[name] != actual:
            yield said(EXPECTED, name=name, wanted=expected[name], actual=actual)


def _need_differences(assessment: Assessment, expected: Expected) -> Iterator[str]:
    if "needs" not in expected:
        return
    urgency = {need.code: need.urgency for need in assessment.needs}
    wanted = {row["need"]: {row["urgency"], *row.get("accept", ())} for row in expected["needs"]}
    for code, urgencies in wanted.items():
        if urgency.get(code) not in urgencies:
            wanted_one, actual = ", ".join(sorted(urgencies)), urgency.get(code, "-")
            yield said(EXPECTED, name=code, wanted=wanted_one, actual=actual)
    for code in urgency.keys() - wanted.keys() - set(expected.get("optional", ())) - ALWAYS_OPTIONAL:
        yield said("%(name)s: not expected, found %(actual)s", name=code, actual=urgency[code])


def _must_not_differences(assessment: Assessment, expected: Expected) -> Iterator[str]:
    if "must_not" not in expected:
        return
    actual, wanted = assessment.must_not - UNIVERSAL, set(expected["must_not"]) - UNIVERSAL
    yield from (said(EXPECTED, name=code, wanted=code, actual="-") for code in sorted(wanted - actual))
    yield from (
        said("%(name)s: not expected, found %(actual)s", name=code, actual=code) for code in sorted(actual - wanted)
    )


# ── in words ────────────────────────────────────────────────────────────────────────────────────────────────
Say = Callable[[str], str]


def explained(incident: Incident, assessment: Assessment, say: Say = str) -> str:
    """An assessment for people: each need with its reasons, then what must not be done."""
    lines = [f"{say(N_('GBVIMS core type'))}: {say(GBVIMS[assessment.gbvims])} ({assessment.gbvims})"]
    if not assessment.create_referral:
        lines.append(say(N_("Only a record is wanted: nothing is created and nothing is sent. This is information.")))
    for need in assessment.needs:
        lines += _need_lines(need, incident, say)
    lines += ["", say(N_("What must not be done"))]
    lines += [f"  {code}  {say(MUST_NOTS[code])}" for code in MUST_NOTS if code in assessment.must_not]
    return "\n".join(lines)


def _need_lines(need: Need, incident: Incident, say: Say) -> list[str]:
    title = f"{say(URGENCY_LABELS[need.urgency])}: {say(NEEDS[need.code])}"
    left = "" if need.hours_left is None else f"  [{say(N_('hours left'))}: {need.hours_left:g}]"
    reasons = [f"    {say(sentence)}" for sentence in sentences(need, incident)]
    return ["", f"{title}  ({need.code}; {', '.join(need.rules)}){left}", *reasons]
