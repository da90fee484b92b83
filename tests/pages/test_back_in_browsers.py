"""Back, forward, reload: in Chromium with scripts off and on, in Firefox, and in WebKitGTK over https.

While her trip lives they show the right page with her newest answers; after the exit, after her time, or to who comes
another way they show the page that anybody may look at. One window of each browser takes all the trips, one after
the other, as a phone does.

Not run here, to be done by hand: Chrome on Android (a tab that the phone closed in the background), Safari on an
iPhone, Tor Browser and an iPhone's browser on an onion address. Of each: Back three times in the trip, after the exit,
and after the tab was closed and opened again.
"""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from reporting.web import post_redirect_get
from tests.browsers import Chromium, Firefox, WebKit, held
from tests.in_a_browser import HALF, LETTER, WORDS, Her, Site, a_site
from tests.needs_of_tests import requires
from tests.trips import say

MINE = {"age": "A25_34", "region": "UCAYALI", "violence": "NONPAYMENT"}  # nothing that calls for help at once
BACK, FORWARD, RELOAD = "back", "forward", "reload"
EVERYWHERE = [BACK, BACK, BACK, RELOAD, FORWARD, FORWARD, RELOAD]
START = say("We are with you.")  # what stands on the page that anybody may look at
TRIP = "GET /es/p/"  # how a request for a page of a trip begins


def chromium(kept: ExitStack, folder: Any, **how: bool) -> Chromium:
    requires("chromium")
    from playwright.sync_api import sync_playwright

    return Chromium(kept.enter_context(sync_playwright()), folder, **how)


BROWSERS = {
    "Chromium, scripts off": chromium,
    "Chromium, scripts on": lambda kept, folder: chromium(kept, folder, scripts=True),
    "Firefox": lambda _kept, folder: Firefox(folder, scripts=True),
    "WebKitGTK": lambda _kept, folder: WebKit(folder),
}


# Every browser takes the trips that it may see differently; the others are taken once.
OFF, ON, FIREFOX, WEBKIT = BROWSERS
ON_ALL = pytest.mark.parametrize("somebody", BROWSERS, indirect=True, scope="module")
SCRIPTS_MATTER_NOT = pytest.mark.parametrize("somebody", [OFF, FIREFOX, WEBKIT], indirect=True, scope="module")
ON_ONE = pytest.mark.parametrize("somebody", [OFF], indirect=True, scope="module")


@pytest.fixture(scope="module")
def somebody(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Her]:
    """She and her browser. In WebKit over plain http nothing can be promised; there our pages come over https."""
    folder = tmp_path_factory.mktemp("back")
    with ExitStack() as kept:
        patched = kept.enter_context(pytest.MonkeyPatch.context())
        patched.setattr(post_redirect_get, "WEBKIT_WALKS", True)
        site = kept.enter_context(a_site(folder, secure=request.param == "WebKitGTK"))
        window = kept.enter_context(held(BROWSERS[request.param](kept, folder / "profile")))
        yield Her(window, site)


@pytest.fixture
def her(somebody: Her) -> Her:
    somebody.words, somebody.digits = [], []
    return somebody


def on_the_fourth_page(her: Her) -> None:
    her.begins()
    for name, value in MINE.items():
        her.marks(**{name: value})
        her.goes_on()


def looks(her: Her, ways: list[str] = EVERYWHERE) -> list[str]:
    """Every page that is seen on these ways."""
    return [her.window.goes(way) for way in ways]


def seen(her: Her, secrets: list[str], ways: list[str] = EVERYWHERE) -> list[str]:
    """What is seen of the secrets. The ways must lead to her trip, or they would prove nothing."""
    before = len(her.site.asked.answers)
    told = [secret for page in looks(her, ways) for secret in secrets if secret in page]
    assert any(one.startswith(TRIP) for one in her.site.asked.since(before)), "nobody came near her pages"
    return told


# ── in the trip ─────────────────────────────────────────────────────────────────────────────────────────────


