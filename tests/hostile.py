"""Requests that want to do harm, made by bending good ones: the same for the same seed. Used by test_hostile.

`gather` walks through a house as a reporter and as each of the staff and keeps every request that its pages offer;
`Hostile` bends them one at a time; `judge` says what is wrong with an answer.
"""

# ruff: noqa: RUF001 -- tables of odd things are read across
from __future__ import annotations

import gzip
import html
import json
import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes, urlencode

from flask import Flask
from werkzeug.exceptions import HTTPException

from reporting.web.limits import LARGEST_BODY
from tests.people import Place
from tests.phone import FormOnPage, Phone, forms_on
from tests.trips import at_random, signs_in, starts_telling

MARK = "zzhostilezz"
IN_A_TAG, IN_A_VALUE = f"<{MARK}>", f"\" {MARK}=\"' {MARK}='"
ENDS_A_SITTING = {"sign-out", "/salir"}
EACH, LONGEST = 40, 400  # requests kept of one address; of one walk


@dataclass(frozen=True)
class Good:
    """A request that a page offers, and who would send it ("" is a reporter)."""

    who: str
    method: str
    path: str
    fields: tuple[tuple[str, str], ...] = ()
    endpoint: str = ""


@dataclass(frozen=True)
class Shot:
    """A request as it goes out: bytes, as nothing else holds all that can be sent."""

    good: Good
    method: str
    target: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes
    forged: bool = False  # from a foreign page, or without the word that only our page knows

    def on_the_wire(self, host: bytes) -> bytes:
        """With the headers that nobody bent."""
        told = dict(self.headers)
        plain = {"Host": host, "Content-Length": b"%d" % len(self.body), "Connection": b"close"}
        if "Transfer-Encoding" in told:
            del plain["Content-Length"]
        lines = [(name, value) for name, value in plain.items() if name not in told] + list(self.headers)
        head = b"".join(b"%s: %s\r\n" % (name.encode("latin-1"), value) for name, value in lines)
        return b"%s %s HTTP/1.1\r\n%s\r\n%s" % (self.method.encode(), self.target, head, self.body)


# ── good requests ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Gathered:
    """Every good request, the cookies of who signed in, and the sealed fields that pages gave out."""

    app: Flask
    requests: dict[tuple[str, str], list[Good]] = field(default_factory=dict)  # by endpoint and method
    cookies: dict[str, str] = field(default_factory=dict)
    sealed: set[str] = field(default_factory=set)
    seen: set[tuple[str, ...]] = field(default_factory=set)

    def takes(self, who: str, method: str, path: str, fields: Mapping[str, list[str]], shown: str = "") -> Good | None:
        """Keep it, unless there are enough like it."""
        path = html.unescape(path).split("#")[0] or shown
        found = endpoint_of(self.app, path, method)
        kind = (who, found, method, path.split("?")[0], fields.get("go", [""])[0])
        kept = self.requests.setdefault((found, method), [])
        if not path.startswith("/") or not found or kind in self.seen or len(kept) >= EACH:
            return None
        self.seen.add(kind)
        pairs = tuple((name, value) for name, values in fields.items() for value in values)
        self.sealed |= {value for name, value in pairs if name in {"t", "again"}}
        kept.append(Good(who, method, path, pairs, found))
        return kept[-1]

    def reads(self, who: str, shown: str, text: str) -> list[Good]:
        """Every link, and every button of every form."""
        links = re.findall(r'<a [^>]*?href="(/[^"]*)"', text)
        new = [self.takes(who, "GET", link, {}) for link in links]
        for form in forms_on(text):
            for name, value in form.buttons or [("", "")]:
                pressed = {name: [value]} if name else {}
                method = form.method.upper()
                new.append(self.takes(who, method, form.action, _filled(form) | pressed, shown))
        return [one for one in new if one]


def _filled(form: FormOnPage) -> dict[str, list[str]]:
    """What a form holds, with something chosen where a choice is open."""
    chosen = {name: offered[:1] for name, offered in form.offered.items() if name not in form.values}
    return form.values | chosen


