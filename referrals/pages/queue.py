"""The queue as a page: sorted and filtered by its address, searched, and one act on several cases.

Opens summaries only, but for a search, which is in the audit. What comes first is decided in `casework/queue`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from flask import g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from referrals.casework import folds, queue, views
from referrals.casework.look import Look, keep, look, news, see_moved
from referrals.casework.ranks import Rank
from referrals.casework.views import View
from referrals.directory import snapshot
from referrals.help.answers import names
from referrals.needs import codes
from referrals.pages.case_forms import blueprint, called, case_workers
from referrals.pages.queue_bulk import (
    FILTERS,
    FIRST,
    JUNK_BECAUSE,
    LONGEST_CODE,
    LONGEST_OWNER,
    BulkForm,
    RestoreForm,
    do_with_each,
    missing,
    named_in,
)
from reporting import clock
from reporting.cases import actions, desk, records, taken
from reporting.cases.junk import SIGNS
from reporting.cases.summary import Summary
from reporting.crypto import receipts
from reporting.i18n import N_
from reporting.sessions.page_rows import CannotKeep
from reporting.teams import list_numbers, reading_hours
from reporting.teams.keyring import Keys
from reporting.teams.team_log import CASE_WORKER
from reporting.vocabulary.codes import VOCABULARY
from reporting.vocabulary.needs import NEEDS
from reporting.web import desk_pages, languages
from reporting.web.access.auth import home_for, refresh_keys, signed_in
from reporting.web.access.traits import is_the, may_be_sent_again, takes
from reporting.web.context import Installation, days_since, installation, local_hour, render_template, say
from reporting.web.forms import BadFormValue, button, number_in, too_long

RESTORE_SHOWN = 60 * 24  # hours: so long the queue says that a restore was entered


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
        **{name: address.get(name, "")[:LONGEST_CODE] for name in FILTERS if name != "silence"},
        silence=address["silence"] if address.get("silence") in views.SILENCES else "",
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
    unread: Sequence[tuple[int, str]] = (),
) -> ResponseReturnValue:
    site, keys, view, now = installation(), refresh_keys(), _view(), installation().clock()
    with site.reading() as db:
        seen = look(db, keys, site.pin, now)
        restores = taken.restores(db, keys, int(site.clock()) // clock.HOUR - RESTORE_SHOWN)
        people = case_workers(db, site, keys)
    ranks = seen.cache.ranks.values()
    aside = views.put_aside(ranks)
    chosen = views.chosen(seen.cache, view, keys.member, now, aside, only=folds.opened(ranks, view.fold))
    sought = WordSearch.kept(search)
    listed = [rank for rank in chosen if rank.case in sought.matches] if sought else chosen
    shown, after, behind = _page_with_folds(listed, view, () if view.fold or sought else ranks, now)
    page = render_template(
        "casework/queue.html",
        **_lines([seen.cache.summary(rank.case) for rank in shown], now),
        count=len(listed),
        folds=behind,
        next=after,
        view=view,
        here=_addresses(view),
        filters=(filters := _filters(views.choices(ranks), known := names(snapshot.snapshot_of(site.reading)))),
        narrowed=_narrowed(view, filters, people),
        to_read=views.to_read(seen.cache, keys.member),
        hidden=0 if view.fold or sought else views.hidden_windows(seen.cache, chosen),
        sought=sought,
        search=search,
        sentence=sentence,
        unread=unread,
        folders=_folders(views.counts(ranks, keys.member, aside)),
        signs={case: [say(SIGNS[sign]) for sign in signs] for case, signs in aside.items()},
        people=people,
        broken=_broken(seen.broken),
        restore=restore or RestoreForm(formdata=None) if _teams_to_restore(seen.broken) else None,
        restores=restores,
        **TABLE,
        names=known,
        me=keys.member,
        out=form or BulkForm(formdata=None),
    )
    answer = make_response(page, code)
    answer.call_on_close(lambda: _after_the_queue(site, keys, seen))
    return answer


def _lines(summaries: Iterable[Summary], now: float) -> dict[str, Any]:
    """The lines, and for each case what ran out in it before anybody wrote to her."""
    lines = [queue.line_of(summary, now) for summary in summaries]
    return {"lines": lines, "missed": {line.case: queue.missed_windows(line, now) for line in lines}}


Filters = tuple[tuple[str, str, list[tuple[str, str]]], ...]


def _filters(there: views.Choices, known: Mapping[str, str]) -> Filters:
    """(name, label, (code, in words) of each) of what can be asked for."""
    departments = sorted((known.get(code, code), code) for code in there.departments)
    spoken = languages.LANGUAGES
    return (
        ("department", say(N_("Department")), [(code, name) for name, code in departments]),
        ("need", say(N_("What is needed first")), [(need, say(NEEDS[need])) for need in there.needs]),
        ("minor", say(N_("Age")), [("1", say(N_("Under 18")))]),
        (
            "language",
            say(N_("Language")),
            [(code, spoken[code].autonym if code in spoken else code) for code in sorted(there.languages)],
        ),
        ("silence", say(N_("Silence")), [(code, say(silence.name)) for code, silence in views.SILENCES.items()]),
    )


def _narrowed(view: View, filters: Filters, people: Mapping[int, str]) -> list[tuple[str, str]]:
    """(name, in words) of each thing that this view leaves other cases out by."""
    whose = {queue.MINE: say(N_("Mine")), queue.NOBODY: say(N_("Nobody's"))}
    whose |= {str(number): who for number, who in people.items()}
    words = {name: dict(choices) for name, _, choices in filters} | {"owner": whose}
    chosen = ((name, getattr(view, name)) for name in (*FILTERS, "owner"))
    said = [(name, words[name].get(code, code)) for name, code in chosen if code]
    return said + ([("name", view.name)] if view.name else [])


def _addresses(view: View) -> Callable[..., str]:
    """The address of this view with something else in it; what is None is left out."""
    typed = request.args.get("name") if view.name else None
    parts = {name: getattr(view, name) or None for name in ("folder", "owner", "sort", *FILTERS)} | {"name": typed}
    parts = {name: None if value == getattr(FIRST, name, None) else value for name, value in parts.items()}
    return lambda page="casework.queue", **more: url_for(page, lang=g.lang, **(parts | more))


def _page_with_folds(
    listed: Sequence[Rank], view: View, everything: Collection[Rank], now: float
) -> tuple[Sequence[Rank], int, Mapping[int, folds.Fold]]:
    """The ranks of a page, the case after which the next begins, and what stands behind those that are folds."""
    many = folds.large(everything)
    if not many:
        return *views.page_of(listed, view.sort, view.after), {}
    lines, behind = folds.folded(queue.in_order(listed, view.sort), many, now)
    return *views.page_in(lines, view.after), behind


def _folders(counts: Mapping[str, int]) -> dict[str, tuple[str, int]]:
    """Folder -> its name, how many lie there."""
    return {code: (say(name), counts[code]) for code, (name, _) in queue.FOLDERS.items()}


# words of the tables that the page shows, and how it says a time
TABLE: dict[str, Any] = {
    "tabs": queue.TABS,
    "first_sort": FIRST.sort,
    "chosen_in": lambda view: [name for name in (*FILTERS, "owner") if getattr(view, name)],
    "sorts": {code: name for code, (name, _) in queue.SORTS.items()},
    "need_names": NEEDS,
    "urgency_names": codes.URGENCY_LABELS,
    "states": {"new": N_("New"), "open": N_("In hand"), "closed": N_("It is closed")},
    "marks": actions.MARKS,
    "places": queue.PLACES,
    "outcomes": actions.OUTCOMES,
    "junk_because": JUNK_BECAUSE,
    "regions": VOCABULARY["region"],
    "day": lambda written: languages.day_as_written(g.lang, written),
    "came": lambda hour: languages.hour(g.lang, local_hour(hour)),
    "age": days_since,
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
        seen = look(db, keys, site.pin, site.clock())
        aside = views.put_aside(seen.cache.ranks.values())
        listed = sorted(rank.case for rank in views.chosen(seen.cache, view, keys.member, site.clock(), aside))
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


def _broken(broken: Sequence[records.BrokenCase]) -> list[tuple[str, str]]:
    """(short name, what it means and what is to be done) of each case that does not open; for all at once no name."""
    all_at_once = [("", say(records.REASONS[records.LIST]))] if any(case.why == records.LIST for case in broken) else []
    return all_at_once + [
        (records.alias(case.case), say(records.REASONS[case.why])) for case in broken if case.why != records.LIST
    ]


def _teams_to_restore(broken: Sequence[records.BrokenCase]) -> frozenset[int]:
    """The teams in which something is as after a backup was put back."""
    return frozenset(case.team for case in broken if case.why in {records.OLDER, records.LIST})


def _after_the_queue(site: Installation, keys: Keys, seen: Look) -> None:
    """After the page is sent, outside of any request: new keys go to the vault, old ways to reach somebody go.

    And what was worked out is kept, so that the next look is quick. Nothing is read again but what moved.
    """
    now = site.clock()
    moved = _moved_to_vault(site, keys)
    if moved:
        with site.reading() as db:
            seen = see_moved(db, keys, seen, moved, now)
    keep(site.writing, keys, seen)
    fresh = news(keys, seen, now)
    with site.writing() as db:
        for team, its in fresh.items():
            taken.note(db, keys, team, its)
        newest = taken.remember(db, keys)
    list_numbers.pin_lists(site.pin, newest)
    ended = queue.ended(seen.cache.ranks.values(), now)
    with site.writing() as db:
        shredded = desk.tidy(db, keys, ended, now)
        shredded += desk.clear_junk(db, keys, ended, site.settings.pepper, now)
        reading_hours.note_opened(db, languages.local(now, site.settings.time_zone).date())
    if shredded or any(its.forgets for its in fresh.values()):
        site.checkpoint()


def _moved_to_vault(site: Installation, keys: Keys) -> tuple[int, ...]:
    """The cases whose new keys went there, a few at a time: between them others write."""
    moved: tuple[int, ...] = ()
    with site.reading() as db:
        unlisted = taken.unlisted(db, keys)
    while True:
        with site.writing() as db:
            some = desk.move_to_vault(db, keys, desk.MOVED, site.pin, unlisted)
        moved += some
        if len(some) < desk.MOVED:
            return moved


@blueprint.post("/<lang>/equipo/casos")
@takes(BulkForm)
@may_be_sent_again
@signed_in(CASE_WORKER)
def bulk() -> ResponseReturnValue:
    """Find a case, look for words, or do one thing with several cases: done, skipped or failed, and how many are told.

    Whoever types the whole short name of a case is led to it.
    """
    form = BulkForm()
    if not form.is_ours():
        return _queue_page(form=form, sentence=next(iter(form.errors.values()), [""])[0], code=422)
    go = named_in(button(), form)
    if go == "find" and len(named := called(form.name.data)) == 1:
        return redirect(url_for("casework.case_page", lang=g.lang, case=named[0]), 303)
    if go in {"view", "find"}:
        return redirect(_address_of_view(form), 303)
    if go == "words":
        return _search(form)
    if lacks := missing(go, form):
        return _queue_page(form=form, sentence=" ".join(map(say, lacks)), code=422)
    result = do_with_each(go, form)
    sentence = N_("Done: %(done)s. Left as they were: %(skipped)s. Failed: %(failed)s.")
    done = f"{len(result.done)} ({', '.join(map(records.alias, result.done))})" if result.done else 0
    said = say(sentence, done=done, skipped=len(result.skipped) + len(result.to_read), failed=len(result.failed))
    return _queue_page(sentence=said, unread=[(case, records.alias(case)) for case in result.to_read])


@blueprint.post("/<lang>/equipo/casos/respaldo")
@takes(RestoreForm)
@signed_in(CASE_WORKER)
def enter_restore() -> ResponseReturnValue:
    """A member says that a backup was put back: the team knows again what lies there."""
    form, site, keys = RestoreForm(), installation(), refresh_keys()
    if not form.is_ours():
        return _queue_page(sentence=too_long(form), code=422, restore=form)
    day, reason, lacks = form.meant()
    if day is None or lacks:
        return _queue_page(sentence=" ".join(map(say, lacks)), code=422, restore=form)
    with site.reading() as db:
        teams = _teams_to_restore(desk.queue(db, keys, pin=site.pin)[1])
    with site.writing() as db:
        desk.enter_restore(db, keys, site.pin, teams, day, reason, site.clock())
    return redirect(url_for("casework.queue", lang=g.lang), 303)


def _address_of_view(form: BulkForm) -> str:
    """What was chosen stands in the address; what was typed does not: addresses are remembered by browsers."""
    chosen: dict[str, Any] = {part: form[part].data or None for part in ("folder", "owner", "sort", *FILTERS)}
    name = form.name.data or ""
    with suppress(CannotKeep):
        chosen["name"] = desk_pages.keep({"words": name}) if name.strip() else None
    return url_for("casework.queue", lang=g.lang, **chosen)
