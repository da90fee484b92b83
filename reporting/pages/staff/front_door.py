"""What was found last, for the coordinator: how the installation stands, and what the look from outside found.

Shows what `amparo check` wrote down, with or without `--through`; looks at nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask.typing import ResponseReturnValue

from reporting.i18n import N_
from reporting.pages.staff.account import blueprint
from reporting.teams.team_log import COORDINATOR
from reporting.web import languages
from reporting.web.access.auth import signed_in
from reporting.web.context import installation, render_template, say, today
from reporting.web.forms import StaffForm

# holds -> how such lines are headed; first what has to be done
HEADINGS = {False: N_("To be done"), None: N_("Not looked at"), True: N_("This holds")}
OPEN = N_("Waits for others, or cannot be known")


@blueprint.get("/<lang>/equipo/entrada")
@signed_in(COORDINATOR)
def front_door() -> ResponseReturnValue:
    """What was found at the front door, and on which day."""
    return _page("staff/front_door.html", installation().front_check(), HEADINGS)


@blueprint.get("/<lang>/equipo/estado")
@signed_in(COORDINATOR)
def standing() -> ResponseReturnValue:
    """How the installation stood, and on which day somebody looked."""
    return _page("staff/standing.html", installation().own_check(), {**HEADINGS, None: OPEN})


def _page(template: str, last: Any, headings: Mapping[bool | None, str]) -> ResponseReturnValue:
    return render_template(
        template,
        address=last.address if last else "",
        day=languages.day(g.lang, last.day) if last else "",
        age=(today().date() - last.day).days if last else 0,
        lines={
            say(heading): [
                " ".join(say(words, **finding.parts) for words in finding.words)
                for finding in (last.findings if last else ())
                if finding.holds is holds
            ]
            for holds, heading in headings.items()
        },
        example=installation().settings.base_url,
        out=StaffForm(formdata=None),
    )
