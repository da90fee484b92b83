"""The guide of who installs is followed: each command is taken from the page and run.

In a plain run those of ours, with folders and ports of this machine behind them. AMPARO_DEBIAN=bookworm,trixie runs all
of them, word for word, in an empty Debian made by debootstrap. What neither can show: a certificate, the name for
which it is asked, and systemd as the first process; `test_deploy` reads the units with systemd's own tools.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import start
from reporting.config import ROOT, SETTINGS
from reporting.deploy import answers
from reporting.teams import team_log
from tests.accepts_by_web import accepts, waits_for
from tests.empty_debian import Debian, an_empty_debian
from tests.house import guide
from tests.needs_of_tests import requires
from tests.server import free_port
from tests.tls import certificate
from tests.trips import say

MOST = 10  # commands
PERU = {"LC_ALL": "es_PE.UTF-8"}
ALL_IS_WELL = "Todo está bien."
CLOSED = "Todavía ninguna acompañante hizo las llaves"
HOST = "hoja.example"
START = "python3 /opt/amparo/start.py "
SUITES = [name for name in os.environ.get("AMPARO_DEBIAN", "").split(",") if name]
CODES = re.compile(r"^  (\w+) \(([^)]+)\):  (\S+)$", re.MULTILINE)
FIRST_TWO = tuple(say(team_log.ROLE_NAMES[role]) for role in (team_log.CASE_WORKER, team_log.COORDINATOR))


def test_there_are_ten_commands_at_most_and_the_same_in_both_languages() -> None:
    spanish = guide.commands("es")
    assert len(spanish) <= MOST
    assert guide.commands("en") == [line.replace("--lang es", "--lang en") for line in spanish]
    assert "amparo" in start.ACTS
    assert [line for line in spanish if START in line]


# ── here, below a folder ────────────────────────────────────────────────────────────────────────────────────


class Here:
    """A folder of this machine in which our commands find what they need."""

    def __init__(self, root: Path) -> None:
        self.root, self.port, self.inner, self.plain = root, free_port(), free_port(), free_port()
        certificate(root)
        self.pem = root / "certificate.pem"
        program = root / "bin" / "amparo"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m reporting "$@"\n', "utf-8")
        program.chmod(0o755)

    @property
    def machine(self) -> Path:
        return self.root / "machine"

    def types(self, line: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """A line of the guide, with the name of this machine, and behind it where things lie here."""
        behind = next((where for words, where in self._places().items() if words in line), "")
        line = line.removeprefix(START).replace(HOST, f"localhost:{self.port}")
        around = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        path = f"{self.machine}/usr/local/bin:{self.root}/bin:{os.environ['PATH']}"
        around |= {"PATH": path, "SSL_CERT_FILE": str(self.pem), "PYTHONPATH": str(ROOT), **PERU}
        return subprocess.run(  # noqa: S602 -- the line as the guide has it
            f"{line} {behind}", shell=True, capture_output=True, text=True, input=typed, env=around, check=False
        )

    def _places(self) -> dict[str, str]:
        us = "root" if os.getuid() == 0 else str(os.getuid())
        return {
            " setup": f"--instance {self.root}/instance --root {self.machine} --run {self.root} --front nginx --no-try"
            f" --certificate {self.pem} --key {self.pem} --port {self.inner} --plain-port {self.plain}"
            f" --front-user {us} --backups {self.root}/backups",
            "check --through": f"--plain-port {self.plain}",
        }

    @contextmanager
    def served(self) -> Iterator[None]:
        """The server in front and the program, as their units start them."""
        unit = (self.machine / "etc/systemd/system/amparo.service").read_text("utf-8")
        program = shlex.split(re.findall("^ExecStart=(.+)$", unit, re.MULTILINE)[0])
        front = [requires("nginx"), "-c", str(self.machine / "etc/nginx/nginx.conf"), "-g", "daemon off;"]
        told = os.environ | PERU | answers.settings_in(self.machine / "etc/amparo/amparo.env")
        with (self.root / "log").open("wb") as out:
            running = [subprocess.Popen(words, stdout=out, stderr=out, env=told) for words in (front, program)]  # noqa: S603 -- printed by us
        try:
            yield
        finally:
            for process in running:
                process.terminate()
                process.wait()


def test_our_commands_lead_to_two_people_and_a_good_look_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requires("nginx")
    here = Here(tmp_path)
    ours = [line for line in guide.commands("es") if line.removeprefix(START).startswith("amparo ")]
    setup, through, check, handing_over = ours
    asked = here.types(setup, f"Hoja\nlocalhost:{here.port}\n" + "\n" * len(answers.QUESTIONS))
    assert asked.returncode == 0, asked.stderr
    assert "Lo que sigue:" in asked.stdout
    codes = {role: code for _, role, code in CODES.findall(asked.stdout)}
    with here.served():
        monkeypatch.setenv("SSL_CERT_FILE", str(here.pem))
        address = f"https://localhost:{here.port}/es/equipo/invitacion"
        waits_for(address)
        for role in FIRST_TWO:
            accepts(address, codes[role])
        looked = here.types(through)
    said = (here.root / "log").read_text("utf-8")
    assert CLOSED in said
    assert f"amparo check --through https://localhost:{here.port}" in said
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert ALL_IS_WELL in looked.stdout
    stays = here.types(check).stdout
    assert "No case worker has made the keys yet" not in stays, stays
    told = here.types(handing_over).stdout
    assert re.search(r"En la mano se entrega:\n(  \S.+\n){3}\S.+`amparo move pack`", told), told


# ── an empty Debian, word for word ──────────────────────────────────────────────────────────────────────────

# command -> what stands in for it here, and why the command itself cannot do it
INSTEAD = {
    "certbot": f"""certbot --version && mkdir -p /etc/letsencrypt/live/{HOST} && cd /etc/letsencrypt/live/{HOST}
        openssl req -x509 -newkey rsa:2048 -nodes -keyout privkey.pem -out fullchain.pem -days 2 -subj /CN={HOST} \\
            -addext subjectAltName=DNS:{HOST} && cp fullchain.pem /usr/local/share/ca-certificates/hoja.crt
        update-ca-certificates && echo 127.0.0.1 {HOST} localhost > /etc/hosts""",  # nobody outside knows the name
    "systemctl": "ls /etc/systemd/system/amparo-backup.timer",  # it is not the first process
}


def archive_for(debian: Debian) -> None:
    """What is committed, packed as a release is."""
    packed = debian.root / "root" / "amparo-0.1.0.tar.gz"
    words = ["git", "-c", "tar.umask=0022", "archive", "--prefix=amparo-0.1.0/", "-o", str(packed), "HEAD"]
    subprocess.run(words, cwd=ROOT, check=True)  # noqa: S603


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_an_empty_debian_becomes_an_installation_word_for_word(suite: str, tmp_path: Path) -> None:
    if suite not in SUITES:
        pytest.skip(f"AMPARO_DEBIAN={suite} asks for it: it fetches some hundred megabytes")
    with an_empty_debian(suite, tmp_path) as debian:
        archive_for(debian)
        debian.brings(ROOT / "tests" / "accepts_by_web.py")
        codes: dict[str, str] = {}
        for line in guide.commands("es"):
            done = follows(debian, line, codes)
            assert done.returncode == 0 or " check" in line, f"{line}\n{done.stdout}\n{done.stderr}"
            codes |= {role: code for _, role, code in CODES.findall(done.stdout)}
            if "--through" in line:
                assert ALL_IS_WELL in done.stdout, done.stdout + done.stderr
            elif " check" in line:
                assert "No case worker has made the keys yet" not in done.stdout, done.stdout


def follows(debian: Debian, line: str, codes: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """One line of the guide. What looks at pages finds them served, and two people with their codes before it."""
    line = INSTEAD.get(line.split(maxsplit=1)[0], line)
    if line.startswith(START):
        debian.types(
            line.partition(" --lang")[0] + " --help"
        )  # it fetches, which has another network than it serves in
        return debian.types(line, f"Hoja\n{HOST}\nEquipo\n" + "\n" * len(answers.QUESTIONS), alone=True)
    if "--through" in line:
        address = f"https://{HOST}/es/equipo/invitacion"
        people = "\n".join(f"python3 accepts_by_web.py {address} {codes[role]}" for role in FIRST_TWO)
        line = f"(amparo serve > served 2>&1 &)\nnginx\n{people}\n{line}"
        return debian.types(line, alone=True)
    return debian.types(line)
