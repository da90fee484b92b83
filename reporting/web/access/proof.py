"""The proof for an act of power: password and six digits again, of whoever is signed in.

A stolen session has neither. What is wrong is counted and slowed as at the sign-in. Knows no act.
"""

from __future__ import annotations

from flask import g
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.teams import accounts, members, passwords, staff_sessions
from reporting.teams.accounts import Sender
from reporting.teams.members import CodeUsed, Unlocked
from reporting.teams.team_log import CannotOpen
from reporting.web.context import installation
from reporting.web.forms import StaffForm

WAIT_FOR_THE_NEXT = N_("These six digits were used already. Wait for the next ones, half a minute at most.")
TOO_MANY = N_("Too many wrong tries. Wait a minute and try again.")
WRONG = N_("Your password or the six digits are not right. Nothing was done.")
FILL_IN = N_(
    "For this your password and six digits are needed again, so that nobody does it from a computer left open."
)


class NotProved(AmparoError):
    """Whoever acts did not prove it. `sentence` says what is wrong, `code` with which status it is answered."""

    def __init__(self, sentence: str, code: int = 422) -> None:
        self.sentence, self.code = sentence, code
        super().__init__(sentence)


class ProofForm(StaffForm):
    """An act of power: whoever presses the button types password and digits again."""

    password = PasswordField(N_("Your password"), validators=[InputRequired(), Length(max=200)])
    code = StringField(N_("The six digits of your app"), validators=[InputRequired(), Length(max=20)])


def proof_in(form: ProofForm) -> Unlocked:
    """The proof of who is signed in, to be used up by one act. Outside any transaction; raises `NotProved`."""
    site, name, moment = installation(), g.keys.name, installation().clock()
    pepper = site.settings.pepper
    if not (form.password.data and form.code.data):
        raise NotProved(FILL_IN)
    with site.reading() as db:
        member, wait = members.find_member(db, name), accounts.wait_before(db, pepper, name, _here(), moment)
    if wait:
        raise NotProved(TOO_MANY, 429)
    try:
        return members.unlock(member, passwords.tidy(form.password.data), form.code.data, moment, pepper)
    except CodeUsed:
        raise NotProved(WAIT_FOR_THE_NEXT) from None
    except CannotOpen as wrong:
        with site.writing() as db:
            accounts.note_failure(db, pepper, name, _here(), moment, wrong)
        raise NotProved(WRONG) from None


def _here() -> Sender:
    """The session itself: whoever guesses in it slows nobody else, and nobody else slows it."""
    return Sender(f"session {staff_sessions.name_of(g.token)}", known=True)
