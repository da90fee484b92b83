"""How long a case worker waits: signing in, and the queue with very many cases. Measured on invented ones.

The whole page is asked for as a browser asks, with the real parts in one process; nothing is written anywhere
but into a folder that is thrown away.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import Engine, select, update
from werkzeug.test import Client

from reporting.app import create_app
from reporting.cases import taken
from reporting.config import Settings
from reporting.i18n import T_, said
from reporting.operations.bench import invented, memory
from reporting.operations.bench.invented import NAME, PASSWORD
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow
from reporting.teams import members
from reporting.teams.keyring import Keys
from reporting.teams.team_log import Pin

ROUNDS, MINUTE = 5, 60
SEEN, SEE_OTHER = 203, 303
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Seconds, the medians of five; of the page also those of the processor alone. The memory that stays taken, in MB.

    Signing in takes 64 MB more for a moment.
    """

    cases: int
    unopened: int
    sign_in_s: float
    sorted_page_s: float
    sorted_page_cpu_s: float
    rss_mb: float


@dataclass(slots=True)
class Moving:
    """The clock, moved on for each round: six digits are good once."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def measure(settings: Settings, engine: Engine, cases: int, unopened: int, say: Say) -> Waiting:
    """Fill an empty installation with cases, then sign in and look at the queue five times."""
    totp = invented.furnish(settings, engine)
    keys = invented.her_keys(settings, engine, totp)
    invented.fill(settings, keys, cases, unopened)
    fresh = _front_keys(engine)
    clock = Moving()
    app = create_app(settings, clock)
    times = []
    for _ in range(ROUNDS):
        _makes_new(engine, keys, Pin(settings.pin_file), fresh)
        times.append(_one_round(app, totp, clock, say))
    sign_in, page, processor = (round(statistics.median(column), 3) for column in zip(*times, strict=True))
    return Waiting(cases, unopened, sign_in, page, processor, round(memory.now(), 1))


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


def _one_round(app: Flask, totp: bytes, clock: Moving, say: Say) -> tuple[float, float, float]:
    """Sign in with an unused code, then look at the queue."""
    clock.ahead += MINUTE
    client, code = Client(app, use_cookies=True), members.totp_code(totp, clock())
    began = time.perf_counter()
    answer = client.post("/es/equipo", data={"name": NAME, "password": PASSWORD, "code": code})
    signed_in = time.perf_counter() - began
    began, spent = time.perf_counter(), time.process_time()
    page = client.get("/es/equipo/casos")
    shown = page.get_data()
    looked, spent = time.perf_counter() - began, time.process_time() - spent
    page.close()  # only now, as on a server: what comes after the page is not waited for
    if (answer.status_code, page.status_code) != (SEE_OTHER, SEEN) or b"/es/equipo/caso/" not in shown:
        raise RuntimeError("the queue did not come")
    words = T_("signed in %(signed_in)s s, queue %(queue)s s, of the processor %(spent)s s")
    say(said(words, signed_in=f"{signed_in:.3f}", queue=f"{looked:.3f}", spent=f"{spent:.3f}"))
    return signed_in, looked, spent
