"""Sealing: the only module that speaks to `cryptography`.

Every seal is bound to its context, so what was moved, cut, swapped or is older does not open, and there is one
error, `CannotOpen`, for every way of failing. Is handed its keys; knows neither database nor web. Sources: RFC
9180 (HPKE) with the hybrid KEM of draft-ietf-hpke-pq, RFC 5869, RFC 8032, RFC 9106, RFC 6238. The format is
fixed by tests/vectors/*.json.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography.exceptions import AlreadyFinalized, InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from reporting.errors import AmparoError

FORMAT = 1  # first byte of everything sealed; a new format gets a new number
AEAD_ID = b"\x00\x02"  # AES-256-GCM in the HPKE registry
SUITE_ID = b"\x64\x7a" + b"\x00\x01" + AEAD_ID  # ML-KEM-768 with X25519, HKDF-SHA256, AES-256-GCM
KEY = 32  # bytes of a symmetric key
TAG = 16  # bytes, by which a seal is known to be whole
NONCE = 12  # bytes; random, one key seals far fewer than 2^32 records
SMALLEST = 512  # bytes; the shortest padded length
LENGTH = 4  # bytes before padded data that say how long it is
PRIVATE = 96  # bytes of a hybrid private key: ML-KEM seed 64, X25519 32
PUBLIC = 1216  # bytes of a hybrid public key: ML-KEM 1184, X25519 32
TOTP_STEP = 30  # seconds
TOTP_SECRET = 20  # bytes, as authenticator apps expect for SHA-1
TOTP_HASH = SHA1()  # noqa: S303 -- what authenticator apps compute (RFC 6238); HMAC does not need more
_suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class CannotOpen(AmparoError):
    """The seal is broken, belongs elsewhere, is older or was never ours. Why is deliberately not said."""


@dataclass(frozen=True, slots=True)
class SealContext:
    """Where a sealed thing belongs. `owner` is a case, team, member or session; `version` counts its changes."""

    table: str
    owner: int
    record: int
    kind: str
    version: int

    def to_bytes(self) -> bytes:
        """One unambiguous spelling: each part led by its length."""
        parts = (
            b"amparo",
            bytes([FORMAT]),
            self.table.encode(),
            _number(self.owner),
            _number(self.record),
            self.kind.encode(),
            _number(self.version),
        )
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big")


@contextmanager
def _one_error() -> Iterator[None]:
    try:
        yield
    except (InvalidTag, TypeError, ValueError, AlreadyFinalized, InvalidSignature, OverflowError) as problem:
        raise CannotOpen from problem


# ── lengths ─────────────────────────────────────────────────────────────────────────────────────────────────


def pad(data: bytes, smallest: int = SMALLEST) -> bytes:
    """Fill up to a power of two, at least `smallest` bytes, so that a length tells nearly nothing."""
    size = smallest
    while size < len(data) + LENGTH:
        size *= 2
    return len(data).to_bytes(4, "big") + data + bytes(size - 4 - len(data))


def unpad(padded: bytes) -> bytes:
    """The bytes given to `pad`; `CannotOpen` when the length or the filling is not as `pad` makes it."""
    length = int.from_bytes(padded[:4], "big")
    data, filling = padded[4 : 4 + length], padded[4 + length :]
    if len(data) != length or any(filling):
        raise CannotOpen
    return data


# ── under a key ─────────────────────────────────────────────────────────────────────────────────────────────


def new_key() -> bytes:
    """256 random bits."""
    return os.urandom(KEY)


def seal(key: bytes, place: SealContext, data: bytes, smallest: int = SMALLEST) -> bytes:
    """A record under a key: format, cipher, nonce, padded ciphertext. It opens only at `place`."""
    return wrap(key, place, pad(data, smallest))


def open_sealed(key: bytes, place: SealContext, sealed: bytes) -> bytes:
    """What `seal` was given, or `CannotOpen`."""
    return unpad(unwrap(key, place, sealed))


def wrap(key: bytes, place: SealContext, secret: bytes) -> bytes:
    """Like `seal` without padding: for keys, whose length tells nothing."""
    nonce = os.urandom(NONCE)
    return bytes([FORMAT]) + AEAD_ID + nonce + AESGCM(key).encrypt(nonce, secret, place.to_bytes())


def unwrap(key: bytes, place: SealContext, wrapped: bytes) -> bytes:
    """What `wrap` was given, or `CannotOpen`."""
    with _one_error():
        if wrapped[:3] != bytes([FORMAT]) + AEAD_ID:
            raise CannotOpen
        return AESGCM(key).decrypt(wrapped[3 : 3 + NONCE], wrapped[3 + NONCE :], place.to_bytes())


def is_under_a_key(sealed: bytes) -> bool:
    """Whether it looks as if `wrap` had made it."""
    return sealed[:3] == bytes([FORMAT]) + AEAD_ID and len(sealed) >= 3 + NONCE + TAG


def look_through(key: bytes, sealed: bytes) -> bytes:
    """What `wrap` was given if this is its key, wherever it belongs; else noise. Nothing is verified: never read it.

    For searching what must not be there. The cipher of AES-GCM is AES-CTR that begins at 2 (NIST SP 800-38D, 7.1).
    """
    with _one_error():
        begin = sealed[3 : 3 + NONCE] + (2).to_bytes(4, "big")
        return Cipher(AES(key), CTR(begin)).decryptor().update(sealed[3 + NONCE : -TAG])


# ── for somebody ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A hybrid key pair. `private` is 96 bytes, `public` 1216; losing either half of the maths is survived."""

    private: bytes
    public: bytes


