"""The proof that nothing stays behind: an invented report is told to a throw-away installation, and looked for.

The installation lies in a temporary folder and is served by the very program that serves the real one, in a process
of its own; the real one is neither read nor written. What is looked for is a marker that stands nowhere else. Each
proof is a row of a table: how it is seen, what is said when it holds, what to do when it does not.
"""

from __future__ import annotations

import base64
import contextlib
import html
import http.client
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
from urllib.parse import urlencode

from reporting import members, sessions, staff
from reporting.config import ROOT, SECRET, SETTINGS, Settings, make_secrets, problems_on_this_machine, read_settings
from reporting.database import checkpoint, open_database, upgrade_tables, writing
from reporting.questionnaire import LONGEST_TEXT, PAGES
from reporting.teamlog import CASE_WORKER, Pin

try:
    import resource
except ImportError:  # not on Windows, which has no core files either
    resource = None  # type: ignore[assignment]

SERVER = (sys.executable, "-m", "reporting")  # the program; tests hand in one that is broken in one place
PATIENCE = 60.0  # seconds for the trial server to begin answering; a small machine takes five
A_MOMENT = 0.05  # seconds between two tries to reach it
PIECE, STEP = 32, 500  # bytes: what is known again of a sealed record, and how far apart such pieces are taken
HEAD = 24  # bytes at the start of a sealed record that others have too
WALKING = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-User": "?1"}
LONG_AGO = 1_000_000_000  # a time that no file of a trial has by itself


class NoTrial(Exception):
    """The trial could not be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was found after an invented report was told, sent, come back to and erased."""

    lying: Mapping[str, tuple[str, ...]]  # place -> names of files in which her words or her code stood
    asked_for_temporary: bool  # the folder for temporary files was used, even if nothing is left in it
    seen: int  # pieces of her sealed report that the search found before the erasure; of so many
    of: int
    left: tuple[str, ...]  # files in which a piece stood after it
    ahead: int  # bytes of the write-ahead log right after it
    cores: str | None  # the limit for core files in the process that serves; None where the system does not show it
    swaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """One sentence about a trial. `holds` is None where this system does not let us look."""

    code: str
    holds: bool | None
    says: str


@dataclass(frozen=True, slots=True)
class _Row:
    """How a proof is seen, what is said when it holds, and what to do when it does not."""

    holds: Callable[[Trial], bool | None]
    good: str
    bad: str


def _nothing_in(place: str) -> Callable[[Trial], bool]:
    return lambda trial: not trial.lying.get(place)


UPGRADE = "Do not take reports with this version: install it anew, and tell the people who make it."
PROOFS: Mapping[str, _Row] = {
    "search": _Row(
        lambda trial: trial.seen * 2 > trial.of > 0,
        "The search sees what is there: the sealed report lay in the database before it was erased.",
        f"The search does not see the sealed report in the database, so the other proofs prove nothing. {UPGRADE}",
    ),
    "database": _Row(
        _nothing_in("database"),
        "No word of a report and no code lies in the database.",
        f"Words of a report or its code lie readable in the database. {UPGRADE}",
    ),
    "write-ahead log": _Row(
        _nothing_in("write-ahead log"),
        "No word of a report and no code lies in the database's write-ahead log.",
        f"Words of a report or its code lie readable in the database's write-ahead log. {UPGRADE}",
    ),
    "folder": _Row(
        _nothing_in("folder"),
        "No word of a report and no code lies in any other file of the folder.",
        f"Words of a report or its code lie readable in a file of the folder. {UPGRADE}",
    ),
    "temporary files": _Row(
        lambda trial: not trial.asked_for_temporary and not trial.lying.get("temporary files"),
        "Nothing was put into temporary files.",
        f"Something was put into a temporary file while a report was sent. {UPGRADE}",
    ),
    "log": _Row(
        _nothing_in("log"),
        "No word of a report and no code stands in what the program prints.",
        f"Words of a report or its code stand in what the program prints. Destroy its log. {UPGRADE}",
    ),
    "erased": _Row(
        lambda trial: not trial.left,
        "Of an erased report not even sealed bytes are left in the files.",
        "Sealed bytes of an erased report are still in the files: the database does not overwrite what is erased. "
        f"Run `amparo sweep --rewrite` now and every night. {UPGRADE}",
    ),
    "emptied": _Row(
        lambda trial: trial.ahead == 0,
        "The write-ahead log is empty after an erasure.",
        "The write-ahead log is not emptied by an erasure. Close every other program that has the database open.",
    ),
    "core files": _Row(
        lambda trial: None if trial.cores is None else trial.cores == "0",
        "A crash of the process that serves leaves no picture of the memory.",
        "A crash of the process that serves would leave a picture of the memory: set the limit for core files to 0.",
    ),
    "swap": _Row(
        lambda trial: not trial.swaps,
        "This computer swaps to no disk that could be read.",
        "This computer swaps to a disk that could be read.",
    ),
}  # fmt: skip
UNSEEN = "This system does not show whether a crash leaves a picture of the memory."


