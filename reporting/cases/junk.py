"""Signs that something may be no report, for the team alone. It never decides whether something is kept.

Pure. Nobody is asked to prove that she is a person. One sign says nothing: a frightened woman can be quick,
and she can paste a link. Two put a case aside until somebody opens it, and nothing that may be urgent is ever
put aside (`referrals/casework/queue.py`). The signs travel inside the sealed summary, and so does the number by which
those of one sender fold together (`referrals/casework/folds.py`).
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from reporting.crypto import sealing
from reporting.crypto.receipts import plain
from reporting.i18n import N_

QUICK, LINKS, REPEATED = "QUICK", "LINKS", "REPEATED"
SIGNS: Final = {
    QUICK: N_("It was sent within seconds"),
    LINKS: N_("Several links stand in it"),
    REPEATED: N_("Another case says the very same"),
}
ENOUGH: Final = 2  # different signs
QUICK_BELOW: Final = 6  # seconds from the first page to sending; reading two pages and pressing twice takes longer
MANY_LINKS: Final = 2  # one may be the proof she wants to show
LEAST_WORDS: Final = 24  # signs; below that two people can say the same by chance («me pegó», «quiero hablar»)
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)


def signs_of(words: str, seconds: float | None) -> tuple[str, ...]:
    """Signs that one report shows by itself. `seconds`: from the first page to sending; None where nobody knows."""
    quick = seconds is not None and 0 <= seconds < QUICK_BELOW
    return (QUICK,) * quick + (LINKS,) * (len(_LINK.findall(words)) >= MANY_LINKS)


def print_of(words: str) -> str:
    """By which the same words are known again, however they are spaced; empty where there are too few of them."""
    bare = plain(words)
    return hashlib.sha256(bare.encode()).hexdigest()[:16] if len(bare) >= LEAST_WORDS else ""


def group_of(sender: bytes, words: str, signs: tuple[str, ...]) -> int | None:
    """The number of the fold that a report can be part of: of all that this sender sent in this hour with a sign.

    `sender`: a key that only this sender has and that dies with the hour; without it a number says nothing. What shows
    no sign by itself may be the same text again: its number is bound to its words too, so that it tells of two reports
    only what their words tell. None where a report can be in no fold.
    """
    repeated = print_of(words)
    if not signs and not repeated:
        return None
    return int.from_bytes(sealing.derive(sender, "fold", b"" if signs else repeated.encode(), 8), "big")
