"""Her consent to a referral: what is proposed, what exactly would be told, her yes or no.

Speaks HTTP and nothing else; every page follows a POST and carries the ticket of her visit.
"""

from __future__ import annotations

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from referrals.casework import need_list, referral, referral_sheet
from referrals.casework.follow_up import appointments
from referrals.directory import snapshot
from referrals.help import answers as referrals_help
from referrals.matching import records
from reporting.cases import store
from reporting.cases.actions import NotAllowed
from reporting.cases.records import Case, Referral, referral_code
from reporting.i18n import N_
from reporting.sessions.replays import LEFT
from reporting.teams.team_log import CannotOpen
from reporting.vocabulary.needs import NEEDS
from reporting.web import post_redirect_get
from reporting.web.access.audience import HERS, Pages
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.access.visits import (
    CaseSession,
    came_to_her_case,
    case_session_field,
    case_session_of,
    case_session_on,
    go_on,
    onward,
)
from reporting.web.context import installation, render_template, say
from reporting.web.forms import BadFormValue, OpenForm, button, number_in
from reporting.web.limits import TURNING
from reporting.web.post_redirect_get import TicketCheck, Trail

blueprint = Pages("consent", __name__, HERS, limit=TURNING)
GONE = N_("This is not asked any more.")
# what is pressed -> what it did
ANSWERS = {
    "yes": N_("Noted: yes. The team may tell them only what you saw."),
    "no": N_("Noted: no. Nothing is told to them from now on."),
}


class NumberForm(OpenForm):
    """Which proposal it is about."""

    number = StringField()


def _arrived() -> tuple[TicketCheck, int] | None:
    """Her request and the number of the referral; None where it is no page of hers (any more)."""
    came = came_to_her_case()
    if came is None:
        return None
    try:
        return came, number_in(NumberForm().number.data)
    except BadFormValue:
        return None


@blueprint.post("/<lang>/volver/propuesta")
@takes(NumberForm)
@may_be_sent_again
def look() -> ResponseReturnValue:
    """The answer that leads to the page of a proposal."""
    arrived = _arrived()
    if arrived is None:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    came, number = arrived
    try:
        proposal = _proposal(case_session_of(came), number)[1]
    except CannotOpen:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    return go_on(came, onward(f"proposal-{number}") if proposal else onward("said", sentence=say(GONE), code=422))


@blueprint.post("/<lang>/volver/respuesta")
@takes(NumberForm)
@may_be_sent_again
def answer() -> ResponseReturnValue:
    """Her yes or no. Pressed twice, it counts once."""
    arrived = _arrived()
    if arrived is None:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    (came, number), site, go = arrived, installation(), button()
    if go not in ANSWERS:
        return go_on(came, onward(f"proposal-{number}"))
    try:
        with site.writing() as db, store.on_visit(db, case_session_of(came).visit, site.clock()) as case_file:
            if go == "yes":
                referral.agree(case_file, number, site.clock())
            else:
                referral.say_no(case_file, number, site.clock())
    except NotAllowed as why:
        return go_on(came, onward("said", sentence=say(why.sentence), code=422))
    except CannotOpen:
        return go_on(came, onward("said", sentence=say(GONE), code=422))
    return go_on(came, onward("said", sentence=say(ANSWERS[go])))


def _proposal(session: CaseSession, number: int) -> tuple[Case, Referral | None]:
    with installation().reading() as db:
        case = store.open_visit(db, session.visit)
    return case, next((proposal for proposal in case.referrals if proposal.id == number), None)


@post_redirect_get.shows("visit/proposal", "visit/said")
def page(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """A proposal as she needs it to decide: which service, why, and word for word what it would be told."""
    if ended == LEFT or trail.expires is None or installation().clock() > trail.expires:
        return post_redirect_get.start_page()
    session, number = case_session_on(trail), step.partition("-")[2]
    try:
        case, proposal = _proposal(session, int(number)) if number else (None, None)
    except CannotOpen:
        return post_redirect_get.start_page()
    sentence = trail.about(step).get("sentence", "") if proposal else trail.about(step).get("sentence", say(GONE))
    return make_response(_page(session, case, proposal, sentence), trail.status(step))


def _page(session: CaseSession, case: Case | None, proposal: Referral | None, sentence: str) -> str:
    directory = snapshot.snapshot_of(installation().reading)
    names = referrals_help.names(directory)
    return render_template(
        "reporter/referral.html",
        proposal=proposal,
        name=names.get(proposal.service, proposal.service) if proposal else "",
        door=_offer(directory, proposal, case) if proposal and case else None,
        sheet=referral_sheet.words_of(case, proposal, names, say, installation().clock()) if proposal and case else (),
        code=referral_code(proposal.id) if proposal else "",
        appointments=appointments.standing(proposal) if proposal else (),
        need_names=NEEDS,
        running=need_list.running(case, proposal.need, installation().clock()) if proposal and case else None,
        sentence=sentence,
        ticket=case_session_field(session),
    )


def _offer(directory: snapshot.DirectorySnapshot, proposal: Referral, case: Case) -> records.Offer | None:
    now = installation().clock()
    return referrals_help.offer_of(directory, proposal.service, proposal.need, case.incident_at(now), now)
