"""A report goes in one way: what follows from her answers is written down in one module."""

from __future__ import annotations

import ast

from tests.house.figures import modules

MAKES = {"NewReport", "seal_report", "file_report", "tally_block", "signs_of"}
MAY = {
    "reporting.cases.submission",
    "reporting.cases.case_file",  # counts anew what was corrected
}


def test_only_submission_makes_seals_and_files_a_report() -> None:
    calls = {
        (module.name, name)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func).rpartition(".")[2]) in MAKES
    }
    assert {name for _, name in calls} == MAKES
    assert {module for module, _ in calls} == MAY


def test_a_contact_becomes_a_consent_in_one_place() -> None:
    said = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Set) and "C_CONTACT" in ast.unparse(node)
    }
    assert said == {"reporting.cases.records"}
