"""Before the first question: who reads, when, what they can do; and a browser whose maker could read along."""

from __future__ import annotations

import pytest
from flask import Flask

from reporting.storage.database import writing
from reporting.teams import reading_hours
from tests.people import Place
from tests.phone import Phone
from tests.trips import say, starts_telling

BEFORE = ("/es/antes", "/es/contar")
READ_ALONG = say(
    "This browser asks for pages through the computers of the company that made it: there they could read what you "
    "write. It is safer to open this page with another one, like Chrome or Firefox."
)
CHROME = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
)
# what comes through its maker's servers, as its maker says
RELAYED = {
    "Opera Mini": {
        "User-Agent": "Opera/9.80 (Android; Opera Mini/8.0.1807/36.1609; U; en) Presto/2.12.423 Version/12.16"
    },
    "Opera Mini by its headers": {"User-Agent": CHROME, "X-OperaMini-Phone-UA": CHROME},
    "Puffin": {"User-Agent": f"{CHROME} Puffin/6.1.4IT"},
    "Silk, accelerated": {"User-Agent": f"{CHROME} Silk-Accelerated=true"},
}
DIRECT = {
    "Chrome": {"User-Agent": CHROME},
    "Opera without its servers": {"User-Agent": f"{CHROME} OPR/76.2.4027.73374"},
    "Silk": {"User-Agent": f"{CHROME} Silk-Accelerated=false"},
    "Firefox": {"User-Agent": "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0"},
    "Safari": {
        "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/17.5 Mobile/15E148 Safari/604.1"
    },
    "nothing said": {"User-Agent": ""},
}


@pytest.mark.parametrize("address", BEFORE)
def test_who_reads_and_what_they_can_do_is_said_before_the_first_question(
    app: Flask, place: Place, address: str
) -> None:
    rosa = place.workers["rosa"]
    with writing(place.engine) as db:
        reading_hours.write(db, rosa.signer, {0: (9, 13), 2: (9, 13), 4: (15, 18)}, ())
    her = Phone(app)
    her.opens(address)
    assert say("A case worker of «%(team)s».", team="Equipo") in her.words
    assert "lunes y miércoles de 9 a 13 h; viernes de 15 a 18 h" in her.words
    assert say("She cannot come to where you are, nor answer at once. In danger, call.") in her.words
    assert say("Nobody writes to you, calls you or visits you unless you ask for it.") in her.words


def test_that_nobody_writes_without_her_yes_is_said_beside_the_button_that_sends(app: Flask) -> None:
    her = starts_telling(app)
    her.presses("next")
    her.presses("check")
    assert say("If you do not mark it, nobody writes to you.") in her.words


@pytest.mark.parametrize("address", BEFORE)
@pytest.mark.parametrize("browser", RELAYED)
def test_a_browser_whose_maker_could_read_along_gets_one_line(app: Flask, address: str, browser: str) -> None:
    assert READ_ALONG in app.test_client().get(address, headers=RELAYED[browser]).get_data(as_text=True)


@pytest.mark.parametrize("browser", DIRECT)
def test_no_other_browser_is_suspected(app: Flask, browser: str) -> None:
    assert READ_ALONG not in app.test_client().get("/es/contar", headers=DIRECT[browser]).get_data(as_text=True)
