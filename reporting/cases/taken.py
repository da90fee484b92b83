"""What a team has taken: which cases it knows, by which key, and how new it saw each; sealed under its vault key.

Who can write the database seals a case of his own to the team's public key as everybody can, or puts an older copy of
a whole case back. What he cannot do is write this list. It is written when a case goes to the vault, when the team
changes it, and when the team looks at the queue; her own changes only make a case newer. It lies in 64 parts under a
head that names the number of each, and the newest number of the head stands in the pin and in each member's record.
Knows neither acts nor pages, and nothing of what a case says.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from reporting.cases.case_file import as_json, from_json
from reporting.cases.openers import Openers
from reporting.cases.records import FORGED, LIST, OLDER
from reporting.cases.records import Restore as Restore
from reporting.cases.seal_contexts import taken_context
from reporting.clock import DAY
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen
from reporting.storage.database import add_once
from reporting.storage.models import LIST_HEAD, CaseRow, TakenRow, TeamRow
from reporting.teams import list_numbers
from reporting.teams.keyring import Keys
from reporting.teams.list_numbers import NO_LIST, ListNumber
from reporting.teams.team_log import CASEWORK, Pin

PARTS: Final = LIST_HEAD  # of a list, so that a small part of it is written when something changes
GONE_DAYS: Final = 60  # as retention.toml has it; a test compares
RESTORES: Final = 20  # so many that were entered stay to be read
SHORT: Final = 16  # bytes kept of a hash: nobody makes a second one that begins so
_ENTRY = struct.Struct(f">{SHORT}s{SHORT}sIH")  # mark, digest, version, day on which it was missed


class Entry(NamedTuple):
    """What a team remembers of one case."""

    digest: bytes
    version: int  # the newest that the team saw
    missed: int = 0  # day since 1970 on which it was not there any more; 0: it is there


@dataclass(frozen=True, slots=True)
class TakenList:
    """A list as its seals open: whole, or those parts of it that were asked for."""

    number: ListNumber
    key: bytes = field(repr=False)  # of the hashes of case numbers; it stays when the list is sealed to newer keys
    parts: tuple[int, ...]  # the number under which each part was written last, 0: it is empty
    restores: tuple[Restore, ...] = ()
    entries: Mapping[bytes, Entry] = field(default_factory=dict, repr=False)
    digests: sealing.KeyedDigest | None = field(default=None, repr=False)  # the key made ready

    def mark(self, case: int) -> bytes:
        """By what a case is known in the list."""
        digests = self.digests or sealing.KeyedDigest(self.key)
        return digests.of(case.to_bytes(8, "big"))[:SHORT]

    @property
    def called(self) -> str:
        """By what its marks are known to be its own; it gives none away. Empty where it was never begun."""
        return sealing.digest(b"list" + self.key)[:8].hex() if self.key else ""

    def why_not(self, row: Any, key: bytes) -> str:
        """Why a row is not the case that the team knew; nothing where it is, or where the team has yet to take it."""
        mark = self.mark(row.id)
        if mark in self.entries and self.entries[mark].digest != digest_of(key):
            return FORGED
        return self.too_old(mark, row.version, in_vault=row.vault_key is not None)

    def too_old(self, mark: bytes, version: int, *, in_vault: bool) -> str:
        """The same of a case that was held against the list with its key before: by its age."""
        known = self.entries.get(mark)
        if known is None:
            return OLDER if in_vault and self.key else ""  # without a key it was never begun
        if in_vault:
            return OLDER if known.missed or version < known.version else ""
        return "" if version > known.version else OLDER  # a case that was handed back is newer


NOT_BEGUN: Final = TakenList(NO_LIST, b"", ())  # of a team that has not looked since there are lists
Lists = Mapping[int, TakenList | None]  # team -> its list; None where it is not the one that is known


def why_not(there: TakenList | None, row: Any, key: bytes) -> str:
    """Like `TakenList.why_not`, for a list as `lists` gives it."""
    return there.why_not(row, key) if there else LIST


def digest_of(key: bytes) -> bytes:
    """By what the key of a case is known again; it opens nothing."""
    return sealing.digest(b"taken" + key)[:SHORT]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def known(db: Session, keys: Keys, pin: Pin | None = None) -> dict[int, ListNumber]:
    """Team -> how new its list must at least be, by the member's own record and by the pin."""
    seen, pinned = list_numbers.seen(db, keys), list_numbers.pinned(pin) if pin else {}
    return {team: max(seen.get(team, NO_LIST), pinned.get(team, NO_LIST)) for team in keys.epochs}


