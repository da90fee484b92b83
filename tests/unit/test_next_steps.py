"""What is next in a case: the tables leave no state out, at most one step is the system's, and the move ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.casework import queue, referral
from referrals.casework.follow_up import appointments
from referrals.casework.follow_up.appointments import Arrangement
from referrals.casework.referral import MOVES
from referrals.needs.rules import RULES
from reporting.cases import actions
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile, Record
from reporting.cases.follow_up import acts, next_steps, plans
from reporting.cases.follow_up.days import WorkingDays
from reporting.cases.follow_up.next_steps import CASE_STATES, OF_CASE, OF_REFERRAL, WITHIN_A_DAY, NextStep, NoStep
from reporting.cases.follow_up.progress import progress_of_file
from reporting.cases.records import FROM_TEAM
from reporting.cases.summary import CLOSED, OPEN, Summary, SummaryContent
from reporting.clock import HOUR
from reporting.teams.reading_hours import Duty
from reporting.vocabulary.incident import Incident, answers_from_incident

NOW = 500_008  # hour since 1970: a Friday, 11 in the morning in Lima
LIMA = WorkingDays("America/Lima")
ON_WEEKDAYS = WorkingDays("America/Lima", Duty(dict.fromkeys(range(5), (9, 17)), off=(date(2027, 1, 18),)))
RAPE = Incident(violence=frozenset({"RAPE"}), hours=(5.0, 5.0), condom="no", age="A25_34", region="UCAYALI")
ME, COLLEAGUE = 7, 8


def a_case_file(incident: Incident = RAPE, consents: tuple[str, ...] = ("C_LETTERS",)) -> CaseFile:
    """A case that somebody has opened and that is hers."""
    answers = answers_from_incident(incident)
    facts = {"answers": answers, "language": "es", "hour": NOW, "unseen": False, "voice": 0}
    desk = {"read": NOW}
    records = [
        Record(1, "facts", 1, facts),
        Record(2, "consents", 1, {"codes": [*consents]}),
        Record(3, "desk", 1, desk),
    ]
    summary = SummaryContent(answers, NOW, NOW, OPEN, unread=False, answered=False, owner=ME)
    return CaseFile(9, b"\0" * 32, records, summary, b"")


def a_referral(case_file: CaseFile, state: str, need: str = "N_LEGAL_INFO", hour: int = NOW) -> int:
    moves = [{"move": "propose", "by": ME, "hour": hour}]
    content = {"service": "pe-1", "need": need, "fields": ["need"], "state": state, "moves": moves}
    return case_file.add("referral", content)


def steps(case_file: CaseFile, days: WorkingDays = LIMA) -> tuple[NextStep, ...]:
    return next_steps.standing(progress_of_file(case_file), days)


def writes(case_file: CaseFile, hour: int) -> None:
    case_file.add("letter", {"from": FROM_TEAM, "hour": hour, "text": "aquí estamos", "by": ME})
    case_file.summary = replace(case_file.summary, answered=True)


# ── the tables ──────────────────────────────────────────────────────────────────────────────────────────────


def test_every_state_of_a_referral_has_a_step_or_a_reason_for_none() -> None:
    assert OF_REFERRAL.keys() == MOVES.keys()
    assert OF_CASE.keys() == CASE_STATES.keys()
    assert all(row.because for row in (*OF_REFERRAL.values(), *OF_CASE.values()))


def test_what_is_looked_at_on_the_same_day_is_what_the_rules_call_for_within_one() -> None:
    assert {rule.need for rule in RULES if rule.urgency in {"NOW", "H24"}} == WITHIN_A_DAY


def test_a_state_from_which_the_team_has_to_move_is_never_without_a_step() -> None:
    for state, moves in MOVES.items():
        takes_it_on = {name for name, move in moves.items() if move.who != referral.HER} - {"withdraw", "close"}
        assert not (takes_it_on and isinstance(OF_REFERRAL[state], NoStep)), state


@pytest.mark.parametrize("state", sorted(OF_REFERRAL))
def test_a_state_has_its_step_on_the_day_of_the_table_and_its_owner_is_who_has_the_case(state: str) -> None:
    case_file, row = a_case_file(), OF_REFERRAL[state]
    a_referral(case_file, state)
    step = steps(case_file)[0]
    if isinstance(row, NoStep):
        assert (step.name, step.day) == ("Close the case, or plan what comes next", LIMA.after(NOW, 7))
        return
    assert (step.name, step.day) == (row.name, LIMA.after(NOW, row.days))
    assert step.owner == (0 if row.by_another else ME)
    assert step.not_by == (ME if row.by_another else 0)


@pytest.mark.parametrize("state", ["proposed", "sent", "accepted", "not_reached", "refused"])
def test_what_can_run_out_within_a_day_is_looked_at_on_the_same_day(state: str) -> None:
    case_file = a_case_file()
    a_referral(case_file, state, "N_PEP")
    assert steps(case_file)[0].day == LIMA.day_of(NOW)


def test_of_several_referrals_the_earliest_day_is_the_step_of_the_system() -> None:
    case_file = a_case_file()
    a_referral(case_file, "reached")
    a_referral(case_file, "sent")
    a_referral(case_file, "refused")
    assert [step.name for step in steps(case_file)] == ["Look for another service, and close this referral"]


def test_without_a_referral_it_is_the_letters_that_say_what_is_next() -> None:
    case_file = a_case_file()
    assert steps(case_file)[0].name == "Write to her for the first time"
    writes(case_file, NOW + 24)
    assert (steps(case_file)[0].name, steps(case_file)[0].day) == (
        "Nothing came from her: see what else would help",
        LIMA.after(NOW + 24, 7),
    )
    actions.hear(case_file, (NOW + 48) * HOUR)
    assert (steps(case_file)[0].name, steps(case_file)[0].day) == ("Answer her", LIMA.day_of(NOW + 48))
    silent = a_case_file(consents=())
    assert not steps(silent)
    assert next_steps.why_none(progress_of_file(silent)) == OF_CASE["no way"].because


def test_the_day_on_which_a_plan_is_looked_at_again_is_a_step_until_it_is_done_or_the_plan_is_filled_in_anew() -> None:
    case_file, first, second = a_case_file(), date(2027, 1, 18), date(2027, 2, 1)
    a_referral(case_file, "declined")
    plans.fill(case_file, ME, "safety_plan", {"danger": "él vuelve"}, first, NOW * HOUR)
    assert [(step.name, step.day) for step in steps(case_file)] == [(next_steps.OF_PLAN.name, first)]
    plans.fill(case_file, ME, "safety_plan", {"danger": "ya se fue"}, second, NOW * HOUR)
    assert next_steps.OF_PLAN.name not in [step.name for step in steps(case_file)], "closing the case comes before"
    actions.close(case_file, ME, "RECORD_ONLY", "listo", NOW * HOUR)
    assert not steps(case_file)


def test_no_day_is_one_on_which_nobody_reads() -> None:
    case_file = a_case_file()
    friday = NOW
    a_referral(case_file, "not_reached", hour=friday)  # the next day is a Saturday, and Monday the 18th is off
    assert ON_WEEKDAYS.day_of(friday) == date(2027, 1, 15)
    assert steps(case_file, ON_WEEKDAYS)[0].day == date(2027, 1, 19)
    acts.plan_step(case_file, ME, "llevar la copia", date(2027, 1, 16), 0, date(2027, 1, 15), friday * HOUR)
    assert {step.day for step in steps(case_file, ON_WEEKDAYS)} == {date(2027, 1, 19)}
    assert steps(case_file, LIMA)[0].day == date(2027, 1, 16), "where nobody said when they read, every day is one"


def test_days_begin_on_the_clock_of_the_place() -> None:
    assert LIMA.day_of(NOW) == date(2027, 1, 15)
    midnight = LIMA.begins(date(2027, 1, 15))
    assert LIMA.day_of(midnight) == date(2027, 1, 15)
    assert LIMA.day_of(midnight - 1) == date(2027, 1, 14)


# ── what people set ─────────────────────────────────────────────────────────────────────────────────────────


def test_day_owner_and_done_are_set_and_fall_away_with_the_move() -> None:
    case_file, now = a_case_file(), NOW * HOUR
    number = a_referral(case_file, "sent")
    key = steps(case_file)[0].key
    acts.put_off(case_file, ME, key, "days7", LIMA, now)
    acts.take(case_file, ME, key, COLLEAGUE, LIMA, now)
    assert (steps(case_file)[0].day, steps(case_file)[0].owner) == (LIMA.after(NOW, 7), COLLEAGUE)
    referral.move(case_file, number, "accept", ME, now)
    after = steps(case_file)[0]
    assert (after.name, after.day, after.owner) == ("Ask whether she was attended", LIMA.after(NOW, 2), ME)
    with pytest.raises(NotAllowed):
        acts.finish(case_file, ME, key, LIMA, now)
    acts.finish(case_file, ME, after.key, LIMA, now)
    assert not steps(case_file)


def test_a_step_put_off_for_a_week_hides_no_window_that_runs() -> None:
    case_file = a_case_file()
    a_referral(case_file, "sent", "N_PEP")
    acts.put_off(case_file, ME, steps(case_file)[0].key, "days7", LIMA, NOW * HOUR)
    due = next_steps.due_hour(steps(case_file), LIMA)
    summary = Summary(9, 1, "x", replace(case_file.summary, due_at=due))
    rank = queue.rank_of(summary, NOW * HOUR)
    assert due > NOW
    assert rank.lies & queue.FOLDER_BITS["today"]
    assert rank.traits & queue.WINDOW


def test_a_case_is_due_with_the_first_hour_of_its_day_and_says_when_it_has_no_step() -> None:
    quiet = replace(RAPE, violence=frozenset({"THREATS"}), condom=None)
    case_file = a_case_file(quiet)
    a_referral(case_file, "reached")
    due = next_steps.due_hour(steps(case_file), LIMA)
    summary = Summary(9, 1, "x", replace(case_file.summary, due_at=due, wrote_at=NOW))
    assert queue.line_of(summary, (due - 1) * HOUR).why == "taken"
    assert queue.line_of(summary, due * HOUR).why == "due"
    assert not summary.has_nothing_next
    assert replace(summary, content=replace(summary.content, due_at=0)).has_nothing_next
    assert not replace(summary, content=replace(summary.content, due_at=None)).has_nothing_next, "nobody wrote it down"


def test_the_second_case_worker_decides_and_not_who_proposed_it() -> None:
    case_file = a_case_file()
    a_referral(case_file, "to_protect")
    step = steps(case_file)[0]
    assert (step.owner, step.not_by) == (0, ME)
    with pytest.raises(NotAllowed):
        acts.take(case_file, ME, step.key, ME, LIMA, NOW * HOUR)
    acts.take(case_file, COLLEAGUE, step.key, COLLEAGUE, LIMA, NOW * HOUR)
    assert steps(case_file)[0].owner == COLLEAGUE


def test_closing_ends_every_step_and_what_she_says_makes_a_new_one_but_brings_back_nothing() -> None:
    case_file, now = a_case_file(), NOW * HOUR
    acts.plan_step(case_file, ME, "llamar a la fiscalía", LIMA.day_of(NOW), ME, LIMA.day_of(NOW), now)
    assert len(steps(case_file)) == 2
    actions.close(case_file, ME, "RECORD_ONLY", "ya está", now)
    assert not steps(case_file)
    with pytest.raises(NotAllowed):
        acts.plan_step(case_file, ME, "otra cosa", LIMA.day_of(NOW), ME, LIMA.day_of(NOW), now)
    actions.hear(case_file, now + 48 * HOUR)
    assert [step.name for step in steps(case_file)] == ["Answer her"]


# ── appointments ────────────────────────────────────────────────────────────────────────────────────────────


def arranged(day: date, time: str = "9:30", place: str = "segundo piso") -> Arrangement:
    return Arrangement(day, time, place, "la técnica", "mandarina")


def test_after_an_appointment_somebody_asks_the_next_day() -> None:
    case_file, today = a_case_file(), LIMA.day_of(NOW)
    number = a_referral(case_file, "accepted", "N_PEP")
    appointments.appoint(case_file, number, ME, arranged(today + timedelta(days=4)), today, NOW * HOUR)
    appointments.appoint(case_file, number, ME, arranged(today + timedelta(days=2), "9"), today, NOW * HOUR)
    assert steps(case_file)[0].day == today + timedelta(days=5)
    appointments.take_back(case_file, number, 0, ME, NOW * HOUR)
    assert steps(case_file)[0].day == today + timedelta(days=3)
    with pytest.raises(NotAllowed):
        appointments.take_back(case_file, number, 0, ME, NOW * HOUR)


@pytest.mark.parametrize("state", sorted(MOVES))
def test_there_is_an_appointment_only_where_the_service_may_know_of_her(state: str) -> None:
    case_file, today = a_case_file(), LIMA.day_of(NOW)
    number = a_referral(case_file, state)
    if state in {"sent", "accepted", "reached"}:
        appointments.appoint(case_file, number, ME, arranged(today), today, NOW * HOUR)
        return
    with pytest.raises(NotAllowed):
        appointments.appoint(case_file, number, ME, arranged(today), today, NOW * HOUR)


@pytest.mark.parametrize("ends", ["refuse", "miss", "no"])
def test_where_the_service_does_not_attend_her_or_she_takes_her_yes_back_no_appointment_stands(ends: str) -> None:
    case_file, today = a_case_file(), LIMA.day_of(NOW)
    number = a_referral(case_file, "sent")
    appointments.appoint(case_file, number, ME, arranged(today + timedelta(days=1)), today, NOW * HOUR)
    if ends == "no":
        case_file.record(number, "referral").content["consent"] = {"hour": NOW}
        referral.say_no(case_file, number, NOW * HOUR)
    else:
        referral.move(case_file, number, ends, ME, NOW * HOUR)
    assert not [one for one in progress_of_file(case_file).referrals[0].appointments if not one.off]


@pytest.mark.parametrize(
    ("day", "time", "place"), [(-1, "9:30", "aquí"), (400, "9:30", "aquí"), (1, "25:00", "aquí"), (1, "9:30", "")]
)
def test_an_appointment_needs_a_day_to_come_a_time_and_a_place(day: int, time: str, place: str) -> None:
    case_file, today = a_case_file(), LIMA.day_of(NOW)
    number = a_referral(case_file, "sent")
    with pytest.raises(NotAllowed):
        appointments.appoint(
            case_file, number, ME, arranged(today + timedelta(days=day), time, place), today, NOW * HOUR
        )


@pytest.mark.parametrize(
    ("written", "read"), [("9", "09:00"), ("9:30", "09:30"), ("09.30", "09:30"), (" 14:05 ", "14:05")]
)
def test_a_time_is_read_as_people_write_it(written: str, read: str) -> None:
    assert appointments.written_time(written) == read


# ── the law ─────────────────────────────────────────────────────────────────────────────────────────────────


def _random_act(case_file: CaseFile, name: str, pick: int, now: float) -> None:
    """One act of somebody, as far as it is allowed."""
    numbers = [record.number for record in case_file.all_of("referral")]
    standing = steps(case_file, ON_WEEKDAYS)
    ways: dict[str, Callable[[], object]] = {
        "propose": lambda: a_referral(case_file, "proposed", sorted(WITHIN_A_DAY)[pick % 5], int(now) // HOUR),
        "letter": lambda: writes(case_file, int(now) // HOUR),
        "hear": lambda: actions.hear(case_file, now),
        "close": lambda: actions.close(case_file, ME, "REACHED", "ya", now),
        "reopen": lambda: actions.reopen(case_file, ME, "otra vez", now),
        "mark": lambda: actions.mark(case_file, ME, "threat_to_team", "", "amenaza", now),
        "unmark": lambda: actions.unmark(case_file, ME, "threat_to_team", "no era", now),
        "plan": lambda: acts.plan_step(case_file, ME, "ver", LIMA.day_of(NOW + 9000), 0, LIMA.day_of(NOW + 9000), now),
    }
    if name in ways:
        ways[name]()
    elif name.startswith("step ") and standing:
        key, what = standing[pick % len(standing)].key, name.removeprefix("step ")
        if what == "done":
            acts.finish(case_file, ME, key, ON_WEEKDAYS, now)
        else:
            acts.put_off(case_file, ME, key, what, ON_WEEKDAYS, now)
    elif name.startswith("move ") and numbers:
        _moves(case_file, numbers[pick % len(numbers)], name.removeprefix("move "), now)


def _moves(case_file: CaseFile, number: int, move: str, now: float) -> None:
    if move == "agree":
        referral.agree(case_file, number, now)
    elif move == "decline":
        referral.say_no(case_file, number, now)
    elif move == "send":
        record = case_file.record(number, "referral")
        if record.content["state"] == "consented":
            record.content["state"] = "sent"
            record.content["moves"] = [*record.content["moves"], {"move": "send", "by": ME, "hour": int(now) // HOUR}]
    else:
        referral.move(case_file, number, move, ME, now)


ACTS = [
    "propose",
    "letter",
    "hear",
    "close",
    "reopen",
    "mark",
    "unmark",
    "plan",
    "step done",
    "step tomorrow",
    "step days7",
    *(
        f"move {move}"
        for move in ("agree", "decline", "send", "accept", "refuse", "miss", "reach", "close", "withdraw")
    ),
]


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9), st.integers(0, 60)), max_size=25))
def test_at_most_one_step_is_the_systems_the_move_ends_it_and_a_closed_case_has_none(
    life: list[tuple[str, int, int]],
) -> None:
    case_file, now = a_case_file(), float(NOW * HOUR)
    for name, pick, hours in life:
        now += hours * HOUR
        before = {step.key: step.referral for step in steps(case_file, ON_WEEKDAYS) if step.by_system}
        states = {record.number: len(record.content["moves"]) for record in case_file.all_of("referral")}
        try:
            _random_act(case_file, name, pick, now)
        except NotAllowed:
            continue
        after = steps(case_file, ON_WEEKDAYS)
        made = [step for step in after if step.by_system]
        assert len(made) <= 1
        assert not (after and (case_file.summary.state == CLOSED or case_file.summary.marks))
        assert all(step.day.weekday() < 5 for step in after), "nobody reads on that day"
        moved = {
            record.number
            for record in case_file.all_of("referral")
            if len(record.content["moves"]) != states.get(record.number)
        }
        assert not [step for step in made if step.key in before and before[step.key] in moved], "its move happened"
        assert not (name == "hear" and not case_file.summary.marks and not made), "what she says makes a step"
