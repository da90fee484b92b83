"""Telephones as people write them: several, with brackets, extensions, notes; which can be dialled, and how.

Pure. The plan of numbers of each country is the one of the package `phonenumbers`, which is imported when the
first number asks for it. What is not surely a number of the plan is no number: a wrong one rings at a stranger's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

LONGEST: Final = 500  # characters; what is longer is a story
# Short numbers that the package does not know: 1810 and 1818 are dialled in Peru, says the source of their services
SHORT_TOO: Final = {"PE": r"18\d\d"}
# (country, digits) -> area code: only Lima and Callao have numbers of seven digits; six digits need their department
AREA: Final = {("PE", 7): "1"}
LOCAL: Final = {"PE": 6}  # digits of a fixed number without the code of its department, which is handed in
AREA_AND_LOCAL: Final = {"PE": 8}
DIALLED_AS_TYPED: Final = range(3, 16)  # digits of a number in a country whose plan nobody here knows
NOWHERE: Final = "ZZ"  # the package's name for no country
_EXTENSION: Final = re.compile(
    r"(?:\b(?:anexos?|anex|anx|extension|ext|interno|int)\b\.?\s*[:#]?|(?<=\d)\s*x)\s*(\d{1,6})"
)
# from here on a part of the text speaks of something else: radio, private networks, a choice in a menu, a facsimile
_NOT_DIALLED: Final = re.compile(
    r"#|\brp[mc]\b|\bradio|\bkhz\b|\bhf\b|\bfrecuencia|\bopcion|\bopc\b|\boption|\bopt\d*\b|xopt\d*|(?<!tel/)(?<!telf/)\bfax\b"
)
_NOT_PARTS: Final = re.compile(
    r"\S+@\S+|\b\d{1,2}\s*(?:horas|hrs?|h|dias)\b|\b\d{1,2}:\d\d(?::\d\d)?|\d[.,]\d+e\+\d+|\b\d{1,2}/\d{1,2}/\d{2,4}\b"
)
_MESSAGES_ONLY: Final = re.compile(
    r"\b(?:solo|solamente|unicamente)\b[^\d]{0,20}\b(?:whatsapp|wsp|wasap|mensaje|sms|chat)"
)
_PARTS: Final = re.compile(r"[;/|\n,]|\s(?:y|o|u|e|and|or)\s")
_DIGITS: Final = re.compile(r"[+(]{0,2}\d[\d\s().-]*")


@dataclass(frozen=True, slots=True)
class Phone:
    """One number. `e164` is blank for a short number, `tel` is a link or blank where nobody can be called there."""

    e164: str
    tel: str
    extension: str = ""


@lru_cache(maxsize=32_768)
def read(text: str, country: str, area: str = "") -> tuple[Phone, ...]:
    """The numbers in a text, in its order, each once; none where no number of a plan stands there. Never fails.

    `area`: the code of the department that the text is about, for numbers that are written without one.
    """
    numbers: dict[tuple[str, str], Phone] = {}
    for part in _parts(text[:LONGEST]):
        messages_only = _MESSAGES_ONLY.search(part) is not None
        extension = _EXTENSION.search(part)
        dialled = part[: extension.start()] if extension else part
        for number in _numbers(_DIGITS.findall(dialled), country, area):
            phone = Phone(*number, extension[1] if extension else "")
            phone = Phone(phone.e164, "", phone.extension) if messages_only else phone
            numbers.setdefault(number, phone)
    return tuple(numbers.values())


def dialable(text: str, country: str, area: str = "") -> str:
    """The link of the first number that can be called; blank where there is none."""
    return next((phone.tel for phone in read(text, country, area) if phone.tel), "")


def as_table(text: str, country: str, area: str = "") -> dict[str, Any]:
    """What was understood: the text, its numbers, and whether there is none."""
    phones = read(text, country, area)
    numbers = [{"e164": phone.e164, "tel": phone.tel, "extension": phone.extension} for phone in phones]
    return {"text": text, "numbers": numbers, "none": not numbers}


def _parts(text: str) -> Iterator[str]:
    """Pieces that hold at most one number and what belongs to it, in small letters without accents."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    plain = re.sub(r"[\u2010-\u2015]", "-", plain)
    plain = re.sub(r"\b(\d{3,})\.0(?!\d)", r"\1", plain)  # a spreadsheet took it for an amount
    plain = re.sub(r"\btele?f?(?:ono)?\.?\s*/\s*fax\b|\btelefax\b", "tel", plain)
    plain = re.sub(r"\(([^()]*[a-z][^()]*)\)", _of_a_note, plain)
    for part in _PARTS.split(_NOT_PARTS.sub(" - ", plain)):
        yield _NOT_DIALLED.split(part, maxsplit=1)[0]


