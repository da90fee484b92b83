"""The only opener of cases: files a report, opens it for its reporter or its team, adds letters, erases.

Returns frozen records, never rows. Every record of a case is listed in a sealed cover with its id, kind and
version; what is missing, extra or older is `CannotOpen`. Knows nothing of needs, services or the web.
Stretching a receipt takes about 10 ms and is done outside any transaction.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from reporting import audit, sealing
from reporting.incidents import Incident, answers_from_incident, incident_from_answers
from reporting.keyring import Keys
from reporting.models import CaseRow, ErasedRow, RecordRow
from reporting.receipts import Receipt
from reporting.sealing import CannotOpen, Place
from reporting.teamlog import Team

HOUR = 3600
SHOW_AGAIN = 15 * 60  # seconds; so long a repeated last request shows the receipt once more
ERASED_DAYS = 60  # as long as any backup that holds it could be opened
KEPT_DAYS = 730  # 24 months after the last change, one clock for open and closed cases

# kind of record -> smallest padded size in bytes, so that a short and a long answer weigh the same
SIZES = {"facts": 2048, "narrative": 1024, "contact": 512, "letter": 512, "trip": 512}
QUEUE_COLUMNS = ("id", "team", "epoch", "front_key", "vault_key", "card", "version")
CARD_SIZE, COVER_SIZE = 1024, 512
FROM_HER, FROM_TEAM = "reporter", "team"
NEW, OPEN = "new", "open"  # states of a case


class NoConsent(Exception):
    """She did not say yes to this."""


# ── what travels ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Report:
    """What she sends. `hour` is whole hours since 1970, the finest time that is kept.

    `unseen`: it was sent when it was too old to be shown; whoever comes back with its receipt reads letters only.
    """

    incident: Incident
    narrative: str
    contact: Mapping[str, str]
    consents: frozenset[str]
    language: str
    trip: str
    hour: int
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: who wrote (FROM_HER or FROM_TEAM), the hour (whole hours since 1970), the text."""

    sender: str
    hour: int
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """What the queue knows of a case: enough to sort and to choose, nothing to read."""

    case: int
    team: int
    incident: Incident
    hour: int
    state: str
    unread: bool
    answered: bool


@dataclass(frozen=True, slots=True)
class Case:
    """An opened case. `incident` is as she told it; `hour` is when it came (hours since 1970)."""

    id: int
    team: int
    version: int
    incident: Incident
    narrative: str
    contact: Mapping[str, str]
    consents: frozenset[str]
    language: str
    hour: int
    state: str
    letters: tuple[Letter, ...]
    delete_after: date
    unseen: bool

    def incident_at(self, now: float) -> Incident:
        """The incident with its hours moved on to the moment of looking."""
        return self.incident.later(max(0.0, now / HOUR - self.hour))


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
    tag, receipt_wrap = sealing.stretch_receipt(receipt.numbers, pepper)
    key, case = sealing.new_key(), _random63()
    texts = _records_of(report)
    cover, records = [], []
    for kind, told in texts.items():
        record = _random63()
        cover.append([record, kind, 1])
        records.append((record, sealing.seal(key, _record_place(case, record, kind, 1), told, SIZES[kind])))
    trip_record, trip_seal = _seal_trip(key, case, report.trip, receipt_wrap, now)
    cover.append([trip_record, "trip", 1])
    records.append((trip_record, trip_seal))
    epoch, counting = readers.newest, counters.newest
    row = {
        "id": case,
        "tag": tag,
        "team": readers.id,
        "epoch": epoch.number,
        "front_key": sealing.seal_to(epoch.sealing, _front_place(case, readers.id, epoch.number), key, smallest=64),
        "vault_key": None,
        "receipt_key": sealing.wrap(receipt_wrap, _receipt_place(case), key),
        "card": _seal_card(key, case, 1, _new_card(report)),
        "cover": _seal_cover(key, case, 1, cover),
        "tally": sealing.seal_to(counting.sealing, _tally_place(counters.id, counting.number), tally, smallest=64),
        "version": 1,
        "delete_after": _deletion_monday(now),
    }
    return SealedReport(row, tuple(sorted(records)), report.trip, receipt_wrap)