def lists(db: Session, keys: Keys, pin: Pin | None = None) -> Lists:
    """The list of each team whose keys a member holds; one that was never begun is in it as one that knows nothing."""
    at_least = known(db, keys, pin)  # first, as lists only grow
    return {team: _as_known(db, keys, team, at_least[team]) for team in keys.epochs}


def _as_known(db: Session, keys: Keys, team: int, at_least: ListNumber) -> TakenList | None:
    try:
        there = _read(db, keys, team)
    except CannotOpen:
        return None
    if there is None:
        return NOT_BEGUN if at_least == NO_LIST else None
    return there if there.number >= at_least else None


def must_fit(db: Session, keys: Keys, row: CaseRow, key: bytes) -> None:
    """`CannotOpen` where a case is not the one that its team knew."""
    at_least = list_numbers.seen(db, keys).get(row.team, NO_LIST)
    head = _read(db, keys, row.team, ())
    if head is None and at_least == NO_LIST:
        return
    if head is None or head.number < at_least:
        raise CannotOpen
    there = _read(db, keys, row.team, head.mark(row.id))
    if there is None or there.why_not(row, key):
        raise CannotOpen


def restores(db: Session, keys: Keys, since: int) -> tuple[Restore, ...]:
    """The restores that members entered since an hour (since 1970), the newest first."""
    entered: list[Restore] = []
    for team in keys.epochs:
        with suppress(CannotOpen):
            head = _read(db, keys, team, ())
            entered += head.restores if head else ()
    return tuple(sorted((entry for entry in entered if entry.hour >= since), key=lambda entry: -entry.hour))


def _part_of(mark: bytes) -> int:
    return mark[0] % PARTS


def _read(db: Session, keys: Keys, team: int, which: Collection[int] | bytes | None = None) -> TakenList | None:
    """The list, these parts of it, or what has this mark; None where there is none. `CannotOpen` if it is not whole."""
    parts, only = ({_part_of(which)}, which) if isinstance(which, bytes) else (which, None)
    query = select(TakenRow.part, TakenRow.epoch, TakenRow.number, TakenRow.sealed).where(TakenRow.team == team)
    rows = {
        part: (epoch, number, sealed)
        for part, epoch, number, sealed in db.execute(
            query if parts is None else query.where(TakenRow.part.in_([LIST_HEAD, *parts]))
        )
    }
    if LIST_HEAD not in rows:
        if rows:
            raise CannotOpen
        return None
    epoch, number, sealed = rows[LIST_HEAD]
    vault, entries = keys.of(team, epoch).vault, dict[bytes, Entry]()
    head = from_json(sealing.open_sealed(vault, taken_context(team, LIST_HEAD, number), sealed))
    for part, written in enumerate(head["parts"]):
        if written and (parts is None or part in parts):
            if rows.get(part, ())[:2] != (epoch, written):
                raise CannotOpen
            packed = sealing.open_sealed(vault, taken_context(team, part, written), rows[part][2])
            entries |= _entries_in(packed) if only is None else _entry_in(packed, only)
    restores, key = tuple(Restore(*restore) for restore in head["restores"]), bytes.fromhex(head["key"])
    return TakenList((epoch, number), key, tuple(head["parts"]), restores, entries, sealing.KeyedDigest(key))


def _entries_in(packed: bytes) -> dict[bytes, Entry]:
    return {entry[0]: Entry._make(entry[1:]) for entry in _ENTRY.iter_unpack(packed)}


def _entry_in(packed: bytes, mark: bytes) -> dict[bytes, Entry]:
    """What has this mark alone, if there is any: they lie in the order of their marks, and a part may be long."""
    starts = range(0, len(packed), _ENTRY.size)
    place = _ENTRY.size * bisect_left(starts, mark, key=lambda start: packed[start : start + SHORT])
    return _entries_in(packed[place : place + _ENTRY.size]) if packed[place : place + SHORT] == mark else {}


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────
Change = Mapping[bytes, Entry | None]  # mark -> what is remembered from now on; None: nothing more
Vaults = Mapping[int, Mapping[int, Entry]]  # team -> number of a case -> what is to be remembered of it


def unlisted(db: Session, keys: Keys) -> Vaults:
    """What lies in the vault of each casework team that has no list. It may be long: look before you write."""
    begun = set(db.scalars(select(TakenRow.team).where(TakenRow.team.in_(list(keys.epochs)))))
    mine = select(TeamRow.id).where(TeamRow.id.in_(keys.epochs.keys() - begun), TeamRow.kind == CASEWORK)
    teams = db.scalars(mine).all() if keys.epochs.keys() - begun else ()
    return {team: {case: entry for case, entry, _ in _lying(db, keys, team, vault_only=True)} for team in teams}


