"""Her page afterwards, state by state: what happened since, what she can do now, clocks only of what is open."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask

from tests.copies import Filling, with_a_colleague
from tests.journeys import without_folds
from tests.pages.test_casework import RAPE, YES_TO_LETTERS, a_service, at_the_desk, comes_back, decides, steps
from tests.people import Place
from tests.phone import Phone
from tests.trips import in_her_words, opens_newest_case, say


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_colleague


def happened(her: Phone) -> list[str]:
    """What her page says that happened, the newest first, without days."""
    part = her.text.split(say("What happened since"))[1].split('id="letters"')[0]
    lines = re.findall(r"<li>(.*?)</li>", part, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", line).partition(": ")[2].replace("&#39;", "'") for line in lines]


def can(her: Phone) -> str:
    """What her page says that she can do now."""
    return her.text.split(say("What you can do now"))[1].split("</ul>")[0]


def timed(her: Phone, need: str) -> bool:
    """Whether a clock runs on her page for a need."""
    cards = her.text.split('class="c-need"')[1:]
    return any("c-hours" in card and in_her_words(need) in card.split("<details>")[0] for card in cards)


def test_her_page_says_what_happened_and_what_she_can_do_in_each_state(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE, "fue anoche", consents=YES_TO_LETTERS)
    her = comes_back(app, receipt)
    assert happened(her) == [say("The team received it.")]
    assert say("Nobody has read it yet.") in her.words
    assert say("A person reads it. We cannot say on which day.") in her.words
    assert say("Write to the team") in can(her)
    assert timed(her, "N_PEP")
    assert in_her_words("N_PEP") in can(her).split("</li>")[0], "what runs out comes first, with its hours"
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    place.clock.on(minutes=5)
    desk.presses("letter", text="Te leímos.")
    her = comes_back(app, receipt)
    assert happened(her)[0] == say("The team wrote to you.")
    assert say("A case worker read it.") in happened(her)
    assert say("Read the letter of the team and answer") in can(her)
    service = a_service(app, place, "N_PEP")
    desk.opens(case)
    place.clock.on(minutes=5)
    desk.presses("propose", service=service, need="N_PEP", fields=["need"])
    her = comes_back(app, receipt)
    assert happened(her)[0].startswith(say("The team proposed «%(service)s» to you.", service="").split("«")[0])
    assert say("Decide on what we ask you") in can(her)
    decides(her, "yes")
    assert say("Decide on what we ask you") not in can(comes_back(app, receipt))
    for move, said in (
        ("send", "The team told «%(service)s» what you allowed."),
        ("accept", "«%(service)s» said that they will see you."),
        ("reach", "«%(service)s» took care of you."),
    ):
        place.clock.on(minutes=5)
        steps(desk, case, move)
        her = comes_back(app, receipt)
        assert happened(her)[0].endswith(say(said, service="").split("»")[1]), move
    assert not timed(her, "N_PEP")
    assert timed(her, "N_EC")
    assert in_her_words("N_PEP") not in can(her)
    assert in_her_words("N_EC") in can(her)
    place.clock.on(minutes=5)
    desk.opens(case)
    form = next(form for form in desk.forms if "outcome" in form.kinds and ("go", "close") in form.buttons)
    desk.repeats(case, form.values | {"go": ["close"], "outcome": ["REACHED"], "reason": ["Ya."]})
    her = comes_back(app, receipt)
    assert happened(her)[0] == say("The team closed your case.")
    her.presses("write", text="Pasó otra vez.")
    assert say("Your case was opened again.") in happened(her)[:2]
    assert say("You wrote to the team.") in happened(her)


def test_what_the_team_keeps_for_itself_is_not_in_it(app: Flask, place: Place) -> None:
    receipt = place.receives(RAPE, "fue anoche")
    desk = at_the_desk(app, place)
    opens_newest_case(desk)
    desk.presses("note", text="solo nosotras")
    desk.presses("label", labels="chacra")
    assert happened(comes_back(app, receipt)) == [say("A case worker read it."), say("The team received it.")]


def test_only_letters_that_she_answered_are_folded_and_the_box_stands_open_where_one_waits(
    app: Flask, place: Place
) -> None:
    receipt = place.receives(RAPE, "fue anoche", consents=YES_TO_LETTERS)
    assert not box_is_open(comes_back(app, receipt)), "what she can do now stands in its place"
    desk = at_the_desk(app, place)
    case = opens_newest_case(desk)
    for text in ("carta uno", "carta dos", "carta tres"):
        place.clock.on(minutes=5)
        desk.presses("letter", text=text)
    her = comes_back(app, receipt)
    assert box_is_open(her)
    assert all(text in in_sight(her.text) for text in ("carta uno", "carta dos", "carta tres"))
    her.presses("write", text="ya las vi")
    assert not box_is_open(her)
    assert "ya las vi" in in_sight(her.text)
    assert "carta tres" not in in_sight(her.text)
    assert say("Letters of before: %(num)s", num=3) in her.words
    assert "carta tres" in her.words
    place.clock.on(minutes=5)
    desk.opens(case)
    desk.presses("letter", text="carta cuatro")
    assert "carta cuatro" in in_sight(comes_back(app, receipt).text)


def in_sight(page: str) -> str:
    """The page without what stands behind a touch."""
    is_open = re.compile(r"<details open>((?:(?!<details|</details>).)*)</details>", re.DOTALL)
    return without_folds(is_open.sub(lambda found: found[1], page))


def box_is_open(her: Phone) -> bool:
    """Whether the box for a letter is in sight without a touch."""
    return 'id="f-text"' in in_sight(her.text)


def test_what_is_written_and_could_not_be_sent_is_in_sight(app: Flask, place: Place) -> None:
    her = comes_back(app, place.receives(RAPE, "fue anoche", consents=YES_TO_LETTERS))
    her.presses("write", text="x" * 9000)
    assert her.status == 422
    assert box_is_open(her)


def test_what_is_folded_on_her_page_is_neither_a_window_nor_a_danger_line(app: Flask, place: Place) -> None:
    her = comes_back(app, place.receives(replace(RAPE, flags=frozenset({"D_BLEEDING"}), hours=(5.0, 5.0))))
    cards = her.text.split('id="help"')[1].split("<details", maxsplit=1)[0]
    assert "tel:106" in cards
    seen, whole = in_sight(her.text), her.text
    later = re.search(r"<details><summary>\s*(También para hoy|Sin apuro).*", whole, re.DOTALL)
    assert seen.count('class="c-hours"') == whole[: later.start() if later else None].count('class="c-hours"')
    assert seen.count('class="c-hours"') >= 1
