"""The tables of releases: what was published of which months, and sealed tallies that wait for it."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from reporting.storage.database import Base, Random63
from reporting.storage.kept import in_the_clear, under_seal


class ReleaseRow(Base):
    """A release of figures: its state, who compiled and published it, its bytes for ever."""

    __tablename__ = "figures_release"
    kept = "always, as figures are published"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=in_the_clear("a number"))
    period: Mapped[str] = mapped_column(String(20), unique=True, info=in_the_clear("which months"))
    state: Mapped[str] = mapped_column(String(10), info=in_the_clear("freezing, frozen, compiled or published"))
    reached: Mapped[int] = mapped_column(
        BigInteger, default=0, info=in_the_clear("while it is frozen, up to which random number of a case")
    )
    team: Mapped[int] = mapped_column(Integer, info=in_the_clear("which team counts"))
    epoch: Mapped[int] = mapped_column(Integer, info=in_the_clear("the newest keys of that team when it was frozen"))
    compiled_by: Mapped[int] = mapped_column(Integer, info=in_the_clear("which member"))
    published_by: Mapped[int] = mapped_column(Integer, default=0, info=in_the_clear("which member"))
    body: Mapped[bytes] = mapped_column(
        LargeBinary, default=b"", info=in_the_clear("the figures, with noise; no true count")
    )
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), default=b"", info=in_the_clear("of these bytes"))


class ReleaseMonthRow(Base):
    """The ledger: each month belongs to one release at most, so that no report is published twice."""

    __tablename__ = "figures_month"
    kept = "always, so that no month is published twice"

    month: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, info=in_the_clear("months since year 0")
    )
    release: Mapped[int] = mapped_column(ForeignKey("figures_release.id"), info=in_the_clear("which release"))


class ArchiveRow(Base):
    """A sealed tally that left its case, in no order; as many as there are cases, most of them void."""

    __tablename__ = "tally_archive"
    kept = "until its release is published"

    id: Mapped[int] = mapped_column(
        Random63, primary_key=True, autoincrement=False, info=in_the_clear("a random number")
    )
    release: Mapped[int] = mapped_column(ForeignKey("figures_release.id"), info=in_the_clear("which release"))
    sealed: Mapped[bytes] = mapped_column(
        LargeBinary, info=under_seal("16 bytes for the figures; void ones look the same")
    )
