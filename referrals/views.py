"""Casework pages: the queue, a case, what is done with it, the audit. And what pages of the other wing borrow.

They speak HTTP and nothing else. A case worker is named in the audit whenever a case is opened. What can be done with
a case is one table of acts; each form carries the version it was made from.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Blueprint, abort, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length

from referrals import directory, needs, queue, sheets, triage, upkeep
from referrals.directory import Help, Shelf
from referrals.index import ServiceCard
from referrals.queue import View
from reporting import (
    casebook,
    casework,
    desk_pages,
    duty,
    her_case,
    languages,
    members,
    questionnaire,
    receipts,
    teamlog,
)
from reporting.casebook import JUNK, Case, ChangedMeanwhile, NoConsent
from reporting.casework import NotNow
from reporting.config import Settings
from reporting.folder import NOT_A_REPORT, Folder
from reporting.frontdoor import (
    House,
    StaffForm,
    error_page,
    house,
    local_hour,
    refresh_keys,
    render_template,
    say,
    signed_in,
)
from reporting.incidents import MINOR_AGES, N_, VOCABULARY
from reporting.keyring import Keys
from reporting.page_rows import CannotKeep
from reporting.questionnaire import PAGES
from reporting.screening import SIGNS
from reporting.teamlog import CASE_WORKER, CASEWORK, STATISTICS, CannotOpen, Team

pages = Blueprint("casework", __name__)

ACT_NAMES = {
    "opened": N_("opened"),
    "letter": N_("wrote a letter"),
    "contact": N_("looked how to reach her"),
    "searched": N_("searched all cases for words"),
    "changed": N_("changed something"),
    "referral": N_("moved a referral"),
    "sheet": N_("opened a referral sheet"),
    "printed": N_("printed her words"),
    "handed over": N_("handed it over to another team"),
    "voice": N_("wrote down what was told by voice"),
}
NOT_OPENED = N_("This case does not open: it was erased, or a record of it was changed.")
MEANWHILE = N_("Somebody else changed this case in the meantime. Look at it again, then decide.")
LONGEST_NUMBER = 20  # digits of a record's number


def settle(made: House) -> None:
    """Bring what the front door shows on practice and error pages: the lines that answer in the whole country."""
    made.wings["lines"] = lambda: directory.national_lines(her_case.held(), made.clock())
    made.wings["shipped lines"] = lambda: directory.lines_as_shipped(made.settings.country, made.clock())
    made.wings["departments"] = lambda: directory.other_departments(her_case.held())


def settle_in(engine: Engine, settings: Settings) -> None:
    """Tell a database in which country its directory lives."""
    directory.settle(engine, settings.country, settings.clock_of_services)


# ── the queue ───────────────────────────────────────────────────────────────────────────────────────────────


class BulkForm(StaffForm):
    """Several cases at once, or words to look for."""

    cases = SelectMultipleField(validate_choice=False)
    owner = StringField()
    label = StringField(validators=[Length(max=casework.LABEL_LENGTH)])
    outcome = StringField()
    reason = TextAreaField(validators=[Length(max=questionnaire.LONGEST_TEXT)])
    words = StringField(validators=[Length(max=200)])
    name = StringField(validators=[Length(max=casework.LABEL_LENGTH)])


@pages.get("/<lang>/equipo/casos", endpoint="queue")
@signed_in(CASE_WORKER)
def queue_page() -> ResponseReturnValue:
    """The cases her keys open, fifty a page, sorted and filtered by what stands in the address. Opens cards only."""
    return _queue_page()


def _view() -> View:
    """What is asked for in the address; what nobody knows is read as the first choice. A name typed lies in a row."""
    told = request.args
    folder, sort = told.get("folder", ""), told.get("sort", "")
    after = told.get("after", "")
    return View(
        folder=folder if folder in queue.FOLDERS else "open",
        owner=told.get("owner", "")[:12],
        name=(desk_pages.taken(told["name"]) or {}).get("words", "") if "name" in told else "",
        sort=sort if sort in queue.SORTS else "urgency",
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < LONGEST_NUMBER else 0,
    )


@desk_pages.by_get()
def _queue_page(*, sentence: str = "", words: str = "", code: int = 200) -> ResponseReturnValue:
    made, keys, view = house(), refresh_keys(), _view()
    with made.reading() as db:
        sheet = _sheet(db, keys)
        cards, broken = casebook.queue(db, keys, sheet.cards)
        people = _case_workers(db, made, keys)
    aside = queue.put_aside(cards, made.clock(), sheet)
    hers = queue.chosen(cards, view, keys.member, aside=aside)
    found = _with_words(made, keys, hers, words) if words else None
    listed = hers if found is None else [card for card in hers if card.case in found]
    ordered = queue.in_order(listed, made.clock(), view.sort, sheet)
    shown, after = queue.page_of(ordered, view.after)
    page = render_template(
        "casework/queue.html",
        lines=[queue.line_of(card, made.clock()) for card in shown],
        count=len(ordered),
        next=after,
        view=view,
        named=request.args.get("name") if view.name else None,
        words=words,
        sentence=sentence,
        folders={
            code: (say(name), sum(lies(card, aside) for card in cards)) for code, (name, lies) in queue.FOLDERS.items()
        },
        signs={case: [say(SIGNS[one]) for one in told] for case, told in aside.items()},
        sorts={code: say(name) for code, (name, _) in queue.SORTS.items()},
        people=people,
        outcomes=casework.OUTCOMES,
        regions=VOCABULARY["region"],
        broken=broken,
        need_names=needs.NEEDS,
        urgency_names=needs.URGENCY_LABELS,
        states={"new": N_("New"), "open": N_("In hand"), "closed": N_("Closed")},
        marks=casework.MARKS,
        names=directory.names(directory.shelf(made.reading)),
        came=lambda hour: languages.hour(g.lang, local_hour(hour)),
        age=lambda hour: int(made.clock() / casebook.HOUR - hour) // 24,
        me=keys.member,
        out=BulkForm(formdata=None),
    )
    answer = make_response(page, code)
    answer.call_on_close(lambda: _after_the_queue(made, keys))
    return answer


def _with_words(made: House, keys: Keys, cards: list[casebook.Card], words: str) -> frozenset[int]:
    with made.writing() as db:
        return casebook.search(db, keys, cards, receipts.plain(words).split(), made.clock())


def _case_workers(db: Any, made: House, keys: Keys) -> dict[int, str]:
    """Who can own a case: the people who read with her."""
    hers = [team for team in made.teams(db) if team.id in keys.epochs and team.kind == CASEWORK]
    inside = {member for team in hers for member in team.members}
    return {one.id: one.name for one in members.accounts(db) if one.id in inside and one.open}


def _sheet(db: Any, keys: Keys) -> queue.Sheet:
    return queue.joined(_sheet_of(db, keys, team) for team in keys.epochs)


def _sheet_of(db: Any, keys: Keys, team: int) -> queue.Sheet:
    return queue.joined(queue.from_bytes(part) for part in casebook.read_sheets(db, keys, team).values())


def _after_the_queue(made: House, keys: Keys) -> None:
    """After the page is sent, outside of any request: new keys go to the vault, old ways to reach somebody go.

    And what was worked out is kept, so that the next look is quick. Cards are opened while nobody waits for the desk.
    """
    with made.writing() as db:
        casebook.move_to_vault(db, keys)
    with made.reading() as db:
        sheets = {team: _sheet_of(db, keys, team) for team in keys.epochs}
        cards, _ = casebook.queue(db, keys, queue.joined(sheets.values()).cards)
    for team, sheet in sheets.items():
        _keep_worked_out(made, keys, team, sheet, [card for card in cards if card.team == team])
    with made.writing() as db:
        shredded = casebook.tidy(db, keys, cards, made.clock())
        duty.note_opened(db, languages.local(made.clock(), made.settings.time_zone).date())
    if shredded:
        made.emptied()


def _keep_worked_out(made: House, keys: Keys, team: int, sheet: queue.Sheet, cards: list[casebook.Card]) -> None:
    now = made.clock()
    if parts := sheet.stale_parts(cards, now):
        with made.writing() as db:
            casebook.write_sheets(db, keys, team, lambda here: queue.in_parts(cards, parts, here, sheet, now))


@pages.post("/<lang>/equipo/casos")
@signed_in(CASE_WORKER)
def bulk() -> ResponseReturnValue:
    """Look for words, or do one thing with several cases: each is done, skipped or failed, and the counts are told."""
    form = BulkForm()
    if not form.is_ours():
        return _queue_page(sentence=say(N_("That is too long.")), code=422)
    go = request.form.get("go", "")
    if go == "view":
        return redirect(_address_of_view(form.name.data or ""), 303)
    if go == "words":
        return _queue_page(words=form.words.data or "")
    if go not in BULK or not form.cases.data:
        return _queue_page(sentence=say(N_("Mark at least one case, and say what to do.")), code=422)
    done = skipped = failed = 0
    for number in form.cases.data[: queue.PAGE]:
        try:
            _one_of_many(go, number, form)
            done += 1
        except NotNow:
            skipped += 1
        except (CannotOpen, ValueError):
            failed += 1
    told = N_("Done: %(done)s. Left as they were: %(skipped)s. Failed: %(failed)s.")
    return _queue_page(sentence=say(told, done=done, skipped=skipped, failed=failed))


def _address_of_view(name: str) -> str:
    """What was chosen stands in the address; what was typed does not: addresses are remembered by browsers."""
    chosen: dict[str, Any] = {part: request.form.get(part) or None for part in ("folder", "owner", "sort")}
    with suppress(CannotKeep):
        chosen["name"] = desk_pages.keep({"words": name}) if name.strip() else None
    return url_for("casework.queue", lang=g.lang, **chosen)


def _one_of_many(go: str, number: str, form: BulkForm) -> None:
    made = house()
    with (
        made.writing() as db,
        casebook.at_desk(db, g.keys, _number(number), made.clock(), "changed", counters=_counters(db)) as folder,
    ):
        BULK[go](folder, form)


def _bulk_assign(folder: Folder, form: BulkForm) -> None:
    casework.assign(folder, g.keys.member, _owner(form.owner.data), house().clock())


def _bulk_label(folder: Folder, form: BulkForm) -> None:
    if not (form.label.data or "").strip():
        raise NotNow(N_("Write a label."))
    casework.add_label(folder, form.label.data)


def _bulk_close(folder: Folder, form: BulkForm) -> None:
    casework.close(folder, g.keys.member, _outcome(form.outcome.data), _needed(form.reason.data), house().clock())


def _bulk_junk(folder: Folder, form: BulkForm) -> None:
    casework.mark(folder, g.keys.member, JUNK, "", _needed(form.reason.data), house().clock())


BULK: dict[str, Callable[[Folder, BulkForm], None]] = {
    "assign": _bulk_assign,
    "label": _bulk_label,
    "close": _bulk_close,
    "junk": _bulk_junk,
}


# ── one case ────────────────────────────────────────────────────────────────────────────────────────────────


class ActForm(StaffForm):
    """Everything that a form of the case page may hold. Which of it an act needs, the act says."""

    v = StringField()  # the version of the case that the page was made from
    text = TextAreaField(validators=[Length(max=questionnaire.LONGEST_TEXT)])
    reason = TextAreaField(validators=[Length(max=questionnaire.LONGEST_TEXT)])
    owner = StringField()
    labels = StringField(validators=[Length(max=300)])
    outcome = StringField()
    mark = StringField()
    because = StringField()
    alias = StringField(validators=[Length(max=12)])
    team = StringField()
    service = StringField(validators=[Length(max=64)])
    need = StringField()
    fields = SelectMultipleField(validate_choice=False)
    number = StringField()
    step = StringField()
    consent = StringField()


@pages.get("/<lang>/equipo/caso/<int(max=9223372036854775807):case>")
@signed_in(CASE_WORKER)
def case_page(case: int) -> ResponseReturnValue:
    """Everything of one case. The opening is in the audit."""
    return _show(case)


@pages.post("/<lang>/equipo/caso/<int(max=9223372036854775807):case>")
@signed_in(CASE_WORKER)
def act(case: int) -> ResponseReturnValue:
    """One act on a case. What is not right comes back with what was typed."""
    form, go = ActForm(), request.form.get("go", "")
    if not form.is_ours():
        return _show(case, form=form, pressed=go, sentence=say(N_("That is too long.")), code=422)
    if go == "contact":
        return _show_contact(case)
    refused = _refused(case, go, form)
    if refused:
        return _show(case, form=form, pressed=go, sentence=say(refused[0]), code=refused[1])
    if go in GOES:
        house().emptied()
    if go == "handed" and not _still_hers(case):
        return redirect(url_for("casework.queue", lang=g.lang), 303)
    return redirect(url_for("casework.case_page", lang=g.lang, case=case), 303)


def _refused(case: int, go: str, form: ActForm) -> tuple[str, int] | None:
    """Do it, in one transaction; or why it was not done, as a message, with the status of the answer."""
    made = house()
    known, does, needs_version = ACTS.get(go, ("", _nothing, False))
    try:
        with made.writing() as db:
            seen = _number(form.v.data) if needs_version else None
            with casebook.at_desk(db, g.keys, case, made.clock(), known, seen=seen, counters=_counters(db)) as folder:
                does(folder, form)
                casework.record_gaps(folder, _help(directory.shelf(made.reading), folder).gaps)
            AFTERWARDS.get(go, _nothing_more)(db, case, form)
    except NoConsent:
        return N_("She did not say yes to letters."), 422
    except NotNow as why:
        return why.sentence, 422
    except (ChangedMeanwhile, CannotOpen, ValueError):
        return MEANWHILE, 409
    return None


def _nothing(_folder: Folder, _form: ActForm) -> None:
    raise NotNow(N_("Choose what to do."))


def _nothing_more(_db: Any, _case: int, _form: ActForm) -> None:
    return


def _still_hers(case: int) -> bool:
    try:
        with house().writing() as db:
            casebook.open_case(db, g.keys, case, house().clock())
    except CannotOpen:
        return False
    return True


@desk_pages.by_get()
def _show_contact(case: int) -> ResponseReturnValue:
    made = house()
    try:
        with made.writing() as db:
            contact = casebook.open_contact(db, g.keys, case, made.clock())
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    except NoConsent:
        return _show(case, sentence=say(N_("She gave no way to reach her, or took it back.")), code=422)
    return _show(case, contact=contact)


@desk_pages.by_get()
def _show(case: int, *, form: ActForm | None = None, pressed: str = "", contact: Any = None, sentence: str = "",
          code: int = 200) -> ResponseReturnValue:  # fmt: skip
    """The page of a case, as it is after it was opened."""
    made, shelf = house(), directory.shelf(house().reading)
    keys = refresh_keys()
    try:
        with made.writing() as db:
            opened = casebook.open_case(db, keys, case, made.clock())
            people, teams = _case_workers(db, made, keys), _other_teams(db, made, opened)
            linked = casebook.called(db, keys, opened.desk.get("links", ())).values()
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    page = render_template(
        "casework/case.html",
        **_as_it_stands(opened, shelf),
        case=opened,
        alias=casebook.alias(opened.id),
        timeline=casework.timeline(opened),
        came=languages.hour(g.lang, local_hour(opened.hour)),
        contact=contact,
        typed=form,
        pressed=pressed,
        sentence=sentence,
        people=people,
        teams=teams,
        links=[(other, casebook.alias(other)) for other in linked],
        owner=opened.owner,
        asked_team=teams.get(casework.asked_hand_over(opened.desk), ""),
        referrals=[(one, list(triage.steps(one, keys.member))) for one in opened.referrals],
        herself=casework.speaks_for_herself(opened.incident, opened.consents),
        table=_TABLE,
        me=keys.member,
        out=ActForm(formdata=None),
    )
    return make_response(page, code)


def _as_it_stands(opened: Case, shelf: Shelf) -> dict[str, Any]:
    """What was told, in words, and what follows from it now."""
    names, moment = directory.names(shelf), house().clock()
    incident = opened.incident_at(moment)
    return {
        "facts": questionnaire.facts_of(opened.incident, names, say),
        "first": questionnaire.facts_of(opened.first, names, say) if opened.corrections else (),
        "help": directory.help_for(shelf, incident, moment, languages=(opened.language,)),
        "services": directory.services_for(shelf, incident),
        "minor": incident.age in MINOR_AGES,
        "names": names,
        "pages": questionnaire.titles_to_set_right(opened.incident),
        "unclear": questionnaire.unclear_to_the_team(opened.incident),
    }


# words of the tables that the page shows
_TABLE = {
    "channels": questionnaire.CHANNELS,
    "contact": questionnaire.CONTACT_NAMES,
    "consents": questionnaire.CONSENTS
    | {"C_CONTACT": N_("The team may contact her"), casework.HERSELF: N_("She herself has said yes to help")},
    "must_nots": needs.MUST_NOTS,
    "needs": needs.NEEDS,
    "urgencies": needs.URGENCY_LABELS,
    "outcomes": casework.OUTCOMES,
    "marks": casework.MARKS,
    "because": casework.NOT_A_REPORT_BECAUSE,
    "fields": triage.FIELDS,
    "states": triage.STATES,
    "moves": triage.MOVE_NAMES | {"propose": N_("Proposed")},
    "allow": casework.CHANGEABLE,
}


def _counters(db: Any) -> Team:
    return teamlog.team_of_kind(house().teams(db), STATISTICS)


def _other_teams(db: Any, made: House, case: Case) -> dict[int, str]:
    return {team.id: team.name for team in teamlog.trusted(made.teams(db)) if team.id != case.team}


def _help(shelf: Shelf, folder: Folder) -> Help:
    now = house().clock()
    return directory.help_for(shelf, folder.incident_at(now), now, languages=(folder.facts["language"],))


# ── what can be done ────────────────────────────────────────────────────────────────────────────────────────


def _number(text: str | None) -> int:
    """A number that a form of ours carries; anything else is from no page of ours, or from an old one."""
    if not text or not text.isascii() or not text.isdecimal() or len(text) >= LONGEST_NUMBER:
        raise ValueError
    return int(text)


def _needed(text: str | None) -> str:
    if not (text or "").strip():
        raise NotNow(N_("Write it in a few words."))
    return str(text).strip()


def _outcome(code: str | None) -> str:
    if code not in casework.OUTCOMES:
        raise NotNow(N_("Choose how it ended."))
    return code


def _owner(text: str | None) -> int:
    """Somebody who reads with her; 0 is nobody."""
    made, wanted = house(), _number(text or "0")
    with made.reading() as db:
        if wanted and wanted not in _case_workers(db, made, g.keys):
            raise NotNow(N_("Choose somebody of your team."))
    return wanted


def _service(text: str | None) -> ServiceCard:
    card = directory.shelf(house().reading).cards.by_id.get(text or "")
    if card is None:
        raise NotNow(N_("Choose a service of the directory."))
    return card


def _letter(folder: Folder, form: ActForm) -> None:
    if "C_LETTERS" not in folder.consents:
        raise NoConsent
    text = {"from": casebook.FROM_TEAM, "hour": int(house().clock()) // casebook.HOUR, "text": _needed(form.text.data)}
    folder.add("letter", text)
    folder.card |= {"l": True}


def _note(folder: Folder, form: ActForm) -> None:
    casework.note(folder, g.keys.member, _needed(form.text.data), house().clock())


def _assign(folder: Folder, form: ActForm) -> None:
    casework.assign(folder, g.keys.member, _owner(form.owner.data), house().clock())


def _label(folder: Folder, form: ActForm) -> None:
    casework.label(folder, (form.labels.data or "").split(","))


def _risk(folder: Folder, form: ActForm) -> None:
    casework.warn_of(folder, (form.text.data or "").strip())


def _close(folder: Folder, form: ActForm) -> None:
    casework.close(folder, g.keys.member, _outcome(form.outcome.data), _needed(form.reason.data), house().clock())


def _reopen(folder: Folder, form: ActForm) -> None:
    casework.reopen(folder, g.keys.member, _needed(form.reason.data), house().clock())


def _mark(folder: Folder, form: ActForm) -> None:
    if form.mark.data not in casework.MARKS:
        raise NotNow(N_("Choose a mark."))
    because = form.because.data if form.because.data in casework.NOT_A_REPORT_BECAUSE else ""
    if form.mark.data == NOT_A_REPORT and not because:
        raise NotNow(N_("Say why it is not a report."))
    reason = _needed(form.reason.data)
    casework.mark(folder, g.keys.member, form.mark.data, because or "", reason, house().clock())


def _unmark(folder: Folder, form: ActForm) -> None:
    casework.unmark(folder, g.keys.member, form.mark.data or "", _needed(form.reason.data), house().clock())


def _link(folder: Folder, form: ActForm) -> None:
    with house().reading() as db:
        other = casebook.name_of(db, g.keys, _called(form.alias.data))
    casework.link(folder, g.keys.member, other, house().clock())


def _called(name: str | None) -> int:
    """The one case of that short name."""
    wanted = receipts.plain(name or "").replace(" ", "")
    with house().reading() as db:
        cases = casebook.cases_of(db, g.keys)
    found = [case for case in cases if receipts.plain(casebook.alias(case)).replace(" ", "") == wanted]
    if len(found) != 1:
        raise NotNow(N_("No case has this short name."))
    return found[0]


def _link_back(db: Any, case: int, form: ActForm) -> None:
    """The other case names this one too."""
    other, this = _called(form.alias.data), casebook.name_of(db, g.keys, case)
    with casebook.at_desk(db, g.keys, other, house().clock(), "changed") as folder:
        casework.link(folder, g.keys.member, this, house().clock())


def _ask_hand_over(folder: Folder, form: ActForm) -> None:
    made = house()
    with made.reading() as db:
        known = [team.id for team in teamlog.trusted(made.teams(db))]
    team = _number(form.team.data or "0")
    if team not in known:
        raise NotNow(N_("Choose a team."))
    casework.ask_hand_over(folder, g.keys.member, team, _needed(form.reason.data), made.clock())


def _said_yes_to_team(folder: Folder, form: ActForm) -> None:  # noqa: ARG001 -- every act is handed its form
    casework.answer_hand_over(folder, yes=True)


def _hand_over(db: Any, case: int, _form: ActForm) -> None:
    made = house()
    opened = casebook.open_case(db, g.keys, case, made.clock())
    readers = next(team for team in made.teams(db) if team.id == opened.desk["handover"]["team"])
    casebook.hand_over(db, g.keys, case, readers, made.clock())


def _allow(folder: Folder, form: ActForm) -> None:
    """What she said by voice about what she allows."""
    casework.allow(folder, form.consent.data or "", yes=form.step.data == "yes")
    casework.note(folder, g.keys.member, _needed(form.text.data), house().clock())


def _propose(folder: Folder, form: ActForm) -> None:
    fields = ("need", *(field for field in triage.FIELDS if field != "need" and field in (form.fields.data or ())))
    triage.propose(folder, g.keys.member, _service(form.service.data), form.need.data or "", fields, house().clock())


def _protect(folder: Folder, form: ActForm) -> None:
    fields = ("need", *(field for field in triage.FIELDS if field != "need" and field in (form.fields.data or ())))
    triage.protect_child(
        folder, g.keys.member, _service(form.service.data), form.need.data or "", fields,
        (form.reason.data or "").strip(), house().clock(),
    )  # fmt: skip


def _step(folder: Folder, form: ActForm) -> None:
    """A move of a referral; hers are written down as said by voice."""
    number, step, moment, me = _number(form.number.data), form.step.data or "", house().clock(), g.keys.member
    if step == "agree":
        triage.agree(folder, number, moment, voice=me)
    elif step in {"decline", "revoke"}:
        triage.say_no(folder, number, moment, voice=me)
    elif step == "send":
        told = folder.paper(number, "referral").told
        triage.send(folder, number, me, _service(told["service"]), moment)
    else:
        triage.move(folder, number, step, me, moment, (form.text.data or "").strip())


def _flag_who_refused(db: Any, case: int, form: ActForm) -> None:
    """A service that refused is due to be looked at. Only the week is kept, nothing of the case."""
    if form.step.data == "refuse":
        opened = casebook.open_case(db, g.keys, case, house().clock())
        service = next(one.service for one in opened.referrals if str(one.id) == form.number.data)
        upkeep.flag(db, service, "refused", local_hour(int(house().clock()) // casebook.HOUR).date())


GOES = {"handed", "allow"}  # what takes something away from a case or from a team: it goes from the log too
Does = Callable[[Folder, ActForm], None]
# what is pressed -> the word in the audit, what it does, whether the page must be of the newest version
ACTS: dict[str, tuple[str, Does, bool]] = {
    "letter": ("letter", _letter, False),
    "note": ("changed", _note, False),
    "assign": ("changed", _assign, True),
    "label": ("changed", _label, True),
    "risk": ("changed", _risk, True),
    "close": ("changed", _close, True),
    "reopen": ("changed", _reopen, True),
    "mark": ("changed", _mark, True),
    "unmark": ("changed", _unmark, True),
    "link": ("changed", _link, True),
    "ask-hand-over": ("changed", _ask_hand_over, True),
    "handed": ("changed", _said_yes_to_team, True),
    "allow": ("changed", _allow, True),
    "propose": ("referral", _propose, True),
    "protect": ("referral", _protect, True),
    "step": ("referral", _step, True),
}
# what follows in the same transaction, outside of the folder
AFTERWARDS: dict[str, Callable[[Any, int, ActForm], None]] = {
    "link": _link_back,
    "handed": _hand_over,
    "step": _flag_who_refused,
}


# ── setting right, and the sheet ────────────────────────────────────────────────────────────────────────────


class RightForm(StaffForm):
    """Why an answer is changed."""

    v = StringField()
    reason = TextAreaField(validators=[Length(max=questionnaire.LONGEST_TEXT)])


@pages.get("/<lang>/equipo/caso/<int(max=9223372036854775807):case>/respuestas/<int(max=8):number>")
@signed_in(CASE_WORKER)
def answers(case: int, number: int) -> ResponseReturnValue:
    """One page of her answers, to be set right by a case worker with a reason. What she said stays beside it."""
    if number not in questionnaire.TO_SET_RIGHT:
        abort(404)
    return _right_page(case, number)


@pages.post("/<lang>/equipo/caso/<int(max=9223372036854775807):case>/respuestas/<int(max=8):number>")
@signed_in(CASE_WORKER)
def set_right(case: int, number: int) -> ResponseReturnValue:
    """A reason, and what changed of them."""
    if number not in questionnaire.TO_SET_RIGHT:
        abort(404)
    made, asked = house(), RightForm()
    if not asked.is_ours():
        return _right_page(case, number, _typed(), say(N_("That is too long.")), 422)
    try:
        with made.writing() as db:
            opened = casebook.open_case(db, g.keys, case, made.clock())
        form = _answers_form(opened, number, request.form)
        moment = made.clock()
        reason, now = _needed(asked.reason.data), opened.incident_at(moment)
        if not form.validate():
            return _right_page(case, number, _typed(), code=422)
        changed = questionnaire.corrected(number, now, questionnaire.answers_in(form))
        with (
            made.writing() as db,
            casebook.at_desk(
                db, g.keys, case, moment, "changed", seen=_number(asked.v.data), counters=_counters(db)
            ) as folder,
        ):
            if changed != now:
                anew = her_case.asks_how_she_is(number)
                casework.correct(folder, g.keys.member, changed, reason, moment, signs=anew)
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    except NotNow as why:
        return _right_page(case, number, _typed(), say(why.sentence), 422)
    except (ChangedMeanwhile, ValueError):  # or the page did not say which version of the case it showed
        return _right_page(case, number, _typed(), say(MEANWHILE), 409)
    return redirect(url_for("casework.case_page", lang=g.lang, case=case), 303)


def _typed() -> dict[str, list[str]]:
    return {name: said for name, said in request.form.to_dict(flat=False).items() if name != "f"}


def _answers_form(opened: Case, number: int, typed: Any = None) -> Any:
    choices = her_case.directory_choices(opened.incident.department)
    return questionnaire.form_of(number, questionnaire.answers_of(opened.incident), choices, typed)


@desk_pages.by_get()
def _right_page(case: int, number: int, typed: dict[str, list[str]] | None = None, sentence: str = "", code: int = 200
                ) -> ResponseReturnValue:  # fmt: skip
    try:
        with house().writing() as db:
            opened = casebook.open_case(db, g.keys, case, house().clock())
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    form = _answers_form(opened, number, ImmutableMultiDict(typed) if typed else None)
    if typed:
        form.validate()
    page = render_template(
        "casework/set_right.html", case=opened, alias=casebook.alias(opened.id), number=number, page=PAGES[number],
        questions=questionnaire.asked(number, form), form=form,
        reason=(typed or {}).get("reason", [""])[0], sentence=sentence, out=RightForm(formdata=None),
    )  # fmt: skip
    return make_response(page, code)


@pages.get("/<lang>/equipo/caso/<int(max=9223372036854775807):case>/hoja/<int(max=9223372036854775807):number>")
@signed_in(CASE_WORKER)
def sheet(case: int, number: int) -> ResponseReturnValue:
    """The page that goes to a service: what she agreed to, and nothing else. There is none without her yes."""
    made = house()
    try:
        with made.writing() as db:
            opened = casebook.open_sheet(db, g.keys, case, made.clock())
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    one = next((one for one in opened.referrals if one.id == number), None)
    if one is None or not triage.may_go(one):
        return error_page(404, N_("There is no sheet without her yes."))
    names = directory.names(directory.shelf(made.reading))
    return render_template(
        "casework/sheet.html", one=one, service=names.get(one.service, one.service),
        rows=sheets.words_of(opened, one, names, say, made.clock()), case=case, out=StaffForm(formdata=None),
    )  # fmt: skip


@pages.get("/<lang>/equipo/caso/<int(max=9223372036854775807):case>/relato")
@signed_in(CASE_WORKER)
def printed(case: int) -> ResponseReturnValue:
    """Her own words and facts on paper, for somebody who goes to complain. The printing is in the audit."""
    made = house()
    try:
        with made.writing() as db:
            opened = casebook.open_case(db, g.keys, case, made.clock(), "printed")
    except CannotOpen:
        return error_page(404, NOT_OPENED)
    back = url_for("casework.case_page", lang=g.lang, case=case)
    return make_response(
        her_case.statement_page(opened, "casework/statement.html", back=back, out=StaffForm(formdata=None))
    )


@pages.get("/<lang>/equipo/registro")
@signed_in(CASE_WORKER)
def acts() -> ResponseReturnValue:
    """Who opened what, as far as her keys tell."""
    with house().reading() as db:
        people = {account.id: account.name for account in members.accounts(db)}
        listed = casebook.acts(db, g.keys)
    return render_template("casework/acts.html", acts=listed, people=people, alias=casebook.alias, act_names=ACT_NAMES,
                           out=StaffForm(formdata=None))  # fmt: skip


@pages.get("/<lang>/equipo/guia")
@signed_in(CASE_WORKER)
def guide() -> ResponseReturnValue:
    """The first day, the hard days, and every step of a referral as the table of moves has it."""
    return render_template("guide/casework.html", table=triage.MOVES, states=triage.STATES, who=triage.WHO,
                           move_names=triage.MOVE_NAMES, out=StaffForm(formdata=None))  # fmt: skip
