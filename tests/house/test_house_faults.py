"""What the house was once found to do wrong, and does no more: each stays mended."""

from __future__ import annotations

import ast
import http.client
import io
import logging
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from werkzeug.serving import WSGIRequestHandler
from werkzeug.test import TestResponse

from referrals.directory.reviewed_data import DATA
from reporting.cli import bench
from reporting.cli.base import main
from reporting.config import IS_CHECKOUT, instance_folder
from reporting.sessions import day_seeds
from reporting.storage import database
from reporting.storage.database import writing
from reporting.teams import staff_sessions
from reporting.web.access.audience import ANYBODY, HERS, Pages
from reporting.web.access.large_files import room_for
from reporting.web.limits import LARGEST_BODY
from tests.copies import Filling, with_coordinator
from tests.pages.test_people_and_keys import an_address
from tests.people import Place
from tests.phone import PRESSED, Phone, forms_on
from tests.server import ROOT, running
from tests.trips import opens_newest_case, say, signs_in

BRING = "/es/equipo/directorio/traer"
MEGABYTE = 1024 * 1024
SEE_OTHER = 303
FOR_THE_TERMINAL = "This file has more than 5 megabytes. Bring it in at the terminal: amparo directory import FILE."
PAGES = sorted((ROOT / "reporting" / "pages").rglob("*.py")) + sorted((ROOT / "referrals" / "pages").rglob("*.py"))


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_coordinator


