"""People come and go, forget, are pressed: who reads after that, and who never does."""

from __future__ import annotations

import itertools
import re
import secrets
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from referrals.directory.importing import shipped
from reporting.app import create_app
from reporting.cases import desk as cases_desk
from reporting.crypto import receipts, sealing
from reporting.crypto.sealing import SealContext
from reporting.pages.staff.account import WEAK
from reporting.pages.staff.colleagues import ASKED, NOT_DONE
from reporting.storage.database import reading, writing
from reporting.storage.models import CaseRow, GrantRow, LogRow, MemberRow, TeamRow
from reporting.teams import accounts, audit, keyring, members, passwords, power, staff_sessions, team_log
from reporting.teams.accounts import Invitation
from reporting.teams.keyring import Keys, WrongWords
from reporting.teams.power import NoSecondPerson
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR, BrokenChain, CannotOpen
from reporting.vocabulary.incident import Incident
from reporting.web.access import devices
from tests.copies import Filling, with_coordinator
from tests.people import ANOTHER, PASSWORD, Place, Worker, a_new_place
from tests.phone import Phone
from tests.trips import opens_invitation, proves, say, signs_in


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_coordinator


def signs(place: Place, name: str) -> tuple[Keys, tuple[str, ...]]:
    """Sign in as the page does: take the keys, then settle what is due."""
    keys = place.signs_in(name)
    with writing(place.engine) as db:
        settled = keyring.settle(db, place.pin, keys)
    with reading(place.engine) as db:
        place.pin.raise_to(team_log.teams(db, place.pin))
    return settled


def opens(place: Place, keys: Keys) -> set[str]:
    """The words of every case her keys open."""
    with writing(place.engine) as db:
        cards, _ = cases_desk.queue(db, keys)
        return {cases_desk.open_case(db, keys, card.case, place.clock()).narrative for card in cards}


def words_of(keys: Keys) -> str:
    """What the newcomer reads from her page."""
    return " ".join(keyring.spoken_words(keys, "es"))


def lets_in(place: Place, keys: Keys, name: str, words: str) -> None:
    with writing(place.engine) as db:
        actor = place.actor(db, keys.name)
        keyring.let_in_by_words(db, place.pin, actor, keys, place.workers[name].id, words, place.clock())


# ── let in ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_newcomer_reads_nothing_until_a_member_types_her_six_words(place: Place) -> None:
    place.receives(Incident(), "una")
    place.hires("milagros", CASE_WORKER)
    milagros = place.signs_in("milagros")
    assert opens(place, milagros) == set()
    lets_in(place, place.signs_in("rosa"), "milagros", words_of(milagros).upper())
    assert opens(place, place.signs_in("milagros")) == {"una"}


@pytest.mark.parametrize("wrong", ["", "abeja " * 6, "abeja " * 5, "another"])
def test_other_words_let_nobody_in(place: Place, wrong: str) -> None:
    place.hires("milagros", CASE_WORKER)
    words = words_of(place.signs_in("milagros")).split()
    typed = " ".join([*words[1:], words[0]]) if wrong == "another" else wrong
    with pytest.raises(WrongWords):
        lets_in(place, place.signs_in("rosa"), "milagros", typed)


def test_a_public_key_swapped_before_she_is_let_in_gives_other_words(place: Place) -> None:
    place.hires("milagros", CASE_WORKER)
    milagros = place.signs_in("milagros")
    puppet = members.new_member("puppet", (CASE_WORKER,), PASSWORD, bytes(20), place.settings.pepper)
    with writing(place.engine) as db:
        db.execute(update(MemberRow).where(MemberRow.id == milagros.member).values(public_key=puppet.public))
    with pytest.raises(WrongWords):
        lets_in(place, place.signs_in("rosa"), "milagros", words_of(milagros))


def test_an_advocate_is_let_in_to_count_and_not_to_read(place: Place) -> None:
    place.receives(Incident(), "una")
    place.hires("ana", ADVOCATE)
    ana = place.signs_in("ana")
    lets_in(place, place.signs_in("rosa"), "ana", words_of(ana))
    ana = place.signs_in("ana")
    assert ana.epochs
    assert opens(place, ana) == set()


# ── the coordinator's attack ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def attacked(place: Place) -> Place:
    """One report, two readers."""
    place.receives(Incident(), "una")
    place.hires("milagros", CASE_WORKER)
    lets_in(place, place.signs_in("rosa"), "milagros", words_of(place.signs_in("milagros")))
    return place


