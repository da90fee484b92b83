"""The GBVIMS core type of an incident: the one type that other agencies can compare.

Pure. Knows neither cases nor figures. Source: GBVIMS user guide, the questions in their order.
"""

from __future__ import annotations

from typing import Final

from reporting.i18n import N_
from reporting.vocabulary.codes import MINOR_AGES
from reporting.vocabulary.incident import Incident

FORCE: Final = frozenset(
    {
        "S_WEAPON",
        "I_WOUND",
        "I_BITE",
        "I_HEAD_BLOW",
        "I_BRUISES",
        "D_HEAD_SIGNS",
        "D_STRANGLED",
        "D_STAB_GUN",
        "D_FRACTURE",
        "D_BURN",
        "D_DRUGGED",
    }
)
_NO_CONDITION: Final[frozenset[str]] = frozenset()
# The questions of the standard form in their fixed order; the first yes gives the type.
# Only what was said counts: whoever did not answer whether it happened is counted as threatened.
# (type, acts, flags or answers of which one is needed too)
GBVIMS_QUESTIONS: Final = (
    ("G1_RAPE", frozenset({"RAPE", "STEALTHING"}), _NO_CONDITION),
    ("G1_RAPE", frozenset({"SEXUAL_EXTORTION"}), frozenset({"extortion_act:yes"})),
    ("G1_RAPE", frozenset({"FORCED_SEX_WORK"}), frozenset({f"age:{age}" for age in MINOR_AGES})),
    ("G2_SEXUAL_ASSAULT", frozenset({"SEXUAL_ASSAULT"}), _NO_CONDITION),
    (
        "G3_PHYSICAL_ASSAULT",
        frozenset({"PHYSICAL_ASSAULT", "ATTEMPTED_KILLING", "KILLING_DISAPPEARANCE"}),
        _NO_CONDITION,
    ),
    ("G3_PHYSICAL_ASSAULT", frozenset({"ROBBERY", "CONFINEMENT", "ARBITRARY_DETENTION"}), FORCE),
    ("G4_FORCED_MARRIAGE", frozenset({"FORCED_MARRIAGE"}), _NO_CONDITION),
    (
        "G5_DENIAL",
        frozenset(
            {
                "EXTORTION",
                "CONDOM_CONFISCATION",
                "ROBBERY",
                "NONPAYMENT",
                "ECONOMIC_ABUSE",
                "SERVICE_DENIAL",
                "FORCED_HEALTH_EXAM",
                "FORCED_SEX_WORK",
            }
        ),
        _NO_CONDITION,
    ),
    (
        "G6_PSYCHOLOGICAL",
        frozenset(
            {"THREATS", "STALKING", "OUTING", "PSYCH_ABUSE", "CONFINEMENT", "ARBITRARY_DETENTION", "SEXUAL_EXTORTION"}
        ),
        _NO_CONDITION,
    ),
)
GBVIMS: Final = {
    "G1_RAPE": N_("Rape"),
    "G2_SEXUAL_ASSAULT": N_("Sexual assault"),
    "G3_PHYSICAL_ASSAULT": N_("Physical assault"),
    "G4_FORCED_MARRIAGE": N_("Forced marriage"),
    "G5_DENIAL": N_("Denial of resources, opportunities or services"),
    "G6_PSYCHOLOGICAL": N_("Psychological or emotional abuse"),
    "G0_NON_GBV": N_("None of the six types"),
}


def gbvims_core(incident: Incident) -> str:
    """The one core type that other agencies can compare."""
    said = incident.flags | {f"extortion_act:{incident.extortion_act}", f"age:{incident.age}"}
    for core, acts, condition in GBVIMS_QUESTIONS:
        if incident.violence & acts and (not condition or said & condition):
            return core
    return "G0_NON_GBV"
