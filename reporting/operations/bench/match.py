"""How long one match takes among very many services, in the database and in memory; and their import.

Twenty countries are twenty copies of the tree of places; dense is all services in one. A case asks for one to
three needs, four in ten of them urgent, from a province, a department or nowhere, at any hour of a week.
"""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection
from random import Random
from statistics import median
from typing import Final

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from referrals.directory.card import cards_of
from referrals.directory.importing import run, shipped
from referrals.directory.match_table import changed
from referrals.directory.models import CoverageRow, PlaceRow, ServiceRow
from referrals.directory.reviewed_data import DATA, service_types
from referrals.directory.rows import COLUMNS
from referrals.directory.snapshot import DirectorySnapshot, settle, snapshot_of
from referrals.matching.hours import ZONE
from referrals.matching.listings import Index
from referrals.matching.offers import best_listings
from referrals.matching.order import Search
from referrals.matching.records import Cards, Seeker
from referrals.needs.assessment import assess
from referrals.needs.codes import Need
from reporting.i18n import said
from reporting.operations.bench import invented_services, memory
from reporting.storage.database import open_database, reading, upgrade_tables, writing
from reporting.vocabulary.incident import Incident
from reporting.vocabulary.needs import NEEDS

Say = Callable[[str], None]
RUNS: Final = 5
CASES: Final = 3000
COUNTRIES: Final = ("PE", *(f"{letter}X" for letter in "ABCDEFGHIJKLMNOPQRS"))
URGENT_SHARE: Final = 0.4
MONDAY: Final = datetime(2026, 11, 23, 5, tzinfo=UTC)
AT_ONCE: Final = 5_000
Figures = dict[str, float]


def measure(services: int, url: Callable[[str], str], say: Say) -> Figures:
    """Milliseconds for one match, seconds and MB for the import. `url`: a database of its own for each part."""
    figures: Figures = {}
    for name, countries in (("", COUNTRIES), ("_dense", COUNTRIES[:1])):
        engine = open_database(url(f"match{name}"))
        upgrade_tables(engine)
        settle(engine, "", ZONE)  # a directory of every country
        _fill(engine, services, countries, say)
        figures |= {f"{key}{name}": value for key, value in _matches(engine, countries, say).items()}
        engine.dispose()
    figures |= _import(services, url("import"), say)
    return figures


def _fill(engine: Engine, count: int, countries: Sequence[str], say: Say) -> None:
    tree = list(csv.DictReader(io.StringIO((DATA / "places-pe.csv").read_text("utf-8"))))
    with writing(engine) as db:
        db.execute(
            insert(PlaceRow),
            [
                row | {"code": row["code"].replace("PE", country, 1), "parent": row["parent"].replace("PE", country, 1)}
                for country in countries
                for row in tree
                if row["level"] != "district"
            ],
        )
        provinces = [
            row["code"].replace("PE", country, 1) for country in countries for row in tree if row["level"] == "province"
        ]
        services = list(invented_services.services(count, sorted(service_types()), provinces, seed=7))
        empty = dict.fromkeys(COLUMNS, "")
        for start in range(0, count, AT_ONCE):
            some = services[start : start + AT_ONCE]
            db.execute(insert(ServiceRow), [empty | dict(cells) for cells, _ in some])
            db.execute(
                insert(CoverageRow),
                [{"service": cells["id"], "place": code} for cells, covers in some for code in covers],
            )
            say(said("%(done)s of %(of)s services", done=start + len(some), of=count))
        changed(db, [cells["id"] for cells, _ in services])


def _matches(engine: Engine, countries: Sequence[str], say: Say) -> Figures:
    read: Callable[[], AbstractContextManager[Session]] = partial(reading, engine)
    there: DirectorySnapshot = snapshot_of(read, in_memory=0)
    began = time.perf_counter()
    with reading(engine) as db:
        memory = replace(there.cards, stored=Index(cards_of(db)))
    say(said("index of doors made in %(seconds)s s", seconds=f"{time.perf_counter() - began:.1f}"))
    questions = list(_questions(countries))
    rounds: dict[str, list[float]] = {}
    for number in range(RUNS):
        for name, cards in (("sqlite", there.cards), ("memory", memory)):
            times = sorted(_one(cards, question) for question in questions)
            for key, share in (("p50", 0.5), ("p99", 0.99)):
                rounds.setdefault(f"{name}_{key}_ms", []).append(1000 * times[int(share * len(times))])
        say(said("run %(run)s of %(of)s", run=number + 1, of=RUNS))
    differ = sum(_answer(there.cards, question) != _answer(memory, question) for question in questions[:500])
    if differ:
        raise RuntimeError(f"{differ} of 500 answers differ between table and index")
    return {name: round(median(values), 3) for name, values in rounds.items()}


Question = tuple[tuple[Need, ...], Seeker, datetime]


def _questions(countries: Sequence[str]) -> Iterator[Question]:
    chance = Random(11)  # noqa: S311 -- nothing secret is drawn
    for _ in range(CASES):
        country = chance.choice(countries)
        department = f"{country}{chance.randrange(1, 26):02d}"
        places = chance.choice([(f"{department}01", department)] * 8 + [(department,), ()])
        incident = Incident(
            identity=chance.choice((None, "TRANS_WOMAN", "CIS_WOMAN")),
            age=chance.choice(("A25_34", None)),
            police_safe=chance.choice((None, "no", "yes")),
            docs=chance.choice((None, "NONE")),
        )
        wanted = tuple(
            Need(code, "NOW" if chance.random() < URGENT_SHARE else "SOON", (), hours_left=None)
            for code in chance.sample(sorted(NEEDS), chance.randrange(1, 4))
        )
        moment = MONDAY + timedelta(minutes=chance.randrange(7 * 24 * 60))
        yield wanted, Seeker(incident, assess(incident).must_not, places, ("es",)), moment


def _one(cards: Cards, question: Question) -> float:
    began = time.perf_counter()
    _answer(cards, question)
    return time.perf_counter() - began


def _answer(cards: Cards, question: Question) -> list[list[str]]:
    """One whole match: fetched, hidden, ordered; the ids, best first."""
    wanted, seeker, moment = question
    search = Search(seeker, cards, moment)
    near = search.near(wanted)
    return [[listing.service for listing, _ in best_listings(need, search, near[need.code])[0]] for need in wanted]


def _import(count: int, url: str, say: Say) -> Figures:
    """In a process of its own, so that its memory is its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_imports, args=(count, url, theirs))
    child.start()
    figures: Figures = json.loads(ours.recv())
    child.join()
    say(said("import %(seconds)s s", seconds=figures["import_s"]))
    return figures


def _imports(count: int, url: str, answer: Connection) -> None:
    engine = open_database(url)
    upgrade_tables(engine)
    with writing(engine) as db:
        shipped.load_places(db, (DATA / "places-pe.csv").read_text("utf-8"))
        provinces = list(db.scalars(select(PlaceRow.code).where(PlaceRow.level == "province")))
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(
        cells for cells, _ in invented_services.services(count, sorted(service_types()), provinces, seed=3)
    )
    text = file.getvalue()
    began = time.perf_counter()
    with writing(engine) as db:
        report = run.bring_in(db, text.encode(), by=None)
    if report.stored != count:
        raise RuntimeError(f"{report.stored} of {count} came in: {report.problems[:3]}")
    seconds = time.perf_counter() - began
    answer.send(json.dumps({"import_s": round(seconds, 1), "import_rss_mb": round(memory.largest())}))
