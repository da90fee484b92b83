"""Words of opening hours: Peruvian Spanish and OpenStreetMap brought to one short vocabulary.

Pure. Decides nothing about a week. A word that stands in no table stays as it is, and whoever reads the words
takes it for what it is: not understood.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from reporting.errors import AmparoError

OFF, ALL_DAY_LONG, ALWAYS_OPEN, DAILY = "@off", "@allday", "@always", "@daily"
YEAR_ROUND, ALSO, EXCEPT, HOLIDAY = "@yearround", "@also", "@except", "ph"
HOLIDAY_NUMBER: Final = 7  # after the days of the week, 0 to 6
# words of a day, from Monday on: OpenStreetMap's, then as people write in Peru. "m" alone could be two days: not read
_DAYS: Final = (
    "mo mon monday l lu lun lunes",
    "tu tue tuesday ma mar martes",
    "we wed wednesday mi mie mier mierc miercoles x",
    "th thu thursday j ju jue jueves",
    "fr fri friday v vi vie vier viernes",
    "sa sat saturday s sab sabado sabados",
    "su sun sunday d do dom domingo domingos",
    HOLIDAY,
)
DAY_WORDS: Final[Mapping[str, int]] = {word: day for day, words in enumerate(_DAYS) for word in words.split()}
CODES: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su", "PH")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARCH: Final = "mar"  # a month to OpenStreetMap, Tuesday in Spanish
_TWO_LETTERS: Final = frozenset(code.lower() for code in CODES) | {_MARCH}
_ALSO: Final = r"\b(?:tambien|incluye(?:ndo)?|incluid[oa]s?|inclusive|incluso)\b"
_CLOSED: Final = (
    r"\b(?:off|closed|cerrad[oa]s?|descanso|sin atencion|no (?:hay|se presta) atencion|"
    r"no (?:se )?(?:atienden?|laboran?))\b"
)
# what is written -> one word for it. In this order; what is left over is not understood.
_PLAIN: Final = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"[\u2010-\u2015]", "-"),
        (r"[()]", " "),
        (r"(?<=\d)\s*:\s*(?=\d\d(?!\d))", ":"),
        (r"(?<=\d)\.(?=\d\d(?!\d))", ":"),
        (r"(?<![a-z])([ap])\.?\s?m\b\.?", r"\1m"),
        (r"(?<=\d)\s*(?:de|en|por) la manana\b", "am"),
        (r"(?<=\d)\s*(?:de|en|por) la tarde\b", "pm"),
        (r"\b([6-9]|1[01])((?::\d\d)?)\s*(?:de|en|por) la noche\b", r"\1\2pm"),
        (r"(?<=\d)\s*(am|pm)\b", r"\1"),
        (r"(\d)(am|pm)", r"\1\2 "),
        (r"\b24\s*/\s*7\b", f" {ALWAYS_OPEN} "),
        (r"^\s*24:00\s*(?:horas|hrs?)\b\.?", f" {ALL_DAY_LONG} "),
        (r"\b(?:las\s+)?24\s*(?:horas|hras?|hrs?|hs?)\b\.?(?: (?:del|al) dia\b)?", f" {ALL_DAY_LONG} "),
        (r"\b365 dias(?: (?:del|al) ano)?\b|\btodo el ano\b", f" {YEAR_ROUND} "),
        (r"\btodos los dias del ano\b", f" {DAILY} {YEAR_ROUND} "),
        (
            r"\b7 dias(?: (?:de|a) la semana)?\b|\btodos los dias\b|\bdiari(?:o|amente)s?\b|(?<!@)\bdaily\b",
            f" {DAILY} ",
        ),
        (r"\b(?:dias )?(?:feriados?|festivos?)\b", f" {HOLIDAY} "),
        (rf"\bno (?:incluye|incluid[oa]s?) (?=(?:los )? ?{HOLIDAY}\b)", f" {EXCEPT} "),
        (rf"{_ALSO}|\b[ye]\b(?= (?:los )? ?{HOLIDAY}\b)", f" {ALSO} "),
        (r"\b(?:excepto|exceptuando|salvo|menos)\b", f" {EXCEPT} "),
        (rf"\bno (?=(?:(?:los )?(?:{HOLIDAY}|sabados?|domingos?))\b)", f" {EXCEPT} "),
        (rf"\bno (?= {HOLIDAY}\b)", f" {EXCEPT} "),
        (_CLOSED, f" {OFF} "),
        (r"\bno\b(?=\s*(?:[,;.]|$))", f" {OFF} "),
        (r"\b(\d{4})-(\d\d)-(\d\d)\b", r" @\1\2\3 "),
        (r"\b(\d{4}) (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) (\d\d?)\b", r" @\1\2_\3 "),
        (r"(?:\b12(?::00)?\s*(?:del )?)?\bmedio\s?dia\b|\b12(?::00)?\s*m\b\.?|\b12(?::00)? del dia\b", " 12:00 "),
        (r"(?:\b12(?::00)?\s*(?:de la )?)?\bmedia\s?noche\b", " 24:00 "),
        (r"(?<=\d)\s*(?:horas|hras?|hrs?|hs?)\b\.?", " "),
        (r"\b(lun|mar|mie|jue|vie|sab|dom|[ljvsd])\.", r"\1 "),
        (r"(?<=[a-z0-9])\.(?=\s+[a-z@])", ";"),
        (r"\b(?:atencion al publico|horario (?:corrido|continuado|de atencion)|de corrido)\b:?", " "),
        (r"\b(?:a las|hasta las|hasta|al|a|to)\b", "-"),
        (r"\b(?:y|e|and)\b|[&/+]", ","),
        (
            r"\b(?:solo|solamente|unicamente|horarios?|atencion|atienden?|de|desde|del|los|las|el|la|en|horas?|dias?)\b:?",
            " ",
        ),
        (r"(?<=[a-z])\s*:(?=\s|\d)", " "),
    )
)
_TOKEN: Final = re.compile(r"\s*(@?[a-z][a-z_0-9]*|@\d{4}\w+|\d{1,2}(?!\d)(?::\d\d)?(?:am|pm)?|[-,])")


class NotUnderstoodError(AmparoError, ValueError):
    """Something in it is not understood."""


def plain(text: str) -> str:
    """A text in the short vocabulary, its parts with a semicolon or a new line between them."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    short = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    for pattern, word in _PLAIN:
        short = pattern.sub(word, short)
    return short


def words_of(part: str) -> list[str]:
    """The words and signs of one part, commas only where they separate. Raises NotUnderstoodError."""
    words: list[str] = []
    text, at = part.rstrip(" \t.,"), 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise NotUnderstoodError
        word = token.group(1)
        if word != "," or (words and words[-1] != ","):
            words.append(word)
        at = token.end()
    return words[:-1] if words[-1:] == [","] else words


def is_osm(text: str) -> bool:
    """Whether its days are OpenStreetMap's: there a later part takes the place of an earlier one, a comma adds."""
    words = re.findall(r"[A-Za-zÀ-ÿ]+", text.replace("todo el año", ""))
    return all(word in CODES or word in {"off", "closed", *MONTHS} for word in words)


def march_or_tuesday(words: Sequence[str], *, osm: bool) -> bool:
    """Whether "mar" stands there and nothing says that it is Tuesday."""
    if _MARCH not in words:
        return False
    days = {word for word in words if word in DAY_WORDS}
    if days - _TWO_LETTERS:
        return False
    after = {second for first, second in pairwise(words) if first == _MARCH}
    return osm or bool(after & DAY_WORDS.keys()) or bool(days - {_MARCH, "sa", HOLIDAY})
