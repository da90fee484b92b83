"""The only opener of cases: files a report, opens it for its reporter or its team, writes back what changed, erases.

Returns frozen records, never rows. Every paper of a case is listed in a sealed cover with its id, kind and
version; what is missing, extra or older is `CannotOpen`. A change is made in a `Folder` that lies open for a moment
(`at_desk` for a case worker, `on_visit` for the reporter) and is written back whole. What may be changed by whom is
decided above; this room knows nothing of needs, services or the web.
Stretching a receipt takes about 10 ms and is done outside any transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from reporting import audit, derived, sealing
from reporting.folder import (
    SIZES,
    TIMES,
    Folder,
    Paper,
    as_json,
    deletion_monday,
    lasting_name,
    looked_at,
    monday_in,
    open_cover,
    open_folder,
    put_back,
    random63,
    read_card,
    record_place,
    seal_card,
    seal_cover,
    seal_paper,
    seal_tally,
    told_in,
)
from reporting.incidents import Incident, answers_from_incident, incident_from_answers
from reporting.keyring import Keys
from reporting.models import CaseRow, ErasedRow, RecordRow, SheetRow
from reporting.receipts import Receipt, plain
from reporting.screening import print_of
from reporting.sealing import CannotOpen, Place
from reporting.teamlog import Team

HOUR = 3600
SHOW_AGAIN = 15 * 60  # seconds; so long a repeated last request shows the receipt once more
ERASED_DAYS = 60  # as long as any backup that holds it could be opened
QUEUE_COLUMNS = ("id", "team", "epoch", "front_key", "vault_key", "card", "version")
FROM_HER, FROM_TEAM = "reporter", "team"
NEW, OPEN, CLOSED = "new", "open", "closed"  # states of a case
CONTACT_DAYS = 30  # so long after closing, how to reach her is shredded
THREAT, JUNK = "threat_to_team", "junk"  # marks; reversible, nothing is deleted by them


class NoConsent(Exception):
    """She did not say yes to this."""


class ChangedMeanwhile(Exception):
    """Somebody else changed the case since this page was made."""


# ── what travels ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Report:
    """What she sends. `hour` is whole hours since 1970, the finest time that is kept.

    `unseen`: it was sent when it was too old to be shown; whoever comes back with its receipt reads letters only.
    `voice`: the member who wrote down what she told by telephone or at the door; 0 when she wrote herself.
    `signs`: of junk, for the team (`screening`).
    """

    incident: Incident
    narrative: str
    contact: Mapping[str, str]
    consents: frozenset[str]
    language: str
    trip: str
    hour: int
    unseen: bool = False
    voice: int = 0
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: who wrote (FROM_HER or FROM_TEAM), the hour (whole hours since 1970), the text."""

    sender: str
    hour: int
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A text with its hour: a note of a member (`by`), or what the reporter added (`by` 0)."""

    by: int
    hour: int
    text: str


@dataclass(frozen=True, slots=True)
class Correction:
    """The answers as they were set right at that hour, by a member with her reason, or by the reporter (`by` 0)."""

    by: int
    hour: int
    incident: Incident
    reason: str


@dataclass(frozen=True, slots=True)
class Referral:
    """A service proposed for a need: exactly these fields would be told to it. `moves` is what happened, in order.

    `consent` is her yes to this service and these fields ({"hour", "how", "by"}); empty as long as she gave none.
    `protects` is the reason for protecting a child without a yes; empty everywhere else.
    """

    id: int
    service: str
    need: str
    fields: tuple[str, ...]
    state: str
    consent: Mapping[str, Any]
    moves: tuple[Mapping[str, Any], ...]
    protects: str


@dataclass(frozen=True, slots=True)
class Card:
    """What the queue knows of a case: enough to sort and to choose, nothing to read.

    `told` is the hour of the time she gave, `hour` that of the report; both count hours since 1970. `seal` is the hash
    of the sealed bytes it was read from: while that is the same, so is all that follows from it.
    """

    case: int
    team: int
    seal: str
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def incident(self) -> Incident:
        """The answers as they stand now."""
        return incident_from_answers(self.raw["a"])

    @property
    def told(self) -> int:
        """Hour of the time she gave."""
        return int(self.raw["t"])

    @property
    def hour(self) -> int:
        """Hour of the report."""
        return int(self.raw["h"])

    @property
    def acts_told(self) -> int:
        """Hour in which she first told what happened: a time she does not know is at least as old."""
        return int(self.raw.get("v", self.hour))

    @property
    def signs_told(self) -> int:
        """Hour in which she told how she is right now."""
        return int(self.raw.get("p", self.told))

    def incident_at(self, now: float) -> Incident:
        """The answers as they are at the moment of looking."""
        return looked_at(self.incident, self.raw, now)

    @property
    def state(self) -> str:
        """NEW, OPEN or CLOSED."""
        return str(self.raw["s"])

    @property
    def unread(self) -> bool:
        """Something came that nobody of the team has seen."""
        return bool(self.raw["u"])

    @property
    def answered(self) -> bool:
        """The newest letter is the team's."""
        return bool(self.raw["l"])

    @property
    def owner(self) -> int:
        """The member whose case it is; 0 is nobody."""
        return int(self.raw.get("o", 0))

    @property
    def labels(self) -> tuple[str, ...]:
        """The team's own words for finding it again."""
        return tuple(self.raw.get("b", ()))

    @property
    def marks(self) -> tuple[str, ...]:
        """Why it is folded away; empty where it is not."""
        return tuple(self.raw.get("m", ()))

    @property
    def signs(self) -> tuple[str, ...]:
        """Signs of junk that were seen when it was sent."""
        return tuple(self.raw.get("q", ()))

    @property
    def words(self) -> str:
        """By which the same words in another case are known; empty where there are few."""
        return str(self.raw.get("w", ""))

    @property
    def closed(self) -> int:
        """Hour of closing; 0 while it is open."""
        return int(self.raw.get("z", 0))


