"""What comes in with a form is read by the form, and what a button says is read in one place."""

from __future__ import annotations

import ast
import re

from reporting.config import ROOT
from reporting.web.forms import BUTTONS, parts_of
from tests.house.figures import modules

PAGES = ("reporting.pages", "referrals.pages")


def test_no_page_reads_what_comes_in_but_through_a_form() -> None:
    reads = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if module.name.startswith(PAGES) and isinstance(node, ast.Attribute)
        if ast.unparse(node) in {"request.form", "request.values", "request.files", "request.data", "request.json"}
    }
    assert not reads


def test_what_was_typed_on_a_page_of_questions_is_read_by_the_form_made_from_them_alone() -> None:
    uses, read = 0, 0
    for module in modules():
        if module.name.startswith(PAGES):
            calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
            uses += sum(ast.unparse(call) == "typed_answers()" for call in calls)
            makers = (call for call in calls if ast.unparse(call.func).endswith(("form_of", "_form")))
            read += sum(ast.unparse(argument) == "typed_answers()" for call in makers for argument in call.args)
    assert uses == read > 0


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
