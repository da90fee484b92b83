"""Colleagues: letting somebody in by six spoken words, vouching for a team, taking somebody out.

Gives nobody a key that a member did not mean to give. Shows no case.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from reporting.crypto import receipts
from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.pages.staff.account import blueprint
from reporting.teams import keyring, log_report, members, power, readers, staff_sessions, team_log
from reporting.teams.keyring import RecoverySheets, WrongWords
from reporting.teams.members import Actor
from reporting.teams.power import Asked, NoSecondPerson, NotHers, NothingWaits, WaitsAlready, WrongSheets
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, CASEWORK, COORDINATOR, CannotOpen, Team
from reporting.web import desk_pages
from reporting.web.access.auth import refresh_keys, signed_in
from reporting.web.access.proof import FILL_IN, NotProved, ProofForm, proof_in
from reporting.web.access.traits import limited, takes, waits_its_turn
from reporting.web.context import installation, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import SecretArea, StaffForm, button, complaint
from reporting.web.limits import PASSWORDS


class WordsForm(ProofForm):
    """The six words that a member heard."""

    words = TextAreaField(N_("The six words she tells you"), validators=[InputRequired(), Length(max=200)])


class SecondForm(ProofForm):
    """Something done to a colleague; with both recovery sheets no second person is needed."""

    first = SecretArea(N_("Sheet 1"), validators=[Optional(), Length(max=400)])
    second = SecretArea(N_("Sheet 2"), validators=[Optional(), Length(max=400)])


# ── what members and coordinators do to a colleague ─────────────────────────────────────────────────────────
T = TypeVar("T")
Act = Callable[[Any, Actor], str]  # transaction, who acts -> what is said afterwards
NOT_DONE: dict[type[AmparoError], str] = {
    WaitsAlready: N_("Something waits to be done to this account already. Agree to it or stop it first."),
    NothingWaits: N_("Nothing waits any more: somebody agreed or stopped it."),
    NoSecondPerson: N_(
        "Somebody else has to agree: not the one who asked, and nobody whom she let in herself less than seven days "
        "ago. A coordinator counts when a case worker has typed her six words."
    ),
    WrongSheets: N_("These are not the two sheets. Look at each word once more."),
}
ASKED = {
    "done": N_("Done. Nothing opens with her password any more."),
    "waits": N_(
        "She is signed out and cannot sign in. Her keys are deleted when somebody else agrees, or in 24 hours. Until "
        "then any of you can stop it."
    ),
    "second": N_(
        "She is signed out. She is one of the last two who read in her team, so nothing more happens until somebody "
        "else agrees or both recovery sheets are typed: so nobody can make herself the only reader."
    ),
}


def do_to(member: int, act: Act) -> str:
    """Read the proof, do it in one transaction that ends the sessions of `member`, and return what is said.

    Raises `NotProved`, `NotHers`, and what `NOT_DONE` names.
    """
    who = proof_in(SecondForm())
    with desk_pages.ending(member) as db:
        return act(db, members.spend(db, who))


def asks_for(act: str, member: int, tokens: list[str] | None = None) -> Act:
    """The act that has a colleague taken out, reset or dismissed; an invitation comes into `tokens`."""

    def asks(db: Any, by: Actor) -> str:
        site = installation()
        request = _with_sheets(lambda sheets: power.ask(db, site.pin, by, member, act, site.clock(), sheets))
        if tokens is not None and request.token:
            tokens.append(request.token)
        _make_new_keys(db)
        return ASKED[_came_of(request)]

    return asks


def _came_of(request: Asked) -> str:
    return "done" if request.done else "second" if request.needs_second else "waits"


def confirms(member: int) -> Act:
    """The act of a second person who agrees to what waits, or of somebody with both sheets."""

    def agrees(db: Any, by: Actor) -> str:
        site = installation()
        _with_sheets(lambda sheets: power.confirm(db, site.pin, by, member, site.clock(), sheets))
        _make_new_keys(db)
        return ASKED["done"]

    return agrees


def stops(member: int) -> Act:
    """The act that stops what waits."""

    def stops_it(db: Any, by: Actor) -> str:
        power.stop(db, installation().pin, by, member)
        return N_("Stopped. She signs in as before.")

    return stops_it


def _with_sheets(act: Callable[[RecoverySheets | None], T]) -> T:
    """Do it with the sheets that were typed, whichever way their words are read; without any where none were."""
    form = SecondForm()
    if not ((form.first.data or "") + (form.second.data or "")).strip():
        return act(None)
    first, second = (receipts.read_words(part.data or "", keyring.SHEET_WORDS) for part in (form.first, form.second))
    for first_words, second_words in itertools.product(first, second):
        try:
            return act(RecoverySheets(first_words, second_words))
        except WrongSheets:
            continue
    raise WrongSheets


def _make_new_keys(db: Any) -> None:
    """Whoever holds the keys makes those that are due here and now: what comes from now on is closed to who left."""
    site = installation()
    keys, _ = keyring.settle(db, site.pin, g.keys)
    if keys is not g.keys:
        g.keys = keys
        staff_sessions.refresh(db, g.token, keys, site.clock())


def pin_new_keys() -> None:
    """After the commit: what is newest now is pinned."""
    site = installation()
    with site.reading() as db:
        site.pin.raise_to(team_log.teams_or_none(db, site.pin))


def waiting(db: Any, teams: tuple[Team, ...]) -> dict[int, dict[str, Any]]:
    """Account -> what waits to be done to it, in words for the page."""
    names = {account.id: account.name for account in members.accounts(db)}
    now = installation().clock()
    return {
        member: {
            "act": say(IN_WORDS[item.act], by=names.get(item.by, "?"), name=names.get(member, "?")),
            "hours": power.hours_left(item, now),
            "second": item.needs_second,
            "may": power.counts_as_second(db, teams, g.keys, item, now),
        }
        for member, item in readers.pending(db).items()
        if item.act in IN_WORDS
    }


IN_WORDS = {
    power.TAKE_OUT: N_("%(by)s asked that %(name)s is taken out of the team."),
    power.RESET: N_("%(by)s asked that %(name)s gets a new password."),
    power.DISMISS: N_("%(by)s asked that nothing opens any more with the password of %(name)s, who leaves."),
}


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/<lang>/equipo/companeras")
@signed_in(CASE_WORKER, ADVOCATE)
def colleagues() -> ResponseReturnValue:
    """Who reads with the member, who waits to be let in, whose phone was taken."""
    return _colleagues()


@desk_pages.by_get()
def _colleagues(
    sentence: str = "", code: int = 200, *, done: str = "", words: str = "", of: int = 0
) -> ResponseReturnValue:
    """`words`: what was typed already, about the account or the new team of this number."""
    site, keys = installation(), refresh_keys()
    with site.reading() as db:
        teams = site.teams(db)
        own_teams = [team for team in teams if team.id in keys.epochs]
        others = [account for account in members.accounts(db, teams) if account.id != keys.member]
        waits = waiting(db, teams)
        known = {other.id for other in others if log_report.is_vouched(db, teams, other.id, other.signing)}
    page = render_template(
        "staff/colleagues.html",
        others=[
            account
            for account in others
            if any(team_log.reads(team, account.roles, account.teams) for team in own_teams)
        ],
        coordinators=[
            account
            for account in others
            if own_teams
            and account.open
            and set(account.roles) == {COORDINATOR}
            and (account.id not in known or account.id in waits)
        ],
        waits=waits,
        done=done,
        typed={of: words},
        fresh=_fresh_teams(teams, own_teams),
        sentence=sentence,
        role_names=team_log.ROLE_NAMES,
        form=WordsForm(formdata=None),
        second=SecondForm(formdata=None),
        out=StaffForm(formdata=None),
    )
    return make_response(page, code)


def _fresh_teams(teams: tuple[Team, ...], own_teams: list[Team]) -> list[Team]:
    """New teams that a member who reads in a trusted one could vouch for."""
    known = team_log.trusted(teams)
    waiting = [team for team in teams if team.kind == CASEWORK and team not in known]
    return waiting if any(team in known for team in own_teams) else []


@blueprint.post("/<lang>/equipo/companeras/equipo/<int(max=2147483647):team>")
@limited(PASSWORDS)
@waits_its_turn
@takes(WordsForm)
@signed_in(CASE_WORKER)
def vouch(team: int) -> ResponseReturnValue:
    """A member heard the six words of a new team from a voice well known: from now on the team is offered."""
    form, site = WordsForm(), installation()
    if not form.is_ours():
        return _colleagues(complaint(_missing(form)), 422, words=form.words.data or "", of=team)
    try:
        who = proof_in(form)
        refresh_keys()
        with site.writing() as db:
            keyring.vouch(db, site.pin, members.spend(db, who), g.keys, team, form.words.data)
    except NotProved as problem:
        return _colleagues(say(problem.sentence), problem.code)
    except WrongWords:
        return _colleagues(say(N_("Those are not the words of that team. Hear her voice once more.")), 422)
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


def _missing(form: WordsForm) -> str:
    return FILL_IN if form.words.data else N_("Type the six words.")


@blueprint.post("/<lang>/equipo/companeras/<int(max=2147483647):member>")
@limited(PASSWORDS)
@waits_its_turn
@takes(WordsForm, SecondForm)
@signed_in(CASE_WORKER, ADVOCATE)
def with_colleague(member: int) -> ResponseReturnValue:
    """Let a colleague in by six words, end sessions, take somebody out, agree to what waits or stop it."""
    site, go = installation(), button()
    try:
        with site.reading() as db:
            teams = site.teams(db)
            colleague, waits = members.account(db, member), member in readers.pending(db)
        epochs = refresh_keys().epochs
        mine = [team for team in teams if team.id in epochs]
        together = any(team_log.reads(team, colleague.roles, colleague.teams) for team in mine)
        if not (together or (mine and (waits or COORDINATOR in colleague.roles))):
            return error_page(404)
        return COLLEAGUE_ACTS.get(go, _nothing)(member)
    except CannotOpen:
        return error_page(404)


def _nothing(_member: int) -> ResponseReturnValue:
    SecondForm().is_ours()
    return _colleagues(complaint(N_("Choose what to do.")), 422)


def _let_in(member: int) -> ResponseReturnValue:
    form, site = WordsForm(), installation()
    if not form.is_ours():
        return _colleagues(complaint(_missing(form)), 422, words=form.words.data or "", of=member)
    try:
        who = proof_in(form)
        with site.writing() as db:
            actor = members.spend(db, who)
            keyring.let_in_by_words(db, site.pin, actor, g.keys, member, form.words.data, site.clock())
    except NotProved as problem:
        return _colleagues(say(problem.sentence), problem.code)
    except WrongWords:
        sentence = N_(
            "Those are not her words. Call her again and hear her voice. If they still differ, let nobody in."
        )
        return _colleagues(say(sentence), 422)
    return redirect(url_for("staff.colleagues", lang=g.lang), 303)


def _end_sessions(member: int) -> ResponseReturnValue:
    def ends(db: Any, by: Actor) -> str:
        power.end_sessions(db, installation().pin, by, member)
        return ""

    return _done_to(member, ends)


def _done_to(member: int, act: Act) -> ResponseReturnValue:
    if not SecondForm().is_ours():
        return _colleagues(complaint(FILL_IN), 422)
    try:
        sentence = do_to(member, act)
    except NotProved as problem:
        return _colleagues(say(problem.sentence), problem.code)
    except NotHers:
        return error_page(404)
    except tuple(NOT_DONE) as problem:
        return _colleagues(say(NOT_DONE[type(problem)]), 422)
    pin_new_keys()
    return _colleagues(done=say(sentence) if sentence else "")


COLLEAGUE_ACTS: dict[str, Callable[[int], ResponseReturnValue]] = {
    "let-in": _let_in,
    "end": _end_sessions,
    "take-out": lambda member: _done_to(member, asks_for(power.TAKE_OUT, member)),
    "confirm": lambda member: _done_to(member, confirms(member)),
    "stop": lambda member: _done_to(member, stops(member)),
}
