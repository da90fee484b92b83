"""For tests of the directory by itself: a database that holds what is shipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from referrals.directory.importing import shipped
from reporting.storage.database import Base, open_database, writing


@pytest.fixture(scope="session")
def shipped_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of Peru in a file that is copied and never used itself."""
    path = tmp_path_factory.mktemp("directory") / "directory.db"
    engine = open_database(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with writing(engine) as db:
        shipped.load_shipped(db)
    engine.dispose()
    return path


@pytest.fixture
def engine(shipped_database: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database with the directory of Peru and nothing else."""
    copied = open_database(f"sqlite:///{shutil.copy(shipped_database, tmp_path)}")
    yield copied
    copied.dispose()
