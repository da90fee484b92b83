"""The demo: people, keys and a dozen fictional reports, made with the same calls that real ones use.

Everything in it is thrown away. The reports come from the shipped vignettes.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine

from referrals.directory import snapshot
from referrals.directory.importing import shipped
from referrals.directory.reviewed_data import DATA
from referrals.help.answers import help_for
from reporting.cases import submission
from reporting.cases.records import NewReport
from reporting.clock import HOUR
from reporting.config import Settings
from reporting.crypto import receipts
from reporting.crypto.receipts import Receipt
from reporting.figures import periods, releases
from reporting.figures.noise import laplace
from reporting.i18n import T_, said
from reporting.sessions import day_seeds, tickets
from reporting.storage.database import reading, writing
from reporting.teams import keyring, members, passwords, team_log
from reporting.teams.accounts import Invitation, accept, draw_sheets, invite
from reporting.teams.keyring import Keys
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, CASEWORK, COORDINATOR, STATISTICS, Pin
from reporting.vocabulary.incident import incident_from_answers
from reporting.vocabulary.places import REGIONS
from reporting.vocabulary.tally import MONTHS, block_of_codes

VIGNETTES = DATA / "vignettes.yaml"
# name -> role; the first case worker makes the keys and lets the others in
PEOPLE = {
    "rosa": CASE_WORKER,
    "milagros": CASE_WORKER,
    "ana": ADVOCATE,
    "lucia": ADVOCATE,
    "carmen": COORDINATOR,
}
REPORTS = 12
# hours between the moment the demo is made and the moment each report "came", newest first
CAME = (0, 1, 3, 7, 11, 20, 26, 30, 49, 75, 120, 200)
Say = Callable[[str], object]


def seed_demo(settings: Settings, engine: Engine, now: float, say: Say) -> dict[str, Any]:
    """Fill an empty installation. Returns addresses, accounts with their current six digits, and one receipt."""
    accounts, _ = begin(settings, engine, now, say)
    say(said("Writing %(count)s fictional reports ...", count=REPORTS))
    receipt = _reports(settings, engine, now)
    say(said("Publishing fictional figures of two years, %(count)s reports each ...", count=TALLIES))
    _figures(settings, engine, now)
    language = settings.languages[0]
    words = {"words": " ".join(receipt.words(language)), "digits": " ".join(receipt.digits())}
    return addresses(settings) | {"accounts": accounts, "receipt": words}


def begin(settings: Settings, engine: Engine, now: float, say: Say) -> tuple[list[dict[str, str]], Keys]:
    """The directory and the people of an empty installation. Returns the accounts, and the keys of the first reader."""
    say(T_("Loading the directory of Peru ..."))
    with writing(engine) as db:
        day_seeds.open_day(db, now)
        shipped.load_shipped(db)
    say(T_("Making people and keys ..."))
    return _people(settings, engine, now)


def addresses(settings: Settings) -> dict[str, Any]:
    """Where reporters begin, and the staff."""
    language = settings.languages[0]
    return {"address": f"{settings.base_url}/{language}/", "staff": f"{settings.staff_url}/{language}/equipo"}


def in_words(summary: dict[str, Any]) -> Iterator[str]:
    """The accounts, addresses and a receipt of a demo, as sentences for the terminal."""
    yield T_("\nPRACTICE: nothing here reaches anybody.\n")
    yield said("Reporters:  %(address)s", address=summary["address"])
    yield said("Staff:      %(address)s", address=summary["staff"])
    if summary["classroom"]:
        yield T_(
            "In the classroom: the same with this computer's address in the network instead of 127.0.0.1; the network "
            "settings say it."
        )
    yield ""
    for account in summary["accounts"]:
        yield said(
            "  %(name)s (%(said_role)s)   password: %(password)s",
            **account,
            said_role=team_log.ROLE_NAMES[account["role"]],
        )
        yield said("      six digits now: %(code)s   (app secret: %(totp_secret)s)", **account)
    if "receipt" in summary:
        yield T_("\nThe six digits change every 30 seconds: put the secret into an authenticator app, or run")
        yield T_("  amparo code SECRET\n")
        yield said("A code to come back with: %(words)s", **summary["receipt"])
        yield said("                      or: %(digits)s", **summary["receipt"])
    if "practice" in summary:
        yield said("\nThe page of the practice, for whoever leads it: %(address)s", address=summary["practice"])
        yield T_("It moves the clock, shows the six digits that are valid, and says how it went.")
        yield T_("Here: Enter brings the next case; +10m or +2h lets time pass; d shows the digits, h how it went.")
    yield T_("\nStop with Ctrl+C; everything is thrown away.\n")


def _people(settings: Settings, engine: Engine, now: float) -> tuple[list[dict[str, str]], Keys]:
    pin, accounts = Pin(settings.pin_file), list[dict[str, str]]()
    first: Keys | None = None
    for name, role in PEOPLE.items():
        password = passwords.suggest(secrets.randbelow, settings.languages[0])
        totp = members.new_totp_secret()
        new = members.new_member(name, (role,), password, totp, settings.pepper)
        with writing(engine) as db:
            by = (
                members.Actor(first.member, first.name, first.roles, first.private) if first else members.nobody_yet(db)
            )
            token = invite(db, by, Invitation(name, (role,)), settings.pepper, now)
            recovery = (
                draw_sheets(secrets.randbelow, settings.languages[0]).key_pair().public if first is None else None
            )
            fresh = accept(db, pin, token, new, now, recovery, settings.team_name)
        if fresh:
            pin.begin(fresh)
        with writing(engine) as db:
            if first is None:
                first = _sign_in(settings, db, pin, name, password, totp, now)
            elif role in team_log.KINDS:
                _let_in(db, pin, first, new.id, role, now)
        accounts.append(
            {
                "name": name,
                "role": role,
                "password": password,
                "totp_secret": members.totp_text(totp),
                "code": members.totp_code(totp, now + 30),
            }
        )
    if first is None:
        raise RuntimeError("the first of PEOPLE makes the keys")
    return accounts, first


def _sign_in(settings: Settings, db: Any, pin: Pin, name: str, password: str, totp: bytes, now: float) -> Keys:
    code = members.totp_code(totp, now - 30)  # the step before, so that the code that is shown is not used up
    who = members.unlock(members.find_member(db, name), password, code, now, settings.pepper)
    return keyring.take_keys(db, pin, who)


def _let_in(db: Any, pin: Pin, first: Keys, member: int, role: str, now: float) -> None:
    team = team_log.team_of_kind(team_log.teams(db, pin), team_log.KINDS[role])
    public = members.public_key(db, member)
    keyring.let_in(db, team.id, first.epochs[team.id], member, public, first.signer, now)


def _reports(settings: Settings, engine: Engine, now: float) -> Receipt:
    with reading(engine) as db:
        teams = team_log.teams(db, Pin(settings.pin_file))
    readers, counters = team_log.team_of_kind(teams, CASEWORK), team_log.team_of_kind(teams, STATISTICS)
    services = snapshot.snapshot_of(partial(reading, engine))
    drawn = [receipts.draw(secrets.randbelow) for _ in CAME]
    for receipt, came, vignette in zip(drawn, CAME, _vignettes(), strict=True):
        report = _report(vignette, int(now) // HOUR - came, settings.languages[0])
        gaps = help_for(services, report.incident, now, languages=(report.language,)).gaps
        # as if sent an hour ago: its receipt is not to be shown again by a repeated request
        sealed = submission.prepare(report, receipt, readers, counters, settings.pepper, now - HOUR, gaps=gaps)
        with writing(engine) as db:
            submission.file_invented(db, sealed)
    return drawn[0]


def _vignettes() -> list[dict[str, Any]]:
    content: dict[str, Any] = yaml.safe_load(Path(VIGNETTES).read_text(encoding="utf-8"))
    vignettes: list[dict[str, Any]] = content["vignettes"][:REPORTS]
    return vignettes


def _report(vignette: dict[str, Any], hour: int, language: str) -> NewReport:
    consents = frozenset({"C_LETTERS", "C_STATS"})
    words = vignette["story_es" if language == "es" else "story_en"]
    incident = incident_from_answers(vignette["answers"])
    incident = replace(incident, department=incident.department or REGIONS.get(incident.region or ""))  # as when told
    trip = tickets.new_trip()
    return submission.new_report(incident, words, consents=consents, language=language, trip=trip, hour=hour)


TALLIES = 2000  # a year
YEARS_AGO = (3, 2)  # last year is left, so that whoever tries the demo can compile it
# field -> invented weights; nothing about the world should be read from them
WEIGHTS = {
    "perpetrator": {
        "CLIENT": 30,
        "POLICE": 22,
        "CRIMINAL_GROUP": 16,
        "PARTNER": 10,
        "SERENAZGO": 8,
        "THIRD_PARTY": 6,
        "NEIGHBOUR_PUBLIC": 4,
        "UNKNOWN": 4,
    },
    "violence": {
        "PHYSICAL_ASSAULT": 20,
        "EXTORTION": 18,
        "THREATS": 12,
        "NONPAYMENT": 12,
        "RAPE": 9,
        "ROBBERY": 9,
        "ARBITRARY_DETENTION": 8,
        "PSYCH_ABUSE": 6,
        "OUTING": 3,
        "CONDOM_CONFISCATION": 3,
    },
    "identity": {"CIS_W": 58, "TRANS": 34, "CIS_M": 5, "NA": 3},
    "department": {"PE25": 34, "PE20": 24, "PE04": 22, "PE12": 14, "OTHER": 4, "NOT_SAID": 2},
    "outcome": {"OPEN": 30, "REACHED": 34, "NOT_REACHED": 16, "REFUSED": 8, "RECORD_ONLY": 12},
}


def _figures(settings: Settings, engine: Engine, now: float) -> None:
    with writing(engine) as db:
        team = team_log.team_of_kind(team_log.teams(db, Pin(settings.pin_file)), STATISTICS).id
        for ago in YEARS_AGO:
            year = datetime.fromtimestamp(now, UTC).year - ago
            noise = laplace(secrets.randbelow)
            releases.publish_fictional(db, periods.period(str(year)), _tallies(year), noise, team)


def _tallies(year: int) -> Iterator[bytes]:
    chance = random.Random(year)  # noqa: S311 -- invented reports, the same in every demo; the noise is not
    drawn = {
        name: chance.choices(list(weights), list(weights.values()), k=TALLIES) for name, weights in WEIGHTS.items()
    }
    for number in range(TALLIES):
        codes = {name: codes[number] for name, codes in drawn.items()}
        yield block_of_codes(year, chance.randint(1, MONTHS), codes)
