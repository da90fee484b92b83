"""The questions of the intake as forms and in words: what a case worker reads aloud, and what stands on the check page.

Which questions there are lies in `intake`; how a question becomes a form, in `question_forms`. Knows no case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from wtforms.fields.choices import SelectChoice

from reporting.vocabulary import intake
from reporting.vocabulary.intake import CONSENTS, CONTACT_BACK, SPOKEN, Spoken
from reporting.vocabulary.person import worded
from reporting.vocabulary.questions import YES_NO, Answers, Elsewhere
from reporting.web import question_forms
from reporting.web.context import say
from reporting.web.forms import OpenForm
from reporting.web.question_forms import AnsweredPage


def form_of(page: int, answers: Answers, elsewhere: Elsewhere, typed: Any = None) -> OpenForm:
    """The form of a page, filled with what was typed or, if nothing was, with the answers so far."""
    parts = [part for spoken in intake.spoken_on(page, answers) for part in spoken.question.parts]
    form = question_forms.form_with(parts, answers, elsewhere, typed)
    for name in CONSENTS.keys() & {part.name for part in parts}:  # yes or no; whoever says neither says no
        form[name].choices = [SelectChoice(code, say(label)) for code, label in YES_NO.items()]
    if "wants" in form:  # whether anybody may call her was asked at the beginning
        form["wants"].choices = [choice for choice in form["wants"].choices if choice.value != CONTACT_BACK]
    return form


def spoken_in(page: int, answers: Answers) -> tuple[Spoken, ...]:
    """The questions of a page that its form holds (`form_of`), as they are said of whom it is about.

    Not by the names of their fields: two questions of a page, of which one can matter, may share them.
    """
    about = answers.get("about")
    return tuple(
        replace(spoken, says=spoken.aloud(about), question=question_forms.in_person(spoken.question, about))
        for spoken in intake.spoken_on(page, answers)
    )


def title_of(page: int, answers: Answers) -> str:
    """The title of a page, of the person whom it is about."""
    return say(worded(SPOKEN[page].title, answers.get("about")))


def answers_in_words(answers: Answers, elsewhere: Elsewhere) -> list[AnsweredPage]:
    """Every question that mattered, page by page, with the answers in words."""
    return [_in_words(page, answers, elsewhere) for page in intake.route(answers)]


def _in_words(page: int, answers: Answers, elsewhere: Elsewhere) -> AnsweredPage:
    rows = [
        (
            say(worded(spoken.question.short, answers.get("about"))),
            tuple(word for part in spoken.question.parts for word in question_forms.words_of(part, answers, elsewhere)),
        )
        for spoken in intake.spoken_on(page, answers)
    ]
    answered = tuple((short, words) for short, words in rows if words)
    passed_over = tuple(short for short, words in rows if not words)
    return AnsweredPage(page, title_of(page, answers), answered, passed_over)


def unclear(answers: Answers) -> Sequence[tuple[str, int]]:
    """What does not fit together: (one sentence that asks her, the page of the intake where it is set right)."""
    sentences = (sentence for sentence, _page in question_forms.unclear(intake.plain(answers)))
    return list(zip(sentences, intake.pages_in_doubt(answers), strict=True))
