"""Casework pages: the queue, a case, letters, the audit. And what pages of the other wing borrow from this one.

They speak HTTP and nothing else. A case worker is named in the audit whenever a case is opened.
"""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from referrals import directory, needs, triage
from reporting import casebook, languages, members, questionnaire
from reporting.casebook import NoConsent
from reporting.frontdoor import House, StaffForm, error_page, house, local_hour, refresh_keys, say, signed_in
from reporting.incidents import N_, VOCABULARY
from reporting.keyring import Keys
from reporting.teamlog import CASE_WORKER, CannotOpen

pages = Blueprint("casework", __name__)

ACT_NAMES = {"opened": N_("opened"), "letter": N_("wrote a letter")}
NOT_OPENED = N_("This case does not open: it was erased, or a record of it was changed.")


def settle(made: House) -> None:
    """Bring what the front door shows on practice and error pages: the lines that answer in the whole country."""
    made.wings["lines"] = lambda: directory.national_lines(g.get("shelf") or directory.shelf(made.reading))


class LetterForm(StaffForm):
    """A letter to the reporter; it waits behind her code."""

    text = TextAreaField(N_("Letter to her"), validators=[InputRequired(), Length(max=questionnaire.LONGEST_TEXT)])


@pages.get("/<lang>/equipo/casos")
@signed_in(CASE_WORKER)
def queue() -> ResponseReturnValue:
    """All cases her keys open, the most urgent first. Opens cards only."""
    made, keys = house(), refresh_keys()
    with made.reading() as db:
        cards, broken = casebook.queue(db, keys)
    page = render_template(
        "casework/queue.html",
        lines=triage.sorted_lines(cards, made.clock()),
        regions=VOCABULARY["region"],
        broken=broken,
        need_names=needs.NEEDS,
        urgency_names=needs.URGENCY_LABELS,
        names=directory.names(directory.shelf(made.reading)),
        came=lambda hour: languages.hour(g.lang, local_hour(hour)),
        out=StaffForm(),
    )
    answer = make_response(page)
    answer.call_on_close(lambda: _move_to_vault(made, keys))
    return answer


def _move_to_vault(made: House, keys: Keys) -> None:
    """After the page is sent, outside of any request: newly arrived keys go to the vault, the next queue is quick."""
    with made.writing() as db:
        casebook.move_to_vault(db, keys)


@pages.get("/<lang>/equipo/caso/<int(max=9223372036854775807):case>")
@signed_in(CASE_WORKER)
def case_page(case: int) -> ResponseReturnValue:
    """Everything of one case. The opening is in the audit."""
    made = house()
    try:
        with made.writing() as db:
            opened = casebook.open_case(db, g.keys, case, made.clock())
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    return _show(opened, LetterForm(formdata=None))


def _show(opened: casebook.Case, form: LetterForm, code: int = 200) -> ResponseReturnValue:
    made = house()
    shelf = directory.shelf(made.reading)
    page = render_template(
        "casework/case.html",
        case=opened,
        alias=casebook.alias(opened.id),
        facts=questionnaire.facts_of(opened.incident, directory.names(shelf), say),
        help=directory.help_for(shelf, opened.incident_at(made.clock()), languages=(opened.language,)),
        came=languages.hour(g.lang, local_hour(opened.hour)),
        form=form,
        channels=questionnaire.CHANNELS,
        contact_names=questionnaire.CONTACT_NAMES,
        consent_names=questionnaire.CONSENTS | {"C_CONTACT": N_("The team may contact her")},
        must_not_names=needs.MUST_NOTS,
        out=StaffForm(),
    )
    return make_response(page, code)


@pages.post("/<lang>/equipo/caso/<int(max=9223372036854775807):case>")
@signed_in(CASE_WORKER)
def write(case: int) -> ResponseReturnValue:
    """A letter to her."""
    form, made = LetterForm(), house()
    try:
        if not form.is_ours():
            with made.writing() as db:
                return _show(casebook.open_case(db, g.keys, case, made.clock()), form, 422)
        with made.writing() as db:
            casebook.write_as_team(db, g.keys, case, form.text.data.strip(), made.clock())
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    except NoConsent:
        return error_page(403, N_("She did not say yes to letters."))
    return redirect(url_for("casework.case_page", lang=g.lang, case=case), 303)


@pages.get("/<lang>/equipo/registro")
@signed_in(CASE_WORKER)
def acts() -> ResponseReturnValue:
    """Who opened what, as far as her keys tell."""
    with house().reading() as db:
        people = {account.id: account.name for account in members.accounts(db)}
        listed = casebook.acts(db, g.keys)
    return render_template("casework/acts.html", acts=listed, people=people, alias=casebook.alias, act_names=ACT_NAMES,
                           out=StaffForm())  # fmt: skip
