"""Ranks: what the queue works out of a case once, and until when that holds; packed, so that it is read in no time.

A rank holds all by which the queue orders, counts and filters. The summary it was worked out of lies beside it as it
is stored and is read only for the lines of a page. Pure: knows no rule, no table and no key.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import repeat
from operator import itemgetter
from typing import Final, NamedTuple

from reporting.cases.derived import PARTS, part_of
from reporting.cases.summary import Summary, SummaryContent
from reporting.clock import HOUR

Work = Callable[[Summary, float], "Rank"]
_PACKED: Final = struct.Struct(">BdB?dIqdHIIIIIIBIIQ4s8s16s16s")


class Rank(NamedTuple):
    """How a case stands in the queue. The first seven are its order; hours count since 1970, 0 where there is none."""

    place: int  # why it stands there: the number of a place
    within: float  # what counts within that place
    urgency: int
    calm: bool  # no medical danger, and nobody who did it is near or holds her
    closes: float  # when its nearest window closes; infinite without one
    day: int  # on which it came
    case: int
    until: float  # the hour in which something changes; infinite where nothing does any more
    epoch: int  # what was worked out is good for a case with these keys, of this version
    version: int
    hour: int  # of the report
    heard: int  # of what she said last, her report included
    wrote: int  # of what the team wrote to her last
    ends: int  # from which on something of it goes: the way to reach her, or, as junk, the case
    owner: int  # the member whose case it is; 0 is nobody
    need: int  # the most urgent: 1 and its place among all needs; 0 without one
    lies: int  # a bit for each folder in which it lies, whoever looks
    traits: int  # a bit for each that it has
    group: int  # the number that it shares with what the same sender sent; 0 without one
    department: bytes
    language: bytes
    words: bytes  # by which the same words are known again
    mark: bytes  # by which the list of what the team has taken knows it

    @property
    def danger(self) -> bool:
        """Medical, or whoever did it is near or holds her."""
        return not self.calm

    def holds(self, now: float) -> bool:
        """Whether nothing has changed since it was worked out."""
        return now / HOUR < self.until


ORDER: Final = itemgetter(slice(0, 7))  # the key by which ranks are sorted, the most urgent first
# field -> bytes that it takes, filled up with zeros
WIDTHS: Final = {"department": 4, "language": 8, "words": 16, "mark": 16}


def fixed(name: str, text: str) -> bytes:
    """A text as a rank holds it in this field."""
    return text.encode()[: WIDTHS[name]].ljust(WIDTHS[name], b"\0")


def text_of(kept: bytes) -> str:
    """The text that `fixed` was given."""
    return kept.rstrip(b"\0").decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class QueueCache:
    """Ranks of a queue as last worked out, and the summaries they were worked out of, by case."""

    ranks: dict[int, Rank] = field(default_factory=dict)
    stored: dict[int, tuple[str, bytes]] = field(default_factory=dict, repr=False)  # seal, summary as it is stored
    teams: dict[int, int] = field(default_factory=dict)  # case -> team

    def change(self, dropped: Collection[int], anew: QueueCache) -> None:
        """Take some cases out, and put in what was worked out anew."""
        for case in dropped:
            del self.ranks[case], self.stored[case], self.teams[case]
        self.ranks.update(anew.ranks)
        self.stored.update(anew.stored)
        self.teams.update(anew.teams)

    def summary(self, case: int) -> Summary:
        """The summary of a case that is here."""
        rank, (seal, stored) = self.ranks[case], self.stored[case]
        content = SummaryContent.from_stored(json.loads(stored))
        return Summary(case, self.teams.get(case, 0), seal, content, rank.epoch, rank.version, rank.mark)


def worked_out(summaries: Iterable[Summary], now: float, work: Work) -> QueueCache:
    """The cache of these summaries as of now."""
    listed = list(summaries)
    return QueueCache(
        {card.case: work(card, now) for card in listed},
        {card.case: (card.seal, _stored(card.content)) for card in listed},
        {card.case: card.team for card in listed},
    )


def _stored(content: SummaryContent) -> bytes:
    return json.dumps(content.as_stored(), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def joined(caches: Iterable[QueueCache]) -> QueueCache:
    """Several caches as one."""
    every = QueueCache()
    for cache in caches:
        every.change((), cache)
    return every


# ── packed ──────────────────────────────────────────────────────────────────────────────────────────────────


def to_bytes(cache: QueueCache, stamp: str, cases: Iterable[int] | None = None) -> bytes:
    """The bytes of a cache, or of these cases in it, to be sealed; with the stamp of what it was worked out by."""
    listed = list(cache.ranks if cases is None else cases)
    if not listed:
        return b""
    seals, contents = zip(*(cache.stored[case] for case in listed), strict=True)
    head = json.dumps({"rules": stamp, "cases": len(listed)}).encode()
    packed = b"".join(_PACKED.pack(*cache.ranks[case]) for case in listed)
    return b"\n".join((head, " ".join(seals).encode(), *contents, packed))


def from_bytes(packed: bytes, stamp: str, team: int = 0) -> QueueCache:
    """The cache in the bytes of `to_bytes`; empty where it was worked out by something else, or where there is none."""
    head, _, rest = packed.partition(b"\n")
    said = json.loads(head) if head.startswith(b"{") and rest else {}
    if said.get("rules") != stamp:
        return QueueCache()
    size = said["cases"] * _PACKED.size
    seals, *contents = rest[: -size - 1].split(b"\n")
    ranks = {rank.case: rank for rank in map(Rank._make, _PACKED.iter_unpack(rest[-size:]))}
    stored = dict(zip(ranks, zip(seals.decode().split(" "), contents, strict=True), strict=True))
    return QueueCache(ranks, stored, dict(zip(ranks, repeat(team), strict=False)))


FEW: Final = 50  # a part of a cache is written anew when more than one of its cases in fifty has changed


def stale_parts(there: Iterable[int], changed: Iterable[int], gone: Iterable[int]) -> frozenset[int]:
    """The parts that are worth writing anew: much has changed, or they know a case that is not there."""
    held, anew = [0] * PARTS, [0] * PARTS
    for case in there:
        held[part_of(case)] += 1
    for case in changed:
        anew[part_of(case)] += 1
    return frozenset({part for part in range(PARTS) if anew[part] * FEW > held[part]} | set(map(part_of, gone)))


def in_parts(cache: QueueCache, parts: Collection[int], here: Collection[int], stamp: str) -> dict[int, bytes]:
    """These parts of a cache, ready to be kept, of the cases that are here; empty where there are none."""
    listed: dict[int, list[int]] = {part: [] for part in parts}
    for case in cache.ranks:
        if part_of(case) in listed and case in here:
            listed[part_of(case)].append(case)
    return {part: to_bytes(cache, stamp, cases) for part, cases in listed.items()}
