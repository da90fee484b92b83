"""What columns, answers, kinds of service and acts are called on the pages of the keepers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from referrals.directory import curation
from referrals.directory.reviewed_data import area_of
from referrals.directory.rows import ANSWERS, answer_of
from referrals.directory.snapshot import DirectorySnapshot
from referrals.help.answers import other_departments, provinces
from referrals.matching import phones
from referrals.matching.hours import UNKNOWN
from referrals.matching.listings import COUNTRY_CODE, DEPARTMENT_CODE
from reporting.i18n import N_
from reporting.web.context import say

TYPE_NAMES: Mapping[str, str] = {  # kind of service -> its name, in the order of the list
    "VIOLENCE_CENTRE": N_("Centre for women after violence (CEM)"),
    "VIOLENCE_CENTRE_POLICE": N_("Centre for women (CEM) inside a police station"),
    "URGENT_TEAM": N_("Team that comes in danger (SAU)"),
    "SHELTER": N_("Shelter"),
    "HEALTH_EMERGENCY": N_("Hospital with emergency, or ambulance"),
    "HEALTH_PRIMARY": N_("Health centre or clinic"),
    "HEALTH_STI_HIV": N_("Centre for HIV and infections (CERITS, UAMP, TAR)"),
    "MENTAL_HEALTH": N_("Mental health centre"),
    "PEER_SW": N_("Organisation of sex workers"),
    "PEER_TRANS": N_("Organisation of trans people"),
    "MIGRANT": N_("For migrants and refugees"),
    "LEGAL_PUBLIC_DEFENCE": N_("Public defence: lawyers of the State, free"),
    "LEGAL_NGO": N_("Lawyers of an organisation"),
    "OMBUDSMAN": N_("Defensoría del Pueblo"),
    "PROSECUTOR": N_("Fiscalía"),
    "FORENSIC": N_("Forensic medicine (IML)"),
    "COURT": N_("Court"),
    "CHILD_PROTECTION": N_("For girls, boys and adolescents (UPE, DEMUNA)"),
    "TRAFFICKING": N_("Against trafficking"),
    "ECONOMIC": N_("Help with money, food or work"),
    "DOCUMENTS": N_("Identity cards and papers"),
    "DIGITAL": N_("Against threats and images on the internet"),
    "CRISIS_LINE": N_("Crisis line"),
    "POLICE": N_("Police"),
    "POLICE_OVERSIGHT": N_("Office where one complains of the police"),
    "OTHER": N_("Something else"),
}
COLUMN_NAMES = {
    "name": N_("Name"),
    "service_type": N_("Type"),
    "sector": N_("Sector"),
    "coverage": N_("Coverage: national, region, province or unknown"),
    "regions_inei": N_("Departments (INEI, two digits)"),
    "province": N_("Provinces"),
    "phone": N_("Telephone"),
    "whatsapp": N_("WhatsApp"),
    "hours": N_("Opening hours"),
    "is_24h": N_("Open 24 hours"),
    "cost": N_("Cost"),
    "languages": N_("Languages"),
    "what_for": N_("What for"),
    "police_inside_or_run": N_("Police inside, or run by the police"),
    "trans_friendly": N_("Treats trans people well"),
    "sw_friendly": N_("Treats sex workers well"),
    "minors": N_("Attends people under 18"),
    "accepts_no_id": N_("Attends without an identity card"),
    "has_pep": N_("Has PEP"),
    "has_ec": N_("Has emergency contraception"),
    "has_forensic": N_("Does the medico-legal exam"),
    "address": N_("Address"),
    "address_public": N_("The address is public"),
    "site": N_("Where it stands (INEI, six digits)"),
    "status": N_("Status"),
    "source_date": N_("Date of the source"),
    "source": N_("Source"),
    "verified_on": N_("Verified on (day)"),
    "notes": N_("Notes"),
}
ACT_NAMES = {
    curation.CONFIRMED: N_("confirmed: still true"),
    curation.EDITED: N_("changed"),
    curation.LEARNED: N_("wrote down what a call taught"),
    curation.NOBODY: N_("called, nobody answered"),
    curation.IMPORTED: N_("brought in from a file"),
    curation.ADDED: N_("added"),
}
SAID_OF_ANSWERS = {"yes": N_("Yes"), "no": N_("No"), "only": N_("Only under 18"), "unknown": N_("Not known")}
COVERAGE_NAMES: Mapping[str, str] = {
    "national": N_("The whole country"),
    "region": N_("Its whole department"),
    "province": N_("Its province"),
    "unknown": N_("Not known"),
}
# column of answers -> the question as it is pressed; of those that have no question on the pages, the column's name
QUESTION_OF = {
    "minors": N_("Do they attend people under 18?"),
    "accepts_no_id": N_("Do they attend people without an identity card?"),
    "trans_friendly": N_("Do they treat trans people well?"),
    "sw_friendly": N_("Do they treat sex workers well?"),
    "police_inside_or_run": N_("Are there police inside, or is it run by the police?"),
}
PRESSED: Mapping[str, Mapping[str, str]] = {  # column -> answer -> its button
    column: {answer: SAID_OF_ANSWERS[answer] for answer in (*answers, UNKNOWN)} for column, answers in ANSWERS.items()
}
DONE = {
    "confirmed": N_("Written down: still true today."),
    "edited": N_("Changed."),
    "added": N_("It is in the directory. Look how it was understood."),
    "waits": N_(
        "Written down. Part of it waits until a second person agrees; until then the service is shown as it was, with "
        "the words: call first."
    ),
    "stopped": N_("Stopped. The service stays as it was."),
}


def columns_of(columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Column -> the answers that can be pressed there; none where it is typed."""
    return {column: tuple(PRESSED.get(column, ())) for column in columns}


