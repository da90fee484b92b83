"""Calling services one after the other, in an afternoon: what to ask, and what was learnt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue

from referrals.directory import curation, gaps, snapshot
from referrals.directory.keeping import questions
from referrals.directory.keeping.calls import worklist
from referrals.help.answers import other_departments, provinces
from referrals.pages.directory.services import (
    NOT_WRITTEN,
    CellsForm,
    blueprint,
    day_in_words,
    out,
    snapshot_now,
    today_here,
)
from referrals.pages.directory.words import SAID_OF_ANSWERS
from reporting.i18n import N_
from reporting.teams.team_log import CASE_WORKER, COORDINATOR
from reporting.vocabulary.needs import NEEDS
from reporting.web import desk_pages
from reporting.web.access.auth import signed_in
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import button

LEARNT = {"nobody", "learned", "skip"}  # the buttons of a call


class AnswersForm(CellsForm):
    """What a call taught."""

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {
        question.column: question.answers for question in questions.QUESTIONS
    }


@blueprint.get("/<lang>/equipo/directorio/llamadas")
@signed_in(CASE_WORKER, COORDINATOR)
def calls() -> ResponseReturnValue:
    """The page on which a department is chosen."""
    return render_template("staff/calls.html", departments=other_departments(snapshot_now()), out=out())


@blueprint.get("/<lang>/equipo/directorio/llamadas/<place>")
@signed_in(CASE_WORKER, COORDINATOR)
def calls_in(place: str) -> ResponseReturnValue:
    """Whom to call there and what to ask: on paper, or one after another on a phone."""
    directory = snapshot_now()
    if place not in directory.cards.place_names or place == directory.cards.country:
        return error_page(404)
    with installation().reading() as db:
        tasks = worklist(db, directory, place, today_here())
    return render_template(
        "staff/worklist.html",
        tasks=tasks,
        place=place,
        name=directory.cards.place_names[place],
        on=day_in_words,
        answers=SAID_OF_ANSWERS,
        missing=_missing_near(directory, place),
        need_names=NEEDS,
        provinces=provinces(directory, place),
        today=today_here(),
        out=out(),
    )


def _missing_near(directory: snapshot.DirectorySnapshot, place: str) -> list[str]:
    """Needs for which nobody local is known, not even unverified."""
    return [gap.need for gap in gaps.gaps(directory, today_here(), place) if gap.count(gaps.VERIFIED, gaps.LISTED) == 0]


@blueprint.get("/<lang>/equipo/directorio/llamadas/<place>/<service>")
@signed_in(CASE_WORKER, COORDINATOR)
def call(place: str, service: str) -> ResponseReturnValue:
    """One call: the number, and only what nobody knows yet."""
    return _call(place, service)


@desk_pages.by_get()
def _call(
    place: str,
    service: str,
    *,
    form: AnswersForm | None = None,
    sentence: str = "",
    wrong: tuple[str, ...] = (),
    code: int = 200,
) -> ResponseReturnValue:
    directory = snapshot_now()
    with installation().reading() as db:
        entry = curation.entry(db, service, today_here())
    if entry is None or place not in directory.cards.place_names:
        return error_page(404)
    page = render_template(
        "staff/call.html",
        entry=entry,
        card=directory.cards.by_id.get(service),
        place=place,
        form=form or AnswersForm(formdata=None),
        unknown=questions.unknown_of(entry.row),
        answers=SAID_OF_ANSWERS,
        sentence=sentence,
        wrong=wrong,
        on=day_in_words,
        out=out(),
    )
    return make_response(page, code)


@blueprint.post("/<lang>/equipo/directorio/llamadas/<place>/<service>")
@takes(AnswersForm)
@may_be_sent_again
@signed_in(CASE_WORKER, COORDINATOR)
def called(place: str, service: str) -> ResponseReturnValue:
    """What the caller learned, or that nobody answered; then the next one."""
    form, go = AnswersForm(), button()
    is_right = form.is_ours()
    if place not in snapshot_now().cards.place_names:
        return error_page(404)
    if not is_right:
        return _call(place, service, form=form, code=422)
    if go not in LEARNT:
        return _call(place, service, form=form, sentence=say(N_("Choose what to do.")), code=422)
    with installation().reading() as db:
        order = [task.row["id"] for task in worklist(db, snapshot_now(), place, today_here())]
    try:
        with installation().writing() as db:
            if go == "nobody":
                curation.nobody_answered(db, service, g.keys.name, today_here())
            elif go == "learned":
                curation.learn(
                    db, service, form.cells(), g.keys.name, today_here(), form.stamp.data or "", g.keys.signer
                )
    except tuple(NOT_WRITTEN) as refused:
        return _call(place, service, form=form, sentence=say(NOT_WRITTEN[type(refused)]), code=409)
    except curation.InvalidService as refused:
        return _call(place, service, form=form, wrong=refused.reasons, code=422)
    return redirect(_next(place, service, order), 303)


def _next(place: str, service: str, order: list[str]) -> str:
    rest = order[order.index(service) + 1 :] if service in order else []
    if rest:
        return url_for("directory.call", lang=g.lang, place=place, service=rest[0])
    return url_for("directory.calls_in", lang=g.lang, place=place)
