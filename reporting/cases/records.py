"""What travels of a case: frozen records of a report, a case, its summary, its letters and referrals.

Knows no transaction, no member and no act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from reporting.cases.summary import SummaryContent, ToldHours, looked_at
from reporting.clock import HOUR
from reporting.crypto import sealing
from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.need_states import REACH, REFUSE, STATES, NeedState, states_of

FROM_HER, FROM_TEAM = "reporter", "team"
NEW, OPEN, CLOSED = "new", "open", "closed"  # states of a case
THREAT, JUNK = "threat_to_team", "junk"  # marks; reversible, and nothing is deleted by one person's
JUNK_DAYS = 30  # so long after two people marked it as junk a case goes


# why a case does not open -> what that means, and what is to be done
CHANGED, FORGED, OLDER, LIST = "changed", "forged", "older", "list"
REASONS: Final[Mapping[str, str]] = {
    CHANGED: N_("A record of it was changed. Call whoever looks after the server."),
    FORGED: N_(
        "This is not the case that the team knew any more: somebody put another in its place. Write nothing to it and "
        "call no number that came with it. Call whoever looks after the server."
    ),
    OLDER: N_(
        "This is not the case that the team knew any more: an older copy was put in its place, or it came back after "
        "it had gone. Was a backup put back? Then enter it below. If not, call whoever looks after the server."
    ),
    LIST: N_(
        "The list of the cases that the team knows is missing, or an older one lies there. As long as it is so no case "
        "opens. Was a backup put back? Then enter it below. If not, call whoever looks after the server."
    ),
}


class NoConsent(AmparoError):
    """The reporter did not say yes to this."""


class EditConflict(AmparoError):
    """Somebody else changed the case since this page was made."""


@dataclass(frozen=True, slots=True)
class NewReport:
    """What she sends. `hour` is whole hours since 1970, the finest time that is kept.

    `unseen`: it was sent when it was too old to be shown; whoever comes back with its receipt reads letters only.
    `voice`: the member who wrote down what she told by telephone or at the door; 0 when she wrote herself.
    `signs`: of junk, for the team, and `group`: the number of the fold it can be part of (`cases.junk`).
    """

    incident: Incident
    narrative: str
    contact: Mapping[str, str]
    consents: frozenset[str]
    language: str
    trip: str
    hour: int
    unseen: bool = False
    voice: int = 0
    signs: tuple[str, ...] = ()
    group: int | None = None


def consents_with(contact: Mapping[str, str], consents: frozenset[str]) -> frozenset[str]:
    """What she allows: who leaves a way to be reached allows that it is used."""
    return consents | ({"C_CONTACT"} if contact else frozenset())


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: who wrote (FROM_HER or FROM_TEAM), the hour (whole hours since 1970), the text.

    `by`: the member who wrote it for the team, which her page never says; 0 where it was not noted.
    """

    sender: str
    hour: int
    text: str
    by: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its hour: a note of a member (`by`), or what the reporter added (`by` 0)."""

    by: int
    hour: int
    text: str


@dataclass(frozen=True, slots=True)
class Correction:
    """The answers as they were set right at that hour, by a member with a reason, or by the reporter (`by` 0)."""

    by: int
    hour: int
    incident: Incident
    reason: str


@dataclass(frozen=True, slots=True)
class Referral:
    """A service proposed for a need: exactly these fields would be told to it. `moves` is what happened, in order.

    `consent` is her yes to this service and these fields ({"hour", "how", "by"}); empty as long as she gave none.
    `protects` is the reason for protecting a child without a yes; empty everywhere else.
    """

    id: int
    service: str
    need: str
    fields: tuple[str, ...]
    state: str
    consent: Mapping[str, Any]
    moves: tuple[Mapping[str, Any], ...]
    protects: str

    @property
    def refused(self) -> bool:
        """Whether the service refused her, and did not attend her after all."""
        moves = {step["move"] for step in self.moves}
        return REFUSE in moves and REACH not in moves


@dataclass(frozen=True, slots=True)
class Summary:
    """What the queue knows of a case: enough to sort and to choose, nothing to read.

    `seal` is the hash of the sealed bytes it was read from: while that is the same, so is all that follows from it.
    """

    case: int
    team: int
    seal: str
    content: SummaryContent = field(repr=False)
    epoch: int = 0  # of the keys with which it opens
    version: int = 0
    mark: bytes = field(default=b"", repr=False)  # by which the list of what the team has taken knows it

    @property
    def incident(self) -> Incident:
        """The answers as they stand now."""
        return self.content.incident

    @property
    def told_at(self) -> int:
        """Hour (since 1970) of the time she gave."""
        return self.content.told_at

    @property
    def hour(self) -> int:
        """Hour (since 1970) of the report."""
        return self.content.hour

    @property
    def heard_at(self) -> int:
        """Hour (since 1970) of what she said last after her report; 0 where she said nothing since."""
        return self.content.heard_at or 0

    @property
    def waits(self) -> bool:
        """Whether the newest word is hers: she came back, and nobody has answered or closed it since."""
        return bool(self.heard_at) and not self.answered and self.state != CLOSED

    @property
    def waits_to_be_sent(self) -> bool:
        """Whether she said yes to a service that nobody has told yet, and the case is open."""
        return self.to_send and self.state != CLOSED

    @property
    def may_be_reachable(self) -> bool:
        """Whether a way to reach her is kept, or a version before did not write down that there is none."""
        return self.content.reachable is not False

    def is_due(self, hour: float) -> bool:
        """Whether the day has come on which somebody wants to look at it, and nobody has closed it."""
        return 0 < self.due_at <= hour and self.state != CLOSED

    @property
    def is_taken(self) -> bool:
        """Whether somebody has it and has looked since she said something."""
        return bool(self.owner) and not self.unread

    @property
    def wrote_at(self) -> int:
        """Hour of what the team wrote to her last; 0 where it never did, or a version before did not write it down."""
        return self.content.wrote_at or 0

    @property
    def language(self) -> str:
        """In which she told it; empty where a version before did not write it down."""
        return self.content.language or ""

    @property
    def due_at(self) -> int:
        """Hour (since 1970) with which the day begins on which somebody wants to look at it; 0 without such a day."""
        return self.content.due_at or 0

    @property
    def acts_told(self) -> int:
        """Hour in which she first told what happened: a time she does not know is at least as old."""
        return self.content.told_hours.acts

    @property
    def signs_told(self) -> int:
        """Hour in which she told how she is right now."""
        return self.content.told_hours.signs

    def incident_at(self, now: float) -> Incident:
        """The answers as they are at the moment of looking."""
        return looked_at(self.incident, self.content.told_hours, now)

    @property
    def state(self) -> str:
        """NEW, OPEN or CLOSED."""
        return self.content.state

    @property
    def unread(self) -> bool:
        """Something came that nobody of the team has seen."""
        return self.content.unread

    @property
    def answered(self) -> bool:
        """The newest letter is the team's."""
        return self.content.answered

    @property
    def owner(self) -> int:
        """The member whose case it is; 0 is nobody."""
        return self.content.owner or 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The team's own words for finding it again."""
        return self.content.labels or ()

    @property
    def marks(self) -> tuple[str, ...]:
        """Why it is folded away; empty where it is not."""
        return self.content.marks or ()

    @property
    def signs(self) -> tuple[str, ...]:
        """Signs of junk that were seen when it was sent."""
        return self.content.signs or ()

    @property
    def group(self) -> int | None:
        """The number that it shares with what else the same sender sent in that hour with a sign of junk."""
        return self.content.group

    @property
    def words(self) -> str:
        """By which the same words in another case are known; empty where there are few."""
        return self.content.words or ""

    @property
    def closed_at(self) -> int:
        """Hour (since 1970) of closing; 0 while it is open."""
        return self.content.closed_at or 0

    @property
    def junk_at(self) -> int:
        """Hour (since 1970) in which a second person marked it as junk; 0 where nobody did."""
        return self.content.junk_at or 0

    @property
    def needs(self) -> Mapping[str, str]:
        """Need -> its state, where that is another than open."""
        return self.content.needs or {}

    @property
    def settled(self) -> frozenset[str]:
        """The needs that are in no clock, list or count of the team any more."""
        return frozenset(need for need, state in self.needs.items() if STATES[state].settled)

    @property
    def to_send(self) -> bool:
        """She said yes to a service, and nobody has told it yet."""
        return bool(self.content.to_send)

    @property
    def looked_by(self) -> int:
        """The member who looked last; 0 where nobody did, or a version before did not write it down."""
        return self.content.looked_by or 0

    @property
    def looked_at(self) -> int:
        """Hour (since 1970) of the last look; 0 where that is not known."""
        return self.content.looked_at or 0


