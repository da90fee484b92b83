"""What the directory holds before a file comes in: its places by code and by name, its services by their id.

Is handed a session once, then only looks things up. Writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory.home import home
from referrals.directory.importing.report import CHANGED_SINCE, StorableRow
from referrals.directory.models import CoverageRow, ForeignRow, PlaceRow, ServiceRow
from referrals.directory.rows import cells_of, coverage_of, header
from reporting.i18n import Sentence, said


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

    def find(self, named: Mapping[str, str], hint: str) -> tuple[str, str] | None:
        """Where a row of a file lies: department (two digits of INEI) and name of its province, which may be blank.

        `hint` is the department that a person gave for the whole file. None where neither row nor hint say it.
        """
        digits = re.sub(r"\D", "", named.get("_ubigeo", ""))
        digits = digits.zfill(6) if len(digits) == 5 else digits  # noqa: PLR2004 -- a spreadsheet ate the zero
        if self.country + digits[:2] in self.names and len(digits) in {2, 4, 6}:
            return digits[:2], self.names.get(self.country + digits[:4], "") if len(digits) > len("25") else ""
        department = self._departments.get(header(named.get("_department", "")), "")
        plain = header(named.get("province", ""))
        if department:
            return department, self._provinces.get((department, plain), "")
        alone = self._by_province_alone.get(plain) if plain else None
        if alone:
            return alone
        return (hint, self._provinces.get((hint, plain), "")) if self.country + hint in self.names and hint else None


@dataclass(frozen=True, slots=True)
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
