"""What is done with an open case: note, label, assign, correct, close, mark, link, consent, hand over.

Who may do it and what it needs is decided here, in words that a page can say. Nothing is deleted by any of it
but a way to reach her, which goes with her consent. Knows nothing of the web, of services or of sealing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reporting.cases.case_file import NOT_A_REPORT, CaseFile, lasting_name
from reporting.cases.records import CLOSED, FROM_HER, JUNK, OPEN, THREAT, Case
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


def _remember(folder: CaseFile, by: int, now: float, act: str, **more: Any) -> None:
    """One line of the history that the team sees."""
    entry = {"by": by, "hour": int(now) // HOUR, "act": act, **more}
    folder.desk |= {"history": [*folder.desk.get("history", ()), entry]}


# ── everyday ────────────────────────────────────────────────────────────────────────────────────────────────


def note(folder: CaseFile, by: int, text: str, now: float) -> None:
    """For the team only. She never sees it."""
    folder.add("note", {"by": by, "hour": int(now) // HOUR, "text": text})


def assign(folder: CaseFile, by: int, owner: int, now: float) -> None:
    """Whose case it is; 0 gives it back to everybody."""
    folder.card |= {"o": owner}
    _remember(folder, by, now, "assigned", to=owner)


def label(folder: CaseFile, labels: Iterable[str]) -> None:
    """The team's own words for finding it again."""
    tidy = dict.fromkeys(" ".join(one.split())[:LABEL_LENGTH] for one in labels)
    folder.card |= {"b": [one for one in tidy if one][:LABELS]}


def add_label(folder: CaseFile, one: str) -> None:
    """One label more."""
    label(folder, [*folder.card.get("b", ()), one])


def warn_of(folder: CaseFile, risk: str) -> None:
    """What a colleague must know before calling or meeting the reporter."""
    folder.desk |= {"risk": risk}


def correct(folder: CaseFile, by: int, incident: Incident, reason: str, now: float, *, signs: bool = False) -> None:
    """The answers, as they are at `now`, set right. What was told before stays beside it; the newest count.

    What was not told anew keeps the hour in which it was told: a time that was left as it was, the acts where none came
    to them, and how she is right now unless that was asked (`signs`). Else no window would ever close.
    """
    hour, card, before = int(now) // HOUR, folder.card, folder.incident
    another_time = incident.hours != folder.incident_at(now).hours
    another_act = not incident.violence <= before.violence
    same_time = replace(incident, hours=before.hours, told_twice=before.told_twice)
    answers = answers_from_incident(incident if another_time else same_time)
    folder.add("correction", {"by": by, "hour": hour, "answers": answers, "reason": reason})
    card |= {
        "a": answers,
        "v": hour if another_act else card.get("v", card["h"]),
        "p": hour if signs else card.get("p", card["t"]),
        "t": hour if another_time else card["t"],
    }


def record_gaps(folder: CaseFile, needs: Iterable[str]) -> None:
    """The needs that no service of the directory meets where she is, the most urgent first."""
    folder.desk |= {"gaps": list(needs)}


# ── ending and beginning again ──────────────────────────────────────────────────────────────────────────────


