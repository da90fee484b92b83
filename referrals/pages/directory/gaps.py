"""What is looked through: needs that no service meets, and every rule as it is printed, with who has signed it."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask.typing import ResponseReturnValue

from referrals.directory import gaps as directory_gaps
from referrals.directory.gaps import STATES
from referrals.help.answers import names, other_departments
from referrals.needs import rulebook
from referrals.pages.directory.services import blueprint, csv_answer, out, snapshot_now, today_here
from reporting.teams.team_log import CASE_WORKER, COORDINATOR
from reporting.vocabulary.needs import NEEDS
from reporting.web.access.auth import signed_in
from reporting.web.context import installation, render_template
from reporting.web.errors import error_page


@blueprint.get("/<lang>/equipo/directorio/vacios")
@signed_in(CASE_WORKER, COORDINATOR)
def gaps() -> ResponseReturnValue:
    """Which need has no verified service in how many provinces, and what no written case is ever offered."""
    return _gaps(installation().settings.country)


@blueprint.get("/<lang>/equipo/directorio/vacios/<place>")
@signed_in(CASE_WORKER, COORDINATOR)
def gaps_of(place: str) -> ResponseReturnValue:
    """The same for one department, with the names of its provinces."""
    return _gaps(place) if place in other_departments(snapshot_now()) else error_page(404)


def _gaps(place: str) -> ResponseReturnValue:
    directory = snapshot_now()
    whole = place == directory.cards.country
    return render_template(
        "staff/gaps.html",
        gaps=directory_gaps.gaps(directory, today_here(), place),
        names=directory.cards.place_names,
        place=place,
        states=STATES,
        need_names=NEEDS,
        whole=whole,
        departments=other_departments(directory),
        never=directory_gaps.never_matched(directory) if whole else {},
        service_names=names(directory),
        out=out(),
    )


@blueprint.get("/<lang>/equipo/directorio/vacios.csv")
@signed_in(CASE_WORKER, COORDINATOR)
def gaps_file() -> ResponseReturnValue:
    """Every province and need with its state, for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("place", "name", "need", "state"), *directory_gaps.gap_rows(snapshot_now(), today_here())])
    return csv_answer(out.getvalue(), "vacios")


@blueprint.get("/<lang>/reglas")
def rules() -> ResponseReturnValue:
    """Every rule, window and must-not, printed from the rows that decide, and who has signed it."""
    country = installation().settings.country
    everything: dict[str, Any] = {
        "definitions": rulebook.definitions(),
        "rules": rulebook.rules(),
        "must_nots": rulebook.must_nots(),
        "country": country,
    }
    states = [row.state for row in (*everything["rules"], *everything["must_nots"])]
    return render_template("reporter/rules.html", **everything, signed=states.count(rulebook.SIGNED), all=len(states))
