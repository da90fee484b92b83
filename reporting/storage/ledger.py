"""The ledger of releases: which periods were built, with which bytes. It lies beside `team.pin` and never goes down.

The noise of a release may be drawn once: two sets of it for the same cases tell more than was promised. The database
can be put back to before a release, this ledger is not; who finds a period here publishes the bytes that lie here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reporting.errors import AmparoError
from reporting.storage.files import replace_file, rewrite_json

FILE, FOLDER = "releases.json", "releases"  # beside team.pin: the entries, and the bytes of each
BUILT, PUBLISHED = "built", "published"


class NoLedger(AmparoError):
    """The ledger is not here: nobody can say what was published from this installation before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One release. `state`: built or published."""

    period: str
    sha256: str
    state: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger in a folder."""

    folder: Path

    @property
    def path(self) -> Path:
        """The file of its entries."""
        return self.folder / FILE

    @property
    def is_here(self) -> bool:
        """Whether it was begun. It is begun with the first keys."""
        return self.path.exists()

    def begin(self) -> None:
        """An empty ledger; where one stands already, what it has stays."""
        rewrite_json(self.path, lambda there: there)

    def entries(self) -> tuple[Entry, ...]:
        """Every release, in the order of periods. `NoLedger` where there is no ledger, or its file is none."""
        try:
            return entries_in(self.path.read_bytes())
        except FileNotFoundError:
            raise NoLedger from None

    def of(self, period: str) -> Entry | None:
        """The entry of a period; None where it was never built. `NoLedger` as above."""
        return next((entry for entry in self.entries() if entry.period == period), None)

    def body(self, period: str) -> bytes | None:
        """The bytes that were built for a period; None where none were finished.

        `NoLedger` when an entry stands without its bytes, or with others: nothing may be built in their place.
        """
        entry = self.of(period)
        file = self._file(period)
        body = file.read_bytes() if file.exists() else None
        if entry is not None and (body is None or hashlib.sha256(body).hexdigest() != entry.sha256):
            raise NoLedger
        return body

    def keep(self, period: str, body: bytes) -> None:
        """First the bytes, then the entry; after a power cut between the two the bytes stand, and are used."""
        (self.folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
        replace_file(self._file(period), body)
        self._write(Entry(period, hashlib.sha256(body).hexdigest(), BUILT))

    def note_published(self, period: str, body: bytes) -> None:
        """A release is out."""
        self._write(Entry(period, hashlib.sha256(body).hexdigest(), PUBLISHED))

    def destroy(self) -> None:
        """Entries and bytes are gone."""
        for file in [*(self.folder / FOLDER).glob("*"), self.path]:
            file.unlink(missing_ok=True)
        if (self.folder / FOLDER).exists():
            (self.folder / FOLDER).rmdir()

    def _write(self, entry: Entry) -> None:
        self.entries()  # a ledger that is not here is not begun by its first entry

        def enter(there: dict[str, Any]) -> dict[str, Any]:
            before = there.get(entry.period)
            if before is not None and before["sha256"] != entry.sha256:
                raise NoLedger
            state = PUBLISHED if before is not None and before["state"] == PUBLISHED else entry.state
            return there | {entry.period: {"sha256": entry.sha256, "state": state}}

        rewrite_json(self.path, enter)

    def _file(self, period: str) -> Path:
        return self.folder / FOLDER / f"{period}.zip"


def entries_in(raw: bytes) -> tuple[Entry, ...]:
    """What the file of a ledger says, in the order of periods. `NoLedger` where it is none."""
    try:
        rows = sorted(json.loads(raw).items())
        return tuple(Entry(period, row["sha256"], row["state"]) for period, row in rows)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NoLedger from None
