"""What is written in a plan lies under seal alone, on either database, and goes with the case; paper tells no name."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.engine import make_url

from reporting.cases import records
from tests.browsers import headless
from tests.copies import copies_in, nothing_more, on_engine
from tests.opening import Locksmith, lying
from tests.pages.test_casework import comes_back
from tests.pages.test_plans import HERS, printed
from tests.people import Place
from tests.phone import Phone
from tests.server import in_this_process
from tests.trips import opens_newest_case, signs_in

WORDS = ("zarzamora4417", "cardo8890", "pluma3321")  # typed: what she fears, her word, what she wants


@pytest.fixture
def smith(monkeypatch: pytest.MonkeyPatch) -> Locksmith:
    return Locksmith(monkeypatch)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, smith: Locksmith) -> Iterator[Place]:
    """An installation with rosa, on each database, every seal of which is noted: of a copy they would not be."""
    assert smith
    with (
        copies_in(tmp_path / "made") as copies,
        on_engine(request.param, copies, tmp_path / "instance", nothing_more) as made,
    ):
        yield made


def fills_in_both(app: Flask, place: Place) -> Phone:
    """Rosa fills in a plan three times, once so that it is refused, and a case plan; each is looked at and printed."""
    rosa = signs_in(app, place, place.workers["rosa"])
    case = opens_newest_case(rosa)
    rosa.opens(f"{case}/planes/seguridad")
    rosa.sends("review", danger=WORDS[0], review="ayer")
    rosa.sends("review", danger=WORDS[0], review="")
    rosa.opens(f"{case}/planes/seguridad")
    rosa.sends("review", word=WORDS[1], shown="yes")
    rosa.opens(f"{case}/planes/caso")
    rosa.sends("review", goal1=WORDS[2])
    rosa.opens(f"{case}/planes/seguridad/hoja")
    assert WORDS[1] in printed(rosa)
    rosa.opens(f"{case}/planes")
    assert all(word in rosa.words for word in WORDS)
    return rosa


def copied_bytes(place: Place) -> bytes:
    """Every file of the installation, and on PostgreSQL a dump of the whole database."""
    raw = b"".join(path.read_bytes() for path in place.settings.instance.rglob("*") if path.is_file())
    address = make_url(place.settings.database_url)
    if address.get_backend_name() != "postgresql":
        return raw
    program = shutil.which("pg_dump")
    if program is None:
        pytest.skip("needs pg_dump")
    plain = address.set(drivername="postgresql").update_query_dict({}).difference_update_query(["options"])
    dump = [program, "--no-owner", plain.render_as_string(hide_password=False)]
    return raw + subprocess.run(dump, check=True, capture_output=True, env=dict(os.environ)).stdout  # noqa: S603


def test_no_word_of_a_plan_lies_open_and_none_is_left_under_any_seal_once_she_erases(
    app: Flask, place: Place, smith: Locksmith
) -> None:
    clear = [word.encode() for word in WORDS]

    def lies_in() -> set[str]:
        return lying(smith, place.engine, place.settings.instance, clear, [])

    receipt = place.receives(HERS)
    fills_in_both(app, place)
    assert "record.body" in lies_in(), "under its seal it is there"
    raw = copied_bytes(place)
    assert not any(word in raw for word in clear)
    her = comes_back(app, receipt)
    assert WORDS[1] in her.words
    her.presses("ask-erase")
    her.presses("erase")
    assert place.cases() == 0
    assert lies_in() == set()
    raw = copied_bytes(place)
    assert not any(word in raw for word in clear)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_what_chromium_prints_of_a_plan_fits_a_page_and_names_nobody(app: Flask, place: Place, player: Any) -> None:
    place.receives(HERS)
    rosa = fills_in_both(app, place)
    rosa.opens(f"{rosa.path}/seguridad/hoja")
    cookie = rosa.client.get_cookie("t")
    assert cookie is not None
    browser = headless(player)
    with in_this_process(app) as address:
        context = browser.new_context(viewport={"width": 360, "height": 640}, java_script_enabled=False)
        context.add_cookies([{"name": "t", "value": cookie.value, "url": address}])
        page = context.new_page()
        page.goto(address + rosa.path)
        page.emulate_media(media="print")
        on_paper, pdf = page.inner_text("body"), page.pdf(format="A4")
        if folder := os.environ.get("AMPARO_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/plan-on-paper.png", full_page=True)
            Path(f"{folder}/plan.pdf").write_bytes(pdf)
        browser.close()
    assert WORDS[1] in on_paper
    for name in ("rosa", "Equipo", place.settings.site_name, alias_in(rosa.path)):
        assert name not in on_paper, name
        assert name.encode() not in pdf
    assert pdf.count(b"/Type /Page\n") == 1


def alias_in(path: str) -> str:
    """The short name of the case of an address."""
    return records.alias(int(path.split("/")[4]))
