"""How a column lies on the disk, in one word, and what it is, in a few: written beside the column it speaks of.

`python -m tests.house.documents` makes of it the list in SECURITY.md of what a copy of the disk tells. Knows no table.
"""

from __future__ import annotations

from typing import Final

KEPT: Final = "kept"  # in a column's `info`: (SEALED, HASHED or READABLE, what it is)
SEALED, HASHED, READABLE = "sealed", "hashed", "readable"
Info = dict[str, tuple[str, str]]


def under_seal(what: str) -> Info:
    """For what opens with a key only: bytes whose length is all that a copy tells."""
    return {KEPT: (SEALED, what)}


def as_hash(what: str) -> Info:
    """For what can be compared and not read back: digests, keyed or not, and tags out of a secret."""
    return {KEPT: (HASHED, what)}


def in_the_clear(what: str) -> Info:
    """For what a copy of the disk tells whoever has it."""
    return {KEPT: (READABLE, what)}
