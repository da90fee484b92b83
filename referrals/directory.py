"""The directory: services and places come in from files, and pages ask it for help.

Work floor: is handed a session, knows no page and has never heard of a case. What is shipped is Peruvian, was seen
in public sources, and says so on every row; nothing is added that the row does not say.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from referrals import matching
from referrals.index import ServiceCard as ServiceCard
from referrals.index import is_listed
from referrals.matching import NATIONAL, Asked, Cards, Seeker
from referrals.matching import Offer as Offer
from referrals.models import CoverageRow, PlaceRow, ServiceRow
from referrals.needs import NEEDS, Need, assess, forbidden
from referrals.shelf import AT_ONCE, DATA, Tell, changed, home, shipped_lines, shipped_services, untold
from referrals.shelf import Shelf as Shelf
from referrals.shelf import card_of as card_of
from referrals.shelf import service_types as service_types
from referrals.shelf import settle as settle
from referrals.shelf import shelf as shelf
from reporting.countries import FIRST_HOME
from reporting.incidents import N_, Incident

COLUMNS = tuple(
    "id name service_type sector coverage regions_inei province phone whatsapp hours is_24h cost languages what_for "
    "police_inside_or_run trans_friendly sw_friendly minors accepts_no_id has_pep has_ec has_forensic address "
    "address_public status source_date source verified_on notes organisation".split()
)
MAY_LACK = frozenset({"organisation"})  # older files of ours have no such column
# needs somebody may look for without telling what happened, in screen order
ASKED = (
    "N_EMERG_MED",
    "N_PEP",
    "N_EC",
    "N_STI",
    "N_PREG",
    "N_CRISIS_MH",
    "N_MISSING",
    "N_PFA",
    "N_SHELTER",
    "N_SAFETY_PLAN",
    "N_LEGAL_INFO",
    "N_LEGAL_STATE",
    "N_REPORT_ROUTE",
    "N_TRAFFICKING",
    "N_CHILD_PROT",
    "N_PEER",
    "N_DOCS",
    "N_DIGITAL",
    "N_ECON",
)
FIRST = frozenset({"N_CHILD_PROT", "N_SAFETY_PLAN", "N_EC"})  # within a day: shown before the next question, like NOW
IN_SIGHT = {"N_CHILD_PROT": 2}  # need -> doors in sight, where it is not one: both lines that a child may know
REFUSABLE = frozenset({"HEALTH_EMERGENCY", "HEALTH_STI_HIV", "HEALTH_PRIMARY", "MENTAL_HEALTH", "VIOLENCE_CENTRE",
                       "VIOLENCE_CENTRE_POLICE", "PROSECUTOR", "OMBUDSMAN", "LEGAL_PUBLIC_DEFENCE"})  # fmt: skip


# ── coming in ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: rows stored (new or changed), rows left as they were, problems with their line."""

    stored: int
    unchanged: int
    problems: tuple[tuple[int, str], ...]


def load_shipped(db: Session) -> Imported:
    """Places and services of Peru as shipped. A second time changes nothing."""
    load_places(db, (DATA / "places-pe.csv").read_text(encoding="utf-8"))
    return import_services(db, shipped_services())


def load_country(db: Session) -> None:
    """What is shipped for the country of this directory: all of Peru for Peru; for any other its code, and no line."""
    country = home(db).country
    if country == FIRST_HOME:
        load_shipped(db)
    else:
        load_places(db, f"code,parent,level,name\n{country},,country,{country}\n")


def load_places(db: Session, text: str) -> int:
    """A tree of places from CSV: code, parent, level, name. Returns how many are new."""
    known = set(db.scalars(select(PlaceRow.code)))
    fresh = [row for row in csv.DictReader(io.StringIO(text)) if row["code"] not in known]
    db.add_all(PlaceRow(code=row["code"], parent=row["parent"], level=row["level"], name=row["name"]) for row in fresh)
    db.flush()
    if fresh:
        changed(db, ())
    return len(fresh)


def import_services(db: Session, text: str, *, dry_run: bool = False, tell: Tell = untold) -> Imported:
    """Services from CSV, comma or semicolon: all rows or, where one is bad, none. Problems come with their line.

    The file is gone through twice, so that a large one never lies in memory as rows.
    """
    places = {row.code: row.name for row in db.scalars(select(PlaceRow))}
    count, problems = _checked(text, places, home(db).country)
    if problems or dry_run:
        return Imported(0, 0, tuple(problems))
    known, stored, fresh = set(db.scalars(select(ServiceRow.id))), list[str](), list[Mapping[str, str]]()
    for number, (_, row) in enumerate(_rows(text), start=1):
        if row["id"] not in known:
            fresh.append(row)
            stored.append(row["id"])
        elif store(db, row, places):
            stored.append(row["id"])
        if len(fresh) == AT_ONCE or number == count:
            store_new(db, fresh, places)
            fresh.clear()
            tell("stored", number, count)
    if stored:
        changed(db, stored, tell)
    return Imported(len(stored), count - len(stored), ())


