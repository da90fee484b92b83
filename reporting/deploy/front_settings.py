"""What `amparo check` says of the server in front without sending anything of anybody's: one page is asked for.

Sends nothing that was typed, and looks into no log: whoever wants that asks for `--through`.
"""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

from reporting.config import LOCAL_HOSTS, Settings
from reporting.i18n import T_

PATIENCE = 5.0  # seconds for the front to answer
NO_PROXY = T_(
    "BASE_URL is https and TRUSTED_PROXY is empty, so everybody counts as one sender, and one flood shuts the door for "
    "all: set TRUSTED_PROXY=127.0.0.1."
)
NO_SENDER = T_(
    "The server in front does not set X-Forwarded-For, so everybody counts as one sender, and one flood shuts the door "
    "for all: `amparo deploy nginx` and `amparo deploy caddy` print how it is told."
)


def problems(settings: Settings) -> tuple[str, ...]:
    """What is wrong with how senders are told apart, each in a sentence that says what to do."""
    url = urlsplit(settings.base_url)
    if url.scheme != "https":
        return ()
    if not settings.trusted_proxy:
        here = url.hostname in LOCAL_HOSTS
        return () if here else (NO_PROXY,)
    answer = _asked(url.hostname or "", url.port)
    return (NO_SENDER,) if answer else ()


def _asked(host: str, port: int | None) -> bool:
    """Whether the page of the exit is refused for want of a sender; False also where nobody answers."""
    line = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=ssl.create_default_context())
    try:
        line.request("GET", "/salir")
        return line.getresponse().status == http.HTTPStatus.SERVICE_UNAVAILABLE
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()
