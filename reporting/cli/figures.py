"""Commands that rehearse a release over invented reports.

Knows no installation: real releases are compiled and published on pages.
"""

from __future__ import annotations

import json
import secrets
import time
from fractions import Fraction
from pathlib import Path

import click

from reporting.cli.base import main, text_of
from reporting.figures import noise, tables
from reporting.figures.rehearsal import BadMicrodata, Rehearsal, help_in_words, read_microdata, write


@main.group()
def release() -> None:
    """Published figures: rehearse what a release does. Real ones are compiled and published on the staff pages."""


def _a_share(_context: click.Context, _option: click.Parameter, text: str) -> Fraction:
    try:
        epsilon = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter("a number such as 1, 0.5 or 1/2.") from None
    if not 0 < epsilon <= tables.LARGEST_EPSILON or epsilon.denominator > FINEST_EPSILON:
        raise click.BadParameter(f"above 0, {tables.LARGEST_EPSILON} at most, in thousandths.")
    return epsilon


FINEST_EPSILON = 1000


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
@click.option("--also", multiple=True, type=click.Choice(tables.FURTHER), help="One more table; more noise for all.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def rehearse(
    microdata: Path,
    out: Path,
    raw: bool,
    tier: int,
    epsilon: Fraction,
    repeat: int | None,
    departments: bool,
    also: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a release out of invented reports: the very code, over MICRODATA, a CSV with one line for each report.

    Each run draws new noise from the operating system; there is no seed. One bad line and nothing is written; problems
    are told by line. Everything written is marked as fictional. To test whether one report shows: rehearse the file
    with and without its line, with --raw and --repeat, and compare. The files have the same names.
    """
    design = tables.design(tier, tuple(dict.fromkeys(also)), departments=departments)
    try:
        blocks = read_microdata(text_of(microdata))
    except BadMicrodata as problem:
        raise click.ClickException(str(problem)) from None
    began, rehearsal = time.monotonic(), Rehearsal(design, epsilon, tables.count(design, blocks), raw)
    done = 0
    for done in write(rehearsal, out, repeat or 0, noise.laplace(secrets.randbelow)):
        if done % 250 == 0:
            click.echo(f"{done} of {repeat}", err=True)
    summary = {
        "releases": done,
        "reports": len(blocks),
        "sensitivity": design.sensitivity,
        "scale": str(design.scale(epsilon)),
        "seconds": round(time.monotonic() - began, 2),
    }
    click.echo(json.dumps(summary) if as_json else f"{done} written into {out}.")
