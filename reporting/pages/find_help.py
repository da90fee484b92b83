"""Finding help without telling: where, and what for. Nothing of it is stored.

Knows no case and files nothing.
"""

from __future__ import annotations

from typing import Any

from flask import g, make_response
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from referrals.help.answers import help_with, needs_to_ask
from referrals.help.cards import HelpCards, cards_of
from reporting.pages import directory_lookups
from reporting.pages.start import blueprint, box_ticket, over
from reporting.sessions.replays import LEFT
from reporting.web import post_redirect_get, question_forms
from reporting.web.access.traits import compressible, may_be_sent_again, takes
from reporting.web.context import SEEN, installation, render_template, say
from reporting.web.forms import OpenForm, typed_here
from reporting.web.post_redirect_get import Trail, check_ticket


class HelpForm(OpenForm):
    """Where, and what for. Nothing of it is stored."""

    region = RadioField(validators=[Optional()])
    needs = SelectMultipleField()
    police_shown = BooleanField()

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.region.choices = [SelectChoice(code, say(label)) for code, label in question_forms.regions().items()]
        self.needs.choices = [SelectChoice(code, say(label)) for code, label in needs_to_ask().items()]


@blueprint.get("/<lang>/ayuda")
@compressible
def ask_for_help() -> ResponseReturnValue:
    """Help without a report: where, and what for."""
    return _help_page(HelpForm(formdata=None))


@blueprint.post("/<lang>/ayuda")
@takes(HelpForm)
@may_be_sent_again
def find_help() -> ResponseReturnValue:
    """The same matching as for a report, nothing stored. The ticket lets a repeat be refused."""
    came = check_ticket("visit")
    if came is None or came.ended == LEFT:
        return over(came)
    return post_redirect_get.answer(post_redirect_get.follow(came, "help"), "help", typed=typed_here())


@post_redirect_get.shows("help")
def found_help(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """What was found for what she needs, as long as she has not left."""
    if ended == LEFT or trail.age > post_redirect_get.SHOWN:
        return post_redirect_get.start_page()
    form = HelpForm(formdata=trail.typed(step))
    if not form.validate() or not form.needs.data:
        return _help_page(form, nothing=True, code=422)
    department = question_forms.department_in(form.region.data)
    now, police_shown = installation().clock(), form.police_shown.data
    offered = help_with(
        directory_lookups.snapshot(), form.needs.data, department, now, languages=(g.lang,), police_shown=police_shown
    )
    return _help_page(form, offered=cards_of(offered))


def _help_page(
    form: HelpForm, *, offered: HelpCards | None = None, nothing: bool = False, code: int = SEEN
) -> ResponseReturnValue:
    g.may_shrink = True
    page = render_template("reporter/find_help.html", form=form, offered=offered, nothing=nothing, box=box_ticket())
    return make_response(page, code)
