"""Signing in and out.

Speaks HTTP and nothing else. A wrong name, password or code looks the same from outside.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Response, g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from referrals.casework import signed_directory
from reporting.i18n import N_
from reporting.pages.staff.account import change_first
from reporting.sessions.held_requests import HeldRequest
from reporting.teams import accounts, heads, members, passwords, power, staff_sessions, team_log
from reporting.teams.members import CodeUsed, Locked
from reporting.teams.power import Arrival
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR, BrokenChain, CannotOpen
from reporting.web import desk_pages
from reporting.web.access import devices, held
from reporting.web.access.audience import DOOR, Pages
from reporting.web.access.auth import home_of, put_cookie, signed_in, take_cookie
from reporting.web.access.held import SessionOver
from reporting.web.access.proof import TOO_MANY, WAIT_FOR_THE_NEXT
from reporting.web.access.traits import NO_FORM, SIGN_IN, is_the, limited, takes, waits_its_turn
from reporting.web.context import installation, once, render_template, say
from reporting.web.forms import OpenForm, StaffForm
from reporting.web.limits import PASSWORDS, TURNING

blueprint = Pages("auth", __name__, DOOR, limit=TURNING)
# what was written into the database without an act of ours -> what is said of it
BY_HAND = {
    "roles": N_("The roles or teams of %(name)s were changed. No page and no command here does that."),
    "account": N_("The account %(name)s is there and nobody accepted an invitation for it."),
    "grant": N_("Keys lie there for %(name)s, whom no member let in."),
}
NO = N_("Name, password or code is not right. Look at each once more, and at the clock of your phone.")


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────


class SignInForm(OpenForm):
    """A name, the password and the six digits."""

    name = StringField(N_("Your name here"), validators=[InputRequired(), Length(max=40)])
    password = PasswordField(N_("Password"), validators=[InputRequired(), Length(max=200)])
    code = StringField(N_("The six digits of your app"), validators=[InputRequired(), Length(max=20)])
    h = HiddenField(default="")  # what was sent when the session had ended


@blueprint.get("/<lang>/equipo")
@is_the(SIGN_IN)
def sign_in() -> ResponseReturnValue:
    """The sign-in page."""
    return render_template("staff/sign_in.html", form=SignInForm(formdata=None), known=devices.has_any())


@blueprint.app_errorhandler(SessionOver)
def sign_in_again(over: SessionOver) -> ResponseReturnValue:
    """The sign-in page for somebody whose session ended while she wrote: what she sent waits in it."""
    return _ask_again(over.waiting) if over.waiting else redirect(url_for("auth.sign_in", lang=g.lang), 303)


@desk_pages.by_get(bound=False)
def _ask_again(waiting: str) -> ResponseReturnValue:
    form = SignInForm(formdata=None, data={"h": waiting})
    return render_template("staff/sign_in.html", form=form, waits=say(held.WAITS), known=devices.has_any())


def is_a_strangers() -> bool:
    """Whether a password would be stretched for this request, and its browser is not known as the member's."""
    return once("is_a_strangers", lambda: bool(SignInForm().validate()) and not devices.is_known_here(_who_is_named()))


def is_no_strangers() -> bool:
    """Whether something is left out, so that only its page comes back; or the browser is known."""
    return not is_a_strangers()


def _who_is_named() -> Locked | None:
    name = (SignInForm().name.data or "").strip().lower().replace("\0", "")
    with installation().reading() as db:
        return members.find_member(db, name) if devices.has_any() else None


@blueprint.post("/<lang>/equipo/olvidar")
@takes(NO_FORM)
def forget_browser() -> ResponseReturnValue:
    """The browser is known for nobody any more: its next sign-in is that of a stranger."""
    return devices.forget(make_response(redirect(url_for("auth.sign_in", lang=g.lang), 303)))


