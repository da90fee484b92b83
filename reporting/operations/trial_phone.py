"""A phone for the trial of `leak_check`: it asks over HTTP, fills in forms and follows where it is led."""

from __future__ import annotations

import html
import http.client
import re
from collections.abc import Callable
from urllib.parse import urlencode

from reporting.errors import AmparoError
from reporting.i18n import said

PATIENCE = 60.0  # seconds for the trial server to begin answering; a small machine takes five
OpenLine = Callable[[], http.client.HTTPConnection]
WALKING = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-User": "?1",
    "Connection": "close",
}


class NoTrial(AmparoError):
    """The trial could not be made; the message says why."""


class Phone:
    """As much of a browser as is needed to tell, to come back and to erase."""

    def __init__(self, port: int, open_line: OpenLine | None = None, **headers: str) -> None:
        self._open = open_line or (lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE))
        self.page, self._cookie, self._headers = "", "", WALKING | headers
        self.status, self.headers = 0, http.client.HTTPMessage()

    def asks(self, method: str, path: str, **typed: str) -> str:
        """The next page. Every form of ours carries one sealed field, `t`."""
        ticket = re.search(r'name="t" value="([^"]+)"', self.page)
        body = urlencode(typed | ({"t": html.unescape(ticket[1])} if ticket else {})) if method == "POST" else None
        status, onward = self._ask(method, path, body)
        while status == http.HTTPStatus.SEE_OTHER:
            status, onward = self._ask("GET", onward, None)
        if status not in {http.HTTPStatus.OK, http.HTTPStatus.NON_AUTHORITATIVE_INFORMATION}:
            raise NoTrial(said("its server answered %(status)s.", status=status))
        return self.page

    def asks_anyway(self, method: str, path: str, **typed: str) -> int:
        """The status of the answer, whatever it is. Raises `NoTrial` only where there is none."""
        return self._ask(method, path, urlencode(typed) if method == "POST" else None)[0]

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        """(status, where it leads) of an answer."""
        line = self._open()
        try:
            line.request(method, path, body, self._headers | ({"Cookie": self._cookie} if self._cookie else {}))
            answer = line.getresponse()
            answer.length = None  # read until it hangs up: only then is all done that the page brings about
            self.page = answer.read().decode()
            self.status, self.headers = answer.status, answer.headers
        except (OSError, http.client.HTTPException) as why:
            raise NoTrial(said("its server broke off the line (%(why)s).", why=type(why).__name__)) from why
        finally:
            line.close()
        self._cookie = (answer.headers["Set-Cookie"] or self._cookie).partition(";")[0]
        return answer.status, answer.headers.get("Location", "")
