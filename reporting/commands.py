"""The terminal door: make, serve, try, check. Everything long says how far it is; everything that prints has --json."""

from __future__ import annotations

import itertools
import json
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from referrals import bench_match as match_bench
from referrals import bench_queue as queue_bench
from referrals import directory, importing, needs, rehearsal, upkeep
from reporting import (
    backups,
    disclosure,
    duty,
    keyring,
    languages,
    members,
    page_rows,
    receipts,
    release_bench,
    release_rehearsal,
    retention,
    serving,
    sessions,
    staff,
    teamlog,
)
from reporting import bench as measuring
from reporting import demo as demonstration
from reporting import notify as reminder
from reporting import residue as leaving
from reporting.app import create_app
from reporting.config import (
    ROOT,
    SECRET,
    SETTINGS,
    BadSettings,
    Settings,
    make_secrets,
    problems_on_this_machine,
    read_settings,
)
from reporting.database import checkpoint, open_database, reading, upgrade_tables, writing
from reporting.database import destroy as erase_everything
from reporting.page_rows import open_rows
from reporting.teamlog import CASE_WORKER, COORDINATOR, Pin

T = TypeVar("T")
PORT = 8080
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- only where --host asks for it, for a classroom


class _Plain(click.Group):
    """Trouble with the database is told in a sentence, not in a trace."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SQLAlchemyError as trouble:
            why = str(getattr(trouble, "orig", None) or type(trouble).__name__).strip().splitlines()[0]
            raise click.ClickException(next(said for mark, said in DATABASE_TROUBLE if mark in why) % why) from None


# what the database says -> what that means for whoever keeps it
DATABASE_TROUBLE = (
    ("no such table", "There are no tables yet (%s). Run `amparo init`, or `amparo upgrade` after a new version."),
    ("does not exist", "Something is missing in the database (%s). Run `amparo init`, or `amparo upgrade`."),
    ("full", "The disk is full (%s). Make room; nothing that was acknowledged is lost."),
    ("readonly", "The database cannot be written (%s). Look at who owns the instance folder and how it is mounted."),
    (
        "unable to open",
        "The database cannot be opened (%s). Is the folder there, and may this user write in it?",
    ),
    ("locked", "Somebody else holds the database (%s). Wait a moment and try again."),
    ("", "The database does not answer (%s). Is it running, and is DATABASE_URL right?"),
)


@click.group(cls=_Plain, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Amparo: reports that only the people she chose can read, and the nearest right door for each need.

    Try it:      amparo demo
    Install it:  amparo init, then amparo serve
    """


