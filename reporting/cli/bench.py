"""Commands for maintainers: measures, each figure as JSON and ratios within one run, and the next migration.

Measures throw-away installations only, never the real one; the migration touches none.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict

import click

from reporting.cli.base import its_database, main, progress, settings_here, throw_away
from reporting.cli.language import Refusal, echo
from reporting.config import IS_CHECKOUT, ROOT
from reporting.operations.bench import desk_works, match, queue, release, submit, waits
from reporting.storage import database


@main.group()
def bench() -> None:
    """Measure: each figure as JSON, ratios within one run."""


def _table(measured: Mapping[str, object]) -> str:
    return "\n".join(f"{name:22} {value}" for name, value in measured.items())


_workers = click.option("--workers", default=2, show_default=True, help="Processes of the server.")
_at_once = click.option("--at-once", multiple=True, type=int, default=(8, 32), show_default=True, help="At once.")
_seconds = click.option("--seconds", default=5.0, show_default=True, help="Length of a run.")
_runs = click.option("--runs", default=5, show_default=True, help="Runs; the figures are medians.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print as JSON (it always is).")


@bench.command("submit")
@_workers
@_at_once
@_seconds
@_runs
@_as_json
def bench_submit(workers: int, at_once: tuple[int, ...], seconds: float, runs: int, as_json: bool) -> None:  # noqa: ARG001 -- see its help
    """Whole trips, from the first page to the receipt, against a server of our own; and their ratio to the floor."""
    echo(json.dumps(submit.submit(workers, at_once, seconds, runs, progress), indent=1))


@bench.command("limit")
@_workers
@_at_once
@_seconds
@_runs
@_as_json
def bench_limit(workers: int, at_once: tuple[int, ...], seconds: float, runs: int, as_json: bool) -> None:  # noqa: ARG001 -- see its help
    """The floor: the same bytes with only the cryptography, one durable commit and a bare answer."""
    echo(json.dumps(submit.limit(workers, at_once, seconds, runs, progress), indent=1))


@bench.command("queue")
@click.option("--cases", default=10_000, show_default=True, help="Open cases.")
@click.option("--unopened", default=1_000, show_default=True, help="How many of them nobody has seen yet.")
@its_database
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bench_queue(cases: int, unopened: int, database: str, as_json: bool) -> None:
    """How long signing in and the queue take with very many cases, in a throw-away installation."""
    with throw_away("bench", database) as (settings, engine):
        measured = asdict(queue.measure(settings, engine, cases, unopened, progress))
    echo(json.dumps(measured) if as_json else _table(measured))


@bench.command("waits")
@click.option("--cases", type=click.IntRange(100), default=10_000, show_default=True, help="Invented cases.")
@click.option("--seconds", default=20.0, show_default=True, help="At least so long beside each work.")
@click.option(
    "--beside", multiple=True, type=click.Choice([*desk_works.WORKS]), help="Only beside this work. [default: all]"
)
@its_database
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bench_waits(cases: int, seconds: float, beside: tuple[str, ...], database: str, as_json: bool) -> None:
    """How long a reporter waits for a page, and for a whole sending, while the desk works.

    An installation is filled and served as in production, with two processes for the desk. One client turns a page
    again and again, another one sends whole reports: first while nobody is at the desk (the row "idle"), then beside
    each work of the desk. Worst and median in seconds; only their ratio to "idle" means anything on another machine.

    For example, in two minutes: amparo bench waits --cases 1000 --seconds 5
    """
    with throw_away("waits", database) as (settings, engine):
        measured = waits.measure(settings, engine, cases, seconds, beside, progress)
    echo(*([json.dumps(asdict(measured))] if as_json else waits.in_words(measured)))


@bench.command("match")
@click.option("--services", default=100_000, show_default=True, help="Invented services.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bench_match(services: int, as_json: bool) -> None:
    """How long a match takes among very many services, over twenty countries and all in one; and their import."""
    with tempfile.TemporaryDirectory(prefix="amparo-match-") as folder:
        measured = match.measure(services, lambda name: f"sqlite:///{folder}/{name}.db", progress)
    echo(json.dumps(measured) if as_json else _table(measured))


@bench.command("floor", hidden=True)
@_workers
@click.option("--port", type=int, required=True)
@click.option("--sizes", required=True)
def bench_floor(workers: int, port: int, sizes: str) -> None:
    """Serve the bare answer that `bench limit` compares with; it starts this command itself."""
    submit.serve_floor(settings_here(), port, workers, json.loads(sizes))


@bench.command("release")
@click.option("--reports", type=click.IntRange(1_000), default=1_000_000, show_default=True, help="Invented tallies.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bench_release(reports: int, as_json: bool) -> None:
    """What a release costs: opening 10,000 sealed tallies, and from opened ones to finished files."""
    measured = release.measure(reports, time.perf_counter)
    echo(json.dumps(measured) if as_json else _table(measured))


# ── the next migration ──────────────────────────────────────────────────────────────────────────────────────


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
