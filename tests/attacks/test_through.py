"""`amparo check --through`: what everybody would put in front fails it by name; what is printed for it passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from reporting.cli.base import main
from reporting.deploy import through_trip
from reporting.operations.trial_phone import NoTrial
from reporting.storage import findings
from reporting.storage.database import reading
from reporting.storage.models import CaseRow, ErasedRow
from tests.fronts import Front, a_front, settings_of
from tests.needs_of_tests import requires

# As guides have it: what the distribution logs anyway, a certificate, and the three headers that everybody copies.
ORDINARY = """
worker_processes 1; pid <<root>>/run/nginx.pid; user <<user>>; error_log <<root>>/logs/error.log;
events {}
http {
  access_log <<root>>/logs/access.log combined;
  client_body_temp_path <<root>>/temporary/body; proxy_temp_path <<root>>/temporary/proxy;
  server {
    listen <<port>> ssl; listen <<plain>>; ssl_certificate <<pem>>; ssl_certificate_key <<pem>>;
    location / {
      proxy_pass http://127.0.0.1:<<inner>>;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
"""
NAMED = {
    "address in logs",
    "browser in logs",
    "path in logs",
    "page before in logs",
    "invitation in logs",
    "requests in errors",
    "used for temporary files",
    "words in temporary files",
    "version",
    "pages of its own",
    "plain http",
    "another name",
    "slow heads",
    "many lines",
}


def checked(front: Front, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[dict[str, Any], str]:
    """What the command says, as JSON and as text."""
    monkeypatch.setenv("SSL_CERT_FILE", str(front.root / "certificate.pem"))
    told = settings_of(front.root, front.port)
    looks = [
        word for name in ("logs", "temporary") if (front.root / name).is_dir() for word in ("--look", front.root / name)
    ]
    command = ["check", "--through", told["BASE_URL"], "--plain-port", front.plain_port, *looks, *words]
    done = CliRunner(env=told).invoke(main, list(map(str, command)), catch_exceptions=False)
    return (json.loads(done.stdout) if "--json" in words else {"exit": done.exit_code}), done.stdout


def cases_and_erased(front: Front) -> tuple[int, int]:
    with reading(front.place.engine) as db:
        return len(list(db.scalars(select(CaseRow.id)))), len(list(db.scalars(select(ErasedRow.mark))))


def test_the_ordinary_configuration_fails_in_named_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    with a_front(tmp_path, requires("nginx"), configuration=ORDINARY) as front:
        result, _ = checked(front, monkeypatch, "--json")
        assert {proof["code"] for proof in result["proofs"] if proof["holds"] is False} == NAMED
        assert len(result["problems"]) == len(NAMED)
        assert all(len(sentence) > 40 for sentence in result["problems"]), "each says what to do"
        kept = findings.last(front.place.settings.instance, findings.FRONT)
        assert kept is not None
        assert {finding.code for finding in kept.to_do} == NAMED, "for the coordinator's page"
        assert cases_and_erased(front) == (0, 1), "the report of the check is erased again"


def test_the_printed_file_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_front(tmp_path, requires("nginx")) as front:
        result, text = checked(front, monkeypatch)
        assert result["exit"] == 0, text
        assert "Everything holds." in text
        assert cases_and_erased(front) == (0, 1)


def test_caddy_from_the_printed_file_passes_but_for_what_it_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_front(tmp_path, requires("caddy"), "caddy") as front:
        result, text = checked(front, monkeypatch, "--json")
        assert {proof["code"] for proof in result["proofs"] if proof["holds"] is False} == {"many lines"}, text
        assert cases_and_erased(front) == (0, 1)
        written = [line for line in front.written().decode().splitlines() if '"level":"info"' not in line]
        assert not [line for line in written if "127.0.0.1" in line or "/es/" in line], written


def test_what_fails_half_way_is_erased_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_parts: object) -> None:
        raise NoTrial("the line is gone.")

    with a_front(tmp_path, requires("nginx")) as front:
        for step in ("_comes_back", "_erases"):
            monkeypatch.setattr(through_trip, step, breaks)
        result, text = checked(front, monkeypatch, "--json")
        assert "the line is gone." in text
        assert [proof["code"] for proof in result["proofs"]] == ["trial"]
        assert cases_and_erased(front) == (0, 1)


def test_nobody_at_the_door_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_front(tmp_path, requires("nginx")) as front:
        for address, hint in (("https://localhost:1", "nobody answers"), ("http://localhost", "no https address")):
            done = CliRunner(env=settings_of(tmp_path, front.port)).invoke(main, ["check", "--through", address])
            assert (done.exit_code, hint in done.stdout) == (1, True), done.output
