"""An installation that stands well, for tests that make one thing bad: its people, its nights, and its machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from referrals.casework import signed_directory
from referrals.casework.signed_directory import who_signs
from referrals.directory import curation, due
from referrals.directory.snapshot import settle
from reporting.deploy import host_looks
from reporting.deploy.machine import TIMERS, UNITS
from reporting.operations import installation_check, retention
from reporting.operations.installation_check import Found, Host
from reporting.operations.leak_check import Proof
from reporting.operations.whole import trial_restore
from reporting.storage import disk
from reporting.storage.database import reading, writing
from reporting.teams import reading_hours
from tests.copies import Copies, on_engine, with_a_colleague
from tests.people import Place
from tests.work.test_maintenance import backs_up, quiet

NO_SWAP = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


def day_of(place: Place) -> date:
    return datetime.fromtimestamp(place.clock(), UTC).date()


def settled(place: Place) -> None:
    """Its directory lives in Peru, and signatures of its team count."""
    settle(place.engine, place.settings.country, place.settings.clock_of_services, who_signs(place.pin))


def looked_after(place: Place) -> None:
    """Two readers, hours, lines that were called, a night with sweep and backup, and a folder that is closed."""
    settled(place)
    with_a_colleague(place)
    keys, _ = place.signs_in("rosa"), place.signs_in("milagros")
    with writing(place.engine) as db:
        signed_directory.begin(db, place.pin, keys)
    place.pin.note_rows_signed()
    rosa = place.workers["rosa"].signer
    with writing(place.engine) as db:
        reading_hours.write(db, rosa, {0: (9, 13), 3: (9, 13)}, ())
    calls(place)
    place.receives(narrative="suya")
    retention.sweep(place.engine, place.pin, place.settings.instance, place.clock(), quiet)
    copy = place.settings.instance.parent / "copy.backup"
    backs_up(place, copy)
    trial_restore.try_out(place.settings, copy, place.clock(), quiet)
    for path in (place.settings.instance, *place.settings.instance.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def calls(place: Place) -> None:
    today, rosa = day_of(place), place.workers["rosa"].signer
    with reading(place.engine) as db:
        often = [state.service for state in due.due(db, today) if state.every == due.OFTEN]
    with writing(place.engine) as db:
        for service in often:
            entry = curation.entry(db, service, today)
            assert entry is not None
            curation.confirm(db, service, "rosa", today, entry.stamp, rosa)
    with writing(place.engine) as db:
        for change in curation.waiting(db).values():
            curation.agree(db, change, "milagros", today, place.workers["milagros"].signer)


@dataclass
class Good:
    """An installation that stands well, and what its machine tells."""

    place: Place
    machine: Host
    proofs: tuple[Proof, ...] = ()
    root: Path = Path("/nowhere")  # of its files of the system

    def looks(self) -> dict[str, Found]:
        place, today = self.place, day_of(self.place)
        found = installation_check.look(place.settings, place.engine, place.clock(), today, self.proofs, self.machine)
        return {row.finding.code: row for row in found}

    def faults(self) -> set[str]:
        return {code for code, row in self.looks().items() if row.finding.holds is False}


def switched_on(root: Path, unit: str) -> None:
    """As `systemctl enable` leaves it."""
    wants = root / UNITS / "timers.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    for path in (root / UNITS / unit, wants / unit):
        path.write_text("[Unit]\n", encoding="ascii")


def mounted(good: Good, kind: str) -> None:
    """Its folder lies on a disk of this kind, as proc(5) writes it: blanks in octal."""
    folder = str(good.place.settings.instance.resolve()).replace(" ", "\\040")
    lines = f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 22 8:17 / {folder} rw shared:1 - {kind} /dev/sdb1 rw\n"
    (good.root / "mounts").write_text(lines, encoding="utf-8")


@contextmanager
def standing_well(engine: str, copies: Copies, tmp_path: Path) -> Iterator[Good]:
    """One on "sqlite" or "postgresql", in a folder of a test."""
    swaps = tmp_path / "swaps"
    swaps.write_text(NO_SWAP, encoding="ascii")
    with on_engine(engine, copies, tmp_path / "instance", looked_after) as place:
        settled(place)
        around = {
            **host_looks.AROUND,
            "owner": partial(host_looks.owner_problems, root=tmp_path),
            "place": partial(host_looks.place_problems, mounts=tmp_path / "mounts"),
            "units": partial(host_looks.unit_problems, root=tmp_path),
        }
        machine = Host(around, lambda _: disk.Space(50, 100), swaps, lambda: True, lambda _: 0.0)
        for unit in TIMERS:
            switched_on(tmp_path, unit)
        mounted(good := Good(place, machine, root=tmp_path), "ext4")
        yield good
