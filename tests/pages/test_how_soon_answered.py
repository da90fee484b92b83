"""How soon the team wrote first: from her case into her tally, and into a release only where a board wants it."""

from __future__ import annotations

import csv
import io
import secrets
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from flask import Flask

from reporting.cases import submission
from reporting.clock import DAY, HOUR
from reporting.crypto import receipts
from reporting.crypto.receipts import Receipt
from reporting.figures import freezing, labels, releases
from reporting.figures.periods import period
from reporting.figures.releases import USUAL, Choice
from reporting.sessions import tickets
from reporting.storage.database import reading, writing
from reporting.teams import team_log
from reporting.teams.team_log import CASEWORK, STATISTICS
from reporting.vocabulary.incident import Incident
from tests.copies import Filling, with_readers_of_figures
from tests.pages.test_casework import at_the_desk, comes_back, tally_of
from tests.people import Clock, Place
from tests.phone import Phone
from tests.trips import say

BOTH = frozenset({"C_STATS", "C_LETTERS"})
COUNTED = frozenset({"C_STATS"})
CLIENT = Incident(perpetrator=frozenset({"CLIENT"}))
YEAR = str(datetime.fromtimestamp(Clock().now, UTC).year)
WITH_ANSWERS = Choice(("answered",))


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_readers_of_figures


def silent(_scale: Fraction) -> int:
    """No noise, so that a test can see what was counted."""
    return 0


def answers(app: Flask, place: Place, *hers: Receipt, button: str = "answer") -> None:
    rosa = at_the_desk(app, place)
    rosa.opens("/es/equipo/casos")
    for receipt in hers:
        rosa.opens(f"/es/equipo/caso/{place.comes_back(receipt).case}")
        rosa.presses(button, text="Te leímos.")


@pytest.mark.parametrize(
    ("hours", "code"), [(1, "WITHIN_24"), (24, "WITHIN_24"), (30, "WITHIN_72"), (100, "WITHIN_7D"), (300, "LATER")]
)
def test_the_first_letter_of_the_team_counts_and_no_later_one(hours: int, code: str, app: Flask, place: Place) -> None:
    receipt = place.receives(CLIENT, consents=BOTH)
    assert tally_of(place, receipt).answered == "NEVER"
    place.clock.on(hours=hours)
    comes_back(app, receipt).presses("write", text="¿Hay alguien?")
    assert tally_of(place, receipt).answered == "NEVER", "a letter of hers is no answer"
    answers(app, place, receipt)
    assert tally_of(place, receipt).answered == code
    place.clock.on(hours=500)
    answers(app, place, receipt, button="letter")
    assert tally_of(place, receipt).answered == code
    comes_back(app, receipt).presses("deny-C_LETTERS")
    assert tally_of(place, receipt).answered == code, "what was written stays written"


def test_who_wants_no_letters_waits_for_none_and_who_allows_them_does(app: Flask, place: Place) -> None:
    receipt = place.receives(CLIENT, consents=COUNTED)
    assert tally_of(place, receipt).answered == "NOT_AWAITED"
    comes_back(app, receipt).presses("allow-C_LETTERS")
    assert tally_of(place, receipt).answered == "NEVER"
    comes_back(app, receipt).presses("deny-C_LETTERS")
    assert tally_of(place, receipt).answered == "NOT_AWAITED"


def test_what_was_told_by_voice_waits_for_no_letter(app: Flask, place: Place) -> None:
    receipt = receipts.draw(secrets.randbelow)
    report = submission.new_report(
        CLIENT,
        "",
        consents=BOTH,
        language="es",
        trip=tickets.new_trip(),
        hour=int(place.clock()) // HOUR,
        voice=place.signs_in("rosa").member,
    )
    with reading(place.engine) as db:
        teams = team_log.teams(db, place.pin)
    readers, counters = (team_log.team_of_kind(teams, kind) for kind in (CASEWORK, STATISTICS))
    sealed = submission.prepare(report, receipt, readers, counters, place.settings.pepper, place.clock())
    with writing(place.engine) as db:
        submission.file_invented(db, sealed)
    assert tally_of(place, receipt).answered == "NOT_AWAITED"
    place.clock.on(hours=30)
    answers(app, place, receipt)
    assert tally_of(place, receipt).answered == "NOT_AWAITED"


def compiled(place: Place, choice: Choice) -> releases.Published:
    """The year, without noise."""
    place.clock.now = period(YEAR).ends + 61 * DAY
    ana = place.signs_in("ana")
    release = freezing.freeze(place.engine, place.pin, ana, period(YEAR), place.clock())
    releases.compile_release(place.engine, place.pin, ana, release, silent, choice)
    with reading(place.engine) as db:
        return releases.find(db, YEAR, unpublished=True)


def ten_are_answered_and_eleven_are_not(app: Flask, place: Place) -> None:
    receipts_of_all = [place.receives(CLIENT, consents=BOTH) for _ in range(21)]
    answers(app, place, *receipts_of_all[:10])


def test_a_release_has_the_table_where_it_was_chosen_with_k_and_scale_of_its_tables(app: Flask, place: Place) -> None:
    ten_are_answered_and_eleven_are_not(app, place)
    made = compiled(place, WITH_ANSWERS)
    rows = {row["answered"]: row["count"] for row in csv.DictReader(io.StringIO(made.files["answered.csv"].decode()))}
    assert {code: number for code, number in rows.items() if number} == {"WITHIN_24": "10", "NEVER": "11"}
    assert (made.about["sensitivity"], made.about["scale"]) == (4, "4")
    assert made.about["noisy_tables"] == ["total", "perpetrator", "type", "answered"]
    luz = at_the_desk(app, place, "luz")
    luz.opens(f"/es/equipo/cifras/{YEAR}")
    luz.presses("publish")
    for language, in_words in (("es", say), ("en", str)):
        public = Phone(app)
        public.opens(f"/{language}/cifras/{YEAR}")
        for message in (
            "Time to the team's first letter",
            "Up to 24 hours",
            "No letter yet when the period was frozen",
            labels.NOTES["answered"],
        ):
            assert in_words(message) in public.words


def test_without_a_board_that_wants_it_nothing_of_a_release_says_how_soon_anybody_was_answered(
    app: Flask, place: Place
) -> None:
    ten_are_answered_and_eleven_are_not(app, place)
    made = compiled(place, USUAL)
    assert (made.about["sensitivity"], made.about["scale"]) == (3, "3")
    for name, body in made.files.items():
        assert b"answered" not in body, name
        assert b"WITHIN_24" not in body, name
        assert "answered" not in name


def test_the_desk_offers_the_table_unticked_and_says_what_it_costs(app: Flask, place: Place) -> None:
    place.clock.now = period(YEAR).ends + 61 * DAY
    ana = at_the_desk(app, place, "ana")
    ana.opens(f"/es/equipo/cifras/preparar?period={YEAR}")
    assert "answered" in ana.form(holding="only").offered["also"]
    assert say("Time to the team's first letter") in ana.words
    assert "cambia 3 cuentas" in ana.words
    assert 'value="answered" checked' not in ana.text
    ana.opens(f"/es/equipo/cifras/preparar?period={YEAR}&also=answered")
    assert "cambia 4 cuentas" in ana.words
    assert 'value="answered" checked' in ana.text
