"""The invitation that makes somebody a member of the staff: its code typed, secrets shown once, and proved.

Speaks HTTP and nothing else. Its pages are at the door, beside the sign-in.
"""

from __future__ import annotations

import secrets

import segno
from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from reporting.i18n import N_
from reporting.pages.staff.account import WEAK
from reporting.pages.staff.sign_in import blueprint
from reporting.sessions import tickets
from reporting.teams import accounts, members, passwords, power
from reporting.teams.accounts import Invitation, StillWaits
from reporting.teams.keyring import RecoverySheets
from reporting.teams.team_log import CASE_WORKER, BrokenChain, CannotOpen
from reporting.web import desk_pages
from reporting.web.access.tickets import ticket_field, ticket_in, typed_ticket
from reporting.web.access.traits import takes, waits_its_turn
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import OpenForm, SecretField

STILL_WAITS = N_(
    "This invitation opens when somebody else of the team agrees, or 24 hours after it was made. Keep the code, "
    "tell the coordinator, and try again then."
)
NOT_VALID = N_("This invitation is not valid any more. Ask for a new one.")
OLD_LINK = N_(
    "The code of an invitation does not belong in an address: it would stay in this browser and on the way. Type here "
    "what stands after the last slash of the one you opened."
)
TOO_SLOW = N_("That took more than a quarter of an hour. Type the code once more.")
INVITATION = "invitation "  # what the step of its ticket begins with; the secret follows


class AcceptForm(OpenForm):
    """The new member proves to have what was shown."""

    password = PasswordField(N_("Your password"), validators=[InputRequired(), Length(max=200)])
    code = StringField(N_("The six digits of your app"), validators=[InputRequired(), Length(max=20)])
    written = BooleanField(N_("I have written both sheets on paper, by hand"))


class InvitationForm(OpenForm):
    """The secret of an invitation, typed: in an address it would stay in a history and in the log of whoever logs."""

    code = SecretField(N_("The code of your invitation"), validators=[InputRequired(), Length(max=80)])


@blueprint.get("/<lang>/equipo/invitacion")
def invitation() -> ResponseReturnValue:
    """Where the code of an invitation is typed."""
    return _ask_code()


@blueprint.get("/<lang>/equipo/invitacion/<_token>")
def old_invitation(_token: str) -> ResponseReturnValue:
    """An address that carried the secret, as they once were: it opens nothing, and says what to do."""
    return _ask_code(say(OLD_LINK), 410)


@blueprint.post("/<lang>/equipo/invitacion")
@takes(InvitationForm)
def open_invitation() -> ResponseReturnValue:
    """Whom the invitation is for. Nothing is made before the next button is pressed."""
    form = InvitationForm()
    token = (form.code.data or "").strip() if form.validate() else ""
    if not token or _invitation(token) is None:
        return _ask_code(say(NOT_VALID), 404)
    return _welcome(token)


@blueprint.post("/<lang>/equipo/invitacion/empezar")
@waits_its_turn
@takes(AcceptForm)
def accept() -> ResponseReturnValue:
    """First the password, the app and, for the first case worker, the sheets are shown; then they are proved."""
    ticket = ticket_in(typed_ticket(), "visit")
    if ticket is None or not ticket.step.startswith(INVITATION):
        return _ask_code(say(TOO_SLOW), 410)
    token, drawn = ticket.step.removeprefix(INVITATION), dict(ticket.state)
    invited = _invitation(token)
    if invited is None:
        return error_page(404, NOT_VALID)
    if not drawn:
        return _show_secrets(token, _draw(invited))
    form = AcceptForm()
    problem = _problem(form, drawn, invited.name)
    if problem:
        return _show_secrets(token, drawn, form, problem)
    return _become_member(invited, token, drawn, passwords.tidy(form.password.data))


@desk_pages.by_get(bound=False)
def _ask_code(sentence: str = "", code: int = 200) -> ResponseReturnValue:
    form = InvitationForm(formdata=None)
    return make_response(render_template("staff/invitation_code.html", form=form, sentence=sentence), code)


@desk_pages.by_get(desk_pages.SECRET_SHOWN)
def _welcome(token: str) -> ResponseReturnValue:
    invited = _invitation(token)
    if invited is None:
        return error_page(404, NOT_VALID)
    ticket = ticket_field("visit", tickets.new_trip(), INVITATION + token, {})
    return render_template("staff/invitation.html", invitation=invited, ticket=ticket)


