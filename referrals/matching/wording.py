"""What is said about an offer: why this one, when it is open, what to know before. Each part gives one sentence.

Pure. Decides neither what is offered nor in which order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from referrals.matching import hours
from referrals.matching.hours import NO, OPEN, UNKNOWN, YES, Hours
from referrals.matching.listings import DEPARTMENT_CODE, ServiceCard
from referrals.matching.order import Search, is_trans, line_to
from referrals.matching.records import FRESH, NATIONAL, SAME_PROVINCE, Cards, Offer, Seeker
from referrals.needs.codes import Need
from reporting.i18n import N_, Sentence, said, without_accents
from reporting.vocabulary.codes import MINOR_AGES

WARNINGS = {
    "POLICE_CONTACT": N_("This line may speak with the police. Ask about that before you tell."),
    "SEEN_FOR_LIMA": N_(
        "Our source speaks of Lima. In other regions try it; if nobody answers, call %(number)s or go to the nearest"
        " hospital."
    ),
    "FAR_FROM_CAPITAL": N_("It may not arrive far from the capital of the region."),
    "OLD_DATA": N_("What we know of it is some years old."),
    "KITS_MISSING": N_("Some places did not have the medicines. Call %(number)s first."),
    "MAY_REPORT_THEMSELVES": N_("They can make a complaint on their own. Ask before you tell."),
    "SENDS_TO_STATION": N_("It often only gives advice and sends people to a police station."),
    "STATE_LAW": N_("A law may limit their help against the State. Ask them."),
    "ADULT_WITH_ID": N_("Their page asks for an identity card and 18 years. Ask if they help you without."),
    "KIT_DISPUTED": N_("It was not clear whether they hand out the medicines. Get care first."),
    "INTERIOR": N_("The ministry of the police runs it."),
    "FOR_INSURED": N_(
        "It belongs to EsSalud, for people insured there. In an emergency the law obliges it to attend everybody,"
        " without asking first for papers or payment."
    ),
}
WITHOUT_NUMBER = {
    "SEEN_FOR_LIMA": N_(
        "Our source speaks of Lima. In other regions try it; if nobody answers, go to the nearest hospital."
    ),
    "KITS_MISSING": N_("Some places did not have the medicines: call first."),
}
DUTY = N_("They may have to report violence to an authority. You can ask before you tell.")
POLICE_INSIDE = N_("The police run this or are inside.")
POLICE_UNKNOWN = N_("We do not know if the police are there.")
NOT_SURE = N_("We do not know for sure if they help with this: call first.")
ASKS_FOR_ID = N_("It asks for an identity card.")
TRANS_UNKNOWN = N_("We do not know how they treat trans people: call first, or go with somebody.")
PAPERS_UNKNOWN = N_("We do not know if they ask for papers: call first. You have the right to help without them.")
MINORS_UNKNOWN = N_("We do not know if they attend people under 18: call first.")
NEVER_CHECKED = N_("Not verified by us: call first.")
NEVER_CHECKED_NO_NUMBER = N_("Not verified by us.")
CHECKED = N_("Verified on %(day)s.")
CHECKED_LONG_AGO = N_("Verified on %(day)s, more than a year ago: call first.")
MAY_CHANGE = N_("Something here may have changed, and the team has not confirmed it yet: call first.")
HOLIDAY = N_("We do not know if it opens today, a public holiday: call first.")
HOURS_UNKNOWN = N_("We do not know its hours: call first.")
OPEN_UNKNOWN = N_("We do not know if it is open now: call first.")
# What is said of a service that nobody can call, because no number is known.
WITHOUT_A_CALL = {
    NOT_SURE: N_("We do not know for sure if they help with this: ask when you arrive."),
    TRANS_UNKNOWN: N_("We do not know how they treat trans people: go with somebody, if you can."),
    PAPERS_UNKNOWN: N_("We do not know if they ask for papers. You have the right to help without them."),
    MINORS_UNKNOWN: N_("We do not know if they attend people under 18: ask when you arrive."),
    NEVER_CHECKED: NEVER_CHECKED_NO_NUMBER,
    CHECKED_LONG_AGO: N_("Verified on %(day)s, more than a year ago."),
    MAY_CHANGE: N_("Something here may have changed, and the team has not confirmed it yet."),
    HOLIDAY: N_("We do not know if it opens today, a public holiday."),
    HOURS_UNKNOWN: N_("We do not know its hours."),
    OPEN_UNKNOWN: N_("We do not know if it is open now."),
    WITHOUT_NUMBER["KITS_MISSING"]: N_("Some places did not have the medicines: ask when you arrive."),
}
# What she calls what its source calls by an office: a name as it is shipped, or how one begins. One that the team wrote
# is read as they wrote it.
PLAIN_NAMES = {
    "Línea 100 (Programa Nacional Warmi Ñan, antes Aurora, MIMP)": "Línea 100, contra la violencia",
    "Chat 100 (Warmi Ñan, MIMP)": "Chat 100, contra la violencia",
    "Línea 113 Salud (Infosalud, MINSA)": "Línea 113, salud",
    "SAMU 106 (ambulancias, MINSA / regiones)": "SAMU 106, ambulancias",
    "Línea 1810 (niñez, MIMP)": "Línea 1810, niñas, niños y adolescentes",
    "Central 111 contra la extorsión (PNP, Divise)": "Policía 111, contra la extorsión",
    "Central Única de Denuncias 1818 (Mininter)": "Central 1818, denuncias al Ministerio del Interior",
    "Centros ALEGRA / Mega ALEGRA (Defensa Pública, MINJUSDH)": "Centros ALEGRA, abogados gratis del Estado",
    "Fono ALEGRA 1884": "Fono ALEGRA 1884, abogados gratis del Estado",
    "Ministerio Público - Fiscalías penales y de familia": "Fiscalía",
    "Fiscalías Especializadas en Trata de Personas (FISTRAP)": "Fiscalía contra la trata de personas",
    "Instituto de Medicina Legal (IML, Ministerio Público)": "Medicina Legal (IML)",
    "Hogares de Refugio Temporal (HRT)": "Casas de refugio",
    "UAMP (Unidad de Atención Médica Periódica) - red": "Unidades de Atención Médica Periódica (UAMP)",
    "23 Centros TAR de la región Piura (DIRESA)": "Centros de tratamiento del VIH (TAR) de Piura",
    "Centros de Salud Mental Comunitaria, Arequipa-Caylloma (12 según nota; 8 en 2021)": (
        "Centros de Salud Mental Comunitaria de Arequipa y Caylloma"
    ),
    "Establecimientos de salud MINSA: kit de emergencia (AOE + antirretrovirales)": (
        "Centros de salud del Estado, medicinas de emergencia"
    ),
}
_BEGINNINGS = (
    ("CEM Regular ", "Centro Emergencia Mujer (CEM) "),
    ("CEM Comisaría ", "Centro Emergencia Mujer (CEM) en la comisaría "),
    ("CEM ", "Centro Emergencia Mujer (CEM) "),
    ("SAR ", "Servicio de Atención Rural (SAR) "),
    ("UPE ", "Unidad de Protección Especial (UPE) "),
    ("CSMC ", "Centro de Salud Mental Comunitario "),
)
# Words of names and addresses that registers write without their accent. Each is written in one way alone in Spanish.
_ACCENTS = {
    without_accents(word): word
    for word in (
        "Callería Aguaytía Ángel Andrés Áncash Apurímac Atención Bolívar Cáceres Camaná Carrión César "
        "Clínica Chávez Díaz Fernández García González Gómez Guzmán Hernández Hipólito Huánuco Jesús José Julián Junín "
        "López María Martín Médico Pérez Perú Policlínico Ramón Ramírez Río Rodríguez Sánchez Simón Túpac Unión "
        "Vásquez Velásquez Víctor"
    ).split()
}
UNSURE = frozenset({NOT_SURE, WITHOUT_A_CALL[NOT_SURE]})
OPENS = (
    N_("Closed now. It opens today at %(time)s."),
    N_("Closed now. It opens tomorrow at %(time)s."),
    N_("Closed now. It opens on %(said_day)s at %(time)s."),
)
PROVINCE_CODE = len("PE2501")
WEEKDAYS = (N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"))


def shown(need: Need, card: ServiceCard, band: int, search: Search, *, fallback: bool = False) -> Offer:
    """A card as an offer, with its reasons and warnings."""
    line = None if card.tel else _line_of(card, search)
    can_be_called = bool(line or card.tel or card.phone)
    return Offer(
        need=need.code,
        service_id=card.service_id,
        name=plain(card.name),
        address=accented(card.address),
        phone=line.phone if line else card.phone,
        tel=line.tel if line else card.tel,
        what_for=card.what_for,
        reasons=_to_be_asked(_reasons(need, card, band, search, line), can_be_called=can_be_called),
        warnings=_to_be_asked(_warnings(card, search), can_be_called=can_be_called),
        may_change=card.waits,
        verified=_to_be_asked([_verified(card, search)], can_be_called=can_be_called)[0],
        source_name=_source_name(card.source),
        source_date=card.source_date,
        fallback=fallback,
        where=None if band == NATIONAL else _where(card, band, search),
        led_by=None if line is None else _led_by(card, line),
        is_open=_is_open(card.week, search),
        kind=card.service_type,
        national=band == NATIONAL,
    )


def plain(name: str) -> str:
    """The name of a service as it is said to her: without the offices behind it, and with its accents."""
    said_so = PLAIN_NAMES.get(name, name)
    begins = next(((short, whole) for short, whole in _BEGINNINGS if said_so.startswith(short)), ("", ""))
    return accented(begins[1] + said_so.removeprefix(begins[0]))


def accented(text: str) -> str:
    """A name or an address with the accents that a register left out."""
    return _WORD.sub(lambda word: _ACCENTS.get(word[0], word[0]), text)


_WORD = re.compile(r"\w+")


def _line_of(card: ServiceCard, search: Search) -> ServiceCard | None:
    line = search.cards.by_id.get(card.through)
    return line if line is not None and line is not card and line_to(line, search.seeker) else None


def _led_by(card: ServiceCard, line: ServiceCard) -> Sentence:
    """How a line leads to a service without a number of its own."""
    if card.address:
        return said(
            N_("We do not have its number. You can ask %(number)s: %(name)s."), number=line.phone, name=plain(line.name)
        )
    return said(N_("You reach it by calling %(number)s: %(name)s."), number=line.phone, name=plain(line.name))


def _to_be_asked(sentences: Iterable[Sentence], *, can_be_called: bool) -> tuple[Sentence, ...]:
    """The sentences as they are; where no number is known none of them says that she shall call."""
    if can_be_called:
        return tuple(sentences)
    return tuple(Sentence(WITHOUT_A_CALL.get(each.message, each.message), each.parts) for each in sentences)


def _verified(card: ServiceCard, search: Search) -> Sentence:
    if not card.verified_on:
        return said(NEVER_CHECKED)
    old = date.fromisoformat(card.verified_on) < search.now.date() - timedelta(days=FRESH[-1])
    return said(CHECKED_LONG_AGO if old else CHECKED, day=card.verified_on)


def _reasons(need: Need, card: ServiceCard, band: int, search: Search, line: ServiceCard | None) -> Iterable[Sentence]:
    """Why this one, and when."""
    seeker = search.seeker
    if line is not None:
        yield _led_by(card, line)
    elif not card.tel and not card.address:
        yield said(N_("We do not have its number or address yet."))
        yield from _good(card, seeker)
        yield _where(card, band, search)
        return
    yield from _when(card, search)
    if card.needs.get(need.code) != YES:
        yield said(NOT_SURE)
    yield from _good(card, seeker)
    yield _where(card, band, search)
    if card.cost.startswith("free"):
        yield said(N_("It is free.") if card.cost == "free" else N_("It is free with SIS insurance."))
    if card.phone_note:
        yield said(N_("About the number: %(note)s."), note=card.phone_note)


def _when(card: ServiceCard, search: Search) -> Iterable[Sentence]:
    """Whether it is open, until when or from when, and its hours as they were written."""
    week = card.week
    if week.is_always:
        yield said(N_("Open 24 hours."))
        return
    if not card.hours:
        yield said(HOURS_UNKNOWN)
        return
    yield _open_now(week, search)
    yield said(N_("Hours: %(hours)s."), hours=card.hours)


def _is_open(week: Hours, search: Search) -> Sentence | None:
    """In a few words whether it is open, where that is known."""
    if week.is_always:
        return said(N_("Open 24 hours."))
    state = hours.state(week, search.now, search.cards.holidays)
    return None if state == UNKNOWN else _open_now(week, search)


def _open_now(week: Hours, search: Search) -> Sentence:
    holidays = search.cards.holidays
    state = hours.state(week, search.now, holidays)
    if state == UNKNOWN:
        known = week.own is not None
        return said(HOLIDAY if known else OPEN_UNKNOWN)
    if state == OPEN:
        until = hours.open_until(week, search.now, holidays)
        return said(N_("Open now, until %(time)s."), time=f"{until:%H:%M}") if until else said(N_("Open now."))
    opens = hours.next_opening(week, search.now, holidays)
    if opens is None:
        return said(N_("Closed now."))
    days = (opens.date() - hours.local_time(search.now, week.zone).date()).days
    on_day = OPENS[min(days, len(OPENS) - 1)]
    return said(on_day, said_day=WEEKDAYS[opens.weekday()], time=f"{opens:%H:%M}")


def _good(card: ServiceCard, seeker: Seeker) -> Iterable[Sentence]:
    if is_trans(seeker.incident) and card.trans_friendly == YES:
        yield said(N_("Run by or known to respect trans people, says the source."))
    if card.sw_friendly == YES:
        yield said(N_("Run by or for sex workers, says the source."))
    if seeker.incident.docs in {"NONE", "MISMATCH"} and card.accepts_no_id == YES:
        yield said(N_("No identity card is needed, says the source."))
    if set(seeker.languages) & card.languages - {"es"}:
        yield said(N_("They speak your language."))


def _where(card: ServiceCard, band: int, search: Search) -> Sentence:
    if band == NATIONAL:
        return said(N_("It serves the whole country."))
    if card.site in search.cards.seats:
        return _stands(card.site, search)
    if band == SAME_PROVINCE:
        return said(N_("It serves your province."))
    if not set(search.seeker.places) & card.coverage:
        inside = sorted(search.cards.place_names.get(place, place) for place in card.coverage)
        return said(N_("It serves part of your region: %(places)s."), places=", ".join(inside))
    return said(N_("It serves your region."))


def _stands(site: str, search: Search) -> Sentence:
    """Where it stands. How far that is, only from a province: within a department nobody said where she is."""
    seats, places = search.cards.seats, search.seeker.places
    town, province = seats[site].name, search.cards.place_names.get(site[:PROVINCE_CODE], "")
    hers = places[0] if places and len(places[0]) > DEPARTMENT_CODE else ""
    where = town if (hers and site.startswith(hers)) or province in {"", town} else f"{town} ({province})"
    km = search.kilometres_to(site) if hers else None
    if km is None or km < 1:
        return said(N_("It is in %(place)s."), place=where)
    return said(
        N_("It is in %(place)s, about %(km)s km in a straight line from the capital of your province."),
        place=where,
        km=str(round(km)),
    )


def _warnings(card: ServiceCard, search: Search) -> Iterable[Sentence]:
    incident = search.seeker.incident
    checks = (
        (card.waits, MAY_CHANGE),
        (card.police == YES, POLICE_INSIDE),
        (card.police not in {YES, NO}, POLICE_UNKNOWN),
        (card.duty == "may", DUTY),
        (card.accepts_no_id == NO and "ADULT_WITH_ID" not in card.warnings, ASKS_FOR_ID),
        (
            is_trans(incident) and card.trans_friendly == UNKNOWN,
            TRANS_UNKNOWN,
        ),
        (
            incident.docs in {"NONE", "MISMATCH"} and card.accepts_no_id == UNKNOWN,
            PAPERS_UNKNOWN,
        ),
        (
            incident.age in MINOR_AGES and card.minors == UNKNOWN,
            MINORS_UNKNOWN,
        ),
    )
    yield from (said(sentence) for holds, sentence in checks if holds)
    yield from (warning_of(warning, search.cards) for warning in card.warnings)


def warning_of(warning: str, cards: Cards) -> Sentence:
    """A warning; where it names a line, with the number as the directory has it."""
    if warning not in cards.call_first:
        return said(WARNINGS[warning])
    line = cards.by_id.get(cards.call_first[warning])
    return said(WARNINGS[warning], number=line.phone) if line and line.tel else said(WITHOUT_NUMBER[warning])


def _source_name(source: str) -> str:
    """The host of an address, or the words of the source."""
    return source.split("://", 1)[-1].split("/", 1)[0].removeprefix("www.").split(":")[0] if "://" in source else source
