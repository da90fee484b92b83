"""What was acknowledged is there, whole, once; whatever happens to the server or the line."""

from __future__ import annotations

import http.client
import itertools
import logging
import os
import random
import signal
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reporting.cases import desk, store
from reporting.crypto import receipts
from reporting.crypto.receipts import Receipt
from reporting.operations.server import DESK
from reporting.storage.database import reading, writing
from tests import server
from tests.attacks.test_no_trace import FarPhone
from tests.people import Place
from tests.trips import begins

KILLS = int(os.environ.get("AMPARO_KILLS", "4"))
AT_ONCE = 8
log = logging.getLogger("tests")
WORDS = "Fue en la noche."


@pytest.fixture
def place(place: Place) -> Place:
    place.clock.now = time.time()
    return place


def walk_to_check(port: int) -> FarPhone:
    phone = FarPhone(port)
    begins(phone)
    phone.presses("next", age="A25_34")
    phone.presses("check")
    phone.form("send")
    return phone


def receipt_of(words: list[str]) -> Receipt:
    reading_of = receipts.read(" ".join(words), "es")
    assert isinstance(reading_of, tuple)
    return reading_of[0]


@dataclass
class Submitter:
    """Somebody who tells, sends, and sends the very same again until there is an answer."""

    port: int
    over: threading.Event
    pause: threading.Event
    receipts: list[list[str]] = field(default_factory=list)
    answers: int = 0
    lost_answers: int = 0

    def goes_on(self) -> None:
        while not self.over.is_set():
            phone = FarPhone(self.port)
            self._patiently(lambda phone=phone: begins(phone))
            for button, typed in (("next", {"age": "A25_34"}), ("check", {}), ("send", {})):
                form = phone.form(button)
                request = (
                    form.action,
                    form.values | {name: [value] for name, value in typed.items()} | {"go": [button]},
                )
                failed = self._patiently(lambda phone=phone, request=request: phone.repeats(*request))
                self.lost_answers += bool(failed and button == "send")
            self.receipts.append(phone.receipt()[0])

    def _patiently(self, ask: Callable[[], object]) -> int:
        """Ask until there is an answer; how often there was none. Patience begins when nobody kills any more."""
        end = None
        for failed in itertools.count():
            try:
                ask()
            except (OSError, http.client.HTTPException):
                if self.over.is_set():
                    end = end or time.monotonic() + server.PATIENCE
                    assert time.monotonic() < end, "no server came back"
                self.pause.wait(0.02)
            else:
                self.answers += 1
                return failed
        raise AssertionError


def test_a_server_killed_again_and_again_loses_no_receipt_and_doubles_no_case(place: Place) -> None:
    """Every process of it at once, while eight people send. More than in the suite: AMPARO_KILLS=200."""
    chance = random.Random(5)  # noqa: S311 -- when to kill
    over, pause = threading.Event(), threading.Event()
    running = server.start(place.settings.instance, workers=2)
    people = [Submitter(running.port, over, pause) for _ in range(AT_ONCE)]
    threads = [threading.Thread(target=one.goes_on) for one in people]
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            answered = sum(one.answers for one in people)
            wait_for(lambda answered=answered: sum(one.answers for one in people) > answered)
            pause.wait(0.2 + chance.random() * 0.6)
            running.kill()
            running = server.start(place.settings.instance, running.port, workers=2)
        over.set()
        for thread in threads:
            thread.join(server.PATIENCE)
    finally:
        over.set()
        running.kill()
    arrived = [receipt for one in people for receipt in one.receipts]
    for words in arrived:
        with reading(place.engine) as db:
            store.open_visit(db, place.comes_back(receipt_of(words)))
    rosa = place.signs_in("rosa")
    with writing(place.engine) as db:
        cards, broken = desk.queue(db, rosa)
        assert not broken
    lost = sum(one.lost_answers for one in people)
    log.info("%s kills, %s receipts, %s cases, %s answers lost and had again", KILLS, len(arrived), place.cases(), lost)
    assert AT_ONCE <= len(arrived) == len({tuple(words) for words in arrived}) == len(cards) == place.cases()
    with reading(place.engine) as db:
        assert db.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_no_worker_begins_with_a_line_to_the_database_that_another_process_opened(place: Place) -> None:
    """SQLite counts the locks of a process by file: with an inherited line it believes in locks it does not hold."""
    with server.running(place.settings.instance, workers=2) as running:
        told = Path(f"/proc/{running.process.pid}/task")
        if not told.exists():
            pytest.skip("only Linux tells what a process has open")
        wait_for(lambda: len(running.at_the_desk()) == DESK)
        assert len(running.workers()) == 2
        for one in running.processes():
            files = [link.readlink().name for link in Path(f"/proc/{one}/fd").iterdir() if link.is_symlink()]
            assert files
            assert not [name for name in files if name.startswith("amparo.db")]


def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(place: Place) -> None:
    with server.running(place.settings.instance, workers=2) as running:
        if not Path(f"/proc/{running.process.pid}/task").exists():
            pytest.skip("only Linux tells which processes belong to it")
        phone = walk_to_check(running.port)
        before = set(running.processes())
        for one in before:
            os.kill(one, signal.SIGKILL)
        wait_for(lambda: len(set(running.processes()) - before) == len(before) > 0)
        phone.presses("send")
        place.comes_back(receipt_of(phone.receipt()[0]))


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
        for turn in range(KILLS):
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
    """The request fails, the server comes back, the very same request goes through.

    At every step with AMPARO_KILLS=8 or more; else at the first, where she writes, and where she sends.
    """
    steps = [*["next"] * 7, "send"]
    running = server.start(place.settings.instance)
    try:
        phone = FarPhone(running.port)
        begins(phone)
        for step, button in enumerate(steps):
            form = phone.form(button)
            typed = {"narrative": [WORDS]} if "narrative" in form.kinds else {}
            request = (form.action, form.values | typed | {"go": [button]})
            if not typed and button == "next" and step and len(steps) > KILLS:
                phone.repeats(*request)
                continue
            running.kill()
            with pytest.raises(OSError, match=r"refused|reset|closed"):
                phone.repeats(*request)
            running = server.start(place.settings.instance, running.port)
            phone.repeats(*request)
            assert phone.status == 203
        words, _ = phone.receipt()
        running.kill()
        running = server.start(place.settings.instance, running.port)
        phone.repeats(*request)
        assert phone.receipt()[0] == words, "a server started anew shows the same words"
    finally:
        running.kill()
    with reading(place.engine) as db:
        assert store.open_visit(db, place.comes_back(receipt_of(words))).narrative == WORDS
    assert place.cases() == 1