def runs(code: str, folder: Path = ROOT, python: str | Path = sys.executable, **environment: str) -> str:
    """What a Python of its own prints."""
    done = subprocess.run(  # noqa: S603 -- our own command
        [str(python), "-c", code],
        env=os.environ | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


# ── a system that is not Unix ───────────────────────────────────────────────────────────────────────────────

WITHOUT_UNIX = """
import os, signal, socket, sys
for name in ("resource", "fcntl", "pwd", "grp", "termios", "tty", "syslog"):
    sys.modules[name] = None
for room, names in (
    (os, "fork getuid geteuid getgid killpg getpgid setsid sysconf statvfs sched_getaffinity fchmod fchown chown "
         "O_NOFOLLOW O_CLOEXEC O_DIRECTORY O_NONBLOCK"),
    (signal, "SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGPIPE SIGALRM SIGCHLD SIGQUIT"),
    (socket, "AF_UNIX"),
):
    for name in names.split():
        if hasattr(room, name):
            delattr(room, name)
"""


def test_every_command_is_there_where_unix_is_not() -> None:
    told = """
import click
from reporting.cli.base import COMMANDS, main
print(all(main.get_command(click.Context(main), name) for name in COMMANDS))
"""
    assert runs(WITHOUT_UNIX + told) == "True"


def test_the_first_page_is_served_where_unix_is_not(place: Place) -> None:
    told = """
from reporting.app import create_app
from reporting.operations import server
server.no_core_files()
print(server.default_workers(), create_app().test_client().get("/es/").status_code)
"""
    instance = {"AMPARO_INSTANCE": str(place.settings.instance), "BASE_URL": "http://localhost"}
    memory = {"MEMORY_FOLDER": str(place.settings.instance.parent)}
    assert runs(WITHOUT_UNIX + told, **instance, **memory) == "1 203"


# ── a directory file on the page ────────────────────────────────────────────────────────────────────────────


def a_list(size: int) -> bytes:
    """The directory as we ship it, with blank lines behind."""
    raw = (DATA / "services-pe.csv").read_bytes()
    return raw + b"\n" * (size - len(raw))


def uploads(desk: Phone, size: int) -> None:
    desk.opens(BRING)
    token = re.search(r'name="f"[^>]*value="([^"]+)"', desk.text)
    form = {"f": token.group(1) if token else "", "kind": "", "region": "", "go": "look"}
    told = form | {"file": (io.BytesIO(a_list(size)), "lista.csv")}
    desk._read(desk.client.post(BRING, data=told, headers=PRESSED, buffered=True))  # noqa: SLF001


def test_a_file_of_five_megabytes_comes_in_on_the_page_and_touches_no_disk(
    app: Flask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_file(*_args: object, **_parts: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_file)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", no_file)
    carmen = signs_in(app, place, place.workers["carmen"])
    uploads(carmen, 5 * MEGABYTE)
    assert carmen.status == 203
    assert say("Only looked at: nothing was changed.") in carmen.words


def test_a_larger_file_is_sent_to_the_terminal_on_a_page_of_the_desk(app: Flask, place: Place) -> None:
    carmen = signs_in(app, place, place.workers["carmen"])
    uploads(carmen, 5 * MEGABYTE + 100_000)
    assert carmen.status == 413
    assert say(FOR_THE_TERMINAL) in carmen.words
    assert "/equipo/personas" in carmen.text, "the way back to her desk"
    assert CliRunner().invoke(main, ["directory", "import", "--help"]).exit_code == 0, "it is called so"


def test_only_who_may_bring_files_in_may_send_so_much_and_only_there(app: Flask, place: Place) -> None:
    rosa, carmen = (signs_in(app, place, place.workers[name]) for name in ("rosa", "carmen"))
    cookie = {name: f"t={desk.client.get_cookie('t').value}" for name, desk in (("rosa", rosa), ("carmen", carmen))}
    assert room_for(app, "POST", BRING, cookie["carmen"]) > 5 * MEGABYTE
    for method, path, told in (
        ("POST", BRING, cookie["rosa"]),
        ("POST", BRING, ""),
        ("POST", BRING, "t=" + "0" * 64),
        ("GET", BRING, cookie["carmen"]),
        ("POST", "/es/equipo/directorio", cookie["carmen"]),
        ("POST", "/es/contar", cookie["carmen"]),
        ("POST", "/\xff\x00//[", cookie["carmen"]),
    ):
        assert room_for(app, method, path, told) == LARGEST_BODY, (method, path)
    uploads(rosa, MEGABYTE)
    assert rosa.status in {404, 413}
    nobody = Phone(app)
    uploads(nobody, MEGABYTE)
    assert nobody.status in {203, 413}, "the sign-in page, or too much"


def as_a_browser_sends(fields: dict[str, str], raw: bytes) -> tuple[bytes, str]:
    """A form with a file, and how it is taken apart."""
    mark, head = "zz-mark-zz", 'Content-Disposition: form-data; name="'
    parts = [f'--{mark}\r\n{head}{name}"\r\n\r\n{told}\r\n' for name, told in fields.items()]
    file = f'--{mark}\r\n{head}file"; filename="lista.csv"\r\n\r\n'
    return "".join([*parts, file]).encode() + raw + f"\r\n--{mark}--\r\n".encode(), mark


def test_a_file_of_five_megabytes_comes_through_the_server(place: Place) -> None:
    place.clock.now = time.time()
    with writing(place.engine) as db:
        day_seeds.open_day(db, place.clock())
    keys = place.signs_in("carmen")
    with writing(place.engine) as db:
        token = staff_sessions.begin(db, keys, place.clock())
    with running(place.settings.instance) as server:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

        def asks(method: str, body: bytes = b"", mark: str = "", path: str = BRING) -> tuple[int, str]:
            kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
            line.request(method, path, body, {"Cookie": f"t={token}"} | kind | PRESSED)
            answer = line.getresponse()
            text = answer.read().decode()
            led = answer.status == SEE_OTHER
            return asks("GET", path=str(answer.headers["Location"])) if led else (answer.status, text)

        form = next(one for one in forms_on(asks("GET")[1]) if "file" in one.kinds)
        fields = {"f": form.values["f"][0], "kind": "", "region": "", "go": "look"}
        status, text = asks("POST", *as_a_browser_sends(fields, a_list(5 * MEGABYTE)))
        assert (status, say("Only looked at: nothing was changed.") in text) == (203, True)
        status, text = asks("POST", *as_a_browser_sends(fields, a_list(6 * MEGABYTE)))
        assert (status, say(FOR_THE_TERMINAL) in text) == (413, True)


# ── whose error it is ───────────────────────────────────────────────────────────────────────────────────────

HER_WAY_OUT = 'class="c-leave"'  # on every page of hers, and on none of the desk


def test_every_blueprint_says_for_whom_it_is(app: Flask) -> None:
    assert all(isinstance(found, Pages) for found in app.blueprints.values())
    addresses = {name: set[bool]() for name in app.blueprints}
    for rule in app.url_map.iter_rules():
        addresses[rule.endpoint.split(".")[0]].add("/equipo" in rule.rule)
    for name, found in app.blueprints.items():
        assert isinstance(found, Pages)
        assert len(addresses[name]) == 1 or found.audience == ANYBODY, f"{name} has pages of more than one audience"
        assert addresses[name] == {False} or found.audience != HERS


def what_goes_wrong(desk: Phone, path: str) -> Iterator[TestResponse]:
    """Another method, a page of a stranger's, an address that leads nowhere; led on where it is told elsewhere."""
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
    for method, there, headers in (
        ("PUT", path, PRESSED),
        ("POST", path, foreign),
        ("POST", path, PRESSED),
        ("GET", f"{path}/nada/aqui", PRESSED),
    ):
        answer = desk.client.open(there, method=method, data={"go": "x"}, headers=headers)
        led = answer.status_code == SEE_OTHER
        yield desk.client.get(answer.headers["Location"], headers=PRESSED) if led else answer


def test_every_trouble_under_the_address_of_the_desk_is_told_on_its_page(app: Flask, place: Place) -> None:
    seen = set()
    for desk in (signs_in(app, place, place.workers["carmen"]), Phone(app)):
        for rule in app.url_map.iter_rules():
            if "/equipo" not in rule.rule or rule.endpoint == "auth.sign_out":
                continue
            path = an_address(rule.rule, 1).replace("<token>", "0" * 32).replace("<name>", "x").replace("<step>", "0")
            for answer in what_goes_wrong(desk, path):
                seen.add(answer.status_code)
                assert HER_WAY_OUT not in answer.text, (path, answer.status_code)
                assert "tel:" not in answer.text, (path, answer.status_code)
    assert {403, 404, 405} <= seen
    answer = Phone(app).client.get("/es/nada", headers=PRESSED)
    assert HER_WAY_OUT in answer.text, "everywhere else it is hers"


def test_an_error_where_reporters_flag_a_service_is_on_their_page(app: Flask) -> None:
    answer = Phone(app).client.post("/es/aviso", data={"flag": "x.y"}, headers=PRESSED)
    assert answer.status_code == 410
    assert HER_WAY_OUT in answer.get_data(as_text=True)


# ── errors by name ──────────────────────────────────────────────────────────────────────────────────────────

BUILT_IN = {"ValueError", "KeyError", "TypeError", "LookupError", "IndexError", "AttributeError", "Exception"}
COUNTED = {"step", "number", "moment"}  # what `int` may be made of: a step that is sealed, a moment of the clock


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parts[-3]}.{path.stem}")
def test_no_page_catches_an_error_that_any_mistake_of_ours_could_be(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            named = {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)}
            assert not named & (BUILT_IN | {"BaseException"}), f"line {node.lineno}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parts[-3]}.{path.stem}")
