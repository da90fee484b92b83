"""Names, addresses and telephones of registers, which print them in capitals and twice, as a page can show them.

Pure. Adds no fact: letters change their case, what is printed twice stands once, a number gets the code of its region
that other rows of the same register print. What is no number is handed back as it was printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from referrals.directory.reviewed_data import area_codes
from referrals.directory.rows import header

SMALL: Final = frozenset("de del y e en al a con por para".split())
ARTICLES: Final = frozenset("la las los el".split())  # small behind a small word alone: "Parque de las", "Jr. La"
LETTERED: Final = frozenset("mz manzana lt lte lote sublote block bloque zona sector grupo letra comite".split())
KEPT: Final = {  # words that ordinary case would spoil -> how they are written
    word.casefold(): word
    for word in "CEM SAR SAU UPE CSMC HRT ALEGRA MINSA EsSalud PNP PIAS VRAEM UNI UNMSM CEDIF INABIF UGEL ITS VIH SJL "
    "I II III IV V VI VII VIII IX X II-1 II-2 III-1 S/N N° Nº km AA.HH. A.H. C.P. PP.JJ. SIDA".split()
}
# what a register prints before a street that prints its kind again -> the kind, once
STREETS: Final = (
    (r"avenida (?:av\.?|avenida)\s", "Av. "),
    (r"jir[oó]n (?:jr[.:]?|jir[oó]n)\s*(?:\.\s*)?", "Jr. "),
    (r"calle calle\s", "Calle "),
    (r"carretera carretera\s", "Carretera "),
    (r"prolongaci[oó]n prolong\.\s", "Prolongación "),
    (r"(?:otros|avenida avenida)\s", ""),
)
# department -> the code of its numbers, with the zero that the register prints before it
AREA_CODES: Final = {place.removeprefix("PE"): f"0{code}" for place, code in area_codes().items()}
LIMA: Final = "01"
MOBILE, LOCAL, LOCAL_IN_LIMA = 9, 6, 7  # digits of a number
NO_TELEPHONE: Final = re.compile(r"radio|khz|rpm|rpc|actualizar|oack", re.IGNORECASE)


def ordinary_case(text: str, spelled: Mapping[str, str] | None = None) -> str:
    """A text of capitals in ordinary case. `spelled`: a word without accents -> how it is written, for places."""
    if re.search(r"(?<![^\W_])[^\W\d_A-ZÁÉÍÓÚÑ][^\W\d_]{3,}", re.sub(r"[A-ZÁÉÍÓÚÑ][^\W\d_]*", "", text)):
        return re.sub(r"\s+", " ", text).strip(" -,.")  # somebody wrote it with small letters already
    words = re.split(r"(\s+|[-/(),\"“”])", text.strip())
    done: list[str] = []
    before = ""
    for word in words:
        done.append(_word(word, before, spelled or {}) if word.strip() else word)
        before = word.casefold() if word.strip() else before
    return re.sub(r"\s+", " ", "".join(done)).strip(" -,.")


def _word(word: str, before: str, spelled: Mapping[str, str]) -> str:
    """One word. `before`: the word or sign in front of it, in small letters; blank at the start."""
    plain = word.casefold()
    inside = before not in {"", "(", '"', "“"}
    if (len(plain) == 1 and before.strip(".") in LETTERED) or re.fullmatch(r"\d+[^\W\d_]", word):
        return word.upper()  # Mz E, 61A
    if plain in KEPT:
        return KEPT[plain]
    if inside and (plain in SMALL or (plain in ARTICLES and before in SMALL)):
        return plain
    if header(word) in spelled and word[:1].isupper():
        return spelled[header(word)]
    if not word.isupper() and plain not in ARTICLES and not re.search(r"\d(?:er|do|da|ra|ro|to|ta|mo|vo)\b", plain):
        return word
    return re.sub(r"(?<![^\W_])[^\W\d_]", lambda letter: letter.group().upper(), plain)


def address_in_words(text: str, places: Iterable[str]) -> str:
    """An address once, without the district, province and department that a register repeats behind it.

    `places`: their names. What is left may be blank.
    """
    names = [name for name in places if name]
    text = re.sub(r"\bDISTRITO\b.*\bDEPARTAMENTO\b.*$", "", text.strip(), flags=re.IGNORECASE)
    text = re.sub(r"\s*/\s[^/]*/\s.*$", "", text) if text.count(" / ") > 1 else text
    text = re.sub(r"\([^)]*$", "", text)  # a bracket that the register cut off
    text = re.sub(r"\s+N[ÚU]MERO\s+(?:S/N|000)\b", "", text, flags=re.IGNORECASE)
    tail = r"\s+".join(rf"{_loosely(name)}" for name in names)
    text = re.sub(rf"[\s,./-]*{tail}\s*$", "", text, flags=re.IGNORECASE) if names else text
    for pattern, kind in STREETS:
        text = re.sub(rf"^{pattern}", kind, text, flags=re.IGNORECASE)
    text = re.sub(r"^(?:S/N[°º]?\s+)+", "", _once(text))
    return ordinary_case(re.sub(r"\s+", " ", text)).strip(" .,-")


def _loosely(name: str) -> str:
    """A name with or without its accents, as a pattern."""
    letters = {"a": "[aá]", "e": "[eé]", "i": "[ií]", "o": "[oó]", "u": "[uúü]", "n": "[nñ]", "_": r"[\s-]+"}
    return "".join(letters.get(sign, sign) for sign in header(name))


def _once(text: str) -> str:
    """A text that is printed twice, one behind the other, once; the longer half stays."""
    words = text.split()
    for start in range(1, len(words)):
        head, tail = words[:start], words[start:]
        if len(head) > 1 and _same(head, tail):
            return " ".join(head if len(head) >= len(tail) else tail)
    return text


def _same(head: list[str], tail: list[str]) -> bool:
    plain = [[header(word) for word in half if header(word) not in KINDS] for half in (head, tail)]
    return len(plain[0]) > 0 and plain[0] == plain[1]


KINDS: Final = frozenset({"", "s_n", "av", "avenida", "jr", "jiron", "calle", "urb", "otros", "carretera"})


def telephones(text: str, department: str) -> tuple[list[str], list[str]]:
    """(numbers that can be dialled from anywhere in Peru, what is printed there and is none).

    An extension stays behind its number in brackets.
    """
    numbers: list[str] = []
    bad: list[str] = []
    code = AREA_CODES.get(department, "")
    for part in (piece for several in re.split(r"\s*(?:/+|;|,)\s*", text.strip()) for piece in _apart(several, code)):
        behind = re.match(r"(?:tel[ef]*[.:]*\s*)?([\d-]{9,})\s", part, re.IGNORECASE)
        number = "" if NO_TELEPHONE.search(part) else _number(part, code)
        number = number or (_number(behind.group(1), code) if behind else "")
        if number and number not in numbers:
            numbers.append(number)
        elif re.search(r"\d", part) and not number:
            bad.append(part)
    return numbers, bad


def _apart(part: str, code: str) -> list[str]:
    """Two numbers with a line between them; one number may be printed with a line in it as well."""
    return [part] if _number(part, code) else re.split(r"\s-\s", part)


def _number(part: str, code: str) -> str:
    extension = re.search(r"\s*(?:anexo|anx\.?|ext\.?)\s*(\d+)$", part, re.IGNORECASE)
    digits = re.sub(r"\D", "", part[: extension.start()] if extension else part)
    behind = f" (anexo {extension.group(1)})" if extension else ""
    if digits.startswith("51") and len(digits) in {len("51") + MOBILE, len("5117777777")}:
        digits = digits[2:] if digits[2] in "90" else "0" + digits[2:]
    if digits.startswith("0800"):
        return f"0800-{digits[4:]}{behind}" if len(digits) == len("080015170") else ""
    with_code = re.fullmatch(rf"0?{code.lstrip('0')}(9\d{{8}})", digits)
    if with_code and len(digits) > MOBILE:
        digits = with_code.group(1)  # a mobile number behind the code of a region
    if len(digits) == MOBILE and digits.startswith("9"):
        return digits + behind
    local = LOCAL_IN_LIMA if code == LIMA else LOCAL
    own = re.fullmatch(rf"(?:0?{code.lstrip('0')})?(\d{{{local}}})", digits) if code else None
    if own:
        return f"{code}-{own.group(1)}{behind}"
    return f"{digits[:3]}-{digits[3:]}{behind}" if len(digits) == MOBILE and digits[:3] in AREA_CODES.values() else ""
