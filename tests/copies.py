"""Installations that are made once in a process and copied for each test: a furnished one, or one filled further.

A copy holds the secrets, keys and people of what it was copied from. Where a test needs two installations that are
strangers to each other, `a_furnished_place` makes each of them anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from reporting.storage.database import checkpoint, writing
from reporting.teams import keyring, team_log
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, CASEWORK, COORDINATOR, STATISTICS
from tests.needs_of_tests import a_database, a_schema, makes_databases
from tests.people import Clock, Place, a_furnished_place, opened

Filling = Callable[[Place], object]


def nothing_more(_place: Place) -> None:
    """Rosa and the directory are enough."""


def with_coordinator(place: Place) -> None:
    """Carmen, who looks after people and the directory."""
    place.hires("carmen", COORDINATOR)


def with_a_colleague(place: Place) -> None:
    """Milagros, who reads beside rosa."""
    place.hires("milagros", CASE_WORKER)
    place.lets_in(place.signs_in("rosa"), "milagros")


def with_known_coordinator(place: Place) -> None:
    """Carmen, and rosa has said in the team's log with which key she signs."""
    with_coordinator(place)
    rosa_vouches_for(place, "carmen")


def rosa_vouches_for(place: Place, name: str) -> None:
    """Rosa has heard the six words of somebody who gets no key: what that person signs counts."""
    rosa, member = place.signs_in("rosa"), place.workers[name].id
    with writing(place.engine) as db:
        team = team_log.team_of_kind(team_log.teams(db, place.pin), CASEWORK).id
        keyring.vouch_for_signer(db, team, rosa.epochs[team], member, rosa.signer, place.clock())


def with_readers_of_figures(place: Place) -> None:
    """Ana and luz, two advocates whom rosa let in to the figures: what one compiles the other can publish."""
    rosa = place.signs_in("rosa")
    for name in ("ana", "luz"):
        place.hires(name, ADVOCATE)
        place.lets_in(rosa, name, STATISTICS)


@contextmanager
def on_engine(name: str, copies: Copies, folder: Path, filling: Filling) -> Iterator[Place]:
    """A furnished installation, filled further, on "sqlite" or "postgresql".

    Where the server of PostgreSQL lets nobody make a database it is made anew each time, in a schema.
    """
    if name == "sqlite":
        yield copies.copy(folder, filling)
    elif makes_databases():
        made = copies.made_on_postgresql(filling)
        with a_database(like=made.settings.database_url) as address:
            yield from _until_over(copied(made, folder, DATABASE_URL=address))
    else:
        with a_schema() as address:
            made = a_furnished_place(folder, DATABASE_URL=address)
            filling(made)
            yield from _until_over(made)


def _until_over(place: Place) -> Iterator[Place]:
    yield place
    place.engine.dispose()


def copied(made: Place, folder: Path, **environment: str) -> Place:
    """The same installation in this new folder; its clock goes on from there. Nobody writes into it meanwhile.

    What lies in no file, a database on a server, is copied by whoever names the copy in `environment`.
    """
    checkpoint(made.engine)
    shutil.copytree(made.settings.instance, folder, ignore=shutil.ignore_patterns("*-shm", "*-wal"))
    settings, engine = opened(folder, **environment)
    return replace(
        made,
        settings=settings,
        engine=engine,
        clock=Clock(made.clock()),
        sheets_of=dict(made.sheets_of),
        workers=dict(made.workers),
    )


@contextmanager
def copies_in(folder: Path) -> Iterator[Copies]:
    """Installations that are made once in this folder, and gone afterwards, wherever they lie."""
    with ExitStack() as kept:
        yield Copies(folder, kept)


class Copies:
    """What was made once, by what filled it; it lies in a folder of its own and is never used itself."""

    def __init__(self, folder: Path, kept: ExitStack) -> None:
        self._folder, self._kept = folder, kept
        self._made: dict[Filling, Place] = {}
        self._made_on_postgresql: dict[Filling, Place] = {}

    def copy(self, folder: Path, filling: Filling = nothing_more) -> Place:
        """A furnished installation in this new folder, filled further by `filling`; its clock goes on from there."""
        if filling not in self._made:
            self._made[filling] = self._fill(filling)
        return copied(self._made[filling], folder)

    def made_on_postgresql(self, filling: Filling) -> Place:
        """A furnished installation, filled further by `filling`, in a database to be copied: nobody is connected."""
        if filling not in self._made_on_postgresql:
            address = self._kept.enter_context(a_database())
            self._made_on_postgresql[filling] = self._fill(filling, DATABASE_URL=address)
        return self._made_on_postgresql[filling]

    def _fill(self, filling: Filling, **environment: str) -> Place:
        number = len(self._made) + len(self._made_on_postgresql)
        made = a_furnished_place(self._folder / str(number) / "instance", **environment)
        filling(made)
        made.engine.dispose()  # the last line that closes brings everything into the one file
        return made
