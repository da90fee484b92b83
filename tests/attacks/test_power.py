"""Promises about power over a team: what each person who can do something to it can do alone, and what nobody can."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from reporting.app import create_app
from reporting.cases import desk as cases_desk
from reporting.cases import store
from reporting.pages.staff.sign_in import BY_HAND
from reporting.sessions import day_seeds
from reporting.storage.database import reading, writing
from reporting.storage.models import AuditRow, GrantRow, InvitationRow, MemberRow, PendingRow
from reporting.teams import accounts, audit, keyring, members, power, readers, team_log
from reporting.teams.accounts import Invitation, StillWaits
from reporting.teams.members import CodeUsed
from reporting.teams.power import (
    Arrival,
    Asked,
    NoSecondPerson,
    NotHers,
    NothingWaits,
    WaitsAlready,
    WrongSheets,
)
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, CASEWORK, COORDINATOR, BrokenChain, CannotOpen
from reporting.vocabulary.incident import Incident
from reporting.web.errors import NOBODY
from tests.copies import Copies, Filling, with_coordinator
from tests.house.figures import modules
from tests.pages.test_casework import comes_back
from tests.pages.test_people_and_keys import enters, opens
from tests.people import PASSWORD, Place
from tests.phone import Phone
from tests.trips import opens_newest_case, say, starts_telling


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_coordinator


PATIENCE = 10  # seconds until a thread that hangs is given up


@contextlib.contextmanager
def in_a_thread(work: Callable[[], None]) -> Iterator[None]:
    """Beside what happens here, and at its end with it."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE)


# ── how many read ───────────────────────────────────────────────────────────────────────────────────────────


def nobody_reads(place: Place) -> None:
    """Every password is forgotten, and nobody typed the sheets yet."""
    with writing(place.engine) as db:
        db.execute(update(MemberRow).values(private=b""))


def problems(place: Place) -> str:
    with reading(place.engine) as db:
        return "\n".join(accounts.problems(db, place.pin))


def test_where_nobody_reads_telling_is_closed_and_everything_else_is_open(app: Flask, place: Place) -> None:
    receipt = place.receives(Incident(), "una")
    nobody_reads(place)
    phone = Phone(app)
    phone.opens("/es/")
    assert say(NOBODY) in phone.words
    assert say("Tell what happened") not in phone.words
    assert phone.form(holding="code")
    phone.opens("/es/contar")
    assert phone.status == 503
    assert say(NOBODY) in phone.words
    phone.opens("/es/ayuda")
    phone.sends("needs", needs=["N_PEP"])
    assert "113" in phone.words
    her = comes_back(app, receipt)
    her.presses("write", text="sigo aquí")
    assert "sigo aquí" in her.words
    her.presses("ask-erase")
    her.presses("erase")
    assert place.cases() == 0


