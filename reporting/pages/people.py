"""A coordinator's pages: accounts and invitations, reading hours, whether audit and team logs hold.

Shows no case and gives nobody a key.
"""

from __future__ import annotations

import re

from flask import g, make_response, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp

from reporting.i18n import N_
from reporting.pages.account import ROLE_NAMES, blueprint
from reporting.teams import accounts, members, team_log
from reporting.teams.reading_hours import WEEK, BadHours, read, write
from reporting.teams.team_log import CASE_WORKER, CASEWORK, COORDINATOR, CannotOpen
from reporting.web import desk_pages, languages
from reporting.web.access.auth import home_for, signed_in
from reporting.web.access.traits import RAW, is_the, takes
from reporting.web.context import installation, render_template, say, today
from reporting.web.errors import error_page
from reporting.web.forms import BadFormValue, StaffForm, button, day_in, number_in


class InviteForm(StaffForm):
    """Whom to invite, and as what."""

    name = StringField(
        N_("A name without spaces, only for signing in"),
        validators=[
            InputRequired(),
            Regexp(rf"{accounts.NAME}\Z", message=N_("Small letters and digits only.")),
        ],
    )
    role = RadioField(
        N_("As what"),
        choices=[SelectChoice(role, name) for role, name in ROLE_NAMES.items()],
        validators=[InputRequired()],
    )
    team = SelectField(N_("With which team she will read, if she is a case worker"), validators=[Optional()])
    new_team = StringField(
        N_("Or the name of a new team, of which she is the first"),
        validators=[Optional(), Regexp(r"[^<>\n]{2,40}\Z", message=N_("2 to 40 signs."))],
    )


@blueprint.route("/<lang>/equipo/personas", methods=["GET", "POST"])
@is_the(home_for(COORDINATOR))
@takes(InviteForm)
@signed_in(COORDINATOR)
def people() -> ResponseReturnValue:
    """A coordinator sees the accounts and invites, and never sees a case."""
    form, site = _invite_form(), installation()
    if not form.is_submitted():
        return _people()
    if not form.is_ours():
        return _people(form, code=422)
    with site.writing() as db:
        if any(account.name == form.name.data for account in members.accounts(db)):
            form.name.errors = [N_("Somebody has this name already. If she forgot her password, press «New password».")]
            return _people(form, code=422)
        if form.role.data == CASE_WORKER and not accounts.keys_are_made(db, site.pin):
            form.role.errors = [N_("First the person who was invited at the start makes the keys.")]
            return _people(form, code=422)
        new_team = (form.new_team.data or "").strip()
        if new_team and form.role.data != CASE_WORKER:
            form.new_team.errors = [N_("A new team begins with a case worker.")]
            return _people(form, code=422)
        chosen = form.team.data if form.role.data == CASE_WORKER and not new_team else ""
        teams = (number_in(chosen),) if chosen else ()
        token = accounts.invite(db, form.name.data, (form.role.data,), site.clock(), teams, new_team)
    return _invited(token)


def _invite_form() -> InviteForm:
    return _with_teams(InviteForm())


def _with_teams(form: InviteForm) -> InviteForm:
    with installation().reading() as db:
        teams = [team for team in team_log.teams_or_none(db, installation().pin) if team.kind == CASEWORK]
    form.team.choices = [SelectChoice("" if team.founding else str(team.id), team.name) for team in teams] or [
        SelectChoice("", installation().settings.team_name or installation().settings.site_name)
    ]
    return form


@blueprint.post("/<lang>/equipo/personas/<int(max=2147483647):member>")
@takes(StaffForm, RAW, because="a button")
@signed_in(COORDINATOR)
def help_or_dismiss(member: int) -> ResponseReturnValue:
    """A forgotten password gets a new invitation; who leaves is shut out at once. Neither gives anybody a key."""
    site, go = installation(), button()
    if not StaffForm().is_ours() or member == g.keys.member or go not in {"reset", "dismiss"}:
        return error_page(404)
    token = ""
    try:
        with desk_pages.ending(member) as db:
            if go == "reset":
                token = accounts.reset(db, member, site.clock())
            else:
                accounts.dismiss(db, member)
    except CannotOpen:
        return error_page(404)
    return _invited(token) if token else _people()


