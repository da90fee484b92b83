"""A browser in which somebody of the staff signed in before: it waits behind no stranger's wrong tries.

It is known by a cookie of the desk's own addresses: random bytes, and what the pepper makes of them with the name that
is typed beside it. The cookie names nobody, opens nothing, and is never sent to a page of reporters.
"""

from __future__ import annotations

import hmac
import os
import re

from flask import Response, request

from reporting import clock
from reporting.teams import accounts
from reporting.teams.accounts import Sender
from reporting.teams.members import Locked
from reporting.web.access.audience import AT_THE_DESK
from reporting.web.context import installation
from reporting.web.limits import sender

LIFE = 30  # days
MOST = 4  # people who share one computer of the team; of more, those who signed in last
HALF = 16  # bytes that are drawn, and as many that the pepper makes of them
_TOKEN = re.compile(r"[0-9a-f]{64}")


def cookie_name() -> str:
    """Neutral, as all our names are. The prefix makes browsers refuse a cookie that is not Secure."""
    return "__Secure-d" if installation().settings.secure else "d"


def whose_try(member: Locked | None) -> Sender:
    """From where somebody tries to sign in with the name of this member: this very browser, or an address."""
    token = _token_of(member)
    return Sender(f"browser {token}", known=True) if token else Sender(sender())


def is_known_here(member: Locked | None) -> bool:
    """Whether this member signed in here in the last thirty days, with the password of now."""
    return bool(_token_of(member))


def has_any() -> bool:
    """Whether this browser is known for anybody."""
    return bool(_tokens())


def remember(response: Response, member: Locked) -> Response:
    """From now on this browser is known for thirty days, or until it is forgotten, or the password is changed."""
    drawn, known = os.urandom(HALF), _token_of(member)
    token = (drawn + _made(drawn, member, _today())).hex()
    others = [other for other in _tokens() if other != known]
    return _put(response, "".join([token, *others][:MOST]), LIFE * clock.DAY)


def forget(response: Response) -> Response:
    """Nobody is known by this browser any more."""
    return _put(response, "", 0)


def _put(response: Response, value: str, seconds: int) -> Response:
    """One cookie for each language: the addresses of the desk begin with it."""
    for language in installation().catalogues:
        response.set_cookie(
            cookie_name(),
            value,
            max_age=seconds,
            path=f"/{language}/{AT_THE_DESK}",
            secure=installation().settings.secure,
            httponly=True,
            samesite="Strict",
        )
    return response


def _tokens() -> list[str]:
    return _TOKEN.findall(request.cookies.get(cookie_name(), ""))[:MOST]


def _token_of(member: Locked | None) -> str:
    """The token here that was made for this member; empty where there is none."""
    days = range(_today() - LIFE, _today() + 1)
    for token in _tokens() if member is not None else ():
        drawn, proof = bytes.fromhex(token)[:HALF], bytes.fromhex(token)[HALF:]
        if any(hmac.compare_digest(_made(drawn, member, day), proof) for day in days):  # type: ignore[arg-type]
            return token
    return ""


def _today() -> int:
    return int(installation().clock()) // clock.DAY


def _made(drawn: bytes, member: Locked, day: int) -> bytes:
    return accounts.proof_of_browser(installation().settings.pepper, drawn, member, day, HALF)
