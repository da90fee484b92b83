"""An installation for measures: one case worker who holds every key, and as many invented cases as are asked for.

The cases are sealed and filed by the calls that real ones pass, in batches. Nothing in it is about anybody.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import sys
import time

from sqlalchemy import Engine

from referrals.directory.importing import shipped
from reporting.cases import desk, submission
from reporting.cases.records import NewReport
from reporting.cases.store import SealedReport, StretchedReceipt
from reporting.clock import HOUR
from reporting.config import Settings
from reporting.sessions import day_seeds
from reporting.storage.database import open_database, reading, writing
from reporting.teams import accounts, keyring, members, team_log
from reporting.teams.accounts import Invitation
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER, CASEWORK, STATISTICS, Pin, Team
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Incident

NAME, PASSWORD = "prueba", "pizarra acequia remolino golondrina jarabe"
BATCH = 500  # cases that are filed together
DAYS = 60  # so long ago at most the invented reports came, where nothing else is said


def furnish(settings: Settings, engine: Engine) -> bytes:
    """Services, and one case worker with the keys of both teams. Returns the secret of her six digits."""
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


def her_keys(settings: Settings, engine: Engine, totp: bytes) -> Keys:
    """The keys of the case worker; the six digits of the step before are used up by it, and no others."""
    now = time.time()
    with writing(engine) as db:
        code = members.totp_code(totp, now - 30)
        who = members.unlock(members.find_member(db, NAME), PASSWORD, code, now, settings.pepper)
        return keyring.take_keys(db, Pin(settings.pin_file), who)


def fill(settings: Settings, keys: Keys, cases: int, unopened: int = 0, days: int = DAYS) -> None:
    """File so many cases of so many days; all but the unopened ones are in the team's vault.

    In a process of its own, so that its memory is not counted.
    """
    filling = multiprocessing.get_context("spawn").Process(target=_fill, args=(settings, keys, cases, unopened, days))
    filling.start()
    filling.join()
    if filling.exitcode:
        raise RuntimeError("the cases were not filed")


def _fill(settings: Settings, keys: Keys, cases: int, unopened: int, days: int) -> None:
    engine = open_database(settings.database_url, settings.time_zone)
    with reading(engine) as db:
        teams = team_log.teams(db, Pin(settings.pin_file))
    readers, counters = team_log.team_of_kind(teams, CASEWORK), team_log.team_of_kind(teams, STATISTICS)
    for start in range(0, cases, BATCH):
        numbers = range(start, min(start + BATCH, cases))
        sealed = [_sealed(number, days, readers, counters, settings) for number in numbers]
        with writing(engine) as db:
            for report in sealed:
                submission.file_invented(db, report)
        if start < cases - unopened:
            with writing(engine) as db:
                desk.move_to_vault(db, keys, at_most=BATCH)
        sys.stderr.write(f"{numbers.stop} of {cases} cases\n")


def _sealed(number: int, days: int, readers: Team, counters: Team, settings: Settings) -> SealedReport:
    receipt = StretchedReceipt(os.urandom(32), os.urandom(32))
    return submission.prepare(_report(number, days), receipt, readers, counters, settings.pepper, time.time())


def _report(number: int, days: int) -> NewReport:
    """A report with everything drawn at random."""
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
    hour, words = int(time.time()) // HOUR - below(days * 24), f"Palabras inventadas {number}. " * 10
    consents = frozenset({"C_LETTERS"})
    return submission.new_report(incident, words, consents=consents, language="es", trip=f"{number:032x}", hour=hour)
