"""The case page: everything of one case, and the acts on it. Its opening is in the audit.

Speaks HTTP and nothing else. What an act does is a matter of `case_actions`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue

from referrals.casework import folds, need_list, queue, referral, views
from referrals.casework.look import look
from referrals.casework.pressing import pressing, signs_told, told_danger, write_down
from referrals.casework.views import View
from referrals.directory import snapshot
from referrals.directory.snapshot import DirectorySnapshot
from referrals.help import answers as referrals_help
from referrals.help import proposals, tonight
from referrals.help.match import match
from referrals.needs.assessment import window_runs
from referrals.pages.act_forms import ActForm, CloseForm, LetterToHerForm
from referrals.pages.before_sending import SPOKEN, TAKEN, before_sending, is_taking
from referrals.pages.case_actions import ACTS, NO_ACT, refusal
from referrals.pages.case_forms import CASE_PATH, NOT_OPENED, blueprint, case_workers, other_teams
from referrals.pages.case_words import TABLE
from referrals.pages.follow_up import plans
from referrals.pages.follow_up.letter_box import FILL, letter_box
from referrals.pages.follow_up.shown import what_is_next
from reporting.cases import actions, desk, records
from reporting.cases.follow_up import timeline
from reporting.cases.records import Case, NoConsent
from reporting.clock import HOUR
from reporting.i18n import N_
from reporting.pages.her_consents import consents_of
from reporting.teams.team_log import CASE_WORKER, CannotOpen
from reporting.vocabulary import wording
from reporting.vocabulary.codes import MINOR_AGES
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.need_states import AGREED, PROPOSED
from reporting.vocabulary.person import speaking
from reporting.web import desk_pages, languages, question_forms
from reporting.web.access.auth import refresh_keys, signed_in
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.context import days_since, installation, local_hour, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import button, is_shown_once_more, parts_of, too_long


@blueprint.get(CASE_PATH)
@signed_in(CASE_WORKER)
def case_page(case: int) -> ResponseReturnValue:
    """Everything of one case. The opening is in the audit."""
    return _show(case)


@blueprint.get(f"{CASE_PATH}/siguiente")
@signed_in(CASE_WORKER)
def next_case(case: int) -> ResponseReturnValue:
    """Off to the first of today's cases that this member has not looked at today; to the list where there is none."""
    following = _following(case)
    if not following:
        return redirect(url_for("casework.queue", lang=g.lang), 303)
    return redirect(url_for("casework.case_page", lang=g.lang, case=following), 303)


def _following(case: int) -> int:
    """Its number; 0 where none is left for today."""
    site, keys, now = installation(), refresh_keys(), installation().clock()
    hour = int(site.clock()) // HOUR
    with site.reading() as db:
        cache = look(db, keys, site.pin, now).cache
    ranks = cache.ranks.values()
    listed = views.chosen(cache, View(), keys.member, now, views.put_aside(ranks))
    lines, _ = folds.folded(queue.in_order(listed), folds.large(ranks), now)
    return views.to_go_on_with(cache, lines, keys.member, case, hour, hour - local_hour(hour).hour)


def _to_the_next(case: int) -> ResponseReturnValue:
    """The page of the case that follows one to which a letter was sent; the list where none is left for today."""
    if following := _following(case):
        return desk_pages.page_after("casework.case_page", SENT_AND_NEXT, "", case=following)
    return desk_pages.page_after("casework.queue", SENT_AND_NONE, "")


@blueprint.post(CASE_PATH)
@takes(*{act.form for act in ACTS.values()})
@may_be_sent_again
@signed_in(CASE_WORKER)
def act(case: int) -> ResponseReturnValue:
    """One act on a case. What is not right comes back with what was typed."""
    pressed, (verb, named) = button(), parts_of(button())
    if verb == FILL:
        return _fill(case, named)
    ends = named if verb == CLOSE and named in actions.SAY_ALL else ""
    go = CLOSE if ends else AND_THE_NEXT.get(pressed, pressed)
    form = ACTS.get(go, NO_ACT).form()
    if isinstance(form, CloseForm) and ends:
        form.ends(ends)
    if not form.is_ours():
        return _show(case, form=form, pressed=go, sentence=too_long(form), code=422)
    if go == "contact":
        return _show_contact(case)
    refused = refusal(case, go, form)
    if refused:
        return _show(case, form=form, pressed=go, sentence=" ".join(map(say, refused[0])), code=refused[1])
    if go in GOES:
        installation().checkpoint()
    if go == "handed" and not _still_readable(case):
        return redirect(url_for("casework.queue", lang=g.lang), 303)
    return _to_the_next(case) if pressed in AND_THE_NEXT else _done(case, go, form)


