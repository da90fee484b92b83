"""The same questions in the order in which they are read aloud, when somebody tells by telephone or at the door.

Consents first, danger next, then what, when and where; what changes no need and no must-not stands last, to be opened
if she wants to tell more. What is counted only is asked only where she agreed to be counted. Pure, like `answers`, and
made of the same questions; a case worker marks what she hears, so most lists are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from reporting.i18n import N_
from reporting.vocabulary.answers import doubts, incident_of, is_asked
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.person import OTHER, worded
from reporting.vocabulary.questions import BY_NAME, NO_ANSWER, ONE, YES_NO, Answers, Part, Question, always

YES, CONTACT_BACK = "yes", "W_CONTACT_BACK"
# what is asked aloud, yes or no, and never chosen beforehand -> the consent that a yes gives; contact is a want
CONSENTS: Final = {"allows_letters": "C_LETTERS", "allows_contact": "", "allows_figures": "C_STATS"}
LIST = N_("Do not read the list. Mark what she tells.")
ASK_HER = N_("Never guess it from her voice or her name.")
Matters = Callable[[Incident], bool]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A question as it is said to her; `note` is for the case worker alone. `folded`: if she wants to tell more."""

    question: Question
    says: str
    note: str = ""
    is_read: bool = False  # the options too
    of_another: str = ""  # as it is said of another person, where the message has no words of its own for that
    folded: bool = False
    counted: bool = False  # it changes figures alone
    matters: Matters = always

    def aloud(self, about: str | None) -> str:
        """What is said where it is about this person, as a message id."""
        return self.of_another if about == OTHER and self.of_another else worded(self.says, about)


@dataclass(frozen=True, slots=True)
class SpokenPage:
    """A page of the intake."""

    title: str
    spoken: tuple[Spoken, ...]


def _said(name: str, says: str = "", note: str = LIST, **more: Any) -> Spoken:
    question = BY_NAME[name]
    return Spoken(question, says or question.legend, note, **more)


def _consent(name: str, says: str, short: str) -> Spoken:
    question = Question(name, says, (Part(name, ONE, YES_NO),), short=short)
    return Spoken(question, says, is_read=False)


# Order: consents, danger, what and where, when, her body and herself, what she wants.
SPOKEN: Final[tuple[SpokenPage, ...]] = (
    SpokenPage(
        N_("Before she tells"),
        (
            _consent(
                "allows_letters",
                N_("May we leave letters for you here? You read them with a code that I give you at the end."),
                N_("Letters"),
            ),
            _consent(
                "allows_contact",
                N_("May we call you or write to your telephone?"),
                N_("Call or message"),
            ),
            _consent(
                "allows_figures",
                N_("May your answers be added to the figures of the year, together with others? Never your words."),
                N_("Figures"),
            ),
            _said("about", N_("Do you tell me of yourself, or of somebody else?"), ""),
        ),
    ),
    SpokenPage(
        N_("Right now"),
        (
            _said(
                "danger",
                N_(
                    "Are you hurt, or do you feel bad now? Much blood, trouble breathing, a blow to the head, hands"
                    " around your neck, something they gave you, fainting? Have you thought of ending your life?"
                ),
                N_("Mark what she says. As soon as a sign is marked, help stands above the next page: tell her first."),
                of_another=N_(
                    "Is this person hurt, or unwell now? Much blood, trouble breathing, a blow to the head, hands"
                    " around the neck, something given, fainting? Does this person speak of ending life?"
                ),
            ),
            _said(
                "safety",
                N_("Are you safe where you are? Is that person near, or can they come back? Are there children?"),
                of_another=N_(
                    "Is this person safe now? Is whoever did it near, or can they come back? Are there children?"
                ),
            ),
            _said("region", of_another=N_("Which region is this person in?")),
        ),
    ),
    SpokenPage(
        N_("What happened"),
        (
            _said(
                "violence",
                N_("Tell me what happened, as much as you want. No names. It is not your fault."),
                of_another=N_("Tell me what happened to this person, as much as you know. No names."),
            ),
            _said(
                "injuries",
                N_("Did they leave you hurt? Where?"),
                of_another=N_("Did they leave this person hurt? Where?"),
            ),
            _said("perpetrator", N_("Who was it? No name is needed.")),
            _said("department", note=""),
            _said("province", note=""),
        ),
    ),
    SpokenPage(
        N_("When"),
        (
            _said("when", note=N_("How many hours or days, if she knows; else what fits.")),
            _said("victim_state", note=""),
            _said("since", note=N_("How many hours or days, if she knows; else what fits.")),
            _said("hurt_too", note=""),
            _said("extortion_act", note=""),
            _said("ongoing", N_("Is it still going on, or does it happen again and again?"), ""),
            _said("age", note=""),
        ),
    ),
    SpokenPage(
        N_("About you"),
        (
            _said("touched", note=N_("If no, pass over the next two.")),
            _said("condom", note=""),
            _said("pregnant_possible", note=""),
            _said(
                "refused",
                N_("Did a place refuse you or treat you badly? Which one?"),
                of_another=N_("Did a place refuse this person or treat her or him badly? Which one?"),
            ),
            _said(
                "identity",
                N_("How do you describe yourself: woman, trans woman, man, otherwise?"),
                ASK_HER,
                of_another=N_("How does this person describe herself or himself?"),
            ),
            _said(
                "docs",
                N_("Do you have papers with you? Nobody needs them to get help."),
                "",
                of_another=N_("Does this person have papers? Nobody needs them to get help."),
            ),
        ),
    ),
    SpokenPage(
        N_("What you want"),
        (
            _said("wants", N_("What would help you now?"), of_another=N_("What would help this person now?")),
            _said("police_safe", note=""),
            _said("migrant", note="", matters=lambda i: i.docs == "NONE"),
            _said("reach", note=""),
            _said("lang", folded=True),
            _said(
                "narrative",
                N_("Is there anything else that you want me to write down?"),
                N_("Her words, no names, number plates or addresses. Read them back to her."),
                folded=True,
            ),
            _said("venue", folded=True, counted=True),
            _said("reported", folded=True, counted=True),
            _said("reason", folded=True, counted=True),
        ),
    ),
)
LAST: Final = len(SPOKEN) - 1
IN_DANGER: Final = 1  # the page that asks what cannot wait
PARTS: Final[Mapping[str, Part]] = {
    part.name: part for page in SPOKEN for spoken in page.spoken for part in spoken.question.parts
}


