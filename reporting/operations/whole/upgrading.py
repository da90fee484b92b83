"""An upgrade that can be taken back: all rows are copied first, looked at afterwards, and put back where it fails.

The copy is sealed to the key of the month and goes with the next sweep. Going back is refused once anything was told,
decided or erased since: nothing is lost by it and nobody comes back. The ledger of releases beside `team.pin` is not
touched, so a release that is out stays out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Inspector, column, func, inspect, select, table

from reporting.errors import AmparoError
from reporting.i18n import T_, joined, said
from reporting.operations import backups
from reporting.operations.whole import snapshots
from reporting.operations.whole.snapshots import Prints
from reporting.storage.database import known_versions, version_of
from reporting.storage.files import new_file, overwrite, replace_file
from reporting.storage.locks import maintenance_lock

COPY = "before-upgrade.backup"  # in the instance folder
HALF = f"{COPY}.new"  # while it is written, or after a power cut
NOTE = "upgrade.json"  # beside it: from which version, to which, and what the rows said afterwards
# what an upgrade changes neither in number nor in name: who is here, what was told
STAYS = ("case_file", "record", "team_log", "member", "audit")
# where a row, or a version of one, that the copy does not know is something told, done or erased since: no upgrade
# writes there
TOLD = ("case_file", "record", "erased", "member", "team_log", "team_grant", "audit")
CHANGES = "version"  # the column that says how often a row changed, where a table has one
T = TypeVar("T")
Say = Callable[[str], None]


class UpgradeRefused(AmparoError):
    """The upgrade is not made, or not taken back. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade as it is noted. `after` is empty while it has not come to its end."""

    before: str
    after: Prints


def copy(engine: Engine, instance: Path, now: float, say: Say) -> bool:
    """Copy every row and note that an upgrade begins. False where there are no tables yet.

    `UpgradeRefused` where they are newer than this program, which could not put them back.
    """
    with maintenance_lock(engine, instance, "upgrade"), backups.one_look(engine) as connection:
        version = version_of(connection)
        if version is None:
            return False
        if version not in known_versions():
            raise UpgradeRefused(said(snapshots.NEWER, version=version))
        month, key = backups.month_key(instance, now)
        fresh = instance / HALF
        fresh.unlink(missing_ok=True)
        with new_file(fresh) as file:
            backups.write_lines(file, month, key, snapshots.lines(connection, say))
        say(T_("reading the copy back ..."))
        with fresh.open("rb") as file:
            for _ in backups.rows_of(file, key):
                pass
        fresh.replace(instance / COPY)
        replace_file(instance / NOTE, json.dumps({"before": version, "after": {}}).encode())
    return True


def run(
    engine: Engine,
    instance: Path,
    now: float,
    say: Say,
    change: Callable[[], T],
    faults: Callable[[], Sequence[str]],
) -> T:
    """Copy, `change`, and look whether it holds: then what `change` returned. Else all is put back, and that is said.

    `UpgradeRefused` with what did not hold. Where there are no tables yet nothing is copied and nothing can go back.
    """
    if is_unfinished(instance):  # what lies there may be half of two versions: a copy of it would be no way back
        _settle(engine, instance, now, say)
    is_copied = copy(engine, instance, now, say)
    before = counts(engine) if is_copied else {}
    try:
        done = change()
        gone = (said("rows of %(table)s are missing", table=name) for name in lost(before, counts(engine)))
        wrong = [*faults(), *gone]
    except Exception as trouble:
        if not is_copied:
            raise
        wrong = [str(getattr(trouble, "orig", None) or trouble).strip().splitlines()[0] or type(trouble).__name__]
    if wrong and is_copied:
        _put_back(engine, instance, now, say)
        raise UpgradeRefused(
            said(
                "The upgrade did not hold (%(why)s). Everything is as it was before it. Start the former program "
                "again, and tell those who made this one.",
                why=joined(wrong, "; "),
            )
        )
    note_end(engine, instance)
    return done


def _settle(engine: Engine, instance: Path, now: float, say: Say) -> None:
    """Put back what was copied before an upgrade that was stopped; where something was told since, go on from there.

    The tables are of one version then all the same: what changes them is one transaction, and everything else that an
    upgrade does can be done again.
    """
    with maintenance_lock(engine, instance, "upgrade"):
        if _came_since(engine, _copied(instance, now)):
            say(T_("an upgrade did not come to its end. What was told or done since stays: it goes on from there ..."))
        else:
            say(T_("an upgrade did not come to its end: what was copied before it is put back first ..."))
            _lay_back(engine, instance, now, say)


def lost(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Tables that have fewer rows than before."""
    return sorted(name for name, rows in before.items() if after.get(name, 0) < rows)


