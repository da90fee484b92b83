"""One answer changes what she is offered first: the hour, the place, the police, her age; tried for each need."""

from __future__ import annotations

from typing import Any

import pytest

from referrals.help.answers import help_for
from referrals.help.cards import cards_of
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS
from tests.unit.test_matching import NOON, peru

HERS: dict[str, Any] = {
    "department": "PE20",
    "province": "PE2001",
    "hours": (20.0, 20.0),
    "police_safe": "yes",
    "age": "A25_34",
}
RAPED = {"violence": {"RAPE"}, "condom": "no", "pregnant_possible": "no"}
# need -> what she tells so that it is one of hers
TELLS: dict[str, dict[str, Any]] = {
    "N_EMERG_MED": {"violence": {"PHYSICAL_ASSAULT"}, "flags": {"D_BLEEDING"}},
    "N_CRISIS_MH": {"violence": {"PSYCH_ABUSE"}, "flags": {"D_SUICIDE"}},
    "N_MISSING": {"violence": {"KILLING_DISAPPEARANCE"}, "victim_state": "missing", "hurt_too": "no"},
    "N_CHILD_PROT": {"violence": {"SEXUAL_ASSAULT"}, "contact": "no", "age": "A14_17"},
    "N_PEP": RAPED,
    "N_EC": RAPED | {"pregnant_possible": "yes"},
    "N_STI": RAPED,
    "N_HEPB": RAPED,
    "N_WOUND": {"violence": {"PHYSICAL_ASSAULT"}, "flags": {"I_WOUND"}},
    "N_MED_CHECK": {"violence": {"PHYSICAL_ASSAULT"}, "flags": {"I_HEAD_BLOW"}},
    "N_PREG": RAPED | {"pregnant_possible": "pregnant"},
    "N_TRAFFICKING": {"violence": {"FORCED_SEX_WORK"}, "condom": "yes"},
    "N_SAFETY_PLAN": {"violence": {"THREATS"}, "flags": {"S_DEATH_THREAT"}},
    "N_SHELTER": {"violence": {"THREATS"}, "wants": {"W_SHELTER"}},
    "N_FORENSIC": {"violence": {"SEXUAL_ASSAULT"}, "contact": "no"},
    "N_LEGAL_STATE": {"violence": {"EXTORTION"}, "perpetrator": {"POLICE"}, "wants": {"W_LEGAL"}},
    "N_PROTECTION": {"violence": {"THREATS"}, "perpetrator": {"PARTNER"}},
    "N_REPORT_ROUTE": {"violence": {"ROBBERY"}, "wants": {"W_REPORT"}},
    "N_LEGAL_INFO": {"violence": {"ROBBERY"}, "wants": {"W_LEGAL"}},
    "N_PFA": {"violence": {"PSYCH_ABUSE"}},
    "N_COUNSEL": {"violence": {"PSYCH_ABUSE"}, "wants": {"W_PSYCH"}},
    "N_DIGITAL": {"violence": {"OUTING"}, "wants": {"W_DIGITAL"}},
    "N_PEER": {"violence": {"PSYCH_ABUSE"}, "wants": {"W_PEER"}},
    "N_DOCS": {"violence": {"PSYCH_ABUSE"}, "wants": {"W_DOCS"}},
    "N_ECON": {"violence": {"NONPAYMENT"}, "wants": {"W_MONEY"}},
    "N_SERVICE_COMPLAINT": {"violence": {"SERVICE_DENIAL"}, "wants": {"W_LEGAL"}},
}
ONE_ANSWER: dict[str, dict[str, Any]] = {
    "hour": {"hours": (2000.0, 2000.0)},
    "place": {"department": "PE16", "province": "PE1601"},
    "police_safe": {"police_safe": "no"},
    "age": {"age": "A14_17"},
}
SAME = {("N_LEGAL_STATE", "police_safe")}  # the police did it: whatever she says of them, none is offered


def incident(**answers: Any) -> Incident:
    return Incident(**{name: frozenset(value) if isinstance(value, set) else value for name, value in answers.items()})


def three_things(her: Incident) -> list[tuple[object, ...]]:
    """The cards in sight: which door, for what, how soon, with which doubt."""
    shown = cards_of(help_for(peru(), her, NOON.timestamp(), languages=("es",)))
    return [
        (card.offer.service_id, tuple((need.need.code, need.need.urgency) for need in card.needs), card.doubt)
        for card in shown.today
    ]


def test_every_need_is_tried_here() -> None:
    assert TELLS.keys() == NEEDS.keys()
    for need, tells in TELLS.items():
        codes = {one.need.code for one in help_for(peru(), incident(**HERS | tells), 0, languages=("es",)).needs}
        assert need in codes, need


@pytest.mark.parametrize("changed", ONE_ANSWER)
@pytest.mark.parametrize("need", TELLS)
def test_a_change_of_one_answer_changes_the_three_things(need: str, changed: str) -> None:
    hers = HERS | TELLS[need]
    other = ONE_ANSWER[changed] if hers | ONE_ANSWER[changed] != hers else {changed: "A25_34"}
    differs = three_things(incident(**hers)) != three_things(incident(**hers | other))
    assert differs is ((need, changed) not in SAME)
