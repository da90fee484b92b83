"""The tables of reports, teams and sessions; with it come those of releases. Rows stay here; frozen records travel.

In the clear about a case: a random number, the receipt's tag, team, epoch, wrapped keys, sealed bytes, a
version and the week of deletion. Everything else about it is inside the sealed bytes.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from reporting.storage import release_models as release_models  # so that whoever knows these tables knows all
from reporting.storage.database import Base, Random63
from reporting.storage.kept import as_hash, in_the_clear, under_seal

UNSEEN = sa.text("vault_key IS NULL")
DERIVED = "derived"  # in a table's `info`: it is a copy worked out of cases, by this rule of the module of that name
LIST_HEAD = 64  # the part of a list of what a team has taken in which its head lies


class CaseRow(Base):
    """One case. `card` and `cover` are bound to `version`; records, to the one that the manifest in `cover` gives."""

    __tablename__ = "case_file"
    kept = ("cases: after the last change, or until she erases it", "junk: after a second person marked it so")
    # The queue asks which cases there are, of which version, and which nobody has seen: out of these, not of the cases.
    __table_args__ = (
        sa.Index("case_file_versions", "team", "epoch", "version", "id"),
        sa.Index("case_file_waiting", "id", "team", sqlite_where=UNSEEN, postgresql_where=UNSEEN),
    )

    id: Mapped[int] = mapped_column(
        Random63, primary_key=True, autoincrement=False, info=in_the_clear("a random number")
    )
    tag: Mapped[bytes] = mapped_column(
        LargeBinary(32), unique=True, info=as_hash("out of her receipt, by which it is found again")
    )
    team: Mapped[int] = mapped_column(Integer, info=in_the_clear("whose case it is"))
    epoch: Mapped[int] = mapped_column(Integer, info=in_the_clear("the keys of that team to which it is sealed"))
    front_key: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=under_seal("the case key, to the team; until a member has seen the case in the queue")
    )
    vault_key: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=under_seal("the case key, under the team's vault key; from then on")
    )
    receipt_key: Mapped[bytes] = mapped_column(
        LargeBinary, info=under_seal("the case key, under the key of her receipt")
    )
    card: Mapped[bytes] = mapped_column(LargeBinary, info=under_seal("what the queue has to know"))
    cover: Mapped[bytes] = mapped_column(LargeBinary, info=under_seal("the list of its records"))
    tally: Mapped[bytes] = mapped_column(
        LargeBinary, info=under_seal("16 bytes for the figures; void ones look the same")
    )
    version: Mapped[int] = mapped_column(
        Integer, info=in_the_clear("how often it changed, or was looked at by another member or on another day")
    )
    delete_after: Mapped[date] = mapped_column(Date, info=in_the_clear("the week in which it goes"))


class RecordRow(Base):
    """One sealed record of a case: answers, a letter, a referral, the work record ... Which, stands in the manifest."""

    __tablename__ = "record"
    kept = "cases: after the last change, or until she erases it"

    id: Mapped[int] = mapped_column(
        Random63, primary_key=True, autoincrement=False, info=in_the_clear("a random number")
    )
    case_id: Mapped[int] = mapped_column(
        ForeignKey("case_file.id", ondelete="CASCADE"), index=True, info=in_the_clear("of which case")
    )
    body: Mapped[bytes] = mapped_column(
        LargeBinary, info=under_seal("what she told, a letter, a note, a referral ...; its kind too")
    )


class SheetRow(Base):
    """A part of the queue as last worked out, sealed under a team's vault key, so that looking again is quick."""

    __tablename__ = "queue_sheet"
    kept = "as long as none of the cases in it changes its readers or goes; worked out anew when somebody looks"
    __table_args__ = {"info": {DERIVED: "part"}}  # noqa: RUF012 -- SQLAlchemy's own form

    team: Mapped[int] = mapped_column(
        ForeignKey("team.id"), primary_key=True, autoincrement=False, info=in_the_clear("whose queue")
    )
    part: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, info=in_the_clear("which of its 64 parts")
    )
    epoch: Mapped[int] = mapped_column(Integer, info=in_the_clear("the keys of that team to which it is sealed"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=under_seal("the lines of the queue"))


class CourseRow(Base):
    """A part of what is counted of how cases went, sealed under a team's vault key: for its members' own page."""

    __tablename__ = "course_sheet"
    kept = "as long as none of the cases in it changes its readers or goes; worked out anew when somebody looks"
    __table_args__ = {"info": {DERIVED: "part"}}  # noqa: RUF012 -- SQLAlchemy's own form

    team: Mapped[int] = mapped_column(
        ForeignKey("team.id"), primary_key=True, autoincrement=False, info=in_the_clear("whose cases")
    )
    part: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, info=in_the_clear("which of its 64 parts")
    )
    epoch: Mapped[int] = mapped_column(Integer, info=in_the_clear("the keys of that team to which it is sealed"))
    sealed: Mapped[bytes] = mapped_column(
        LargeBinary, info=under_seal("of each case in codes and hours: when it was answered, what became of it")
    )


