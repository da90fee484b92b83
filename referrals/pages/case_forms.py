"""The form of the case page, and the checked values that its acts and the queue's read from it.

Does nothing with a case.
"""

from __future__ import annotations

from typing import Any

from flask import g

from referrals.casework import need_list
from referrals.casework.pressing import write_down
from referrals.directory import snapshot
from referrals.directory.snapshot import DirectorySnapshot
from referrals.help.answers import Help, help_for
from referrals.matching.listings import ServiceCard
from referrals.pages.act_forms import CHOOSE_HOW, WRITE
from reporting.cases import actions, desk, records
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile
from reporting.cases.records import Case, EditConflict
from reporting.crypto import receipts
from reporting.i18n import N_
from reporting.teams import members, team_log
from reporting.teams.keyring import Keys
from reporting.teams.readers import offered
from reporting.teams.team_log import CASEWORK, STATISTICS, Team
from reporting.web.access.audience import DESK, Pages
from reporting.web.context import Installation, installation
from reporting.web.forms import BadFormValue, number_in
from reporting.web.limits import TURNING

blueprint = Pages("casework", __name__, DESK, limit=TURNING)
CASE_PATH = "/<lang>/equipo/caso/<int(max=9223372036854775807):case>"
NOT_OPENED = N_("This case does not open: it was erased, or a record of it was changed.")
MEANWHILE = N_("This case was touched after you opened it. Nothing of yours was sent yet.")


def case_workers(db: Any, site: Installation, keys: Keys) -> dict[int, str]:
    """Who can own a case: the people who read with the member."""
    own_teams = [team for team in site.teams(db) if team.id in keys.epochs and team.kind == CASEWORK]
    inside = {member for team in own_teams for member in team.members}
    return {account.id: account.name for account in members.accounts(db) if account.id in inside and account.open}


def opened_with_people(case: int) -> tuple[Case, dict[int, str]]:
    """The case as it is now, and who can own it; the opening is in the audit. Raises `CannotOpen`."""
    site = installation()
    with site.writing() as db:
        return desk.open_case(db, g.keys, case, site.clock(), works_out=write_down), case_workers(db, site, g.keys)


# what an act on a case is refused with; a page that does not say which version of the case it showed came too late too
REFUSED = (NotAllowed, EditConflict, BadFormValue)


def why_refused(problem: Exception) -> tuple[str, int]:
    """Why an act was not done, as a message, with the status of the answer."""
    return (problem.sentence, 422) if isinstance(problem, NotAllowed) else (MEANWHILE, 409)


def counters(db: Any) -> Team:
    """The statistics team. Raises `KeysNotMade` or `BrokenChain` where the keys are not vouched for."""
    return team_log.team_of_kind(installation().teams(db), STATISTICS)


def other_teams(db: Any, site: Installation, case: Case) -> dict[int, str]:
    """Number -> name of each casework team that is offered, but the one that has the case."""
    return {team.id: team.name for team in offered(db, site.teams(db)) if team.id != case.team}


def help_of(directory: DirectorySnapshot, case_file: CaseFile) -> Help:
    """Open needs and offers of a case as of now, so that needs without a service can be recorded."""
    now, leaves_out = installation().clock(), need_list.team_leaves_out(case_file.need_states)
    incident, languages = case_file.incident_at(now), (case_file.facts["language"],)
    return help_for(directory, incident, now, languages=languages, leaves_out=leaves_out)


def called(name: str | None) -> list[int]:
    """The numbers of the cases with that short name, however it is spelt."""
    letters = receipts.plain(name or "").replace(" ", "").upper()
    wanted = f"{letters[:2]}-{letters[2:]}"
    with installation().reading() as db:
        return [case for case in desk.cases_of(db, g.keys) if records.alias(case) == wanted] if letters else []


def needed(text: str | None) -> str:
    """The text without spaces around it. Raises `NotAllowed` where it is blank."""
    if not (text or "").strip():
        raise NotAllowed(WRITE)
    return str(text).strip()


def outcome(code: str | None) -> str:
    """The code of an outcome. Raises `NotAllowed` for any other."""
    if code not in actions.OUTCOMES:
        raise NotAllowed(CHOOSE_HOW)
    return code


def owner(text: str | None) -> int:
    """The number of somebody who reads with the member; 0 is nobody. Raises `NotAllowed` for anybody else."""
    site, wanted = installation(), number_in(text or "0")
    with site.reading() as db:
        if wanted and wanted not in case_workers(db, site, g.keys):
            raise NotAllowed(N_("Choose somebody of your team."))
    return wanted


def service(text: str | None) -> ServiceCard:
    """A service of the directory by its id. Raises `NotAllowed` where there is none."""
    card = snapshot.snapshot_of(installation().reading).cards.by_id.get(text or "")
    if card is None:
        raise NotAllowed(N_("Choose a service of the directory."))
    return card
