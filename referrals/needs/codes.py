"""Urgencies and must-nots: their codes and labels; and the assessment that travels.

Data alone: knows no rule and no incident. The needs themselves stand in reporting.vocabulary.needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reporting.i18n import N_

URGENCIES: Final = ("NOW", "H24", "H72", "H120", "SOON", "READY")  # the most urgent first
URGENCY_LABELS: Final = {
    "NOW": N_("Now"),
    "H24": N_("Within 24 hours"),
    "H72": N_("Within 3 days"),
    "H120": N_("Within 5 days"),
    "SOON": N_("In the next two weeks"),
    "READY": N_("When you want"),
}
MUST_NOTS: Final = {
    "MN_POLICE": N_("No police and no line run by the police, unless she asks for it in words"),
    "MN_CEM_COMISARIA": N_("No emergency centre that sits inside a police station"),
    "MN_SAME_STATION": N_("Not at the station or unit of the agent who did it"),
    "MN_AUTO_REPORT": N_("Report or send nothing without her consent"),
    "MN_REQUIRE_REPORT": N_("Never make care depend on a complaint"),
    "MN_DELAY_CARE": N_("Do not delay care for an exam or for papers"),
    "MN_REQUIRE_ID": N_("Never make help depend on an identity document"),
    "MN_MIGRATION_AUTH": N_("No contact with the migration office, and no advice to get papers first"),
    "MN_OUT": N_("Never reveal sex work, gender identity or HIV to anybody"),
    "MN_DEADNAME": N_("Use the name and gender she chose; no service known to be hostile to trans people"),
    "MN_ASSUME_BODY": N_("Do not guess from identity what her body can do; use her answer"),
    "MN_MEDIATION": N_("No conciliation and no joint meeting with the aggressor"),
    "MN_PEP_PROMISE": N_("Do not promise PEP after 72 hours"),
    "MN_EC_PROMISE": N_("Do not promise emergency contraception after 120 hours"),
    "MN_CONTACT_BACK": N_("No call, no message, no e-mail to her"),
    "MN_PROMISE_SECRECY": N_("Do not promise absolute secrecy to a person under 18; explain the limits first"),
    "MN_NOTIFY_FAMILY": N_("Do not tell parents, guardian or partner"),
    "MN_RESCUE": N_("Do not treat an adult who works by choice as trafficked; no rescue operation"),
    "MN_CREATE_REFERRAL": N_("Do not create or send a referral"),
}
UNIVERSAL: Final = frozenset({"MN_AUTO_REPORT", "MN_REQUIRE_REPORT", "MN_MEDIATION", "MN_OUT"})  # hold even unlisted


@dataclass(frozen=True, slots=True)
class Need:
    """One need: how soon, which rules say so, and the hours until its medical window closes."""

    code: str
    urgency: str
    rules: tuple[str, ...]
    information_only: bool = False
    hours_left: float | None = None  # None: no window, or an unknown time


@dataclass(frozen=True, slots=True)
class Assessment:
    """What follows from an incident. Needs come the most urgent first."""

    gbvims: str
    create_referral: bool
    needs: tuple[Need, ...]
    must_not: frozenset[str]
