"""Commands for the installation as a whole: to a new version and back, to another folder or machine.

Opens no case. What is copied, and when it may be put back, is decided in `operations.whole`.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import Engine

from referrals.directory.importing import shipped
from reporting.app import create_app
from reporting.cli.base import T, main, opened_for, progress, settings_here
from reporting.cli.language import Refusal, ask, echo, refusal, translated
from reporting.config import BadSettings, Settings, instance_folder, read_settings
from reporting.errors import Busy
from reporting.figures import release_ledger
from reporting.i18n import T_, joined, said
from reporting.operations.backups import BackupRefused
from reporting.operations.whole import packing, upgrading
from reporting.operations.whole.packing import CannotMove
from reporting.operations.whole.upgrading import UpgradeRefused
from reporting.storage.database import open_database, reading, upgrade_tables, version_of, writing
from reporting.teams import team_log
from reporting.teams.team_log import Pin

LEDGER_SINCE = "0018"  # tables of before are from an installation that had no ledger of releases
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
UPGRADED = T_(
    "The pages answer, and everybody and everything is there. Start the service again. Until somebody tells or does "
    "something, and until the sweep of the night: amparo upgrade --back, and then the former program."
)
WENT_BACK = T_(
    "Tables and rows are those of version %(version)s again. Now put the program of before back, and start it. "
    "Everybody signs in again; invitations that nobody has used are made anew."
)
PACKED = T_(
    "%(rows)s rows and %(files)s files are in %(file)s. Twelve words open it; they stand in no file. Write them down, "
    "and carry them apart from it:\n\n  %(words)s\n\n"
    "This folder serves no more. On the other machine: amparo move unpack FILE. When it serves there, destroy this one "
    "(amparo destroy) and the file. Is nothing to become of it after all: amparo move stay"
)
UNPACKED = T_(
    "%(rows)s rows and %(files)s files are in %(folder)s, and the keys of every team hold. The settings lie in "
    "%(settings)s: amparo setup reads them there and asks for what is another on this machine. Everybody signs in "
    "again. Destroy the packed file."
)


@main.command()
@click.option("--back", is_flag=True, help="Take the last upgrade back: tables and rows as they were before it.")
@AS_JSON
def upgrade(*, back: bool, as_json: bool) -> None:
    """Bring tables and shipped services to this version. Stop the service first.

    Every row is copied before, and everything is looked at afterwards; where that fails all is put back by itself. With
    --back you do so: until somebody tells or does something here. The ledger of releases never goes back.

    Services that nobody has touched become those of this version. What your team confirmed or changed stays as it is;
    where this version says something else, the difference is printed.
    """
    settings = settings_here()
    engine, now = open_database(settings.database_url, settings.time_zone), time.time()
    if back:
        undone = _allowed(lambda: upgrading.take_back(engine, settings.instance, now, progress))
        echo(json.dumps({"version": undone.before}) if as_json else said(WENT_BACK, version=undone.before))
        return
    done = _allowed(
        lambda: upgrading.run(
            engine,
            settings.instance,
            now,
            progress,
            lambda: _bring_up(settings, engine),
            lambda: _faults(settings, engine),
        )
    )
    if as_json:
        echo(json.dumps({"said": done}, ensure_ascii=False))
    else:
        echo(*done, UPGRADED)


def _bring_up(settings: Settings, engine: Engine) -> list[str]:
    """The upgrade itself; what it did, in sentences."""
    pin = Pin(settings.pin_file)
    with reading(engine) as db:
        is_older = (version_of(db) or LEDGER_SINCE) < LEDGER_SINCE
    upgrade_tables(engine)
    done: list[str] = [T_("The tables are up to date.")]
    with writing(opened_for(settings)) as db:
        if is_older and not pin.ledger.is_here and pin.read():
            release_ledger.begin(db, pin.ledger)
        again = release_ledger.follow(db, pin.ledger) if pin.ledger.is_here else ()
        done += [said("The figures of %(period)s stand again as they were published.", period=name) for name in again]
    with writing(engine) as db:
        done += shipped.bring_up_to_date(db).in_words()
    return done


def _faults(settings: Settings, engine: Engine) -> list[str]:
    """What does not hold once the tables are of this version: the keys of a team, or a page."""
    faults: list[str] = []
    try:
        with reading(engine) as db:
            team_log.teams_or_none(db, Pin(settings.pin_file))
    except team_log.BrokenChain:
        faults.append(T_("the team log does not hold"))
    asked_here = settings.with_changes(trusted_proxy="")  # nobody stands in front of this question
    answer = create_app(asked_here).test_client().get(f"/{settings.languages[0]}/", base_url=settings.base_url)
    if answer.status_code >= 500:  # noqa: PLR2004 -- as HTTP has it
        faults.append(said("the first page answers %(status)s", status=answer.status_code))
    return faults


@main.group()
def move() -> None:
    """Pack this installation up, and unpack it in another folder or on another machine.

    Everything that must travel goes into one file, sealed with twelve words. When somebody else is to look after it on
    the same machine nothing travels: `amparo move list` says what is handed over.
    """


@move.command("list")
@AS_JSON
def list_(*, as_json: bool) -> None:
    """What travels, why, what stays behind, and what is handed over on the same machine."""
    if as_json:
        lists = {"travels": packing.TRAVELS, "stays": packing.STAYS, "handed_over": packing.HANDED_OVER}
        echo(json.dumps(lists))
        return
    echo("The rows of the database, and:")
    echo(*(f"  {name:22} {translated(reason)}" for name, reason in packing.TRAVELS.items()))
    echo("Stays behind: %(what)s.", what=translated(packing.STAYS))
    echo("When somebody else looks after this machine nothing travels. From hand to hand go:")
    echo(*(f"  {translated(item)}" for item in packing.HANDED_OVER), translated(packing.KEEP_NOTHING))


@move.command()
@click.argument("file", type=click.Path(exists=False, dir_okay=False, path_type=Path))
@AS_JSON
def pack(file: Path, *, as_json: bool) -> None:
    """Write this installation into FILE. Stop the service first: it serves no more in this folder."""
    settings = settings_here()
    engine, words = opened_for(settings), packing.draw_words(secrets.randbelow, settings.languages[0])
    target, now = file.resolve(), time.time()
    done = _allowed(lambda: packing.pack(engine, settings.instance, os.environ, target, words, now, progress))
    if as_json:
        echo(json.dumps(asdict(done) | {"file": str(target), "words": " ".join(words)}, ensure_ascii=False))
        return
    echo(PACKED, rows=done.rows, files=len(done.files), file=target, words=" ".join(words))


@move.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--words", default="", help="The twelve words. [asked; an option stands in the list of processes]")
@AS_JSON
def unpack(file: Path, words: str, *, as_json: bool) -> None:
    """Put the installation in FILE into this instance folder, which must be empty, or one that was packed before."""
    instance = instance_folder(os.environ.get("AMPARO_INSTANCE", ""))
    typed = words or ask("The twelve words", err=True)
    done = _allowed(lambda: packing.unpack(file, typed, instance, _engine_here, progress))
    settings = settings_here()
    engine = opened_for(settings)
    upgrade_tables(engine)
    faults = _faults(settings, engine)
    if faults:
        raise Refusal("It was unpacked, and does not hold: %(why)s.", why=joined(faults))
    places = {"folder": str(instance), "settings": str(instance / packing.SETTINGS_FILE)}
    if as_json:
        echo(json.dumps(asdict(done) | places))
        return
    echo(said(UNPACKED, rows=done.rows, files=len(done.files), **places))


@move.command()
def stay() -> None:
    """It serves in this folder again: nothing was unpacked elsewhere, and the packed file is destroyed."""
    if not packing.stay(settings_here().instance):
        raise Refusal("This installation was not packed.")
    echo("It serves here again. Destroy the packed file.")


def _engine_here() -> Engine:
    settings = read_settings()
    return open_database(settings.database_url, settings.time_zone)


def _allowed(act: Callable[[], T]) -> T:
    try:
        return act()
    except (BackupRefused, BadSettings, Busy, CannotMove, UpgradeRefused) as problem:
        raise refusal(problem) from None
    except FileExistsError as problem:
        raise Refusal("%(file)s is there already: name another file.", file=problem.filename) from None
