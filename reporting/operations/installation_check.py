"""How an installation stands: every look of `amparo check` as a row, with what is said when it holds and what to do.

Whoever keeps the machine reads the details at the terminal, with names. The coordinator's page and its file have the
rows' own sentences alone. Changes nothing and opens no case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from referrals.casework import second_person, signed_directory
from referrals.directory import due
from referrals.directory.reviewed_data import unsigned_texts
from referrals.needs import rulebook
from reporting.config import SWAPS, Settings, open_to_others, problems_on_this_machine
from reporting.figures import release_ledger
from reporting.i18n import N_, T_, joined, said
from reporting.operations import backups, host_clock, retention
from reporting.operations.leak_check import Proof
from reporting.sessions import page_rows
from reporting.storage import disk
from reporting.storage.database import reading
from reporting.storage.findings import Finding
from reporting.teams import accounts, list_numbers, log_report, reading_hours
from reporting.teams.team_log import Pin

BACKUP_DAYS = 2  # a night that was missed, and some hours
TRIED_DAYS = 31  # a backup that nobody has put back for a month is a hope
NAMED = 5  # services that are named at the terminal


LookAround = Callable[[Settings], Iterable[str] | None]  # what is wrong; None: it cannot be known here


@dataclass(frozen=True, slots=True)
class Host:
    """What the machine tells. `around`: looks of packages above this one, by code. Tests hand in another."""

    around: Mapping[str, LookAround]
    free: disk.Look = disk.space
    swaps: Path = SWAPS
    clock_is_set: Callable[[], bool | None] = host_clock.clock_is_set
    database_ahead: Callable[[Session], float | None] = host_clock.of_database


@dataclass(frozen=True, slots=True)
class _Here:
    """An installation while it is looked at. `today` is the day of the place; `proofs` is None where none were made.

    `keys` is what is wrong with the keys of the teams, `services` when each is to be confirmed.
    """

    settings: Settings
    db: Session
    now: float
    today: date
    host: Host
    proofs: tuple[Proof, ...] | None
    pin: Pin
    keys: Sequence[str]
    services: Sequence[due.Due]


@dataclass(frozen=True, slots=True)
class _Row:
    """How faults are found (None: it cannot be known here), what is said of none, and what there is to do.

    What is `open` waits for people who are not of this installation: it is said, and is no fault.
    """

    look: Callable[[_Here], Iterable[str] | None]
    good: str
    do: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A row as it was found, and the details: sentences for whoever keeps the machine."""

    finding: Finding
    details: tuple[str, ...] = field(default=())


def look(
    settings: Settings, engine: Engine, now: float, today: date, proofs: tuple[Proof, ...] | None, on: Host
) -> tuple[Found, ...]:
    """Every row, in the order of the table."""
    pin = Pin(settings.pin_file)
    with reading(engine) as db:
        keys, services = log_report.problems(db, pin), due.due(db, today)
        here = _Here(settings, db, now, today, on, proofs, pin, keys, services)
        return tuple(_found(code, row, here) for code, row in ROWS.items())


def _found(code: str, row: _Row, here: _Here) -> Found:
    faults = row.look(here)
    if faults is None:
        return Found(Finding(code, None, (UNKNOWN[code],)))
    details = tuple(faults)
    if not details:
        return Found(Finding(code, holds=True, words=(row.good,)))
    return Found(Finding(code, None if row.is_open else False, (row.do,)), details)


# ── looks ───────────────────────────────────────────────────────────────────────────────────────────────────


def _leaks(here: _Here) -> Iterable[str] | None:
    return None if here.proofs is None else [proof.says for proof in here.proofs if proof.holds is False]


def _log_holds(here: _Here) -> bool:
    """Who may sign stands in the team log: where that does not hold, every signature would look like nobody's."""
    return log_report.BROKEN not in here.keys


def _audit(here: _Here) -> Iterable[str] | None:
    problems = accounts.audit_problems(here.db, here.pin, retention.audit_before(here.now))
    return problems if _log_holds(here) else None


def _directory(here: _Here) -> Iterable[str] | None:
    problems = [*signed_directory.problems(here.db), *second_person.problems(here.db, here.pin)]
    return problems if _log_holds(here) else None


