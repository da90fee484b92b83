"""Commands that print what stands around the pages on a machine. Nothing is put in place, and nothing is started.

Holds no rule: what can be printed is decided in `deploy`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from reporting.app import create_app
from reporting.cli.base import PORT, T, main, settings_here
from reporting.cli.language import echo, refusal, translated
from reporting.deploy import deployment, files
from reporting.deploy.deployment import CannotDeploy, Deployment, Options
from reporting.i18n import said
from reporting.web.errors import short_page

TO = click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Write into this folder instead.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
INNER_PORT = click.option("--port", default=PORT, show_default=True, help="Port that `amparo serve` listens on.")
USER = click.option("--user", default="", help="Who runs the program. [default: the owner of the instance folder]")
FRONT_USER = click.option("--front-user", default="", help="Who runs the server in front. [default: the system's]")
CERTIFICATE = click.option("--certificate", default="", help="[default: where Let's Encrypt's programs put it]")
KEY = click.option("--key", default="", help="The certificate's key. [default: beside it]")
RUN = click.option("--run", default=Options().run, show_default=True, help="Folder for the number of its process.")
PLAIN = click.option("--plain-port", default=Options().plain_port, show_default=True, help="Port of plain http.")
BACKUPS = click.option("--backups", default=Options().backups, show_default=True, help="Folder of the backups.")
TOR_FOLDER = click.option("--tor-folder", default=Options().tor_folder, show_default=True, help="Where tor keeps keys.")


@main.group("deploy")
def deploy() -> None:
    """Print complete files for this installation: the server in front, the system's units, an onion, a container.

    Each says in its first lines where it goes. Set the settings first, as `amparo serve` will have them: addresses,
    folders and the user are taken from them. Afterwards look from outside: amparo check --through https://...
    """


@deploy.command()
@INNER_PORT
@FRONT_USER
@CERTIFICATE
@KEY
@RUN
@PLAIN
@TO
@AS_JSON
def nginx(to: Path | None, *, as_json: bool, **options: Any) -> None:
    """The whole nginx.conf: https, one name each for reporters, staff and figures, and nothing kept about anybody."""
    here = _here(options)
    _print(_allowed(lambda: files.nginx(here, partial(short_page, create_app(here.settings)))), to, as_json=as_json)


@deploy.command()
@INNER_PORT
@CERTIFICATE
@KEY
@PLAIN
@TO
@AS_JSON
def caddy(to: Path | None, *, as_json: bool, **options: Any) -> None:
    """The whole Caddyfile: as nginx, with certificates that it fetches itself, and without a limit for one sender."""
    here = _here(options)
    _print(_allowed(lambda: files.caddy(here, partial(short_page, create_app(here.settings)))), to, as_json=as_json)


@deploy.command()
@INNER_PORT
@TOR_FOLDER
@TO
@AS_JSON
def tor(to: Path | None, *, as_json: bool, **options: Any) -> None:
    """Onion services, one for each of reporters, staff and figures, with proof of work and senders told apart."""
    here = _here(options)
    _print(_allowed(lambda: files.tor(here)), to, as_json=as_json)


@deploy.command()
@INNER_PORT
@BACKUPS
@TO
@AS_JSON
def container(to: Path | None, *, as_json: bool, **options: Any) -> None:
    """How a container is built and run: nothing in it can be written but the instance folder and the backups."""
    here = _here(options)
    _print(_allowed(lambda: files.container(here)), to, as_json=as_json)


@deploy.command()
@INNER_PORT
@USER
@BACKUPS
@TO
@AS_JSON
def systemd(to: Path | None, *, as_json: bool, **options: Any) -> None:
    """Hardened units: the service, and timers for the nightly sweep and backup; and the settings that they read."""
    here = _here(options)
    _print(_allowed(lambda: files.systemd(here)), to, as_json=as_json)


def _here(options: Mapping[str, Any]) -> Deployment:
    return _allowed(lambda: deployment.of(settings_here(), os.environ, Options(**options)))


def _allowed(make: Callable[[], T]) -> T:
    try:
        return make()
    except CannotDeploy as problem:
        raise refusal(problem) from None


def _print(texts: Mapping[str, str], to: Path | None, *, as_json: bool) -> None:
    """One file as it is; several each under its name. What may hold a password goes into a file and nowhere else."""
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (to / name).write_text(text, encoding="utf-8")
    say = said if as_json else translated
    shown = {name: files.without_secrets(text, say) if name.endswith(".env") else text for name, text in texts.items()}
    if as_json:
        echo(json.dumps({"folder": str(to) if to else None, "files": shown}, ensure_ascii=False))
    elif to is not None:
        echo(*(str(to / name) for name in texts))
    elif len(shown) == 1:
        echo(next(iter(shown.values())), nl=False)
    else:
        echo("\n".join(f"# ── {name} ──\n{text}" for name, text in shown.items()), nl=False)
