"""Her draft, as she sees it: a page of questions, the check page, the receipt, every door, a draft that waited.

Each page shows what the trail holds when it is looked at, and changes nothing. What may be shown when stands in one
table (`_RULES`): after sending never a page of questions, fifteen minutes after her last step no answer of hers.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from flask import g, make_response
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, StringField

from referrals.help.cards import HelpCards, cards_of
from referrals.help.texts import FirstDays, child_policy, first_days
from reporting.crypto import receipts
from reporting.i18n import N_
from reporting.pages import directory_lookups
from reporting.pages.directory_lookups import help_of
from reporting.sessions import replays
from reporting.sessions.replays import SENT
from reporting.teams.readers import offered
from reporting.vocabulary import questions
from reporting.vocabulary.answers import (
    consents_in,
    has_words,
    incident_of,
    may_be_in_danger,
    merged,
    so_far,
    step_of,
)
from reporting.vocabulary.codes import MINOR_AGES
from reporting.vocabulary.lengths import MESSAGE, beside_sending, order_of
from reporting.vocabulary.person import OTHER
from reporting.web import post_redirect_get, question_forms
from reporting.web.access.tickets import ticket_field
from reporting.web.context import installation, render_template, say
from reporting.web.forms import OpenForm, typed_answers
from reporting.web.post_redirect_get import RECEIPT_SHOWN, SHOWN, TicketCheck, Trail

CHECK, SENT_PAGE, DOORS, STALE = "check", "sent", "doors", "stale"  # steps besides the numbers of the questions' pages
BESIDE_THE_BUTTON = {"letters": "C_LETTERS", "figures": "C_STATS"}  # field of the check page -> consent
AFTER_DANGER = 2  # the page after the one that asks whether she is in danger
SENT_ALREADY = N_("It was sent already. You can come back with your code.")


class CheckForm(OpenForm):
    """Beside the buttons after the questions: letters allowed, the team picked, how the receipt begins."""

    letters = BooleanField()
    figures = BooleanField()
    team = StringField(default="")
    first = StringField(default="")


@post_redirect_get.shows("draft")
def page(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """A step of a draft, or what may be shown in its place."""
    rule = next(shown for holds, shown in _RULES if holds(trail, step, ended))
    drawn = rule(trail, step)
    return make_response(drawn, trail.status(step)) if isinstance(drawn, str) else drawn


def _after_sending(trail: Trail, step: str) -> str | ResponseReturnValue:
    """The receipt, for some minutes and on its own page; of all else only that it was sent."""
    shown = {SENT_PAGE: _sent_page, DOORS: _doors_page}
    return shown[step](trail) if _is_shown_after_sending(trail, step) else _sent_already(trail, step)


def _is_shown_after_sending(trail: Trail, step: str) -> bool:
    lasts = {SENT_PAGE: RECEIPT_SHOWN, DOORS: SHOWN}.get(step, 0)
    return bool(installation().clock() <= trail.state.get("sent", 0) + lasts)


def _sent_already(_trail: Trail, _step: str) -> ResponseReturnValue:
    return post_redirect_get.start_page(say(SENT_ALREADY))


def _start(_trail: Trail, _step: str) -> ResponseReturnValue:
    return post_redirect_get.start_page()


def _is_over(trail: Trail) -> bool:
    """A draft is kept for two hours; a trail on which she said nothing, only as long as it is shown."""
    return trail.age > (SHOWN if trail.count <= 1 else replays.DRAFT_SHOWN)


def _is_old(trail: Trail, step: str) -> bool:
    return trail.age > SHOWN or "unseen" in trail.state or step == STALE


def _draft_page(trail: Trail, step: str) -> str | ResponseReturnValue:
    if step == CHECK:
        return _check_page(trail)
    return _ask_page(trail, step) if step.isdecimal() else post_redirect_get.start_page()


Rule = tuple[Callable[[Trail, str, str | None], bool], Callable[[Trail, str], str | ResponseReturnValue]]
_RULES: tuple[Rule, ...] = (
    (lambda _trail, _step, ended: ended == SENT, _after_sending),
    (lambda _trail, _step, ended: ended is not None, _start),
    (lambda trail, _step, _ended: _is_over(trail), _start),
    (lambda trail, step, _ended: _is_old(trail, step), lambda trail, _step: _stale_page(trail)),
    (lambda *_: True, _draft_page),
)


def _ask_page(trail: Trail, step: str) -> str:
    """A page of questions, led by help where the answers so far call for it."""
    number, answers, typed, said = int(step), trail.state["a"], trail.typed(step), trail.about(step)
    form, urgent = form_of(number, answers, typed), trail.state.get("u", {}).get(step)
    if typed is not None:
        form.validate()
    g.may_shrink = not (form.errors or said or has_words(answers))
    incident, place = so_far(answers, number), step_of(number, answers)
    return render_template(
        "reporter/questions.html",
        number=number,
        step=place,
        several=len(order_of(answers)) > 1,
        title=question_forms.title_of(number, answers),
        fieldsets=question_forms.fieldsets(number, form),
        form=form,
        sentence=said.get("sentence", ""),
        status=said.get("status", ""),
        ticket=ticket_field("draft", trail.trip, step, trail.state),
        help=cards_of(help_of(incident, only=urgent, police_shown="p" in trail.state)) if urgent else None,
        lines="status" in said or (place == AFTER_DANGER and may_be_in_danger(answers)),
        of_another=answers.get("about") == OTHER,
        first_days=_first_days(answers),
        child=child_policy(g.lang, installation().settings.country) if urgent and "N_CHILD_PROT" in urgent else None,
    )


def _may_be_minor(answers: Mapping[str, Any]) -> bool:
    """Whether secrecy must not be promised: of who leaves a message alone nobody knows the age."""
    return answers.get("age") in MINOR_AGES or answers.get("length") == MESSAGE


def _first_days(answers: Mapping[str, Any]) -> FirstDays | None:
    """What is said before and after a message alone, of which nothing is known."""
    return first_days(g.lang, installation().settings.country) if answers.get("length") == MESSAGE else None


def form_of(number: int, answers: Mapping[str, Any], typed: Any = None) -> OpenForm:
    """The form of a page of questions: with her answers, or as she typed it."""
    return question_forms.form_of(number, answers, elsewhere(answers), typed)


def elsewhere(answers: Mapping[str, Any]) -> questions.Elsewhere:
    """The choices that only the directory knows, for the department she named."""
    return directory_lookups.directory_choices(incident_of(answers))


def _check_page(trail: Trail) -> str:
    """Everything she said, who will read it, and the button."""
    answers = trail.state["a"]
    g.may_shrink = not has_words(answers)
    return render_template(
        "reporter/check.html",
        pages=question_forms.answers_in_words(answers, elsewhere(answers)),
        unclear=question_forms.unclear(answers),
        readers=readers(),
        sentence=trail.about(CHECK).get("sentence", ""),
        consents=_asked_beside(answers),
        minor=_may_be_minor(answers),
        of_another=answers.get("about") == OTHER,
        ticket=ticket_field("draft", trail.trip, CHECK, trail.state),
    )


def _asked_beside(answers: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """(field, sentence, whether it is ticked) of what she may allow beside the button that sends."""
    allowed = consents_in(answers)
    letters = {"C_LETTERS"} if "C_LETTERS" not in allowed and "may_write" not in answers else set[str]()
    beside = BESIDE_THE_BUTTON.values() if beside_sending(answers) else letters
    sentences = questions.CONSENTS
    return [
        (field, say(sentences[code]), code in allowed) for field, code in BESIDE_THE_BUTTON.items() if code in beside
    ]


def readers() -> list[tuple[int, str]]:
    """The teams she can choose between: (number, name)."""
    with installation().reading() as db:
        return [(team.id, team.name) for team in offered(db, installation().teams(db))]


def _sent_page(trail: Trail) -> str:
    """The receipt, what happens next, the soonest door for each need. What was sent unseen tells nothing of itself."""
    answers, receipt = trail.state["a"], receipts.of_digits(trail.state["r"])
    return render_template(
        "reporter/sent.html",
        words=receipt.words(g.lang),
        digits=receipt.digits(),
        padding=receipt.padding(g.lang),
        sentence=trail.about(SENT_PAGE).get("sentence", ""),
        may_write="C_LETTERS" in consents_in(answers),
        may_contact="reach" in trail.state,
        minor=_may_be_minor(answers),
        of_another=answers.get("about") == OTHER,
        help=None if "unseen" in trail.state else _help_on(trail),
        team=trail.state.get("team") or _only_reader(),
        first_days=None if "unseen" in trail.state else _first_days(answers),
        ticket=ticket_field("draft", trail.trip, CHECK, trail.state),
    )


def _only_reader() -> str:
    """Who reads it, where there is one team; on a page that is shown again nothing is picked anew."""
    names = readers()
    return names[0][1] if len(names) == 1 else ""


def _doors_page(trail: Trail) -> str | ResponseReturnValue:
    """Every door for every need, on a page of its own without the receipt."""
    if "unseen" in trail.state:
        return post_redirect_get.start_page(say(SENT_ALREADY))
    g.may_shrink = True
    letters = "C_LETTERS" in consents_in(trail.state["a"])
    ticket = ticket_field("draft", trail.trip, CHECK, trail.state)
    return render_template("reporter/doors.html", help=_help_on(trail), letters=letters, ticket=ticket)


def _help_on(trail: Trail) -> HelpCards:
    return cards_of(help_of(incident_of(trail.state["a"]), police_shown="p" in trail.state))


def _stale_page(trail: Trail) -> str:
    """An old draft is not shown any more, because the phone may be in other hands; it can still be sent."""
    state = trail.state | {"unseen": True}
    return render_template(
        "reporter/stale.html",
        readers=readers(),
        sentence=trail.about(STALE).get("sentence", ""),
        ticket=ticket_field("draft", trail.trip, CHECK, state, trail.expires),
    )


def new_receipt() -> str:
    """The digits of a receipt that nobody had before."""
    return "".join(receipts.draw(secrets.randbelow).digits())


def with_typed(came: TicketCheck) -> tuple[Trail, bool]:
    """The trail with what was typed on this page, and whether something there is not right yet."""
    trail, step = post_redirect_get.follow(came, "draft"), came.ticket.step
    state = trail.state
    state["r"] = state["r"] or new_receipt()
    if not step.isdecimal():
        if (consents := _consents_with_ticks(came, state["a"])) != consents_in(state["a"]):
            state["a"] = state["a"] | {"consents": sorted(consents)}
        return trail, False
    form = form_of(int(step), state["a"], typed_answers())
    form.validate()
    state["a"] = merged(int(step), state["a"], _right_answers(form))
    return trail, bool(form.errors)


def _right_answers(form: OpenForm) -> dict[str, Any]:
    return {name: value for name, value in question_forms.answers_in(form).items() if name not in form.errors}


def wait(came: TicketCheck, **said: Any) -> ResponseReturnValue:
    """An old draft is kept with what was typed last, and not shown; it can still be sent."""
    trail, _ = with_typed(came)
    trail.state["unseen"] = True
    trail.expires = came.ticket.expires
    return post_redirect_get.answer(trail, STALE, **said)


def _consents_with_ticks(came: TicketCheck, answers: Mapping[str, Any]) -> frozenset[str]:
    """What she allows. Where it is asked beside the button alone, a tick that is gone is a no.

    A page that hides her answers shows no ticks: what she said before stays.
    """
    form = CheckForm()
    ticked = frozenset(code for field, code in BESIDE_THE_BUTTON.items() if form[field].data)
    is_all = beside_sending(answers) and came.ticket.step == CHECK and "unseen" not in came.ticket.state
    return ticked if is_all else consents_in(answers) | ticked


def is_unseen(came: TicketCheck) -> bool:
    """Too old to be shown when it was sent, or kept from being shown before."""
    return "unseen" in came.ticket.state or installation().clock() > came.ticket.issued + replays.DRAFT_SHOWN