def _a_name(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """A name that the sign-in page can take."""
    if not re.fullmatch(staff.NAME, name):
        raise click.BadParameter("small letters and digits, 2 to 40, without spaces.")
    return name


# ── a real installation ─────────────────────────────────────────────────────────────────────────────────────


@main.command()
@click.option("--coordinator", default="coordina", show_default=True, callback=_a_name, help="The coordinator's name.")
@click.option("--case-worker", default="primera", show_default=True, callback=_a_name, help="The first case worker's.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def init(coordinator: str, case_worker: str, as_json: bool) -> None:
    """Make a new installation: folder, secrets, tables, directory, one coordinator, one invitation.

    No key that reads a report is made here: the first case worker makes it in her own browser. Until then the
    reporter pages say that they are not open yet.
    """
    settings = _new_installation()
    engine = open_database(settings.database_url)
    upgrade_tables(engine)
    with reading(engine) as db:
        if members.accounts(db):
            raise click.ClickException("This installation has accounts already. Nothing was changed.")
    told = _first_people(settings, engine, coordinator, case_worker)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    click.echo(f"Installation made in {settings.instance}\n")
    click.echo("The coordinator signs in at " + told["sign_in"])
    for part in ("name", "password", "totp_secret"):
        click.echo(f"  {part.replace('_', ' ')}: {told['coordinator'][part]}")
    click.echo("\nGive this address to the first case worker, and to nobody else. It opens once, for seven days:")
    click.echo("  " + told["invitation"])
    click.echo("\nNow start it: amparo serve")


def _new_installation() -> Settings:
    instance = Path(os.environ.get("AMPARO_INSTANCE") or SETTINGS["AMPARO_INSTANCE"][0])
    make_secrets(instance if instance.is_absolute() else ROOT / instance, os.urandom(2 * SECRET))
    return _settings()


def _first_people(settings: Settings, engine: Engine, coordinator: str, case_worker: str) -> dict[str, Any]:
    language = settings.languages[0]
    password, totp = staff.suggest_password(secrets.randbelow, language), members.new_totp_secret()
    account = members.new_member(coordinator, (COORDINATOR,), password, totp, settings.pepper)
    with writing(engine) as db:
        directory.load_shipped(db)
        members.store_member(db, account)
        token = staff.invite(db, case_worker, (CASE_WORKER,), time.time())
    return {
        "sign_in": f"{settings.base_url}/{language}/equipo",
        "coordinator": {"name": coordinator, "password": password, "totp_secret": members.totp_text(totp)},
        "invitation": _invitation(settings, token),
    }


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; behind a proxy leave it.")
@click.option("--port", default=PORT, show_default=True, help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes. [default: one a processor, four at most]")
def serve(host: str, port: int, workers: int | None) -> None:
    """Serve this installation."""
    settings = _settings()
    engine = open_database(settings.database_url)
    with reading(engine) as db:
        made = staff.keys_are_made(db, Pin(settings.pin_file))
    with writing(engine, hurry=True) as db:
        sessions.open_day(db, time.time())  # a folder that cannot be written is told here, not to a reporter
    engine.dispose()  # a line to SQLite must not go along into another process: each believes in locks of its own
    click.echo(f"Serving {settings.base_url} on {host}:{port}. Stop with Ctrl+C.")
    if not made:
        click.echo("No case worker has made the keys yet: reporter pages say that they are not open.")
    serving.serve(create_app, settings, host, port, workers or serving.default_workers())


@main.command()
def upgrade() -> None:
    """Bring the tables to the form this version needs. Make a backup first."""
    upgrade_tables(open_database(_settings().database_url))
    click.echo("The tables are up to date.")


@main.command()
@click.option(
    "--residue/--no-residue", default=True, help="Tell a report to a throw-away copy and look for it. [default: yes]"
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(residue: bool, as_json: bool) -> None:
    """Check the installation: settings, keys, audit, and that nothing stays behind. Exits 1 if something is wrong.

    For the last, an invented report is told, sent and erased in an installation of its own, in a temporary folder,
    and looked for in every file. It takes a few seconds. Nothing is changed here.
    """
    settings = _settings()
    engine = open_database(settings.database_url)
    with reading(engine) as db:
        found = staff.problems(db, Pin(settings.pin_file), retention.audit_before(time.time()))
        found += duty.problems(db, languages.local(time.time(), settings.time_zone).date())
    proofs = leaving.prove() if residue else ()
    found += [proof.says for proof in proofs if proof.holds is False] if residue else problems_on_this_machine()
    found += page_rows.problems(settings)
    if as_json:
        click.echo(json.dumps({"problems": found, "proofs": [asdict(proof) for proof in proofs]}, ensure_ascii=False))
    else:
        click.echo("\n".join(proof.says for proof in proofs if proof.holds is not False))
        click.echo("\n".join(["", *found] if found else ["Everything holds."]))
    sys.exit(1 if found else 0)


def _settings() -> Settings:
    try:
        return read_settings()
    except BadSettings as problem:
        raise click.ClickException(str(problem)) from None


# ── keeping ─────────────────────────────────────────────────────────────────────────────────────────────────


@main.command()
@click.option("--rewrite", is_flag=True, help="Write the database anew now, without waiting for its week.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def sweep(rewrite: bool, as_json: bool) -> None:
    """What is over goes: run it every night. How long each thing is kept: reporting/data/retention.toml."""
    settings, engine = _opened()
    open_rows(settings, engine).sweep(time.time())
    swept = retention.sweep(engine, Pin(settings.pin_file), settings.instance, time.time(), _progress, rewrite=rewrite)
    lines = (f"{name.replace('_', ' ')}: {count}" for name, count in swept.items())
    click.echo(json.dumps(swept) if as_json else "\n".join(lines))


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def backup(file: Path, as_json: bool) -> None:
    """Write a backup to FILE while people go on working. It is sealed to the key of the month, and read back.

    The keys are in the folder backup-keys of the instance. Keep a copy of it, of secrets.toml and of team.pin apart
    from the backups, and take away each key 60 days after its month began: `amparo sweep` does so here.
    """
    settings, engine = _opened()
    told = _allowed(lambda: backups.back_up(engine, settings.instance, file, time.time(), _progress))
    click.echo(json.dumps(told) if as_json else f"{told['rows']} rows of {told['month']} in {told['file']}.")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def restore(file: Path, as_json: bool) -> None:
    """Put the backup in FILE back. Erased cases and people who were taken out do not come back.

    Where people and keys are here, only missing cases come back. Is the database lost? Run `amparo upgrade` first:
    into empty tables everything comes back, unless the backup is older than the newest keys.
    """
    settings, engine = _opened()
    pin, now = Pin(settings.pin_file), time.time()
    done = _allowed(lambda: backups.restore(engine, pin, settings.instance, file, settings.pepper, now, _progress))
    words = "Everything came back" if done.everything else "Missing cases came back"
    stays = f"{done.here_already} cases were here already and stay as they are; {done.stays_gone} stay gone."
    click.echo(json.dumps(asdict(done)) if as_json else f"{words}: {done.rows} rows. {stays} Everybody signs in again.")


def _progress(text: str) -> None:
    click.echo(text, err=True)


def _now_and_then(seconds: float = 2.0) -> Callable[[str, int, int], None]:
    """Says how far a long work is, every few seconds; nothing of a short one."""
    last = time.monotonic()

    def tell(what: str, done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            _progress(f"{what}: {done} of {of}")

    return tell


def _allowed(act: Callable[[], T]) -> T:
    try:
        return act()
    except backups.Refused as refusal:
        raise click.ClickException(str(refusal)) from None
    except FileExistsError as problem:
        raise click.ClickException(f"{problem.filename} is in the way: another backup is being written.") from None


# ── people and keys ─────────────────────────────────────────────────────────────────────────────────────────


@main.group("staff")
def people() -> None:
    """Accounts: list, invite, reset, dismiss. None of it gives anybody a key."""


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_people(as_json: bool) -> None:
    """Who has an account, as what, and whether her team let her in."""
    settings, engine = _opened()
    with reading(engine) as db:
        found = members.accounts(db, teamlog.teams_or_none(db, Pin(settings.pin_file)))
    rows = [{"name": one.name, "roles": list(one.roles), "open": one.open, "inside": one.inside} for one in found]
    lines = (
        f"{one.name:20} {', '.join(one.roles):24} "
        f"{'let in' if one.inside else 'can sign in' if one.open else 'cannot sign in'}"
        for one in found
    )
    click.echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines))


@people.command("invite")
@click.argument("name", callback=_a_name)
@click.argument("role", type=click.Choice(teamlog.ROLES))
@click.option("--team", default="", help="With which casework team she will read; the first one if not told.")
@click.option("--new-team", default="", help="Name of a new casework team, of which she is the first.")
def invite_person(name: str, role: str, team: str, new_team: str) -> None:
    """Print an address for NAME that opens once, for seven days. She makes her password in her own browser.

    A new team gets no case before a case worker of a team that is there has heard its six words and typed them.
    """
    settings, engine = _opened()
    if (team or new_team) and role != CASE_WORKER:
        raise click.ClickException("Only a case worker reads with a casework team.")
    with writing(engine) as db:
        if any(one.name == name for one in members.accounts(db)):
            raise click.ClickException(f"{name} has an account: use `amparo staff reset {name}`.")
        teams = _vouched_for(lambda: teamlog.teams_or_none(db, Pin(settings.pin_file)))
        numbers = tuple(one.id for one in teams if one.name == team and one.kind == teamlog.CASEWORK)
        if (team and not numbers) or (new_team and not teams):
            raise click.ClickException("There is no such team yet: `amparo keys status` lists them.")
        token = staff.invite(db, name, (role,), time.time(), numbers, new_team)
    click.echo(_invitation(settings, token))


@people.command("reset")
@click.argument("name")
def reset_person(name: str) -> None:
    """A forgotten password: her old key is forgotten, an address is printed. Her team must let her in again."""
    settings, engine = _opened()
    with writing(engine) as db:
        token = staff.reset(db, _number_of(db, name), time.time())
    click.echo(_invitation(settings, token))


@people.command("dismiss")
@click.argument("name")
def dismiss_person(name: str) -> None:
    """She leaves: her sessions end now, and the next member who signs in makes new keys without her."""
    with writing(_opened()[1]) as db:
        staff.dismiss(db, _number_of(db, name))
    click.echo(f"{name} cannot sign in any more. Ask a case worker to sign in soon: that makes the new keys.")


@main.group("keys")
def key_acts() -> None:
    """The teams' keys: status, log, recovery. Nothing here prints a key."""


@key_acts.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def key_status(as_json: bool) -> None:
    """Each team with its fingerprint, newest epoch and readers. Compare the fingerprint with the one on paper."""
    settings, engine = _opened()
    with reading(engine) as db:
        found = _vouched_for(lambda: teamlog.status(db, Pin(settings.pin_file)))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        due = ", a new one is due" if one.due else ""
        click.echo(f"{one.name} ({one.kind})\n  fingerprint {one.fingerprint}\n  epoch {one.epoch}{due}")
        click.echo(f"  readers: {', '.join(one.readers) or 'nobody'}")


@key_acts.command("log")
def key_log() -> None:
    """Every entry of the team log: who was let in or taken out, and each new epoch."""
    settings, engine = _opened()
    with reading(engine) as db:
        click.echo("\n".join(_vouched_for(lambda: teamlog.log_in_words(db, Pin(settings.pin_file)))))


@key_acts.command("recover")
@click.argument("name")
def key_recover(name: str) -> None:
    """Both recovery sheets let NAME in, when nobody is left who could. She needs an account that can sign in."""
    settings, engine = _opened()
    with reading(engine) as db:
        number = _number_of(db, name)
    first, second = (
        receipts.read_words(click.prompt(f"Sheet {sheet}, twelve words"), keyring.SHEET_WORDS) for sheet in (1, 2)
    )
    for one, other in itertools.product(first, second):
        sheets = keyring.Sheets(one, other)
        try:
            with writing(engine) as db:
                _vouched_for(partial(keyring.recover, db, Pin(settings.pin_file), sheets, number))
        except teamlog.CannotOpen:
            continue
        click.echo(f"{name} is let in. She signs in as always.")
        return
    raise click.ClickException(
        f"Nothing was changed: these are not the two sheets, or {name} cannot sign in or reads in no team."
    )


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def notify(as_json: bool) -> None:
    """Remind everybody in NOTIFY_TO by e-mail that it is time to look. Run it at fixed hours, by cron or a timer.

    The message is always the same, also when nothing is new: it tells nothing to whoever reads somebody's mail. It is
    off as long as SMTP_URL and NOTIFY_TO are empty. For example, in the crontab: 0 9,17 * * 1-5 amparo notify
    """
    settings = _settings()
    if not reminder.is_on(settings):
        raise click.ClickException("The reminder is off: set SMTP_URL and NOTIFY_TO, and run this at fixed hours.")
    words = languages.load(settings.languages)[settings.languages[0]]
    try:
        sent = reminder.send(settings, words.gettext(reminder.SUBJECT), words.gettext(reminder.BODY))
    except reminder.CannotSend as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(json.dumps({"sent": sent}) if as_json else f"The reminder went to {sent}.")


@main.command()
def lock() -> None:
    """In danger: end every session and forget every open draft, receipt page and visit. Nothing sent is lost."""
    settings, engine = _opened()
    with writing(engine) as db:
        sessions.forget_all(db)
        sessions.open_day(db, time.time())
    checkpoint(engine)
    open_rows(settings, engine).forget_all()
    click.echo("Everybody is signed out, and every open page is closed. People sign in again as always.")


@main.command()
def destroy() -> None:
    """Erase this installation beyond recovery: every report, key, account and secret, and the keys of the backups."""
    settings, engine = _opened()
    if click.prompt(f"Everything in {settings.instance} will be gone. Type the name on screen") != settings.site_name:
        raise click.ClickException("That is not the name. Nothing was changed.")
    open_rows(settings, engine).destroy()
    erase_everything(engine)
    for name in ("secrets.toml", "team.pin", "amparo.db", "amparo.db-wal", "amparo.db-shm"):
        (settings.instance / name).unlink(missing_ok=True)
    backups.forget_keys(settings.instance, time.time(), days=-31)
    click.echo("It is gone, and the keys of its backups too. Destroy copies of those keys, and the recovery sheets.")


def _opened() -> tuple[Settings, Engine]:
    settings = _settings()
    return settings, open_database(settings.database_url)


def _number_of(db: Session, name: str) -> int:
    found = next((one.id for one in members.accounts(db) if one.name == name), None)
    if found is None:
        raise click.ClickException(f"Nobody here is called {name}: see `amparo staff list`.")
    return found


def _invitation(settings: Settings, token: str) -> str:
    return f"{settings.base_url}/{settings.languages[0]}/equipo/invitacion/{token}"


def _vouched_for(look: Callable[[], T]) -> T:
    try:
        return look()
    except teamlog.NotYet:
        raise click.ClickException("No case worker has made the keys yet.") from None
    except teamlog.BrokenChain:
        raise click.ClickException("The team log does not hold. Do not make new keys: run `amparo check`.") from None


# ── the directory ───────────────────────────────────────────────────────────────────────────────────────────


@main.group("directory")
def services() -> None:
    """Services: bring them in, take them out, see what is due, what is missing, whom to call."""


@services.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only look for problems; change nothing.")
@click.option("--type", "kind", default="", help="The type of all services, where the file does not say it.")
@click.option("--region", default="", help="Two digits of INEI, where the file names no place: 25 is Ucayali.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def import_file(file: Path, dry_run: bool, kind: str, region: str, as_json: bool) -> None:
    """Bring in services from FILE: our own CSV, somebody else's table (, ; tab |), or HSDS 3 as JSON.

    Our own file (`amparo directory export`) comes in whole or not at all. From any other file each good row comes in
    and waits, unseen by reporters, until somebody confirms it. What is not stored is listed by its line; exit code 1.
    """
    hints = importing.Hints(file.name, kind, region)
    click.echo(f"Reading {file.name} ...", err=True)
    with writing(_opened()[1]) as db:
        done = importing.bring_in(
            db, file.read_bytes(), "terminal", _today(), hints=hints, dry_run=dry_run, tell=_now_and_then()
        )
    told = importing.as_json(done)
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else importing.in_words(done, dry_run))
    sys.exit(1 if done.problems else 0)


@services.command("export")
def export_file() -> None:
    """Print the whole directory as CSV. Brought in again it changes nothing."""
    with reading(_opened()[1]) as db:
        click.echo(importing.as_csv(db), nl=False)


@services.command("due")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_due(as_json: bool) -> None:
    """Services that have to be looked at now, the flagged first."""
    with reading(_opened()[1]) as db:
        found = [one for one in upkeep.due(db, _today()) if one.over]
    lines = [f"{one.service:28} {one.verified_on or 'never':10}  {one.flagged or '':>3}  {one.name}" for one in found]
    click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False) if as_json else "\n".join(lines))


@services.command("gaps")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_gaps(as_json: bool) -> None:
    """For each need: in how many provinces a service is verified, only in a source, only national, missing."""
    held = directory.shelf(partial(reading, _opened()[1]))
    found, never = upkeep.gaps(held, _today()), upkeep.never_matched(held)
    if as_json:
        rows = [{"need": gap.need, **{state: len(codes) for state, codes in gap.provinces.items()}} for gap in found]
        click.echo(json.dumps({"gaps": rows, "never_matched": never}, ensure_ascii=False))
        return
    click.echo(f"{'need':22}" + "".join(f"{state:>10}" for state in upkeep.STATES))
    click.echo("\n".join(f"{gap.need:22}" + "".join(f"{gap.count(one):10}" for one in upkeep.STATES) for gap in found))
    click.echo("\nNever matched:\n" + "\n".join(f"  {service:28} {why}" for service, why in never.items()))


@services.command("worklist")
@click.option("--province", "place", required=True, help="A department or province: 25, PE25 or PE2501.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_calls(place: str, as_json: bool) -> None:
    """Whom a local team can call in an afternoon, and what to ask. The page of the same prints on A4."""
    engine = _opened()[1]
    held, code = directory.shelf(partial(reading, engine)), place if place.startswith("PE") else f"PE{place}"
    if code not in held.cards.place_names:
        raise click.ClickException(f"There is no place {place}: two or four digits of INEI, such as 25 or 2501.")
    with reading(engine) as db:
        tasks = upkeep.worklist(db, held, code, _today())
    rows = [{"service": one.row["id"], "name": one.row["name"], "phone": one.row["phone"], "never_seen": one.gaps,
             "ask": [question.column for question in one.unknown]} for one in tasks]  # fmt: skip
    lines = [f"{one.row['name']}\n  {one.row['phone'] or 'no number'}\n  ask: "
             + ", ".join(question.column for question in one.unknown) for one in tasks]  # fmt: skip
    click.echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines))


@main.command("places")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_places(file: Path) -> None:
    """Bring in a tree of places from FILE: CSV with code, parent, level, name. Known codes are left as they are."""
    with writing(open_database(_settings().database_url)) as db:
        try:
            fresh = directory.load_places(db, _text_of(file))
        except KeyError as column:
            raise click.ClickException(f"The column {column} is missing: code, parent, level, name.") from None
    click.echo(f"{fresh} places are new.")


def _today() -> date:
    """The day on the clock of the place."""
    return languages.local(time.time(), _settings().time_zone).date()


def _text_of(file: Path) -> str:
    """A file as spreadsheets write it: UTF-8, or the Windows code page of Latin America."""
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


# ── trying it ───────────────────────────────────────────────────────────────────────────────────────────────


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets a classroom in.")
@click.option("--port", default=PORT, show_default=True, help="Port to listen on.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Keep the demo here instead of a folder that is thrown away.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the accounts as JSON.")
@click.option("--no-serve", is_flag=True, help="Make it and stop.")
def demo(host: str, port: int, folder: Path | None, as_json: bool, no_serve: bool) -> None:
    """Make and serve a throw-away installation with people, fictional reports and the Peruvian directory.

    Every page says that it is practice. Nothing of it reaches anybody.
    """
    with tempfile.TemporaryDirectory(prefix="amparo-demo-", ignore_cleanup_errors=True) as temporary:
        instance = folder or Path(temporary)
        make_secrets(instance, os.urandom(2 * SECRET))
        settings = read_settings({
            "AMPARO_INSTANCE": str(instance.resolve()), "PRACTICE": "1", "BASE_URL": f"http://{_shown(host)}:{port}",
            "TEAM_NAME": "Equipo de práctica", "LANGUAGES": os.environ.get("LANGUAGES", "es,en"),
        })  # fmt: skip
        engine = open_database(settings.database_url)
        upgrade_tables(engine)
        with reading(engine) as db:
            if members.accounts(db):
                raise click.ClickException(f"{instance} holds people already: give --folder an empty folder.")
        say = (lambda _text: None) if as_json else click.echo
        told = demonstration.furnish(settings, engine, time.time(), say) | {"classroom": host == EVERYWHERE}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1) if as_json else demonstration.in_words(told))
        if not no_serve:
            serving.serve(create_app, settings, host, port)


