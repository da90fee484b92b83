"""How it goes: sixty invented cases of which everything is known, every figure exact; and who is shown any of it.

What must come out is counted from the plain list by a loop of its own, never with what is tested.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from flask import Flask

from referrals.casework import referral
from referrals.casework.follow_up import course_look
from referrals.casework.follow_up.course import STEPS
from referrals.casework.follow_up.course_look import CourseLook
from referrals.casework.follow_up.how_it_goes import Figures, figures_of, reported_in, span_of
from referrals.directory import snapshot
from referrals.matching.listings import ServiceCard
from referrals.pages.directory.words import TYPE_NAMES
from referrals.pages.follow_up.how_it_goes import STEP_NAMES, WINDOW_NAMES
from reporting.cases import actions, desk, queue_cache, store, submission
from reporting.cases.case_file import CaseFile
from reporting.cases.follow_up import acts
from reporting.cases.follow_up.how_was_it import FACES, say_how_it_was
from reporting.cases.records import FROM_TEAM, Visit
from reporting.cases.store import StretchedReceipt
from reporting.clock import HOUR
from reporting.sessions import tickets
from reporting.storage.database import reading, writing
from reporting.teams import team_log
from reporting.teams.keyring import Keys
from reporting.teams.team_log import ADVOCATE, CASE_WORKER, CASEWORK, COORDINATOR, STATISTICS
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.need_states import MET_ELSEWHERE, NOT_WANTED
from reporting.vocabulary.needs import NEEDS
from reporting.web.languages import local
from tests.copies import Filling
from tests.needs_of_tests import a_schema
from tests.pages.test_casework import comes_back
from tests.people import Place, a_furnished_place
from tests.phone import Phone
from tests.trips import say, signs_in

CASES, OTHERS = 60, "Las de Piura"
QUIET = Incident(about="SELF", violence=frozenset({"THREATS"}), age="A25_34")
RAPE = replace(QUIET, violence=frozenset({"RAPE"}), condom="no", pregnant_possible="yes")
PROVINCES = ("PE1501", "PE2001", None)
WAYS = (
    "propose",
    "propose decline",
    "propose agree",
    "propose agree revoke",
    "propose agree send",
    "propose agree send refuse",
    "propose agree send accept reach",
    "propose agree send reach",
    "propose agree send miss send accept",
    "propose decline agree send accept refuse",
)
GONE = {"junk": "JUNK", "threat": "threat_to_team"}


@dataclass(frozen=True)
class Plain:
    """One invented case, as plain as it can be said. Hours are counted from the report."""

    days_ago: int
    pep_after: int  # hours since the act at the report; 0: nothing that needs PEP; -1: it did, and no time was told
    answered: int  # after so many hours; 0 never
    letters: bool
    voice: bool
    ways: tuple[str, ...]  # one referral each, for N_PEP where there is PEP, moved an hour a step from `begun`
    begun: int
    said: str  # of PEP and emergency contraception
    outcome: str  # empty: open
    reopened: str  # empty, "her", "team"
    face: str
    owner: str
    mark: str
    gap: str
    province: str | None


def plain_cases() -> list[Plain]:
    """Sixty of them: every way in which a case can go stands beside others."""
    return [
        Plain(
            days_ago=(0, 3, 9, 20, 40, 100, 300, 500)[number % 8],
            pep_after=(0, 10, 40, 0, -1, 71)[number % 6],
            answered=(0, 1, 24, 25, 72, 100, 168, 200)[number // 2 % 8],
            letters=number % 5 != 3,
            voice=number % 17 == 4,
            ways=tuple(WAYS[(number * 3 + step) % len(WAYS)] for step in range(number % 3)),
            begun=(1, 20, 60)[number // 3 % 3],
            said=("", "", "", MET_ELSEWHERE, NOT_WANTED)[number % 5],
            outcome=("", "REACHED", "", "REFUSED", "RECORD_ONLY")[number // 4 % 5],
            reopened=("", "", "her", "", "team")[number % 5] if number // 4 % 5 in {0, 1} else "",
            face=("", "GOOD", "BAD", "GOOD", "MIXED")[number % 5] if number // 4 % 5 == 3 else "",
            owner=("", "rosa", "milagros")[number % 3],
            mark=("", "", "", "junk", "", "", "threat")[number % 7] if number % 11 == 6 else "",
            gap=("", "", "", "N_SHELTER")[number % 4],
            province=PROVINCES[number % 3],
        )
        for number in range(CASES)
    ]


# ── done ────────────────────────────────────────────────────────────────────────────────────────────────────


def with_colleagues(place: Place) -> None:
    """Milagros beside rosa; piera alone in a team of her own; carmen and ana, who read no case."""
    place.hires("milagros", CASE_WORKER)
    place.lets_in(place.signs_in("rosa"), "milagros")
    place.hires("piera", CASE_WORKER, new_team=OTHERS)
    place.vouches(place.signs_in("rosa"), OTHERS)
    place.hires("carmen", COORDINATOR)
    place.hires("ana", ADVOCATE)


@pytest.fixture(scope="session")
def filling() -> Filling:
    return with_colleagues


@dataclass
class Filed:
    """What lies there: each plain case by its number, and how its reporter comes back."""

    place: Place
    keys: Keys
    cases: dict[int, Plain]
    visits: dict[int, Visit]
    services: tuple[ServiceCard, ...]

    def look(self, name: str = "rosa") -> CourseLook:
        """Everything that is worked out, and kept."""
        keys, place = self.place.signs_in(name), self.place
        with_all = None
        while with_all is None or with_all.left:
            with_all = course_look.look(lambda: reading(place.engine), keys, lambda: None)
            course_look.keep(lambda: writing(place.engine), keys, with_all)
        return with_all

    def figures(self, period: str = "all", name: str = "rosa") -> Figures:
        seen = self.look(name)
        span = span_of(period, local(self.place.clock(), "America/Lima"))
        return figures_of(reported_in(seen.courses.values(), span), self.place.clock() / HOUR, self.kind_of)

    def kind_of(self, service: str) -> str:
        return next(card.service_type for card in self.services if card.service_id == service)


def filed(place: Place) -> Filed:
    """The sixty cases are told, and all that was done with them is done."""
    keys = {name: place.signs_in(name) for name in ("rosa", "milagros")}
    shelf = snapshot.snapshot_of(lambda: reading(place.engine))
    cards = sorted(shelf.cards.by_id.values(), key=lambda card: card.service_id)
    services = tuple(
        next(card for card in cards if card.service_type == kind)
        for kind in ("HEALTH_EMERGENCY", "HEALTH_PRIMARY", "MENTAL_HEALTH")
    )
    there = Filed(place, keys["rosa"], {}, {}, services)
    with reading(place.engine) as db:
        teams = team_log.teams(db, place.pin)
    readers, counters = team_log.team_of_kind(teams, CASEWORK), team_log.team_of_kind(teams, STATISTICS)
    ids = {name: place.workers[name].id for name in keys} | {"": 0}
    with writing(place.engine) as db:
        for plain in plain_cases():
            receipt = StretchedReceipt(os.urandom(32), os.urandom(32))
            report = submission.new_report(
                incident_of(plain),
                "",
                consents=frozenset({"C_LETTERS"} if plain.letters else ()),
                language="es",
                trip=tickets.new_trip(),
                hour=came(place, plain),
            )
            report = replace(report, voice=ids["rosa"] if plain.voice else 0)
            sealed = submission.prepare(report, receipt, readers, counters, place.settings.pepper, place.clock())
            submission.file_invented(db, sealed)
            visit = store.come_back(db, [receipt])[0]
            there.cases[visit.case], there.visits[visit.case] = plain, visit
            with desk.at_desk(db, keys["rosa"], visit.case, place.clock(), "changed") as case_file:
                happens(case_file, plain, place, ids, services)
            if plain.reopened == "her":
                store.write_as_reporter(db, visit, "otra vez", place.clock())
        desk.move_to_vault(db, keys["rosa"], CASES)
    return there


def came(place: Place, plain: Plain) -> int:
    """The hour of the report."""
    return int(place.clock()) // HOUR - 24 * plain.days_ago - 2


def incident_of(plain: Plain) -> Incident:
    if not plain.pep_after:
        return replace(QUIET, province=plain.province)
    hours = None if plain.pep_after < 0 else (float(plain.pep_after),) * 2
    return replace(RAPE, province=plain.province, hours=hours)


def happens(
    case_file: CaseFile, plain: Plain, place: Place, ids: dict[str, int], services: tuple[ServiceCard, ...]
) -> None:
    """All that the team did, and what she said of it."""
    began, rosa = came(place, plain), ids["rosa"]
    actions.assign(case_file, rosa, ids[plain.owner], began * HOUR)
    if plain.answered:
        for later in (plain.answered + 30, plain.answered):
            letter = {"from": FROM_TEAM, "hour": began + later, "text": "aquí estamos", "by": rosa}
            case_file.add("letter", letter)
    for number, way in enumerate(plain.ways):
        moves(
            case_file, way, services[number], "N_PEP" if plain.pep_after else "N_MED_CHECK", began + plain.begun, rosa
        )
    if plain.said:
        for need in ("N_PEP", "N_EC"):
            actions.say_need(case_file, rosa, need, plain.said, began * HOUR)
    if plain.gap:
        actions.record_gaps(case_file, [plain.gap])
    ends(case_file, plain, place, rosa)


def ends(case_file: CaseFile, plain: Plain, place: Place, rosa: int) -> None:
    """It is closed, and perhaps opened again or put aside."""
    if plain.outcome or plain.reopened:
        for record in case_file.all_of("referral"):
            if record.content["state"] in {"sent", "accepted"}:  # those that are on their way end first
                record.content["state"] = "not_reached"
        actions.close(case_file, rosa, plain.outcome or "REACHED", "ya está", place.clock())
    if plain.face:
        say_how_it_was(case_file, "BAD", place.clock())
        say_how_it_was(case_file, plain.face, place.clock())
    if plain.reopened == "team":
        actions.reopen(case_file, rosa, "sigue", place.clock())
    if plain.mark:
        actions.mark(case_file, rosa, GONE[plain.mark], "", "se ve", place.clock())


def moves(case_file: CaseFile, way: str, service: ServiceCard, need: str, hour: int, rosa: int) -> None:
    number = 0
    for step, name in enumerate(way.split()):
        moment = float((hour + step) * HOUR)
        if name == "propose":
            number = referral.propose(case_file, rosa, service, need, ("need",), moment)
        elif name == "agree":
            referral.agree(case_file, number, moment)
        elif name in {"decline", "revoke"}:
            referral.say_no(case_file, number, moment)
        elif name == "send":
            referral.send(case_file, number, rosa, service, moment)
        else:
            referral.move(case_file, number, name, rosa, moment, because="PAPERS" if hour % 2 else "")


# ── counted by hand ─────────────────────────────────────────────────────────────────────────────────────────


def expected(there: Filed, cases: list[Plain]) -> dict[str, object]:  # noqa: PLR0912, C901 -- plain on purpose
    """Every figure, counted one case after the other."""
    hours: list[int] = []
    counts: dict[str, int] = dict.fromkeys("cases marked written never unwanted closed ever reopened by_her".split(), 0)
    windows: dict[str, dict[str, int]] = {"N_PEP": {}, "N_EC": {}}
    steps: dict[str, dict[str, int]] = {}
    no: dict[str, int] = {}
    refusals: dict[tuple[str, str], int] = {}
    gaps: dict[tuple[str, str], int] = {}
    outcomes: dict[str, int] = {}
    faces: dict[str, int] = {}
    for plain in cases:
        if plain.mark:
            counts["marked"] += 1
            continue
        counts["cases"] += 1
        if not plain.voice:
            counts["written"] += 1
            if plain.answered:
                hours.append(plain.answered)
            elif plain.letters:
                counts["never"] += 1
            else:
                counts["unwanted"] += 1
        if plain.pep_after:
            for need, limit in (("N_PEP", 72), ("N_EC", 120)):
                end = ending(plain, need, limit)
                windows[need][end] = windows[need].get(end, 0) + 1
        for number, way in enumerate(plain.ways):
            kind, began = there.services[number].service_type, came(there.place, plain) + plain.begun
            for name in ("", kind):
                count = steps.setdefault(name, dict.fromkeys(STEPS, 0))
                count["proposed"] += 1
                count["yes"] += "agree" in way
                count["sent"] += "send" in way
                count["accepted"] += "accept" in way or "reach" in way
                count["reached"] += "reach" in way
                no[name] = no.get(name, 0) + (way in {"propose decline", "propose agree revoke"})
            if "refuse" in way:
                because = (there.services[number].service_id, "PAPERS" if began % 2 else "")
                refusals[because] = refusals.get(because, 0) + 1
        if plain.gap:
            where = (plain.province or "", plain.gap)
            gaps[where] = gaps.get(where, 0) + 1
        if plain.outcome or plain.reopened:
            counts["ever"] += 1
        if plain.reopened:
            counts["reopened"] += 1
            counts["by_her"] += plain.reopened == "her"
        elif plain.outcome:
            counts["closed"] += 1
            outcomes[plain.outcome] = outcomes.get(plain.outcome, 0) + 1
        if plain.face:
            faces[plain.face] = faces.get(plain.face, 0) + 1
    return counts | {
        "hours": sorted(hours),
        "windows": windows,
        "steps": steps,
        "no": no,
        "refusals": refusals,
        "gaps": gaps,
        "outcomes": outcomes,
        "faces": faces,
    }


def ending(plain: Plain, need: str, limit: int) -> str:
    """How a window ended; referrals are for PEP alone, and the first is one hour a step."""
    if plain.pep_after < 0:
        return "not_known"
    left = limit - plain.pep_after
    ways = plain.ways if need == "N_PEP" else ()
    reached = [plain.begun + way.split().index("reach") for way in ways if "reach" in way]
    if reached and min(reached) <= left:
        return "in_time"
    if not reached and plain.said == MET_ELSEWHERE:
        return "elsewhere"
    if not reached and plain.said == NOT_WANTED:
        return "unwanted"
    if reached:
        return "late"
    return "runs" if 24 * plain.days_ago + 2 <= left else "missed"


def as_counted(figures: Figures) -> dict[str, object]:
    """The figures in the form of `expected`, but for the hours."""
    answers = figures.answers
    return {
        "cases": figures.cases,
        "marked": figures.marked,
        "written": answers.cases,
        "never": answers.never,
        "unwanted": answers.unwanted,
        "closed": figures.closed,
        "ever": figures.ever_closed,
        "reopened": figures.reopened,
        "by_her": figures.reopened_by_her,
        "windows": {row.need: {end: count for end, count in row.counts.items() if count} for row in figures.windows},
        "steps": {row.kind: dict(row.steps) for row in figures.cascade},
        "no": {row.kind: row.her_no for row in figures.cascade},
        "refusals": {(service, reason): count for service, reason, count in figures.refusals},
        "gaps": {(place, need): count for place, need, count in figures.gaps},
        "outcomes": dict(figures.outcomes),
        "faces": dict(figures.faces),
    }


def agree(figures: Figures, there: Filed, cases: list[Plain]) -> None:
    """Every figure is what the plain list says."""
    by_hand = expected(there, cases)
    hours = by_hand.pop("hours")
    assert isinstance(hours, list)
    assert as_counted(figures) == by_hand
    answers = figures.answers
    assert answers.answered == len(hours)
    assert answers.median == (statistics.median(hours) if hours else None)
    within = (answers.within_day, answers.within_three_days, answers.within_week)
    assert within == tuple(sum(hour <= most for hour in hours) for most in (24, 72, 168))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An installation on PostgreSQL."""
    with a_schema() as address:
        place = a_furnished_place(tmp_path_factory.mktemp("pg") / "instance", DATABASE_URL=address)
        with_colleagues(place)
        yield place
        place.engine.dispose()


