"""What travels of a case: frozen records of a report, a case, its letters and referrals.

Knows no transaction, no member and no act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, Self

from reporting.cases.follow_up.plan_versions import PlanVersion, next_review
from reporting.cases.summary import ToldHours, looked_at
from reporting.crypto import sealing
from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.vocabulary.incident import Incident, incident_from_answers
from reporting.vocabulary.need_states import REACH, REFUSE, NeedState, states_of

FROM_HER, FROM_TEAM = "reporter", "team"
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

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """The letter that a record holds."""
        return cls(content["from"], content["hour"], content["text"], content.get("by", 0))


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its hour: a note of a member (`by`), or what the reporter added (`by` 0)."""

    by: int
    hour: int
    text: str

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """The note or the addition that a record holds."""
        return cls(content["by"], content["hour"], content["text"])


@dataclass(frozen=True, slots=True)
class Correction:
    """The answers as they were set right at that hour, by a member with a reason, or by the reporter (`by` 0)."""

    by: int
    hour: int
    incident: Incident
    reason: str
    signs: bool = False  # the danger signs were asked anew with it

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """The correction that a record holds. Raises `BadIncident` when its answers fit no question of ours."""
        answers, signs = incident_from_answers(content["answers"]), content.get("signs", False)
        return cls(content["by"], content["hour"], answers, content["reason"], signs)


@dataclass(frozen=True, slots=True)
class Appointment:
    """When and where a service expects her: a day, a time as it is written (09:30), and what she needs at the door.

    `number` is its place among those of its referral; `by`, `hour`: who made it and when; `off_by`, `off_hour`: who
    took it back (0: the reporter) and when, 0 while it stands.
    """

    number: int
    day: date
    time: str
    place: str
    ask_for: str  # whom to ask for; empty where nobody said
    word: str  # what she says at the door; empty where it needs none
    by: int
    hour: int
    off_by: int
    off_hour: int

    @property
    def off(self) -> bool:
        """Whether it was taken back."""
        return bool(self.off_hour)

    @classmethod
    def from_content(cls, number: int, content: Mapping[str, Any]) -> Self:
        """The appointment that the record of a referral holds."""
        return cls(
            number,
            date.fromisoformat(content["day"]),
            content["time"],
            content["place"],
            content["ask_for"],
            content["word"],
            content["by"],
            content["hour"],
            content.get("off_by", 0),
            content.get("off_hour", 0),
        )


@dataclass(frozen=True, slots=True)
class HandOverNote:
    """A note that somebody has to read before her shift: `to` a member, or to whoever comes next (0)."""

    id: int
    by: int
    hour: int
    text: str
    to: int

    def is_for(self, member: int) -> bool:
        """Whether this member has to read it."""
        return is_to_read(self.by, self.to, member)


def is_to_read(by: int, to: int, member: int) -> bool:
    """Whether a hand-over note is for this member: what is for whoever comes next is for anybody but its author."""
    return member == to or (not to and member != by)


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
    appointments: tuple[Appointment, ...] = ()

    @classmethod
    def from_content(cls, number: int, content: Mapping[str, Any]) -> Self:
        """The referral that the record of this number holds."""
        return cls(
            number,
            content["service"],
            content["need"],
            tuple(content["fields"]),
            content["state"],
            content.get("consent", {}),
            tuple(content["moves"]),
            content.get("protects", ""),
            tuple(Appointment.from_content(*numbered) for numbered in enumerate(content.get("appointments", ()))),
        )

    @property
    def refused(self) -> bool:
        """Whether the service refused her, and did not attend her after all."""
        moves = {step["move"] for step in self.moves}
        return REFUSE in moves and REACH not in moves


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
    spoken_at: int = 0  # hour in which the team last wrote or spoke to her; 0 where it never did
    plan: Mapping[str, Any] | None = None  # she keeps it: hour, lines, shown (the team may see it)
    safety_plans: tuple[PlanVersion, ...] = ()  # every version, the newest last; to her only with her yes
    case_plans: tuple[PlanVersion, ...] = ()  # the same; for the team only
    waits: bool = False  # the newest word is hers
    to_read: tuple[HandOverNote, ...] = ()  # hand-over notes that nobody has read

    def incident_at(self, now: float) -> Incident:
        """The incident as it is at the moment of looking; a service that refused a referral refused her."""
        refused = self.incident.refused_by | {item.service for item in self.referrals if item.refused}
        return looked_at(replace(self.incident, refused_by=refused), self.told_hours, now)

    @property
    def need_states(self) -> Mapping[str, NeedState]:
        """Need -> how it stands; what is open and was never spoken of is left out."""
        return states_of(self.referrals, self.work_record.get("needs", ()))

    @property
    def next_review(self) -> date | None:
        """The next day on which a plan of it is to be looked at again; it may have passed. None where none is set."""
        return next_review(self.safety_plans, self.case_plans)

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


@dataclass(frozen=True, slots=True)
class Restore:
    """A member said that a backup was put back: of which day, why, who, in which hour (since 1970)."""

    day: str
    reason: str
    by: int
    hour: int


def referral_code(referral: int) -> str:
    """Four figures by which a service and she know the same referral: made of its random number, they lead nowhere."""
    return f"{1000 + int.from_bytes(sealing.digest(referral.to_bytes(8, 'big'))[:8], 'big') % 9000}"


def alias(case: int) -> str:
    """A short name for staff to say aloud; it is not her receipt and leads to nothing by itself."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    number = int.from_bytes(sealing.digest(case.to_bytes(8, "big"))[:8], "big")
    return "".join(letters[number // 24**place % 24] for place in range(2)) + f"-{number // 576 % 1000:03d}"
