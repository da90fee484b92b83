"""A command for practice: it makes and serves a throw-away installation.

Never touches the real installation.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

import click

from reporting.app import create_app
from reporting.cli.base import EVERYWHERE, PORT, main
from reporting.cli.language import Refusal, echo
from reporting.config import SECRET, make_secrets, read_settings
from reporting.operations import server
from reporting.operations.demo import in_words, seed_demo
from reporting.storage.database import open_database, reading, upgrade_tables
from reporting.teams import members


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
        settings = read_settings(
            {
                "AMPARO_INSTANCE": str(instance.resolve()),
                "MEMORY_FOLDER": str(instance.resolve()),  # so that all of it goes with the folder
                "PRACTICE": "1",
                "BASE_URL": f"http://{_shown(host)}:{port}",
                "TEAM_NAME": "Equipo de práctica",
                "LANGUAGES": os.environ.get("LANGUAGES", "es,en"),
            }
        )
        engine = open_database(settings.database_url, settings.time_zone)
        upgrade_tables(engine)
        with reading(engine) as db:
            if members.accounts(db):
                raise Refusal("%(instance)s holds people already: give --folder an empty folder.", instance=instance)
        say = (lambda _text: None) if as_json else echo
        summary = seed_demo(settings, engine, time.time(), say) | {"classroom": host == EVERYWHERE}
        echo(json.dumps(summary, ensure_ascii=False, indent=1) if as_json else in_words(summary))
        if not no_serve:
            server.serve(create_app, settings, host, port)


def _shown(host: str) -> str:
    return "127.0.0.1" if host == EVERYWHERE else host
