"""`amparo setup`: asks in plain words, does what can be done on this machine, and tries the whole way.

Makes invitations and never a password or a key. Each step can be done again: what is right already stays. The questions
stand in `deploy.answers`, the files and commands in `deploy.machine`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from referrals.directory.importing import shipped
from referrals.help.answers import has_lines
from reporting.app import create_app
from reporting.cli import deploy as printed
from reporting.cli.base import NO_LINES, invitation, invite_first, main, opened_for, progress, tell_codes
from reporting.cli.language import OFFERED, Refusal, agrees, ask, echo, speaking, spoken, translated
from reporting.config import SECRET, BadSettings, Settings, instance_folder, make_secrets, read_settings
from reporting.deploy import answers, deployment, machine, trial
from reporting.deploy.answers import COORDINATOR, FIRST_READER, QUESTIONS, Question
from reporting.deploy.deployment import CannotDeploy, Deployment, Options
from reporting.deploy.machine import CannotSetUp, Machine, Step
from reporting.i18n import N_
from reporting.operations.trial_phone import NoTrial
from reporting.operations.whole import packing
from reporting.storage.database import reading, upgrade_tables, version_of, writing
from reporting.teams import accounts, members, team_log

HOME = Path("/srv/amparo")  # the instance folder where root sets up a machine
ROLES = {COORDINATOR: team_log.COORDINATOR, FIRST_READER: team_log.CASE_WORKER}
OPTIONS = {part.name for part in fields(Options)}

WELCOME = N_(
    "This makes an installation on this machine. Each question has an answer that stands when you press Enter. Nothing "
    "outside %(instance)s is written before you have seen what. You can run this again at any time."
)
WRITE = N_("Write these files on this machine?")
NOT_WRITTEN = N_("Nothing was written outside the instance folder. Run amparo setup again when you like.")
SAME = N_("Every file on this machine is as it should be.")
WRITTEN = N_("%(count)s files are written.")
MADE = N_("The installation lies in %(instance)s.")
WAITING = N_(
    "Invitations were made before and still open. New codes, which end the old ones: amparo setup --new-invitations"
)
PEOPLE_HERE = N_("There are people here already: they invite the next ones, on the page «People».")
TRY = N_("Try the whole way now: a report, an answer and a backup, in a copy that is thrown away?")
NO_FRONT = N_("No server in front was set up, so the trial was not made.")
NOT_TRIED = N_("The trial did not get through, so do not invite anybody yet: %(why)s")
TRIED = N_("The whole way works.")
NEXT = (
    N_("What comes next:"),
    N_(
        "1. The first case worker types her code. Her browser makes the keys and shows two recovery sheets, once. "
        "Until then nobody can tell anything here."
    ),
    N_("2. The coordinator types hers, and invites the others. Two should read, so that one can be ill."),
    N_("3. Then look from outside, as people come: amparo check --through %(address)s"),
    N_("4. Once a week: amparo check"),
)


def _with_questions(command: Callable[..., None]) -> Callable[..., None]:
    for question in reversed(QUESTIONS):
        name = question.name.lower().replace("-", "_")
        command = click.option(question.option, name, help=f"[asked] {question.text}")(command)
    return command


@dataclass
class Done:
    """What a setup did, for the end of it."""

    files: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    invitations: list[dict[str, str]] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)


@main.command()
@_with_questions
@click.option("--instance", type=click.Path(file_okay=False, path_type=Path), help="Folder of the installation.")
@click.option("--root", type=click.Path(file_okay=False, path_type=Path), help="Write the machine's files below this.")
@click.option("--front", type=click.Choice([*machine.FRONTS, "none"]), help="[default: the one that is installed]")
@click.option("--language", type=click.Choice(OFFERED), help="To ask in. [default: that of the terminal]")
@click.option("--new-invitations", is_flag=True, help="Make new codes; those that nobody has used open nothing then.")
@click.option("--try/--no-try", "tries", default=None, help="Try the whole way at the end. [asked]")
@click.option("--start/--no-start", "starts", default=True, help="Start services. [default: yes, where systemd runs]")
@click.option("--yes", is_flag=True, help="Ask nothing: what no option says stays as it is.")
@printed.INNER_PORT
@printed.USER
@printed.FRONT_USER
@printed.CERTIFICATE
@printed.KEY
@printed.RUN
@printed.PLAIN
@printed.BACKUPS
@printed.AS_JSON
def setup(*, language: str | None, as_json: bool, **chosen: Any) -> None:
    """Ask what must be known, and set this machine up: folder, settings, services, server in front, timers, command.

    Makes two invitations and no password. Asks before it writes outside the instance folder. Run it again to change an
    answer, to fetch up what could not be done, or after a move; what is right already stays.

    Not as root, or with --root, the files are written into a folder, from which root copies them.
    """
    try:
        with speaking(language or spoken()) as said_in:
            _Setup(chosen, quiet=as_json).run(said_in)
    except (BadSettings, CannotDeploy, CannotSetUp) as problem:
        raise Refusal(str(problem)) from None


class _Setup:
    """One run, from the questions to what comes next."""

    def __init__(self, chosen: Mapping[str, Any], *, quiet: bool) -> None:
        self.chosen, self.quiet, self.done = chosen, quiet, Done()
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        self.instance = self._instance(is_root=is_root)
        root = chosen["root"] or (Path("/") if is_root else self.instance.parent / "machine")
        self.machine = Machine(root.resolve(), chosen["starts"])
        front = chosen["front"] or machine.front_here(self.machine.root)
        self.front = "" if front == "none" else front

    def run(self, language: str) -> None:
        self.speak(WELCOME, instance=str(self.instance))
        given = self.all_answers()
        settings = self.make_folder(given)
        here = deployment.of(
            settings, given, Options(**{name: self.chosen[name] for name in OPTIONS & self.chosen.keys()})
        )
        self.front = self.front if settings.secure else ""
        is_written = self.write(here)
        engine = opened_for(settings)
        self.invite(settings, engine, given)
        engine.dispose()
        if is_written:
            machine.hand_over(self.machine, here)
            self.front_first(here)
        self.end(settings, language)

    def _instance(self, *, is_root: bool) -> Path:
        set_before = os.environ.get("AMPARO_INSTANCE", "")
        otherwise = HOME if is_root and not self.chosen["root"] and not set_before else instance_folder(set_before)
        return Path(self.chosen["instance"] or otherwise).resolve()

    # ── the questions ──

    def all_answers(self) -> dict[str, str]:
        """The settings and the names of the first people."""
        before = self._before()
        given: dict[str, str] = {}
        for question in QUESTIONS:
            if question.matters(given):
                given[question.name] = self._answer(question, before)
        kept = {name: value for name, value in before.items() if name not in answers.BY_NAME}
        people = {name: given[name] for name in ROLES}
        return {**kept, **answers.settings_of(given), **people, "AMPARO_INSTANCE": str(self.instance)}

    def _before(self) -> dict[str, str]:
        """What was answered before, or came with a move; else what the settings of this shell say."""
        files = (self.machine.file(machine.ETC), self.instance / packing.SETTINGS_FILE)
        read = (answers.settings_in(file) for file in files)
        return next(filter(None, read), {name: os.environ[name] for name in answers.BY_NAME if name in os.environ})

    def _answer(self, question: Question, before: Mapping[str, str]) -> str:
        typed = self.chosen.get(question.name.lower().replace("-", "_"))
        otherwise = before.get(question.name, "") or question.otherwise()
        while True:
            if typed is None and not self.chosen["yes"]:
                echo("", question.why, err=True)
                typed = ask(question.text, default=otherwise, show_default=bool(otherwise), err=True)
            answer = answers.tidy(question.name, otherwise if typed is None else typed)
            if answers.is_taken(question, answer):
                return answer
            if self.chosen["yes"] or self.chosen.get(question.name.lower().replace("-", "_")) is not None:
                raise CannotSetUp(f"{question.option}: {translated(question.wrong)}")
            echo(question.wrong, err=True)
            typed = None

    # ── what is done ──

    def make_folder(self, given: Mapping[str, str]) -> Settings:
        """The folder, its secrets, its tables and the services that are shipped; what is there stays."""
        make_secrets(self.instance, os.urandom(2 * SECRET))
        settings = read_settings(given)
        engine = opened_for(settings)
        with reading(engine) as db:
            is_new = version_of(db) is None
        if is_new:
            progress("...")
            upgrade_tables(engine)
            with writing(engine) as db:
                shipped.load_country(db)
        engine.dispose()
        self.note(MADE, instance=str(self.instance))
        return settings

    def write(self, here: Deployment) -> bool:
        """Whether the files of the machine are as they should be; nothing is written before somebody said yes."""
        texts = machine.planned(here, self.front, lambda: create_app(here.settings))
        places = machine.changed(self.machine, texts)
        if not places:
            self.note(SAME)
            return True
        listed = [str(self.machine.file(place)) for place in places]
        if not self.chosen["yes"]:
            echo("", *(f"  {path}" for path in listed), err=True)
            if not agrees(WRITE):
                self.note(NOT_WRITTEN, is_done=False)
                return False
        machine.write(self.machine, texts)
        self.done.files = listed
        self.note(WRITTEN, count=str(len(listed)))
        return True

    def invite(self, settings: Settings, engine: Engine, given: Mapping[str, str]) -> None:
        """The first two, while nobody has an account: everybody after them is invited by people."""
        with writing(engine) as db:
            if members.accounts(db):
                self.note(PEOPLE_HERE)
                return
            if accounts.open_invitations(db, time.time()) and not self.chosen["new_invitations"]:
                self.note(WAITING)
                return
            self.done.invitations = invite_first(db, settings, {role: given[name] for name, role in ROLES.items()})

    def front_first(self, here: Deployment) -> None:
        """The server in front, the trial behind it, and only then the service: nobody is served before it was tried."""
        steps = machine.start_front(self.machine, here, self.front)
        self.done.steps += steps
        for step in steps:
            self.speak(step.words, **step.parts)
        if all(step.is_done for step in steps):
            self.try_it(here)
        for step in machine.start(self.machine):
            self.done.steps.append(step)
            self.speak(step.words, **step.parts)

    def try_it(self, here: Deployment) -> None:
        """A report, an answer and a backup, where somebody wants it."""
        tries = self.chosen["tries"]
        if tries is None:
            tries = not self.chosen["yes"] and bool(self.front) and agrees(TRY)
        if not tries:
            return
        if not self.front:
            self.note(NO_FRONT, is_done=False)
            return
        address = here.settings.base_url
        machine.pause(self.machine)
        try:
            trial.run(here, lambda step: self._tried(step, address))
        except NoTrial as why:
            self.note(NOT_TRIED, is_done=False, why=str(why))
        else:
            self.note(TRIED)

    def _tried(self, step: str, address: str) -> None:
        self.done.tried.append(step)
        self.speak(trial.STEPS[step], address=address)

    # ── what is said ──

    def speak(self, words: str, **parts: str) -> None:
        if not self.quiet:
            echo(translated(words, **parts))

    def note(self, words: str, *, is_done: bool = True, **parts: str) -> None:
        self.done.steps.append(Step(words, parts, is_done))
        self.speak(words, **parts)

    def end(self, settings: Settings, language: str) -> None:
        address = invitation(settings).replace(f"/{settings.languages[0]}/", f"/{language}/", 1)
        if self.quiet:
            echo(json.dumps(self._as_json(address), ensure_ascii=False, indent=1))
            return
        tell_codes(self.done.invitations, address)
        if not has_lines(settings.country):
            echo(NO_LINES, country=settings.country)
        echo("")
        for words in NEXT:
            self.speak(words, **({"address": settings.base_url} if "%(" in words else {}))

    def _as_json(self, address: str) -> dict[str, Any]:
        steps = [{"done": step.is_done, "says": translated(step.words, **step.parts)} for step in self.done.steps]
        result = {"files": self.done.files, "steps": steps, "tried": self.done.tried}
        return {"instance": str(self.instance), "address": address, "invitations": self.done.invitations, **result}