def store_new(db: Session, rows: Sequence[Mapping[str, str]], places: Mapping[str, str]) -> None:
    """Write rows that are not there yet, all at once."""
    if rows:
        db.execute(insert(ServiceRow), [dict(row) for row in rows])
        country = home(db).country
        covers = [{"service": row["id"], "place": code}
                  for row in rows for code in sorted(coverage_of(row, places, country))]  # fmt: skip
        db.execute(insert(CoverageRow), covers)
        db.flush()


def _checked(text: str, places: Mapping[str, str], country: str) -> tuple[int, list[tuple[int, str]]]:
    """How many rows there are, and what is wrong with them."""
    missing = [column for column in COLUMNS if column not in {*(_table(text).fieldnames or ()), *MAY_LACK}]
    if missing:
        return 0, [(1, f"Columns are missing: {', '.join(missing)}.")]
    problems, seen, count = list[tuple[int, str]](), set[str](), 0
    for line, row in _rows(text):
        found = [*faults(row, places, country), *(["This id stands twice."] if row["id"] in seen else [])]
        problems += [(line, fault) for fault in found]
        seen.add(row["id"])
        count += 1
    return count, problems


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells) of each row."""
    reader = _table(text)
    for told in reader:
        yield reader.line_num, {column: (told.get(column) or "").strip() for column in COLUMNS}


def _table(text: str) -> csv.DictReader[str]:
    cleaned = text.removeprefix("\ufeff")
    header = cleaned.split("\n", 1)[0]
    return csv.DictReader(io.StringIO(cleaned), delimiter=";" if header.count(";") > header.count(",") else ",")


FAULTS = {
    "id": N_("The id needs 1 to 64 letters, digits, points or lines."),
    "name": N_("The name is empty."),
    "type": N_("This type of service is not known."),
    "coverage": N_("The coverage must be national, region or province."),
    "regions": N_("No department is named: two digits of INEI, such as 25, separated by semicolons."),
    "shelter": N_("A shelter's address is never stored: leave it out."),
    "day": N_("The day of verification must be written like 2026-11-24."),
}


def faults(row: Mapping[str, str], places: Mapping[str, str], country: str) -> Iterable[str]:
    """What is wrong with a row, each in a sentence."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", row["id"]):
        yield FAULTS["id"]
    if not row["name"]:
        yield FAULTS["name"]
    if row["service_type"] not in service_types():
        yield FAULTS["type"]
    if row["coverage"] not in {"national", "region", "province"}:
        yield FAULTS["coverage"]
    elif row["coverage"] != "national" and not _departments(row, places, country):
        yield FAULTS["regions"]
    if row["service_type"] == "SHELTER" and row["address"]:
        yield FAULTS["shelter"]
    if row["verified_on"] and not _is_day(row["verified_on"]):
        yield FAULTS["day"]


def _is_day(told: str) -> bool:
    try:
        return date.fromisoformat(told).isoformat() == told
    except ValueError:
        return False


def store(db: Session, row: Mapping[str, str], places: Mapping[str, str]) -> bool:
    """Write a row if it differs from what is there. True if something changed."""
    known, covers = db.get(ServiceRow, row["id"]), coverage_of(row, places, home(db).country)
    covered = frozenset(db.scalars(select(CoverageRow.place).where(CoverageRow.service == row["id"])))
    if known is not None and covered == covers and all(getattr(known, column) == row[column] for column in COLUMNS):
        return False
    if known is None:
        db.add(ServiceRow(**row))
    else:
        for column in COLUMNS:
            setattr(known, column, row[column])
    db.flush()
    db.execute(delete(CoverageRow).where(CoverageRow.service == row["id"]))
    db.add_all(CoverageRow(service=row["id"], place=place) for place in sorted(covers))
    db.flush()
    return True


def coverage_of(row: Mapping[str, str], places: Mapping[str, str], country: str) -> frozenset[str]:
    """The places a row serves. `national` wins over a list of regions; a province not named exactly is its region."""
    if row["coverage"] == "national":
        return frozenset({country})
    departments = _departments(row, places, country)
    if row["coverage"] == "region":
        return departments
    named = {name.strip() for name in row["province"].split(";")}
    numbered = (f"{department}{number:02d}" for department in departments for number in range(1, 100))
    return frozenset(code for code in numbered if places.get(code) in named) or departments


def _departments(row: Mapping[str, str], places: Mapping[str, str], country: str) -> frozenset[str]:
    codes = {country + code.strip() for code in row["regions_inei"].split(";") if code.strip()}
    return frozenset(codes & places.keys())


