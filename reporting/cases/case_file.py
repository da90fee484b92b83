"""The case file: one case as it lies open for a moment, its records, and how they are sealed again.

Every record is listed in a sealed manifest with its id, kind and version; what is missing, extra or older is
`CannotOpen`, and so are answers that fit no question of ours. Only `store` and `desk` take a case file out and
write it back. Knows neither members nor acts, and nothing of needs, services or the web.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reporting.cases import derived
from reporting.cases.follow_up.days import WorkingDays, working_days
from reporting.cases.follow_up.in_hand import what_was_done
from reporting.cases.follow_up.plan_versions import CASE_PLAN, PLANS, SAFETY_PLAN, may_show, versions_in
from reporting.cases.follow_up.progress import unread_notes
from reporting.cases.records import FROM_TEAM, JUNK_DAYS, Case, Correction, Letter, Note, Referral
from reporting.cases.seal_contexts import front_key_context, record_context, tally_context
from reporting.cases.summary import SummaryContent, looked_at
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext
from reporting.storage.models import CaseRow, RecordRow
from reporting.teams.team_log import Team
from reporting.vocabulary.incident import BadIncident, Incident, incident_from_answers
from reporting.vocabulary.need_states import OPEN, NeedState, states_of
from reporting.vocabulary.tally import answered_of, tally_block


def move_to_team(db: Session, row: CaseRow, case_file: CaseFile, readers: Team, now: float) -> None:
    """Seal the case key to another team; the team before loses its own. It arrives there unread."""
    epoch = readers.newest
    row.team, row.epoch, row.vault_key = readers.id, epoch.number, None
    place = front_key_context(row.id, readers.id, epoch.number)
    row.front_key = sealing.seal_to(epoch.sealing, place, case_file.key, smallest=64)
    case_file.summary = replace(case_file.summary, unread=True, owner=0)
    save(db, row, case_file, now, None)
    derived.forget(db, [row.id])


def row_of(db: Session, case: int, *, lock: bool = False) -> CaseRow:
    """The row of a case, locked for this transaction if asked. Raises `CannotOpen` if there is none."""
    query = select(CaseRow).where(CaseRow.id == case)
    row = db.scalars(query.with_for_update() if lock else query).first()
    if row is None:
        raise CannotOpen
    return row


def case_of(row: CaseRow, case_file: CaseFile, *, with_contact: bool = True, hers: bool = False) -> Case:
    """The case as a frozen record; without `with_contact` the way to reach her is left out.

    `hers`: with what she keeps for herself; else only where she shows it.
    """
    facts, summary, contact = case_file.facts, case_file.summary, case_file.all_of("contact")
    plans = versions_in(case_file.all_of)
    shown = may_show(case_file.consents, facts, case_file.incident.about)
    return Case(
        id=row.id,
        team=row.team,
        version=row.version,
        first=incident_from_answers(facts["answers"]),
        incident=case_file.incident,
        told_hours=summary.told_hours,
        told_at=summary.told_at,
        hour=facts["hour"],
        narrative=case_file.all_of("narrative")[0].content["text"],
        contact=contact[0].content if contact and with_contact else {},
        has_contact=bool(contact),
        consents=case_file.consents,
        language=facts["language"],
        state=summary.state,
        letters=tuple(Letter.from_content(record.content) for record in case_file.all_of("letter")),
        notes=tuple(Note.from_content(record.content) for record in case_file.all_of("note")),
        additions=tuple(Note.from_content(record.content) for record in case_file.all_of("addition")),
        corrections=tuple(Correction.from_content(record.content) for record in case_file.all_of("correction")),
        referrals=tuple(referral_of(record) for record in case_file.all_of("referral")),
        work_record=case_file.work_record,
        owner=summary.owner or 0,
        marks=summary.marks or (),
        delete_after=row.delete_after,
        unseen=facts["unseen"],
        voice=facts["voice"],
        goes_at=0 if summary.junk_at is None else summary.junk_at + 24 * JUNK_DAYS,
        last_word=summary.heard_at or facts["hour"],
        spoken_at=max(summary.wrote_at or 0, summary.spoke_at or 0),
        plan=next((r.content for r in case_file.all_of("plan") if hers or r.content["shown"]), None),
        safety_plans=plans[SAFETY_PLAN] if shown or not hers else (),
        case_plans=() if hers else plans[CASE_PLAN],
        waits=bool(summary.heard_at) and not summary.answered,
        to_read=unread_notes(case_file),
    )


def referral_of(record: Record) -> Referral:
    """A referral as its record holds it."""
    return Referral.from_content(record.number, record.content)


KEPT_DAYS = 730  # 24 months after the last change, one clock for open and closed cases
NOT_A_REPORT = "not_a_report"  # a mark: what carries it counts nowhere
# kind of record -> smallest padded size in bytes, so that a short and a long answer weigh the same
SIZES = {
    "facts": 2048,  # the answers as she first gave them; never changed
    "narrative": 1024,
    "consents": 512,  # what she allows now
    "contact": 512,
    "letter": 512,
    "trip": 512,
    "addition": 1024,  # what she told later, in words
    "correction": 2048,  # the answers as they were corrected, whole; the newest one counts
    "note": 512,  # for the team only
    "plan": 2048,  # for her only, unless she shows it: the names of the lines of her plan for tonight
    **dict.fromkeys(PLANS, 2048),  # filled in together with her, each time as a new one
    "referral": 2048,  # one proposed service, her answer, and every move
    "desk": 2048,  # what the team keeps about its work: owner, labels, risk, marks, links, outcome, history
}
SUMMARY_SIZE, MANIFEST_SIZE, SEALED_TALLY_SIZE = 1024, 512, 64
TO_SEND = frozenset({"consented", "protected"})  # states of a referral that nobody has told to its service yet
WITH_ANSWERS = frozenset({"facts", "correction"})


@dataclass(slots=True)
class Record:
    """One opened record of a case."""

    number: int
    kind: str
    version: int
    content: dict[str, Any]


@dataclass(slots=True)
class CaseFile:
    """A case that lies open: its records in the order of writing, its summary. It is written back whole or not."""

    case: int
    key: bytes = field(repr=False)
    records: list[Record] = field(repr=False)
    summary: SummaryContent = field(repr=False)
    before: bytes = field(repr=False)  # summary and records as they were, to see whether anything changed

    def all_of(self, kind: str) -> list[Record]:
        """Its records of a kind, the oldest first."""
        return [record for record in self.records if record.kind == kind]

    def add(self, kind: str, content: Mapping[str, Any]) -> int:
        """Add a record of a kind. Returns its number."""
        self.records.append(Record(random63(), kind, 0, dict(content)))
        return self.records[-1].number

    def remove_all(self, kind: str) -> None:
        """Take every record of a kind out."""
        self.records = [record for record in self.records if record.kind != kind]

    def record(self, number: int, kind: str) -> Record:
        """The record of this number and kind; `CannotOpen` when there is none."""
        for record in self.all_of(kind):
            if record.number == number:
                return record
        raise CannotOpen

    @property
    def work_record(self) -> dict[str, Any]:
        """What the team keeps about its work."""
        return self.all_of("desk")[0].content

    @work_record.setter
    def work_record(self, content: dict[str, Any]) -> None:
        self.all_of("desk")[0].content = content

    @property
    def consents(self) -> frozenset[str]:
        """What she allows now."""
        return frozenset(self.all_of("consents")[0].content["codes"])

    @consents.setter
    def consents(self, codes: frozenset[str]) -> None:
        self.all_of("consents")[0].content = {"codes": sorted(codes)}

    @property
    def facts(self) -> Mapping[str, Any]:
        """The answers at the start, with language, hour and how they came."""
        return self.all_of("facts")[0].content

    @property
    def hours_of_team(self) -> tuple[int, ...]:
        """When the team wrote to her: the hour of each letter (since 1970)."""
        return tuple(record.content["hour"] for record in self.all_of("letter") if record.content["from"] == FROM_TEAM)

    @property
    def incident(self) -> Incident:
        """The answers as they stand now, of the hour `summary.told_at`."""
        corrected = self.all_of("correction")
        return incident_from_answers((corrected[-1].content if corrected else self.facts)["answers"])

    def incident_at(self, now: float) -> Incident:
        """The answers as they are at the moment of looking."""
        return looked_at(self.incident, self.summary.told_hours, now)

    @property
    def need_states(self) -> Mapping[str, NeedState]:
        """Need -> how it stands; what is open and was never spoken of is left out."""
        return states_of(map(referral_of, self.all_of("referral")), self.work_record.get("needs", ()))

    @property
    def is_changed(self) -> bool:
        """Whether anything is to be written back."""
        return self.before != _as_it_is(self.summary, self.records)

    def texts(self) -> Iterator[str]:
        """Everything that was written in words."""
        return (str(record.content["text"]) for record in self.records if record.content.get("text"))


def _as_it_is(summary: SummaryContent, records: Iterable[Record]) -> bytes:
    return as_json([summary.as_stored(), [[record.number, record.content] for record in records]])


def open_case_file(db: Session, row: CaseRow, key: bytes) -> CaseFile:
    """A case as its key opens it, whole, or `CannotOpen`."""
    manifest = open_manifest(key, row)
    bodies = {stored.id: stored.body for stored in db.scalars(select(RecordRow).where(RecordRow.case_id == row.id))}
    if {number for number, _, _ in manifest} != set(bodies):
        raise CannotOpen
    records = [
        Record(number, kind, version, _open_record(key, row.id, number, kind, version, bodies[number]))
        for number, kind, version in manifest  # it keeps the order of writing
    ]
    for record in records:
        if record.kind in WITH_ANSWERS:
            _fitting(record.content["answers"])
    summary = open_summary(key, row.id, row.version, row.card)
    return CaseFile(row.id, key, records, summary, _as_it_is(summary, records))


def _fitting(answers: Mapping[str, Any]) -> None:
    """Answers that fit no question of ours are broken like everything that is broken: one error."""
    try:
        incident_from_answers(answers)
    except BadIncident:
        raise CannotOpen from None


def seal_record(key: bytes, case: int, number: int, kind: str, version: int, content: Mapping[str, Any]) -> bytes:
    """A record under the case key, padded to the size of its kind."""
    return sealing.seal(key, record_context(case, number, kind, version), as_json(content), SIZES[kind])


def _open_record(key: bytes, case: int, number: int, kind: str, version: int, body: bytes) -> dict[str, Any]:
    opened = sealing.open_sealed(key, record_context(case, number, kind, version), body)
    return {} if kind == "trip" else from_json(opened)  # what is in a trip, only the receipt reads


def save(db: Session, row: CaseRow, case_file: CaseFile, now: float | None, counters: Team | None) -> None:
    """Seal what changed at the next version, with summary and manifest. `now` None keeps the week of deletion."""
    before = dict(json.loads(case_file.before)[1])
    row.version += 1
    case_file.summary = _worked_out(case_file, row.version, working_days(db), looking=now is None)
    for record in case_file.records:
        if record.version and json.loads(as_json(record.content)) == before[record.number]:
            continue
        body = seal_record(case_file.key, row.id, record.number, record.kind, row.version, record.content)
        fresh, record.version = record.version == 0, row.version
        if fresh:
            db.add(RecordRow(id=record.number, case_id=row.id, body=body))
        else:
            db.get_one(RecordRow, record.number).body = body
    gone = before.keys() - {record.number for record in case_file.records}
    db.execute(delete(RecordRow).where(RecordRow.id.in_(gone), RecordRow.case_id == row.id))
    row.card = seal_summary(case_file.key, row.id, row.version, case_file.summary)
    manifest = [[record.number, record.kind, record.version] for record in case_file.records]
    row.cover = seal_manifest(case_file.key, row.id, row.version, manifest)
    row.delete_after = row.delete_after if now is None else deletion_monday(now)
    if counters is not None and row.tally:
        _count_anew(row, case_file, counters)
    case_file.before = _as_it_is(case_file.summary, case_file.records)
    db.flush()


def _worked_out(case_file: CaseFile, version: int, days: WorkingDays, *, looking: bool) -> SummaryContent:
    """The summary at this version with what follows from the records; a mere look is not the last change."""
    states = case_file.need_states
    needs = {need: stands.state for need, stands in states.items() if stands.state != OPEN}
    to_send = any(record.content["state"] in TO_SEND for record in case_file.all_of("referral"))
    changed_in = (case_file.summary.changed_in or version - 1) if looking else version
    return replace(
        case_file.summary,
        needs=needs or None,
        to_send=to_send or None,
        changed_in=changed_in,
        language=case_file.facts["language"],
        wrote_at=max(case_file.hours_of_team, default=None),
        reachable=bool(case_file.all_of("contact")),
        to_read=tuple((note.by, note.to) for note in unread_notes(case_file)) or None,
        **what_was_done(case_file, days),
    )


def _count_anew(row: CaseRow, case_file: CaseFile, counters: Team) -> None:
    """The tally follows her consent, her corrections, the first letter and the outcome, until its period is frozen."""
    consents, facts, work_record = case_file.consents, case_file.facts, case_file.work_record
    first, letters = min(case_file.hours_of_team, default=None), "C_LETTERS" in consents
    block = tally_block(
        case_file.incident,
        facts["hour"],
        counted="C_STATS" in consents and NOT_A_REPORT not in (case_file.summary.marks or ()),
        outcome=work_record.get("outcome", "OPEN"),
        in_time=work_record.get("in_time", ""),
        gap=next(iter(work_record.get("gaps", ())), "NONE"),
        answered=answered_of(facts["hour"], first, letters=letters, voice=bool(facts["voice"])),
    )
    row.tally = seal_tally(block, row.id, counters)


def seal_tally(block: bytes, case: int, counters: Team) -> bytes:
    """The 16 bytes of codes as they lie in the row of their case."""
    epoch = counters.newest
    return sealing.seal_to(
        epoch.sealing, tally_context(case, counters.id, epoch.number), block, smallest=SEALED_TALLY_SIZE
    )


def seal_summary(key: bytes, case: int, version: int, summary: SummaryContent) -> bytes:
    """What the queue knows of a case, under the case key."""
    context = SealContext("case_file", case, 0, "card", version)
    return sealing.seal(key, context, as_json(summary.as_stored()), SUMMARY_SIZE)


def open_summary(key: bytes, case: int, version: int, sealed: bytes) -> SummaryContent:
    """The summary that `seal_summary` was given, or `CannotOpen`."""
    opened = sealing.open_sealed(key, SealContext("case_file", case, 0, "card", version), sealed)
    summary = SummaryContent.from_stored(from_json(opened))
    _fitting(summary.answers)
    return summary


def lasting_name(key: bytes) -> str:
    """What a case is called where it is spoken of and may outlive it: in the audit, and in a case linked to it.

    Only its key gives this name, so when the key is gone nobody can say whose it was.
    """
    return sealing.derive(key, "lasting name", length=16).hex()


def seal_manifest(key: bytes, case: int, version: int, manifest: list[list[Any]]) -> bytes:
    """The list of its records under the case key: [record, kind, version] of each, in the order of writing."""
    return sealing.seal(key, SealContext("case_file", case, 0, "cover", version), as_json(manifest), MANIFEST_SIZE)


def open_manifest(key: bytes, row: CaseRow) -> list[list[Any]]:
    """The list of records that `seal_manifest` was given, or `CannotOpen`."""
    opened = sealing.open_sealed(key, SealContext("case_file", row.id, 0, "cover", row.version), row.cover)
    manifest: list[list[Any]] = json.loads(opened)
    return manifest


def random63() -> int:
    """A number for a case or a record, which tells nothing of when it was drawn."""
    return int.from_bytes(os.urandom(8), "big") >> 1


def as_json(content: object) -> bytes:
    """Compact JSON in UTF-8, as it goes under a seal."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def from_json(written: bytes) -> dict[str, Any]:
    """The object that `as_json` was given."""
    content: dict[str, Any] = json.loads(written)
    return content


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def deletion_monday(now: float) -> date:
    """The first Monday on or after 24 months from now: a week, not a day, is what a stolen copy tells."""
    return monday_in(KEPT_DAYS, now)


def monday_in(days: int, now: float) -> date:
    """The first Monday so many days from now, or after."""
    then = _day(now) + timedelta(days=days)
    return then + timedelta(days=-then.weekday() % 7)
