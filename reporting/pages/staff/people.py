"""A coordinator's pages: accounts and invitations, reading hours, whether audit and team logs hold.

Shows no case and gives nobody a key.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import g, make_response, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp

from reporting.i18n import N_
from reporting.pages.staff.account import blueprint
from reporting.pages.staff.colleagues import (
    NOT_DONE,
    SecondForm,
    asks_for,
    confirms,
    do_to,
    pin_new_keys,
    stops,
    waiting,
)
from reporting.teams import accounts, heads, members, power, team_log
from reporting.teams.accounts import Invitation
from reporting.teams.power import NotHers
from reporting.teams.reading_hours import WEEK, BadHours, read, write
from reporting.teams.team_log import CASE_WORKER, CASEWORK, COORDINATOR, CannotOpen
from reporting.web import desk_pages, languages
from reporting.web.access.auth import home_for, signed_in
from reporting.web.access.proof import FILL_IN, NotProved, ProofForm, proof_in
from reporting.web.access.traits import is_the, limited, takes, waits_its_turn
from reporting.web.context import installation, render_template, say, sentence, today
from reporting.web.errors import error_page
from reporting.web.forms import DAY_IS_WRITTEN, BadFormValue, StaffForm, button, complaint, day_in, number_in
from reporting.web.limits import PASSWORDS


class InviteForm(ProofForm):
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
        choices=[SelectChoice(role, name) for role, name in team_log.ROLE_NAMES.items()],
        validators=[InputRequired()],
    )
    team = SelectField(N_("With which team she will read, if she is a case worker"), validators=[Optional()])
    new_team = StringField(
        N_("Or the name of a new team, of which she is the first"),
        validators=[Optional(), Regexp(r"[^<>\n]{2,40}\Z", message=N_("2 to 40 signs."))],
    )


class TakeBackForm(ProofForm):
    """Which invitation opens nothing any more; with a name, only if it is for that name."""

    invitation = RadioField(N_("Which one"), validators=[InputRequired()], validate_choice=False)
    invited = StringField(N_("The name it is for, if you are not sure which one it is"), validators=[Length(max=40)])


NO_INVITATION = N_("There is no such invitation any more, or it is for another name. Nothing was taken back.")


@blueprint.get("/<lang>/equipo/personas")
@is_the(home_for(COORDINATOR))
@signed_in(COORDINATOR)
def people() -> ResponseReturnValue:
    """A coordinator sees the accounts, and never sees a case."""
    return _people()


@blueprint.post("/<lang>/equipo/personas")
@limited(PASSWORDS)
@waits_its_turn
@takes(InviteForm)
@signed_in(COORDINATOR)
def invite() -> ResponseReturnValue:
    """A coordinator invites somebody."""
    form, site = _invite_form(), installation()
    if not form.is_ours():
        return _people(form, code=422)
    new_team = (form.new_team.data or "").strip()
    try:
        who = proof_in(form)
        with site.writing() as db:
            if not _can_be_invited(db, form, new_team):
                return _people(form, code=422)
            chosen = form.team.data if form.role.data == CASE_WORKER and not new_team else ""
            teams = (number_in(chosen),) if chosen else ()
            actor, roles = members.spend(db, who), (form.role.data,)
            invited = Invitation(form.name.data, roles, teams, new_team)
            token = accounts.invite(db, actor, invited, site.settings.pepper, site.clock())
    except NotProved as problem:
        form.code.errors = [problem.sentence]
        return _people(form, code=problem.code)
    return _invited(token)


@blueprint.post("/<lang>/equipo/personas/invitaciones")
@limited(PASSWORDS)
@waits_its_turn
@takes(TakeBackForm)
@signed_in(COORDINATOR)
def take_back() -> ResponseReturnValue:
    """A coordinator takes an open invitation back: its code opens nothing from now on."""
    form, site = TakeBackForm(), installation()
    if not form.is_ours():
        wrong = complaint(N_("Choose an invitation, and type your password and digits."))
        return _people(sentence=wrong, code=422, back=form)
    try:
        who = proof_in(form)
        with site.writing() as db:
            name = (form.invited.data or "").strip()
            accounts.take_back(db, members.spend(db, who), form.invitation.data, name, site.settings.pepper)
    except NotProved as problem:
        return _people(sentence=say(problem.sentence), code=problem.code, back=form)
    except CannotOpen:
        return _people(sentence=say(NO_INVITATION), code=422, back=form)
    desk_pages.done(TAKEN_BACK, "invitations", url_for("staff.people", lang=g.lang))
    return _people()


TAKEN_BACK = N_("The invitation is taken back: its code opens nothing any more.")


def _can_be_invited(db: Any, form: InviteForm, new_team: str) -> bool:
    """Whether nothing stands against it; what does is said beside its field."""
    if any(account.name == form.name.data for account in members.accounts(db)):
        form.name.errors = [N_("Somebody has this name already. If she forgot her password, press «New password».")]
    elif form.role.data == CASE_WORKER and not accounts.keys_are_made(db, installation().pin):
        form.role.errors = [N_("First the person who was invited at the start makes the keys.")]
    elif new_team and form.role.data != CASE_WORKER:
        form.new_team.errors = [N_("A new team begins with a case worker.")]
    else:
        return True
    return False


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
@limited(PASSWORDS)
@waits_its_turn
@takes(SecondForm)
@signed_in(COORDINATOR)
def help_or_dismiss(member: int) -> ResponseReturnValue:
    """A forgotten password gets a new invitation; who leaves is shut out at once. Neither gives anybody a key."""
    go, tokens = button(), list[str]()
    acts = {
        "reset": asks_for(power.RESET, member, tokens),
        "dismiss": asks_for(power.DISMISS, member),
        "confirm": confirms(member),
        "stop": stops(member),
    }
    ours = SecondForm().is_ours()
    if member == g.keys.member or go not in acts:
        return error_page(404)
    if not ours:
        return _people(sentence=complaint(FILL_IN), code=422)
    try:
        sentence = do_to(member, acts[go])
    except NotProved as problem:
        return _people(sentence=say(problem.sentence), code=problem.code)
    except (CannotOpen, NotHers):
        return error_page(404)
    except tuple(NOT_DONE) as problem:
        return _people(sentence=say(NOT_DONE[type(problem)]), code=422)
    pin_new_keys()
    return _invited(tokens[0], say(sentence)) if tokens else _people(done=say(sentence))


@blueprint.get("/<lang>/equipo/cadena")
@signed_in(CASE_WORKER, COORDINATOR)
def chain() -> ResponseReturnValue:
    """Whether the record of acts and the teams' logs hold. Who did what stays with the team."""
    site = installation()
    with site.reading() as db:
        problems, count = [sentence(words) for words in accounts.problems(db, site.pin)], accounts.count_acts(db)
    page = render_template("staff/chain.html", problems=problems, count=count, out=StaffForm(formdata=None))
    return make_response(page)