@dataclass(frozen=True, slots=True)
class Case:
    """An opened case. `first` is what was told at the start, `incident` what stands now; hours count since 1970.

    `desk` holds what the team keeps about its work; her pages show nothing of it.
    """

    id: int
    team: int
    version: int
    first: Incident
    incident: Incident
    times: Mapping[str, Any] = field(repr=False)  # the hours of its card
    told: int
    hour: int
    narrative: str
    contact: Mapping[str, str]
    has_contact: bool
    consents: frozenset[str]
    language: str
    state: str
    letters: tuple[Letter, ...]
    notes: tuple[Told, ...]
    additions: tuple[Told, ...]
    corrections: tuple[Correction, ...]
    referrals: tuple[Referral, ...]
    desk: Mapping[str, Any]
    owner: int
    marks: tuple[str, ...]
    delete_after: date
    unseen: bool
    voice: int

    def incident_at(self, now: float) -> Incident:
        """The incident as it is at the moment of looking."""
        return looked_at(self.incident, self.times, now)

    @property
    def unwell(self) -> bool:
        """Whether it is folded away: a threat, junk, or not a report."""
        return bool(self.marks)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a returning reporter's ticket holds: which case, and its key."""

    case: int
    key: bytes = field(repr=False)


def alias(case: int) -> str:
    """A short name for staff to say aloud; it is not her receipt and leads to nothing by itself."""
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    number = int.from_bytes(sealing.digest(case.to_bytes(8, "big"))[:8], "big")
    return "".join(letters[number // 24**place % 24] for place in range(2)) + f"-{number // 576 % 1000:03d}"


# ── filing ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SealedReport:
    """A report ready for the shelf: nothing in it can be read any more."""

    case: dict[str, Any] = field(repr=False)
    records: tuple[tuple[int, bytes], ...] = field(repr=False)
    trip: str
    receipt_wrap: bytes = field(repr=False)


def seal_report(report: Report, receipt: Receipt, readers: Team, counters: Team, tally: bytes, pepper: bytes,
                now: float) -> SealedReport:  # fmt: skip
    """Seal everything before the transaction begins. `tally` is the 16-byte block for the statistics team."""
    return seal_stretched(report, sealing.stretch_receipt(receipt.numbers, pepper), readers, counters, tally, now)


def seal_stretched(report: Report, stretched: tuple[bytes, bytes], readers: Team, counters: Team, tally: bytes,
                   now: float) -> SealedReport:  # fmt: skip
    """The same where the receipt was stretched before: tag and wrap key."""
    (tag, receipt_wrap), key, case = stretched, sealing.new_key(), random63()
    cover, records = [], []
    for kind, told in _papers_of(report).items():
        record = random63()
        cover.append([record, kind, 1])
        records.append((record, seal_paper(key, case, record, kind, 1, told)))
    trip_record, trip_seal = _seal_trip(key, case, report.trip, receipt_wrap, now)
    cover.append([trip_record, "trip", 1])
    records.append((trip_record, trip_seal))
    epoch = readers.newest
    row = {
        "id": case,
        "tag": tag,
        "team": readers.id,
        "epoch": epoch.number,
        "front_key": sealing.seal_to(epoch.sealing, _front_place(case, readers.id, epoch.number), key, smallest=64),
        "vault_key": None,
        "receipt_key": sealing.wrap(receipt_wrap, _receipt_place(case), key),
        "card": seal_card(key, case, 1, _new_card(report)),
        "cover": seal_cover(key, case, 1, cover),
        "tally": seal_tally(tally, case, counters),
        "version": 1,
        "delete_after": deletion_monday(now),
    }
    return SealedReport(row, tuple(sorted(records)), report.trip, receipt_wrap)


def _papers_of(report: Report) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {
        "facts": {
            "answers": answers_from_incident(report.incident),
            "language": report.language,
            "hour": report.hour,
            "unseen": report.unseen,
            "voice": report.voice,
        },
        "narrative": {"text": report.narrative},
        "consents": {"codes": sorted(report.consents)},
        "desk": {},
    }
    return told | ({"contact": dict(report.contact)} if report.contact else {})


def _new_card(report: Report) -> dict[str, Any]:
    answers = answers_from_incident(report.incident)
    card = {"a": answers, "t": report.hour, "h": report.hour, "s": NEW, "u": True, "l": False}
    screened = {"q": list(report.signs), "w": "" if report.voice else print_of(report.narrative)}
    return card | {name: told for name, told in screened.items() if told}


def _seal_trip(key: bytes, case: int, trip: str, receipt_wrap: bytes, now: float) -> tuple[int, bytes]:
    """Which trip sent this case and when, so that a repeated request is known again.

    Sealed twice: the case key shows that it is whole, as with every record; only the receipt reads it.
    """
    record = random63()
    place = record_place(case, record, "trip", 1)
    inner = sealing.wrap(sealing.derive(receipt_wrap, "trip"), place, as_json({"trip": trip, "sent": int(now)}))
    return record, sealing.seal(key, place, inner, SIZES["trip"])


def file_report(db: Session, sealed: SealedReport) -> None:
    """Put the case on the shelf. Its receipt may be shown once the transaction is committed."""
    db.execute(_NEW_CASE, sealed.case)
    case = sealed.case["id"]
    db.execute(_NEW_RECORDS, [{"id": record, "case_id": case, "body": body} for record, body in sealed.records])


_NEW_CASE, _NEW_RECORDS = (insert(cast("Table", row.__table__)) for row in (CaseRow, RecordRow))


def may_show_again(db: Session, sealed: SealedReport, now: float) -> bool:
    """Whether it is this very receipt that was filed, and only a moment ago."""
    row = db.scalars(select(CaseRow).where(CaseRow.tag == sealed.case["tag"])).first()
    if row is None:
        return False
    trip = _open_trip(db, row, sealed.receipt_wrap)
    return bool(trip["trip"] == sealed.trip and now <= trip["sent"] + SHOW_AGAIN)


# ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────


def stretch(readings: Sequence[Receipt], pepper: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Tag and wrap key of each reading. At least one is stretched, so that a wrong receipt takes as long."""
    return tuple(sealing.stretch_receipt(reading.numbers, pepper) for reading in readings or [Receipt((0,) * 7)])


def come_back(db: Session, stretched: Iterable[tuple[bytes, bytes]]) -> tuple[Visit, str]:
    """The case behind a receipt, and the trip that sent it. Unknown, erased, expired: one `CannotOpen`."""
    for tag, receipt_wrap in stretched:
        row = db.scalars(select(CaseRow).where(CaseRow.tag == tag)).first()
        if row is not None:
            key = sealing.unwrap(receipt_wrap, _receipt_place(row.id), row.receipt_key)
            return Visit(row.id, key), str(_open_trip(db, row, receipt_wrap)["trip"])
    raise CannotOpen


def _open_trip(db: Session, row: CaseRow, receipt_wrap: bytes) -> dict[str, Any]:
    key = sealing.unwrap(receipt_wrap, _receipt_place(row.id), row.receipt_key)
    for record, kind, version in open_cover(key, row):
        if kind == "trip":
            body = db.get(RecordRow, record)
            if body is not None:
                place = record_place(row.id, record, kind, version)
                inner = sealing.open_sealed(key, place, body.body)
                return told_in(sealing.unwrap(sealing.derive(receipt_wrap, "trip"), place, inner))
    raise CannotOpen


def open_visit(db: Session, visit: Visit) -> Case:
    """Her own case, with the key from her ticket."""
    row = _row(db, visit.case)
    return _case_of(row, open_folder(db, row, visit.key))


@contextmanager
def on_visit(db: Session, visit: Visit, now: float, counters: Team | None = None) -> Iterator[Folder]:
    """Her case lies open for her; what she changes is written back, and the team finds it unread."""
    row = _row(db, visit.case, lock=True)
    folder = open_folder(db, row, visit.key)
    yield folder
    if folder.is_changed:
        folder.card |= {"u": True}
        put_back(db, row, folder, now, counters)


def write_as_reporter(db: Session, visit: Visit, text: str, now: float) -> None:
    """She writes a letter; the case is unread again."""
    with on_visit(db, visit, now) as folder:
        folder.add("letter", {"from": FROM_HER, "hour": int(now) // HOUR, "text": text})


def give_to_team(db: Session, visit: Visit, readers: Team, now: float) -> None:
    """Her yes to another team: the case key is sealed to it, and the team before loses its own."""
    row = _row(db, visit.case, lock=True)
    folder = open_folder(db, row, visit.key)
    _hand_over(db, row, folder, readers, now)


def erase(db: Session, visit: Visit, pepper: bytes, now: float) -> None:
    """Her yes to 'erase everything': the wrapped keys and every row of the case go. Checkpoint afterwards."""
    row = _row(db, visit.case, lock=True)
    open_cover(visit.key, row)  # only who can open may erase
    derived.let_go(db, CaseRow.id == row.id)
    db.merge(ErasedRow(mark=erased_mark(pepper, visit.case), forget_after=monday_in(ERASED_DAYS, now)))


def erased_mark(pepper: bytes, case: int) -> bytes:
    """Under what an erased case is remembered for 60 days: without the pepper it fits no old copy."""
    return sealing.derive(pepper, "erased", case.to_bytes(8, "big"))


# ── the team ────────────────────────────────────────────────────────────────────────────────────────────────


Known = Mapping[int, tuple[str, Mapping[str, Any]]]  # case -> seal and content of a card that was opened before


def queue(db: Session, keys: Keys, known: Known | None = None) -> tuple[tuple[Card, ...], int]:
    """The card of every case that her keys should open, and how many of them were tampered with.

    Only cards are opened here, never a case; and none of them twice, where `known` has it with the very same seal.
    """
    before, openers, cards, broken = known or {}, _Openers(keys), [], 0
    asked = select(*(getattr(CaseRow, column) for column in QUEUE_COLUMNS)).where(CaseRow.team.in_(list(keys.epochs)))
    for row in db.execute(asked.execution_options(yield_per=500)):
        if row.epoch in keys.epochs[row.team]:
            seal = _seal_of(row)
            seen, raw = before.get(row.id, ("", None))
            try:
                cards.append(Card(row.id, row.team, seal, raw if raw and seen == seal else _opened_card(openers, row)))
            except CannotOpen:
                broken += 1
    return tuple(cards), broken


def _seal_of(row: Any) -> str:
    """A hash over everything that a card is read from and with."""
    parts = (row.team, row.epoch, row.version)
    return sealing.digest(repr(parts).encode() + (row.vault_key or b"") + (row.front_key or b"") + row.card)[:16].hex()


def _opened_card(openers: _Openers, row: Any) -> dict[str, Any]:
    return read_card(openers.case_key(row), row.id, row.version, row.card)


def cases_of(db: Session, keys: Keys) -> tuple[int, ...]:
    """The numbers of the cases of her teams, unopened."""
    return tuple(db.scalars(select(CaseRow.id).where(CaseRow.team.in_(list(keys.epochs)))))


def read_sheets(db: Session, keys: Keys, team: int) -> dict[int, bytes]:
    """What was last worked out about a team's queue, by part; a part that does not open is left out."""
    opened = {}
    for part, epoch, sealed in db.execute(_SHEETS.where(SheetRow.team == team)):
        try:
            opened[part] = sealing.open_sealed(keys.of(team, epoch).vault, _sheet_place(team, part, epoch), sealed)
        except CannotOpen:
            continue  # it is worked out anew
    return opened


_SHEETS = select(SheetRow.part, SheetRow.epoch, SheetRow.sealed)
Work = Callable[[frozenset[int]], Mapping[int, bytes]]  # the cases a team has -> what is to be kept, by part


def write_sheets(db: Session, keys: Keys, team: int, work: Work) -> None:
    """Keep what was worked out about a team's queue, sealed under its newest vault key that she holds.

    `work` is told which cases the team has at this moment, so that nothing is kept of one that went meanwhile; an
    empty part goes. Its transaction should do nothing else.
    """
    derived.hold_still(db)
    told, epoch = work(frozenset(db.scalars(select(CaseRow.id).where(CaseRow.team == team)))), max(keys.epochs[team])
    db.execute(delete(SheetRow).where(SheetRow.team == team, SheetRow.part.in_(list(told))))
    vault = keys.of(team, epoch).vault
    for part, raw in told.items():
        if raw:
            sealed = sealing.seal(vault, _sheet_place(team, part, epoch), raw)
            db.add(SheetRow(team=team, part=part, epoch=epoch, sealed=sealed))
    db.flush()


def move_to_vault(db: Session, keys: Keys, at_most: int = 1000) -> int:
    """Re-wrap newly arrived case keys under the vault key, so that the next queue is quick. Returns how many."""
    columns = (getattr(CaseRow, column) for column in QUEUE_COLUMNS if column not in {"card", "version"})
    mine = select(*columns).where(CaseRow.vault_key.is_(None), CaseRow.team.in_(list(keys.epochs)))
    waiting = db.execute(mine.limit(at_most)).all()
    moved, openers = 0, _Openers(keys)
    for row in waiting:
        if row.epoch not in keys.epochs[row.team]:
            continue
        try:
            key = openers.case_key(row)
        except CannotOpen:
            continue  # the queue counts it; the others need not wait for it
        vault = keys.of(row.team, row.epoch).vault
        wrapped = sealing.wrap(vault, _vault_place(row.id, row.team, row.epoch), key)
        still = update(CaseRow).where(CaseRow.id == row.id, CaseRow.vault_key.is_(None))
        db.execute(still.values(vault_key=wrapped, front_key=None), execution_options={"synchronize_session": False})
        moved += 1
    return moved


def open_case(db: Session, keys: Keys, case: int, now: float, act: str = "opened") -> Case:
    """A case worker opens a case: it goes into the audit and is no longer unread. How to reach her stays folded."""
    with at_desk(db, keys, case, now, act, looking=True) as folder:
        if folder.card["u"] or folder.card["s"] == NEW:
            folder.card |= {"u": False, "s": OPEN if folder.card["s"] == NEW else folder.card["s"]}
            folder.desk |= {"read": int(now) // HOUR}
        _name_links(db, keys, folder)
    row = _row(db, case)
    return _case_of(row, open_folder(db, row, folder.key), with_contact=False)


def open_contact(db: Session, keys: Keys, case: int, now: float) -> Mapping[str, str]:
    """How to reach her: behind one click that goes into the audit. `NoConsent` where she gave no way."""
    with at_desk(db, keys, case, now, "contact", looking=True) as folder:
        told = folder.all_of("contact")
    if not told or "C_CONTACT" not in folder.consents:
        raise NoConsent
    return {name: str(value) for name, value in told[0].told.items()}


def open_sheet(db: Session, keys: Keys, case: int, now: float) -> Case:
    """A case for the page that goes to a service, with the way to reach her, which she may have agreed to tell."""
    with at_desk(db, keys, case, now, "sheet", looking=True) as folder:
        row = _row(db, case)
        return _case_of(row, folder, with_contact="C_CONTACT" in folder.consents)


@contextmanager
def at_desk(db: Session, keys: Keys, case: int, now: float, act: str, *, seen: int | None = None,
            counters: Team | None = None, looking: bool = False) -> Iterator[Folder]:  # fmt: skip
    """A case lies open for a case worker; what she changes is written back, and the act goes into the audit.

    `seen`: the version her page was made from; `ChangedMeanwhile` if it is another one by now. `looking` is no change
    in the sense of the clock: the week of deletion stays.
    """
    row = _row(db, case, lock=True)
    if seen is not None and seen != row.version:
        raise ChangedMeanwhile
    folder = open_folder(db, row, _key_for(keys, row))
    yield folder
    if folder.is_changed:
        put_back(db, row, folder, None if looking else now, counters)
    _note(db, keys, row, act, now, lasting_name(folder.key))


def hand_over(db: Session, keys: Keys, case: int, readers: Team, now: float) -> None:
    """The same as `give_to_team` where she said her yes by voice: a member of the team that has the case does it."""
    row = _row(db, case, lock=True)
    folder = open_folder(db, row, _key_for(keys, row))
    _note(db, keys, row, "handed over", now, lasting_name(folder.key))
    _hand_over(db, row, folder, readers, now)


def _hand_over(db: Session, row: CaseRow, folder: Folder, readers: Team, now: float) -> None:
    epoch = readers.newest
    row.team, row.epoch, row.vault_key = readers.id, epoch.number, None
    place = _front_place(row.id, readers.id, epoch.number)
    row.front_key = sealing.seal_to(epoch.sealing, place, folder.key, smallest=64)
    folder.card |= {"u": True, "o": 0}
    put_back(db, row, folder, now, None)
    derived.forget(db, [row.id])


def write_as_team(db: Session, keys: Keys, case: int, text: str, now: float) -> None:
    """A case worker writes a letter, which waits behind the reporter's receipt."""
    with at_desk(db, keys, case, now, "letter") as folder:
        if "C_LETTERS" not in folder.consents:
            raise NoConsent
        folder.add("letter", {"from": FROM_TEAM, "hour": int(now) // HOUR, "text": text})
        folder.card |= {"l": True}


def tidy(db: Session, keys: Keys, cards: Iterable[Card], now: float) -> int:
    """How to reach her goes thirty days after her case was closed. Only who opens cards knows which those are."""
    due = [card.case for card in cards if card.state == CLOSED and now / HOUR > card.closed + 24 * CONTACT_DAYS]
    shredded = 0
    for case in due:
        try:
            row = _row(db, case, lock=True)
            folder = open_folder(db, row, _key_for(keys, row))
        except CannotOpen:
            continue  # it went since the cards were read, or the queue counts it as broken
        if folder.all_of("contact"):
            folder.shred("contact")
            put_back(db, row, folder, None, None)
            shredded += 1
    return shredded


def search(db: Session, keys: Keys, cards: Sequence[Card], words: Sequence[str], now: float) -> frozenset[int]:
    """The cases in which every word stands: her words, additions, letters, notes. One act of the audit a team.

    `words` are plain (`receipts.plain`): small letters without accents.
    """
    found, noted = set(), set()
    for card in cards:
        try:
            row = _row(db, card.case)
            folder = open_folder(db, row, _key_for(keys, row))
        except CannotOpen:
            continue
        text = plain(" ".join(folder.texts()))
        if all(word in text for word in words):
            found.add(card.case)
        if row.team not in noted:
            noted.add(row.team)
            _note(db, keys, row, "searched", now)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the audit as a member of the team reads it. `case` 0: none, or one that is not with her any more."""

    number: int
    actor: int
    case: int
    act: str
    hour: int


def acts(db: Session, keys: Keys, newest: int = 200) -> tuple[Act, ...]:
    """The newest acts on cases that her keys open."""
    opened: list[tuple[int, dict[str, Any]]] = []
    for entry in audit.entries(db, newest_first=newest):
        if entry.team in keys.epochs and entry.epoch in keys.epochs[entry.team]:
            place = _audit_place(entry.team, entry.epoch, entry.number)
            try:
                told = told_in(sealing.open_sealed(keys.of(entry.team, entry.epoch).vault, place, entry.body))
            except CannotOpen:
                continue  # the chain says where it breaks
            opened.append((entry.number, told))
    cases = called(db, keys, (told["case"] for _, told in opened))
    return tuple(Act(number, told["actor"], cases.get(told["case"], 0), told["act"], told["hour"])
                 for number, told in opened)  # fmt: skip


def called(db: Session, keys: Keys, names: Iterable[str | int]) -> dict[str | int, int]:
    """Which of her cases these lasting names mean. Versions before wrote numbers: they mean what is still there."""
    asked, found, openers = set(names) - {"", 0}, dict[str | int, int](), _Openers(keys)
    if not asked:
        return found
    columns = (getattr(CaseRow, column) for column in QUEUE_COLUMNS if column not in {"card", "version"})
    for row in db.execute(select(*columns).where(CaseRow.team.in_(list(keys.epochs)))):
        with suppress(CannotOpen):
            found |= dict.fromkeys(asked & {row.id, lasting_name(openers.case_key(row))}, row.id)
    return found


def name_of(db: Session, keys: Keys, case: int) -> str:
    """The lasting name of a case that her keys open."""
    return lasting_name(_key_for(keys, _row(db, case)))


def _name_links(db: Session, keys: Keys, folder: Folder) -> None:
    """Links of versions before were numbers, which outlive the case they name: those that lead somewhere get names."""
    links, history = folder.desk.get("links", []), folder.desk.get("history", [])
    if any(isinstance(one, int) for one in links) or any("case" in one for one in history):
        there = called(db, keys, links)
        named = [one if isinstance(one, str) else name_of(db, keys, one) for one in links
                 if isinstance(one, str) or one in there]  # fmt: skip
        told = [{name: value for name, value in one.items() if name != "case"} for one in history]
        folder.desk |= {"links": named, "history": told}


# ── inside a case ───────────────────────────────────────────────────────────────────────────────────────────


def _row(db: Session, case: int, *, lock: bool = False) -> CaseRow:
    query = select(CaseRow).where(CaseRow.id == case)
    row = db.scalars(query.with_for_update() if lock else query).first()
    if row is None:
        raise CannotOpen
    return row


def _key_for(keys: Keys, row: CaseRow) -> bytes:
    return _Openers(keys).case_key(row)


class _Openers:
    """A member's keys made ready, each once, for opening the keys of many cases."""

    def __init__(self, keys: Keys) -> None:
        self._keys, self._ready = keys, dict[tuple[int, int], sealing.Opener]()

    def case_key(self, row: Any) -> bytes:
        """The key of a case out of the vault, or from the front door where nobody has seen it yet."""
        if row.vault_key is not None:
            vault = self._keys.of(row.team, row.epoch).vault
            return sealing.unwrap(vault, _vault_place(row.id, row.team, row.epoch), row.vault_key)
        if (row.team, row.epoch) not in self._ready:
            self._ready[row.team, row.epoch] = sealing.Opener(self._keys.of(row.team, row.epoch).sealing)
        place = _front_place(row.id, row.team, row.epoch)
        return self._ready[row.team, row.epoch].open(place, row.front_key or b"")


def _case_of(row: CaseRow, folder: Folder, *, with_contact: bool = True) -> Case:
    facts, contact = folder.facts, folder.all_of("contact")
    return Case(
        id=row.id,
        team=row.team,
        version=row.version,
        first=incident_from_answers(facts["answers"]),
        incident=folder.incident,
        times={name: folder.card[name] for name in TIMES & folder.card.keys()},
        told=folder.card["t"],
        hour=facts["hour"],
        narrative=folder.all_of("narrative")[0].told["text"],
        contact=contact[0].told if contact and with_contact else {},
        has_contact=bool(contact),
        consents=folder.consents,
        language=facts["language"],
        state=folder.card["s"],
        letters=tuple(Letter(p.told["from"], p.told["hour"], p.told["text"]) for p in folder.all_of("letter")),
        notes=tuple(Told(p.told["by"], p.told["hour"], p.told["text"]) for p in folder.all_of("note")),
        additions=tuple(Told(p.told["by"], p.told["hour"], p.told["text"]) for p in folder.all_of("addition")),
        corrections=tuple(_correction(paper.told) for paper in folder.all_of("correction")),
        referrals=tuple(referral_of(paper) for paper in folder.all_of("referral")),
        desk=folder.desk,
        owner=folder.card.get("o", 0),
        marks=tuple(folder.card.get("m", ())),
        delete_after=row.delete_after,
        unseen=facts["unseen"],
        voice=facts["voice"],
    )


def _correction(told: Mapping[str, Any]) -> Correction:
    return Correction(told["by"], told["hour"], incident_from_answers(told["answers"]), told["reason"])


def referral_of(paper: Paper) -> Referral:
    """A referral as its paper holds it."""
    told = paper.told
    return Referral(paper.record, told["service"], told["need"], tuple(told["fields"]), told["state"],
                    told.get("consent", {}), tuple(told["moves"]), told.get("protects", ""))  # fmt: skip


def _note(db: Session, keys: Keys, row: CaseRow, act: str, now: float, case: str = "") -> None:
    """An act on a case, or on all: sealed under the team's vault key and bound to its number in the chain."""
    number = audit.head(db)[0] + 1
    told = as_json({"actor": keys.member, "case": case, "act": act, "hour": int(now) // HOUR})
    place = _audit_place(row.team, row.epoch, number)
    audit.append(db, sealing.seal(keys.of(row.team, row.epoch).vault, place, told), row.team, row.epoch)


# ── places ──────────────────────────────────────────────────────────────────────────────────────────────────


def _front_place(case: int, team: int, epoch: int) -> Place:
    return Place("case_file", case, team, "front key", epoch)


def _vault_place(case: int, team: int, epoch: int) -> Place:
    return Place("case_file", case, team, "vault key", epoch)


def _receipt_place(case: int) -> Place:
    return Place("case_file", case, 0, "receipt key", 1)


def _sheet_place(team: int, part: int, epoch: int) -> Place:
    return Place("queue_sheet", team, part, "sheet", epoch)


def _audit_place(team: int, epoch: int, number: int) -> Place:
    return Place("audit", team, number, "act", epoch)