def test_no_page_makes_a_number_of_what_was_typed_but_by_the_one_helper(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"int", "float"}:
            told = ast.unparse(node.args[0])
            is_ours = "clock()" in told or told.rpartition(".")[2] in COUNTED
            assert is_ours, f"line {node.lineno}: {told}"


def test_a_mistake_of_ours_inside_an_act_is_told_as_ours_and_logged(
    app: Flask, place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumbles(*_args: object, **_parts: object) -> None:
        raise ValueError("a mistake of ours")

    place.receives(narrative="una")
    rosa = signs_in(app, place, place.workers["rosa"])
    opens_newest_case(rosa)
    monkeypatch.setattr("reporting.cases.actions.note", stumbles)
    with caplog.at_level(logging.ERROR, "amparo"):
        rosa.presses("note", text="una nota")
    assert rosa.status == 500
    assert "ValueError" in caplog.text
    assert "a mistake of ours" not in caplog.text


def test_a_number_that_no_page_of_ours_sends_is_refused_and_is_no_failure(app: Flask, place: Place) -> None:
    place.receives(narrative="una")
    rosa = signs_in(app, place, place.workers["rosa"])
    case = opens_newest_case(rosa)
    form = rosa.form("risk")
    for version in ("", "x", "٣", "1" * 5000, "-1"):
        rosa.opens(case)
        rosa.repeats(case, form.values | {"v": [version], "text": ["x"], "go": ["risk"]})
        assert rosa.status == 409, version


# ── papers without the web ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["referrals.casework.referral_sheet", "reporting.cases.statement"])
def test_a_paper_is_written_without_the_web(name: str) -> None:
    told = f"import sys, {name}; print([one for one in ('flask', 'werkzeug', 'wtforms') if one in sys.modules])"
    assert runs(told) == "[]"


# ── a wheel ─────────────────────────────────────────────────────────────────────────────────────────────────

CARRIED = {".css", ".csv", ".html", ".in", ".js", ".json", ".mako", ".po", ".py", ".toml", ".yaml"}
LOOK = """
import os, sys
from pathlib import Path
import reporting
from reporting.app import create_app
from reporting.config import read_settings
assert Path(reporting.__file__).is_relative_to(sys.prefix), reporting.__file__
page = create_app().test_client().get("/es/")
address = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
sheet = create_app().test_client().get(address)
print(page.status_code, sheet.status_code, len(sheet.data) > 1000, read_settings().instance == Path.cwd() / "instance")
"""


def a_copy(folder: Path) -> Path:
    """The checkout without what was built in it."""
    left = shutil.ignore_patterns(".*", "instance", "build", "*.egg-info", "__pycache__")
    return shutil.copytree(ROOT, folder / "copy", ignore=left)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a network, or not at all where there is no setuptools."""
    pytest.importorskip("setuptools", reason="needs setuptools: .venv/bin/pip install setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    offline = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
    command = [sys.executable, "-m", "pip", "wheel", *offline, "-w", str(folder), str(a_copy(folder))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own command
    assert done.returncode == 0, done.stderr[-2000:]
    return next(folder.glob("*.whl"))


def test_a_wheel_carries_every_file_that_the_code_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    for top, inside in (
        ("reporting", ""),
        ("referrals", ""),
        ("templates", "reporting/"),
        ("translations", "reporting/"),
    ):
        for path in (ROOT / top).rglob("*"):
            if path.suffix in CARRIED and "__pycache__" not in path.parts:
                assert inside + path.relative_to(ROOT).as_posix() in names
            assert path.is_dir() or path.suffix in CARRIED | {".pyc"}, f"{path.name} would be left out"
    assert {name.split("/")[0].split("-")[0] for name in names} == {"reporting", "referrals", "amparo"}


def test_an_installed_wheel_serves_the_first_page_with_its_style_sheet(wheel: Path, tmp_path: Path) -> None:
    empty, here = tmp_path / "empty", tmp_path / "here"
    here.mkdir()
    venv.create(empty, with_pip=False)
    programs = empty / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    site = Path(runs("import sysconfig; print(sysconfig.get_path('purelib'))", tmp_path, python))
    command = [
        sys.executable,
        "-m",
        "pip",
        f"--python={python}",
        "install",
        "--no-deps",
        "--no-index",
        "-q",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 -- our own command
    (site / "needed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")  # Flask and the others
    told = {"AMPARO_INSTANCE": "", "PYTHONPATH": "", "MEMORY_FOLDER": str(tmp_path)}
    amparo = [str(programs / "amparo"), "init"]
    subprocess.run(amparo, cwd=here, env=os.environ | told, check=True, capture_output=True)  # noqa: S603
    assert (here / "instance" / "secrets.toml").exists()
    assert runs(LOOK, here, python, **told) == "203 200 True True"
    refused = subprocess.run(  # noqa: S603 -- our own command
        [str(programs / "amparo"), "migration", "new", "x"],
        cwd=here,
        env=os.environ | told,
        check=False,
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 1
    assert "no checkout" in refused.stderr


def test_in_a_checkout_an_installation_lies_there_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert IS_CHECKOUT
    assert instance_folder("") == instance_folder("instance") == ROOT / "instance"
    assert instance_folder(str(tmp_path)) == tmp_path


# ── the next migration ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ours, to write into."""
    ours = shutil.copytree(database.MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(database, "MIGRATIONS", ours)
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    return ours


def test_the_next_migration_has_the_next_number_and_follows_the_last(migrations: Path) -> None:
    last = max(path.name[:4] for path in (migrations / "versions").glob("*.py"))
    told = CliRunner().invoke(main, ["migration", "new", "A table for keys."], catch_exceptions=False)
    assert told.exit_code == 0
    file = migrations / "versions" / f"{int(last) + 1:04}_a_table_for_keys.py"
    assert file.name in told.output
    text = file.read_text("utf-8")
    assert text.startswith('"""A table for keys."""')
    assert f"down_revision = '{last}'" in text
    assert "op." not in text, "nothing is missing in the tables"


def test_the_next_migration_holds_what_the_models_have_more(migrations: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = sorted((migrations / "versions").glob("*.py"))
    text = versions[0].read_text("utf-8").replace('"sign_in_try"', '"sign_in_test"')
    versions[0].write_text(text, encoding="utf-8")
    file = database.new_migration("What is missing")
    assert "op.create_table('sign_in_try'" in file.read_text("utf-8").replace("\n    ", "")


@pytest.mark.parametrize("words", ["", " ", "."])
def test_a_migration_without_words_is_not_written(migrations: Path, words: str) -> None:
    before = set(migrations.rglob("*"))
    assert CliRunner().invoke(main, ["migration", "new", words]).exit_code == 1
    assert set(migrations.rglob("*")) == before


# ── the server for trying things out ────────────────────────────────────────────────────────────────────────


def test_flask_s_own_server_prints_neither_addresses_nor_paths(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    handler = WSGIRequestHandler.__new__(WSGIRequestHandler)
    handler.client_address, handler.requestline, handler.command = ("127.0.0.77", 1), "GET /es/equipo/x HTTP/1.1", "GET"
    handler.path, handler.request_version = "/es/equipo/invitacion/zzmarkerzz", "HTTP/1.1"
    with caplog.at_level(logging.INFO, "werkzeug"):
        handler.log_request(200)
        handler.log_error("%s", "zzmarkerzz")
    assert caplog.text == ""
