"""Floods slow down who floods. Nobody's report is lost, no workshop is locked out, no address is kept."""

from __future__ import annotations

import gc
import http.client
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from reporting.app import create_app
from reporting.crypto import sealing
from reporting.sessions import day_seeds
from reporting.vocabulary.answers import route
from reporting.vocabulary.lengths import SHORT
from reporting.web import context, limits
from tests import flooding, server
from tests.attacks.test_no_trace import FarPhone
from tests.people import Place, a_furnished_place
from tests.phone import TYPED, WALKED, Phone
from tests.trips import begins, passing_over_everything, say, sends, starts_telling, tells

A_CODE = " ".join(["abaco"] * 7)  # written as codes are; it opens nothing
PEOPLE, FLOOD_A_SECOND, GUESSES_A_SECOND = 6, 40, 10  # in the suite; by hand 30, 200, 20: see main()


def test_when_the_pages_of_a_sender_are_used_up_the_report_still_goes_through(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.TURNING, 12)
    app = create_app(place.settings, place.clock)
    phone, flooder = starts_telling(app), Phone(app)
    tells(phone, passing_over_everything)
    for _ in range(20):
        flooder.opens("/es/")
    assert flooder.status == 429
    sends(phone)
    assert place.cases() == 1


def test_guessing_codes_uses_up_neither_pages_nor_sending(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.CODES, 3)
    app = create_app(place.settings, place.clock)
    guesser = Phone(app)
    guesser.opens("/es/volver")
    ticket, codes = guesser.form(holding="code").values, []
    for _ in range(4):
        guesser.repeats("/es/volver", ticket | {"code": [A_CODE]})
        codes.append(guesser.status)
    assert codes == [422, 422, 422, 429]
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    sends(phone)


def test_guessing_codes_while_telling_goes_through_the_same_narrow_door(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.CODES, 3)
    app = create_app(place.settings, place.clock)
    guesser = starts_telling(app)
    values = guesser.form("next").values
    codes = []
    for pressed in ({"go": ["code"]}, {"go": ["next"]}, {}, {"go": ["code"]}, {}):
        guesser.repeats("/es/contar", values | pressed | {"code": [A_CODE]})
        codes.append(guesser.status)
    assert codes == [422, 203, 203, 429, 429]
    box = Phone(app)
    box.opens("/es/volver")
    box.sends("code", code=A_CODE)
    assert box.status == 429, "one door for both"
    guesser.repeats("/es/contar", values | {"go": ["next"], "code": [" "]})
    assert guesser.status == 203, "telling goes on"


def test_what_looks_nothing_up_takes_nobodys_place_at_the_codes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.CODES, 1)
    app = create_app(place.settings, place.clock)
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    code, junk = sends(phone), Phone(app)
    junk.opens("/es/volver")
    ticket = junk.form(holding="code").values
    for sent in ({"code": [A_CODE]}, {"t": ["junk"], "code": [A_CODE]}, ticket, ticket | {"code": ["abaco abaco"]}):
        for _ in range(3):
            junk.repeats("/es/volver", sent)
            assert junk.status in {410, 422}
    phone.opens("/es/volver")
    phone.sends("code", code=code)
    assert phone.status == 203
    for act in ("services", "show"):  # in her case nothing is looked up
        phone.presses(act) if any(act == value for form in phone.forms for _, value in form.buttons) else None
        assert phone.status == 203
    junk.repeats("/es/volver", ticket | {"code": [A_CODE]})
    assert junk.status == 429


def test_what_was_sent_costs_nothing_to_stretch_when_it_comes_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stretches: list[int] = []
    real = sealing.stretch_receipt
    monkeypatch.setattr(sealing, "stretch_receipt", lambda *parts: (stretches.append(1), real(*parts))[1])
    app = create_app(place.settings, place.clock)
    phone = starts_telling(app)
    tells(phone, passing_over_everything)
    code = sends(phone)
    assert (len(stretches), phone.last is not None) == (1, True)
    for _ in range(3):
        phone.repeats(*phone.last)  # type: ignore[misc]
        assert " ".join(phone.receipt()[0]) == code
    place.clock.on(minutes=17)
    phone.repeats(*phone.last)  # type: ignore[misc]
    assert say("It was sent already. You can come back with your code.") in phone.words
    assert len(stretches) == place.cases() == 1


LONG = "una larga historia de lo que pasó " * 40


