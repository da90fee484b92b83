"""The first page, and what anybody may see without telling: safety, help now, the way out.

Shows nothing of any trip. She leaves a page that followed a POST by a note that its trip is over. Opens no case.
"""

from __future__ import annotations

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue

from referrals.help import doubts
from referrals.help.answers import lines_for_now, national_lines
from reporting.i18n import N_
from reporting.pages import directory_lookups
from reporting.sessions import tickets
from reporting.sessions.replays import LEFT
from reporting.teams import readers, reading_hours, team_log
from reporting.web import post_redirect_get
from reporting.web.access.audience import HERS, Pages
from reporting.web.access.tickets import ticket_field
from reporting.web.access.traits import START, compressible, is_the, may_be_sent_again, takes
from reporting.web.access.visits import BOX
from reporting.web.context import installation, render_template, say, today
from reporting.web.errors import trouble_page
from reporting.web.forms import TripsForm
from reporting.web.limits import TURNING
from reporting.web.post_redirect_get import TicketCheck, Trail

blueprint = Pages("reporter", __name__, HERS, limit=TURNING)
OVER = N_("That page is closed. Nothing was sent this time. If you have a code, come in with it; if not, begin anew.")


@blueprint.get("/")
@blueprint.get("/<lang>/")
@is_the(START)
@compressible
def start() -> ResponseReturnValue:
    """Three doors, the box for a code, the way to the page about this phone."""
    return post_redirect_get.start_page()


@post_redirect_get.shows("note")
def _start_page(trail: Trail, step: str, _ended: str | None) -> ResponseReturnValue:
    """The page that anybody may look at: it shows nothing of the trip that led here."""
    sentence = trail.about(step).get("sentence", "") if trail.age <= post_redirect_get.SHOWN or not trail.posted else ""
    has_keys = has_team_keys()
    with installation().reading() as db:
        reads = has_keys and bool(readers.offered(db, installation().teams(db)))
        is_open = reads and bool(installation().lines())
        silent = is_open and reading_hours.read(db).is_silent(today().date())
    box = box_ticket() if has_keys else ""
    page = render_template(
        "reporter/start.html", sentence=sentence, is_open=is_open, nobody=has_keys and not reads, silent=silent, box=box
    )
    return make_response(page, trail.status(step))


@post_redirect_get.shows("/again")
def _try_again(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """What did not go through, on a page of its own: with one button it is sent once more."""
    if ended == LEFT or trail.age > post_redirect_get.SHOWN:
        return post_redirect_get.start_page()
    return make_response(trouble_page(trail.about(step)), trail.status(step))


def has_team_keys() -> bool:
    """Whether there is a team that could read a report."""
    with installation().reading() as db:
        try:
            return bool(team_log.teams_or_none(db, installation().pin))
        except team_log.BrokenChain:
            return False


@blueprint.get("/<lang>/antes")
@compressible
def before() -> ResponseReturnValue:
    """What to know before the first question: the way out, what stays on the phone, what is kept."""
    return render_template("reporter/before.html")


@blueprint.get("/<lang>/cuidados")
@compressible
def safety() -> ResponseReturnValue:
    """What this page can and cannot do for somebody whose phone is looked at."""
    return render_template("reporter/safety.html")


@blueprint.route("/salir", methods=["GET", "POST"])
@takes(TripsForm)
@may_be_sent_again
@compressible
def leave() -> ResponseReturnValue:
    """One touch and gone. On pages that answered a POST the trip is noted as over, so that it cannot be repeated."""
    trips = tickets.trips_in(TripsForm().trip.data or "")
    if trips:
        post_redirect_get.end(trips, LEFT)
    answer = make_response(render_template("reporter/leave.html"))
    answer.headers["Refresh"] = f"0;url={url_for('reporter.away')}"
    return answer


@blueprint.get("/fuera")
@compressible
def away() -> ResponseReturnValue:
    """The second hop: empty the cache, then on to a page that anybody might look at."""
    answer = redirect(installation().settings.exit_url, 303)
    answer.headers["Clear-Site-Data"] = '"cache"'
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@blueprint.get("/<lang>/ahora")
@compressible
def now() -> ResponseReturnValue:
    """I need help now: three numbers to press at once, what is known of each line, and two ways on."""
    directory, moment = directory_lookups.snapshot(), installation().clock()
    offers = national_lines(directory, moment)
    return render_template(
        "reporter/now.html",
        first=lines_for_now(directory, moment),
        offers=[(offer, doubts.of_one([offer])) for offer in offers],
        of_all=doubts.of_all(offers),
    )


def box_ticket() -> str:
    """The ticket of a receipt box or of a search for help: a repeat of what is asked with it can be refused."""
    return ticket_field("visit", g.trip or tickets.new_trip(), BOX, {})


def over(came: TicketCheck | None) -> ResponseReturnValue:
    """The neutral page for what cannot be repeated: without a word where she left, with one where time ran out."""
    return post_redirect_get.home() if came else post_redirect_get.home(say(OVER), 410)
