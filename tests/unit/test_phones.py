"""Telephones: which numbers stand in what people write, and which of them can be dialled."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import geocoder

from referrals.directory.reviewed_data import area_codes, area_of, table
from referrals.directory.rows import header
from referrals.matching.phones import Phone, as_table, dialable, read
from tests.needs_of_tests import requires

TABLE = Path(__file__).parents[1] / "golden" / "phones.tsv"  # what stands in each text, written down from reading it
NONE = "-"
NAMES = {row["code"]: row["name"] for row in table("places-pe.csv")}


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


def test_six_digits_are_a_number_where_the_department_is_known_and_no_number_elsewhere() -> None:
    assert len(area_codes()) == 25
    for place, code in area_codes().items():
        known = number_of_region("PE", code)  # the plan as another project has written it down
        assert header(known) in {header(NAMES[place]), "lima_callao"}
        six = dialable("37-5555", "PE", area_of(place[2:], "PE"))
        assert six == ("" if code == "1" else f"tel:+51{code}375555")
    assert dialable("375555 anexo 12 / 961000000", "PE", "61") == "tel:+5161375555"
    assert area_of("20;25", "PE") == area_of("", "PE") == area_of("25", "MX") == dialable("375555", "PE") == ""
    others = {"#375555": "", "1810": "tel:1810", "100": "tel:100", "6375555": "tel:+5116375555"}
    assert {text: dialable(text, "PE", "61") for text in others} == others


def number_of_region(country: str, code: str) -> str:
    digits = phonenumbers.parse(code + ("375555" if len(code) > 1 else "4375555"), country)
    return geocoder.description_for_number(digits, "es")


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
