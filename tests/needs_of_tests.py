"""What some tests need that not every machine has: a browser, a database server, a folder of foreign data.

`requires("chromium")`, called in a test or a fixture, gives where the thing is (a path or an address) or skips
with a reason. AMPARO_REQUIRE=chromium,postgresql turns the skip into a failure for what is named: CI names what
it installed itself, so that a check never goes missing unnoticed. AMPARO_REQUIRE=all names everything.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from reporting.config import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MINI_BROWSERS = "*/webkit2gtk-4.1/MiniBrowser"


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _webkit() -> str | None:
    """Its driver and its small browser, as one list of paths. It opens a window, so a screen must be to be had."""
    driver, browser = shutil.which("WebKitWebDriver"), next(Path("/usr/lib").glob(MINI_BROWSERS), None)
    return f"{driver}{os.pathsep}{browser}" if driver and browser and shutil.which("Xvfb") else None


def _told(name: str) -> Callable[[], str | None]:
    return lambda: os.environ.get(name) or None


def _folder(name: str) -> Callable[[], str | None]:
    return lambda: told if (told := os.environ.get(name)) and Path(told).is_dir() else None


def _beside(folder: str) -> str | None:
    """A folder that lies beside the checkout."""
    return str(path) if (path := ROOT.parent / folder).is_dir() else None


def _program(name: str) -> Callable[[], str | None]:
    """Also where only root looks for programs."""
    return lambda: shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def _package(name: str) -> Callable[[], str | None]:
    return lambda: found.origin if (found := importlib.util.find_spec(name)) else None


# name -> (how it is found, how somebody gets it)
NEEDS: Mapping[str, tuple[Callable[[], str | None], str]] = {
    "chromium": (_browser, "no Chromium found: apt-get install chromium"),
    "firefox": (lambda: shutil.which("firefox-esr"), "no Firefox found: apt-get install firefox-esr (80 MB)"),
    "webkit": (
        _webkit,
        "no WebKitGTK found (37 MB): apt-get install --no-install-recommends webkit2gtk-driver glib-networking xvfb",
    ),
    "nginx": (_program("nginx"), "no nginx found: apt-get install nginx-light"),
    "caddy": (_program("caddy"), "no Caddy found (40 MB): apt-get install caddy"),
    "tor": (_program("tor"), "no tor found: apt-get install tor"),
    "debootstrap": (
        lambda: _program("debootstrap")() if os.name == "posix" and os.geteuid() == 0 else None,
        "no debootstrap found, or not root: apt-get install debootstrap",
    ),
    "systemd-analyze": (_program("systemd-analyze"), "no systemd found"),
    "postgresql": (
        _told("AMPARO_TEST_POSTGRESQL"),
        "AMPARO_TEST_POSTGRESQL is not set: the address of a PostgreSQL database that may be emptied",
    ),
    "redis": (
        _told("AMPARO_TEST_REDIS"),
        "AMPARO_TEST_REDIS is not set: the address of a Redis that may be emptied",
    ),
    "soffice": (
        lambda: shutil.which("soffice"),
        "no LibreOffice found: apt-get install --no-install-recommends libreoffice-calc",
    ),
    "opendp": (_package("opendp"), "no OpenDP found (265 MB): .venv/bin/pip install opendp"),
    "csvw": (_package("csvw"), "no CSVW validator found: .venv/bin/pip install csvw"),
    "scipy": (_package("scipy"), "no SciPy found (100 MB): .venv/bin/pip install scipy"),
    "hsds": (
        _folder("AMPARO_TEST_HSDS"),
        "AMPARO_TEST_HSDS names no folder: a copy of the HSDS 3 schemas and examples",
    ),
    "directory files": (
        lambda: _folder("AMPARO_TEST_DIRECTORY_FILES")() or _beside("shared/data"),
        "neither AMPARO_TEST_DIRECTORY_FILES nor ../shared/data is a folder: tables of real services, with inputs/",
    ),
}


def requires(name: str) -> str:
    """Where the needed thing is; otherwise the test skips, or fails when AMPARO_REQUIRE names it."""
    find, missing = NEEDS[name]
    found = find()
    if found is None:
        give_up = pytest.fail if name in demanded() else pytest.skip
        give_up(f"needs {name}; {missing}")
    return found


def demanded() -> frozenset[str]:
    """The names in AMPARO_REQUIRE. A name that nobody knows is a mistake, not a wish."""
    told = os.environ.get("AMPARO_REQUIRE", "")
    named = frozenset(part.strip() for part in told.split(",") if part.strip())
    named = frozenset(NEEDS) if "all" in named else named
    unknown = named - NEEDS.keys()
    if unknown:
        message = f"AMPARO_REQUIRE names {', '.join(sorted(unknown))}; known are {', '.join(NEEDS)}"
        raise pytest.UsageError(message)
    return named


@contextmanager
def a_schema() -> Iterator[str]:
    """The address of a schema of its own on the PostgreSQL server, gone afterwards."""
    address = make_url(requires("postgresql")).set(drivername="postgresql+psycopg")
    schema = f"amparo_{secrets.token_hex(6)}"
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield address.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@contextmanager
def a_database(like: str = "") -> Iterator[str]:
    """The address of a database of its own on the PostgreSQL server, a copy of that one if named, gone afterwards."""
    server = make_url(requires("postgresql")).set(drivername="postgresql+psycopg")
    name = f"amparo_{secrets.token_hex(6)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")  # a database is made and dropped in no transaction
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {make_url(like).database if like else 'template1'}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@cache
def makes_databases() -> bool:
    """Whether the PostgreSQL server lets us make databases, and so copy one."""
    engine = create_engine(make_url(requires("postgresql")).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        asked = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
        may = bool(connection.execute(text(asked)).scalar_one())
    engine.dispose()
    return may
