"""A command for maintainers: the next migration, from the models. Touches no installation."""

from __future__ import annotations

import click

from reporting.cli.base import main
from reporting.cli.language import Refusal, echo
from reporting.config import IS_CHECKOUT, ROOT
from reporting.storage import database


@main.group()
def migration() -> None:
    """For maintainers: change the tables of a checkout."""


@migration.command("new")
@click.argument("words")
def new_migration(words: str) -> None:
    """Write the next migration, named in WORDS: one sentence that says what changes and why.

    What the models have and the migrations do not make yet stands in it already. Read it, set it right, run the tests.
    """
    if not IS_CHECKOUT:
        raise Refusal("This is no checkout: a migration belongs where the code is changed.")
    if not words.strip(" ."):
        raise Refusal("Say in a few words what changes.")
    file = database.new_migration(words.strip().rstrip("."))
    echo("Written: %(file)s. Read it before you run the tests.", file=file.relative_to(ROOT))
