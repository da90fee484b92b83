"""Which question can matter after what was told so far. Pure: an incident in, yes or no out.

Reasons: what cannot feed a need or a must-not is not asked.
"""

from __future__ import annotations

from reporting.vocabulary.incident import Incident

REFUSING = frozenset({"SERVICE_DENIAL", "FORCED_HEALTH_EXAM"})
COMPANION = "KILLING_DISAPPEARANCE"
CANNOT_KNOW = frozenset({"I_GENITAL", "D_DRUGGED", "D_UNCONSCIOUS"})  # with an assault, care reads them as contact
INTO_HER = frozenset({"RAPE", "STEALTHING", "FORCED_SEX_WORK"})  # acts that need no further question to be one


def is_hers(incident: Incident) -> bool:
    """Whether what happened, happened to her who tells: not where it is about a companion and she was not hurt too."""
    return COMPANION not in incident.violence or incident.hurt_too == "yes"


def of_a_companion(incident: Incident) -> bool:
    """A companion was killed or is missing."""
    return COMPANION in incident.violence


def may_go_on(incident: Incident) -> bool:
    """Whether it can go on: not where a companion alone was harmed, and nothing is told of who tells it."""
    return incident.violence != {COMPANION} or incident.hurt_too == "yes" or bool(incident.flags)


def may_have_touched(incident: Incident) -> bool:
    """Whether semen or blood may have reached her: then we ask about a condom and a pregnancy."""
    acts = incident.violence
    demanded = "SEXUAL_EXTORTION" in acts and incident.extortion_act != "no"
    touched = "SEXUAL_ASSAULT" in acts and incident.contact != "no"
    return is_hers(incident) and (demanded or touched or not acts.isdisjoint(INTO_HER))


def may_be_pregnant(incident: Incident) -> bool:
    """Whether a pregnancy, possible or there, changes what she needs: also where she cannot know what touched her."""
    cannot_know = was_assaulted(incident) and not incident.flags.isdisjoint(CANNOT_KNOW)
    return may_have_touched(incident) or cannot_know or "D_PREG_DANGER" in incident.flags


def was_demanded(incident: Incident) -> bool:
    """Whether sex was demanded of her."""
    return "SEXUAL_EXTORTION" in incident.violence


def was_assaulted(incident: Incident) -> bool:
    """Whether she was touched or somebody tried."""
    return "SEXUAL_ASSAULT" in incident.violence and is_hers(incident)
