"""Whom help is for: what is said of a door, to who told for another person, is said of that person.

Knows no service and no page. Whatever speaks to whoever calls or goes ("ask before you tell") stays as it is: that may
be who tells. What a lawyer or a clinician has to sign as a whole (child policy, plans, the doctor's sheet) stays too;
the page says in one line who is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from referrals.matching.records import Offer
from reporting.i18n import N_, Sentence
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.person import OTHER
from reporting.vocabulary.relevance import of_a_companion

# as it is said of a door to who needs it -> as it is said for another person
OF_ANOTHER: Final[Mapping[str, str]] = {
    N_("It serves your province."): N_("It serves the province of this person."),
    N_("It serves your region."): N_("It serves the region of this person."),
    N_("It serves part of your region: %(places)s."): N_("It serves part of the region of this person: %(places)s."),
    N_("It is in %(place)s, about %(km)s km in a straight line from the capital of your province."): N_(
        "It is in %(place)s, about %(km)s km in a straight line from the capital of this person's province."
    ),
    N_("They speak your language."): N_("They speak this person's language."),
    N_("We do not know how they treat trans people: call first, or go with somebody."): N_(
        "We do not know how they treat trans people: call first, or somebody can go along."
    ),
    N_("We do not know how they treat trans people: go with somebody, if you can."): N_(
        "We do not know how they treat trans people: somebody can go along."
    ),
    N_("We do not know if they ask for papers: call first. You have the right to help without them."): N_(
        "We do not know if they ask for papers: call first. This person has the right to help without them."
    ),
    N_("We do not know if they ask for papers. You have the right to help without them."): N_(
        "We do not know if they ask for papers. This person has the right to help without them."
    ),
    N_("Of most places we do not know if they ask for papers. You have the right to help without them."): N_(
        "Of most places we do not know if they ask for papers. This person has the right to help without them."
    ),
    N_("Of most places we do not know how they treat trans people. You can go with somebody."): N_(
        "Of most places we do not know how they treat trans people. Somebody can go along."
    ),
    N_("Their page asks for an identity card and 18 years. Ask if they help you without."): N_(
        "Their page asks for an identity card and 18 years. Ask if they help without."
    ),
}


def is_for_another(incident: Incident) -> bool:
    """Whether help is for the person whom somebody tells about. Where a companion is gone, it is for who tells."""
    return incident.about == OTHER and not of_a_companion(incident)


def worded(sentences: Iterable[Sentence]) -> tuple[Sentence, ...]:
    """Sentences about a door, as they are said for another person."""
    return tuple(Sentence(OF_ANOTHER.get(each.message, each.message), each.parts) for each in sentences)


def for_another(offer: Offer) -> Offer:
    """The same door, said for another person."""
    where = worded([offer.where])[0] if offer.where else None
    return replace(offer, reasons=worded(offer.reasons), warnings=worded(offer.warnings), where=where)