def resets(place: Place, name: str) -> Keys:
    """The coordinator resets a password with both sheets, accepts the invitation herself and signs in by that name."""
    worker = place.workers[name]
    with writing(place.engine) as db:
        carmen = place.actor(db, "carmen")
        token = power.ask(db, place.pin, carmen, worker.id, power.RESET, place.clock(), place.sheets).token
        account = members.account(db, worker.id)
    totp = members.new_totp_secret()
    new = members.new_member(name, account.roles, PASSWORD, totp, place.settings.pepper, again=account)
    with writing(place.engine) as db:
        accounts.accept(db, place.pin, token, new, place.clock(), None, "Equipo")
    place.workers[name] = Worker(name, PASSWORD, totp, worker.id)
    return place.signs_in(name)


def test_a_reset_password_opens_nothing_and_the_next_member_is_told(attacked: Place) -> None:
    assert opens(attacked, resets(attacked, "milagros")) == set()
    _, gone = signs(attacked, "rosa")
    assert gone == ("milagros",)
    attacked.receives(Incident(), "dos")
    assert opens(attacked, attacked.signs_in("milagros")) == set()
    assert opens(attacked, attacked.signs_in("rosa")) == {"una", "dos"}


def test_roles_granted_by_hand_open_nothing(attacked: Place) -> None:
    carmen = attacked.workers["carmen"].id
    with writing(attacked.engine) as db:
        db.execute(update(MemberRow).where(MemberRow.id == carmen).values(roles="coordinator,case_worker,advocate"))
    assert opens(attacked, attacked.signs_in("carmen")) == set()
    signs(attacked, "rosa")
    attacked.receives(Incident(), "dos")
    assert opens(attacked, attacked.signs_in("carmen")) == set()


def test_a_puppet_that_waits_for_a_new_epoch_gets_none(attacked: Place) -> None:
    attacked.hires("puppet", CASE_WORKER)
    with writing(attacked.engine) as db:
        attacked.gone(db, "milagros")
    signs(attacked, "rosa")
    attacked.receives(Incident(), "dos")
    assert opens(attacked, attacked.signs_in("puppet")) == set()


def a_grant_of_her_own(attacked: Place) -> None:
    """Epoch keys of her own making, sealed to rosa, in place of the real ones."""
    with writing(attacked.engine) as db:
        team = team_log.team_of_kind(team_log.teams(db, attacked.pin), team_log.CASEWORK)
        keys, _, _ = keyring._new_epoch()  # noqa: SLF001 -- the attacker has our code
        rosa = attacked.workers["rosa"].id
        keyring._grant(db, team.id, 1, keys, rosa, members.public_key(db, rosa))  # noqa: SLF001 -- the same


def an_entry_of_her_own(attacked: Place) -> None:
    """A log entry that says a puppet was let in, signed with a key of her own."""
    with writing(attacked.engine) as db:
        team = db.scalars(select(TeamRow)).first()
        assert team is not None
        told = {"act": "grant", "epoch": 1, "member": 7, "public": "00" * 32}
        team_log.write_entry(db, team.id, secrets.token_bytes(32), told)


def a_team_of_her_own(attacked: Place) -> None:
    """A second casework team of the same name, with keys of her own, that would stand before the real one."""
    with writing(attacked.engine) as db:
        keys, signing_public, pair = keyring._new_epoch()  # noqa: SLF001 -- the attacker has our code
        db.add(TeamRow(id=0, kind="casework", name="Equipo", due=False))
        db.flush()
        told = {
            "act": "epoch",
            "epoch": 1,
            "kind": "casework",
            "name": "Equipo",
            "sealing": pair.public.hex(),
            "signing": signing_public.hex(),
            "recovery": pair.public.hex(),
        }
        team_log.write_entry(db, 0, keys.signing, told)


def the_last_entry_cut_off(attacked: Place) -> None:
    with writing(attacked.engine) as db:
        last = db.scalars(select(LogRow).order_by(LogRow.id.desc())).first()
        db.delete(last)


def the_team_renamed(attacked: Place) -> None:
    with writing(attacked.engine) as db:
        db.execute(update(TeamRow).values(name="Otro equipo"))


@pytest.mark.parametrize(
    "attack", [a_grant_of_her_own, an_entry_of_her_own, a_team_of_her_own, the_last_entry_cut_off, the_team_renamed]
)
def test_rows_changed_directly_are_noticed_at_the_next_sign_in(attacked: Place, attack: Any) -> None:
    attack(attacked)
    with pytest.raises(BrokenChain):
        attacked.signs_in("rosa")


def test_a_team_that_slips_in_while_somebody_signs_in_is_never_pinned(attacked: Place) -> None:
    before = attacked.pin.read()
    a_team_of_her_own(attacked)
    with reading(attacked.engine) as db, pytest.raises(BrokenChain):
        attacked.pin.raise_to(tuple(team_log.verified(db, row) for row in db.scalars(select(TeamRow))))
    assert attacked.pin.read() == before
    with pytest.raises(BrokenChain):
        attacked.receives(Incident(), "dos")


