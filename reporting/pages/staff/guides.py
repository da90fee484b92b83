"""Guides of the desk: a coordinator's and an advocate's first day, and what to do when somebody comes for the team.

Only for who is signed in: how people are let in and closed out must not help whoever comes.
Shows no person and no case.
"""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from reporting.pages.staff.account import blueprint
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR
from reporting.web.access.auth import signed_in
from reporting.web.context import render_template
from reporting.web.forms import StaffForm


@blueprint.get("/<lang>/equipo/guia/coordinacion")
@signed_in(COORDINATOR)
def guide_coordinator() -> ResponseReturnValue:
    """Her first day: people, two readers, hours, calls."""
    return render_template("guide/coordinator.html", out=StaffForm(formdata=None))


@blueprint.get("/<lang>/equipo/guia/cifras")
@signed_in(ADVOCATE)
def guide_advocate() -> ResponseReturnValue:
    """Her first day: a period, its tables, a second look."""
    return render_template("guide/advocate.html", out=StaffForm(formdata=None))


@blueprint.get("/<lang>/equipo/guia/emergencia")
@signed_in(CASE_WORKER, ADVOCATE, COORDINATOR)
def guide_emergency() -> ResponseReturnValue:
    """A search, an arrest, a server that was taken: what each step does and what it does not."""
    return render_template("guide/emergency.html", out=StaffForm(formdata=None))
