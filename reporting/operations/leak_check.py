"""The leak check: an invented report is told to a throw-away installation, and then looked for on disk.

The installation lies in a temporary folder and is served by the very program that serves the real one, in a
process of its own; the real one is neither read nor written. What is looked for is a marker that stands
nowhere else. Each proof is a row of a table: how it is seen, what is said when it holds, what to do when it
does not.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from reporting.cases import records
from reporting.config import ROOT, SECRET, SETTINGS, Settings, make_secrets, problems_on_this_machine, read_settings
from reporting.i18n import T_, joined, said
from reporting.operations import seal_search
from reporting.operations.trial_phone import PATIENCE, NoTrial, Phone
from reporting.sessions import day_seeds
from reporting.storage.database import checkpoint, open_database, reading, upgrade_tables, writing
from reporting.storage.models import CaseRow
from reporting.teams import accounts, keyring, members, passwords
from reporting.teams.accounts import Invitation
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER, Pin
from reporting.vocabulary.answers import route
from reporting.vocabulary.lengths import SHORT
from reporting.vocabulary.questions import LONGEST_TEXT

try:
    import resource
except ImportError:  # not on Windows, which has no core files either
    resource = None  # type: ignore[assignment]
SERVER = (sys.executable, "-m", "reporting")  # the program; tests hand in one that is broken in one place
A_MOMENT = 0.05  # seconds between two tries to reach it
NAME, ACT = "prueba", "FORCED_MARRIAGE"  # who reads in the trial; what is told to have happened
PIECE, STEP = 32, 500  # bytes: what is known again of a sealed record, and how far apart such pieces are taken
HEAD = 24  # bytes at the start of a sealed record that others have too
LONG_AGO = 1_000_000_000  # a time that no file of a trial has by itself


@dataclass(frozen=True, slots=True)
class TrialRun:
    """What was found after an invented report was told, sent, come back to and erased."""

    lying: Mapping[str, tuple[str, ...]]  # place -> names of files in which her words or her code stood
    asked_for_temporary: bool  # the folder for temporary files was used, even if nothing is left in it
    seen: int  # pieces of her sealed report that the search found before the erasure; of so many
    of: int
    left: tuple[str, ...]  # files in which a piece stood after it
    opened: tuple[str, ...]  # columns in which a member's keys found her, while her report was there
    still: tuple[str, ...]  # and in which they found her after the erasure
    ahead: int  # bytes of the write-ahead log right after it
    cores: str | None  # the limit for core files in the process that serves; None where the system does not show it
    swaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """One sentence about a trial. `holds` is None where this system does not let us look."""

    code: str
    holds: bool | None
    says: str


UPGRADE = T_("Do not take reports with this version: install it anew, and tell the people who make it.")


@dataclass(frozen=True, slots=True)
class _Row:
    """How a proof is seen, what is said when it holds and when it does not, and what to do then."""

    holds: Callable[[TrialRun], bool | None]
    good: str
    bad: str
    then: str = UPGRADE


def _nothing_in(place: str) -> Callable[[TrialRun], bool]:
    return lambda trial: not trial.lying.get(place)


PROOFS: Mapping[str, _Row] = {
    "search": _Row(
        lambda trial: trial.seen * 2 > trial.of > 0,
        T_("The search sees what is there: the sealed report lay in the database before it was erased."),
        T_("The search does not see the sealed report in the database, so the other proofs prove nothing."),
    ),
    "database": _Row(
        _nothing_in("database"),
        T_("No word of a report and no code lies in the database."),
        T_("Words of a report or its code lie readable in the database."),
    ),
    "write-ahead log": _Row(
        _nothing_in("write-ahead log"),
        T_("No word of a report and no code lies in the database's write-ahead log."),
        T_("Words of a report or its code lie readable in the database's write-ahead log."),
    ),
    "folder": _Row(
        _nothing_in("folder"),
        T_("No word of a report and no code lies in any other file of the folder."),
        T_("Words of a report or its code lie readable in a file of the folder."),
    ),
    "temporary files": _Row(
        lambda trial: not trial.asked_for_temporary and not trial.lying.get("temporary files"),
        T_("Nothing was put into temporary files."),
        T_("Something was put into a temporary file while a report was sent."),
    ),
    "log": _Row(
        _nothing_in("log"),
        T_("No word of a report and no code stands in what the program prints."),
        T_("Words of a report or its code stand in what the program prints. Destroy its log."),
    ),
    "erased": _Row(
        lambda trial: not trial.left,
        T_("Of an erased report not even sealed bytes are left in the files."),
        T_(
            "Sealed bytes of an erased report are still in the files: the database does not overwrite what is erased. "
            "Run `amparo sweep --rewrite` now and every night."
        ),
    ),
    "opened": _Row(
        lambda trial: len(trial.opened) > 1 and not trial.still,
        T_("Whatever a member's keys open, nothing of an erased report is left under any seal."),
        T_(
            "A member's keys still find something of an erased report: a copy did not go with its case, or the search "
            "does not see."
        ),
    ),
    "emptied": _Row(
        lambda trial: trial.ahead == 0,
        T_("The write-ahead log is empty after an erasure."),
        T_("The write-ahead log is not emptied by an erasure. Close every other program that has the database open."),
        "",
    ),
    "core files": _Row(
        lambda trial: None if trial.cores is None else trial.cores == "0",
        T_("A crash of the process that serves leaves no picture of the memory."),
        T_(
            "A crash of the process that serves would leave a picture of the memory: set the limit for core files to 0."
        ),
        "",
    ),
    "swap": _Row(
        lambda trial: not trial.swaps,
        T_("This computer swaps to no disk that could be read."),
        T_("This computer swaps to a disk that could be read."),
        "",
    ),
}
NO_TRIAL = T_("The trial could not be made, so nothing is proved: %(why)s")
UNSEEN = T_("This system does not show whether a crash leaves a picture of the memory.")


def run_checks(server: Sequence[str] = SERVER) -> tuple[Proof, ...]:
    """Every proof, by one trial. It takes a few seconds and leaves nothing."""
    try:
        with tempfile.TemporaryDirectory(prefix="amparo-check-") as folder:
            trial = _try(Path(folder), server)
    except NoTrial as why:
        return (Proof("trial", holds=False, says=said(NO_TRIAL, why=str(why))),)
    return tuple(_read(code, row, trial) for code, row in PROOFS.items())


def _read(code: str, row: _Row, trial: TrialRun) -> Proof:
    holds = row.holds(trial)
    if code == "swap" and not holds:
        return Proof(code, holds=holds, says=joined(trial.swaps, " "))  # they name the disk
    bad = joined((row.bad, row.then), " ") if row.then else row.bad
    return Proof(code, holds=holds, says=UNSEEN if holds is None else row.good if holds else bad)


def _try(root: Path, server: Sequence[str]) -> TrialRun:
    instance, temporary, memory = root / "instance", root / "temporary", root / "memory"
    temporary.mkdir()
    memory.mkdir()
    port = _free_port()
    environment = {
        "AMPARO_INSTANCE": str(instance),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "MEMORY_FOLDER": str(memory),
    }
    settings, member = furnished(instance, environment)
    os.utime(temporary, (LONG_AGO, LONG_AGO))  # whatever is made in it, even for a moment, changes this
    ours = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"), str(temporary))
    around = {name: value for name, value in os.environ.items() if name not in SETTINGS} | environment | ours
    marker = "z" + secrets.token_hex(12)
    with serving([*server, "serve", "--workers", "1", "--port", str(port)], around, root / "log", port) as process:
        cores = _core_limit(process.pid)
        phone = Phone(port)
        code = tells(phone, marker)
        needles = seal_search.spellings(marker, *(between.join(code) for between in ("", " ", "-")))
        _looks(Phone(port), member)
        plain_needles, database = [marker.encode(), ACT.encode(), *_numbers(settings)], instance / "amparo.db"
        opened = seal_search.places_with(database, member.keys, plain_needles)
        after_sending = seal_search.lying(root, needles)
        seen, of = _pieces(settings)
        _comes_back_and_erases(phone, code)
        ahead = sum(path.stat().st_size for path in instance.glob("*.db-wal"))
        left = seal_search.files_with(instance, seen)
        still = seal_search.places_with(database, member.keys, plain_needles)
        after_erasing = seal_search.lying(root, needles)
    at_the_end = seal_search.lying(root, needles)
    looks = (after_sending, after_erasing, at_the_end)
    return TrialRun(
        lying={place: tuple(sorted({name for look in looks for name in look[place]})) for place in at_the_end},
        asked_for_temporary=temporary.stat().st_mtime != LONG_AGO,
        seen=len(seen),
        of=of,
        left=left,
        opened=opened,
        still=still,
        ahead=ahead,
        cores=cores,
        swaps=problems_on_this_machine(),
    )


@dataclass(frozen=True, slots=True)
class TrialMember:
    """The case worker of the trial: what opens a session, and which keys are held."""

    password: str
    totp: bytes
    keys: Keys


def furnished(instance: Path, environment: Mapping[str, str]) -> tuple[Settings, TrialMember]:
    """An installation with one case worker, who made the keys, as a browser would have them made."""
    make_secrets(instance, os.urandom(2 * SECRET))
    settings, now = read_settings(environment), time.time()
    engine, pin, below = open_database(settings.database_url), Pin(settings.pin_file), secrets.randbelow
    upgrade_tables(engine)
    password, totp = passwords.suggest(below, "es"), members.new_totp_secret()
    new = members.new_member(NAME, (CASE_WORKER,), password, totp, settings.pepper)
    with writing(engine) as db:
        day_seeds.open_day(db, now)
        token = accounts.invite(db, members.nobody_yet(db), Invitation(NAME, (CASE_WORKER,)), settings.pepper, now)
        sheets = accounts.draw_sheets(below, "es")
        fresh = accounts.accept(db, pin, token, new, now, sheets.key_pair().public, NAME)
    pin.begin(fresh)
    with reading(engine) as db:
        before = members.totp_code(totp, now - 30)  # the step before, so that the one of now is not used up
        who = members.unlock(members.find_member(db, NAME), password, before, now, settings.pepper)
    with writing(engine) as db:
        keys = keyring.take_keys(db, pin, who)
    engine.dispose()
    return settings, TrialMember(password, totp, keys)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(
    command: Sequence[str], around: Mapping[str, str], log: Path, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """The program at a port of this machine, for as long as it is needed. Raises `NoTrial` where it does not begin."""
    with log.open("wb") as out, _cores_allowed():
        process = subprocess.Popen(list(command), cwd=ROOT, env=around, stdout=out, stderr=out)  # noqa: S603 -- ours
    try:
        _wait_for(process, port, log)
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _cores_allowed() -> Iterator[None]:
    """The process that serves has to switch core files off by itself, not to find them off by chance."""
    if resource is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(A_MOMENT)
            break
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise NoTrial(said[-1] if said else T_("its server does not answer."))


def _core_limit(process: int) -> str | None:
    """The soft limit as the system tells it of another process."""
    try:
        limits = Path(f"/proc/{process}/limits").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    line = re.search(r"^Max core file size\s+(\S+)", limits, re.MULTILINE)
    return line[1] if line else None


def tells(phone: Phone, marker: str) -> list[str]:
    """She writes as much as the page takes, and sends it. Her code comes back, as digits."""
    words = f"{marker} {'relleno ' * LONGEST_TEXT}"[: LONGEST_TEXT - 100] + f" {marker}"
    phone.asks("POST", "/es/contar", go="begin")
    for _ in route({"length": SHORT}):
        phone.asks("POST", "/es/contar", go="next", narrative=words, violence=ACT)
    phone.asks("POST", "/es/contar", go="send", letters="1")
    digits = re.search(r'<p class="c-digits">(.*?)</p>', phone.page, re.DOTALL)
    if digits is None:
        raise NoTrial(T_("the report was not taken."))
    return re.findall(r"<span>(.*?)</span>", digits[1])


def _looks(desk: Phone, member: TrialMember) -> None:
    """The case worker signs in, looks at the queue, reads the case, and looks again."""
    code = members.totp_code(member.totp, time.time())
    queue = desk.asks("POST", "/es/equipo", name=NAME, password=member.password, code=code)
    link = re.search(r'href="(/es/equipo/caso/[0-9]+)"', queue)
    if link is None:
        raise NoTrial(T_("the queue does not show the report."))
    for path in (link[1], "/es/equipo/casos"):
        desk.asks("GET", path)


def _numbers(settings: Settings) -> list[bytes]:
    """The numbers by which the reporter's case is known inside, as bytes."""
    engine = open_database(settings.database_url)
    with reading(engine) as db:
        cases = list(db.scalars(select(CaseRow.id)))
    engine.dispose()
    return [spelt.encode() for case in cases for spelt in (str(case), records.alias(case))]


def _comes_back_and_erases(phone: Phone, code: Sequence[str]) -> None:
    phone.asks("GET", "/es/volver")
    for typed in ({"code": " ".join(code)}, {"go": "ask-erase"}, {"go": "erase"}):
        phone.asks("POST", "/es/volver", **typed)


def _pieces(settings: Settings) -> tuple[tuple[bytes, ...], int]:
    """Pieces of the sealed report that are seen in the database's file once the log is emptied into it; of how many."""
    engine = open_database(settings.database_url)
    checkpoint(engine)
    engine.dispose()
    database = settings.instance / "amparo.db"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as line:
        query = (
            "SELECT body FROM record UNION ALL SELECT card FROM case_file UNION ALL SELECT receipt_key FROM case_file"
        )
        bodies = [bytes(row[0]) for row in line.execute(query)]
    all_of = [body[at : at + PIECE] for body in bodies for at in range(HEAD, len(body) - PIECE, STEP)]
    hay = database.read_bytes()
    return tuple(piece for piece in all_of if piece in hay), len(all_of)
