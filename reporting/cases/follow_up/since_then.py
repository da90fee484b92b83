"""What happened since she told it, as she reads it on her page: read, answered, proposed, sent, reached, closed.

Only what is hers to know: no note, no mark, no name of the team's work. Message ids; pages put them into her language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reporting.cases.records import FROM_HER, Case
from reporting.i18n import N_

RECEIVED: Final = N_("The team received it.")
READ: Final = N_("A case worker read it.")
WROTE: Final = N_("You wrote to the team.")
ANSWERED: Final = N_("The team wrote to you.")
# move of a referral -> what she reads; the others are work of the team
MOVED: Final[Mapping[str, str]] = {
    "propose": N_("The team proposed «%(service)s» to you."),
    "agree": N_("You said yes to «%(service)s»."),
    "decline": N_("You said no to «%(service)s»."),
    "withdraw": N_("The team took back «%(service)s»."),
    "send": N_("The team told «%(service)s» what you allowed."),
    "revoke": N_("You took back your yes to «%(service)s»."),
    "accept": N_("«%(service)s» said that they will see you."),
    "refuse": N_("«%(service)s» would not see you. It is not your fault."),
    "miss": N_("The team could not get through to «%(service)s»."),
    "reach": N_("«%(service)s» took care of you."),
}
DONE: Final[Mapping[str, str]] = {
    "closed": N_("The team closed your case."),
    "reopened": N_("Your case was opened again."),
    "way written": N_("The team wrote down how to reach you, as you told them."),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line: hours since 1970, a message id, the id of the service it names."""

    hour: int
    message: str
    service: str = ""


def since_then(case: Case) -> tuple[Event, ...]:
    """What happened, the newest first, as far as hours tell. Of what was sent unseen no service is named."""
    events = sorted(_events(case), key=lambda event: event.hour)
    return tuple(reversed(events))


def _events(case: Case) -> Iterator[Event]:
    yield Event(case.hour, RECEIVED)
    if case.work_record.get("read"):
        yield Event(case.work_record["read"], READ)
    for letter in case.letters:
        yield Event(letter.hour, WROTE if letter.sender == FROM_HER else ANSWERED)
    for referral in case.referrals:
        for step in referral.moves if not (referral.protects or case.unseen) else ():
            if step["move"] in MOVED:
                yield Event(step["hour"], MOVED[step["move"]], referral.service)
    for entry in case.work_record.get("history", ()):
        if entry["act"] in DONE:
            yield Event(entry["hour"], DONE[entry["act"]])