@desk_pages.by_get(desk_pages.SECRET_SHOWN)
def _invited(token: str, done: str = "") -> ResponseReturnValue:
    return _people(token=token, done=done)


@desk_pages.by_get()
def _people(
    form: InviteForm | None = None,
    token: str = "",
    code: int = 200,
    *,
    sentence: str = "",
    done: str = "",
    back: TakeBackForm | None = None,
) -> ResponseReturnValue:
    site, form = installation(), _with_teams(form or InviteForm(formdata=None))
    address = site.settings.staff_url + url_for("auth.invitation", lang=g.lang)
    with site.reading() as db:
        teams = team_log.teams_or_none(db, site.pin)
        listed = members.accounts(db, teams)
        invitations = accounts.open_invitations(db, site.clock())
        silent, waits = read(db).silent_days(today().date()), waiting(db, teams)
    names = {
        account.id: [team.name for team in teams if team_log.reads(team, account.roles, account.teams)]
        for account in listed
    }
    page = render_template(
        "staff/people.html",
        silent=silent,
        waits=waits,
        sentence=sentence,
        done=done,
        second=SecondForm(formdata=None),
        invitations=invitations,
        back=back or TakeBackForm(formdata=None),
        people={account.id: account.name for account in listed},
        form=form,
        token=token,
        address=address,
        members=listed,
        role_names=team_log.ROLE_NAMES,
        me=g.keys.member,
        teams=names if sum(team.kind == CASEWORK for team in teams) > 1 else {},
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


class DutyForm(StaffForm):
    """From and to for each day of the week, and days off, one a line."""

    off = TextAreaField(N_("Days off, one in each line, for example 28/07"), validators=[Length(max=2000)])

    def week(self) -> dict[int, tuple[int, int]]:
        """Weekday -> from and to, full hours. Raises `BadHours` for a day on which they are no hours."""
        hours = {}
        for weekday in range(WEEK):
            begins, ends = (self[name].data for name in _names(weekday))
            if begins or ends:
                if not (re.fullmatch("[0-9]{1,2}", begins) and re.fullmatch("[0-9]{1,2}", ends)):
                    raise BadHours(weekday)
                hours[weekday] = number_in(begins), number_in(ends)
        return hours

    def days_off(self) -> tuple[date, ...]:
        """Each day off. Raises `BadFormValue` for a line that is none."""
        return tuple(day_in(line) for line in (self.off.data or "").splitlines() if line.strip())


def _names(weekday: int) -> tuple[str, str]:
    return f"from{weekday}", f"to{weekday}"


def _clean(text: str | None) -> str:
    return (text or "").strip()


for field in (name for weekday in range(WEEK) for name in _names(weekday)):
    setattr(DutyForm, field, StringField(default="", filters=[_clean]))


@blueprint.route("/<lang>/equipo/turnos", methods=["GET", "POST"])
@takes(DutyForm)
@signed_in(CASE_WORKER, COORDINATOR)
def reading_hours() -> ResponseReturnValue:
    """The page on which the staff say when somebody reads; reporters are told it before and after they send."""
    form, site = DutyForm(), installation()
    if not form.is_submitted():
        return _duty_page()
    if not form.is_ours():
        return _duty_page(form, code=422)
    try:
        hours, off = form.week(), form.days_off()
        with site.writing() as db:
            write(db, g.keys.signer, hours, off)
            heads.see_audit(db, g.keys.member, g.keys.private)
    except BadHours as problem:
        day = languages.weekdays(g.lang, [problem.weekday])
        sentence = say(N_("%(day)s: write full hours, from 0 to 24, the end after the beginning."), day=day)
        return _duty_page(form, sentence, 422)
    except BadFormValue:
        return _duty_page(form, say(DAY_IS_WRITTEN), 422)
    return _duty_page(done=say(N_("Saved.")))


@desk_pages.by_get()
def _duty_page(
    typed: DutyForm | None = None, sentence: str = "", code: int = 200, *, done: str = ""
) -> ResponseReturnValue:
    form = typed or _duty_now()
    week = [
        (weekday, languages.weekdays(g.lang, [weekday]), *((form[name].data or "")[:5] for name in _names(weekday)))
        for weekday in range(WEEK)
    ]
    page = render_template(
        "staff/duty.html", form=form, week=week, sentence=sentence, done=done, out=StaffForm(formdata=None)
    )
    return make_response(page, code)


def _duty_now() -> DutyForm:
    """The form with the hours as they are."""
    with installation().reading() as db:
        known = read(db)
    days = "\n".join(f"{day:%d/%m/%Y}" for day in known.off)
    hours = {
        name: str(hour) for weekday, day in known.hours.items() for name, hour in zip(_names(weekday), day, strict=True)
    }
    return DutyForm(formdata=None, data={"off": days} | hours)
