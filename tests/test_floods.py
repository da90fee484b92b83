"""Floods slow down who floods. Nobody's report is lost, no workshop is locked out, no address is kept."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reporting import frontdoor, sessions
from reporting.app import create_app
from tests import server
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.test_no_trace import FarPhone
from tests.trips import passing_over_everything, sends, starts_telling, tells

PEOPLE, FLOOD_A_SECOND, GUESSES_A_SECOND = 6, 40, 10  # in the suite; by hand 30, 200, 20: see main()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return a_furnished_place(tmp_path / "instance")


def test_when_the_pages_of_a_sender_are_used_up_the_report_still_goes_through(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontdoor, "PAGES_A_MINUTE", 12)
    app = create_app(place.settings, place.clock)
    phone, flooder = starts_telling(app), Phone(app)
    tells(phone, passing_over_everything)
    for _ in range(20):
        flooder.opens("/es/")
    assert flooder.status == 429
    sends(phone)
    assert place.cases() == 1


def test_guessing_codes_uses_up_neither_pages_nor_sending(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(frontdoor.NARROW_DOORS, "reporter.come_back", 3)
    app = create_app(place.settings, place.clock)
    guesser = Phone(app)
    for _ in range(5):
        guesser.repeats("/es/volver", {"code": ["abaco"]})
    assert guesser.status == 429
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    sends(phone)


def test_without_redis_each_worker_allows_its_share(place: Place) -> None:
    told = place.settings.with_changes(workers=4)
    assert frontdoor.a_minute(600, told) == "150 per minute"
    assert frontdoor.a_minute(600, told.with_changes(limits_url="redis://localhost")) == "600 per minute"


def test_when_redis_is_away_pages_are_still_turned_and_still_counted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontdoor, "PAGES_A_MINUTE", 5)
    nobody_there = f"redis://127.0.0.1:{server.free_port()}/0"
    app = create_app(place.settings.with_changes(limits_url=nobody_there), place.clock)
    codes = []
    for _ in range(7):
        phone = Phone(app)
        phone.opens("/es/antes")
        codes.append(phone.status)
    assert codes == [200] * 5 + [429] * 2


def test_sending_has_by_far_the_largest_allowance() -> None:
    assert frontdoor.SENDING_A_MINUTE >= 5 * frontdoor.PAGES_A_MINUTE >= 100 * max(frontdoor.NARROW_DOORS.values()) / 3


def test_the_name_under_which_a_sender_is_counted_changes_every_hour_and_holds_no_address() -> None:
    marks = {sessions.sender_mark(bytes(32), "127.0.0.9", 3600 * hour) for hour in range(24)}
    assert len(marks) == 24
    assert sessions.sender_mark(bytes(32), "127.0.0.9", 10) == sessions.sender_mark(bytes(32), "127.0.0.9", 3599)
    assert not [mark for mark in marks if b"127.0.0.9".hex() in mark]


# ── a workshop in a flood ───────────────────────────────────────────────────────────────────────────────────


class Neighbour(FarPhone):
    """A phone with an address of its own choice."""

    def __init__(self, port: int, address: str) -> None:
        super().__init__(port)
        self.from_there = address

    def request(self, method: str, path: str, body: str | None = None) -> str:
        line = http.client.HTTPConnection("127.0.0.1", self.port, source_address=(self.from_there, 0), timeout=60)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        line.request(method, path, body, headers)
        answer = line.getresponse()
        self.page, self.code, self.here = answer.read().decode(), answer.status, path
        line.close()
        return self.page


def flood(port: int, over: threading.Event, a_second: float, address: Callable[[int], str], body: str | None) -> int:
    """So many requests a second until it is over; returns how many got through."""
    done = 0
    begin = time.monotonic()
    while not over.is_set():
        try:
            method, path = ("POST", "/es/volver") if body else ("GET", "/es/contar")
            Neighbour(port, address(done)).request(method, path, body)
            done += 1
        except OSError:
            pass
        over.wait(max(0.0, begin + done / a_second - time.monotonic()))
    return done


def a_workshop(
    port: int, people: int, floods: float, guesses: float, within: float, *, together: bool
) -> dict[str, float]:
    """People at one address tell and send, while others flood and guess; together: all from that one address."""
    over, waits, receipts_had = threading.Event(), list[float](), list[list[str]]()
    counts: tuple[list[int], list[int]] = ([], [])

    def attacker(which: int, rate: float, body: str | None) -> None:
        one, there = "127.0.1.1", f"127.0.{2 + which}"
        counts[which].append(flood(port, over, rate, lambda n: one if together else f"{there}.{n % 250 + 1}", body))

    def person(begins: float) -> None:
        over.wait(begins)
        phone = Neighbour(port, "127.0.1.1")
        phone.opens("/es/contar")
        for button in ("next", "check", "send"):
            start = time.monotonic()
            phone.presses(button, **({"age": "A25_34"} if button == "next" else {}))
            waits.append(time.monotonic() - start)
        receipts_had.append(phone.receipt()[0])

    parts = [(0, floods / 40, None)] * 40 + [(1, guesses / 4, "code=abaco")] * 4
    attackers = [threading.Thread(target=attacker, args=part) for part in parts]
    workshop = [threading.Thread(target=person, args=(within * n / people,)) for n in range(people)]
    begin = time.monotonic()
    for thread in (*attackers, *workshop):
        thread.start()
    for thread in workshop:
        thread.join()
    took = time.monotonic() - begin
    over.set()
    for thread in attackers:
        thread.join()
    return {"through": len(receipts_had), "of": people, "seconds": round(took, 1),
            "worst_wait_s": round(max(waits), 2),
            "flood_per_s": round(sum(counts[0]) / took, 1), "guesses_per_s": round(sum(counts[1]) / took)}  # fmt: skip


@pytest.mark.parametrize("together", [False, True], ids=["other addresses", "one address"])
def test_a_workshop_gets_through_a_flood(tmp_path: Path, *, together: bool) -> None:
    place = a_furnished_place(tmp_path / "instance")
    with server.running(place.settings.instance) as running:
        told = a_workshop(running.port, PEOPLE, FLOOD_A_SECOND, GUESSES_A_SECOND, 2, together=together)
    assert told["through"] == PEOPLE == place.cases()
    assert told["worst_wait_s"] < 60


if __name__ == "__main__":  # by hand: python -m tests.test_floods
    import json
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = a_furnished_place(Path(folder) / "instance")
        with server.running(made.settings.instance) as one:
            for at_one_address in (False, True):
                found = a_workshop(one.port, 30, 200, 20, 25, together=at_one_address)
                sys.stdout.write(json.dumps({"one_address": at_one_address} | found) + "\n")
        sys.stdout.write(f"cases: {made.cases()}\n")
