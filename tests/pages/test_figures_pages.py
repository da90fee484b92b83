"""The figures as people meet them: read by everybody, made by two advocates, never linked from her pages."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from fractions import Fraction
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import delete, select

from reporting.app import create_app
from reporting.figures import bounds, periods, releases
from reporting.operations import demo
from reporting.storage.database import reading, writing
from reporting.storage.release_models import ReleaseMonthRow, ReleaseRow
from reporting.teams.team_log import ADVOCATE
from reporting.vocabulary.tally import block_of_codes
from tests.copies import Filling, with_readers_of_figures
from tests.pages.test_people_and_keys import enters
from tests.people import Place
from tests.phone import Phone
from tests.trips import say


def with_figures(place: Place) -> None:
    """Two years of the demo's fictional figures; the year 2026 can be compiled."""
    with_readers_of_figures(place)
    place.clock.now = periods.period("2026").ends + 61 * 86_400
    demo._figures(place.settings, place.engine, place.clock())  # noqa: SLF001 -- the demo's own


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_figures


def test_everybody_reads_the_figures_with_their_ranges_in_both_languages(app: Flask) -> None:
    phone = Phone(app)
    for language in ("es", "en"):
        phone.opens(f"/{language}/cifras")
        assert phone.status == 200
        phone.opens(f"/{language}/cifras/2024")
        assert phone.status == 200
        assert re.search(r"\d+ <span class=\"c-hint\">\(\d+\u2013\d+\)</span>", phone.text)
        phone.opens(f"/{language}/cifras/como")
        assert phone.status == 200
    phone.opens("/es/cifras/2024")
    assert re.search(r"más o menos \d+, ruido al azar por seguridad\)\. http://localhost/es/cifras/2024 ", phone.words)
    for sentence in (
        "These are reported incidents, not prevalence: more reports can mean more trust.",
        "Fictional: made for practice. None of this happened.",
        "What to write to a donor",
        "How to cite",
    ):
        assert say(sentence) in phone.words


def test_every_file_can_be_had_and_is_the_very_one_that_was_signed_off(app: Flask) -> None:
    phone = Phone(app)
    phone.opens("/es/cifras/2025")
    client = app.test_client()
    sums = client.get("/cifras/2025/SHA256SUMS").text
    links = re.findall(r'href="(/cifras/2025/[^"]+)"', phone.text)
    assert len(links) == len(sums.splitlines()) + 1
    for line in sums.splitlines():
        digest, name = line.split("  ")
        body = client.get(f"/cifras/2025/{name}").data
        assert hashlib.sha256(body).hexdigest() == digest
        assert b"FICTIONAL" in body


def test_the_page_shows_the_figures_of_the_file(app: Flask) -> None:
    phone = Phone(app)
    phone.opens("/es/cifras/2025")
    rows = csv.DictReader(io.StringIO(app.test_client().get("/cifras/2025/perpetrator.csv").text))
    for row in rows:
        span = f'{row["count"]} <span class="c-hint">({row["low"]}\u2013{row["high"]})'
        shown = span if row["count"] else say("fewer than 10")
        assert shown in phone.text


@pytest.mark.parametrize(
    "path",
    [
        "/es/cifras/2026",
        "/es/cifras/x",
        "/cifras/2025/no.csv",
        "/cifras/2026/total.csv",
        "/cifras/2025/..%2Fsecrets.toml",
        "/xx/cifras",
    ],
)
def test_what_is_not_published_is_not_there(path: str, app: Flask) -> None:
    assert app.test_client().get(path).status_code == 404


def test_one_advocate_compiles_and_another_publishes(app: Flask, place: Place) -> None:
    ana, luz = enters(app, place, "ana"), enters(app, place, "luz")
    ana.opens(choices())
    token = re.findall(r'name="f"[^>]*value="([^"]+)"', ana.text)[0]
    ana.presses("compile")
    ana.opens("/es/equipo/cifras/2026")
    assert ana.status == 203
    for wrong, status in (("2026", 409), ("2026-S1", 409), ("2028", 409), ("nothing", 422), ("", 422)):
        ana.repeats("/es/equipo/cifras", {"f": [token], "period": [wrong]})
        assert ana.status == status, wrong
    ana.repeats("/es/equipo/cifras/2026", {"f": [token]})
    assert ana.status == 409
    assert app.test_client().get("/es/cifras/2026").status_code == 404
    luz.opens("/es/equipo/cifras/2026")
    luz.repeats("/es/equipo/cifras/2026", {"f": re.findall(r'name="f"[^>]*value="([^"]+)"', luz.text)[:1]})
    assert app.test_client().get("/es/cifras/2026").status_code == 200
    with reading(place.engine) as db:
        assert not releases.find(db, "2026").fictional


def choices(*more: tuple[str, str]) -> str:
    return "/es/equipo/cifras/preparar?" + urlencode([("period", "2026"), *more])


def test_what_is_chosen_is_shown_before_it_is_compiled_and_stands_in_the_release(app: Flask, place: Place) -> None:
    ana = enters(app, place, "ana")
    ana.opens("/es/equipo/cifras")
    assert choices() in ana.text
    ana.opens(choices())
    assert "±15" in ana.text
    assert "(K)" in ana.words
    assert "cambia 5 cuentas" in ana.words
    ana.opens(choices(("also", "age"), ("also", "venue"), ("epsilon", "2")))
    assert "cambia 7 cuentas" in ana.words
    assert "7.4" in ana.words
    assert f"±{bounds.reach(Fraction(7, 2))}" in ana.text
    ana.presses("compile")
    assert ana.status == 203
    with reading(place.engine) as db:
        about = releases.find(db, "2026", unpublished=True).about
    assert (about["epsilon"], about["sensitivity"], about["scale"]) == ("2", 7, "7/2")
    assert {"perpetrator-age", "perpetrator-venue"} < set(about["noisy_tables"])


