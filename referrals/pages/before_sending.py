"""What is shown of an act before it is sent: one that came too late for its session, or after somebody else's.

The words that were typed come back in a box that can be changed, everything that was chosen goes along unseen; where
nothing was typed there is no box, and nothing is called sent. Does nothing with a case.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import TextAreaField

from referrals.pages.act_forms import ActForm
from reporting.cases.follow_up import timeline
from reporting.cases.follow_up.timeline import Happening
from reporting.cases.records import Case
from reporting.cases.summary import CLOSED
from reporting.i18n import N_
from reporting.web.forms import number_in

ANYWAY = N_("Send it anyway")
DO_ANYWAY = N_("Do it anyway")  # where nothing was typed
TAKE, TAKEN = N_("I take it"), N_("You have it now.")
TOUCHED = N_("This case was touched after you opened it. Nothing of yours was sent yet.")
TOUCHED_ONLY = N_("This case was touched after you opened it. Nothing was done yet.")
# what is pressed -> (what its button says, what is said when it is done, where on the page it stands then)
SPOKEN: dict[str, tuple[str, str, str]] = {
    "letter": (N_("Send this letter to her"), N_("Your letter was sent. She reads it with her code."), "happened"),
    "answer": (
        N_("Send it, and the case is mine"),
        N_("It is yours now, and your letter was sent. She reads it with her code."),
        "happened",
    ),
    "note": (N_("Keep this note for the team"), N_("Your note is kept. Only the team sees it."), "happened"),
    "assign": (N_("Give it to somebody"), N_("Done: it says now who has it."), ""),
    "label": (N_("Labels, with commas between"), N_("The labels are kept."), "the-case"),
    "risk": (N_("A warning for colleagues"), N_("The warning is kept. It stands at the top of the case."), "the-case"),
    "close": (N_("Close it"), N_("The case is closed."), "the-case"),
    "reopen": (N_("Open it again"), N_("The case is open again."), "the-case"),
    "mark": (N_("Mark it"), N_("The mark is kept."), "the-case"),
    "unmark": (N_("Take the mark back"), N_("The mark is taken back."), "the-case"),
    "link": (N_("Link them"), N_("The cases are linked."), "the-case"),
    "ask-hand-over": (N_("Ask her"), N_("She is asked. It goes nowhere before she says yes."), "the-case"),
    "handed": (N_("She says yes: hand it over now"), N_("It is handed over."), "the-case"),
    "allow": (N_("She told me by voice what she allows"), N_("What she allows is written down."), "the-case"),
    "reach": (
        N_("She told me how to reach her"),
        N_("It is kept. Her page says so, and she can take it back there."),
        "told",
    ),
    "need": (N_("How a need stands"), N_("It is kept how the need stands."), "help"),
    "propose": (N_("Propose a service to her"), N_("She is asked. Her answer comes to this page."), "referrals"),
    "protect": (N_("Ask a second case worker"), N_("A second case worker is asked."), "referrals"),
    "step": (N_("What happened next?"), N_("It is written down."), "referrals"),
    "next": (N_("What is next"), N_("It is kept what is next."), "next"),
    "plan-step": (N_("Plan a step"), N_("The step is planned."), "next"),
    "appoint": (N_("Make an appointment"), N_("The appointment stands. She sees it on her page."), "referrals"),
    "unappoint": (N_("Take the appointment back"), N_("It stands no more, on her page neither."), "referrals"),
    "attempt": (N_("I tried to reach her"), N_("It is written down that you tried."), "told"),
    "pass-on": (
        N_("Keep it until they have read it"),
        N_("It stands on the list of cases and here until it is read."),
        "next",
    ),
    "has-read": (N_("I have read it"), N_("It is written down that you read it."), "next"),
}
OTHERWISE = (N_("The case"), N_("Done."), "the-case")


@dataclass(frozen=True, slots=True)
class BeforeSending:
    """An act as it came: its name, its words (field, text), what goes along unseen, and what happened since.

    `button` and `why` are message ids; nobody touched the case where `why` is empty. `asks_of`: who has a case that
    is to be taken, so that the page asks about it; 0 where nobody, or it is no taking.
    """

    go: str
    name: str
    button: str
    why: str
    asks_of: int
    words: tuple[tuple[str, str], ...]
    unseen: tuple[tuple[str, str], ...]
    since: tuple[Happening, ...]


def before_sending(case: Case, form: ActForm, go: str, me: int, *, held: bool) -> BeforeSending:
    """The act that a form brings, with what happened in the case since its page was made.

    `held`: it came too late for its session. An answer that would take a case which somebody has, or which is closed,
    is a letter.
    """
    if go == "answer" and (case.owner or case.state == CLOSED):
        go = "letter"
    typed = [field for field in form if field.name not in {"f", "v"} and field.data]
    words = tuple((field.name, str(field.data)) for field in typed if isinstance(field, TextAreaField))
    unseen = tuple(
        (field.name, str(value))
        for field in typed
        if not isinstance(field, TextAreaField)
        for value in (field.data if isinstance(field.data, list) else [field.data])
        if value
    )
    since = tuple(timeline.since(case, str(form.v.data or "")))
    takes = is_taking(go, form, me) and not words
    name, touched = TAKE if takes else SPOKEN.get(go, OTHERWISE)[0], bool(since) or not held
    button = name if takes or not touched else ANYWAY if words else DO_ANYWAY
    why = (TOUCHED if words else TOUCHED_ONLY) if touched else ""
    asks_of = case.owner if takes and case.owner != me else 0
    return BeforeSending(go, name, button, why, asks_of, words, unseen, since)


def is_taking(go: str, form: ActForm, me: int) -> bool:
    """Whether an act gives the case to whoever does it."""
    return go == "assign" and form["owner"].data == str(me)


def version_in(seen: str | None) -> int:
    """The version of the case that a page showed. Raises `BadFormValue` where it does not say it."""
    return number_in((seen or "").partition(".")[0])