class TakenRow(Base):
    """A part of the list of what a team has taken: which cases it knows and how new it saw them. 64 is its head."""

    __tablename__ = "taken"
    kept = "taken: of a case that is gone, else as long as the case"

    team: Mapped[int] = mapped_column(
        ForeignKey("team.id"), primary_key=True, autoincrement=False, info=in_the_clear("whose list")
    )
    part: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, info=in_the_clear("which of its 64 parts, or its head")
    )
    epoch: Mapped[int] = mapped_column(Integer, info=in_the_clear("the keys of that team to which it is sealed"))
    number: Mapped[int] = mapped_column(
        Integer, info=in_the_clear("how often the list had been written when this part was written last")
    )
    sealed: Mapped[bytes] = mapped_column(
        LargeBinary,
        info=under_seal("of each case a hash of its number, a hash of its key, the newest version, when it was missed"),
    )


class LettersRow(Base):
    """The letters that a team wrote beforehand, all in one: texts for many cases, with nothing of any."""

    __tablename__ = "team_letters"
    kept = "always, until a member of the team takes them out"

    team: Mapped[int] = mapped_column(
        ForeignKey("team.id"), primary_key=True, autoincrement=False, info=in_the_clear("whose letters")
    )
    epoch: Mapped[int] = mapped_column(Integer, info=in_the_clear("the keys of that team to which they are sealed"))
    number: Mapped[int] = mapped_column(Integer, info=in_the_clear("how often they had been written"))
    sealed: Mapped[bytes] = mapped_column(
        LargeBinary, info=under_seal("their titles and texts in each language, who wrote each, in which hour")
    )


class MemberRow(Base):
    """Somebody of the staff: a public key, and the private one under a password."""

    __tablename__ = "member"
    kept = "always, after somebody has left too, so that acts keep their author"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=in_the_clear("a number"))
    name: Mapped[str] = mapped_column(String(40), unique=True, info=in_the_clear("the name to sign in with"))
    roles: Mapped[str] = mapped_column(String(80), info=in_the_clear("case worker, advocate, coordinator"))
    teams: Mapped[str] = mapped_column(
        String(80),
        default="",
        server_default="",
        info=in_the_clear("those the account is for; empty: the founding teams of its roles"),
    )
    public_key: Mapped[bytes] = mapped_column(LargeBinary, info=in_the_clear("to which team keys are sealed"))
    signing_key: Mapped[bytes | None] = mapped_column(
        LargeBinary,
        info=in_the_clear("with which what the member does is signed; believed only as an entry of a team log"),
    )
    salt: Mapped[bytes] = mapped_column(LargeBinary, info=in_the_clear("random bytes for stretching the password"))
    private: Mapped[bytes] = mapped_column(
        LargeBinary,
        info=under_seal(
            "the private key, the secret of the six digits and the spare codes, under the password; empty after a reset"
        ),
    )
    remembered: Mapped[bytes] = mapped_column(
        LargeBinary, info=under_seal("the newest entries of the logs that this member saw")
    )
    version: Mapped[int] = mapped_column(Integer, default=1, info=in_the_clear("how often the key was sealed anew"))
    used_digits: Mapped[bytes] = mapped_column(
        LargeBinary,
        default=b"",
        info=under_seal("the last half minute of six digits that was used; empty before the first"),
    )


