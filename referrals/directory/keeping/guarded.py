"""What of a service nobody changes alone: where many people, or somebody who hides, would be sent elsewhere.

Pure: compares the cells of a service before and after. Knows neither who asks nor who agrees.
"""

from __future__ import annotations

from collections.abc import Mapping

from referrals.directory.rows import SHELTER

WHERE = ("address", "site")  # cells that say where a service stands
CRISIS_LINE = "CRISIS_LINE"
ALWAYS = frozenset({"service_type", "police_inside_or_run"})  # of any service: whom it is offered to hangs on them
QUIET = frozenset({"verified_on", "notes", "source", "source_date", "status"})  # send nobody anywhere


def is_guarded(cells: Mapping[str, str]) -> bool:
    """Whether a service could send many people elsewhere, or somebody who hides: national, a crisis line, a shelter."""
    return cells["coverage"] == "national" or cells["service_type"] in {CRISIS_LINE, SHELTER}


def waits_of(before: Mapping[str, str], new: Mapping[str, str], *, counts: bool = True) -> frozenset[str]:
    """The columns of a change that wait for a second person; all where the signature of whoever writes does not count.

    Never where a shelter stands: its address is not kept here, and does not wait to be forgotten.
    """
    after = {**before, **new}
    differing = {column for column in new if column not in {"id", *_WHERE_OF[_is_shelter(before, after)]}}
    differing = {column for column in differing if before[column] != after[column]}
    if not counts:
        return frozenset(differing)
    if is_guarded(before) or is_guarded(after):
        return frozenset(differing - (QUIET if _is_offered(before) == _is_offered(after) else frozenset()))
    return frozenset(differing & ALWAYS)


def _is_shelter(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    return SHELTER in {before["service_type"], after["service_type"]}


_WHERE_OF: Mapping[bool, tuple[str, ...]] = {True: WHERE, False: ()}


def _is_offered(cells: Mapping[str, str]) -> bool:
    return bool(cells["source"]) and cells["status"] != "unverified"