def test_a_report_begun_before_the_last_reader_went_is_not_sent_to_nobody(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next", age="A25_34")
    phone.presses("check")
    nobody_reads(place)
    phone.presses("send")
    assert phone.status == 503
    assert say(NOBODY) in phone.words
    assert place.cases() == 0


def test_with_one_reader_check_and_desk_and_arriving_say_so(app: Flask, place: Place) -> None:
    assert "Only rosa can read the reports of Equipo" in problems(place)
    text = say(
        "Only %(name)s can read the reports of «%(team)s». Let in a second person, so that a bad day of one closes no "
        "door.",
        name="rosa",
        team="Equipo",
    )
    for name in ("rosa", "carmen"):
        desk = enters(app, place, name)
        assert text in desk.words, "where she arrives"
    place.hires("milagros", CASE_WORKER)
    place.signs_in("milagros")
    place.lets_in(place.signs_in("rosa"), "milagros")
    assert "can read the reports" not in problems(place)
    assert text not in enters(app, place, "rosa").words


def test_with_no_reader_check_and_arriving_say_so(app: Flask, place: Place) -> None:
    with writing(place.engine) as db:
        db.execute(update(MemberRow).where(MemberRow.name == "rosa").values(private=b""))
    assert "Nobody can read the reports of Equipo" in problems(place)
    text = say(
        "Nobody can read the reports of «%(team)s». Nobody can send it one until somebody is let in, by a member or "
        "with both recovery sheets.",
        team="Equipo",
    )
    assert text in enters(app, place, "carmen").words


# ── six digits twice ────────────────────────────────────────────────────────────────────────────────────────


def test_two_codes_in_one_half_minute_say_wait_for_the_next(app: Flask, place: Place) -> None:
    enters(app, place, "rosa")
    worker, desk = place.workers["rosa"], Phone(app, cookies=True)
    used = members.totp_code(worker.totp, place.clock())
    wait = say("These six digits were used already. Wait for the next ones, half a minute at most.")
    for _ in range(accounts.FREE_TRIES + 3):
        desk.opens("/es/equipo")
        desk.sends("password", name="rosa", password=worker.password, code=used)
        assert desk.status == 422, "nobody who has both is slowed for being quick"
        assert wait in desk.words
    desk.sends("password", name="rosa", password="wrong", code=used)
    assert wait not in desk.words, "who does not know the password is told nothing"
    with pytest.raises(CannotOpen) as refused:
        place.signs_in("rosa", code="000000")
    assert not isinstance(refused.value, CodeUsed)


# ── who can do what ─────────────────────────────────────────────────────────────────────────────────────────
# Three readers: rosa, milagros and luz. Carmen coordinates; rosa has typed her six words, more than a week ago.


def with_three(place: Place) -> None:
    with_coordinator(place)
    for name in ("milagros", "luz"):
        place.hires(name, CASE_WORKER)
        lets_in_by_words(place, "rosa", name)
    lets_in_by_words(place, "rosa", "carmen")
    place.clock.on(days=8)
    with writing(place.engine) as db:
        day_seeds.open_day(db, place.clock())


@pytest.fixture
def three(copies: Copies, tmp_path: Path) -> Place:
    return copies.copy(tmp_path / "three", with_three)


def lets_in_by_words(place: Place, by: str, name: str) -> None:
    words = " ".join(keyring.spoken_words(place.signs_in(name), "es"))
    keys = place.signs_in(by)
    with writing(place.engine) as db:
        actor, member = place.actor(db, by), place.workers[name].id
        keyring.let_in_by_words(db, place.pin, actor, keys, member, words, place.clock())


def reading_now(place: Place) -> set[str]:
    """Who opens what comes to the team, and can sign in for it."""
    with reading(place.engine) as db:
        team = team_log.team_of_kind(team_log.teams(db, place.pin), CASEWORK)
        return set(readers.readers_of(db, [team])[team.id].values())


def asks(place: Place, by: str, act: str, name: str, *, sheets: bool = False) -> Asked:
    with writing(place.engine) as db:
        given = place.sheets if sheets else None
        return power.ask(db, place.pin, place.actor(db, by), place.workers[name].id, act, place.clock(), given)


def agrees(place: Place, by: str, name: str, *, sheets: bool = False) -> str:
    with writing(place.engine) as db:
        given = place.sheets if sheets else None
        return power.confirm(db, place.pin, place.actor(db, by), place.workers[name].id, place.clock(), given)


def arrives(place: Place, name: str) -> Arrival:
    """Somebody signs in, with all that happens then."""
    worker = place.workers[name]
    place.clock.on(minutes=1)
    with writing(place.engine) as db:
        day_seeds.open_day(db, place.clock())
        found = members.find_member(db, name)
    code = members.totp_code(worker.totp, place.clock())
    who = members.unlock(found, worker.password, code, place.clock(), place.settings.pepper)
    with writing(place.engine) as db:
        arrival = power.arrive(db, place.pin, who, place.clock())
    with reading(place.engine) as db:
        place.pin.raise_to(team_log.teams(db, place.pin))
    return arrival


OTHERS = ("milagros", "luz", "rosa")


def tries_everything_alone(place: Place, by: str) -> None:
    """Whatever one person can ask for, agree to and wait for, again and again over two days."""
    for _ in range(3):
        for act in power.MAY:
            for name in OTHERS:
                with contextlib.suppress(NotHers, WaitsAlready, CannotOpen):
                    asks(place, by, act, name)
                with contextlib.suppress(NoSecondPerson, NothingWaits):
                    agrees(place, by, name)
        place.clock.on(hours=25)
        arrives(place, by)


@pytest.mark.parametrize("by", ["rosa", "carmen"])
def test_nobody_alone_leaves_fewer_than_two_readers(three: Place, by: str) -> None:
    tries_everything_alone(three, by)
    assert len(reading_now(three)) == 2


def test_a_puppet_that_was_let_in_by_the_one_who_asks_is_no_second_person(three: Place) -> None:
    """Rosa invites, lets in and signs in as a reader of her own making."""
    three.hires("puppet", CASE_WORKER)
    lets_in_by_words(three, "rosa", "puppet")
    asks(three, "rosa", power.TAKE_OUT, "milagros")
    with pytest.raises(NoSecondPerson):
        agrees(three, "puppet", "milagros")
    asks(three, "rosa", power.TAKE_OUT, "luz")
    three.clock.on(hours=25)
    arrives(three, "rosa")
    assert asks(three, "rosa", power.TAKE_OUT, "puppet").needs_second


def test_a_coordinator_whom_nobody_vouched_for_is_no_second_person(three: Place) -> None:
    three.hires("eva", COORDINATOR)
    asks(three, "carmen", power.DISMISS, "luz")
    with pytest.raises(NoSecondPerson):
        agrees(three, "eva", "luz")
    lets_in_by_words(three, "rosa", "eva")
    assert agrees(three, "eva", "luz") == power.DISMISS


@pytest.mark.parametrize("act", power.MAY)
def test_the_sign_in_closes_at_once_and_the_keys_stay_for_a_day(three: Place, act: str) -> None:
    by = "rosa" if act == power.TAKE_OUT else "carmen"
    private = three.workers["luz"].private
    assert not asks(three, by, act, "luz").done
    with pytest.raises(CannotOpen):
        three.signs_in("luz")
    three.clock.on(hours=22)
    assert arrives(three, "milagros").gone == ()
    with writing(three.engine) as db:
        assert db.get_one(MemberRow, three.workers["luz"].id).private
    three.clock.on(hours=3)
    assert arrives(three, "milagros").gone == ("luz",)
    with writing(three.engine) as db:
        assert not db.get_one(MemberRow, three.workers["luz"].id).private
        assert private not in three.workers["luz"].password.encode()
        assert {team.newest.number for team in team_log.teams(db, three.pin) if team.kind == CASEWORK} == {2}


@pytest.mark.parametrize("act", power.MAY)
def test_what_waited_for_its_turn_while_its_author_was_dismissed_is_not_done(three: Place, act: str) -> None:
    visit, luz = three.comes_back(three.receives()), three.signs_in("luz")
    is_asked, does = threading.Event(), []

    def writes() -> None:
        is_asked.wait(PATIENCE)
        try:
            with writing(three.engine) as db:
                cases_desk.write_as_team(db, luz, visit.case, "ven a esta dirección", three.clock())
        except CannotOpen as refused:
            does.append(refused)

    with in_a_thread(writes), writing(three.engine) as db:
        is_asked.set()
        power.ask(db, three.pin, three.actor(db, "rosa"), three.workers["luz"].id, act, three.clock())
    assert does
    with reading(three.engine) as db:
        assert store.open_visit(db, visit).letters == ()
    with writing(three.engine) as db, pytest.raises(CannotOpen):
        cases_desk.open_case(db, luz, visit.case, three.clock())


def test_who_is_one_of_the_last_two_goes_on_until_a_second_person_agrees(three: Place) -> None:
    asks(three, "rosa", power.TAKE_OUT, "luz", sheets=True)
    visit, milagros = three.comes_back(three.receives()), three.signs_in("milagros")
    asks(three, "rosa", power.TAKE_OUT, "milagros")
    with writing(three.engine) as db:
        cases_desk.write_as_team(db, milagros, visit.case, "te leo", three.clock())


def test_any_member_stops_it_and_the_account_opens_as_before(three: Place) -> None:
    asks(three, "carmen", power.RESET, "luz")
    with writing(three.engine) as db:
        power.stop(db, three.pin, three.actor(db, "milagros"), three.workers["luz"].id)
        assert db.scalars(select(InvitationRow)).all() == []
    assert three.signs_in("luz").epochs
    three.clock.on(hours=30)
    assert arrives(three, "rosa").gone == ()
    assert "luz" in reading_now(three)


def test_two_members_do_it_at_once(three: Place) -> None:
    asks(three, "rosa", power.TAKE_OUT, "luz")
    assert agrees(three, "milagros", "luz") == power.TAKE_OUT
    assert reading_now(three) == {"rosa", "milagros"}
    assert not asks(three, "rosa", power.TAKE_OUT, "milagros").done
    assert reading_now(three) == {"rosa", "milagros"}, "of the last two nothing closes before a second person agrees"
    assert agrees(three, "carmen", "milagros") == power.TAKE_OUT
    assert reading_now(three) == {"rosa"}


def test_both_sheets_stand_for_the_second_person_and_other_sheets_do_not(three: Place) -> None:
    asks(three, "rosa", power.TAKE_OUT, "luz", sheets=True)
    assert reading_now(three) == {"rosa", "milagros"}
    three.sheets = accounts.draw_sheets(secrets.randbelow, "es")
    with pytest.raises(WrongSheets):
        asks(three, "rosa", power.TAKE_OUT, "milagros", sheets=True)
    assert reading_now(three) == {"rosa", "milagros"}


def test_an_invitation_of_a_reset_opens_only_when_the_reset_is_done(three: Place) -> None:
    token = asks(three, "carmen", power.RESET, "luz").token
    with reading(three.engine) as db:
        account = members.account(db, three.workers["luz"].id)
    new = members.new_member("luz", account.roles, PASSWORD, bytes(20), three.settings.pepper, again=account)
    with writing(three.engine) as db, pytest.raises(StillWaits):
        accounts.accept(db, three.pin, token, new, three.clock(), None, "Equipo")
    agrees(three, "rosa", "luz")
    with reading(three.engine) as db:
        account = members.account(db, three.workers["luz"].id)
    new = members.new_member("luz", account.roles, PASSWORD, bytes(20), three.settings.pepper, again=account)
    with writing(three.engine) as db:
        accounts.accept(db, three.pin, token, new, three.clock(), None, "Equipo")


def test_what_somebody_wrote_into_the_database_waits_for_nothing(three: Place) -> None:
    """A row that nobody asked for, and one with an entry that nobody signed."""
    luz = three.workers["luz"].id
    with writing(three.engine) as db:
        db.add(PendingRow(member=luz, number=1))
    assert "luz" in reading_now(three)
    body = {"act": power.DISMISS, "member": luz, "hour": 0, "second": False, "by": three.workers["rosa"].id}
    with writing(three.engine) as db:
        number = audit.append(db, json.dumps(body | {"signature": "00" * 64}).encode())
        db.execute(update(PendingRow).values(number=number))
    arrives(three, "milagros")
    with writing(three.engine) as db:
        assert db.get_one(MemberRow, luz).private, "nobody signed it, so no key is deleted"
        with pytest.raises(NothingWaits):
            power.confirm(db, three.pin, three.actor(db, "milagros"), luz, three.clock())
    assert f"Entry {number} of the audit is signed by nobody" in problems(three)


# ── a session that was stolen ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "page"), [("rosa", "/es/equipo/companeras"), ("carmen", "/es/equipo/personas")])
def test_a_stolen_session_has_no_power_without_password_and_digits(three: Place, name: str, page: str) -> None:
    place, app = three, create_app(three.settings, three.clock)
    asks(place, "rosa" if name == "carmen" else "carmen", power.DISMISS, "luz")
    place.hires("nueva", CASE_WORKER)
    thief = enters(app, place, name)
    thief.opens(page)
    forms = [form for form in thief.forms if "password" in form.kinds]
    assert len(forms) >= 3
    with reading(place.engine) as db:
        before = audit.head(db)
    for form in forms:
        for go in {value for _, value in form.buttons} or {""}:
            for proof in ({}, {"password": ["x"], "code": ["000000"]}):
                typed = {"words": ["abeja " * 6], "name": ["zoe"], "role": ["advocate"]}
                thief.repeats(form.action, form.values | typed | proof | {"go": [go]})
                assert thief.status in {422, 429}, (form.action, go)
    with reading(place.engine) as db:
        assert audit.head(db) == before
    assert reading_now(place) == {"rosa", "milagros"}


def test_six_digits_serve_for_one_act(three: Place) -> None:
    worker = three.workers["rosa"]
    three.clock.on(minutes=1)
    with reading(three.engine) as db:
        found = members.find_member(db, "rosa")
    code = members.totp_code(worker.totp, three.clock())
    who = members.unlock(found, worker.password, code, three.clock(), three.settings.pepper)
    with writing(three.engine) as db:
        power.end_sessions(db, three.pin, members.spend(db, who), three.workers["luz"].id)
        with pytest.raises(CodeUsed):
            members.spend(db, who)


def test_an_act_is_done_only_by_somebody_who_was_proved() -> None:
    """Nothing in the program but `members` makes the record that every act of power asks for."""
    makers = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Actor"
    }
    assert makers == {"reporting.teams.members", "reporting.operations.demo"}


