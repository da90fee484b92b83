"""A newer version brings its services into an older installation, and overwrites nothing that the team has said."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest
from sqlalchemy import Engine, select, update

from referrals.directory import curation, snapshot
from referrals.directory.importing import run, shipped
from referrals.directory.importing.shipped import UpgradeReport
from referrals.directory.models import CoverageRow, FlagRow, HistoryRow, MatchRow, ServiceRow
from referrals.directory.rows import COLUMNS, cells_of, store_new
from reporting.storage.database import reading, writing
from tests.work.test_directory import as_csv

TODAY = date(2026, 11, 24)
CENTRE, HOSPITAL = "cem-regular-pucallpa-25", "renipress-00005576"
RETIRED = ("cem_ucayali", "csmc_ucayali")


@pytest.fixture
def older(engine: Engine) -> Engine:
    """As an older version left it: without one hospital, with another number, with rows that are no longer shipped."""
    with writing(engine) as db:
        for table in (MatchRow, CoverageRow):
            db.execute(table.__table__.delete().where(table.service == HOSPITAL))
        db.delete(db.get_one(ServiceRow, HOSPITAL))
        db.execute(update(ServiceRow).where(ServiceRow.id == CENTRE).values(phone="900000000", address=""))
        blank = dict.fromkeys(COLUMNS, "")
        told = {"service_type": "VIOLENCE_CENTRE", "coverage": "region", "regions_inei": "25", "source": "a paper"}
        rows = [blank | told | {"id": service, "name": service} for service in RETIRED]
        store_new(db, rows, {"PE25": "Ucayali"})
        db.add(FlagRow(service=RETIRED[0], week="2026-W40", kind="dead", count=1, waits=True))
    return engine


def upgrades(engine: Engine) -> UpgradeReport:
    with writing(engine) as db:
        return shipped.bring_up_to_date(db)


def cells(engine: Engine, service: str) -> dict[str, str]:
    with reading(engine) as db:
        return cells_of(db.get_one(ServiceRow, service))


def act(engine: Engine, service: str, **told: str) -> None:
    """Somebody changes a service, or confirms it where nothing is told."""
    with writing(engine) as db:
        entry = curation.entry(db, service, TODAY)
        assert entry is not None
        if told:
            curation.edit(db, service, told, "carmen", "called", TODAY, entry.stamp)
        else:
            curation.confirm(db, service, "rosa", TODAY, entry.stamp)


def ids(engine: Engine) -> set[str]:
    with reading(engine) as db:
        return set(db.scalars(select(ServiceRow.id)))


def test_what_nobody_touched_becomes_what_this_version_ships(older: Engine) -> None:
    report = upgrades(older)
    assert (report.added, report.changed, report.kept, report.kept_retired) == ([HOSPITAL], [CENTRE], [], [])
    assert sorted(report.removed) == sorted(RETIRED)
    assert cells(older, CENTRE)["phone"] == "994801093"
    assert not set(RETIRED) & ids(older)
    with reading(older) as db:
        assert not db.scalars(select(FlagRow)).all()
        assert not db.scalars(select(HistoryRow)).all(), "nobody did it, so nobody is named"
    held = snapshot.snapshot_of(partial(reading, older))
    assert held.service(HOSPITAL).site == "PE250101"


def test_a_second_time_changes_nothing(older: Engine) -> None:
    upgrades(older)
    version = snapshot.snapshot_of(partial(reading, older)).version
    again = upgrades(older)
    assert again == UpgradeReport()
    assert snapshot.snapshot_of(partial(reading, older)).version == version


def test_a_confirmed_row_keeps_every_cell_and_the_difference_is_told(older: Engine) -> None:
    act(older, CENTRE)
    before = cells(older, CENTRE)
    report = upgrades(older)
    assert cells(older, CENTRE) == before
    assert report.changed == []
    differ = {(column, ours) for service, column, ours, _ in report.kept if service == CENTRE}
    assert differ == {("phone", "900000000"), ("address", "")}
    assert "900000000" in "\n".join(report.in_words())


def test_a_changed_cell_stays_and_the_rest_of_its_row_is_brought_up_to_date(older: Engine) -> None:
    act(older, CENTRE, phone="061 111111")
    report = upgrades(older)
    assert report.kept == [(CENTRE, "phone", "061 111111", "994801093")]
    assert cells(older, CENTRE)["phone"] == "061 111111"
    assert cells(older, CENTRE)["address"]


def test_a_number_that_was_taken_out_because_it_is_dead_does_not_come_back(older: Engine) -> None:
    act(older, CENTRE, phone="")
    act(older, CENTRE)
    upgrades(older)
    assert cells(older, CENTRE)["phone"] == ""


def test_a_retired_row_that_somebody_looked_at_stays_and_is_named(older: Engine) -> None:
    act(older, RETIRED[0])
    report = upgrades(older)
    assert (report.removed, report.kept_retired) == ([RETIRED[1]], [RETIRED[0]])
    assert RETIRED[0] in ids(older)


def test_what_the_team_brought_in_itself_stays_whatever_its_id(older: Engine) -> None:
    theirs = {**dict.fromkeys(COLUMNS, ""), **cells(older, "linea113"), "id": HOSPITAL, "name": "Ours"}
    with writing(older) as db:
        done = run.import_file(db, as_csv([theirs]).encode(), "carmen", TODAY)
    assert done.stored == 1
    upgrades(older)
    assert cells(older, HOSPITAL)["name"] == "Ours"


def test_a_directory_of_another_country_gets_nothing_of_peru(engine: Engine) -> None:
    before = ids(engine)
    with writing(engine) as db:
        db.execute(ServiceRow.__table__.delete().where(ServiceRow.id == HOSPITAL))
    snapshot.settle(engine, "MX", "America/Mexico_City")
    assert upgrades(engine) == UpgradeReport()
    assert ids(engine) == before - {HOSPITAL}


def test_a_file_of_before_leaves_what_it_has_no_column_for(engine: Engine) -> None:
    columns = tuple(column for column in COLUMNS if column != "site")
    row = cells(engine, CENTRE) | {"phone": "061 222222"}
    with writing(engine) as db:
        done = run.import_file(db, as_csv([row], columns=columns).encode(), "carmen", TODAY)
    assert (done.stored, done.problems) == (1, [])
    after = cells(engine, CENTRE)
    assert (after["phone"], after["site"]) == ("061 222222", "250101")
