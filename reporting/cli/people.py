"""Commands about people and team keys: list, invite, reset, dismiss, confirm, stop; status, log, recovery.

None of it prints a key or gives anybody one but by both recovery sheets.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import TypeVar

import click
from sqlalchemy.orm import Session

from reporting.cli.base import a_name, invitation_in_words, main, opened, settings_here, vouched_for
from reporting.cli.language import Refusal, ask, echo, translated
from reporting.cli.proof import DIGITS_USED, NOT_YOURS, unlocked
from reporting.crypto import receipts
from reporting.errors import AmparoError
from reporting.i18n import T_, Sentence, said
from reporting.storage.database import reading, writing
from reporting.teams import accounts, keyring, log_report, members, power, readers, staff_sessions, team_log
from reporting.teams.accounts import Invitation
from reporting.teams.keyring import RecoverySheets
from reporting.teams.members import Actor
from reporting.teams.power import Asked
from reporting.teams.team_log import CASE_WORKER, Pin


@main.group("staff")
def people() -> None:
    """Accounts: list, invite, reset, dismiss, confirm, stop. None of it gives anybody a key."""


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_people(as_json: bool) -> None:
    """Who has an account, with which roles, and who is let in by a team."""
    settings, engine = opened()
    with reading(engine) as db:
        listed, waits = members.accounts(db, team_log.teams_or_none(db, Pin(settings.pin_file))), readers.pending(db)
    rows = [
        {
            "name": account.name,
            "roles": list(account.roles),
            "open": account.open,
            "inside": account.inside,
            "waits": waits[account.id].act if account.id in waits else "",
        }
        for account in listed
    ]
    lines = (
        f"{account.name:20} {_roles(account.roles):24} "
        + translated("let in" if account.inside else "can sign in" if account.open else "cannot sign in")
        + (
            translated(
                ", waits: %(said_act)s", said_act=power.ACT_NAMES.get(waits[account.id].act, waits[account.id].act)
            )
            if account.id in waits
            else ""
        )
        for account in listed
    )
    echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines))


def _roles(roles: Iterable[str]) -> str:
    return ", ".join(translated(team_log.ROLE_NAMES.get(role, role)) for role in roles)


@people.command("invite")
@click.argument("name", callback=a_name)
@click.argument("role", type=click.Choice(team_log.ROLES))
@click.option("--team", default="", help="The casework team to read with; the first one if not told.")
@click.option("--new-team", default="", help="Name of a new casework team that begins with NAME.")
def invite_person(name: str, role: str, team: str, new_team: str) -> None:
    """Print a code for NAME that opens once, for seven days, and where it is typed. NAME's browser makes the password.

    A coordinator or a case worker proves it with password and six digits. A new team gets no case before a case worker
    of a team that is there has heard its six words and typed them.
    """
    settings, engine = opened()
    if (team or new_team) and role != CASE_WORKER:
        raise Refusal("Only a case worker reads with a casework team.")
    with reading(engine) as db:
        if any(account.name == name for account in members.accounts(db)):
            raise Refusal("%(name)s has an account: use `amparo staff reset %(name)s`.", name=name)
        teams = vouched_for(lambda: team_log.teams_or_none(db, Pin(settings.pin_file)))
        numbers = tuple(known.id for known in teams if known.name == team and known.kind == team_log.CASEWORK)
        if (team and not numbers) or (new_team and not teams):
            raise Refusal("There is no such team yet: `amparo keys status` lists them.")
    invited = Invitation(name, (role,), numbers, new_team)
    token = _acted(lambda db, by: accounts.invite(db, by, invited, settings.pepper, time.time()))
    echo(invitation_in_words(settings, token))


@people.command("invitations")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_invitations(as_json: bool) -> None:
    """Invitations that still open: role, since when, until when. Whom one is for is sealed under its code."""
    _, engine = opened()
    with reading(engine) as db:
        listed = accounts.open_invitations(db, time.time())
        names = {account.id: account.name for account in members.accounts(db)}
    if as_json:
        echo(json.dumps([asdict(invitation) for invitation in listed], ensure_ascii=False))
        return
    for invitation in listed:
        roles = _roles(invitation.roles) or translated("new")
        name = names.get(invitation.member or 0, "?")
        what = translated("new password for %(name)s", name=name) if invitation.member else roles
        days = (time.strftime("%Y-%m-%d", time.gmtime(moment)) for moment in (invitation.since, invitation.until))
        lasts = translated("since %(first)s, until %(last)s", first=next(days), last=next(days))
        echo(f"{invitation.mark}  {what:24} {lasts}")


@people.command("take-back")
@click.argument("mark")
@click.option("--name", default="", help="Only if it is for this name.")
def take_back(mark: str, name: str) -> None:
    """Take back an invitation, by its mark in `amparo staff invitations`: its code opens nothing any more.

    A coordinator or a case worker proves it with password and six digits.
    """
    settings = settings_here()
    _acted(lambda db, by: accounts.take_back(db, by, mark, name, settings.pepper))
    echo("Taken back: its code opens nothing any more.")


@people.command("rename")
@click.argument("name")
@click.argument("new", callback=a_name)
def rename_person(name: str, new: str) -> None:
    """Another name for NAME, for signing in. Each person changes the own one, with password and six digits.

    A coordinator changes that of somebody who cannot sign in any more.
    """
    settings = settings_here()

    def renames(db: Session, by: Actor) -> None:
        number = _number_of(db, name)
        accounts.rename(db, by, number, new, settings.pepper)
        staff_sessions.end_all(db, number)

    _acted(renames)
    echo("%(name)s is called %(new)s from now on.", name=name, new=new)


SHEETS = click.option("--sheets", is_flag=True, help="Type both recovery sheets too: then nobody else has to agree.")


@people.command("reset")
@click.argument("name")
@SHEETS
@click.option("--nobody-left", is_flag=True, help="Both sheets alone, when nobody can prove anything any more.")
def reset_person(name: str, sheets: bool, nobody_left: bool) -> None:
    """A forgotten password: a code is printed, and the team must let NAME in again.

    A coordinator or a case worker proves it with password and six digits. Where NAME reads with a team, a second
    member agrees with `amparo staff confirm`, or a day passes; of the last two readers only the second member or both
    sheets do.
    """
    settings, pin = settings_here(), Pin(settings_here().pin_file)
    if nobody_left:
        token = _with_sheets(
            lambda db, typed: power.reset_with_sheets(db, pin, typed, _number_of(db, name), time.time())
        )
        echo(invitation_in_words(settings, token))
        return
    request = _asks(name, power.RESET, sheets=sheets)
    echo(_what_came(name, request))
    echo(invitation_in_words(settings, request.token))


@people.command("dismiss")
@click.argument("name")
@SHEETS
def dismiss_person(name: str, sheets: bool) -> None:
    """NAME leaves: all sessions of NAME end now, and the next member who signs in after it is done makes new keys.

    A coordinator or a case worker proves it with password and six digits. Where NAME reads with a team, a second
    member agrees with `amparo staff confirm`, or a day passes; of the last two readers only the second member or both
    sheets do.
    """
    echo(_what_came(name, _asks(name, power.DISMISS, sheets=sheets)))


@people.command("confirm")
@click.argument("name")
@SHEETS
def confirm_person(name: str, sheets: bool) -> None:
    """Agree, as a second member, to what waits to be done to NAME; or have both sheets."""
    pin = Pin(settings_here().pin_file)
    _acted_with(sheets, lambda db, by, typed: power.confirm(db, pin, by, _number_of(db, name), time.time(), typed))
    echo("Done: nothing opens with the password of %(name)s any more.", name=name)


@people.command("stop")
@click.argument("name")
def stop_person(name: str) -> None:
    """Stop what waits to be done to NAME. Any member may."""
    pin = Pin(settings_here().pin_file)
    _acted(lambda db, by: power.stop(db, pin, by, _number_of(db, name)))
    echo("Stopped: %(name)s signs in as before.", name=name)


# ── who proves it ───────────────────────────────────────────────────────────────────────────────────────────
T = TypeVar("T")
NOT_DONE: dict[type[AmparoError], str] = {
    power.NotHers: T_(
        "That is not for you to do: it takes a coordinator or a case worker, and somebody else's account."
    ),
    power.WaitsAlready: T_(
        "Something waits to be done to this account: `amparo staff confirm` or `amparo staff stop`."
    ),
    power.NothingWaits: T_("Nothing waits to be done to this account."),
    power.NoSecondPerson: T_(
        "Somebody else has to agree: not the one who asked for it, and nobody whom that person let in less than seven "
        "days ago."
    ),
    power.WrongSheets: T_("Nothing was changed: these are not the two sheets."),
    accounts.NameTaken: T_("Somebody has this name, or is invited with it."),
    members.CodeUsed: DIGITS_USED,
    team_log.CannotOpen: NOT_YOURS,
}


def _acted(act: Callable[[Session, Actor], T]) -> T:
    """Ask who acts, with password and six digits, and do it. Raises `ClickException` with what is wrong."""
    engine, who = unlocked()
    try:
        with writing(engine) as db:
            return act(db, members.spend(db, who))
    except tuple(NOT_DONE) as problem:
        raise _in_words(problem) from None


def _in_words(problem: AmparoError) -> Refusal:
    return Refusal(next(text for kind, text in NOT_DONE.items() if isinstance(problem, kind)))


def _asks(name: str, act: str, *, sheets: bool) -> Asked:
    pin = Pin(settings_here().pin_file)
    return _acted_with(
        sheets, lambda db, by, typed: power.ask(db, pin, by, _number_of(db, name), act, time.time(), typed)
    )


def _acted_with(sheets: bool, act: Callable[[Session, Actor, RecoverySheets | None], T]) -> T:
    """As `_acted`, with both sheets where they are there, whichever way their words are read."""
    typed = _sheets_typed() if sheets else ()

    def with_any(db: Session, by: Actor) -> T:
        for pair in typed[:-1]:
            try:
                return act(db, by, pair)
            except power.WrongSheets:
                continue
        return act(db, by, typed[-1] if typed else None)

    return _acted(with_any)


def _with_sheets(act: Callable[[Session, RecoverySheets], T]) -> T:
    for pair in _sheets_typed():
        try:
            with writing(opened()[1]) as db:
                return act(db, pair)
        except power.WrongSheets:
            continue
    raise _in_words(power.WrongSheets())


def _sheets_typed() -> tuple[RecoverySheets, ...]:
    """Every way in which what is typed can be read as the two sheets."""
    first, second = (
        receipts.read_words(ask("Sheet %(sheet)s, twelve words", parts={"sheet": sheet}), keyring.SHEET_WORDS)
        for sheet in (1, 2)
    )
    return tuple(RecoverySheets(*pair) for pair in itertools.product(first, second))


def _what_came(name: str, request: Asked) -> Sentence:
    if request.done:
        return said(
            "%(name)s cannot sign in any more. Ask a case worker to sign in soon: that makes the new keys.", name=name
        )
    if request.needs_second:
        return said(
            "%(name)s is signed out. %(name)s is one of the last two who read in a team: nothing more happens until a "
            "second member agrees (`amparo staff confirm %(name)s`) or both sheets are typed.",
            name=name,
        )
    return said(
        "%(name)s is signed out and cannot sign in. The keys are deleted when a second member agrees "
        "(`amparo staff confirm %(name)s`) or in %(hours)s hours; until then `amparo staff stop %(name)s` stops it.",
        name=name,
        hours=power.WAITS,
    )


@main.group("keys")
def key_acts() -> None:
    """The teams' keys: status, log, recovery. Nothing here prints a key."""