# ── the audit ───────────────────────────────────────────────────────────────────────────────────────────────


def chained_anew(place: Place, change: Callable[[list[AuditRow]], list[AuditRow]]) -> None:
    """Whoever writes the database makes the chain of hashes fit again; signatures cannot be made."""
    with writing(place.engine) as db:
        rows = [
            AuditRow(number=row.number, team=row.team, epoch=row.epoch, body=row.body, chain=b"")
            for row in db.scalars(select(AuditRow).order_by(AuditRow.number))
        ]
        db.execute(delete(AuditRow))
        before = audit.START
        for number, row in enumerate(change(rows), 1):
            row.number = number
            row.chain = before = audit._link(before, number, row.team, row.epoch, row.body)  # noqa: SLF001 -- theirs too
            db.add(row)


def cut(rows: list[AuditRow]) -> list[AuditRow]:
    return rows[:2] + rows[3:]


def moved(rows: list[AuditRow]) -> list[AuditRow]:
    return [*rows[:2], rows[3], rows[2], *rows[4:]]


def said_to_be_another(rows: list[AuditRow]) -> list[AuditRow]:
    content = json.loads(rows[-1].body)
    rows[-1].body = json.dumps(content | {"by": json.loads(rows[0].body)["member"] or 7}, sort_keys=True).encode()
    return rows


