"""Somebody takes the phone: what Back, reload, "resend", forward and a restored session show in a real Chromium.

The browser's back-forward cache is on. A plain page is tried first: it must leak, or the rest would prove nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from referrals.casework import referral
from referrals.directory import snapshot
from referrals.help.answers import help_for
from reporting.app import create_app
from reporting.cases import desk
from reporting.crypto.receipts import Receipt
from reporting.storage.database import reading, writing
from reporting.vocabulary.incident import Incident
from tests.browsers import headless, opened
from tests.people import Clock, Place, a_furnished_place
from tests.server import in_this_process

QUICKLY: dict[str, Any] = {"wait_until": "commit", "timeout": 3000}  # a page out of the cache never says "load"
PATIENCE = 20  # looks at a page that is still on its way
SECRET, CHOSEN = "palabra-marcada", 'checked=""'


def a_plain_site() -> Flask:
    """A page that does only the usual: no-store and a link away. And the page anybody may look at."""
    app = Flask("plain")

    @app.get("/")
    def secret() -> tuple[str, dict[str, str]]:
        text = f'<!doctype html><link rel=icon href="data:,"><p>{SECRET}</p><a class=c-leave href=/away>Out</a>'
        return text, {"Cache-Control": "no-store"}

    @app.post("/answer")
    def answer() -> tuple[str, dict[str, str]]:
        return secret()

    @app.get("/ask")
    def ask() -> str:
        return '<!doctype html><link rel=icon href="data:,"><form method=post action=/answer><button>Go</button></form>'

    @app.get("/away")
    def away() -> str:
        return "<!doctype html><title>Weather</title><h1>Sunny</h1>"

    return app


@dataclass
class Site:
    """Our pages and a page elsewhere, with a clock that tests move."""

    address: str
    elsewhere: str
    clock: Clock
    place: Place


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = a_furnished_place(tmp_path_factory.mktemp("taken") / "instance")
    with in_this_process(a_plain_site()) as elsewhere:
        settings = place.settings.with_changes(exit_url=f"{elsewhere}/away")
        with in_this_process(create_app(settings, place.clock)) as address:
            yield Site(address, elsewhere, place.clock, place)


@dataclass
class Hand:
    """A browser in somebody's hand. `secrets` is what must not be seen any more."""

    page: Any
    site: Site
    secrets: list[str] = field(default_factory=lambda: [SECRET])

    def presses(self, name: str, value: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f"button[name={name}][value={value}]:not(.o-unseen)").first.click()

    def leaves(self) -> None:
        self.page.locator(".c-leave").click()
        self.page.wait_for_url("**/away")

    def goes(self, way: Callable[[], object]) -> str:
        """Try a way back; a browser that refuses shows its own page, which is fine."""
        from playwright.sync_api import Error

        with contextlib.suppress(Error):
            way()
        return self.reads()

    def reads(self) -> str:
        """The page as it stands once it stands still."""
        from playwright.sync_api import Error

        for _ in range(PATIENCE):
            with contextlib.suppress(Error):  # it was still on its way
                self.page.wait_for_load_state("domcontentloaded", timeout=500)
            with contextlib.suppress(Error):
                text: str = self.page.content()
                return text
        raise AssertionError("the page does not come to rest")

    def looks_everywhere(self) -> list[str]:
        """Back twice, reload ("resend form") at each, forward again. Returns what was seen of the secrets."""
        seen = []
        ways = [
            self.page.go_back,
            self.page.reload,
            self.page.go_back,
            self.page.reload,
            self.page.go_forward,
            self.page.reload,
        ]
        for number, way in enumerate(ways):
            text = self.goes(lambda way=way: way(**QUICKLY))
            seen += [f"{secret} at step {number}" for secret in self.secrets if secret in text]
        return seen


@pytest.fixture(scope="module")
def chromium(player: Any) -> Iterator[Any]:
    """Its back-forward cache is on. Each test gets a context of its own, which knows nothing of the others."""
    browser = headless(player, ignore_default_args=["--disable-back-forward-cache"])
    yield browser
    browser.close()


@pytest.fixture(params=["scripts off", "scripts on"])
def hand(request: pytest.FixtureRequest, site: Site, chromium: Any) -> Iterator[Hand]:
    context = chromium.new_context(
        viewport={"width": 360, "height": 640}, java_script_enabled=request.param == "scripts on", locale="es-PE"
    )
    yield Hand(context.new_page(), site)
    context.close()


# ── how far she came ────────────────────────────────────────────────────────────────────────────────────────


def on_the_first_page(hand: Hand) -> None:
    begins(hand, "begin")
    hand.page.locator("details:has(input[name=safety][value=S_WEAPON]) > summary").click()
    hand.page.check("input[name=safety][value=S_WEAPON]")
    hand.secrets = [CHOSEN]


