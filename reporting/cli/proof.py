"""Who sits at the terminal: asked for name, password and six digits, which nobody can read over anybody's shoulder.

Prints no key and stores none.
"""

from __future__ import annotations

import time

from sqlalchemy import Engine

from reporting.cli.base import opened
from reporting.cli.language import Refusal, ask
from reporting.i18n import T_
from reporting.storage.database import reading, writing
from reporting.teams import accounts, members, passwords
from reporting.teams.members import CodeUsed, Unlocked
from reporting.teams.team_log import CannotOpen

TERMINAL = accounts.Sender("terminal")  # where a wrong password was typed, for slowing down whoever guesses
DIGITS_USED = T_("These six digits were used already. Wait for the next ones.")
NOT_YOURS = T_("Nothing was done: name, password or six digits are not right, or that is not for you to do.")


def unlocked() -> tuple[Engine, Unlocked]:
    """The database, and who proved to be a member. Raises `ClickException` with what is wrong."""
    settings, engine = opened()
    name = ask("Your own name here")
    password = passwords.tidy(ask("Your password", hide_input=True))
    digits, now = ask("The six digits of your app"), time.time()
    with reading(engine) as db:
        member, wait = members.find_member(db, name), accounts.wait_before(db, settings.pepper, name, TERMINAL, now)
    if wait:
        raise Refusal("Too many wrong tries. Wait a minute and try again.")
    try:
        return engine, members.unlock(member, password, digits, now, settings.pepper)
    except CodeUsed:
        raise Refusal(DIGITS_USED) from None
    except CannotOpen as problem:
        with writing(engine) as db:
            accounts.note_failure(db, settings.pepper, name, TERMINAL, now, problem)
        raise Refusal(NOT_YOURS) from None
