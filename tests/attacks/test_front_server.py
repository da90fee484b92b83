"""The server in front keeps the promise: the real nginx, from the printed file as it is, and what it leaves behind."""

from __future__ import annotations

import html
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from reporting.app import create_app
from reporting.cli.base import main
from reporting.operations.apart.lobby import SHARE
from reporting.storage.database import writing
from reporting.teams import accounts
from reporting.teams.accounts import Invitation
from reporting.teams.team_log import CASE_WORKER
from reporting.vocabulary.answers import route
from reporting.vocabulary.lengths import SHORT
from reporting.web.errors import NO_SENDER
from reporting.web.requests import HEADERS, HSTS
from tests.fronts import BROWSER, Front, a_front, settings_of
from tests.needs_of_tests import requires
from tests.pages.test_headers import addresses
from tests.trips import say

MARK = "zmarcadelanoche"
SIGNS = 8_000


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with a_front(tmp_path_factory.mktemp("front"), requires("nginx")) as front:
        yield front


def a_report(front: Front) -> str:
    """A report of 8,000 signs, told page by page and sent. The page of the receipt."""
    phone = front.phone()
    words = f"{MARK} {'relleno ' * 1_000}"[: SIGNS - len(MARK) - 1] + f" {MARK}"
    assert len(words) == SIGNS
    phone.asks("POST", "/es/contar", go="begin")
    for _ in route({"length": SHORT}):
        phone.asks("POST", "/es/contar", go="next", narrative=words, violence="FORCED_MARRIAGE")
    return phone.asks("POST", "/es/contar", go="send", letters="1")


def an_invitation(front: Front) -> str:
    """The secret of an invitation that is opened through the front."""
    place = front.place
    with writing(place.engine) as db:
        return accounts.invite(
            db, place.who_invites(db), Invitation("nueva", (CASE_WORKER,)), place.settings.pepper, time.time()
        )


def ask(
    front: Front, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, str, dict[str, str]]:
    """(status, page, headers)."""
    line = front.line()
    line.request(method, path, body, {"User-Agent": BROWSER} | headers)
    answer = line.getresponse()
    page = answer.read().decode()
    line.close()
    return answer.status, page, {name.lower(): value for name, value in answer.getheaders()}


def a_form(size: int) -> bytes:
    text = f"t=x&narrative={MARK}"
    return (text + "a" * (size - len(text))).encode()


def is_told(path: Path, *words: str) -> bool:
    """Whether a file holds one of these."""
    held = path.read_bytes() if path.is_file() else b""
    return any(word.encode() in held for word in words)


def test_nothing_of_a_day_lies_in_its_logs_or_temporary_files(front: Front) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert '<p class="c-digits">' in a_report(front)
    invited = front.phone()
    invited.asks("GET", "/es/equipo/invitacion")
    code = an_invitation(front)
    assert "nueva" in invited.asks("POST", "/es/equipo/invitacion", code=code)
    assert 'class="c-words"' in invited.asks("POST", "/es/equipo/invitacion/empezar")
    assert ask(front, "POST", "/es/contar", a_form(250_000), **form)[0] in {303, 410}
    assert ask(front, "POST", "/es/contar", a_form(1_000_000), **form)[0] in {303, 413}
    assert ask(front, "GET", f"/es/{MARK}?{MARK}", Referer=f"https://{MARK}.example/")[0] == 404
    front.raw(b"GET /%s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: %s\r\n\r\n" % (MARK.encode(), BROWSER.encode()))
    front.raw(MARK.encode() * 9_000)
    written = front.written().decode()
    assert not [line for line in written.splitlines() if MARK in line or "127.0.0.1" in line or "marca-de" in line]
    assert written == "", written
    assert len(front.temporary) == 2, "the folders for bodies and answers were not found"
    assert front.used() == []
    assert not [path for path in front.root.rglob("*") if is_told(path, MARK, code)]


def test_every_route_has_the_headers_of_the_pages_once(front: Front) -> None:
    wanted, seen = [*HEADERS, "Strict-Transport-Security"], 0
    app = create_app(front.place.settings, front.place.clock)
    for method, address, rule in addresses(app):
        line = front.line()
        line.request(method, address)
        answer = line.getresponse()
        for name in wanted:
            assert len(answer.headers.get_all(name) or ()) == 1, f"{method} {rule.rule}: {name}"
        assert answer.headers["Strict-Transport-Security"] == HSTS
        assert answer.headers.get_all("Server") == ["nginx"]
        line.close()
        seen += 1
    assert seen > 60


