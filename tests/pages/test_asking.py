"""What is asked: what feeds a need and nothing else; what does not fit together; of a companion, in a branch apart."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from referrals.help.texts import about_need, need_texts
from referrals.needs.assessment import assess
from reporting.vocabulary import answers, questions
from reporting.vocabulary.answers import incident_of, questions_of, route, so_far, that_matter
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS
from reporting.vocabulary.questions import ORDER, PAGES, WHEN
from tests.people import Place
from tests.phone import FormOnPage, Phone
from tests.trips import (
    Fill,
    in_her_words,
    on_the_check_page,
    opens_newest_case,
    say,
    sends,
    signs_in,
    starts_telling,
    tells,
)

# question -> the field of the incident it fills, for those that are asked after an answer only
# questions that follow an answer and change no need by their own -> why they stand
NO_NEED_HANGS_ON = {
    "when": "the hours, which are tried with every rule",
    "since": "the hours of a companion's",
    "department": "where help is looked for",
    "province": "where help is looked for",
    "refused": "which service is not offered",
    "reach": "how the team may call",
}
AFTER_AN_ANSWER = {  # question -> its field
    question.name: question.parts[0].name
    for page in questions.PAGES
    for question in page.questions
    if question.matters is not questions.always and question.name not in NO_NEED_HANGS_ON
}
CONDOM, PREGNANCY, TOUCHED = say("Condom"), say("Pregnancy"), say("Touched by genitals, semen or blood")


def with_these(**chosen: Any) -> Fill:
    """She answers these questions wherever they come, and no other."""

    def fill(form: FormOnPage) -> dict[str, Any]:
        return {name: value for name, value in chosen.items() if name in form.kinds}

    return fill


def asked_on_the_way(phone: Phone, fill: Fill) -> set[str]:
    """She tells everything; the names of the fields that she was shown."""
    shown: set[str] = set()
    while not on_the_check_page(phone):
        form = phone.form("next")
        shown |= form.kinds.keys()
        phone.presses("next", **fill(form))
    return shown


def at_random(chance: random.Random) -> dict[str, Any]:
    """Answers to anything, asked or not; many are missing."""
    acts = chance.sample(list(VOCABULARY["violence"]), chance.randint(1, 3))
    flags = chance.sample(list(VOCABULARY["flags"]), chance.randint(0, 2))
    told: dict[str, Any] = {"violence": acts, "perpetrator": chance.sample(list(VOCABULARY["perpetrator"]), 1)}
    for name, beginning in questions.FLAG_QUESTIONS.items():
        told[name] = [flag for flag in flags if flag.startswith(beginning)]
    for field in (*AFTER_AN_ANSWER.values(), "age"):
        told[field] = chance.choice([*VOCABULARY[field], None, None])
    told["number"] = chance.choice([None, 3, 80, 100, 130, 400, 900])
    told["wants"] = chance.sample(list(VOCABULARY["wants"]), chance.randint(0, 2))
    return {name: value for name, value in told.items() if value not in (None, [])}


# ── what is asked ───────────────────────────────────────────────────────────────────────────────────────────


def test_no_need_hangs_on_an_answer_that_nobody_is_asked_for() -> None:
    chance = random.Random(7)  # noqa: S311 -- for variety, not for secrecy
    for _ in range(3000):
        incident = incident_of(that_matter(at_random(chance)))
        asked = {
            question.name
            for page in route(answers.answers_of(incident))
            for question in questions_of(page, answers.answers_of(incident))
        }
        for name, field in AFTER_AN_ANSWER.items():
            for code in () if name in asked else VOCABULARY[field]:
                if (field, code) == ("pregnant_possible", "pregnant"):
                    continue  # a pregnancy that nobody touched is no business of ours, unless she marks a danger
                assert assess(replace(incident, **{field: code})).needs == assess(incident).needs, (incident, name)


@pytest.mark.parametrize("name", AFTER_AN_ANSWER)
def test_every_question_that_follows_an_answer_can_change_a_need(name: str) -> None:
    chance, field = random.Random(8), AFTER_AN_ANSWER[name]  # noqa: S311
    for _ in range(4000):
        told = at_random(chance)
        if any(question.name == name for page in route(told) for question in questions_of(page, told)):
            incident = incident_of(that_matter(told))
            if len({assess(replace(incident, **{field: code})).needs for code in VOCABULARY[field]}) > 1:
                return
    raise AssertionError(f"{name} is asked and never matters")


@pytest.mark.parametrize(
    ("told", "asked", "not_asked"),
    [
        ({"violence": ["SEXUAL_EXTORTION"], "extortion_act": "yes"}, {"condom", "pregnant_possible"}, {"contact"}),
        ({"violence": ["SEXUAL_EXTORTION"]}, {"extortion_act", "condom", "pregnant_possible"}, {"contact"}),
        ({"violence": ["SEXUAL_EXTORTION"], "extortion_act": "no"}, {"extortion_act"}, {"condom", "pregnant_possible"}),
        ({"violence": ["SEXUAL_ASSAULT"]}, {"contact", "condom", "pregnant_possible"}, {"extortion_act"}),
        ({"violence": ["SEXUAL_ASSAULT"], "contact": "no"}, {"contact"}, {"condom", "pregnant_possible"}),
        ({"violence": ["FORCED_SEX_WORK"]}, {"condom", "pregnant_possible"}, {"contact", "extortion_act"}),
        ({"violence": ["ROBBERY"]}, {"perpetrator"}, {"condom", "pregnant_possible", "contact", "victim_state"}),
        (
            {"violence": ["KILLING_DISAPPEARANCE"]},
            {"victim_state", "hurt_too", "when"},
            {"condom", "pregnant_possible"},
        ),
        ({"violence": ["KILLING_DISAPPEARANCE", "RAPE"], "hurt_too": "unknown"}, {"hurt_too"}, {"condom"}),
        ({"violence": ["KILLING_DISAPPEARANCE", "SEXUAL_ASSAULT"]}, {"hurt_too"}, {"contact", "condom"}),
        (
            {"violence": ["KILLING_DISAPPEARANCE", "RAPE"], "hurt_too": "yes"},
            {"condom", "pregnant_possible"},
            {"contact"},
        ),
        ({"violence": ["THREATS"], "danger": ["D_PREG_DANGER"]}, {"pregnant_possible"}, {"condom"}),
    ],
)
def test_what_follows_an_act_is_asked_and_nothing_else(
    app: Flask, told: dict[str, Any], asked: set[str], not_asked: set[str]
) -> None:
    shown = asked_on_the_way(starts_telling(app), with_these(**told))
    assert asked <= shown
    assert not not_asked & shown


def test_a_page_where_nothing_matters_is_not_shown_and_not_counted(app: Flask) -> None:
    phone = starts_telling(app)
    for number in range(1, 8):
        assert say("Page %(number)s", number=number) in phone.words
        phone.presses("next", **with_these(violence=["THREATS"])(phone.form("next")))
    assert on_the_check_page(phone)
    phone.presses("back")
    assert phone.form("next").kinds.keys() >= {"narrative"}


def test_a_page_keeps_its_number_and_the_names_of_its_parts() -> None:
    """Drafts that were handed out hold both."""
    parts = [[part.name for question in page.questions for part in question.parts] for page in PAGES[:7]]
    assert parts == [
        ["about", "safety", "danger", "age"],
        ["when", "number", "unit", "ongoing", "region", "venue"],
        ["department", "province", "violence", "injuries"],
        ["perpetrator", "refused", "condom", "pregnant_possible"],
        ["identity", "docs", "migrant", "police_safe"],
        ["wants", "reported", "reason", "lang"],
        ["channel", "number_to_call", "safe_hours", "if_other", "code_word", "consents", "narrative"],
    ]
    assert sorted(ORDER) == list(range(len(PAGES)))


def test_no_page_asks_more_than_four_things() -> None:
    assert max(len(page.questions) for page in PAGES) == 4


# ── a companion ─────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_is_told_to_search_for_a_companion_before_she_can_say_that_she_was_killed(app: Flask) -> None:
    phone, search = starts_telling(app), in_her_words("N_MISSING")
    while "victim_state" not in phone.form("next").kinds:
        phone.presses("next", **with_these(violence=["KILLING_DISAPPEARANCE"])(phone.form("next")))
    assert search not in phone.words
    assert in_her_words("N_SAFETY_PLAN") in phone.words, "her own safety cannot wait"
    phone.presses("next", victim_state="killed")
    assert search not in phone.words
    phone.presses("back")
    phone.presses("next", victim_state="-" if "-" in phone.form("next").offered["victim_state"] else "unknown")
    assert search in phone.words[: phone.words.index(say("Who did it?"))]


def test_medicine_is_not_promised_before_she_can_say_that_it_did_not_happen(app: Flask) -> None:
    phone, medicine = starts_telling(app), in_her_words("N_PEP")
    while "extortion_act" not in phone.form("next").kinds:
        phone.presses("next", **with_these(violence=["SEXUAL_EXTORTION"])(phone.form("next")))
    assert medicine not in phone.words
    phone.presses("next")
    assert medicine in phone.words, "passed over is not no"
    phone.presses("back")
    phone.presses("next", extortion_act="no")
    assert medicine not in phone.words


@pytest.mark.parametrize("state", ["killed", "missing", "unknown", None])
def test_the_words_above_the_doors_fit_what_happened_to_the_companion(state: str | None) -> None:
    incident = Incident(violence=frozenset({"KILLING_DISAPPEARANCE"}), victim_state=state)
    listening = about_need("N_PFA", incident)
    assert ("Sentimos mucho" in listening["es"]) is (state == "killed")
    assert "otras compañeras" in about_need("N_SAFETY_PLAN", incident)["es"]
    assert about_need("N_PFA", Incident()) == {}
    for texts in need_texts().values():
        for row in (texts, *(one for one in texts.values() if isinstance(one, dict))):
            assert (row is texts and "es" not in row) or (row["es"] and row["en"] and row["sources"])


# ── what does not fit together ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("when", [code for code, (hours, _) in WHEN.items() if hours])
@pytest.mark.parametrize(("number", "unit"), [(0, "hours"), (5, "hours"), (50, "hours"), (30, "days"), (200, "days")])
def test_of_two_times_that_contradict_each_other_both_stay_and_the_range_over_both_decides(
    when: str, number: int, unit: str
) -> None:
    ticked, typed = incident_of({"when": when}).hours, incident_of({"number": number, "unit": unit}).hours
    assert ticked
    assert typed
    both = incident_of({"when": when, "number": number, "unit": unit})
    if typed[0] <= ticked[1] and ticked[0] <= typed[1]:
        assert (both.hours, both.told_twice) == (typed, None), "a number that fits is the finer answer"
    else:
        assert both.hours == (min(ticked[0], typed[0]), max(ticked[1], typed[1]))
        assert both.told_twice == (ticked, typed)


def test_the_check_page_asks_which_of_two_times_is_right_and_leads_back_and_she_may_send_both(
    app: Flask, place: Place
) -> None:
    phone = starts_telling(app)
    tells(phone, with_these(when="H24", number=30, unit="days", violence=["RAPE"], condom="no"))
    times = {"ticked": say("Today or last night: less than 1 day ago"), "typed": f"30 {say('days')}"}
    question = say(answers.DOUBTS[0].sentence, **times)
    assert question in phone.words
    phone.presses("to-1")
    assert phone.form("next").values["number"] == ["30"]
    phone.presses("check", number="")
    assert question not in phone.words
    phone.presses("to-1")
    phone.presses("check", number=30, unit="days")
    sends(phone)
    assert in_her_words("N_PEP") in phone.words, "inside the window counts"
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    told = desk.facts()[say("When")]
    assert told[1:] == [times["ticked"], say("%(low)s to %(high)s hours before it was told", low=708, high=732)]
    assert (
        say("When")
        in desk.words.split(
            say("Some answers do not fit together. Ask her when you can: %(questions)s.", questions="")[:-2]
        )[1][:40]
    )
    desk.opens(desk.path + "/relato")
    assert desk.words.count("Entre el") + desk.words.count("Entre ") >= 2, desk.words


@pytest.mark.parametrize(
    ("told", "doubt"),
    [
        ({"violence": ["STEALTHING"], "condom": "yes"}, "condom"),
        ({"violence": ["RAPE"], "condom": "yes"}, None),
        ({"violence": ["KILLING_DISAPPEARANCE", "RAPE"]}, "hurt_too"),
        ({"violence": ["KILLING_DISAPPEARANCE", "RAPE"], "hurt_too": "no"}, "hurt_too"),
        ({"violence": ["KILLING_DISAPPEARANCE", "RAPE"], "hurt_too": "yes"}, None),
        ({"violence": ["KILLING_DISAPPEARANCE", "THREATS"], "about": "SELF"}, None),
        ({"danger": ["D_PREG_DANGER"], "pregnant_possible": "no"}, "pregnant_possible"),
        ({"danger": ["D_PREG_DANGER"], "pregnant_possible": "pregnant"}, None),
        ({"violence": ["ARBITRARY_DETENTION"], "safety": ["S_LOCKED"], "ongoing": "no"}, "ongoing"),
        ({"violence": ["ARBITRARY_DETENTION"], "safety": ["S_LOCKED"]}, None),
        ({"wants": ["W_REPORT_POLICE"], "police_safe": "no"}, "police_safe"),
        ({"wants": ["W_REPORT"], "police_safe": "no"}, None),
        ({"when": "H24", "number": 5, "unit": "hours"}, None),
        ({"when": "UNKNOWN", "number": 30, "unit": "days"}, None),
    ],
)
def test_the_check_page_asks_only_where_two_answers_do_not_fit(
    app: Flask, told: dict[str, Any], doubt: str | None
) -> None:
    phone = starts_telling(app)
    tells(phone, with_these(**told))
    assert [one.question for one in answers.doubts(incident_of(told))] == ([doubt] if doubt else [])
    assert (say("Something is not clear to us") in phone.words) is (doubt is not None)
    if doubt:
        asked = phone.text.split('<section class="c-note">')[1]
        phone.presses(f"to-{asked.split('to-')[1][0]}")
        assert doubt in phone.form("next").kinds
        phone.presses("check")
    sends(phone)


# ── by voice, and set right ─────────────────────────────────────────────────────────────────────────────────


def test_by_voice_the_same_is_asked(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/voz")
    told = {
        "when": "H24",
        "number": 30,
        "unit": "days",
        "hurt_too": "no",
        "victim_state": "missing",
        "violence": ["KILLING_DISAPPEARANCE", "SEXUAL_EXTORTION", "RAPE"],
        "extortion_act": "yes",
    }
    shown = asked_on_the_way(desk, with_these(**told))
    assert {"hurt_too", "victim_state", "extortion_act"} <= shown
    assert not {"condom", "contact"} & shown
    assert say("Something is not clear to us") in desk.words
    desk.presses("send")
    assert say(NEEDS["N_MISSING"]) in desk.words


def test_what_was_asked_more_closely_can_be_set_right_by_her_and_by_the_team(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    tells(phone, with_these(violence=["SEXUAL_EXTORTION", "KILLING_DISAPPEARANCE"], extortion_act="unknown"))
    code = sends(phone)
    phone.opens("/es/volver")
    phone.sends("code", code=code)
    phone.presses("right-7")
    phone.presses("save-7", victim_state="killed", hurt_too="yes")
    assert phone.facts()[say("Companion")] == [say("My companion was killed")]
    desk = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(desk)
    case = desk.path
    desk.opens(f"{case}/respuestas/8")
    desk.sends("reason", extortion_act="no", reason="Me lo dijo.")
    assert desk.facts()[say("Hurt too")] == [say("Yes")]
    desk.opens(f"{case}/relato")
    assert f"{say('What they asked for happened')}: {say('No')}" in desk.words
    assert f"{say('Companion')}: {say('My companion was killed')}" in desk.words
    desk.opens("/es/equipo/casos")
    assert say("A companion was killed") in desk.words
    for number in (6, 9, 15, 16, 17):
        desk.opens(f"{case}/respuestas/{number}")
        assert desk.status == 404


def test_before_a_question_was_on_her_screen_silence_is_not_read_the_careful_way() -> None:
    told = {"violence": ["SEXUAL_EXTORTION", "KILLING_DISAPPEARANCE"]}
    assert (so_far(told, 7).victim_state, so_far(told, 7).extortion_act) == ("killed", "no")
    assert (so_far(told, 8).victim_state, so_far(told, 8).extortion_act) == (None, "no")
    assert so_far(told, 3) == incident_of(told)