# ── reviewable data ─────────────────────────────────────────────────────────────────────────────────────────


@cache
def need_texts(country: str = FIRST_HOME) -> Mapping[str, Mapping[str, Any]]:
    """What she should know about a need, in her language, with its sources. The law of another country is left out."""
    texts = tomllib.loads((DATA / "need-texts.toml").read_text(encoding="utf-8"))
    return {need: text for need, text in texts.items() if text.get("country", country) == country}


def about_need(code: str, incident: Incident, country: str = FIRST_HOME) -> Mapping[str, Any]:
    """What she should know about a need, in every language; nothing where there is no text.

    Where a companion was killed or is missing, a need may have words of its own for that.
    """
    texts, state = need_texts(country).get(code, {}), "killed" if incident.victim_state == "killed" else "missing"
    named = (state, "companion") if "KILLING_DISAPPEARANCE" in incident.violence else ()
    own: Mapping[str, Any] | None = next((texts[name] for name in named if name in texts), None)
    return own or (texts if "es" in texts else {})


@cache
def _child_policy() -> Mapping[str, Any]:
    return tomllib.loads((DATA / "child-policy.toml").read_text(encoding="utf-8"))


def child_policy(language: str, country: str = FIRST_HOME) -> tuple[str, ...]:
    """What somebody under 18 is told before she writes, with the lines of her country, and whether it is signed."""
    policy = _child_policy()
    known = language if language in policy else "es"
    words, lines = policy[known], policy.get(country, {}).get(known, {}).get("paragraphs", ())
    unsigned = () if policy["reviewer"] else (words["status"],)
    return (words["title"], *words["paragraphs"], *lines, *unsigned)


# ── the doors that pages knock on ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Found:
    """A need with its doors. `timed`: whether its urgency was worked out from an incident."""

    need: Need
    label: str
    about: Mapping[str, str]
    offers: tuple[Offer, ...]
    timed: bool

    @property
    def open(self) -> tuple[Offer, ...]:
        """The doors that are always in sight."""
        return self.offers[: IN_SIGHT.get(self.need.code, 1)]

    @property
    def folded(self) -> tuple[Offer, ...]:
        """The doors behind one touch, on pages that have room for them."""
        return self.offers[len(self.open) :]


@dataclass(frozen=True, slots=True)
class Help:
    """Everything a page shows of needs and doors."""

    needs: tuple[Found, ...]
    must_not: frozenset[str]
    hidden: Mapping[str, int]
    create_referral: bool

    @property
    def gaps(self) -> tuple[str, ...]:
        """The needs that no service meets, the most urgent first: at best the line of last resort answers."""
        return tuple(one.need.code for one in self.needs if all(offer.fallback for offer in one.offers))

    @property
    def hidden_for_police(self) -> int:
        """How many doors are not shown because the police are there."""
        return sum(self.hidden.get(code, 0) for code in ("MN_POLICE", "MN_CEM_COMISARIA"))


def help_for(held: Shelf, incident: Incident, now: float, *, languages: tuple[str, ...],
             only: list[str] | None = None, police_shown: bool = False) -> Help:  # fmt: skip
    """Needs, clocks and doors of an incident as of `now` (seconds since 1970); `only` some while she is telling."""
    assessed = assess(incident)
    wanted = [need for need in assessed.needs if only is None or need.code in only]
    hers = tuple(code for code in (incident.lang, *languages) if code)
    seeker = Seeker(incident, assessed.must_not, _places(incident), hers, police_shown)
    return _help(held, wanted, seeker, now, create_referral=assessed.create_referral)


def help_with(held: Shelf, wanted: Iterable[str], department: str | None, now: float, *,
              languages: tuple[str, ...], police_shown: bool = False) -> Help:  # fmt: skip
    """Doors for needs that somebody names without telling what happened. Careful must-nots hold."""
    incident = Incident(department=department)
    seeker = Seeker(incident, assess(incident).must_not, _places(incident), languages, police_shown)
    return _help(held, [Need(code, "H24", ()) for code in wanted if code in ASKED], seeker, now, timed=False)


def urgent_needs(incident: Incident) -> list[str]:
    """The needs that cannot wait for her next answer."""
    needs = assess(incident).needs
    return [need.code for need in needs if need.urgency == "NOW" or (need.urgency == "H24" and need.code in FIRST)]


