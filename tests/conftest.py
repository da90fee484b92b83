"""For all tests: how Hypothesis searches, and that AMPARO_REQUIRE is spelt right (see needs_of_tests.py)."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.needs_of_tests import demanded

# No deadline: a stretched password takes its time on a busy machine. In CI the same examples every time, so
# that a change is not refused for an older weakness; at home new ones each time.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)


def pytest_configure() -> None:
    """A misspelt AMPARO_REQUIRE stops everything at once."""
    demanded()
