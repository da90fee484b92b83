"""A day at the desk, drawn by a seed: 302 cases of known kinds, filed straight into the store below the pages.

What each tab must hold follows from the kind alone, never from what the queue says of it. Two case workers, rosa and
milagros, have some of them in hand. One window closes before all others: it has two hours left.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from referrals.casework import referral
from referrals.directory import snapshot
from referrals.help.answers import help_for
from reporting.cases import actions, desk, store, submission
from reporting.cases.case_file import CaseFile
from reporting.cases.junk import LINKS, QUICK
from reporting.cases.records import FROM_TEAM, NewReport, Visit
from reporting.cases.store import StretchedReceipt
from reporting.cases.summary import OPEN
from reporting.clock import HOUR
from reporting.sessions import tickets
from reporting.storage.database import reading, writing
from reporting.teams import team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASEWORK, STATISTICS
from reporting.vocabulary.incident import Incident
from tests.people import Place

CASES, LEFT = 302, 2
LONG_AGO = 55  # hours: then the team did what it did; she spoke since, where she waits
SPANISH, QUECHUA = "es", "qu"
DEPARTMENTS = ("PE08", "PE13", "PE15", "PE25")
GIRL = "A14_17"
AGES = (GIRL, "A18_24", "A25_34")
QUIET = Incident(about="SELF", violence=frozenset({"THREATS"}), age="A25_34")
RAPE = replace(QUIET, violence=frozenset({"RAPE"}), condom="no", pregnant_possible="yes")
# how the window that closes first looks: (what she told, hours after which it closes)
FIRST_WINDOWS = (
    (RAPE, 72),
    (replace(RAPE, age=GIRL), 120),
    (replace(RAPE, flags=frozenset({"S_PERP_NEAR"})), 120),
)


@dataclass(frozen=True)
class Kind:
    """What some of the cases have in common: how many of them there are, how many hours ago they were told."""

    least: int
    most: int
    told: tuple[int, int]
    tabs: str  # in which they lie, but for "mine"
    owned: bool = False
    flags: frozenset[str] = frozenset()
    window: bool = False
    signs: tuple[str, ...] = ()


BLEEDS = frozenset({"D_BLEEDING"})
KINDS = {
    "danger of today": Kind(0, 2, (1, 20), "today new open", flags=BLEEDS),
    "the first window": Kind(1, 1, (1, 1), "today new open", window=True),
    "a window": Kind(4, 9, (1, 10), "today new open", window=True),
    "a window beside what is more urgent": Kind(2, 4, (1, 10), "today new open", window=True),
    "a window in hand": Kind(2, 6, (1, 10), "today open", owned=True, window=True),
    "danger of last week": Kind(44, 50, (30, 200), "today open", flags=BLEEDS),
    "she wrote to a closed case": Kind(1, 4, (300, 900), "today waits open", owned=True),
    "she said yes": Kind(2, 6, (60, 300), "today waits open", owned=True),
    "a letter waits": Kind(6, 15, (60, 300), "today waits open", owned=True),
    "new": Kind(15, 30, (30, 90), "today new open"),
    "nobody has it": Kind(8, 20, (90, 400), "today open"),
    "closed": Kind(30, 50, (300, 900), "", owned=True),
    "junk": Kind(5, 12, (30, 300), ""),
    "perhaps junk": Kind(4, 10, (30, 90), "", signs=(QUICK, LINKS)),
    "in hand": Kind(0, CASES, (60, 300), "open", owned=True),  # all that are left
}


@dataclass(frozen=True)
class Drawn:
    """One case as it was drawn. `spoke`: hours since her last word."""

    kind: str
    incident: Incident
    told: int
    language: str
    owner: str
    spoke: int

    @property
    def window(self) -> bool:
        """Whether one is open that somebody may overlook."""
        return KINDS[self.kind].window

    @property
    def minor(self) -> bool:
        """Whether she is under 18."""
        return self.incident.age == GIRL

    def lies_in(self, tab: str, me: str) -> bool:
        """Whether it lies in a tab for somebody."""
        tabs = KINDS[self.kind].tabs.split()
        return self.owner == me and "open" in tabs if tab == "mine" else tab in tabs


@dataclass
class Day:
    """What lies there: every case by its number."""

    cases: dict[int, Drawn] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The case whose window closes before all others."""
        return next(case for case, one in self.cases.items() if one.kind == "the first window")

    def count(self, tab: str, me: str, shows: Callable[[Drawn], bool] = lambda _: True) -> int:
        """How many cases lie in a tab for somebody who chose to be shown some."""
        return sum(one.lies_in(tab, me) and shows(one) for one in self.cases.values())

    def windows_without(self, shows: Callable[[Drawn], bool]) -> int:
        """How many open windows are not shown."""
        return sum(one.window and not shows(one) for one in self.cases.values())