def _records_of(report: Report) -> dict[str, bytes]:
    facts = {
        "answers": answers_from_incident(report.incident),
        "consents": sorted(report.consents),
        "language": report.language,
        "hour": report.hour,
        "unseen": report.unseen,
    }
    told = {"facts": _json(facts), "narrative": report.narrative.encode("utf-8", "replace")}
    return told | ({"contact": _json(dict(report.contact))} if report.contact else {})


def _new_card(report: Report) -> dict[str, Any]:
    return {"a": answers_from_incident(report.incident), "h": report.hour, "s": NEW, "u": True, "l": False}


def _seal_trip(key: bytes, case: int, trip: str, receipt_wrap: bytes, now: float) -> tuple[int, bytes]:
    """Which trip sent this case and when, so that a repeated request is known again.

    Sealed twice: the case key shows that it is whole, as with every record; only the receipt reads it.
    """
    record = _random63()
    place = _record_place(case, record, "trip", 1)
    inner = sealing.wrap(sealing.derive(receipt_wrap, "trip"), place, _json({"trip": trip, "sent": int(now)}))
    return record, sealing.seal(key, place, inner, SIZES["trip"])


def file_report(db: Session, sealed: SealedReport) -> None:
    """Put the case on the shelf. Its receipt may be shown once the transaction is committed."""
    db.add(CaseRow(**sealed.case))
    db.flush()
    db.add_all(RecordRow(id=record, case_id=sealed.case["id"], body=body) for record, body in sealed.records)
    db.flush()


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
    for record, kind, version in _open_cover(key, row):
        if kind == "trip":
            body = db.get(RecordRow, record)
            if body is not None:
                place = _record_place(row.id, record, kind, version)
                inner = sealing.open_sealed(key, place, body.body)
                return _told(sealing.unwrap(sealing.derive(receipt_wrap, "trip"), place, inner))
    raise CannotOpen


def open_visit(db: Session, visit: Visit) -> Case:
    """Her own case, with the key from her ticket."""
    return _open_case(db, _row(db, visit.case), visit.key)


def write_as_reporter(db: Session, visit: Visit, text: str, now: float) -> None:
    """She writes a letter; the case is unread again."""
    _add_letter(db, _row(db, visit.case, lock=True), visit.key, FROM_HER, text, now)


def erase(db: Session, visit: Visit, pepper: bytes, now: float) -> None:
    """Her yes to 'erase everything': the wrapped keys and every row of the case go. Checkpoint afterwards."""
    row = _row(db, visit.case, lock=True)
    _open_cover(visit.key, row)  # only who can open may erase
    db.execute(delete(RecordRow).where(RecordRow.case_id == row.id))
    db.execute(delete(CaseRow).where(CaseRow.id == row.id))
    db.merge(ErasedRow(mark=erased_mark(pepper, visit.case), forget_after=_monday_in(ERASED_DAYS, now)))


def erased_mark(pepper: bytes, case: int) -> bytes:
    """Under what an erased case is remembered for 60 days: without the pepper it fits no old copy."""
    return sealing.derive(pepper, "erased", case.to_bytes(8, "big"))


# ── the team ────────────────────────────────────────────────────────────────────────────────────────────────


def queue(db: Session, keys: Keys) -> tuple[tuple[Card, ...], int]:
    """The card of every case that her keys should open, and how many of them were tampered with.

    Only cards are opened here, never a case.
    """
    rows = db.execute(
        select(*(getattr(CaseRow, column) for column in QUEUE_COLUMNS)).where(CaseRow.team.in_(list(keys.epochs)))
    )
    cards, broken = [], 0
    for row in rows:
        if row.epoch in keys.epochs[row.team]:
            try:
                key = _case_key(keys, row.id, row.team, row.epoch, row.front_key, row.vault_key)
                cards.append(_open_card(key, row.id, row.team, row.version, row.card))
            except CannotOpen:
                broken += 1
    return tuple(cards), broken


def move_to_vault(db: Session, keys: Keys, at_most: int = 200) -> int:
    """Re-wrap newly arrived case keys under the vault key, so that the next queue is quick. Returns how many."""
    waiting = db.scalars(
        select(CaseRow).where(CaseRow.vault_key.is_(None), CaseRow.team.in_(list(keys.epochs))).limit(at_most)
    ).all()
    moved = 0
    for row in waiting:
        if row.epoch not in keys.epochs[row.team]:
            continue
        try:
            key = _case_key(keys, row.id, row.team, row.epoch, row.front_key, None)
        except CannotOpen:
            continue  # the queue counts it; the others need not wait for it
        vault = keys.of(row.team, row.epoch).vault
        wrapped = sealing.wrap(vault, _vault_place(row.id, row.team, row.epoch), key)
        still = update(CaseRow).where(CaseRow.id == row.id, CaseRow.vault_key.is_(None))
        db.execute(still.values(vault_key=wrapped, front_key=None))
        moved += 1
    return moved


