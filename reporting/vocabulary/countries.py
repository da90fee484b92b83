"""Words that only hold in the country this was made in, and what pages say in any other.

Pure. Peru is the first home: its papers, offices and insurance stand in message ids and their translations, because
there they must be exact. Elsewhere a page says the same without the name. Lines, services and places are data and
never stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reporting.i18n import N_

FIRST_HOME: Final = "PE"
# message id of Peru -> what is said in another country
ELSEWHERE: Final[Mapping[str, str]] = {
    "DNI (Peruvian identity card)": N_("Identity card of this country"),
    "The ombudsman (Defensoría del Pueblo)": N_("The ombudsman"),
    "Municipal security or inspectors": N_("Guards or inspectors of the municipality"),
    "Municipal security": N_("Guards of the municipality"),
    "Police, serenazgo or another authority did it": N_("Police or another authority did it"),
    "Centre for women after violence (CEM)": N_("Centre for women after violence"),
    "Centre for women (CEM) inside a police station": N_("Centre for women inside a police station"),
    "Team that comes in danger (SAU)": N_("Team that comes in danger"),
    "Centre for HIV and infections (CERITS, UAMP, TAR)": N_("Centre for HIV and infections"),
    "Defensoría del Pueblo": N_("The ombudsman"),
    "Fiscalía": N_("Prosecutor"),
    "Forensic medicine (IML)": N_("Forensic medicine"),
    "For girls, boys and adolescents (UPE, DEMUNA)": N_("For girls, boys and adolescents"),
    "It asks for an identity card.": N_("It asks for an identity document."),
    "No identity card is needed, says the source.": N_("No identity document is needed, says the source."),
    "Attends without an identity card": N_("Attends without an identity document"),
    "Do they attend people without an identity card?": N_("Do they attend people without an identity document?"),
    "It is free with SIS insurance.": N_("It is free with public insurance."),
    "Departments (INEI, two digits)": N_("Departments (two digits of the tree of places)"),
    "No department is named: two digits of INEI, such as 25, separated by semicolons.": N_(
        "No department is named: two digits of the tree of places, such as 25, separated by semicolons."
    ),
}


def words(country: str) -> Mapping[str, str]:
    """Message id -> the one that is said instead in this country."""
    return {} if country == FIRST_HOME else ELSEWHERE
