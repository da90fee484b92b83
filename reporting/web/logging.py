"""What is logged of a failure: its kind and its place in the code, never what somebody typed.

Knows neither requests nor addresses.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

log = logging.getLogger("amparo")


def note_failure(error: Exception) -> None:
    """Log a failure: its kind and its place in the code, without what anybody typed."""
    log.error(what_failed(error))


def what_failed(error: BaseException) -> str:
    """Kind and place in the code; the message is left out, it may hold what she typed."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-4:]))
    return f"{type(error).__name__} at {places}"


def discreet(record: logging.LogRecord) -> bool:
    """A filter for the web server's own log, which likes to name paths and messages: only what failed goes through."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return False
    record.msg, record.args, record.exc_info, record.exc_text = what_failed(error), (), None, None
    return True
