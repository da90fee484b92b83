"""How much memory this process holds or held, for the benches. Knows nothing of what was measured."""

from __future__ import annotations

import sys
from pathlib import Path

try:
    import resource
except ImportError:  # not on Windows; there nobody tells
    resource = None  # type: ignore[assignment]
MEGABYTE = 1024 * 1024  # bytes
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes; macOS counts them one by one, Linux by the kilobyte


def largest() -> float:
    """Megabytes, the most that it ever held; 0 where the system does not say."""
    if resource is None:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT / MEGABYTE


def now() -> float:
    """Megabytes, as it stands; where the system does not say (not Linux), the most that it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return largest()
    return largest() if resource is None else pages * resource.getpagesize() / MEGABYTE