def endpoint_of(app: Flask, path: str, method: str) -> str:
    """Where a request leads; empty where it leads nowhere."""
    raw = unquote_to_bytes(path.split("?", maxsplit=1)[0]).decode("utf-8", "replace")
    try:
        return str(app.url_map.bind("localhost").match(raw, method)[0])
    except HTTPException:
        return ""


def gather(app: Flask, place: Place, restore: Callable[[], None]) -> Gathered:
    """Walk through the house. What was pressed on the way is undone at the end."""
    found = Gathered(app)
    for language in ("es", "en"):
        for page in (
            "/",
            "/salir",
            "/fuera",
            "/s-0.css",
            "/j-0.js",
            *(
                f"/{language}/{way}"
                for way in ("", "antes", "cuidados", "ahora", "contar", "ayuda", "volver", "reglas", "cifras")
            ),
        ):
            found.takes("", "GET", page, {})
    found.takes("", "POST", "/es/aviso", {"t": [""], "service": ["linea100"]})
    receipt = _a_reporter(found, app)
    for worker in list(place.workers.values()):
        desk = signs_in(app, place, worker)
        cookie = desk.client.get_cookie("t")
        assert cookie
        found.cookies[worker.name] = cookie.value
        _walks(found, desk, worker.name)
    back = Phone(app)
    back.opens("/es/volver")
    back.sends("code", code=receipt)
    _walks_on(found, back, "", found.reads("", back.path, back.text))
    restore()
    return found


def _a_reporter(found: Gathered, app: Flask) -> str:
    """A whole trip; the code at its end."""
    words: list[str] = []
    for seed, language in ((1, "es"), (2, "en")):
        phone = starts_telling(app, language)
        for _ in range(20):
            found.seen = {kind for kind in found.seen if "reporter.take_step" not in kind}  # every page's buttons
            found.reads("", phone.path, phone.text)
            button = next(value for form in phone.forms for _, value in form.buttons if value in {"next", "send"})
            phone.presses(button, **(at_random(seed)(phone.form("next")) if button == "next" else {"letters": "1"}))
            if button == "send":
                break
        found.reads("", phone.path, phone.text)
        words = phone.receipt()[0] if language == "es" else words
    return " ".join(words)


def _walks(found: Gathered, phone: Phone, who: str) -> None:
    """Every page whose address needs nothing but a language, and on from there."""
    rules = [
        rule for rule in found.app.url_map.iter_rules() if rule.arguments == {"lang"} and "GET" in (rule.methods or ())
    ]
    first = [found.takes(who, "GET", rule.rule.replace("<lang>", "es"), {}) for rule in rules]
    _walks_on(found, phone, who, [one for one in first if one])


def _walks_on(found: Gathered, phone: Phone, who: str, ahead: list[Good]) -> None:
    """Links first, then buttons; those that end a sitting are kept and not pressed."""
    for _ in range(LONGEST):
        ahead.sort(key=lambda good: (good.method != "GET", _ends(good)))
        if not ahead or _ends(ahead[0]):
            return
        good = ahead.pop(0)
        answer = _sends(phone, good)
        ahead += found.reads(who, good.path.split("?")[0], answer)


def _ends(good: Good) -> bool:
    told = dict(good.fields).get("go", "")
    return (
        "salir" in good.path
        or "inicio" in good.path
        or told in {"erase", "end", "end-all", "dismiss", "reset", "take-out", "noted", "leave"}
    )


def _sends(phone: Phone, good: Good) -> str:
    if good.method == "GET":
        return phone.opens(good.path) if "/fuera" not in good.path else ""
    values: dict[str, list[str]] = {}
    for name, value in good.fields:
        values.setdefault(name, []).append(value)
    return phone.repeats(good.path, values)


# ── bent ones ───────────────────────────────────────────────────────────────────────────────────────────────

