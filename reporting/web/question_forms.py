"""The questions as forms, and answers in words: what stands on a page, on the check page, on the page of a case.

What is asked lies in questions.py, what it means in answers.py; pages that need both find their names here. Knows
neither how an answer is kept nor who reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from flask import g
from jinja2.utils import LRUCache
from markupsafe import Markup
from wtforms import Field, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from reporting.i18n import N_
from reporting.vocabulary import intake
from reporting.vocabulary.answers import (
    answers_of,
    doubts,
    doubts_in_words,
    incident_of,
    pages_to_set_right,
    questions_of,
    route,
)
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.lengths import ALL_PAGES, SET_RIGHT_AT_ONCE, TOLD_AFTERWARDS
from reporting.vocabulary.person import worded
from reporting.vocabulary.questions import (
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
    PASSED_OVER,
    TEXT,
    UNIT_LABELS,
    WHEN,
    WITHOUT_CODES,
    Answers,
    Choices,
    Elsewhere,
    Part,
    Question,
)
from reporting.vocabulary.wording import FACTS
from reporting.web.context import installation, say, template
from reporting.web.forms import OpenForm

GROUPS_OF = "groups of "  # before the name of choices that other modules bring: who brings choice -> title of its group
SHORT_LIST = 8  # choices that stand open
TO_SET_RIGHT = frozenset((*ORDER, *TOLD_AFTERWARDS)) - {WITHOUT_CODES}
RIGHT_BY_THE_TEAM = frozenset((*ORDER, SET_RIGHT_AT_ONCE)) - {WITHOUT_CODES}


def choices_of(part: Part, elsewhere: Elsewhere) -> Choices:
    """The codes and labels of a part; `elsewhere` brings those of other modules (places, services)."""
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


def form_of(page: int, answers: Answers, elsewhere: Elsewhere, typed: Any = None) -> OpenForm:
    """The Flask-WTF form of a page, filled with what was typed or, if nothing was, with the answers so far."""
    return form_with(
        [part for question in questions_of(page, answers) for part in question.parts], answers, elsewhere, typed
    )


def form_with(parts: Iterable[Part], answers: Answers, elsewhere: Elsewhere, typed: Any = None) -> OpenForm:
    """The same for these parts of questions, of whichever page; parts of one name are the same wherever they stand."""
    parts, about = tuple(parts), answers.get("about")
    form_class = _form_class((*_asked_in(), about), tuple(part.name for part in parts))
    form: OpenForm = form_class(formdata=typed, data={part.name: answers.get(part.name) for part in parts})
    for part in parts:
        if isinstance(part.choices, str) and part.choices in elsewhere:
            groups = elsewhere.get(GROUPS_OF + part.choices)
            options = _options(part, choices_of(part, elsewhere), about)
            form[part.name].choices = _in_groups(options, groups()) if groups else options
    return form


def _asked_in() -> tuple[str, str]:
    """Whose words a question is asked in: the language, and the country that some words are of."""
    return g.lang, installation().settings.country


@lru_cache(maxsize=256)  # the same questions in the same words make the same form
def _form_class(words_of: tuple[str, str, str | None], names: tuple[str, ...]) -> type[OpenForm]:
    about = words_of[2]
    fields = {name: _field(_PARTS[name], about) for name in names}
    return type("PageForm", (OpenForm,), {"of_whom": about} | fields)


_PARTS = {part.name: part for page in ALL_PAGES for question in page.questions for part in question.parts} | dict(
    intake.PARTS
)


def _field(part: Part, about: str | None) -> Field:
    label, options = say(worded(part.label, about)), _options(part, choices_of(part, {}), about)
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


def _options(part: Part, choices: Choices, about: str | None) -> list[SelectChoice]:
    options = [SelectChoice(code, say(worded(label, about))) for code, label in choices.items()]
    return [SelectChoice("", say(N_("Choose from the list."))), *options] if part.kind == LIST else options


def _in_groups(options: list[SelectChoice], groups: Mapping[str, str]) -> list[SelectChoice]:
    """A long list behind the titles of its groups; a short one as it is."""
    if len(options) <= SHORT_LIST:
        return options
    titles = list(dict.fromkeys(groups.values()))
    grouped = (replace(option, optgroup=say(groups[option.value])) for option in options)
    order = {say(title): place for place, title in enumerate(titles)}
    return sorted(grouped, key=lambda option: order[option.optgroup])


def questions_in(page: int, form: OpenForm) -> tuple[Question, ...]:
    """The questions of a page that a form of it holds, in the right person.

    What was typed on the page changes none of them under her hands.
    """
    about = getattr(form, "of_whom", None)
    return tuple(in_person(question, about) for question in ALL_PAGES[page].questions if question.parts[0].name in form)


def fieldsets(page: int, form: OpenForm) -> Markup:
    """The questions of a page as they stand on it."""
    return Markup("").join(_fieldset(page, question, form) for question in questions_in(page, form))


def _fieldset(page: int, question: Question, form: OpenForm) -> Markup:
    """One question. What nobody has answered yet looks the same for everybody, and is remembered; hers never is."""
    fields = [form[part.name] for part in question.parts]
    if any(field.raw_data or field.errors or field.data not in NO_ANSWER for field in fields):
        return _written(question, form)
    offered = tuple(option.value for field in fields for option in getattr(field, "choices", ()))
    name = (_asked_in(), getattr(form, "of_whom", None), page, question.name, offered)
    if name not in _blank:
        _blank[name] = _written(question, form)
    known: Markup = _blank[name]
    return known


_blank = LRUCache(512)  # (words, page, question, what can be chosen) -> the question, unanswered


def _written(question: Question, form: OpenForm) -> Markup:
    parts: Any = template("parts/fields.html").module
    written: Markup = parts.question(question, form)
    return written


def in_person(question: Question, about: str | None) -> Question:
    """The question as it is asked about this person."""
    parts = tuple(replace(part, label=worded(part.label, about)) for part in question.parts)
    return replace(question, legend=worded(question.legend, about), hint=worded(question.hint, about), parts=parts)


def title_of(page: int, answers: Answers) -> str:
    """The heading of a page of questions, in the right person."""
    return say(worded(ALL_PAGES[page].title, answers.get("about")))


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
    fields = {name: value.strip() if isinstance(value, str) else value for name, value in form.data.items()}
    return {name: value for name, value in fields.items() if value not in (*NO_ANSWER, PASSED_OVER)}


@dataclass(frozen=True, slots=True)
class AnsweredPage:
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
    answers = answers_of(incident)
    return [(page, title_of(page, answers)) for page in pages_to_set_right(answers)]


def to_set_right_at_once(incident: Incident) -> tuple[int, Markup]:
    """(number, questions) of what can be set right on the page of a case itself."""
    form = form_of(SET_RIGHT_AT_ONCE, answers_of(incident), {})
    return SET_RIGHT_AT_ONCE, fieldsets(SET_RIGHT_AT_ONCE, form)


def answers_in_words(answers: Answers, elsewhere: Elsewhere) -> list[AnsweredPage]:
    """Every question that mattered, page by page, with her answers in words."""
    pages = []
    for number in route(answers):
        rows = [
            (
                say(worded(question.short, answers.get("about"))),
                tuple(word for part in question.parts for word in words_of(part, answers, elsewhere)),
            )
            for question in questions_of(number, answers)
        ]
        answered = tuple((short, words) for short, words in rows if words)
        pages.append(
            AnsweredPage(
                number, title_of(number, answers), answered, tuple(short for short, words in rows if not words)
            )
        )
    return pages


def words_of(part: Part, answers: Answers, elsewhere: Elsewhere) -> Iterable[str]:
    """What was answered to a part of a question, in words; nothing where it was passed over."""
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
    labels, about = choices_of(part, elsewhere), answers.get("about")
    chosen = answer if isinstance(answer, list) else [answer]
    for value in (code for code in chosen if not part.codes or code in part.codes):
        yield say(worded(labels[value], about)) if value in labels else str(value)