def _stale(here: _Here) -> Iterator[str]:
    """Lines and places with PEP, which change oftenest: a dead one costs most."""
    often = [state for state in here.services if state.every == due.OFTEN]
    over = [state.service for state in often if state.over]
    if over:
        first, more = ", ".join(over[:NAMED]), len(over) - NAMED
        yield said(
            "Of %(all)s lines and places with PEP, %(count)s were not confirmed within %(days)s days: %(names)s. Call "
            "them, on the page of calls.",
            all=len(often),
            count=len(over),
            days=due.OFTEN,
            names=said("%(names)s and %(count)s more", names=first, count=more) if more > 0 else first,
        )


def _old(here: _Here) -> Iterator[str]:
    old = sum(state.old for state in here.services)
    if old:
        words = T_(
            "Of %(all)s services, %(count)s were confirmed by nobody for a year: pages say so, and `call first`."
        )
        yield said(words, all=len(here.services), count=old)


def _backups(here: _Here) -> Iterator[str]:
    last = backups.last_backup(here.settings.instance)
    if last is None:
        yield T_("No backup was taken yet: amparo backup FILE, every night (`amparo deploy systemd` prints a timer).")
    elif (here.today - last.day).days > BACKUP_DAYS:
        words = T_("The last backup is of %(day)s: see why none was taken since (systemctl status amparo-backup).")
        yield said(words, day=last.day)


def _tried(here: _Here) -> Iterable[str] | None:
    last = backups.last_backup(here.settings.instance)
    return None if last is None else _untried(last.tried, here.today)


def _untried(day: date | None, today: date) -> Iterator[str]:
    if day is None:
        yield T_("No backup was ever put back into nothing: amparo check --backup FILE.")
    elif (today - day).days > TRIED_DAYS:
        words = T_("The last backup that was put back into nothing is of %(day)s: amparo check --backup FILE.")
        yield said(words, day=day)


def _late(here: _Here) -> Iterator[str]:
    late = retention.late(here.db, here.settings.instance, here.now)
    if late:
        what = joined(
            said("%(said_what)s: %(count)s", said_what=retention.WORDS[name], count=late[name]) for name in late
        )
        words = T_("What should be gone is still there (%(what)s): run `amparo sweep` now, and every night.")
        yield said(words, what=what)


def _unsigned_rules(_here: _Here) -> Iterator[str]:
    rows = [*rulebook.definitions(), *rulebook.rules(), *rulebook.must_nots()]
    unsigned = [row.id for row in rows if row.state != rulebook.SIGNED]
    if unsigned:
        words = T_("Of %(all)s rows of rules, %(count)s are signed by no professional as they are: pages say so.")
        yield said(words, all=len(rows), count=len(unsigned))


def _unsigned_texts(_here: _Here) -> Iterator[str]:
    for name, (unsigned, of) in unsigned_texts().items():
        if unsigned:
            words = T_("%(file)s: of %(all)s texts, %(count)s are not reviewed: pages say so.")
            yield said(words, file=name, all=of, count=unsigned)


def _clock(here: _Here) -> Iterable[str] | None:
    is_set = here.host.clock_is_set()
    ahead = here.host.database_ahead(here.db)
    faults = [*host_clock.clock_problems(here.settings.instance, here.now, is_set, ahead)]
    return None if is_set is None and not faults else faults


def _swap(here: _Here) -> Iterable[str] | None:
    return problems_on_this_machine(here.host.swaps) if here.host.swaps.exists() else None


def _around(code: str) -> Callable[[_Here], Iterable[str] | None]:
    return lambda here: here.host.around[code](here.settings)


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────

