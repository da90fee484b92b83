"""The coordinator reads what the look from outside found: in her language, what to do first, and nothing of anybody."""

from __future__ import annotations

import stat
from datetime import date

import pytest
from flask import Flask

from reporting.deploy import through
from reporting.deploy.through import Seen
from reporting.storage import findings
from reporting.storage.findings import FRONT, Look
from reporting.teams.team_log import COORDINATOR
from tests.people import Place
from tests.trips import say, signs_in

LOOKED = Look("hoja.example:8443", date(2027, 5, 3), tuple(through.findings_of(Seen(version=True, unreadable=("x",)))))
PAGE = "/es/equipo/entrada"


@pytest.fixture
def coordinator(place: Place) -> Place:
    place.hires("vera", COORDINATOR)
    return place


def test_she_reads_in_spanish_what_is_to_be_done_first_and_then_what_holds(app: Flask, coordinator: Place) -> None:
    place = coordinator
    desk = signs_in(app, place, place.workers["vera"])
    desk.opens(PAGE)
    assert "amparo check --through" in desk.words, "before anybody looked: what to ask for"
    assert findings.keep(place.settings.instance, FRONT, LOOKED)
    desk.opens(PAGE)
    assert "3 de mayo de 2027" in desk.words
    assert "hoja.example:8443" in desk.words
    told = [say(words, **finding.parts) for finding in LOOKED.findings for words in finding.words]
    assert [words for words in told if words not in desk.words] == []
    version = say("The server in front tells its version to whoever looks for a hole in it: server_tokens off.")
    first, then = say("To be done"), say("This holds")
    assert desk.words.index(first) < desk.words.index(version) < desk.words.index(then)
    assert f"{first} ({len(LOOKED.to_do)})" in desk.words


def test_only_a_coordinator_reads_it(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens(PAGE)
    assert desk.status == 404


def test_every_line_of_it_is_told_in_two_languages_and_says_what_to_do() -> None:
    for row in through.ROWS.values():
        assert say(row.do) != row.do
        assert say(row.good) != row.good
        assert row.is_printed or ":" in row.do or "." in row.do[:-1]


def test_what_lies_there_is_ours_alone_to_read_and_what_is_none_of_ours_is_not_shown(place: Place) -> None:
    folder = place.settings.instance
    assert findings.keep(folder, FRONT, LOOKED)
    assert stat.S_IMODE((folder / FRONT).stat().st_mode) == 0o600
    assert findings.last(folder, FRONT) == LOOKED
    for other in ("", "[]", "{}", '{"address": "x", "day": "soon", "findings": []}', '{"findings": [{"code": 1}]}'):
        (folder / FRONT).write_text(other, encoding="utf-8")
        assert findings.last(folder, FRONT) is None
    (folder / FRONT).unlink()
    (folder / FRONT).mkdir()
    assert not findings.keep(folder, FRONT, LOOKED)
