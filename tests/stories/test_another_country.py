"""Promises to whoever lives in another country: no number, service or place of Peru; without a line nobody tells.

What is looked for is taken from the shipped files, so that a new row of theirs is looked for too.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request

from referrals.directory import rows, snapshot
from referrals.directory.importing import run, shipped
from referrals.directory.reviewed_data import DATA
from referrals.help.answers import ASKED, help_with, other_departments
from referrals.matching.offers import NEVER_REPLACED
from reporting.app import create_app
from reporting.figures import periods, releases, work_apart
from reporting.pages.come_back import NOTHING_OPENS
from reporting.storage.database import reading, writing
from reporting.teams import team_log
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR, STATISTICS
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.tally import block_of_codes
from reporting.web.context import installation_of
from reporting.web.languages import LANGUAGES
from tests.people import Place, a_furnished_place, a_new_place
from tests.phone import FormOnPage, Phone
from tests.trips import Fill, at_random, begins, on_the_check_page, say, sends, signs_in, starts_telling, tells

OF_KENYA = {"COUNTRY": "KE", "EXIT_URL": "https://weather.example/", "TIME_ZONE": "Africa/Nairobi"}
TONGUES = ("es", "en")
OF_A_NEED = ("have-", "unwanted-", "still-")  # buttons that go once one of them is pressed
OWN_LINES = {"linea_a": "0700 000 001", "linea_b": "0700 000 002"}  # numbers that nobody has
TREE = "code,parent,level,name\nKE,,country,Kenya\nKE47,KE,department,Nairobi\nKE4701,KE47,province,Westlands\n"
# drawn anew each time, so that a group of digits of theirs can be a number of ours
DRAWN = re.compile(
    r'<p class="c-digits">.*?</p>|<div class="c-code".*?</div>|<p class="c-code".*?</p>|value="[^"]*"', re.DOTALL
)


def read_table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((DATA / name).read_text("utf-8"))))


def numbers_of_peru() -> set[str]:
    """Every number to call, as it is written and as a phone dials it."""
    written = {
        match
        for row in read_table("services-pe.csv")
        for cell in (row["phone"], row["whatsapp"])
        for match in re.findall(r"\+?\d[\d\s-]{1,}\d", cell.split("(")[0])
    }
    return written | {re.sub(r"[\s-]", "", number) for number in written}


def names_of_peru() -> set[str]:
    """Every service, whole and by the first words of its name, which say what it is called."""
    names = {row["name"] for row in read_table("services-pe.csv")}
    short = {re.split(r"[(:,]", name)[0].strip() for name in names}
    return names | {name for name in short if re.search(r"\d|[A-ZÁÉÍÓÚ]", name[1:])}


def places_of_peru() -> set[str]:
    """Country, departments and provinces."""
    return {row["name"] for row in read_table("places-pe.csv") if row["level"] != "district"}


def words(found: set[str]) -> re.Pattern[str]:
    longest_first = sorted(found, key=len, reverse=True)
    return re.compile(rf"(?<![\w.+-])(?:{'|'.join(re.escape(one) for one in longest_first)})(?!\w|-\d| cases| casos)")


PERU = words(numbers_of_peru() | names_of_peru() | places_of_peru() | {"Peru", "Peruvian", "peruana", "peruano"})
DIALLED = re.compile(rf"(?:tel|sms):(?:{'|'.join(re.escape(one) for one in numbers_of_peru())})\b")
IDS = words({row["id"] for row in read_table("services-pe.csv") if re.search(r"[\d_]", row["id"])})


def test_what_is_looked_for_is_what_the_files_hold() -> None:
    assert {"100", "113", "106", "1810", "0800-15170", "080015170"} <= numbers_of_peru()
    assert {"Defensoría del Pueblo", "Línea 1810", "SAMU 106"} <= names_of_peru()
    assert {"Perú", "Lima", "Ucayali", "Arequipa"} <= places_of_peru()
    for told in ("llama al 113.", "Línea 100", "(Defensoría del Pueblo)", "Ucayali,", "0800-15170"):
        assert PERU.search(told), told
    assert DIALLED.search('<a href="tel:1810">')


@dataclass
class Kenya:
    """An installation in Kenya and every page that it has shown."""

    place: Place
    app: Flask
    shown: dict[str, list[str]] = field(default_factory=dict)  # rule and method -> pages

    def keep(self, answer: Response) -> Response:
        if answer.mimetype in {"text/css", "text/javascript", "image/png"}:
            return answer
        rule = f"{request.method} {request.url_rule.rule if request.url_rule else '-'}"
        headers = " ".join(str(value) for name, value in answer.headers if name != "Set-Cookie")
        text = answer.get_data().decode("utf-8", "replace")
        self.shown.setdefault(rule, []).append(f"{text} {headers}")
        return answer

    def of_peru(self) -> set[tuple[str, str]]:
        """(rule, what of Peru stands on a page of it)."""
        return {(rule, one) for rule, pages in self.shown.items() for page in set(pages) for one in of_peru(page)}


def of_peru(page: str) -> Iterator[str]:
    yield from (match.group() for match in DIALLED.finditer(page))
    bare = DRAWN.sub(" ", page)
    visible = re.sub(r"<[^>]*>", " ", re.sub(r"<(script|style)\b.*?</\1>", " ", bare, flags=re.DOTALL))
    yield from (match.group() for match in PERU.finditer(visible))
    yield from (match.group() for match in IDS.finditer(bare))


def kenya(folder: Path, *, lines: bool, tree: bool = False) -> Kenya:
    place = a_new_place(folder, **OF_KENYA)
    snapshot.settle(place.engine, place.settings.country, place.settings.clock_of_services)
    with writing(place.engine) as db:
        shipped.load_country(db)
        if tree:
            shipped.load_places(db, TREE)
        if lines:
            assert not run.bring_in(db, own_lines().encode(), by=None).problems
    place.hires("rosa", CASE_WORKER)
    place.hires("carmen", COORDINATOR)
    place.hires("ana", ADVOCATE)
    made = Kenya(place, create_app(place.settings, place.clock))
    installation_of(made.app).apart = work_apart.run
    made.app.after_request(made.keep)
    return made


def own_lines() -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows.COLUMNS)
    writer.writeheader()
    for name, number in OWN_LINES.items():
        blank = dict.fromkeys(rows.COLUMNS, "")
        writer.writerow(
            blank
            | {
                "id": name,
                "name": f"Line {name[-1].upper()}",
                "service_type": "CRISIS_LINE",
                "coverage": "national",
                "phone": number,
                "status": "seen",
                "is_24h": "yes",
                "source": "https://lines.example/",
                "source_date": "2026-11-01",
                "police_inside_or_run": "no",
                "cost": "free",
            }
        )
    return out.getvalue()


@pytest.fixture
def without(tmp_path: Path) -> Kenya:
    return kenya(tmp_path, lines=False)


@pytest.fixture
def with_lines(tmp_path: Path) -> Kenya:
    return kenya(tmp_path, lines=True)


def opens_everything(made: Kenya, phone: Phone, told: Mapping[str, Any]) -> None:
    """Every address that can be fetched, in every language."""
    for rule in made.app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.rule.endswith(".png"):
            continue
        for language in TONGUES if "lang" in rule.arguments else ("",):
            values = {name: told.get(name, 1) for name in rule.arguments} | ({"lang": language} if language else {})
            with made.app.test_request_context():
                address = made.app.url_map.bind("localhost").build(rule.endpoint, values)
            phone.opens(address)
            assert phone.status < 500 or phone.status == 503, (address, phone.words[:200])


def everybody_opens_everything(made: Kenya, case: int) -> None:
    told = {
        "case": case,
        "service": "linea_a",
        "place": "KE47",
        "period": "2025",
        "name": "table-1.csv",
        "token": "x",
        "version": "x",
        "number": 1,
    }
    opens_everything(made, Phone(made.app), told)
    for name in ("rosa", "carmen", "ana"):
        opens_everything(made, signs_in(made.app, made.place, made.place.workers[name]), told)


def fetched_by_get(made: Kenya) -> set[str]:
    """Every rule with a page that can be fetched."""
    rules = [rule for rule in made.app.url_map.iter_rules() if "GET" in (rule.methods or set())]
    return {f"GET {rule.rule}" for rule in rules if not re.search(r"\.(css|js|png)$", rule.rule)}


def number_of_the_case(made: Kenya) -> int:
    desk = signs_in(made.app, made.place, made.place.workers["rosa"])
    desk.opens("/es/equipo/casos?folder=all")
    return int(re.findall(r"/equipo/caso/(\d+)", desk.text)[0])


def looks_for_help(made: Kenya) -> None:
    for language in TONGUES:
        phone = Phone(made.app)
        phone.opens(f"/{language}/ayuda")
        phone.sends("needs", needs=list(ASKED), police_shown="y")
        assert phone.status == 203


def comes_back_and_does_everything(made: Kenya, code: str) -> None:
    phone = Phone(made.app)
    for language in TONGUES:
        phone.opens(f"/{language}/volver")
        phone.sends("code", code=code)
        assert say(NOTHING_OPENS) not in phone.words
        assert phone.status == 203
        pressed = {value for form in phone.forms for name, value in form.buttons if name == "go"}
        for button in sorted(pressed - {"show"}):
            phone.opens(f"/{language}/volver")
            phone.sends("code", code=code)
            if button.startswith(OF_A_NEED) and all(("go", button) not in form.buttons for form in phone.forms):
                continue  # another button said before what became of this need
            phone.presses(button)
            assert phone.status < 500


def in_words_of_hers(seed: int) -> Fill:
    """At random, but no number that she types is one of Peru."""
    anything = at_random(seed)

    def fill(form: FormOnPage) -> dict[str, Any]:
        typed = {"text": "palabra", "textarea": "palabra"}
        told = {name: typed.get(form.kinds[name], value) for name, value in anything(form).items()}
        return told | ({"number": 7} if "number" in told else {})

    return fill


# ── without a line ──────────────────────────────────────────────────────────────────────────────────────────


def test_where_a_country_has_no_line_nobody_is_asked_to_tell(without: Kenya) -> None:
    phone = Phone(without.app)
    for language in TONGUES:
        phone.opens(f"/{language}/contar")
        assert phone.status == 503
        phone.opens(f"/{language}/")
        assert phone.status == 203
        assert f"/{language}/antes" not in phone.text
    phone.opens("/es/")
    assert say("This page is not open yet.") in phone.words
    assert (
        say(
            "We do not know any line of this country yet. If you are in danger, go to the nearest hospital or to"
            " somebody you trust."
        )
        in phone.words
    )
    desk = signs_in(without.app, without.place, without.place.workers["rosa"])
    desk.opens("/es/equipo/voz")
    assert desk.status == 503


def test_without_a_line_coming_back_reading_and_erasing_stay_open(without: Kenya) -> None:
    receipt = without.place.receives(Incident(), "Fue de noche.")
    phone = Phone(without.app)
    phone.opens("/es/")
    phone.sends("code", code=" ".join(receipt.words("es")))
    assert phone.status == 203
    phone.presses("write", text="Una carta.")
    assert say("Your letter is with the team.") in phone.words
    phone.presses("ask-erase")
    phone.presses("erase")
    assert without.place.cases() == 0


def test_without_a_line_no_page_names_anything_of_peru(without: Kenya) -> None:
    made = without
    receipt = made.place.receives(Incident(violence=frozenset({"RAPE"}), age="A14_17"), "Fue de noche.")
    everybody_opens_everything(made, number_of_the_case(made))
    looks_for_help(made)
    comes_back_and_does_everything(made, " ".join(receipt.words("es")))
    assert made.of_peru() == set()


# ── with two lines of its own ───────────────────────────────────────────────────────────────────────────────


def test_two_lines_of_its_own_open_the_door(with_lines: Kenya) -> None:
    phone = Phone(with_lines.app)
    for address in ("/es/", "/es/ahora", "/en/cuidados", "/es/nada"):
        phone.opens(address)
        assert ("tel:+254700000001" in phone.text) == (address != "/es/"), address
    phone.opens("/es/contar")
    assert phone.status == 203
    assert {"tel:+254700000001", "tel:+254700000002"} <= set(re.findall(r"tel:[+\d]+", _the_lines(phone)))


def _the_lines(phone: Phone) -> str:
    phone.opens("/es/ahora")
    return phone.text


def test_every_need_ends_with_a_line_of_its_own(with_lines: Kenya) -> None:
    held = snapshot.snapshot_of(lambda: reading(with_lines.place.engine))
    found = help_with(held, ASKED, None, with_lines.place.clock(), languages=("en",))
    lined = [need for need in found.needs if need.need.code not in NEVER_REPLACED or need.offers]
    assert all({offer.service_id for offer in need.offers} & OWN_LINES.keys() for need in lined)


def test_with_its_own_lines_no_page_names_anything_of_peru(tmp_path: Path) -> None:
    made = kenya(tmp_path, lines=True, tree=True)
    code = ""
    for number, language in enumerate(TONGUES * 2):
        phone = Phone(made.app)
        begins(phone, language)
        told = tells(phone, in_words_of_hers(number))
        assert "region" not in told
        code = sends(phone)
    a_child_tells(made)
    everybody_opens_everything(made, number_of_the_case(made))
    looks_for_help(made)
    comes_back_and_does_everything(made, code)
    writes_down_by_voice(made)
    assert made.of_peru() == set()
    assert not fetched_by_get(made) - made.shown.keys()


def a_child_tells(made: Kenya) -> None:
    for language in TONGUES:
        phone = Phone(made.app)
        begins(phone, language)
        phone.presses("next", age="A14_17", safety=["S_NO_SAFE_PLACE"], danger=["D_BLEEDING", "D_SUICIDE"])
        assert "tel:+254700000001" in phone.text


def writes_down_by_voice(made: Kenya) -> None:
    desk = signs_in(made.app, made.place, made.place.workers["rosa"])
    for language in TONGUES:
        desk.opens(f"/{language}/equipo/voz")
        tells(desk, in_words_of_hers(7))
        desk.presses("send")
        assert desk.status in {200, 203}


@pytest.mark.parametrize("tree", [True, False])
def test_figures_of_another_country_are_by_its_own_departments_and_have_no_place_of_peru(
    tree: bool, tmp_path: Path
) -> None:
    made = kenya(tmp_path, lines=True, tree=tree)
    made.place.lets_in(made.place.signs_in("rosa"), "ana", STATISTICS)
    expects(made.place, 150)
    desk = signs_in(made.app, made.place, made.place.workers["ana"])
    for language in TONGUES:
        desk.opens(f"/{language}/equipo/cifras/preparar?period=2025")
        assert "department" not in desk.form(holding="only").offered["also"]
        assert (say_in(made, language, "Department") in desk.words) is tree
        desk.opens(f"/{language}/equipo/cifras/preparar?period=2025&also=department")
        assert desk.status == 422
    desk.opens("/es/equipo/cifras/preparar?period=2025")
    desk.presses("compile")
    desk.presses("publish")
    for language in TONGUES:
        desk.opens(f"/{language}/cifras/2025")
        assert desk.status in {200, 203}
        for address in sorted(set(re.findall(r'href="(/cifras/2025/[^"]+)"', desk.text))):
            assert made.app.test_client().get(address).status_code == 200
    about = json.loads(made.app.test_client().get("/cifras/2025/release.json").text)
    assert about["country"] == "KE"
    assert about["departments"] == ({"KE47": "Nairobi"} if tree else {})
    assert about["sensitivity"] == (7 if tree else 6), "a table less where nothing is known of places"
    assert ("Nairobi" in desk.words) is tree
    named = {name for _, name in made.of_peru() if not name.isdigit()}
    assert named == set(), "a count that is drawn by chance may be written as the number of a line"


def expects(place: Place, total: int) -> None:
    """The release of the year before says how many reports are expected."""
    with writing(place.engine) as db:
        team = team_log.team_of_kind(team_log.teams(db, place.pin), STATISTICS).id
        blocks = [block_of_codes(2024, 1, {})] * total
        releases.publish_fictional(db, periods.period("2024"), blocks, lambda _scale: 0, team)


def say_in(made: Kenya, language: str, message: str) -> str:
    return installation_of(made.app).catalogues[language].gettext(message)


def test_she_is_asked_for_a_department_where_the_country_has_a_tree_of_places(tmp_path: Path) -> None:
    made = kenya(tmp_path, lines=True, tree=True)
    phone = Phone(made.app)
    begins(phone)
    offered: dict[str, list[str]] = {}
    for _ in range(3):
        offered |= phone.form("next").offered
        phone.presses("next")
    assert "region" not in offered
    assert {"KE47"} <= set(offered["department"]) <= {"KE47", "KE4701", "", "-"}, "and the provinces below it"
    phone.opens("/es/ayuda")
    assert "KE47" in phone.form(holding="needs").offered["region"]


def test_without_a_tree_of_places_she_is_not_asked_where_she_is(with_lines: Kenya) -> None:
    phone = Phone(with_lines.app)
    begins(phone)
    for _ in range(3):
        assert not {"region", "department", "province"} & phone.form("next").kinds.keys()
        phone.presses("next")
    phone.opens("/es/ayuda")
    assert "region" not in phone.form(holding="needs").kinds


# ── what an older installation holds ────────────────────────────────────────────────────────────────────────


def test_the_directory_of_peru_in_the_database_is_not_seen_in_another_country(tmp_path: Path) -> None:
    made = kenya(tmp_path, lines=False)
    snapshot.settle(made.place.engine, "PE", "America/Lima")
    with writing(made.place.engine) as db:
        shipped.load_shipped(db)
    snapshot.settle(made.place.engine, "KE", "Africa/Nairobi")
    held = snapshot.snapshot_of(lambda: reading(made.place.engine))
    assert not held.cards.by_id
    assert not other_departments(held)
    receipt = made.place.receives(Incident(violence=frozenset({"RAPE"})), "Fue de noche.")
    told = {
        "case": number_of_the_case(made),
        "service": "linea100",
        "place": "PE25",
        "period": "2025",
        "name": "x.csv",
        "token": "x",
        "version": "x",
        "number": 1,
    }
    for phone in (Phone(made.app), signs_in(made.app, made.place, made.place.workers["carmen"])):
        opens_everything(made, phone, told)
    comes_back_and_does_everything(made, " ".join(receipt.words("es")))
    assert made.of_peru() == set()


def test_every_language_that_is_offered_is_walked_through() -> None:
    assert {code for code, language in LANGUAGES.items() if language.signed} == set(TONGUES)


def test_words_of_one_country_are_not_remembered_for_another(tmp_path: Path, with_lines: Kenya) -> None:
    def pages(app: Flask) -> list[str]:
        phone = starts_telling(app)
        texts = [phone.words]
        while not on_the_check_page(phone):
            phone.presses("next")
            texts.append(phone.words)
        return texts

    peru = a_furnished_place(tmp_path / "peru")
    assert any("Defensoría del Pueblo" in words for words in pages(create_app(peru.settings, peru.clock)))
    assert not [words for words in pages(with_lines.app) if "Defensoría del Pueblo" in words]
