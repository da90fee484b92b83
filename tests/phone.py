"""A phone for the tests: a client without script and without cookies that reads pages and presses buttons."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from werkzeug.test import Client, TestResponse

MARKER_AGENT = "Mozilla/5.0 (marker-agent-7c1)"
# what Chromium and Firefox tell with a request: of an address typed, of a way from page to page, of a button pressed
TYPED = {"Sec-Fetch-Site": "none", "Sec-Fetch-User": "?1"}
WALKED = {"Sec-Fetch-Site": "same-origin"}
PRESSED = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-User": "?1"}


@dataclass
class FormOnPage:
    """A form as a browser would hold it."""

    action: str
    method: str
    id: str = ""
    values: dict[str, list[str]] = field(default_factory=dict)  # what would be sent
    offered: dict[str, list[str]] = field(default_factory=dict)  # what could be chosen
    kinds: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FormOnPage] = []
        self.apart: list[tuple[str, tuple[str, str]]] = []  # buttons that name their form from elsewhere
        self._form: FormOnPage | None = None
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = FormOnPage(told.get("action", ""), told.get("method", "get"), told.get("id", ""))
            self.forms.append(self._form)
        if tag == "button" and "form" in told:
            self.apart.append((told["form"], (told.get("name", ""), told.get("value", ""))))
            return
        if self._form is None:
            return
        name, kind = told.get("name", ""), told.get("type", "text")
        if tag == "button":
            self._form.buttons.append((name, told.get("value", "")))
        elif tag == "select":
            self._select = name
            self._form.kinds[name] = "select"
        elif tag == "option":
            self._offer(self._select or "", told, "selected")
        elif tag == "textarea":
            self._area = name
            self._form.kinds[name] = "textarea"
            self._form.values[name] = [""]
        elif tag == "input" and name:
            self._form.kinds[name] = kind
            if kind in {"radio", "checkbox"}:
                self._offer(name, told, "checked")
            else:
                self._form.values.setdefault(name, []).append(told.get("value", ""))

    def _offer(self, name: str, told: dict[str, str], mark: str) -> None:
        assert self._form is not None
        self._form.offered.setdefault(name, []).append(told.get("value", ""))
        if mark in told:
            self._form.values.setdefault(name, []).append(told.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._area is not None:
            self._form.values[self._area] = [self._form.values[self._area][0] + data]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None


def forms_on(text: str) -> list[FormOnPage]:
    """Every form of a page, with all its buttons."""
    reader = _Reader()
    reader.feed(text)
    for name, button in reader.apart:
        next(form for form in reader.forms if form.id == name).buttons.append(button)
    return reader.forms


class Phone:
    """One browser window. `cookies` is for staff only; a reporter's phone keeps none.

    An `old` one does not tell where its requests come from.
    """

    def __init__(self, app: Flask, *, cookies: bool = False, address: str = "127.0.0.77", old: bool = False) -> None:
        self.old = old
        self.client = Client(app, use_cookies=cookies)  # not Flask's own, which keeps a request's context alive
        self.address = address
        self.answer: TestResponse | None = None
        self.cookies_set: list[str] = []
        self.last: tuple[str, dict[str, list[str]]] | None = None

    def opens(self, address: str) -> str:
        """Type an address, or press a link of another site's that tells nothing of itself."""
        return self._read(self.client.get(address, **self._marks(TYPED)))

    def walks(self, address: str) -> str:
        """Be led there by a page of ours: 303, a link, Back, forward, reload."""
        return self._read(self.client.get(address, **self._marks(WALKED)))

    def _marks(self, told: dict[str, str]) -> dict[str, Any]:
        here = {"Referer": f"http://localhost{self.path}"} if self.answer is not None and told is not TYPED else {}
        return {
            "headers": {"User-Agent": MARKER_AGENT} | ({} if self.old else told) | here,
            "environ_overrides": {"REMOTE_ADDR": self.address},
            "buffered": True,  # read to the end and close, as a server does
        }

    def _read(self, answer: TestResponse) -> str:
        self.answer = answer
        self.cookies_set += answer.headers.getlist("Set-Cookie")
        if answer.status_code == 303:
            return self.walks(answer.headers["Location"])
        return self.text

    @property
    def text(self) -> str:
        assert self.answer is not None
        return self.answer.get_data(as_text=True)

    @property
    def status(self) -> int:
        assert self.answer is not None
        return self.answer.status_code

    @property
    def forms(self) -> list[FormOnPage]:
        return forms_on(self.text)

    def form(self, button: str = "", holding: str = "") -> FormOnPage:
        """The form that has a button with this value, or a field of this name."""
        for found in self.forms:
            if any(value == button for _, value in found.buttons if button) or (holding and holding in found.kinds):
                return found
        raise AssertionError(f"no form with {button or holding}: {self.title} {self.words[:300]}")

    def presses(self, button: str, **typed: Any) -> str:
        """Fill in and press. `typed` replaces what the form holds; a list ticks boxes; None leaves a field out."""
        found = self.form(button)
        return self._send(found, {"go": [button]}, typed)

    def sends(self, holding: str, **typed: Any) -> str:
        """Fill in and press the one button of the form that has this field."""
        return self._send(self.form(holding=holding), {}, typed)

    def _send(self, found: FormOnPage, pressed: dict[str, list[str]], typed: dict[str, Any]) -> str:
        values = found.values | pressed
        for name, value in typed.items():
            assert value is None or name in found.kinds, f"{name} is not asked here: {sorted(found.kinds)}"
            values[name] = (
                [] if value is None else [str(one) for one in value] if isinstance(value, list) else [str(value)]
            )
        return self.repeats(found.action, values)

    def repeats(self, action: str, values: dict[str, list[str]]) -> str:
        """The very same request, as a browser sends it again."""
        self.last = (action, values)
        return self._read(self.client.post(action or self.path, data=values, **self._marks(PRESSED)))

    @property
    def path(self) -> str:
        assert self.answer is not None
        return self.answer.request.path

    @property
    def title(self) -> str:
        found = re.search(r"<title>(.*?)</title>", self.text, re.DOTALL)
        return found.group(1).strip() if found else ""

    @property
    def words(self) -> str:
        """What can be read on the page."""
        import html

        without = re.sub(r"<(script|style|head)\b.*?</\1>", " ", self.text, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", without)).split())

    def receipt(self) -> tuple[list[str], list[str]]:
        """The words and the digits on the receipt page."""
        parts = [re.findall(r"<span>(.*?)</span>", self._part(name)) for name in ("words", "digits")]
        return parts[0], parts[1]

    def _part(self, name: str) -> str:
        found = re.search(rf'<p class="c-{name}">(.*?)</p>', self.text, re.DOTALL)
        assert found, f"no {name} on: {self.words[:300]}"
        return found.group(1)

    def facts(self) -> dict[str, list[str]]:
        """The list of what was told, as read on a page."""
        import html

        rows = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", self.text, re.DOTALL)
        return {
            html.unescape(name): [
                html.unescape(value) for value in re.findall(r'<span class="c-value">(.*?)</span>', said, re.DOTALL)
            ]
            for name, said in rows
        }
