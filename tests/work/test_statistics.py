"""A release is made once, by people, of what she allowed to be counted; a crash leaves none or the one."""

from __future__ import annotations

import secrets
from fractions import Fraction

import pytest
from sqlalchemy import func, select

from reporting.app import create_app
from reporting.cases import submission
from reporting.cases.case_file import seal_tally
from reporting.clock import HOUR
from reporting.crypto import receipts
from reporting.figures import freezing, periods, releases, tables, tallies
from reporting.figures.noise import laplace
from reporting.figures.periods import period
from reporting.figures.release_ledger import ReleaseRefused
from reporting.figures.tables import Noise
from reporting.sessions import tickets
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow
from reporting.storage.release_models import ArchiveRow, ReleaseMonthRow, ReleaseRow
from reporting.teams import team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASEWORK, STATISTICS
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.tally import VOID_TALLY, tally_block, tally_from_block
from tests.copies import Filling, with_readers_of_figures
from tests.pages.test_casework import comes_back
from tests.people import Place

CLIENT = Incident(perpetrator=frozenset({"CLIENT"}), violence=frozenset({"RAPE"}))


def silent(_scale: Fraction) -> int:
    """No noise, so that a test can see what was counted."""
    return 0


def before_the_end_of_2026(place: Place) -> None:
    with_readers_of_figures(place)
    place.clock.now = period("2026").ends - 86_400 * 10


@pytest.fixture(scope="session")
def filling() -> Filling:
    return before_the_end_of_2026


def receives(place: Place, *, counted: bool = True, at: float | None = None, times: int = 1) -> list[int]:
    hour = int(at if at is not None else place.clock()) // HOUR
    with reading(place.engine) as db:
        found = team_log.teams(db, place.pin)
    readers, counters = (team_log.team_of_kind(found, kind) for kind in (CASEWORK, STATISTICS))
    cases = []
    for _ in range(times):
        consents, trip = frozenset({"C_STATS"} if counted else ()), tickets.new_trip()
        report = submission.new_report(CLIENT, "", consents=consents, language="es", trip=trip, hour=hour)
        drawn = receipts.draw(secrets.randbelow)
        sealed = submission.prepare(report, drawn, readers, counters, place.settings.pepper, place.clock())
        with writing(place.engine) as db:
            submission.file_invented(db, sealed)
        cases.append(sealed.case["id"])
    return cases


def freezes(place: Place, keys: Keys, name: str = "2026") -> int:
    return freezing.freeze(place.engine, place.pin, keys, period(name), place.clock())


def compiles(place: Place, keys: Keys, release: int, noise: Noise = silent) -> None:
    releases.compile_release(place.engine, place.pin, keys, release, noise)


def publishes(place: Place, keys: Keys, release: int) -> None:
    with writing(place.engine) as db:
        releases.publish(db, place.pin, keys, release)


def replaces(place: Place, case: int, tally: bytes) -> None:
    with writing(place.engine) as db:
        team = team_log.team_of_kind(team_log.teams(db, place.pin), STATISTICS)
        db.get_one(CaseRow, case).tally = seal_tally(tally, case, team)


def counted(place: Place, name: str = "2026") -> int | None:
    with reading(place.engine) as db:
        return releases.find(db, name, unpublished=True).total


def late_enough(place: Place, name: str = "2026") -> None:
    place.clock.now = period(name).ends + 61 * 86_400


def test_a_release_counts_whoever_agreed_and_nobody_else(place: Place) -> None:
    receives(place, times=12)
    receives(place, counted=False, times=5)
    receives(place, at=period("2026").ends + 5, times=11)  # of the next period
    late_enough(place)
    ana = place.signs_in("ana")
    compiles(place, ana, freezes(place, ana))
    assert counted(place) == 12


def test_a_tally_copied_into_other_cases_counts_once(place: Place) -> None:
    """Whoever can write but not read would else find in the figures what one tally says."""
    hers, *_ = receives(place, times=12)
    receives(place, counted=False, times=30)
    with writing(place.engine) as db:
        copied = db.get_one(CaseRow, hers).tally
        for row in db.scalars(select(CaseRow)):
            row.tally = copied
    late_enough(place)
    ana = place.signs_in("ana")
    compiles(place, ana, freezes(place, ana))
    assert counted(place) is None, "fewer than ten"


def test_a_tally_copied_in_the_archive_counts_once(place: Place) -> None:
    receives(place, times=12)
    late_enough(place)
    ana = place.signs_in("ana")
    release = freezes(place, ana)
    with writing(place.engine) as db:
        rows = db.scalars(select(ArchiveRow)).all()
        for row in rows:
            row.sealed = rows[0].sealed
    compiles(place, ana, release)
    assert counted(place) is None, "fewer than ten"


