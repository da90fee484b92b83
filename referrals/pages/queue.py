"""The queue as a page: sorted and filtered by its address, searched, and one act on several cases.

Opens summaries only, but for a search, which is in the audit. What comes first is decided in `casework/queue`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from flask import g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length

from referrals.casework import folds, queue
from referrals.casework.queue import View
from referrals.directory import snapshot
from referrals.help.answers import names
from referrals.needs import codes
from referrals.pages.case_forms import blueprint, case_workers, counters, needed, outcome, owner
from reporting import clock
from reporting.cases import actions, desk, queue_cache, records, taken
from reporting.cases.actions import NotAllowed
from reporting.cases.case_file import CaseFile
from reporting.cases.junk import SIGNS
from reporting.cases.records import JUNK
from reporting.crypto import receipts
from reporting.i18n import N_
from reporting.sessions.page_rows import CannotKeep
from reporting.teams import list_numbers, reading_hours
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER, CannotOpen
from reporting.vocabulary import questions
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.needs import NEEDS
from reporting.web import desk_pages, languages
from reporting.web.access.auth import home_for, refresh_keys, signed_in
from reporting.web.access.traits import is_the, may_be_sent_again, takes
from reporting.web.context import Installation, installation, local_hour, render_template, say
from reporting.web.forms import BadFormValue, StaffForm, button, complaint, day_in, number_in

RESTORE_SHOWN = 60 * 24  # hours: so long the queue says that a restore was entered

LONGEST_OWNER = 12  # signs: `mine`, `nobody`, or the number of a member
FIRST = View()  # what is listed where an address says nothing


class BulkForm(StaffForm):
    """Several cases at once, words to look for, or the view that is chosen."""

    cases = SelectMultipleField(validate_choice=False)
    owner = StringField(validators=[Length(max=LONGEST_OWNER)])
    label = StringField(validators=[Length(max=actions.LABEL_LENGTH)])
    outcome = StringField()
    reason = TextAreaField(validators=[Length(max=questions.LONGEST_TEXT)])
    words = StringField(validators=[Length(max=200)])
    search = StringField(validators=[Length(max=64)])  # the name under which a search lies that goes on
    name = StringField(validators=[Length(max=actions.LABEL_LENGTH)])
    folder = SelectField(choices=[*queue.FOLDERS], default=FIRST.folder)
    sort = SelectField(choices=[*queue.SORTS], default=FIRST.sort)


class RestoreForm(StaffForm):
    """That a backup was put back: of which day, and why."""

    day = StringField(validators=[Length(max=10)])
    reason = TextAreaField(validators=[Length(max=questions.LONGEST_TEXT)])


@blueprint.get("/<lang>/equipo/casos", endpoint="queue")
@is_the(home_for(CASE_WORKER))
@signed_in(CASE_WORKER)
def queue_page() -> ResponseReturnValue:
    """The cases a member's keys open, fifty a page, sorted and filtered as the address says. Opens summaries only."""
    return _queue_page()


def _view() -> View:
    """What is asked for in the address; what nobody knows is read as the first choice. A name typed lies in a row."""
    address = request.args
    folder, sort = address.get("folder", ""), address.get("sort", "")
    return View(
        folder=folder if folder in queue.FOLDERS else FIRST.folder,
        owner=address.get("owner", "")[:LONGEST_OWNER],
        name=(desk_pages.taken(address["name"]) or {}).get("words", "") if "name" in address else "",
        sort=sort if sort in queue.SORTS else FIRST.sort,
        after=_after(address.get("after", "")),
        fold=_after(address.get("fold", "")),
    )


def _after(text: str) -> int:
    """The last case of the page before; 0 for none, and for what is no number."""
    try:
        return number_in(text)
    except BadFormValue:
        return 0


