"""What somebody of the staff sent when the session had ended: sealed to her account, until she has signed in again.

Its only copy lies in the page that asks her to sign in. The key that opens it is her own, which nothing but her
password gives; around it lies a ticket, which dies with its seed. Knows neither forms nor what is done with it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from reporting.clock import DAY, HOUR
from reporting.crypto import sealing
from reporting.crypto.sealing import CannotOpen, SealContext

LIFE = HOUR  # seconds between what was sent and the sign-in
SIGNED_DAYS = 1  # a page of yesterday says still whose it is: no session is older than eight hours
MADE_FOR = re.compile(r"([0-9a-f]{64})\.([0-9]{1,10})\.([0-9]{1,7})\.([0-9a-f]{32})", re.ASCII)
Fields = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """Where it was sent, what stood in the address, what was typed and pressed."""

    path: str
    query: Fields
    form: Fields


def word_of_a_form(server_secret: bytes, token: str, member: int, now: float) -> str:
    """What each form of a session carries: its token, and for whom it was made, which outlives the session."""
    signed = f"{token}.{member}.{int(now) // DAY}"
    return f"{signed}.{_proof(server_secret, signed)}"


def made_for(server_secret: bytes, word: str, now: float) -> tuple[str, int]:
    """(token, member) of a form that we made lately, whether its session is there or not; `CannotOpen` otherwise."""
    spelt = MADE_FOR.fullmatch(word)
    if spelt is None or not hmac.compare_digest(_proof(server_secret, word.rpartition(".")[0]), spelt[4]):
        raise CannotOpen
    if not 0 <= int(now) // DAY - int(spelt[3]) <= SIGNED_DAYS:
        raise CannotOpen
    return spelt[1], int(spelt[2])


def _proof(server_secret: bytes, signed: str) -> str:
    key = sealing.derive(server_secret, "whose form")
    return hmac.digest(key, signed.encode(), "sha256")[:16].hex()


def seal_for(public: bytes, member: int, request: HeldRequest) -> str:
    """A request as only this member opens it, in letters."""
    written = json.dumps(asdict(request), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    return base64.b64encode(sealing.seal_to(public, _place(member), zlib.compress(written))).decode()


def open_for(private: bytes, member: int, sealed: str) -> HeldRequest:
    """The request that `seal_for` was given; `CannotOpen` for everybody else."""
    try:
        raw = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        raise CannotOpen from None
    return HeldRequest(**json.loads(zlib.decompress(sealing.open_with(private, _place(member), raw))))


def _place(member: int) -> SealContext:
    return SealContext("held_request", member, 0, "request", 1)
