"""What the queue knows of a case: the fields have names, the stored bytes are those of every version before."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.casework import queue
from reporting.cases.case_file import as_json, from_json
from reporting.cases.summary import LETTERS, Summary, SummaryContent
from reporting.vocabulary.incident import Incident, answers_from_incident
from reporting.vocabulary.need_states import STATES
from reporting.vocabulary.needs import NEEDS

ANSWERS = answers_from_incident(Incident(violence=frozenset({"RAPE"}), hours=(2.0, 5.0)))
TEXTS = st.lists(st.text(max_size=9), max_size=3)
# as versions before wrote it, letter by letter: first what every summary holds, then what comes with an act of the team
ALWAYS = {
    "a": st.just(ANSWERS),
    "t": st.integers(0, 500_000),
    "h": st.integers(0, 500_000),
    "s": st.sampled_from(["new", "open", "closed"]),
    "u": st.booleans(),
    "l": st.booleans(),
}
SOMETIMES = {
    "q": TEXTS,
    "w": st.text(max_size=9),
    "o": st.integers(0, 9),
    "b": TEXTS,
    "v": st.integers(0, 500_000),
    "p": st.integers(0, 500_000),
    "m": TEXTS,
    "z": st.integers(0, 500_000),
    "r": st.integers(0, 500_000),
    "j": st.integers(0, 500_000),
    "n": st.dictionaries(st.sampled_from([*NEEDS]), st.sampled_from([*STATES]), max_size=3),
    "y": st.just(True),
    "k": st.integers(0, 9),
    "x": st.integers(0, 500_000),
    "i": st.integers(1, 9),
    "g": st.integers(0, 2**64 - 1),
    "c": st.sampled_from(["es", "quy"]),
    "d": st.integers(0, 500_000),
    "f": st.booleans(),
    "e": st.integers(0, 500_000),
    "R": st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), max_size=3),
    "S": st.integers(0, 500_000),
    "T": st.integers(0, 500_000),
    "P": st.integers(0, 500_000),
    "N": st.booleans(),
}
STORED = st.fixed_dictionaries(ALWAYS, optional=SOMETIMES)


def in_order(stored: dict[str, Any]) -> dict[str, Any]:
    return {letter: stored[letter] for letter in (*ALWAYS, *SOMETIMES) if letter in stored}


@given(STORED)
def test_a_stored_summary_is_written_again_byte_for_byte_whatever_is_missing_or_empty(stored: dict[str, Any]) -> None:
    written = as_json(in_order(stored))
    assert as_json(SummaryContent.from_stored(from_json(written)).as_stored()) == written


@given(STORED)
def test_a_summary_says_what_its_letters_said(stored: dict[str, Any]) -> None:
    summary = Summary(7, 1, "seal", SummaryContent.from_stored(stored))
    assert (summary.told_at, summary.hour, summary.state) == (stored["t"], stored["h"], stored["s"])
    assert (summary.unread, summary.answered) == (stored["u"], stored["l"])
    assert (summary.signs, summary.words) == (tuple(stored.get("q", ())), stored.get("w", ""))
    assert (summary.owner, summary.closed_at) == (stored.get("o", 0), stored.get("z", 0))
    assert (summary.labels, summary.marks) == (tuple(stored.get("b", ())), tuple(stored.get("m", ())))
    assert summary.acts_told == stored.get("v", stored["h"]), "told once: in the hour of the report"
    assert summary.signs_told == stored.get("p", stored["t"]), "told once: in the hour of the time she gave"


@given(STORED)
def test_a_kept_queue_is_written_again_as_it_was(stored: dict[str, Any]) -> None:
    summary = Summary(7, 1, "seal", SummaryContent.from_stored(in_order(stored)), 3, 5, b"m" * 16)
    kept = queue.worked_out([summary], 500_000 * 3600)
    again = queue.from_bytes(queue.to_bytes(kept), team=1)
    assert again == kept
    assert again.summary(7) == summary


def test_every_field_has_one_letter_in_the_order_in_which_it_stands() -> None:
    assert list(LETTERS) == [field.name for field in fields(SummaryContent)]
    assert list(LETTERS.values()) == [*ALWAYS, *SOMETIMES]


def test_a_name_that_no_summary_has_is_an_error_and_no_new_field() -> None:
    content = SummaryContent(ANSWERS, 1, 1, "new", unread=True, answered=False)
    with pytest.raises(TypeError):
        replace(content, ovner=3)  # type: ignore[call-arg]
