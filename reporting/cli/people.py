"""Commands about people and team keys: list, invite, reset, dismiss; status, log, recovery.

None of it prints a key or gives anybody one but by both recovery sheets.
"""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import asdict
from functools import partial

import click
from sqlalchemy.orm import Session

from reporting.cli.base import a_name, invitation, main, opened, vouched_for
from reporting.crypto import receipts
from reporting.storage.database import reading, writing
from reporting.teams import accounts, keyring, log_report, members, team_log
from reporting.teams.team_log import CASE_WORKER, Pin


@main.group("staff")
def people() -> None:
    """Accounts: list, invite, reset, dismiss. None of it gives anybody a key."""


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_people(as_json: bool) -> None:
    """Who has an account, with which roles, and who is let in by a team."""
    settings, engine = opened()
    with reading(engine) as db:
        listed = members.accounts(db, team_log.teams_or_none(db, Pin(settings.pin_file)))
    rows = [
        {"name": account.name, "roles": list(account.roles), "open": account.open, "inside": account.inside}
        for account in listed
    ]
    lines = (
        f"{account.name:20} {', '.join(account.roles):24} "
        f"{'let in' if account.inside else 'can sign in' if account.open else 'cannot sign in'}"
        for account in listed
    )
    click.echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines))


@people.command("invite")
@click.argument("name", callback=a_name)
@click.argument("role", type=click.Choice(team_log.ROLES))
@click.option("--team", default="", help="The casework team to read with; the first one if not told.")
@click.option("--new-team", default="", help="Name of a new casework team that begins with NAME.")
def invite_person(name: str, role: str, team: str, new_team: str) -> None:
    """Print an address for NAME that opens once, for seven days. The password is made in NAME's own browser.

    A new team gets no case before a case worker of a team that is there has heard its six words and typed them.
    """
    settings, engine = opened()
    if (team or new_team) and role != CASE_WORKER:
        raise click.ClickException("Only a case worker reads with a casework team.")
    with writing(engine) as db:
        if any(account.name == name for account in members.accounts(db)):
            raise click.ClickException(f"{name} has an account: use `amparo staff reset {name}`.")
        teams = vouched_for(lambda: team_log.teams_or_none(db, Pin(settings.pin_file)))
        numbers = tuple(known.id for known in teams if known.name == team and known.kind == team_log.CASEWORK)
        if (team and not numbers) or (new_team and not teams):
            raise click.ClickException("There is no such team yet: `amparo keys status` lists them.")
        token = accounts.invite(db, name, (role,), time.time(), numbers, new_team)
    click.echo(invitation(settings, token))


@people.command("reset")
@click.argument("name")
def reset_person(name: str) -> None:
    """A forgotten password: the old key is forgotten, an address is printed. The team must let NAME in again."""
    settings, engine = opened()
    with writing(engine) as db:
        token = accounts.reset(db, _number_of(db, name), time.time())
    click.echo(invitation(settings, token))


@people.command("dismiss")
@click.argument("name")
def dismiss_person(name: str) -> None:
    """NAME leaves: all sessions of NAME end now; the next member who signs in makes new keys without NAME."""
    with writing(opened()[1]) as db:
        accounts.dismiss(db, _number_of(db, name))
    click.echo(f"{name} cannot sign in any more. Ask a case worker to sign in soon: that makes the new keys.")


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
        click.echo(json.dumps([asdict(team) for team in listed], ensure_ascii=False))
        return
    for team in listed:
        due = ", a new one is due" if team.due else ""
        click.echo(f"{team.name} ({team.kind})\n  fingerprint {team.fingerprint}\n  epoch {team.epoch}{due}")
        click.echo(f"  readers: {', '.join(team.readers) or 'nobody'}")


@key_acts.command("log")
def key_log() -> None:
    """Every entry of the team log: who was let in or taken out, and each new epoch."""
    settings, engine = opened()
    with reading(engine) as db:
        click.echo("\n".join(vouched_for(lambda: log_report.log_in_words(db, Pin(settings.pin_file)))))


@key_acts.command("recover")
@click.argument("name")
def key_recover(name: str) -> None:
    """Both recovery sheets let NAME in, when nobody is left who could. NAME needs an account that can sign in."""
    settings, engine = opened()
    with reading(engine) as db:
        number = _number_of(db, name)
    first, second = (
        receipts.read_words(click.prompt(f"Sheet {sheet}, twelve words"), keyring.SHEET_WORDS) for sheet in (1, 2)
    )
    for first_words, second_words in itertools.product(first, second):
        sheets = keyring.RecoverySheets(first_words, second_words)
        try:
            with writing(engine) as db:
                vouched_for(partial(keyring.recover, db, Pin(settings.pin_file), sheets, number))
        except team_log.CannotOpen:
            continue
        click.echo(f"{name} is let in and signs in as always.")
        return
    raise click.ClickException(
        f"Nothing was changed: these are not the two sheets, or {name} cannot sign in or reads in no team."
    )


def _number_of(db: Session, name: str) -> int:
    number = next((account.id for account in members.accounts(db) if account.name == name), None)
    if number is None:
        raise click.ClickException(f"Nobody here is called {name}: see `amparo staff list`.")
    return number
