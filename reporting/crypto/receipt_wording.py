"""What a page says of a code that cannot be read: how many pieces it has, or which word nobody knows.

Pure. Speaks of the paper in her hand and of what she typed, never of a case: whoever reads the sentence learns nothing
that is not printed in the lists of words. Reason: who is asked about a word that she wrote rightly gives up.
"""

from __future__ import annotations

from typing import Final

from reporting.crypto.receipts import GROUP, GROUPS, MIXED, RUN, WORDS, Unreadable
from reporting.i18n import N_

LONGEST_SHOWN: Final = 20  # signs of a word that is shown again
NOTHING: Final = N_(
    "There is nothing in the box. Write the seven words, or the seven groups of numbers, of your paper."
)
ONE: Final = N_("You wrote 1 word; there are 7. Look at your paper once more.")
SAID: Final = {
    WORDS: N_("You wrote %(count)s words; there are 7. Look at your paper once more."),
    GROUPS: N_(
        "You wrote %(count)s groups of numbers; there are 7, with four digits each. Look at your paper once more."
    ),
    GROUP: N_("Each of the 7 groups has four digits; group %(count)s does not. Look at your paper once more."),
    RUN: N_("You wrote %(count)s digits in a row; there are 28, in 7 groups of four. Look at your paper once more."),
    MIXED: N_("There are words and numbers together. Write only the 7 words, or only the 7 groups of numbers."),
}
FILLED_UP: Final = N_(
    "Nothing opens with that code. In group %(count)s fewer than four digits were typed: is one missing? Look at your "
    "paper once more."
)
NEAREST: Final = N_("We do not know the word «%(wrong)s». Did you mean «%(nearest)s»?")
UNKNOWN: Final = N_("We do not know the word «%(wrong)s». Look at your paper once more.")


def sentence(of: Unreadable) -> tuple[str, dict[str, object]] | None:
    """(message id, parts); None where there is nothing more to say than of a code that opens nothing."""
    if of.fault == WORDS and of.count <= 1:
        return (ONE if of.count else NOTHING), {}
    if of.fault:
        return SAID[of.fault], {"count": of.count}
    if of.wrong:
        return (NEAREST if of.nearest else UNKNOWN), {"wrong": of.wrong[:LONGEST_SHOWN], "nearest": of.nearest}
    return None
