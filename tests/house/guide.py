"""The guide of who installs: its page, the commands in it, and the documents that are printed from it.

Whoever installs for the first time has no page to look at, so the same text lies beside the README.
"""

from __future__ import annotations

import html
import os
import re
import tempfile
import textwrap
from functools import cache, partial
from html.parser import HTMLParser
from pathlib import Path

from reporting.app import create_app
from reporting.config import SECRET, make_secrets, read_settings
from reporting.storage.database import open_database, upgrade_tables

DOCUMENTS = {"es": "INSTALAR.md", "en": "INSTALL.md"}
ADDRESS = "/{}/guia/instalar"
WIDE = 118  # signs a line


@cache
def page(language: str) -> str:
    """The page, as an installation without people serves it."""
    with tempfile.TemporaryDirectory() as folder:
        make_secrets(Path(folder), os.urandom(2 * SECRET))
        settings = read_settings({"AMPARO_INSTANCE": folder, "MEMORY_FOLDER": folder, "BASE_URL": "http://localhost"})
        engine = open_database(settings.database_url, settings.time_zone)
        upgrade_tables(engine)
        engine.dispose()
        answer = create_app(settings).test_client().get(ADDRESS.format(language))
        assert answer.status_code == 200, answer.status
        return answer.text


def commands(language: str) -> list[str]:
    """What is typed, line by line, as it stands on the page."""
    return [html.unescape(line) for line in re.findall(r'<code translate="no">([^<]+)</code>', page(language))]


def printed(language: str) -> str:
    """The page as Markdown."""
    main = re.search(r"<main[^>]*>(.*?)(<p class=\"o-actions\">.*)?</main>", page(language), re.DOTALL)
    assert main is not None
    return _Markdown(main[1]).text()


class _Markdown(HTMLParser):
    """Headings, paragraphs, lists and commands; a guide has nothing else."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._blocks: list[str] = []
        self._said, self._command = "", ""
        self._mark, self._indent, self._count = "", "", 0
        self.feed(page)
        self.close()

    def text(self) -> str:
        return "\n\n".join(self._blocks)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 -- of the library
        if tag in {"h1", "h2"}:
            self._mark, self._indent = "#" * int(tag[1]) + " ", ""
        elif tag in {"ol", "ul"}:
            self._count = int(tag == "ol")
        elif tag == "li":
            self._mark, self._count = (f"{self._count}. ", self._count + 1) if self._count else ("- ", 0)
            self._indent = " " * len(self._mark)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"h1", "h2", "p", "li"}:
            self._put()
        elif tag in {"ol", "ul"}:
            self._indent = ""
        elif tag == "code":
            self._command, self._said = self._said.strip(), ""

    def handle_data(self, data: str) -> None:
        self._said += data

    def _put(self) -> None:
        said = " ".join(self._said.split())
        if self._command:
            self._blocks.append(f"{self._indent}    {self._command}")
        elif said:
            fill = partial(textwrap.fill, width=WIDE, break_on_hyphens=False, break_long_words=False)
            self._blocks.append(fill(said, initial_indent=self._mark or self._indent, subsequent_indent=self._indent))
        self._said, self._command, self._mark = "", "", ""
