"""Pages of a case that are printed: the sheet for a service, and her statement.

They speak HTTP and nothing else. Printing is in the audit; there is no sheet without her yes.
"""

from __future__ import annotations

from flask import g, make_response, url_for
from flask.typing import ResponseReturnValue

from referrals.casework import referral, referral_sheet
from referrals.directory import snapshot
from referrals.help import answers as referrals_help
from referrals.pages.case_forms import NOT_OPENED, blueprint
from reporting.cases import desk
from reporting.i18n import N_
from reporting.pages import my_case
from reporting.teams.team_log import CASE_WORKER, CannotOpen
from reporting.web.access.auth import signed_in
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import StaffForm


@blueprint.get("/<lang>/equipo/caso/<int(max=9223372036854775807):case>/hoja/<int(max=9223372036854775807):number>")
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
        case=case,
        out=StaffForm(formdata=None),
    )


@blueprint.get("/<lang>/equipo/caso/<int(max=9223372036854775807):case>/relato")
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
