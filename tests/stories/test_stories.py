"""A case of each new kind told through the pages: what she is offered, and what the queue shows as time goes by."""

from __future__ import annotations

import html
import re
import sys
from typing import Any

import pytest
from flask import Flask

from referrals.needs.codes import URGENCY_LABELS
from reporting.vocabulary.needs import NEEDS
from tests.pages.test_asking import with_these
from tests.people import Place
from tests.phone import Phone
from tests.trips import in_her_words, say, sends, signs_in, starts_telling, tells

LOOKS = (0, 30, 100)  # hours after it was told
ABOUT_HER = {
    "about": "SELF",
    "age": "A25_34",
    "identity": "CIS_WOMAN",
    "docs": "DNI",
    "migrant": "no",
    "region": "PIURA",
    "ongoing": "no",
    "unit": "hours",
}

# what is told (the rest is passed over); and at each look what her page offers, and what the queue says of it
STORIES: dict[str, tuple[dict[str, Any], tuple[tuple[str, str], ...]]] = {}


def story(name: str, told: dict[str, Any], *offered: tuple[str, str]) -> None:
    STORIES[name] = ({**ABOUT_HER, **told}, offered)


story(
    "extortion that happened, with condom",
    {
        "number": 19,
        "violence": ["SEXUAL_EXTORTION"],
        "extortion_act": "yes",
        "condom": "yes",
        "pregnant_possible": "no",
        "perpetrator": ["SERENAZGO"],
        "police_safe": "no",
        "wants": ["W_NOT_SURE"],
        "identity": "TRANS_WOMAN",
    },
    (
        "MED_CHECK H24, FORENSIC H24, LEGAL_STATE H24, PFA H24, STI H72, COUNSEL READY",
        "N_MED_CHECK H24 quedan 6 días",
    ),
    (
        "MED_CHECK H24, FORENSIC H24, LEGAL_STATE H24, PFA H24, STI H72, COUNSEL READY",
        "N_MED_CHECK H24 quedan 4 días",
    ),
    ("MED_CHECK H24, FORENSIC H24, LEGAL_STATE H24, PFA H24, STI H72, COUNSEL READY", "N_MED_CHECK H24 quedan 48 h"),
)
story(
    "extortion, nothing more answered",
    {"number": 19, "violence": ["SEXUAL_EXTORTION"]},
    ("PEP NOW, EC H24, FORENSIC H24, STI H72, HEPB H72, PFA SOON", "N_PEP NOW quedan 52 h"),
    ("PEP NOW, EC H24, FORENSIC H24, STI H72, HEPB H72, PFA SOON", "N_PEP NOW quedan 22 h"),
    ("EC NOW, FORENSIC H24, STI H72, HEPB H72, PFA SOON", "N_EC NOW queda menos de 1 h"),
)
story(
    "touched, contact unanswered",
    {"number": 3, "violence": ["SEXUAL_ASSAULT"], "perpetrator": ["CLIENT"], "wants": ["W_NOT_SURE"]},
    ("MED_CHECK H24, FORENSIC H24, PFA SOON", "N_MED_CHECK H24 quedan 6 días"),
    ("MED_CHECK H24, FORENSIC H24, PFA SOON", "N_MED_CHECK H24 quedan 5 días"),
    ("MED_CHECK H24, FORENSIC H24, PFA SOON", "N_MED_CHECK H24 quedan 64 h"),
)
story(
    "touched, contact no",
    {
        "number": 3,
        "violence": ["SEXUAL_ASSAULT"],
        "contact": "no",
        "perpetrator": ["CLIENT"],
        "wants": ["W_RECORD_ONLY"],
    },
    ("FORENSIC H24, PFA READY", "N_FORENSIC H24 quedan 6 días"),
    ("FORENSIC H24, PFA READY", "N_FORENSIC H24 quedan 5 días"),
    ("FORENSIC H24, PFA READY", "N_FORENSIC H24 quedan 64 h"),
)
story(
    "drugged, robbed, no memory",
    {"number": 19, "danger": ["D_DRUGGED"], "violence": ["ROBBERY"], "perpetrator": ["CLIENT"], "wants": ["W_HEALTH"]},
    (
        "EMERG_MED NOW, MED_CHECK H24, FORENSIC H24, PFA H24, COUNSEL READY",
        "N_EMERG_MED NOW quedan 4 días Peligro médico",
    ),
    (
        "EMERG_MED NOW, MED_CHECK H24, FORENSIC H24, PFA H24, COUNSEL READY",
        "N_EMERG_MED NOW quedan 70 h Peligro médico",
    ),
    ("MED_CHECK H24, FORENSIC H24, PFA H24, COUNSEL READY", "N_MED_CHECK H24 queda menos de 1 h"),
)
story(
    "bite that bled",
    {
        "number": 19,
        "injuries": ["I_BITE"],
        "violence": ["PHYSICAL_ASSAULT"],
        "perpetrator": ["CLIENT"],
        "wants": ["W_NOT_SURE"],
    },
    ("WOUND H24, MED_CHECK H24, HEPB H72, PFA SOON", "N_WOUND H24"),
    ("WOUND H24, MED_CHECK H24, HEPB H72, PFA SOON", "N_WOUND H24"),
    ("WOUND H24, HEPB H72, PFA SOON", "N_WOUND H24"),
)
story(
    "companion missing",
    {
        "number": 30,
        "violence": ["KILLING_DISAPPEARANCE"],
        "victim_state": "missing",
        "hurt_too": "no",
        "perpetrator": ["POLICE"],
        "police_safe": "no",
        "wants": ["W_LEGAL"],
    },
    (
        "MISSING NOW, SAFETY_PLAN H24, LEGAL_STATE H24, PFA H24, COUNSEL READY",
        "N_MISSING NOW Una compañera está desaparecida",
    ),
    (
        "MISSING NOW, SAFETY_PLAN H24, LEGAL_STATE H24, PFA H24, COUNSEL READY",
        "N_MISSING NOW Una compañera está desaparecida",
    ),
    (
        "MISSING NOW, SAFETY_PLAN H24, LEGAL_STATE H24, PFA H24, COUNSEL READY",
        "N_MISSING NOW Una compañera está desaparecida",
    ),
)
story(
    "companion, nothing more answered",
    {"violence": ["KILLING_DISAPPEARANCE"]},
    (
        "MISSING NOW, SAFETY_PLAN H24, PFA H24, LEGAL_INFO SOON, COUNSEL READY",
        "N_MISSING NOW Una compañera puede estar desaparecida",
    ),
    (
        "MISSING NOW, SAFETY_PLAN H24, PFA H24, LEGAL_INFO SOON, COUNSEL READY",
        "N_MISSING NOW Una compañera puede estar desaparecida",
    ),
    (
        "MISSING NOW, SAFETY_PLAN H24, PFA H24, LEGAL_INFO SOON, COUNSEL READY",
        "N_MISSING NOW Una compañera puede estar desaparecida",
    ),
)
story(
    "companion killed, and hurt too",
    {
        "number": 10,
        "violence": ["KILLING_DISAPPEARANCE", "RAPE"],
        "victim_state": "killed",
        "hurt_too": "yes",
        "condom": "no",
        "pregnant_possible": "yes",
        "perpetrator": ["CRIMINAL_GROUP"],
        "wants": ["W_HEALTH"],
    },
    (
        "PEP NOW, EC H24, SAFETY_PLAN H24, FORENSIC H24, PFA H24, STI H72, HEPB H72, LEGAL_INFO SOON, COUNSEL READY",
        "N_PEP NOW quedan 61 h Mataron a una compañera",
    ),
    (
        "PEP NOW, EC H24, SAFETY_PLAN H24, FORENSIC H24, PFA H24, STI H72, HEPB H72, LEGAL_INFO SOON, COUNSEL READY",
        "N_PEP NOW quedan 31 h Mataron a una compañera",
    ),
    (
        "EC NOW, SAFETY_PLAN H24, FORENSIC H24, PFA H24, STI H72, HEPB H72, LEGAL_INFO SOON, COUNSEL READY",
        "N_EC NOW quedan 9 h Mataron a una compañera",
    ),
)
story(
    "stab closed long ago",
    {
        "number": 2160,
        "danger": ["D_STAB_GUN"],
        "violence": ["PHYSICAL_ASSAULT"],
        "perpetrator": ["CLIENT"],
        "wants": ["W_PSYCH"],
    },
    ("MED_CHECK SOON, COUNSEL SOON", "N_MED_CHECK SOON"),
    ("MED_CHECK SOON, COUNSEL SOON", "N_MED_CHECK SOON"),
    ("MED_CHECK SOON, COUNSEL SOON", "N_MED_CHECK SOON"),
)
story(
    "bleeding",
    {
        "number": 2,
        "danger": ["D_BLEEDING"],
        "violence": ["PHYSICAL_ASSAULT"],
        "perpetrator": ["CLIENT"],
        "wants": ["W_HEALTH"],
    },
    ("EMERG_MED NOW, PFA H24, COUNSEL READY", "N_EMERG_MED NOW Peligro médico"),
    ("EMERG_MED NOW, PFA H24, COUNSEL READY", "N_EMERG_MED NOW Peligro médico"),
    ("MED_CHECK H24, PFA H24, COUNSEL READY", "N_MED_CHECK H24"),
)
story(
    "two times",
    {
        "when": "H24",
        "number": 30,
        "unit": "days",
        "violence": ["RAPE"],
        "condom": "no",
        "pregnant_possible": "no",
        "perpetrator": ["CLIENT"],
        "wants": ["W_HEALTH"],
    },
    (
        "PEP NOW, FORENSIC H24, PFA H24, STI H72, HEPB H72, MED_CHECK SOON, COUNSEL READY",
        "N_PEP NOW quizá aún hay tiempo",
    ),
    (
        "PEP NOW, FORENSIC H24, PFA H24, STI H72, HEPB H72, MED_CHECK SOON, COUNSEL READY",
        "N_PEP NOW quizá aún hay tiempo",
    ),
    ("FORENSIC H24, PFA H24, STI H72, HEPB H72, MED_CHECK SOON, COUNSEL READY", "N_FORENSIC H24 quizá aún hay tiempo"),
)
story(
    "rape, time and all else unanswered",
    {"violence": ["RAPE"]},
    ("PEP NOW, EC H24, FORENSIC H24, PFA H24, STI H72, HEPB H72, COUNSEL READY", "N_PEP NOW quizá aún hay tiempo"),
    ("PEP NOW, EC H24, FORENSIC H24, PFA H24, STI H72, HEPB H72, COUNSEL READY", "N_PEP NOW quizá aún hay tiempo"),
    ("EC NOW, FORENSIC H24, PFA H24, STI H72, HEPB H72, COUNSEL READY", "N_EC NOW quizá aún hay tiempo"),
)


