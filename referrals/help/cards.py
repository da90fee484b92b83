"""Cards: one for each door, with everything that it serves for her; three in sight, the rest behind one touch.

Made of answers. Decides neither what is offered nor in which order needs stand: the first needs find the first cards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from referrals.help import doubts, right_person
from referrals.help.answers import Help, NeedHelp
from referrals.help.at_the_door import EMERGENCY, DeskSentence, sentences
from referrals.matching.records import Offer
from referrals.matching.wording import UNSURE
from reporting.i18n import Sentence

IN_SIGHT: Final = 3  # cards: what a person can do in a night
PRESSING: Final = frozenset({"NOW", "H24"})  # what the words above the fold name as not to be put off


@dataclass(frozen=True, slots=True)
class HelpCard:
    """A door and what it serves for her, the most pressing first."""

    offer: Offer
    needs: tuple[NeedHelp, ...]
    beside: tuple[Offer, ...]  # numbers that stand beside it: the ambulance, the other line for children
    more: tuple[Offer, ...]  # other places for the same needs, each with its doubts, the worst first
    only_line: tuple[NeedHelp, ...]  # of the needs, those for which nothing near her is known
    at_the_desk: tuple[DeskSentence, ...]  # of an emergency: what to say there, what they may not ask for
    doubts: tuple[Sentence, ...]  # the worst first, which is in sight

    @property
    def first(self) -> NeedHelp:
        """The need that decides where the card stands, and whose clock it shows."""
        return self.needs[0]

    @property
    def doubt(self) -> Sentence | None:
        """The one doubt that is in sight; None where there is none."""
        return next(iter(self.doubts), None)

    @property
    def unsure(self) -> tuple[NeedHelp, ...]:
        """The needs that it is not known to serve, if that is its worst doubt."""
        named = self.needs if self.doubt and self.doubt.message in UNSURE else ()
        return tuple(need for need in named if any(reason.message in UNSURE for reason in need.offers[0].reasons))

    @property
    def reasons(self) -> tuple[Sentence, ...]:
        """Why this one, without what the card says in sight."""
        said_already = {self.offer.where, self.offer.is_open, self.offer.led_by}
        return tuple(
            reason for reason in self.offer.reasons if reason not in said_already and reason.message not in UNSURE
        )

    @property
    def is_verified(self) -> bool:
        """Whether somebody of the team has looked at it within a year."""
        return doubts.is_verified(self.offer)


@dataclass(frozen=True)
class HelpCards:
    """Everything she is offered, on cards."""

    today: tuple[HelpCard, ...]
    later: tuple[HelpCard, ...]
    nothing: tuple[NeedHelp, ...]  # needs for which there is no door at all: the team looks for one
    of_all: tuple[Sentence, ...]
    help: Help = field(repr=False)

    @cached_property
    def signed(self) -> bool:
        """Whether every text about her needs, and every sentence for a desk, is signed."""
        lines = (line for card in (*self.today, *self.later) for line in card.at_the_desk)
        return self.help.signed and all(line.signed for line in lines)

    @cached_property
    def pressing(self) -> tuple[NeedHelp, ...]:
        """The needs behind the fold that should not be put off."""
        return tuple(need for card in self.later for need in card.needs if need.need.urgency in PRESSING)

    @cached_property
    def unhurried(self) -> tuple[NeedHelp, ...]:
        """The other needs behind the fold."""
        return tuple(need for card in self.later for need in card.needs if need.need.urgency not in PRESSING)


def cards_of(help_: Help) -> HelpCards:
    """The cards of what was found, in the order of her needs: each service has one, under its first need."""
    served = [need for need in help_.needs if need.offers]
    doors: dict[str, list[NeedHelp]] = {}
    for need in served:
        doors.setdefault(need.offers[0].service_id, []).append(need)
    cards = [_card(needs, doors.keys(), help_) for needs in doors.values()]
    nothing = tuple(need for need in help_.needs if not need.offers)
    of_all = doubts.of_all([needs[0].offers[0] for needs in doors.values()])
    of_all = right_person.worded(of_all) if help_.of_another else of_all
    return HelpCards(tuple(cards[:IN_SIGHT]), tuple(cards[IN_SIGHT:]), nothing, of_all, help_)


def _card(needs: Sequence[NeedHelp], doors: Iterable[str], help_: Help) -> HelpCard:
    door = needs[0].offers[0]
    beside = _each_once((offer for need in needs for offer in need.open[1:]), {door.service_id})
    taken = {door.service_id, *(offer.service_id for offer in beside), *doors}
    walks_in = door.kind == EMERGENCY and bool(door.address)
    codes, of_another = [need.need.code for need in needs], help_.of_another
    at_the_desk = sentences(codes, help_.country, of_another=of_another) if walks_in else ()
    card = HelpCard(
        offer=door,
        needs=tuple(needs),
        beside=beside,
        more=tuple(
            replace(offer, warnings=doubts.of_one([offer]))
            for offer in _each_once((offer for need in needs for offer in need.folded), taken)
        ),
        only_line=tuple(need for need in needs if help_.placed and need.offers[0].fallback),
        at_the_desk=at_the_desk,
        doubts=doubts.of_one(need.offers[0] for need in needs),
    )
    return _for_another(card) if of_another else card


def _for_another(card: HelpCard) -> HelpCard:
    """The same card, where somebody tells for another person; what is said of a door is weighed before."""
    said = right_person.for_another
    return replace(
        card,
        offer=said(card.offer),
        beside=tuple(map(said, card.beside)),
        more=tuple(map(said, card.more)),
        doubts=right_person.worded(card.doubts),
    )


def _each_once(offers: Iterable[Offer], taken: Iterable[str]) -> tuple[Offer, ...]:
    """Each service once, without those that stand elsewhere."""
    first: dict[str, Offer] = {}
    for offer in offers:
        if offer.service_id not in taken:
            first.setdefault(offer.service_id, offer)
    return tuple(first.values())