class PendingRow(Base):
    """Somebody is to be taken out, reset or dismissed: it waits for a second person, or for a day to pass."""

    __tablename__ = "pending_act"
    kept = "until it is carried out or stopped"

    member: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, info=in_the_clear("to whom it is to be done")
    )
    number: Mapped[int] = mapped_column(
        Integer, info=in_the_clear("the act in the audit, which says what, by whom and in which hour")
    )


class TryRow(Base):
    """Wrong sign-ins of late, for one name. Who tried is not kept."""

    __tablename__ = "sign_in_try"
    kept = "sign_in_tries"

    who: Mapped[bytes] = mapped_column(
        LargeBinary(32), primary_key=True, info=as_hash("a name, or a name with a sender, a browser or a session")
    )
    failed: Mapped[int] = mapped_column(Integer, info=in_the_clear("how many"))
    not_before: Mapped[int] = mapped_column(
        BigInteger, info=in_the_clear("when it may be tried again, in seconds since 1970")
    )


class InvitationRow(Base):
    """A door that opens once. Only the hash of its token is kept."""

    __tablename__ = "invitation"
    kept = "invitations"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, info=as_hash("its code"))
    name_mark: Mapped[bytes] = mapped_column(
        LargeBinary(32), info=as_hash("the name of who is new, under the pepper; empty after a reset")
    )
    member: Mapped[int] = mapped_column(
        Integer, info=in_the_clear("whose account was reset; 0: somebody who has none yet")
    )
    sealed: Mapped[bytes] = mapped_column(
        LargeBinary,
        info=under_seal("who is invited, to which roles and teams, the name of a team that begins with it"),
    )
    expires: Mapped[int] = mapped_column(BigInteger, info=in_the_clear("when, in seconds since 1970"))


class TeamRow(Base):
    """A circle of people who can read. Its keys stand in the team log, never here."""

    __tablename__ = "team"
    kept = "always"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=in_the_clear("a number"))
    kind: Mapped[str] = mapped_column(String(20), info=in_the_clear("casework or statistics"))
    name: Mapped[str] = mapped_column(String(80), info=in_the_clear("as pages show it"))
    due: Mapped[bool] = mapped_column(
        Boolean, default=False, info=in_the_clear("somebody left: the next member who signs in makes a new epoch")
    )