# ── which page comes next ───────────────────────────────────────────────────────────────────────────────────


def spoken_on(page: int, answers: Answers) -> tuple[Spoken, ...]:
    """The questions of a page that can matter after what was answered so far."""
    incident, counts = incident_of(plain(answers)), answers.get("allows_figures") == YES
    return tuple(
        spoken
        for spoken in SPOKEN[page].spoken
        if is_asked(spoken.question, incident) and spoken.matters(incident) and (counts or not spoken.counted)
    )


def route(answers: Answers) -> tuple[int, ...]:
    """The pages on which something can matter, in their order."""
    return tuple(page for page in range(len(SPOKEN)) if spoken_on(page, answers))


def page_after(page: int, answers: Answers) -> int | None:
    """The page that follows; None after the last."""
    return next((later for later in route(answers) if later > page), None)


def page_before(page: int, answers: Answers) -> int:
    """The page that comes before; the first leads to itself."""
    return next((earlier for earlier in reversed(route(answers)) if earlier < page), page)


def step_of(page: int, answers: Answers) -> int:
    """Which page it is; of how many is not known before the last answer."""
    return sum(other <= page for other in route(answers))


def merged(page: int, answers: Answers, fresh: Answers) -> dict[str, Any]:
    """All answers after a page was answered: what it asked is replaced."""
    kept = {name: value for name, value in answers.items() if name not in _names(page, answers)} | dict(fresh)
    if answers.get("region") != kept.get("region"):
        kept = {name: value for name, value in kept.items() if name not in {"province", "department"}}
    return kept


def that_matter(answers: Answers) -> dict[str, Any]:
    """The answers without those to questions that no longer matter."""
    names = {name for page in route(answers) for name in _names(page, answers)}
    return {name: value for name, value in answers.items() if name in names}


def _names(page: int, answers: Answers) -> set[str]:
    return {part.name for spoken in spoken_on(page, answers) for part in spoken.question.parts}


def page_of(name: str, answers: Answers) -> int:
    """The page that asks for this part, or this question, now; the first where none does."""
    for page in route(answers):
        for spoken in spoken_on(page, answers):
            if name in {spoken.question.name, spoken.question.parts[0].name}:
                return page
    return 0


# ── what they mean ──────────────────────────────────────────────────────────────────────────────────────────


def plain(answers: Answers) -> dict[str, Any]:
    """The answers as her own pages would hold them: a consent that was not given aloud is none."""
    kept = {name: value for name, value in answers.items() if name not in CONSENTS}
    kept["consents"] = [code for name, code in CONSENTS.items() if code and answers.get(name) == YES]
    wants = [want for want in answers.get("wants", ()) if want != CONTACT_BACK]
    kept["wants"] = [*wants, *([CONTACT_BACK] if answers.get("allows_contact") == YES else [])]
    return kept


def so_far(answers: Answers, page: int) -> Incident:
    """The incident for the help above a page: what is only asked there or later is not yet read the careful way."""
    incident = incident_of(plain(answers))
    waiting = (
        spoken.question
        for later in route(answers)
        if later >= page
        for spoken in spoken_on(later, answers)
        if spoken.question.meanwhile
    )
    unsaid: dict[str, Any] = {
        question.parts[0].name: question.meanwhile
        for question in waiting
        if answers.get(question.parts[0].name) in NO_ANSWER
    }
    return replace(incident, **unsaid)


def pages_in_doubt(answers: Answers) -> tuple[int, ...]:
    """For each doubt about the answers, in order, the page on which it is set right."""
    return tuple(page_of(doubt.question, answers) for doubt in doubts(incident_of(plain(answers))))
