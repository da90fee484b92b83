"""Her pages about a referral: what is proposed, what exactly would be told, her yes or no.

They speak HTTP and nothing else, are answers to POST, and carry the ticket of her stay.
"""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from referrals import directory, needs, sheets, triage
from reporting import casebook
from reporting.casebook import Case, Referral
from reporting.casework import NotNow
from reporting.frontdoor import house, render_template, say
from reporting.incidents import N_
from reporting.sessions import LEFT
from reporting.stays import CASE, Stay, arrive, stay_field, stay_of
from reporting.teamlog import CannotOpen

pages = Blueprint("her_referral", __name__)

GONE = N_("This is not asked any more.")
SAID_YES = N_("Noted: yes. The team may tell them only what you saw.")
SAID_NO = N_("Noted: no. Nothing is told to them from now on.")


def _arrived() -> tuple[Stay, int] | None:
    """Her stay and the number of the referral; None where it is no page of hers (any more)."""
    came = arrive("visit")
    number = request.form.get("number", "")
    if came is None or came.ended == LEFT or came.ticket.step != CASE or not (number.isascii() and number.isdecimal()):
        return None
    return stay_of(came.ticket), int(number[:20])


@pages.post("/<lang>/volver/propuesta")
def look() -> ResponseReturnValue:
    """A proposal as she needs it to decide: which service, why, and word for word what it would be told."""
    arrived = _arrived()
    if arrived is None:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    stay, number = arrived
    try:
        with house().reading() as db:
            case = casebook.open_visit(db, stay.visit)
    except CannotOpen:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    one = next((one for one in case.referrals if one.id == number), None)
    return _page(stay, case, one) if one else _page(stay, case, None, say(GONE), 422)


@pages.post("/<lang>/volver/respuesta")
def answer() -> ResponseReturnValue:
    """Her yes or no. Pressed twice, it counts once."""
    arrived = _arrived()
    if arrived is None:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    (stay, number), made, yes = arrived, house(), request.form.get("go") == "yes"
    try:
        with made.writing() as db, casebook.on_visit(db, stay.visit, made.clock()) as folder:
            if yes:
                triage.agree(folder, number, made.clock())
            else:
                triage.say_no(folder, number, made.clock())
    except NotNow as why:
        return _page(stay, None, None, say(why.sentence), 422)
    except CannotOpen:
        return _page(stay, None, None, say(GONE), 422)
    return _page(stay, None, None, say(SAID_YES if yes else SAID_NO))


def _page(stay: Stay, case: Case | None, one: Referral | None, sentence: str = "", code: int = 200
          ) -> ResponseReturnValue:  # fmt: skip
    shelf = directory.shelf(house().reading)
    names = directory.names(shelf)
    page = render_template(
        "reporter/referral.html",
        one=one,
        name=names.get(one.service, one.service) if one else "",
        door=_door(shelf, one, case) if one and case else None,
        sheet=sheets.words_of(case, one, names, say, house().clock()) if one and case else (),
        need_names=needs.NEEDS,
        sentence=sentence,
        ticket=stay_field(stay),
    )
    return make_response(page, code)


def _door(shelf: directory.Shelf, one: Referral, case: Case) -> directory.Offer | None:
    now = house().clock()
    return directory.door(shelf, one.service, one.need, case.incident_at(now), now)
