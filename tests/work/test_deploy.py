"""What `amparo deploy` prints: complete for this installation, hardened, refused in words where it cannot be right."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from reporting.app import create_app
from reporting.cli.base import main
from reporting.config import ROOT
from reporting.teams.members import totp_code
from tests.fronts import settings_of
from tests.needs_of_tests import requires
from tests.people import a_furnished_place

SCORE = 1.5  # of 10, as the system's own tool counts; what is below 2 it calls safe or nearly so
ONION = "a" * 56 + ".onion"
HOSTS = {
    "BASE_URL": "https://hoja.example",
    "STAFF_HOST": f"equipo.example,{'b' * 56}.onion",
    "FIGURES_HOST": "cifras.example",
    "ONION_HOST": ONION,
}


@pytest.fixture
def told(tmp_path: Path) -> dict[str, str]:
    told = settings_of(tmp_path, 443, **HOSTS)
    a_furnished_place(tmp_path / "instance", **told)
    return told


def deploys(told: dict[str, str], *words: str) -> Result:
    return CliRunner(env=told).invoke(main, ["deploy", *words], catch_exceptions=False)


def test_each_name_has_a_server_and_only_names_with_an_onion_tell_of_it(told: dict[str, str]) -> None:
    text = deploys(told, "nginx").stdout
    assert re.findall(r"^        server_name (\S+);", text, re.MULTILINE) == [
        "_",
        "hoja.example",
        "equipo.example",
        "cifras.example",
        "_",
        "hoja.example",
        "equipo.example",
        "cifras.example",
    ]
    assert re.findall(r"http://(\S+\.onion)\$request_uri", text) == [ONION, "b" * 56 + ".onion"]
    assert re.findall(r"add_header Onion-Location (\S+) always", text) == ["$onion_1", "$onion_2"]
    assert "<<" not in text
    assert "{%" not in text


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("BASE_URL", f"http://{ONION}", "amparo deploy tor"),
        ("TRUSTED_PROXY", "", "TRUSTED_PROXY=127.0.0.1"),
        ("MEMORY_FOLDER", "/srv/a b", "MEMORY_FOLDER is /srv/a b"),
        ("STAFF_HOST", "hoja.example", "must be different"),
        ("STAFF_HOST", "a b", "names of hosts"),
        ("ONION_HOST", "abc.onion", "56 letters"),
        ("SITE_NAME", "Hoja $host", ""),
    ],
)
def test_what_cannot_be_right_is_refused_in_words(told: dict[str, str], setting: str, value: str, hint: str) -> None:
    done = deploys(told | {"ONION_HOST": "", setting: value}, "nginx")
    assert (done.exit_code == 1) is bool(hint), done.output
    assert hint in done.output


def test_tor_takes_the_printed_file_and_each_name_has_an_onion(told: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "tor"
    folder.mkdir(mode=0o700)
    text = deploys(told, "tor", "--tor-folder", str(folder)).stdout
    (tmp_path / "torrc").write_text(text, "utf-8")
    assert re.findall(r"^HiddenServiceDir (\S+)", text, re.MULTILINE) == [
        f"{folder}/amparo-{name}" for name in ("reporters", "staff", "figures")
    ]
    for line in ("HiddenServiceExportCircuitID haproxy", "HiddenServicePoWDefensesEnabled 1", "HiddenServiceVersion 3"):
        assert text.count(f"\n{line}\n") == 3
    command = [requires("tor"), "--verify-config", "-f", str(tmp_path / "torrc"), "--DataDirectory", str(folder)]
    done = subprocess.run([*command, "--defaults-torrc", "/dev/null"], capture_output=True, text=True, check=False)  # noqa: S603
    assert "Configuration was valid" in done.stdout, done.stdout
    assert deploys(told | {"TRUSTED_PROXY": ""}, "tor").exit_code == 1


def test_a_container_holds_nothing_of_an_instance_and_writes_nowhere_else(told: dict[str, str], tmp_path: Path) -> None:
    deploys(told, "container", "--to", str(tmp_path / "box"))
    build = (tmp_path / "box" / "Containerfile").read_text("utf-8")
    copied = [word for line in build.splitlines() if line.startswith("COPY") for word in line.split()[1:-1]]
    assert "." not in copied
    assert not [name for name in copied if not (ROOT / name).exists()]
    service = yaml.safe_load((tmp_path / "box" / "compose.yaml").read_text("utf-8"))["services"]["amparo"]
    assert (service["read_only"], service["cap_drop"], service["ulimits"]) == (True, ["ALL"], {"core": 0})
    assert service["volumes"] == [f"{tmp_path}/instance:/srv/amparo", "/var/backups/amparo:/srv/backups"]
    assert 'AMPARO_INSTANCE="/srv/amparo"' in (tmp_path / "box" / "amparo.env").read_text("utf-8")


@pytest.mark.parametrize(
    ("setting", "lock"),
    [
        ({}, "requirements.txt"),
        ({"DATABASE_URL": "postgresql+psycopg://amparo@db/amparo"}, "requirements-hosts.txt"),
        ({"RATELIMIT_STORAGE_URI": "redis://counts:6379/0"}, "requirements-hosts.txt"),
    ],
)
def test_a_container_is_filled_from_the_lock_that_it_needs(
    told: dict[str, str], tmp_path: Path, setting: dict[str, str], lock: str
) -> None:
    deploys(told | setting, "container", "--to", str(tmp_path / "box"))
    build = (tmp_path / "box" / "Containerfile").read_text("utf-8")
    assert f"--require-hashes --only-binary :all: -r /opt/{lock}\n" in build
    assert f"COPY {lock} " in build


def test_units_are_as_hard_as_the_system_can_make_them(told: dict[str, str], tmp_path: Path) -> None:
    tool = requires("systemd-analyze")
    deploys(told, "systemd", "--to", str(tmp_path / "units"))
    services = sorted((tmp_path / "units").glob("*.service"))
    assert {path.stem for path in services} == {"amparo", "amparo-backup", "amparo-sweep"}
    for path in services:
        command = [tool, "security", "--offline=yes", "--no-pager", path]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
        assert float(re.findall(r"exposure level for \S+: ([0-9.]+)", said)[0]) <= SCORE, said
    files = [str(path) for path in (tmp_path / "units").iterdir() if path.suffix != ".env"]
    done = subprocess.run([tool, "verify", *files], capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")


def test_a_password_in_a_setting_goes_into_the_file_alone(told: dict[str, str], tmp_path: Path) -> None:
    told |= {"SMTP_URL": 'smtps://us:pa"ss$word@mail.example', "SITE_NAME": "Hoja de ruta"}
    shown = deploys(told, "systemd").stdout + deploys(told, "systemd", "--json").stdout
    assert "ss$word" not in shown
    assert "SMTP_URL may hold a password" in shown
    done = deploys(told, "systemd", "--to", str(tmp_path / "units"), "--json")
    assert json.loads(done.stdout)["folder"] == str(tmp_path / "units")
    path = tmp_path / "units" / "amparo.env"
    assert 'SMTP_URL="smtps://us:pa\\"ss\\$word@mail.example"\n' in path.read_text("utf-8")
    assert 'SITE_NAME="Hoja de ruta"\n' in path.read_text("utf-8")
    assert path.stat().st_mode & 0o077 == 0


def test_pages_of_the_staff_are_on_their_host_and_nothing_else_is(tmp_path: Path) -> None:
    place = a_furnished_place(tmp_path / "instance", **settings_of(tmp_path, 443, TRUSTED_PROXY="", **HOSTS))
    client = create_app(place.settings, place.clock).test_client()

    def statuses(host: str) -> list[int]:
        paths = ("/es/", "/es/antes", "/es/reglas", "/es/equipo", "/es/equipo/casos", "/es/cifras", "/salir")
        return [client.get(path, base_url=f"https://{host}").status_code for path in paths]

    assert statuses("hoja.example") == [203, 200, 200, 404, 404, 404, 200]
    assert statuses(ONION) == [203, 200, 200, 404, 404, 404, 200]
    assert statuses("equipo.example") == statuses("b" * 56 + ".onion") == [303, 404, 404, 203, 303, 404, 404]
    assert statuses("cifras.example") == [404, 404, 404, 404, 404, 200, 404]
    rosa = place.workers["rosa"]
    form = {"name": "rosa", "password": rosa.password, "code": totp_code(rosa.totp, place.clock())}
    answer = client.post("/es/equipo", data=form, base_url="https://equipo.example")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/es/equipo/casos")
    assert client.get("/es/equipo/casos", base_url="https://equipo.example").status_code == 203
