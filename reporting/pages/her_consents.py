"""What she can allow in her case, as her page says it: one sentence for each consent, and whether it holds now.

Changes nothing: that is done by `actions.allow`.
"""

from __future__ import annotations

from reporting.cases import actions
from reporting.cases.follow_up.plan_versions import SHOW_PLAN, is_by_herself
from reporting.cases.records import Case
from reporting.i18n import N_
from reporting.vocabulary import questions
from reporting.web.context import say

# consent -> what it means, as a sentence beside yes and no; what is asked before sending has the same words here
ALLOWS = {
    "C_LETTERS": questions.CONSENTS["C_LETTERS"],
    "C_CONTACT": N_("The team may reach me as I wrote"),
    "C_STATS": questions.CONSENTS["C_STATS"],
    SHOW_PLAN: N_(
        "I want to see here the safety plan I make with the team. Whoever takes my phone and my code sees it"
    ),
    actions.HERSELF: N_("Only the person it happened to allows this: that the team proposes services to her or him"),
}


def consents_of(case: Case) -> list[tuple[str, str, bool]]:
    """What can be allowed in this case: code, sentence, whether she allows it now.

    A safety plan is never shown to who told for somebody else, so that is not asked there; every other case asks it,
    also where there is no plan, so that the question tells nothing.
    """
    told_by_another = case.first.about == "OTHER"
    shown = {
        "C_CONTACT": case.has_contact,
        SHOW_PLAN: is_by_herself(case.first.about, case.incident.about) and not case.unseen,
        actions.HERSELF: told_by_another,
    }
    return [(code, say(text), code in case.consents) for code, text in ALLOWS.items() if shown.get(code, True)]