def open_case(db: Session, keys: Keys, case: int, now: float) -> Case:
    """A case worker opens a case: it goes into the audit and is no longer unread."""
    row = _row(db, case, lock=True)
    key = _key_for(keys, row)
    opened = _open_case(db, row, key)
    card = _read_card(key, row.id, row.version, row.card)
    if card["u"] or card["s"] == NEW:
        _write(db, row, key, card | {"u": False, "s": OPEN if card["s"] == NEW else card["s"]}, now=None)
    _note(db, keys, row, "opened", now)
    return opened


def write_as_team(db: Session, keys: Keys, case: int, text: str, now: float) -> None:
    """A case worker writes a letter, which waits behind the reporter's receipt."""
    row = _row(db, case, lock=True)
    key = _key_for(keys, row)
    if "C_LETTERS" not in _open_case(db, row, key).consents:
        raise NoConsent
    _add_letter(db, row, key, FROM_TEAM, text, now)
    _note(db, keys, row, "letter", now)


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the audit as a member of the team reads it."""

    number: int
    actor: int
    case: int
    act: str
    hour: int


def acts(db: Session, keys: Keys, newest: int = 200) -> tuple[Act, ...]:
    """The newest acts on cases that her keys open."""
    opened = []
    for entry in audit.entries(db, newest_first=newest):
        if entry.team in keys.epochs and entry.epoch in keys.epochs[entry.team]:
            place = _audit_place(entry.team, entry.epoch, entry.number)
            try:
                told = _told(sealing.open_sealed(keys.of(entry.team, entry.epoch).vault, place, entry.body))
            except CannotOpen:
                continue  # the chain says where it breaks
            opened.append(Act(entry.number, told["actor"], told["case"], told["act"], told["hour"]))
    return tuple(opened)


# ── inside a case ───────────────────────────────────────────────────────────────────────────────────────────


def _row(db: Session, case: int, *, lock: bool = False) -> CaseRow:
    query = select(CaseRow).where(CaseRow.id == case)
    row = db.scalars(query.with_for_update() if lock else query).first()
    if row is None:
        raise CannotOpen
    return row


def _key_for(keys: Keys, row: CaseRow) -> bytes:
    return _case_key(keys, row.id, row.team, row.epoch, row.front_key, row.vault_key)


def _case_key(keys: Keys, case: int, team: int, epoch: int, front: bytes | None, vault: bytes | None) -> bytes:
    held = keys.of(team, epoch)
    if vault is not None:
        return sealing.unwrap(held.vault, _vault_place(case, team, epoch), vault)
    return sealing.open_with(held.sealing, _front_place(case, team, epoch), front or b"")


def _open_case(db: Session, row: CaseRow, key: bytes) -> Case:
    listed = {record: (kind, version) for record, kind, version in _open_cover(key, row)}
    bodies = {record.id: record.body for record in db.scalars(select(RecordRow).where(RecordRow.case_id == row.id))}
    if set(listed) != set(bodies):
        raise CannotOpen
    opened: dict[str, list[bytes]] = {kind: [] for kind in SIZES}
    for record, (kind, version) in listed.items():  # the cover keeps the order of writing
        opened[kind].append(sealing.open_sealed(key, _record_place(row.id, record, kind, version), bodies[record]))
    facts = _told(opened["facts"][0])
    letters = tuple(_letter(_told(raw)) for raw in opened["letter"])
    card = _read_card(key, row.id, row.version, row.card)
    return Case(
        id=row.id,
        team=row.team,
        version=row.version,
        incident=incident_from_answers(facts["answers"]),
        narrative=opened["narrative"][0].decode(),
        contact=_told(opened["contact"][0]) if opened["contact"] else {},
        consents=frozenset(facts["consents"]),
        language=facts["language"],
        hour=facts["hour"],
        state=card["s"],
        letters=letters,
        delete_after=row.delete_after,
        unseen=facts["unseen"],
    )


def _letter(told: Mapping[str, Any]) -> Letter:
    return Letter(told["from"], told["hour"], told["text"])


def _add_letter(db: Session, row: CaseRow, key: bytes, sender: str, text: str, now: float) -> None:
    told = _json({"from": sender, "hour": int(now) // HOUR, "text": text})
    record, version = _random63(), row.version + 1
    body = sealing.seal(key, _record_place(row.id, record, "letter", version), told, SIZES["letter"])
    cover = [*_open_cover(key, row), [record, "letter", version]]
    card = _read_card(key, row.id, row.version, row.card)
    by_her = sender == FROM_HER
    _write(db, row, key, card | {"u": by_her or card["u"], "l": not by_her}, now=now, cover=cover)
    db.add(RecordRow(id=record, case_id=row.id, body=body))
    db.flush()


def _write(db: Session, row: CaseRow, key: bytes, card: Mapping[str, Any], *, now: float | None,
           cover: list[list[Any]] | None = None) -> None:  # fmt: skip
    """Bind card and cover to the next version. Looking is no change: `now` None keeps the deletion week."""
    kept = _open_cover(key, row) if cover is None else cover
    row.version += 1
    row.card = _seal_card(key, row.id, row.version, card)
    row.cover = _seal_cover(key, row.id, row.version, kept)
    row.delete_after = row.delete_after if now is None else _deletion_monday(now)
    db.flush()


def _note(db: Session, keys: Keys, row: CaseRow, act: str, now: float) -> None:
    """An act on a case, sealed under the team's vault key and bound to its number in the chain."""
    number = audit.head(db)[0] + 1
    told = _json({"actor": keys.member, "case": row.id, "act": act, "hour": int(now) // HOUR})
    place = _audit_place(row.team, row.epoch, number)
    audit.append(db, sealing.seal(keys.of(row.team, row.epoch).vault, place, told), row.team, row.epoch)


def _seal_card(key: bytes, case: int, version: int, card: Mapping[str, Any]) -> bytes:
    return sealing.seal(key, Place("case_file", case, 0, "card", version), _json(card), CARD_SIZE)


def _read_card(key: bytes, case: int, version: int, sealed: bytes) -> dict[str, Any]:
    return _told(sealing.open_sealed(key, Place("case_file", case, 0, "card", version), sealed))


def _open_card(key: bytes, case: int, team: int, version: int, sealed: bytes) -> Card:
    told = _read_card(key, case, version, sealed)
    return Card(case, team, incident_from_answers(told["a"]), told["h"], told["s"], told["u"], told["l"])


def _seal_cover(key: bytes, case: int, version: int, cover: list[list[Any]]) -> bytes:
    return sealing.seal(key, Place("case_file", case, 0, "cover", version), _json(cover), COVER_SIZE)


def _open_cover(key: bytes, row: CaseRow) -> list[list[Any]]:
    opened = sealing.open_sealed(key, Place("case_file", row.id, 0, "cover", row.version), row.cover)
    cover: list[list[Any]] = json.loads(opened)
    return cover


# ── places ──────────────────────────────────────────────────────────────────────────────────────────────────


def _record_place(case: int, record: int, kind: str, version: int) -> Place:
    return Place("record", case, record, kind, version)


def _front_place(case: int, team: int, epoch: int) -> Place:
    return Place("case_file", case, team, "front key", epoch)


def _vault_place(case: int, team: int, epoch: int) -> Place:
    return Place("case_file", case, team, "vault key", epoch)


def _receipt_place(case: int) -> Place:
    return Place("case_file", case, 0, "receipt key", 1)


def _tally_place(team: int, epoch: int) -> Place:
    return Place("tally", team, 0, "tally", epoch)


def _audit_place(team: int, epoch: int, number: int) -> Place:
    return Place("audit", team, number, "act", epoch)


# ── small things ────────────────────────────────────────────────────────────────────────────────────────────


def _random63() -> int:
    return int.from_bytes(os.urandom(8), "big") >> 1


def _json(told: object) -> bytes:
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _told(raw: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(raw)
    return told


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def _deletion_monday(now: float) -> date:
    """The first Monday on or after 24 months from now: a week, not a day, is what a stolen copy tells."""
    return _monday_in(KEPT_DAYS, now)


def _monday_in(days: int, now: float) -> date:
    then = _day(now) + timedelta(days=days)
    return then + timedelta(days=-then.weekday() % 7)
