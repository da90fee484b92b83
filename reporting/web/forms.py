"""The forms all others are made of: for who is signed in, and for who is nobody to us.

Knows no question and no act. A staff form is guarded by the session, an open one by origin and ticket.
"""

from __future__ import annotations

import hmac
from datetime import date
from itertools import pairwise
from typing import Any

from flask import abort, g, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import StringField, TextAreaField
from wtforms.csrf.core import CSRF
from wtforms.validators import Length, ValidationError

from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.sessions import held_requests
from reporting.teams import staff_sessions
from reporting.web import languages
from reporting.web.context import installation, once, say, today

LONGEST_NUMBER = 20  # digits; the largest number of a record has nineteen


class BadFormValue(AmparoError):
    """What came in a field is none that a page of ours offers, or is not written as it has to be."""


def number_in(text: str | None) -> int:
    """A number that somebody typed or a page of ours carries. Raises `BadFormValue` for anything else."""
    if not text or not text.isascii() or not text.isdecimal() or len(text) >= LONGEST_NUMBER:
        raise BadFormValue
    return int(text)


LONGEST_DAY = 60  # signs: so much of what somebody writes for a day comes back whole where it is none
DAY_IS_WRITTEN = N_("Write the day like this: 28/07, 28 July, tomorrow, Monday.")


def day_in(text: str | None, *, past: bool = False) -> date:
    """A day as people write it (`languages.day_read`). Raises `BadFormValue` for anything else."""
    day = languages.day_read(text or "", today().date(), past=past)
    if day is None:
        raise BadFormValue
    return day


HALF_A_ROW, WHOLE_WORD = 22, 9  # signs that fit in two lines beside a circle and a number, on the smallest phone


def choices_in_rows(field: Any) -> list[tuple[str, str, bool, bool]]:
    """The choices of a field as they are shown: code, label, whether it is chosen, whether it has a row to itself.

    Two short ones that follow each other share a row.
    """
    shown = [(code, say(label), chosen) for code, label, chosen, _ in field.iter_choices()]
    short = [
        len(label) <= HALF_A_ROW and max(map(len, label.split()), default=0) <= WHOLE_WORD for _, label, _ in shown
    ]
    rows, begun = [], False
    for choice, (here, following) in zip(shown, pairwise([*short, False]), strict=True):
        followed = here and following
        rows.append((*choice, not (begun or followed)))
        begun = followed and not begun
    return rows


# The grammar of buttons: those that name something after a hyphen -> what. Every other button is one word for itself.
BUTTONS = {
    "lang": "a language, which the page is shown in",
    "to": "the number of a page of questions",
    "right": "the number of a page of questions, to be set right",
    "save": "the number of a page of questions, as it is right now",
    "allow": "a consent, which she gives",
    "deny": "a consent, which she takes back",
    "handover": "yes or no",
    "fill": "a letter of the team, for the box of an answer",
    "close": "how a case ended, where that says all",
    "assign": "a member, who gets the marked cases, or 0",
    "junk": "why the marked cases are junk",
    "have": "a need, which is met elsewhere",
    "unwanted": "a need, which she does not want",
    "still": "a need, which is open again",
    "face": "how it was for her, or that she takes that back",
}


def parts_of(pressed: str) -> tuple[str, str]:
    """What a button does, and what it names; nothing for one that names nothing."""
    verb, _, named = pressed.partition("-")
    return (verb, named) if verb in BUTTONS else (pressed, "")


NEVER_KEPT = frozenset({"t", "f", "go", "code"})  # fields of a form that are no typing, or open a case


def typed_here(*secret: str) -> dict[str, list[str]]:
    """Field -> what was typed there, for the page that shows it once more; nothing of what is secret."""
    typed: dict[str, list[str]] = request.form.to_dict(flat=False)
    return {name: values for name, values in typed.items() if name not in NEVER_KEPT.union(secret)}


def typed_answers() -> ImmutableMultiDict[str, str]:
    """What was typed on a page of questions, whose form is made from the answers before it."""
    return request.form


def button(otherwise: str = "") -> str:
    """Which button was pressed; `otherwise` where Enter was pressed, or none."""
    return request.form.get("go", otherwise)


