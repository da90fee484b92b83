"""What a server in front leaves behind: what its logs grew by, whether temporary folders were used, what lies there.

Looks before and after, and says of what is there only whether given words stand in it. Knows no server by name beyond
the folders in which the usual ones write.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reporting.operations.seal_search import spellings

LOGS = ("/var/log",)
TEMPORARY = ("/var/lib/nginx", "/var/cache/nginx", "/var/lib/caddy", "/var/spool/nginx")
FOR_EVERYBODY = ("/tmp", "/var/tmp")  # noqa: S108 -- looked into, never written
MOST = 64 * 1024 * 1024  # bytes of one file that are looked through
JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class Before:
    """How long each file was, and when something was made in each folder."""

    lengths: dict[Path, int]
    touched: dict[Path, tuple[int, frozenset[str]]]


def watched(more: Sequence[Path], memory: Path) -> tuple[Path, ...]:
    """The folders in which a server in front may write."""
    front = sorted(memory.glob("amparo-front-*"))
    return tuple(path for path in (*map(Path, (*LOGS, *TEMPORARY)), *front, *more) if path.is_dir())


def look(folders: Sequence[Path]) -> Before:
    """Remember how it is now."""
    files = {path: _size(path) for path in _files(folders)}
    touched = {path: (_moment(path), _names(path)) for path in _folders(folders)}
    return Before(files, touched)


def grown(folders: Sequence[Path], before: Before) -> dict[Path, bytes]:
    """File -> what it grew by; the whole of a new one."""
    return {path: added for path in _files(folders) if (added := _read(path, before.lengths.get(path, 0)))}


def used(folders: Sequence[Path], before: Before) -> tuple[str, ...]:
    """Folders in which something was made and taken away again, as a temporary file is."""
    now = {path: (_moment(path), _names(path)) for path in _folders(folders)}
    return tuple(
        str(path)
        for path, (moment, names) in now.items()
        if path in before.touched and before.touched[path][0] != moment and before.touched[path][1] == names
    )


def lies(folders: Sequence[Path], words: Sequence[str], since: float) -> tuple[str, ...]:
    """The files, changed since a moment, in which one of these words stands; also where everybody may write.

    What has no name comes first: it is gone as soon as the server in front is done with it.
    """
    needles = spellings(*words)
    nameless = [str(path) for path in _without_a_name(folders) if _holds(path, needles)]
    paths = (*_files(folders), *_files([Path(name) for name in FOR_EVERYBODY]))
    return (*nameless, *(str(path) for path in paths if _changed(path) >= since and _holds(path, needles)))


def unreadable(folders: Sequence[Path]) -> tuple[str, ...]:
    """Files that this user may not read."""
    return tuple(str(path) for path in _files(folders) if not _may_read(path))


def journal(seconds: float) -> bytes | None:
    """What the system's journal took in of late; None where there is none, or it may not be read."""
    tool = shutil.which("journalctl")
    if tool is None:
        return None
    command = [tool, f"--since=-{int(seconds) + 2}s", "--no-pager", "--quiet", "--output=cat"]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 -- our own arguments
    return done.stdout if done.returncode == 0 else None


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        for inside, _, names in os.walk(folder):
            yield from (path for name in names if _is_a_file(path := Path(inside, name)))


def _is_a_file(path: Path) -> bool:
    """A file of its own, as it lies. What lies in /tmp may be of others, and lead where not even root may look."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _without_a_name(folders: Sequence[Path]) -> Iterator[Path]:
    """Files that a program has open there and took the name from, as nginx does: on the disk they lie all the same."""
    inside = tuple(f"{folder}/" for folder in (*folders, *FOR_EVERYBODY))
    for path in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            name = str(path.readlink())
            if name.endswith(" (deleted)") and name.startswith(inside):
                yield path


def _folders(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (Path(inside) for inside, _, _ in os.walk(folder))


def _holds(path: Path, needles: Sequence[bytes]) -> bool:
    content = _read(path, 0)
    return any(needle in content for needle in needles)


def _changed(path: Path) -> float:
    return _moment(path) / 1e9


def _moment(path: Path) -> int:
    """When it was changed last (nanoseconds since 1970); 0 where it went meanwhile."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it went meanwhile
        return 0


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        return frozenset()


def _may_read(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _read(path: Path, start: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start if path.stat().st_size >= start else 0)  # a shorter one was begun anew
            return file.read(MOST)
    except OSError:
        return b""