@key_acts.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def key_status(as_json: bool) -> None:
    """Each team with its fingerprint, newest epoch and readers. Compare the fingerprint with the one on paper."""
    settings, engine = opened()
    with reading(engine) as db:
        listed = vouched_for(lambda: log_report.status(db, Pin(settings.pin_file)))
    if as_json:
        echo(json.dumps([asdict(team) for team in listed], ensure_ascii=False))
        return
    for team in listed:
        echo(f"{team.name} ({translated(log_report.KIND_NAMES[team.kind])})")
        echo("  fingerprint %(fingerprint)s", fingerprint=team.fingerprint)
        echo("  epoch %(epoch)s, a new one is due" if team.due else "  epoch %(epoch)s", epoch=team.epoch)
        echo("  readers: %(names)s", names=", ".join(team.readers) or translated("nobody"))


@key_acts.command("log")
def key_log() -> None:
    """Every entry of the team log: who was let in or taken out, and each new epoch."""
    settings, engine = opened()
    with reading(engine) as db:
        echo(*vouched_for(lambda: log_report.log_in_words(db, Pin(settings.pin_file))))


@key_acts.command("recover")
@click.argument("name")
def key_recover(name: str) -> None:
    """Both recovery sheets let NAME in, when nobody is left who could. NAME needs an account that can sign in."""
    settings, engine = opened()
    with reading(engine) as db:
        number = _number_of(db, name)
    for sheets in _sheets_typed():
        try:
            with writing(engine) as db:
                vouched_for(partial(keyring.recover, db, Pin(settings.pin_file), sheets, number, time.time()))
        except team_log.CannotOpen:
            continue
        echo("%(name)s is let in and signs in as always.", name=name)
        return
    raise Refusal(
        "Nothing was changed: these are not the two sheets, or %(name)s cannot sign in or reads in no team.", name=name
    )


def _number_of(db: Session, name: str) -> int:
    number = next((account.id for account in members.accounts(db) if account.name == name), None)
    if number is None:
        raise Refusal("Nobody here is called %(name)s: see `amparo staff list`.", name=name)
    return number


@main.command()
@click.argument("secret")
def code(secret: str) -> None:
    """Print the six digits that an authenticator app shows now for SECRET. For practice, where there is no phone."""
    try:
        echo(members.totp_code(members.totp_bytes(secret), time.time()))
    except ValueError:
        raise Refusal("That is no secret of an authenticator app: letters A-Z and digits 2-7.") from None