def counts(engine: Engine) -> dict[str, int]:
    """How many rows there are of what an upgrade must not lose."""
    with backups.one_look(engine) as connection:
        there = inspect(connection).get_table_names()
        rows = {name: select(func.count()).select_from(table(name)) for name in STAYS if name in there}
        return {name: connection.execute(query).scalar_one() for name, query in rows.items()}


def note_end(engine: Engine, instance: Path) -> None:
    """The upgrade held: from here on going back is refused once any row is another."""
    noted = noted_in(instance)
    if noted is not None:
        content = {"before": noted.before, "after": snapshots.fingerprints(engine)}
        replace_file(instance / NOTE, json.dumps(content).encode())


def noted_in(instance: Path) -> Upgrade | None:
    """The last upgrade that can be taken back; None where there is none."""
    try:
        content = json.loads((instance / NOTE).read_text(encoding="utf-8"))
        return Upgrade(content["before"], content["after"]) if (instance / COPY).exists() else None
    except (FileNotFoundError, ValueError, KeyError):
        return None


def is_unfinished(instance: Path) -> bool:
    """Whether an upgrade began here and was stopped before its end: nobody may tell anything until it is settled."""
    noted = noted_in(instance)
    return noted is not None and not noted.after


def _put_back(engine: Engine, instance: Path, now: float, say: Say) -> None:
    """What was copied, in the place of what is there. `UpgradeRefused` when something was told or erased since."""
    noted = noted_in(instance)
    if noted is None:
        return
    with maintenance_lock(engine, instance, "upgrade"):
        _refuse_where(_came_since(engine, _copied(instance, now)))
        replace_file(instance / NOTE, json.dumps({"before": noted.before, "after": {}}).encode())  # until it is done
        _lay_back(engine, instance, now, say)


def _lay_back(engine: Engine, instance: Path, now: float, say: Say) -> None:
    """The rows of the copy are laid down; then there is nothing to take back any more."""
    snapshots.put_back(engine, _copied(instance, now), say)
    forget(instance)


def _came_since(engine: Engine, copied: Iterator[dict[str, Any]]) -> list[str]:
    """Tables in which something was told, written or erased that the copy does not know, whatever their version."""
    next(copied)
    known: dict[str, list[Mapping[str, Any]]] = {name: [] for name in TOLD}
    for line in copied:
        if line["t"] in known:
            known[line["t"]].append(backups.row_in(line)[1])
    with backups.one_look(engine) as connection:
        look = inspect(connection)
        return [
            name
            for name in sorted(known.keys() & set(look.get_table_names()))
            if _more(connection, name, _identity(look, name, known[name]), known[name])
        ]


def _identity(look: Inspector, name: str, known: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns in which a row that was changed is another: its key, and how often it changed where that is known."""
    key = look.get_pk_constraint(name)["constrained_columns"]
    there = {part["name"] for part in look.get_columns(name)}
    return [*key, CHANGES] if CHANGES in there and all(CHANGES in row for row in known) else key


def _more(connection: Connection, name: str, identity: Sequence[str], known: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the table has a row that none of the known ones is."""
    columns: list[Any] = [column(part) for part in identity]
    there = {tuple(row) for row in connection.execute(select(*columns).select_from(table(name)))}
    return bool(there - {tuple(row.get(part) for part in identity) for row in known})


def take_back(engine: Engine, instance: Path, now: float, say: Say) -> Upgrade:
    """Put the tables and rows of before the upgrade back. `UpgradeRefused` when something was told or done since."""
    noted = noted_in(instance)
    if noted is None:
        raise UpgradeRefused(
            T_(
                "There is no upgrade to take back: the copy of before is made by `amparo upgrade`, and the sweep of "
                "the night takes it away."
            )
        )
    if noted.after:
        then, there = noted.after, snapshots.fingerprints(engine)
        _refuse_where(sorted(name for name in then.keys() | there.keys() if then.get(name) != there.get(name)))
    _put_back(engine, instance, now, say)
    return noted


def forget(instance: Path) -> int:
    """Take the copy away, overwritten, and one that was never whole. How many there were."""
    (instance / NOTE).unlink(missing_ok=True)
    there = [path for path in (instance / COPY, instance / HALF) if path.exists()]
    for path in there:
        overwrite(path)
    return len(there)


def _copied(instance: Path, now: float) -> Iterator[dict[str, Any]]:
    with (instance / COPY).open("rb") as file:
        yield from backups.lines_of(file, instance, now)


def _refuse_where(changed: Sequence[str]) -> None:
    if changed:
        raise UpgradeRefused(
            said(
                "Since the upgrade something was told or done here (%(tables)s): going back would lose it, or bring "
                "back what was erased. Nothing was changed. Stay with this version; if the upgrade did not come to its "
                "end, make it again: amparo upgrade",
                tables=", ".join(changed),
            )
        )
