"""What comes in with a form is read by the form: by hand only where a reason stands here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from reporting.config import ROOT
from reporting.web.forms import BUTTONS, parts_of
from tests.house.figures import modules

PAGES = ("reporting.pages", "referrals.pages")
# module -> why it looks into the request itself
BY_HAND = {
    "referrals.pages.assisted_report": "a page of questions makes its form from its answers; the ticket is no field",
    "referrals.pages.calls": "answers come by the names of the columns of the directory",
    "referrals.pages.case": "what was typed is kept for the next page",
    "referrals.pages.case_corrections": "a page of questions makes its form from its answers",
    "referrals.pages.consent": "the number of a proposal, from a page that has no form but its ticket",
    "referrals.pages.directory": "cells come by the names of the columns of the directory; words to look for; a flag",
    "referrals.pages.queue": "a view is chosen as in its address",
}


def test_a_page_reads_a_form_by_hand_only_for_a_reason_and_never_its_button() -> None:
    reads = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if module.name.startswith(PAGES) and isinstance(node, ast.Attribute) and ast.unparse(node) == "request.form"
    }
    assert reads == BY_HAND.keys()
    texts = [
        Path(path).read_text("utf-8")
        for package in ("reporting", "referrals")
        for path in (ROOT / package / "pages").glob("*.py")
    ]
    assert not [text for text in texts if re.search(r"request\.form(\.get\(|\[)[\"']go[\"']", text)]


def test_no_act_on_a_case_reads_a_form_by_hand() -> None:
    acts = next(module for module in modules() if module.name == "referrals.pages.case_actions")
    assert "request" not in {node.id for node in ast.walk(acts.tree) if isinstance(node, ast.Name)}


def test_the_grammar_of_buttons_is_that_of_the_templates() -> None:
    pages = "\n".join(path.read_text("utf-8") for path in (ROOT / "templates").rglob("*.html"))
    values = re.findall(r'name="go"\s+value="([^"]*)"', pages)
    naming = {verb for value in values for verb in re.findall(r"^([a-z]+)-\{\{", value)}
    naming |= {verb for value in values if "}}-{{" in value for verb in re.findall(r"'([a-z]+)'", value)}
    naming |= {value.partition("-")[0] for value in values if value in {"handover-yes", "handover-no"}}
    assert naming == BUTTONS.keys()


def test_what_a_button_names_is_read_apart_only_where_it_names_something() -> None:
    assert parts_of("to-3") == ("to", "3")
    assert parts_of("deny-C_LETTERS") == ("deny", "C_LETTERS")
    assert parts_of("ask-hand-over") == ("ask-hand-over", "")
    assert parts_of("allow") == ("allow", "")
