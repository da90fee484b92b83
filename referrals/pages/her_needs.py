"""What she says of a need on her page: that she has it, that she does not want it, that she still needs it.

Speaks HTTP and nothing else; follows a POST with the ticket of her visit and leads back to her case.
"""

from __future__ import annotations

from typing import Final

from flask import g, redirect, url_for
from flask.typing import ResponseReturnValue

from reporting.cases import actions, store
from reporting.cases.actions import NotAllowed
from reporting.i18n import N_
from reporting.teams.team_log import CannotOpen
from reporting.vocabulary.need_states import HER, MET_ELSEWHERE, NOT_WANTED, OPEN, NeedState
from reporting.web.access.audience import HERS, Pages
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.access.visits import came_to_her_case, case_session_of, go_on, onward
from reporting.web.context import installation, say
from reporting.web.forms import OpenForm, button, parts_of
from reporting.web.limits import TURNING

blueprint = Pages("her_needs", __name__, HERS, limit=TURNING)
# what is pressed, before the need -> the state of the need, and what she reads then
SAYS: Final = {
    "have": (MET_ELSEWHERE, N_("Noted. The team looks no further for it.")),
    "unwanted": (NOT_WANTED, N_("Noted: no, and that is fine. It can be changed.")),
    "still": (OPEN, N_("Noted: it is still needed. The team sees it.")),
}


@blueprint.post("/<lang>/volver/necesidad")
@takes(OpenForm)
@may_be_sent_again
def speak_of() -> ResponseReturnValue:
    """What she says of one need. Pressed twice, it says the same."""
    came = came_to_her_case()
    if came is None:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    verb, need = parts_of(button())
    if verb not in SAYS:
        return go_on(came, onward("show"))
    (state, sentence), site = SAYS[verb], installation()
    try:
        with site.writing() as db, store.on_visit(db, case_session_of(came).visit, site.clock()) as case_file:
            if _is_new(case_file.need_states.get(need), state):
                actions.say_need(case_file, 0, need, state, site.clock())
    except NotAllowed as why:
        return go_on(came, onward("show", sentence=say(why.sentence), code=422))
    except CannotOpen:
        return redirect(url_for("reporter.start", lang=g.lang), 303)
    return go_on(came, onward("show", sentence=say(sentence)))


def _is_new(stands: NeedState | None, state: str) -> bool:
    """Whether it says something that she has not said; that what is open is open, is nothing new."""
    if state == OPEN:
        return stands is not None and stands.settled
    return stands is None or (stands.state, stands.by) != (state, HER)
