"""When somebody reads, what happens when nobody does, the reminder that tells nothing, her statement on paper."""

from __future__ import annotations

import re
import socket
import threading
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from reporting.cases import desk as cases_desk
from reporting.cases import statement
from reporting.cli.base import main
from reporting.operations import reminder
from reporting.storage.database import reading, writing
from reporting.teams import reading_hours
from reporting.teams.reading_hours import BadHours, Duty
from reporting.vocabulary.incident import Incident
from reporting.web import languages
from tests.copies import Filling, with_coordinator
from tests.pages.test_casework import at_the_desk, comes_back
from tests.people import Place
from tests.phone import Phone
from tests.trips import opens_newest_case, say, starts_telling

LIMA = ZoneInfo("America/Lima")
TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=LIMA)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_coordinator


# ── the hours ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hours", "off", "expected"),
    [
        ({1: (9, 13)}, (), TUESDAY),
        ({1: (14, 18)}, (), TUESDAY.replace(hour=14, minute=0)),
        ({1: (8, 10)}, (), datetime(2026, 12, 1, 8, tzinfo=LIMA)),
        ({0: (9, 13), 2: (9, 13)}, (date(2026, 11, 25),), datetime(2026, 11, 30, 9, tzinfo=LIMA)),
        ({}, (), None),
        ({1: (8, 10)}, (date(2026, 12, 1),), None),
    ],
)
def test_the_next_time_somebody_reads(
    hours: dict[int, tuple[int, int]], off: tuple[date, ...], expected: datetime | None
) -> None:
    assert Duty(hours, off).next_reading(TUESDAY) == expected


@given(
    st.dictionaries(st.integers(0, 6), st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda t: t[0] < t[1]))
)
def test_the_next_time_lies_in_an_hour_that_was_promised(hours: dict[int, tuple[int, int]]) -> None:
    found = Duty(hours).next_reading(TUESDAY)
    assert (found is None) is (not hours)
    if found is not None:
        begins, ends = hours[found.weekday()]
        assert found >= TUESDAY
        assert begins <= found.hour < ends


@pytest.mark.parametrize("wrong", [{7: (1, 2)}, {0: (5, 5)}, {0: (9, 25)}, {3: (9, 8)}])
def test_hours_that_cannot_be_are_refused(place: Place, wrong: dict[int, tuple[int, int]]) -> None:
    with writing(place.engine) as db, pytest.raises(BadHours):
        reading_hours.write(db, 1, wrong, ())


