"""Several teams: she picks who reads, a new team is offered only when somebody vouched for it, none opens another's."""

from __future__ import annotations

import os
import re
import secrets
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from reporting.app import create_app
from reporting.cases import actions, store
from reporting.cli.base import main
from reporting.storage.database import open_database, reading, writing
from reporting.storage.models import CaseRow, LogRow, TeamRow
from reporting.teams import accounts, keyring, members, team_log
from reporting.teams.accounts import Invitation
from reporting.teams.keyring import Keys, WrongWords
from reporting.teams.team_log import CASE_WORKER, COORDINATOR, BrokenChain, CannotOpen, Team
from reporting.vocabulary.incident import Incident
from tests.copies import Filling
from tests.pages.test_casework import comes_back
from tests.pages.test_people_and_keys import enters, invited, opens
from tests.people import PASSWORD, Place, a_furnished_place, a_new_place
from tests.phone import Phone
from tests.trips import in_the_terminal, opens_invitation, proves, say, starts_telling

NEW = "Las de Piura"


def with_a_new_team(place: Place) -> None:
    place.hires("carmen", COORDINATOR)
    place.hires("piera", CASE_WORKER, new_team=NEW)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_new_team


def new_team(place: Place) -> Team:
    with reading(place.engine) as db:
        return next(team for team in team_log.teams(db, place.pin) if team.name == NEW)


def vouches(place: Place, keys: Keys, words: str = "") -> None:
    team = new_team(place)
    with writing(place.engine) as db:
        keyring.vouch(
            db,
            place.pin,
            place.actor(db, keys.name),
            keys,
            team.id,
            words or " ".join(keyring.words_of_team(team, "es")),
        )


# ── who is offered ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_team_that_nobody_vouched_for_is_offered_to_nobody(app: Flask, place: Place) -> None:
    phone = starts_telling(app)
    phone.presses("next")
    phone.presses("check")
    assert NEW not in phone.words
    form = phone.form("send")
    phone.repeats(form.action, form.values | {"go": ["send"], "team": [str(new_team(place).id)]})
    with reading(place.engine) as db:
        assert set(db.scalars(select(CaseRow.team))) != {new_team(place).id}


@pytest.mark.parametrize("words", ["abeja " * 6, "abeja"])
def test_other_words_vouch_for_no_team(place: Place, words: str) -> None:
    with pytest.raises(WrongWords):
        vouches(place, place.signs_in("rosa"), words)


def test_a_team_cannot_vouch_for_itself(place: Place) -> None:
    with pytest.raises(WrongWords):
        vouches(place, place.signs_in("piera"))


def test_a_vouch_signed_with_another_key_closes_the_doors(place: Place) -> None:
    team = new_team(place)
    with writing(place.engine) as db:
        first = db.scalars(select(TeamRow.id).order_by(TeamRow.id)).first()
        assert first is not None
        told = {"act": "vouch", "vouched": team.id, "fingerprint": team.fingerprint.hex()}
        team_log.write_entry(db, first, secrets.token_bytes(32), told)
    with reading(place.engine) as db, pytest.raises(BrokenChain):
        team_log.teams(db, place.pin)


def test_with_two_trusted_teams_she_picks_and_nothing_goes_before(app: Flask, place: Place) -> None:
    vouches(place, place.signs_in("rosa"))
    phone = starts_telling(app)
    phone.presses("next", age="A25_34")
    phone.presses("check")
    assert NEW in phone.words
    assert not phone.form("send").values.get("team"), "nothing is chosen beforehand"
    phone.presses("send")
    assert phone.status == 422
    assert say("Choose who shall read it.") in phone.words
    assert place.cases() == 0
    phone.presses("send", team=str(new_team(place).id))
    assert say("A case worker of «%(team)s» opens it.", team=NEW) in phone.words
    phone.presses("more")
    phone.presses("send")
    assert phone.receipt()[0], "the receipt can be looked at again without picking anew"
    assert place.cases() == 1
    assert len(opens(place, place.signs_in("piera"))) == 1
    assert opens(place, place.signs_in("rosa")) == set()


