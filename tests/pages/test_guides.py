"""Guides name only what there is, show nothing of the team to a stranger, and are light."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from referrals.casework import queue
from referrals.casework.examples import examples
from reporting.cli.base import main
from reporting.vocabulary.incident import Incident
from reporting.web import languages
from tests.copies import Filling, with_coordinator
from tests.house.figures import ROOT
from tests.pages.test_casework import at_the_desk
from tests.people import Place
from tests.phone import Phone

WITHIN_HOURS = Incident(violence=frozenset({"RAPE"}), hours=(20.0, 20.0), age="A25_34")

GUIDES = sorted((ROOT / "templates" / "guide").glob("*.html"))
PUBLIC = ("/{}/guia", "/{}/guia/taller", "/{}/guia/papel", "/{}/guia/instalar")
DESK = {  # address -> its heading
    "coordinacion": "<h1>Primer día de una coordinadora</h1>",
    "cifras": "<h1>Primer día de quien hace incidencia</h1>",
    "emergencia": "<h1>Si vienen por nosotras</h1>",
}
RUN = "install"  # the guide whose commands are run, also those of Debian: tests/stories/test_guide_of_who_installs.py
LIGHT = 6_000  # bytes before they are packed, as the page after sending
QUOTED = re.compile("«([^»]+)»")
SAID = re.compile(r'\b(?:_|N_)\(\s*"((?:[^"\\]|\\.)*)"')


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_coordinator


def said_elsewhere() -> set[str]:
    """Every text of a page that is no guide, and of the code."""
    pages = [path for path in (ROOT / "templates").rglob("*.html") if path.parent.name != "guide"]
    code = [path for package in ("reporting", "referrals") for path in (ROOT / package).rglob("*.py")]
    return {text for path in (*pages, *code) for text in SAID.findall(path.read_text("utf-8"))}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_page_and_button_that_a_guide_names_is_called_so_on_the_screen(guide: Path) -> None:
    there = {text[:1].lower() + text[1:] for text in said_elsewhere()}
    spanish = languages.load(("es",))["es"].gettext
    for message in SAID.findall(guide.read_text("utf-8")):
        names = QUOTED.findall(message)
        assert not {name for name in names if name[:1].lower() + name[1:] not in there}
        shown = [spanish(name) if name[:1].isupper() else "" for name in names]
        assert all(name in QUOTED.findall(spanish(message)) for name in shown if name), message


def test_the_pictures_of_the_guide_are_lines_of_the_list_that_nobody_can_press(app: Flask, place: Place) -> None:
    place.receives(WITHIN_HOURS)
    desk = at_the_desk(app, place)
    desk.opens("/es/equipo/guia")
    pictures = re.findall(r'<ul class="queue-list" inert>(.*?)</ul>', desk.text, re.DOTALL)
    desk.opens("/es/equipo/casos?folder=all")
    (line,) = re.findall(r'<li class="c-card.*?</li>', desk.text, re.DOTALL)
    assert [example.line.why for example in examples(place.clock())] == ["window", "wrote", "taken"]
    assert _without_its_name(line) == _without_its_name(pictures[0].strip()), "drawn as the list draws it"
    assert len(pictures) == 3


def _without_its_name(line: str) -> str:
    return re.sub(r"[A-Z]{2}-\d{3}|caso/\d+|value=\"\d+\"", "", line)


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_guide_calls_each_tab_and_each_label_of_the_list_as_the_list_does(
    app: Flask, place: Place, language: str
) -> None:
    rosa, catalogue = at_the_desk(app, place), languages.load((language,))[language]
    rosa.opens(f"/{language}/equipo/guia")
    named = [html.unescape(name) for name in re.findall("<dt>(.*?)</dt>", rosa.text)]
    folders = [*queue.TABS, *(name for name in queue.FOLDERS if name not in {*queue.TABS, "all"})]
    messages = [*(queue.FOLDERS[name][0] for name in folders), *(row.says for row in queue.PLACES.values())]
    assert named == [languages.say(catalogue, message) for message in messages]


@pytest.mark.parametrize("guide", [path for path in GUIDES if path.stem != RUN], ids=lambda path: path.stem)
def test_every_command_that_a_guide_names_exists_with_its_options(guide: Path) -> None:
    for line in re.findall(r'command\("([^"]+)"\)', guide.read_text("utf-8")):
        program, name, *options = line.split()
        taught = CliRunner().invoke(main, [name, "--help"])
        assert (program, taught.exit_code) == ("amparo", 0), line
        assert all(option in taught.output for option in options if option.startswith("--")), line


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("address", PUBLIC)
def test_anybody_reads_the_public_guides_without_a_script_or_a_trace(app: Flask, address: str, language: str) -> None:
    phone = Phone(app)
    page = phone.opens(address.format(language))
    assert phone.answer is not None
    assert phone.status == 200
    assert not phone.answer.headers.getlist("Set-Cookie")
    assert len(page.encode()) <= LIGHT
    assert not [link for link in re.findall(r'href="([^"]+)"', page) if "/equipo" in link]
    assert f'href="/{language}/guia' in Phone(app).opens(f"/{language}/"), "the first page leads there"


@pytest.mark.parametrize("name", DESK)
def test_a_stranger_is_not_shown_how_the_team_acts_in_danger(app: Flask, name: str) -> None:
    phone = Phone(app)
    page = phone.opens(f"/es/equipo/guia/{name}")
    assert DESK[name] not in page
    assert "amparo lock" not in page


def test_each_role_reads_its_own_guide_and_all_read_what_to_do_in_danger(place: Place, app: Flask) -> None:
    ana = place.hires("ana", "advocate")
    for worker, own in ((place.workers["carmen"], "coordinacion"), (ana, "cifras")):
        phone = at_the_desk(app, place, worker.name)
        for name, heading in DESK.items():
            page = phone.opens(f"/es/equipo/guia/{name}")
            assert (heading in page) == (name in {own, "emergencia"}), name
