"""Tickets in a request: written into a hidden field, read back from it.

Knows neither what a ticket is for nor how it is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from markupsafe import Markup

from reporting.sessions import day_seeds, tickets
from reporting.sessions.day_seeds import Line, Seeds
from reporting.sessions.tickets import Ticket
from reporting.teams.team_log import CannotOpen
from reporting.web.context import installation, once
from reporting.web.forms import TicketForm


def hidden(name: str, value: str) -> Markup:
    """A hidden field."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(name, value)


def ticket_field(purpose: str, trip: str, step: str, state: Mapping[str, Any], expires: int | None = None) -> Markup:
    """A trip's state, sealed into the one hidden field of a form; it is as old as the last step of its trail."""
    trail = g.get("trail")
    if trail is None:
        return hidden("t", sealed_ticket(purpose, trip, step, state, expires))
    walked = dict(state) | {"w": trail.name, "c": trail.count}
    return hidden("t", sealed_ticket(purpose, trip, step, walked, expires, trail.posted))


FLAG = "flag"  # the step of the tickets below


def flag_field() -> Markup:
    """A ticket for what can be said of a service on any page: it counts once a trip. Nothing else is in it."""
    return hidden("t", sealed_ticket("draft", g.get("trip") or tickets.new_trip(), FLAG, {}))


def sealed_ticket(
    purpose: str,
    trip: str,
    step: str,
    state: Mapping[str, Any],
    expires: int | None = None,
    issued: float | None = None,
) -> str:
    """A trip's state, sealed."""
    site = installation()
    secret, now = site.settings.server_secret, site.clock() if issued is None else issued
    return tickets.write_ticket(seeds(), secret, purpose, trip, step, state, now, expires)


def ticket_in(text: str, purpose: str, db: Line | None = None) -> Ticket | None:
    """The ticket behind a field; none where it is forged, foreign, of another purpose or expired."""
    site = installation()
    try:
        return tickets.read_ticket(seeds(db), site.settings.server_secret, purpose, text, site.clock())
    except CannotOpen:
        return None


def typed_ticket() -> str:
    """The ticket as it came with the form of this request; empty where it brings none."""
    return TicketForm().t.data or ""


def seeds(db: Line | None = None) -> Seeds:
    """The seeds that open and seal tickets, read once in a request; from a session that is open anyway, if one is."""
    return once("seeds", lambda: _read_seeds() if db is None else day_seeds.seeds(db))


def _read_seeds() -> Seeds:
    with installation().looking() as db:
        return day_seeds.seeds(db)