def test_a_log_that_was_forked_by_somebody_who_left_is_refused(attacked: Place) -> None:
    """She cuts the log before her removal and signs an epoch 2 of her own with the epoch-1 key she knows."""
    milagros = attacked.signs_in("milagros")
    with writing(attacked.engine) as db:
        kept = {row.id for row in db.scalars(select(LogRow))}
        attacked.gone(db, "milagros")
    signs(attacked, "rosa")
    with writing(attacked.engine) as db:
        db.execute(delete(LogRow).where(LogRow.id.not_in(kept)))
        for team, held in milagros.epochs.items():
            _, signing_public, pair = keyring._new_epoch()  # noqa: SLF001 -- the attacker has our code
            told = {
                "act": "epoch",
                "epoch": 2,
                "sealing": pair.public.hex(),
                "signing": signing_public.hex(),
                "recovery": pair.public.hex(),
            }
            team_log.write_entry(db, team, held[1].signing, told)
    with pytest.raises(BrokenChain):
        attacked.receives(Incident(), "dos")


def test_grants_taken_away_shut_her_out_and_nobody_else_in(attacked: Place) -> None:
    with writing(attacked.engine) as db:
        db.execute(delete(GrantRow).where(GrantRow.member == attacked.workers["milagros"].id))
    assert opens(attacked, attacked.signs_in("milagros")) == set()
    assert opens(attacked, attacked.signs_in("rosa")) == {"una"}


def test_a_backup_from_before_a_removal_is_refused(attacked: Place, tmp_path: Path) -> None:
    database = attacked.settings.instance / "amparo.db"
    raw = attacked.engine.raw_connection()
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    shutil.copy(database, tmp_path / "before.db")
    with writing(attacked.engine) as db:
        attacked.gone(db, "milagros")
    signs(attacked, "rosa")
    attacked.engine.dispose()  # as when the server is started anew
    for file in attacked.settings.instance.glob("amparo.db*"):
        file.unlink()
    shutil.copy(tmp_path / "before.db", database)
    for name in ("rosa", "milagros"):
        with pytest.raises(BrokenChain):
            attacked.signs_in(name)
    with pytest.raises(BrokenChain):
        attacked.receives(Incident(), "dos")


# ── who leaves ──────────────────────────────────────────────────────────────────────────────────────────────


def test_who_left_opens_no_later_case_even_with_a_copy_from_before(attacked: Place) -> None:
    before = attacked.signs_in("milagros")  # her keys as they were in her session
    with writing(attacked.engine) as db:
        attacked.gone(db, "milagros")
    signs(attacked, "rosa")
    attacked.receives(Incident(), "dos")
    with pytest.raises(CannotOpen):
        attacked.signs_in("milagros")
    with writing(attacked.engine) as db, pytest.raises(CannotOpen):
        cases_desk.open_case(db, before, cases_desk.cases_of(db, before)[0], attacked.clock())
    with reading(attacked.engine) as db:  # a copy asks nobody
        assert {case.narrative for case in cases_desk.opened(db, before, cases_desk.cases_of(db, before))} == {"una"}
        later = db.scalars(select(CaseRow).where(CaseRow.epoch == 2)).one()
        for _, epoch in itertools.product(range(1), before.epochs[later.team]):
            private = before.of(later.team, epoch).sealing
            where = sealing.SealContext("case_file", later.id, later.team, "front key", later.epoch)
            with pytest.raises(CannotOpen):
                sealing.open_with(private, where, later.front_key or b"")
    assert opens(attacked, attacked.signs_in("rosa")) == {"una", "dos"}


