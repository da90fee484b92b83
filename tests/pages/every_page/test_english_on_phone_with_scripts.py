"""English on a phone with scripts: every page can be used by everybody, and none is forgotten."""

from __future__ import annotations

from tests.pages.every_page.promises import Promises


class TestEnglishOnAPhoneWithScripts(Promises):
    look = "English on a phone with scripts"
