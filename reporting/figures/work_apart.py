"""Freeze and compile in a process of their own: nobody who reports or works here waits for it.

The member's keys go into it through a pipe that it inherits, with everything else that it has to know: nothing of it
stands in arguments, in the environment or on a disk. Whatever stops it, the next try goes on. Knows nothing of the web.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from reporting.config import ROOT, Settings
from reporting.errors import Busy
from reporting.figures import freezing, noise, releases
from reporting.figures.freezing import Say
from reporting.figures.periods import period
from reporting.figures.release_ledger import FREEZING, FROZEN, OVERLAPS, ReleaseRefused
from reporting.figures.releases import Choice
from reporting.storage.database import open_database, reading
from reporting.storage.locks import maintenance_lock
from reporting.teams.keyring import Keys
from reporting.teams.team_log import Pin
from reporting.vocabulary.places import places_of

TASK = "freeze"  # what others are told who want the lock of maintenance meanwhile
PROGRAM = (sys.executable, "-m", "reporting.figures.work_apart")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, for whom, and where. `now`: seconds since 1970."""

    settings: Settings
    keys: Keys = field(repr=False)
    period: str
    now: float
    choice: Choice = releases.USUAL
    compiles: bool = True  # else it is frozen only
    departments: Mapping[str, str] = field(default_factory=dict)  # code -> name, in another country than the first home

    def to_bytes(self) -> bytes:
        """For the pipe."""
        choice = asdict(self.choice) | {"epsilon": str(self.choice.epsilon)}
        place = {"database_url": self.settings.database_url, "instance": str(self.settings.instance)}
        more = {"pin": str(self.settings.pin_file), "practice": self.settings.practice, "now": self.now}
        more |= {"country": self.settings.country, "departments": dict(self.departments)}
        work = {"period": self.period, "choice": choice, "compiles": self.compiles}
        return json.dumps(place | more | work | {"keys": self.keys.to_bytes().decode()}).encode()


def start(order: Order) -> subprocess.Popen[bytes]:
    """Begin it in a process that goes on whatever becomes of this one. Returns the process."""
    process = subprocess.Popen(  # noqa: S603 -- our own program, with nothing of anybody in its arguments
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=ROOT, start_new_session=True
    )
    assert process.stdin is not None  # noqa: S101 -- it was asked for
    with process.stdin as pipe:
        pipe.write(order.to_bytes())
    return process


def run(order: Order, say: Say | None = None) -> None:
    """Do it here, to the end. Raises `Busy`, `ReleaseRefused` or `CannotOpen` where it cannot be done."""
    _run(json.loads(order.to_bytes()), say)


def _run(work: dict[str, Any], say: Say | None) -> None:
    engine, pin, chosen = open_database(work["database_url"]), Pin(Path(work["pin"])), period(work["period"])
    keys = Keys.from_bytes(work["keys"].encode())
    further, epsilon = tuple(work["choice"]["further"]), Fraction(work["choice"]["epsilon"])
    choice = Choice(further, epsilon, work["choice"]["total_only"])
    places = places_of(work["country"], work["departments"])
    try:
        with maintenance_lock(engine, Path(work["instance"]), TASK):
            with reading(engine) as db:
                known = {release.period: release for release in releases.listed(db)}.get(chosen.name)
            if known is None or known.state == FREEZING:
                number = freezing.freeze(engine, pin, keys, chosen, work["now"], say)
            else:
                number = known.id
            if work["compiles"]:
                drawn = noise.laplace(secrets.randbelow)
                releases.compile_release(
                    engine, pin, keys, number, drawn, choice, places=places, fictional=work["practice"]
                )
            elif known is not None and known.state not in {FREEZING, FROZEN}:
                raise ReleaseRefused(OVERLAPS)
    finally:
        engine.dispose()


def main() -> None:
    """The process: what it has to do comes through its pipe. What stops it is said in a word, for whoever runs it."""
    work = json.loads(sys.stdin.buffer.read())
    try:
        _run(work, None)
    except (Busy, ReleaseRefused) as why:
        sys.stderr.write(f"{type(why).__name__}: {why}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
