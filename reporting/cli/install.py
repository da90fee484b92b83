"""Commands for one installation: make it, serve it, upgrade it, check it.

Prints no key. Holds no rule: what is checked is decided where it belongs.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from referrals.directory.importing import shipped
from referrals.help.answers import has_lines
from reporting.app import create_app
from reporting.cli.base import (
    NO_LINES,
    PORT,
    a_name,
    invitation,
    invite_first,
    main,
    opened_for,
    progress,
    settings_here,
    tell_codes,
)
from reporting.cli.language import Refusal, ask, echo, refusal, translated
from reporting.config import SECRET, Settings, instance_folder, make_secrets
from reporting.deploy import host_looks
from reporting.deploy import through as front_door
from reporting.errors import Busy
from reporting.i18n import T_, said
from reporting.operations import installation_check, leak_check, server
from reporting.operations.backups import BackupRefused
from reporting.operations.installation_check import Found
from reporting.operations.leak_check import Proof
from reporting.operations.whole import packing, trial_restore, upgrading
from reporting.sessions import day_seeds
from reporting.storage import disk, findings
from reporting.storage.database import open_database, reading, upgrade_tables, writing
from reporting.storage.locks import lock_holder
from reporting.teams import accounts, members
from reporting.teams.team_log import CASE_WORKER, COORDINATOR, Pin
from reporting.web import languages

# option -> (the name where nobody can be asked, the question at a terminal)
FIRST_NAMES = {
    "coordinator": ("coordina", T_("How the coordinator signs in (a name that tells nobody who it is)")),
    "case_worker": ("primera", T_("How the first case worker signs in")),
}
OPEN_STILL = T_(
    "This installation was made before, and its invitations still open. Nothing was changed. New codes, which end the "
    "old ones: amparo setup --new-invitations"
)
UNFINISHED = T_(
    "An upgrade did not come to its end here, so nobody is served. Make it again: amparo upgrade. Or take it back: "
    "amparo upgrade --back, and then the former program."
)
HOLDS = T_("Everything holds.")
MOVED = T_("This installation was packed to be moved: it serves elsewhere. Else: amparo move stay")
HALF_MOVED = T_("An installation was not unpacked to its end here: amparo move unpack FILE, once more.")
NO_KEYS = T_("No case worker has made the keys yet: reporter pages say that they are not open.")
NOTHING_TO_TRY = T_(
    "No case worker has made the keys yet. Until then reporter pages are closed, so there is nothing to try. First she "
    "types her code at %(address)s; then look again."
)


def a_first_name(context: click.Context, option: click.Parameter, name: str | None) -> str:
    """The name of somebody of the first two: as told, asked for at a terminal, otherwise a plain one."""
    otherwise, question = FIRST_NAMES[str(option.name)]
    while name is None and sys.stdin.isatty():
        typed = ask(question, default=otherwise, err=True)
        name = typed if re.fullmatch(accounts.NAME, typed) else None
        if name is None:
            echo("Small letters and digits, 2 to 40, without spaces.", err=True)
    return a_name(context, option, name or otherwise)


@main.command()
@click.option("--coordinator", callback=a_first_name, help="The coordinator's name. [asked; default: coordina]")
@click.option("--case-worker", callback=a_first_name, help="The first case worker's. [asked; default: primera]")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def init(coordinator: str, case_worker: str, as_json: bool) -> None:
    """Make a new installation: folder, secrets, tables, directory, two invitations. `amparo setup` does more.

    No password and no key is made here: each of the two chooses her own in a browser, and the first case worker makes
    the keys that read a report. Until then the reporter pages say that they are not open yet.
    """
    make_secrets(instance_folder(os.environ.get("AMPARO_INSTANCE", "")), os.urandom(2 * SECRET))
    settings = settings_here()
    engine = opened_for(settings)
    upgrade_tables(engine)
    with reading(engine) as db:
        if members.accounts(db):
            raise Refusal("This installation has accounts already. Nothing was changed.")
        if accounts.open_invitations(db, time.time()):
            raise Refusal(OPEN_STILL)
    with writing(engine) as db:
        shipped.load_country(db)
        codes = invite_first(db, settings, {COORDINATOR: coordinator, CASE_WORKER: case_worker})
    if as_json:
        result = {"instance": str(settings.instance), "address": invitation(settings), "invitations": codes}
        echo(json.dumps(result, ensure_ascii=False, indent=1))
        return
    echo(translated("The installation lies in %(instance)s.", instance=settings.instance))
    tell_codes(codes, invitation(settings))
    if not has_lines(settings.country):
        echo(NO_LINES, country=settings.country)
    echo("\nNow start it: amparo serve")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; behind a proxy leave it.")
@click.option("--port", default=PORT, show_default=True, help="Port to listen on.")
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes for reporters. [default: one a processor, four at most]"
)
@click.option(
    "--desk",
    type=click.IntRange(0, 64),
    default=server.DESK,
    show_default=True,
    help="Processes for the pages of the team, so that no reporter waits for them. 0: those for reporters do it too.",
)
def serve(host: str, port: int, workers: int | None, desk: int) -> None:
    """Serve this installation."""
    settings = settings_here()
    if packing.is_packed(settings.instance):
        raise Refusal(HALF_MOVED if packing.is_half(settings.instance) else MOVED)
    if upgrading.is_unfinished(settings.instance):
        raise Refusal(UNFINISHED)
    engine = open_database(settings.database_url, settings.time_zone)
    with reading(engine) as db:
        keys_made = accounts.keys_are_made(db, Pin(settings.pin_file))
    with writing(engine, short_wait=True) as db:
        day_seeds.open_day(db, time.time())  # a folder that cannot be written is told here, not to a reporter
    engine.dispose()  # a line to SQLite must not go along into another process: each believes in locks of its own
    disk.lay_down(settings.instance)
    echo("Serving %(address)s on %(host)s:%(port)s. Stop with Ctrl+C.", address=settings.base_url, host=host, port=port)
    _say_what_comes_next(settings, keys_made=keys_made)
    server.serve(create_app, settings, host, port, workers or server.default_workers(), desk)


def _say_what_comes_next(settings: Settings, *, keys_made: bool) -> None:
    if not keys_made:
        echo(NO_KEYS)
        echo("The first case worker types her code at %(address)s", address=invitation(settings))
    if settings.secure:
        echo("What is unsafe here: amparo check. From outside: amparo check --through %(at)s", at=settings.base_url)
    elif settings.practice:
        echo("Everything here is practice.")
    else:
        echo("Only this machine opens that address. For others, with a server in front: amparo setup")
        echo("What is unsafe here: amparo check")


def _check_through(address: str, look: tuple[Path, ...], plain_port: int, *, as_json: bool) -> None:
    settings = settings_here()
    engine = open_database(settings.database_url, settings.time_zone)
    with reading(engine) as db:
        if not accounts.keys_are_made(db, Pin(settings.pin_file)):
            raise Refusal(NOTHING_TO_TRY, address=invitation(settings))
    proofs, why = front_door.run(address, settings, engine, look, plain_port)
    place = urlsplit(address).netloc.rpartition("@")[2]
    today = languages.local(time.time(), settings.time_zone).date()
    _keep(settings, findings.FRONT, findings.Look(place, today, proofs))
    problems = [proof for proof in proofs if proof.holds is False]
    if as_json:
        listed = [{"code": proof.code, "holds": proof.holds, "says": proof.says} for proof in proofs]
        result = {"problems": [proof.says for proof in problems], "proofs": listed, "why": why}
        echo(json.dumps(result, ensure_ascii=False))
    else:
        echo(*(said_of(proof) for proof in proofs if proof.holds), *([why] if why else []))
        echo(*(["", *(f"{proof.code}: {said_of(proof)}" for proof in problems)] if problems else [HOLDS]))
    sys.exit(1 if problems else 0)


def said_of(finding: findings.Finding) -> str:
    """What is so, or what to do, in the language that is spoken."""
    return " ".join(translated(words, **finding.parts) for words in finding.words)


def _keep(settings: Settings, name: str, look: findings.Look) -> None:
    if not findings.keep(settings.instance, name, look):
        echo("The coordinator's page cannot show this: it could not be written down.", err=True)


@main.command()
@click.option(
    "--residue/--no-residue", default=True, help="Tell a report to a throw-away copy and look for it. [default: yes]"
)
@click.option("--through", metavar="ADDRESS", help="Try the server in front instead, at the address people type.")
@click.option(
    "--look",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of its logs or temporary files, beside the usual ones; may be given again.",
)
@click.option("--plain-port", default=80, show_default=True, help="Port of plain http, for --through.")
@click.option(
    "--backup",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Try this backup instead: put it back into nothing, in memory.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(
    *, residue: bool, through: str | None, look: tuple[Path, ...], plain_port: int, backup: Path | None, as_json: bool
) -> None:
    """Check the installation: keys, readers, backups, sweep, directory, machine, and that nothing stays behind.

    Exits 1 if something is to be done. For the last, an invented report is told, sent and erased in an installation of
    its own, in a temporary folder, and looked for in every file. It takes a few seconds. Nothing is changed here but
    the file that the coordinator's page shows, which holds no detail.

    With --through, and as root so that logs can be read, a report marked as a test, a letter and the code of an
    invitation go through the real server in front into this installation, are erased again, and are looked for in logs,
    journal, temporary folders and the database.
    """
    if through:
        _check_through(through, look, plain_port, as_json=as_json)
    settings, now = settings_here(), time.time()
    if backup:
        _check_backup(settings, backup, as_json=as_json)
    engine, today = opened_for(settings), languages.local(now, settings.time_zone).date()
    proofs = leak_check.run_checks() if residue else None
    on = installation_check.Host(host_looks.AROUND)
    rows = installation_check.look(settings, engine, now, today, proofs, on)
    address = urlsplit(settings.base_url).netloc
    _keep(settings, findings.HERE, findings.Look(address, today, tuple(row.finding for row in rows)))
    running = lock_holder(engine, settings.instance)
    if as_json:
        echo(json.dumps(_for_machines(rows, proofs or (), running), ensure_ascii=False))
    else:
        if running:
            echo("Just now the task '%(task)s' goes over all cases.", task=running)
        echo(*_in_words(rows, proofs or ()))
    sys.exit(1 if any(row.finding.holds is False for row in rows) else 0)


def _for_machines(rows: Sequence[Found], proofs: Sequence[Proof], running: str) -> dict[str, Any]:
    return {
        "problems": [detail for row in rows if row.finding.holds is False for detail in row.details],
        "findings": [
            {"code": row.finding.code, "holds": row.finding.holds, "says": row.finding.says, "details": row.details}
            for row in rows
        ],
        "proofs": [asdict(proof) for proof in proofs],
        "running": running,
    }


def _in_words(rows: Sequence[Found], proofs: Sequence[Proof]) -> Iterator[str]:
    """What holds, what waits for others or cannot be known, and last what is to be done."""
    yield from (proof.says for proof in proofs if proof.holds is not False)
    for holds in (True, None, False):
        some = [row for row in rows if row.finding.holds is holds]
        if some and holds is not True:
            yield ""
        for row in some:
            yield from row.details or (said_of(row.finding),)
    if all(row.finding.holds is not False for row in rows):
        yield from ("", HOLDS)


def _check_backup(settings: Settings, file: Path, *, as_json: bool) -> None:
    try:
        done = trial_restore.try_out(settings, file, time.time(), progress)
    except (BackupRefused, Busy) as problem:
        raise refusal(problem) from None
    words = said(
        "%(rows)s rows came back whole; %(gone)s cases are over and stay gone.", rows=done.rows, gone=done.stays_gone
    )
    echo(json.dumps(asdict(done)) if as_json else words)
    sys.exit(0)
