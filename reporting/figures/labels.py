"""Names of the groups in published figures, as message ids.

Data alone: knows neither counts nor tables.
"""

from __future__ import annotations

from typing import Final

from reporting.i18n import N_
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.places import HOME, REGION_NAMES, CountryPlaces, words_of

NOT_SAID: Final = N_("Not said")
# dimension -> group -> label; a group that is not here was not said
LABELS: Final[dict[str, dict[str, str]]] = {
    "perpetrator": {
        "CLIENT": N_("Clients"),
        "POLICE": N_("Police"),
        "SERENAZGO": N_("Municipal security"),
        "OTHER_STATE": N_("Other agents of the state"),
        "THIRD_PARTY": N_("Pimps, owners, managers"),
        "CRIMINAL_GROUP": N_("Groups that charge quotas"),
        "PARTNER_FAMILY": N_("Partner or family"),
        "PROVIDER": N_("Staff of a service"),
        "OTHER": N_("Others"),
        "UNKNOWN": N_("Not known or not said"),
    },
    "type": {
        "KILLING": N_("Killing, or an attempt"),
        "RAPE": N_("Rape"),
        "OTHER_SEXUAL": N_("Other sexual violence"),
        "PHYSICAL_ASSAULT": N_("Beating, injury"),
        "CONFINEMENT": N_("Locked in, or forced to work or marry"),
        "EXTORTION": N_("Quotas and bribes"),
        "DETENTION": N_("Arbitrary detention"),
        "CONDOMS": N_("Condoms taken"),
        "MONEY": N_("Robbery, not paid"),
        "THREATS": N_("Threats, stalking"),
        "OUTING": N_("Photos or identity published"),
        "DENIAL": N_("Care or complaint refused"),
        "PSYCH": N_("Insults, hate"),
    },
    "region": {
        **REGION_NAMES,
        "OTHER": N_("Another region"),
    },
    "quarter": {
        "Q1": N_("January to March"),
        "Q2": N_("April to June"),
        "Q3": N_("July to September"),
        "Q4": N_("October to December"),
    },
    "gender": {
        "CIS_W": N_("Women"),
        "TRANS": N_("Trans and non-binary people"),
        "CIS_M": N_("Men"),
        "OTHER": N_("Another gender"),
        "NA": NOT_SAID,
    },
    "outcome": {
        "OPEN": N_("Still open"),
        "REACHED": N_("Help was reached"),
        "NOT_REACHED": N_("Help was not reached"),
        "REFUSED": N_("The service refused"),
        "RECORD_ONLY": N_("Only to be recorded"),
    },
    "department": {"OTHER": N_("Another region")},  # the others are names of a list of places
    "age": {"U18": N_("Under 18"), "A18_24": N_("18 to 24"), "A25P": N_("25 or more")},
    "venue": {
        "PUBLIC": N_("Street or vehicle"),
        "WORK_ROOM": N_("Bar, brothel or hotel"),
        "PRIVATE": N_("Her own place or the client's"),
        "ONLINE": N_("On the internet"),
        "CAMP_PORT": N_("Camp or port"),
        "STATE_PLACE": N_("Police station or health centre"),
        "OTHER": N_("Another place"),
    },
    "reported": {
        "TO_POLICE": N_("Yes, to the police"),
        "TO_ANOTHER": N_("Yes, to another authority"),
        "NOT_FEAR": N_("No: fear of reprisal"),
        "NOT_DISTRUST": N_("No: distrust of the police"),
        "NOT_BELIEVED": N_("No: she would not be believed"),
        "NOT_KNOWN_WHERE": N_("No: she did not know where"),
        "NOT_PAPERS": N_("No: without papers"),
        "NOT_SHAME": N_("No: shame"),
        "NOT_TIME": N_("No: no time"),
        "NOT_NO_REASON": N_("No, without a reason told"),
    },
    "papers": {"WITHOUT": N_("Without papers"), "WITH": N_("With papers")},
    "in_time": {
        "WITHIN_72": N_("Within 72 hours"),
        "WITHIN_120": N_("Within 120 hours"),
        "LATER": N_("Later than that"),
        "NOT_KNOWN": N_("Not known"),
    },
    "month": {
        "M01": N_("January"),
        "M02": N_("February"),
        "M03": N_("March"),
        "M04": N_("April"),
        "M05": N_("May"),
        "M06": N_("June"),
        "M07": N_("July"),
        "M08": N_("August"),
        "M09": N_("September"),
        "M10": N_("October"),
        "M11": N_("November"),
        "M12": N_("December"),
    },
    "gap": {
        "NONE": N_("None was left waiting"),
        **NEEDS,
    },
    "answered": {
        "WITHIN_24": N_("Up to 24 hours"),
        "WITHIN_72": N_("More than 24 and up to 72 hours"),
        "WITHIN_7D": N_("More than 72 hours and up to 7 days"),
        "LATER": N_("More than 7 days"),
        "NEVER": N_("No letter yet when the period was frozen"),
        "NOT_AWAITED": N_("No letter was waited for: told by voice, or letters not wanted"),
        "NOT_KNOWN": N_("Not known"),
    },
}
# dimension -> how its table is to be read, as a message id
NOTES: Final[dict[str, str]] = {
    "answered": N_(
        "From the report to the first letter that the team wrote here. A call is no letter, and a letter that was "
        "written after the period was frozen is not in it."
    ),
}


def label(dimension: str, group: str, places: CountryPlaces = HOME) -> str:
    """The name of a group, as a message id; its code where it has no other name. A department has that of its list."""
    name = LABELS.get(dimension, {}).get(group) or (places.departments.get(group) if dimension == "department" else "")
    return name or (NOT_SAID if group == "NOT_SAID" else group)


def written(dimension: str, group: str, places: CountryPlaces) -> str:
    """The same as it is written into a file: in English, with words that hold in this country."""
    name = label(dimension, group, places)
    return words_of(places.country).get(name, name)
