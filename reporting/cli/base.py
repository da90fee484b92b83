"""The command `amparo` itself, and what its groups share: settings, progress, errors in a sentence.

Holds no command of its own. Everything long says how far it is; everything that prints has --json.
"""

from __future__ import annotations

import importlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from referrals.casework.signed_directory import who_signs
from referrals.directory import snapshot
from reporting.cli.language import Main, Refusal, echo, refusal, translated
from reporting.config import SECRET, BadSettings, Settings, make_secrets, read_settings
from reporting.i18n import N_, T_, Sentence, said
from reporting.sessions.page_rows import open_rows
from reporting.storage.database import destroy, open_database, upgrade_tables
from reporting.teams import accounts, members, team_log
from reporting.teams.accounts import Invitation
from reporting.teams.team_log import Pin

T = TypeVar("T")
PORT = 8080
NOBODY_ELSE = 0o077  # what is written from here on only the user who runs it may read
EVERYWHERE = "0.0.0.0"  # noqa: S104 -- only where --host asks for it, for a classroom
# command -> the module of this package that holds it, imported when it is asked for
COMMANDS = {
    "assess": "rules",
    "backup": "maintenance",
    "bench": "bench",
    "check": "install",
    "code": "people",
    "demo": "demo",
    "deploy": "deploy",
    "destroy": "maintenance",
    "directory": "directory",
    "init": "install",
    "keys": "people",
    "lock": "maintenance",
    "migration": "bench",
    "move": "whole",
    "notify": "maintenance",
    "places": "directory",
    "release": "figures",
    "restore": "maintenance",
    "serve": "install",
    "setup": "setup",
    "staff": "people",
    "sweep": "maintenance",
    "upgrade": "whole",
}


class _LazyGroup(Main):
    """Commands are imported one by one. Trouble with the database is told in a sentence, not in a trace."""

    def list_commands(self, context: click.Context) -> list[str]:  # noqa: ARG002 -- fixed by click
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            importlib.import_module(f"reporting.cli.{COMMANDS[name]}")
        return super().get_command(context, name)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SQLAlchemyError as trouble:
            why = str(getattr(trouble, "orig", None) or type(trouble).__name__).strip().splitlines()[0]
            words = next(words for mark, words in DATABASE_TROUBLE if mark in why)
            raise Refusal(words, why=why) from None