def drawn(seed: int) -> list[Drawn]:
    """The cases of a day, shuffled: the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 -- for variety, not for secrecy
    counts = {name: chance.randint(kind.least, kind.most) for name, kind in KINDS.items() if name != "in hand"}
    counts["in hand"] = CASES - sum(counts.values())
    every = [_draw(name, chance, seed) for name, count in counts.items() for _ in range(count)]
    chance.shuffle(every)
    return every


def _draw(name: str, chance: random.Random, seed: int) -> Drawn:
    kind = KINDS[name]
    told, age = chance.randint(*kind.told), chance.choice(AGES)
    incident = replace(QUIET, flags=kind.flags, age=age if not kind.signs else QUIET.age)  # no child is put aside
    if name == "the first window":
        incident, closes = FIRST_WINDOWS[seed % len(FIRST_WINDOWS)]
        incident = replace(incident, hours=(float(closes - LEFT - told),) * 2)
    elif name == "a window beside what is more urgent":  # what protects a child comes before the pill, which has time
        incident = replace(RAPE, age=GIRL, hours=(float(chance.randint(74, 80)),) * 2)
    elif kind.window:
        incident = replace(RAPE, age=age, hours=(float(chance.randint(3, 50)),) * 2)
    return Drawn(
        kind=name,
        incident=replace(incident, department=chance.choice(DEPARTMENTS)),
        told=told,
        language=SPANISH if kind.window else chance.choice((SPANISH, QUECHUA)),
        owner=chance.choice(("rosa", "milagros")) if kind.owned else "",
        spoke=chance.randint(1, LONG_AGO - 5) if "waits" in kind.tabs else told,
    )


# ── filed ───────────────────────────────────────────────────────────────────────────────────────────────────


def filed(place: Place, seed: int) -> Day:
    """A day is filed, and all that was done with its cases is done."""
    keys, day = {name: place.signs_in(name) for name in ("rosa", "milagros")}, Day()
    with reading(place.engine) as db:
        teams = team_log.teams(db, place.pin)
    readers, counters = team_log.team_of_kind(teams, CASEWORK), team_log.team_of_kind(teams, STATISTICS)
    with writing(place.engine) as db:
        for one in drawn(seed):
            receipt = StretchedReceipt(os.urandom(32), os.urandom(32))
            report = _report(place, one)
            sealed = submission.prepare(report, receipt, readers, counters, place.settings.pepper, place.clock())
            submission.file_invented(db, sealed)
            visit = store.come_back(db, [receipt])[0]
            day.cases[visit.case] = one
            _happens(db, place, keys[one.owner or "rosa"], visit, one)
        desk.move_to_vault(db, keys["rosa"], at_most=CASES)  # last: then the list of what the team has is written once
    return day


def _report(place: Place, one: Drawn) -> NewReport:
    return submission.new_report(
        one.incident,
        "",
        consents=frozenset({"C_LETTERS"}),
        language=one.language,
        trip=tickets.new_trip(),
        hour=int(place.clock()) // HOUR - one.told,
        signs=KINDS[one.kind].signs,
    )


def _happens(db: Session, place: Place, keys: Keys, visit: Visit, one: Drawn) -> None:
    if one.kind in OURS:
        with desk.at_desk(db, keys, visit.case, place.clock() - LONG_AGO * HOUR, "changed") as case_file:
            for act in OURS[one.kind]:
                act(case_file, place, keys)
    if one.kind in HERS:
        HERS[one.kind](db, visit, place.clock() - one.spoke * HOUR)


def _looks(case_file: CaseFile, _place: Place, _keys: Keys) -> None:
    case_file.summary = replace(case_file.summary, unread=False, state=OPEN)


def _takes(case_file: CaseFile, place: Place, keys: Keys) -> None:
    actions.assign(case_file, keys.member, keys.member, place.clock())


def _answers(case_file: CaseFile, place: Place, _keys: Keys) -> None:
    hour = int(place.clock()) // HOUR - LONG_AGO
    case_file.add("letter", {"from": FROM_TEAM, "hour": hour, "text": "aquí estamos"})
    case_file.summary = replace(case_file.summary, answered=True)


def _closes(case_file: CaseFile, place: Place, keys: Keys) -> None:
    actions.close(case_file, keys.member, "RECORD_ONLY", "ya está", place.clock() - LONG_AGO * HOUR)


def _marks(case_file: CaseFile, place: Place, keys: Keys) -> None:
    actions.mark(case_file, keys.member, "JUNK", "", "anuncio", place.clock())


def _proposes(case_file: CaseFile, place: Place, keys: Keys) -> None:
    shelf = snapshot.snapshot_of(lambda: reading(place.engine))
    found = help_for(shelf, case_file.incident_at(place.clock()), place.clock(), languages=(SPANISH,))
    need, offer = next((one.need.code, offer) for one in found.needs for offer in one.offers)
    service = shelf.cards.by_id[offer.service_id]
    referral.propose(case_file, keys.member, service, need, ("need",), place.clock() - LONG_AGO * HOUR)


def _agrees(db: Session, visit: Visit, now: float) -> None:
    with store.on_visit(db, visit, now) as case_file:
        referral.agree(case_file, case_file.all_of("referral")[0].number, now)


def _writes(db: Session, visit: Visit, now: float) -> None:
    store.write_as_reporter(db, visit, "me volvió a buscar", now)


# kind -> what the team did with each case of it, in this order; then what she did
OURS: dict[str, tuple[Callable[[CaseFile, Place, Keys], None], ...]] = {
    "danger of last week": (_looks,),
    "nobody has it": (_looks,),
    "a window in hand": (_looks, _takes),
    "in hand": (_looks, _takes, _answers),
    "closed": (_looks, _takes, _closes),
    "she wrote to a closed case": (_looks, _takes, _closes),
    "she said yes": (_looks, _takes, _proposes),
    "a letter waits": (_looks, _takes, _answers),
    "junk": (_looks, _marks),
}
HERS: dict[str, Callable[[Session, Visit, float], None]] = {
    "she wrote to a closed case": _writes,
    "she said yes": _agrees,
    "a letter waits": _writes,
}