def without_a_signature(rows: list[AuditRow]) -> list[AuditRow]:
    content = {name: value for name, value in json.loads(rows[-1].body).items() if name != "signature"}
    rows[-1].body = json.dumps(content).encode()
    return rows


@pytest.mark.parametrize("change", [cut, moved, said_to_be_another, without_a_signature])
def test_an_entry_whose_signature_does_not_fit_is_named(
    three: Place, change: Callable[[list[AuditRow]], list[AuditRow]]
) -> None:
    assert "signed by nobody" not in problems(three)
    chained_anew(three, change)
    text = problems(three)
    assert "breaks at entry" not in text, "the chain of hashes was made to fit"
    assert re.search(r"Entry \d+ of the audit is signed by nobody", text)


def test_an_entry_signed_again_by_another_member_is_named(three: Place) -> None:
    """Milagros writes the database and signs with her own key what carmen is to have done."""
    with writing(three.engine) as db:
        content = {"act": "dismissed", "member": three.workers["luz"].id}
        signer = audit.Signer(three.workers["carmen"].id, three.workers["milagros"].signer.sign)
        number = audit.append(db, json.dumps(audit.signed(db, signer, content), sort_keys=True).encode())
    assert f"Entry {number} of the audit is signed by nobody: it names carmen" in problems(three)


