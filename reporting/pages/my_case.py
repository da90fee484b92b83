"""Her case as she sees it: letters first, then questions to her, help as of now, what she told and allows.

Every page follows a POST and carries the ticket of her visit. She can add, set right, allow and take
back; what she told before is never lost. Shows nothing of what the team keeps for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import g, make_response
from flask.typing import ResponseReturnValue
from wtforms import RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from referrals.casework import need_list, referral
from referrals.casework.follow_up import appointments
from referrals.help import answers as referrals_help
from referrals.help import tonight
from referrals.help.cards import HelpCards, cards_of
from referrals.help.plan_fields import plan_fields, plans_signed
from referrals.help.texts import case_texts_signed, need_names
from reporting.cases import actions, statement, store
from reporting.cases.actions import NotAllowed
from reporting.cases.follow_up.how_was_it import FACES
from reporting.cases.follow_up.plan_versions import SAFETY_PLAN
from reporting.cases.follow_up.since_then import since_then
from reporting.cases.records import Case
from reporting.i18n import N_
from reporting.pages.directory_lookups import directory_choices, snapshot
from reporting.pages.her_consents import consents_of
from reporting.sessions.replays import LEFT
from reporting.teams.readers import offered
from reporting.teams.team_log import STATISTICS, CannotOpen, Team, team_of_kind
from reporting.vocabulary import questions, wording
from reporting.vocabulary.answers import answers_of, corrected
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.lengths import ALL_PAGES, TOLD_AFTERWARDS, page_afterwards
from reporting.web import languages, limits, post_redirect_get, question_forms
from reporting.web.access.visits import CaseSession, Next, case_session_field, case_session_on, onward
from reporting.web.context import installation, local_hour, render_template, say, today
from reporting.web.forms import OpenForm, button, number_in, parts_of, typed_answers, typed_here
from reporting.web.post_redirect_get import Trail
from reporting.web.question_forms import TO_SET_RIGHT
from reporting.web.requests import speak

# states of a referral in which she is asked, and those in which she can still say no
ASKED, MAY_STOP = frozenset({"proposed"}), frozenset({"consented", "sent", "accepted", "not_reached"})
Typed = TypeVar("Typed", bound=OpenForm)


class LetterForm(OpenForm):
    """A letter to the team, or words to add to what she told."""

    text = TextAreaField(validators=[InputRequired(), Length(max=questions.LONGEST_TEXT)])


def act(stay: CaseSession, go: str) -> Next:
    """What she pressed, and where it leads. What nobody knows leads to her case."""
    verb, rest = parts_of(go)
    if verb == "lang":
        speak(rest)
    try:
        return ACTS.get(go, MANY.get(verb, _show))(stay, rest)
    except NotAllowed as why:
        return onward("show", sentence=say(why.sentence), code=422)


@post_redirect_get.shows("visit")
def page(trail: Trail, step: str, ended: str | None) -> ResponseReturnValue:
    """A step of her stay. Once she left, or after fifteen minutes: the page that anybody may look at."""
    if ended == LEFT or trail.expires is None or installation().clock() > trail.expires:
        return post_redirect_get.start_page()
    stay, (verb, _, rest) = case_session_on(trail), step.partition("-")
    try:
        return make_response(STEPS.get(verb, _case_page)(stay, trail, rest), trail.status(step))
    except CannotOpen:  # it was erased meanwhile
        return post_redirect_get.start_page()


def _case_page(stay: CaseSession, trail: Trail, _rest: str) -> str:
    """Her case as it stands."""
    site = installation()
    with site.reading() as db:
        case = store.open_visit(db, stay.visit)
        teams = {team.id: team.name for team in site.teams(db)}
    shelf = snapshot()
    names, of_another = referrals_help.names(shelf), referral.is_for_another(case)
    return render_template(
        "reporter/case.html",
        case=case,
        team=teams.get(case.team, ""),
        facts=wording.facts_of(case.incident, names, say),
        first=wording.facts_of(case.first, names, say) if case.corrections else (),
        names=names,
        pages=question_forms.titles_to_set_right(case.incident),
        afterwards=TOLD_AFTERWARDS[0],
        help=None if case.unseen else _help(case, police_shown="police" in trail.about("show")),
        **({} if case.unseen else _plans(case)),
        allows=consents_of(case),
        events=since_then(case),
        appointments=() if case.unseen else appointments.coming(case, today().date()),
        proposals=[item for item in case.referrals if item.state in ASKED],
        may_stop=[item for item in case.referrals if item.state in MAY_STOP and not item.protects],
        protects=[item for item in case.referrals if item.protects and item.state != "revoked"],
        ended=[(item, names.get(item.service, item.service), said) for item, said in referral.endings(case.referrals)],
        closed=referral.closing_words(case),
        faces=FACES,
        texts_signed=case_texts_signed(),
        need_list=need_list.for_her(case, site.clock()),
        need_words=need_names(of_another=of_another),
        of_another=of_another,
        other_team=teams.get(actions.asked_hand_over(case.work_record), ""),
        form=_again(LetterForm, trail, "show"),
        sentence=trail.about("show").get("sentence", ""),
        ticket=case_session_field(stay),
    )


def _plans(case: Case) -> dict[str, Any]:
    """The plan that she keeps, and what there is today; the latter only where it is another one."""
    incident, shelf = case.incident_at(installation().clock()), snapshot()
    plans, kept = tonight.plans_for(shelf, incident), case.plan["lines"] if case.plan else []
    return {
        "kept": tonight.kept_plans(shelf, incident, kept),
        "plans": () if tonight.names_of(plans) == kept else plans,
        "plan_fields": plan_fields(SAFETY_PLAN),
        "plan_signed": plans_signed(),
    }


def _again(kind: type[Typed], trail: Trail, step: str) -> Typed:
    """A form: empty, or as she typed it, with what has to be set right."""
    typed = trail.typed(step)
    form = kind(formdata=typed)
    if typed is not None:
        form.validate()
    return form


def _help(case: Case, *, police_shown: bool) -> HelpCards:
    now = installation().clock()
    leaves_out = need_list.her_page_leaves_out(case.need_states)
    incident = referral.in_the_right_person(case, now)
    offered_now = referrals_help.help_for(
        snapshot(), incident, now, languages=(g.lang,), police_shown=police_shown, leaves_out=leaves_out
    )
    return cards_of(offered_now)


def _show(_stay: CaseSession, _rest: str) -> Next:
    return onward("show", **({"police": True} if button() == "police" else {}))


def _wrong(step: str) -> Next:
    """The next step: the same form once more, with what she typed and what is wrong."""
    return onward(step, code=422, typed=typed_here())


def _waits(step: str) -> Next:
    """The next step: the same form once more, because many long texts came from where she is."""
    return onward(step, code=429, typed=typed_here(), sentence=say(limits.WAITS))


def _counters() -> Team:
    with installation().reading() as db:
        return team_of_kind(installation().teams(db), STATISTICS)


def _write(stay: CaseSession, _rest: str) -> Next:
    """A letter."""
    form = LetterForm()
    if not form.validate():
        return _wrong("show")
    site, text = installation(), form.text.data.strip()
    if limits.has_to_wait(text):
        return _waits("show")
    site.filing(lambda db: store.write_as_reporter(db, stay.visit, text, site.clock()), is_short=limits.is_short(text))
    return onward("show", sentence=say(N_("Your letter is with the team.")))


def _more_page(stay: CaseSession, trail: Trail, _rest: str) -> str:
    return render_template("reporter/add.html", form=_again(LetterForm, trail, "add"), ticket=case_session_field(stay))


def _add(stay: CaseSession, _rest: str) -> Next:
    form, site = LetterForm(), installation()
    if not form.validate():
        return _wrong("add")
    text = form.text.data.strip()
    if limits.has_to_wait(text):
        return _waits("add")

    def add(db: Any) -> None:
        with store.on_visit(db, stay.visit, site.clock()) as case_file:
            actions.add_words(case_file, text, site.clock())

    site.filing(add, is_short=limits.is_short(text))
    return onward("show", sentence=say(N_("It is added. What you told before stays as it was.")))


def _ask_right(stay: CaseSession, rest: str) -> Next:
    """The next step: one page of the questions, filled with her answers."""
    return onward(f"right-{rest}") if _can_set_right(stay, rest) else onward("show")


def _can_set_right(stay: CaseSession, rest: str) -> bool:
    with installation().reading() as db:
        return _is_page(rest) and not store.open_visit(db, stay.visit).unseen


def _set_right(stay: CaseSession, rest: str) -> Next:
    """Her new answers to one page; what she told before is kept beside them."""
    if not _is_page(rest):
        return onward("show")
    site, moment, statistics_team = installation(), installation().clock(), _counters()
    with site.writing() as db, store.on_visit(db, stay.visit, moment, statistics_team) as case_file:
        if case_file.facts["unseen"]:
            return onward("show")
        form = _form(number_in(rest), case_file.incident, typed_answers())
        if not form.validate():
            return _wrong(f"right-{rest}")
        now = case_file.incident_at(moment)
        changed = corrected(number_in(rest), now, question_forms.answers_in(form))
        if changed != now:
            actions.correct(case_file, 0, changed, "", moment, signs=asks_how_she_is(number_in(rest)))
    if (after := page_afterwards(number_in(rest))) is not None:
        return onward(f"right-{after}")
    return onward("show", sentence=say(N_("It is changed. What you told before is kept beside it.")))


def asks_how_she_is(number: int) -> bool:
    """Whether a page asks for the danger signs as they are right now: who answers it tells them anew."""
    return any(question.name == "danger" for question in ALL_PAGES[number].questions)


def _is_page(rest: str) -> bool:
    return rest in {str(page) for page in TO_SET_RIGHT}


def _form(number: int, incident: Incident, typed: Any) -> OpenForm:
    return question_forms.form_of(number, answers_of(incident), directory_choices(incident), typed)


def _right_page(stay: CaseSession, trail: Trail, rest: str) -> str:
    with installation().reading() as db:
        case = store.open_visit(db, stay.visit)
    number, typed = number_in(rest), trail.typed(f"right-{rest}")
    form = _form(number, case.incident, typed)
    if typed is not None:
        form.validate()
    return render_template(
        "reporter/set_right.html",
        number=number,
        title=question_forms.title_of(number, answers_of(case.incident)),
        afterwards=number in TOLD_AFTERWARDS,
        questions=question_forms.questions_in(number, form),
        form=form,
        ticket=case_session_field(stay),
    )


def _allow(stay: CaseSession, rest: str) -> Next:
    return _change_consent(stay, rest, yes=True)


def _deny(stay: CaseSession, rest: str) -> Next:
    return _change_consent(stay, rest, yes=False)


def _change_consent(stay: CaseSession, code: str, *, yes: bool) -> Next:
    site = installation()
    with site.writing() as db, store.on_visit(db, stay.visit, site.clock(), _counters()) as case_file:
        actions.allow_by(case_file, 0, code, site.clock(), yes=yes)
    if not yes:
        site.checkpoint()  # what was shredded must not stay in the log
    return onward("show", sentence=say(N_("Done: it is as you say now.")))


class ContactForm(OpenForm):
    """How the team can reach her safely."""

    channel = RadioField(
        choices=[SelectChoice(code, text) for code, text in questions.CHANNELS.items()], validators=[Optional()]
    )
    number_to_call = StringField(
        questions.CONTACT_NAMES["number_to_call"], validators=[InputRequired(), Length(max=200)]
    )
    safe_hours = StringField(questions.CONTACT_NAMES["safe_hours"], validators=[Length(max=200)])
    if_other = StringField(questions.CONTACT_NAMES["if_other"], validators=[Length(max=200)])
    code_word = StringField(questions.CONTACT_NAMES["code_word"], validators=[Length(max=200)])


def _reach_page(stay: CaseSession, trail: Trail, _rest: str) -> str:
    return render_template(
        "reporter/reach.html", form=_again(ContactForm, trail, "reach"), ticket=case_session_field(stay)
    )


def _reach(stay: CaseSession, _rest: str) -> Next:
    """A new way to reach her. Of who tells for somebody else it is the teller's own, and says so."""
    form, site = ContactForm(), installation()
    if not form.validate():
        return _wrong("reach")
    contact = {name: (getattr(form, name).data or "").strip() for name in questions.CONTACT_NAMES}
    with site.writing() as db, store.on_visit(db, stay.visit, site.clock()) as case_file:
        hers = actions.speaks_for_herself(case_file.incident, case_file.consents)
        whose = {} if hers else {questions.WHOSE: questions.WHO_TELLS}
        actions.reach(case_file, {name: value for name, value in contact.items() if value} | whose)
    site.checkpoint()
    return onward("show", sentence=say(N_("We use only this to reach you, until you take it back.")))


