"""The page on which a case worker reads, writes, changes and takes out the letters of her team.

Speaks HTTP and nothing else; what a letter may hold is a matter of `letters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from referrals.casework.follow_up import letters
from referrals.casework.follow_up.letters import Template
from reporting import clock
from reporting.cases.follow_up import team_letters
from reporting.cases.follow_up.team_letters import TeamLetter, TooManyLetters
from reporting.cases.records import EditConflict
from reporting.i18n import N_
from reporting.teams import members
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER, CASEWORK, CannotOpen, Team
from reporting.web import desk_pages, languages
from reporting.web.access.audience import DESK, Pages
from reporting.web.access.auth import refresh_keys, signed_in
from reporting.web.access.traits import may_be_sent_again, takes
from reporting.web.context import Installation, installation, local_hour, render_template, say
from reporting.web.forms import BadFormValue, StaffForm, button, number_in, too_long
from reporting.web.languages import LANGUAGES
from reporting.web.limits import TURNING

blueprint = Pages("letters", __name__, DESK, limit=TURNING)
LONGEST_TITLE, LONGEST_LETTER = 80, 2000  # signs
CHANGED = N_("Somebody changed this letter meanwhile. What you wrote is still here: look at both, and save again.")
CANNOT_OPEN = N_(
    "The letters that your team wrote do not open: somebody wrote into the database. Call whoever looks after the"
    " server. The first letter that you save begins them anew."
)


def _clean(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()


class LetterForm(StaffForm):
    """A letter of the team in every language: `title_es`, `text_es` ... `version` is how its page showed it."""

    team = StringField(filters=[_clean], validators=[Length(max=20)])
    letter = StringField(filters=[_clean], validators=[Length(max=40)])
    instead_of = StringField(filters=[_clean], validators=[Length(max=40)])
    version = StringField(filters=[_clean])

    def as_typed(self) -> TeamLetter:
        """The letter as it was typed. Raises `BadFormValue` where no page of ours showed its version."""
        offered = installation().catalogues
        titles = {language: self[f"title_{language}"].data for language in offered}
        texts = {language: self[f"text_{language}"].data for language in offered}
        return TeamLetter(
            {language: title for language, title in titles.items() if texts[language]},
            {language: text for language, text in texts.items() if text},
            code=self.letter.data,
            instead_of=self.instead_of.data,
            version=number_in(self.version.data or "0"),
        )


for _language in LANGUAGES:
    setattr(LetterForm, f"title_{_language}", StringField(filters=[_clean], validators=[Length(max=LONGEST_TITLE)]))
    setattr(LetterForm, f"text_{_language}", TextAreaField(filters=[_clean], validators=[Length(max=LONGEST_LETTER)]))


@blueprint.get("/<lang>/equipo/cartas")
@signed_in(CASE_WORKER)
def page() -> ResponseReturnValue:
    """The letters that the member's teams can send."""
    return _show()


@blueprint.post("/<lang>/equipo/cartas")
@takes(LetterForm)
@may_be_sent_again
@signed_in(CASE_WORKER)
def change() -> ResponseReturnValue:
    """A letter is kept, or taken out. What is not right comes back with what was typed."""
    form, go = LetterForm(), button()
    if not form.is_ours():
        return _show(form, sentence=too_long(form), code=422)
    refused = _refusal(form, go)
    if refused:
        return _show(form, sentence=say(refused[0]), code=refused[1])
    desk_pages.done(DONE[go], "", url_for("letters.page", lang=g.lang))
    return _show()


DONE = {"keep": N_("The letter is kept."), "take-out": N_("The letter is taken out.")}


def _refusal(form: LetterForm, go: str) -> tuple[str, int] | None:
    """Do it, in one transaction; or why it was not done, with the status of the answer."""
    site, keys = installation(), refresh_keys()
    try:
        letter, team = form.as_typed(), number_in(form.team.data or "0")
        if go not in DONE or team not in {each.id for each in _own_teams(site, keys)}:
            return N_("Choose what to do."), 422
        problem = _problem(letter) if go == "keep" else ""
        if problem:
            return problem, 422
        with site.writing() as db:
            if go == "keep":
                team_letters.keep(db, keys, team, letter, int(site.clock()) // clock.HOUR)
            else:
                team_letters.take_out(db, keys, team, letter.code, letter.version)
    except TooManyLetters:
        return N_("Your team has 60 letters. Take one out before you write another."), 422
    except (EditConflict, BadFormValue):
        return CHANGED, 409
    except CannotOpen:
        return N_("You do not hold the keys of these letters. Ask a colleague."), 422
    return None


def _problem(letter: TeamLetter) -> str:
    """What is wrong with a letter, as a message; nothing where it can be kept."""
    if not letter.texts or not all(letter.titles.values()):
        return N_("Write a title and a text, in one language at least.")
    if any(letters.unknown_places(text) for text in letter.texts.values()):
        return N_("In square brackets only the places that are listed above can stand.")
    return ""


def _own_teams(site: Installation, keys: Keys) -> tuple[Team, ...]:
    """The casework teams whose newest keys the member holds."""
    with site.reading() as db:
        teams = site.teams(db)
    return tuple(team for team in teams if team.kind == CASEWORK and team.newest.number in keys.epochs.get(team.id, {}))


@dataclass(frozen=True, slots=True)
class Shelf:
    """The letters of one team, as its members see them. `opens`: whether what the team wrote opens."""

    team: Team
    templates: tuple[Template, ...]
    opens: bool


def _shelf(db: Any, keys: Keys, team: Team) -> Shelf:
    try:
        return Shelf(team, letters.templates(team_letters.letters_of(db, keys, team.id)), opens=True)
    except CannotOpen:
        return Shelf(team, letters.templates(()), opens=False)


def _has_a_place(typed: LetterForm, shelves: list[Shelf]) -> None:
    """What came back of a letter that is not there any more is a new one, so that no word of it goes."""
    here = {str(shelf.team.id): shelf.templates for shelf in shelves}
    if typed.team.data not in here:
        typed.team.data = str(shelves[0].team.id)
    codes = {each.own.instead_of or each.code if each.own else each.code for each in here[typed.team.data]}
    if (typed.instead_of.data or typed.letter.data) not in codes:
        typed.letter.data = typed.instead_of.data = ""


@desk_pages.by_get()
def _show(typed: LetterForm | None = None, sentence: str = "", code: int = 200) -> ResponseReturnValue:
    site, keys = installation(), refresh_keys()
    own = _own_teams(site, keys)
    if not own:
        return redirect(url_for("casework.queue", lang=g.lang), 303)
    with site.reading() as db:
        shelves = [_shelf(db, keys, team) for team in own]
        names = {account.id: account.name for account in members.accounts(db)}
    if typed is not None:
        _has_a_place(typed, shelves)
    tongues = languages.autonyms(site.catalogues)
    shown = render_template(
        "casework/letters.html",
        shelves=shelves,
        names=names,
        tongues_of_letters=tongues,
        places=[(autonym, letters.place_names(language)) for language, autonym in tongues],
        typed=typed,
        sentence=sentence,
        broken=CANNOT_OPEN,
        longest=(LONGEST_TITLE, LONGEST_LETTER),
        hour_of=local_hour,
        out=StaffForm(formdata=None),
    )
    return make_response(shown, code)
