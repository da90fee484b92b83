"""The tables of places and services. Nothing here has heard of a case.

A shelter's address is never stored, so it cannot be told.
"""

from __future__ import annotations

from sqlalchemy import Boolean, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from reporting.storage.database import Base


class PlaceRow(Base):
    """A country, department, province or district; the code is INEI's with the country before it (PE2501)."""

    __tablename__ = "place"

    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    parent: Mapped[str] = mapped_column(String(12), index=True)
    level: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(80))


class ServiceRow(Base):
    """A service as its row of the file tells it; three-valued answers keep their note."""

    __tablename__ = "service"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    service_type: Mapped[str] = mapped_column(String(40), index=True)
    sector: Mapped[str] = mapped_column(String(20))
    phone: Mapped[str] = mapped_column(Text)
    whatsapp: Mapped[str] = mapped_column(Text)
    hours: Mapped[str] = mapped_column(Text)
    is_24h: Mapped[str] = mapped_column(Text)
    cost: Mapped[str] = mapped_column(Text)
    languages: Mapped[str] = mapped_column(Text)
    what_for: Mapped[str] = mapped_column(Text)
    police_inside_or_run: Mapped[str] = mapped_column(Text)
    trans_friendly: Mapped[str] = mapped_column(Text)
    sw_friendly: Mapped[str] = mapped_column(Text)
    minors: Mapped[str] = mapped_column(Text)
    accepts_no_id: Mapped[str] = mapped_column(Text)
    has_pep: Mapped[str] = mapped_column(Text)
    has_ec: Mapped[str] = mapped_column(Text)
    has_forensic: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    address_public: Mapped[str] = mapped_column(Text)
    province: Mapped[str] = mapped_column(Text)
    coverage: Mapped[str] = mapped_column(String(20))
    regions_inei: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(Text)
    source_date: Mapped[str] = mapped_column(Text)
    verified_on: Mapped[str] = mapped_column(String(10))
    notes: Mapped[str] = mapped_column(Text)
    organisation: Mapped[str] = mapped_column(Text, default="", server_default="")


class CoverageRow(Base):
    """A place that a service serves."""

    __tablename__ = "service_coverage"

    service: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)


class DirectoryRow(Base):
    """One row that counts changes, so that a copy in memory knows when it is old."""

    __tablename__ = "directory_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    made_with: Mapped[str] = mapped_column(String(64), default="", server_default="")  # rules of the match table


class MatchRow(Base):
    """A listing: a service for a need through a place that it covers. Worked out of the service; never edited."""

    __tablename__ = "service_match"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 -- SQLAlchemy's own form

    need: Mapped[str] = mapped_column(String(20), primary_key=True)
    cover: Mapped[str] = mapped_column(String(12), primary_key=True)
    service: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), primary_key=True, index=True)
    sure: Mapped[bool] = mapped_column(Boolean)
    bars: Mapped[int] = mapped_column(Integer)
    reached: Mapped[int] = mapped_column(Integer)
    through: Mapped[str] = mapped_column(String(64))
    has: Mapped[int] = mapped_column(Integer)
    police: Mapped[bool] = mapped_column(Boolean)
    verified: Mapped[int] = mapped_column(Integer)
    doubted: Mapped[bool] = mapped_column(Boolean)
    organisation: Mapped[str] = mapped_column(Text)
    languages: Mapped[str] = mapped_column(Text)
    hours: Mapped[bytes] = mapped_column(LargeBinary)


class HistoryRow(Base):
    """What was done to a service: by whom, on which day, why, and what stood there before."""

    __tablename__ = "service_history"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    service: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), index=True)
    day: Mapped[str] = mapped_column(String(10))
    who: Mapped[str] = mapped_column(String(80))
    act: Mapped[str] = mapped_column(String(12))
    why: Mapped[str] = mapped_column(Text)
    changes: Mapped[str] = mapped_column(Text)  # JSON: field -> [before, after]


class FlagRow(Base):
    """How often, in one week, somebody said that a number is dead or that a place was not safe. Nothing about them."""

    __tablename__ = "service_flag"

    service: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), primary_key=True)
    week: Mapped[str] = mapped_column(String(8), primary_key=True)  # 2026-W48
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    waits: Mapped[bool] = mapped_column(Boolean)  # nobody has confirmed or corrected the service since


class ForeignRow(Base):
    """What a file of somebody else said of a service and our columns do not hold, as it was read."""

    __tablename__ = "service_foreign"

    service: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), primary_key=True)
    told: Mapped[str] = mapped_column(Text)  # JSON: name of the column -> cell
    print: Mapped[str] = mapped_column(String(64))  # hash of the whole row, so that a second import knows it again
