"""What is asked: the pages as data, and which question can matter after what was told so far.

What cannot matter is not asked; everything can be passed over. Knows no form, nor how an answer is kept, nor a reader.
Danger and help come first; four fieldsets a page at most; time in ranges, because memory hurts. Which act makes which
question matter follows the second edition of the rules (referrals/data/rules.toml).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from reporting.i18n import N_
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.relevance import (
    REFUSING,
    may_be_pregnant,
    may_have_touched,
    of_a_companion,
    was_assaulted,
    was_demanded,
)

ONE, MANY, LIST, NUMBER, LINE, TEXT = "one", "many", "list", "number", "line", "text"
WORDS = {NUMBER, LINE, TEXT}  # kinds of input that are typed
PASSED_OVER = "-"  # the value of "I would rather not say" where the vocabulary has no code for it; means: no answer
LONGEST_TEXT = 8000  # signs
LARGEST_NUMBER = 5000  # hours or days
Answers = Mapping[str, Any]
Choices = Mapping[str, str]  # code -> label, in screen order
Elsewhere = Mapping[str, Callable[[], Choices]]  # which choices -> who brings them, asked only where they are shown
YES_NO = {"yes": N_("Yes"), "no": N_("No")}
PASS_LABEL = N_("I would rather not say")
UNKNOWN_LABEL = N_("I do not remember")
_REST_TOO = N_("If it is another person, answer the rest about that person.")
# How long ago: code -> (from, to) in hours, and the words. The limits are those of the medical windows.
WHEN: dict[str, tuple[tuple[float, float] | None, str]] = {
    "H2": ((0, 2), N_("Now, or less than 2 hours ago")),
    "H24": ((2, 24), N_("Today or last night: less than 1 day ago")),
    "H72": ((24, 72), N_("1 to 3 days ago")),
    "H96": ((72, 96), N_("3 to 4 days ago")),
    "H120": ((96, 120), N_("4 to 5 days ago")),
    "H168": ((120, 168), N_("5 to 7 days ago")),
    "H336": ((168, 336), N_("1 to 2 weeks ago")),
    "H720": ((336, 720), N_("2 to 4 weeks ago")),
    "LONG": ((720, 87600), N_("More than a month ago")),
    "UNKNOWN": (None, UNKNOWN_LABEL),
}
# unit -> hours in one, hours of doubt either way ("three days" may be two and a half)
UNITS = {"hours": (1, 0.0), "days": (24, 12.0)}
UNIT_LABELS = {"hours": N_("hours"), "days": N_("days")}
CHANNELS = {
    "CALL": N_("Phone call"),
    "WHATSAPP": "WhatsApp",
    "SMS": N_("Text message"),
    "OTHER": N_("Another way"),
}
CONSENTS = {
    "C_LETTERS": N_("The team may write to me here. I read it with my code"),
    "C_STATS": N_("My answers may be added to the figures of the year, together with others. Never my words"),
}
CONTACT_NAMES = {
    "channel": N_("How"),
    "number_to_call": N_("Number or name there"),
    "safe_hours": N_("At what hours is it safe?"),
    "if_other": N_("If somebody else answers, what should we say?"),
    "code_word": N_("A word by which you know it is us"),
}
WHOSE, WHO_TELLS = "whose", "who tells"  # beside a way to be reached: it is not of the person whom the report is about
BY_VOICE = "voice"  # beside it: the member who wrote it down as it was said


@dataclass(frozen=True, slots=True)
class Part:
    """One input of a question. `choices` names a table below or is one; of many choices, `codes` stand here alone."""

    name: str
    kind: str
    choices: str | Choices = ""
    label: str = ""
    longest: int = 200
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Choices that belong together and unfold under a title; without one they stand open."""

    title: str
    parts: tuple[Part, ...]


def always(_incident: Incident) -> bool:
    """A question that hangs on no answer."""
    return True


@dataclass(frozen=True, slots=True)
class Question:
    """A fieldset: what is asked, a hint, its inputs, and when it can matter and is not told yet.

    `meanwhile` is what help reads before the question was on her screen; once it was, silence is the careful answer.
    """

    name: str
    legend: str
    parts: tuple[Part, ...]
    hint: str = ""
    short: str = ""
    matters: Callable[[Incident], bool] = always
    meanwhile: str = ""
    groups: tuple[Group, ...] = ()
    known: Callable[[Answers], bool] = lambda _answers: False  # whether another answer has said it already