def test_a_stale_draft_asks_too_who_shall_read_it(app: Flask, place: Place) -> None:
    vouches(place, place.signs_in("rosa"))
    phone = starts_telling(app)
    phone.presses("next")
    phone.presses("check")
    place.clock.on(hours=3)
    phone.presses("back")
    phone.presses("send")
    assert phone.status == 422
    phone.presses("send", team=str(new_team(place).id))
    assert place.cases() == 1


# ── who opens what ──────────────────────────────────────────────────────────────────────────────────────────


def test_no_team_opens_the_cases_of_another(place: Place) -> None:
    vouches(place, place.signs_in("rosa"))
    place.receives(Incident(), "a Lima")
    place.receives(Incident(), "a Piura", team=NEW)
    assert opens(place, place.signs_in("rosa")) == {"a Lima"}
    assert opens(place, place.signs_in("piera")) == {"a Piura"}


def test_the_page_of_another_teams_case_says_what_it_says_of_an_erased_one(app: Flask, place: Place) -> None:
    """Every staff page about one case, generated from the app itself."""
    vouches(place, place.signs_in("rosa"))
    place.receives(Incident(), "a Piura", team=NEW)
    with reading(place.engine) as db:
        case = db.scalars(select(CaseRow.id)).one()
    desk = enters(app, place, "rosa")
    leads_on = "casework.next_case"  # to a case of her own, whatever number stands in its address
    rules = [rule for rule in app.url_map.iter_rules() if "case" in rule.arguments and rule.endpoint != leads_on]
    assert rules
    for rule in rules:
        path = re.sub(r"<int\([^>]*:case>", str(case), rule.rule.replace("<lang>", "es"))
        path = re.sub(r"<int[^>]*>", "1", path)
        for method in {"GET", "POST"} & (rule.methods or set()):
            data = {"f": form_token(desk), "go": "note", "text": "x", "reason": "x", "v": "1"}
            desk._read(desk.client.open(path, method=method, data=data if method == "POST" else None))  # noqa: SLF001
            assert desk.status in {404, 409}, (rule.endpoint, method, desk.status)
            assert "a Piura" not in desk.text


def form_token(desk: Phone) -> str:
    desk.opens("/es/equipo/yo")
    found = re.search(r'name="f"[^>]*value="([^"]+)"', desk.text)
    assert found
    return found.group(1)


def test_the_sheets_of_one_team_open_no_other(place: Place) -> None:
    vouches(place, place.signs_in("rosa"))
    place.hires("mila", CASE_WORKER)
    place.hires("pola", CASE_WORKER, teams=(new_team(place).id,))
    assert place.sheets is not None
    for name in ("mila", "pola"):
        wrong, right = place.sheets_of[NEW], place.sheets
        if name == "pola":
            wrong, right = right, wrong
        with writing(place.engine) as db, pytest.raises(CannotOpen):
            keyring.recover(db, place.pin, wrong, place.workers[name].id, place.clock())
        with writing(place.engine) as db:
            keyring.recover(db, place.pin, right, place.workers[name].id, place.clock())
    assert set(place.signs_in("pola").epochs) == {new_team(place).id}


def test_who_leaves_one_team_makes_no_epoch_due_in_another(place: Place) -> None:
    with writing(place.engine) as db:
        place.gone(db, "piera")
    with reading(place.engine) as db:
        assert {row.name: row.due for row in db.scalars(select(TeamRow))}[NEW]
        assert [row.name for row in db.scalars(select(TeamRow)) if row.due] == [NEW]


# ── handing over ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_case_goes_to_another_team_only_with_her_yes(app: Flask, place: Place) -> None:
    vouches(place, place.signs_in("rosa"))
    receipt = place.receives(Incident(), "mi relato")
    rosa = enters(app, place, "rosa")
    with reading(place.engine) as db:
        case = db.scalars(select(CaseRow.id)).one()
    rosa.opens(f"/es/equipo/caso/{case}")
    rosa.presses("ask-hand-over", team=str(new_team(place).id), reason="Vive en Piura.")
    assert opens(place, place.signs_in("piera")) == set()
    comes_back(app, receipt).presses("handover-no")
    assert opens(place, place.signs_in("piera")) == set()
    rosa.opens(f"/es/equipo/caso/{case}")
    rosa.presses("ask-hand-over", team=str(new_team(place).id), reason="Otra vez.")
    her = comes_back(app, receipt)
    assert NEW in her.words
    her.presses("handover-yes")
    assert opens(place, place.signs_in("piera")) == {"mi relato"}
    assert opens(place, place.signs_in("rosa")) == set()
    assert "mi relato" in comes_back(app, receipt).words


