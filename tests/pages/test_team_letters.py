"""Letters from templates: put into the box, changed, sent by hand; and the page on which a team writes its own."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from referrals.casework.follow_up import letters
from referrals.pages.case_actions import UNFINISHED
from reporting.app import create_app
from reporting.cases.desk import queue
from reporting.cases.follow_up import team_letters
from reporting.storage.database import reading, writing
from reporting.storage.models import LettersRow
from reporting.teams import keyring, members, reading_hours
from reporting.teams.team_log import CannotOpen
from reporting.vocabulary.incident import Incident
from tests.copies import Filling, with_a_colleague
from tests.needs_of_tests import a_schema
from tests.pages.test_casework import at_the_desk, comes_back
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.trips import opens_newest_case, say

YES = frozenset({"C_LETTERS"})
HURT = Incident(
    about="SELF",
    violence=frozenset({"RAPE"}),
    hours=(5.0, 5.0),
    region="UCAYALI",
    department="PE25",
    condom="no",
    police_safe="no",
)
PEP = "N_PEP"
OWN = "Hoy atiende Milagros. Escríbenos cuando quieras."
MARK = "zanahoria 4711"
PLACE = re.compile(r"\[.*?\]")


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def box(desk: Phone) -> str:
    """What stands in the box of an answer."""
    return desk.form("letter").values["text"][0].strip()


def proposes(desk: Phone) -> str:
    """The first service that may be offered for PEP is proposed. Returns its name as the page gives it."""
    options = re.findall(r'<option value="N_PEP (\S+?)"[^>]*>([^<]+)', desk.text)
    service, words = options[0]
    desk.presses("propose", door=f"{PEP} {service}", fields=[])
    return html.unescape(words).split("·")[0].strip()


def keeps(desk: Phone, **typed: str) -> None:
    """The new letter of the page of letters, kept."""
    desk.opens("/es/equipo/cartas")
    form = [form for form in desk.forms if ("go", "keep") in form.buttons][-1]
    desk.repeats(form.action, form.values | {name: [value] for name, value in typed.items()} | {"go": ["keep"]})


# ── one press, changed, sent ────────────────────────────────────────────────────────────────────────────────


def is_changed_and_sent(app: Flask, place: Place) -> None:
    """A letter of the list goes into the box, is changed, and she reads it as it was sent."""
    receipt = place.receives(HURT, f"Fue anoche. {MARK}", consents=YES)
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    desk.presses("fill-read_it")
    shipped = next(each for each in letters.shipped() if each.code == "read_it").texts["es"]
    assert box(desk) == shipped
    assert "Leímos lo que nos contaste" not in comes_back(app, receipt).words, "a press alone sends nothing"
    desk.presses("answer", text=f"{shipped}\nHoy está Milagros.")
    assert say("It is yours now, and your letter was sent. She reads it with her code.") in desk.words
    assert desk.path != case
    her = comes_back(app, receipt)
    assert "Leímos lo que nos contaste" in her.words
    assert "Hoy está Milagros." in her.words


def test_a_letter_of_the_team_is_changed_and_sent(app: Flask, place: Place) -> None:
    is_changed_and_sent(app, place)


def test_a_letter_of_the_team_is_changed_and_sent_on_postgresql(tmp_path: Path) -> None:
    with a_schema() as address:
        place = a_furnished_place(tmp_path, DATABASE_URL=address)
        app = create_app(place.settings, place.clock)
        is_changed_and_sent(app, place)
        keeps(at_the_desk(app, place), title_es="Quién está hoy", text_es=OWN)
        desk = at_the_desk(app, place)
        desk.opens("/es/equipo/cartas")
        assert OWN in desk.words
        place.engine.dispose()


def test_what_was_typed_before_stays_before_the_letter(app: Flask, place: Place) -> None:
    place.receives(HURT, consents=YES)
    desk = at_the_desk(app, place)
    opens_newest_case(desk)
    desk.presses("fill-how_are_you", text="Hola, soy Rosa.")
    assert box(desk).startswith("Hola, soy Rosa.")
    assert "¿Cómo estás hoy?" in box(desk)


def test_a_place_that_nobody_knows_stays_blank_and_is_not_sent(app: Flask, place: Place) -> None:
    receipt = place.receives(HURT, consents=YES)
    desk = at_the_desk(app, place)
    opens_newest_case(desk)
    desk.presses("fill-found_place")
    assert box(desk).count(letters.BLANK) == 3, "no referral: service, address and hours are not known"
    typed = box(desk)
    for go in ("answer", "letter"):
        desk.presses(go, text=typed)
        assert desk.status == 422
        assert say(UNFINISHED) in desk.words
        assert box(desk) == typed.strip(), "what was typed is kept"
    assert "Encontramos un lugar" not in comes_back(app, receipt).words


def test_the_service_is_filled_in_where_only_one_can_be_meant(app: Flask, place: Place) -> None:
    place.receives(HURT, MARK, consents=YES)
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    service = proposes(desk)
    desk.presses("fill-found_place")
    assert f"Encontramos un lugar para ti: {service}." in box(desk)
    assert not PLACE.search(box(desk))
    assert MARK not in box(desk)
    desk.opens(case)
    desk.presses("fill-accepted")
    assert box(desk).startswith(letters.BLANK), "it is proposed, nobody accepted anything"
    doors = re.findall(r'<option value="(N_PEP \S+?)"', desk.text)
    desk.presses("propose", door=doors[-1], fields=[])
    desk.presses("fill-found_place")
    assert f"para ti: {letters.BLANK}" in box(desk), "two are proposed: which one is for the case worker to say"


def test_the_days_on_which_the_team_reads_are_filled_in(app: Flask, place: Place) -> None:
    place.receives(HURT, consents=YES)
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    desk.presses("fill-reading_days")
    assert letters.BLANK in box(desk)
    with writing(place.engine) as db:
        reading_hours.write(db, place.workers["rosa"].signer, {0: (9, 13), 3: (9, 13)}, ())
    desk.opens(case)
    desk.presses("fill-reading_days")
    assert "lunes y jueves" in box(desk)


def test_it_is_in_her_language_with_the_case_workers_beside_it(app: Flask, place: Place) -> None:
    place.receives(HURT, consents=YES, language="en")
    desk = at_the_desk(app, place)
    opens_newest_case(desk)
    desk.presses("fill-read_it")
    assert box(desk).startswith("We read what you told us.")
    assert "Leímos lo que nos contaste" in desk.words
    assert say("In your language it says:") in desk.words


def test_no_letter_can_be_put_in_where_she_wants_none(app: Flask, place: Place) -> None:
    place.receives(HURT, consents=frozenset())
    desk = at_the_desk(app, place)
    opens_newest_case(desk)
    assert "fill-read_it" not in desk.text


def test_after_a_lost_session_the_letter_comes_with_what_was_typed(app: Flask, place: Place) -> None:
    place.receives(HURT, consents=YES)
    desk = at_the_desk(app, place)
    opens_newest_case(desk)
    place.clock.on(minutes=17)
    desk.presses("fill-read_it", text="Hola, soy Rosa.")
    place.clock.on(minutes=1)
    worker = place.workers["rosa"]
    desk.sends("password", name="rosa", password=worker.password, code=members.totp_code(worker.totp, place.clock()))
    assert "Hola, soy Rosa." in box(desk)
    assert "Leímos" in box(desk)


# ── what is shipped ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_shipped_letter_says_the_same_in_both_languages_and_names_only_known_places() -> None:
    for letter in letters.shipped():
        assert letter.titles.keys() == letter.texts.keys() == {"es", "en"}
        for text in letter.texts.values():
            assert letters.unknown_places(text) == ()
        codes = [
            [name for part in PLACE.findall(text) if (name := letters.filled(part, {code: code for code in CODES}))]
            for text in letter.texts.values()
        ]
        assert codes[0] == codes[1], letter.code


CODES = ("service", "address", "hours", "appointment", "reading_days")


def test_what_stands_in_brackets_is_read_in_any_language_with_or_without_accents() -> None:
    known = {"address": "Jr. Uno 123"}
    for name in ("[dirección]", "[direccion]", "[Address]", "[ dirección ]"):
        assert letters.filled(f"Es en {name}.", known) == "Es en Jr. Uno 123."
    assert letters.unknown_places("Ver [teléfono] y [horario]") == ("[teléfono]",)


# ── the team's own ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_team_writes_changes_and_takes_out_its_letters(app: Flask, place: Place) -> None:
    place.receives(HURT, consents=YES)
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    keeps(rosa, title_es="Quién está hoy", text_es=OWN)
    assert say("The letter is kept.") in rosa.words
    opens_newest_case(milagros)
    code = re.search(r'value="(fill-[^"]+)">Quién está hoy<', milagros.text)
    assert code
    milagros.presses(code[1])
    assert box(milagros) == OWN
    milagros.opens("/es/equipo/cartas")
    own = next(form for form in milagros.forms if form.values.get("text_es", [""])[0].strip() == OWN)
    milagros.repeats(own.action, own.values | {"text_es": ["Otra cosa."], "go": ["keep"]})
    assert "Otra cosa." in milagros.words
    assert OWN not in milagros.words
    own = next(form for form in milagros.forms if form.values.get("text_es", [""])[0].strip() == "Otra cosa.")
    milagros.repeats(own.action, own.values | {"go": ["take-out"]})
    assert say("The letter is taken out.") in milagros.words
    assert "Quién está hoy" not in milagros.opens("/es/equipo/cartas")


def test_a_shipped_letter_is_said_otherwise_and_can_be_had_back(app: Flask, place: Place) -> None:
    place.receives(HURT, consents=YES)
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/cartas")
    shipped = next(form for form in desk.forms if form.values.get("instead_of") == ["read_it"])
    desk.repeats(shipped.action, shipped.values | {"text_es": [OWN], "go": ["keep"]})
    case = opens_newest_case(desk)
    assert "fill-read_it" not in desk.text
    code = re.search(r'value="(fill-[^"]+)">La leímos<', desk.text)
    assert code
    desk.presses(code[1])
    assert box(desk) == OWN
    desk.opens("/es/equipo/cartas")
    own = next(form for form in desk.forms if form.values.get("instead_of") == ["read_it"])
    desk.repeats(own.action, own.values | {"go": ["take-out"]})
    desk.opens(case)
    assert "fill-read_it" in desk.text


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"title_es": "", "text_es": MARK}, "Write a title and a text, in one language at least."),
        ({"title_es": "Algo", "text_es": ""}, "Write a title and a text, in one language at least."),
        (
            {"title_es": "Algo", "text_es": f"{MARK} [teléfono]"},
            "In square brackets only the places that are listed above can stand.",
        ),
        ({"title_es": "Algo", "text_es": MARK + "a" * 2000}, "Es demasiado largo: tiene "),
    ],
)
def test_a_letter_that_is_not_right_comes_back_as_it_was_typed(
    app: Flask, place: Place, typed: dict[str, str], why: str
) -> None:
    desk = at_the_desk(app, place)
    keeps(desk, **typed)
    assert desk.status == 422
    assert say(why) in desk.words
    back = [form for form in desk.forms if ("go", "keep") in form.buttons][-1].values
    assert {name: back[name][0].strip() for name in typed} == typed


def test_two_who_change_the_same_letter_lose_nothing(app: Flask, place: Place) -> None:
    rosa, milagros = at_the_desk(app, place), at_the_desk(app, place, "milagros")
    keeps(rosa, title_es="Quién está hoy", text_es=OWN)
    for desk in (rosa, milagros):
        desk.opens("/es/equipo/cartas")
    first, second = (
        next(form for form in desk.forms if form.values.get("text_es", [""])[0].strip() == OWN)
        for desk in (rosa, milagros)
    )
    rosa.repeats(first.action, first.values | {"text_es": ["De Rosa."], "go": ["keep"]})
    milagros.repeats(second.action, second.values | {"text_es": ["De Milagros."], "go": ["keep"]})
    assert milagros.status == 409
    assert "De Rosa." in milagros.words
    back = next(form for form in milagros.forms if form.values.get("text_es", [""])[0].strip() == "De Milagros.")
    milagros.repeats(back.action, back.values | {"go": ["keep"]})
    assert "De Milagros." in milagros.words
    assert "De Rosa." not in milagros.words
    stale = first.values | {"text_es": ["Vieja."], "go": ["take-out"]}
    rosa.repeats(first.action, stale)
    assert rosa.status == 409, "what was changed since is not taken out unseen"


# ── where they lie ──────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_team_wrote_lies_sealed_and_follows_its_keys(app: Flask, place: Place) -> None:
    desk = at_the_desk(app, place)
    keeps(desk, title_es="Quién está hoy", text_es=OWN)
    with reading(place.engine) as db:
        team, first, sealed = db.execute(select(LettersRow.team, LettersRow.epoch, LettersRow.sealed)).one()
    assert b"Milagros" not in sealed
    place.signs_in("rosa")
    with writing(place.engine) as db:
        place.gone(db, "milagros")
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        keys, _ = keyring.settle(db, place.pin, keys)
    assert max(keys.epochs[team]) > first
    with reading(place.engine) as db:
        assert [letter.texts["es"] for letter in team_letters.letters_of(db, keys, team)] == [OWN]
    keeps(at_the_desk(app, place), title_es="Otra", text_es="Otra.")
    with reading(place.engine) as db:
        assert db.scalars(select(LettersRow.epoch)).one() > first, "what is written anew goes to the newest keys"


def test_letters_that_somebody_wrote_into_the_database_are_named_and_never_offered(app: Flask, place: Place) -> None:
    place.receives(HURT, consents=YES)
    desk = at_the_desk(app, place)
    keeps(desk, title_es="Quién está hoy", text_es=OWN)
    with writing(place.engine) as db:
        sealed = db.scalars(select(LettersRow.sealed)).one()
        db.execute(update(LettersRow).values(sealed=bytes([sealed[0]]) + sealed[1:-1] + bytes([sealed[-1] ^ 1])))
    desk.opens("/es/equipo/cartas")
    assert "no abren" in desk.words
    opens_newest_case(desk)
    assert "Quién está hoy" not in desk.words
    assert "fill-read_it" in desk.text
    keeps(desk, title_es="De nuevo", text_es="De nuevo.")
    assert "De nuevo" in desk.words
    assert "no abren" not in desk.words


def test_who_holds_none_of_the_keys_can_neither_read_nor_write_over_them(place: Place) -> None:
    keys = place.signs_in("rosa")
    team = queue_team(keys)
    letter = team_letters.TeamLetter({"es": "Uno"}, {"es": OWN})
    with writing(place.engine) as db:
        team_letters.keep(db, keys, team, letter, 1)
    newer = {team: {9: keys.epochs[team][1]}}
    stranger = replace(keys, epochs=newer)
    with reading(place.engine) as db, pytest.raises(CannotOpen):
        team_letters.letters_of(db, stranger, team)
    with writing(place.engine) as db, pytest.raises(CannotOpen):
        team_letters.keep(db, stranger, team, letter, 1)


def queue_team(keys: keyring.Keys) -> int:
    return min(keys.epochs)


def test_a_team_has_sixty_letters_at_most(place: Place) -> None:
    keys = place.signs_in("rosa")
    team = queue_team(keys)
    with writing(place.engine) as db:
        for number in range(team_letters.AT_MOST):
            team_letters.keep(db, keys, team, team_letters.TeamLetter({"es": str(number)}, {"es": OWN}), 1)
        with pytest.raises(team_letters.TooManyLetters):
            team_letters.keep(db, keys, team, team_letters.TeamLetter({"es": "61"}, {"es": OWN}), 1)
    with reading(place.engine) as db:
        assert len(team_letters.letters_of(db, keys, team)) == team_letters.AT_MOST
        assert queue(db, keys)[0] == ()