def keeper_words(directory: DirectorySnapshot) -> dict[str, Any]:
    """What the six questions are printed with: kinds, places to choose from, answers to press."""
    return {
        "type_names": TYPE_NAMES,
        "places": places_to_choose(directory),
        "answers_of": PRESSED,
        "question_of": QUESTION_OF,
        "answer_of": answer_of,
    }


def places_to_choose(directory: DirectorySnapshot) -> dict[str, dict[str, str]]:
    """Heading -> code -> name: the country, then each department whole and by its provinces."""
    names, country = directory.cards.place_names, directory.cards.country
    chosen = {names[country]: {country: names[country]}}
    for department, name in other_departments(directory).items():
        chosen[name] = {department: name} | provinces(directory, department)
    return chosen


def place_in_words(cells: Mapping[str, str], directory: DirectorySnapshot) -> str:
    """Where a service is, as its cells say: its province and department, all its departments, or the country."""
    names, country = directory.cards.place_names, directory.cards.country
    if cells["coverage"] == "national":
        return names.get(country, country)
    codes = [code.strip() for code in cells["regions_inei"].split(";") if code.strip()]
    departments = ", ".join(names.get(country + code, code) for code in codes)
    inside = cells["province"] or names.get((country + cells["site"])[: COUNTRY_CODE + DEPARTMENT_CODE], "")
    return ", ".join(dict.fromkeys(part for part in (inside if len(codes) == 1 else "", departments) if part))


def cell_in_words(column: str, cell: str) -> str:
    """A cell as somebody reads it who knows no code: the kind of service and its coverage by name, answers in words."""
    if column in ANSWERS:
        note = cell.partition("(")
        return f"{say(SAID_OF_ANSWERS[answer_of(cell)])}{f' ({note[2]}' if note[1] else ''}"
    return say({"service_type": TYPE_NAMES, "coverage": COVERAGE_NAMES}.get(column, {}).get(cell, cell))


def has_number(cells: Mapping[str, str], country: str) -> bool:
    """Whether somebody can be called there, by the plan of numbers."""
    return bool(phones.dialable(cells["phone"], country, area_of(cells["regions_inei"], country)))
