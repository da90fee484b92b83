"""Two versions of the code are walked over by their own tests, and every answer of the one is held against the other.

    python tests/house/recorder.py BEFORE AFTER OUT [what pytest is to run]

BEFORE and AFTER are roots of checkouts with an environment in .venv, OUT is a folder for what they answered; with
nothing to run, what lies there is compared again. A file of tests that moved is named twice: each checkout takes what
it has. Knows `create_app` alone, and a window of Chromium where a test looks at pages with one. What is drawn at
random is drawn from the name of the test and the request, so that two runs draw the same; only what OpenSSL draws
(the keys behind a public key) is not.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import hashlib
import io
import itertools
import json
import os
import random
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

OUT = "RECORD_TO"  # names the folder
WALKS = ("tests.pages.every_page.walk", "tests.test_every_page")  # where Walk is, which looks at each page it reaches
ANSWER = ("fields", "status", "headers")
# what nobody sees, and is the same all the same
BENEATH = {
    "the answer is the same to the byte": "body",
    "draws at random as often": "draws",
    "asks the same of the database with the same values": "statements",
}
NAMED = re.compile(r"/([sj])-[0-9a-f]{8}\.")  # style sheet and script are named by what they hold
LENGTH = "Content-Length"  # names of classes and white space have one
DRAWN = re.compile(r"(?<=/p/)[\w-]{22}(?:/[0-9a-f]{8})?|(?<=/)[\w-]{22}(?=/\d)|\b[0-9a-f]{16,}\b|[\w-]{40,}|\b\d{5,}\b")
HERE = re.compile(r"(?<=http://127\.0\.0\.1):\d+")  # the port that was free

# ── what is recorded ────────────────────────────────────────────────────────────────────────────────────────


class Draws:
    """Bytes that look drawn, always the same for the same name."""

    def __init__(self, name: str) -> None:
        self.name, self.taken = name, 0

    def __call__(self, size: int) -> bytes:
        self.taken += 1
        return hashlib.shake_256(f"{self.name} {self.taken}".encode()).digest(size)


@dataclass
class Run:
    """One run of the tests of one version."""

    folder: Path
    test: str = "before the first test"
    seen: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    here: threading.local = field(default_factory=threading.local)
    outside: Draws = field(default_factory=lambda: Draws("before the first test"))

    def begins(self, test: str) -> None:
        self.test, self.outside = test, Draws(test)

    def draw(self, size: int) -> bytes:
        return getattr(self.here, "draws", self.outside)(size)

    def keep(self, data: bytes, ending: str) -> str:
        name = hashlib.sha256(data).hexdigest()[:20] + ending
        (self.folder / "kept" / name).write_bytes(data)
        return name

    def write(self, **told: Any) -> None:
        with self.lock, (self.folder / "record.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"test": self.test} | told, ensure_ascii=False) + "\n")

    @contextlib.contextmanager
    def request(self, label: str) -> Iterator[tuple[Draws, list[str]]]:
        with self.lock:
            self.seen[self.test, label] += 1
            draws = Draws(f"{self.test} {label} {self.seen[self.test, label]}")
        self.here.draws, self.here.statements = draws, []
        try:
            yield draws, self.here.statements
        finally:
            del self.here.draws, self.here.statements

    def executes(self, _line: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if hasattr(self.here, "statements"):
            self.here.statements.append((statement, plain(values)))


def plain(values: Any) -> str:
    """What a statement is given, without where in memory it lies."""

    def read(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [read(one) for one in value]
        if isinstance(value, dict):
            return {name: read(value[name]) for name in sorted(value)}
        return bytes(value) if isinstance(value, memoryview) else value

    return hashlib.sha256(repr(read(values)).encode()).hexdigest()[:16]


def recorded(run: Run, application: Callable[..., Any]) -> Callable[..., Any]:
    """A WSGI application that answers as this one does, and notes what it was asked and what it answered."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        label = label_of(environ)
        heard: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            heard[:] = [status, headers]
            return start_response(status, headers, *rest)

        with run.request(label) as (draws, statements):
            parts = application(environ, start)
            data = b"".join(parts)
            if hasattr(parts, "close"):
                parts.close()
        run.write(
            label=label,
            path=environ["PATH_INFO"],
            fields=fields_of(environ, body),
            status=heard[0],
            headers=[list(header) for header in heard[1]],
            body=run.keep(unpacked(data, dict(heard[1])), ".body"),
            draws=draws.taken,
            statements=statements,
        )
        return [data]

    return answer


def label_of(environ: dict[str, Any]) -> str:
    """Method and address, without what is drawn."""
    query = environ.get("QUERY_STRING", "")
    return DRAWN.sub("*", f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}{'?' + query if query else ''}")


def fields_of(environ: dict[str, Any], body: bytes) -> list[str]:
    """The names of the fields that were sent, in order."""
    if "multipart" in environ.get("CONTENT_TYPE", ""):
        return [name.decode() for name in re.findall(rb'form-data; name="([^"]*)"', body)]
    return [name for name, _ in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)]


