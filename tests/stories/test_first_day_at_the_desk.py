"""What stopped somebody on her first day at the desk: each sentence says what is missing, why, and where it is done."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask

from reporting.cases.actions import NO_WAY
from reporting.cases.records import alias
from reporting.web.forms import DAY_IS_WRITTEN
from tests.copies import Filling, with_a_colleague
from tests.pages.test_casework import RAPE, at_the_desk, comes_back
from tests.people import Place
from tests.phone import Phone
from tests.stories.test_a_week_of_a_case import sent_to_a_service
from tests.trips import opens_newest_case, say

QUIET = replace(RAPE, violence=frozenset({"THREATS"}), hours=(400.0, 400.0), condom=None)
CONTACT = {"channel": "CALL", "number_to_call": "987 111 222", "safe_hours": "de 3 a 5"}
PHRASE = "después de la feria de mi hermana en Huánuco"


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def her_case(app: Flask, place: Place, **more: object) -> tuple[Phone, str]:
    """Rosa on the page of the only case, and its address."""
    place.receives(QUIET, "me amenaza", **more)
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    return rosa, rosa.path


def problem(desk: Phone) -> str:
    """What the page says is wrong."""
    assert desk.status == 422, desk.words[:300]
    return desk.words


# ── what she allows by voice ────────────────────────────────────────────────────────────────────────────────


def test_what_she_may_allow_by_voice_is_what_her_own_page_offers(app: Flask, place: Place) -> None:
    receipt = place.receives(QUIET, "me amenaza")
    rosa = at_the_desk(app, place)
    opens_newest_case(rosa)
    hers = comes_back(app, receipt)
    offered = set(re.findall(r'value="(?:allow|deny)-(\w+)"', hers.text))
    select = rosa.text.split('id="v-consent"')[1].split("</select>")[0]
    assert set(re.findall(r'<option value="(\w+)"', select)) == offered
    assert "C_CONTACT" not in offered, "she left no way to reach her"
    assert say(NO_WAY) in rosa.words, "why it is not there, and where she writes one"


def test_that_the_team_may_reach_her_is_refused_with_why_and_where_and_taken_where_she_left_a_way(
    app: Flask, place: Place
) -> None:
    rosa, case = her_case(app, place)
    form = next(form for form in rosa.forms if form.values.get("go") == ["allow"])
    typed = {"text": ["hoy por teléfono"], "step": ["yes"], "consent": ["C_CONTACT"]}
    rosa.repeats(case, form.values | typed)
    assert say(NO_WAY) in problem(rosa)
    assert "hoy por teléfono" in rosa.text
    receipt = place.receives(QUIET, "otra", contact=CONTACT, consents=frozenset({"C_LETTERS"}))
    other = place.comes_back(receipt).case
    rosa.opens(f"/es/equipo/caso/{other}")
    form = next(form for form in rosa.forms if form.values.get("go") == ["allow"])
    rosa.repeats(rosa.path, form.values | typed)
    assert rosa.status == 203, rosa.words[:300]


# ── days as people write them ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("day", ["mañana", "30 de diciembre", "30 dic", "30/12", "el lunes", "next Monday"])
def test_a_step_is_planned_for_a_day_as_people_write_it(app: Flask, place: Place, day: str) -> None:
    rosa, _case = her_case(app, place)
    rosa.presses("plan-step", text="llamar a la posta", day=day)
    assert rosa.status == 203, rosa.words[:300]
    assert "llamar a la posta" in rosa.words


def test_what_is_no_day_comes_back_whole(app: Flask, place: Place) -> None:
    rosa, _case = her_case(app, place)
    rosa.presses("plan-step", text="llamar a la posta", day=PHRASE)
    assert say(DAY_IS_WRITTEN) in problem(rosa)
    assert f'value="{PHRASE}"' in rosa.text


def test_no_field_for_a_day_cuts_words_or_asks_for_figures_alone(app: Flask, place: Place) -> None:
    rosa, case = her_case(app, place)
    pages = [rosa.text, *(rosa.opens(f"{case}/planes/{kind}") and rosa.text for kind in ("seguridad", "caso"))]
    fields = [field for page in pages for field in re.findall(r'<input [^>]*name="(?:day|review)"[^>]*>', page)]
    assert len(fields) >= 3
    assert not [field for field in fields if 'maxlength="60"' not in field or "inputmode" in field]


# ── by what a service knows her ─────────────────────────────────────────────────────────────────────────────


def test_the_sheet_for_a_service_has_a_number_that_stands_on_her_page_too_and_no_name_of_a_case(
    app: Flask, place: Place
) -> None:
    rosa, case, receipt = sent_to_a_service(app, place)
    rosa.opens(re.search(rf'"({case}/hoja/\d+)"', rosa.text)[1])  # type: ignore[index]
    number = re.search(r"Número de esta derivación: (\d{4})\.", rosa.words)
    assert number is not None
    hers = comes_back(app, receipt)
    form = next(form for form in hers.forms if form.action.endswith("/propuesta"))
    hers.repeats(form.action, form.values | {name: [value] for name, value in form.buttons})
    assert f"Su hoja lleva un número en vez de tu nombre: {number[1]}." in hers.words
    assert alias(int(case.rpartition("/")[2])) not in rosa.words


# ── everything that is missing, at once ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("button", "missing"),
    [
        ("close", ("Choose how it ended.", "Write why.")),
        ("mark", ("Choose a mark.", "Write why.")),
        ("plan-step", ("Write what is to be done.", DAY_IS_WRITTEN)),
    ],
)
def test_an_empty_form_names_everything_that_is_missing(
    app: Flask, place: Place, button: str, missing: tuple[str, ...]
) -> None:
    rosa, _case = her_case(app, place)
    empty = {"day": "", "reason": "", "text": "", "mark": ""}
    fields = rosa.form(button).kinds
    rosa.presses(button, **{name: value for name, value in empty.items() if name in fields})
    said = problem(rosa)
    assert not [one for one in missing if say(one) not in said]
