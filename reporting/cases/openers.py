"""A member's keys made ready, each once, to open the keys of many cases.

Knows neither what a case holds nor who asks.
"""

from __future__ import annotations

from typing import Any

from reporting.cases.seal_contexts import front_key_context, vault_key_context
from reporting.crypto import sealing
from reporting.storage.models import CaseRow
from reporting.teams.keyring import Keys


def key_for(keys: Keys, row: CaseRow) -> bytes:
    """The key of a case, opened with a member's keys; `CannotOpen` where they do not open it."""
    return Openers(keys).case_key(row)


class Openers:
    """A member's keys made ready, each once, for opening the keys of many cases."""

    def __init__(self, keys: Keys) -> None:
        self._keys, self._ready = keys, dict[tuple[int, int], sealing.Opener]()

    def case_key(self, row: Any) -> bytes:
        """The key of a case out of the vault, or as it was sealed to the team where nobody has seen it yet."""
        if row.vault_key is not None:
            vault = self._keys.of(row.team, row.epoch).vault
            return sealing.unwrap(vault, vault_key_context(row.id, row.team, row.epoch), row.vault_key)
        if (row.team, row.epoch) not in self._ready:
            self._ready[row.team, row.epoch] = sealing.Opener(self._keys.of(row.team, row.epoch).sealing)
        place = front_key_context(row.id, row.team, row.epoch)
        return self._ready[row.team, row.epoch].open(place, row.front_key or b"")
