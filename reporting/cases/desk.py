"""The team's side of a case: the queue of summaries, opening, changing, searching, each act in the audit.

Returns frozen records, never rows. What a case worker changes is written back whole. What may be changed by
whom is decided in `actions`; knows nothing of receipts, needs, services or the web.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reporting.cases import queue_cache, taken
from reporting.cases.case_file import (
    CaseFile,
    as_json,
    case_of,
    from_json,
    lasting_name,
    move_to_team,
    open_case_file,
    row_of,
    save,
)
from reporting.cases.openers import Openers, key_for
from reporting.cases.queue_cache import QUEUE_COLUMNS
from reporting.cases.records import FROM_TEAM, JUNK, JUNK_DAYS, BrokenCase, Case, EditConflict, NoConsent
from reporting.cases.seal_contexts import audit_context, vault_key_context
from reporting.cases.store import let_go
from reporting.cases.summary import CLOSED, NEW, OPEN, Summary
from reporting.clock import HOUR
from reporting.crypto import sealing
from reporting.crypto.receipts import plain
from reporting.crypto.sealing import CannotOpen
from reporting.storage.models import CaseRow
from reporting.teams import audit, heads
from reporting.teams.keyring import Keys
from reporting.teams.team_log import Pin, Team

CONTACT_DAYS = 30  # so long after closing, how to reach her is shredded
MOVED = 200  # new cases whose keys go to the vault together: everybody else waits meanwhile with what they write
AT_ONCE = 50  # cases of which something goes at one look: a transaction that writes is short


def queue(db: Session, keys: Keys, pin: Pin | None = None) -> tuple[tuple[Summary, ...], tuple[BrokenCase, ...]]:
    """The summary of every case that a member's keys should open, and those that were tampered with.

    Only summaries are opened here, never a case. The page of the queue opens what has changed: `queue_cache`.
    """
    summaries, broken = queue_cache.opened(db, keys, taken.lists(db, keys, pin))
    again, still = queue_cache.looked_at_again(db, keys, pin, broken)
    return (*summaries, *again), still


def cases_of(db: Session, keys: Keys) -> tuple[int, ...]:
    """The numbers of the cases of a member's teams, unopened."""
    return tuple(db.scalars(select(CaseRow.id).where(CaseRow.team.in_(list(keys.epochs)))))


def move_to_vault(
    db: Session, keys: Keys, at_most: int, pin: Pin | None = None, unlisted: taken.Vaults | None = None
) -> tuple[int, ...]:
    """Re-wrap newly arrived case keys under the vault key, so that the next queue is quick. Returns which cases.

    What goes there is on the list of what the team has taken from this moment; the first list knows of what lies there
    already by `unlisted` (`taken.unlisted`), which is looked up here where nobody did before.
    """
    taken.begin(db, keys, taken.unlisted(db, keys) if unlisted is None else unlisted, pin)
    waiting = db.execute(select(CaseRow.id, CaseRow.team).where(CaseRow.vault_key.is_(None)).order_by(CaseRow.id))
    some = [row.id for row in waiting if row.team in keys.epochs][:at_most]
    lists = taken.lists(db, keys, pin) if some else {}
    openers, entries = Openers(keys), dict[int, dict[int, taken.Entry]]()
    for row in queue_cache.rows(db, keys, some):
        if row.epoch not in keys.epochs[row.team]:
            continue
        try:
            key = openers.case_key(row)
        except CannotOpen:
            continue  # the queue names it; the others need not wait for it
        if not taken.why_not(lists[row.team], row, key) and _moves(db, keys, row, key):
            entries.setdefault(row.team, {})[row.id] = taken.Entry(taken.digest_of(key), row.version)
    for team, cases in entries.items():
        taken.enter(db, keys, team, cases)
    return tuple(case for cases in entries.values() for case in cases)


def _moves(db: Session, keys: Keys, row: Any, key: bytes) -> bool:
    """Whether the key of a case went to the vault: not where it was there before, or the case has gone elsewhere."""
    vault = keys.of(row.team, row.epoch).vault
    wrapped = sealing.wrap(vault, vault_key_context(row.id, row.team, row.epoch), key)
    still = update(CaseRow).where(CaseRow.id == row.id, CaseRow.vault_key.is_(None), CaseRow.front_key == row.front_key)
    done = db.execute(
        still.values(vault_key=wrapped, front_key=None),
        execution_options={"synchronize_session": False, "preserve_rowcount": True},
    )
    return bool(done.rowcount)  # type: ignore[attr-defined, unused-ignore]


