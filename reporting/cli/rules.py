"""Commands that try the need rules on written cases.

Reads a file and prints; knows no installation and no case of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from referrals.directory import vignettes
from referrals.needs import assessment as needs_assessment
from referrals.needs import rulebook
from reporting.cli.base import main
from reporting.cli.language import echo, refusal, spoken, translated


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "checking", is_flag=True, help="Compare with what the file expects; exit 1 on any difference.")
@click.option("--explain", is_flag=True, help="Print for people instead of JSON.")
def assess(file: Path, checking: bool, explain: bool) -> None:
    """Work out needs, urgency and must-nots of the incidents in FILE (YAML or JSON, the shape of the vignettes).

    Prints a list as JSON: id, gbvims, create_referral, needs (need, urgency, rules), must_not.
    """
    try:
        incidents = vignettes.assess_file(file.read_text(encoding="utf-8"), file.suffix)
    except vignettes.BadFile as problem:
        raise refusal(problem) from None
    assessed = [(name, incident, needs_assessment.assess(incident), expected) for name, incident, expected in incidents]
    if explain:
        say = _in_words()
        for name, incident, assessment, _ in assessed:
            echo(name, vignettes.explained(incident, assessment, say), "")
    elif not checking:
        echo(
            json.dumps(
                [vignettes.report(name, assessment) for name, _, assessment, _ in assessed],
                ensure_ascii=False,
                indent=1,
            )
        )
    if checking:
        sys.exit(_compare(assessed))


def _in_words() -> Callable[[str], str]:
    """How a sentence is said: that of a rule as its row says it, any other as everywhere."""
    of_rules = {row.says["en"]: row.says for row in rulebook.rules()}
    return lambda text: of_rules.get(text, {}).get(spoken()) or translated(text)


def _compare(assessed: list[tuple[str, Any, Any, Any]]) -> int:
    with_expectation = [
        (name, assessment, expected) for name, _, assessment, expected in assessed if expected is not None
    ]
    wrong = {name: vignettes.differences(assessment, expected) for name, assessment, expected in with_expectation}
    for name, problems in wrong.items():
        for problem in problems:
            echo(f"{name}: {translated(problem)}")
    right = sum(not problems for problems in wrong.values())
    echo("%(right)s of %(count)s as expected.", right=right, count=len(wrong))
    return 0 if right == len(wrong) else 1
