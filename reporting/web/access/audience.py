"""For whom a page is: its blueprint says so, and how its errors look and whether it may be compressed follow from it.

Knows no blueprint by name, and not who is signed in.
"""

from __future__ import annotations

from flask import Blueprint, current_app, request

HERS = "hers"  # pages of a reporter's trip: an error is told as a step of it
DESK = "desk"  # pages of who works here
DOOR = "door"  # the way in to the desk, for who is not signed in yet
ASSETS = "files"  # what every page loads, on every host
ANYBODY = "anybody"  # pages of more than one audience, told apart by their address
AT_THE_DESK = "equipo"  # the word after the language under which everything of the desk lies


class Pages(Blueprint):
    """The pages of one topic. What somebody has `typed_secrets` into is never packed to be sent again."""

    def __init__(self, name: str, module: str, audience: str = ANYBODY, *, typed_secrets: bool = False) -> None:
        super().__init__(name, module)
        self.audience, self.typed_secrets = audience, typed_secrets


def pages_here() -> Pages | None:
    """The blueprint of this request; None for an address that leads nowhere."""
    blueprint = current_app.blueprints.get(request.blueprint or "")
    return blueprint if isinstance(blueprint, Pages) else None


def is_for(*audiences: str) -> bool:
    """Whether the blueprint of this request is for one of these."""
    blueprint = pages_here()
    return blueprint is not None and blueprint.audience in audiences


def is_at_the_desk() -> bool:
    """Whether this is the desk's, by its blueprint or by its address, also where there is no such page."""
    return is_for(DESK, DOOR) or lies_at_the_desk(request.path)


def lies_at_the_desk(path: str) -> bool:
    """Whether an address lies under that of the desk."""
    return path.split("/")[2:3] == [AT_THE_DESK]


def may_be_packed() -> bool:
    """Whether what was typed may be sealed into a page, to be sent once more: no passwords, no words that open."""
    blueprint = pages_here()
    return blueprint is not None and not blueprint.typed_secrets
