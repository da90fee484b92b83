"""The table that counts requests counts as the library's own does, and stays small whoever comes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st
from limits.storage.memory import MemoryStorage

from reporting.web import rate_counter
from reporting.web.rate_counter import InMemoryCounter
from tests.people import Clock

NAMES = st.sampled_from("abc")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("incr"), NAMES, st.sampled_from((1, 2, 60)), st.integers(1, 3)),
        st.tuples(st.just("get"), NAMES),
        st.tuples(st.just("get_expiry"), NAMES),
        st.tuples(st.just("clear"), NAMES),
        st.tuples(st.just("later"), st.sampled_from((0.25, 0.5, 1.0, 59.0, 60.0, 3600.0))),
    ),
    max_size=40,
)


@given(STEPS)
def test_it_counts_as_the_table_of_the_library_does(steps: list[tuple[object, ...]]) -> None:
    clock = Clock(1_000_000.0)
    with mock.patch.object(time, "time", clock), mock.patch.object(threading.Timer, "start"):  # its sweeper stays away
        ours, theirs = InMemoryCounter(), MemoryStorage()
        for what, *told in steps:
            if what == "later":
                clock.now += float(str(told[0]))
                continue
            if what == "get_expiry":  # theirs only forgets a window that is over when it is asked for the count
                theirs.get(str(told[0]))
            assert getattr(ours, str(what))(*told) == getattr(theirs, str(what))(*told), (what, told)


def test_two_hundred_thousand_senders_at_once_are_counted_in_a_bounded_table() -> None:
    table, largest = InMemoryCounter(), 0
    begin = time.process_time()
    for number in range(200_000):
        table.incr(f"sender {number}", 60)
        largest = max(largest, len(table._counts))  # noqa: SLF001 -- how much it holds is the promise
    took = time.process_time() - begin
    assert largest <= rate_counter.MOST
    assert took < 20, f"{took:.1f} s: a new name must not cost a look at all others"


def test_who_asks_too_much_stays_counted_while_a_flood_of_others_passes() -> None:
    table = InMemoryCounter()
    table.incr("too much", 3600, 600)
    for number in range(2 * rate_counter.MOST):
        table.incr(f"sender {number}", 60)
    assert table.get("too much") == 600


def test_windows_that_are_over_make_room_for_the_living() -> None:
    clock = Clock(1_000_000.0)
    with mock.patch.object(time, "time", clock):
        table = InMemoryCounter()
        for number in range(rate_counter.MOST - 10):
            table.incr(f"early {number}", 60, 9)
        clock.now += 61
        for number in range(11):
            table.incr(f"late {number}", 60)
        assert len(table._counts) == 11  # noqa: SLF001 -- how much it holds is the promise
        assert [table.get(f"late {number}") for number in range(11)] == [1] * 11


def test_nothing_is_lost_when_several_count_at_once() -> None:
    table = InMemoryCounter()

    def counts(which: int) -> None:
        for number in range(2000):
            table.incr("all", 60)
            table.incr(f"{which} {number}", 60)
            table.clear(f"{which} {number}")

    with ThreadPoolExecutor(4) as people:
        list(people.map(counts, range(4)))
    assert table.get("all") == 8000
    assert table.reset() == 1
    assert table.get("all") == 0
