"""One evening: `amparo setup` asks, sets a machine up below a folder, and tries the whole way through its front."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from click.testing import CliRunner

from reporting.cli.base import main
from reporting.deploy import answers
from reporting.storage.database import reading
from reporting.teams import accounts
from tests.needs_of_tests import requires
from tests.people import opened
from tests.server import free_port
from tests.tls import certificate

LINES = 11  # questions that may be asked
PERU = {"AMPARO_INSTANCE": "", "LC_ALL": "es_PE.UTF-8"}


def sets_up(root: Path, *words: str, typed: str = "") -> str:
    """What the command prints, without the progress."""
    place = ["--instance", str(root / "instance"), "--root", str(root / "machine"), "--run", str(root)]
    done = CliRunner(env=PERU).invoke(main, ["setup", *place, *words], input=typed)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_enter_at_every_question_makes_an_installation_and_codes_and_no_password(tmp_path: Path) -> None:
    said = sets_up(tmp_path, "--front", "none", "--no-try", "--base-url", "https://hoja.example", typed="\n" * LINES)
    assert "¿" not in said, "questions go to the person and not into what is printed"
    assert "coordina" in said
    assert "Lo que sigue:" in said
    assert "totp" not in said.lower()
    command = tmp_path / "machine" / "usr/local/bin/amparo"
    assert command.stat().st_mode & 0o777 == 0o755
    told = subprocess.run([command, "move", "list"], capture_output=True, text=True, check=True)  # noqa: S603 -- ours
    assert "secrets.toml" in told.stdout


def test_a_no_writes_nothing_outside_the_instance_folder_and_a_si_does(tmp_path: Path) -> None:
    words = ("--front", "none", "--no-try", "--base-url", "https://hoja.example")
    for typed, written in (("quizá\nn", False), ("s", True)):
        sets_up(tmp_path, *words, typed="\n" * (len(answers.QUESTIONS) - 5) + f"{typed}\n")
        assert (tmp_path / "machine").exists() is written


def test_it_asks_in_the_language_of_the_terminal_or_in_the_one_that_was_told(tmp_path: Path) -> None:
    asks = ["--yes", "--front", "none", "--no-try", "--base-url", "https://hoja.example"]
    for environment, words, heard in (
        ({"LC_ALL": "es_PE.UTF-8"}, [], "Lo que sigue:"),
        ({"LC_ALL": "C"}, [], "What comes next:"),
        ({"LC_ALL": "C"}, ["--language", "es"], "Lo que sigue:"),
        ({"LC_ALL": "es_PE.UTF-8"}, ["--language", "en"], "What comes next:"),
    ):
        place = ["--instance", str(tmp_path / "instance"), "--root", str(tmp_path / "machine")]
        done = CliRunner(env=PERU | environment).invoke(main, ["setup", *place, *asks, *words])
        assert heard in done.stdout


def test_new_codes_end_all_that_were_made_before_under_whatever_name(tmp_path: Path) -> None:
    words = ("--yes", "--json", "--front", "none", "--no-try", "--base-url", "https://hoja.example")
    sets_up(tmp_path, *words, "--coordinator", "lucero", "--case-worker", "luna")
    sets_up(tmp_path, *words, "--new-invitations")
    _, engine = opened(tmp_path / "instance")
    with reading(engine) as db:
        assert len(accounts.open_invitations(db, time.time())) == 2


def test_every_step_can_be_done_again_and_answers_stand(tmp_path: Path) -> None:
    words = ("--yes", "--json", "--front", "nginx", "--no-try", "--base-url", "hoja.example")
    first = json.loads(sets_up(tmp_path, *words, "--site-name", "Hoja de ruta"))
    assert {row["role"] for row in first["invitations"]} == {"coordinator", "case_worker"}
    assert len(first["files"]) == 8
    again = json.loads(sets_up(tmp_path, *words))
    assert (again["files"], again["invitations"]) == ([], []), "codes that were handed out go on opening"
    anew = json.loads(sets_up(tmp_path, *words, "--new-invitations"))
    assert {row["code"] for row in anew["invitations"]}.isdisjoint(row["code"] for row in first["invitations"])
    settings = answers.settings_in(tmp_path / "machine" / "etc/amparo/amparo.env")
    assert (settings["SITE_NAME"], settings["BASE_URL"]) == ("Hoja de ruta", "https://hoja.example")


def test_an_answer_that_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    place = ["--instance", str(tmp_path / "instance"), "--root", str(tmp_path / "machine")]
    for option, bad in (("--base-url", "ftp://x"), ("--coordinator", "Ana María"), ("--country", "Perú")):
        done = CliRunner().invoke(main, ["setup", "--yes", *place, option, bad])
        assert (done.exit_code, option in done.output) == (1, True)


def test_a_report_an_answer_and_a_backup_are_made_through_the_front_that_was_set_up(tmp_path: Path) -> None:
    nginx, port, inner, plain = requires("nginx"), free_port(), free_port(), free_port()
    certificate(tmp_path)
    pem = str(tmp_path / "certificate.pem")
    us = "root" if os.getuid() == 0 else str(os.getuid())
    words = ["--yes", "--json", "--front", "nginx", "--base-url", f"https://localhost:{port}", "--certificate", pem]
    words += ["--key", pem, "--port", str(inner), "--plain-port", str(plain), "--front-user", us]
    sets_up(tmp_path, *words, "--no-try")
    conf = tmp_path / "machine" / "etc/nginx/nginx.conf"
    with (tmp_path / "front.log").open("wb") as out:
        command = [nginx, "-c", str(conf), "-g", "daemon off;"]
        process = subprocess.Popen(command, stdout=out, stderr=out)  # noqa: S603 -- as its unit starts it
        os.environ["SSL_CERT_FILE"] = pem
        try:
            time.sleep(0.5)
            made = json.loads(sets_up(tmp_path, *words, "--try"))
        finally:
            del os.environ["SSL_CERT_FILE"]
            process.terminate()
            process.wait()
    assert made["tried"] == ["told", "read", "answered", "backed up"], made["steps"]
