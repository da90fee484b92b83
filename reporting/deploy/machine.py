"""Files and services of one machine: what `amparo setup` writes, where, and which commands make it run.

Under a root folder that is not `/` everything is written there and nothing is started: an image, or a folder from
which root copies. Asks nobody; the terminal asks before it lets anything be written outside the instance folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import Flask

from reporting.deploy import files
from reporting.deploy.deployment import Deployment
from reporting.errors import AmparoError
from reporting.i18n import N_, said
from reporting.web.errors import short_page

ETC, COMMAND, UNITS = "etc/amparo/amparo.env", "usr/local/bin/amparo", "etc/systemd/system"
FRONTS = {"nginx": "etc/nginx/nginx.conf", "caddy": "etc/caddy/Caddyfile"}
OURS = "amparo deploy"  # stands in the first lines of every server file that we printed
BEFORE = ".before-amparo"  # what the distribution had there
MODES = {ETC: 0o600, COMMAND: 0o755}  # all else is for everybody to read
TIMERS = ("amparo.service", "amparo-sweep.timer", "amparo-backup.timer")
SYSTEMD = Path("/run/systemd/system")  # is there while systemd runs the machine


class CannotSetUp(AmparoError):
    """A command of the machine failed. The message says which, and what it said."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where files go, and whether this is the machine itself or a folder for one."""

    root: Path
    starts: bool = True  # whether services may be started here

    @property
    def is_here(self) -> bool:
        """Whether the files go to their places on the machine that this runs on, as root."""
        return self.root == Path("/") and hasattr(os, "geteuid") and os.geteuid() == 0

    @property
    def has_systemd(self) -> bool:
        """Whether units can be started."""
        return self.is_here and self.starts and SYSTEMD.is_dir()

    def file(self, place: str) -> Path:
        """Where a file of the machine lies, below the root folder."""
        return self.root / place


