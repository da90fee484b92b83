"""A row of the table of services as a `ServiceCard`, with what its type can serve.

Is handed a session. Adds nothing that neither the row nor reviewed data says. Knows no question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.directory.believed import Judge
from referrals.directory.home import Home, home
from referrals.directory.models import CoverageRow, ServiceRow
from referrals.directory.reviewed_data import area_of, rows_of, service_types
from referrals.directory.rows import NOWHERE_YET, SHELTER, answer_of, says_nothing
from referrals.matching import phones
from referrals.matching.hours import NO, UNKNOWN, YES
from referrals.matching.listings import COUNTRY_CODE, ServiceCard

PUBLIC = frozenset({"public", "municipal"})  # a state line leads to services of the state, not to others
INSURED = "insured"  # the cost of what is for people insured there
ANSWERED_BY = {
    "has_pep": "N_PEP",
    "has_ec": "N_EC",
    "has_forensic": "N_FORENSIC",
}  # column -> need it answers
Reading = Callable[[], AbstractContextManager[Session]]


def cards_of(db: Session, services: Sequence[str] | None = None, judge: Judge | None = None) -> Iterator[ServiceCard]:
    """Cards of these services, or of all, in the order of their ids. Those of another country are not among them.

    Where rows are signed, one that is not believed is the shipped one, or none. `judge`: one that was made before.
    """
    here, judge = home(db), judge or Judge(db)
    if judge.judges:
        for cells in judge.judged(db, services):
            covers_of = judge.covers(cells)
            if here.holds(covers_of):
                yield card_of(SimpleNamespace(**cells), covers_of, here, waits=cells["id"] in judge.waiting)
        return
    covers, rows = select(CoverageRow), select(ServiceRow)
    if services is not None:
        covers = covers.where(CoverageRow.service.in_(services))
        rows = rows.where(ServiceRow.id.in_(services))
    covered: dict[str, set[str]] = {}
    for cover in db.execute(covers.with_only_columns(CoverageRow.service, CoverageRow.place)):
        covered.setdefault(cover.service, set()).add(cover.place)
    columns = list(ServiceRow.__table__.columns)
    for row in db.execute(rows.with_only_columns(*columns).order_by(ServiceRow.id)):
        covers_of = frozenset(covered.get(row.id, ()))
        if here.holds(covers_of):
            yield card_of(row, covers_of, here, waits=row.id in judge.waiting)


def card_of(row: Any, coverage: frozenset[str], here: Home, *, waits: bool = False) -> ServiceCard:
    """A row of the table of services as matching and pages need it."""
    kind = service_types()[row.service_type]
    phone, note, tel = _phone(row, here.country)
    country = min(coverage, default="")[:COUNTRY_CODE]
    return ServiceCard(
        service_id=row.id,
        name=row.name,
        service_type=row.service_type,
        phone=phone,
        phone_note=note,
        tel=tel,
        hours=row.hours,
        is_24h=answer_of(row.is_24h),
        cost=row.cost,
        languages=frozenset(part for part in row.languages.split(";") if part),
        what_for=row.what_for,
        police=answer_of(row.police_inside_or_run),
        trans_friendly=answer_of(row.trans_friendly),
        sw_friendly=answer_of(row.sw_friendly),
        minors=answer_of(row.minors),
        accepts_no_id=answer_of(row.accepts_no_id),
        needs=_needs_of(row, kind["needs"], kind.get("sure", ())),
        coverage=frozenset() if row.coverage == NOWHERE_YET else coverage,
        coverage_national=any(len(code) == COUNTRY_CODE and here.holds([code]) for code in coverage),
        status=row.status,
        source=row.source,
        source_date=row.source_date,
        verified_on=row.verified_on,
        duty=kind.get("duty", ""),
        through=kind.get("through", "") if row.sector in PUBLIC else "",
        warnings=tuple(_warnings(row)),
        organisation=row.organisation,
        zone=here.zone,
        address=row.address if _may_be_shown(row) else "",
        site=country + row.site if row.site and row.service_type != SHELTER else "",
        insured=row.cost == INSURED,
        waits=waits,
    )


def _may_be_shown(row: Any) -> bool:
    """Whether its address is for everybody: of a shelter, or of what nobody has seen, it never is."""
    if row.service_type == SHELTER or row.status == "unverified" or says_nothing(row.address):
        return False
    return answer_of(row.address_public) == YES


def _warnings(row: Any) -> Iterator[str]:
    """Of this service, of its type, and of services that are for people insured there.

    One that `ends` is no longer said where the team has confirmed that answer.
    """
    for key in (row.id, row.service_type, *([INSURED] if row.cost == INSURED else [])):
        for warning in rows_of("service-warnings.csv").get(key, ()):
            column, _, answer = warning["ends"].partition("=")
            if not (column and row.verified_on and answer_of(getattr(row, column)) == answer):
                yield warning["warning"]


def _phone(row: Any, country: str) -> tuple[str, str, str]:
    """(text as written, note, link to the first number). What cannot be dialled, or nobody has seen, gets no link."""
    cell = row.phone
    written = re.fullmatch(r"(\+?[\d][\d\s-]*\d)\s*(?:\((.*)\))?", cell)
    number, note = (written.group(1).strip(), written.group(2) or "") if written else (cell, "")
    area = area_of(row.regions_inei, country)
    return number, note, "" if row.status == "unverified" else phones.dialable(cell, country, area)


def _needs_of(row: Any, by_type: Iterable[str], surely: Iterable[str]) -> dict[str, str]:
    """Need -> yes or unknown: what its type can serve, or serves for sure; then what is shipped of this service.

    What the row itself says goes before all of it, whatever its type: that is what a team changes and confirms.
    """
    served = dict.fromkeys(by_type, UNKNOWN) | dict.fromkeys(surely, YES)
    said = {need: answer_of(getattr(row, column)) for column, need in ANSWERED_BY.items()}
    served |= {need: answer for need, answer in said.items() if need in served}
    for reviewed in rows_of("service-needs.csv").get(row.id, ()):
        served[reviewed["need"]] = reviewed["answer"]
    served |= {need: answer for need, answer in said.items() if answer != UNKNOWN}
    return {need: answer for need, answer in served.items() if answer != NO}
