"""A trial after `amparo setup`: a report, an answer and a backup, through the server in front that was just set up.

They are those of a throw-away installation, served for a minute at the port that the server in front hands on to, and
marked as practice: its case worker has a password that we know, and nothing of it stays. So the way is tried before
anybody is served, and no member's password is needed.
"""

from __future__ import annotations

import html
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from reporting.config import SETTINGS, Settings
from reporting.deploy.deployment import Deployment
from reporting.deploy.through_trip import door_of
from reporting.i18n import N_, T_
from reporting.operations import backups, leak_check
from reporting.operations.trial_phone import NoTrial, Phone
from reporting.storage.database import open_database
from reporting.teams import members

ANSWER = "PRUEBA: te leímos."
STEPS = {
    "told": N_("A report was told through %(address)s and taken."),
    "read": N_("The case worker of the trial signed in, read it and answered."),
    "answered": N_("The reporter came back with her code and read the answer."),
    "backed up": N_("A backup was taken and read back whole."),
}
Say = Callable[[str], None]


def run(deployment: Deployment, say: Say) -> tuple[str, ...]:
    """Which of STEPS held, in order; `say` is told each. Raises `NoTrial` at the first that does not."""
    with tempfile.TemporaryDirectory(prefix="amparo-trial-") as folder:
        root, done = Path(folder), list[str]()

        def note(step: str) -> None:
            done.append(step)
            say(step)

        (root / "memory").mkdir()
        environment = {name: value for name, value in deployment.given.items() if name in SETTINGS}
        environment |= {
            "AMPARO_INSTANCE": str(root / "instance"),
            "MEMORY_FOLDER": str(root / "memory"),
            "PRACTICE": "1",
        }
        for name in ("DATABASE_URL", "RATELIMIT_STORAGE_URI"):
            environment.pop(name, None)
        settings, member = leak_check.furnished(root / "instance", environment)
        around = {name: value for name, value in os.environ.items() if name not in SETTINGS} | environment
        port = deployment.options.port
        command = [sys.executable, "-m", "reporting", "serve", "--workers", "1", "--port", str(port)]
        with leak_check.serving(command, around, root / "log", port):
            _walk(deployment.settings, member, note)
        _backs_up(settings, root, note)
        return tuple(done)


def _walk(settings: Settings, member: leak_check.TrialMember, note: Say) -> None:
    """As a reporter and a case worker do, each by the name under which their pages are served."""
    door, desk_door = door_of(settings.base_url), door_of(settings.staff_url)
    phone = Phone(0, door.line)
    code = leak_check.tells(phone, "PRUEBA")
    note("told")
    _answers(Phone(0, desk_door.line), member)
    note("read")
    again = Phone(0, door.line)
    _comes_back(again, code)
    note("answered")


def _answers(desk: Phone, member: leak_check.TrialMember) -> None:
    code = members.totp_code(member.totp, time.time())
    queue = desk.asks("POST", "/es/equipo", name=leak_check.NAME, password=member.password, code=code)
    link = re.search(r'href="(/es/equipo/caso/[0-9]+)"', queue)
    if link is None:
        raise NoTrial(T_("the queue does not show the report."))
    case = desk.asks("GET", link[1])
    fields = [dict(re.findall(r'(\w+)="([^"]*)"', field)) for field in re.findall(r"<input[^>]*hidden[^>]*>", case)]
    typed = {
        field["name"]: html.unescape(field.get("value", ""))
        for field in fields
        if field.get("name") not in {None, "go"}
    }
    desk.asks("POST", link[1], **{**typed, "go": "letter", "text": ANSWER})


def _comes_back(phone: Phone, code: Sequence[str]) -> None:
    phone.asks("GET", "/es/volver")
    if ANSWER not in html.unescape(phone.asks("POST", "/es/volver", code=" ".join(code))):
        raise NoTrial(T_("the reporter does not see the answer."))


def _backs_up(settings: Settings, root: Path, note: Say) -> None:
    engine = open_database(settings.database_url, settings.time_zone)
    try:
        backups.back_up(engine, settings.instance, root / "backup", time.time(), lambda _text: None)
    finally:
        engine.dispose()
    note("backed up")
