"""A reporter's visit to her case: her ticket in, her ticket out. Shared by all pages that belong to it.

Everything about her case appears only on pages that follow a POST with a ticket; a repeat after she left, or
after fifteen minutes, shows the start page. Knows neither what is done in a case nor how it looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import g
from flask.typing import ResponseReturnValue

from reporting.cases.records import Visit
from reporting.sessions.replays import LEFT
from reporting.web import post_redirect_get
from reporting.web.access.tickets import ticket_field
from reporting.web.post_redirect_get import TicketCheck, Trail

BOX, CASE = "box", "case"  # steps of a visit
VISIT = "visit"  # the kind of its trail


@dataclass(frozen=True, slots=True)
class CaseSession:
    """Her time in her case: what opens it, the trip she is on, the trip that sent the case, when it must close."""

    visit: Visit
    trip: str
    sent_by: str
    expires: int | None = None  # None: fifteen minutes from now

    def to_state(self) -> dict[str, Any]:
        """Her visit as the plain values that a ticket and a trail carry."""
        return {"case": self.visit.case, "key": self.visit.key.hex(), "by": self.sent_by}


@dataclass(frozen=True, slots=True)
class Next:
    """Where an act leads: a step of the stay, and what is said there (a sentence, a status, what was typed)."""

    step: str
    said: Mapping[str, Any]


def onward(step: str, **said: Any) -> Next:
    """A step, with what is said there."""
    return Next(step, said)


def stay_in(state: Mapping[str, Any], trip: str, expires: int | None) -> CaseSession:
    """The stay that a ticket of a case, or its trail, carries on."""
    return CaseSession(Visit(state["case"], bytes.fromhex(state["key"])), trip, state["by"], expires)


def came_to_her_case() -> TicketCheck | None:
    """The ticket of this request, where it is one of her case and she has not left it."""
    came = post_redirect_get.check_ticket(VISIT)
    return None if came is None or came.ended == LEFT or came.ticket.step != CASE else came


def case_session_of(came: TicketCheck) -> CaseSession:
    """Her visit, read from the ticket of this request."""
    return stay_in(came.ticket.state, came.ticket.trip, came.ticket.expires)


def case_session_on(trail: Trail) -> CaseSession:
    """The stay of a trail. Its way out also ends the trip that sent the case: not even "it was sent" is had again."""
    stay = stay_in(trail.state, trail.trip, trail.expires)
    g.trip = f"{stay.trip} {stay.sent_by}"
    return stay


def case_session_field(stay: CaseSession) -> str:
    """The hidden field that carries her visit to the next request."""
    return ticket_field("visit", stay.trip, CASE, stay.to_state(), stay.expires)


def go_on(came: TicketCheck, then: Next) -> ResponseReturnValue:
    """The answer that leads to the next page of her visit."""
    return post_redirect_get.answer(post_redirect_get.follow(came, VISIT, came.ticket.expires), then.step, **then.said)
