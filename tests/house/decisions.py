"""DECISIONS.md: each decision has a number and a day; `python -m tests.house.documents --write` gives them."""

from __future__ import annotations

import re
import textwrap
from datetime import date

from tests.house.figures import ROOT

PAPER = ROOT / "DECISIONS.md"
NUMBERED = re.compile(r"^\* \*\*(\d+)\*\* · (\d{4}-\d\d-\d\d) · ", re.MULTILINE)
MENTIONED = re.compile(r"\bdecisions? (\d+)(?: and (\d+))?", re.IGNORECASE)
WIDTH = 120


def numbers(text: str) -> list[int]:
    """The numbers that are given, in the order of the page."""
    return [int(found[1]) for found in NUMBERED.finditer(text)]


def unnumbered(text: str) -> list[str]:
    """First lines of decisions without a number."""
    return [line for line in text.splitlines() if line.startswith("* ") and not NUMBERED.match(line)]


def parts(text: str) -> str:
    """The parts of the page as one line of links."""
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    return " · ".join(f"[{title}](#{title.lower().replace(' ', '-')})" for title in titles)


def numbered(text: str, today: date) -> str:
    """The page with the next number and this day before each decision that has none; its lines are folded anew."""
    following = max(numbers(text), default=0)
    out: list[str] = []
    lines = text.split("\n")
    while lines:
        line = lines.pop(0)
        if line.startswith("* ") and not NUMBERED.match(line):
            following += 1
            told = [line.removeprefix("* ")]
            while lines and lines[0].startswith("  ") and not lines[0].startswith("  |"):
                told.append(lines.pop(0).strip())
            head = f"* **{following}** · {today} · "
            out += textwrap.wrap(
                head + " ".join(told), WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
            )
        else:
            out.append(line)
    return "\n".join(out)
