"""Junk costs the team little, and no honest report is lost for it."""

from __future__ import annotations

import html
import re
import secrets
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from referrals.casework import queue, views
from referrals.pages import case_papers
from reporting.cases import desk as cases_desk
from reporting.cases import junk, store
from reporting.cases.records import NewReport
from reporting.storage.database import reading
from reporting.storage.models import CaseRow, RecordRow
from reporting.teams.team_log import CASE_WORKER
from reporting.vocabulary.incident import Incident
from reporting.web import languages
from tests.people import Place
from tests.phone import Phone
from tests.trips import say, sends, signs_in, starts_telling, tells

ADVERT = "Gana dinero hoy: https://oferta.example y www.premio.example"


def sends_in(app: Flask, place: Place, seconds: float, narrative: str, **typed: Any) -> str:
    """A whole trip that takes so long."""
    phone = starts_telling(app)
    told = {"narrative": narrative} | typed
    tells(phone, lambda form: {name: value for name, value in told.items() if name in form.kinds})
    place.clock.on(minutes=seconds / 60)
    return sends(phone)


def folder(app: Flask, place: Place, name: str) -> Phone:
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens(f"/es/equipo/casos?folder={name}")
    return desk


def lines(desk: Phone) -> int:
    return desk.text.count('<li class="c-card')


# ── stories ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_of_junk_does_not_bury_a_report(app: Flask, place: Place) -> None:
    for _ in range(200):
        place.receives(narrative=ADVERT, signs=("QUICK", "LINKS"))
    sends_in(app, place, 90, "El cliente me pegó en la calle y no me pagó.")
    desk = folder(app, place, "open")
    assert lines(desk) == 1
    assert f"{say('Perhaps no report')} (200)" in desk.words
    assert f"{say('Closed and set aside too')} (201)" in desk.words, "nothing is thrown away"
    assert f"{say('Not read')} (201)" in desk.words, "nothing is taken for read"


def test_a_report_that_is_quick_and_full_of_links_is_put_aside_with_its_reasons(app: Flask, place: Place) -> None:
    sends_in(app, place, 1, ADVERT)
    desk = folder(app, place, "doubtful")
    assert lines(desk) == 1
    assert say(junk.SIGNS["QUICK"]) in desk.words
    assert say(junk.SIGNS["LINKS"]) in desk.words


@pytest.mark.parametrize(
    ("seconds", "narrative", "typed"),
    [
        (1, "Me pegó, tengo miedo.", {}),  # she is only quick
        (1, "Me pegó. Aquí está su perfil: https://red.example/el", {}),  # one link is a proof
        (90, ADVERT, {}),  # many links, but she took her time
        (1, ADVERT, {"danger": ["D_BLEEDING"]}),
        (1, ADVERT, {"safety": ["S_PERP_NEAR"]}),
        (1, ADVERT, {"age": "A14_17"}),
        (1, ADVERT, {"violence": ["RAPE"], "number": "5"}),  # a medicine has its hours
        (1, ADVERT, {"wants": ["W_CONTACT_BACK"]}),
    ],
)
def test_nobody_who_may_be_in_need_is_put_aside(
    app: Flask, place: Place, seconds: float, narrative: str, typed: dict[str, Any]
) -> None:
    sends_in(app, place, seconds, narrative, **typed)
    assert lines(folder(app, place, "doubtful")) == 0
    assert lines(folder(app, place, "open")) == 1


def test_the_same_words_twice_are_one_sign_and_not_enough(app: Flask, place: Place) -> None:
    words = "Vinieron dos policías y nos pidieron plata otra vez."
    for _ in range(2):
        sends_in(app, place, 90, words)
    assert lines(folder(app, place, "open")) == 2
    place.clock.on(hours=1)
    sends_in(app, place, 1, words.upper())
    desk = folder(app, place, "doubtful")
    assert (lines(desk), say(junk.SIGNS["REPEATED"]) in desk.words) == (1, True)


def test_who_said_it_first_is_not_put_aside_because_others_repeat_it(app: Flask, place: Place) -> None:
    words = "Vinieron dos policías y nos pidieron plata otra vez."
    sends_in(app, place, 1, words)
    for _ in range(3):
        place.clock.on(hours=1)
        sends_in(app, place, 1, words)
    assert (lines(folder(app, place, "open")), lines(folder(app, place, "doubtful"))) == (1, 3)


