"""Colleagues: letting somebody in by six spoken words, vouching for a team, taking somebody out.

Gives nobody a key that a member did not mean to give. Shows no case.
"""

from __future__ import annotations

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from reporting.i18n import N_
from reporting.pages.account import ROLE_NAMES, blueprint
from reporting.teams import accounts, audit, keyring, members, staff_sessions, team_log
from reporting.teams.keyring import WrongWords
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, CASEWORK, CannotOpen, Team
from reporting.web import desk_pages
from reporting.web.access.auth import refresh_keys, signed_in
from reporting.web.access.traits import takes
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import StaffForm, button


class WordsForm(StaffForm):
    """The six words that a member heard."""

    words = TextAreaField(N_("The six words she tells you"), validators=[InputRequired(), Length(max=200)])


@blueprint.get("/<lang>/equipo/companeras")
@signed_in(CASE_WORKER, ADVOCATE)
def colleagues() -> ResponseReturnValue:
    """Who reads with the member, who waits to be let in, whose phone was taken."""
    return _colleagues()


@desk_pages.by_get()
def _colleagues(sentence: str = "", code: int = 200) -> ResponseReturnValue:
    site, keys = installation(), refresh_keys()
    with site.reading() as db:
        teams = site.teams(db)
        own_teams = [team for team in teams if team.id in keys.epochs]
        others = [account for account in members.accounts(db, teams) if account.id != keys.member]
    page = render_template(
        "staff/colleagues.html",
        others=[
            account
            for account in others
            if any(team_log.reads(team, account.roles, account.teams) for team in own_teams)
        ],
        fresh=_fresh_teams(teams, own_teams),
        sentence=sentence,
        role_names=ROLE_NAMES,
        form=WordsForm(formdata=None),
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


def _fresh_teams(teams: tuple[Team, ...], own_teams: list[Team]) -> list[Team]:
    """New teams that a member who reads in a trusted one could vouch for."""
    known = team_log.trusted(teams)
    waiting = [team for team in teams if team.kind == CASEWORK and team not in known]
    return waiting if any(team in known for team in own_teams) else []


@blueprint.post("/<lang>/equipo/companeras/equipo/<int(max=2147483647):team>")
@takes(WordsForm)
@signed_in(CASE_WORKER)
def vouch(team: int) -> ResponseReturnValue:
    """A member heard the six words of a new team from a voice well known: from now on the team is offered."""
    form, site = WordsForm(), installation()
    if not form.is_ours():
        return _colleagues(say(N_("Type the six words.")), 422)
    try:
        refresh_keys()
        with site.writing() as db:
            keyring.vouch(db, site.pin, g.keys, team, form.words.data)
    except WrongWords:
        return _colleagues(say(N_("Those are not the words of that team. Hear her voice once more.")), 422)
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


@blueprint.post("/<lang>/equipo/companeras/<int(max=2147483647):member>")
@takes(WordsForm, StaffForm)
@signed_in(CASE_WORKER, ADVOCATE)
def with_colleague(member: int) -> ResponseReturnValue:
    """Let a colleague in by six words, end a colleague's sessions, or take a colleague out of the team."""
    site, go = installation(), button()
    try:
        with site.reading() as db:
            teams = site.teams(db)
            colleague = members.account(db, member)
        epochs = refresh_keys().epochs
        if not any(team_log.reads(team, colleague.roles, colleague.teams) for team in teams if team.id in epochs):
            return error_page(404)
        return COLLEAGUE_ACTS.get(go, _nothing)(member)
    except CannotOpen:
        return error_page(404)


def _nothing(_member: int) -> ResponseReturnValue:
    StaffForm().is_ours()
    return _colleagues(say(N_("Choose what to do.")), 422)


def _let_in(member: int) -> ResponseReturnValue:
    form, site = WordsForm(), installation()
    if not form.is_ours():
        return _colleagues(say(N_("Type the six words.")), 422)
    try:
        with site.writing() as db:
            keyring.let_in_by_words(db, site.pin, g.keys, member, form.words.data)
    except WrongWords:
        sentence = N_(
            "Those are not her words. Call her again and hear her voice. If they still differ, let nobody in."
        )
        return _colleagues(say(sentence), 422)
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


def _end_sessions(member: int) -> ResponseReturnValue:
    if StaffForm().is_ours():
        with desk_pages.ending(member) as db:
            staff_sessions.end_all(db, member)
            audit.note(db, "sessions ended", member)
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


def _take_out(member: int) -> ResponseReturnValue:
    """Take a colleague out and make the next epoch here and now: what comes from now on is closed to that colleague."""
    site = installation()
    if StaffForm().is_ours() and member != g.keys.member:
        with desk_pages.ending(member) as db:
            accounts.dismiss(db, member)
            keys, _ = keyring.settle(db, site.pin, g.keys)
            staff_sessions.refresh(db, g.token, keys, site.clock())
        with site.reading() as db:
            site.pin.raise_to(site.teams(db))
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


COLLEAGUE_ACTS = {"let-in": _let_in, "end": _end_sessions, "take-out": _take_out}