def test_what_was_withdrawn_or_corrected_before_the_freeze_is_not_counted_as_it_was(place: Place) -> None:
    first, second, *_ = receives(place, times=13)
    replaces(place, first, bytes(16))
    replaces(place, second, tally_block(CLIENT, int(place.clock()) // HOUR, counted=True, outcome="REACHED"))
    late_enough(place)
    ana = place.signs_in("ana")
    compiles(place, ana, freezes(place, ana))
    assert counted(place) == 12


def test_what_changes_after_the_freeze_changes_nothing_and_is_never_counted_again(place: Place) -> None:
    cases = receives(place, times=12)
    hour = int(place.clock()) // HOUR
    late_enough(place)
    ana = place.signs_in("ana")
    release = freezes(place, ana)
    replaces(place, cases[0], bytes(16))
    for case in cases[1:]:
        replaces(place, case, tally_block(CLIENT, hour, counted=True, outcome="REACHED"))
    compiles(place, ana, release)
    assert counted(place) == 12
    late_enough(place, "2027")
    compiles(place, place.signs_in("ana"), freezes(place, place.signs_in("ana"), "2027"))
    assert counted(place, "2027") is None


def test_tallies_leave_the_case_rows_at_the_freeze_and_those_of_other_periods_stay(place: Place) -> None:
    cases, later = receives(place, times=3), receives(place, at=period("2026").ends + 5)
    late_enough(place)
    ana = place.signs_in("ana")
    freezes(place, ana)
    with reading(place.engine) as db:
        team = team_log.team_of_kind(team_log.teams(db, place.pin), STATISTICS)
        ready = tallies.openers(team, ana)
        left = {row.id: tallies.open_tally(row.tally, row.id, team, ready) for row in db.scalars(select(CaseRow))}
    assert {case: left[case] for case in cases} == dict.fromkeys(cases, VOID_TALLY)
    assert left[later[0]] != VOID_TALLY


def test_nothing_that_lies_there_shows_who_is_counted_or_how_many(place: Place) -> None:
    receives(place, times=6)
    receives(place, counted=False, times=3)
    late_enough(place)
    before = rows(place)
    freezes(place, place.signs_in("ana"))
    after = rows(place)
    assert before.keys() == after.keys()
    assert all(before[case] != after[case] for case in before), "every one is sealed anew"
    assert len({len(tally) for tally in (*before.values(), *after.values())}) == 1
    with reading(place.engine) as db:
        archived = db.scalars(select(ArchiveRow.sealed)).all()
    assert len(archived) == 9
    assert len({len(one) for one in archived}) == 1


def rows(place: Place) -> dict[int, bytes]:
    with reading(place.engine) as db:
        return {row.id: row.tally for row in db.scalars(select(CaseRow))}


def test_a_period_is_frozen_sixty_days_after_its_end_and_not_before(place: Place) -> None:
    place.clock.now = period("2026").ends + 60 * 86_400 - 3600
    with pytest.raises(ReleaseRefused):
        freezes(place, place.signs_in("ana"))
    place.clock.on(hours=2)
    freezes(place, place.signs_in("ana"))


@pytest.mark.parametrize("again", ["2026", "2026-S2", "2026-T1", "2025-2026"])
def test_a_period_or_one_that_overlaps_it_is_never_built_twice(place: Place, again: str) -> None:
    late_enough(place)
    ana = place.signs_in("ana")
    release = freezes(place, ana)
    with pytest.raises(ReleaseRefused):
        freezes(place, ana, again)
    compiles(place, ana, release)
    with pytest.raises(ReleaseRefused):
        compiles(place, ana, release)
    with pytest.raises(ReleaseRefused):
        freezes(place, ana, again)


def test_a_release_that_shares_a_month_with_another_is_not_published(place: Place) -> None:
    """Also where somebody wrote into the ledger by hand after both were compiled."""
    late_enough(place)
    ana, luz = place.signs_in("ana"), place.signs_in("luz")
    first, second = freezes(place, ana, "2026-S1"), freezes(place, ana, "2026-S2")
    for release in (first, second):
        compiles(place, ana, release)
    with writing(place.engine) as db:
        db.get_one(ReleaseMonthRow, period("2026").first).release = second
    for release in (first, second):
        with pytest.raises(ReleaseRefused):
            publishes(place, luz, release)
    with reading(place.engine) as db:
        assert not releases.published(db)


def has_published(place: Place, name: str, total: int) -> None:
    """A release of the past with this total, exactly."""
    with writing(place.engine) as db:
        team = team_log.team_of_kind(team_log.teams(db, place.pin), STATISTICS).id
        blocks = [tally_block(CLIENT, int(place.clock()) // HOUR, counted=True)] * total
        releases.publish_fictional(db, period(name), blocks, silent, team)


@pytest.mark.parametrize(
    ("total", "name", "tier"),
    [
        (None, "2026", 0),
        (5, "2026", -1),
        (30, "2026", -1),
        (30, "2026-S1", -1),
        (60, "2026", 0),
        (60, "2026-S1", -1),
        (60, "2025-2026", 1),
        (1200, "2026", 2),
        (1200, "2026-T1", 1),
        (10_000, "2025-2026", 3),
    ],
)
def test_the_tables_follow_from_the_last_published_total_and_the_length_of_the_period(
    total: int | None, name: str, tier: int, place: Place
) -> None:
    if total is not None:
        has_published(place, "2024", total)
    receives(place, times=2)  # reports that wait change nothing
    with reading(place.engine) as db:
        assert releases.design_of(db, period(name), releases.USUAL).tier == tier


@pytest.mark.parametrize(
    ("taken", "free"),
    [
        ((), ["2026", "2025", "2024", "2025-2026", "2024-2025"]),
        (("2026",), ["2025", "2024", "2024-2025"]),
        (("2025-T3",), ["2026", "2024"]),
        (("2024-2025",), ["2026"]),
    ],
)
def test_what_is_offered_shares_no_month_with_what_was_frozen(taken: tuple[str, ...], free: list[str]) -> None:
    now = period("2026").ends + 61 * 86_400
    assert list(periods.closed_periods(now, taken)) == free
    assert "2026" not in periods.closed_periods(period("2026").ends + 59 * 86_400, taken)


def test_another_advocate_publishes_and_then_the_archive_is_gone(place: Place) -> None:
    receives(place, times=3)
    late_enough(place)
    ana, luz = place.signs_in("ana"), place.signs_in("luz")
    release = freezes(place, ana)
    compiles(place, ana, release)
    with pytest.raises(ReleaseRefused):
        publishes(place, ana, release)
    with reading(place.engine) as db, pytest.raises(team_log.CannotOpen):
        releases.find(db, "2026")
    publishes(place, luz, release)
    with reading(place.engine) as db:
        assert releases.find(db, "2026").total is None
        assert not db.scalar(select(func.count()).select_from(ArchiveRow))


def test_bytes_that_were_changed_are_not_shown(place: Place) -> None:
    late_enough(place)
    ana, luz = place.signs_in("ana"), place.signs_in("luz")
    release = freezes(place, ana)
    compiles(place, ana, release)
    publishes(place, luz, release)
    with writing(place.engine) as db:
        row = db.get_one(ReleaseRow, release)
        row.body = row.body.replace(b"2026", b"2016")
    with reading(place.engine) as db, pytest.raises(team_log.CannotOpen):
        releases.find(db, "2026")


def test_the_noise_of_a_real_release_is_there(place: Place) -> None:
    late_enough(place)
    ana = place.signs_in("ana")
    drawn = []
    exact = laplace(secrets.randbelow)

    def noise(scale: Fraction) -> int:
        drawn.append(exact(scale))
        return drawn[-1]

    compiles(place, ana, freezes(place, ana), noise)
    assert len(drawn) == sum(len(table.cells) for table in tables.design(0).leaves)


@pytest.mark.parametrize(("name", "months"), [("2026", 12), ("2026-S2", 6), ("2026-T4", 3), ("2025-2026", 24)])
def test_a_period_is_a_calendar_rule(name: str, months: int) -> None:
    assert len(period(name).months) == months
    assert period(name).ends == period("2026").ends


@pytest.mark.parametrize("name", ["", "26", "2026-S3", "2026-T0", "2026-2028", "1999", "2026-13", "٢٠٢٦"])
def test_other_periods_are_refused(name: str) -> None:
    with pytest.raises(periods.UnknownPeriod):
        period(name)


def test_a_tally_sealed_before_the_keys_changed_is_still_counted(place: Place) -> None:
    receives(place, times=10)
    assert tally_from_block(tally_block(CLIENT, int(place.clock()) // HOUR, counted=True)) is not None
    from reporting.teams import keyring

    with writing(place.engine) as db:
        place.gone(db, "luz")
    ana = place.signs_in("ana")
    with writing(place.engine) as db:
        ana, gone = keyring.settle(db, place.pin, ana)
    assert gone == ("luz",)
    with reading(place.engine) as db:
        place.pin.raise_to(team_log.teams(db, place.pin))
    receives(place, times=10)
    late_enough(place)
    compiles(place, ana, freezes(place, ana))
    assert counted(place) == 20


# ── what she presses herself ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "after", "number"),
    [("deny-C_STATS", "", 10), ("deny-C_STATS", "allow-C_STATS", 10), ("", "deny-C_STATS", 11), ("", "", 11)],
)
def test_her_own_no_counts_until_the_freeze_and_her_yes_too(place: Place, before: str, after: str, number: int) -> None:
    """Whatever she presses after it changes neither this release nor the next."""
    receives(place, times=10)
    receipt, app = place.receives(CLIENT, consents=frozenset({"C_STATS"})), create_app(place.settings, place.clock)
    comes_back(app, receipt).presses("deny-C_STATS")
    comes_back(app, receipt).presses("allow-C_STATS")  # a tally is sealed by her pressing, as by sending
    if before:
        comes_back(app, receipt).presses(before)
    late_enough(place)
    ana = place.signs_in("ana")
    release = freezes(place, ana)
    if after:
        comes_back(app, receipt).presses(after)
    compiles(place, ana, release)
    assert counted(place) == number
    late_enough(place, "2027")
    ana = place.signs_in("ana")
    compiles(place, ana, freezes(place, ana, "2027"))
    assert counted(place, "2027") is None
