"""The living directory: who changed what and why, what is due, what reporters flag, what is missing where.

Work floor: is handed a session and the day. Has never heard of a case: what is missing is worked out of the
directory, the places and the written cases, never of what people looked for. Of a flag only the week is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from referrals import directory, matching, needs, rehearsal
from referrals.directory import COLUMNS, Shelf
from referrals.hours import UNKNOWN, YES
from referrals.index import ServiceCard, is_listed
from referrals.matching import Seeker
from referrals.models import CoverageRow, FlagRow, ForeignRow, HistoryRow, PlaceRow, ServiceRow
from referrals.shelf import DATA, changed, home
from reporting.incidents import N_, Incident

OFTEN, SELDOM, OLD = 30, 180, 365  # days: lines and PEP sites are due, others are due, marked as old
EDITABLE = tuple(column for column in COLUMNS if column != "id")
CONFIRMED, EDITED, LEARNED, NOBODY, IMPORTED = "confirmed", "edited", "learned", "nobody", "imported"
FLAGS = {
    "dead": N_("Dead number"),
    "unsafe": N_("They were not safe"),
    "refused": N_("They refused somebody we referred"),
}
LONGEST = 2000  # characters of a cell
SHELTER = "SHELTER"
OUR_CALL = "Llamada de nuestro equipo"  # the source of a row that no paper has named: somebody of the team asked
OURS = "seen"  # the status of a row that somebody has seen


class Changed(Exception):
    """Somebody else changed this service since it was read."""


class Refused(ValueError):
    """What was typed cannot be stored; each reason is a message id."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