def begins(hand: Hand, way: str) -> None:
    hand.page.goto(f"{hand.site.address}/es/antes")
    hand.presses("go", way)


def in_the_middle(hand: Hand) -> None:
    on_the_first_page(hand)
    hand.presses("go", "next")
    hand.presses("go", "back")
    hand.secrets = [CHOSEN]
    assert CHOSEN in hand.reads()


def at_the_check_page(hand: Hand) -> None:
    on_the_first_page(hand)
    tells_to_the_end(hand)
    hand.secrets = [SECRET, CHOSEN]


def tells_to_the_end(hand: Hand) -> None:
    while not hand.page.locator("textarea[name=narrative]").count():
        hand.presses("go", "next")
    hand.page.fill("textarea[name=narrative]", SECRET)
    hand.presses("go", "next")
    assert SECRET in hand.reads()


def at_the_check_page_of_a_message(hand: Hand) -> None:
    begins(hand, "message")
    tells_to_the_end(hand)
    hand.secrets = [SECRET]


def at_the_receipt_of_a_message(hand: Hand) -> None:
    at_the_check_page_of_a_message(hand)
    sends(hand)


def at_the_check_page_of_every_theme(hand: Hand) -> None:
    begins(hand, "all")
    hand.page.check("input[name=safety][value=S_WEAPON]")
    tells_to_the_end(hand)
    hand.secrets = [SECRET, CHOSEN]


def at_the_receipt(hand: Hand) -> None:
    at_the_check_page(hand)
    sends(hand)


def sends(hand: Hand) -> None:
    hand.presses("go", "send")
    words = hand.page.locator(".c-words span").all_inner_texts()
    assert len(words) == 7
    hand.secrets += [f"<span>{words[0]}</span>", 'class="c-need"']


def telling_more(hand: Hand) -> None:
    at_the_receipt(hand)
    hand.presses("go", "tell-more")
    hand.page.check("input[name=venue][value=BROTHEL]")
    hand.presses("go", "save-15")
    hand.presses("go", "save-16")
    assert SECRET in hand.reads()
    hand.secrets = [SECRET, CHOSEN, 'name="venue"']


def in_her_case(hand: Hand) -> None:
    at_the_receipt(hand)
    words = " ".join(hand.page.locator(".c-words span").all_inner_texts())
    hand.presses("go", "noted")
    hand.page.fill("#f-code", words)
    with hand.page.expect_navigation():
        hand.page.locator(".c-box button").click()
    assert SECRET in hand.reads()
    hand.secrets.append("Ya se envió")


def adding_words(hand: Hand) -> None:
    in_her_case(hand)
    hand.presses("go", "ask-more")
    hand.page.fill("textarea[name=text]", f"{SECRET} dos")
    hand.presses("go", "add")
    assert f"{SECRET} dos" in hand.reads()
    hand.secrets = [SECRET, "Está agregado"]


def at_a_proposal(hand: Hand) -> None:
    receipt = a_case_with_a_proposal(hand.site.place)
    hand.page.goto(f"{hand.site.address}/es/volver")
    hand.page.fill("#f-code", " ".join(receipt.digits()))
    with hand.page.expect_navigation():
        hand.page.locator("form:has(#f-code) button").click()
    with hand.page.expect_navigation():
        hand.page.locator("form[action$='/propuesta'] button").click()
    hand.secrets = ["Solo les contaríamos esto", "Te preguntamos"]
    assert hand.secrets[0] in hand.reads()


def after_her_yes(hand: Hand) -> None:
    at_a_proposal(hand)
    hand.presses("go", "yes")
    hand.secrets.append("Anotado: sí")
    assert "Anotado: sí" in hand.reads()


def a_case_with_a_proposal(place: Place) -> Receipt:
    """A case worker asks her whether a service may be told."""
    incident = Incident(
        about="SELF", violence=frozenset({"RAPE"}), hours=(5.0, 5.0), region="UCAYALI", wants=frozenset({"W_HEALTH"})
    )
    receipt, keys = place.receives(incident), place.signs_in("rosa")
    shelf = snapshot.snapshot_of(partial(reading, place.engine))
    offer = help_for(shelf, incident, place.clock(), languages=("es",)).needs[0].offers[0]
    with (
        writing(place.engine) as db,
        desk.at_desk(db, keys, place.comes_back(receipt).case, place.clock(), "referral") as case_file,
    ):
        referral.propose(
            case_file, 1, shelf.cards.by_id[offer.service_id], "N_PFA", ("need", "violence"), place.clock()
        )
    return receipt


def at_a_search(hand: Hand) -> None:
    hand.page.goto(f"{hand.site.address}/es/ayuda")
    hand.page.check("input[name=needs][value=N_PEP]")
    with hand.page.expect_navigation():
        hand.page.locator(".o-actions button").first.click()
    hand.secrets = ['class="c-need"', CHOSEN]
    assert all(secret in hand.reads() for secret in hand.secrets)


