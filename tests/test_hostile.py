"""Hostile requests from a grammar over every address: a sentence and a 4xx, never a 500, nothing of it in a log.

The suite sends a small share, always the same. By hand: python -m tests.test_hostile 100000 [seed]
"""

from __future__ import annotations

import logging
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from reporting.app import create_app
from reporting.teamlog import ADVOCATE, COORDINATOR
from tests.people import Place, a_furnished_place
from tests.trips import signs_in, starts_telling

MARK = "zzhostilezz"
SHARE, SEED = 400, 8
ODD = (
    "", "\0", MARK, "a" * 20_000, "{" * 3000, "[" * 3000 + "]" * 3000, "\ud800", "\udfff\ud800", "\u202e" + MARK,
    "﷽" * 200, "٣٣٣", "-1", "1e999", "NaN", "9" * 400, "0x41", "'; DROP TABLE record; --", "{{7*7}}", "%s%n%x", "<b>",
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "true", "null", "\r\nX: y", "e\u0301" * 300, "\ufeff", "²",
    "SELF", "next", "send", "to-²", "lang-xx", "noted", "erase", "dismiss", "let-in",
)  # fmt: skip
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "text/plain", "",
         "multipart/form-data", "application/x-www-form-urlencoded; charset=utf-16", "\u00ff/x")  # fmt: skip
METHODS = ("GET", "POST", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "TRACE", "BREW")
HEADERS = ("Origin", "Sec-Fetch-Site", "Accept-Language", "Accept-Encoding", "Range", "If-None-Match", "Cookie",
           "Content-Length", "Transfer-Encoding", "X-Forwarded-For", "Host", "Authorization")  # fmt: skip
FIELDS = ("t", "go", "f", "again", "trip", "code", "name", "password", "role", "text", "needs", "region", "number",
          "violence", "narrative", "letters", "first", "when", "unit", "age", "lang", "words", "old")  # fmt: skip


class Hostile:
    """Draws requests, always the same for a seed. `kept` are tickets and tokens that were good once, or still are."""

    def __init__(self, app: Flask, kept: list[str], seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 -- reproducible, not secret
        self.rules = [rule.rule for rule in app.url_map.iter_rules()]
        self.kept = kept

    def word(self) -> str:
        kind, chance = self.chance.randrange(6), self.chance
        if kind < 3:
            return chance.choice(ODD)
        if kind == 3 and self.kept:
            return self.bent(chance.choice(self.kept))
        return "".join(chr(chance.choice((chance.randrange(128), chance.randrange(0x110000)))) for _ in range(9))

    def bent(self, good: str) -> str:
        place = self.chance.randrange(len(good) + 1)
        return self.chance.choice((good, good[:place], good[:place] + MARK + good[place:], good.swapcase(), good * 2))

    def address(self) -> str:
        parts = []
        easy = [rule for rule in self.rules if rule.count("<") <= 1]  # the others mostly lead nowhere
        for part in self.chance.choice(self.chance.choice((self.rules, easy))).split("/"):
            hole = "<" in part
            if hole and self.chance.random() < 0.8:
                part = self.chance.choice(("es", "en", "1", str(2**63), str(2**31), "-1"))  # noqa: PLW2901
            elif hole or self.chance.random() < 0.03:
                part = self.word()[:300]  # noqa: PLW2901
            parts.append(part)
        return "/".join(parts) or "/"

    def body(self) -> bytes:
        from urllib.parse import quote_from_bytes

        def spelt(text: str) -> str:
            return quote_from_bytes(text.encode("utf-8", "surrogatepass"))

        pairs = [(self.chance.choice(FIELDS), self.word()) for _ in range(self.chance.choice((0, 1, 3, 8, 300)))]
        raw = "&".join(f"{spelt(name)}={spelt(value)}" for name, value in pairs).encode()
        spoilt = bytes(self.chance.randrange(256) for _ in range(30))
        return self.chance.choice((raw, raw, raw, raw[: len(raw) // 2], spoilt + raw, b"%" * 500, b"--x\r\n\r\n" + raw))

    def request(self) -> dict[str, Any]:
        headers = [(self.chance.choice(HEADERS), self.word().encode("utf-8", "replace").decode("latin-1"))
                   for _ in range(self.chance.choice((0, 0, 1, 2)))]  # fmt: skip
        clean = [(name, value.replace("\r", "").replace("\n", "")[:2000]) for name, value in headers]
        return {"path": self.address(), "method": self.chance.choice(METHODS), "data": self.body(),
                "content_type": self.chance.choice(KINDS), "headers": clean}  # fmt: skip


def send(client: Client, told: dict[str, Any]) -> int:
    """As a web server hands it over: the path in bytes, whatever they are."""
    path = told["path"].encode("utf-8", "surrogatepass").decode("latin-1")
    lengths = [value for name, value in told["headers"] if name == "Content-Length" and value.isdigit()]
    length = {"CONTENT_LENGTH": lengths[0]} if lengths else {}
    headers = [(name, value) for name, value in told["headers"] if name not in {"Content-Length", "Host"}]
    answer = client.open("/", method=told["method"], data=told["data"], content_type=told["content_type"],
                         headers=headers, environ_overrides={"PATH_INFO": path, **length}, buffered=True)  # fmt: skip
    return answer.status_code


def attack(app: Flask, place: Place, count: int, seed: int) -> Counter[int]:
    """So many requests: from nobody and from each role in turn. Returns how often each status came."""
    desks = [signs_in(app, place, worker).client for worker in place.workers.values()]
    draft = starts_telling(app).form("next").values["t"][0]
    hostile, found = Hostile(app, [draft, "d1." + "A" * 60, "v1.AAAA", "0" * 32, "0" * 40], seed), Counter[int]()
    for number in range(count):
        who = desks[number % len(desks)] if number % 3 == 0 else Client(app, use_cookies=False)
        told = hostile.request()
        status = send(who, told)
        found[status] += 1
        if status >= 500 and status != 503:
            sys.stderr.write(f"{number} {status} {told['method']} {told['path']!a} {told['data'][:300]!r}\n")
    return found


def furnished(folder: Path) -> Place:
    place = a_furnished_place(folder)
    place.hires("carmen", COORDINATOR)
    place.hires("ana", ADVOCATE)
    return place


def test_hostile_requests_get_a_page_and_leave_no_trace(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    place = furnished(tmp_path / "instance")
    found = attack(create_app(place.settings, place.clock), place, SHARE, SEED)
    assert sum(found.values()) == SHARE
    assert not [status for status in found if status >= 500]
    assert found[200] + found[410] + found[422] > SHARE / 20, "some of it reaches the rooms behind the door"
    assert MARK not in caplog.text


if __name__ == "__main__":
    import resource
    import tempfile

    logging.basicConfig(filename="/dev/stderr", level=logging.WARNING)
    with tempfile.TemporaryDirectory() as somewhere:
        made = furnished(Path(somewhere) / "instance")
        running = create_app(made.settings, made.clock)
        attack(running, made, 2000, 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        told = attack(running, made, int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SEED)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sys.stdout.write(f"{dict(sorted(told.items()))} peak memory {before // 1024} -> {after // 1024} MB\n")
