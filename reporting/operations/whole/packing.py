"""An installation in one sealed file, to be unpacked in another folder or on another machine.

The file opens with twelve words that are drawn when it is packed and stand in no file. What travels is a table with
reasons; whatever else lies in the folder stays. A folder that was packed serves no more, so that nobody tells anything
to a place that others have left; and what is unpacked is never older than what lies there.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import Engine, inspect

from reporting.config import SETTINGS, secrets_in
from reporting.crypto import receipts, sealing
from reporting.errors import AmparoError
from reporting.figures.release_ledger import NO_LEDGER
from reporting.i18n import T_, said
from reporting.operations import backups, retention
from reporting.operations.whole import snapshots
from reporting.operations.whole.snapshots import Prints
from reporting.storage import ledger
from reporting.storage.files import new_file, replace_file
from reporting.storage.locks import maintenance_lock

WORDS = 12  # of a list of 2048: 132 bits
MARK = "packed.json"  # in a folder that was packed: the day, and where the file lies
HALF, OVER = "half", "over"  # in it, while an installation is unpacked; and whether over one that was packed before
SETTINGS_FILE = "amparo.env"  # in the new folder: the settings as they were, for `amparo setup`
# what lies in the folder and travels -> why it must
TRAVELS = {
    "secrets.toml": T_("without it no receipt, password or page opens"),
    "team.pin": T_("which keys are believed; it never goes down"),
    ledger.FILE: T_("what was published before; no period is built twice"),
    f"{ledger.FOLDER}/*": T_("the figures that are out, byte by byte"),
    f"{backups.FOLDER}/*.key": T_("the keys of the months, with which the backups open"),
    backups.LAST: T_("how many cases the last backup held"),
    retention.STAMP: T_("when the tables were last written anew"),
}
# what belongs to a machine, and is asked or worked out there
OF_THE_MACHINE = {"AMPARO_INSTANCE", "DATABASE_URL", "RATELIMIT_STORAGE_URI", "MEMORY_FOLDER"}
STAYS = T_("sessions, open pages and invitations, locks, the reserve of the disk, and the database's own files")
# what goes from hand to hand where somebody else is to look after the same machine; the people who read keep theirs
HANDED_OVER = (
    T_("the way into the machine: she comes in with a key or a password of her own, then takes yours out"),
    T_("the accounts of the name and of the machine, and the e-mail address of the certificate"),
    T_("both sticks with the copies, and where each one lies"),
)
KEEP_NOTHING = T_(
    "Keep no copy. Nothing takes back what you could see as root: if you do not trust each other, move to a new machine"
    " with `amparo move pack`."
)
FOREIGN = T_(
    "In this file is %(name)s, which no installation packs: it is not from whom you think. Nothing was unpacked."
)
Say = Callable[[str], None]


class CannotMove(AmparoError):
    """Nothing is packed or unpacked. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What travelled: names of files, rows of each table."""

    files: tuple[str, ...]
    rows: int


def draw_words(below: Callable[[int], int], language: str) -> tuple[str, ...]:
    """The words that open a packed file."""
    return receipts.draw_words(WORDS, below, language)


def pack(
    engine: Engine, instance: Path, given: Mapping[str, str], target: Path, words: tuple[str, ...], now: float, say: Say
) -> Moved:
    """Write everything that travels into one sealed file, and mark the folder as packed."""
    files = sorted(path for pattern in TRAVELS for path in instance.glob(pattern) if path.is_file())
    names = tuple(path.relative_to(instance).as_posix() for path in files)
    settings = {name: given[name] for name in SETTINGS if given.get(name) and name not in OF_THE_MACHINE}
    with maintenance_lock(engine, instance, "move"):
        was_packed = is_packed(instance)
        replace_file(instance / MARK, json.dumps({"day": _day(now), "file": str(target)}).encode())
        try:
            with new_file(target) as file, backups.one_look(engine) as connection:
                head = {"settings": settings, "files": {name: _text(instance / name) for name in names}}
                lines = chain([head], snapshots.lines(connection, say))
                backups.write_lines(file, _day(now)[:7], _key(words), lines)
            with target.open("rb") as file:
                rows = sum(1 for _ in backups.rows_of(file, _key(words))) - 2
        except BaseException:
            if not was_packed:
                (instance / MARK).unlink()
            raise
    return Moved(names, rows)


def unpack(source: Path, typed: str, instance: Path, open_engine: Callable[[], Engine], say: Say) -> Moved:
    """Put an installation where nothing is, or back into a folder that was packed before.

    `open_engine` is asked once the secrets lie there. `CannotMove` before anything is changed, also when what lies
    there has been counted or trusted further than what comes; `BackupRefused` for a cut or changed file.
    """
    with source.open("rb") as file:
        lines = _opened(file, typed)
        head = next(lines)
        if "files" not in head:
            raise CannotMove(T_("This is a backup and no packed installation: put it back with `amparo restore`."))
        _is_ours(head)
        files = _files_of(head)
        _may_lie_in(instance, files)
        instance.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark = instance / MARK
        mark_before = mark.read_bytes() if mark.exists() else b""
        is_over = _is_over(instance)
        replace_file(mark, json.dumps({HALF: True, OVER: is_over}).encode())  # whoever is cut off here begins anew
        before = {name: (instance / name).read_bytes() for name in files if (instance / name).exists()}
        try:
            for name, content in files.items():
                _write(instance / name, content)
            with _in_use(open_engine()) as engine:
                if not is_over and not (mark_before and engine.dialect.name == "sqlite"):
                    _is_empty(engine)
                with maintenance_lock(engine, instance, "move"):
                    prints = snapshots.put_back(engine, lines, say)
        except BaseException:
            for name in files:
                _write(instance / name, before[name]) if name in before else (instance / name).unlink(missing_ok=True)
            replace_file(mark, mark_before) if mark_before else mark.unlink()
            raise
    settings = "".join(f"{name}={_quoted(value)}\n" for name, value in head["settings"].items())
    _write(instance / SETTINGS_FILE, settings.encode())
    (instance / MARK).unlink(missing_ok=True)
    return Moved(tuple(files), _count(prints))


def is_packed(instance: Path) -> bool:
    """Whether the installation of this folder was packed, so that it serves no more."""
    return (instance / MARK).exists()


def _is_over(instance: Path) -> bool:
    """Whether what is unpacked comes in the place of what was packed here, also at a second try."""
    noted = _noted(instance) if is_packed(instance) else {HALF: True}
    return bool(noted.get(OVER, not noted.get(HALF)))


def is_half(instance: Path) -> bool:
    """Whether one was not unpacked to its end here."""
    return bool(_noted(instance).get(HALF))


def _noted(instance: Path) -> dict[str, Any]:
    """What the mark says; nothing where there is none, or it cannot be read."""
    try:
        noted = json.loads((instance / MARK).read_bytes())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def stay(instance: Path) -> bool:
    """It serves here again after all: nothing was unpacked elsewhere. False where it was not, or is half here."""
    there = is_packed(instance) and not is_half(instance)
    if not there:
        return False
    (instance / MARK).unlink(missing_ok=True)
    return there


def _opened(file: Any, typed: str) -> Iterator[dict[str, Any]]:
    for words in receipts.read_words(typed, WORDS):
        file.seek(0)
        lines = backups.rows_of(file, _key(words))
        try:
            head = next(lines)
        except backups.BackupRefused:
            continue
        return chain([head], lines)
    raise CannotMove(
        said(
            "These %(count)s words do not open this file: a word is another one, or the file is cut or of another "
            "move.",
            count=WORDS,
        )
    )


def _is_ours(head: Mapping[str, Mapping[str, str]]) -> None:
    """Raise `CannotMove` for a name that nothing of ours packs: root writes what is unpacked, and starts by it."""
    parts = [head["files"], head.get("settings")]
    if not all(isinstance(part, dict) and all(isinstance(text, str) for text in part.values()) for part in parts):
        raise CannotMove(backups.BENT)
    files = (name for name in head["files"] if not any(_spells(pattern, name) for pattern in TRAVELS))
    settings = (name for name in head["settings"] if name not in SETTINGS or name in OF_THE_MACHINE)
    foreign = next(chain(files, settings), None)
    if foreign is not None:
        raise CannotMove(said(FOREIGN, name=repr(foreign)))


def _spells(pattern: str, name: str) -> bool:
    """Whether a name is one of the pattern, spelt as we spell it: folder by folder, and none that leads up."""
    parts, path = pattern.split("/"), PurePosixPath(name)
    is_plain = str(path) == name and ".." not in path.parts and len(path.parts) == len(parts)
    return is_plain and all(map(fnmatchcase, path.parts, parts))


def _files_of(head: Mapping[str, Mapping[str, str]]) -> dict[str, bytes]:
    """The files that come. `CannotMove` where they are none, or nothing would start with their secrets."""
    try:
        files = {name: base64.b64decode(text) for name, text in head["files"].items()}
        secrets_in(files.get("secrets.toml", b""))
    except ValueError:
        raise CannotMove(backups.BENT) from None
    return files


def _may_lie_in(instance: Path, files: Mapping[str, bytes]) -> None:
    """Raise `CannotMove` where somebody else's installation lies, or one that is further than what comes."""
    if (instance / "secrets.toml").exists() and not is_packed(instance):
        words = T_("In %(folder)s is an installation that was not packed. Choose an empty folder.")
        raise CannotMove(said(words, folder=instance))
    there = (instance / ledger.FILE).read_bytes() if (instance / ledger.FILE).exists() else b"{}"
    published, comes = _bytes_of(there, NO_LEDGER), _bytes_of(files.get(ledger.FILE, b"{}"), backups.BENT)
    if not published.items() <= comes.items():
        raise CannotMove(T_("Figures were published here that the packed installation does not know: it is older."))


def _bytes_of(raw: bytes, words: str) -> dict[str, str]:
    """Period -> what its bytes are known by, in a ledger. `CannotMove` with these words where it is none."""
    try:
        return {entry.period: entry.sha256 for entry in ledger.entries_in(raw)}
    except ledger.NoLedger:
        raise CannotMove(words) from None


def _is_empty(engine: Engine) -> None:
    with engine.connect() as connection:
        if inspect(connection).get_table_names():
            raise CannotMove(T_("There are tables in this database. Name one that is empty, in DATABASE_URL."))


@contextmanager
def _in_use(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def _key(words: tuple[str, ...]) -> bytes:
    return sealing.derive(receipts.plain(" ".join(words)).encode(), "packed installation")  # without accents


def _text(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(path, content)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("$", "\\$").replace("`", "\\`")


def _count(prints: Prints) -> int:
    return sum(rows[0] for rows in prints.values())


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()
