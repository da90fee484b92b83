"""Practice for a team: an installation of invented people, a clock that can be moved, six cases that come alone.

Reports come the way real ones do: the code that her pages call seals and files them. What a team does with them is read
from its own record of acts, with the keys of one of the invented case workers, which no real installation gives away.
Knows no page, and not what is made of it at the end (`how_it_went`).
"""

from __future__ import annotations

import os
import secrets
import threading
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from referrals.directory import snapshot
from referrals.help.answers import help_for
from reporting.cases import actions, desk, store, submission
from reporting.cases.records import FROM_TEAM, Case
from reporting.clock import DAY, HOUR, MINUTE
from reporting.config import Settings
from reporting.crypto import receipts
from reporting.crypto.receipts import Receipt
from reporting.i18n import N_
from reporting.operations import demo
from reporting.sessions import tickets
from reporting.storage.database import reading, writing
from reporting.teams import keyring, members, staff_sessions, team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASEWORK, STATISTICS, CannotOpen, Pin
from reporting.vocabulary.incident import Incident
from reporting.web import languages

MINUTES: Final = 20  # from the beginning to when it is looked at together
# which of what comes it is -> as it is called at the end
KINDS: Final = {
    "hours-left": N_("Two hours were left"),
    "junk": N_("Junk"),
    "child": N_("She is 16"),
    "again": N_("A closed case writes again"),
    "threat": N_("A threat against the team"),
    "another": N_("Told for a companion"),
}
TO_BE_MARKED: Final = frozenset({"junk", "threat"})  # what nobody answers
# what a team does with a case that can be counted -> how often it did in this case
COUNTED: Final[Mapping[str, Callable[[Case], int]]] = {
    "letter": lambda case: sum(letter.sender == FROM_TEAM for letter in case.letters),
    "referral": lambda case: len(case.referrals),
    "attempt": lambda case: len(case.work_record.get("attempts", ())),
    "marked": lambda case: len(case.marks),
}
ANSWERS: Final = ("letter", "referral", "attempt")  # what reaches her, or was tried to
OPENED: Final = "opened"


