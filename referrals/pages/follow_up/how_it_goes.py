"""How it goes: the exact figures of a team's cases, for those alone who can open each of them.

Speaks HTTP and nothing else; there is no file of it and nothing to print. What is counted stands in `casework`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import make_response, request
from flask.typing import ResponseReturnValue

from referrals.casework.follow_up import course_look, how_it_goes
from referrals.casework.follow_up.course_look import CourseLook
from referrals.casework.referral import REFUSED_BECAUSE
from referrals.directory import snapshot
from referrals.help.answers import names
from referrals.pages.case_forms import case_workers
from referrals.pages.directory.words import TYPE_NAMES
from reporting.cases import actions, desk
from reporting.cases.follow_up.how_was_it import FACES
from reporting.clock import HOUR
from reporting.i18n import N_
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER, CASEWORK
from reporting.vocabulary.needs import NEEDS
from reporting.web.access.audience import DESK, Pages
from reporting.web.access.auth import refresh_keys, signed_in
from reporting.web.context import Installation, installation, render_template, today
from reporting.web.forms import BadFormValue, StaffForm, number_in
from reporting.web.limits import TURNING

blueprint = Pages("how_it_goes", __name__, DESK, limit=TURNING)
# period -> its name, in the order of the page; the first is shown where an address says nothing
PERIODS: Final[Mapping[str, str]] = {
    how_it_goes.YEAR: N_("Last 12 months"),
    how_it_goes.MONTH: N_("This month"),
    how_it_goes.MONTH_BEFORE: N_("Last month"),
    "all": N_("All that is there"),
}
# how an open window came out -> its name
WINDOW_NAMES: Final[Mapping[str, str]] = {
    how_it_goes.IN_TIME: N_("Attended in time"),
    how_it_goes.ELSEWHERE: N_("She has it from elsewhere"),
    how_it_goes.UNWANTED: N_("She does not want it"),
    how_it_goes.LATE: N_("Attended after its time"),
    how_it_goes.MISSED: N_("Its time ran out and nobody attended her"),
    how_it_goes.RUNS: N_("Its time still runs"),
    how_it_goes.NOT_KNOWN: N_("Not known: she did not say when it happened, or not exactly enough"),
}
STEP_NAMES: Final[Mapping[str, str]] = {
    "proposed": N_("Proposed to her"),
    "yes": N_("She said yes"),
    "sent": N_("Sent"),
    "accepted": N_("The service accepted"),
    "reached": N_("She was attended"),
}


@blueprint.get("/<lang>/equipo/como-va")
@signed_in(CASE_WORKER)
def page() -> ResponseReturnValue:
    """How it goes, of a period and a team as the address says. Opens a few hundred cases at most that changed."""
    site, keys = installation(), refresh_keys()
    seen = course_look.look(site.reading, keys, lambda: _note(site, keys))
    with site.reading() as db:
        teams = {team.id: team.name for team in site.teams(db) if team.id in keys.epochs and team.kind == CASEWORK}
        people = case_workers(db, site, keys)
    chosen, period = _team(teams), request.args.get("period", "")
    period = period if period in PERIODS else next(iter(PERIODS))
    courses = seen.of([chosen] if chosen else [*teams])
    shelf = snapshot.snapshot_of(site.reading)
    cards = shelf.cards.by_id
    inside = how_it_goes.reported_in(courses, how_it_goes.span_of(period, today()))
    answer = make_response(
        render_template(
            "casework/follow_up/how_it_goes.html",
            figures=how_it_goes.figures_of(
                inside,
                site.clock() / HOUR,
                lambda service: cards[service].service_type if service in cards else "OTHER",
            ),
            load=how_it_goes.load(courses),
            left=seen.left,
            known=len(seen.courses),
            unopened=seen.unopened,
            period=period,
            periods=PERIODS,
            team=chosen,
            teams=teams,
            people=people,
            names=names(shelf),
            places=shelf.cards.place_names,
            words={
                "windows": WINDOW_NAMES,
                "steps": STEP_NAMES,
                "kinds": TYPE_NAMES,
                "because": REFUSED_BECAUSE,
                "needs": NEEDS,
                "outcomes": actions.OUTCOMES,
                "faces": FACES,
            },
            out=StaffForm(formdata=None),
        )
    )
    answer.call_on_close(lambda: _after_the_page(site, keys, seen))
    return answer


def _note(site: Installation, keys: Keys) -> None:
    """That cases are opened to be counted is in the audit before the first is."""
    with site.writing() as db:
        desk.note_counting(db, keys, site.clock())


def _after_the_page(site: Installation, keys: Keys, seen: CourseLook) -> None:
    """After the page is sent, outside of any request: what was worked out is kept, for the next look."""
    course_look.keep(site.writing, keys, seen)


def _team(teams: Mapping[int, str]) -> int:
    """The team that is asked for; 0 for all of the member's."""
    try:
        chosen = number_in(request.args.get("team", "0"))
    except BadFormValue:
        return 0
    return chosen if chosen in teams else 0