def front_here(root: Path) -> str:
    """Which server in front is installed; nginx before Caddy, empty for none."""
    there = (kind for kind in FRONTS if shutil.which(kind, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"))
    return next(there, "") if root == Path("/") else next(there, "nginx")


def planned(deployment: Deployment, front: str, app: Callable[[], Flask]) -> dict[str, str]:
    """Every file, by its place below the root folder. Raises `CannotDeploy` where one cannot be right."""
    units = dict(files.systemd(deployment))
    texts = {ETC: units.pop("amparo.env"), COMMAND: files.command(deployment)}
    texts |= {f"{UNITS}/{name}": text for name, text in units.items()}
    if front:
        printed = getattr(files, front)(deployment, partial(short_page, app()))
        texts[FRONTS[front]] = next(iter(printed.values()))
    return texts


def changed(machine: Machine, texts: Mapping[str, str]) -> tuple[str, ...]:
    """The places where something else lies than what is planned, or nothing."""
    return tuple(place for place, text in texts.items() if _read(machine.file(place)) != text)


def write(machine: Machine, texts: Mapping[str, str]) -> None:
    """Put the files there, each whole; what the distribution had in the place of a server's file is kept beside it."""
    for place in changed(machine, texts):
        path = machine.file(place)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        if place in FRONTS.values() and path.exists() and OURS not in _read(path)[:600]:
            path.replace(path.with_name(path.name + BEFORE))
        fresh = path.with_name(f".{path.name}.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(texts[place])
        fresh.chmod(MODES.get(place, 0o644))
        fresh.replace(path)
    for folder in {machine.file(place).parent for place in texts if MODES.get(place) != MODES[ETC]}:
        _open_up(machine.root, folder)


def hand_over(machine: Machine, deployment: Deployment) -> None:
    """The folder and its backups belong to who runs the program; who is made where there is nobody of the name."""
    backups = (
        Path(deployment.options.backups) if machine.is_here else machine.file(deployment.options.backups.lstrip("/"))
    )
    backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not machine.is_here:
        return
    if not _succeeds("id", deployment.user):
        home = str(deployment.settings.instance)
        _run(
            "useradd",
            "--system",
            "--home-dir",
            home,
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            deployment.user,
        )
    for folder in (deployment.settings.instance, backups):
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, deployment.user)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done, or could not be. `words`: a message id, `parts` are filled in."""

    words: str
    parts: Mapping[str, str]
    is_done: bool = True


NO_CERTIFICATE = N_("There is no certificate yet at %(file)s. Fetch one (certbot), then: amparo setup")
BAD_FRONT = N_("%(front)s does not take its file: %(why)s")
NOT_HERE = N_("The files lie under %(root)s. As root, on the machine: cp -r %(root)s/. /")
NO_SYSTEMD = N_("There is no systemd here, so no service and no timer was started. By hand: amparo serve")
STARTED = N_("The service, the nightly sweep and the nightly backup are started.")
FRONT_STARTED = N_("%(front)s is started with its new file.")


def start(machine: Machine) -> list[Step]:
    """The service and its timers, where systemd runs; else what is to be done by hand."""
    if not machine.is_here:
        return [Step(NOT_HERE, {"root": str(machine.root)}, is_done=False)]
    if not machine.has_systemd:
        return [Step(NO_SYSTEMD, {}, is_done=False)]
    _run("systemctl", "daemon-reload")
    _run("systemctl", "enable", *TIMERS)
    _run("systemctl", "restart", *TIMERS)
    return [Step(STARTED, {})]


def pause(machine: Machine) -> None:
    """Stop the service for the minute of a trial; `start` starts it again."""
    if machine.has_systemd:
        _succeeds("systemctl", "stop", TIMERS[0])


def start_front(machine: Machine, deployment: Deployment, front: str) -> list[Step]:
    """The server in front, once it takes its file; it is told to read it anew where it runs."""
    if not front or not machine.is_here:
        return []
    if front == "nginx" and not Path(deployment.certificate).exists():
        return [Step(NO_CERTIFICATE, {"file": deployment.certificate}, is_done=False)]
    try:
        _run(*_CHECKS[front])
        if machine.has_systemd:
            _run("systemctl", "reload-or-restart", front)
        elif front == "nginx" and not _succeeds("nginx", "-s", "reload"):
            _begin("nginx")
        elif front == "caddy" and not _succeeds("caddy", "reload", "--config", "/etc/caddy/Caddyfile"):
            _begin("caddy", "start", "--config", "/etc/caddy/Caddyfile")
    except CannotSetUp as why:
        return [Step(BAD_FRONT, {"front": front, "why": str(why)}, is_done=False)]
    return [Step(FRONT_STARTED, {"front": front})]


_CHECKS = {"nginx": ("nginx", "-t", "-q"), "caddy": ("caddy", "validate", "--config", "/etc/caddy/Caddyfile")}


def _run(*command: str) -> None:
    done = _ask(*command)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise CannotSetUp(f"{' '.join(command)}: {said[-1] if said else done.returncode}")


def _begin(*command: str) -> None:
    """A program that stays: it would hold the line on which we wait for its last word."""
    nowhere = subprocess.DEVNULL
    done = subprocess.run(_found(command), stdout=nowhere, stderr=nowhere, check=False)  # noqa: S603 -- a table's
    if done.returncode:
        raise CannotSetUp(said("%(program)s does not start: is another program at its port?", program=command[0]))


def _succeeds(*command: str) -> bool:
    return not _ask(*command).returncode


def _ask(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_found(command), capture_output=True, text=True, check=False)  # noqa: S603 -- a table's


def _found(command: Sequence[str]) -> list[str]:
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        raise CannotSetUp(said("there is no program %(program)s", program=command[0]))
    return [program, *command[1:]]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _open_up(root: Path, folder: Path) -> None:
    """Folders that we made are for everybody to enter, whatever the mask; those of the machine are left alone."""
    while folder != root and root in folder.parents:
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o005:
            folder.chmod(0o755)
        folder = folder.parent
