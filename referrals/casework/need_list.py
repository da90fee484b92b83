"""The needs of a case as of now: what is open, what is settled and who says so, what is over and what helps instead.

The one place that joins the rules with how each need stands. Knows neither the web nor the directory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from referrals.help.texts import after_the_window
from referrals.needs.assessment import assess, past_windows, window_runs
from referrals.needs.codes import Need
from reporting.cases.records import Case
from reporting.vocabulary.need_states import OVER, TIME, NeedState
from reporting.vocabulary.needs import NEEDS

States = Mapping[str, NeedState]


def team_leaves_out(states: States) -> Callable[[Need], bool]:
    """Which needs are in no list and no clock of the team: those that are settled, whoever says so."""
    return lambda need: need.code in states and states[need.code].settled


def her_page_leaves_out(states: States) -> Callable[[Need], bool]:
    """Which needs are not on the reporter's page: what runs out stays there unless she, or a reached move, said so."""
    return lambda need: need.code in states and states[need.code].is_off_her_page(window_runs=window_runs(need))


@dataclass(frozen=True, slots=True)
class NeedLine:
    """One need and how it stands. `helps`: of what is over, the needs of this case that still help."""

    code: str
    stands: NeedState
    helps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NeedList:
    """The needs of a case that are in no clock any more, in the order of care."""

    settled: tuple[NeedLine, ...]
    over: tuple[NeedLine, ...]


def for_team(case: Case, now: float) -> NeedList:
    """What is settled, as the team reads it, and what is over."""
    states = case.need_states
    return _listed(case, now, states, team_leaves_out(states))


def for_her(case: Case, now: float) -> NeedList:
    """The same for the reporter: only what is off her page."""
    states = case.need_states
    return _listed(case, now, states, her_page_leaves_out(states))


def _listed(case: Case, now: float, states: States, leaves_out: Callable[[Need], bool]) -> NeedList:
    incident = case.incident_at(now)
    needs = assess(incident).needs
    settled = {code for code, stands in states.items() if stands.settled}
    off = settled - {need.code for need in needs if not leaves_out(need)}
    codes = {need.code for need in needs}
    needed = codes - off
    over = tuple(
        NeedLine(code, NeedState(OVER, TIME, 0, 0), tuple(need for need in after_the_window(code) if need in needed))
        for code in past_windows(case.incident, codes)
        if code not in settled
    )
    return NeedList(tuple(NeedLine(code, states[code]) for code in NEEDS if code in off), over)


def running(case: Case, code: str, now: float) -> Need | None:
    """The need of a case as it stands now, where it runs out; None where it does not, or is not needed any more."""
    needs = (need for need in assess(case.incident_at(now)).needs if need.code == code and window_runs(need))
    return next(needs, None)
