"""Noise and files of a release, held against the tools of others. What is missing here skips and says how to get it.

DECISIONS.md says why none of these is installed with the rest.
"""

from __future__ import annotations

import csv
import importlib
import io
import math
import random
import subprocess
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from reporting.figures import bounds, files, noise
from reporting.figures.tables import count, design
from tests.needs_of_tests import requires
from tests.unit.test_disclosure import ONE, drawn_by, tallies

DRAWS = 100_000


def far_out(freedom: int) -> float:
    """What chi-squared exceeds once in a million (Wilson and Hilferty 1931)."""
    part = 2 / (9 * freedom)
    return freedom * float(1 - part + 4.753 * math.sqrt(part)) ** 3


@pytest.mark.parametrize("scale", [3, 5, 7])
def test_the_noise_cannot_be_told_from_that_of_opendp(scale: int) -> None:
    requires("opendp")
    dp = importlib.import_module("opendp.prelude")
    dp.enable_features("contrib")
    numbers = dp.vector_domain(dp.atom_domain(T="i64"))
    theirs = dp.m.make_laplace(numbers, dp.l1_distance(T="i64"), scale=float(scale))([0] * DRAWS)
    draw = noise.laplace(random.SystemRandom().randrange)
    ours = [draw(Fraction(scale)) for _ in range(DRAWS)]
    edge = 6 * scale
    seen, known = (Counter(max(-edge, min(edge, value)) for value in drawn) for drawn in (ours, theirs))
    cells = seen.keys() | known.keys()
    chi = sum((seen[value] - known[value]) ** 2 / (seen[value] + known[value]) for value in cells)
    assert chi < far_out(len(cells) - 1)
    spread = bounds.variance(Fraction(scale))
    for drawn in (ours, theirs):
        assert abs(sum(drawn) / DRAWS) < 5 * math.sqrt(spread / DRAWS)
        # the fourth moment of Laplace noise is six times the variance squared, a little more in whole numbers
        assert abs(sum(value**2 for value in drawn) / DRAWS / spread - 1) < 5 * math.sqrt(5.5 / DRAWS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a release as somebody saves them."""
    made = design(2, ("age",))
    noisy = noise.add_noise(made, count(made, tallies(2000)), ONE, drawn_by(8))
    for name, body in files.files(files.build("2026", made, ONE, noisy, fictional=False)).items():
        (tmp_path / name).write_bytes(body)
    return tmp_path


def test_a_validator_of_csv_on_the_web_takes_every_table(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    requires("csvw")
    csvw = importlib.import_module("csvw")
    read = csvw.CSVW(str(folder / "csv-metadata.json"), validate=True)
    assert read.is_valid, read.warnings
    assert not read.warnings
    assert not caplog.text, "some problems it tells in its log alone"
    tables = {str(table.url): list(table.iterdicts(strict=True)) for table in read.tables}
    assert tables.keys() == {path.name for path in folder.glob("*.csv")}
    for name, rows in tables.items():
        told = list(csv.DictReader(io.StringIO((folder / name).read_text("utf-8"))))
        assert [row["count"] for row in rows] == [int(row["count"]) if row["count"] else None for row in told]


def test_that_validator_finds_a_code_that_is_not_in_the_list(folder: Path) -> None:
    requires("csvw")
    csvw = importlib.import_module("csvw")
    table = folder / "perpetrator.csv"
    table.write_bytes(table.read_bytes().replace(b"POLICE", b"POLITE"))
    assert not csvw.CSVW(str(folder / "csv-metadata.json"), validate=True).is_valid


EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"


def test_libreoffice_reads_the_same_figures_from_the_spreadsheet(folder: Path) -> None:
    office, out = requires("soffice"), folder / "read"
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = [office, profile, "--headless", "--convert-to", EVERY_SHEET, "--outdir", out, folder / "figures.xlsx"]
    subprocess.run(command, check=True, capture_output=True, timeout=180)  # noqa: S603 -- the tool found above
    names = {path.stem for path in folder.glob("*.csv")}
    assert {path.stem for path in out.glob("*.csv")} == {f"figures-{name}" for name in (*names, "about")}
    for name in names:
        read, ours = (
            list(csv.reader(io.StringIO(path.read_text("utf-8"))))
            for path in (out / f"figures-{name}.csv", folder / f"{name}.csv")
        )
        assert read == ours
