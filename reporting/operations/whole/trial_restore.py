"""A backup tried out: put back into nothing, in memory, beside copies of the pin and the ledger, and thrown away.

In memory alone: on a disk, what is erased later would lie in a place that no sweep overwrites. It opens no case, for
which a member's password would be needed: it shows that every row comes back and that the team log holds.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from reporting.config import Settings
from reporting.i18n import T_, said
from reporting.operations import backups, restoring
from reporting.operations.backups import BackupRefused
from reporting.operations.restoring import Restored
from reporting.sessions import page_rows
from reporting.storage import ledger
from reporting.storage.database import open_database, upgrade_tables
from reporting.teams.team_log import Pin

TIMES = 4  # as much room as the file takes: the tables, what SQLite writes ahead, and some to spare
LEAST = 32 * 2**20  # bytes that a trial takes in any case
NO_MEMORY = T_(
    "It was not tried by putting it back: there is no folder in memory (%(place)s) with %(needed)s MB free. Carry it "
    "to a machine that has one, with the folder of the instance but not its database, and run `amparo check --backup "
    "FILE`."
)
Say = Callable[[str], None]


class CannotTry(BackupRefused):
    """There is no room in memory for a trial, or there are no keys yet. It says nothing about the backup."""


def try_out(settings: Settings, file: Path, now: float, say: Say) -> Restored:
    """Put a backup back into nothing. Nothing of the installation is changed but the day of the trial.

    `CannotTry` where it cannot be tried here, `BackupRefused` where it would not come back.
    """
    place, needed = page_rows.in_memory(settings), max(LEAST, TIMES * file.stat().st_size)
    if not place.is_dir() or shutil.disk_usage(place).free < needed:
        raise CannotTry(said(NO_MEMORY, place=place, needed=needed // 2**20))
    if not settings.pin_file.exists():
        raise CannotTry(T_("It was not tried by putting it back: no case worker has made the keys yet."))
    with tempfile.TemporaryDirectory(prefix="amparo-trial-", dir=place) as folder:
        done = _put_back(settings, Path(folder), file, now, say)
    backups.note_tried(settings.instance, now)
    return done


def _put_back(settings: Settings, folder: Path, file: Path, now: float, say: Say) -> Restored:
    shutil.copy(settings.pin_file, folder)
    for name in (ledger.FILE, ledger.FOLDER):
        _copy_if_there(settings.instance / name, folder / name)
    (folder / backups.FOLDER).symlink_to((settings.instance / backups.FOLDER).resolve())
    engine = open_database(f"sqlite:///{folder / 'trial.db'}", settings.time_zone)
    try:
        upgrade_tables(engine)
        return restoring.restore(engine, Pin(folder / "team.pin"), folder, file, settings.pepper, now, say)
    finally:
        engine.dispose()


def _copy_if_there(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copy(source, target)
