"""What `amparo check` found last: small files beside the database, for the coordinator's pages.

They hold names of proofs, whether each holds, our own sentences, numbers and a day; nothing of a report, a sender, a
log, and no name of anybody who works here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from reporting.storage.files import replace_file

HERE, FRONT = "check.json", "front-check.json"  # of `check`, and of `check --through`
NAMES = (HERE, FRONT)


@dataclass(frozen=True, slots=True)
class Finding:
    """One proof. `holds` is None where it could not be looked at; `words` are message ids, with the `parts` in them."""

    code: str
    holds: bool | None
    words: tuple[str, ...]
    parts: Mapping[str, int] = field(default_factory=dict)

    @property
    def says(self) -> str:
        """In English: what is so, or what to do."""
        return " ".join(words % self.parts for words in self.words)


@dataclass(frozen=True, slots=True)
class Look:
    """A whole look: at which address (name and port), on which day, what was found."""

    address: str
    day: date
    findings: tuple[Finding, ...]

    @property
    def to_do(self) -> tuple[Finding, ...]:
        """What does not hold."""
        return tuple(finding for finding in self.findings if finding.holds is False)


def keep(folder: Path, name: str, look: Look) -> bool:
    """Write it down in the place of the one before, readable for whoever owns the folder. Whether there was room."""
    written = asdict(look) | {"day": look.day.isoformat()}
    try:
        replace_file(folder / name, json.dumps(written).encode())
    except OSError:
        return False
    with suppress(OSError, AttributeError):  # run as root, so that logs can be read; Windows has no owners
        owner = folder.stat()
        os.chown(folder / name, owner.st_uid, owner.st_gid)
    return True


def last(folder: Path, name: str) -> Look | None:
    """What was found last; None where nobody has looked, or what lies there is none of ours."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored: Mapping[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
        listed = tuple(Finding(**line | {"words": tuple(line["words"])}) for line in stored["findings"])
        return Look(str(stored["address"]), date.fromisoformat(stored["day"]), listed)
    return None