def test_a_new_epoch_that_fails_half_way_leaves_nothing_behind(
    attacked: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(attacked.engine) as db:
        attacked.gone(db, "milagros")
    with monkeypatch.context() as broken:
        broken.setattr(audit, "note", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            signs(attacked, "rosa")
    signs(attacked, "rosa")
    attacked.receives(Incident(), "dos")
    assert opens(attacked, attacked.signs_in("rosa")) == {"una", "dos"}


def test_an_invitation_printed_before_she_left_opens_nothing(place: Place) -> None:
    place.hires("eva", COORDINATOR)
    with writing(place.engine) as db:
        older = place.gone(db, "eva", power.RESET)
        newer = place.gone(db, "eva", power.RESET)
        accounts.read_invitation(db, newer, place.clock())
        with pytest.raises(CannotOpen):
            accounts.read_invitation(db, older, place.clock())
        place.gone(db, "eva")
        with pytest.raises(CannotOpen):
            accounts.read_invitation(db, newer, place.clock())


def test_the_sheets_do_not_bring_back_an_account_that_was_shut(place: Place) -> None:
    assert place.sheets is not None
    place.hires("milagros", CASE_WORKER)
    with writing(place.engine) as db:
        place.gone(db, "milagros")
        for name in ("milagros", "carmen"):
            with pytest.raises(CannotOpen):
                keyring.recover(db, place.pin, place.sheets, place.workers[name].id, place.clock())


def test_keys_are_not_printed_by_accident(place: Place) -> None:
    keys = place.signs_in("rosa")
    shown = repr(keys) + repr(next(iter(keys.epochs.values())))
    assert repr(keys.private) not in shown
    assert "vault=" not in shown


# ── forgotten ───────────────────────────────────────────────────────────────────────────────────────────────


def test_both_sheets_bring_everything_back_and_one_brings_nothing(place: Place) -> None:
    place.receives(Incident(), "una")
    assert place.sheets is not None
    rosa = resets(place, "rosa")
    assert opens(place, rosa) == set()
    half = keyring.RecoverySheets(place.sheets.first, receipts.draw_words(12, secrets.randbelow, "es"))
    with writing(place.engine) as db, pytest.raises(CannotOpen):
        keyring.recover(db, place.pin, half, rosa.member, place.clock())
    with writing(place.engine) as db:
        keyring.recover(db, place.pin, place.sheets, rosa.member, place.clock())
    assert opens(place, place.signs_in("rosa")) == {"una"}


def test_a_new_password_replaces_the_old_one(place: Place) -> None:
    worker = place.workers["rosa"]
    with reading(place.engine) as db:
        found = members.find_member(db, "rosa")
    salt, private = members.with_new_password(found, worker.password, ANOTHER, place.settings.pepper)
    with writing(place.engine) as db:
        members.store_password(db, found, salt, private, worker.signer)
    with pytest.raises(CannotOpen):
        place.signs_in("rosa")
    assert place.signs_in("rosa", password=ANOTHER).epochs


def test_a_spare_code_stands_in_for_the_app_once(place: Place) -> None:
    spares = members.new_spares(secrets.randbelow)
    totp = members.new_totp_secret()
    new = members.new_member("luz", (CASE_WORKER,), PASSWORD, totp, place.settings.pepper, spares)
    with writing(place.engine) as db:
        token = accounts.invite(
            db, place.actor(db, "carmen"), Invitation("luz", (CASE_WORKER,)), place.settings.pepper, place.clock()
        )
        accounts.accept(db, place.pin, token, new, place.clock(), None, "Equipo")
    place.workers["luz"] = Worker("luz", PASSWORD, totp, new.id)
    assert place.signs_in("luz", code=spares[3])
    with pytest.raises(CannotOpen):
        place.signs_in("luz", code=spares[3])
    with pytest.raises(CannotOpen):
        place.signs_in("luz", code=spares[4], password="wrong")
    assert place.signs_in("luz", code=spares[4])
    assert place.signs_in("luz")


def test_a_guesser_is_slowed_and_nobody_is_locked_out_for_good(app: Flask, place: Place) -> None:
    desk = Phone(app, cookies=True)
    for _ in range(accounts.FREE_TRIES + 1):
        desk.opens("/es/equipo")
        desk.sends("password", name="rosa", password="wrong", code="000000")
    assert desk.status == 429
    worker = place.workers["rosa"]
    desk.opens("/es/equipo")
    desk.sends("password", name="rosa", password=worker.password, code=members.totp_code(worker.totp, place.clock()))
    assert desk.status == 429
    place.clock.on(minutes=1.1)
    signs_in(app, place, worker)


def tries(app: Flask, place: Place, address: str, **typed: str) -> int:
    """Somebody tries to sign in as rosa from there; the status."""
    worker, desk = place.workers["rosa"], Phone(app, cookies=True, address=address)
    desk.opens("/es/equipo")
    right = {"password": worker.password, "code": members.totp_code(worker.totp, place.clock())}
    desk.sends("password", name="rosa", **right | typed)
    return desk.status


def test_who_does_not_know_the_password_makes_nobody_else_wait(app: Flask, place: Place) -> None:
    statuses = [tries(app, place, "10.0.0.1", password="wrong", code="000000") for _ in range(40)]
    assert statuses.count(422) == accounts.FREE_TRIES
    for number in range(60):
        assert tries(app, place, f"10.1.0.{number}", password="wrong", code="000000") == 422
    assert tries(app, place, "10.0.0.2") in {200, 203}


def test_guessing_the_digits_with_the_password_takes_weeks_from_wherever(app: Flask, place: Place) -> None:
    tried = 0
    for number in range(240):  # two a second, each from somewhere else
        tried += tries(app, place, f"10.1.0.{number}", code="000000") == 422
        place.clock.on(minutes=0.5 / 60)
    free, longest = accounts.SLOWED[accounts.ANYWHERE]
    assert tried <= free + 120 / longest + 4
    assert 10**6 / 3 * longest / 86_400 > 28, "days, on the average; three codes are right at a time"


# ── a browser that is known ─────────────────────────────────────────────────────────────────────────────────


def signs_in_again(place: Place, desk: Phone, name: str = "rosa", **typed: str) -> int:
    """In the browser that is there, signed out; the status."""
    place.clock.on(minutes=1)
    worker = place.workers[name]
    desk.client.delete_cookie("t")
    desk.opens("/es/equipo")
    right = {"password": worker.password, "code": members.totp_code(worker.totp, place.clock())}
    desk.sends("password", name=name, **right | typed)
    return desk.status


def test_a_known_browser_gets_in_beside_two_wrong_tries_a_second_from_its_own_address(app: Flask, place: Place) -> None:
    desk, stranger = signs_in(app, place, place.workers["rosa"]), "127.0.0.1"
    for _ in range(120):
        tries(app, place, stranger, password="wrong", code="000000")
        place.clock.on(minutes=0.5 / 60)
    assert tries(app, place, stranger) == 429, "in a browser that nobody knows she would have to wait"
    assert signs_in_again(place, desk) == 203
    for _ in range(accounts.FREE_TRIES + 1):
        signs_in_again(place, desk, code="000000")
        place.clock.on(minutes=-1)
    assert desk.status == 429, "whoever has the browser guesses no faster than others"
    place.clock.on(minutes=1.1)
    assert signs_in_again(place, desk) == 203


def test_the_cookie_of_a_known_browser_names_nobody_and_lies_at_the_desk_alone(app: Flask, place: Place) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    ours = [line for line in desk.cookies_set if line.startswith("d=")]
    assert {part for line in ours for part in line.split("; ")[1:] if part.startswith("Path")} == {
        "Path=/es/equipo",
        "Path=/en/equipo",
    }
    assert all("Max-Age=2592000" in line and "HttpOnly" in line and "SameSite=Strict" in line for line in ours)
    values = {line.partition("=")[2].partition(";")[0] for line in ours}
    assert re.fullmatch("[0-9a-f]{64}", values.pop())
    assert not values
    first, second = (devices_cookie(signs_in(app, place, place.workers["rosa"])) for _ in range(2))
    assert not {first[i : i + 6] for i in range(59)} & {second[i : i + 6] for i in range(59)}, "nothing in common"


def devices_cookie(desk: Phone) -> str:
    cookie = desk.client.get_cookie("d", path="/es/equipo")
    return cookie.value if cookie else ""


def test_a_browser_is_forgotten_by_its_button_by_another_password_and_after_thirty_days(
    app: Flask, place: Place
) -> None:
    desk = signs_in(app, place, place.workers["rosa"])
    for _ in range(accounts.FREE_TRIES + 1):
        tries(app, place, "127.0.0.1", password="wrong", code="000000")
    assert signs_in_again(place, desk) == 203
    kept = devices_cookie(desk)
    desk.opens("/es/equipo/yo")
    forms = [form for form in desk.forms if form.action.endswith("/equipo/olvidar")]
    desk.repeats(forms[0].action, {})
    assert (devices_cookie(desk), desk.path) == ("", "/es/equipo")
    with app.test_request_context("/es/equipo", headers={"Cookie": f"d={kept}"}):
        rosa, carmen = (locked_row(place, name) for name in ("rosa", "carmen"))
        assert [devices.is_known_here(one) for one in (rosa, carmen, None)] == [True, False, False]
        assert not devices.is_known_here(replace(rosa, salt=b"another" * 3))
        place.clock.on(days=29)
        assert devices.is_known_here(rosa)
        place.clock.on(days=2)
        assert not devices.is_known_here(rosa)


def locked_row(place: Place, name: str) -> members.Locked:
    with reading(place.engine) as db:
        found = members.find_member(db, name)
    assert found
    return found


# ── a bad week, on the pages ────────────────────────────────────────────────────────────────────────────────


def accepts(app: Flask, place: Place, invitation: str, name: str) -> Worker:
    """She opens her invitation, writes down what she is shown, and proves it."""
    desk = Phone(app, cookies=True)
    opens_invitation(desk, invitation)
    password = desk.text.split('<p class="c-words">')[1].split("<")[0].strip()
    letters = re.search(r'<p class="c-digits">((?:<span>[A-Z2-7]{4}</span> )+)', desk.text)
    assert letters
    totp = members.totp_bytes(re.sub(r"<[^>]+>", "", letters.group(1)))
    desk.sends("password", password=password, code=members.totp_code(totp, place.clock()))
    with reading(place.engine) as db:
        found = members.find_member(db, name)
    assert found is not None
    worker = place.workers[name] = Worker(name, password, totp, found.id)
    return worker


def invited(desk: Phone) -> str:
    found = re.search(r'<p class="c-code" translate="no">(\S+)</p>', desk.text)
    assert found, desk.words
    return found.group(1)


def enters(app: Flask, place: Place, name: str) -> Phone:
    return signs_in(app, place, place.workers[name])


def hears_and_lets_in(place: Place, speaker: Phone, listener: Phone, name: str, by: str) -> None:
    """By telephone: one reads six words, the other types them."""
    speaker.opens("/es/equipo/yo")
    words = " ".join(re.findall(r"<span>(\w+)</span>", speaker.text))
    listener.opens("/es/equipo/companeras")
    address, token = beside(listener, name)
    typed = {field: [value] for field, value in proves(place, by).items()}
    listener.repeats(address, {"f": [token], "words": [words], "go": ["let-in"]} | typed)
    assert say("reads with you") in listener.text.split(f"<h2>{name}</h2>")[1]


def test_a_bad_week(app: Flask, place: Place) -> None:
    place.receives(Incident(), "lunes")
    # Monday: the coordinator invites a second reader, who is let in by telephone.
    carmen, rosa = enters(app, place, "carmen"), enters(app, place, "rosa")
    carmen.opens("/es/equipo/personas")
    carmen.sends("role", name="milagros", role="case_worker", **proves(place, "carmen"))
    accepts(app, place, invited(carmen), "milagros")
    milagros = enters(app, place, "milagros")
    assert say("You wait to be let in") in milagros.words
    milagros.opens("/es/equipo/casos")
    assert say("There are no cases here.") in milagros.words
    hears_and_lets_in(place, milagros, rosa, "milagros", "rosa")
    milagros.opens("/es/equipo/casos")
    assert say("There are no cases here.") not in milagros.words, "without signing in anew"
    # Tuesday: her phone is taken; rosa closes her sessions.
    presses_beside(rosa, "milagros", "end", **proves(place, "rosa"))
    milagros.opens("/es/equipo/casos")
    assert say("Sign in") in milagros.words
    # Wednesday: rosa forgets her password. The coordinator resets it; milagros agrees, and lets her in again.
    carmen = enters(app, place, "carmen")
    presses_beside(carmen, "rosa", "reset", "/es/equipo/personas", **proves(place, "carmen"))
    assert say(ASKED["second"]) in carmen.words
    code = invited(carmen)
    milagros = enters(app, place, "milagros")
    presses_beside(milagros, "rosa", "confirm", **proves(place, "milagros"))
    assert say(ASKED["done"]) in milagros.words
    accepts(app, place, code, "rosa")
    rosa = enters(app, place, "rosa")
    rosa.opens("/es/equipo/casos")
    assert say("There are no cases here.") in rosa.words
    hears_and_lets_in(place, rosa, milagros, "rosa", "milagros")
    # Thursday: milagros leaves. There is nobody else to agree, but both sheets. What comes on Friday is closed to her.
    assert place.sheets is not None
    first, second = (" ".join(sheet) for sheet in (place.sheets.first, place.sheets.second))
    presses_beside(rosa, "milagros", "take-out", **proves(place, "rosa"))
    assert say(ASKED["second"]) in rosa.words
    presses_beside(rosa, "milagros", "confirm", **proves(place, "rosa"))
    assert say(NOT_DONE[NoSecondPerson]) in rosa.words
    presses_beside(rosa, "milagros", "confirm", **proves(place, "rosa"), first=first, second=second)
    milagros.opens("/es/equipo/casos")
    assert say("Sign in") in milagros.words
    place.receives(Incident(), "viernes")
    with pytest.raises(CannotOpen):
        place.signs_in("milagros")
    assert opens(place, place.signs_in("rosa")) == {"lunes", "viernes"}


def presses_beside(desk: Phone, name: str, button: str, page: str = "/es/equipo/companeras", **typed: str) -> None:
    """A button in the part of the page that is about one colleague, with what is typed beside it."""
    desk.opens(page)
    address, token = beside(desk, name, button)
    desk.repeats(address, {"f": [token], "go": [button]} | {field: [value] for field, value in typed.items()})


def beside(desk: Phone, name: str, button: str = "") -> tuple[str, str]:
    """Address and token of the form in the part of the page that is about one person; it has this button."""
    part = desk.text.split(f"<h2>{name}</h2>")[1].split("<h2>")[0]
    address, token = re.search(r'action="([^"]+)"', part), re.search(r'name="f"[^>]*value="([^"]+)"', part)
    assert address
    assert token
    assert not button or f'value="{button}"' in part
    return address.group(1), token.group(1)


def test_an_advocate_invited_before_the_keys_exist_needs_no_sheets(tmp_path: Path) -> None:
    made = a_new_place(tmp_path / "new")
    with writing(made.engine) as db:
        shipped.load_shipped(db)
        token = accounts.invite(
            db, members.nobody_yet(db), Invitation("ana", (ADVOCATE,)), made.settings.pepper, made.clock()
        )
    app = create_app(made.settings, made.clock)
    accepts(app, made, token, "ana")
    assert made.workers["ana"].id


def test_a_button_nobody_offered_dismisses_nobody(app: Flask, place: Place) -> None:
    carmen = enters(app, place, "carmen")
    carmen.opens("/es/equipo/personas")
    token = re.search(r'name="f"[^>]*value="([^"]+)"', carmen.text)
    assert token
    carmen.repeats(f"/es/equipo/personas/{place.workers['rosa'].id}", {"f": [token.group(1)], "go": ["x"]})
    assert carmen.status == 404
    assert place.signs_in("rosa")


def test_her_own_password_and_sessions_on_her_page(app: Flask, place: Place) -> None:
    one, other = enters(app, place, "rosa"), enters(app, place, "rosa")
    one.opens("/es/equipo/yo")
    one.presses("password", old="wrong", new=ANOTHER)
    assert say("The password you have now is not right.") in one.words
    one.presses("password", old=place.workers["rosa"].password, new="corta")
    assert one.status == 422
    one.presses("password", old=place.workers["rosa"].password, new=ANOTHER)
    assert say("Your password is changed. Your other sessions are closed.") in one.words
    other.opens("/es/equipo/casos")
    assert say("Sign in") in other.words
    with pytest.raises(CannotOpen):
        place.signs_in("rosa")
    assert place.signs_in("rosa", password=passwords.tidy(ANOTHER))


def test_both_sheets_can_be_typed_on_the_page(app: Flask, place: Place) -> None:
    place.receives(Incident(), "una")
    assert place.sheets is not None
    resets(place, "rosa")
    desk = enters(app, place, "rosa")
    first, second = (" ".join(sheet) for sheet in (place.sheets.first, place.sheets.second))
    desk.presses("recover", first=second, second=second)
    assert say("These are not the two sheets. Look at each word once more.") in desk.words
    desk.presses("recover", first=first.upper(), second=second)
    desk.opens("/es/equipo/casos")
    assert say("There are no cases here.") not in desk.words


def an_address(rule: str, number: int) -> str:
    named = (
        rule.replace("<lang>", "es")
        .replace("<kind>", "seguridad")
        .replace("<place>", "PE25")
        .replace("<service>", "cem-regular-pucallpa-25")
    )
    small = re.sub(r"<int\(max=\d\d?\).*?>", "2", named.replace("<period>", "2026"))
    return re.sub(r"<int\(.*?>", str(number), small)


def test_what_anybody_may_open_is_exactly_this(app: Flask, place: Place) -> None:
    """Every staff page that can be read, for every role and for nobody; the list comes from the app itself."""
    place.hires("ana", ADVOCATE)
    case = 1
    allowed = {
        "casework.queue": {"rosa"},
        "casework.case_page": set(),
        "casework.next_case": {"rosa"},
        "casework.acts": {"rosa"},
        "casework.answers": set(),
        "casework.printed": set(),
        "casework.guide": {"rosa"},
        "letters.page": {"rosa"},
        "how_it_goes.page": {"rosa"},
        "staff.reading_hours": {"rosa", "carmen"},
        "casework.sheet": set(),
        "plans.every_plan": set(),
        "plans.plan": set(),
        "plans.sheet": set(),
        "danger.danger": set(),
        "assisted_report.begin": {"rosa"},
        "assisted_report.page": set(),
        "staff.chain": {"rosa", "carmen"},
        "staff.home": {"ana"},
        "staff.people": {"carmen"},
        "staff.front_door": {"carmen"},
        "staff.standing": {"carmen"},
        "staff.colleagues": {"rosa", "ana"},
        "staff.me": {"rosa", "carmen", "ana"},
        "staff.guide_coordinator": {"carmen"},
        "staff.guide_advocate": {"ana"},
        "staff.guide_emergency": {"rosa", "carmen", "ana"},
        "directory.services": {"rosa", "carmen"},
        "directory.service_page": {"rosa", "carmen"},
        "directory.watch": {"rosa", "carmen"},
        "directory.export": {"rosa", "carmen"},
        "directory.gaps": {"rosa", "carmen"},
        "directory.gaps_of": {"rosa", "carmen"},
        "directory.gaps_file": {"rosa", "carmen"},
        "directory.calls": {"rosa", "carmen"},
        "directory.calls_in": {"rosa", "carmen"},
        "directory.call": {"rosa", "carmen"},
        "directory.bring": {"carmen"},
        "directory.new_service": {"carmen"},
        "figures.desk": {"ana"},
        "figures.plan": {"ana"},
        "figures.preview": set(),
    }
    desks: dict[str, Phone] = {name: enters(app, place, name) for name in ("rosa", "carmen", "ana")}
    desks["nobody"], desks["expired"] = Phone(app, cookies=True), enters(app, place, "rosa")
    with writing(place.engine) as db:
        staff_sessions.end_all(db, place.workers["rosa"].id)
    desks["rosa"] = enters(app, place, "rosa")
    guarded = [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and hasattr(app.view_functions[rule.endpoint], "roles")
    ]
    assert {rule.endpoint for rule in guarded} == set(allowed), "a page nobody has decided about"
    for rule in guarded:
        for name, desk in desks.items():
            asked = "?period=2026" if rule.endpoint == "figures.plan" else ""
            answer = desk.client.get(an_address(rule.rule, case) + asked)
            further = any(path in answer.headers.get("Location", "") for path in ("/equipo/voz/", "/equipo/casos"))
            let_in = answer.status_code in {200, 203} or further
            assert let_in is (name in allowed[rule.endpoint]), (rule.endpoint, name)


def test_every_form_of_a_signed_in_person_refuses_a_forged_token(app: Flask, place: Place) -> None:
    place.hires("ana", ADVOCATE)
    member = place.workers["ana"].id
    for rule in app.url_map.iter_rules():
        roles = getattr(app.view_functions[rule.endpoint], "roles", ())
        if "POST" not in (rule.methods or ()) or not roles:
            continue
        desk = enters(app, place, "carmen" if COORDINATOR in roles else "ana" if roles == (ADVOCATE,) else "rosa")
        path = an_address(rule.rule, member)
        for go in ("", "let-in", "end", "take-out", "reset", "dismiss", "password", "recover"):
            form = {
                "f": ["forged"],
                "go": [go],
                "words": ["a"],
                "old": ["a"],
                "new": ["a" * 20],
                "name": ["zoe"],
                "role": ["advocate"],
                "first": ["a"],
                "second": ["a"],
                "text": ["a"],
            }
            desk.repeats(path, form)
            assert desk.status == 403, (rule.endpoint, go)


def with_a_password_of_before(place: Place, name: str, weak: str) -> None:
    """An older version took this one: the key of a member is wrapped anew under it."""
    with reading(place.engine) as db:
        found = members.find_member(db, name)
    assert found
    worker, pepper = place.workers[name], place.settings.pepper
    secret = sealing.open_sealed(
        sealing.stretch_password(worker.password, found.salt, pepper),
        SealContext("member", found.id, 0, "private", found.version),
        found.private,
    )
    place_of = SealContext("member", found.id, 0, "private", found.version + 1)
    private = sealing.seal(sealing.stretch_password(weak, found.salt, pepper), place_of, secret)
    with writing(place.engine) as db:
        members.store_password(db, found, found.salt, private, worker.signer)
    place.workers[name] = replace(worker, password=weak)


def test_a_weak_password_of_before_opens_nothing_but_the_page_where_it_is_changed(app: Flask, place: Place) -> None:
    place.receives()
    with reading(place.engine) as db:
        case = db.scalars(select(CaseRow.id)).one()
    with_a_password_of_before(place, "rosa", "aaaaaaaaaaaaaaaa")
    rosa = enters(app, place, "rosa")
    assert say("Your password can be guessed. Change it here before you go on: nothing else opens until then.") in (
        rosa.words
    )
    doors = [rule for rule in app.url_map.iter_rules() if getattr(app.view_functions[rule.endpoint], "roles", ())]
    for rule in doors:
        if rule.arguments <= {"lang"} and "GET" in (rule.methods or ()):
            rosa.opens(rule.rule.replace("<lang>", "es"))
            assert rosa.status in {203, 404}, rule
            assert rosa.status == 404 or rosa.path == "/es/equipo/yo", rule
    rosa.opens(f"/es/equipo/caso/{case}")
    assert rosa.path == "/es/equipo/yo"
    rosa.presses("password", old="aaaaaaaaaaaaaaaa", new="teamomuchomiamor2024")
    assert rosa.status == 422
    assert say(WEAK) in rosa.words
    rosa.presses("password", old="aaaaaaaaaaaaaaaa", new=ANOTHER)
    assert say("Your password is changed. Your other sessions are closed.") in rosa.words
    rosa.opens(f"/es/equipo/caso/{case}")
    assert rosa.path == f"/es/equipo/caso/{case}"


def test_no_weak_password_is_taken_with_an_invitation_nor_below_the_pages(app: Flask, place: Place) -> None:
    with writing(place.engine) as db:
        token = accounts.invite(
            db, place.actor(db, "carmen"), Invitation("luz", (CASE_WORKER,)), place.settings.pepper, place.clock()
        )
    desk = Phone(app, cookies=True)
    opens_invitation(desk, token)
    desk.sends("password", password="contraseña123456789", code="123456")
    assert desk.status == 422
    assert say(WEAK) in desk.words
    with pytest.raises(members.WeakPassword):
        members.new_member("luz", (CASE_WORKER,), "luz luz luz luz luz", bytes(20), place.settings.pepper)
