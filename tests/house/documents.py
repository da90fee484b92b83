"""Documents that are printed from the code: python -m tests.house.documents says which differ, --write sets them right.

A printed part stands between two marks in its file; everything else there is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from tests.house import decisions, guide, kept, keys, plan
from tests.house.figures import ROOT

COMMAND = "python -m tests.house.documents --write"
# (file, name of the part) -> what prints it
PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("CONTRIBUTING.md", "floor plan"): plan.plan,
    ("SECURITY.md", "keys"): keys.drawing,
    ("SECURITY.md", "what is kept"): kept.inventory,
    ("DECISIONS.md", "parts"): lambda: decisions.parts(decisions.PAPER.read_text("utf-8")),
    **{(file, "guide"): partial(guide.printed, language) for language, file in guide.DOCUMENTS.items()},
}


def with_part(text: str, name: str, printed: str) -> str:
    """The file with this part printed anew. Raises `ValueError` where its marks do not stand there once."""
    marks = re.compile(rf"(<!-- printed: {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    told, times = marks.subn(lambda found: f"{found[1]}{printed}\n{found[2]}", text)
    if times != 1:
        raise ValueError(name)
    return told


def differing() -> list[str]:
    """`file: part` for each printed part that is not what the code prints now."""
    texts = {file: (ROOT / file).read_text("utf-8") for file, _ in PARTS}
    return [
        f"{file}: {name}"
        for (file, name), print_it in PARTS.items()
        if with_part(texts[file], name, print_it()) != texts[file]
    ]


def write() -> None:
    """Print every part anew, and give numbers to decisions that have none."""
    text = decisions.PAPER.read_text("utf-8")
    decisions.PAPER.write_text(decisions.numbered(text, datetime.now(UTC).date()), "utf-8")
    for (file, name), print_it in PARTS.items():
        path = ROOT / file
        path.write_text(with_part(path.read_text("utf-8"), name, print_it()), "utf-8")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    sys.exit("\n".join(differing()) or 0)