def test_only_the_total_can_be_chosen_and_is_then_all_that_is_published(app: Flask, place: Place) -> None:
    ana, luz = enters(app, place, "ana"), enters(app, place, "luz")
    ana.opens(choices(("only", "y")))
    ana.presses("compile")
    luz.opens("/es/equipo/cifras/2026")
    luz.presses("publish")
    public = Phone(app)
    public.opens("/es/cifras/2026")
    assert public.status == 200
    assert public.text.count("<table>") == 1
    assert "perpetrator" not in app.test_client().get("/cifras/2026/figures.json").text
    public.opens("/es/cifras")
    assert public.status == 200
    assert "2026" in public.words, "the releases before it are still compared with each other"
    assert say("From one release to the next") in public.words


def test_where_few_are_expected_the_desk_offers_the_total_alone_and_two_years(app: Flask, place: Place) -> None:
    few = say("Below %(few)s only the total is published. Two years together may give more: choose them at the desk.")
    ana = enters(app, place, "ana")
    ana.opens(choices())
    assert few % {"few": 50} not in ana.words
    with writing(place.engine) as db:
        for row in db.scalars(select(ReleaseRow)):
            db.execute(delete(ReleaseMonthRow).where(ReleaseMonthRow.release == row.id))
            db.delete(row)
        blocks = [block_of_codes(2024, 1, {})] * 30
        releases.publish_fictional(db, periods.period("2024"), blocks, lambda _scale: 0, 1)
    ana.opens("/es/equipo/cifras")
    assert "preparar?period=2025-2026" in ana.text
    assert "preparar?period=2024-2025" not in ana.text
    ana.opens(choices())
    assert few % {"few": 50} in ana.words
    assert ana.text.count("±") == 1
    ana.opens("/es/equipo/cifras/preparar?period=2025-2026")
    assert few % {"few": 50} not in ana.words
    assert ana.text.count("±") == 3, "sixty are expected in two years"


def test_periods_of_different_length_are_compared_with_a_warning(app: Flask, place: Place) -> None:
    phone, warning = Phone(app), say("The periods are not of one length: a longer one holds more reports.")
    phone.opens("/es/cifras")
    assert warning not in phone.words
    ana, luz = enters(app, place, "ana"), enters(app, place, "luz")
    ana.opens("/es/equipo/cifras/preparar?period=2026-S1")
    ana.presses("compile")
    luz.opens("/es/equipo/cifras/2026-S1")
    luz.presses("publish")
    phone.opens("/es/cifras")
    assert warning in phone.words


@pytest.mark.parametrize("wrong", [("also", "gender"), ("also", "no"), ("epsilon", "3"), ("epsilon", "x")])
def test_what_cannot_be_chosen_is_refused_and_nothing_is_frozen(
    wrong: tuple[str, str], app: Flask, place: Place
) -> None:
    ana = enters(app, place, "ana")
    ana.opens(choices(wrong))
    assert ana.status == 422
    token = ana.forms[-1].values["f"]
    ana.repeats("/es/equipo/cifras", {"f": token, "period": ["2026"], wrong[0]: [wrong[1]]})
    assert ana.status == 422
    with reading(place.engine) as db:
        assert "2026" not in {one.period for one in releases.listed(db)}


def test_an_advocate_who_is_not_let_in_compiles_nothing(app: Flask, place: Place) -> None:
    place.hires("eva", ADVOCATE)
    eva = enters(app, place, "eva")
    eva.opens("/es/equipo/cifras")
    token = re.findall(r'name="f"[^>]*value="([^"]+)"', eva.text)[0]
    eva.repeats("/es/equipo/cifras", {"f": [token], "period": ["2026"]})
    assert eva.status == 403
    with reading(place.engine) as db:
        assert "2026" not in {one.period for one in releases.listed(db)}


def test_figures_on_a_host_of_their_own_are_there_and_nowhere_else(place: Place) -> None:
    client = create_app(place.settings.with_changes(figures_host="cifras.example"), place.clock).test_client()
    own = {"base_url": "http://cifras.example"}
    assert client.get("/es/cifras", **own).status_code == 200
    assert client.get("/cifras/2025/total.csv", **own).status_code == 200
    assert client.get("/es/", **own).status_code == 404
    assert client.get("/es/equipo", **own).status_code == 404
    assert client.get("/es/cifras").status_code == 404
    assert client.get("/es/").status_code == 203


def test_no_page_of_hers_leads_to_the_figures(app: Flask) -> None:
    for path in ("/es/", "/es/contar", "/es/ayuda", "/es/volver"):
        assert "cifras" not in app.test_client().get(path, follow_redirects=True).text


def test_a_release_whose_bytes_were_changed_is_not_there(app: Flask, place: Place) -> None:
    with writing(place.engine) as db:
        row = db.scalars(select(ReleaseRow).where(ReleaseRow.period == "2025")).one()
        row.body = row.body.replace(b"CLIENT", b"POLICE", 1)
    client = app.test_client()
    assert client.get("/es/cifras/2025").status_code == 404
    years = client.get("/es/cifras").text  # a figure may be 2025 too
    assert '"/es/cifras/2025"' not in years
    assert '"/es/cifras/2024"' in years
