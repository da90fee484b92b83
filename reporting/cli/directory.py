"""Commands about the directory: files in and out, what is due, what is missing, whom to call.

Knows no case.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path

import click

from referrals.directory import believed, due, gaps, snapshot
from referrals.directory.home import SHIPPED_FILE, Home
from referrals.directory.importing import build, build_rows, readers, report, run, shipped
from referrals.directory.keeping import calls
from referrals.directory.reviewed_data import area_of
from referrals.matching import hours_text, hours_written, phones
from reporting.cli.base import main, now_and_then, opened, progress, settings_here, text_of
from reporting.cli.language import Refusal, echo, refusal, translated
from reporting.config import BadSettings, read_settings
from reporting.i18n import T_
from reporting.storage.database import reading, writing
from reporting.web import languages

NOT_SIGNED = T_(
    "Nobody of the team has signed these rows: until somebody does, on the page of the directory, reporters are shown\n"
    "each service as it is shipped, or nothing of it. Lines, shelters, types and police inside take two members."
)
LIST = click.Path(exists=True, dir_okay=False, path_type=Path)


@main.group("directory")
def services() -> None:
    """Services: bring them in, take them out, see what is due, what is missing, whom to call."""


@services.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only look for problems; change nothing.")
@click.option("--type", "kind", default="", help="The type of all services, where the file does not say it.")
@click.option("--region", default="", help="Two digits of INEI, where the file names no place: 25 is Ucayali.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def import_file(file: Path, dry_run: bool, kind: str, region: str, as_json: bool) -> None:
    """Bring in services from FILE: our own CSV, somebody else's table (, ; tab |), or HSDS 3 as JSON.

    Our own file (`amparo directory export`) comes in whole or not at all. From any other file each good row comes in
    and waits, unseen by reporters, until somebody confirms it. What is not stored is listed by its line; exit code 1.
    Once a team is there, rows of this command wait until somebody of it has signed them on the page of the directory.
    """
    hints = report.ImportHints(file.name, kind, region)
    progress("Reading %(file)s ...", file=file.name)
    with writing(opened()[1]) as db:
        done = run.import_file(
            db, file.read_bytes(), "terminal", _today(), hints=hints, dry_run=dry_run, tell=now_and_then()
        )
        waits = done.stored and not dry_run and believed.is_watched(db)
    if waits:
        progress(NOT_SIGNED)
    summary = run.as_json(done)
    echo(*([json.dumps(summary, ensure_ascii=False)] if as_json else run.in_words(done, dry_run)))
    sys.exit(1 if done.problems else 0)


@services.command("export")
def export_file() -> None:
    """Print the whole directory as CSV. Brought in again it changes nothing."""
    with reading(opened()[1]) as db:
        echo(readers.as_csv(db), nl=False)


@services.command("build")
@click.option(
    "--centres", type=LIST, help="Centres of the Ministry's national directory: kind, ubigeo, name, address, ..."
)
@click.option("--hospitals", type=LIST, help="Hospitals of the health register: renipress, institution, category, ...")
@click.option("--others", type=LIST, help="Others, each with its own source, source_date and doubt.")
@click.option("--into", type=click.Path(dir_okay=False, path_type=Path), help="Our file. [default: the shipped one]")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def build_file(
    centres: Path | None, hospitals: Path | None, others: Path | None, into: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Build lists of others into our file of services: their facts as our rows, with source, month and doubts.

    A newer list changes what it changed. A row that somebody confirmed keeps every cell: what the list says otherwise
    is told. How kinds and single rows are read stands in referrals/data/build-pe.toml. Run twice it changes nothing.
    """
    named = {build_rows.CENTRES: centres, build_rows.HOSPITALS: hospitals, build_rows.OTHERS: others}
    lists = {name: path for name, path in named.items() if path is not None}
    if not lists:
        raise Refusal("Name at least one list: --centres, --hospitals or --others.")
    try:
        report = build.build_files(into or SHIPPED_FILE, lists, dry_run=dry_run)
    except build.BadList as bad:
        raise refusal(bad) from None
    echo(*([json.dumps(report.as_json(), ensure_ascii=False)] if as_json else report.in_words()))


@services.command("due")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_due(as_json: bool) -> None:
    """Services that have to be looked at now, the flagged first."""
    with reading(opened()[1]) as db:
        overdue = [row for row in due.due(db, _today()) if row.over]
    lines = [
        f"{row.service:28} {row.verified_on or translated('never'):10}  {row.flagged or '':>3}  {row.name}"
        for row in overdue
    ]
    echo(json.dumps([asdict(row) for row in overdue], ensure_ascii=False) if as_json else "\n".join(lines))