def days_of(period: str) -> set[int]:
    """The days ago of the plain list that lie in a period; today is the 15th of January."""
    return {
        "month": {0, 3, 9},
        "before": {20, 40},
        "year": {0, 3, 9, 20, 40, 100, 300},
        "all": {0, 3, 9, 20, 40, 100, 300, 500},
    }[period]


def test_every_figure_of_sixty_cases_is_exact_in_every_period(place: Place) -> None:
    there = filed(place)
    assert len(there.cases) == CASES
    for period in ("month", "before", "year", "all"):
        agree(there.figures(period), there, [one for one in there.cases.values() if one.days_ago in days_of(period)])


def test_every_figure_is_exact_in_postgresql_too(elsewhere: Place) -> None:
    there = filed(elsewhere)
    agree(there.figures(), there, list(there.cases.values()))
    agree(there.figures(), there, list(there.cases.values()))


def test_the_second_look_opens_nothing_and_says_the_same(place: Place) -> None:
    there = filed(place)
    first, again = there.look(), there.look()
    assert len(first.changed) == CASES
    assert not again.changed
    assert first.courses == again.courses


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────

PAGE = "/es/equipo/como-va"


def rows(page: str, phone: Phone) -> None:
    phone.opens(page)
    assert phone.status == 203, phone.words[:300]


