"""Pages of the directory: a service and its history, what is due, files in and out, gaps, calls to make, the rules.

They speak HTTP and nothing else. Case workers look, confirm and write down what a call taught; coordinators also
change cells and bring in files. What a reporter flags needs nothing of her trip and leaves nothing of it.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FileField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from referrals import directory, importing, needs, rulebook, upkeep
from reporting import desk_pages, languages
from reporting.frontdoor import StaffForm, error_page, house, local_hour, render_template, say, signed_in
from reporting.incidents import N_
from reporting.teamlog import CASE_WORKER, COORDINATOR

pages = Blueprint("directory", __name__)

SHOWN = 100  # services on the first page; who looks for another one types a part of its name
COLUMN_NAMES = {
    "name": N_("Name"), "service_type": N_("Type"), "sector": N_("Sector"),
    "coverage": N_("Coverage: national, region or province"), "regions_inei": N_("Departments (INEI, two digits)"),
    "province": N_("Provinces"), "phone": N_("Telephone"), "whatsapp": N_("WhatsApp"), "hours": N_("Opening hours"),
    "is_24h": N_("Open 24 hours"), "cost": N_("Cost"), "languages": N_("Languages"), "what_for": N_("What for"),
    "police_inside_or_run": N_("Police inside, or run by the police"), "trans_friendly": N_("Treats trans people well"),
    "sw_friendly": N_("Treats sex workers well"), "minors": N_("Attends people under 18"),
    "accepts_no_id": N_("Attends without an identity card"), "has_pep": N_("Has PEP"),
    "has_ec": N_("Has emergency contraception"), "has_forensic": N_("Does the medico-legal exam"),
    "address": N_("Address"), "address_public": N_("The address is public"), "status": N_("Status"),
    "source_date": N_("Date of the source"), "source": N_("Source"), "verified_on": N_("Verified on (day)"),
    "notes": N_("Notes"),
}  # fmt: skip
ACT_NAMES = {
    upkeep.CONFIRMED: N_("confirmed: still true"),
    upkeep.EDITED: N_("changed"),
    upkeep.LEARNED: N_("wrote down what a call taught"),
    upkeep.NOBODY: N_("called, nobody answered"),
    upkeep.IMPORTED: N_("brought in from a file"),
}
SAID_OF_ANSWERS = {"yes": N_("Yes"), "no": N_("No"), "only": N_("Only under 18")}
SOMEBODY_ELSE = N_("Somebody else changed this meanwhile. Look at it as it is now, then do it again.")
DONE = {"confirmed": N_("Written down: still true today."), "edited": N_("Changed.")}


def _today() -> date:
    return local_hour(int(house().clock()) // 3600).date()


def _shelf() -> directory.Shelf:
    return directory.shelf(house().reading)


def _csv(text: str, name: str) -> Response:
    answer = make_response("\ufeff" + text)  # the mark tells a spreadsheet that this is UTF-8
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


# ── all services ────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/<lang>/equipo/directorio")
@signed_in(CASE_WORKER, COORDINATOR)
def services() -> ResponseReturnValue:
    """What is due first, then the rest."""
    return _services()


@pages.post("/<lang>/equipo/directorio")
@signed_in(CASE_WORKER, COORDINATOR)
def find() -> ResponseReturnValue:
    """A part of a name finds any."""
    StaffForm().is_ours()
    return _services(request.form.get("q", "").strip()[:80])


@desk_pages.by_get()
def _services(wanted: str = "") -> ResponseReturnValue:
    with house().reading() as db:
        every = upkeep.due(db, _today())
    found = [one for one in every if importing.header(wanted) in importing.header(f"{one.name} {one.service}")]
    return render_template("staff/directory.html", found=found[:SHOWN], more=max(0, len(found) - SHOWN), wanted=wanted,
                           over=sum(one.over for one in every), all=len(every),
                           flagged=sum(one.flagged > 0 for one in every), on=_on, out=_out())  # fmt: skip


def _on(told: str) -> str:
    """A day of the directory in words, or as it was written."""
    try:
        return languages.day(g.lang, date.fromisoformat(told))
    except ValueError:
        return told


def _out() -> StaffForm:
    return StaffForm(formdata=None)


@pages.get("/<lang>/equipo/directorio/archivo")
@signed_in(CASE_WORKER, COORDINATOR)
def export() -> ResponseReturnValue:
    """The whole directory as a file. Brought in again it changes nothing."""
    with house().reading() as db:
        return _csv(importing.as_csv(db), "servicios")


# ── one service ─────────────────────────────────────────────────────────────────────────────────────────────


class EditForm(StaffForm):
    """Why, and what it looked like when she read it. The cells themselves come by their names."""

    why = StringField(N_("Why? Who told you?"), validators=[InputRequired(), Length(max=300)])
    stamp = StringField(validators=[Length(max=64)])


class StampForm(StaffForm):
    """What it looked like when she read it."""

    stamp = StringField(validators=[Length(max=64)])


@pages.get("/<lang>/equipo/directorio/servicio/<service>")
@signed_in(CASE_WORKER, COORDINATOR)
def service_page(service: str) -> ResponseReturnValue:
    """Everything about a service: cells, source, history, what is due."""
    return _service(service, sentence=say(DONE.get(request.args.get("done", ""), "")))


@desk_pages.by_get()
def _service(service: str, *, form: EditForm | None = None, typed: dict[str, str] | None = None, sentence: str = "",
             wrong: tuple[str, ...] = (), code: int = 200) -> ResponseReturnValue:  # fmt: skip
    with house().reading() as db:
        entry = upkeep.entry(db, service, _today())
    if entry is None:
        return error_page(404)
    page = render_template(
        "staff/service.html", entry=entry, cells=dict(entry.row) | (typed or {}), form=form or EditForm(formdata=None),
        sentence=sentence, wrong=wrong, columns=COLUMN_NAMES, act_names=ACT_NAMES, flag_names=upkeep.FLAGS, on=_on,
        types=tuple(directory.service_types()), may_edit=COORDINATOR in g.keys.roles, out=_out(),
    )  # fmt: skip
    return make_response(page, code)


@pages.post("/<lang>/equipo/directorio/servicio/<service>")
@signed_in(CASE_WORKER, COORDINATOR)
def confirm(service: str) -> ResponseReturnValue:
    """Still true today, in one click."""
    form = StampForm()
    if not form.is_ours():
        return error_page(404)
    try:
        with house().writing() as db:
            upkeep.confirm(db, service, g.keys.name, _today(), form.stamp.data or "")
    except upkeep.Changed:
        return _service(service, sentence=say(SOMEBODY_ELSE), code=409)
    except upkeep.Refused as refused:
        return _service(service, wrong=refused.reasons, code=422)
    return redirect(url_for("directory.service_page", lang=g.lang, service=service, done="confirmed"), 303)


@pages.post("/<lang>/equipo/directorio/servicio/<service>/cambiar")
@signed_in(COORDINATOR)
def edit(service: str) -> ResponseReturnValue:
    """Other cells, with a reason."""
    form = EditForm()
    typed = {column: request.form[column] for column in upkeep.EDITABLE if column in request.form}
    if not form.is_ours():
        return _service(service, form=form, typed=typed, code=422)
    try:
        with house().writing() as db:
            upkeep.edit(db, service, typed, g.keys.name, form.why.data, _today(), form.stamp.data or "")
    except upkeep.Changed:
        return _service(service, form=form, typed=typed, sentence=say(SOMEBODY_ELSE), code=409)
    except upkeep.Refused as refused:
        return _service(service, form=form, typed=typed, wrong=refused.reasons, code=422)
    return redirect(url_for("directory.service_page", lang=g.lang, service=service, done="edited"), 303)


# ── a file comes in ─────────────────────────────────────────────────────────────────────────────────────────


class BringForm(StaffForm):
    """A file, and what she knows of it."""

    class Meta(StaffForm.Meta):
        files = frozenset({"file"})

    file = FileField(N_("The file: CSV or JSON"), validators=[InputRequired()])
    kind = SelectField(N_("If the file does not say it: which type of service does it hold?"), default="")
    region = SelectField(N_("If the file does not say it: which region is it about?"), default="")


@pages.route("/<lang>/equipo/directorio/traer", methods=["GET", "POST"])
@signed_in(COORDINATOR)
def bring() -> ResponseReturnValue:
    """Look first, then bring in. What is not stored is listed by its line."""
    form, report = BringForm(), None
    form.kind.choices = [SelectChoice("", N_("It says it")), *(SelectChoice(one) for one in directory.service_types())]
    regions = directory.other_departments(_shelf()).items()
    by_number = (SelectChoice(code[2:], name) for code, name in regions)
    form.region.choices = [SelectChoice("", N_("It says it")), *by_number]
    if form.is_ours():
        hints = importing.Hints(form.file.data.filename or "", form.kind.data, form.region.data)
        raw, dry_run = form.file.data.read(), request.form.get("go") != "store"
        with house().writing() as db:
            report = importing.bring_in(db, raw, g.keys.name, _today(), hints=hints, dry_run=dry_run)
    bad = form.is_submitted() and (report is None or (report.rows == 0))
    page = render_template("staff/bring.html", form=form, report=report, dry_run=request.form.get("go") != "store",
                           out=_out())  # fmt: skip
    return desk_pages.drawn(page, 422 if bad else 200)


# ── gaps ────────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/<lang>/equipo/directorio/vacios")
@signed_in(CASE_WORKER, COORDINATOR)
def gaps() -> ResponseReturnValue:
    """Which need has no verified service in how many provinces, and what no written case is ever offered."""
    return _gaps(house().settings.country)


@pages.get("/<lang>/equipo/directorio/vacios/<place>")
@signed_in(CASE_WORKER, COORDINATOR)
def gaps_of(place: str) -> ResponseReturnValue:
    """The same for one department, with the names of its provinces."""
    return _gaps(place) if place in directory.other_departments(_shelf()) else error_page(404)


def _gaps(place: str) -> ResponseReturnValue:
    held = _shelf()
    whole = place == held.cards.country
    return render_template(
        "staff/gaps.html", gaps=upkeep.gaps(held, _today(), place), names=held.cards.place_names, place=place,
        states=upkeep.STATES, need_names=needs.NEEDS, whole=whole, departments=directory.other_departments(held),
        never=upkeep.never_matched(held) if whole else {}, service_names=directory.names(held), out=_out(),
    )  # fmt: skip


@pages.get("/<lang>/equipo/directorio/vacios.csv")
@signed_in(CASE_WORKER, COORDINATOR)
def gaps_file() -> ResponseReturnValue:
    """Every province and need with its state, for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("place", "name", "need", "state"), *upkeep.gap_rows(_shelf(), _today())])
    return _csv(out.getvalue(), "vacios")


