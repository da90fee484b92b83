"""What a person may need: each need with its code, its name, and its number in the tally.

Data alone: knows no rule, no incident and no service. Names are message ids.
"""

from __future__ import annotations

from typing import Final

from reporting.i18n import N_

# The order is that of needs of one urgency: care and safety before an exam. A new need stands where it belongs in it.
# The number is the byte in stored tallies: it is for ever, and a new need gets the next one, wherever it stands.
_ROWS: Final = (
    ("N_EMERG_MED", 1, N_("Emergency care")),
    ("N_CRISIS_MH", 2, N_("Help with thoughts of ending one's life")),
    ("N_MISSING", 26, N_("The search for somebody missing")),
    ("N_CHILD_PROT", 3, N_("Protection for people under 18")),
    ("N_PEP", 4, N_("Medicine that can prevent HIV (PEP)")),
    ("N_EC", 5, N_("Emergency contraception")),
    ("N_STI", 6, N_("Tests and treatment for infections from sex")),
    ("N_HEPB", 7, N_("Hepatitis B vaccine")),
    ("N_WOUND", 8, N_("Care for wounds, and tetanus")),
    ("N_MED_CHECK", 9, N_("A health check")),
    ("N_PREG", 10, N_("Pregnancy test, options and care")),
    ("N_TRAFFICKING", 11, N_("Help to get out of forced work")),
    ("N_SAFETY_PLAN", 12, N_("A plan to be safer")),
    ("N_SHELTER", 13, N_("A safe place to stay")),
    ("N_FORENSIC", 14, N_("Medico-legal exam, if you choose it")),
    ("N_LEGAL_STATE", 15, N_("Legal help against an authority")),
    ("N_PROTECTION", 16, N_("Protection measures from a family court")),
    ("N_REPORT_ROUTE", 17, N_("Company to choose where to report")),
    ("N_LEGAL_INFO", 18, N_("Legal advice")),
    ("N_PFA", 19, N_("Somebody who listens and supports")),
    ("N_COUNSEL", 20, N_("Counselling")),
    ("N_DIGITAL", 21, N_("Digital safety")),
    ("N_PEER", 22, N_("Companions and their organisations")),
    ("N_DOCS", 23, N_("Help with papers")),
    ("N_ECON", 24, N_("Economic support")),
    ("N_SERVICE_COMPLAINT", 25, N_("A complaint about a service")),
)
NEEDS: Final = {code: name for code, _, name in _ROWS}  # code -> name, in the order of needs of one urgency
NUMBER_IN_TALLY: Final = {code: number for code, number, _ in _ROWS}  # 0 says that no need was left waiting