def unpacked(data: bytes, headers: dict[str, str]) -> bytes:
    """What was compressed for the way, as it was."""
    import gzip

    return gzip.decompress(data) if headers.get("Content-Encoding") == "gzip" else data


# ── hooks of pytest ─────────────────────────────────────────────────────────────────────────────────────────

RUN = Run(Path(os.environ[OUT])) if OUT in os.environ else None


def pytest_configure() -> None:
    """Before any test is imported."""
    assert RUN is not None, OUT
    (RUN.folder / "kept").mkdir(parents=True, exist_ok=True)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from sqlalchemy import Engine, event

    from reporting import app

    os.urandom = random._urandom = RUN.draw  # noqa: SLF001 -- what `secrets` draws from
    Ed25519PrivateKey.generate = classmethod(lambda cls: cls.from_private_bytes(RUN.draw(32)))
    event.listen(Engine, "before_cursor_execute", RUN.executes)
    make = app.create_app

    def create_app(*told: Any, **named: Any) -> Any:
        made = make(*told, **named)
        made.wsgi_app = recorded(RUN, made.wsgi_app)
        return made

    app.create_app = create_app


def pytest_collection_finish() -> None:
    """Where a test looks at pages, a picture of each is kept."""
    for walk in [sys.modules[name].Walk for name in WALKS if name in sys.modules]:
        walk._look_around = with_a_picture(walk._look_around)  # noqa: SLF001 -- each page is looked at there
        from playwright.sync_api import BrowserContext

        BrowserContext.set_default_timeout = lambda *_told: None  # two runs on one machine take their time


def with_a_picture(look: Callable[..., Any]) -> Callable[..., Any]:
    """A look at a page of which a picture is kept before."""

    def look_and_keep(walk: Any, *told: Any) -> Any:
        assert RUN is not None
        picture = walk.page.screenshot(full_page=True, animations="disabled")
        path = DRAWN.sub("*", walk.page.url.removeprefix(walk.site.address))
        RUN.write(label=f"PICTURE {path}", picture=RUN.keep(picture, ".png"))
        return look(walk, *told)

    return look_and_keep


def pytest_runtest_setup(item: Any) -> None:
    """Each test draws anew."""
    assert RUN is not None
    RUN.begins(name_of(item))


def name_of(item: Any) -> str:
    """A test by its file and its name, wherever the file lies; a walk by who looks."""
    look = getattr(item.cls, "look", "") or ("callspec" in dir(item) and item.callspec.params.get("seen"))
    return f"{look}: {item.originalname}" if look else item.nodeid.rpartition("/")[2]


# ── what is compared ────────────────────────────────────────────────────────────────────────────────────────


class Seen(HTMLParser):
    """What somebody sees of a page or can press: words, links and fields; no class, no white space, nothing hidden."""

    TOLD = ("alt", "aria-label", "placeholder", "title", "lang", "open", "checked", "selected", "required", "disabled")
    SENT = ("name", "type", "value", "min", "max", "maxlength", "pattern", "inputmode", "autocomplete", "method")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._silent = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent = tag in {"script", "style"}
        told = dict(attrs)
        if told.get("type") == "hidden":
            told.pop("value", None)
        shown = [f"{name}={told[name]}" for name in (*self.TOLD, *self.SENT) if name in told]
        shown += [f"{name}={DRAWN.sub('*', told[name] or '')}" for name in ("href", "action", "src") if name in told]
        if shown:
            self.lines.append(f"<{tag} {' '.join(shown)}>")

    def handle_data(self, data: str) -> None:
        if words := " ".join(data.split()) if not self._silent else "":
            self.lines.append(words)


@dataclass
class Answer:
    """What was asked and answered once."""

    told: dict[str, Any]
    kept: Path

    @property
    def label(self) -> str:
        label: str = DRAWN.sub("*", self.told["label"])
        return label

    @property
    def is_page(self) -> bool:
        return dict(self.told.get("headers", ())).get("Content-Type", "text/html").startswith("text/html")

    @functools.cached_property
    def seen(self) -> dict[str, Any]:
        """What can be told apart from outside, without what is drawn."""
        if "picture" in self.told:
            return {"picture": self.told["picture"]}
        headers = [f"{name}: {DRAWN.sub('*', value)}" for name, value in self.told["headers"] if name != LENGTH]
        data = (self.kept / self.told["body"]).read_bytes()
        try:
            lines = [NAMED.sub(r"/\1.", HERE.sub("", line)) for line in Seen(data.decode()).lines]
        except UnicodeDecodeError:
            lines = [hashlib.sha256(data).hexdigest()]
        return {"status": self.told["status"], "fields": self.told["fields"], "headers": headers, "page": lines}

    @property
    def statements(self) -> list[str]:
        return [text for text, _ in self.told["statements"]]


