"""Nothing of her is found: not her words, address, browser or code, in any file, log, dump or free page."""

from __future__ import annotations

import http.client
import logging
import sqlite3
import time
import urllib.parse
from pathlib import Path

import pytest

from reporting.crypto import receipts
from reporting.storage.database import reading, writing
from tests import server
from tests.people import Place
from tests.phone import PRESSED, TYPED, WALKED, FormOnPage, Phone, forms_on
from tests.trips import begins

MARKER = "zarzamora-4417"
AGENT = "marker-agent-7c1"
ADDRESS = "127.0.0.77"
TOLD = {"narrative": MARKER, "consents": ["C_LETTERS"], "violence": ["RAPE"], "region": "PIURA"}


class FarPhone(Phone):
    """A phone that speaks to a real server over a real connection, from an address of its own."""

    def __init__(self, port: int) -> None:
        self.port, self.page, self.code, self.cookies_set, self.here = port, "", 0, [], "/"
        self.last = None

    def request(self, method: str, path: str, body: str | None = None, told: dict[str, str] = TYPED) -> str:
        line = http.client.HTTPConnection("127.0.0.1", self.port, source_address=(ADDRESS, 0), timeout=30)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        line.request(method, path, body, {"User-Agent": AGENT} | told | kind)
        answer = line.getresponse()
        self.page, self.code, self.here = answer.read().decode(), answer.status, path
        self.cookies_set += answer.headers.get_all("Set-Cookie") or []
        line.close()
        if self.code == 303:
            return self.request("GET", answer.headers["Location"], told=WALKED)
        return self.page

    def opens(self, address: str) -> str:
        return self.request("GET", address)

    def repeats(self, action: str, values: dict[str, list[str]]) -> str:
        self.last = (action, values)
        return self.request("POST", action or self.here, urllib.parse.urlencode(values, doseq=True), PRESSED)

    @property
    def text(self) -> str:
        return self.page

    @property
    def status(self) -> int:
        return self.code

    @property
    def forms(self) -> list[FormOnPage]:
        return forms_on(self.page)


@pytest.fixture
def place(place: Place) -> Place:
    place.clock.now = time.time()
    return place


def test_after_a_report_a_letter_and_a_visit_nothing_of_her_is_found(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with server.running(place.settings.instance) as running:
        phone = FarPhone(running.port)
        begins(phone)
        for _ in range(7):
            fields = phone.form("next").kinds
            phone.presses("next", **{name: value for name, value in TOLD.items() if name in fields})
        phone.presses("send")
        words, digits = phone.receipt()
        back = FarPhone(running.port)
        back.opens("/es/volver")
        back.sends("code", code=" ".join(words))
        back.presses("write", text=f"carta {MARKER}")
        assert MARKER in back.text
        back.opens(f"/nothing/{MARKER}")
        back.sends_junk = back.repeats("/es/volver", {"code": [MARKER]})  # type: ignore[attr-defined]
        assert phone.cookies_set == back.cookies_set == []
        found = search(place, running.log, words, digits)
    assert found == []
    assert search(place, running.log, words, digits) == []


def search(place: Place, log: Path, words: list[str], digits: list[str]) -> list[str]:
    """Every place where something of her stands: all files of the instance, the write-ahead log, a dump, the logs."""
    hay = {path.name: path.read_bytes() for path in place.settings.instance.rglob("*") if path.is_file()}
    hay["log"] = log.read_bytes()
    database = sqlite3.connect(place.settings.instance / "amparo.db")
    hay["dump"] = "\n".join(line for line in database.iterdump() if 'INSERT INTO "place"' not in line).encode()
    database.close()
    plain = [receipts.plain(word).strip() for word in words]
    needles = [
        MARKER,
        AGENT,
        ADDRESS,
        " ".join(words),
        " ".join(plain),
        "".join(digits),
        " ".join(digits),
        *together(plain),
    ]
    return [f"{needle} in {name}" for name, text in hay.items() for needle in needles if needle.encode() in text]


def together(words: list[str]) -> list[str]:
    """Four-letter beginnings in a row: a single one could stand anywhere by chance."""
    beginnings = [word[:4] for word in words]
    return [between.join(beginnings) for between in (" ", "", "-", ",")] + [
        between.join(words) for between in ("", "-", ",")
    ]


def test_the_search_itself_finds_what_is_there(place: Place, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"{ADDRESS} GET /es/ {AGENT}", encoding="utf-8")
    (place.settings.instance / "note.txt").write_text(MARKER, encoding="utf-8")
    found = search(place, log, ["uno"] * 7, ["0001"] * 7)
    assert {line.split(" in ")[0] for line in found} == {MARKER, AGENT, ADDRESS}


def test_an_erased_report_leaves_no_sealed_byte_behind(place: Place) -> None:
    from reporting.cases import store
    from reporting.storage.database import checkpoint

    visit = place.comes_back(place.receives(narrative=MARKER))
    raw = sqlite3.connect(place.settings.instance / "amparo.db")
    bodies = [row[0] for row in raw.execute("SELECT body FROM record UNION SELECT receipt_key FROM case_file")]
    raw.close()
    with writing(place.engine) as db:
        store.erase(db, visit, place.settings.pepper, place.clock())
    assert checkpoint(place.engine)
    files = b"".join(path.read_bytes() for path in place.settings.instance.glob("amparo.db*"))
    assert len(bodies) == 6
    assert not [body for body in bodies if body[20:60] in files]


def test_the_log_names_a_failure_without_what_was_typed(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reporting.app import create_app
    from reporting.crypto import receipts

    def fail(typed: str, _language: str) -> None:
        raise RuntimeError(typed)

    app = create_app(place.settings, place.clock)
    monkeypatch.setattr(receipts, "read", fail)
    phone = Phone(app)
    phone.opens("/es/volver")
    phone.sends("code", code=MARKER)
    assert phone.status == 500
    assert "RuntimeError" in caplog.text
    assert MARKER not in caplog.text + phone.text
    with reading(place.engine):
        pass


def test_the_log_of_the_web_server_names_neither_path_nor_message(caplog: pytest.LogCaptureFixture) -> None:
    from reporting.web.logging import discreet

    log = logging.getLogger("tests.waitress")
    log.addFilter(discreet)
    try:
        int(MARKER)
    except ValueError:
        log.exception("Exception while serving /%s", MARKER)
    log.warning("Client disconnected while serving /%s", MARKER)
    assert [record.getMessage().split(" at ")[0] for record in caplog.records] == ["ValueError"]
    assert MARKER not in caplog.text
