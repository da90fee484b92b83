"""What she reads is easy to read in Spanish: a scale for each page, and no long sentence."""

from __future__ import annotations

import pytest

from tests.house import readability

EASY = 72  # of INFLESZ, where quite easy begins with 65; the hardest page of hers measures 72.2
ENOUGH = 20  # words, below which the scale says little
LONGEST = 25  # words of a sentence
MEASURED = readability.measured()


@pytest.mark.parametrize("page", [page for page, how in MEASURED.items() if how.words >= ENOUGH])
def test_a_page_of_hers_is_quite_easy_to_read(page: str) -> None:
    assert MEASURED[page].scale >= EASY, MEASURED[page]


@pytest.mark.parametrize("page", MEASURED)
def test_no_sentence_of_hers_is_long(page: str) -> None:
    assert MEASURED[page].longest <= LONGEST


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("aquí", 2),
        ("guerra", 2),
        ("agua", 2),
        ("policía", 4),
        ("leer", 2),
        ("ciudad", 2),
        ("muy", 1),
        ("y", 1),
        ("VIH", 1),
    ],
)
def test_syllables_are_counted_as_they_are_spoken(word: str, count: int) -> None:
    assert readability.syllables(word) == count


def test_a_text_of_an_office_is_not_called_easy() -> None:
    office = (
        "La presente comunicación administrativa constituye una notificación de carácter obligatorio e irrevocable."
    )
    assert readability.ease(office).scale < 20 < EASY < readability.ease("Tú decides. Aquí nadie te juzga.").scale