def _shown(host: str) -> str:
    return "127.0.0.1" if host == EVERYWHERE else host


@main.command()
@click.argument("secret")
def code(secret: str) -> None:
    """Print the six digits that an authenticator app shows now for SECRET. For practice, where there is no phone."""
    try:
        click.echo(members.totp_code(members.totp_bytes(secret), time.time()))
    except ValueError:
        raise click.ClickException("That is no secret of an authenticator app: letters A-Z and digits 2-7.") from None


# ── rules ───────────────────────────────────────────────────────────────────────────────────────────────────


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "checking", is_flag=True, help="Compare with what the file expects; exit 1 on any difference.")
@click.option("--explain", is_flag=True, help="Print for people instead of JSON.")
def assess(file: Path, checking: bool, explain: bool) -> None:
    """Work out needs, urgency and must-nots of the incidents in FILE (YAML or JSON, the shape of the vignettes).

    Prints a JSON list: id, gbvims, create_referral, needs (need, urgency, rules), must_not.
    """
    try:
        incidents = rehearsal.assess_file(file.read_text(encoding="utf-8"), file.suffix)
    except rehearsal.BadFile as problem:
        raise click.ClickException(str(problem)) from None
    assessed = [(name, incident, needs.assess(incident), expected) for name, incident, expected in incidents]
    if explain:
        for name, incident, assessment, _ in assessed:
            click.echo(f"{name}\n{rehearsal.explained(incident, assessment)}\n")
    elif not checking:
        click.echo(
            json.dumps([rehearsal.report(name, found) for name, _, found, _ in assessed], ensure_ascii=False, indent=1)
        )
    if checking:
        sys.exit(_compare(assessed))


