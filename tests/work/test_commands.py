"""The terminal door: what a volunteer types, and what it says back."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import inspect

from referrals.directory.reviewed_data import DATA
from reporting.cli.base import main
from reporting.sessions import day_seeds, tickets
from reporting.storage.database import open_database, reading, upgrade_tables, writing
from reporting.teams import staff_sessions
from reporting.teams.team_log import CASE_WORKER, COORDINATOR, CannotOpen
from tests.needs_of_tests import a_schema, requires
from tests.people import Place, a_new_place
from tests.server import Server, start_demo
from tests.trips import in_the_terminal
from tests.work.test_importing import MANY

VIGNETTES = DATA / "vignettes.yaml"


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AMPARO_INSTANCE", str(tmp_path / "instance"))
    return tmp_path / "instance"


def types(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


@pytest.fixture
def made(instance: Path) -> Path:
    assert types("init").exit_code == 0
    return instance


def test_a_new_installation_prints_two_invitations_and_no_password(instance: Path) -> None:
    told = json.loads(types("init", "--json").stdout)
    assert set(told) == {"instance", "address", "invitations"}
    assert [(row["for"], row["role"]) for row in told["invitations"]] == [
        ("coordina", COORDINATOR),
        ("primera", CASE_WORKER),
    ]
    assert (instance / "secrets.toml").stat().st_mode & 0o077 == 0
    assert not (instance / "team.pin").exists(), "no key is made in the terminal"
    assert "No case worker has made the keys yet" in types("check").stdout


def test_init_a_second_time_changes_nothing(made: Path) -> None:
    before = (made / "secrets.toml").read_bytes()
    again = types("init")
    assert again.exit_code == 1
    assert "its invitations still open" in again.output
    assert (made / "secrets.toml").read_bytes() == before


def test_before_there_are_keys_a_look_from_outside_says_so(made: Path) -> None:
    told = types("check", "--through", "https://hoja.example")
    assert told.exit_code == 1
    assert "No case worker has made the keys yet" in told.output
    assert "front door" not in told.output


def test_two_people_do_not_share_a_name(instance: Path) -> None:
    told = types("init", "--coordinator", "lucero", "--case-worker", "lucero")
    assert told.exit_code == 1
    assert "a name of her own" in told.output


def test_without_an_installation_it_says_what_to_do(instance: Path) -> None:
    for command in ("serve", "check", "upgrade"):
        told = types(command)
        assert told.exit_code == 1
        assert "run `amparo init` first" in told.output


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("BASE_URL", "http://hoja.example", "https"),
        ("BASE_URL", "hoja.example", "full address"),
        ("EXIT_URL", "http://weather.example", "https"),
        ("COUNTRY", "XX", "weather service"),
        ("TIME_ZONE", "Lima", "America/Lima"),
        ("LANGUAGES", ",", "LANGUAGES"),
        ("SITE_NAME", "<b>", "SITE_NAME"),
    ],
)
def test_a_dangerous_setting_stops_it_at_start_in_words(
    made: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, hint: str
) -> None:
    monkeypatch.setenv(name, value)
    told = types("check")
    assert told.exit_code == 1
    assert hint in told.output


def test_the_sixteen_vignettes_are_as_expected() -> None:
    told = types("assess", str(VIGNETTES), "--check")
    assert (told.exit_code, told.stdout.strip()) == (0, "16 of 16 as expected.")


def test_an_assessment_is_a_list_for_machines() -> None:
    told = json.loads(types("assess", str(VIGNETTES)).stdout)
    assert len(told) == 16
    assert set(told[0]) == {"id", "gbvims", "create_referral", "needs", "must_not"}


def test_a_difference_is_said_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    row = {"id": "A", "answers": {"flags": ["D_BLEEDING"]}, "expected": {"needs": [], "gbvims": "G1_RAPE"}}
    file.write_text(json.dumps([row]), encoding="utf-8")
    told = types("assess", str(file), "--check")
    assert told.exit_code == 1
    assert "A: gbvims: expected G1_RAPE" in told.stdout
    assert "0 of 1 as expected." in told.stdout


def test_services_come_in_from_a_spreadsheet_and_a_second_time_change_nothing(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "services.csv"
    shipped = (DATA / "services-pe.csv").read_text("utf-8")
    file.write_bytes(shipped.replace("linea113", "linea113b").encode("cp1252"))
    assert "Nothing was changed." in types("directory", "import", str(file), "--dry-run").stdout
    assert f"{MANY} rows: 1 stored, {MANY - 1} as before, 0 listed." in types("directory", "import", str(file)).stdout
    assert f"{MANY} rows: 0 stored, {MANY} as before, 0 listed." in types("directory", "import", str(file)).stdout


def test_one_bad_row_and_nothing_comes_in(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "services.csv"
    shipped = (DATA / "services-pe.csv").read_text("utf-8")
    file.write_text(shipped.replace("linea100,", "linea100b,").replace(",SHELTER,", ",CASTLE,"), encoding="utf-8")
    told = types("directory", "import", str(file))
    assert told.exit_code == 1
    assert "line " in told.stdout
    assert "This type of service is not known." in told.stdout
    assert "Nothing was changed." in told.stdout


def test_the_demo_can_be_made_without_being_served(tmp_path: Path) -> None:
    told = json.loads(types("demo", "--json", "--no-serve", "--folder", str(tmp_path)).stdout)
    assert [one["role"] for one in told["accounts"]] == [
        "case_worker",
        "case_worker",
        "advocate",
        "advocate",
        "coordinator",
    ]
    assert len(told["receipt"]["words"].split()) == 7
    again = types("demo", "--no-serve", "--folder", str(tmp_path))
    assert again.exit_code == 1
    assert "empty folder" in again.output


@pytest.mark.parametrize("more", [[], ["--practice"]])
def test_a_demo_in_a_database_that_was_named_for_it_leaves_no_table_and_takes_none_that_holds_something(
    more: list[str],
) -> None:
    with a_schema() as address:
        made = ["demo", "--json", "--no-serve", *more, "--database", address, "--counts", requires("redis")]
        assert "accounts" in json.loads(types(*made).stdout)
        assert tables_of(address) == []
        upgrade_tables(open_database(address))
        kept = tables_of(address)
        assert "Name one that is empty" in types(*made).output
        assert tables_of(address) == kept


def test_a_practice_that_is_ended_leaves_no_table_of_the_pages_that_were_looked_at(tmp_path: Path) -> None:
    with a_schema() as address:
        server = start_demo("--practice", "--database", address, log=tmp_path / "log")
        try:
            assert "PRÁCTICA" in page_of(server, "/es/practica")
            assert {"page_row", "case_file"} <= set(tables_of(address))
            server.process.terminate()
            server.process.wait(30)
        finally:
            server.kill()
        assert tables_of(address) == []


def test_a_demo_that_is_served_warns_of_nothing(tmp_path: Path) -> None:
    server = start_demo(log=tmp_path / "log")
    try:
        assert page_of(server, "/es/")
    finally:
        server.kill()
    assert "Warning" not in server.log.read_text("utf-8")


def test_a_demo_never_touches_the_database_of_the_real_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_schema() as address:
        monkeypatch.setenv("DATABASE_URL", address)
        assert types("demo", "--json", "--no-serve", "--practice").exit_code == 0
        assert tables_of(address) == []


def page_of(server: Server, path: str) -> str:
    with urlopen(f"{server.address}{path}") as page:  # noqa: S310 -- our own address
        text: str = page.read().decode()
        return text


def tables_of(address: str) -> list[str]:
    engine = open_database(address)
    names = inspect(engine).get_table_names()
    engine.dispose()
    return names


def test_every_command_teaches() -> None:
    for name, command in main.commands.items():
        assert command.help, name
        assert types(name, "--help").exit_code == 0


# ── people and keys ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def place(tmp_path: Path, instance: Path) -> Place:
    made = a_new_place(instance)
    made.clock.now = time.time()
    with writing(made.engine) as db:
        day_seeds.open_day(db, made.clock())
    made.hires("rosa", CASE_WORKER)
    return made


def test_the_terminal_says_who_reads_and_prints_no_key(place: Place) -> None:
    told = json.loads(types("keys", "status", "--json").stdout)
    assert [(one["kind"], one["epoch"], one["readers"]) for one in told] == [
        ("casework", 1, ["rosa"]),
        ("statistics", 1, ["rosa"]),
    ]
    assert "let in: rosa" in types("keys", "log").stdout
    assert "Only rosa can read the reports of" in types("check").stdout


def test_a_colleague_is_invited_reset_and_dismissed_from_the_terminal(place: Place) -> None:
    place.hires("carmen", COORDINATOR)
    assert place.sheets is not None
    sheets = "".join(" ".join(sheet) + "\n" for sheet in (place.sheets.first, place.sheets.second))

    def carmen(*command: str, ahead: int, before: str = "") -> Result:
        return CliRunner().invoke(main, list(command), input=before + in_the_terminal(place, "carmen", ahead))

    assert "/equipo/invitacion and" in carmen("staff", "invite", "milagros", "case_worker", ahead=-1).stdout
    again = carmen("staff", "invite", "luz", "case_worker", ahead=-1)
    assert again.exit_code == 1
    assert "Wait for the next ones" in again.output
    waits = carmen("staff", "reset", "rosa", ahead=0).stdout
    assert "one of the last two" in waits
    assert "/equipo/invitacion and" in waits
    assert "waits: to get a new password" in types("staff", "list").stdout
    assert "can sign in" in types("staff", "list").stdout, "carmen alone shuts out nobody who is left alone"
    done = carmen("staff", "confirm", "rosa", "--sheets", ahead=1, before=sheets)
    assert done.exit_code == 0, done.output
    assert "cannot sign in" in types("staff", "list").stdout
    assert types("staff", "dismiss", "nobody").exit_code == 1
    assert types("staff", "invite", "rosa", "advocate").exit_code == 1


def test_no_command_does_anything_to_a_colleague_without_password_and_digits(place: Place) -> None:
    place.hires("carmen", COORDINATOR)
    for command in (["invite", "luz", "advocate"], ["reset", "rosa"], ["dismiss", "rosa"], ["confirm", "rosa"]):
        result = CliRunner().invoke(main, ["staff", *command], input="carmen\nwrong\n000000\n")
        assert result.exit_code == 1
        assert "Nothing was done" in result.output or "Too many" in result.output
    assert place.signs_in("rosa").epochs


def test_both_sheets_alone_reset_an_account_when_nobody_is_left(place: Place) -> None:
    assert place.sheets is not None
    first, second = (" ".join(sheet) for sheet in (place.sheets.first, place.sheets.second))
    wrong = CliRunner().invoke(main, ["staff", "reset", "rosa", "--nobody-left"], input=f"{first}\n{first}\n")
    assert wrong.exit_code == 1
    right = CliRunner().invoke(main, ["staff", "reset", "rosa", "--nobody-left"], input=f"{first}\n{second}\n")
    assert "/equipo/invitacion and" in right.stdout
    assert "signed by nobody" not in types("check").stdout


def test_both_sheets_recover_in_the_terminal(place: Place) -> None:
    assert place.sheets is not None
    place.hires("luz", CASE_WORKER)
    sheets = [" ".join(place.sheets.first), " ".join(place.sheets.second)]
    wrong = CliRunner().invoke(main, ["keys", "recover", "luz"], input=f"{sheets[0]}\n{sheets[0]}\n")
    assert wrong.exit_code == 1
    right = CliRunner().invoke(main, ["keys", "recover", "luz"], input="\n".join(sheets) + "\n")
    assert right.exit_code == 0
    assert place.signs_in("luz").epochs


def test_lock_signs_everybody_out_and_closes_every_open_page(place: Place) -> None:
    keys = place.signs_in("rosa")
    with writing(place.engine) as db:
        token = staff_sessions.begin(db, keys, place.clock())
        known = day_seeds.seeds(db)
        ticket = tickets.write_ticket(known, b"s" * 32, "draft", tickets.new_trip(), "0", {}, place.clock())
    assert types("lock").exit_code == 0
    with reading(place.engine) as db:
        with pytest.raises(CannotOpen):
            staff_sessions.resume(db, token, place.clock())
        with pytest.raises(CannotOpen):
            tickets.read_ticket(day_seeds.seeds(db), b"s" * 32, "draft", ticket, place.clock())


def test_destroy_leaves_nothing_and_only_after_the_name_was_typed(place: Place) -> None:
    receipt = place.receives(narrative="palabra-marcada")
    assert CliRunner().invoke(main, ["destroy"], input="no\n").exit_code == 1
    assert place.comes_back(receipt)
    place.engine.dispose()
    assert CliRunner().invoke(main, ["destroy"], input="Hoja\n").exit_code == 0
    assert list(place.settings.instance.iterdir()) == []


def test_what_a_command_writes_only_its_user_may_read_and_check_names_the_rest(made: Path) -> None:
    written = [made, *made.rglob("*")]
    assert len(written) >= 4
    assert not [path for path in written if stat.S_IMODE(path.stat().st_mode) & 0o077]
    database = made / "amparo.db"
    database.chmod(0o644)
    named = f"Others on this computer may read {database}: chmod go= {database}"
    assert named in types("check", "--no-residue").output
    database.chmod(0o600)
    assert named not in types("check", "--no-residue").output


def test_what_is_understood_of_hours_and_telephones_is_read_back_in_the_order_of_the_texts(instance: Path) -> None:
    hours = json.loads(
        types("directory", "understand", "hours", "L-V 8-13; feriados no", "según turno", "--json").stdout
    )
    week = {day: [["08:00", "13:00"]] for day in ("mo", "tu", "we", "th", "fr")} | {"sa": [], "su": []}
    assert hours == [
        {"text": "L-V 8-13; feriados no", "known": True, "week": week, "holidays": []},
        {"text": "según turno", "known": False, "week": {}, "holidays": "unknown"},
    ]
    phones = json.loads(types("directory", "understand", "phone", "NO TIENE", "100", "--json").stdout)
    assert phones == [
        {"text": "NO TIENE", "numbers": [], "none": True},
        {"text": "100", "numbers": [{"e164": "", "tel": "tel:100", "extension": ""}], "none": False},
    ]
    assert "not understood" in types("directory", "understand", "hours", "según turno").stdout
    assert "tel:+34911234567" in types("directory", "understand", "phone", "911234567", "--country", "es").stdout