# ── one service ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Act:
    """A line of a service's history."""

    day: str
    who: str
    act: str
    why: str
    changes: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A service as the team sees it: its cells, its history, what was flagged, when it is due."""

    row: Mapping[str, str]
    stamp: str  # of the cells as they are: a change elsewhere gives another one
    acts: tuple[Act, ...]
    flags: tuple[tuple[str, str, int], ...]  # week, kind, count; the newest first
    foreign: Mapping[str, str]
    due: Due


@dataclass(frozen=True, slots=True)
class Due:
    """When a service has to be looked at again."""

    service: str
    name: str
    phone: str
    every: int  # days
    verified_on: str
    since: int | None  # days since then; None: never
    flagged: int  # flags that nobody has answered

    @property
    def over(self) -> bool:
        """It is time: never looked at, too long ago, or somebody said that it is wrong."""
        return self.since is None or self.since >= self.every or self.flagged > 0

    @property
    def old(self) -> bool:
        """Nobody has looked for a year."""
        return self.since is None or self.since > OLD


def entry(db: Session, service: str, today: date) -> Entry | None:
    """Everything about one service."""
    row = db.get(ServiceRow, service)
    if row is None or not _is_at_home(db, service):
        return None
    acts = db.scalars(select(HistoryRow).where(HistoryRow.service == service).order_by(HistoryRow.id.desc()))
    flags = db.scalars(select(FlagRow).where(FlagRow.service == service).order_by(FlagRow.week.desc(), FlagRow.kind))
    listed = list(flags)
    foreign = db.get(ForeignRow, service)
    cells = cells_of(row)
    return Entry(
        row=cells,
        stamp=stamp_of(cells),
        acts=tuple(Act(one.day, one.who, one.act, one.why, json.loads(one.changes)) for one in acts),
        flags=tuple((one.week, one.kind, one.count) for one in listed),
        foreign=json.loads(foreign.told) if foreign else {},
        due=_due_of(cells, today, sum(one.count for one in listed if one.waits)),
    )


def cells_of(row: ServiceRow) -> dict[str, str]:
    """A row as the file has it."""
    return {column: getattr(row, column) for column in COLUMNS}


def stamp_of(cells: Mapping[str, str]) -> str:
    """A short name for exactly these cells."""
    return hashlib.sha256(json.dumps([cells[column] for column in COLUMNS]).encode()).hexdigest()[:16]


def confirm(db: Session, service: str, who: str, today: date, stamp: str) -> None:
    """Somebody has looked or called: all of it is still true today."""
    row = _locked(db, service, stamp)
    _write(db, row, _seen_today(row, today), Act("", who, CONFIRMED, "", {}), today)


def edit(db: Session, service: str, told: Mapping[str, str], who: str, why: str, today: date, stamp: str) -> None:
    """Other cells, with a reason. What cannot be stored is refused in words, and nothing changes."""
    row = _locked(db, service, stamp)
    new = {column: tidy(told[column]) for column in EDITABLE if column in told}
    _write(db, row, new, Act("", who, EDITED, tidy(why), {}), today)


def learn(db: Session, service: str, told: Mapping[str, str], who: str, today: date, stamp: str) -> None:
    """What a call taught: cells that were unknown, and that the rest was looked at today."""
    row = _locked(db, service, stamp)
    unknown = {question.column for question in unknown_of(cells_of(row))}
    new = {column: tidy(cell) for column, cell in told.items() if column in unknown and tidy(cell)}
    _write(db, row, new | _seen_today(row, today), Act("", who, LEARNED, "", {}), today)


def nobody_answered(db: Session, service: str, who: str, today: date) -> None:
    """Somebody called and nobody answered: that is written down, nothing is confirmed by it."""
    if db.get(ServiceRow, service) is None:
        raise Changed
    _note(db, service, Act("", who, NOBODY, "", {}), today)


def tidy(cell: str) -> str:
    """A cell as it is stored: one kind of line end, no character that nobody can see or store."""
    lines = cell.replace("\r\n", "\n").replace("\r", "\n")
    seen = (" " if sign.isspace() and sign not in "\n\t" else sign for sign in lines)
    return "".join(sign for sign in seen if sign in "\n\t" or sign.isprintable())[:LONGEST].strip()


def _seen_today(row: ServiceRow, today: date) -> dict[str, str]:
    """Confirming is a source where there was none: only then may the row be a door."""
    seen = {"verified_on": today.isoformat()}
    if not row.source:
        seen |= {"source": OUR_CALL, "source_date": today.isoformat()}
    return seen | ({"status": OURS} if row.status == "unverified" else {})


def _locked(db: Session, service: str, stamp: str) -> ServiceRow:
    row = db.get(ServiceRow, service, with_for_update=True)
    if row is None or stamp_of(cells_of(row)) != stamp:
        raise Changed
    return row


def _write(db: Session, row: ServiceRow, new: dict[str, str], act: Act, today: date) -> None:
    before = cells_of(row)
    after = before | new
    places = {one.code: one.name for one in db.scalars(select(PlaceRow))}
    wrong = list(directory.faults(after, places, home(db).country))
    if wrong:
        raise Refused(wrong)
    changes = {column: (before[column], after[column]) for column in COLUMNS if before[column] != after[column]}
    directory.store(db, after, places)
    _note(db, row.id, Act("", act.who, act.act, act.why, changes), today)
    db.execute(update(FlagRow).where(FlagRow.service == row.id).values(waits=False))
    if after["service_type"] == SHELTER:
        forget_where(db, row.id)
    changed(db, [row.id])


def _note(db: Session, service: str, act: Act, today: date) -> None:
    told = json.dumps(act.changes, ensure_ascii=False)
    db.add(HistoryRow(service=service, day=today.isoformat(), who=act.who, act=act.act, why=act.why, changes=told))
    db.flush()


def forget_where(db: Session, service: str) -> None:
    """What became a shelter keeps its address nowhere: not in its history, not in what a foreign file said."""
    db.execute(delete(ForeignRow).where(ForeignRow.service == service))
    for row in db.scalars(select(HistoryRow).where(HistoryRow.service == service)):
        changes = json.loads(row.changes)
        if changes.pop("address", None) is not None:
            row.changes = json.dumps(changes, ensure_ascii=False)
    db.flush()


# ── due ─────────────────────────────────────────────────────────────────────────────────────────────────────


def due(db: Session, today: date) -> tuple[Due, ...]:
    """Every service with what is due: flagged first, then never looked at, then the longest ago."""
    waiting = select(FlagRow.service, func.sum(FlagRow.count)).where(FlagRow.waits).group_by(FlagRow.service)
    flagged = {service: int(count) for service, count in db.execute(waiting)}
    rows, here = db.scalars(select(ServiceRow).order_by(ServiceRow.id)), at_home(db)
    found = [_due_of(cells_of(row), today, flagged.get(row.id, 0)) for row in rows if row.id in here]
    return tuple(sorted(found, key=_most_due))


def _is_at_home(db: Session, service: str) -> bool:
    covers = select(CoverageRow.place).where(CoverageRow.service == service)
    return home(db).holds(db.scalars(covers))


def at_home(db: Session) -> frozenset[str]:
    """The services that cover a place of this country: those of another one are not looked at."""
    inside = CoverageRow.place.startswith(home(db).country)
    return frozenset(db.scalars(select(CoverageRow.service).where(inside)))


def _most_due(one: Due) -> tuple[bool, int, int, int, str]:
    never = one.since is None
    return not one.over, -one.flagged, one.every, 0 if never else 1 - (one.since or 0), one.service


def _due_of(cells: Mapping[str, str], today: date, flagged: int) -> Due:
    verified = cells["verified_on"]
    since = max(0, (today - date.fromisoformat(verified)).days) if verified else None
    return Due(cells["id"], cells["name"], cells["phone"], _every(cells), verified, since, flagged)


def _every(cells: Mapping[str, str]) -> int:
    """Crisis lines and places that say they hold PEP change oftenest, and a dead one costs most."""
    return OFTEN if cells["service_type"] == "CRISIS_LINE" or cells["has_pep"].startswith(YES) else SELDOM


# ── flags ───────────────────────────────────────────────────────────────────────────────────────────────────


def flag(db: Session, service: str, kind: str, today: date) -> bool:
    """Somebody says that a number is dead or that a place was not safe. True if there is such a service."""
    if kind not in FLAGS or db.get(ServiceRow, service, with_for_update=True) is None:
        return False
    week = f"{today.isocalendar().year}-W{today.isocalendar().week:02d}"
    row = db.get(FlagRow, (service, week, kind))
    known = db.scalar(select(func.count()).select_from(FlagRow).where(FlagRow.service == service, FlagRow.waits))
    if row is None:
        db.add(FlagRow(service=service, week=week, kind=kind, count=1, waits=True))
    else:
        row.count, row.waits = row.count + 1, True
    db.flush()
    if not known:
        changed(db, [service])  # the first word of doubt moves it; more of the same change nothing
    return True


# ── what to ask ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Question:
    """A cell that may be unknown, and how a person asks for it. No answers listed: it is typed."""

    column: str
    words: str
    answers: tuple[str, ...] = ()
    need: str = ""  # asked only where the type of service can serve this need
    on_paper: bool = True  # a sheet that is left lying about must not tell for whom the list is


YES_NO = (YES, "no")
NOT_ON_PAPER = False
QUESTIONS = (
    Question("phone", N_("Which number do they answer?")),
    Question("hours", N_("On which days and at which hours do they attend?")),
    Question("is_24h", N_("Do they attend 24 hours?"), YES_NO),
    Question("has_pep", N_("Do they have PEP, the medicine that can prevent HIV, today?"), YES_NO, "N_PEP"),
    Question("has_ec", N_("Do they have emergency contraception today?"), YES_NO, "N_EC"),
    Question("has_forensic", N_("Do they do the medico-legal exam?"), YES_NO, "N_FORENSIC"),
    Question("accepts_no_id", N_("Do they attend people without an identity card?"), YES_NO),
    Question("police_inside_or_run", N_("Are there police inside, or is it run by the police?"), YES_NO),
    Question("trans_friendly", N_("Ask companions, not the service: do they treat trans people well?"), YES_NO, "",
             NOT_ON_PAPER),
    Question("sw_friendly", N_("Ask companions, not the service: do they treat sex workers well?"), YES_NO, "",
             NOT_ON_PAPER),
    Question("minors", N_("Do they attend people under 18?"), (YES, "no", "only")),
    Question("cost", N_("What does it cost?")),
    Question("languages", N_("Which languages do they speak?")),
    Question("address", N_("Where is it?")),
)  # fmt: skip


def unknown_of(cells: Mapping[str, str]) -> tuple[Question, ...]:
    """What nobody has told about a service yet. A shelter is never asked where it is."""
    serves = directory.service_types().get(cells["service_type"], {}).get("needs", ())
    asked = (one for one in QUESTIONS if not one.need or one.need in serves)
    return tuple(one for one in asked if _is_unknown(cells, one))


def _is_unknown(cells: Mapping[str, str], question: Question) -> bool:
    if question.column == "address":
        return not cells["address"] and cells["service_type"] != SHELTER and cells["coverage"] != "national"
    if question.column == "is_24h" and re.search(r"24", cells["hours"]):
        return False
    return cells[question.column] in ({"", UNKNOWN} if question.answers else {""})


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a work list: whom to call, what to ask, who tried before."""

    row: Mapping[str, str]
    unknown: tuple[Question, ...]
    due: Due
    tried: tuple[str, ...]  # days on which nobody answered
    gaps: bool  # nobody has seen it: not shown to reporters until somebody confirms it