def new_key_pair(seed: bytes | None = None) -> KeyPair:
    """A pair from 96 random bytes, or from 96 bytes kept elsewhere (the recovery sheets)."""
    private = os.urandom(PRIVATE) if seed is None else seed
    with _one_error():
        lattice = MLKEM768PrivateKey.from_seed_bytes(private[:64]).public_key().public_bytes_raw()
        curve = X25519PrivateKey.from_private_bytes(private[64:]).public_key().public_bytes_raw()
    return KeyPair(private, lattice + curve)


def seal_to(public: bytes, place: SealContext, data: bytes, smallest: int = SMALLEST) -> bytes:
    """Padded and sealed so that only the holder of the private half opens it, at `place`."""
    with _one_error():
        key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:1184]),
            X25519PublicKey.from_public_bytes(public[1184:]),
        )
        body = _suite.encrypt(pad(data, smallest), key, info=place.to_bytes())
    return bytes([FORMAT]) + SUITE_ID + body


def open_with(private: bytes, place: SealContext, sealed: bytes) -> bytes:
    """What `seal_to` was given, or `CannotOpen`."""
    return Opener(private).open(place, sealed)


class Opener:
    """A private key made ready, which takes 0.1 ms; whoever opens many seals makes it ready once."""

    def __init__(self, private: bytes) -> None:
        """`CannotOpen` when the bytes are no private key."""
        with _one_error():
            if len(private) != PRIVATE:
                raise CannotOpen
            self._key = MLKEM768X25519PrivateKey(
                MLKEM768PrivateKey.from_seed_bytes(private[:64]),
                X25519PrivateKey.from_private_bytes(private[64:]),
            )

    def open(self, place: SealContext, sealed: bytes) -> bytes:
        """What `seal_to` was given, or `CannotOpen`."""
        with _one_error():
            if sealed[:7] != bytes([FORMAT]) + SUITE_ID:
                raise CannotOpen
            return unpad(_suite.decrypt(sealed[7:], self._key, info=place.to_bytes()))


# ── keys out of secrets ─────────────────────────────────────────────────────────────────────────────────────


def derive(secret: bytes, purpose: str, salt: bytes = b"", length: int = KEY) -> bytes:
    """A key for one purpose out of a strong secret (HKDF-SHA256)."""
    return HKDF(SHA256(), length, salt or None, b"amparo/1/" + purpose.encode()).derive(secret)


def stretch_password(password: str, salt: bytes, pepper: bytes) -> bytes:
    """A key out of a password: Argon2id, 64 MiB, three rounds. About 0.15 s: never inside a transaction."""
    kdf = Argon2id(salt=salt, length=KEY, iterations=3, lanes=1, memory_cost=64 * 1024, secret=pepper)
    return kdf.derive(password.encode())


def stretch_receipt(numbers: tuple[int, ...], pepper: bytes) -> tuple[bytes, bytes]:
    """(tag to look a case up, key that unwraps it) out of a receipt: Argon2id, 8 MiB, one round.

    The receipt holds 77 random bits, so the cost only has to slow down, not to save, it (RFC 9106).
    """
    typed = b"".join(number.to_bytes(2, "big") for number in numbers)
    kdf = Argon2id(salt=b"amparo receipt 1", length=2 * KEY, iterations=1, lanes=1, memory_cost=8 * 1024, secret=pepper)
    both = kdf.derive(typed)
    return both[:KEY], both[KEY:]


def digest(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


class KeyedDigest:
    """HMAC-SHA256 with a key made ready, which saves half: who holds it knows something again, and nobody else does."""

    def __init__(self, key: bytes) -> None:
        self._ready = hmac.new(key, digestmod="sha256")

    def of(self, data: bytes) -> bytes:
        """32 bytes; takes about 2 µs."""
        fresh = self._ready.copy()
        fresh.update(data)
        return fresh.digest()


def same(first: bytes, other: bytes) -> bool:
    """Equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(first, other)


# ── signatures ──────────────────────────────────────────────────────────────────────────────────────────────


def new_signing_pair(seed: bytes | None = None) -> KeyPair:
    """An Ed25519 pair, 32 bytes each; from a seed of 32 bytes always the same."""
    key = Ed25519PrivateKey.from_private_bytes(seed) if seed else Ed25519PrivateKey.generate()
    return KeyPair(key.private_bytes_raw(), key.public_key().public_bytes_raw())


def sign(private: bytes, message: bytes) -> bytes:
    """64 bytes that only the holder of `private` could have made."""
    return Ed25519PrivateKey.from_private_bytes(private).sign(message)


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature fits."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


# ── the six digits of the second factor ─────────────────────────────────────────────────────────────────────


def new_totp_secret() -> bytes:
    """160 random bits."""
    return os.urandom(TOTP_SECRET)


def totp_code(secret: bytes, at: float) -> str:
    """The six digits an authenticator app shows at that time (seconds since 1970)."""
    return TOTP(secret, 6, TOTP_HASH, TOTP_STEP, enforce_key_length=False).generate(int(at)).decode()


def totp_counter(secret: bytes, code: str, at: float, last: int) -> int | None:
    """The counter of a right and unused code, one step early or late forgiven; None if it is wrong or was used."""
    hotp = HOTP(secret, 6, TOTP_HASH, enforce_key_length=False)
    now = int(at) // TOTP_STEP
    for counter in (now - 1, now, now + 1):
        if counter > last and same(hotp.generate(counter), code.encode("utf-8", "replace")):
            return counter
    return None
