"""A reporter's stay in her case: her ticket in, what she does, her ticket out. Shared by all pages that belong to it.

Everything about her case appears only in answers to POST that carry a ticket; a repeat after she left, or after
fifteen minutes, shows the start page. Knows neither what is done in a case nor how it looks.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from flask import g, request
from sqlalchemy.exc import SQLAlchemyError

from reporting import sessions
from reporting.casebook import Visit
from reporting.frontdoor import house, note_failure, ticket_field, ticket_in
from reporting.sessions import Line, Ticket

Take = Callable[[Line, Ticket, float], tuple[str | None, bool]]  # how its trip has ended, whether it may be shown
BOX, CASE = "box", "case"  # steps of a visit


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request with its ticket: how far its trip has ended, and whether its page may be shown."""

    ticket: Ticket
    ended: str | None
    shown: bool


def arrive(purpose: str) -> Arrival | None:
    """None when the ticket is forged, foreign or expired. Names the trip for the way out."""
    if purpose != "draft":
        return _arrival(purpose, house().reading, sessions.look)
    try:
        return _arrival(purpose, house().jotting, sessions.use)
    except SQLAlchemyError as trouble:  # the disk is full, or somebody holds the database: she goes on unnoted
        note_failure(trouble)
        return _arrival(purpose, house().reading, sessions.look)


def _arrival(purpose: str, begin: Callable[[], AbstractContextManager[Line]], take: Take) -> Arrival | None:
    with begin() as db:
        ticket = ticket_in(request.form.get("t", ""), purpose, db)
        if ticket is None:
            return None
        g.trip = ticket.trip
        return Arrival(ticket, *take(db, ticket, house().clock()))


@dataclass(frozen=True, slots=True)
class Stay:
    """Her time in her case: what opens it, the trip she is on, the trip that sent the case, when it must close."""

    visit: Visit
    trip: str
    sent_by: str
    expires: int | None = None  # None: fifteen minutes from now


def stay_of(ticket: Ticket) -> Stay:
    """The stay that a ticket of a case carries on."""
    told = ticket.state
    return Stay(Visit(told["case"], bytes.fromhex(told["key"])), ticket.trip, told["by"], ticket.expires)


def stay_field(stay: Stay) -> str:
    """Its ticket. The way out of her case also ends the trip that sent it: not even "it was sent" can be had again."""
    g.trip = f"{stay.trip} {stay.sent_by}"
    told = {"case": stay.visit.case, "key": stay.visit.key.hex(), "by": stay.sent_by}
    return ticket_field("visit", stay.trip, CASE, told, stay.expires)
