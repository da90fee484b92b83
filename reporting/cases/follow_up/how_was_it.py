"""How it was for her: one of three faces, tapped on her page once her case is closed. She need not, and may change it.

It lies in the work record of her case. Says nothing to anybody but the team that reads the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile
from reporting.cases.summary import CLOSED
from reporting.clock import HOUR
from reporting.i18n import N_

# face -> what it says, as she reads it
FACES: Final[Mapping[str, str]] = {"GOOD": N_("Good"), "MIXED": N_("So-so"), "BAD": N_("Bad")}
KEPT_AS: Final = "how_was_it"


def say_how_it_was(case_file: CaseFile, face: str, now: float) -> None:
    """She taps a face; an empty one takes her answer back. `NotAllowed` while her case is open, and for no face."""
    if case_file.summary.state != CLOSED or (face and face not in FACES):
        raise NotAllowed(N_("This is asked when your case is closed."))
    others = {name: kept for name, kept in case_file.work_record.items() if name != KEPT_AS}
    case_file.work_record = others | ({KEPT_AS: {"face": face, "hour": int(now) // HOUR}} if face else {})


def how_it_was(work_record: Mapping[str, Any]) -> str:
    """The face she tapped; empty where she tapped none."""
    return str(work_record.get(KEPT_AS, {}).get("face", ""))