def test_what_it_answers_by_itself_is_our_short_page_with_the_same_headers(front: Front) -> None:
    line = front.line()
    line.putrequest("POST", "/es/contar")
    line.putheader("Content-Length", str(40_000_000))
    line.endheaders()
    answer = line.getresponse()
    assert (answer.status, say("That is too much at once. Send a shorter text.") in answer.read().decode()) == (
        413,
        True,
    )
    assert not {name for name, value in HEADERS.items() if answer.headers[name] != value}
    assert answer.headers["Strict-Transport-Security"] == HSTS
    line.close()


def test_senders_cannot_say_who_they_are(front: Front) -> None:
    """One name is written anew by the server in front; whatever a sender adds is not read."""
    text = (front.root / "front.conf").read_text("utf-8")
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert "proxy_add_x_forwarded_for" not in text
    for name in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Proto"):
        assert ask(front, "GET", "/es/antes", **{name: f"{MARK}, for=1.2.3.4"})[0] == 200, name


def test_another_name_gets_nothing_and_plain_http_only_the_beginning(front: Front) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", front.port)) as line, pytest.raises(ssl.SSLError):
        context.wrap_socket(line, server_hostname="otra.example")
    answer = front.raw(
        b"GET /es/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % MARK.encode(), front.plain_port
    )
    assert answer.startswith(b"HTTP/1.1 308"), answer
    assert b"Location: https://localhost:%d/\r\n" % front.port in answer
    assert MARK.encode() not in answer
    assert front.raw(b"GET / HTTP/1.1\r\nHost: otra.example\r\n\r\n", front.plain_port) == b""


def what_came(line: ssl.SSLSocket) -> bytes:
    """What is there already, which may be nothing."""
    line.setblocking(False)
    try:
        return line.recv(65_536)
    except ssl.SSLWantReadError:
        return b""


def test_a_workshop_of_thirty_passes_and_who_takes_more_than_a_share_hears_so(front: Front) -> None:
    lines = [front.line() for _ in range(SHARE + 5)]
    for line in lines:
        line.putrequest("POST", "/es/contar")
        line.putheader("Content-Length", "1000")
        line.endheaders()
    ask(front, "GET", "/es/nirgends")  # whoever came before is answered by now
    late = [came for line in lines if (came := what_came(line.sock))]
    assert {came.split()[1] for came in late} == {b"429"}
    assert 5 <= len(late) < 30, "what is above the share, and whatever of the test before is not closed yet"
    sentence = say("Many people are here right now. Wait one minute and try again. Nothing is lost.")
    assert sentence.encode() in late[0]
    for line in lines[30:]:
        line.close()
    assert ask(front, "GET", "/es/antes")[0] == 200, "thirty lines of a workshop stand open, and one more is answered"
    for line in lines[:30]:
        line.close()


NAMELESS = """
worker_processes 1; pid <<root>>/run/nginx.pid; user <<user>>; error_log stderr;
events {}
http {
  access_log off; client_body_temp_path <<root>>/memory/a; proxy_temp_path <<root>>/memory/b;
  server {
    listen <<port>> ssl; ssl_certificate <<pem>>; ssl_certificate_key <<pem>>;
    location / { proxy_pass http://127.0.0.1:<<inner>>; proxy_set_header Host $http_host; }
  }
}
"""


def test_a_server_in_front_that_does_not_say_who_sends_is_refused_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_front(tmp_path, requires("nginx"), configuration=NAMELESS) as front:
        for method, path in (("GET", "/es/"), ("POST", "/es/contar"), ("GET", "/es/equipo")):
            status, page, _ = ask(front, method, path, b"" if method == "POST" else None)
            assert (status, say(NO_SENDER) in html.unescape(page)) == (503, True), path
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        told = settings_of(tmp_path, front.port)
        said = CliRunner(env=told).invoke(main, ["check", "--no-residue"], catch_exceptions=False)
        assert "does not set X-Forwarded-For" in said.stdout
        assert "amparo deploy nginx" in said.stdout
        none = CliRunner(env=told | {"TRUSTED_PROXY": "", "BASE_URL": "https://hoja.example"})
        assert "TRUSTED_PROXY is empty" in none.invoke(main, ["check", "--no-residue"]).stdout


def test_when_the_program_is_away_it_says_so_and_still_writes_nothing(front: Front) -> None:
    front.inner.kill()
    status, page, headers = ask(front, "POST", f"/es/contar?{MARK}", a_form(1_000))
    assert (status, headers["cache-control"]) == (502, "no-store")
    assert say("Something failed on our side. Nothing of yours was shown to anybody.") in page
    assert front.written() == b""
    assert front.used() == []
    assert re.search(r"<title>[^<]*</title>", page)
