"""What is left out of a short telling is read the careful way: never less help, never fewer must-nots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from referrals.needs.assessment import assess
from referrals.needs.rules import RANK
from reporting.vocabulary.answers import (
    answers_of,
    consents_in,
    corrected,
    incident_of,
    may_be_in_danger,
    merged,
    questions_of,
    route,
    that_matter,
)
from reporting.vocabulary.codes import NOT_ASKED, VOCABULARY
from reporting.vocabulary.incident import Incident, answers_from_incident, incident_from_answers
from reporting.vocabulary.lengths import (
    ALL_PAGES,
    BESIDE_SENDING,
    LEFT_OUT,
    LONG,
    MESSAGE,
    ORDERS,
    SET_RIGHT_AT_ONCE,
    SHORT,
    TOLD_AFTERWARDS,
)
from reporting.vocabulary.places import REGIONS, WHERE
from reporting.vocabulary.questions import FLAG_QUESTIONS, PAGES, WHEN, Part
from reporting.vocabulary.wording import facts_of
from tests.tellings import NOW
from tests.unit.test_second_edition import incidents

SHIPPED = Path(__file__).resolve().parent.parent.parent / "referrals" / "data"
VIGNETTES = yaml.safe_load((SHIPPED / "vignettes.yaml").read_text(encoding="utf-8"))["vignettes"]
# must-not -> the hour after which it holds; a range that reaches to that hour leaves the medicine open
PROMISES = {"MN_PEP_PROMISE": 72, "MN_EC_PROMISE": 120}
TIME = ("when", "number", "unit")


def parts_in(length: str) -> set[str]:
    """The answers that are asked for; where she is says the region."""
    asked = {part.name for page in ORDERS[length] for question in ALL_PAGES[page].questions for part in question.parts}
    return asked | {*BESIDE_SENDING[length]} | ({"region"} if "place" in asked else set())


def truth_of(incident: Incident, when: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody would answer to every question, if she was asked for it."""
    held = {name: value for name, value in answers_of(incident).items() if name not in TIME} | dict(when)
    signs = {code for name in FLAG_QUESTIONS for code in held.get(name, ())}
    capital = held.get("province") if held.get("province") in WHERE else None
    return held | {"in_danger": "yes" if signs & NOW else "no", "place": capital or held.get("region")}


def told(truth: Mapping[str, Any], length: str) -> Incident:
    """Page by page, what she was asked for; each answer as she would give it."""
    answers: dict[str, Any] = {"length": length, "about": "SELF"}
    for page in ORDERS[length]:
        if page in route(answers):
            for part in (part for question in questions_of(page, answers) for part in question.parts):
                _answers(answers, part, truth)
    return incident_of(that_matter(answers))


def _answers(answers: dict[str, Any], part: Part, truth: Mapping[str, Any]) -> None:
    if part.name not in truth:
        return
    if part.codes:
        marked = {*answers.get(part.name, ()), *(code for code in truth[part.name] if code in part.codes)}
        answers[part.name] = sorted(marked)
    else:
        answers[part.name] = truth[part.name]


def times(chance: Random) -> dict[str, Any]:
    """A time as one of the ranges, sometimes with a number that lies in it."""
    code = chance.choice(list(WHEN))
    limits, _ = WHEN[code]
    if limits is None or chance.random() < 0.5:
        return {"when": code}
    return {"when": code, "number": chance.randint(int(limits[0]), min(int(limits[1]), 5000)), "unit": "hours"}


def less_careful(short: Incident, long: Incident, *, asks_for_papers: bool) -> set[str]:
    """Needs that the short telling misses or puts off, and must-nots that it forgets."""
    brief, whole = assess(short), assess(long)
    urgency = {need.code: RANK[need.urgency] for need in brief.needs}
    needs = {need.code for need in whole.needs if urgency.get(need.code, 99) > RANK[need.urgency]}
    earliest = short.hours[0] if short.hours else 0
    forgotten = {code for code in whole.must_not - brief.must_not if earliest > PROMISES.get(code, -1)}
    return (needs - (set() if asks_for_papers else {"N_DOCS"})) | forgotten


def some_truths(seed: int, how_many: int) -> Iterator[dict[str, Any]]:
    chance, invented = Random(seed), incidents(seed)  # noqa: S311 -- for variety, not for secrecy
    for _ in range(how_many):
        yield truth_of(replace(next(invented), hours=None, told_twice=None), times(chance))


