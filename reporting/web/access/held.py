"""Nothing typed is lost with a session: a form that comes after it has ended waits, sealed, until she signs in again.

Then the page of that form shows what she typed, and a sentence says why; nothing is done before she presses again.
For whom a form was made it says itself, under our proof: so a forged one waits for nobody, and what waits is opened
by nobody but her. Passwords, digits and recovery sheets are never held. Knows no page.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping

from flask import current_app, g, request
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException
from wtforms import PasswordField

from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.sessions import held_requests, tickets
from reporting.sessions.held_requests import HeldRequest
from reporting.teams import members, staff_sessions
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CannotOpen
from reporting.web.access.tickets import sealed_ticket, ticket_in
from reporting.web.access.traits import here
from reporting.web.context import installation
from reporting.web.forms import HELD, HELD_UNWRITTEN, SecretArea, SecretField
from reporting.web.requests import speak

FIELD = "h"  # the hidden field of the sign-in page, and the step of the ticket in it
GUARD, DIGITS = "f", "code"  # fields that are no typing
SECRET = (PasswordField, SecretField, SecretArea)
# fields that a page carries, or that are picked from what it offers: nobody writes into them on any page
PICKED = frozenset(
    "v go number key step stamp trip version door fields service owner consent need team mark because outcome knows"
    " channel case".split()
)
WAITS = N_("Your session had ended. Nothing is lost: sign in again and you see it, before anything is sent.")


class SessionOver(AmparoError):
    """The session of this form has ended. `waiting` is what was sent, sealed; empty where nothing has to be kept."""

    def __init__(self, waiting: str) -> None:
        self.waiting = waiting
        super().__init__("the session has ended")


def came_too_late(keys: Keys | None) -> HeldRequest | None:
    """The request, where its form is of another session of the very same person, who is signed in.

    None where it is of this session, or no form of ours. Raises `SessionOver` where somebody has to sign in for it.
    """
    if request.method != "POST" or "held" in g:
        return None
    site = installation()
    try:
        word, member = held_requests.made_for(site.settings.server_secret, request.form.get(GUARD, ""), site.clock())
    except CannotOpen:
        return None
    if keys is not None and member == keys.member:
        is_of_now = hmac.compare_digest(word, staff_sessions.form_token(g.token))
        return None if is_of_now else _typed()
    raise SessionOver(request.form.get(FIELD, "") or _sealed_for(member))  # what waits already goes on waiting


def _typed() -> HeldRequest:
    fields = {name: values for name, values in request.form.to_dict(flat=False).items() if name not in set(_unkept())}
    return HeldRequest(request.path, request.args.to_dict(flat=False), fields)


def _unkept() -> Iterator[str]:
    """Names of fields that are not held: the guard, and whatever is secret in a form of this route."""
    yield from (GUARD, FIELD)
    for form in here().forms:
        kinds = {name: getattr(getattr(form, name), "field_class", object) for name in dir(form)}
        secret = [name for name, kind in kinds.items() if issubclass(kind, SECRET)]
        yield from secret
        if secret:
            yield DIGITS


def _sealed_for(member: int) -> str:
    """What was typed, for this member alone; empty where nothing was, or the account is gone."""
    typed, site = _typed(), installation()
    if not typed.form:
        return ""
    try:
        with site.reading() as db:
            sealed = held_requests.seal_for(members.public_key_or_none(db, member), member, typed)
        until = int(site.clock()) + held_requests.LIFE
        return sealed_ticket("visit", tickets.new_trip(), FIELD, {"sealed": sealed}, until)
    except CannotOpen:
        return ""


def opened(waiting: str | None, member: int, private: bytes) -> HeldRequest | None:
    """What waits for this member; None for everybody else, an hour later, or where nothing waits."""
    ticket = ticket_in(waiting, "visit") if waiting else None
    if ticket is None or ticket.step != FIELD:
        return None
    try:
        return held_requests.open_for(private, member, ticket.state["sealed"])
    except CannotOpen:
        return None


def shown_again(held: HeldRequest) -> ResponseReturnValue | None:
    """The page it was sent from, with what was typed there. Nothing is done. None where there is no such page."""
    adapter = request_ctx.url_adapter
    if adapter is None:
        return None
    try:
        rule, parts = adapter.match(held.path, method="POST", return_rule=True)
    except HTTPException:
        return None
    named = {name: part for name, part in parts.items() if name != "lang"}
    speak(str(parts.get("lang", "")))
    request.url_rule, request.view_args = rule, named
    request.form, request.args = _fields(held.form), _fields(held.query)
    g.held, g.notice = True, HELD if _is_written(held) else HELD_UNWRITTEN
    return current_app.ensure_sync(current_app.view_functions[rule.endpoint])(**named)  # type: ignore[no-any-return]


def _is_written(held: HeldRequest) -> bool:
    return any(value.strip() for name, values in held.form.items() if name not in PICKED for value in values)


def _fields(typed: Mapping[str, list[str]]) -> ImmutableMultiDict[str, str]:
    return ImmutableMultiDict([(name, value) for name, values in typed.items() for value in values])
