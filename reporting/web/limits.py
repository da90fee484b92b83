"""Limits: how many requests one sender may make in a minute, and to which addresses apart.

No address is kept: senders are counted under a key that changes every hour and is never stored.
"""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import Limiter

from reporting.config import Settings
from reporting.sessions import day_seeds
from reporting.web.context import WALK, WALKS, installation, installation_of

LARGEST_BODY = 256 * 1024  # bytes; the longest honest page is far below
# What one sender may do in a minute. Everybody behind one address (a workshop, every onion user) is one sender, so
# that none of these may be reached by honest people while somebody floods beside them: turning pages has room for 400
# requests a second, and sending, the one thing that must never fail, has more than this machine can do. Receipts: ten
# guesses a second, 36,000 an hour, against 2^77. What is too much gets its page again, sealed, to send once more.
PAGES_A_MINUTE, SENDING_A_MINUTE = 24_000, 120_000
CODES = "reporter.come_back"  # where a code is typed; it can be typed while telling, too, and counts alike
NARROW_DOORS = {CODES: 600, "auth.let_sign_in": 120}
SENDS = "reporter.take_step"  # the address that takes pages and, with the button "send", the report itself


def a_minute(count: int, settings: Settings) -> str:
    """An allowance as the counter wants it. Without Redis each worker counts alone, so each allows its share."""
    shared = not settings.limits_url.startswith("memory:")
    return f"{count if shared else max(1, count // settings.workers)} per minute"


def is_sending() -> bool:
    """The final sending, which has an allowance of its own."""
    return request.method == "POST" and request.endpoint == SENDS and request.form.get("go") == "send"


def types_a_code() -> bool:
    """Whether a code would be looked up for this request."""
    if request.endpoint != SENDS:
        return request.method == "POST"
    go, code = request.form.get("go", "next"), request.form.get("code", "")
    return request.method == "POST" and (go == "code" or (go == "next" and bool(code.strip())))


def sender() -> str:
    """A name for whoever sends this request, without keeping who it is: its key dies with the hour."""
    site = installation()
    return day_seeds.sender_mark(site.settings.server_secret, request.remote_addr or "", site.clock())


def limit_narrow_doors(app: Flask, limiter: Limiter) -> None:
    """Codes and passwords get allowances of their own, apart from turning pages; so does sending, the largest."""
    settings, rooms = installation_of(app).settings, app.view_functions
    doors = [(endpoint, endpoint) for endpoint in NARROW_DOORS] + [(SENDS, CODES)]
    for endpoint, door in doors:
        limit = limiter.shared_limit(
            a_minute(NARROW_DOORS[door], settings),
            scope=door,
            exempt_when=lambda: not types_a_code(),
            override_defaults=endpoint != SENDS,
        )
        rooms[endpoint] = limit(rooms[endpoint])  # type: ignore[assignment]
    sending = limiter.limit(
        a_minute(SENDING_A_MINUTE, settings), exempt_when=lambda: not is_sending(), override_defaults=False
    )
    rooms[SENDS] = sending(rooms[SENDS])  # type: ignore[assignment]
    walks = a_minute(WALKS * PAGES_A_MINUTE, settings)
    rooms[WALK] = limiter.limit(walks, override_defaults=True)(rooms[WALK])  # type: ignore[assignment]