@dataclass(frozen=True, slots=True)
class Page:
    """A page of at most four fieldsets."""

    title: str
    questions: tuple[Question, ...]


def _one(field: str) -> tuple[Part, ...]:
    return (Part(field, ONE, field),)


def _many(field: str) -> tuple[Part, ...]:
    return (Part(field, MANY, field),)


_HOW_LONG_AGO = (
    Part("when", ONE, "when"),
    Part("number", NUMBER, label=N_("Or write how many, if you know")),
    Part("unit", ONE, UNIT_LABELS, N_("Of what?")),
)
PAGES: tuple[Page, ...] = (
    Page(
        N_("Right now"),
        (
            Question("about", N_("Who is this about?"), _one("about"), _REST_TOO, N_("About")),
            Question(
                "safety",
                N_("Is any of this true right now?"),
                _many("safety"),
                N_("Mark all that are true. If none is, go on."),
                N_("Safety now"),
            ),
            Question(
                "danger",
                N_("Does your body have any of these signs?"),
                _many("danger"),
                N_("If you mark one, we show you help before we ask more."),
                N_("Danger signs"),
            ),
            Question(
                "age", N_("How old are you?"), _one("age"), N_("We ask because some help depends on it."), N_("Age")
            ),
        ),
    ),
    Page(
        N_("When and where"),
        (
            Question(
                "when",
                N_("When was the last time?"),
                _HOW_LONG_AGO,
                N_("Some medicines only work in the first days."),
                N_("When"),
                lambda i: not of_a_companion(i),
            ),
            Question(
                "ongoing",
                N_("Is it still going on, or does it happen again and again?"),
                (Part("ongoing", ONE, YES_NO),),
                short=N_("Still going on"),
            ),
            Question(
                "region",
                N_("Which region are you in?"),
                _one("region"),
                N_("Only the region and the province are kept."),
                N_("Region"),
            ),
            Question("venue", N_("In what kind of place did it happen?"), _one("venue"), short=N_("Kind of place")),
        ),
    ),
    Page(
        N_("About what happened"),
        (
            Question(
                "department",
                N_("Which department?"),
                (Part("department", LIST, "department"),),
                short=N_("Department"),
                matters=lambda i: i.region == "OTHER",
            ),
            Question(
                "province",
                N_("Which province?"),
                (Part("province", ONE, "province"),),
                N_("So that we show what is nearest."),
                N_("Province"),
                lambda i: i.region not in {None, "OTHER", "PREFER_NOT"},
            ),
            Question(
                "violence",
                N_("What happened?"),
                _many("violence"),
                N_("Mark all that are true. It is not your fault."),
                N_("What happened"),
            ),
            Question(
                "injuries",
                N_("Are you hurt?"),
                _many("injuries"),
                N_("Mark all that are true. If none is, go on."),
                N_("Injuries"),
            ),
        ),
    ),
    Page(
        N_("Who, and your health"),
        (
            Question(
                "perpetrator",
                N_("Who did it?"),
                _many("perpetrator"),
                N_("Mark all. No names are needed."),
                N_("Who did it"),
            ),
            Question(
                "refused",
                N_("Did one of these places refuse you or treat you badly?"),
                (Part("refused", MANY, "refused"),),
                N_("We will not send you there."),
                N_("Refused by"),
                lambda i: bool(i.violence & REFUSING or "PROVIDER" in i.perpetrator),
            ),
            Question(
                "condom",
                N_("Was there a condom the whole time?"),
                _one("condom"),
                N_("We ask because of HIV and other infections."),
                N_("Condom"),
                may_have_touched,
            ),
            Question(
                "pregnant_possible",
                N_("Could there be a pregnancy?"),
                _one("pregnant_possible"),
                N_("We ask everybody the same. Answer what is true for your body."),
                N_("Pregnancy"),
                may_be_pregnant,
            ),
        ),
    ),
    Page(
        N_("About you"),
        (
            Question("identity", N_("How do you describe yourself?"), _one("identity"), short=N_("Identity")),
            Question(
                "docs",
                N_("What papers do you have?"),
                _one("docs"),
                N_("Nobody needs papers to get help."),
                N_("Papers"),
            ),
            Question(
                "migrant",
                N_("Do you come from another country?"),
                (Part("migrant", ONE, YES_NO),),
                N_("We do not tell any authority."),
                N_("From another country"),
            ),
            Question(
                "police_safe",
                N_("Is it safe for you if the police are involved?"),
                _one("police_safe"),
                N_("If not, we do not show you places run by the police."),
                N_("Safe with police"),
            ),
        ),
    ),
    Page(
        N_("What you want"),
        (
            Question("wants", N_("What would you like?"), _many("wants"), N_("Mark all you want."), N_("You want")),
            Question("reported", N_("Have you told any authority?"), _one("reported"), short=N_("Told an authority")),
            Question(
                "reason",
                N_("If you told nobody: why not?"),
                _many("reason"),
                short=N_("Why not"),
                hint=N_("Every reason is a good reason."),
            ),
            Question("lang", N_("In which language do you want to be helped?"), _one("lang"), short=N_("Language")),
        ),
    ),
    Page(
        N_("Contact, permissions and your words"),
        (
            Question(
                "reach",
                N_("How can the team reach you safely?"),
                tuple(
                    Part(name, ONE if name == "channel" else LINE, CHANNELS if name == "channel" else "", label)
                    for name, label in CONTACT_NAMES.items()
                ),
                N_("Only if you want."),
                N_("Contact"),
                lambda i: "W_CONTACT_BACK" in i.wants,
            ),
            Question(
                "consents",
                N_("What do you allow?"),
                (Part("consents", MANY, CONSENTS),),
                N_("What you do not mark is a no."),
                N_("Permissions"),
            ),
            Question(
                "narrative",
                N_("Do you want to tell it in your own words?"),
                (Part("narrative", TEXT, longest=LONGEST_TEXT),),
                N_("You do not have to. Leave out names, number plates and addresses."),
                N_("Your words"),
            ),
        ),
    ),
    Page(
        N_("Your companion"),
        (
            Question(
                "victim_state",
                N_("Do you know what happened to your companion?"),
                _one("victim_state"),
                N_("You do not have to tell more than you want."),
                N_("Companion"),
                of_a_companion,
                "killed",
            ),
            Question(
                "since",
                N_("When was it, or since when has nobody seen her?"),
                _HOW_LONG_AGO,
                N_("If they hurt you too, say when that was: some medicines only work in the first days."),
                N_("When"),
                of_a_companion,
            ),
            Question(
                "hurt_too",
                N_("Did they hurt you too?"),
                _one("hurt_too"),
                N_("If they did, we ask about your health as well."),
                N_("You were hurt too"),
                of_a_companion,
            ),
        ),
    ),
    Page(
        N_("A little more about it"),
        (
            Question(
                "extortion_act",
                N_("They asked for sex: did it happen?"),
                _one("extortion_act"),
                N_("Whatever you did to be safe, it is not your fault."),
                N_("What they asked for happened"),
                was_demanded,
                "no",
            ),
            Question(
                "touched",
                N_("Did their genitals touch you, or was there semen or blood in your mouth, vulva, anus or a wound?"),
                _one("contact"),
                N_("We ask because of HIV and other infections."),
                N_("Touched by genitals, semen or blood"),
                was_assaulted,
                "no",
            ),
        ),
    ),
)
# Whether there are departments to pick from, where this is not the first home (None: regions). Set for each request.
HAS_DEPARTMENTS: ContextVar[Callable[[], bool] | None] = ContextVar("has_departments", default=None)
BY_NAME = {question.name: question for page in PAGES for question in page.questions}
# These pages as they are asked (the shorter ways: lengths.py). A page keeps its number for ever: drafts hold it.
ORDER = (0, 1, 2, 7, 8, 3, 4, 5, 6)
WITHOUT_CODES = 6  # the page that holds no answer in codes: her words, and what she allows
# question name -> (first letters of its codes in the flags)
FLAG_QUESTIONS = {"safety": "S_", "danger": "D_", "injuries": "I_"}
NO_ANSWER: tuple[object, ...] = (None, "", [])  # nought hours ago is one
HAS_A_PASS = {"PREFER_NOT", "UNKNOWN", "unknown", "unsure"}  # these codes are an answer of their own