def prove(server: Sequence[str] = SERVER) -> tuple[Proof, ...]:
    """Every proof, by one trial. It takes a few seconds and leaves nothing."""
    try:
        with tempfile.TemporaryDirectory(prefix="amparo-check-") as folder:
            trial = _try(Path(folder), server)
    except NoTrial as why:
        return (Proof("trial", holds=False, says=f"The trial could not be made, so nothing is proved: {why}"),)
    return tuple(_read(code, row, trial) for code, row in PROOFS.items())


def _read(code: str, row: _Row, trial: Trial) -> Proof:
    holds = row.holds(trial)
    if code == "swap" and not holds:
        return Proof(code, holds=holds, says=" ".join(trial.swaps))  # they name the disk
    return Proof(code, holds=holds, says=UNSEEN if holds is None else row.good if holds else row.bad)


# ── the trial ───────────────────────────────────────────────────────────────────────────────────────────────


def _try(root: Path, server: Sequence[str]) -> Trial:
    instance, temporary, memory = root / "instance", root / "temporary", root / "memory"
    temporary.mkdir()
    memory.mkdir()
    port = _free_port()
    told = {"AMPARO_INSTANCE": str(instance), "BASE_URL": f"http://127.0.0.1:{port}", "MEMORY_FOLDER": str(memory)}
    settings = _furnished(instance, told)
    os.utime(temporary, (LONG_AGO, LONG_AGO))  # whatever is made in it, even for a moment, changes this
    ours = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"), str(temporary))
    around = {name: value for name, value in os.environ.items() if name not in SETTINGS} | told | ours
    marker = "z" + secrets.token_hex(12)
    with _serving([*server, "serve", "--workers", "1", "--port", str(port)], around, root / "log", port) as process:
        cores = _core_limit(process.pid)
        phone = _Phone(port)
        code = _tells(phone, marker)
        needles = _spellings(marker, *(between.join(code) for between in ("", " ", "-")))
        after_sending = _lying(root, needles)
        seen, of = _pieces(settings)
        _comes_back_and_erases(phone, code)
        ahead = sum(path.stat().st_size for path in instance.glob("*.db-wal"))
        left = _files_with(instance, seen)
        after_erasing = _lying(root, needles)
    at_the_end = _lying(root, needles)
    looks = (after_sending, after_erasing, at_the_end)
    return Trial(
        lying={place: tuple(sorted({name for look in looks for name in look[place]})) for place in at_the_end},
        asked_for_temporary=temporary.stat().st_mtime != LONG_AGO,
        seen=len(seen), of=of, left=left, ahead=ahead, cores=cores, swaps=problems_on_this_machine(),
    )  # fmt: skip


def _furnished(instance: Path, told: Mapping[str, str]) -> Settings:
    """An installation with one case worker, who made the keys, as her browser would have it made."""
    make_secrets(instance, os.urandom(2 * SECRET))
    settings, now = read_settings(told), time.time()
    engine, pin, below = open_database(settings.database_url), Pin(settings.pin_file), secrets.randbelow
    upgrade_tables(engine)
    password, totp = staff.suggest_password(below, "es"), members.new_totp_secret()
    new = members.new_member("prueba", (CASE_WORKER,), password, totp, settings.pepper)
    with writing(engine) as db:
        sessions.open_day(db, now)
        token = staff.invite(db, "prueba", (CASE_WORKER,), now)
        sheets = staff.draw_sheets(below, "es")
        made = staff.accept(db, pin, token, new, now, sheets.key_pair().public, "prueba")
    pin.begin(made)
    engine.dispose()
    return settings


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _serving(command: Sequence[str], around: Mapping[str, str], log: Path, port: int
             ) -> Iterator[subprocess.Popen[bytes]]:  # fmt: skip
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
    raise NoTrial(said[-1] if said else "its server does not answer.")


def _core_limit(process: int) -> str | None:
    """The soft limit as the system tells it of another process."""
    try:
        told = Path(f"/proc/{process}/limits").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^Max core file size\s+(\S+)", told, re.MULTILINE)
    return found[1] if found else None


# ── what she does ───────────────────────────────────────────────────────────────────────────────────────────


