"""Staff pages about people, not cases: accounts, colleagues, her own page, whether the record holds.

They speak HTTP and nothing else. None of them gives anybody a key that a member did not mean to give.
"""

from __future__ import annotations

import itertools
import re
from datetime import UTC, date, datetime

from flask import Blueprint, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, Regexp

from reporting import audit, desk_pages, duty, keyring, languages, members, receipts, sessions, staff, teamlog
from reporting.frontdoor import (
    StaffForm,
    error_page,
    house,
    local_hour,
    refresh_keys,
    render_template,
    say,
    signed_in,
    today,
)
from reporting.incidents import N_
from reporting.keyring import NotHer, Sheets
from reporting.teamlog import ADVOCATE, CASE_WORKER, CASEWORK, COORDINATOR, CannotOpen, Team

pages = Blueprint("staff", __name__)

ROLE_NAMES = {CASE_WORKER: N_("Case worker"), ADVOCATE: N_("Advocate"), COORDINATOR: N_("Coordinator")}


@pages.get("/<lang>/equipo/inicio")
@signed_in(ADVOCATE)
def home() -> ResponseReturnValue:
    """Where an advocate arrives."""
    return render_template("staff/home.html", out=StaffForm(formdata=None))


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────


class InviteForm(StaffForm):
    """Whom to invite, and as what."""

    name = StringField(
        N_("A name without spaces, only for signing in"),
        validators=[
            InputRequired(),
            Regexp(rf"{staff.NAME}\Z", message=N_("Small letters and digits only.")),
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


@pages.route("/<lang>/equipo/personas", methods=["GET", "POST"])
@signed_in(COORDINATOR)
def people() -> ResponseReturnValue:
    """A coordinator sees the accounts and invites; she never sees a case."""
    form, made = _invite_form(), house()
    if not form.is_submitted():
        return _people()
    if not form.is_ours():
        return _people(form, code=422)
    with made.writing() as db:
        if any(one.name == form.name.data for one in members.accounts(db)):
            form.name.errors = [N_("Somebody has this name already. If she forgot her password, press «New password».")]
            return _people(form, code=422)
        if form.role.data == CASE_WORKER and not staff.keys_are_made(db, made.pin):
            form.role.errors = [N_("First the person who was invited at the start makes the keys.")]
            return _people(form, code=422)
        new_team = (form.new_team.data or "").strip()
        if new_team and form.role.data != CASE_WORKER:
            form.new_team.errors = [N_("A new team begins with a case worker.")]
            return _people(form, code=422)
        chosen = form.team.data if form.role.data == CASE_WORKER and not new_team else ""
        teams = (int(chosen),) if chosen else ()
        token = staff.invite(db, form.name.data, (form.role.data,), made.clock(), teams, new_team)
    return _invited(token)


def _invite_form() -> InviteForm:
    return _with_teams(InviteForm())


def _with_teams(form: InviteForm) -> InviteForm:
    with house().reading() as db:
        found = [team for team in teamlog.teams_or_none(db, house().pin) if team.kind == CASEWORK]
    form.team.choices = [SelectChoice("" if team.founding else str(team.id), team.name) for team in found] or [
        SelectChoice("", house().settings.team_name or house().settings.site_name)
    ]
    return form


@pages.post("/<lang>/equipo/personas/<int(max=2147483647):member>")
@signed_in(COORDINATOR)
def help_or_dismiss(member: int) -> ResponseReturnValue:
    """A forgotten password gets a new invitation; who leaves is shut out at once. Neither gives anybody a key."""
    made, go = house(), request.form.get("go")
    if not StaffForm().is_ours() or member == g.keys.member or go not in {"reset", "dismiss"}:
        return error_page(404)
    token = ""
    try:
        with desk_pages.ending(member) as db:
            if go == "reset":
                token = staff.reset(db, member, made.clock())
            else:
                staff.dismiss(db, member)
    except CannotOpen:
        return error_page(404)
    return _invited(token) if token else _people()


@pages.get("/<lang>/equipo/cadena")
@signed_in(CASE_WORKER, COORDINATOR)
def chain() -> ResponseReturnValue:
    """Whether the record of acts and the teams' logs hold. Who did what stays with the team."""
    made = house()
    with made.reading() as db:
        found, count = staff.problems(db, made.pin), staff.count_acts(db)
    page = render_template("staff/chain.html", problems=found, count=count, out=StaffForm(formdata=None))
    return make_response(page)


@desk_pages.by_get(desk_pages.SECRET_SHOWN)
def _invited(token: str) -> ResponseReturnValue:
    return _people(token=token)


@desk_pages.by_get()
def _people(form: InviteForm | None = None, token: str = "", code: int = 200) -> ResponseReturnValue:
    made, form = house(), _with_teams(form or InviteForm(formdata=None))
    link = made.settings.base_url + url_for("door.invitation", lang=g.lang, token=token) if token else ""
    with made.reading() as db:
        found = teamlog.teams_or_none(db, made.pin)
        listed = members.accounts(db, found)
        silent = duty.read(db).silent_days(today().date())
    names = {one.id: [team.name for team in found if teamlog.reads(team, one.roles, one.teams)] for one in listed}
    page = render_template(
        "staff/people.html", silent=silent, form=form, link=link, members=listed, role_names=ROLE_NAMES,
        me=g.keys.member,
        teams=names if sum(team.kind == CASEWORK for team in found) > 1 else {}, out=StaffForm(formdata=None),
    )  # fmt: skip
    return make_response(page, code)


# ── when somebody reads ─────────────────────────────────────────────────────────────────────────────────────


class DutyForm(StaffForm):
    """From and to for each day of the week, and days off, one a line."""

    off = TextAreaField(N_("Days off, one in each line, for example 28/07/2027"), validators=[Length(max=2000)])


@pages.route("/<lang>/equipo/turnos", methods=["GET", "POST"])
@signed_in(CASE_WORKER, COORDINATOR)
def reading_hours() -> ResponseReturnValue:
    """When somebody reads: she is told it before and after she sends."""
    form, made = DutyForm(), house()
    if not form.is_submitted():
        return _duty_page()
    if not form.is_ours():
        return _duty_page(_typed_hours(), code=422)
    try:
        hours, off = _hours_typed(), tuple(_day_typed(line) for line in (form.off.data or "").split())
        with made.writing() as db:
            duty.write(db, g.keys.member, hours, off)
    except duty.BadHours as problem:
        told = languages.weekdays(g.lang, [problem.weekday])
        sentence = say(N_("%(day)s: write full hours, from 0 to 24, the end after the beginning."), day=told)
        return _duty_page(_typed_hours(), sentence, 422)
    except ValueError:
        return _duty_page(_typed_hours(), say(N_("Write days like this: 28/07/2027, one in each line.")), 422)
    return _duty_page(done=say(N_("Saved.")))


def _typed_hours() -> dict[str, str]:
    return {name: said for name, said in request.form.items() if name != "f"}


def _hours_typed() -> dict[int, tuple[int, int]]:
    told: dict[int, tuple[int, int]] = {}
    for weekday in range(duty.WEEK):
        begins, ends = (request.form.get(f"{part}{weekday}", "").strip() for part in ("from", "to"))
        if not begins and not ends:
            continue
        if not (re.fullmatch("[0-9]{1,2}", begins) and re.fullmatch("[0-9]{1,2}", ends)):
            raise duty.BadHours(weekday)
        told[weekday] = int(begins), int(ends)
    return told


def _day_typed(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=UTC).date()


@desk_pages.by_get()
def _duty_page(typed: dict[str, str] | None = None, sentence: str = "", code: int = 200, *, done: str = ""
               ) -> ResponseReturnValue:  # fmt: skip
    with house().reading() as db:
        known = duty.read(db)
    form = DutyForm(formdata=None)
    form.off.data = typed.get("off") if typed else "\n".join(f"{day:%d/%m/%Y}" for day in known.off)
    week = [
        (
            weekday,
            languages.weekdays(g.lang, [weekday]),
            *(typed.get(f"{part}{weekday}", "")[:5] if typed else str(known.hours.get(weekday, ("", ""))[place])
              for place, part in enumerate(("from", "to"))),
        )
        for weekday in range(duty.WEEK)
    ]  # fmt: skip
    page = render_template("staff/duty.html", form=form, week=week, sentence=sentence, done=done,
                           out=StaffForm(formdata=None))  # fmt: skip
    return make_response(page, code)


# ── colleagues ──────────────────────────────────────────────────────────────────────────────────────────────


class WordsForm(StaffForm):
    """The six words she heard."""

    words = TextAreaField(N_("The six words she tells you"), validators=[InputRequired(), Length(max=200)])


@pages.get("/<lang>/equipo/companeras")
@signed_in(CASE_WORKER, ADVOCATE)
def colleagues() -> ResponseReturnValue:
    """Who reads with her, who waits to be let in, whose phone was taken."""
    return _colleagues()


@desk_pages.by_get()
def _colleagues(sentence: str = "", code: int = 200) -> ResponseReturnValue:
    made, keys = house(), refresh_keys()
    with made.reading() as db:
        teams = made.teams(db)
        hers = [team for team in teams if team.id in keys.epochs]
        others = [one for one in members.accounts(db, teams) if one.id != keys.member]
    page = render_template(
        "staff/colleagues.html",
        others=[one for one in others if any(teamlog.reads(team, one.roles, one.teams) for team in hers)],
        fresh=_fresh_teams(teams, hers),
        sentence=sentence,
        role_names=ROLE_NAMES,
        form=WordsForm(formdata=None),
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


def _fresh_teams(teams: tuple[Team, ...], hers: list[Team]) -> list[Team]:
    """New teams that she could vouch for: she reads in a trusted one."""
    known = teamlog.trusted(teams)
    waiting = [team for team in teams if team.kind == CASEWORK and team not in known]
    return waiting if any(team in known for team in hers) else []


@pages.post("/<lang>/equipo/companeras/equipo/<int(max=2147483647):team>")
@signed_in(CASE_WORKER)
def vouch(team: int) -> ResponseReturnValue:
    """She heard the six words of a new team from somebody whose voice she knows: from now on it is offered."""
    form, made = WordsForm(), house()
    if not form.is_ours():
        return _colleagues(say(N_("Type the six words.")), 422)
    try:
        refresh_keys()
        with made.writing() as db:
            keyring.vouch(db, made.pin, g.keys, team, form.words.data)
    except NotHer:
        return _colleagues(say(N_("Those are not the words of that team. Hear her voice once more.")), 422)
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


@pages.post("/<lang>/equipo/companeras/<int(max=2147483647):member>")
@signed_in(CASE_WORKER, ADVOCATE)
def with_colleague(member: int) -> ResponseReturnValue:
    """Let somebody in by her six words, end her sessions, or take her out of the team."""
    made, go = house(), request.form.get("go", "")
    try:
        with made.reading() as db:
            teams = made.teams(db)
            her = members.account(db, member)
        held = refresh_keys().epochs
        if not any(teamlog.reads(team, her.roles, her.teams) for team in teams if team.id in held):
            return error_page(404)
        return COLLEAGUE_ACTS.get(go, _let_in)(member)
    except CannotOpen:
        return error_page(404)


def _let_in(member: int) -> ResponseReturnValue:
    form, made = WordsForm(), house()
    if not form.is_ours():
        return _colleagues(say(N_("Type the six words.")), 422)
    try:
        with made.writing() as db:
            keyring.let_in_by_words(db, made.pin, g.keys, member, form.words.data)
    except NotHer:
        sentence = N_(
            "Those are not her words. Call her again and hear her voice. If they still differ, let nobody in."
        )
        return _colleagues(say(sentence), 422)
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


def _end_sessions(member: int) -> ResponseReturnValue:
    if StaffForm().is_ours():
        with desk_pages.ending(member) as db:
            sessions.end_all(db, member)
            audit.note(db, "sessions ended", member)
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


def _take_out(member: int) -> ResponseReturnValue:
    """She is out, and the next epoch is made here and now: what comes from now on is closed to her."""
    made = house()
    if StaffForm().is_ours() and member != g.keys.member:
        with desk_pages.ending(member) as db:
            staff.dismiss(db, member)
            keys, _ = keyring.settle(db, made.pin, g.keys)
            sessions.refresh(db, g.token, keys, made.clock())
        with made.reading() as db:
            made.pin.raise_to(made.teams(db))
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


COLLEAGUE_ACTS = {"let-in": _let_in, "end": _end_sessions, "take-out": _take_out}


# ── her own page ────────────────────────────────────────────────────────────────────────────────────────────


class PasswordForm(StaffForm):
    """A new password under the old one."""

    old = PasswordField(N_("The password you have now"), validators=[InputRequired(), Length(max=200)])
    new = PasswordField(N_("The new one: 16 signs or more"), validators=[InputRequired(), Length(max=200)])


class SheetsForm(StaffForm):
    """Both recovery sheets."""

    first = TextAreaField(N_("Sheet 1"), validators=[InputRequired(), Length(max=400)])
    second = TextAreaField(N_("Sheet 2"), validators=[InputRequired(), Length(max=400)])


@pages.get("/<lang>/equipo/yo")
@signed_in(CASE_WORKER, ADVOCATE, COORDINATOR)
def me() -> ResponseReturnValue:
    """Her sessions, her password, and the six words as long as she waits."""
    return _me()


@desk_pages.by_get()
def _me(sentence: str = "", code: int = 200, *, done: str = "") -> ResponseReturnValue:
    made, keys = house(), g.keys
    with made.reading() as db:
        found = teamlog.teams_or_none(db, made.pin)
        account = members.account(db, keys.member, found)
        sittings = sessions.sittings(db, g.token, keys.member, made.clock())
    waits = bool(found) and account.waits
    known = teamlog.trusted(found)
    unknown = [team for team in found if team.id in keys.epochs and team.kind == CASEWORK and team not in known]
    page = render_template(
        "staff/me.html",
        words=keyring.spoken_words(keys, g.lang) if waits else (),
        unknown=[(team.name, keyring.words_of_team(team, g.lang)) for team in unknown],
        sittings=[(languages.hour(g.lang, local_hour(one.started // 3600)), one.this) for one in sittings],
        sentence=sentence,
        done=done,
        password=PasswordForm(formdata=None),
        sheets=SheetsForm(formdata=None) if waits else None,
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


@pages.post("/<lang>/equipo/yo")
@signed_in(CASE_WORKER, ADVOCATE, COORDINATOR)
def change_me() -> ResponseReturnValue:
    """A new password, her other sessions ended, or both sheets typed."""
    return MY_ACTS.get(request.form.get("go", ""), _end_my_others)()


def _change_password() -> ResponseReturnValue:
    form, made = PasswordForm(), house()
    new = staff.tidy_password(form.new.data or "")
    if not form.is_ours() or len(new) < staff.OWN_PASSWORD_LENGTH:
        return _me(say(N_("A password of your own needs 16 signs or more.")), 422)
    with made.reading() as db:
        found = members.find_member(db, g.keys.name)
    try:
        salt, private = members.with_new_password(found, staff.tidy_password(form.old.data), new, made.settings.pepper)
        with desk_pages.ending(g.keys.member, but=g.token) as db:
            members.store_password(db, found, salt, private)
            sessions.end_all(db, g.keys.member, but=g.token)
    except CannotOpen:
        return _me(say(N_("The password you have now is not right.")), 422)
    return _me(done=say(N_("Your password is changed. Your other sessions are closed.")))


def _end_my_others() -> ResponseReturnValue:
    if StaffForm().is_ours():
        with desk_pages.ending(g.keys.member, but=g.token) as db:
            sessions.end_all(db, g.keys.member, but=g.token)
    return _me(done=say(N_("Your other sessions are closed.")))


def _recover() -> ResponseReturnValue:
    form, made = SheetsForm(), house()
    wrong = say(N_("These are not the two sheets. Look at each word once more."))
    if not form.is_ours():
        return _me(wrong, 422)
    first, second = (receipts.read_words(part.data, keyring.SHEET_WORDS) for part in (form.first, form.second))
    for one, other in itertools.product(first, second):
        try:
            with made.writing() as db:
                keyring.recover(db, made.pin, Sheets(one, other), g.keys.member)
        except CannotOpen:
            continue
        refresh_keys()
        return redirect(url_for("staff.me", lang=g.lang), 303)
    return _me(wrong, 422)


MY_ACTS = {"password": _change_password, "recover": _recover, "end": _end_my_others}