def test_her_yes_by_voice_hands_a_case_over_too(app: Flask, place: Place) -> None:
    vouches(place, place.signs_in("rosa"))
    place.receives(Incident(), "mi relato")
    rosa = enters(app, place, "rosa")
    with reading(place.engine) as db:
        case = db.scalars(select(CaseRow.id)).one()
    rosa.opens(f"/es/equipo/caso/{case}")
    form = rosa.form("ask-hand-over")
    rosa.repeats(rosa.path, form.values | {"go": ["handed"]})
    assert rosa.status == 422, "nobody was asked"
    rosa.presses("ask-hand-over", team=str(new_team(place).id), reason="Vive en Piura.")
    rosa.presses("handed")
    assert rosa.path == "/es/equipo/casos"
    assert opens(place, place.signs_in("piera")) == {"mi relato"}


def test_no_case_is_handed_to_a_team_that_nobody_vouched_for(app: Flask, place: Place) -> None:
    receipt = place.receives(Incident(), "mi relato")
    visit, team = place.comes_back(receipt), new_team(place)
    with writing(place.engine) as db, store.on_visit(db, visit, place.clock()) as case_file:
        actions.ask_hand_over(case_file, 1, team.id, "x", place.clock())
    her = comes_back(app, receipt)
    form = her.form("write")
    her.repeats(form.action, form.values | {"go": ["handover-yes"]})
    with reading(place.engine) as db:
        assert db.scalars(select(CaseRow.team)).one() != team.id


# ── a new team, on the pages ────────────────────────────────────────────────────────────────────────────────


def test_a_new_team_begins_in_a_browser_and_is_vouched_for_by_voice(tmp_path: Path) -> None:
    place = a_furnished_place(tmp_path / "instance")
    place.hires("carmen", COORDINATOR)
    app = create_app(place.settings, place.clock)
    carmen = enters(app, place, "carmen")
    carmen.opens("/es/equipo/personas")
    carmen.sends("new_team", name="ana", role="advocate", new_team=NEW, **proves(place, "carmen"))
    assert carmen.status == 422
    carmen.sends("new_team", name="piera", role="case_worker", new_team=NEW, **proves(place, "carmen"))
    code = invited(carmen)
    desk = Phone(app, cookies=True)
    opens_invitation(desk, code)
    assert say("Two recovery sheets") in desk.words
    accepts_with_sheets(app, place, code, "piera")
    piera = enters(app, place, "piera")
    piera.opens("/es/equipo/yo")
    assert say("Your team «%(name)s» waits", name=NEW) in piera.words
    words = " ".join(re.findall(r"<span>(\w+)</span>", piera.text))
    rosa = enters(app, place, "rosa")
    rosa.opens("/es/equipo/companeras")
    sends_beside_team(rosa, "abeja " * 6, **proves(place, "rosa"))
    assert rosa.status == 422
    sends_beside_team(rosa, words, **proves(place, "rosa"))
    assert NEW not in rosa.words
    with reading(place.engine) as db:
        assert [team.name for team in team_log.trusted(team_log.teams(db, place.pin))] == ["Equipo", NEW]
    carmen.opens("/es/equipo/personas")
    assert NEW in carmen.words


def sends_beside_team(desk: Phone, words: str, **typed: str) -> None:
    """The six words of a new team, with the proof of who types them."""
    form = next(form for form in desk.forms if "/equipo/companeras/equipo/" in form.action)
    desk.repeats(form.action, form.values | {field: [value] for field, value in ({"words": words} | typed).items()})


