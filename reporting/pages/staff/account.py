"""The own account of somebody of the staff: password, running sessions, the six words, the recovery sheets.

Shows nobody else's account and no case.
"""

from __future__ import annotations

import itertools
import secrets
from dataclasses import replace

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, Regexp

from reporting.crypto import receipts
from reporting.i18n import N_
from reporting.teams import accounts, heads, keyring, log_report, members, passwords, staff_sessions, team_log
from reporting.teams.accounts import NameTaken
from reporting.teams.keyring import RecoverySheets
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, CASEWORK, COORDINATOR, CannotOpen
from reporting.web import desk_pages, languages
from reporting.web.access import devices, held
from reporting.web.access.audience import DESK, Pages
from reporting.web.access.auth import OWN_ACCOUNT, home_for, refresh_keys, signed_in
from reporting.web.access.proof import FILL_IN, NotProved, ProofForm, proof_in
from reporting.web.access.traits import is_the, takes, waits_its_turn
from reporting.web.context import installation, local_hour, render_template, say
from reporting.web.forms import SecretArea, StaffForm, button, complaint
from reporting.web.limits import TURNING

blueprint = Pages("staff", __name__, DESK, limit=TURNING)
WEAK = N_(
    "This password can be guessed. Take the words that we drew, or one of your own with 16 signs or more that nobody "
    "would think of: no names, no dates, no sayings."
)


@blueprint.get("/<lang>/equipo/inicio")
@is_the(home_for(ADVOCATE))
@signed_in(ADVOCATE)
def home() -> ResponseReturnValue:
    """Where an advocate arrives."""
    return render_template("staff/home.html", out=StaffForm(formdata=None))


class PasswordForm(StaffForm):
    """A new password under the old one."""

    old = PasswordField(N_("The password you have now"), validators=[InputRequired(), Length(max=200)])
    new = PasswordField(N_("The new one"), validators=[InputRequired(), Length(max=200)])
    h = HiddenField(default="")  # what was sent when the session had ended, until it may be shown


class NameForm(ProofForm):
    """Another name for signing in."""

    name = StringField(
        N_("A name without spaces, only for signing in"),
        validators=[InputRequired(), Regexp(rf"{accounts.NAME}\Z", message=N_("Small letters and digits only."))],
    )


class SheetsForm(StaffForm):
    """Both recovery sheets."""

    first = SecretArea(N_("Sheet 1"), validators=[InputRequired(), Length(max=400)])
    second = SecretArea(N_("Sheet 2"), validators=[InputRequired(), Length(max=400)])


@blueprint.get("/<lang>/equipo/yo")
@is_the(OWN_ACCOUNT)
@signed_in(CASE_WORKER, ADVOCATE, COORDINATOR, before_change=True)
def me() -> ResponseReturnValue:
    """A member's sessions and password, and the six words as long as no team has let the member in."""
    return _me()