@pytest.mark.parametrize("seed", range(3))
def test_a_short_telling_is_never_less_careful_than_the_long_one(seed: int) -> None:
    for truth in some_truths(seed, 300):
        short, long = told(truth, SHORT), told(truth, LONG)
        asks = "W_DOCS" in truth.get("wants", ())
        assert not less_careful(short, long, asks_for_papers=asks), (truth, short, long)


@pytest.mark.parametrize("vignette", VIGNETTES, ids=lambda vignette: vignette["id"])
def test_a_vignette_told_shortly_is_never_less_careful(vignette: dict[str, Any]) -> None:
    given = incident_from_answers(vignette["answers"])
    hours = given.hours[0] if given.hours else None
    when = next(
        (code for code, (limits, _) in WHEN.items() if limits and hours is not None and hours <= limits[1]), None
    )
    truth = truth_of(given, {"when": when, "number": hours, "unit": "hours"} if hours is not None else {})
    short, long = told(truth, SHORT), told(truth, LONG)
    asks = "W_DOCS" in truth.get("wants", ())
    assert not less_careful(short, long, asks_for_papers=asks)


def test_each_answer_that_the_short_form_leaves_out_stands_in_the_table_with_what_hangs_on_it() -> None:
    assert [part.name for part in ALL_PAGES[10].questions[0].parts] == ["when"], "the range alone, not the hours"
    assert parts_in(LONG) - parts_in(SHORT) - {"about"} | {"hours"} == {row.field for row in LEFT_OUT}
    assert all(row.why for row in LEFT_OUT)


@pytest.mark.parametrize("row", LEFT_OUT, ids=lambda row: row.field)
def test_nothing_hangs_on_what_is_left_out_but_what_the_table_says(row: Any) -> None:
    """Whatever is answered there: needs and must-nots differ from those of silence by the named ones alone."""
    chance = Random(4)  # noqa: S311 -- for variety, not for secrecy
    seen: set[str] = set()
    for truth in some_truths(5, 400):
        silent = told({name: value for name, value in truth.items() if name != row.field}, LONG)
        for value in _answers_to(row.field, chance):
            answered = replace(silent, **{row.field: value})
            one, other = assess(silent), assess(answered)
            seen |= one.must_not ^ other.must_not
            seen |= {need.code for need in one.needs} ^ {need.code for need in other.needs}
    assert row.field == "hours" or seen == set(row.feeds)


def _answers_to(field: str, chance: Random) -> list[Any]:
    if field == "hours":
        return []
    if field == "reason":
        return [frozenset({chance.choice(list(VOCABULARY[field]))})]
    return [True, False] if field == "migrant" else [*VOCABULARY[field]]


def test_what_was_not_asked_is_never_said_and_never_chosen() -> None:
    for length, silent in ((SHORT, {"docs"}), (MESSAGE, {"docs", "age", "identity"})):
        incident = told({}, length)
        assert {name for name in ("docs", "age", "identity") if getattr(incident, name) == NOT_ASKED} == silent
        assert incident_from_answers(answers_from_incident(incident)) == incident
        assert not silent & answers_of(incident).keys()
        said = " ".join(word for _, words in facts_of(incident, {}, lambda message, **_: message) for word in words)
        assert NOT_ASKED not in said
    assert all(NOT_ASKED not in codes for codes in VOCABULARY.values())


def test_a_correction_elsewhere_does_not_make_the_reading_less_careful() -> None:
    incident = told({"violence": ["THREATS"]}, SHORT)
    changed = corrected(3, incident, {"perpetrator": ["CLIENT"]})
    assert changed.perpetrator == {"CLIENT"}
    assert changed.docs == NOT_ASKED
    assert corrected(TOLD_AFTERWARDS[0], changed, {"docs": "DNI"}).docs == "DNI"
    assert corrected(TOLD_AFTERWARDS[0], changed, {}).docs == NOT_ASKED, "asked, and passed over"


@pytest.mark.parametrize("page", range(len(ALL_PAGES)))
def test_no_page_that_is_left_as_it_is_takes_a_must_not_away(page: int) -> None:
    for length in (MESSAGE, SHORT, LONG):
        incident = replace(told({}, length), violence=frozenset({"RAPE"}), hours=(30.0, 30.0))
        unanswered = corrected(page, incident, answers_of(incident))
        assert assess(unanswered).must_not >= assess(incident).must_not, (length, unanswered)
        dated = corrected(page, incident, answers_of(incident) | {"number": 20, "unit": "hours"})
        assert assess(dated).must_not >= assess(incident).must_not, (length, dated)


def test_who_leaves_a_message_alone_is_promised_no_secrecy_and_asked_for_no_papers() -> None:
    must_not = assess(told({}, MESSAGE)).must_not
    assert must_not >= {"MN_PROMISE_SECRECY", "MN_REQUIRE_ID", "MN_DEADNAME", "MN_POLICE", "MN_NOTIFY_FAMILY"}


