"""What the last look from outside found, for the coordinator: each line says what is so, or what to do.

Shows what `amparo check --through` wrote down; looks at nothing itself.
"""

from __future__ import annotations

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


@blueprint.get("/<lang>/equipo/entrada")
@signed_in(COORDINATOR)
def front_door() -> ResponseReturnValue:
    """What was found at the front door, and on which day."""
    last = installation().front_check()
    return render_template(
        "staff/front_door.html",
        address=last.address if last else "",
        day=languages.day(g.lang, last.day) if last else "",
        age=(today().date() - last.day).days if last else 0,
        lines={
            say(heading): [
                " ".join(say(words, **finding.parts) for words in finding.words)
                for finding in (last.findings if last else ())
                if finding.holds is holds
            ]
            for holds, heading in HEADINGS.items()
        },
        example=installation().settings.base_url,
        out=StaffForm(formdata=None),
    )
