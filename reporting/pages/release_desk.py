"""The advocates' desk: a release is planned, compiled, seen by a second person and published.

It shows noised figures only; what is counted and how stands in `reporting.figures`.
"""

from __future__ import annotations

from flask import g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectMultipleField, StringField

from reporting.figures import bounds, periods, releases
from reporting.figures.periods import UnknownPeriod
from reporting.figures.release_ledger import ReleaseRefused
from reporting.figures.releases import Choice
from reporting.figures.tables import DIMENSIONS, FURTHER, TIERS, published
from reporting.figures.work_apart import TASK, Order
from reporting.i18n import N_
from reporting.pages.figures import blueprint, factor, find, page, title
from reporting.teams.team_log import ADVOCATE, CannotOpen
from reporting.vocabulary.places import CountryPlaces, places_of
from reporting.web import desk_pages
from reporting.web.access.auth import signed_in
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import BadFormValue, StaffForm, complaint


class PlanForm(StaffForm):
    """A period, and what is published of it: from the address of a plan, or from its button."""

    period = StringField(default="")
    epsilon = StringField(default="1")
    also = SelectMultipleField(validate_choice=False)
    only = BooleanField()

    def choice(self) -> Choice:
        """What was ticked. Raises `BadFormValue` for what cannot be chosen."""
        budgets, also = {str(epsilon): epsilon for epsilon in releases.EPSILONS}, set(self.also.data or ())
        if self.epsilon.data not in budgets or not also <= set(FURTHER):
            raise BadFormValue
        further = tuple(name for name in FURTHER if name in also)
        return Choice(further, budgets[self.epsilon.data], total_only=self.only.data)


@blueprint.get("/<lang>/equipo/cifras")
@signed_in(ADVOCATE)
def desk() -> ResponseReturnValue:
    """What can be compiled, what waits to be published, what is published."""
    return _desk()


@desk_pages.by_get()
def _desk(sentence: str = "", code: int = 200) -> ResponseReturnValue:
    site = installation()
    with site.reading() as db:
        there = releases.listed(db)
    free = periods.closed_periods(site.clock(), (release.period for release in there))
    page = render_template(
        "advocate/desk.html",
        releases=there,
        free=free,
        sentence=sentence,
        is_going_on=site.busy_with() == TASK,
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


@blueprint.get("/<lang>/equipo/cifras/preparar")
@signed_in(ADVOCATE)
def plan() -> ResponseReturnValue:
    """What would be published of a period, how exact it would be, and what can be chosen. Nothing is opened."""
    try:
        form = PlanForm(request.args)
        chosen, choice = periods.period(form.period.data), form.choice()
        with installation().reading() as db:
            design, expected = releases.design_of(db, chosen, choice, _places()), releases.expected(db, chosen)
    except (BadFormValue, UnknownPeriod):
        return _desk(complaint(N_("Choose a period.")), 422)
    tables = [(title(table.dimensions), bounds.bound(design, table, choice.epsilon)) for table in published(design)]
    page = render_template(
        "advocate/plan.html",
        period=chosen.name,
        choice=choice,
        design=design,
        expected=expected,
        tables=tables,
        further=[(name, say(DIMENSIONS[name].label)) for name in FURTHER],
        epsilons=[(epsilon, factor(epsilon)) for epsilon in releases.EPSILONS],
        factor=factor(choice.epsilon),
        few=min(least for least, _, _ in TIERS.values() if least),
        out=StaffForm(formdata=None),
    )
    return make_response(page)


def _places() -> CountryPlaces:
    """The departments that reports are divided by; none where this country has no tree of places yet."""
    site = installation()
    return places_of(site.settings.country, site.departments())


@blueprint.post("/<lang>/equipo/cifras")
@takes(PlanForm)
@may_be_sent_again
@signed_in(ADVOCATE)
def compile_one() -> ResponseReturnValue:
    """Have a closed period frozen and its release built, once, by a process of its own; the desk says how far it is."""
    site, form = installation(), PlanForm()
    if not form.is_ours():
        return _desk(say(N_("Choose a period.")), 422)
    try:
        chosen, choice = periods.period(form.period.data), form.choice()
        with site.reading() as db:
            releases.may_compile(db, site.pin, g.keys, chosen, site.clock())
        if site.busy_with():
            return _desk(say(N_("A backup or the nightly sweep is running. Wait a few minutes and press again.")), 409)
        departments = _places().departments
        site.apart(Order(site.settings, g.keys, chosen.name, site.clock(), choice, departments=departments))
    except (BadFormValue, UnknownPeriod):
        return _desk(say(N_("Choose a period.")), 422)
    except ReleaseRefused as why:
        return _desk(say(str(why)), 409)
    except CannotOpen:
        return _desk(say(N_("You are not let in yet: an advocate of your team has to do it.")), 403)
    return redirect(_where_it_is_shown(chosen.name), 303)


def _where_it_is_shown(period: str) -> str:
    """Its preview; while it is being counted, the desk, which says how far it is."""
    if find(period, unpublished=True) is None:
        return url_for("figures.desk", lang=g.lang)
    return url_for("figures.preview", lang=g.lang, period=period)


@blueprint.get("/<lang>/equipo/cifras/<period>")
@signed_in(ADVOCATE)
def preview(period: str) -> ResponseReturnValue:
    """A compiled release as it will be read."""
    return _preview(period)


@desk_pages.by_get()
def _preview(period: str, sentence: str = "", code: int = 200) -> ResponseReturnValue:
    release = find(period, unpublished=True)
    if release is None:
        return error_page(404)
    return make_response(page(release, preview=True, sentence=sentence, out=StaffForm(formdata=None)), code)


@blueprint.post("/<lang>/equipo/cifras/<period>")
@takes(StaffForm)
@may_be_sent_again
@signed_in(ADVOCATE)
def publish(period: str) -> ResponseReturnValue:
    """A second advocate publishes what one compiled; a redirect to the desk, or the preview with what is in the way."""
    site = installation()
    with site.reading() as db:
        number = next((known.id for known in releases.listed(db) if known.period == period), 0)
    if not StaffForm().is_ours():
        return _preview(period)
    try:
        with site.writing() as db:
            releases.publish(db, site.pin, g.keys, number)
    except ReleaseRefused as why:
        return _preview(period, say(str(why)), 409)
    except CannotOpen:
        return error_page(404)
    site.checkpoint()
    return redirect(url_for("figures.desk", lang=g.lang), 303)