ODD = (
    "",
    " ",
    "\0",
    MARK,
    IN_A_TAG,
    IN_A_VALUE,
    f"javascript:{MARK}",
    "a" * 20_000,
    "{" * 3000,
    "[" * 3000 + "]" * 3000,
    "\ud800",
    "\udfff\ud800" + MARK,
    "\u202e" + MARK + "\u2066",
    "\u200d\u200b\ufeff",
    "﷽" * 200,
    "٣٣٣",
    "１２",
    "-1",
    "1e999",
    "NaN",
    "Infinity",
    "9" * 400,
    "9" * 5000,
    "0x41",
    "00",
    "+1",
    "1_0",
    str(2**31),
    str(2**63),
    str(2**63 - 1),
    "-0",
    "'; DROP TABLE record; --",
    "{{7*7}}",
    "%s%n%x",
    "%(x)s",
    "{0.__class__}",
    "../../etc/passwd",
    "..%2f..%2fetc",
    "%00",
    "true",
    "null",
    "[]",
    "{}",
    '{"a": 1}',
    "\r\nX-zz: " + MARK,
    "e\u0301" * 300,
    "²",
    "½",
    "𝟙",
    "ß" * 99,
    "İ",
    "ﬁ",
    "\x7f\x1b[31m",
    "\u2028" + MARK,
    "💥" * 500,
    "a\n" * 2000,
    "=cmd|' /C calc'!A0" + MARK,
    "d1." + "A" * 60,
    "v1.AAAA",
    "0" * 32,
    "f" * 64,
    "SELF",
    "next",
    "send",
    "to-²",
    "to-9",
    "to--1",
    "lang-xx",
    "lang-en",
    "noted",
    "erase",
    "check",
    "back",
    "code",
    "police",
    "2026-02-30",
    "2026-11-25",
    "0000-00-00",
    "25:99",
    "abaco abaco abaco abaco abaco abaco abaco",
    "0000 " * 7,
    "rosa",
)
NAMES = (
    "t",
    "t[]",
    "t.t",
    "T",
    "go",
    "f",
    "again",
    "trip",
    "code",
    "name",
    "password",
    "role",
    "text",
    "needs",
    "region",
    "number",
    "violence",
    "narrative",
    "letters",
    "team",
    "first",
    "fields",
    "service",
    "need",
    "file",
    "__proto__",
    "csrf_token",
    "_method",
    "a" * 3000,
    "\0",
    "\u202e",
    MARK,
    IN_A_TAG,
)
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
KINDS = (
    FORM,
    f"{FORM}; charset=utf-16",
    f"{FORM}; charset=utf-7",
    f"{FORM}; charset={MARK}",
    f"{FORM};;;=",
    PARTS,
    "",
    f'{PARTS}; boundary=""',
    f"{PARTS}; boundary={'b' * 300}",
    f"{PARTS}; boundary=x; boundary=y",
    "application/json",
    "text/plain",
    "text/xml",
    "multipart/mixed; boundary=x",
    "\u00ff/x",
    "a" * 3000,
)
METHODS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "TRACE", "PATCH", "CONNECT", "BREW", "PROPFIND")
PATHS: tuple[Callable[[bytes], bytes], ...] = (
    lambda p: p + b"/",
    lambda p: b"/" + p,
    lambda p: p.replace(b"/", b"//"),
    lambda p: p + b"%00",
    lambda p: p + b";x=1",
    lambda p: p + b"/%2e%2e",
    lambda p: b"/%2e%2e" + p,
    lambda p: b"/." + p,
    lambda p: p + b"/../" + MARK.encode(),
    lambda p: p + b"%c0%af",
    lambda p: p + b"\xff",
    lambda p: p + b"%ff%fe",
    lambda p: p.upper(),
    lambda p: p.title(),
    lambda p: re.sub(rb"\d+", "٣".encode(), p),
    lambda p: re.sub(rb"\d+", quote("²").encode(), p),
    lambda p: re.sub(rb"\d+", b"9" * 30, p),
    lambda p: re.sub(rb"\d+", b"-1", p),
    lambda p: re.sub(rb"\d+", b"0", p),
    lambda p: re.sub(rb"\d+", b"007", p),
    lambda p: p[:4] + b"x" + p[4:],
    lambda p: p.replace(b"/es", b"/xx", 1),
    lambda p: p.replace(b"/es", b"/en", 1),
    lambda p: p.replace(b"/es", b"/%65s", 1),
    lambda p: p.replace(b"/es", b"/", 1),
    lambda p: p + b"%E2%80%AE" + MARK.encode(),
    lambda p: p + b"?" + b"a" * 9000,
    lambda p: p + b"?t=1&t=2&%zz=%&=" + MARK.encode(),
    lambda p: p + b"?" + quote(IN_A_VALUE).encode() + b"=" + quote(IN_A_TAG).encode(),
    lambda p: p + b"?lang=xx&case=1",
    lambda p: p + b"%0d%0aX-zz:" + MARK.encode(),
    lambda p: p.replace(b"/", b"%2f"),
    lambda p: p.replace(b"/", b"\\"),
    lambda p: p + b"%ed%a0%80",
    lambda p: b"http://" + MARK.encode() + p,
    lambda p: p + b"#" + MARK.encode(),
    lambda _: b"*",
)
HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Origin", ("null", "http://[", "https://" + MARK, "http://localhost", "")),
    ("Sec-Fetch-Site", ("cross-site", "same-site", "none", "same-origin", MARK, "")),
    ("Accept-Language", ("xx", "es;q=nan", "en-" + MARK, ",;q=," * 500)),
    ("Accept-Encoding", ("gzip", "gzip;q=0", "br;q=1e9", "identity;q=0, *;q=0")),
    ("Accept", ("application/json", "text/" + MARK, "*")),
    ("Range", ("bytes=0-1", "bytes=-9999999999", "zz=" + MARK)),
    ("If-None-Match", ("*", f'"{MARK}"')),
    ("If-Modified-Since", ("Thu, 99 Foo 2026", "0")),
    (
        "Cookie",
        (
            f"t={MARK}",
            "t=",
            "t=" + "0" * 64,
            f'{MARK}={MARK}; t="\\377',
            "session=eyJ9.x.y",
            "a=b;" * 900,
            "t=ñ",
            "=;=",
        ),
    ),
    ("X-Forwarded-For", ("127.0.0.1", MARK, "::1, " * 400)),
    ("X-Forwarded-Host", (MARK + ".example",)),
    ("X-Forwarded-Proto", ("https", MARK)),
    ("X-Forwarded-Prefix", ("/" + MARK,)),
    ("Forwarded", (f"for={MARK};host={MARK}",)),
    ("X-Original-URL", ("/es/equipo/personas",)),
    ("X-HTTP-Method-Override", ("DELETE",)),
    ("X-Rewrite-URL", ("/" + MARK,)),
    (
        "Host",
        (
            MARK + ".example",
            "localhost:99999",
            "[::1",
            "a b",
            "",
            "ñ",
            "localhost\x00",
            "127.0.0.1:80:80",
            "xn--" + MARK,
        ),
    ),
    ("Authorization", ("Basic !!!", "Bearer " + MARK, "Basic " + "QQ==" * 900)),
    ("Referer", ("http://" + MARK,)),
    ("User-Agent", (MARK, "", "a" * 3000)),
    ("Expect", ("100-continue", MARK)),
    ("Upgrade", ("websocket", "h2c")),
    ("Content-Encoding", ("gzip", "zlib", MARK)),
    ("Content-Length", ("0", "5", "999", "-1", "+3", "1e3", "٣", "")),
    ("Transfer-Encoding", ("chunked", "identity", MARK)),
    ("Date", (MARK,)),
    (MARK, (MARK,)),
)
FOREIGN = {("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://" + MARK)}

