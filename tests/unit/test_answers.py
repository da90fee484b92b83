"""An answer of a service is yes, no or not known; whatever somebody types, "nobody knows" is never a no."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Mapping
from types import SimpleNamespace

import pytest

from referrals.directory.card import ANSWERED_BY, card_of
from referrals.directory.home import Home, shipped_services
from referrals.directory.keeping.questions import QUESTIONS
from referrals.directory.reviewed_data import rows_of, service_types
from referrals.directory.rows import ANSWERS, COLUMNS, answer_of, header, with_answers
from referrals.matching.listings import NONE, OWN, ServiceCard

DAY = "2026-11-24"
SHIPPED = {row["id"]: row for row in csv.DictReader(io.StringIO(shipped_services()))}

NOT_KNOWN = (
    "no se sabe", "No sé", "no sabemos", "NO SE", "no consta", "no hay dato", "no se conoce", "no sabe / no contesta",
    "nosotras no preguntamos", "desconocido", "unknown", "?", "-", "", "no dice", "por confirmar", "quizá", "a veces",
    "no, no se sabe", "no (no se sabe)", "no - falta preguntar", "sí, pero no siempre", "no siempre", "depende", "NS",
    "si hay cupo", "sin dato", "no lo sé", "not known", "no info",
)  # fmt: skip
KNOWN = {
    "sí": "yes",
    "SI": "yes",
    "yes": "yes",
    "Yes (led by)": "yes",
    "no": "no",
    "NO": "no",
    "No (solo con DNI)": "no",
}


@pytest.mark.parametrize("column", ANSWERS)
def test_what_says_that_nobody_knows_is_never_stored_or_read_as_a_no(column: str) -> None:
    for typed in NOT_KNOWN:
        stored = with_answers({column: typed})[column]
        assert (answer_of(typed), answer_of(stored)) == ("unknown", "unknown"), typed
        assert header(typed) in header(stored), "what was typed stays to be read"


@pytest.mark.parametrize("column", ANSWERS)
def test_a_yes_and_a_no_are_stored_as_such_with_their_note_and_stay_so(column: str) -> None:
    for typed, answer in KNOWN.items():
        stored = with_answers({column: typed})[column]
        assert answer_of(stored) == answer, typed
        assert with_answers({column: stored})[column] == stored


def test_the_answers_that_can_be_pressed_are_those_that_are_read() -> None:
    for question in QUESTIONS:
        assert question.answers in {(), ANSWERS.get(question.column)}
    assert all(answer_of(answer) == answer for answers in ANSWERS.values() for answer in answers)


def test_no_file_that_is_shipped_goes_before_what_the_team_has_confirmed() -> None:
    for told in rows_of("service-needs.csv").values():
        for reviewed in told:
            for column in (column for column, need in ANSWERED_BY.items() if need == reviewed["need"]):
                for answer in ("yes", "no"):
                    assert _needs(reviewed["service"], {column: answer}).get(reviewed["need"], "no") == answer
                assert (
                    _needs(reviewed["service"], {column: "unknown"}).get(reviewed["need"], "no") == reviewed["answer"]
                )


def test_what_a_service_has_is_offered_whatever_its_type_and_what_it_has_not_is_not() -> None:
    for kind, (column, need) in itertools.product(service_types(), ANSWERED_BY.items()):
        assert _needs("any", {column: "yes"}, kind)[need] == "yes"
        assert need not in _needs("any", {column: "no"}, kind)


def test_a_warning_of_ours_is_silent_once_the_team_has_confirmed_the_opposite() -> None:
    warnings = [row for rows in map(rows_of("service-warnings.csv").get, SHIPPED) for row in rows or ()]
    ending = [row for row in warnings if row["ends"]]
    assert ending
    for row in ending:
        column, _, answer = row["ends"].partition("=")
        assert answer in ANSWERS[column]
        for verified_on, told, is_said in (("", answer, True), (DAY, "unknown", True), (DAY, answer, False)):
            card = _card(row["service"], {column: told, "verified_on": verified_on})
            assert (row["warning"] in card.warnings) == is_said


def _needs(service: str, told: Mapping[str, str], kind: str = "") -> Mapping[str, str]:
    return _card(service, told, kind).needs


def _card(service: str, told: Mapping[str, str], kind: str = "") -> ServiceCard:
    cells = dict.fromkeys(COLUMNS, "") | {"coverage": "region", "source": "a call"} | SHIPPED.get(service, {}) | told
    cells |= {"id": service} | ({"service_type": kind} if kind else {})
    return card_of(SimpleNamespace(**cells), frozenset({"PE25"}), Home())


@pytest.mark.parametrize("typed", ["-", "no tiene", "ACTUALIZAR", "s/n", ""])
def test_an_address_that_says_nothing_is_no_way_to_reach_a_service(typed: str) -> None:
    told = {"service_type": "PEER_SW", "address_public": "yes", "status": "seen"}
    card = _card("any", told | {"address": typed})
    assert (card.address, card.reached) == ("", NONE)
    assert _card("any", told | {"address": "Jr. Unión 1"}).reached == OWN
