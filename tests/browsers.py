"""Browsers in somebody's hand, each with a folder of its own that outlives it: Chromium, Firefox, WebKitGTK.

One way to hold any of them: `Window`. Chromium is driven by Playwright; Firefox over its own socket (Marionette) and
WebKitGTK over HTTP speak WebDriver. No driver is installed but what comes with them. Knows no page of ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.needs_of_tests import requires
from tests.server import free_port

PATIENCE = 60.0  # seconds; a busy machine takes its time to start a browser
STARTS = 3  # of a browser that does not answer
QUICKLY: dict[str, Any] = {"wait_until": "commit", "timeout": 4000}  # a page out of the cache never says "load"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Firefox as it is shipped, but for what it would ask or fetch at a start, and for how soon it writes down its tabs (by
# itself every 15 seconds). What a driven Firefox would leave out of its folder by itself is switched on again.
PREFERENCES: dict[str, bool | int | str] = {
    "marionette.port": 0,
    "browser.sessionstore.interval": 500,
    "browser.sessionstore.resume_from_crash": True,
    "browser.startup.page": 3,  # the tabs of last time
    "toolkit.startup.max_resumed_crashes": -1,
    "browser.pagethumbnails.capturing_disabled": False,
    "browser.formfill.enable": True,
    "signon.rememberSignons": True,
    "signon.autofillForms": True,
    "places.history.enabled": True,
    "browser.cache.disk.enable": True,
    "services.settings.server": "http://127.0.0.1:9/",
}


def until(what: Callable[[], object], told: str, patience: float = PATIENCE) -> Any:
    """Look again and again until it is so, and give what was seen."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if seen := what():
            return seen
        time.sleep(0.05)
    raise AssertionError(f"it never came to this: {told}")


class Window:
    """A browser with one tab. What names a thing on a page is a CSS selector. `folder` is what it writes to."""

    folder: Path

    def goes_to(self, address: str) -> None:
        """Type an address."""
        raise NotImplementedError

    def reads(self) -> str:
        """The page as it stands."""
        raise NotImplementedError

    def here(self) -> str:
        """The address of the page."""
        raise NotImplementedError

    def title(self) -> str:
        """What the tab says."""
        raise NotImplementedError

    def fills(self, where: str, text: str) -> None:
        """Type into a field, over what stands there."""
        raise NotImplementedError

    def ticks(self, where: str) -> None:
        """Tick a box, or choose one of several."""
        raise NotImplementedError

    def unfolds(self, where: str) -> None:
        """Press what opens a fold; no page follows."""
        raise NotImplementedError

    def has(self, where: str) -> bool:
        """Whether there is such a thing on the page."""
        raise NotImplementedError

    def presses(self, where: str) -> None:
        """Press a button or a link and wait for the page it leads to."""
        raise NotImplementedError

    def goes(self, way: str) -> str:
        """`back`, `forward` or `reload`, as far as it goes; the page that then stands there."""
        raise NotImplementedError

    def kill(self) -> None:
        """As a power cut would: no goodbye."""
        raise NotImplementedError

    def close(self) -> None:
        """As people do."""
        raise NotImplementedError


# ── Chromium ────────────────────────────────────────────────────────────────────────────────────────────────