class PracticeClock:
    """The clock of everything in a practice: that of the machine, and as much ahead as somebody moved it."""

    def __init__(self, machine: Callable[[], float] = time.time) -> None:
        self._machine, self.ahead = machine, 0.0

    def __call__(self) -> float:
        return self._machine() + self.ahead

    def on(self, seconds: float) -> None:
        """Move it on. It never goes back: what came would not have come yet."""
        self.ahead += max(0.0, seconds)


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that comes in practice; see practice.toml."""

    what: str
    at: float  # seconds since 1970
    words: str
    answers: Mapping[str, Any]  # empty: a letter to the case that is closed
    seconds: float | None


@dataclass(slots=True)
class Came:
    """One that came: its case, what was told, and since when (seconds since 1970) which act was done by whom."""

    coming: Coming
    case: int
    incident: Incident
    before: Mapping[str, int]  # how often each of COUNTED had been done when it came
    first: dict[str, float] = field(default_factory=dict)
    opened_by: int = 0

    @property
    def answered(self) -> float | None:
        """When the team first answered; None where it did not."""
        return min((self.first[act] for act in ANSWERS if act in self.first), default=None)


@dataclass(slots=True)
class Practice:
    """One practice, in the memory of the process that serves it."""

    settings: Settings
    engine: Engine
    clock: PracticeClock
    accounts: list[dict[str, str]]
    keys: Keys  # of the case worker who made the team's keys
    before: tuple[int, Receipt]  # the case that is closed, and its code
    waiting: list[Coming]
    began: float
    came: list[Came] = field(default_factory=list)
    _read: int = 0  # so many acts of the record were looked at
    _seen: dict[str, float] = field(
        default_factory=dict
    )  # staff session -> how far ahead the clock was at its last use
    _one_at_a_time: Any = field(default_factory=threading.RLock)  # the terminal and the pages both look

    @property
    def time(self) -> str:
        """What its clock says, as people read it."""
        return f"{languages.local(self.clock(), self.settings.time_zone):%H:%M}"

    # ── what comes ──────────────────────────────────────────────────────────────────────────────────────────

    def bring(self) -> list[Came]:
        """File whatever has to be there by now. Returns what is new."""
        with self._one_at_a_time:
            due = [coming for coming in self.waiting if coming.at <= self.clock()]
            self.waiting = [coming for coming in self.waiting if coming not in due]
            new = [self._brought(coming) for coming in due]
            self.came += new
            return new

    def bring_next(self) -> list[Came]:
        """Move the clock to the next one that comes, or to the end of practice where all are there."""
        with self._one_at_a_time:
            until = self.waiting[0].at if self.waiting else self.began + MINUTES * MINUTE
            self.clock.on(until - self.clock())
            return self.bring()

    def _brought(self, coming: Coming) -> Came:
        if not coming.answers:
            case, receipt = self.before
            _writes_again(self, receipt, coming)
        else:
            case = _filed(self.settings, self.engine, coming, receipts.draw(secrets.randbelow))
        opened = self._opened(case)
        incident = opened.incident_at(coming.at)
        return Came(coming, case, incident, {act: count(opened) for act, count in COUNTED.items()})

    # ── what the team did ───────────────────────────────────────────────────────────────────────────────────

    def look(self) -> None:
        """Note when the team first did what, by its own record of acts. Writes nothing there."""
        with self._one_at_a_time:
            with reading(self.engine) as db:
                acts = desk.acts(db, self._keys_now(db), {})
            now, cases = self.clock(), {came.case: came for came in self.came}
            for act in sorted(acts, key=lambda act: act.number):
                if act.number > self._read and act.case in cases:
                    self._note(cases[act.case], act.actor, now)
            self._read = max((act.number for act in acts), default=self._read)

    def _note(self, came: Came, actor: int, now: float) -> None:
        if OPENED not in came.first:
            came.opened_by = actor
        came.first.setdefault(OPENED, now)
        opened = self._opened(came.case)
        for act, count in COUNTED.items():
            if count(opened) > came.before[act]:
                came.first.setdefault(act, now)

    def opened(self, came: Came) -> Case:
        """The case as it is now. `CannotOpen` where it went."""
        return self._opened(came.case)

    def _opened(self, case: int) -> Case:
        with reading(self.engine) as db:
            opened = next(desk.opened(db, self._keys_now(db), [case]), None)
        if opened is None:
            raise CannotOpen
        return opened

    def _keys_now(self, db: Session) -> Keys:
        """The keys with those of epochs that began since."""
        verified = team_log.teams(db, Pin(self.settings.pin_file))
        return replace(self.keys, epochs=keyring.held_by(db, self.keys.private, self.keys.member, verified))

    def name_of(self, member: int) -> str:
        """What somebody of the team is called."""
        with reading(self.engine) as db:
            return members.account(db, member).name

    # ── who is at the desk ──────────────────────────────────────────────────────────────────────────────────

    def digits(self) -> list[tuple[str, str]]:
        """(name, the six digits with which this person signs in now), by the clock of practice."""
        return [
            (account["name"], members.totp_code(members.totp_bytes(account["totp_secret"]), self.clock()))
            for account in self.accounts
        ]

    def go_on(self, token: str) -> None:
        """Whoever is signed in stays so when the clock is moved, and is as idle as before."""
        name, ahead = staff_sessions.name_of(token), self.clock.ahead
        moved = ahead - self._seen.get(name, ahead)
        self._seen[name] = ahead
        if name and moved:
            try:
                with writing(self.engine) as db:
                    staff_sessions.go_on(db, token, self.clock() - moved, self.clock())
            except CannotOpen:
                return  # it was over already


# ── how it is made ──────────────────────────────────────────────────────────────────────────────────────────


def begin(settings: Settings, engine: Engine, clock: PracticeClock, say: demo.Say) -> Practice:
    """People, keys, the directory and the case that is closed already; from now on the clock brings the others."""
    now, language, texts = clock(), settings.languages[0], _texts()
    accounts, keys = demo.begin(settings, engine, now, say)
    before = _closed_before(settings, engine, keys, texts["before"], now)
    waiting = [
        Coming(
            row["what"], now + row["minute"] * MINUTE, _in(language, row), row.get("answers", {}), row.get("seconds")
        )
        for row in texts["coming"]
    ]
    practice = Practice(settings, engine, clock, accounts, keys, before, waiting, now)
    practice.look()  # what was done before does not count
    return practice


def _texts() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "practice.toml").read_text(encoding="utf-8"))


def _in(language: str, row: Mapping[str, Any], name: str = "") -> str:
    words: str = row[f"{name}{language if language == 'es' else 'en'}"]
    return words


def _filed(settings: Settings, engine: Engine, coming: Coming, receipt: Receipt) -> int:
    """A report, as the page behind «Send» files it. Returns the number of its case."""
    with reading(engine) as db:
        teams = team_log.teams(db, Pin(settings.pin_file))
    readers, counters = team_log.team_of_kind(teams, CASEWORK), team_log.team_of_kind(teams, STATISTICS)
    report = submission.from_answers(
        {**coming.answers, "narrative": coming.words},
        language=settings.languages[0],
        trip=tickets.new_trip(),
        now=coming.at,
        seconds=coming.seconds,
        sender=os.urandom(32),  # nobody else sends from there
    )
    services = snapshot.snapshot_of(partial(reading, engine))
    gaps = help_for(services, report.incident, coming.at, languages=(report.language,)).gaps
    sealed = submission.prepare(report, receipt, readers, counters, settings.pepper, coming.at, gaps=gaps)
    with writing(engine) as db:
        submission.file(db, sealed, settings.server_secret, coming.at)
    case: int = sealed.case["id"]
    return case


def _writes_again(practice: Practice, receipt: Receipt, coming: Coming) -> None:
    stretched = store.stretch([receipt], practice.settings.pepper)
    with writing(practice.engine) as db:
        visit, _ = store.come_back(db, stretched)
        store.write_as_reporter(db, visit, coming.words, coming.at)


def _closed_before(
    settings: Settings, engine: Engine, keys: Keys, texts: Mapping[str, Any], now: float
) -> tuple[int, Receipt]:
    """A case that was told, read, answered and closed some days ago, and its code."""
    language, receipt = settings.languages[0], receipts.draw(secrets.randbelow)
    at = now - texts["days"] * DAY
    case = _filed(settings, engine, Coming("before", at, _in(language, texts), texts["answers"], None), receipt)
    with writing(engine) as db:
        desk.open_case(db, keys, case, at + HOUR)
        desk.write_as_team(db, keys, case, _in(language, texts, "letter_"), at + HOUR)
        with desk.at_desk(db, keys, case, at + DAY, "changed") as case_file:
            actions.assign(case_file, keys.member, keys.member, at + DAY)
            actions.close(case_file, keys.member, "RECORD_ONLY", _in(language, texts), at + DAY)
    return case, receipt
