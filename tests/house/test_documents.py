"""What is printed from the code is what the code does, and nothing that must be told is left out."""

from __future__ import annotations

import re

import pytest

from reporting.storage.kept import HASHED, READABLE, SEALED
from tests.house import documents, kept, keys, plan
from tests.house.documents import COMMAND, PARTS

TABLES = list(kept.tables())


def test_printed_parts_are_as_the_code_prints_them_now() -> None:
    assert not documents.differing(), f"run: {COMMAND}"


@pytest.mark.parametrize(("file", "name"), PARTS)
def test_a_part_stands_once_in_its_file(file: str, name: str) -> None:
    text = (documents.ROOT / file).read_text("utf-8")
    assert documents.with_part(text, name, "x") != text
    with pytest.raises(ValueError, match=name):
        documents.with_part(text.replace("<!-- printed", "<!--"), name, "x")


# ── README ───────────────────────────────────────────────────────────────────────────────────────────────────


def named_in(file: str) -> set[str]:
    """Commands, settings and files that a README names."""
    text = (documents.ROOT / file).read_text("utf-8").replace("README.es.md", "README.md")
    blocks = [line.partition("#")[0].strip() for line in text.splitlines() if line.startswith("    ")]
    return {*blocks, *(" ".join(name.split()) for name in re.findall(r"`([^`]+)`", text))}


def test_the_readme_in_spanish_names_the_same_commands_settings_and_files() -> None:
    assert named_in("README.es.md") == named_in("README.md")


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_seal_of_the_code_is_in_the_drawing_of_keys_and_no_other() -> None:
    assert {step.bound for _, step in keys.steps() if step.bound} == keys.bound_in_code(), (
        f"edit {keys.TABLE.name}, {COMMAND}"
    )


def test_every_key_that_the_code_derives_is_in_the_drawing_and_no_other() -> None:
    told = {step.purpose for _, step in keys.steps() if step.purpose}
    assert told == keys.purposes_in_code(), f"edit {keys.TABLE.name}, then run: {COMMAND}"


def test_every_key_in_the_drawing_comes_from_what_somebody_holds() -> None:
    given = {step.to for _, step in keys.steps()}
    assert {source for source, _ in keys.steps()} <= given | keys.held().keys()
    drawn = keys.drawing()
    assert not [step.to for _, step in keys.steps() if step.to not in drawn]


def test_every_sealed_column_stands_where_a_key_opens_it() -> None:
    opened = {step.where for _, step in keys.steps() if step.bound}
    sealed = {
        f"{table.name}.{column}" for table in TABLES for column, (how, _) in table.columns.items() if how == SEALED
    }
    assert sealed == {where for where in opened if "." in where}


# ── what is kept ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_says_how_it_lies_and_what_it_is(table: kept.Kept) -> None:
    assert not [
        name for name, (how, what) in table.columns.items() if how not in {SEALED, HASHED, READABLE} or not what
    ]
    assert table.long


@pytest.mark.parametrize("model", kept.MODELS, ids=lambda model: model.__name__)
def test_what_is_sealed_is_bytes(model: object) -> None:
    rows = [row for row in vars(model).values() if hasattr(row, "__table__")]
    columns = [column for row in rows for column in row.__table__.columns]
    assert not [
        column for column in columns if column.info["kept"][0] == SEALED and column.type.python_type is not bytes
    ]


def test_the_rows_of_pages_are_told_column_by_column() -> None:
    told = {table.name: set(table.columns) for table in TABLES}
    assert kept.page_columns() == {name: told[name] for name in ("page_seed", "page_row")}


# ── the floor plan ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_floor_plan_names_each_package_once_with_its_sentence() -> None:
    rows = list(plan.floors())
    assert len({name for name, _ in rows}) == len(rows)
    assert all(sentence.endswith(".") for _, sentence in rows)
