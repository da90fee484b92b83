"""Where something of somebody lies: in files however it is spelt, and under every seal that a member's keys open.

Under seals it knows no table, no column and no kind of record by name, and not where a seal belongs: whatever is there
is looked through, also a table that nobody thought of. For proofs and never for reading: nothing of it is verified.
"""

from __future__ import annotations

import base64
import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from reporting.crypto import sealing
from reporting.teams.keyring import Keys


def places_with(database: Path, keys: Keys, needles: Sequence[bytes]) -> tuple[str, ...]:
    """The columns in which one of the needles stands under a seal that a member's keys, or a key there, open."""
    there = list(_sealed(database))
    vaults = {epoch.vault for epochs in keys.epochs.values() for epoch in epochs.values()}
    found_keys = {
        opened for _, raw in there for key in vaults if len(opened := sealing.look_through(key, raw)) == sealing.KEY
    }
    all_keys = [key for key in vaults | found_keys if len(key) == sealing.KEY]
    return tuple(sorted({where for where, raw in there if _stands(all_keys, raw, needles)}))


def _stands(keys: Sequence[bytes], raw: bytes, needles: Sequence[bytes]) -> bool:
    return any(needle in text for key in keys if (text := sealing.look_through(key, raw)) for needle in needles)


def _sealed(database: Path) -> Iterator[tuple[str, bytes]]:
    """Column and content of everything that is sealed under a key."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as line:
        line.row_factory = sqlite3.Row
        for (table,) in line.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in line.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 -- a table that is there
                yield from (
                    (f"{table}.{column}", row[column])
                    for column in row.keys()  # noqa: SIM118 -- a Row
                    if isinstance(row[column], bytes) and sealing.is_under_a_key(row[column])
                )


def spellings(*texts: str) -> tuple[bytes, ...]:
    """How a text can stand in a file: two widths of letters, and written as letters of base 64 at three offsets."""
    raw = [text.encode(width) for text in texts for width in ("utf-8", "utf-16-le")]
    heads = (0, 2, 3)  # signs that also hold what stands before
    written = [base64.b64encode(bytes(shift) + text)[heads[shift] : -4] for text in raw for shift in range(3)]
    return (*raw, *written, *(letters.replace(b"+", b"-").replace(b"/", b"_") for letters in written))


def lying(root: Path, needles: Sequence[bytes]) -> dict[str, tuple[str, ...]]:
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
    files = {place: those_with(paths, needles) for place, paths in places.items()}
    dump = _dump(database)  # what is longer than a page of the file does not lie in one piece there
    if any(needle in dump for needle in needles):
        files["database"] = (database.name,)
    return files


def files_with(folder: Path, needles: Sequence[bytes]) -> tuple[str, ...]:
    """The files of a folder in which one of the needles stands."""
    return those_with(sorted(folder.rglob("*")), needles)


def those_with(paths: Sequence[Path], needles: Sequence[bytes]) -> tuple[str, ...]:
    """Those of these files in which one of the needles stands."""
    return tuple(path.name for path in paths if path.is_file() and _holds(path.read_bytes(), needles))


def _holds(hay: bytes, needles: Sequence[bytes]) -> bool:
    return any(needle in hay for needle in needles)


def _dump(database: Path) -> bytes:
    """Every row as text, without the tree of places, which is long and not hers."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as line:
        return "\n".join(row for row in line.iterdump() if not row.startswith('INSERT INTO "place"')).encode()