def test_whoever_opens_it_takes_it_out_of_there(app: Flask, place: Place) -> None:
    sends_in(app, place, 1, ADVERT)
    desk = folder(app, place, "doubtful")
    desk.opens(desk.text.split('<h2><a href="')[1].split('"')[0])
    assert lines(folder(app, place, "doubtful")) == 0
    assert lines(folder(app, place, "open")) == 1


def test_many_can_be_marked_as_junk_at_once_and_brought_back(app: Flask, place: Place) -> None:
    for _ in range(3):
        place.receives(narrative=ADVERT, signs=("QUICK", "LINKS"))
    desk = folder(app, place, "doubtful")
    cases = desk.form("junk").offered["cases"]
    desk.presses("junk", cases=cases, reason="Propaganda.")
    assert lines(folder(app, place, "doubtful")) == 0
    assert lines(folder(app, place, "junk")) == 3
    assert place.cases() == 3


# ── what two people call junk ───────────────────────────────────────────────────────────────────────────────


def presses_on_the_case(app: Flask, place: Place, name: str, button: str, mark: str = "junk") -> Phone:
    """Somebody of the team opens the one case and marks it, or takes the mark back."""
    desk = signs_in(app, place, place.workers[name])
    desk.opens("/es/equipo/casos?folder=all")
    desk.opens(desk.text.split('<h2><a href="')[1].split('"')[0])
    desk.presses(button, mark=mark, reason="Propaganda.")
    return desk


@pytest.fixture
def two(app: Flask, place: Place) -> Place:
    """Two case workers, and one report that looks like junk."""
    keys = place.signs_in("rosa")
    place.hires("milagros", CASE_WORKER)
    place.lets_in(keys, "milagros")
    place.clock.on(minutes=1)
    return place


def test_what_two_people_marked_as_junk_goes_after_thirty_days_and_her_page_says_so(app: Flask, two: Place) -> None:
    code = sends_in(app, two, 90, "Vendo relojes muy baratos, escríbanme.")
    presses_on_the_case(app, two, "rosa", "mark")
    assert presses_on_the_case(app, two, "rosa", "mark").status == 422, "nobody is two people"
    two.clock.on(days=40)
    folder(app, two, "all")
    assert two.cases() == 1, "one person throws nothing away"
    marked = two.clock()
    presses_on_the_case(app, two, "milagros", "mark")
    back = Phone(app)
    back.opens("/es/volver")
    back.sends("code", code=code)
    day = languages.day("es", languages.local(marked + 30 * 86_400, two.settings.time_zone).date())
    assert day in back.words
    two.clock.on(days=29)
    folder(app, two, "all")
    assert two.cases() == 1
    two.clock.on(days=2)
    desk = folder(app, two, "all")
    assert (two.cases(), lines(folder(app, two, "all"))) == (0, 0)
    desk.opens("/es/equipo/registro")
    assert say(case_papers.ACT_NAMES["junk"]) in desk.words
    back.opens("/es/volver")
    back.sends("code", code=code)
    assert back.status == 422


@pytest.mark.parametrize("how", ["either takes the mark back", "she writes"])
def test_until_then_it_can_be_undone(app: Flask, two: Place, how: str) -> None:
    code = sends_in(app, two, 90, "Vendo relojes muy baratos, escríbanme.")
    for name in ("rosa", "milagros"):
        presses_on_the_case(app, two, name, "mark")
    if how == "she writes":
        back = Phone(app)
        back.opens("/es/volver")
        back.sends("code", code=code)
        back.presses("write", text="Sí pasó, lo conté mal.")
    else:
        presses_on_the_case(app, two, "rosa", "unmark")
    two.clock.on(days=31)
    for name in ("rosa", "milagros"):
        signs_in(app, two, two.workers[name])
    assert two.cases() == 1


def test_the_week_of_deletion_in_the_clear_does_not_tell_what_is_junk(app: Flask, two: Place) -> None:
    sends_in(app, two, 90, "Vendo relojes muy baratos, escríbanme.")
    for name in ("rosa", "milagros"):
        presses_on_the_case(app, two, name, "mark")
    with reading(two.engine) as db:
        left = db.scalars(select(CaseRow.delete_after)).one()
    assert (left - languages.local(two.clock(), "UTC").date()).days > 700


