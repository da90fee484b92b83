"""Doubts about a service, weighed by the harm that comes of not knowing them: one line a card, the worst.

What is true of most places is said once above all cards and on none of them. Decides nothing about what is offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from referrals.matching.records import Offer
from referrals.matching.wording import (
    ASKS_FOR_ID,
    CHECKED,
    DUTY,
    MAY_CHANGE,
    MINORS_UNKNOWN,
    NOT_SURE,
    PAPERS_UNKNOWN,
    POLICE_INSIDE,
    POLICE_UNKNOWN,
    TRANS_UNKNOWN,
    UNSURE,
    WARNINGS,
    WITHOUT_A_CALL,
    WITHOUT_NUMBER,
)
from reporting.i18n import N_, Sentence, said

# The worst first: who may meet her there against her will, what may be told on, who may turn her away, what may be
# closed, what only costs a way. A warning that is not here is no doubt of a service.
HARM: Final = (
    POLICE_INSIDE,
    POLICE_UNKNOWN,
    WARNINGS["INTERIOR"],
    WARNINGS["SENDS_TO_STATION"],
    WARNINGS["POLICE_CONTACT"],
    WARNINGS["MAY_REPORT_THEMSELVES"],
    MAY_CHANGE,
    ASKS_FOR_ID,
    WARNINGS["ADULT_WITH_ID"],
    WARNINGS["FOR_INSURED"],
    WARNINGS["SEEN_FOR_LIMA"],
    WITHOUT_NUMBER["SEEN_FOR_LIMA"],
    WARNINGS["FAR_FROM_CAPITAL"],
    WARNINGS["KITS_MISSING"],
    WITHOUT_NUMBER["KITS_MISSING"],
    WARNINGS["KIT_DISPUTED"],
    NOT_SURE,
    WARNINGS["STATE_LAW"],
    WARNINGS["OLD_DATA"],
)
# warning -> the same about every place of the list, said once above it
OF_ALL: Final = {
    DUTY: N_("Places of the State may have to report violence to an authority. You can ask before you tell."),
    MINORS_UNKNOWN: N_("We do not know if these places attend people under 18: ask first."),
    PAPERS_UNKNOWN: N_(
        "Of most places we do not know if they ask for papers. You have the right to help without them."
    ),
    TRANS_UNKNOWN: N_("Of most places we do not know how they treat trans people. You can go with somebody."),
}
UNVERIFIED: Final = N_("Where it does not say «verified», nobody of us has confirmed it yet: call first if you can.")
_WEIGHT: Final = {message: weight for weight, message in enumerate(HARM)}
_WEIGHT.update({other: _WEIGHT[message] for message, other in WITHOUT_A_CALL.items() if message in _WEIGHT})


def of_one(offers: Iterable[Offer]) -> tuple[Sentence, ...]:
    """The doubts about one service, offered for these needs, the worst first: that one stands on its card."""
    held = {doubt.message: doubt for offer in offers for doubt in _own(offer)}
    return tuple(sorted(held.values(), key=lambda doubt: _WEIGHT[doubt.message]))


def of_all(offers: Iterable[Offer]) -> tuple[Sentence, ...]:
    """What is true of all, or of most, of these: said once."""
    shown = tuple(offers)
    held = {warning.message for offer in shown for warning in offer.warnings}
    unverified = () if all(is_verified(offer) for offer in shown) else (said(UNVERIFIED),)
    return (
        *unverified,
        *(said(sentence) for message, sentence in OF_ALL.items() if held & {message, WITHOUT_A_CALL.get(message)}),
    )


def is_verified(offer: Offer) -> bool:
    """Whether somebody of the team has looked at it within a year."""
    return offer.verified.message == CHECKED


def _own(offer: Offer) -> list[Sentence]:
    """Its doubts, without what is said of all."""
    unsure = [reason for reason in offer.reasons if reason.message in UNSURE]
    return [doubt for doubt in (*offer.warnings, *unsure) if doubt.message in _WEIGHT]
