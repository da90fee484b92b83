"""What `amparo check` says of the server in front without sending anything of anybody's: one page is asked for.

Sends nothing that was typed, and looks into no log: whoever wants that asks for `--through`.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from reporting.clock import DAY
from reporting.config import LOCAL_HOSTS, Settings
from reporting.i18n import T_, said

PATIENCE = 5.0  # seconds for the front to answer
NO_PROXY = T_(
    "BASE_URL is https and TRUSTED_PROXY is empty, so everybody counts as one sender, and one flood shuts the door for "
    "all: set TRUSTED_PROXY=127.0.0.1."
)
NO_SENDER = T_(
    "The server in front does not set X-Forwarded-For, so everybody counts as one sender, and one flood shuts the door "
    "for all: `amparo deploy nginx` and `amparo deploy caddy` print how it is told."
)
BAD_CERTIFICATE = T_(
    "Browsers do not open %(host)s: %(said_why)s. See why the certificate is not renewed: certbot renew, and systemctl "
    "reload nginx."
)
SOON_OVER = T_(
    "The certificate of %(host)s is good for %(days)s more days, and was not renewed: certbot renew, and systemctl "
    "reload nginx."
)
NOT_TRUSTED = T_("nobody whom they trust vouches for its certificate")
WHY = {10: T_("its certificate is over"), 62: T_("its certificate is for another name")}  # X509_V_ERR of OpenSSL
RENEWED_BEFORE = 14  # days; programs that renew do it a month before
NOWHERE = ("192.0.2.1", 9)  # RFC 5737: an address of nobody


def problems(settings: Settings) -> Iterable[str] | None:
    """What is wrong with the certificate or with how senders are told apart; None where it cannot be asked."""
    url = urlsplit(settings.base_url)
    host = url.hostname or ""
    if url.scheme != "https":
        return ()
    if not settings.trusted_proxy:
        return () if host in LOCAL_HOSTS else (NO_PROXY,)
    try:
        return tuple(_asked(host, url.port))
    except ssl.SSLCertVerificationError as trouble:
        return (said(BAD_CERTIFICATE, host=host, said_why=WHY.get(trouble.verify_code, NOT_TRUSTED)),)
    except (OSError, http.client.HTTPException):
        return None


def _asked(host: str, port: int | None) -> Iterator[str]:
    """Whether the page of the exit is refused for want of a sender, and for how long browsers still come."""
    line = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=ssl.create_default_context())
    try:
        line.request("GET", "/salir")
        peer = line.sock.getpeercert() or {}
        if line.getresponse().status == http.HTTPStatus.SERVICE_UNAVAILABLE:
            yield NO_SENDER
    finally:
        line.close()
    days = int((ssl.cert_time_to_seconds(str(peer["notAfter"])) - time.time()) // DAY) if "notAfter" in peer else None
    if days is not None and days < RENEWED_BEFORE:
        yield said(SOON_OVER, host=host, days=days)


def has_network() -> bool:
    """Whether this process may reach others at all; nothing is sent."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.connect(NOWHERE)
        return True
    return False