def accepts_with_sheets(app: Flask, place: Place, code: str, name: str) -> None:
    """As `accepts`, and she says that she wrote the sheets down."""
    from tests.pages import test_people_and_keys as people

    ticked = Phone.sends

    def sends(phone: Phone, holding: str, **typed: object) -> str:
        return ticked(phone, holding, **typed, **({"written": ["y"]} if holding == "password" else {}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Phone, "sends", sends)
        people.accepts(app, place, code, name)


def test_init_run_again_makes_nobody_a_reader(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.receives(Incident(), "una")
    monkeypatch.setenv("AMPARO_INSTANCE", str(place.settings.instance))
    monkeypatch.setenv("BASE_URL", "http://localhost")
    kept = (place.settings.instance / "secrets.toml").read_bytes(), place.settings.pin_file.read_bytes()
    result = CliRunner().invoke(main, ["init", "--case-worker", "intrusa"])
    assert result.exit_code != 0
    assert "accounts already" in result.output
    assert opens(place, place.signs_in("rosa")) == {"una"}
    assert kept == ((place.settings.instance / "secrets.toml").read_bytes(), place.settings.pin_file.read_bytes())


def test_the_terminal_invites_to_a_team_that_is_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPARO_INSTANCE", str(place.settings.instance))
    monkeypatch.setenv("BASE_URL", "http://localhost")
    run = CliRunner()
    typed = in_the_terminal(place, "carmen")
    assert run.invoke(main, ["staff", "invite", "pola", "case_worker", "--team", NEW], input=typed).exit_code == 0
    assert run.invoke(main, ["staff", "invite", "luna", "case_worker", "--team", "Nadie"]).exit_code != 0
    assert run.invoke(main, ["staff", "invite", "luna", "advocate", "--new-team", "Otra"]).exit_code != 0


# ── the machine stops in between ────────────────────────────────────────────────────────────────────────────


def dies_while_keys_are_made(place: Place, name: str, new_team: str, *, after_the_commit: bool) -> None:
    """A process of its own accepts an invitation as the page does, and is killed before or after the commit."""
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        return
    engine = open_database(place.settings.database_url)
    recovery = accounts.draw_sheets(secrets.randbelow, "es").key_pair().public
    new = members.new_member(
        name,
        (CASE_WORKER,),
        PASSWORD,
        members.new_totp_secret(),
        place.settings.pepper,
    )
    with writing(engine) as db:
        token = accounts.invite(
            db,
            place.who_invites(db),
            Invitation(name, (CASE_WORKER,), (), new_team),
            place.settings.pepper,
            place.clock(),
        )
        made = accounts.accept(db, place.pin, token, new, place.clock(), recovery, "Equipo")
        place.pin.expect(made)
        if not after_the_commit:
            os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("after_the_commit", [False, True])
def test_first_keys_survive_a_machine_that_stops(tmp_path: Path, after_the_commit: bool) -> None:
    place = a_new_place(tmp_path)
    dies_while_keys_are_made(place, "rosa", "", after_the_commit=after_the_commit)
    with reading(place.engine) as db:
        found = team_log.teams_or_none(db, place.pin)
    assert bool(found) is after_the_commit
    if not after_the_commit:
        place.hires("rosa", CASE_WORKER)
        assert place.signs_in("rosa").epochs


@pytest.mark.parametrize("after_the_commit", [False, True])
def test_a_new_team_survives_a_machine_that_stops(tmp_path: Path, after_the_commit: bool) -> None:
    place = a_new_place(tmp_path)
    place.hires("rosa", CASE_WORKER)
    dies_while_keys_are_made(place, "luz", "Norte", after_the_commit=after_the_commit)
    with reading(place.engine) as db:
        found = team_log.teams(db, place.pin)
    assert ("Norte" in {team.name for team in found}) is after_the_commit
    assert place.signs_in("rosa").epochs  # and she pins what is there


def test_what_was_expected_and_never_came_lets_no_other_team_in(tmp_path: Path) -> None:
    place, other = a_new_place(tmp_path / "one"), a_new_place(tmp_path / "two")
    place.hires("rosa", CASE_WORKER)
    dies_while_keys_are_made(place, "luz", "Norte", after_the_commit=False)
    other.hires("eva", CASE_WORKER)
    with reading(other.engine) as theirs, writing(place.engine) as db:
        expected = 3  # after the two founding teams
        stranger = theirs.get_one(TeamRow, 1)
        db.add(TeamRow(id=expected, kind=stranger.kind, name=stranger.name, due=stranger.due))
        db.flush()
        entries = theirs.scalars(select(LogRow).where(LogRow.team == stranger.id))
        db.add_all(LogRow(team=expected, number=one.number, body=one.body, signature=one.signature) for one in entries)
    with reading(place.engine) as db, pytest.raises(BrokenChain):
        team_log.teams(db, place.pin)
