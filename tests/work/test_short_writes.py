"""Writing transactions are short: no page of the desk opens more than 200 cases inside one, however many there are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, event

from reporting.app import create_app
from reporting.cases import desk, taken
from reporting.cases.openers import Openers
from reporting.figures import freezing, tallies, work_apart
from reporting.storage.database import reading, writing
from reporting.web.access.audience import lies_at_the_desk
from reporting.web.context import installation_of
from tests.copies import Filling, with_readers_of_figures
from tests.pages.test_people_and_keys import enters
from tests.people import Place
from tests.work.test_statistics import late_enough, receives

MOST = 200
FEW = 20  # for this test in its place, so that it takes fewer cases
CASES = 2 * FEW + 3


def with_many_cases(place: Place) -> None:
    with_readers_of_figures(place)
    receives(place, times=CASES)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_many_cases


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[int]]:
    """Writing transaction -> how many cases or tallies were opened while it was open, by whatever opens them."""
    count, writes = Counter[int](), list[Connection]()
    case_key, open_tally = Openers.case_key, tallies._opened  # noqa: SLF001 -- every tally is opened there

    def begins(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            writes.append(connection)
            count[len(count) + 1] = 0

    def ends(connection: Connection) -> None:
        if connection in writes:
            writes.remove(connection)

    def one_more() -> None:
        if writes:
            count[len(count)] += 1

    monkeypatch.setattr(Openers, "case_key", lambda self, row: (one_more(), case_key(self, row))[1])
    monkeypatch.setattr(tallies, "_opened", lambda *parts: (one_more(), open_tally(*parts))[1])
    for name, listener in (("begin", begins), ("commit", ends), ("rollback", ends)):
        event.listen(Engine, name, listener)
    yield count
    for name, listener in (("begin", begins), ("commit", ends), ("rollback", ends)):
        event.remove(Engine, name, listener)


def pages_of_the_desk(app: Flask) -> list[str]:
    rules = (rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.arguments <= {"lang"})
    return sorted(path for rule in rules if lies_at_the_desk(path := rule.rule.replace("<lang>", "es")))


def test_no_page_of_the_desk_opens_many_cases_while_it_keeps_others_from_writing(
    place: Place, opened: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert max(desk.MOVED, freezing.BATCH) <= MOST
    monkeypatch.setattr(desk, "MOVED", FEW)
    app = create_app(place.settings, place.clock)
    installation_of(app).apart = work_apart.run
    rosa = enters(app, place, "rosa")
    for path in [*pages_of_the_desk(app), "/es/equipo/casos"]:
        rosa.opens(path)
    assert sum(opened.values()) >= CASES, "every new case was opened to go to the vault"
    rosa.opens("/es/equipo/casos")
    case = re.findall(r'href="(/es/equipo/caso/\d+)"', rosa.text)[0]
    token, cases = rosa.forms[-1].values["f"], re.findall(r'name="cases"[^>]*value="(\d+)"', rosa.text)
    rosa.opens(case)
    rosa.repeats("/es/equipo/casos", {"f": token, "go": ["words"], "words": ["algo"]})
    rosa.repeats("/es/equipo/casos", {"f": token, "go": ["label"], "label": ["prueba"], "cases": cases})
    late_enough(place)
    ana = enters(app, place, "ana")
    ana.opens("/es/equipo/cifras/preparar?period=2026")
    ana.presses("compile")
    assert ana.status == 203
    assert max(opened.values()) <= FEW


def test_the_first_list_of_an_old_vault_is_worked_out_while_nobody_waits_and_knows_every_case_in_it(
    place: Place, opened: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "MOVED", FEW)
    app = create_app(place.settings, place.clock)
    keys = place.signs_in("rosa")
    with monkeypatch.context() as before, writing(place.engine) as db:
        before.setattr(taken, "begin", lambda *_: None)  # as in a version that knew no lists
        assert len(desk.move_to_vault(db, keys, CASES)) == CASES
    opened.clear()
    rosa = enters(app, place, "rosa")
    rosa.opens("/es/equipo/casos")
    keys = place.signs_in("rosa")
    with reading(place.engine) as db:
        lists = [there for there in taken.lists(db, keys, place.pin).values() if there]
    assert CASES in [len(there.entries) for there in lists]
    assert max(opened.values()) <= FEW
