"""What can be asked on a call: the cells of a service that may be unknown, and how a person asks for each.

Pure. Knows neither who calls nor what becomes of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from referrals.directory import reviewed_data
from referrals.directory.rows import ANSWERS, SHELTER, answer_of
from referrals.matching.hours import UNKNOWN
from reporting.i18n import N_


@dataclass(frozen=True, slots=True)
class OpenCell:
    """A cell that may be unknown, and how a person asks for it. No answers listed: it is typed."""

    column: str
    words: str
    answers: tuple[str, ...] = ()
    need: str = ""  # asked only where the type of service can serve this need
    on_paper: bool = True  # a sheet that is left lying about must not tell for whom the list is


YES_NO = ANSWERS["has_pep"]
NOT_ON_PAPER = False
QUESTIONS = (
    OpenCell("phone", N_("Which number do they answer?")),
    OpenCell("hours", N_("On which days and at which hours do they attend?")),
    OpenCell("is_24h", N_("Do they attend 24 hours?"), YES_NO),
    OpenCell("has_pep", N_("Do they have PEP, the medicine that can prevent HIV, today?"), YES_NO, "N_PEP"),
    OpenCell("has_ec", N_("Do they have emergency contraception today?"), YES_NO, "N_EC"),
    OpenCell("has_forensic", N_("Do they do the medico-legal exam?"), YES_NO, "N_FORENSIC"),
    OpenCell("accepts_no_id", N_("Do they attend people without an identity card?"), YES_NO),
    OpenCell("police_inside_or_run", N_("Are there police inside, or is it run by the police?"), YES_NO),
    OpenCell(
        "trans_friendly",
        N_("Ask companions, not the service: do they treat trans people well?"),
        YES_NO,
        "",
        NOT_ON_PAPER,
    ),
    OpenCell(
        "sw_friendly", N_("Ask companions, not the service: do they treat sex workers well?"), YES_NO, "", NOT_ON_PAPER
    ),
    OpenCell("minors", N_("Do they attend people under 18?"), ANSWERS["minors"]),
    OpenCell("cost", N_("What does it cost?")),
    OpenCell("languages", N_("Which languages do they speak?")),
    OpenCell("address", N_("Where is it?")),
)


def unknown_of(cells: Mapping[str, str]) -> tuple[OpenCell, ...]:
    """What nobody has told about a service yet. A shelter is never asked where it is."""
    serves = reviewed_data.service_types().get(cells["service_type"], {}).get("needs", ())
    fitting = (question for question in QUESTIONS if not question.need or question.need in serves)
    return tuple(question for question in fitting if _is_unknown(cells, question))


def _is_unknown(cells: Mapping[str, str], question: OpenCell) -> bool:
    if question.column == "address":
        return not cells["address"] and cells["service_type"] != SHELTER and cells["coverage"] != "national"
    if question.column == "is_24h" and re.search(r"24", cells["hours"]):
        return False
    return answer_of(cells[question.column]) == UNKNOWN if question.answers else not cells[question.column]
