"""Receipts: seven numbers that let her come back, shown as words or as digits, and read forgivingly.

A receipt is never stored, here or anywhere. Knows neither cases nor keys; what a receipt opens is a matter of
`sealing`. Word lists: BIP-39, from the PyPI package `mnemonic`.
"""

from __future__ import annotations

import difflib
import operator
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Final

LENGTH = 7  # numbers; 7 x 11 bits = 77 bits
SIZE = 2048  # words in a list
DIGITS = 4  # in a group
ENOUGH = 4  # letters of a word by which a list knows it
LONGEST_WORD = 10  # letters; no list has a longer one
LISTS = {"es": "spanish", "en": "english"}  # language -> file of the package
# A word on paper is read by whoever finds it: none may frighten her or tell what it is about.
UNKIND = {
    "es": frozenset(
        "policia victima matar carcel sexo sangre muerte morir miedo dolor golpe pegar ladron juez delito pena crimen "
        "preso rehen jaula veneno cadaver tumba fosa odio ira rabia guerra bomba droga aborto abuso acoso dueno amante "
        "novio desnudo pecado diablo peligro grito llanto llorar lagrima triste sufrir culpa vicio basura cama besar "
        "beso soldado testigo secreto atar mafia maldad ahogo asalto agonia luto fusil mortal vengar "
        "satan feo vil burla craneo hueso torso prision celda herir lesion letal punal ataque trauma temor terror "
        "rescate hurto huida huir fuga acusar juzgar celoso marido esposa gemir gozar orgia pasion lamer deuda "
        "rapto multa cuota cliente panico crisis ilegal asilo refugio abogado alarma guardia defensa pelea combate "
        "odiar ofensa furia infiel intimo enfermo ulcera fobia cripta adulto adicto ebrio amparo".split()
    ),
    "en": frozenset(
        "police prison blood gun weapon knife hurt punch kick assault abuse crime danger scare cry anger cruel army "
        "soldier bomb bullet shoot attack virus tragic trash trouble witness evil grief guilt adult arrest judge "
        "lawsuit angry afraid ugly suffer horror injury client pistol riot hunt".split()
    ),
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """Seven numbers, 0..2047."""

    numbers: tuple[int, ...]

    def words(self, language: str) -> tuple[str, ...]:
        """Seven words of her language, or of the first language that has a list."""
        return tuple(words_of(language)[number] for number in self.numbers)

    def digits(self) -> tuple[str, ...]:
        """Seven groups of four digits, for those who would rather write numbers."""
        return tuple(f"{number:0{DIGITS}d}" for number in self.numbers)

    def padding(self, language: str) -> str:
        """Spaces beside its words, so that a page is as long with this receipt as with any other."""
        longest = max(len(word.encode()) for word in words_of(language))
        return " " * (LENGTH * longest - sum(len(word.encode()) for word in self.words(language)))


def of_digits(digits: str) -> Receipt:
    """The receipt behind its 28 digits: all are equally long, as it travels."""
    return Receipt(tuple(int(digits[start : start + DIGITS]) for start in range(0, len(digits), DIGITS)))


WORDS, GROUPS, GROUP, RUN, MIXED = "words", "groups", "group", "run", "mixed"  # what is not as it should be


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What was typed is no receipt: a word that no list has, or another number of pieces than it takes.

    `wrong` is the piece not understood, `nearest` the closest known word; only of seven words is one ever named.
    `fault` says what is not as it should be and `count` how many there are: words, groups of digits, or digits that
    were typed without a break; for one group of the wrong length its place, from 1.
    """

    wrong: str = ""
    nearest: str = ""
    fault: str = ""
    count: int = 0


def draw(below: Callable[[int], int]) -> Receipt:
    """A new receipt, in which no word comes twice: whoever copies it would leave the second out.

    `below(n)` gives a random whole number under n (secrets.randbelow).
    """
    while True:
        receipt = Receipt(tuple(below(SIZE) for _ in range(LENGTH)))
        if len(set(receipt.numbers)) == LENGTH and all(_is_kind(receipt, language) for language in LISTS):
            return receipt


def _is_kind(receipt: Receipt, language: str) -> bool:
    return not any(plain(word) in UNKIND[language] for word in receipt.words(language))


def read(typed: str, language: str) -> tuple[Receipt, ...] | Unreadable:
    """Every receipt the typed text can mean: digits, or words all from one list, hers first; or what is wrong.

    Forgiven are numbers in front of the pieces, words written together, letters typed for digits, and zeros left out in
    front of a group (`filled_up` says in which).
    """
    pieces = _unnumbered(plain(typed).split())
    numbers = [piece for piece in pieces if any(sign.isdecimal() for sign in piece)]
    if not numbers:
        return _read_words(pieces, language)
    groups = [piece.translate(_LOOKS_LIKE) for piece in pieces]
    return _read_digits(groups) if "".join(groups).isdecimal() else Unreadable(fault=MIXED)


def begins_so(receipt: Receipt, typed: str, language: str) -> bool:
    """Whether what was typed begins as this receipt does: with its first two words, or its first two groups of digits.

    As forgiving as `read`; whatever comes after the first two is not looked at.
    """
    pieces = _unnumbered(plain(typed).split())
    together = "".join(pieces)
    if any(sign.isdecimal() for sign in together):
        groups = [piece.translate(_LOOKS_LIKE) for piece in pieces]
        first = receipt.digits()[:2]
        return tuple(group.zfill(DIGITS) for group in groups[:2]) == first or "".join(groups).startswith("".join(first))
    return any(
        tuple(_number_of(piece, known) for piece in pieces[:2]) == receipt.numbers[:2]
        or together.startswith("".join(plain(word) for word in receipt.words(known)[:2]))
        for known in _hers_first(language)
    )


_LOOKS_LIKE: Final = str.maketrans("oil", "011")  # letters that are typed or read for digits
_NUMBERED: Final = re.compile(r"\b([1-7])([a-z]+)\b")  # "1casa"


def _unnumbered(pieces: list[str]) -> list[str]:
    """The pieces without the numbers of a list: "1. casa 2. perro". Whatever is not numbered from 1 on stays."""
    parts = _NUMBERED.sub(r"\1 \2", " ".join(pieces)).split()
    count = len(parts) // 2
    counted = [str(number) for number in range(1, count + 1)]
    is_list = len(parts) == 2 * count and 1 < count <= LENGTH and parts[::2] == counted
    return parts[1::2] if is_list else pieces


def _read_digits(groups: list[str]) -> tuple[Receipt, ...] | Unreadable:
    """Wherever the breaks are: what counts is that there are seven times four digits, left-out zeros aside."""
    if len(groups) == LENGTH and max(map(len, groups)) <= DIGITS:
        groups = [group.zfill(DIGITS) for group in groups]
    digits = "".join(groups)
    if len(digits) != DIGITS * LENGTH:
        return _wrong_digits(groups)
    receipt = of_digits(digits)
    return (receipt,) if max(receipt.numbers) < SIZE else Unreadable()


def filled_up(typed: str) -> int:
    """The place, from 1, of the first of seven groups that is read with a zero in front; 0 where there is none.

    When nothing opens, that is where to look first: a digit may be missing there.
    """
    groups = _unnumbered(plain(typed).split())
    if len(groups) != LENGTH or not "".join(groups).translate(_LOOKS_LIKE).isdecimal():
        return 0
    return next((at for at, group in enumerate(groups, 1) if len(group) < DIGITS), 0)


def _wrong_digits(groups: list[str]) -> Unreadable:
    if len(groups) == 1:
        return Unreadable(fault=RUN, count=len(groups[0]))
    if len(groups) != LENGTH:
        return Unreadable(fault=GROUPS, count=len(groups))
    return Unreadable(fault=GROUP, count=next(at for at, group in enumerate(groups, 1) if len(group) > DIGITS))


def _read_words(pieces: list[str], hers: str) -> tuple[Receipt, ...] | Unreadable:
    """Seven words of one list. Where one is not known, what was meant is judged by the list that has most of them."""
    if len(pieces) < LENGTH:
        together = (Receipt(numbers) for language in _hers_first(hers) for numbers in _taken_apart(pieces, language))
        meanings = tuple(dict.fromkeys(islice(together, MEANINGS)))
        return meanings or Unreadable(fault=WORDS, count=len(pieces))
    if len(pieces) > LENGTH:
        return Unreadable(fault=WORDS, count=len(pieces))
    readings = {language: [_number_of(piece, language) for piece in pieces] for language in _hers_first(hers)}
    full = (tuple(number for number in numbers if number is not None) for numbers in readings.values())
    meanings = tuple(dict.fromkeys(Receipt(numbers) for numbers in full if len(numbers) == LENGTH))
    return meanings or _unknown_word(pieces, min(readings.items(), key=lambda reading: reading[1].count(None)))


MEANINGS: Final = 4  # ways of taking words apart that are looked up; each costs as much as a code


def _taken_apart(pieces: list[str], language: str, room: int = LENGTH) -> Iterator[tuple[int, ...]]:
    """The numbers of seven words of this list, some of them written together; every way in which they can be.

    A piece that is a word is that word: who writes "address" means neither "add" nor "dress".
    """
    if not pieces:
        if room == 0:
            yield ()
        return
    first, rest = pieces[0], pieces[1:]
    known = _whole_words(language)
    runs = [(known[first],)] if first in known else _runs(first, language, room - len(rest))
    for run in runs:
        for following in _taken_apart(rest, language, room - len(run)):
            yield (*run, *following)


def _runs(letters: str, language: str, room: int) -> Iterator[tuple[int, ...]]:
    """Every way in which these letters are at most `room` whole words of this list."""
    if not letters:
        yield ()
        return
    known = _whole_words(language)
    for end in range(1, min(len(letters), LONGEST_WORD) + 1) if room > 0 else ():
        if letters[:end] in known:
            for following in _runs(letters[end:], language, room - 1):
                yield (known[letters[:end]], *following)


def _hers_first(language: str) -> tuple[str, ...]:
    return tuple(sorted(LISTS, key=lambda known: known != language))


def _unknown_word(pieces: list[str], best: tuple[str, list[int | None]]) -> Unreadable:
    """The first word that a list does not have, and its nearest; nothing where it does not have most of them."""
    language, numbers = best
    if numbers.count(None) > LENGTH // 2:
        return Unreadable()
    wrong = pieces[numbers.index(None)]
    return Unreadable(wrong, _nearest(wrong, language))


def _number_of(piece: str, language: str) -> int | None:
    """Every word is told apart by its first four letters; what comes after them may be missing or wrong."""
    beginnings = _beginnings(language)
    return beginnings.get(piece[:ENOUGH])


def _nearest(piece: str, language: str) -> str:
    """The word in which one letter was mistaken, else the one that looks most alike; empty where none does."""
    close = difflib.get_close_matches(piece[:30], _plain_words(language), n=6, cutoff=0.7)
    mistaken = (word for word in close if len(word) == len(piece) and sum(map(operator.ne, word, piece)) == 1)
    nearest = next(mistaken, close[0] if close else "")
    return words_of(language)[_plain_words(language).index(nearest)] if nearest else ""


@cache
def words_of(language: str) -> tuple[str, ...]:
    """The list of a language, or of the first one when it has none."""
    name = LISTS.get(language, next(iter(LISTS.values())))
    text = (files("mnemonic") / "wordlist" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(unicodedata.normalize("NFC", word) for word in text.split())


@cache
def _plain_words(language: str) -> tuple[str, ...]:
    return tuple(plain(word) for word in words_of(language))


@cache
def _whole_words(language: str) -> dict[str, int]:
    return {word: number for number, word in enumerate(_plain_words(language))}


@cache
def _beginnings(language: str) -> dict[str, int]:
    return {word[:ENOUGH]: number for number, word in enumerate(_plain_words(language))}


def plain(text: str) -> str:
    """Small letters without accents; everything that is neither letter nor digit becomes a space."""
    apart = unicodedata.normalize("NFKD", text.lower())
    kept = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return re.sub(r"[\W_]+", " ", kept)


def draw_words(count: int, below: Callable[[int], int], language: str) -> tuple[str, ...]:
    """Random words of a language, for passwords (six: 66 bits) and recovery sheets (twelve: 132 bits)."""
    kind = [word for word in words_of(language) if plain(word) not in UNKIND.get(language, frozenset())]
    return tuple(kind[below(len(kind))] for _ in range(count))


def read_words(typed: str, count: int) -> tuple[tuple[str, ...], ...]:
    """Every full reading of typed words as words of one list (a sheet, a spoken fingerprint); else empty."""
    return tuple(
        tuple(words_of(language)[number] for number in numbers) for language, numbers in _readings(typed, count)
    )


def read_numbers(typed: str, count: int) -> tuple[tuple[int, ...], ...]:
    """Every full reading of typed words as numbers of the words, 0 to 2047 each; else empty."""
    return tuple(numbers for _, numbers in _readings(typed, count))


def _readings(typed: str, count: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    pieces = plain(typed).split()
    for language in LISTS if len(pieces) == count else ():
        numbers = [_number_of(piece, language) for piece in pieces]
        if None not in numbers:
            yield language, tuple(number for number in numbers if number is not None)