def _compare(assessed: list[tuple[str, Any, Any, Any]]) -> int:
    with_expectation = [(name, found, expected) for name, _, found, expected in assessed if expected is not None]
    wrong = {name: rehearsal.differences(found, expected) for name, found, expected in with_expectation}
    for name, problems in wrong.items():
        for problem in problems:
            click.echo(f"{name}: {problem}")
    right = sum(not problems for problems in wrong.values())
    click.echo(f"{right} of {len(wrong)} as expected.")
    return 0 if right == len(wrong) else 1


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────


@main.group()
def release() -> None:
    """Published figures: rehearse what a release does. Real ones are compiled and published on the staff pages."""


def _a_share(_context: click.Context, _option: click.Parameter, text: str) -> Fraction:
    try:
        epsilon = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter("a number such as 1, 0.5 or 1/2.") from None
    if not 0 < epsilon <= disclosure.LARGEST_EPSILON or epsilon.denominator > FINEST_EPSILON:
        raise click.BadParameter(f"above 0, {disclosure.LARGEST_EPSILON} at most, in thousandths.")
    return epsilon


FINEST_EPSILON = 1000


@release.command(epilog=release_rehearsal.help_in_words())
@click.argument("microdata", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write into.")
@click.option("--raw", is_flag=True, help="Write the noisy counts alone, before anything is done to them.")
@click.option("--tier", type=click.IntRange(disclosure.TOTAL_ONLY, max(disclosure.TIERS)), default=2, show_default=True,
              help="Which set of tables; -1 is the total alone.")  # fmt: skip
@click.option(
    "--epsilon",
    default="1",
    show_default=True,
    callback=_a_share,
    help="The budget of a report: above 0, 2 at most. Less is more noise.",
)
@click.option(
    "--repeat",
    type=click.IntRange(1),
    help="So many releases, each with noise of its own, into OUT/000000, OUT/000001, ...",
)
@click.option("--departments", is_flag=True, help="All departments instead of the four regions and the rest.")
@click.option(
    "--also", multiple=True, type=click.Choice(disclosure.FURTHER), help="One more table; more noise for all."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def rehearse(microdata: Path, out: Path, raw: bool, tier: int, epsilon: Fraction, repeat: int | None,
             departments: bool, also: tuple[str, ...], as_json: bool) -> None:  # fmt: skip
    """Make a release out of invented reports: the very code, over MICRODATA, a CSV with one line for each report.

    Each run draws new noise from the operating system; there is no seed. One bad line and nothing is written; problems
    are told by line. Everything written is marked as fictional. To test whether one report shows: rehearse the file
    with and without its line, with --raw and --repeat, and compare. The files have the same names.
    """
    made = disclosure.design(tier, tuple(dict.fromkeys(also)), departments=departments)
    try:
        blocks = release_rehearsal.read_microdata(_text_of(microdata))
    except release_rehearsal.BadMicrodata as problem:
        raise click.ClickException(str(problem)) from None
    began, rehearsal = time.monotonic(), release_rehearsal.Rehearsal(made, epsilon, disclosure.count(made, blocks), raw)
    done = 0
    for done in release_rehearsal.write(rehearsal, out, repeat or 0, disclosure.laplace(secrets.randbelow)):
        if done % 250 == 0:
            click.echo(f"{done} of {repeat}", err=True)
    told = {"releases": done, "reports": len(blocks), "sensitivity": made.sensitivity,
            "scale": str(made.scale(epsilon)), "seconds": round(time.monotonic() - began, 2)}  # fmt: skip
    click.echo(json.dumps(told) if as_json else f"{done} written into {out}.")


# ── measures ────────────────────────────────────────────────────────────────────────────────────────────────


@main.group()
def bench() -> None:
    """Measure: each figure as JSON, ratios within one run."""


_workers = click.option("--workers", default=2, show_default=True, help="Processes of the server.")
_at_once = click.option("--at-once", multiple=True, type=int, default=(8, 32), show_default=True, help="At once.")
_seconds = click.option("--seconds", default=5.0, show_default=True, help="Length of a run.")
_runs = click.option("--runs", default=5, show_default=True, help="Runs; the figures are medians.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print as JSON (it always is).")


@bench.command("submit")
@_workers
@_at_once
@_seconds
@_runs
@_as_json
def bench_submit(workers: int, at_once: tuple[int, ...], seconds: float, runs: int, as_json: bool) -> None:  # noqa: ARG001 -- see its help
    """Whole trips, from the first page to the receipt, against a server of our own; and their ratio to the floor."""
    click.echo(json.dumps(measuring.submit(workers, at_once, seconds, runs, _progress), indent=1))


@bench.command("limit")
@_workers
@_at_once
@_seconds
@_runs
@_as_json
def bench_limit(workers: int, at_once: tuple[int, ...], seconds: float, runs: int, as_json: bool) -> None:  # noqa: ARG001 -- see its help
    """The floor: the same bytes with only the cryptography, one durable commit and a bare answer."""
    click.echo(json.dumps(measuring.limit(workers, at_once, seconds, runs, _progress), indent=1))


@bench.command("queue")
@click.option("--cases", default=10_000, show_default=True, help="Open cases.")
@click.option("--unopened", default=1_000, show_default=True, help="How many of them nobody has seen yet.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bench_queue(cases: int, unopened: int, as_json: bool) -> None:
    """How long signing in and the queue take with very many cases, in a throw-away installation."""
    with _throw_away("bench") as (settings, engine):
        told = asdict(queue_bench.measure(settings, engine, cases, unopened, lambda line: click.echo(line, err=True)))
    click.echo(json.dumps(told) if as_json else "\n".join(f"{name:14} {value}" for name, value in told.items()))


@bench.command("match")
@click.option("--services", default=100_000, show_default=True, help="Invented services.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bench_match(services: int, as_json: bool) -> None:
    """How long a match takes among very many services, over twenty countries and all in one; and their import."""
    with tempfile.TemporaryDirectory(prefix="amparo-match-") as folder:
        told = match_bench.measure(
            services, lambda name: f"sqlite:///{folder}/{name}.db", lambda line: click.echo(line, err=True)
        )
    click.echo(json.dumps(told) if as_json else "\n".join(f"{name:22} {value}" for name, value in told.items()))


@contextmanager
def _throw_away(purpose: str) -> Iterator[tuple[Settings, Engine]]:
    """An empty installation in a folder that goes away again."""
    with tempfile.TemporaryDirectory(prefix=f"amparo-{purpose}-", ignore_cleanup_errors=True) as folder:
        make_secrets(Path(folder), os.urandom(2 * SECRET))
        settings = read_settings({"AMPARO_INSTANCE": folder})
        engine = open_database(settings.database_url)
        upgrade_tables(engine)
        try:
            yield settings, engine
        finally:
            engine.dispose()


@bench.command("floor", hidden=True)
@_workers
@click.option("--port", type=int, required=True)
@click.option("--sizes", required=True)
def bench_floor(workers: int, port: int, sizes: str) -> None:
    """Serve the floor; `bench limit` starts it."""
    measuring.serve_floor(_settings(), port, workers, json.loads(sizes))


@bench.command("release")
@click.option("--reports", type=click.IntRange(1_000), default=1_000_000, show_default=True, help="Invented tallies.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bench_release(reports: int, as_json: bool) -> None:
    """What a release costs: opening 10,000 sealed tallies, and from opened ones to finished files."""
    told = release_bench.measure(reports, time.perf_counter)
    click.echo(json.dumps(told) if as_json else "\n".join(f"{name:22} {value}" for name, value in told.items()))
