"""A referral: from a proposal to an outcome, with her yes at every step. The table of moves is all of it.

Nothing is sent without her consent to this service and these fields; what may not be offered to her may not be
proposed or sent either, by the same function. For a child alone there is another way in, which needs a reason
and a second case worker, and which she is told of. Knows neither the web nor how things are sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from referrals.casework.follow_up import appointments
from referrals.help.right_person import is_for_another as is_told_for_another
from referrals.help.texts import her_case_texts
from referrals.needs.assessment import assess
from referrals.needs.exclusions import OfferedService, forbidden
from reporting.cases import actions
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile, Record, referral_of
from reporting.cases.records import Case, Referral
from reporting.cases.summary import CLOSED as CASE_CLOSED
from reporting.clock import HOUR
from reporting.i18n import N_
from reporting.vocabulary.codes import MINOR_AGES
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.need_states import OPEN
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.person import SELF
from reporting.vocabulary.tally import in_time_of

HER, WORKER, SECOND = "reporter", "case worker", "second case worker"
PROPOSED, CONSENTED, DECLINED, SENT, ACCEPTED = "proposed", "consented", "declined", "sent", "accepted"
REFUSED, NOT_REACHED, REACHED, CLOSED, REVOKED = "refused", "not_reached", "reached", "closed", "revoked"
TO_PROTECT, PROTECTED = "to_protect", "protected"


@dataclass(frozen=True, slots=True)
class Move:
    """One step: who may take it, and what the referral is afterwards."""

    who: str
    next: str


# state -> move -> who may, next state. The guide for case workers prints this table.
MOVES: Final[Mapping[str, Mapping[str, Move]]] = {
    PROPOSED: {
        "agree": Move(HER, CONSENTED),
        "decline": Move(HER, DECLINED),
        "withdraw": Move(WORKER, REVOKED),
    },
    DECLINED: {"agree": Move(HER, CONSENTED)},
    CONSENTED: {
        "send": Move(WORKER, SENT),
        "revoke": Move(HER, REVOKED),
        "withdraw": Move(WORKER, REVOKED),
    },
    TO_PROTECT: {"confirm": Move(SECOND, PROTECTED), "withdraw": Move(WORKER, REVOKED)},
    PROTECTED: {"send": Move(WORKER, SENT), "withdraw": Move(WORKER, REVOKED)},
    SENT: {
        "accept": Move(WORKER, ACCEPTED),
        "refuse": Move(WORKER, REFUSED),
        "miss": Move(WORKER, NOT_REACHED),
        "reach": Move(WORKER, REACHED),
        "revoke": Move(HER, REVOKED),
    },
    ACCEPTED: {
        "reach": Move(WORKER, REACHED),
        "miss": Move(WORKER, NOT_REACHED),
        "refuse": Move(WORKER, REFUSED),
        "revoke": Move(HER, REVOKED),
    },
    NOT_REACHED: {"send": Move(WORKER, SENT), "close": Move(WORKER, CLOSED), "revoke": Move(HER, REVOKED)},
    REFUSED: {"close": Move(WORKER, CLOSED)},
    REACHED: {"close": Move(WORKER, CLOSED)},
    REVOKED: {"close": Move(WORKER, CLOSED)},
    CLOSED: {},
}
STATES: Final = {
    PROPOSED: N_("Proposed; waits for her answer"),
    CONSENTED: N_("She said yes; not sent yet"),
    DECLINED: N_("She said no"),
    SENT: N_("Sent; the service has not answered"),
    ACCEPTED: N_("The service accepted"),
    REFUSED: N_("The service refused"),
    NOT_REACHED: N_("The service was not reached"),
    REACHED: N_("She was attended"),
    CLOSED: N_("It is closed"),
    REVOKED: N_("Withdrawn"),
    TO_PROTECT: N_("To protect a child; waits for a second case worker"),
    PROTECTED: N_("To protect a child; not sent yet"),
}
MOVE_NAMES: Final = {
    "agree": N_("She says yes"),
    "decline": N_("She says no"),
    "withdraw": N_("Take the proposal back"),
    "send": N_("It is sent"),
    "revoke": N_("She takes her yes back"),
    "confirm": N_("Confirm as the second case worker"),
    "accept": N_("The service accepted"),
    "refuse": N_("The service refused"),
    "miss": N_("The service was not reached"),
    "reach": N_("She was attended"),
    "close": N_("Close with an outcome"),
}
# why a service refused, in codes that can be counted; the first that fits, and none has to be said
REFUSED_BECAUSE: Final = {
    "FULL": N_("It had no place or no turn"),
    "CLOSED": N_("It was closed, or nobody attended"),
    "PAPERS": N_("It wanted papers"),
    "COMPLAINT": N_("It wanted a complaint first"),
    "MONEY": N_("It wanted money"),
    "SEX_WORK": N_("Because she does sex work"),
    "IDENTITY": N_("Because of who she is: trans, foreign, her colour or her age"),
    "NOT_ITS_WORK": N_("It says that this is not its work"),
    "OTHER": N_("Something else"),
}
# who takes a step, in words
WHO: Final = {HER: N_("She herself"), WORKER: N_("The team"), SECOND: N_("Another case worker")}
TAKES_BACK: Final = frozenset({"miss", "refuse", "revoke"})  # moves after which no appointment of it stands
LAST: Final = frozenset({CLOSED, REVOKED})
ENDED: Final = LAST | {DECLINED, REFUSED, REACHED}
# the move by which a referral ended -> under which name its words for her stand
ENDS: Final = {
    "reach": "reached",
    "refuse": "refused",
    "miss": "missed",
    "decline": "declined",
    "revoke": "revoked",
    "withdraw": "withdrawn",
}
# what may be told to a service, field by field; nothing else ever is
FIELDS: Final = {
    "need": N_("What she needs"),
    "violence": N_("What happened"),
    "hours": N_("When"),
    "injuries": N_("Danger signs and injuries"),
    "age": N_("Age"),
    "identity": N_("Identity"),
    "pregnant_possible": N_("Pregnancy"),
    "docs": N_("Papers"),
    "lang": N_("Language"),
    "narrative": N_("Her own words"),
    "contact": N_("How to reach her safely"),
}


# ── proposing ───────────────────────────────────────────────────────────────────────────────────────────────


def propose(
    case_file: CaseFile, by: int, service: OfferedService, need: str, fields: tuple[str, ...], now: float
) -> int:
    """Ask her whether this service may be told these things for this need. Returns the number of the referral.

    `NotAllowed` when she may not be asked, or this service may not be offered to her or is proposed already.
    """
    _may_be_referred(case_file, now)
    _may_be_offered(case_file, service, now)
    return _file(case_file, by, service.service_id, need, fields, PROPOSED, now)


def protect_child(
    case_file: CaseFile, by: int, service: OfferedService, need: str, fields: tuple[str, ...], reason: str, now: float
) -> int:
    """A referral without her yes, for somebody under 18 alone. Returns the number of the referral.

    A second case worker must confirm it. `NotAllowed` for an adult, without a reason, or when this service may not be
    offered to her.
    """
    if case_file.incident_at(now).age not in MINOR_AGES:
        raise NotAllowed(N_("Only somebody under 18 can be protected without her yes."))
    if not reason:
        raise NotAllowed(N_("Write the reason. She will be able to read it."))
    _may_be_offered(case_file, service, now)
    number = _file(case_file, by, service.service_id, need, fields, TO_PROTECT, now)
    case_file.record(number, "referral").content["protects"] = reason
    return number


def _file(
    case_file: CaseFile, by: int, service: str, need: str, fields: tuple[str, ...], state: str, now: float
) -> int:
    if need not in NEEDS or not set(fields) <= FIELDS.keys() or "need" not in fields:
        raise NotAllowed(N_("Choose the need, and what may be told."))
    if any(_is_same(referral_of(record), service, need) for record in case_file.all_of("referral")):
        raise NotAllowed(N_("This service is proposed for this need already."))
    moves = [{"move": "propose", "by": by, "hour": int(now) // HOUR}]
    content = {"service": service, "need": need, "fields": list(fields), "state": state, "moves": moves}
    return case_file.add("referral", content)


def _is_same(referral: Referral, service: str, need: str) -> bool:
    return (referral.service, referral.need) == (service, need) and referral.state not in LAST


def _may_be_referred(case_file: CaseFile, now: float) -> None:
    incident = case_file.incident_at(now)
    if not actions.speaks_for_herself(incident, case_file.consents):
        raise NotAllowed(N_("Somebody else told this. Nothing is referred until she herself says yes."))
    if not assess(incident).create_referral:
        raise NotAllowed(N_("She only wants it recorded. Ask her by letter first."))


def _may_be_offered(case_file: CaseFile, service: OfferedService, now: float) -> None:
    incident = case_file.incident_at(now)
    if forbidden(service, assess(incident).must_not, incident):
        raise NotAllowed(N_("This service may not be offered to her."))


# ── moving ──────────────────────────────────────────────────────────────────────────────────────────────────


def agree(case_file: CaseFile, number: int, now: float, *, voice: int = 0) -> None:
    """Her yes to this service and these fields: by her receipt, or said aloud to a member (`voice`).

    `NotAllowed` when somebody else told this and she has not said yes since, or when nobody is asking her.
    """
    record = _record_of(case_file, number)
    if not actions.speaks_for_herself(case_file.incident_at(now), case_file.consents):
        raise NotAllowed(N_("Somebody else told this. Nothing is referred until she herself says yes."))
    _step(record, "agree", voice, now)
    content = record.content
    stands = case_file.need_states.get(content["need"])
    if stands and stands.settled:  # whoever says yes to a service needs it
        actions.say_need(case_file, voice, content["need"], OPEN, now)
    content["consent"] = {
        "hour": int(now) // HOUR,
        "how": "voice" if voice else "receipt",
        "by": voice,
        "service": content["service"],
        "fields": list(content["fields"]),
    }


def say_no(case_file: CaseFile, number: int, now: float, *, voice: int = 0) -> None:
    """Her no, before or after her yes. What was not sent is never sent.

    `NotAllowed` when the referral protects a child, or when it is over.
    """
    record = _record_of(case_file, number)
    if record.content.get("protects"):
        raise NotAllowed(N_("The team does this to protect you. Write to them about it."))
    _step(record, "revoke" if record.content.get("consent") else "decline", voice, now)
    record.content["consent"] = {}


def send(case_file: CaseFile, number: int, by: int, service: OfferedService, now: float) -> None:
    """The referral goes out: only with her yes to exactly this, or to protect a child as two case workers decided.

    `NotAllowed` when neither is there, or when this service may no longer be offered to her.
    """
    record = _record_of(case_file, number)
    if not (may_go(referral_of(record)) and service.service_id == record.content["service"]):
        raise NotAllowed(N_("Nothing is sent without her yes to this service and to what it is told."))
    _may_be_offered(case_file, service, now)
    _step(record, "send", by, now)


def move(
    case_file: CaseFile, number: int, name: str, by: int, now: float, note: str = "", *, because: str = ""
) -> None:
    """What happened next, as a case worker writes it down; of a refusal also why (REFUSED_BECAUSE), if that was said.

    `NotAllowed` when the move does not follow from here, or when another case worker has to make it.
    """
    record = _record_of(case_file, number)
    allowed = MOVES[record.content["state"]].get(name)
    if allowed is None or allowed.who == HER or name == "send":
        raise NotAllowed(N_("That is no step from here."))
    if allowed.who == SECOND and by == record.content["moves"][0]["by"]:
        raise NotAllowed(N_("Another case worker than the one who proposed it has to confirm."))
    _step(record, name, by, now, note, because if name == "refuse" and because in REFUSED_BECAUSE else "")
    if name == "reach" and "in_time" not in case_file.work_record:
        case_file.work_record |= {"in_time": in_time_of(case_file.incident_at(now))}  # when the first door was reached


def may_go(referral: Referral) -> bool:
    """Whether this may be sent: her yes is to this service and these fields, or a child is protected by two."""
    if referral.protects:
        return any(step["move"] == "confirm" for step in referral.moves)
    consent = referral.consent
    return bool(consent) and (consent["service"], tuple(consent["fields"])) == (referral.service, referral.fields)


def steps(referral: Referral, by: int) -> Iterator[str]:
    """The moves that a page offers to a case worker; hers are there for what she says by voice."""
    for name, allowed in MOVES[referral.state].items():
        if allowed.who != SECOND or referral.moves[0]["by"] != by:
            yield name


# ── what she reads of it ────────────────────────────────────────────────────────────────────────────────────


def endings(referrals: Iterable[Referral]) -> Iterator[tuple[Referral, Mapping[str, str]]]:
    """Each referral that ended, with what she reads of its end, by language."""
    for referral in referrals:
        if referral.state in ENDED:
            move = next(step["move"] for step in reversed(referral.moves) if step["move"] in ENDS)
            yield referral, her_case_texts()["ended"][ENDS[move]]


@dataclass(frozen=True, slots=True)
class ClosingWords:
    """What she reads of a closed case, by language: how it ended (None where nobody said), and what stays possible."""

    ended: Mapping[str, str] | None
    then: Mapping[str, str]


def is_for_another(case: Case) -> bool:
    """Whether who has the code told for somebody else, who has not said yes herself."""
    return is_told_for_another(case.incident) and not actions.speaks_for_herself(case.incident, case.consents)


def in_the_right_person(case: Case, now: float) -> Incident:
    """The incident for what is shown with the code; told by another, and she has said yes since, it speaks to her."""
    incident = case.incident_at(now)
    return incident if is_for_another(case) else replace(incident, about=SELF)


def closing_words(case: Case) -> ClosingWords | None:
    """What she reads where her case is closed, in the right person; None while it is open."""
    if case.state != CASE_CLOSED:
        return None
    texts = her_case_texts()
    ended = texts["outcome"].get(case.work_record.get("outcome", ""))
    if ended and is_for_another(case):
        ended = ended.get("another", ended)
    return ClosingWords(ended, texts["closed"])


def _record_of(case_file: CaseFile, number: int) -> Record:
    return case_file.record(number, "referral")


def _step(record: Record, name: str, by: int, now: float, note: str = "", because: str = "") -> None:
    allowed = MOVES[record.content["state"]].get(name)
    if allowed is None:
        raise NotAllowed(N_("That is no step from here."))
    step: dict[str, Any] = {"move": name, "by": by, "hour": int(now) // HOUR}
    if name in TAKES_BACK:
        appointments.take_all_back(record, by, now)
    more = {"note": note, "because": because}
    step |= {field: value for field, value in more.items() if value}
    record.content["moves"] = [*record.content["moves"], step]
    record.content["state"] = allowed.next