@ON_ALL
def test_back_forward_and_reload_show_the_right_page_with_her_answers(her: Her) -> None:
    on_the_fourth_page(her)
    walked = []
    for way in [BACK, BACK, BACK, FORWARD, FORWARD, RELOAD]:
        her.window.goes(way)
        walked += [(name, her.answers(name)) for name in MINE if any(name in form.kinds for form in her.forms())]
    kept = {name: (name, [value]) for name, value in MINE.items()}
    assert walked == [kept[name] for name in ("violence", "region", "age", "region", "violence", "violence")]


@ON_ALL
def test_a_change_after_back_is_kept_and_so_is_what_she_said_on_later_pages(her: Her) -> None:
    on_the_fourth_page(her)
    looks(her, [BACK, BACK])
    her.marks(region="PIURA")
    her.goes_on()
    assert her.answers("violence") == [MINE["violence"]]
    looks(her, [BACK])
    assert her.answers("region") == ["PIURA"], "Back shows what was said last"
    her.goes_on()
    her.window.presses("button[value=check]")
    page = her.window.reads()
    assert "Piura" in page
    assert "Ucayali" not in page
    assert say("I was not paid, or what was paid was taken back") in page


@ON_ONE
def test_what_was_wrong_is_shown_again_with_the_reason_and_back_leads_before_it(her: Her) -> None:
    her.begins()
    her.marks(age=MINE["age"])
    her.goes_on()
    her.window.fills("input[name=number]", "muchas")
    her.goes_on()
    for page in (her.window.reads(), her.window.goes(RELOAD)):
        assert say("Write only a number, for example 5, or leave it empty.") in page
        assert "muchas" in page
    her.window.fills("input[name=number]", "5")
    her.goes_on()
    looks(her, [BACK])
    assert her.answers("number") == ["5"]


@ON_ONE
def test_half_a_word_that_was_not_sent_is_nowhere(her: Her) -> None:
    her.tells()
    her.window.fills("textarea[name=narrative]", HALF)
    her.window.goes_to(f"{her.site.elsewhere}/away")
    assert seen(her, [HALF], [BACK, RELOAD]) == []


# ── after it ────────────────────────────────────────────────────────────────────────────────────────────────


def at_the_check_page(her: Her) -> list[str]:
    her.tells_in_words()
    return [WORDS]


def at_the_receipt(her: Her) -> list[str]:
    her.sends()
    return [WORDS, *(f"<span>{word}</span>" for word in her.words + her.digits)]


def in_her_case(her: Her) -> list[str]:
    her.sends()
    her.window.presses("button[value=noted]")
    her.comes_back()
    her.writes(LETTER)
    assert LETTER in her.window.reads()
    return [WORDS, LETTER, *(f"<span>{word}</span>" for word in her.words)]


@ON_ALL
@pytest.mark.parametrize("comes", [at_the_check_page, at_the_receipt, in_her_case], ids=lambda comes: comes.__name__)
def test_after_the_exit_nothing_is_seen_on_any_way(her: Her, comes: Any) -> None:
    secrets = comes(her)
    her.leaves()
    assert seen(her, secrets) == []


@ON_ALL
def test_after_the_exit_in_another_tab_nothing_is_seen_and_nothing_can_be_done(her: Her) -> None:
    secrets = at_the_check_page(her)
    trip = her.answers("trip")[0]
    ends_elsewhere(her.site, trip)
    assert seen(her, secrets, [BACK, BACK, FORWARD, RELOAD]) == []
    assert START in her.window.reads()