def open_case(
    db: Session,
    keys: Keys,
    case: int,
    now: float,
    act: str = "opened",
    works_out: Callable[[CaseFile, float], None] | None = None,
) -> Case:
    """A case worker opens a case: it goes into the audit and is no longer unread. How to reach her stays folded.

    `works_out` is handed the case as it lies open, to write into it what only who knows the rules can say.
    """
    with at_desk(db, keys, case, now, act, looking=True) as case_file:
        summary = case_file.summary
        if summary.unread or summary.state == NEW:
            state = OPEN if summary.state == NEW else summary.state
            of_another = (summary.owner or keys.member) != keys.member  # what she said is for whoever has the case
            case_file.summary = replace(summary, unread=summary.unread and of_another, state=state)
            case_file.work_record |= {"read": int(now) // HOUR}
        _look_is_noted(case_file, keys.member, int(now) // HOUR)
        _name_links(db, keys, case_file)
        if works_out:
            works_out(case_file, now)
    return case_of(row_of(db, case), case_file, with_contact=False)


def _look_is_noted(case_file: CaseFile, member: int, hour: int) -> None:
    """Who looked last, and when: once an hour for each who looks one after the other."""
    summary = case_file.summary
    if (summary.looked_by, summary.looked_at) != (member, hour):
        case_file.summary = replace(summary, looked_by=member, looked_at=hour)
        case_file.work_record |= {"looks": {**case_file.work_record.get("looks", {}), str(member): hour}}


def open_contact(db: Session, keys: Keys, case: int, now: float) -> Mapping[str, str]:
    """How to reach her: behind one click that goes into the audit. `NoConsent` where she gave no way."""
    with at_desk(db, keys, case, now, "contact", looking=True) as case_file:
        ways = case_file.all_of("contact")
    if not ways or "C_CONTACT" not in case_file.consents:
        raise NoConsent
    return {name: str(way) for name, way in ways[0].content.items()}


def open_sheet(db: Session, keys: Keys, case: int, now: float) -> Case:
    """A case for the page that goes to a service, with the way to reach her, which she may have agreed to tell."""
    with at_desk(db, keys, case, now, "sheet", looking=True) as case_file:
        row = row_of(db, case)
        return case_of(row, case_file, with_contact="C_CONTACT" in case_file.consents)


@contextmanager
def at_desk(
    db: Session,
    keys: Keys,
    case: int,
    now: float,
    act: str,
    *,
    seen: int | None = None,
    counters: Team | None = None,
    looking: bool = False,
) -> Iterator[CaseFile]:
    """A case lies open for a case worker; what is changed is written back, and the act goes into the audit.

    `seen`: the version that the page was made from; `EditConflict` if somebody changed it since. `looking` is no change
    in the sense of the clock: the week of deletion stays, and a page that was made before is as good as it was.
    """
    row = _locked(db, case)
    case_file = open_case_file(db, row, _key_of(db, keys, row))
    if seen is not None and not (case_file.summary.changed_in or row.version) <= seen <= row.version:
        raise EditConflict
    yield case_file
    if case_file.is_changed:
        save(db, row, case_file, None if looking else now, counters)
        if row.vault_key is not None:
            taken.move_on(db, keys, row.team, row.id, row.version)
    _note(db, keys, row.team, row.epoch, act, now, lasting_name(case_file.key))


def hand_over(db: Session, keys: Keys, case: int, readers: Team, now: float) -> None:
    """The same as `give_to_team` where she said her yes by voice: a member of the team that has the case does it."""
    row = _locked(db, case)
    case_file = open_case_file(db, row, _key_of(db, keys, row))
    team, epoch, was_taken = row.team, row.epoch, row.vault_key is not None
    move_to_team(db, row, case_file, readers, now)
    if was_taken:
        taken.move_on(db, keys, team, row.id, row.version)
    _note(db, keys, team, epoch, "handed over", now, lasting_name(case_file.key))


def write_as_team(db: Session, keys: Keys, case: int, text: str, now: float) -> None:
    """A case worker writes a letter, which waits behind the reporter's receipt; `NoConsent` where she wants none."""
    with at_desk(db, keys, case, now, "letter") as case_file:
        if "C_LETTERS" not in case_file.consents:
            raise NoConsent
        case_file.add("letter", {"from": FROM_TEAM, "hour": int(now) // HOUR, "text": text})
        case_file.summary = replace(case_file.summary, answered=True)


def tidy(db: Session, keys: Keys, closed: Iterable[int], now: float) -> int:
    """Shred how to reach her, thirty days after her case was closed. Returns in how many of these cases.

    Only who opens summaries knows which cases are closed. The week of deletion, which lies in the clear, stays.
    """
    long_ago, shredded = now / HOUR - 24 * CONTACT_DAYS, 0
    for case in islice(closed, AT_ONCE):
        try:
            row = row_of(db, case, lock=True)
            case_file = open_case_file(db, row, _key_of(db, keys, row))
        except CannotOpen:
            continue  # it went since the summaries were read, or the queue counts it as broken
        summary = case_file.summary
        if summary.state == CLOSED and (summary.closed_at or 0) < long_ago:
            shredded += bool(case_file.all_of("contact"))
            case_file.remove_all("contact")
            save(db, row, case_file, None, None)  # the summary says then that there is none
    return shredded


def clear_junk(db: Session, keys: Keys, marked: Iterable[int], pepper: bytes, now: float) -> int:
    """What two people marked as junk goes, some days after the second; it is in the audit. Returns how many of these.

    Only who opens summaries knows which cases are marked.
    """
    long_ago, gone = now / HOUR - 24 * JUNK_DAYS, 0
    for case in islice(marked, AT_ONCE):
        with suppress(CannotOpen):  # else it went since the summaries were read, or the queue counts it as broken
            row = _locked(db, case)
            case_file = open_case_file(db, row, _key_of(db, keys, row))
            if JUNK in (case_file.summary.marks or ()) and 0 < (case_file.summary.junk_at or 0) < long_ago:
                _note(db, keys, row.team, row.epoch, "junk", now, lasting_name(case_file.key))
                let_go(db, row.id, pepper, now)
                gone += 1
    return gone


def search(db: Session, keys: Keys, cases: Iterable[int], words: Sequence[str]) -> frozenset[int]:
    """The cases in which every word stands: her words, additions, letters, notes. Writes nothing; see `note_search`.

    `words` are plain (`receipts.plain`): small letters without accents.
    """
    matches = set()
    for _, case_file in _one_by_one(db, keys, cases):
        text = plain(" ".join(case_file.texts()))
        if all(word in text for word in words):
            matches.add(case_file.case)
    return frozenset(matches)


def opened(db: Session, keys: Keys, cases: Iterable[int]) -> Iterator[Case]:
    """These cases, for who counts; how to reach her stays folded. Writes nothing; see `note_counting`.

    One that does not open is left out: the queue names it.
    """
    for row, case_file in _one_by_one(db, keys, cases):
        yield case_of(row, case_file, with_contact=False)


def _one_by_one(db: Session, keys: Keys, cases: Iterable[int]) -> Iterator[tuple[CaseRow, CaseFile]]:
    """Each case that opens; keys and lists are read once, because there are many cases."""
    openers, lists = Openers(keys), taken.lists(db, keys)
    for case in cases:
        with suppress(CannotOpen):  # it went since the summaries were read, or the queue counts it as broken
            row = row_of(db, case)
            key = openers.case_key(row)
            if not taken.why_not(lists[row.team], row, key):
                yield row, open_case_file(db, row, key)
        db.expunge_all()  # a case is looked at once: none of it stays in memory


def note_search(db: Session, keys: Keys, now: float) -> None:
    """One act of the audit for each team of the member that has cases."""
    _note_for_teams(db, keys, "searched", now)


def note_counting(db: Session, keys: Keys, now: float) -> None:
    """The same where cases are opened to count how they went."""
    _note_for_teams(db, keys, "counted", now)


def _note_for_teams(db: Session, keys: Keys, act: str, now: float) -> None:
    for team in db.scalars(select(CaseRow.team).where(CaseRow.team.in_(list(keys.epochs))).distinct()).all():
        _note(db, keys, team, max(keys.epochs[team]), act, now)


@dataclass(frozen=True, slots=True)
class AuditedAct:
    """One line of the audit as a member of the team reads it. `case` 0: none, or one that the team no longer has."""

    number: int
    actor: int
    case: int
    act: str
    hour: int
    forged: bool = False  # whoever is named has not signed it


def acts(
    db: Session, keys: Keys, signers: Mapping[int, Collection[bytes]], newest: int = 200
) -> tuple[AuditedAct, ...]:
    """The newest acts on cases that a member's keys open. `signers`: account -> the keys with which it signs.

    What stands before the first act that is signed is of a time before signing.
    """
    opened: list[tuple[int, dict[str, Any], bool]] = []
    links = audit.entries(db, newest_first=newest)
    chains = {entry.number: entry.chain for entry in links}
    for entry in links:
        if entry.team in keys.epochs and entry.epoch in keys.epochs[entry.team]:
            place = audit_context(entry.team, entry.epoch, entry.number)
            try:
                act = from_json(sealing.open_sealed(keys.of(entry.team, entry.epoch).vault, place, entry.body))
            except CannotOpen:
                continue  # the chain says where it breaks
            before = chains.get(entry.number - 1) or audit.chain_at(db, entry.number - 1)
            known = signers.get(act["actor"], ()) if act.get("by", act["actor"]) == act["actor"] else ()
            holds = audit.is_signed(act, entry, before, known, sealing.is_signed)
            opened.append((entry.number, act, not holds))
    first = min((number for number, act, _ in opened if "signature" in act), default=0)
    cases = called(db, keys, (act["case"] for _, act, _ in opened))
    return tuple(
        AuditedAct(
            number, act["actor"], cases.get(act["case"], 0), act["act"], act["hour"], forged=bad and number >= first > 0
        )
        for number, act, bad in opened
    )


def called(db: Session, keys: Keys, names: Iterable[str | int]) -> dict[str | int, int]:
    """Which of a member's cases these lasting names mean. Versions before wrote numbers: they mean what is there."""
    wanted, cases, openers = set(names) - {"", 0}, dict[str | int, int](), Openers(keys)
    if not wanted:
        return cases
    columns = (getattr(CaseRow, column) for column in QUEUE_COLUMNS if column not in {"card", "version"})
    for row in db.execute(select(*columns).where(CaseRow.team.in_(list(keys.epochs)))):
        with suppress(CannotOpen):
            cases |= dict.fromkeys(wanted & {row.id, lasting_name(openers.case_key(row))}, row.id)
    return cases


def name_of(db: Session, keys: Keys, case: int) -> str:
    """The lasting name of a case that a member's keys open."""
    return lasting_name(_key_of(db, keys, row_of(db, case)))


def _locked(db: Session, case: int) -> CaseRow:
    """The row of a case for an act. The audit is locked before it, as in every act, so that none waits for another."""
    audit.lock(db)
    return row_of(db, case, lock=True)


def _key_of(db: Session, keys: Keys, row: CaseRow) -> bytes:
    """The key of a case, `CannotOpen` also where it is not the case that its team knew."""
    key = key_for(keys, row)
    taken.must_fit(db, keys, row, key)
    return key


def _name_links(db: Session, keys: Keys, case_file: CaseFile) -> None:
    """Links of versions before were numbers, which outlive the case they name: those that lead somewhere get names."""
    links, history = case_file.work_record.get("links", []), case_file.work_record.get("history", [])
    if any(isinstance(link, int) for link in links) or any("case" in act for act in history):
        there = called(db, keys, links)
        named = [
            link if isinstance(link, str) else name_of(db, keys, link)
            for link in links
            if isinstance(link, str) or link in there
        ]
        nameless = [{name: value for name, value in act.items() if name != "case"} for act in history]
        case_file.work_record |= {"links": named, "history": nameless}


def enter_restore(db: Session, keys: Keys, pin: Pin, teams: Iterable[int], day: date, reason: str, now: float) -> None:
    """A member says that a backup of that day was put back: what lies there is what these teams know from now on."""
    restore = taken.Restore(day.isoformat(), reason, keys.member, int(now) // HOUR)
    for team in teams:
        taken.take_back(db, keys, pin, team, restore)
        _note(db, keys, team, max(keys.epochs[team]), "restored", now)


def _note(db: Session, keys: Keys, team: int, epoch: int, act: str, now: float, case: str = "") -> None:
    """An act on a case, or on all: sealed under the team's vault key and bound to its number in the chain."""
    number = audit.head(db)[0] + 1
    content = {"actor": keys.member, "case": case, "act": act, "hour": int(now) // HOUR}
    written = as_json(audit.signed(db, keys.signer, content, team, epoch))
    place = audit_context(team, epoch, number)
    audit.append(db, sealing.seal(keys.of(team, epoch).vault, place, written), team, epoch)
    heads.see_audit(db, keys.member, keys.private)