def _done(case: int, go: str, form: ActForm) -> ResponseReturnValue:
    """The page of the case where the work is, with what was done said in sight."""
    _, sentence, place = SPOKEN[go]
    sentence = TAKEN if is_taking(go, form, g.keys.member) else sentence
    desk_pages.done(sentence, place, url_for("casework.case_page", lang=g.lang, case=case))
    return _show(case)


def _fill(case: int, letter: str) -> ResponseReturnValue:
    """The page again, at the box for her answer, with a letter of the team in it. Nothing is sent."""
    form = LetterToHerForm()
    if not form.is_ours() and form.errors:
        return _show(case, form=form, pressed="letter", sentence=too_long(form), code=422)
    g.at = "f-text"
    return _show(case, form=form, pressed="letter", letter=letter)


def _still_readable(case: int) -> bool:
    try:
        with installation().writing() as db:
            desk.open_case(db, g.keys, case, installation().clock())
    except CannotOpen:
        return False
    return True


@desk_pages.by_get()
def _show_contact(case: int) -> ResponseReturnValue:
    site = installation()
    try:
        with site.writing() as db:
            contact = desk.open_contact(db, g.keys, case, site.clock())
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    except NoConsent:
        return _show(case, sentence=say(N_("She gave no way to reach her, or took it back.")), code=422)
    return _show(case, contact=contact)


@desk_pages.by_get()
def _show(
    case: int,
    *,
    form: ActForm | None = None,
    pressed: str = "",
    contact: Any = None,
    letter: str = "",
    sentence: str = "",
    code: int = 200,
) -> ResponseReturnValue:
    """The page of a case, as it is after it was opened; before it, an act that is shown before it is sent."""
    site, directory = installation(), snapshot.snapshot_of(installation().reading)
    keys = refresh_keys()
    try:
        with site.writing() as db:
            opened = desk.open_case(db, keys, case, site.clock(), works_out=write_down)
            people, teams = case_workers(db, site, keys), other_teams(db, site, opened)
            linked = desk.called(db, keys, opened.work_record.get("links", ())).values()
            letters = letter_box(db, keys, opened, directory, letter, form)
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    if letter and letters.draft is None:
        sentence, code = say(N_("That letter was taken out meanwhile.")), 422
    page = render_template(
        "casework/case.html",
        **_as_it_stands(opened, directory),
        case=opened,
        alias=records.alias(opened.id),
        timeline=timeline.timeline(opened),
        **what_is_next(opened),
        looked=opened.last_look(keys.member),
        came=languages.hour(g.lang, local_hour(opened.hour)),
        contact=contact,
        **_typed(opened, None if letters.draft else form, pressed, sentence, code),
        letters=letters,
        seen=timeline.seen_of(opened),
        people=people,
        teams=teams,
        links=[(other, records.alias(other)) for other in linked],
        owner=opened.owner,
        asked_team=teams.get(actions.asked_hand_over(opened.work_record), ""),
        referrals=[(proposal, list(referral.steps(proposal, keys.member))) for proposal in opened.referrals],
        may_allow=[code for code, _, _ in consents_of(opened)],
        herself=actions.speaks_for_herself(opened.incident, opened.consents),
        table=TABLE,
        me=keys.member,
        out=ActForm(formdata=None),
    )
    return make_response(page, code)


