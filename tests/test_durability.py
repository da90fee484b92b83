"""What was acknowledged is there, whole, once; whatever happens to the server or the line."""

from __future__ import annotations

import http.client
import random
import socket
import threading
import time
import urllib.parse
from pathlib import Path

import pytest

from reporting import casebook, receipts
from reporting.database import reading, writing
from reporting.receipts import Receipt
from tests import server
from tests.people import Place, a_furnished_place
from tests.test_no_trace import FarPhone

SUBMISSIONS = 50
WORDS = "Fue en la noche."


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = a_furnished_place(tmp_path / "instance")
    made.clock.now = time.time()
    return made


def walk_to_check(port: int) -> FarPhone:
    phone = FarPhone(port)
    phone.opens("/es/contar")
    phone.presses("next", age="A25_34")
    phone.presses("check")
    phone.form("send")
    return phone


def receipt_of(words: list[str]) -> Receipt:
    reading_of = receipts.read(" ".join(words), "es")
    assert isinstance(reading_of, tuple)
    return reading_of[0]


def test_a_killed_server_loses_no_receipt_and_doubles_no_case(place: Place) -> None:
    chance = random.Random(5)  # noqa: S311 -- when to kill
    arrived: list[list[str]] = []
    running = server.start(place.settings.instance)
    for turn in range(SUBMISSIONS):
        try:
            phone = walk_to_check(running.port)
            killer = threading.Timer(chance.random() * 0.06, running.kill)
            killer.start()
            try:
                phone.presses("send")
                arrived.append(phone.receipt()[0])
            except (OSError, http.client.HTTPException, AssertionError):
                pass
            killer.join()
        finally:
            running.kill()
        if turn < SUBMISSIONS - 1:
            running = server.start(place.settings.instance, running.port)
    keys = place.signs_in("rosa")
    for words in arrived:
        visit = place.comes_back(receipt_of(words))
        with reading(place.engine) as db:
            casebook.open_visit(db, visit)
    with writing(place.engine) as db:
        cards, broken = casebook.queue(db, keys)
        assert not broken
        for card in cards:
            casebook.open_case(db, keys, card.case, place.clock())
    assert 0 < len(arrived) <= place.cases() == len(cards) <= SUBMISSIONS
    with reading(place.engine) as db:
        assert db.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def send_and_hang_up(phone: FarPhone) -> tuple[str, dict[str, list[str]]]:
    """Send the last request whole and cut the line before the answer arrives."""
    form = phone.form("send")
    values = form.values | {"go": ["send"]}
    body = urllib.parse.urlencode(values, doseq=True)
    line = socket.create_connection(("127.0.0.1", phone.port))
    head = f"POST {form.action} HTTP/1.1\r\nHost: 127.0.0.1:{phone.port}\r\n"
    kind = "Content-Type: application/x-www-form-urlencoded\r\n"
    line.sendall(f"{head}{kind}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
    line.shutdown(socket.SHUT_WR)
    line.close()
    return form.action, values


def test_a_lost_answer_does_not_lose_the_receipt(place: Place) -> None:
    with server.running(place.settings.instance) as running:
        for turn in range(20):
            phone = walk_to_check(running.port)
            action, values = send_and_hang_up(phone)
            wait_for(lambda turn=turn: place.cases() == turn + 1)
            seen = []
            for _ in range(2):
                phone.repeats(action, values)
                seen.append(phone.receipt())
            assert seen[0] == seen[1]
            place.comes_back(receipt_of(seen[0][0]))
            assert place.cases() == turn + 1


def wait_for(holds: object, patience: float = 20) -> None:
    end = time.monotonic() + patience
    pause = threading.Event()
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come to pass"
        pause.wait(0.01)


def test_a_server_that_goes_away_between_two_pages_loses_nothing(place: Place) -> None:
    """At every step the request fails, the server comes back, the very same request goes through."""
    running = server.start(place.settings.instance)
    try:
        phone = FarPhone(running.port)
        phone.opens("/es/contar")
        for button in [*["next"] * 7, "send"]:
            form = phone.form(button)
            typed = {"narrative": [WORDS]} if "narrative" in form.kinds else {}
            request = (form.action, form.values | typed | {"go": [button]})
            running.kill()
            with pytest.raises(OSError, match="refused"):
                phone.repeats(*request)
            running = server.start(place.settings.instance, running.port)
            phone.repeats(*request)
            assert phone.status == 200
        words, _ = phone.receipt()
        running.kill()
        running = server.start(place.settings.instance, running.port)
        phone.repeats(*request)
        assert phone.receipt()[0] == words, "a server started anew shows the same words"
    finally:
        running.kill()
    with reading(place.engine) as db:
        assert casebook.open_visit(db, place.comes_back(receipt_of(words))).narrative == WORDS
    assert place.cases() == 1