class LogRow(Base):
    """One entry of a team's log, signed with the key of the epoch before."""

    __tablename__ = "team_log"
    kept = "always, so that it verifies from its first entry"
    __table_args__ = (UniqueConstraint("team", "number"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=in_the_clear("a number"))
    team: Mapped[int] = mapped_column(ForeignKey("team.id"), info=in_the_clear("of which team"))
    number: Mapped[int] = mapped_column(Integer, info=in_the_clear("its place in the log"))
    body: Mapped[bytes] = mapped_column(
        LargeBinary,
        info=in_the_clear(
            "a public key of the team, who was let in or taken out, who was vouched for, how far the audit had come"
        ),
    )
    signature: Mapped[bytes] = mapped_column(LargeBinary, info=in_the_clear("of the epoch before"))


class GrantRow(Base):
    """An epoch's private part, sealed to one member; member 0 is the recovery sheets."""

    __tablename__ = "team_grant"
    kept = "always, so that older cases open"
    __table_args__ = (UniqueConstraint("team", "epoch", "member"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, info=in_the_clear("a number"))
    team: Mapped[int] = mapped_column(ForeignKey("team.id"), info=in_the_clear("of which team"))
    epoch: Mapped[int] = mapped_column(Integer, info=in_the_clear("of which epoch"))
    member: Mapped[int] = mapped_column(Integer, info=in_the_clear("for whom; 0: the recovery sheets"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=under_seal("the private keys of the epoch"))


class AuditRow(Base):
    """One act: its number and the chain in the clear; what concerns a case is sealed to the team."""

    __tablename__ = "audit"
    kept = "audit"

    number: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, info=in_the_clear("its place in the chain")
    )
    team: Mapped[int] = mapped_column(
        Integer, info=in_the_clear("whose case it concerns; 0: an act on accounts and keys")
    )
    epoch: Mapped[int] = mapped_column(Integer, info=in_the_clear("the keys of that team to which it is sealed"))
    body: Mapped[bytes] = mapped_column(
        LargeBinary,
        info=under_seal(
            "who did what to which case in which hour, signed; acts of team 0 are readable: act, member, who did it"
        ),
    )
    chain: Mapped[bytes] = mapped_column(LargeBinary(32), info=as_hash("of this entry and all before it"))


class SeedRow(Base):
    """A day's random seed. When it is gone, nothing made with it opens again."""

    __tablename__ = "day_seed"
    kept = ("visit_seeds", "draft_seeds", "staff_seeds")

    day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, info=in_the_clear("of which day"))
    purpose: Mapped[str] = mapped_column(
        String(10), primary_key=True, info=in_the_clear("for drafts, for visits or for the staff")
    )
    seed: Mapped[bytes] = mapped_column(
        LargeBinary(32), info=in_the_clear("random bytes: what was made with them opens only while they are here")
    )


class MarkRow(Base):
    """What must be known again of a reporter's trip or ticket: how it ended, or, sealed, when it was first used.

    The mark is a hash that tells nothing without the ticket; the day says when it may be forgotten.
    """

    __tablename__ = "trip_mark"
    kept = "trip_marks"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 -- so that rows lie in no order of arrival

    mark: Mapped[bytes] = mapped_column(
        LargeBinary(32), primary_key=True, info=as_hash("a trip or a ticket, under the server's secret and a seed")
    )
    told: Mapped[bytes] = mapped_column(
        LargeBinary, info=under_seal("how the trip ended, or when the ticket was first used")
    )
    forget_after: Mapped[int] = mapped_column(
        Integer, info=in_the_clear("the day on which it goes, the same for all of eight days")
    )


class DutyRow(Base):
    """One row: the hours in which somebody reads, and the last day on which a case worker looked."""

    __tablename__ = "duty"
    kept = "always"

    id: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, info=in_the_clear("there is only one")
    )
    hours: Mapped[str] = mapped_column(String(4000), info=in_the_clear("hours of the week, and days off"))
    opened: Mapped[date | None] = mapped_column(Date, info=in_the_clear("the last day on which a case worker looked"))


class SessionRow(Base):
    """A staff session: a member's unlocked keys under a key that only the cookie and the day's seed give."""

    __tablename__ = "staff_session"
    kept = "sessions: at most, and until its member signs out"

    id: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True, info=as_hash("the value of the cookie"))
    member: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), info=in_the_clear("whose"))
    day: Mapped[int] = mapped_column(Integer, info=in_the_clear("the day of its seed"))
    times: Mapped[bytes] = mapped_column(LargeBinary, info=under_seal("when it began and was last used, to its member"))
    sealed: Mapped[bytes] = mapped_column(
        LargeBinary, info=under_seal("the member's unlocked keys, under cookie and seed")
    )


class ErasedRow(Base):
    """That a case was erased, under a keyed hash: a backup that is put back must not bring it back."""

    __tablename__ = "erased"
    kept = "erased"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 -- so that rows lie in no order of erasing

    mark: Mapped[bytes] = mapped_column(
        LargeBinary(32), primary_key=True, info=as_hash("the number of the case, under the pepper")
    )
    forget_after: Mapped[date] = mapped_column(Date, info=in_the_clear("the week in which it goes"))
