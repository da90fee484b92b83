"""Plans filled in together with her: every version stays, a second person looks, her page shows one only with her yes.

The danger asked anew is kept with its date, and windows, must-nots and the queue go by it at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from referrals.casework.follow_up.danger import HAPPENED, NOW, danger_over_time, newly_happened, with_danger
from referrals.help import plan_fields
from referrals.needs.assessment import assess
from referrals.needs.rules import SOURCES
from reporting.app import create_app
from reporting.cases import desk
from reporting.cases.follow_up.plan_versions import CASE_PLAN, PLANS, SAFETY_PLAN
from reporting.cases.records import Case
from reporting.crypto.receipts import Receipt
from reporting.storage.database import writing
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Incident
from reporting.web.forms import DAY_IS_WRITTEN
from tests.copies import Filling, with_a_colleague
from tests.pages.test_casework import comes_back
from tests.people import Place
from tests.phone import Phone
from tests.trips import opens_newest_case, say, signs_in

HERS = Incident(violence=frozenset({"THREATS"}), perpetrator=frozenset({"PARTNER"}), hours=(30.0, 30.0))
DANGER, WORD, LATER = "viene el día que cobro", "tienes mi cargador", "ahora viene también de noche"
TITLE = "The safety plan you made with the team"
ANSWERS = {"danger": DANGER, "word": WORD}


def with_a_colleague_and_others(place: Place) -> None:
    """Milagros, who reads too; carmen, who coordinates; ana, who counts."""
    with_a_colleague(place)
    place.hires("carmen", COORDINATOR)
    place.hires("ana", ADVOCATE)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague_and_others


def at_her_case(app: Flask, place: Place, incident: Incident = HERS) -> tuple[Phone, str, Receipt]:
    """Rosa has her case open. Returns her desk, the address of the case, the receipt."""
    receipt = place.receives(incident)
    rosa = signs_in(app, place, place.workers["rosa"])
    return rosa, opens_newest_case(rosa), receipt


def fills(desk_of: Phone, case: str, kind: str = "seguridad", **answers: str) -> None:
    desk_of.opens(f"{case}/planes/{kind}")
    desk_of.sends("review", **answers)


def case_of(place: Place, name: str = "rosa") -> Case:
    keys = place.signs_in(name)
    with writing(place.engine) as db:
        [number] = desk.cases_of(db, keys)
        return desk.open_case(db, keys, number, place.clock())


# ── filled in ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_filled_in_again_is_a_new_version_and_the_one_before_stays(app: Flask, place: Place) -> None:
    rosa, case, _ = at_her_case(app, place)
    fills(rosa, case, **ANSWERS)
    assert say("The plan is kept.") in rosa.words
    rosa.opens(f"{case}/planes/seguridad")
    assert rosa.form(holding="danger").values["danger"] == [DANGER], "it begins with what the newest one says"
    rosa.sends("review", danger=LATER)
    kept = case_of(place).safety_plans
    assert [dict(plan.words) for plan in kept] == [ANSWERS, {"danger": LATER, "word": WORD}]
    rosa.opens(f"{case}/planes")
    for words in (DANGER, LATER, WORD):
        assert words in rosa.words
    rosa.opens(case)
    assert rosa.words.count(say("filled in a safety plan with her")) == 2


def test_the_same_plan_sent_twice_is_kept_once(app: Flask, place: Place) -> None:
    rosa, case, _ = at_her_case(app, place)
    fills(rosa, case, **ANSWERS)
    rosa.opens(f"{case}/planes/seguridad")
    rosa.sends("review")
    assert len(case_of(place).safety_plans) == 1


def test_a_case_plan_holds_what_she_wants_with_steps_and_the_day_on_which_they_look_again(
    app: Flask, place: Place
) -> None:
    rosa, case, _ = at_her_case(app, place)
    fills(rosa, case, "caso", goal1="dormir tranquila", steps1="llamamos el lunes", review="02/03/2027")
    plan = case_of(place).case_plans[-1]
    assert (plan.kind, dict(plan.words)) == (CASE_PLAN, {"goal1": "dormir tranquila", "steps1": "llamamos el lunes"})
    assert str(plan.review) == "2027-03-02"
    fills(rosa, case, review="01/03/2027", **ANSWERS)
    assert str(case_of(place).next_review) == "2027-03-01", "of both plans the sooner day"
    rosa.opens(case)
    assert say("To be looked at again with her: %(day)s", day="1 de marzo de 2027") in rosa.words


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"review": "pronto, en dos días"}, DAY_IS_WRITTEN),
        ({"review": "01/01/2020"}, "The day on which you look at it again has passed already."),
        ({"phone": "x" * 1501}, "Es demasiado largo: tiene 1501 letras, máximo 1500."),
        ({"danger": " ", "word": ""}, "Nothing is written in it yet."),
    ],
)
def test_what_was_typed_is_there_when_a_plan_is_refused(
    app: Flask, place: Place, wrong: dict[str, str], sentence: str
) -> None:
    rosa, case, _ = at_her_case(app, place)
    typed = {**ANSWERS, "take": "las llaves", **wrong}
    if "danger" in wrong:
        typed["take"] = ""
    fills(rosa, case, **typed)
    assert rosa.status == 422
    assert say(sentence) in rosa.words
    shown = {name: values[0] for name, values in rosa.form(holding="danger").values.items()}
    assert {name: shown[name] for name in typed} == typed
    assert case_of(place).safety_plans == ()


def test_a_plan_for_a_case_that_was_touched_meanwhile_is_shown_before_it_is_sent(app: Flask, place: Place) -> None:
    rosa, case, _ = at_her_case(app, place)
    rosa.opens(f"{case}/planes/seguridad")
    milagros = signs_in(app, place, place.workers["milagros"])
    milagros.opens(case)
    milagros.presses("note", text="ya la llamé")
    rosa.sends("review", **ANSWERS)
    assert rosa.status == 409
    assert say("Send it anyway") in rosa.words
    assert rosa.form(holding="danger").values["danger"] == [DANGER]
    assert case_of(place).safety_plans == ()
    rosa.sends("review")
    assert [dict(plan.words) for plan in case_of(place).safety_plans] == [ANSWERS]


def test_who_is_no_case_worker_of_the_team_opens_no_plan(app: Flask, place: Place) -> None:
    rosa, case, _ = at_her_case(app, place)
    fills(rosa, case, **ANSWERS)
    place.hires("piera", CASE_WORKER, new_team="Las de Piura")
    pages = [f"{case}/{page}" for page in ("planes", "planes/seguridad", "planes/seguridad/hoja", "peligro")]
    for name in ("carmen", "ana", "piera"):
        desk_of = signs_in(app, place, place.workers[name])
        for page in pages:
            desk_of.opens(page)
            assert desk_of.status == 404, (name, page)
            assert DANGER not in desk_of.text
    nobody = Phone(app)
    for page in pages:
        nobody.opens(page)
        assert nobody.path == "/es/equipo"
    for page in pages:
        rosa.opens(page)
        assert rosa.status == 203, page


# ── a second person ─────────────────────────────────────────────────────────────────────────────────────────


def test_where_it_is_turned_on_somebody_else_than_the_author_looks_and_it_stands_on_the_plan(place: Place) -> None:
    app = create_app(place.settings.with_changes(plan_review=True), place.clock)
    rosa, case, _ = at_her_case(app, place)
    fills(rosa, case, **ANSWERS)
    waits, button = say("A second person has not looked at it yet."), say("I have looked at it")
    assert waits in rosa.words
    assert button not in rosa.words, "she filled it in herself"
    milagros = signs_in(app, place, place.workers["milagros"])
    milagros.opens(case)
    assert waits in milagros.words
    milagros.opens(f"{case}/planes")
    form = milagros.form(holding="number")
    rosa.repeats(form.action, form.values | {"f": _word(rosa)})
    assert say("You filled it in: somebody else of the team looks at it.") in rosa.words
    milagros.opens(f"{case}/planes")
    milagros.sends("number")
    stands = say("Looked at by a second person: %(name)s, %(when)s.", name="milagros", when="15 de enero de 2027")
    assert stands in milagros.words
    assert waits not in milagros.words
    rosa.opens(f"{case}/planes/seguridad/hoja")
    assert say("A second person looked at it on %(when)s.", when="15 de enero de 2027") in rosa.words
    assert "milagros" not in printed(rosa)
    fills(rosa, case, danger=LATER)
    assert waits in rosa.words, "a new version waits anew"
    assert stands in rosa.words


def test_where_it_is_not_turned_on_nobody_has_to_look(app: Flask, place: Place) -> None:
    rosa, case, _ = at_her_case(app, place)
    fills(rosa, case, **ANSWERS)
    milagros = signs_in(app, place, place.workers["milagros"])
    milagros.opens(f"{case}/planes")
    assert say("A second person has not looked at it yet.") not in milagros.words
    assert not any("number" in form.kinds for form in milagros.forms)


def _word(desk_of: Phone) -> list[str]:
    """The word that a form of this session carries."""
    return next(form.values["f"] for form in desk_of.forms if "f" in form.values)


def printed(desk_of: Phone) -> str:
    """What of a page comes onto paper: all after its heading."""
    return desk_of.text.partition("<h1>")[2].partition("<footer")[0]


# ── on paper, and on her page ───────────────────────────────────────────────────────────────────────────────


def test_the_sheet_holds_the_words_and_no_name_of_hers_of_ours_or_of_the_case(app: Flask, place: Place) -> None:
    rosa, case, _ = at_her_case(app, place)
    fills(rosa, case, **ANSWERS)
    alias = rosa.words.partition("Caso ")[2].split()[0]
    rosa.opens(f"{case}/planes/seguridad/hoja")
    on_paper = printed(rosa)
    for words in (DANGER, WORD):
        assert words in on_paper
    for name in (alias, "rosa", "Equipo", place.settings.site_name, case):
        assert name not in on_paper, name
    rosa.opens("/es/equipo/registro")
    assert say("printed a plan") in rosa.words


def test_her_page_shows_the_plan_only_with_her_yes_and_no_more_once_she_takes_it_back(app: Flask, place: Place) -> None:
    rosa, case, receipt = at_her_case(app, place)
    fills(rosa, case, **ANSWERS)
    her = comes_back(app, receipt)
    assert say(TITLE) not in her.words
    assert DANGER not in her.text
    rosa.opens(f"{case}/planes/seguridad")
    assert rosa.form(holding="shown").values["shown"] == ["no"]
    rosa.sends("review", shown="yes", danger=LATER)
    assert say("She sees the safety plan on her page.") in rosa.words
    her = comes_back(app, receipt)
    assert say(TITLE) in her.words
    assert LATER in her.words
    assert DANGER not in her.text, "only the newest"
    page = her.path
    her.presses("deny-C_PLAN")
    assert LATER not in her.text
    her.walks(page)
    assert LATER not in her.text, "nor on the page before"
    assert say(TITLE) not in comes_back(app, receipt).words
    rosa.opens(f"{case}/planes")
    assert say("Her page does not show the safety plan.") in rosa.words
    her = comes_back(app, receipt)
    her.presses("allow-C_PLAN")
    assert LATER in her.words, "her yes is hers to give again"


def test_before_there_is_a_plan_her_page_asks_the_same_as_after(app: Flask, place: Place) -> None:
    rosa, case, receipt = at_her_case(app, place)
    before = comes_back(app, receipt)
    fills(rosa, case, **ANSWERS)
    fills(rosa, case, "caso", goal1="sacar mis papeles")
    after = comes_back(app, receipt)
    assert after.words == before.words


def test_the_plan_is_never_shown_to_who_told_for_somebody_else(app: Flask, place: Place) -> None:
    rosa, case, receipt = at_her_case(app, place, replace(HERS, about="OTHER"))
    fills(rosa, case, **ANSWERS)
    rosa.opens(f"{case}/planes/seguridad")
    rosa.sends("review", shown="yes", danger=LATER)
    assert rosa.status == 422
    her = comes_back(app, receipt)
    assert not any(("go", "allow-C_PLAN") in form.buttons for form in her.forms)
    assert LATER not in her.text


def test_the_case_plan_is_for_the_team_alone(app: Flask, place: Place) -> None:
    rosa, case, receipt = at_her_case(app, place)
    fills(rosa, case, shown="yes", **ANSWERS)
    fills(rosa, case, "caso", goal1="sacar mis papeles")
    assert "sacar mis papeles" not in comes_back(app, receipt).text


# ── the danger, asked anew ──────────────────────────────────────────────────────────────────────────────────


def asks_anew(desk_of: Phone, case: str, **answers: Any) -> None:
    desk_of.opens(f"{case}/peligro")
    assert not desk_of.form(holding="signs").values.get("signs"), "nothing is ticked beforehand"
    desk_of.sends("signs", **answers)


def test_danger_asked_anew_is_kept_with_its_date_beside_what_she_told_before(app: Flask, place: Place) -> None:
    rosa, case, _ = at_her_case(app, place, replace(HERS, flags=frozenset({"S_PERP_NEAR", "S_WEAPON"})))
    place.clock.on(days=3)
    rosa = signs_in(app, place, place.workers["rosa"])
    asks_anew(rosa, case, signs=["S_NO_SAFE_PLACE"], reason="me lo dijo hoy")
    assert say("It is kept what she says of the danger now.") in rosa.words
    assert [entry.signs for entry in danger_over_time(case_of(place))] == [
        ("S_PERP_NEAR", "S_WEAPON"),
        ("S_WEAPON", "S_NO_SAFE_PLACE"),
    ]
    rosa.opens(f"{case}/peligro")
    dated = {name.partition(",")[0]: signs for name, signs in rosa.facts().items()}
    for day, sign in (("15 de enero de 2027", "S_PERP_NEAR"), ("18 de enero de 2027", "S_NO_SAFE_PLACE")):
        assert say(VOCABULARY["flags"][sign]) in dated[day]
    rosa.opens(case)
    assert say("the danger signs, told anew") in rosa.words


def test_the_same_answers_again_are_kept_with_their_own_date(app: Flask, place: Place) -> None:
    rosa, case, _ = at_her_case(app, place, replace(HERS, flags=frozenset({"S_PERP_NEAR"})))
    place.clock.on(days=1)
    rosa = signs_in(app, place, place.workers["rosa"])
    asks_anew(rosa, case, signs=["S_PERP_NEAR"])
    assert len(danger_over_time(case_of(place))) == 2
    assert case_of(place).told_hours.signs == int(place.clock()) // 3600


def test_needs_must_nots_and_the_queue_go_by_the_danger_asked_anew(app: Flask, place: Place) -> None:
    rosa, case, _ = at_her_case(app, place)
    place.receives(replace(HERS, violence=frozenset({"RAPE"}), condom="no", hours=(60.0, 60.0)))
    place.clock.on(days=2)
    rosa = signs_in(app, place, place.workers["rosa"])
    rosa.opens("/es/equipo/casos?folder=all")
    assert rosa.text.find(case) > rosa.text.find("queue-unread") > -1, "hers is not the first"
    before = assess(case_of_number(place, case).incident_at(place.clock()))
    assert not any(need.urgency == "NOW" for need in before.needs)
    asks_anew(rosa, case, signs=["S_PERP_NEAR", "D_BLEEDING"])
    after = assess(case_of_number(place, case).incident_at(place.clock()))
    assert {need.code for need in after.needs if need.urgency == "NOW"} >= {"N_SAFETY_PLAN", "N_EMERG_MED"}
    rosa.opens("/es/equipo/casos?folder=all")
    assert first_in_the_queue(rosa) == case


def case_of_number(place: Place, path: str) -> Case:
    keys = place.signs_in("milagros")
    with writing(place.engine) as db:
        return desk.open_case(db, keys, int(path.rpartition("/")[2]), place.clock())


def first_in_the_queue(desk_of: Phone) -> str:
    return desk_of.text.split('class="c-card', 1)[1].split('href="', 1)[1].split('"', 1)[0]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({}, "Tick what is so now, or that she names none of it."),
        ({"signs": ["S_LOCKED"], "none": "y"}, "You ticked signs, and also that there is none. Which one is right?"),
        ({"signs": ["D_STRANGLED"], "none": "y"}, "Something happened that she had not told before: say when."),
        (
            {"signs": ["D_STRANGLED"], "none": "y", "again": "no"},
            "Something happened that she had not told before: say when.",
        ),
    ],
)
def test_what_is_not_clear_about_danger_is_not_kept_but_shown_again(
    app: Flask, place: Place, answers: dict[str, Any], sentence: str
) -> None:
    rosa, case, _ = at_her_case(app, place)
    asks_anew(rosa, case, reason="hablamos", **answers)
    assert rosa.status == 422
    assert say(sentence) in rosa.words
    form = rosa.form(holding="signs")
    assert form.values.get("signs", []) == answers.get("signs", [])
    assert form.values["reason"] == ["hablamos"]
    assert len(danger_over_time(case_of(place))) == 1


def test_what_happened_again_brings_its_own_time_and_no_window_goes_by_the_old_one() -> None:
    told = Incident(
        violence=frozenset({"RAPE"}), condom="no", hours=(400.0, 400.0), flags=frozenset({"D_FRACTURE", "S_LOCKED"})
    )
    again = with_danger(told, ["D_STRANGLED"], (2.0, 24.0))
    assert again.hours == (2.0, 400.0)
    assert again.flags == {"D_FRACTURE", "D_STRANGLED"}, "what happened stays, what is so now is said anew"
    needs = {need.code: need.urgency for need in assess(again).needs}
    assert needs["N_EMERG_MED"] == "NOW"
    assert "MN_PEP_PROMISE" not in assess(again).must_not
    assert "MN_PEP_PROMISE" in assess(with_danger(told, [])).must_not
    unknown = with_danger(replace(told, hours=None), ["D_STRANGLED"], (0.0, 70.0))
    assert unknown.hours == (0.0, 70.0)
    assert newly_happened(told, ["D_FRACTURE", "S_LOCKED"]) == frozenset()


def test_every_danger_sign_is_asked_and_in_one_of_the_two_groups() -> None:
    signs = {code for code in VOCABULARY["flags"] if code.startswith(("S_", "D_"))}
    assert set(NOW) | set(HAPPENED) == signs
    assert not set(NOW) & set(HAPPENED)


# ── what a plan asks ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", PLANS)
def test_every_field_of_a_plan_has_its_words_in_both_languages_and_a_known_source(kind: str) -> None:
    fields = plan_fields.plan_fields(kind)
    assert len({field.name for field in fields}) == len(fields)
    for field in fields:
        assert field.name not in {"go", "f", "v", "t", "code", "review", "shown"}
        assert field.sources
        assert set(field.sources) <= SOURCES.keys()
        for language in ("es", "en"):
            assert all((field.label(language), field.prompt(language), field.example(language)))
    if kind == SAFETY_PLAN:
        asked = {field.name for field in fields}
        assert asked == {"danger", "knows", "signs", "where", "take", "children", "phone", "word"}