def telling(app: Flask, words: str) -> Phone:
    """She has told it in these words, up to the check page."""
    phone = starts_telling(app)
    tells(phone, lambda form: {"narrative": words} if "narrative" in form.kinds else {})
    return phone


def test_many_long_texts_of_one_sender_wait_and_the_short_ones_pass(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AN_HOUR", 2)
    app = create_app(place.settings, place.clock)
    for _ in range(2):
        sends(telling(app, LONG))
    waits = telling(app, LONG)
    waits.presses("send")
    assert (waits.status, place.cases()) == (429, 2)
    assert say(limits.WAITS) in waits.words
    code, phone = sends(telling(app, "x" * limits.SHORT_TEXT)), Phone(app)
    phone.opens("/es/volver")
    phone.sends("code", code=code)
    phone.presses("write", text=LONG)
    assert phone.status == 429
    assert LONG.strip() in phone.words, "what she typed is still there"
    phone.presses("write", text="Sigo aquí.")
    assert phone.status == 203
    place.clock.on(minutes=61)
    again = waits.form(holding="again")
    waits.repeats(again.action, again.values)
    assert waits.receipt()
    assert place.cases() == 4


def test_a_workshop_of_thirty_that_writes_to_the_limit_does_not_wait() -> None:
    assert limits.AN_HOUR // 2 >= 30, "behind one address, with two processes that count apart"


def test_without_redis_each_worker_allows_its_share(place: Place) -> None:
    told = place.settings.with_changes(workers=4)
    assert limits.a_minute(600, told) == "150 per minute"
    assert limits.a_minute(600, told.with_changes(limits_url="redis://localhost")) == "600 per minute"


def test_when_redis_is_away_pages_are_still_turned_and_still_counted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.TURNING, 5)
    nobody_there = f"redis://127.0.0.1:{server.free_port()}/0"
    app = create_app(place.settings.with_changes(limits_url=nobody_there), place.clock)
    codes = []
    for _ in range(7):
        phone = Phone(app)
        phone.opens("/es/antes")
        codes.append(phone.status)
    assert codes == [200] * 5 + [429] * 2


def test_sending_has_by_far_the_largest_allowance() -> None:
    narrow = max(limits.A_MINUTE[limits.CODES], limits.A_MINUTE[limits.PASSWORDS])
    assert limits.A_MINUTE[limits.SENDING] >= 5 * limits.A_MINUTE[limits.TURNING] >= 20 * narrow


def test_the_name_under_which_a_sender_is_counted_changes_every_hour_and_holds_no_address() -> None:
    marks = {day_seeds.sender_mark(bytes(32), "127.0.0.9", 3600 * hour) for hour in range(24)}
    assert len(marks) == 24
    assert day_seeds.sender_mark(bytes(32), "127.0.0.9", 10) == day_seeds.sender_mark(bytes(32), "127.0.0.9", 3599)
    assert not [mark for mark in marks if b"127.0.0.9".hex() in mark]


# ── a workshop in a flood ───────────────────────────────────────────────────────────────────────────────────


class Neighbour(FarPhone):
    """A phone with an address of its own choice."""

    def __init__(self, port: int, address: str) -> None:
        super().__init__(port)
        self.from_there = address

    def request(self, method: str, path: str, body: str | None = None, told: dict[str, str] = TYPED) -> str:
        line = http.client.HTTPConnection("127.0.0.1", self.port, source_address=(self.from_there, 0), timeout=60)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        line.request(method, path, body, told | kind)
        answer = line.getresponse()
        self.page, self.code, self.here = answer.read().decode(), answer.status, path
        line.close()
        if self.code == 303:
            return self.request("GET", answer.headers["Location"], told=WALKED)
        return self.page


def whole_report(phone: Neighbour, waits: list[float]) -> list[str]:
    """She tells page by page and sends. What she keeps is the code."""

    def timed(act: Callable[[], object]) -> None:
        begin = time.monotonic()
        act()
        waits.append(time.monotonic() - begin)

    timed(lambda: begins(phone, way="begin"))
    for _ in route({"length": SHORT}):
        timed(lambda: phone.presses("next"))
    timed(lambda: phone.presses("send"))
    return phone.receipt()[0]


