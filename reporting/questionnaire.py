"""The questions as forms, and answers in words: what stands on a page, on the check page, on the page of a case.

What is asked lies in questions.py, what it means in answers.py; pages that need both find their names here. Knows
neither how an answer is kept nor who reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import g
from jinja2.utils import LRUCache
from markupsafe import Markup
from wtforms import (
    Field,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from reporting.answers import HOME_DEPARTMENTS as HOME_DEPARTMENTS
from reporting.answers import answers_of as answers_of
from reporting.answers import contact_of as contact_of
from reporting.answers import corrected as corrected
from reporting.answers import doubts, doubts_in_words, pages_to_set_right
from reporting.answers import has_words as has_words
from reporting.answers import incident_of as incident_of
from reporting.answers import merged as merged
from reporting.answers import page_after as page_after
from reporting.answers import page_before as page_before
from reporting.answers import questions_of as questions_of
from reporting.answers import route as route
from reporting.answers import so_far as so_far
from reporting.answers import step_of as step_of
from reporting.answers import that_matter as that_matter
from reporting.countries import FIRST_HOME
from reporting.frontdoor import OpenForm, house, say, template
from reporting.incidents import N_, VOCABULARY, Incident
from reporting.questions import CHANNELS as CHANNELS
from reporting.questions import CONSENTS as CONSENTS
from reporting.questions import CONTACT_NAMES as CONTACT_NAMES
from reporting.questions import (
    FLAG_QUESTIONS,
    HAS_A_PASS,
    LARGEST_NUMBER,
    LINE,
    LIST,
    MANY,
    NO_ANSWER,
    NUMBER,
    ONE,
    ORDER,
    PASS_LABEL,
    TEXT,
    UNIT_LABELS,
    WHEN,
    WITHOUT_CODES,
    YES_NO,
    Answers,
    Choices,
    Part,
    Question,
)
from reporting.questions import LONGEST_TEXT as LONGEST_TEXT
from reporting.questions import PAGES as PAGES
from reporting.questions import PASSED_OVER as PASSED_OVER
from reporting.questions import Elsewhere as Elsewhere

LAST = ORDER[-1]  # the page after which everything is checked
TO_SET_RIGHT = frozenset(ORDER) - {WITHOUT_CODES}


def choices_of(part: Part, elsewhere: Elsewhere) -> Choices:
    """The codes and labels of a part; `elsewhere` brings those of other rooms (places, services)."""
    if not isinstance(part.choices, str):
        return _with_pass(part, part.choices)
    if part.choices in FLAG_QUESTIONS:
        beginning = FLAG_QUESTIONS[part.choices]
        return {code: label for code, label in VOCABULARY["flags"].items() if code.startswith(beginning)}
    if part.choices == "when":
        return {code: label for code, (_, label) in WHEN.items()}
    brought = elsewhere.get(part.choices)
    return _with_pass(part, (brought and brought()) or VOCABULARY.get(part.choices, {}))


def _with_pass(part: Part, choices: Choices) -> Choices:
    needs_one = part.kind in {ONE, LIST} and part.name != "unit" and not HAS_A_PASS & set(choices)
    return {**choices, PASSED_OVER: PASS_LABEL} if needs_one else choices


# ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────


def _is_first_home() -> bool:
    """Whether the regions of the vocabulary are those of this installation."""
    return house().settings.country == FIRST_HOME


def _departments() -> Choices:
    """The departments of this country, which another wing knows."""
    brought: Choices = house().wings["departments"]()
    return brought


def regions() -> Choices:
    """What she can pick to say where she is, outside of a report; nothing where this country has no tree of places."""
    if _is_first_home():
        return VOCABULARY["region"]
    return {**known, "PREFER_NOT": VOCABULARY["region"]["PREFER_NOT"]} if (known := _departments()) else {}


def department_in(picked: str | None) -> str | None:
    """The department behind what she picked, if it names one."""
    if _is_first_home():
        return HOME_DEPARTMENTS.get(picked or "")
    return picked if picked in _departments() else None


def form_of(page: int, answers: Answers, elsewhere: Elsewhere, typed: Any = None) -> OpenForm:
    """The Flask-WTF form of a page, filled with what was typed or, if nothing was, with the answers so far."""
    parts = [part for question in questions_of(page, answers) for part in question.parts]
    form_class = _form_class(g.lang, page, tuple(part.name for part in parts))
    form: OpenForm = form_class(formdata=typed, data={part.name: answers.get(part.name) for part in parts})
    for part in parts:
        if isinstance(part.choices, str) and part.choices in elsewhere:
            form[part.name].choices = _options(part, choices_of(part, elsewhere))
    return form


@lru_cache(maxsize=256)  # the same questions in the same language make the same form
def _form_class(_language: str, page: int, names: tuple[str, ...]) -> type[OpenForm]:
    parts = (part for question in PAGES[page].questions for part in question.parts if part.name in names)
    return type("PageForm", (OpenForm,), {part.name: _field(part) for part in parts})


def _field(part: Part) -> Field:
    label, options = say(part.label), _options(part, choices_of(part, {}))
    if part.kind == ONE:
        return RadioField(label, choices=options, validators=[Optional()], validate_choice=True)
    if part.kind == LIST:
        return SelectField(label, choices=options, validators=[Optional()])
    if part.kind == MANY:
        return SelectMultipleField(label, choices=options)
    if part.kind == NUMBER:
        return _Number(label, wrong=say(N_("Write only a number, for example 5, or leave it empty.")))
    too_long = say(N_("This text is too long: %(longest)s signs at most."), longest=part.longest)
    kind = TextAreaField if part.kind == TEXT else StringField
    return kind(label, validators=[Length(max=part.longest, message=too_long)])


def _options(part: Part, choices: Choices) -> list[SelectChoice]:
    options = [SelectChoice(code, say(label)) for code, label in choices.items()]
    return [SelectChoice("", say(N_("Choose from the list."))), *options] if part.kind == LIST else options


def asked(page: int, form: OpenForm) -> tuple[Question, ...]:
    """The questions of a page that a form of it holds: what was typed on it changes none of them under her hands."""
    return tuple(question for question in PAGES[page].questions if question.parts[0].name in form)


def fieldsets(page: int, form: OpenForm) -> Markup:
    """The questions of a page as they stand on it."""
    return Markup("").join(_fieldset(page, question, form) for question in asked(page, form))


def _fieldset(page: int, question: Question, form: OpenForm) -> Markup:
    """One question. What nobody has answered yet looks the same for everybody, and is remembered; hers never is."""
    fields = [form[part.name] for part in question.parts]
    if any(field.raw_data or field.errors or field.data not in NO_ANSWER for field in fields):
        return _written(question, form)
    offered = tuple(option.value for field in fields for option in getattr(field, "choices", ()))
    name = (g.lang, page, question.name, offered)
    if name not in _blank:
        _blank[name] = _written(question, form)
    known: Markup = _blank[name]
    return known


_blank = LRUCache(512)  # (language, page, question, what can be chosen) -> the question, unanswered


def _written(question: Question, form: OpenForm) -> Markup:
    parts: Any = template("parts/fields.html").module
    written: Markup = parts.question(question, form)
    return written


class _Number(StringField):  # type: ignore[misc]
    """A whole number, typed as text so that no browser argues with her; says in her words when it is none."""

    def __init__(self, label: str, *, wrong: str, **parts: Any) -> None:
        super().__init__(label, **parts)
        self._wrong = wrong

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = (valuelist[0] if valuelist else "").strip()
        self.data = int(typed) if re.fullmatch(r"[0-9]{1,4}", typed) else None
        if typed and (self.data is None or self.data > LARGEST_NUMBER):
            raise ValueError(self._wrong)

    def _value(self) -> str:
        return self.raw_data[0] if self.raw_data else str(self.data if self.data is not None else "")


def answers_in(form: OpenForm) -> dict[str, Any]:
    """What a form holds, without what was passed over."""
    told = {name: value.strip() if isinstance(value, str) else value for name, value in form.data.items()}
    return {name: value for name, value in told.items() if value not in (*NO_ANSWER, PASSED_OVER)}


@dataclass(frozen=True, slots=True)
class Told:
    """One page of questions on the check page: its number and title, what was answered, what was passed over."""

    number: int
    title: str
    answered: tuple[tuple[str, tuple[str, ...]], ...]  # (short name, words)
    passed_over: tuple[str, ...]  # short names


def unclear(answers: Answers) -> list[tuple[str, int]]:
    """What does not fit together among her answers: (one sentence that asks her, the page where she sets it right)."""
    return list(doubts_in_words(answers, say))


def unclear_to_the_team(incident: Incident) -> list[str]:
    """The short names of what does not fit together in a case."""
    return [say(FACTS["hours" if doubt.question == "when" else doubt.question]) for doubt in doubts(incident)]


def titles_to_set_right(incident: Incident) -> list[tuple[int, str]]:
    """(number, title) of the pages whose answers can be set right."""
    return [(page, say(PAGES[page].title)) for page in pages_to_set_right(answers_of(incident))]


def told(answers: Answers, elsewhere: Elsewhere) -> list[Told]:
    """Every question that mattered, page by page, with her answers in words."""
    pages = []
    for number in route(answers):
        page = PAGES[number]
        rows = [
            (
                say(question.short),
                tuple(word for part in question.parts for word in _words(part, answers, elsewhere)),
            )
            for question in questions_of(number, answers)
        ]
        answered = tuple((short, words) for short, words in rows if words)
        pages.append(Told(number, say(page.title), answered, tuple(short for short, words in rows if not words)))
    return pages


def _words(part: Part, answers: Answers, elsewhere: Elsewhere) -> Iterable[str]:
    answer: Any = answers.get(part.name)
    finer = part.name == "when" and answers.get("number") is not None and incident_of(answers).told_twice is None
    if answer in NO_ANSWER or part.name == "unit" or finer:
        return  # a number goes before a range it fits with, and takes its unit along
    if part.kind == NUMBER:
        yield f"{answer} {say(UNIT_LABELS[answers.get('unit') or 'hours'])}"
        return
    if part.kind == LINE:
        yield f"{say(part.label)}: {answer}"
        return
    labels = choices_of(part, elsewhere)
    for value in answer if isinstance(answer, list) else [answer]:
        yield say(labels[value]) if value in labels else str(value)


# ── an incident in words ────────────────────────────────────────────────────────────────────────────────────

# field of the incident -> its short name, in the order a case worker reads
FACTS = {
    "about": N_("About"),
    "flags": N_("Safety, danger and injuries"),
    "age": N_("Age"),
    "hours": N_("When"),
    "ongoing": N_("Still going on"),
    "region": N_("Region"),
    "department": N_("Department"),
    "province": N_("Province"),
    "venue": N_("Kind of place"),
    "violence": N_("What happened"),
    "victim_state": N_("Companion"),
    "hurt_too": N_("Hurt too"),
    "extortion_act": N_("What they asked for happened"),
    "contact": N_("Touched by genitals, semen or blood"),
    "perpetrator": N_("Who did it"),
    "refused_by": N_("Refused by"),
    "condom": N_("Condom"),
    "pregnant_possible": N_("Pregnancy"),
    "identity": N_("Identity"),
    "docs": N_("Papers"),
    "migrant": N_("From another country"),
    "police_safe": N_("Safe with police"),
    "wants": N_("Wishes"),
    "reported": N_("Told an authority"),
    "reason": N_("Why not"),
    "lang": N_("Language"),
}


def facts_of(
    incident: Incident, names: Mapping[str, str], say: Callable[..., str]
) -> list[tuple[str, tuple[str, ...]]]:
    """(short name, words) of everything that was answered. `names` gives places and services by their code."""
    rows = ((field, fact_of(incident, field)) for field in FACTS)
    return [
        (say(FACTS[field]), tuple(words_of_fact(field, value, names, say)))
        for field, value in rows
        if value not in (None, frozenset())
    ]


def fact_of(incident: Incident, field: str) -> Any:
    """One field as people read it: of two times that contradict each other, both."""
    return (incident.told_twice or incident.hours) if field == "hours" else getattr(incident, field)


def words_of_fact(field: str, value: Any, names: Mapping[str, str], say: Callable[..., str]) -> Iterable[str]:
    """One field of an incident in words; nothing where nothing was told."""
    if value in (None, frozenset()):
        return
    if field == "hours":
        yield from times_in_words(value, say)
    elif isinstance(value, bool):
        yield say(YES_NO["yes" if value else "no"])
    elif isinstance(value, frozenset):
        order = list(VOCABULARY.get(field, {}))
        known = sorted(value, key=lambda code: (order.index(code) if code in order else len(order), code))
        yield from (say(VOCABULARY.get(field, {}).get(code, "")) or names.get(code, code) for code in known)
    else:
        yield say(VOCABULARY.get(field, {}).get(value, "")) or names.get(value, value)


def times_in_words(told: Any, say: Callable[..., str]) -> Iterable[str]:
    """The time that was told; or that two were, and which."""
    if not isinstance(told[0], tuple):
        yield hours_in_words(told, say)
        return
    yield say(N_("Two times were told that do not fit together. Until it is known, both count:"))
    yield from (hours_in_words(one, say) for one in told)


def hours_in_words(hours: tuple[float, float], say: Callable[..., str]) -> str:
    """Hours before it was told, exact or as a range."""
    ranges = {limits: label for limits, label in WHEN.values() if limits}
    if hours in ranges:
        return say(ranges[hours])
    low, high = (f"{value:.0f}" for value in hours)
    if low == high:
        return say(N_("%(hours)s hours before it was told"), hours=low)
    return say(N_("%(low)s to %(high)s hours before it was told"), low=low, high=high)