@dataclass(frozen=True, slots=True)
class Case:
    """An opened case. `first` is what was told at the start, `incident` what stands now; hours count since 1970.

    `work_record` holds what the team keeps about its work; her pages show nothing of it.
    """

    id: int
    team: int
    version: int
    first: Incident
    incident: Incident
    told_hours: ToldHours
    told_at: int
    hour: int
    narrative: str
    contact: Mapping[str, str]
    has_contact: bool
    consents: frozenset[str]
    language: str
    state: str
    letters: tuple[Letter, ...]
    notes: tuple[Note, ...]
    additions: tuple[Note, ...]
    corrections: tuple[Correction, ...]
    referrals: tuple[Referral, ...]
    work_record: Mapping[str, Any]
    owner: int
    marks: tuple[str, ...]
    delete_after: date
    unseen: bool
    voice: int
    goes_at: int = 0  # hour from which on it goes as junk, because two people say that it is; 0: it stays
    last_word: int = 0  # hour of what she said last, her report included
    plan: Mapping[str, Any] | None = None  # she keeps it: hour, lines, shown (the team may see it)

    def incident_at(self, now: float) -> Incident:
        """The incident as it is at the moment of looking; a service that refused a referral refused her."""
        refused = self.incident.refused_by | {item.service for item in self.referrals if item.refused}
        return looked_at(replace(self.incident, refused_by=refused), self.told_hours, now)

    @property
    def need_states(self) -> Mapping[str, NeedState]:
        """Need -> how it stands; what is open and was never spoken of is left out."""
        return states_of(self.referrals, self.work_record.get("needs", ()))

    def days_silent(self, now: float) -> int:
        """Whole days since her last word, her report included."""
        return int(now / HOUR - self.last_word) // 24

    def last_look(self, besides: int) -> tuple[int, int]:
        """(member, hour) of the last look of somebody else than this member; (0, 0) where nobody else looked."""
        looks = self.work_record.get("looks", {}).items()
        others = [(hour, int(member)) for member, hour in looks if int(member) != besides]
        hour, member = max(others, default=(0, 0))
        return member, hour

    @property
    def unwell(self) -> bool:
        """Whether it is folded away: a threat, junk, or not a report."""
        return bool(self.marks)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a returning reporter's ticket holds: which case, and its key."""

    case: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrokenCase:
    """A case that does not open, and which of `REASONS` says why."""

    case: int
    team: int
    why: str


def alias(case: int) -> str:
    """A short name for staff to say aloud; it is not her receipt and leads to nothing by itself."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    number = int.from_bytes(sealing.digest(case.to_bytes(8, "big"))[:8], "big")
    return "".join(letters[number // 24**place % 24] for place in range(2)) + f"-{number // 576 % 1000:03d}"
