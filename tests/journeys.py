"""Nine women, what each is offered when she has sent her report, and how much of it she has to read.

`python -m tests.journeys` prints the table: cards in sight and folded, how often a national line stands there, pages
of 360 x 640 in Chromium, and whether kilometres are said. `--pictures FOLDER` keeps what she sees.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from reporting.app import create_app
from reporting.web import assets
from tests.browsers import headless
from tests.people import a_furnished_place
from tests.trips import sends, starts_telling, tells

# who -> what she answers; what is not asked of her is passed over
NINE: dict[str, dict[str, Any]] = {
    "trans, extorted by serenazgo, Pucallpa": {
        "region": "UCAYALI",
        "province": "PE2501",
        "violence": ["EXTORTION", "THREATS"],
        "perpetrator": ["SERENAZGO"],
        "identity": "TRANS_WOMAN",
        "police_safe": "no",
        "wants": ["W_LEGAL", "W_PEER"],
        "number": 20,
        "age": "A25_34",
        "ongoing": "yes",
    },
    "raped 50 hours ago, Piura, Venezuelan, no papers": {
        "region": "PIURA",
        "province": "PE2001",
        "violence": ["RAPE"],
        "perpetrator": ["CLIENT"],
        "identity": "CIS_WOMAN",
        "condom": "no",
        "pregnant_possible": "yes",
        "police_safe": "no",
        "docs": "NONE",
        "migrant": "yes",
        "number": 50,
        "age": "A25_34",
        "wants": ["W_HEALTH"],
    },
    "beaten by her partner, children, Arequipa, Quechua": {
        "region": "AREQUIPA",
        "province": "PE0401",
        "violence": ["PHYSICAL_ASSAULT", "THREATS"],
        "perpetrator": ["PARTNER"],
        "safety": ["S_CHILDREN", "S_KNOWS_HOME", "S_NO_SAFE_PLACE"],
        "injuries": ["I_WOUND"],
        "lang": "qu",
        "number": 6,
        "age": "A25_34",
        "police_safe": "unsure",
        "wants": ["W_SHELTER", "W_LEGAL"],
        "ongoing": "yes",
    },
    "sixteen, photographs": {
        "region": "OTHER",
        "department": "PE15",
        "violence": ["OUTING"],
        "perpetrator": ["UNKNOWN"],
        "age": "A14_17",
        "ongoing": "yes",
        "wants": ["W_DIGITAL"],
        "police_safe": "unsure",
    },
    "a companion disappeared": {
        "region": "JUNIN",
        "province": "PE1201",
        "violence": ["KILLING_DISAPPEARANCE"],
        "victim_state": "missing",
        "hurt_too": "no",
        "perpetrator": ["POLICE"],
        "police_safe": "no",
        "number": 30,
        "age": "A35_49",
        "wants": ["W_LEGAL"],
    },
    "only a clinic": {
        "region": "UCAYALI",
        "province": "PE2501",
        "violence": ["PHYSICAL_ASSAULT"],
        "injuries": ["I_WOUND"],
        "perpetrator": ["CLIENT"],
        "number": 10,
        "wants": ["W_HEALTH"],
        "age": "A25_34",
        "police_safe": "unsure",
    },
    "a gang, Lima": {
        "region": "OTHER",
        "department": "PE15",
        "violence": ["EXTORTION", "THREATS"],
        "perpetrator": ["CRIMINAL_GROUP"],
        "safety": ["S_DEATH_THREAT", "S_KNOWS_HOME"],
        "age": "A25_34",
        "police_safe": "no",
        "ongoing": "yes",
        "wants": ["W_SHELTER", "W_LEGAL"],
        "number": 12,
    },
    "a stealthing, Huancayo": {
        "region": "JUNIN",
        "province": "PE1201",
        "violence": ["STEALTHING"],
        "perpetrator": ["CLIENT"],
        "number": 9,
        "pregnant_possible": "yes",
        "age": "A18_24",
        "police_safe": "unsure",
        "wants": ["W_HEALTH"],
    },
    "a girl held, Satipo": {
        "region": "JUNIN",
        "province": "PE1206",
        "violence": ["FORCED_SEX_WORK", "CONFINEMENT"],
        "perpetrator": ["THIRD_PARTY"],
        "safety": ["S_LOCKED"],
        "age": "A14_17",
        "ongoing": "yes",
        "lang": "cni",
        "police_safe": "unsure",
        "wants": ["W_SHELTER"],
    },
}
SHORT_NUMBER = re.compile(r'href="tel:\d{3,4}"')
ALWAYS = {"about": "SELF", "unit": "hours", "consents": ["C_LETTERS"]}


@dataclass(frozen=True)
class Seen:
    """What stands on her page after sending: of offers in sight and behind a touch, of lines, of her screen."""

    in_sight: int
    folded: int
    lines: int
    kilometres: int
    screens: float


def page_of(app: Any, who: str) -> str:
    """The page that she gets when she has sent her report."""
    answers = ALWAYS | NINE[who]
    phone = starts_telling(app)
    tells(phone, lambda form: {name: value for name, value in answers.items() if name in form.kinds})
    sends(phone)
    return phone.text


def without_folds(page: str) -> str:
    """The page without what stands behind a touch, but with the words that are touched."""
    fold = re.compile(r"<details(?: [^>]*)?>((?:(?!<details|</details>).)*)</details>", re.DOTALL)
    while fold.search(page):
        page = fold.sub(lambda found: "".join(re.findall(r"<summary>.*?</summary>", found[1], re.DOTALL)), page)
    return page


def seen_on(page: str, screens: float) -> Seen:
    """What is counted on a page. A line is a number of three or four digits, as often as it stands there."""
    sight, card = without_folds(page), 'class="c-offer"'
    lines, km = len(SHORT_NUMBER.findall(page)), len(re.findall(r"\bkm\b", page))
    return Seen(sight.count(card), page.count(card) - sight.count(card), lines, km, screens)


def screens_of(window: Any, page: str, picture: Path | None = None) -> float:
    """How many screens of 360 x 640 a page is high, with what is folded folded."""
    sheet = f"<style>{assets.served('style.css').decode()}</style>"
    window.set_content(page.replace("</head>", f"{sheet}</head>"))
    if picture:
        window.screenshot(path=picture, full_page=True)
    return round(window.evaluate("document.documentElement.scrollHeight") / 640, 1)


@contextmanager
def at_a_phone() -> Iterator[tuple[Flask, Any, Path | None]]:
    """Our pages, a window of 360 x 640 in Chromium, and the folder for pictures, where the command names one."""
    from playwright.sync_api import sync_playwright

    reader = argparse.ArgumentParser()
    reader.add_argument("--pictures", type=Path)
    folder = reader.parse_args().pictures
    with tempfile.TemporaryDirectory() as inside, sync_playwright() as player:
        place = a_furnished_place(Path(inside) / "instance")
        browser = headless(player)
        window = browser.new_context(viewport={"width": 360, "height": 640}, java_script_enabled=True).new_page()
        yield create_app(place.settings, place.clock), window, folder
        browser.close()


def main() -> None:
    """Print the table."""
    with at_a_phone() as (app, window, folder):
        print(f"{'':52}{'in sight':>9}{'folded':>8}{'lines':>7}{'km':>4}{'screens':>9}")  # noqa: T201 -- the table
        for number, who in enumerate(NINE):
            page = page_of(app, who)
            high = screens_of(window, page, folder / f"journey-{number}.png" if folder else None)
            seen = seen_on(page, high)
            print(  # noqa: T201 -- the table
                f"{who:52}{seen.in_sight:>9}{seen.folded:>8}{seen.lines:>7}{seen.kilometres:>4}{seen.screens:>9}"
            )


if __name__ == "__main__":
    main()
