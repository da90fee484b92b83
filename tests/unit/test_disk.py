"""The search of a browser's folder finds what is there: a control of each kind, and what the reader of LZ4 reads."""

from __future__ import annotations

import base64
import gzip
import json
import os
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import disk

MARKER = "zarza mora ñ 4417"
TEXT = f"before {MARKER} after {MARKER}".encode()


# ── a packer for the reader of LZ4 ──────────────────────────────────────────────────────────────────────────


def packed_by_lz4(raw: bytes) -> bytes:
    """One LZ4 block, not a small one: it looks for repeats a little way back only."""
    out, loose, at = b"", 0, 1
    while at + 12 < len(raw):  # the format wants the last bytes as they are
        length, back = max((_same(raw, at, back), back) for back in range(1, min(at, 40) + 1))
        if length >= 4:
            out += _sequence(raw[loose:at], length, back)
            loose = at = at + length
        else:
            at += 1
    return out + _sequence(raw[loose:])


def _same(raw: bytes, at: int, back: int) -> int:
    length = 0
    while at + length + 5 < len(raw) and raw[at + length] == raw[at + length - back]:
        length += 1
    return length


def _sequence(loose: bytes, length: int = 4, back: int = 0) -> bytes:
    token = min(15, len(loose)) << 4 | min(15, length - 4)
    start = bytes([token]) + _more(len(loose)) + loose
    return start + back.to_bytes(2, "little") + _more(length - 4) if back else start


def _more(length: int) -> bytes:
    return b"" if length < 15 else b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255])


@given(st.one_of(st.binary(max_size=600), st.text("ab", max_size=900).map(str.encode)))
def test_what_lz4_packs_is_read_again(raw: bytes) -> None:
    assert disk.lz4_block(packed_by_lz4(raw)) == raw


def test_the_packer_does_pack_or_the_reader_would_have_read_nothing_but_loose_bytes() -> None:
    assert len(packed_by_lz4(b"abc" * 300)) < 20


# ── a control of each kind ──────────────────────────────────────────────────────────────────────────────────


def as_sqlite(path: Path, *, in_the_log: bool = False) -> None:
    """A row too long for one page, cut in pieces by the file; in the write-ahead log alone where that is wanted."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA page_size=512")
        if in_the_log:
            db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE moz_formhistory (value BLOB)")
        db.execute("INSERT INTO moz_formhistory VALUES (?)", [b"".join(b"%07d" % n + TEXT for n in range(90))])
        db.commit()
        if in_the_log:  # as a browser that was killed leaves it: copied while it is open
            parts = {tail: path.with_name(path.name + tail).read_bytes() for tail in ("", "-wal")}
    if in_the_log:
        for tail, raw in parts.items():
            path.with_name(path.name + tail).write_bytes(raw)


def firefox(raw: bytes) -> bytes:
    return disk.MOZILLA + len(raw).to_bytes(4, "little") + packed_by_lz4(raw)


JUNK = os.urandom(500)
KINDS: dict[str, bytes | Callable[[Path], None]] = {
    "plain": JUNK + TEXT,
    "UTF-16": JUNK + TEXT.decode().encode("utf-16-le"),
    "UTF-16 at an odd place": b"x" + TEXT.decode().encode("utf-16-le"),
    "percent-encoded": b"https://a.b/?q=" + quote(MARKER).encode(),
    "percent-encoded in small letters": quote(MARKER).lower().encode(),
    "a form": JUNK + urlencode({"go": "next", "narrative": MARKER}).encode(),
    "a form in UTF-16": urlencode({"code": MARKER}).encode("utf-16-le"),
    "a form in Base64": base64.b64encode(b"xy" + urlencode({"code": MARKER}).encode()),
    "on a page": f"<p>{MARKER}</p>".encode(),
    "JSON": json.dumps({"entries": [{"title": MARKER}]}).encode(),
    "Firefox's session": firefox(json.dumps({"windows": [MARKER] * 3}).encode()),
    "gzip in a cache": JUNK + gzip.compress(TEXT * 9) + JUNK,
    "zlib in a cache": JUNK + zlib.compress(TEXT * 9) + JUNK,
    "gzip that was cut": gzip.compress(TEXT + os.urandom(9000))[:6000],
    "Firefox's session that was cut": firefox(TEXT + os.urandom(900))[:700],
    "gzip in Firefox's LZ4": firefox(gzip.compress(TEXT)),
    "SQLite": as_sqlite,
    "SQLite's log": lambda path: as_sqlite(path, in_the_log=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_is_found(tmp_path: Path, kind: str) -> None:
    made = KINDS[kind]
    (tmp_path / "deep" / "er").mkdir(parents=True)
    path = tmp_path / "deep" / "er" / "file"
    path.write_bytes(made) if isinstance(made, bytes) else made(path)
    seen = disk.found(tmp_path, [MARKER, "another word"])
    assert seen
    assert {line.split(":")[0] for line in seen} == {MARKER}


def test_a_row_is_found_where_the_bytes_of_the_file_do_not_hold_it_in_one_piece(tmp_path: Path) -> None:
    long = "".join(f"{number:07}" for number in range(200))
    with closing(sqlite3.connect(tmp_path / "db")) as db:
        db.execute("PRAGMA page_size=512")
        db.execute("CREATE TABLE t (a TEXT)")
        db.execute("INSERT INTO t VALUES (?)", [long])
        db.commit()
    assert long.encode() not in (tmp_path / "db").read_bytes()
    assert disk.found(tmp_path, [long])


def test_the_words_of_a_receipt_are_found_however_they_are_written(tmp_path: Path) -> None:
    words, digits = "causa renta mudo".split(), ["0001", "0733", "1999"]
    markers = disk.of_a_receipt(words, digits)
    for number, text in enumerate(
        (
            "code=causa+renta+mudo",
            "code=0001+0733+1999",
            "000107331999",
            "causa-renta-mudo",
            "causa%20renta",
            "<span>causa</span> <span>renta</span>",
            "<span>0001</span> <span>0733</span>",
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "f").write_bytes(text.encode())
        assert disk.found(folder, markers), text


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(os.urandom(200_000))
    (tmp_path / "broken").write_bytes(disk.SQLITE + os.urandom(3000))
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert disk.found(tmp_path, [MARKER]) == []