@blueprint.post("/<lang>/equipo")
@limited(TURNING, when=is_no_strangers)
@limited(PASSWORDS, when=is_a_strangers)
@waits_its_turn
@takes(SignInForm)
def let_sign_in() -> ResponseReturnValue:
    """Check password and six digits, take the member's keys, begin a session."""
    form, site, moment = SignInForm(), installation(), installation().clock()
    if not form.validate():
        return _refuse(form, NO)
    name, pepper = form.name.data.strip().lower().replace("\0", ""), site.settings.pepper
    with site.reading() as db:
        member = members.find_member(db, name)
        here = devices.whose_try(member)
        wait = accounts.wait_before(db, pepper, name, here, moment)
    if wait:
        return _refuse(form, TOO_MANY, 429)
    password = passwords.tidy(form.password.data)
    try:
        who = members.unlock(member, password, form.code.data, moment, pepper)
        must_change = passwords.is_weak(password, name)
        with site.writing() as db:
            arrival = power.arrive(db, site.pin, who, moment)
            arrival = replace(arrival, keys=replace(arrival.keys, must_change=must_change))
            signed = signed_directory.begin(db, site.pin, arrival.keys)
            accounts.note_success(db, pepper, name, here)
            token = staff_sessions.begin(db, arrival.keys, moment)
    except CodeUsed:  # only who has the password and the code hears this; nothing was guessed, and nothing is slowed
        return _refuse(form, WAIT_FOR_THE_NEXT)
    except CannotOpen as wrong:
        with site.writing() as db:
            accounts.note_failure(db, pepper, name, here, moment, wrong)
        return _refuse(form, NO)
    except BrokenChain:
        return _refuse(
            form,
            N_("Something you have seen here is gone or was changed. Do not go on. Call your colleagues."),
        )
    if signed is not None:
        site.pin.note_rows_signed()
    waiting = held.opened(form.h.data, arrival.keys.member, arrival.keys.private)
    return devices.remember(put_cookie(_arrives(arrival, token, signed or 0, waiting), token), who.locked)


def _arrives(arrival: Arrival, token: str, signed: int, waiting: HeldRequest | None) -> Response:
    """Where a member goes after signing in; first the news, where something happened to the team.

    Then to what waited for her.

    `signed`: services for which this member stands since a moment ago, as the first who may.
    """
    site, keys, home = installation(), arrival.keys, home_of(arrival.keys)
    with site.reading() as db:
        teams = team_log.teams_or_none(db, site.pin)
        site.pin.raise_to(teams)
        account = members.account(db, keys.member, teams)
    g.keys, g.token = keys, token
    if keys.must_change and waiting is not None:
        return make_response(change_first(SignInForm().h.data))
    to_account = account.waits or keys.must_change
    again = held.shown_again(waiting) if waiting and not to_account else None
    if (arrival.gone or arrival.written or signed) and not keys.must_change:
        g.notice, written = "", [[item.what, item.name] for item in arrival.written]
        return make_response(
            _news(list(arrival.gone), written, signed, home, make_response(again).location if again else "")
        )
    if again is not None:
        return make_response(again)
    return make_response(redirect(url_for("staff.me" if to_account else home, lang=g.lang), 303))


@desk_pages.by_get()
def _news(
    gone: list[str], written: list[list[str]], signed: int, home: str, waiting: str | None = None
) -> ResponseReturnValue:
    """`waiting`: the address of what was sent when the session had ended."""
    by_hand, out = [say(BY_HAND[what], name=name) for what, name in written], StaffForm(formdata=None)
    return render_template(
        "staff/news.html", gone=gone, by_hand=by_hand, signed=signed, home=home, out=out, waiting=waiting
    )


@desk_pages.by_get(bound=False)
def _refuse(form: SignInForm, sentence: str, code: int = 422) -> ResponseReturnValue:
    page = render_template("staff/sign_in.html", form=form, sentence=say(sentence), known=devices.has_any())
    return make_response(page, code)


@blueprint.post("/<lang>/equipo/salir")
@takes(StaffForm)
@signed_in(CASE_WORKER, ADVOCATE, COORDINATOR, before_change=True)
def sign_out() -> ResponseReturnValue:
    """End the session here and in the browser; what its pages showed goes too."""
    StaffForm().is_ours()
    with installation().writing() as db:
        heads.see_audit(db, g.keys.member, g.keys.private)  # what was done since signing in cannot be cut off unseen
        staff_sessions.end(db, g.token)
    desk_pages.forget()
    return take_cookie(make_response(redirect(url_for("auth.sign_in", lang=g.lang), 303)))