def begin(db: Session, keys: Keys, vaults: Vaults, pin: Pin | None = None) -> None:
    """The first list of each casework team that has none: what lay in its vault is what it knows."""
    for team, vault in vaults.items():
        first = TakenList((max(keys.epochs[team]), 0), sealing.new_key(), (0,) * PARTS)
        is_first = known(db, keys, pin)[team] == NO_LIST
        if is_first and add_once(db, TakenRow.__table__, _head_row(keys, team, first)):
            _write(db, keys, team, first, {first.mark(case): entry for case, entry in vault.items()})


def enter(db: Session, keys: Keys, team: int, cases: Mapping[int, Entry]) -> None:
    """Cases that go to the vault in this very transaction, by number."""
    _change(db, keys, team, lambda taken: {taken.mark(case): entry for case, entry in cases.items()}, cases=cases)


def move_on(db: Session, keys: Keys, team: int, case: int, version: int) -> None:
    """A case in the team's vault is newer by what the team just did with it."""

    def newer(taken: TakenList) -> Change:
        mark = taken.mark(case)
        before = taken.entries.get(mark)
        return {mark: before._replace(version=version)} if before and before.version < version else {}

    _change(db, keys, team, newer, cases=[case])


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a look at the queue differs from the list: what that has, and what it is to have, by mark."""

    before: Mapping[bytes, Entry]
    after: Change

    @property
    def forgets(self) -> bool:
        """Whether something is over, so that it has to go from the log of the database too."""
        return None in self.after.values()


def news(keys: Keys, there: Lists, here: Mapping[int, Mapping[bytes, int]], now: float) -> dict[int, Seen]:
    """What the team sees at a look: cases that are newer or gone, those gone for long enough, keys that are newer.

    `here`: team -> mark -> version of what lies there; 0 where it does not open or is not taken yet: nothing is newer.
    """
    seen = dict[int, Seen]()
    for team, taken in there.items():
        if taken is None or taken is NOT_BEGUN:
            continue
        versions, today = here.get(team, {}), int(now) // DAY
        after = {
            mark: entry_now
            for mark, entry in taken.entries.items()
            if (entry_now := _as_seen(entry, versions.get(mark), today)) != entry
        }
        if after or taken.number[0] < max(keys.epochs[team]):
            seen[team] = Seen({mark: taken.entries[mark] for mark in after}, after)
    return seen


def _as_seen(entry: Entry, version: int | None, today: int) -> Entry | None:
    """What is to be remembered of a case at a look; `version` None where it is not there."""
    if version is not None:
        return entry if version <= entry.version else entry._replace(version=version)
    if entry.missed:
        return None if entry.missed + GONE_DAYS <= today else entry
    return entry._replace(missed=today)


def note(db: Session, keys: Keys, team: int, seen: Seen) -> None:
    """Write down what a look showed, but where somebody else has changed it since."""
    _change(
        db,
        keys,
        team,
        lambda taken: {
            mark: entry for mark, entry in seen.after.items() if taken.entries.get(mark) == seen.before[mark]
        },
        marks=seen.after,
    )


def take_back(db: Session, keys: Keys, pin: Pin, team: int, restore: Restore) -> None:
    """A member says that a backup was put back: what lies there is what the team knows from now on.

    A backup brings no other key for a known case: who stands in the place of one stays out.
    """
    epoch, (_, at_least) = max(keys.epochs[team]), known(db, keys, pin)[team]
    fresh = TakenList((epoch, 0), sealing.new_key(), (0,) * PARTS)
    add_once(db, TakenRow.__table__, _head_row(keys, team, fresh))
    _lock(db, team)
    before = fresh
    with suppress(CannotOpen):
        before = _read(db, keys, team) or fresh
    entries = dict(before.entries)
    for case, entry, in_vault in _lying(db, keys, team):
        mark = before.mark(case)
        there = entries.get(mark)
        if there is None or there.digest == entry.digest:
            entries.pop(mark, None)
            entries |= {mark: entry} if in_vault else {}
    db.execute(delete(TakenRow).where(TakenRow.team == team, TakenRow.part != LIST_HEAD))
    number, restores = max(at_least, before.number[1]), (*before.restores, restore)[-RESTORES:]
    _write(db, keys, team, TakenList((epoch, number), before.key, (0,) * PARTS, restores), entries)


def _lying(db: Session, keys: Keys, team: int, *, vault_only: bool = False) -> Iterator[tuple[int, Entry, bool]]:
    """The cases of a team that open: the number, what is remembered of it, and whether it lies in the vault."""
    openers = Openers(keys)
    columns = (CaseRow.id, CaseRow.team, CaseRow.epoch, CaseRow.front_key, CaseRow.vault_key, CaseRow.version)
    mine = select(*columns).where(CaseRow.team == team)
    for row in db.execute(mine.where(CaseRow.vault_key.is_not(None)) if vault_only else mine):
        with suppress(CannotOpen):
            entry = Entry(digest_of(openers.case_key(row)), row.version)
            yield row.id, entry, row.vault_key is not None


def _change(
    db: Session,
    keys: Keys,
    team: int,
    change: Callable[[TakenList], Change],
    *,
    cases: Iterable[int] = (),
    marks: Iterable[bytes] = (),
) -> None:
    """Change what stands in the list about these cases or marks. Nothing happens where no list was begun.

    Whoever changes a list holds its head, after the rows of cases and before the audit, so that nobody waits in a ring.
    """
    if not _lock(db, team):
        return
    head = _read(db, keys, team, ())
    parts = {_part_of(mark) for mark in (*marks, *(head.mark(case) for case in cases))} if head else set()
    taken = _read(db, keys, team, parts)
    if taken is None:
        return
    after = change(taken)
    is_sealed_to_older = taken.number[0] < max(keys.epochs[team])
    if is_sealed_to_older:
        taken = _read(db, keys, team) or taken
    if after or is_sealed_to_older:
        _write(db, keys, team, taken, after)


def _lock(db: Session, team: int) -> bool:
    head = select(TakenRow.part).where(TakenRow.team == team, TakenRow.part == LIST_HEAD)
    return db.execute(head.with_for_update()).first() is not None


def _write(db: Session, keys: Keys, team: int, taken: TakenList, change: Change) -> None:
    """The parts in which something changes, and the head; under newer keys every part. All of those are in `taken`."""
    epoch, number = max(keys.epochs[team]), taken.number[1] + 1
    after = {mark: entry for mark, entry in {**taken.entries, **change}.items() if entry is not None}
    marks = change if epoch == taken.number[0] else {**taken.entries, **change}
    packed: dict[int, list[bytes]] = {_part_of(mark): [] for mark in marks}
    for mark, entry in after.items():
        if _part_of(mark) in packed:
            packed[_part_of(mark)].append(_ENTRY.pack(mark, *entry))
    vault = keys.of(team, epoch).vault
    rows = [
        {"team": team, "part": part, "epoch": epoch, "number": number, "sealed": sealed}
        for part, entries in packed.items()
        if entries
        for sealed in (sealing.seal(vault, taken_context(team, part, number), b"".join(sorted(entries))),)
    ]
    filled = {part: number if entries else 0 for part, entries in packed.items()}
    parts = tuple(filled.get(part, written) for part, written in enumerate(taken.parts))
    head = _head_row(keys, team, replace(taken, number=(epoch, number), parts=parts))
    db.execute(delete(TakenRow).where(TakenRow.team == team, TakenRow.part.in_(list(packed))))
    if rows:
        db.execute(insert(cast("Table", TakenRow.__table__)), rows)
    db.execute(update(TakenRow).where(TakenRow.team == team, TakenRow.part == LIST_HEAD).values(**head))


def _head_row(keys: Keys, team: int, taken: TakenList) -> dict[str, Any]:
    epoch, number = taken.number
    content = {
        "key": taken.key.hex(),
        "parts": taken.parts,
        "restores": [[entry.day, entry.reason, entry.by, entry.hour] for entry in taken.restores],
    }
    sealed = sealing.seal(keys.of(team, epoch).vault, taken_context(team, LIST_HEAD, number), as_json(content))
    return {"team": team, "part": LIST_HEAD, "epoch": epoch, "number": number, "sealed": sealed}


def remember(db: Session, keys: Keys) -> dict[int, ListNumber]:
    """A member remembers how new the lists are that hold; for the pin too, once it is committed."""
    at_least, newest = known(db, keys), dict[int, ListNumber]()
    for team in keys.epochs:
        with suppress(CannotOpen):
            head = _read(db, keys, team, ())
            newest |= {team: head.number} if head and head.number >= at_least[team] else {}
    list_numbers.remember(db, keys, newest)
    return newest
