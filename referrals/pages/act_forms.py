"""A form for each act on a case: what the act cannot do without, and how long it may be.

What it gives an act is clean: a text without spaces around it, a number or a code as it came. Whether that may be
done with this case, the act says. Knows no act.
"""

from __future__ import annotations

from typing import Any

from wtforms import SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length

from reporting.vocabulary import questions
from reporting.web.forms import StaffForm


def _clean(text: str | None) -> str:
    return (text or "").strip()


def _chosen(longest: int = 64) -> Any:
    """What was picked on the page: a code or a number."""
    return StringField(filters=[_clean], validators=[Length(max=longest)])


def _typed() -> Any:
    """What was written by hand."""
    return TextAreaField(filters=[_clean], validators=[Length(max=questions.LONGEST_TEXT)])


class ActForm(StaffForm):
    """What every act carries: the version of the case that its page was made from."""

    needs: tuple[str, ...] = ()  # the fields in which the act needs a few words
    v = StringField()


class WordsForm(ActForm):
    """A letter or a note."""

    needs = ("text",)
    text = _typed()


class RiskForm(ActForm):
    """What a colleague must know before she calls; empty takes it back."""

    text = _typed()


class OwnerForm(ActForm):
    """Whose the case is from now on, and what she has to read first, if there is something."""

    owner = _chosen()
    text = _typed()


class PassOnForm(ActForm):
    """A note that somebody has to read before her shift: a member, or whoever comes next."""

    needs = ("text",)
    owner = _chosen()
    text = _typed()


class ReadForm(ActForm):
    """The number of a hand-over note that was read."""

    number = _chosen()


class NextStepForm(ActForm):
    """A step that stands, and what becomes of it: done, mine, or a later day."""

    key = _chosen()
    step = _chosen()


class OwnStepForm(ActForm):
    """A step of one's own: what, on which day, by whom."""

    needs = ("text",)
    text = _typed()
    day = _chosen(10)
    owner = _chosen()


class AppointmentForm(ActForm):
    """An appointment of a referral: where, when, whom she asks for, and the word she says at the door."""

    number = _chosen()
    day = _chosen(10)
    time = _chosen(5)
    place = _chosen(200)
    ask_for = _chosen(90)
    word = _chosen(40)


class AppointmentOffForm(ActForm):
    """An appointment of a referral that does not stand any more."""

    number = _chosen()
    which = _chosen(4)


class AttemptForm(ActForm):
    """A try to reach her: in which way, and how it ended."""

    channel = _chosen()
    step = _chosen()


class LabelsForm(ActForm):
    """Labels, with commas between; none takes all away."""

    labels = _chosen(300)


class CloseForm(ActForm):
    """How it ended, why it is closed, and a letter that goes with it, if there is one."""

    needs = ("reason",)
    outcome = _chosen()
    reason = _typed()
    text = _typed()


class ReasonForm(ActForm):
    """Why it is opened again."""

    needs = ("reason",)
    reason = _typed()


class MarkForm(ActForm):
    """A mark set or taken back, and why; for what is no report, because of what."""

    needs = ("reason",)
    mark = _chosen()
    because = _chosen()
    reason = _typed()


class LinkForm(ActForm):
    """The short name of another case of the same person."""

    alias = _chosen(12)


class HandOverForm(ActForm):
    """The team that she is asked about, and why."""

    needs = ("reason",)
    team = _chosen()
    reason = _typed()


class ConsentForm(ActForm):
    """What she said aloud that she allows: of what, yes or no, and how she said it."""

    needs = ("text",)
    consent = _chosen()
    step = _chosen()
    text = _typed()


class NeedForm(ActForm):
    """A need, and how it stands."""

    need = _chosen()
    step = _chosen()


class ProposalForm(ActForm):
    """A service for a need, and what it may be told. `door`: both in one, from the list that is in order."""

    door = _chosen(100)
    service = _chosen()
    need = _chosen()
    fields = SelectMultipleField(validate_choice=False)


class ProtectionForm(ProposalForm):
    """The same without her yes, to protect a child: the reason, which she can read."""

    reason = _typed()


class StepForm(ActForm):
    """A move of a referral, with a note if there is one, and why a service refused."""

    number = _chosen()
    step = _chosen()
    because = _chosen()
    text = _typed()
