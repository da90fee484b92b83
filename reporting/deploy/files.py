"""The files themselves: templates that lie beside this module, filled in for one installation.

A template is the file as its program wants it; what changes from one installation to the next stands in `<< >>`.
Knows no rule of its own: what can stand in a file is decided in `deployment`.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reporting.deploy.deployment import CannotDeploy, Deployment, needs_a_front, needs_senders
from reporting.i18n import T_, said
from reporting.operations.apart.lobby import SHARE
from reporting.operations.server import HEAD_WITHIN, IDLE, LARGEST_HEAD, LARGEST_READ, LEAST_RATE
from reporting.web.limits import LARGEST_BODY
from reporting.web.requests import HEADERS, HSTS

Page = tuple[str, list[tuple[str, str]], bytes]  # status, headers, body
SECRET_SETTINGS = {"DATABASE_URL", "RATELIMIT_STORAGE_URI", "SMTP_URL"}  # may hold a password
UNITS = (
    "amparo.service",
    "amparo-sweep.service",
    "amparo-sweep.timer",
    "amparo-backup.service",
    "amparo-backup.timer",
)
# what the server in front answers by itself -> the status of our page that says it
ALONE = {"not_understood": 400, "too_much": 413, "many": 429, "failed": 500}
CANNOT_STAND = re.compile(rb"[\\$'`{}]")  # in a text of nginx or of Caddy these mean something


def nginx(deployment: Deployment, short_page: Callable[[int], Page]) -> dict[str, str]:
    """The whole configuration. Raises `CannotDeploy` without https, or where everybody would be one sender."""
    needs_a_front(deployment)
    onions = [site for site in deployment.sites if site.onion]
    has_ipv6 = socket.has_dualstack_ipv6()
    front = _front(short_page)
    return {"nginx.conf": _filled("nginx.conf.in", deployment, onions=onions, has_ipv6=has_ipv6, share=SHARE, **front)}


def caddy(deployment: Deployment, short_page: Callable[[int], Page]) -> dict[str, str]:
    """The whole Caddyfile. Raises `CannotDeploy` without https, or where everybody would be one sender."""
    needs_a_front(deployment)
    within = HEAD_WITHIN + LARGEST_BODY // LEAST_RATE  # seconds for the longest body at the least rate
    head = {"largest_head": LARGEST_HEAD, "body_within": within}
    return {"Caddyfile": _filled("Caddyfile.in", deployment, **head, **_front(short_page))}


def tor(deployment: Deployment) -> dict[str, str]:
    """The onions: one for each kind of page that has a name of its own. Raises `CannotDeploy` without senders."""
    needs_senders(deployment)
    settings = deployment.settings
    apart = (
        ("amparo-staff", "STAFF_HOST", settings.staff_hosts),
        ("amparo-figures", "FIGURES_HOST", settings.figures_hosts),
    )
    first = "BASE_URL" if settings.base_url.endswith(".onion") or not deployment.sites else "ONION_HOST"
    onions = [("amparo-reporters", first), *((folder, name) for folder, name, hosts in apart if hosts)]
    return {"torrc": _filled("torrc.in", deployment, onions=onions, share=SHARE)}


def container(deployment: Deployment) -> dict[str, str]:
    """How the container is built and run, and the settings in it."""
    settings = deployment.settings
    has_others = settings.database_url.startswith("postgresql") or settings.limits_url.startswith("redis")
    parts = {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "lock": "requirements-hosts.txt" if has_others else "requirements.txt",
    }
    given = {**deployment.given, "AMPARO_INSTANCE": "/srv/amparo"}
    files = {name: _filled(f"{name}.in", deployment, **parts) for name in ("Containerfile", "compose.yaml")}
    return files | {"amparo.env": environment(deployment, given)}


def _front(short_page: Callable[[int], Page]) -> dict[str, Any]:
    """What both servers in front are told alike."""
    return {
        "pages": {name: _page(short_page(code)) for name, code in ALONE.items()},
        "headers": HEADERS | {"Strict-Transport-Security": HSTS},
        "head_within": HEAD_WITHIN,
        "idle": IDLE,
        "largest": LARGEST_READ,
    }


def systemd(deployment: Deployment) -> dict[str, str]:
    """The units of the service, of the nightly sweep and of the nightly backup, and the settings that they read."""
    names = (
        "amparo.service",
        "amparo-sweep.service",
        "amparo-sweep.timer",
        "amparo-backup.service",
        "amparo-backup.timer",
    )
    return {name: _filled(f"{name}.in", deployment) for name in names} | {"amparo.env": environment(deployment)}


def command(deployment: Deployment) -> str:
    """The command `amparo` for the whole machine: it reads the settings and becomes who keeps the installation."""
    return _filled("amparo.sh.in", deployment)


def environment(deployment: Deployment, given: Mapping[str, str] | None = None) -> str:
    """The settings as the system's units, or a container, read them; each as it was set."""
    chosen = deployment.given if given is None else given
    return _filled("amparo.env.in", deployment, given={name: _quoted(value) for name, value in chosen.items()})


def without_secrets(text: str, say: Callable[..., str]) -> str:
    """A file of settings for the screen: what may hold a password is left out, and said to be."""
    left_out = T_("%(setting)s may hold a password: it is written with --to, and not shown")
    lines = text.splitlines(keepends=True)
    return "".join(
        f"# {say(left_out, setting=line.partition('=')[0])}\n" if line.partition("=")[0] in SECRET_SETTINGS else line
        for line in lines
    )


def _filled(name: str, deployment: Deployment, **parts: Any) -> str:
    return _templates().get_template(name).render(at=deployment, options=deployment.options, **parts)


def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 -- no page: what can stand in these files was looked at before
    )


def _page(page: Page) -> Mapping[str, Any]:
    status, _, body = page
    if CANNOT_STAND.search(body):
        raise CannotDeploy(
            said("SITE_NAME or a text holds a sign that nginx or Caddy reads as its own, such as $ or {.")
        )
    return {"code": status.split()[0], "text": " ".join(body.decode().split())}


def _quoted(value: str) -> str:
    """As systemd reads a value: between double quotes, with what means something there marked."""
    return '"' + re.sub(r'([\\"$`])', r"\\\1", value) + '"'