@blueprint.get("/<lang>/equipo/cadena")
@signed_in(CASE_WORKER, COORDINATOR)
def chain() -> ResponseReturnValue:
    """Whether the record of acts and the teams' logs hold. Who did what stays with the team."""
    site = installation()
    with site.reading() as db:
        problems, count = accounts.problems(db, site.pin), accounts.count_acts(db)
    page = render_template("staff/chain.html", problems=problems, count=count, out=StaffForm(formdata=None))
    return make_response(page)


@desk_pages.by_get(desk_pages.SECRET_SHOWN)
def _invited(token: str) -> ResponseReturnValue:
    return _people(token=token)


@desk_pages.by_get()
def _people(form: InviteForm | None = None, token: str = "", code: int = 200) -> ResponseReturnValue:
    site, form = installation(), _with_teams(form or InviteForm(formdata=None))
    link = site.settings.base_url + url_for("auth.invitation", lang=g.lang, token=token) if token else ""
    with site.reading() as db:
        teams = team_log.teams_or_none(db, site.pin)
        listed = members.accounts(db, teams)
        silent = read(db).silent_days(today().date())
    names = {
        account.id: [team.name for team in teams if team_log.reads(team, account.roles, account.teams)]
        for account in listed
    }
    page = render_template(
        "staff/people.html",
        silent=silent,
        form=form,
        link=link,
        members=listed,
        role_names=ROLE_NAMES,
        me=g.keys.member,
        teams=names if sum(team.kind == CASEWORK for team in teams) > 1 else {},
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


class DutyForm(StaffForm):
    """From and to for each day of the week, and days off, one a line."""

    off = TextAreaField(N_("Days off, one in each line, for example 28/07/2027"), validators=[Length(max=2000)])


@blueprint.route("/<lang>/equipo/turnos", methods=["GET", "POST"])
@takes(DutyForm, RAW, because="from and to of seven days")
@signed_in(CASE_WORKER, COORDINATOR)
def reading_hours() -> ResponseReturnValue:
    """The page on which the staff say when somebody reads; reporters are told it before and after they send."""
    form, site = DutyForm(), installation()
    if not form.is_submitted():
        return _duty_page()
    if not form.is_ours():
        return _duty_page(_typed_hours(), code=422)
    try:
        hours, off = _hours_typed(), tuple(day_in(line) for line in (form.off.data or "").split())
        with site.writing() as db:
            write(db, g.keys.member, hours, off)
    except BadHours as problem:
        day = languages.weekdays(g.lang, [problem.weekday])
        sentence = say(N_("%(day)s: write full hours, from 0 to 24, the end after the beginning."), day=day)
        return _duty_page(_typed_hours(), sentence, 422)
    except BadFormValue:
        return _duty_page(_typed_hours(), say(N_("Write days like this: 28/07/2027, one in each line.")), 422)
    return _duty_page(done=say(N_("Saved.")))


def _typed_hours() -> dict[str, str]:
    return {name: said for name, said in request.form.items() if name != "f"}


def _hours_typed() -> dict[int, tuple[int, int]]:
    hours: dict[int, tuple[int, int]] = {}
    for weekday in range(WEEK):
        begins, ends = (request.form.get(f"{part}{weekday}", "").strip() for part in ("from", "to"))
        if not begins and not ends:
            continue
        if not (re.fullmatch("[0-9]{1,2}", begins) and re.fullmatch("[0-9]{1,2}", ends)):
            raise BadHours(weekday)
        hours[weekday] = number_in(begins), number_in(ends)
    return hours


@desk_pages.by_get()
def _duty_page(
    typed: dict[str, str] | None = None, sentence: str = "", code: int = 200, *, done: str = ""
) -> ResponseReturnValue:
    with installation().reading() as db:
        known = read(db)
    form = DutyForm(formdata=None)
    form.off.data = typed.get("off") if typed else "\n".join(f"{day:%d/%m/%Y}" for day in known.off)
    week = [
        (
            weekday,
            languages.weekdays(g.lang, [weekday]),
            *(
                typed.get(f"{part}{weekday}", "")[:5] if typed else str(known.hours.get(weekday, ("", ""))[place])
                for place, part in enumerate(("from", "to"))
            ),
        )
        for weekday in range(WEEK)
    ]
    page = render_template(
        "staff/duty.html", form=form, week=week, sentence=sentence, done=done, out=StaffForm(formdata=None)
    )
    return make_response(page, code)
