"""Words of the tables that pages of a case show: what happened, states, consents, needs. Data alone."""

from __future__ import annotations

from typing import Any, Final

from referrals.casework import referral
from referrals.needs import codes
from reporting.cases import actions
from reporting.cases.follow_up import acts as follow_up
from reporting.cases.follow_up.plan_versions import SHOW_PLAN
from reporting.i18n import N_
from reporting.vocabulary import questions
from reporting.vocabulary.need_states import STATES
from reporting.vocabulary.needs import NEEDS

# an outcome that needs no reason beside it -> the button that closes a case with it
CLOSE_IT: Final[dict[str, str]] = {
    actions.REACHED: N_("Close it: a service reached her"),
    "RECORD_ONLY": N_("Close it: she wanted it recorded, and it is"),
}
# what a template looks up -> codes and their words
TABLE: Final[dict[str, Any]] = {
    "channels": questions.CHANNELS,
    "results": follow_up.RESULTS,
    "contact": questions.CONTACT_NAMES,
    "consents": questions.CONSENTS
    | {"C_CONTACT": N_("The team may contact her"), actions.HERSELF: N_("She herself has said yes to help")}
    | {SHOW_PLAN: N_("Her page may show her safety plan")},
    "must_nots": codes.MUST_NOTS,
    "needs": NEEDS,
    "urgencies": codes.URGENCY_LABELS,
    "outcomes": actions.OUTCOMES,
    "to_choose": {code: name for code, name in actions.OUTCOMES.items() if code not in actions.SAY_ALL},
    "says_all": {code: CLOSE_IT[code] for code in actions.OUTCOMES if code in actions.SAY_ALL},
    "marks": actions.MARKS,
    "because": actions.NOT_A_REPORT_BECAUSE,
    "fields": referral.FIELDS,
    "states": referral.STATES,
    "need_states": {code: row.name for code, row in STATES.items()},
    "moves": referral.MOVE_NAMES | {"propose": N_("Proposed")},
    "refused_because": referral.REFUSED_BECAUSE,
    "no_way": actions.NO_WAY,
}