@desk_pages.by_get()
def _queue_page(
    *,
    form: BulkForm | None = None,
    sentence: str = "",
    search: str = "",
    code: int = 200,
    restore: RestoreForm | None = None,
) -> ResponseReturnValue:
    site, keys, view = installation(), refresh_keys(), _view()
    with site.reading() as db:
        sheet = _sheet(db, keys)
        cards, broken = desk.queue(db, keys, sheet.summaries, site.pin)
        restores = taken.restores(db, keys, int(site.clock()) // clock.HOUR - RESTORE_SHOWN)
        people = case_workers(db, site, keys)
    aside = queue.put_aside(cards, site.clock(), sheet)
    chosen = queue.chosen(folds.opened(cards, view.fold), view, keys.member, aside=aside)
    sought = WordSearch.kept(search)
    listed = [card for card in chosen if card.case in sought.matches] if sought else chosen
    ordered = queue.in_order(listed, site.clock(), view.sort, sheet)
    lines, behind = (ordered, {}) if view.fold or sought else folds.folded(ordered, cards, site.clock(), sheet)
    shown, after = queue.page_of(lines, view.after)
    page = render_template(
        "casework/queue.html",
        lines=[queue.line_of(card, site.clock()) for card in shown],
        count=len(ordered),
        folds=behind,
        next=after,
        view=view,
        named=request.args.get("name") if view.name else None,
        words=sought.words if sought else "",
        sought=sought,
        search=search,
        sentence=sentence,
        folders=_folders(cards, aside),
        signs={case: [say(SIGNS[sign]) for sign in signs] for case, signs in aside.items()},
        sorts={code: say(name) for code, (name, _) in queue.SORTS.items()},
        people=people,
        broken=_broken(broken),
        restore=restore or RestoreForm(formdata=None) if _teams_to_restore(broken) else None,
        restores=restores,
        **_TABLE,
        names=names(snapshot.snapshot_of(site.reading)),
        me=keys.member,
        out=form or BulkForm(formdata=None),
    )
    answer = make_response(page, code)
    answer.call_on_close(lambda: _after_the_queue(site, keys))
    return answer


def _folders(cards: Sequence[records.Summary], aside: queue.Doubts) -> dict[str, tuple[str, int]]:
    """Folder -> its name, how many lie there."""
    return {code: (say(name), sum(lies(card, aside) for card in cards)) for code, (name, lies) in queue.FOLDERS.items()}


# words of the tables that the page shows, and how it says a time
_TABLE: dict[str, Any] = {
    "need_names": NEEDS,
    "urgency_names": codes.URGENCY_LABELS,
    "states": {"new": N_("New"), "open": N_("In hand"), "closed": N_("Closed")},
    "marks": actions.MARKS,
    "places": {code: name for code, (name, _) in queue.PLACES.items()},
    "outcomes": actions.OUTCOMES,
    "regions": VOCABULARY["region"],
    "day": lambda written: languages.day_as_written(g.lang, written),
    "came": lambda hour: languages.hour(g.lang, local_hour(hour)),
    "age": lambda hour: int(installation().clock() / clock.HOUR - hour) // 24,
}


@dataclass(frozen=True, slots=True)
class WordSearch:
    """How far a search for words has come: which cases it found, how many it looked through, the last of them.

    By number, which is random: so a case that comes meanwhile, or goes, moves no other out of its place.
    """

    words: str
    matches: tuple[int, ...] = ()
    looked: int = 0
    left: int = 0
    after: int = -1

    @classmethod
    def kept(cls, name: str) -> WordSearch | None:
        """The search that lies under a name; None for no name, for one that is over, and of another session."""
        row = desk_pages.taken(name) if name else None
        return cls(**row["search"] | {"matches": tuple(row["search"]["matches"])}) if row and "search" in row else None

    def keep(self) -> str:
        """Put it down for this session. Returns the name. `CannotKeep` where not."""
        return desk_pages.keep({"search": asdict(self)})


SLICE = 500  # cases that one press of the button looks through: about two seconds on a small server


def _look_further(search: WordSearch) -> WordSearch:
    """The search after the next cases of the view. It reads while others write."""
    site, keys, view = installation(), g.keys, _view()
    with site.reading() as db:
        sheet = _sheet(db, keys)
        cards, _ = desk.queue(db, keys, sheet.summaries, site.pin)
        aside = queue.put_aside(cards, site.clock(), sheet)
        listed = sorted(card.case for card in queue.chosen(cards, view, keys.member, aside=aside))
        waiting = [case for case in listed if case > search.after]
        now = waiting[:SLICE]
        matches = desk.search(db, keys, now, receipts.plain(search.words).split())
    return replace(
        search,
        matches=(*search.matches, *sorted(matches)),
        looked=search.looked + len(now),
        left=len(waiting) - len(now),
        after=now[-1] if now else search.after,
    )


def _search(form: BulkForm) -> ResponseReturnValue:
    """Begin to look for words, or go on; the beginning is an act of the audit."""
    site, before = installation(), WordSearch.kept(form.search.data or "")
    words = " ".join((form.words.data or "").split())
    if before is None or words != before.words:
        if not words:
            return _queue_page(form=form, sentence=say(N_("Write the words to look for.")), code=422)
        before = WordSearch(words)
        with site.writing() as db:
            desk.note_search(db, g.keys, site.clock())
    try:
        return _queue_page(search=_look_further(before).keep())
    except CannotKeep:
        return _queue_page(form=form, sentence=say(N_("There is no room just now. Try again in a minute.")), code=503)


def _sheet(db: Any, keys: Keys) -> queue.QueueCache:
    return queue.joined(_sheet_of(db, keys, team) for team in keys.epochs)


def _sheet_of(db: Any, keys: Keys, team: int) -> queue.QueueCache:
    return queue.joined(queue.from_bytes(part) for part in queue_cache.read_sheets(db, keys, team).values())


def _broken(broken: Sequence[records.BrokenCase]) -> list[tuple[str, str]]:
    """(short name, what it means and what is to be done) of each case that does not open; for all at once no name."""
    all_at_once = [("", say(records.REASONS[records.LIST]))] if any(case.why == records.LIST for case in broken) else []
    return all_at_once + [
        (records.alias(case.case), say(records.REASONS[case.why])) for case in broken if case.why != records.LIST
    ]


def _teams_to_restore(broken: Sequence[records.BrokenCase]) -> frozenset[int]:
    """The teams in which something is as after a backup was put back."""
    return frozenset(case.team for case in broken if case.why in {records.OLDER, records.LIST})


def _after_the_queue(site: Installation, keys: Keys) -> None:
    """After the page is sent, outside of any request: new keys go to the vault, old ways to reach somebody go.

    And what was worked out is kept, so that the next look is quick. Cards are opened while nobody waits for the desk.
    """
    with site.writing() as db:
        desk.move_to_vault(db, keys, pin=site.pin)
    with site.reading() as db:
        sheets = {team: _sheet_of(db, keys, team) for team in keys.epochs}
        cards, broken = desk.queue(db, keys, queue.joined(sheets.values()).summaries, site.pin)
        news = taken.news(db, keys, taken.lists(db, keys, site.pin), {case.case for case in broken}, site.clock())
    for team, sheet in sheets.items():
        _keep_worked_out(site, keys, team, sheet, [card for card in cards if card.team == team])
    with site.writing() as db:
        for team, seen in news.items():
            taken.note(db, keys, team, seen)
        newest = taken.remember(db, keys)
    list_numbers.pin_lists(site.pin, newest)
    with site.writing() as db:
        shredded = desk.tidy(db, keys, cards, site.clock())
        shredded += desk.clear_junk(db, keys, cards, site.settings.pepper, site.clock())
        reading_hours.note_opened(db, languages.local(site.clock(), site.settings.time_zone).date())
    if shredded or any(seen.forgets for seen in news.values()):
        site.checkpoint()


def _keep_worked_out(
    site: Installation, keys: Keys, team: int, sheet: queue.QueueCache, cards: list[records.Summary]
) -> None:
    now = site.clock()
    if parts := sheet.stale_parts(cards, now):
        with site.writing() as db:
            queue_cache.write_sheets(db, keys, team, lambda here: queue.in_parts(cards, parts, here, sheet, now))


@blueprint.post("/<lang>/equipo/casos")
@takes(BulkForm)
@may_be_sent_again
@signed_in(CASE_WORKER)
def bulk() -> ResponseReturnValue:
    """Look for words, or do one thing with several cases: each is done, skipped or failed, and the counts are told."""
    form = BulkForm()
    if not form.is_ours():
        return _queue_page(form=form, sentence=next(iter(form.errors.values()), [""])[0], code=422)
    go = button()
    if go == "view":
        return redirect(_address_of_view(form), 303)
    if go == "words":
        return _search(form)
    if go not in BULK or not form.cases.data:
        return _queue_page(form=form, sentence=say(N_("Mark at least one case, and say what to do.")), code=422)
    done = skipped = failed = 0
    for number in form.cases.data[: queue.PAGE]:
        try:
            _one_of_many(go, number, form)
            done += 1
        except NotAllowed:
            skipped += 1
        except (CannotOpen, BadFormValue):
            failed += 1
    sentence = N_("Done: %(done)s. Left as they were: %(skipped)s. Failed: %(failed)s.")
    return _queue_page(sentence=say(sentence, done=done, skipped=skipped, failed=failed))


@blueprint.post("/<lang>/equipo/casos/respaldo")
@takes(RestoreForm)
@signed_in(CASE_WORKER)
def enter_restore() -> ResponseReturnValue:
    """A member says that a backup was put back: the team knows again what lies there."""
    form, site, keys = RestoreForm(), installation(), refresh_keys()
    if not form.is_ours():
        return _queue_page(sentence=complaint(N_("That is too long.")), code=422, restore=form)
    try:
        day, reason = day_in((form.day.data or "").strip()), needed(form.reason.data)
    except BadFormValue:
        return _queue_page(sentence=say(N_("Write the day of the backup as 28/07/2027.")), code=422, restore=form)
    except NotAllowed as refusal:
        return _queue_page(sentence=say(refusal.sentence), code=422, restore=form)
    with site.reading() as db:
        teams = _teams_to_restore(desk.queue(db, keys, pin=site.pin)[1])
    with site.writing() as db:
        desk.enter_restore(db, keys, site.pin, teams, day, reason, site.clock())
    return redirect(url_for("casework.queue", lang=g.lang), 303)


def _address_of_view(form: BulkForm) -> str:
    """What was chosen stands in the address; what was typed does not: addresses are remembered by browsers."""
    chosen: dict[str, Any] = {part: form[part].data or None for part in ("folder", "owner", "sort")}
    name = form.name.data or ""
    with suppress(CannotKeep):
        chosen["name"] = desk_pages.keep({"words": name}) if name.strip() else None
    return url_for("casework.queue", lang=g.lang, **chosen)


def _one_of_many(go: str, number: str, form: BulkForm) -> None:
    site = installation()
    with (
        site.writing() as db,
        desk.at_desk(db, g.keys, number_in(number), site.clock(), "changed", counters=counters(db)) as case_file,
    ):
        BULK[go](case_file, form)


def _bulk_assign(case_file: CaseFile, form: BulkForm) -> None:
    actions.assign(case_file, g.keys.member, owner(form.owner.data), installation().clock())


def _bulk_label(case_file: CaseFile, form: BulkForm) -> None:
    if not (form.label.data or "").strip():
        raise NotAllowed(N_("Write a label."))
    actions.add_label(case_file, form.label.data)


def _bulk_close(case_file: CaseFile, form: BulkForm) -> None:
    actions.close(
        case_file, g.keys.member, outcome(form.outcome.data), needed(form.reason.data), installation().clock()
    )


def _bulk_junk(case_file: CaseFile, form: BulkForm) -> None:
    actions.mark(case_file, g.keys.member, JUNK, "", needed(form.reason.data), installation().clock())


BULK: dict[str, Callable[[CaseFile, BulkForm], None]] = {
    "assign": _bulk_assign,
    "label": _bulk_label,
    "close": _bulk_close,
    "junk": _bulk_junk,
}
