"""Commands that keep an installation, or end it: sweep, backup, restore, reminder, lock, destroy.

Opens no case. What is kept, and how long, is decided in `operations`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from reporting.cli.base import T, drop_everything, main, opened, progress, settings_here
from reporting.cli.language import Refusal, ask, echo, refusal, translated
from reporting.config import Settings
from reporting.errors import Busy
from reporting.i18n import T_, joined, said
from reporting.operations import backups, reminder, restoring, retention
from reporting.operations.whole import packing, trial_restore, upgrading
from reporting.sessions import day_seeds
from reporting.sessions.page_rows import open_rows
from reporting.storage import disk, findings, turns
from reporting.storage.database import checkpoint, open_database, writing
from reporting.storage.locks import FILE, maintenance_lock
from reporting.storage.rewriting import NotTheSame
from reporting.teams.team_log import Pin
from reporting.web import languages

ENTER = T_("Tell somebody of each team by voice: a member enters on the page of cases that a backup was put back.")
EVERYTHING = T_("Everything came back: %(rows)s rows.")
MISSING = T_("Missing cases came back: %(rows)s rows.")
STAYS = T_("%(here)s cases were here already and stay as they are; %(gone)s stay gone.")


@main.command()
@click.option("--rewrite", is_flag=True, help="Write the database anew now, without waiting for its week.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def sweep(rewrite: bool, as_json: bool) -> None:
    """What is over goes: run it every night. How long each thing is kept: reporting/operations/retention.toml."""
    settings, engine = opened()
    open_rows(settings, engine).sweep(time.time())
    pin, now = Pin(settings.pin_file), time.time()
    swept = _allowed(lambda: retention.sweep(engine, pin, settings.instance, now, progress, rewrite=rewrite))
    swept["reserve"] = int(disk.lay_down(settings.instance))
    if as_json:
        echo(json.dumps(swept))
        return
    echo(*(f"{translated(retention.WORDS[name])}: {count}" for name, count in swept.items()))


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--no-cases", is_flag=True, help="Every case was erased: the backup may hold none, unlike the last one.")
@click.option("--trial/--no-trial", default=True, help="Put it back into nothing, in memory. [default: yes]")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def backup(file: Path, no_cases: bool, trial: bool, as_json: bool) -> None:
    """Write a backup to FILE while people go on working. It is sealed to the key of the month, read back, and tried.

    To try it, it is put back into an installation that is thrown away, in memory; one that does not come back whole is
    named, and stays where it is. `amparo check --backup FILE` tries one that was carried elsewhere.

    The keys are in the folder backup-keys of the instance. Keep a copy of it, of secrets.toml, team.pin, releases.json
    and the folder releases apart from the backups, and take away each key 60 days after its month began: `amparo sweep`
    does so here.
    """
    settings, engine = opened()
    now, instance = time.time(), settings.instance
    written = _allowed(lambda: backups.back_up(engine, instance, file, now, progress, may_be_empty=no_cases))
    why = _tried(settings, file, now) if trial else ""
    tried = {"tried": trial and not why}
    if as_json:
        echo(json.dumps(written | tried))
    else:
        parts = {part: written[part] for part in ("rows", "month", "file")}
        echo("%(rows)s rows of %(month)s in %(file)s.", **parts)
        echo(why or T_("Put back into nothing, it came back whole.") if trial else T_("It was not tried."))


def _tried(settings: Settings, file: Path, now: float) -> str:
    """Why a backup could not be tried; empty where it came back whole."""
    try:
        trial_restore.try_out(settings, file, now, progress)
    except trial_restore.CannotTry as why:
        return str(why)
    except backups.BackupRefused as problem:
        raise Refusal("%(file)s was written, and does not come back: %(why)s", file=file, why=str(problem)) from None
    return ""


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def restore(file: Path, as_json: bool) -> None:
    """Put the backup in FILE back. Erased cases and people who were taken out do not come back.

    Where people and keys are here, only missing cases come back. Is the database lost? Run `amparo upgrade` first:
    into empty tables everything comes back, unless the backup is older than the newest keys. Then call somebody of
    each team: what came back opens once a member has entered, on the page of cases, that a backup was put back.
    """
    settings, engine = opened()
    pin, now = Pin(settings.pin_file), time.time()
    done = _allowed(lambda: restoring.restore(engine, pin, settings.instance, file, settings.pepper, now, progress))
    if as_json:
        echo(json.dumps(asdict(done)))
        return
    came = EVERYTHING if done.everything else MISSING
    stays = said(STAYS, here=done.here_already, gone=done.stays_gone)
    echo(joined([said(came, rows=done.rows), stays, T_("Everybody signs in again."), ENTER], " "))


def _allowed(act: Callable[[], T]) -> T:
    try:
        return act()
    except (backups.BackupRefused, Busy, NotTheSame) as problem:
        raise refusal(problem) from None
    except FileExistsError as problem:
        raise Refusal("%(file)s is in the way: another backup is being written.", file=problem.filename) from None


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def notify(as_json: bool) -> None:
    """Remind everybody in NOTIFY_TO by e-mail that it is time to look. Run it at fixed hours, by cron or a timer.

    The message is always the same, also when nothing is new: it tells nothing to whoever reads somebody's mail. Only
    when the disk fills up there is one sentence more. It is off as long as SMTP_URL and NOTIFY_TO are empty.

    For example, in the crontab: 0 9,17 * * 1-5 amparo notify
    """
    settings = settings_here()
    if not reminder.is_on(settings):
        raise Refusal("The reminder is off: set SMTP_URL and NOTIFY_TO, and run this at fixed hours.")
    words = languages.load(settings.languages)[settings.languages[0]]
    try:
        body = [words.gettext(text) for text in (reminder.BODY, disk.warning(settings.instance)) if text]
        with maintenance_lock(open_database(settings.database_url, settings.time_zone), settings.instance, "notify"):
            sent = reminder.send(settings, words.gettext(reminder.SUBJECT), "\n\n".join(body))
    except (reminder.CannotSend, Busy) as problem:
        raise refusal(problem) from None
    echo(json.dumps({"sent": sent}) if as_json else said("The reminder went to %(count)s.", count=sent))


@main.command()
def lock() -> None:
    """In danger: end every session and forget every open draft, receipt page and visit. Nothing sent is lost."""
    settings, engine = opened()
    with writing(engine) as db:
        day_seeds.forget_all(db)
        day_seeds.open_day(db, time.time())
    checkpoint(engine)
    open_rows(settings, engine).forget_all()
    echo("Everybody is signed out, and every open page is closed. People sign in again as always.")


@main.command()
def destroy() -> None:
    """Erase this installation beyond recovery: every report, key, account and secret, and the keys of the backups."""
    settings, engine = opened()
    question = T_("Everything in %(folder)s will be gone. Type the name on screen")
    if ask(question, parts={"folder": settings.instance}) != settings.site_name:
        raise Refusal("That is not the name. Nothing was changed.")
    pin = Pin(settings.pin_file)
    drop_everything(settings, engine)
    database = tuple(f"amparo.db{end}" for end in ("", "-wal", "-shm", turns.NEXT, turns.WRITES))
    upgrading.forget(settings.instance)  # a whole copy of all cases
    pin.ledger.destroy()
    backups.destroy_keys(settings.instance)
    written = (disk.NAME, *findings.NAMES, FILE, backups.LAST, retention.STAMP, packing.MARK, packing.SETTINGS_FILE)
    for name in ("secrets.toml", "team.pin", *database, *written):
        (settings.instance / name).unlink(missing_ok=True)
    echo("It is gone, and the keys of its backups too. Destroy copies of those keys, and the recovery sheets.")
