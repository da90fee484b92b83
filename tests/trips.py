"""Trips as people take them: a reporter tells page by page, a case worker reads. Used by several tests."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from flask import Flask

from referrals.help.texts import need_words
from reporting.teams import members
from reporting.web import languages
from tests.people import Place, Worker
from tests.phone import FormOnPage, Phone

SPANISH = languages.load(("es",))["es"]
Fill = Callable[[FormOnPage], dict[str, Any]]
UNSIGNED = "Unsigned: no professional has signed these words yet."
CHOSEN = {"radio", "checkbox", "select"}


def say(message: str, **parts: object) -> str:
    """A message as it stands on a Spanish page."""
    return languages.say(SPANISH, message, **parts)


def opens_invitation(desk: Phone, code: str) -> None:
    """Somebody types the code of an invitation; whoever it opens for, begins."""
    desk.opens("/es/equipo/invitacion")
    desk.sends("code", code=code)
    if desk.status == 203:
        desk.sends("t")


def in_her_words(need: str) -> str:
    """What a need is called on her pages in Spanish."""
    words: str = need_words()[need]["es"]
    return words


def starts_telling(app: Flask, language: str = "es", *, old: bool = False, way: str = "all") -> Phone:
    """She opens the first page of a trip, of every theme or of another length."""
    phone = Phone(app, old=old)
    begins(phone, language, way)
    assert phone.status == 203, phone.words[:300]
    return phone


def begins(phone: Phone, language: str = "es", way: str = "all") -> None:
    """From the page before the first question to the first question; `way` is the button that is pressed."""
    phone.opens(f"/{language}/contar")
    phone.presses(way)


def tells(phone: Phone, fill: Fill) -> dict[str, Any]:
    """Answer every page with `fill`, up to the check page. Returns all that was entered."""
    entered: dict[str, Any] = {}
    while not on_the_check_page(phone):
        form = phone.form("next")
        answers = fill(form)
        entered |= answers
        phone.presses("next", **answers)
        assert phone.status == 203, phone.words[:400]
    phone.form("send")
    return entered


def on_the_check_page(phone: Phone) -> bool:
    """Whether everything is told and waits for the button that sends."""
    return any(value == "send" for form in phone.forms for _, value in form.buttons)


def passing_over_everything(_form: FormOnPage) -> dict[str, Any]:
    """She answers nothing at all."""
    return {}


def at_random(seed: int) -> Fill:
    """She answers, or passes over, whatever comes."""
    chance = random.Random(seed)  # noqa: S311 -- for variety, not for secrecy

    def fill(form: FormOnPage) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for name, kind in form.kinds.items():
            if kind == "hidden" or chance.random() < 0.3:
                continue
            offered = [value for value in form.offered.get(name, []) if value]
            if kind in {"radio", "select"}:
                answers[name] = chance.choice(offered)
            elif kind == "checkbox":
                answers[name] = sorted(chance.sample(offered, chance.randint(0, min(4, len(offered)))))
            elif name == "number":
                answers[name] = chance.randint(0, 900)
            elif kind in {"text", "textarea"}:
                answers[name] = f"palabra {chance.randint(0, 999)} ñ <b>&amp;"
        return answers

    return fill


def from_vignette(answers: dict[str, Any], story: str) -> Fill:
    """She tells what a vignette says, in the fields of the pages."""
    flags = answers.get("flags", [])
    told: dict[str, Any] = {
        "about": "SELF",
        "safety": [flag for flag in flags if flag.startswith("S_")],
        "danger": [flag for flag in flags if flag.startswith("D_")],
        "injuries": [flag for flag in flags if flag.startswith("I_")],
        "unit": "hours",
        "ongoing": "yes" if answers["ongoing"] else "no",
        "migrant": "yes" if answers["migrant"] else "no",
        "lang": answers["language"],
        "narrative": story,
        "consents": ["C_LETTERS"],
    }
    if answers["hours_ago"] is not None:
        told["number"] = answers["hours_ago"]
    for name in (
        "age",
        "region",
        "venue",
        "violence",
        "perpetrator",
        "condom",
        "pregnant_possible",
        "identity",
        "docs",
        "police_safe",
        "wants",
    ):
        told[name] = answers[name]
    asked_after = ("extortion_act", "contact", "victim_state", "hurt_too")
    told |= {name: answers[name] for name in asked_after if name in answers}
    return lambda form: {name: value for name, value in told.items() if name in form.kinds}


def sends(phone: Phone) -> str:
    """She sends; what she keeps is the code."""
    phone.presses("send")
    assert phone.status == 203, phone.words[:400]
    words, digits = phone.receipt()
    assert (len(words), len(digits)) == (7, 7)
    return " ".join(words)


def signs_in(app: Flask, place: Place, worker: Worker) -> Phone:
    """Somebody of the staff signs in with password and six digits."""
    place.clock.on(minutes=1)
    desk = Phone(app, cookies=True, address="127.0.0.1")
    desk.opens("/es/equipo")
    desk.sends(
        "password",
        name=worker.name,
        password=worker.password,
        code=members.totp_code(worker.totp, place.clock()),
    )
    assert "/equipo/" in desk.path, desk.words[:300]
    return desk


def proves(place: Place, name: str) -> dict[str, str]:
    """What somebody who is signed in types again for an act of power: the password and the next six digits."""
    place.clock.on(minutes=1)
    worker = place.workers[name]
    return {"password": worker.password, "code": members.totp_code(worker.totp, place.clock())}


def in_the_terminal(place: Place, name: str, ahead: int = 0) -> str:
    """The same as lines for the terminal, by the time of this machine; `ahead`: -1, 0 or 1 half minutes."""
    worker = place.workers[name]
    return f"{name}\n{worker.password}\n{members.totp_code(worker.totp, time.time() + ahead * 30)}\n"


def opens_newest_case(desk: Phone) -> str:
    """She opens the one case that nobody has read."""
    desk.opens("/es/equipo/casos")
    unread = desk.text.split('class="c-card queue-unread"')[1:]
    assert len(unread) == 1, f"{len(unread)} unread cases"
    link = unread[0].split('href="', 1)[1].split('"', 1)[0]
    desk.opens(link)
    assert desk.status == 203, desk.words[:300]
    return link
