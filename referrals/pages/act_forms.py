"""A form for each act on a case: what the act cannot do without, and how long it may be.

What it gives an act is clean: a text without spaces around it, a number or a code as it came. Whether that may be
done with this case, the act says. Knows no act.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from wtforms import SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length

from referrals.casework.referral import REFUSED_BECAUSE
from reporting.cases.actions import NOT_A_REPORT_BECAUSE, SAY_ALL
from reporting.cases.case_file import NOT_A_REPORT
from reporting.i18n import N_
from reporting.vocabulary import questions
from reporting.vocabulary.need_states import REFUSE
from reporting.web.forms import DAY_IS_WRITTEN, LONGEST_DAY, StaffForm

WRITE: Final = N_("Write it in a few words.")
WHY: Final = N_("Write why.")
SAID_HOW: Final = N_("Write when and how she said it.")
REFUSED_UNKNOWN: Final = "refuse-unknown"  # the button of a refusal of which nobody knows why
CHOOSE_HOW: Final = N_("Choose how it ended.")


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

    # a field that the act cannot do without -> how the page says that it is missing; all of them are said at once
    needs: ClassVar[Mapping[str, str]] = {}
    v = StringField()

    def lacking(self) -> tuple[str, ...]:
        """What is missing, as message ids."""
        return tuple(sentence for name, sentence in self.needs.items() if not self[name].data)


class WordsForm(ActForm):
    """What is kept for the team: a note."""

    needs: ClassVar = {"text": WRITE}
    text = _typed()


class LetterToHerForm(WordsForm):
    """A letter to her."""

    needs: ClassVar = {"text": N_("Write the letter.")}


class RiskForm(ActForm):
    """What a colleague must know before she calls; empty takes it back."""

    text = _typed()


class OwnerForm(ActForm):
    """Whose the case is from now on, and what she has to read first, if there is something."""

    owner = _chosen()
    text = _typed()


class PassOnForm(ActForm):
    """A note that somebody has to read before her shift: a member, or whoever comes next."""

    needs: ClassVar = {"text": WRITE}
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

    needs: ClassVar = {"text": N_("Write what is to be done."), "day": DAY_IS_WRITTEN}
    text = _typed()
    day = _chosen(LONGEST_DAY)
    owner = _chosen()


class AppointmentForm(ActForm):
    """An appointment of a referral: where, when, whom she asks for, and the word she says at the door."""

    needs: ClassVar = {
        "day": DAY_IS_WRITTEN,
        "time": N_("Write the time as 9:30."),
        "place": N_("Write the place."),
    }
    number = _chosen()
    day = _chosen(LONGEST_DAY)
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

    needs: ClassVar = {"outcome": CHOOSE_HOW}
    outcome = _chosen()
    reason = _typed()
    text = _typed()
    knows = _chosen()  # that hours are left for help that comes too late afterwards

    def ends(self, outcome: str) -> None:
        """The button says how it ended; that goes before what was chosen."""
        self.outcome.data = outcome

    def lacking(self) -> tuple[str, ...]:
        """The same, and why, where the outcome does not say it."""
        unsaid = not self.reason.data and self.outcome.data not in SAY_ALL
        return (*super().lacking(), *((WHY,) if unsaid else ()))


class ReasonForm(ActForm):
    """Why it is opened again."""

    needs: ClassVar = {"reason": WHY}
    reason = _typed()


class UnmarkForm(ActForm):
    """A mark taken back, and why."""

    needs: ClassVar = {"mark": N_("Choose a mark."), "reason": WHY}
    mark = _chosen()
    reason = _typed()


class MarkForm(UnmarkForm):
    """A mark set, and why; for what is no report, because of what."""

    because = _chosen()

    def lacking(self) -> tuple[str, ...]:
        """The same, and why it is no report."""
        unsaid = self.mark.data == NOT_A_REPORT and self.because.data not in NOT_A_REPORT_BECAUSE
        return (*super().lacking(), *((N_("Say why it is not a report."),) if unsaid else ()))


class LinkForm(ActForm):
    """The short name of another case of the same person."""

    needs: ClassVar = {"alias": N_("Write its short name.")}
    alias = _chosen(12)


class HandOverForm(ActForm):
    """The team that she is asked about, and why."""

    needs: ClassVar = {"team": N_("Choose a team."), "reason": WHY}
    team = _chosen()
    reason = _typed()


class ConsentForm(ActForm):
    """What she said aloud that she allows: of what, yes or no, and how she said it."""

    needs: ClassVar = {"text": SAID_HOW}
    consent = _chosen()
    step = _chosen()
    text = _typed()


class ReachForm(ActForm):
    """How she may be reached, as she said it aloud, and how she said it."""

    needs: ClassVar = {"number_to_call": N_("Write the number, or the name there."), "text": SAID_HOW}
    channel = _chosen()
    number_to_call = _chosen(200)
    safe_hours = _chosen(200)
    if_other = _chosen(200)
    code_word = _chosen(200)
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

    def lacking(self) -> tuple[str, ...]:
        """Why a service refused, where nobody said it; that it is not known is said by a button of its own."""
        unsaid = self.step.data == REFUSE and self.because.data not in REFUSED_BECAUSE
        return (N_("Choose why it refused, or press that it is not known."),) if unsaid else ()

    def move(self) -> str:
        """The move that was pressed."""
        return REFUSE if self.step.data == REFUSED_UNKNOWN else str(self.step.data)
