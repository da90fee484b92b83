"""The letters of a team beside the box in which a case worker answers: which there are, and one put into the box.

What is filled in is what the directory and the team say, in her language. Sends nothing and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import g

from referrals.casework import referral
from referrals.casework.follow_up import appointments, letters
from referrals.casework.follow_up.letters import Template
from referrals.directory.snapshot import DirectorySnapshot
from referrals.matching.hours import YES
from referrals.pages.act_forms import ActForm
from reporting.cases.follow_up.team_letters import TeamLetter, letters_of
from reporting.cases.records import Case
from reporting.i18n import N_
from reporting.teams import reading_hours
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CannotOpen
from reporting.web import languages
from reporting.web.context import installation, today
from reporting.web.languages import LANGUAGES

FILL = "fill"  # the button that puts a letter into the box


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter in the box: what stands there, what the same says in the case worker's language, and its language.

    `beside` is empty where both read the same. `other_tongue`: there is no text in her language, so it is in this.
    """

    title: str
    text: str
    beside: str
    language: str
    other_tongue: str
    is_unfinished: bool
    signed: bool


@dataclass(frozen=True, slots=True)
class LetterBox:
    """What can be put into the box, as (code, title), and what was."""

    choices: tuple[tuple[str, str], ...]
    draft: Draft | None


def letter_box(
    db: Any, keys: Keys, case: Case, directory: DirectorySnapshot, code: str, form: ActForm | None
) -> LetterBox:
    """The letters that can be put into the box of a case; with the one of this code in it, after what was typed."""
    own: tuple[TeamLetter, ...] = ()
    with suppress(CannotOpen):  # the page of letters says so; the shipped ones are there
        own = letters_of(db, keys, case.team)
    known = letters.templates(own)
    choices = tuple((each.code, each.titles[each.language(_tongues(g.lang))]) for each in known)
    chosen = next((each for each in known if each.code == code), None)
    if chosen is None:
        return LetterBox(choices, None)
    typed = str(form["text"].data or "") if form is not None and "text" in form else ""
    return LetterBox(choices, _draft(db, case, directory, chosen, typed))


def _draft(db: Any, case: Case, directory: DirectorySnapshot, chosen: Template, typed: str) -> Draft:
    hers, mine = chosen.language(_tongues(case.language)), chosen.language(_tongues(g.lang))
    text, beside = letters.filled(chosen.texts[hers], _known(db, case, directory, chosen, hers)), ""
    if mine != hers:
        beside = letters.filled(chosen.texts[mine], _known(db, case, directory, chosen, mine))
    return Draft(
        title=chosen.titles[mine],
        text=letters.joined(typed, text),
        beside=beside,
        language=hers,
        other_tongue="" if hers in _understood(case.language) else LANGUAGES[hers].autonym,
        is_unfinished=letters.is_unfinished(text),
        signed=chosen.signed or chosen.own is not None,
    )


def _understood(language: str) -> tuple[str, ...]:
    """A language and, where it has one, that which stands in its place."""
    fallback = LANGUAGES[language].fallback if language in LANGUAGES else ""
    return (language, fallback) if fallback else (language,)


def _tongues(language: str) -> tuple[str, ...]:
    return (*_understood(language), *installation().catalogues)


def _known(db: Any, case: Case, directory: DirectorySnapshot, chosen: Template, language: str) -> Mapping[str, str]:
    """What is known of each place of a letter, in this language; nothing that she told is among it."""
    card = directory.cards.by_id.get(_service(case, chosen))
    always = languages.say(installation().catalogues.get(language, g.catalogue), N_("Open 24 hours."))
    return {
        "service": card.name if card else "",
        "address": card.address if card else "",
        "hours": (card.hours or (always if card.is_24h == YES else "")) if card else "",
        "appointment": _appointment(case, language),
        "reading_days": _reading_days(db, language),
    }


def _appointment(case: Case, language: str) -> str:
    """Day and time of the only appointment that is to come; blank where there is none, or a choice."""
    ahead = appointments.coming(case, today().date())
    return f"{languages.day(language, ahead[0].day)}, {ahead[0].time}" if len(ahead) == 1 else ""


def _service(case: Case, chosen: Template) -> str:
    """The service of the only referral that the letter can speak of; blank where there is none, or a choice."""
    services = {each.service for each in case.referrals if _is_spoken_of(each.state, chosen)}
    return services.pop() if len(services) == 1 else ""


def _is_spoken_of(state: str, chosen: Template) -> bool:
    return state in chosen.speaks_of if chosen.speaks_of else state not in referral.ENDED


def _reading_days(db: Any, language: str) -> str:
    known = reading_hours.read(db)
    return languages.weekdays(language, sorted(known.hours)) if known.is_known else ""
