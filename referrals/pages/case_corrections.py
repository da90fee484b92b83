"""A case worker sets right what was told, page by page; both versions stay."""

from __future__ import annotations

from typing import Any

from flask import abort, g, make_response
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from referrals.help import answers as referrals_help
from referrals.pages.before_sending import version_in
from referrals.pages.case_forms import (
    CASE_PATH,
    NOT_OPENED,
    REFUSED,
    blueprint,
    counters,
    needed,
    opened_with_people,
    why_refused,
)
from referrals.pages.case_words import TABLE
from reporting.cases import actions, desk, records
from reporting.cases.follow_up import timeline
from reporting.cases.records import Case
from reporting.i18n import N_
from reporting.pages import directory_lookups, my_case
from reporting.teams.team_log import CASE_WORKER, CannotOpen
from reporting.vocabulary import questions
from reporting.vocabulary.answers import answers_of, corrected
from reporting.web import desk_pages, question_forms
from reporting.web.access.auth import signed_in
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import OpenForm, StaffForm, too_long, typed_answers, typed_here

SHE_SAID = N_("She told me so.")


class RightForm(StaffForm):
    """Why an answer is changed."""

    v = StringField()
    said = StringField()  # with it: she told so, where no other reason is written
    reason = TextAreaField(validators=[Length(max=questions.LONGEST_TEXT)])


@blueprint.get(f"{CASE_PATH}/respuestas/<int(max=18):number>")
@signed_in(CASE_WORKER)
def answers(case: int, number: int) -> ResponseReturnValue:
    """One page of her answers, to be set right by a case worker with a reason. What she said stays beside it."""
    if number not in question_forms.RIGHT_BY_THE_TEAM:
        abort(404)
    return _right_page(case, number)


@blueprint.post(f"{CASE_PATH}/respuestas/<int(max=18):number>")
@takes(RightForm, OpenForm)
@may_be_sent_again
@signed_in(CASE_WORKER)
def set_right(case: int, number: int) -> ResponseReturnValue:
    """Store the changed answers of a page with the reason; back to the case, or to the page with what is wrong."""
    if number not in question_forms.RIGHT_BY_THE_TEAM:
        abort(404)
    site, reason_form = installation(), RightForm()
    if not reason_form.is_ours():
        return _right_page(case, number, typed_here(), too_long(reason_form), 422)
    try:
        with site.writing() as db:
            opened = desk.open_case(db, g.keys, case, site.clock())
        form = _answers_form(opened, number, typed_answers())
        moment = site.clock()
        because = say(SHE_SAID) if reason_form.said.data else ""
        reason, now = needed(reason_form.reason.data or because), opened.incident_at(moment)
        if not form.validate():
            return _right_page(case, number, typed_here(), code=422)
        changed = corrected(number, now, question_forms.answers_in(form))
        with (
            site.writing() as db,
            desk.at_desk(
                db, g.keys, case, moment, "changed", seen=version_in(reason_form.v.data), counters=counters(db)
            ) as case_file,
        ):
            if changed != now:
                anew = my_case.asks_how_she_is(number)
                actions.correct(case_file, g.keys.member, changed, reason, moment, signs=anew)
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    except REFUSED as problem:
        sentence, code = why_refused(problem)
        return _right_page(case, number, typed_here(), say(sentence), code)
    return desk_pages.page_after("casework.case_page", N_("The answer is set right."), "told", case=case)


def _answers_form(opened: Case, number: int, typed: Any = None) -> Any:
    choices = directory_lookups.directory_choices(opened.incident)
    return question_forms.form_of(number, answers_of(opened.incident), choices, typed)


@desk_pages.by_get()
def _right_page(
    case: int, number: int, typed: dict[str, list[str]] | None = None, sentence: str = "", code: int = 200
) -> ResponseReturnValue:
    try:
        opened, people = opened_with_people(case)
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    form = _answers_form(opened, number, ImmutableMultiDict(typed) if typed else None)
    if typed:
        form.validate()
    page = render_template(
        "casework/set_right.html",
        case=opened,
        alias=records.alias(opened.id),
        seen=timeline.seen_of(opened),
        since=timeline.since(opened, (typed or {}).get("v", [""])[0]),
        people=people,
        table=TABLE,
        names=referrals_help.names(directory_lookups.snapshot()),
        number=number,
        title=question_forms.title_of(number, answers_of(opened.incident)),
        questions=question_forms.questions_in(number, form),
        form=form,
        reason=(typed or {}).get("reason", [""])[0],
        sentence=sentence,
        out=RightForm(formdata=None),
    )
    return make_response(page, code)
