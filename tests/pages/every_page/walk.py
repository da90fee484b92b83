"""Every page can be used by everybody: each one is reached in a real Chromium by pressing its real buttons.

SCENES reach the pages, PROMISES say what holds on each. The address map says whether a page was forgotten: what
needs nothing but a language is opened from the map itself, links to new pages are followed, everything else fails
with its name. The first and the last of WALKS have nothing in common: every page meets both languages, widths and
colours, with scripts and without. In the first four it meets each pair of them; what is between is taken when asked
for (AMPARO_WALKS=all).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import flask
import pytest
import waitress.server
from flask import Flask, Response, abort, template_rendered
from sqlalchemy import delete, select, update
from werkzeug.routing import Rule

from referrals.directory.importing import shipped
from referrals.directory.models import ServiceRow
from reporting.app import create_app
from reporting.cases import actions
from reporting.cases import desk as cases_desk
from reporting.cases.follow_up import plans
from reporting.cases.follow_up.plan_versions import SAFETY_PLAN
from reporting.config import ROOT
from reporting.figures import work_apart
from reporting.storage.database import writing
from reporting.storage.models import MemberRow, TakenRow
from reporting.storage.release_models import ArchiveRow, ReleaseMonthRow, ReleaseRow
from reporting.teams import accounts, members
from reporting.teams.accounts import Invitation
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, COORDINATOR
from reporting.vocabulary.incident import Incident
from reporting.web.context import installation_of
from tests import browsers
from tests.people import Place, Worker, a_new_place
from tests.server import free_port

LANGUAGES = ("es", "en")  # the first answers where the address names none
FIRST_STOPS = 8
EVERYTHING = os.environ.get("AMPARO_WALKS") == "all"  # also what a page of the same shape showed already
NARROW = 320  # pixels: the smallest phone, or a page enlarged four times
FLAGS = [*browsers.FLAGS, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
TEMPLATES = ROOT / "templates"
OFFERED = "button[name=go]:not([aria-hidden])"  # the hidden one only says what Enter does
FAILURES = (400, 413, 429)  # one template says them all; 404 and 503 come by on the way
TEAM = {"rosa": CASE_WORKER, "carmen": COORDINATOR, "ana": ADVOCATE}


@dataclass(frozen=True)
class Look:
    """How somebody looks at the pages."""

    language: str
    width: int
    height: int
    scripts: bool
    colours: str


WALKS = {
    "Spanish on a phone without scripts": Look("es", 360, 640, scripts=False, colours="light"),
    "Spanish on a desk with scripts": Look("es", 1280, 800, scripts=True, colours="dark"),
    "English on a phone with scripts": Look("en", 360, 640, scripts=True, colours="dark"),
    "English on a desk without scripts": Look("en", 1280, 800, scripts=False, colours="light"),
    "English on a desk with scripts": Look("en", 1280, 800, scripts=True, colours="dark"),
}

# endpoint, or all of a blueprint -> why nobody has to see it as a page
NOT_PAGES = {
    "static": "Flask's own, switched off",
    "assets": "style sheet, script and image",
    "reporter.away": "only a redirect, away from us",
    "directory.flag": "an answer without a page: she stays where she is",
    "directory.export": "a file to keep",
    "directory.gaps_file": "the same",
    "figures.file": "a file of a release",
    "test": "made by this test",
}

# ── what is promised ────────────────────────────────────────────────────────────────────────────────────────

AXE = {
    "preload": False,  # our one style sheet is there
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},  # axe leaves it off unless told
}
WORDS = r"""
const all = selector => [...document.querySelectorAll(selector)];
const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
const box = element => element.getBoundingClientRect();
const shown = element => element.checkVisibility({visibilityProperty: true});
const waiting = element => box(element).height <= 1;  // a skip link before it is focused
const touched = element => element.matches('[type=radio], [type=checkbox]') && element.closest('label') || element;
const amongWords = element => getComputedStyle(element).display === 'inline' &&
  [...element.parentElement.childNodes].some(node => node.nodeType === 3 && /\p{L}/u.test(node.data));
const pointers = ['for', 'list', 'aria-labelledby', 'aria-describedby', 'aria-controls', 'aria-owns', 'aria-details',
  'aria-errormessage'];
const pointed = element => pointers.flatMap(name => (element.getAttribute(name) ?? '').split(/\s+/).filter(Boolean));
const onTop = element => document.elementFromPoint(box(element).x + box(element).width / 2, box(element).y + 22);
const exit = all('a[href="/salir"], form[action="/salir"] button').filter(one => !waiting(one));
const within = (inner, outer) => inner.top >= outer.top && inner.bottom <= outer.bottom;
const stops = all(controls + ', [tabindex]').filter(element => shown(element) && element.tabIndex >= 0 &&
  !element.closest('[inert]') &&
  (element.type !== 'radio' || element === (all(`[type=radio][name="${element.name}"]`).find(one => one.checked)
  ?? document.querySelector(`[type=radio][name="${element.name}"]`))));
const tell = element => typeof element === 'string' ? element :
  element.outerHTML.replace(/ value="\w{40,}"|\s+/g, ' ').slice(0, 110);