def test_nobody_promises_hours_that_nobody_set(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next")
    phone.presses("check")
    assert say("A person reads it. We cannot say on which day.") in phone.words


def test_the_hours_are_told_before_and_after_sending(app: Flask, place: Place) -> None:
    carmen = at_the_desk(app, place, "carmen")
    carmen.opens("/es/equipo/turnos")
    carmen.sends("off", from0="9", to0="8")
    assert carmen.status == 422
    assert carmen.form(holding="off").values["from0"] == ["9"], "what she typed is kept"
    carmen.sends("off", from0="9", to0="13", from4="15", to4="18", off="pronto")
    assert carmen.status == 422
    carmen.sends("off", from0="9", to0="13", from4="15", to4="18", off="28/07/2027")
    assert say("Saved.") in carmen.words
    assert "28/07/2027" in carmen.text
    phone = starts_telling(app)
    phone.presses("next")
    phone.presses("check")
    assert "lunes de 9 a 13 h; viernes de 15 a 18 h" in phone.words
    phone.presses("send")
    assert "lunes de 9 a 13 h; viernes de 15 a 18 h" in phone.words


@pytest.mark.parametrize(
    ("hours", "off", "expected"),
    [
        ({}, (), None),
        ({1: (9, 13)}, (), TUESDAY.replace(hour=13, minute=0)),
        ({1: (9, 11), 3: (15, 18)}, (), datetime(2026, 11, 26, 18, tzinfo=LIMA)),  # half an hour is no time to answer
        ({1: (9, 13), 2: (8, 24)}, (TUESDAY.date(),), datetime(2026, 11, 26, 0, tzinfo=LIMA)),
    ],
)
def test_what_comes_now_has_been_read_when_a_reading_of_an_hour_ends(
    hours: dict[int, tuple[int, int]], off: tuple[date, ...], expected: datetime | None
) -> None:
    assert Duty(hours, off).read_by(TUESDAY) == expected


def test_who_may_be_written_to_is_told_when_to_come_back(app: Flask, place: Place) -> None:
    carmen = at_the_desk(app, place, "carmen")
    carmen.opens("/es/equipo/turnos")
    tomorrow = (languages.local(place.clock(), "America/Lima").weekday() + 1) % 7
    carmen.sends("off", **{f"from{tomorrow}": "14", f"to{tomorrow}": "17"})
    for letters, said in ((["y"], True), ([], False)):
        phone = starts_telling(app)
        phone.presses("next")
        phone.presses("check")
        phone.presses("send", letters=letters)
        assert ("mañana por la tarde" in phone.words) is said


def test_the_numbers_of_a_code_stand_before_its_words(app: Flask) -> None:
    phone = starts_telling(app)
    phone.presses("next")
    phone.presses("check")
    phone.presses("send")
    assert phone.text.index('class="c-digits"') < phone.text.index('class="c-words"')
    assert say(
        "If you lose the code, what you told is read all the same. You can tell again and get another code."
    ) in (phone.words)


def test_after_four_days_without_a_look_the_first_page_says_so(app: Flask, place: Place) -> None:
    sentence = say("For some days nobody of the team has looked in here. Do not wait for us. These lines answer now:")
    rosa = at_the_desk(app, place)
    rosa.opens("/es/equipo/casos")
    phone = Phone(app)
    place.clock.on(days=3)
    phone.opens("/es/")
    assert sentence not in phone.words
    place.clock.on(days=1)
    phone.opens("/es/")
    assert sentence in phone.words
    assert "tel:" in phone.text.split("<main")[1].split('<ul class="o-stack">')[0], "the lines stand beside it"
    carmen = at_the_desk(app, place, "carmen")
    carmen.opens("/es/equipo/personas")
    assert "Hace 4 días" in carmen.words
    at_the_desk(app, place).opens("/es/equipo/casos")
    phone.opens("/es/")
    assert sentence not in phone.words


def test_of_a_look_only_the_day_is_kept(place: Place) -> None:
    with writing(place.engine) as db:
        reading_hours.note_opened(db, TUESDAY.date())
    with reading(place.engine) as db:
        assert reading_hours.read(db).opened == TUESDAY.date()


# ── the reminder ────────────────────────────────────────────────────────────────────────────────────────────


class Letterbox:
    """A mail server of one connection, in the open on this machine."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port, self.taken = self._door.getsockname()[1], list[str]()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        line, _ = self._door.accept()
        with line, line.makefile("rwb", buffering=0) as talk:
            talk.write(b"220 here\r\n")
            for raw in talk:
                word = raw.split(b" ")[0].strip().upper()
                talk.write({b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n"))
                if word == b"DATA":
                    self.taken.append(b"".join(iter(talk.readline, b".\r\n")).decode())
                    talk.write(b"250 ok\r\n")
                if word == b"QUIT":
                    return

    def all(self) -> list[str]:
        self._thread.join(10)
        return self.taken


def test_the_reminder_says_the_same_to_everybody_and_nothing_of_cases(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Letterbox()
    told = {
        "AMPARO_INSTANCE": str(place.settings.instance),
        "BASE_URL": "http://localhost",
        "SITE_NAME": "Hojita",
        "SMTP_URL": f"smtp://127.0.0.1:{box.port}",
        "NOTIFY_TO": "a@example.org, b@example.org",
        "NOTIFY_FROM": "aviso@example.org",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    place.receives(Incident(), "algo nuevo")
    result = CliRunner().invoke(main, ["notify", "--json"])
    assert result.output.strip() == '{"sent": 2}'
    letters = box.all()
    assert [re.search(r"To: (\S+)", one)[1] for one in letters if re.search(r"To: (\S+)", one)] == [
        "a@example.org",
        "b@example.org",
    ]
    bodies = {one.replace("\r", "").split("\n\n", 1)[1] for one in letters}
    assert len(bodies) == 1
    for one in letters:
        assert "Reply-To" not in one
        assert not [word for word in ("Hojita", "localhost", "http", "caso", "algo nuevo") if word in one]


def test_the_reminder_is_off_until_somebody_switches_it_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPARO_INSTANCE", str(place.settings.instance))
    monkeypatch.setenv("BASE_URL", "http://localhost")
    result = CliRunner().invoke(main, ["notify"])
    assert result.exit_code == 1
    assert "The reminder is off" in result.output


def test_a_mail_server_elsewhere_is_never_spoken_to_in_the_open(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Letterbox()
    monkeypatch.setattr(reminder, "LOCAL_HOSTS", frozenset())
    settings = place.settings.with_changes(smtp_url=f"smtp://127.0.0.1:{box.port}", notify_to=("a@example.org",))
    with pytest.raises(reminder.CannotSend):
        reminder.send(settings, "x", "y")
    assert box.all() == []


# ── her statement ───────────────────────────────────────────────────────────────────────────────────────────

TOLD = Incident(
    about="SELF",
    violence=frozenset({"PHYSICAL_ASSAULT"}),
    perpetrator=frozenset({"POLICE"}),
    hours=(24.0, 72.0),
    department="PE25",
    region="UCAYALI",
    flags=frozenset({"I_WOUND", "S_WEAPON"}),
)


def test_her_statement_holds_what_she_told_in_order_and_nothing_of_us(app: Flask, place: Place) -> None:
    receipt = place.receives(TOLD, "Me pegaron en la esquina.")
    her = comes_back(app, receipt)
    her.presses("statement")
    paper = her.text.split("<article>")[1].split("</article>")[0]
    words = re.sub(r"<[^>]+>", " ", paper)
    order = [
        words.index(say(part)) for part in ("1. What happened", "2. When", "3. Where", "4. Who did it", "Signature")
    ]
    assert order == sorted(order)
    assert "Me pegaron en la esquina." in words
    assert "Ucayali" not in words, "she was asked where she is, not where it happened"
    assert not [word for word in (place.settings.site_name, "Equipo", "http") if word in words]
    assert re.fullmatch(r"/es/p/[\w-]{22}/[0-9a-f]{8}", her.path), "what she typed stands only under a random name"
    assert her.status == 203
    her.presses("show")
    assert say("Welcome back") in her.words


def test_a_case_worker_prints_it_and_the_printing_is_in_the_audit(app: Flask, place: Place) -> None:
    place.receives(TOLD, "Me pegaron en la esquina.")
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    desk.opens(f"{case}/relato")
    assert "Me pegaron en la esquina." in desk.words
    with reading(place.engine) as db:
        assert cases_desk.acts(db, place.signs_in("rosa"), {})[0].act == "printed"


def _paper(app: Flask, place: Place, incident: Incident) -> str:
    her = comes_back(app, place.receives(incident, ""))
    her.presses("statement")
    return " ".join(re.sub(r"<[^>]+>", " ", her.text.split("<article>")[1].split("</article>")[0]).split())


SAID = {  # what was told -> sentences that stand on the paper, and words that nobody said
    "one's own": (
        Incident(about="SELF", violence=frozenset({"RAPE"}), hours=(720.0, 87600.0), ongoing=True),
        ["Me obligaron a tener sexo", "Más de un mes antes del", "Sigue pasando", say(statement.BY_HERSELF)],
        ["Entre el", "2016", "Sí", "7. Qué pasó antes Sigue"],
    ),
    "another's": (
        Incident(about="OTHER", violence=frozenset({"RAPE", "ROBBERY"}), flags=frozenset({"I_WOUND"}), ongoing=False),
        ["La obligaron a tener sexo", "Le robaron", "Un corte o una herida abierta", say(statement.BY_ANOTHER)],
        ["Me obligaron", "Me robaron", "No recuerdo", "Sigue pasando", "El 2"],
    ),
    "signs of then": (
        Incident(about="SELF", flags=frozenset({"D_BLEEDING", "D_SUICIDE", "S_WEAPON"}), hours=(5.0, 5.0)),
        ["Estoy sangrando mucho", "Alrededor del", " de 2027, "],
        ["quitarme la vida", "Hubo un arma"],
    ),
    "passed over": (
        Incident(about="SELF", reported="PREFER_NOT", venue="PREFER_NOT", region="UCAYALI", department="PE25"),
        [say(statement.BY_HERSELF)],
        ["Prefiero no decir", "Ucayali", "No recuerdo"],
    ),
}


@pytest.mark.parametrize("told", SAID)
def test_the_statement_says_what_she_told_and_nothing_that_she_did_not(app: Flask, place: Place, told: str) -> None:
    incident, said, never_said = SAID[told]
    paper = _paper(app, place, incident)
    assert not [sentence for sentence in said if sentence not in paper], paper
    assert not [sentence for sentence in never_said if sentence in paper], paper


def test_the_statement_says_when_answers_were_set_right_and_by_whom(app: Flask, place: Place) -> None:
    her = comes_back(app, place.receives(TOLD, ""))
    her.presses("right-4")
    her.presses("save-4", docs="NONE")
    her.presses("statement")
    day = languages.day("es", languages.local(place.clock(), "America/Lima").date())
    assert f"Respuestas corregidas el {day}" in her.words
    assert f"Contado por escrito el {day}" in her.words
