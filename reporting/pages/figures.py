"""The public pages of figures: all releases, one release, its files, and how they are made.

They speak HTTP and nothing else, and are never handed a true count. These pages carry no link from or to
a reporter's page; with FIGURES_HOST they answer on a host of their own and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flask import g, make_response, url_for
from flask.typing import ResponseReturnValue

from reporting.figures import labels, periods, tables
from reporting.figures import releases as figures_releases
from reporting.figures.releases import Published
from reporting.i18n import N_
from reporting.teams.team_log import CannotOpen
from reporting.web.access.audience import ANYBODY, Pages
from reporting.web.access.traits import compressible, public_figures
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.limits import TURNING

blueprint = Pages("figures", __name__, ANYBODY, limit=TURNING)
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "SHA256SUMS": "text/plain; charset=utf-8",
}
HUB = "perpetrator"  # what is followed from one release to the next
CHARTS = (HUB, "type")  # the tables that a picture stands beside
# the files that hold more than one table -> what they are for
FILES = {
    "figures.xlsx": N_("All tables in one spreadsheet"),
    "figures.json": N_("All figures"),
    "csv-metadata.json": N_("What each column means"),
    "release.json": N_("How it was made"),
    "SHA256SUMS": N_("To check that no file was changed"),
}
BAR = 300  # units of a chart that the longest bar takes


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table as it is read: labels, the figure, its bounds, the length of its bar."""

    labels: tuple[str, ...]
    count: int | None
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A table of a release with every label in words."""

    name: str
    title: str
    heads: tuple[str, ...]
    lines: tuple[TableRow, ...]
    within: int
    note: str = ""  # how it is to be read

    @property
    def longest(self) -> int:
        """What the bars are measured against."""
        return max((line.high for line in self.lines if line.count is not None), default=1)

    def units(self, number: int) -> int:
        """A figure as a length in the chart."""
        return round(BAR * number / self.longest)


def _shown(release: Published) -> list[Shown]:
    return [_table(release, table) for table in release.about["tables"]]


def title(names: Sequence[str]) -> str:
    """What a table is about, in words."""
    return " · ".join(say(tables.DIMENSIONS[name].label) for name in names) or say(N_("All reported incidents"))


def _table(release: Published, table: dict[str, Any]) -> Shown:
    names = table["dimensions"]
    lines = tuple(
        TableRow(tuple(_label(name, row[name], release) for name in names), row["count"], row["low"], row["high"])
        for row in release.tables[table["name"]]
    )
    heads = tuple(say(tables.DIMENSIONS[name].label) for name in names)
    note = " ".join(say(labels.NOTES[name]) for name in names if name in labels.NOTES)
    return Shown(table["name"], title(names), heads, lines, table["within"], note)


def _label(name: str, group: str, release: Published) -> str:
    """A group in words. A department has the name that stands in the release: lists of places change."""
    known = labels.label(name, group)
    return say(release.about["codes"][name][group]["label"] if known == group else known)


@blueprint.get("/<lang>/cifras")
@public_figures
@compressible
def figures() -> ResponseReturnValue:
    """Every release, and how figures moved from one to the next."""
    releases = _published()
    # where only the total is published there is no more
    divided = [release for release in releases if HUB in release.tables]
    trends = [
        (say(labels.label(HUB, name)), [(release.period, _of(release, name)) for release in divided])
        for name in tables.DIMENSIONS[HUB].codes
        if len(divided) > 1
    ]
    uneven = len({len(periods.period(release.period).months) for release in divided}) > 1
    return make_response(render_template("advocate/figures.html", releases=releases, trends=trends, uneven=uneven))


def _published() -> list[Published]:
    with installation().reading() as db:
        return list(reversed(figures_releases.published(db)))


def _of(release: Published, name: str) -> dict[str, Any]:
    return next(row for row in release.tables[HUB] if row[HUB] == name)


@blueprint.get("/<lang>/cifras/como")
@public_figures
@compressible
def how() -> ResponseReturnValue:
    """How people are protected: what is claimed, what it costs, what is not promised."""
    return make_response(render_template("advocate/how.html"))


@blueprint.get("/<lang>/cifras/<period>")
@public_figures
@compressible
def release(period: str) -> ResponseReturnValue:
    """One release, under an address that stays."""
    release = find(period)
    if release is None:
        return error_page(404)
    return make_response(page(release))


@blueprint.get("/cifras/<period>/<name>")
@public_figures
def file(period: str, name: str) -> ResponseReturnValue:
    """One file of a release: the very bytes that were signed off."""
    release = find(period)
    if release is None or name not in release.files:
        return error_page(404)
    answer = make_response(release.files[name])
    answer.mimetype = KINDS[name.rsplit(".", 1)[-1]].split(";")[0]
    answer.headers["Content-Disposition"] = f'attachment; filename="{release.period}-{name}"'
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


def find(period: str, *, unpublished: bool = False) -> Published | None:
    """The release of a period; None where there is none, or it does not open."""
    try:
        with installation().reading() as db:
            return figures_releases.find(db, period, unpublished=unpublished)
    except CannotOpen:
        return None


def page(release: Published, **more: Any) -> str:
    """A release as a page."""
    hosts = installation().settings.figures_hosts
    base = f"https://{hosts[0]}" if hosts else installation().settings.base_url
    return render_template(
        "advocate/release.html",
        release=release,
        tables=_shown(release),
        charts=CHARTS,
        bar=BAR,
        files=[(name, say(label)) for name, label in FILES.items()],
        factor=factor(Fraction(release.about["epsilon"])),
        address=base + url_for("figures.release", lang=g.lang, period=release.period),
        **({"preview": False} | more),
    )


def factor(epsilon: Fraction) -> str:
    """By how much a report can change the probability of what is published, in figures."""
    return f"{math.exp(epsilon):.1f}"
