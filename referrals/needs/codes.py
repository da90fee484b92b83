"""Needs, urgencies and must-nots: their codes and labels, and the assessment that travels.

Data alone: knows no rule and no incident.
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
NEEDS: Final = {
    "N_EMERG_MED": N_("Emergency care"),
    "N_CRISIS_MH": N_("Help when you think of ending your life"),
    "N_MISSING": N_("The search for somebody missing"),
    "N_CHILD_PROT": N_("Protection for people under 18"),
    "N_PEP": N_("Medicine that can prevent HIV (PEP)"),
    "N_EC": N_("Emergency contraception"),
    "N_STI": N_("Tests and treatment for infections from sex"),
    "N_HEPB": N_("Hepatitis B vaccine"),
    "N_WOUND": N_("Care for wounds, and tetanus"),
    "N_MED_CHECK": N_("A health check"),
    "N_PREG": N_("Pregnancy test, options and care"),
    "N_TRAFFICKING": N_("Help to get out of forced work"),
    "N_SAFETY_PLAN": N_("A plan to be safer"),
    "N_SHELTER": N_("A safe place to stay"),
    "N_FORENSIC": N_("Medico-legal exam, if you choose it"),
    "N_LEGAL_STATE": N_("Legal help against an authority"),
    "N_PROTECTION": N_("Protection measures from a family court"),
    "N_REPORT_ROUTE": N_("Company to choose where to report"),
    "N_LEGAL_INFO": N_("Legal advice"),
    "N_PFA": N_("Somebody who listens and supports"),
    "N_COUNSEL": N_("Counselling"),
    "N_DIGITAL": N_("Digital safety"),
    "N_PEER": N_("Companions and their organisations"),
    "N_DOCS": N_("Help with papers"),
    "N_ECON": N_("Economic support"),
    "N_SERVICE_COMPLAINT": N_("A complaint about a service"),
}  # the order is also the order of needs of one urgency: care and safety before an exam
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
