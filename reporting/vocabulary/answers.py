"""What the answers of the pages mean: which page comes next, the incident behind them, and what does not fit together.

Pure: answers are a dictionary of what was chosen and typed, named as the parts of the questions are. Knows no form, no
page as it looks, and not who reads it. A question that was on her screen and passed over is left to the rules, which
read silence the careful way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from reporting.i18n import N_
from reporting.vocabulary.codes import MAY_BE_NOT_ASKED, NOT_ASKED, VOCABULARY
from reporting.vocabulary.incident import Hours, Incident
from reporting.vocabulary.lengths import ALL_PAGES, SHORT, beside_sending, not_asked, order_of
from reporting.vocabulary.person import OTHER, speaking
from reporting.vocabulary.places import REGIONS
from reporting.vocabulary.questions import (
    CONTACT_NAMES,
    FLAG_QUESTIONS,
    HAS_DEPARTMENTS,
    NO_ANSWER,
    UNIT_LABELS,
    UNITS,
    WHEN,
    WHO_TELLS,
    WHOSE,
    WITHOUT_CODES,
    WORDS,
    Answers,
    Question,
)
from reporting.vocabulary.relevance import is_hers, may_be_pregnant, may_have_touched, of_a_companion

Say = Callable[..., str]
CHOSEN_BEFORE: Final = frozenset({"about", "length"})  # with the button before the first question


# ── which page comes next ───────────────────────────────────────────────────────────────────────────────────


def questions_of(page: int, answers: Answers) -> tuple[Question, ...]:
    """The questions of a page that can matter after what was answered so far."""
    return _asked(page, answers, incident_of(answers))


def _asked(page: int, answers: Answers, incident: Incident) -> tuple[Question, ...]:
    questions = ALL_PAGES[page].questions
    return tuple(question for question in questions if is_asked(question, incident) and not question.known(answers))


def is_asked(question: Question, incident: Incident) -> bool:
    """Whether a question can matter.

    The regions are those of the first home; elsewhere she picks a department, where the tree of places has any.
    """
    has_departments = HAS_DEPARTMENTS.get()
    if has_departments is not None and question.name in {"region", "place", "department"}:
        return question.name == "department" and has_departments()
    return question.matters(incident)


def route(answers: Answers) -> tuple[int, ...]:
    """The pages on which something can matter, in the order in which they come."""
    incident = incident_of(answers)
    return tuple(page for page in order_of(answers) if _asked(page, answers, incident))


def page_after(page: int, answers: Answers) -> int | None:
    """The page that follows; None after the last."""
    return next((later for later in route(answers) if _place(later, answers) > _place(page, answers)), None)


def page_before(page: int, answers: Answers) -> int:
    """The page that comes before; the first leads to itself."""
    here = _place(page, answers)
    return next((earlier for earlier in reversed(route(answers)) if _place(earlier, answers) < here), page)


def last_page(answers: Answers) -> int:
    """The page after which everything is checked."""
    return route(answers)[-1]


def step_of(page: int, answers: Answers) -> int:
    """Which page it is for her. Of how many is promised nowhere: an answer can bring a page that nobody counted on."""
    return sum(_place(other, answers) <= _place(page, answers) for other in route(answers))


def _place(page: int, answers: Answers) -> int:
    """Where a page stands in the length that she tells in. Raises `ValueError` where it is none of it."""
    return order_of(answers).index(page)


def pages_to_set_right(answers: Answers) -> tuple[int, ...]:
    """The pages whose answers can be set right: all that matter and hold codes."""
    return tuple(page for page in route(answers) if page != WITHOUT_CODES)


def merged(page: int, answers: Answers, fresh: Answers) -> dict[str, Any]:
    """All answers after a page was answered: what it asked is replaced, and what cannot matter any more goes."""
    names = {part.name for question in questions_of(page, answers) for part in question.parts}
    kept = {name: value for name, value in answers.items() if name not in names} | dict(fresh)
    if any(answers.get(name) != kept.get(name) for name in ("region", "place")):
        kept = {name: value for name, value in kept.items() if name not in {"province", "department"}}
    return kept


def that_matter(answers: Answers) -> dict[str, Any]:
    """The answers without those to questions that no longer matter."""
    names = {part.name for page in route(answers) for q in questions_of(page, answers) for part in q.parts}
    names |= {*CHOSEN_BEFORE, *beside_sending(answers)}
    return {name: value for name, value in answers.items() if name in names}


def has_words(answers: Answers) -> bool:
    """Whether anything among the answers was typed, not chosen."""
    typed = {
        part.name for page in ALL_PAGES for question in page.questions for part in question.parts if part.kind in WORDS
    }
    return any(answers.get(name) for name in typed)


# ── what they mean ──────────────────────────────────────────────────────────────────────────────────────────
# parts of questions that hold one code -> the same field of the incident
CHOSEN = (
    "about",
    "age",
    "region",
    "venue",
    "department",
    "province",
    "extortion_act",
    "contact",
    "victim_state",
    "hurt_too",
    "condom",
    "pregnant_possible",
    "identity",
    "docs",
    "police_safe",
    "reported",
    "lang",
)
LISTED = {
    "violence": "violence",
    "perpetrator": "perpetrator",
    "wants": "wants",
    "reason": "reason",
    "refused": "refused_by",
}


DEPARTMENT_CODE = len("PE25")  # of a place; what is longer is a province


def incident_of(answers: Answers) -> Incident:
    """The incident behind the answers of the pages."""
    facts: dict[str, Any] = {name: answers.get(name) for name in CHOSEN} | not_asked(answers)
    facts |= {field: frozenset(answers.get(name, ())) for name, field in LISTED.items()}
    facts |= _place_of(answers.get("place"))
    facts["department"] = facts["department"] or REGIONS.get(facts["region"] or "")
    if (place := facts["department"]) and len(place) > DEPARTMENT_CODE:  # she picked a province from the list
        facts |= {"department": place[:DEPARTMENT_CODE], "province": place}
    hours, told_twice = _hours(answers)
    return Incident(
        **facts,
        flags=frozenset(code for question in FLAG_QUESTIONS for code in answers.get(question, ())),
        hours=hours,
        told_twice=told_twice,
        ongoing=_yes(answers.get("ongoing")),
        migrant=_yes(answers.get("migrant")),
    )


def _place_of(place: str | None) -> dict[str, str]:
    """The region behind where she says that she is; department and province too where she named a city."""
    if place is None or place in VOCABULARY["region"]:
        return {} if place is None else {"region": place}
    department = place[:DEPARTMENT_CODE]
    region = next((region for region, code in REGIONS.items() if code == department), "OTHER")
    return {"region": region, "department": department, "province": place}


def so_far(answers: Answers, page: int) -> Incident:
    """The incident for the help above a page: what is only asked there or later is not yet read the careful way.

    Somebody whose companion was killed is not told to search for her one page before she can say so.
    """
    incident = incident_of(answers)
    coming = (later for later in route(answers) if _place(later, answers) >= _place(page, answers))
    waiting = (question for later in coming for question in _asked(later, answers, incident) if question.meanwhile)
    unsaid: dict[str, Any] = {
        q.parts[0].name: q.meanwhile for q in waiting if answers.get(q.parts[0].name) in NO_ANSWER
    }
    return replace(incident, **unsaid)


def may_be_in_danger(answers: Answers) -> bool:
    """Whether she was asked if she is in danger now and did not say no. No sign is made of it."""
    return answers.get("length") == SHORT and answers.get("in_danger") != "no"


def says_danger_and_no_sign(answers: Answers) -> bool:
    """Whether she said that she is hurt or in danger now, and marked nothing of it yet."""
    return answers.get("in_danger") == "yes" and not any(answers.get(name) for name in FLAG_QUESTIONS)


def _yes(answer: str | None) -> bool | None:
    return None if answer is None else answer == "yes"


def _hours(answers: Answers) -> tuple[Hours | None, tuple[Hours, Hours] | None]:
    """A number with its unit goes before a range, because it is finer. Where they contradict, the range over both."""
    ticked, typed = _ticked(answers), _typed(answers)
    if ticked is None or typed is None:
        return typed or ticked, None
    if typed[0] <= ticked[1] and ticked[0] <= typed[1]:
        return typed, None
    return (min(ticked[0], typed[0]), max(ticked[1], typed[1])), (ticked, typed)


def _ticked(answers: Answers) -> Hours | None:
    return WHEN[answers["when"]][0] if answers.get("when") else None


def _typed(answers: Answers) -> Hours | None:
    number = answers.get("number")
    if number is None:
        return None
    size, doubt = UNITS[answers.get("unit") or "hours"]
    return max(0.0, number * size - doubt), number * size + doubt


def answers_of(incident: Incident) -> dict[str, Any]:
    """What the pages would hold for an incident, so that it can be set right. The time is left open: it moved on."""
    held: dict[str, Any] = {name: getattr(incident, name) for name in CHOSEN}
    held |= {name: sorted(getattr(incident, field)) for name, field in LISTED.items()}
    for name, beginning in FLAG_QUESTIONS.items():
        held[name] = sorted(flag for flag in incident.flags if flag.startswith(beginning))
    if incident.region in {None, "OTHER"} and (incident.province or "").startswith(incident.department or "-"):
        held["department"] = incident.province
    for name in ("ongoing", "migrant"):
        held[name] = {None: None, True: "yes", False: "no"}[getattr(incident, name)]
    return {name: value for name, value in held.items() if value not in (*NO_ANSWER, NOT_ASKED)}


def corrected(page: int, incident: Incident, fresh: Answers) -> Incident:
    """The incident after one page of questions was answered anew. No new time leaves the time as it is.

    What was never asked stays written as that until it is answered: a question that stands beside the one that is
    answered here was not put to her, and "not asked" is read with more care than silence.
    """
    changed = incident_of(merged(page, answers_of(incident), fresh))
    silent = {name for name in MAY_BE_NOT_ASKED if fresh.get(name) in NO_ANSWER}
    still: dict[str, Any] = {name: NOT_ASKED for name in silent if getattr(incident, name) == NOT_ASKED}
    if changed.hours is None:
        return replace(changed, hours=incident.hours, told_twice=incident.told_twice, **still)
    return replace(changed, **still)


def consents_in(answers: Answers) -> frozenset[str]:
    """What she allows; a question about letters that was not answered is a no."""
    letters = {"C_LETTERS"} if answers.get("may_write") == "yes" else frozenset[str]()
    return frozenset(answers.get("consents", ())) | letters


def contact_of(answers: Answers) -> dict[str, str]:
    """What she told about reaching her, if she asked to be reached.

    Told for another person it is the way to whoever tells, and says so: the other one is never called with it.
    """
    ways = (answers.get(name) for name in CONTACT_NAMES if name != "channel")
    if "W_CONTACT_BACK" not in answers.get("wants", ()) or not any(ways):
        return {}
    whose = {WHOSE: WHO_TELLS} if answers.get("about") == OTHER else {}
    return {name: answers[name] for name in CONTACT_NAMES if answers.get(name)} | whose


def without_words(answers: Answers) -> dict[str, Any]:
    """What help hangs on: the answers without her words and without how to reach her."""
    return {name: value for name, value in answers.items() if name not in {"narrative", *CONTACT_NAMES}}


# ── what does not fit together ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two answers of which only one can be right, where it matters for what she is offered.

    `question` is where it is set right. The rules read the careful one; she is asked, and may send it as it is.
    """

    question: str
    holds: Callable[[Incident], bool]
    sentence: str