def _of_a_note(note: re.Match[str]) -> str:
    """What of a note in brackets belongs to the number: its extension, or that it is for messages."""
    inside = note[1]
    return f" {inside} " if _EXTENSION.search(inside) or _MESSAGES_ONLY.search(inside) else " - "


def _numbers(candidates: list[str], country: str, area: str) -> Iterator[tuple[str, str]]:
    """(E.164, link) of every number in these rows of digits; a row that is none may be two."""
    for row in candidates:
        for separator in (None, r"\s+-+\s*|\s*-+\s+|\s{2,}", r"\s+"):
            pieces = re.split(separator, row.strip(" -.")) if separator else [row.strip(" -.")]
            numbers = [number for piece in pieces if (number := _number(piece, country, area))]
            if numbers:
                yield from numbers
                break


def _number(written: str, country: str, area: str) -> tuple[str, str] | None:
    digits = re.sub(r"\D", "", written)
    if not written.startswith(("+", "(+")) and not _has_a_plan(country):
        return ("", f"tel:{digits}") if len(digits) in DIALLED_AS_TYPED else None
    if len(digits) <= 5:  # noqa: PLR2004 -- below it lie the short numbers
        return ("", f"tel:{digits}") if written == digits and _is_short(digits, country) else None
    if written.startswith(("+", "(+")):
        return _of_the_plan(f"+{digits}", NOWHERE)
    if len(digits) == LOCAL.get(country) and len(area) + len(digits) == AREA_AND_LOCAL[country]:
        return _of_the_plan(area + digits, country)
    before = AREA.get((country, len(digits)), "")
    own = _of_the_plan(before + digits, country)
    without_zero = digits.lstrip("0")
    return own or (_of_the_plan(f"+{without_zero}", NOWHERE, only=country) if without_zero != digits else None)


@lru_cache(maxsize=256)
def _has_a_plan(country: str) -> bool:
    import phonenumbers  # noqa: PLC0415 -- 1 MB and 50 ms: only where a number is read

    return phonenumbers.PhoneMetadata.metadata_for_region(country or NOWHERE) is not None


def _is_short(digits: str, country: str) -> bool:
    import phonenumbers  # noqa: PLC0415 -- as above

    plan = phonenumbers.PhoneMetadata.short_metadata_for_region(country)
    patterns = [plan.general_desc.national_number_pattern] if plan and plan.general_desc else []
    patterns += [SHORT_TOO[country]] if country in SHORT_TOO else []
    return any(re.fullmatch(pattern, digits) for pattern in patterns if pattern)


def _of_the_plan(digits: str, country: str, *, only: str = "") -> tuple[str, str] | None:
    """(E.164, link) of a valid number, or nothing. What is free to call is dialled as inside the country."""
    import phonenumbers  # noqa: PLC0415 -- as above

    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number)
    if not phonenumbers.is_valid_number(number) or (only and region != only):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    kinds = phonenumbers.PhoneNumberType
    inland = {kinds.TOLL_FREE, kinds.SHARED_COST, kinds.PREMIUM_RATE, kinds.UAN}
    if phonenumbers.number_type(number) not in inland:
        return e164, f"tel:{e164}"
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return e164, "tel:" + re.sub(r"\D", "", national)
