"""A case does not take the place of another: who can write the database forges, rolls back, deletes; the team sees it.

The attacker knows the format and every public key, writes what she likes into any table, and holds no private key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from reporting.app import create_app
from reporting.cases import desk as cases_desk
from reporting.cases import store, taken
from reporting.cases.case_file import seal_manifest, seal_record, seal_summary
from reporting.cases.records import REASONS, alias
from reporting.cases.seal_contexts import front_key_context, receipt_key_context
from reporting.cases.summary import SummaryContent
from reporting.clock import DAY, HOUR
from reporting.crypto import sealing
from reporting.crypto.receipts import Receipt
from reporting.operations import backups, restoring, retention
from reporting.storage import models
from reporting.storage.database import Base, destroy, reading, upgrade_tables, writing
from reporting.teams import heads, list_numbers, team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER
from reporting.vocabulary.incident import Incident, answers_from_incident
from reporting.web.forms import DAY_IS_WRITTEN
from tests.copies import Copies, Filling, on_engine
from tests.pages.test_casework import comes_back
from tests.people import Place
from tests.phone import Phone
from tests.trips import say, signs_in

HERS = Incident(violence=frozenset({"RAPE"}), hours=(5.0, 5.0), region="UCAYALI")
OTHERS = "Las de Piura"
FORGED_NUMBER = "999 111 222"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, copies: Copies, filling: Filling, tmp_path: Path) -> Iterator[Place]:
    """An installation with rosa, on each database."""
    with on_engine(request.param, copies, tmp_path / "instance", filling) as furnished:
        yield furnished


@pytest.fixture
def rosa(app: Flask, place: Place) -> Phone:
    """Rosa at the desk."""
    return signs_in(app, place, place.workers["rosa"])


def looks(desk: Phone) -> str:
    """The words of the queue, with every case."""
    desk.opens("/es/equipo/casos?folder=all")
    assert desk.status == 203
    return desk.words


def the_only_case(place: Place) -> int:
    with reading(place.engine) as db:
        return int(db.execute(text("SELECT id FROM case_file")).scalar_one())


def says(reason: str) -> str:
    return say(REASONS[reason])


def is_named(desk: Phone, case: int, reason: str) -> bool:
    words = looks(desk)
    return f"{alias(case)} {say('does not open.')} {says(reason)}" in words


def opens(desk: Phone, case: int) -> int:
    desk.opens(f"/es/equipo/caso/{case}")
    return desk.status


def nothing_is_wrong(desk: Phone) -> bool:
    return say("does not open.") not in (words := looks(desk)) and says("list") not in words


# ── the attacker's script ───────────────────────────────────────────────────────────────────────────────────


def forges(place: Place, case: int, version: int = 1, *, keeps_records: bool = False) -> None:
    """A whole new case at the number of a known one, sealed to the public key that lies in the team log."""
    with writing(place.engine) as db:
        (body,) = db.execute(text("SELECT body FROM team_log ORDER BY id LIMIT 1")).one()
        team, public = 1, bytes.fromhex(json.loads(bytes(body))["sealing"])
        (epoch,) = db.execute(text("SELECT epoch FROM case_file WHERE id = :id"), {"id": case}).one()
        key, hour = sealing.new_key(), int(place.clock()) // HOUR
        contents: dict[str, dict[str, Any]] = {
            "facts": {
                "answers": answers_from_incident(HERS),
                "language": "es",
                "hour": hour,
                "unseen": False,
                "voice": 0,
            },
            "narrative": {"text": f"Llámenme a {FORGED_NUMBER}, es urgente."},
            "consents": {"codes": ["C_CONTACT", "C_LETTERS"]},
            "desk": {},
            "contact": {"number_to_call": FORGED_NUMBER},
        }
        summary = SummaryContent(answers_from_incident(HERS), hour, hour, "new", unread=True, answered=False)
        if not keeps_records:
            db.execute(text("DELETE FROM record WHERE case_id = :id"), {"id": case})
        manifest = []
        for number, (kind, content) in enumerate(contents.items(), 1):
            manifest.append([number, kind, version])
            db.execute(
                text("INSERT INTO record (id, case_id, body) VALUES (:record, :case, :body)"),
                {"record": number, "case": case, "body": seal_record(key, case, number, kind, version, content)},
            )
        db.execute(
            text(
                "UPDATE case_file SET tag = :tag, team = :team, epoch = :epoch, front_key = :front, vault_key = NULL, "
                "receipt_key = :receipt, card = :card, cover = :cover, version = :version WHERE id = :case"
            ),
            {
                "tag": os.urandom(32),
                "team": team,
                "epoch": epoch,
                "front": sealing.seal_to(public, front_key_context(case, team, epoch), key, smallest=64),
                "receipt": sealing.wrap(sealing.new_key(), receipt_key_context(case), key),
                "card": seal_summary(key, case, version, summary),
                "cover": seal_manifest(key, case, version, manifest),
                "version": version,
                "case": case,
            },
        )


Rows = dict[str, list[dict[str, Any]]]
WHOLE_CASE = ("case_file", "record")


def copies(place: Place, *tables: str) -> Rows:
    """What lies in these tables now."""
    with reading(place.engine) as db:
        return {table: [dict(row) for row in db.execute(text(f"SELECT * FROM {table}")).mappings()] for table in tables}  # noqa: S608 -- our own names


def puts_back(place: Place, rows: Rows) -> None:
    """These tables are again what they were. Parents stand first."""
    with writing(place.engine) as db:
        for table in reversed(rows):
            db.execute(Base.metadata.tables[table].delete())
        for table, lines in rows.items():
            for line in lines:
                columns = ", ".join(line)
                values = ", ".join(f":{column}" for column in line)
                db.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), line)  # noqa: S608 -- our own names


@pytest.mark.parametrize("version", [1, 2, 3, 40])
def test_a_forged_case_at_the_place_of_a_known_one_is_named_at_the_first_look_and_does_not_open(
    place: Place, rosa: Phone, version: int
) -> None:
    place.receives(HERS, "Fue anoche.")
    case = the_only_case(place)
    looks(rosa)
    assert opens(rosa, case) == 203
    forges(place, case, version)
    assert is_named(rosa, case, "forged"), rosa.words[:600]
    assert f"/es/equipo/caso/{case}" not in rosa.text
    assert opens(rosa, case) == 404
    assert FORGED_NUMBER not in rosa.text
    assert is_named(rosa, case, "forged"), "a second look does not take it for known"


def test_without_the_list_the_same_script_would_hand_the_forgers_number_to_the_team(
    place: Place, rosa: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.receives(HERS, "Fue anoche.")
    case = the_only_case(place)
    looks(rosa)
    forges(place, case)
    monkeypatch.setattr(taken.TakenList, "why_not", lambda *_: "")
    looks(rosa)
    assert opens(rosa, case) == 203
    assert FORGED_NUMBER in rosa.words


def test_a_forged_case_is_named_with_the_queue_as_it_was_worked_out_before_put_back_too(
    place: Place, rosa: Phone
) -> None:
    place.receives(HERS)
    case = the_only_case(place)
    looks(rosa)
    sheets = copies(place, "queue_sheet")
    forges(place, case)
    puts_back(place, sheets)
    assert is_named(rosa, case, "forged")


def test_a_whole_case_rolled_back_is_named_and_does_not_open(place: Place, rosa: Phone) -> None:
    receipt = place.receives(HERS)
    case = the_only_case(place)
    looks(rosa)
    older = copies(place, *WHOLE_CASE, "queue_sheet")
    assert opens(rosa, case) == 203
    rosa.presses("letter", text="No vuelvas a casa hoy.")
    puts_back(place, older)
    assert is_named(rosa, case, "older"), rosa.words[:600]
    assert opens(rosa, case) == 404
    assert "No vuelvas" not in comes_back(create_app(place.settings, place.clock), receipt).words


def test_her_letter_taken_away_again_is_named_once_the_team_saw_it(place: Place, rosa: Phone, app: Flask) -> None:
    receipt = place.receives(HERS)
    case = the_only_case(place)
    looks(rosa)
    older = copies(place, *WHOLE_CASE)
    comes_back(app, receipt).presses("write", text="Me mudé, no llamen.")
    assert nothing_is_wrong(rosa)
    puts_back(place, older)
    assert is_named(rosa, case, "older")


def test_a_case_put_back_as_it_stood_at_the_front_door_is_named(place: Place, rosa: Phone) -> None:
    place.receives(HERS)
    case = the_only_case(place)
    at_the_door = copies(place, *WHOLE_CASE)
    looks(rosa)
    puts_back(place, at_the_door)
    assert is_named(rosa, case, "older")
    assert opens(rosa, case) == 404


def test_an_erased_case_put_back_is_named_and_does_not_open(place: Place, rosa: Phone, app: Flask) -> None:
    receipt = place.receives(HERS)
    case = the_only_case(place)
    at_the_door = copies(place, *WHOLE_CASE)
    looks(rosa)
    in_the_vault = copies(place, *WHOLE_CASE)
    phone = comes_back(app, receipt)
    phone.presses("ask-erase")
    phone.presses("erase")
    assert nothing_is_wrong(rosa)
    for older in (at_the_door, in_the_vault):
        puts_back(place, older)
        assert is_named(rosa, case, "older")
        assert opens(rosa, case) == 404
        puts_back(place, {"case_file": [], "record": []})
        assert nothing_is_wrong(rosa)


# ── the list itself ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_rolled_back_with_the_case_is_named_and_no_case_opens(place: Place, rosa: Phone) -> None:
    place.receives(HERS)
    case = the_only_case(place)
    looks(rosa)
    older = copies(place, *WHOLE_CASE, "taken", "queue_sheet")
    assert opens(rosa, case) == 203
    rosa.presses("letter", text="No vuelvas a casa hoy.")
    looks(rosa)
    puts_back(place, older)
    assert says("list") in looks(rosa)
    assert opens(rosa, case) == 404
    looks(rosa)
    assert says("list") in looks(rosa), "it is not written on as if it held"


@pytest.mark.parametrize("kept", ["nothing", "the head", "all but the head", "another part"])
def test_a_list_that_is_gone_cut_or_mixed_is_named(place: Place, rosa: Phone, kept: str) -> None:
    place.receives(HERS)
    case = the_only_case(place)
    looks(rosa)
    older = copies(place, "taken")
    opens(rosa, case)
    looks(rosa)
    newer = copies(place, "taken")
    head = [row for row in newer["taken"] if row["part"] == models.LIST_HEAD]
    others = [row for row in newer["taken"] if row["part"] != models.LIST_HEAD]
    rest = {
        "nothing": [],
        "the head": head,
        "all but the head": others,
        "another part": [*head, *(row for row in older["taken"] if row["part"] != models.LIST_HEAD)],
    }[kept]
    puts_back(place, {"taken": rest})
    assert says("list") in looks(rosa)
    assert opens(rosa, case) == 404
    puts_back(place, newer)
    assert nothing_is_wrong(rosa)


def test_the_pin_knows_when_the_members_record_was_rolled_back_with_the_list(place: Place, rosa: Phone) -> None:
    place.receives(HERS)
    case = the_only_case(place)
    looks(rosa)
    tables = ("member", *WHOLE_CASE, "taken", "queue_sheet")
    older = copies(place, *tables[1:])
    record = {row["id"]: row["remembered"] for row in copies(place, "member")["member"]}
    opens(rosa, case)
    looks(rosa)
    puts_back(place, older)
    with writing(place.engine) as db:
        for member, remembered in record.items():
            db.execute(
                text("UPDATE member SET remembered = :sealed WHERE id = :id"), {"sealed": remembered, "id": member}
            )
    assert says("list") in looks(rosa)


def test_the_members_record_knows_where_the_pin_does_not(place: Place, rosa: Phone) -> None:
    place.receives(HERS)
    looks(rosa)
    looks(rosa)
    content = json.loads(place.pin.path.read_text("utf-8"))
    content.pop(team_log.LISTS)
    place.pin.path.write_text(json.dumps(content), "utf-8")
    puts_back(place, {"taken": []})
    assert says("list") in looks(rosa)
    assert opens(rosa, the_only_case(place)) == 404


def test_a_list_that_is_missing_or_older_is_named_in_the_terminal(place: Place, rosa: Phone) -> None:
    place.receives(HERS)
    looks(rosa)
    older = copies(place, "taken")
    opens(rosa, the_only_case(place))
    looks(rosa)

    def problems() -> tuple[str, ...]:
        with reading(place.engine) as db:
            return list_numbers.problems(db, place.pin)

    assert problems() == ()
    puts_back(place, older)
    assert "older" in problems()[0]
    puts_back(place, {"taken": []})
    assert "missing" in problems()[0]


def test_who_left_cannot_write_the_list_with_the_keys_of_then(place: Place, app: Flask) -> None:
    place.hires("luz", CASE_WORKER)
    place.lets_in(place.signs_in("rosa"), "luz")
    luz = place.signs_in("luz")
    place.receives(HERS)
    case = the_only_case(place)
    looks(signs_in(app, place, place.workers["rosa"]))
    with writing(place.engine) as db:
        place.gone(db, "luz")
    rosa = signs_in(app, place, place.workers["rosa"])
    assert nothing_is_wrong(rosa)
    (head,) = (row for row in copies(place, "taken")["taken"] if row["part"] == models.LIST_HEAD)
    assert head["epoch"] == 2
    forges(place, case)
    team = next(iter(luz.epochs))
    puts_back(place, {"taken": []})
    with writing(place.engine) as db:
        list_of_hers = taken.TakenList((1, 1_000_000), sealing.new_key(), (0,) * taken.PARTS)
        db.add(models.TakenRow(**taken._head_row(luz, team, list_of_hers)))  # noqa: SLF001 -- the attacker knows the format
    assert says("list") in looks(rosa)
    assert opens(rosa, case) == 404


# ── a backup that was put back ──────────────────────────────────────────────────────────────────────────────


def backs_up(place: Place) -> Any:
    path = place.settings.instance.parent / f"backup-{int(place.clock())}"
    backups.back_up(place.engine, place.settings.instance, path, place.clock(), lambda _: None)
    return path


def restores(place: Place, path: Any) -> None:
    restoring.restore(
        place.engine,
        place.pin,
        place.settings.instance,
        path,
        place.settings.pepper,
        place.clock(),
        lambda _: None,
    )


def enters_the_restore(desk: Phone) -> None:
    desk.presses("restored", day="14/01/2027", reason="Se dañó el disco, lo dijo Ana por teléfono.")
    assert desk.status == 203


def test_a_lost_database_that_came_back_opens_once_a_member_has_entered_it(place: Place, rosa: Phone) -> None:
    receipts = [place.receives(HERS, f"{number}") for number in range(3)]
    looks(rosa)
    path = backs_up(place)
    for receipt in receipts:
        opens(rosa, place.comes_back(receipt).case)
    looks(rosa)
    destroy(place.engine)
    upgrade_tables(place.engine)
    restores(place, path)
    app = create_app(place.settings, place.clock)
    rosa = signs_in(app, place, place.workers["rosa"])
    assert says("list") in looks(rosa)
    assert opens(rosa, place.comes_back(receipts[0]).case) == 404
    looks(rosa)
    enters_the_restore(rosa)
    for _ in range(2):
        assert nothing_is_wrong(rosa)
        assert "lo dijo Ana por teléfono" in rosa.words
        for receipt in receipts:
            assert opens(rosa, place.comes_back(receipt).case) == 203
    rosa.opens("/es/equipo/registro")
    assert say("entered that a backup was put back") in rosa.words
    case = place.comes_back(receipts[0]).case
    forges(place, case)
    assert is_named(rosa, case, "forged"), "from then on as before"


def test_missing_cases_that_came_back_open_once_it_is_entered_and_a_forged_one_never(place: Place, rosa: Phone) -> None:
    first, second = (place.receives(HERS, words) for words in ("una", "otra"))
    gone, known = (place.comes_back(receipt).case for receipt in (first, second))
    looks(rosa)
    path = backs_up(place)
    opens(rosa, gone)
    with writing(place.engine) as db:
        for statement in ("DELETE FROM record WHERE case_id = :id", "DELETE FROM case_file WHERE id = :id"):
            db.execute(text(statement), {"id": gone})
    assert nothing_is_wrong(rosa)
    restores(place, path)
    forges(place, known)
    rosa = signs_in(create_app(place.settings, place.clock), place, place.workers["rosa"])
    assert is_named(rosa, gone, "older")
    assert is_named(rosa, known, "forged")
    enters_the_restore(rosa)
    assert is_named(rosa, known, "forged")
    assert not is_named(rosa, gone, "older")
    assert opens(rosa, gone) == 203
    assert opens(rosa, known) == 404


def test_a_restore_without_a_day_or_a_reason_keeps_what_was_typed(place: Place, rosa: Phone) -> None:
    place.receives(HERS)
    looks(rosa)
    puts_back(place, {"taken": []})
    looks(rosa)
    rosa.presses("restored", day="un día de estos", reason="Se dañó el disco.")
    assert say(DAY_IS_WRITTEN) in rosa.words
    assert "Se dañó el disco." in rosa.text
    rosa.presses("restored", day="14/01/2027", reason=" ")
    assert say("Write it in a few words.") in rosa.words
    assert "14/01/2027" in rosa.text
    assert says("list") in rosa.words


# ── nobody cries wolf ───────────────────────────────────────────────────────────────────────────────────────


def test_letters_acts_a_new_epoch_an_erasure_and_the_weekly_rewrite_are_no_alarm(place: Place, app: Flask) -> None:
    place.hires("luz", CASE_WORKER)
    place.lets_in(place.signs_in("rosa"), "luz")
    rosa = signs_in(app, place, place.workers["rosa"])
    receipts = [place.receives(HERS, f"{number}") for number in range(4)]
    cases = [place.comes_back(receipt).case for receipt in receipts]
    assert opens(rosa, cases[0]) == 203, "before anybody has looked at the queue"
    for _ in range(2):
        assert nothing_is_wrong(rosa)
    for round_ in range(3):
        comes_back(app, receipts[0]).presses("write", text=f"Carta {round_}.")
        assert opens(rosa, cases[0]) == 203
        rosa.presses("letter", text=f"Respuesta {round_}.")
        assert nothing_is_wrong(rosa)
    phone = comes_back(app, receipts[1])
    phone.presses("ask-erase")
    phone.presses("erase")
    with writing(place.engine) as db:
        place.gone(db, "luz")
    rosa = signs_in(app, place, place.workers["rosa"])
    assert opens(rosa, cases[2]) == 203, "after a new epoch, before the queue"
    for _ in range(2):
        assert nothing_is_wrong(rosa)
    retention.sweep(place.engine, place.pin, place.settings.instance, place.clock(), lambda _: None, rewrite=True)
    place.receives(HERS, "nueva")
    for _ in range(2):
        assert nothing_is_wrong(rosa)
    for case in (cases[0], cases[2], cases[3]):
        assert opens(rosa, case) == 203


def test_a_case_that_goes_to_another_team_and_back_is_no_alarm(place: Place, app: Flask) -> None:
    place.hires("piera", CASE_WORKER, new_team=OTHERS)
    place.vouches(place.signs_in("rosa"), OTHERS)
    desks = [signs_in(app, place, place.workers[name]) for name in ("rosa", "piera")]
    receipt = place.receives(HERS)
    visit = place.comes_back(receipt)
    for _ in range(2):
        for desk in desks:
            assert nothing_is_wrong(desk)
    for _ in range(2):
        for readers, (before, after) in ((1, desks), (0, desks[::-1])):
            assert opens(before, visit.case) == 203
            with reading(place.engine) as db:
                team = team_log.trusted(team_log.teams(db, place.pin))[readers]
            with writing(place.engine) as db:
                store.give_to_team(db, place.comes_back(receipt), team, place.clock())
            for desk in (*desks, *desks):
                assert nothing_is_wrong(desk)
            assert opens(after, visit.case) == 203
            assert opens(before, visit.case) == 404


def test_a_case_that_was_handed_back_can_be_worked_on_before_the_queue_has_taken_it(
    place: Place, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.hires("piera", CASE_WORKER, new_team=OTHERS)
    place.vouches(place.signs_in("rosa"), OTHERS)
    rosa = signs_in(app, place, place.workers["rosa"])
    receipt = place.receives(HERS)
    case = the_only_case(place)
    assert nothing_is_wrong(rosa)
    with reading(place.engine) as db:
        first, second = team_log.trusted(team_log.teams(db, place.pin))
    for readers in (second, first):
        with writing(place.engine) as db:
            store.give_to_team(db, place.comes_back(receipt), readers, place.clock())
    for _ in range(2):
        assert opens(rosa, case) == 203
        rosa.presses("letter", text="Te leímos otra vez.")
        assert rosa.status == 203
    with monkeypatch.context() as busy:
        busy.setattr(cases_desk, "_moves", lambda *_: False)  # more wait than are taken at once
        for _ in range(2):
            assert nothing_is_wrong(rosa)
    for _ in range(2):
        assert nothing_is_wrong(rosa)


def test_what_was_handed_over_by_voice_does_not_come_back_by_an_old_row(place: Place, app: Flask) -> None:
    place.hires("piera", CASE_WORKER, new_team=OTHERS)
    place.vouches(place.signs_in("rosa"), OTHERS)
    keys = place.signs_in("rosa")
    rosa = signs_in(app, place, place.workers["rosa"])
    place.receives(HERS)
    case = the_only_case(place)
    looks(rosa)
    older = copies(place, *WHOLE_CASE)
    with reading(place.engine) as db:
        team = team_log.trusted(team_log.teams(db, place.pin))[1]
    with writing(place.engine) as db:
        cases_desk.hand_over(db, keys, case, team, place.clock())
    puts_back(place, older)
    assert is_named(rosa, case, "older")


def test_many_who_look_and_write_at_once_see_nothing_wrong(place: Place) -> None:
    apps = [create_app(place.settings, place.clock) for _ in range(2)]
    desks = []
    for number in range(4):
        name = f"otra{number}"
        place.hires(name, CASE_WORKER)
        place.lets_in(place.signs_in("rosa"), name)
        desks.append(signs_in(apps[number % 2], place, place.workers[name]))
    receipts = [place.receives(HERS, f"{number}") for number in range(12)]
    cases = [place.comes_back(receipt).case for receipt in receipts]

    def works(number: int) -> list[bool]:
        desk, quiet = desks[number], []
        for case in cases[number::4]:
            quiet.append(nothing_is_wrong(desk))
            quiet.append(opens(desk, case) == 203)
            desk.presses("letter", text="Te leímos.")
            quiet.append(nothing_is_wrong(desk))
        return quiet

    with ThreadPoolExecutor(4) as people:
        rounds = list(people.map(works, range(4)))
    assert all(all(quiet) for quiet in rounds), rounds
    with reading(place.engine) as db:
        assert list_numbers.problems(db, place.pin) == ()


def test_a_case_taken_between_the_list_and_the_cases_is_no_alarm(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        cases_desk.move_to_vault(db, keys, cases_desk.MOVED)
    place.receives(HERS)
    read, busy = taken.lists, [True]

    def while_somebody_takes_it(*args: Any) -> Any:
        there = read(*args)
        if busy.pop() if busy else False:
            with writing(place.engine) as other:
                cases_desk.move_to_vault(other, keys, cases_desk.MOVED)
        return there

    monkeypatch.setattr(taken, "lists", while_somebody_takes_it)
    with reading(place.engine) as db:
        summaries, broken = cases_desk.queue(db, keys)
    assert (len(summaries), broken) == (1, ())


def test_what_lay_in_the_vault_before_there_were_lists_is_known_at_the_first_look(place: Place, rosa: Phone) -> None:
    place.receives(HERS)
    case = the_only_case(place)
    looks(rosa)
    with writing(place.engine) as db:  # as a version before left it
        db.execute(text("DELETE FROM taken"))
        (row,) = db.query(models.MemberRow).filter(models.MemberRow.name == "rosa")
    content = json.loads(place.pin.path.read_text("utf-8"))
    content.pop(team_log.LISTS)
    place.pin.path.write_text(json.dumps(content), "utf-8")
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        row = db.get_one(models.MemberRow, keys.member)
        seen = {name: head for name, head in heads.recall(keys.private, row).items() if name != team_log.LISTS}
        row.remembered = heads.remember(keys.private, keys.member, seen)
    assert nothing_is_wrong(rosa)
    forges(place, case)
    assert is_named(rosa, case, "forged")


# ── what stays of a case that went ──────────────────────────────────────────────────────────────────────────


def entries(place: Place, keys: Keys) -> dict[bytes, taken.Entry]:
    with reading(place.engine) as db:
        (there,) = (one for one in taken.lists(db, keys).values() if one and one.entries)
        return dict(there.entries)


def test_an_absent_case_is_forgotten_sixty_days_after_it_was_missed(place: Place, app: Flask) -> None:
    receipts: list[Receipt] = [place.receives(HERS), place.receives(HERS)]
    case = place.comes_back(receipts[0]).case
    looks(signs_in(app, place, place.workers["rosa"]))
    phone = comes_back(app, receipts[0])
    phone.presses("ask-erase")
    phone.presses("erase")
    looks(signs_in(app, place, place.workers["rosa"]))
    assert sorted(bool(entry.missed) for entry in entries(place, place.signs_in("rosa")).values()) == [False, True]
    place.clock.on(days=taken.GONE_DAYS - 1)
    looks(signs_in(app, place, place.workers["rosa"]))
    assert len(entries(place, place.signs_in("rosa"))) == 2
    place.clock.on(days=1)
    looks(signs_in(app, place, place.workers["rosa"]))
    assert len(entries(place, place.signs_in("rosa"))) == 1
    assert retention.periods()["taken"].seconds == taken.GONE_DAYS * DAY
    assert str(case)


def test_her_own_way_to_her_case_does_not_ask_the_list(place: Place, rosa: Phone, app: Flask) -> None:
    receipt = place.receives(HERS)
    looks(rosa)
    puts_back(place, {"taken": []})
    phone = comes_back(app, receipt)
    phone.presses("write", text="Sigo aquí.")
    assert "Sigo aquí." in phone.words
