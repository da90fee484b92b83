"""Units of time in seconds, once for all. A constant that counts in anything else says so in its name."""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60
QUARTER: Final = 15 * MINUTE
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
