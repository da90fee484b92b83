"""One machine as the printed files need it: addresses, folders, user. Read from the settings, and refused in words.

Whatever cannot stand in a file of another program, such as a blank in a path, is refused here and never escaped.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from reporting.config import HERE, IS_CHECKOUT, LOCAL_HOSTS, ROOT, SETTINGS, Settings
from reporting.errors import AmparoError
from reporting.i18n import T_, Sentence, said
from reporting.sessions import page_rows

PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./@+-]*")
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
HTTPS, HTTP = 443, 80
FRONT_USERS = ("www-data", "nginx", "http")  # Debian, Fedora, Arch
HOMES = ("home", "root", "run/user")  # what ProtectHome= hides


class CannotDeploy(AmparoError):
    """No file can be printed for this installation. The message says what to change."""


@dataclass(frozen=True, slots=True)
class Options:
    """What no setting says: it concerns the machine alone. Empty means worked out."""

    port: int = 8080
    user: str = ""
    front_user: str = ""
    certificate: str = ""
    key: str = ""
    run: str = "/run"
    plain_port: int = HTTP
    backups: str = "/var/backups/amparo"
    tor_folder: str = "/var/lib/tor"


@dataclass(frozen=True, slots=True)
class Site:
    """One name under which pages are served. `onion`: the same pages as an onion service, where there is one."""

    host: str
    port: int
    onion: str = ""

    @property
    def authority(self) -> str:
        """Name and port as they stand in an address."""
        return self.host if self.port == HTTPS else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """An installation on its machine. `given`: the settings as they were set, for the file that the units read."""

    settings: Settings
    options: Options
    given: Mapping[str, str] = field(repr=False)

    @property
    def sites(self) -> tuple[Site, ...]:
        """Under which names pages are served by https: reporters first."""
        url = urlsplit(self.settings.base_url)
        port = url.port or HTTPS
        names = [(url.hostname or "", self.settings.onion_host)]
        names += [_name_and_onion(hosts) for hosts in (self.settings.staff_hosts, self.settings.figures_hosts) if hosts]
        return tuple(Site(host, port, onion) for host, onion in names if host and not host.endswith(".onion"))

    @property
    def user(self) -> str:
        """Who runs the program: the owner of the instance folder, never root."""
        owner = self.options.user or self.settings.instance.owner()
        return "amparo" if owner == "root" and not self.options.user else owner

    @property
    def front_user(self) -> str:
        """Who runs the server in front."""
        return self.options.front_user or next(filter(_is_user, FRONT_USERS), getpass.getuser())

    @property
    def certificate(self) -> str:
        """The chain of certificates; where Let's Encrypt's programs put it, unless something else was said."""
        return self.options.certificate or f"/etc/letsencrypt/live/{self.sites[0].host}/fullchain.pem"

    @property
    def key(self) -> str:
        """The key of the certificate."""
        return self.options.key or f"/etc/letsencrypt/live/{self.sites[0].host}/privkey.pem"

    @property
    def memory(self) -> Path:
        """A folder in memory."""
        return page_rows.in_memory(self.settings)

    @property
    def code(self) -> Path:
        """The folder from which `python -m reporting` finds the program."""
        return ROOT if IS_CHECKOUT else HERE.parent

    @property
    def program(self) -> str:
        """The command `amparo`, as the system's units start it."""
        return f"{sys.executable} -m reporting"

    @property
    def writable(self) -> tuple[str, ...]:
        """Folders in which the program writes."""
        folders = [self.settings.instance, *([self.memory] if self.settings.memory_folder else [])]
        return tuple(str(folder.resolve()) for folder in folders)

    @property
    def homes(self) -> str:
        """How the homes of people are hidden: wholly, unless the program or its folder lies in one."""
        python = (sys.executable, str(Path(sys.executable).resolve()))  # and where its environment has it from
        used = [str(self.settings.instance.resolve()), str(self.code), *python, *self.writable]
        inside = any(path.startswith(f"/{home}/") for path in used for home in HOMES)
        return "read-only" if inside else "yes"

    @property
    def is_alone(self) -> bool:
        """Whether database and counter lie on this machine, so that the program speaks to nobody else."""
        addresses = [make_url(self.settings.database_url).host, urlsplit(self.settings.limits_url).hostname]
        return all(host in LOCAL_HOSTS or (host or "").startswith("/") for host in addresses if host)

    @property
    def speaks_by_file(self) -> bool:
        """Whether the database is a file and requests are counted in memory."""
        settings = self.settings
        return settings.database_url.startswith("sqlite") and settings.limits_url.startswith("memory:")


def of(settings: Settings, given: Mapping[str, str], options: Options) -> Deployment:
    """The installation on its machine. Raises `CannotDeploy` for what cannot stand in a printed file."""
    deployment = Deployment(settings, options, _as_set(settings, given))
    paths = {
        "AMPARO_INSTANCE": str(settings.instance.resolve()),
        "MEMORY_FOLDER": str(deployment.memory),
        "--certificate": options.certificate or "/",
        "--key": options.key or "/",
        "--run": options.run,
        "--backups": options.backups,
        "--tor-folder": options.tor_folder,
        T_("The folder of the program"): str(deployment.code),
        "Python": sys.executable,
    }
    for name, path in paths.items():
        if not PLAIN_PATH.fullmatch(path):
            raise CannotDeploy(
                said(
                    "%(name)s is %(path)s: only a whole path of letters, digits and ._@+- can be printed.",
                    name=Sentence(name),
                    path=path,
                )
            )
    for name in (deployment.user, deployment.front_user):
        if not PLAIN_NAME.fullmatch(name):
            raise CannotDeploy(said("%(name)s is no name of a user on this machine.", name=name))
    return deployment


def needs_a_front(deployment: Deployment) -> None:
    """Raise `CannotDeploy` where a server in front cannot be given what to do, or would make everybody one sender."""
    url = urlsplit(deployment.settings.base_url)
    if url.scheme != "https" or not deployment.sites:
        raise CannotDeploy(
            said(
                "A server in front needs an https address: set BASE_URL=https://... (an onion alone needs none: "
                "`amparo deploy tor`)."
            )
        )
    needs_senders(deployment)


def needs_senders(deployment: Deployment) -> None:
    """Raise `CannotDeploy` where whoever hands requests on is not trusted to say who sends."""
    if deployment.settings.trusted_proxy != "127.0.0.1":
        raise CannotDeploy(
            said(
                "Set TRUSTED_PROXY=127.0.0.1: otherwise everybody behind nginx, Caddy or tor counts as one "
                "sender, and one flood shuts the door for all."
            )
        )


def _as_set(settings: Settings, given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: given[name].strip() for name in SETTINGS if given.get(name, "").strip()}
    for name, value in kept.items():
        if not value.isprintable():
            raise CannotDeploy(said("%(name)s holds a sign that cannot be printed.", name=name))
    return kept | {"AMPARO_INSTANCE": str(settings.instance.resolve())}


def _name_and_onion(hosts: tuple[str, ...]) -> tuple[str, str]:
    """The first name of each kind; empty where there is none."""
    onions = [host for host in hosts if host.endswith(".onion")]
    names = [host for host in hosts if not host.endswith(".onion")]
    return next(iter(names), ""), next(iter(onions), "")


def _is_user(name: str) -> bool:
    if os.name == "nt":
        return False
    import pwd  # noqa: PLC0415 -- Windows has none

    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
