"""What a release costs, measured over invented tallies: the very code, with keys that are thrown away.

Reads no installation.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator

from reporting.cases.case_file import seal_tally
from reporting.crypto import sealing
from reporting.figures import releases, tables
from reporting.figures import tallies as sealed_tallies
from reporting.figures.noise import laplace
from reporting.operations.bench import memory
from reporting.teams.keyring import EpochKeys, Keys
from reporting.teams.team_log import STATISTICS, Epoch, Team
from reporting.vocabulary.tally import FIRST_YEAR, MONTHS, TALLY_BYTE, TALLY_CODES, TALLY_FORMAT, TALLY_SIZE

OPENED = 10_000  # sealed tallies
DISTINCT = 200  # of them; the rest are the same bytes again, opened as if they were others


def measure(reports: int, clock: Callable[[], float]) -> dict[str, float]:
    """Seconds and megabytes. `linear`: the whole against four times a quarter; about 1 where the cost is linear."""
    tallies = _tallies(reports)
    opened = _open_many(tallies, clock)
    quarter, whole = (_to_files(tallies[: size * TALLY_SIZE], clock) for size in (reports // 4, reports))
    return {
        "reports": reports,
        "open_10000_s": round(opened, 3),
        "archive_to_files_s": round(whole, 3),
        "linear": round(whole / (4 * quarter), 2),
        "rss_mb": round(memory.largest(), 1),
    }


def _tallies(reports: int) -> bytes:
    chance, tallies = random.Random(1), bytearray(TALLY_SIZE * reports)  # noqa: S311 -- invented reports
    tallies[0::TALLY_SIZE] = bytes([TALLY_FORMAT]) * reports
    tallies[1::TALLY_SIZE] = bytes([1]) * reports
    tallies[2::TALLY_SIZE] = bytes(1 + byte % MONTHS for byte in chance.randbytes(reports))
    for field, codes in TALLY_CODES.items():
        fold = bytes(byte % len(codes) for byte in range(256))
        tallies[TALLY_BYTE[field] :: TALLY_SIZE] = chance.randbytes(reports).translate(fold)
    return bytes(tallies)


def _blocks(tallies: bytes) -> Iterator[bytes]:
    return (tallies[start : start + TALLY_SIZE] for start in range(0, len(tallies), TALLY_SIZE))


def _open_many(tallies: bytes, clock: Callable[[], float]) -> float:
    pair = sealing.new_key_pair()
    team = Team(
        1, STATISTICS, "", (Epoch(1, pair.public, b"", b""),), {}, {}, founding=True, hashes=(), epoch_hashes=()
    )
    keys = Keys(1, "", (), b"", {1: {1: EpochKeys(pair.private, b"", b"")}})
    sealed = [seal_tally(block, 1, team) for block in _blocks(tallies[: DISTINCT * TALLY_SIZE])]
    began = clock()
    ready = sealed_tallies.openers(team, keys)
    for number in range(OPENED):
        sealed_tallies.open_tally(sealed[number % DISTINCT], 1, team, ready)
    return clock() - began


def _to_files(tallies: bytes, clock: Callable[[], float]) -> float:
    """From tallies in the memory to the bytes of a release."""
    design, noise = tables.design(releases.FICTIONAL_TIER), laplace(secrets.randbelow)
    began = clock()
    releases.body_of(str(FIRST_YEAR + 1), design, tables.DEFAULT_EPSILON, _blocks(tallies), noise, fictional=True)
    return clock() - began