def a_workshop(
    port: int, people: int, floods: float, guesses: float, within: float, *, together: bool
) -> dict[str, float]:
    """People at one address tell and send, while others flood and guess; together: all from that one address."""
    waits, receipts_had, begin = list[float](), list[list[str]](), time.monotonic()

    def person(comes: float) -> None:
        threading.Event().wait(comes)  # she comes when she comes
        receipts_had.append(whole_report(Neighbour(port, "127.0.1.1"), waits))

    workshop = [threading.Thread(target=person, args=(within * number / people,)) for number in range(people)]
    there, one = ("127.0.2.{}", "127.0.3.1") if not together else ("127.0.1.1", "127.0.1.1")
    with flooding.beside(port, floods, there) as flood, flooding.beside(port, guesses, one, guess=True) as guessing:
        for thread in workshop:
            thread.start()
        for thread in workshop:
            thread.join()
    took = time.monotonic() - begin
    return {
        "through": len(receipts_had),
        "of": people,
        "seconds": round(took, 1),
        "worst_wait_s": round(max(waits), 2),
        "median_wait_s": round(sorted(waits)[len(waits) // 2], 3),
        "offered_per_s": round(flood.offered / flood.seconds, 1),
        "answered_per_s": round(flood.answered / flood.seconds, 1),
        "flood_200": flood.statuses.get("200", 0),
        "flood_429": flood.statuses.get("429", 0),
        "guesses_offered_per_s": round(guessing.offered / guessing.seconds, 1),
        "guesses_looked_at_an_hour": round(guessing.statuses.get("422", 0) / guessing.seconds * 3600),
        "guesses_refused": guessing.statuses.get("429", 0),
    }


@pytest.mark.parametrize("together", [False, True], ids=["other addresses", "one address"])
def test_a_workshop_gets_through_a_flood(tmp_path: Path, *, together: bool) -> None:
    place = a_furnished_place(tmp_path / "instance")
    with server.running(place.settings.instance, workers=2) as running:
        told = a_workshop(running.port, PEOPLE, FLOOD_A_SECOND, GUESSES_A_SECOND, 2, together=together)
    assert told["through"] == PEOPLE == place.cases(), told
    assert told["worst_wait_s"] < 60, told
    assert told["answered_per_s"] > 0, told
    assert told["guesses_looked_at_an_hour"] > 0, told


def test_too_many_costs_less_than_the_page_that_was_asked_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.TURNING, 100)
    phone = Phone(create_app(place.settings, place.clock))

    def cost(count: int) -> float:
        gc.collect()  # what tests before this one left behind is not swept up at its cost
        begin = time.process_time()
        for _ in range(count):
            phone.opens("/es/contar")
        return time.process_time() - begin

    cost(20)
    page = cost(60)
    assert phone.status == 203
    cost(40)
    assert phone.status == 429
    assert say("These lines answer now") in phone.words
    assert cost(60) < page / 2


def test_the_page_for_too_many_is_in_her_language_and_does_not_outlive_its_minute(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.TURNING, 1)
    app = create_app(place.settings, place.clock)
    found = {}
    for language in ("es", "en"):
        phone = Phone(app)
        for _ in range(2):
            phone.opens(f"/{language}/antes")
        found[language] = phone.text
        assert phone.status == 429
        assert f'<html lang="{language}"' in phone.text
    assert found["es"] != found["en"]
    kept = dict(context.installation_of(app).refused)
    place.clock.on(minutes=2)
    Phone(app).opens("/es/antes")
    assert {name for name, told in context.installation_of(app).refused.items() if told != kept[name]} == {
        ("es", "reporter.before", True)
    }


def test_what_came_from_no_page_of_ours_is_not_carried_when_it_is_too_much(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.A_MINUTE, limits.TURNING, 1)
    app = create_app(place.settings, place.clock)
    phone, other = starts_telling(app), Phone(app)
    real = phone.form("next").values
    other.repeats("/es/contar", {"t": ["junk"]})
    other.repeats("/es/contar", {"t": ["junk"], "narrative": ["x" * 1000]})
    assert (other.status, 'name="again"' in other.text) == (429, False)
    other.repeats("/es/contar", real | {"go": ["next"]})
    assert (other.status, 'name="again"' in other.text) == (429, True)


if __name__ == "__main__":  # by hand: python -m tests.test_floods
    import json
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = a_furnished_place(Path(folder) / "instance")
        with server.running(made.settings.instance, workers=2) as two:
            for at_one_address in (False, True):
                found = a_workshop(two.port, 30, 200, 20, 90, together=at_one_address)
                sys.stdout.write(json.dumps({"one_address": at_one_address} | found) + "\n")
                sys.stdout.flush()
        sys.stdout.write(f"cases: {made.cases()}\n")
