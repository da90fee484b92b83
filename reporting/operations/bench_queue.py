"""How long a case worker waits: signing in, and the queue with very many cases. Measured on invented ones.

The whole page is asked for as a browser asks, with the real parts in one process; nothing is written anywhere
but into a folder that is thrown away.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import Engine, select, update
from werkzeug.test import Client

from referrals.directory.importing import shipped
from reporting.app import create_app
from reporting.cases import desk, submission, taken
from reporting.cases.records import NewReport
from reporting.cases.store import StretchedReceipt
from reporting.clock import HOUR
from reporting.config import Settings
from reporting.operations import memory
from reporting.sessions import day_seeds
from reporting.storage.database import open_database, reading, writing
from reporting.storage.models import CaseRow
from reporting.teams import accounts, keyring, members, team_log
from reporting.teams.accounts import Invitation
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER, CASEWORK, STATISTICS, Pin
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Incident

ROUNDS, MINUTE, BATCH = 5, 60, 500
SEEN, SEE_OTHER = 203, 303
NAME, PASSWORD = "prueba", "pizarra acequia remolino golondrina jarabe"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Seconds, the median of five, and the memory in MB that stays taken (signing in takes 64 more for a moment)."""

    cases: int
    unopened: int
    sign_in_s: float
    sorted_page_s: float
    rss_mb: float


@dataclass(slots=True)
class Moving:
    """The clock, moved on for each round: six digits are good once."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def measure(settings: Settings, engine: Engine, cases: int, unopened: int, say: Say) -> Waiting:
    """Fill an empty installation with cases, then sign in and look at the queue five times."""
    totp = _furnish(settings, engine)
    keys = _keys(settings, engine, totp)
    filling = multiprocessing.get_context("spawn").Process(target=_fill, args=(settings, keys, cases, unopened))
    filling.start()
    filling.join()
    fresh = _front_keys(engine)
    clock = Moving()
    app = create_app(settings, clock)
    times = []
    for _ in range(ROUNDS):
        _makes_new(engine, keys, Pin(settings.pin_file), fresh)
        times.append(_one_round(app, totp, clock, say))
    sign_in, page = (statistics.median(column) for column in zip(*times, strict=True))
    return Waiting(cases, unopened, round(sign_in, 3), round(page, 3), round(memory.now(), 1))


def _furnish(settings: Settings, engine: Engine) -> bytes:
    """Services, and one case worker with keys."""
    totp, pin, now = members.new_totp_secret(), Pin(settings.pin_file), time.time()
    new = members.new_member(NAME, (CASE_WORKER,), PASSWORD, totp, settings.pepper)
    with writing(engine) as db:
        day_seeds.open_day(db, now)
        shipped.load_shipped(db)
        token = accounts.invite(db, members.nobody_yet(db), Invitation(NAME, (CASE_WORKER,)), settings.pepper, now)
        recovery = accounts.draw_sheets(secrets.randbelow, "es").key_pair().public
        fresh = accounts.accept(db, pin, token, new, now, recovery, "Prueba")
    pin.begin(fresh)
    return totp


def _keys(settings: Settings, engine: Engine, totp: bytes) -> Keys:
    now = time.time()
    with writing(engine) as db:
        code = members.totp_code(totp, now - 30)  # the step before, so that the rounds have codes left
        who = members.unlock(members.find_member(db, NAME), PASSWORD, code, now, settings.pepper)
        return keyring.take_keys(db, Pin(settings.pin_file), who)


def _fill(settings: Settings, keys: Keys, cases: int, unopened: int) -> None:
    """In a process of its own, so that its memory is not counted."""
    engine = open_database(settings.database_url)
    with reading(engine) as db:
        teams = team_log.teams(db, Pin(settings.pin_file))
    readers, counters = team_log.team_of_kind(teams, CASEWORK), team_log.team_of_kind(teams, STATISTICS)
    for start in range(0, cases, BATCH):
        with writing(engine) as db:
            for number in range(start, min(start + BATCH, cases)):
                receipt = StretchedReceipt(os.urandom(32), os.urandom(32))
                report = _invented(number)
                sealed = submission.prepare(report, receipt, readers, counters, settings.pepper, time.time())
                submission.file_invented(db, sealed)
        if start < cases - unopened:
            with writing(engine) as db:
                desk.move_to_vault(db, keys, at_most=BATCH)
        sys.stderr.write(f"{min(start + BATCH, cases)} of {cases} cases\n")


def _invented(number: int) -> NewReport:
    """A report with everything drawn at random, of the last 60 days."""
    below = secrets.randbelow

    def pick(field: str) -> str:
        codes = list(VOCABULARY[field])
        return codes[below(len(codes))]

    def some(field: str) -> frozenset[str]:
        return frozenset(pick(field) for _ in range(1 + below(2)))

    hours = float(below(400))
    incident = Incident(
        about="SELF",
        violence=some("violence"),
        perpetrator=some("perpetrator"),
        flags=some("flags"),
        wants=some("wants"),
        age=pick("age"),
        identity=pick("identity"),
        venue=pick("venue"),
        region=pick("region"),
        condom=pick("condom"),
        hours=(hours, hours),
    )
    hour, words = int(time.time()) // HOUR - below(60 * 24), f"Palabras inventadas {number}. " * 10
    consents = frozenset({"C_LETTERS"})
    return submission.new_report(incident, words, consents=consents, language="es", trip=f"{number:032x}", hour=hour)


def _front_keys(engine: Engine) -> list[tuple[int, bytes]]:
    with reading(engine) as db:
        rows = db.execute(select(CaseRow.id, CaseRow.front_key).where(CaseRow.front_key.is_not(None)))
        return [(row.id, row.front_key or b"") for row in rows]


def _makes_new(engine: Engine, keys: Keys, pin: Pin, fresh: list[tuple[int, bytes]]) -> None:
    """These cases are unopened again, and nobody remembers that they were seen."""
    with writing(engine) as db:
        db.execute(update(CaseRow), [{"id": case, "front_key": key, "vault_key": None} for case, key in fresh])
    with writing(engine) as db:
        for team in db.scalars(select(CaseRow.team).distinct()).all():
            taken.take_back(db, keys, pin, team, taken.Restore("", "", keys.member, 0))


def _one_round(app: Flask, totp: bytes, clock: Moving, say: Say) -> tuple[float, float]:
    """Sign in with an unused code, then look at the queue."""
    clock.ahead += MINUTE
    client, code = Client(app, use_cookies=True), members.totp_code(totp, clock())
    began = time.perf_counter()
    answer = client.post("/es/equipo", data={"name": NAME, "password": PASSWORD, "code": code})
    signed_in = time.perf_counter() - began
    began = time.perf_counter()
    page = client.get("/es/equipo/casos")
    words = page.get_data()
    looked = time.perf_counter() - began
    page.close()  # only now, as on a server: what comes after the page is not waited for
    if (answer.status_code, page.status_code) != (SEE_OTHER, SEEN) or b"/es/equipo/caso/" not in words:
        raise RuntimeError("the queue did not come")
    say(f"signed in {signed_in:.3f} s, queue {looked:.3f} s")
    return signed_in, looked