def offers_on(page: str) -> list[str]:
    """The needs that a page of hers names on its cards, or as those for which there is nothing yet."""
    codes = {in_her_words(code): code for code in NEEDS}
    named: list[str] = []
    for sentence in ("It serves for: %(needs)s.", "Near you we have nothing yet for: %(needs)s. The team is looking."):
        before, after = (re.escape(part) for part in say(sentence, needs="|").split("|"))
        for needs in re.findall(f"<p[^>]*>{before}(.*?){after}</p>", page):
            named += [codes[words] for words in html.unescape(needs).split("; ")]
    assert not page.count("c-need") or named
    return sorted(set(named))


def line_in_the_queue(app: Flask, place: Place) -> str:
    """What the queue says of the only case: need, urgency, hours left, marks."""
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/casos")
    line = " ".join(desk.text.split('class="c-card')[1].split("</li>")[0].split())
    codes = {say(label): code for code, label in NEEDS.items()} | {
        say(label): code for code, label in URGENCY_LABELS.items()
    }
    marks = [html.unescape(mark) for mark in re.findall(r'<strong class="c-alert">(.*?)</strong>', line)]
    first = re.search(r"<p>(?:<strong[^>]*>[^<]*</strong> · )*([^<]+) <span class=\"c-hint\">([^<]*)</span>", line)
    clock = re.search(r"queue-mark[^>]*>[^<]*?(queda[^<·]*|quizá [^<·]*)", line, re.IGNORECASE)
    assert first, line
    left = html.unescape(clock[1]).strip().lower() if clock else ""
    words = [codes[html.unescape(first[1])], codes[html.unescape(first[2]).strip()], left]
    companion = re.search(r"<strong>([^<]*compañera[^<]*)</strong> ·", line)
    return " ".join([*words, *marks, *(html.unescape(companion[1]).split() if companion else ())]).strip()