class _Phone:
    """As much of a browser as is needed to tell, to come back and to erase."""

    def __init__(self, port: int) -> None:
        self._port, self.page = port, ""

    def asks(self, method: str, path: str, **typed: str) -> str:
        """The next page. Every form of ours carries one sealed field, `t`."""
        ticket = re.search(r'name="t" value="([^"]+)"', self.page)
        body = urlencode(typed | ({"t": html.unescape(ticket[1])} if ticket else {})) if method == "POST" else None
        status, onward = self._ask(method, path, body)
        while status == http.HTTPStatus.SEE_OTHER:
            status, onward = self._ask("GET", onward, None)
        if status not in {http.HTTPStatus.OK, http.HTTPStatus.NON_AUTHORITATIVE_INFORMATION}:
            raise NoTrial(f"its server answered {status}.")
        return self.page

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        """(status, where it leads) of an answer."""
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            line.request(method, path, body, WALKING)
            answer = line.getresponse()
            self.page = answer.read().decode()
        except (OSError, http.client.HTTPException) as why:
            raise NoTrial(f"its server broke off the line ({type(why).__name__}).") from why
        finally:
            line.close()
        return answer.status, answer.headers.get("Location", "")


def _tells(phone: _Phone, marker: str) -> list[str]:
    """She writes as much as the page takes, and sends it. Her code comes back, as digits."""
    words = f"{marker} {'relleno ' * LONGEST_TEXT}"[: LONGEST_TEXT - 100] + f" {marker}"
    phone.asks("POST", "/es/contar", go="begin")
    for _ in PAGES:
        phone.asks("POST", "/es/contar", go="next", narrative=words)
    phone.asks("POST", "/es/contar", go="send", letters="1")
    found = re.search(r'<p class="digits">(.*?)</p>', phone.page, re.DOTALL)
    if found is None:
        raise NoTrial("the report was not taken.")
    return re.findall(r"<span>(.*?)</span>", found[1])


def _comes_back_and_erases(phone: _Phone, code: Sequence[str]) -> None:
    phone.asks("GET", "/es/volver")
    for typed in ({"code": " ".join(code)}, {"go": "ask-erase"}, {"go": "erase"}):
        phone.asks("POST", "/es/volver", **typed)


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────


def _spellings(*texts: str) -> tuple[bytes, ...]:
    """How a text can stand in a file: two widths of letters, and written as letters of base 64 at three offsets."""
    raw = [text.encode(width) for text in texts for width in ("utf-8", "utf-16-le")]
    heads = (0, 2, 3)  # signs that also hold what stands before
    written = [base64.b64encode(bytes(shift) + one)[heads[shift] : -4] for one in raw for shift in range(3)]
    return (*raw, *written, *(one.replace(b"+", b"-").replace(b"/", b"_") for one in written))


def _lying(root: Path, needles: Sequence[bytes]) -> dict[str, tuple[str, ...]]:
    """Place -> files there in which one of the needles stands."""
    instance = root / "instance"
    database, ahead = instance / "amparo.db", [instance / "amparo.db-wal", instance / "amparo.db-shm"]
    rows = list((root / "memory").rglob("*"))
    others = [*rows, *(path for path in instance.rglob("*") if path not in {database, *ahead})]
    places = {
        "database": [database],
        "write-ahead log": ahead,
        "folder": others,
        "temporary files": list((root / "temporary").rglob("*")),
        "log": [root / "log"],
    }
    found = {place: _those_with(paths, needles) for place, paths in places.items()}
    told = _dump(database)  # what is longer than a page of the file does not lie in one piece there
    if any(needle in told for needle in needles):
        found["database"] = (database.name,)
    return found


def _files_with(folder: Path, needles: Sequence[bytes]) -> tuple[str, ...]:
    return _those_with(sorted(folder.rglob("*")), needles)


def _those_with(paths: Sequence[Path], needles: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(path.name for path in paths if path.is_file() and _holds(path.read_bytes(), needles))


def _holds(hay: bytes, needles: Sequence[bytes]) -> bool:
    return any(needle in hay for needle in needles)


def _dump(database: Path) -> bytes:
    """Every row as text, without the tree of places, which is long and not hers."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as line:
        return "\n".join(row for row in line.iterdump() if not row.startswith('INSERT INTO "place"')).encode()


def _pieces(settings: Settings) -> tuple[tuple[bytes, ...], int]:
    """Pieces of the sealed report that are seen in the database's file once the log is emptied into it; of how many."""
    engine = open_database(settings.database_url)
    checkpoint(engine)
    engine.dispose()
    database = settings.instance / "amparo.db"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as line:
        asked = (
            "SELECT body FROM record UNION ALL SELECT card FROM case_file UNION ALL SELECT receipt_key FROM case_file"
        )
        bodies = [bytes(row[0]) for row in line.execute(asked)]
    all_of = [body[at : at + PIECE] for body in bodies for at in range(HEAD, len(body) - PIECE, STEP)]
    hay = database.read_bytes()
    return tuple(piece for piece in all_of if piece in hay), len(all_of)