class Chromium(Window):
    """With the back-forward cache on, as people have it."""

    def __init__(self, player: Any, folder: Path, *, scripts: bool = False, restored: bool = False) -> None:
        self.folder = folder
        if restored:
            _says_it_was_closed(folder / "Default" / "Preferences")
        flags = ["--restore-last-session"] if restored else []
        self.context = opened(
            player, folder, flags, java_script_enabled=scripts, viewport={"width": 360, "height": 640}
        )
        self.page = self.context.pages[0]
        for _ in range(50 if restored else 0):  # it takes a moment until the tabs of last time have their addresses
            self.page.wait_for_timeout(100)
            self.page = next((one for one in self.context.pages if one.url.startswith("http")), self.page)
            if self.page.url.startswith("http"):
                break
        self.page.set_default_timeout(30_000)

    def goes_to(self, address: str) -> None:
        self.page.goto(address)

    def reads(self) -> str:
        from playwright.sync_api import Error

        for _ in range(200):
            with contextlib.suppress(Error):  # it was still on its way
                self.page.wait_for_load_state("domcontentloaded", timeout=500)
            with contextlib.suppress(Error):
                text: str = self.page.content()
                return text
            with contextlib.suppress(Error):  # a busy machine: another moment
                self.page.wait_for_timeout(100)
        raise AssertionError("the page does not come to rest")

    def here(self) -> str:
        self.reads()
        return str(self.page.url)

    def title(self) -> str:
        return str(self.page.title())

    def fills(self, where: str, text: str) -> None:
        self.page.fill(where, text)

    def ticks(self, where: str) -> None:
        self.page.check(where)

    def unfolds(self, where: str) -> None:
        self.page.locator(where).first.click()

    def has(self, where: str) -> bool:
        return self.page.locator(where).count() > 0

    def presses(self, where: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(where).first.click()

    def goes(self, way: str) -> str:
        from playwright.sync_api import Error

        ways = {"back": self.page.go_back, "forward": self.page.go_forward, "reload": self.page.reload}
        with contextlib.suppress(Error):  # a browser that refuses shows its own page, which is fine
            ways[way](**QUICKLY)
        return self.reads()

    def presses_without_a_line(self, where: str) -> None:
        """No signal: the browser's own page says so. Then the line is mended."""
        from playwright.sync_api import Error

        self.context.set_offline(True)
        with contextlib.suppress(Error):
            self.presses(where)
        self.context.set_offline(False)

    def kill(self) -> None:
        kill_all(processes_of(self.folder))
        self.close()

    def close(self) -> None:
        from playwright.sync_api import Error

        with contextlib.suppress(Error):
            self.context.close()
        until(lambda: not processes_of(self.folder), "the browser is gone")


def headless(player: Any, flags: list[str] = FLAGS, **told: Any) -> Any:
    """A Chromium that shows pages and keeps nothing.

    chromium-headless-shell where it is there: the same engine without what surrounds a page takes half of the
    processor. What a browser writes to its disk is asked of the whole one.
    """
    whole = requires("chromium")
    return player.chromium.launch(executable_path=shutil.which("chromium-headless-shell") or whole, args=flags, **told)


def opened(player: Any, folder: Path, flags: list[str], **told: Any) -> Any:
    """Chromium with its tabs and what it wrote to this folder, as people have it: the back-forward cache is on.

    Brought back from its disk it now and then never answers whoever drives it (once in some hundred starts). Then it is
    ended and opened again, with the folder as it was before.
    """
    from playwright.sync_api import TimeoutError as NoAnswer

    before = folder.with_name(f"{folder.name}-before")
    shutil.rmtree(before, ignore_errors=True)
    if folder.exists():
        shutil.copytree(folder, before, symlinks=True)
    for _ in range(STARTS):
        with contextlib.suppress(NoAnswer):
            return player.chromium.launch_persistent_context(
                str(folder),
                executable_path=requires("chromium"),
                args=[*FLAGS, *flags],
                ignore_default_args=["--disable-back-forward-cache"],
                locale="es-PE",
                timeout=PATIENCE * 1000,
                **told,
            )
        kill_all(processes_of(folder))
        until(lambda: not processes_of(folder), "the browser is gone")
        shutil.rmtree(folder, ignore_errors=True)
        if before.exists():
            shutil.copytree(before, folder, symlinks=True)
    raise AssertionError(f"Chromium did not answer in {STARTS} starts from {folder}")


def _says_it_was_closed(preferences: Path) -> None:
    """After a crash Chromium asks whether to bring the tabs back; nobody is there to say yes, so it did not crash."""
    told = json.loads(preferences.read_text("utf-8")) if preferences.exists() else {}  # killed before it wrote them
    told.setdefault("profile", {}).update(exit_type="Normal", exited_cleanly=True)
    preferences.write_text(json.dumps(told), "utf-8")


def processes_of(folder: Path) -> list[int]:
    """Every process that was started for this folder, as Linux tells."""
    named, found = str(folder).encode(), []
    for told in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if any(word.endswith(named) for word in told.read_bytes().split(b"\0")):
                found.append(int(told.parent.name))
    return found


def kill_all(processes: list[int]) -> None:
    """End these at once."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


# ── whatever speaks WebDriver ───────────────────────────────────────────────────────────────────────────────

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name that WebDriver gives to a thing on a page
# what we ask -> Marionette's name, WebDriver's method and path
COMMANDS = {
    "begin": ("WebDriver:NewSession", "POST", "/session"),
    "to": ("WebDriver:Navigate", "POST", "/url"),
    "here": ("WebDriver:GetCurrentURL", "GET", "/url"),
    "source": ("WebDriver:GetPageSource", "GET", "/source"),
    "title": ("WebDriver:GetTitle", "GET", "/title"),
    "find": ("WebDriver:FindElement", "POST", "/element"),
    "click": ("WebDriver:ElementClick", "POST", "/element/{id}/click"),
    "clear": ("WebDriver:ElementClear", "POST", "/element/{id}/clear"),
    "type": ("WebDriver:ElementSendKeys", "POST", "/element/{id}/value"),
    "selected": ("WebDriver:IsElementSelected", "GET", "/element/{id}/selected"),
    "name": ("WebDriver:GetElementTagName", "GET", "/element/{id}/name"),
    "back": ("WebDriver:Back", "POST", "/back"),
    "forward": ("WebDriver:Forward", "POST", "/forward"),
    "reload": ("WebDriver:Refresh", "POST", "/refresh"),
    "patience": ("WebDriver:SetTimeouts", "POST", "/timeouts"),
    "script": ("WebDriver:ExecuteScript", "POST", "/execute/sync"),
}


class Refused(Exception):
    """The browser says no: nothing of that name, or a page that did not come."""


class Driven(Window):
    """A window that is spoken to in WebDriver's words; how they travel is `say`'s business."""

    def say(self, command: str, **told: Any) -> Any:
        """One command and its answer. Raises `Refused`."""
        raise NotImplementedError

    def goes_to(self, address: str) -> None:
        self.say("to", url=address)

    def reads(self) -> str:
        return str(until(self._source, "a page that can be read"))

    def _source(self) -> str:
        with contextlib.suppress(Refused):  # it was still on its way
            return str(self.say("source"))
        return ""

    def here(self) -> str:
        return str(self.say("here"))

    def title(self) -> str:
        return str(self.say("title"))

    def fills(self, where: str, text: str) -> None:
        self.say("clear", id=self._find(where))
        self.say("type", id=self._find(where), text=text)

    def ticks(self, where: str) -> None:
        if not self.say("selected", id=self._find(where)):
            self.say("click", id=self._find(where))

    def unfolds(self, where: str) -> None:
        self.say("click", id=self._find(where))

    def has(self, where: str) -> bool:
        try:
            return bool(self._find(where))
        except Refused:
            return False

    def presses(self, where: str) -> None:
        before = self._find("html")
        self.say("click", id=self._find(where))
        until(lambda: self._is_gone(before), "another page")
        self.reads()

    def goes(self, way: str) -> str:
        with contextlib.suppress(Refused):
            self.say(way)
        return self.reads()

    def _find(self, where: str) -> str:
        return str(self.say("find", using="css selector", value=where)[ELEMENT])

    def _is_gone(self, element: str) -> bool:
        try:
            self.say("name", id=element)
        except Refused:
            return True
        return False


class Firefox(Driven):
    """Debian's, over its own socket: length, colon, JSON; [0, number, name, told] brings [1, number, error, value]."""

    def __init__(self, folder: Path, *, scripts: bool = False) -> None:
        self.folder, self.number = folder, 0
        folder.mkdir(parents=True, exist_ok=True)
        told = PREFERENCES | {"javascript.enabled": scripts}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in told.items()]
        (folder / "user.js").write_text("\n".join(lines), encoding="utf-8")
        port = folder / "MarionetteActivePort"
        port.unlink(missing_ok=True)
        self.process = subprocess.Popen(  # noqa: S603 -- a browser of this machine
            [requires("firefox"), "--headless", "--marionette", "--no-remote", "--profile", str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.line = socket.create_connection(("127.0.0.1", int(until(lambda: _text(port), "a port"))), PATIENCE)
        self.answers = self.line.makefile("rb")
        self._heard()
        self.say("begin", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        self.say("patience", pageLoad=10_000)

    def say(self, command: str, **told: Any) -> Any:
        self.number += 1
        raw = json.dumps([0, self.number, COMMANDS[command][0], told]).encode()
        self.line.sendall(f"{len(raw)}:".encode() + raw)
        _, _, error, answer = self._heard()
        if error:
            raise Refused(f"{error['error']}: {error['message']}")
        return answer["value"] if isinstance(answer, dict) and answer.keys() == {"value"} else answer

    def _heard(self) -> Any:
        length = b""
        while (sign := self.answers.read(1)) != b":":
            assert sign, "Firefox is gone"
            length += sign
        return json.loads(self.answers.read(int(length)))

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.line.close()

    def close(self) -> None:
        os.kill(self.process.pid, signal.SIGTERM)  # Firefox then writes its session and goes
        self.process.wait(PATIENCE)
        self.line.close()


def _text(path: Path) -> str:
    return path.read_text("ascii") if path.exists() else ""


# Cross-Origin-Opener-Policy gives pages of another site a process of their own; on Back from there its driver waits for
# ever. What is kept for Back is decided without it.
WITHOUT_OPENERS = "--features=-CrossOriginOpenerPolicy"


class WebKit(Driven):
    """WebKitGTK's small browser on a screen that nobody sees. It keeps no folder while it is driven."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        programs, self.screen = requires("webkit").split(os.pathsep), _a_screen()
        told = {"DISPLAY": self.screen.name, "HOME": str(folder), "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        self.driver = subprocess.Popen([programs[0], f"--port={self.port}"], env=os.environ | told)  # noqa: S603
        self.session = ""
        until(self._answers, "a driver that answers")
        wanted = {
            "acceptInsecureCerts": True,
            "webkitgtk:browserOptions": {"binary": programs[1], "args": ["--automation", WITHOUT_OPENERS]},
        }
        self.session = self.say("begin", capabilities={"alwaysMatch": wanted})["sessionId"]
        self.say("patience", pageLoad=10_000)

    def _find(self, where: str) -> str:
        """Brought into sight: the driver does not do so with what lies a line below the lower edge of the window."""
        found = super()._find(where)
        self.say("script", script="arguments[0].scrollIntoView({block: 'center'})", args=[{ELEMENT: found}])
        return found

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def say(self, command: str, **told: Any) -> Any:
        _, method, path = COMMANDS[command]
        start = f"http://127.0.0.1:{self.port}" + (f"/session/{self.session}" if self.session else "")
        body = json.dumps({name: value for name, value in told.items() if name != "id"}).encode()
        asked = urllib.request.Request(  # noqa: S310 -- our own driver
            start + path.format(**told), body if method == "POST" else None, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
                return json.load(answer)["value"]
        except urllib.error.HTTPError as problem:
            raise Refused(problem.read().decode()) from None

    def kill(self) -> None:
        self.close()

    def close(self) -> None:
        self.driver.terminate()  # its browser goes with it
        self.driver.wait(PATIENCE)
        self.screen.close()


class _a_screen:  # noqa: N801 -- it is made and then only closed
    """A display in memory."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-nolisten", "tcp"],  # noqa: S607 -- `requires` has found it
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout
        self.name = ":" + self.process.stdout.readline().decode().strip()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


@contextmanager
def held(window: Window) -> Iterator[Window]:
    """A window for the length of a test, gone afterwards however it ends."""
    try:
        yield window
    finally:
        window.kill()
