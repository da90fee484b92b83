"""What her pages ask the directory, looked up once a request."""

from __future__ import annotations

from flask import g

from referrals.directory.snapshot import DirectorySnapshot, snapshot_of
from referrals.help.answers import Help, could_have_refused, gaps_for, groups_of, help_for, places_to_pick, provinces
from reporting.vocabulary import questions
from reporting.vocabulary.incident import Incident
from reporting.web import question_forms
from reporting.web.context import installation, once


def snapshot() -> DirectorySnapshot:
    """The directory, looked up once for each request."""
    return once("shelf", lambda: snapshot_of(installation().reading))


def directory_choices(incident: Incident) -> questions.Elsewhere:
    """Choices that only the directory knows: her provinces, all departments with theirs, who may have refused her."""
    department, province = incident.department or "", incident.province or ""

    def refusing() -> dict[str, str]:
        return could_have_refused(snapshot(), department, province)

    return {
        "department": lambda: places_to_pick(snapshot()),
        "province": lambda: provinces(snapshot(), department),
        "refused": refusing,
        question_forms.GROUPS_OF + "refused": lambda: groups_of(snapshot(), refusing()),
    }


def help_of(incident: Incident, only: list[str] | None = None, *, police_shown: bool = False) -> Help:
    """Needs and offers for an incident as of now; `only` some of the needs while she is still telling."""
    now = installation().clock()
    return help_for(snapshot(), incident, now, languages=(g.lang,), only=only, police_shown=police_shown)


def gaps_of(incident: Incident, *, police_shown: bool = False) -> list[str]:
    """The needs that no service meets as of now, the most urgent first."""
    now = installation().clock()
    return gaps_for(snapshot(), incident, now, languages=(g.lang,), police_shown=police_shown)
