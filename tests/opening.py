"""Everything that was ever sealed, opened with every key that ever was: where anything of a person still lies.

Knows no table, no file and no kind of record by name. Every seal that is made is noted with its key and its place, and
every key pair; so what lies anywhere can be opened, also what nobody could open any more, and what lies in a free page.
"""

from __future__ import annotations

import base64
import binascii
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

from reporting.crypto import sealing
from reporting.crypto.sealing import KeyPair, SealContext

UNDER_A_KEY, FOR_SOMEBODY = bytes([1]) + sealing.AEAD_ID, bytes([1]) + sealing.SUITE_ID
HEADS = (UNDER_A_KEY, FOR_SOMEBODY)
PIECE, HEAD = 24, 24  # bytes: what a seal is known by where it lies in pieces, and where the first begins
FEW = 8  # bytes of a sealed thing, which are random, that no other begins with
SHORT = 2100  # bytes; a longer one lies on several pages of a database: each of them holds two such pieces or more
BETWEEN = bytes([255]) * 16  # ends no text in UTF-8, and no number of a case that a test makes
LETTERS = re.compile(rb"[A-Za-z0-9+/_=-]{40,}")


class Locksmith:
    """Notes every seal that is made from now on, and opens all of them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.under: dict[bytes, tuple[bytes, SealContext]] = {}
        self.to: dict[bytes, tuple[bytes, SealContext]] = {}  # the public half
        self.pairs: dict[bytes, bytes] = {}
        self.derived: dict[bytes, set[bytes]] = {}
        wrap, seal_to, new_key_pair, derive = sealing.wrap, sealing.seal_to, sealing.new_key_pair, sealing.derive

        def noting_wrap(key: bytes, place: SealContext, secret: bytes) -> bytes:
            made = wrap(key, place, secret)
            self.under[made] = key, place
            return made

        def noting_seal_to(public: bytes, place: SealContext, *rest: Any, **more: Any) -> bytes:
            made = seal_to(public, place, *rest, **more)
            self.to[made] = public, place
            return made

        def noting_pair(*rest: Any) -> KeyPair:
            pair = new_key_pair(*rest)
            self.pairs[pair.public] = pair.private
            return pair

        def noting_derive(secret: bytes, *rest: Any, **more: Any) -> bytes:
            made = derive(secret, *rest, **more)
            self.derived.setdefault(secret, set()).add(made)
            return made

        noted = {"wrap": noting_wrap, "seal_to": noting_seal_to, "new_key_pair": noting_pair, "derive": noting_derive}
        for name, noting in noted.items():
            patch.setattr(sealing, name, noting)

    def learns_from(self, other: Locksmith) -> None:
        """All that another one noted, for a copy of what lay there then."""
        self.under.update(other.under)
        self.to.update(other.to)
        self.pairs.update(other.pairs)
        for secret, made in other.derived.items():
            self.derived.setdefault(secret, set()).update(made)

    def everything(self) -> Iterator[bytes]:
        """All that was ever sealed."""
        yield from (*self.under, *self.to)

    def opens(self, sealed: bytes, held: frozenset[bytes] | None = None) -> bytes | None:
        """What lies under a seal; nothing where it is none of ours, or where none of the keys `held` opens it."""
        if sealed in self.under:
            key, place = self.under[sealed]
            return sealing.unwrap(key, place, sealed) if held is None or key in held else None
        if sealed in self.to:
            public, place = self.to[sealed]
            private = self.pairs[public]
            return sealing.open_with(private, place, sealed) if held is None or private in held else None
        return None

    def within_reach(self, there: set[bytes], held: frozenset[bytes]) -> dict[bytes, bytes]:
        """Of what lies there, all that these keys open, with the keys that are found on the way. Sealed -> opened."""
        keys, reached, opened = set(held), set(there), dict[bytes, bytes]()
        while True:
            keys |= {made for key in keys for made in self.derived.get(key, ())}
            have = frozenset(keys)
            fresh = {one: told for one in reached - opened.keys() if (told := self.opens(one, have)) is not None}
            if not fresh:
                return opened
            opened |= fresh
            keys |= {told for told in fresh.values() if len(told) == sealing.KEY}
            reached |= {raw for told in fresh.values() for raw in read(told) if raw in self.under or raw in self.to}

    def holding(self, needles: Sequence[bytes], opened: Mapping[bytes, bytes]) -> set[bytes]:
        """Every opened thing in which one of these stands, or which holds such a sealed thing."""
        found: set[bytes] = set()
        told = {sealed: list(read(raw)) for sealed, raw in opened.items()}
        while fresh := {
            one for one, raws in told.items() if one not in found and any(_stands(raw, needles, found) for raw in raws)
        }:
            found |= fresh
        return found


def _stands(raw: bytes, needles: Sequence[bytes], sealed: set[bytes]) -> bool:
    return any(needle in raw for needle in needles) or (raw[:3] in {head[:3] for head in HEADS} and raw in sealed)


def read(raw: bytes) -> Iterator[bytes]:
    """Bytes as they are, and what is written in them as letters: hexadecimal, or base 64 in both spellings."""
    yield raw
    for run in set(LETTERS.findall(raw)):
        plain = run.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        for decode in (lambda one: base64.b64decode(one + b"=" * (-len(one) % 4)), binascii.unhexlify):
            try:
                yield decode(plain)
            except (binascii.Error, ValueError):
                continue


def values(engine: Engine) -> Iterator[tuple[str, bytes]]:
    """Where it lies, and what: every value of every row of every table that there is."""
    with engine.connect() as line:
        for table in inspect(line).get_table_names():
            rows = line.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 -- a table that there is
            columns = [f"{table}.{column}" for column in rows.keys()]  # noqa: SIM118 -- not a mapping: names of columns
            for row in rows:
                for where, value in zip(columns, row, strict=True):
                    if value is not None:
                        yield where, bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The same for every file."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()


def pieces(sealed: set[bytes]) -> list[bytes]:
    """By what sealed things are known again where they do not lie in one piece."""
    steps = ((one, 250 if len(one) < SHORT else 1300) for one in sealed)
    return [one[at : at + PIECE] for one, step in steps for at in range(HEAD, len(one) - PIECE, step)]


def beginning_in(there: Sequence[bytes], sealed: set[bytes]) -> set[bytes]:
    """Those sealed things of which the beginning lies somewhere in these bytes; one walk, however many they are.

    Eight bytes are read as one number, from each place at which such a number can begin.
    """
    known = {int.from_bytes(one[HEAD : HEAD + FEW], sys.byteorder): one for one in sealed}
    looked_for = set(known)
    numbers = (memoryview(raw[at : at + (len(raw) - at) // FEW * FEW]).cast("Q") for raw in there for at in range(FEW))
    return {known[number] for some in numbers for number in looked_for.intersection(some)}


def columns_with(rows: Sequence[tuple[str, bytes]], needles: Sequence[bytes]) -> set[str]:
    """Where one of these stands. A column is looked through as one text; what is put between stands in no needle."""
    held: dict[str, list[bytes]] = {}
    for where, raw in rows:
        held.setdefault(where, []).append(raw)
    texts = {where: BETWEEN.join(raws) for where, raws in held.items()}
    return {where for where, raw in texts.items() if any(needle in raw for needle in needles)}


def lying(
    smith: Locksmith,
    engine: Engine,
    folder: Path,
    clear: Sequence[bytes],
    needles: Sequence[bytes],
    held: frozenset[bytes] | None = None,
) -> set[str]:
    """The columns and files in which something of her lies: `clear` as it is, `needles` also under any seal.

    With the keys `held`: only what they open, and the keys that lie in files. Else everything that was ever sealed is
    opened, and nothing may lie anywhere in which she stood, also if nobody could open it any more.
    """
    rows, there = list(values(engine)), list(files(folder))
    strangers = {where for where, raw in rows if raw.startswith(HEADS) and smith.opens(raw) is None}
    assert not strangers, f"sealed, and nobody knows with what: {strangers}"
    if held is None:
        opened = {sealed: smith.opens(sealed) or b"" for sealed in smith.everything()}
    else:
        whole = {raw for _, raw in rows} & set(smith.everything())
        away = set(smith.everything()) - whole
        lie = whole | beginning_in([raw for _, raw in there], away)
        opened = smith.within_reach(lie, held | {raw for _, raw in there if len(raw) == sealing.KEY})
    sealed = smith.holding([*clear, *needles], opened)
    marks = [*pieces(sealed), *(clear if held is None else ())]
    found = {where for where, raw in there if any(one in raw for one in marks)}
    clearly = columns_with(rows, clear) if held is None else set()
    return found | clearly | {where for where, raw in rows if raw in sealed}
