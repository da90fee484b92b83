"""Guides that anybody may read and print: is it safe, a workshop, paper when the page does not work, how to install it.

They show nothing of any trip and tell nothing of who works here; what a team does in danger stands at the desk.
"""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from reporting.web.access.audience import HERS, Pages
from reporting.web.access.traits import compressible
from reporting.web.context import render_template
from reporting.web.limits import TURNING

EXAMPLE = "https://hoja.example"  # who installs puts the name of the machine there

blueprint = Pages("guides", __name__, HERS, limit=TURNING)


@blueprint.get("/<lang>/guia")
@compressible
def safe() -> ResponseReturnValue:
    """What is kept, who reads, what nobody can promise, the phone and the code."""
    return render_template("guide/safe.html")


@blueprint.get("/<lang>/guia/taller")
@compressible
def workshop() -> ResponseReturnValue:
    """How a peer leads a workshop with practice."""
    return render_template("guide/workshop.html")


@blueprint.get("/<lang>/guia/papel")
@compressible
def on_paper() -> ResponseReturnValue:
    """A sheet to print before it is needed, and what never to write on it."""
    return render_template("guide/on_paper.html")


@blueprint.get("/<lang>/guia/instalar")
@compressible
def install() -> ResponseReturnValue:
    """From an empty machine to the first two codes. Whoever has no page yet reads INSTALL.md, printed from this one."""
    return render_template("guide/install.html", address=EXAMPLE)
