"""Finding help without telling: where, and what for, ticked or in her words. Nothing of it is stored.

Knows no case and files nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, make_response
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from referrals.help.answers import help_with, needs_to_ask, places_to_pick
from referrals.help.cards import HelpCards, cards_of
from referrals.help.texts import need_words
from referrals.help.words import LONGEST, needs_in
from reporting.i18n import N_
from reporting.pages import directory_lookups
from reporting.pages.start import blueprint, box_ticket, over
from reporting.sessions.replays import LEFT
from reporting.web import post_redirect_get
from reporting.web.access.traits import compressible, may_be_sent_again, takes
from reporting.web.context import SEEN, installation, render_template, say
from reporting.web.forms import OpenForm, typed_here
from reporting.web.post_redirect_get import Trail, check_ticket

NOTHING = N_("Mark at least one thing you need, or write it.")
NOT_UNDERSTOOD = N_("We did not understand those words. Mark below what you need.")


class HelpForm(OpenForm):
    """Where, and what for. Nothing of it is stored."""

    region = SelectField(validators=[Optional()])
    words = StringField(default="", validators=[Length(max=LONGEST)])
    needs = SelectMultipleField()
    open_now = BooleanField()
    police_shown = BooleanField()

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        places = places_to_pick(directory_lookups.snapshot()).items()
        known = [SelectChoice(code, name) for code, name in places]
        self.region.choices = [SelectChoice("", say(N_("I prefer not to say"))), *known] if known else []
        self.needs.choices = [SelectChoice(code, _begun(need_words()[code])) for code in needs_to_ask()]


def _begun(words: Mapping[str, Any]) -> str:
    """What a need is called on cards, with a capital to begin with: the same name wherever she reads of it."""
    name: str = words.get(g.lang, words["es"])
    return name[:1].upper() + name[1:]


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
    if not form.validate():
        return _help_page(form, trouble=next(iter(form.words.errors), say(NOTHING)), code=422)
    in_words = needs_in(form.words.data or "")
    wanted = {*(form.needs.data or ()), *in_words}
    if not wanted:
        return _help_page(form, trouble=say(NOT_UNDERSTOOD if form.words.data else NOTHING), code=422)
    offered = help_with(
        directory_lookups.snapshot(),
        wanted,
        form.region.data or None,
        installation().clock(),
        languages=(g.lang,),
        police_shown=form.police_shown.data,
        open_now=form.open_now.data,
    )
    return _help_page(form, offered=cards_of(offered))


def _help_page(
    form: HelpForm, *, offered: HelpCards | None = None, trouble: str = "", code: int = SEEN
) -> ResponseReturnValue:
    g.may_shrink = not form.words.data
    page = render_template("reporter/find_help.html", form=form, offered=offered, trouble=trouble, box=box_ticket())
    return make_response(page, code)