def records(folder: Path) -> dict[str, list[Answer]]:
    """What was asked and answered, by test, in order."""
    found: dict[str, list[Answer]] = {}
    for line in (folder / "record.jsonl").read_text("utf-8").splitlines():
        told = json.loads(line)
        found.setdefault(told["test"], []).append(Answer(told, folder / "kept"))
    return found


def pairs(before: list[Answer], after: list[Answer]) -> Iterator[Any]:
    """The same requests of both, in order; then those that came in another order; None where only the other has it."""
    labels = [[answer.label for answer in side] for side in (before, after)]
    left, right = [], []
    for _, begin, end, first, last in difflib.SequenceMatcher(None, *labels, autojunk=False).get_opcodes():
        for one, other in itertools.zip_longest(before[begin:end], after[first:last]):
            if one and other and one.label == other.label and one.seen == other.seen:
                yield one, other
            else:
                left += [one] if one else []
                right += [other] if other else []
    for label in sorted({answer.label for answer in left + right}):
        yield from in_no_order(*([answer for answer in side if answer.label == label] for side in (left, right)))


def in_no_order(left: list[Answer], right: list[Answer]) -> Iterator[Any]:
    """Answers to one request, the equal ones first."""
    rest = []
    for one in left:
        other = next((answer for answer in right if answer.seen == one.seen), None)
        if other is None:
            rest.append(one)
        else:
            right.remove(other)
            yield one, other
    yield from itertools.zip_longest(rest, right)


def compare(before: Path, after: Path) -> bool:
    """Print what was compared and each difference; whether there is none."""
    left, right, counts = records(before), records(after), Counter[str]()
    for test in sorted(left.keys() ^ right.keys()):
        print(f"only in one: {test}")  # noqa: T201 -- for this it is
    for test in sorted(left.keys() & right.keys()):
        for is_page in (True, False):  # a browser asks for what a page needs in no order
            sides = [[answer for answer in run[test] if answer.is_page == is_page] for run in (left, right)]
            sides = sides if is_page else [sorted(side, key=lambda one: one.label) for side in sides]
            for pair in pairs(*sides):
                for count, difference in differences(*pair):
                    counts[count] += 1
                    if difference:
                        label = next(answer.label for answer in pair if answer)
                        print(f"{count}: {test}\n  {label}\n    {difference}")  # noqa: T201 -- for this it is
    for name, times in sorted(counts.items()):
        print(f"{times:7,} {name}")  # noqa: T201 -- for this it is
    return not any(name.startswith(("DIFFERENT", "only")) for name in counts)


def differences(one: Answer | None, other: Answer | None) -> Iterator[tuple[str, str]]:
    """What is to be counted of a pair, and where it differs a few words on how."""
    if one is None or other is None:
        yield f"only {'after' if one is None else 'before'}", str((one or other).told.get("status", "a picture"))
        return
    method = one.label.split()[0]
    unlike = [name for name in one.seen if one.seen[name] != other.seen[name]]
    told = [line for name in unlike for line in _unlike(name, one.seen[name], other.seen[name])]
    yield (f"DIFFERENT {method}", "\n    ".join(told)) if told else (f"{method} equal", "")
    if method != "PICTURE":
        for said, name in BENEATH.items():
            yield f"  {said}: {'yes' if one.told[name] == other.told[name] else 'no'}", ""
        yield f"  asks the same of the database: {'yes' if one.statements == other.statements else 'no'}", ""


def _unlike(name: str, one: Any, other: Any) -> list[str]:
    if isinstance(one, str):
        return [f"{name}: {one} -> {other}"]
    return [line[:300] for line in difflib.unified_diff(one, other, n=0, lineterm="")][2:14]


def start(tree: Path, out: Path, what: list[str]) -> subprocess.Popen[bytes]:
    """Run tests of a version, recording what it answers; beside the record lies what pytest said."""
    told = os.environ | {OUT: str(out), "PYTHONHASHSEED": "0", "CI": "1"}
    told["PYTHONPATH"] = os.pathsep.join((str(Path(__file__).resolve().parent), str(tree)))
    here = [one for one in what if not one.startswith("tests/") or (tree / one.partition("::")[0]).exists()]
    command = [str(tree / ".venv/bin/pytest"), "-n0", "-q", "-p", "no:cacheprovider", "-p", "recorder", *here]
    out.mkdir(parents=True)
    with (out / "pytest.txt").open("wb") as said:
        return subprocess.Popen(command, cwd=tree, env=told, stdout=said, stderr=subprocess.STDOUT)  # noqa: S603 -- ours


def main(before: str, after: str, folder: str, *what: str) -> int:
    """Record both side by side if there is something to run, then compare. 0 where nothing differs."""
    outs = [Path(folder).resolve() / name for name in ("before", "after")]
    if what:
        running = [
            start(Path(tree).resolve(), out, list(what)) for tree, out in zip((before, after), outs, strict=True)
        ]
        ended = [process.wait() for process in running]
        print(f"pytest ended with {ended}; what it said lies in {folder}")  # noqa: T201 -- for this it is
    return 0 if compare(*outs) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
