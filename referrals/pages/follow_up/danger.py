"""The danger she is in, asked anew by a case worker: kept with its date beside what she told before.

Windows, must-nots and the order of the queue go by it at once. Speaks HTTP and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import g, make_response
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length

from referrals.casework.follow_up.danger import HAPPENED, NOW, DangerTold, danger_over_time, newly_happened, with_danger
from referrals.pages.before_sending import version_in
from referrals.pages.case_forms import CASE_PATH, NOT_OPENED, REFUSED, counters, opened_with_people, why_refused
from reporting.cases import actions, desk, records
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile
from reporting.cases.follow_up import timeline
from reporting.cases.records import Case
from reporting.clock import HOUR
from reporting.i18n import N_
from reporting.teams.team_log import CASE_WORKER, CannotOpen
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Hours
from reporting.vocabulary.questions import LONGEST_TEXT, WHEN
from reporting.web import desk_pages
from reporting.web.access.audience import DESK, Pages
from reporting.web.access.auth import signed_in
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import StaffForm, too_long, typed_here
from reporting.web.limits import TURNING

blueprint = Pages("danger", __name__, DESK, limit=TURNING)
NOT_AGAIN = "no"


class DangerForm(StaffForm):
    """What she says of the danger now: signs, or none of them; whether something happened again, and when."""

    v = StringField()
    signs = SelectMultipleField(validate_choice=False)
    none = BooleanField()
    again = StringField(validators=[Length(max=20)])
    reason = TextAreaField(validators=[Length(max=LONGEST_TEXT)])


@blueprint.get(f"{CASE_PATH}/peligro")
@signed_in(CASE_WORKER)
def danger(case: int) -> ResponseReturnValue:
    """The danger signs, to be read aloud to her, none of them ticked; what was told before stands beside them."""
    return _danger_page(case)


@blueprint.post(f"{CASE_PATH}/peligro")
@takes(DangerForm)
@may_be_sent_again
@signed_in(CASE_WORKER)
def assess_anew(case: int) -> ResponseReturnValue:
    """Keep what she says of the danger now, with its date; or the page once more with what was typed."""
    form, site = DangerForm(), installation()
    if not form.is_ours():
        return _danger_page(case, typed_here(), too_long(form), 422)
    try:
        seen = version_in(form.v.data)
        with (
            site.writing() as db,
            desk.at_desk(db, g.keys, case, site.clock(), "changed", seen=seen, counters=counters(db)) as case_file,
        ):
            _assess(case_file, form)
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    except REFUSED as problem:
        refused, code = why_refused(problem)
        return _danger_page(case, typed_here(), say(refused), code)
    return desk_pages.page_after("casework.case_page", N_("It is kept what she says of the danger now."), "", case=case)


def _assess(case_file: CaseFile, form: DangerForm) -> None:
    moment = installation().clock()
    now, signs = case_file.incident_at(moment), frozenset(form.signs.data or ())
    if not signs.intersection(NOW) and not form.none.data:
        raise NotAllowed(N_("Tick what is so now, or that she names none of it."))
    if signs.intersection(NOW) and form.none.data:
        raise NotAllowed(N_("You ticked signs, and also that there is none. Which one is right?"))
    if newly_happened(now, signs) and form.again.data not in WHEN:
        raise NotAllowed(N_("Something happened that she had not told before: say when."))
    since = _again(form.again.data or "", moment / HOUR - case_file.summary.told_hours.signs)
    changed = with_danger(now, signs, since)
    actions.correct(case_file, g.keys.member, changed, (form.reason.data or "").strip(), moment, signs=True)


def _again(code: str, since_told: float) -> Hours | None:
    """Hours since it happened again; when nobody knows, since any moment after she was asked the last time."""
    if code not in WHEN:
        return None
    return WHEN[code][0] or (0.0, max(0.0, since_told))


def danger_in_words(case: Case) -> list[tuple[DangerTold, list[str]]]:
    """What was told of danger, with its date, and its signs in words; the newest last."""
    return [(entry, [say(VOCABULARY["flags"][sign]) for sign in entry.signs]) for entry in danger_over_time(case)]


@desk_pages.by_get()
def _danger_page(
    case: int, typed: Mapping[str, Sequence[str]] | None = None, sentence: str = "", code: int = 200
) -> ResponseReturnValue:
    try:
        opened, people = opened_with_people(case)
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    labels = VOCABULARY["flags"]
    page = render_template(
        "casework/danger.html",
        case=opened,
        alias=records.alias(opened.id),
        seen=timeline.seen_of(opened),
        people=people,
        groups=[[(sign, say(labels[sign])) for sign in signs] for signs in (NOW, HAPPENED)],
        kept=opened.incident.flags.intersection(HAPPENED),
        when={NOT_AGAIN: N_("No, nothing happened since")} | {when: label for when, (_, label) in WHEN.items()},
        danger=danger_in_words(opened),
        typed=typed or {},
        sentence=sentence,
        again=code == HTTPStatus.CONFLICT,
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)
