"""What a form of the desk can be made to say and no page offers: days at the end of time, numbers spelt another way."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from reporting.cases import desk
from reporting.cases.follow_up.days import LOOKED_AHEAD, WorkingDays
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow
from reporting.teams.reading_hours import Duty
from tests.pages.test_casework import RAPE, YES_TO_LETTERS, a_service, at_the_desk
from tests.pages.test_plans import fills
from tests.people import Place
from tests.trips import opens_newest_case, say

LAST = "31/12/9999"
SHORT = 10**18  # a number below it has room for a nought in front
MONDAYS = Duty({0: (9, 17)})


@pytest.mark.parametrize(("kind", "field"), [("seguridad", "danger"), ("caso", "goal1")])
def test_a_plan_is_looked_at_again_within_a_year_and_no_day_makes_a_case_that_opens_no_more(
    app: Flask, place: Place, kind: str, field: str
) -> None:
    place.receives(RAPE)
    rosa = at_the_desk(app, place)
    case = opens_newest_case(rosa)
    fills(rosa, case, kind, review=LAST, **{field: "algo"})
    assert say("Choose a day from today on, within a year.") in rosa.words
    assert LAST in rosa.text, "what was typed is kept"
    fills(rosa, case, kind, review="lunes", **{field: "algo"})
    rosa.opens("/es/equipo/turnos")
    rosa.sends("from0", from0="9", to0="17")
    for page in (case, f"{case}/planes", "/es/equipo/casos"):
        rosa.opens(page)
        assert rosa.status == 203


@pytest.mark.parametrize("before", range(LOOKED_AHEAD + 1))
def test_where_no_day_is_left_on_which_somebody_reads_it_is_the_day_itself(before: int) -> None:
    day = date.max - timedelta(days=before)
    read = WorkingDays("America/Lima", MONDAYS).read_on(day)
    assert read == day or read.weekday() == 0


def test_a_refusal_of_a_number_with_a_nought_in_front_is_the_same_refusal(app: Flask, place: Place) -> None:
    place.receives(RAPE, consents=YES_TO_LETTERS)
    rosa, keys = at_the_desk(app, place), place.signs_in("rosa")
    case = opens_newest_case(rosa)
    rosa.presses("propose", service=a_service(app, place, "N_PEP"), need="N_PEP", fields=["violence"])
    with reading(place.engine) as db:
        [number] = db.scalars(select(CaseRow.id))
    with writing(place.engine) as db, desk.at_desk(db, keys, number, place.clock(), "changed") as case_file:
        [proposed] = case_file.all_of("referral")
        content = proposed.content | {"state": "sent"}
        while min(record.number for record in case_file.all_of("referral")) >= SHORT:
            case_file.add("referral", content)
        short = min(record.number for record in case_file.all_of("referral"))
        case_file.record(short, "referral").content = content
    rosa.opens(case)
    form = next(form for form in rosa.forms if form.values.get("number") == [str(short)])
    moved_by = {"number": [f"0{short}"], "go": ["step"], "step": ["refuse"], "because": ["PAPERS"]}
    rosa.repeats(case, form.values | moved_by)
    assert rosa.status == 203, rosa.words[:300]
    with writing(place.engine) as db:
        moved = desk.open_case(db, keys, number, place.clock())
    assert next(one for one in moved.referrals if one.id == short).state == "refused"
