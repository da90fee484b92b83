"""Commands for figures: freeze a period and compile its release, or rehearse one over invented reports.

Opens no tally itself. Published is on pages, by a second person who has looked.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import click

from referrals.directory.snapshot import snapshot_of
from referrals.help.answers import other_departments
from reporting.cli.base import main, progress, settings_here, text_of
from reporting.cli.language import Refusal, echo, refusal, translated
from reporting.cli.proof import DIGITS_USED, NOT_YOURS, unlocked
from reporting.errors import Busy
from reporting.figures import noise, releases, tables, work_apart
from reporting.figures.freezing import Say
from reporting.figures.periods import UnknownPeriod, period
from reporting.figures.rehearsal import BadMicrodata, Rehearsal, help_in_words, read_microdata, read_places, write
from reporting.figures.release_ledger import ReleaseRefused
from reporting.figures.releases import Choice
from reporting.figures.work_apart import Order
from reporting.i18n import T_, said
from reporting.storage.database import reading, writing
from reporting.teams import keyring
from reporting.teams.members import CodeUsed
from reporting.teams.team_log import ADVOCATE, CannotOpen, Pin
from reporting.vocabulary.places import HOME


@main.group()
def release() -> None:
    """Published figures: rehearse what a release does, freeze a period, compile it. Published is on the staff pages."""


def _further(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--also",
        multiple=True,
        type=click.Choice(tables.FURTHER),
        help="One more table: K grows, and with it the noise of all. Without it the table is not made.",
    )(command)


def _done_by_a_member(name: str, choice: Choice, *, compiles: bool) -> None:
    """Ask who does it, with password and six digits, and do it in this process. Raises `ClickException`."""
    try:
        chosen = period(name)
    except UnknownPeriod:
        raise Refusal("A period is a year (2026), two (2025-2026), a half (2026-S1) or a quarter (2026-T1).") from None
    settings, (engine, who) = settings_here(), unlocked()
    try:
        with writing(engine) as db:
            keys = keyring.take_keys(db, Pin(settings.pin_file), who)
        if ADVOCATE not in keys.roles:
            raise Refusal(NOT_YOURS)
        departments = other_departments(snapshot_of(partial(reading, engine)))
        order = Order(settings, keys, chosen.name, time.time(), choice, compiles, departments)
        work_apart.run(order, _says_how_far())
    except CodeUsed:
        raise Refusal(DIGITS_USED) from None
    except CannotOpen:
        raise Refusal(NOT_YOURS) from None
    except (Busy, ReleaseRefused) as why:
        raise refusal(why) from None
    echo(COMPILED if compiles else "%(period)s is frozen.", period=chosen.name)


def _says_how_far() -> Say:
    """Says each tenth once, on the terminal."""
    said = [-1]

    def say(done: int, of: int) -> None:
        tenth = 10 * done // max(of, 1)
        if tenth > said[0]:
            said[0] = tenth
            progress(f"{10 * tenth} %")

    return say


@release.command("freeze")
@click.argument("name", metavar="PERIOD")
def freeze_period(name: str) -> None:
    """The tallies of PERIOD leave the cases, 60 days after its end. Stopped, it goes on where it was.

    An advocate proves it with password and six digits. People go on reporting and working meanwhile.
    """
    _done_by_a_member(name, releases.USUAL, compiles=False)


@release.command("compile")
@click.argument("name", metavar="PERIOD")
@_further
@click.option(
    "--epsilon", default="1", type=click.Choice([str(epsilon) for epsilon in releases.EPSILONS]), show_default=True
)
@click.option("--only-total", is_flag=True, help="Only the total and the further tables.")
def compile_period(name: str, also: tuple[str, ...], epsilon: str, only_total: bool) -> None:
    """Freeze PERIOD where that is not done, and build its release: once, with noise that is drawn once.

    An advocate proves it with password and six digits; another one looks at it and publishes it on the pages. Tables
    of --also and a budget of 2 are a decision of the board: K and the noise follow from the tables, and the release
    says both. Departments are those of the country of this installation; their list stands in the release. `answered`
    is how soon the team first wrote to her.
    """
    further = tuple(table for table in tables.FURTHER if table in also)
    _done_by_a_member(name, Choice(further, Fraction(epsilon), only_total), compiles=True)


def _a_share(_context: click.Context, _option: click.Parameter, text: str) -> Fraction:
    try:
        epsilon = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(translated("a number such as 1, 0.5 or 1/2.")) from None
    if not 0 < epsilon <= tables.LARGEST_EPSILON or epsilon.denominator > FINEST_EPSILON:
        raise click.BadParameter(translated("above 0, %(most)s at most, in thousandths.", most=tables.LARGEST_EPSILON))
    return epsilon


FINEST_EPSILON = 1000
COMPILED = T_("%(period)s is compiled: look at it, and let another advocate publish it.")


@release.command(epilog=help_in_words())
@click.argument("microdata", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write into.")
@click.option("--raw", is_flag=True, help="Write the noisy counts alone, before anything is done to them.")
@click.option(
    "--tier",
    type=click.IntRange(tables.TOTAL_ONLY, max(tables.TIERS)),
    default=2,
    show_default=True,
    help="Which set of tables; -1 is the total alone.",
)
@click.option(
    "--epsilon",
    default="1",
    show_default=True,
    callback=_a_share,
    help="The budget of a report: above 0, 2 at most. Less is more noise.",
)
@click.option(
    "--repeat",
    type=click.IntRange(1),
    help="So many releases, each with noise of its own, into OUT/000000, OUT/000001, ...",
)
@click.option("--departments", is_flag=True, help="All departments instead of the four regions and the rest.")
@click.option(
    "--places",
    "tree",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Tree of places of another country, as for `amparo places`: its departments instead of those of Peru.",
)
@_further
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def rehearse(
    microdata: Path,
    out: Path,
    raw: bool,
    tier: int,
    epsilon: Fraction,
    repeat: int | None,
    departments: bool,
    tree: Path | None,
    also: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a release out of invented reports: the very code, over MICRODATA, a CSV with one line for each report.

    Each run draws new noise from the operating system; there is no seed. One bad line and nothing is written; problems
    are told by line. Everything written is marked as fictional. To test whether one report shows: rehearse the file
    with and without its line, with --raw and --repeat, and compare. The files have the same names.
    """
    try:
        places = read_places(text_of(tree)) if tree else HOME
        blocks = read_microdata(text_of(microdata), places)
    except BadMicrodata as problem:
        raise refusal(problem) from None
    design = tables.design(tier, tuple(dict.fromkeys(also)), departments=departments, places=places)
    began, rehearsal = time.monotonic(), Rehearsal(design, epsilon, tables.count(design, blocks), raw)
    done = 0
    for done in write(rehearsal, out, repeat or 0, noise.laplace(secrets.randbelow)):
        if done % 250 == 0:
            echo("%(done)s of %(repeat)s", done=done, repeat=repeat, err=True)
    summary = {
        "releases": done,
        "reports": len(blocks),
        "sensitivity": design.sensitivity,
        "scale": str(design.scale(epsilon)),
        "seconds": round(time.monotonic() - began, 2),
    }
    echo(json.dumps(summary) if as_json else said("%(done)s written into %(out)s.", done=done, out=out))
