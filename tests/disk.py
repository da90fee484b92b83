"""A copy of a phone's disk, in somebody's hands: a browser's folder searched for what was typed, ticked or shown.

Looks into what browsers really write: plain bytes, UTF-16, forms as they are sent, Base64, gzip and zlib, Firefox's
LZ4, the rows of SQLite files with their write-ahead logs. Not into Brotli (Python has none, and no server of ours
speaks it) nor Snappy (LevelDB's tables, where only scripts write). Knows no page of ours.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby, pairwise
from pathlib import Path
from urllib.parse import quote, quote_plus

MOZILLA = b"mozLz40\0"  # then four bytes of length, then one LZ4 block
PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")  # gzip, zlib
BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}")
SQLITE = b"SQLite format 3\0"
EMPTY = bytes(64)  # databases are made large at once, and are mostly this
DEPTH = 3  # what is packed can lie in what is packed
LARGEST = 32 << 20  # bytes that one packed thing may become


def found(folder: Path, markers: Iterable[str]) -> list[str]:
    """Every marker that stands in a file below the folder, as "marker: file (how it is written)"."""
    wanted = sorted((_Wanted(marker, code) for marker in markers for code in CODES), key=lambda one: one.heart)
    return sorted(
        {
            f"{marker}: {_short(path.relative_to(folder))} ({how})"
            for path in _files(folder)
            for marker, how in _seen(b"\0".join(unfolded(path)).replace(EMPTY, b""), wanted)
        }
    )


def _seen(text: bytes, wanted: list[_Wanted]) -> Iterator[tuple[str, str]]:
    for heart, group in groupby(wanted, lambda one: one.heart):
        if heart in text:
            yield from ((one.marker, how) for one in group for how, spelt in one.spellings if spelt in text)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def _short(path: Path) -> str:
    """Without the numbers that differ from run to run."""
    return re.sub(r"\d{6,}", "*", str(path))


# ── how a marker can be written ─────────────────────────────────────────────────────────────────────────────

CODES = {"utf-8": "", "utf-16-le": ", UTF-16"}


class _Wanted:
    """A marker in one encoding. `heart` stands in all its spellings, and in a large file it is looked for first."""

    def __init__(self, marker: str, code: str) -> None:
        self.marker = marker
        self.heart = max(re.findall("[A-Za-z0-9]+", marker), key=len).encode(code)
        self.spellings = [(how + CODES[code], text.encode(code)) for text, how in spellings(marker).items()]


def spellings(marker: str) -> dict[str, str]:
    """A marker as text, in a form, in an address, on a page, in JSON -> how that is."""
    encoded, sent = quote(marker, safe=""), quote_plus(marker)
    ways = [
        ("as it is", marker),
        ("percent-encoded", encoded),
        ("percent-encoded", _small(encoded)),
        ("as a form is sent", sent),
        ("as a form is sent", _small(sent)),
        ("on a page", escape(marker)),
        ("in JSON", json.dumps(marker)[1:-1]),
    ]
    return {text: how for how, text in reversed(ways)}  # where two ways write the same, the first gives its name


def _small(encoded: str) -> str:
    """With small letters after the percent signs, as some write them."""
    return re.sub("%..", lambda sign: sign[0].lower(), encoded)


def of_a_receipt(words: Iterable[str], digits: Iterable[str]) -> list[str]:
    """Markers for a code: two neighbours each, as typed and as shown. A single word or group may stand anywhere."""
    lists = [list(words), list(digits)]
    pairs = [pair for one in lists for pair in pairwise(one)]
    return [between.join(pair) for pair in pairs for between in (" ", "", "-", "</span> <span>")]


# ── what a file holds ───────────────────────────────────────────────────────────────────────────────────────


def unfolded(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what is packed or stored in them."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:  # a browser at work makes files and takes them away
        return
    yield from _layers(raw, DEPTH)
    if raw.startswith(SQLITE):
        for value in _rows(path):
            yield from _layers(value, DEPTH - 1)


def _layers(raw: bytes, depth: int) -> Iterator[bytes]:
    yield raw
    if not depth:
        return
    if raw.startswith(MOZILLA):
        yield from _layers(lz4_block(raw[len(MOZILLA) + 4 :]), depth - 1)
    for run in BASE64.findall(raw):
        yield base64.b64decode(run[: len(run) - (len(run) % 4 == 1)] + b"==")
    for start in PACKED.finditer(raw):
        text = _inflated(raw[start.start() :])
        if text:
            yield from _layers(text, depth - 1)


def _inflated(raw: bytes) -> bytes:
    """As much as can be read; nothing where it only looked packed. A browser that was killed leaves half a file."""
    reader, out = zlib.decompressobj(32 + zlib.MAX_WBITS), bytearray()
    with contextlib.suppress(zlib.error):
        for start in range(0, len(raw), 4096):
            out += reader.decompress(raw[start : start + 4096], LARGEST)
            if reader.eof or len(out) > LARGEST:
                break
    return bytes(out)


def lz4_block(raw: bytes) -> bytes:
    """The text of one LZ4 block, by the format's public description; of one that was cut, as much as can be read."""
    out, at = bytearray(), 0
    with contextlib.suppress(IndexError):
        while at < len(raw):
            token = raw[at]
            length, at = _lz4_length(raw, at + 1, token >> 4)
            out += raw[at : at + length]
            at += length
            if at == len(raw):  # the last sequence has no match
                break
            back = raw[at] | raw[at + 1] << 8
            length, at = _lz4_length(raw, at + 2, token & 15)
            for _ in range(length + 4):  # byte by byte: a match may reach into itself
                out.append(out[-back])
    return bytes(out)


def _lz4_length(raw: bytes, at: int, length: int) -> tuple[int, int]:
    more = 255 if length == 15 else 0
    while more == 255:
        more, at = raw[at], at + 1
        length += more
    return length, at


def _rows(path: Path) -> Iterator[bytes]:
    """Every text and blob of a SQLite file, what its write-ahead log adds included. Works on a copy."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(sqlite3.DatabaseError):
        for tail in ("", "-wal"):
            if (part := path.with_name(path.name + tail)).exists():
                shutil.copy(part, Path(folder, f"copy{tail}"))
        with contextlib.closing(sqlite3.connect(Path(folder, "copy"))) as copy:
            copy.text_factory = bytes
            for (table,) in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
                yield from _values(copy, table.decode())


def _values(copy: sqlite3.Connection, table: str) -> Iterator[bytes]:
    name = table.replace('"', '""')
    with contextlib.suppress(sqlite3.DatabaseError):  # a table of a module that is not here
        for row in copy.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 -- its own name, quoted
            yield from (value for value in row if isinstance(value, bytes))
