"""What she taps on her page once her case is closed: how it was, or that she takes that back.

Speaks HTTP and nothing else; follows a POST with the ticket of her visit and leads back to her case.
"""

from __future__ import annotations

from typing import Final

from flask import g, redirect, url_for
from flask.typing import ResponseReturnValue

from reporting.cases import store
from reporting.cases.actions import NotAllowed
from reporting.cases.follow_up.how_was_it import FACES, say_how_it_was
from reporting.i18n import N_
from reporting.teams.team_log import CannotOpen
from reporting.web.access.audience import HERS, Pages
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.access.visits import came_to_her_case, case_session_of, go_on, onward
from reporting.web.context import installation, say
from reporting.web.forms import OpenForm, button, parts_of
from reporting.web.limits import TURNING

blueprint = Pages("how_was_it", __name__, HERS, limit=TURNING)
TAKEN_BACK: Final = "none"


@blueprint.post("/<lang>/volver/como-fue")
@takes(OpenForm)
@may_be_sent_again
def tap() -> ResponseReturnValue:
    """A face, another one instead, or none any more. Nobody is called to look because of it."""
    came = came_to_her_case()
    if came is None:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    (verb, face), site = parts_of(button()), installation()
    if verb != "face" or face not in {*FACES, TAKEN_BACK}:
        return go_on(came, onward("show"))
    tapped = "" if face == TAKEN_BACK else face
    try:
        with (
            site.writing() as db,
            store.on_visit(db, case_session_of(came).visit, site.clock(), quiet=True) as case_file,
        ):
            say_how_it_was(case_file, tapped, site.clock())
    except NotAllowed as why:
        return go_on(came, onward("show", sentence=say(why.sentence), code=422))
    except CannotOpen:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    return go_on(
        came, onward("show", sentence=say(N_("Thank you. You can change it.") if tapped else N_("Taken back.")))
    )
