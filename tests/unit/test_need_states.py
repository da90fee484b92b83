"""A met need is in no clock; what still runs out stays on her page unless she, or a reached move, said otherwise."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from referrals.casework import need_list, queue, referral
from referrals.directory.reviewed_data import DATA
from referrals.help.texts import after_the_window, her_case_texts
from referrals.needs.assessment import assess, past_windows, window_runs
from referrals.needs.rules import CLOSES, RULES, SOURCES
from reporting.cases import actions
from reporting.cases.case_file import CaseFile, Record
from reporting.cases.records import Referral
from reporting.cases.summary import OPEN as OPEN_CASE
from reporting.cases.summary import Summary, SummaryContent
from reporting.vocabulary import need_states
from reporting.vocabulary.incident import Incident, answers_from_incident
from reporting.vocabulary.need_states import (
    EACH_TIME,
    HER,
    MET_ELSEWHERE,
    MOVE,
    NOT_WANTED,
    OF_REFERRAL,
    OPEN,
    REACHED,
    STATES,
    TIME,
    WORKER,
    NeedState,
    states_of,
)
from reporting.vocabulary.needs import NEEDS

HOUR = 500_000
RAPE = Incident(violence=frozenset({"RAPE"}), hours=(5.0, 5.0), condom="no", age="A25_34", region="UCAYALI")
STATES_BY = [(state, by) for state, row in STATES.items() for by in sorted(row.set_by) if by != TIME]


WANTS = frozenset(
    {"W_LEGAL", "W_REPORT", "W_PSYCH", "W_PEER", "W_DOCS", "W_DIGITAL", "W_MONEY", "W_SHELTER", "W_HEALTH"}
)
EVERYTHING = (  # between them they give every need
    replace(RAPE, wants=WANTS, flags=frozenset({"I_WOUND", "D_SUICIDE", "D_BLEEDING", "S_NO_SAFE_PLACE", "S_LOCKED"})),
    replace(RAPE, age="A14_17", perpetrator=frozenset({"PARTNER"}), violence=frozenset({"RAPE", "FORCED_SEX_WORK"})),
    replace(RAPE, hours=(200.0, 200.0), perpetrator=frozenset({"POLICE"}), pregnant_possible="yes", wants=WANTS),
    Incident(violence=frozenset({"KILLING_DISAPPEARANCE", "SERVICE_DENIAL"}), victim_state="missing", hours=(5.0, 9.0)),
    Incident(violence=frozenset({"PHYSICAL_ASSAULT"}), flags=frozenset({"I_HEAD_BLOW", "I_WOUND"}), wants=WANTS),
)


def incidents() -> Iterator[Incident]:
    yield from EVERYTHING


def a_summary(incident: Incident, **more: Any) -> Summary:
    content = SummaryContent(
        answers_from_incident(incident), HOUR, HOUR, OPEN_CASE, unread=True, answered=False, owner=0
    )
    return Summary(1, 1, "seal", replace(content, **more))


# ── the law ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", STATES)
def test_no_clock_of_the_team_shows_a_met_need(state: str) -> None:
    seen = set()
    for incident in incidents():
        codes = [need.code for need in assess(incident).needs]
        seen |= set(codes)
        for code in codes:
            line = queue.line_of(a_summary(incident, needs={code: state}), HOUR * 3600)
            if STATES[state].settled:
                assert line.need is None or line.need.code != code
        line = queue.line_of(a_summary(incident, needs=dict.fromkeys(codes, state)), HOUR * 3600)
        settled = STATES[state].settled
        assert (line.need is None and line.left is None and not line.danger) is settled
    assert seen == set(NEEDS)


@pytest.mark.parametrize(("state", "by"), STATES_BY)
def test_a_window_that_runs_is_on_her_page_unless_she_or_a_reached_move_said_so(state: str, by: str) -> None:
    for incident in incidents():
        for need in assess(incident).needs:
            states = {need.code: NeedState(state, by, HOUR, 7 if by == WORKER else 0)}
            shown = not need_list.her_page_leaves_out(states)(need)
            if window_runs(need):
                assert shown is not (STATES[state].settled and by in {HER, MOVE}), (need.code, state, by)
            else:
                assert shown is not STATES[state].settled, (need.code, state, by)
            assert need_list.team_leaves_out(states)(need) is STATES[state].settled


def test_with_every_need_met_a_case_sinks_and_with_one_left_it_says_that_one() -> None:
    codes = [need.code for need in assess(RAPE).needs]
    met = a_summary(RAPE, needs=dict.fromkeys(codes, MET_ELSEWHERE))
    assert queue.rank_of(met, HOUR * 3600).closes == math.inf
    left = a_summary(RAPE, needs={code: MET_ELSEWHERE for code in codes if code != "N_EC"})
    line = queue.line_of(left, HOUR * 3600)
    assert (line.need and line.need.code, line.left) == ("N_EC", 115.0)


# ── what sets a state ───────────────────────────────────────────────────────────────────────────────────────


def moved(*moves: str, number: int = 1, need: str = "N_PEP") -> Referral:
    """A referral after these moves, as the table of moves has it."""
    state = referral.PROPOSED
    for move in moves:
        state = referral.MOVES[state][move].next
    steps = tuple({"move": move, "by": 7, "hour": HOUR + at} for at, move in enumerate(("propose", *moves)))
    return Referral(number, "svc", need, ("need",), state, {}, steps, "")


@pytest.mark.parametrize(
    ("moves", "state"),
    [
        ((), "proposed"),
        (("decline",), OPEN),
        (("agree",), "agreed"),
        (("agree", "send"), "agreed"),
        (("agree", "send", "accept"), "agreed"),
        (("agree", "send", "refuse"), OPEN),
        (("agree", "send", "miss"), OPEN),
        (("agree", "revoke"), OPEN),
        (("withdraw",), OPEN),
        (("agree", "send", "accept", "reach"), REACHED),
        (("agree", "send", "reach", "close"), REACHED),
        (("agree", "send", "miss", "close"), OPEN),
    ],
)
def test_the_moves_of_a_referral_set_the_state_of_its_need(moves: tuple[str, ...], state: str) -> None:
    assert states_of([moved(*moves)], ())["N_PEP"].state == state


def test_every_state_of_a_referral_says_what_its_need_is_in() -> None:
    open_again = {"declined", "refused", "not_reached", "closed", "revoked"}
    assert set(referral.STATES) == OF_REFERRAL.keys() | open_again


def test_of_several_services_the_one_that_is_furthest_counts() -> None:
    both = [moved("agree", "send", "reach", number=1), moved(number=2)]
    assert states_of(both, ())["N_PEP"].state == states_of(both[::-1], ())["N_PEP"].state == REACHED


def said(state: str, by: int = 0, need: str = "N_PEP", **more: Any) -> dict[str, Any]:
    return {"need": need, "state": state, "by": by, "hour": HOUR, **more}


def test_the_newest_word_counts_but_hers_stands_against_the_teams() -> None:
    assert states_of((), [said(MET_ELSEWHERE), said(OPEN)])["N_PEP"].state == OPEN
    hers = states_of((), [said(MET_ELSEWHERE), said(NOT_WANTED, by=7)])["N_PEP"]
    assert (hers.state, hers.by) == (MET_ELSEWHERE, HER), "else a running window came back on her page"
    again = states_of((), [said(MET_ELSEWHERE), said(OPEN, by=7), said(NOT_WANTED, by=7)])["N_PEP"]
    assert (again.state, again.by) == (NOT_WANTED, WORKER)


def test_what_is_open_again_counts_no_visit_of_before_and_every_one_after() -> None:
    first, second = moved("agree", "send", "reach", number=1), moved("agree", "send", "reach", number=2)
    assert states_of([first], [said(OPEN, reached=[1])])["N_PEP"].state == OPEN
    assert states_of([first, second], [said(OPEN, reached=[1])])["N_PEP"].state == REACHED


# ── a new fact ──────────────────────────────────────────────────────────────────────────────────────────────


def a_case_file(incident: Incident) -> CaseFile:
    facts = {"answers": answers_from_incident(incident), "language": "es", "hour": HOUR, "unseen": False, "voice": 0}
    records = [Record(1, "facts", 1, facts), Record(2, "consents", 1, {"codes": []}), Record(3, "desk", 1, {})]
    return CaseFile(9, b"", records, a_summary(incident).content, b"")


NEW_FACTS = {
    "another act": (replace(RAPE, violence=frozenset({"RAPE", "EXTORTION"})), False),
    "it happened later": (replace(RAPE, hours=(1.0, 1.0)), False),
    "danger told anew": (replace(RAPE, flags=frozenset({"D_BLEEDING"})), True),
}
NO_NEWS = {
    "it happened earlier": (replace(RAPE, hours=(9.0, 9.0)), False),
    "where": (replace(RAPE, province="PE2501"), False),
    "what she wants": (replace(RAPE, wants=frozenset({"W_LEGAL"})), False),
    "asked again, and no danger": (replace(RAPE, age="A18_24"), True),
}


@pytest.mark.parametrize(("told", "opens"), [*((one, True) for one in NEW_FACTS), *((one, False) for one in NO_NEWS)])
def test_what_happens_again_opens_again_what_it_calls_for_and_nothing_else_does(told: str, *, opens: bool) -> None:
    case_file, now = a_case_file(RAPE), HOUR * 3600.0
    actions.say_need(case_file, 0, "N_PEP", MET_ELSEWHERE, now)
    actions.say_need(case_file, 0, "N_DOCS", MET_ELSEWHERE, now)
    incident, signs = (NEW_FACTS | NO_NEWS)[told]
    actions.correct(case_file, 0, incident, "", now, signs=signs)
    states = case_file.need_states
    assert (states["N_PEP"].state == OPEN) is opens
    assert states["N_DOCS"].state == MET_ELSEWHERE, "kept by its code"


def test_whatever_runs_out_is_called_for_each_time() -> None:
    runs_out = {need for _, need in CLOSES} | {rule.need for rule in RULES if rule.urgency == "NOW"}
    assert runs_out <= EACH_TIME <= set(NEEDS)


@pytest.mark.parametrize(("by", "need", "state"), [(0, "N_PEP", REACHED), (7, "N_PEP", "over"), (7, "nonsense", OPEN)])
def test_nobody_can_say_what_only_a_move_or_the_time_says(by: int, need: str, state: str) -> None:
    with pytest.raises(actions.NotAllowed):
        actions.say_need(a_case_file(RAPE), by, need, state, 0.0)


def test_who_says_yes_to_a_service_needs_it_whatever_was_said_before() -> None:
    case_file, now = a_case_file(RAPE), HOUR * 3600.0
    moves = [{"move": "propose", "by": 7, "hour": HOUR}]
    content = {"service": "svc", "need": "N_PEP", "fields": ["need"], "state": "proposed", "moves": moves}
    number = case_file.add("referral", content)
    actions.say_need(case_file, 7, "N_PEP", NOT_WANTED, now)
    referral.agree(case_file, number, now)
    assert case_file.need_states["N_PEP"].state == OPEN or case_file.need_states["N_PEP"].state == "agreed"
    assert not case_file.need_states["N_PEP"].settled


# ── when the time is past ───────────────────────────────────────────────────────────────────────────────────


def test_a_window_that_is_past_is_over_and_what_helps_then_is_a_need_of_hers() -> None:
    soon, needs = ({need.code for need in assess(RAPE.later(hours)).needs} for hours in (1.0, 100.0))
    assert past_windows(RAPE, soon) == ()
    assert "N_PEP" in past_windows(RAPE, needs)
    assert set(after_the_window("N_PEP")) & needs


def test_every_word_of_what_helps_after_a_window_has_its_source() -> None:
    for code, row in tomllib.loads((DATA / "after-the-window.toml").read_text("utf-8")).items():
        assert {code, *row["helps"]} <= set(NEEDS)
        assert row["sources"]
        assert set(row["sources"]) <= SOURCES.keys()


def test_her_page_has_words_for_every_end_in_every_language() -> None:
    texts = her_case_texts()
    assert texts["outcome"].keys() == actions.OUTCOMES.keys()
    assert texts["ended"].keys() == set(referral.ENDS.values())
    for row in (texts["closed"], *texts["outcome"].values(), *texts["ended"].values()):
        assert {"es", "en"} <= row.keys()
    ending = {move for steps in referral.MOVES.values() for move, step in steps.items() if step.next in referral.ENDED}
    assert ending - {"close"} <= referral.ENDS.keys()


def test_the_states_are_those_of_the_table_and_each_is_set_by_somebody() -> None:
    assert list(STATES) == [OPEN, "proposed", "agreed", REACHED, MET_ELSEWHERE, NOT_WANTED, need_states.OVER]
    assert all(row.set_by for row in STATES.values())
