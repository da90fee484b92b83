"""What is done with several cases at once, and what the form of the queue can say.

Speaks HTTP forms: who may do what with a case is a matter of `cases.actions`. What nobody has read, where something
presses and where she waits for an answer is put out of sight by nobody who has not opened it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from flask import g
from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length

from referrals.casework import queue
from referrals.casework.pressing import pressing_in
from referrals.casework.views import View
from referrals.pages.act_forms import WRITE
from referrals.pages.case_forms import counters, needed, outcome, owner
from reporting.cases import actions, desk
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile
from reporting.cases.records import JUNK
from reporting.cases.summary import NEW
from reporting.i18n import N_
from reporting.teams.team_log import CannotOpen
from reporting.vocabulary import questions
from reporting.web.context import installation, say
from reporting.web.forms import DAY_IS_WRITTEN, LONGEST_DAY, BadFormValue, StaffForm, day_in, number_in, parts_of

LONGEST_OWNER = 12  # signs: `mine`, `nobody`, or the number of a member
LONGEST_CODE = 24
FILTERS = ("department", "need", "language", "silence", "minor")  # besides folder, whose and order; codes, not words
FIRST = View()  # what is listed where an address says nothing


class BulkForm(StaffForm):
    """Several cases at once, words to look for, or the view that is chosen."""

    cases = SelectMultipleField(validate_choice=False)
    owner = StringField(validators=[Length(max=LONGEST_OWNER)])
    label = StringField(validators=[Length(max=actions.LABEL_LENGTH)])
    outcome = StringField()
    reason = TextAreaField(validators=[Length(max=questions.LONGEST_TEXT)])
    words = StringField(validators=[Length(max=200)])
    search = StringField(validators=[Length(max=64)])  # the name under which a search lies that goes on
    name = StringField(validators=[Length(max=actions.LABEL_LENGTH)])
    folder = SelectField(choices=[*queue.FOLDERS], default=FIRST.folder)
    sort = SelectField(choices=[*queue.SORTS], default=FIRST.sort)
    department = StringField(validators=[Length(max=LONGEST_CODE)])
    need = StringField(validators=[Length(max=LONGEST_CODE)])
    language = StringField(validators=[Length(max=LONGEST_CODE)])
    silence = StringField(validators=[Length(max=LONGEST_CODE)])
    minor = StringField(validators=[Length(max=LONGEST_CODE)])


class RestoreForm(StaffForm):
    """That a backup was put back: of which day, and why."""

    day = StringField(validators=[Length(max=LONGEST_DAY)])
    reason = TextAreaField(validators=[Length(max=questions.LONGEST_TEXT)])

    def meant(self) -> tuple[date | None, str, list[str]]:
        """The day, the reason, and what is missing of both, as message ids."""
        reason, day = (self.reason.data or "").strip(), None
        with suppress(BadFormValue):
            day = day_in(self.day.data, past=True)
        return day, reason, [text for text, there in ((DAY_IS_WRITTEN, day), (WRITE, reason)) if not there]


# why several are junk, where a button says it -> in words
JUNK_BECAUSE = {"ads": N_("Advertising"), "nonsense": N_("Words without sense")}


def named_in(go: str, form: BulkForm) -> str:
    """What a button does. To whom, or why, where the button itself says so, stands in the form then."""
    verb, named = parts_of(go)
    if verb == "assign" and named:
        form.owner.data = named
        return verb
    if verb == "junk" and named in JUNK_BECAUSE:
        form.reason.data = form.reason.data or say(JUNK_BECAUSE[named])
        return verb
    return go


def missing(go: str, form: BulkForm) -> list[str]:
    """What has to be said before anything is done with several cases, as sentences."""
    if go not in BULK:
        return [N_("Mark at least one case, and say what to do.")]
    unmarked = [] if form.cases.data else [N_("Mark the cases first.")]
    says_all = go == "close" and form.outcome.data in actions.SAY_ALL
    wanted = [name for name in NEEDED[go] if not (name == "reason" and says_all)]
    return unmarked + [MISSING[name] for name in wanted if not (form[name].data or "").strip()]


# what cannot be done without it -> how the page says that it is missing
MISSING = {
    "label": N_("Write a label."),
    "outcome": N_("Say how they ended."),
    "reason": N_("Write why."),
}
NEEDED: dict[str, tuple[str, ...]] = {
    "assign": (),
    "label": ("label",),
    "close": ("outcome", "reason"),
    "junk": ("reason",),
}


def _bulk_assign(case_file: CaseFile, form: BulkForm) -> None:
    actions.assign(case_file, g.keys.member, owner(form.owner.data), installation().clock())


def _bulk_label(case_file: CaseFile, form: BulkForm) -> None:
    actions.add_label(case_file, g.keys.member, form.label.data, installation().clock())


def _bulk_close(case_file: CaseFile, form: BulkForm) -> None:
    actions.close(
        case_file, g.keys.member, outcome(form.outcome.data), (form.reason.data or "").strip(), installation().clock()
    )


def _bulk_junk(case_file: CaseFile, form: BulkForm) -> None:
    actions.mark(case_file, g.keys.member, JUNK, "", needed(form.reason.data), installation().clock())


@dataclass(slots=True)
class BulkResult:
    """What became of several cases: the numbers of those that are done, left as they were, not opened, not read yet."""

    done: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    to_read: list[int] = field(default_factory=list)


def do_with_each(go: str, form: BulkForm) -> BulkResult:
    """Do one thing with each case that is marked, a page of them at most."""
    result = BulkResult()
    for written in form.cases.data[: queue.PAGE]:
        number = 0
        try:
            number = number_in(written)
            is_done = _do_with_one(go, number, form)
            (result.done if is_done else result.to_read).append(number)
        except NotAllowed:
            result.skipped.append(number)
        except (CannotOpen, BadFormValue):
            result.failed.append(number)
    return result


def _do_with_one(go: str, number: int, form: BulkForm) -> bool:
    """Whether it was done; not where somebody has to look at the case first."""
    site = installation()
    with (
        site.writing() as db,
        desk.at_desk(db, g.keys, number, site.clock(), "changed", counters=counters(db)) as case_file,
    ):
        if go in OUT_OF_SIGHT and (_she_waits(case_file) or OUT_OF_SIGHT[go](case_file, form, site.clock())):
            return False
        BULK[go](case_file, form)
    return True


def _is_unread(case_file: CaseFile) -> bool:
    return case_file.summary.state == NEW or case_file.summary.unread


def _she_waits(case_file: CaseFile) -> bool:
    """Whether she said something and nobody answered: a list of before shows neither that nor that a colleague read."""
    summary = case_file.summary
    return bool((summary.heard_at and not summary.answered) or summary.to_send)


def _unread_and_urgent(case_file: CaseFile, _form: BulkForm, now: float) -> bool:
    return _is_unread(case_file) and queue.may_be_urgent(case_file.incident_at(now), pressing_in(case_file, now))


def _unread_or_pressing(case_file: CaseFile, form: BulkForm, now: float) -> bool:
    presses = pressing_in(case_file, now)
    is_left = form.outcome.data != actions.REACHED and (presses.is_danger or presses.window)
    return _is_unread(case_file) or is_left


# what puts a case out of sight -> whether this one is not put there among others: somebody has to look at it first.
# One in which she waits for an answer is put there by none of them.
OUT_OF_SIGHT: dict[str, Callable[[CaseFile, BulkForm, float], bool]] = {
    "close": _unread_or_pressing,
    "junk": _unread_and_urgent,
}
BULK: dict[str, Callable[[CaseFile, BulkForm], None]] = {
    "assign": _bulk_assign,
    "label": _bulk_label,
    "close": _bulk_close,
    "junk": _bulk_junk,
}
