"""English on a desk with scripts: every page can be used by everybody, and none is forgotten."""

from __future__ import annotations

from tests.pages.every_page.promises import Promises


class TestEnglishOnADeskWithScripts(Promises):
    look = "English on a desk with scripts"
