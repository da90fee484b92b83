"""The living directory: nothing changes without a name and a reason, what is due says so, flags keep nothing."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, select

from referrals.directory import curation, gaps, rows, snapshot
from referrals.directory import due as directory_due
from referrals.directory.curation import InvalidService, ServiceEditConflict, ServiceEntry
from referrals.directory.due import OFTEN
from referrals.directory.keeping import calls, questions
from referrals.directory.models import CoverageRow, FlagRow, ForeignRow, HistoryRow, ServiceRow
from reporting.storage.database import reading, writing
from reporting.vocabulary.needs import NEEDS

TODAY = date(2026, 11, 24)
LOCAL = "cem-regular-pucallpa-25"
LOCAL_WITHOUT_NUMBER = "mega_alegra_ucayali"
A_HOSPITAL = "renipress-00005576"  # of Pucallpa; serves its whole region


def seen(engine: Engine, service: str, today: date = TODAY) -> ServiceEntry:
    with reading(engine) as db:
        found = curation.entry(db, service, today)
    assert found is not None
    return found


def confirms(engine: Engine, service: str, today: date = TODAY) -> None:
    stamp = seen(engine, service).stamp
    with writing(engine) as db:
        curation.confirm(db, service, "rosa", today, stamp)


def edits(engine: Engine, service: str, **told: str) -> None:
    stamp = seen(engine, service).stamp
    with writing(engine) as db:
        curation.edit(db, service, told, "carmen", "called", TODAY, stamp)


# ── one service ─────────────────────────────────────────────────────────────────────────────────────────────


def test_one_click_says_who_found_it_true_and_when(engine: Engine) -> None:
    confirms(engine, "linea100")
    entry = seen(engine, "linea100")
    assert entry.row["verified_on"] == "2026-11-24"
    assert [(act.who, act.act, act.day) for act in entry.acts] == [("rosa", curation.CONFIRMED, "2026-11-24")]
    assert not entry.due.over


def test_a_change_keeps_what_stood_there_before_and_why(engine: Engine) -> None:
    before = seen(engine, "linea100").row["hours"]
    edits(engine, "linea100", hours="siempre")
    act = seen(engine, "linea100").acts[0]
    assert (act.who, act.why, act.changes) == ("carmen", "called", {"hours": [before, "siempre"]})


def test_who_read_an_older_state_changes_nothing(engine: Engine) -> None:
    old = seen(engine, "linea100").stamp
    edits(engine, "linea100", hours="siempre")
    for act in (
        partial(curation.confirm, service="linea100", who="rosa", today=TODAY, stamp=old),
        partial(curation.edit, service="linea100", cells={}, who="rosa", why="y", today=TODAY, stamp=old),
        partial(curation.learn, service="linea100", cells={}, who="rosa", today=TODAY, stamp=old),
    ):
        with pytest.raises(ServiceEditConflict), writing(engine) as db:
            act(db)
    assert seen(engine, "linea100").row["hours"] == "siempre"
    assert len(seen(engine, "linea100").acts) == 1


def test_every_change_reaches_the_copy_in_memory(engine: Engine) -> None:
    look = partial(reading, engine)
    before = snapshot.snapshot_of(look).version
    edits(engine, "linea100", name="Línea 100, renovada")
    assert snapshot.snapshot_of(look).service("linea100").name == "Línea 100, renovada"
    confirms(engine, "linea100")
    assert snapshot.snapshot_of(look).version == before + 2


@pytest.mark.parametrize(
    "told",
    [
        {"name": ""},
        {"service_type": "CASTLE"},
        {"verified_on": "2026-02-30"},
        {"coverage": "region", "regions_inei": "99"},
    ],
)
def test_what_cannot_be_stored_is_refused_and_nothing_changes(engine: Engine, told: dict[str, str]) -> None:
    before = seen(engine, "linea100").row
    with pytest.raises(InvalidService):
        edits(engine, "linea100", **told)
    assert seen(engine, "linea100").row == before


def a_shelter(engine: Engine) -> str:
    with reading(engine) as db:
        return db.scalars(select(ServiceRow.id).where(ServiceRow.service_type == "SHELTER")).first() or ""


def test_a_shelter_s_address_is_refused_in_words(engine: Engine) -> None:
    with pytest.raises(InvalidService) as refused:
        edits(engine, a_shelter(engine), address="Jirón Secreto 1")
    assert refused.value.reasons == (rows.FAULTS["shelter"],)


def test_what_becomes_a_shelter_leaves_its_address_nowhere(engine: Engine) -> None:
    edits(engine, LOCAL_WITHOUT_NUMBER, address="Jirón Secreto 1")
    with writing(engine) as db:
        db.add(ForeignRow(service=LOCAL_WITHOUT_NUMBER, told=json.dumps({"dir": "Jirón Secreto 1"}), print="x"))
    with pytest.raises(InvalidService):
        edits(engine, LOCAL_WITHOUT_NUMBER, service_type="SHELTER")
    edits(engine, LOCAL_WITHOUT_NUMBER, service_type="SHELTER", address="")
    with reading(engine) as db:
        kept = [*db.scalars(select(HistoryRow.changes)), *db.scalars(select(ForeignRow.told))]
    assert not [one for one in kept if "Secreto" in one]


def test_a_row_that_no_source_has_seen_is_a_door_only_after_somebody_confirmed_it(engine: Engine) -> None:
    edits(engine, LOCAL_WITHOUT_NUMBER, source="", status="unverified")
    confirms(engine, LOCAL_WITHOUT_NUMBER)
    row = seen(engine, LOCAL_WITHOUT_NUMBER).row
    assert (row["source"], row["status"]) == (curation.OUR_CALL, curation.OURS)


# ── due ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("service", "days", "over", "old"),
    [
        ("linea100", 29, False, False),
        ("linea100", 30, True, False),  # a crisis line
        (LOCAL, 30, False, False),
        (LOCAL, 179, False, False),
        (LOCAL, 180, True, False),
        (LOCAL, 365, True, False),
        (LOCAL, 366, True, True),
    ],
)
def test_lines_are_due_after_30_days_others_after_180_and_a_year_is_old(
    engine: Engine, service: str, days: int, over: bool, old: bool
) -> None:
    confirms(engine, service, TODAY - timedelta(days=days))
    due = seen(engine, service).due
    assert (due.over, due.old) == (over, old)


def test_a_place_that_says_it_has_pep_is_due_like_a_line(engine: Engine) -> None:
    edits(engine, LOCAL_WITHOUT_NUMBER, has_pep="yes (dicho por teléfono)")
    assert seen(engine, LOCAL_WITHOUT_NUMBER).due.every == OFTEN


def test_what_is_due_comes_first_and_the_flagged_before_all(engine: Engine) -> None:
    confirms(engine, "linea100")
    with writing(engine) as db:
        curation.flag(db, LOCAL, "dead", TODAY)
    with reading(engine) as db:
        found = directory_due.due(db, TODAY)
    assert found[0].service == LOCAL
    assert [one.over for one in found] == sorted((one.over for one in found), reverse=True)
    assert found[-1].service == "linea100"


# ── flags ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_flag_makes_a_service_due_at_once_until_somebody_looked(engine: Engine) -> None:
    confirms(engine, "linea100")
    with writing(engine) as db:
        assert curation.flag(db, "linea100", "dead", TODAY)
        assert curation.flag(db, "linea100", "dead", TODAY)
    assert seen(engine, "linea100").due.over
    confirms(engine, "linea100")
    assert not seen(engine, "linea100").due.over
    assert seen(engine, "linea100").flags == (("2026-W48", "dead", 2),)
    with writing(engine) as db:
        curation.flag(db, "linea100", "dead", TODAY)
    assert seen(engine, "linea100").due.over, "the same week again"


def test_of_a_flag_nothing_is_kept_but_service_week_kind_and_count(engine: Engine) -> None:
    assert {column.name for column in FlagRow.__table__.columns} == {"service", "week", "kind", "count", "waits"}
    for day in range(7):  # Monday to Sunday
        with writing(engine) as db:
            curation.flag(db, "linea100", "unsafe", date(2026, 11, 23) + timedelta(days=day))
    assert seen(engine, "linea100").flags == (("2026-W48", "unsafe", 7),)


@pytest.mark.parametrize(("service", "kind"), [("linea100", "nice"), ("nobody", "dead"), ("", "")])
def test_a_flag_for_nothing_known_leaves_nothing(engine: Engine, service: str, kind: str) -> None:
    with writing(engine) as db:
        assert not curation.flag(db, service, kind, TODAY)
        assert not db.scalars(select(FlagRow)).all()


# ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_fills_only_what_was_unknown(engine: Engine) -> None:
    entry = seen(engine, LOCAL_WITHOUT_NUMBER)
    told = {"phone": "061 123456", "minors": "yes", "what_for": "not asked", "name": "not asked"}
    with writing(engine) as db:
        curation.learn(db, LOCAL_WITHOUT_NUMBER, told, "rosa", TODAY, entry.stamp)
    after = seen(engine, LOCAL_WITHOUT_NUMBER).row
    assert (after["phone"], after["minors"], after["verified_on"]) == ("061 123456", "yes", "2026-11-24")
    assert (after["name"], after["what_for"]) == (entry.row["name"], entry.row["what_for"])


def test_nobody_answered_is_written_down_and_confirms_nothing(engine: Engine) -> None:
    with writing(engine) as db:
        curation.nobody_answered(db, LOCAL, "rosa", TODAY)
    assert seen(engine, LOCAL).row["verified_on"] == ""
    with reading(engine) as db:
        tasks = calls.worklist(db, snapshot.snapshot_of(partial(reading, engine)), "PE25", TODAY)
    assert next(task.tried for task in tasks if task.row["id"] == LOCAL) == ("2026-11-24",)


def test_a_work_list_holds_what_is_local_and_asks_only_what_nobody_knows(engine: Engine) -> None:
    with reading(engine) as db:
        tasks = calls.worklist(db, snapshot.snapshot_of(partial(reading, engine)), "PE25", TODAY)
    listed = {task.row["id"] for task in tasks}
    assert {LOCAL, LOCAL_WITHOUT_NUMBER, "defensoria_ucayali", "upe_ucayali", "renipress-00005576"} <= listed
    with reading(engine) as db:
        covers = db.execute(select(CoverageRow.service, CoverageRow.place).where(CoverageRow.service.in_(listed)))
        assert {place[:4] for _, place in covers} == {"PE25"}
    for task in tasks:
        assert task.unknown
        assert all(task.row[question.column] in {"", "unknown"} for question in task.unknown)


def test_a_shelter_is_never_asked_where_it_is(engine: Engine) -> None:
    cells = dict(seen(engine, a_shelter(engine)).row) | {"coverage": "region"}
    assert "address" not in {question.column for question in questions.unknown_of(cells)}
    assert "address" in {question.column for question in questions.unknown_of(cells | {"service_type": "PEER_SW"})}


# ── gaps ────────────────────────────────────────────────────────────────────────────────────────────────────


def gaps_by_need(engine: Engine, place: str = "PE") -> dict[str, gaps.Gap]:
    return {gap.need: gap for gap in gaps.gaps(snapshot.snapshot_of(partial(reading, engine)), TODAY, place)}


def test_every_need_is_looked_at_in_every_province_once(engine: Engine) -> None:
    found = gaps_by_need(engine)
    assert found.keys() == NEEDS.keys()
    for gap in found.values():
        codes = [code for codes in gap.provinces.values() for code in codes]
        assert len(codes) == len(set(codes)) == 196


def test_as_shipped_nothing_is_verified_and_the_gaps_say_so(engine: Engine) -> None:
    assert {gap.count(gaps.VERIFIED) for gap in gaps_by_need(engine).values()} == {0}


def test_confirming_a_local_service_closes_the_gap_in_its_provinces_for_a_year(engine: Engine) -> None:
    confirms(engine, A_HOSPITAL)
    assert gaps_by_need(engine)["N_PEP"].provinces[gaps.VERIFIED] == ("PE2501", "PE2502", "PE2503", "PE2504")
    confirms(engine, A_HOSPITAL, TODAY - timedelta(days=366))
    assert gaps_by_need(engine)["N_PEP"].count(gaps.VERIFIED) == 0


def test_what_no_written_case_is_offered_is_named_with_a_reason(engine: Engine) -> None:
    held = snapshot.snapshot_of(partial(reading, engine))
    never = gaps.never_matched(held)
    unseen = {card.service_id for card in held.cards.by_id.values() if not card.source}
    assert unseen <= never.keys()
    assert {never[service] for service in unseen} <= {gaps.WHY_NEVER["unseen"]}
    assert "samu106" not in never


def test_a_work_list_of_a_province_holds_what_stands_there(engine: Engine) -> None:
    held = snapshot.snapshot_of(partial(reading, engine))
    with reading(engine) as db:
        listed = {task.row["id"] for task in calls.worklist(db, held, "PE2502", TODAY)}
    assert "cem-regular-atalaya-25" in listed
    assert {held.service(service).site[:6] for service in listed} <= {"PE2502", ""}
