"""Plans that a case worker fills in together with her: the page of a case's plans, the form of each, its sheet.

A plan filled in again is a new version; the ones before stay beside it. Speaks HTTP and nothing else: what a plan asks
is reviewed data, what is kept of it a matter of `reporting.cases.follow_up`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

from flask import abort, g, make_response, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from referrals.casework.follow_up.danger import danger_over_time
from referrals.help.plan_fields import PlanField, plan_fields, plans_signed
from referrals.pages.before_sending import version_in
from referrals.pages.case_forms import CASE_PATH, NOT_OPENED, REFUSED, opened_with_people, why_refused
from referrals.pages.follow_up.danger import danger_in_words
from reporting.cases import actions, desk, records
from reporting.cases.actions import NotAllowed
from reporting.cases.follow_up import acts, plans, timeline
from reporting.cases.follow_up.plan_versions import CASE_PLAN, SAFETY_PLAN, SHOW_PLAN, PlanVersion, wait_for_second
from reporting.cases.records import Case
from reporting.i18n import N_
from reporting.teams.team_log import CASE_WORKER, CannotOpen
from reporting.web import desk_pages
from reporting.web.access.audience import DESK, Pages
from reporting.web.access.auth import signed_in
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.context import installation, render_template, say, today
from reporting.web.errors import error_page
from reporting.web.forms import (
    DAY_IS_WRITTEN,
    LONGEST_DAY,
    BadFormValue,
    StaffForm,
    day_in,
    number_in,
    too_long,
    typed_here,
)
from reporting.web.limits import TURNING

blueprint = Pages("plans", __name__, DESK, limit=TURNING)
LONGEST_ANSWER = 1500  # signs of one field: all of a plan is a page of paper
KINDS = {"seguridad": SAFETY_PLAN, "caso": CASE_PLAN}  # as an address spells it -> kind of plan
NAMES = {SAFETY_PLAN: N_("Safety plan"), CASE_PLAN: N_("Case plan")}
REVIEW_AFTER = {SAFETY_PLAN: 14, CASE_PLAN: 30}  # days after which a plan is looked at again, unless they say another
KEPT_FIRST, KEPT = N_("The plan is kept."), N_("The plan is kept. The one before stays beside it.")
KIND_PATH = f"{CASE_PATH}/planes/<kind>"
Typed = Mapping[str, Sequence[str]]


class _PlanForm(StaffForm):
    v = StringField()
    review = StringField(validators=[Length(max=LONGEST_DAY)])
    shown = StringField(validators=[Length(max=3)])


def _form_for(kind: str) -> type[_PlanForm]:
    fields = {field.name: TextAreaField(validators=[Length(max=LONGEST_ANSWER)]) for field in plan_fields(kind)}
    return type(f"{kind}_form", (_PlanForm,), fields)


FORMS = {kind: _form_for(kind) for kind in KINDS.values()}


class SecondLook(StaffForm):
    """The version of a plan that a second case worker has looked at."""

    v = StringField()
    number = StringField()


@blueprint.get(f"{CASE_PATH}/planes")
@signed_in(CASE_WORKER)
def every_plan(case: int) -> ResponseReturnValue:
    """The plans of a case, each with its versions, and what was told of danger, with its dates."""
    return _every_plan(case)


@blueprint.post(f"{CASE_PATH}/planes")
@takes(SecondLook)
@may_be_sent_again
@signed_in(CASE_WORKER)
def look_over(case: int) -> ResponseReturnValue:
    """A second case worker has looked at a plan."""
    form, site = SecondLook(), installation()
    if not form.is_ours():
        return _every_plan(case, too_long(form), 422)
    try:
        seen, number = version_in(form.v.data), number_in(form.number.data)
        with site.writing() as db, desk.at_desk(db, g.keys, case, site.clock(), "changed", seen=seen) as case_file:
            plans.look_over(case_file, g.keys.member, number, site.clock())
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    except REFUSED as problem:
        refused, code = why_refused(problem)
        return _every_plan(case, say(refused), code)
    desk_pages.done(N_("It is kept that you have looked at it."), "", _address(case))
    return _every_plan(case)


@blueprint.get(KIND_PATH)
@signed_in(CASE_WORKER)
def plan(case: int, kind: str) -> ResponseReturnValue:
    """The form of a plan, to be filled in together with her; it begins with what the newest version says."""
    _known(kind)
    return _form_page(case, kind)


def _known(kind: str) -> str:
    """The kind of plan that an address spells; there is no page for any other."""
    return KINDS[kind] if kind in KINDS else abort(404)


@blueprint.post(KIND_PATH)
@takes(*FORMS.values())
@may_be_sent_again
@signed_in(CASE_WORKER)
def fill(case: int, kind: str) -> ResponseReturnValue:
    """Keep a plan as a new version; or its form once more with what was typed and what is wrong there."""
    form = FORMS[_known(kind)]()
    if not form.is_ours():
        return _form_page(case, kind, typed_here(), too_long(form), 422)
    try:
        is_first = _keep(case, KINDS[kind], form)
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    except REFUSED as problem:
        refused, code = why_refused(problem)
        return _form_page(case, kind, typed_here(), say(refused), code)
    desk_pages.done(KEPT_FIRST if is_first else KEPT, "", _address(case))
    return _every_plan(case)


def _keep(case: int, kind: str, form: Any) -> bool:
    """Keep what was filled in; returns whether it is the first plan of its kind."""
    site, review = installation(), _review_day(form.review.data)
    words = {field.name: form[field.name].data or "" for field in plan_fields(kind)}
    wish, seen = form.shown.data if kind == SAFETY_PLAN else "", version_in(form.v.data)
    with site.writing() as db, desk.at_desk(db, g.keys, case, site.clock(), "changed", seen=seen) as case_file:
        plans.fill(case_file, g.keys.member, kind, words, review, site.clock())
        if wish in {"yes", "no"} and (wish == "yes") != (SHOW_PLAN in case_file.consents):
            actions.allow(case_file, SHOW_PLAN, yes=wish == "yes")
        return len(case_file.all_of(kind)) == 1


def _review_day(text: str | None) -> date | None:
    if not (text or "").strip():
        return None
    try:
        day = day_in(text)
    except BadFormValue:
        raise NotAllowed(DAY_IS_WRITTEN) from None
    if day < today().date():
        raise NotAllowed(N_("The day on which you look at it again has passed already."))
    if day > today().date() + timedelta(days=acts.LATEST_DAYS):
        raise NotAllowed(acts.WITHIN_A_YEAR)
    return day


@blueprint.get(f"{KIND_PATH}/hoja")
@signed_in(CASE_WORKER)
def sheet(case: int, kind: str) -> ResponseReturnValue:
    """The newest version of a plan on paper, without a name. The printing is in the audit."""
    site, wanted = installation(), _known(kind)
    try:
        with site.writing() as db:
            opened = desk.open_case(db, g.keys, case, site.clock(), "printed plan")
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    versions = _versions(opened)[wanted]
    if not versions:
        return error_page(404, N_("This plan was not filled in yet."))
    parts = {"rows_of_plan": _rows(versions[-1]), "plan": versions[-1], "signed": plans_signed(), "case": case}
    return render_template("casework/plan_sheet.html", **parts, out=StaffForm(formdata=None))


# ── the pages ───────────────────────────────────────────────────────────────────────────────────────────────


def at_a_glance(case: Case) -> dict[str, Any]:
    """What the page of a case says of its plans: the newest of each, the next day, whether one waits for a look."""
    day = case.next_review if case.state != "closed" else None
    return {
        "newest": [(path, say(NAMES[kind]), versions[-1:]) for path, kind, versions in _listed(case)],
        "review": day,
        "overdue": day is not None and day < today().date(),
        "wait": wait_for_second(case.safety_plans, case.case_plans) if installation().settings.plan_review else (),
        "danger": danger_over_time(case)[-1],
    }


def _listed(case: Case) -> list[tuple[str, str, tuple[PlanVersion, ...]]]:
    return [(path, kind, _versions(case)[kind]) for path, kind in KINDS.items()]


def _versions(case: Case) -> dict[str, tuple[PlanVersion, ...]]:
    return {SAFETY_PLAN: case.safety_plans, CASE_PLAN: case.case_plans}


def _rows(version: PlanVersion) -> list[tuple[str, tuple[str, ...]]]:
    """(heading, words) of what a plan says, in the order in which it is asked."""
    fields: tuple[PlanField, ...] = plan_fields(version.kind)
    return [(field.label(g.lang), (version.words[field.name],)) for field in fields if field.name in version.words]


def _address(case: int) -> str:
    return url_for("plans.every_plan", lang=g.lang, case=case)


@desk_pages.by_get()
def _every_plan(case: int, sentence: str = "", code: int = 200) -> ResponseReturnValue:
    try:
        opened, people = opened_with_people(case)
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    page = render_template(
        "casework/plans.html",
        case=opened,
        alias=records.alias(opened.id),
        seen=timeline.seen_of(opened),
        people=people,
        me=g.keys.member,
        listed=[
            (path, say(NAMES[kind]), [(version, _rows(version)) for version in reversed(versions)])
            for path, kind, versions in _listed(opened)
        ],
        second=installation().settings.plan_review,
        danger=danger_in_words(opened),
        signed=plans_signed(),
        sentence=sentence,
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


@desk_pages.by_get()
def _form_page(
    case: int, path: str, typed: Typed | None = None, sentence: str = "", code: int = 200
) -> ResponseReturnValue:
    kind = KINDS[path]
    try:
        opened, people = opened_with_people(case)
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    newest = _versions(opened)[kind][-1:]
    again = today().date() + timedelta(days=REVIEW_AFTER[kind])
    words = {**(newest[0].words if newest else {}), "review": f"{again:%d/%m/%Y}", "shown": _shown(opened)}
    page = render_template(
        "casework/plan.html",
        case=opened,
        alias=records.alias(opened.id),
        seen=timeline.seen_of(opened),
        people=people,
        path=path,
        name=say(NAMES[kind]),
        fields=plan_fields(kind),
        longest=LONGEST_ANSWER,
        words=words | {name: values[0] for name, values in (typed or {}).items() if values},
        newest=newest,
        asks_her=kind == SAFETY_PLAN,
        signed=plans_signed(),
        sentence=sentence,
        again=code == HTTPStatus.CONFLICT,
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


def _shown(case: Case) -> str:
    return "yes" if SHOW_PLAN in case.consents else "no"
