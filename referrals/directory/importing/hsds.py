"""Services of the open standard HSDS 3 (JSON) as rows of cells.

Pure. What one cell cannot hold is said in a remark and kept as it came; nothing is lost in silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from referrals.directory.importing.report import (
    NO_SERVICES,
    NUMBER_OF_ORGANISATION,
    OTHER_PLACES,
    SCHEDULE_NOTE,
)
from reporting.i18n import Sentence, said

LISTS: Final = ("contents", "services", "data", "organizations")  # where a page of an answer holds its list
ORGANISATION: Final = ("tax_status", "legal_status", "year_incorporated", "parent_organization_id", "services")
OF_SERVICES: Final = ("service_at_locations", "organization", "status", "application_process")
DAYS: Final = {"MO": "Mo", "TU": "Tu", "WE": "We", "TH": "Th", "FR": "Fr", "SA": "Sa", "SU": "Su"}
# of a schedule: with one of these it is not of every week
LIMITS: Final = ("valid_from", "valid_to", "until", "count", "bymonthday", "byyearday", "byweekno")
NO_CALL: Final = {
    "fax": "fax",
    "text": "solo mensajes",
    "sms": "solo mensajes",
}  # type of a telephone -> said before it
OF_CELLS: Final = ("schedules", "languages", "phones")  # kept under another name: their cells are made of them
Flat = tuple[dict[str, str], tuple[Sentence, ...]]


def services_in(document: Any) -> list[Flat] | None:
    """The cells and remarks of each service in a document; None where it is no list of services."""
    services = document
    if isinstance(document, dict):
        lists = [document[key] for key in LISTS if isinstance(document.get(key), list)]
        is_one = isinstance(document.get("name"), str) or isinstance(document.get("service"), dict)
        services = [document] if is_one else lists[0] if lists else None
    if not isinstance(services, list) or not services:
        return None
    return [flat for entry in services for flat in _flats(entry)]


def _flats(entry: Any) -> Iterator[Flat]:
    """An entry as one row, or an organisation as a row of each of its services."""
    if not isinstance(entry, dict):
        yield {"name": ""}, ()
        return
    is_organisation = any(key in entry for key in ORGANISATION) and not any(key in entry for key in OF_SERVICES)
    services = [service for service in _list(entry, "services") if isinstance(service, dict)]
    if is_organisation and services:
        for service in services:
            yield _flat({"organization": entry.get("name", ""), **service}, entry)
    else:
        yield _flat(entry, {}, (said(NO_SERVICES),) if is_organisation else ())


def _flat(service: Mapping[str, Any], organisation: Mapping[str, Any], before: tuple[Sentence, ...] = ()) -> Flat:
    """A service (or a service at a location) as cells; lists become text, what we do not map keeps its name."""
    inner = _table_in(service, "service")
    fields = {**inner, **{key: value for key, value in service.items() if value not in (None, "", [], {})}}
    at = _first(fields, "service_at_locations")
    place = _table_in(fields, "location") or _table_in(at, "location") or _first(fields, "locations")
    place = place or _first(organisation, "locations")
    address = _first(place, "addresses")
    languages = (language for language in _list(fields, "languages") if isinstance(language, dict))
    own_phones = _list(fields, "phones") or _list(at, "phones") or _list(place, "phones")
    schedules = _list(fields, "schedules") or _list(at, "schedules") or _list(place, "schedules")
    cells = {
        "phone": " / ".join(_phones(own_phones or _list(organisation, "phones"))),
        "hours": "; ".join(filter(None, map(_hours, schedules))),
        "languages": ";".join(str(language.get("code", "")) for language in languages),
        "latitude": place.get("latitude", ""),
        "longitude": place.get("longitude", ""),
        "ubigeo": place.get("external_identifier", ""),
        "state_province": address.get("state_province", ""),
        "city": address.get("city", ""),
        "address_1": ", ".join(str(address[key]) for key in ("address_1", "address_2") if address.get(key)),
        "organization": _organisation(fields),
    }
    remarks = [*before, *_remarks(fields, schedules)]
    remarks += [said(NUMBER_OF_ORGANISATION)] if cells["phone"] and not own_phones else []
    plain = {
        f"hsds_{key}" if key in OF_CELLS else key: _text(value)
        for key, value in fields.items()
        if value not in (None, "", [], {})
    }
    flat = plain | {key: str(value) for key, value in cells.items() if value not in (None, "")}
    return flat, tuple(remarks)


def _remarks(fields: Mapping[str, Any], schedules: list[Any]) -> Iterator[Sentence]:
    sites = [_table_in(site, "location") for site in _list(fields, "service_at_locations") if isinstance(site, dict)]
    others = [*sites[1:], *(_list(fields, "locations")[0 if sites else 1 :])]
    if others:
        names = [str(other.get("name") or other.get("id") or "?") for other in others if isinstance(other, dict)]
        yield said(OTHER_PLACES, places=", ".join(names))
    for schedule in schedules:
        note = isinstance(schedule, dict) and (schedule.get("notes") or schedule.get("description"))
        if note:
            yield said(SCHEDULE_NOTE, note=str(note)[:200])


def _organisation(fields: Mapping[str, Any]) -> Any:
    organisation = fields.get("organization")
    return organisation.get("name", "") if isinstance(organisation, dict) else organisation or ""


def _phones(phones: list[Any]) -> Iterator[str]:
    """Each number with its extension and what it is for."""
    for phone in phones:
        if not isinstance(phone, dict) or not phone.get("number"):
            continue
        number = str(phone["number"]).strip(' "')
        extension = f" anexo {phone['extension']}" if phone.get("extension") else ""
        kind = NO_CALL.get(str(phone.get("type", "")).casefold(), "")
        note = re.sub(r"[();/,]", " ", str(phone.get("description") or ""))[:80].strip()
        yield f"{kind} {number}{extension}{f' ({note})' if note else ''}".strip()


def _hours(schedule: Any) -> str:
    """A schedule of every week as OpenStreetMap text; any other as it stands, which nobody reads as hours."""
    if not isinstance(schedule, dict):
        return ""
    days = [DAYS.get(day.strip(), "") for day in str(schedule.get("byday", "")).split(",")]
    times = [re.fullmatch(r"(\d\d:\d\d)(?::\d\d)?", str(schedule.get(key, ""))) for key in ("opens_at", "closes_at")]
    is_weekly = str(schedule.get("freq") or "WEEKLY") == "WEEKLY" and str(schedule.get("interval") or 1) == "1"
    if is_weekly and all(days) and all(times) and not any(schedule.get(key) for key in LIMITS):
        return f"{','.join(days)} {'-'.join(time[1] for time in times if time)}"
    shown = ("freq", "interval", "byday", *LIMITS[2:], "opens_at", "closes_at", "valid_from", "valid_to")
    return " ".join(f"{key} {schedule[key]}" for key in shown if schedule.get(key))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table_in(fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = fields.get(key)
    return table if isinstance(table, dict) else {}


def _list(fields: Mapping[str, Any], key: str) -> list[Any]:
    several = fields.get(key)
    return several if isinstance(several, list) else []


def _first(fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    several = _list(fields, key)
    return several[0] if several and isinstance(several[0], dict) else {}