def test_danger_that_was_not_answered_makes_no_sign() -> None:
    for answer in (None, "yes"):
        answers = {"length": SHORT, "violence": ["THREATS"], "in_danger": answer}
        assert may_be_in_danger(answers)
        assert not incident_of(answers).flags
    assert not may_be_in_danger({"length": SHORT, "in_danger": "no"})


def test_letters_without_an_answer_are_a_no() -> None:
    assert [consents_in({"may_write": said}) for said in (None, "no", "yes")] == [set(), set(), {"C_LETTERS"}]


def test_the_acts_and_the_signs_of_the_long_form_all_stand_in_the_short_one() -> None:
    for name in ("violence", *FLAG_QUESTIONS):
        beginning = FLAG_QUESTIONS.get(name, "")
        whole = {code for code in VOCABULARY["flags" if beginning else name] if code.startswith(beginning)}
        held = [
            code
            for question in ALL_PAGES[9].questions
            for part in question.parts
            if part.name == name
            for code in part.codes
        ]
        assert sorted(held) == sorted(whole), "each once"


def test_no_page_asks_more_than_four_things_and_each_is_of_a_length_or_told_afterwards() -> None:
    assert max(len(page.questions) for page in ALL_PAGES) == 4
    assert {page for order in ORDERS.values() for page in order} | {*TOLD_AFTERWARDS, SET_RIGHT_AT_ONCE} == set(
        range(len(ALL_PAGES))
    )
    assert ALL_PAGES[: len(PAGES)] == PAGES


def test_who_names_a_city_is_asked_for_no_province_and_stays_so_whatever_she_changes() -> None:
    def asked(answers: dict[str, Any]) -> set[str]:
        return {question.name for page in route(answers) for question in questions_of(page, answers)}

    for place in WHERE.keys() - REGIONS.keys():
        told_so = {"length": SHORT, "place": place}
        assert not asked(told_so) & {"province", "department"}
        assert (incident_of(told_so).department, incident_of(told_so).province) == (place[:4], place)
        assert REGIONS.get(incident_of(told_so).region or "", "PE15") == place[:4]
    for region, department in REGIONS.items():
        elsewhere = {"length": SHORT, "place": region}
        for answers in (elsewhere, elsewhere | {"province": f"{department}01"}):
            assert "province" in asked(answers), "also where she goes back to it"
            assert (incident_of(answers).region, incident_of(answers).department) == (region, department)
    assert "department" in asked({"length": SHORT, "place": "OTHER"})
    moved = merged(10, {"length": SHORT, "place": "PIURA", "province": "PE2002"}, {"place": "PE1201"})
    assert incident_of(moved).province == "PE1201"


def test_whether_it_goes_on_is_not_asked_where_a_companion_alone_was_harmed() -> None:
    for more, is_asked in (({}, False), ({"hurt_too": "no"}, False), ({"hurt_too": "yes"}, True)):
        answers = {"length": SHORT, "violence": ["KILLING_DISAPPEARANCE"], **more}
        assert ("ongoing" in {question.name for question in questions_of(13, answers)}) is is_asked
    threatened = {"length": SHORT, "violence": ["KILLING_DISAPPEARANCE", "THREATS"]}
    assert "ongoing" in {question.name for question in questions_of(13, threatened)}


@pytest.mark.parametrize("act", ["RAPE", "STEALTHING", "PHYSICAL_ASSAULT", "EXTORTION"])
def test_who_names_a_city_sends_after_three_pages_whatever_was_done_to_her(act: str) -> None:
    answers = {"length": SHORT, "violence": [act], "place": "PE2001"}
    pages = route(answers)
    assert len(pages) == 3
    asked = {question.name for page in pages for question in questions_of(page, answers)}
    assert ({"condom", "pregnant_possible"} <= asked) is (act in {"RAPE", "STEALTHING"})


def test_what_a_question_hangs_on_is_asked_before_it() -> None:
    """What was demanded and what touched her decide about condom and pregnancy; who did it, about who refused her."""
    order = [question.name for page in ORDERS[SHORT] for question in ALL_PAGES[page].questions]
    hangs = {"condom": ("acts", "extortion_act", "touched", "hurt_too"), "refused": ("acts", "perpetrator")}
    hangs |= {"pregnant_possible": ("acts", "extortion_act", "touched"), "ongoing": ("acts", "hurt_too")}
    for later, earlier in hangs.items():
        assert all(order.index(one) < order.index(later) for one in earlier)