def close(folder: CaseFile, by: int, outcome: str, reason: str, now: float) -> None:
    """Close the case: nothing more is to be done. It needs a reason.

    `NotAllowed` when it is closed already, or while a referral is on its way.
    """
    if folder.card["s"] == CLOSED:
        raise NotAllowed(N_("It is closed already."))
    if any(paper.told["state"] in {"sent", "accepted"} for paper in folder.all_of("referral")):
        raise NotAllowed(N_("A referral is on its way. Write first how it ended."))
    folder.card |= {"s": CLOSED, "z": int(now) // HOUR}
    folder.desk |= {"outcome": outcome}
    _remember(folder, by, now, "closed", outcome=outcome, reason=reason)


def reopen(folder: CaseFile, by: int, reason: str, now: float) -> None:
    """Open a closed case again, with a reason. `NotAllowed` when it is open."""
    if folder.card["s"] != CLOSED:
        raise NotAllowed(N_("It is open already."))
    folder.card |= {"s": OPEN, "z": 0}
    folder.desk = {name: told for name, told in folder.desk.items() if name != "outcome"}
    _remember(folder, by, now, "reopened", reason=reason)


# ── marks ───────────────────────────────────────────────────────────────────────────────────────────────────


def mark(folder: CaseFile, by: int, name: str, because: str, reason: str, now: float) -> None:
    """Fold the case away under a mark, with a reason. That it is untrue, two people must say.

    `NotAllowed` when it has this mark already.
    """
    if name in folder.card.get("m", ()):
        raise NotAllowed(N_("It is marked so already."))
    if because == UNTRUE and name == NOT_A_REPORT:
        first = folder.desk.get("doubt", {})
        if not first or first["by"] == by:
            folder.desk |= {"doubt": {"by": by, "hour": int(now) // HOUR, "reason": reason}}
            _remember(folder, by, now, "doubted", reason=reason)
            return
    folder.card |= {"m": [*folder.card.get("m", ()), name]}
    _remember(folder, by, now, "marked", mark=name, because=because, reason=reason)


def unmark(folder: CaseFile, by: int, name: str, reason: str, now: float) -> None:
    """Take a mark, or the doubt of one person, from the case, with a reason. `NotAllowed` when it has none."""
    if name not in folder.card.get("m", ()) and not (name == NOT_A_REPORT and folder.desk.get("doubt")):
        raise NotAllowed(N_("It is not marked so."))
    folder.card |= {"m": [one for one in folder.card.get("m", ()) if one != name]}
    folder.desk = {field: told for field, told in folder.desk.items() if field != "doubt" or name != NOT_A_REPORT}
    _remember(folder, by, now, "unmarked", mark=name, reason=reason)


# ── beside and beyond ───────────────────────────────────────────────────────────────────────────────────────


def link(folder: CaseFile, by: int, other: str, now: float) -> None:
    """Two cases of one person: each names the other, by its lasting name, which leads nowhere once that one is gone.

    `NotAllowed` when the other is this case itself.
    """
    if other == lasting_name(folder.key):
        raise NotAllowed(N_("That is this case itself."))
    links = folder.desk.get("links", [])
    if other not in links:
        folder.desk |= {"links": [*links, other]}
        _remember(folder, by, now, "linked")


def ask_hand_over(folder: CaseFile, by: int, team: int, reason: str, now: float) -> None:
    """Ask her whether another team may have it. It goes nowhere before she says yes."""
    folder.desk |= {"handover": {"team": team, "state": "asked", "reason": reason}}
    _remember(folder, by, now, "asked to hand over", team=team)


def answer_hand_over(folder: CaseFile, *, yes: bool) -> int:
    """Her answer. Returns the number of the team it goes to, or 0. `NotAllowed` when nobody asks any more."""
    asked = folder.desk.get("handover", {})
    if asked.get("state") != "asked":
        raise NotAllowed(N_("Nobody asks this any more."))
    folder.desk |= {"handover": asked | {"state": "yes" if yes else "no"}}
    return int(asked["team"]) if yes else 0


def asked_hand_over(desk: Mapping[str, Any]) -> int:
    """The team that a case would go to if she said yes now; 0 when nobody asks."""
    asked = desk.get("handover", {})
    return int(asked["team"]) if asked.get("state") == "asked" else 0


# ── what she allows and adds ────────────────────────────────────────────────────────────────────────────────
HERSELF = "C_HERSELF"  # told by somebody else: now she herself has said yes
CHANGEABLE = ("C_LETTERS", "C_CONTACT", "C_STATS", HERSELF)


def allow(folder: CaseFile, code: str, *, yes: bool) -> None:
    """One of her consents, given or taken back. Without the yes to be reached, the way to reach her is shredded.

    `NotAllowed` for a consent that cannot be changed later, or to be reached when she has told no way.
    """
    if code not in CHANGEABLE or (code == "C_CONTACT" and yes and not folder.all_of("contact")):
        raise NotAllowed(N_("This cannot be changed here."))
    folder.consents = folder.consents | {code} if yes else folder.consents - {code}
    if code == "C_CONTACT" and not yes:
        folder.shred("contact")


def reach(folder: CaseFile, contact: Mapping[str, str]) -> None:
    """A new way to reach her; it replaces the one before."""
    folder.shred("contact")
    folder.add("contact", contact)
    folder.consents |= {"C_CONTACT"}


def add_words(folder: CaseFile, text: str, now: float) -> None:
    """What she tells later. What she told before stays."""
    folder.add("addition", {"by": 0, "hour": int(now) // HOUR, "text": text})


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
