"""What the desk does while reporters are measured: pages over a line of the case worker's own, and commands.

Each work is what a person or a timer begins, done by the parts that do it in an installation that is served. Measures
nothing.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from reporting.cases import derived
from reporting.clock import DAY
from reporting.config import ROOT, Settings
from reporting.errors import AmparoError
from reporting.figures import periods, work_apart
from reporting.figures.periods import FREEZE_DAYS
from reporting.figures.work_apart import Order
from reporting.i18n import T_
from reporting.operations.bench import invented
from reporting.operations.bench.client import Line
from reporting.operations.bench.running import environment_of
from reporting.storage.database import writing
from reporting.storage.models import CaseRow
from reporting.teams import members
from reporting.teams.keyring import Keys

QUEUE, SIGN_IN = "/es/equipo/casos", "/es/equipo"
TOKEN = re.compile(rb'name="f"[^>]*value="([^"]+)"')
CASE = re.compile(rb'name="cases" value="(\d+)"')
FURTHER = re.compile(rb'name="search" value="([^"]+)"')
WORDS = "inventadas"  # they stand in every case: the search that opens and shows most


class WorkFailed(AmparoError):
    """A work of the desk did not come to its end; the message says which."""


@dataclass(slots=True)
class Member:
    """A case worker at a browser of her own, signed in."""

    line: Line
    page: bytes = field(default=b"", repr=False)  # the last page of the queue
    turn: int = 0

    def sign_in(self, totp: bytes, moment: float) -> None:
        """With the six digits of a moment, seconds since 1970: each are good once."""
        code = members.totp_code(totp, moment)
        self.line.page(SIGN_IN, [("name", invented.NAME), ("password", invented.PASSWORD), ("code", code)])
        self.look()

    def look(self) -> None:
        """At the queue."""
        self.page = self.line.page(QUEUE)
        if not CASE.search(self.page):
            raise WorkFailed("the queue shows no case")

    def open(self) -> None:
        """A case of the page, each time the next."""
        cases, self.turn = CASE.findall(self.page), self.turn + 1
        self.line.page(f"/es/equipo/caso/{cases[self.turn % len(cases)].decode()}")

    def search(self) -> None:
        """One slice of a search for words; after the last it begins anew."""
        further = FURTHER.search(self.page)
        self._sends([("go", "words"), ("words", WORDS), *([("search", further[1].decode())] if further else [])])

    def label(self) -> None:
        """All cases of a page at once."""
        marked = [("cases", case.decode()) for case in CASE.findall(self.page)]
        self.turn += 1
        self._sends([("go", "label"), ("label", f"medida {self.turn}"), *marked])

    def _sends(self, fields: list[tuple[str, str]]) -> None:
        token = TOKEN.search(self.page)
        if token is None:
            raise WorkFailed("the page has no form")
        self.page = self.line.page(QUEUE, [("f", token[1].decode()), *fields])


@dataclass(frozen=True, slots=True)
class Served:
    """An installation that is served, whose keys are at hand."""

    settings: Settings
    engine: Engine
    keys: Keys = field(repr=False)

    def amparo(self, *arguments: str) -> None:
        """Run a command on it, to its end."""
        done = subprocess.run(  # noqa: S603 -- our own command
            [sys.executable, "-m", "reporting", *arguments],
            cwd=ROOT,
            env=environment_of(self.settings),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise WorkFailed(f"{arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip()[-300:]}")

    def figures(self, *, compiles: bool) -> None:
        """What the button of the desk begins for the last quarter that may be frozen."""
        now = time.time()
        order = Order(self.settings, self.keys, _quarter(now), now, compiles=compiles)
        if work_apart.start(order).wait():
            raise WorkFailed("freeze or compile was refused")

    def lose_half(self) -> None:
        """Half of the cases are not there any more, as after a fault of the disk."""
        with writing(self.engine) as db:
            derived.let_go(db, CaseRow.id % 2 == 0)


def _quarter(now: float) -> str:
    year = datetime.fromtimestamp(now, UTC).year
    every = [f"{before}-T{quarter}" for before in (year, year - 1) for quarter in (4, 3, 2, 1)]
    return next(name for name in every if now >= periods.period(name).ends + FREEZE_DAYS * DAY)


@dataclass(frozen=True, slots=True)
class Work:
    """A work of the desk: what it is, and how it is done once; `prepare` is done before and not measured."""

    says: str
    page: Callable[[Member], None] | None = None
    command: Callable[[Served], None] | None = None
    prepare: Callable[[Served], None] = lambda _served: None


def _back_up(served: Served) -> None:
    served.amparo("backup", str(served.settings.instance / BACKUP))


BACKUP: Final = "measured.backup"
# in the order in which they are done: what is restored is what was backed up
WORKS: Final[Mapping[str, Work]] = {
    "queue": Work(T_("two members look at the queue again and again"), page=Member.look),
    "case": Work(T_("two members open one case after the other"), page=Member.open),
    "search": Work(T_("two members look for a word that stands in every case"), page=Member.search),
    "bulk": Work(T_("two members label fifty cases at once, again and again"), page=Member.label),
    "freeze": Work(T_("the last closed quarter is frozen"), command=lambda served: served.figures(compiles=False)),
    "compile": Work(T_("its release is compiled"), command=lambda served: served.figures(compiles=True)),
    "backup": Work("amparo backup", command=_back_up),
    "sweep": Work("amparo sweep --rewrite", command=lambda served: served.amparo("sweep", "--rewrite")),
    "restore": Work(
        T_("amparo restore, which brings half of the cases back"),
        command=lambda served: served.amparo("restore", str(served.settings.instance / BACKUP)),
        prepare=Served.lose_half,
    ),
}