# what the database says -> what that means for whoever keeps it
DATABASE_TROUBLE = (
    (
        "no such table",
        T_("There are no tables yet (%(why)s). Run `amparo init`, or `amparo upgrade` after a new version."),
    ),
    ("does not exist", T_("Something is missing in the database (%(why)s). Run `amparo init`, or `amparo upgrade`.")),
    ("full", T_("The disk is full (%(why)s). Make room; nothing that was acknowledged is lost.")),
    (
        "readonly",
        T_("The database cannot be written (%(why)s). Look at who owns the instance folder and how it is mounted."),
    ),
    (
        "unable to open",
        T_("The database cannot be opened (%(why)s). Is the folder there, and may this user write in it?"),
    ),
    ("locked", T_("Somebody else holds the database (%(why)s). Wait a moment and try again.")),
    ("", T_("The database does not answer (%(why)s). Is it running, and is DATABASE_URL right?")),
)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Amparo: reports that only the people she chose can read, and the nearest right door for each need.

    \b
    Try it:      amparo demo
    Install it:  amparo setup
    """  # noqa: D301 -- click's mark of lines that stay lines is the sign itself
    os.umask(NOBODY_ELSE)


def a_name(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """A name that the sign-in page can take."""
    if not re.fullmatch(accounts.NAME, name):
        raise click.BadParameter(translated("small letters and digits, 2 to 40, without spaces."))
    return name


NO_LINES = T_(
    "\nWe ship no line of %(country)s. Until you bring in a national line of yours (type CRISIS_LINE or "
    "HEALTH_EMERGENCY)\nnobody can tell anything here: amparo directory import FILE"
)


def settings_here() -> Settings:
    """The settings of this installation. Raises `ClickException` with every problem in words."""
    try:
        return read_settings()
    except BadSettings as problem:
        raise refusal(problem) from None


def progress(text: str, **parts: object) -> None:
    """Print a line to standard error, so that what is printed as a result stays clean."""
    echo(translated(text, **parts), err=True)


def now_and_then(seconds: float = 2.0) -> Callable[[str, int, int], None]:
    """Says how far a long work is, every few seconds; nothing of a short one."""
    last = time.monotonic()

    def tell(what: str, done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            progress("%(said_what)s: %(done)s of %(of)s", said_what=what, done=done, of=of)

    return tell


def opened() -> tuple[Settings, Engine]:
    """Settings and engine of this installation. Raises `ClickException` for bad settings."""
    settings = settings_here()
    return settings, opened_for(settings)


def opened_for(settings: Settings) -> Engine:
    """The database, told in which country its directory lives."""
    engine = open_database(settings.database_url, settings.time_zone)
    snapshot.settle(engine, settings.country, settings.clock_of_services, who_signs(Pin(settings.pin_file)))
    return engine


def invitation(settings: Settings) -> str:
    """The address at which the code of an invitation is typed, in the first language of the installation."""
    return f"{settings.staff_url}/{settings.languages[0]}/equipo/invitacion"


def invitation_in_words(settings: Settings, token: str) -> Sentence:
    """The code, and where it is typed. Never both in one address: a browser and whoever logs would keep it."""
    words = T_("Code: %(code)s\nIt is typed at %(address)s and opens once, for seven days.")
    return said(words, code=token, address=invitation(settings))


INVITED = N_("Give each code to its person, by voice or on paper, and to nobody else. It opens once, for seven days.")
TYPED_AT = N_(
    "It is typed at %(address)s. There she is given a password, or chooses her own: nobody else ever knows it."
)


def invite_first(db: Session, settings: Settings, people: Mapping[str, str]) -> list[dict[str, str]]:
    """Codes for the first people, a name for each role, while nobody has an account: those of before open nothing then.

    Raises `Refusal` where two have one name.
    """
    if len(set(people.values())) < len(people):
        raise Refusal("Each of the first people needs a name of her own.")
    now, nobody = time.time(), members.nobody_yet(db)
    accounts.forget_invitations(db, nobody.member)
    return [
        {
            "for": name,
            "role": role,
            "code": accounts.invite(db, nobody, Invitation(name, (role,)), settings.pepper, now),
        }
        for role, name in people.items()
    ]


def tell_codes(rows: Sequence[Mapping[str, str]], address: str) -> None:
    """The codes of invitations, and what is done with them."""
    for row in rows:
        role = translated(team_log.ROLE_NAMES[row["role"]])
        echo(f"\n  {row['for']} ({role}):  {row['code']}")
    if rows:
        echo(translated(INVITED), translated(TYPED_AT, address=address))


def vouched_for(look: Callable[[], T]) -> T:
    """What `look` returns. Raises `ClickException` where there are no keys or the team log does not hold."""
    try:
        return look()
    except team_log.KeysNotMade:
        raise Refusal("No case worker has made the keys yet.") from None
    except team_log.BrokenChain:
        raise Refusal("The team log does not hold. Do not make new keys: run `amparo check`.") from None


def text_of(file: Path) -> str:
    """A file as spreadsheets write it: UTF-8, or the Windows code page of Latin America."""
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


its_database = click.option(
    "--database", default="", metavar="URL", help="An empty database for it, as DATABASE_URL has it. [default: SQLite]"
)


def refuse_unless_empty(engine: Engine) -> None:
    """Raises `ClickException` where there are tables in this database: they may be somebody's."""
    with engine.connect() as line:
        if inspect(line).get_table_names():
            raise Refusal("There are tables in this database. Name one that is empty.")


def drop_everything(settings: Settings, engine: Engine) -> None:
    """Every table of an installation goes, also those of pages that somebody walked through."""
    open_rows(settings, engine).destroy()
    destroy(engine)


@contextmanager
def throw_away(purpose: str, database: str = "") -> Iterator[tuple[Settings, Engine]]:
    """An empty installation in a folder that goes away again; so do its tables, where its database is another.

    Raises `ClickException` where there is something in that database already.
    """
    with tempfile.TemporaryDirectory(prefix=f"amparo-{purpose}-", ignore_cleanup_errors=True) as folder:
        make_secrets(Path(folder), os.urandom(2 * SECRET))
        settings = read_settings({"AMPARO_INSTANCE": folder, "DATABASE_URL": database})
        engine = open_database(settings.database_url, settings.time_zone)
        if database:
            refuse_unless_empty(engine)
        upgrade_tables(engine)
        try:
            yield settings, engine
        finally:
            if database:
                drop_everything(settings, engine)
            engine.dispose()
