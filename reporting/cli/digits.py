"""A command for practice: the six digits of an authenticator app, where there is no phone.

Takes the secret that is typed and reads no installation.
"""

from __future__ import annotations

import time

import click

from reporting.cli.base import main
from reporting.teams import members


@main.command()
@click.argument("secret")
def code(secret: str) -> None:
    """Print the six digits that an authenticator app shows now for SECRET. For practice, where there is no phone."""
    try:
        click.echo(members.totp_code(members.totp_bytes(secret), time.time()))
    except ValueError:
        raise click.ClickException("That is no secret of an authenticator app: letters A-Z and digits 2-7.") from None