SCENES = [
    on_the_first_page,
    in_the_middle,
    at_the_check_page,
    at_the_receipt,
    at_the_check_page_of_a_message,
    at_the_receipt_of_a_message,
    at_the_check_page_of_every_theme,
    telling_more,
    in_her_case,
    adding_words,
    at_a_proposal,
    after_her_yes,
    at_a_search,
]


# ── what is seen ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_that_does_only_the_usual_leaks(hand: Hand, site: Site) -> None:
    hand.page.goto(f"{site.elsewhere}/")
    hand.leaves()
    assert SECRET in hand.goes(lambda: hand.page.go_back(**QUICKLY))


def test_an_answer_that_does_only_the_usual_leaks_when_it_is_sent_again(hand: Hand, site: Site) -> None:
    hand.page.goto(f"{site.elsewhere}/ask")
    with hand.page.expect_navigation():
        hand.page.locator("button").click()
    hand.leaves()
    assert hand.looks_everywhere()


@pytest.mark.parametrize("comes", SCENES, ids=lambda scene: scene.__name__)
def test_after_the_exit_nothing_is_seen(hand: Hand, comes: Callable[[Hand], None]) -> None:
    comes(hand)
    hand.leaves()
    assert hand.looks_everywhere() == []


@pytest.mark.parametrize("comes", SCENES[1:], ids=lambda scene: scene.__name__)
def test_sixteen_minutes_later_nothing_is_seen_without_the_exit_either(
    hand: Hand, comes: Callable[[Hand], None]
) -> None:
    comes(hand)
    hand.secrets = [secret for secret in hand.secrets if secret != "Ya se envió"]
    hand.page.goto(f"{hand.site.elsewhere}/away")
    hand.site.clock.on(minutes=16)
    assert hand.looks_everywhere() == []


@pytest.mark.parametrize("leaving", [True, False], ids=["after the exit", "sixteen minutes later"])
@pytest.mark.parametrize("comes", [at_the_receipt, in_her_case], ids=lambda scene: scene.__name__)
def test_a_restored_session_shows_nothing(
    site: Site, tmp_path: Path, player: Any, comes: Callable[[Hand], None], *, leaving: bool
) -> None:
    folder = tmp_path / "profile"
    window = opened(player, folder, [], java_script_enabled=False)
    hand = Hand(window.new_page(), site)
    comes(hand)
    hand.secrets = [secret for secret in hand.secrets if secret != "Ya se envió"]
    if leaving:
        hand.leaves()
    window.close()
    site.clock.on(minutes=0 if leaving else 16)
    window = opened(player, folder, ["--restore-last-session"], java_script_enabled=False)
    seen = []
    for page in window.pages:
        restored = Hand(page, site, hand.secrets)
        text = restored.goes(lambda page=page: page.reload(**QUICKLY))
        seen += [secret for secret in hand.secrets if secret in text] + restored.looks_everywhere()
    window.close()
    assert seen == []


# ── the small script ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def keyboard(site: Site, chromium: Any) -> Iterator[Hand]:
    context = chromium.new_context()
    yield Hand(context.new_page(), site)
    context.close()


def test_with_scripts_the_screen_is_empty_before_the_network_answers(keyboard: Hand) -> None:
    at_the_check_page(keyboard)
    keyboard.page.route("**/salir", lambda _route: None)  # the network does not answer
    tools = keyboard.page.context.new_cdp_session(keyboard.page)  # which do not wait for the network either
    script = "document.querySelector('.c-leave').click(); document.querySelector('main').checkVisibility()"
    assert tools.send("Runtime.evaluate", {"expression": script})["result"]["value"] is False


@pytest.mark.parametrize("comes", [on_the_first_page, at_the_check_page], ids=lambda scene: scene.__name__)
def test_with_scripts_shift_three_times_leaves(keyboard: Hand, comes: Callable[[Hand], None]) -> None:
    comes(keyboard)
    for _ in range(2):
        keyboard.page.keyboard.press("Shift")
    keyboard.page.keyboard.press("a")
    for _ in range(2):
        keyboard.page.keyboard.press("Shift")
    assert "/away" not in keyboard.page.url, "other keys in between are typing, not leaving"
    keyboard.page.keyboard.press("Shift")
    keyboard.page.wait_for_url("**/away")
    assert keyboard.looks_everywhere() == []


def test_with_scripts_a_plain_exit_leaves_no_entry_for_back(keyboard: Hand, site: Site) -> None:
    keyboard.page.goto(f"{site.elsewhere}/ask")
    keyboard.page.goto(f"{site.address}/es/")
    keyboard.leaves()
    keyboard.goes(lambda: keyboard.page.go_back(**QUICKLY))
    assert keyboard.page.url == f"{site.elsewhere}/ask"
