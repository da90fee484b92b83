"""Labels that stand beside each other begin alike: each with a capital, in every language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polib
import pytest

from referrals.casework import queue, referral, views
from referrals.pages.case_words import TABLE
from referrals.pages.queue import TABLE as QUEUE_TABLE
from reporting.cases.follow_up import next_steps
from reporting.web import languages
from reporting.web.languages import CATALOGUES
from tests.house.test_house import offered

DAYS: Final = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}  # small in Spanish
ON_THE_LIST: Final = ("need_names", "urgency_names", "states", "marks", "outcomes")
LABELS: Final[Mapping[str, Any]] = {
    **TABLE,
    **{name: QUEUE_TABLE[name] for name in ON_THE_LIST},
    "places": [place.says for place in queue.PLACES.values()],
    "folders": [name for name, _ in queue.FOLDERS.values()],
    "sorts": [name for name, _ in queue.SORTS.values()],
    "companions": queue.OF_A_COMPANION,
    "silences": [silence.name for silence in views.SILENCES.values()],
    "who takes a step": referral.WHO,
    "cases": next_steps.CASE_STATES,
    "steps": [
        row.name
        for table in (next_steps.OF_REFERRAL, next_steps.OF_CASE)
        for row in table.values()
        if isinstance(row, next_steps.StepRow)
    ],
}


def _texts(table: Any) -> Iterator[str]:
    if isinstance(table, str):
        yield table
    else:
        for part in table.values() if isinstance(table, Mapping) else table:
            yield from _texts(part)


def _begins(text: str) -> str:
    """The first letter; nothing where it begins with a number or a name that is filled in."""
    return text.lstrip("«“¿¡(")[:1] if not text.startswith("%(") else ""


@pytest.mark.parametrize("language", ["en", *offered()])
@pytest.mark.parametrize("table", LABELS)
def test_each_label_of_the_list_and_of_a_case_begins_with_a_capital(table: str, language: str) -> None:
    catalogue = languages.load((language,))[language]
    shown = [languages.say(catalogue, text) for text in _texts(LABELS[table])]
    assert shown
    assert [text for text in shown if _begins(text).islower()] == []


@pytest.mark.parametrize("language", offered())
def test_a_text_begins_as_large_or_small_as_in_english(language: str) -> None:
    entries = polib.pofile(str(CATALOGUES / language / "LC_MESSAGES" / "messages.po"))
    texts = {entry.msgid: entry.msgstr or entry.msgstr_plural[0] for entry in entries if entry.msgid not in DAYS}
    begins = ((message, _begins(message), _begins(text)) for message, text in texts.items())
    assert [
        message
        for message, first, other in begins
        if first.isalpha() and other.isalpha() and first.isupper() != other.isupper()
    ] == []