@desk_pages.by_get()
def _me(
    sentence: str = "", code: int = 200, *, done: str = "", name: str = "", waiting: str = ""
) -> ResponseReturnValue:
    site, keys = installation(), g.keys
    with site.reading() as db:
        teams = team_log.teams_or_none(db, site.pin)
        account = members.account(db, keys.member, teams)
        sessions = staff_sessions.session_infos(db, g.token, keys, site.clock())
        vouched = log_report.is_vouched(db, teams, account.id, account.signing)
    waits = bool(teams) and account.waits
    unvouched = bool(teams) and not vouched and set(account.roles) == {COORDINATOR}
    known = team_log.trusted(teams)
    unknown = [team for team in teams if team.id in keys.epochs and team.kind == CASEWORK and team not in known]
    page = render_template(
        "staff/me.html",
        words=keyring.spoken_words(keys, g.lang) if waits or unvouched else (),
        unvouched=unvouched,
        unknown=[(team.name, keyring.words_of_team(team, g.lang)) for team in unknown],
        sittings=[(languages.hour(g.lang, local_hour(session.started // 3600)), session.this) for session in sessions],
        sentence=sentence,
        done=done,
        known=devices.has_any(),
        password=PasswordForm(formdata=None, data={"h": waiting}),
        rename=NameForm(formdata=None, data={"name": name or keys.name}),
        suggested=passwords.suggest(secrets.randbelow, g.lang),
        sheets=SheetsForm(formdata=None) if waits else None,
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


def change_first(waiting: str) -> ResponseReturnValue:
    """The page of the own account for whoever has to change the password; what `waiting` holds, sealed, goes along."""
    return _me(waiting=waiting)


@blueprint.post("/<lang>/equipo/yo")
@waits_its_turn
@takes(PasswordForm, NameForm, SheetsForm, StaffForm)
@signed_in(CASE_WORKER, ADVOCATE, COORDINATOR, before_change=True)
def change_me() -> ResponseReturnValue:
    """A new password, the other sessions ended, or both sheets typed."""
    return MY_ACTS.get(button(), _nothing)()


def _nothing() -> ResponseReturnValue:
    StaffForm().is_ours()
    return _me(complaint(N_("Choose what to do.")), 422)


def _change_password() -> ResponseReturnValue:
    form, site = PasswordForm(), installation()
    if not form.is_ours():
        return _me(complaint(N_("Fill in everything.")), 422, waiting=form.h.data or "")
    old, new = passwords.tidy(form.old.data), passwords.tidy(form.new.data)
    with site.reading() as db:
        member = members.find_member(db, g.keys.name)
    try:
        salt, private = members.with_new_password(member, old, new, site.settings.pepper)
        with desk_pages.ending(g.keys.member, but=g.token) as db:
            members.store_password(db, member, salt, private, g.keys.signer)
            heads.see_audit(db, g.keys.member, g.keys.private)
            staff_sessions.end_all(db, g.keys.member, but=g.token)
            g.keys = replace(g.keys, must_change=False)
            staff_sessions.refresh(db, g.token, g.keys, site.clock())
    except members.WeakPassword:
        return _me(say(WEAK), 422, waiting=form.h.data)
    except CannotOpen:
        return _me(say(N_("The password you have now is not right.")), 422, waiting=form.h.data)
    waiting = held.opened(form.h.data, g.keys.member, g.keys.private)
    again = held.shown_again(waiting) if waiting else None
    return again or _me(done=say(N_("Your password is changed. Your other sessions are closed.")))


def _change_name() -> ResponseReturnValue:
    form, site = NameForm(), installation()
    if not form.is_ours():
        wrong = say(next(iter(form.name.errors), "")) or complaint(FILL_IN)
        return _me(wrong, 422, name=form.name.data or "")
    try:
        who = proof_in(form)
        with desk_pages.ending(g.keys.member, but=g.token) as db:
            accounts.rename(db, members.spend(db, who), g.keys.member, form.name.data, site.settings.pepper)
            staff_sessions.end_all(db, g.keys.member, but=g.token)
            g.keys = replace(g.keys, name=form.name.data)
            staff_sessions.refresh(db, g.token, g.keys, site.clock())
    except NotProved as problem:
        return _me(say(problem.sentence), problem.code, name=form.name.data)
    except NameTaken:
        return _me(say(N_("Somebody has this name, or is invited with it.")), 422, name=form.name.data)
    except CannotOpen:
        return _me(say(N_("Nothing was changed. Sign in again and try once more.")), 422)
    desk_pages.done(RENAMED, "name", url_for("staff.me", lang=g.lang))
    return _me()


RENAMED = N_("From now on you sign in with this name. Your other sessions are closed.")


def _end_my_others() -> ResponseReturnValue:
    if not StaffForm().is_ours():
        return _me()
    with desk_pages.ending(g.keys.member, but=g.token) as db:
        staff_sessions.end_all(db, g.keys.member, but=g.token)
    return _me(done=say(N_("Your other sessions are closed.")))


def _recover() -> ResponseReturnValue:
    form, site = SheetsForm(), installation()
    wrong = complaint(N_("These are not the two sheets. Look at each word once more."))
    if not form.is_ours():
        return _me(wrong, 422)
    first, second = (receipts.read_words(part.data, keyring.SHEET_WORDS) for part in (form.first, form.second))
    for first_words, second_words in itertools.product(first, second):
        try:
            with site.writing() as db:
                keyring.recover(db, site.pin, RecoverySheets(first_words, second_words), g.keys.member, site.clock())
        except CannotOpen:
            continue
        refresh_keys()
        return redirect(url_for("staff.me", lang=g.lang), 303)
    return _me(wrong, 422)


MY_ACTS = {"password": _change_password, "name": _change_name, "recover": _recover, "end": _end_my_others}