def test_every_act_of_power_names_who_did_it(three: Place) -> None:
    asks(three, "carmen", power.RESET, "luz")
    agrees(three, "milagros", "luz")
    with writing(three.engine) as db:
        accounts.invite(
            db, three.actor(db, "carmen"), Invitation("zoe", (CASE_WORKER,)), three.settings.pepper, three.clock()
        )
        contents = [audit.act_of(entry) for entry in audit.entries(db, newest_first=3)]
    carmen, milagros = (three.workers[name].id for name in ("carmen", "milagros"))
    assert [(content["act"], content["by"]) for content in reversed(contents)] == [
        ("reset", carmen),
        ("reset", milagros),
        ("invited", carmen),
    ]
    assert problems(three) == ""


def test_a_copy_does_not_tell_who_acted_on_a_case(three: Place) -> None:
    three.receives(Incident(), "una")
    rosa = three.signs_in("rosa")
    opens(three, rosa)
    with reading(three.engine) as db:
        sealed = [entry for entry in audit.entries(db) if entry.team]
        signers = accounts.keys_that_sign(db, team_log.teams(db, three.pin), vouched=True)
        assert sealed
        assert not [entry for entry in sealed if b"signature" in entry.body or b"actor" in entry.body]
        assert [(act.actor, act.forged) for act in cases_desk.acts(db, rosa, signers)] == [(rosa.member, False)]
        other = {member: keys for member, keys in signers.items() if member != rosa.member}
        assert [act.forged for act in cases_desk.acts(db, rosa, other)] == [True]


