"""What somebody has to look at in the directory: rows that nobody stands for, what waits, numbers changed of late.

Speaks HTTP and nothing else; what is believed is decided below.
"""

from __future__ import annotations

from typing import Any

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField
from wtforms.validators import Length

from referrals.casework import second_person, signed_directory
from referrals.casework.signed_directory import NotAsSeen, NotVouched
from referrals.directory import curation, due
from referrals.help.answers import names
from referrals.pages.directory.services import (
    SHOWN,
    SOMEBODY_ELSE,
    blueprint,
    day_in_words,
    out,
    service_again,
    snapshot_now,
    today_here,
)
from referrals.pages.directory.words import COLUMN_NAMES
from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.teams import members
from reporting.teams.power import NoSecondPerson, NothingWaits
from reporting.teams.team_log import CASE_WORKER, COORDINATOR
from reporting.web import desk_pages
from reporting.web.access.auth import signed_in
from reporting.web.access.proof import FILL_IN, NotProved, ProofForm, proof_in
from reporting.web.access.traits import limited, takes
from reporting.web.context import installation, render_template, say
from reporting.web.forms import button, complaint
from reporting.web.limits import PASSWORDS

NOBODY_VOUCHED = N_(
    "Nobody has vouched for your key yet, so your signature does not count. A case worker hears your six words and "
    "types them on the page of colleagues."
)


class SignForm(ProofForm):
    """The rows that were looked at, by their hash, and the proof of who signs them."""

    seen = StringField(default="", validators=[Length(max=64)])


@blueprint.get("/<lang>/equipo/directorio/vigilancia")
@signed_in(CASE_WORKER, COORDINATOR)
def watch() -> ResponseReturnValue:
    """What was changed behind the team's back, or came in at the terminal."""
    return _watch()


@desk_pages.by_get()
def _watch(sentence: str = "", code: int = 200) -> ResponseReturnValue:
    with installation().reading() as db:
        every, numbers = signed_directory.unbelieved(db), due.changed_numbers(db, today_here())
        waiting = second_person.waiting(db, installation().pin, g.keys, installation().clock())
    unsigned = [item for item in every if not item.gone]
    page = render_template(
        "staff/watch.html",
        unsigned=unsigned[:SHOWN],
        more=len(unsigned[SHOWN:]),
        gone=[item for item in every if item.gone],
        seen=signed_directory.seen_of(unsigned[:SHOWN]),
        waiting=waiting,
        numbers=numbers,
        names=names(snapshot_now()),
        on=day_in_words,
        columns=COLUMN_NAMES,
        sentence=sentence,
        form=SignForm(formdata=None),
        out=out(),
    )
    return make_response(page, code)


@blueprint.post("/<lang>/equipo/directorio/vigilancia")
@limited(PASSWORDS)
@takes(SignForm)
@signed_in(CASE_WORKER, COORDINATOR)
def sign() -> ResponseReturnValue:
    """Stand for the rows that were shown, as they are."""
    form, site = SignForm(), installation()
    if not form.is_ours():
        return _watch(complaint(FILL_IN), 422)
    try:
        who = proof_in(form)
        with site.writing() as db:
            _sign(db, who, form.seen.data)
    except NotProved as problem:
        return _watch(say(problem.sentence), problem.code)
    except NotAsSeen:
        return _watch(say(SOMEBODY_ELSE), 409)
    except NotVouched:
        return _watch(say(NOBODY_VOUCHED), 422)
    return redirect(url_for("directory.watch", lang=g.lang), 303)


def _sign(db: Any, who: members.Unlocked, seen: str) -> None:
    unsigned = [item for item in signed_directory.unbelieved(db) if not item.gone][:SHOWN]
    by = members.spend(db, who)
    signed_directory.sign_seen(db, by, installation().pin, unsigned, seen, today_here())


class SecondForm(ProofForm):
    """What waits, as it was shown, and the proof of who agrees or stops it."""

    stamp = StringField(default="", validators=[Length(max=64)])


@blueprint.post("/<lang>/equipo/directorio/servicio/<service>/segunda")
@limited(PASSWORDS)
@takes(SecondForm)
@signed_in(CASE_WORKER, COORDINATOR)
def second(service: str) -> ResponseReturnValue:
    """Agree to what waits for a service, or stop it."""
    form, go = SecondForm(), button()
    if not form.is_ours() or go not in {"agree", "stop"}:
        return service_again(service, sentence=complaint(FILL_IN), code=422)
    try:
        done = _second(service, form, go)
    except NotProved as problem:
        return service_again(service, sentence=say(problem.sentence), code=problem.code)
    except curation.InvalidService as refused:
        return service_again(service, wrong=refused.reasons, code=422)
    except tuple(NOT_AGREED) as problem:
        return service_again(service, sentence=say(NOT_AGREED[type(problem)]), code=409)
    return redirect(url_for("directory.service_page", lang=g.lang, service=service, done=done), 303)


def _second(service: str, form: SecondForm, go: str) -> str:
    site, who = installation(), proof_in(form)
    with site.writing() as db:
        by = members.spend(db, who)
        if go == "stop":
            second_person.stop(db, by, service)
            return "stopped"
        done = second_person.agree(db, site.pin, by, service, form.stamp.data or "", site.clock(), today_here())
        return "edited" if done else "waits"


NOT_AGREED: dict[type[AmparoError], str] = {
    NothingWaits: N_("Nothing waits any more, or it is not what you were shown. Look at it as it is now."),
    NoSecondPerson: N_(
        "Somebody else has to agree: not the one who asked, and nobody whom she let in herself less than seven days "
        "ago. A coordinator counts when a case worker has typed her six words."
    ),
    curation.ServiceEditConflict: SOMEBODY_ELSE,
}
