"""What is done with an open case: note, label, assign, correct, close, mark, link, consent, hand over.

Who may do it and what it needs is decided here, in words that a page can say. Nothing is deleted by any of it
but a way to reach her, which goes with her consent. Knows nothing of the web, of services or of sealing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from reporting.cases.case_file import NOT_A_REPORT, CaseFile, lasting_name
from reporting.cases.follow_up.next_steps import ENDED
from reporting.cases.follow_up.plan_versions import SHOW_PLAN, is_by_herself
from reporting.cases.records import JUNK, THREAT, consents_with
from reporting.cases.summary import CLOSED, OPEN
from reporting.clock import HOUR
from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.vocabulary import need_states, questions
from reporting.vocabulary.incident import Incident, answers_from_incident
from reporting.vocabulary.needs import NEEDS

# how a case can end; the codes are those that figures count
REACHED = "REACHED"
OUTCOMES = {
    REACHED: N_("A service reached her"),
    "NOT_REACHED": N_("No service reached her"),
    "REFUSED": N_("A service refused her"),
    "RECORD_ONLY": N_("She wanted it recorded, and it is"),
}
SAY_ALL = frozenset({REACHED, "RECORD_ONLY"})  # of these, those that need no reason beside them
LABELS = 8  # at most, of so many signs each
LABEL_LENGTH = 24
# mark -> its name; each can be taken back, with a reason
MARKS = {
    NOT_A_REPORT: N_("Not a report"),
    THREAT: N_("A threat against the team"),
    JUNK: N_("Junk"),
}
AGREED = "consented"  # the state of a referral after her yes
UNTRUE = "UNTRUE"
# why something is not a report; what is called untrue needs a second pair of eyes
NOT_A_REPORT_BECAUSE = {
    "TEST": N_("Somebody tried the page"),
    "TWICE": N_("The same was sent twice"),
    "OTHER_MATTER": N_("It is about something else"),
    UNTRUE: N_("It did not happen as it is told"),
}


class NotAllowed(AmparoError):
    """As things stand it cannot be done. `sentence` is a message id that says why and what to do."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def _remember(case_file: CaseFile, by: int, now: float, act: str, **more: Any) -> None:
    """One line of the history that the team sees."""
    entry = {"by": by, "hour": int(now) // HOUR, "act": act, **more}
    case_file.work_record |= {"history": [*case_file.work_record.get("history", ()), entry]}


# ── everyday ────────────────────────────────────────────────────────────────────────────────────────────────


def note(case_file: CaseFile, by: int, text: str, now: float) -> None:
    """For the team only. She never sees it."""
    case_file.add("note", {"by": by, "hour": int(now) // HOUR, "text": text})


def assign(case_file: CaseFile, by: int, owner: int, now: float) -> None:
    """Whose case it is; 0 gives it back to everybody."""
    case_file.summary = replace(case_file.summary, owner=owner)
    _remember(case_file, by, now, "assigned", to=owner)


def label(case_file: CaseFile, by: int, labels: Iterable[str], now: float) -> None:
    """The team's own words for finding it again."""
    tidy = dict.fromkeys(" ".join(text.split())[:LABEL_LENGTH] for text in labels)
    case_file.summary = replace(case_file.summary, labels=tuple(text for text in tidy if text)[:LABELS])
    _remember(case_file, by, now, "labelled", reason=", ".join(case_file.summary.labels or ()))


def add_label(case_file: CaseFile, by: int, text: str, now: float) -> None:
    """One label more."""
    label(case_file, by, [*(case_file.summary.labels or ()), text], now)


def warn_of(case_file: CaseFile, by: int, risk: str, now: float) -> None:
    """What a colleague must know before calling or meeting the reporter."""
    case_file.work_record |= {"risk": risk}
    _remember(case_file, by, now, "warned", reason=risk)


def correct(case_file: CaseFile, by: int, incident: Incident, reason: str, now: float, *, signs: bool = False) -> None:
    """The answers, as they are at `now`, set right. What was told before stays beside it; the newest count.

    What was not told anew keeps the hour in which it was told: a time that was left as it was, the acts where none came
    to them, and how she is right now unless that was asked (`signs`). Else no window would ever close.
    """
    hour, summary, before = int(now) // HOUR, case_file.summary, case_file.incident
    another_time = incident.hours != case_file.incident_at(now).hours
    another_act = not incident.violence <= before.violence
    if another_act or _is_later(incident, case_file.incident_at(now)) or (signs and _in_danger(incident)):
        _needed_anew(case_file, by, hour)
    same_time = replace(incident, hours=before.hours, told_twice=before.told_twice)
    answers = answers_from_incident(incident if another_time else same_time)
    anew = {"signs": True} if signs else {}
    case_file.add("correction", {"by": by, "hour": hour, "answers": answers, "reason": reason, **anew})
    case_file.summary = replace(
        summary,
        answers=answers,
        acts_told=hour if another_act else summary.told_hours.acts,
        signs_told=hour if signs else summary.told_hours.signs,
        told_at=hour if another_time else summary.told_at,
    )


def _is_later(incident: Incident, before: Incident) -> bool:
    """Whether it may have happened later than what was told before."""
    return incident.hours is not None and incident.hours[0] < before.at_least_ago


def _in_danger(incident: Incident) -> bool:
    return any(flag.startswith(("D_", "S_")) for flag in incident.flags)


# ── how a need stands ───────────────────────────────────────────────────────────────────────────────────────


def say_need(case_file: CaseFile, by: int, need: str, state: str, now: float) -> None:
    """That a need is met elsewhere, not wanted, or open again; `by` 0 is the reporter.

    `NotAllowed` for what only the moves of a referral or the time can say, and for what is no need.
    """
    who = need_states.WORKER if by else need_states.HER
    if need not in NEEDS or state not in need_states.STATES or who not in need_states.STATES[state].set_by:
        raise NotAllowed(N_("This cannot be said of a need."))
    _say(case_file, by, need, state, int(now) // HOUR)


def _say(case_file: CaseFile, by: int, need: str, state: str, hour: int) -> None:
    entry: dict[str, Any] = {"need": need, "state": state, "by": by, "hour": hour}
    if state == need_states.OPEN:
        reached = (record for record in case_file.all_of("referral") if record.content["need"] == need)
        entry["reached"] = [record.number for record in reached if was_reached(record.content["moves"])]
    case_file.work_record |= {"needs": [*case_file.work_record.get("needs", ()), entry]}


def was_reached(moves: Iterable[Mapping[str, Any]]) -> bool:
    """Whether she was attended, whatever was written afterwards."""
    return any(step["move"] == need_states.REACH for step in moves)


def _needed_anew(case_file: CaseFile, by: int, hour: int) -> None:
    """Something happened again, or she told a danger anew: what such a thing calls for is open, whatever it was."""
    for need, stands in case_file.need_states.items():
        if stands.settled and need in need_states.EACH_TIME:
            _say(case_file, by, need, need_states.OPEN, hour)


def record_gaps(case_file: CaseFile, needs: Iterable[str]) -> None:
    """The needs that no service of the directory meets where she is, the most urgent first."""
    case_file.work_record |= {"gaps": list(needs)}


# ── ending and beginning again ──────────────────────────────────────────────────────────────────────────────


def close(case_file: CaseFile, by: int, outcome: str, reason: str, now: float) -> None:
    """Close the case: nothing more is to be done. It needs a reason.

    `NotAllowed` when it is closed already, or while a referral is on its way.
    """
    if case_file.summary.state == CLOSED:
        raise NotAllowed(N_("It is closed already."))
    if any(record.content["state"] in {"sent", "accepted"} for record in case_file.all_of("referral")):
        raise NotAllowed(N_("A referral is on its way. Write first how it ended."))
    case_file.summary = replace(case_file.summary, state=CLOSED, closed_at=int(now) // HOUR)
    ended = {"act": ENDED, "key": "", "by": by, "hour": int(now) // HOUR}  # nothing that was planned stands any more
    case_file.work_record |= {"outcome": outcome, "steps": [*case_file.work_record.get("steps", ()), ended]}
    _remember(case_file, by, now, "closed", outcome=outcome, reason=reason)


def reopen(case_file: CaseFile, by: int, reason: str, now: float) -> None:
    """Open a closed case again, with a reason. `NotAllowed` when it is open."""
    if case_file.summary.state != CLOSED:
        raise NotAllowed(N_("It is open already."))
    case_file.summary = replace(case_file.summary, state=OPEN, closed_at=0)
    case_file.work_record = {name: kept for name, kept in case_file.work_record.items() if name != "outcome"}
    _remember(case_file, by, now, "reopened", reason=reason)


HER_RECORDS = ("letter", "addition", "correction", "contact")


def said_by_her(case_file: CaseFile) -> frozenset[object]:
    """All that she has said so far and that somebody has to look at: words, answers, each yes, a need open again."""
    words = ((record.number, str(record.content)) for kind in HER_RECORDS for record in case_file.all_of(kind))
    agreed = (record.number for record in case_file.all_of("referral") if record.content["state"] == AGREED)
    needed = (
        (place, entry["need"])
        for place, entry in enumerate(case_file.work_record.get("needs", ()))
        if not entry["by"] and entry["state"] == need_states.OPEN
    )
    plans = (record.number for record in case_file.all_of("plan") if record.content["shown"])
    return frozenset({*words, *agreed, *needed, *plans, *case_file.consents})


def hear(case_file: CaseFile, now: float) -> None:
    """She said something: the newest word is hers, and a closed case is open again until somebody closes it anew."""
    summary = case_file.summary
    if summary.state == CLOSED:
        case_file.work_record = {name: kept for name, kept in case_file.work_record.items() if name != "outcome"}
        _remember(case_file, 0, now, "reopened")
    state = OPEN if summary.state == CLOSED else summary.state
    closed_at = None if summary.closed_at is None else 0
    hour = int(now) // HOUR
    case_file.summary = replace(summary, state=state, closed_at=closed_at, answered=False, heard_at=hour)


# ── marks ───────────────────────────────────────────────────────────────────────────────────────────────────


def mark(case_file: CaseFile, by: int, name: str, because: str, reason: str, now: float) -> None:
    """Fold the case away under a mark, with a reason. That it is untrue, two people must say.

    What a second person marks as junk goes after `JUNK_DAYS`. `NotAllowed` when it has this mark already.
    """
    if name in (case_file.summary.marks or ()):
        if name != JUNK or case_file.summary.junk_at is not None or _who_marked(case_file, JUNK) in {by, 0}:
            raise NotAllowed(N_("It is marked so already."))
        case_file.summary = replace(case_file.summary, junk_at=int(now) // HOUR)
        _remember(case_file, by, now, "marked", mark=name, because=because, reason=reason)
        return
    if because == UNTRUE and name == NOT_A_REPORT:
        first = case_file.work_record.get("doubt", {})
        if not first or first["by"] == by:
            case_file.work_record |= {"doubt": {"by": by, "hour": int(now) // HOUR, "reason": reason}}
            _remember(case_file, by, now, "doubted", reason=reason)
            return
    case_file.summary = replace(case_file.summary, marks=(*(case_file.summary.marks or ()), name))
    _remember(case_file, by, now, "marked", mark=name, because=because, reason=reason)


def _who_marked(case_file: CaseFile, name: str) -> int:
    """The member who set a mark that stands; 0 where the history does not say."""
    history = case_file.work_record.get("history", ())
    since = max((at for at, entry in enumerate(history) if _says(entry, "unmarked", name)), default=-1)
    return next((int(entry["by"]) for entry in history[since + 1 :] if _says(entry, "marked", name)), 0)


def _says(entry: Mapping[str, Any], act: str, name: str) -> bool:
    return entry["act"] == act and entry.get("mark") == name


def to_unmark(marks: Collection[str], work_record: Mapping[str, Any]) -> tuple[str, ...]:
    """What can be taken back: each mark that stands, and the doubt of one person."""
    return (*marks, *([NOT_A_REPORT] if work_record.get("doubt") and NOT_A_REPORT not in marks else ()))


def unmark(case_file: CaseFile, by: int, name: str, reason: str, now: float) -> None:
    """Take a mark, or the doubt of one person, from the case, with a reason. `NotAllowed` when it has none."""
    marks, work_record = case_file.summary.marks or (), case_file.work_record
    if name not in to_unmark(marks, work_record):
        raise NotAllowed(N_("It is not marked so."))
    junk_at = None if name == JUNK else case_file.summary.junk_at
    left = tuple(standing for standing in marks if standing != name)
    case_file.summary = replace(case_file.summary, marks=left, junk_at=junk_at)
    case_file.work_record = {
        field: kept for field, kept in work_record.items() if field != "doubt" or name != NOT_A_REPORT
    }
    _remember(case_file, by, now, "unmarked", mark=name, reason=reason)


# ── beside and beyond ───────────────────────────────────────────────────────────────────────────────────────


def link(case_file: CaseFile, by: int, other: str, now: float) -> None:
    """Two cases of one person: each names the other, by its lasting name, which leads nowhere once that one is gone.

    `NotAllowed` when the other is this case itself.
    """
    if other == lasting_name(case_file.key):
        raise NotAllowed(N_("That is this case itself."))
    links = case_file.work_record.get("links", [])
    if other not in links:
        case_file.work_record |= {"links": [*links, other]}
        _remember(case_file, by, now, "linked")


def ask_hand_over(case_file: CaseFile, by: int, team: int, reason: str, now: float) -> None:
    """Ask her whether another team may have it. It goes nowhere before she says yes."""
    case_file.work_record |= {"handover": {"team": team, "state": "asked", "reason": reason}}
    _remember(case_file, by, now, "asked to hand over", team=team)


def answer_hand_over(case_file: CaseFile, *, yes: bool) -> int:
    """Her answer. Returns the number of the team it goes to, or 0. `NotAllowed` when nobody asks any more."""
    question = case_file.work_record.get("handover", {})
    if question.get("state") != "asked":
        raise NotAllowed(N_("Nobody asks this any more."))
    case_file.work_record |= {"handover": question | {"state": "yes" if yes else "no"}}
    return int(question["team"]) if yes else 0


def asked_hand_over(work_record: Mapping[str, Any]) -> int:
    """The team that a case would go to if she said yes now; 0 when nobody asks."""
    question = work_record.get("handover", {})
    return int(question["team"]) if question.get("state") == "asked" else 0


# ── what she allows and adds ────────────────────────────────────────────────────────────────────────────────
NO_WAY = N_(
    "She left no way to reach her, so there is nothing to allow yet. She writes one on her page, with her code: "
    "«Tell them how to reach me»; or you write it down: «She told me how to reach her»."
)
HERSELF = "C_HERSELF"  # told by somebody else: now she herself has said yes
CHANGEABLE = ("C_LETTERS", "C_CONTACT", "C_STATS", SHOW_PLAN, HERSELF)


def allow(case_file: CaseFile, code: str, *, yes: bool) -> None:
    """One of her consents, given or taken back. Without the yes to be reached, the way to reach her is shredded.

    `NotAllowed` for a consent that cannot be changed later, or to be reached when she has told no way.
    """
    if code not in CHANGEABLE:
        raise NotAllowed(N_("This cannot be changed here."))
    if code == "C_CONTACT" and yes and not case_file.all_of("contact"):
        raise NotAllowed(NO_WAY)
    told_by_herself = is_by_herself(case_file.incident.about, case_file.facts["answers"].get("about"))
    if code == SHOW_PLAN and yes and not told_by_herself:
        raise NotAllowed(N_("Somebody else told this and has the code: the plan is not shown on that page."))
    case_file.consents = case_file.consents | {code} if yes else case_file.consents - {code}
    if code == "C_CONTACT" and not yes:
        case_file.remove_all("contact")


def allow_by(case_file: CaseFile, by: int, code: str, now: float, *, yes: bool) -> None:
    """The same, and who changed it: `by` 0 is the reporter. `NotAllowed` as `allow` says."""
    allow(case_file, code, yes=yes)
    _remember(case_file, by, now, "allowed" if yes else "denied", consent=code)


def reach(case_file: CaseFile, contact: Mapping[str, str]) -> None:
    """A new way to reach her; it replaces the one before."""
    case_file.remove_all("contact")
    case_file.add("contact", contact)
    case_file.consents = consents_with(contact, case_file.consents)


def reach_by(case_file: CaseFile, by: int, contact: Mapping[str, str], now: float) -> None:
    """A new way to reach her, as she said it to a member: the same as her own, with who wrote it down."""
    herself = speaks_for_herself(case_file.incident, case_file.consents)
    whose = {} if herself else {questions.WHOSE: questions.WHO_TELLS}
    reach(case_file, {**contact, **whose, questions.BY_VOICE: str(by)})
    _remember(case_file, by, now, "way written")


def add_words(case_file: CaseFile, text: str, now: float) -> None:
    """What she tells later. What she told before stays; the same words sent twice are kept once."""
    added = case_file.all_of("addition")
    if not added or added[-1].content["text"] != text:
        case_file.add("addition", {"by": 0, "hour": int(now) // HOUR, "text": text})


def speaks_for_herself(incident: Incident, consents: frozenset[str]) -> bool:
    """Told by herself, or told by another and she has said yes since. Else no contact and no referral."""
    return incident.about != "OTHER" or HERSELF in consents