def _typed(opened: Case, form: ActForm | None, go: str, sentence: str, code: int) -> dict[str, Any]:
    """What was typed: in its place with what is wrong there; or before everything, to be looked at and sent."""
    held = is_shown_once_more()
    if form is None or go not in ACTS or not (held or code == HTTPStatus.CONFLICT):
        return {"typed": form, "pressed": go, "sentence": sentence, "before": None}
    before = before_sending(opened, form, go, g.keys.member, held=held)
    return {"typed": None, "pressed": "", "sentence": "", "before": before}


def _as_it_stands(opened: Case, directory: DirectorySnapshot) -> dict[str, Any]:
    """What was told, in words, and what follows from it now."""
    names, moment = referrals_help.names(directory), installation().clock()
    incident, languages, states = opened.incident_at(moment), (opened.language,), opened.need_states
    leaves_out = need_list.team_leaves_out(states)
    matched = match(directory, incident, moment, languages=languages, leaves_out=leaves_out)
    help_now = referrals_help.help_of(matched)
    return {
        "facts": wording.facts_of(opened.incident, names, say),
        "first": wording.facts_of(opened.first, names, say) if opened.corrections else (),
        "help": help_now,
        "must_not": _must_not(opened, help_now.must_not),
        "states": states,
        "danger": _danger(opened, incident, names),
        "open_windows": [need for need in help_now.needs if window_runs(need.need)],
        "running": sorted(
            (need for need in help_now.needs[1:] if window_runs(need.need)),
            key=lambda need: math.inf if need.need.hours_left is None else need.need.hours_left,
        ),
        "unwritten": not any(letter.sender == records.FROM_TEAM for letter in opened.letters),
        "need_list": need_list.for_team(opened, moment),
        "doors": proposals.doors_of(matched),
        "under_way": [need for need, stands in states.items() if stands.state in {PROPOSED, AGREED}],
        "silent": days_since(opened.last_word),
        "services": referrals_help.services_for(directory, incident),
        "minor": incident.age in MINOR_AGES,
        "names": names,
        "kept": tonight.kept_plans(directory, incident, opened.plan["lines"]) if opened.plan else (),
        "to_unmark": actions.to_unmark(opened.marks, opened.work_record),
        "plans": plans.at_a_glance(opened),
        "pages": question_forms.titles_to_set_right(opened.incident),
        "at_once": question_forms.to_set_right_at_once(opened.incident),
        "unclear": question_forms.unclear_to_the_team(opened.incident),
    }


def _must_not(opened: Case, by_rule: Collection[str]) -> frozenset[str]:
    """What must never be done. Whether she may be called hangs on what she allows now, not on what was told."""
    allows = opened.has_contact and "C_CONTACT" in opened.consents
    may_call = allows and actions.speaks_for_herself(opened.incident, opened.consents)
    return frozenset(by_rule) - {NO_CALL} | (frozenset() if may_call else {NO_CALL})


def _danger(opened: Case, incident: Incident, names: Mapping[str, str]) -> dict[str, Any]:
    """What the queue says in red, with the signs she told, in words, and the hour in which she told them.

    `unasked`: they are too old to be taken as of right now, and nobody has written or spoken to her since.
    """
    settled = [need for need, stands in opened.need_states.items() if stands.settled]
    presses, signs_hour = pressing(incident, settled), opened.told_hours.signs
    then = told_danger(incident, settled) if opened.spoken_at <= signs_hour else None
    signs = frozenset(signs_told(incident, then or presses))
    return {
        "medical": presses.danger,
        "unsafe": presses.unsafe,
        "unasked": then is not None and not presses.is_danger,
        "words": list(wording.words_of_fact("flags", signs, names, speaking(say, incident.about))),
        "told": signs_hour,
    }


NO_CALL = "MN_CONTACT_BACK"
CLOSE = "close"
AND_THE_NEXT = {"letter-next": "letter", "answer-next": "answer"}  # button -> its act, after which she goes on at once
SENT_AND_NEXT = N_("Your letter was sent. This is the next case.")
SENT_AND_NONE = N_("Your letter was sent. No other case of today is left that you have not looked at.")
GOES = {"handed", "allow", "reach"}  # what takes something away from a case or from a team: it goes from the log too
