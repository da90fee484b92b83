"""For what a service is offered, and why not where it is not: said to its keepers.

Pure. Knows no case: who is offered it first follows from where somebody is and what she needs.
"""

from __future__ import annotations

from referrals.matching.listings import NONE, ServiceCard, is_listed
from reporting.i18n import N_
from reporting.vocabulary.needs import NEEDS

NOT_BELIEVED = N_("Nobody of the team stands for it as it is in the database, so it is offered to nobody.")
NO_SOURCE = N_("No source has seen it. It is not shown to reporters until somebody confirms it.")
NOT_REACHED = N_("It has neither a number that can be dialled nor an address, so nobody is sent there.")
NOWHERE = N_("Where it serves is not known, so it is offered nowhere.")
NO_NEED = N_("A service of this kind is offered for no need.")


def offered_for(card: ServiceCard | None) -> tuple[str, ...]:
    """The names of the needs for which a service is offered, in the order of care; none where it is not offered."""
    if card is None or why_not(card):
        return ()
    return tuple(name for need, name in NEEDS.items() if need in card.needs)


def why_not(card: ServiceCard | None) -> str:
    """Why a service is offered to nobody; blank where it is."""
    if card is None:
        return NOT_BELIEVED
    reasons = (
        (not is_listed(card), NO_SOURCE),
        (card.reached == NONE, NOT_REACHED),
        (not card.coverage and not card.coverage_national, NOWHERE),
        (not card.needs, NO_NEED),
    )
    return next((reason for holds, reason in reasons if holds), "")
