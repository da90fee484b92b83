"""A flood of junk folds into one line, and nobody is lost in it: no workshop, no window, no danger, no child."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.casework import folds, queue
from referrals.casework.ranks import Rank
from reporting.cases import junk
from reporting.cases.summary import Summary, SummaryContent
from reporting.clock import HOUR
from reporting.sessions.hour_key import HourKey
from reporting.vocabulary.incident import Incident, answers_from_incident

NOW_HOUR = 500_000
NOW = NOW_HOUR * HOUR
QUIET, DANGER, WINDOW, CHILD = (
    Incident(),
    Incident(flags=frozenset({"S_PERP_NEAR"})),
    Incident(violence=frozenset({"RAPE"}), hours=(5.0, 5.0)),
    Incident(age="A14_17"),
)
HERS, OTHER = b"a sender's key".ljust(32), b"another's".ljust(32)
ADVERT = "Gana dinero hoy, mira esto"
LINKS = (junk.LINKS,)


def a_summary(case: int, incident: Incident = QUIET, group: int | None = 7, **said: Any) -> Summary:
    told = {"state": "new", "unread": True, "answered": False, "group": group} | said
    content = SummaryContent(answers_from_incident(incident), NOW_HOUR - 1, NOW_HOUR - 1, **told)
    return Summary(case, 1, "seal", content)


def ranked(summaries: list[Summary], sort: str = "urgency") -> list[Rank]:
    return queue.in_order((queue.rank_of(summary, NOW) for summary in summaries), sort)


def fold(summaries: list[Summary]) -> tuple[list[Rank], dict[int, folds.Fold]]:
    ordered = ranked(summaries)
    lines, behind = folds.folded(ordered, folds.large(ordered), NOW)
    return lines, dict(behind)


# ── which number a report gets ──────────────────────────────────────────────────────────────────────────────


def test_what_one_sender_sends_with_a_sign_has_one_number_and_what_others_send_another() -> None:
    numbers = {junk.group_of(HERS, f"{number}", LINKS) for number in range(200)}
    assert len(numbers) == 1
    assert numbers.isdisjoint({junk.group_of(OTHER, "0", LINKS)})


def test_what_shows_no_sign_is_tied_to_nothing_but_the_very_same_words() -> None:
    told = [f"El cliente número {number} me pegó en la calle." for number in range(30)]
    assert len({junk.group_of(HERS, words, ()) for words in told}) == 30
    assert junk.group_of(HERS, ADVERT, ()) == junk.group_of(HERS, ADVERT.upper(), ()) != junk.group_of(HERS, "x", LINKS)
    assert junk.group_of(HERS, "me pegó", ()) is None, "two people say that by chance"
    assert junk.group_of(HERS, "", ()) is None


def test_the_key_of_an_hour_is_gone_with_it_and_no_other_server_has_it() -> None:
    key = HourKey()
    first = key.of(NOW_HOUR)
    assert first == key.of(NOW_HOUR)
    assert len({first, key.of(NOW_HOUR + 1), key.of(NOW_HOUR), HourKey().of(NOW_HOUR)}) == 4


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no processes that share a memory here")
def test_the_workers_of_a_server_share_the_key_and_none_keeps_the_one_before() -> None:
    import os

    key = HourKey()
    before = key.of(NOW_HOUR)
    reads, writes = os.pipe()
    if not os.fork():
        os.write(writes, key.of(NOW_HOUR) + key.of(NOW_HOUR + 1))
        os._exit(0)
    os.wait()
    came = os.read(reads, 64)
    os.close(reads)
    os.close(writes)
    assert (came[:32], came[32:]) == (before, key.of(NOW_HOUR + 1))
    assert key.of(NOW_HOUR) != before


# ── which line stands for them ──────────────────────────────────────────────────────────────────────────────


def test_two_hundred_of_one_sender_are_one_line_and_thirty_are_thirty() -> None:
    lines, behind = fold([a_summary(case) for case in range(1, 201)])
    assert (len(lines), [one.reports for one in behind.values()]) == (1, [200])
    lines, behind = fold([a_summary(case) for case in range(1, 31)])
    assert (len(lines), behind) == (30, {}), "a workshop in which each was quick"
    lines, behind = fold([a_summary(case, group=None) for case in range(1, 201)])
    assert (len(lines), behind) == (200, {})


@pytest.mark.parametrize("urgent", [DANGER, WINDOW, CHILD], ids=["danger", "window", "child"])
def test_a_fold_stands_where_the_most_urgent_in_it_stands_and_says_what_is_in_it(urgent: Incident) -> None:
    junk_of_one = [a_summary(case) for case in range(1, 200)]
    hers, calm = a_summary(200, urgent), [a_summary(case, group=None) for case in range(1000, 1003)]
    lines, behind = fold([*junk_of_one, hers, *calm])
    alone = ranked([hers, *calm])
    assert [line.case for line in lines] == [line.case for line in alone], "as if she had written alone"
    told = behind[200]
    assert (told.danger, told.minor, told.left is not None) == (urgent is DANGER, urgent is CHILD, urgent is WINDOW)


def test_whoever_is_opened_taken_or_marked_leaves_the_fold_and_the_rest_stays_folded() -> None:
    flood = [a_summary(case) for case in range(1, 34)]
    flood[0] = replace(flood[0], content=replace(flood[0].content, state="open", owner=3))
    flood[1] = replace(flood[1], content=replace(flood[1].content, owner=3))
    flood[2] = replace(flood[2], content=replace(flood[2].content, marks=("junk",)))
    lines, behind = fold(flood)
    assert {line.case for line in lines} - behind.keys() == {1, 2, 3}
    assert [one.reports for one in behind.values()] == [30]
    assert len(list(folds.opened(ranked(flood), next(iter(behind))))) == 33
    assert folds.opened(ranked([*flood, a_summary(99, group=None)]), 99) == []


KINDS = st.tuples(st.sampled_from([QUIET, DANGER, WINDOW, CHILD]), st.sampled_from([None, 1, 2]), st.booleans())


@given(st.lists(KINDS, max_size=12), st.sampled_from([*queue.SORTS]), st.integers(0, 3))
def test_a_fold_hides_nobody_and_moves_nobody_down(
    told: list[tuple[Incident, int | None, bool]], sort: str, many: int
) -> None:
    summaries = [
        a_summary(case, incident, group, state="new" if new else "open")
        for case, (incident, group, new) in enumerate(told, 1)
    ]
    ordered = ranked(summaries, sort)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds, "MANY", many)
        lines, behind = folds.folded(ordered, folds.large(ordered), NOW)
    shown = {line.case for line in lines}
    assert len(lines) + sum(one.reports - 1 for one in behind.values()) == len(summaries)
    places = {summary.case: place for place, summary in enumerate(ordered)}
    for summary in summaries:
        if summary.case in shown:
            continue
        stands_for = next(line for line in lines if line.group == (summary.group or 0) and line.case in behind)
        assert summary.state == "new"
        assert stands_for[:7] <= queue.rank_of(summary, NOW)[:7], "the worst of them is what is read"
        above = {line.case for line in lines[: lines.index(stands_for)] if line.case not in behind}
        assert all(places[case] < places[summary.case] for case in above), "nothing went before it that did not before"
