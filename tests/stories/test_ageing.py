"""Time goes by: what was told at an hour is looked at later, in the queue, on her page, and after it was set right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any

import pytest
from flask import Flask

from referrals.casework import queue, ranks
from referrals.needs.assessment import assess
from reporting.cases import actions, summary
from reporting.cases.case_file import CaseFile, Record
from reporting.cases.summary import SummaryContent
from reporting.clock import HOUR
from reporting.vocabulary.incident import Incident, answers_from_incident
from tests.people import Place
from tests.phone import Phone
from tests.trips import in_her_words, say, signs_in
from tests.unit.test_second_edition import incidents

RAPE = Incident(violence=frozenset({"RAPE"}), condom="no", pregnant_possible="no", age="A25_34", ongoing=False)
BLEEDING = Incident(violence=frozenset({"PHYSICAL_ASSAULT"}), flags=frozenset({"D_BLEEDING"}), ongoing=False)
PEP, CHECK, EMERGENCY = say("Medicine that can prevent HIV (PEP)"), say("A health check"), say("Emergency care")


def a_card(incident: Incident, case: int = 1, **times: int) -> summary.Summary:
    content = SummaryContent(answers_from_incident(incident), 0, 0, "open", unread=False, answered=False)
    return summary.Summary(case, 1, "seal", replace(content, **times))


# ── the queue ───────────────────────────────────────────────────────────────────────────────────────────────

# incident, hours since she told it -> the first need and its urgency
QUEUED: list[tuple[Incident, dict[float, tuple[str, str]]]] = [
    (RAPE, {0: ("N_PEP", "NOW"), 72: ("N_PEP", "NOW"), 73: ("N_FORENSIC", "H24"), 169: ("N_PFA", "H24")}),
    (
        BLEEDING,
        {
            0: ("N_EMERG_MED", "NOW"),
            48: ("N_EMERG_MED", "NOW"),
            49: ("N_MED_CHECK", "H24"),
            100: ("N_MED_CHECK", "H24"),
        },
    ),
    (Incident(violence=frozenset({"KILLING_DISAPPEARANCE"})), {30: ("N_MISSING", "NOW"), 100: ("N_MISSING", "NOW")}),
]


@pytest.mark.parametrize(("incident", "at"), QUEUED)
def test_the_queue_says_what_is_true_when_somebody_looks(incident: Incident, at: dict[float, tuple[str, str]]) -> None:
    card = a_card(incident)
    needs = {hours: queue.line_of(card, hours * HOUR).need for hours in at}
    assert {hours: need and (need.code, need.urgency) for hours, need in needs.items()} == at


def looks(chance: Random) -> list[float]:
    return sorted(chance.choice([48, 72, 120, 168]) + chance.choice([0, 0.01, 3.5]) for _ in range(4))


def test_a_remembered_rank_of_anybody_is_the_one_worked_out_anew() -> None:
    chance = Random(9)  # noqa: S311 - the same moments each time
    for number, incident in enumerate(islice(incidents(9), 400)):
        card, sheet = (
            a_card(incident, number, acts_told=chance.randrange(30), signs_told=chance.randrange(30)),
            ranks.QueueCache(),
        )
        for hour in (30.0, *looks(chance)):
            if not sheet.ranks or not sheet.ranks[card.case].holds(hour * HOUR):
                sheet = queue.worked_out([card], hour * HOUR)
            fresh, kept = queue.rank_of(card, hour * HOUR), sheet.ranks[card.case]
            assert kept._replace(within=0, closes=0, until=0) == fresh._replace(within=0, closes=0, until=0), (
                incident,
                hour,
            )
            assert (kept.closes, kept.within) == (pytest.approx(fresh.closes), pytest.approx(fresh.within))
            sheet = queue.from_bytes(queue.to_bytes(sheet))


def test_the_nearest_window_is_not_hidden_by_another_need_of_the_same_urgency() -> None:
    child = Incident(violence=frozenset({"RAPE"}), age="U14", hours=(70, 70))
    line = queue.line_of(a_card(child), 0)
    assert line.need is not None
    assert (line.need.code, line.left) == ("N_CHILD_PROT", 2)
    assert queue.rank_of(a_card(child), 0).closes == 2


def test_a_sheet_made_with_other_rules_is_not_read() -> None:
    made = queue.to_bytes(queue.worked_out([a_card(RAPE)], 0))
    assert queue.from_bytes(made).ranks
    assert not queue.from_bytes(made.replace(queue.RULES_STAMP.encode(), b"0" * 16)).ranks


# ── setting right ───────────────────────────────────────────────────────────────────────────────────────────


def a_folder(incident: Incident) -> CaseFile:
    answers = answers_from_incident(incident)
    facts = {"answers": answers, "language": "es", "hour": 0, "unseen": False, "voice": 0}
    kept = [Record(1, "facts", 1, facts), Record(2, "consents", 1, {"codes": []}), Record(3, "desk", 1, {})]
    return CaseFile(9, b"", kept, SummaryContent(answers, 0, 0, "open", unread=False, answered=False), b"")


def set_right(case_file: CaseFile, hour: float, *, signs: bool = False, **answers: Any) -> None:
    changed = replace(case_file.incident_at(hour * HOUR), **answers)
    actions.correct(case_file, 0, changed, "", hour * HOUR, signs=signs)


def needs_at(case_file: CaseFile, hour: float) -> set[str]:
    card = summary.Summary(1, 1, "seal", case_file.summary)
    assert card.incident_at(hour * HOUR) == case_file.incident_at(hour * HOUR)
    found = {f"{need.code} {need.urgency}" for need in assess(case_file.incident_at(hour * HOUR)).needs}
    line = queue.line_of(card, hour * HOUR)
    assert line.need
    assert f"{line.need.code} {line.need.urgency}" in found
    return found


def test_no_closed_window_opens_again_because_another_answer_was_set_right() -> None:
    for incident in (RAPE, BLEEDING):
        folder = a_folder(incident)
        set_right(folder, 90, docs="DNI")
        set_right(folder, 95, region="PIURA")
        assert not needs_at(folder, 95) & {"N_PEP NOW", "N_EMERG_MED NOW"}


def test_a_known_time_is_as_old_after_it_was_left_as_it_was() -> None:
    folder = a_folder(RAPE.later(0))
    set_right(folder, 10, hours=(5.0, 8.0))
    set_right(folder, 20, docs="DNI")
    assert folder.incident_at(30 * HOUR).hours == (25.0, 28.0)


def test_a_time_an_act_or_a_sign_that_is_told_anew_counts_from_then() -> None:
    folder = a_folder(RAPE)
    set_right(folder, 90, hours=(1.0, 1.0))
    assert "N_PEP NOW" in needs_at(folder, 100)
    folder = a_folder(BLEEDING)
    set_right(folder, 90, violence=frozenset({"PHYSICAL_ASSAULT", "RAPE"}))
    assert "N_PEP NOW" in needs_at(folder, 100)
    assert "N_PEP NOW" not in needs_at(folder, 163)
    folder = a_folder(RAPE)
    set_right(folder, 90, signs=True, flags=frozenset({"D_BLEEDING"}))
    assert needs_at(folder, 138) >= {"N_EMERG_MED NOW"}
    assert not needs_at(folder, 139) & {"N_EMERG_MED NOW", "N_PEP NOW"}


def test_a_card_from_before_says_the_same_as_one_without_corrections() -> None:
    assert a_card(RAPE).incident_at(50 * HOUR).told_ago == 50
    old = a_card(RAPE, told_at=40)  # corrected before there was a difference: an unknown time is as old as the report
    assert (old.incident_at(50 * HOUR).told_ago, old.incident_at(50 * HOUR).signs_ago) == (50, 10)


# ── through the pages ───────────────────────────────────────────────────────────────────────────────────────


def pages_at(app: Flask, place: Place, incident: Incident, hours: tuple[float, ...]) -> Iterator[tuple[str, str]]:
    """What her page and the queue say so many hours after she told it."""
    receipt, begun = place.receives(incident), place.clock.now
    for later in hours:
        place.clock.now = begun + later * HOUR
        her = Phone(app)
        her.opens("/es/volver")
        her.sends("code", code=" ".join(receipt.digits()))
        desk = signs_in(app, place, place.workers["rosa"])
        desk.opens("/es/equipo/casos")
        yield her.words, desk.words


def test_her_page_and_the_queue_age_alike(app: Flask, place: Place) -> None:
    medicine = in_her_words("N_PEP")
    past = say("The time is past for: %(need)s.", need=medicine)
    missed = say("Ran out before anybody wrote to her: %(need)s", need=PEP)
    shown = [
        (medicine in hers.replace(past, ""), past in hers, PEP in theirs.replace(missed, ""), missed in theirs)
        for hers, theirs in pages_at(app, place, RAPE, (0, 30, 100))
    ]
    assert shown == [(True, False, True, False), (True, False, True, False), (False, True, False, True)]


def test_a_sign_of_now_becomes_a_question_how_she_is(app: Flask, place: Place) -> None:
    for later, (hers, theirs) in zip((0, 30, 100), pages_at(app, place, BLEEDING, (0, 30, 100)), strict=True):
        first, other = (EMERGENCY, CHECK) if later < 48 else (CHECK, EMERGENCY)
        assert in_her_words("N_EMERG_MED" if later < 48 else "N_MED_CHECK") in hers
        assert first in theirs
        assert other not in theirs
