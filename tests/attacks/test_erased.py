"""Erased means erased: of a case that goes nothing stays, in no table, in no file, under no seal, in no backup.

The search knows no table and no file by name (tests/opening.py): it enumerates them, and opens everything.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from referrals.casework import look, queue, ranks
from reporting.app import create_app
from reporting.cases import derived, queue_cache, store, submission, taken
from reporting.cases import desk as cases_desk
from reporting.cases.case_file import lasting_name
from reporting.cases.desk import AuditedAct, open_case
from reporting.cases.records import alias
from reporting.clock import HOUR
from reporting.crypto.receipts import Receipt
from reporting.operations import backups, restoring, retention
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow
from reporting.teams import team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, CASEWORK, STATISTICS
from reporting.vocabulary.incident import Incident
from tests.copies import copied
from tests.needs_of_tests import a_schema
from tests.opening import Locksmith, lying
from tests.pages.test_casework import comes_back
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.trips import signs_in

OTHERS = "Las de Piura"
MANY = int(os.environ.get("AMPARO_OTHERS", "30"))  # cases beside hers
WORDS = "zarzamora4417"
# answers that nobody else gives here; a province stands in the directory too, so it is looked for as an answer
HERS = Incident(
    violence=frozenset({"FORCED_MARRIAGE"}),
    perpetrator=frozenset({"PARTNER"}),
    identity="TRAVESTI",
    age="A25_34",
    department="PE17",
    province="PE1703",
    hours=(5.0, 5.0),
)
ANSWERS = ('"FORCED_MARRIAGE"', '"province":"PE1703"')
YES = frozenset({"C_LETTERS", "C_CONTACT", "C_STATS"})


@dataclass
class Her:
    """A person in a place with others: what she keeps, and all that could be looked for."""

    place: Place
    app: Flask
    smith: Locksmith
    receipt: Receipt
    case: int
    records: tuple[int, ...]
    desk: Phone
    keys: Keys
    taken: list[Path] = field(default_factory=list)

    def lies_in(self, held: frozenset[bytes] | None = None) -> set[str]:
        """Every column and file in which anything of her lies, also under any seal."""
        numbers = [str(one).encode() for one in (self.case, *self.records)] + [self.case.to_bytes(8, "big")]
        words = [WORDS.encode(), alias(self.case).encode()]
        clear = [*words, *numbers] if held is None else words  # with another team the number still lies in the clear
        answers = [one.encode() for one in ANSWERS]
        return lying(self.smith, self.place.engine, self.place.settings.instance, clear, answers, held)

    def looks_at_the_queue(self) -> None:
        """The team, twice, and at how it goes: what the first look worked out is there for the second."""
        for page in ("como-va", "casos?folder=all") * 2:
            self.desk.opens(f"/es/equipo/{page}")
            assert self.desk.status == 203

    def is_backed_up(self) -> None:
        """Into the folder in which everything is looked through."""
        path = self.place.settings.instance / f"backup-{len(self.taken)}"
        backups.back_up(self.place.engine, self.place.settings.instance, path, self.place.clock(), lambda _: None)
        self.taken.append(path)


def others_report(place: Place, count: int) -> None:
    with reading(place.engine) as db:
        found = team_log.teams(db, place.pin)
    readers, counters = team_log.team_of_kind(found, CASEWORK), team_log.team_of_kind(found, STATISTICS)
    with writing(place.engine) as db:
        for number in range(count):
            told = Incident(violence=frozenset({"THREATS"}), hours=(float(number % 90), float(number % 90)))
            report = submission.new_report(
                told,
                f"otra {number}",
                consents=frozenset({"C_LETTERS"}),
                language="es",
                trip=f"{number:032x}",
                hour=int(place.clock()) // HOUR,
            )
            receipt = store.StretchedReceipt(os.urandom(32), os.urandom(32))
            sealed = submission.prepare(report, receipt, readers, counters, b"", place.clock())
            submission.file_invented(db, sealed)


def she_and_others(place: Place, smith: Locksmith, count: int) -> Her:
    """She reports; the team looks, opens, writes, labels, links, and asks to hand over; she writes and changes."""
    place.hires("luz", CASE_WORKER)
    place.hires("ana", ADVOCATE)
    place.hires("piera", CASE_WORKER, new_team=OTHERS)
    keys = place.signs_in("rosa")
    place.lets_in(keys, "luz")
    place.lets_in(keys, "ana", STATISTICS)
    place.vouches(place.signs_in("rosa"), OTHERS)
    others_report(place, count - 1)
    receipt = place.receives(HERS, f"Fue {WORDS}.", consents=YES, contact={"number_to_call": WORDS})
    case = place.comes_back(receipt).case
    app = create_app(place.settings, place.clock)
    desk = signs_in(app, place, place.workers["rosa"])
    desk.opens("/es/equipo/casos?folder=all&sort=newest")
    desk.opens(f"/es/equipo/caso/{case}")
    for button, typed in WORK.items():
        desk.presses(button, **typed)
        assert desk.status == 203, desk.words[:300]
    with reading(place.engine) as db:
        (other, *_) = (card.case for card in cases_desk.queue(db, keys)[0] if card.case != case)
    desk.presses("link", alias=alias(other))
    with reading(place.engine) as db:
        team = next(one.id for one in team_log.teams(db, place.pin) if one.name == OTHERS)
    desk.presses("ask-hand-over", team=str(team), reason=f"Pregunta {WORDS}.")
    phone = comes_back(app, receipt)
    phone.presses("write", text=f"Gracias {WORDS}.")
    with reading(place.engine) as db:
        records = tuple(db.scalars(text("SELECT id FROM record WHERE case_id = :case"), {"case": case}))
    her = Her(place, app, smith, receipt, case, records, desk, keys)
    her.looks_at_the_queue()
    return her


WORK: dict[str, dict[str, Any]] = {
    "note": {"text": f"Nota {WORDS}."},
    "letter": {"text": f"Te leímos {WORDS}."},
    "label": {"labels": WORDS},
    "contact": {},
}


@pytest.fixture
def smith(monkeypatch: pytest.MonkeyPatch) -> Locksmith:
    return Locksmith(monkeypatch)


@pytest.fixture
def place(tmp_path: Path, smith: Locksmith) -> Place:  # the smith first: no seal is made unseen
    return a_furnished_place(tmp_path / "instance")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Her:
    """She and eleven others, of whom each test gets a copy."""
    return made_once(tmp_path_factory, 12)


@pytest.fixture(scope="module")
def once_among_many(tmp_path_factory: pytest.TempPathFactory) -> Her:
    """The same among many."""
    return made_once(tmp_path_factory, MANY)


def made_once(folders: pytest.TempPathFactory, count: int) -> Her:
    with pytest.MonkeyPatch.context() as patch:
        smith = Locksmith(patch)
        return she_and_others(a_furnished_place(folders.mktemp("once") / "instance"), smith, count)


@pytest.fixture
def her(once: Her, smith: Locksmith, tmp_path: Path) -> Her:
    return a_copy_of(once, smith, tmp_path)


@pytest.fixture
def her_among_many(once_among_many: Her, smith: Locksmith, tmp_path: Path) -> Her:
    return a_copy_of(once_among_many, smith, tmp_path)


def a_copy_of(made: Her, smith: Locksmith, folder: Path) -> Her:
    smith.learns_from(made.smith)
    place = copied(made.place, folder / "instance")
    app = create_app(place.settings, place.clock)
    return replace(made, place=place, app=app, smith=smith, desk=signs_in(app, place, place.workers["rosa"]), taken=[])


# ── the ways a case goes ────────────────────────────────────────────────────────────────────────────────────


def erases(her: Her) -> None:
    phone = comes_back(her.app, her.receipt)
    phone.presses("ask-erase")
    phone.presses("erase")
    assert phone.status == 203


def is_swept(her: Her) -> None:
    """Two years later; the others are told of anew, so that there is something left to look through."""
    with writing(her.place.engine) as db:
        week = db.get_one(CaseRow, her.case).delete_after
        for row in db.query(CaseRow).filter(CaseRow.id != her.case):
            row.delete_after = week.replace(year=week.year + 1)
    her.place.clock.on(days=740)
    sweeps(her)


def sweeps(her: Her) -> None:
    place = her.place
    retention.sweep(place.engine, place.pin, place.settings.instance, place.clock(), lambda _: None)


WAYS: dict[str, Callable[[Her], None]] = {"she erases it": erases, "its time is over": is_swept}


@pytest.mark.parametrize("way", WAYS)
def test_of_a_case_that_went_nothing_lies_anywhere_under_any_seal(her_among_many: Her, way: str) -> None:
    her = her_among_many
    before = her.lies_in()
    assert len(before) >= 5, f"the search sees what is there: {before}"
    assert {table.name for table in derived.tables()} <= {where.partition(".")[0] for where in before}
    WAYS[way](her)
    assert her.lies_in() == set()
    her.is_backed_up()
    sweeps(her)
    her.desk = signs_in(her.app, her.place, her.place.workers["luz"])
    her.looks_at_the_queue()
    her.is_backed_up()
    assert her.lies_in() == set()


def test_the_one_exception_is_a_hash_under_seal_in_the_list_of_the_team_and_goes_after_sixty_days(her: Her) -> None:
    """What the team has taken (SECURITY.md, "When she erases"): in one table, in no backup, and not for ever."""
    place = her.place
    with reading(place.engine) as db:
        (there,) = (one for one in taken.lists(db, her.keys).values() if one and one.entries)
    hashes = [there.mark(her.case), taken.digest_of(place.comes_back(her.receipt).key)]
    assert hashes[0] in there.entries

    def stay() -> set[str]:
        her.is_backed_up()
        found = lying(her.smith, place.engine, place.settings.instance, hashes, [])
        return {where for where in found if not where.startswith("amparo.db")}

    copies = {f"{table.name}.sealed" for table in derived.tables()}  # these go with her
    assert {"taken.sealed"} <= stay() <= {"taken.sealed", *copies}
    erases(her)
    assert stay() == {"taken.sealed"}
    for days in (1, taken.GONE_DAYS - 2, 1):
        her.desk = signs_in(her.app, place, place.workers["rosa"])
        her.looks_at_the_queue()
        assert stay() == {"taken.sealed"}
        place.clock.on(days=days)
    her.desk = signs_in(her.app, place, place.workers["rosa"])
    her.looks_at_the_queue()
    sweeps(her)
    her.is_backed_up()
    assert lying(her.smith, place.engine, place.settings.instance, hashes, []) == set()


def test_a_backup_with_her_in_it_is_seen(her: Her) -> None:
    her.is_backed_up()
    assert her.taken[0].name in her.lies_in()
    her.taken[0].unlink()
    erases(her)
    assert her.lies_in() == set()


# ── another team ────────────────────────────────────────────────────────────────────────────────────────────


def keys_of(place: Place, *names: str) -> frozenset[bytes]:
    """Every key that these members hold, their own and those of their teams."""
    held: set[bytes] = set()
    for name in names:
        keys = place.signs_in(name)
        held |= {keys.private}
        held |= {key for epochs in keys.epochs.values() for one in epochs.values() for key in (one.vault, one.sealing)}
    return frozenset(held)


def says_yes(her: Her) -> None:
    comes_back(her.app, her.receipt).presses("handover-yes")


def said_yes_by_voice(her: Her) -> None:
    her.desk.opens(f"/es/equipo/caso/{her.case}")
    her.desk.presses("handed")
    assert her.desk.status == 203


@pytest.mark.parametrize("yes", [says_yes, said_yes_by_voice])
def test_the_team_that_handed_a_case_over_opens_nothing_of_it_any_more(
    her_among_many: Her, yes: Callable[[Her], None]
) -> None:
    her, place = her_among_many, her_among_many.place
    before, after = keys_of(place, "rosa", "luz"), keys_of(place, "piera")
    assert len(her.lies_in(before)) >= 5
    assert not her.lies_in(after)
    yes(her)
    assert her.lies_in(before) == set()
    her.looks_at_the_queue()
    her.is_backed_up()
    assert her.lies_in(before) == set()
    assert her.lies_in(after), "the other team does"
    her.desk = signs_in(her.app, place, place.workers["piera"])
    her.looks_at_the_queue()
    her.is_backed_up()
    assert her.lies_in(before) == set()
    for path in her.taken:
        path.unlink()
    erases(her)
    assert her.lies_in() == set()


# ── the rule broken ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("way", [*WAYS, "another team"])
@pytest.mark.parametrize("table", [table.name for table in derived.tables()])
def test_without_the_mark_of_a_derived_table_she_would_still_lie_there(
    her: Her, monkeypatch: pytest.MonkeyPatch, table: str, way: str
) -> None:
    held = keys_of(her.place, "rosa") if way == "another team" else None
    (marked,) = (one for one in derived.tables() if one.name == table)
    monkeypatch.delitem(marked.info, "derived")
    WAYS.get(way, says_yes)(her)
    found = her.lies_in(held)
    assert table in {where.partition(".")[0] for where in found}
    her.is_backed_up()
    assert her.taken[0].name in her.lies_in(held)


def test_an_audit_that_numbers_its_cases_would_keep_her(
    place: Place, smith: Locksmith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases_desk, "lasting_name", lambda _key: number[0])
    number = ["?"]
    place.receives()
    receipt = place.receives(HERS, WORDS)
    case = place.comes_back(receipt).case
    number[0] = str(case)
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        open_case(db, keys, case, place.clock())
        store.erase(db, place.comes_back(receipt), place.settings.pepper, place.clock())
    app = create_app(place.settings, place.clock)
    her = Her(place, app, smith, receipt, case, (), Phone(app), keys)
    assert her.lies_in() & {"audit.body"}


def test_a_copy_that_knows_a_case_that_is_not_there_is_worked_out_anew(
    her: Her, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(derived, "forget", lambda *_: None)
        erases(her)
    assert her.lies_in()
    her.looks_at_the_queue()
    with writing(her.place.engine) as db:
        known = look.kept(db, her.keys, taken.lists(db, her.keys))
    assert her.case not in known.ranks
    assert len(known.ranks) == her.place.cases()


def test_a_case_that_goes_while_the_queue_is_worked_out_is_not_kept(her: Her) -> None:
    with reading(her.place.engine) as db:
        cards, _ = cases_desk.queue(db, her.keys)
    worked_out = queue.worked_out(cards, 0.0)
    parts = frozenset(derived.part_of(card.case) for card in cards)
    erases(her)
    with writing(her.place.engine) as db:
        queue_cache.write_sheets(
            db, her.keys, 1, lambda here: ranks.in_parts(worked_out, parts, here, queue.RULES_STAMP)
        )
    assert her.lies_in() == set()


# ── what stays usable ───────────────────────────────────────────────────────────────────────────────────────


def test_a_case_that_goes_takes_only_its_part_of_the_queue_along(her: Her) -> None:
    with reading(her.place.engine) as db:
        before = queue_cache.read_sheets(db, her.keys, 1)
    erases(her)
    with reading(her.place.engine) as db:
        after = queue_cache.read_sheets(db, her.keys, 1)
    assert before.keys() - after.keys() == {derived.part_of(her.case)}
    assert all(before[part] == told for part, told in after.items())


def test_acts_and_links_name_a_case_as_long_as_it_is_there_and_nobody_afterwards(her: Her) -> None:
    assert her.case in {act.case for act in acts_of(her)}
    linked = next(iter(casebook_links(her, her.case)))
    her.desk.opens(f"/es/equipo/caso/{linked}")
    assert f"/es/equipo/caso/{her.case}" in her.desk.text
    number = len(acts_of(her))
    erases(her)
    acts = acts_of(her)
    assert len(acts) == number, "that somebody opened a case stays; which one does not"
    assert her.case not in {act.case for act in acts}
    her.desk.opens(f"/es/equipo/caso/{linked}")
    assert her.desk.status == 203
    assert str(her.case) not in her.desk.text
    her.desk.opens("/es/equipo/registro")
    assert alias(her.case) not in her.desk.words


def acts_of(her: Her) -> tuple[AuditedAct, ...]:
    with reading(her.place.engine) as db:
        return tuple(act for act in cases_desk.acts(db, her.keys, {}))


def casebook_links(her: Her, case: int) -> Iterator[int]:
    with writing(her.place.engine) as db:
        links = cases_desk.open_case(db, her.keys, case, her.place.clock()).work_record["links"]
        yield from cases_desk.called(db, her.keys, links).values()


def test_a_restored_instance_works_out_anew_what_no_backup_holds(her: Her) -> None:
    her.is_backed_up()
    key = backups.month_key(her.place.settings.instance, her.place.clock())[1]
    with her.taken[0].open("rb") as file:
        head, *rows = backups.rows_of(file, key)
    names = {table.name for table in derived.tables()}
    assert names
    assert not names & {*head["tables"], *(row["t"] for row in rows)}
    with writing(her.place.engine) as db:
        for table in reversed(derived.Base.metadata.sorted_tables):
            db.execute(table.delete())
    place = her.place
    restoring.restore(
        place.engine,
        place.pin,
        place.settings.instance,
        her.taken[0],
        place.settings.pepper,
        place.clock(),
        lambda _: None,
    )
    with reading(place.engine) as db:
        assert not queue_cache.read_sheets(db, her.keys, 1)
    her.desk = signs_in(her.app, place, place.workers["rosa"])
    her.looks_at_the_queue()
    her.desk.presses("restored", day="15/01/2027", reason="Se dañó el disco.")
    her.looks_at_the_queue()
    with reading(place.engine) as db:
        assert queue_cache.read_sheets(db, her.keys, 1)


# ── the law in the code ─────────────────────────────────────────────────────────────────────────────────────


def test_every_derived_table_has_a_rule_in_words_and_every_rule_a_table() -> None:
    used = {table.info["derived"] for table in derived.tables()}
    assert used == set(derived.RULES)
    assert all(len(rule.says) > 40 for rule in derived.RULES.values())


def test_only_one_room_lets_cases_go() -> None:
    root = Path(__file__).resolve().parent.parent.parent
    rooms = [path for wing in ("reporting", "referrals") for path in (root / wing).rglob("*.py")]
    deleting = {
        path.stem
        for path in rooms
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node).startswith("delete(CaseRow)")
    }
    assert deleting == {"derived"}


def test_a_lasting_name_tells_nothing_without_the_key_of_its_case() -> None:
    one, other = lasting_name(bytes(32)), lasting_name(bytes(31) + b"1")
    assert one != other
    assert one == lasting_name(bytes(32))
    assert len(one) == 32


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def elsewhere(tmp_path: Path, smith: Locksmith) -> Iterator[Place]:
    with a_schema() as address:
        made = a_furnished_place(tmp_path / "instance", DATABASE_URL=address)
        yield made
        made.engine.dispose()


@pytest.mark.parametrize("way", WAYS)
def test_of_a_case_that_went_nothing_lies_in_postgresql(elsewhere: Place, smith: Locksmith, way: str) -> None:
    her = she_and_others(elsewhere, smith, MANY)
    assert len(her.lies_in()) >= 5
    WAYS[way](her)
    her.is_backed_up()
    her.desk = signs_in(her.app, elsewhere, elsewhere.workers["luz"])
    her.looks_at_the_queue()
    her.is_backed_up()
    assert her.lies_in() == set()


def test_the_rewrite_leaves_no_dead_row_of_a_derived_table_in_postgresql(elsewhere: Place, smith: Locksmith) -> None:
    def storage() -> dict[str, int]:
        with reading(elsewhere.engine) as db:
            asked = "SELECT pg_relation_filenode(CAST(:name AS regclass))"
            tables = [*derived.tables(), *derived.tables_of_cases()]
            return {table.name: db.scalar(text(asked), {"name": table.name}) or 0 for table in tables}

    her = she_and_others(elsewhere, smith, 12)
    erases(her)
    before = storage()
    retention.rewrite_tables(elsewhere.engine)
    after = storage()
    assert all(before[name] != after[name] for name in before), "another file: the old one is gone with its dead rows"
    her.looks_at_the_queue()
    assert her.lies_in() == set()


def test_no_case_goes_unnoticed_while_a_queue_is_kept_in_postgresql(elsewhere: Place, smith: Locksmith) -> None:
    her = she_and_others(elsewhere, smith, 12)
    visit = elsewhere.comes_back(her.receipt)
    with writing(elsewhere.engine) as keeping, writing(elsewhere.engine) as hurrying:
        queue_cache.write_sheets(keeping, her.keys, 1, lambda _here: {})
        hurrying.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(OperationalError):
            store.erase(hurrying, visit, elsewhere.settings.pepper, elsewhere.clock())
        hurrying.rollback()
    with writing(elsewhere.engine) as db:
        store.erase(db, visit, elsewhere.settings.pepper, elsewhere.clock())
    assert her.lies_in() == set()