ROWS: Mapping[str, _Row] = {
    "keys": _Row(
        lambda here: here.keys,
        N_("The keys of the teams hold."),
        N_("The keys of a team do not hold, or are not made: do not make new ones before you know why."),
    ),
    "readers": _Row(
        lambda here: accounts.reader_problems(here.db, here.pin),
        N_("Each team has two readers at least, and no coordinator reads."),
        N_(
            "A team has one reader or none, or a coordinator reads cases: invite a case worker, and let that person in."
        ),
    ),
    "audit": _Row(
        _audit,
        N_("The record of who did what is whole."),
        N_("The record of who did what was cut or changed: find out who wrote to the database."),
    ),
    "lists": _Row(
        lambda here: list_numbers.problems(here.db, here.pin),
        N_("Each team knows its cases: none was put back unseen."),
        N_("The list of the cases that a team knows is missing or older than it was: was a backup put back?"),
    ),
    "releases": _Row(
        lambda here: release_ledger.problems(here.db, here.pin),
        N_("The ledger of releases fits what is published."),
        N_("The ledger of releases is missing or does not fit: no figures are built until it does."),
    ),
    "directory": _Row(
        _directory,
        N_("Every service is as this version ships it, or as somebody of the team signed it."),
        N_("A service is not as somebody signed it: look at what waits for a signature, and sign what is right."),
    ),
    "lines": _Row(
        _stale,
        N_("Every line and every place with PEP was confirmed within 30 days."),
        N_("Lines or places with PEP were not confirmed within 30 days: call them, on the page of calls."),
    ),
    "services": _Row(
        _old,
        N_("Every service was confirmed within a year."),
        N_("Some services were confirmed by nobody for a year: she is told to call first."),
        is_open=True,
    ),
    "hours": _Row(
        lambda here: reading_hours.problems(here.db, here.today),
        N_("Reading hours are set, and somebody reads."),
        N_("No reading hours are set, or nobody has opened the queue for days: she is told so."),
    ),
    "backups": _Row(
        _backups,
        N_("A backup was taken within two days."),
        N_("No backup was taken within two days: a broken disk would take every report with it."),
    ),
    "tried": _Row(
        _tried,
        N_("A backup was put back into nothing within a month, and came back whole."),
        N_("No backup was put back into nothing within a month: nobody knows whether it would come back."),
    ),
    "sweep": _Row(
        _late,
        N_("What is over is gone: the sweep runs."),
        N_("What should be gone is still there: the sweep does not run."),
    ),
    "leaks": _Row(
        _leaks,
        N_("An invented report was told, sent and erased, and nothing of it can be read anywhere."),
        N_("An invented report was told, and something of it stayed readable: take no reports until it is found."),
    ),
    "swap": _Row(
        _swap,
        N_("This computer swaps to no disk that could be read."),
        N_("This computer swaps to a disk that could be read: what passes through the memory can end up there."),
    ),
    "folder": _Row(
        lambda here: [*open_to_others(here.settings.instance), *(_around("owner")(here) or ())],
        N_("Nobody else on the computer may read the folder, and all of it belongs to who runs the program."),
        N_("Others on the computer may read the folder or the settings, or a file in it belongs to somebody else."),
    ),
    "place": _Row(
        _around("place"),
        N_("The folder lies on a disk of this computer, and no program copies it away."),
        N_("The folder lies where copies go to other computers, or where it can be lost: it has to be moved."),
    ),
    "units": _Row(
        _around("units"),
        N_("The program and the tasks of the night start by themselves."),
        N_("The program or a task of the night does not start by itself after the computer was off."),
    ),
    "room": _Row(
        lambda here: [*disk.problems(here.settings.instance, here.host.free), *page_rows.problems(here.settings)],
        N_("There is room on the disk and in memory."),
        N_("There is little room on the disk or in memory: a full disk takes only short reports."),
    ),
    "clock": _Row(
        _clock,
        N_("A time service keeps the clock, and no file is from later than now."),
        N_("The clock of the computer is wrong, or nobody keeps it: hours and six digits go wrong."),
    ),
    "front": _Row(
        _around("front"),
        N_("Browsers trust the server in front, and it says who sends, so that nobody is taken for all others."),
        N_("Browsers will not open the pages, or the server in front does not say who sends."),
    ),
    "mail": _Row(
        _around("mail"),
        N_("The reminder by e-mail can go out, or none is wanted."),
        N_("The reminder by e-mail does not go out: nobody is told that it is time to look."),
    ),
    "rules": _Row(
        _unsigned_rules,
        N_("Every rule is signed by a professional."),
        N_("Not every rule is signed by a professional: pages say so."),
        is_open=True,
    ),
    "texts": _Row(
        _unsigned_texts,
        N_("Every text that has to be reviewed is signed."),
        N_("Not every text that has to be reviewed is signed: pages say so."),
        is_open=True,
    ),
}
UNKNOWN = {
    "audit": N_("Whether the record of who did what is whole cannot be known while the keys do not hold."),
    "directory": N_("Who signed which service cannot be known while the keys do not hold."),
    "leaks": N_("Whether something of a report stays behind was not tried this time."),
    "tried": N_("There is no backup yet that could be put back."),
    "swap": N_("This system does not say to which disk it swaps."),
    "clock": N_("This system does not say whether a time service keeps its clock."),
    "units": N_("Whether the program and the tasks of the night start by themselves cannot be known here."),
    "front": N_("Nobody answered at the address that people type, or it could not be asked."),
    "mail": N_("Whether the reminder by e-mail goes out could not be tried from here."),
}
