"""A command for practice: it makes and serves a throw-away installation, to look at or for a team to practise on.

Never touches the real installation.
"""

from __future__ import annotations

import contextvars
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from reporting.app import create_app
from reporting.cli.base import EVERYWHERE, PORT, drop_everything, its_database, main, refuse_unless_empty
from reporting.cli.language import Refusal, echo
from reporting.clock import HOUR, MINUTE
from reporting.config import SECRET, Settings, make_secrets, read_settings
from reporting.i18n import T_, said
from reporting.operations import demo as invented
from reporting.operations import practice as practising
from reporting.operations import server
from reporting.operations.how_it_went import how_it_went
from reporting.operations.practice import Practice, PracticeClock
from reporting.operations.practice_pages import application
from reporting.storage.database import open_database, reading, upgrade_tables
from reporting.teams import members

MOVED = re.compile(r"\+\s*(\d{1,3})\s*([mh])")  # as somebody types it: +10m, +2h
UNITS = {"m": MINUTE, "h": HOUR}
NOT_UNDERSTOOD = T_("Press Enter for the next case, or type +10m, +2h, d for the digits, h for how it went.")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets a classroom in.")
@click.option("--port", default=PORT, show_default=True, help="Port to listen on.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Keep the demo here instead of a folder that is thrown away.",
)
@click.option("--practice", is_flag=True, help="Six cases come in twenty minutes, on a clock that can be moved.")
@its_database
@click.option("--counts", default="", metavar="URL", help="Where its requests are counted. [default: in memory]")
@click.option("--json", "as_json", is_flag=True, help="Print the accounts as JSON.")
@click.option("--no-serve", is_flag=True, help="Make it and stop.")
def demo(
    *,
    host: str,
    port: int,
    folder: Path | None,
    practice: bool,
    database: str,
    counts: str,
    as_json: bool,
    no_serve: bool,
) -> None:
    """Make and serve a throw-away installation with people, fictional reports and the Peruvian directory.

    Every page says that it is practice. Nothing of it reaches anybody. DATABASE_URL and RATELIMIT_STORAGE_URI are those
    of a real installation, so they are not read here: --database and --counts name others.

    With --practice a team is alone with an empty queue. Six cases come by themselves, and at the end it says what
    waited too long. While it runs, this can be typed here, with Enter after it:

    \b
      (Enter alone)  the next case comes now
      +10m  +2h      so much time passes
      d              the six digits of each person, by the clock of practice
      h              how it went so far
    """  # noqa: D301 -- click's mark of lines that stay lines
    with tempfile.TemporaryDirectory(prefix="amparo-demo-", ignore_cleanup_errors=True) as temporary:
        named = {"DATABASE_URL": database, "RATELIMIT_STORAGE_URI": counts}
        elsewhere = {setting: address for setting, address in named.items() if address}
        settings, engine = _empty(folder or Path(temporary), host, port, elsewhere)
        say: Callable[[str], object] = (lambda _text: None) if as_json else echo
        try:
            running = practising.begin(settings, engine, PracticeClock(), say) if practice else None
            if running is not None:
                summary = invented.addresses(settings) | {"accounts": running.accounts, "practice": _page_of(settings)}
            else:
                summary = invented.seed_demo(settings, engine, time.time(), say)
            _tell(summary | {"classroom": host == EVERYWHERE}, as_json=as_json)
            if not no_serve:
                _serve(settings, host, port, running)
        finally:
            if database and folder is None:
                drop_everything(settings, engine)


def _empty(instance: Path, host: str, port: int, elsewhere: Mapping[str, str]) -> tuple[Settings, Engine]:
    """An empty installation in this folder, and in the database that is named `elsewhere`.

    Raises `ClickException` where somebody is there already.
    """
    make_secrets(instance, os.urandom(2 * SECRET))
    settings = read_settings(
        {
            "AMPARO_INSTANCE": str(instance.resolve()),
            "MEMORY_FOLDER": str(instance.resolve()),  # so that all of it goes with the folder
            "PRACTICE": "1",
            "BASE_URL": f"http://{_shown(host)}:{port}",
            "TEAM_NAME": "Equipo de práctica",
            "LANGUAGES": os.environ.get("LANGUAGES", "es,en"),
            **elsewhere,
        }
    )
    engine = open_database(settings.database_url, settings.time_zone)
    if "DATABASE_URL" in elsewhere:
        refuse_unless_empty(engine)
    upgrade_tables(engine)
    with reading(engine) as db:
        if members.accounts(db):
            raise Refusal("%(instance)s holds people already: give --folder an empty folder.", instance=instance)
    return settings, engine


def _shown(host: str) -> str:
    return "127.0.0.1" if host == EVERYWHERE else host


def _page_of(settings: Settings) -> str:
    return f"{settings.base_url}/{settings.languages[0]}/practica"


def _tell(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo(json.dumps(summary, ensure_ascii=False, indent=1))
    else:
        echo(*invented.in_words(summary))


ENDS = ("SIGTERM", "SIGHUP")  # whoever closes the window, or ends it from elsewhere, throws it away too


def _serve(settings: Settings, host: str, port: int, running: Practice | None) -> None:
    for name in ENDS:
        if hasattr(signal, name):  # Windows has one of them
            signal.signal(getattr(signal, name), signal.default_int_handler)
    if running is None:
        server.serve(create_app, settings, host, port)
        return
    beside: tuple[Callable[[Practice], None], ...] = (_says_what_comes, _listens)
    for work in beside:
        threading.Thread(target=contextvars.copy_context().run, args=(work, running), daemon=True).start()
    try:
        server.serve(partial(application, practice=running), settings, host, port)
    finally:
        echo(T_("\nHow it went"), *how_it_went(running).in_words())


def _says_what_comes(running: Practice) -> None:
    """Until the command ends: what comes, as it comes, whoever moved the clock."""
    shown = 0
    while True:
        time.sleep(1)
        running.bring()
        count = len(running.came)
        if count > shown:
            everything = count + len(running.waiting)
            echo("%(time)s  %(count)s of %(all)s cases have come.", time=running.time, count=count, all=everything)
        shown = count


def _listens(running: Practice) -> None:
    """Until the command ends, or nothing more is typed: whoever leads the practice."""
    for line in sys.stdin:
        echo(*answers(running, line))


def answers(running: Practice, typed: str) -> Iterator[str]:
    """What is done and said for a line that was typed."""
    word = typed.strip().lower()
    moved = MOVED.fullmatch(word)
    if word == "d":
        yield from (f"  {name}  {digits}" for name, digits in running.digits())
    elif word == "h":
        yield from how_it_went(running).in_words()
    elif word and moved is None:
        yield NOT_UNDERSTOOD
    else:
        if moved is None:
            running.bring_next()
        else:
            running.clock.on(int(moved[1]) * UNITS[moved[2]])
        yield said("The clock of practice says %(time)s.", time=running.time)