def lived(app: Flask, place: Place, told: dict[str, Any]) -> list[tuple[list[str], str]]:
    """She tells and sends; then, at each look, what her page offers and what the queue shows."""
    phone = starts_telling(app)
    tells(phone, with_these(**told))
    code, begin, seen = sends(phone), place.clock.now, []
    first = offers_on(phone.text)
    phone.presses("more")
    offered = offers_on(phone.text)
    assert set(first) <= set(offered), "the page after sending shows the soonest of them"
    for hours in LOOKS:
        place.clock.now = begin + hours * 3600
        her = Phone(app)
        her.opens("/es/volver")
        her.sends("code", code=code)
        now = offers_on(her.text)
        assert hours or now == offered, "her case shows what stood behind the last page"
        place.clock.now = begin + hours * 3600
        seen.append((now, line_in_the_queue(app, place)))
    return seen


def table(seen: list[tuple[list[str], str]]) -> list[tuple[list[str], str]]:
    """A story in short: what is offered, without the companions who are there for everybody; the line of the queue."""
    return [([need[2:] for need in now if need != "N_PEER"], " ".join(line.split())) for now, line in seen]


def expected(offered: tuple[tuple[str, str], ...]) -> list[tuple[list[str], str]]:
    """What a story stands for: on cards her needs stand together by door, and how soon each is stands at the desk."""
    return [(sorted(need.split()[0] for need in hers.split(", ") if need), theirs) for hers, theirs in offered]


@pytest.mark.parametrize("name", STORIES)
def test_a_story_told_on_the_pages_is_offered_what_it_needs_now_and_as_time_goes_by(
    app: Flask, place: Place, name: str
) -> None:
    told, offered = STORIES[name]
    seen = table(lived(app, place, told))
    for hours, (hers, theirs) in zip(LOOKS, seen, strict=True):
        sys.stdout.write(f"{name} | +{hours} h | {hers} | {theirs}\n")  # with -s this is the table
    assert seen == expected(offered)
