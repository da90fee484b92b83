"""Every page in the looks between the first and the last: each pair of language, width and scripts. When asked for."""

from __future__ import annotations

import os

import pytest

from tests.pages.every_page.promises import Promises

pytestmark = pytest.mark.skipif(
    os.environ.get("AMPARO_WALKS") != "all",
    reason="each of its parts is in another look; for all of them: AMPARO_WALKS=all",
)


class TestSpanishOnADeskWithScripts(Promises):
    look = "Spanish on a desk with scripts"


class TestEnglishOnAPhoneWithScripts(Promises):
    look = "English on a phone with scripts"


class TestEnglishOnADeskWithoutScripts(Promises):
    look = "English on a desk without scripts"