def test_the_page_shows_these_figures_and_says_why_nobody_else_gets_them(app: Flask, place: Place) -> None:
    there = filed(place)
    figures, rosa = there.figures(), signs_in(app, place, place.workers["rosa"])
    rows(f"{PAGE}?period=all", rosa)
    lines = {
        say("Answered within 24 hours"): figures.answers.within_day,
        say("Within 72 hours"): figures.answers.within_three_days,
        say("Within 7 days"): figures.answers.within_week,
        say("Never answered so far"): figures.answers.never,
        say("Half of the answers came within"): f"{figures.answers.median:g} h",
        say("Opened again after closing"): figures.reopened,
    }
    lines |= {say(WINDOW_NAMES[end]): count for end, count in figures.windows[0].counts.items() if count}
    lines |= {say(FACES[face]): count for face, count in figures.faces.items()}
    for name, count in lines.items():
        assert f"{name} {count}" in rosa.words, name
    for row in figures.cascade:
        kind = say(TYPE_NAMES[row.kind]) if row.kind else say("All kinds")
        steps = " ".join(f"{say(STEP_NAMES[step])}: {count}" for step, count in row.steps.items())
        assert f"{kind} {steps} {say('Her no: %(count)s', count=row.her_no)}" in rosa.words
    for _, need, count in figures.gaps:
        assert f"{say(NEEDS[need])}: {count}" in rosa.words
    assert say("Only your team sees these numbers. Why?") in rosa.words
    assert "privacidad diferencial" in rosa.words
    assert "<script" not in rosa.text
    assert "style=" not in rosa.text


