"""Pages of the directory: the list with what is due, a service and its history, files in and out, a flag.

They speak HTTP and nothing else. Case workers look, confirm and write down what a call taught; coordinators
also change cells and bring in files. What a reporter flags needs nothing of her trip and leaves nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any, ClassVar

from flask import Response, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FileField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from referrals.casework import second_person, signed_directory
from referrals.directory import curation, due, reviewed_data, rows, snapshot
from referrals.directory.importing import readers, run
from referrals.directory.importing.report import ImportHints
from referrals.directory.keeping.adding import ASKED, where_cells
from referrals.directory.keeping.offered import offered_for, why_not
from referrals.help.answers import other_departments
from referrals.matching import read_back
from referrals.matching.hours import NO, YES
from referrals.pages.directory.words import (
    ACT_NAMES,
    COLUMN_NAMES,
    DONE,
    TYPE_NAMES,
    cell_in_words,
    columns_of,
    has_number,
    keeper_words,
    place_in_words,
)
from reporting.errors import AmparoError
from reporting.i18n import N_
from reporting.pages.start import OVER
from reporting.sessions import replays
from reporting.teams import members
from reporting.teams.team_log import CASE_WORKER, COORDINATOR
from reporting.web import desk_pages, languages
from reporting.web.access.audience import ANYBODY, Pages
from reporting.web.access.auth import signed_in
from reporting.web.access.proof import NotProved, ProofForm, proof_in
from reporting.web.access.tickets import FLAG, seeds, ticket_in, typed_ticket
from reporting.web.access.traits import limited, may_be_sent_again, takes, takes_a_file
from reporting.web.context import installation, local_hour, render_template, say
from reporting.web.errors import error_page
from reporting.web.forms import OpenForm, StaffForm, button
from reporting.web.limits import PASSWORDS, TURNING

blueprint = Pages("directory", __name__, ANYBODY, limit=TURNING)
LARGEST_FILE = 5 * 1024 * 1024  # bytes; what comes in holds up everybody else, and the terminal takes more
FOR_THE_TERMINAL = N_("This file has more than 5 megabytes. Bring it in at the terminal: amparo directory import FILE.")
SHOWN = 100  # services on the first page; who looks for another one types a part of its name
SOMEBODY_ELSE = N_("Somebody else changed this meanwhile. Look at it as it is now, then do it again.")
NOT_WRITTEN: dict[type[AmparoError], str] = {
    curation.ServiceEditConflict: SOMEBODY_ELSE,
    curation.ChangeWaits: N_(
        "A change of this service waits for a second person already. Agree to it or stop it first."
    ),
}


def today_here() -> date:
    """The day on the clock of the place."""
    return local_hour(int(installation().clock()) // 3600).date()


def snapshot_now() -> snapshot.DirectorySnapshot:
    """The directory as it stands now."""
    return snapshot.snapshot_of(installation().reading)


def csv_answer(text: str, name: str) -> Response:
    """Rows as a file to download."""
    answer = make_response("\ufeff" + text)  # the mark tells a spreadsheet that this is UTF-8
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


@blueprint.get("/<lang>/equipo/directorio")
@signed_in(CASE_WORKER, COORDINATOR)
def services() -> ResponseReturnValue:
    """What is due first, then the rest."""
    return _services()


class SearchForm(StaffForm):
    """Words of the name or the id of a service."""

    q = StringField(default="", filters=[str.strip], validators=[Length(max=80)])


@blueprint.post("/<lang>/equipo/directorio")
@takes(SearchForm)
@may_be_sent_again
@signed_in(CASE_WORKER, COORDINATOR)
def find() -> ResponseReturnValue:
    """The services in whose name or id the words stand."""
    form = SearchForm()
    return _services(form, code=200 if form.is_ours() else 422)


@desk_pages.by_get()
def _services(form: SearchForm | None = None, code: int = 200) -> ResponseReturnValue:
    form, directory = form or SearchForm(formdata=None), snapshot_now()
    with installation().reading() as db:
        every, unsigned = due.due(db, today_here()), len(signed_directory.unbelieved(db))
        waiting, numbers = len(curation.waiting(db)), len(due.changed_numbers(db, today_here()))
    wanted = "" if form.errors else form.q.data
    matching = [row for row in every if rows.header(wanted) in rows.header(f"{row.name} {row.service}")]
    page = render_template(
        "staff/directory.html",
        matching=matching[:SHOWN],
        type_names=TYPE_NAMES,
        place_of=partial(place_in_words, directory=directory),
        has_number=partial(has_number, country=directory.cards.country),
        more=max(0, len(matching) - SHOWN),
        form=form,
        over=sum(row.over for row in every),
        all=len(every),
        flagged=sum(row.flagged > 0 for row in every),
        unsigned=unsigned,
        waiting=waiting,
        numbers=numbers,
        on=day_in_words,
        out=out(),
    )
    return make_response(page, code)


def day_in_words(day: str) -> str:
    """A day of the directory in words, or as it was written."""
    return languages.day_as_written(g.lang, day)


def out() -> StaffForm:
    """The form with which somebody signs out."""
    return StaffForm(formdata=None)


@blueprint.get("/<lang>/equipo/directorio/archivo")
@signed_in(CASE_WORKER, COORDINATOR)
def export() -> ResponseReturnValue:
    """The whole directory as a file. Brought in again it changes nothing."""
    with installation().reading() as db:
        return csv_answer(readers.as_csv(db), "servicios")


class StampForm(StaffForm):
    """The stamp of a service as the page showed it, so that a change in between is noticed."""

    stamp = StringField(validators=[Length(max=64)])


class CellsForm(StampForm):
    """Cells of a service under the names of their columns. A column with answers is chosen, any other one typed."""

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init_subclass__(cls) -> None:
        for column, answers in cls.columns.items():
            setattr(cls, column, _cell(answers))

    def cells(self) -> dict[str, str]:
        """Column -> what came for it; nothing of a column that the page did not have."""
        return {column: self[column].data for column in self.columns if self[column].raw_data}


def _cell(answers: tuple[str, ...]) -> Any:
    if answers:
        return RadioField(choices=[*answers], default="", validators=[Optional()])
    # a browser counts the end of a line as one sign and sends two
    return StringField(default="", filters=[_with_short_ends], validators=[Length(max=rows.LONGEST)])


def _with_short_ends(typed: str) -> str:
    return typed.replace("\r\n", "\n")


class EditForm(CellsForm):
    """What is changed in a service, and why."""

    columns: ClassVar[Mapping[str, tuple[str, ...]]] = columns_of(curation.EDITABLE)
    where = StringField(default="", validators=[Length(max=12)])  # blank: where it is now
    why = StringField(N_("Why? Who told you?"), validators=[InputRequired(), Length(max=300)])
    # read as a `ProofForm` where a second person has to agree; named here so that neither is kept with what was typed
    password = PasswordField(validators=[Optional(), Length(max=200)])
    code = PasswordField(validators=[Optional(), Length(max=20)])


@blueprint.get("/<lang>/equipo/directorio/servicio/<service>")
@signed_in(CASE_WORKER, COORDINATOR)
def service_page(service: str) -> ResponseReturnValue:
    """Everything about a service: cells, source, history, what is due."""
    return service_again(service, sentence=say(DONE.get(request.args.get("done", ""), "")))


@desk_pages.by_get()
def service_again(
    service: str,
    *,
    form: EditForm | None = None,
    sentence: str = "",
    wrong: tuple[str, ...] = (),
    code: int = 200,
) -> ResponseReturnValue:
    """The page of a service: with what was typed, a sentence, or what is wrong."""
    with installation().reading() as db:
        entry = curation.entry(db, service, today_here())
        waits = second_person.waiting(db, installation().pin, g.keys, installation().clock()).get(service)
    if entry is None:
        return error_page(404)
    directory = snapshot_now()
    held = directory.cards
    area = reviewed_data.area_of(entry.row["regions_inei"], held.country)
    card = held.by_id.get(service)
    page = render_template(
        "staff/service.html",
        entry=entry,
        hours_read=tuple(read_back.of_hours(card.hours, card.week)) if card else (),
        phone_read=tuple(read_back.of_phone(entry.row["phone"], held.country, area)),
        cells=dict(entry.row) | (form.cells() if form else {}),
        form=form or EditForm(formdata=None),
        sentence=sentence,
        wrong=wrong,
        waits=waits,
        waits_stamp=second_person.stamp_of(waits.change) if waits else "",
        proof_form=ProofForm(formdata=None),
        where=form.where.data if form else "",
        as_it_is=place_in_words(entry.row, directory),
        six_columns=ASKED,
        week=read_back.week_table(card.week) if card else (),
        offered_for=offered_for(card),
        why_not=why_not(card),
        columns=COLUMN_NAMES,
        in_words=cell_in_words,
        act_names=ACT_NAMES,
        flag_names=curation.FLAGS,
        on=day_in_words,
        **keeper_words(directory),
        may_edit=COORDINATOR in g.keys.roles,
        out=out(),
    )
    return make_response(page, code)


@blueprint.post("/<lang>/equipo/directorio/servicio/<service>")
@takes(StampForm)
@may_be_sent_again
@signed_in(CASE_WORKER, COORDINATOR)
def confirm(service: str) -> ResponseReturnValue:
    """Note that a service was looked at today and is still right."""
    form = StampForm()
    if not form.is_ours():
        return error_page(404) if form.errors else service_again(service)
    try:
        with installation().writing() as db:
            later = curation.confirm(db, service, g.keys.name, today_here(), form.stamp.data or "", g.keys.signer)
    except tuple(NOT_WRITTEN) as refused:
        return service_again(service, sentence=say(NOT_WRITTEN[type(refused)]), code=409)
    except curation.InvalidService as refused:
        return service_again(service, wrong=refused.reasons, code=422)
    return _led(service, "waits" if later else "confirmed")


def _led(service: str, done: str) -> ResponseReturnValue:
    return redirect(url_for("directory.service_page", lang=g.lang, service=service, done=done), 303)


@blueprint.post("/<lang>/equipo/directorio/servicio/<service>/cambiar")
@limited(PASSWORDS)
@takes(EditForm, ProofForm)
@signed_in(COORDINATOR)
def edit(service: str) -> ResponseReturnValue:
    """Change cells of a service, with a reason. What a second person has to agree to is an act of power: proved."""
    form = EditForm()
    if not form.is_ours():
        return service_again(service, form=form, code=422)
    try:
        return _led(service, "waits" if _edit(service, form) else "edited")
    except NotProved as problem:
        return service_again(service, form=form, sentence=say(problem.sentence), code=problem.code)
    except tuple(NOT_WRITTEN) as refused:
        return service_again(service, form=form, sentence=say(NOT_WRITTEN[type(refused)]), code=409)
    except curation.InvalidService as refused:
        return service_again(service, form=form, wrong=refused.reasons, code=422)


def _edit(service: str, form: EditForm) -> frozenset[str]:
    """The columns that wait. Raises `NotProved`, and what `curation.edit` does."""
    site, stamp, signer = installation(), form.stamp.data or "", g.keys.signer
    cells = form.cells() | where_cells(form.where.data or "", snapshot_now().cards.place_names)
    with site.reading() as db:
        cells |= _shown(cells, curation.entry(db, service, today_here()))
        waits = curation.would_wait(db, service, cells, stamp, signer)
    who = proof_in(ProofForm()) if waits else None
    with site.writing() as db:
        if who:
            members.spend(db, who)
        return curation.edit(db, service, cells, g.keys.name, form.why.data, today_here(), stamp, signer)


def _shown(cells: Mapping[str, str], entry: curation.ServiceEntry | None) -> dict[str, str]:
    """What makes an address that was typed here public, as the page says; one that stood there stays as it was."""
    is_new = entry is not None and cells.get("address", "") not in {"", entry.row["address"]}
    return {"address_public": YES} if is_new and rows.answer_of(cells.get("address_public", "")) != NO else {}


class BringForm(StaffForm):
    """A file, and what the member who brings it knows of it."""

    class Meta(StaffForm.Meta):
        files = frozenset({"file"})

    file = FileField(N_("The file: CSV or JSON"), validators=[InputRequired()])
    kind = SelectField(N_("If the file does not say it: which type of service does it hold?"), default="")
    region = SelectField(N_("If the file does not say it: which region is it about?"), default="")


@blueprint.route("/<lang>/equipo/directorio/traer", methods=["GET", "POST"])
@takes(BringForm)
@may_be_sent_again
@takes_a_file(LARGEST_FILE, FOR_THE_TERMINAL)
@signed_in(COORDINATOR)
def bring() -> ResponseReturnValue:
    """Look first, then bring in. What is not stored is listed by its line."""
    form, report = BringForm(), None
    form.kind.choices = [
        SelectChoice("", N_("It says it")),
        *(SelectChoice(kind) for kind in reviewed_data.service_types()),
    ]
    regions = other_departments(snapshot_now()).items()
    by_number = (SelectChoice(code[2:], name) for code, name in regions)
    form.region.choices = [SelectChoice("", N_("It says it")), *by_number]
    if form.is_ours():
        hints = ImportHints(form.file.data.filename or "", form.kind.data, form.region.data)
        raw, dry_run = form.file.data.read(), button() != "store"
        with installation().writing() as db:
            report = run.import_file(
                db, raw, g.keys.name, today_here(), hints=hints, dry_run=dry_run, signs=g.keys.signer
            )
    bad = form.is_submitted() and (report is None or (report.rows == 0))
    page = render_template("staff/bring.html", form=form, report=report, dry_run=button() != "store", out=out())
    return desk_pages.drawn(page, 422 if bad else 200)


class FlagForm(OpenForm):
    """What is wrong with a service: kind and service, with a dot between."""

    flag = StringField(default="", validators=[Length(max=100)])


@blueprint.post("/<lang>/aviso")
@takes(FlagForm)
@may_be_sent_again
def flag() -> ResponseReturnValue:
    """A dead number, or they were not safe. She stays on her page: the answer has no page of its own.

    It counts once a trip, and needs a ticket of a page of ours, so that one machine does not speak for many people.
    """
    form, site, ticket = FlagForm(), installation(), ticket_in(typed_ticket(), "draft")
    if ticket is None or ticket.step != FLAG:
        return error_page(410, OVER)
    kind, _, service = form.flag.data.partition(".")
    if not form.validate() or not curation.is_flag(kind) or service not in snapshot_now().cards.by_id:
        return error_page(404)
    with site.writing() as db:
        if replays.is_first(db, seeds(), site.settings.server_secret, ticket.trip, form.flag.data, site.clock()):
            curation.flag(db, service, kind, today_here())
    return "", 204