# acts that leave a trace on a body, for which time counts
BODILY: Final = (
    "RAPE",
    "STEALTHING",
    "SEXUAL_ASSAULT",
    "SEXUAL_EXTORTION",
    "FORCED_SEX_WORK",
    "PHYSICAL_ASSAULT",
    "ATTEMPTED_KILLING",
)
DOUBTS: Final = (
    Doubt(
        "when",
        lambda i: i.told_twice is not None,
        N_("You gave two times: «%(ticked)s» and «%(typed)s». Which one is right? Until you say so, both count."),
    ),
    Doubt(
        "hurt_too",
        lambda i: of_a_companion(i) and not is_hers(i) and not i.violence.isdisjoint(BODILY),
        N_(
            "You told us of a companion, and you also marked «%(act)s». Did that happen to you? If it did, mark «Yes»"
            " at «Did they hurt you too?»: only then do we show you the medicines that help in the first days."
        ),
    ),
    Doubt(
        "condom",
        lambda i: may_have_touched(i) and "STEALTHING" in i.violence and i.condom == "yes",
        N_(
            "You told us that the condom was taken off or broken, and that there was a condom the whole time. Which one"
            " is right? Until you say so, we look after you as if it had been off."
        ),
    ),
    Doubt(
        "pregnant_possible",
        lambda i: may_be_pregnant(i) and "D_PREG_DANGER" in i.flags and i.pregnant_possible == "no",
        N_("You marked that you are pregnant, and that there could be no pregnancy. Which one is right?"),
    ),
    Doubt(
        "ongoing",
        lambda i: i.violence >= {"ARBITRARY_DETENTION"} and "S_LOCKED" in i.flags and i.ongoing is False,
        N_(
            "You told us that you were detained and cannot leave the place where you are, and also that it is over."
            " Which one is right? If they still hold you, somebody has to know now."
        ),
    ),
    Doubt(
        "police_safe",
        lambda i: "W_REPORT_POLICE" in i.wants and i.police_safe == "no",
        N_(
            "You want to report it to the police, and it is not safe for you if they are involved. Which one is right?"
            " If you leave it so, we show you places of the police too."
        ),
    ),
)