"""
# promise -> script whose list is empty where it holds
PROMISES = {
    "exactly one h1": "all('h1').length === 1 ? [] : ['h1: ' + all('h1').length]",
    "a main": "all('main').length === 1 ? [] : ['main: ' + all('main').length]",
    "targets are 44 pixels high": """all(controls).filter(one => shown(one) && !waiting(touched(one)) &&
        !amongWords(one) && box(touched(one)).height < 44)""",
    "no tabindex above zero": "all('[tabindex]').filter(one => one.tabIndex > 0)",
    "every id once": "all('[id]').filter(one => all('[id=' + CSS.escape(one.id) + ']').length > 1)",
    "what an id points to is there": "all('*').filter(one => pointed(one).some(id => !document.getElementById(id)))",
    "links inside the page lead somewhere": """all('a[href^="#"]').filter(one =>
        !document.getElementById(one.hash.slice(1)))""",
}
# the same, after every stop of the Tab key was taken; `visited` holds them in order
AFTER_TAB = {
    "the first stop is the skip link": """[visited[0] ?? 'nothing'].filter(one =>
        one !== document.querySelector(controls) || one.getAttribute('href') !== '#main')""",
    "Tab follows the page": """visited.filter((one, place) => place &&
        !(visited[place - 1].compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING))""",
    "what waits for Tab shows when it is focused": """stops.filter(waiting).filter(one =>
        { one.focus(); return box(one).height < 44 || box(one).width < 44 })""",
    "focus is never hidden under the bar": """stops.toReversed().filter(one => all('header').some(bar =>
        { one.focus(); return within(box(one), box(bar)) && !one.contains(onTop(one)) }))""",
}
ON_PAGES_WITH_EXIT = {
    "the exit is the first stop after the skip link": "exit.includes(visited[1]) ? [] : [visited[1] ?? 'nothing']",
    "the exit stands once among the stops": "stops.filter(one => exit.includes(one)).slice(1)",
    "the exit stays in sight": """(scrollTo(0, document.body.scrollHeight),
        exit.some(one => within(box(one), {top: 0, bottom: innerHeight})) ? [] : ['the exit'])""",
}
FROM_THE_TOP = """scrollTo(0, 0); const root = document.documentElement; root.tabIndex = -1; root.focus();
    root.removeAttribute('tabindex'); window.visited = [];
    addEventListener('focusin', event => visited.push(event.target)); return [String(stops.length)]"""
TOO_WIDE = f"""document.activeElement.blur(); scrollTo(0, 0);
    return document.scrollingElement.scrollWidth <= innerWidth ? [] :
    all('body *').filter(one => box(one).right > {NARROW} + 1).slice(0, 2)"""
# template -> what it is spared, because it is on screen for an instant and has one link
SPARED = {"reporter/leave.html": frozenset({"the first stop is the skip link", "targets are 44 pixels high"})}
HAVE_NO_EXIT = re.compile(
    r"reporter/leave\.html|staff/|casework/|advocate/|guide/(casework|coordinator|advocate|emergency)|errors/desk"
)


class Source(HTMLParser):
    """A page as it was sent: which tags it opens, and the mistakes that browsers mend in silence.

    `shapes`: what stands in it, without what it says: each element with its attributes and those around it.
    """

    VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
    NEVER_NESTED = frozenset("a button form label main option p".split())
    TELLING = frozenset("class type role open checked disabled inputmode autocomplete".split())  # what they say counts
    ABOVE = 3

    def __init__(self, html: str) -> None:
        super().__init__()
        self.started: Counter[str] = Counter()
        self.mistakes: list[str] = []
        self.shapes: set[tuple[str, ...]] = set()
        self._open: list[str] = []
        self._looks: list[str] = []
        self._says: list[bool] = []
        self.feed(html)
        self.close()
        self.mistakes += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.started[tag] += 1
        twice = [name for name, times in Counter(name for name, _ in attrs).items() if times > 1]
        self.mistakes += [f"{name} twice in {self.get_starttag_text()}" for name in twice]
        if tag in self.NEVER_NESTED & set(self._open):
            self.mistakes.append(f"<{tag}> inside <{tag}>, line {self.getpos()[0]}")
        told = (name if name not in self.TELLING else f"{name}={value}" for name, value in attrs)
        look = " ".join([tag, *sorted(told)])
        self.shapes.add((*self._looks[-self.ABOVE :], look))
        if tag not in self.VOID:
            self._open.append(tag)
            self._looks.append(look)
            self._says.append(False)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open[-1:]:
            self._open.pop()
            look, says = self._looks.pop(), self._says.pop()
            self.shapes.add((*self._looks[-self.ABOVE :], look, "with words" if says else "without a word"))
            self._says[-1:] = [one or says for one in self._says[-1:]]
        else:
            self.mistakes.append(f"</{tag}> closes nothing, line {self.getpos()[0]}")

    def handle_data(self, data: str) -> None:
        self._says[-1:] = [one or bool(data.strip()) for one in self._says[-1:]]


# ── where it is looked at ───────────────────────────────────────────────────────────────────────────────────


LEADS_ON = {"assisted_report.begin", "casework.next_case"}  # addresses that only lead on to another page


class Journal:
    """What a site answered: the newest page as it was sent, and which doors and templates were reached."""

    def __init__(self, app: Flask) -> None:
        self.html = self.template = ""
        self.reached: set[tuple[str, str]] = set()
        self.rendered: set[str] = set()
        app.after_request(self._answered)  # the last to be hung is the first to be asked: nothing is compressed yet
        template_rendered.connect(self._rendered, app)

    def _rendered(self, _app: Flask, template: Any, **_rest: Any) -> None:
        if _is_for_the_window():
            self.template = template.name
            self.rendered.add(template.name)

    def _answered(self, response: Response) -> Response:
        has_page = _is_for_the_window() and response.location is None and bool(response.content_length)
        if has_page:
            self.html = response.get_data(as_text=True)
        if has_page or flask.request.method == "POST" or flask.request.endpoint in LEADS_ON:
            self.reached.add((flask.request.endpoint or "", flask.request.method))
        return response


def _is_for_the_window() -> bool:
    """Not for a style sheet, nor for an icon that a browser asks for by itself."""
    return flask.request.headers.get("Sec-Fetch-Dest") == "document"


@dataclass
class Site:
    """An installation with its app, served from a thread of this process, so that its clock can be moved."""

    place: Place
    app: Flask
    journal: Journal
    address: str


@contextlib.contextmanager
def served(folder: Path, **environment: str) -> Iterator[Site]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    place = a_new_place(folder, BASE_URL=address, TEAM_NAME="Equipo", **environment)
    with writing(place.engine) as db:
        shipped.load_shipped(db)
    app = create_app(place.settings, place.clock)
    installation_of(app).apart = work_apart.run
    app.add_url_rule("/<lang>/fails/<int:code>", "test.fails", abort)
    app.view_functions["reporter.away"] = lambda: ("", 204)  # a browser stays where it is, so the exit can be looked at
    site = Site(place, app, Journal(app), address)
    server = waitress.server.create_server(app, host="127.0.0.1", port=port, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield site
    server.trigger.pull_trigger(server.close)  # closed by its own thread, which then ends
    thread.join(timeout=5)


@dataclass
class Sites:
    """One where people work, and one where nobody has made keys yet."""

    running: Site
    new: Site


# ── who walks ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Seen:
    """What came of a walk: promises broken and where, doors and templates reached, buttons offered and pressed."""

    broken: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    reached: set[tuple[str, str]] = field(default_factory=set)
    rendered: set[str] = field(default_factory=set)
    offered: set[str] = field(default_factory=set)
    pressed: set[str] = field(default_factory=set)

    def in_words(self) -> str:
        return "\n".join(
            f"{promise}: {what}\n    on {len(pages)}: {', '.join(sorted(pages)[:3])}"
            for (promise, what), pages in sorted(self.broken.items())
        )


class Walk:
    """Somebody with one browser window. Every page she arrives at is looked at before she goes on."""

    def __init__(self, window: Any, sites: Sites, look: Look) -> None:
        self.sites, self.site, self.look, self.seen = sites, sites.running, look, Seen()
        self.page = window.new_page()
        self.code = ""  # what she wrote on paper
        self.case = ""  # where her case lies
        self._links: set[str] = set()
        self._known: set[str] = set()
        self._templates: set[str] = set()
        self._shapes: set[tuple[str, ...]] = set()  # of each template: what was looked at from all sides
        self._name, self._spared = "", frozenset[str]()
        self._switch = window.new_cdp_session(self.page)
        for site in (sites.running, sites.new):
            site.journal.reached, site.journal.rendered = self.seen.reached, self.seen.rendered

    # what she does

    def opens(self, address: str, language: str = "") -> None:
        path = address.format(lang=self.look.language)
        self._arrive(lambda: self.page.goto(self.site.address + path), language)

    def presses(self, go: str, language: str = "") -> None:
        self.seen.pressed.add(kind_of(go))
        if go == "send" and self.sees("[name=team]"):
            self.page.locator("[name=team]").first.check()
        self.clicks(f"{OFFERED}[value={go}]", language)

    def sends(self, holding: str, *, unchecked: bool = False, **typed: str) -> None:
        """Press the one button of the form with this field; `unchecked` as a browser that checks nothing would."""
        for name, text in typed.items():
            self.page.fill(f"form:has([name={holding}]) [name={name}]", text)
        if unchecked:
            self.page.evaluate("for (const form of document.forms) form.noValidate = true")
        self.clicks(f"form:has([name={holding}]) button")

    def does(self, go: str, **typed: str) -> None:
        """Fill in the form of this button, wherever it is folded away, and press it."""
        self.unfolds()
        for name, value in typed.items():
            field_ = self.page.locator(f"form:has({OFFERED}[value={go}]) [name={name}]").first
            if field_.evaluate("one => one.matches('select')"):
                field_.select_option(value)
            elif field_.evaluate("one => one.matches('[type=checkbox], [type=radio]')"):
                self.page.check(f"form:has({OFFERED}[value={go}]) [name={name}][value='{value}']")
            else:
                field_.fill(value)
        self.presses(go)

    def unfolds(self) -> None:
        self.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")

    def clicks(self, selector: str, language: str = "") -> None:
        def click() -> None:
            with self.page.expect_navigation():
                self.page.locator(selector).first.click()

        self._arrive(click, language)

    def sees(self, selector: str) -> bool:
        return bool(self.page.locator(selector).count())

    def answers(self) -> None:
        """Something for every question, whatever is asked."""
        self.unfolds()
        asked = self.page.evaluate(f"() => {{ {WORDS} {ASKED} }}")
        for name, offered in asked.items():
            for value in ANSWERS.get(name) or offered[:1]:
                if not offered or value in offered:
                    self._answer(name, value, offered)

    def _answer(self, name: str, value: str, offered: list[str]) -> None:
        field_ = self.page.locator(f"[name={name}]")
        if self.sees(f"select[name={name}]"):
            field_.select_option(value)
        elif offered:
            self.page.check(f"[name={name}][value='{value}']")
        else:
            field_.fill(value)

    # what is looked at

    def _arrive(self, go: Callable[[], Any], language: str = "") -> None:
        self._scripts(on=False)
        self.site.journal.template = self._name = ""
        go()
        self._scripts(on=True)  # the page is there; from here on it is us who ask
        self._look_around(language or self.look.language)

    def _scripts(self, *, on: bool) -> None:
        """A window that may run scripts always does."""
        if not self.look.scripts:
            self._switch.send("Emulation.setScriptExecutionDisabled", {"value": not on})

    def _look_around(self, language: str) -> None:
        template = self.site.journal.template
        if not template:
            self._note("a page of ours", [self.page.url.removeprefix(self.site.address)])
            return
        if self._is_known():
            return
        self._name = f"{template} «{' '.join(self.page.locator('h1').all_inner_texts())}»"
        self._spared = SPARED.get(template, frozenset())
        source = Source(self.site.journal.html)
        is_first, is_of_another_shape = template not in self._templates, self._is_of_another_shape(template, source)
        self._templates.add(template)
        self.unfolds()
        in_the_right_language = {"the right language": f"all('html:not([lang={language}])').map(one => one.lang)"}
        if self.look.language != "es" and not is_of_another_shape and not EVERYTHING:
            self._note_all(in_the_right_language)  # the other walk looks at every page; in this one only words differ
            self._remember()
            return
        self._note_all(PROMISES | in_the_right_language)
        self._note("no mistakes in the HTML", self._mended(source))
        if (is_of_another_shape and self.look.language == "es") or is_first or EVERYTHING:
            self._note_axe()  # another language changes neither structure nor colours
            self._take_tab_stops(None if is_first else FIRST_STOPS, has_exit=not HAVE_NO_EXIT.match(template))
        self._make_narrow()
        self._remember()

    def _is_known(self) -> bool:
        """Whether she saw the very same page, but for what is sealed in it."""
        known = len(self._known)
        self._known.add(re.sub(r'value="[^"]{40,}"', "", self.site.journal.html))
        return len(self._known) == known

    def _is_of_another_shape(self, template: str, source: Source) -> bool:
        """Whether anything stands in the page that has not stood in a page of this template, whatever it says."""
        known = len(self._shapes)
        self._shapes |= {(template, *shape) for shape in source.shapes}
        return len(self._shapes) > known

    def _ask(self, script: str) -> list[str]:
        found: list[str] = self.page.evaluate(f"() => {{ {WORDS} return (() => {{ {script} }})().map(tell) }}")
        return found

    def _note_all(self, promises: Mapping[str, str]) -> None:
        table = ", ".join(f"{json.dumps(promise)}: ({script}).map(tell)" for promise, script in promises.items())
        for promise, breaks in self.page.evaluate(f"() => {{ {WORDS} return {{ {table} }} }}").items():
            self._note(promise, breaks)

    def _note(self, promise: str, breaks: list[str]) -> None:
        for what in breaks if promise not in self._spared else ():
            self.seen.broken.setdefault((promise, what), set()).add(self._name)

    def _mended(self, source: Source) -> list[str]:
        there = Counter(self.page.evaluate("[...document.querySelectorAll('*')].map(one => one.localName)"))
        differ = sorted(tag for tag in there | source.started if there[tag] != source.started[tag])
        return source.mistakes + [f"<{tag}>: {source.started[tag]} sent, {there[tag]} in the page" for tag in differ]

    def _note_axe(self) -> None:
        from axe_playwright_python.base import AXE_SCRIPT

        self._switch.send("Runtime.evaluate", {"expression": AXE_SCRIPT})
        for violation in self.page.evaluate("told => axe.run(told).then(found => found.violations)", AXE):
            self._note(f"axe {violation['id']}", [" ".join(map(str, node["target"])) for node in violation["nodes"]])

    def _take_tab_stops(self, most: int | None, *, has_exit: bool) -> None:
        """All of them once for each template; else the first, since no tabindex stands above zero (`PROMISES`)."""
        there = int(self._ask(FROM_THE_TOP)[0])
        for _ in range(there if most is None else min(there, most)):
            self.page.keyboard.press("Tab")
        self._note_all(AFTER_TAB | (ON_PAGES_WITH_EXIT if has_exit else {}))

    def _make_narrow(self) -> None:
        self.page.set_viewport_size({"width": NARROW, "height": self.look.height})
        self._note("nothing scrolls sideways", self._ask(TOO_WIDE))
        self.page.set_viewport_size({"width": self.look.width, "height": self.look.height})

    def _remember(self) -> None:
        links = {urlsplit(link).path for link in self._ask("return all('a[href^=\"/\"]').map(one => one.href)")}
        doors = self.site.app.url_map.bind("127.0.0.1")
        self._note("links lead somewhere", [path for path in links if not doors.test(path)])
        self._links |= {path for path in links if doors.test(path) and is_page(doors.match(path)[0])}
        self.seen.offered |= {kind_of(go) for go in self._ask(f"return all('{OFFERED}').map(one => one.value)")}

    # what nobody has to write a scene for

    def opens_all_of(self, role: str | None) -> None:
        """Every address that needs nothing but a language, for this role or for anybody."""
        for rule in plain_rules(self.site.app, role):
            self.opens(rule.rule.replace("<lang>", "{lang}"), "" if "lang" in rule.arguments else LANGUAGES[0])

    def follows_new_links(self) -> None:
        followed = set[str]()  # a page that is new after that too is found out by `test_no_page_is_forgotten`
        while path := next(filter(self._is_new, sorted(self._links - followed)), None):
            followed.add(path)
            self.opens(path, path.split("/")[1] if path.split("/")[1] in LANGUAGES else LANGUAGES[0])
        self._links = set()

    def _is_new(self, path: str) -> bool:
        endpoint, _ = self.site.app.url_map.bind("127.0.0.1").match(path)
        return (endpoint, "GET") not in self.seen.reached


def kind_of(go: str) -> str:
    """What a button does, without which page or which language."""
    go = re.sub(r"^(?:letter|answer)-next$", "letter-next", go)  # whoever has the case
    return re.sub(r"^(to|lang|right|save|allow|deny|have|unwanted|still|face|fill|assign|junk|close)-.*", r"\1-", go)


def is_page(endpoint: str) -> bool:
    return not {endpoint, endpoint.partition(".")[0]} & NOT_PAGES.keys()


def plain_rules(app: Flask, role: str | None) -> list[Rule]:
    def is_for(rule: Rule) -> bool:
        roles = getattr(app.view_functions[rule.endpoint], "roles", ())
        return role in roles if role else not roles

    plain = [rule for rule in app.url_map.iter_rules() if rule.arguments <= {"lang"} and "GET" in (rule.methods or ())]
    return [rule for rule in plain if is_page(rule.endpoint) and is_for(rule)]


# ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────

ASKED = """const asked = {};
    for (const one of all('.c-question :is(input, textarea, select)'))
        (asked[one.name] ??= []).push(...one.options ? [...one.options].map(o => o.value).filter(Boolean)
            : one.matches('[type=radio], [type=checkbox]') ? [one.value] : []);
    return asked"""
# field -> what she answers; where nothing stands here she takes the first
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "safety": ("S_WEAPON",),
    "danger": ("D_BLEEDING",),
    "age": ("A14_17",),
    "when": ("H24",),
    "number": ("5",),
    "violence": ("RAPE", "SERVICE_DENIAL"),
    "condom": ("no",),
    "pregnant_possible": ("yes",),
    "wants": ("W_HEALTH", "W_CONTACT_BACK"),
    "consents": ("C_LETTERS", "C_STATS"),
    "number_to_call": ("987654321",),
    "safe_hours": ("10 a 12",),
    "if_other": ("Una amiga",),
    "code_word": ("luna",),
    "narrative": ("Fue en la noche. Muchasletrassinningúnespacioquenocabenenunalíneadelteléfono.",),
}
# the way on, whatever the page calls it
ONWARD = (f"{OFFERED}[value=next]", "main .o-actions button:not(.c-plain)", "main .o-actions a", "main .c-outline")


def anybody_opens_what_is_open(walk: Walk) -> None:
    walk.opens_all_of(None)


def she_tells(walk: Walk) -> None:
    walk.opens("/{lang}/contar")
    _tells_until(walk, "send")
    walk.answers()  # beside the button that sends: letters, without which nothing can be written to her
    other = next(language for language in LANGUAGES if language != walk.look.language)
    walk.presses(f"lang-{other}", other)
    walk.presses(f"lang-{walk.look.language}")
    walk.presses("to-10")
    walk.presses("check")
    walk.presses("back")
    walk.presses("check")
    walk.presses("send")
    walk.code = " ".join(walk.page.locator(".c-words span").all_inner_texts())
    walk.page.fill("[name=first]", "otra palabra")
    walk.presses("noted")
    walk.presses("more")
    walk.presses("send")
    walk.presses("noted")


def _tells_until(walk: Walk, button: str) -> None:
    for _ in range(20):
        if walk.sees(f"{OFFERED}[value={button}]"):
            return
        if walk.sees(f"{OFFERED}[value=police]") and "police" not in walk.seen.pressed:
            walk.presses("police")
        walk.answers()
        _goes_on(walk)
    pytest.fail(f"no button {button} after twenty pages")


def _goes_on(walk: Walk) -> None:
    way = next(filter(walk.sees, ONWARD))
    walk.seen.pressed |= {kind_of(value)} if (value := walk.page.locator(way).first.get_attribute("value")) else set()
    walk.clicks(way)


def she_leaves_a_message_and_tells_more_afterwards(walk: Walk) -> None:
    walk.opens("/{lang}/contar")
    walk.presses("message")
    _tells_until(walk, "send")
    walk.presses("send")
    walk.presses("tell-more")
    walk.answers()
    walk.presses("save-15")
    walk.answers()
    walk.presses("save-16")


def she_makes_a_mistake_and_waits_too_long(walk: Walk) -> None:
    walk.opens("/{lang}/contar")
    walk.presses("all")
    walk.page.fill("[name=code]", "12")
    walk.presses("code")
    while not walk.sees("[name=number]"):
        _goes_on(walk)
    walk.page.fill("[name=number]", "muchas")
    walk.presses("next")
    walk.page.fill("[name=number]", "3")
    walk.page.check("[name=region][value=OTHER]")
    with mock.patch.dict(walk.site.app.view_functions, {"reporter.take_step": lambda: abort(503)}):
        walk.presses("next")
    walk.clicks("main form button")
    walk.site.place.clock.on(hours=3)
    walk.presses("next")
    walk.site.place.clock.on(days=3.1)
    walk.presses("send")
    walk.opens("/{lang}/contar")
    _goes_on(walk)
    _goes_on(walk)
    walk.site.place.clock.on(hours=3)
    walk.presses("next")
    walk.presses("send")
    walk.presses("help")
    walk.opens("/{lang}/contar")
    _goes_on(walk)
    walk.presses("start")


def she_leaves_in_the_middle(walk: Walk) -> None:
    walk.opens("/{lang}/contar")
    while not walk.sees("form[action='/salir'] button"):
        _goes_on(walk)
    walk.clicks("form[action='/salir'] button", LANGUAGES[0])
    walk.opens("/{lang}/contar")
    walk.presses("other")
    walk.presses("start")


def she_looks_for_help(walk: Walk) -> None:
    walk.opens("/{lang}/ayuda")
    walk.sends("needs", unchecked=True)
    walk.page.select_option("[name=region]", "PE2006")
    walk.page.fill("[name=words]", "abogado")
    walk.page.check("[name=open_now]")
    for need in walk.page.locator("[name=needs]").all():
        need.check()
    walk.page.check("[name=police_shown]")
    walk.sends("needs")


def she_makes_a_sheet_for_the_doctor(walk: Walk) -> None:
    walk.opens("/{lang}/hoja")
    walk.presses("make-sheet")
    walk.page.check("[name=asks] >> nth=0")
    walk.presses("make-sheet")
    walk.presses("help")
    _opens_her_case(walk)
    walk.presses("ask-sheet")
    walk.presses("make-sheet")
    walk.presses("show")


def she_decides_what_may_be_told(walk: Walk) -> None:
    _opens_her_case(walk)
    _looks_at_a_proposal(walk)
    walk.presses("show")
    number = _looks_at_a_proposal(walk)
    walk.presses("no")
    walk.presses("show")
    walk.clicks(f"{PROPOSAL}[value='{number}']")
    walk.presses("yes")
    walk.presses("show")
    _looks_at_a_proposal(walk, "last")
    walk.presses("no")
    walk.presses("show")
    walk.does("handover-no")


def _opens_her_case(walk: Walk) -> None:
    walk.opens("/{lang}/volver")
    walk.sends("code", code=walk.code)
    walk.unfolds()


PROPOSAL = "form[action$='/propuesta'] button"


def _looks_at_a_proposal(walk: Walk, which: str = "first") -> str:
    """Open one of those that she is asked; its number."""
    place = f"{PROPOSAL} >> nth={ ({'first': 0, 'last': -1}[which]) }"
    number = walk.page.locator(place).get_attribute("value")
    walk.clicks(place)
    return number or ""


def she_adds_and_changes(walk: Walk) -> None:
    _opens_her_case(walk)
    walk.presses("ask-more")
    walk.sends("text", unchecked=True)
    walk.does("add", text="Me acordé de algo.")
    walk.does("right-1")
    walk.presses("save-1")
    walk.does("right-1")
    walk.page.fill("[name=number]", "muchas")
    walk.presses("save-1")
    walk.presses("show")
    walk.does("ask-reach")
    walk.sends("number_to_call", unchecked=True)
    walk.does("reach", number_to_call="999 111 222", channel="CALL")
    walk.does("deny-C_STATS")
    walk.does("allow-C_STATS")
    for paper in ("proof", "statement"):
        walk.does(paper)
        walk.presses("show")
    if walk.sees(f"{OFFERED}[value=police]"):
        walk.does("police")


def she_comes_back_and_erases(walk: Walk) -> None:
    walk.opens("/{lang}/volver")
    walk.sends("code", code="12")
    _opens_her_case(walk)
    walk.sends("text", unchecked=True)
    walk.does("write", text="Gracias, ya fui.")
    walk.does("handover-yes")
    walk.does("ask-erase")
    walk.presses("show")
    walk.does("ask-erase")
    walk.presses("erase")


# ── working ─────────────────────────────────────────────────────────────────────────────────────────────────


def the_case_worker_reads_and_answers(walk: Walk) -> None:
    rosa = walk.site.place.workers["rosa"]
    walk.opens("/{lang}/equipo")
    _signs_in(walk, rosa, code="000000")
    _signs_in(walk, rosa)
    walk.clicks(".queue-unread h2 a")
    walk.case = urlsplit(walk.page.url).path
    walk.does("letter")
    walk.does("fill-found_place", text="Te leímos.")
    walk.does("letter")
    walk.does("letter", text="Te leímos. Puedes ir hoy.")
    walk.does("answer", text="Aquí estamos.")
    walk.does("letter-next", text="Seguimos aquí.")
    walk.opens(walk.case)
    walk.does("contact")
    walk.does("note", text="Llamar mañana.")
    walk.does("reach", number_to_call="999 111 222", channel="CALL", text="Hoy, por teléfono.")
    walk.does("risk", text="Su pareja contesta el celular.")
    walk.does("label", labels="hostal, urgente")
    walk.does("assign")
    _plans_what_is_next(walk)
    _she_said_aloud(walk)
    _proposes_services(walk)
    walk.does("ask-hand-over", reason="Están más cerca.")
    walk.does("mark", mark="not_a_report", because="UNTRUE", reason="No cuadra.")
    walk.does("unmark", reason="Sí cuadra.")
    walk.does("mark")
    _sets_an_answer_right(walk)
    _fills_in_plans(walk)
    _asks_for_danger_again(walk)
    walk.opens("/{lang}/equipo/caso/999999")
    _writes_letters_for_the_team(walk)
    _calls_for_an_afternoon(walk)
    walk.opens_all_of(CASE_WORKER)
    walk.follows_new_links()
    _signs_out(walk)


def _writes_letters_for_the_team(walk: Walk) -> None:
    walk.opens("/{lang}/equipo/cartas")
    own = {f"title_{walk.look.language}": "Quién está hoy", f"text_{walk.look.language}": "Hoy está Rosa."}
    walk.does("keep")  # the first of them, in the place of the shipped one
    walk.does("take-out")
    walk.unfolds()
    last = "details:last-of-type form:has([name=letter][value=''])"
    walk.clicks(f"{last} >> nth=-1 >> [value=keep]")  # nothing is written: it comes back
    for name, text in own.items():
        walk.page.locator(f"[name={name}]").last.fill(text)
    walk.clicks(f"{last} >> nth=-1 >> [value=keep]")


def _calls_for_an_afternoon(walk: Walk) -> None:
    walk.opens("/{lang}/equipo/directorio/vacios/PE25")
    walk.opens("/{lang}/equipo/directorio/llamadas/PE25")
    walk.clicks("main .o-actions a")
    walk.presses("nobody")
    if walk.sees("[name=phone]"):  # an earlier walk may have learned it
        walk.page.fill("[name=phone]", "061 570000")
    walk.presses("learned")
    walk.presses("skip")
    walk.opens("/{lang}/equipo/directorio")
    walk.sends("q", q="linea")


def _changes_the_directory(walk: Walk) -> None:
    walk.opens("/{lang}/equipo/directorio")
    for go in ("told", "called"):
        walk.opens("/{lang}/equipo/directorio/nuevo")
        walk.presses(go)  # nothing is answered: it comes back
        walk.page.select_option("[name=service_type]", "PEER_SW")
        walk.page.select_option("[name=where]", "PE2501")
        walk.page.fill("[name=name]", f"Casa {go} {len(walk.seen.pressed)}")
        walk.page.fill("[name=phone]", "575555")
        walk.page.fill("[name=hours]", "lunes a viernes 8 a 16")
        walk.presses(go)
    walk.opens("/{lang}/equipo/directorio/traer")
    wild = {"name": "lista.csv", "mimeType": "text/csv", "buffer": b"nombre;tipo\n;posta\n"}
    for go in ("look", "store"):
        walk.page.set_input_files("[name=file]", wild)
        walk.presses(go)
    walk.opens("/{lang}/equipo/directorio/servicio/linea100")
    walk.presses("confirm")
    for day in ("ayer", "2026-11-24"):
        _unfolds(walk, "main details summary", "[name=why]")
        _unfolds(walk, "#rest summary", "[name=verified_on]")
        walk.page.fill("[name=verified_on]", day)
        walk.page.fill("[name=why]", "llamada")
        walk.presses("edit")
    for go in ("stop", ""):
        _asks_for_another_number(walk)
        if go:
            _decides(walk, go, walk.site.place.workers["carmen"])


def _asks_for_another_number(walk: Walk) -> None:
    """It waits: it is a line of the whole country."""
    _unfolds(walk, "main details summary", "[name=why]")
    walk.page.fill("[name=phone]", f"90000000{len(walk.seen.pressed) % 10}")
    walk.page.fill("[name=why]", "llamada")
    _unfolds(walk, "#second summary", "form:has(button[value=edit]) [name=code]")
    _proves(walk, walk.site.place.workers["carmen"], "form:has(button[value=edit])")
    walk.presses("edit")


def _decides(walk: Walk, go: str, who: Worker) -> None:
    form = f"form:has(button[value={go}])"
    _proves(walk, who, form)
    walk.seen.pressed.add(go)
    walk.clicks(f"{form} button[value={go}]")


def _watches_over_the_directory(walk: Walk) -> None:
    """A second person agrees; then somebody writes into the database, and she stands for what is there."""
    rosa = walk.site.place.workers["rosa"]
    _signs_in_anew(walk, rosa, "directorio/servicio/linea100")
    _decides(walk, "agree", rosa)
    with writing(walk.site.place.engine) as db:
        db.execute(
            update(ServiceRow)
            .where(ServiceRow.id == "cem-regular-pucallpa-25")
            .values(phone=f"061 57{walk.site.place.clock():.0f}")
        )
    walk.opens("/{lang}/equipo/directorio")
    walk.opens("/{lang}/equipo/directorio/vigilancia")
    _decides(walk, "sign", rosa)
    _signs_out(walk)


def _plans_what_is_next(walk: Walk) -> None:
    for step in ("tomorrow", "done"):
        walk.clicks(f"[name=step][value={step}]")
    walk.does("plan-step", text="Llevarle la copia.", day="nunca")
    walk.does("plan-step", text="Llevarle la copia.")
    walk.does("pass-on", text="No la llames: el celular lo tiene él.")
    walk.unfolds()
    walk.clicks("[name=step][value=nobody]")


def _she_said_aloud(walk: Walk) -> None:
    walk.unfolds()
    walk.page.locator("form:has([name=step][value=yes]) textarea").fill("Me lo dijo hoy por teléfono.")
    walk.clicks("[name=step][value=yes]")


def _proposes_services(walk: Walk) -> None:
    """Two to ask her about, a third by what she says aloud, and one for which a second case worker is asked."""
    offered = walk.page.locator("#p-service option").evaluate_all("all => all.map(one => one.value)")
    for service in offered[:2]:
        walk.does("propose", service=service, fields="violence")
    walk.does("propose", service=offered[0], fields="violence")
    walk.does("protect", service=offered[2], reason="Vive con quien la agrede.")
    walk.does("propose", service=offered[3], fields="narrative")
    for step in ("agree", "send", "accept"):
        walk.unfolds()
        walk.clicks(f"[name=step][value={step}] >> nth=-1")
    walk.does("appoint", time="tarde", place="piso 2")  # no time: it comes back
    walk.does("appoint", time="9:30", place="piso 2", ask_for="Nelly", word="limón")
    walk.clicks("a[href*='/hoja/'] >> nth=-1")
    walk.opens(walk.case)
    walk.does("unappoint")


def _sets_an_answer_right(walk: Walk) -> None:
    walk.opens(f"{walk.case}/respuestas/2")
    walk.sends("reason")
    walk.sends("reason", reason="Me lo dijo por teléfono.")
    walk.opens(f"{walk.case}/respuestas/2")
    walk.clicks("button[name=said]")


def _fills_in_plans(walk: Walk) -> None:
    """Both plans; what a colleague filled in she looks at as the second person; the sheet to print."""
    for kind, field_ in (("caso", "goal1"), ("seguridad", "danger")):
        walk.opens(f"{walk.case}/planes/{kind}")
        walk.sends("review", review="ayer")
        if kind == "seguridad":
            walk.page.check("[name=shown][value=yes]")
        walk.sends("review", review="28/02/2027", **{field_: "Viene el día que cobro."})
    place = walk.site.place
    keys, olga = place.signs_in("rosa"), place.workers["olga"].id
    with (
        writing(place.engine) as db,
        cases_desk.at_desk(db, keys, int(walk.case.split("/")[-1]), place.clock(), "changed") as case_file,
    ):
        plans.fill(case_file, olga, SAFETY_PLAN, {"word": "¿Tienes mi cargador?"}, None, place.clock())
    walk.opens(f"{walk.case}/planes")
    walk.sends("number")
    walk.opens(f"{walk.case}/planes/seguridad/hoja")


def _asks_for_danger_again(walk: Walk) -> None:
    walk.opens(f"{walk.case}/peligro")
    walk.sends("signs", reason="Me lo dijo hoy.")
    walk.page.check("[name=none]")
    walk.sends("signs")
    walk.opens(f"{walk.case}/peligro")


def the_case_worker_writes_down_what_she_hears(walk: Walk) -> None:
    _signs_in_anew(walk, walk.site.place.workers["rosa"], "voz")
    walk.presses("to-1")
    walk.presses("back")
    walk.presses("check")
    walk.presses("to-0")
    _tells_until(walk, "send")
    walk.presses("back")
    walk.presses("back")
    walk.presses("check")
    walk.presses("send")
    walk.clicks("main .c-outline")
    told = urlsplit(walk.page.url).path
    short = walk.page.locator("h1").inner_text().split()[-1]
    _the_queue_in_one_go(walk, told.split("/")[-1], short)
    walk.opens(walk.case)
    walk.does("link", alias="nadie")
    walk.does("link", alias=short)
    walk.does("ask-hand-over", reason="Preguntamos otra vez.")
    walk.opens(told)
    walk.does("reopen", reason="Llamó otra vez.")
    walk.does("close-RECORD_ONLY", reason="Así lo quiso.")
    walk.does("close-RECORD_ONLY", reason="Así lo quiso.", knows="y")
    walk.does("reopen", reason="Llamó otra vez.")
    walk.does("ask-hand-over", reason="Están más cerca.")
    walk.does("handed")
    _signs_out(walk)


def _the_queue_in_one_go(walk: Walk, case: str, short: str) -> None:
    walk.opens("/{lang}/equipo/casos?folder=all")
    walk.does("words", words="noche teléfono")
    walk.does("words", words="ninguna-así")
    walk.opens("/{lang}/equipo/casos?folder=all")
    walk.does("assign-0")
    at_once = {"assign-0": {}, "label": {"label": "voz"}, "close": {"outcome": "REACHED", "reason": "Ya."}}
    for go, typed in at_once.items():
        walk.opens("/{lang}/equipo/casos?folder=all")
        walk.does(go, cases=case, **typed)
    walk.opens("/{lang}/equipo/casos?folder=closed")
    walk.does("view")
    walk.does("find", name=short)
    walk.opens("/{lang}/equipo/casos?folder=closed")
    walk.does("find", name="ninguna-así")
    walk.opens("/{lang}/equipo/casos?folder=all")
    walk.does("junk", cases=case, reason="Propaganda.")
    walk.does("junk-ads", cases=case)
    walk.opens("/{lang}/equipo/casos?folder=doubtful")
    with writing(walk.site.place.engine) as db:
        db.execute(delete(TakenRow))
    walk.opens("/{lang}/equipo/casos?folder=all")
    walk.does("restored", day="el otro día", reason="Se dañó el disco.")
    walk.does("restored", day="14/01/2027", reason="Se dañó el disco.")


def _signs_in(walk: Walk, who: Worker, code: str = "") -> None:
    walk.site.place.clock.on(minutes=1)
    right = members.totp_code(who.totp, walk.site.place.clock())
    walk.sends("password", name=who.name, password=who.password, code=code or right)


def _signs_out(walk: Walk) -> None:
    walk.opens("/{lang}/equipo/yo")
    walk.clicks("form[action$='/equipo/olvidar'] button")
    walk.opens("/{lang}/equipo/yo")
    walk.clicks("form[action$='/equipo/salir'] button")


def the_coordinator_invites_a_colleague(walk: Walk) -> None:
    walk.opens("/{lang}/equipo")
    _signs_in(walk, walk.site.place.workers["carmen"])
    _changes_the_directory(walk)
    walk.opens("/{lang}/equipo/turnos")
    for ends in ("8", "13"):
        walk.page.fill("[name=from0]", "9")
        walk.page.fill("[name=to0]", ends)
        walk.sends("off")
    walk.opens("/{lang}/equipo/personas")
    walk.sends("role", name="A B", unchecked=True)
    walk.page.check(f"[name=role][value={CASE_WORKER}]")
    name = f"nueva{len(walk.site.place.workers)}"
    walk.sends("role", name=name, **_proof(walk, walk.site.place.workers["carmen"]))
    code = walk.page.locator(".c-code").inner_text().strip()
    walk.page.check("[name=role][value=advocate]")
    walk.sends("role", name=f"{name}b", **_proof(walk, walk.site.place.workers["carmen"]))
    for _ in range(2):  # the newest is the first
        walk.page.locator("[name=invitation]").first.check()
        walk.sends("invited", invited=f"{name}b", **_proof(walk, walk.site.place.workers["carmen"]))
    walk.opens_all_of(COORDINATOR)
    walk.follows_new_links()
    _signs_out(walk)
    _watches_over_the_directory(walk)
    walk.site.place.workers[name] = _accepts(walk, name, code)
    _the_team_changes(walk, name)


def _the_team_changes(walk: Walk, name: str) -> None:
    """She waits, is let in by telephone, is shut out, comes again, and leaves."""
    people = walk.site.place.workers
    words = _waits(walk, people[name])
    _signs_in_anew(walk, people["rosa"], "companeras")
    new_team = "form[action*='/companeras/equipo/']"
    walk.page.locator(f"{new_team} textarea").fill("abeja abeja")
    _proves(walk, people["rosa"], new_team)
    walk.clicks(f"{new_team} button")
    for typed in ("abeja abeja", words):
        walk.page.locator(f"{_card(name)} [name=words]").fill(typed)
        _presses_beside(walk, name, "let-in", people["rosa"])
    _presses_beside(walk, name, "end", people["rosa"], folded=True)
    _signs_out(walk)
    _signs_in_anew(walk, people["carmen"], "personas")
    _presses_beside(walk, name, "dismiss", people["carmen"], folded=True)
    _presses_beside(walk, name, "stop", people["carmen"])
    _presses_beside(walk, name, "reset", people["carmen"], folded=True)
    code = walk.page.locator(".c-code").inner_text().strip()
    _signs_out(walk)
    _signs_in_anew(walk, people["rosa"], "companeras")
    _presses_beside(walk, name, "confirm", people["rosa"])
    _signs_out(walk)
    _writes_into_the_database(walk.site.place)
    people[name] = _accepts(walk, name, code)
    walk.opens("/{lang}/equipo")
    _signs_in(walk, people["rosa"])  # and reads the news
    walk.clicks("main .c-outline")
    walk.opens("/{lang}/equipo/companeras")
    _presses_beside(walk, name, "take-out", people["rosa"], folded=True)
    _signs_out(walk)


def _waits(walk: Walk, who: Worker) -> str:
    for _ in range(2):
        walk.opens("/{lang}/equipo")
        _signs_in(walk, who)
    walk.opens("/{lang}/equipo/yo")
    words = " ".join(walk.page.locator(".c-words span").all_inner_texts())
    walk.presses("end")
    _unfolds(walk, "details summary", "[name=first]")
    walk.page.fill("[name=first]", "abeja")
    walk.page.fill("[name=second]", "abeja")
    walk.presses("recover")
    walk.page.fill("[name=old]", "no es")
    walk.page.fill("[name=new]", "una que es bastante larga")
    walk.presses("password")
    walk.presses("name")
    _signs_out(walk)
    return words


def _signs_in_anew(walk: Walk, who: Worker, page: str) -> None:
    walk.opens("/{lang}/equipo")
    _signs_in(walk, who)
    walk.opens(f"/{{lang}}/equipo/{page}")


def _card(name: str) -> str:
    return f".c-card:has(h2:text-is('{name}'))"


def _writes_into_the_database(place: Place) -> None:
    """Something that no act explains: the next who signs in is told."""
    with writing(place.engine) as db:
        row = db.scalars(select(MemberRow).where(MemberRow.name == "carmen")).one()
        row.teams = "" if row.teams else "1"


def _proof(walk: Walk, who: Worker) -> dict[str, str]:
    walk.site.place.clock.on(minutes=1)
    return {"password": who.password, "code": members.totp_code(who.totp, walk.site.place.clock())}


def _proves(walk: Walk, who: Worker, form: str) -> None:
    for name, text in _proof(walk, who).items():
        walk.page.locator(f"{form} [name={name}]").first.fill(text)


def _presses_beside(walk: Walk, name: str, button: str, by: Worker, *, folded: bool = False) -> None:
    form = f"{_card(name)} form:has(button[value={button}])"
    way = f"{form} button[value={button}]"
    if folded:
        _unfolds(walk, f"{_card(name)} summary", way)
    _proves(walk, by, form)
    walk.seen.pressed.add(button)
    walk.clicks(way)


def _unfolds(walk: Walk, summary: str, inside: str) -> None:
    """The audit of a page may have left it open."""
    if not walk.page.locator(inside).is_visible():
        walk.page.locator(summary).first.click()


def _accepts(walk: Walk, name: str, code: str) -> Worker:
    """She types the code of her invitation, begins, makes a mistake, and proves what she was shown."""
    walk.opens("/{lang}/equipo/invitacion")
    walk.sends("code", code=code)
    walk.sends("t")
    password = walk.page.locator(".c-code .c-words").first.inner_text().strip()
    totp = members.totp_bytes("".join(walk.page.locator(".c-code").nth(1).locator("span").all_inner_texts()))
    walk.sends("password", unchecked=True, password=password, code="000000")
    if walk.sees("[name=written]"):
        walk.page.check("[name=written]")
    walk.sends("password", password=password, code=members.totp_code(totp, walk.site.place.clock()))
    return Worker(name, password, totp, 0)


def the_advocate_arrives(walk: Walk) -> None:
    walk.opens("/{lang}/equipo")
    _signs_in(walk, walk.site.place.workers["ana"])
    _without_figures(walk.site.place)
    walk.opens_all_of(ADVOCATE)
    walk.follows_new_links()
    for year in ("2025", "2024"):
        walk.opens(f"/{{lang}}/equipo/cifras/preparar?period={year}")
        walk.presses("compile")
        walk.presses("publish")
    walk.opens("/{lang}/cifras")
    walk.opens("/{lang}/cifras/2025")
    _signs_out(walk)


def _without_figures(place: Place) -> None:
    """Each walk makes the releases anew."""
    with writing(place.engine) as db:
        for table in (ArchiveRow, ReleaseMonthRow, ReleaseRow):
            db.execute(delete(table))


def she_says_what_she_has_and_keeps_a_plan(walk: Walk) -> None:
    by_her_partner = Incident(
        about="SELF", age="A25_34", violence=frozenset({"RAPE"}), perpetrator=frozenset({"PARTNER"}), hours=(5.0, 5.0)
    )
    place = walk.site.place
    receipt = place.receives(by_her_partner)
    walk.code = " ".join(receipt.digits())
    _opens_her_case(walk)
    for verb in ("have", "unwanted", "still"):
        walk.unfolds()
        walk.presses(walk.page.locator(f"{OFFERED}[value^={verb}-]").first.get_attribute("value") or "")
    for go in ("keep-plan", "drop-plan"):
        walk.unfolds()
        walk.presses(go)
    keys, case = place.signs_in("rosa"), place.comes_back(receipt).case
    with writing(place.engine) as db, cases_desk.at_desk(db, keys, case, place.clock(), "changed") as case_file:
        actions.close(case_file, keys.member, "RECORD_ONLY", "Así lo quiso.", place.clock())
    _opens_her_case(walk)
    walk.presses("face-GOOD")
    walk.presses("face-none")


def something_fails(walk: Walk) -> None:
    for code in FAILURES:
        walk.opens(f"/{{lang}}/fails/{code}")


def nobody_has_made_keys_yet(walk: Walk) -> None:
    walk.site = site = walk.sites.new
    walk.opens("/{lang}/")
    walk.opens("/{lang}/contar")
    with writing(site.place.engine) as db:
        token = accounts.invite(
            db,
            members.nobody_yet(db),
            Invitation("rosa", (CASE_WORKER,)),
            site.place.settings.pepper,
            site.place.clock(),
        )
    walk.opens("/{lang}/equipo/invitacion/de-antes")
    walk.sends("code", code=token)
    walk.sends("t")
    walk.sends("password", unchecked=True)
    walk.site = walk.sites.running


SCENES: tuple[Callable[[Walk], None], ...] = (
    anybody_opens_what_is_open,
    she_tells,
    she_leaves_a_message_and_tells_more_afterwards,
    she_looks_for_help,
    she_makes_a_sheet_for_the_doctor,
    she_leaves_in_the_middle,
    the_case_worker_reads_and_answers,
    she_decides_what_may_be_told,
    the_case_worker_writes_down_what_she_hears,
    she_adds_and_changes,
    she_comes_back_and_erases,
    the_coordinator_invites_a_colleague,
    the_advocate_arrives,
    she_says_what_she_has_and_keeps_a_plan,
    something_fails,
    nobody_has_made_keys_yet,
    she_makes_a_mistake_and_waits_too_long,
)


def walk_over(browser: Any, sites: Sites, look: Look) -> Seen:
    size = {"width": look.width, "height": look.height}
    window = browser.new_context(viewport=size, color_scheme=look.colours, locale=f"{look.language}-PE")
    window.set_default_timeout(30_000)
    walk = Walk(window, sites, look)
    for scene in SCENES:
        scene(walk)
        walk.follows_new_links()
    window.close()
    return walk.seen
