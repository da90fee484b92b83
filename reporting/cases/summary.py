"""The summary of a case: what the queue may know of it without opening it, and how that is written down.

Pure. Seals nothing and knows no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from reporting.clock import HOUR
from reporting.vocabulary.incident import Incident, incident_from_answers
from reporting.vocabulary.need_states import AGREED, STATES

NEW, OPEN, CLOSED = "new", "open", "closed"  # states of a case


@dataclass(frozen=True, slots=True)
class ToldHours:
    """Hours (since 1970) in which the reporter told something: a time, what happened, how she is right now."""

    time: int
    acts: int  # a time she does not know is at least as long ago
    signs: int


@dataclass(frozen=True, slots=True)
class SummaryContent:
    """What a summary says. Hours count since 1970; None: nothing of the kind was ever written for this case."""

    answers: Mapping[str, Any] = field(repr=False)  # as they stand now
    told_at: int  # hour of the time she gave
    hour: int  # hour of the report
    state: str
    unread: bool
    answered: bool  # the newest word is the team's
    signs: tuple[str, ...] | None = None  # of junk, seen when it was sent
    words: str | None = field(default=None, repr=False)  # by which the same words in another case are known
    owner: int | None = None  # the member whose case it is; 0 is nobody
    labels: tuple[str, ...] | None = None
    acts_told: int | None = None  # hour in which she told of acts later than in her report
    signs_told: int | None = None  # hour in which she said how she is right now, where that is not `told_at`
    marks: tuple[str, ...] | None = None  # why it is folded away
    closed_at: int | None = None  # hour of closing; 0 where it was opened again
    heard_at: int | None = None  # hour of what she said last after her report: a letter, a yes, something new
    junk_at: int | None = None  # hour in which a second person marked it as junk
    needs: Mapping[str, str] | None = None  # need -> its state, where that is another than open
    to_send: bool | None = None  # she said yes to a service, and nobody has told it yet
    looked_by: int | None = None  # the member who looked last, and the hour
    looked_at: int | None = None
    changed_in: int | None = None  # the version in which it was changed last: a look is no change
    group: int | None = None  # what one sender sent within an hour with a sign of junk has the same one
    language: str | None = None  # in which she told it
    wrote_at: int | None = None  # hour of what the team wrote to her last
    reachable: bool | None = None  # a way to reach her is kept
    due_at: int | None = None  # hour with which the day of the next step begins; 0: nothing is next
    to_read: tuple[tuple[int, int], ...] | None = None  # (by whom, for whom) of each hand-over note that waits
    spoke_at: int | None = None  # hour in which somebody who tried to reach her last spoke to her
    tried_until: int | None = None  # hour in which the day ends on which somebody tried to reach her last
    planned_at: int | None = None  # hour with which the latest day begins that somebody of the team set for a step
    no_way: bool | None = None  # she allows no letters, and no way to reach her is kept

    @property
    def incident(self) -> Incident:
        """The answers as an incident. Raises `BadIncident` when they fit no question of ours."""
        return incident_from_answers(self.answers)

    @property
    def told_hours(self) -> ToldHours:
        """The hours in which she told what stands here."""
        return ToldHours(
            time=self.told_at,
            acts=self.hour if self.acts_told is None else self.acts_told,
            signs=self.told_at if self.signs_told is None else self.signs_told,
        )

    def as_stored(self) -> dict[str, Any]:
        """The object of JSON that is stored: one letter for each field, in this order; what is None is left out."""
        values = {letter: getattr(self, name) for name, letter in LETTERS.items()}
        return {letter: value for letter, value in values.items() if value is not None}

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """The summary that `as_stored` wrote down."""
        fields = {name: stored[letter] for name, letter in LETTERS.items() if letter in stored}
        lists = {name: tuple(fields[name]) for name in LISTS & fields.keys()}
        pairs = {name: tuple((by, to) for by, to in fields[name]) for name in PAIRS & fields.keys()}
        return cls(**fields | lists | pairs)


# field -> the letter under which it is stored, in the order of writing; a letter is never given to another field
LETTERS: Final[Mapping[str, str]] = {
    "answers": "a",
    "told_at": "t",
    "hour": "h",
    "state": "s",
    "unread": "u",
    "answered": "l",
    "signs": "q",
    "words": "w",
    "owner": "o",
    "labels": "b",
    "acts_told": "v",
    "signs_told": "p",
    "marks": "m",
    "closed_at": "z",
    "heard_at": "r",
    "junk_at": "j",
    "needs": "n",
    "to_send": "y",
    "looked_by": "k",
    "looked_at": "x",
    "changed_in": "i",
    "group": "g",
    "language": "c",
    "wrote_at": "d",
    "reachable": "f",
    "due_at": "e",
    "to_read": "R",
    "spoke_at": "S",
    "tried_until": "T",
    "planned_at": "P",
    "no_way": "N",
}
LISTS: Final = frozenset({"signs", "labels", "marks"})
PAIRS: Final = frozenset({"to_read"})


def looked_at(incident: Incident, hours: ToldHours, now: float) -> Incident:
    """The incident with all its times moved on to `now` (seconds since 1970), each from the hour in which it was told.

    A time she does not know is at least as long ago as she first told what happened.
    """

    def since(hour: int) -> float:
        return max(0.0, now / HOUR - hour)

    return replace(incident.later(since(hours.time)), told_ago=since(hours.acts), signs_ago=since(hours.signs))


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
    def was_spoken_to(self) -> bool:
        """Whether the team has written or spoken to her at all."""
        return bool(self.wrote_at or self.content.spoke_at or self.answered)

    def was_answered(self, since: int) -> bool:
        """Whether the team wrote or spoke to her since that hour."""
        ours = max(self.wrote_at, self.content.spoke_at or 0)
        if not ours:
            return self.answered  # by a version before, which did not write down when
        return ours > since or (ours == since and not self.waits)

    def is_left_alone(self, since: int, hour: float) -> bool:
        """Whether nobody has written or spoken to her since that hour, nor tried to reach her today.

        Where she left no way at all, who takes it has done what can be done from here.
        """
        if self.state == CLOSED or self.was_answered(since) or hour < (self.content.tried_until or 0):
            return False
        return not (self.content.no_way and self.is_taken)

    def is_in_hand(self, hour: float) -> bool:
        """Whether somebody has it and did something: wrote or spoke to her, tried to today, or set a day that comes."""
        tried, comes = hour < (self.content.tried_until or 0), hour < (self.content.planned_at or 0)
        did = self.was_spoken_to or tried or comes or bool(self.content.no_way) or self.state == CLOSED
        return self.is_taken and did

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has it, wrote or spoke to her, or set a day for a step: whoever may have looked."""
        return not (self.owner or self.was_spoken_to or self.content.planned_at)

    @property
    def changing_hours(self) -> tuple[int, ...]:
        """The hours (since 1970) at which what the team did or set means something else."""
        return (self.due_at, self.content.tried_until or 0, self.content.planned_at or 0)

    @property
    def happened_told(self) -> int:
        """Hour in which she told last what happened, or when; what the team set right since is no word of hers."""
        return max(self.content.told_hours.time, self.content.told_hours.acts) if self.waits else self.hour

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
        """Hour (since 1970) with which the day of its next step begins; 0 without such a day."""
        return self.content.due_at or 0

    @property
    def has_nothing_next(self) -> bool:
        """Whether it is open and nothing is planned in it; a version before did not write that down."""
        return self.content.due_at == 0 and self.state == OPEN and not self.marks

    @property
    def to_read(self) -> tuple[tuple[int, int], ...]:
        """(by whom, for whom) of each hand-over note that nobody has read; for 0 is for whoever comes next."""
        return self.content.to_read or ()

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
    def under_way(self) -> frozenset[str]:
        """The needs for which she said yes to a service that has not turned her away."""
        return frozenset(need for need, state in self.needs.items() if state == AGREED)

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
