"""What she takes along: a sheet for the doctor, kept nowhere, and a plan for tonight, kept only if she wants.

In her visit some of it is ticked beforehand; from "find help" nothing is. What she ticked lies only in the sealed row
of the page and goes with it. The plan alone she may keep in her case, for herself, and take out again.
"""

from __future__ import annotations

from typing import Any

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, IntegerField, RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional

from referrals.casework import need_list
from referrals.help import doctor_sheet, tonight
from referrals.needs.assessment import assess
from reporting.cases import store
from reporting.cases.actions import speaks_for_herself
from reporting.cases.records import Visit
from reporting.i18n import N_
from reporting.pages import directory_lookups
from reporting.pages.start import box_ticket, over
from reporting.sessions.replays import LEFT
from reporting.teams.team_log import CannotOpen
from reporting.vocabulary.incident import LONGEST
from reporting.web import post_redirect_get
from reporting.web.access.audience import HERS, Pages
from reporting.web.access.traits import compressible, may_be_sent_again, takes
from reporting.web.access.visits import (
    CASE,
    Next,
    case_session_field,
    case_session_of,
    case_session_on,
    go_on,
    onward,
)
from reporting.web.context import SEEN, installation, render_template, say
from reporting.web.forms import OpenForm, button, typed_here
from reporting.web.limits import TURNING
from reporting.web.post_redirect_get import Trail, check_ticket

blueprint = Pages("take_along", __name__, HERS, limit=TURNING)
ASK, MADE = "sheet-ask", "sheet-made"  # steps: the questions, the sheet


def _field(group: doctor_sheet.Group) -> Any:
    choices = [SelectChoice(option.code, option.words["en"]) for option in group.options]
    return SelectMultipleField(choices=choices) if group.many else RadioField(choices=choices, validators=[Optional()])


class _Hours(OpenForm):
    hours = IntegerField(validators=[Optional(), NumberRange(doctor_sheet.FEWEST, LONGEST)])


SheetForm: Any = type("SheetForm", (_Hours,), {group.name: _field(group) for group in doctor_sheet.groups()})


def _ticked(form: OpenForm) -> frozenset[str]:
    """The codes that are ticked in a form of the sheet."""
    picked = (form[group.name].data for group in doctor_sheet.groups())
    return frozenset(code for data in picked for code in (data if isinstance(data, list) else [data]) if code)


def _filled(ticked: frozenset[str], hours: int | None = None) -> OpenForm:
    """A form in which this is ticked."""
    answers: dict[str, Any] = {"hours": hours}
    for group in doctor_sheet.groups():
        codes = [option.code for option in group.options if option.code in ticked]
        answers[group.name] = codes if group.many else next(iter(codes), None)
    form: OpenForm = SheetForm(formdata=None, data=answers)
    return form


@blueprint.get("/<lang>/noche")
@compressible
def plan() -> ResponseReturnValue:
    """What can be done tonight, by situation; the careful must-nots hold, because nothing was told."""
    return render_template("reporter/tonight.html", listed=tonight.every_plan(directory_lookups.snapshot()))


class PlanForm(OpenForm):
    """Whether the team may see the plan that she keeps."""

    shown = BooleanField()


@blueprint.post("/<lang>/noche")
@takes(PlanForm)
@may_be_sent_again
def keep() -> ResponseReturnValue:
    """In her visit: keep the plan of today in her case, or take it out. Where she is not in it: the start page."""
    came = check_ticket("visit")
    if came is None or came.ended == LEFT or came.ticket.step != CASE:
        return over(came)
    act = {"keep-plan": _keep, "drop-plan": _drop}.get(button())
    try:
        return go_on(came, act(case_session_of(came).visit) if act else onward("show"))
    except CannotOpen:  # it was erased meanwhile
        return redirect(url_for("reporter.start", lang=g.lang), 303)


