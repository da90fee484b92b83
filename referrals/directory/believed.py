"""Which rows of services are believed: those of the shipped file, and those that somebody of the team has signed.

What was changed behind the team's back is neither: the shipped row stands in its place, or nothing does, and it is
named. Is handed whose keys count and who signs; knows no team and no password. Places are not signed, and a row that
is put back as it once was signed is believed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory.home import Vouched, at_home, home, shipped_services
from referrals.directory.models import PlaceRow, ServiceRow, SignatureRow, WaitingRow
from referrals.directory.rows import COLUMNS, coverage_of
from reporting.vocabulary.places import FIRST_HOME

Cells = Mapping[str, str]
AT_ONCE = 500  # rows signed together
Signature = tuple[int, bytes]  # number of the account, what it signed with
_SERVICE, _SIGNED = ServiceRow.__table__.c, SignatureRow.__table__.c
_COLUMNS = [_SERVICE[column] for column in COLUMNS]
_JOINED = ServiceRow.__table__.join(SignatureRow.__table__, _SIGNED.service == _SERVICE.id, isouter=True)


class Signs(Protocol):
    """Somebody who signs: the number of the account, and what makes a signature."""

    @property
    def member(self) -> int:
        """The number of the account."""

    @property
    def sign(self) -> Callable[[bytes], bytes]:
        """Message -> signature."""


@dataclass(frozen=True, slots=True)
class Unbelieved:
    """A service whose row nobody stands for. `gone`: shipped, and not there. `shipped`: that row is offered instead."""

    service: str
    name: str
    gone: bool
    shipped: bool
    differs: Mapping[str, tuple[str, str]]  # column -> as shipped, as it is here; nothing where it is not shipped
    cells: Cells = field(default_factory=dict, repr=False)  # as it is here


def digest_of(cells: Cells) -> bytes:
    """The hash of exactly these cells."""
    return hashlib.sha256(json.dumps([cells[column] for column in COLUMNS]).encode()).digest()


def message_of(cells: Cells) -> bytes:
    """What is signed of a row."""
    return b"row of a service" + digest_of(cells)


@cache
def shipped_digests(country: str) -> Mapping[str, bytes]:
    """Service -> hash of its shipped row; none in another country than the one that services are shipped of."""
    return {row["id"]: digest_of(row) for row in _shipped()} if country == FIRST_HOME else {}


def shipped_rows(country: str, services: Iterable[str]) -> dict[str, dict[str, str]]:
    """The shipped rows of these services; the file is read anew, because they are seldom wanted."""
    wanted = shipped_digests(country).keys() & set(services)
    return {row["id"]: row for row in _shipped() if row["id"] in wanted} if wanted else {}


def _shipped() -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(shipped_services()))


@lru_cache(maxsize=65_536)  # the same row, signed by the same person, was looked at before: in no page's time
def _fits(fits: Callable[[bytes, bytes, bytes], bool], key: bytes, signature: bytes, message: bytes) -> bool:
    return fits(key, signature, message)


class Judge:
    """Says which rows are believed, by the keys that count at this moment. Made once for each reading of them all."""

    def __init__(self, db: Session) -> None:
        self._country = home(db).country
        vouched = home(db).who_signs(db)
        self._vouched = vouched if vouched and vouched.begun else None
        self._shipped = shipped_digests(self._country) if self._vouched else {}
        places = db.execute(select(PlaceRow.code, PlaceRow.name)) if self._vouched else ()
        self._places = {row.code: row.name for row in places}
        self._here = at_home(db) if self._vouched else frozenset()  # "national" is said of the country of the row
        self.waiting = frozenset(db.scalars(select(WaitingRow.service)))  # a change of them waits for a second person

    @property
    def judges(self) -> bool:
        """Whether rows are signed here: else every one is believed."""
        return self._vouched is not None

    def judged(self, db: Session, services: Sequence[str] | None = None) -> Iterator[Cells]:
        """The cells of these services, or of all, by their ids: those that are believed, and shipped ones instead."""
        rows = (row for row in _rows(db, services) if self._is_here(row[0]["id"]))
        held = {cells["id"]: cells for cells, signed in rows if self.believes(cells, signed)}
        wanted = set(self._shipped) if services is None else set(services)
        instead = shipped_rows(self._country, wanted - held.keys())
        yield from (held.get(service) or instead[service] for service in sorted(held.keys() | instead.keys()))

    def believes(self, cells: Cells, signed: Signature | None) -> bool:
        """Whether this is the shipped row, or somebody whose key counts has signed it as it is."""
        if self._vouched is None or self._shipped.get(cells["id"]) == digest_of(cells):
            return True
        if signed is None:
            return False
        keys, message = self._vouched.keys.get(signed[0], frozenset()), message_of(cells)
        return any(_fits(self._vouched.fits, key, signed[1], message) for key in keys)

    def _is_here(self, service: str) -> bool:
        return service in self._shipped or service in self._here

    def covers(self, cells: Cells) -> frozenset[str]:
        """The places that a row serves, as its cells say: what lies in the table of coverage is not signed."""
        return coverage_of(cells, self._places, self._country)

    def unbelieved(self, db: Session) -> Iterator[Unbelieved]:
        """Every service of this directory that is named to the team: what is there first, then what is gone."""
        rows = list(_rows(db, None)) if self.judges else []
        bad = {cells["id"]: cells for cells, signed in rows if not self.believes(cells, signed)}
        gone = sorted(self._shipped.keys() - {cells["id"] for cells, _ in rows})
        shipped = shipped_rows(self._country, (*bad, *gone))
        for service, cells in bad.items():
            if self._is_here(service):
                yield _named(cells, shipped.get(service))
        for service in gone:
            yield Unbelieved(service, shipped[service]["name"], gone=True, shipped=True, differs={})


def _named(cells: Cells, shipped: Cells | None) -> Unbelieved:
    both = {column: (shipped[column], cells[column]) for column in COLUMNS} if shipped else {}
    differs = {column: pair for column, pair in both.items() if pair[0] != pair[1]}
    return Unbelieved(cells["id"], cells["name"], gone=False, shipped=shipped is not None, differs=differs, cells=cells)


def _rows(db: Session, services: Sequence[str] | None) -> Iterator[tuple[dict[str, str], Signature | None]]:
    query = select(*_COLUMNS, _SIGNED.member, _SIGNED.signature).select_from(_JOINED).order_by(_SERVICE.id)
    if services is not None:
        query = query.where(_SERVICE.id.in_(services))
    for row in db.execute(query):
        cells = dict(zip(COLUMNS, row, strict=False))
        yield cells, None if row.member is None else (row.member, row.signature)


def sign(db: Session, services: Iterable[str], by: Signs) -> None:
    """Somebody stands for these services as their rows are now; in the transaction that wrote them.

    Nothing is done where rows are not signed yet (`sign_what_is_there` begins it), or by somebody whose key does not
    count: it would only take away a signature that does.
    """
    vouched = home(db).who_signs(db)
    if vouched and vouched.begun and _is_known(vouched, by):
        _sign(db, list(services), by)


def sign_what_is_there(db: Session, by: Signs) -> tuple[str, ...]:
    """The first member signs every row that is not the shipped one. Returns their ids."""
    shipped = shipped_digests(home(db).country)
    own = [cells["id"] for cells, _ in _rows(db, None) if shipped.get(cells["id"]) != digest_of(cells)]
    _sign(db, own, by)
    return tuple(own)


def _sign(db: Session, services: Sequence[str], by: Signs) -> None:
    for start in range(0, len(services), AT_ONCE):
        for cells, _ in list(_rows(db, services[start : start + AT_ONCE])):
            row = db.get(SignatureRow, cells["id"]) or SignatureRow(service=cells["id"])
            row.member, row.signature = by.member, by.sign(message_of(cells))
            db.add(row)
    db.flush()


def is_watched(db: Session) -> bool:
    """Whether there is a team here whose members can stand for rows, and be asked as a second person."""
    return home(db).who_signs(db) is not None


def counts(db: Session, by: Signs | None) -> bool:
    """Whether the signature of somebody would count."""
    vouched = home(db).who_signs(db)
    return vouched is None or (by is not None and _is_known(vouched, by))


def _is_known(vouched: Vouched, by: Signs) -> bool:
    """Whether somebody signs with a key that counts: whoever was reset has another one until it is heard anew."""
    probe = b"whose key this is"
    signature = by.sign(probe)
    return any(vouched.fits(key, signature, probe) for key in vouched.keys.get(by.member, ()))


def is_any_signed(db: Session) -> bool:
    """Whether somebody has signed a row."""
    return db.scalars(select(SignatureRow.service).limit(1)).first() is not None


def signed_services(db: Session) -> frozenset[str]:
    """The services for which somebody has signed, whether it fits or not."""
    return frozenset(db.scalars(select(SignatureRow.service)))
