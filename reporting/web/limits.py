"""Limits: how many requests one sender may make in a minute, and what is counted apart.

No address is kept: senders are counted under a key that changes every hour and is never stored. Knows no page: what a
request counts as is said at its route.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Flask, current_app, request
from flask_limiter import Limiter
from limits import RateLimitItemPerHour

from reporting.config import Settings
from reporting.i18n import N_
from reporting.sessions import day_seeds
from reporting.web.access.traits import BadRoute, Routes, here, routes_of
from reporting.web.context import installation, installation_of
from reporting.web.logging import note_failure

LARGEST_BODY = 256 * 1024  # bytes; the longest honest page is far below
# What one sender may do in a minute. Everybody behind one address (a workshop, every onion user) is one sender, so
# that none of these may be reached by honest people while somebody floods beside them: turning pages has room for 400
# requests a second, and sending, the one thing that must never fail, has more than this machine can do. What is
# stretched has more room than two processors carry: it waits its turn (`is_costly`) instead of being refused. Only what
# would be stretched counts so: a whole sign-in of a stranger, a code that can be one, behind a ticket that holds.
# Receipts: a hundred guesses a second against 2^77. What is too much gets its page again, sealed, to send once more.
TURNING = "turning pages"  # each address apart
WALKING = "pages under a name"  # each step leads to one, also when it was one too many
SENDING, CODES, PASSWORDS = "sending", "codes", "passwords"
A_MINUTE = {TURNING: 24_000, SENDING: 120_000, CODES: 6_000, PASSWORDS: 3_000}
LONG = "long texts"  # reports, letters and additions with a long text; in an hour, as a disk fills up slowly
AN_HOUR = 60  # a workshop of thirty that writes to the limit passes twice; one who only writes fills 60 MB a day
SHORT_TEXT = 1_000  # signs; what is no longer always passes
WALKS = 3  # so many pages under a name for each page that may be turned


def a_minute(count: int, settings: Settings) -> str:
    """An allowance as the counter wants it. Without Redis each worker counts alone, so each allows its share."""
    shared = not settings.limits_url.startswith("memory:")
    return f"{count if shared else max(1, count // settings.workers)} per minute"


def count_of(allowance: str) -> int:
    """Requests a minute. Raises `BadRoute` when there is no such allowance."""
    known = A_MINUTE | {WALKING: WALKS * A_MINUTE[TURNING]}
    if allowance not in known:
        raise BadRoute(f"A route counts as {allowance!r}, and there is no such allowance.")
    return known[allowance]


def has_to_wait(text: str) -> bool:
    """Whether a text is long and this sender has sent many; if it has not to wait, it is counted."""
    if is_short(text):
        return False
    settings = installation().settings
    shared = not settings.limits_url.startswith("memory:")
    allowed = RateLimitItemPerHour(AN_HOUR if shared else max(1, AN_HOUR // settings.workers))
    limiter: Limiter = next(iter(current_app.extensions["limiter"]))
    try:
        return not limiter.limiter.hit(allowed, LONG, sender())
    except Exception as trouble:  # noqa: BLE001 -- whatever a counter on another host raises: she does not wait for it
        note_failure(trouble)
        return False


def is_short(text: str) -> bool:
    """Whether a text passes whatever happens: when many come, and when the disk is full."""
    return len(text) <= SHORT_TEXT


WAITS = N_(
    "Many long texts came from where you are. Nothing is lost: wait an hour and send it again. If you cannot wait, go "
    "back and send it short; short ones always pass, and you can add the rest with your code."
)


def turns_no_page() -> bool:
    """Whether this request is not counted as turning a page, although its route may be."""
    when = here().limits.get(TURNING)
    return when is not None and not when()


def network_of(address: str) -> str:
    """Who is counted as one: an address, and of the newer kind (IPv6) the 64 bits that one household is given.

    Whoever is told apart by an onion service keeps the whole address: there each circuit has one of its own.
    """
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address) or known in CIRCUITS:
        return address
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(IPv6Address(int(known) >> 64 << 64))


def sender_in(line: bytes) -> str | None:
    """The address in the first line of a connection as a server in front writes it; None where that is malformed.

    Version 1 of the PROXY protocol (haproxy.org), the text form: `PROXY TCP6 address address port port`. tor writes the
    number of a circuit so (spec.torproject.org/haproxy-proxy.html).
    """
    parts = line.split(b" ")
    if len(parts) != PARTS or parts[0] != b"PROXY" or parts[1] not in VERSIONS:
        return None
    try:
        addresses = [ip_address(part.decode("ascii")) for part in parts[2:4]]
        ports = [int(part) for part in parts[4:] if part.isdigit()]
    except ValueError:
        return None
    fits = all(address.version == VERSIONS[parts[1]] for address in addresses) and len(ports) == len(parts[4:])
    return str(addresses[0]) if fits and max(ports) <= LARGEST_PORT else None


PARTS, LARGEST_PORT = 6, 65_535
VERSIONS = {b"TCP4": 4, b"TCP6": 6}
# As tor writes the number of a circuit (its manual, HiddenServiceExportCircuitID).
CIRCUITS = IPv6Network("fc00:dead:beef:4dad::/64")


def sender() -> str:
    """A name for whoever sends this request, without keeping who it is: its key dies with the hour."""
    site = installation()
    return day_seeds.sender_mark(site.settings.server_secret, network_of(request.remote_addr or ""), site.clock())


def key_of_sender() -> bytes:
    """A key that only this sender has, for this hour. Nobody can make it again, whatever is seized (`hour_key`)."""
    site = installation()
    return site.hour_key.of_sender(network_of(request.remote_addr or ""), site.clock())


def is_costly(app: object, method: str, path: str) -> bool:
    """Whether a request to this address may stretch a password or a code, and so holds a processor for long.

    Never of the bare application that a bench measures the server with.
    """
    return method == "POST" and isinstance(app, Flask) and routes_of(app).slow.fullmatch(path) is not None


def _unless(when: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: not when()


def count_apart(app: Flask, limiter: Limiter, routes: Routes) -> None:
    """Let what its route counts apart from turning pages be counted so, in one count for all routes that share it."""
    settings, views = installation_of(app).settings, app.view_functions
    for endpoint, traits in routes.traits.items():
        for allowance, when in traits.limits.items():
            if allowance == TURNING:
                continue
            counted = limiter.shared_limit(
                a_minute(count_of(allowance), settings),
                scope=allowance,
                exempt_when=None if when is None else _unless(when),
                override_defaults=TURNING not in traits.limits,
            )
            views[endpoint] = counted(views[endpoint])  # type: ignore[assignment]