@pytest.mark.parametrize("remembering", ["an act", "signing out"])
def test_acts_since_the_sign_in_cannot_be_cut_off_unseen(app: Flask, place: Place, remembering: str) -> None:
    place.receives(Incident(), "una")
    desk = enters(app, place, "rosa")
    if remembering == "an act":
        desk.opens("/es/equipo/casos")
        opens_newest_case(desk)
    else:
        with writing(place.engine) as db:
            audit.note(db, "reading hours changed", place.workers["carmen"].id, place.workers["carmen"].signer)
        desk.opens("/es/equipo/yo")
        out = next(form for form in desk.forms if form.action.endswith("/equipo/salir"))
        desk.repeats(out.action, out.values)
    with writing(place.engine) as db:
        db.execute(delete(AuditRow).where(AuditRow.number == audit.head(db)[0]))
    with pytest.raises(BrokenChain):
        place.signs_in("rosa")


# ── written into the database ───────────────────────────────────────────────────────────────────────────────


def roles_written(place: Place) -> str:
    with writing(place.engine) as db:
        db.execute(update(MemberRow).where(MemberRow.name == "carmen").values(roles="coordinator,case_worker"))
    return "roles"


def an_account_written(place: Place) -> str:
    new = members.new_member("carmen2", (CASE_WORKER,), PASSWORD, bytes(20), place.settings.pepper)
    row = MemberRow(id=new.id, name=new.name, roles=CASE_WORKER, public_key=new.public, salt=new.salt)
    row.private, row.remembered = new.private, new.remembered
    with writing(place.engine) as db:
        db.add(row)
    return "account"


def a_grant_written(place: Place) -> str:
    with writing(place.engine) as db:
        newest = db.scalars(select(GrantRow).order_by(GrantRow.epoch.desc())).first()
        assert newest is not None
        carmen = place.workers["carmen"].id
        db.add(GrantRow(team=newest.team, epoch=newest.epoch, member=carmen, sealed=newest.sealed))
    return "grant"


@pytest.mark.parametrize("write", [roles_written, an_account_written, a_grant_written])
def test_what_was_written_into_the_database_is_told_to_the_next_member(
    app: Flask, place: Place, write: Callable[[Place], str]
) -> None:
    assert arrives(place, "rosa").written == ()
    place.hires("eva", ADVOCATE)
    assert arrives(place, "rosa").written == (), "an invitation that was accepted is nothing of the kind"
    kind = write(place)
    desk = enters(app, place, "rosa")
    name = "carmen2" if kind == "account" else "carmen"
    assert say("Something changed in your team") in desk.words
    assert say(BY_HAND[kind], name=name) in desk.words
