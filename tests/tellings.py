"""How much work a telling is, in each length: `python -m tests.tellings`. Figures to read, not a test.

For each of nine women and each length: screens, taps and screen heights (360 x 640, in Chromium) from the page before
the first question to the receipt, what travels, and the seconds that takes at 50 kbit/s and 400 ms there and back,
computed from requests and bytes. The last column is the short form with one question a screen. `--pictures FOLDER`
keeps every page of the short form and of a message.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reporting.pages.draft import BESIDE_THE_BUTTON
from reporting.vocabulary.lengths import ALL_PAGES
from reporting.vocabulary.places import WHERE
from reporting.web import assets
from tests.journeys import ALWAYS, NINE, at_a_phone
from tests.phone import FormOnPage, Phone
from tests.trips import begins, on_the_check_page

BITS, WAIT = 50_000, 0.4  # a second; seconds there and back
WAYS = {"short": "begin", "long": "all", "message": "message"}
HEADS = 620  # bytes of the heads of an answer, as measured on the wire
FIELDSET = re.compile(r'<(fieldset|div) class="c-question".*?</\1>', re.DOTALL)
NOW = {code for part in ALL_PAGES[9].questions[0].parts[1:] for code in part.codes}
CHOOSES = "box => { const fold = box.closest('details'); if (fold) fold.open = true; box.checked = true }"
SPEAKS = "Me agarró y se fue. Tengo miedo de volver a mi cuarto esta noche."


@dataclass
class Work:
    """What a telling costs her."""

    screens: int = 0
    taps: int = 0
    heights: float = 0.0
    size: int = 0  # bytes that travel, heads too
    requests: int = 0
    alone: float = 0.0  # seconds with one question a screen

    @property
    def seconds(self) -> float:
        return seconds(self.requests, self.size)


def seconds(requests: int, size: int) -> float:
    """On a slow line that stays open."""
    return requests * WAIT + size * 8 / BITS


def answers_of(who: str) -> dict[str, Any]:
    """What she answers wherever it is asked; a number of hours as the range it lies in, where only that is asked."""
    told = ALWAYS | NINE[who] | {"may_write": "yes", "narrative": SPEAKS}
    signs = {code for name in ("safety", "danger", "injuries") for code in told.get(name, ())}
    when = {3: "H24", 6: "H24", 9: "H24", 12: "H24", 20: "H24", 50: "H72"}.get(told.get("number", 20), "H24")
    city = "PE1501" if told.get("department") == "PE15" else told.get("province")
    where = city if city in WHERE else told["region"]
    return told | {"in_danger": "yes" if signs & NOW else "no", "when": when, "place": where}


def given(form: FormOnPage, told: dict[str, Any]) -> dict[str, Any]:
    """Her answers to what this page asks; hours where it takes them, else the range."""
    fits = {name: value for name, value in told.items() if name in form.kinds and name not in {"about", "unit"}}
    ticked = {
        field: "y" for field, code in BESIDE_THE_BUTTON.items() if field in form.kinds and code in told["consents"]
    }
    return {name: value for name, value in fits.items() if not (name == "when" and "number" in form.kinds)} | ticked


def taps_of(page: str, answers: dict[str, Any], form: FormOnPage) -> int:
    """Touches to answer a page: one a choice and a field, two a list, one for each fold that has to be opened."""
    chosen = {value for values in answers.values() for value in (values if isinstance(values, list) else [values])}
    folds = re.findall(r'<details class="c-group">.*?</details>', page, re.DOTALL)
    opened = sum(any(f'value="{value}"' in fold for value in chosen) for fold in folds)
    lists = sum(form.kinds[name] == "select" for name in answers)
    return opened + lists + sum(len(value) if isinstance(value, list) else 1 for value in answers.values())


def tells(app: Any, window: Any, way: str, told: dict[str, Any], pictures: Path | None) -> Work:
    """From the page before the first question to the receipt."""
    phone, work = Phone(app), Work()
    begins(phone, way=WAYS[way])
    work.taps, work.requests, work.size = 1, 2, HEADS * 2 + 200
    while True:
        last = on_the_check_page(phone)
        form = phone.form("send" if last else "next")
        answers = given(form, told)
        _adds(work, phone.text, window, answers, pictures / f"{way}-{work.screens:02}.png" if pictures else None)
        work.taps += taps_of(phone.text, answers, form) + 1
        phone.presses("send" if last else "next", **answers)
        work.requests += 2
        work.size += HEADS * 2 + 900
        if last:
            work.size += len(phone.text)
            return work


def _adds(work: Work, page: str, window: Any, answers: dict[str, Any], picture: Path | None) -> None:
    sheet = assets.served("style.css").decode()
    window.set_content(page.replace("</head>", f"<style>{sheet}</style></head>"))
    for name, value in answers.items():
        for code in value if isinstance(value, list) else [value]:
            box = window.locator(f'input[name={name}][value="{code}"]')
            if box.count() and box.get_attribute("type") in {"radio", "checkbox"}:
                box.evaluate(
                    "box => { const fold = box.closest('details'); if (fold) fold.open = true; box.checked = true }"
                )
    if picture:
        window.screenshot(path=picture, full_page=True)
    sent = len(page.encode()) if SPEAKS in page else len(gzip.compress(page.encode(), 9))  # with her words as it is
    questions = [found[0] for found in FIELDSET.finditer(page)]
    shell = len(gzip.compress(FIELDSET.sub("", page).encode()))
    work.alone += sum(seconds(2, shell + len(gzip.compress(one.encode())) + 2 * HEADS + 900) for one in questions)
    work.screens += 1
    work.heights += window.evaluate("document.documentElement.scrollHeight") / 640
    work.size += sent


def main() -> None:
    """Print the table."""
    with at_a_phone() as (app, window, folder):
        for number, who in enumerate(NINE):
            print(who)  # noqa: T201 -- the table
            for way in WAYS:
                work = tells(app, window, way, answers_of(who), folder if folder and not number else None)
                print(  # noqa: T201
                    f"  {way:8} screens {work.screens:2}  taps {work.taps:2}  heights {work.heights:5.1f}"
                    f"  kB {work.size / 1000:5.1f}  seconds {work.seconds:5.1f}  one a screen {work.alone:5.1f}"
                )


if __name__ == "__main__":
    main()
