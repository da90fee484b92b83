"""Papers of the desk: the sheet for a service, her statement, what was done in the cases of a team, the guide.

They speak HTTP and nothing else. Printing is in the audit; there is no sheet without her yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import g, make_response, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from referrals.casework import queue, referral, referral_sheet
from referrals.casework.examples import ROSA, examples
from referrals.casework.follow_up import appointments
from referrals.directory import snapshot
from referrals.help import answers as referrals_help
from referrals.pages import queue as queue_page
from referrals.pages.case_forms import CASE_PATH, NOT_OPENED, blueprint
from referrals.pages.queue_bulk import BulkForm
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


# tab of the list of cases -> what lies there, as the guide says it
TABS_MEAN: Final[Mapping[str, str]] = {
    "today": N_("What has to be looked at today. Begin here, at the top."),
    "new": N_("What nobody of the team has opened yet."),
    "waits": N_("She wrote, or said yes to a service, and waits for you."),
    "mine": N_("What you have."),
    "open": N_("Every open case."),
}
# place that stands behind the fold of the list, where something lies there -> the same
OTHERS_MEAN: Final[Mapping[str, str]] = {
    "unread": N_("She wrote, added or changed something since the team last looked."),
    "closed": N_("It has an outcome and a reason. She can still write, and then it is unread again."),
    "threats": N_("Folded away under a mark, to be looked at together."),
    "junk": N_("Folded away under a mark that can be taken back."),
    "doubtful": N_("It shows two signs of junk, and none of danger. Look through it once a day."),
}
# why a case stands where it stands -> what that asks of whoever reads it, in the order of the list
PLACES_MEAN: Final[Mapping[str, str]] = {
    "danger": N_("She told it in the last 24 hours, and nobody has written or spoken to her. Write or call now."),
    "window": N_(
        "Help that stops working after some hours, and nobody has written to her. The list says how many are left."
    ),
    "silent": N_("She told it more than a day ago, and still nobody has written or spoken to her."),
    "send": N_("A service may be told: press that it is sent."),
    "wrote": N_("The newest word is hers. Answer her."),
    "due": N_("The day of its next step has come."),
    "open": N_("Nobody has taken it, or whoever has it has not written to her."),
    "taken": N_("Somebody has it, and answered her or set a day to come. It stands last."),
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
        code=records.referral_code(proposal.id),
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
        tabs=[(queue.FOLDERS[name][0], meaning) for name, meaning in TABS_MEAN.items()],
        others=[(queue.FOLDERS[name][0], meaning) for name, meaning in OTHERS_MEAN.items()],
        places=[(queue.PLACES[name].says, meaning) for name, meaning in PLACES_MEAN.items()],
        table=referral.MOVES,
        states=referral.STATES,
        who=referral.WHO,
        move_names=referral.MOVE_NAMES,
        next_of_referral=next_steps.OF_REFERRAL,
        next_of_case=next_steps.OF_CASE,
        case_states=next_steps.CASE_STATES,
        pictures=_pictures(),
        out=StaffForm(formdata=None),
    )


def _pictures() -> Markup:
    """Lines of the list with invented cases, drawn by what draws the list."""
    return Markup(  # noqa: S704 -- a template of ours, which escapes what it shows
        render_template(
            "parts/queue_examples.html",
            **queue_page.TABLE,
            examples=examples(installation().clock()),
            people={ROSA: "Rosa"},
            names={},
            folds={},
            missed={},
            signs={},
            me=g.keys.member,
            out=BulkForm(formdata=None),
        )
    )
