"""Staff pages that are about people, not cases: invitation, signing in and out, inviting somebody.

They speak HTTP and nothing else. A wrong name, password or code looks the same from outside.
"""

from __future__ import annotations

import base64
import secrets

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, PasswordField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Regexp

from reporting import keyring, sessions, staff
from reporting.frontdoor import (
    OpenForm,
    StaffForm,
    error_page,
    hidden,
    house,
    put_cookie,
    say,
    signed_in,
    take_cookie,
)
from reporting.incidents import N_
from reporting.keyring import ADVOCATE, CASE_WORKER, COORDINATOR, BrokenChain, CannotOpen, Sheets
from reporting.staff import Invitation

pages = Blueprint("staff", __name__)

ROLE_NAMES = {CASE_WORKER: N_("Case worker"), ADVOCATE: N_("Advocate"), COORDINATOR: N_("Coordinator")}
# role -> where somebody goes after signing in; the first role she has decides
HOMES = {CASE_WORKER: "casework.queue", COORDINATOR: "staff.people", ADVOCATE: "staff.home"}
NO = N_("Name, password or code is not right. Look at each once more, and at the clock of your phone.")


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────


class SignInForm(OpenForm):
    """Who, and both proofs."""

    name = StringField(N_("Your name here"), validators=[InputRequired(), Length(max=40)])
    password = PasswordField(N_("Password"), validators=[InputRequired(), Length(max=200)])
    code = StringField(N_("The six digits of your app"), validators=[InputRequired(), Length(max=20)])


@pages.get("/<lang>/equipo")
def sign_in() -> ResponseReturnValue:
    """The sign-in page."""
    return render_template("staff/sign_in.html", form=SignInForm(formdata=None))


@pages.post("/<lang>/equipo")
def let_sign_in() -> ResponseReturnValue:
    """Check password and six digits, take her keys, begin a session."""
    form, made = SignInForm(), house()
    if not form.validate():
        return _refuse(form, NO)
    with made.reading() as db:
        found = keyring.find_member(db, form.name.data.strip().lower())
    try:
        password = staff.tidy_password(form.password.data)
        who = keyring.unlock(found, password, form.code.data, made.clock(), made.settings.pepper)
        with made.writing() as db:
            keys = keyring.take_keys(db, made.pin, who)
            token = sessions.begin(db, keys, made.clock())
    except CannotOpen:
        return _refuse(form, NO)
    except BrokenChain:
        return _refuse(
            form,
            N_("Something you have seen here is gone or was changed. Do not go on. Call your colleagues."),
        )
    home = next(page for role, page in HOMES.items() if role in keys.roles)
    return put_cookie(make_response(redirect(url_for(home, lang=g.lang), 303)), token)


def _refuse(form: SignInForm, sentence: str) -> ResponseReturnValue:
    return make_response(render_template("staff/sign_in.html", form=form, sentence=say(sentence)), 422)


@pages.post("/<lang>/equipo/salir")
@signed_in(CASE_WORKER, ADVOCATE, COORDINATOR)
def sign_out() -> ResponseReturnValue:
    """End the session here and in the browser."""
    StaffForm().is_ours()
    with house().writing() as db:
        sessions.end(db, g.token)
    return take_cookie(make_response(redirect(url_for("staff.sign_in", lang=g.lang), 303)))


@pages.get("/<lang>/equipo/inicio")
@signed_in(ADVOCATE)
def home() -> ResponseReturnValue:
    """Where an advocate arrives."""
    return render_template("staff/home.html", out=StaffForm())


# ── invitations ─────────────────────────────────────────────────────────────────────────────────────────────


class AcceptForm(OpenForm):
    """She proves that she has what she was shown."""

    password = PasswordField(N_("Your password"), validators=[InputRequired(), Length(max=200)])
    code = StringField(N_("The six digits of your app"), validators=[InputRequired(), Length(max=20)])
    written = BooleanField(N_("I have written both sheets on paper, by hand"))


@pages.get("/<lang>/equipo/invitacion/<token>")
def invitation(token: str) -> ResponseReturnValue:
    """Whom the invitation is for. Nothing happens before she presses the button."""
    found = _invitation(token)
    if found is None:
        return error_page(404, N_("This invitation is not valid any more. Ask for a new one."))
    return render_template("staff/invitation.html", invitation=found, token=token)


@pages.post("/<lang>/equipo/invitacion/<token>")
def accept(token: str) -> ResponseReturnValue:
    """First her password, her app and, for the first case worker, the sheets are shown; then she proves them."""
    found = _invitation(token)
    if found is None:
        return error_page(404, N_("This invitation is not valid any more. Ask for a new one."))
    drawn = _drawn(token)
    if drawn is None:
        return _show_secrets(found, token, _draw(), AcceptForm(formdata=None))
    form = AcceptForm()
    problem = _problem(form, drawn)
    if problem:
        return _show_secrets(found, token, drawn, form, problem)
    return _become_member(found, token, drawn, staff.tidy_password(form.password.data))


