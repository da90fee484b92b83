"""People for the tests: they do what people do, with the real parts and a clock that tests can move."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, Table, func, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from referrals.directory import models
from referrals.directory.importing import shipped
from reporting.cases import store, submission
from reporting.cases.records import Visit
from reporting.clock import HOUR
from reporting.config import SECRET, Settings, make_secrets, read_settings
from reporting.crypto import receipts
from reporting.crypto.receipts import Receipt
from reporting.sessions import day_seeds, tickets
from reporting.storage.database import Base, open_database, reading, upgrade_tables, writing
from reporting.storage.models import CaseRow
from reporting.teams import accounts, keyring, members, power, team_log
from reporting.teams.accounts import Invitation
from reporting.teams.audit import Signer
from reporting.teams.keyring import Keys, RecoverySheets
from reporting.teams.members import Actor
from reporting.teams.team_log import CASE_WORKER, CASEWORK, COORDINATOR, STATISTICS, Pin
from reporting.vocabulary.incident import Incident

PASSWORD = "abecedario trompeta lunares ventisca molino"  # strong enough, like every password of the tests
ANOTHER = "pizarra acequia remolino golondrina jarabe"
NOON = 1_800_014_400.0  # a moment at noon, UTC


@dataclass
class Clock:
    """Seconds since 1970; tests move it."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now

    def on(self, *, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        self.now += minutes * 60 + hours * 3600 + days * 86400


@dataclass
class Worker:
    """Somebody of the staff, with what she keeps on paper and on her phone."""

    name: str
    password: str
    totp: bytes
    id: int
    private: bytes = b""  # as it is when she has signed in

    @property
    def signer(self) -> Signer:
        return members.signer_of(self.id, self.private)


@dataclass
class Place:
    """One installation in a folder of its own."""

    settings: Settings
    engine: Engine
    clock: Clock
    sheets: RecoverySheets | None = None
    sheets_of: dict[str, RecoverySheets] = field(default_factory=dict)  # by the name of a new team; "" is the first
    workers: dict[str, Worker] = field(default_factory=dict)

    @property
    def pin(self) -> Pin:
        return Pin(self.settings.pin_file)

    def hires(self, name: str, *roles: str, new_team: str = "", teams: tuple[int, ...] = ()) -> Worker:
        """An invitation accepted; the first case worker makes the keys and gets the sheets, of a new team likewise."""
        password, totp = f"{PASSWORD} {name}", members.new_totp_secret()
        new = members.new_member(name, roles, password, totp, self.settings.pepper, teams=teams)
        recovery = None
        if CASE_WORKER in roles and (self.sheets is None or new_team):
            sheets = self.sheets_of[new_team] = accounts.draw_sheets(secrets.randbelow, "es")
            self.sheets, recovery = self.sheets or sheets, sheets.key_pair().public
        with writing(self.engine) as db:
            token = accounts.invite(
                db, self.who_invites(db), Invitation(name, roles, teams, new_team), self.settings.pepper, self.clock()
            )
            made = accounts.accept(db, self.pin, token, new, self.clock(), recovery, "Equipo")
        if made and new_team:
            self.pin.add(made[0])
        elif made:
            self.pin.begin(made)
        self.workers[name] = Worker(name, password, totp, new.id, new.opened)
        return self.workers[name]

    def who_invites(self, db: Session) -> Actor:
        """The coordinator, where there is one; before anybody, nobody."""
        acting = [worker for worker in self.workers.values() if worker.private]
        listed = [self.actor(db, worker.name) for worker in acting]
        able = sorted((one for one in listed if {COORDINATOR, CASE_WORKER} & set(one.roles)), key=_coordinators_first)
        return able[0] if able else members.nobody_yet(db)

    def gone(self, db: Session, name: str, act: str = power.DISMISS) -> str:
        """Somebody is dismissed, or reset, at once: with both sheets. Returns the invitation after a reset."""
        acting = next(worker.name for worker in self.workers.values() if worker.name != name and worker.private)
        sheets = next((sheets for sheets in self.sheets_of.values() if self._is_of(db, sheets, name)), None)
        by, member = self.actor(db, acting), self.workers[name].id
        return power.ask(db, self.pin, by, member, act, self.clock(), sheets).token

    def _is_of(self, db: Session, sheets: RecoverySheets, name: str) -> bool:
        member, public = self.workers[name].id, sheets.key_pair().public
        theirs = [team for team in team_log.teams(db, self.pin) if member in team.members]
        return bool(theirs) and all(team.newest.recovery == public for team in theirs)

    def actor(self, db: Session, name: str) -> Actor:
        """Somebody whose password and digits were right, without the half minute that typing them takes."""
        worker = self.workers[name]
        account = members.account(db, worker.id)
        return Actor(account.id, account.name, account.roles, worker.private)

    def signs_in(self, name: str, **wrong: str) -> Keys:
        """Password and the next unused code; anything can be given wrong."""
        worker = self.workers[name]
        self.clock.on(minutes=1)
        code = wrong.get("code", members.totp_code(worker.totp, self.clock()))
        with reading(self.engine) as db:
            found = members.find_member(db, name)
        who = members.unlock(found, wrong.get("password", worker.password), code, self.clock(), self.settings.pepper)
        worker.private = who.private
        with writing(self.engine) as db:
            return keyring.take_keys(db, self.pin, who)

    def lets_in(self, keys: Keys, name: str, kind: str = CASEWORK) -> None:
        """A member lets a colleague in."""
        with writing(self.engine) as db:
            team = team_log.team_of_kind(team_log.teams(db, self.pin), kind)
            member = self.workers[name].id
            public = members.public_key(db, member)
            keyring.let_in(db, team.id, keys.epochs[team.id], member, public, keys.signer, self.clock())

    def vouches(self, keys: Keys, name: str) -> None:
        """A member of a trusted team hears the six words of a new one and types them."""
        with writing(self.engine) as db:
            team = next(team for team in team_log.teams(db, self.pin) if team.name == name)
            words = " ".join(keyring.words_of_team(team, "es"))
            keyring.vouch(db, self.pin, self.actor(db, keys.name), keys, team.id, words)

    def receives(self, incident: Incident | None = None, narrative: str = "", **parts: Any) -> Receipt:
        """A report is filed; what she keeps is the receipt."""
        receipt = receipts.draw(secrets.randbelow)
        report = submission.new_report(
            incident or Incident(),
            narrative,
            contact=parts.get("contact"),
            consents=parts.get("consents", frozenset({"C_LETTERS"})),
            language=parts.get("language", "es"),
            trip=parts.get("trip", tickets.new_trip()),
            hour=int(self.clock()) // HOUR,
            signs=parts.get("signs", ()),
            group=parts.get("group"),
        )
        report = replace(report, consents=parts.get("consents", report.consents))  # also what no page would make
        with reading(self.engine) as db:
            found = team_log.teams(db, self.pin)
        counters = team_log.team_of_kind(found, STATISTICS)
        readers = next(team for team in team_log.trusted(found) if team.name == parts.get("team", "Equipo"))
        sealed = submission.prepare(report, receipt, readers, counters, self.settings.pepper, self.clock())
        with writing(self.engine) as db:
            submission.file_invented(db, sealed)
        return receipt

    def cases(self) -> int:
        """How many cases there are."""
        with reading(self.engine) as db:
            return db.scalar(select(func.count()).select_from(CaseRow)) or 0

    def comes_back(self, receipt: Receipt) -> Visit:
        """She types her receipt."""
        with reading(self.engine) as db:
            return store.come_back(db, store.stretch([receipt], self.settings.pepper))[0]


def _coordinators_first(actor: Actor) -> bool:
    return COORDINATOR not in actor.roles


def a_furnished_place(folder: Path, clock: Clock | None = None, **environment: str) -> Place:
    """An installation with the directory of Peru and one case worker, rosa, who made the keys."""
    place = a_new_place(folder, clock, has_directory=True, **environment)
    place.hires("rosa", CASE_WORKER)
    return place


def a_new_place(folder: Path, clock: Clock | None = None, *, has_directory: bool = False, **environment: str) -> Place:
    """An installation with tables and today's seeds, and nobody in it."""
    make_secrets(folder, os.urandom(2 * SECRET))
    settings, engine = opened(folder, **environment)
    where = make_url(settings.database_url)
    if where.get_backend_name() == "sqlite" and where.database:
        Path(where.database).write_bytes(_a_database(has_directory=has_directory))
    else:
        upgrade_tables(engine)
        if has_directory:
            with writing(engine) as db:
                for table, rows in _directory().items():
                    db.execute(insert(table), rows)
    place = Place(settings, engine, clock or Clock())
    with writing(engine) as db:
        day_seeds.open_day(db, place.clock())
    return place


@cache
def _a_database(*, has_directory: bool) -> bytes:
    """A file with tables and, where it is asked for, the directory: made once in a process, used by no installation."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.db"
        engine = open_database(f"sqlite:///{path}")
        upgrade_tables(engine)
        if has_directory:
            with writing(engine) as db:
                shipped.load_shipped(db)
        engine.dispose()  # the last line that closes brings everything into the one file
        return path.read_bytes()


@cache
def _directory() -> dict[Table, list[dict[str, Any]]]:
    """The rows of the directory as it was brought in there, for another kind of database."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.db"
        path.write_bytes(_a_database(has_directory=True))
        engine = open_database(f"sqlite:///{path}")
        with engine.connect() as line:
            found = {table: line.execute(select(table)).mappings().all() for table in _tables_of_the_directory()}
        engine.dispose()
        return {table: [dict(row) for row in rows] for table, rows in found.items() if rows}


def _tables_of_the_directory() -> list[Table]:
    theirs = [mapper.local_table for mapper in Base.registry.mappers if mapper.class_.__module__ == models.__name__]
    return [table for table in Base.metadata.sorted_tables if table in theirs]


def opened(folder: Path, **environment: str) -> tuple[Settings, Engine]:
    """What an installation in this folder is told, and its database."""
    told = {"AMPARO_INSTANCE": str(folder), "BASE_URL": "http://localhost", "MEMORY_FOLDER": str(folder.parent)}
    settings = read_settings(told | environment)
    return settings, open_database(settings.database_url, settings.time_zone)
