"""Three lengths, one way: a message, what matters most, every theme; what is left out is read the careful way."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from referrals.help.texts import first_days
from reporting.cases import store
from reporting.cases.records import Case
from reporting.crypto import receipts
from reporting.crypto.receipts import Unreadable
from reporting.pages.report import NO_HURRY, WHICH_DANGER
from reporting.storage.database import reading
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.lengths import ALL_PAGES, MESSAGE, ORDERS
from reporting.vocabulary.questions import CONSENTS
from tests.people import Place
from tests.phone import Phone
from tests.trips import (
    at_random,
    in_her_words,
    on_the_check_page,
    passing_over_everything,
    say,
    sends,
    starts_telling,
    tells,
)

SELF_IN_DANGER, OTHER_IN_DANGER = "If you are in danger, call", "If this person is in danger, call"
WAYS = ("begin", "other", "message", "all")


def case_behind(place: Place, code: str) -> Case:
    """What she finds with her code."""
    found = receipts.read(code, "es")
    assert not isinstance(found, Unreadable)
    with reading(place.engine) as db:
        return store.open_visit(db, place.comes_back(found[0]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(12))
def test_each_length_leads_to_a_receipt_whatever_is_answered(app: Flask, way: str, seed: int) -> None:
    phone = starts_telling(app, way=way)
    tells(phone, at_random(seed))
    assert on_the_check_page(phone)
    sends(phone)


def test_whoever_says_nothing_of_danger_reads_who_answers_and_no_sign_is_made(app: Flask, place: Place) -> None:
    phone = starts_telling(app, way="begin")
    phone.presses("next", violence="THREATS")
    assert say("If you are in danger, call") in phone.words
    tells(phone, passing_over_everything)
    assert not case_behind(place, sends(phone)).incident.flags


def test_whoever_says_no_is_not_told_whom_to_call(app: Flask) -> None:
    phone = starts_telling(app, way="begin")
    phone.presses("next", in_danger="no", violence="THREATS")
    assert say("If you are in danger, call") not in phone.words


def test_whoever_says_yes_and_marks_nothing_is_asked_once_and_may_go_on(app: Flask) -> None:
    phone = starts_telling(app, way="begin")
    phone.presses("next", in_danger="yes")
    assert say(WHICH_DANGER) in phone.words
    assert say("If you are in danger, call") in phone.words
    assert "in_danger" in phone.form("next").kinds
    phone.presses("next", in_danger="yes")
    assert "perpetrator" in phone.form("next").kinds


def test_a_sign_that_is_marked_under_the_yes_brings_help_before_more_is_asked(app: Flask) -> None:
    phone = starts_telling(app, way="begin")
    phone.presses("next", in_danger="yes", danger="D_BLEEDING")
    assert phone.words.index(in_her_words("N_EMERG_MED")) < phone.words.index(say("Who did it?"))


@pytest.mark.parametrize("language", ["es", "en"])
def test_around_a_message_stands_what_only_helps_in_the_first_days(app: Flask, language: str) -> None:
    told = first_days(language).sentences
    phone = starts_telling(app, language, way="message")
    assert all(sentence in phone.words for sentence in told)
    tells(phone, lambda form: {"narrative": "Ven."} if "narrative" in form.kinds else {})
    sends(phone)
    assert all(sentence in phone.words for sentence in told)


@pytest.mark.parametrize(("answer", "allows"), [(None, False), ("no", False), ("yes", True)])
def test_letters_to_whoever_leaves_a_message_need_a_yes(
    app: Flask, place: Place, answer: str | None, allows: bool
) -> None:
    phone = starts_telling(app, way="message")
    tells(phone, lambda form: {"may_write": answer} if answer and "may_write" in form.kinds else {})
    case = case_behind(place, sends(phone))
    assert ("C_LETTERS" in case.consents) is allows
    assert case.incident.about is None


def test_what_was_left_out_can_be_told_after_the_code_was_written_down(app: Flask, place: Place) -> None:
    phone = starts_telling(app, way="begin")
    tells(phone, lambda form: {"violence": ["THREATS"]} if "violence" in form.kinds else {})
    code = sends(phone)
    phone.presses("tell-more", first=" ".join(code.split()[:2]))
    assert say(ALL_PAGES[15].title) in phone.words
    phone.presses("save-15", venue="BROTHEL", docs="NONE")
    phone.presses("save-16", reported="NOBODY")
    assert phone.facts()[say("Papers")] == [say(VOCABULARY["docs"]["NONE"])]
    told = case_behind(place, code).incident
    assert (told.venue, told.docs, told.reported, told.violence) == ("BROTHEL", "NONE", "NOBODY", {"THREATS"})


def test_a_paper_that_does_not_begin_like_the_code_stops_before_the_code_is_gone(app: Flask) -> None:
    phone = starts_telling(app, way="begin")
    tells(phone, passing_over_everything)
    sends(phone)
    phone.presses("tell-more", first="zapato zapato")
    assert phone.status == 422
    assert phone.receipt()


def test_no_step_leads_to_a_page_of_another_length(app: Flask) -> None:
    phone = starts_telling(app, way="message")
    tells(phone, passing_over_everything)
    for page in range(len(ALL_PAGES)):
        if page not in ORDERS[MESSAGE]:
            form = phone.form("send")
            phone.repeats(form.action, form.values | {"go": [f"to-{page}"]})
            assert on_the_check_page(phone), page


@pytest.mark.parametrize("way", ["begin", "all", "message"])
def test_what_is_allowed_before_sending_has_the_same_name_on_her_page(app: Flask, way: str) -> None:
    her = starts_telling(app, way=way)
    asked = ""
    while not on_the_check_page(her):
        asked += her.words
        her.presses("next")
    asked += her.words
    code = sends(her)
    back = Phone(app)
    back.opens("/es/")
    back.sends("code", code=code)
    for sentence in map(say, CONSENTS.values()):
        assert back.text.count(f"<dt>{sentence}</dt>") == 1
        assert (sentence in asked) or way == "message"


@pytest.mark.parametrize("way", ["begin", "other", "all"])
@pytest.mark.parametrize("seed", range(6))
def test_no_number_of_pages_is_promised_that_grows_while_she_walks(app: Flask, way: str, seed: int) -> None:
    """An answer can bring a page: she reads which one it is, and each comes after the one before."""
    her, answer, pages = starts_telling(app, way=way), at_random(seed), list[int]()
    while not on_the_check_page(her):
        step = re.search(r'<div class="o-row c-step">(.*?)</div>', her.text, re.DOTALL)
        assert step
        pages += [int(number) for number in re.findall(r"\d+", re.sub(r"<[^>]+>", " ", step[1]))]
        her.presses("next", **answer(her.form("next")))
    assert pages == list(range(1, len(pages) + 1))


def test_who_is_in_danger_sees_help_without_answering_the_rest_of_the_page(app: Flask) -> None:
    """The button stands under the signs; the page comes back with help above it, and nothing of it is lost."""
    phone = starts_telling(app, way="begin")
    under = phone.text.split('class="c-under"')[1].split("</fieldset>")[0]
    assert 'value="help"' in under
    phone.presses("help", in_danger="yes", danger="D_BLEEDING")
    assert phone.words.index(in_her_words("N_EMERG_MED")) < phone.words.index(say("What happened?"))
    form = phone.form("next")
    assert (form.values["in_danger"], form.values["danger"]) == (["yes"], ["D_BLEEDING"])
    phone.presses("next", violence="PHYSICAL_ASSAULT")
    assert "when" in phone.form("next").kinds


@pytest.mark.parametrize(("sign", "sentence"), [({}, WHICH_DANGER), ({"injuries": "I_BRUISES"}, NO_HURRY)])
def test_where_nothing_urgent_is_marked_the_same_button_says_so_and_whom_to_call(
    app: Flask, sign: dict[str, str], sentence: str
) -> None:
    phone = starts_telling(app, way="begin")
    phone.presses("help", in_danger="yes", **sign)
    assert say(sentence) in phone.words
    assert say(SELF_IN_DANGER) in phone.words
