"""Promises of the casebook: what is kept opens for those she chose, whole, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from reporting.cases import case_file, desk, store, summary
from reporting.cases.records import FROM_HER, FROM_TEAM, Case, NoConsent, Visit
from reporting.storage.database import reading, writing
from reporting.storage.models import AuditRow, CaseRow, LogRow, RecordRow
from reporting.teams import audit
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER, BrokenChain, CannotOpen
from reporting.vocabulary.incident import Incident
from tests.people import Place, a_new_place

RAPE = Incident(violence=frozenset({"RAPE"}), hours=(5.0, 5.0), region="UCAYALI", department="PE25", age="A25_34")


@pytest.fixture
def rosa(place: Place) -> Keys:
    return place.signs_in("rosa")


def open_as_team(place: Place, keys: Keys) -> Case:
    with writing(place.engine) as db:
        cards, broken = desk.queue(db, keys)
        assert not broken
        return desk.open_case(db, keys, cards[0].case, place.clock())


def open_as_reporter(place: Place, visit: Visit) -> Case:
    with reading(place.engine) as db:
        return store.open_visit(db, visit)


def test_what_she_told_is_what_the_case_worker_reads(place: Place, rosa: Keys) -> None:
    receipt = place.receives(RAPE, "Fue en la noche.", contact={"number_to_call": "999"})
    for case in (open_as_team(place, rosa), open_as_reporter(place, place.comes_back(receipt))):
        assert (case.incident, case.narrative, case.has_contact) == (RAPE, "Fue en la noche.", True)
    assert open_as_reporter(place, place.comes_back(receipt)).contact == {"number_to_call": "999"}


def test_how_to_reach_her_is_behind_one_act_of_the_audit(place: Place, rosa: Keys) -> None:
    consents = frozenset({"C_CONTACT"})
    place.receives(RAPE, contact={"number_to_call": "999"}, consents=consents)
    case = open_as_team(place, rosa)
    assert not case.contact
    with writing(place.engine) as db:
        assert desk.open_contact(db, rosa, case.id, place.clock()) == {"number_to_call": "999"}
        assert [act.act for act in desk.acts(db, rosa, {})] == ["contact", "opened"]


def test_how_to_reach_her_stays_shut_without_her_yes(place: Place, rosa: Keys) -> None:
    place.receives(RAPE, contact={"number_to_call": "999"}, consents=frozenset())
    case = open_as_team(place, rosa).id
    with writing(place.engine) as db, pytest.raises(NoConsent):
        desk.open_contact(db, rosa, case, place.clock())


def test_letters_go_both_ways_and_stay_in_order(place: Place, rosa: Keys) -> None:
    visit = place.comes_back(place.receives(RAPE))
    case = open_as_team(place, rosa)
    with writing(place.engine) as db:
        desk.write_as_team(db, rosa, case.id, "Te leímos.", place.clock())
    with writing(place.engine) as db:
        store.write_as_reporter(db, visit, "Gracias.", place.clock())
    letters = [(letter.sender, letter.text) for letter in open_as_reporter(place, visit).letters]
    assert letters == [(FROM_TEAM, "Te leímos."), (FROM_HER, "Gracias.")]


def test_nobody_writes_to_her_without_her_yes(place: Place, rosa: Keys) -> None:
    place.receives(RAPE, consents=frozenset())
    case = open_as_team(place, rosa)
    with writing(place.engine) as db, pytest.raises(NoConsent):
        desk.write_as_team(db, rosa, case.id, "Hola", place.clock())


def test_opening_marks_a_case_as_read_and_her_letter_as_unread_again(place: Place, rosa: Keys) -> None:
    visit = place.comes_back(place.receives(RAPE))
    assert card(place, rosa).unread
    open_as_team(place, rosa)
    assert not card(place, rosa).unread
    with writing(place.engine) as db:
        store.write_as_reporter(db, visit, "¿Hay alguien?", place.clock())
    assert card(place, rosa).unread


def card(place: Place, keys: Keys) -> summary.Summary:
    with reading(place.engine) as db:
        return desk.queue(db, keys)[0][0]


def test_every_opening_is_in_the_audit_and_the_chain_holds(place: Place, rosa: Keys) -> None:
    place.receives(RAPE)
    case = open_as_team(place, rosa)
    with reading(place.engine) as db:
        acts = desk.acts(db, rosa, {})
        assert [(act.act, act.case, act.actor) for act in acts] == [("opened", case.id, rosa.member)]
        assert audit.first_break(audit.entries(db)) is None
    with writing(place.engine) as db:
        last = db.scalars(select(AuditRow).order_by(AuditRow.number.desc())).first()
        assert last is not None
        last.body = last.body[:-1] + b"x"
    with reading(place.engine) as db:
        assert audit.first_break(audit.entries(db)) == acts[0].number


def test_the_audit_does_not_say_in_the_clear_which_case_was_opened(place: Place, rosa: Keys) -> None:
    place.receives(RAPE)
    case = open_as_team(place, rosa)
    with reading(place.engine) as db:
        bodies = [row.body for row in db.scalars(select(AuditRow))]
    assert not any(str(case.id).encode() in body or b"opened" in body for body in bodies)


def test_an_erased_case_opens_for_nobody(place: Place, rosa: Keys) -> None:
    receipt = place.receives(RAPE)
    visit = place.comes_back(receipt)
    case = open_as_team(place, rosa)
    with writing(place.engine) as db:
        store.erase(db, visit, place.settings.pepper, place.clock())
    with pytest.raises(CannotOpen):
        place.comes_back(receipt)
    with writing(place.engine) as db, pytest.raises(CannotOpen):
        desk.open_case(db, rosa, case.id, place.clock())
    with reading(place.engine) as db:
        assert not db.scalars(select(RecordRow)).all()


def test_a_wrong_receipt_opens_nothing(place: Place) -> None:
    place.receives(RAPE)
    with pytest.raises(CannotOpen):
        place.comes_back(store.Receipt((1, 2, 3, 4, 5, 6, 7)))


def test_keys_moved_to_the_vault_still_open_the_case(place: Place, rosa: Keys) -> None:
    place.receives(RAPE, "palabras")
    with writing(place.engine) as db:
        assert len(desk.move_to_vault(db, rosa, desk.MOVED)) == 1
    with writing(place.engine) as db:
        assert not desk.move_to_vault(db, rosa, desk.MOVED)
    assert open_as_team(place, rosa).narrative == "palabras"


def test_one_damaged_key_keeps_no_other_from_the_vault(place: Place, rosa: Keys) -> None:
    place.receives(RAPE)
    place.receives(RAPE)
    with writing(place.engine) as db:
        row = db.scalars(select(CaseRow)).first()
        assert row is not None
        row.front_key = b"damaged"
    with writing(place.engine) as db:
        assert len(desk.move_to_vault(db, rosa, desk.MOVED)) == 1


def test_short_and_long_reports_with_and_without_consent_weigh_the_same(place: Place) -> None:
    for narrative, consents in (
        ("a" * 40, ()),
        ("ñ" * 400, ()),
        ("a" * 40, ("C_STATS",)),
        ("ñ" * 400, ("C_STATS",)),
    ):
        place.receives(RAPE, narrative, consents=frozenset(consents))
    with reading(place.engine) as db:
        rows = db.scalars(select(CaseRow)).all()
        sizes = {
            tuple(len(part or b"") for part in (row.front_key, row.receipt_key, row.card, row.cover, row.tally))
            + tuple(
                sorted(len(record.body) for record in db.scalars(select(RecordRow).where(RecordRow.case_id == row.id)))
            )
            for row in rows
        }
    assert len(rows) == 4
    assert len(sizes) == 1


def test_a_case_says_nothing_in_the_clear_but_its_week_of_deletion(place: Place) -> None:
    place.receives(RAPE)
    with reading(place.engine) as db:
        columns = dict(db.execute(text("SELECT * FROM case_file")).mappings().one())
    clear = {name: value for name, value in columns.items() if not isinstance(value, bytes) and value is not None}
    assert set(clear) == {"id", "team", "epoch", "version", "delete_after"}
    monday = date.fromisoformat(str(clear["delete_after"]))
    assert monday.weekday() == 0
    assert 730 <= (monday - datetime.fromtimestamp(place.clock(), UTC).date()).days <= 737


# ── somebody who can write the database ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("which", range(3))  # facts, narrative and trip, in no known order
def test_a_swapped_record_shuts_the_case_for_her_and_for_the_team(place: Place, rosa: Keys, which: int) -> None:
    receipt, _ = (place.receives(RAPE, words) for words in ("una", "otra"))
    visit = place.comes_back(receipt)
    with writing(place.engine) as db:
        mine, theirs = (
            db.scalars(select(RecordRow).where(case).order_by(RecordRow.id)).all()[which]
            for case in (RecordRow.case_id == visit.case, RecordRow.case_id != visit.case)
        )
        mine.body, theirs.body = theirs.body, mine.body
    assert_shut(place, rosa, visit.case)
    with pytest.raises(CannotOpen):
        open_as_reporter(place, visit)


def test_a_record_cut_out_or_slipped_in_shuts_the_case(place: Place, rosa: Keys) -> None:
    place.receives(RAPE)
    with writing(place.engine) as db:
        row = db.scalars(select(CaseRow)).one()
        first = db.scalars(select(RecordRow)).first()
        assert first is not None
        kept = (first.id, first.case_id, first.body)
        db.execute(delete(RecordRow).where(RecordRow.id == first.id))
        case = row.id
    assert_shut(place, rosa, case)
    with writing(place.engine) as db:
        db.add(RecordRow(id=kept[0], case_id=kept[1], body=kept[2]))
        db.add(RecordRow(id=1, case_id=kept[1], body=kept[2]))
    assert_shut(place, rosa, case)


def test_an_older_card_or_cover_put_back_does_not_open(place: Place, rosa: Keys) -> None:
    visit = place.comes_back(place.receives(RAPE))
    with reading(place.engine) as db:
        row = db.scalars(select(CaseRow)).one()
        card, cover, case = row.card, row.cover, row.id
    with writing(place.engine) as db:
        store.write_as_reporter(db, visit, "más", place.clock())
    for column, value in (("card", card), ("cover", cover)):
        with writing(place.engine) as db:
            now = getattr(db.scalars(select(CaseRow)).one(), column)
            db.execute(update(CaseRow).values({column: value}))
        assert_shut(place, rosa, case)
        with writing(place.engine) as db:
            db.execute(update(CaseRow).values({column: now}))


def assert_shut(place: Place, keys: Keys, case: int) -> None:
    with pytest.raises(CannotOpen), writing(place.engine) as db:
        desk.open_case(db, keys, case, place.clock())


def test_answers_that_fit_no_question_are_counted_as_broken_and_hide_no_other(place: Place, rosa: Keys) -> None:
    visit = place.comes_back(place.receives(RAPE))
    place.receives(RAPE)
    with writing(place.engine) as db:
        row = db.get_one(CaseRow, visit.case)
        summary = case_file.open_summary(visit.key, row.id, row.version, row.card)
        strange = replace(summary, answers={**summary.answers, "violence": ["OF_ANOTHER_HOUSE"]})
        row.card = case_file.seal_summary(visit.key, row.id, row.version, strange)
    with writing(place.engine) as db:
        cards, broken = desk.queue(db, rosa)
        assert (len(cards), len(broken)) == (1, 1)
        with pytest.raises(CannotOpen):
            desk.open_case(db, rosa, visit.case, place.clock())


def test_a_tampered_card_does_not_hide_the_rest_of_the_queue(place: Place, rosa: Keys) -> None:
    place.receives(RAPE)
    place.receives(RAPE)
    with writing(place.engine) as db:
        row = db.scalars(select(CaseRow)).first()
        assert row is not None
        row.card = row.card[:-1] + bytes([row.card[-1] ^ 1])
    with reading(place.engine) as db:
        cards, broken = desk.queue(db, rosa)
    assert (len(cards), len(broken)) == (1, 1)


TAMPERED = st.tuples(
    st.sampled_from(["front_key", "vault_key", "receipt_key", "card", "cover", "record"]),
    st.sampled_from(["flip", "cut", "swap", "older"]),
    st.integers(0, 10**6),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """Two cases, each kept in two versions, for thousands of tamperings in memory."""
    place = a_new_place(tmp_path_factory.mktemp("tampered"))
    place.hires("rosa", CASE_WORKER)
    keys = place.signs_in("rosa")
    receipts = [place.receives(RAPE, words) for words in ("una", "otra")]
    visits = [place.comes_back(receipt) for receipt in receipts]
    older = snapshots(place)
    stretched = {
        visit.case: store.stretch([receipt], place.settings.pepper)
        for visit, receipt in zip(visits, receipts, strict=True)
    }
    with writing(place.engine) as db:
        desk.move_to_vault(db, keys, desk.MOVED)
        for visit in visits:
            store.write_as_reporter(db, visit, "más", place.clock())
    return place, keys, older, snapshots(place), stretched


def snapshots(place: Place) -> list[dict[str, bytes]]:
    with reading(place.engine) as db:
        kept = []
        for row in db.scalars(select(CaseRow).order_by(CaseRow.id)):
            first = db.scalars(select(RecordRow).where(RecordRow.case_id == row.id).order_by(RecordRow.id)).first()
            assert first is not None
            kept.append(
                {
                    "case": row.id,
                    "record id": first.id,
                    "front_key": row.front_key,
                    "vault_key": row.vault_key,
                    "receipt_key": row.receipt_key,
                    "card": row.card,
                    "cover": row.cover,
                    "record": first.body,
                }
            )
        return kept  # type: ignore[return-value]


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TAMPERED)
def test_whatever_is_done_to_a_record_it_does_not_open(shared: object, tampering: tuple[str, str, int]) -> None:
    place, keys, older, newer, stretched = shared  # type: ignore[misc]
    what, how, where = tampering
    mine, theirs, before = newer[0], newer[1], older[0]
    now = mine[what] or older[0][what]
    changed = {
        "flip": lambda: (
            now[: where % len(now)] + bytes([now[where % len(now)] ^ (1 + where % 255)]) + now[where % len(now) + 1 :]
        ),
        "cut": lambda: now[: where % len(now)],
        "swap": lambda: theirs[what] or older[1][what],
        "older": lambda: before[what] if before[what] != now else now[:-1],
    }[how]()
    if what == "record" and how == "older":
        changed = now[::-1]  # the first record has one version only
    with pytest.raises(CannotOpen):
        open_tampered(place, keys, mine | {what: changed}, what, stretched)


def open_tampered(place: Place, keys: Keys, row: dict[str, Any], what: str, stretched: dict[int, Any]) -> None:
    """Put the changed bytes into the database, open, and put nothing back: the transaction is given up."""
    with reading(place.engine) as db:
        values = {name: row[name] for name in ("front_key", "vault_key", "receipt_key", "card", "cover")}
        if what == "front_key":
            values["vault_key"] = None
        db.execute(update(CaseRow).where(CaseRow.id == row["case"]).values(values))
        db.execute(update(RecordRow).where(RecordRow.id == row["record id"]).values(body=row["record"]))
        if what == "receipt_key":
            store.come_back(db, stretched[row["case"]])
        desk.open_case(db, keys, row["case"], place.clock())


def test_a_changed_team_key_closes_every_door(place: Place) -> None:
    with writing(place.engine) as db:
        entry = db.scalars(select(LogRow)).first()
        assert entry is not None
        entry.body = entry.body.replace(b'"epoch": 1', b'"epoch":  1')
    with pytest.raises(BrokenChain):
        place.receives(RAPE)
    with pytest.raises(BrokenChain):
        place.signs_in("rosa")
