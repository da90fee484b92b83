"""What a team has taken: out of a part of any length the entry of a case is read alone."""

import os

import pytest

from reporting.cases.taken import _ENTRY, SHORT, Entry, _entries_in, _entry_in


@pytest.mark.parametrize("length", [0, 1, 2, 3, 64, 781])
def test_the_entry_of_a_case_read_alone_is_the_one_that_stands_among_all(length: int) -> None:
    entries = {os.urandom(SHORT): Entry(os.urandom(SHORT), number) for number in range(length)}
    packed = b"".join(sorted(_ENTRY.pack(mark, *entry) for mark, entry in entries.items()))
    assert _entries_in(packed) == entries
    for mark in [*entries, bytes(SHORT), b"\xff" * SHORT, os.urandom(SHORT)]:
        assert _entry_in(packed, mark) == ({mark: entries[mark]} if mark in entries else {})
