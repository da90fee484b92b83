"""What was done in the cases of a team, and the guide to its work.

Reads the audit; opens no case.
"""

from __future__ import annotations

from flask import g
from flask.typing import ResponseReturnValue

from referrals.casework import referral
from referrals.pages.case_forms import blueprint
from reporting.cases import desk, records
from reporting.i18n import N_
from reporting.teams import accounts, members
from reporting.teams.team_log import CASE_WORKER
from reporting.web.access.auth import signed_in
from reporting.web.context import installation, render_template
from reporting.web.forms import StaffForm

ACT_NAMES = {
    "opened": N_("opened"),
    "letter": N_("wrote a letter"),
    "contact": N_("looked how to reach her"),
    "searched": N_("searched all cases for words"),
    "changed": N_("changed something"),
    "referral": N_("moved a referral"),
    "sheet": N_("opened a referral sheet"),
    "printed": N_("printed her words"),
    "handed over": N_("handed it over to another team"),
    "restored": N_("entered that a backup was put back"),
    "junk": N_("looked, when what two people had marked as junk was due to go"),
    "voice": N_("wrote down what was told by voice"),
}


@blueprint.get("/<lang>/equipo/registro")
@signed_in(CASE_WORKER)
def acts() -> ResponseReturnValue:
    """Who opened what, as far as the member's keys tell."""
    with installation().reading() as db:
        people = {account.id: account.name for account in members.accounts(db)}
        signers = accounts.keys_that_sign(db, installation().teams(db), vouched=True)
        listed = desk.acts(db, g.keys, signers)
    return render_template(
        "casework/acts.html",
        acts=listed,
        people=people,
        alias=records.alias,
        act_names=ACT_NAMES,
        out=StaffForm(formdata=None),
    )


@blueprint.get("/<lang>/equipo/guia")
@signed_in(CASE_WORKER)
def guide() -> ResponseReturnValue:
    """The first day, the hard days, and every step of a referral as the table of moves has it."""
    return render_template(
        "guide/casework.html",
        table=referral.MOVES,
        states=referral.STATES,
        who=referral.WHO,
        move_names=referral.MOVE_NAMES,
        out=StaffForm(formdata=None),
    )
