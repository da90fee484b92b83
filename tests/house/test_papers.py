"""Pages for maintainers name what is there, and the files that tools and people look for say the same as the rest."""

from __future__ import annotations

import re
from datetime import date

import pytest
import yaml

from reporting.operations import retention
from tests.house import decisions, names, words
from tests.house.documents import COMMAND
from tests.house.figures import ROOT, modules

RECIPES = ("a question", "a need rule", "a page", "a migration", "a language")


@pytest.mark.parametrize("paper", names.PAPERS)
def test_what_a_page_for_maintainers_names_is_there(paper: str) -> None:
    assert names.unknown(paper) == []


def test_a_name_that_is_gone_is_found() -> None:
    gone = (
        "reporting/gone.py",
        "amparo gone",
        "python -m tests.gone",
        "python3 start.py amparo gone",
        "GONE_FROM_HERE",
    )
    assert not [one for one in gone if names._is_there(one)]  # noqa: SLF001 -- what the tests above stand on


def test_contributing_has_its_recipes_and_each_names_a_test() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for recipe in RECIPES:
        told = text.split(f"## Add {recipe}\n")[1].split("\n## ")[0]
        assert re.search(r"[Rr]un `test_", told)
        assert len(told.strip().splitlines()) <= 16
    assert COMMAND in text


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_word_of_the_glossary_is_used_in_the_code_and_stands_once() -> None:
    told = words.words()
    assert len(told) > 25
    assert len(set(told)) == len(told)
    assert [word for word in told if not words.is_used(word)] == []


# ── decisions ───────────────────────────────────────────────────────────────────────────────────────────────


def test_decisions_are_numbered_without_a_gap_and_each_has_its_day() -> None:
    text = decisions.PAPER.read_text("utf-8")
    assert decisions.unnumbered(text) == [], f"run: {COMMAND}"
    assert sorted(decisions.numbers(text)) == list(range(1, len(decisions.numbers(text)) + 1))
    assert all(date.fromisoformat(day) for _, day in decisions.NUMBERED.findall(text))


def test_a_new_decision_gets_the_next_number_and_the_day_and_the_others_stay() -> None:
    text = "* **2** · 2026-11-24 · **Old.** Words.\n* **New.** More\n  words.\n* **1** · 2026-11-24 · **Older.**\n"
    told = decisions.numbered(text, date(2026, 12, 1))
    assert told == text.replace("* **New.** More\n  words.", "* **3** · 2026-12-01 · **New.** More words.")
    assert decisions.numbered(told, date(2027, 1, 1)) == told


def test_a_decision_that_something_names_is_there() -> None:
    known = set(decisions.numbers(decisions.PAPER.read_text("utf-8")))
    papers = [(ROOT / paper).read_text("utf-8") for paper in names.PAPERS]
    code = [(ROOT / (module.name.replace(".", "/") + ".py")) for module in modules()]
    texts = [*papers, *(path.read_text("utf-8") for path in code if path.exists())]
    assert {
        int(number) for text in texts for pair in decisions.MENTIONED.findall(text) for number in pair if number
    } <= known


# ── what tools look for ─────────────────────────────────────────────────────────────────────────────────────


def test_what_runs_before_a_commit_is_the_ruff_of_the_lock_file_and_keeps_installations_out() -> None:
    told = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = {hook["id"]: (repo, hook) for repo in told["repos"] for hook in repo["hooks"]}
    locked = re.search(r"^ruff==(\S+)", (ROOT / "requirements-dev.txt").read_text("utf-8"), re.MULTILINE)
    assert locked
    assert {hooks[name][0]["rev"] for name in ("ruff-check", "ruff-format")} == {f"v{locked[1]}"}
    refused = re.compile(hooks["nothing-of-an-instance"][1]["files"])
    assert refused.search("instance/secrets.toml")
    assert not refused.search("instance/README.md")


def test_the_workflow_is_short_may_only_read_and_runs_what_people_run() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    told = yaml.safe_load(text)
    steps = [step["run"] for job in told["jobs"].values() for step in job["steps"] if "run" in step]
    assert steps == [".ci/run"]
    assert told["permissions"] == {"contents": "read"}
    assert len(text.splitlines()) <= 16


def test_every_period_of_the_sweep_is_that_of_a_table_or_a_file() -> None:
    from tests.house.kept import MODELS

    told = [
        row.kept
        for model in MODELS
        for row in vars(model).values()
        if hasattr(row, "kept") and hasattr(row, "__table__")
    ]
    named = {one.partition(":")[0] for kept in told for one in ([kept] if isinstance(kept, str) else kept)}
    assert set(retention.periods()) - named == {"backup_keys", "rewrite", "upgrade_copy"}  # files beside the database