Pairs = list[tuple[str, str]]


class Hostile:
    """Draws requests, always the same for a seed and a house."""

    def __init__(self, found: Gathered, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 -- reproducible, not secret
        self.kinds = sorted(kind for kind, kept in found.requests.items() if kept)
        self.found = found
        values = {pair for kept in found.requests.values() for good in kept for pair in good.fields}
        self.values = sorted({(name, value) for name, value in values if len(value) < 60})
        self.sealed = sorted(found.sealed)
        self.words = sorted({value for name, value in values if name in {"f", "trip"}})

    def draw(self) -> Shot:
        """One good request, bent in one, two or three ways."""
        chance = self.chance
        good = chance.choice(self.found.requests[chance.choice(self.kinds)])
        if good.endpoint == "auth.let_sign_in" and chance.random() < 0.8:  # a stretched password takes its time
            return self.draw()
        pairs, method, target = list(good.fields), good.method, quote(good.path, safe="/?&=%").encode()
        headers: dict[str, bytes] = {}
        kind, spoil = FORM, False
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3))):
            way = chance.random()
            if way < 0.62 and pairs:
                pairs = self._bend(pairs)
            elif way < 0.72 and good.method == "POST":
                kind, spoil = chance.choice((FORM, PARTS, PARTS, *KINDS)), chance.random() < 0.3
            elif way < 0.92:
                name, offered = chance.choice(HEADERS)
                headers[name] = chance.choice(offered).encode("utf-8").replace(b"\x00", b"")
            elif way < 0.97:
                target = chance.choice(PATHS)(target)
            else:
                method = chance.choice(METHODS)
        body, kind = self._body(pairs, kind) if good.method == "POST" else (b"", "")
        if spoil:
            cut = chance.randrange(len(body) + 1)
            body = chance.choice((body[:cut], body[:cut] + b"\xff\x00%" + body[cut:], body * 2, bytes(9) + body))
        if kind:
            headers["Content-Type"] = kind.encode("utf-8")
        if good.who and "Cookie" not in headers and chance.random() < 0.97:
            headers["Cookie"] = f"t={self.found.cookies[good.who]}".encode()
        foreign = any((name, value.decode("utf-8")) in FOREIGN for name, value in headers.items())
        lost = good.who != "" and dict(good.fields).get("f") not in [value for name, value in pairs if name == "f"][:1]
        return Shot(good, method, target, tuple(headers.items()), body, foreign or (lost and method == "POST"))

    def _word(self) -> str:
        chance, kind = self.chance, self.chance.randrange(10)
        if kind < 6:
            return chance.choice(ODD)
        if kind < 8 and self.sealed:
            return self._bent(chance.choice(self.sealed))
        if kind == 8 and self.words:
            return chance.choice(self.words)
        return "".join(chr(chance.choice((chance.randrange(128), chance.randrange(0x110000)))) for _ in range(9))

    def _bent(self, good: str) -> str:
        place = self.chance.randrange(len(good) + 1)
        return self.chance.choice(
            (
                good,
                good,
                good,
                good[:place],
                good[:place] + MARK + good[place:],
                good.swapcase(),
                good * 2,
                good[:place] + "A" + good[place + 1 :],
                good[:-1] + "B",
                good + "=",
                " " + good,
            )
        )

    def _bend(self, pairs: Pairs) -> Pairs:  # noqa: C901 -- one row for each change
        """One change to the fields of a form."""
        chance, place = self.chance, self.chance.randrange(len(pairs))
        name, value = pairs[place]
        way = chance.randrange(15)
        if way < 4:
            pairs = [*pairs[:place], (name, self._word()), *pairs[place + 1 :]]
        elif way == 4:  # a value that another page offers under this name
            others = [other for known, other in self.values if known == name] or [value]
            pairs = [*pairs[:place], (name, chance.choice(others)), *pairs[place + 1 :]]
        elif way == 5:  # a field of another page
            pairs = [*pairs, chance.choice(self.values)] if self.values else pairs
        elif way == 6:
            pairs = [*pairs[:place], *pairs[place + 1 :]]
        elif way == 7:
            pairs = [*pairs, (name, self._word()), (name, value)]
        elif way == 8:
            pairs = [
                *pairs[:place],
                (chance.choice((name + "[]", name + ".0", name.upper(), *NAMES)), value),
                *pairs[place + 1 :],
            ]
        elif way == 9:
            pairs = [*pairs, (chance.choice(NAMES), self._word())]
        elif way == 10 and self.sealed:  # a sealed field of another page, step, trip or purpose
            pairs = [
                ("t" if one == "t" else one, chance.choice(self.sealed) if one == "t" else told) for one, told in pairs
            ]
        elif way == 11 and self.sealed:
            pairs = [*pairs, ("again", chance.choice(self.sealed))]
        elif way == 12:
            pairs = [(one, told if one in {"t", "f", "go"} else self._word()) for one, told in pairs]
        elif way == 13:
            pairs = [(one, self._word() if one == "go" else told) for one, told in pairs]
        else:
            room = LARGEST_BODY - len(urlencode([(one, told.encode("utf-8", "surrogatepass")) for one, told in pairs]))
            long = chance.choice((1000, 4001, 20_001, room - 20, room, room + 9)) if chance.random() < 0.2 else 4001
            pairs = [*pairs[:place], (name, "x" * max(0, long)), *pairs[place + 1 :]] + [("many", "1")] * chance.choice(
                (0, 0, 250)
            )
        return pairs

    def _body(self, pairs: Pairs, kind: str) -> tuple[bytes, str]:
        if "json" in kind:
            return json.dumps(self.chance.choice((dict(pairs), pairs, {"f": pairs}, [], 7, None, MARK))).encode(), kind
        if not kind.startswith(PARTS):
            return "&".join(f"{_spelt(name)}={_spelt(value)}" for name, value in pairs).encode(), kind
        mark = self.chance.choice(("x", "----WebKitFormBoundary7", "'()+_,-./:=?", "b" * 70))
        of_a_file = self.chance.choice(
            ("", "", "", f'; filename="{MARK}.exe"', "; filename*=utf-8''%ff", '; filename=""')
        )
        parts = (
            b'--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
            % (mark.encode(), _raw(name).replace(b'"', b"%22").replace(b"\r\n", b""), of_a_file.encode(), _raw(value))
            for name, value in pairs
        )
        return b"".join(
            parts
        ) + b"--%s--\r\n" % mark.encode(), kind if "boundary" in kind else f'{PARTS}; boundary="{mark}"'


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _spelt(text: str) -> str:
    return quote_from_bytes(_raw(text))


