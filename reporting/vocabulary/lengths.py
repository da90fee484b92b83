"""The three lengths of a telling: only a message; what matters most, which is the default; every theme.

What changes what she is offered, or how safe she is, is asked before sending. What is left out stands in one table,
with how the silence is read: never less careful than any answer. It can be told afterwards, and is no condition for
anything. Pure; knows no form and no page as it looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from reporting.i18n import N_
from reporting.vocabulary.codes import MAY_BE_NOT_ASKED, NOT_ASKED, VOCABULARY
from reporting.vocabulary.places import WHERE
from reporting.vocabulary.questions import (
    BY_NAME,
    MANY,
    ONE,
    ORDER,
    PAGES,
    YES_NO,
    Answers,
    Group,
    Page,
    Part,
    Question,
)
from reporting.vocabulary.relevance import may_go_on

MESSAGE, SHORT, LONG = "message", "short", "long"


def _ticks(name: str, *codes: str) -> Part:
    return Part(name, MANY, name, codes=codes)


def _in_groups(name: str, legend: str, groups: tuple[Group, ...], *, hint: str, short: str) -> Question:
    """A question whose choices stand in groups; a part that stands in several is one input all the same."""
    codes: dict[str, tuple[str, ...]] = {}
    for part in (part for group in groups for part in group.parts):
        codes[part.name] = (*codes.get(part.name, ()), *part.codes)
    parts = tuple(_ticks(part, *held) for part, held in codes.items())
    return Question(name, legend, parts, hint, short, groups=groups)


# Signs as they are now stand behind one question; what was done, or may be over, stands beside the acts.
_SIGNS_NOW: Final = (
    _ticks("safety", "S_PERP_NEAR", "S_LOCKED", "S_NO_SAFE_PLACE", "S_CHILDREN"),
    _ticks(
        "danger",
        *("D_BLEEDING", "D_BREATHING", "D_HEAD_SIGNS", "D_STAB_GUN", "D_FRACTURE", "D_BURN", "D_SEVERE_PAIN"),
        "D_PREG_DANGER",
    ),
    _ticks("injuries", "I_WOUND", "I_HEAD_BLOW", "I_BRUISES"),
)
_IN_DANGER: Final = Question(
    "in_danger",
    N_("Are you hurt or in danger now?"),
    (Part("in_danger", ONE, YES_NO), *_SIGNS_NOW),
    N_("If you say yes, mark what is true. We show you help before we ask more."),
    N_("Hurt or in danger now"),
    groups=(Group("", _SIGNS_NOW),),
)
_ACTS: Final = _in_groups(
    "acts",
    N_("What happened?"),
    (
        Group(
            N_("Sex without permission"),
            (
                _ticks("violence", "RAPE", "STEALTHING", "SEXUAL_ASSAULT", "SEXUAL_EXTORTION"),
                _ticks("danger", "D_DRUGGED"),
                _ticks("injuries", "I_GENITAL"),
            ),
        ),
        Group(
            N_("Blows, a weapon, danger of death"),
            (
                _ticks("violence", "PHYSICAL_ASSAULT", "ATTEMPTED_KILLING"),
                _ticks("safety", "S_WEAPON"),
                _ticks("danger", "D_STRANGLED", "D_UNCONSCIOUS"),
                _ticks("injuries", "I_BITE"),
            ),
        ),
        Group(
            N_("Locked in, detained or forced to work"),
            (_ticks("violence", "CONFINEMENT", "ARBITRARY_DETENTION", "FORCED_SEX_WORK", "FORCED_MARRIAGE"),),
        ),
        Group(
            N_("Money: quotas, robbery, no pay"),
            (_ticks("violence", "EXTORTION", "ROBBERY", "NONPAYMENT", "ECONOMIC_ABUSE", "CONDOM_CONFISCATION"),),
        ),
        Group(
            N_("Threats, insults, bad treatment"),
            (
                _ticks("violence", "THREATS", "STALKING", "OUTING", "PSYCH_ABUSE", "HATE_VIOLENCE"),
                _ticks("violence", "SERVICE_DENIAL", "FORCED_HEALTH_EXAM"),
                _ticks("safety", "S_DEATH_THREAT", "S_KNOWS_HOME"),
            ),
        ),
        Group("", (_ticks("violence", "KILLING_DISAPPEARANCE"), _ticks("danger", "D_SUICIDE"))),
    ),
    hint=N_("Open what fits and mark all that is true. It is not your fault."),
    short=N_("What happened"),
)
_MAY_WRITE: Final = Question(
    "may_write",
    N_("May the team write to you here?"),
    (Part("may_write", ONE, YES_NO),),
    N_("You read it with your code. Without a yes, nobody writes to you."),
    N_("Letters"),
)


# Where she is, as people say it: a city says region and province at once.
_WHERE: Final = Question(
    "place",
    N_("Where are you?"),
    (Part("place", ONE, WHERE | {code: VOCABULARY["region"][code] for code in ("OTHER", "PREFER_NOT")}),),
    N_("Only the region and the province are kept."),
    N_("Where"),
)


def _only(name: str, *parts: str) -> Question:
    """A question of the long form with these of its parts alone."""
    question = BY_NAME[name]
    return replace(question, parts=tuple(part for part in question.parts if part.name in parts))


def _names_a_city(answers: Answers) -> bool:
    return answers.get("place") in WHERE.keys() - VOCABULARY["region"].keys()


def _page(title: str, *questions: str | Question) -> Page:
    return Page(title, tuple(BY_NAME[each] if isinstance(each, str) else each for each in questions))


# It is asked after it is known what happened; every theme asks it before.
_ONGOING: Final = replace(BY_NAME["ongoing"], matters=may_go_on)
# Who came to leave a message has said that she wants to.
_MESSAGE: Final = replace(BY_NAME["narrative"], legend=N_("What do you want to tell the team?"))
_DEPARTMENT, _PROVINCE = (replace(BY_NAME[name], known=_names_a_city) for name in ("department", "province"))
# What is asked in the short form and in a message, and what can be told afterwards. A page keeps its number for ever.
_MORE_PAGES: Final = (
    _page(N_("How you are and what happened"), _IN_DANGER, _ACTS, "age", "identity"),
    _page(N_("When, where and who"), _only("when", "when"), _WHERE, "perpetrator", "condom"),
    _page(N_("A little more about it"), "extortion_act", "touched"),
    _page(N_("About you"), _DEPARTMENT, _PROVINCE, "refused"),
    _page(N_("How it goes on"), _ONGOING, "pregnant_possible", "wants", "narrative"),
    _page(N_("Your message"), _MESSAGE, _WHERE, _MAY_WRITE),
    _page(N_("A little more about you"), "venue", "docs", "migrant", "police_safe"),
    _page(N_("What you did afterwards"), "reported", "reason", "lang"),
    _page(N_("How to reach you"), "reach"),
    _page(N_("What the deadlines hang on"), "when", "age", "condom", "pregnant_possible"),
)
ALL_PAGES: Final = (*PAGES, *_MORE_PAGES)
ORDERS: Final = {MESSAGE: (14,), SHORT: (9, 7, 11, 10, 12, 13, 17), LONG: ORDER}  # length -> its pages, in order
BESIDE_SENDING: Final = {MESSAGE: (), SHORT: ("consents",), LONG: ()}  # length -> what the check page asks
TOLD_AFTERWARDS: Final = (15, 16)
# Of no length: what a case worker hears first when she speaks with her, to be set right on the page of the case itself.
# No sign of danger is among it: who is asked how she is now, is asked all of them.
SET_RIGHT_AT_ONCE: Final = 18


def order_of(answers: Answers) -> tuple[int, ...]:
    """The pages of the length in which these answers are told; those of every theme where it has none."""
    return ORDERS[length_of(answers)]


def beside_sending(answers: Answers) -> tuple[str, ...]:
    """The questions that stand beside the button that sends, and on no page."""
    return BESIDE_SENDING[length_of(answers)]


def length_of(answers: Answers) -> str:
    """The length in which these answers are told; that of every theme where they say none."""
    length: str = answers.get("length") or LONG
    return length


def page_afterwards(page: int) -> int | None:
    """The page that follows one of those that can be told afterwards; None after the last, and after any other."""
    return dict(pairwise(TOLD_AFTERWARDS)).get(page)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An answer that the short form does not ask for.

    `feeds`: the needs and must-nots that can hang on it. `reads`: the code that is written for it; where it is empty,
    the rules read silence (rules.toml). `why` this is never less careful than an answer.
    """

    field: str
    feeds: tuple[str, ...]
    reads: str
    why: str


