"""A service is added by six questions in words, on one page of a phone; then its page says how it was understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField, StringField
from wtforms.validators import Length, Optional

from referrals.directory.curation import InvalidService
from referrals.directory.keeping import adding
from referrals.pages.directory.services import CellsForm, blueprint, out, snapshot_now, today_here
from referrals.pages.directory.words import columns_of, keeper_words
from reporting.i18n import N_
from reporting.teams import members
from reporting.teams.team_log import COORDINATOR
from reporting.web import desk_pages
from reporting.web.access.auth import signed_in
from reporting.web.access.proof import NotProved, ProofForm, proof_in
from reporting.web.access.traits import limited, takes
from reporting.web.context import installation, render_template, say
from reporting.web.forms import button
from reporting.web.limits import PASSWORDS

SAME_NAME = N_("A service of this name is in this department already.")


class NewServiceForm(CellsForm):
    """The answers to the six questions."""

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = columns_of(adding.ASKED)
    where = StringField(default="", validators=[Length(max=12)])
    # read as a `ProofForm` where a second person has to agree; named here so that neither is kept with what was typed
    password = PasswordField(validators=[Optional(), Length(max=200)])
    code = PasswordField(validators=[Optional(), Length(max=20)])


@blueprint.get("/<lang>/equipo/directorio/nuevo")
@signed_in(COORDINATOR)
def new_service() -> ResponseReturnValue:
    """The six questions, with nothing answered."""
    return _new_service()


@desk_pages.by_get()
def _new_service(
    *,
    form: NewServiceForm | None = None,
    sentence: str = "",
    there: str = "",
    wrong: tuple[str, ...] = (),
    prove: bool = False,
    code: int = 200,
) -> ResponseReturnValue:
    page = render_template(
        "staff/new_service.html",
        form=form or NewServiceForm(formdata=None),
        cells=dict.fromkeys(adding.ASKED, "") | (form.cells() if form else {}),
        where=form.where.data if form else "",
        sentence=sentence,
        there=there,
        wrong=wrong,
        prove=prove,
        proof_form=ProofForm(formdata=None),
        out=out(),
        **keeper_words(snapshot_now()),
    )
    return make_response(page, code)


@blueprint.post("/<lang>/equipo/directorio/nuevo")
@limited(PASSWORDS)
@takes(NewServiceForm, ProofForm)
@signed_in(COORDINATOR)
def add() -> ResponseReturnValue:
    """Store it. What sends many people somewhere is an act of power: proved, and a second person has to agree."""
    form, go = NewServiceForm(), button()
    if not form.is_ours():
        return _new_service(form=form, code=422)
    if go not in {"called", "told"}:
        return _new_service(form=form, sentence=say(N_("Choose what to do.")), code=422)
    try:
        service, later = _add(form, called=go == "called")
    except NotProved as problem:
        return _new_service(form=form, sentence=say(problem.sentence), prove=True, code=problem.code)
    except adding.AlreadyThere as problem:
        return _new_service(form=form, sentence=say(SAME_NAME), there=problem.service, code=409)
    except InvalidService as refused:
        return _new_service(form=form, wrong=refused.reasons, code=422)
    done = "waits" if later else "added"
    return redirect(url_for("directory.service_page", lang=g.lang, service=service, done=done), 303)


def _add(form: NewServiceForm, *, called: bool) -> tuple[str, frozenset[str]]:
    """The id of the new service, and the columns that wait. Raises `NotProved`, and what `adding.add` does."""
    site, cells, where, signer = installation(), form.cells(), form.where.data or "", g.keys.signer
    with site.reading() as db:
        waits = adding.would_wait(db, cells, where, today_here(), signer)
    who = proof_in(ProofForm()) if waits else None
    with site.writing() as db:
        if who:
            members.spend(db, who)
        return adding.add(db, cells, where, g.keys.name, today_here(), signer, called=called)