def _keep(visit: Visit) -> Next:
    site, shown = installation(), bool(PlanForm().shown.data)
    with site.reading() as db:
        case = store.open_visit(db, visit)
    plans = () if case.unseen else tonight.plans_for(directory_lookups.snapshot(), case.incident_at(site.clock()))
    if not plans:
        return onward("show", sentence=say(N_("There is no plan for what you told.")), code=422)
    with site.writing() as db:
        store.keep_plan(db, visit, tonight.names_of(plans), site.clock(), shown=shown)
    site.checkpoint()  # it may stand in the place of one before
    return onward("show", sentence=say(N_("Your plan is kept. You find it here when you come back.")))


def _drop(visit: Visit) -> Next:
    site = installation()
    with site.writing() as db:
        store.drop_plan(db, visit, site.clock())
    site.checkpoint()  # of what she takes out, nothing stays in the log
    return onward("show", sentence=say(N_("Your plan is gone. It is in your case no more.")))


@blueprint.get("/<lang>/hoja")
@compressible
def blank() -> ResponseReturnValue:
    """What the sheet can say, nothing of it ticked."""
    return make_response(_ask(_filled(frozenset()), box_ticket()), SEEN)


@blueprint.post("/<lang>/hoja")
@takes(SheetForm)
@may_be_sent_again
def make() -> ResponseReturnValue:
    """From her visit: the questions, ticked as she told. With ticks: the sheet."""
    came = check_ticket("visit")
    if came is None or came.ended == LEFT:
        return over(came)
    if came.ticket.step == CASE:
        return go_on(came, onward(ASK) if button() == "ask-sheet" else onward(MADE, typed=typed_here()))
    return post_redirect_get.answer(post_redirect_get.follow(came, "help"), MADE, typed=typed_here())


@post_redirect_get.shows("help/sheet")
def outside(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """The sheet that was made without telling, as long as she has not left."""
    if ended == LEFT or trail.age > post_redirect_get.SHOWN:
        return post_redirect_get.start_page()
    return _page(trail, step, box_ticket(), in_case=False)


@post_redirect_get.shows("visit/sheet")
def inside(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """The questions, or the sheet, in her visit."""
    if ended == LEFT or trail.expires is None or installation().clock() > trail.expires:
        return post_redirect_get.start_page()
    session = case_session_on(trail)
    if step == MADE:
        return _page(trail, step, case_session_field(session), in_case=True)
    try:
        with installation().reading() as db:
            case = store.open_visit(db, session.visit)
    except CannotOpen:
        return post_redirect_get.start_page()
    incident = case.incident_at(installation().clock())
    leaves_out = need_list.her_page_leaves_out(case.need_states)
    needs = () if case.unseen else (need.code for need in assess(incident).needs if not leaves_out(need))
    ticked = frozenset[str]() if case.unseen else doctor_sheet.beforehand(incident, needs)
    form = _filled(ticked, None if case.unseen else doctor_sheet.exact_hours(incident))
    of_another = not speaks_for_herself(case.incident, case.consents)
    page = _ask(form, case_session_field(session), in_case=True, of_another=of_another)
    return make_response(page, trail.status(step))


def _page(trail: Trail, step: str, ticket: Any, *, in_case: bool) -> ResponseReturnValue:
    form = SheetForm(formdata=trail.typed(step))
    sheet = doctor_sheet.sheet_of(_ticked(form), form.hours.data) if form.validate() else None
    if sheet is None or not sheet.parts:
        return make_response(_ask(form, ticket, in_case=in_case, nothing=True), 422)
    page = render_template("reporter/doctor_sheet.html", sheet=sheet, ticket=ticket, in_case=in_case)
    return make_response(page, SEEN)


def _ask(form: OpenForm, ticket: Any, *, in_case: bool = False, nothing: bool = False, of_another: bool = False) -> str:
    return render_template(
        "reporter/doctor_ask.html",
        form=form,
        groups=doctor_sheet.groups_with(form["hours"].data),
        ticket=ticket,
        in_case=in_case,
        nothing=nothing,
        of_another=of_another,
        signed=doctor_sheet.is_signed(),
    )
