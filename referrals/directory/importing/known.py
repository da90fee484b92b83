"""What the directory holds before a file comes in: its places by code and by name, its services by their id.

Is handed a session once, then only looks things up. Writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory.home import home
from referrals.directory.importing.report import CHANGED_SINCE, StorableRow
from referrals.directory.models import CoverageRow, ForeignRow, PlaceRow, ServiceRow
from referrals.directory.rows import cells_of, coverage_of, header
from reporting.i18n import Sentence, said


class Where(NamedTuple):
    """Where a row lies: department (two digits of INEI) and name of its province, blank where none is named.

    not_understood: what was written as its province; differs: its code and its names do not agree.
    """

    department: str
    province: str = ""
    not_understood: str = ""
    differs: bool = False


class PlaceIndex:
    """The departments and provinces of one country, by code and by name."""

    def __init__(self, names: Mapping[str, str], country: str) -> None:
        self.country = country
        self.names = names = {code: name for code, name in names.items() if code.startswith(country)}
        self._departments = {header(name): code[2:] for code, name in names.items() if len(code) == len("PE25")}
        self._provinces = {(code[2:4], header(name)): name for code, name in names.items() if len(code) > len("PE25")}
        self._by_province_alone: dict[str, tuple[str, str] | None] = {}  # None: two departments have one of this name
        for (department, plain), name in self._provinces.items():
            self._by_province_alone[plain] = None if plain in self._by_province_alone else (department, name)

    @classmethod
    def of(cls, db: Session) -> PlaceIndex:
        """The places of the country that this directory belongs to."""
        known = db.scalars(select(PlaceRow).where(PlaceRow.level != "district"))
        return cls({place.code: place.name for place in known}, home(db).country)

    def find(self, named: Mapping[str, str], hint: str) -> Where | None:
        """Where a row of a file lies; names go before its code, which may be of another numbering.

        `hint` is the department that a person gave for the whole file. None where neither row nor hint say it.
        """
        by_code, by_name = self._by_code(named.get("_ubigeo", "")), self._by_name(named, hint)
        if by_code is None or by_name is None:
            return by_code or by_name
        if by_name.department != by_code.department:
            return by_name._replace(differs=True) if named.get("_department") else by_code
        if by_name.province and by_code.province and by_name.province != by_code.province:
            return by_name._replace(differs=True)
        return by_name if by_name.province else by_code

    def _by_code(self, written: str) -> Where | None:
        """By its code of INEI; a spreadsheet drops the first zero."""
        digits = re.sub(r"\D", "", re.sub(r"\.0$", "", written))
        digits = digits.zfill(len(digits) + len(digits) % 2)
        if self.country + digits[:2] not in self.names or len(digits) not in {2, 4, 6}:
            return None
        if len(digits) == len("25"):
            return Where(digits)
        province = self.names.get(self.country + digits[:4], "")
        return Where(digits[:2], province, "" if province else written)

    def _by_name(self, named: Mapping[str, str], hint: str) -> Where | None:
        written = named.get("province", "")
        department, plain = self._departments.get(header(named.get("_department", "")), ""), header(written)
        alone = self._by_province_alone.get(plain) if plain and not department else None
        if alone:
            return Where(*alone)
        department = department or (hint if hint and self.country + hint in self.names else "")
        if not department:
            return None
        province = self._provinces.get((department, plain), "")
        return Where(department, province, "" if province else written)


@dataclass(frozen=True)
class KnownServices:
    """The services that the directory holds, by their id."""

    rows: Mapping[str, Mapping[str, str]]  # cells, as our own file has them
    prints: Mapping[str, str]  # of the row of a foreign file that a service came from
    covered: Mapping[str, frozenset[str]]  # codes of the places that a service serves

    @classmethod
    def of(cls, db: Session) -> KnownServices:
        """All of them, read at once."""
        covered: dict[str, set[str]] = {}
        for row in db.scalars(select(CoverageRow)):
            covered.setdefault(row.service, set()).add(row.place)
        return cls(
            {row.id: cells_of(row) for row in db.scalars(select(ServiceRow))},
            {row.service: row.print for row in db.scalars(select(ForeignRow))},
            {service: frozenset(places) for service, places in covered.items()},
        )

    def as_before(self, row: StorableRow | None) -> StorableRow | None:
        """A row under the id that it came in with, where the same row of a file was brought in under another one."""
        if row is None or row.cells["id"] in self.rows or row.print not in self.by_print:
            return row
        return replace(row, cells={**row.cells, "id": self.by_print[row.print]})

    @cached_property
    def by_print(self) -> Mapping[str, str]:
        """Print of the row of a file -> the service that came from it."""
        return {print_: service for service, print_ in self.prints.items()}

    def objects_to(self, row: StorableRow) -> Sentence | None:
        """Why a foreign row may not come in: it never overwrites what the team has confirmed or brought another way."""
        known = self.rows.get(row.cells["id"])
        if known is None or self.prints.get(row.cells["id"]) == row.print:
            return None
        return said(CHANGED_SINCE) if known["source"] or known["verified_on"] else None

    def differs(self, row: StorableRow, places: PlaceIndex) -> bool:
        """Whether storing the row would change anything."""
        known = self.rows.get(row.cells["id"])
        if known is None:
            return True
        if row.print:  # a foreign row is known by its print: what the team has learned since stays
            return self.prints.get(row.cells["id"]) != row.print
        return known != row.cells or self.covered.get(row.cells["id"]) != coverage_of(
            row.cells, places.names, places.country
        )
