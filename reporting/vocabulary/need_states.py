"""What became of each need: the states, who sets them, and where a need in that state is still shown.

Pure. A state is never stored as such: it is worked out from the moves of referrals and from what was said, in order.
Knows no case, no rule and no clock; that a window is past, whoever looks works out with the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from reporting.i18n import N_

OPEN, PROPOSED, AGREED, REACHED = "open", "proposed", "agreed", "reached"
MET_ELSEWHERE, NOT_WANTED, OVER = "met_elsewhere", "not_wanted", "over"
HER, WORKER, MOVE, TIME = "reporter", "case worker", "move", "time"  # who or what sets a state


@dataclass(frozen=True, slots=True)
class StateRow:
    """One state. `settled`: it is in no clock, list or count of the team any more.

    `off_her_page`: set by whom it leaves the reporter's page too while its window still runs.
    """

    name: str
    set_by: frozenset[str]
    settled: bool = False
    off_her_page: frozenset[str] = frozenset()


STATES: Final[Mapping[str, StateRow]] = {
    OPEN: StateRow(N_("It is still needed"), frozenset({HER, WORKER})),
    PROPOSED: StateRow(N_("A service is proposed"), frozenset({MOVE})),
    AGREED: StateRow(N_("She said yes to a service"), frozenset({MOVE})),
    REACHED: StateRow(N_("She was attended"), frozenset({MOVE}), settled=True, off_her_page=frozenset({MOVE})),
    MET_ELSEWHERE: StateRow(
        N_("She has it from elsewhere"), frozenset({HER, WORKER}), settled=True, off_her_page=frozenset({HER})
    ),
    NOT_WANTED: StateRow(
        N_("She does not want it"), frozenset({HER, WORKER}), settled=True, off_her_page=frozenset({HER})
    ),
    OVER: StateRow(N_("Its time is past"), frozenset({TIME}), settled=True, off_her_page=frozenset({TIME})),
}
# state of a referral -> what its need is in meanwhile; every other one leaves its need open
OF_REFERRAL: Final[Mapping[str, str]] = {
    "proposed": PROPOSED,
    "to_protect": PROPOSED,
    "consented": AGREED,
    "protected": AGREED,
    "sent": AGREED,
    "accepted": AGREED,
    "reached": REACHED,
}
REFUSE: Final = "refuse"  # the move by which its service refused her
REACH: Final = "reach"  # the move by which she was attended; closing a referral afterwards takes nothing back
_FURTHER: Final = {state: number for number, state in enumerate((OPEN, PROPOSED, AGREED, REACHED))}
# Needs that another act, or a danger told anew, calls for anew, whatever became of them before.
EACH_TIME: Final = frozenset(
    {
        "N_EMERG_MED",
        "N_CRISIS_MH",
        "N_MISSING",
        "N_CHILD_PROT",
        "N_PEP",
        "N_EC",
        "N_STI",
        "N_HEPB",
        "N_WOUND",
        "N_MED_CHECK",
        "N_PREG",
        "N_TRAFFICKING",
        "N_SAFETY_PLAN",
        "N_SHELTER",
        "N_FORENSIC",
        "N_LEGAL_STATE",
        "N_PROTECTION",
    }
)


class ReferralMoves(Protocol):
    """What of a referral says how its need stands."""

    @property
    def id(self) -> int: ...
    @property
    def need(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def moves(self) -> tuple[Mapping[str, Any], ...]: ...


@dataclass(frozen=True, slots=True)
class NeedState:
    """How a need stands: since which hour (since 1970), set by whom or what; `member` 0 is the reporter."""

    state: str
    by: str
    hour: int
    member: int

    @property
    def settled(self) -> bool:
        """Whether it is in no clock, list or count of the team any more."""
        return STATES[self.state].settled

    def is_off_her_page(self, *, window_runs: bool) -> bool:
        """Whether the reporter's page leaves it out: what runs out only by her own word, by a move, or by the time."""
        return self.settled and (not window_runs or self.by in STATES[self.state].off_her_page)


def states_of(referrals: Iterable[ReferralMoves], said: Iterable[Mapping[str, Any]]) -> dict[str, NeedState]:
    """Need -> how it stands; what is open and was never spoken of is left out.

    `said`: {"need", "state", "by", "hour"} in order; `by` 0 is the reporter. What says "open" again names in "reached"
    the referrals that had been reached by then: they no longer count.
    """
    spoken = _newest(said)
    by_need: dict[str, NeedState] = {}
    for referral in referrals:
        stands = _by_referral(referral, spoken.get(referral.need, {}))
        before = by_need.get(referral.need)
        if before is None or _FURTHER[stands.state] > _FURTHER[before.state]:
            by_need[referral.need] = stands
    for need, entry in spoken.items():
        by_moves = by_need.get(need)
        if by_moves is None or (entry["state"] != OPEN and by_moves.state != REACHED):
            who = WORKER if entry["by"] else HER
            by_need[need] = NeedState(entry["state"], who, entry["hour"], entry["by"])
    return by_need


def _newest(said: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """What counts of what was said of each need: the newest, but her own word that it is settled stands."""
    newest: dict[str, Mapping[str, Any]] = {}
    for entry in said:
        before = newest.get(entry["need"])
        hers = before is not None and not before["by"] and STATES[before["state"]].settled
        if not (hers and entry["by"] and STATES[entry["state"]].settled):
            newest[entry["need"]] = entry
    return newest


def _by_referral(referral: ReferralMoves, spoken: Mapping[str, Any]) -> NeedState:
    last = referral.moves[-1]
    state = OF_REFERRAL.get(referral.state, OPEN)
    for step in referral.moves:
        if step["move"] == REACH:
            state, last = REACHED, step
    if state == REACHED and referral.id in spoken.get("reached", ()):
        state = OPEN
    return NeedState(state, MOVE, last["hour"], last["by"])
