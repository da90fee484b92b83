"""An open invitation is listed and can be taken back; a name can be changed by whoever has it; the first two are asked.

Whom an invitation is for stays sealed: what is shown is its role, since when and until when.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask

from reporting.storage.database import reading, writing
from reporting.teams import accounts
from reporting.teams.accounts import Invitation
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR, CannotOpen
from tests.copies import Filling
from tests.people import Place, opened
from tests.phone import Phone
from tests.trips import opens_invitation, proves, say, signs_in


def with_a_coordinator(place: Place) -> None:
    place.hires("carmen", COORDINATOR)
    place.signs_in("carmen")


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_a_coordinator


def invites(place: Place, name: str, role: str) -> str:
    with writing(place.engine) as db:
        by = place.actor(db, "carmen")
        return accounts.invite(db, by, Invitation(name, (role,)), place.settings.pepper, place.clock())


def sees_people(app: Flask, place: Place) -> Phone:
    desk = signs_in(app, place, place.workers["carmen"])
    desk.opens("/es/equipo/personas")
    return desk


def test_an_invitation_taken_back_opens_nothing(app: Flask, place: Place) -> None:
    code, other = invites(place, "zarela", ADVOCATE), invites(place, "otra", CASE_WORKER)
    desk = sees_people(app, place)
    assert "zarela" not in desk.words
    assert say("Advocate") in desk.words
    assert say("made by %(name)s", name="carmen") in desk.words
    with reading(place.engine) as db:
        mark = next(listed.mark for listed in accounts.open_invitations(db, place.clock()) if ADVOCATE in listed.roles)
    desk.sends("invitation", invitation=mark, **proves(place, "carmen"))
    assert say("The invitation is taken back: its code opens nothing any more.") in desk.words
    assert mark not in desk.text
    opens_invitation(taken := Phone(app, cookies=True), code)
    assert taken.status == 404
    opens_invitation(still := Phone(app, cookies=True), other)
    assert still.status == 203
    with reading(place.engine) as db:
        assert not [problem for problem in accounts.problems(db, place.pin) if "audit" in problem]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"name": "María Elena", "role": CASE_WORKER}, "Small letters and digits only."),
        (
            {"name": "rosa", "role": CASE_WORKER},
            "Somebody has this name already. If she forgot her password, press «New password».",
        ),
        ({"name": "nueva", "role": ADVOCATE, "new_team": "Otro equipo"}, "A new team begins with a case worker."),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_in_the_language_of_the_page(
    app: Flask, place: Place, typed: dict[str, str], says: str
) -> None:
    desk = sees_people(app, place)
    desk.sends("role", **typed, **proves(place, "carmen"))
    assert desk.words.count(say(says)) == 2, "above, and beside its field"
    assert say(says) != says not in desk.words


@pytest.mark.parametrize("wrong", ["password", "name", "nothing chosen", "gone"])
def test_nothing_is_taken_back_by_a_wrong_proof_or_for_another_name(app: Flask, place: Place, wrong: str) -> None:
    code = invites(place, "nueva", ADVOCATE)
    desk = sees_people(app, place)
    typed = {"invitation": desk.form(holding="invited").offered["invitation"][0], "invited": "nueva"}
    typed |= proves(place, "carmen")
    typed |= {"password": {"password": "otra"}, "name": {"invited": "zoila"}, "gone": {"invitation": "00" * 8}}.get(
        wrong, {}
    )
    typed["invitation"] = "" if wrong == "nothing chosen" else typed["invitation"]
    desk.sends("invited", **typed)
    assert desk.status == 422
    opens_invitation(phone := Phone(app, cookies=True), code)
    assert phone.status == 203


def test_whoever_has_a_name_can_change_it_and_signs_in_with_the_new_one(app: Flask, place: Place) -> None:
    desk, elsewhere = (signs_in(app, place, place.workers["carmen"]) for _ in range(2))
    desk.opens("/es/equipo/yo")
    for taken in ("rosa", "Con Espacios"):
        desk.presses("name", name=taken, **proves(place, "carmen"))
        assert desk.status == 422
    desk.presses("name", name="camila", **proves(place, "carmen"))
    assert say("From now on you sign in with this name. Your other sessions are closed.") in desk.words
    assert "camila" in desk.words
    elsewhere.opens("/es/equipo/personas")
    assert elsewhere.path == "/es/equipo"
    worker = place.workers["carmen"]
    worker.name = "camila"
    signs_in(app, place, worker).opens("/es/equipo/personas")
    with reading(place.engine) as db:
        assert not [problem for problem in accounts.problems(db, place.pin) if "audit" in problem]


def test_nobody_else_changes_the_name_of_somebody_who_can_sign_in(place: Place) -> None:
    rosa, carmen = place.workers["rosa"].id, place.workers["carmen"].id
    place.signs_in("rosa")
    for by, of in (("carmen", rosa), ("rosa", carmen)):
        with pytest.raises(CannotOpen), writing(place.engine) as db:
            accounts.rename(db, place.actor(db, by), of, "otra", place.settings.pepper)


def test_init_asks_for_names_at_a_terminal_and_prints_codes_alone(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, "Doña Ana\nlucero\n\n".encode())
    environment = os.environ | {"AMPARO_INSTANCE": str(tmp_path / "first"), "BASE_URL": "http://localhost"}
    command = [sys.executable, "-m", "reporting", "init"]
    done = subprocess.run(  # noqa: S603 -- our own command
        command, stdin=theirs, capture_output=True, env=environment, text=True, timeout=60, check=True
    )
    assert "lucero (Coordinator):" in done.stdout
    assert "Small letters and digits" in done.stderr
    assert not re.search(r"(?im)^\s*password|totp|█", done.stdout)
    _, engine = opened(tmp_path / "first")
    with reading(engine) as db:
        listed = accounts.open_invitations(db, time.time())
    assert {(invitation.roles, invitation.member) for invitation in listed} == {
        ((CASE_WORKER,), 0),
        ((COORDINATOR,), 0),
    }