# ── an afternoon of calls ───────────────────────────────────────────────────────────────────────────────────


@pages.get("/<lang>/equipo/directorio/llamadas")
@signed_in(CASE_WORKER, COORDINATOR)
def calls() -> ResponseReturnValue:
    """Where? A department."""
    return render_template("staff/calls.html", departments=directory.other_departments(_shelf()), out=_out())


@pages.get("/<lang>/equipo/directorio/llamadas/<place>")
@signed_in(CASE_WORKER, COORDINATOR)
def calls_in(place: str) -> ResponseReturnValue:
    """Whom to call there and what to ask: on paper, or one after another on a phone."""
    held = _shelf()
    if place not in held.cards.place_names or place == held.cards.country:
        return error_page(404)
    with house().reading() as db:
        tasks = upkeep.worklist(db, held, place, _today())
    return render_template(
        "staff/worklist.html", tasks=tasks, place=place, name=held.cards.place_names[place], on=_on,
        answers=SAID_OF_ANSWERS, missing=_missing_near(held, place), need_names=needs.NEEDS,
        provinces=directory.provinces(held, place), today=_today(), out=_out(),
    )  # fmt: skip


def _missing_near(held: directory.Shelf, place: str) -> list[str]:
    """Needs for which nobody local is known, not even unverified."""
    return [gap.need for gap in upkeep.gaps(held, _today(), place)
            if gap.count(upkeep.VERIFIED, upkeep.LISTED) == 0]  # fmt: skip


