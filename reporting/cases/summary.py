"""The summary of a case: what the queue may know of it without opening it, and how that is written down.

Pure. Seals nothing and knows no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from reporting.clock import HOUR
from reporting.vocabulary.incident import Incident, incident_from_answers


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
    due_at: int | None = None  # hour with which the day begins on which somebody wants to look at it

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
        return cls(**fields | {name: tuple(fields[name]) for name in LISTS & fields.keys()})


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
}
LISTS: Final = frozenset({"signs", "labels", "marks"})


def looked_at(incident: Incident, hours: ToldHours, now: float) -> Incident:
    """The incident with all its times moved on to `now` (seconds since 1970), each from the hour in which it was told.

    A time she does not know is at least as long ago as she first told what happened.
    """

    def since(hour: int) -> float:
        return max(0.0, now / HOUR - hour)

    return replace(incident.later(since(hours.time)), told_ago=since(hours.acts), signs_ago=since(hours.signs))