def _hand_over(stay: CaseSession, rest: str) -> Next:
    """Her answer to the question whether another team may have it."""
    if rest not in {"yes", "no"}:
        return onward("show")
    site = installation()
    with site.writing() as db:
        with store.on_visit(db, stay.visit, site.clock()) as case_file:
            goes_to = actions.answer_hand_over(case_file, yes=rest == "yes")
        readers = [team for team in offered(db, site.teams(db)) if team.id == goes_to]
        if readers:
            store.give_to_team(db, stay.visit, readers[0], site.clock())
    site.checkpoint()  # of what the other team had, nothing stays in the log
    done = N_("Done. From now on the other team reads it, and this one no more.") if readers else N_("Good. It stays.")
    return onward("show", sentence=say(done))


def _to(step: str) -> Act:
    """An act that only leads to a page."""
    return lambda _stay, _rest: onward(step)


def _proof(stay: CaseSession, _trail: Trail, _rest: str) -> str:
    """A dated acknowledgement to take along: that something was received, and when. Not what."""
    site = installation()
    with site.reading() as db:
        case = store.open_visit(db, stay.visit)
        teams = {team.id: team.name for team in site.teams(db)}
    return render_template(
        "reporter/proof.html", case=case, team=teams.get(case.team, ""), ticket=case_session_field(stay)
    )