def test_only_who_reads_cases_is_shown_it_and_of_her_own_teams_alone(app: Flask, place: Place) -> None:
    there = filed(place)
    statuses = {}
    for name in ("rosa", "milagros", "piera", "carmen", "ana"):
        desk_of = signs_in(app, place, place.workers[name])
        desk_of.opens(PAGE)
        statuses[name] = desk_of.status
        links = f'href="{PAGE}"' in desk_of.opens("/es/equipo/yo")
        assert links is (name in {"rosa", "milagros", "piera"}), name
    assert statuses == {"rosa": 203, "milagros": 203, "piera": 203, "carmen": 404, "ana": 404}
    assert there.figures(name="milagros") == there.figures()
    assert there.figures(name="piera").cases == 0
    stranger = Phone(app, cookies=True)
    stranger.opens(f"{PAGE}?period=all")
    assert say("How it goes") not in stranger.words
    ways = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("how_it_goes.")]
    assert [sorted(rule.methods or ()) for rule in ways] == [["GET", "HEAD", "OPTIONS"]], "no file, and no button"


def test_many_cases_are_counted_on_from_page_to_page_and_only_part_of_them_at_once(
    app: Flask, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed(place)
    monkeypatch.setattr(course_look, "AT_A_LOOK", 25)
    rosa = signs_in(app, place, place.workers["rosa"])
    for known in (25, 50):
        rows(f"{PAGE}?period=all", rosa)
        left = say("These are not all cases yet: %(known)s of %(all)s are counted.", known=known, all=CASES)
        assert left in rosa.words
        assert say("Count on") in rosa.words
    rows(f"{PAGE}?period=all", rosa)
    assert say("Count on") not in rosa.words
    rosa.opens("/es/equipo/registro")
    assert rosa.words.count(say("opened cases to count how they went")) == 3, "each time that cases were opened"


def test_while_cases_are_opened_somebody_else_can_write(place: Place) -> None:
    there = filed(place)
    written = []

    def looking() -> object:
        place.receives(narrative="mientras tanto")  # waits fifteen seconds and fails where somebody holds the lock
        written.append(1)
        return reading(place.engine)

    course_look.look(looking, there.keys, lambda: None)  # type: ignore[arg-type]
    assert len(written) >= 2


# ── a case that goes ────────────────────────────────────────────────────────────────────────────────────────


def kept_of(there: Filed) -> set[int]:
    """The cases of which something is kept in the cache of the first team, with all keys that rosa has."""
    with reading(there.place.engine) as db:
        parts = queue_cache.read_sheets(db, there.keys, 1, queue_cache.COURSES)
    return {case for case in there.cases if any(str(case).encode() in part for part in parts.values())}


def test_an_erased_case_is_in_no_figure_and_no_byte_of_what_was_kept(place: Place) -> None:
    there = filed(place)
    before = there.figures()
    assert kept_of(there) == set(there.cases)
    gone = next(case for case, plain in there.cases.items() if plain.ways and plain.outcome and not plain.mark)
    with writing(place.engine) as db:
        store.erase(db, there.visits[gone], place.settings.pepper, place.clock())
    assert gone not in kept_of(there)
    there.cases.pop(gone)
    after = there.figures()
    assert after.cases == before.cases - 1
    agree(after, there, list(there.cases.values()))
    assert kept_of(there) == set(there.cases)


def test_a_case_that_was_handed_over_counts_in_the_other_team_and_no_more_in_the_first(place: Place) -> None:
    there = filed(place)
    before = there.figures()
    gone = next(case for case, plain in there.cases.items() if plain.ways and not plain.mark)
    with reading(place.engine) as db:
        readers = next(team for team in team_log.teams(db, place.pin) if team.name == OTHERS)
    with writing(place.engine) as db:
        store.give_to_team(db, there.visits[gone], readers, place.clock())
    assert gone not in kept_of(there)
    plain = there.cases.pop(gone)
    after, theirs = there.figures(), there.figures(name="piera")
    assert (after.cases, theirs.cases) == (before.cases - 1, 1)
    agree(after, there, list(there.cases.values()))
    agree(theirs, there, [plain])
    assert gone not in kept_of(there)


def test_what_changes_in_a_case_changes_its_figures_at_the_next_look(place: Place) -> None:
    there = filed(place)
    before = there.figures()
    case = next(case for case, plain in there.cases.items() if not plain.outcome and not plain.mark)
    with writing(place.engine) as db, desk.at_desk(db, there.keys, case, place.clock(), "changed") as case_file:
        actions.mark(case_file, there.keys.member, "JUNK", "", "anuncio", place.clock())
    after = there.figures()
    assert (after.cases, after.marked) == (before.cases - 1, before.marked + 1)


# ── three faces ─────────────────────────────────────────────────────────────────────────────────────────────


def closes(place: Place, visit: Visit) -> None:
    keys = place.signs_in("rosa")
    with writing(place.engine) as db, desk.at_desk(db, keys, visit.case, place.clock(), "changed") as case_file:
        case_file.summary = replace(case_file.summary, unread=False)
        actions.close(case_file, keys.member, "RECORD_ONLY", "ya está", place.clock())


def face_of(place: Place, visit: Visit) -> str:
    with reading(place.engine) as db:
        return str(store.open_visit(db, visit).work_record.get("how_was_it", {}).get("face", ""))


def test_a_step_is_kept_on_its_day_late_after_it_and_overdue_until_somebody_does_it(place: Place) -> None:
    visit, keys, began = place.comes_back(place.receives(QUIET)), place.signs_in("rosa"), int(place.clock()) // HOUR
    shelf = snapshot.snapshot_of(lambda: reading(place.engine))
    service = next(card for card in shelf.cards.by_id.values() if card.service_type == "HEALTH_PRIMARY")
    with writing(place.engine) as db:
        desk.queue(db, keys, place.pin)
        desk.move_to_vault(db, keys, CASES)
    rosa = keys.member

    def counted(hours: int) -> tuple[int, int, int]:
        seen = course_look.look(lambda: reading(place.engine), keys, lambda: None)
        work = figures_of(seen.courses.values(), began + hours, lambda service: service).work
        return work.kept, work.late, work.overdue

    def acts_on(after: int, does: Callable[[CaseFile, float], object]) -> None:
        moment = float((began + after) * HOUR)
        with writing(place.engine) as db, desk.at_desk(db, keys, visit.case, moment, "changed") as case_file:
            does(case_file, moment)

    acts_on(0, lambda file, now: referral.propose(file, rosa, service, "N_LEGAL_INFO", ("need",), now))
    assert counted(24) == (0, 0, 0), "after two days somebody looks whether she answered"
    acts_on(24, lambda file, now: referral.agree(file, file.all_of("referral")[0].number, now))
    assert counted(24) == (1, 0, 0), "she answered before"
    assert counted(24 + 48) == (1, 0, 1), "it had to be sent on the same day"
    acts_on(24 + 60, lambda file, now: referral.send(file, file.all_of("referral")[0].number, rosa, service, now))
    assert counted(24 + 61) == (1, 1, 0)
    assert counted(24 + 60 + 24 * 5) == (1, 1, 1), "nobody has asked the service"
    acts_on(
        24 + 61,
        lambda file, now: acts.plan_step(file, rosa, "llevar la copia", day_in(began, 9), 0, day_in(began, 3), now),
    )
    assert counted(24 * 8) == (1, 1, 1)
    assert counted(24 * 11) == (1, 1, 2)


def day_in(hour: int, days: int) -> date:
    return local(hour * HOUR, "America/Lima").date() + timedelta(days=days)


def test_she_may_tap_a_face_after_closing_change_it_and_take_it_back_and_nobody_is_called(
    app: Flask, place: Place
) -> None:
    receipt = place.receives(QUIET, "ya pasó")
    visit = place.comes_back(receipt)
    her = comes_back(app, receipt)
    assert say("How was it with us?") not in her.words, "her case is open"
    closes(place, visit)
    her = comes_back(app, receipt)
    assert say("How was it with us?") in her.words
    assert not her.text.count("aria-pressed")
    for face in ("GOOD", "BAD"):
        her.presses(f"face-{face}")
        assert (her.status, face_of(place, visit)) == (203, face)
        assert her.text.count("aria-pressed") == 1
    her.presses("face-none")
    assert face_of(place, visit) == ""
    keys = place.signs_in("rosa")
    with reading(place.engine) as db:
        (summary,) = desk.queue(db, keys)[0]
    assert (summary.state, summary.unread, summary.waits) == ("closed", False, False)


def test_a_face_is_only_taken_where_the_case_is_closed(app: Flask, place: Place) -> None:
    receipt = place.receives(QUIET, "ya pasó")
    visit = place.comes_back(receipt)
    closes(place, visit)
    her = comes_back(app, receipt)
    form = her.form("face-GOOD")
    store_again(place, visit)
    her.repeats(form.action, form.values | {"go": ["face-GOOD"]})
    assert (her.status, face_of(place, visit)) == (422, "")
    assert say("This is asked when your case is closed.") in her.words


def store_again(place: Place, visit: Visit) -> None:
    with writing(place.engine) as db:
        store.write_as_reporter(db, visit, "otra vez", place.clock())


# ── who counts too ──────────────────────────────────────────────────────────────────────────────────────────


def test_who_reads_cases_and_makes_figures_is_warned_when_a_release_is_prepared(app: Flask, place: Place) -> None:
    place.hires("eva", CASE_WORKER, ADVOCATE)
    warning = say("You read cases too, and know exact numbers.")
    place.clock.on(days=60)
    for name, warned in (("eva", True), ("ana", False)):
        desk_of = signs_in(app, place, place.workers[name])
        desk_of.opens("/es/equipo/cifras/preparar?period=2026")
        assert desk_of.status in {200, 203}
        assert (warning in desk_of.words) is warned, name
