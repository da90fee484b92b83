"""Larger bodies than usual: for a page that says so, and only from who is signed in and may use it.

Everybody else may send what a form of words needs. Knows no page.
"""

from __future__ import annotations

from flask import Flask, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from reporting.web.access.auth import resume
from reporting.web.access.traits import here
from reporting.web.limits import LARGEST_BODY

WORDS = 64 * 1024  # bytes beside the file, for the other fields of its form


def make_room() -> None:
    """Before a body is read: how much of it this request may hold."""
    room, g.too_large = _room()
    if room != LARGEST_BODY:
        request.max_content_length = room


def room_for(app: Flask, method: str, path: str, cookies: str) -> int:
    """Bytes of a body that the web server keeps of a request, asked before there is one."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_COOKIE": cookies,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    with app.request_context(environ):
        return _room()[0]


def _room() -> tuple[int, str]:
    """How much this request may hold, and what is said of more; nothing special said where nothing special is taken."""
    size, otherwise = here().room
    return (size + WORDS, otherwise) if size and _may_use() else (LARGEST_BODY, "")


def _may_use() -> bool:
    try:
        keys = resume() if request.method == "POST" else None
    except SQLAlchemyError:
        return False
    page = current_app.view_functions[request.endpoint or ""]
    return keys is not None and bool(set(getattr(page, "roles", ())) & set(keys.roles))