def _statement(stay: CaseSession, trail: Trail, rest: str) -> str:
    """Her own words and facts on paper, in the order prosecutors ask for. Nothing of us is on it."""
    site = installation()
    with site.reading() as db:
        case = store.open_visit(db, stay.visit)
    if case.unseen:
        return _case_page(stay, trail, rest)
    return statement_page(case, "reporter/statement.html", ticket=case_session_field(stay))


def statement_page(case: Case, template: str, **parts: Any) -> str:
    """Her statement as a page to print, the same for her and for her case worker."""
    names = referrals_help.names(snapshot())
    said = statement.sections(case, names, say, lambda hour: languages.dated_hour(g.lang, local_hour(hour)))
    return render_template(template, sections=said, by_hand=statement.BY_HAND, **parts)


def _erase_page(stay: CaseSession, _trail: Trail, _rest: str) -> str:
    with installation().reading() as db:
        store.open_visit(db, stay.visit)
    return render_template("reporter/erase.html", ticket=case_session_field(stay))


Act = Callable[[CaseSession, str], Next]
# what is pressed -> what is done
ACTS: dict[str, Act] = {
    "write": _write,
    "ask-more": _to("add"),
    "add": _add,
    "ask-reach": _to("reach"),
    "reach": _reach,
    "proof": _to("proof"),
    "statement": _to("statement"),
    "ask-erase": _to("erase"),
}
# the same for what names something after a hyphen: a page, a consent, an answer
MANY: dict[str, Act] = {
    "right": _ask_right,
    "save": _set_right,
    "allow": _allow,
    "deny": _deny,
    "handover": _hand_over,
}
# step of a stay -> its page; every other one is her case
STEPS: dict[str, Callable[[CaseSession, Trail, str], str]] = {
    "add": _more_page,
    "right": _right_page,
    "reach": _reach_page,
    "proof": _proof,
    "statement": _statement,
    "erase": _erase_page,
}
