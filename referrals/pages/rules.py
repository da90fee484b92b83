"""Every rule, window and must-not as a page, with who has signed it."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from referrals.needs import rulebook
from referrals.pages.directory import blueprint
from reporting.web.context import installation, render_template


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