def _invitation(token: str) -> Invitation | None:
    with installation().reading() as db:
        try:
            return accounts.read_invitation(db, token, installation().clock())
        except CannotOpen:
            return None


def _draw(invited: Invitation) -> dict[str, str]:
    """What a new member is shown: a password, the app's secret, spare codes and, with the first keys, two sheets."""
    drawn = {
        "password": passwords.suggest(secrets.randbelow, g.lang),
        "totp": members.new_totp_secret().hex(),
        "spares": " ".join(members.new_spares(secrets.randbelow)),
    }
    with installation().reading() as db:
        first = bool(invited.new_team) or not accounts.keys_are_made(db, installation().pin)
    if first and CASE_WORKER in invited.roles:
        sheets = accounts.draw_sheets(secrets.randbelow, g.lang)
        drawn |= {"first": " ".join(sheets.first), "second": " ".join(sheets.second)}
    return drawn


@desk_pages.by_get(desk_pages.SECRET_SHOWN)
def _show_secrets(
    token: str, drawn: dict[str, str], form: AcceptForm | None = None, problem: str = ""
) -> ResponseReturnValue:
    site, invited = installation(), _invitation(token)
    if invited is None:
        return error_page(404, NOT_VALID)
    secret = members.totp_text(bytes.fromhex(drawn["totp"]))
    link = members.totp_link(site.settings.site_name, invited.name, bytes.fromhex(drawn["totp"]))
    page = render_template(
        "staff/secrets.html",
        invitation=invited,
        drawn=drawn,
        secret=[secret[start : start + 4] for start in range(0, len(secret), 4)],
        link=link,
        picture=segno.make(link, micro=False).png_data_uri(scale=4, border=4),
        form=form or AcceptForm(formdata=None),
        sentence=problem,
        ticket=ticket_field("visit", tickets.new_trip(), INVITATION + token, drawn),
        makes_keys="first" in drawn,
    )
    return make_response(page, 422 if problem else 200)


def _problem(form: AcceptForm, drawn: dict[str, str], name: str) -> str:
    """What is not right yet, in a sentence; nothing when all is."""
    typed = passwords.tidy(form.password.data or "")
    checks = (
        (form.validate(), N_("Fill in everything.")),
        (not passwords.is_weak(typed, name, installation().settings.site_name), WEAK),
        (
            members.is_totp_right(bytes.fromhex(drawn["totp"]), form.code.data or "", installation().clock()),
            N_("The six digits are not right. Wait for the next ones and look at the clock of your phone."),
        ),
        (
            "first" not in drawn or bool(form.written.data),
            N_("First write both sheets on paper. They are shown only now."),
        ),
    )
    return next((say(sentence) for holds, sentence in checks if not holds), "")


def _become_member(invited: Invitation, token: str, drawn: dict[str, str], password: str) -> ResponseReturnValue:
    site = installation()
    with site.reading() as db:
        again = next((account for account in members.accounts(db) if account.name == invited.name), None)
    new = members.new_member(
        invited.name,
        invited.roles,
        password,
        bytes.fromhex(drawn["totp"]),
        site.settings.pepper,
        tuple(drawn["spares"].split()),
        again,
        invited.teams,
    )
    recovery = None
    if "first" in drawn:
        recovery = RecoverySheets(tuple(drawn["first"].split()), tuple(drawn["second"].split())).key_pair().public
    team_name = site.settings.team_name or site.settings.site_name
    try:
        with site.writing() as db:
            power.carry_out_due(db, site.pin, new.signer, site.clock())
            fresh = accounts.accept(db, site.pin, token, new, site.clock(), recovery, team_name)
            if fresh:
                site.pin.expect(fresh)  # before the commit: a machine that stops in between shuts no door
    except StillWaits:
        return error_page(409, STILL_WAITS)
    except (CannotOpen, BrokenChain):  # pressed twice, or somebody else made the first keys meanwhile
        return error_page(404, NOT_VALID)
    if fresh and invited.new_team:
        site.pin.add(fresh[0])
    elif fresh:
        site.pin.begin(fresh)
    desk_pages.forget()
    return redirect(url_for("auth.sign_in", lang=g.lang), 303)
