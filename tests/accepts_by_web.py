"""Somebody with a browser and the code of an invitation accepts it.

python accepts_by_web.py https://hoja.example/es/equipo/invitacion CODE

Needs nothing but Python, so that it runs on a machine on which nothing else of the tests is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
import sys
import time
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, Request, build_opener

PATIENCE = 120.0  # seconds; a busy machine takes its time to start a server
WALKED = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-User": "?1"}
FORM = re.compile(r'<form[^>]*method="post"[^>]*action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
NAMED = re.compile(r'(\w+)="([^"]*)"')


class Browser:
    """As much of a browser as an invitation needs."""

    def __init__(self, address: str) -> None:
        self._ways = build_opener(HTTPCookieProcessor(CookieJar()))
        self.address, self.page = address, ""
        self._asks(address)

    def sends(self, holding: str, **typed: str) -> None:
        """Fill in the form that holds this field, and press its button."""
        action, inner = next(found for found in FORM.findall(self.page) if f'name="{holding}"' in found[1])
        fields = [dict(NAMED.findall(field)) for field in HIDDEN.findall(inner)]
        hidden = {field["name"]: html.unescape(field.get("value", "")) for field in fields if "name" in field}
        self._asks(urljoin(self.address, html.unescape(action)), urlencode(hidden | typed).encode())

    def _asks(self, address: str, body: bytes | None = None) -> None:
        with self._ways.open(Request(address, body, WALKED), timeout=60) as answer:  # noqa: S310 -- where a test says
            self.address, self.page = answer.url, answer.read().decode()


def digits(secret: str, now: float) -> str:
    """The six digits that an authenticator app shows (RFC 6238)."""
    key = base64.b32decode(secret)
    told = hmac.digest(key, int(now // 30).to_bytes(8, "big"), hashlib.sha1)
    start = told[-1] & 15
    return f"{int.from_bytes(told[start : start + 4], 'big') % 2**31 % 10**6:06}"


def accepts(address: str, code: str) -> tuple[str, str]:
    """The code is typed, what is shown is written down and typed again. The password, and the secret of the app."""
    browser = Browser(address)
    browser.sends("code", code=code)
    browser.sends("t")
    password = html.unescape(browser.page.split('<p class="c-words">')[1].split("<")[0].strip())
    shown = re.search(r'<p class="c-digits">((?:<span>[A-Z2-7]{4}</span> )+)', browser.page)
    if shown is None:
        raise SystemExit(browser.page)
    secret = re.sub(r"<[^>]+>|\s", "", shown[1])
    browser.sends("password", password=password, code=digits(secret, time.time()), written="y")
    if "/equipo/invitacion" in browser.address:
        raise SystemExit(browser.page)
    return password, secret


def waits_for(address: str) -> None:
    """Until somebody serves it."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            Browser(address)
        except OSError:  # nobody answers, or only the server in front
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


if __name__ == "__main__":
    waits_for(sys.argv[1])
    accepts(*sys.argv[1:])
