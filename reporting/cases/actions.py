"""What is done with an open case: note, label, assign, correct, close, mark, link, consent, hand over.

Who may do it and what it needs is decided here, in words that a page can say. Nothing is deleted by any of it
but a way to reach her, which goes with her consent. Knows nothing of the web, of services or of sealing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reporting.cases.case_file import NOT_A_REPORT, CaseFile, lasting_name
from reporting.cases.records import CLOSED, FROM_HER, JUNK, OPEN, THREAT, Case, consents_with
from reporting.clock import HOUR
from reporting.i18n import N_
from reporting.vocabulary.incident import Incident, answers_from_incident

# how a case can end; the codes are those that figures count
OUTCOMES = {
    "REACHED": N_("A service reached her"),
    "NOT_REACHED": N_("No service reached her"),
    "REFUSED": N_("A service refused her"),
    "RECORD_ONLY": N_("She wanted it recorded, and it is"),
}
LABELS = 8  # at most, of so many signs each
LABEL_LENGTH = 24
# mark -> its name; each can be taken back, with a reason
MARKS = {
    NOT_A_REPORT: N_("Not a report"),
    THREAT: N_("A threat against the team"),
    JUNK: N_("Junk"),
}
UNTRUE = "UNTRUE"
# why something is not a report; what is called untrue needs a second pair of eyes
NOT_A_REPORT_BECAUSE = {
    "TEST": N_("Somebody tried the page"),
    "TWICE": N_("The same was sent twice"),
    "OTHER_MATTER": N_("It is about something else"),
    UNTRUE: N_("It did not happen as it is told"),
}


class NotAllowed(Exception):
    """As things stand it cannot be done. `sentence` is a message id that says why and what to do."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def _remember(case_file: CaseFile, by: int, now: float, act: str, **more: Any) -> None:
    """One line of the history that the team sees."""
    entry = {"by": by, "hour": int(now) // HOUR, "act": act, **more}
    case_file.desk |= {"history": [*case_file.desk.get("history", ()), entry]}


# ── everyday ────────────────────────────────────────────────────────────────────────────────────────────────


def note(case_file: CaseFile, by: int, text: str, now: float) -> None:
    """For the team only. She never sees it."""
    case_file.add("note", {"by": by, "hour": int(now) // HOUR, "text": text})


def assign(case_file: CaseFile, by: int, owner: int, now: float) -> None:
    """Whose case it is; 0 gives it back to everybody."""
    case_file.card |= {"o": owner}
    _remember(case_file, by, now, "assigned", to=owner)


def label(case_file: CaseFile, labels: Iterable[str]) -> None:
    """The team's own words for finding it again."""
    tidy = dict.fromkeys(" ".join(one.split())[:LABEL_LENGTH] for one in labels)
    case_file.card |= {"b": [one for one in tidy if one][:LABELS]}


def add_label(case_file: CaseFile, one: str) -> None:
    """One label more."""
    label(case_file, [*case_file.card.get("b", ()), one])


def warn_of(case_file: CaseFile, risk: str) -> None:
    """What a colleague must know before calling or meeting the reporter."""
    case_file.desk |= {"risk": risk}


def correct(case_file: CaseFile, by: int, incident: Incident, reason: str, now: float, *, signs: bool = False) -> None:
    """The answers, as they are at `now`, set right. What was told before stays beside it; the newest count.

    What was not told anew keeps the hour in which it was told: a time that was left as it was, the acts where none came
    to them, and how she is right now unless that was asked (`signs`). Else no window would ever close.
    """
    hour, card, before = int(now) // HOUR, case_file.card, case_file.incident
    another_time = incident.hours != case_file.incident_at(now).hours
    another_act = not incident.violence <= before.violence
    same_time = replace(incident, hours=before.hours, told_twice=before.told_twice)
    answers = answers_from_incident(incident if another_time else same_time)
    case_file.add("correction", {"by": by, "hour": hour, "answers": answers, "reason": reason})
    card |= {
        "a": answers,
        "v": hour if another_act else card.get("v", card["h"]),
        "p": hour if signs else card.get("p", card["t"]),
        "t": hour if another_time else card["t"],
    }


def record_gaps(case_file: CaseFile, needs: Iterable[str]) -> None:
    """The needs that no service of the directory meets where she is, the most urgent first."""
    case_file.desk |= {"gaps": list(needs)}


# ── ending and beginning again ──────────────────────────────────────────────────────────────────────────────


def close(case_file: CaseFile, by: int, outcome: str, reason: str, now: float) -> None:
    """Close the case: nothing more is to be done. It needs a reason.

    `NotAllowed` when it is closed already, or while a referral is on its way.
    """
    if case_file.card["s"] == CLOSED:
        raise NotAllowed(N_("It is closed already."))
    if any(paper.told["state"] in {"sent", "accepted"} for paper in case_file.all_of("referral")):
        raise NotAllowed(N_("A referral is on its way. Write first how it ended."))
    case_file.card |= {"s": CLOSED, "z": int(now) // HOUR}
    case_file.desk |= {"outcome": outcome}
    _remember(case_file, by, now, "closed", outcome=outcome, reason=reason)


def reopen(case_file: CaseFile, by: int, reason: str, now: float) -> None:
    """Open a closed case again, with a reason. `NotAllowed` when it is open."""
    if case_file.card["s"] != CLOSED:
        raise NotAllowed(N_("It is open already."))
    case_file.card |= {"s": OPEN, "z": 0}
    case_file.desk = {name: told for name, told in case_file.desk.items() if name != "outcome"}
    _remember(case_file, by, now, "reopened", reason=reason)


# ── marks ───────────────────────────────────────────────────────────────────────────────────────────────────


def mark(case_file: CaseFile, by: int, name: str, because: str, reason: str, now: float) -> None:
    """Fold the case away under a mark, with a reason. That it is untrue, two people must say.

    `NotAllowed` when it has this mark already.
    """
    if name in case_file.card.get("m", ()):
        raise NotAllowed(N_("It is marked so already."))
    if because == UNTRUE and name == NOT_A_REPORT:
        first = case_file.desk.get("doubt", {})
        if not first or first["by"] == by:
            case_file.desk |= {"doubt": {"by": by, "hour": int(now) // HOUR, "reason": reason}}
            _remember(case_file, by, now, "doubted", reason=reason)
            return
    case_file.card |= {"m": [*case_file.card.get("m", ()), name]}
    _remember(case_file, by, now, "marked", mark=name, because=because, reason=reason)


def unmark(case_file: CaseFile, by: int, name: str, reason: str, now: float) -> None:
    """Take a mark, or the doubt of one person, from the case, with a reason. `NotAllowed` when it has none."""
    if name not in case_file.card.get("m", ()) and not (name == NOT_A_REPORT and case_file.desk.get("doubt")):
        raise NotAllowed(N_("It is not marked so."))
    case_file.card |= {"m": [one for one in case_file.card.get("m", ()) if one != name]}
    case_file.desk = {field: told for field, told in case_file.desk.items() if field != "doubt" or name != NOT_A_REPORT}
    _remember(case_file, by, now, "unmarked", mark=name, reason=reason)


# ── beside and beyond ───────────────────────────────────────────────────────────────────────────────────────


def link(case_file: CaseFile, by: int, other: str, now: float) -> None:
    """Two cases of one person: each names the other, by its lasting name, which leads nowhere once that one is gone.

    `NotAllowed` when the other is this case itself.
    """
    if other == lasting_name(case_file.key):
        raise NotAllowed(N_("That is this case itself."))
    links = case_file.desk.get("links", [])
    if other not in links:
        case_file.desk |= {"links": [*links, other]}
        _remember(case_file, by, now, "linked")


def ask_hand_over(case_file: CaseFile, by: int, team: int, reason: str, now: float) -> None:
    """Ask her whether another team may have it. It goes nowhere before she says yes."""
    case_file.desk |= {"handover": {"team": team, "state": "asked", "reason": reason}}
    _remember(case_file, by, now, "asked to hand over", team=team)


def answer_hand_over(case_file: CaseFile, *, yes: bool) -> int:
    """Her answer. Returns the number of the team it goes to, or 0. `NotAllowed` when nobody asks any more."""
    asked = case_file.desk.get("handover", {})
    if asked.get("state") != "asked":
        raise NotAllowed(N_("Nobody asks this any more."))
    case_file.desk |= {"handover": asked | {"state": "yes" if yes else "no"}}
    return int(asked["team"]) if yes else 0


def asked_hand_over(desk: Mapping[str, Any]) -> int:
    """The team that a case would go to if she said yes now; 0 when nobody asks."""
    asked = desk.get("handover", {})
    return int(asked["team"]) if asked.get("state") == "asked" else 0


# ── what she allows and adds ────────────────────────────────────────────────────────────────────────────────
HERSELF = "C_HERSELF"  # told by somebody else: now she herself has said yes
CHANGEABLE = ("C_LETTERS", "C_CONTACT", "C_STATS", HERSELF)


def allow(case_file: CaseFile, code: str, *, yes: bool) -> None:
    """One of her consents, given or taken back. Without the yes to be reached, the way to reach her is shredded.

    `NotAllowed` for a consent that cannot be changed later, or to be reached when she has told no way.
    """
    if code not in CHANGEABLE or (code == "C_CONTACT" and yes and not case_file.all_of("contact")):
        raise NotAllowed(N_("This cannot be changed here."))
    case_file.consents = case_file.consents | {code} if yes else case_file.consents - {code}
    if code == "C_CONTACT" and not yes:
        case_file.shred("contact")


def reach(case_file: CaseFile, contact: Mapping[str, str]) -> None:
    """A new way to reach her; it replaces the one before."""
    case_file.shred("contact")
    case_file.add("contact", contact)
    case_file.consents = consents_with(contact, case_file.consents)


def add_words(case_file: CaseFile, text: str, now: float) -> None:
    """What she tells later. What she told before stays."""
    case_file.add("addition", {"by": 0, "hour": int(now) // HOUR, "text": text})


def speaks_for_herself(incident: Incident, consents: frozenset[str]) -> bool:
    """Told by herself, or told by another and she has said yes since. Else no contact and no referral."""
    return incident.about != "OTHER" or HERSELF in consents


# ── what happened, in order ─────────────────────────────────────────────────────────────────────────────────
LETTER_FROM_HER, LETTER_TO_HER, NOTE = "from-her", "to-her", "internal"


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a case's timeline. `kind` decides how it looks: a letter is never to be taken for a note."""

    hour: int
    kind: str
    by: int
    text: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def timeline(case: Case) -> list[Happening]:
    """Letters, notes, additions, corrections, moves and acts, the newest last."""
    happenings = [
        Happening(one.hour, LETTER_FROM_HER if one.sender == FROM_HER else LETTER_TO_HER, 0, one.text)
        for one in case.letters
    ]
    happenings += [Happening(one.hour, NOTE, one.by, one.text) for one in case.notes]
    happenings += [Happening(one.hour, "added", 0, one.text) for one in case.additions]
    happenings += [Happening(one.hour, "corrected", one.by, one.reason) for one in case.corrections]
    happenings += [
        Happening(step["hour"], "moved", step["by"], step.get("note", ""), {"referral": one, "move": step["move"]})
        for one in case.referrals
        for step in one.moves
    ]
    happenings += [
        Happening(entry["hour"], entry["act"], entry["by"], entry.get("reason", ""), entry)
        for entry in case.desk.get("history", ())
    ]
    return sorted(happenings, key=lambda one: one.hour)