@services.command("gaps")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_gaps(as_json: bool) -> None:
    """For each need: in how many provinces a service is verified, only in a source, only national, missing."""
    directory = snapshot.snapshot_of(partial(reading, opened()[1]))
    missing, unmatched = gaps.gaps(directory, _today()), gaps.never_matched(directory)
    if as_json:
        rows = [{"need": gap.need, **{state: len(codes) for state, codes in gap.provinces.items()}} for gap in missing]
        echo(json.dumps({"gaps": rows, "never_matched": unmatched}, ensure_ascii=False))
        return
    heads = [translated(gaps.HEADS[state]) for state in gaps.STATES]
    echo(f"{translated('need'):22}" + "".join(f"{head:>16}" for head in heads))
    echo("\n".join(f"{gap.need:22}" + "".join(f"{gap.count(state):16}" for state in gaps.STATES) for gap in missing))
    echo("\nNever matched:", *(f"  {service:28} {translated(why)}" for service, why in unmatched.items()))


@services.command("worklist")
@click.option("--province", "place", required=True, help="A department or province: 25, PE25 or PE2501.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_calls(place: str, as_json: bool) -> None:
    """Whom a local team can call in an afternoon, and what to ask. The page of the same prints on A4."""
    settings, engine = opened()
    directory = snapshot.snapshot_of(partial(reading, engine))
    code = place if place.startswith(settings.country) else settings.country + place
    if code not in directory.cards.place_names:
        raise Refusal("There is no place %(place)s: two or four digits of INEI, such as 25 or 2501.", place=place)
    with reading(engine) as db:
        tasks = calls.worklist(db, directory, code, _today())
    rows = [
        {
            "service": task.row["id"],
            "name": task.row["name"],
            "phone": task.row["phone"],
            "never_seen": task.gaps,
            "ask": [question.column for question in task.unknown],
        }
        for task in tasks
    ]
    lines = [
        f"{task.row['name']}\n  {task.row['phone'] or translated('no number')}\n  "
        + "\n  ".join(translated(question.words) for question in task.unknown)
        for task in tasks
    ]
    echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines))


@services.group("understand")
def understand() -> None:
    """What is understood of a text of hours or of a telephone, before it is typed into a service."""


@understand.command("hours")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, a list in the order of the texts.")
def understand_hours(texts: tuple[str, ...], as_json: bool) -> None:
    """Read texts of opening hours, as people write them: 'L-V 8 a.m. a 4 p.m.; feriados cerrado'."""
    tables = [{"text": text} | hours_written.as_table(hours_text.read(text)) for text in texts]
    lines = [
        f"{text}\n  {hours_written.written(hours_text.read(text)) or translated('not understood')}" for text in texts
    ]
    echo(json.dumps(tables, ensure_ascii=False) if as_json else "\n".join(lines))


@understand.command("phone")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "--country", default="", help="By whose plan of numbers, such as PE. Without it, the country of the settings."
)
@click.option("--department", default="", help="Two digits of INEI: six digits alone are a number of that department.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, a list in the order of the texts.")
def understand_phone(texts: tuple[str, ...], country: str, department: str, as_json: bool) -> None:
    """Read telephones, as people write them: '(061) 575-555 anexo 12 / 961000000'. The first is linked."""
    plan = country.upper() or _country()
    area = area_of(department, plan)
    tables = [phones.as_table(text, plan, area) for text in texts]
    lines = [
        f"{table['text']}\n  {_dialled(table['numbers']) or translated('no number that can be dialled')}"
        for table in tables
    ]
    echo(json.dumps(tables, ensure_ascii=False) if as_json else "\n".join(lines))


def _country() -> str:
    """The country of this installation; of no installation, the one that the program comes for."""
    try:
        return read_settings().country
    except BadSettings:
        return Home().country


def _dialled(numbers: Iterable[Mapping[str, str]]) -> str:
    """Links, each with its extension; what only takes messages has none."""
    return ", ".join(
        (number["tel"] or translated("%(number)s (messages only)", number=number["e164"]))
        + (translated(" extension %(digits)s", digits=number["extension"]) if number["extension"] else "")
        for number in numbers
    )


@main.command("places")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_places(file: Path) -> None:
    """Bring in a tree of places from FILE: CSV with code, parent, level, name. Known codes are left as they are."""
    with writing(opened()[1]) as db:
        try:
            fresh = shipped.load_places(db, text_of(file))
        except KeyError as column:
            raise Refusal("The column %(column)s is missing: code, parent, level, name.", column=column) from None
    echo("%(fresh)s places are new.", fresh=fresh)


def _today() -> date:
    """The day on the clock of the place."""
    return languages.local(time.time(), settings_here().time_zone).date()