def _help(held: Shelf, wanted: Sequence[Need], seeker: Seeker, now: float, *, timed: bool = True,
          create_referral: bool = False) -> Help:  # fmt: skip
    asked = Asked(seeker, held.cards, _moment(now))
    near = asked.near(wanted)
    hidden: dict[str, set[str]] = {}
    found: list[Found] = []
    told: tuple[set[str], set[str]] = (set(), set())
    for need in wanted:
        offers, reasons = matching.offers_of(need, asked, near[need.code])
        for reason, services in reasons.items():
            hidden.setdefault(reason, set()).update(services)
        about = about_need(need.code, seeker.incident, held.cards.country)
        found.append(_first_in_full(Found(need, NEEDS[need.code], about, offers, timed), *told))
    counts = {reason: len(services) for reason, services in hidden.items()}
    return Help(tuple(found), seeker.must_not, counts, create_referral)


def _first_in_full(found: Found, in_sight: set[str], folded: set[str]) -> Found:
    """A door for several needs is told in full once in sight; a folded one only where it was not told before."""
    shown = [replace(offer, again=offer.service_id in in_sight) for offer in found.open]
    in_sight.update(offer.service_id for offer in found.open)
    more = [replace(offer, again=offer.service_id in in_sight | folded) for offer in found.folded]
    folded.update(offer.service_id for offer in found.folded)
    return replace(found, offers=(*shown, *more))


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)


def _places(incident: Incident) -> tuple[str, ...]:
    return tuple(code for code in (incident.province, incident.department) if code)


def national_lines(held: Shelf, now: float) -> tuple[Offer, ...]:
    """The lines that answer in the whole country, for the box that is always there; never less than is shipped."""
    cards = held.cards
    asked = Asked(Seeker(Incident(), frozenset(), (), ("es",)), cards, _moment(now))
    lines = (_can_be_called(cards.by_id.get(line)) or shipped_lines(cards.country).get(line) for line in cards.lines)
    return tuple(matching.shown(Need("N_PFA", "NOW", ()), line, NATIONAL, asked) for line in lines if line)


def has_lines(country: str) -> bool:
    """Whether lines of this country are shipped."""
    return bool(shipped_lines(country))


def lines_as_shipped(country: str, now: float) -> tuple[Offer, ...]:
    """The same where the directory cannot be read."""
    cards = Cards(shipped_lines(country), {}, {}, country=country)
    asked = Asked(Seeker(Incident(), frozenset(), (), ("es",)), cards, _moment(now))
    return tuple(matching.shown(Need("N_PFA", "NOW", ()), line, NATIONAL, asked) for line in cards.by_id.values())


def _can_be_called(card: ServiceCard | None) -> ServiceCard | None:
    return card if card and card.tel else None


def services_for(held: Shelf, incident: Incident) -> list[tuple[str, str]]:
    """(id, name) of every service that may be offered to her: those near first, then those of the whole country."""
    must_not, places = assess(incident).must_not, _places(incident)
    bands = ((matching.near_band(card, places), card) for card in held.cards.by_id.values() if is_listed(card))
    allowed = [(band, card) for band, card in bands if band is not None and not forbidden(card, must_not, incident)]
    return [(card.service_id, card.name) for _, card in sorted(allowed, key=lambda one: (one[0], one[1].name))]


def door(held: Shelf, service: str, need: str, incident: Incident, now: float, *,
         languages: tuple[str, ...] = ("es",)) -> Offer | None:  # fmt: skip
    """One service as an offer to her, with its reasons and warnings; None where the directory has it no more."""
    card = held.cards.by_id.get(service)
    if card is None:
        return None
    seeker = Seeker(incident, assess(incident).must_not, _places(incident), languages)
    band = matching.near_band(card, seeker.places) or NATIONAL
    return matching.shown(Need(need, "SOON", ()), card, band, Asked(seeker, held.cards, _moment(now)))


def needs_to_ask() -> dict[str, str]:
    """Needs that can be looked for without telling, with their labels."""
    return {code: NEEDS[code] for code in ASKED}


def provinces(held: Shelf, department: str) -> dict[str, str]:
    """The provinces of a department, by name."""
    return _children(held, department) if department else {}


def other_departments(held: Shelf) -> dict[str, str]:
    """All departments, by name."""
    return _children(held, held.cards.country)


def _children(held: Shelf, parent: str) -> dict[str, str]:
    inside = [(held.cards.place_names[code], code) for code, above in held.parents.items() if above == parent]
    return {code: name for name, code in sorted(inside)}


def could_have_refused(held: Shelf, department: str) -> dict[str, str]:
    """Services of her region, or of the whole country, that she may name as having refused or hurt her."""
    here = (card for card in held.cards.by_id.values() if card.service_type in REFUSABLE and is_listed(card))
    near = (card for card in here if matching.near_band(card, (department,) if department else ()) is not None)
    return {card.service_id: card.name for card in near}


def names(held: Shelf) -> dict[str, str]:
    """Names of places and services by their code."""
    services = {card.service_id: card.name for card in held.cards.by_id.values()}
    return {**held.cards.place_names, **services}
