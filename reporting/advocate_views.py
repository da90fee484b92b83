"""Pages about figures: the public ones, and the advocates' desk where a release is compiled and published.

They speak HTTP and nothing else, and are never handed a true count. The public pages carry no link from or to a
reporter's page; with FIGURES_HOST they answer on a host of their own and nowhere else.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flask import Blueprint, Response, abort, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from reporting import desk_pages, disclosure, statistics
from reporting.countries import FIRST_HOME
from reporting.frontdoor import StaffForm, error_page, house, render_template, say, signed_in
from reporting.incidents import N_
from reporting.statistics import Choice, Published, Refused
from reporting.teamlog import ADVOCATE, CannotOpen

pages = Blueprint("advocate", __name__)

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


@pages.before_app_request
def keep_hosts_apart() -> None:
    """Figures on their own host only, where there is one; and nothing else there."""
    wanted, public = house().settings.figures_host, request.endpoint in PUBLIC
    here = request.host.rsplit(":", 1)[0].lower()
    if wanted and request.blueprint != "files" and (here == wanted) is not public:
        abort(404)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table as it is read: labels, the figure, its bounds, the length of its bar."""

    labels: tuple[str, ...]
    count: int | None
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as it is read."""

    name: str
    title: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    within: int

    @property
    def longest(self) -> int:
        """What the bars are measured against."""
        return max((line.high for line in self.lines if line.count is not None), default=1)

    def units(self, number: int) -> int:
        """A figure as a length in the chart."""
        return round(BAR * number / self.longest)


def _shown(release: Published) -> list[Shown]:
    return [_table(release, told) for told in release.about["tables"]]


def _title(names: Sequence[str]) -> str:
    return " · ".join(say(disclosure.DIMENSIONS[name].label) for name in names) or say(N_("All reported incidents"))


def _table(release: Published, told: dict[str, Any]) -> Shown:
    names = told["dimensions"]
    lines = tuple(
        Line(tuple(_label(name, row[name]) for name in names), row["count"], row["low"], row["high"])
        for row in release.tables[told["name"]]
    )
    heads = tuple(say(disclosure.DIMENSIONS[name].label) for name in names)
    return Shown(told["name"], _title(names), heads, lines, told["within"])


def _label(name: str, group: str) -> str:
    return say(disclosure.label(name, group))


# ── for everybody ───────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/<lang>/cifras")
def figures() -> ResponseReturnValue:
    """Every release, and how figures moved from one to the next."""
    releases = _published()
    divided = [one for one in releases if HUB in one.tables]  # where only the total is published there is no more
    trends = [
        (_label(HUB, name), [(one.period, _of(one, name)) for one in divided])
        for name in disclosure.DIMENSIONS[HUB].codes
        if len(divided) > 1
    ]
    uneven = len({len(statistics.period(one.period).months) for one in divided}) > 1
    return _answer(render_template("advocate/figures.html", releases=releases, trends=trends, uneven=uneven))


def _published() -> list[Published]:
    with house().reading() as db:
        return list(reversed(statistics.published(db)))


def _of(release: Published, name: str) -> dict[str, Any]:
    return next(row for row in release.tables[HUB] if row[HUB] == name)


@pages.get("/<lang>/cifras/como")
def how() -> ResponseReturnValue:
    """How people are protected: what is claimed, what it costs, what is not promised."""
    return _answer(render_template("advocate/how.html"))


@pages.get("/<lang>/cifras/<period>")
def release(period: str) -> ResponseReturnValue:
    """One release, under an address that stays."""
    found = _find(period)
    if found is None:
        return error_page(404)
    return _answer(_page(found))


@pages.get("/cifras/<period>/<name>")
def file(period: str, name: str) -> ResponseReturnValue:
    """One file of a release: the very bytes that were signed off."""
    found = _find(period)
    if found is None or name not in found.files:
        return error_page(404)
    answer = make_response(found.files[name])
    answer.mimetype = KINDS[name.rsplit(".", 1)[-1]].split(";")[0]
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.period}-{name}"'
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


def _find(period: str, *, unpublished: bool = False) -> Published | None:
    try:
        with house().reading() as db:
            return statistics.find(db, period, unpublished=unpublished)
    except CannotOpen:
        return None


def _page(found: Published, **more: Any) -> str:
    host = house().settings.figures_host
    base = f"https://{host}" if host else house().settings.base_url
    return render_template(
        "advocate/release.html",
        release=found,
        tables=_shown(found),
        charts=CHARTS,
        bar=BAR,
        files=[(name, say(told)) for name, told in FILES.items()],
        factor=factor(Fraction(found.about["epsilon"])),
        address=base + url_for("advocate.release", lang=g.lang, period=found.period),
        **({"preview": False} | more),
    )


def factor(epsilon: Fraction) -> str:
    """By how much a report can change the probability of what is published, in figures."""
    return f"{math.exp(epsilon):.1f}"


def _answer(page: str) -> Response:
    g.may_shrink = True  # nothing on it is anybody's
    return make_response(page)


PUBLIC = frozenset({"advocate.figures", "advocate.how", "advocate.release", "advocate.file"})


# ── the desk ────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/<lang>/equipo/cifras")
@signed_in(ADVOCATE)
def desk() -> ResponseReturnValue:
    """What can be compiled, what waits to be published, what is published."""
    return _desk()


@desk_pages.by_get()
def _desk(sentence: str = "", code: int = 200) -> ResponseReturnValue:
    made = house()
    with made.reading() as db:
        there = statistics.listed(db)
    free = statistics.closed_periods(made.clock(), (one.period for one in there))
    page = render_template(
        "advocate/desk.html", releases=there, free=free, sentence=sentence, out=StaffForm(formdata=None)
    )
    return make_response(page, code)


@pages.get("/<lang>/equipo/cifras/preparar")
@signed_in(ADVOCATE)
def plan() -> ResponseReturnValue:
    """What would be published of a period, how exact it would be, and what can be chosen. Nothing is opened."""
    try:
        chosen, choice = statistics.period(request.args.get("period", "")), _choice()
        with house().reading() as db:
            made, expected = statistics.design_of(db, chosen, choice), statistics.expected(db, chosen)
    except ValueError:
        return _desk(say(N_("Choose a period.")), 422)
    tables = [(_title(one.dimensions), disclosure.bound(made, one, choice.epsilon))
              for one in disclosure.published(made)]  # fmt: skip
    page = render_template(
        "advocate/plan.html", period=chosen.name, choice=choice, made=made, expected=expected, tables=tables,
        further=[(name, say(disclosure.DIMENSIONS[name].label)) for name in _further()],
        epsilons=[(one, factor(one)) for one in statistics.EPSILONS], factor=factor(choice.epsilon),
        few=min(least for least, _, _ in disclosure.TIERS.values() if least), out=StaffForm(formdata=None),
    )  # fmt: skip
    return make_response(page)


def _choice() -> Choice:
    """What was ticked; `ValueError` for what cannot be chosen."""
    told = request.values
    budgets = {str(one): one for one in statistics.EPSILONS}
    further = tuple(name for name in _further() if name in told.getlist("also"))
    if told.get("epsilon", "1") not in budgets or len(further) != len(set(told.getlist("also"))):
        raise ValueError
    return Choice(further, budgets[told.get("epsilon", "1")], total_only="only" in told or not _has_regions())


def _has_regions() -> bool:
    """Whether the places of the tables are those of this country. Elsewhere only what has no place is published."""
    return house().settings.country == FIRST_HOME


def _further() -> tuple[str, ...]:
    """The tables that can be added."""
    return tuple(name for name in disclosure.FURTHER if name != "department" or _has_regions())


@pages.post("/<lang>/equipo/cifras")
@signed_in(ADVOCATE)
def compile_one() -> ResponseReturnValue:
    """Freeze a closed period and build its release: once."""
    made, name = house(), request.form.get("period", "")
    if not StaffForm().is_ours():
        return _desk(say(N_("Choose a period.")), 422)
    try:
        chosen, choice = statistics.period(name), _choice()
        release = _frozen(made, chosen)
        with made.writing() as db:
            statistics.compile_release(
                db, made.pin, g.keys, release, disclosure.laplace(secrets.randbelow), choice,
                fictional=made.settings.practice,
            )  # fmt: skip
    except ValueError:
        return _desk(say(N_("Choose a period.")), 422)
    except Refused as why:
        return _desk(say(str(why)), 409)
    except CannotOpen:
        return _desk(say(N_("You are not let in yet: an advocate of your team has to do it.")), 403)
    return redirect(url_for("advocate.preview", lang=g.lang, period=chosen.name), 303)


def _frozen(made: Any, chosen: statistics.Period) -> int:
    """The number of its release: frozen now, or before a crash."""
    with made.reading() as db:
        waiting = _waiting(statistics.listed(db), chosen.name)
    if waiting is not None:
        return waiting
    with made.writing() as db:
        return statistics.freeze(db, made.pin, g.keys, chosen, made.clock())


def _waiting(there: Iterable[statistics.Listed], name: str) -> int | None:
    return next((one.id for one in there if one.period == name and one.state == statistics.FROZEN), None)


@pages.get("/<lang>/equipo/cifras/<period>")
@signed_in(ADVOCATE)
def preview(period: str) -> ResponseReturnValue:
    """A compiled release as it will be read."""
    return _preview(period)


@desk_pages.by_get()
def _preview(period: str, sentence: str = "", code: int = 200) -> ResponseReturnValue:
    found = _find(period, unpublished=True)
    if found is None:
        return error_page(404)
    return make_response(_page(found, preview=True, sentence=sentence, out=StaffForm(formdata=None)), code)


@pages.post("/<lang>/equipo/cifras/<period>")
@signed_in(ADVOCATE)
def publish(period: str) -> ResponseReturnValue:
    """The second pair of eyes says yes."""
    made = house()
    with made.reading() as db:
        release = next((one.id for one in statistics.listed(db) if one.period == period), 0)
    if not StaffForm().is_ours():
        return error_page(404)
    try:
        with made.writing() as db:
            statistics.publish(db, made.pin, g.keys, release)
    except Refused as why:
        return _preview(period, say(str(why)), 409)
    except CannotOpen:
        return error_page(404)
    made.emptied()
    return redirect(url_for("advocate.desk", lang=g.lang), 303)