# ── what is wrong with an answer ────────────────────────────────────────────────────────────────────────────

MAY_SET_COOKIES = "auth."
REPEATED = (f"<{MARK}".encode(), f'" {MARK}="'.encode(), f"' {MARK}='".encode())


def judge(shot: Shot, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> list[str]:
    """Everything that should not be so, in words."""
    told = [(name.lower(), value) for name, value in headers]
    body = gzip.decompress(body) if ("content-encoding", "gzip") in told and body else body
    kind = dict(told).get("content-type", "")
    page = b"".join(body.split()) if not kind.startswith("text/html") else body
    bare = shot.method in {"HEAD", "OPTIONS"} or status in {204, 303, 308, 304}
    wrong = {
        f"status {status}": not 200 <= status < 500,
        "no page in words": not bare and kind.startswith("text/html") and b"<h1" not in page and b"<main" not in page,
        "not a page": not bare and status >= 400 and not kind.startswith("text/html"),
        "a trace": b"Traceback" in body or b"werkzeug" in body.lower() or b"waitress" in body.lower(),
        "what was sent stands in the page as it came": kind.startswith("text/html")
        and any(one in body for one in REPEATED),
        "what was sent stands in a header": any(MARK in value for name, value in told if name != "location"),
        "a header that was sent": "x-zz" in dict(told),
        "a cookie on a page of hers": "set-cookie" in dict(told) and not shot.good.endpoint.startswith(MAY_SET_COOKIES),
        "another language": b"lang-" not in shot.body
        and b"<main" in page
        and language_of(page) != _language(shot.target),
    }
    return [name for name, is_so in wrong.items() if is_so]


def language_of(page: bytes) -> str | None:
    found = re.search(rb'<html lang="(\w+)"', page)
    return found[1].decode() if found else None


def _language(target: bytes) -> str:
    path = re.sub(rb"^http://[^/]*|^/(?=/)|[?#].*", b"", target, flags=re.DOTALL)
    return "en" if unquote_to_bytes(path).startswith(b"/en/") else "es"


def as_text(shot: Shot) -> str:
    """For the list of what went wrong."""
    body: Any = shot.body[:400]
    return f"{shot.good.endpoint} {shot.method} {shot.target[:200]!r} {str(dict(shot.headers))[:300]} {body!r}"
