"""Papers of the desk: the sheet for a service, her statement, what was done in the cases of a team, the guide.

They speak HTTP and nothing else. Printing is in the audit; there is no sheet without her yes.
"""

from __future__ import annotations

from flask import g, make_response, url_for
from flask.typing import ResponseReturnValue

from referrals.casework import referral, referral_sheet
from referrals.casework.follow_up import appointments
from referrals.directory import snapshot
from referrals.help import answers as referrals_help
from referrals.pages.case_forms import CASE_PATH, NOT_OPENED, blueprint
from reporting.cases import desk, records
from reporting.cases.follow_up import next_steps
from reporting.i18n import N_
from reporting.pages import my_case
from reporting.teams import accounts, members
from reporting.teams.team_log import CASE_WORKER, CannotOpen
from reporting.web.access.auth import signed_in
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import StaffForm

ACT_NAMES = {
    "opened": N_("opened"),
    "letter": N_("wrote a letter"),
    "contact": N_("looked how to reach her"),
    "searched": N_("searched all cases for words"),
    "counted": N_("opened cases to count how they went"),
    "changed": N_("changed something"),
    "referral": N_("moved a referral"),
    "sheet": N_("opened a referral sheet"),
    "printed": N_("printed her words"),
    "printed plan": N_("printed a plan"),
    "handed over": N_("handed it over to another team"),
    "restored": N_("entered that a backup was put back"),
    "junk": N_("looked, when what two people had marked as junk was due to go"),
    "voice": N_("wrote down what was told by voice"),
}


@blueprint.get(f"{CASE_PATH}/hoja/<int(max=9223372036854775807):number>")
@signed_in(CASE_WORKER)
def sheet(case: int, number: int) -> ResponseReturnValue:
    """The page that goes to a service: what she agreed to, and nothing else. There is none without her yes."""
    site = installation()
    try:
        with site.writing() as db:
            opened = desk.open_sheet(db, g.keys, case, site.clock())
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    proposal = next((proposal for proposal in opened.referrals if proposal.id == number), None)
    if proposal is None or not referral.may_go(proposal):
        return error_page(404, N_("There is no sheet without her yes."))
    names = referrals_help.names(snapshot.snapshot_of(site.reading))
    return render_template(
        "casework/sheet.html",
        proposal=proposal,
        service=names.get(proposal.service, proposal.service),
        rows=referral_sheet.words_of(opened, proposal, names, say, site.clock()),
        appointments=appointments.standing(proposal),
        case=case,
        out=StaffForm(formdata=None),
    )


@blueprint.get(f"{CASE_PATH}/relato")
@signed_in(CASE_WORKER)
def printed(case: int) -> ResponseReturnValue:
    """Her own words and facts on paper, for somebody who goes to complain. The printing is in the audit."""
    site = installation()
    try:
        with site.writing() as db:
            opened = desk.open_case(db, g.keys, case, site.clock(), "printed")
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    back = url_for("casework.case_page", lang=g.lang, case=case)
    return make_response(
        my_case.statement_page(opened, "casework/statement.html", back=back, out=StaffForm(formdata=None))
    )


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
        next_of_referral=next_steps.OF_REFERRAL,
        next_of_case=next_steps.OF_CASE,
        case_states=next_steps.CASE_STATES,
        out=StaffForm(formdata=None),
    )
