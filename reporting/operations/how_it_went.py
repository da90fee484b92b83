"""How a practice went: when each case came, was opened and answered, and what waited too long.

Works on what the practice noted and on the cases as they are now; changes nothing. No hour here is a rule of ours: time
runs out as the rules of needs say, and an order is wrong where the queue had another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from referrals.directory import snapshot
from referrals.needs.assessment import assess
from referrals.needs.codes import MUST_NOTS, Need
from referrals.needs.exclusions import HIDDEN_BECAUSE, forbidden
from referrals.needs.rules import RANK
from reporting.cases.actions import speaks_for_herself
from reporting.cases.records import Case, Referral, alias
from reporting.clock import HOUR, MINUTE
from reporting.i18n import N_, Sentence, said
from reporting.operations.practice import KINDS, MINUTES, OPENED, TO_BE_MARKED, Came, Practice
from reporting.storage.database import reading
from reporting.teams.team_log import CannotOpen
from reporting.vocabulary.needs import NEEDS
from reporting.web import languages

UNOPENED: Final = N_("Nobody has opened it.")
LEAST_URGENT: Final = len(RANK)  # of what needs nothing
AGAINST: Final = {
    **HIDDEN_BECAUSE,
    **MUST_NOTS,
    "C_HERSELF": N_("Somebody else told it, and she herself has not said yes"),
}


@dataclass(frozen=True, slots=True)
class CaseStory:
    """One case: what it was, and what came of it."""

    title: Sentence
    lines: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class HowItWent:
    """A practice so far. `is_over`: all came, and the twenty minutes have passed."""

    is_over: bool
    waited: tuple[Sentence, ...]  # too long
    against: tuple[Sentence, ...]  # what was offered and must not be
    cases: tuple[CaseStory, ...]

    def in_words(self) -> Iterator[Sentence]:
        """All of it, a sentence a line."""
        yield from self.waited or [said(N_("Nothing waited too long."))]
        yield from self.against or [said(N_("Nothing was offered against what must not be done."))]
        for story in self.cases:
            yield story.title
            yield from story.lines


def how_it_went(practice: Practice) -> HowItWent:
    """What can be said now."""
    practice.look()
    now, zone = practice.clock(), practice.settings.time_zone
    is_over = not practice.waiting and now >= practice.began + MINUTES * MINUTE
    at = partial(_at, zone, now)
    waited = (line for came in practice.came for line in _waited(came, practice.came, now, at, is_over=is_over))
    against = (line for came in practice.came for line in _against(practice, came, now))
    stories = (_story(practice, came, now, at, is_over=is_over) for came in practice.came)
    return HowItWent(is_over, tuple(waited), tuple(against), tuple(stories))


def _at(zone: str, now: float, moment: float) -> str:
    """A time of the clock, with its day where that is not today's."""
    when = languages.local(moment, zone)
    return f"{when:%H:%M}" if when.date() == languages.local(now, zone).date() else f"{when:%H:%M} ({when:%d/%m})"


def _called(came: Came, *, is_over: bool) -> str:
    """Its short name; at the end with what it was."""
    words = N_("%(name)s («%(said_what)s»)")
    return said(words, name=alias(came.case), said_what=KINDS[came.coming.what]) if is_over else alias(came.case)


# ── what waited too long ────────────────────────────────────────────────────────────────────────────────────


def _waited(came: Came, every: list[Came], now: float, at: partial[str], *, is_over: bool) -> Iterator[Sentence]:
    name = _called(came, is_over=is_over)
    for need, ends in _windows(came):
        if ends < min(now, came.answered or now):
            yield said(
                N_("%(name)s: the time for this ran out at %(at)s, and nobody had answered: %(said_need)s"),
                name=name,
                at=at(ends),
                said_need=NEEDS[need.code],
            )
    first = next((other for other in every if _went_first(other, came, now)), None)
    if first is not None:
        yield said(
            N_("%(name)s waited, and %(other)s was opened first, which is less urgent."),
            name=name,
            other=_called(first, is_over=is_over),
        )
    missing = next((sentence for holds, sentence in _missing(came) if holds), "")
    if is_over and missing:
        yield said(missing, name=name)


def _missing(came: Came) -> tuple[tuple[bool, str], ...]:
    """(whether it is so, what is said then), the first that fits."""
    to_be_marked = came.coming.what in TO_BE_MARKED
    return (
        (OPENED not in came.first, N_("%(name)s: nobody opened it.")),
        (to_be_marked and "marked" not in came.first, N_("%(name)s: nobody marked it.")),
        (not to_be_marked and came.answered is None, N_("%(name)s: nobody answered.")),
    )