def worklist(db: Session, held: Shelf, place: str, today: date) -> tuple[Task, ...]:
    """What a local team can find out in an afternoon: local services that are due or unknown in part.

    First those with a number, because they can be called; among them those that are asked for most urgently.
    """
    cards = {card.service_id for card in held.cards.by_id.values() if _is_local(card, place)}
    tried: dict[str, list[str]] = {}
    for row in db.scalars(select(HistoryRow).where(HistoryRow.act == NOBODY).order_by(HistoryRow.id)):
        tried.setdefault(row.service, []).append(row.day)
    rows = {row.id: cells_of(row) for row in db.scalars(select(ServiceRow)) if row.id in cards}
    states = {one.service: one for one in due(db, today) if one.service in rows}
    found = [
        Task(cells, unknown_of(cells), states[service], tuple(tried.get(service, ())), not cells["source"])
        for service, cells in rows.items()
    ]
    return tuple(sorted((one for one in found if one.unknown or one.due.over), key=_easiest))


def _easiest(task: Task) -> tuple[bool, int, str]:
    return not task.row["phone"], task.due.every, task.row["id"]


def _is_local(card: ServiceCard, place: str) -> bool:
    return any(code.startswith(place) or (len(code) == len("PE25") and place.startswith(code))
               for code in card.coverage)  # fmt: skip