def doubts(incident: Incident) -> tuple[Doubt, ...]:
    """What does not fit together in an incident."""
    return tuple(doubt for doubt in DOUBTS if doubt.holds(incident))


def doubts_in_words(answers: Answers, say: Say) -> Iterator[tuple[str, int]]:
    """(one sentence that asks her, the page on which she can set it right) for each."""
    incident = incident_of(answers)
    speaks = speaking(say, incident.about)
    act = next((speaks(VOCABULARY["violence"][code]) for code in BODILY if code in incident.violence), "")
    for doubt in doubts(incident):
        yield speaks(doubt.sentence, act=act, **_two_times(answers, say)), _page_of(doubt.question, answers)


def _two_times(answers: Answers, say: Say) -> dict[str, str]:
    ticked = WHEN.get(answers.get("when") or "", (None, ""))[1]
    unit = say(UNIT_LABELS[answers.get("unit") or "hours"])
    return {"ticked": say(ticked), "typed": f"{answers.get('number')} {unit}"}


def _page_of(name: str, answers: Answers) -> int:
    """The page that asks for this part now; the time is asked on one of two."""
    named = (
        page
        for page in route(answers)
        for question in questions_of(page, answers)
        if name in {question.name, question.parts[0].name}
    )
    return next(named, 0)