def test_what_is_told_by_voice_shows_no_sign() -> None:
    report = NewReport(Incident(), ADVERT, {}, frozenset(), "es", "0" * 32, 1, voice=7)
    assert not {"q", "w"} & set(store._new_summary(report).as_stored())  # noqa: SLF001 -- what lies in the summary


# ── nothing shows from outside ──────────────────────────────────────────────────────────────────────────────


def test_a_sealed_case_is_as_long_with_signs_as_without(place: Place) -> None:
    place.receives(narrative=ADVERT, signs=("QUICK", "LINKS"))
    place.receives(narrative=ADVERT[:23])
    with reading(place.engine) as db:
        lengths = {tuple(len(part) for part in row) for row in db.execute(select(CaseRow.card, CaseRow.cover))}
        records = [len(body) for body in db.scalars(select(RecordRow.body))]
    assert len(lengths) == 1
    assert len({records.count(size) % 2 for size in records} | {0}) == 1


def test_a_card_from_before_there_were_signs_still_lies_where_it_lay(place: Place) -> None:
    place.receives(narrative="corto")
    keys = place.signs_in("rosa")
    with reading(place.engine) as db:
        cards, broken = cases_desk.queue(db, keys)
    assert not broken
    assert not {"q", "w"} & set(cards[0].content.as_stored())
    assert (cards[0].signs, cards[0].words) == ((), "")
    assert views.put_aside(queue.worked_out(cards, place.clock()).ranks.values()) == {}


# ── laws ────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.text(max_size=300))
def test_the_same_words_have_the_same_print_however_they_are_spaced(words: str) -> None:
    spaced = "  \n".join(words.split(" "))
    assert junk.print_of(words.upper().lower()) == junk.print_of(spaced.upper().lower())
    assert junk.print_of(words) == "" or len(junk.print_of(words)) == 16


def test_few_words_have_no_print() -> None:
    assert junk.print_of("Me pegó. Quiero hablar.") == ""
    assert junk.print_of(secrets.token_hex(24)) != ""


@pytest.mark.parametrize("seconds", [None, -5, 6, 1e9])
def test_a_time_that_nobody_knows_or_that_cannot_be_is_no_sign(seconds: float | None) -> None:
    assert junk.signs_of("", seconds) == ()


# ── many of one sender ──────────────────────────────────────────────────────────────────────────────────────


def test_many_of_one_sender_are_one_line_that_opens_and_a_workshop_behind_the_same_address_is_not(
    app: Flask, place: Place
) -> None:
    for number in range(31):
        place.receives(narrative=f"{ADVERT} {number}", signs=("LINKS",), group=2**63 + 5)
    for _ in range(2):
        sends_in(app, place, 90, "El cliente me pegó en la calle y no me pagó.")
    desk = folder(app, place, "open")
    assert lines(desk) == 3
    assert f"{say('All of them')} (33)" in desk.words, "nothing is left out of the count"
    told = say(
        "%(num)s came from one place within an hour, each with a sign of junk. The most urgent stands here.", num=31
    )
    assert told in desk.words
    desk.opens(_fold_link(desk))
    assert lines(desk) == 31
    desk.presses("junk", cases=desk.form("junk").offered["cases"], reason="Propaganda.")
    assert lines(folder(app, place, "open")) == 2


def _fold_link(desk: Phone) -> str:
    """Where the fold is opened."""
    return html.unescape(re.search(r'href="([^"]*fold=[^"]*)"', desk.text)[1])  # type: ignore[index]


def test_a_report_with_a_sign_carries_the_number_of_its_sender_under_the_seal_and_an_honest_one_none(
    app: Flask, place: Place
) -> None:
    for narrative in (ADVERT, f"{ADVERT} otra vez", "Me pegó."):
        sends_in(app, place, 90, narrative)
    keys = place.signs_in("rosa")
    with reading(place.engine) as db:
        cards, _ = cases_desk.queue(db, keys)
    first, again, none = sorted((card.group for card in cards), key=lambda group: group is None)
    assert (first == again, first is None, none) == (True, False, None)
