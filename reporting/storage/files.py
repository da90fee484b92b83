"""Small files beside the database: replaced whole, by one process at a time. Knows nothing of what stands in them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # not on Windows, where one process serves
    fcntl = None  # type: ignore[assignment]


def rewrite_json(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change an object that lies in a file, empty where there is none yet. `ValueError` where it is none.

    What two processes change at once is kept of both; after a power cut it lies there as before or as changed.
    """
    with _alone_in(path.parent):
        before = path.read_text(encoding="utf-8") if path.exists() else "{}"
        replace_file(path, json.dumps(change(json.loads(before))).encode())


def replace_file(path: Path, content: bytes) -> None:
    """Put a file there whole: after a power cut it lies there as before or as told."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that was not there and only its owner reads: what is written lies on the disk when it ends."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def overwrite(path: Path) -> None:
    """Take a file away, with nothing left of what stood in it."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def lock_file(file: int, *, wait: bool) -> bool:
    """Hold the lock of an open file until it is closed. False where somebody else has it and one does not wait."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Whoever else wants to change a file of this folder waits."""
    if fcntl is None:  # and where that is so, a folder is no file that can be opened
        yield
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        lock_file(place, wait=True)
        yield
    finally:
        os.close(place)  # which lets go of the lock
