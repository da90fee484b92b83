"""The files that pages load: style sheet, small script, icon, under addresses that change with them.

Knows nothing of requests and holds nothing of anybody's.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from flask import Blueprint, Response, make_response


@functools.cache
def version_of(name: str) -> str:
    """The address of a file carries its own hash, so that a browser can keep it for good."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:8]


blueprint = Blueprint("assets", __name__)
STATIC = Path(__file__).parent / "static"


@blueprint.get("/s-<version>.css")
def style(version: str) -> Response:
    """The style sheet, under an address that changes with it."""
    return _kept_file("style.css", "text/css", version)


@blueprint.get("/j-<version>.js")
def script(version: str) -> Response:
    """The small optional script: it only makes leaving quicker."""
    return _kept_file("leave.js", "text/javascript", version)


def _kept_file(name: str, mimetype: str, version: str) -> Response:
    answer = make_response((STATIC / name).read_bytes())
    kept = version == version_of(name)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-store"
    answer.mimetype = mimetype
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"  # nobody else learns whether it is in the cache
    return answer
