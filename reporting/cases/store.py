"""Her side of a case: her report is filed, her receipt opens it, her yes hands it over or erases it.

Returns frozen records, never rows. What she changes is written back whole. Knows no member and no audit,
nothing of needs, services or the web. Stretching a receipt takes about 10 ms and is done outside any
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from reporting.cases import actions, derived
from reporting.cases.case_file import (
    SIZES,
    CaseFile,
    as_json,
    case_of,
    deletion_monday,
    from_json,
    monday_in,
    move_to_team,
    open_case_file,
    open_manifest,
    random63,
    row_of,
    save,
    seal_manifest,
    seal_record,
    seal_summary,
    seal_tally,
)
from reporting.cases.junk import print_of
from reporting.cases.records import FROM_HER, Case, NewReport, Visit
from reporting.cases.seal_contexts import front_key_context, receipt_key_context, record_context
from reporting.cases.summary import NEW, SummaryContent
from reporting.clock import HOUR
from reporting.crypto import sealing
from reporting.crypto.receipts import Receipt as Receipt
from reporting.crypto.sealing import CannotOpen as CannotOpen
from reporting.storage.models import CaseRow, ErasedRow, RecordRow
from reporting.teams.team_log import Team
from reporting.vocabulary.incident import answers_from_incident

SHOW_AGAIN = 15 * 60  # seconds; so long a repeated last request shows the receipt once more
ERASED_DAYS = 60  # as long as any backup that holds it could be opened


@dataclass(frozen=True, slots=True)
class SealedReport:
    """A report ready to be stored: nothing in it can be read any more."""

    case: dict[str, Any] = field(repr=False)
    records: tuple[tuple[int, bytes], ...] = field(repr=False)
    trip: str
    receipt_wrap: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StretchedReceipt:
    """What a receipt stretches to: the tag that its case is found by, and the key that its case key is wrapped with."""

    tag: bytes = field(repr=False)
    wrap_key: bytes = field(repr=False)


def stretched(receipt: Receipt, pepper: bytes) -> StretchedReceipt:
    """A receipt stretched; takes about 10 ms."""
    return StretchedReceipt(*sealing.stretch_receipt(receipt.numbers, pepper))


def seal_report(
    report: NewReport, receipt: StretchedReceipt, readers: Team, counters: Team, tally: bytes, now: float
) -> SealedReport:
    """Seal everything before the transaction begins. `tally` is the 16-byte block for the statistics team."""
    key, case = sealing.new_key(), random63()
    manifest, records = [], []
    for kind, content in _records_of(report).items():
        number = random63()
        manifest.append([number, kind, 1])
        records.append((number, seal_record(key, case, number, kind, 1, content)))
    trip_number, trip_seal = _seal_trip(key, case, report.trip, receipt.wrap_key, now)
    manifest.append([trip_number, "trip", 1])
    records.append((trip_number, trip_seal))
    epoch = readers.newest
    row = {
        "id": case,
        "tag": receipt.tag,
        "team": readers.id,
        "epoch": epoch.number,
        "front_key": sealing.seal_to(
            epoch.sealing, front_key_context(case, readers.id, epoch.number), key, smallest=64
        ),
        "vault_key": None,
        "receipt_key": sealing.wrap(receipt.wrap_key, receipt_key_context(case), key),
        "card": seal_summary(key, case, 1, _new_summary(report)),
        "cover": seal_manifest(key, case, 1, manifest),
        "tally": seal_tally(tally, case, counters),
        "version": 1,
        "delete_after": deletion_monday(now),
    }
    return SealedReport(row, tuple(sorted(records)), report.trip, receipt.wrap_key)


def _records_of(report: NewReport) -> dict[str, dict[str, Any]]:
    records: dict[str, dict[str, Any]] = {
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
    return records | ({"contact": dict(report.contact)} if report.contact else {})


def _new_summary(report: NewReport) -> SummaryContent:
    return SummaryContent(
        answers=answers_from_incident(report.incident),
        told_at=report.hour,
        hour=report.hour,
        state=NEW,
        unread=True,
        answered=False,
        signs=report.signs or None,
        words=None if report.voice else print_of(report.narrative) or None,
        group=report.group,
        language=report.language,
        reachable=bool(report.contact),
    )


def _seal_trip(key: bytes, case: int, trip: str, receipt_wrap: bytes, now: float) -> tuple[int, bytes]:
    """Which trip sent this case and when, so that a repeated request is known again.

    Sealed twice: the case key shows that it is whole, as with every record; only the receipt reads it.
    """
    record = random63()
    place = record_context(case, record, "trip", 1)
    inner = sealing.wrap(sealing.derive(receipt_wrap, "trip"), place, as_json({"trip": trip, "sent": int(now)}))
    return record, sealing.seal(key, place, inner, SIZES["trip"])


def file_report(db: Session, sealed: SealedReport) -> None:
    """Store the case. Its receipt may be shown once the transaction is committed."""
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


def stretch(readings: Sequence[Receipt], pepper: bytes) -> tuple[StretchedReceipt, ...]:
    """Every reading stretched. At least one is, so that a wrong receipt takes as long."""
    return tuple(stretched(reading, pepper) for reading in readings or [Receipt((0,) * 7)])


def come_back(db: Session, readings: Iterable[StretchedReceipt]) -> tuple[Visit, str]:
    """The case behind a receipt, and the trip that sent it. Unknown, erased, expired: one `CannotOpen`."""
    for reading in readings:
        row = db.scalars(select(CaseRow).where(CaseRow.tag == reading.tag)).first()
        if row is not None:
            key = sealing.unwrap(reading.wrap_key, receipt_key_context(row.id), row.receipt_key)
            return Visit(row.id, key), str(_open_trip(db, row, reading.wrap_key)["trip"])
    raise CannotOpen


def _open_trip(db: Session, row: CaseRow, receipt_wrap: bytes) -> dict[str, Any]:
    key = sealing.unwrap(receipt_wrap, receipt_key_context(row.id), row.receipt_key)
    for record, kind, version in open_manifest(key, row):
        if kind == "trip":
            body = db.get(RecordRow, record)
            if body is not None:
                place = record_context(row.id, record, kind, version)
                inner = sealing.open_sealed(key, place, body.body)
                return from_json(sealing.unwrap(sealing.derive(receipt_wrap, "trip"), place, inner))
    raise CannotOpen


def open_visit(db: Session, visit: Visit) -> Case:
    """Her own case, with the key from her ticket."""
    row = row_of(db, visit.case)
    return case_of(row, open_case_file(db, row, visit.key), hers=True)


@contextmanager
def on_visit(
    db: Session, visit: Visit, now: float, counters: Team | None = None, *, quiet: bool = False
) -> Iterator[CaseFile]:
    """Her case lies open for her; what she changes is written back, and the team finds it unread.

    What she says opens a closed case again (`actions.hear`). `quiet`: it is for herself, nobody has to look.
    """
    row = row_of(db, visit.case, lock=True)
    case_file = open_case_file(db, row, visit.key)
    said = actions.said_by_her(case_file)
    yield case_file
    if case_file.is_changed:
        if not actions.said_by_her(case_file) <= said:
            actions.hear(case_file, now)
        # whoever writes stops the time after which junk goes
        case_file.summary = replace(case_file.summary, unread=case_file.summary.unread or not quiet, junk_at=None)
        save(db, row, case_file, now, counters)


def write_as_reporter(db: Session, visit: Visit, text: str, now: float) -> None:
    """She writes a letter; the case is unread again. The same letter sent twice by a bad connection is kept once."""
    with on_visit(db, visit, now) as case_file:
        letters = case_file.all_of("letter")
        if not letters or (letters[-1].content["from"], letters[-1].content["text"]) != (FROM_HER, text):
            case_file.add("letter", {"from": FROM_HER, "hour": int(now) // HOUR, "text": text})


def keep_plan(db: Session, visit: Visit, lines: Iterable[Iterable[Any]], now: float, *, shown: bool = False) -> None:
    """Her plan for tonight, as the names of its lines; it replaces the one before. `shown`: the team may see it."""
    content = {"hour": int(now) // HOUR, "lines": [[situation, [*names]] for situation, names in lines]}
    with on_visit(db, visit, now, quiet=not shown) as case_file:
        case_file.remove_all("plan")
        case_file.add("plan", content | {"shown": shown})


def drop_plan(db: Session, visit: Visit, now: float) -> None:
    """Her plan goes; nothing of it stays in the case. Checkpoint afterwards."""
    with on_visit(db, visit, now, quiet=True) as case_file:
        case_file.remove_all("plan")


def give_to_team(db: Session, visit: Visit, readers: Team, now: float) -> None:
    """Her yes to another team: the case key is sealed to it, and the team before loses its own."""
    row = row_of(db, visit.case, lock=True)
    case_file = open_case_file(db, row, visit.key)
    move_to_team(db, row, case_file, readers, now)


def erase(db: Session, visit: Visit, pepper: bytes, now: float) -> None:
    """Her yes to 'erase everything': the wrapped keys and every row of the case go. Checkpoint afterwards."""
    row = row_of(db, visit.case, lock=True)
    open_manifest(visit.key, row)  # only who can open may erase
    let_go(db, visit.case, pepper, now)


def let_go(db: Session, case: int, pepper: bytes, now: float) -> None:
    """The case goes with its keys, and no backup brings it back. Who may want that is decided by the caller."""
    derived.let_go(db, CaseRow.id == case)
    db.merge(ErasedRow(mark=erased_mark(pepper, case), forget_after=monday_in(ERASED_DAYS, now)))


def erased_mark(pepper: bytes, case: int) -> bytes:
    """Under what an erased case is remembered for 60 days: without the pepper it fits no old copy."""
    return sealing.derive(pepper, "erased", case.to_bytes(8, "big"))