def _windows(came: Came) -> Iterator[tuple[Need, float]]:
    """Each need with a time that runs out, and when that is; the earliest first."""
    ends = [
        (need, came.coming.at + need.hours_left * HOUR)
        for need in assess(came.incident).needs
        if need.hours_left is not None and came.coming.what not in TO_BE_MARKED
    ]
    yield from sorted(ends, key=lambda pair: pair[1])


def _went_first(other: Came, came: Came, now: float) -> bool:
    """Whether another case, less urgent, was opened while this one was there and nobody had opened it."""
    opened = other.first.get(OPENED)
    if opened is None or _urgency(other) <= _urgency(came):
        return False
    return came.coming.at < opened < came.first.get(OPENED, now)


def _urgency(came: Came) -> int:
    """The place of its most urgent need, 0 for now; of what is to be marked, after all."""
    if came.coming.what in TO_BE_MARKED:
        return LEAST_URGENT
    return min((RANK[need.urgency] for need in assess(came.incident).needs), default=LEAST_URGENT)


# ── what was offered ────────────────────────────────────────────────────────────────────────────────────────


def _against(practice: Practice, came: Came, now: float) -> Iterator[Sentence]:
    try:
        case = practice.opened(came)
    except CannotOpen:
        return  # it went, as junk does
    services = snapshot.snapshot_of(partial(reading, practice.engine))
    for referral in case.referrals[came.before["referral"] :]:
        why = _why_not(case, referral, services, now)
        if why:
            yield said(
                N_("%(name)s: %(service)s was proposed, and may not be. %(said_why)s"),
                name=alias(came.case),
                service=services.service(referral.service).name,
                said_why=AGAINST[why],
            )


def _why_not(case: Case, referral: Referral, services: snapshot.DirectorySnapshot, now: float) -> str:
    """Why this may not be proposed to her; empty where it may. A child is protected by a way of its own."""
    if referral.protects:
        return ""
    if not speaks_for_herself(case.incident, case.consents):
        return "C_HERSELF"
    follows = assess(case.incident_at(now))
    if not follows.create_referral:
        return "MN_CREATE_REFERRAL"
    # as she told it: that this service refused her afterwards does not make it wrong to have asked there
    return forbidden(services.service(referral.service), follows.must_not, case.incident) or ""


# ── each case ───────────────────────────────────────────────────────────────────────────────────────────────


def _story(practice: Practice, came: Came, now: float, at: partial[str], *, is_over: bool) -> CaseStory:
    """What it was is not said before somebody has opened it: whoever practises may look at the page too."""
    name, moment = alias(came.case), at(came.coming.at)
    if not is_over and OPENED not in came.first:
        return CaseStory(said(N_("%(name)s. It came at %(at)s."), name=name, at=moment), (said(UNOPENED),))
    title = said(
        N_("%(name)s. %(said_what)s. It came at %(at)s."), name=name, said_what=KINDS[came.coming.what], at=moment
    )
    return CaseStory(title, tuple(_lines(practice, came, now, at)))


def _lines(practice: Practice, came: Came, now: float, at: partial[str]) -> Iterator[Sentence]:
    opened = came.first.get(OPENED)
    if opened is None:
        yield said(UNOPENED)
    else:
        yield said(
            N_("%(who)s opened it at %(at)s. It had waited %(minutes)s min."),
            who=practice.name_of(came.opened_by),
            at=at(opened),
            minutes=_minutes(came, opened),
        )
    yield _last_word(came, at)
    ahead = next(((need, ends) for need, ends in _windows(came) if ends >= now and came.answered is None), None)
    if ahead is not None:
        yield said(
            N_("Until %(at)s there is time for this: %(said_need)s"), at=at(ahead[1]), said_need=NEEDS[ahead[0].code]
        )


def _last_word(came: Came, at: partial[str]) -> Sentence:
    marked = came.first.get("marked")
    if marked is not None:
        return said(N_("It was marked at %(at)s."), at=at(marked))
    if came.coming.what in TO_BE_MARKED:
        return said(N_("Nobody has marked it. It needs no answer."))
    if came.answered is None:
        return said(N_("Nobody has answered."))
    return said(
        N_("The first answer: at %(at)s, %(minutes)s min after it came."),
        at=at(came.answered),
        minutes=_minutes(came, came.answered),
    )


def _minutes(came: Came, moment: float) -> int:
    return int(moment - came.coming.at) // MINUTE
