"""The house keeps its measure: short files, short functions, few packages, a small contract."""

from __future__ import annotations

import pytest

from tests.house.figures import PACKAGES, Module, contract_lines, folders, layers, modules

MODULES = modules()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_file_fits_in_four_hundred_lines_and_a_function_on_a_screen(module: Module) -> None:
    assert module.lines <= 400
    assert not [(name, lines) for name, lines in module.functions() if lines > 50]


def test_a_folder_can_be_taken_in_at_a_glance() -> None:
    packages = folders(MODULES)
    assert len(packages) <= 30
    assert not {package: count for package, count in packages.items() if count > 14}


def test_the_contract_is_short_and_names_packages() -> None:
    assert contract_lines() < 90
    named = {part.strip(" ()") for layer in layers() for part in layer.split("|")}
    below = {".".join(module.name.split(".")[:2]) for module in MODULES if module.name not in PACKAGES}
    assert below <= named, "a package or a module beside the packages without a place in the layers"
