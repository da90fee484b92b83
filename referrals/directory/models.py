"""The tables of places and services. Nothing here has heard of a case.

A shelter's address is never stored, so it cannot be told.
"""

from __future__ import annotations

from sqlalchemy import Boolean, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from reporting.storage.database import Base
from reporting.storage.kept import as_hash, in_the_clear


class PlaceRow(Base):
    """A country, department, province or district; the code is INEI's with the country before it (PE2501)."""

    __tablename__ = "place"
    kept = "always"

    code: Mapped[str] = mapped_column(
        String(12), primary_key=True, info=in_the_clear("INEI's, with the country before it")
    )
    parent: Mapped[str] = mapped_column(String(12), index=True, info=in_the_clear("the place it lies in"))
    level: Mapped[str] = mapped_column(String(12), info=in_the_clear("country, department, province or district"))
    name: Mapped[str] = mapped_column(String(80), info=in_the_clear("as pages show it"))


class ServiceRow(Base):
    """A service as its row of the file tells it; three-valued answers keep their note."""

    __tablename__ = "service"
    kept = "always"

    id: Mapped[str] = mapped_column(String(64), primary_key=True, info=in_the_clear("a name for addresses"))
    name: Mapped[str] = mapped_column(Text, info=in_the_clear("as pages show it"))
    service_type: Mapped[str] = mapped_column(String(40), index=True, info=in_the_clear("what kind of service"))
    sector: Mapped[str] = mapped_column(
        String(20), info=in_the_clear("public, an organisation, led by sex workers ...")
    )
    phone: Mapped[str] = mapped_column(Text, info=in_the_clear("numbers"))
    whatsapp: Mapped[str] = mapped_column(Text, info=in_the_clear("numbers"))
    hours: Mapped[str] = mapped_column(Text, info=in_the_clear("in words"))
    is_24h: Mapped[str] = mapped_column(Text, info=in_the_clear("yes, no or unknown"))
    cost: Mapped[str] = mapped_column(Text, info=in_the_clear("in words"))
    languages: Mapped[str] = mapped_column(Text, info=in_the_clear("spoken there"))
    what_for: Mapped[str] = mapped_column(Text, info=in_the_clear("in words"))
    police_inside_or_run: Mapped[str] = mapped_column(Text, info=in_the_clear("yes, no or unknown"))
    trans_friendly: Mapped[str] = mapped_column(Text, info=in_the_clear("yes, no or unknown"))
    sw_friendly: Mapped[str] = mapped_column(Text, info=in_the_clear("yes, no or unknown"))
    minors: Mapped[str] = mapped_column(Text, info=in_the_clear("yes, only, no or unknown"))
    accepts_no_id: Mapped[str] = mapped_column(Text, info=in_the_clear("yes, no or unknown"))
    has_pep: Mapped[str] = mapped_column(Text, info=in_the_clear("yes, no or unknown"))
    has_ec: Mapped[str] = mapped_column(Text, info=in_the_clear("yes, no or unknown"))
    has_forensic: Mapped[str] = mapped_column(Text, info=in_the_clear("yes, no or unknown"))
    address: Mapped[str] = mapped_column(Text, info=in_the_clear("never of a shelter"))
    address_public: Mapped[str] = mapped_column(Text, info=in_the_clear("whether it may be shown"))
    province: Mapped[str] = mapped_column(Text, info=in_the_clear("in words"))
    coverage: Mapped[str] = mapped_column(String(20), info=in_the_clear("nation, departments or a province"))
    regions_inei: Mapped[str] = mapped_column(Text, info=in_the_clear("the departments it serves"))
    status: Mapped[str] = mapped_column(String(20), info=in_the_clear("seen by somebody, or not yet"))
    source: Mapped[str] = mapped_column(Text, info=in_the_clear("where it was read"))
    source_date: Mapped[str] = mapped_column(Text, info=in_the_clear("of the source"))
    verified_on: Mapped[str] = mapped_column(
        String(10), info=in_the_clear("the day on which somebody last confirmed it")
    )
    notes: Mapped[str] = mapped_column(Text, info=in_the_clear("for the team"))
    organisation: Mapped[str] = mapped_column(Text, default="", server_default="", info=in_the_clear("who runs it"))
    site: Mapped[str] = mapped_column(
        String(10), default="", server_default="", info=in_the_clear("the district where it stands; never of a shelter")
    )


class CoverageRow(Base):
    """A place that a service serves."""

    __tablename__ = "service_coverage"
    kept = "as long as the service"

    service: Mapped[str] = mapped_column(
        ForeignKey("service.id", ondelete="CASCADE"), primary_key=True, info=in_the_clear("which service")
    )
    place: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True, info=in_the_clear("which place"))


class DirectoryRow(Base):
    """One row that counts changes, so that a copy in memory knows when it is old."""

    __tablename__ = "directory_version"
    kept = "always"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=in_the_clear("there is only one"))
    number: Mapped[int] = mapped_column(Integer, info=in_the_clear("how many changes"))
    made_with: Mapped[str] = mapped_column(
        String(64), default="", server_default="", info=as_hash("the rules by which listings were worked out")
    )


