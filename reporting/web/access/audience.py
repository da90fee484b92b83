"""For whom a page is: its blueprint says so, and how its errors look follows from it.

Knows no blueprint by name, and not who is signed in.
"""

from __future__ import annotations

from flask import Blueprint, request

from reporting.web.access.traits import Limits, here

HERS = "hers"  # pages of a reporter's trip: an error is told as a step of it
DESK = "desk"  # pages of who works here
DOOR = "door"  # the way in to the desk, for who is not signed in yet
ASSETS = "files"  # what every page loads, on every host
ANYBODY = "anybody"  # pages of more than one audience, told apart by their address
AT_THE_DESK = "equipo"  # the word after the language under which everything of the desk lies


class Pages(Blueprint):
    """The pages of one topic: for whom they are, and what a request for one counts as where its route says nothing."""

    def __init__(self, name: str, module: str, audience: str = "", *, limit: str = "") -> None:
        super().__init__(name, module)
        self.audience = audience
        self.limits: Limits = {limit: None} if limit else {}


def is_for(*audiences: str) -> bool:
    """Whether the page of this request is for one of these; never for an address that leads nowhere."""
    return here().audience in audiences


def is_at_the_desk() -> bool:
    """Whether this is the desk's, by its blueprint or by its address, also where there is no such page."""
    return is_for(DESK, DOOR) or lies_at_the_desk(request.path)


def lies_at_the_desk(path: str) -> bool:
    """Whether an address lies under that of the desk."""
    return path.split("/")[2:3] == [AT_THE_DESK]
