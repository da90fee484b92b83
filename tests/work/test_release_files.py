"""What a release writes, and a rehearsal of it: the same names, keys and times whoever reported or did not."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.cli.base import main
from reporting.figures import files as figures_files
from reporting.figures.noise import add_noise
from reporting.figures.tables import FURTHER, TIERS, Design, Noise, count, design
from reporting.vocabulary.places import HOME
from tests.unit.test_disclosure import BLOCKS, DESIGNS, ONE, drawn_by, tallies


def released(made: Design, blocks: list[bytes], noise: Noise) -> dict[str, bytes]:
    noisy = add_noise(made, count(made, blocks), ONE, noise)
    return figures_files.files(figures_files.build("2026", made, ONE, noisy, fictional=True))


def keys_of(body: bytes) -> list[list[str]]:
    return [row[:-5] for row in csv.reader(io.StringIO(body.decode()))]


@settings(max_examples=25)
@given(DESIGNS, st.lists(BLOCKS, max_size=8), BLOCKS, st.integers(0, 2**32))
def test_two_neighbours_differ_in_figures_and_nowhere_else(
    made: Design, blocks: list[bytes], one: bytes, seed: int
) -> None:
    without, with_it = (released(made, told, drawn_by(seed)) for told in (blocks, [*blocks, one]))
    assert list(without) == list(with_it)
    for name, body in without.items():
        if name.endswith(".csv"):
            assert keys_of(body) == keys_of(with_it[name])
    for name in ("release.json", "csv-metadata.json"):
        assert without[name] == with_it[name]
    figures, others = (json.loads(files["figures.json"]) for files in (without, with_it))
    assert shape(figures) == shape(others)
    archives = [figures_files.archive(files) for files in (without, with_it)]
    first, second = ([(e.filename, e.date_time) for e in zipfile.ZipFile(io.BytesIO(a)).infolist()] for a in archives)
    assert first == second


def shape(told: object) -> object:
    if isinstance(told, dict):
        return {key: shape(value) for key, value in told.items()}
    return [shape(value) for value in told] if isinstance(told, list) else None


def test_every_file_is_named_with_its_hash_and_says_that_it_is_fictional() -> None:
    files = released(design(2), tallies(300), drawn_by(3))
    told = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert told == {name: hashlib.sha256(body).hexdigest() for name, body in files.items() if name != "SHA256SUMS"}
    for name, body in files.items():
        if name != "SHA256SUMS":
            assert b"FICTIONAL" in body, name


def test_the_metadata_describe_the_csv_exactly() -> None:
    files = released(design(2, ("age",)), tallies(2000), drawn_by(4))
    tables = json.loads(files["csv-metadata.json"])["tables"]
    assert {table["url"] for table in tables} == {name for name in files if name.endswith(".csv")}
    for table in tables:
        header, *rows = csv.reader(io.StringIO(files[table["url"]].decode()))
        columns = table["tableSchema"]["columns"]
        assert header == [column["titles"] for column in columns]
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            kind = column["datatype"]
            base = kind if isinstance(kind, str) else kind["base"]
            pattern = r"\d*" if base == "integer" else kind["format"] if isinstance(kind, dict) else ".*"
            assert all(re.fullmatch(pattern, value) for value in values), column["name"]


def test_the_spreadsheet_holds_the_same_figures_and_no_formula_author_or_time() -> None:
    files = released(design(1), tallies(300), drawn_by(5))
    with zipfile.ZipFile(io.BytesIO(files["figures.xlsx"])) as book:
        assert not [name for name in book.namelist() if name.startswith("docProps")]
        space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
        listed = ET.fromstring(book.read("xl/workbook.xml"))  # noqa: S314 -- our own bytes
        names = [sheet.get("name") for sheet in listed.iterfind(".//s:sheet", space)]
        for place, name in enumerate(names[1:], 2):
            sheet = ET.fromstring(book.read(f"xl/worksheets/sheet{place}.xml"))  # noqa: S314 -- our own bytes
            assert not sheet.findall(".//s:f", space)
            rows = [["".join(cell.itertext()) for cell in row] for row in sheet.iterfind(".//s:row", space)]
            kept = [row[:-1] for row in csv.reader(io.StringIO(files[f"{name}.csv"].decode()))]
            assert [row[: len(kept[0])] for row in rows[2:]] == kept[1:]


# ── rehearsals ──────────────────────────────────────────────────────────────────────────────────────────────

HEADER = "month,department,perpetrator,violence,identity,outcome\n"
LINE = "3,PE25,POLICE,EXTORTION,TRANS,OPEN\n"


def rehearses(folder: Path, text: str, *more: str) -> Result:
    (folder / "m.csv").write_text(text, "utf-8")
    command = ["release", "rehearse", str(folder / "m.csv"), "--out", str(folder / "out"), *more]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def test_a_rehearsal_writes_tables_and_metadata(tmp_path: Path) -> None:
    told = rehearses(tmp_path, HEADER + LINE * 30, "--json")
    assert json.loads(told.stdout)["sensitivity"] == 5
    about = json.loads((tmp_path / "out" / "release.json").read_text("utf-8"))
    assert (about["sensitivity"], about["scale"], about["epsilon"]) == (5, "5", "1")
    assert {f"{table['name']}.csv" for table in about["tables"]} == {p.name for p in (tmp_path / "out").glob("*.csv")}


def test_every_repeat_draws_new_noise(tmp_path: Path) -> None:
    assert rehearses(tmp_path, HEADER + LINE, "--repeat", "3", "--raw").exit_code == 0
    folders = sorted((tmp_path / "out").iterdir())
    assert [folder.name for folder in folders] == ["000000", "000001", "000002"]
    assert len({(folder / "perpetrator-type.csv").read_bytes() for folder in folders}) == 3


def test_raw_counts_are_the_tables_of_the_noise_and_no_other(tmp_path: Path) -> None:
    assert rehearses(tmp_path, HEADER + LINE, "--raw").exit_code == 0
    names = {path.stem for path in (tmp_path / "out").glob("*.csv")}
    assert names == {table.name for table in design(2).leaves}


def test_one_line_less_gives_files_of_the_same_names(tmp_path: Path) -> None:
    names = []
    for lines in (1, 0):
        folder = tmp_path / str(lines)
        folder.mkdir()
        assert rehearses(folder, HEADER + LINE * lines, "--repeat", "2").exit_code == 0
        names.append(sorted(str(path.relative_to(folder)) for path in (folder / "out").rglob("*")))
    assert names[0] == names[1]
    assert len(names[0]) > 20


def test_the_help_of_a_rehearsal_teaches_with_a_file_that_works(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["release", "rehearse", "--help"]).stdout
    header, line = (part.strip() for part in told.split("A file with one report:")[1].split("\n")[1:3])
    assert rehearses(tmp_path, f"{header}\n{line}\n").exit_code == 0
    for tier in TIERS:
        assert re.search(rf"\n +{tier}  >= +[\d,]+  ", told)
    for name in FURTHER:
        assert f"{name}," in told or f"{name}." in told, "what --also adds"
    assert "WITHIN_24" in told


TREE = "code,parent,level,name\nKE,,country,Kenya\nKE47,KE,department,Nairobi\nKE4701,KE47,province,Westlands\n"


def rehearses_in_kenya(folder: Path, text: str, tree: str = TREE, *more: str) -> Result:
    (folder / "places.csv").write_text(tree, "utf-8")
    return rehearses(folder, text, "--places", str(folder / "places.csv"), *more)


def test_a_rehearsal_takes_the_departments_of_another_country_and_their_list_stands_in_it(tmp_path: Path) -> None:
    told = rehearses_in_kenya(tmp_path, HEADER + LINE.replace("PE25", "KE47") * 30, TREE, "--json")
    assert json.loads(told.stdout)["sensitivity"] == 5
    about = json.loads((tmp_path / "out" / "release.json").read_text("utf-8"))
    assert (about["country"], about["departments"]) == ("KE", {"KE47": "Nairobi"})
    assert about["codes"]["department"]["KE47"] == {"label": "Nairobi", "codes": ["47"]}
    rows = csv.DictReader(io.StringIO((tmp_path / "out" / "department.csv").read_text("utf-8")))
    assert [row["department"] for row in rows] == ["KE47", "OTHER", "NOT_SAID"]
    assert not (tmp_path / "out" / "region.csv").exists()


def test_the_list_of_departments_of_the_first_home_stands_in_a_release_by_region_too(tmp_path: Path) -> None:
    assert rehearses(tmp_path, HEADER + LINE).exit_code == 0
    about = json.loads((tmp_path / "out" / "release.json").read_text("utf-8"))
    assert (about["format"], about["country"], about["departments"]) == (2, "PE", dict(HOME.departments))


@pytest.mark.parametrize(
    ("text", "tree", "sentence"),
    [
        (HEADER + LINE, TREE, "line 2: department must be one of its codes"),
        (HEADER + LINE, "code,name\nKE47,Nairobi\n", "The tree of places has no department"),
        (HEADER + LINE, "", "The tree of places has no department"),
    ],
)
def test_a_department_or_a_tree_of_places_that_is_none_is_refused(
    text: str, tree: str, sentence: str, tmp_path: Path
) -> None:
    told = rehearses_in_kenya(tmp_path, text, tree)
    assert told.exit_code == 1
    assert sentence in told.output
    assert not (tmp_path / "out").exists()


BAD = [
    ("", "line 1: the column month is missing"),
    (HEADER.replace("outcome", "result") + LINE, "line 1: the column outcome is missing"),
    (HEADER.strip() + ",name\n" + LINE, "line 1: there is a column that nobody knows"),
    (HEADER + LINE + "13,PE25,POLICE,RAPE,TRANS,OPEN\n", "line 3: month must be a number from 1 to 12"),
    (HEADER + "²,PE25,POLICE,RAPE,TRANS,OPEN\n", "line 2: month must be a number from 1 to 12"),
    (HEADER + "3,PE99,POLICE,RAPE,TRANS,OPEN\n", "line 2: department must be one of its codes"),
    (HEADER + "3,PE25,POLICE\n", "line 2: violence must be one of its codes"),
    (HEADER + LINE.strip() + ",more\n", "line 2: there are more values than columns"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD)
def test_a_bad_file_is_refused_in_words_by_line(text: str, sentence: str, tmp_path: Path) -> None:
    told = rehearses(tmp_path, text)
    assert told.exit_code == 1
    assert sentence in told.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("epsilon", ["0", "-1", "3", "one", "1/0", "0.00001", "nan"])
def test_a_budget_that_protects_nobody_or_means_nothing_is_refused(epsilon: str, tmp_path: Path) -> None:
    assert rehearses(tmp_path, HEADER + LINE, "--epsilon", epsilon).exit_code == 2