def _invitation(token: str) -> Invitation | None:
    with house().reading() as db:
        try:
            return staff.read_invitation(db, token, house().clock())
        except CannotOpen:
            return None


def _draw() -> dict[str, str]:
    """What she is shown: a password, the app's secret and, if no keys exist yet, two sheets."""
    drawn = {
        "password": staff.suggest_password(secrets.randbelow, g.lang),
        "totp": keyring.new_totp_secret().hex(),
    }
    with house().reading() as db:
        first = not staff.keys_are_made(db, house().pin)
    if first:
        sheets = staff.draw_sheets(secrets.randbelow, g.lang)
        drawn |= {"first": " ".join(sheets.first), "second": " ".join(sheets.second)}
    return drawn


def _drawn(token: str) -> dict[str, str] | None:
    made = house()
    with made.reading() as db:
        try:
            text = request.form.get("t", "")
            ticket = sessions.read_ticket(db, made.settings.server_secret, "visit", text, made.clock())
        except CannotOpen:
            return None
    return dict(ticket.state) if ticket.step == token else None


def _show_secrets(
    found: Invitation, token: str, drawn: dict[str, str], form: AcceptForm, problem: str = ""
) -> ResponseReturnValue:
    made = house()
    with made.reading() as db:
        sealed = sessions.write_ticket(
            db, made.settings.server_secret, "visit", sessions.new_trip(), token, drawn, made.clock()
        )
    secret = base64.b32encode(bytes.fromhex(drawn["totp"])).decode()
    page = render_template(
        "staff/secrets.html",
        invitation=found,
        token=token,
        drawn=drawn,
        secret=[secret[start : start + 4] for start in range(0, len(secret), 4)],
        link=f"otpauth://totp/{made.settings.site_name}:{found.name}?secret={secret}&issuer={made.settings.site_name}",
        form=form,
        sentence=problem,
        ticket=hidden("t", sealed),
        makes_keys="first" in drawn and CASE_WORKER in found.roles,
    )
    return make_response(page, 422 if problem else 200)


def _problem(form: AcceptForm, drawn: dict[str, str]) -> str:
    """What is not right yet, in a sentence; nothing when all is."""
    typed = staff.tidy_password(form.password.data or "")
    chosen = typed != staff.tidy_password(drawn["password"])
    checks = (
        (form.validate(), N_("Fill in everything.")),
        (not chosen or len(typed) >= staff.OWN_PASSWORD_LENGTH, N_("A password of your own needs 16 signs or more.")),
        (keyring.is_totp_right(bytes.fromhex(drawn["totp"]), form.code.data or "", house().clock()),
         N_("The six digits are not right. Wait for the next ones and look at the clock of your phone.")),
        ("first" not in drawn or bool(form.written.data),
         N_("First write both sheets on paper. They are shown only now.")),
    )  # fmt: skip
    return next((say(sentence) for holds, sentence in checks if not holds), "")


def _become_member(found: Invitation, token: str, drawn: dict[str, str], password: str) -> ResponseReturnValue:
    made = house()
    new = keyring.new_member(found.name, found.roles, password, bytes.fromhex(drawn["totp"]), made.settings.pepper)
    recovery = None
    if "first" in drawn and CASE_WORKER in found.roles:
        recovery = Sheets(tuple(drawn["first"].split()), tuple(drawn["second"].split())).key_pair().public
    with made.writing() as db:
        staff.accept(
            db,
            made.pin,
            token,
            new,
            made.clock(),
            recovery,
            made.settings.team_name or made.settings.site_name,
        )
    with made.reading() as db:
        keyring.pin_teams(db, made.pin)
    return redirect(url_for("staff.sign_in", lang=g.lang), 303)


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────


class InviteForm(StaffForm):
    """Whom to invite, and as what."""

    name = StringField(
        N_("A name without spaces, only for signing in"),
        validators=[
            InputRequired(),
            Regexp(r"^[a-zñ0-9._-]{2,40}$", message=N_("Small letters and digits only.")),
        ],
    )
    role = RadioField(
        N_("As what"),
        choices=[SelectChoice(role, name) for role, name in ROLE_NAMES.items()],
        validators=[InputRequired()],
    )


@pages.route("/<lang>/equipo/personas", methods=["GET", "POST"])
@signed_in(COORDINATOR)
def people() -> ResponseReturnValue:
    """A coordinator sees the accounts and invites; she never sees a case."""
    form, link, made = InviteForm(), "", house()
    if form.is_ours():
        with made.writing() as db:
            token = staff.invite(db, form.name.data, (form.role.data,), made.clock())
        link = made.settings.base_url + url_for("staff.invitation", lang=g.lang, token=token)
    with made.reading() as db:
        members = keyring.members(db)
    page = render_template(
        "staff/people.html", form=form, link=link, members=members, role_names=ROLE_NAMES, out=StaffForm()
    )
    return make_response(page, 422 if form.is_submitted() and not link else 200)
