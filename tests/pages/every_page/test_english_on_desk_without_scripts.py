"""Every page in English on a desk without scripts. Its parts are in the three other looks: tried when asked for."""

from __future__ import annotations

import os

import pytest

from tests.pages.every_page.promises import Promises

pytestmark = pytest.mark.skipif(
    os.environ.get("AMPARO_WALKS") != "all",
    reason="each of its parts is in another look; for all four: AMPARO_WALKS=all",
)


class TestEnglishOnADeskWithoutScripts(Promises):
    look = "English on a desk without scripts"