_COUNTED: Final = "Figures alone hang on it."
LEFT_OUT: Final = (
    LeftOut(
        "docs",
        ("MN_REQUIRE_ID", "MN_MIGRATION_AUTH", "N_DOCS"),
        NOT_ASKED,
        "Must-nots read it as no papers. Help with papers is asked for among what she wants.",
    ),
    LeftOut("migrant", ("MN_MIGRATION_AUTH",), "", "Silence is read as: perhaps from another country."),
    LeftOut("police_safe", ("MN_POLICE", "MN_CEM_COMISARIA"), "", "Silence is read as: not sure, so not shown."),
    LeftOut("hours", (), "", "A range is read at its most urgent hour, and a promise only where all of it is past."),
    LeftOut("lang", (), "", "Nothing is hidden for a language; the page's own counts."),
    LeftOut("venue", (), "", _COUNTED),
    LeftOut("reported", (), "", _COUNTED),
    LeftOut("reason", (), "", _COUNTED),
)
# length -> what is written for what it does not ask; who leaves a message alone is asked neither age nor identity
WRITTEN: Final = {
    MESSAGE: tuple(MAY_BE_NOT_ASKED),
    SHORT: tuple(row.field for row in LEFT_OUT if row.reads),
    LONG: (),
}


def not_asked(answers: Answers) -> dict[str, str]:
    """What is written for answers that this length does not ask for and that must-nots hang on."""
    return {name: NOT_ASKED for name in WRITTEN[length_of(answers)] if not answers.get(name)}