def ends_elsewhere(site: Site, trip: str) -> None:
    """The exit of another tab with the same trip."""
    inner = site.inner
    asked = urllib.request.Request(  # noqa: S310 -- our own server
        f"{inner}/salir", urllib.parse.urlencode({"trip": trip}).encode(), {"Sec-Fetch-Site": "same-origin"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        assert answer.status == 200


@ON_ONE
def test_after_sending_no_way_leads_to_the_page_before_it(her: Her) -> None:
    at_the_receipt(her)
    cases = her.site.place.cases()
    assert seen(her, [WORDS], [BACK, BACK, RELOAD]) == []
    assert her.site.place.cases() == cases


@SCRIPTS_MATTER_NOT
def test_fifteen_minutes_after_her_last_step_no_answer_is_seen_but_the_draft_can_be_sent(her: Her) -> None:
    her.tells_in_words()
    her.site.clock.on(minutes=10)
    assert WORDS in her.window.goes(RELOAD)
    her.site.clock.on(minutes=6)  # a look does not prolong it
    assert seen(her, [WORDS], [RELOAD, BACK, FORWARD]) == []
    her.window.presses("button[value=send]")
    her.reads_her_code()
    assert WORDS not in her.window.reads()


@SCRIPTS_MATTER_NOT
def test_after_two_hours_the_page_that_anybody_may_look_at_is_shown(her: Her) -> None:
    secrets = at_the_check_page(her)
    her.site.clock.on(hours=2, minutes=1)
    assert seen(her, secrets, [RELOAD, BACK, BACK]) == []
    assert START in her.window.reads()


@ON_ALL
def test_sixteen_minutes_later_nothing_of_a_receipt_or_a_case_is_seen(her: Her) -> None:
    secrets = in_her_case(her)
    her.window.goes_to(f"{her.site.elsewhere}/away")
    her.site.clock.on(minutes=16)
    assert seen(her, secrets) == []


@SCRIPTS_MATTER_NOT
def test_two_trips_in_one_tab_and_the_exit_of_the_second_leave_nothing_of_the_first(her: Her) -> None:
    ana = at_the_receipt(her)
    her.window.presses(".o-bar .c-site")
    assert START in her.window.reads()
    bea = at_the_check_page(her)
    her.leaves()
    assert seen(her, ana + bea, [BACK] * 12) == []


@ON_ONE
def test_five_people_on_one_phone_do_not_see_each_other(her: Her) -> None:
    for region in ("UCAYALI", "PIURA", "UCAYALI", "PIURA"):
        her.begins()
        her.goes_on()
        assert her.answers("region") == []
        her.marks(region=region)
        her.goes_on()
        her.window.presses(".o-bar .c-site")
        looks(her, [BACK])
        assert START in her.window.reads()


# ── other ways to an address ────────────────────────────────────────────────────────────────────────────────


@SCRIPTS_MATTER_NOT
def test_an_address_that_is_typed_or_linked_from_elsewhere_shows_nothing_of_her(her: Her) -> None:
    secrets = at_the_check_page(her)
    here = her.window.here()
    assert "/p/" in here
    elsewhere = her.site.elsewhere.replace("127.0.0.1", "localhost")
    for start in (f"{her.site.elsewhere}/link", f"{elsewhere}/link"):
        her.window.goes_to(f"{start}?to={here}")
        her.window.presses("#there")
        assert START in her.window.reads()
        assert not [secret for secret in secrets if secret in her.window.reads()]
    her.window.goes_to(here)
    assert START in her.window.reads()
    assert not [secret for secret in secrets if secret in her.window.reads()]


# ── what every page says of itself ──────────────────────────────────────────────────────────────────────────


@ON_ONE
def test_no_page_with_anything_of_hers_is_one_a_browser_keeps_and_all_have_one_title(her: Her) -> None:
    before = len(her.site.asked.answers)
    secrets = in_her_case(her)
    her.leaves()
    answers = her.site.asked.answers[before:]
    hers = [one for one in answers if any(secret in one.text for secret in secrets)]
    assert len(hers) > 3
    assert {one.status for one in hers} == {203}
    trip = [one for one in answers if f"{one.method} {one.path}".startswith(TRIP)]
    assert {one.status for one in trip} == {203}
    assert {one.title for one in trip} == {say("Home")}
    assert {one.method for one in hers} == {"GET"}
