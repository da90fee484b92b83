"""English on a desk without scripts: every page can be used by everybody, and none is forgotten."""

from __future__ import annotations

from tests.pages.every_page.promises import Promises


class TestEnglishOnADeskWithoutScripts(Promises):
    look = "English on a desk without scripts"