class MatchRow(Base):
    """A listing: a service for a need through a place that it covers. Worked out of the service; never edited."""

    __tablename__ = "service_match"
    kept = "as long as the service is as it was"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 -- SQLAlchemy's own form

    need: Mapped[str] = mapped_column(String(20), primary_key=True, info=in_the_clear("which need"))
    cover: Mapped[str] = mapped_column(String(12), primary_key=True, info=in_the_clear("through which place"))
    service: Mapped[str] = mapped_column(
        ForeignKey("service.id", ondelete="CASCADE"), primary_key=True, index=True, info=in_the_clear("which service")
    )
    sure: Mapped[bool] = mapped_column(Boolean, info=in_the_clear("known to help"))
    bars: Mapped[int] = mapped_column(Integer, info=in_the_clear("from whom it is hidden"))
    reached: Mapped[int] = mapped_column(Integer, info=in_the_clear("how it is reached"))
    through: Mapped[str] = mapped_column(String(64), info=in_the_clear("the line that leads there"))
    has: Mapped[int] = mapped_column(Integer, info=in_the_clear("what is known to be there"))
    police: Mapped[bool] = mapped_column(Boolean, info=in_the_clear("police inside"))
    verified: Mapped[int] = mapped_column(Integer, info=in_the_clear("when"))
    organisation: Mapped[str] = mapped_column(Text, info=in_the_clear("who runs it"))
    site: Mapped[str] = mapped_column(
        String(12), default="", server_default="", info=in_the_clear("the district where it stands")
    )
    languages: Mapped[str] = mapped_column(Text, info=in_the_clear("spoken there"))
    hours: Mapped[bytes] = mapped_column(LargeBinary, info=in_the_clear("read from the words"))


class HistoryRow(Base):
    """What was done to a service: by whom, on which day, why, and what stood there before."""

    __tablename__ = "service_history"
    kept = "as long as the service"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=in_the_clear("a number"))
    service: Mapped[str] = mapped_column(
        ForeignKey("service.id", ondelete="CASCADE"), index=True, info=in_the_clear("which service")
    )
    day: Mapped[str] = mapped_column(String(10), info=in_the_clear("when"))
    who: Mapped[str] = mapped_column(String(80), info=in_the_clear("which member, by name"))
    act: Mapped[str] = mapped_column(String(12), info=in_the_clear("what was done"))
    why: Mapped[str] = mapped_column(Text, info=in_the_clear("in words"))
    changes: Mapped[str] = mapped_column(Text, info=in_the_clear("each field before and after"))


class FlagRow(Base):
    """How often, in one week, somebody said that a number is dead or that a place was not safe. Nothing about them."""

    __tablename__ = "service_flag"
    kept = "as long as the service"

    service: Mapped[str] = mapped_column(
        ForeignKey("service.id", ondelete="CASCADE"), primary_key=True, info=in_the_clear("which service")
    )
    week: Mapped[str] = mapped_column(String(8), primary_key=True, info=in_the_clear("in which week"))
    kind: Mapped[str] = mapped_column(
        String(8), primary_key=True, info=in_the_clear("a dead number, or a place that was not safe")
    )
    count: Mapped[int] = mapped_column(Integer, info=in_the_clear("how often it was pressed"))
    waits: Mapped[bool] = mapped_column(
        Boolean, info=in_the_clear("nobody has confirmed or corrected the service since")
    )


class SignatureRow(Base):
    """Somebody of the team stands for a service as its row is: a row that was changed behind their back is not it."""

    __tablename__ = "service_signature"
    kept = "as long as the service"

    service: Mapped[str] = mapped_column(
        ForeignKey("service.id", ondelete="CASCADE"), primary_key=True, info=in_the_clear("which service")
    )
    member: Mapped[int] = mapped_column(Integer, info=in_the_clear("which member signed"))
    signature: Mapped[bytes] = mapped_column(LargeBinary, info=in_the_clear("of that member, over the row"))


class WaitingRow(Base):
    """A change that could send many people elsewhere: it waits until a second person of the team agrees."""

    __tablename__ = "service_waiting"
    kept = "until somebody agrees or stops it; as long as the service"

    service: Mapped[str] = mapped_column(
        ForeignKey("service.id", ondelete="CASCADE"), primary_key=True, info=in_the_clear("which service")
    )
    member: Mapped[int] = mapped_column(Integer, info=in_the_clear("which member asked; 0 a file at the terminal"))
    who: Mapped[str] = mapped_column(String(80), info=in_the_clear("by name"))
    day: Mapped[str] = mapped_column(String(10), info=in_the_clear("when"))
    why: Mapped[str] = mapped_column(Text, info=in_the_clear("in words"))
    changes: Mapped[str] = mapped_column(Text, info=in_the_clear("each field as it is and as it would be"))
    signature: Mapped[bytes] = mapped_column(LargeBinary, info=in_the_clear("of that member, over all of this"))


class ForeignRow(Base):
    """What a file of somebody else said of a service and our columns do not hold, as it was read."""

    __tablename__ = "service_foreign"
    kept = "as long as the service; nothing of what became a shelter"

    service: Mapped[str] = mapped_column(
        ForeignKey("service.id", ondelete="CASCADE"), primary_key=True, info=in_the_clear("which service")
    )
    told: Mapped[str] = mapped_column(Text, info=in_the_clear("columns and cells as they were read"))
    print: Mapped[str] = mapped_column(
        String(64), info=as_hash("the whole row, so that a second import knows it again")
    )
