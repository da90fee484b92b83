"""Sending: the check page, filing once however often the request comes, the receipt, what happens next.

The receipt is shown only after the report is durable. Asks no question and opens no case.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import g
from flask.typing import ResponseReturnValue

from reporting.cases import submission
from reporting.cases.submission import Outcome
from reporting.crypto import receipts
from reporting.i18n import N_
from reporting.pages.come_back import open_with_receipt
from reporting.pages.directory_lookups import gaps_of
from reporting.pages.draft import (
    CHECK,
    DOORS,
    SENT_ALREADY,
    SENT_PAGE,
    CheckForm,
    is_unseen,
    wait,
    with_typed,
)
from reporting.sessions import replays
from reporting.sessions.replays import NOTED
from reporting.teams import readers, team_log
from reporting.teams.readers import NobodyReads
from reporting.teams.team_log import STATISTICS, Team
from reporting.vocabulary.answers import contact_of, without_words
from reporting.vocabulary.lengths import TOLD_AFTERWARDS
from reporting.web import limits, post_redirect_get
from reporting.web.context import installation, say
from reporting.web.errors import error_page
from reporting.web.forms import button
from reporting.web.post_redirect_get import TicketCheck, Trail


def _teams() -> tuple[Team | None, Team]:
    """The team that she picked, or the only one there is; none where she has to pick, or nobody reads. Who counts."""
    with installation().reading() as db:
        teams = installation().teams(db)
        known = readers.offered(db, teams)
    picked = CheckForm().team.data or ""
    chosen = known if len(known) == 1 else [team for team in known if str(team.id) == picked]
    return chosen[0] if chosen else None, team_log.team_of_kind(teams, STATISTICS)


PICK = N_("Choose who shall read it.")


def _let_her_pick(came: TicketCheck) -> ResponseReturnValue:
    """Nothing goes to a team that she did not choose, or in which nobody reads. Her answers are kept."""
    with installation().reading() as db:
        if not readers.offered(db, installation().teams(db)):
            raise NobodyReads
    if is_unseen(came):
        return wait(came, sentence=say(PICK), code=422)
    trail, _ = with_typed(came)
    return post_redirect_get.answer(trail, CHECK, sentence=say(PICK), code=422)


def send(came: TicketCheck) -> ResponseReturnValue:
    """File the report once, however often the request comes; the receipt is shown only after it is durable."""
    if came.ended is not None:
        return _once_more(came)
    site, moment = installation(), installation().clock()
    team, statistics_team = _teams()
    if team is None:
        return _let_her_pick(came)
    trail, _ = with_typed(came)
    report = submission.from_answers(
        trail.state["a"],
        language=g.lang,
        trip=trail.trip,
        now=moment,
        unseen=is_unseen(came),
        seconds=_seconds(trail, moment),
        sender=limits.key_of_sender(),
    )
    if limits.has_to_wait(report.narrative):
        return error_page(429, limits.WAITS)
    gaps = gaps_of(report.incident, police_shown="p" in trail.state)
    receipt, settings = receipts.of_digits(trail.state["r"]), site.settings
    sealed = submission.prepare(report, receipt, team, statistics_team, settings.pepper, moment, gaps=gaps)
    outcome = site.filing(
        lambda db: submission.file(db, sealed, settings.server_secret, moment),
        is_short=limits.is_short(report.narrative),
    )
    if outcome in NOT_SHOWN:
        return post_redirect_get.home(say(NOT_SHOWN[outcome]) if NOT_SHOWN[outcome] else "")
    if outcome is Outcome.FILED:
        trail.state |= {"team": team.name, "first": int(moment)}
    return _receipt(came, trail)


def _once_more(came: TicketCheck) -> ResponseReturnValue:
    """The request comes again: the receipt that her ticket carries, for a moment. Nothing is stretched or sealed."""
    site = installation()
    with site.reading() as db:
        shown = replays.was_sent_now(db, site.settings.server_secret, came.ticket.trip, site.clock())
    if not shown or not came.ticket.state["r"]:
        return post_redirect_get.home(say(SENT_ALREADY))
    return _receipt(came, with_typed(came)[0])


def _receipt(came: TicketCheck, trail: Trail) -> ResponseReturnValue:
    """The page with the receipt. What she typed is with the team now, and travels no further."""
    answers, state = trail.state["a"], trail.state
    state |= {"sent": int(installation().clock())} | ({"unseen": True} if is_unseen(came) else {})
    state |= {"reach": True} if contact_of(answers) else {}
    state |= {"a": without_words(answers), "n": []}
    state.pop("u", None)
    return post_redirect_get.answer(trail, SENT_PAGE)


NOT_SHOWN = {Outcome.LEFT: "", Outcome.SENT_BEFORE: SENT_ALREADY}  # outcome -> what is said on the way home


def _seconds(trail: Trail, moment: float) -> float | None:
    """Seconds from the first page to now."""
    begun = trail.state.get("b")
    return None if begun is None else moment - begun


def was_sent_now(came: TicketCheck) -> bool:
    """So lately that what was sent may be shown once more. Where it is not known when, the ticket tells."""
    first = came.ticket.state.get("first")
    return came.shown if first is None else installation().clock() <= first + replays.SHOWN_AGAIN


def _more(came: TicketCheck) -> ResponseReturnValue:
    """The answer that leads to the page with every door for every need."""
    trail, _ = with_typed(came)
    trail.state |= {"p": True} if button() == "police" else {}
    return post_redirect_get.answer(trail, DOORS)


def _noted(came: TicketCheck) -> ResponseReturnValue:
    """She says that she wrote it down; how her paper begins is optional. A repeat then says only that it was sent."""
    if (wrong := _wrong_paper(came)) is not None:
        return wrong
    site, trip = installation(), came.ticket.trip
    with site.writing() as db:
        replays.end_trip(db, site.settings.server_secret, trip, NOTED, site.clock())
    site.rows.erase([trip])
    return post_redirect_get.home(say(N_("Good. Your code is the only way back. Keep it where nobody looks.")))


def _tells_more(came: TicketCheck) -> ResponseReturnValue:
    """She wrote it down and tells a little more: in her case, as if she had come back with the code."""
    if (wrong := _wrong_paper(came)) is not None:
        return wrong
    if "unseen" in came.ticket.state:
        return _noted(came)
    return open_with_receipt(receipts.of_digits(came.ticket.state["r"]), f"right-{TOLD_AFTERWARDS[0]}")


def _wrong_paper(came: TicketCheck) -> ResponseReturnValue | None:
    """The receipt once more, where what she typed from her paper is not how it begins."""
    typed = (CheckForm().first.data or "")[:100].strip()
    if typed and not receipts.begins_so(receipts.of_digits(came.ticket.state["r"]), typed, g.lang):
        trail, _ = with_typed(came)
        trail.state["sent"] = int(installation().clock())
        wrong = say(N_("The code does not begin like that. Look at your paper once more."))
        return post_redirect_get.answer(trail, SENT_PAGE, sentence=wrong, code=422)
    return None


# what can be pressed on the page with the receipt
AFTER_SENDING: dict[str, Callable[[TicketCheck], ResponseReturnValue]] = {
    "noted": _noted,
    "tell-more": _tells_more,
    "more": _more,
    "police": _more,
}
