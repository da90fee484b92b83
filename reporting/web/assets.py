"""The files that pages load: style sheet, small script, icon, under addresses that change with them.

Knows nothing of requests and holds nothing of anybody's.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path

from flask import Response, make_response

from reporting.web.access.audience import ASSETS, Pages
from reporting.web.access.traits import compressible
from reporting.web.limits import TURNING

blueprint = Pages("assets", __name__, ASSETS, limit=TURNING)
STATIC = Path(__file__).parent / "static"
# What only people need in a style sheet: comments, white space beside signs, the last semicolon of a rule.
# It is asked twice, since a comment that was taken out leaves white space on both its sides.
FOR_READERS = re.compile(rb"/\*.*?\*/|(?<=[{};:,])\s+|\s+(?=[{}])|;(?=\s*})", re.DOTALL)


@functools.cache
def served(name: str) -> bytes:
    """A file as it travels; a style sheet without what only its readers need. No string of ours looks like that."""
    whole = (STATIC / name).read_bytes()
    return FOR_READERS.sub(b"", FOR_READERS.sub(b"", whole)).strip() if name.endswith(".css") else whole


@functools.cache
def version_of(name: str) -> str:
    """The address of a file carries its own hash, so that a browser can keep it for good."""
    return hashlib.sha256(served(name)).hexdigest()[:8]


@blueprint.get("/s-<version>.css")
@compressible
def style(version: str) -> Response:
    """The style sheet, under an address that changes with it."""
    return _kept_file("style.css", "text/css", version)


@blueprint.get("/j-<version>.js")
@compressible
def script(version: str) -> Response:
    """The small optional script: it only makes leaving quicker."""
    return _kept_file("leave.js", "text/javascript", version)


def _kept_file(name: str, mimetype: str, version: str) -> Response:
    answer = make_response(served(name))
    kept = version == version_of(name)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-store"
    answer.mimetype = mimetype
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"  # nobody else learns whether it is in the cache
    return answer
