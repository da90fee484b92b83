"""The tables of reports, teams, sessions and releases. Rows stay here; frozen records travel.

In the clear about a case: a random number, the receipt's tag, team, epoch, wrapped keys, sealed bytes, a
version and the week of deletion. Everything else about it is inside the sealed bytes.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from reporting.storage.database import Base

DERIVED = "derived"  # in a table's `info`: it is a copy worked out of cases, by this rule of the module of that name
Random63 = BigInteger().with_variant(
    Integer, "sqlite"
)  # on SQLite the rowid itself, so rows lie in no order of arrival


class CaseRow(Base):
    """One case. `card` and `cover` are bound to `version`; records, to the one that the manifest in `cover` gives."""

    __tablename__ = "case_file"

    id: Mapped[int] = mapped_column(Random63, primary_key=True, autoincrement=False)
    tag: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    team: Mapped[int] = mapped_column(Integer)
    epoch: Mapped[int] = mapped_column(Integer)
    front_key: Mapped[bytes | None] = mapped_column(LargeBinary)  # the case key, sealed to the team; until first seen
    vault_key: Mapped[bytes | None] = mapped_column(LargeBinary)  # the case key under the team's vault key
    receipt_key: Mapped[bytes] = mapped_column(LargeBinary)  # the case key under the receipt
    card: Mapped[bytes] = mapped_column(LargeBinary)
    cover: Mapped[bytes] = mapped_column(LargeBinary)
    tally: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(Integer)
    delete_after: Mapped[date] = mapped_column(Date)


class RecordRow(Base):
    """One sealed record of a case. What it is stands in the manifest."""

    __tablename__ = "record"

    id: Mapped[int] = mapped_column(Random63, primary_key=True, autoincrement=False)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id", ondelete="CASCADE"), index=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class SheetRow(Base):
    """A part of the queue as last worked out, sealed under a team's vault key, so that looking again is quick."""

    __tablename__ = "queue_sheet"
    __table_args__ = {"info": {DERIVED: "part"}}  # noqa: RUF012 -- SQLAlchemy's own form

    team: Mapped[int] = mapped_column(ForeignKey("team.id"), primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(Integer)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class MemberRow(Base):
    """Somebody of the staff: a public key, and the private one under a password."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    roles: Mapped[str] = mapped_column(String(80))
    teams: Mapped[str] = mapped_column(
        String(80), default="", server_default=""
    )  # empty: the founding teams of her roles
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    private: Mapped[bytes] = mapped_column(LargeBinary)  # empty: she was reset or has left, nothing opens
    remembered: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(Integer, default=1)
    last_counter: Mapped[int] = mapped_column(Integer, default=0)


class TryRow(Base):
    """Wrong sign-ins of late, for one name or for all together. Who tried is not kept."""

    __tablename__ = "sign_in_try"

    who: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failed: Mapped[int] = mapped_column(Integer)
    not_before: Mapped[int] = mapped_column(BigInteger)  # seconds since 1970


class InvitationRow(Base):
    """A door that opens once. Only the hash of its token is kept."""

    __tablename__ = "invitation"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    roles: Mapped[str] = mapped_column(String(80))
    teams: Mapped[str] = mapped_column(String(80), default="", server_default="")
    new_team: Mapped[str] = mapped_column(String(80), default="", server_default="")  # its name; she makes its keys
    expires: Mapped[int] = mapped_column(BigInteger)  # seconds since 1970


class TeamRow(Base):
    """A circle of people who can read. Its keys stand in the team log, never here."""

    __tablename__ = "team"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80))
    due: Mapped[bool] = mapped_column(Boolean, default=False)  # the next member who signs in makes a new epoch


class LogRow(Base):
    """One entry of a team's log, signed with the key of the epoch before."""

    __tablename__ = "team_log"
    __table_args__ = (UniqueConstraint("team", "number"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    team: Mapped[int] = mapped_column(ForeignKey("team.id"))
    number: Mapped[int] = mapped_column(Integer)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class GrantRow(Base):
    """An epoch's private part, sealed to one member; member 0 is the recovery sheets."""

    __tablename__ = "team_grant"
    __table_args__ = (UniqueConstraint("team", "epoch", "member"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    team: Mapped[int] = mapped_column(ForeignKey("team.id"))
    epoch: Mapped[int] = mapped_column(Integer)
    member: Mapped[int] = mapped_column(Integer)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class AuditRow(Base):
    """One act: its number and the chain in the clear; what concerns a case is sealed to the team."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    team: Mapped[int] = mapped_column(Integer)  # 0: an act on accounts and keys, in the clear
    epoch: Mapped[int] = mapped_column(Integer)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    chain: Mapped[bytes] = mapped_column(LargeBinary(32))


class SeedRow(Base):
    """A day's random seed. When it is gone, nothing made with it opens again."""

    __tablename__ = "day_seed"

    day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    purpose: Mapped[str] = mapped_column(String(10), primary_key=True)
    seed: Mapped[bytes] = mapped_column(LargeBinary(32))


class MarkRow(Base):
    """What must be known again of a reporter's trip or ticket: how it ended, or, sealed, when it was first used.

    The mark is a hash that tells nothing without the ticket; the day says when it may be forgotten.
    """

    __tablename__ = "trip_mark"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 -- so that rows lie in no order of arrival

    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    told: Mapped[bytes] = mapped_column(LargeBinary)
    forget_after: Mapped[int] = mapped_column(Integer)  # day number


class DutyRow(Base):
    """One row: the hours in which somebody reads, and the last day on which a case worker looked."""

    __tablename__ = "duty"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    hours: Mapped[str] = mapped_column(String(4000))  # JSON
    opened: Mapped[date | None] = mapped_column(Date)


class SessionRow(Base):
    """A staff session: a member's unlocked keys under a key that only the cookie and the day's seed give."""

    __tablename__ = "staff_session"

    id: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    member: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    day: Mapped[int] = mapped_column(Integer)
    started: Mapped[int] = mapped_column(BigInteger)  # seconds since 1970, as is `seen`
    seen: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class ErasedRow(Base):
    """That a case was erased, under a keyed hash: a backup that is put back must not bring it back."""

    __tablename__ = "erased"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 -- so that rows lie in no order of erasing

    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    forget_after: Mapped[date] = mapped_column(Date)  # a Monday


class ReleaseRow(Base):
    """A release of figures: its state, who compiled and published it, its bytes for ever."""

    __tablename__ = "figures_release"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    period: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[str] = mapped_column(String(10))
    team: Mapped[int] = mapped_column(Integer)
    epoch: Mapped[int] = mapped_column(Integer)
    compiled_by: Mapped[int] = mapped_column(Integer)
    published_by: Mapped[int] = mapped_column(Integer, default=0)
    body: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), default=b"")


class ReleaseMonthRow(Base):
    """The ledger: each month belongs to one release at most, so that no report is published twice."""

    __tablename__ = "figures_month"

    month: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)  # months since year 0
    release: Mapped[int] = mapped_column(ForeignKey("figures_release.id"))


class ArchiveRow(Base):
    """A sealed tally that left its case, in no order; as many as there are cases, most of them void."""

    __tablename__ = "tally_archive"

    id: Mapped[int] = mapped_column(Random63, primary_key=True, autoincrement=False)
    release: Mapped[int] = mapped_column(ForeignKey("figures_release.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