class _SessionBound(CSRF):  # type: ignore[misc]
    """A form token derived from the session's own secret; there is nothing to store."""

    def generate_csrf_token(self, csrf_token_field: Any) -> str:  # noqa: ARG002 -- fixed by WTForms
        return once("word_of_a_form", _word)

    def validate_csrf_token(self, form: Any, field: Any) -> None:  # noqa: ARG002 -- fixed by WTForms
        token = str(field.data or "").partition(".")[0]  # what follows says for whom it was made, and on which day
        if not hmac.compare_digest(token.encode("utf-8", "replace"), staff_sessions.form_token(g.token).encode()):
            raise ValidationError


def _word() -> str:
    site, token = installation(), staff_sessions.form_token(g.token)
    return held_requests.word_of_a_form(site.settings.server_secret, token, g.keys.member, site.clock())


# what the forms' library says -> what we say. Nothing of what was typed is repeated.
PLAIN = {
    "This field is required.": N_("Fill this in."),
    "Not a valid choice.": N_("Choose from the list."),
    "'%(value)s' is not a valid choice for this field.": N_("Choose from the list."),
    "Invalid Choice: could not coerce.": N_("Choose from the list."),
    "Choices cannot be None.": N_("Choose from the list."),
}
TOO_LONG = N_("This is too long.")  # the one sentence of that library that counts


class _InHerWords:
    """The library's own complaints, in the language of the request."""

    def gettext(self, text: str) -> str:
        return say(PLAIN.get(text, text))

    def ngettext(self, _one: str, _many: str, _count: int) -> str:
        return say(TOO_LONG)


class _Meta(FlaskForm.Meta):  # type: ignore[misc]
    files: frozenset[str] = frozenset()  # the fields of a form that take a file; nothing else there is one

    def wrap_formdata(self, form: Any, formdata: Any) -> Any:
        """What was typed. A file or JSON in the place of a word is nothing that a page of ours sends."""
        if formdata is None or hasattr(formdata, "getlist"):
            return super().wrap_formdata(form, formdata)
        words = [pair for pair in request.form.items(multi=True) if pair[0] not in self.files]
        files = [pair for pair in request.files.items(multi=True) if pair[0] in self.files]
        return ImmutableMultiDict([*words, *files]) if form.is_submitted() else None

    def get_translations(self, _form: Any) -> _InHerWords:
        return _InHerWords()


class StaffForm(FlaskForm):  # type: ignore[misc]
    """Every form of a signed-in person."""

    class Meta(_Meta):
        csrf = True
        csrf_class = _SessionBound
        csrf_field_name = "f"

    def is_ours(self) -> bool:
        """Valid, and sent from a page of this session; a forged one is answered with 403.

        Never for what is shown once more because its session had ended: nothing is done with it.
        """
        if "held" in g:  # it is shown before it is sent
            return False
        if self.is_submitted() and not self.validate():
            if self.errors.get("f"):
                abort(403)
            return False
        return bool(self.is_submitted())


LONGER = N_("That is too long: %(length)s signs, %(longest)s at most.")
HELD = N_("Your session had ended. What you wrote is here: look at it and send it.")
HELD_UNWRITTEN = N_("Your session had ended, and nothing was sent. Look at it and send it.")


def is_shown_once_more() -> bool:
    """Whether this page shows what came after its session had ended."""
    return g.get("notice") in {HELD, HELD_UNWRITTEN}


def complaint(sentence: str, **parts: object) -> str:
    """What is wrong with a form, in words; nothing where it is only shown once more, which is said elsewhere."""
    return "" if "held" in g else say(sentence, **parts)


def too_long(form: FlaskForm) -> str:
    """That something in a form is too long, in words: how long it is, and how long it may be."""
    for field in form:
        for check in field.validators:
            if isinstance(check, Length) and isinstance(field.data, str) and 0 <= check.max < len(field.data):
                return complaint(LONGER, length=len(field.data), longest=check.max)
    return complaint(N_("That is too long."))


class OpenForm(FlaskForm):  # type: ignore[misc]
    """A form of somebody who is nobody to us: guarded by origin and ticket, not by a session."""

    class Meta(_Meta):
        csrf = False


class SecretField(StringField):  # type: ignore[misc]
    """Typed, read, and never given back into a page."""

    def _value(self) -> str:
        return ""


class SecretArea(TextAreaField):  # type: ignore[misc]
    """The same for several words, as on a recovery sheet."""

    def _value(self) -> str:
        return ""


class TicketForm(OpenForm):
    """The ticket, sealed, that every form of a trip carries."""

    t = StringField(default="")


class TripsForm(OpenForm):
    """The way out of a page that followed a POST: the trips that are over with it."""

    trip = StringField(default="")
