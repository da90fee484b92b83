"""Telephones: which numbers stand in what people write, and which of them can be dialled."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.matching.phones import Phone, as_table, dialable, read
from tests.needs_of_tests import requires

TABLE = Path(__file__).parents[1] / "golden" / "phones.tsv"  # what stands in each text, written down from reading it
NONE = "-"


def table_of_texts() -> dict[str, str]:
    rows = (line.split("\t") for line in TABLE.read_text("utf-8").splitlines()[1:])
    return {text: numbers for numbers, text in rows}


def written(phone: Phone) -> str:
    """`+51961000000`, `=100` for what is dialled otherwise than its E.164 (nothing: not at all), `x12` an extension."""
    dialled = phone.tel.removeprefix("tel:")
    number = phone.e164 if dialled == phone.e164 else f"{phone.e164}={dialled}"
    return f"{number}x{phone.extension}" if phone.extension else number


def test_of_60_spellings_none_is_read_wrongly() -> None:
    readings = {text: " ".join(map(written, read(text, "PE"))) or NONE for text in table_of_texts()}
    assert len(readings) >= 60
    assert readings == table_of_texts()


@pytest.mark.parametrize("text", ["NO TIENE", "ACTUALIZAR", "", "RADIO: 6286 - NOVEMBER 2", "9329499263"])
def test_what_is_no_number_is_said_to_be_none(text: str) -> None:
    assert as_table(text, "PE") == {"text": text, "numbers": [], "none": True}


def test_the_first_number_that_can_be_called_is_the_link() -> None:
    assert dialable("solo WhatsApp 961000000 / (061) 575-555 anexo 12", "PE") == "tel:+5161575555"
    assert as_table("061-575555 anexo 12", "PE") == {
        "text": "061-575555 anexo 12",
        "numbers": [{"e164": "+5161575555", "tel": "tel:+5161575555", "extension": "12"}],
        "none": False,
    }


@pytest.mark.parametrize(
    ("country", "text", "tel"),
    [
        ("ES", "016", "tel:016"),
        ("ES", "91 123 45 67", "tel:+34911234567"),
        ("MX", "55 1234 5678", "tel:+525512345678"),
        ("US", "988", "tel:988"),
        ("PE", "988", ""),
        ("MX", "1818", ""),
        ("", "+51 961 000 000", "tel:+51961000000"),
        ("", "961 000 000", "tel:961000000"),  # no plan: as it was typed
        ("AQ", "NO TIENE", ""),
    ],
)
def test_a_number_is_read_by_the_plan_of_its_country(country: str, text: str, tel: str) -> None:
    assert dialable(text, country) == tel


@given(st.text(alphabet=st.sampled_from("0123456789 ()+-/.,;x#anexoE\n"), max_size=80))
def test_no_text_is_too_strange_and_no_digit_is_added(text: str) -> None:
    for phone in read(text, "PE"):
        typed = re.sub(r"\D", "", text)
        assert re.sub(r"\D", "", phone.e164 or phone.tel).removeprefix("51").removeprefix("1") in typed


def test_most_telephones_of_the_real_files_can_be_dialled() -> None:
    folder = Path(requires("directory files"))
    texts = {
        row["phone"]
        for file in folder.glob("pe*.csv")
        for row in csv.DictReader(file.read_text("utf-8-sig").splitlines())
        if row.get("phone")
    }
    without = {text for text in texts if not dialable(text, "PE")}
    assert len(without) <= 0.02 * len(texts)


def test_the_plans_are_not_loaded_until_a_number_is_read() -> None:
    code = "import sys, referrals.directory.snapshot; print('phonenumbers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 -- ours
    assert done.stdout.strip() == "False"