# ── gaps ────────────────────────────────────────────────────────────────────────────────────────────────────

VERIFIED, LISTED, FAR, MISSING = "verified", "listed", "national", "missing"
STATES = {
    VERIFIED: N_("Verified within a year"),
    LISTED: N_("Only in a source, not verified"),
    FAR: N_("Only something for the whole country, not verified"),
    MISSING: N_("Nothing"),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A need over some provinces: the names of the provinces by how well it is met there."""

    need: str
    provinces: Mapping[str, tuple[str, ...]]  # state -> codes

    def count(self, *states: str) -> int:
        """In how many provinces."""
        return sum(len(self.provinces[state]) for state in states)

    @property
    def all(self) -> int:
        """How many provinces were looked at."""
        return self.count(*STATES)


def gaps(held: Shelf, today: date, inside: str = "") -> tuple[Gap, ...]:
    """For each need the provinces where a verified service meets it, and where none does; the emptiest first."""
    provinces = [
        code for code in held.parents if len(code) == len("PE2501") and code.startswith(inside or held.cards.country)
    ]
    served = {need: _states_by_place(held, need, today) for need in needs.NEEDS}
    found = []
    for need, by_place in served.items():
        states: dict[str, list[str]] = {state: [] for state in STATES}
        for code in sorted(provinces):
            states[_state_of(by_place, code)].append(code)
        found.append(Gap(need, {state: tuple(codes) for state, codes in states.items()}))
    return tuple(sorted(found, key=lambda gap: (gap.count(VERIFIED), gap.count(VERIFIED, LISTED), gap.need)))


def _states_by_place(held: Shelf, need: str, today: date) -> dict[str, str]:
    best: dict[str, str] = {}
    for card in held.cards.by_id.values():
        if need not in card.needs or not is_listed(card):
            continue
        for place in card.coverage:
            state = _state_of_card(card, today, national=place == held.cards.country)
            best[place] = min(best.get(place, state), state, key=tuple(STATES).index)
    return best


def _state_of_card(card: ServiceCard, today: date, *, national: bool) -> str:
    if card.verified_on and date.fromisoformat(card.verified_on) >= today - timedelta(days=OLD):
        return VERIFIED
    return FAR if national else LISTED


def _state_of(by_place: Mapping[str, str], province: str) -> str:
    found = [by_place[code] for code in (province, province[:4], province[:2]) if code in by_place]
    return min(found, key=tuple(STATES).index, default=MISSING)


def gap_rows(held: Shelf, today: date) -> Iterator[tuple[str, str, str, str]]:
    """Province code, its name, need, state: for a spreadsheet."""
    for gap in gaps(held, today):
        for state, codes in gap.provinces.items():
            yield from ((code, held.cards.place_names[code], gap.need, state) for code in codes)


# ── never matched ───────────────────────────────────────────────────────────────────────────────────────────

TUESDAY = datetime(2026, 11, 24, 15, tzinfo=UTC)  # ten in the morning in Lima: when it asks who is offered at all
CASES = ("vignettes.yaml", "golden-cases.yaml")  # written cases in data/, as many of them as are there
WHY_NEVER = {
    "unseen": N_("No source has seen it: confirm it or take it out."),
    "silent": N_("It has no number, and no line leads there."),
    "behind": N_("Others always go before it."),
}


def never_matched(held: Shelf) -> dict[str, str]:
    """Services that no written case is ever offered, wherever it happens, and why. From the directory alone."""
    offered: set[str] = set()
    for incident in _written_cases():
        assessed = needs.assess(incident)
        for places in _places_that_differ(held):
            seeker = Seeker(incident, assessed.must_not, places, ("es",))
            for need in assessed.needs:
                offered |= {offer.service_id for offer in matching.offers(need, seeker, held.cards, TUESDAY)[0]}
    cards = (card for card in held.cards.by_id.values() if card.service_id not in offered)
    return {card.service_id: _why_never(card) for card in cards}


def _written_cases() -> Iterator[Incident]:
    for name in CASES:
        if (DATA / name).exists():
            text = (DATA / name).read_text("utf-8")
            yield from (incident for _, incident, _ in rehearsal.assess_file(text, Path(name).suffix))


def _places_that_differ(held: Shelf) -> list[tuple[str, ...]]:
    """No place, and every place that some service names: elsewhere the answers are those of no place."""
    named = {code for card in held.cards.by_id.values() for code in card.coverage} - {held.cards.country}
    return [(), *((code, code[:4]) if len(code) > len("PE25") else (code,) for code in sorted(named))]


def _why_never(card: ServiceCard) -> str:
    if not is_listed(card):
        return WHY_NEVER["unseen"]
    return WHY_NEVER["behind" if card.tel or card.through else "silent"]
