"""What is over goes, what must stay stays: the sweep, the audit's checkpoints, backups and the way back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from reporting.cases import case_file, desk, store
from reporting.crypto.sealing import CannotOpen
from reporting.operations import backups, restoring, retention
from reporting.sessions import day_seeds, replays, tickets
from reporting.storage.database import reading, upgrade_tables, writing
from reporting.storage.models import (
    AuditRow,
    CaseRow,
    InvitationRow,
    LogRow,
    MarkRow,
    MemberRow,
    RecordRow,
    SeedRow,
    SessionRow,
    TryRow,
)
from reporting.teams import accounts, audit, keyring, power, staff_sessions, team_log
from reporting.teams.accounts import Invitation
from reporting.teams.team_log import CASE_WORKER, BrokenChain
from tests.people import Place


def quiet(_text: str) -> None:
    """Nobody listens."""


def day_of(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def sweeps(place: Place, *, rewrite: bool = False) -> dict[str, int]:
    return retention.sweep(place.engine, place.pin, place.settings.instance, place.clock(), quiet, rewrite=rewrite)


def signs_for_the_audit(place: Place) -> bool:
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        return power.vouch_for_audit(db, place.pin, keys, place.clock())


def problems(place: Place) -> str:
    with reading(place.engine) as db:
        return "\n".join(accounts.problems(db, place.pin, retention.audit_before(place.clock())))


# ── the table of periods ────────────────────────────────────────────────────────────────────────────────────


def test_the_table_that_people_review_says_what_the_rooms_do() -> None:
    table = retention.periods()
    assert table["cases"].days == case_file.KEPT_DAYS
    assert table["erased"].days == store.ERASED_DAYS == table["backup_keys"].days == backups.KEY_DAYS
    assert table["invitations"].seconds == accounts.INVITATION_LIFE
    assert table["sessions"].seconds == day_seeds.STAFF_LIFE
    assert {name: table[f"{name}_seeds"].seconds for name in day_seeds.SEED_LIFE} == day_seeds.SEED_LIFE
    assert all(len(period.reason) > 40 and period.seconds > 0 for period in table.values())


# ── the sweep ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_case_goes_in_its_week_and_not_before(place: Place) -> None:
    place.receives(narrative="Fue de noche.")
    with reading(place.engine) as db:
        week = db.scalar(select(CaseRow.delete_after))
    assert week is not None
    place.clock.on(days=(week - day_of(place.clock())).days - 1)
    assert sweeps(place)["cases"] == 0
    place.clock.on(days=1)
    assert sweeps(place)["cases"] == 1
    with reading(place.engine) as db:
        assert db.scalar(select(func.count()).select_from(RecordRow)) == 0


def test_whatever_has_expired_is_gone_and_what_is_alive_stays(place: Place) -> None:
    short_lived = (SeedRow, MarkRow, SessionRow, InvitationRow, TryRow)
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        staff_sessions.begin(db, keys, place.clock())
        replays.end_trip(db, place.settings.server_secret, tickets.new_trip(), "left", place.clock())
        accounts.invite(
            db, place.actor(db, "rosa"), Invitation("nueva", (CASE_WORKER,)), place.settings.pepper, place.clock()
        )
        accounts.note_failure(db, place.settings.pepper, "rosa", accounts.Sender("x"), place.clock(), CannotOpen())

    def left() -> list[int]:
        with reading(place.engine) as db:
            return [db.scalar(select(func.count()).select_from(table)) or 0 for table in short_lived]

    alive = left()
    sweeps(place)
    assert left() == alive
    assert all(alive)
    place.clock.on(days=8)
    sweeps(place)
    assert left() == [0] * len(short_lived)


def test_an_erased_case_leaves_no_byte_after_the_rewrite(place: Place) -> None:
    receipt = place.receives(narrative="x" * 3000)
    with reading(place.engine) as db:
        body = max(db.scalars(select(RecordRow.body)), key=len)[100:164]
    files = place.settings.instance.glob("amparo.db*")
    assert any(body in path.read_bytes() for path in files)
    visit = place.comes_back(receipt)
    with writing(place.engine) as db:
        store.erase(db, visit, place.settings.pepper, place.clock())
    assert sweeps(place, rewrite=True)["log_emptied"] == 1
    assert not any(body in path.read_bytes() for path in place.settings.instance.rglob("*") if path.is_file())


def test_the_rewrite_waits_for_its_week(place: Place) -> None:
    assert "rewritten" in sweeps(place)
    place.clock.on(days=6)
    assert "rewritten" not in sweeps(place)
    place.clock.on(days=1)
    assert "rewritten" in sweeps(place)
    place.clock.on(days=-30)
    assert "rewritten" in sweeps(place), "a clock that was put back does not stop it for years"


# ── the audit's checkpoints ─────────────────────────────────────────────────────────────────────────────────


def two_years_of_acts(place: Place) -> None:
    """Acts, a signed checkpoint, more acts; and so much time that what lies below it may go."""
    assert signs_for_the_audit(place)
    place.clock.on(days=731)
    with writing(place.engine) as db:
        day_seeds.open_day(db, place.clock())
        audit.note(db, "later", 7, place.workers["rosa"].signer)


def test_a_member_who_signs_in_signs_for_the_audit_once_a_month(place: Place) -> None:
    assert signs_for_the_audit(place)
    assert not signs_for_the_audit(place)
    place.clock.on(days=30)
    assert signs_for_the_audit(place)
    assert "audit" not in problems(place)


def test_old_acts_are_swept_below_a_checkpoint_and_the_chain_still_holds(place: Place) -> None:
    place.hires("otra", CASE_WORKER)
    two_years_of_acts(place)
    with reading(place.engine) as db:
        before = audit.head(db)
    assert sweeps(place)["audit"] > 0
    with reading(place.engine) as db:
        assert audit.head(db) == before
        assert audit.entries(db)[0].body == b""
    assert "audit" not in problems(place)
    with writing(place.engine) as db:
        assert audit.append(db, b"{}") == before[0] + 1


def test_without_a_checkpoint_that_is_old_enough_nothing_is_swept(place: Place) -> None:
    place.clock.on(days=900)
    assert sweeps(place)["audit"] == 0
    signs_for_the_audit(place)
    assert sweeps(place)["audit"] == 0


def test_heads_that_members_remember_hold_after_a_sweep(place: Place) -> None:
    place.signs_in("rosa")
    two_years_of_acts(place)
    assert sweeps(place)["audit"] > 0
    place.signs_in("rosa")


def test_an_audit_that_a_member_saw_and_that_was_cut_shuts_her_out_even_after_a_sweep(place: Place) -> None:
    two_years_of_acts(place)
    sweeps(place)
    place.signs_in("rosa")
    with writing(place.engine) as db:
        db.execute(delete(AuditRow).where(AuditRow.number == audit.head(db)[0]))
    with pytest.raises(BrokenChain):
        place.signs_in("rosa")


def test_a_cut_audit_without_a_checkpoint_is_named(place: Place) -> None:
    place.hires("otra", CASE_WORKER)
    with writing(place.engine) as db:
        db.execute(delete(AuditRow).where(AuditRow.number < 3))
    assert "begins at entry 3" in problems(place)


def test_a_cut_at_a_checkpoint_that_is_too_young_is_named(place: Place) -> None:
    signs_for_the_audit(place)
    with writing(place.engine) as db:
        audit.note(db, "later", 7, place.workers["rosa"].signer)
        with reading(place.engine) as look:
            number = team_log.teams(look, place.pin)[0].checkpoints[0].number
        audit.forget_below(db, number)
    assert "so early" in problems(place)


def test_an_end_that_was_signed_for_and_cut_is_named(place: Place) -> None:
    signs_for_the_audit(place)
    with writing(place.engine) as db:
        db.execute(delete(AuditRow).where(AuditRow.number == audit.head(db)[0]))
    assert "cut at its end" in problems(place)


@pytest.mark.parametrize("change", [{"entry": 2}, {"chain": "00" * 32}, {"day": "2001-01-01"}])
def test_a_forged_or_moved_checkpoint_is_named_and_nothing_is_swept_by_it(
    place: Place, change: dict[str, object]
) -> None:
    two_years_of_acts(place)
    with writing(place.engine) as db:
        row = next(one for one in db.scalars(select(LogRow)) if json.loads(one.body)["act"] == "audit")
        row.body = json.dumps(json.loads(row.body) | change, sort_keys=True).encode()
    assert "The team log does not hold" in problems(place)
    assert sweeps(place)["audit"] == 0


def test_a_checkpoint_that_was_taken_away_after_the_sweep_is_named(place: Place) -> None:
    two_years_of_acts(place)
    sweeps(place)
    with writing(place.engine) as db:
        row = next(one for one in db.scalars(select(LogRow)) if json.loads(one.body)["act"] == "audit")
        db.delete(row)
    assert "no signed checkpoint stands there" in problems(place)


def test_a_broken_audit_is_not_signed_for(place: Place) -> None:
    with writing(place.engine) as db:
        db.execute(update(AuditRow).where(AuditRow.number == 2).values(body=b"{}"))
    assert not signs_for_the_audit(place)


# ── backup and the way back ─────────────────────────────────────────────────────────────────────────────────


def backs_up(place: Place, name: str = "backup") -> Path:
    target = place.settings.instance.parent / name
    backups.back_up(place.engine, place.settings.instance, target, place.clock(), quiet)
    return target


def restores(place: Place, source: Path) -> restoring.Restored:
    return restoring.restore(
        place.engine, place.pin, place.settings.instance, source, place.settings.pepper, place.clock(), quiet
    )


def loses_the_database(place: Place) -> None:
    place.engine.dispose()
    for path in place.settings.instance.glob("amparo.db*"):
        path.unlink()
    upgrade_tables(place.engine)


def test_a_lost_database_comes_back_with_every_case(place: Place) -> None:
    receipts = [place.receives(narrative=f"{number}") for number in range(5)]
    taken = backs_up(place)
    loses_the_database(place)
    assert restores(place, taken).everything
    for number, receipt in enumerate(receipts):
        visit = place.comes_back(receipt)
        with reading(place.engine) as db:
            assert store.open_visit(db, visit).narrative == f"{number}"
    keys = place.signs_in("rosa")
    with reading(place.engine) as db:
        assert len(desk.queue(db, keys)[0]) == 5


def test_a_backup_taken_a_member_removed_a_case_erased_and_the_backup_put_back(place: Place) -> None:
    place.hires("otra", CASE_WORKER)
    place.lets_in(place.signs_in("rosa"), "otra")
    keys = place.signs_in("otra")
    kept, erased = place.receives(narrative="se queda"), place.receives(narrative="se borra")
    taken = backs_up(place)
    with writing(place.engine) as db:
        place.gone(db, "otra")
    rosa = place.signs_in("rosa")
    with writing(place.engine) as db:
        rosa, gone = keyring.settle(db, place.pin, rosa)
        place.pin.raise_to(team_log.teams(db, place.pin))
    assert gone == ("otra",)
    visit = place.comes_back(erased)
    with writing(place.engine) as db:
        store.erase(db, visit, place.settings.pepper, place.clock())
        lost = place_of(kept, place)
        db.execute(delete(RecordRow).where(RecordRow.case_id == lost))
        db.execute(delete(CaseRow).where(CaseRow.id == lost))
    done = restores(place, taken)
    assert (done.everything, done.stays_gone, done.here_already) == (False, 1, 0)
    place.comes_back(kept)
    with pytest.raises(CannotOpen):
        place.comes_back(erased)
    with pytest.raises(CannotOpen):
        place.signs_in("otra")
    later = place.receives(narrative="después")
    with writing(place.engine) as db, pytest.raises(CannotOpen):
        desk.open_case(db, keys, place.comes_back(later).case, place.clock())
    loses_the_database(place)
    with pytest.raises(backups.BackupRefused, match="older than the newest keys"):
        restores(place, taken)
    with reading(place.engine) as db:
        assert not db.scalars(select(MemberRow)).all(), "a refused restore changes nothing"


def place_of(receipt: object, place: Place) -> int:
    return place.comes_back(receipt).case  # type: ignore[arg-type]


def test_a_case_that_is_here_is_not_replaced_by_an_older_one(place: Place) -> None:
    receipt = place.receives()
    taken = backs_up(place)
    visit = place.comes_back(receipt)
    with writing(place.engine) as db:
        store.write_as_reporter(db, visit, "Una carta nueva", place.clock())
    assert restores(place, taken).here_already == 1
    with reading(place.engine) as db:
        assert store.open_visit(db, visit).letters[0].text == "Una carta nueva"


def test_nothing_short_lived_and_no_clear_text_is_in_a_backup(place: Place) -> None:
    place.receives()
    taken = backs_up(place)
    key = backups.month_key(place.settings.instance, place.clock())[1]
    with taken.open("rb") as file:
        head, *rows = backups.rows_of(file, key)
    assert not {row["t"] for row in rows} & backups.left_out()
    assert not set(head["tables"]) & backups.left_out()
    raw = taken.read_bytes()
    assert b"rosa" not in raw
    assert b"case_file" not in raw


def test_a_month_key_is_destroyed_on_time_and_its_backups_open_nowhere(place: Place) -> None:
    taken = backs_up(place)
    month = backups.month_key(place.settings.instance, place.clock())[0]
    started = day_of(place.clock()).replace(day=1)
    place.clock.on(days=59 - (day_of(place.clock()) - started).days)
    assert sweeps(place)["backup_keys"] == 0
    place.clock.on(days=1)
    with pytest.raises(backups.BackupRefused, match="is gone"):
        restores(place, taken)
    assert sweeps(place)["backup_keys"] == 1
    assert not (place.settings.instance / backups.FOLDER / f"{month}.key").exists()


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-600], lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), lambda _: b""])
def test_a_cut_or_changed_backup_is_refused_and_changes_nothing(place: Place, spoil: object) -> None:
    receipt = place.receives()
    taken = backs_up(place)
    taken.write_bytes(spoil(taken.read_bytes()))  # type: ignore[operator]
    with pytest.raises(backups.BackupRefused):
        restores(place, taken)
    place.comes_back(receipt)