@pages.get("/<lang>/equipo/directorio/llamadas/<place>/<service>")
@signed_in(CASE_WORKER, COORDINATOR)
def call(place: str, service: str) -> ResponseReturnValue:
    """One call: the number, and only what nobody knows yet."""
    return _call(place, service)


@desk_pages.by_get()
def _call(place: str, service: str, *, typed: dict[str, str] | None = None, sentence: str = "",
          wrong: tuple[str, ...] = (), code: int = 200) -> ResponseReturnValue:  # fmt: skip
    held = _shelf()
    with house().reading() as db:
        entry = upkeep.entry(db, service, _today())
    if entry is None or place not in held.cards.place_names:
        return error_page(404)
    page = render_template(
        "staff/call.html", entry=entry, card=held.service(service), place=place, form=StampForm(formdata=None),
        unknown=upkeep.unknown_of(entry.row), answers=SAID_OF_ANSWERS, typed=typed or {}, sentence=sentence,
        wrong=wrong, on=_on, out=_out(),
    )  # fmt: skip
    return make_response(page, code)


@pages.post("/<lang>/equipo/directorio/llamadas/<place>/<service>")
@signed_in(CASE_WORKER, COORDINATOR)
def called(place: str, service: str) -> ResponseReturnValue:
    """What she learned, or that nobody answered; then the next one."""
    form, go = StampForm(), request.form.get("go")
    typed = {question.column: request.form.get(question.column, "") for question in upkeep.QUESTIONS}
    if not form.is_ours() or place not in _shelf().cards.place_names:
        return error_page(404)
    with house().reading() as db:
        order = [task.row["id"] for task in upkeep.worklist(db, _shelf(), place, _today())]
    try:
        with house().writing() as db:
            if go == "nobody":
                upkeep.nobody_answered(db, service, g.keys.name, _today())
            elif go == "learned":
                upkeep.learn(db, service, typed, g.keys.name, _today(), form.stamp.data or "")
    except upkeep.Changed:
        return _call(place, service, typed=typed, sentence=say(SOMEBODY_ELSE), code=409)
    except upkeep.Refused as refused:
        return _call(place, service, typed=typed, wrong=refused.reasons, code=422)
    return redirect(_next(place, service, order), 303)


def _next(place: str, service: str, order: list[str]) -> str:
    rest = order[order.index(service) + 1 :] if service in order else []
    if rest:
        return url_for("directory.call", lang=g.lang, place=place, service=rest[0])
    return url_for("directory.calls_in", lang=g.lang, place=place)


# ── what reporters flag ─────────────────────────────────────────────────────────────────────────────────────


@pages.post("/<lang>/aviso")
def flag() -> ResponseReturnValue:
    """A dead number, or they were not safe. She stays on her page: the answer has no page of its own."""
    kind, _, service = request.form.get("flag", "").partition(".")
    with house().writing() as db:
        known = upkeep.flag(db, service, kind, _today())
    return ("", 204) if known else error_page(404)


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/<lang>/reglas")
def rules() -> ResponseReturnValue:
    """Every rule, window and must-not, printed from the rows that decide, and who has signed it."""
    country = house().settings.country
    everything: dict[str, Any] = {
        "definitions": rulebook.definitions(),
        "rules": rulebook.rules(),
        "must_nots": rulebook.must_nots(),
        "country": country,
    }
    states = [row.state for row in (*everything["rules"], *everything["must_nots"])]
    return render_template("reporter/rules.html", **everything, signed=states.count(rulebook.SIGNED), all=len(states))
